#include "core/loop.h"

#include <glib-unix.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/futex.h"
#include "core/spin.h"

/* ---- the machine lock ---- */

enum { MAX_WAKES = 8 };

static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool holds_lock;
static _Thread_local struct {
    _Atomic uint32_t *words[MAX_WAKES];
    unsigned count;
} to_wake; /* when the thread gives the lock back */

void machine_lock(void)
{
    g_assert(!holds_lock);
    spin_mutex_lock(&the_lock);
    holds_lock = true;
}

bool machine_trylock(void)
{
    g_assert(!holds_lock);
    holds_lock = pthread_mutex_trylock(&the_lock) == 0;
    return holds_lock;
}

void machine_unlock(void)
{
    g_assert(holds_lock);
    holds_lock = false;
    pthread_mutex_unlock(&the_lock);
    while (to_wake.count > 0) {
        futex_wake(to_wake.words[--to_wake.count]);
    }
}

void machine_wake(_Atomic uint32_t *word)
{
    if (holds_lock && to_wake.count < MAX_WAKES) {
        to_wake.words[to_wake.count++] = word;
    } else {
        futex_wake(word);
    }
}

bool machine_lock_held(void)
{
    return holds_lock;
}

bool machine_lock_ensure(void)
{
    if (holds_lock) {
        return false;
    }
    machine_lock();
    return true;
}

void machine_lock_restore(bool taken)
{
    if (taken) {
        machine_unlock();
    }
}

struct LoopWatch {
    GSource source;
    int fd;
    void *tag;
    LoopReady ready;
    void *data;
};

/* ---- calls from other threads ---- */

typedef struct PendingCall {
    LoopCall fn;
    void *data;
} PendingCall;

/*
 * A queue and a descriptor of our own rather than GLib's sources: GLib takes its context's lock in
 * every thread that adds one, and ThreadSanitizer cannot see through that lock.
 */
static pthread_mutex_t calls_mutex = PTHREAD_MUTEX_INITIALIZER;
static GArray *calls; /* PendingCall; NULL when there are none */
static pthread_once_t wake_once = PTHREAD_ONCE_INIT;
static int wake_fd;

static void make_wake_fd(void)
{
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_assert(wake_fd >= 0);
}

static void wake(void)
{
    const uint64_t one = 1;

    pthread_once(&wake_once, make_wake_fd);
    /* It fails only when the counter is full, and then the loop is awake. */
    if (write(wake_fd, &one, sizeof(one)) < 0) {
        return;
    }
}

void loop_call(LoopCall fn, void *data)
{
    PendingCall call = { fn, data };

    pthread_mutex_lock(&calls_mutex);
    if (!calls) {
        calls = g_array_new(false, false, sizeof(PendingCall));
    }
    g_array_append_val(calls, call);
    pthread_mutex_unlock(&calls_mutex);
    wake();
}

/* Those made meanwhile come in the next round, after whatever else is ready. */
static void make_calls(void *data, int fd, GIOCondition ready)
{
    g_autoptr(GArray) taken = NULL;
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0) {
        return;
    }
    pthread_mutex_lock(&calls_mutex);
    taken = g_steal_pointer(&calls);
    pthread_mutex_unlock(&calls_mutex);
    for (unsigned i = 0; taken && i < taken->len; i++) {
        const PendingCall *call = &g_array_index(taken, PendingCall, i);

        call->fn(call->data);
    }
}

/* ---- running ---- */

enum { NOT_QUIT = -1 };

static int quit_code = NOT_QUIT; /* atomic */

static int poll_unlocked(GPollFD *fds, unsigned count, int timeout)
{
    int ready;

    machine_unlock();
    ready = g_poll(fds, count, timeout);
    machine_lock();
    return ready;
}

static void watch_calls(void)
{
    LoopWatch *watch = loop_watch(wake_fd, G_IO_IN, make_calls, NULL);

    /* A call may run the loop itself, to wait for another. */
    g_source_set_can_recurse(&watch->source, true);
}

static bool iterate(bool may_wait)
{
    static bool prepared; /* with the machine lock */

    if (!prepared) {
        prepared = true;
        pthread_once(&wake_once, make_wake_fd);
        g_main_context_set_poll_func(NULL, poll_unlocked);
        watch_calls();
    }
    return g_main_context_iteration(NULL, may_wait);
}

int loop_run(void)
{
    int code;

    machine_lock();
    while ((code = __atomic_load_n(&quit_code, __ATOMIC_ACQUIRE)) == NOT_QUIT) {
        iterate(true);
    }
    __atomic_store_n(&quit_code, NOT_QUIT, __ATOMIC_RELEASE);
    machine_unlock();
    return code;
}

void loop_quit(int code)
{
    int none = NOT_QUIT;

    __atomic_compare_exchange_n(&quit_code, &none, code, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    wake();
}

bool loop_poll(void)
{
    bool taken = machine_lock_ensure();
    bool did = iterate(false);

    machine_lock_restore(taken);
    return did;
}

/* ---- file descriptors ---- */

static gboolean watch_dispatch(GSource *source, GSourceFunc unused, void *unused_data)
{
    LoopWatch *watch = (LoopWatch *)source;
    GIOCondition ready = g_source_query_unix_fd(source, watch->tag);

    if (ready) {
        watch->ready(watch->data, watch->fd, ready);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_funcs = { .dispatch = watch_dispatch };

LoopWatch *loop_watch(int fd, GIOCondition events, LoopReady ready, void *data)
{
    GSource *source = g_source_new(&watch_funcs, sizeof(LoopWatch));
    LoopWatch *watch = (LoopWatch *)source;

    watch->fd = fd;
    watch->ready = ready;
    watch->data = data;
    watch->tag = g_source_add_unix_fd(source, fd, events);
    g_source_attach(source, NULL);
    return watch;
}

void loop_watch_set(LoopWatch *watch, GIOCondition events)
{
    g_source_modify_unix_fd(&watch->source, watch->tag, events);
}

void loop_unwatch(LoopWatch *watch)
{
    if (watch) {
        g_source_destroy(&watch->source);
        g_source_unref(&watch->source);
    }
}

/* ---- alarms ---- */

struct LoopAlarm {
    int fd;
    LoopWatch *watch;
    LoopCall fn;
    void *data;
};

static void alarm_ready(void *data, int fd, GIOCondition ready)
{
    LoopAlarm *alarm = data;
    uint64_t expirations;

    if (read(fd, &expirations, sizeof(expirations)) == sizeof(expirations)) {
        alarm->fn(alarm->data);
    }
}

LoopAlarm *loop_alarm_new(LoopCall fn, void *data)
{
    LoopAlarm *alarm = g_new0(LoopAlarm, 1);

    /* A timerfd, because poll's own time-out counts milliseconds. */
    alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    g_assert(alarm->fd >= 0);
    alarm->fn = fn;
    alarm->data = data;
    alarm->watch = loop_watch(alarm->fd, G_IO_IN, alarm_ready, alarm);
    return alarm;
}

void loop_alarm_set(LoopAlarm *alarm, gint64 host_ns)
{
    struct itimerspec when = { 0 };

    if (host_ns != INT64_MAX) {
        /* Zero would disarm it. */
        host_ns = MAX(host_ns, 1);
        when.it_value.tv_sec = host_ns / 1000000000;
        when.it_value.tv_nsec = host_ns % 1000000000;
    }
    timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void loop_alarm_free(LoopAlarm *alarm)
{
    if (alarm) {
        loop_unwatch(alarm->watch);
        close(alarm->fd);
        g_free(alarm);
    }
}
