#include "block/co-mutex.h"

#include <stddef.h>

void co_mutex_lock(CoMutex *mutex)
{
    CoWaiter self = { .co = coroutine_self() };
    CoWaiter **at = &mutex->first;

    if (!mutex->held) {
        mutex->held = true;
        return;
    }
    while (*at) {
        at = &(*at)->next;
    }
    *at = &self;
    coroutine_yield();
}

void co_mutex_unlock(CoMutex *mutex)
{
    CoWaiter *next = mutex->first;

    if (!next) {
        mutex->held = false;
        return;
    }
    mutex->first = next->next;
    coroutine_enter(next->co);
}
