#include "hw/intc/gic.h"

#include <string.h>

#include "core/build.h"

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

static uint32_t bank_ready(const Gic *gic, const GicBank *bank)
{
    uint32_t groups = (gic->enabled & GIC_GROUP_1 ? bank->group : 0) |
        (gic->enabled & GIC_GROUP_0 ? ~bank->group : 0);

    return bank_pending(bank) & bank->enabled & ~bank->active & groups;
}

typedef struct Candidate {
    unsigned id, priority, group;
} Candidate;

static void consider_bank(const GicBank *bank, uint32_t ready, unsigned first, Candidate *best)
{
    for (; ready; ready &= ready - 1) {
        unsigned i = __builtin_ctz(ready);

        if (bank->priority[i] < best->priority) {
            *best = (Candidate){ first + i, bank->priority[i], bank->group >> i & 1 };
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

    if (id != GIC_NONE && (gic->enabled & GIC_GROUP_1) && priority < best->priority) {
        *best = (Candidate){ id, priority, 1 };
    }
}

static Candidate best_candidate(const Gic *gic, unsigned cpu)
{
    Candidate best = { GIC_NONE, GIC_IDLE_PRIORITY + 1, 0 };

    consider_bank(&gic->local[cpu], bank_ready(gic, &gic->local[cpu]), 0, &best);
    for (unsigned b = 0; b < GIC_SHARED_BANKS; b++) {
        const GicBank *bank = &gic->shared[b];
        uint32_t ready = bank_ready(gic, bank);

        if (ready) {
            consider_bank(bank, targeting(bank, ready, cpu), GIC_LOCAL + b * 32, &best);
        }
    }
    if (gic->messages) {
        consider_messages(gic, cpu, &best);
    }
    return best;
}

unsigned gic_running_priority(const Gic *gic, unsigned cpu)
{
    uint32_t running = gic->cpu[cpu].running[0] | gic->cpu[cpu].running[1];

    return running ? (unsigned)__builtin_ctz(running) << 3 : GIC_IDLE_PRIORITY;
}

/* The part of a priority that decides about preemption (4.8.2); group 1 counts from one less. */
static unsigned group_priority(const GicCpu *c, Candidate candidate)
{
    unsigned shift = candidate.group ? c->binary_point[1] : c->binary_point[0] + 1;

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
    bool any = interrupts(gic, cpu, best);
    bool fiq = best.group == 0 && gic->cpu[cpu].group_0_is_fiq;

    device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_IRQ, any && !fiq);
    device_set_cpu_irq(&gic->dev, cpu, GIC_OUT_FIQ, any && fiq);
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
    uint32_t *running = gic->cpu[cpu].running;
    uint32_t highest = (running[0] | running[1]) & -(running[0] | running[1]);

    running[0] &= ~highest;
    running[1] &= ~highest;
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

typedef enum Action { ASSIGN, SET, CLEAR, PRIORITY, TARGETS, TRIGGER } Action;

typedef struct Array {
    uint16_t offset;
    uint8_t bits; /* of an interrupt */
    Action action;
    size_t word; /* in a bank; of those with a bit each */
} Array;

static const Array arrays[] = {
    { 0x080, 1, ASSIGN, offsetof(GicBank, group) },
    { 0x100, 1, SET, offsetof(GicBank, enabled) },
    { 0x180, 1, CLEAR, offsetof(GicBank, enabled) },
    { 0x200, 1, SET, offsetof(GicBank, pending) },
    { 0x280, 1, CLEAR, offsetof(GicBank, pending) },
    { 0x300, 1, SET, offsetof(GicBank, active) },
    { 0x380, 1, CLEAR, offsetof(GicBank, active) },
    { 0x400, 8, PRIORITY, 0 },
    { 0x800, 8, TARGETS, 0 },
    { 0xc00, 2, TRIGGER, offsetof(GicBank, edge) },
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

static uint32_t read_one(const Array *a, const GicBank *bank, unsigned i)
{
    uint32_t word = *(const uint32_t *)((const char *)bank + a->word);

    switch (a->action) {
    case PRIORITY: return bank->priority[i];
    case TARGETS: return bank->targets[i];
    case TRIGGER: return (bank->edge >> i & 1) << 1;
    default: break;
    }
    return (a->word == offsetof(GicBank, pending) ? bank_pending(bank) : word) >> i & 1;
}

/* Software-generated interrupts are edges for good; private ones have no targets. */
static void write_one(const Array *a, GicBank *bank, unsigned id, uint32_t value)
{
    uint32_t *word = (uint32_t *)((char *)bank + a->word), bit = UINT32_C(1) << id % 32;

    switch (a->action) {
    case ASSIGN: assign(word, bit, value); break;
    case SET: *word |= value ? bit : 0; break;
    case CLEAR: *word &= ~(value ? bit : 0); break;
    case PRIORITY: bank->priority[id % 32] = value & GIC_PRIORITY_MASK; break;
    case TARGETS: bank->targets[id % 32] = id < GIC_LOCAL ? bank->targets[id % 32] : value; break;
    case TRIGGER: assign(word, id < SGIS ? 0 : bit, value & 2); break;
    }
}

bool gic_read_array(Gic *gic, unsigned cpu, uint32_t offset, unsigned size, uint32_t *value)
{
    unsigned first;
    const Array *a = find_array(offset, &first);

    *value = 0;
    for (unsigned i = 0; a && i < size * 8 / a->bits; i++) {
        *value |= read_one(a, gic_bank_of(gic, cpu, first + i), (first + i) % 32) << i * a->bits;
    }
    return a != NULL;
}

bool gic_write_array(Gic *gic, unsigned cpu, uint32_t offset, unsigned size, uint32_t value)
{
    unsigned first;
    const Array *a = find_array(offset, &first);

    for (unsigned i = 0; a && i < size * 8 / a->bits; i++) {
        write_one(a, gic_bank_of(gic, cpu, first + i), first + i,
            value >> i * a->bits & (UINT32_C(0xff) >> (8 - a->bits)));
    }
    gic_update(gic);
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
    device_add_inputs(&gic->dev, "ppi", 0, GIC_LOCAL - SGIS, SGIS);
    device_add_inputs(&gic->dev, "spi", 0, GIC_SPIS, GIC_LOCAL);
    return true;
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
