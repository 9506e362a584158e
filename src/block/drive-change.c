/* Another cache mode for a drive that is in use. */
#include "block/cache.h"
#include "block/drive-impl.h"

typedef struct Change {
    Drive *drive;
    DriveCache from, to;
    GPtrArray *changed; /* nodes, to change them back */
    GError *error;
    bool done;
} Change;

static bool change_node(Change *c, BlockNode *node)
{
    if (!cache_is_same(&node->cache, &c->from)) {
        return true; /* one of its own */
    }
    if (node->driver->set_cache && !node->driver->set_cache(node, &c->to, &c->error)) {
        return false;
    }
    node->cache = c->to;
    g_ptr_array_add(c->changed, node);
    return true;
}

/* [co] */
static bool change_all(Change *c, BlockNode *node)
{
    bool fine = change_node(c, node);

    for (unsigned i = 0; fine && i < node->children_most; i++) {
        fine = !node->children[i] || change_all(c, node->children[i]);
    }
    return fine && (!node->backing || change_all(c, node->backing));
}

static void change_back(Change *c)
{
    for (unsigned i = c->changed->len; i-- > 0;) {
        BlockNode *node = c->changed->pdata[i];

        if (node->driver->set_cache) {
            node->driver->set_cache(node, &c->from, NULL); /* it was there a moment ago */
        }
        node->cache = c->from;
    }
}

/* What a mode without flushes has left open is made good by one of the new mode. */
static bool flush(BlockNode *top, GError **error)
{
    int result = top->read_only ? 0 : block_flush(top);

    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "what was written until now cannot be flushed: %s", g_strerror(-result));
    }
    return result == 0;
}

static void change_main(void *data)
{
    Change *c = data;
    BlockNode *top = c->drive->top;

    c->changed = g_ptr_array_new();
    c->done = flush(top, &c->error) && change_all(c, top) &&
        (!cache_ignores_flush(&c->from) || flush(top, &c->error));
    if (c->done) {
        c->drive->cache = c->to;
    } else {
        change_back(c);
    }
    g_ptr_array_unref(c->changed);
}

static unsigned count_held_locked(const Drive *drive)
{
    unsigned count = 0;

    for (const DriveRequest *request = drive->held; request; request = request->next) {
        count++;
    }
    return count;
}

/* Until nothing is under way; what failed and is held stays so. New requests need the lock. */
static void wait_for_requests(Drive *drive)
{
    io_loop_hurry(drive->loop, true);
    pthread_mutex_lock(&drive->mutex);
    while (drive->running > count_held_locked(drive)) {
        pthread_cond_wait(&drive->idle, &drive->mutex);
    }
    pthread_mutex_unlock(&drive->mutex);
    io_loop_hurry(drive->loop, false);
}

bool drive_set_cache(Drive *drive, const DriveCache *cache, GError **error)
{
    Change change = { .drive = drive, .from = drive->cache, .to = *cache };

    change.to.mark = drive->cache.mark;
    wait_for_requests(drive);
    io_loop_run(drive->loop, change_main, &change);
    if (!change.done) {
        g_propagate_error(error, change.error);
    }
    return change.done;
}
