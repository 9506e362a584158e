#include "block/sync-group.h"

#include <stddef.h>

static void pass_lead(SyncGroup *group)
{
    group->running = group->waiting != NULL;
    if (group->waiting) {
        group->waiting->leads = true;
        coroutine_enter(group->waiting->co);
    }
}

int sync_group_run(SyncGroup *group, int (*sync)(void *data), void *data)
{
    SyncWaiter self = { .next = group->waiting, .co = coroutine_self() };
    SyncWaiter *served;

    group->waiting = &self;
    if (group->running) {
        coroutine_yield();
        if (!self.leads) {
            return self.result;
        }
    }
    group->running = true;
    served = group->waiting;
    group->waiting = NULL;
    self.result = sync(data);
    pass_lead(group);
    for (SyncWaiter *waiter = served, *next; waiter; waiter = next) {
        next = waiter->next;
        if (waiter != &self) {
            waiter->result = self.result;
            waiter->leads = false;
            coroutine_enter(waiter->co);
        }
    }
    return self.result;
}
