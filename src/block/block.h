/*
 * Block nodes: protocols, formats and filters, which make up the graph behind a drive.
 *
 * What a driver is made of is in driver.h. Functions marked [co] run in a coroutine on the node's
 * IoLoop; all results of the request path are 0 or -errno.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "block/driver.h"
#include "block/epochs.h"
#include "block/io-loop.h"
#include "block/io.h"
#include "block/ranges.h"
#include "block/stats.h"
#include "core/machine.h"

/* What went wrong when a node was opened: says which key of a drive is to blame. */
typedef enum BlockError {
    BLOCK_ERROR_MISSING, /* no such file */
    BLOCK_ERROR_PERMISSION,
    BLOCK_ERROR_IN_USE,
    BLOCK_ERROR_NO_DIRECT,
    BLOCK_ERROR_FORMAT,
    BLOCK_ERROR_KEY, /* it is missing, or does not open the image */
    BLOCK_ERROR_SIZE,
    BLOCK_ERROR_HOST,
} BlockError;

#define BLOCK_ERROR (block_error_quark())
GQuark block_error_quark(void);

/* For open and create: false, and an error: "`NAME` ..."; a node of NULL has no name yet. */
bool block_refuse(const BlockNode *node, GError **error, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/*
 * For close: "`NAME` ...", which nobody waits for, is said all the same; what was written to it may be
 * lost.
 */
void block_lose(const BlockNode *node, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* ---- nodes ---- */

enum {
    BLOCK_CHILDREN = 4,  /* that there is room for at first */
    BLOCK_PIECES = 1024, /* of memory in one transfer: IOV_MAX */
};

struct BlockNode {
    const BlockDriver *driver;
    void *state;
    IoLoop *loop;
    char *name; /* for messages: the file's name */
    DriveCache cache;
    bool read_only;
    unsigned refs;

    BlockNode **children; /* owned; NULL where there is none */
    unsigned children_most;
    BlockNode *backing;                  /* owned; NULL: zeroes */
    char *backing_path, *backing_format; /* as the image says; the core opens it */

    /* Set by the driver's open. */
    uint64_t length;
    bool grows;            /* reads beyond the end give zeroes, writes make it longer */
    uint32_t align;        /* of transfers: offset and length; a power of two, at least 1 */
    uint32_t align_memory; /* and addresses */
    bool packs_only;       /* a format that takes only writes with BLOCK_PACK */
    bool noisy;            /* what was never written does not read as zeroes */
    bool tells;            /* a change is told to the driver's `touch` first */
    const char *engine;    /* that moves the bytes: "io_uring"; NULL: none of ours */
    uint32_t cluster;      /* a format's unit of allocation; 0: never allocates */

    /* The core's. */
    Ranges writing;
    FlushEpochs epochs;
    uint64_t links, links_stable; /* places are linked; a flush covers what was linked before */
    BlockStats stats;
};

/* [co] Takes the children whether it succeeds or not. */
BlockNode *block_open(IoLoop *loop, const BlockDriver *driver, const BlockOptions *options,
    BlockNode *child, BlockNode *backing, GError **error);
/*
 * [co] Opens an image with all that lies under it. Without a format it is probed for, and a file
 * that has none of the known ones is refused rather than taken for raw.
 */
BlockNode *block_open_image(
    IoLoop *loop, const char *format, const BlockOptions *options, GError **error);
/* [co] The same for an image alone: what it is based on is not opened. */
BlockNode *block_open_layer(
    IoLoop *loop, const char *format, const BlockOptions *options, GError **error);
BlockNode *block_ref(BlockNode *node);
/* For a driver's open: room for so many children. */
void block_reserve_children(BlockNode *node, unsigned count);
void block_unref(BlockNode *node); /* [co]: the last one closes it */

/* [co] The one entry to a node: checks, counts, splits, aligns. */
int block_io(BlockNode *node, const BlockIo *io);

/* [co] Shorthands. */
int block_read(BlockNode *node, uint64_t at, void *out, size_t length);
int block_write(BlockNode *node, uint64_t at, const void *data, size_t length, unsigned flags);
int block_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags);
int block_flush(BlockNode *node);
/* [co] The host begins to write out what a later flush would have to wait for; promises nothing. */
void block_write_back(BlockNode *node);

/*
 * [co] What lies at `at`, through all layers: DATA, ZERO or PACKED, and how far that goes. *node
 * becomes the layer that has it; with DATA, out->offset is a place in its child.
 */
int block_locate(BlockNode **node, uint64_t at, uint64_t length, Extent *out);

/* For filters: `node` is as large as its child and grows as it does; what may be a driver's. */
void block_be_like(BlockNode *node, const BlockNode *child);
int block_map_through(BlockNode *node, uint64_t at, uint64_t length, Extent *out);
int block_resize_through(BlockNode *node, uint64_t length);

/* [co] Bytes of the disk in units of `unit` that hold data, or -errno. */
int64_t block_count_data(BlockNode *node, uint64_t unit);

/* [co] Sees whether others have made the disk longer or shorter; -ENOTSUP: they cannot have. */
int block_look_again(BlockNode *node);

/* [co] Changes the length of a disk; -ENOTSUP when the format cannot. */
int block_resize(BlockNode *node, uint64_t length);

#endif
