/*
 * The format `vmdk` ("Virtual Disk Format 5.0"), numbers little endian. An image is a sparse file
 * with its descriptor inside, or a descriptor that lists the files which hold the disk: plain or
 * sparse ones.
 */
#ifndef BLOCK_FORMATS_VMDK_H
#define BLOCK_FORMATS_VMDK_H

#include "block/formats/sparse.h"

/* Offsets in the header of a sparse file. */
enum {
    VMDK_VERSION = 4,
    VMDK_FLAGS = 8,
    VMDK_CAPACITY = 12,
    VMDK_GRAIN = 20,
    VMDK_DESCRIPTOR = 28,
    VMDK_DESCRIPTOR_SIZE = 36,
    VMDK_PER_TABLE = 44,
    VMDK_MIRROR = 48,
    VMDK_DIRECTORY = 56,
    VMDK_OVERHEAD = 64,
    VMDK_NEWLINES = 73,
    VMDK_COMPRESSION = 77,
    VMDK_HEADER = 512,
};

enum {
    VMDK_FLAG_NEWLINES = 1 << 0,
    VMDK_FLAG_MIRROR = 1 << 1,
    VMDK_FLAG_ZERO = 1 << 2, /* an entry of 1 is a grain of zeroes */
    VMDK_FLAG_COMPRESSED = 1 << 16,
    VMDK_FLAG_MARKERS = 1 << 17,
    VMDK_DEFLATE = 1,
};

enum {
    VMDK_SECTOR = 512,
    VMDK_TABLE_ENTRIES = 512,
    VMDK_DESCRIPTOR_MOST = 64 << 10,
    VMDK_EXTENTS_MOST = 1024,
};

#define VMDK_AT_END UINT64_MAX /* the directory's place when the header is a footer */

/* A part of the disk that a file holds. */
typedef struct VmdkExtent {
    uint64_t start, length; /* of the disk */
    uint64_t offset;        /* in the child */
    unsigned child;         /* 0: zeroes */
} VmdkExtent;

typedef struct Vmdk {
    Sparse sparse;
    uint32_t flags; /* of a sparse file */
    bool is_list;
    GArray *extents; /* of VmdkExtent, in order */
    char *descriptor;
    uint64_t descriptor_at; /* its place in child 0 */
    bool changed;           /* its content id is a new one */
} Vmdk;

/* vmdk-list.c: a descriptor. */
/* The value of a line `name=value`, without its quotes; NULL: there is none. */
char *vmdk_descriptor_value(const char *descriptor, const char *name);
/* [co] Takes v->descriptor as a list, and opens the files. */
bool vmdk_open_list(BlockNode *node, const BlockOptions *options, GError **error);
/* [co] Before the first change: the content gets another id, so that what is based on it knows. */
int vmdk_new_content_id(BlockNode *node);
int vmdk_list_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
int vmdk_list_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out);

/* vmdk-create.c */
bool vmdk_create(BlockNode *file, const BlockCreate *create, GError **error);
extern const char *const vmdk_create_options[];

#endif
