/*
 * GICv2: a distributor and the CPUs' interfaces, in memory; each CPU sees its own.
 *
 * ARM IHI 0048B, "GIC Architecture Specification, version 2.0", without the Security and the
 * Virtualization Extensions. Both groups arrive as IRQ until FIQEn is set.
 */
#include <string.h>

#include "hw/intc/gic.h"

enum { DIST_SIZE = 0x1000, CPU_SIZE = 0x2000, SGIS = 16 };

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

enum {
    CTLR_ENABLES = 3,
    CTLR_ACK_GROUP_1 = 4,
    CTLR_FIQ = 8,
    CTLR_EOI_MODE = 0x200,
    CTLR_ALL = 0x21f
};
enum { GROUP_1_PENDING = 1022 };
enum { ARCHITECTURE_2 = 0x2b, DIST_IIDR = 0x43b, CPU_IIDR = 0x2043b };

typedef struct GicV2 {
    Gic gic;

    uint32_t control[GIC_CPUS_MAX];      /* GICC_CTLR */
    uint8_t senders[GIC_CPUS_MAX][SGIS]; /* CPUs whose SGI waits; pending while not 0 */
} GicV2;

/* Whose registers are meant: those of the CPU that asks. */
static unsigned this_cpu(void)
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

/* 4.3.15: to a list, to all others, or to oneself. */
static void send_sgi(GicV2 *g, unsigned from, uint32_t value)
{
    const uint8_t targets[4] = { value >> 16, ~(1 << from), 1 << from, 0 };
    uint8_t list = targets[value >> 24 & 3];
    unsigned sgi = value & 15;

    for (unsigned cpu = 0; cpu < g->gic.cpus; cpu++) {
        if (list >> cpu & 1) {
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

static uint64_t dist_read(void *owner, GuestAddr offset, unsigned size)
{
    GicV2 *g = owner;
    uint32_t value = 0;

    switch (offset) {
    case GICD_CTLR: return g->gic.enabled;
    case GICD_TYPER: return GIC_SHARED_BANKS | (g->gic.cpus - 1) << 5;
    case GICD_IIDR: return DIST_IIDR;
    case GICD_ICPIDR2: return ARCHITECTURE_2;
    default: break;
    }
    if (is_senders(offset)) {
        memcpy(&value, &g->senders[this_cpu()][offset % SGIS], size);
        return GUINT32_FROM_LE(value);
    }
    gic_read_array(&g->gic, this_cpu(), offset, size, &value);
    return value;
}

static void write_senders(GicV2 *g, unsigned cpu, uint32_t offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        unsigned sgi = (offset + i) % SGIS;
        uint8_t bits = value >> i * 8, old = g->senders[cpu][sgi];

        set_senders(g, cpu, sgi, offset < GICD_SPENDSGIR ? old & ~bits : old | bits);
    }
    gic_update_cpu(&g->gic, cpu);
}

static void dist_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    GicV2 *g = owner;
    unsigned cpu = this_cpu();

    if (offset == GICD_CTLR) {
        g->gic.enabled = value & CTLR_ENABLES;
        gic_update(&g->gic);
    } else if (offset == GICD_SGIR) {
        send_sgi(g, cpu, value);
    } else if (is_senders(offset)) {
        write_senders(g, cpu, offset, size, value);
    } else if (!gic_write_array(&g->gic, cpu, offset, size, value)) {
        device_guest_error(&g->gic.dev, "write to 0x%x of the distributor", (unsigned)offset);
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

/* Group 1 is only hinted at, unless AckCtl says that it may be taken here too. */
static uint32_t read_iar(GicV2 *g, unsigned cpu)
{
    unsigned group, id = gic_highest(&g->gic, cpu, &group);

    if (id != GIC_NONE && group == 1 && !(g->control[cpu] & CTLR_ACK_GROUP_1)) {
        return GROUP_1_PENDING;
    }
    return acknowledge(g, cpu, GIC_GROUP_0 | GIC_GROUP_1);
}

static uint32_t read_hppir(GicV2 *g, unsigned cpu)
{
    unsigned group, id = gic_highest(&g->gic, cpu, &group);

    return id != GIC_NONE && group == 1 && !(g->control[cpu] & CTLR_ACK_GROUP_1) ? GROUP_1_PENDING
                                                                                 : id;
}

static void write_eoir(GicV2 *g, unsigned cpu, uint32_t value)
{
    unsigned id = value & 0x3ff;

    if (id >= GIC_LOCAL + GIC_SPIS) {
        return; /* the special numbers end nothing */
    }
    gic_drop_priority(&g->gic, cpu);
    if (!(g->control[cpu] & CTLR_EOI_MODE)) {
        gic_deactivate(&g->gic, cpu, id);
    }
}

static uint64_t cpu_read(void *owner, GuestAddr offset, unsigned size)
{
    GicV2 *g = owner;
    unsigned cpu = this_cpu(), group, id;
    const GicCpu *c = &g->gic.cpu[cpu];

    switch (offset) {
    case GICC_CTLR: return g->control[cpu];
    case GICC_PMR: return c->mask;
    case GICC_BPR: return c->binary_point[0];
    case GICC_ABPR: return c->binary_point[1];
    case GICC_IAR: return read_iar(g, cpu);
    case GICC_AIAR: return acknowledge(g, cpu, GIC_GROUP_1);
    case GICC_HPPIR: return read_hppir(g, cpu);
    case GICC_AHPPIR: id = gic_highest(&g->gic, cpu, &group); return group == 1 ? id : GIC_NONE;
    case GICC_RPR: return gic_running_priority(&g->gic, cpu);
    case GICC_APR0: return c->running[0];
    case GICC_NSAPR0: return c->running[1];
    case GICC_IIDR: return CPU_IIDR;
    }
    return 0;
}

static void write_control(GicV2 *g, unsigned cpu, uint32_t value)
{
    g->control[cpu] = value & CTLR_ALL;
    g->gic.cpu[cpu].enabled = value & CTLR_ENABLES;
    g->gic.cpu[cpu].group_0_is_fiq = (value & CTLR_FIQ) != 0;
}

static void cpu_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    GicV2 *g = owner;
    unsigned cpu = this_cpu();
    GicCpu *c = &g->gic.cpu[cpu];

    switch (offset) {
    case GICC_CTLR: write_control(g, cpu, value); break;
    case GICC_PMR: c->mask = value & GIC_PRIORITY_MASK; break;
    case GICC_BPR: c->binary_point[0] = MAX(value & 7, 2); break;
    case GICC_ABPR: c->binary_point[1] = MAX(value & 7, 3); break;
    case GICC_EOIR:
    case GICC_AEOIR: write_eoir(g, cpu, value); break;
    case GICC_DIR: gic_deactivate(&g->gic, cpu, value & 0x3ff); break;
    case GICC_APR0: c->running[0] = value; break;
    case GICC_NSAPR0: c->running[1] = value; break;
    default: device_guest_error(&g->gic.dev, "write to 0x%x of a CPU", (unsigned)offset); break;
    }
    gic_update_cpu(&g->gic, cpu);
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
        g->gic.cpu[cpu].binary_point[0] = 2;
        g->gic.cpu[cpu].binary_point[1] = 3;
    }
}

static void v2_loaded(Device *dev)
{
    gic_update(&((GicV2 *)dev)->gic);
}

static bool v2_start(Device *dev, Diag *diag)
{
    GicV2 *g = (GicV2 *)dev;

    if (!gic_start(&g->gic, diag)) {
        return false;
    }
    device_add_region(dev, 0, region_new_mmio("dist", DIST_SIZE, &dist_ops, g));
    device_add_region(dev, 1, region_new_mmio("cpu", CPU_SIZE, &cpu_ops, g));
    gic_serve_cpus(&g->gic, &v2_intc);
    return true;
}

static const Saved v2_saved[] = {
    GIC_SAVED(GicV2),
    SAVED(GicV2, control),
    SAVED(GicV2, senders),
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
