/*
 * Syncs that are shared: one that begins now serves all who wait for one now. A sync takes the
 * host as long for one write as for a hundred.
 */
#ifndef BLOCK_SYNC_GROUP_H
#define BLOCK_SYNC_GROUP_H

#include <stdbool.h>

#include "core/coroutine.h"

typedef struct SyncWaiter {
    struct SyncWaiter *next;
    Coroutine *co;
    bool leads; /* it makes the next sync, for all who wait */
    int result;
} SyncWaiter;

/* All zero is idle. */
typedef struct SyncGroup {
    bool running;
    SyncWaiter *waiting;
} SyncGroup;

/* [co] The result of a call of sync(data) that began after this did, by whoever made it. */
int sync_group_run(SyncGroup *group, int (*sync)(void *data), void *data);

#endif
