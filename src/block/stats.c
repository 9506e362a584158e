#include "block/stats.h"

#include <glib.h>
#include <inttypes.h>

static const char *const op_names[] = { "read", "write", "zero", "discard", "flush" };

static unsigned bucket_of(int64_t took_ns)
{
    uint64_t us = took_ns > 0 ? took_ns / 1000 : 0;
    unsigned bucket = us > 0 ? 63 - __builtin_clzll(us) : 0;

    return MIN(bucket, STATS_BUCKETS - 1);
}

void stats_count(BlockCount *count, uint64_t bytes, int64_t took_ns, int result)
{
    if (result < 0) {
        stats_add(&count->failed, 1);
        return;
    }
    stats_add(&count->done, 1);
    stats_add(&count->bytes, bytes);
    stats_add(&count->took_ns, took_ns);
    stats_add(&count->latency[bucket_of(took_ns)], 1);
}

static void load_all(const uint64_t *from, uint64_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
}

void stats_read(const BlockStats *stats, BlockStats *out)
{
    G_STATIC_ASSERT(sizeof(*stats) % sizeof(uint64_t) == 0);
    load_all((const uint64_t *)stats, (uint64_t *)out, sizeof(*stats) / sizeof(uint64_t));
}

void stats_read_count(const BlockCount *count, BlockCount *out)
{
    load_all((const uint64_t *)count, (uint64_t *)out, sizeof(*count) / sizeof(uint64_t));
}

void stats_sum(BlockCount *to, const BlockCount *more)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *parts = (const uint64_t *)more;

    for (size_t i = 0; i < sizeof(*to) / sizeof(uint64_t); i++) {
        sums[i] += parts[i];
    }
}

/* The upper bound in microseconds that `percent` of the requests stayed under. */
static uint64_t percentile(const BlockCount *count, unsigned percent)
{
    uint64_t seen = 0;

    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        seen += count->latency[i];
        if (seen * 100 >= count->done * percent) {
            return UINT64_C(2) << i;
        }
    }
    return UINT64_C(2) << (STATS_BUCKETS - 1);
}

/* How many took less than so long, and no less than half of it. */
static void print_histogram(const BlockCount *count, const char *name, FILE *out)
{
    fprintf(out, "%s:         ", name);
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        if (count->latency[i] > 0) {
            fprintf(out, " %s%" PRIu64 "us: %" PRIu64, i + 1 < STATS_BUCKETS ? "<" : ">=",
                UINT64_C(1) << (i + 1 < STATS_BUCKETS ? i + 1 : i), count->latency[i]);
        }
    }
    fputc('\n', out);
}

void stats_print(const BlockStats *stats, const char *name, FILE *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(op_names); i++) {
        const BlockCount *count = &stats->ops[i];

        if (count->done + count->failed == 0) {
            continue;
        }
        fprintf(out,
            "%s: %-7s %10" PRIu64 " done, %" PRIu64 " failed, %" PRIu64 " bytes, "
            "mean %.1f us, half under %" PRIu64 " us, 99%% under %" PRIu64 " us\n",
            name, op_names[i], count->done, count->failed, count->bytes,
            count->done ? count->took_ns / 1000.0 / count->done : 0.0, percentile(count, 50),
            percentile(count, 99));
        print_histogram(count, name, out);
    }
    fprintf(out,
        "%s: %" PRIu64 " writes were durable by themselves, %" PRIu64 " flushes dropped, %" PRIu64
        " requests bounced, %" PRIu64 " merged, %" PRIu64 " done at once, %" PRIu64
        " bytes not covered by a flush\n",
        name, stats->durable_writes, stats->flushes_dropped, stats->bounced, stats->merged,
        stats->at_once, stats->at_risk);
}
