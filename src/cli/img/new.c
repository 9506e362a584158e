#include "cli/img/new.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/img/litter.h"

/* What has the name now will lose it: not while somebody uses it. */
static bool may_replace(Img *img, const char *path)
{
    BlockOptions options = { .path = path };
    GError *error = NULL;
    BlockNode *old;

    if (access(path, F_OK) != 0) {
        return true;
    }
    old = block_open(img->loop, block_driver_find("file"), &options, NULL, NULL, &error);
    block_unref(old);
    return old || img_fail(img, EXIT_HOST, error);
}

bool img_new_begin(Img *img, ImgNew *new)
{
    GError *error = NULL;

    if (!may_replace(img, new->path)) {
        return false;
    }
    new->partial = g_strdup_printf("%s.partial-%d", new->path, getpid());
    new->create.path = new->path;
    new->create.key = img_new_key(img);
    new->create.options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (unsigned i = 0; img->options && img->options[i]; i++) {
        if (!block_parse_options(img->options[i], new->create.options, &error)) {
            return img_fail(img, EXIT_DESCRIPTION, error);
        }
    }
    litter_add(new->partial);
    if (!block_create_image(img->loop, new->format, new->partial, &new->create, &error)) {
        return img_fail(img, EXIT_HOST, error);
    }
    return true;
}

/* A name is durable when its folder is. */
static void sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/*
 * A file that takes the place of another is written out first by ext4 (ext4(5), auto_da_alloc), which
 * is right but for who asked for `unsafe`: then the two change places, and the old one goes.
 */
static bool give_name(const ImgNew *new, bool unsafe)
{
    if (unsafe && renameat2(AT_FDCWD, new->partial, AT_FDCWD, new->path, RENAME_EXCHANGE) == 0) {
        unlink(new->partial);
        return true;
    }
    return rename(new->partial, new->path) == 0;
}

bool img_new_finish(Img *img, ImgNew *new)
{
    bool unsafe = g_strcmp0(img->cache, "unsafe") == 0; /* which promises nothing */

    if (!give_name(new, unsafe)) {
        return img_fail_with(
            img, EXIT_HOST, "`%s` cannot get its name: %s", new->path, g_strerror(errno));
    }
    litter_keep(new->partial);
    if (!unsafe) {
        sync_folder(new->path);
    }
    new->finished = true;
    return true;
}

void img_new_clear(ImgNew *new)
{
    if (new->partial && !new->finished) {
        unlink(new->partial);
        litter_keep(new->partial);
    }
    g_free(new->partial);
    g_clear_pointer(&new->create.options, g_hash_table_unref);
}
