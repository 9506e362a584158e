/* Traps, interrupts and returns from them: privileged ISA 3.1.6 to 3.1.9, 3.3.2, 4.1. */
#include "targets/riscv/state.h"

#include "core/clock.h"
#include "tcg/exec.h"
#include "tcg/tlb.h"

/* ---- modes ------------------------------------------------------------------------------------ */

static RvFs fs_class(const RvCpu *cpu)
{
    unsigned fs = (cpu->mstatus & MSTATUS_FS) >> MSTATUS_FS_SHIFT;

    return fs == 0 ? FS_OFF : fs == 3 ? FS_DIRTY : FS_CLEAN;
}

static RvFrm frm_class(const RvCpu *cpu)
{
    return cpu->frm < FP_RMM ? FRM_HOST : cpu->frm == FP_RMM ? FRM_RMM : FRM_RESERVED;
}

void rv_mode_changed(RvCpu *cpu, RvPrivilege privilege)
{
    uint32_t model = cpu->env.mode >> MODE_MODEL_SHIFT << MODE_MODEL_SHIFT;

    cpu->env.mode = model | privilege | fs_class(cpu) << MODE_FS_SHIFT |
        frm_class(cpu) << MODE_FRM_SHIFT;
    cpu_context_changed(&cpu->env);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

bool rv_has_stimecmp(const RvCpu *cpu)
{
    return rv_has(cpu, RV_SSTC) && cpu->menvcfg & ENVCFG_STCE;
}

static uint64_t time_now(const RvCpu *cpu)
{
    return (uint64_t)cpu_time_ns(&cpu->env) / (NS_PER_SECOND / RV_TIME_HZ);
}

/* Pending as far as it is known without looking at the clock. */
static uint64_t noted(const RvCpu *cpu)
{
    return cpu->mip | atomic_load_explicit(&cpu->lines, memory_order_acquire);
}

static bool timer_is_due(const RvCpu *cpu)
{
    return rv_has_stimecmp(cpu) && time_now(cpu) >= cpu->stimecmp;
}

uint64_t rv_pending(const RvCpu *cpu)
{
    uint64_t pending = noted(cpu), sti = UINT64_C(1) << IRQ_STI;

    return pending & sti || !timer_is_due(cpu) ? pending : pending | sti;
}

/*
 * The supervisor's timer (Sstc): that it is due is noted in mip when the CPU looks, which cpu_timer_set() makes it
 * do in time; so that whoever enables interrupts need not read the clock.
 */
static void note_timer(RvCpu *cpu)
{
    cpu->mip |= (uint64_t)timer_is_due(cpu) << IRQ_STI;
}

void rv_timer_changed(RvCpu *cpu)
{
    cpu->mip &= ~(UINT64_C(1) << IRQ_STI);
    note_timer(cpu);
    rv_check_interrupts(cpu);
}

/* Those that are enabled at this privilege, for one of the modes that take them (3.1.9). */
static uint64_t enabled_interrupts(const RvCpu *cpu, uint64_t pending, RvPrivilege mode)
{
    RvPrivilege now = rv_privilege(cpu);
    uint64_t global = mode == PRIV_M ? MSTATUS_MIE : MSTATUS_SIE;
    uint64_t taken_here = mode == PRIV_M ? ~cpu->mideleg : cpu->mideleg;

    return now < mode || (now == mode && cpu->mstatus & global) ? pending & cpu->mie & taken_here
                                                                : 0;
}

static uint64_t takable(const RvCpu *cpu)
{
    uint64_t pending = noted(cpu), machine;

    if (!(pending & cpu->mie)) {
        return 0;
    }
    machine = enabled_interrupts(cpu, pending, PRIV_M);
    return machine ? machine : enabled_interrupts(cpu, pending, PRIV_S);
}

void rv_check_interrupts(RvCpu *cpu)
{
    if (takable(cpu)) {
        cpu_kick(&cpu->env);
    }
}

/* The interrupt to take now; 0: none. */
static unsigned first_interrupt(const RvCpu *cpu)
{
    static const uint8_t order[] = { IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI };
    uint64_t interrupts = takable(cpu);

    for (unsigned i = 0; interrupts && i < sizeof(order); i++) {
        if (interrupts >> order[i] & 1) {
            return order[i];
        }
    }
    return 0;
}

bool rv_take_interrupt(CpuEnv *env)
{
    RvCpu *cpu = rv_cpu(env);
    unsigned interrupt;

    note_timer(cpu);
    interrupt = first_interrupt(cpu);
    if (interrupt) {
        rv_take_trap(cpu, CAUSE_INTERRUPT | interrupt, 0);
    }
    return interrupt;
}

/* wfi ends for what is enabled in mie, whatever mstatus says (3.3.3). */
bool rv_wakes(const CpuEnv *env)
{
    const RvCpu *cpu = rv_cpu_const(env);

    return cpu->mie && rv_pending(cpu) & cpu->mie;
}

void rv_set_input(CpuEnv *env, unsigned line, bool level)
{
    RvCpu *cpu = rv_cpu(env);
    uint64_t bit = UINT64_C(1) << (line & 63);

    if (level) {
        atomic_fetch_or_explicit(&cpu->lines, bit, memory_order_release);
        cpu_kick(env);
    } else {
        atomic_fetch_and_explicit(&cpu->lines, ~bit, memory_order_release);
    }
}

/* ---- traps ------------------------------------------------------------------------------------ */

static uint64_t cause_value(const RvCpu *cpu, uint32_t cause)
{
    uint64_t flag = UINT64_C(1) << (rv_xlen(cpu) - 1);

    return cause & CAUSE_INTERRUPT ? flag | (cause & ~CAUSE_INTERRUPT) : cause;
}

/* The low bit of xtvec: interrupts have an entry each. */
static uint64_t vector(uint64_t tvec, uint32_t cause)
{
    uint64_t base = tvec & ~UINT64_C(3);

    return tvec & 1 && cause & CAUSE_INTERRUPT ? base + 4 * (cause & ~CAUSE_INTERRUPT) : base;
}

static bool is_delegated(const RvCpu *cpu, uint32_t cause)
{
    uint64_t mask = cause & CAUSE_INTERRUPT ? cpu->mideleg : cpu->medeleg;

    return rv_privilege(cpu) <= PRIV_S && mask >> (cause & 63) & 1;
}

static void trap_to_machine(RvCpu *cpu, uint32_t cause, uint64_t value)
{
    uint64_t s = cpu->mstatus & ~(MSTATUS_MPIE | MSTATUS_MIE | MSTATUS_MPP);

    s |= cpu->mstatus & MSTATUS_MIE ? MSTATUS_MPIE : 0;
    s |= (uint64_t)rv_privilege(cpu) << MSTATUS_MPP_SHIFT;
    cpu->mstatus = s;
    cpu->mcause = cause_value(cpu, cause);
    cpu->mepc = cpu->env.pc;
    cpu->mtval = value;
    cpu->env.pc = vector(cpu->mtvec, cause);
    rv_mode_changed(cpu, PRIV_M);
}

static void trap_to_supervisor(RvCpu *cpu, uint32_t cause, uint64_t value)
{
    uint64_t s = cpu->mstatus & ~(MSTATUS_SPIE | MSTATUS_SIE | MSTATUS_SPP);

    s |= cpu->mstatus & MSTATUS_SIE ? MSTATUS_SPIE : 0;
    s |= rv_privilege(cpu) == PRIV_S ? MSTATUS_SPP : 0;
    cpu->mstatus = s;
    cpu->scause = cause_value(cpu, cause);
    cpu->sepc = cpu->env.pc;
    cpu->stval = value;
    cpu->env.pc = vector(cpu->stvec, cause);
    rv_mode_changed(cpu, PRIV_S);
}

void rv_take_trap(RvCpu *cpu, uint32_t cause, uint64_t value)
{
    cpu->reserved_address = rv_has(cpu, RV_RV64) ? RV_NOT_RESERVED : (uint32_t)RV_NOT_RESERVED;
    if (is_delegated(cpu, cause)) {
        trap_to_supervisor(cpu, cause, value);
    } else {
        trap_to_machine(cpu, cause, value);
    }
}

void rv_deliver(CpuEnv *env)
{
    rv_take_trap(rv_cpu(env), env->raised_cause, env->raised_value);
}

/* ---- what code calls -------------------------------------------------------------------------- */

static uint64_t help_raise(CpuEnv *env, uint64_t cause, uint64_t value, uint64_t c)
{
    cpu_raise(env, cause, value);
    return 0;
}

static uint64_t help_interrupt(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned interrupt = first_interrupt(rv_cpu(env));

    if (interrupt) {
        cpu_raise(env, CAUSE_INTERRUPT | interrupt, 0);
    }
    return 0;
}

static uint64_t help_check_interrupts(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    rv_check_interrupts(rv_cpu(env));
    return 0;
}

static uint64_t illegal(CpuEnv *env, uint64_t insn)
{
    cpu_raise(env, CAUSE_ILLEGAL, insn);
    return 0;
}

/* a: the pc. Gives where to go. */
static uint64_t help_ecall(CpuEnv *env, uint64_t pc, uint64_t b, uint64_t c)
{
    RvCpu *cpu = rv_cpu(env);

    env->pc = pc;
    rv_take_trap(cpu, CAUSE_ECALL_U + rv_privilege(cpu), 0);
    return env->pc;
}

static uint64_t help_mret(CpuEnv *env, uint64_t insn, uint64_t b, uint64_t c)
{
    RvCpu *cpu = rv_cpu(env);
    RvPrivilege to = (cpu->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    uint64_t s = cpu->mstatus & ~(MSTATUS_MIE | MSTATUS_MPP);

    s |= s & MSTATUS_MPIE ? MSTATUS_MIE : 0;
    s |= MSTATUS_MPIE;
    s |= rv_has(cpu, RV_U) ? 0 : MSTATUS_MPP;
    s &= to == PRIV_M ? ~UINT64_C(0) : ~MSTATUS_MPRV;
    cpu->mstatus = s;
    rv_mode_changed(cpu, to);
    rv_check_interrupts(cpu);
    return cpu->mepc;
}

static uint64_t help_sret(CpuEnv *env, uint64_t insn, uint64_t b, uint64_t c)
{
    RvCpu *cpu = rv_cpu(env);
    RvPrivilege to = cpu->mstatus & MSTATUS_SPP ? PRIV_S : PRIV_U;
    uint64_t s = cpu->mstatus & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);

    if (rv_privilege(cpu) == PRIV_S && cpu->mstatus & MSTATUS_TSR) {
        return illegal(env, insn);
    }
    s |= s & MSTATUS_SPIE ? MSTATUS_SIE : 0;
    cpu->mstatus = s | MSTATUS_SPIE;
    rv_mode_changed(cpu, to);
    rv_check_interrupts(cpu);
    return cpu->sepc;
}

/* In U there is no wfi once S exists; with TW it is never soon enough (3.1.6.5). */
static uint64_t help_wfi(CpuEnv *env, uint64_t insn, uint64_t b, uint64_t c)
{
    RvCpu *cpu = rv_cpu(env);
    RvPrivilege privilege = rv_privilege(cpu);

    if ((privilege == PRIV_U && rv_has(cpu, RV_S)) ||
        (privilege != PRIV_M && cpu->mstatus & MSTATUS_TW)) {
        return illegal(env, insn);
    }
    return 0;
}

/* The ASID of satp, moved down; spaces are satp values, 0 without translation. */
static bool space_has_asid(uint64_t space, uint64_t asid)
{
    return space && (space >> 44 & 0xffff) == asid;
}

static bool space_has_asid32(uint64_t space, uint64_t asid)
{
    return space && (space >> 22 & 0x1ff) == asid;
}

/* a: address, b: ASID, where the instruction has such a register at all (4.2.1). */
static uint64_t help_sfence(CpuEnv *env, uint64_t address, uint64_t asid, uint64_t insn)
{
    RvCpu *cpu = rv_cpu(env);
    bool wide = rv_has(cpu, RV_RV64);
    TlbSpaceTest test = wide ? space_has_asid : space_has_asid32;
    bool has_address = insn >> 15 & 31, has_asid = insn >> 20 & 31;

    asid &= wide ? 0xffff : 0x1ff;
    if (rv_privilege(cpu) == PRIV_S && cpu->mstatus & MSTATUS_TVM) {
        return illegal(env, insn);
    }
    if (has_address) {
        tlb_flush_page(env, address, has_asid ? test : NULL, asid);
    } else if (has_asid) {
        tlb_flush_space(env, test, asid);
    } else {
        tlb_flush_all(env);
    }
    return 0;
}

static uint64_t help_fence_i(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    cpu_code_barrier(env);
    return 0;
}

const Helper rv_help_interrupt = { "rv_interrupt", help_interrupt, HELPER_MAY_RAISE };
const Helper rv_help_check_interrupts = { "rv_check_interrupts", help_check_interrupts, 0 };
const Helper rv_help_raise = { "rv_raise", help_raise, HELPER_MAY_RAISE };
const Helper rv_help_ecall = { "rv_ecall", help_ecall, 0 };
const Helper rv_help_mret = { "rv_mret", help_mret, 0 };
const Helper rv_help_sret = { "rv_sret", help_sret, HELPER_MAY_RAISE };
const Helper rv_help_wfi = { "rv_wfi", help_wfi, HELPER_MAY_RAISE };
const Helper rv_help_sfence = { "rv_sfence", help_sfence, HELPER_MAY_RAISE };
const Helper rv_help_fence_i = { "rv_fence_i", help_fence_i, 0 };
