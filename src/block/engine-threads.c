/*
 * The engine `threads`: worker threads that block, so that nobody else has to. It can do
 * everything on every kind of file. Threads are made when all are busy, and go after a while
 * without work. Writes into the page cache take turns: file systems let one at a time into a file
 * anyway, and threads that wait for each other there cost more than the copying. Operations that
 * wait, and go on where the one before them ends, are done by one call to the kernel.
 */
#include "block/engine.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { MOST_THREADS = 16, IDLE_SECONDS = 10 };
/* Of operations that are done as one: few enough that others still go on beside them. */
enum { RUN_MOST = 32, RUN_PIECES = 64, RUN_BYTES = 128 * 1024 };

typedef struct Lane {
    EngineOp *first, **last; /* waiting for a worker */
    unsigned count;
} Lane;

typedef struct Threads {
    Engine engine;
    pthread_mutex_t mutex;
    pthread_cond_t arrived, left;
    Lane lane, turns; /* `turns`: one at a time */
    bool turn_taken;
    unsigned count, idle;
    GThread
        *gone; /* the last that left its work, and waits for the one that left before; NULL: none */
    bool stop;
} Threads;

/* On the loop: the operation is over. */
static void deliver(IoWork *work)
{
    EngineOp *op = (EngineOp *)((char *)work - offsetof(EngineOp, work));

    op->done(op);
}

static void lane_add(Lane *lane, EngineOp *op)
{
    op->next = NULL;
    *lane->last = op;
    lane->last = &op->next;
    lane->count++;
}

static bool goes_on(const EngineOp *op, const EngineOp *next)
{
    return (op->kind == ENGINE_READ || op->kind == ENGINE_WRITE) && next->kind == op->kind &&
        next->fd == op->fd && next->durable == op->durable &&
        next->offset == op->offset + op->length;
}

/* The oldest operation, and those behind it that go on where it ends; a list that ends with NULL. */
static EngineOp *lane_take(Lane *lane)
{
    EngineOp *first = lane->first, *last = first;
    uint64_t bytes = first ? first->length : 0;
    unsigned count = 1, pieces = first ? first->iov_count : 0;

    if (!first) {
        return NULL;
    }
    while (last->next && goes_on(last, last->next) && count < RUN_MOST &&
        bytes + last->next->length <= RUN_BYTES && pieces + last->next->iov_count <= RUN_PIECES) {
        last = last->next;
        bytes += last->length;
        pieces += last->iov_count;
        count++;
    }
    lane->first = last->next;
    lane->count -= count;
    if (!lane->first) {
        lane->last = &lane->first;
    }
    last->next = NULL;
    return first;
}

static bool takes_turns(const EngineOp *op)
{
    return op->kind == ENGINE_WRITE && op->cached;
}

/* So many workers would find something to do. */
static unsigned count_work_locked(const Threads *t)
{
    return t->lane.count + (t->turns.count > 0 && !t->turn_taken);
}

/* Waits for an operation; NULL when there has been none for long, or the engine ends. */
static EngineOp *take_locked(Threads *t)
{
    struct timespec until;
    bool in_time = true;
    EngineOp *op;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    while (count_work_locked(t) == 0 && !t->stop && in_time) {
        in_time = pthread_cond_clockwait(&t->arrived, &t->mutex, CLOCK_MONOTONIC, &until) == 0;
    }
    t->idle--;
    op = t->turn_taken ? NULL : lane_take(&t->turns);
    t->turn_taken |= op != NULL;
    return op ? op : lane_take(&t->lane);
}

/* All of them by one call; false: not all of it went well, each has to say for itself. */
static bool do_as_one(EngineOp *first)
{
    struct iovec pieces[RUN_PIECES];
    EngineOp whole = *first;

    whole.iov = pieces;
    whole.iov_count = 0;
    whole.length = 0;
    for (const EngineOp *op = first; op; op = op->next) {
        memcpy(pieces + whole.iov_count, op->iov, op->iov_count * sizeof(*pieces));
        whole.iov_count += op->iov_count;
        whole.length += op->length;
    }
    return engine_do_blocking(&whole) == (int64_t)whole.length;
}

static void do_run(EngineOp *first)
{
    bool fine = first->next && do_as_one(first);

    for (EngineOp *op = first; op; op = op->next) {
        op->result = fine ? (int64_t)op->length : engine_do_blocking(op);
    }
}

static void post_run(Threads *t, EngineOp *first)
{
    for (EngineOp *op = first, *next; op; op = next) {
        next = op->next; /* who waits for it may go away with it */
        io_loop_post(t->engine.loop, &op->work);
    }
}

/*
 * A worker is idle before it tells what it has done: whoever asks for more at once, as one who makes
 * one request after the other does, finds it so and makes no other.
 */
static void *worker_main(void *data)
{
    Threads *t = data;
    GThread *before;
    EngineOp *op;

    pthread_mutex_lock(&t->mutex);
    t->idle++;
    while ((op = take_locked(t))) {
        bool turn = takes_turns(op);

        pthread_mutex_unlock(&t->mutex);
        do_run(op);
        pthread_mutex_lock(&t->mutex);
        t->idle++;
        t->turn_taken &= !turn;
        pthread_mutex_unlock(&t->mutex);
        post_run(t, op);
        pthread_mutex_lock(&t->mutex);
    }
    before = t->gone;
    t->gone = g_thread_self();
    t->count--;
    pthread_cond_signal(&t->left);
    pthread_mutex_unlock(&t->mutex);
    if (before) {
        g_thread_join(before);
    }
    return NULL;
}

static void threads_submit(Engine *engine, EngineOp *op)
{
    Threads *t = (Threads *)engine;
    unsigned work;
    bool more;

    op->work.run = deliver;
    pthread_mutex_lock(&t->mutex);
    lane_add(takes_turns(op) ? &t->turns : &t->lane, op);
    work = count_work_locked(t);
    more = work > t->idle && t->count < MOST_THREADS;
    t->count += more;
    pthread_mutex_unlock(&t->mutex); /* before the signal: who wakes wants the mutex at once */
    if (more) {
        g_thread_new("io-worker", worker_main, t);
    } else if (work > 0) {
        pthread_cond_signal(&t->arrived);
    }
}

static bool threads_is_cache_free(Engine *engine)
{
    Threads *t = (Threads *)engine;
    bool is_free;

    pthread_mutex_lock(&t->mutex);
    is_free = !t->turn_taken && !t->turns.first;
    pthread_mutex_unlock(&t->mutex);
    return is_free;
}

static void threads_free(Engine *engine)
{
    Threads *t = (Threads *)engine;

    pthread_mutex_lock(&t->mutex);
    t->stop = true;
    pthread_cond_broadcast(&t->arrived);
    while (t->count > 0) {
        pthread_cond_wait(&t->left, &t->mutex);
    }
    pthread_mutex_unlock(&t->mutex);
    if (t->gone) {
        g_thread_join(
            t->gone); /* libraries (OpenSSL) still clean up after it, and must not have gone themselves */
    }
    pthread_cond_destroy(&t->arrived);
    pthread_cond_destroy(&t->left);
    pthread_mutex_destroy(&t->mutex);
    g_free(t);
}

Engine *engine_threads_new(IoLoop *loop, GError **error)
{
    Threads *t = g_new0(Threads, 1);

    t->engine = (Engine){ .name = "threads",
        .loop = loop,
        .submit = threads_submit,
        .is_cache_free = threads_is_cache_free,
        .free = threads_free };
    t->lane.last = &t->lane.first;
    t->turns.last = &t->turns.first;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->arrived, NULL);
    pthread_cond_init(&t->left, NULL);
    return &t->engine;
}
