/* The halves of the request path, for block.c. */
#ifndef BLOCK_BLOCK_IMPL_H
#define BLOCK_BLOCK_IMPL_H

#include "block/block.h"

/* [co] align.c: to a driver with `transfer`, in pieces it can take. */
int block_transfer(BlockNode *node, const BlockIo *io);

/* [co] extents.c: through a driver's map to the children. */
int block_format_io(BlockNode *node, const BlockIo *io);

#endif
