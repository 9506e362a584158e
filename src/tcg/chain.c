/* How blocks reach each other: see chain.h. */
#include "tcg/chain.h"

#include <string.h>

#include "tcg/jump-inline.h"

enum {
    PAGE_IDS_MIN_BITS = 12,
    PAGE_IDS_MAX_BITS = 17, /* then all are forgotten, and exits linked again */
    FEW_VIEWS = 4,          /* of a CPU to begin with */
    PAGES_PER_REFILL = 16,  /* that may be looked up again for each refill of the TLB ... */
    MOST_CREDIT = 1 << 16,  /* ... and at most so many at once */
    MOST_FETCHED = PRESENT_BITS / 8, /* pages before FetchedPages begins anew */
};

/* ---- page ids -------------------------------------------------------------------------------- */

static PageId *page_id_slot(const PageIds *ids, uint64_t page, const uint8_t *host)
{
    uint64_t key = (page >> GUEST_PAGE_BITS) * 31 + ((uintptr_t)host >> GUEST_PAGE_BITS);
    uint64_t mask = (UINT64_C(1) << ids->bits) - 1;
    uint64_t slot = key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - ids->bits);

    while (ids->entries[slot].id &&
        (ids->entries[slot].page != page || ids->entries[slot].host != host)) {
        slot = (slot + 1) & mask;
    }
    return &ids->entries[slot];
}

static void page_ids_grow(PageIds *ids)
{
    PageIds old = *ids;
    unsigned old_size = old.bits ? 1u << old.bits : 0;

    ids->bits = old.bits == 0 || old.bits == PAGE_IDS_MAX_BITS ? PAGE_IDS_MIN_BITS : old.bits + 1;
    ids->entries = g_new0(PageId, (size_t)1 << ids->bits);
    ids->count = 0;
    for (unsigned i = 0; i < old_size && ids->bits > old.bits; i++) {
        if (old.entries[i].id) {
            *page_id_slot(ids, old.entries[i].page, old.entries[i].host) = old.entries[i];
            ids->count++;
        }
    }
    g_free(old.entries);
}

uint32_t page_id(PageIds *ids, uint64_t page, const uint8_t *host)
{
    if (ids->count >= (1u << ids->bits) / 2) {
        page_ids_grow(ids);
    }
    PageId *slot = page_id_slot(ids, page, host);
    if (!slot->id) {
        *slot = (PageId){ page, host, ++ids->last };
        ids->count++;
    }
    return slot->id;
}

void page_ids_clear(PageIds *ids)
{
    g_clear_pointer(&ids->entries, g_free);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* The code of an exit's block, which is about to be patched. */
static CodeView code_of(Tcg *tcg, const BlockExit *exit)
{
    const uint8_t *execute = exit->block->code;
    Chunk *chunk = code_find(&tcg->code, execute);

    code_patched(&tcg->code, chunk, execute + exit->jump);
    return (CodeView){ chunk->write + (execute - chunk->execute), execute };
}

static bool may_patch(Tcg *tcg, const BlockExit *exit)
{
    const uint8_t *at = (const uint8_t *)exit->block->code + exit->jump;

    return code_may_patch(&tcg->code, code_find(&tcg->code, at), at);
}

static void unlink_exit(Tcg *tcg, BlockExit *exit)
{
    BlockExit **at = &exit->target->in;

    while (*at != exit) {
        at = &(*at)->next_in;
    }
    *at = exit->next_in;
    exit->target = NULL;
    tcg->host->unlink(exit, code_of(tcg, exit));
}

/*
 * For an exit whose target is on another page than before. Another CPU may have passed the guard with the old id and
 * not yet jumped: so first the exit is only unlinked, and linked anew when all have been outside since.
 */
static bool may_change_page(TcgCpu *cpu, BlockExit *exit)
{
    Tcg *tcg = cpu->tcg;

    if (tcg->cpu_count > 1 && exit->page_id) {
        if (exit->target) {
            unlink_exit(tcg, exit);
        }
        exit->page_id = 0;
        exit->closed_at = atomic_fetch_add(&tcg->epoch, 1) + 1;
    }
    return exit->page_id || cpu_passed_epoch(cpu) >= exit->closed_at;
}

void chain_link(TcgCpu *cpu, BlockExit *exit, Block *target, uint32_t id)
{
    Tcg *tcg = cpu->tcg;
    bool is_guard = exit->block->straddles && exit->pc == exit->block->pc; /* see translate.c */

    if (exit->block->dead || target->dead || is_guard) {
        return;
    }
    if (exit->target == target && (!exit->guard || exit->page_id == id)) {
        return; /* it is: the guard came upon a page that was not there */
    }
    if ((exit->guard && exit->page_id != id && !may_change_page(cpu, exit)) ||
        !may_patch(tcg, exit)) {
        return;
    }
    if (exit->target) {
        unlink_exit(tcg, exit);
    }
    exit->page_id = id;
    exit->target = target;
    exit->next_in = target->in;
    target->in = exit;
    tcg->host->link(exit, code_of(tcg, exit), target->code, id);
}

static void empty_jump_to(JumpEntry *entry, uint64_t pc)
{
    if (__atomic_load_n(&entry->pc, __ATOMIC_RELAXED) == pc) {
        jump_empty(entry, jump_index(pc));
    }
}

/* Jump cache entries of any CPU: another block with this pc may lose its entry too, and finds it again. */
static void cut_jumps(Tcg *tcg, Block *block)
{
    JumpEntry *first = atomic_load(&block->cached);

    if (first) {
        empty_jump_to(first, block->pc);
    }
    if (!atomic_load(&block->cached_often)) {
        return;
    }
    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        for (unsigned v = 0; tcg->cpus[i] && v < FETCH_VIEWS; v++) {
            FetchView *view = __atomic_load_n(&tcg->cpus[i]->views[v], __ATOMIC_ACQUIRE);
            if (view) {
                empty_jump_to(&view->context.jump[jump_index(block->pc)], block->pc);
            }
        }
    }
}

void chain_cut(Tcg *tcg, Block *block)
{
    while (block->in) {
        unlink_exit(tcg, block->in);
    }
    for (unsigned i = 0; i < block->exit_count; i++) {
        if (block->exits[i].target) {
            unlink_exit(tcg, &block->exits[i]);
        }
    }
    cut_jumps(tcg, block);
}

/* ---- jump caches ----------------------------------------------------------------------------- */

/* Goes through the set bits; the body may clear the current one. */
#define FOR_EACH_BIT(bit, bits, size)                                                              \
    for (unsigned word_ = 0; word_ < (size) / 64; word_++)                                         \
        for (uint64_t left_ = (bits)[word_]; left_; left_ &= left_ - 1)                            \
            for (unsigned bit = word_ * 64 + (unsigned)__builtin_ctzll(left_), once_ = 1; once_;   \
                 once_ = 0)

static bool is_set(const uint64_t *bits, unsigned bit)
{
    return bits[bit / 64] >> (bit % 64) & 1;
}

/* In a filter of PRESENT_BITS. */
static bool is_present(const uint64_t *bits, uint64_t page)
{
    return is_set(bits, present_bit(page, 0)) && is_set(bits, present_bit(page, 1));
}

static uint64_t jump_pc(const FetchView *view, unsigned index)
{
    return __atomic_load_n(&view->context.jump[index].pc, __ATOMIC_RELAXED);
}

static void clear_jump(FetchView *view, unsigned index)
{
    jump_empty(&view->context.jump[index], index);
    clear_bit(view->jumps_used, index);
}

void chain_cache_jump(TcgCpu *cpu, Block *block)
{
    if (jump_known(cpu->view, block->pc) != block) {
        jump_enter(cpu->view, block);
    }
}

/* ---- fetch views ----------------------------------------------------------------------------- */

static void view_enter(FetchView *view, uint32_t id, const FetchPage *page)
{
    unsigned slot = itlb_index(page->page);

    view->displaced |= view->context.itlb[slot] && view->map[slot].page != page->page;
    view->context.itlb[slot] = id;
    view->map[slot] = *page;
    view->shared &= page->global;
    set_bit(view->itlb_used, slot);
}

void fetch_view_clear(FetchView *view)
{
    FOR_EACH_BIT(index, view->jumps_used, JUMP_SIZE)
    {
        jump_empty(&view->context.jump[index], index);
    }
    FOR_EACH_BIT(slot, view->itlb_used, ITLB_SIZE)
    {
        view->context.itlb[slot] = 0;
    }
    memset(view->jumps_used, 0, sizeof(view->jumps_used));
    memset(view->itlb_used, 0, sizeof(view->itlb_used));
    memset(view->present, 0, sizeof(view->present));
    view->displaced = false;
}

static bool is_in_map(const FetchView *view, uint64_t page)
{
    unsigned slot = itlb_index(page);

    return is_set(view->itlb_used, slot) && view->map[slot].page == page;
}

static bool may_have_jumps(const FetchView *view, uint64_t page)
{
    return is_present(view->present, page) && (view->displaced || is_in_map(view, page));
}

/* A block of one instruction may begin on the page before and straddle into this one. */
void fetch_view_forget(FetchView *view, uint64_t page)
{
    uint64_t before = page - GUEST_PAGE_SIZE;

    if (is_in_map(view, page)) {
        view->context.itlb[itlb_index(page)] = 0;
    }
    if (!may_have_jumps(view, page) && !may_have_jumps(view, before)) {
        return;
    }
    FOR_EACH_BIT(index, view->jumps_used, JUMP_SIZE)
    {
        if (jump_pc(view, index) - before < 2 * GUEST_PAGE_SIZE) {
            clear_jump(view, index);
        }
    }
}

/* ---- all views of a CPU ---------------------------------------------------------------------- */

void fetch_enter(TcgCpu *cpu, uint32_t id, const FetchPage *page)
{
    FetchedPages *fetched = &cpu->fetched;

    if (!is_present(fetched->bits, page->page)) {
        set_bit(fetched->bits, present_bit(page->page, 0));
        set_bit(fetched->bits, present_bit(page->page, 1));
        fetched->count++;
    }
    view_enter(cpu->view, id, page);
}

void fetch_clear(TcgCpu *cpu)
{
    for (unsigned i = 0; i < FETCH_VIEWS && cpu->views[i]; i++) {
        fetch_view_clear(cpu->views[i]);
    }
    cpu->fetched = (FetchedPages){ 0 };
}

/* An instruction of the page before may be on this one, too. */
void fetch_forget(TcgCpu *cpu, uint64_t page)
{
    const FetchedPages *fetched = &cpu->fetched;

    if (fetched->count > MOST_FETCHED) {
        fetch_clear(cpu);
        return;
    }
    if (!is_present(fetched->bits, page) && !is_present(fetched->bits, page - GUEST_PAGE_SIZE)) {
        return;
    }
    for (unsigned i = 0; i < FETCH_VIEWS && cpu->views[i]; i++) {
        fetch_view_forget(cpu->views[i], page);
    }
}

/* ---- which view ------------------------------------------------------------------------------ */

static bool is_global(const FetchView *view, uint64_t pc)
{
    return view_has_page(view, pc) && view->map[itlb_index(pc)].global;
}

void fetch_view_keep_globals(FetchView *view)
{
    FOR_EACH_BIT(index, view->jumps_used, JUMP_SIZE)
    {
        if (!is_global(view, jump_pc(view, index))) {
            clear_jump(view, index);
        }
    }
    FOR_EACH_BIT(slot, view->itlb_used, ITLB_SIZE)
    {
        if (!view->map[slot].global) {
            view->context.itlb[slot] = 0;
            clear_bit(view->itlb_used, slot);
        }
    }
    view->displaced = false;
}

/* Its memory is touched now: to read it first and write it later would cost all threads a flush by the host. */
FetchView *fetch_view_new(void)
{
    FetchView *view = g_malloc(sizeof(*view));

    memset(view, 0, sizeof(*view));
    jump_empty(&view->context.jump[0], 0);
    return view;
}

static bool is_own(const FetchView *view, const FetchKey *key)
{
    return view->serial == key->serial && view->mode == key->mode;
}

static bool was_given_up(const TcgCpu *cpu, const FetchKey *key)
{
    for (unsigned i = 0; i < FETCH_VIEWS; i++) {
        if (cpu->given_up[i].serial == key->serial && cpu->given_up[i].mode == key->mode) {
            return true;
        }
    }
    return false;
}

static bool is_orphan(const FetchView *view)
{
    return !view->serial;
}

void fetch_orphan(TcgCpu *cpu, uint64_t serial, uint64_t twin)
{
    for (unsigned i = 0; i < FETCH_VIEWS && cpu->views[i]; i++) {
        FetchView *view = cpu->views[i];
        if (!twin || view->serial == serial || view->twin == twin) {
            view->serial = 0;
            view->twin = 0;
        }
    }
}

/* The last one in this mode that is worth to be adopted: it has seen nothing but global pages. NULL: none. */
static FetchView *find_orphan(const TcgCpu *cpu, uint32_t mode)
{
    FetchView *latest = NULL;

    for (unsigned i = 0; i < FETCH_VIEWS && cpu->views[i]; i++) {
        FetchView *view = cpu->views[i];
        if (is_orphan(view) && view->shared && view->mode == mode &&
            (!latest || view->used_at > latest->used_at)) {
            latest = view;
        }
    }
    return latest;
}

/*
 * A slot to use, empty or not. Views are large, and of a guest that starts many programs most address spaces do not
 * come again: a CPU has few views until one that it gave up is asked for again.
 */
static unsigned choose_view(TcgCpu *cpu, const FetchKey *key)
{
    const FetchView *kept = find_orphan(cpu, key->mode);
    unsigned oldest = 0, count = 0;

    for (; count < FETCH_VIEWS && cpu->views[count]; count++) {
        const FetchView *view = cpu->views[count];
        if (is_orphan(view) && view != kept) {
            return count;
        }
        if (view->used_at < cpu->views[oldest]->used_at) {
            oldest = count;
        }
    }
    if (count < FEW_VIEWS || (count < FETCH_VIEWS && was_given_up(cpu, key))) {
        return count;
    }
    const FetchView *view = cpu->views[oldest];
    FetchKey *given_up = &cpu->given_up[cpu->given_up_count++ % FETCH_VIEWS];
    *given_up = (FetchKey){ view->serial, view->twin, view->mode };
    return oldest;
}

/* The kernel's code stays known when a process begins. */
static void copy_globals(FetchView *view, const FetchView *from)
{
    FOR_EACH_BIT(slot, from->itlb_used, ITLB_SIZE)
    {
        if (from->context.itlb[slot] && from->map[slot].global) {
            view_enter(view, from->context.itlb[slot], &from->map[slot]);
        }
    }
    FOR_EACH_BIT(index, from->jumps_used, JUMP_SIZE)
    {
        uint64_t pc = jump_pc(from, index);
        if (pc != jump_empty_pc(index) && is_global(view, pc)) {
            jump_enter(view, from->blocks[index]);
        }
    }
}

static const FetchView *find_sibling(const TcgCpu *cpu, const FetchKey *key)
{
    const FetchView *latest = NULL;

    for (unsigned i = 0; i < FETCH_VIEWS && cpu->views[i]; i++) {
        const FetchView *view = cpu->views[i];
        if (view->twin == key->twin && view->mode == key->mode &&
            (!latest || view->used_at > latest->used_at)) {
            latest = view;
        }
    }
    return latest;
}

static FetchView *make_view(TcgCpu *cpu, const FetchKey *key)
{
    const FetchView *sibling = find_sibling(cpu, key);
    unsigned slot = choose_view(cpu, key);
    FetchView *view = cpu->views[slot] ? cpu->views[slot] : fetch_view_new();

    sibling = sibling == view ? NULL : sibling;
    fetch_view_clear(view);
    view->serial = key->serial;
    view->twin = key->twin;
    view->mode = key->mode;
    view->shared = true;
    __atomic_store_n(&cpu->views[slot], view, __ATOMIC_RELEASE);
    if (sibling) {
        copy_globals(view, sibling);
    } else if (find_orphan(cpu, key->mode)) {
        cpu->may_adopt = true;
        atomic_store(&cpu->env->exit_request, 1);
    }
    return view;
}

static bool is_shared(const FetchView *view, const FetchKey *key)
{
    return view->shared && view->twin == key->twin && view->mode == key->mode;
}

static FetchView *find_view(TcgCpu *cpu, const FetchKey *key)
{
    FetchView *shared = NULL;

    for (unsigned i = 0; i < FETCH_VIEWS && cpu->views[i]; i++) {
        FetchView *view = cpu->views[i];
        if (is_own(view, key)) {
            return view;
        }
        shared = is_shared(view, key) ? view : shared;
    }
    return shared;
}

FetchView *fetch_view(TcgCpu *cpu, FetchView *hint, const FetchKey *key)
{
    FetchView *view = hint && is_own(hint, key) ? hint : find_view(cpu, key);

    if (!view) {
        view = make_view(cpu, key);
    }
    view->serial = key->serial;
    view->used_at = ++cpu->view_clock;
    return view;
}

/* ---- adopting -------------------------------------------------------------------------------- */

static unsigned pages_in(const FetchView *view)
{
    unsigned pages = 0;

    for (unsigned i = 0; i < ITLB_SIZE / 64; i++) {
        pages += (unsigned)__builtin_popcountll(view->itlb_used[i]);
    }
    return pages;
}

/*
 * Whether the TLB was refilled often enough for it since the last time; if so, that is used up. Where a guest flushes
 * all the time and does little between, most of a large view would be looked up in vain.
 */
static bool take_credit(TcgCpu *cpu, const FetchView *orphan)
{
    uint64_t refills = cpu->tlb.walks + cpu->tlb.refills;
    unsigned pages = pages_in(orphan);

    cpu->adopt_credit += (refills - cpu->refills_credited) * PAGES_PER_REFILL;
    cpu->adopt_credit = MIN(cpu->adopt_credit, MOST_CREDIT);
    cpu->refills_credited = refills;
    if (cpu->adopt_credit < pages) {
        return false;
    }
    cpu->adopt_credit -= pages;
    return true;
}

/* Whether a page is global, and where it was. *piece: what was looked up last. */
static bool is_as_known(TcgCpu *cpu, const FetchPage *known, MappedPiece *piece)
{
    bool in_piece = known->page - piece->start < piece->size;

    return (in_piece || tlb_fetch_piece(cpu, known->page, piece)) && piece->global &&
        piece->marked == known->marked && piece->host + (known->page - piece->start) == known->host;
}

static void look_up_pages(TcgCpu *cpu, FetchView *orphan)
{
    MappedPiece piece = { 0 };
    bool all_there = !orphan->displaced;

    FOR_EACH_BIT(slot, orphan->itlb_used, ITLB_SIZE)
    {
        if (orphan->context.itlb[slot] && !is_as_known(cpu, &orphan->map[slot], &piece)) {
            orphan->context.itlb[slot] = 0;
            all_there = false;
        }
    }
    if (!all_there) {
        fetch_view_keep_globals(orphan);
    }
    cpu->refills_credited = cpu->tlb.walks + cpu->tlb.refills; /* these walks do not count */
}

/* The orphan becomes the current view, and that an orphan of which nothing is known. */
static void take_its_place(TcgCpu *cpu, FetchView *orphan)
{
    FetchView *view = cpu->view;

    orphan->serial = view->serial;
    orphan->twin = view->twin;
    orphan->used_at = view->used_at;
    fetch_view_clear(view);
    view->serial = 0;
    view->twin = 0;
    view->shared = false;
    cpu->view = orphan;
    cpu->env->fetch = &orphan->context;
}

void fetch_adopt(TcgCpu *cpu)
{
    FetchView *orphan = find_orphan(cpu, cpu->view->mode);

    cpu->may_adopt = false;
    if (!orphan || !cpu->view->shared) {
        return;
    }
    if (take_credit(cpu, orphan)) {
        look_up_pages(cpu, orphan);
        take_its_place(cpu, orphan);
    } else {
        orphan->shared = false; /* it is not asked again */
    }
}
