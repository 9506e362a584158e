/*
 * How blocks reach each other without the CPU loop: links, jump caches and page ids.
 */
#ifndef TCG_CHAIN_H
#define TCG_CHAIN_H

#include "tcg/blocks.h"

enum { FETCH_VIEWS = 12, PRESENT_BITS = 1 << 14 };

/* A filter: most flushes of a page are of one that no view has ever known. */
typedef struct FetchedPages {
    uint64_t bits[PRESENT_BITS / 64];
    unsigned count;
} FetchedPages;

/* A page that code is fetched from. */
typedef struct FetchPage {
    uint64_t page;
    const uint8_t *host;
    bool global; /* of the twin space: good in all that share it */
    bool marked; /* see Translation */
} FetchPage;

/*
 * A fetch address space and mode of one CPU: what generated code sees of it, and what stands behind each entry
 * of its itlb.
 */
typedef struct FetchView {
    FetchContext context;
    FetchPage map[ITLB_SIZE]; /* valid where itlb is not 0 */
    Block *blocks[JUMP_SIZE]; /* valid where a jump entry is */
    uint64_t jumps_used[JUMP_SIZE / 64],
        itlb_used[ITLB_SIZE / 64];       /* a bit for each entry that may be valid */
    uint64_t present[PRESENT_BITS / 64]; /* a filter: pages whose code is in the jump cache */
    uint64_t
        serial;    /* of its address space, the last one when it is shared; 0: that was forgotten */
    uint64_t twin; /* of the space with the global pages; 0 with serial */
    bool shared;   /* knows of global pages only: the view of every space with that twin */
    bool displaced; /* there may be jumps to pages that were replaced in the map */
    uint32_t mode;
    uint64_t used_at;
} FetchView;

typedef struct PageId {
    uint64_t page;
    const uint8_t *host;
    uint32_t id;
} PageId;

/*
 * Ids of (virtual page, host page) pairs; open addressing. A pair forgotten gets a new id, never an old one. Bit 0
 * of a virtual page: it is marked.
 */
typedef struct PageIds {
    PageId *entries;
    unsigned bits, count;
    uint32_t last;
} PageIds;

/* The id of the pair; lock held. */
uint32_t page_id(PageIds *ids, uint64_t page, const uint8_t *host);
void page_ids_clear(PageIds *ids);

/* Leads an exit of this CPU straight to the block, when both live and it is worth it (code.h); lock held. */
void chain_link(TcgCpu *cpu, BlockExit *exit, Block *target, uint32_t id);
/* Takes a block's links, in and out, and its jump cache entries away; lock held. */
void chain_cut(Tcg *tcg, Block *block);

/* Puts a block into the jump cache of the CPU's current fetch context. */
void chain_cache_jump(TcgCpu *cpu, Block *block);

/* A space, by its serial and that of its twin, and the mode. */
typedef struct FetchKey {
    uint64_t serial, twin;
    uint32_t mode;
} FetchKey;

/*
 * The view for a key: its own, or the one of all that have seen nothing but global pages (a kernel's, in every
 * process), or one that begins with what others know of those. hint: what it was the last time, or NULL. CPU thread.
 */
FetchView *fetch_view(TcgCpu *cpu, FetchView *hint, const FetchKey *key);
FetchView *fetch_view_new(void); /* empty; for g_free() */
/* The address space with this serial, or all that have this twin, or with 0 every one, is forgotten. */
void fetch_orphan(TcgCpu *cpu, uint64_t serial, uint64_t twin);
/*
 * For TcgCpu.may_adopt. A flush of everything seldom means that a kernel's code is elsewhere afterwards, and to find
 * all of it again costs more than to look up its pages, which a CPU may do whenever it likes. So a view of a space that
 * was forgotten takes the place of the new one, with those of its pages that are where they were. Between two blocks:
 * what a flush is for may be written only after it.
 */
void fetch_adopt(TcgCpu *cpu);
/* Forgets what it knows of one page; of all that are not global; of all. */
void fetch_view_forget(FetchView *view, uint64_t page);
void fetch_view_keep_globals(FetchView *view);
void fetch_view_clear(FetchView *view);

/* Enters a page with its id into the current view. */
void fetch_enter(TcgCpu *cpu, uint32_t id, const FetchPage *page);
/* In all views, also those of spaces that are gone, whose global pages others may copy: forgets a page, or all. */
void fetch_forget(TcgCpu *cpu, uint64_t page);
void fetch_clear(TcgCpu *cpu);

#endif
