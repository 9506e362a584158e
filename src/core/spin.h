/*
 * Waiting for what another thread is about to do: a few microseconds of looking again and again, as to sleep and be
 * woken takes fifty; then short sleeps. To yield would not do: that thread may wait for its turn on this core or on
 * another, and only a core that becomes idle takes it over at once.
 */
#ifndef CORE_SPIN_H
#define CORE_SPIN_H

#include <pthread.h>
#include <time.h>

enum { SPIN_TURNS = 200, SPIN_SLEEP_NS = 20000 };

/* Between two looks: the other threads of the core may have it. */
static inline void spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* After the look of that number, from 0 on, that saw nothing. */
static inline void spin_wait(unsigned turn)
{
    if (turn < SPIN_TURNS) {
        spin_pause();
    } else {
        nanosleep(&(struct timespec){ .tv_nsec = SPIN_SLEEP_NS }, NULL);
    }
}

/* For a mutex that whoever has it gives back within a few microseconds. */
static inline void spin_mutex_lock(pthread_mutex_t *mutex)
{
    for (unsigned turn = 0; turn < SPIN_TURNS; turn++) {
        if (pthread_mutex_trylock(mutex) == 0) {
            return;
        }
        spin_pause();
    }
    pthread_mutex_lock(mutex);
}

#endif
