/* Guest memory as a CPU sees it: address spaces, both levels, flushes. See tlb.h and tlb-impl.h. */
#include <string.h>

#include "tcg/tcg-impl.h"
#include "tcg/tlb-inline.h"

enum {
    MOST_NEW_SPACES = 6,      /* that one change of context needs: three, each with its twin */
    LOOKUPS_PER_CHECK = 4096, /* how often growing is considered */
    REPLACED_TO_GROW = LOOKUPS_PER_CHECK / 50,
};

/* ---- spaces ---------------------------------------------------------------------------------- */

static uint64_t new_serial(Tlb *tlb)
{
    return tlb->last_serial += L2_FLAGS;
}

static unsigned space_slot(uint64_t space, uint64_t rights, unsigned kind)
{
    uint64_t key = (space * 31 + rights) * 4 + kind;

    return (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 55) & (TLB_SPACE_HASH - 1);
}

/* The space, or NULL: *slot is where it is to be entered. */
static TlbSpace *find_space(Tlb *tlb, const TlbSpace *wanted, unsigned *slot)
{
    *slot = space_slot(wanted->space, wanted->rights, wanted->fetch + 2u * wanted->global);
    for (; tlb->space_hash[*slot]; *slot = (*slot + 1) % TLB_SPACE_HASH) {
        TlbSpace *space = &tlb->spaces[tlb->space_hash[*slot] - 1];
        if (space->space == wanted->space && space->rights == wanted->rights &&
            space->fetch == wanted->fetch && space->global == wanted->global) {
            return space;
        }
    }
    return NULL;
}

static TlbSpace *add_space(Tlb *tlb, const TlbSpace *wanted, unsigned slot)
{
    TlbSpace *space = &tlb->spaces[tlb->space_count++];

    *space = *wanted;
    space->serial = new_serial(tlb);
    tlb->space_hash[slot] = (uint16_t)tlb->space_count;
    return space;
}

static void forget_spaces(TcgCpu *cpu)
{
    Tlb *tlb = &cpu->tlb;

    fetch_orphan(cpu, 0, 0);
    tlb->space_count = 0;
    tlb->spaces_forgotten++;
    memset(tlb->space_hash, 0, sizeof(tlb->space_hash));
    tlb->data = NULL;
    tlb->fetch = NULL;
    tlb->other = NULL;
    tlb->own = NULL;
}

static TlbSpace *enter_space(Tlb *tlb, uint64_t address_space, uint64_t rights, bool fetch)
{
    const TlbSpace wanted = { .space = address_space, .rights = rights, .fetch = fetch };
    const TlbSpace twin = { .rights = rights, .fetch = fetch, .global = true };
    unsigned slot;
    TlbSpace *space = find_space(tlb, &wanted, &slot), *global;

    if (!space) {
        space = add_space(tlb, &wanted, slot);
        global = find_space(tlb, &twin, &slot);
        global = global ? global : add_space(tlb, &twin, slot);
        space->twin = (uint16_t)(global - tlb->spaces);
    }
    return space;
}

static void forget_first_level(CpuEnv *env)
{
    CpuFar *far = env_far(env);

    for (unsigned i = 0; i < TLB_SIZE; i++) {
        far->read[i].tag = TLB_INVALID;
        far->write[i].tag = TLB_INVALID;
    }
}

/* Ids are given in turn; when there are no more the first level is emptied and they begin again. */
static void give_id(TcgCpu *cpu, TlbSpace *space)
{
    Tlb *tlb = &cpu->tlb;

    if (space->generation == tlb->generation) {
        return;
    }
    if (tlb->next_id == TLB_IDS) {
        forget_first_level(cpu->env);
        tlb->generation++;
        tlb->next_id = 0;
        cpu->env->other_context = OTHER_UNKNOWN;
    }
    space->id = (uint8_t)tlb->next_id++;
    space->generation = tlb->generation;
}

static void use_data_space(TcgCpu *cpu, TlbSpace *space)
{
    cpu->tlb.data = space;
    give_id(cpu, space);
    cpu->env->data_context = (uint64_t)space->id << CONTEXT_SHIFT;
}

static void drop_all_ids(TcgCpu *cpu)
{
    forget_first_level(cpu->env);
    cpu->tlb.generation++;
    cpu->tlb.next_id = 0;
    cpu->env->other_context = OTHER_UNKNOWN;
    use_data_space(cpu, cpu->tlb.data);
}

/* The two places for it. */
static KnownContext *known_set(Tlb *tlb, const IsaContext *context, uint32_t mode)
{
    uint64_t key = context->fetch_space ^ context->data_rights * 31 ^ context->fetch_rights ^ mode;

    return tlb->known[key * UINT64_C(0x9e3779b97f4a7c15) >> 60 & (TLB_KNOWN - 1)];
}

static bool is_known(
    const Tlb *tlb, const KnownContext *known, const IsaContext *context, uint32_t mode)
{
    const IsaContext *before = &known->context;

    return known->spaces_forgotten == tlb->spaces_forgotten && known->mode == mode &&
        before->data_space == context->data_space && before->data_rights == context->data_rights &&
        before->fetch_space == context->fetch_space &&
        before->fetch_rights == context->fetch_rights;
}

static KnownContext *enter_context(Tlb *tlb, const IsaContext *context, uint32_t mode)
{
    KnownContext *set = known_set(tlb, context, mode);

    for (unsigned way = 0; way < 2; way++) {
        if (is_known(tlb, &set[way], context, mode)) {
            return &set[way];
        }
    }
    set[1] = set[0];
    set[0] = (KnownContext){
        .context = *context,
        .mode = mode,
        .spaces_forgotten = tlb->spaces_forgotten,
        .data = enter_space(tlb, context->data_space, context->data_rights, false),
        .fetch = enter_space(tlb, context->fetch_space, context->fetch_rights, true),
    };
    return set;
}

void cpu_context_changed(CpuEnv *env)
{
    TcgCpu *cpu = env_cpu(env);
    Tlb *tlb = &cpu->tlb;
    IsaContext context;
    TlbSpace *data;

    cpu->isa->contexts(env, &context);
    if (tlb->space_count > TLB_SPACES - MOST_NEW_SPACES) {
        forget_spaces(cpu);
    }
    KnownContext *known = enter_context(tlb, &context, env->mode);
    data = known->data;
    env->other_context = OTHER_UNKNOWN;
    if (env->other) {
        tlb->own = data;
        data = enter_space(tlb, context.other_space, context.other_rights, false);
    }
    use_data_space(cpu, data);
    tlb->fetch = known->fetch;
    known->view = fetch_view(cpu, known->view,
        &(FetchKey){ tlb->fetch->serial, tlb->spaces[tlb->fetch->twin].serial, env->mode });
    cpu->view = known->view;
    env->fetch = &cpu->view->context;
}

/* ---- accesses in the other data context ------------------------------------------------------ */

static void look_up_other(TcgCpu *cpu)
{
    Tlb *tlb = &cpu->tlb;
    IsaContext context;

    if (tlb->space_count > TLB_SPACES - MOST_NEW_SPACES) {
        forget_spaces(cpu);
        cpu_context_changed(cpu->env);
    }
    cpu->isa->contexts(cpu->env, &context);
    tlb->other = enter_space(tlb, context.other_space, context.other_rights, false);
    give_id(cpu, tlb->other);
    use_data_space(cpu, tlb->data); /* ids may have begun again */
    cpu->env->other_context = (uint64_t)tlb->other->id << CONTEXT_SHIFT;
}

void cpu_enter_other(CpuEnv *env)
{
    TcgCpu *cpu = env_cpu(env);

    if (env->other_context == OTHER_UNKNOWN) {
        look_up_other(cpu);
    }
    env->other = true;
    cpu->tlb.own = cpu->tlb.data;
    use_data_space(cpu, cpu->tlb.other);
}

void cpu_leave_other(CpuEnv *env)
{
    env->other = false;
    use_data_space(env_cpu(env), env_cpu(env)->tlb.own);
}

/* ---- second level ---------------------------------------------------------------------------- */

void tlb_init(Tlb *tlb)
{
    tlb->set_bits = TLB_SETS_MIN_BITS;
    tlb->entries = g_new(
        L2Entry, TLB_WAYS << TLB_SETS_MAX_BITS); /* the host gives what is touched */
    memset(tlb->entries, 0, sizeof(L2Entry) * TLB_WAYS << tlb->set_bits);
    tlb->sizes = 1u << GUEST_PAGE_BITS;
    tlb->generation = 1;
    tlb->spaces_forgotten = 1;
}

void tlb_clear(Tlb *tlb)
{
    g_clear_pointer(&tlb->entries, g_free);
    g_clear_pointer(&tlb->ram, g_free);
}

static unsigned entry_size_bits(const L2Entry *entry)
{
    return (unsigned)(entry->page & (GUEST_PAGE_SIZE - 1));
}

/* A way to use: an empty one, else one of a small page, else the next in turn. */
static L2Entry *choose_way(Tlb *tlb, L2Entry *set)
{
    unsigned first = tlb->victim++ % TLB_WAYS;
    L2Entry *small = NULL;

    for (unsigned i = 0; i < TLB_WAYS; i++) {
        L2Entry *entry = &set[(first + i) % TLB_WAYS];
        if (!entry->owner) {
            return entry;
        }
        if (!small && entry_size_bits(entry) == GUEST_PAGE_BITS) {
            small = entry;
        }
    }
    return small ? small : &set[first];
}

/* Of a space that was not forgotten since. */
static bool is_live(const Tlb *tlb, const L2Entry *entry)
{
    uint64_t serial = entry->owner & -(uint64_t)L2_FLAGS;
    unsigned i = 0;

    while (i < tlb->space_count && tlb->spaces[i].serial != serial) {
        i++;
    }
    return i < tlb->space_count;
}

/* An entry goes. Who flushes a page of it would not know that others know of the rest. */
static void forget_slices(TcgCpu *cpu, const L2Entry *entry)
{
    if (!entry->owner || entry_size_bits(entry) == GUEST_PAGE_BITS || !is_live(&cpu->tlb, entry)) {
        return;
    }
    drop_all_ids(cpu);
    if (entry->owner & L2_EXECUTE) {
        fetch_clear(cpu);
    }
}

static void insert(TcgCpu *cpu, const L2Entry *new_entry)
{
    Tlb *tlb = &cpu->tlb;
    unsigned size_bits = entry_size_bits(new_entry);
    uint64_t serial = new_entry->owner & -(uint64_t)L2_FLAGS;
    L2Entry *slot = l2_find_size(tlb, new_entry->page, size_bits, serial);

    if (!slot) {
        slot = choose_way(tlb, l2_set(tlb, new_entry->page, size_bits, serial));
        forget_slices(cpu, slot);
        tlb->replaced += slot->owner != 0;
    }
    *slot = *new_entry;
    tlb->sizes |= UINT64_C(1) << size_bits;
}

/* Doubles the second level, where it is: what is in a set goes to that set or to the new one that was none before. */
static void grow(TcgCpu *cpu)
{
    Tlb *tlb = &cpu->tlb;
    size_t old_count = (size_t)TLB_WAYS << tlb->set_bits++;

    memset(tlb->entries + old_count, 0, old_count * sizeof(L2Entry));
    for (size_t i = 0; i < old_count; i++) {
        L2Entry *entry = &tlb->entries[i];
        uint64_t serial = entry->owner & -(uint64_t)L2_FLAGS;
        if (entry->owner &&
            l2_set(tlb, entry->page, entry_size_bits(entry), serial) >= tlb->entries + old_count) {
            entry[old_count] = *entry;
            *entry = (L2Entry){ 0 };
        }
    }
}

/* It grows when entries are replaced, not when pages are new; that moves entries. */
static void count_lookup(TcgCpu *cpu)
{
    Tlb *tlb = &cpu->tlb;

    if (++tlb->lookups < LOOKUPS_PER_CHECK) {
        return;
    }
    if (tlb->replaced > REPLACED_TO_GROW && tlb->set_bits < TLB_SETS_MAX_BITS) {
        grow(cpu);
    }
    tlb->lookups = 0;
    tlb->replaced = 0;
}

static bool allowed(const L2Entry *entry, Access access)
{
    static const uint32_t needed[] = {
        [ACCESS_READ] = L2_READ,
        [ACCESS_WRITE] = L2_WRITE,
        [ACCESS_FETCH] = L2_EXECUTE,
    };
    return entry->owner & needed[access];
}

/* Where the whole of a page is in host memory, or NULL. */
static uint8_t *host_of(const Tlb *tlb, uint64_t physical, uint64_t size)
{
    const RamView *ram = tlb_ram_at(tlb, physical);

    return ram && size <= ram->size - (physical - ram->start) ? ram->host + (physical - ram->start)
                                                              : NULL;
}

static unsigned filter_bit(uint64_t address)
{
    return (unsigned)((address >> GUEST_PAGE_BITS) * 0x9e3779b1u >> 24) & 255;
}

static void remember(TcgCpu *cpu, TlbSpace *space, uint64_t address, const Translation *t)
{
    uint64_t offset = address & (t->page_size - 1);
    unsigned size_bits = (unsigned)__builtin_ctzll(t->page_size);
    TlbSpace *owner = t->global ? &cpu->tlb.spaces[space->twin] : space;
    unsigned bit = filter_bit(address);

    owner->entered[bit / 64] |= UINT64_C(1) << (bit % 64);
    owner->large |= size_bits == GUEST_PAGE_BITS ? 0 : UINT64_C(1) << size_bits;
    insert(cpu,
        &(L2Entry){
            .page = (address - offset) | size_bits,
            .physical = t->physical - offset,
            .host = host_of(&cpu->tlb, t->physical - offset, t->page_size),
            .owner = owner->serial | (t->read ? L2_READ : 0u) | (t->write ? L2_WRITE : 0u) |
                (t->execute ? L2_EXECUTE : 0u) | (t->global ? L2_GLOBAL : 0u) |
                (t->strict ? L2_STRICT : 0u) | (t->marked ? L2_MARKED : 0u),
        });
}

/* The physical address, by the second level or a walk. */
static bool translate(TcgCpu *cpu, uint64_t address, Access access, PageRef *ref, CpuFault *fault)
{
    TlbSpace *space = access == ACCESS_FETCH ? cpu->tlb.fetch : cpu->tlb.data;

    count_lookup(cpu);
    const L2Entry *entry = l2_find(&cpu->tlb, space, address);
    if (entry && allowed(entry, access)) {
        ref->global = entry->owner & L2_GLOBAL;
        ref->strict = entry->owner & L2_STRICT;
        ref->marked = entry->owner & L2_MARKED;
        ref->physical = entry->physical + (address & ((UINT64_C(1) << entry_size_bits(entry)) - 1));
        return true;
    }
    Translation t = { .bytes = ref->bytes };
    cpu->tlb.walks++;
    if (!cpu->isa->walk(cpu->env, address, access, &t)) {
        *fault = (CpuFault){ t.cause, address };
        return false;
    }
    ref->physical = t.physical;
    ref->global = t.global;
    ref->strict = t.strict;
    ref->marked = t.marked;
    ref->narrow = t.page_size < GUEST_PAGE_SIZE;
    if (!ref->narrow) {
        remember(cpu, space, t.is_alias ? t.plain : address, &t);
    }
    return true;
}

bool tlb_page(TcgCpu *cpu, uint64_t address, Access access, PageRef *ref, CpuFault *fault)
{
    *ref = (PageRef){ .bytes = ref->bytes };
    if (!translate(cpu, address, access, ref, fault)) {
        return false;
    }
    uint64_t page = ref->physical & -(uint64_t)GUEST_PAGE_SIZE;
    const RamView *ram = tlb_ram_at(&cpu->tlb, page);
    if (ram) {
        ref->host = ram->host + (page - ram->start);
        ref->flag = &ram->flags[(page - ram->start) >> PAGE_BITS];
        ref->readonly = ram->readonly;
    }
    return true;
}

bool tlb_fetch_piece(TcgCpu *cpu, uint64_t page, MappedPiece *piece)
{
    Translation t = { 0 };

    cpu->tlb.walks++;
    if (!cpu->isa->walk(cpu->env, page, ACCESS_FETCH, &t) || t.page_size < GUEST_PAGE_SIZE ||
        t.is_alias) {
        return false;
    }
    uint64_t offset = page & (t.page_size - 1);
    *piece = (MappedPiece){
        .start = page - offset,
        .size = t.page_size,
        .host = host_of(&cpu->tlb, t.physical - offset, t.page_size),
        .global = t.global,
        .marked = t.marked,
    };
    if (t.page_size > GUEST_PAGE_SIZE) {
        remember(cpu, cpu->tlb.fetch, page, &t); /* see forget_slices() */
    }
    return piece->host;
}

/* ---- first level ----------------------------------------------------------------------------- */

void tlb_enter(TcgCpu *cpu, uint64_t address, const PageRef *ref, bool write)
{
    uint64_t page = address & -(uint64_t)GUEST_PAGE_SIZE;
    unsigned index = (unsigned)(page >> GUEST_PAGE_BITS) & (TLB_SIZE - 1);
    CpuFar *far = env_far(cpu->env);

    if (!ref->host || ref->narrow || ref->strict) {
        return;
    }
    if (write && (ref->readonly || __atomic_load_n(ref->flag, __ATOMIC_RELAXED))) {
        return;
    }
    TlbEntry *slot = write ? &far->write[index] : &far->read[index];
    slot->tag = page | cpu->env->data_context;
    slot->addend = (uintptr_t)ref->host - page;
}

static bool leads_to_code(const Tlb *tlb, const uint8_t *host)
{
    const RamView *ram = tlb_ram_of_host(tlb, host);

    return !ram || __atomic_load_n(&ram->flags[(host - ram->host) >> PAGE_BITS], __ATOMIC_RELAXED);
}

static const uint8_t *page_behind(const TlbEntry *entry)
{
    return (const uint8_t *)(entry->addend + (entry->tag & -(uint64_t)GUEST_PAGE_SIZE));
}

static void drop_writes_to(TlbEntry *entries, const uint8_t *host_page)
{
    for (unsigned i = 0; i < TLB_SIZE; i++) {
        if (G_UNLIKELY(page_behind(&entries[i]) == host_page)) {
            entries[i].tag = TLB_INVALID;
        }
    }
}

void tlb_drop_writes(TcgCpu *cpu, const uint8_t *host_page)
{
    TlbEntry *entries = env_far(cpu->env)->write;

    if (host_page) {
        drop_writes_to(entries, host_page);
        return;
    }
    for (unsigned i = 0; i < TLB_SIZE; i++) {
        if (entries[i].tag != TLB_INVALID && leads_to_code(&cpu->tlb, page_behind(&entries[i]))) {
            entries[i].tag = TLB_INVALID;
        }
    }
}

/* ---- flushes --------------------------------------------------------------------------------- */

static void forget_all(TcgCpu *cpu)
{
    forget_spaces(cpu);
    cpu->tlb.sizes = 1u << GUEST_PAGE_BITS;
}

/* Views of the space stay its views, with what they know of global pages. */
static void renew_views(TcgCpu *cpu, uint64_t old_serial, uint64_t new_serial)
{
    for (unsigned i = 0; i < FETCH_VIEWS; i++) {
        FetchView *view = cpu->views[i];
        if (view && view->serial == old_serial) {
            fetch_view_keep_globals(view);
            view->serial = new_serial;
        }
    }
}

static void empty_space(Tlb *tlb, TlbSpace *space)
{
    space->serial = new_serial(tlb);
    space->generation = 0;
    memset(space->entered, 0, sizeof(space->entered));
    space->large = 0;
}

static void forget_space(TcgCpu *cpu, TlbSpaceTest test, uint64_t wanted)
{
    Tlb *tlb = &cpu->tlb;

    for (unsigned i = 0; i < tlb->space_count; i++) {
        TlbSpace *space = &tlb->spaces[i];
        if (!space->global && test(space->space, wanted)) {
            uint64_t old_serial = space->serial;
            empty_space(tlb, space);
            if (space->fetch) {
                renew_views(cpu, old_serial, space->serial);
            }
        }
    }
}

static void forget_world(TcgCpu *cpu, TlbSpaceTest test, uint64_t wanted)
{
    Tlb *tlb = &cpu->tlb;

    for (unsigned i = 0; i < tlb->space_count; i++) {
        TlbSpace *space = &tlb->spaces[i];
        if (!space->global && test(space->space, wanted)) {
            fetch_orphan(cpu, space->serial, tlb->spaces[space->twin].serial);
            empty_space(tlb, space);
            empty_space(tlb, &tlb->spaces[space->twin]);
        }
    }
}

/* Of which sizes a space may have the page, a bit each. Most flushes in every space are of one that most never had. */
static uint64_t sizes_of(const TlbSpace *space, uint64_t address)
{
    unsigned bit = filter_bit(address);
    uint64_t small = space->entered[bit / 64] >> (bit % 64) & 1;

    return small << GUEST_PAGE_BITS | space->large;
}

/* Removes the page from the second level, for a space; true when it was part of a larger one. */
static bool forget_entry(Tlb *tlb, const TlbSpace *space, uint64_t address)
{
    bool large = false;

    for (uint64_t sizes = sizes_of(space, address); sizes; sizes &= sizes - 1) {
        unsigned size_bits = (unsigned)__builtin_ctzll(sizes);
        L2Entry *entry = l2_find_size(tlb, address, size_bits, space->serial);
        if (entry) {
            entry->owner = 0;
            large |= size_bits != GUEST_PAGE_BITS;
        }
    }
    return large;
}

static void forget_fetched(TcgCpu *cpu, const TlbSpace *space, uint64_t page, bool all_pages)
{
    for (unsigned i = 0; i < FETCH_VIEWS; i++) {
        FetchView *view = cpu->views[i];
        if (!view || view->serial != space->serial) {
            continue;
        }
        if (all_pages) {
            fetch_view_clear(view);
        } else {
            fetch_view_forget(view, page);
        }
    }
}

/* True when it was part of a larger page somewhere. */
static bool forget_page_everywhere(TcgCpu *cpu, uint64_t page)
{
    bool large = false;

    for (unsigned i = 0; i < cpu->tlb.space_count; i++) {
        large |= forget_entry(&cpu->tlb, &cpu->tlb.spaces[i], page);
    }
    if (large) {
        fetch_clear(cpu);
    } else {
        fetch_forget(cpu, page);
    }
    return large;
}

static bool forget_page_in(TcgCpu *cpu, uint64_t page, TlbSpaceTest test, uint64_t wanted)
{
    bool large = false;

    for (unsigned i = 0; i < cpu->tlb.space_count; i++) {
        const TlbSpace *space = &cpu->tlb.spaces[i];
        if (!space->global && test(space->space, wanted)) {
            bool was_large = forget_entry(&cpu->tlb, space, page);
            large |= was_large;
            if (space->fetch) {
                forget_fetched(cpu, space, page, was_large);
            }
        }
    }
    return large;
}

static void forget_page(TcgCpu *cpu, uint64_t address, TlbSpaceTest test, uint64_t wanted)
{
    CpuFar *far = env_far(cpu->env);
    uint64_t page = address & -(uint64_t)GUEST_PAGE_SIZE;
    unsigned index = (unsigned)(page >> GUEST_PAGE_BITS) & (TLB_SIZE - 1);

    far->read[index].tag = TLB_INVALID;
    far->write[index].tag = TLB_INVALID;
    if (test ? forget_page_in(cpu, page, test, wanted) : forget_page_everywhere(cpu, page)) {
        drop_all_ids(cpu);
    }
}

bool tlb_forget(TcgCpu *cpu, const FlushOrder *order)
{
    switch (order->kind) {
    case FLUSH_ALL: forget_all(cpu); break;
    case FLUSH_SPACE: forget_space(cpu, order->test, order->wanted); break;
    case FLUSH_WORLD: forget_world(cpu, order->test, order->wanted); break;
    case FLUSH_PAGE: forget_page(cpu, order->address, order->test, order->wanted); return false;
    }
    return true;
}

/* ---- the memory map -------------------------------------------------------------------------- */

static bool is_whole_pages(const FlatRange *range)
{
    return range->host && !((range->start | range->size | range->offset) & (GUEST_PAGE_SIZE - 1));
}

void tlb_read_map(TcgCpu *cpu)
{
    Tlb *tlb = &cpu->tlb;
    const FlatMap *map = address_space_enter(cpu->address_space);

    g_free(tlb->ram);
    tlb->ram = g_new0(RamView, map->count + 1);
    tlb->ram_count = 0;
    for (unsigned i = 0; i < map->count; i++) {
        const FlatRange *range = &map->ranges[i];
        if (is_whole_pages(range)) {
            tlb->ram[tlb->ram_count++] = (RamView){
                .start = range->start,
                .size = range->size,
                .host = range->host,
                .flags = region_page_flags(range->region) + (range->offset >> PAGE_BITS),
                .readonly = range->readonly,
            };
        }
    }
    address_space_leave(cpu->address_space);
}
