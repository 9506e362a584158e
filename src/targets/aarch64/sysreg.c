/* The system registers: one table. Arm ARM D17. */
#include "targets/aarch64/sysreg.h"

#include <glib.h>
#include <stdlib.h>

#include "core/build.h"
#include "core/cpu.h"
#include "core/loop.h"
#include "core/machine.h"
#include "tcg/exec.h"
#include "tcg/fp.h"
#include "tcg/tlb.h"

/* ---- control ---------------------------------------------------------------------------------- */

/* The level whose banked register it is: EL1's by their plain names, those of EL2 and EL3 by op1. */
static unsigned el_of(unsigned number)
{
    unsigned op1 = number >> 11 & 7;

    return op1 == 4 ? 2 : op1 == 6 ? 3 : 1;
}

/* Bits that read as one without the features that define them (D17.2.118 to D17.2.120). */
static uint64_t sctlr_res1(const A64Cpu *cpu, unsigned el)
{
    uint64_t all = A64_BIT(29) | A64_BIT(28) | A64_BIT(22) | A64_BIT(11);

    if (el == 1 || (el == 2 && cpu->hcr & HCR_E2H)) {
        return all | (a64_has(cpu, A64_CSV2) ? 0 : SCTLR_TSCXT) |
            (a64_has(cpu, A64_PAN) ? 0 : SCTLR_SPAN);
    }
    return all | A64_BIT(23) | A64_BIT(18) | A64_BIT(16) | A64_BIT(5) | A64_BIT(4);
}

uint64_t a64_sctlr_read(A64Cpu *cpu, unsigned number)
{
    return cpu->sctlr[el_of(number)];
}

static uint64_t sctlr_mask(const A64Cpu *cpu)
{
    uint64_t pauth = A64_BIT(31) | A64_BIT(30) | A64_BIT(27) | A64_BIT(13);
    uint64_t bti = A64_BIT(35) | A64_BIT(36);

    return (UINT64_C(0xffffffff) & ~(A64_BIT(25) | A64_BIT(24) | pauth)) |
        (a64_has(cpu, A64_PAUTH) ? pauth : 0) | (a64_has(cpu, A64_BTI) ? bti : 0) |
        (a64_has(cpu, A64_SSBS) ? SCTLR_DSSBS : 0);
}

/* What page walks depend on: their results may be cached no longer. */
void a64_sctlr_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    unsigned el = el_of(number);
    uint64_t changed = cpu->sctlr[el];

    value = (value & sctlr_mask(cpu)) | sctlr_res1(cpu, el);
    changed ^= value;
    cpu->sctlr[el] = value;
    if (el == 1) {
        a64_settings_changed(cpu);
    }
    /* A guest and a hypervisor that take turns at EL1 have spaces of their own. */
    if (changed & (SCTLR_M | SCTLR_WXN) && !(el == 1 && a64_el2_enabled(cpu))) {
        tlb_flush_all(&cpu->env);
    }
    a64_mode_changed(cpu);
}

uint64_t a64_tcr_read(A64Cpu *cpu, unsigned number)
{
    return cpu->tcr[el_of(number)];
}

void a64_tcr_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    unsigned el = el_of(number);
    bool changed = cpu->tcr[el] != value;

    cpu->tcr[el] = value;
    if (changed && el != 1) {
        tlb_flush_all(&cpu->env);
    } else if (changed) {
        a64_settings_changed(cpu);
    }
    a64_mode_changed(cpu);
}

/* A new ASID is another space; a new table under the old one is what TLBI is for (D8.13). */
void a64_ttbr0_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->ttbr0[el_of(number)] = value;
    cpu_context_changed(&cpu->env);
}

uint64_t a64_ttbr0_read(A64Cpu *cpu, unsigned number)
{
    return cpu->ttbr0[el_of(number)];
}

uint64_t a64_ttbr1_read(A64Cpu *cpu, unsigned number)
{
    return cpu->ttbr1[el_of(number)];
}

void a64_ttbr1_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->ttbr1[el_of(number)] = value;
    cpu_context_changed(&cpu->env);
}

static void write_mode_register(A64Cpu *cpu, uint64_t *home, uint64_t value)
{
    *home = value;
    a64_mode_changed(cpu);
}

static void write_cpacr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    write_mode_register(cpu, &cpu->cpacr, value & (UINT64_C(3) << 20 | UINT64_C(1) << 28));
}

static uint64_t read_cpacr(A64Cpu *cpu, unsigned number)
{
    return cpu->cpacr;
}

/* ---- state of the process --------------------------------------------------------------------- */

static uint64_t read_nzcv(A64Cpu *cpu, unsigned number)
{
    return a64_nzcv(cpu);
}

static void write_nzcv(A64Cpu *cpu, unsigned number, uint64_t value)
{
    a64_set_nzcv(cpu, value);
}

static uint64_t read_daif(A64Cpu *cpu, unsigned number)
{
    return cpu->daif;
}

static void write_daif(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->daif = value & PSTATE_DAIF;
    a64_check_interrupts(cpu);
}

static uint8_t daif_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return a64_el(cpu) || a64_kernel_sctlr(cpu) & SCTLR_UMA ? SYSREG_GOES_ON : EC_SYSTEM;
}

static uint64_t read_current_el(A64Cpu *cpu, unsigned number)
{
    return a64_el(cpu) << 2;
}

static uint64_t read_spsel(A64Cpu *cpu, unsigned number)
{
    return !(cpu->env.mode & MODE_SP_EL0);
}

static void write_spsel(A64Cpu *cpu, unsigned number, uint64_t value)
{
    a64_enter(cpu, a64_el(cpu), value & 1);
}

static uint64_t read_pan(A64Cpu *cpu, unsigned number)
{
    return cpu->pan << 22;
}

static void write_pan(A64Cpu *cpu, unsigned number, uint64_t value)
{
    write_mode_register(cpu, &cpu->pan, value >> 22 & 1);
}

static uint64_t read_uao(A64Cpu *cpu, unsigned number)
{
    return cpu->uao << 23;
}

static void write_uao(A64Cpu *cpu, unsigned number, uint64_t value)
{
    write_mode_register(cpu, &cpu->uao, value >> 23 & 1);
}

static uint64_t read_dit(A64Cpu *cpu, unsigned number)
{
    return cpu->dit << 24;
}

static void write_dit(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->dit = value >> 24 & 1;
}

static uint64_t read_ssbs(A64Cpu *cpu, unsigned number)
{
    return cpu->ssbs << 12;
}

static void write_ssbs(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->ssbs = value >> 12 & 1;
}

/* ---- floating point --------------------------------------------------------------------------- */

static uint64_t read_fpcr(A64Cpu *cpu, unsigned number)
{
    return a64_fpcr_read(cpu);
}

static void write_fpcr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    a64_fpcr_write(cpu, value);
    a64_mode_changed(cpu);
}

static uint64_t read_fpsr(A64Cpu *cpu, unsigned number)
{
    return a64_fpsr_read(cpu);
}

static void write_fpsr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    a64_fpsr_write(cpu, value);
}

static uint8_t fp_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return cpu->env.mode & MODE_FP_TRAPPED ? EC_FP : SYSREG_GOES_ON;
}

/* ---- others ----------------------------------------------------------------------------------- */

static uint8_t ctr_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return a64_el(cpu) || a64_kernel_sctlr(cpu) & SCTLR_UCT ? SYSREG_GOES_ON : EC_SYSTEM;
}

/* SCTLR_EL1.TSCXT, or EL2's of a host: EL0 has no number of its own. */
static uint8_t scxtnum_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return a64_el(cpu) || !(a64_kernel_sctlr(cpu) & SCTLR_TSCXT) ? SYSREG_GOES_ON : EC_SYSTEM;
}

static uint64_t read_scxtnum(A64Cpu *cpu, unsigned number)
{
    return cpu->scxtnum[0];
}

static void write_scxtnum(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->scxtnum[0] = value;
}

/* There are no regions of limited order to describe; the secure state has none at all. */
static uint8_t lor_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return a64_is_secure(cpu) ? EC_UNKNOWN : SYSREG_GOES_ON;
}

/* A guest whose errors are virtual finds those (D17.2.34). */
static uint64_t *disr_of(A64Cpu *cpu)
{
    return a64_el(cpu) == 1 && cpu->hcr_now & HCR_AMO ? &cpu->vdisr : &cpu->disr;
}

static uint64_t read_disr(A64Cpu *cpu, unsigned number)
{
    return *disr_of(cpu);
}

static void write_disr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    *disr_of(cpu) = value & (DISR_A | DISR_SYNDROME);
}

/* Only the highest level has it. */
static uint8_t rvbar_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    bool higher = a64_has(cpu, A64_EL2) || a64_has(cpu, A64_EL3);

    return higher ? EC_UNKNOWN : SYSREG_GOES_ON;
}

/*
 * Pages that are watched are in no TLB, so only what is watched from now on has to go. A hypervisor writes many of these
 * registers whenever it enters a guest.
 */
static void debug_changed(A64Cpu *cpu, bool changed)
{
    if (changed && a64_is_watching(cpu)) {
        tlb_flush_all(&cpu->env);
    }
    a64_mode_changed(cpu);
}

static void write_oslar(A64Cpu *cpu, unsigned number, uint64_t value)
{
    bool changed = cpu->oslock != (value & 1);

    cpu->oslock = value & 1;
    debug_changed(cpu, changed);
}

/* The OS lock is there, and nothing is wider than 32 bits (D17.3.21). */
static uint64_t read_oslsr(A64Cpu *cpu, unsigned number)
{
    return 8 | cpu->oslock << 1;
}

enum { NUMBER_MDCCINT = SYSREG(2, 0, 0, 2, 0), NUMBER_MDSCR = SYSREG(2, 0, 0, 2, 2) };

/* Breakpoints and watchpoints, in pairs of value and control; two others are among them. */
static uint64_t *debug_register(A64Cpu *cpu, unsigned number)
{
    uint64_t *const homes[] = { cpu->dbgbvr, cpu->dbgbcr, cpu->dbgwvr, cpu->dbgwcr };

    switch (number) {
    case NUMBER_MDCCINT: return &cpu->mdccint;
    case NUMBER_MDSCR: return &cpu->mdscr;
    default: return &homes[(number & 7) - 4][number >> 3 & 15];
    }
}

static uint8_t debug_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    unsigned index = number >> 3 & 15, count = number & 2 ? A64_WATCHPOINTS : A64_BREAKPOINTS;
    bool there = number == NUMBER_MDCCINT || number == NUMBER_MDSCR ||
        (number & 4 && index < count);

    return there ? SYSREG_GOES_ON : EC_UNKNOWN;
}

static uint64_t read_debug(A64Cpu *cpu, unsigned number)
{
    return *debug_register(cpu, number);
}

static void write_debug(A64Cpu *cpu, unsigned number, uint64_t value)
{
    uint64_t *home = debug_register(cpu, number);
    bool changed = *home != value;

    *home = value;
    debug_changed(cpu, changed);
}

/* Of the machine's seed, a stream for each CPU; else of the host's random numbers. */
static uint64_t random_seed(const A64Cpu *cpu)
{
    const Machine *machine = cpu_device(&cpu->env)->dev.machine;
    const MachineSpec *spec = machine ? machine_spec(machine) : NULL;

    if (spec && spec->entropy_seed.set) {
        return (spec->entropy_seed.value ^ (uint64_t)cpu->env.index << 56) | 1;
    }
    return ((uint64_t)g_random_int() << 32 | g_random_int()) | 1;
}

/* splitmix64. Always ready, so Z is 0 (C5.2.18). */
static uint64_t read_random(A64Cpu *cpu, unsigned number)
{
    uint64_t z;

    cpu->rndr = cpu->rndr ? cpu->rndr : random_seed(cpu);
    z = (cpu->rndr += UINT64_C(0x9e3779b97f4a7c15));

    a64_set_nzcv(cpu, 0);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* What is pending for this level: where a virtual one could be, that and not the physical one (D17.2.70). */
static bool is_shown(const A64Cpu *cpu, uint64_t route, unsigned physical, unsigned virtual_lines)
{
    bool is_virtual = a64_el(cpu) == 1 && cpu->hcr_now & route;

    return a64_physical_lines(cpu) & (is_virtual ? virtual_lines : 1u << physical);
}

static uint64_t read_isr(A64Cpu *cpu, unsigned number)
{
    bool serror = a64_el(cpu) == 1 && cpu->hcr_now & HCR_AMO && cpu->hcr_now & HCR_VSE;

    return (serror ? PSTATE_A : 0) |
        (is_shown(cpu, HCR_IMO, A64_INPUT_IRQ, 1 << A64_INPUT_VIRQ | 1 << A64_INPUT_VI) ? PSTATE_I
                                                                                        : 0) |
        (is_shown(cpu, HCR_FMO, A64_INPUT_FIQ, 1 << A64_INPUT_VFIQ | 1 << A64_INPUT_VF) ? PSTATE_F
                                                                                        : 0);
}

uint64_t a64_zero_read(A64Cpu *cpu, unsigned number)
{
    return 0;
}

/* ---- the table -------------------------------------------------------------------------------- */

/* clang-format off */
/* By number: a64_sysreg_find searches it in halves. */
static const A64Sysreg sysregs[] = {
    { RANGE(2, 0, 0, 0, 4, 15, 7), .name = "dbg_el1", .feature = NONE, .read = read_debug, .write = write_debug, .trap = debug_trap, .flags = LEAVES },
    { R(2, 0, 1, 0, 0), .name = "mdrar_el1", .feature = NONE, .read = a64_zero_read, RO },
    { R(2, 0, 1, 0, 4), .name = "oslar_el1", .feature = NONE, .write = write_oslar, .flags = WRITE_ONLY },
    { R(2, 0, 1, 1, 4), .name = "oslsr_el1", .feature = NONE, .read = read_oslsr, RO },
    { R(2, 0, 1, 3, 4), .name = "osdlr_el1", .feature = NONE, HOME(osdlr), .mask = 1 },
    { R(2, 0, 1, 4, 4), .name = "dbgprcr_el1", .feature = NONE, .read = a64_zero_read },
    { R(2, 0, 7, 8, 6), .name = "dbgclaimset_el1", .feature = NONE, .read = a64_zero_read },
    { R(2, 0, 7, 9, 6), .name = "dbgclaimclr_el1", .feature = NONE, .read = a64_zero_read },
    { R(2, 0, 7, 14, 6), .name = "dbgauthstatus_el1", .feature = NONE, .read = a64_zero_read, RO },
    { R(2, 3, 0, 1, 0), .name = "mdccsr_el0", .feature = NONE, .read = a64_zero_read, RO },
    { R(3, 0, 0, 0, 0), .name = "midr_el1", .feature = NONE, .read = a64_midr_read, RO },
    { R(3, 0, 0, 0, 5), .name = "mpidr_el1", .feature = NONE, .read = a64_mpidr_read, RO },
    { R(3, 0, 0, 0, 6), .name = "revidr_el1", .feature = NONE, .read = a64_zero_read, RO },
    { RANGE(3, 0, 0, 1, 0, 7, 7), .name = "id_el1", .feature = NONE, .read = a64_id_read, RO },
    { R(3, 0, 1, 0, 0), .name = "sctlr_el1", .feature = NONE, .read = a64_sctlr_read, .write = a64_sctlr_write, .flags = LEAVES },
    { R(3, 0, 1, 0, 1), .name = "actlr_el1", .feature = NONE, HOME(actlr[1]), ALL },
    { R(3, 0, 1, 0, 2), .name = "cpacr_el1", .feature = NONE, .read = read_cpacr, .write = write_cpacr, .flags = LEAVES },
    { R(3, 0, 2, 0, 0), .name = "ttbr0_el1", .feature = NONE, .read = a64_ttbr0_read, .write = a64_ttbr0_write, .flags = LEAVES },
    { R(3, 0, 2, 0, 1), .name = "ttbr1_el1", .feature = NONE, .read = a64_ttbr1_read, .write = a64_ttbr1_write, .flags = LEAVES },
    { R(3, 0, 2, 0, 2), .name = "tcr_el1", .feature = NONE, .read = a64_tcr_read, .write = a64_tcr_write, .flags = LEAVES },
    { R(3, 0, 2, 1, 0), .name = "apiakeylo_el1", .feature = A64_PAUTH, HOME(keys[0][0]), ALL },
    { R(3, 0, 2, 1, 1), .name = "apiakeyhi_el1", .feature = A64_PAUTH, HOME(keys[0][1]), ALL },
    { R(3, 0, 2, 1, 2), .name = "apibkeylo_el1", .feature = A64_PAUTH, HOME(keys[1][0]), ALL },
    { R(3, 0, 2, 1, 3), .name = "apibkeyhi_el1", .feature = A64_PAUTH, HOME(keys[1][1]), ALL },
    { R(3, 0, 2, 2, 0), .name = "apdakeylo_el1", .feature = A64_PAUTH, HOME(keys[2][0]), ALL },
    { R(3, 0, 2, 2, 1), .name = "apdakeyhi_el1", .feature = A64_PAUTH, HOME(keys[2][1]), ALL },
    { R(3, 0, 2, 2, 2), .name = "apdbkeylo_el1", .feature = A64_PAUTH, HOME(keys[3][0]), ALL },
    { R(3, 0, 2, 2, 3), .name = "apdbkeyhi_el1", .feature = A64_PAUTH, HOME(keys[3][1]), ALL },
    { R(3, 0, 2, 3, 0), .name = "apgakeylo_el1", .feature = A64_PAUTH, HOME(keys[4][0]), ALL },
    { R(3, 0, 2, 3, 1), .name = "apgakeyhi_el1", .feature = A64_PAUTH, HOME(keys[4][1]), ALL },
    { R(3, 0, 4, 0, 0), .name = "spsr_el1", .feature = NONE, HOME(spsr[1]), ALL },
    { R(3, 0, 4, 0, 1), .name = "elr_el1", .feature = NONE, HOME(elr[1]), ALL },
    { R(3, 0, 4, 1, 0), .name = "sp_el0", .feature = NONE, HOME(sp[0]), ALL, .flags = UNLESS_IN_USE },
    { R(3, 0, 4, 2, 0), .name = "spsel", .feature = NONE, .read = read_spsel, .write = write_spsel, .flags = LEAVES },
    { R(3, 0, 4, 2, 2), .name = "currentel", .feature = NONE, .read = read_current_el, RO },
    { R(3, 0, 4, 2, 3), .name = "pan", .feature = A64_PAN, .read = read_pan, .write = write_pan, .flags = LEAVES },
    { R(3, 0, 4, 2, 4), .name = "uao", .feature = A64_UAO, .read = read_uao, .write = write_uao, .flags = LEAVES },
    { R(3, 0, 4, 6, 0), .name = "icc_pmr_el1", .feature = NONE, .read = a64_gic_read, .write = a64_gic_write, .trap = a64_gic_trap, .flags = LEAVES },
    { R(3, 0, 5, 1, 0), .name = "afsr0_el1", .feature = NONE, HOME(afsr0[1]), ALL },
    { R(3, 0, 5, 1, 1), .name = "afsr1_el1", .feature = NONE, HOME(afsr1[1]), ALL },
    { R(3, 0, 5, 2, 0), .name = "esr_el1", .feature = NONE, HOME(esr[1]), LOW32 },
    { R(3, 0, 5, 3, 0), .name = "erridr_el1", .feature = A64_RAS, .read = a64_zero_read, RO },
    { R(3, 0, 6, 0, 0), .name = "far_el1", .feature = NONE, HOME(far[1]), ALL },
    { R(3, 0, 7, 4, 0), .name = "par_el1", .feature = NONE, HOME(par_el1), ALL },
    { RANGE(3, 0, 9, 14, 1, 14, 2), .name = "pminten_el1", .feature = A64_PMU, .read = a64_pmu_read, .write = a64_pmu_write, .trap = a64_pmu_trap, .flags = LEAVES },
    { R(3, 0, 10, 2, 0), .name = "mair_el1", .feature = NONE, HOME(mair[1]), ALL },
    { R(3, 0, 10, 3, 0), .name = "amair_el1", .feature = NONE, HOME(amair[1]), ALL },
    { RANGE(3, 0, 10, 4, 0, 4, 3), .name = "lor_el1", .feature = A64_LOR, .read = a64_zero_read, .trap = lor_trap },
    { R(3, 0, 10, 4, 7), .name = "lorid_el1", .feature = A64_LOR, .read = a64_zero_read, RO },
    { R(3, 0, 12, 0, 0), .name = "vbar_el1", .feature = NONE, HOME(vbar[1]), .mask = ~UINT64_C(0x7ff) },
    { R(3, 0, 12, 0, 1), .name = "rvbar_el1", .feature = NONE, HOME(rvbar), .trap = rvbar_trap, RO },
    { R(3, 0, 12, 1, 0), .name = "isr_el1", .feature = NONE, .read = read_isr, RO },
    { R(3, 0, 12, 1, 1), .name = "disr_el1", .feature = A64_RAS, .read = read_disr, .write = write_disr },
    { RANGE(3, 0, 12, 8, 0, 12, 7), .name = "icc_el1", .feature = NONE, .read = a64_gic_read, .write = a64_gic_write, .trap = a64_gic_trap, .flags = LEAVES },
    { R(3, 0, 13, 0, 1), .name = "contextidr_el1", .feature = NONE, HOME(contextidr[1]), LOW32 },
    { R(3, 0, 13, 0, 4), .name = "tpidr_el1", .feature = NONE, HOME(tpidr[1]), ALL },
    { R(3, 0, 13, 0, 7), .name = "scxtnum_el1", .feature = A64_CSV2, HOME(scxtnum[1]), ALL },
    { R(3, 0, 14, 1, 0), .name = "cntkctl_el1", .feature = NONE, HOME(cntkctl), LOW32 },
    { RANGE(3, 0, 15, 0, 0, 15, 7), .name = "own_el1", .feature = NONE, .read = a64_own_read, .trap = a64_own_trap },
    { R(3, 1, 0, 0, 0), .name = "ccsidr_el1", .feature = NONE, .read = a64_ccsidr_read, RO },
    { R(3, 1, 0, 0, 1), .name = "clidr_el1", .feature = NONE, .read = a64_clidr_read, RO },
    { R(3, 1, 0, 0, 7), .name = "aidr_el1", .feature = NONE, .read = a64_zero_read, RO },
    { RANGE(3, 1, 11, 0, 0, 15, 7), .name = "own2_el1", .feature = NONE, .read = a64_own_read, .trap = a64_own_trap },
    { RANGE(3, 1, 15, 0, 0, 15, 7), .name = "own3_el1", .feature = NONE, .read = a64_own_read, .trap = a64_own_trap },
    { R(3, 2, 0, 0, 0), .name = "csselr_el1", .feature = NONE, HOME(csselr), .mask = 15 },
    { R(3, 3, 0, 0, 1), .name = "ctr_el0", .feature = NONE, .read = a64_ctr_read, .trap = ctr_trap, RO },
    { R(3, 3, 0, 0, 7), .name = "dczid_el0", .feature = NONE, .read = a64_dczid_read, RO },
    { R(3, 3, 2, 4, 0), .name = "rndr", .feature = A64_RNG, .read = read_random, RO },
    { R(3, 3, 2, 4, 1), .name = "rndrrs", .feature = A64_RNG, .read = read_random, RO },
    { R(3, 3, 4, 2, 0), .name = "nzcv", .feature = NONE, .read = read_nzcv, .write = write_nzcv },
    { R(3, 3, 4, 2, 1), .name = "daif", .feature = NONE, .read = read_daif, .write = write_daif, .trap = daif_trap, .flags = LEAVES },
    { R(3, 3, 4, 2, 5), .name = "dit", .feature = A64_DIT, .read = read_dit, .write = write_dit },
    { R(3, 3, 4, 2, 6), .name = "ssbs", .feature = A64_SSBS, .read = read_ssbs, .write = write_ssbs },
    { R(3, 3, 4, 4, 0), .name = "fpcr", .feature = A64_FP, .read = read_fpcr, .write = write_fpcr, .trap = fp_trap, .flags = LEAVES },
    { R(3, 3, 4, 4, 1), .name = "fpsr", .feature = A64_FP, .read = read_fpsr, .write = write_fpsr, .trap = fp_trap },
    { RANGE(3, 3, 9, 12, 0, 12, 7), .name = "pm_el0", .feature = A64_PMU, .read = a64_pmu_read, .write = a64_pmu_write, .trap = a64_pmu_trap, .flags = LEAVES },
    { RANGE(3, 3, 9, 13, 0, 13, 2), .name = "pmc_el0", .feature = A64_PMU, .read = a64_pmu_read, .write = a64_pmu_write, .trap = a64_pmu_trap, .flags = LEAVES },
    { R(3, 3, 9, 14, 0), .name = "pmuserenr_el0", .feature = A64_PMU, .read = a64_pmu_read, .write = a64_pmu_write, .trap = a64_pmu_trap, .flags = LEAVES },
    { R(3, 3, 9, 14, 3), .name = "pmovsset_el0", .feature = A64_PMU, .read = a64_pmu_read, .write = a64_pmu_write, .trap = a64_pmu_trap, .flags = LEAVES },
    { R(3, 3, 13, 0, 2), .name = "tpidr_el0", .feature = NONE, HOME(tpidr[0]), ALL },
    { R(3, 3, 13, 0, 3), .name = "tpidrro_el0", .feature = NONE, HOME(tpidrro_el0), ALL, .flags = EL0_READS },
    { R(3, 3, 13, 0, 7), .name = "scxtnum_el0", .feature = A64_CSV2, .read = read_scxtnum, .write = write_scxtnum, .trap = scxtnum_trap },
    { R(3, 3, 14, 0, 0), .name = "cntfrq_el0", .feature = NONE, .read = a64_count_read, .write = a64_frequency_write, .trap = a64_frequency_trap },
    { R(3, 3, 14, 0, 1), .name = "cntpct_el0", .feature = NONE, .read = a64_count_read, .trap = a64_count_trap, RO },
    { R(3, 3, 14, 0, 2), .name = "cntvct_el0", .feature = NONE, .read = a64_count_read, .trap = a64_count_trap, RO },
    { RANGE(3, 3, 14, 2, 0, 2, 2), .name = "cntp_el0", .feature = NONE, .read = a64_timer_read, .write = a64_timer_write, .trap = a64_timer_trap, .flags = LEAVES },
    { RANGE(3, 3, 14, 3, 0, 3, 2), .name = "cntv_el0", .feature = NONE, .read = a64_timer_read, .write = a64_timer_write, .trap = a64_timer_trap, .flags = LEAVES },
    { RANGE(3, 3, 14, 8, 0, 15, 7), .name = "pmev_el0", .feature = A64_PMU, .read = a64_pmu_read, .write = a64_pmu_write, .trap = a64_pmu_trap, .flags = LEAVES },
};
/* clang-format on */

static int compare_sysreg(const void *key, const void *row)
{
    unsigned number = *(const unsigned *)key;
    const A64Sysreg *r = row;
    unsigned last = r->last ? r->last : r->number;

    return number < r->number ? -1 : number > last;
}

static const A64Sysreg *find_row(unsigned number)
{
    bool upper = number >= EL_SYSREGS_FIRST;

    return bsearch(&number, upper ? a64_el_sysregs : sysregs,
        upper ? a64_el_sysreg_count : G_N_ELEMENTS(sysregs), sizeof(*sysregs), compare_sysreg);
}

/* What EL3 finds in the place of EL2's registers where there is no EL2 (D1.6.3). */
static const A64Sysreg nothing_of_el2 = { R(3, 6, 0, 0, 0), .name = "res0", .feature = NONE,
    .read = a64_zero_read };

const A64Sysreg *a64_sysreg_find(const A64Cpu *cpu, unsigned number)
{
    const A64Sysreg *row = find_row(number);

    if (!row || row->feature == NONE || a64_has(cpu, (A64Feature)row->feature)) {
        return row;
    }
    return row->feature == A64_EL2 && a64_has(cpu, A64_EL3) ? &nothing_of_el2 : NULL;
}

/* D17.1: op1 says the lowest level that may have it. */
bool a64_sysreg_reachable(const A64Sysreg *row, uint32_t mode, bool write)
{
    static const uint8_t least[8] = { 1, 1, 1, 0, 2, 2, 3, 1 };
    unsigned lowest = least[row->number >> 11 & 7];

    if (row->flags & EL0_READS && write) {
        lowest = 1;
    }
    if (row->flags & UNLESS_IN_USE && mode & MODE_SP_EL0) {
        return false;
    }
    return (mode & MODE_EL) >= lowest && !(row->flags & (write ? READ_ONLY : WRITE_ONLY));
}

unsigned a64_sysreg_plain(const A64Sysreg *row, uint64_t *mask)
{
    *mask = row->mask;
    return row->read || row->write || row->trap || row->flags & LEAVES ? 0 : row->offset;
}

bool a64_sysreg_leaves(const A64Sysreg *row)
{
    return row->flags & LEAVES;
}

const char *a64_sysreg_name(unsigned number)
{
    const A64Sysreg *row = find_row(number);

    return row && !row->last ? row->name : NULL;
}

/* ---- what code calls -------------------------------------------------------------------------- */

/* ISS of a trapped MSR or MRS (D17.2.37). */
static uint32_t sysreg_iss(unsigned number, unsigned rt, bool read)
{
    unsigned op0 = number >> 14, op1 = number >> 11 & 7, crn = number >> 7 & 15;
    unsigned crm = number >> 3 & 15, op2 = number & 7;

    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read;
}

void a64_sysreg_trap(A64Cpu *cpu, unsigned class, unsigned number, unsigned rt, bool read)
{
    uint32_t iss = class == EC_SYSTEM ? sysreg_iss(number, rt, read)
        : class == EC_FP              ? 1 << 24 | 0xe << 20
                                      : 0;

    a64_raise(&cpu->env, a64_syndrome((A64Class) class, iss), 0);
}

void a64_sysreg_trap_to(A64Cpu *cpu, unsigned level, unsigned number, unsigned rt, bool read)
{
    a64_raise_to(cpu, level, a64_syndrome(EC_SYSTEM, sysreg_iss(number, rt, read)), 0);
}

static bool goes_on(A64Cpu *cpu, const A64Sysreg *row, uint64_t operand, bool write)
{
    unsigned number = operand & 0xffff, rt = operand >> 16 & 31, level;
    uint8_t class = row->trap ? row->trap(cpu, number, write) : SYSREG_GOES_ON;

    level = class == SYSREG_TO_EL2 ? 2 : class == SYSREG_TO_EL3 ? 3 : 0;
    if ((class == SYSREG_GOES_ON || class == EC_UNKNOWN) && cpu->env.mode & MODE_TRAPS) {
        level = a64_trap_level(cpu, number, write);
    }
    if (level) {
        a64_sysreg_trap_to(cpu, level, number, rt, !write);
        return false;
    }
    if (class == SYSREG_GOES_ON) {
        return true;
    }
    a64_sysreg_trap(cpu, class, number, rt, !write);
    return false;
}

static uint64_t help_mrs(CpuEnv *env, uint64_t operand, uint64_t b, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    const A64Sysreg *row = a64_sysreg_find(cpu, operand & 0xffff);

    if (!goes_on(cpu, row, operand, false)) {
        return 0;
    }
    return row->read ? row->read(cpu, operand & 0xffff)
                     : *(const uint64_t *)((const char *)cpu + row->offset);
}

static uint64_t help_msr(CpuEnv *env, uint64_t operand, uint64_t value, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    const A64Sysreg *row = a64_sysreg_find(cpu, operand & 0xffff);

    if (!goes_on(cpu, row, operand, true)) {
        return 0;
    }
    if (row->write) {
        row->write(cpu, operand & 0xffff, value);
    } else if (row->offset) {
        *(uint64_t *)((char *)cpu + row->offset) = value & row->mask;
    }
    return 0;
}

bool a64_is_id_space(const A64Cpu *cpu, unsigned number)
{
    return a64_has(cpu, A64_IDST) && number >= SYSREG(3, 0, 0, 0, 0) &&
        number <= SYSREG(3, 0, 0, 7, 7);
}

/*
 * A register that nobody has or EL0 may not read, or SYS, where EL2 hears of it (HCR_EL2.TIDCP): as undefined else, but
 * for the identification of features with FEAT_IDST.
 */
static uint64_t help_sysreg_none(CpuEnv *env, uint64_t operand, uint64_t read, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    unsigned number = operand & 0xffff, level = a64_trap_level(cpu, number, !read);

    if (level) {
        a64_sysreg_trap_to(cpu, level, number, operand >> 16 & 31, read);
    } else if (read && a64_is_id_space(cpu, number)) {
        a64_sysreg_trap(cpu, EC_SYSTEM, number, operand >> 16 & 31, read);
    } else {
        a64_raise(env, a64_syndrome(EC_UNKNOWN, 0), 0);
    }
    return 0;
}

const Helper a64_help_sysreg_none = { "a64_sysreg_none", help_sysreg_none, HELPER_MAY_RAISE };
const Helper a64_help_mrs = { "a64_mrs", help_mrs, HELPER_MAY_RAISE };
const Helper a64_help_msr = { "a64_msr", help_msr, HELPER_MAY_RAISE };
