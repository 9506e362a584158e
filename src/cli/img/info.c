/* `lathe img info`: what an image is. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/img/img.h"
#include "cli/img/json.h"

static uint64_t disk_size(const char *path)
{
    struct stat stat_;

    return stat(path, &stat_) == 0 ? (uint64_t)stat_.st_blocks * 512 : 0;
}

/* Persistent bitmaps; NULL: it can have none, or they cannot be read. */
static GArray *bitmaps_of(BlockNode *node)
{
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(BlockBitmap));
    g_autoptr(GError) error = NULL;

    return node->driver->bitmaps && node->driver->bitmaps->list(node, found, &error)
        ? g_steal_pointer(&found)
        : NULL;
}

static void add_json_bitmaps(GString *out, BlockNode *node)
{
    g_autoptr(GArray) found = bitmaps_of(node);

    if (!found || found->len == 0) {
        return;
    }
    json_add_name(out, "bitmaps");
    for (unsigned i = 0; i < found->len; i++) {
        const BlockBitmap *b = &g_array_index(found, BlockBitmap, i);

        g_string_append(out, i == 0 ? "[{" : ", {");
        json_add_text(out, "name", b->name);
        json_add_number(out, "granularity", b->granularity);
        json_add_switch(out, "enabled", b->enabled);
        json_add_switch(out, "broken", b->broken);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void add_text_bitmaps(GString *out, BlockNode *node)
{
    g_autoptr(GArray) found = bitmaps_of(node);

    for (unsigned i = 0; found && i < found->len; i++) {
        const BlockBitmap *b = &g_array_index(found, BlockBitmap, i);

        g_string_append_printf(out, "  bitmap: %s, of %" PRIu64 " bytes a bit%s%s\n", b->name,
            b->granularity, b->enabled ? ", enabled" : "", b->broken ? ", broken" : "");
    }
}

static void add_json(GString *out, BlockNode *node)
{
    g_string_append_c(out, '{');
    json_add_text(out, "filename", node->name);
    json_add_text(out, "format", node->driver->name);
    json_add_number(out, "virtual-size", node->length);
    json_add_number(out, "actual-size", disk_size(node->name));
    if (node->cluster > 0) {
        json_add_number(out, "cluster-size", node->cluster);
    }
    if (node->backing_path) {
        json_add_text(out, "backing-filename", node->backing_path);
    }
    if (node->backing_format) {
        json_add_text(out, "backing-filename-format", node->backing_format);
    }
    if (node->driver->describe) {
        node->driver->describe(node, json_add_text, out);
    }
    add_json_bitmaps(out, node);
    g_string_append_c(out, '}');
}

static void add_line(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "  %s: %s\n", name, text);
}

static void add_text(GString *out, BlockNode *node)
{
    g_autofree char *size = g_format_size_full(node->length, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *used = g_format_size_full(disk_size(node->name), G_FORMAT_SIZE_IEC_UNITS);

    g_string_append_printf(out, "%s: %s, %s (%" PRIu64 " bytes), %s on the host\n", node->name,
        node->driver->name, size, node->length, used);
    if (node->backing_path) {
        g_string_append_printf(out, "  based on: %s (%s)\n", node->backing_path,
            node->backing_format ? node->backing_format : "format not said");
    }
    if (node->driver->describe) {
        node->driver->describe(node, add_line, out);
    }
    add_text_bitmaps(out, node);
}

static void run(Img *img)
{
    BlockNode *top = img_open(img, img->argv[1], img->format, false);
    g_autoptr(GString) out = g_string_new(NULL);

    for (BlockNode *node = top; node; node = img->chain ? node->backing : NULL) {
        if (img->json) {
            g_string_append(out, node == top ? "" : ", ");
            add_json(out, node);
        } else {
            add_text(out, node);
        }
    }
    if (top) {
        printf(img->json && img->chain ? "[%s]\n" : img->json ? "%s\n" : "%s", out->str);
    }
    block_unref(top);
}

const ImgCommand img_info = {
    .name = "info",
    .arguments = "FILE",
    .summary = "what an image is",
    .takes = "fJCU",
    .least = 1,
    .most = 1,
    .needs_no_key = true,
    .run = run,
};
