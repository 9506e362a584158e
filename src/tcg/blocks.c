/* Translated blocks: see blocks.h. */
#include "tcg/blocks.h"

#include <string.h>

#include "core/spin.h"
#include "tcg/jump-inline.h"
#include "tcg/tlb-inline.h"

enum {
    HITS_TO_DROP_ALL = 2,
    DROPS_TO_COPY = 2,
    BLOCK_ALIGN = 16,
    IDLE_WRITES_TO_FORGET = 8, /* stores to a page without blocks before it is plain data again */
};

void blocks_init(BlockTable *table)
{
    table->buckets = (_Atomic uint64_t *)g_new0(uint64_t, (size_t)1 << BLOCK_BUCKET_BITS);
    table->pages = (CodePage * _Atomic *)g_new0(CodePage *, (size_t)1 << PAGE_BUCKET_BITS);
    table->provisional = g_ptr_array_new();
    dormant_init(&table->dormant);
}

void blocks_clear(BlockTable *table)
{
    for (size_t i = 0; table->pages && i < (size_t)1 << PAGE_BUCKET_BITS; i++) {
        for (CodePage *page = table->pages[i], *next; page; page = next) {
            next = page->next;
            __atomic_fetch_and(page->flag, (uint8_t)~PAGE_CODE, __ATOMIC_RELAXED);
            g_free(page);
        }
    }
    g_clear_pointer((void **)&table->buckets, g_free);
    g_clear_pointer((void **)&table->pages, g_free);
    g_clear_pointer(&table->provisional, g_ptr_array_unref);
    dormant_clear(&table->dormant);
}

/* ---- buckets --------------------------------------------------------------------------------- */

static void add_to_bucket(BlockTable *table, Block *block)
{
    BlockPlace place = block_place(table, block->host, block->pc, block->mode);
    uint64_t bucket = atomic_load_explicit(place.bucket, memory_order_relaxed);
    uint64_t kinds = bucket >> BLOCK_KIND_SHIFT << BLOCK_KIND_SHIFT;

    g_assert((uintptr_t)block >> BLOCK_KIND_SHIFT == 0);
    atomic_store_explicit(&block->next, block_first_of(bucket), memory_order_relaxed);
    atomic_store_explicit(
        place.bucket, (uintptr_t)block | kinds | place.kind, memory_order_release);
}

/* Its own `next` stays, for a reader that stands on it. */
static void remove_from_bucket(BlockTable *table, Block *block)
{
    BlockPlace place = block_place(table, block->host, block->pc, block->mode);
    uint64_t bucket = atomic_load_explicit(place.bucket, memory_order_relaxed);
    Block *here = block_first_of(bucket),
          *next = atomic_load_explicit(&block->next, memory_order_relaxed);

    if (here == block) {
        uint64_t kinds = next ? bucket >> BLOCK_KIND_SHIFT << BLOCK_KIND_SHIFT : 0;
        atomic_store_explicit(place.bucket, (uintptr_t)next | kinds, memory_order_release);
        return;
    }
    while (here && here->next != block) {
        here = here->next;
    }
    if (here) {
        atomic_store_explicit(&here->next, next, memory_order_release);
    }
}

/* ---- pages ----------------------------------------------------------------------------------- */

static CodePage *_Atomic *page_bucket(const BlockTable *table, const uint8_t *host)
{
    uint64_t key = (uintptr_t)host >> GUEST_PAGE_BITS;

    return &table->pages[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PAGE_BUCKET_BITS)];
}

static CodePage *page_find(const BlockTable *table, const uint8_t *host)
{
    CodePage *page = atomic_load_explicit(page_bucket(table, host), memory_order_acquire);

    while (page && page->host != host) {
        page = atomic_load_explicit(&page->next, memory_order_acquire);
    }
    return page;
}

/* Most blocks come on the page of the one before. */
static CodePage *page_of_next(const TcgCpu *cpu, const uint8_t *host)
{
    return cpu->code_page && cpu->code_page->host == host ? cpu->code_page
                                                          : page_find(&cpu->tcg->blocks, host);
}

/* Lock held. */
static CodePage *page_get(TcgCpu *cpu, uint8_t *host)
{
    BlockTable *table = &cpu->tcg->blocks;
    CodePage *page = page_of_next(cpu, host);

    if (!page) {
        const RamView *ram = tlb_ram_of_host(&cpu->tlb, host);
        CodePage *_Atomic *bucket = page_bucket(table, host);
        page = g_new0(CodePage, 1);
        page->host = host;
        page->flag = &ram->flags[(host - ram->host) >> PAGE_BITS];
        atomic_store_explicit(&page->next, atomic_load(bucket), memory_order_relaxed);
        atomic_store_explicit(bucket, page, memory_order_release);
    }
    cpu->code_page = page;
    return page;
}

/* From now on stores to the page are noticed; other CPUs must first drop their write entries. */
static void page_becomes_code(TcgCpu *cpu, CodePage *page)
{
    Tcg *tcg = cpu->tcg;

    if (*page->flag & PAGE_CODE) {
        return;
    }
    __atomic_fetch_or(page->flag, PAGE_CODE, __ATOMIC_SEQ_CST);
    tlb_drop_writes(cpu, page->host);
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        if (tcg->cpus[i] && tcg->cpus[i] != cpu && cpu_ask_to_drop(tcg->cpus[i], page)) {
            page->pending |= UINT64_C(1) << i;
        }
    }
    if (page->pending) {
        g_ptr_array_add(tcg->blocks.provisional, page);
        tcg->blocks.provisional_count++;
    }
}

static uint64_t granules_of(const CodePage *page, const uint8_t *start, uint64_t length)
{
    const uint8_t *end = start + length;
    uint64_t first = start < page->host ? 0 : (uint64_t)(start - page->host) >> GRANULE_BITS;
    uint64_t last = end - page->host >= GUEST_PAGE_SIZE
        ? 63
        : (uint64_t)(end - 1 - page->host) >> GRANULE_BITS;

    return (~UINT64_C(0) >> (63 - last)) & (~UINT64_C(0) << first);
}

/* A block's first (which = 0) or second page, and the next block there; NULL: it has no second one. */
static CodePage *page_of(const Block *block, unsigned which)
{
    return which == 0 ? block->page : block->straddles ? block_end(block)->page : NULL;
}

static Block **page_next(Block *block, const CodePage *page)
{
    return block->page == page ? &block->page_next : &block_end(block)->page_next;
}

/* The part of a block's code that lies on its first (which = 0) or second page. */
static uint64_t block_granules(const Block *block, unsigned which)
{
    const CodePage *page = page_of(block, which);
    uint64_t on_first = (uint64_t)(block->page->host + GUEST_PAGE_SIZE - block->host);

    if (which == 0) {
        return granules_of(page, block->host, MIN(on_first, block->guest_size));
    }
    return granules_of(page, page->host, block->guest_size - on_first);
}

/* Who publishes puts a fence between this and its look at the code. */
static void add_granules(CodePage *page, uint64_t granules)
{
    uint64_t old = atomic_load_explicit(&page->granules, memory_order_relaxed);

    if ((old | granules) != old) {
        atomic_store_explicit(&page->granules, old | granules, memory_order_relaxed);
    }
}

static void add_to_pages(Block *block)
{
    for (unsigned i = 0; i < 2 && page_of(block, i); i++) {
        CodePage *page = page_of(block, i);
        page->hits = 0;
        page->idle_writes = 0;
        *page_next(block, page) = page->blocks;
        page->blocks = block;
        add_granules(page, block_granules(block, i));
    }
}

static unsigned page_slot(const Block *block, const CodePage *page)
{
    return block->page == page ? 0 : 1;
}

static void remove_from_page(Block *block, unsigned which)
{
    CodePage *page = page_of(block, which);
    Block **at = &page->blocks;

    while (*at != block) {
        at = page_next(*at, page);
    }
    *at = *page_next(block, page);
}

/* After blocks went; until then the granules are a superset, which costs time only. */
static void refresh_granules(CodePage *page)
{
    uint64_t granules = 0;

    for (Block *block = page->blocks; block; block = *page_next(block, page)) {
        granules |= block_granules(block, page_slot(block, page));
    }
    atomic_store(&page->granules, granules);
}

/* ---- publishing ------------------------------------------------------------------------------ */

/* Where code is written again and again it may also come back. */
static bool may_sleep(const TcgCpu *cpu, const CodePage *page)
{
    return page && page->drops >= DROPS_TO_COPY && !cpu->reader.narrow &&
        cpu->ir.guest_size >= DORMANT_MIN_SIZE;
}

/* Where other CPUs may still write unnoticed it is looked at again when they no longer do. */
static bool may_be_provisional(const TcgCpu *cpu, const CodePage *page)
{
    return cpu->tcg->cpu_count > 1 &&
        (!page || !(__atomic_load_n(page->flag, __ATOMIC_RELAXED) & PAGE_CODE) || page->pending);
}

static Block *new_block(TcgCpu *cpu, const uint8_t *host)
{
    const IrBlock *ir = &cpu->ir;
    const Emitted *out = &cpu->emitted;
    Chunk *chunk = cpu->chunk;
    size_t sides_size = out->side_count * sizeof(SideEntry);
    uint64_t last_pc = ir->pc + ir->guest_size - 1;
    bool straddles = ((ir->pc ^ last_pc) & -(uint64_t)GUEST_PAGE_SIZE) != 0;
    const CodePage *page = page_of_next(
        cpu, (const uint8_t *)((uintptr_t)host & -(uintptr_t)GUEST_PAGE_SIZE));
    bool sleeps = !straddles && may_sleep(cpu, page);
    bool has_copy = sleeps || (!straddles && may_be_provisional(cpu, page));
    size_t end_size = straddles ? sizeof(BlockEnd) : has_copy ? ir->guest_size : 0;
    Block *block = chunk_alloc(chunk, sizeof(Block) + sides_size + end_size);

    block->host = host;
    block->pc = ir->pc;
    block->mode = ir->mode;
    block->guest_size = (uint16_t)ir->guest_size;
    block->guest_insns = (uint16_t)ir->guest_insns;
    block->code = chunk->execute + chunk->used;
    block->code_size = out->size;
    block->exits = out->exits;
    block->exit_count = (uint8_t)ir->exit_count;
    block->side_count = (uint16_t)out->side_count;
    memcpy(block->sides, out->sides, sides_size);
    block->has_copy = has_copy;
    block->may_sleep = sleeps;
    if (has_copy) {
        memcpy(block_copy(block), cpu->reader.copy, ir->guest_size);
    }
    block->straddles = straddles;
    if (straddles) {
        block_end(block)->id = cpu->reader.second_id;
    }
    for (unsigned i = 0; i < block->exit_count; i++) {
        block->exits[i].block = block;
    }
    return block;
}

void code_copy(uint8_t *copy, const uint8_t *host, unsigned length)
{
    for (unsigned at = 0; at < length; at += 2) {
        uint16_t unit = __atomic_load_n((const uint16_t *)(host + at), __ATOMIC_RELAXED);
        memcpy(copy + at, &unit, sizeof(unit));
    }
}

static bool is_same16(const uint8_t *copy, const uint8_t *host)
{
    uint16_t unit;

    memcpy(&unit, copy, sizeof(unit));
    return unit == __atomic_load_n((const uint16_t *)host, __ATOMIC_RELAXED);
}

static bool is_same64(const uint8_t *copy, const uint8_t *host)
{
    uint64_t units;

    memcpy(&units, copy, sizeof(units));
    return units == __atomic_load_n((const uint64_t *)host, __ATOMIC_RELAXED);
}

bool code_is_same(const uint8_t *copy, const uint8_t *host, unsigned length)
{
    unsigned at = 0;
    bool same = true;

    for (; at < length && (uintptr_t)(host + at) % 8; at += 2) {
        same &= is_same16(copy + at, host + at);
    }
    for (; at + 8 <= length; at += 8) {
        same &= is_same64(copy + at, host + at);
    }
    for (; at < length; at += 2) {
        same &= is_same16(copy + at, host + at);
    }
    return same;
}

static bool copy_is_true(const Block *block, const uint8_t *copy)
{
    const CodePage *second = page_of(block, 1);
    unsigned on_first = block->guest_size;

    if (second) {
        on_first = GUEST_PAGE_SIZE - (unsigned)(block->pc & (GUEST_PAGE_SIZE - 1));
    }
    return code_is_same(copy, block->host, on_first) &&
        (!second || code_is_same(copy + on_first, second->host, block->guest_size - on_first));
}

/* What a drop is, but for the lists of pages. */
static void block_dies(Tcg *tcg, Chunk *chunk, Block *block)
{
    atomic_store(&block->dead, true);
    remove_from_bucket(&tcg->blocks, block);
    chain_cut(tcg, block);
    tcg->dropped_blocks++;
    chunk->live--;
}

/*
 * Takes all blocks of a chunk from a page's list at once, the first time this eviction comes to it: a page that many
 * processes run, each at its own address, has tens of thousands.
 */
static void sweep_page(Tcg *tcg, CodePage *page, const Chunk *chunk)
{
    if (page->swept == tcg->evictions) {
        return;
    }
    page->swept = tcg->evictions;
    for (Block **at = &page->blocks; *at;) {
        Block **next = page_next(*at, page);
        if (code_find(&tcg->code, (*at)->code) == chunk) {
            *at = *next;
        } else {
            at = next;
        }
    }
}

void chunk_evict(Tcg *tcg, Chunk *chunk)
{
    chunk->state = CHUNK_EVICTED;
    tcg->evictions++;
    for (Block *block = chunk->last; block; block = block->before) {
        if (block->dead) {
            if (block->dormant) {
                dormant_forget(&tcg->blocks.dormant, block);
            }
            continue;
        }
        for (unsigned k = 0; k < 2 && page_of(block, k); k++) {
            sweep_page(tcg, page_of(block, k), chunk);
        }
        block_dies(tcg, chunk, block);
    }
    code_retire(&tcg->code, chunk, atomic_fetch_add(&tcg->epoch, 1) + 1);
}

void chunk_tidy(Tcg *tcg, Chunk *chunk)
{
    if (chunk->state == CHUNK_FULL && chunk->live <= chunk->block_count / 8 * 5) {
        chunk_evict(tcg, chunk);
    }
}

void block_drop(Tcg *tcg, Block *block)
{
    Chunk *chunk = code_find(&tcg->code, block->code);

    if (block->dead) {
        return;
    }
    for (unsigned i = 0; i < 2 && page_of(block, i); i++) {
        remove_from_page(block, i);
    }
    block_dies(tcg, chunk, block);
    chunk_tidy(tcg, chunk);
}

/* Drops a block whose code was written. While it is dormant it counts as living for its chunk. */
static void drop_written(Tcg *tcg, Block *block)
{
    Chunk *chunk = code_find(&tcg->code, block->code);
    Block *displaced;

    if (block->dead || !block->may_sleep || !dormant_add(&tcg->blocks.dormant, block, &displaced)) {
        block_drop(tcg, block);
        return;
    }
    remove_from_page(block, 0);
    block_dies(tcg, chunk, block);
    chunk->live++;
    if (displaced) {
        Chunk *other = code_find(&tcg->code, displaced->code);
        other->live--;
        chunk_tidy(tcg, other);
    }
}

static unsigned sector_of(const Chunk *chunk, const uint8_t *code)
{
    return (unsigned)((size_t)(code - chunk->execute) >> CODE_SECTOR_BITS);
}

/* block_side() takes no lock: what it goes through is there before the way to it. */
static void keep_code(TcgCpu *cpu, Block *block)
{
    Chunk *chunk = cpu->chunk;

    block->before = chunk->last;
    chunk->last = block;
    chunk->block_count++;
    atomic_store_explicit(
        &chunk->last_in[sector_of(chunk, block->code)], block, memory_order_release);
    chunk->used = (chunk->used + block->code_size + BLOCK_ALIGN - 1) & -(size_t)BLOCK_ALIGN;
}

/* Only who holds the lock counts: that others may read it is enough. */
static void count(_Atomic uint64_t *counter, uint64_t more)
{
    uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, before + more, memory_order_relaxed);
}

/*
 * Blocks that run once and are dead from birth: where rights hold for less than a page, and where a page is mapped
 * behind itself with an instruction on both, for which the lists of pages have no place.
 */
static bool is_listed(const TcgCpu *cpu, const Block *block)
{
    return !cpu->reader.narrow && block->page != page_of(block, 1);
}

/* False: the code was changed meanwhile, and the block is dropped again. */
static bool list_block(TcgCpu *cpu, Block *block, const uint8_t *copy)
{
    for (unsigned i = 0; i < 2 && page_of(block, i); i++) {
        page_becomes_code(cpu, page_of(block, i));
        block->provisional |= page_of(block, i)->pending != 0;
    }
    add_to_pages(block);
    add_to_bucket(&cpu->tcg->blocks, block);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (copy_is_true(block, copy)) {
        return true;
    }
    block_drop(cpu->tcg, block);
    return false;
}

Block *block_publish(TcgCpu *cpu, const uint8_t *host, const uint8_t *second_page, bool *stable)
{
    Tcg *tcg = cpu->tcg;
    Block *block = new_block(cpu, host);
    uint8_t *page = (uint8_t *)((uintptr_t)host & -(uintptr_t)GUEST_PAGE_SIZE);

    spin_mutex_lock(&tcg->lock);
    keep_code(cpu, block);
    count(&tcg->translated_blocks, 1);
    count(&tcg->translated_insns, block->guest_insns);
    block->page = page_get(cpu, page);
    if (block->straddles) {
        block_end(block)->page = page_get(cpu, (uint8_t *)second_page);
    }
    if (is_listed(cpu, block)) {
        cpu->chunk->live++;
        *stable = list_block(cpu, block, cpu->reader.copy);
    } else {
        atomic_store(&block->dead, true);
        *stable = true;
    }
    pthread_mutex_unlock(&tcg->lock);
    return block;
}

Block *block_revive(TcgCpu *cpu, const uint8_t *host, uint64_t pc, uint32_t mode)
{
    Tcg *tcg = cpu->tcg;
    DormantBlocks *dormant = &tcg->blocks.dormant;

    if (!dormant->ways) {
        return NULL;
    }
    spin_mutex_lock(&tcg->lock);
    Block *block = dormant_take(dormant, host, pc, mode);
    if (block) {
        block->provisional = false;
        atomic_store(&block->dead, false);
        if (list_block(cpu, block, block_copy(block))) {
            tcg->revived_blocks++;
        } else {
            block = NULL;
        }
    }
    pthread_mutex_unlock(&tcg->lock);
    return block;
}

/* ---- writes ---------------------------------------------------------------------------------- */

static bool drop_granules(Tcg *tcg, CodePage *page, uint64_t granules)
{
    bool dropped = false;

    for (Block *block = page->blocks, *next; block; block = next) {
        unsigned which = page_slot(block, page);
        next = *page_next(block, page);
        if (block_granules(block, which) & granules) {
            drop_written(tcg, block);
            dropped = true;
        }
    }
    refresh_granules(page);
    return dropped;
}

/* A page whose blocks are gone and that is still being written is plain data, until it is run again. */
static void count_idle_write(CodePage *page)
{
    if (!page->blocks && !page->pending && ++page->idle_writes >= IDLE_WRITES_TO_FORGET) {
        __atomic_fetch_and(page->flag, (uint8_t)~PAGE_CODE, __ATOMIC_SEQ_CST);
    }
}

/*
 * Code that is written here and there (a patched call) loses the blocks of those granules; code that is written
 * again before anything of the page is translated anew (a compiler fills it) loses all of them at once.
 */
static bool page_written(Tcg *tcg, CodePage *page, const uint8_t *at, uint64_t length)
{
    uint64_t granules = granules_of(page, at, length), used = atomic_load(&page->granules);

    if (used && !(used & granules)) {
        return false;
    }
    spin_mutex_lock(&tcg->lock);
    if (page->hits >= HITS_TO_DROP_ALL) {
        granules = ~UINT64_C(0);
    }
    bool dropped = drop_granules(tcg, page, granules);
    page->hits += dropped;
    page->drops += dropped;
    count_idle_write(page);
    pthread_mutex_unlock(&tcg->lock);
    return dropped;
}

bool code_written(Tcg *tcg, uint8_t *host, uint64_t length)
{
    uint8_t *end = host + length;
    uint8_t *page = (uint8_t *)((uintptr_t)host & -(uintptr_t)GUEST_PAGE_SIZE);
    bool dropped = false;

    for (; page < end; page += GUEST_PAGE_SIZE) {
        CodePage *code = page_find(&tcg->blocks, page);
        uint8_t *from = MAX(host, page), *to = MIN(end, page + GUEST_PAGE_SIZE);
        if (code) {
            dropped |= page_written(tcg, code, from, (uint64_t)(to - from));
        }
    }
    return dropped;
}

/* Those that are what memory says stay. */
static void check_provisional(Tcg *tcg, CodePage *page)
{
    for (Block *block = page->blocks, *next; block; block = next) {
        next = *page_next(block, page);
        if (!block->provisional) {
            continue;
        }
        if (!block->has_copy || !copy_is_true(block, block_copy(block))) {
            block_drop(tcg, block);
        } else {
            block->provisional = page->pending != 0;
        }
    }
}

void code_confirm(Tcg *tcg, unsigned cpu)
{
    GPtrArray *pages = tcg->blocks.provisional;

    for (unsigned i = pages->len; i-- > 0;) {
        CodePage *page = g_ptr_array_index(pages, i);
        page->pending &= ~(UINT64_C(1) << cpu);
        if (!page->pending) {
            check_provisional(tcg, page);
            g_ptr_array_remove_index_fast(pages, i);
            tcg->blocks.provisional_count--;
        }
    }
}

void code_check_provisional(Tcg *tcg)
{
    for (unsigned i = 0; i < tcg->blocks.provisional->len; i++) {
        check_provisional(tcg, g_ptr_array_index(tcg->blocks.provisional, i));
    }
}

/* ---- side tables ----------------------------------------------------------------------------- */

/* The block that a site is in, or where one ends: it may be a return address. NULL: none. */
static Block *block_at(const Chunk *chunk, const uint8_t *site)
{
    unsigned sector = sector_of(chunk, site);
    Block *block;

    do {
        block = atomic_load_explicit(&chunk->last_in[sector], memory_order_acquire);
        while (block && (const uint8_t *)block->code >= site) {
            block = block->before;
        }
    } while (!block && sector-- > 0);
    return block;
}

const SideEntry *block_side(Tcg *tcg, const void *site, Block **block)
{
    const Chunk *chunk = code_find(&tcg->code, site);
    const SideEntry *found = NULL;

    *block = NULL;
    Block *here = chunk ? block_at(chunk, site) : NULL;
    if (!here) {
        return NULL;
    }
    uint32_t offset = (uint32_t)((const uint8_t *)site - (const uint8_t *)here->code);
    for (unsigned i = 0; i < here->side_count && !found; i++) {
        found = here->sides[i].host == offset ? &here->sides[i] : NULL;
    }
    *block = here;
    return found;
}
