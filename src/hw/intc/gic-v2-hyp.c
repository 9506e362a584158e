/*
 * GICv2's virtual interface in memory: GICH for the hypervisor, GICV for its guests, which take it for GICC (ARM
 * IHI 0048B, 5.3 and 5.5). What it does is gic-virtual.c's; here are the registers' forms.
 */
#include "core/device-spec.h"
#include "hw/intc/gic-v2.h"

enum { HYP_SIZE = 0x1000, VCPU_SIZE = 0x2000 };

enum {
    GICH_HCR = 0x00,
    GICH_VTR = 0x04,
    GICH_VMCR = 0x08,
    GICH_MISR = 0x10,
    GICH_EISR0 = 0x20,
    GICH_ELRSR0 = 0x30,
    GICH_APR = 0xf0,
    GICH_LR0 = 0x100,
};

enum {
    GICV_CTLR = 0x0000,
    GICV_PMR = 0x0004,
    GICV_BPR = 0x0008,
    GICV_IAR = 0x000c,
    GICV_EOIR = 0x0010,
    GICV_RPR = 0x0014,
    GICV_HPPIR = 0x0018,
    GICV_ABPR = 0x001c,
    GICV_AIAR = 0x0020,
    GICV_AEOIR = 0x0024,
    GICV_AHPPIR = 0x0028,
    GICV_APR0 = 0x00d0,
    GICV_IIDR = 0x00fc,
    GICV_DIR = 0x1000,
};
enum { VCPU_IIDR = 0x2043b, ID_MASK = 0x3ff };

/* GICH_VMCR and GICV_CTLR have these at the same places. */
enum {
    CONTROL = ICH_VMCR_ENABLE_0 | ICH_VMCR_ENABLE_1 | ICH_VMCR_ACK_CTL | ICH_VMCR_FIQ_EN |
        ICH_VMCR_COMMON_POINT | ICH_VMCR_EOI_MODE
};

/* ---- after each change ------------------------------------------------------------------------ */

void gic_v2_update_virtual(GicV2 *g)
{
    for (unsigned cpu = 0; cpu < g->gic.cpus; cpu++) {
        gic_virtual_update(&g->virt[cpu], &g->gic, cpu);
    }
}

/* ---- list registers --------------------------------------------------------------------------- */

enum { LR_PHYSICAL_SHIFT = 10, LR_PRIORITY_SHIFT = 23, LR_STATE_SHIFT = 28 };
enum { LR_GROUP_1 = 1 << 30, ICH_STATE_SHIFT = 62, PRIORITY_BITS = 31, PRIORITY_UNUSED = 3 };
#define LR_HW (UINT32_C(1) << 31)

/* The number of the CPU that sent an SGI, and EOI, are where the physical number is of others: in both forms. */
static uint64_t list_from_v2(uint32_t value)
{
    return (value & ID_MASK) |
        (uint64_t)(value >> LR_PHYSICAL_SHIFT & ID_MASK) << ICH_LR_PHYSICAL_SHIFT |
        (uint64_t)(value >> LR_PRIORITY_SHIFT & PRIORITY_BITS)
        << (ICH_LR_PRIORITY_SHIFT + PRIORITY_UNUSED) |
        (uint64_t)(value >> LR_STATE_SHIFT & 3) << ICH_STATE_SHIFT |
        (value & LR_GROUP_1 ? ICH_LR_GROUP_1 : 0) | (value & LR_HW ? ICH_LR_HW : 0);
}

static uint32_t list_as_v2(uint64_t entry)
{
    return (entry & ID_MASK) |
        (uint32_t)(entry >> ICH_LR_PHYSICAL_SHIFT & ID_MASK) << LR_PHYSICAL_SHIFT |
        (uint32_t)(entry >> (ICH_LR_PRIORITY_SHIFT + PRIORITY_UNUSED) & PRIORITY_BITS)
        << LR_PRIORITY_SHIFT |
        (uint32_t)(entry >> ICH_STATE_SHIFT & 3) << LR_STATE_SHIFT |
        (entry & ICH_LR_GROUP_1 ? LR_GROUP_1 : 0) | (entry & ICH_LR_HW ? LR_HW : 0);
}

/* ---- the hypervisor's (GICH) ------------------------------------------------------------------ */

static bool is_list(GuestAddr offset)
{
    return offset >= GICH_LR0 && offset < GICH_LR0 + 4 * GIC_LIST_REGISTERS;
}

static uint64_t hyp_read(void *owner, GuestAddr offset, unsigned size)
{
    const GicV2 *g = owner;
    const GicVirtual *v = &g->virt[gic_v2_this_cpu()];

    if (is_list(offset)) {
        return list_as_v2(v->list[(offset - GICH_LR0) / 4]);
    }
    switch (offset) {
    case GICH_HCR: return v->control;
    case GICH_VTR:
        return UINT32_C(4) << 29 | 4 << 26 | (GIC_LIST_REGISTERS - 1); /* 5 bits of priority */
    case GICH_VMCR: return v->machine;
    case GICH_MISR: return gic_virtual_reasons(v);
    case GICH_EISR0: return gic_virtual_ended(v);
    case GICH_ELRSR0: return gic_virtual_empty(v);
    case GICH_APR: return v->running[GROUP_0] | v->running[GROUP_1];
    default: return 0;
    }
}

static void hyp_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    GicV2 *g = owner;
    unsigned cpu = gic_v2_this_cpu();
    GicVirtual *v = &g->virt[cpu];

    if (is_list(offset)) {
        gic_virtual_write_list(v, (offset - GICH_LR0) / 4, list_from_v2(value));
    } else if (offset == GICH_HCR) {
        gic_virtual_write_control(v, value & ~(uint32_t)ICH_HCR_TRAPS);
    } else if (offset == GICH_VMCR) {
        gic_virtual_write_machine(v, value);
    } else if (offset == GICH_APR) {
        v->running[GROUP_0] = value;
        v->running[GROUP_1] = 0;
    } else {
        device_guest_error(&g->gic.dev, "write to 0x%x of GICH", (unsigned)offset);
    }
    gic_virtual_update(&g->virt[cpu], &g->gic, cpu);
}

static const RegionOps hyp_ops = {
    .read = hyp_read,
    .write = hyp_write,
    .guest = { 4, 4 },
    .endian = ENDIAN_LITTLE,
};

/* ---- the guest's (GICV) ----------------------------------------------------------------------- */

static unsigned groups_shown(const GicVirtual *v)
{
    return v->machine & ICH_VMCR_ACK_CTL ? GIC_GROUP_0 | GIC_GROUP_1 : GIC_GROUP_0;
}

/* Of an SGI it is also said who sent it. */
static uint32_t acknowledge(GicVirtual *v, unsigned groups)
{
    unsigned entry, id = gic_virtual_acknowledge(v, groups, &entry);

    return id < SGIS ? list_as_v2(v->list[entry]) & (7 << LR_PHYSICAL_SHIFT | ID_MASK) : id;
}

static uint32_t read_hppir(const GicVirtual *v)
{
    unsigned group, id = gic_virtual_highest(v, &group);

    return id == GIC_NONE || groups_shown(v) >> group & 1 ? id : GIC_GROUP_1_PENDING;
}

static uint32_t read_iar(GicVirtual *v)
{
    uint32_t id = read_hppir(v);

    return id >= GIC_GROUP_1_PENDING ? id : acknowledge(v, groups_shown(v));
}

static uint32_t read_ahppir(const GicVirtual *v)
{
    unsigned group, id = gic_virtual_highest(v, &group);

    return group == GROUP_1 ? id : GIC_NONE;
}

static uint64_t vcpu_read(void *owner, GuestAddr offset, unsigned size)
{
    GicV2 *g = owner;
    unsigned cpu = gic_v2_this_cpu();
    GicVirtual *v = &g->virt[cpu];
    uint64_t value = 0;

    switch (offset) {
    case GICV_CTLR: value = v->machine & CONTROL; break;
    case GICV_PMR: value = v->machine >> ICH_VMCR_MASK_SHIFT; break;
    case GICV_BPR: value = gic_virtual_point(v, GROUP_0); break;
    case GICV_ABPR: value = gic_virtual_point(v, GROUP_1); break;
    case GICV_IAR: value = read_iar(v); break;
    case GICV_AIAR: value = acknowledge(v, GIC_GROUP_1); break;
    case GICV_RPR: value = gic_virtual_running_priority(v); break;
    case GICV_HPPIR: value = read_hppir(v); break;
    case GICV_AHPPIR: value = read_ahppir(v); break;
    case GICV_APR0: value = v->running[GROUP_0] | v->running[GROUP_1]; break;
    case GICV_IIDR: value = VCPU_IIDR; break;
    default: break;
    }
    gic_virtual_update(&g->virt[cpu], &g->gic, cpu);
    return value;
}

/* The group of the priority that is being handled: EOIR serves both where AckCtl lets IAR. */
static unsigned running_group(const GicVirtual *v)
{
    uint32_t all = v->running[GROUP_0] | v->running[GROUP_1];

    return v->running[GROUP_1] & all & -all ? GROUP_1 : GROUP_0;
}

/* A physical interrupt that the guest has ended with its own. */
static void end_physical(GicV2 *g, unsigned cpu, unsigned id)
{
    if (id < GIC_LOCAL + GIC_SPIS) {
        gic_deactivate(&g->gic, cpu, id);
    }
}

static void write_mask(GicVirtual *v, uint32_t value)
{
    uint32_t rest = v->machine & ((1u << ICH_VMCR_MASK_SHIFT) - 1);

    v->machine = rest | (value & GIC_PRIORITY_MASK) << ICH_VMCR_MASK_SHIFT;
}

static void vcpu_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    GicV2 *g = owner;
    unsigned cpu = gic_v2_this_cpu(), id = value & ID_MASK;
    GicVirtual *v = &g->virt[cpu];

    switch (offset) {
    case GICV_CTLR: v->machine = (v->machine & ~(uint32_t)CONTROL) | (value & CONTROL); break;
    case GICV_PMR: write_mask(v, value); break;
    case GICV_BPR: gic_virtual_set_point(v, GROUP_0, value); break;
    case GICV_ABPR: gic_virtual_set_point(v, GROUP_1, value); break;
    case GICV_EOIR: end_physical(g, cpu, gic_virtual_end(v, running_group(v), id)); break;
    case GICV_AEOIR: end_physical(g, cpu, gic_virtual_end(v, GROUP_1, id)); break;
    case GICV_DIR: end_physical(g, cpu, gic_virtual_deactivate(v, id)); break;
    case GICV_APR0:
        v->running[GROUP_0] = value;
        v->running[GROUP_1] = 0;
        break;
    default: device_guest_error(&g->gic.dev, "write to 0x%x of GICV", (unsigned)offset); break;
    }
    gic_virtual_update(&g->virt[cpu], &g->gic, cpu);
}

static const RegionOps vcpu_ops = {
    .read = vcpu_read,
    .write = vcpu_write,
    .guest = { 4, 4 },
    .endian = ENDIAN_LITTLE,
};

void gic_v2_add_virtual(GicV2 *g)
{
    Device *dev = &g->gic.dev;

    if (gic_place(dev, "hyp")) {
        device_add_region(dev, 2, region_new_mmio("hyp", HYP_SIZE, &hyp_ops, g));
    }
    if (gic_place(dev, "vcpu")) {
        device_add_region(dev, 3, region_new_mmio("vcpu", VCPU_SIZE, &vcpu_ops, g));
    }
}
