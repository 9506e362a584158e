/* From a guest pc to a block: finding the code's page, reading guest code, frontend, host, publishing. */
#include <string.h>
#include <time.h>

#include "core/spin.h"
#include "core/trace.h"
#include "tcg/exec.h"
#include "tcg/jump-inline.h"
#include "tcg/tcg-trace.h"

enum {
    RESERVE = 2, /* chunks evicted ahead, so that nobody waits for an epoch */
    UNSTABLE_TRIES = 4,
    BLOCKS_PER_SAMPLE = 16,   /* one block of so many is timed */
    INTERRUPTED_NS = 1 << 17, /* no block takes that long alone */
};

/* ---- where code is --------------------------------------------------------------------------- */

/* False: *fault says why. */
static bool find_page(TcgCpu *cpu, uint64_t pc, PageRef *ref, CpuFault *fault)
{
    if (!tlb_page(cpu, pc, ACCESS_FETCH, ref, fault)) {
        return false;
    }
    if (!ref->host) {
        *fault = (CpuFault){ cpu->isa->bus_fault(cpu->env, ACCESS_FETCH), pc };
        return false;
    }
    return true;
}

static void enter_itlb(TcgCpu *cpu, uint64_t page, const PageRef *ref)
{
    const FetchPage entry = { page, ref->host, ref->global, ref->marked };

    spin_mutex_lock(&cpu->tcg->lock);
    uint32_t id = page_id(&cpu->tcg->page_ids, page | ref->marked, ref->host);
    pthread_mutex_unlock(&cpu->tcg->lock);
    fetch_enter(cpu, id, &entry);
}

/* Where code is. */
typedef struct CodePlace {
    const uint8_t *page;
    uint32_t mode; /* of blocks there */
    bool narrow;   /* it is good for this very address only */
} CodePlace;

static CodePlace place_of(const TcgCpu *cpu, const uint8_t *page, bool marked, bool narrow)
{
    return (CodePlace){ page, cpu->env->mode | (marked ? ISA_MODE_MARKED : 0), narrow };
}

/* The same through the fetch view. */
static bool find_code(TcgCpu *cpu, uint64_t pc, CodePlace *place, CpuFault *fault)
{
    uint64_t page = pc & -(uint64_t)GUEST_PAGE_SIZE;
    const FetchPage *known = &cpu->view->map[itlb_index(pc)];

    if (view_has_page(cpu->view, pc)) {
        *place = place_of(cpu, known->host, known->marked, false);
        return true;
    }
    PageRef ref = { 0 };
    if (!find_page(cpu, pc, &ref, fault)) {
        return false;
    }
    *place = place_of(cpu, ref.host, ref.marked, ref.narrow);
    if (!ref.narrow) {
        enter_itlb(cpu, page, &ref);
    }
    return true;
}

uint32_t cpu_page_id(const TcgCpu *cpu, uint64_t pc)
{
    return cpu->view->context.itlb[itlb_index(pc)];
}

/* ---- reading guest code ---------------------------------------------------------------------- */

static bool reader_page(TcgCpu *cpu, uint64_t pc, const uint8_t **page, CpuFault *fault)
{
    CodeReader *reader = &cpu->reader;
    bool second = (pc ^ reader->pc) & -(uint64_t)GUEST_PAGE_SIZE;
    PageRef ref = { 0 };

    if (reader->page[second] && !reader->narrow) {
        *page = reader->page[second];
        return true;
    }
    if (!find_page(cpu, pc, &ref, fault)) {
        return false;
    }
    *page = ref.host;
    reader->page[second] = ref.host;
    reader->narrow |= ref.narrow;
    return true;
}

/* Another CPU may be writing there. */
static unsigned read_unit(uint8_t *copy, const uint8_t *at)
{
    uint16_t value = __atomic_load_n((const uint16_t *)at, __ATOMIC_RELAXED);

    memcpy(copy, &value, sizeof(value));
    return sizeof(value);
}

/*
 * Reads ahead in the same page: at least one unit, for what begins with the eight bytes around it. Copies up to eight
 * bytes more than it returns.
 */
static unsigned read_units(uint8_t *copy, const uint8_t *at)
{
    unsigned skip = (uintptr_t)at % sizeof(uint64_t);
    const uint64_t *words = (const uint64_t *)(at - skip);
    const uint64_t *end = (const uint64_t *)(((uintptr_t)at | (GUEST_PAGE_SIZE - 1)) + 1);
    unsigned count = READER_AHEAD / sizeof(uint64_t);
    uint64_t value = __atomic_load_n(words, __ATOMIC_RELAXED) >> 8 * skip;

    if (end - words < (ptrdiff_t)count) {
        count = end - words;
    }
    memcpy(copy, &value, sizeof(value));
    for (unsigned i = 1; i < count; i++) {
        value = __atomic_load_n(words + i, __ATOMIC_RELAXED);
        memcpy(copy + i * sizeof(value) - skip, &value, sizeof(value));
    }
    return count * sizeof(value) - skip;
}

static void reader_begin(CodeReader *reader, uint64_t pc, const CodePlace *place)
{
    reader->pc = pc;
    reader->page[0] = place->page;
    reader->page[1] = NULL;
    reader->narrow = place->narrow;
    reader->length = place->narrow
        ? 0
        : read_units(reader->copy, place->page + (pc & (GUEST_PAGE_SIZE - 1)));
}

/*
 * Reads on to the end offset, with whatever a jump skips: what a block covers is compared when publishing. It may
 * read some bytes ahead, in the same page, unless the rights to it hold for these bytes only.
 */
static bool read_on(TcgCpu *cpu, uint64_t end, CpuFault *fault)
{
    CodeReader *reader = &cpu->reader;

    while (reader->length < end) {
        uint64_t pc = reader->pc + reader->length;
        const uint8_t *page;
        if (!reader_page(cpu, pc, &page, fault)) {
            return false;
        }
        const uint8_t *at = page + (pc & (GUEST_PAGE_SIZE - 1));
        reader->length += (reader->narrow ? read_unit : read_units)(
            reader->copy + reader->length, at);
    }
    return true;
}

bool isa_fetch16(CpuEnv *env, uint64_t pc, uint16_t *unit, CpuFault *fault)
{
    TcgCpu *cpu = env_cpu(env);
    CodeReader *reader = &cpu->reader;
    uint64_t offset = pc - reader->pc;

    if (offset + sizeof(*unit) > reader->length) {
        g_assert(offset < READER_REACH); /* the frontend keeps to isa.h */
        if (!read_on(cpu, offset + sizeof(*unit), fault)) {
            return false;
        }
    }
    memcpy(unit, reader->copy + offset, sizeof(*unit));
    return true;
}

/* In the block's first page, as far as nobody need be asked again. */
const uint8_t *isa_fetched_run(CpuEnv *env, uint64_t pc, uint64_t *end)
{
    TcgCpu *cpu = env_cpu(env);
    const CodeReader *reader = &cpu->reader;
    uint64_t offset = pc - reader->pc, page_end = (reader->pc | (GUEST_PAGE_SIZE - 1)) + 1;
    CpuFault fault;

    if (reader->narrow || offset >= READER_REACH || pc + sizeof(uint32_t) > page_end ||
        !read_on(cpu, offset + sizeof(uint32_t), &fault)) {
        return NULL;
    }
    *end = MIN(reader->pc + reader->length, page_end);
    return reader->copy + offset;
}

const uint8_t *isa_fetch_run(CpuEnv *env, uint64_t pc, uint64_t *end, CpuFault *fault)
{
    TcgCpu *cpu = env_cpu(env);
    CodeReader *reader = &cpu->reader;
    uint64_t offset = pc - reader->pc;

    if (offset + sizeof(uint32_t) > reader->length) {
        g_assert(offset < READER_REACH);
        if (!read_on(cpu, offset + sizeof(uint32_t), fault)) {
            return NULL;
        }
    }
    *end = reader->pc + reader->length;
    return reader->copy + offset;
}

/* ---- room for code --------------------------------------------------------------------------- */

static void keep_reserve(Tcg *tcg)
{
    Chunk *chunk;

    while (tcg->code.free_count <= RESERVE && (chunk = code_oldest(&tcg->code))) {
        chunk_evict(tcg, chunk);
        tcg->evicted_chunks++;
    }
}

static void kick_others(const TcgCpu *cpu)
{
    for (unsigned i = 0; i < cpu->tcg->cpu_count; i++) {
        if (cpu->tcg->cpus[i] && cpu->tcg->cpus[i] != cpu) {
            cpu_kick(cpu->tcg->cpus[i]->env);
        }
    }
}

static Chunk *take_chunk(TcgCpu *cpu)
{
    Tcg *tcg = cpu->tcg;

    spin_mutex_lock(&tcg->lock);
    if (cpu->chunk) {
        code_close(&tcg->code, cpu->chunk);
        chunk_tidy(tcg, cpu->chunk);
    }
    keep_reserve(tcg);
    Chunk *chunk = code_take(&tcg->code, cpu_passed_epoch(cpu));
    pthread_mutex_unlock(&tcg->lock);
    if (chunk) {
        code_prepare(chunk);
    }
    return chunk;
}

/* Begins another chunk. Waits, when the cache is so small that no retired one is free yet. */
static void next_chunk(TcgCpu *cpu)
{
    Chunk *chunk = take_chunk(cpu);

    cpu->chunk = NULL;
    cpu_go_outside(cpu);
    while (!chunk) {
        kick_others(cpu);
        g_usleep(20);
        chunk = take_chunk(cpu);
    }
    cpu_come_inside(cpu);
    cpu->chunk = chunk;
}

static bool emit_here(TcgCpu *cpu)
{
    Chunk *chunk = cpu->chunk;
    Tcg *tcg = cpu->tcg;

    if (!chunk) {
        return false;
    }
    cpu->emitted.exits = chunk_alloc(chunk, cpu->ir.exit_count * sizeof(BlockExit));
    return tcg->host->emit(&cpu->ir, &cpu->live, tcg->thunks, chunk->write + chunk->used,
        chunk->execute + chunk->used, chunk->size - chunk->used, &cpu->emitted);
}

static void emit(TcgCpu *cpu)
{
    if (!emit_here(cpu)) {
        next_chunk(cpu);
        bool fits = emit_here(cpu);
        g_assert(fits); /* IR_MAX_OPS bounds a block far below a chunk */
    }
}

/* ---- translating ----------------------------------------------------------------------------- */

static const Helper page_helper = { "page_is_there", cpu_page_is_there, HELPER_LEAF };

/*
 * A block on two pages begins with a look at the second: whoever comes in over a link or a jump cache has seen to
 * the first one only. It leaves by an exit to itself, which is never linked.
 */
static void check_second_page(TcgCpu *cpu, uint64_t pc)
{
    IrBlock *ir = &cpu->ir;
    uint64_t page = (pc & -(uint64_t)GUEST_PAGE_SIZE) + GUEST_PAGE_SIZE;
    Val none = { 0 }, zero = ir_const(ir, I64, 0);
    Val there = ir_call(ir, I64, &page_helper, ir_const(ir, I64, page),
        ir_const(ir, I64, cpu->reader.second_id), none);

    ir_goto_if(ir, EQ, there, zero, pc);
}

static void begin_ir(TcgCpu *cpu, uint64_t pc, uint32_t mode)
{
    ir_begin(&cpu->ir, cpu->isa->gvars, cpu->isa->gvar_count, pc, mode);
    cpu->ir.counted = cpu->tcg->options.counted;
}

/* Only after the first translation is it known that an instruction straddles; there are few of those. */
static bool is_straddling(TcgCpu *cpu, uint64_t pc)
{
    CodePlace second;
    CpuFault fault;
    uint64_t last = pc + cpu->ir.guest_size - 1;

    if (!((pc ^ last) & -(uint64_t)GUEST_PAGE_SIZE) || cpu->reader.narrow ||
        !find_code(cpu, last, &second, &fault)) {
        return false;
    }
    cpu->reader.second_id = cpu_page_id(cpu, last);
    return true;
}

/* False: the first instruction cannot be fetched, and it raised. */
static bool make_ir(TcgCpu *cpu, uint64_t pc, const CodePlace *place)
{
    IrBlock *ir = &cpu->ir;

    begin_ir(cpu, pc, place->mode);
    reader_begin(&cpu->reader, pc, place);
    cpu->isa->translate(ir, cpu->env);
    if (!ir->guest_insns) {
        return false;
    }
    if (is_straddling(cpu, pc)) {
        begin_ir(cpu, pc, place->mode);
        check_second_page(cpu, pc);
        cpu->isa->translate(ir, cpu->env);
    }
    trace_translation(cpu);
#ifdef LATHE_DEBUG
    g_autofree char *wrong = ir_verify(ir);
    if (wrong) {
        g_error("translating %" G_GINT64_MODIFIER "x: %s", pc, wrong);
    }
#endif
    ir_live(ir, &cpu->live);
    return true;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void add_sample(Tcg *tcg, unsigned insns, int64_t took_ns)
{
    if (took_ns < INTERRUPTED_NS) {
        tcg->timed_insns += insns;
        tcg->timed_ns += (uint64_t)took_ns;
    }
}

static Block *translate(TcgCpu *cpu, uint64_t pc, const CodePlace *place)
{
    const uint8_t *host = place->page + (pc & (GUEST_PAGE_SIZE - 1));
    bool stable = false, timed = cpu->tcg->translated_blocks % BLOCKS_PER_SAMPLE == 0;
    int64_t began = timed ? now_ns() : 0;
    Block *block = NULL;

    /* Code that somebody keeps writing runs as it was last seen: without a barrier that is allowed. */
    for (unsigned i = 0; i < UNSTABLE_TRIES && !stable; i++) {
        if (!make_ir(cpu, pc, place)) {
            return NULL;
        }
        emit(cpu);
        block = block_publish(cpu, host, cpu->reader.page[1], &stable);
    }
    if (timed) {
        add_sample(cpu->tcg, block->guest_insns, now_ns() - began);
    }
    trace_block(cpu, block);
    return block;
}

bool cpu_make_ir(TcgCpu *cpu, uint64_t pc)
{
    CodePlace place;
    CpuFault fault;

    return find_code(cpu, pc, &place, &fault) && make_ir(cpu, pc, &place);
}

/* A block on two pages is only good where both are mapped as they were. */
static bool is_whole(TcgCpu *cpu, const Block *block)
{
    uint64_t last = block->pc + block->guest_size - 1;
    CodePlace second;
    CpuFault fault;

    return !block->straddles ||
        (find_code(cpu, last, &second, &fault) && !second.narrow &&
            cpu_page_id(cpu, last) == block_end(block)->id);
}

static Block *find_whole(TcgCpu *cpu, const CodePlace *place, uint64_t pc)
{
    Tcg *tcg = cpu->tcg;
    const uint8_t *host = place->page + (pc & (GUEST_PAGE_SIZE - 1));
    Block *block = block_find(&tcg->blocks, host, pc, place->mode);

    if (block && !is_whole(cpu, block)) {
        spin_mutex_lock(&tcg->lock);
        block_drop(tcg, block);
        pthread_mutex_unlock(&tcg->lock);
        block = NULL;
    }
    return block;
}

Block *cpu_block_at(TcgCpu *cpu, uint64_t pc)
{
    CodePlace place;
    CpuFault fault;
    Block *known = jump_known(cpu->view, pc);

    /* Who links to it asks for the id of its page: the jump cache may know of code on pages that the view does not. */
    if (known && view_has_page(cpu->view, pc) && !cpu_is_watched(cpu)) {
        return known;
    }
    if (!find_code(cpu, pc, &place, &fault)) {
        cpu_raise(cpu->env, fault.cause, fault.value);
        return NULL;
    }
    const uint8_t *host = place.page + (pc & (GUEST_PAGE_SIZE - 1));
    Block *block = place.narrow ? NULL : find_whole(cpu, &place, pc);
    if (!block && !place.narrow) {
        block = block_revive(cpu, host, pc, place.mode);
    }
    return block ? block : translate(cpu, pc, &place);
}
