#include "cli/drive-facts.h"

#include <inttypes.h>

#include "cli/img/json.h"

static const char *const op_names[] = {
    [BLOCK_READ] = "read",
    [BLOCK_WRITE] = "write",
    [BLOCK_ZERO] = "zero",
    [BLOCK_DISCARD] = "discard",
    [BLOCK_FLUSH] = "flush",
};

/* Buckets that are empty are left out; the last one has no bound. */
static void add_latency(GString *out, const BlockCount *count)
{
    json_add_name(out, "latency");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        bool last = i == STATS_BUCKETS - 1;

        if (count->latency[i] == 0) {
            continue;
        }
        g_string_append_printf(out, "%s{", out->str[out->len - 1] == '[' ? "" : ", ");
        json_add_number(out, last ? "at-least-us" : "under-us", UINT64_C(1) << (last ? i : i + 1));
        json_add_number(out, "count", count->latency[i]);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void add_count(GString *out, BlockOp op, const BlockStats *stats)
{
    const BlockCount *count = &stats->ops[op];

    json_add_name(out, op_names[op]);
    g_string_append_c(out, '{');
    json_add_number(out, "asked", count->done + count->failed);
    json_add_number(out, "done", count->done - (op == BLOCK_FLUSH ? stats->flushes_dropped : 0));
    json_add_number(out, "failed", count->failed);
    if (op == BLOCK_FLUSH) {
        json_add_number(out, "dropped", stats->flushes_dropped);
    } else {
        json_add_number(out, "bytes", count->bytes);
    }
    json_add_number(out, "took-ns", count->took_ns);
    add_latency(out, count);
    g_string_append_c(out, '}');
}

static void add_cache(GString *out, const DriveCache *cache)
{
    json_add_text(out, "cache", cache->word);
    json_add_switch(out, "writeback", cache->writeback);
    json_add_switch(out, "direct", cache->direct);
    json_add_switch(out, "no-flush", cache->no_flush);
}

void drive_facts(GString *out, const Drive *drive)
{
    BlockStats stats;

    drive_read_stats(drive, &stats);
    g_string_append_c(out, '{');
    json_add_text(out, "name", drive_id(drive));
    json_add_number(out, "size", drive_length(drive));
    json_add_switch(out, "read-only", drive_is_read_only(drive));
    add_cache(out, drive_cache(drive));
    json_add_switch(out, "guest-write-cache", drive_has_write_cache(drive));
    if (drive_engine(drive)) {
        json_add_text(out, "aio", drive_engine(drive));
    }
    if (drive_exported_at(drive)) {
        json_add_text(out, "exported-at", drive_exported_at(drive));
    }
    for (unsigned op = 0; op < G_N_ELEMENTS(op_names); op++) {
        add_count(out, op, &stats);
    }
    json_add_number(out, "durable-writes", stats.durable_writes);
    json_add_number(out, "bytes-not-flushed", stats.at_risk);
    json_add_number(out, "bounced", stats.bounced);
    json_add_number(out, "merged", stats.merged);
    json_add_number(out, "done-at-once", stats.at_once);
    g_string_append_c(out, '}');
}

void drives_facts(GString *out, const GPtrArray *drives)
{
    g_string_append(out, "{\"drives\": [");
    for (unsigned i = 0; i < drives->len; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        drive_facts(out, drives->pdata[i]);
    }
    g_string_append(out, "]}\n");
}
