/*
 * The performance monitors, PMUv3: the cycle counter and four others that count cycles, instructions or nothing.
 * Arm ARM D12. A cycle is a nanosecond of the machine's time.
 */
#include <glib.h>

#include "core/cpu.h"
#include "core/loop.h"
#include "targets/aarch64/model.h"
#include "targets/aarch64/sysreg.h"
#include "tcg/exec.h"

enum { EVENT_SOFTWARE = 0x00, EVENT_INSTRUCTIONS = 0x08, EVENT_CYCLES = 0x11 };
enum { CYCLE_COUNTER = 31, COUNTERS = A64_PMU_EVENTS };
enum { PMCR_E = 1, PMCR_P = 2, PMCR_C = 4, PMCR_LC = 1 << 6, PMCR_N_SHIFT = 11 };
enum { USER_EN = 1, USER_SW = 2, USER_CR = 4, USER_ER = 8 };
enum { PPI_PMU = 7 };

static const uint32_t implemented = 1u << CYCLE_COUNTER | ((1u << COUNTERS) - 1);

static A64Counter *counter(A64Cpu *cpu, unsigned n)
{
    return &cpu->pmu.counter[n == CYCLE_COUNTER ? COUNTERS : n];
}

/* ---- counting --------------------------------------------------------------------------------- */

static uint64_t source(const A64Cpu *cpu, unsigned event)
{
    switch (event) {
    case EVENT_CYCLES: return (uint64_t)cpu_time_ns(&cpu->env);
    case EVENT_INSTRUCTIONS: return cpu_instructions(&cpu->env);
    default: return 0;
    }
}

static unsigned event_of(const A64Cpu *cpu, unsigned n)
{
    return n == CYCLE_COUNTER ? EVENT_CYCLES : cpu->pmu.counter[n].type & 0xffff;
}

/* MDCR_EL2: counters from HPMN on are EL2's, with an enable of their own. */
static bool is_of_el2(const A64Cpu *cpu, unsigned n)
{
    return a64_has(cpu, A64_EL2) && n < COUNTERS && n >= (cpu->mdcr[2] & MDCR_HPMN);
}

static bool is_running(const A64Cpu *cpu, unsigned n)
{
    bool enabled = is_of_el2(cpu, n) ? (cpu->mdcr[2] & MDCR_HPME) != 0 : cpu->pmu.control & PMCR_E;

    return enabled && cpu->pmu.enabled >> n & 1;
}

/* How many a level has. */
static unsigned counters_of(const A64Cpu *cpu)
{
    bool all = a64_el(cpu) >= 2 || !a64_el2_enabled(cpu);

    return all ? COUNTERS : MIN(COUNTERS, cpu->mdcr[2] & MDCR_HPMN);
}

/* Only the cycle counter has 64 bits, when PMCR_EL0.LC says so. */
static bool overflowed(const A64Cpu *cpu, unsigned n, uint64_t before, uint64_t after)
{
    bool wide = n == CYCLE_COUNTER && cpu->pmu.control & PMCR_LC;

    return wide ? after < before : after >> 32 != before >> 32;
}

/* Brings a counter up to now. */
static void bring_up(A64Cpu *cpu, unsigned n)
{
    A64Counter *c = counter(cpu, n);
    uint64_t now = source(cpu, event_of(cpu, n)), before = c->value;

    if (is_running(cpu, n)) {
        c->value += now - c->source;
        cpu->pmu.overflow |= (uint64_t)overflowed(cpu, n, before, c->value) << n;
        c->value = n == CYCLE_COUNTER ? c->value : (uint32_t)c->value;
    }
    c->source = now;
}

static void bring_all_up(A64Cpu *cpu)
{
    for (unsigned n = 0; n < COUNTERS; n++) {
        bring_up(cpu, n);
    }
    bring_up(cpu, CYCLE_COUNTER);
}

static void drive_line(A64Cpu *cpu)
{
    Cpu *device = cpu_device(&cpu->env);
    bool level = cpu->pmu.control & PMCR_E && cpu->pmu.overflow & cpu->pmu.interrupts;

    if (level != cpu->pmu.line && device->intc && device->intc->set_private) {
        bool taken = machine_lock_ensure();

        device->intc->set_private(device->intc_owner, device->index, PPI_PMU, level);
        machine_lock_restore(taken);
    }
    cpu->pmu.line = level;
}

static int64_t alarm_of(A64Cpu *cpu, unsigned n)
{
    const A64Counter *c = counter(cpu, n);
    bool wide = n == CYCLE_COUNTER && cpu->pmu.control & PMCR_LC;
    uint64_t left = wide ? -c->value : (UINT64_C(1) << 32) - (uint32_t)c->value;

    if (!is_running(cpu, n) || !(cpu->pmu.interrupts >> n & 1) || !source(cpu, event_of(cpu, n)) ||
        left > INT64_MAX / 2) {
        return INT64_MAX;
    }
    return cpu_time_ns(&cpu->env) + (int64_t)left;
}

int64_t a64_pmu_update(A64Cpu *cpu)
{
    int64_t next = INT64_MAX;

    if (!cpu->pmu.enabled) {
        return next;
    }
    bring_all_up(cpu);
    drive_line(cpu);
    for (unsigned n = 0; n < COUNTERS; n++) {
        next = MIN(next, alarm_of(cpu, n));
    }
    return MIN(next, alarm_of(cpu, CYCLE_COUNTER));
}

static void changed(A64Cpu *cpu)
{
    drive_line(cpu);
    a64_timers_update(cpu);
}

/* ---- registers -------------------------------------------------------------------------------- */

enum {
    REG_PMCR = SYSREG(3, 3, 9, 12, 0),
    REG_CNTENSET = SYSREG(3, 3, 9, 12, 1),
    REG_CNTENCLR = SYSREG(3, 3, 9, 12, 2),
    REG_OVSCLR = SYSREG(3, 3, 9, 12, 3),
    REG_SWINC = SYSREG(3, 3, 9, 12, 4),
    REG_SELR = SYSREG(3, 3, 9, 12, 5),
    REG_CEID0 = SYSREG(3, 3, 9, 12, 6),
    REG_CCNTR = SYSREG(3, 3, 9, 13, 0),
    REG_XEVTYPER = SYSREG(3, 3, 9, 13, 1),
    REG_XEVCNTR = SYSREG(3, 3, 9, 13, 2),
    REG_USERENR = SYSREG(3, 3, 9, 14, 0),
    REG_OVSSET = SYSREG(3, 3, 9, 14, 3),
    REG_INTENSET = SYSREG(3, 0, 9, 14, 1),
    REG_INTENCLR = SYSREG(3, 0, 9, 14, 2),
    REG_EVCNTR = SYSREG(3, 3, 14, 8, 0),
    REG_EVTYPER = SYSREG(3, 3, 14, 12, 0),
    REG_CCFILTR = SYSREG(3, 3, 14, 15, 7),
};

static uint64_t read_control(const A64Cpu *cpu)
{
    return cpu->pmu.control | counters_of(cpu) << PMCR_N_SHIFT |
        (uint64_t)(cpu->model->midr >> 24) << 24;
}

static void write_control(A64Cpu *cpu, uint64_t value)
{
    for (unsigned n = 0; value & PMCR_P && n < COUNTERS; n++) {
        counter(cpu, n)->value = 0;
    }
    if (value & PMCR_C) {
        counter(cpu, CYCLE_COUNTER)->value = 0;
    }
    cpu->pmu.control = value & (PMCR_E | PMCR_LC | 1 << 3 | 1 << 5);
}

static void count_by_software(A64Cpu *cpu, uint64_t which)
{
    for (unsigned n = 0; n < COUNTERS; n++) {
        if (which >> n & 1 && is_running(cpu, n) && event_of(cpu, n) == EVENT_SOFTWARE) {
            A64Counter *c = counter(cpu, n);

            c->value = (uint32_t)(c->value + 1);
            cpu->pmu.overflow |= (uint64_t)!c->value << n;
        }
    }
}

/* The counter that a register is of, by its number or by PMSELR_EL0; COUNTERS and above: none. */
static unsigned counter_of(const A64Cpu *cpu, unsigned number)
{
    switch (number) {
    case REG_CCNTR:
    case REG_CCFILTR: return CYCLE_COUNTER;
    case REG_XEVTYPER:
    case REG_XEVCNTR: return cpu->pmu.selected;
    default: return number & 31;
    }
}

static bool is_type(unsigned number)
{
    return number == REG_XEVTYPER || number >= REG_EVTYPER;
}

static uint64_t read_one(A64Cpu *cpu, unsigned number)
{
    unsigned n = counter_of(cpu, number);

    if (n >= counters_of(cpu) && n != CYCLE_COUNTER) {
        return 0;
    }
    return is_type(number) ? counter(cpu, n)->type : counter(cpu, n)->value;
}

static void write_one(A64Cpu *cpu, unsigned number, uint64_t value)
{
    unsigned n = counter_of(cpu, number);

    if (n >= counters_of(cpu) && n != CYCLE_COUNTER) {
        return;
    }
    if (is_type(number)) {
        counter(cpu, n)->type = (uint32_t)value;
        bring_up(cpu, n);
    } else {
        counter(cpu, n)->value = n == CYCLE_COUNTER ? value : (uint32_t)value;
    }
}

uint64_t a64_pmu_read(A64Cpu *cpu, unsigned number)
{
    bring_all_up(cpu);
    switch (number) {
    case REG_PMCR: return read_control(cpu);
    case REG_CNTENSET:
    case REG_CNTENCLR: return cpu->pmu.enabled;
    case REG_OVSSET:
    case REG_OVSCLR: return cpu->pmu.overflow;
    case REG_INTENSET:
    case REG_INTENCLR: return cpu->pmu.interrupts;
    case REG_SELR: return cpu->pmu.selected;
    case REG_USERENR: return cpu->pmu.user;
    case REG_CEID0: return 1 << EVENT_SOFTWARE | 1 << EVENT_INSTRUCTIONS | 1 << EVENT_CYCLES;
    case REG_SWINC:
    case REG_CEID0 + 1: return 0;
    default: return read_one(cpu, number);
    }
}

void a64_pmu_write(A64Cpu *cpu, unsigned number, uint64_t value)
{
    bring_all_up(cpu);
    switch (number) {
    case REG_PMCR: write_control(cpu, value); break;
    case REG_CNTENSET: cpu->pmu.enabled |= value & implemented; break;
    case REG_CNTENCLR: cpu->pmu.enabled &= ~value; break;
    case REG_OVSSET: cpu->pmu.overflow |= value & implemented; break;
    case REG_OVSCLR: cpu->pmu.overflow &= ~value; break;
    case REG_INTENSET: cpu->pmu.interrupts |= value & implemented; break;
    case REG_INTENCLR: cpu->pmu.interrupts &= ~value; break;
    case REG_SELR: cpu->pmu.selected = value & 31; break;
    case REG_USERENR: cpu->pmu.user = value & 15; break;
    case REG_SWINC: count_by_software(cpu, value); break;
    case REG_CEID0:
    case REG_CEID0 + 1: break;
    default: write_one(cpu, number, value);
    }
    changed(cpu);
}

/* What PMUSERENR_EL0 lets EL0 do besides everything: read counters, count by software (D17.5.17). */
static uint64_t user_needs(unsigned number, bool write)
{
    switch (number) {
    case REG_USERENR: return write ? 0 : ~UINT64_C(0);
    case REG_SWINC: return USER_EN | USER_SW;
    case REG_CCNTR: return USER_EN | (write ? 0 : USER_CR);
    case REG_SELR: return USER_EN | USER_ER;
    case REG_XEVCNTR: return USER_EN | (write ? 0 : USER_ER);
    default:
        return USER_EN | (number >= REG_EVCNTR && number < REG_EVTYPER && !write ? USER_ER : 0);
    }
}

uint8_t a64_pmu_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    uint64_t needs = user_needs(number, write);

    return a64_el(cpu) || cpu->pmu.user & needs || !~needs ? SYSREG_GOES_ON : EC_SYSTEM;
}
