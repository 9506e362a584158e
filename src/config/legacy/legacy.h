/*
 * Legacy: command lines of QEMU, taken apart, judged as QEMU judges them, and told in YAML.
 *
 *   words, scripts → Legacy (options in order) → drives, devices → YAML | qemu line | report
 *
 * What QEMU refuses is refused, at the same point of its order of evaluation; what it changes
 * silently is said. DRIVE.md describes the rules; a number in a comment is a section of it.
 */
#ifndef CONFIG_LEGACY_LEGACY_H
#define CONFIG_LEGACY_LEGACY_H

#include "config/legacy/boards.h"
#include "config/legacy/optstr.h"

/* Whose rules: those of QEMU 7.2, or of 0.15.50 in August 2011. */
typedef enum LegacyAs { AS_7_2, AS_2011 } LegacyAs;

typedef enum Fidelity { EXACT, CLOSE, LOST } Fidelity;

extern const char *const fidelity_names[]; /* "exact", "close", "lost" */

/* ---- files of the host ---- */

typedef enum FileKind {
    FILE_ABSENT,
    FILE_REGULAR,
    FILE_FOLDER,
    FILE_CHARACTER,
    FILE_BLOCK
} FileKind;

typedef struct FileFacts {
    FileKind kind;
    const char *format; /* what its first bytes say: "raw", "qcow2" ...; static */
    uint64_t size;      /* of the disk inside; 0: not known */
    bool header;        /* its header was read: */
    bool encrypted, data_file;
} FileFacts;

/* Looks at a file; false: nothing is known about it, and it is taken to be there. */
typedef bool (*LookAtFile)(void *data, const char *path, FileFacts *facts);

/* The files that a command line names. */
typedef struct LegacyFiles {
    LookAtFile look;
    char *(*read)(void *data, const char *path, GError **error); /* the text of -readconfig FILE */
    void *data;
} LegacyFiles;

/* Those of this host: one that is not there is not known, or (`strict`) absent. */
extern const LegacyFiles legacy_host_files, legacy_host_files_strict;

/* What the name lets expect: "vmdk" of a.vmdk, "raw" of anything unknown. */
const char *legacy_format_by_name(const char *path);

/* ---- what was said about each option ---- */

typedef struct LegacyNote {
    Fidelity fidelity;
    Span at;
    const char *option; /* "-soundhw hda" */
    const char *path;   /* of the YAML that it belongs to: "drives.root"; "": the machine */
    const char *text;   /* NULL: nothing to say (exact) */
} LegacyNote;

/* An option, its variables and quotes resolved. */
typedef struct LegacySaid {
    Span at;
    const char *text;            /* both of: */
    const char *word, *argument; /* argument NULL: it has none */
    bool told;                   /* the YAML says it: to-qemu finds it there */
} LegacySaid;

/* ---- drives ---- */

/* A node of a drive's graph of images. */
typedef struct LegacyNode {
    const char *name;     /* node-name; NULL: none */
    const char *driver;   /* "qcow2" */
    const char *file;     /* as QEMU names it: a path or a URL */
    const char *protocol; /* the driver at the bottom: "file", "nbd" */
    bool read_only, auto_read_only;
    bool direct, no_flush;
    bool unmap;
    const char *detect_zeroes; /* "off" */
    const char *aio;           /* "threads" */
    bool locking;
    bool shared;                    /* the file is that of another drive or node, by reference */
    bool probed;                    /* nobody said the format */
    bool never_writes;              /* though nobody said read-only */
    bool busy;                      /* a device or another node writes to it */
    const struct LegacyNode *backs; /* the node whose backing file it is; NULL: none */
    const char *backing, *backing_format; /* of a backing file named in options; NULL */
    FileFacts facts;
    bool known;    /* facts are the host's */
    Opts *options; /* all that was said of it and below */
    Span at;
} LegacyNode;

typedef struct LegacyThrottle {
    uint64_t limit[2][3]; /* bps, iops × total, read, write */
    uint64_t burst[2][3];
    uint64_t length[2][3];
    uint64_t iops_size;
    const char *group;
} LegacyThrottle;

/* What a drive is plugged into the guest with. */
typedef struct LegacyFront {
    const char *type;   /* "ide-hd"; NULL: a part of the board without a name */
    const char *bus;    /* "ide.0" */
    const char *id;     /* of the -device; NULL */
    const char *model;  /* as asked for, "virtio-blk-pci"; NULL: the board's own */
    int unit;           /* -1: no such thing */
    int scsi_id, lun;   /* -1 */
    const char *serial; /* NULL: none */
    const char *werror, *rerror;
    int write_cache; /* -1: the drive's; 0 off, 1 on */
    bool removable;
    Opts *options; /* of the -device; NULL */
} LegacyFront;

typedef struct LegacyDrive {
    const char *id; /* "" for a device's own empty drive or a node without a drive */
    bool named;     /* the id was written */
    Opts *options;  /* NULL: a default drive */
    Span at;

    DriveInterface interface;
    int bus, unit, index; /* index -1: not given */
    bool cdrom;
    bool automatic; /* nobody asked for it */
    bool claimed;   /* a board or a device has it */

    LegacyNode *node; /* NULL: no medium */
    bool writeback;
    bool read_only;
    bool snapshot;
    bool copy_on_read;
    bool unmap;
    const char *aio, *detect_zeroes, *werror, *rerror;
    LegacyThrottle throttle;

    LegacyFront *front;           /* NULL: nothing */
    const char *serial, *address; /* of keys that only 2011 has */
} LegacyDrive;

/* ---- the machine ---- */

/* A card of the guest and what is behind it. */
typedef struct LegacyNet {
    const char *type;  /* "user", "tap", ...; "none" */
    Opts *backend;     /* NULL: nothing is behind it */
    const char *model; /* "virtio-net-device"; NULL: the board's own */
    const char *mac;
    Opts *device; /* NULL: not from -device */
    const char *id;
    Span at;
} LegacyNet;

typedef struct Legacy {
    Arena *arena;
    const Source *source;
    Diag *diag;
    LegacyAs as;
    LegacyFiles files;

    const char *program; /* "qemu-system-x86_64" */
    const char *arch;
    const QemuBoard *board;
    const char *machine; /* "pc-i440fx-7.2" */
    Span machine_at;

    /* Options by kind, in the order given; each a GPtrArray of Opts *. */
    GPtrArray *drive_options, *blockdevs, *devices, *netdevs, *nets, *chardevs, *objects, *globals,
        *serials;
    Opts *machine_merged; /* of every -machine, later ones win */

    GPtrArray *drives;   /* of LegacyDrive * */
    GPtrArray *nodes;    /* of LegacyNode *, those with names */
    GPtrArray *others;   /* of Opts *: devices that carry no drive and no network */
    GPtrArray *networks; /* of LegacyNet * */
    GArray *said;        /* of LegacySaid: the options as they were read */
    GArray *notes;       /* of LegacyNote */
    struct Buses *buses;
    GPtrArray *bus_list;
    GHashTable *bus_names;

    bool snapshot, no_defaults;

    /* Values that have a place of their own in the YAML; text NULL: not said. */
    const char *memory_text, *cpu_model, *kernel, *initrd, *append, *bios, *dtb, *name;
    Span memory_at, cpu_at, cpus_at, bios_at;
    uint64_t memory;
    unsigned cpus;
    const char *gdb; /* NULL: none */
    bool gdb_wait, icount;
    const char *clock_start;
} Legacy;

/* `files` NULL: those of this host. */
Legacy *legacy_new(const Source *source, LegacyAs as, const LegacyFiles *files, Diag *diag);
void legacy_free(Legacy *legacy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Legacy, legacy_free)

/*
 * Takes a command (an array of Word) apart and judges it as QEMU would. False after reporting why
 * QEMU refuses it.
 */
bool legacy_read(Legacy *legacy, const GArray *words);

/* How far the whole is the same: the worst of the notes. */
Fidelity legacy_fidelity(const Legacy *legacy);

/* ---- for its parts ---- */

/* Reports what QEMU refuses. Gives false. */
bool legacy_refuse(Legacy *legacy, DiagCode code, Span at, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* `format` NULL: exact, and nothing to say. */
void legacy_note(Legacy *legacy, Fidelity fidelity, Span at, const char *path, const char *format,
    ...) G_GNUC_PRINTF(5, 6);

LegacyDrive *legacy_drive_find(const Legacy *legacy, const char *id);
LegacyNode *legacy_node_find(const Legacy *legacy, const char *name);

#endif
