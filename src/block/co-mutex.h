/* A mutex between the coroutines of one loop: who waits lets the others run. */
#ifndef BLOCK_CO_MUTEX_H
#define BLOCK_CO_MUTEX_H

#include <stdbool.h>

#include "core/coroutine.h"

typedef struct CoWaiter {
    struct CoWaiter *next;
    Coroutine *co;
} CoWaiter;

/* All zero is unlocked. */
typedef struct CoMutex {
    bool held;
    CoWaiter *first; /* the one who has waited longest */
} CoMutex;

/* [co] */
void co_mutex_lock(CoMutex *mutex);
/* The next one has it at once, and runs before this returns. */
void co_mutex_unlock(CoMutex *mutex);

#endif
