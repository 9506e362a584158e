/*
 * Logs of the filter `log-writes`, in the format of Linux' dm-log-writes: changes to a disk, in
 * the order in which they ended, and the flushes between them.
 */
#ifndef BLOCK_POWER_LOG_H
#define BLOCK_POWER_LOG_H

#include "block/power.h"

/* ---- in the file: little endian, in a sector of its own each; data follows its entry ---- */

enum {
    POWER_LOG_VERSION = 1,
    POWER_LOG_FLUSH = 1 << 0, /* what stands before it is on stable storage after it */
    POWER_LOG_FUA = 1 << 1,   /* is on stable storage when it has ended */
    POWER_LOG_DISCARD = 1 << 2,
    POWER_LOG_MARK = 1 << 3, /* its data is a name, behind the entry in its sector */
};
#define POWER_LOG_MAGIC UINT64_C(0x6a736677736872)

typedef struct PowerLogHead {
    uint64_t magic, version, entries;
    uint32_t sector_size;
} PowerLogHead;

typedef struct PowerLogEntry {
    uint64_t sector, sectors, flags, data_length;
    /* Ours, in what others leave zero: 1 and the entries that there were when it began. */
    uint64_t began;
} PowerLogEntry;

/* ---- to read one ---- */

/* Points are moments: so many entries stand in the log when the power fails. */
typedef struct PowerLog {
    int fd;
    uint64_t points; /* the last one: all entries */
    GArray *changes; /* of PowerChange */
} PowerLog;

/* What `cache` promised while the log was written says what is stable when. */
PowerLog *power_log_open(const char *path, const DriveCache *cache, GError **error);
void power_log_free(PowerLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PowerLog, power_log_free)

/* Changes at the front that are all stable at `point`. */
unsigned power_log_stable(const PowerLog *log, unsigned from, uint64_t point);

/* Does bytes `from` to `to` of a change to a file; 0 or -errno. Any thread. */
int power_log_apply(
    const PowerLog *log, const PowerChange *change, uint64_t from, uint64_t to, int fd);

#endif
