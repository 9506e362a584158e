/*
 * Writes that a server has acknowledged, and that no flush has covered yet. A server that
 * comes back may have forgotten them (its host lost power), so they are sent again then: an
 * acknowledged write is not lost between two flushes by the server's end.
 */
#ifndef BLOCK_KEPT_H
#define BLOCK_KEPT_H

#include <stdint.h>

#include "block/io.h"

enum { KEPT_MOST = 32 << 20 }; /* bytes: a flush makes room for more */

typedef struct KeptWrite {
    struct KeptWrite *next;
    BlockOp op; /* WRITE or ZERO */
    unsigned flags;
    uint64_t at, length;
    void *data;
    uint64_t number;
} KeptWrite;

typedef struct Kept {
    KeptWrite *first, **last; /* in the order in which they ended */
    uint64_t bytes, number;
} Kept;

void kept_init(Kept *kept);
/* Takes the data. */
void kept_add(Kept *kept, const BlockIo *io, void *data);

/* What a flush that begins now will cover; and when it has. */
uint64_t kept_mark(const Kept *kept);
void kept_drop(Kept *kept, uint64_t mark);

#endif
