/*
 * The protocol `rbd`: an image of a Ceph cluster, by librados and librbd, which are loaded when
 * they are there; what is called of them is declared here, from their manual, so that they need
 * not be there to build lathe.
 *
 *   rbd://POOL/IMAGE[@SNAPSHOT][?conf=FILE&user=NAME]   or   rbd:POOL/IMAGE[@SNAPSHOT]
 *
 * With conf no other file is read; without it librados looks where it always does.
 */
#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "block/engine.h"
#include "core/dynamic.h"

static const char *const schemes[] = { "rbd", NULL };

enum { PART_MOST = 4 << 20 };
#define MOUNT_SECONDS "30"

/* ---- the libraries ---- */

typedef void *rados_t, *rados_ioctx_t, *rbd_image_t, *rbd_completion_t;
typedef void rbd_callback(rbd_completion_t completion, void *data);

int rados_create(rados_t *cluster, const char *id);
int rados_conf_read_file(rados_t cluster, const char *path);
int rados_conf_set(rados_t cluster, const char *option, const char *value);
int rados_connect(rados_t cluster);
void rados_shutdown(rados_t cluster);
int rados_ioctx_create(rados_t cluster, const char *pool, rados_ioctx_t *out);
void rados_ioctx_destroy(rados_ioctx_t pool);
int rbd_open(rados_ioctx_t pool, const char *name, rbd_image_t *out, const char *snapshot);
int rbd_open_read_only(
    rados_ioctx_t pool, const char *name, rbd_image_t *out, const char *snapshot);
int rbd_close(rbd_image_t image);
int rbd_get_size(rbd_image_t image, uint64_t *size);
int rbd_resize(rbd_image_t image, uint64_t size);
int rbd_aio_create_completion(void *data, rbd_callback *callback, rbd_completion_t *out);
ssize_t rbd_aio_get_return_value(rbd_completion_t completion);
void rbd_aio_release(rbd_completion_t completion);
int rbd_aio_readv(rbd_image_t image, const struct iovec *iov, int count, uint64_t offset,
    rbd_completion_t completion);
int rbd_aio_writev(rbd_image_t image, const struct iovec *iov, int count, uint64_t offset,
    rbd_completion_t completion);
int rbd_aio_discard(
    rbd_image_t image, uint64_t offset, uint64_t length, rbd_completion_t completion);
int rbd_aio_flush(rbd_image_t image, rbd_completion_t completion);

#define RADOS_CALLS(C)                                                                             \
    C(rados_create)                                                                                \
    C(rados_conf_read_file)                                                                        \
    C(rados_conf_set)                                                                              \
    C(rados_connect)                                                                               \
    C(rados_shutdown)                                                                              \
    C(rados_ioctx_create)                                                                          \
    C(rados_ioctx_destroy)
#define RBD_CALLS(C)                                                                               \
    C(rbd_open)                                                                                    \
    C(rbd_open_read_only)                                                                          \
    C(rbd_close)                                                                                   \
    C(rbd_get_size)                                                                                \
    C(rbd_resize)                                                                                  \
    C(rbd_aio_create_completion)                                                                   \
    C(rbd_aio_get_return_value)                                                                    \
    C(rbd_aio_release)                                                                             \
    C(rbd_aio_readv)                                                                               \
    C(rbd_aio_writev)                                                                              \
    C(rbd_aio_discard)                                                                             \
    C(rbd_aio_flush)

static struct {
    RADOS_CALLS(DYNAMIC_POINTER)
} rados;
static struct {
    RBD_CALLS(DYNAMIC_POINTER)
} rbd;
static const DynamicCall rados_calls[] = { RADOS_CALLS(DYNAMIC_CALL){} };
static const DynamicCall rbd_calls[] = { RBD_CALLS(DYNAMIC_CALL){} };

/* ---- where ---- */

typedef struct Place {
    char *pool, *image, *snapshot;
    char *conf, *user;
} Place;

typedef struct Rbd {
    Place place;
    bool writes;
    Engine *threads; /* for what waits: opening, closing, resizing */
    rados_t cluster;
    rados_ioctx_t pool;
    rbd_image_t image;
    uint64_t length;
} Rbd;

static bool take_parameters(Place *place, const char *query, GError **error)
{
    GUriParamsIter iter;
    gchar *name, *value;

    g_uri_params_iter_init(&iter, query, -1, "&", G_URI_PARAMS_NONE);
    while (g_uri_params_iter_next(&iter, &name, &value, NULL)) {
        bool conf = strcmp(name, "conf") == 0, known = conf || strcmp(name, "user") == 0;

        if (!known) {
            g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
                "an rbd URL has no parameter `%s`: expected conf or user", name);
            g_free(value);
        } else {
            char **at = conf ? &place->conf : &place->user;

            g_free(*at);
            *at = value;
        }
        g_free(name);
        if (!known) {
            return false;
        }
    }
    return true;
}

static bool parse_place(Place *place, const char *url, GError **error)
{
    const char *rest = strchr(url, ':') + 1;
    g_auto(GStrv) halves = g_strsplit(strncmp(rest, "//", 2) == 0 ? rest + 2 : rest, "?", 2);
    g_auto(GStrv) names = g_strsplit(halves[0] ? halves[0] : "", "/", 2);
    g_auto(GStrv) parts = NULL;

    if (g_strv_length(names) != 2 || !*names[0] || !*names[1]) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "`%s` is not of the form rbd://POOL/IMAGE[@SNAPSHOT]", url);
        return false;
    }
    parts = g_strsplit(names[1], "@", 2);
    place->pool = g_strdup(names[0]);
    place->image = g_strdup(parts[0]);
    place->snapshot = g_strdup(parts[1]);
    return !halves[1] || take_parameters(place, halves[1], error);
}

/* ---- what waits, on a worker ---- */

static int64_t open_call(void *data)
{
    Rbd *r = data;
    int result = rados.rados_create(&r->cluster, r->place.user);

    if (result < 0) {
        r->cluster = NULL;
        return result;
    }
    result = rados.rados_conf_read_file(r->cluster, r->place.conf);
    if (result < 0 && r->place.conf) {
        return result;
    }
    rados.rados_conf_set(r->cluster, "client_mount_timeout", MOUNT_SECONDS);
    result = rados.rados_connect(r->cluster);
    if (result == 0) {
        result = rados.rados_ioctx_create(r->cluster, r->place.pool, &r->pool);
    }
    if (result == 0) {
        result = r->writes
            ? rbd.rbd_open(r->pool, r->place.image, &r->image, r->place.snapshot)
            : rbd.rbd_open_read_only(r->pool, r->place.image, &r->image, r->place.snapshot);
    }
    return result == 0 ? rbd.rbd_get_size(r->image, &r->length) : result;
}

static int64_t close_call(void *data)
{
    Rbd *r = data;

    if (r->image) {
        rbd.rbd_close(r->image);
    }
    if (r->pool) {
        rados.rados_ioctx_destroy(r->pool);
    }
    if (r->cluster) {
        rados.rados_shutdown(r->cluster);
    }
    return 0;
}

static int64_t resize_call(void *data)
{
    Rbd *r = data;

    return rbd.rbd_resize(r->image, r->length);
}

/* [co] */
static int64_t run_on_worker(Rbd *r, int64_t (*call)(void *data))
{
    EngineOp op = { .kind = ENGINE_CALL, .call = call, .data = r };

    return engine_run(r->threads, &op);
}

/* ---- requests ---- */

typedef struct Wait {
    IoWork work;
    IoLoop *loop;
    Coroutine *co;
    int64_t result;
} Wait;

static void resume(IoWork *work)
{
    coroutine_enter(((Wait *)work)->co);
}

/* On a thread of the library. */
static void ended(rbd_completion_t completion, void *data)
{
    Wait *wait = data;

    wait->result = rbd.rbd_aio_get_return_value(completion);
    rbd.rbd_aio_release(completion);
    io_loop_post(wait->loop, &wait->work);
}

/* The library looks at the pieces until the end. */
static int begin(
    Rbd *r, const BlockIo *io, struct iovec pieces[BLOCK_PIECES], rbd_completion_t completion)
{
    unsigned count = 0;

    switch (io->op) {
    case BLOCK_READ:
        block_memory_pieces(io->memory, io->length, pieces, BLOCK_PIECES, &count);
        return rbd.rbd_aio_readv(r->image, pieces, count, io->at, completion);
    case BLOCK_WRITE:
        block_memory_pieces(io->memory, io->length, pieces, BLOCK_PIECES, &count);
        return rbd.rbd_aio_writev(r->image, pieces, count, io->at, completion);
    case BLOCK_DISCARD: return rbd.rbd_aio_discard(r->image, io->at, io->length, completion);
    default: return rbd.rbd_aio_flush(r->image, completion);
    }
}

/* [co] */
static int run(BlockNode *node, const BlockIo *io)
{
    Rbd *r = node->state;
    Wait wait = { .work.run = resume, .loop = node->loop, .co = coroutine_self() };
    struct iovec pieces[BLOCK_PIECES];
    rbd_completion_t completion;
    int result = rbd.rbd_aio_create_completion(&wait, ended, &completion);

    if (result < 0) {
        return result;
    }
    result = begin(r, io, pieces, completion);
    if (result < 0) {
        rbd.rbd_aio_release(completion);
        return result;
    }
    coroutine_yield();
    if (io->op == BLOCK_READ && wait.result >= 0 && wait.result != (int64_t)io->length) {
        return -EIO;
    }
    return MIN(wait.result, 0);
}

static int flush(BlockNode *node)
{
    return run(node, &(BlockIo){ .op = BLOCK_FLUSH });
}

static int run_in_parts(BlockNode *node, const BlockIo *io)
{
    int result = 0;

    for (uint64_t done = 0; done < io->length && result == 0; done += PART_MOST) {
        BlockIo part = { io->op, io->flags, io->at + done, MIN(io->length - done, PART_MOST),
            io->op == BLOCK_DISCARD ? io->memory : block_memory_after(io->memory, done) };

        result = run(node, &part);
    }
    return result == 0 && io->flags & BLOCK_DURABLE ? flush(node) : result;
}

static int rbd_transfer(BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_ZERO: return -ENOTSUP;
    case BLOCK_FLUSH: return flush(node);
    default: return run_in_parts(node, io);
    }
}

static int rbd_resize_node(BlockNode *node, uint64_t length)
{
    Rbd *r = node->state;
    int result;

    r->length = length;
    result = run_on_worker(r, resize_call);
    node->length = result == 0 ? length : node->length;
    return result;
}

/* ---- opening ---- */

static bool rbd_open_node(BlockNode *node, const BlockOptions *options, GError **error)
{
    Rbd *r = node->state;
    int result;

    if (!dynamic_load("librados.so.2", "librados2", rados_calls, &rados, error) ||
        !dynamic_load("librbd.so.1", "librbd1", rbd_calls, &rbd, error) ||
        !parse_place(&r->place, node->name, error)) {
        return false;
    }
    r->writes = !node->read_only;
    r->threads = engine_get(AIO_THREADS, node->loop, error);
    if (!r->threads) {
        return false;
    }
    if (r->writes && r->place.snapshot) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION, "`%s` is a snapshot, read-only",
            node->name);
        return false;
    }
    result = run_on_worker(r, open_call);
    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, result == -ENOENT ? BLOCK_ERROR_MISSING : BLOCK_ERROR_HOST,
            "`%s` cannot be opened: %s", node->name, g_strerror(-result));
        return false;
    }
    node->length = r->length;
    return true;
}

static void rbd_close_node(BlockNode *node)
{
    Rbd *r = node->state;

    if (r->threads) {
        run_on_worker(r, close_call);
    }
    engine_unref(r->threads);
    g_free(r->place.pool);
    g_free(r->place.image);
    g_free(r->place.snapshot);
    g_free(r->place.conf);
    g_free(r->place.user);
}

BLOCK_DRIVER(rbd) = {
    .name = "rbd",
    .protocol = true,
    .schemes = schemes,
    .state_size = sizeof(Rbd),
    .open = rbd_open_node,
    .close = rbd_close_node,
    .transfer = rbd_transfer,
    .resize = rbd_resize_node,
};
