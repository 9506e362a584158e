/* The virtual CPU interface; see gic-virtual.h. Its pseudocode is in ARM IHI 0069, 12.10. */
#include "hw/intc/gic-virtual.h"

#include <glib.h>

#include "hw/intc/gic.h"

enum { POINT_LEAST = 2, ID_SPECIAL_FIRST = 1020, ID_SPECIAL_LAST = 1023, LPI_FIRST_ID = 8192 };

/* ---- a list register -------------------------------------------------------------------------- */

static unsigned group_of(uint64_t entry)
{
    return entry & ICH_LR_GROUP_1 ? 1 : 0;
}

static unsigned priority_of(uint64_t entry)
{
    return entry >> ICH_LR_PRIORITY_SHIFT & GIC_PRIORITY_MASK;
}

static unsigned id_of(uint64_t entry)
{
    return (uint32_t)entry;
}

static unsigned physical_of(uint64_t entry)
{
    return entry & ICH_LR_HW ? entry >> ICH_LR_PHYSICAL_SHIFT & 0x3ff : GIC_NONE;
}

static bool is_enabled(const GicVirtual *v, uint64_t entry)
{
    return v->machine >> group_of(entry) & 1; /* ICH_VMCR_ENABLE_0 or _1 */
}

static unsigned mask_of(const GicVirtual *v)
{
    return v->machine >> ICH_VMCR_MASK_SHIFT & 0xff;
}

/* ---- which one interrupts --------------------------------------------------------------------- */

unsigned gic_virtual_point(const GicVirtual *v, unsigned group)
{
    unsigned point_0 = v->machine >> ICH_VMCR_POINT_0_SHIFT & 7;

    if (group && v->machine & ICH_VMCR_COMMON_POINT) {
        return MIN(point_0 + 1, 7u);
    }
    return group ? v->machine >> ICH_VMCR_POINT_1_SHIFT & 7 : point_0;
}

void gic_virtual_set_point(GicVirtual *v, unsigned group, unsigned value)
{
    unsigned shift = group ? ICH_VMCR_POINT_1_SHIFT : ICH_VMCR_POINT_0_SHIFT;

    v->machine = (v->machine & ~(7u << shift)) | MAX(value & 7, POINT_LEAST + group) << shift;
}

/* The part of a priority that decides about preemption; group 1 counts from one less (4.8.2). */
static unsigned group_priority(const GicVirtual *v, uint64_t entry)
{
    unsigned group = group_of(entry), point = gic_virtual_point(v, group);

    return priority_of(entry) & 0xffu << (group ? point : point + 1) & GIC_PRIORITY_MASK;
}

unsigned gic_virtual_running_priority(const GicVirtual *v)
{
    uint32_t running = v->running[0] | v->running[1];

    return running ? (unsigned)__builtin_ctz(running) << 3 : GIC_IDLE_PRIORITY;
}

/* The pending entry of the highest priority; -1: none. */
static int best_entry(const GicVirtual *v)
{
    unsigned priority = GIC_IDLE_PRIORITY + 1;
    int best = -1;

    for (unsigned n = 0; v->control & ICH_HCR_EN && n < GIC_LIST_REGISTERS; n++) {
        uint64_t entry = v->list[n];

        if ((entry & ICH_LR_STATE) == ICH_LR_PENDING && is_enabled(v, entry) &&
            priority_of(entry) < priority) {
            priority = priority_of(entry);
            best = (int)n;
        }
    }
    return best;
}

static bool interrupts(const GicVirtual *v, int n)
{
    return n >= 0 && priority_of(v->list[n]) < mask_of(v) &&
        group_priority(v, v->list[n]) < gic_virtual_running_priority(v);
}

unsigned gic_virtual_lines(const GicVirtual *v)
{
    int n = best_entry(v);
    bool fiq = n >= 0 && group_of(v->list[n]) == 0 && v->machine & ICH_VMCR_FIQ_EN;

    return interrupts(v, n) ? fiq ? 2 : 1 : 0;
}

unsigned gic_virtual_highest(const GicVirtual *v, unsigned *group)
{
    int n = best_entry(v);

    *group = n >= 0 ? group_of(v->list[n]) : 0;
    return interrupts(v, n) ? id_of(v->list[n]) : GIC_NONE;
}

/* ---- what the guest does ---------------------------------------------------------------------- */

unsigned gic_virtual_acknowledge(GicVirtual *v, unsigned groups, unsigned *entry)
{
    int n = best_entry(v);

    if (!interrupts(v, n) || !(groups >> group_of(v->list[n]) & 1)) {
        return GIC_NONE;
    }
    v->running[group_of(v->list[n])] |= UINT32_C(1) << (group_priority(v, v->list[n]) >> 3);
    v->list[n] = (v->list[n] & ~ICH_LR_STATE) | ICH_LR_ACTIVE;
    *entry = (unsigned)n;
    return id_of(v->list[n]);
}

/* Gives the priority that was handled; GIC_IDLE_PRIORITY: none was. */
static unsigned drop_priority(GicVirtual *v)
{
    uint32_t all = v->running[0] | v->running[1], highest = all & -all;

    v->running[0] &= ~highest;
    v->running[1] &= ~highest;
    return all ? (unsigned)__builtin_ctz(all) << 3 : GIC_IDLE_PRIORITY;
}

static int active_entry(const GicVirtual *v, unsigned id)
{
    for (unsigned n = 0; n < GIC_LIST_REGISTERS; n++) {
        if (v->list[n] & ICH_LR_ACTIVE && id_of(v->list[n]) == id) {
            return (int)n;
        }
    }
    return -1;
}

/* One that no list register has is counted for the hypervisor (ICH_HCR_EL2.EOIcount). */
static void count_end(GicVirtual *v)
{
    v->control += 1u << ICH_HCR_EOI_SHIFT;
}

static unsigned end_entry(GicVirtual *v, int n)
{
    v->list[n] &= ~ICH_LR_ACTIVE;
    return physical_of(v->list[n]);
}

unsigned gic_virtual_end(GicVirtual *v, unsigned group, unsigned id)
{
    bool splits = v->machine & ICH_VMCR_EOI_MODE;
    unsigned dropped;
    int n = active_entry(v, id);

    if (id >= ID_SPECIAL_FIRST && id <= ID_SPECIAL_LAST) {
        return GIC_NONE;
    }
    dropped = drop_priority(v);
    if (dropped == GIC_IDLE_PRIORITY) {
        return GIC_NONE;
    }
    if (n < 0) {
        if (!splits && id < LPI_FIRST_ID) {
            count_end(v);
        }
        return GIC_NONE;
    }
    if (splits || group_of(v->list[n]) != group || group_priority(v, v->list[n]) != dropped) {
        return GIC_NONE;
    }
    return end_entry(v, n);
}

unsigned gic_virtual_deactivate(GicVirtual *v, unsigned id)
{
    int n = active_entry(v, id);

    if (!(v->machine & ICH_VMCR_EOI_MODE)) {
        return GIC_NONE;
    }
    if (n < 0) {
        count_end(v);
        return GIC_NONE;
    }
    return end_entry(v, n);
}

/* ---- what the hypervisor sees ----------------------------------------------------------------- */

static bool wants_end(uint64_t entry)
{
    return !(entry & (ICH_LR_STATE | ICH_LR_HW)) && entry & ICH_LR_EOI;
}

uint32_t gic_virtual_ended(const GicVirtual *v)
{
    uint32_t ended = 0;

    for (unsigned n = 0; n < GIC_LIST_REGISTERS; n++) {
        ended |= (uint32_t)wants_end(v->list[n]) << n;
    }
    return ended;
}

uint32_t gic_virtual_empty(const GicVirtual *v)
{
    uint32_t empty = 0;

    for (unsigned n = 0; n < GIC_LIST_REGISTERS; n++) {
        bool waits = !(v->list[n] & ICH_LR_HW) && v->list[n] & ICH_LR_EOI;

        empty |= (uint32_t)(!(v->list[n] & ICH_LR_STATE) && !waits) << n;
    }
    return empty;
}

static unsigned count_state(const GicVirtual *v, uint64_t state, uint64_t wanted)
{
    unsigned count = 0;

    for (unsigned n = 0; n < GIC_LIST_REGISTERS; n++) {
        count += (v->list[n] & state) == wanted;
    }
    return count;
}

/* ICH_MISR_EL2 (12.4.7): EOI, U, LRENP, NP, and each group enabled or disabled. */
uint32_t gic_virtual_reasons(const GicVirtual *v)
{
    uint32_t c = v->control, reasons = gic_virtual_ended(v) != 0;
    bool enabled_0 = v->machine & ICH_VMCR_ENABLE_0, enabled_1 = v->machine & ICH_VMCR_ENABLE_1;
    unsigned valid = GIC_LIST_REGISTERS - count_state(v, ICH_LR_STATE, 0);

    reasons |= (uint32_t)(c & ICH_HCR_UIE && valid < 2) << 1;
    reasons |= (uint32_t)(c & ICH_HCR_LRENPIE && c >> ICH_HCR_EOI_SHIFT) << 2;
    reasons |= (uint32_t)(c & ICH_HCR_NPIE && !count_state(v, ICH_LR_STATE, ICH_LR_PENDING)) << 3;
    return reasons | (c & 0x10 && enabled_0 ? 0x10u : 0) | (c & 0x20 && !enabled_0 ? 0x20u : 0) |
        (c & 0x40 && enabled_1 ? 0x40u : 0) | (c & 0x80 && !enabled_1 ? 0x80u : 0);
}

void gic_virtual_write_control(GicVirtual *v, uint32_t value)
{
    uint32_t mask = ICH_HCR_EN | ICH_HCR_UIE | ICH_HCR_LRENPIE | ICH_HCR_NPIE | ICH_HCR_GROUPS |
        ICH_HCR_TRAPS | 0x1fu << ICH_HCR_EOI_SHIFT;

    v->control = value & mask & ~(UINT32_C(1) << 13); /* TSEI: there are no local SErrors */
}

void gic_virtual_write_machine(GicVirtual *v, uint32_t value)
{
    v->machine = value & 0xfffc021f & ~(UINT32_C(7) << ICH_VMCR_MASK_SHIFT);
    gic_virtual_set_point(v, 0, value >> ICH_VMCR_POINT_0_SHIFT);
    gic_virtual_set_point(v, 1, value >> ICH_VMCR_POINT_1_SHIFT);
}

void gic_virtual_write_list(GicVirtual *v, unsigned n, uint64_t value)
{
    /* state, HW, group, priority of five bits, 13 bits of physical number, 32 of virtual, of which 16 are there */
    v->list[n] = value & UINT64_C(0xf0f803ff0000ffff);
    if (!(value & ICH_LR_HW)) {
        v->list[n] |= value & ICH_LR_EOI;
    }
}

void gic_virtual_reset(GicVirtual *v)
{
    *v = (GicVirtual){ .maintenance = v->maintenance };
    gic_virtual_write_machine(v, 0);
}

/* ---- after each change ------------------------------------------------------------------------ */

void gic_virtual_update(GicVirtual *v, struct Gic *gic, unsigned cpu)
{
    unsigned lines = gic_virtual_lines(v);
    bool maintenance = v->control & ICH_HCR_EN && gic_virtual_reasons(v);

    device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_VIRQ, lines & 1);
    device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_VFIQ, lines & 2);
    if (v->maintenance != maintenance) {
        v->maintenance = maintenance;
        gic_set_private(gic, cpu, GIC_MAINTENANCE_PPI, maintenance);
    }
}
