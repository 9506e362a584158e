/*
 * The protocol `file`: a regular file or a block device of the host, or a scratch file that has
 * no name and is gone when it is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "block/block-impl.h"
#include "block/cache.h"
#include "block/engine.h"
#include "block/file-lock.h"
#include "block/sync-group.h"

enum { GROW_LEAST = 64 * 1024 }; /* of a write: less is not worth asking for it first */

typedef struct File {
    int fd;
    bool open;
    bool device;
    bool in_memory, asked; /* of tmpfs; asked for when a read could not be done at once */
    Engine *engine;
    unsigned durable_writes; /* under way */
    SyncGroup syncs;
    uint64_t data_from,
        data_to; /* known to be no hole: asking may mean a search through all of it */
} File;

/* ---- opening ---- */

static void set_error(GError **error, BlockError code, const char *path, const char *what)
{
    g_set_error(error, BLOCK_ERROR, code, "`%s` %s", path, what);
}

/* "ext4": of the file system that holds fd (proc(5), mountinfo); NULL when it cannot be told. */
static char *file_system_name(int fd)
{
    g_autofree char *text = NULL;
    g_autofree char *number = NULL;
    g_auto(GStrv) lines = NULL;
    struct stat stat;

    if (fstat(fd, &stat) != 0 || !g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
        return NULL;
    }
    number = g_strdup_printf(" %u:%u ", major(stat.st_dev), minor(stat.st_dev));
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        const char *type = strstr(lines[i], " - ");

        if (type && strstr(lines[i], number)) {
            return g_strndup(type + 3, strcspn(type + 3, " "));
        }
    }
    return NULL;
}

/* The file is there, but not by O_DIRECT: says whose fault that is. */
static void set_direct_error(GError **error, const char *path, int flags)
{
    int fd = open(path, flags & ~O_DIRECT);
    g_autofree char *system = fd >= 0 ? file_system_name(fd) : NULL;

    if (fd >= 0) {
        close(fd);
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_NO_DIRECT,
        "`%s` is on a file system (%s) that cannot do O_DIRECT", path,
        system ? system : "of unknown type");
}

static void set_open_error(GError **error, const char *path, int flags, int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        set_error(error, BLOCK_ERROR_MISSING, path,
            flags & O_CREAT ? "cannot be made: its folder does not exist" : "does not exist");
        break;
    case EEXIST: set_error(error, BLOCK_ERROR_IN_USE, path, "is there already"); break;
    case EACCES:
    case EPERM:
    case EROFS:
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION, "`%s` cannot be opened for %s: %s",
            path, (flags & O_ACCMODE) == O_RDWR ? "writing" : "reading", g_strerror(number));
        break;
    case EINVAL:
        if (flags & O_DIRECT) {
            set_direct_error(error, path, flags);
            break;
        }
        G_GNUC_FALLTHROUGH;
    default:
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be opened: %s", path,
            g_strerror(number));
    }
}

static const char *scratch_folder(void)
{
    const char *folder = g_getenv("TMPDIR");

    return folder && *folder ? folder : "/var/tmp";
}

/* To open a FIFO would wait for who is at its other end, and a terminal may do anything. */
static bool may_be_disk(const char *path, GError **error)
{
    struct stat about;

    if (stat(path, &about) != 0 || S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) ||
        S_ISDIR(about.st_mode)) {
        return true; /* or open(2) says what is wrong */
    }
    set_error(error, BLOCK_ERROR_HOST, path, "is neither a file nor a block device");
    return false;
}

static bool open_descriptor(File *f, const BlockOptions *options, GError **error)
{
    int flags = O_CLOEXEC | (options->read_only ? O_RDONLY : O_RDWR) |
        (cache_wants_direct(&options->cache) ? O_DIRECT : 0);
    const char *path = options->path ? options->path : scratch_folder();

    if (!options->path) {
        flags |= O_TMPFILE;
    }
    if (options->create) {
        flags |= O_CREAT | O_EXCL;
    }
    if (!options->create && !may_be_disk(path, error)) {
        return false;
    }
    f->fd = open(path, flags, options->path ? 0644 : 0600);
    if (f->fd < 0) {
        set_open_error(error, path, flags, errno);
        return false;
    }
    f->open = true;
    return true;
}

/* False: errno says why. */
static bool measure(BlockNode *node, mode_t *mode)
{
    File *f = node->state;
    struct stat stat;

    if (fstat(f->fd, &stat) != 0) {
        return false;
    }
    *mode = stat.st_mode;
    node->length = stat.st_size;
    return !S_ISBLK(stat.st_mode) || ioctl(f->fd, BLKGETSIZE64, &node->length) == 0;
}

static bool find_length(BlockNode *node, const BlockOptions *options, GError **error)
{
    File *f = node->state;
    mode_t mode = 0;

    if (!options->path && ftruncate(f->fd, options->size) != 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
            "no scratch file of %" G_GUINT64_FORMAT " bytes in `%s`: %s", options->size,
            scratch_folder(), g_strerror(errno));
        return false;
    }
    if (!measure(node, &mode) || !(S_ISREG(mode) || S_ISBLK(mode))) {
        set_error(error, BLOCK_ERROR_HOST, node->name,
            S_ISBLK(mode) ? "does not say how large it is"
                          : "is neither a file nor a block device");
        return false;
    }
    f->device = S_ISBLK(mode);
    node->grows = !f->device;
    return true;
}

/* Can 512 bytes be read to an address that is a multiple of `align` and of no more? */
static bool can_read_at(int fd, void *buffer, size_t align, size_t length)
{
    return pread(fd, (char *)buffer + align, length, 0) >= 0 || errno != EINVAL;
}

static void probe_alignment(BlockNode *node, int fd)
{
    void *buffer = NULL;

    node->align = 4096;
    node->align_memory = 4096;
    if (node->length < 4096 || posix_memalign(&buffer, 8192, 8192) != 0) {
        return;
    }
    if (can_read_at(fd, buffer, 4096, 512)) {
        node->align = 512;
        node->align_memory = can_read_at(fd, buffer, 512, 512) ? 512 : 4096;
    }
    free(buffer);
}

/* What O_DIRECT wants: the kernel says it (statx(2), since 6.1), or it is tried out. */
static void find_alignment(BlockNode *node)
{
    File *f = node->state;
#ifdef STATX_DIOALIGN
    struct statx about;

    if (statx(f->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &about) == 0 &&
        (about.stx_mask & STATX_DIOALIGN) && about.stx_dio_offset_align > 0) {
        node->align = about.stx_dio_offset_align;
        node->align_memory = about.stx_dio_mem_align;
        return;
    }
#endif
    probe_alignment(node, f->fd);
}

static bool file_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    File *f = node->state;

    if (options->aio == AIO_NATIVE && !cache_wants_direct(&options->cache)) {
        set_error(error, BLOCK_ERROR_NO_DIRECT, node->name,
            "cannot be read with aio native unless the cache mode is direct");
        return false;
    }
    if (!open_descriptor(f, options, error) || !find_length(node, options, error)) {
        return false;
    }
    if (options->path && !options->share &&
        !file_lock(f->fd, node->name, !node->read_only, error)) {
        return false;
    }
    if (cache_wants_direct(&options->cache)) {
        find_alignment(node);
    }
    f->engine = engine_get(options->aio, node->loop, error);
    node->engine = f->engine ? f->engine->name : NULL;
    return f->engine != NULL;
}

/* What other programs have in the page cache, or we had, does not stay there unseen. */
static bool become_direct(BlockNode *node, GError **error)
{
    File *f = node->state;
    int flags = fcntl(f->fd, F_GETFL);

    if (fcntl(f->fd, F_SETFL, flags | O_DIRECT) != 0) {
        set_direct_error(error, node->name, O_RDONLY | O_DIRECT);
        return false;
    }
    find_alignment(node);
    if (node->length % node->align == 0) {
        posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE,
        "`%s` has %" G_GUINT64_FORMAT " bytes, which is not a multiple of %u as it must be with "
        "O_DIRECT",
        node->name, node->length, node->align);
    fcntl(f->fd, F_SETFL, flags);
    node->align = node->align_memory = 1;
    return false;
}

/* open(2), fcntl(2): O_DIRECT is one of the flags that may change, so that the lock stays. */
static bool file_set_cache(BlockNode *node, const DriveCache *cache, GError **error)
{
    File *f = node->state;

    if (cache_wants_direct(cache) == cache_wants_direct(&node->cache)) {
        return true;
    }
    if (cache_wants_direct(cache)) {
        return become_direct(node, error);
    }
    if (f->engine->aio == AIO_NATIVE) {
        set_error(error, BLOCK_ERROR_NO_DIRECT, node->name,
            "is read with aio native, which needs a mode that is direct: none or directsync");
        return false;
    }
    if (fcntl(f->fd, F_SETFL, fcntl(f->fd, F_GETFL) & ~O_DIRECT) != 0) {
        set_error(error, BLOCK_ERROR_HOST, node->name, g_strerror(errno));
        return false;
    }
    node->align = node->align_memory = 1;
    return true;
}

static void file_close(BlockNode *node)
{
    File *f = node->state;

    engine_unref(f->engine);
    if (f->open) {
        close(f->fd);
    }
}

/* ---- requests ---- */

/* A read ended early: beyond the end of the file are zeroes, before it there must be data. */
static int end_of_file(BlockNode *node, const BlockIo *io, uint64_t done)
{
    if (io->at + done < node->length) {
        return -EIO; /* somebody has cut the file off since */
    }
    block_memory_fill(block_memory_after(io->memory, done), 0, io->length - done);
    return 0;
}

/* Is it a file that is nowhere but in memory? */
static bool find_memory(File *f, EngineOp *op)
{
    struct statfs system;

    if (!f->asked) {
        f->asked = true;
        f->in_memory = fstatfs(f->fd, &system) == 0 && system.f_type == TMPFS_MAGIC;
    }
    op->in_memory = f->in_memory;
    return f->in_memory;
}

/* One call to the engine for what is left from `done` on; the bytes moved, or -errno. */
static int64_t move_some(BlockNode *node, const BlockIo *io, uint64_t done, bool durable)
{
    File *f = node->state;
    struct iovec pieces[BLOCK_PIECES];
    EngineOp op = {
        .kind = io->op == BLOCK_READ ? ENGINE_READ : ENGINE_WRITE,
        .fd = f->fd,
        .durable = durable,
        .cached = !cache_wants_direct(&node->cache),
        .in_memory = f->in_memory,
        .offset = io->at + done,
        .iov = pieces,
    };

    op.length = block_memory_pieces(block_memory_after(io->memory, done), io->length - done, pieces,
        BLOCK_PIECES, &op.iov_count);
    if (engine_do_at_once(f->engine, &op) ||
        (op.refused && find_memory(f, &op) && engine_do_at_once(f->engine, &op))) {
        stats_add(&node->stats.at_once, 1);
        return op.result;
    }
    return engine_run(f->engine, &op);
}

static int simple(BlockNode *node, EngineKind kind, uint64_t at, uint64_t length)
{
    File *f = node->state;
    EngineOp op = { .kind = kind, .fd = f->fd, .offset = at, .length = length };

    return engine_run(f->engine, &op);
}

/*
 * A write by O_DIRECT that makes a file longer is alone in it, unless the file has its new length
 * already. If it cannot get that, the write says so.
 */
static void grow_first(BlockNode *node, const BlockIo *io)
{
    if (io->op == BLOCK_WRITE && io->at + io->length > node->length && io->length >= GROW_LEAST &&
        node->grows && cache_wants_direct(&node->cache)) {
        simple(node, ENGINE_GROW, io->at, io->length);
    }
}

static int move(BlockNode *node, const BlockIo *io, bool durable)
{
    grow_first(node, io);
    for (uint64_t done = 0; done < io->length;) {
        int64_t moved = move_some(node, io, done, durable);

        if (moved < 0) {
            return moved;
        }
        done += moved;
        if (io->op == BLOCK_READ && done < io->length &&
            (moved == 0 || io->at + done >= node->length)) {
            return end_of_file(node, io, done);
        }
        if (moved == 0) {
            return -EIO;
        }
    }
    if (io->op == BLOCK_WRITE && io->at + io->length > node->length) {
        node->length = io->at + io->length;
    }
    return 0;
}

static int sync_now(void *data)
{
    return simple(data, ENGINE_SYNC, 0, 0);
}

/* What ended before is on stable storage after. */
static int shared_sync(BlockNode *node)
{
    File *f = node->state;

    return sync_group_run(&f->syncs, sync_now, node);
}

/*
 * Has somebody cut the file off? What is gone would be zeroes as soon as something is written
 * behind it: so this is asked before the file grows, and where stable storage is promised.
 */
static bool is_cut_off(const BlockNode *node)
{
    const File *f = node->state;
    struct stat stat;

    return !f->device && fstat(f->fd, &stat) == 0 && (uint64_t)stat.st_size < node->length;
}

static int flush(BlockNode *node)
{
    int result = shared_sync(node);

    return result == 0 && is_cut_off(node) ? -EIO : result;
}

/* One write alone is done soonest when it is durable by itself, several when they share a sync. */
static int write_durably(BlockNode *node, const BlockIo *io)
{
    File *f = node->state;
    bool alone = f->durable_writes == 0;
    int result;

    f->durable_writes++;
    result = move(node, io, alone);
    if (result == 0 && !alone) {
        result = shared_sync(node);
    }
    f->durable_writes--;
    return result;
}

static int write_file(BlockNode *node, const BlockIo *io)
{
    bool durable = io->flags & BLOCK_DURABLE;

    if ((durable || io->at + io->length > node->length) && is_cut_off(node)) {
        return -EIO;
    }
    return durable ? write_durably(node, io) : move(node, io, false);
}

static int zero(BlockNode *node, const BlockIo *io)
{
    int result = -ENOTSUP;

    if (io->at + io->length > node->length) {
        return -ENOTSUP; /* the file has to grow: write them */
    }
    if (io->flags & BLOCK_MAY_UNMAP) {
        result = simple(node, ENGINE_PUNCH, io->at, io->length);
    }
    if (result == -ENOTSUP) {
        result = simple(node, ENGINE_ZERO, io->at, io->length);
    }
    if (result == 0 && io->flags & BLOCK_DURABLE) {
        result = shared_sync(node);
    }
    return result;
}

static int file_transfer(BlockNode *node, const BlockIo *io)
{
    File *f = node->state;
    int result;

    switch (io->op) {
    case BLOCK_FLUSH: return flush(node);
    case BLOCK_ZERO: f->data_to = f->data_from; return zero(node, io);
    case BLOCK_DISCARD:
        f->data_to = f->data_from;
        result = simple(node, ENGINE_PUNCH, io->at, io->length);
        return result == -ENOTSUP ? 0 : result; /* only a hint */
    case BLOCK_WRITE: return write_file(node, io);
    default: return move(node, io, false);
    }
}

static int file_read_at_once(BlockNode *node, const BlockIo *io)
{
    const File *f = node->state;
    struct iovec pieces[BLOCK_PIECES];
    unsigned count = 0;

    if (cache_wants_direct(&node->cache) || io->memory.count > BLOCK_PIECES) {
        return -EAGAIN;
    }
    block_memory_pieces(io->memory, io->length, pieces, BLOCK_PIECES, &count);
    return preadv2(f->fd, pieces, count, io->at, f->in_memory ? 0 : RWF_NOWAIT) ==
            (int64_t)io->length
        ? 0
        : -EAGAIN;
}

static bool file_is_data(BlockNode *node, uint64_t at, uint64_t *end)
{
    File *f = node->state;
    off_t data, hole;

    if (at - f->data_from < f->data_to - f->data_from) {
        *end = f->data_to;
        return true;
    }
    data = lseek(f->fd, at, SEEK_DATA);
    *end = UINT64_MAX;
    if (data < 0) {
        return errno != ENXIO; /* none up to the end of the file, or not known */
    }
    if ((uint64_t)data > at) {
        *end = data;
        return false;
    }
    hole = lseek(f->fd, at, SEEK_HOLE);
    *end = hole > (off_t)at ? (uint64_t)hole : UINT64_MAX; /* at `at`, too: others change it */
    f->data_from = at;
    f->data_to = *end;
    return true;
}

static void file_write_back(BlockNode *node)
{
    if (!cache_wants_direct(&node->cache)) {
        simple(node, ENGINE_PUSH, 0, 0);
    }
}

/* ioctl_ficlone(2): takes no time and no space, on file systems that can. */
static int file_share_blocks(BlockNode *node, BlockNode *from)
{
    File *f = node->state;
    const File *source = from->state;

    if (from->driver != node->driver || ioctl(f->fd, FICLONE, source->fd) != 0) {
        return -ENOTSUP;
    }
    node->length = from->length;
    f->data_to = f->data_from;
    return 0;
}

static int file_resize(BlockNode *node, uint64_t length)
{
    File *f = node->state;

    if (f->device) {
        return -ENOTSUP;
    }
    if (ftruncate(f->fd, length) != 0) {
        return -errno;
    }
    node->length = length;
    f->data_to = f->data_from;
    return 0;
}

static int file_look_again(BlockNode *node)
{
    mode_t mode;

    return measure(node, &mode) ? 0 : -errno;
}

BLOCK_DRIVER(file) = {
    .name = "file",
    .protocol = true,
    .state_size = sizeof(File),
    .open = file_open,
    .close = file_close,
    .transfer = file_transfer,
    .read_at_once = file_read_at_once,
    .resize = file_resize,
    .look_again = file_look_again,
    .set_cache = file_set_cache,
    .is_data = file_is_data,
    .write_back = file_write_back,
    .share_blocks = file_share_blocks,
};
