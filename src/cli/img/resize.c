/* `lathe img resize`: another size for a disk. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/img/img.h"

/* "+1GiB" and "-1GiB" are relative. */
static bool find_size(Img *img, const BlockNode *node, uint64_t *size)
{
    const char *text = img->argv[2];
    bool relative = text[0] == '+' || text[0] == '-';
    GError *error = NULL;

    if (!block_parse_size(text + relative, size, &error)) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    if (text[0] == '-' && *size > node->length) {
        return img_fail_with(
            img, EXIT_DESCRIPTION, "it is only %" PRIu64 " bytes large", node->length);
    }
    *size = text[0] == '+' ? node->length + *size : text[0] == '-' ? node->length - *size : *size;
    return true;
}

/* Space for what is new: set aside by the file system, or written. */
static int preallocate(Img *img, BlockNode *node, uint64_t old)
{
    bool full = g_strcmp0(img->preallocation, "full") == 0;

    if (!img->preallocation || strcmp(img->preallocation, "off") == 0 || node->length <= old) {
        return 0;
    }
    if (!node->children[0] || strcmp(node->driver->name, "raw") != 0) {
        return -ENOTSUP;
    }
    return block_preallocate(
        node->children[0], old, node->length - old, full ? PREALLOCATE_FULL : PREALLOCATE_FALLOC);
}

static bool knows_preallocation(Img *img)
{
    static const char *const words[] = { "off", "falloc", "full", NULL };

    return !img->preallocation || g_strv_contains(words, img->preallocation) ||
        img_fail_with(img, EXIT_DESCRIPTION, "there is no preallocation `%s`; off, falloc or full",
            img->preallocation);
}

static void resize(Img *img, BlockNode *node)
{
    uint64_t size, old = node->length;
    int result;

    if (!knows_preallocation(img) || !find_size(img, node, &size)) {
        return;
    }
    if (size < node->length && !img->shrink) {
        img_fail_with(img, EXIT_DESCRIPTION, "what lies beyond would be lost; say --shrink");
        return;
    }
    result = block_resize(node, size);
    if (result == 0) {
        result = preallocate(img, node, old);
    }
    if (result < 0) {
        img_fail_with(img, EXIT_HOST, "%s", g_strerror(-result));
    } else if (!img->quiet) {
        printf("%s: %" PRIu64 " bytes\n", img->argv[1], node->length);
    }
}

static void run(Img *img)
{
    BlockNode *node = img_open(img, img->argv[1], img->format, true);

    if (node) {
        resize(img, node);
    }
    block_unref(node);
}

const ImgCommand img_resize = {
    .name = "resize",
    .arguments = "FILE [+|-]SIZE",
    .summary = "another size for a disk",
    .takes = "fSqP",
    .least = 2,
    .most = 2,
    .last_is_signed = true,
    .run = run,
};
