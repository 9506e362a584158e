#include "block/share.h"

#include <pthread.h>
#include <string.h>

#include "block/cache-change.h"
#include "block/cache.h"
#include "core/block-spec.h"

typedef struct Share {
    struct Share *next;
    const void *what;
    unsigned users; /* of the list's mutex, as the list is */
    IoLoop *loop;
    BlockNode *node;
    Ranges writing;  /* on its loop: changes that are under way */
    Ranges requests; /* and all requests, for what wants the node alone */
} Share;

typedef struct Handle {
    Share *share; /* NULL: half open */
} Handle;

/* Guards the list of what is shared now. Graphs are opened one after the other, as below it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Share *shares;

/* ---- life ---- */

typedef struct Opening {
    Share *share;
    ShareOpen *open;
    GError *error;
} Opening;

static void open_main(void *data)
{
    Opening *o = data;

    o->share->node = o->open(o->share->what, o->share->loop, &o->error);
}

static void close_main(void *data)
{
    Share *share = data;

    block_unref(share->node);
}

static void share_free(Share *share)
{
    if (share->node) {
        io_loop_run(share->loop, close_main, share);
    }
    io_loop_free(share->loop);
    g_free(share);
}

static Share *share_new(const BlockSpec *what, ShareOpen *open, GError **error)
{
    Share *share = g_new0(Share, 1);
    Opening opening = { .share = share, .open = open };

    share->what = what;
    share->users = 1;
    share->loop = io_loop_new(error);
    if (share->loop) {
        io_loop_start(share->loop, what->name);
        io_loop_run(share->loop, open_main, &opening);
    }
    if (!share->node) {
        if (opening.error) {
            g_propagate_error(error, opening.error);
        }
        share_free(share);
        return NULL;
    }
    return share;
}

static Share *share_find(const BlockSpec *what)
{
    Share *share;

    pthread_mutex_lock(&mutex);
    share = shares;
    while (share && share->what != what) {
        share = share->next;
    }
    if (share) {
        share->users++;
    }
    pthread_mutex_unlock(&mutex);
    return share;
}

/* Other shares may lie below the new one: the mutex is not held while it is opened. */
static Share *share_get(const BlockSpec *what, ShareOpen *open, GError **error)
{
    Share *share = share_find(what);

    if (!share && (share = share_new(what, open, error))) {
        pthread_mutex_lock(&mutex);
        share->next = shares;
        shares = share;
        pthread_mutex_unlock(&mutex);
    }
    return share;
}

static bool share_drop(Share *share)
{
    Share **at = &shares;

    if (--share->users > 0) {
        return false;
    }
    while (*at != share) {
        at = &(*at)->next;
    }
    *at = share->next;
    return true;
}

/* ---- requests ---- */

/* A request on its way there and back; on the stack of the coroutine that waits for it. */
typedef struct Hop {
    IoWork work;
    Share *share;
    IoLoop *home;
    Coroutine *co;
    const BlockIo *io; /* NULL: a new length */
    uint64_t length;
    int result;
} Hop;

static void back_home(IoWork *work)
{
    coroutine_enter(((Hop *)work)->co);
}

static int run_there(Hop *hop)
{
    Share *share = hop->share;
    Range range, use;
    int result;

    ranges_lock_shared(&share->requests, &use, 0, UINT64_MAX);
    if (!hop->io) {
        ranges_lock(&share->writing, &range, 0, UINT64_MAX);
        result = block_resize(share->node, hop->length);
        ranges_unlock(&share->writing, &range);
    } else if (hop->io->op == BLOCK_READ || hop->io->op == BLOCK_FLUSH) {
        result = block_io(share->node, hop->io);
    } else {
        ranges_lock(&share->writing, &range, hop->io->at, hop->io->at + hop->io->length);
        result = block_io(share->node, hop->io);
        ranges_unlock(&share->writing, &range);
    }
    ranges_unlock(&share->requests, &use);
    return result;
}

static void hop_main(void *data)
{
    Hop *hop = data;

    hop->result = run_there(hop);
    hop->length = hop->share->node->length;
    hop->work.run = back_home;
    io_loop_post(hop->home, &hop->work);
}

static void arrive(IoWork *work)
{
    coroutine_enter(coroutine_new(hop_main, work));
}

/* [co] */
static int hop(BlockNode *node, const BlockIo *io, uint64_t length)
{
    Share *share = ((Handle *)node->state)->share;
    Hop there = { .work.run = arrive,
        .share = share,
        .home = node->loop,
        .co = coroutine_self(),
        .io = io,
        .length = length };

    io_loop_post(share->loop, &there.work);
    coroutine_yield();
    node->length = there.length; /* another user may have changed it, too */
    return there.result;
}

static int share_transfer(BlockNode *node, const BlockIo *io)
{
    return hop(node, io, 0);
}

static int share_resize(BlockNode *node, uint64_t length)
{
    return hop(node, NULL, length);
}

/* ---- the node that stands for it ---- */

/* share_open() does the rest. */
static bool share_open_node(BlockNode *node, const BlockOptions *options, GError **error)
{
    return true;
}

static void share_close(BlockNode *node)
{
    Share *share = ((Handle *)node->state)->share;
    bool last;

    pthread_mutex_lock(&mutex);
    last = share && share_drop(share);
    pthread_mutex_unlock(&mutex);
    if (last) {
        share_free(share);
    }
}

/* A durable write is one below, too; but whether the page cache is used is not up to one user. */
static bool share_set_cache(BlockNode *node, const DriveCache *cache, GError **error)
{
    const DriveCache *there = &((Handle *)node->state)->share->node->cache;
    g_autofree char *text = NULL;

    if (cache_wants_direct(cache) == cache_wants_direct(there) &&
        (cache_ignores_flush(cache) || !cache_ignores_flush(there))) {
        return true;
    }
    text = cache_text(there);
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_IN_USE,
        "the block `%s` is shared and has cache %s, which is not that of one who uses it; `block "
        "%s cache=MODE` changes it for all",
        node->name, text, node->name);
    return false;
}

/* ---- its cache mode ---- */

/* Who changes modes is one thread, so what is found stays as long as its users do. */
static Share *share_named(const char *name)
{
    Share *share;

    pthread_mutex_lock(&mutex);
    share = shares;
    while (share && strcmp(((const BlockSpec *)share->what)->name, name) != 0) {
        share = share->next;
    }
    pthread_mutex_unlock(&mutex);
    return share;
}

void share_each(ShareEach *each, void *data)
{
    pthread_mutex_lock(&mutex);
    for (Share *share = shares; share; share = share->next) {
        const BlockSpec *what = share->what;

        each(data, what->name, share->node->length, &share->node->cache);
    }
    pthread_mutex_unlock(&mutex);
}

bool share_cache(const char *name, DriveCache *out)
{
    Share *share = share_named(name);

    if (share) {
        *out = share->node->cache;
    }
    return share != NULL;
}

typedef struct CacheChange {
    Share *share;
    const DriveCache *to;
    GError *error;
    bool done;
} CacheChange;

static void change_main(void *data)
{
    CacheChange *c = data;
    Share *share = c->share;
    const DriveCache from = share->node->cache;
    Range alone;

    ranges_lock(&share->requests, &alone, 0, UINT64_MAX);
    c->done = cache_change(share->node, &from, c->to, &c->error);
    ranges_unlock(&share->requests, &alone);
}

bool share_change_cache(const char *name, const DriveCache *cache, GError **error)
{
    CacheChange change = { .share = share_named(name), .to = cache };

    if (!change.share) {
        return false;
    }
    io_loop_hurry(change.share->loop, true);
    io_loop_run(change.share->loop, change_main, &change);
    io_loop_hurry(change.share->loop, false);
    if (!change.done) {
        g_propagate_error(error, change.error);
    }
    return change.done;
}

/* Not in the list of drivers: nobody opens it by its name. */
static const BlockDriver share_driver = {
    .name = "share",
    .protocol = true,
    .state_size = sizeof(Handle),
    .open = share_open_node,
    .close = share_close,
    .transfer = share_transfer,
    .resize = share_resize,
    .set_cache = share_set_cache,
};

BlockNode *share_open(IoLoop *loop, const BlockSpec *what, ShareOpen *open,
    const BlockOptions *options, GError **error)
{
    BlockNode *node = block_open(loop, &share_driver, options, NULL, NULL, error);
    Handle *handle = node->state;

    handle->share = share_get(what, open, error);
    if (!handle->share) {
        block_unref(node);
        return NULL;
    }
    g_free(node->name);
    node->name = g_strdup(what->name);
    node->cache.no_flush = false; /* whether flushes are ignored is decided there */
    block_be_like(node, handle->share->node);
    return node;
}
