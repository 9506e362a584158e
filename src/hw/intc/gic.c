#include "hw/intc/gic.h"

#include <string.h>

#include "core/build.h"
#include "core/device-spec.h"

enum { SGIS = 16 };

GicBank *gic_bank_of(Gic *gic, unsigned cpu, unsigned id)
{
    return id < GIC_LOCAL ? &gic->local[cpu] : &gic->shared[(id - GIC_LOCAL) / 32];
}

static void assign(uint32_t *word, uint32_t bit, bool value)
{
    *word = value ? *word | bit : *word & ~bit;
}

/* ---- which interrupt a CPU takes next (GICv3 specification, 4.8) ---- */

static uint32_t bank_pending(const GicBank *bank)
{
    return bank->pending | (bank->level & ~bank->edge);
}

/* Those of secure group 1, which there is with two states alone. */
static uint32_t secure_group_1(const Gic *gic, const GicBank *bank)
{
    return gic->has_states ? bank->modifier & ~bank->group : 0;
}

unsigned gic_group_of(const Gic *gic, const GicBank *bank, unsigned i)
{
    return bank->group >> i & 1              ? GROUP_1
        : secure_group_1(gic, bank) >> i & 1 ? GROUP_1_SECURE
                                             : GROUP_0;
}

static uint32_t bank_ready(const Gic *gic, const GicBank *bank)
{
    uint32_t secure_1 = secure_group_1(gic, bank);
    uint32_t groups = (gic->enabled & GIC_GROUP_1 ? bank->group : 0) |
        (gic->enabled & GIC_GROUP_1_SECURE ? secure_1 : 0) |
        (gic->enabled & GIC_GROUP_0 ? ~(bank->group | secure_1) : 0);

    return bank_pending(bank) & bank->enabled & ~bank->active & groups;
}

typedef struct Candidate {
    unsigned id, priority, group;
} Candidate;

static void consider_bank(
    const Gic *gic, const GicBank *bank, uint32_t ready, unsigned first, Candidate *best)
{
    for (; ready; ready &= ready - 1) {
        unsigned i = __builtin_ctz(ready);

        if (bank->priority[i] < best->priority) {
            *best = (Candidate){ first + i, bank->priority[i], gic_group_of(gic, bank, i) };
        }
    }
}

static uint32_t targeting(const GicBank *bank, uint32_t ready, unsigned cpu)
{
    uint32_t mine = 0;

    for (uint32_t rest = ready; rest; rest &= rest - 1) {
        unsigned i = __builtin_ctz(rest);

        mine |= (uint32_t)(bank->targets[i] >> cpu & 1) << i;
    }
    return mine;
}

static void consider_messages(const Gic *gic, unsigned cpu, Candidate *best)
{
    unsigned priority, id = gic->messages->highest(gic, cpu, &priority);

    priority = gic->has_states ? gic_priority_meant(priority) : priority;
    if (id != GIC_NONE && (gic->enabled & GIC_GROUP_1) && priority < best->priority) {
        *best = (Candidate){ id, priority, GROUP_1 };
    }
}

static Candidate best_candidate(const Gic *gic, unsigned cpu)
{
    Candidate best = { GIC_NONE, GIC_IDLE_PRIORITY + 1, 0 };

    consider_bank(gic, &gic->local[cpu], bank_ready(gic, &gic->local[cpu]), 0, &best);
    for (unsigned b = 0; b < GIC_SHARED_BANKS; b++) {
        const GicBank *bank = &gic->shared[b];
        uint32_t ready = bank_ready(gic, bank);

        if (ready) {
            consider_bank(gic, bank, targeting(bank, ready, cpu), GIC_LOCAL + b * 32, &best);
        }
    }
    if (gic->messages) {
        consider_messages(gic, cpu, &best);
    }
    return best;
}

static uint32_t all_running(const GicCpu *c)
{
    return c->running[GROUP_0] | c->running[GROUP_1] | c->running[GROUP_1_SECURE];
}

unsigned gic_running_priority(const Gic *gic, unsigned cpu)
{
    uint32_t running = all_running(&gic->cpu[cpu]);

    return running ? (unsigned)__builtin_ctz(running) << 3 : GIC_IDLE_PRIORITY;
}

int gic_running_group(const Gic *gic, unsigned cpu)
{
    const GicCpu *c = &gic->cpu[cpu];
    uint32_t running = all_running(c), highest = running & -running;

    for (int group = 0; group < GIC_GROUPS; group++) {
        if (c->running[group] & highest) {
            return group;
        }
    }
    return -1;
}

/* The part of a priority that decides about preemption (4.8.2); group 1 counts from one less. */
static unsigned group_priority(const GicCpu *c, Candidate candidate)
{
    unsigned group = c->common_point >> candidate.group & 1 ? GROUP_0 : candidate.group;
    unsigned shift = c->binary_point[group] + (group != GROUP_1);

    return candidate.priority & 0xff << shift & GIC_PRIORITY_MASK;
}

static bool interrupts(const Gic *gic, unsigned cpu, Candidate candidate)
{
    const GicCpu *c = &gic->cpu[cpu];

    return candidate.id != GIC_NONE && (c->enabled >> candidate.group & 1) &&
        candidate.priority < c->mask &&
        group_priority(c, candidate) < gic_running_priority(gic, cpu);
}

void gic_update_cpu(Gic *gic, unsigned cpu)
{
    Candidate best = best_candidate(gic, cpu);
    bool any = interrupts(gic, cpu, best), by_state = gic->has_modifier && gic->has_states;
    unsigned out = best.group == GROUP_0 ? gic->cpu[cpu].group_0_is_fiq ? GIC_OUT_FIQ : GIC_OUT_IRQ
        : !by_state                      ? GIC_OUT_IRQ
        : best.group == GROUP_1          ? GIC_OUT_NONSECURE_1
                                         : GIC_OUT_SECURE_1;

    device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_IRQ, any && out == GIC_OUT_IRQ);
    device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_FIQ, any && out == GIC_OUT_FIQ);
    if (gic->has_modifier) {
        device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_NONSECURE_1, any && out == GIC_OUT_NONSECURE_1);
        device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_SECURE_1, any && out == GIC_OUT_SECURE_1);
    }
}

void gic_update(Gic *gic)
{
    for (unsigned cpu = 0; cpu < gic->cpus; cpu++) {
        gic_update_cpu(gic, cpu);
    }
}

/* ---- the CPU interface ---- */

unsigned gic_highest(Gic *gic, unsigned cpu, unsigned *group)
{
    Candidate best = best_candidate(gic, cpu);

    *group = best.group;
    return interrupts(gic, cpu, best) ? best.id : GIC_NONE;
}

/* It is active from now on, and a message is no more: it has only been pending. */
static void take(Gic *gic, unsigned cpu, unsigned id)
{
    if (id < GIC_LOCAL + GIC_SPIS) {
        GicBank *bank = gic_bank_of(gic, cpu, id);

        bank->active |= UINT32_C(1) << id % 32;
        bank->pending &= ~(UINT32_C(1) << id % 32);
    } else {
        gic->messages->taken(gic, cpu, id);
    }
}

unsigned gic_acknowledge(Gic *gic, unsigned cpu, unsigned groups)
{
    Candidate best = best_candidate(gic, cpu);
    GicCpu *c = &gic->cpu[cpu];

    if (!interrupts(gic, cpu, best) || !(groups >> best.group & 1)) {
        return GIC_NONE;
    }
    c->running[best.group] |= UINT32_C(1) << (group_priority(c, best) >> 3);
    take(gic, cpu, best.id);
    gic_update(gic);
    return best.id;
}

void gic_drop_priority(Gic *gic, unsigned cpu)
{
    uint32_t running = all_running(&gic->cpu[cpu]), highest = running & -running;

    for (unsigned group = 0; group < GIC_GROUPS; group++) {
        gic->cpu[cpu].running[group] &= ~highest;
    }
    gic_update_cpu(gic, cpu);
}

void gic_deactivate(Gic *gic, unsigned cpu, unsigned id)
{
    if (id < GIC_LOCAL + GIC_SPIS) {
        gic_bank_of(gic, cpu, id)->active &= ~(UINT32_C(1) << id % 32);
        gic_update(gic);
    }
}

/* ---- lines ---- */

static void set_line(GicBank *bank, unsigned i, bool level)
{
    uint32_t bit = UINT32_C(1) << i;

    bank->pending |= level ? bit & bank->edge & ~bank->level : 0;
    assign(&bank->level, bit, level);
}

void gic_set_private(void *owner, unsigned cpu, unsigned ppi, bool level)
{
    Gic *gic = owner;

    set_line(&gic->local[cpu], SGIS + ppi, level);
    gic_update_cpu(gic, cpu);
}

/* Inputs by their interrupt; a private one that a device drives goes to every CPU. */
void gic_set_input(Device *dev, unsigned index, bool level)
{
    Gic *gic = (Gic *)dev;

    if (index >= GIC_LOCAL) {
        set_line(gic_bank_of(gic, 0, index), index % 32, level);
        gic_update(gic);
        return;
    }
    for (unsigned cpu = 0; cpu < gic->cpus; cpu++) {
        gic_set_private(gic, cpu, index - SGIS, level);
    }
}

void gic_send(Gic *gic, unsigned cpu, unsigned sgi)
{
    gic->local[cpu].pending |= UINT32_C(1) << sgi;
    gic_update_cpu(gic, cpu);
}

/* ---- the distributor's arrays (GICv3 specification, 12.9; GICv2, 4.3) ---- */

typedef enum Action { ASSIGN, SET, CLEAR, PRIORITY, TARGETS, TRIGGER, PERMISSION } Action;

enum { SECURE_ONLY = 4 };

typedef struct Array {
    uint16_t offset;
    uint8_t bits; /* of an interrupt */
    Action action;
    uint8_t reads,
        writes;  /* at least this of NSACR lets the non-secure state do it to a secure interrupt */
    size_t word; /* in a bank; of those with a bit each */
} Array;

static const Array arrays[] = {
    { 0x080, 1, ASSIGN, SECURE_ONLY, SECURE_ONLY, offsetof(GicBank, group) },
    { 0x100, 1, SET, SECURE_ONLY, SECURE_ONLY, offsetof(GicBank, enabled) },
    { 0x180, 1, CLEAR, SECURE_ONLY, SECURE_ONLY, offsetof(GicBank, enabled) },
    { 0x200, 1, SET, 1, 1, offsetof(GicBank, pending) },
    { 0x280, 1, CLEAR, 2, 2, offsetof(GicBank, pending) },
    { 0x300, 1, SET, 2, SECURE_ONLY, offsetof(GicBank, active) },
    { 0x380, 1, CLEAR, 2, SECURE_ONLY, offsetof(GicBank, active) },
    { 0x400, 8, PRIORITY, SECURE_ONLY, SECURE_ONLY, 0 },
    { 0x800, 8, TARGETS, 3, 3, 0 },
    { 0xc00, 2, TRIGGER, SECURE_ONLY, SECURE_ONLY, offsetof(GicBank, edge) },
    { 0xd00, 1, ASSIGN, SECURE_ONLY, SECURE_ONLY, offsetof(GicBank, modifier) },
    { 0xe00, 2, PERMISSION, SECURE_ONLY, SECURE_ONLY, 0 },
};

/* Gives also the first interrupt that the access is about. */
static const Array *find_array(uint32_t offset, unsigned *first)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++) {
        const Array *a = &arrays[i];

        if (offset >= a->offset && (offset - a->offset) * 8 / a->bits < GIC_LOCAL + GIC_SPIS) {
            *first = (offset - a->offset) * 8 / a->bits;
            return a;
        }
    }
    return NULL;
}

unsigned gic_permission(const Gic *gic, const GicBank *bank, unsigned i)
{
    enum { ALL = 3 };

    return gic_group_of(gic, bank, i) == GROUP_1 ? ALL : bank->nsacr >> 2 * i & 3;
}

/*
 * Groups, and what may be done to the secure ones, are the secure state's to know. NSACR of private interrupts is
 * about sending SGIs alone (GICR_NSACR).
 */
static bool is_visible(const GicPort *port, const Array *a, unsigned cpu, unsigned id, bool write)
{
    const GicBank *bank = gic_bank_of(port->gic, cpu, id);
    bool is_of_states = a->action == PERMISSION || a->word == offsetof(GicBank, modifier);

    if (is_of_states && (!port->gic->has_states || !port->gic->has_modifier)) {
        return false;
    }
    if (gic_is_secure(port)) {
        return true;
    }
    if (is_of_states || a->action == ASSIGN) {
        return false;
    }
    return gic_group_of(port->gic, bank, id % 32) == GROUP_1 ||
        (id >= GIC_LOCAL &&
            gic_permission(port->gic, bank, id % 32) >= (write ? a->writes : a->reads));
}

static uint32_t read_one(const Array *a, const GicBank *bank, unsigned i)
{
    uint32_t word = *(const uint32_t *)((const char *)bank + a->word);

    switch (a->action) {
    case PRIORITY: return bank->priority[i];
    case TARGETS: return bank->targets[i];
    case TRIGGER: return (bank->edge >> i & 1) << 1;
    case PERMISSION: return bank->nsacr >> 2 * i & 3;
    default: break;
    }
    return (a->word == offsetof(GicBank, pending) ? bank_pending(bank) : word) >> i & 1;
}

/* Software-generated interrupts are edges for good; private ones have no targets. */
static void write_one(const Array *a, GicBank *bank, unsigned id, uint32_t value)
{
    uint32_t *word = (uint32_t *)((char *)bank + a->word), bit = UINT32_C(1) << id % 32;
    unsigned i = id % 32;

    switch (a->action) {
    case ASSIGN: assign(word, bit, value); break;
    case SET: *word |= value ? bit : 0; break;
    case CLEAR: *word &= ~(value ? bit : 0); break;
    case PRIORITY: bank->priority[i] = value & GIC_PRIORITY_MASK; break;
    case TARGETS: bank->targets[i] = id < GIC_LOCAL ? bank->targets[i] : value; break;
    case TRIGGER: assign(word, id < SGIS ? 0 : bit, value & 2); break;
    case PERMISSION:
        bank->nsacr = (bank->nsacr & ~(UINT64_C(3) << 2 * i)) | (uint64_t)(value & 3) << 2 * i;
        break;
    }
}

bool gic_read_array(const GicAccess *access, uint32_t *value)
{
    unsigned first;
    const Array *a = find_array(access->offset, &first);

    *value = 0;
    for (unsigned i = 0; a && i < access->size * 8 / a->bits; i++) {
        const GicBank *bank = gic_bank_of(access->port->gic, access->cpu, first + i);
        uint32_t one = read_one(a, bank, (first + i) % 32);

        if (a->action == PRIORITY && !gic_is_secure(access->port)) {
            one = gic_priority_seen(one);
        }
        *value |= is_visible(access->port, a, access->cpu, first + i, false) ? one << i * a->bits
                                                                             : 0;
    }
    return a != NULL;
}

bool gic_write_array(const GicAccess *access, uint32_t value)
{
    unsigned first;
    const Array *a = find_array(access->offset, &first);

    for (unsigned i = 0; a && i < access->size * 8 / a->bits; i++) {
        GicBank *bank = gic_bank_of(access->port->gic, access->cpu, first + i);
        uint32_t one = value >> i * a->bits & (UINT32_C(0xff) >> (8 - a->bits));

        if (a->action == PRIORITY && !gic_is_secure(access->port)) {
            one = gic_priority_meant(one);
        }
        if (is_visible(access->port, a, access->cpu, first + i, true)) {
            write_one(a, bank, first + i, one);
        }
    }
    gic_update(access->port->gic);
    return a != NULL;
}

/* ---- life ---- */

bool gic_start(Gic *gic, Diag *diag)
{
    gic->cpus = device_cpu_count(&gic->dev);
    if (gic->cpus > GIC_CPUS_MAX) {
        return device_error(&gic->dev, diag, "type", "serves up to %u CPUs, the machine has %u",
            GIC_CPUS_MAX, gic->cpus);
    }
    gic->ports[false] = (GicPort){ gic, false };
    gic->ports[true] = (GicPort){ gic, true };
    device_add_inputs(&gic->dev, "ppi", 0, GIC_LOCAL - SGIS, SGIS);
    device_add_inputs(&gic->dev, "spi", 0, GIC_SPIS, GIC_LOCAL);
    return true;
}

const RegionSpec *gic_place(const Device *dev, const char *name)
{
    for (unsigned i = 0; i < dev->spec->region_count; i++) {
        if (strcmp(dev->spec->regions[i].name, name) == 0) {
            return &dev->spec->regions[i];
        }
    }
    return NULL;
}

void gic_add_region(Gic *gic, unsigned index, const char *name, uint64_t size, const RegionOps *ops)
{
    device_add_region(&gic->dev, index, region_new_mmio(name, size, ops, &gic->ports[false]));
    if (device_has_secure_state(&gic->dev)) {
        device_add_secure_region(
            &gic->dev, index, region_new_mmio(name, size, ops, &gic->ports[true]));
    }
}

void gic_serve_cpus(Gic *gic, const CpuIntc *intc)
{
    for (unsigned i = 0; i < gic->cpus; i++) {
        Cpu *cpu = machine_cpu(gic->dev.machine, i);

        if (cpu) { /* a machine that is only looked at has none */
            cpu->intc = intc;
            cpu->intc_owner = gic;
        }
    }
}

/* Lines keep their level; all else is as after power-on. */
static void reset_bank(GicBank *bank, uint32_t edge)
{
    *bank = (GicBank){ .level = bank->level, .edge = edge };
}

void gic_reset(Gic *gic)
{
    gic->has_states = device_has_secure_state(&gic->dev);
    gic->enabled = 0;
    memset(gic->cpu, 0, sizeof(gic->cpu));
    for (unsigned i = 0; i < GIC_CPUS_MAX; i++) {
        reset_bank(&gic->local[i], (UINT32_C(1) << SGIS) - 1);
        memset(gic->local[i].targets, 1 << i, sizeof(gic->local[i].targets));
    }
    for (unsigned i = 0; i < GIC_SHARED_BANKS; i++) {
        reset_bank(&gic->shared[i], 0);
    }
    gic_update(gic);
}
