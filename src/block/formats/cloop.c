/*
 * The format `cloop`: compressed loop images (module of Knoppix), version 2, to be read. A script,
 * the size of a block, their number, and where each begins; big endian, compressed by zlib.
 */
#include <errno.h>
#include <string.h>

#include "block/formats/sparse.h"
#include "block/pack.h"

enum { BLOCK_SIZE = 128, BLOCKS = 132, HEADER = 136, TABLE_MOST = 512 << 20 };
enum { BLOCK_MOST = 64 << 20 };

typedef struct Cloop {
    uint64_t block, blocks;
    uint8_t *offsets; /* one more than blocks: where the last one ends */
    uint8_t *unpacked;
    uint64_t unpacked_block; /* number + 1; 0: none */
} Cloop;

static unsigned cloop_probe(const uint8_t *head, size_t length)
{
    static const char script[] = "#!/bin/sh\n#V2.0 Format\nmodprobe cloop";

    return length >= HEADER && memcmp(head, script, sizeof(script) - 1) == 0 ? 100 : 0;
}

static bool cloop_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Cloop *c = node->state;
    uint8_t head[HEADER];
    uint64_t bytes;

    if (!format_read(node, 0, head, sizeof(head), error)) {
        return false;
    }
    if (!node->read_only) {
        return block_refuse(node, error, "is a cloop image, which can only be read");
    }
    c->block = load_be(head + BLOCK_SIZE, 4);
    c->blocks = load_be(head + BLOCKS, 4);
    bytes = (c->blocks + 1) * 8;
    if (c->block == 0 || c->block % 512 != 0 || c->block > BLOCK_MOST || bytes > TABLE_MOST ||
        bytes > node->children[0]->length) {
        return block_refuse(node, error, "has a cloop header that cannot be right");
    }
    node->length = c->block * c->blocks;
    c->unpacked = g_malloc(c->block);
    c->offsets = g_malloc(bytes);
    return format_read(node, HEADER, c->offsets, bytes, error);
}

static void cloop_close(BlockNode *node)
{
    Cloop *c = node->state;

    g_free(c->offsets);
    g_free(c->unpacked);
}

static int cloop_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Cloop *c = node->state;
    uint32_t skip = at % c->block;

    *out = (Extent){ .kind = EXTENT_PACKED,
        .length = MIN(length, c->block - skip),
        .cookie = at / c->block,
        .skip = skip };
    return 0;
}

static int read_block(BlockNode *node, uint64_t block)
{
    Cloop *c = node->state;
    uint64_t from = load_be(c->offsets + block * 8, 8);
    uint64_t to = load_be(c->offsets + block * 8 + 8, 8);
    g_autofree uint8_t *packed = NULL;
    int result;

    /* What does not get smaller gets a little larger. */
    if (to < from || to - from > c->block + c->block / 1000 + 64) {
        return -EIO;
    }
    packed = g_malloc(to - from + 1);
    result = block_read(node->children[0], from, packed, to - from);
    if (result < 0) {
        return result;
    }
    c->unpacked_block = 0;
    if (unpack(&(Packing){ PACK_ZLIB, packed, to - from, c->unpacked, c->block }) !=
        (int64_t)c->block) {
        return -EIO;
    }
    c->unpacked_block = block + 1;
    return 0;
}

static int cloop_unpack(BlockNode *node, const Extent *from, void *out)
{
    Cloop *c = node->state;
    int result = c->unpacked_block == from->cookie + 1 ? 0 : read_block(node, from->cookie);

    if (result == 0) {
        memcpy(out, c->unpacked + from->skip, from->length);
    }
    return result;
}

BLOCK_DRIVER(cloop) = {
    .name = "cloop",
    .state_size = sizeof(Cloop),
    .probe = cloop_probe,
    .open = cloop_open,
    .close = cloop_close,
    .map = cloop_map,
    .unpack = cloop_unpack,
};
