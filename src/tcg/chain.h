/*
 * How blocks reach each other without the CPU loop: links, jump caches and page ids.
 */
#ifndef TCG_CHAIN_H
#define TCG_CHAIN_H

#include "tcg/blocks.h"

/*
 * A fetch address space and mode of one CPU: what generated code sees of it, and what stands behind each entry
 * of its itlb.
 */
typedef struct FetchView {
    FetchContext context;
    struct { uint64_t page; const uint8_t *host; } map[ITLB_SIZE];  /* valid where itlb is not 0 */
    uint64_t present[8];            /* a filter: pages whose code is in the jump cache */
    uint64_t serial;                /* of its address space; 0: free */
    uint32_t mode;
    uint64_t used_at;
    bool     dirty;                 /* something is in it */
} FetchView;

enum { FETCH_VIEWS = 32 };

typedef struct PageId { uint64_t page; const uint8_t *host; uint32_t id; } PageId;

/* Ids of (virtual page, host page) pairs; open addressing. A pair forgotten gets a new id, never an old one. */
typedef struct PageIds {
    PageId  *entries;
    unsigned bits, count;
    uint32_t last;
} PageIds;

/* The id of the pair; lock held. */
uint32_t page_id(PageIds *ids, uint64_t page, const uint8_t *host);
void page_ids_clear(PageIds *ids);

/* Leads an exit straight to the block, when both live; lock held. */
void chain_link(Tcg *tcg, BlockExit *exit, Block *target, uint32_t id);
/* Takes a block's links, in and out, and its jump cache entries away; lock held. */
void chain_cut(Tcg *tcg, Block *block);

/* Puts a block into the jump cache of the CPU's current fetch context. */
void chain_cache_jump(TcgCpu *cpu, Block *block);

/* The view of a space (by its serial) and mode: the one there is, or one made empty. CPU thread. */
FetchView *fetch_view(TcgCpu *cpu, uint64_t serial, uint32_t mode);
FetchView *fetch_view_new(void);        /* empty; for g_free() */
/* Forgets what it knows of one page. */
void fetch_view_forget(FetchView *view, uint64_t page);
void fetch_view_clear(FetchView *view);

#endif
