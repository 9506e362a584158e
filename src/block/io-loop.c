/*
 * One eventfd wakes the loop, whoever has something for it: another thread that posts, libaio, a
 * worker. So a sleeping loop costs one system call to wait and its waker one to wake it, and a
 * busy one costs none.
 */
#include "block/io-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024 };

typedef struct Sleeper {
    struct Sleeper *next;
    int64_t until; /* of the monotonic clock, in ns */
    Coroutine *co;
} Sleeper;

/* A coroutine that waits for a descriptor. */
typedef struct FdWaiter {
    struct FdWaiter *next;
    struct pollfd fd;
    int64_t until; /* of the monotonic clock, in ns; INT64_MAX: for ever */
    Coroutine *co;
} FdWaiter;

struct IoLoop {
    int eventfd;
    GThread *thread;
    IoWork *posted; /* atomic: newest first */
    int asleep;     /* atomic: whoever posts must signal the eventfd */
    bool stop;
    unsigned hurries; /* atomic */

    IoHook *hooks;
    void *slots[IO_LOOP_SLOTS];
    Sleeper *sleepers; /* soonest first */
    FdWaiter *waiters;
    GString *reports; /* NULL: none */
    GArray *polled;   /* of struct pollfd: the event descriptor, and one for each waiter */
};

/*
 * A process with threads waits each time its table of descriptors grows until all of them have seen
 * it, many milliseconds; a chain of images makes it grow some times. So it grows once, mostly before
 * there are threads. Where that many descriptors are not allowed, it stays as it is.
 */
static void make_room_for_descriptors(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS - 1);

    if (high >= 0) {
        close(high);
    }
}

IoLoop *io_loop_new(GError **error)
{
    IoLoop *loop = g_new0(IoLoop, 1);

    loop->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->polled = g_array_new(false, false, sizeof(struct pollfd));
    if (loop->eventfd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "no event descriptor: %s",
            g_strerror(errno));
        g_array_unref(loop->polled);
        g_free(loop);
        return NULL;
    }
    make_room_for_descriptors(loop->eventfd);
    return loop;
}

int io_loop_eventfd(const IoLoop *loop)
{
    return loop->eventfd;
}

void **io_loop_slot(IoLoop *loop, unsigned index)
{
    return &loop->slots[index];
}

static void wake(IoLoop *loop)
{
    uint64_t one = 1;

    /* Fails only when the counter is full, and then the loop wakes anyway. */
    if (write(loop->eventfd, &one, sizeof(one)) < 0) {
        return;
    }
}

void io_loop_post(IoLoop *loop, IoWork *work)
{
    IoWork *head = __atomic_load_n(&loop->posted, __ATOMIC_RELAXED);

    do {
        work->next = head;
    } while (!__atomic_compare_exchange_n(
        &loop->posted, &head, work, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (__atomic_exchange_n(&loop->asleep, 0, __ATOMIC_SEQ_CST)) {
        wake(loop);
    }
}

/* Runs what was posted, oldest first. */
static bool run_posted(IoLoop *loop)
{
    IoWork *newest = __atomic_exchange_n(&loop->posted, NULL, __ATOMIC_ACQUIRE);
    IoWork *oldest = NULL;

    for (IoWork *work = newest, *next; work; work = next) {
        next = work->next;
        work->next = oldest;
        oldest = work;
    }
    for (IoWork *work = oldest, *next; work; work = next) {
        next = work->next;
        work->run(work);
    }
    return newest != NULL;
}

int64_t io_loop_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool run_sleepers(IoLoop *loop)
{
    bool any = false;

    while (loop->sleepers && loop->sleepers->until <= io_loop_now()) {
        Sleeper *sleeper = loop->sleepers;

        loop->sleepers = sleeper->next;
        coroutine_enter(sleeper->co);
        any = true;
    }
    return any;
}

void io_loop_sleep(IoLoop *loop, int64_t nanoseconds)
{
    Sleeper sleeper = { .until = io_loop_now() + nanoseconds, .co = coroutine_self() };
    Sleeper **at = &loop->sleepers;

    while (*at && (*at)->until <= sleeper.until) {
        at = &(*at)->next;
    }
    sleeper.next = *at;
    *at = &sleeper;
    coroutine_yield();
}

/* ---- descriptors ---- */

static bool wait_fd_until(IoLoop *loop, int fd, short events, int64_t until)
{
    FdWaiter waiter = { .next = loop->waiters,
        .fd = { .fd = fd, .events = events },
        .until = until,
        .co = coroutine_self() };

    loop->waiters = &waiter;
    coroutine_yield();
    return waiter.fd.revents != 0;
}

void io_loop_wait_fd(IoLoop *loop, int fd, short events)
{
    wait_fd_until(loop, fd, events, INT64_MAX);
}

bool io_loop_wait_fd_for(IoLoop *loop, int fd, short events, int64_t nanoseconds)
{
    int64_t now = io_loop_now();

    return wait_fd_until(
        loop, fd, events, nanoseconds < INT64_MAX - now ? now + nanoseconds : INT64_MAX);
}

/* Waits for the event descriptor and for all that coroutines wait for. */
static void poll_all(IoLoop *loop, const struct timespec *limit)
{
    struct pollfd own = { .fd = loop->eventfd, .events = POLLIN };
    unsigned at = 1;

    g_array_set_size(loop->polled, 0);
    g_array_append_val(loop->polled, own);
    for (FdWaiter *waiter = loop->waiters; waiter; waiter = waiter->next) {
        g_array_append_val(loop->polled, waiter->fd);
    }
    if (ppoll((struct pollfd *)loop->polled->data, loop->polled->len, limit, NULL) <= 0) {
        return;
    }
    for (FdWaiter *waiter = loop->waiters; waiter; waiter = waiter->next) {
        waiter->fd.revents = g_array_index(loop->polled, struct pollfd, at++).revents;
    }
}

static bool is_over(const FdWaiter *waiter)
{
    return waiter->fd.revents || (waiter->until != INT64_MAX && waiter->until <= io_loop_now());
}

/* Those that are ready leave the list before any of them runs, which may add others. */
static bool run_ready(IoLoop *loop)
{
    FdWaiter *ready = NULL;

    for (FdWaiter **at = &loop->waiters; *at;) {
        FdWaiter *waiter = *at;

        if (is_over(waiter)) {
            *at = waiter->next;
            waiter->next = ready;
            ready = waiter;
        } else {
            at = &waiter->next;
        }
    }
    for (FdWaiter *waiter = ready, *next; waiter; waiter = next) {
        next = waiter->next;
        coroutine_enter(waiter->co);
    }
    return ready != NULL;
}

static bool poll_now(IoLoop *loop)
{
    static const struct timespec at_once;

    if (!loop->waiters) {
        return false;
    }
    poll_all(loop, &at_once);
    return run_ready(loop);
}

/* ---- reports ---- */

void io_loop_report(IoLoop *loop, const char *text)
{
    loop->reports = loop->reports ? loop->reports : g_string_new(NULL);
    g_string_append_printf(loop->reports, "%s%s", loop->reports->len ? "\n" : "", text);
}

char *io_loop_take_reports(IoLoop *loop)
{
    GString *reports = g_steal_pointer(&loop->reports);

    return reports ? g_string_free(reports, false) : NULL;
}

static void print_reports(IoLoop *loop)
{
    g_autofree char *text = io_loop_take_reports(loop);

    if (text) {
        fprintf(stderr, "lathe: %s\n", text);
    }
}

/* ---- turning ---- */

void io_loop_hurry(IoLoop *loop, bool hurry)
{
    __atomic_fetch_add(&loop->hurries, hurry ? 1 : -1, __ATOMIC_RELAXED);
}

bool io_loop_is_hurried(const IoLoop *loop)
{
    return __atomic_load_n(&loop->hurries, __ATOMIC_RELAXED) > 0;
}

static bool turn(IoLoop *loop)
{
    bool any = run_posted(loop);

    any |= run_sleepers(loop);
    for (IoHook *hook = loop->hooks, *next; hook; hook = next) {
        next = hook->next;
        any |= hook->turn(hook);
    }
    return poll_now(loop) || any;
}

/* When somebody has waited long enough; INT64_MAX: nobody waits for a time. */
static int64_t next_end(const IoLoop *loop)
{
    int64_t until = loop->sleepers ? loop->sleepers->until : INT64_MAX;

    for (const FdWaiter *waiter = loop->waiters; waiter; waiter = waiter->next) {
        until = MIN(until, waiter->until);
    }
    return until;
}

static void wait_for_events(IoLoop *loop)
{
    int64_t until = next_end(loop);
    struct timespec limit = { 0 };
    uint64_t count;

    __atomic_store_n(&loop->asleep, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&loop->posted, __ATOMIC_SEQ_CST)) {
        if (until != INT64_MAX) {
            int64_t left = MAX(until - io_loop_now(), 0);

            limit.tv_sec = left / 1000000000;
            limit.tv_nsec = left % 1000000000;
        }
        poll_all(loop, until != INT64_MAX ? &limit : NULL);
    }
    __atomic_store_n(&loop->asleep, 0, __ATOMIC_SEQ_CST);
    if (read(loop->eventfd, &count, sizeof(count)) < 0) {
        return; /* somebody posted without a signal, or time is up */
    }
}

static void *thread_main(void *data)
{
    IoLoop *loop = data;

    while (!loop->stop) {
        if (!turn(loop)) {
            wait_for_events(loop);
        }
    }
    return NULL;
}

void io_loop_start(IoLoop *loop, const char *name)
{
    g_assert(!loop->thread);
    loop->thread = g_thread_new(name, thread_main, loop);
}

typedef struct Run {
    IoWork work;
    CoroutineEntry *entry;
    void *data;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool finished;
} Run;

static void run_main(void *data)
{
    Run *run = data;

    run->entry(run->data);
    pthread_mutex_lock(&run->mutex);
    run->finished = true;
    pthread_cond_signal(&run->cond);
    pthread_mutex_unlock(&run->mutex);
}

static void run_begin(IoWork *work)
{
    coroutine_enter(coroutine_new(run_main, work));
}

void io_loop_run(IoLoop *loop, CoroutineEntry *entry, void *data)
{
    Run run = { .work.run = run_begin, .entry = entry, .data = data };

    pthread_mutex_init(&run.mutex, NULL);
    pthread_cond_init(&run.cond, NULL);
    io_loop_post(loop, &run.work);
    if (loop->thread) {
        pthread_mutex_lock(&run.mutex);
        while (!run.finished) {
            pthread_cond_wait(&run.cond, &run.mutex);
        }
        pthread_mutex_unlock(&run.mutex);
    } else {
        while (!run.finished) {
            if (!turn(loop) && !run.finished) {
                wait_for_events(loop);
            }
        }
    }
    pthread_cond_destroy(&run.cond);
    pthread_mutex_destroy(&run.mutex);
}

void io_loop_add_hook(IoLoop *loop, IoHook *hook)
{
    hook->next = loop->hooks;
    loop->hooks = hook;
}

void io_loop_remove_hook(IoLoop *loop, IoHook *hook)
{
    IoHook **at = &loop->hooks;

    while (*at && *at != hook) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = hook->next;
    }
}

typedef struct Stop {
    IoWork work;
    IoLoop *loop;
} Stop;

static void stop_now(IoWork *work)
{
    ((Stop *)work)->loop->stop = true;
}

void io_loop_free(IoLoop *loop)
{
    Stop stop = { .work.run = stop_now, .loop = loop };

    if (!loop) {
        return;
    }
    if (loop->thread) {
        io_loop_post(loop, &stop.work);
        g_thread_join(loop->thread);
    }
    print_reports(loop);
    close(loop->eventfd);
    g_array_unref(loop->polled);
    g_free(loop);
}
