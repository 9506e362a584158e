/* The inside of a drive, for drive*.c. */
#ifndef BLOCK_DRIVE_IMPL_H
#define BLOCK_DRIVE_IMPL_H

#include <pthread.h>

#include "block/block.h"
#include "block/drive.h"

enum { SECTOR = 512 };

typedef struct DriveExport DriveExport;

struct Drive {
    char *id, *serial;
    IoLoop *loop;
    IoHook hook; /* delivers at the end of a turn */
    BlockNode *top;
    DriveCache cache;
    bool discard;
    DriveZeroes zeroes;
    DriveOnError on_read_error, on_write_error;
    bool offers_cache; /* as the guest was told when it began */
    bool write_cache;  /* atomic: whether the guest wants it */
    DriveFailed failed;
    void *failed_data;
    DriveExport *export; /* machine lock; NULL: to nobody */

    /* Of the machine lock: requests that are being collected, and what became of them. */
    bool plugged;
    DriveRequest *batch, **batch_end;
    uint64_t merged;       /* atomic: requests that went along with another */
    BlockCount from_cache; /* reads that were done at once; see stats.h */

    pthread_mutex_t mutex; /* of the rest */
    pthread_cond_t idle;
    unsigned running;
    DriveRequest *finished, **finished_end;
    DriveRequest *held;   /* failed; latest first */
    bool draining;        /* nothing is held then */
    DriveFailure failure; /* of the latest one that is held */
    bool called;          /* the main loop has been asked to deliver */
    bool lost;            /* that something may be lost was said */
    bool closed;          /* it frees the drive then */
};

/* [co] For what wants the drive's nodes alone: nobody else is served meanwhile. */
void drive_export_pause(Drive *drive);
void drive_export_resume(Drive *drive);

/* To the I/O thread, past all collecting. */
void drive_post(Drive *drive, DriveRequest *request);

#endif
