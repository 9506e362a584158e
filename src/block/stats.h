/* What really happened: counted as it happens, readable from any thread at any time. */
#ifndef BLOCK_STATS_H
#define BLOCK_STATS_H

#include <stdint.h>
#include <stdio.h>

/* Bucket n counts requests that took less than 2^(n+1) microseconds, the last one all others. */
enum { STATS_BUCKETS = 24 };

typedef struct BlockCount {
    uint64_t done, failed, bytes;
    uint64_t took_ns; /* of all of them together */
    uint64_t latency[STATS_BUCKETS];
} BlockCount;

typedef struct BlockStats {
    BlockCount ops[5];        /* by BlockOp */
    uint64_t flushes_dropped; /* asked for, and ignored because of the cache mode */
    uint64_t bounced;         /* through a buffer of ours, for alignment */
    uint64_t durable_writes;  /* complete only on stable storage */
    uint64_t at_risk;         /* bytes written that no flush has covered yet */
    uint64_t at_once;         /* without a thread: the page cache had it, or took it */
    uint64_t merged;          /* of a drive: requests that became part of another */
} BlockStats;

/* Only the thread that runs the requests counts. */
static inline void stats_set(uint64_t *counter, uint64_t value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static inline void stats_add(uint64_t *counter, uint64_t amount)
{
    stats_set(counter, *counter + amount);
}

void stats_count(BlockCount *count, uint64_t bytes, int64_t took_ns, int result);

/* A copy made while requests go on: each number is right, the sum may be a request apart. */
void stats_read(const BlockStats *stats, BlockStats *out);
void stats_read_count(const BlockCount *count, BlockCount *out);
void stats_sum(BlockCount *to, const BlockCount *more);

/* One line for each kind of request that happened. */
void stats_print(const BlockStats *stats, const char *name, FILE *out);

#endif
