#include "block/cache-change.h"

#include "block/cache.h"

typedef struct Change {
    DriveCache from, to;
    GPtrArray *changed; /* nodes, to change them back */
} Change;

/* Written elsewhere than the mode that goes: what a drive's nodes have of it is its own text. */
static bool is_own(const DriveCache *cache, const DriveCache *from)
{
    return cache->mark.file != from->mark.file || cache->mark.line != from->mark.line ||
        cache->mark.column != from->mark.column || cache->writeback != from->writeback ||
        cache->direct != from->direct;
}

static bool change_node(Change *c, BlockNode *node, GError **error)
{
    if (is_own(&node->cache, &c->from)) {
        return true;
    }
    if (node->driver->set_cache && !node->driver->set_cache(node, &c->to, error)) {
        return false;
    }
    node->cache = c->to;
    g_ptr_array_add(c->changed, node);
    return true;
}

static bool change_all(Change *c, BlockNode *node, GError **error)
{
    bool fine = change_node(c, node, error);

    for (unsigned i = 0; fine && i < node->children_most; i++) {
        fine = !node->children[i] || change_all(c, node->children[i], error);
    }
    return fine && (!node->backing || change_all(c, node->backing, error));
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

bool cache_change(BlockNode *top, const DriveCache *from, const DriveCache *to, GError **error)
{
    Change change = { .from = *from, .to = *to, .changed = g_ptr_array_new() };
    bool done;

    change.to.mark = from->mark;
    done = flush(top, error) && change_all(&change, top, error) &&
        (!cache_ignores_flush(from) || flush(top, error));
    if (!done) {
        change_back(&change);
    }
    g_ptr_array_unref(change.changed);
    return done;
}
