/*
 * What EL2 and EL3 have to say about the levels below: where exceptions go, which register a name means, where
 * ERET may lead. Arm ARM D1.3, D5.6.
 */
#include <glib.h>

#include "targets/aarch64/sysreg.h"
#include "tcg/exec.h"
#include "tcg/tlb.h"

bool a64_is_secure(const A64Cpu *cpu)
{
    return !(cpu->scr & SCR_NS);
}

/* In the secure state it is for EL3 to say (FEAT_SEL2). */
bool a64_el2_enabled(const A64Cpu *cpu)
{
    return a64_has(cpu, A64_EL2) &&
        (!a64_is_secure(cpu) || (a64_has(cpu, A64_SEL2) && cpu->scr & SCR_EEL2));
}

/* ---- HCR_EL2 as it acts (D17.2.48: what each bit says of TGE and E2H) ------------------------- */

/* These act as 0 when the guest below is no guest but EL0 of the hypervisor ... */
#define WITHOUT_GUEST                                                                              \
    (HCR_SWIO | HCR_PTW | HCR_VF | HCR_VI | HCR_VSE | HCR_FB | HCR_TID1 | HCR_TID3 | HCR_TSC |     \
        HCR_TACR | HCR_TSW | HCR_TTLB | HCR_TVM | HCR_HCD | HCR_TRVM)
/* ... and these too when its kernel is EL2. */
#define WITHOUT_GUEST_IN_HOST                                                                      \
    (HCR_VM | HCR_FMO | HCR_IMO | HCR_AMO | HCR_BSU | HCR_DC | HCR_TWI | HCR_TWE | HCR_TID0 |      \
        HCR_TID2 | HCR_TPC | HCR_TPU | HCR_TDZ | HCR_CD | HCR_ID | HCR_MIOCNCE)

static uint64_t effective_hcr(const A64Cpu *cpu)
{
    uint64_t hcr = a64_el2_enabled(cpu) ? cpu->hcr : 0;

    if (hcr & HCR_TGE) {
        hcr &= ~WITHOUT_GUEST;
        hcr = hcr & HCR_E2H ? hcr & ~WITHOUT_GUEST_IN_HOST : hcr | HCR_FMO | HCR_IMO | HCR_AMO;
    }
    return hcr & HCR_DC ? hcr | HCR_VM : hcr;
}

/* Virtual interrupts that the hypervisor itself makes pending wait among the others. */
static void drive_virtual_lines(A64Cpu *cpu)
{
    uint32_t wanted = (cpu->hcr & HCR_VI ? 1u << A64_INPUT_VI : 0) |
        (cpu->hcr & HCR_VF ? 1u << A64_INPUT_VF : 0) |
        (cpu->hcr & HCR_VSE ? 1u << A64_INPUT_VSE : 0);
    uint32_t all = 1u << A64_INPUT_VI | 1u << A64_INPUT_VF | 1u << A64_INPUT_VSE;

    atomic_fetch_and(&cpu->lines, wanted | ~all);
    atomic_fetch_or(&cpu->lines, wanted);
}

void a64_levels_changed(A64Cpu *cpu)
{
    cpu->hcr_now = effective_hcr(cpu);
    drive_virtual_lines(cpu);
    a64_mode_changed(cpu);
    a64_check_interrupts(cpu);
}

/* ---- where exceptions go ---------------------------------------------------------------------- */

/* The own state's group 1 is IRQ, all else is FIQ: it is EL3's to look at (ARM IHI 0069, 4.6.2). */
uint32_t a64_physical_lines(const A64Cpu *cpu)
{
    enum { GROUPS = 1 << A64_INPUT_NONSECURE_1 | 1 << A64_INPUT_SECURE_1 };
    uint32_t lines = atomic_load_explicit(&cpu->lines, memory_order_acquire), groups;
    unsigned own = a64_is_secure(cpu) ? A64_INPUT_SECURE_1 : A64_INPUT_NONSECURE_1;

    groups = lines & GROUPS;
    if (groups) {
        bool is_irq = a64_el(cpu) < 3 && groups >> own & 1;

        lines |= 1u << (is_irq ? A64_INPUT_IRQ : A64_INPUT_FIQ);
    }
    return lines & ~GROUPS;
}

unsigned a64_interrupt_level(const A64Cpu *cpu, bool fiq)
{
    if (cpu->scr & (fiq ? SCR_FIQ : SCR_IRQ)) {
        return 3;
    }
    return cpu->hcr_now & ((fiq ? HCR_FMO : HCR_IMO) | HCR_TGE) ? 2 : 1;
}

/* What goes to the level itself, and from EL0 to the kernel above it. */
static unsigned usual_level(const A64Cpu *cpu, unsigned el)
{
    return el ? el : cpu->hcr_now & HCR_TGE ? 2 : 1;
}

/* FPEN of CPACR_EL1, and of CPTR_EL2 with E2H: 3 nothing traps, 1 EL0 does, else both. */
static bool is_disabled_by(uint64_t control, unsigned el)
{
    unsigned fpen = control >> 20 & 3;

    return !(fpen == 3 || (fpen == 1 && el));
}

/* CPTR_EL2.FPEN takes EL1 for a guest's when TGE is 0: 1 lets it pass (D17.2.29). */
static bool is_disabled_by_el2(const A64Cpu *cpu, unsigned el)
{
    if (!(cpu->hcr & HCR_E2H)) {
        return cpu->cptr[2] & CPTR_TFP;
    }
    return is_disabled_by(cpu->cptr[2], el || !(cpu->hcr & HCR_TGE));
}

/* CheckFPAdvSIMDEnabled64 of the manual's pseudocode, in its order. */
unsigned a64_fp_trap_level(const A64Cpu *cpu, unsigned el)
{
    if (el < 2 && !a64_is_host(cpu) && is_disabled_by(cpu->cpacr, el)) {
        return usual_level(cpu, el);
    }
    if (el < 3 && a64_el2_enabled(cpu) && is_disabled_by_el2(cpu, el)) {
        return 2;
    }
    return cpu->cptr[3] & CPTR_TFP ? 3 : 0;
}

static unsigned route_fp(const A64Cpu *cpu, unsigned el, uint32_t *syndrome)
{
    bool by_kernel = el < 2 && !a64_is_host(cpu) && is_disabled_by(cpu->cpacr, el);
    unsigned level = a64_fp_trap_level(cpu, el);

    if (by_kernel && level == 2) { /* TGE: EL2 did not disable it and is told of no more */
        *syndrome = a64_syndrome(EC_UNKNOWN, 0);
    }
    return level ? level : usual_level(cpu, el);
}

static bool is_external(uint32_t syndrome)
{
    return (syndrome & 0x3f) == FAULT_EXTERNAL || (syndrome & 0x3c) == FAULT_EXTERNAL_WALK;
}

/* SCR_EL3.EA, HCR_EL2.TEA. */
static unsigned route_external(const A64Cpu *cpu, unsigned usual)
{
    return cpu->scr & SCR_EA ? 3 : cpu->hcr_now & HCR_TEA ? MAX(usual, 2) : usual;
}

static unsigned route_interrupt(const A64Cpu *cpu, uint32_t syndrome)
{
    unsigned kind = syndrome & ESR_ISS;

    return kind >= INTERRUPT_VIRTUAL_IRQ ? 1 : a64_interrupt_level(cpu, kind == INTERRUPT_FIQ);
}

unsigned a64_route(const A64Cpu *cpu, uint32_t *syndrome)
{
    unsigned el = a64_el(cpu), usual = usual_level(cpu, el);

    switch (*syndrome >> ESR_EC_SHIFT) {
    case EC_INTERRUPT: return route_interrupt(cpu, *syndrome);
    case EC_HVC: return MAX(el, 2);
    case EC_SMC: return 3;
    case EC_FP: return route_fp(cpu, el, syndrome);
    case EC_DATA_STAGE2:
    case EC_FETCH_STAGE2: return 2;
    case EC_DATA_LOWER:
    case EC_FETCH_LOWER: return is_external(*syndrome) ? route_external(cpu, usual) : usual;
    case EC_BRK:
    case EC_BREAKPOINT_LOWER:
    case EC_STEP_LOWER:
    case EC_WATCHPOINT_LOWER: return MAX(el, a64_debug_level(cpu));
    default: return usual;
    }
}

void a64_raise_to(A64Cpu *cpu, unsigned level, uint32_t syndrome, uint64_t far)
{
    cpu->raised_level = level;
    cpu_raise(&cpu->env, syndrome, far);
}

/* ---- returning -------------------------------------------------------------------------------- */

/* D1.4.4: not up, not to what is not there, not to a guest's kernel where there is no guest. */
bool a64_may_return_to(const A64Cpu *cpu, unsigned el)
{
    if (el > a64_el(cpu)) {
        return false;
    }
    return el == 2 ? a64_el2_enabled(cpu) : el != 1 || !(cpu->hcr_now & HCR_TGE);
}

/* ---- names of registers (D5.6.3) -------------------------------------------------------------- */

#define EL1_NAME(crn, crm, op2) SYSREG(3, 0, crn, crm, op2)
#define EL2_NAME(crn, crm, op2) SYSREG(3, 4, crn, crm, op2)
#define SAME(crn, crm, op2)                                                                        \
    {                                                                                              \
        EL1_NAME(crn, crm, op2), EL2_NAME(crn, crm, op2)                                           \
    }

/* clang-format off */
static const struct { uint16_t of_el1, of_el2; } renamed[] = {
    SAME(1, 0, 0),                                   /* SCTLR */
    { EL1_NAME(1, 0, 2), EL2_NAME(1, 1, 2) },        /* CPACR, CPTR */
    SAME(2, 0, 0), SAME(2, 0, 1), SAME(2, 0, 2),     /* TTBR0, TTBR1, TCR */
    SAME(4, 0, 0), SAME(4, 0, 1),                    /* SPSR, ELR */
    SAME(5, 1, 0), SAME(5, 1, 1), SAME(5, 2, 0),     /* AFSR0, AFSR1, ESR */
    SAME(6, 0, 0),                                   /* FAR */
    SAME(10, 2, 0), SAME(10, 3, 0),                  /* MAIR, AMAIR */
    SAME(12, 0, 0),                                  /* VBAR */
    SAME(13, 0, 1), SAME(13, 0, 7),                  /* CONTEXTIDR, SCXTNUM */
    SAME(14, 1, 0),                                  /* CNTKCTL, CNTHCTL */
};
/* clang-format on */

enum { OP1_MASK = 7 << 11, OP1_EL0 = 3 << 11, OP1_EL2 = 4 << 11, OP1_ALIAS = 5 << 11 };
enum { NOBODYS = 0 };

/* CNTP and CNTV are CNTHP and CNTHV. */
static bool is_timer(unsigned number)
{
    unsigned row = number & ~7u;

    return row == SYSREG(3, 3, 14, 2, 0) || row == SYSREG(3, 3, 14, 3, 0);
}

static bool is_renamed(unsigned of_el1, unsigned *of_el2)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(renamed); i++) {
        if (renamed[i].of_el1 == of_el1) {
            *of_el2 = renamed[i].of_el2;
            return true;
        }
    }
    return false;
}

/* x_EL12 and x_EL02: what the plain names cannot mean any more. */
static unsigned alias(unsigned number)
{
    unsigned of_el1 = number & ~(unsigned)OP1_MASK, of_el0 = of_el1 | OP1_EL0, ignored;

    return is_renamed(of_el1, &ignored) ? of_el1 : is_timer(of_el0) ? of_el0 : NOBODYS;
}

unsigned a64_sysreg_meant(unsigned number, uint32_t mode)
{
    unsigned el = mode & MODE_EL, op1 = number & OP1_MASK, of_el2;

    if (number >> 14 != 3) {
        return number;
    }
    if (op1 == OP1_ALIAS) {
        return mode & MODE_HOST && el >= 2 ? alias(number) : NOBODYS;
    }
    if (!(mode & MODE_HOST) || el != 2) {
        return number;
    }
    if (is_timer(number)) {
        return (number & ~(unsigned)OP1_MASK) | OP1_EL2;
    }
    return is_renamed(number, &of_el2) ? of_el2 : number;
}
