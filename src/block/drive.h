/*
 * Drives: what a disk device sees of the block layer, and all it may include of it.
 *
 * A request never blocks: it runs on the drive's own thread, and its `done` is called later, from
 * whatever thread, with the machine lock held. The request and its memory belong to the device
 * and must stay until then.
 */
#ifndef BLOCK_DRIVE_H
#define BLOCK_DRIVE_H

#include <stdio.h>

#include "block/io-loop.h"
#include "block/io.h"
#include "block/stats.h"
#include "core/machine.h"

typedef struct Diag Diag;
typedef struct Drive Drive;

typedef struct DriveRequest DriveRequest;
struct DriveRequest {
    BlockIo io;
    void (*done)(DriveRequest *request, int result); /* 0 or -errno */

    /* The drive's. */
    Drive *drive;
    IoWork work;
    DriveRequest *next;
    int result;
};

/* Opens what the spec names; NULL after saying in diag which key is to blame. Loop's thread. */
Drive *drive_open(const DriveSpec *spec, Diag *diag);

/* Opens and closes each, to say in diag what would be wrong with it. */
void drive_try(const DriveSpec *specs, unsigned count, Diag *diag);

/*
 * Waits for all requests and puts what they have written on stable storage: 0, or -errno, and then
 * some of it may be lost. Machine lock held.
 */
int drive_flush(Drive *drive);

/* Waits for all requests, flushes, closes. NULL is fine. Machine lock held. */
void drive_close(Drive *drive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Drive, drive_close)

const char *drive_id(const Drive *drive);
const char *drive_serial(const Drive *drive); /* NULL: none */
uint64_t drive_length(const Drive *drive);    /* bytes, a multiple of 512 */
bool drive_is_read_only(const Drive *drive);
bool drive_passes_discard(const Drive *drive);
unsigned drive_block_size(const Drive *drive); /* bytes that the host moves at once: 512, 4096 */

/* May the guest be told of a write cache? Otherwise each write that is done is durable. */
bool drive_offers_write_cache(const Drive *drive);

/* Whether completed writes may wait for a flush; only where the drive offers a write cache. */
void drive_set_write_cache(Drive *drive, bool on);
bool drive_has_write_cache(const Drive *drive);

void drive_submit(Drive *drive, DriveRequest *request);

/*
 * Requests that are submitted in between go together: those that lie beside each other become one
 * for the host, and what the host has in memory is read at once, so that `done` may be called
 * before drive_unplug() returns. Machine lock held all the time.
 */
void drive_plug(Drive *drive);
void drive_unplug(Drive *drive);

/*
 * Where the drive's policy on errors says so, a request that failed is held: `handler` is told on
 * the loop's thread, with the machine lock held, and is to stop the machine.
 */
typedef struct DriveFailure {
    BlockIo io;
    int error; /* -errno */
} DriveFailure;
typedef void (*DriveFailed)(void *data, Drive *drive, const DriveFailure *failure);
void drive_on_failure(Drive *drive, DriveFailed handler, void *data);

/* Tries all held requests again. Machine lock held. */
void drive_retry(Drive *drive);

/*
 * On return no request is under way, and `done` has been called for all; those that are held fail.
 * Machine lock held.
 */
void drive_drain(Drive *drive);

/*
 * Another cache mode, from the next request on. What the guest has been told stays as it is: where
 * it knows of no cache, each write stays durable. All or nothing: with an error the old mode goes
 * on. Nodes that were given a cache mode of their own keep it. Machine lock held.
 */
bool drive_set_cache(Drive *drive, const DriveCache *cache, GError **error);
const DriveCache *drive_cache(const Drive *drive);
/* That moves its bytes: "io_uring"; NULL: it is no file of the host's. */
const char *drive_engine(const Drive *drive);

/*
 * Lets other programs of the same user read the drive, over NBD at a Unix socket of that path,
 * until drive_unexport() or the drive is closed; where there is a file already, that is an error. What
 * they read is counted as the guest's reads are. Machine lock held.
 */
bool drive_export(Drive *drive, const char *path, GError **error);
bool drive_unexport(Drive *drive);                 /* false: it was to nobody */
const char *drive_exported_at(const Drive *drive); /* NULL: nowhere */

/* Numbers of the whole drive as its device sees it; any thread. */
void drive_read_stats(const Drive *drive, BlockStats *out);
void drive_print_stats(const Drive *drive, FILE *out);

#endif
