/* Another cache mode for a drive that is in use. */
#include "block/cache-change.h"
#include "block/drive-impl.h"

typedef struct Change {
    Drive *drive;
    const DriveCache *to;
    GError *error;
    bool done;
} Change;

static void change_main(void *data)
{
    Change *c = data;
    Drive *drive = c->drive;

    drive_export_pause(drive);
    c->done = cache_change(drive->top, &drive->cache, c->to, &c->error);
    drive_export_resume(drive);
    if (c->done) {
        Mark mark = drive->cache.mark;

        drive->cache = *c->to;
        drive->cache.mark = mark;
    }
}

static unsigned count_held_locked(const Drive *drive)
{
    unsigned count = 0;

    for (const DriveRequest *request = drive->held; request; request = request->next) {
        count++;
    }
    return count;
}

/* Until nothing is under way; what failed and is held stays so. New requests need the lock. */
static void wait_for_requests(Drive *drive)
{
    io_loop_hurry(drive->loop, true);
    pthread_mutex_lock(&drive->mutex);
    while (drive->running > count_held_locked(drive)) {
        pthread_cond_wait(&drive->idle, &drive->mutex);
    }
    pthread_mutex_unlock(&drive->mutex);
    io_loop_hurry(drive->loop, false);
}

bool drive_set_cache(Drive *drive, const DriveCache *cache, GError **error)
{
    Change change = { .drive = drive, .to = cache };

    wait_for_requests(drive);
    io_loop_run(drive->loop, change_main, &change);
    if (!change.done) {
        g_propagate_error(error, change.error);
    }
    return change.done;
}
