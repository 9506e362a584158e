/* The protocol `zeroes`: a disk of zeroes that forgets what is written; for measuring the rest. */
#include "block/block.h"

enum { DEFAULT_SIZE = 1 << 30 };

static bool zeroes_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    node->length = options->size > 0 ? options->size : DEFAULT_SIZE;
    return true;
}

static int zeroes_transfer(BlockNode *node, const BlockIo *io)
{
    if (io->op == BLOCK_READ) {
        block_memory_fill(io->memory, 0, io->length);
    }
    return 0;
}

BLOCK_DRIVER(zeroes) = {
    .name = "zeroes",
    .protocol = true,
    .open = zeroes_open,
    .transfer = zeroes_transfer,
};
