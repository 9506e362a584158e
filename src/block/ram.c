/* The protocol `memory`: a file in memory. For tests, for fuzzing, and for crash states. */
#include <errno.h>
#include <string.h>

#include "block/block.h"

typedef struct Ram {
    GByteArray *bytes; /* shared with whoever gave it */
} Ram;

static int ram_resize(BlockNode *node, uint64_t length)
{
    Ram *r = node->state;
    unsigned old = r->bytes->len;

    if (length > INT32_MAX) {
        return -ENOSPC;
    }
    g_byte_array_set_size(r->bytes, length);
    if (length > old) {
        memset(r->bytes->data + old, 0, length - old);
    }
    node->length = length;
    return 0;
}

static bool ram_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Ram *r = node->state;

    r->bytes = options->memory ? g_byte_array_ref(options->memory) : g_byte_array_new();
    if (!options->memory && options->size > 0 && ram_resize(node, options->size) < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
            "a disk in memory of %" G_GUINT64_FORMAT " bytes is too large", options->size);
        return false;
    }
    node->length = r->bytes->len;
    node->grows = true;
    return true;
}

static void ram_close(BlockNode *node)
{
    Ram *r = node->state;

    g_clear_pointer(&r->bytes, g_byte_array_unref);
}

static int ram_read(BlockNode *node, const BlockIo *io)
{
    Ram *r = node->state;
    uint64_t there = io->at < node->length ? MIN(io->length, node->length - io->at) : 0;

    if (there > 0) {
        block_memory_store(io->memory, r->bytes->data + io->at, there);
    }
    block_memory_fill(block_memory_after(io->memory, there), 0, io->length - there);
    return 0;
}

static int ram_change(BlockNode *node, const BlockIo *io)
{
    Ram *r = node->state;
    uint64_t end = io->at + io->length;
    int result = end > node->length ? ram_resize(node, end) : 0;

    if (result == 0 && io->op == BLOCK_WRITE) {
        block_memory_load(io->memory, r->bytes->data + io->at, io->length);
    } else if (result == 0) {
        memset(r->bytes->data + io->at, 0, io->length);
    }
    return result;
}

static int ram_transfer(BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_FLUSH: return 0;
    case BLOCK_READ: return ram_read(node, io);
    default: return ram_change(node, io);
    }
}

BLOCK_DRIVER(ram) = {
    .name = "memory",
    .protocol = true,
    .state_size = sizeof(Ram),
    .open = ram_open,
    .close = ram_close,
    .transfer = ram_transfer,
    .resize = ram_resize,
};
