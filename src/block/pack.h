/*
 * Compression, as image formats use it. Sizes are bounded by the caller's buffers; whatever a file
 * holds, nothing is written beyond them.
 */
#ifndef BLOCK_PACK_H
#define BLOCK_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "block/io-loop.h"

typedef enum PackMethod {
    PACK_DEFLATE, /* raw, with a window of 4 KiB */
    PACK_ZLIB,    /* with the header and the checksum of RFC 1950 */
    PACK_ZSTD,    /* -ENOTSUP when built without libzstd */
    PACK_BZIP2,   /* to be unpacked; -ENOTSUP without libbz2 on this host */
} PackMethod;

typedef struct Packing {
    PackMethod method;
    const void *from;
    size_t from_size;
    void *to;
    size_t to_size;
} Packing;

/* The packed size; -EMSGSIZE when `to` is too small for it. */
int64_t pack(const Packing *packing);

/* The unpacked size, which is at most that of `to`; bytes behind the packed data are ignored. */
int64_t unpack(const Packing *packing);

/* [co] The same on a thread of its own, so that several are under way at once. */
int64_t pack_on_thread(IoLoop *loop, Packing *packing);

#endif
