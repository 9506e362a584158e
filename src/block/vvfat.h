/*
 * A folder of the host as a FAT file system: its tree, and where each file lies on the disk
 * (Microsoft, "FAT: General Overview of On-Disk Format", version 1.03).
 */
#ifndef BLOCK_VVFAT_H
#define BLOCK_VVFAT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    FAT_SECTOR = 512,
    FAT_ENTRY = 32, /* bytes of a directory entry */
    FAT_FIRST_CLUSTER = 2,
};

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

/* Reads a folder and all below it; symbolic links and other special files are left out. */
bool fat_tree_read(FatTree *tree, const char *folder, GError **error);
void fat_tree_clear(FatTree *tree);

/* Clusters that all of it takes, when they have so many bytes. */
uint64_t fat_tree_clusters(const FatTree *tree, uint32_t cluster_size, bool fixed_root);
/* Gives each its clusters, and says so in the directories. */
void fat_tree_place(FatTree *tree, uint32_t cluster_size, bool fixed_root);
/* The file that has a cluster; NULL: none. */
const FatFile *fat_tree_find(const FatTree *tree, uint32_t cluster);

#endif
