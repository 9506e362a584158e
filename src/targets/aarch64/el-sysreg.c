/* The system registers of EL2 and EL3: the second part of sysreg.c's table. Arm ARM D17.2. */
#include <glib.h>

#include "targets/aarch64/sysreg.h"
#include "tcg/exec.h"
#include "tcg/tlb.h"

/* ---- EL2 -------------------------------------------------------------------------------------- */

/* RW: EL1 is AArch64 only. */
static void write_hcr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    uint64_t mask = UINT64_C(0x3ffffffff) & ~HCR_TID0;

    mask |= a64_has(cpu, A64_VHE) ? HCR_E2H : 0;
    mask |= a64_has(cpu, A64_S2FWB) ? HCR_FWB : 0;
    mask |= a64_has(cpu, A64_PAUTH) ? HCR_APK | HCR_API : 0;
    mask |= a64_has(cpu, A64_CSV2) ? HCR_ENSCXT : 0;
    mask |= a64_has(cpu, A64_RAS) ? HCR_TERR | HCR_TEA : 0;
    mask |= a64_has(cpu, A64_LOR) ? HCR_TLOR : 0;
    cpu->hcr = (value & mask) | HCR_RW;
    a64_levels_changed(cpu);
}

static uint64_t read_hcr(A64Cpu *cpu, unsigned number)
{
    return cpu->hcr;
}

/* Without E2H: bits that are one, TFP and TCPAC; with it as CPACR_EL1 (D17.2.29). */
static void write_cptr2(A64Cpu *cpu, unsigned number, uint64_t value)
{
    uint64_t res1 = 0x33ff, mask = CPTR_TFP | CPTR_TCPAC;

    if (cpu->hcr & HCR_E2H) {
        res1 = 0;
        mask = UINT64_C(3) << 20 | CPTR_TCPAC;
    }
    cpu->cptr[2] = (value & mask) | res1;
    a64_mode_changed(cpu);
}

static uint64_t read_cptr2(A64Cpu *cpu, unsigned number)
{
    return cpu->cptr[2];
}

static void write_mdcr2(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->mdcr[2] = value &
        (MDCR_HPMN | MDCR_TPMCR | MDCR_TPM | MDCR_HPME | MDCR_TDE | MDCR_TDA | MDCR_TDOSA |
            MDCR_TDRA);
    a64_mode_changed(cpu);
}

static uint64_t read_mdcr2(A64Cpu *cpu, unsigned number)
{
    return cpu->mdcr[2];
}

/* A new VMID is another space. */
static void write_vttbr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->vttbr = value;
    cpu_context_changed(&cpu->env);
}

static uint64_t read_vttbr(A64Cpu *cpu, unsigned number)
{
    return cpu->vttbr;
}

static void write_vtcr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    uint64_t old = cpu->vtcr;

    cpu->vtcr = (value & UINT32_MAX) | A64_BIT(31);
    if (cpu->vtcr != old) {
        tlb_flush_all(&cpu->env);
    }
}

static uint64_t read_vtcr(A64Cpu *cpu, unsigned number)
{
    return cpu->vtcr;
}

/* Of the secure state's stage 2, whose tables are for secure intermediate addresses (D17.2.151). */
static void write_vsttbr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->vsttbr = value;
    tlb_flush_all(&cpu->env); /* its VMID is VTTBR_EL2's */
}

static uint64_t read_vsttbr(A64Cpu *cpu, unsigned number)
{
    return cpu->vsttbr;
}

static void write_vstcr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->vstcr = (value & UINT32_MAX) | A64_BIT(31);
    tlb_flush_all(&cpu->env);
}

static uint64_t read_vstcr(A64Cpu *cpu, unsigned number)
{
    return cpu->vstcr;
}

/* EL2 has them in the secure state, EL3 while there is an EL2 in it. */
static uint8_t secure_el2_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    bool there = a64_el(cpu) == 3 ? (cpu->scr & SCR_EEL2) != 0 : a64_is_secure(cpu);

    return there ? SYSREG_GOES_ON : EC_UNKNOWN;
}

static void write_cntvoff(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->cntvoff = value;
    a64_timers_update(cpu);
}

static uint64_t read_cntvoff(A64Cpu *cpu, unsigned number)
{
    return cpu->cntvoff;
}

/* With E2H the bits of CNTKCTL_EL1 are here too, and those for EL1 two places on (D17.11.9). */
static void write_cnthctl(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->cnthctl = value & (cpu->hcr & HCR_E2H ? 0xfff : 0xff);
}

static uint64_t read_cnthctl(A64Cpu *cpu, unsigned number)
{
    return cpu->cnthctl;
}

/* ---- EL3 -------------------------------------------------------------------------------------- */

static void write_scr(A64Cpu *cpu, unsigned number, uint64_t value)
{
    uint64_t mask = SCR_NS | SCR_IRQ | SCR_FIQ | SCR_EA | SCR_SMD | SCR_HCE | SCR_SIF | SCR_ST |
        SCR_TWI | SCR_TWE;

    mask |= a64_has(cpu, A64_PAUTH) ? SCR_APK | SCR_API : 0;
    mask |= a64_has(cpu, A64_SEL2) ? SCR_EEL2 : 0;
    mask |= a64_has(cpu, A64_CSV2) ? SCR_ENSCXT : 0;
    mask |= a64_has(cpu, A64_HCX) ? SCR_HXEN : 0;
    mask |= a64_has(cpu, A64_RAS) ? SCR_TERR : 0;
    mask |= a64_has(cpu, A64_LOR) ? SCR_TLOR : 0;
    value = (value & mask) | SCR_RW | 0x30;
    if ((cpu->scr ^ value) & SCR_SIF) {
        tlb_flush_all(&cpu->env); /* what may be executed */
    }
    cpu->scr = value;
    a64_levels_changed(cpu);
}

static uint64_t read_scr(A64Cpu *cpu, unsigned number)
{
    return cpu->scr;
}

static void write_cptr3(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->cptr[3] = value & (CPTR_TFP | CPTR_TCPAC);
    a64_mode_changed(cpu);
}

static uint64_t read_cptr3(A64Cpu *cpu, unsigned number)
{
    return cpu->cptr[3];
}

static void write_mdcr3(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->mdcr[3] = value & (MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_SDD);
    a64_mode_changed(cpu);
}

static uint64_t read_mdcr3(A64Cpu *cpu, unsigned number)
{
    return cpu->mdcr[3];
}

/* RVBAR: only the highest level has it. */
static uint8_t highest_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    bool of_el2 = (number >> 11 & 7) == 4;

    return of_el2 && a64_has(cpu, A64_EL3) ? EC_UNKNOWN : SYSREG_GOES_ON;
}

static uint8_t ras_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return a64_has(cpu, A64_RAS) ? SYSREG_GOES_ON : EC_UNKNOWN;
}

static uint8_t csv2_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    return a64_has(cpu, A64_CSV2) ? SYSREG_GOES_ON : EC_UNKNOWN;
}

/* ---- the table -------------------------------------------------------------------------------- */

#define EL2(name_) .name = name_, .feature = A64_EL2
#define EL3(name_) .name = name_, .feature = A64_EL3
#define VHE(name_) .name = name_, .feature = A64_VHE
#define SEL2(name_) .name = name_, .feature = A64_SEL2, .trap = secure_el2_trap
#define OF(what) .read = read_##what, .write = write_##what, .flags = LEAVES
#define OF_A64(what) .read = a64_##what##_read, .write = a64_##what##_write, .flags = LEAVES

/* clang-format off */
const A64Sysreg a64_el_sysregs[] = {
    { R(3, 4, 0, 0, 0), EL2("vpidr_el2"), HOME(vpidr), LOW32 },
    { R(3, 4, 0, 0, 5), EL2("vmpidr_el2"), HOME(vmpidr), ALL },
    { R(3, 4, 1, 0, 0), EL2("sctlr_el2"), OF_A64(sctlr) },
    { R(3, 4, 1, 0, 1), EL2("actlr_el2"), HOME(actlr[2]), ALL },
    { R(3, 4, 1, 1, 0), EL2("hcr_el2"), OF(hcr) },
    { R(3, 4, 1, 1, 1), EL2("mdcr_el2"), OF(mdcr2) },
    { R(3, 4, 1, 1, 2), EL2("cptr_el2"), OF(cptr2) },
    { R(3, 4, 1, 1, 3), EL2("hstr_el2"), HOME(hstr), LOW32 },
    { R(3, 4, 1, 1, 7), EL2("hacr_el2"), HOME(hacr), .mask = 0 },
    { R(3, 4, 1, 2, 2), .name = "hcrx_el2", .feature = A64_HCX, HOME(hcrx), .mask = 0 },
    { R(3, 4, 2, 0, 0), EL2("ttbr0_el2"), OF_A64(ttbr0) },
    { R(3, 4, 2, 0, 1), VHE("ttbr1_el2"), OF_A64(ttbr1) },
    { R(3, 4, 2, 0, 2), EL2("tcr_el2"), OF_A64(tcr) },
    { R(3, 4, 2, 1, 0), EL2("vttbr_el2"), OF(vttbr) },
    { R(3, 4, 2, 1, 2), EL2("vtcr_el2"), OF(vtcr) },
    { R(3, 4, 2, 6, 0), SEL2("vsttbr_el2"), OF(vsttbr) },
    { R(3, 4, 2, 6, 2), SEL2("vstcr_el2"), OF(vstcr) },
    { R(3, 4, 4, 0, 0), EL2("spsr_el2"), HOME(spsr[2]), ALL },
    { R(3, 4, 4, 0, 1), EL2("elr_el2"), HOME(elr[2]), ALL },
    { R(3, 4, 4, 1, 0), .name = "sp_el1", .feature = NONE, HOME(sp[1]), ALL },
    { R(3, 4, 5, 1, 0), EL2("afsr0_el2"), HOME(afsr0[2]), ALL },
    { R(3, 4, 5, 1, 1), EL2("afsr1_el2"), HOME(afsr1[2]), ALL },
    { R(3, 4, 5, 2, 0), EL2("esr_el2"), HOME(esr[2]), LOW32 },
    { R(3, 4, 5, 2, 3), EL2("vsesr_el2"), HOME(vsesr), .mask = DISR_SYNDROME, .trap = ras_trap },
    { R(3, 4, 6, 0, 0), EL2("far_el2"), HOME(far[2]), ALL },
    { R(3, 4, 6, 0, 4), EL2("hpfar_el2"), HOME(hpfar), ALL },
    { R(3, 4, 10, 2, 0), EL2("mair_el2"), HOME(mair[2]), ALL },
    { R(3, 4, 10, 3, 0), EL2("amair_el2"), HOME(amair[2]), ALL },
    { R(3, 4, 12, 0, 0), EL2("vbar_el2"), HOME(vbar[2]), .mask = ~UINT64_C(0x7ff) },
    { R(3, 4, 12, 0, 1), EL2("rvbar_el2"), HOME(rvbar), .trap = highest_trap, RO },
    { R(3, 4, 12, 1, 1), EL2("vdisr_el2"), HOME(vdisr), .mask = DISR_A | DISR_SYNDROME, .trap = ras_trap },
    { RANGE(3, 4, 12, 8, 0, 15, 7), EL2("ich_el2"), OF_A64(gic), .trap = a64_gic_trap },
    { R(3, 4, 13, 0, 1), VHE("contextidr_el2"), HOME(contextidr[2]), LOW32 },
    { R(3, 4, 13, 0, 2), EL2("tpidr_el2"), HOME(tpidr[2]), ALL },
    { R(3, 4, 13, 0, 7), EL2("scxtnum_el2"), HOME(scxtnum[2]), ALL, .trap = csv2_trap },
    { R(3, 4, 14, 0, 3), EL2("cntvoff_el2"), OF(cntvoff) },
    { R(3, 4, 14, 1, 0), EL2("cnthctl_el2"), OF(cnthctl) },
    { RANGE(3, 4, 14, 2, 0, 2, 2), EL2("cnthp_el2"), OF_A64(timer) },
    { RANGE(3, 4, 14, 3, 0, 3, 2), VHE("cnthv_el2"), OF_A64(timer) },
    { RANGE(3, 4, 14, 4, 0, 4, 2), SEL2("cnthvs_el2"), OF_A64(timer) },
    { RANGE(3, 4, 14, 5, 0, 5, 2), SEL2("cnthps_el2"), OF_A64(timer) },
    { RANGE(3, 4, 15, 0, 0, 15, 7), EL2("own_el2"), .read = a64_own_read, .trap = a64_own_trap },
    { R(3, 6, 1, 0, 0), EL3("sctlr_el3"), OF_A64(sctlr) },
    { R(3, 6, 1, 0, 1), EL3("actlr_el3"), HOME(actlr[3]), ALL },
    { R(3, 6, 1, 1, 0), EL3("scr_el3"), OF(scr) },
    { R(3, 6, 1, 1, 1), EL3("sder32_el3"), HOME(sder), .mask = 3 },
    { R(3, 6, 1, 1, 2), EL3("cptr_el3"), OF(cptr3) },
    { R(3, 6, 1, 3, 1), EL3("mdcr_el3"), OF(mdcr3) },
    { R(3, 6, 2, 0, 0), EL3("ttbr0_el3"), OF_A64(ttbr0) },
    { R(3, 6, 2, 0, 2), EL3("tcr_el3"), OF_A64(tcr) },
    { R(3, 6, 4, 0, 0), EL3("spsr_el3"), HOME(spsr[3]), ALL },
    { R(3, 6, 4, 0, 1), EL3("elr_el3"), HOME(elr[3]), ALL },
    { R(3, 6, 4, 1, 0), EL3("sp_el2"), HOME(sp[2]), ALL },
    { R(3, 6, 5, 1, 0), EL3("afsr0_el3"), HOME(afsr0[3]), ALL },
    { R(3, 6, 5, 1, 1), EL3("afsr1_el3"), HOME(afsr1[3]), ALL },
    { R(3, 6, 5, 2, 0), EL3("esr_el3"), HOME(esr[3]), LOW32 },
    { R(3, 6, 6, 0, 0), EL3("far_el3"), HOME(far[3]), ALL },
    { R(3, 6, 10, 2, 0), EL3("mair_el3"), HOME(mair[3]), ALL },
    { R(3, 6, 10, 3, 0), EL3("amair_el3"), HOME(amair[3]), ALL },
    { R(3, 6, 12, 0, 0), EL3("vbar_el3"), HOME(vbar[3]), .mask = ~UINT64_C(0x7ff) },
    { R(3, 6, 12, 0, 1), EL3("rvbar_el3"), HOME(rvbar), .trap = highest_trap, RO },
    { RANGE(3, 6, 12, 12, 4, 12, 7), EL3("icc_el3"), OF_A64(gic), .trap = a64_gic_trap },
    { R(3, 6, 13, 0, 2), EL3("tpidr_el3"), HOME(tpidr[3]), ALL },
    { R(3, 6, 13, 0, 7), EL3("scxtnum_el3"), HOME(scxtnum[3]), ALL, .trap = csv2_trap },
    { RANGE(3, 6, 15, 0, 0, 15, 7), EL3("own_el3"), .read = a64_own_read, .trap = a64_own_trap },
    { RANGE(3, 7, 14, 2, 0, 2, 2), EL3("cntps_el1"), OF_A64(timer), .trap = a64_secure_timer_trap },
};
/* clang-format on */

const unsigned a64_el_sysreg_count = G_N_ELEMENTS(a64_el_sysregs);
