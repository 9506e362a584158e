/* The filter `copy-on-read`: what is read from an image below is kept in the one on top. */
#include <errno.h>
#include <stdlib.h>

#include "block/block.h"

enum { COPY_MOST = 1024 * 1024, GRAIN = 65536 };

static bool cor_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    block_be_like(node, node->children[0]);
    return true;
}

/* The range around `at` that is copied at once: whole clusters of the image, inside of the disk. */
static void copied_range(const BlockNode *node, uint64_t *at, uint64_t *length)
{
    uint64_t grain = MAX(node->children[0]->cluster, GRAIN);
    uint64_t end = MIN(*at + *length, *at + COPY_MOST);

    *at = *at / grain * grain;
    end = MIN((end + grain - 1) / grain * grain, node->length);
    *length = MIN(end - *at, MAX(COPY_MOST, grain));
}

/* No write may come between reading what was there and writing it. */
static int copy_up(BlockNode *node, uint64_t at, uint64_t length)
{
    BlockNode *child = node->children[0];
    void *buffer = NULL;
    Range range;
    int result;

    copied_range(node, &at, &length);
    if (posix_memalign(&buffer, 4096, length) != 0) {
        return -ENOMEM;
    }
    ranges_lock(&node->writing, &range, at, at + length);
    result = block_read(child, at, buffer, length);
    if (result == 0) {
        result = block_write(child, at, buffer, length, 0);
    }
    ranges_unlock(&node->writing, &range);
    free(buffer);
    return result;
}

/* A copy that fails (the disk may be full) keeps nobody from reading. */
static int read_and_keep(BlockNode *node, const BlockIo *io)
{
    for (uint64_t done = 0; done < io->length;) {
        BlockNode *holder = node->children[0];
        Extent extent = { 0 };
        int result = block_locate(&holder, io->at + done, io->length - done, &extent);

        if (result < 0) {
            return result;
        }
        if (holder != node->children[0] && extent.kind != EXTENT_ZERO && !node->read_only &&
            copy_up(node, io->at + done, extent.length) < 0) {
            break;
        }
        done += extent.length;
    }
    return block_io(node->children[0], io);
}

static int cor_transfer(BlockNode *node, const BlockIo *io)
{
    Range range;
    int result;

    if (io->op == BLOCK_READ) {
        return read_and_keep(node, io);
    }
    ranges_lock_shared(&node->writing, &range, io->at, io->at + io->length);
    result = block_io(node->children[0], io);
    ranges_unlock(&node->writing, &range);
    return result;
}

BLOCK_DRIVER(copy_on_read) = {
    .name = "copy-on-read",
    .filter = true,
    .open = cor_open,
    .map = block_map_through,
    .transfer = cor_transfer,
    .resize = block_resize_through,
};
