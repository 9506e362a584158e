/* `lathe img create`: an empty image. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/img/new.h"

/* As large as the one it is based on, unless a size is given. */
static bool find_size(Img *img, BlockCreate *create)
{
    g_autofree char *path = NULL;
    GError *error = NULL;
    BlockNode *backing;

    if (img->argc > 2) {
        return block_parse_size(img->argv[2], &create->size, &error) ||
            img_fail(img, EXIT_DESCRIPTION, error);
    }
    if (!img->backing) {
        return img_fail_with(img, EXIT_DESCRIPTION, "say how large it is to be");
    }
    path = block_path_beside(img->argv[1], img->backing);
    backing = img_open(img, path, img->backing_format, false);
    create->size = backing ? backing->length : 0;
    block_unref(backing);
    return backing != NULL;
}

static void run(Img *img)
{
    g_auto(ImgNew) new = { .path = img->argv[1], .format = img->format ? img->format : "raw" };

    new.create.backing = img->backing;
    new.create.backing_format = img->backing_format;
    if (img->backing && !img->backing_format) {
        img_fail_with(img, EXIT_DESCRIPTION, "say the format of `%s` with -F", img->backing);
        return;
    }
    if (find_size(img, &new.create) && img_new_begin(img, &new) && img_new_finish(img, &new) &&
        !img->quiet) {
        printf("%s: %s, %" G_GUINT64_FORMAT " bytes\n", new.path, new.format, new.create.size);
    }
}

const ImgCommand img_create = {
    .name = "create",
    .arguments = "FILE [SIZE]",
    .summary = "an empty image",
    .takes = "fbFoq^",
    .least = 1,
    .most = 2,
    .run = run,
};
