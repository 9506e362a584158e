/*
 * Block drivers: formats, protocols and filters, a C file each.
 *
 * A format answers one question, map: where do these bytes live? The core does the reading,
 * writing, splitting, copying and counting, so a read-only format is `open` and `map`. A protocol
 * (and a filter) moves the bytes itself, by `transfer`.
 *
 * Callbacks marked [co] run in a coroutine on the node's IoLoop and may wait, with code that reads
 * straight down. All results of the request path are 0 or -errno.
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "block/create.h"
#include "block/facts.h"
#include "block/io.h"
#include "core/machine.h"

typedef enum ExtentKind {
    EXTENT_DATA,    /* at child:offset */
    EXTENT_ZERO,    /* reads as zeroes, needs no I/O */
    EXTENT_BACKING, /* not here: ask the backing node */
    EXTENT_PACKED,  /* compressed or encrypted: the core calls unpack */
} ExtentKind;

typedef struct Extent {
    ExtentKind kind;
    unsigned child;
    uint64_t offset, length; /* length may be shorter than asked, never 0 */
    bool writable;           /* DATA: may be overwritten where it is */
    /*
     * Of `allocate`: the place is new and not found by `map` yet. The core fills `head` bytes
     * before and `tail` bytes after it from what was there, writes the data, then calls `link`.
     */
    bool fresh;
    uint64_t head, tail;
    bool encrypted; /* PACKED: as long as it is on the disk, and at child:offset */
    /* The driver's own, for unpack, link and abandon. */
    uint64_t cookie;
    uint32_t skip;
} Extent;

typedef struct BlockOptions {
    const char *path;   /* of a protocol; NULL: a scratch file that nobody else sees */
    uint64_t size;      /* of a scratch file */
    GByteArray *memory; /* of the protocol `memory`: the bytes; NULL: none yet */
    DriveCache cache;
    DriveAio aio;
    const DriveThrottle *throttle; /* of the filter of that name */
    const BlockSpec *spec;         /* what was written about the node; NULL: nothing */
    BlockNode *const *others;      /* children after the first one, ends with NULL; taken */
    BlockKey key;                  /* of all encrypted images among them */
    uint64_t metadata_cache;       /* bytes of each image's tables in memory; 0: as it suits */
    bool read_only;
    bool share;              /* of a file that is only read: somebody may write to it meanwhile */
    bool create;             /* a new file; there must be none */
    const char *log;         /* of an image: a new file for a log of its file's changes; or NULL */
    const char *snapshot;    /* READ only: the disk as it was then; NULL: as it is */
    unsigned writable_layer; /* an image so many below the top is opened for writing; 0: none */
    bool repair; /* for a check: damage that can be mended does not keep it from being opened */
} BlockOptions;

typedef struct BlockDriver {
    const char *name; /* "qcow2": the word after `format:` */
    bool protocol;    /* opened by a path; otherwise on top of child 0 */
    bool filter;      /* the same disk as its child 0; not the format of anything */
    size_t state_size;
    const char *const *schemes; /* of a protocol: of the URLs it opens; ends with NULL */

    unsigned (*probe)(const uint8_t *head, size_t length); /* 0: not mine ... 100: mine */
    bool (*open)(BlockNode *node, const BlockOptions *options, GError **error); /* [co] */
    void (*close)(BlockNode *node); /* [co] optional; accepts a half-open node */

    /* A protocol or filter: everything goes here, in pieces that are aligned as it asked. [co] */
    int (*transfer)(BlockNode *node, const BlockIo *io);

    /*
     * Of what needs neither the loop nor a wait: a read of bytes that the host has in memory. Any
     * thread with the machine lock; the request is inside of the disk. -EAGAIN: the long way.
     */
    int (*read_at_once)(BlockNode *node, const BlockIo *io);

    /* A format; without `allocate` it is read-only. [co] */
    int (*map)(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
    int (*allocate)(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
    int (*link)(BlockNode *node, uint64_t at, const Extent *fresh);
    void (*abandon)(BlockNode *node, uint64_t at, const Extent *fresh); /* instead of link */
    /* Whole clusters, but for the last one of the disk. */
    int (*zero)(BlockNode *node, uint64_t at, uint64_t length, unsigned flags);
    int (*discard)(BlockNode *node, uint64_t at, uint64_t length);
    int (*flush)(BlockNode *node); /* metadata, in a safe order; the core flushes children */
    /* Before the disk changes there in any way; only of a node that wants to be told. */
    int (*touch)(BlockNode *node, uint64_t at, uint64_t length);
    int (*unpack)(BlockNode *node, const Extent *from, void *out);
    /*
     * Writes a cluster (the last one of the disk may be shorter) compressed; -EMSGSIZE when that
     * does not make it smaller: then the core writes it as it is.
     */
    int (*pack)(BlockNode *node, uint64_t at, const void *data, uint64_t length);

    /*
     * [co] Another cache mode, while nothing is under way; false: the old one goes on. Only of what
     * is more than the core's affair, as an open file is.
     */
    bool (*set_cache)(BlockNode *node, const DriveCache *cache, GError **error);

    /* For tools; while nothing else uses the node. */
    void (*describe)(BlockNode *node, BlockFact *add, GString *out); /* what is special about it */
    int (*check)(BlockNode *node, BlockCheck *out, BlockRepair repair);
    int (*resize)(BlockNode *node, uint64_t length);
    int (*look_again)(BlockNode *node); /* [co] others may have changed the length */
    int (*empty)(BlockNode *node);      /* all of the disk shows what is below */
    /* What it is based on; NULL: nothing any more. */
    int (*set_backing)(BlockNode *node, const char *path, const char *format);
    /* Options instead of those that the image was made with; only names in amend_options. */
    bool (*amend)(BlockNode *node, const BlockCreate *options, GError **error);
    const char *const *amend_options; /* ends with NULL */
    const BlockSnapshots *snapshots;  /* NULL: none inside of an image */
    const BlockBitmaps *bitmaps;      /* NULL: none inside of an image */
    /* Of a protocol: is there data at `at`, or a hole? Gives where that ends. */
    bool (*is_data)(BlockNode *node, uint64_t at, uint64_t *end);
    /* [co] Of a protocol: begins to write out what a flush would wait for. */
    void (*write_back)(BlockNode *node);
    /* [co] Of a protocol: becomes as `from` is, by sharing its blocks; -ENOTSUP: it cannot. */
    int (*share_blocks)(BlockNode *node, BlockNode *from);
    bool (*create)(BlockNode *file, const BlockCreate *create, GError **error); /* into `file` */
    /* [co] Of an image that is to be made of what `from` holds; NULL: of an empty disk. */
    bool (*measure)(BlockNode *from, const BlockCreate *create, BlockMeasure *out, GError **error);
    const char *const *create_options; /* names, ends with NULL */
    bool has_backing;
} BlockDriver;

/* Declares a driver. build/gen/tables.c lists every line that starts with this macro. */
#define BLOCK_DRIVER(id)                                                                           \
    extern const BlockDriver id##_block_driver;                                                    \
    const BlockDriver id##_block_driver

extern const BlockDriver *const block_drivers[];            /* ends with NULL */
const BlockDriver *block_driver_find(const char *name);     /* NULL when there is none */
const BlockDriver *block_driver_for_path(const char *path); /* by its scheme, or `file` */

#endif
