/*
 * Memory for generated code: one file mapped twice, writable and executable, never both through one address.
 *
 * It is cut into chunks. A CPU fills one chunk at a time; when none is free the oldest full one is evicted, and so
 * is one most of whose blocks were dropped. It is free again once every CPU has been outside generated code. What
 * describes a chunk's blocks is allocated beside it and goes with it.
 *
 * Getting a chunk's pages from the kernel takes longer than filling half of it with code, and giving back those of
 * the writable view interrupts every CPU. So a few chunks are chosen ahead, and a thread of its own, the supplier,
 * populates them and closes full ones. To wake it is dear, too: it is done when the last one chosen is taken.
 *
 * All but code_prepare() and code_find() with a lock of the caller's held.
 */
#ifndef TCG_CODE_H
#define TCG_CODE_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Block;

typedef enum ChunkState {
    CHUNK_FREE,
    CHUNK_CHOSEN, /* to be taken soon */
    CHUNK_FILLING,
    CHUNK_FULL,
    CHUNK_EVICTED, /* its blocks are being dropped */
    CHUNK_RETIRED,
    CHUNK_THUNKS
} ChunkState;

enum {
    CODE_CHUNK_SIZE = 128 << 10, /* at most; small caches (tests) have smaller ones */
    CODE_CHUNK_PAGES = 32,       /* of the host, at most */
    CODE_SECTOR_BITS = 12,       /* blocks are found through parts of a chunk of this size, log2 */
    CODE_SECTORS = CODE_CHUNK_SIZE >> CODE_SECTOR_BITS,
};

typedef struct Chunk {
    uint8_t *write; /* two views of the same bytes */
    const uint8_t *execute;
    size_t size, used;
    ChunkState state;
    uint64_t order;      /* when it began to be filled */
    uint64_t retired_at; /* epoch after which no CPU is in it */
    unsigned live;       /* blocks that are not dropped */
    _Atomic bool populated;
    uint64_t patched; /* pages of the writable view that links have brought back, a bit each ... */
    uint8_t wished[CODE_CHUNK_PAGES]; /* ... and how often links wished for others */
    unsigned block_count;
    struct Block *last; /* of its blocks, by address; Block.before leads to the others */
    struct Block *_Atomic last_in[CODE_SECTORS]; /* that begins there; NULL: none does */
    uint8_t *table;                              /* memory of chunk_alloc, as much as of code ... */
    size_t table_used;
    GSList *more; /* ... and more, when that is full */
    size_t more_size;
} Chunk;

enum {
    CODE_PATCHED_PAGES = 128, /* host pages that links may bring back before all are given back */
    CODE_WISHES = 8,          /* links that wish for a page before it is brought back */
    CODE_AHEAD = 2,           /* chunks that are chosen at once; fewer in a small cache */
};

/* What the supplier shall do. */
typedef struct CodeWork {
    Chunk *populate[CODE_AHEAD], *close[2 * CODE_AHEAD];
    unsigned populate_count, close_count;
    bool asked; /* to begin: what is to be closed waits for that */
} CodeWork;

typedef struct CodeCache {
    uint8_t *write, *tables;
    const uint8_t *execute;
    size_t size, chunk_size, page_size; /* pages are the host's */
    unsigned chunk_count;
    Chunk *chunks;
    unsigned free_count; /* chunks that are free or retired; none is before free_from */
    unsigned free_from;
    unsigned begun_count; /* chunks from here on were never chosen */
    uint64_t next_order;
    unsigned patched_pages;   /* of all chunks */
    Chunk *ahead[CODE_AHEAD]; /* chosen; the last one is taken first */
    unsigned ahead_count;

    pthread_t supplier; /* its own lock is for what follows */
    bool has_supplier;
    pthread_mutex_t supply_lock;
    pthread_cond_t supply_asked;
    CodeWork work;
    bool supply_ends;
} CodeCache;

/* Reserves size bytes; memory is taken as it is used. Chunk 0 is for the host's thunks. Clear it on failure, too. */
bool code_init(CodeCache *cache, size_t size, GError **error);
void code_clear(CodeCache *cache);

/* Zeroed memory for what describes the chunk's code; lives as long as its code. */
void *chunk_alloc(Chunk *chunk, size_t size);

/* A chunk to fill: a free one, or one retired at or before the epoch. NULL: none. Prepare it before it is filled. */
Chunk *code_take(CodeCache *cache, uint64_t epoch);

/* Populates a chunk, if that was not done yet. No lock. */
void code_prepare(Chunk *chunk);

/* The full chunk that was filled first, to be evicted; NULL when there is none. */
Chunk *code_oldest(CodeCache *cache);

/* No more code will be added. The writable view soon gives back its pages: one that is in both views counts twice. */
void code_close(CodeCache *cache, Chunk *chunk);

/*
 * Whether a link at this executable address is worth the page that it writes. One that is not there costs as much as
 * coming back from an exit several times, so it is brought back when that has happened.
 */
bool code_may_patch(const CodeCache *cache, Chunk *chunk, const uint8_t *at);

/*
 * The chunk's writable view is about to be written, at a link whose executable address this is. When links have
 * brought back too many pages all are given back.
 */
void code_patched(CodeCache *cache, Chunk *chunk, const uint8_t *at);

/* Nothing leads into the chunk any more; CPUs may still be inside until they pass the epoch. */
void code_retire(CodeCache *cache, Chunk *chunk, uint64_t epoch);

/* Bytes of code that were made and are still there, dropped or not; and of what describes it. */
void code_sizes(const CodeCache *cache, size_t *code, size_t *tables);

/* The chunk that an executable address is in, or NULL. */
Chunk *code_find(CodeCache *cache, const void *address);

#endif
