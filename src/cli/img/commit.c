/* `lathe img commit`: what an image changes goes into the one it is based on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/img/img.h"

enum { PIECE = 2 << 20 };

static bool is_same_file(const char *one, const char *other)
{
    g_autofree char *left = g_canonicalize_filename(one, NULL);
    g_autofree char *right = g_canonicalize_filename(other, NULL);

    return strcmp(left, right) == 0;
}

/* How many layers down the image is that everything goes into; 0: there is none. */
static unsigned find_depth(Img *img, const BlockNode *top)
{
    g_autofree char *beside = block_path_beside(top->name, img->backing ? img->backing : "");
    unsigned depth = 1;

    for (const BlockNode *node = top->backing; node; node = node->backing, depth++) {
        if (!img->backing || is_same_file(node->name, img->backing) ||
            is_same_file(node->name, beside)) {
            return depth;
        }
    }
    return 0;
}

static bool is_above(const BlockNode *top, const BlockNode *node, const BlockNode *base)
{
    for (; top != base; top = top->backing) {
        if (top == node) {
            return true;
        }
    }
    return false;
}

static int copy_data(BlockNode *top, BlockNode *base, ImgPace *pace, uint64_t at, uint64_t length)
{
    g_autofree uint8_t *buffer = g_malloc(MIN(length, PIECE));
    int result = 0;

    for (uint64_t done = 0; done < length && result == 0; done += PIECE) {
        uint64_t size = MIN(length - done, PIECE);

        img_pace_wait(pace, top->loop, size);
        result = block_read(top, at + done, buffer, size);
        if (result == 0) {
            result = block_write(base, at + done, buffer, size, 0);
        }
    }
    return result;
}

/* All that a layer above the base has, zeroes included. */
static int copy(Img *img, ImgPace *pace, BlockNode *top, BlockNode *base)
{
    int result = base->length < top->length ? block_resize(base, top->length) : 0;
    ImgProgress progress = { .show = img->progress, .total = top->length };

    for (uint64_t at = 0; at < top->length && result == 0;) {
        BlockNode *node = top;
        Extent extent = { 0 };

        img_progress(&progress, at);
        result = block_locate(&node, at, top->length - at, &extent);
        if (result == 0 && is_above(top, node, base)) {
            result = extent.kind == EXTENT_ZERO
                ? block_zero(base, at, extent.length, BLOCK_MAY_UNMAP)
                : copy_data(top, base, pace, at, extent.length);
        }
        at += extent.length;
    }
    img_progress_end(&progress);
    return result == 0 ? block_flush(base) : result;
}

static void commit(Img *img, BlockNode *top, unsigned depth)
{
    BlockNode *base = top;
    ImgPace pace = { 0 };
    int result;

    if (!img_pace_parse(img, &pace)) {
        return;
    }
    for (unsigned i = 0; i < depth; i++) {
        base = base->backing;
    }
    result = copy(img, &pace, top, base);
    if (result < 0) {
        img_fail_with(img, EXIT_HOST, "into `%s`: %s", base->name, g_strerror(-result));
        return;
    }
    if (!img->keep && depth == 1 && top->driver->empty) {
        result = top->driver->empty(top);
        if (result < 0) {
            img_fail_with(img, EXIT_HOST, "`%s` is committed, but cannot be emptied: %s", top->name,
                g_strerror(-result));
            return;
        }
    }
    if (!img->quiet) {
        printf("%s: committed into %s\n", top->name, base->name);
    }
}

static void run(Img *img)
{
    BlockNode *top = img_open(img, img->argv[1], img->format, false);
    unsigned depth = top ? find_depth(img, top) : 0;

    block_unref(top);
    if (!top) {
        return;
    }
    if (depth == 0) {
        img_fail_with(img, EXIT_DESCRIPTION, "`%s` is not based on %s", img->argv[1],
            img->backing ? img->backing : "another image");
        return;
    }
    top = img_open_layers(img, img->argv[1], img->format, true, depth);
    if (top) {
        commit(img, top, depth);
    }
    block_unref(top);
}

const ImgCommand img_commit = {
    .name = "commit",
    .arguments = "FILE",
    .summary = "what an image changes goes into the one it is based on (-b: a lower one)",
    .takes = "fbtpqKB",
    .least = 1,
    .most = 1,
    .run = run,
};
