/* GICv3's CPU interface: the ICC system registers (ARM IHI 0069, 12.2). */
#include "hw/intc/gic-v3.h"

enum { ICC_COMMON_BINARY_POINT = 1, ICC_EOI_MODE = 2, ICC_PRIORITY_BITS = 4 << 8 };

/* ICC_CTLR_EL3 has the other two's bits, and its own. */
enum {
    EL3_COMMON_POINT_SECURE = 1 << 0,
    EL3_COMMON_POINT_NONSECURE = 1 << 1,
    EL3_EOI_MODE = 1 << 2,
    EL3_EOI_MODE_SECURE = 1 << 3,
    EL3_EOI_MODE_NONSECURE = 1 << 4,
    EL3_NO_DISABLE = 1 << 17, /* nDS: there are two states, whatever the distributor says */
};

enum { FOR_SECURE = 1020, FOR_NONSECURE = 1021 };

enum { CONTROL_NONSECURE, CONTROL_SECURE, CONTROL_EL3 };

/* ---- who asks --------------------------------------------------------------------------------- */

/* With one state everybody sees everything. */
static bool sees_secure(const GicV3 *g)
{
    return !g->gic.has_states || g->access.secure_bank || g->access.monitor;
}

/* The group that a register of group 0 or 1 is about: there are two copies of group 1's. */
static unsigned group_meant(const GicV3 *g, unsigned group)
{
    return group == GROUP_1 && g->gic.has_states && g->access.secure_bank ? GROUP_1_SECURE : group;
}

/* Each state's ICC_CTLR_EL1. */
static unsigned control_bank(const GicV3 *g)
{
    return g->gic.has_states && g->access.secure_bank ? CONTROL_SECURE : CONTROL_NONSECURE;
}

static bool splits_end(const GicV3 *g, unsigned cpu)
{
    if (g->access.monitor) {
        return g->control[cpu][CONTROL_EL3] & EL3_EOI_MODE;
    }
    return g->control[cpu][control_bank(g)] & ICC_EOI_MODE;
}

/* ---- each register; `group`, or whatever `which` means to it, is the row's -------------------- */

/*
 * What stands for an interrupt that the register of this group may not have (CheckGroup0ForSpecialIdentifiers
 * and CheckGroup1ForSpecialIdentifiers); GIC_NONE: 1023, and `of` itself is fine where it comes back.
 */
static unsigned shown_id(const GicV3 *g, unsigned group, unsigned of, unsigned id)
{
    bool secure = g->gic.has_states && of != GROUP_1;

    if (id == GIC_NONE || (secure && !sees_secure(g))) {
        return GIC_NONE;
    }
    if (group == GROUP_0 && of != GROUP_0) {
        return !g->access.monitor ? GIC_NONE : secure ? FOR_SECURE : FOR_NONSECURE;
    }
    if (group == GROUP_1 &&
        (of == GROUP_0 ||
            (!secure && g->gic.has_states && !g->access.monitor && g->access.secure_bank))) {
        return GIC_NONE;
    }
    return id;
}

static uint64_t hppir_read(GicV3 *g, unsigned cpu, unsigned group)
{
    unsigned of, id = gic_highest(&g->gic, cpu, &of);

    return shown_id(g, group, of, id);
}

static uint64_t iar_read(GicV3 *g, unsigned cpu, unsigned group)
{
    unsigned of, id = gic_highest(&g->gic, cpu, &of), shown = shown_id(g, group, of, id);

    return shown == id ? gic_acknowledge(&g->gic, cpu, 1 << of) : shown;
}

/* The end of one of this register's group, and no other's (ICC_EOIR1_EL1). */
static bool ends_running(const GicV3 *g, unsigned cpu, unsigned group)
{
    int running = gic_running_group(&g->gic, cpu);

    if (running == GROUP_1) {
        return group == GROUP_1 &&
            (!g->gic.has_states || g->access.monitor || !g->access.secure_bank);
    }
    return running == GROUP_0 ? group == GROUP_0 && sees_secure(g)
                              : running == GROUP_1_SECURE && group == GROUP_1 && sees_secure(g);
}

/* Not the secure state's by the other one; messages are never active. */
static void deactivate(GicV3 *g, unsigned cpu, unsigned id)
{
    const GicBank *bank = gic_bank_of(&g->gic, cpu, MIN(id, GIC_LOCAL + GIC_SPIS - 1));

    if (id < GIC_LOCAL + GIC_SPIS &&
        (sees_secure(g) || gic_group_of(&g->gic, bank, id % 32) == GROUP_1)) {
        gic_deactivate(&g->gic, cpu, id);
    }
}

static void eoir_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t id)
{
    if ((id >= GIC_LOCAL + GIC_SPIS && id < LPI_FIRST) || !ends_running(g, cpu, group)) {
        return; /* the special numbers end nothing */
    }
    gic_drop_priority(&g->gic, cpu);
    if (!splits_end(g, cpu)) {
        deactivate(g, cpu, id);
    }
}

static void dir_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t id)
{
    if (splits_end(g, cpu)) {
        deactivate(g, cpu, id);
    }
}

static uint64_t rpr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    unsigned priority = gic_running_priority(&g->gic, cpu);

    return g->access.shifted && priority != GIC_IDLE_PRIORITY ? gic_priority_seen(priority)
                                                              : priority;
}

static uint64_t pmr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    uint8_t mask = g->gic.cpu[cpu].mask;

    return g->access.shifted ? gic_priority_seen(mask) : mask;
}

/* The non-secure state leaves alone a mask that is in the secure half (ICC_PMR_EL1). */
static void pmr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    uint8_t *mask = &g->gic.cpu[cpu].mask;

    if (!g->access.shifted) {
        *mask = value & GIC_PRIORITY_MASK;
    } else if (*mask & 0x80) {
        *mask = gic_priority_meant(value);
    }
    gic_update_cpu(&g->gic, cpu);
}

static bool has_common_point(const GicV3 *g, unsigned cpu, unsigned group)
{
    return g->gic.cpu[cpu].common_point >> group & 1 && !g->access.monitor;
}

/* CBPR: the secure state's is group 0's then, the other's one more and not to be written (ICC_BPR1_EL1). */
static uint64_t bpr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    const uint8_t *point = g->gic.cpu[cpu].binary_point;
    unsigned group = group_meant(g, which);

    if (!has_common_point(g, cpu, group)) {
        return point[group];
    }
    return group == GROUP_1 ? MIN(point[GROUP_0] + 1, 7) : point[GROUP_0];
}

/* With five bits of priority the point cannot be lower: 2, and 3 in group 1 (4.8.2). */
static void bpr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    unsigned group = group_meant(g, which);

    if (has_common_point(g, cpu, group)) {
        if (group == GROUP_1) {
            return;
        }
        group = GROUP_0;
    }
    g->gic.cpu[cpu].binary_point[group] = MAX(value & 7, 2 + (group == GROUP_1));
    gic_update_cpu(&g->gic, cpu);
}

static uint64_t apr_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->gic.cpu[cpu].running[group_meant(g, group)];
}

static void apr_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    g->gic.cpu[cpu].running[group_meant(g, group)] = value;
    gic_update_cpu(&g->gic, cpu);
}

static void enable(GicV3 *g, unsigned cpu, unsigned group, bool on)
{
    GicCpu *c = &g->gic.cpu[cpu];

    c->enabled = (c->enabled & ~(1 << group)) | on << group;
    gic_update_cpu(&g->gic, cpu);
}

static uint64_t enable_read(GicV3 *g, unsigned cpu, unsigned group)
{
    return g->gic.cpu[cpu].enabled >> group_meant(g, group) & 1;
}

static void enable_write(GicV3 *g, unsigned cpu, unsigned group, uint64_t value)
{
    enable(g, cpu, group_meant(g, group), value & 1);
}

/* ICC_IGRPEN1_EL3: both states'. */
static uint64_t enables_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->gic.cpu[cpu].enabled >> GROUP_1;
}

static void enables_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    enable(g, cpu, GROUP_1, value & 1);
    enable(g, cpu, GROUP_1_SECURE, value >> 1 & 1);
}

static uint64_t ctlr_read(GicV3 *g, unsigned cpu, unsigned which)
{
    return g->control[cpu][control_bank(g)] | ICC_PRIORITY_BITS;
}

/* Whose group 1 goes by group 0's binary point. */
static void update_points(GicV3 *g, unsigned cpu)
{
    const uint32_t *control = g->control[cpu];

    g->gic.cpu[cpu].common_point = (control[CONTROL_NONSECURE] & ICC_COMMON_BINARY_POINT)
            << GROUP_1 |
        (control[CONTROL_SECURE] & ICC_COMMON_BINARY_POINT) << GROUP_1_SECURE;
    gic_update_cpu(&g->gic, cpu);
}

/* Of two states it is EL3 that says CBPR (ICC_CTLR_EL1). */
static void ctlr_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    uint32_t mask = ICC_EOI_MODE | (g->gic.has_states ? 0 : ICC_COMMON_BINARY_POINT);
    uint32_t *control = &g->control[cpu][control_bank(g)];

    *control = (*control & ~mask) | (value & mask);
    update_points(g, cpu);
}

static uint64_t ctlr3_read(GicV3 *g, unsigned cpu, unsigned which)
{
    uint32_t secure = g->control[cpu][CONTROL_SECURE], other = g->control[cpu][CONTROL_NONSECURE];

    return ICC_PRIORITY_BITS | g->control[cpu][CONTROL_EL3] |
        (secure & ICC_COMMON_BINARY_POINT ? EL3_COMMON_POINT_SECURE : 0) |
        (other & ICC_COMMON_BINARY_POINT ? EL3_COMMON_POINT_NONSECURE : 0) |
        (secure & ICC_EOI_MODE ? EL3_EOI_MODE_SECURE : 0) |
        (other & ICC_EOI_MODE ? EL3_EOI_MODE_NONSECURE : 0);
}

static uint32_t control_of(uint64_t value, uint64_t common_point, uint64_t eoi_mode)
{
    return (value & common_point ? ICC_COMMON_BINARY_POINT : 0) |
        (value & eoi_mode ? ICC_EOI_MODE : 0);
}

static void ctlr3_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    g->control[cpu][CONTROL_SECURE] = control_of(
        value, EL3_COMMON_POINT_SECURE, EL3_EOI_MODE_SECURE);
    g->control[cpu][CONTROL_NONSECURE] = control_of(
        value, EL3_COMMON_POINT_NONSECURE, EL3_EOI_MODE_NONSECURE);
    g->control[cpu][CONTROL_EL3] = value & EL3_EOI_MODE;
    update_points(g, cpu);
}

/* The memory-mapped interface is not there, so system registers are always on. */
static uint64_t sre_read(GicV3 *g, unsigned cpu, unsigned value)
{
    return value;
}

static void no_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
}

/*
 * May the sender make it pending? The group must be the interrupt's, or the interrupt be of group 0 where secure
 * group 1 is meant; the non-secure state needs to be permitted more (as the table says that is with ICC_SGI1R_EL1).
 */
static bool is_forwarded(const GicV3 *g, unsigned to, unsigned sgi, unsigned group)
{
    const GicBank *bank = &g->gic.local[to];
    unsigned of = gic_group_of(&g->gic, bank, sgi);

    if (of != group && !(group == GROUP_1_SECURE && of == GROUP_0)) {
        return false;
    }
    return sees_secure(g) ||
        gic_permission(&g->gic, bank, sgi) >= (of == GROUP_0                 ? 1u
                                                      : of == GROUP_1_SECURE ? 2u
                                                                             : 0u);
}

enum { SEND_GROUP_0, SEND_GROUP_1, SEND_OTHER_STATES };

/* Of one state there is only group 1 to send to; else of the own state, or of the other one. */
static unsigned sent_group(const GicV3 *g, unsigned which)
{
    bool secure = (which == SEND_GROUP_1) == sees_secure(g);

    return which == SEND_GROUP_0                ? GROUP_0
        : g->gic.has_states && secure           ? GROUP_1_SECURE
        : g->gic.has_states || which == GROUP_1 ? GROUP_1
                                                : GROUP_0;
}

/* Up to 16 CPUs of one cluster, or all but the sender (12.2.19). */
static void sgi_write(GicV3 *g, unsigned cpu, unsigned which, uint64_t value)
{
    bool to_others = value >> 40 & 1;
    uint64_t cluster = value & UINT64_C(0x00ff00ff00ff0000);
    unsigned sgi = value >> 24 & 15;

    for (unsigned to = 0; to < g->gic.cpus; to++) {
        bool meant = to_others ? to != cpu : cluster == 0 && (value >> to & 1);

        if (meant && is_forwarded(g, to, sgi, sent_group(g, which))) {
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
    { REG(3, 0, 12, 11, 5), SEND_GROUP_1, NULL, sgi_write },      /* ICC_SGI1R_EL1 */
    { REG(3, 0, 12, 11, 6), SEND_OTHER_STATES, NULL, sgi_write }, /* ICC_ASGI1R_EL1 */
    { REG(3, 0, 12, 11, 7), SEND_GROUP_0, NULL, sgi_write },      /* ICC_SGI0R_EL1 */
    { REG(3, 0, 12, 12, 0), 1, iar_read, NULL },            /* ICC_IAR1_EL1 */
    { REG(3, 0, 12, 12, 1), 1, NULL, eoir_write },          /* ICC_EOIR1_EL1 */
    { REG(3, 0, 12, 12, 2), 1, hppir_read, NULL },          /* ICC_HPPIR1_EL1 */
    { REG(3, 0, 12, 12, 3), 1, bpr_read, bpr_write },       /* ICC_BPR1_EL1 */
    { REG(3, 0, 12, 12, 4), 0, ctlr_read, ctlr_write },     /* ICC_CTLR_EL1 */
    { REG(3, 0, 12, 12, 5), 7, sre_read, no_write },        /* ICC_SRE_EL1 */
    { REG(3, 0, 12, 12, 6), 0, enable_read, enable_write }, /* ICC_IGRPEN0_EL1 */
    { REG(3, 0, 12, 12, 7), 1, enable_read, enable_write }, /* ICC_IGRPEN1_EL1 */
    { REG(3, 4, 12, 9, 5), 15, sre_read, no_write },        /* ICC_SRE_EL2 */
    { REG(3, 6, 12, 12, 4), 0, ctlr3_read, ctlr3_write },   /* ICC_CTLR_EL3 */
    { REG(3, 6, 12, 12, 5), 15, sre_read, no_write },       /* ICC_SRE_EL3 */
    { REG(3, 6, 12, 12, 7), 0, enables_read, enables_write }, /* ICC_IGRPEN1_EL3 */
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

static void note_access(GicV3 *g, uint32_t number)
{
    g->access = (IccAccess){
        .secure_bank = number & CPU_REG_SECURE,
        .monitor = number & CPU_REG_MONITOR,
        .shifted = g->gic.has_states && number & CPU_REG_SHIFTED,
    };
}

static bool icc_read(void *owner, unsigned cpu, uint32_t number, uint64_t *value)
{
    const IccRegister *reg = find_icc(number);

    if (!reg || !reg->read) {
        return false;
    }
    note_access(owner, number);
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
    note_access(owner, number);
    reg->write(owner, cpu, reg->which, value);
    if (is_virtual(reg, number)) {
        gic_v3_update_virtual(owner, cpu);
    }
    return true;
}

const CpuIntc gic_v3_intc = {
    .read = icc_read, .write = icc_write, .set_private = gic_set_private
};
