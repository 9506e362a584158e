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

#endif
