/*
 * Registers and SYS instructions that EL2 or EL3 have reserved for themselves: one table. Arm ARM D1.3.6.
 *
 * Code that may be trapped is translated in a mode of its own (MODE_TRAPS), in which a register that the table has
 * is accessed by a call that asks here; without it nothing does.
 */
#include <glib.h>

#include "targets/aarch64/sysreg.h"

enum {
    READS = 1,
    WRITES = 2,
    BOTH = 3,
    OF_EL0 = 4 /* EL0's accesses, too */,
    OF_EL2 = 8,
    /* EL2's, too */ IF_CLEAR = 16 /* the bit lets pass */
};

typedef struct Trap {
    uint16_t first, last;
    uint8_t level, flags;
    uint16_t control; /* offset in A64Cpu of the register whose bit it is */
    uint64_t bit;
} Trap;

#define ONE(...) SYSREG(__VA_ARGS__), SYSREG(__VA_ARGS__)
#define SYS(op1, crn, crm, op2) SYSREG(1, op1, crn, crm, op2)
#define ONE_SYS(...) SYS(__VA_ARGS__), SYS(__VA_ARGS__)
#define BY_HCR(flags, bit) 2, flags, offsetof(A64Cpu, hcr_now), bit
#define BY_SCR(flags, bit) 3, flags, offsetof(A64Cpu, scr), bit
#define BY_MDCR(level, flags, bit) level, flags, offsetof(A64Cpu, mdcr[level]), bit
#define BY_CPTR(level, flags, bit) level, flags, offsetof(A64Cpu, cptr[level]), bit

/* Of debug registers and monitors, at EL2 and EL3 alike. */
#define MONITORS(level, more)                                                                      \
    { SYSREG(3, 3, 9, 12, 0), SYSREG(3, 3, 9, 14, 3),                                              \
        BY_MDCR(level, BOTH | OF_EL0 | more, MDCR_TPM) },                                          \
        { SYSREG(3, 3, 14, 8, 0), SYSREG(3, 3, 14, 15, 7),                                         \
            BY_MDCR(level, BOTH | OF_EL0 | more, MDCR_TPM) },                                      \
    {                                                                                              \
        SYSREG(3, 0, 9, 14, 1), SYSREG(3, 0, 9, 14, 2), BY_MDCR(level, BOTH | more, MDCR_TPM)      \
    }
#define DEBUG(level, more)                                                                         \
    { SYSREG(2, 0, 0, 0, 4), SYSREG(2, 0, 0, 15, 7), BY_MDCR(level, BOTH | more, MDCR_TDA) },      \
        { SYSREG(2, 0, 7, 8, 6), SYSREG(2, 0, 7, 14, 6), BY_MDCR(level, BOTH | more, MDCR_TDA) },  \
        { ONE(2, 3, 0, 1, 0), BY_MDCR(level, BOTH | OF_EL0 | more, MDCR_TDA) },                    \
    {                                                                                              \
        SYSREG(2, 0, 1, 0, 4), SYSREG(2, 0, 1, 4, 4), BY_MDCR(level, BOTH | more, MDCR_TDOSA)      \
    }

/* clang-format off */
static const Trap traps[] = {
    /* TVM, TRVM: how EL1 translates */
    { SYSREG(3, 0, 1, 0, 0), SYSREG(3, 0, 1, 0, 0), BY_HCR(WRITES, HCR_TVM) },
    { SYSREG(3, 0, 1, 0, 0), SYSREG(3, 0, 1, 0, 0), BY_HCR(READS, HCR_TRVM) },
    { SYSREG(3, 0, 2, 0, 0), SYSREG(3, 0, 2, 0, 2), BY_HCR(WRITES, HCR_TVM) },
    { SYSREG(3, 0, 2, 0, 0), SYSREG(3, 0, 2, 0, 2), BY_HCR(READS, HCR_TRVM) },
    { SYSREG(3, 0, 5, 1, 0), SYSREG(3, 0, 5, 2, 0), BY_HCR(WRITES, HCR_TVM) },
    { SYSREG(3, 0, 5, 1, 0), SYSREG(3, 0, 5, 2, 0), BY_HCR(READS, HCR_TRVM) },
    { ONE(3, 0, 6, 0, 0), BY_HCR(WRITES, HCR_TVM) },
    { ONE(3, 0, 6, 0, 0), BY_HCR(READS, HCR_TRVM) },
    { SYSREG(3, 0, 10, 2, 0), SYSREG(3, 0, 10, 3, 0), BY_HCR(WRITES, HCR_TVM) },
    { SYSREG(3, 0, 10, 2, 0), SYSREG(3, 0, 10, 3, 0), BY_HCR(READS, HCR_TRVM) },
    { ONE(3, 0, 13, 0, 1), BY_HCR(WRITES, HCR_TVM) },
    { ONE(3, 0, 13, 0, 1), BY_HCR(READS, HCR_TRVM) },
    /* what the CPU says of itself */
    { ONE(3, 0, 0, 0, 6), BY_HCR(READS, HCR_TID1) },
    { ONE(3, 1, 0, 0, 7), BY_HCR(READS, HCR_TID1) },
    { ONE(3, 3, 0, 0, 1), BY_HCR(READS | OF_EL0, HCR_TID2) },
    { SYSREG(3, 1, 0, 0, 0), SYSREG(3, 1, 0, 0, 2), BY_HCR(BOTH, HCR_TID2) },
    { ONE(3, 2, 0, 0, 0), BY_HCR(BOTH, HCR_TID2) },
    { SYSREG(3, 0, 0, 1, 0), SYSREG(3, 0, 0, 7, 7), BY_HCR(READS, HCR_TID3) },
    { ONE(3, 0, 1, 0, 1), BY_HCR(BOTH, HCR_TACR) },
    { ONE(3, 0, 1, 0, 2), BY_CPTR(2, BOTH, CPTR_TCPAC) },
    { ONE(3, 0, 1, 0, 2), BY_CPTR(3, BOTH | OF_EL2, CPTR_TCPAC) },
    { ONE(3, 4, 1, 1, 2), BY_CPTR(3, BOTH | OF_EL2, CPTR_TCPAC) },
    /* debug and monitors */
    { ONE(3, 3, 9, 12, 0), BY_MDCR(2, BOTH | OF_EL0, MDCR_TPMCR) },
    { ONE(2, 0, 1, 0, 0), BY_MDCR(2, READS, MDCR_TDRA) },
    MONITORS(2, 0), DEBUG(2, 0),
    MONITORS(3, OF_EL2), DEBUG(3, OF_EL2),
    { ONE(3, 4, 1, 1, 1), BY_MDCR(3, BOTH | OF_EL2, MDCR_TDA) },
    /* keys of pointer authentication */
    { SYSREG(3, 0, 2, 1, 0), SYSREG(3, 0, 2, 3, 1), BY_HCR(BOTH | IF_CLEAR, HCR_APK) },
    { SYSREG(3, 0, 2, 1, 0), SYSREG(3, 0, 2, 3, 1), BY_SCR(BOTH | IF_CLEAR | OF_EL2, SCR_APK) },
    /* numbers of contexts; HCRX_EL2 */
    { ONE(3, 3, 13, 0, 7), BY_HCR(BOTH | IF_CLEAR | OF_EL0, HCR_ENSCXT) },
    { ONE(3, 0, 13, 0, 7), BY_HCR(BOTH | IF_CLEAR, HCR_ENSCXT) },
    { ONE(3, 3, 13, 0, 7), BY_SCR(BOTH | IF_CLEAR | OF_EL0 | OF_EL2, SCR_ENSCXT) },
    { ONE(3, 0, 13, 0, 7), BY_SCR(BOTH | IF_CLEAR | OF_EL2, SCR_ENSCXT) },
    { ONE(3, 4, 13, 0, 7), BY_SCR(BOTH | IF_CLEAR | OF_EL2, SCR_ENSCXT) },
    { ONE(3, 4, 1, 2, 2), BY_SCR(BOTH | IF_CLEAR | OF_EL2, SCR_HXEN) },
    /* records of errors; regions of limited order */
    { ONE(3, 0, 5, 3, 0), BY_HCR(BOTH, HCR_TERR) },
    { ONE(3, 0, 5, 3, 0), BY_SCR(BOTH | OF_EL2, SCR_TERR) },
    { SYSREG(3, 0, 10, 4, 0), SYSREG(3, 0, 10, 4, 7), BY_HCR(BOTH, HCR_TLOR) },
    { SYSREG(3, 0, 10, 4, 0), SYSREG(3, 0, 10, 4, 7), BY_SCR(BOTH | OF_EL2, SCR_TLOR) },
    /* caches and TLBs */
    { ONE_SYS(0, 7, 6, 2), BY_HCR(WRITES, HCR_TSW) },
    { ONE_SYS(0, 7, 10, 2), BY_HCR(WRITES, HCR_TSW) },
    { ONE_SYS(0, 7, 14, 2), BY_HCR(WRITES, HCR_TSW) },
    { ONE_SYS(0, 7, 6, 1), BY_HCR(WRITES, HCR_TPC) },
    { ONE_SYS(3, 7, 10, 1), BY_HCR(WRITES | OF_EL0, HCR_TPC) },
    { ONE_SYS(3, 7, 12, 1), BY_HCR(WRITES | OF_EL0, HCR_TPC) },
    { ONE_SYS(3, 7, 13, 1), BY_HCR(WRITES | OF_EL0, HCR_TPC) },
    { ONE_SYS(3, 7, 14, 1), BY_HCR(WRITES | OF_EL0, HCR_TPC) },
    { ONE_SYS(3, 7, 11, 1), BY_HCR(WRITES | OF_EL0, HCR_TPU) },
    { ONE_SYS(3, 7, 5, 1), BY_HCR(WRITES | OF_EL0, HCR_TPU) },
    { ONE_SYS(0, 7, 1, 0), BY_HCR(WRITES, HCR_TPU) },
    { ONE_SYS(0, 7, 5, 0), BY_HCR(WRITES, HCR_TPU) },
    { ONE_SYS(3, 7, 4, 1), BY_HCR(WRITES | OF_EL0, HCR_TDZ) },
    { SYS(0, 8, 0, 0), SYS(0, 8, 7, 7), BY_HCR(WRITES, HCR_TTLB) },
};

#define HCR_TRAPS (HCR_TVM | HCR_TRVM | HCR_TID1 | HCR_TID2 | HCR_TID3 | HCR_TACR | HCR_TSW | HCR_TPC | \
    HCR_TPU | HCR_TDZ | HCR_TTLB | HCR_TIDCP | HCR_TERR | HCR_TLOR)
#define SCR_TRAPS (SCR_TERR | SCR_TLOR)
#define MDCR_TRAPS (MDCR_TPMCR | MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA)
/* clang-format on */

/* Is one of these bits clear, which must be set for EL2 or EL3 to let something pass? EL0 of a host is no guest. */
static bool is_clear(const A64Cpu *cpu, unsigned el, uint64_t hcr, uint64_t scr)
{
    bool is_guest = el == 1 || (el == 0 && !a64_is_host(cpu));

    return (is_guest && a64_el2_enabled(cpu) && ~cpu->hcr_now & hcr) ||
        (el < 3 && a64_has(cpu, A64_EL3) && ~cpu->scr & scr);
}

bool a64_traps_pac(const A64Cpu *cpu, unsigned el)
{
    return a64_has(cpu, A64_PAUTH) && is_clear(cpu, el, HCR_API, SCR_API);
}

static bool traps_by_clear_bit(const A64Cpu *cpu, unsigned el)
{
    bool pauth = a64_has(cpu, A64_PAUTH), csv2 = a64_has(cpu, A64_CSV2);
    uint64_t hcr = (pauth ? HCR_APK : 0) | (csv2 ? HCR_ENSCXT : 0);
    uint64_t scr = (pauth ? SCR_APK : 0) | (csv2 ? SCR_ENSCXT : 0) |
        (el == 2 && a64_has(cpu, A64_HCX) ? SCR_HXEN : 0);

    return is_clear(cpu, el, hcr, scr);
}

bool a64_traps(const A64Cpu *cpu, unsigned el)
{
    if (traps_by_clear_bit(cpu, el)) {
        return true;
    }
    if (el < 3 &&
        ((cpu->cptr[3] & CPTR_TCPAC) || (cpu->mdcr[3] & MDCR_TRAPS) || (cpu->scr & SCR_TRAPS))) {
        return true;
    }
    return el < 2 && a64_el2_enabled(cpu) &&
        ((cpu->hcr_now & HCR_TRAPS) || (cpu->mdcr[2] & MDCR_TRAPS) || (cpu->cptr[2] & CPTR_TCPAC));
}

bool a64_may_trap(unsigned number)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(traps); i++) {
        if (number >= traps[i].first && number <= traps[i].last) {
            return true;
        }
    }
    return false;
}

/* S3_x_C11 and S3_x_C15, and SYS of these, are the makers'. There are none here, but EL2 hears of it (TIDCP). */
static bool is_implementation_defined(unsigned number)
{
    unsigned crn = number >> 7 & 15, op0 = number >> 14;

    return (op0 == 1 || op0 == 3) && (crn == 11 || crn == 15);
}

static bool is_subject(const A64Cpu *cpu, const Trap *trap, unsigned number)
{
    unsigned el = a64_el(cpu);
    bool of_el2 = (number >> 11 & 7) == 4;

    if ((trap->level == 3 && !a64_has(cpu, A64_EL3)) || (of_el2 && el < 2)) {
        return false;
    }
    /* Where there is no such register its bit is not there either. */
    if (trap->flags & IF_CLEAR && !a64_sysreg_find(cpu, number)) {
        return false;
    }
    /* With TGE and E2H, EL0 is the host's, whose debug and monitors are its own affair (D17.2.92). */
    if (trap->level == 2 && (!a64_el2_enabled(cpu) || (el == 0 && a64_is_host(cpu)))) {
        return false;
    }
    return el == 0 ? trap->flags & OF_EL0 : el == 1 || (el == 2 && trap->flags & OF_EL2);
}

unsigned a64_trap_level(const A64Cpu *cpu, unsigned number, bool write)
{
    unsigned level = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(traps) && level != 2; i++) {
        const Trap *trap = &traps[i];
        uint64_t control = *(const uint64_t *)((const char *)cpu + trap->control);

        bool is_set = control & trap->bit;

        if (number >= trap->first && number <= trap->last && is_set == !(trap->flags & IF_CLEAR) &&
            trap->flags & (write ? WRITES : READS) && is_subject(cpu, trap, number)) {
            level = trap->level;
        }
    }
    if (!level && a64_el(cpu) < 2 && cpu->hcr_now & HCR_TIDCP &&
        is_implementation_defined(number)) {
        level = 2;
    }
    return level;
}

/* HCR_EL2.API, SCR_EL3.API: an instruction that uses a key, unless SCTLR makes it a no-op (AddPACIA in J1). */
static uint64_t help_pac_trap(CpuEnv *env, uint64_t key, uint64_t b, uint64_t c)
{
    static const uint8_t enables[] = { 31, 30, 27, 13 };
    const A64Cpu *cpu = a64_cpu(env);
    unsigned el = a64_el(cpu);
    bool off = key < G_N_ELEMENTS(enables) &&
        !(cpu->sctlr[a64_regime(cpu, el)] >> enables[key] & 1);

    if (off || el == 3) {
        return 0;
    }
    if (el < 2 && a64_el2_enabled(cpu) && !(cpu->hcr_now & HCR_API) &&
        !(el == 0 && a64_is_host(cpu))) {
        a64_raise_to(a64_cpu(env), 2, a64_syndrome(EC_PAC, 0), 0);
    } else if (a64_has(cpu, A64_EL3) && !(cpu->scr & SCR_API)) {
        a64_raise_to(a64_cpu(env), 3, a64_syndrome(EC_PAC, 0), 0);
    }
    return 0;
}

const Helper a64_help_pac_trap = { "a64_pac_trap", help_pac_trap, HELPER_MAY_RAISE };
