/*
 * GICv3: distributor, a redistributor for each CPU, and their interfaces as system registers.
 *
 * ARM IHI 0069, "GIC Architecture Specification, version 3 and 4". Affinity routing always on. With
 * one security state (GICD_CTLR.DS) group 1 arrives as IRQ and group 0 as FIQ; with two, what the
 * CPU's state is not interested in is FIQ. Messages are there when the board gives the translation
 * service a place.
 */
#include <string.h>

#include "core/device-spec.h"
#include "core/fdt.h"
#include "hw/intc/gic-v3.h"

enum {
    DIST_SIZE = 0x10000,
    REDIST_FRAME = 0x10000, /* two for each CPU: its control, and its own interrupts */
    REDIST_SIZE = 2 * REDIST_FRAME,
};

enum { GICD_CTLR = 0x0000, GICD_TYPER = 0x0004, GICD_IIDR = 0x0008, GICD_IROUTER = 0x6100 };
enum { GICR_IIDR = 0x0004, GICR_TYPER = 0x0008, GICR_WAKER = 0x0014 };
enum { ID_PIDR2 = 0xffe8 };

enum { CTLR_GROUPS = 7, CTLR_ARE = 0x10, CTLR_ARE_NS = 0x20, CTLR_DS = 0x40 };
enum { WAKER_ASLEEP = 2 }; /* ChildrenAsleep, the bit above, follows it */
enum { IMPLEMENTER_ARM = 0x43b, ARCHITECTURE_3 = 0x3b };
enum {
    TYPER_STATES = 1 << 10,
    TYPER_LPIS = 1 << 17,
    TYPER_NO_1_OF_N = 1 << 25,
    TYPER_ID_BITS = 19,
    ID_BITS = 10
};

/* ---- distributor ---- */

/* One target by its affinity; CPUs are numbered in affinity 0 (12.9.22). */
static void set_route(GicV3 *g, unsigned spi, uint64_t value)
{
    GicBank *bank = gic_bank_of(&g->gic, 0, GIC_LOCAL + spi);
    uint64_t affinity = value & UINT64_C(0xff00ffffff);

    g->route[spi] = affinity;
    bank->targets[spi % 32] = affinity < g->gic.cpus ? 1 << affinity : 0;
    gic_update(&g->gic);
}

static uint32_t dist_typer(const GicV3 *g)
{
    bool messages = lpi_exist(g);

    return GIC_SHARED_BANKS | TYPER_NO_1_OF_N | (g->gic.has_states ? TYPER_STATES : 0) |
        (messages ? TYPER_LPIS : 0) | ((messages ? LPI_ID_BITS : ID_BITS) - 1) << TYPER_ID_BITS;
}

/* The arrays without the first 32, which are in the redistributors (12.9.7). */
static bool is_shared_part(uint32_t offset)
{
    return offset < 0x400 || (offset & ~0xffu) == 0xd00 ? (offset & 0x7f) >= 4
        : offset >= 0xc00                               ? (offset & 0xff) >= 8
                                                        : offset >= 0x420 && offset < 0x800;
}

/* The non-secure state finds its group's enable where it was, and ARE_NS where the other has ARE_S (12.9.4). */
static uint32_t read_dist_control(const GicPort *port)
{
    const Gic *gic = port->gic;

    if (!gic->has_states) {
        return gic->enabled | CTLR_ARE | CTLR_DS;
    }
    return port->secure ? gic->enabled | CTLR_ARE | CTLR_ARE_NS
                        : (gic->enabled & GIC_GROUP_1) | CTLR_ARE;
}

/* DS is for good, until a reset. */
static void write_dist_control(const GicPort *port, uint32_t value)
{
    Gic *gic = port->gic;
    uint32_t mask = gic_is_secure(port) ? CTLR_GROUPS : GIC_GROUP_1;

    if (gic_is_secure(port) && value & CTLR_DS) {
        gic->has_states = false;
    }
    gic->enabled = (gic->enabled & ~mask) | (value & mask);
    gic->enabled &= gic->has_states ? CTLR_GROUPS : GIC_GROUP_0 | GIC_GROUP_1;
    gic_update(gic);
}

static bool may_route(const GicPort *port, unsigned spi)
{
    enum { ROUTES = 3 };

    return gic_is_secure(port) ||
        gic_permission(port->gic, gic_bank_of(port->gic, 0, GIC_LOCAL + spi), spi % 32) == ROUTES;
}

static bool is_route(uint32_t offset)
{
    return offset >= GICD_IROUTER && offset < GICD_IROUTER + GIC_SPIS * 8;
}

static uint64_t dist_read(void *owner, GuestAddr offset, unsigned size)
{
    const GicPort *port = owner;
    const GicV3 *g = (const GicV3 *)port->gic;
    uint32_t value = 0;

    switch (offset) {
    case GICD_CTLR: return read_dist_control(port);
    case GICD_TYPER: return dist_typer(g);
    case GICD_IIDR: return IMPLEMENTER_ARM;
    case ID_PIDR2: return ARCHITECTURE_3;
    default: break;
    }
    if (is_route(offset)) {
        unsigned spi = (offset - GICD_IROUTER) / 8;

        return may_route(port, spi) ? g->route[spi] >> (offset & 4) * 8 : 0;
    }
    if (size <= 4 && is_shared_part(offset)) {
        gic_read_array(&(GicAccess){ port, 0, size, offset }, &value);
    }
    return value;
}

static void write_route(const GicPort *port, uint32_t offset, unsigned size, uint64_t value)
{
    GicV3 *g = (GicV3 *)port->gic;
    unsigned spi = offset / 8, shift = (offset & 4) * 8;
    uint64_t rest = size == 8 ? 0 : g->route[spi] & ~(UINT64_C(0xffffffff) << shift);

    if (may_route(port, spi)) {
        set_route(g, spi, rest | value << shift);
    }
}

static void dist_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    const GicPort *port = owner;

    if (offset == GICD_CTLR) {
        write_dist_control(port, value);
    } else if (is_route(offset)) {
        write_route(port, offset - GICD_IROUTER, size, value);
    } else if (size == 8 || !is_shared_part(offset) ||
        !gic_write_array(&(GicAccess){ port, 0, size, offset }, value)) {
        device_guest_error(&port->gic->dev, "write to 0x%x of the distributor", (unsigned)offset);
    }
}

static const RegionOps dist_ops = {
    .read = dist_read,
    .write = dist_write,
    .guest = { 1, 8 },
    .endian = ENDIAN_LITTLE,
};

/* ---- redistributors, one after the other ---- */

static uint64_t redist_typer(const GicV3 *g, unsigned cpu)
{
    bool last = cpu == g->gic.cpus - 1;

    return (uint64_t)cpu << 32 | cpu << 8 | (last ? 0x10 : 0) | lpi_exist(g);
}

static uint64_t read_control_frame(const GicV3 *g, unsigned cpu, uint32_t offset)
{
    uint64_t value = 0;

    switch (offset) {
    case GICR_IIDR: return IMPLEMENTER_ARM;
    case GICR_TYPER: return redist_typer(g, cpu);
    case GICR_TYPER + 4: return redist_typer(g, cpu) >> 32;
    case GICR_WAKER: return g->asleep[cpu] ? WAKER_ASLEEP | WAKER_ASLEEP << 1 : 0;
    case ID_PIDR2: return ARCHITECTURE_3;
    }
    lpi_read(g, cpu, offset, &value);
    return value;
}

/* Only the 32 interrupts of its own. */
static bool is_local_part(uint32_t offset)
{
    return !is_shared_part(offset) && offset < 0xf00;
}

static uint64_t redist_read(void *owner, GuestAddr offset, unsigned size)
{
    const GicPort *port = owner;
    unsigned cpu = offset / REDIST_SIZE;
    uint32_t at = offset % REDIST_FRAME, value = 0;

    if (cpu >= port->gic->cpus) {
        return 0;
    }
    if (offset % REDIST_SIZE < REDIST_FRAME) {
        bool hidden = at == GICR_WAKER && !gic_is_secure(port);

        return hidden ? 0 : read_control_frame((const GicV3 *)port->gic, cpu, at);
    }
    if (size <= 4 && is_local_part(at)) {
        gic_read_array(&(GicAccess){ port, cpu, size, at }, &value);
    }
    return value;
}

static void write_control_frame(
    const GicPort *port, unsigned cpu, uint32_t at, unsigned size, uint64_t value)
{
    GicV3 *g = (GicV3 *)port->gic;

    if (at != GICR_WAKER) {
        lpi_write(g, cpu, at, size, value);
    } else if (gic_is_secure(port)) {
        g->asleep[cpu] = (value & WAKER_ASLEEP) != 0;
    }
}

static void redist_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    const GicPort *port = owner;
    unsigned cpu = offset / REDIST_SIZE;
    uint32_t at = offset % REDIST_FRAME;

    if (cpu < port->gic->cpus && offset % REDIST_SIZE < REDIST_FRAME) {
        write_control_frame(port, cpu, at, size, value);
    } else if (cpu >= port->gic->cpus || size == 8 || !is_local_part(at) ||
        !gic_write_array(&(GicAccess){ port, cpu, size, at }, value)) {
        device_guest_error(&port->gic->dev, "write to 0x%x of a redistributor", (unsigned)offset);
    }
}

static const RegionOps redist_ops = {
    .read = redist_read,
    .write = redist_write,
    .guest = { 1, 8 },
    .endian = ENDIAN_LITTLE,
};

/* ---- life ---- */

static void v3_reset(Device *dev)
{
    GicV3 *g = (GicV3 *)dev;

    lpi_reset(g);
    its_reset(g);
    gic_reset(&g->gic);
    memset(g->control, 0, sizeof(g->control));
    for (unsigned spi = 0; spi < GIC_SPIS; spi++) {
        set_route(g, spi, 0);
    }
    for (unsigned cpu = 0; cpu < GIC_CPUS_MAX; cpu++) {
        g->asleep[cpu] = true;
        g->gic.cpu[cpu].group_0_is_fiq = true;
        g->gic.cpu[cpu].binary_point[GROUP_0] = g->gic.cpu[cpu].binary_point[GROUP_1_SECURE] = 2;
        g->gic.cpu[cpu].binary_point[GROUP_1] = 3;
        gic_virtual_reset(&g->virt[cpu]);
        g->virt[cpu].machine |= ICH_VMCR_FIQ_EN;
    }
    for (unsigned cpu = 0; cpu < g->gic.cpus; cpu++) {
        gic_v3_update_virtual(g, cpu);
    }
}

static void v3_loaded(Device *dev)
{
    GicV3 *g = (GicV3 *)dev;

    its_loaded(g);
    gic_update(&g->gic);
    for (unsigned cpu = 0; cpu < g->gic.cpus; cpu++) {
        gic_v3_update_virtual(g, cpu);
    }
}

static void put_reg(const Device *dev, FdtNode *node)
{
    fdt_put_cells(node, "reg", NULL, 0);
    for (unsigned i = 0; i < dev->spec->region_count; i++) {
        const RegionSpec *region = &dev->spec->regions[i];

        if (strcmp(region->name, "its") != 0) {
            fdt_add_cell64(node, "reg", region->at);
            fdt_add_cell64(node, "reg", region->size);
        }
    }
}

/* Linux's arm,gic-v3 binding: the service is a node of its own in the GIC's, whose `reg` it is not in. */
static void v3_describe(const Device *dev, FdtNode *node)
{
    const RegionSpec *place = gic_place(dev, "its");
    FdtNode *its;

    if (place) {
        put_reg(dev, node);
        its = fdt_child(node, "its@%" G_GINT64_MODIFIER "x", place->at);
        fdt_put_string(its, "compatible", "arm,gic-v3-its");
        fdt_put_flag(its, "msi-controller");
        fdt_put_u32(its, "#msi-cells", 1);
        fdt_add_cell64(its, "reg", place->at);
        fdt_add_cell64(its, "reg", ITS_SIZE);
    }
}

static bool v3_start(Device *dev, Diag *diag)
{
    GicV3 *g = (GicV3 *)dev;

    if (!gic_start(&g->gic, diag)) {
        return false;
    }
    g->gic.has_modifier = true;
    gic_add_region(&g->gic, 0, "dist", DIST_SIZE, &dist_ops);
    gic_add_region(&g->gic, 1, "redist", GIC_CPUS_MAX * REDIST_SIZE, &redist_ops);
    if (gic_place(dev, "its")) {
        device_add_region(dev, 2, region_new_mmio("its", ITS_SIZE, &its_ops, g));
        g->gic.messages = &gic_v3_messages;
    }
    gic_serve_cpus(&g->gic, &gic_v3_intc);
    return true;
}

static const Saved v3_saved[] = {
    GIC_SAVED(GicV3),
    SAVED(GicV3, route),
    SAVED(GicV3, asleep),
    SAVED(GicV3, control),
    SAVED(GicV3, lpi),
    SAVED(GicV3, its),
    SAVED(GicV3, virt),
    {},
};

DEVICE_CLASS(arm_gic_v3) = {
    .name = "arm-gic-v3",
    .state_size = sizeof(GicV3),
    .saved = v3_saved,
    .start = v3_start,
    .reset = v3_reset,
    .loaded = v3_loaded,
    .describe = v3_describe,
    .set_input = gic_set_input,
};
