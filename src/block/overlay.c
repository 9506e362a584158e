/*
 * The overlay of `overlay: ephemeral`: what is written goes to a scratch file, block by block at
 * the same offset as in the image below, which never changes. A bit for each block says where its
 * contents are. Gone when the machine ends, so nothing about it is ever written down.
 */
#include <errno.h>
#include <stdlib.h>

#include "block/block.h"

/* As small as what guests write at once, so that blocks are hardly ever copied. */
enum { BLOCK_SIZE = 4096, BITS = 64 };

typedef struct Overlay {
    uint64_t *here; /* from calloc: untouched parts cost nothing */
    uint64_t blocks;
} Overlay;

static bool overlay_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Overlay *o = node->state;

    node->length = node->backing->length;
    node->cluster = BLOCK_SIZE;
    o->blocks = (node->length + BLOCK_SIZE - 1) / BLOCK_SIZE;
    o->here = calloc(o->blocks / BITS + 1, sizeof(*o->here));
    if (!o->here) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "no memory for an overlay of `%s`",
            node->backing->name);
    }
    return o->here != NULL;
}

static void overlay_close(BlockNode *node)
{
    Overlay *o = node->state;

    free(o->here);
}

static bool is_here(const Overlay *o, uint64_t block)
{
    return o->here[block / BITS] >> (block % BITS) & 1;
}

/* Bytes from `at` on that are all in the same file as the first one. */
static uint64_t run_length(const Overlay *o, uint64_t at, uint64_t length)
{
    uint64_t block = at / BLOCK_SIZE;
    bool here = is_here(o, block);

    do {
        block++;
    } while (block * BLOCK_SIZE < at + length && is_here(o, block) == here);
    return MIN(length, block * BLOCK_SIZE - at);
}

static int overlay_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Overlay *o = node->state;
    bool here = is_here(o, at / BLOCK_SIZE);

    *out = (Extent){ .kind = here ? EXTENT_DATA : EXTENT_BACKING,
        .offset = at,
        .length = run_length(o, at, length),
        .writable = here };
    return 0;
}

static int overlay_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    uint64_t end;

    overlay_map(node, at, length, out);
    if (out->kind == EXTENT_DATA) {
        return 0;
    }
    end = at + out->length;
    out->kind = EXTENT_DATA;
    out->fresh = true;
    out->head = at % BLOCK_SIZE;
    out->tail = (BLOCK_SIZE - end % BLOCK_SIZE) % BLOCK_SIZE;
    return 0;
}

static int overlay_link(BlockNode *node, uint64_t at, const Extent *fresh)
{
    Overlay *o = node->state;
    uint64_t end = (at + fresh->length + BLOCK_SIZE - 1) / BLOCK_SIZE;

    for (uint64_t block = at / BLOCK_SIZE; block < end; block++) {
        o->here[block / BITS] |= UINT64_C(1) << (block % BITS);
    }
    return 0;
}

BLOCK_DRIVER(overlay) = {
    .name = "overlay",
    .state_size = sizeof(Overlay),
    .open = overlay_open,
    .close = overlay_close,
    .map = overlay_map,
    .allocate = overlay_allocate,
    .link = overlay_link,
};
