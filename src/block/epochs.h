/*
 * Flush epochs: which completed writes are covered by which completed flush.
 *
 * Time is cut into epochs where flushes begin. A write belongs to the epoch in which it completed;
 * a flush covers all epochs that had ended when it began, and once it has succeeded they are
 * stable. What a failed flush would have covered stays in doubt for ever: the host reports such an
 * error once and then forgets the data (fsync(2), "Notes" on EIO), so that a later flush that
 * succeeds proves nothing about it.
 */
#ifndef BLOCK_EPOCHS_H
#define BLOCK_EPOCHS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct FlushEpochs {
    uint64_t open;                 /* number of the epoch in which writes complete now */
    uint64_t stable;               /* epochs below are covered ... */
    uint64_t doubt_from, doubt_to; /* ... but for these (half open) */
    uint64_t written, covered;     /* bytes: ever completed, and those that a flush covers */
} FlushEpochs;

/* A flush under way. */
typedef struct Flush {
    uint64_t epochs;  /* it covers those below */
    uint64_t written; /* which hold this many bytes */
} Flush;

/* A write of so many bytes completes now: the epoch it belongs to. */
uint64_t epochs_write_done(FlushEpochs *epochs, uint64_t bytes);

Flush epochs_flush_begin(FlushEpochs *epochs);
void epochs_flush_done(FlushEpochs *epochs, Flush flush, bool ok);

/* Is a write that completed in this epoch on stable storage by a flush? */
bool epochs_covered(const FlushEpochs *epochs, uint64_t epoch);

#endif
