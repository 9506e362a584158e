/*
 * Memory for generated code: one file mapped twice, writable and executable, never both through one address.
 *
 * It is cut into chunks. A CPU fills one chunk at a time; when none is free the oldest full one is evicted, and so
 * is one most of whose blocks were dropped. It is free again once every CPU has been outside generated code. What
 * describes a chunk's blocks is allocated beside it and goes with it.
 */
#ifndef TCG_CODE_H
#define TCG_CODE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Block;

typedef enum ChunkState {
    CHUNK_FREE,
    CHUNK_FILLING,
    CHUNK_FULL,
    CHUNK_EVICTED, /* its blocks are being dropped */
    CHUNK_RETIRED,
    CHUNK_THUNKS
} ChunkState;

typedef struct Chunk {
    uint8_t *write; /* two views of the same bytes */
    const uint8_t *execute;
    size_t size, used;
    ChunkState state;
    uint64_t order;      /* when it began to be filled */
    uint64_t retired_at; /* epoch after which no CPU is in it */
    unsigned live;       /* blocks that are not dropped */
    bool patched;        /* links in it were changed since its writable view gave back its pages */
    GPtrArray *blocks;   /* of struct Block, by ascending address */
    GSList *slabs;       /* memory of chunk_alloc */
    size_t slab_left, slab_size; /* of the newest; of all */
} Chunk;

typedef struct CodeCache {
    uint8_t *write;
    const uint8_t *execute;
    size_t size, chunk_size;
    unsigned chunk_count;
    Chunk *chunks;
    uint64_t next_order;
    unsigned
        patches; /* in chunks that are not being filled, since their writable views gave back their pages */
} CodeCache;

/* Reserves size bytes; memory is taken as it is used. Chunk 0 is for the host's thunks. */
bool code_init(CodeCache *cache, size_t size, GError **error);
void code_clear(CodeCache *cache);

/* Zeroed memory for what describes the chunk's code; lives as long as its code. */
void *chunk_alloc(Chunk *chunk, size_t size);

/* A chunk to fill: a free one, or one retired at or before the epoch. NULL: none. */
Chunk *code_take(CodeCache *cache, uint64_t epoch);

/* The full chunk that was filled first, to be evicted; NULL when there is none. */
Chunk *code_oldest(CodeCache *cache);

/*
 * No more code will be added. The writable view gives back its pages, and so do those of other full chunks that were
 * patched meanwhile: a page that is in both views counts twice.
 */
void code_close(CodeCache *cache, Chunk *chunk);

/* The chunk's writable view is about to be written, at a link. */
void code_patched(CodeCache *cache, Chunk *chunk);

/* Nothing leads into the chunk any more; CPUs may still be inside until they pass the epoch. */
void code_retire(Chunk *chunk, uint64_t epoch);

unsigned code_free_count(const CodeCache *cache);

/* Bytes of code that were made and are still there, dropped or not; and of what describes it. */
void code_sizes(const CodeCache *cache, size_t *code, size_t *tables);

/* The chunk that an executable address is in, or NULL. */
Chunk *code_find(CodeCache *cache, const void *address);

#endif
