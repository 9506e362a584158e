/* Exceptions, returns, interrupts, and the modes they lead to. Arm ARM D1. */
#include "core/cpu.h"
#include "core/loop.h"
#include "targets/aarch64/state.h"
#include "tcg/exec.h"
#include "tcg/tlb.h"

/* ---- modes ------------------------------------------------------------------------------------ */

/* LDTR and its like are EL0's accesses, but for UAO (D8.4.4). */
static bool is_unprivileged(const A64Cpu *cpu, unsigned el)
{
    return (el == 1 || (el == 2 && a64_is_host(cpu))) && !cpu->uao;
}

/* Do names of EL1's registers mean EL2's? EL3 has the names for what they meant (D5.6.3). */
static bool has_host_names(const A64Cpu *cpu, unsigned el)
{
    return el >= 2 && cpu->hcr & HCR_E2H;
}

/*
 * Data accesses are to be aligned where SCTLR.A says so, and without translation, as of Device memory (D8.2.10), unless
 * HCR_EL2.DC makes it another.
 */
static bool is_aligned_only(const A64Cpu *cpu, unsigned regime)
{
    bool is_device = !(cpu->sctlr[regime] & SCTLR_M) && !(regime == 1 && cpu->hcr_now & HCR_DC);

    return cpu->sctlr[regime] & SCTLR_A || is_device;
}

static uint32_t sp_mode(const A64Cpu *cpu, unsigned el, unsigned regime)
{
    enum { ALIGNMENT = 16 };

    if (!(cpu->sctlr[regime] & (el ? SCTLR_SA : SCTLR_SA0))) {
        return 0;
    }
    return MODE_SP_CHECKED | (cpu->x[GVAR_SP] % ALIGNMENT ? MODE_SP_MISALIGNED : 0);
}

static uint32_t mode_of(const A64Cpu *cpu, unsigned el, bool own_sp)
{
    unsigned regime = a64_regime(cpu, el);

    return el | (a64_is_stepping(cpu, el) ? MODE_STEP : 0) |
        (a64_has_breakpoints(cpu, el) ? MODE_BREAKPOINTS : 0) | (cpu->il ? MODE_ILLEGAL : 0) |
        (a64_fp_trap_level(cpu, el) ? MODE_FP_TRAPPED : 0) | (own_sp ? 0 : MODE_SP_EL0) |
        (is_aligned_only(cpu, regime) ? MODE_ALIGNED : 0) | sp_mode(cpu, el, regime) |
        (a64_traps(cpu, el) ? MODE_TRAPS : 0) | (a64_traps_pac(cpu, el) ? MODE_PAC_TRAPS : 0) |
        (has_host_names(cpu, el) ? MODE_HOST : 0) |
        (is_unprivileged(cpu, el) ? MODE_UNPRIVILEGED : 0) |
        (cpu->fpcr & FPCR_DN ? MODE_FP_DEFAULT_NAN : 0) |
        (cpu->fpcr & FPCR_FZ ? MODE_FP_FLUSH : 0) | (cpu->fpcr & FPCR_FZ16 ? MODE_FP_FLUSH16 : 0);
}

static void set_mode(A64Cpu *cpu, uint32_t mode)
{
    uint32_t model = cpu->env.mode >> MODE_MODEL_SHIFT << MODE_MODEL_SHIFT;

    cpu->env.mode = model | mode;
    if (a64_has(cpu, A64_PAUTH)) {
        a64_pac_changed(cpu);
    }
    cpu_context_changed(&cpu->env);
}

static bool has_own_sp(const A64Cpu *cpu)
{
    return !(cpu->env.mode & MODE_SP_EL0);
}

void a64_mode_changed(A64Cpu *cpu)
{
    set_mode(cpu, mode_of(cpu, a64_el(cpu), has_own_sp(cpu)));
}

void a64_enter(A64Cpu *cpu, unsigned el, bool own_sp)
{
    unsigned from = has_own_sp(cpu) ? a64_el(cpu) : 0, to = own_sp ? el : 0;

    cpu->sp[from] = cpu->x[GVAR_SP];
    cpu->x[GVAR_SP] = cpu->sp[to];
    set_mode(cpu, mode_of(cpu, el, own_sp && el));
}

uint64_t a64_pstate(const A64Cpu *cpu)
{
    return a64_nzcv(cpu) | cpu->daif | a64_el(cpu) << PSTATE_EL_SHIFT |
        (a64_el(cpu) && has_own_sp(cpu) ? PSTATE_SP : 0) | cpu->pan << 22 | cpu->uao << 23 |
        cpu->dit << 24 | cpu->ssbs << 12 | cpu->btype << PSTATE_BTYPE_SHIFT | cpu->il << 20 |
        cpu->ss << 21;
}

static void set_pstate(A64Cpu *cpu, uint64_t pstate)
{
    a64_set_nzcv(cpu, pstate);
    cpu->daif = pstate & PSTATE_DAIF;
    cpu->pan = a64_has(cpu, A64_PAN) ? pstate >> 22 & 1 : 0;
    cpu->uao = a64_has(cpu, A64_UAO) ? pstate >> 23 & 1 : 0;
    cpu->dit = a64_has(cpu, A64_DIT) ? pstate >> 24 & 1 : 0;
    cpu->ssbs = a64_has(cpu, A64_SSBS) ? pstate >> 12 & 1 : 0;
    cpu->btype = a64_has(cpu, A64_BTI) ? pstate >> PSTATE_BTYPE_SHIFT & 3 : 0;
    cpu->il = pstate >> 20 & 1;
    cpu->ss = pstate >> 21 & 1;
}

/* ---- taking an exception ---------------------------------------------------------------------- */

static A64Class class_of(uint32_t syndrome)
{
    return (A64Class)(syndrome >> ESR_EC_SHIFT);
}

/* Table D1-5: entries of 0x80 bytes by kind, groups of 0x200 by where it came from. */
static uint64_t vector(const A64Cpu *cpu, unsigned target, uint32_t syndrome)
{
    static const uint8_t kinds[] = {
        [INTERRUPT_IRQ] = 1,
        [INTERRUPT_FIQ] = 2,
        [INTERRUPT_VIRTUAL_IRQ] = 1,
        [INTERRUPT_VIRTUAL_FIQ] = 2,
        [INTERRUPT_VIRTUAL_SERROR] = 3,
    };
    unsigned el = a64_el(cpu), group = el < target ? 2 : has_own_sp(cpu), kind = 0;

    if (class_of(syndrome) == EC_INTERRUPT) {
        kind = kinds[syndrome & ESR_ISS];
    }
    return cpu->vbar[target] + group * 0x200 + kind * 0x80;
}

/* Classes that come in two: from below, and one more from the level itself. */
static bool has_two_classes(A64Class class)
{
    return class == EC_FETCH_LOWER || class == EC_DATA_LOWER || class == EC_BREAKPOINT_LOWER ||
        class == EC_STEP_LOWER || class == EC_WATCHPOINT_LOWER;
}

static bool has_far(A64Class class)
{
    return class == EC_FETCH_LOWER || class == EC_DATA_LOWER || class == EC_PC_ALIGN ||
        class == EC_WATCHPOINT_LOWER;
}

/* It is taken once, or deferred. */
static void end_virtual_serror(A64Cpu *cpu)
{
    cpu->hcr &= ~HCR_VSE;
    cpu->hcr_now &= ~HCR_VSE;
    atomic_fetch_and(&cpu->lines, ~(1u << A64_INPUT_VSE));
}

static void note_syndrome(A64Cpu *cpu, unsigned target, uint32_t syndrome, uint64_t far)
{
    A64Class class = class_of(syndrome);
    bool same = target == a64_el(cpu) && has_two_classes(class);

    if (class == EC_INTERRUPT) {
        if ((syndrome & ESR_ISS) == INTERRUPT_VIRTUAL_SERROR) {
            cpu->esr[target] = a64_syndrome(EC_SERROR, (uint32_t)cpu->vsesr);
            end_virtual_serror(cpu);
        }
        return;
    }
    cpu->esr[target] = syndrome + ((uint32_t)same << ESR_EC_SHIFT);
    if (has_far(class)) {
        cpu->far[target] = far;
    }
}

/* A step whose instruction was completed, or was none, is not begun again (D2.12.5). */
static bool ends_step(const A64Cpu *cpu, A64Class class)
{
    return cpu->stepped &&
        (class == EC_INTERRUPT || class == EC_SVC || class == EC_HVC || class == EC_SMC ||
            class == EC_STEP_LOWER);
}

static void take_as(A64Cpu *cpu, unsigned target, uint32_t syndrome, uint64_t far)
{
    uint64_t entry = vector(cpu, target, syndrome);

    note_syndrome(cpu, target, syndrome, far);
    cpu->ss &= !ends_step(cpu, class_of(syndrome));
    cpu->spsr[target] = a64_pstate(cpu);
    cpu->elr[target] = cpu->env.pc;
    cpu->daif = PSTATE_DAIF;
    cpu->pan |= a64_has(cpu, A64_PAN) && (target == 1 || (target == 2 && a64_is_host(cpu))) &&
        !(cpu->sctlr[target] & SCTLR_SPAN);
    cpu->uao = 0;
    cpu->il = 0;
    cpu->ss = 0;
    cpu->btype = 0;
    cpu->ssbs = a64_has(cpu, A64_SSBS) && cpu->sctlr[target] & SCTLR_DSSBS;
    cpu->exclusive_address = A64_NOT_EXCLUSIVE;
    cpu->env.pc = entry;
    a64_enter(cpu, target, true);
}

/* env.pc is the address to come back to. */
static void take(A64Cpu *cpu, uint32_t syndrome, uint64_t far)
{
    unsigned usual = a64_route(cpu, &syndrome), level = cpu->raised_level;

    cpu->raised_level = 0;
    take_as(cpu, level ? level : usual, a64_stage2_syndrome(cpu, syndrome), far);
}

void a64_deliver(CpuEnv *env)
{
    A64Cpu *cpu = a64_cpu(env);

    if (class_of(env->raised_cause) == EC_AGAIN) {
        env->pc = a64_branch_address(cpu, env->pc);
        return;
    }
    take(cpu, env->raised_cause, env->raised_value);
}

void a64_raise(CpuEnv *env, uint32_t syndrome, uint64_t far)
{
    cpu_raise(env, syndrome, far);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

enum { NO_INTERRUPT = -1 };

/* Table D1-13. EL0 of a host masks as EL0 of a kernel does. */
static bool is_taken(const A64Cpu *cpu, bool fiq)
{
    unsigned el = a64_el(cpu), level = a64_interrupt_level(cpu, fiq);
    bool masked = cpu->daif & (fiq ? PSTATE_F : PSTATE_I);

    if (level > el && level > 1 && !(level == 2 && a64_is_host(cpu))) {
        return true;
    }
    return level >= el && !masked;
}

/* Virtual interrupts are for guests, when the physical ones are not (D1.3.5). */
static bool is_virtual_taken(const A64Cpu *cpu, uint64_t route, uint64_t mask)
{
    return a64_el(cpu) < 2 && (cpu->hcr_now & (route | HCR_TGE)) == route && !(cpu->daif & mask);
}

static bool is_pending(uint32_t pending, unsigned line)
{
    return pending >> line & 1;
}

static int first_virtual(const A64Cpu *cpu, uint32_t pending)
{
    if ((is_pending(pending, A64_INPUT_VFIQ) || is_pending(pending, A64_INPUT_VF)) &&
        is_virtual_taken(cpu, HCR_FMO, PSTATE_F)) {
        return INTERRUPT_VIRTUAL_FIQ;
    }
    if ((is_pending(pending, A64_INPUT_VIRQ) || is_pending(pending, A64_INPUT_VI)) &&
        is_virtual_taken(cpu, HCR_IMO, PSTATE_I)) {
        return INTERRUPT_VIRTUAL_IRQ;
    }
    return is_pending(pending, A64_INPUT_VSE) && is_virtual_taken(cpu, HCR_AMO, PSTATE_A)
        ? INTERRUPT_VIRTUAL_SERROR
        : NO_INTERRUPT;
}

static int first_interrupt(const A64Cpu *cpu)
{
    uint32_t pending = a64_physical_lines(cpu);

    if (is_pending(pending, A64_INPUT_FIQ) && is_taken(cpu, true)) {
        return INTERRUPT_FIQ;
    }
    if (is_pending(pending, A64_INPUT_IRQ) && is_taken(cpu, false)) {
        return INTERRUPT_IRQ;
    }
    return pending >> A64_INPUT_VIRQ ? first_virtual(cpu, pending) : NO_INTERRUPT;
}

void a64_check_interrupts(A64Cpu *cpu)
{
    if (first_interrupt(cpu) != NO_INTERRUPT) {
        cpu_kick(&cpu->env);
    }
}

bool a64_take_interrupt(CpuEnv *env)
{
    A64Cpu *cpu = a64_cpu(env);
    int interrupt;

    a64_timers_check(cpu);
    interrupt = first_interrupt(cpu);
    if (interrupt != NO_INTERRUPT) {
        env->pc = a64_branch_address(cpu, env->pc);
        take(cpu, a64_syndrome(EC_INTERRUPT, (uint32_t)interrupt), 0);
    }
    return interrupt != NO_INTERRUPT;
}

/* WFI ends for what is pending, masked or not (D1.7.2). The alarm of a timer kicks. */
bool a64_wakes(const CpuEnv *env)
{
    enum { PHYSICAL = 1 << A64_INPUT_IRQ | 1 << A64_INPUT_FIQ };
    const A64Cpu *cpu = a64_cpu_const(env);

    return a64_physical_lines(cpu) &
        (a64_el(cpu) < 2 && cpu->hcr_now & (HCR_IMO | HCR_FMO | HCR_AMO) ? ~0u : PHYSICAL);
}

void a64_set_input(CpuEnv *env, unsigned line, bool level)
{
    A64Cpu *cpu = a64_cpu(env);

    if (level) {
        atomic_fetch_or(&cpu->lines, UINT32_C(1) << line);
        cpu_kick(env);
    } else {
        atomic_fetch_and(&cpu->lines, ~(UINT32_C(1) << line));
    }
}

/* ---- returning -------------------------------------------------------------------------------- */

/* To where a return may not go: the level stays, and PSTATE.IL says so (D1.4.4). */
static bool is_illegal_return(const A64Cpu *cpu, uint64_t spsr)
{
    unsigned to = spsr >> PSTATE_EL_SHIFT & 3;

    return spsr & PSTATE_AARCH32 || spsr & 2 || (!to && spsr & PSTATE_SP) ||
        !a64_may_return_to(cpu, to);
}

static uint64_t help_eret(CpuEnv *env, uint64_t pc, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    unsigned el = a64_el(cpu), to;
    uint64_t spsr = cpu->spsr[el], target = cpu->elr[el];
    bool own_sp = spsr & PSTATE_SP, was_stepping = a64_is_stepping(cpu, el);

    to = spsr >> PSTATE_EL_SHIFT & 3;
    if (is_illegal_return(cpu, spsr)) {
        spsr |= PSTATE_IL;
        to = el;
        own_sp = has_own_sp(cpu);
    }
    set_pstate(cpu, spsr);
    cpu->ss &= !was_stepping && a64_is_stepping(cpu, to);
    cpu->stepped = !cpu->ss;
    a64_enter(cpu, to, own_sp);
    cpu->exclusive_address = A64_NOT_EXCLUSIVE;
    atomic_store_explicit(&cpu->event, 1, memory_order_relaxed);
    if (atomic_load_explicit(&cpu->lines, memory_order_relaxed)) {
        a64_check_interrupts(cpu);
    }
    return target;
}

/* ---- what code calls -------------------------------------------------------------------------- */

static uint64_t help_raise(CpuEnv *env, uint64_t syndrome, uint64_t far, uint64_t c)
{
    cpu_raise(env, (uint32_t)syndrome, far);
    return 0;
}

static uint64_t help_call(CpuEnv *env, uint64_t syndrome, uint64_t next, uint64_t pc)
{
    env->pc = next;
    take(a64_cpu(env), (uint32_t)syndrome, 0);
    return env->pc;
}

static uint64_t undefined_call(A64Cpu *cpu, uint64_t pc)
{
    cpu->env.pc = pc;
    take(cpu, a64_syndrome(EC_UNKNOWN, 0), 0);
    return cpu->env.pc;
}

/* D1.5.4: SCR_EL3.HCE and HCR_EL2.HCD switch it off. */
static bool is_hvc_defined(const A64Cpu *cpu)
{
    bool off = a64_has(cpu, A64_EL3) ? !(cpu->scr & SCR_HCE) : (cpu->hcr & HCR_HCD) != 0;

    return a64_has(cpu, A64_EL2) && !off && (a64_el(cpu) != 1 || a64_el2_enabled(cpu));
}

static uint64_t help_hvc(CpuEnv *env, uint64_t syndrome, uint64_t next, uint64_t pc)
{
    A64Cpu *cpu = a64_cpu(env);

    if (a64_psci_call(cpu, false)) {
        return next;
    }
    return is_hvc_defined(cpu) ? help_call(env, syndrome, next, pc) : undefined_call(cpu, pc);
}

/* HCR_EL2.TSC: the hypervisor answers, and goes on behind it by itself. */
static uint64_t help_smc(CpuEnv *env, uint64_t syndrome, uint64_t next, uint64_t pc)
{
    A64Cpu *cpu = a64_cpu(env);

    if (a64_el(cpu) == 1 && cpu->hcr_now & HCR_TSC) {
        env->pc = pc;
        take_as(cpu, 2, (uint32_t)syndrome, 0);
        return env->pc;
    }
    if (a64_psci_call(cpu, true)) {
        return next;
    }
    return a64_has(cpu, A64_EL3) && !(cpu->scr & SCR_SMD) ? help_call(env, syndrome, next, pc)
                                                          : undefined_call(cpu, pc);
}

static uint64_t help_interrupt(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    int interrupt = first_interrupt(a64_cpu(env));

    if (interrupt != NO_INTERRUPT) {
        cpu_raise(env, a64_syndrome(EC_INTERRUPT, (uint32_t)interrupt), 0);
    }
    return 0;
}

static uint64_t help_check_interrupts(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    a64_check_interrupts(a64_cpu(env));
    return 0;
}

/* The level that has reserved waiting for itself: SCTLR.nTWI, HCR_EL2.TWI, SCR_EL3.TWI, and the same of WFE. */
static unsigned wait_trap_level(const A64Cpu *cpu, bool wfe)
{
    unsigned el = a64_el(cpu);

    if (el == 0 && !(a64_kernel_sctlr(cpu) & (wfe ? SCTLR_NTWE : SCTLR_NTWI)) && !wfe) {
        return cpu->hcr_now & HCR_TGE ? 2 : 1;
    }
    if (el < 2 && cpu->hcr_now & (wfe ? HCR_TWE : HCR_TWI)) {
        return 2;
    }
    return el < 3 && cpu->scr & (wfe ? SCR_TWE : SCR_TWI) ? 3 : 0;
}

static bool wait_traps(A64Cpu *cpu, bool wfe)
{
    unsigned level = wait_trap_level(cpu, wfe);

    if (level) {
        a64_raise_to(cpu, level, a64_syndrome(EC_WFX, 1 << 24 | 0xe << 20 | wfe), 0);
    }
    return level;
}

/* Nothing is waited for when there is something already. */
static uint64_t help_wfi(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);

    if (!atomic_load(&cpu->lines) || !a64_wakes(env)) {
        wait_traps(cpu, false);
    }
    return 0;
}

/* What does not wait does not trap (D1.6.1). A wait may end without an event: it is another CPU's turn. */
static uint64_t help_wfe(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);

    if (!atomic_exchange(&cpu->event, 0) && !wait_traps(cpu, true)) {
        cpu_spin(env);
    }
    return 0;
}

/* To all CPUs. */
static uint64_t help_sev(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned count = device_cpu_count(&cpu_device(env)->dev);

    for (unsigned i = 0; i < count; i++) {
        CpuEnv *other = cpu_by_index(env, i);

        if (other) {
            atomic_store(&a64_cpu(other)->event, 1);
        }
    }
    return 0;
}

/* AArch64.vESBOperation() in J1. Physical errors, which would be looked at too, there are none. */
static uint64_t help_esb(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    bool is_virtual = a64_el(cpu) < 2 && (cpu->hcr_now & (HCR_AMO | HCR_TGE)) == HCR_AMO;

    if (is_virtual && cpu->hcr_now & HCR_VSE && cpu->daif & PSTATE_A) {
        cpu->vdisr = DISR_A | (cpu->vsesr & DISR_SYNDROME);
        end_virtual_serror(cpu);
    }
    return 0;
}

static uint64_t help_mode_changed(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    a64_mode_changed(a64_cpu(env));
    return 0;
}

static uint64_t help_misaligned_sp(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    a64_mode_changed(a64_cpu(env));
    env->raised = RAISED_CODE_CHANGED; /* what follows is translated in another mode */
    return 0;
}

static uint64_t help_close_sp(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    uint32_t mode = env->mode;

    a64_mode_changed(a64_cpu(env));
    if (env->mode != mode) {
        cpu_raise(env, a64_syndrome(EC_AGAIN, 0), 0);
    }
    return 0;
}

static uint64_t help_misaligned(CpuEnv *env, uint64_t address, uint64_t write, uint64_t c)
{
    cpu_raise(env, a64_align_fault(env, write ? ACCESS_WRITE : ACCESS_READ), address);
    return 0;
}

static uint64_t help_spsel(CpuEnv *env, uint64_t own_sp, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);

    a64_enter(cpu, a64_el(cpu), own_sp);
    return 0;
}

/* SCTLR_ELx.BT0 and BT1: PACIASP is no landing pad of a jump (BTypeCompatible_PACIXSP() in J1). */
static bool may_land(const A64Cpu *cpu, uint64_t types)
{
    enum { JUMP = 3, BT0 = 35, BT1 = 36 };
    unsigned el = a64_el(cpu);

    if (types & BTI_PAC && cpu->btype == JUMP) {
        return !(cpu->sctlr[a64_regime(cpu, el)] >> (el ? BT1 : BT0) & 1);
    }
    return types >> cpu->btype & 1;
}

static uint64_t help_landing(CpuEnv *env, uint64_t types, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);

    if (may_land(cpu, types)) {
        cpu->btype = 0;
    } else {
        cpu_raise(env, a64_syndrome(EC_BTI, (uint32_t)cpu->btype), 0);
    }
    return 0;
}

static uint64_t help_daif(CpuEnv *env, uint64_t bits, uint64_t set, uint64_t insn)
{
    A64Cpu *cpu = a64_cpu(env);

    if (!(a64_kernel_sctlr(cpu) & SCTLR_UMA)) {
        a64_sysreg_trap(cpu, EC_SYSTEM, insn >> 5 & 0xffff, 31, false);
        return 0;
    }
    cpu->daif = set ? cpu->daif | bits : cpu->daif & ~bits;
    a64_check_interrupts(cpu);
    return 0;
}

const Helper a64_help_raise = { "a64_raise", help_raise, HELPER_MAY_RAISE };
const Helper a64_help_call = { "a64_call", help_call, 0 };
const Helper a64_help_hvc = { "a64_hvc", help_hvc, 0 };
const Helper a64_help_smc = { "a64_smc", help_smc, 0 };
const Helper a64_help_eret = { "a64_eret", help_eret, 0 };
const Helper a64_help_interrupt = { "a64_interrupt", help_interrupt, HELPER_MAY_RAISE };
const Helper a64_help_check_interrupts = { "a64_check_interrupts", help_check_interrupts, 0 };
const Helper a64_help_wfi = { "a64_wfi", help_wfi, HELPER_MAY_RAISE };
const Helper a64_help_wfe = { "a64_wfe", help_wfe, HELPER_MAY_RAISE };
const Helper a64_help_sev = { "a64_sev", help_sev, 0 };
const Helper a64_help_esb = { "a64_esb", help_esb, 0 };
const Helper a64_help_mode_changed = { "a64_mode_changed", help_mode_changed, 0 };
const Helper a64_help_misaligned_sp = { "a64_misaligned_sp", help_misaligned_sp, HELPER_MAY_RAISE };
const Helper a64_help_close_sp = { "a64_close_sp", help_close_sp, HELPER_MAY_RAISE };
const Helper a64_help_misaligned = { "a64_misaligned", help_misaligned, HELPER_MAY_RAISE };
const Helper a64_help_spsel = { "a64_spsel", help_spsel, 0 };
const Helper a64_help_landing = { "a64_landing", help_landing, HELPER_MAY_RAISE };
const Helper a64_help_daif = { "a64_daif", help_daif, HELPER_MAY_RAISE };
