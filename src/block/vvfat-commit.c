/*
 * What a guest has made of a disk of FAT comes to the folder of the host: by names only, which are
 * looked up one by one from the folder down and never through a symbolic link. A file is written
 * under another name and takes the place of the old one when it is whole; one that the guest has
 * made itself is changed in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "block/vvfat.h"

enum { PIECE = 1 << 20, GRAIN = 64 << 10 };

static const char temporary[] = ".lathe-is-writing";

static G_GNUC_PRINTF(3, 4) int fail(FatCommit *c, int result, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    g_free(c->why);
    c->why = g_strdup_vprintf(fmt, args);
    va_end(args);
    return result;
}

static int fail_host(FatCommit *c, const char *path, int number)
{
    return fail(c, -number, "`%s` cannot be written on the host: %s", path, g_strerror(number));
}

/* ---- what is the same ---- */

static bool is_unchanged(const FatCommit *c, const FatFound *was, const FatFound *is)
{
    const FatRun *old = &g_array_index(c->was->runs, FatRun, was->run);
    const FatRun *new = &g_array_index(c->is->runs, FatRun, is->run);

    if (was->size != is->size || was->runs != is->runs ||
        (is->runs && memcmp(old, new, is->runs * sizeof(FatRun)) != 0)) {
        return false;
    }
    for (unsigned i = 0; i < is->runs; i++) {
        if (c->changed(c->data, fat_shape_cluster(c->shape, new[i].cluster),
                (uint64_t) new[i].count * c->shape->cluster_sectors *FAT_SECTOR)) {
            return false;
        }
    }
    return true;
}

/* Is it a file or a folder of this path still? */
static bool is_there(const FatCommit *c, const FatFound *was)
{
    const FatFound *is = fat_scan_find(c->is, was->path);

    return is && is->folder == was->folder;
}

/* Its clusters are taken, and by nothing that has a name: it may be about to get another one. */
static bool is_between_names(const FatCommit *c, const FatFound *was)
{
    uint32_t first = was->runs ? g_array_index(c->was->runs, FatRun, was->run).cluster : 0;

    return first && !is_there(c, was) && c->is->fat[first] != 0 &&
        !(c->is->used[first / 8] & 1 << first % 8);
}

/* ---- folders of the host ---- */

/* The folder that a path is in, as a descriptor; *name is the rest. -1: errno says why. */
static int open_folder(const FatCommit *c, const char *path, const char **name)
{
    int folder = openat(c->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *slash;

    while (folder >= 0 && (slash = strchr(path, '/'))) {
        g_autofree char *part = g_strndup(path, slash - path);
        int next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int number = errno;

        close(folder);
        errno = number;
        folder = next;
        path = slash + 1;
    }
    *name = path;
    return folder;
}

/* The same, for a change. */
static int open_parent(const FatCommit *c, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');

    g_hash_table_add(c->touched, slash ? g_strndup(path, slash + 1 - path) : g_strdup(""));
    return open_folder(c, path, name);
}

/* What the disk shows of a file is in the disk from now on, and no longer in the file. */
static int keep(FatCommit *c, const FatFound *was)
{
    int result = 0;

    for (unsigned i = 0; i < was->runs && result == 0; i++) {
        FatRun run = g_array_index(c->was->runs, FatRun, was->run + i);

        result = c->keep(c->data, fat_shape_cluster(c->shape, run.cluster),
            (uint64_t)run.count * c->shape->cluster_sectors * FAT_SECTOR);
    }
    return result == 0 ? 0
                       : fail(c, result, "`%s` cannot be kept: %s", was->path, g_strerror(-result));
}

static int keep_all(FatCommit *c)
{
    int result = 0;

    for (unsigned i = 0; i < c->was->found->len && result == 0; i++) {
        const FatFound *was = &g_array_index(c->was->found, FatFound, i);
        const FatFound *is = fat_scan_find(c->is, was->path);

        /* What an earlier commit has made is in the disk already. */
        if (!was->folder && !g_hash_table_contains(c->ours, was->path) &&
            !(is && !is->folder && is_unchanged(c, was, is))) {
            result = keep(c, was);
        }
    }
    return result;
}

/* A folder stays when it has something that the guest was not shown. */
static int remove_one(FatCommit *c, const FatFound *was)
{
    const char *name;
    int folder = open_parent(c, was->path, &name);
    int number = folder < 0 || unlinkat(folder, name, was->folder ? AT_REMOVEDIR : 0) != 0 ? errno
                                                                                           : 0;

    if (folder >= 0) {
        close(folder);
    }
    return number == 0 || number == ENOENT || number == ENOTDIR ||
            (was->folder && (number == ENOTEMPTY || number == EEXIST))
        ? 0
        : fail_host(c, was->path, number);
}

/* Does something else have the name of this, or of a folder that it is in? */
static bool is_in_the_way(const FatCommit *c, const char *path)
{
    g_autofree char *part = g_strdup(path);

    for (;;) {
        const FatFound *was = fat_scan_find(c->was, part), *is = fat_scan_find(c->is, part);
        char *slash = strrchr(part, '/');

        if (was && is && was->folder != is->folder) {
            return true;
        }
        if (!slash) {
            return false;
        }
        *slash = 0;
    }
}

/* What is in a folder comes before it. */
static int remove_gone(FatCommit *c, bool only_in_the_way)
{
    int result = 0;

    for (unsigned i = c->was->found->len; i > 0 && result == 0; i--) {
        const FatFound *was = &g_array_index(c->was->found, FatFound, i - 1);

        if (!is_there(c, was) && is_in_the_way(c, was->path) == only_in_the_way &&
            !(c->at_end && is_between_names(c, was))) {
            result = remove_one(c, was);
        }
    }
    return result;
}

static int make_folder(FatCommit *c, const FatFound *is)
{
    const char *name;
    struct stat stat;
    int folder = open_parent(c, is->path, &name);
    int number = folder < 0 || mkdirat(folder, name, 0777) != 0 ? errno : 0;

    if (number == EEXIST && fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(stat.st_mode)) {
        number = 0;
    }
    if (folder >= 0) {
        close(folder);
    }
    return number ? fail_host(c, is->path, number) : 0;
}

/* ---- files ---- */

/* Bytes of a file that lie side by side on the disk. */
typedef struct Piece {
    uint64_t at, offset, length; /* on the disk, in the file */
} Piece;

static int copy_piece(FatCommit *c, int fd, Piece piece)
{
    g_autofree uint8_t *buffer = g_malloc(piece.length);
    int result = c->read(c->data, piece.at, buffer, piece.length);

    for (size_t done = 0; done < piece.length && result == 0;) {
        ssize_t written = pwrite(fd, buffer + done, piece.length - done, piece.offset + done);

        result = written < 0 ? -errno : 0;
        done += MAX(written, 0);
    }
    return result;
}

/* Was it written since, or is it not one of the first `same` bytes, which are in the file? */
static bool is_new(const FatCommit *c, Piece piece, uint64_t same)
{
    uint64_t sectors = (piece.length + FAT_SECTOR - 1) / FAT_SECTOR;

    return piece.offset + piece.length > same ||
        c->changed(c->data, piece.at, sectors * FAT_SECTOR);
}

static int copy_run(FatCommit *c, int fd, Piece run, uint64_t same)
{
    int result = 0;

    while (run.length > 0 && result == 0) {
        uint64_t size = MIN(run.offset < same ? GRAIN : PIECE, run.length);
        Piece piece = { run.at, run.offset, size };

        result = is_new(c, piece, same) ? copy_piece(c, fd, piece) : 0;
        run = (Piece){ run.at + size, run.offset + size, run.length - size };
    }
    return result;
}

static int copy_bytes(FatCommit *c, int fd, const FatFound *is, uint64_t same)
{
    uint64_t offset = 0;
    int result = 0;

    for (unsigned i = 0; i < is->runs && offset < is->size && result == 0; i++) {
        FatRun run = g_array_index(c->is->runs, FatRun, is->run + i);
        uint64_t bytes = (uint64_t)run.count * c->shape->cluster_sectors * FAT_SECTOR;
        Piece all = { fat_shape_cluster(c->shape, run.cluster), offset,
            MIN(bytes, is->size - offset) };

        result = copy_run(c, fd, all, same);
        offset += all.length;
    }
    return result;
}

/* FAT has the time of day of nowhere: it is taken for UTC, as it was given. */
static void set_time(int fd, const FatFound *is)
{
    struct tm tm = { .tm_year = (is->date >> 9) + 80,
        .tm_mon = (is->date >> 5 & 15) - 1,
        .tm_mday = is->date & 31,
        .tm_hour = is->time >> 11,
        .tm_min = is->time >> 5 & 63,
        .tm_sec = (is->time & 31) * 2 };
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = timegm(&tm) } };

    if (is->date != 0 && futimens(fd, times) != 0) {
        return; /* the time of now is as good */
    }
}

/* Permissions and owner of what it replaces, as far as we may. */
static void be_like(int fd, const struct stat *old)
{
    if (fchown(fd, old->st_uid, old->st_gid) != 0) {
        return; /* it is ours, then, with our permissions */
    }
    if (fchmod(fd, old->st_mode & 0777) != 0) {
        return;
    }
}

/* Not what the guest was never shown, and somebody else has made since. */
static bool may_replace(const FatCommit *c, const FatFound *is)
{
    const FatFound *was = fat_scan_find(c->was, is->path);

    return (was && !was->folder) || g_hash_table_contains(c->ours, is->path);
}

static int fill_file(FatCommit *c, int folder, const char *name, const FatFound *is)
{
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    struct stat old;
    int result;

    if (fd < 0) {
        return -errno;
    }
    result = copy_bytes(c, fd, is, 0);
    if (result == 0 && fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
        be_like(fd, &old);
        result = S_ISREG(old.st_mode) && may_replace(c, is) ? 0 : -EEXIST;
    }
    set_time(fd, is);
    if (result == 0 && c->sync && fdatasync(fd) != 0) {
        result = -errno;
    }
    if (close(fd) != 0 && result == 0) {
        result = -errno;
    }
    if (result == 0 && renameat(folder, temporary, folder, name) != 0) {
        result = -errno;
    }
    if (result < 0) {
        unlinkat(folder, temporary, 0);
    }
    return result;
}

/* ---- files that an earlier commit has made ---- */

/* Bytes that are in the same clusters as before. */
static uint64_t same_bytes(const FatCommit *c, const FatFound *was, const FatFound *is)
{
    uint64_t clusters = 0;

    for (unsigned i = 0; i < MIN(was->runs, is->runs); i++) {
        FatRun old = g_array_index(c->was->runs, FatRun, was->run + i);
        FatRun new = g_array_index(c->is->runs, FatRun, is->run + i);

        clusters += old.cluster == new.cluster ? MIN(old.count, new.count) : 0;
        if (old.cluster != new.cluster || old.count != new.count) {
            break;
        }
    }
    return MIN(clusters * c->shape->cluster_sectors * FAT_SECTOR, was->size);
}

/* For writing, as it was left; -1: it is another one, or is to be replaced. */
static int open_ours(const FatCommit *c, int folder, const char *name, const FatFound *was)
{
    int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat stat;

    if (fd >= 0 &&
        (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_nlink != 1 ||
            (uint64_t)stat.st_size != was->size)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/*
 * A guest that writes a large file flushes many times meanwhile. What it has made itself is changed
 * in its place, as on a disk. False: all of it has to be written.
 */
static bool update_file(FatCommit *c, int folder, const char *name, const FatFound *is, int *result)
{
    const FatFound *was = fat_scan_find(c->was, is->path);
    bool is_ours = was && !was->folder && g_hash_table_contains(c->ours, is->path);
    int fd = is_ours ? open_ours(c, folder, name, was) : -1;

    if (fd < 0) {
        return false;
    }
    *result = copy_bytes(c, fd, is, same_bytes(c, was, is));
    if (*result == 0 && ftruncate(fd, is->size) != 0) {
        *result = -errno;
    }
    set_time(fd, is);
    if (*result == 0 && c->sync && fdatasync(fd) != 0) {
        *result = -errno;
    }
    if (close(fd) != 0 && *result == 0) {
        *result = -errno;
    }
    return true;
}

static int write_file(FatCommit *c, const FatFound *is)
{
    const char *name;
    int folder = open_parent(c, is->path, &name);
    int result = folder < 0 ? -errno : 0;

    if (result == 0 && !update_file(c, folder, name, is, &result)) {
        /* Ours, from a run that ended in the middle of it: a guest cannot have this name. */
        unlinkat(folder, temporary, 0);
        result = fill_file(c, folder, name, is);
    }
    if (folder >= 0) {
        close(folder);
    }
    if (result == 0) {
        g_hash_table_add(c->ours, g_strdup(is->path));
    }
    return result < 0 ? fail_host(c, is->path, -result) : 0;
}

static int write_new(FatCommit *c)
{
    int result = 0;

    for (unsigned i = 0; i < c->is->found->len && result == 0; i++) {
        const FatFound *is = &g_array_index(c->is->found, FatFound, i);
        const FatFound *was = fat_scan_find(c->was, is->path);

        if (was && was->folder == is->folder && (is->folder || is_unchanged(c, was, is))) {
            continue;
        }
        result = is->folder ? make_folder(c, is) : write_file(c, is);
    }
    return result;
}

/* ---- all of it ---- */

static int check_time(FatCommit *c)
{
    for (unsigned i = 0; i < c->was->found->len; i++) {
        const FatFound *was = &g_array_index(c->was->found, FatFound, i);

        if (!c->at_end && is_between_names(c, was)) {
            return fail(c, -EUCLEAN, "`%s` is gone, and its clusters are not free", was->path);
        }
    }
    for (unsigned i = 0; i < c->is->found->len; i++) {
        const FatFound *is = &g_array_index(c->is->found, FatFound, i);
        const char *slash = strrchr(is->path, '/');

        if (strcmp(slash ? slash + 1 : is->path, temporary) == 0) {
            return fail(c, -EUCLEAN, "`%s` is a name that is not for guests", is->path);
        }
    }
    return 0;
}

/* Names are in folders. One that has gone since needs nothing. */
static int sync_folders(FatCommit *c, GHashTable *touched)
{
    GHashTableIter at;
    gpointer path;

    g_hash_table_iter_init(&at, touched);
    while (g_hash_table_iter_next(&at, &path, NULL)) {
        const char *rest;
        int folder = open_folder(c, path, &rest);
        bool fine = folder < 0 ? errno == ENOENT || errno == ENOTDIR : fsync(folder) == 0;
        int number = errno;

        if (folder >= 0) {
            close(folder);
        }
        if (!fine) {
            return fail_host(c, path, number);
        }
    }
    return 0;
}

int fat_commit(FatCommit *c)
{
    g_autoptr(GHashTable) touched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int result = check_time(c);

    c->touched = touched;
    result = result < 0 ? result : keep_all(c);
    result = result < 0 ? result : remove_gone(c, true);
    result = result < 0 ? result : write_new(c);
    result = result < 0 ? result : remove_gone(c, false);
    return result == 0 && c->sync ? sync_folders(c, touched) : result;
}
