/*
 * Finding a block, and entering it into a jump cache. Apart from blocks.c and chain.c because jump-refill.c compiles
 * it for general registers only.
 */
#ifndef TCG_JUMP_INLINE_H
#define TCG_JUMP_INLINE_H

#include "tcg/tcg-impl.h"

/*
 * A bucket is the address of its first block, and above the 48 bits of that a bit for each of 16 kinds of blocks it
 * may have: what is not there yet is mostly not looked for along blocks that are in no cache.
 */
enum { BLOCK_KIND_SHIFT = 48 };

typedef struct BlockPlace {
    _Atomic uint64_t *bucket;
    uint64_t kind; /* its bit */
} BlockPlace;

static inline BlockPlace block_place(
    const BlockTable *table, const uint8_t *host, uint64_t pc, uint32_t mode)
{
    uint64_t key = (uintptr_t)host * 5 + (pc >> GUEST_PAGE_BITS) * 3 + mode;
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);

    return (BlockPlace){ &table->buckets[hash >> (64 - BLOCK_BUCKET_BITS)],
        UINT64_C(1) << (BLOCK_KIND_SHIFT + (hash >> (60 - BLOCK_BUCKET_BITS) & 15)) };
}

static inline Block *block_first_of(uint64_t bucket)
{
    return (Block *)(uintptr_t)(bucket & ((UINT64_C(1) << BLOCK_KIND_SHIFT) - 1));
}

/* Any CPU thread, no lock; NULL when there is none. */
static inline Block *block_find(
    const BlockTable *table, const uint8_t *host, uint64_t pc, uint32_t mode)
{
    BlockPlace place = block_place(table, host, pc, mode);
    uint64_t bucket = atomic_load_explicit(place.bucket, memory_order_acquire);
    Block *block = bucket & place.kind ? block_first_of(bucket) : NULL;

    while (block && (block->host != host || block->pc != pc || block->mode != mode)) {
        block = atomic_load_explicit(&block->next, memory_order_acquire);
    }
    return block;
}

/* Of the page of a pc, in FetchContext.itlb and FetchView.map. */
static inline unsigned itlb_index(uint64_t pc)
{
    return (unsigned)(pc >> GUEST_PAGE_BITS) & (ITLB_SIZE - 1);
}

/* Whether the view knows the page of a pc. */
static inline bool view_has_page(const FetchView *view, uint64_t pc)
{
    unsigned slot = itlb_index(pc);

    return view->context.itlb[slot] && view->map[slot].page == (pc & -(uint64_t)GUEST_PAGE_SIZE);
}

static inline void set_bit(uint64_t *bits, unsigned bit)
{
    bits[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline void clear_bit(uint64_t *bits, unsigned bit)
{
    bits[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

/* A page has two bits, so that one that is not there seldom looks as if it were: all jumps are gone through then. */
static inline unsigned present_bit(uint64_t page, unsigned which)
{
    uint32_t mixed = (uint32_t)(page >> GUEST_PAGE_BITS) * 0x9e3779b1u;

    return mixed >> (which ? 4 : 18) & (PRESENT_BITS - 1);
}

/* What an empty entry holds: a pc that is looked for in another. */
static inline uint64_t jump_empty_pc(unsigned index)
{
    return index == 0 ? 2 : 0;
}

static inline void jump_empty(JumpEntry *entry, unsigned index)
{
    __atomic_store_n(&entry->pc, jump_empty_pc(index), __ATOMIC_RELAXED);
}

/* The block that a jump to the pc would find, unless it looks at its second page first. NULL: none. */
static inline Block *jump_known(const FetchView *view, uint64_t pc)
{
    unsigned index = jump_index(pc);

    if (__atomic_load_n(&view->context.jump[index].pc, __ATOMIC_ACQUIRE) != pc) {
        return NULL;
    }
    Block *block = view->blocks[index];
    bool good = !block->straddles && !atomic_load_explicit(&block->dead, memory_order_relaxed);
    return good ? block : NULL;
}

/* The block knows of one entry, and whether there are others. */
static inline void jump_note(Block *block, JumpEntry *entry)
{
    JumpEntry *first = atomic_load_explicit(&block->cached, memory_order_relaxed);

    if (first == entry ||
        (!first && atomic_compare_exchange_strong(&block->cached, &first, entry))) {
        return;
    }
    atomic_store_explicit(&block->cached_often, true, memory_order_relaxed);
}

/*
 * Enters a block. The entry is noted in the block first, then made, then the block is looked at: a thread that drops
 * it sees the note, or this one sees that it is dead. Then it is not entered: false.
 */
static inline bool jump_enter(FetchView *view, Block *block)
{
    unsigned index = jump_index(block->pc);
    JumpEntry *entry = &view->context.jump[index];

    jump_note(block, entry);
    jump_empty(entry, index);
    entry->code = block->code;
    view->blocks[index] = block;
    __atomic_store_n(&entry->pc, block->pc, __ATOMIC_RELEASE);
    set_bit(view->jumps_used, index);
    set_bit(view->present, present_bit(block->pc, 0));
    set_bit(view->present, present_bit(block->pc, 1));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!atomic_load_explicit(&block->dead, memory_order_relaxed)) {
        return true;
    }
    jump_empty(entry, index);
    clear_bit(view->jumps_used, index);
    return false;
}

#endif
