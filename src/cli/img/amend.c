/* `lathe img amend`: other options for an image that is there. */
#include "cli/img/img.h"

static void amend(Img *img, BlockNode *node)
{
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate wanted = { .options = options };
    GHashTableIter iter;
    GError *error = NULL;
    void *name;

    for (unsigned i = 0; img->options && img->options[i]; i++) {
        if (!block_parse_options(img->options[i], options, &error)) {
            img_fail(img, EXIT_DESCRIPTION, error);
            return;
        }
    }
    g_hash_table_iter_init(&iter, options);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!node->driver->amend || !g_strv_contains(node->driver->amend_options, name)) {
            img_fail_with(img, EXIT_DESCRIPTION, "`%s` of an image of format %s stays as it is",
                (char *)name, node->driver->name);
            return;
        }
    }
    if (node->driver->amend && !node->driver->amend(node, &wanted, &error)) {
        img_fail(img, EXIT_HOST, error);
    }
}

static void run(Img *img)
{
    BlockNode *node;

    if (!img->options) {
        img_fail_with(img, EXIT_DESCRIPTION, "say with -o what is to be changed");
        return;
    }
    node = img_open(img, img->argv[1], img->format, true);
    if (node) {
        amend(img, node);
    }
    block_unref(node);
}

const ImgCommand img_amend = {
    .name = "amend",
    .arguments = "FILE",
    .summary = "other options (-o) for an image that is there",
    .takes = "fotq",
    .least = 1,
    .most = 1,
    .run = run,
};
