#include "block/ranges.h"

#include <stddef.h>

static Range *older_overlap(const Range *range)
{
    for (Range *other = range->next; other; other = other->next) {
        if (other->from < range->to && range->from < other->to &&
            !(other->shared && range->shared)) {
            return other;
        }
    }
    return NULL;
}

static void lock(Ranges *ranges, Range *range)
{
    range->co = coroutine_self();
    range->next = ranges->newest;
    ranges->newest = range;
    while ((range->wait_for = older_overlap(range))) {
        coroutine_yield();
    }
}

void ranges_lock(Ranges *ranges, Range *range, uint64_t from, uint64_t to)
{
    *range = (Range){ .from = from, .to = to };
    lock(ranges, range);
}

void ranges_lock_shared(Ranges *ranges, Range *range, uint64_t from, uint64_t to)
{
    *range = (Range){ .from = from, .to = to, .shared = true };
    lock(ranges, range);
}

static Range *waiter_of(const Ranges *ranges, const Range *range)
{
    Range *waiter = ranges->newest;

    while (waiter && waiter->wait_for != range) {
        waiter = waiter->next;
    }
    return waiter;
}

void ranges_unlock(Ranges *ranges, Range *range)
{
    Range **at = &ranges->newest;
    Range *waiter;

    while (*at != range) {
        at = &(*at)->next;
    }
    *at = range->next;
    /* A waiter that runs may change the list, so look from the start for each. */
    while ((waiter = waiter_of(ranges, range))) {
        waiter->wait_for = NULL;
        coroutine_enter(waiter->co);
    }
}
