/* The generic timer: counters, and the timers that compare with them. Arm ARM D11. */
#include "core/clock.h"
#include "core/cpu.h"
#include "core/loop.h"
#include "targets/aarch64/sysreg.h"
#include "tcg/exec.h"

enum { CTL_ENABLE = 1, CTL_IMASK = 2, CTL_ISTATUS = 4 };

/* PPIs of the base system architecture, as the GIC counts them. */
static const uint8_t lines[TIMER_COUNT] = { 14, 11, 10, 13, 12, 4, 3 };

static uint64_t ticks_of_ns(const A64Cpu *cpu, int64_t ns)
{
    return (uint64_t)((unsigned __int128)(uint64_t)ns * cpu->frequency / NS_PER_SECOND);
}

/* The first instant at which the counter has that value; INT64_MAX: never. */
static int64_t ns_of_ticks(const A64Cpu *cpu, uint64_t ticks)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * NS_PER_SECOND + cpu->frequency - 1) /
        cpu->frequency;

    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static uint64_t offset_of(const A64Cpu *cpu, A64TimerId id)
{
    return id == TIMER_VIRTUAL ? cpu->cntvoff : 0;
}

uint64_t a64_count(const A64Cpu *cpu, A64TimerId id)
{
    return ticks_of_ns(cpu, cpu_time_ns(&cpu->env)) - offset_of(cpu, id);
}

static bool is_met(const A64Cpu *cpu, A64TimerId id)
{
    return (int64_t)(a64_count(cpu, id) - cpu->timer[id].compare) >= 0;
}

static bool is_asserted(const A64Cpu *cpu, A64TimerId id)
{
    return (cpu->timer[id].control & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE && is_met(cpu, id);
}

static void drive_line(A64Cpu *cpu, A64TimerId id, bool level)
{
    Cpu *device = cpu_device(&cpu->env);
    bool taken;

    if (cpu->timer[id].line == level) {
        return;
    }
    cpu->timer[id].line = level;
    if (device->intc && device->intc->set_private) {
        taken = machine_lock_ensure();
        device->intc->set_private(device->intc_owner, device->index, lines[id], level);
        machine_lock_restore(taken);
    }
}

static int64_t alarm_of(const A64Cpu *cpu, A64TimerId id)
{
    const A64Timer *timer = &cpu->timer[id];

    if ((timer->control & (CTL_ENABLE | CTL_IMASK)) != CTL_ENABLE || timer->line) {
        return INT64_MAX;
    }
    return ns_of_ticks(cpu, timer->compare + offset_of(cpu, id));
}

void a64_timers_update(A64Cpu *cpu)
{
    int64_t next = a64_pmu_update(cpu);

    for (A64TimerId id = 0; id < TIMER_COUNT; id++) {
        drive_line(cpu, id, is_asserted(cpu, id));
        next = MIN(next, alarm_of(cpu, id));
    }
    if (next != cpu->alarm) {
        cpu->alarm = next;
        cpu_timer_set(&cpu->env, next);
    }
}

void a64_timers_check(A64Cpu *cpu)
{
    if (cpu->alarm != INT64_MAX && cpu_time_ns(&cpu->env) >= cpu->alarm) {
        a64_timers_update(cpu);
    }
}

/* ---- registers -------------------------------------------------------------------------------- */

enum { COUNT_FREQUENCY, COUNT_PHYSICAL, COUNT_VIRTUAL };

/* A hypervisor that is a kernel has no offset, nor have its processes (D11.2.2). */
static uint64_t shown_offset(const A64Cpu *cpu)
{
    bool none = a64_is_host(cpu) ? a64_el(cpu) != 1 : a64_el(cpu) == 2 && cpu->hcr & HCR_E2H;

    return none ? 0 : cpu->cntvoff;
}

static uint64_t shown_count(const A64Cpu *cpu, A64TimerId id)
{
    return a64_count(cpu, TIMER_PHYSICAL) - (id == TIMER_VIRTUAL ? shown_offset(cpu) : 0);
}

uint64_t a64_count_read(A64Cpu *cpu, unsigned number)
{
    switch (number & 7) {
    case COUNT_FREQUENCY: return cpu->cntfrq;
    case COUNT_PHYSICAL: return a64_count(cpu, TIMER_PHYSICAL);
    default: return shown_count(cpu, TIMER_VIRTUAL);
    }
}

/* What firmware says is the frequency is what others read; it changes nothing (D17.11.3). */
void a64_frequency_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu->cntfrq = (uint32_t)value;
}

uint8_t a64_frequency_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    if (write) {
        return a64_el(cpu) == a64_highest_level(cpu) ? SYSREG_GOES_ON : EC_UNKNOWN;
    }
    return a64_count_trap(cpu, number, write);
}

/* CNTKCTL_EL1, of a host CNTHCTL_EL2: bit 0 shows the physical counter to EL0, 1 the virtual one, 9 and 8 the timers. */
static uint8_t shown_by(const A64Cpu *cpu, uint64_t bits)
{
    uint64_t control = a64_is_host(cpu) ? cpu->cnthctl : cpu->cntkctl;

    return a64_el(cpu) || control & bits ? SYSREG_GOES_ON : EC_SYSTEM;
}

/* CNTHCTL_EL2: EL1PCTEN and EL1PCEN, for guests; with E2H they are at bit 10 (D17.11.9). */
static uint8_t guest_shown_by(const A64Cpu *cpu, unsigned bit)
{
    uint64_t control = cpu->hcr & HCR_E2H ? cpu->cnthctl >> 10 : cpu->cnthctl;

    return a64_el(cpu) < 2 && a64_el2_enabled(cpu) && !a64_is_host(cpu) && !(control >> bit & 1)
        ? SYSREG_TO_EL2
        : SYSREG_GOES_ON;
}

uint8_t a64_count_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    static const uint8_t bits[] = { 3, 1, 2 };
    uint8_t class = shown_by(cpu, bits[number & 3]);

    return class == SYSREG_GOES_ON && (number & 7) == COUNT_PHYSICAL ? guest_shown_by(cpu, 0)
                                                                     : class;
}

/*
 * By op1 and CRm: CNTP and CNTV, CNTHP and CNTHV, CNTHPS and CNTHVS, CNTPS. What a host's EL0 calls CNTP is CNTHP
 * (D5.6.3); of a host in the secure state it is CNTHPS, whether it has said CNTP or CNTHP.
 */
static A64TimerId timer_of(const A64Cpu *cpu, unsigned number)
{
    unsigned op1 = number >> 11 & 7, crm = number >> 3 & 15;
    bool is_virtual = crm == 3 || crm == 4, hosts = a64_el(cpu) == 0 && a64_is_host(cpu);

    if (op1 == 7) {
        return TIMER_SECURE;
    }
    if (op1 == 4 || hosts) {
        bool secure_host = a64_el(cpu) < 3 && a64_is_secure(cpu) && cpu->hcr & HCR_E2H;

        if (crm == 4 || crm == 5 || secure_host) {
            return is_virtual ? TIMER_SECURE_HYP_VIRTUAL : TIMER_SECURE_HYP;
        }
        return is_virtual ? TIMER_HYP_VIRTUAL : TIMER_HYP;
    }
    return is_virtual ? TIMER_VIRTUAL : TIMER_PHYSICAL;
}

uint8_t a64_timer_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    bool is_virtual = (number >> 3 & 15) == 3;
    uint8_t class = shown_by(cpu, is_virtual ? A64_BIT(8) : A64_BIT(9));

    return class == SYSREG_GOES_ON && !is_virtual ? guest_shown_by(cpu, 1) : class;
}

/* EL3's, and with SCR_EL3.ST that of EL1 in the secure state. */
uint8_t a64_secure_timer_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    if (a64_el(cpu) == 3) {
        return SYSREG_GOES_ON;
    }
    return a64_el(cpu) == 1 && a64_is_secure(cpu)
        ? cpu->scr & SCR_ST ? SYSREG_GOES_ON : SYSREG_TO_EL3
        : EC_UNKNOWN;
}

enum { TIMER_VALUE, TIMER_CONTROL, TIMER_COMPARE };

uint64_t a64_timer_read(A64Cpu *cpu, unsigned number)
{
    A64TimerId id = timer_of(cpu, number);
    const A64Timer *timer = &cpu->timer[id];

    switch (number & 7) {
    case TIMER_VALUE: return (uint32_t)(timer->compare - shown_count(cpu, id));
    case TIMER_CONTROL:
        return timer->control | (timer->control & CTL_ENABLE && is_met(cpu, id) ? CTL_ISTATUS : 0);
    default: return timer->compare;
    }
}

void a64_timer_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    A64TimerId id = timer_of(cpu, number);
    A64Timer *timer = &cpu->timer[id];

    switch (number & 7) {
    case TIMER_VALUE: timer->compare = shown_count(cpu, id) + (uint64_t)(int32_t)value; break;
    case TIMER_CONTROL: timer->control = value & (CTL_ENABLE | CTL_IMASK); break;
    default: timer->compare = value;
    }
    a64_timers_update(cpu);
}
