/* GICv3's CPU interface: the ICC system registers (ARM IHI 0069, 12.2). */
#include "hw/intc/gic-v3.h"

enum { ICC_EOI_MODE = 2, ICC_COMMON_BINARY_POINT = 1, ICC_PRIORITY_BITS = 4 << 8 };

/* ---- each register; `group`, or whatever `which` means to it, is the row's ---- */

static uint64_t iar_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return gic_acknowledge(&g->gic, cpu, 1 << group);
}

static uint64_t hppir_read(GicV3 *g, unsigned cpu, unsigned group)
{
    unsigned of, id = gic_highest(&g->gic, cpu, &of);

    return of == group ? id : GIC_NONE;
}

static void eoir_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t id)
{
    if (id >= GIC_LOCAL + GIC_SPIS && id < LPI_FIRST) {
        return; /* the special numbers end nothing */
    }
    gic_drop_priority(&g->gic, cpu);
    if (!(g->control[cpu] & ICC_EOI_MODE)) {
        gic_deactivate(&g->gic, cpu, id);
    }
}

static void dir_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t id)
{
    if (g->control[cpu] & ICC_EOI_MODE) {
        gic_deactivate(&g->gic, cpu, id);
    }
}

static uint64_t rpr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return gic_running_priority(&g->gic, cpu);
}

static uint64_t pmr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->gic.cpu[cpu].mask;
}

static void pmr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    g->gic.cpu[cpu].mask = value & GIC_PRIORITY_MASK;
    gic_update_cpu(&g->gic, cpu);
}

/* With five bits of priority the point cannot be lower: 2, and 3 in group 1 (4.8.2). */
static uint64_t bpr_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->gic.cpu[cpu].binary_point[group];
}

static void bpr_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    g->gic.cpu[cpu].binary_point[group] = MAX(value & 7, 2 + group);
    gic_update_cpu(&g->gic, cpu);
}

static uint64_t apr_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->gic.cpu[cpu].running[group];
}

static void apr_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    g->gic.cpu[cpu].running[group] = value;
    gic_update_cpu(&g->gic, cpu);
}

static uint64_t enable_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->gic.cpu[cpu].enabled >> group & 1;
}

static void enable_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    GicCpu *c = &g->gic.cpu[cpu];

    c->enabled = (c->enabled & ~(1 << group)) | (value & 1) << group;
    gic_update_cpu(&g->gic, cpu);
}

static uint64_t ctlr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->control[cpu] | ICC_PRIORITY_BITS;
}

static void ctlr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    g->control[cpu] = value & (ICC_EOI_MODE | ICC_COMMON_BINARY_POINT);
}

/* The memory-mapped interface is not there, so system registers are always on. */
static uint64_t sre_read(GicV3 *g, unsigned cpu, unsigned value)
{
    return value;
}

static void no_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
}

/* Up to 16 CPUs of one cluster, or all but the sender (12.2.19). */
static void sgi_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    bool to_others = value >> 40 & 1;
    uint64_t cluster = value & UINT64_C(0x00ff00ff00ff0000);
    unsigned sgi = value >> 24 & 15;

    for (unsigned to = 0; to < g->gic.cpus; to++) {
        bool meant = to_others ? to != cpu : cluster == 0 && (value >> to & 1);

        if (meant && (g->gic.local[to].group >> sgi & 1) == group) {
            gic_send(&g->gic, to, sgi);
        }
    }
}

#define REG GIC_REG

/* clang-format off */
static const IccRegister icc_registers[] = {
    { REG(3, 0, 4, 6, 0), 0, pmr_read, pmr_write },         /* ICC_PMR_EL1 */
    { REG(3, 0, 12, 8, 0), 0, iar_read, NULL },             /* ICC_IAR0_EL1 */
    { REG(3, 0, 12, 8, 1), 0, NULL, eoir_write },           /* ICC_EOIR0_EL1 */
    { REG(3, 0, 12, 8, 2), 0, hppir_read, NULL },           /* ICC_HPPIR0_EL1 */
    { REG(3, 0, 12, 8, 3), 0, bpr_read, bpr_write },        /* ICC_BPR0_EL1 */
    { REG(3, 0, 12, 8, 4), 0, apr_read, apr_write },        /* ICC_AP0R0_EL1 */
    { REG(3, 0, 12, 9, 0), 1, apr_read, apr_write },        /* ICC_AP1R0_EL1 */
    { REG(3, 0, 12, 11, 1), 0, NULL, dir_write },           /* ICC_DIR_EL1 */
    { REG(3, 0, 12, 11, 3), 0, rpr_read, NULL },            /* ICC_RPR_EL1 */
    { REG(3, 0, 12, 11, 5), 1, NULL, sgi_write },           /* ICC_SGI1R_EL1 */
    { REG(3, 0, 12, 11, 6), 0, NULL, sgi_write },           /* ICC_ASGI1R_EL1 */
    { REG(3, 0, 12, 11, 7), 0, NULL, sgi_write },           /* ICC_SGI0R_EL1 */
    { REG(3, 0, 12, 12, 0), 1, iar_read, NULL },            /* ICC_IAR1_EL1 */
    { REG(3, 0, 12, 12, 1), 1, NULL, eoir_write },          /* ICC_EOIR1_EL1 */
    { REG(3, 0, 12, 12, 2), 1, hppir_read, NULL },          /* ICC_HPPIR1_EL1 */
    { REG(3, 0, 12, 12, 3), 1, bpr_read, bpr_write },       /* ICC_BPR1_EL1 */
    { REG(3, 0, 12, 12, 4), 0, ctlr_read, ctlr_write },     /* ICC_CTLR_EL1 */
    { REG(3, 0, 12, 12, 5), 7, sre_read, no_write },        /* ICC_SRE_EL1 */
    { REG(3, 0, 12, 12, 6), 0, enable_read, enable_write }, /* ICC_IGRPEN0_EL1 */
    { REG(3, 0, 12, 12, 7), 1, enable_read, enable_write }, /* ICC_IGRPEN1_EL1 */
    { REG(3, 4, 12, 9, 5), 15, sre_read, no_write },        /* ICC_SRE_EL2 */
    { REG(3, 6, 12, 12, 4), 0, ctlr_read, ctlr_write },     /* ICC_CTLR_EL3 */
    { REG(3, 6, 12, 12, 5), 15, sre_read, no_write },       /* ICC_SRE_EL3 */
    { REG(3, 6, 12, 12, 7), 1, enable_read, enable_write }, /* ICC_IGRPEN1_EL3 */
    {},
};
/* clang-format on */

static const IccRegister *find_in(const IccRegister *table, uint32_t number)
{
    for (; table->read || table->write; table++) {
        if (table->number == number) {
            return table;
        }
    }
    return NULL;
}

/* A guest's own names are of the virtual interface. */
static const IccRegister *find_icc(uint32_t number)
{
    uint32_t name = number & 0xffff;
    const IccRegister *reg = number & CPU_REG_VIRTUAL ? find_in(icv_registers, name) : NULL;

    if (!reg) {
        reg = find_in(icc_registers, name);
    }
    return reg ? reg : find_in(ich_registers, name);
}

static bool icc_read(void *owner, unsigned cpu, uint32_t number, uint64_t *value)
{
    const IccRegister *reg = find_icc(number);

    if (!reg || !reg->read) {
        return false;
    }
    *value = reg->read(owner, cpu, reg->which);
    if (number & CPU_REG_VIRTUAL) { /* an acknowledgement */
        gic_v3_update_virtual(owner, cpu);
    }
    return true;
}

static bool is_virtual(const IccRegister *reg, uint32_t number)
{
    return number & CPU_REG_VIRTUAL || (reg->number >= ich_registers[0].number);
}

static bool icc_write(void *owner, unsigned cpu, uint32_t number, uint64_t value)
{
    const IccRegister *reg = find_icc(number);

    if (!reg || !reg->write) {
        return false;
    }
    reg->write(owner, cpu, reg->which, value);
    if (is_virtual(reg, number)) {
        gic_v3_update_virtual(owner, cpu);
    }
    return true;
}

const CpuIntc gic_v3_intc = {
    .read = icc_read, .write = icc_write, .set_private = gic_set_private
};
