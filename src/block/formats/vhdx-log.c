/*
 * Replaying the log of a vhdx image (MS-VHDX, 2.3): a ring of entries, each of which says what
 * sectors of 4 KiB in the file hold, or that a range is zero. Those in force are the run of valid
 * ones with ascending numbers that ends with the highest number.
 */
#include <errno.h>
#include <string.h>

#include "block/formats/vhdx.h"

/* Offsets in an entry, and in a descriptor. */
enum {
    LENGTH = 8,
    TAIL = 12,
    SEQUENCE = 16,
    DESCRIPTORS = 24,
    GUID = 32,
    LAST_OFFSET = 56,
    ENTRY_HEADER = 64,

    TRAILING = 4,
    LEADING = 8,
    FILE_OFFSET = 16,
    DESCRIPTOR_SEQUENCE = 24,
    DESCRIPTOR = 32,

    DATA_HIGH = 4,
    DATA_LEADING = 8,
    DATA_LOW = 4092,
};

enum { LOG_MOST = 256 << 20 };

typedef struct Log {
    const Vhdx *vhdx;
    uint8_t *bytes;
    uint32_t length;
} Log;

/* A run of entries that follow one another. */
typedef struct Run {
    uint32_t from, count;
    uint64_t last; /* number */
} Run;

/* The entry at an offset of the ring, made one piece; NULL when there is no valid one. */
static uint8_t *entry_at(const Log *log, uint32_t at)
{
    g_autofree uint8_t *entry = NULL;
    const uint8_t *head = log->bytes + at;
    uint32_t length = load_le(head + LENGTH, 4), count = load_le(head + DESCRIPTORS, 4), first;

    if (memcmp(head, "loge", 4) != 0 || length < VHDX_SECTOR || length > log->length ||
        length % VHDX_SECTOR != 0 ||
        memcmp(head + GUID, log->vhdx->header + VHDX_LOG_GUID, 16) != 0 ||
        count > (length - ENTRY_HEADER) / DESCRIPTOR) {
        return NULL;
    }
    entry = g_malloc(length);
    first = MIN(length, log->length - at);
    memcpy(entry, head, first);
    memcpy(entry + first, log->bytes, length - first);
    if (load_le(entry + VHDX_CHECKSUM, 4) != vhdx_checksum(entry, length, VHDX_CHECKSUM)) {
        return NULL;
    }
    return g_steal_pointer(&entry);
}

static Run run_from(const Log *log, uint32_t start)
{
    Run run = { .from = start };
    uint32_t at = start, used = 0, tail = UINT32_MAX;

    for (;;) {
        g_autofree uint8_t *entry = entry_at(log, at);
        uint64_t number = entry ? load_le(entry + SEQUENCE, 8) : 0;
        uint32_t length = entry ? load_le(entry + LENGTH, 4) : 0;

        if (!entry || used + length > log->length || (run.count > 0 && number != run.last + 1)) {
            break;
        }
        run.last = number;
        run.count++;
        used += length;
        tail = load_le(entry + TAIL, 4);
        at = (at + length) % log->length;
    }
    /* The last entry says which one is the first that still counts. */
    if (tail != start) {
        run.count = 0;
    }
    return run;
}

static Run find_run(const Log *log)
{
    Run best = { 0 };

    for (uint32_t at = 0; at < log->length; at += VHDX_SECTOR) {
        Run run;

        if (memcmp(log->bytes + at, "loge", 4) != 0) {
            continue;
        }
        run = run_from(log, at);
        if (run.count > 0 && (best.count == 0 || run.last > best.last)) {
            best = run;
        }
    }
    return best;
}

/* ---- doing it ---- */

static int apply_data(BlockNode *file, const uint8_t *descriptor, const uint8_t *data)
{
    uint8_t sector[VHDX_SECTOR];
    uint64_t number = load_le(descriptor + DESCRIPTOR_SEQUENCE, 8);

    if (memcmp(data, "data", 4) != 0 || load_le(data + DATA_HIGH, 4) != number >> 32 ||
        load_le(data + DATA_LOW, 4) != (uint32_t)number) {
        return -EIO;
    }
    memcpy(sector, descriptor + LEADING, 8);
    memcpy(sector + DATA_LEADING, data + DATA_LEADING, DATA_LOW - DATA_LEADING);
    memcpy(sector + DATA_LOW, descriptor + TRAILING, 4);
    return block_write(file, load_le(descriptor + FILE_OFFSET, 8), sector, VHDX_SECTOR, 0);
}

static int apply_zero(BlockNode *file, const uint8_t *descriptor)
{
    uint64_t length = load_le(descriptor + LEADING, 8), at = load_le(descriptor + FILE_OFFSET, 8);

    if (at > file->length) {
        return 0;
    }
    return block_zero(file, at, MIN(length, file->length - at), 0);
}

static int apply_entry(BlockNode *file, const uint8_t *entry)
{
    uint32_t count = load_le(entry + DESCRIPTORS, 4), length = load_le(entry + LENGTH, 4);
    uint64_t data = (ENTRY_HEADER + (uint64_t)count * DESCRIPTOR + VHDX_SECTOR - 1) / VHDX_SECTOR *
        VHDX_SECTOR;
    int result = 0;

    for (uint32_t i = 0; i < count && result == 0; i++) {
        const uint8_t *descriptor = entry + ENTRY_HEADER + i * DESCRIPTOR;

        if (load_le(descriptor + FILE_OFFSET, 8) % VHDX_SECTOR != 0 ||
            load_le(descriptor + FILE_OFFSET, 8) > INT64_MAX / 2) {
            result = -EIO;
        } else if (memcmp(descriptor, "zero", 4) == 0) {
            result = apply_zero(file, descriptor);
        } else if (memcmp(descriptor, "desc", 4) == 0 && data + VHDX_SECTOR <= length) {
            result = apply_data(file, descriptor, entry + data);
            data += VHDX_SECTOR;
        } else {
            result = -EIO;
        }
    }
    return result;
}

static int apply_run(BlockNode *file, const Log *log, const Run *run)
{
    uint32_t at = run->from;
    int result = 0;

    for (uint32_t i = 0; i < run->count && result == 0; i++) {
        g_autofree uint8_t *entry = entry_at(log, at);
        uint64_t end = load_le(entry + LAST_OFFSET, 8);

        if (end > file->length && end <= INT64_MAX / 2) {
            result = block_resize(file, end);
        }
        if (result == 0) {
            result = apply_entry(file, entry);
        }
        at = (at + load_le(entry + LENGTH, 4)) % log->length;
    }
    return result == 0 ? block_flush(file) : result;
}

/* The log is empty from now on. */
static int forget(BlockNode *node)
{
    Vhdx *v = node->state;

    memset(v->header + VHDX_LOG_GUID, 0, 16);
    return vhdx_write_header(node);
}

bool vhdx_replay(BlockNode *node, GError **error)
{
    const Vhdx *v = node->state;
    Log log = { .vhdx = v, .length = load_le(v->header + VHDX_LOG_LENGTH, 4) };
    uint64_t at = load_le(v->header + VHDX_LOG_OFFSET, 8);
    g_autofree uint8_t *bytes = NULL;
    int result = 0;
    Run run;

    if (node->read_only) {
        return block_refuse(node, error,
            "was not closed by its last writer; `lathe img check --repair` replays its log");
    }
    if (load_le(v->header + VHDX_LOG_VERSION, 2) != 0 || log.length == 0 || log.length > LOG_MOST ||
        log.length % VHDX_MIB != 0 || at % VHDX_MIB != 0 || at < VHDX_MIB || at > INT64_MAX / 2) {
        return block_refuse(node, error, "has a log that cannot be right");
    }
    log.bytes = bytes = g_try_malloc(log.length);
    if (!bytes || !format_read(node, at, bytes, log.length, error)) {
        return bytes || block_refuse(node, error, "has a log that is too large");
    }
    run = find_run(&log);
    result = apply_run(node->children[0], &log, &run);
    if (result == 0) {
        result = forget(node);
    }
    return result == 0 ||
        block_refuse(node, error, "has a log that cannot be replayed: %s", g_strerror(-result));
}
