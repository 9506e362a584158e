#include "cli/img/new.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/img/litter.h"

/* What has the name now will lose it: not while somebody uses it. */
static bool may_replace(Img *img, const char *path)
{
    BlockOptions options = { .path = path };
    GError *error = NULL;
    BlockNode *old;

    if (access(path, F_OK) != 0) {
        return errno != ELOOP || img_fail_with(img, EXIT_HOST, "`%s`: %s", path, g_strerror(errno));
    }
    old = block_open(img->loop, block_driver_find("file"), &options, NULL, NULL, &error);
    block_unref(old);
    return old || img_fail(img, EXIT_HOST, error);
}

bool img_new_is_device(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISBLK(about.st_mode);
}

/* Symbolic links stay: what they lead to is replaced, or made. */
static char *follow_links(const char *path)
{
    enum { MOST = 40 }; /* path_resolution(7) */
    char *target = g_strdup(path);
    char *link;

    for (unsigned i = 0; i < MOST && (link = g_file_read_link(target, NULL)); i++) {
        g_autofree char *from = target;
        g_autofree char *folder = g_path_get_dirname(from);

        target = g_path_is_absolute(link) ? g_strdup(link) : g_build_filename(folder, link, NULL);
        g_free(link);
    }
    return target;
}

/* Who could not read the old image cannot read the new one. */
static void be_like_old(const ImgNew *new)
{
    struct stat old;

    if (stat(new->target, &old) != 0) {
        return;
    }
    if (chown(new->partial, old.st_uid, old.st_gid) != 0) {
        old.st_mode &= 0700; /* it is somebody else's, and the group another one */
    }
    if (chmod(new->partial, old.st_mode & 0777) != 0) {
        return; /* a file system without permissions */
    }
}

/* The name that it has until it is complete says nothing to anybody. Takes the error. */
static bool fail(Img *img, const ImgNew *new, GError *error)
{
    g_auto(GStrv) parts = g_strsplit(error->message, new->partial, -1);
    g_autofree char *said = g_strjoinv(new->path, parts);

    g_error_free(error);
    return img_fail_with(img, EXIT_HOST, "%s", said);
}

/* What it is to be based on is there, unless --unsafe says that this is not looked at. */
static bool has_backing(Img *img, const ImgNew *new)
{
    BlockNode *backing;
    g_autofree char *path = NULL;

    if (!new->create.backing || img->unsafe) {
        return true;
    }
    path = block_path_beside(new->path, new->create.backing);
    backing = img_open(img, path, new->create.backing_format, false);
    block_unref(backing);
    return backing != NULL;
}

bool img_new_begin(Img *img, ImgNew *new)
{
    GError *error = NULL;

    if (img_new_is_device(new->path)) {
        return img_fail_with(img, EXIT_HOST,
            "`%s` is a block device, which is not replaced by a file: `lathe img convert -O raw` "
            "writes a disk to it",
            new->path);
    }
    if (!has_backing(img, new)) {
        return false;
    }
    new->target = follow_links(new->path);
    if (!may_replace(img, new->target)) {
        return false;
    }
    new->partial = g_strdup_printf("%s.partial-%d", new->target, getpid());
    new->create.path = new->path;
    new->create.key = img_new_key(img);
    new->create.parts = g_ptr_array_new_with_free_func(g_free);
    new->create.made = litter_add;
    new->create.options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (unsigned i = 0; img->options && img->options[i]; i++) {
        if (!block_parse_options(img->options[i], new->create.options, &error)) {
            return img_fail(img, EXIT_DESCRIPTION, error);
        }
    }
    litter_add(new->partial);
    if (!block_create_image(img->loop, new->format, new->partial, &new->create, &error)) {
        return fail(img, new, error);
    }
    be_like_old(new);
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
    if (unsafe && renameat2(AT_FDCWD, new->partial, AT_FDCWD, new->target, RENAME_EXCHANGE) == 0) {
        unlink(new->partial);
        return true;
    }
    return rename(new->partial, new->target) == 0;
}

bool img_new_finish(Img *img, ImgNew *new)
{
    bool unsafe = g_strcmp0(img->cache, "unsafe") == 0; /* which promises nothing */

    if (!give_name(new, unsafe)) {
        return img_fail_with(
            img, EXIT_HOST, "`%s` cannot get its name: %s", new->path, g_strerror(errno));
    }
    litter_keep(new->partial);
    for (unsigned i = 0; i < new->create.parts->len; i++) {
        litter_keep(new->create.parts->pdata[i]);
    }
    if (!unsafe) {
        sync_folder(new->target);
    }
    new->finished = true;
    return true;
}

static void remove_file(const char *path)
{
    unlink(path);
    litter_keep(path);
}

void img_new_clear(ImgNew *new)
{
    for (unsigned i = 0; new->create.parts && !new->finished &&i < new->create.parts->len; i++) {
        remove_file(new->create.parts->pdata[i]);
    }
    if (new->partial && !new->finished) {
        remove_file(new->partial);
    }
    g_clear_pointer(&new->create.parts, g_ptr_array_unref);
    g_free(new->partial);
    g_free(new->target);
    g_clear_pointer(&new->create.options, g_hash_table_unref);
}
