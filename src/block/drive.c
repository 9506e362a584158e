/*
 * A drive is a graph of nodes on an I/O loop with a thread of its own.
 *
 * The I/O thread never waits for the machine lock: a device that is reset waits for its requests
 * with the lock held (drive_drain), and each would wait for the other. So what is finished goes
 * into a list, and is delivered by whoever has the lock: the I/O thread if it is free at the end
 * of a turn, one that drains, or else the main loop.
 */
#include "block/drive.h"

#include <pthread.h>
#include <string.h>

#include "block/block.h"
#include "block/cache.h"
#include "block/drive-graph.h"
#include "core/loop.h"

enum { SECTOR = 512 };

struct Drive {
    char *id, *serial;
    IoLoop *loop;
    IoHook hook; /* delivers at the end of a turn */
    BlockNode *top;
    DriveCache cache;
    bool discard;
    bool write_cache; /* atomic */

    pthread_mutex_t mutex; /* of the rest */
    pthread_cond_t idle;
    unsigned running;
    DriveRequest *finished, **finished_end;
    bool called; /* the main loop has been asked to deliver */
    bool closed; /* it frees the drive then */
};

/* ---- opening ---- */

/* The I/O thread opens the graph itself: an engine may belong to the thread that made it. */
typedef struct Opening {
    const DriveSpec *spec;
    IoLoop *loop;
    Drive *drive;
    GError *error;
} Opening;

static bool deliver_turn(IoHook *hook);

static Drive *drive_new(const DriveSpec *spec, IoLoop *loop, BlockNode *top)
{
    Drive *drive = g_new0(Drive, 1);

    drive->id = g_strdup(spec->id);
    drive->serial = g_strdup(spec->serial);
    drive->loop = loop;
    drive->top = top;
    drive->cache = spec->cache;
    drive->discard = spec->discard;
    drive->write_cache = cache_offers_write_cache(&spec->cache);
    drive->finished_end = &drive->finished;
    pthread_mutex_init(&drive->mutex, NULL);
    pthread_cond_init(&drive->idle, NULL);
    drive->hook.turn = deliver_turn;
    io_loop_add_hook(loop, &drive->hook);
    return drive;
}

static void open_main(void *data)
{
    Opening *o = data;
    BlockNode *top = drive_graph_open(o->spec, o->loop, &o->error);

    o->drive = top ? drive_new(o->spec, o->loop, top) : NULL;
}

Drive *drive_open(const DriveSpec *spec, Diag *diag)
{
    Opening opening = { .spec = spec };

    opening.loop = io_loop_new(&opening.error);
    if (opening.loop) {
        io_loop_start(opening.loop, spec->id);
        io_loop_run(opening.loop, open_main, &opening);
    }
    if (!opening.drive) {
        drive_graph_report(spec, diag, opening.error);
        g_error_free(opening.error);
        io_loop_free(opening.loop);
    }
    return opening.drive;
}

/* ---- closing ---- */

static void close_main(void *data)
{
    Drive *drive = data;

    if (!drive->top->read_only) {
        block_flush(drive->top);
    }
    block_unref(drive->top);
}

static void drive_free(Drive *drive)
{
    pthread_mutex_destroy(&drive->mutex);
    pthread_cond_destroy(&drive->idle);
    g_free(drive->id);
    g_free(drive->serial);
    g_free(drive);
}

void drive_close(Drive *drive)
{
    bool called;

    if (!drive) {
        return;
    }
    drive_drain(drive);
    io_loop_run(drive->loop, close_main, drive);
    io_loop_free(drive->loop);
    pthread_mutex_lock(&drive->mutex);
    drive->closed = true;
    called = drive->called;
    pthread_mutex_unlock(&drive->mutex);
    if (!called) {
        drive_free(drive);
    }
}

/* ---- requests ---- */

static void finish(Drive *drive, DriveRequest *request)
{
    request->next = NULL;
    pthread_mutex_lock(&drive->mutex);
    *drive->finished_end = request;
    drive->finished_end = &request->next;
    if (--drive->running == 0) {
        pthread_cond_broadcast(&drive->idle);
    }
    pthread_mutex_unlock(&drive->mutex);
}

/* Adds to the request what the drive's settings make of it; true when nothing is to be done. */
static bool apply_settings(Drive *drive, BlockIo *io)
{
    if (!__atomic_load_n(&drive->write_cache, __ATOMIC_RELAXED) &&
        !cache_ignores_flush(&drive->cache)) {
        io->flags |= BLOCK_DURABLE;
    }
    if (!drive->discard) {
        io->flags &= ~BLOCK_MAY_UNMAP;
    }
    return io->op == BLOCK_DISCARD && !drive->discard;
}

static void request_main(void *data)
{
    DriveRequest *request = data;
    Drive *drive = request->drive;

    request->result = 0;
    if (!apply_settings(drive, &request->io)) {
        request->result = block_io(drive->top, &request->io);
    }
    finish(drive, request);
}

static void request_begin(IoWork *work)
{
    DriveRequest *request = (DriveRequest *)((char *)work - offsetof(DriveRequest, work));

    coroutine_enter(coroutine_new(request_main, request));
}

void drive_submit(Drive *drive, DriveRequest *request)
{
    request->drive = drive;
    request->work.run = request_begin;
    pthread_mutex_lock(&drive->mutex);
    drive->running++;
    pthread_mutex_unlock(&drive->mutex);
    io_loop_post(drive->loop, &request->work);
}

/* Machine lock held. */
static void deliver_locked(Drive *drive)
{
    DriveRequest *first;

    pthread_mutex_lock(&drive->mutex);
    first = drive->finished;
    drive->finished = NULL;
    drive->finished_end = &drive->finished;
    pthread_mutex_unlock(&drive->mutex);
    for (DriveRequest *request = first, *next; request; request = next) {
        next = request->next;
        request->done(request, request->result);
    }
}

static void deliver_call(void *data)
{
    Drive *drive = data;
    bool closed;

    pthread_mutex_lock(&drive->mutex);
    drive->called = false;
    closed = drive->closed;
    pthread_mutex_unlock(&drive->mutex);
    if (closed) {
        drive_free(drive);
    } else {
        deliver_locked(drive);
    }
}

static void call_main_loop(Drive *drive)
{
    bool called;

    pthread_mutex_lock(&drive->mutex);
    called = drive->called;
    drive->called = true;
    pthread_mutex_unlock(&drive->mutex);
    if (!called) {
        loop_call(deliver_call, drive);
    }
}

static bool deliver_turn(IoHook *hook)
{
    Drive *drive = (Drive *)((char *)hook - offsetof(Drive, hook));
    bool any;

    pthread_mutex_lock(&drive->mutex);
    any = drive->finished != NULL;
    pthread_mutex_unlock(&drive->mutex);
    if (!any) {
        return false;
    }
    if (machine_trylock()) {
        deliver_locked(drive);
        machine_unlock();
    } else {
        call_main_loop(drive);
    }
    return false;
}

/* Gives false when there was nothing to wait for, nor to deliver. */
static bool wait_until_idle(Drive *drive)
{
    bool any;

    pthread_mutex_lock(&drive->mutex);
    any = drive->running > 0 || drive->finished;
    while (drive->running > 0) {
        pthread_cond_wait(&drive->idle, &drive->mutex);
    }
    pthread_mutex_unlock(&drive->mutex);
    return any;
}

void drive_drain(Drive *drive)
{
    while (wait_until_idle(drive)) {
        deliver_locked(drive);
    }
}

/* ---- facts ---- */

const char *drive_id(const Drive *drive)
{
    return drive->id;
}

const char *drive_serial(const Drive *drive)
{
    return drive->serial;
}

uint64_t drive_length(const Drive *drive)
{
    return drive->top->length;
}

bool drive_is_read_only(const Drive *drive)
{
    return drive->top->read_only;
}

bool drive_passes_discard(const Drive *drive)
{
    return drive->discard && !drive->top->read_only;
}

unsigned drive_block_size(const Drive *drive)
{
    const BlockNode *file = drive->top->children[0];

    return MAX(file ? file->align : 1, SECTOR);
}

bool drive_offers_write_cache(const Drive *drive)
{
    return cache_offers_write_cache(&drive->cache);
}

bool drive_has_write_cache(const Drive *drive)
{
    return __atomic_load_n(&drive->write_cache, __ATOMIC_RELAXED);
}

static void free_request(DriveRequest *request, int result)
{
    g_free(request);
}

void drive_set_write_cache(Drive *drive, bool on)
{
    bool was = drive_has_write_cache(drive);
    DriveRequest *flush;

    on = on && drive_offers_write_cache(drive);
    __atomic_store_n(&drive->write_cache, on, __ATOMIC_RELAXED);
    if (was && !on) {
        flush = g_new0(DriveRequest, 1); /* what was cached until now */
        flush->io.op = BLOCK_FLUSH;
        flush->done = free_request;
        drive_submit(drive, flush);
    }
}

void drive_read_stats(const Drive *drive, BlockStats *out)
{
    stats_read(&drive->top->stats, out);
}

void drive_print_stats(const Drive *drive, FILE *out)
{
    BlockStats stats;

    drive_read_stats(drive, &stats);
    fprintf(out, "drive %s: cache %s\n", drive->id, drive->cache.word);
    stats_print(&stats, drive->id, out);
}
