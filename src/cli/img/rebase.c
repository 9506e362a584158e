/* `lathe img rebase`: the same disk, based on another image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/img/img.h"

enum { PIECE = 1 << 20, GRAIN = 64 << 10 };

typedef struct Rebase {
    Img *img;
    BlockNode *top, *below; /* what it will be based on; NULL: nothing */
    uint8_t *was, *will;
} Rebase;

/* What a layer shows at a place that may lie behind its end. */
static int read_layer(BlockNode *node, uint64_t at, uint8_t *out, uint64_t length)
{
    uint64_t here = !node || at >= node->length ? 0 : MIN(length, node->length - at);

    memset(out + here, 0, length - here);
    return here ? block_read(node, at, out, here) : 0;
}

/* What will look different becomes the image's own. */
static int keep_piece(Rebase *r, uint64_t at, uint64_t length)
{
    int result = read_layer(r->top, at, r->was, length);

    if (result == 0) {
        result = read_layer(r->below, at, r->will, length);
    }
    for (uint64_t done = 0; done < length && result == 0; done += GRAIN) {
        uint64_t size = MIN(GRAIN, length - done);

        if (memcmp(r->was + done, r->will + done, size) != 0) {
            result = block_write(r->top, at + done, r->was + done, size, 0);
        }
    }
    return result;
}

static int keep_all(Rebase *r)
{
    BlockNode *top = r->top;
    ImgProgress progress = { .show = r->img->progress, .total = top->length };
    int result = 0;

    for (uint64_t at = 0; at < top->length && result == 0;) {
        Extent extent = { 0 };
        uint64_t length;

        img_progress(&progress, at);
        result = top->driver->map(top, at, top->length - at, &extent);
        length = extent.kind == EXTENT_BACKING ? MIN(extent.length, PIECE) : extent.length;
        if (result == 0 && extent.kind == EXTENT_BACKING) {
            result = keep_piece(r, at, length);
        }
        at += length;
    }
    img_progress_end(&progress);
    return result == 0 ? block_flush(top) : result;
}

/* With -u nothing is compared: the user says that both hold the same. */
static bool keep_contents(Img *img, BlockNode *top)
{
    Rebase r = { .img = img, .top = top, .was = g_malloc(PIECE), .will = g_malloc(PIECE) };
    g_autofree char *path = img->backing && *img->backing
        ? block_path_beside(top->name, img->backing)
        : NULL;
    int result = 0;

    if (path) {
        r.below = img_open(img, path, img->backing_format, false);
    }
    if (r.below || !path) {
        result = keep_all(&r);
        block_unref(r.below);
    }
    g_free(r.was);
    g_free(r.will);
    if (result < 0) {
        img_fail_with(img, EXIT_HOST, "%s", g_strerror(-result));
    }
    return img->exit_code == EXIT_FINE;
}

static void rebase(Img *img, BlockNode *top)
{
    const char *path = img->backing && *img->backing ? img->backing : NULL;
    int result;

    if (!top->driver->set_backing) {
        img_fail_with(img, EXIT_HOST, "images of format %s stay where they are", top->driver->name);
        return;
    }
    if (path && !img->backing_format) {
        img_fail_with(img, EXIT_DESCRIPTION, "say the format of `%s` with -F", path);
        return;
    }
    if (!img->unsafe && !keep_contents(img, top)) {
        return;
    }
    result = top->driver->set_backing(top, path, path ? img->backing_format : NULL);
    if (result < 0) {
        img_fail_with(img, EXIT_HOST, "%s", g_strerror(-result));
    } else if (!img->quiet) {
        printf("%s: based on %s\n", top->name, path ? path : "nothing");
    }
}

static void run(Img *img)
{
    BlockNode *top;

    if (!img->backing) {
        img_fail_with(img, EXIT_DESCRIPTION, "say with -b what it will be based on, or -b ''");
        return;
    }
    top = img->unsafe ? img_open_alone(img, img->argv[1], img->format)
                      : img_open(img, img->argv[1], img->format, true);
    if (top) {
        rebase(img, top);
    }
    block_unref(top);
}

const ImgCommand img_rebase = {
    .name = "rebase",
    .arguments = "FILE",
    .summary = "the same disk, based on another image (-u: its contents are not compared)",
    .takes = "fbFtpquT",
    .least = 1,
    .most = 1,
    .run = run,
};
