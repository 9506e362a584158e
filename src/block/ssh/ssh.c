/*
 * The protocols `ssh` and `sftp`: a file that an SSH server has, by libssh2. One request at a time
 * is under way, on a worker thread. A session that ends is begun anew by the next request, once:
 * what was asked for meanwhile may be done twice.
 *
 * A flush is the server's extension fsync@openssh.com; without it the modes that promise that a
 * completed write is stable are refused, and the others cannot flush: that is an error to the
 * guest, not a success.
 */
#include "block/block.h"
#include "block/ssh/session.h"

static const char *const schemes[] = { "ssh", "sftp", NULL };

#ifdef HAVE_LIBSSH2
#include <errno.h>
#include <string.h>

#include "block/cache.h"
#include "block/co-mutex.h"
#include "block/engine.h"

enum { PART_MOST = 1 << 20 };

typedef struct Ssh {
    const SshLib *lib;
    SshPlace place;
    Engine *threads;
    CoMutex mutex; /* of what follows: the workers take turns */
    bool writes, create, flushes;
    SshSession *session; /* NULL: lost */
    LIBSSH2_SFTP_HANDLE *file;
} Ssh;

/* A piece of work for a worker. */
typedef struct Work {
    Ssh *ssh;
    int64_t (*run)(struct Work *work);
    BlockOp op;
    uint64_t at, length;
    uint8_t *data;
    GError *error;
} Work;

/* ---- on a worker ---- */

static int error_of(const Ssh *s)
{
    int number = s->lib->libssh2_session_last_errno(s->session->session);

    if (number != LIBSSH2_ERROR_SFTP_PROTOCOL) {
        return -ENOTCONN; /* of the session, which is of no use any more */
    }
    switch (s->lib->libssh2_sftp_last_error(s->session->sftp)) {
    case LIBSSH2_FX_NO_SUCH_FILE:
    case LIBSSH2_FX_NO_SUCH_PATH: return -ENOENT;
    case LIBSSH2_FX_PERMISSION_DENIED:
    case LIBSSH2_FX_WRITE_PROTECT: return -EACCES;
    case LIBSSH2_FX_FILE_ALREADY_EXISTS: return -EEXIST;
    case LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM:
    case LIBSSH2_FX_QUOTA_EXCEEDED: return -ENOSPC;
    case LIBSSH2_FX_OP_UNSUPPORTED: return -ENOTSUP;
    case LIBSSH2_FX_NO_CONNECTION:
    case LIBSSH2_FX_CONNECTION_LOST: return -ENOTCONN;
    default: return -EIO;
    }
}

static void end_session(Ssh *s)
{
    if (s->file) {
        s->lib->libssh2_sftp_close_handle(s->file);
    }
    s->file = NULL;
    g_clear_pointer(&s->session, ssh_session_free);
}

static BlockError kind_of(int number)
{
    return number == -ENOENT ? BLOCK_ERROR_MISSING
        : number == -EACCES  ? BLOCK_ERROR_PERMISSION
        : number == -EEXIST  ? BLOCK_ERROR_IN_USE
                             : BLOCK_ERROR_HOST;
}

static bool begin_session(Ssh *s, GError **error)
{
    unsigned long flags = LIBSSH2_FXF_READ | (s->writes ? LIBSSH2_FXF_WRITE : 0) |
        (s->create ? LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL : 0);
    int number;

    s->session = ssh_session_new(&s->place, error);
    if (!s->session) {
        return false;
    }
    s->file = s->lib->libssh2_sftp_open_ex(
        s->session->sftp, s->place.path, strlen(s->place.path), flags, 0644, LIBSSH2_SFTP_OPENFILE);
    if (s->file) {
        s->create = false;
        return true;
    }
    number = error_of(s);
    /* Version 3 of the protocol has no word for "there is one" */
    number = s->create && number == -EIO ? -EEXIST : number;
    g_set_error(error, BLOCK_ERROR, kind_of(number), "`%s` of `%s` cannot be opened for %s: %s",
        s->place.path, s->place.host, s->writes ? "writing" : "reading", g_strerror(-number));
    end_session(s);
    return false;
}

static int64_t open_work(Work *work)
{
    Ssh *s = work->ssh;
    LIBSSH2_SFTP_ATTRIBUTES about = { 0 };

    if (!begin_session(s, &work->error)) {
        return -EIO;
    }
    if (s->lib->libssh2_sftp_fstat_ex(s->file, &about, LIBSSH2_SFTP_STAT) != 0 ||
        !(about.flags & LIBSSH2_SFTP_ATTR_SIZE) || about.filesize > INT64_MAX) {
        g_set_error(&work->error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "`%s` does not say how large `%s` is", s->place.host, s->place.path);
        return -EIO;
    }
    work->length = about.filesize;
    s->flushes = s->writes && s->lib->libssh2_sftp_fsync(s->file) == 0;
    return 0;
}

/* Moves all of it; at the end of the file a read gives zeroes, as the core has checked `at`. */
static int64_t move(Ssh *s, Work *work)
{
    s->lib->libssh2_sftp_seek64(s->file, work->at);
    for (uint64_t done = 0; done < work->length;) {
        char *data = (char *)work->data + done;
        ssize_t moved = work->op == BLOCK_READ
            ? s->lib->libssh2_sftp_read(s->file, data, work->length - done)
            : s->lib->libssh2_sftp_write(s->file, data, work->length - done);

        if (moved < 0) {
            return error_of(s);
        }
        if (moved == 0 && work->op == BLOCK_WRITE) {
            return -EIO;
        }
        if (moved == 0) {
            return done;
        }
        done += moved;
    }
    return work->length;
}

static int64_t io_once(Work *work)
{
    Ssh *s = work->ssh;

    if (!s->session && !begin_session(s, NULL)) {
        return -EIO;
    }
    if (work->op == BLOCK_FLUSH) {
        return s->lib->libssh2_sftp_fsync(s->file) == 0 ? 0 : error_of(s);
    }
    return move(s, work);
}

static int64_t io_work(Work *work)
{
    int64_t result = io_once(work);

    if (result == -ENOTCONN) {
        end_session(work->ssh);
        result = io_once(work);
    }
    if (result == -ENOTCONN) {
        end_session(work->ssh);
        result = -EIO;
    }
    return result;
}

static int64_t resize_work(Work *work)
{
    Ssh *s = work->ssh;
    LIBSSH2_SFTP_ATTRIBUTES about = { .flags = LIBSSH2_SFTP_ATTR_SIZE, .filesize = work->length };

    if (!s->session && !begin_session(s, NULL)) {
        return -EIO;
    }
    return s->lib->libssh2_sftp_fstat_ex(s->file, &about, LIBSSH2_SFTP_SETSTAT) == 0 ? 0
                                                                                     : error_of(s);
}

static int64_t close_work(Work *work)
{
    end_session(work->ssh);
    return 0;
}

/* ---- on the loop ---- */

static int64_t run_call(void *data)
{
    Work *work = data;

    return work->run(work);
}

/* [co] */
static int64_t run(Ssh *s, Work *work)
{
    EngineOp op = { .kind = ENGINE_CALL, .call = run_call, .data = work };
    int64_t result;

    work->ssh = s;
    co_mutex_lock(&s->mutex);
    result = engine_run(s->threads, &op);
    co_mutex_unlock(&s->mutex);
    return result;
}

static int flush(BlockNode *node)
{
    Ssh *s = node->state;

    return !s->flushes ? -ENOTSUP : run(s, &(Work){ .run = io_work, .op = BLOCK_FLUSH });
}

/* A read that ends early must do so at the end of the file, as we know it. */
static int end_read(BlockNode *node, const BlockIo *part, uint8_t *data, uint64_t got)
{
    if (part->at + got < MIN(node->length, part->at + part->length)) {
        return -EIO;
    }
    memset(data + got, 0, part->length - got);
    block_memory_store(part->memory, data, part->length);
    return 0;
}

static int move_part(BlockNode *node, const BlockIo *part, uint8_t *data)
{
    Work work = {
        .run = io_work, .op = part->op, .at = part->at, .length = part->length, .data = data
    };
    int64_t moved;

    if (part->op == BLOCK_WRITE) {
        block_memory_load(part->memory, data, part->length);
    }
    moved = run(node->state, &work);
    if (moved < 0) {
        return moved;
    }
    if (part->op == BLOCK_READ) {
        return end_read(node, part, data, moved);
    }
    node->length = MAX(node->length, part->at + part->length);
    return 0;
}

static int transfer_all(BlockNode *node, const BlockIo *io)
{
    g_autofree uint8_t *data = g_try_malloc(MIN(io->length, PART_MOST));
    int result = data ? 0 : -ENOMEM;

    for (uint64_t done = 0; done < io->length && result == 0;) {
        BlockIo part = { io->op, io->flags, io->at + done, MIN(io->length - done, PART_MOST),
            block_memory_after(io->memory, done) };

        result = move_part(node, &part, data);
        done += part.length;
    }
    return result == 0 && io->flags & BLOCK_DURABLE ? flush(node) : result;
}

static int ssh_transfer(BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_READ:
    case BLOCK_WRITE: return transfer_all(node, io);
    case BLOCK_ZERO: return -ENOTSUP;
    case BLOCK_DISCARD: return 0; /* only a hint */
    default: return flush(node);
    }
}

static int ssh_resize(BlockNode *node, uint64_t length)
{
    int result = run(node->state, &(Work){ .run = resize_work, .length = length });

    node->length = result == 0 ? length : node->length;
    return result;
}

/* ---- opening ---- */

static bool ssh_set_cache(BlockNode *node, const DriveCache *cache, GError **error)
{
    const Ssh *s = node->state;

    if (!s->writes || s->flushes || !cache_needs_flush(cache)) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "the server of `%s` has no fsync@openssh.com, so it cannot keep what cache mode %s "
        "promises",
        node->name, cache->word);
    return false;
}

static bool ssh_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Ssh *s = node->state;
    Work work = { .run = open_work };

    s->lib = ssh_lib(error);
    if (!s->lib || !ssh_place_parse(node->name, &s->place, error)) {
        return false;
    }
    s->writes = !node->read_only;
    s->create = options->create;
    s->threads = engine_get(AIO_THREADS, node->loop, error);
    if (!s->threads) {
        return false;
    }
    if (run(s, &work) < 0) {
        g_propagate_error(error, work.error);
        return false;
    }
    node->length = work.length;
    node->grows = true;
    return ssh_set_cache(node, &node->cache, error);
}

static void ssh_close(BlockNode *node)
{
    Ssh *s = node->state;

    if (s->threads) {
        run(s, &(Work){ .run = close_work });
    }
    engine_unref(s->threads);
    ssh_place_clear(&s->place);
}

#else

static bool ssh_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "`%s`: lathe was built without ssh: install libssh2-1-dev and build it again", node->name);
    return false;
}

#define ssh_close NULL
#define ssh_transfer NULL
#define ssh_resize NULL
#define ssh_set_cache NULL
typedef char Ssh;

#endif

BLOCK_DRIVER(ssh) = {
    .name = "ssh",
    .protocol = true,
    .schemes = schemes,
    .state_size = sizeof(Ssh),
    .open = ssh_open,
    .close = ssh_close,
    .transfer = ssh_transfer,
    .resize = ssh_resize,
    .set_cache = ssh_set_cache,
};
