/* Requests that a device submits together. */
#include <errno.h>
#include <stdlib.h>

#include "block/drive-impl.h"

enum {
    MERGED_MOST = 1 << 20,    /* bytes of one request for the host */
    MERGED_PIECES = 512,      /* and pieces of memory */
    BATCH_MOST = 256,         /* that are put in order at once */
    AT_ONCE_MOST = 64 * 1024, /* bytes that are copied with the machine lock held */
};

/* ---- what needs no thread ---- */

static bool read_at_once(Drive *drive, DriveRequest *request, uint64_t *left)
{
    BlockNode *top = drive->top;
    const BlockIo *io = &request->io;
    int64_t start;

    if (io->op != BLOCK_READ || !top->driver->read_at_once || io->length > *left ||
        io->at > top->length || io->length > top->length - io->at) {
        return false;
    }
    start = io_loop_now();
    if (top->driver->read_at_once(top, io) != 0) {
        *left = 0; /* what comes next is not there either */
        return false;
    }
    *left -= io->length;
    stats_count(&drive->from_cache, io->length, io_loop_now() - start, 0);
    return true;
}

/* ---- neighbours ---- */

typedef struct Merged {
    DriveRequest request;
    DriveRequest *parts; /* by `next` */
    struct iovec pieces[];
} Merged;

/* A failure is each one's own: which of them it is about shows when they are alone. */
static void merged_done(DriveRequest *request, int result)
{
    Merged *m = (Merged *)request;

    for (DriveRequest *part = m->parts, *next; part; part = next) {
        next = part->next;
        if (result == 0) {
            part->done(part, 0);
        } else {
            drive_post(part->drive, part);
        }
    }
    g_free(m);
}

static bool may_merge(const DriveRequest *request)
{
    return request->io.op == BLOCK_READ || request->io.op == BLOCK_WRITE;
}

static bool are_neighbours(const DriveRequest *one, const DriveRequest *next)
{
    return may_merge(one) && one->io.op == next->io.op && one->io.flags == next->io.flags &&
        one->io.at + one->io.length == next->io.at;
}

/* So many from the first one on make one request. */
static unsigned count_neighbours(DriveRequest *const *batch, unsigned count)
{
    uint64_t length = batch[0]->io.length, pieces = batch[0]->io.memory.count;
    unsigned run = 1;

    while (run < count && are_neighbours(batch[run - 1], batch[run])) {
        length += batch[run]->io.length;
        pieces += batch[run]->io.memory.count;
        if (length > MERGED_MOST || pieces > MERGED_PIECES) {
            break;
        }
        run++;
    }
    return run;
}

static DriveRequest *merge(Drive *drive, DriveRequest *const *batch, unsigned count)
{
    unsigned pieces = 0, used = 0;
    Merged *m;

    for (unsigned i = 0; i < count; i++) {
        pieces += batch[i]->io.memory.count;
    }
    m = g_malloc(sizeof(*m) + pieces * sizeof(struct iovec));
    *m = (Merged){ .request = { .io = batch[0]->io, .done = merged_done, .drive = drive } };
    m->request.io.length = 0;
    for (unsigned i = count; i-- > 0;) {
        batch[i]->next = m->parts;
        m->parts = batch[i];
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned filled = 0;

        block_memory_pieces(
            batch[i]->io.memory, batch[i]->io.length, m->pieces + used, pieces - used, &filled);
        used += filled;
        m->request.io.length += batch[i]->io.length;
    }
    m->request.io.memory = (BlockMemory){ m->pieces, used, 0 };
    stats_add(&drive->merged, count - 1);
    return &m->request;
}

/* By kind and place; qsort() may change the order of those that are alike, which is free. */
static int compare_places(const void *one, const void *other)
{
    const BlockIo *a = &(*(DriveRequest *const *)one)->io,
                  *b = &(*(DriveRequest *const *)other)->io;

    if (a->op != b->op) {
        return a->op < b->op ? -1 : 1;
    }
    return a->at < b->at ? -1 : a->at > b->at;
}

static void post_merged(Drive *drive, DriveRequest **batch, unsigned count)
{
    if (count > 1) {
        qsort(batch, count, sizeof(DriveRequest *), compare_places);
    }
    for (unsigned i = 0, run; i < count; i += run) {
        run = count_neighbours(batch + i, count - i);
        drive_post(drive, run > 1 ? merge(drive, batch + i, run) : batch[i]);
    }
}

/* ---- the batch ---- */

void drive_plug(Drive *drive)
{
    drive->plugged = true;
}

void drive_unplug(Drive *drive)
{
    DriveRequest *first = drive->batch, *waiting[BATCH_MOST];
    uint64_t left = AT_ONCE_MOST;
    unsigned count = 0;

    drive->plugged = false;
    drive->batch = NULL;
    drive->batch_end = &drive->batch;
    for (DriveRequest *request = first, *next; request; request = next) {
        next = request->next;
        if (read_at_once(drive, request, &left)) {
            request->done(request, 0);
            continue;
        }
        waiting[count++] = request;
        if (count == BATCH_MOST) {
            post_merged(drive, waiting, count);
            count = 0;
        }
    }
    post_merged(drive, waiting, count);
}
