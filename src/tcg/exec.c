/* The CPU loop: find a block, run it, see why it came back. See exec.h for what other threads may do to it. */
#include "tcg/exec.h"

#include "core/spin.h"
#include "core/trace.h"
#include "tcg/tcg-impl.h"
#include "tcg/tcg-trace.h"

/* ---- requests -------------------------------------------------------------------------------- */

bool cpu_request(TcgCpu *cpu, uint32_t request)
{
    atomic_fetch_or(&cpu->requests, request);
    if (atomic_load(&cpu->seen) == EPOCH_OUTSIDE) {
        return false;
    }
    cpu_kick(cpu->env);
    return true;
}

void cpu_go_outside(TcgCpu *cpu)
{
    atomic_store(&cpu->seen, EPOCH_OUTSIDE);
}

void cpu_come_inside(TcgCpu *cpu)
{
    atomic_store(&cpu->seen, atomic_load(&cpu->tcg->epoch));
    /* Who asks something of a CPU outside need not kick it. */
    if (atomic_load(&cpu->requests) || flush_orders_wait(cpu)) {
        atomic_store(&cpu->env->exit_request, 1);
    }
}

static void pass_epoch(TcgCpu *cpu)
{
    uint64_t epoch = atomic_load_explicit(&cpu->tcg->epoch, memory_order_acquire);

    if (atomic_load_explicit(&cpu->seen, memory_order_relaxed) != epoch) {
        atomic_store_explicit(&cpu->seen, epoch, memory_order_release);
    }
}

uint64_t cpu_passed_epoch(const TcgCpu *cpu)
{
    const Tcg *tcg = cpu->tcg;
    uint64_t passed = atomic_load(&tcg->epoch);

    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        if (tcg->cpus[i] && tcg->cpus[i] != cpu) {
            passed = MIN(passed, atomic_load(&tcg->cpus[i]->seen));
        }
    }
    return passed;
}

bool cpu_ask_to_drop(TcgCpu *cpu, const CodePage *page)
{
    if (cpu->drop_count < DROP_LIST) {
        cpu->drop_pages[cpu->drop_count] = page;
    }
    cpu->drop_count++;
    return cpu_request(cpu, REQUEST_DROP_WRITES);
}

static void drop_writes(TcgCpu *cpu)
{
    Tcg *tcg = cpu->tcg;

    spin_mutex_lock(&tcg->lock);
    if (cpu->drop_count > DROP_LIST) {
        tlb_drop_writes(cpu, NULL);
    }
    for (unsigned i = 0; i < MIN(cpu->drop_count, DROP_LIST); i++) {
        tlb_drop_writes(cpu, cpu->drop_pages[i]->host);
    }
    cpu->drop_count = 0;
    code_confirm(tcg, cpu->slot);
    pthread_mutex_unlock(&tcg->lock);
}

/* Between two blocks. False: the CPU's thread shall do something else. */
static bool serve_requests(TcgCpu *cpu)
{
    pass_epoch(cpu);
    if (G_LIKELY(!atomic_load_explicit(&cpu->env->exit_request, memory_order_relaxed))) {
        return true;
    }
    atomic_store(&cpu->env->exit_request, 0);
    uint32_t requests = atomic_exchange(&cpu->requests, 0);
    if (requests & REQUEST_FLUSH) {
        tlb_read_map(cpu);
        tlb_flush_all(cpu->env);
    }
    if (requests & REQUEST_DROP_WRITES) {
        drop_writes(cpu);
    }
    flush_orders_serve(cpu);
    cpu_run_woken(cpu);
    if (atomic_load(&cpu->wanted) != CPU_RUNNING) {
        return false;
    }
    if (atomic_load(&cpu->power) == POWER_ON && cpu->isa->take_interrupt(cpu->env)) {
        cpu->empty_waits = 0;
        trace_interrupt(cpu);
    }
    if (cpu->may_adopt) {
        fetch_adopt(cpu);
    }
    return true;
}

/* ---- why a block came back ------------------------------------------------------------------- */

static void deliver(TcgCpu *cpu)
{
    cpu->env->raised = 0;
    trace_exception(cpu);
    cpu->isa->deliver(cpu->env);
}

/* The pc comes from the side table: no store of it in hot code. */
static void leave_raised(TcgCpu *cpu)
{
    CpuEnv *env = cpu->env;
    Block *block;
    const SideEntry *side = block_side(cpu->tcg, env->exit_site, &block);
    unsigned done;

    g_assert(side);
    env->pc = block->pc + side->guest;
    done = side->insns;
    if (env->raised == RAISED_CODE_CHANGED) {
        env->pc += side->length;
        done++;
    }
    if (cpu->tcg->options.counted) {
        env->budget += block->guest_insns - done;
    }
    if (env->raised == RAISED_EXCEPTION) {
        deliver(cpu);
    }
    env->raised = 0;
}

/*
 * Finds the next block and links the exit to it. The exit's memory is safe unless a chunk retired since generated
 * code was entered. Gives the block if nothing is to be looked at before it runs.
 */
static Block *leave_chain(TcgCpu *cpu)
{
    Tcg *tcg = cpu->tcg;
    BlockExit *exit = (BlockExit *)cpu->env->exit_site;
    uint64_t seen = atomic_load(&cpu->seen), pc = cpu->env->pc;
    Block *next = cpu_block_at(cpu, pc);

    if (!next) {
        deliver(cpu);
        return NULL;
    }
    spin_mutex_lock(&tcg->lock);
    bool fresh = seen == atomic_load(&tcg->epoch) && !cpu_is_watched(cpu);
    if (fresh) {
        chain_link(cpu, exit, next, cpu_page_id(cpu, pc));
    }
    pthread_mutex_unlock(&tcg->lock);
    return fresh && !atomic_load(&cpu->env->exit_request) ? next : NULL;
}

/* ---- power ----------------------------------------------------------------------------------- */

CpuPower cpu_power(const CpuEnv *env)
{
    return atomic_load(&env_cpu(env)->power);
}

CpuPower cpu_start(CpuEnv *env, const CpuEntry *entry)
{
    TcgCpu *cpu = env_cpu(env);

    pthread_mutex_lock(&cpu->state_lock);
    CpuPower was = atomic_load(&cpu->power);
    if (was == POWER_OFF) {
        cpu->start = *entry;
        cpu->start.held = false;
        atomic_store(&cpu->power, POWER_STARTING);
    }
    pthread_mutex_unlock(&cpu->state_lock);
    cpu_kick(env);
    return was;
}

void cpu_power_off(CpuEnv *env)
{
    atomic_store(&env_cpu(env)->power, POWER_OFF);
    cpu_kick(env);
}

Cpu *cpu_device(const CpuEnv *env)
{
    return &env_cpu(env)->cpu;
}

CpuEnv *cpu_by_index(const CpuEnv *env, unsigned index)
{
    const Tcg *tcg = env_cpu(env)->tcg;

    for (unsigned i = 0; i < tcg->cpu_count; i++) {
        if (tcg->cpus[i] && tcg->cpus[i]->env->index == index) {
            return tcg->cpus[i]->env;
        }
    }
    return NULL;
}

/* Begins when it was told to, else waits for that or any request. False: nothing can end it. */
static bool without_power(TcgCpu *cpu)
{
    if (atomic_load(&cpu->power) == POWER_STARTING) {
        pthread_mutex_lock(&cpu->state_lock);
        CpuEntry entry = cpu->start;
        pthread_mutex_unlock(&cpu->state_lock);
        cpu_reset(cpu, &entry);
        return true;
    }
    if (!cpu->clock && !atomic_load(&cpu->env->exit_request)) {
        return false;
    }
    cpu_wait_for_kick(cpu);
    return true;
}

/* ---- instructions ---------------------------------------------------------------------------- */

static void give_budget(TcgCpu *cpu, uint64_t insns)
{
    cpu->budget_given = insns ? (int64_t)MIN(insns, (uint64_t)INT64_MAX) : INT64_MAX;
    cpu->env->budget = cpu->budget_given;
}

static void take_budget(TcgCpu *cpu)
{
    cpu->instructions += (uint64_t)(cpu->budget_given - cpu->env->budget);
    cpu->budget_given = 0;
    cpu->env->budget = 0;
}

uint64_t cpu_instructions(const CpuEnv *env)
{
    const TcgCpu *cpu = env_cpu(env);

    if (!cpu->tcg->options.counted) {
        return (uint64_t)cpu_time_ns(env);
    }
    return cpu->instructions + (uint64_t)(cpu->budget_given - env->budget);
}

int64_t cpu_time_ns(const CpuEnv *env)
{
    const TcgCpu *cpu = env_cpu(env);

    return cpu->clock ? clock_now(cpu->clock) : 0;
}

void cpu_timer_set(CpuEnv *env, int64_t at_ns)
{
    TcgCpu *cpu = env_cpu(env);

    if (cpu->timer && at_ns == INT64_MAX) {
        timer_cancel(cpu->timer);
    } else if (cpu->timer) {
        timer_set(cpu->timer, at_ns);
    }
}

void cpu_code_barrier(CpuEnv *env)
{
    Tcg *tcg = env_cpu(env)->tcg;

    if (atomic_load(&tcg->blocks.provisional_count)) {
        spin_mutex_lock(&tcg->lock);
        code_check_provisional(tcg);
        pthread_mutex_unlock(&tcg->lock);
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static CpuTurn left(TcgCpu *cpu, ExitReason reason)
{
    cpu->left[reason]++;
    switch (reason) {
    case EXIT_CHAIN: break; /* see run_on() */
    case EXIT_RAISED: leave_raised(cpu); break;
    case EXIT_HALT: return TURN_HALTS;
    case EXIT_BUDGET: return TURN_ENDS;
    case EXIT_LOOKUP:
    case EXIT_REQUEST: break;
    }
    return TURN_GOES_ON;
}

static ExitReason run_block(TcgCpu *cpu, Block *block)
{
    Tcg *tcg = cpu->tcg;
    ExitReason reason;

    trace_entry(cpu, block);
    if (cpu->lockstep && lockstep_run(cpu, block, &reason)) {
        return reason;
    }
    if (!cpu_is_watched(cpu) && !atomic_load_explicit(&block->dead, memory_order_relaxed)) {
        chain_cache_jump(cpu, block);
    }
    return tcg->host->enter(cpu->env, tcg->thunks, block->code);
}

/*
 * Runs the block, and on from exits that are linked now. What those lead to is not entered into the jump cache, which
 * is for what is jumped to otherwise.
 */
static CpuTurn run_on(TcgCpu *cpu, Block *block)
{
    Tcg *tcg = cpu->tcg;
    ExitReason reason = run_block(cpu, block);

    while (reason == EXIT_CHAIN && (block = leave_chain(cpu))) {
        cpu->left[EXIT_CHAIN]++;
        reason = tcg->host->enter(cpu->env, tcg->thunks, block->code);
    }
    return left(cpu, reason);
}

CpuTurn cpu_turn(TcgCpu *cpu)
{
    if (!serve_requests(cpu)) {
        return TURN_ENDS;
    }
    if (G_UNLIKELY(atomic_load_explicit(&cpu->power, memory_order_relaxed) != POWER_ON)) {
        return TURN_WITHOUT_POWER;
    }
    Block *block = cpu_block_at(cpu, cpu->env->pc);
    if (!block) {
        deliver(cpu);
    } else if (!atomic_load(&cpu->env->exit_request)) {
        cpu_come_back_for_woken(cpu);
        return run_on(cpu, block);
    }
    return TURN_GOES_ON;
}

static void run(TcgCpu *cpu)
{
    bool going = true;

    while (going) {
        switch (cpu_turn(cpu)) {
        case TURN_GOES_ON: break;
        case TURN_HALTS: going = cpu_halt(cpu); break;
        case TURN_WITHOUT_POWER: going = without_power(cpu); break;
        case TURN_ENDS: going = false; break;
        }
    }
}

void cpu_run(TcgCpu *cpu, uint64_t insns)
{
    cpu_set_current(&cpu->cpu);
    cpu_come_inside(cpu);
    give_budget(cpu, insns);
    cpu_kick(cpu->env); /* whatever was asked before */
    cpu->in_loop = true;
    run(cpu);
    cpu->in_loop = false;
    cpu_leave_woken(cpu);
    take_budget(cpu);
    cpu_go_outside(cpu);
    cpu_set_current(NULL);
}
