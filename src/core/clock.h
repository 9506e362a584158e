/*
 * Time: the host's, the machine's, and the timers and clock rates of devices.
 *
 * A machine has one Clock. Its time is in nanoseconds since power-on; it follows the host's while
 * the machine runs and stands still while it is paused. A stepped clock (tests) moves only when
 * told to.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)

int64_t clock_host_ns(void); /* CLOCK_MONOTONIC */

typedef struct Clock Clock;

Clock *clock_new(void); /* paused at 0 */
Clock *clock_new_stepped(void);
void clock_free(Clock *clock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clock, clock_free)

int64_t clock_now(const Clock *clock); /* any thread, no lock: an rdtime is made of this */

/* now * hz / 10^9 without overflow. */
uint64_t clock_ticks(const Clock *clock, uint64_t hz);
uint64_t clock_ns_to_ticks(int64_t ns, uint64_t hz);
/* The first ns at which a counter of that rate shows `ticks`; INT64_MAX beyond 292 years. */
int64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz);

/* Time shall pass 2^log2 times as slowly as the host's; before it runs. */
void clock_slow_down(Clock *clock, unsigned log2);
void clock_resume(Clock *clock);
void clock_pause(Clock *clock);
void clock_set(Clock *clock, int64_t ns); /* loading a snapshot */

/* A stepped clock: moves to each timer due on the way, and calls it, then to the end. */
void clock_step(Clock *clock, int64_t ns);

/*
 * Timers, in guest time; about 10 us late at most on an idle host. Setting takes any thread and
 * any lock or none; the callback runs on the loop's thread with the machine lock.
 */
typedef struct Timer Timer;
typedef void (*TimerFired)(void *data);

Timer *timer_new(Clock *clock, TimerFired fired, void *data);
void timer_free(Timer *timer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Timer, timer_free)

void timer_set(Timer *timer, int64_t at_ns); /* replaces; in the past: at once, not now */
void timer_cancel(Timer *timer);
bool timer_pending(const Timer *timer);
int64_t timer_deadline(const Timer *timer); /* INT64_MAX when not pending */

#endif
