/*
 * A drive is a graph of nodes on an I/O loop with a thread of its own.
 *
 * The I/O thread never waits for the machine lock: a device that is reset waits for its requests
 * with the lock held (drive_drain), and each would wait for the other. So what is finished goes
 * into a list, and is delivered by whoever has the lock: the I/O thread if it is free at the end
 * of a turn, one that drains, or else the main loop.
 */
#include "block/drive.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "block/cache.h"
#include "block/drive-graph.h"
#include "block/drive-impl.h"
#include "core/loop.h"

enum { LOCK_TRIES = 64 };

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
    drive->zeroes = spec->zeroes;
    drive->on_read_error = spec->on_read_error;
    drive->on_write_error = spec->on_write_error;
    drive->offers_cache = cache_offers_write_cache(&spec->cache);
    drive->write_cache = drive->offers_cache;
    drive->finished_end = &drive->finished;
    drive->batch_end = &drive->batch;
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

static void try_main(void *data)
{
    Opening *o = data;
    BlockNode *top = drive_graph_open(o->spec, o->loop, &o->error);

    if (top) {
        block_unref(top);
    }
}

/* One after the other on one loop: a thread for each would take longer than all the rest. */
void drive_try(const DriveSpec *specs, unsigned count, Diag *diag)
{
    Opening opening = { 0 };

    opening.loop = count ? io_loop_new(&opening.error) : NULL;
    if (opening.loop) {
        io_loop_start(opening.loop, "trial");
    }
    for (unsigned i = 0; i < count; i++) {
        opening.spec = &specs[i];
        if (opening.loop) {
            io_loop_run(opening.loop, try_main, &opening);
        }
        if (opening.error) {
            drive_graph_report(&specs[i], diag, opening.error);
            g_clear_error(&opening.error);
        }
    }
    io_loop_free(opening.loop);
}

/* ---- closing ---- */

typedef struct Flushing {
    Drive *drive;
    int result;
} Flushing;

static void flush_main(void *data)
{
    Flushing *f = data;
    Drive *drive = f->drive;

    f->result = drive->top->read_only ? 0 : block_flush(drive->top);
    if (f->result < 0 && !drive->lost) {
        block_lose(drive->top, "has not all that was written to drive `%s`: %s", drive->id,
            g_strerror(-f->result));
        drive->lost = true;
    }
}

int drive_flush(Drive *drive)
{
    Flushing f = { .drive = drive };

    drive_drain(drive);
    io_loop_run(drive->loop, flush_main, &f);
    return f.result;
}

static void close_main(void *data)
{
    Drive *drive = data;

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
    drive_unexport(drive);
    drive_flush(drive);
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

static void call_main_loop(Drive *drive);

static void finish_locked(Drive *drive, DriveRequest *request)
{
    request->next = NULL;
    *drive->finished_end = request;
    drive->finished_end = &request->next;
    if (--drive->running == 0 || drive->held) {
        pthread_cond_broadcast(&drive->idle);
    }
}

static void finish(Drive *drive, DriveRequest *request)
{
    pthread_mutex_lock(&drive->mutex);
    finish_locked(drive, request);
    pthread_mutex_unlock(&drive->mutex);
}

/* ---- failures ---- */

static bool stops(const Drive *drive, const DriveRequest *request)
{
    bool read = request->io.op == BLOCK_READ;
    DriveOnError policy = read ? drive->on_read_error : drive->on_write_error;

    return drive->failed &&
        (policy == ON_ERROR_STOP ||
            (policy == ON_ERROR_ENOSPC && !read &&
                (request->result == -ENOSPC || request->result == -EDQUOT)));
}

static bool is_ignored(const Drive *drive, const DriveRequest *request)
{
    return (request->io.op == BLOCK_READ ? drive->on_read_error : drive->on_write_error) ==
        ON_ERROR_IGNORE;
}

/* What an ignored read gives must not be what was in memory before. */
static void ignore(DriveRequest *request)
{
    if (request->io.op == BLOCK_READ) {
        block_memory_fill(request->io.memory, 0, request->io.length);
    }
    request->result = 0;
}

/* Keeps the request until drive_retry(); false when somebody waits for it to end. */
static bool hold(Drive *drive, DriveRequest *request)
{
    bool held;

    pthread_mutex_lock(&drive->mutex);
    held = !drive->draining;
    if (held) {
        request->next = drive->held;
        drive->held = request;
        drive->failure = (DriveFailure){ request->io, request->result };
        pthread_cond_broadcast(&drive->idle);
    }
    pthread_mutex_unlock(&drive->mutex);
    if (held) {
        call_main_loop(drive);
    }
    return held;
}

/* Adds to the request what the drive's settings make of it; true when nothing is to be done. */
static bool apply_settings(Drive *drive, BlockIo *io)
{
    bool cached = __atomic_load_n(&drive->write_cache, __ATOMIC_RELAXED) &&
        !cache_writes_durably(&drive->cache);

    if (!cached && !cache_ignores_flush(&drive->cache)) {
        io->flags |= BLOCK_DURABLE;
    }
    if (io->op == BLOCK_WRITE && drive->zeroes != ZEROES_IGNORE &&
        block_memory_is_zero(io->memory, io->length)) {
        io->op = BLOCK_ZERO;
        io->flags |= drive->zeroes == ZEROES_UNMAP ? BLOCK_MAY_UNMAP : 0;
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
    if (request->result < 0 && is_ignored(drive, request)) {
        ignore(request);
    }
    if (request->result == 0 || !stops(drive, request) || !hold(drive, request)) {
        finish(drive, request);
    }
}

static void request_begin(IoWork *work)
{
    DriveRequest *request = (DriveRequest *)((char *)work - offsetof(DriveRequest, work));

    coroutine_enter(coroutine_new(request_main, request));
}

void drive_on_failure(Drive *drive, DriveFailed handler, void *data)
{
    drive->failed = handler;
    drive->failed_data = data;
}

static DriveRequest *take_held_locked(Drive *drive)
{
    DriveRequest *oldest = NULL;

    for (DriveRequest *request = drive->held, *next; request; request = next) {
        next = request->next;
        request->next = oldest;
        oldest = request;
    }
    drive->held = NULL;
    return oldest;
}

void drive_retry(Drive *drive)
{
    DriveRequest *first;

    pthread_mutex_lock(&drive->mutex);
    first = take_held_locked(drive);
    pthread_mutex_unlock(&drive->mutex);
    for (DriveRequest *request = first, *next; request; request = next) {
        next = request->next;
        io_loop_post(drive->loop, &request->work);
    }
}

void drive_post(Drive *drive, DriveRequest *request)
{
    request->work.run = request_begin;
    pthread_mutex_lock(&drive->mutex);
    drive->running++;
    pthread_mutex_unlock(&drive->mutex);
    io_loop_post(drive->loop, &request->work);
}

void drive_submit(Drive *drive, DriveRequest *request)
{
    request->drive = drive;
    if (drive->plugged) {
        request->next = NULL;
        *drive->batch_end = request;
        drive->batch_end = &request->next;
    } else {
        drive_post(drive, request);
    }
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
    DriveFailure failure;
    bool closed, held;

    pthread_mutex_lock(&drive->mutex);
    drive->called = false;
    closed = drive->closed;
    held = drive->held != NULL;
    failure = drive->failure;
    pthread_mutex_unlock(&drive->mutex);
    if (closed) {
        drive_free(drive);
        return;
    }
    deliver_locked(drive);
    if (held) {
        drive->failed(drive->failed_data, drive, &failure);
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

/*
 * Who has the lock mostly has it for as long as a device needs to look at a register: that is less
 * than it takes to wake the main loop. Never waits for long: a drain waits for us with the lock.
 */
static bool lock_for_a_moment(void)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (machine_trylock()) {
            return true;
        }
    }
    return false;
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
    if (lock_for_a_moment()) {
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
    drive->draining = true;
    for (DriveRequest *request = take_held_locked(drive), *next; request; request = next) {
        next = request->next;
        finish_locked(drive, request);
    }
    any = drive->running > 0 || drive->finished;
    while (drive->running > 0) {
        pthread_cond_wait(&drive->idle, &drive->mutex);
    }
    drive->draining = false;
    pthread_mutex_unlock(&drive->mutex);
    return any;
}

void drive_drain(Drive *drive)
{
    io_loop_hurry(drive->loop, true);
    while (wait_until_idle(drive)) {
        deliver_locked(drive);
    }
    io_loop_hurry(drive->loop, false);
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
    return MAX(drive_graph_file(drive->top)->align, SECTOR);
}

bool drive_offers_write_cache(const Drive *drive)
{
    return drive->offers_cache;
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
    BlockCount at_once;

    stats_read(&drive->top->stats, out);
    stats_read_count(&drive->from_cache, &at_once);
    stats_sum(&out->ops[BLOCK_READ], &at_once);
    out->at_once += at_once.done;
    out->merged = __atomic_load_n(&drive->merged, __ATOMIC_RELAXED);
}

const DriveCache *drive_cache(const Drive *drive)
{
    return &drive->cache;
}

const char *drive_engine(const Drive *drive)
{
    return drive_graph_file(drive->top)->engine;
}

void drive_print_stats(const Drive *drive, FILE *out)
{
    const char *engine = drive_engine(drive);
    g_autofree char *cache = cache_text(&drive->cache);
    BlockStats stats;

    drive_read_stats(drive, &stats);
    fprintf(out, "drive %s: cache %s%s%s%s\n", drive->id, cache, engine ? ", aio " : "",
        engine ? engine : "",
        drive->offers_cache && !drive_has_write_cache(drive) ? ", switched off by the guest" : "");
    stats_print(&stats, drive->id, out);
}
