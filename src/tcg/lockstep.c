/* See lockstep.h. Only what the block may write is kept and put back: other threads write to CpuEnv too. */
#include "tcg/lockstep.h"

#include <string.h>

#include "tcg/fp.h"
#include "tcg/host/interp.h"
#include "tcg/tcg-impl.h"

enum { INTERP_ROOM = 128 << 10, MAX_PLACES = 512 };

/* Bytes of CpuEnv and what follows it. */
typedef struct Place {
    uint32_t offset, size;
    const char *name;
} Place;

typedef struct Outcome {
    ExitReason reason;
    uint64_t pc;
    unsigned flags;
    uint64_t memory[STORE_LOG_SIZE][2];
    uint8_t state[MAX_PLACES * 16];
} Outcome;

struct Lockstep {
    unsigned every, left;
    Chunk *chunk; /* holds one block of the host's at a time */
    uint8_t *interp_code;
    BlockExit exits[2][IR_MAX_EXITS];
    Block *nowhere;   /* dead: nothing links the exits */
    FetchView *empty; /* so that no jump leaves the block */
    Place places[MAX_PLACES];
    unsigned place_count;
    StoreLog log;
    Outcome before, interp, host;
};

/* ---- what a block may write ------------------------------------------------------------------ */

static void add_place(Lockstep *lockstep, uint32_t offset, uint32_t size, const char *name)
{
    if (lockstep->place_count < MAX_PLACES) {
        lockstep->places[lockstep->place_count++] = (Place){ offset, size, name };
    }
}

#define ADD_FIELD(lockstep, field)                                                                 \
    add_place(lockstep, offsetof(CpuEnv, field), sizeof(((CpuEnv *)0)->field), #field)

static unsigned type_size(IrType type)
{
    static const uint8_t sizes[IR_TYPE_COUNT] = {
        [I32] = 4, [I64] = 8, [F32] = 4, [F64] = 8, [V128] = 16
    };

    return sizes[type];
}

/* The first few are of CpuEnv and are not compared as they are: flags may be in either of two places. */
enum { UNCOMPARED = 6 };

static void find_places(Lockstep *lockstep, const IrBlock *ir)
{
    lockstep->place_count = 0;
    ADD_FIELD(lockstep, budget);
    ADD_FIELD(lockstep, mxcsr);
    ADD_FIELD(lockstep, fp_flags);
    ADD_FIELD(lockstep, exit_site);
    ADD_FIELD(lockstep, pc);
    ADD_FIELD(lockstep, raised);
    for (unsigned i = 0; i < ir->gvar_count; i++) {
        add_place(lockstep, ir->gvars[i].offset, type_size(ir->gvars[i].type), ir->gvars[i].name);
    }
    for (unsigned i = 0; i < ir->op_count; i++) {
        const IrInsn *op = &ir->ops[i];
        if (op->op == IR_stenv) {
            add_place(lockstep, (uint32_t)op->imm, 1u << (op->aux & MEM_SIZE), "stenv");
        }
    }
}

static void save(const Lockstep *lockstep, const CpuEnv *env, Outcome *out)
{
    for (unsigned i = 0; i < lockstep->place_count; i++) {
        const Place *place = &lockstep->places[i];
        memcpy(&out->state[i * 16], (const uint8_t *)env + place->offset, place->size);
    }
    out->pc = env->pc;
    out->flags = fp_flags_get(env);
}

static void restore(const Lockstep *lockstep, CpuEnv *env, const Outcome *from)
{
    for (unsigned i = 0; i < lockstep->place_count; i++) {
        const Place *place = &lockstep->places[i];
        memcpy((uint8_t *)env + place->offset, &from->state[i * 16], place->size);
    }
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

static bool same_registers(const Lockstep *lockstep)
{
    bool same = true;

    for (unsigned i = UNCOMPARED; i < lockstep->place_count; i++) {
        const Place *place = &lockstep->places[i];
        const uint8_t *interp = &lockstep->interp.state[i * 16],
                      *host = &lockstep->host.state[i * 16];
        if (memcmp(interp, host, place->size) != 0) {
            same = report(
                place->name, first_word(interp, place->size), first_word(host, place->size));
        }
    }
    return same;
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
static bool same_outcome(const Lockstep *lockstep)
{
    const Outcome *interp = &lockstep->interp, *host = &lockstep->host;
    bool requested = interp->reason == EXIT_REQUEST || host->reason == EXIT_REQUEST;
    bool same = same_registers(lockstep);

    same &= same_memory(lockstep);
    same &= interp->pc == host->pc || report("pc", interp->pc, host->pc);
    same &= interp->flags == host->flags || report("flags", interp->flags, host->flags);
    same &= requested || interp->reason == host->reason ||
        report("reason", interp->reason, host->reason);
    return same;
}

static void show_block(const TcgCpu *cpu)
{
    const IrBlock *ir = &cpu->ir;
    const Lockstep *lockstep = cpu->lockstep;
    char text[128];

    for (unsigned at = 0; at < ir->guest_size;) {
        unsigned length = cpu->isa->disassemble(
            ir->pc + at, cpu->reader.copy + at, ir->guest_size - at, text, sizeof(text));
        fprintf(stderr, "  " HEX ": %s\n", ir->pc + at, text);
        at += MAX(length, 1);
    }
    ir_print(ir, stderr);
    for (unsigned i = UNCOMPARED; i < lockstep->place_count; i++) {
        const Place *place = &lockstep->places[i];
        fprintf(stderr, "  before: %s = " HEX "\n", place->name,
            first_word(&lockstep->before.state[i * 16], place->size));
    }
    fprintf(stderr, "  code at %p\n", (const void *)lockstep->chunk->execute);
}

/* ---- running --------------------------------------------------------------------------------- */

static const void *emit_host(TcgCpu *cpu)
{
    Lockstep *lockstep = cpu->lockstep;
    Chunk *chunk = lockstep->chunk;
    const Tcg *tcg = cpu->tcg;

    cpu->emitted.exits = lockstep->exits[0];
    bool fits = tcg->host->emit(&cpu->ir, &cpu->live, tcg->thunks, chunk->write, chunk->execute,
        chunk->size, &cpu->emitted);
    for (unsigned i = 0; i < cpu->ir.exit_count; i++) {
        lockstep->exits[0][i].block = lockstep->nowhere;
    }
    return fits ? chunk->execute : NULL;
}

static const void *emit_interp(TcgCpu *cpu)
{
    Lockstep *lockstep = cpu->lockstep;
    uint8_t *code = lockstep->interp_code;

    cpu->emitted.exits = lockstep->exits[1];
    return interp_host.emit(&cpu->ir, &cpu->live, NULL, code, code, INTERP_ROOM, &cpu->emitted)
        ? code
        : NULL;
}

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

static bool run_both(TcgCpu *cpu)
{
    Lockstep *lockstep = cpu->lockstep;
    const void *interp_code = emit_interp(cpu), *host_code = emit_host(cpu);

    if (!interp_code || !host_code) {
        return false;
    }
    find_places(lockstep, &cpu->ir);
    save(lockstep, cpu->env, &lockstep->before);
    bool ran = run_interp(cpu, interp_code);
    undo_memory(lockstep);
    restore(lockstep, cpu->env, &lockstep->before);
    if (!ran) {
        return false;
    }
    run_host(cpu, host_code);
    if (!same_outcome(lockstep)) {
        show_block(cpu);
        g_error("the host '%s' translates this block wrongly", cpu->tcg->host->name);
    }
    return true;
}

/* Each block when it runs first, and then one of `every`. */
static bool is_its_turn(Lockstep *lockstep, Block *block)
{
    if (!block->checked) {
        block->checked = true;
        return true;
    }
    if (--lockstep->left == 0) {
        lockstep->left = lockstep->every;
        return true;
    }
    return false;
}

bool lockstep_run(TcgCpu *cpu, Block *block, ExitReason *reason)
{
    Lockstep *lockstep = cpu->lockstep;
    FetchContext *fetch = cpu->env->fetch;

    if (block->straddles || !is_its_turn(lockstep, block) || !cpu_make_ir(cpu, block->pc)) {
        return false;
    }
    cpu->env->fetch = &lockstep->empty->context;
    bool ran = run_both(cpu);
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
    lockstep->nowhere = g_new0(Block, 1);
    lockstep->nowhere->dead = true;
    lockstep->interp_code = g_malloc(INTERP_ROOM);
    lockstep->empty = fetch_view_new();
    pthread_mutex_lock(&tcg->lock);
    lockstep->chunk = code_take(&tcg->code, 0);
    lockstep->chunk->state = CHUNK_THUNKS;
    pthread_mutex_unlock(&tcg->lock);
    return lockstep;
}

void lockstep_free(Lockstep *lockstep)
{
    if (lockstep) {
        lockstep->chunk->state = CHUNK_FREE;
        g_free(lockstep->interp_code);
        g_free(lockstep->empty);
        g_free(lockstep->nowhere);
        g_free(lockstep);
    }
}
