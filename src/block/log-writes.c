/*
 * The filter `log-writes`: every change that has ended is appended to a log, in the format of
 * Linux' device-mapper target of that name (admin-guide/device-mapper/log-writes.rst), so that its
 * tools can replay it; power-log.c reads it. Child 0 is the disk, child 1 takes the log.
 *
 * What stands before a flush in the log is covered by it. So a change that ends while a flush is
 * under way, which may not be, waits and is logged behind it.
 */
#include <errno.h>
#include <string.h>

#include "block/block.h"
#include "block/co-mutex.h"
#include "block/power-log.h"

enum { LOG_SECTOR = 512 };

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
    PowerLogHead head = { GUINT64_TO_LE(POWER_LOG_MAGIC), GUINT64_TO_LE(POWER_LOG_VERSION),
        GUINT64_TO_LE(l->entries), GUINT32_TO_LE(LOG_SECTOR) };

    return write_sector(node->children[1], 0, &head, sizeof(head));
}

static bool log_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    LogWrites *l = node->state;

    block_be_like(node, node->children[0]);
    node->align = LOG_SECTOR; /* the log counts in them */
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
    return (io->op == BLOCK_FLUSH ? POWER_LOG_FLUSH : 0) |
        (io->flags & BLOCK_DURABLE ? POWER_LOG_FUA : 0) |
        (io->op == BLOCK_ZERO || io->op == BLOCK_DISCARD ? POWER_LOG_DISCARD : 0);
}

/* `began`: how many entries there were when it did. */
static int append(BlockNode *node, const BlockIo *io, uint64_t began)
{
    LogWrites *l = node->state;
    uint64_t data = io->op == BLOCK_WRITE ? io->length : 0;
    PowerLogEntry entry = { GUINT64_TO_LE(io->at / LOG_SECTOR),
        GUINT64_TO_LE(io->length / LOG_SECTOR), GUINT64_TO_LE(flags_of(io)), GUINT64_TO_LE(data),
        GUINT64_TO_LE(began + 1) };
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

static int flush(BlockNode *node, const BlockIo *io)
{
    LogWrites *l = node->state;
    int result;

    co_mutex_lock(&l->mutex);
    result = block_io(node->children[0], io);
    if (result == 0) {
        result = append(node, io, l->entries);
    }
    co_mutex_unlock(&l->mutex);
    return result == 0 ? block_flush(node->children[1]) : result;
}

/* A log that misses a change is worse than a request that fails. */
static int log_transfer(BlockNode *node, const BlockIo *io)
{
    LogWrites *l = node->state;
    uint64_t began = l->entries;
    int result;

    if (io->op == BLOCK_FLUSH) {
        return flush(node, io);
    }
    result = block_io(node->children[0], io);
    if (result < 0 || io->op == BLOCK_READ) {
        return result;
    }
    block_be_like(node, node->children[0]);
    co_mutex_lock(&l->mutex);
    result = append(node, io, began);
    co_mutex_unlock(&l->mutex);
    return result;
}

/* A log knows no lengths: what is cut off is logged as given back, and reads as zeroes after. */
static int log_resize(BlockNode *node, uint64_t length)
{
    LogWrites *l = node->state;
    uint64_t from = (length + LOG_SECTOR - 1) & ~(uint64_t)(LOG_SECTOR - 1);
    BlockIo cut = { .op = BLOCK_DISCARD, .at = from };
    int result = 0;

    if (node->length > from) {
        cut.length = node->length - from;
        co_mutex_lock(&l->mutex);
        result = append(node, &cut, l->entries);
        co_mutex_unlock(&l->mutex);
    }
    return result == 0 ? block_resize_through(node, length) : result;
}

BLOCK_DRIVER(log_writes) = {
    .name = "log-writes",
    .filter = true,
    .state_size = sizeof(LogWrites),
    .open = log_open,
    .map = block_map_through,
    .transfer = log_transfer,
    .resize = log_resize,
};
