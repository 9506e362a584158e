/*
 * The engine `io_uring` (io_uring(7)): operations queued during one turn of the loop go to the
 * kernel in one call, and what is finished is read from memory that is shared with it. All kinds
 * of operations are asynchronous, with every cache mode. Small writes into the page cache do not come
 * here (engine.c): some file systems would have a thread of the kernel's do each.
 */
#include "block/engine.h"

#include "core/have.h"

#ifdef HAVE_LIBURING
#include <errno.h>
#include <liburing.h>
#include <fcntl.h>

enum { DEPTH = 256, BATCH = 64 };

typedef struct Uring {
    Engine engine;
    IoHook hook;
    struct io_uring ring;
    bool deferred; /* the kernel completes requests only when it is asked to */

    EngineOp *first, **last; /* no room in the ring for them yet */
    unsigned prepared;       /* in the ring, the kernel has not been told */
    unsigned running;        /* in the ring or in the kernel: at most DEPTH */
    unsigned cached_writes;  /* asked for and not finished */
} Uring;

static void prepare(Uring *u, struct io_uring_sqe *sqe, EngineOp *op)
{
    switch (op->kind) {
    case ENGINE_READ: io_uring_prep_readv(sqe, op->fd, op->iov, op->iov_count, op->offset); break;
    case ENGINE_WRITE:
        io_uring_prep_writev2(
            sqe, op->fd, op->iov, op->iov_count, op->offset, op->durable ? RWF_DSYNC : 0);
        break;
    case ENGINE_SYNC: io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC); break;
    case ENGINE_PUNCH:
    case ENGINE_ZERO:
    case ENGINE_GROW:
        io_uring_prep_fallocate(
            sqe, op->fd, engine_fallocate_mode(op->kind), op->offset, op->length);
        break;
    case ENGINE_PUSH:
        io_uring_prep_sync_file_range(sqe, op->fd, op->length, op->offset, SYNC_FILE_RANGE_WRITE);
        break;
    default: g_assert_not_reached();
    }
    io_uring_sqe_set_data(sqe, op);
    u->prepared++;
    u->running++;
}

/* As many as there is room for; the others stay, in their order. */
static void prepare_waiting(Uring *u)
{
    while (u->first && u->running < DEPTH) {
        EngineOp *op = u->first;

        u->first = op->next;
        prepare(u, io_uring_get_sqe(&u->ring), op);
    }
    if (!u->first) {
        u->last = &u->first;
    }
}

/* True if the kernel took any; short of memory, it takes them at another turn. */
static bool submit_prepared(Uring *u)
{
    int taken = u->prepared > 0 ? io_uring_submit(&u->ring) : 0;

    u->prepared -= MAX(taken, 0);
    return taken > 0;
}

static void queue(Uring *u, EngineOp *op)
{
    op->next = NULL;
    *u->last = op;
    u->last = &op->next;
}

static bool is_cached_write(const EngineOp *op)
{
    return op->kind == ENGINE_WRITE && op->cached;
}

static void uring_submit(Engine *engine, EngineOp *op)
{
    Uring *u = (Uring *)engine;

    u->cached_writes += is_cached_write(op);
    queue(u, op);
}

static bool uring_is_cache_free(Engine *engine)
{
    return ((Uring *)engine)->cached_writes == 0;
}

static bool is_to_be_repeated(int64_t result)
{
    return result == -EINTR || result == -EAGAIN;
}

/* The last operation's end may free the engine: it is not looked at after that. */
static bool collect(Uring *u)
{
    struct io_uring_cqe *cqes[BATCH];
    EngineOp *ops[BATCH];
    unsigned count;

    if (u->running > 0 && u->deferred) {
        io_uring_get_events(&u->ring);
    }
    count = io_uring_peek_batch_cqe(&u->ring, cqes, BATCH);
    for (unsigned i = 0; i < count; i++) {
        ops[i] = io_uring_cqe_get_data(cqes[i]);
        ops[i]->result = cqes[i]->res;
    }
    io_uring_cq_advance(&u->ring, count);
    u->running -= count;
    for (unsigned i = 0; i < count; i++) {
        if (is_to_be_repeated(ops[i]->result)) {
            queue(u, ops[i]);
        } else {
            u->cached_writes -= is_cached_write(ops[i]);
            ops[i]->done(ops[i]);
        }
    }
    return count > 0;
}

static bool uring_turn(IoHook *hook)
{
    Uring *u = (Uring *)((char *)hook - offsetof(Uring, hook));
    bool any;

    prepare_waiting(u);
    any = submit_prepared(u);
    return collect(u) || any;
}

static void uring_free(Engine *engine)
{
    Uring *u = (Uring *)engine;

    io_loop_remove_hook(u->engine.loop, &u->hook);
    io_uring_queue_exit(&u->ring);
    g_free(u);
}

/* Requests that the kernel completes when the loop asks cost it least (Linux 6.1). */
static int set_up(Uring *u)
{
    int result = io_uring_queue_init(
        DEPTH, &u->ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);

    u->deferred = result == 0;
    if (result == -EINVAL) {
        result = io_uring_queue_init(DEPTH, &u->ring, 0);
    }
    return result;
}

/* All that a drive needs came with Linux 5.6, fallocate last. */
static int check_kernel(Uring *u)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(&u->ring);
    bool fine = probe && io_uring_opcode_supported(probe, IORING_OP_FALLOCATE);

    io_uring_free_probe(probe);
    return fine ? io_uring_register_eventfd(&u->ring, io_loop_eventfd(u->engine.loop)) : -ENOSYS;
}

Engine *engine_uring_new(IoLoop *loop, GError **error)
{
    Uring *u = g_new0(Uring, 1);
    int result = set_up(u);

    u->engine = (Engine){ .name = "io_uring",
        .loop = loop,
        .submit = uring_submit,
        .is_cache_free = uring_is_cache_free,
        .free = uring_free };
    u->last = &u->first;
    if (result == 0) {
        result = check_kernel(u);
        if (result < 0) {
            io_uring_queue_exit(&u->ring);
        }
    }
    if (result < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-result),
            "the kernel gives no io_uring: %s", g_strerror(-result));
        g_free(u);
        return NULL;
    }
    u->hook.turn = uring_turn;
    io_loop_add_hook(loop, &u->hook);
    return &u->engine;
}

#else

Engine *engine_uring_new(IoLoop *loop, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
        "lathe was built without io_uring: install liburing-dev and build it again");
    return NULL;
}

#endif
