/*
 * The main loop, and the machine lock.
 *
 * Everything that is not a CPU running guest code happens on the main loop's thread, with the
 * machine lock held: file descriptors, timers, calls from other threads. CPU threads take the lock
 * only to call a device. It is one mutex, not recursive, released while the loop waits.
 */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

void machine_lock(void);
bool machine_trylock(void); /* false when another thread has it */
void machine_unlock(void);
bool machine_lock_held(void); /* by this thread */

/* Takes the lock unless this thread has it; give the answer to machine_lock_restore(). */
bool machine_lock_ensure(void);
void machine_lock_restore(bool taken);

/*
 * Wakes a thread that sleeps on the futex; when this thread has the lock, not before it gives it back: that takes
 * long, and others wait meanwhile.
 */
void machine_wake(_Atomic uint32_t *word);

/* Runs until loop_quit(); gives its code. The caller holds no lock. */
int loop_run(void);
void loop_quit(int code); /* any thread; the first one counts */

/* Handles what is ready now, without waiting. True when there was something. For tests. */
bool loop_poll(void);

/* Calls fn(data) on the loop's thread with the machine lock, in the order of the calls. Any thread. */
typedef void (*LoopCall)(void *data);
void loop_call(LoopCall fn, void *data);

/* A watched file descriptor; the descriptor stays the caller's. */
typedef struct LoopWatch LoopWatch;
typedef void (*LoopReady)(void *data, int fd, GIOCondition ready);

LoopWatch *loop_watch(int fd, GIOCondition events, LoopReady ready, void *data);
void loop_watch_set(LoopWatch *watch, GIOCondition events); /* 0: none for now */
void loop_unwatch(LoopWatch *watch);                        /* also from its own callback */

/* A source of the loop's that is called at a host time (clock_host_ns); INT64_MAX: never. */
typedef struct LoopAlarm LoopAlarm;

LoopAlarm *loop_alarm_new(LoopCall fn, void *data);
void loop_alarm_set(LoopAlarm *alarm, gint64 host_ns); /* any thread */
void loop_alarm_free(LoopAlarm *alarm);

#endif
