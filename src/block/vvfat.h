/*
 * A folder of the host as a FAT file system: its tree, and where each file lies on the disk
 * (Microsoft, "FAT: General Overview of On-Disk Format", version 1.03). What a guest has made of
 * the disk is found by a scan of it, and brought to the folder by a commit.
 */
#ifndef BLOCK_VVFAT_H
#define BLOCK_VVFAT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct BlockNode BlockNode;

enum {
    FAT_SECTOR = 512,
    FAT_ENTRY = 32, /* bytes of a directory entry */
    FAT_FIRST_CLUSTER = 2,
    FAT_SHORT_NAME = 11,
    FAT_LONG_PART = 13, /* characters of a long name in one entry */
    FAT_NAME_MOST = 255,
    FAT_FILES_MOST = 1 << 20,
    FAT_FOLDER_MOST = 65536 * FAT_ENTRY,
    FAT_LABEL = 0x08,
    FAT_FOLDER = 0x10,
    FAT_ARCHIVE = 0x20,
    FAT_LONG_NAME = 0x0f,
};

/* ---- the host's folder ---- */

/* A file or a folder: one run of clusters. */
typedef struct FatFile {
    char *path;        /* on the host */
    GByteArray *names; /* of a folder: its directory; NULL: a file */
    uint64_t size;
    uint32_t cluster, clusters; /* the first one, and how many; 0: empty, or the fixed root */
    uint16_t time, date;
    uint32_t parent; /* index of the folder that it is in */
    uint32_t entry;  /* bytes from that directory's start to its entry */
} FatFile;

typedef struct FatTree {
    GArray *files; /* of FatFile; the root is the first one, parents are before children */
} FatTree;

/* Of 11 characters at most, in letters that a label may have; false: it is no label. */
bool fat_label_parse(const char *text, size_t length, char label[FAT_SHORT_NAME + 1]);

/* Reads a folder and all below it; symbolic links and other special files are left out. */
bool fat_tree_read(FatTree *tree, const char *folder, const char *label, GError **error);
void fat_tree_clear(FatTree *tree);

/* Clusters that all of it takes, when they have so many bytes. */
uint64_t fat_tree_clusters(const FatTree *tree, uint32_t cluster_size, bool fixed_root);
/* Gives each its clusters, and says so in the directories. */
void fat_tree_place(FatTree *tree, uint32_t cluster_size, bool fixed_root);
/* The file that has a cluster; NULL: none. */
const FatFile *fat_tree_find(const FatTree *tree, uint32_t cluster);

uint8_t fat_checksum(const char *short_name); /* that binds a long name to it */
extern const uint8_t fat_long_places[FAT_LONG_PART];

/* ---- the disk ---- */

typedef struct FatShape {
    FatTree tree;
    char label[FAT_SHORT_NAME + 1];
    unsigned bits;    /* 12, 16 or 32; 0: as it suits */
    bool floppy;      /* without a partition table */
    bool roomy;       /* there is to be room for what a guest writes */
    uint64_t start;   /* first sector of the file system */
    uint32_t sectors; /* of the file system */
    uint32_t cluster_sectors, clusters;
    uint32_t reserved, fat_sectors, root_sectors;
} FatShape;

/* Gives a tree its place on the disk; the node is for messages. */
bool fat_shape_choose(FatShape *shape, const BlockNode *node, GError **error);
/* A sector before the clusters, as it was made; `sector` counts from the start of the disk. */
void fat_shape_sector(const FatShape *shape, uint64_t sector, uint8_t *out);
/* Of the disk, in bytes. */
uint64_t fat_shape_root(const FatShape *shape);
uint64_t fat_shape_cluster(const FatShape *shape, uint32_t cluster);

/* ---- what is on the disk now ---- */

/* [co] Reads bytes of the disk; 0 or -errno. */
typedef int FatRead(void *data, uint64_t at, void *out, size_t length);

typedef struct FatRun {
    uint32_t cluster, count;
} FatRun;

typedef struct FatFound {
    char *path; /* in the folder: "a/b" */
    bool folder;
    uint32_t size;
    uint32_t run, runs; /* of the scan's, from its index `run` on */
    uint16_t time, date;
} FatFound;

typedef struct FatScan {
    GArray *found;       /* of FatFound; folders are before what is in them */
    GArray *runs;        /* of FatRun */
    GHashTable *by_path; /* the index in `found`, and one */
    uint32_t *fat;       /* what each cluster says */
    uint8_t *used;       /* a bit for each: something that was found has it */
} FatScan;

/*
 * [co] 0: all of it is there, and agrees; -EUCLEAN: it does not, and *why says what is wrong;
 * -errno of a read. The scan is cleared by the caller whatever it gives.
 */
int fat_scan(FatScan *scan, const FatShape *shape, FatRead *read, void *data, char **why);
void fat_scan_clear(FatScan *scan);
const FatFound *fat_scan_find(const FatScan *scan, const char *path); /* NULL: none */

/* ---- to the host ---- */

typedef struct FatCommit {
    int folder;         /* the host's */
    const FatScan *was; /* as the host has it */
    const FatScan *is;
    const FatShape *shape;
    bool sync;   /* on stable storage when it is done */
    bool at_end; /* nothing more will be written: what has clusters and no name stays on the host */
    FatRead *read;
    /* Was any of these bytes of the disk written since `was`? */
    bool (*changed)(void *data, uint64_t at, uint64_t length);
    /* [co] From here on the disk has these bytes itself: the host's file goes. */
    int (*keep)(void *data, uint64_t at, uint64_t length);
    void *data;
    GHashTable *ours;    /* paths of files that were made by earlier commits, and by this one */
    GHashTable *touched; /* its own: paths of folders that are to be synced */
    char *why;           /* set when it fails, and to be freed */
} FatCommit;

/*
 * [co] Makes the folder what the disk says. 0; -EUCLEAN: it is not the time yet; -errno of the
 * host. What was done before it failed is done again by the next one.
 */
int fat_commit(FatCommit *commit);

#endif
