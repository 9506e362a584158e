/* Throttling, and the filter `throttle`, which makes requests wait. */
#include "block/throttle.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "block/block.h"

enum { NS = 1000000000, SLICE_NS = 50000000 };
/* Without a burst this part of a second may come at once, so that timers need not be exact. */
#define SLACK 0.1

typedef struct Bucket {
    double rate;  /* leaks in a second; 0: no limit */
    double holds; /* before requests have to wait */
    double level;
} Bucket;

/* A limit with a burst is two buckets: a large one, and one for the rate of the burst. */
struct Throttle {
    DriveThrottle limits;
    char *group; /* NULL: of one drive alone */
    Throttle *next;
    unsigned refs;
    int64_t leaked_at;
    Bucket buckets[LIMITS][2];
};

/* Guards the groups, which drives of several threads share. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Throttle *groups;

static bool has_limits(const DriveThrottle *limits)
{
    for (unsigned i = 0; i < LIMITS; i++) {
        if (limits->limits[i].rate > 0) {
            return true;
        }
    }
    return false;
}

static bool same_limits(const DriveThrottle *one, const DriveThrottle *other)
{
    return memcmp(one->limits, other->limits, sizeof(one->limits)) == 0 &&
        one->request_size == other->request_size;
}

static Throttle *find_group_locked(const char *name)
{
    Throttle *t = groups;

    while (t && g_strcmp0(t->group, name) != 0) {
        t = t->next;
    }
    return t;
}

static void fill_buckets(Throttle *t, const DriveThrottle *limits)
{
    t->limits = *limits;
    for (unsigned i = 0; i < LIMITS; i++) {
        const DriveLimit *limit = &limits->limits[i];

        t->buckets[i][0] = (Bucket){ limit->rate, limit->rate * SLACK, 0 };
        if (limit->burst > 0) {
            t->buckets[i][0].holds = (double)limit->burst * limit->burst_ns / NS;
            t->buckets[i][1] = (Bucket){ limit->burst, limit->burst * SLACK, 0 };
        }
    }
}

Throttle *throttle_get(const DriveThrottle *limits, GError **error)
{
    Throttle *t;

    pthread_mutex_lock(&mutex);
    t = limits->group.text ? find_group_locked(limits->group.text) : NULL;
    if (!t) {
        t = g_new0(Throttle, 1);
        t->group = g_strdup(limits->group.text);
        t->next = groups;
        groups = t;
    }
    if (!has_limits(&t->limits)) {
        fill_buckets(t, limits);
    }
    t->refs++;
    pthread_mutex_unlock(&mutex);
    if (has_limits(limits) && !same_limits(limits, &t->limits)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
            "the throttle group `%s` has other limits already", t->group);
        throttle_unref(t);
        return NULL;
    }
    return t;
}

void throttle_unref(Throttle *throttle)
{
    Throttle **at = &groups;

    if (!throttle) {
        return;
    }
    pthread_mutex_lock(&mutex);
    if (--throttle->refs == 0) {
        while (*at != throttle) {
            at = &(*at)->next;
        }
        *at = throttle->next;
        g_free(throttle->group);
        g_free(throttle);
    }
    pthread_mutex_unlock(&mutex);
}

/* ---- booking ---- */

static void leak(Throttle *t, int64_t now_ns)
{
    double seconds = (double)MAX(now_ns - t->leaked_at, 0) / NS;

    t->leaked_at = MAX(now_ns, t->leaked_at);
    for (unsigned i = 0; i < LIMITS * 2; i++) {
        Bucket *bucket = &t->buckets[i / 2][i % 2];

        bucket->level = MAX(bucket->level - bucket->rate * seconds, 0);
    }
}

/* Seconds until what is in the bucket fits; then pours more in. */
static double pour(Bucket *bucket, double amount)
{
    double over = bucket->level - bucket->holds;

    if (bucket->rate == 0) {
        return 0;
    }
    bucket->level += amount;
    return over > 0 ? over / bucket->rate : 0;
}

static double weight_of(const Throttle *t, const BlockIo *io)
{
    uint64_t unit = t->limits.request_size;

    return unit > 0 && io->length > unit ? ceil((double)io->length / unit) : 1;
}

int64_t throttle_book(Throttle *throttle, const BlockIo *io, int64_t now_ns)
{
    unsigned own = io->op == BLOCK_READ ? LIMIT_READ : LIMIT_WRITE;
    double weight = weight_of(throttle, io), wait = 0;

    pthread_mutex_lock(&mutex);
    leak(throttle, now_ns);
    for (unsigned i = 0; i < LIMITS; i++) {
        double amount = i < LIMIT_REQUESTS ? io->length : weight;

        if (i % LIMIT_REQUESTS == LIMIT_TOTAL || i % LIMIT_REQUESTS == own) {
            wait = fmax(wait, pour(&throttle->buckets[i][0], amount));
            wait = fmax(wait, pour(&throttle->buckets[i][1], amount));
        }
    }
    pthread_mutex_unlock(&mutex);
    return wait * NS;
}

/* ---- the filter ---- */

typedef struct ThrottleNode {
    Throttle *throttle;
} ThrottleNode;

static bool throttle_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    ThrottleNode *t = node->state;

    block_be_like(node, node->children[0]);
    t->throttle = throttle_get(options->throttle, error);
    return t->throttle != NULL;
}

static void throttle_close(BlockNode *node)
{
    ThrottleNode *t = node->state;

    throttle_unref(t->throttle);
}

/* Who waits for all requests to end (io_loop_hurry) should not have to wait for limits. */
static int throttle_transfer(BlockNode *node, const BlockIo *io)
{
    ThrottleNode *t = node->state;
    int64_t wait = io->op == BLOCK_FLUSH ? 0 : throttle_book(t->throttle, io, io_loop_now());

    while (wait > 0 && !io_loop_is_hurried(node->loop)) {
        int64_t slice = MIN(wait, SLICE_NS);

        io_loop_sleep(node->loop, slice);
        wait -= slice;
    }
    return block_io(node->children[0], io);
}

BLOCK_DRIVER(throttle) = {
    .name = "throttle",
    .filter = true,
    .state_size = sizeof(ThrottleNode),
    .open = throttle_open,
    .close = throttle_close,
    .map = block_map_through,
    .transfer = throttle_transfer,
    .resize = block_resize_through,
};
