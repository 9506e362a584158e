/* Another cache mode for a graph of nodes that is in use. */
#ifndef BLOCK_CACHE_CHANGE_H
#define BLOCK_CACHE_CHANGE_H

#include "block/block.h"

/*
 * [co] Gives all nodes that have the mode `from` the mode `to`; those that were given one of their
 * own keep it. While nothing is under way. What was written until now is flushed. All or nothing:
 * with an error the old mode goes on.
 */
bool cache_change(BlockNode *top, const DriveCache *from, const DriveCache *to, GError **error);

#endif
