#include "block/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A write into the page cache is a copy, unless the host has too many of them to write out. */
enum { AT_ONCE_MOST = 64 * 1024, SLOW_NS = 1000000, WARY_NS = 1000000000 };

static Engine *(*const makers[])(IoLoop *loop, GError **error) = {
    [AIO_THREADS] = engine_threads_new,
    [AIO_NATIVE] = engine_native_new,
    [AIO_IO_URING] = engine_uring_new,
};

Engine *engine_get(DriveAio aio, IoLoop *loop, GError **error)
{
    void **slot = io_loop_slot(loop, aio);
    Engine *engine = *slot ? *slot : makers[aio](loop, error);

    if (engine) {
        engine->aio = aio;
        engine->refs++;
        *slot = engine;
    }
    return engine;
}

void engine_unref(Engine *engine)
{
    if (engine && --engine->refs == 0) {
        *io_loop_slot(engine->loop, engine->aio) = NULL;
        engine->free(engine);
    }
}

static void resume(EngineOp *op)
{
    coroutine_enter(op->waiter);
}

/* What the page cache has needs no thread and no wait: a memory copy is cheaper than asking. */
static bool read_from_cache(EngineOp *op)
{
    if (op->kind != ENGINE_READ || !op->cached) {
        return false;
    }
    /* tmpfs refuses RWF_NOWAIT, and has nothing to wait for. */
    op->result = preadv2(
        op->fd, op->iov, op->iov_count, op->offset, op->in_memory ? 0 : RWF_NOWAIT);
    op->refused = op->result < 0 && errno == EOPNOTSUPP;
    return op->result == (int64_t)op->length;
}

/*
 * To ask somebody would cost more than the copy; if two in a row take long, the next ones are asked
 * for. One may have had to let another program have the processor.
 */
static bool write_into_cache(Engine *engine, EngineOp *op)
{
    int64_t start;
    bool slow;

    if (op->kind != ENGINE_WRITE || !op->cached || op->durable || op->length > AT_ONCE_MOST ||
        !engine->is_cache_free) {
        return false;
    }
    start = io_loop_now();
    if (start < engine->wary_until || !engine->is_cache_free(engine)) {
        return false;
    }
    op->result = engine_do_blocking(op);
    slow = io_loop_now() - start > SLOW_NS;
    if (slow && engine->was_slow) {
        engine->wary_until = start + WARY_NS;
    }
    engine->was_slow = slow;
    return true;
}

bool engine_do_at_once(Engine *engine, EngineOp *op)
{
    return read_from_cache(op) || write_into_cache(engine, op);
}

int64_t engine_run(Engine *engine, EngineOp *op)
{
    op->done = resume;
    op->waiter = coroutine_self();
    engine->submit(engine, op);
    coroutine_yield();
    return op->result;
}

int engine_fallocate_mode(EngineKind kind)
{
    switch (kind) {
    case ENGINE_PUNCH: return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    case ENGINE_ZERO: return FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
    case ENGINE_GROW: return 0;
    default: g_assert_not_reached();
    }
}

int64_t engine_do_blocking(const EngineOp *op)
{
    int64_t result;

    do {
        switch (op->kind) {
        case ENGINE_READ: result = preadv(op->fd, op->iov, op->iov_count, op->offset); break;
        case ENGINE_WRITE:
            result = pwritev2(
                op->fd, op->iov, op->iov_count, op->offset, op->durable ? RWF_DSYNC : 0);
            break;
        case ENGINE_SYNC: result = fdatasync(op->fd); break;
        case ENGINE_PUNCH:
        case ENGINE_ZERO:
        case ENGINE_GROW:
            result = fallocate(op->fd, engine_fallocate_mode(op->kind), op->offset, op->length);
            break;
        case ENGINE_PUSH:
            result = sync_file_range(op->fd, op->offset, op->length, SYNC_FILE_RANGE_WRITE);
            break;
        case ENGINE_CALL: return op->call(op->data);
        default: g_assert_not_reached();
        }
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}
