/*
 * Persistent dirty bitmaps (specification, "Bitmaps extension").
 *
 * Tools reach them through the driver: node->driver->bitmaps (block/facts.h).
 *
 * Before the first change of the disk all bitmaps that record it are marked as in use on stable
 * storage; the bits are kept in memory and written when the image is closed, and then the marks
 * are taken away. So a bitmap without the mark is right, whenever the power fails.
 */
#ifndef BLOCK_QCOW2_BITMAP_H
#define BLOCK_QCOW2_BITMAP_H

#include "block/qcow2/qcow2.h"

enum {
    QCOW2_BITMAP_IN_USE = 1 << 0,
    QCOW2_BITMAP_AUTO = 1 << 1,
    QCOW2_BITMAP_EXTRA_COMPATIBLE = 1 << 2,
    QCOW2_BITMAP_DIRTY_TYPE = 1,
    QCOW2_BITMAP_ENTRY = 24, /* bytes of a directory entry before extra data and name */
    QCOW2_BITMAPS_MOST = 65535,
    QCOW2_BITMAP_DIRECTORY_MOST = 64 << 20,
    QCOW2_BITMAP_TABLE_MOST = 1 << 20, /* entries */
    QCOW2_BITMAP_NAME_MOST = 1023,
    QCOW2_BITMAP_BITS_LEAST = 9, /* of the granularity */
    QCOW2_BITMAP_BITS_MOST = 31,
};

typedef struct Qcow2Bitmap {
    uint64_t table_offset;
    uint32_t table_size, flags; /* as in the directory */
    uint8_t type, granularity_bits;
    char *name;
    GBytes *extra;

    bool ours;       /* it was right when this node was opened, and is marked as in use by us */
    uint64_t *table; /* NULL: not read yet */
    uint8_t **bits;  /* clusters of bits that are in memory; NULL: none */
} Qcow2Bitmap;

/* bitmap.c; [co], with the lock or while nobody else uses the node. */
int qcow2_read_bitmaps(Qcow2 *q); /* fills q->bitmaps */
void qcow2_bitmap_free(void *bitmap);
int qcow2_bitmap_table(Qcow2 *q, Qcow2Bitmap *b); /* fills b->table */
uint32_t qcow2_bitmap_table_size(const Qcow2 *q, unsigned granularity_bits, uint64_t length);
/* Bits of one cluster in memory, from the image if they are there. */
int qcow2_bitmap_bits(Qcow2 *q, Qcow2Bitmap *b, uint32_t index, uint8_t **out);
/* The flags where the directory is. */
int qcow2_write_bitmap_flags(Qcow2 *q);
/* A new directory, and a header that refers to it, or to none. */
int qcow2_move_bitmap_directory(Qcow2 *q);

/* bitmap-track.c */
/* [co] Marks bitmaps as in use before they change: those that record, or all that are right. */
int qcow2_begin_bitmaps(Qcow2 *q, bool all);
int qcow2_touch(BlockNode *node, uint64_t at, uint64_t length); /* [co] */
int qcow2_set_bitmap(Qcow2 *q, Qcow2Bitmap *b, uint64_t at, uint64_t length);
/* [co] For a disk of another length, before and after. */
int qcow2_resize_bitmaps(Qcow2 *q, uint64_t length);
/* [co] It has not become so long after all: a table of another length would not be right. */
void qcow2_unresize_bitmaps(Qcow2 *q, uint64_t length);
/* What no bitmap refers to any more, in memory; counted down when that is so in the image. */
void qcow2_free_bitmap_place(Qcow2 *q, uint64_t entry, uint64_t clusters);
void qcow2_apply_bitmap_frees(Qcow2 *q);
/* [co] Writes all that is in memory, then takes away the marks. */
int qcow2_store_bitmaps(Qcow2 *q);

/* bitmap-ops.c */
extern const BlockBitmaps qcow2_bitmaps;

#endif
