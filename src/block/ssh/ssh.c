/*
 * The protocols `ssh` and `sftp`: a file that an SSH server has, by libssh2. Several requests are
 * under way at once, each with a session and a worker thread of its own (links.h). What was asked
 * for when a session ended may be done twice.
 *
 * A flush is the server's extension fsync@openssh.com, which covers all sessions, as they have the
 * same file. Without it the modes that promise that a completed write is stable are refused, and
 * the others cannot flush: that is an error to the guest, not a success.
 */
#include "block/block.h"
#include "block/ssh/links.h"
#include "core/block-spec.h"

static const char *const schemes[] = { "ssh", "sftp", NULL };

#ifdef HAVE_LIBSSH2
#include <errno.h>
#include <string.h>

#include "block/cache.h"

enum { PART_MOST = 1 << 20 };
#define PATIENCE INT64_C(10000000000) /* ns */

typedef struct Ssh {
    SshLinks links;
    bool flushes;
} Ssh;

/* What a job is about. */
typedef struct Work {
    const BlockIo *io; /* of a write that is kept */
    uint64_t at, length;
    uint8_t *data;
    bool keep;
    uint64_t mark; /* of a flush */
} Work;

/* ---- on a worker ---- */

/* As much as there is before the end of the file. */
static int64_t read_work(SshLinks *links, SshLink *link, void *data)
{
    Work *work = data;
    uint64_t done = 0;

    links->lib->libssh2_sftp_seek64(link->file, work->at);
    while (done < work->length) {
        ssize_t moved = links->lib->libssh2_sftp_read(
            link->file, (char *)work->data + done, work->length - done);

        if (moved < 0) {
            return ssh_link_error(links, link);
        }
        if (moved == 0) {
            break;
        }
        done += moved;
    }
    return done;
}

static int64_t write_work(SshLinks *links, SshLink *link, void *data)
{
    const Work *work = data;

    return ssh_link_write(links, link, work->at, work->data, work->length);
}

static int64_t flush_work(SshLinks *links, SshLink *link, void *data)
{
    return links->lib->libssh2_sftp_fsync(link->file) == 0 ? 0 : ssh_link_error(links, link);
}

static int64_t resize_work(SshLinks *links, SshLink *link, void *data)
{
    LIBSSH2_SFTP_ATTRIBUTES about = { .flags = LIBSSH2_SFTP_ATTR_SIZE,
        .filesize = ((const Work *)data)->length };

    return links->lib->libssh2_sftp_fstat_ex(link->file, &about, LIBSSH2_SFTP_SETSTAT) == 0
        ? 0
        : ssh_link_error(links, link);
}

/* ---- on the loop ---- */

static void written(SshLinks *links, void *data)
{
    Work *work = data;

    if (work->keep) {
        kept_add(&links->kept, work->io, g_steal_pointer(&work->data));
    }
}

static void flushed(SshLinks *links, void *data)
{
    kept_drop(&links->kept, ((Work *)data)->mark);
}

static int flush(BlockNode *node)
{
    Ssh *s = node->state;
    Work work = { .mark = kept_mark(&s->links.kept) };
    int64_t result = s->flushes ? ssh_links_run(&s->links, &(SshJob){ flush_work, flushed, &work })
                                : -ENOTSUP;

    if (result == 0 && s->links.lost) {
        s->links.lost = false;
        return -EIO;
    }
    return result;
}

/* A read that ends early must do so at the end of the file, as we know it. */
static int read_part(BlockNode *node, const BlockIo *part)
{
    Ssh *s = node->state;
    g_autofree uint8_t *data = g_try_malloc(part->length);
    Work work = { .at = part->at, .length = part->length, .data = data };
    int64_t got = data ? ssh_links_run(&s->links, &(SshJob){ read_work, NULL, &work }) : -ENOMEM;

    if (got < 0) {
        return got;
    }
    if (part->at + got < MIN(node->length, part->at + part->length)) {
        return -EIO;
    }
    memset(data + got, 0, part->length - got);
    block_memory_store(part->memory, data, part->length);
    return 0;
}

static int write_part(BlockNode *node, const BlockIo *part)
{
    Ssh *s = node->state;
    Work work = {
        .io = part,
        .at = part->at,
        .length = part->length,
        .data = g_try_malloc(part->length),
        .keep = s->flushes && !cache_ignores_flush(&node->cache),
    };
    int64_t moved = -ENOMEM;

    if (work.data) {
        block_memory_load(part->memory, work.data, part->length);
        moved = ssh_links_run(&s->links, &(SshJob){ write_work, written, &work });
    }
    g_free(work.data);
    if (moved < 0) {
        return moved;
    }
    node->length = MAX(node->length, part->at + part->length);
    if (s->links.kept.bytes > KEPT_MOST) {
        flush(node); /* to make room; a failure is the next flush's again */
    }
    return 0;
}

static int transfer_all(BlockNode *node, const BlockIo *io)
{
    int result = 0;

    for (uint64_t done = 0; done < io->length && result == 0; done += PART_MOST) {
        BlockIo part = { io->op, io->flags, io->at + done, MIN(io->length - done, PART_MOST),
            block_memory_after(io->memory, done) };

        result = io->op == BLOCK_READ ? read_part(node, &part) : write_part(node, &part);
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
    Ssh *s = node->state;
    Work work = { .length = length };
    int result = ssh_links_run(&s->links, &(SshJob){ resize_work, NULL, &work });

    node->length = result == 0 ? length : node->length;
    return result;
}

/* ---- opening ---- */

static bool ssh_set_cache(BlockNode *node, const DriveCache *cache, GError **error)
{
    const Ssh *s = node->state;

    if (!s->links.writes || s->flushes || !cache_needs_flush(cache)) {
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
    SshLinks *links = &s->links;

    links->lib = ssh_lib(error);
    if (!links->lib || !ssh_place_parse(node->name, &links->place, error)) {
        return false;
    }
    links->loop = node->loop;
    links->writes = !node->read_only;
    links->create = options->create;
    links->patience = options->spec && options->spec->reconnect_ns ? options->spec->reconnect_ns
                                                                   : (uint64_t)PATIENCE;
    links->threads = engine_get(AIO_THREADS, node->loop, error);
    if (!links->threads || !ssh_links_open(links, &node->length, error)) {
        return false;
    }
    s->flushes = links->writes && ssh_links_run(links, &(SshJob){ flush_work, NULL, NULL }) == 0;
    node->grows = true;
    return ssh_set_cache(node, &node->cache, error);
}

static void ssh_close(BlockNode *node)
{
    Ssh *s = node->state;

    ssh_links_close(&s->links);
    ssh_place_clear(&s->links.place);
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
