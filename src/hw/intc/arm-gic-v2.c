/*
 * GICv2: a distributor and the CPUs' interfaces, in memory; each CPU sees its own.
 *
 * ARM IHI 0048B, "GIC Architecture Specification, version 2.0", with the Security Extensions where
 * the machine has a secure state, and the Virtualization Extensions (gic-v2-hyp.c) where the board
 * gives them a place. Both groups arrive as IRQ until FIQEn is set.
 */
#include <string.h>

#include "hw/intc/gic-v2.h"

enum { DIST_SIZE = 0x1000, CPU_SIZE = 0x2000 };

enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IIDR = 0x008,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICD_ICPIDR2 = 0xfe8,
};

enum {
    GICC_CTLR = 0x0000,
    GICC_PMR = 0x0004,
    GICC_BPR = 0x0008,
    GICC_IAR = 0x000c,
    GICC_EOIR = 0x0010,
    GICC_RPR = 0x0014,
    GICC_HPPIR = 0x0018,
    GICC_ABPR = 0x001c,
    GICC_AIAR = 0x0020,
    GICC_AEOIR = 0x0024,
    GICC_AHPPIR = 0x0028,
    GICC_APR0 = 0x00d0,
    GICC_NSAPR0 = 0x00e0,
    GICC_IIDR = 0x00fc,
    GICC_DIR = 0x1000,
};

/* GICC_CTLR; the non-secure state has its own enable and mode at the places of the secure one's (4.4.1). */
enum {
    CTLR_ENABLES = 3,
    CTLR_ACK_GROUP_1 = 4,
    CTLR_FIQ = 8,
    CTLR_COMMON_POINT = 0x10,
    CTLR_EOI_MODE = 0x200,
    CTLR_EOI_MODE_NONSECURE = 0x400,
    CTLR_ALL = 0x21f
};
enum { TYPER_STATES = 1 << 10 };
enum { ARCHITECTURE_2 = 0x2b, DIST_IIDR = 0x43b, CPU_IIDR = 0x2043b };

unsigned gic_v2_this_cpu(void)
{
    const Cpu *cpu = cpu_current();

    return cpu ? cpu->index : 0;
}

/* ---- software-generated interrupts ---- */

static void set_senders(GicV2 *g, unsigned cpu, unsigned sgi, uint8_t senders)
{
    uint32_t *pending = &g->gic.local[cpu].pending;

    g->senders[cpu][sgi] = senders;
    *pending = (*pending & ~(UINT32_C(1) << sgi)) | (uint32_t)(senders != 0) << sgi;
}

/* Of two states the secure one says which group is meant (NSATT); the other one has group 1. */
static bool is_sent(const GicPort *port, unsigned to, unsigned sgi, uint32_t value)
{
    enum { FOR_GROUP_1 = 1 << 15 };
    const Gic *gic = port->gic;
    unsigned group = gic_group_of(gic, &gic->local[to], sgi);

    return !gic->has_states || group == (!port->secure || value & FOR_GROUP_1 ? GROUP_1 : GROUP_0);
}

/* 4.3.15: to a list, to all others, or to oneself. */
static void send_sgi(const GicPort *port, unsigned from, uint32_t value)
{
    GicV2 *g = (GicV2 *)port->gic;
    const uint8_t targets[4] = { value >> 16, ~(1 << from), 1 << from, 0 };
    uint8_t list = targets[value >> 24 & 3];
    unsigned sgi = value & 15;

    for (unsigned cpu = 0; cpu < g->gic.cpus; cpu++) {
        if (list >> cpu & 1 && is_sent(port, cpu, sgi, value)) {
            set_senders(g, cpu, sgi, g->senders[cpu][sgi] | 1 << from);
        }
    }
    gic_update(&g->gic);
}

/* ---- distributor ---- */

/* A byte of senders for each SGI, in two views: to set and to clear. */
static bool is_senders(uint32_t offset)
{
    return offset >= GICD_CPENDSGIR && offset < GICD_SPENDSGIR + SGIS;
}

/* What the other state may know of an SGI's senders is what it may know of the SGI. */
static uint8_t visible_senders(const GicPort *port, unsigned cpu, unsigned sgi, uint8_t senders)
{
    const Gic *gic = port->gic;

    return gic_is_secure(port) || gic_group_of(gic, &gic->local[cpu], sgi) == GROUP_1 ? senders : 0;
}

static uint32_t read_senders(const GicPort *port, uint32_t offset, unsigned size)
{
    const GicV2 *g = (const GicV2 *)port->gic;
    unsigned cpu = gic_v2_this_cpu();
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        unsigned sgi = (offset + i) % SGIS;

        value |= (uint32_t)visible_senders(port, cpu, sgi, g->senders[cpu][sgi]) << i * 8;
    }
    return value;
}

/* The non-secure state has the enable of its group where the secure one has group 0's (4.3.1). */
static uint32_t read_dist_control(const GicPort *port)
{
    return gic_is_secure(port) ? port->gic->enabled : port->gic->enabled >> GROUP_1 & 1;
}

static void write_dist_control(const GicPort *port, uint32_t value)
{
    Gic *gic = port->gic;

    gic->enabled = gic_is_secure(port) ? value & CTLR_ENABLES
                                       : (gic->enabled & GIC_GROUP_0) | (value & 1) << GROUP_1;
    gic_update(gic);
}

static uint64_t dist_read(void *owner, GuestAddr offset, unsigned size)
{
    const GicPort *port = owner;
    const Gic *gic = port->gic;
    uint32_t value = 0;

    switch (offset) {
    case GICD_CTLR: return read_dist_control(port);
    case GICD_TYPER:
        return GIC_SHARED_BANKS | (gic->cpus - 1) << 5 | (gic->has_states ? TYPER_STATES : 0);
    case GICD_IIDR: return DIST_IIDR;
    case GICD_ICPIDR2: return ARCHITECTURE_2;
    default: break;
    }
    if (is_senders(offset)) {
        return read_senders(port, offset, size);
    }
    gic_read_array(&(GicAccess){ port, gic_v2_this_cpu(), size, offset }, &value);
    return value;
}

static void write_senders(
    const GicPort *port, unsigned cpu, uint32_t offset, unsigned size, uint32_t value)
{
    GicV2 *g = (GicV2 *)port->gic;

    for (unsigned i = 0; i < size; i++) {
        unsigned sgi = (offset + i) % SGIS;
        uint8_t bits = visible_senders(port, cpu, sgi, value >> i * 8), old = g->senders[cpu][sgi];

        set_senders(g, cpu, sgi, offset < GICD_SPENDSGIR ? old & ~bits : old | bits);
    }
    gic_update_cpu(&g->gic, cpu);
}

static void dist_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    const GicPort *port = owner;
    unsigned cpu = gic_v2_this_cpu();

    if (offset == GICD_CTLR) {
        write_dist_control(port, value);
    } else if (offset == GICD_SGIR) {
        send_sgi(port, cpu, value);
    } else if (is_senders(offset)) {
        write_senders(port, cpu, offset, size, value);
    } else if (!gic_write_array(&(GicAccess){ port, cpu, size, offset }, value)) {
        device_guest_error(&port->gic->dev, "write to 0x%x of the distributor", (unsigned)offset);
    }
}

static const RegionOps dist_ops = {
    .read = dist_read,
    .write = dist_write,
    .guest = { 1, 4 },
    .endian = ENDIAN_LITTLE,
};

/* ---- CPU interface ---- */

/* An SGI says who sent it, and stays pending while there are other senders (4.4.4). */
static uint32_t acknowledge(GicV2 *g, unsigned cpu, unsigned groups)
{
    unsigned id = gic_acknowledge(&g->gic, cpu, groups), sender;

    if (id >= SGIS || !g->senders[cpu][id]) {
        return id;
    }
    sender = __builtin_ctz(g->senders[cpu][id]);
    set_senders(g, cpu, id, g->senders[cpu][id] & ~(1 << sender));
    gic_update_cpu(&g->gic, cpu);
    return id | sender << 10;
}

/* Groups that the reader of IAR may have (4.4.4, 4.4.7): group 1 is only hinted at, unless AckCtl says that it may. */
static unsigned groups_shown(const GicPort *port, unsigned cpu)
{
    const GicV2 *g = (const GicV2 *)port->gic;

    if (!gic_is_secure(port)) {
        return GIC_GROUP_1;
    }
    return g->control[cpu] & CTLR_ACK_GROUP_1 ? GIC_GROUP_0 | GIC_GROUP_1 : GIC_GROUP_0;
}

static uint32_t read_hppir(const GicPort *port, unsigned cpu)
{
    unsigned group, id = gic_highest(port->gic, cpu, &group);

    if (id == GIC_NONE || groups_shown(port, cpu) >> group & 1) {
        return id;
    }
    return group == GROUP_1 ? GIC_GROUP_1_PENDING : GIC_NONE;
}

static uint32_t read_iar(const GicPort *port, unsigned cpu)
{
    uint32_t id = read_hppir(port, cpu);

    return id >= GIC_GROUP_1_PENDING
        ? id
        : acknowledge((GicV2 *)port->gic, cpu, groups_shown(port, cpu));
}

static bool splits_end(const GicPort *port, unsigned cpu)
{
    const GicV2 *g = (const GicV2 *)port->gic;

    return g->control[cpu] & (gic_is_secure(port) ? CTLR_EOI_MODE : CTLR_EOI_MODE_NONSECURE);
}

/* Not the secure state's by the other one. */
static void deactivate(const GicPort *port, unsigned cpu, unsigned id)
{
    Gic *gic = port->gic;

    if (id < GIC_LOCAL + GIC_SPIS &&
        (gic_is_secure(port) || gic_group_of(gic, gic_bank_of(gic, cpu, id), id % 32) == GROUP_1)) {
        gic_deactivate(gic, cpu, id);
    }
}

static void write_eoir(const GicPort *port, unsigned cpu, uint32_t value)
{
    unsigned id = value & 0x3ff;
    bool foreign = !gic_is_secure(port) && gic_running_group(port->gic, cpu) == GROUP_0;

    if (id >= GIC_LOCAL + GIC_SPIS || foreign) {
        return; /* the special numbers end nothing */
    }
    gic_drop_priority(port->gic, cpu);
    if (!splits_end(port, cpu)) {
        deactivate(port, cpu, id);
    }
}

static uint32_t read_control(const GicPort *port, unsigned cpu)
{
    uint32_t control = ((const GicV2 *)port->gic)->control[cpu];

    if (gic_is_secure(port)) {
        return control;
    }
    return (control >> GROUP_1 & 1) | (control & CTLR_EOI_MODE_NONSECURE) >> 1;
}

static void write_control(const GicPort *port, unsigned cpu, uint32_t value)
{
    GicV2 *g = (GicV2 *)port->gic;
    GicCpu *c = &g->gic.cpu[cpu];
    uint32_t of_group_1 = GIC_GROUP_1 | CTLR_EOI_MODE_NONSECURE;

    if (gic_is_secure(port)) {
        g->control[cpu] = value & (CTLR_ALL | (g->gic.has_states ? CTLR_EOI_MODE_NONSECURE : 0));
    } else {
        value = (value & 1) << GROUP_1 | (value & CTLR_EOI_MODE) << 1;
        g->control[cpu] = (g->control[cpu] & ~of_group_1) | value;
    }
    c->enabled = g->control[cpu] & CTLR_ENABLES;
    c->group_0_is_fiq = (g->control[cpu] & CTLR_FIQ) != 0;
    c->common_point = g->control[cpu] & CTLR_COMMON_POINT ? GIC_GROUP_1 : 0;
}

/* The rest of the non-secure state's interface: priorities and points of its own (4.4, 3.8). */
static uint64_t read_nonsecure(const GicPort *port, unsigned cpu, GuestAddr offset)
{
    const GicCpu *c = &port->gic->cpu[cpu];
    unsigned running = gic_running_priority(port->gic, cpu);

    switch (offset) {
    case GICC_PMR: return gic_priority_seen(c->mask);
    case GICC_BPR:
        return c->common_point ? MIN(c->binary_point[GROUP_0] + 1, 7) : c->binary_point[GROUP_1];
    case GICC_RPR: return running == GIC_IDLE_PRIORITY ? running : gic_priority_seen(running);
    case GICC_APR0: return c->running[GROUP_1] >> 16;
    case GICC_IIDR: return CPU_IIDR;
    default: return 0;
    }
}

static uint64_t read_secure(const GicPort *port, unsigned cpu, GuestAddr offset)
{
    Gic *gic = port->gic;
    const GicCpu *c = &gic->cpu[cpu];
    unsigned group, id;

    switch (offset) {
    case GICC_PMR: return c->mask;
    case GICC_BPR: return c->binary_point[GROUP_0];
    case GICC_ABPR: return c->binary_point[GROUP_1];
    case GICC_AIAR: return acknowledge((GicV2 *)gic, cpu, GIC_GROUP_1);
    case GICC_AHPPIR: id = gic_highest(gic, cpu, &group); return group == GROUP_1 ? id : GIC_NONE;
    case GICC_RPR: return gic_running_priority(gic, cpu);
    case GICC_APR0: return c->running[GROUP_0];
    case GICC_NSAPR0: return c->running[GROUP_1];
    case GICC_IIDR: return CPU_IIDR;
    default: return 0;
    }
}

static uint64_t cpu_read(void *owner, GuestAddr offset, unsigned size)
{
    const GicPort *port = owner;
    unsigned cpu = gic_v2_this_cpu();

    switch (offset) {
    case GICC_CTLR: return read_control(port, cpu);
    case GICC_IAR: return read_iar(port, cpu);
    case GICC_HPPIR: return read_hppir(port, cpu);
    default:
        return gic_is_secure(port) ? read_secure(port, cpu, offset)
                                   : read_nonsecure(port, cpu, offset);
    }
}

static void write_nonsecure(const GicPort *port, unsigned cpu, GuestAddr offset, uint32_t value)
{
    GicCpu *c = &port->gic->cpu[cpu];

    switch (offset) {
    case GICC_PMR: c->mask = c->mask & 0x80 ? gic_priority_meant(value) : c->mask; break;
    case GICC_BPR:
        c->binary_point[GROUP_1] = c->common_point ? c->binary_point[GROUP_1] : MAX(value & 7, 3);
        break;
    case GICC_APR0: c->running[GROUP_1] = value << 16; break;
    default: break; /* what the secure state has alone */
    }
}

static void write_secure(const GicPort *port, unsigned cpu, GuestAddr offset, uint32_t value)
{
    GicCpu *c = &port->gic->cpu[cpu];

    switch (offset) {
    case GICC_PMR: c->mask = value & GIC_PRIORITY_MASK; break;
    case GICC_BPR: c->binary_point[GROUP_0] = MAX(value & 7, 2); break;
    case GICC_ABPR: c->binary_point[GROUP_1] = MAX(value & 7, 3); break;
    case GICC_AEOIR: write_eoir(port, cpu, value); break;
    case GICC_APR0: c->running[GROUP_0] = value; break;
    case GICC_NSAPR0: c->running[GROUP_1] = value; break;
    default: device_guest_error(&port->gic->dev, "write to 0x%x of a CPU", (unsigned)offset); break;
    }
}

static void cpu_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    const GicPort *port = owner;
    unsigned cpu = gic_v2_this_cpu();

    if (offset == GICC_CTLR) {
        write_control(port, cpu, value);
    } else if (offset == GICC_EOIR) {
        write_eoir(port, cpu, value);
    } else if (offset == GICC_DIR) {
        deactivate(port, cpu, value & 0x3ff);
    } else if (gic_is_secure(port)) {
        write_secure(port, cpu, offset, value);
    } else {
        write_nonsecure(port, cpu, offset, value);
    }
    gic_update_cpu(port->gic, cpu);
}

static const RegionOps cpu_ops = {
    .read = cpu_read,
    .write = cpu_write,
    .guest = { 4, 4 },
    .endian = ENDIAN_LITTLE,
};

/* CPUs have no instructions for it, only the lines of their timers. */
static bool no_read(void *owner, unsigned cpu, uint32_t reg, uint64_t *value)
{
    return false;
}

static bool no_write(void *owner, unsigned cpu, uint32_t reg, uint64_t value)
{
    return false;
}

static const CpuIntc v2_intc = {
    .read = no_read,
    .write = no_write,
    .set_private = gic_set_private,
};

/* ---- life ---- */

static void v2_reset(Device *dev)
{
    GicV2 *g = (GicV2 *)dev;

    gic_reset(&g->gic);
    memset(g->control, 0, sizeof(g->control));
    memset(g->senders, 0, sizeof(g->senders));
    for (unsigned cpu = 0; cpu < GIC_CPUS_MAX; cpu++) {
        g->gic.cpu[cpu].binary_point[GROUP_0] = 2;
        g->gic.cpu[cpu].binary_point[GROUP_1] = 3;
        gic_virtual_reset(&g->virt[cpu]);
    }
    gic_v2_update_virtual(g);
}

static void v2_loaded(Device *dev)
{
    gic_update(&((GicV2 *)dev)->gic);
    gic_v2_update_virtual((GicV2 *)dev);
}

static bool v2_start(Device *dev, Diag *diag)
{
    GicV2 *g = (GicV2 *)dev;

    if (!gic_start(&g->gic, diag)) {
        return false;
    }
    gic_add_region(&g->gic, 0, "dist", DIST_SIZE, &dist_ops);
    gic_add_region(&g->gic, 1, "cpu", CPU_SIZE, &cpu_ops);
    gic_v2_add_virtual(g);
    gic_serve_cpus(&g->gic, &v2_intc);
    return true;
}

static const Saved v2_saved[] = {
    GIC_SAVED(GicV2),
    SAVED(GicV2, control),
    SAVED(GicV2, senders),
    SAVED(GicV2, virt),
    {},
};

DEVICE_CLASS(arm_gic_v2) = {
    .name = "arm-gic-v2",
    .state_size = sizeof(GicV2),
    .saved = v2_saved,
    .start = v2_start,
    .reset = v2_reset,
    .loaded = v2_loaded,
    .set_input = gic_set_input,
};
