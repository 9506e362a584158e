/* `lathe img bitmap`: what an image keeps in mind about which parts of its disk were changed. */
#include <stdio.h>

#include "cli/img/img.h"

typedef struct Work {
    Img *img;
    BlockNode *node, *source; /* source: where merged bitmaps are */
    const char *name;
    uint64_t granularity;
} Work;

/* In this order, whatever the order of the options. */
static bool act(const Work *w, GError **error)
{
    const BlockBitmaps *can = w->node->driver->bitmaps;
    const Img *img = w->img;

    if (img->bitmap_add && !can->add(w->node, w->name, w->granularity, error)) {
        return false;
    }
    if (img->bitmap_clear && !can->clear(w->node, w->name, error)) {
        return false;
    }
    for (unsigned i = 0; img->bitmap_merge && img->bitmap_merge[i]; i++) {
        if (!can->merge(w->node, w->name, w->source, img->bitmap_merge[i], error)) {
            return false;
        }
    }
    if ((img->bitmap_enable || img->bitmap_disable) &&
        !can->enable(w->node, w->name, img->bitmap_enable, error)) {
        return false;
    }
    return !img->bitmap_remove || can->remove(w->node, w->name, error);
}

static bool is_clear(Work *w)
{
    Img *img = w->img;
    GError *error = NULL;

    if (!(img->bitmap_add || img->bitmap_clear || img->bitmap_merge || img->bitmap_enable ||
            img->bitmap_disable || img->bitmap_remove)) {
        return img_fail_with(img, EXIT_DESCRIPTION,
            "say what to do: --add, --clear, --merge, --enable, --disable or --remove");
    }
    if (img->bitmap_enable && img->bitmap_disable) {
        return img_fail_with(img, EXIT_DESCRIPTION, "either --enable or --disable");
    }
    if (img->backing && !img->bitmap_merge) {
        return img_fail_with(img, EXIT_DESCRIPTION, "-b is for --merge");
    }
    if (img->granularity && !img->bitmap_add) {
        return img_fail_with(img, EXIT_DESCRIPTION, "-g is for --add");
    }
    return !img->granularity || block_parse_size(img->granularity, &w->granularity, &error) ||
        img_fail(img, EXIT_DESCRIPTION, error);
}

static void bitmap(Work *w)
{
    GError *error = NULL;

    if (!w->node->driver->bitmaps || !w->source->driver->bitmaps) {
        img_fail_with(w->img, EXIT_HOST, "images of format %s have no bitmaps",
            w->node->driver->bitmaps ? w->source->driver->name : w->node->driver->name);
    } else if (!act(w, &error)) {
        img_fail(w->img, EXIT_HOST, error);
    } else if (block_flush(w->node) < 0) {
        img_fail_with(w->img, EXIT_HOST, "`%s` cannot be written", w->node->name);
    }
}

static void run(Img *img)
{
    Work w = { .img = img, .name = img->argv[2] };

    if (!is_clear(&w)) {
        return;
    }
    w.node = img_open_alone(img, img->argv[1], img->format);
    if (w.node && img->backing) {
        w.source = img_open(img, img->backing, img->backing_format, false);
    } else if (w.node) {
        w.source = block_ref(w.node);
    }
    if (w.source) {
        bitmap(&w);
    }
    block_unref(w.source);
    block_unref(w.node);
}

const ImgCommand img_bitmap = {
    .name = "bitmap",
    .arguments = "FILE BITMAP",
    .summary = "persistent bitmaps of what was changed: --add, --clear, --merge, --disable, ...",
    .takes = "fFtqaRZEIMQg",
    .least = 2,
    .most = 2,
    .run = run,
};
