/*
 * Self-hosted debug: breakpoints, watchpoints and software step. Arm ARM D2.
 *
 * Code that breakpoints may stop asks in front of each instruction. A page with a watchpoint is translated anew for
 * each access, which asks then.
 */
#include "targets/aarch64/state.h"

enum { DEBUG_CODE = 0x22 }; /* status code of a debug exception */
enum { CONTROL_ENABLE = 1, CONTROL_EL_SHIFT = 1, CONTROL_BAS_SHIFT = 5 };
enum { CONTROL_HMC = 1 << 13, CONTROL_SSC_SHIFT = 14 };
enum { LOADS = 1 << 3, STORES = 1 << 4, MASK_SHIFT = 24, MASK_NONE = 0 };
enum { BREAKPOINT_TYPE = 0xf << 20 }; /* 0: of an address alone */

unsigned a64_debug_level(const A64Cpu *cpu)
{
    bool by_el2 = a64_el2_enabled(cpu) && (cpu->mdcr[2] & MDCR_TDE || cpu->hcr_now & HCR_TGE);

    return by_el2 ? 2 : 1;
}

/*
 * Debug exceptions go to EL1 or EL2: from below always, from the level itself if it wants them and does not mask
 * them (D2.4); from the secure state unless MDCR_EL3.SDD is set.
 */
static bool takes_debug(const A64Cpu *cpu, unsigned el)
{
    unsigned level = a64_debug_level(cpu);

    if (cpu->oslock || el > level || (a64_is_secure(cpu) && cpu->mdcr[3] & MDCR_SDD)) {
        return false;
    }
    return el < level || (cpu->mdscr & MDSCR_KDE && !(cpu->daif & PSTATE_D));
}

bool a64_is_stepping(const A64Cpu *cpu, unsigned el)
{
    return cpu->mdscr & MDSCR_SS && takes_debug(cpu, el);
}

/* PMC and PAC: bit 0 for EL1, bit 1 for EL0; HMC: EL2. SSC: 1 not secure, 2 secure, else both (table D2-9). */
static bool is_of_level(const A64Cpu *cpu, uint64_t control, unsigned el)
{
    unsigned states = control >> CONTROL_SSC_SHIFT & 3;

    if (!(control & CONTROL_ENABLE) || states == (a64_is_secure(cpu) ? 1 : 2)) {
        return false;
    }
    return el == 2 ? control & CONTROL_HMC : control >> CONTROL_EL_SHIFT & (el ? 1 : 2);
}

/* ---- breakpoints ------------------------------------------------------------------------------ */

static bool has_breakpoint(const A64Cpu *cpu, unsigned n, unsigned el)
{
    return is_of_level(cpu, cpu->dbgbcr[n], el) && !(cpu->dbgbcr[n] & BREAKPOINT_TYPE);
}

bool a64_has_breakpoints(const A64Cpu *cpu, unsigned el)
{
    bool any = false;

    for (unsigned n = 0; n < A64_BREAKPOINTS; n++) {
        any |= has_breakpoint(cpu, n, el);
    }
    return any && cpu->mdscr & MDSCR_MDE && takes_debug(cpu, el);
}

static uint64_t help_breakpoint(CpuEnv *env, uint64_t pc, uint64_t b, uint64_t c)
{
    const A64Cpu *cpu = a64_cpu(env);

    for (unsigned n = 0; n < A64_BREAKPOINTS; n++) {
        if (has_breakpoint(cpu, n, a64_el(cpu)) && cpu->dbgbvr[n] == pc) {
            cpu_raise(env, a64_syndrome(EC_BREAKPOINT_LOWER, DEBUG_CODE), 0);
            break;
        }
    }
    return 0;
}

const Helper a64_help_breakpoint = { "a64_breakpoint", help_breakpoint, HELPER_MAY_RAISE };

/* ---- watchpoints ------------------------------------------------------------------------------ */

/* The bytes that it watches: those of BAS, or of a range of a power of two. */
static void watched_range(const A64Cpu *cpu, unsigned n, uint64_t *first, uint64_t *last)
{
    uint64_t control = cpu->dbgwcr[n], value = cpu->dbgwvr[n];
    unsigned bytes = control >> CONTROL_BAS_SHIFT & 0xff, mask = control >> MASK_SHIFT & 31;

    if (mask != MASK_NONE) {
        *first = value & -(UINT64_C(1) << mask);
        *last = *first + (UINT64_C(1) << mask) - 1;
    } else {
        *first = (value & ~UINT64_C(7)) + (unsigned)__builtin_ctz(bytes | 0x100);
        *last = (value & ~UINT64_C(7)) + 31 - (unsigned)__builtin_clz(bytes | 1);
    }
}

static bool watches(const A64Cpu *cpu, unsigned n)
{
    return cpu->mdscr & MDSCR_MDE && cpu->dbgwcr[n] & CONTROL_ENABLE && !cpu->oslock;
}

bool a64_is_watching(const A64Cpu *cpu)
{
    bool any = false;

    for (unsigned n = 0; n < A64_WATCHPOINTS; n++) {
        any |= watches(cpu, n);
    }
    return any;
}

bool a64_is_watched(const A64Cpu *cpu, uint64_t address, uint64_t size)
{
    uint64_t start = address & -size, first, last;

    for (unsigned n = 0; n < A64_WATCHPOINTS; n++) {
        watched_range(cpu, n, &first, &last);
        if (watches(cpu, n) && first <= start + (size - 1) && last >= start) {
            return true;
        }
    }
    return false;
}

/* Of a width that is not known, one that begins up to seven bytes before counts. */
bool a64_watchpoint_hits(
    const A64Cpu *cpu, unsigned el, uint64_t address, unsigned bytes, Access access)
{
    uint64_t kind = access == ACCESS_WRITE ? STORES : LOADS, first, last;
    uint64_t end = bytes ? address + (bytes - 1) : (address & ~UINT64_C(7)) + 7;

    if (!takes_debug(cpu, el)) {
        return false;
    }
    for (unsigned n = 0; n < A64_WATCHPOINTS; n++) {
        watched_range(cpu, n, &first, &last);
        if (watches(cpu, n) && is_of_level(cpu, cpu->dbgwcr[n], el) && cpu->dbgwcr[n] & kind &&
            address <= last && end >= first) {
            return true;
        }
    }
    return false;
}

uint32_t a64_watchpoint_syndrome(Access access)
{
    return a64_syndrome(EC_WATCHPOINT_LOWER, DEBUG_CODE | (access == ACCESS_WRITE ? ISS_WNR : 0));
}

/* ---- software step ---------------------------------------------------------------------------- */

/* The first instruction is let through, the second one is the exception. */
static uint64_t help_step(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    enum { STEP_KNOWN = 1 << 24 };
    A64Cpu *cpu = a64_cpu(env);

    if (cpu->stepped) {
        cpu_raise(env, a64_syndrome(EC_STEP_LOWER, (cpu->ss ? STEP_KNOWN : 0) | DEBUG_CODE), 0);
    }
    cpu->stepped = true;
    return 0;
}

const Helper a64_help_step = { "a64_step", help_step, HELPER_MAY_RAISE };
