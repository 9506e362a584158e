/*
 * The filter `log-writes`: every change that has ended is appended to a log, in the format of
 * Linux' device-mapper target of that name (admin-guide/device-mapper/log-writes.rst), so that its
 * tools can replay it. Child 0 is the disk, child 1 takes the log.
 */
#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "block/co-mutex.h"

enum { LOG_SECTOR = 512, LOG_VERSION = 1 };
enum { LOG_FLUSH = 1, LOG_FUA = 2, LOG_DISCARD = 4 };
#define LOG_MAGIC UINT64_C(0x6a736677736872)

/* On disk, little endian, in a sector of its own each. */
typedef struct LogHead {
    uint64_t magic, version, entries;
    uint32_t sector_size;
} LogHead;

typedef struct LogEntry {
    uint64_t sector, sectors, flags, data_length;
} LogEntry;

typedef struct LogWrites {
    uint64_t entries, end; /* of the log */
    CoMutex mutex;         /* entries stand in the order in which they ended */
} LogWrites;

/* A structure at the start of a sector of zeroes. */
static int write_sector(BlockNode *log, uint64_t at, const void *data, size_t length)
{
    uint8_t sector[LOG_SECTOR] = { 0 };

    memcpy(sector, data, length);
    return block_write(log, at, sector, sizeof(sector), 0);
}

static int write_head(BlockNode *node)
{
    LogWrites *l = node->state;
    LogHead head = { GUINT64_TO_LE(LOG_MAGIC), GUINT64_TO_LE(LOG_VERSION),
        GUINT64_TO_LE(l->entries), GUINT32_TO_LE(LOG_SECTOR) };

    return write_sector(node->children[1], 0, &head, sizeof(head));
}

static bool log_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    LogWrites *l = node->state;

    block_be_like(node, node->children[0]);
    l->end = LOG_SECTOR;
    if (!node->children[1]) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "log-writes needs a place for its log");
        return false;
    }
    if (write_head(node) < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "the log in `%s` cannot be written",
            node->children[1]->name);
        return false;
    }
    return true;
}

static uint64_t flags_of(const BlockIo *io)
{
    return (io->op == BLOCK_FLUSH ? LOG_FLUSH : 0) | (io->flags & BLOCK_DURABLE ? LOG_FUA : 0) |
        (io->op == BLOCK_ZERO || io->op == BLOCK_DISCARD ? LOG_DISCARD : 0);
}

static int append(BlockNode *node, const BlockIo *io)
{
    LogWrites *l = node->state;
    uint64_t data = io->op == BLOCK_WRITE ? io->length : 0;
    LogEntry entry = { GUINT64_TO_LE(io->at / LOG_SECTOR), GUINT64_TO_LE(io->length / LOG_SECTOR),
        GUINT64_TO_LE(flags_of(io)), GUINT64_TO_LE(data) };
    int result = write_sector(node->children[1], l->end, &entry, sizeof(entry));

    if (result == 0 && data > 0) {
        result = block_io(
            node->children[1], &(BlockIo){ BLOCK_WRITE, 0, l->end + LOG_SECTOR, data, io->memory });
    }
    if (result == 0) {
        l->end += LOG_SECTOR + data;
        l->entries++;
        result = write_head(node);
    }
    return result;
}

/* A log that misses a change is worse than a request that fails. */
static int log_transfer(BlockNode *node, const BlockIo *io)
{
    LogWrites *l = node->state;
    int result = block_io(node->children[0], io);

    if (result < 0 || io->op == BLOCK_READ) {
        return result;
    }
    co_mutex_lock(&l->mutex);
    result = append(node, io);
    co_mutex_unlock(&l->mutex);
    if (result == 0 && io->op == BLOCK_FLUSH) {
        result = block_flush(node->children[1]);
    }
    return result;
}

BLOCK_DRIVER(log_writes) = {
    .name = "log-writes",
    .filter = true,
    .state_size = sizeof(LogWrites),
    .open = log_open,
    .map = block_map_through,
    .transfer = log_transfer,
};
