/*
 * Blocks: translated guest code, found by where its bytes are in host memory, its virtual pc and the mode.
 *
 * Keys are host addresses, so processes, CPUs and aliases of the same RAM share blocks and a new memory map
 * changes nothing. Look-ups take no lock. Everything that changes links, lists and pages takes Tcg.lock; a block
 * that is dropped stays in memory until every CPU has been outside generated code (code.h).
 *
 * How code that is written while it is translated is noticed. The translator copies the bytes it decodes. To
 * publish a block it sets the page's PAGE_CODE flag and granule bits, then compares the copy with memory; a
 * writer stores, then looks at flag and granules. With a full fence between the two on both sides at least one
 * of them sees the other. What is left is stores of other CPUs through write entries of their first-level TLBs
 * made before the flag was set: those CPUs are told to drop them, and until all have, the page's blocks are
 * provisional: when the last CPU answers, and at any code barrier, they are compared with memory again.
 */
#ifndef TCG_BLOCKS_H
#define TCG_BLOCKS_H

#include <glib.h>

#include "tcg/code.h"
#include "tcg/dormant.h"
#include "tcg/host.h"

typedef struct Tcg Tcg;
typedef struct TcgCpu TcgCpu;
typedef struct CodePage CodePage;

typedef struct Block {
    const uint8_t *host; /* the guest's code */
    uint64_t pc;
    struct Block *_Atomic next; /* in its hash bucket */
    uint32_t mode;
    uint16_t guest_size, guest_insns;

    uint32_t code_size;
    uint16_t side_count;
    uint8_t exit_count;
    bool straddles;   /* one instruction that lies on two pages: see BlockEnd */
    const void *code; /* executable */
    BlockExit *exits;

    BlockExit *in;             /* exits that are linked to this block */
    JumpEntry *_Atomic cached; /* the first jump cache entry made for it ... */
    _Atomic bool cached_often; /* ... and whether there were more */
    _Atomic bool dead;
    bool provisional;
    bool checked;         /* ran in lockstep */
    bool has_copy;        /* of its guest code: block_copy() */
    bool may_sleep;       /* dormant, when its code is written */
    bool dormant;         /* dead, but in the table of dormant.h */
    struct Block *before; /* in its chunk */
    CodePage *page;
    struct Block *page_next;
    SideEntry sides[];
} Block;

/* What few blocks have, behind the side entries: those on two pages this, those with has_copy their guest code. */
typedef struct BlockEnd {
    CodePage *page; /* the second one */
    Block *page_next;
    uint32_t id; /* of the page, which the block's own code checks */
} BlockEnd;

/* A page of RAM that has, or had, blocks. Never freed before the translator is. */
struct CodePage {
    uint8_t *host;
    uint8_t *flag; /* its byte of region_page_flags() */
    CodePage *_Atomic next;
    _Atomic uint64_t granules; /* those of 64 bytes that blocks were made from */
    Block *blocks;
    unsigned hits;          /* times its blocks were written since one was made */
    _Atomic unsigned drops; /* the same ever; read without the lock */
    unsigned idle_writes;   /* stores since then that found no block */
    unsigned swept;         /* the last eviction that has looked at its blocks */
    _Atomic uint64_t
        pending; /* CPUs that have not yet dropped their write entries; read without the lock */
};

enum { BLOCK_BUCKET_BITS = 17, PAGE_BUCKET_BITS = 12, GRANULE_BITS = 6 };

typedef struct BlockTable {
    _Atomic uint64_t *buckets; /* see jump-inline.h */
    CodePage *_Atomic *pages;
    DormantBlocks dormant;
    GPtrArray *provisional; /* of CodePage: those that are still pending */
    _Atomic unsigned provisional_count;
} BlockTable;

void blocks_init(BlockTable *table);
void blocks_clear(BlockTable *table);

/*
 * Makes a block of what cpu->ir was translated to and emitted at the end of cpu->chunk, and publishes it. False
 * in *stable: the code was being changed meanwhile, translate again. When the rights to the code hold for less
 * than a page (cpu->reader.narrow) it is not published: it is dead from birth and runs once.
 */
Block *block_publish(TcgCpu *cpu, const uint8_t *host, const uint8_t *second_page, bool *stable);

/* The block for what is in memory at host now, from among those that were dropped; NULL: translate. */
Block *block_revive(TcgCpu *cpu, const uint8_t *host, uint64_t pc, uint32_t mode);

static inline uint8_t *block_copy(const Block *block)
{
    return (uint8_t *)&block->sides[block->side_count];
}

static inline BlockEnd *block_end(const Block *block)
{
    return (BlockEnd *)block_copy(block);
}

/* Guest code, unit by unit as isa_fetch16() reads it: another CPU may be writing there. */
void code_copy(uint8_t *copy, const uint8_t *host, unsigned length);
bool code_is_same(const uint8_t *copy, const uint8_t *host, unsigned length);

/* Unlinks and forgets it; its chunk may go as well. Lock held. */
void block_drop(Tcg *tcg, Block *block);

/* Drops all blocks of a full chunk and retires it; lock held. */
void chunk_evict(Tcg *tcg, Chunk *chunk);
/* Does that if most of them are dropped already: what still lives is soon translated again. */
void chunk_tidy(Tcg *tcg, Chunk *chunk);

/* The side entry of a host return address, NULL when it is not in any block. *block may be dead. */
const SideEntry *block_side(Tcg *tcg, const void *site, Block **block);

/*
 * Bytes that may have been code were written, after the write. Any thread, without the lock. True when blocks
 * were dropped.
 */
bool code_written(Tcg *tcg, uint8_t *host, uint64_t length);

/* This CPU has dropped the write entries it was asked to drop; lock held. */
void code_confirm(Tcg *tcg, unsigned cpu);
/* What was translated from pages that another CPU may still be writing unnoticed; lock held. */
void code_check_provisional(Tcg *tcg);

#endif
