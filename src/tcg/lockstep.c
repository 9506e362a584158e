/*
 * See lockstep.h. Only what the block may write is kept and put back: other threads write to CpuEnv too. A block is
 * made for the interpreter once; then a comparison costs little more than running it there.
 */
#include "tcg/lockstep.h"

#include <string.h>

#include "tcg/fp.h"
#include "tcg/host/interp.h"
#include "tcg/tcg-impl.h"

enum { INTERP_ROOM = 128 << 10, MAX_RANGES = 64, MAX_STENVS = 128, STATE_ROOM = 8 << 10 };

/* Bytes of CpuEnv and what follows it. */
typedef struct Range {
    uint32_t offset, size;
} Range;

typedef struct Outcome {
    ExitReason reason;
    uint64_t pc;
    unsigned flags;
    uint64_t memory[STORE_LOG_SIZE][2];
    uint8_t state[STATE_ROOM]; /* range after range */
} Outcome;

/* A block as the interpreter has it, kept as long as the translator. */
typedef struct Trial {
    uint8_t *code;
    BlockExit *exits;
    unsigned stenv_count;
    Range stenvs[]; /* where it writes beside the guest registers */
} Trial;

struct Lockstep {
    unsigned every, left;
    GHashTable *trials; /* Trial of each Block that ran; made again when the block is a new one */
    uint8_t *interp_code;
    FetchView *empty; /* so that no jump leaves the block */
    Range ranges
        [MAX_RANGES]; /* the guest registers, neighbours joined, then what is not compared as it is */
    unsigned range_count, compared_count;
    const Trial *trial; /* the one that runs */
    StoreLog log;
    Outcome before, interp, host;
};

/* ---- what a block may write ------------------------------------------------------------------ */

static unsigned type_size(IrType type)
{
    static const uint8_t sizes[IR_TYPE_COUNT] = {
        [I32] = 4, [I64] = 8, [F32] = 4, [F64] = 8, [V128] = 16
    };

    return sizes[type];
}

static void add_range(Lockstep *lockstep, uint32_t offset, uint32_t size)
{
    g_assert(lockstep->range_count < MAX_RANGES);
    lockstep->ranges[lockstep->range_count++] = (Range){ offset, size };
}

static void add_gvars(Lockstep *lockstep, const Isa *isa)
{
    for (unsigned i = 0; i < isa->gvar_count; i++) {
        const GVar *gvar = &isa->gvars[i];
        unsigned size = type_size((IrType)gvar->type);
        Range *last = lockstep->range_count ? &lockstep->ranges[lockstep->range_count - 1] : NULL;

        if (last && last->offset + last->size == gvar->offset) {
            last->size += size;
        } else {
            add_range(lockstep, gvar->offset, size);
        }
    }
}

#define ADD_FIELD(lockstep, field)                                                                 \
    add_range(lockstep, offsetof(CpuEnv, field), sizeof(((CpuEnv *)0)->field))

static void find_ranges(Lockstep *lockstep, const Isa *isa)
{
    add_gvars(lockstep, isa);
    lockstep->compared_count = lockstep->range_count;
    /* The flags may be in either of two places. */
    ADD_FIELD(lockstep, budget);
    ADD_FIELD(lockstep, mxcsr);
    ADD_FIELD(lockstep, fp_flags);
    ADD_FIELD(lockstep, exit_site);
    ADD_FIELD(lockstep, pc);
    ADD_FIELD(lockstep, raised);
}

static uint8_t *save_ranges(uint8_t *to, const CpuEnv *env, const Range *ranges, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memcpy(to, (const uint8_t *)env + ranges[i].offset, ranges[i].size);
        to += ranges[i].size;
    }
    return to;
}

static const uint8_t *restore_ranges(
    const uint8_t *from, CpuEnv *env, const Range *ranges, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memcpy((uint8_t *)env + ranges[i].offset, from, ranges[i].size);
        from += ranges[i].size;
    }
    return from;
}

static void save(const Lockstep *lockstep, const CpuEnv *env, Outcome *out)
{
    const Trial *trial = lockstep->trial;
    uint8_t *end = save_ranges(out->state, env, lockstep->ranges, lockstep->range_count);

    save_ranges(end, env, trial->stenvs, trial->stenv_count);
    out->pc = env->pc;
    out->flags = fp_flags_get(env);
}

static void restore(const Lockstep *lockstep, CpuEnv *env, const Outcome *from)
{
    const Trial *trial = lockstep->trial;
    const uint8_t *end = restore_ranges(from->state, env, lockstep->ranges, lockstep->range_count);

    restore_ranges(end, env, trial->stenvs, trial->stenv_count);
}

static void save_memory(const StoreLog *log, Outcome *out)
{
    for (unsigned i = 0; i < log->count; i++) {
        memcpy(out->memory[i], log->undo[i].at, log->undo[i].size);
    }
}

/* ---- differences ----------------------------------------------------------------------------- */

static uint64_t first_word(const uint8_t *bytes, unsigned size)
{
    uint64_t word = 0;

    memcpy(&word, bytes, MIN(size, sizeof(word)));
    return word;
}

#define HEX "%#" G_GINT64_MODIFIER "x"

static bool report(const char *what, uint64_t interp, uint64_t host)
{
    fprintf(stderr, "lockstep: %s: the interpreter has " HEX ", the host " HEX "\n", what, interp,
        host);
    return false;
}

/* Where a guest register is in Outcome.state. */
static unsigned place_of(const Lockstep *lockstep, const GVar *gvar)
{
    unsigned at = 0;

    for (unsigned i = 0; i < lockstep->compared_count; i++) {
        const Range *range = &lockstep->ranges[i];
        if (gvar->offset - range->offset < range->size) {
            return at + gvar->offset - range->offset;
        }
        at += range->size;
    }
    g_assert_not_reached();
}

static bool report_registers(const TcgCpu *cpu)
{
    const Lockstep *lockstep = cpu->lockstep;
    bool same = true;

    for (unsigned i = 0; i < cpu->isa->gvar_count; i++) {
        const GVar *gvar = &cpu->isa->gvars[i];
        unsigned at = place_of(lockstep, gvar), size = type_size((IrType)gvar->type);
        const uint8_t *interp = &lockstep->interp.state[at], *host = &lockstep->host.state[at];
        if (memcmp(interp, host, size) != 0) {
            same = report(gvar->name, first_word(interp, size), first_word(host, size));
        }
    }
    return same;
}

static unsigned size_of(const Range *ranges, unsigned count)
{
    unsigned size = 0;

    for (unsigned i = 0; i < count; i++) {
        size += ranges[i].size;
    }
    return size;
}

static bool same_registers(const TcgCpu *cpu)
{
    const Lockstep *lockstep = cpu->lockstep;
    const uint8_t *interp = lockstep->interp.state, *host = lockstep->host.state;
    const Trial *trial = lockstep->trial;
    unsigned registers = size_of(lockstep->ranges, lockstep->compared_count);
    unsigned all = size_of(lockstep->ranges, lockstep->range_count);

    if (memcmp(interp, host, registers) != 0 && !report_registers(cpu)) {
        return false;
    }
    return memcmp(interp + all, host + all, size_of(trial->stenvs, trial->stenv_count)) == 0 ||
        report("a field of the CPU", 0, 0);
}

static bool same_memory(const Lockstep *lockstep)
{
    const StoreLog *log = &lockstep->log;
    bool same = true;

    for (unsigned i = 0; i < log->count; i++) {
        if (memcmp(lockstep->interp.memory[i], lockstep->host.memory[i], log->undo[i].size) != 0) {
            same = report("memory", lockstep->interp.memory[i][0], lockstep->host.memory[i][0]);
        }
    }
    return same;
}

/* A request may come between the two runs; then the reasons differ and nothing else does. */
static bool same_outcome(const TcgCpu *cpu)
{
    const Lockstep *lockstep = cpu->lockstep;
    const Outcome *interp = &lockstep->interp, *host = &lockstep->host;
    bool requested = interp->reason == EXIT_REQUEST || host->reason == EXIT_REQUEST;
    bool same = same_registers(cpu);

    same &= same_memory(lockstep);
    same &= interp->pc == host->pc || report("pc", interp->pc, host->pc);
    same &= interp->flags == host->flags || report("flags", interp->flags, host->flags);
    same &= requested || interp->reason == host->reason ||
        report("reason", interp->reason, host->reason);
    return same;
}

static void show_block(TcgCpu *cpu, const Block *block)
{
    const IrBlock *ir = &cpu->ir;
    char text[128];

    if (!cpu_make_ir(cpu, block->pc)) {
        return;
    }
    for (unsigned at = 0; at < ir->guest_size;) {
        unsigned length = cpu->isa->disassemble(
            ir->pc + at, cpu->reader.copy + at, ir->guest_size - at, text, sizeof(text));
        fprintf(stderr, "  " HEX ": %s\n", ir->pc + at, text);
        at += MAX(length, 1);
    }
    ir_print(ir, stderr);
    for (unsigned i = 0; i < cpu->isa->gvar_count; i++) {
        const GVar *gvar = &cpu->isa->gvars[i];
        const uint8_t *before = cpu->lockstep->before.state + place_of(cpu->lockstep, gvar);
        fprintf(stderr, "  before: %s = " HEX "\n", gvar->name,
            first_word(before, type_size((IrType)gvar->type)));
    }
    fprintf(stderr, "  code at %p, %u bytes\n", block->code, block->code_size);
}

/* ---- trials ---------------------------------------------------------------------------------- */

static void trial_free(void *data)
{
    Trial *trial = data;

    g_free(trial->code);
    g_free(trial->exits);
    g_free(trial);
}

static Trial *new_trial(const IrBlock *ir)
{
    Trial *trial = g_malloc0(sizeof(Trial) + MAX_STENVS * sizeof(Range));

    for (unsigned i = 0; i < ir->op_count; i++) {
        const IrInsn *op = &ir->ops[i];
        if (op->op == IR_stenv && trial->stenv_count < MAX_STENVS) {
            trial->stenvs[trial->stenv_count++] = (Range){ (uint32_t)op->imm,
                1u << (op->aux & MEM_SIZE) };
        }
    }
    return g_realloc(trial, sizeof(Trial) + trial->stenv_count * sizeof(Range));
}

static bool emit_interp(TcgCpu *cpu, const uint8_t *execute)
{
    return interp_host.emit(&cpu->ir, &cpu->live, NULL, cpu->lockstep->interp_code, execute,
        INTERP_ROOM, &cpu->emitted);
}

/* Translates the block again, for the interpreter. NULL: its code is gone, or it is too long. */
static Trial *make_trial(TcgCpu *cpu, const Block *block)
{
    Lockstep *lockstep = cpu->lockstep;
    g_autofree BlockExit *exits = NULL;

    if (!cpu_make_ir(cpu, block->pc)) {
        return NULL;
    }
    exits = g_new0(BlockExit, cpu->ir.exit_count + 1);
    cpu->emitted.exits = exits;
    /* Once for its size; its memory has to be known for the second time. */
    if (!emit_interp(cpu, lockstep->interp_code)) {
        return NULL;
    }
    Trial *trial = new_trial(&cpu->ir);
    trial->code = g_malloc(cpu->emitted.size);
    emit_interp(cpu, trial->code);
    memcpy(trial->code, lockstep->interp_code, cpu->emitted.size);
    trial->exits = g_steal_pointer(&exits);
    g_hash_table_insert(lockstep->trials, (void *)block, trial);
    return trial;
}

/* ---- running --------------------------------------------------------------------------------- */

/* False: the interpreter could not run all of it, and everything is as before. */
static bool run_interp(TcgCpu *cpu, const void *code)
{
    Lockstep *lockstep = cpu->lockstep;

    bool ran = interp_try(cpu->env, code, &lockstep->log, &lockstep->interp.reason);
    save(lockstep, cpu->env, &lockstep->interp);
    save_memory(&lockstep->log, &lockstep->interp);
    return ran;
}

static void run_host(TcgCpu *cpu, const void *code)
{
    Lockstep *lockstep = cpu->lockstep;

    lockstep->host.reason = cpu->tcg->host->enter(cpu->env, cpu->tcg->thunks, code);
    save(lockstep, cpu->env, &lockstep->host);
    save_memory(&lockstep->log, &lockstep->host);
}

/* store_log_undo() empties the log, but where it wrote is wanted once more. */
static void undo_memory(Lockstep *lockstep)
{
    unsigned count = lockstep->log.count;

    store_log_undo(&lockstep->log);
    lockstep->log.count = count;
}

/* The host's code is the block's own: where all blocks pass through the loop its exits are never linked. */
static bool run_both(TcgCpu *cpu, const Block *block)
{
    Lockstep *lockstep = cpu->lockstep;

    save(lockstep, cpu->env, &lockstep->before);
    bool ran = run_interp(cpu, lockstep->trial->code);
    undo_memory(lockstep);
    restore(lockstep, cpu->env, &lockstep->before);
    if (!ran) {
        return false;
    }
    run_host(cpu, block->code);
    cpu->tcg->checked_insns += block->guest_insns;
    if (!same_outcome(cpu)) {
        show_block(cpu, block);
        g_error("the host '%s' translates this block wrongly", cpu->tcg->host->name);
    }
    return true;
}

/* The block's trial when it is its turn: when it runs first, and then one time of `every`. */
static const Trial *take_turn(TcgCpu *cpu, Block *block)
{
    Lockstep *lockstep = cpu->lockstep;

    if (!block->checked) {
        block->checked = true;
        return make_trial(cpu, block);
    }
    if (--lockstep->left > 0) {
        return NULL;
    }
    lockstep->left = lockstep->every;
    return g_hash_table_lookup(lockstep->trials, block);
}

bool lockstep_run(TcgCpu *cpu, Block *block, ExitReason *reason)
{
    Lockstep *lockstep = cpu->lockstep;
    FetchContext *fetch = cpu->env->fetch;

    lockstep->trial = block->straddles ? NULL : take_turn(cpu, block);
    if (!lockstep->trial) {
        return false;
    }
    cpu->env->fetch = &lockstep->empty->context;
    bool ran = run_both(cpu, block);
    cpu->env->fetch = fetch;
    *reason = lockstep->host.reason == EXIT_CHAIN ? EXIT_LOOKUP : lockstep->host.reason;
    return ran;
}

Lockstep *lockstep_new(TcgCpu *cpu)
{
    Tcg *tcg = cpu->tcg;

    if (tcg->options.check <= 0 || tcg->host == &interp_host) {
        return NULL;
    }
    Lockstep *lockstep = g_new0(Lockstep, 1);
    lockstep->every = (unsigned)tcg->options.check;
    lockstep->left = lockstep->every;
    lockstep->trials = g_hash_table_new_full(NULL, NULL, NULL, trial_free);
    lockstep->interp_code = g_malloc(INTERP_ROOM);
    lockstep->empty = fetch_view_new();
    find_ranges(lockstep, tcg->isa);
    return lockstep;
}

void lockstep_free(Lockstep *lockstep)
{
    if (lockstep) {
        g_hash_table_unref(lockstep->trials);
        g_free(lockstep->interp_code);
        g_free(lockstep->empty);
        g_free(lockstep);
    }
}
