/*
 * The registers of a GICv3's CPU interface. A guest's own (HCR_EL2.IMO, FMO) are those of the virtual interface.
 * ARM IHI 0069, 12.2 and 6.
 */
#include "core/cpu.h"
#include "core/loop.h"
#include "targets/aarch64/sysreg.h"
#include "tcg/exec.h"

enum {
    ICC_PMR = SYSREG(3, 0, 4, 6, 0),
    ICC_GROUP_0 = SYSREG(3, 0, 12, 8, 0), /* IAR0 to AP0R3 */
    ICC_GROUP_1 = SYSREG(3, 0, 12, 9, 0), /* AP1R */
    ICC_DIR = SYSREG(3, 0, 12, 11, 1),
    ICC_RPR = SYSREG(3, 0, 12, 11, 3),
    ICC_SGI1R = SYSREG(3, 0, 12, 11, 5),
    ICC_SGI0R = SYSREG(3, 0, 12, 11, 7),
    ICC_IAR1 = SYSREG(3, 0, 12, 12, 0),
    ICC_CTLR = SYSREG(3, 0, 12, 12, 4),
    ICC_SRE = SYSREG(3, 0, 12, 12, 5),
    ICC_IGRPEN0 = SYSREG(3, 0, 12, 12, 6),
    ICC_IGRPEN1 = SYSREG(3, 0, 12, 12, 7),
    ICH_HCR = SYSREG(3, 4, 12, 11, 0),
};
enum { TRAP_COMMON = 1 << 10, TRAP_GROUP_0 = 1 << 11, TRAP_GROUP_1 = 1 << 12, TRAP_DIR = 1 << 14 };

/* ---- access ----------------------------------------------------------------------------------- */

static bool ask(const A64Cpu *cpu, uint32_t number, uint64_t *value)
{
    Cpu *device = cpu_device(&cpu->env);
    bool taken, there;

    if (!device->intc) {
        return false;
    }
    taken = machine_lock_ensure();
    there = device->intc->read(device->intc_owner, device->index, number, value);
    machine_lock_restore(taken);
    return there;
}

/* A GICv2 drives the timers' lines, but has no registers here. */
bool a64_has_gic(const A64Cpu *cpu)
{
    uint64_t value;

    return ask(cpu, ICC_SRE, &value);
}

/* ---- which interface, and who may -------------------------------------------------------------- */

typedef enum Kind { GROUP_0, GROUP_1, COMMON, SEND, OTHER } Kind;

static Kind kind_of(unsigned number)
{
    if (number >= ICC_SGI1R && number <= ICC_SGI0R) {
        return SEND;
    }
    if (number == ICC_PMR || number == ICC_DIR || number == ICC_RPR || number == ICC_CTLR) {
        return COMMON;
    }
    if ((number & ~7u) == ICC_GROUP_0 || number == ICC_IGRPEN0) {
        return GROUP_0;
    }
    return (number & ~7u) == ICC_GROUP_1 || number == ICC_IGRPEN1 ||
            (number >= ICC_IAR1 && number < ICC_CTLR)
        ? GROUP_1
        : OTHER;
}

/* The bits of HCR_EL2, and those of SCR_EL3 of which all must be set, that take a kind away. */
static const struct {
    uint64_t by_hcr, by_scr, by_interface;
} takers[] = {
    [GROUP_0] = { HCR_FMO, SCR_FIQ, TRAP_GROUP_0 },
    [GROUP_1] = { HCR_IMO, SCR_IRQ, TRAP_GROUP_1 },
    [COMMON] = { HCR_FMO | HCR_IMO, SCR_FIQ | SCR_IRQ, TRAP_COMMON },
    [SEND] = { HCR_FMO | HCR_IMO, SCR_FIQ | SCR_IRQ, TRAP_COMMON },
    [OTHER] = { 0, 0, 0 },
};

static bool is_virtual(const A64Cpu *cpu, unsigned number)
{
    return a64_el(cpu) == 1 && cpu->hcr_now & takers[kind_of(number)].by_hcr;
}

static uint32_t qualified(const A64Cpu *cpu, unsigned number)
{
    bool monitor = a64_el(cpu) == 3, secure = a64_is_secure(cpu);

    return number | (is_virtual(cpu, number) ? CPU_REG_VIRTUAL : 0) |
        (secure ? CPU_REG_SECURE : 0) | (monitor ? CPU_REG_MONITOR : 0) |
        (!monitor && !secure && cpu->scr & SCR_FIQ ? CPU_REG_SHIFTED : 0);
}

/* ICH_HCR_EL2 has traps of its own. */
static bool interface_traps(const A64Cpu *cpu, unsigned number)
{
    uint64_t control = 0, bits = takers[kind_of(number)].by_interface;

    if (number == ICC_DIR) {
        bits |= TRAP_DIR;
    }
    return ask(cpu, ICH_HCR, &control) && control & bits;
}

uint8_t a64_gic_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    Kind kind = kind_of(number);
    unsigned el = a64_el(cpu);

    if (!cpu_device(&cpu->env)->intc) {
        return EC_UNKNOWN;
    }
    if (el == 1 && a64_el2_enabled(cpu) &&
        ((kind == SEND && cpu->hcr_now & takers[kind].by_hcr) || interface_traps(cpu, number))) {
        return SYSREG_TO_EL2;
    }
    if (el < 3 && takers[kind].by_scr && !is_virtual(cpu, number) &&
        (cpu->scr & takers[kind].by_scr) == takers[kind].by_scr) {
        return SYSREG_TO_EL3;
    }
    return SYSREG_GOES_ON;
}

uint64_t a64_gic_read(A64Cpu *cpu, unsigned number)
{
    uint64_t value = 0;

    if (!ask(cpu, qualified(cpu, number), &value)) {
        a64_raise(&cpu->env, a64_syndrome(EC_UNKNOWN, 0), 0);
    }
    return value;
}

void a64_gic_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    Cpu *device = cpu_device(&cpu->env);
    bool taken = machine_lock_ensure();

    if (!device->intc->write(device->intc_owner, device->index, qualified(cpu, number), value)) {
        a64_raise(&cpu->env, a64_syndrome(EC_UNKNOWN, 0), 0);
    }
    machine_lock_restore(taken);
}
