/* `lathe img resize`: another size for a disk. */
#include <inttypes.h>
#include <stdio.h>

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

static void resize(Img *img, BlockNode *node)
{
    uint64_t size;
    int result;

    if (!find_size(img, node, &size)) {
        return;
    }
    if (size < node->length && !img->shrink) {
        img_fail_with(img, EXIT_DESCRIPTION, "what lies beyond would be lost; say --shrink");
        return;
    }
    result = block_resize(node, size);
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
    .arguments = "FILE [+]SIZE",
    .summary = "another size for a disk",
    .takes = "fSq",
    .least = 2,
    .most = 2,
    .run = run,
};
