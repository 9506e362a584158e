#include "core/clock.h"

#include <pthread.h>
#include <time.h>

#include "core/loop.h"
#include "core/spin.h"

struct Clock {
    /*
     * Time times two; odd while it runs, and then it is to be added to the host's. One word, so
     * that a reader needs no lock and never sees half a change.
     */
    int64_t word; /* atomic */
    bool stepped;
    unsigned slow; /* log2 of the host's nanoseconds in one of this clock's */

    pthread_mutex_t mutex; /* for all below */
    Timer *first;          /* pending ones, earliest first */
    int64_t armed_for;     /* what the alarm is set to, in this clock's time */
    LoopAlarm *alarm;      /* NULL when stepped */
};

struct Timer {
    Clock *clock;
    TimerFired fired;
    void *data;
    bool pending;
    int64_t at;
    Timer *next;
};

/* ---- reading ---- */

int64_t clock_host_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* The host's time at this clock's rate. */
static int64_t host_time(const Clock *clock)
{
    return clock_host_ns() >> clock->slow;
}

int64_t clock_now(const Clock *clock)
{
    int64_t word = __atomic_load_n(&clock->word, __ATOMIC_ACQUIRE);

    return (word & 1) ? (word >> 1) + host_time(clock) : word >> 1;
}

uint64_t clock_ns_to_ticks(int64_t ns, uint64_t hz)
{
    uint64_t seconds = (uint64_t)ns / NS_PER_SECOND, rest = (uint64_t)ns % NS_PER_SECOND;

    return seconds * hz + rest * hz / NS_PER_SECOND;
}

uint64_t clock_ticks(const Clock *clock, uint64_t hz)
{
    return clock_ns_to_ticks(clock_now(clock), hz);
}

int64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    uint64_t seconds, rest;

    if (hz == 0 || ticks / hz >= (uint64_t)(INT64_MAX / NS_PER_SECOND)) {
        return INT64_MAX;
    }
    seconds = ticks / hz;
    rest = ticks % hz;
    return seconds * NS_PER_SECOND +
        (int64_t)(((unsigned __int128)rest * NS_PER_SECOND + hz - 1) / hz);
}

/* ---- the alarm ---- */

static bool is_running(const Clock *clock)
{
    return __atomic_load_n(&clock->word, __ATOMIC_RELAXED) & 1;
}

/* When the clock, which runs, shows the time: never, when that is beyond what can be said; what is past is now. */
static int64_t host_time_locked(const Clock *clock, int64_t at)
{
    int64_t host;

    if (__builtin_sub_overflow(at, clock->word >> 1, &host) || host > INT64_MAX >> clock->slow) {
        return INT64_MAX;
    }
    return MAX(host, 0) << clock->slow;
}

/* Sets the alarm for the first timer. One that rings too early does no harm, so it is left. */
static void arm_locked(Clock *clock)
{
    int64_t at = clock->first ? clock->first->at : INT64_MAX;

    if (clock->alarm && is_running(clock) && at < clock->armed_for) {
        clock->armed_for = at;
        loop_alarm_set(clock->alarm, host_time_locked(clock, at));
    }
}

static void unlink_locked(Timer *timer)
{
    Timer **link = &timer->clock->first;

    if (!timer->pending) {
        return;
    }
    while (*link != timer) {
        link = &(*link)->next;
    }
    *link = timer->next;
    timer->pending = false;
}

/* Takes the first timer that is due by then; NULL when there is none. */
static Timer *take_due(Clock *clock, int64_t now)
{
    Timer *timer;

    spin_mutex_lock(&clock->mutex);
    timer = clock->first && clock->first->at <= now ? clock->first : NULL;
    if (timer) {
        unlink_locked(timer);
    }
    pthread_mutex_unlock(&clock->mutex);
    return timer;
}

static void run_due(Clock *clock, int64_t now)
{
    Timer *timer;

    while ((timer = take_due(clock, now))) {
        timer->fired(timer->data);
    }
}

static void alarm_rang(void *data)
{
    Clock *clock = data;

    spin_mutex_lock(&clock->mutex);
    clock->armed_for = INT64_MAX;
    pthread_mutex_unlock(&clock->mutex);
    if (is_running(clock)) {
        run_due(clock, clock_now(clock));
    }
    spin_mutex_lock(&clock->mutex);
    arm_locked(clock);
    pthread_mutex_unlock(&clock->mutex);
}

/* ---- life, running and standing still ---- */

Clock *clock_new_stepped(void)
{
    Clock *clock = g_new0(Clock, 1);

    clock->stepped = true;
    clock->armed_for = INT64_MAX;
    pthread_mutex_init(&clock->mutex, NULL);
    return clock;
}

Clock *clock_new(void)
{
    Clock *clock = clock_new_stepped();

    clock->stepped = false;
    clock->alarm = loop_alarm_new(alarm_rang, clock);
    return clock;
}

void clock_slow_down(Clock *clock, unsigned log2)
{
    g_assert(!is_running(clock));
    clock->slow = log2;
}

void clock_free(Clock *clock)
{
    if (clock) {
        g_assert(!clock->first);
        loop_alarm_free(clock->alarm);
        pthread_mutex_destroy(&clock->mutex);
        g_free(clock);
    }
}

/* From `ns` on, running or not. */
static void set_time(Clock *clock, int64_t ns, bool running)
{
    spin_mutex_lock(&clock->mutex);
    __atomic_store_n(
        &clock->word, running ? (ns - host_time(clock)) * 2 + 1 : ns * 2, __ATOMIC_RELEASE);
    clock->armed_for = INT64_MAX;
    if (clock->alarm && !running) {
        loop_alarm_set(clock->alarm, INT64_MAX);
    }
    arm_locked(clock);
    pthread_mutex_unlock(&clock->mutex);
}

void clock_resume(Clock *clock)
{
    if (!clock->stepped && !is_running(clock)) {
        set_time(clock, clock_now(clock), true);
    }
}

void clock_pause(Clock *clock)
{
    if (is_running(clock)) {
        set_time(clock, clock_now(clock), false);
    }
}

void clock_set(Clock *clock, int64_t ns)
{
    set_time(clock, ns, is_running(clock));
}

void clock_step(Clock *clock, int64_t ns)
{
    int64_t end = clock_now(clock) + ns;
    bool taken = machine_lock_ensure();
    Timer *timer;

    g_assert(clock->stepped);
    while ((timer = take_due(clock, end))) {
        set_time(clock, MAX(timer->at, clock_now(clock)), false);
        timer->fired(timer->data);
    }
    set_time(clock, end, false);
    machine_lock_restore(taken);
}

/* ---- timers ---- */

Timer *timer_new(Clock *clock, TimerFired fired, void *data)
{
    Timer *timer = g_new0(Timer, 1);

    timer->clock = clock;
    timer->fired = fired;
    timer->data = data;
    timer->at = INT64_MAX;
    return timer;
}

void timer_set(Timer *timer, int64_t at_ns)
{
    Clock *clock = timer->clock;
    Timer **link = &clock->first;

    if (at_ns == INT64_MAX) {
        timer_cancel(timer);
        return;
    }
    /* Later than the time for which timers run now, so that none can keep us there for ever. */
    at_ns = MAX(at_ns, clock_now(clock) + 1);
    spin_mutex_lock(&clock->mutex);
    unlink_locked(timer);
    while (*link && (*link)->at <= at_ns) {
        link = &(*link)->next;
    }
    timer->at = at_ns;
    timer->pending = true;
    timer->next = *link;
    *link = timer;
    arm_locked(clock);
    pthread_mutex_unlock(&clock->mutex);
}

void timer_cancel(Timer *timer)
{
    spin_mutex_lock(&timer->clock->mutex);
    unlink_locked(timer);
    pthread_mutex_unlock(&timer->clock->mutex);
}

void timer_free(Timer *timer)
{
    if (timer) {
        timer_cancel(timer);
        g_free(timer);
    }
}

bool timer_pending(const Timer *timer)
{
    return timer->pending;
}

int64_t timer_deadline(const Timer *timer)
{
    return timer->pending ? timer->at : INT64_MAX;
}
