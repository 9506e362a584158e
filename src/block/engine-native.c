/*
 * The engine `native`: Linux AIO (io_submit(2)). Operations queued during one turn of the loop go
 * to the kernel in one call. Only O_DIRECT descriptors are really asynchronous there, which is why
 * the loader demands a direct cache mode. What Linux AIO has no command for (fallocate) is left
 * to worker threads.
 */
#include "block/engine.h"

#include <errno.h>
#include <libaio.h>
#include <unistd.h>

enum { DEPTH = 256, BATCH = 64 };

typedef struct Native {
    Engine engine;
    IoHook hook;
    io_context_t context;
    Engine *threads;

    EngineOp *first, **last; /* not submitted yet */
    struct iocb iocbs[DEPTH];
    struct iocb *unused[DEPTH]; /* a stack of the free ones */
    unsigned unused_count;
} Native;

/* Linux refuses what it does not know with one of these; a worker then does it another way. */
static bool is_refusal(int64_t result)
{
    return result == -EINVAL || result == -EOPNOTSUPP || result == -ENOSYS;
}

static void finish(Native *n, struct iocb *iocb, int64_t result)
{
    EngineOp *op = iocb->data;

    n->unused[n->unused_count++] = iocb;
    if (is_refusal(result) && (op->kind == ENGINE_SYNC || op->durable)) {
        n->threads->submit(n->threads, op);
        return;
    }
    op->result = result;
    op->done(op);
}

static void prepare(Native *n, struct iocb *iocb, EngineOp *op)
{
    switch (op->kind) {
    case ENGINE_READ: io_prep_preadv(iocb, op->fd, op->iov, op->iov_count, op->offset); break;
    case ENGINE_WRITE:
        io_prep_pwritev(iocb, op->fd, op->iov, op->iov_count, op->offset);
        iocb->aio_rw_flags = op->durable ? RWF_DSYNC : 0;
        break;
    case ENGINE_SYNC: io_prep_fdsync(iocb, op->fd); break;
    default: g_assert_not_reached();
    }
    io_set_eventfd(iocb, io_loop_eventfd(n->engine.loop));
    iocb->data = op;
}

static void queue_front(Native *n, struct iocb *iocb)
{
    EngineOp *op = iocb->data;

    n->unused[n->unused_count++] = iocb;
    op->next = n->first;
    if (!n->first) {
        n->last = &op->next;
    }
    n->first = op;
}

static unsigned prepare_batch(Native *n, struct iocb **batch)
{
    unsigned count = 0;

    while (n->first && n->unused_count > 0 && count < BATCH) {
        EngineOp *op = n->first;

        n->first = op->next;
        batch[count] = n->unused[--n->unused_count];
        prepare(n, batch[count++], op);
    }
    if (!n->first) {
        n->last = &n->first;
    }
    return count;
}

/* Gives the kernel what is queued, as far as there is room; true if it took any. */
static bool submit_queued(Native *n)
{
    struct iocb *batch[BATCH];
    unsigned count = prepare_batch(n, batch);
    unsigned done = 0;

    while (done < count) {
        int taken = io_submit(n->context, count - done, batch + done);

        if (taken == -EAGAIN) {
            break; /* short of memory for a moment: the next turn */
        }
        if (taken < 0) {
            finish(n, batch[done], taken); /* the first one is the one it dislikes */
            taken = 1;
        }
        done += taken;
    }
    for (unsigned i = count; i > done; i--) {
        queue_front(n, batch[i - 1]);
    }
    return done > 0;
}

static bool collect(Native *n)
{
    struct io_event events[BATCH];
    struct timespec at_once = { 0 };
    int count = 0;

    if (n->unused_count < DEPTH) {
        count = io_getevents(n->context, 0, BATCH, events, &at_once);
    }
    for (int i = 0; i < count; i++) {
        finish(n, events[i].obj, (int64_t)events[i].res);
    }
    return count > 0;
}

static bool native_turn(IoHook *hook)
{
    Native *n = (Native *)((char *)hook - offsetof(Native, hook));
    bool any = submit_queued(n);

    return collect(n) || any;
}

static void native_submit(Engine *engine, EngineOp *op)
{
    Native *n = (Native *)engine;

    if (op->kind != ENGINE_READ && op->kind != ENGINE_WRITE && op->kind != ENGINE_SYNC) {
        n->threads->submit(n->threads, op);
        return;
    }
    op->next = NULL;
    *n->last = op;
    n->last = &op->next;
}

static void native_free(Engine *engine)
{
    Native *n = (Native *)engine;

    io_loop_remove_hook(n->engine.loop, &n->hook);
    io_destroy(n->context);
    engine_unref(n->threads);
    g_free(n);
}

Engine *engine_native_new(IoLoop *loop, GError **error)
{
    Native *n = g_new0(Native, 1);
    int result = io_setup(DEPTH, &n->context);

    if (result < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-result),
            "the kernel gives no context for asynchronous I/O: %s", g_strerror(-result));
        g_free(n);
        return NULL;
    }
    n->engine = (Engine){
        .name = "native", .loop = loop, .submit = native_submit, .free = native_free
    };
    n->threads = engine_get(AIO_THREADS, loop, error);
    n->last = &n->first;
    for (unsigned i = 0; i < DEPTH; i++) {
        n->unused[n->unused_count++] = &n->iocbs[i];
    }
    n->hook.turn = native_turn;
    io_loop_add_hook(loop, &n->hook);
    return &n->engine;
}
