#include "block/power-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/cache.h"

enum { SECTOR_LEAST = 512, SECTOR_MOST = 64 << 10, PIECE = 256 << 10 };

typedef struct Reader {
    PowerLog *log;
    const char *path;
    const DriveCache *cache;
    uint64_t size, sector, at; /* of the file; at: of the next entry */
    unsigned covered;          /* changes that were looked at when the last flush came */
} Reader;

static bool damaged(const Reader *r, uint64_t entry, const char *how, GError **error)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
        "`%s`: entry %" G_GUINT64_FORMAT " of the log %s", r->path, entry, how);
    return false;
}

static bool read_head(Reader *r, GError **error)
{
    PowerLogHead head = { 0 };
    struct stat stat;

    if (fstat(r->log->fd, &stat) != 0 ||
        pread(r->log->fd, &head, sizeof(head), 0) != sizeof(head) ||
        GUINT64_FROM_LE(head.magic) != POWER_LOG_MAGIC ||
        GUINT64_FROM_LE(head.version) != POWER_LOG_VERSION) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "`%s` is not a log of writes; `log-writes`, in `blocks:` of a machine, or "
            "`lathe io --log` make one",
            r->path);
        return false;
    }
    r->size = stat.st_size;
    r->sector = GUINT32_FROM_LE(head.sector_size);
    r->at = r->sector;
    r->log->points = GUINT64_FROM_LE(head.entries);
    if (r->sector < SECTOR_LEAST || r->sector > SECTOR_MOST || r->sector & (r->sector - 1) ||
        r->log->points > r->size / r->sector) {
        return damaged(r, r->log->points, "cannot be in a file of its size", error);
    }
    return true;
}

/* What stands before a flush is stable when the flush has ended, at `point`. */
static void cover(Reader *r, uint64_t point)
{
    GArray *changes = r->log->changes;

    for (; r->covered < changes->len; r->covered++) {
        PowerChange *change = &g_array_index(changes, PowerChange, r->covered);

        change->stable = MIN(change->stable, point);
    }
}

static void add_change(Reader *r, uint64_t index, const PowerLogEntry *entry)
{
    uint64_t began = GUINT64_FROM_LE(entry->began);
    bool durable = cache_writes_durably(r->cache) || entry->flags & POWER_LOG_FUA;
    PowerChange change = {
        .began = began > 0 ? MIN(began - 1, index) : index,
        .ended = index + 1,
        .stable = durable && !cache_ignores_flush(r->cache) ? index + 1 : UINT64_MAX,
        .at = entry->sector * r->sector,
        .length = entry->sectors * r->sector,
        .zeroes = entry->flags & POWER_LOG_DISCARD,
        .data_at = r->at,
    };

    g_array_append_val(r->log->changes, change);
}

static bool read_entry(Reader *r, uint64_t index, GError **error)
{
    PowerLogEntry entry;
    bool moves;

    if (pread(r->log->fd, &entry, sizeof(entry), r->at) != sizeof(entry)) {
        return damaged(r, index, "is cut off", error);
    }
    r->at += r->sector;
    entry.sector = GUINT64_FROM_LE(entry.sector);
    entry.sectors = GUINT64_FROM_LE(entry.sectors);
    entry.flags = GUINT64_FROM_LE(entry.flags);
    entry.data_length = GUINT64_FROM_LE(entry.data_length);
    if (entry.flags & POWER_LOG_MARK) {
        return true;
    }
    moves = !(entry.flags & POWER_LOG_DISCARD);
    if (entry.sector > INT64_MAX / r->sector || entry.sectors > INT64_MAX / r->sector ||
        (entry.sector + entry.sectors) > INT64_MAX / r->sector) {
        return damaged(r, index, "is about a place that no disk has", error);
    }
    if (moves && entry.data_length != entry.sectors * r->sector) {
        return damaged(r, index, "has not as much data as it says", error);
    }
    if (moves && entry.data_length > r->size - MIN(r->at, r->size)) {
        return damaged(r, index, "is cut off", error);
    }
    if (entry.flags & POWER_LOG_FLUSH && !cache_ignores_flush(r->cache)) {
        cover(r, index + 1);
    }
    if (entry.sectors > 0) {
        add_change(r, index, &entry);
    }
    r->at += moves ? entry.data_length : 0;
    return true;
}

PowerLog *power_log_open(const char *path, const DriveCache *cache, GError **error)
{
    g_autoptr(PowerLog) log = g_new0(PowerLog, 1);
    Reader r = { .log = log, .path = path, .cache = cache };

    log->changes = g_array_new(false, false, sizeof(PowerChange));
    log->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (log->fd < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be opened: %s", path,
            g_strerror(errno));
        return NULL;
    }
    if (!read_head(&r, error)) {
        return NULL;
    }
    for (uint64_t i = 0; i < log->points; i++) {
        if (!read_entry(&r, i, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&log);
}

void power_log_free(PowerLog *log)
{
    if (log) {
        if (log->fd >= 0) {
            close(log->fd);
        }
        g_array_unref(log->changes);
        g_free(log);
    }
}

unsigned power_log_stable(const PowerLog *log, unsigned from, uint64_t point)
{
    while (from < log->changes->len &&
        g_array_index(log->changes, PowerChange, from).stable <= point) {
        from++;
    }
    return from;
}

/* Zeroes may also be what made the file longer. */
static int clear(int fd, uint64_t at, uint64_t length)
{
    struct stat stat;

    if (fstat(fd, &stat) != 0 ||
        ((uint64_t)stat.st_size < at + length && ftruncate(fd, at + length) != 0) ||
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length) != 0) {
        return -errno;
    }
    return 0;
}

int power_log_apply(
    const PowerLog *log, const PowerChange *change, uint64_t from, uint64_t to, int fd)
{
    g_autofree uint8_t *buffer = NULL;
    ssize_t wrote;

    if (change->zeroes) {
        return clear(fd, change->at + from, to - from);
    }
    buffer = g_malloc(PIECE);
    for (uint64_t at = from, size; at < to; at += size) {
        size = MIN(to - at, PIECE);
        if (pread(log->fd, buffer, size, change->data_at + at) != (ssize_t)size) {
            return -EIO;
        }
        wrote = pwrite(fd, buffer, size, change->at + at);
        if (wrote != (ssize_t)size) {
            return wrote < 0 ? -errno : -ENOSPC;
        }
    }
    return 0;
}
