/*
 * One node that several graphs use, each on its own loop: it lives on a loop of its own, and each
 * of them has a node of the driver `share` that hands requests over. Writes that overlap take
 * turns, whoever they come from.
 */
#ifndef BLOCK_SHARE_H
#define BLOCK_SHARE_H

#include "block/block.h"

/* [co] Opens what is shared, on its loop. */
typedef BlockNode *ShareOpen(const void *what, IoLoop *loop, GError **error);

/*
 * [co] A node on `loop` that stands for `what`; whoever is first opens it, and the last one closes
 * it. `what` is its identity. The options are those of the node that stands for it.
 */
BlockNode *share_open(IoLoop *loop, const BlockSpec *what, ShareOpen *open,
    const BlockOptions *options, GError **error);

/* What is shared now, by whomever; in no order. Any thread. */
typedef void ShareEach(void *data, const char *name, uint64_t length, const DriveCache *cache);
void share_each(ShareEach *each, void *data);

/*
 * Another cache mode for the block of that name, and for all who use it; false with an error, or
 * without one when nothing of that name is shared. One thread at a time, but none of an I/O loop.
 */
bool share_cache(const char *name, DriveCache *out);
bool share_change_cache(const char *name, const DriveCache *cache, GError **error);

#endif
