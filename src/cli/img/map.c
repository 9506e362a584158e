/* `lathe img map`: where the data of an image is. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/img/img.h"
#include "cli/img/json.h"

typedef struct Run {
    uint64_t start, length, offset;
    unsigned depth;
    ExtentKind kind;
} Run;

static unsigned depth_of(const BlockNode *top, const BlockNode *node)
{
    unsigned depth = 0;

    for (; top && top != node; top = top->backing) {
        depth++;
    }
    return depth;
}

static bool follows(const Run *run, const Run *next)
{
    return run->length > 0 && run->kind == next->kind && run->depth == next->depth &&
        run->kind != EXTENT_PACKED &&
        (run->kind != EXTENT_DATA || run->offset + run->length == next->offset);
}

static void print(const Img *img, const Run *run, bool first)
{
    g_autoptr(GString) out = g_string_new("{");

    if (run->length == 0) {
        return;
    }
    if (!img->json) {
        if (run->kind != EXTENT_ZERO) {
            printf("%16" PRIu64 " %16" PRIu64 " %16" PRIu64 " layer %u%s\n", run->start,
                run->length, run->offset, run->depth, run->kind == EXTENT_PACKED ? " packed" : "");
        }
        return;
    }
    json_add_number(out, "start", run->start);
    json_add_number(out, "length", run->length);
    json_add_number(out, "depth", run->depth);
    json_add_switch(out, "zero", run->kind == EXTENT_ZERO);
    json_add_switch(out, "data", run->kind != EXTENT_ZERO);
    json_add_switch(out, "compressed", run->kind == EXTENT_PACKED);
    if (run->kind == EXTENT_DATA) {
        json_add_number(out, "offset", run->offset);
    }
    printf("%s%s}", first ? "[" : ",\n", out->str);
}

/* --start-offset and --max-length */
static bool find_window(Img *img, const BlockNode *top, uint64_t *from, uint64_t *to)
{
    uint64_t most = UINT64_MAX;
    GError *error = NULL;

    *from = *to = 0;
    if ((img->start && !block_parse_size(img->start, from, &error)) ||
        (img->most && !block_parse_size(img->most, &most, &error))) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    *from = MIN(*from, top->length);
    *to = *from + MIN(most, top->length - *from);
    return true;
}

static void map(Img *img, BlockNode *top)
{
    Run run = { 0 };
    bool first = true;
    uint64_t from, to = 0;

    if (!find_window(img, top, &from, &to)) {
        return;
    }
    for (uint64_t at = from; at < to;) {
        BlockNode *node = top;
        Extent extent = { 0 };
        int result = block_locate(&node, at, to - at, &extent);
        Run next = { at, extent.length, extent.offset, depth_of(top, node),
            extent.encrypted ? EXTENT_DATA : extent.kind };

        if (result < 0) {
            img_fail_with(img, EXIT_HOST, "at %" PRIu64 ": %s", at, g_strerror(-result));
            return;
        }
        if (follows(&run, &next)) {
            run.length += next.length;
        } else {
            print(img, &run, first);
            first = first && run.length == 0;
            run = next;
        }
        at += extent.length;
    }
    print(img, &run, first);
    if (img->json) {
        puts(to > from ? "]" : "[]");
    }
}

static void run(Img *img)
{
    BlockNode *node = img_open(img, img->argv[1], img->format, false);

    if (node) {
        map(img, node);
    }
    block_unref(node);
}

const ImgCommand img_map = {
    .name = "map",
    .arguments = "FILE",
    .summary = "where the data of an image is: start, length, place in its file, layer",
    .takes = "fJUhj",
    .least = 1,
    .most = 1,
    .needs_no_key = true,
    .run = run,
};
