/* `lathe img bench`: how fast requests are done, without a guest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "block/cache.h"
#include "cli/img/img.h"
#include "cli/img/json.h"

enum { COUNT = 75000, DEPTH = 64, DEPTH_MOST = 1024, SIZE_MOST = 64 << 20 };

typedef struct Bench {
    Img *img;
    BlockNode *node;
    uint64_t size, step, first; /* of a request; to the next one; where they start */
    uint64_t next;              /* where the next one does */
    unsigned written;
    int left, workers;
    unsigned flags;
    int result;
    Coroutine *waiter;
} Bench;

static bool is_flush_due(Bench *b)
{
    return b->img->write && b->img->flush_interval > 0 &&
        ++b->written % b->img->flush_interval == 0;
}

static void worker_main(void *data)
{
    Bench *b = data;
    void *buffer = NULL;

    if (posix_memalign(&buffer, 4096, b->size) != 0) {
        b->result = -ENOMEM;
    } else {
        memset(buffer, b->img->pattern ? b->img->pattern : 0x5a, b->size);
    }
    while (b->left > 0 && b->result == 0) {
        uint64_t at = b->next;
        int result;

        b->left--;
        b->next = at + b->step + b->size <= b->node->length ? at + b->step : b->first;
        result = b->img->write ? block_write(b->node, at, buffer, b->size, b->flags)
                               : block_read(b->node, at, buffer, b->size);
        if (result == 0 && is_flush_due(b)) {
            result = block_flush(b->node);
        }
        b->result = b->result ? b->result : result;
    }
    free(buffer);
    if (--b->workers == 0 && b->waiter) {
        coroutine_enter(b->waiter);
    }
}

static double seconds_of(const struct timeval *t)
{
    return t->tv_sec + t->tv_usec / 1e6;
}

/* Processor time of all threads. */
static double cpu_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime);
}

static void print(const Bench *b, int count, int depth, double took, double cpu)
{
    g_autoptr(GString) out = g_string_new("{");

    if (!b->img->json) {
        printf("%d requests of %" PRIu64 " bytes, %d at once: %.3f s, %.0f a second, "
               "%.2f us of processor time each\n",
            count, b->size, depth, took, count / took, cpu * 1e6 / count);
        return;
    }
    json_add_number(out, "requests", count);
    json_add_number(out, "size", b->size);
    json_add_number(out, "depth", depth);
    json_add_number(out, "nanoseconds", took * 1e9);
    json_add_number(out, "processor-nanoseconds", cpu * 1e9);
    puts(g_string_append_c(out, '}')->str);
}

static void measure(Bench *b, int count, int depth)
{
    int64_t start = g_get_monotonic_time();
    double cpu = cpu_seconds(), took;

    b->left = count;
    b->workers = depth;
    for (int i = 0; i < depth; i++) {
        coroutine_enter(coroutine_new(worker_main, b));
    }
    if (b->workers > 0) {
        b->waiter = coroutine_self();
        coroutine_yield();
    }
    took = (g_get_monotonic_time() - start) / 1e6;
    cpu = cpu_seconds() - cpu;
    if (b->result < 0) {
        img_fail_with(b->img, EXIT_HOST, "%s", g_strerror(-b->result));
        return;
    }
    if (!b->img->quiet) {
        print(b, count, depth, took, cpu);
    }
}

static bool prepare(Img *img, Bench *b)
{
    GError *error = NULL;

    if (!block_parse_size(img->size ? img->size : "4096", &b->size, &error) ||
        !block_parse_size(img->step ? img->step : "0", &b->step, &error) ||
        !block_parse_size(img->start ? img->start : "0", &b->first, &error)) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    if (b->size == 0 || b->size > SIZE_MOST || img->depth < 0 || img->depth > DEPTH_MOST ||
        img->count < 0 || b->step > INT64_MAX / 2 || img->pattern < 0 || img->pattern > 255) {
        return img_fail_with(
            img, EXIT_DESCRIPTION, "requests of 1 byte to 64MiB, at most %d at once", DEPTH_MOST);
    }
    b->node = img_open(img, img->argv[1], img->format, img->write);
    b->step = b->step ? b->step : b->size;
    b->next = b->first;
    if (b->node && (b->first > b->node->length || b->node->length - b->first < b->size)) {
        return img_fail_with(img, EXIT_DESCRIPTION, "the disk is smaller than a request");
    }
    return b->node != NULL;
}

static void run(Img *img)
{
    Bench b = { .img = img };

    if (prepare(img, &b)) {
        b.flags = cache_writes_durably(&b.node->cache) ? BLOCK_DURABLE : 0;
        measure(&b, img->count ? img->count : COUNT, img->depth ? img->depth : DEPTH);
    }
    block_unref(b.node);
}

const ImgCommand img_bench = {
    .name = "bench",
    .arguments = "FILE",
    .summary = "how fast requests are done, without a guest",
    .takes = "ftindswqJ789x",
    .least = 1,
    .most = 1,
    .run = run,
};
