/*
 * Range locks: coroutines that change overlapping bytes take turns, in the order of asking.
 * Those that only overwrite bytes in place share; one that moves them, or reads and writes back
 * more than it was asked to, is alone. For one IoLoop; nothing here is for two threads.
 */
#ifndef BLOCK_RANGES_H
#define BLOCK_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/coroutine.h"

typedef struct Range Range;
struct Range {
    uint64_t from, to; /* half open */
    bool shared;
    Range *next;     /* older ones come later */
    Range *wait_for; /* the one that this coroutine sleeps on, or NULL */
    Coroutine *co;
};

typedef struct Ranges {
    Range *newest;
} Ranges;

/* [co] Waits for older ranges that overlap. `range` is the caller's, and stays until unlocked. */
void ranges_lock(Ranges *ranges, Range *range, uint64_t from, uint64_t to);
void ranges_lock_shared(Ranges *ranges, Range *range, uint64_t from, uint64_t to);
void ranges_unlock(Ranges *ranges, Range *range);

#endif
