/* What can be asked of a node or of a drive. */
#ifndef BLOCK_IO_H
#define BLOCK_IO_H

#include <stdint.h>

#include "block/memory.h"

typedef enum BlockOp {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_ZERO,    /* write zeroes, without sending them */
    BLOCK_DISCARD, /* the contents do not matter any more */
    BLOCK_FLUSH,   /* what was done before is on stable storage after */
} BlockOp;

enum {
    BLOCK_DURABLE = 1 << 0,   /* WRITE, ZERO, DISCARD: on stable storage when done */
    BLOCK_MAY_UNMAP = 1 << 1, /* ZERO: the space may be given back */
    BLOCK_PACK = 1 << 2,      /* WRITE of whole clusters: compressed; -ENOTSUP if it cannot be */
};

typedef struct BlockIo {
    BlockOp op;
    unsigned flags;
    uint64_t at, length; /* bytes; any alignment */
    BlockMemory memory;  /* of READ and WRITE */
} BlockIo;

#endif
