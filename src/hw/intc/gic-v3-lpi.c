/*
 * GICv3's message interrupts (LPIs): what a redistributor keeps of them.
 *
 * ARM IHI 0069, 5.1 and 12.11. The priorities and enables are a table in the guest's memory, a byte
 * each, and read there whenever they matter: nothing is cached, so nothing has to be invalidated.
 * What is pending is kept here; the guest's table is read when it says that it is not all zero.
 */
#include <string.h>

#include "hw/intc/gic-v3.h"

enum { GICR_CTLR = 0x00, GICR_PROPBASER = 0x70, GICR_PENDBASER = 0x78, GICR_SYNCR = 0xc0 };

#define PROPBASER_ADDRESS UINT64_C(0x000ffffffffff000)
#define PENDBASER_ADDRESS UINT64_C(0x000fffffffff0000)
#define PENDBASER_ZERO (UINT64_C(1) << 62)
enum { PROPBASER_ID_BITS = 31, PROPERTY_ENABLED = 1, PROPERTY_PRIORITY = 0xfc };

bool lpi_exist(const GicV3 *g)
{
    return device_region(&g->gic.dev, 2) != NULL;
}

/* ---- which one is next ---- */

/* The byte of a message in the guest's table; 0, not enabled, where there is none. */
static uint8_t property_of(const GicV3 *g, unsigned cpu, unsigned index)
{
    uint64_t base = g->lpi[cpu].properties;
    uint8_t property = 0;

    if (index + LPI_FIRST < UINT64_C(1) << ((base & PROPBASER_ID_BITS) + 1) &&
        device_dma_read((Device *)&g->gic.dev, (base & PROPBASER_ADDRESS) + index, &property, 1) !=
            MEM_OK) {
        return 0;
    }
    return property;
}

static void consider(const GicV3 *g, unsigned cpu, unsigned index, unsigned *id, unsigned *best)
{
    uint8_t property = property_of(g, cpu, index);
    unsigned priority = property & PROPERTY_PRIORITY & GIC_PRIORITY_MASK;

    if ((property & PROPERTY_ENABLED) && priority < *best) {
        *best = priority;
        *id = LPI_FIRST + index;
    }
}

static unsigned lpi_highest(const Gic *gic, unsigned cpu, unsigned *priority)
{
    const GicV3 *g = (const GicV3 *)gic;
    const LpiCpu *c = &g->lpi[cpu];
    unsigned id = GIC_NONE, left = c->enabled ? c->pending_count : 0;

    *priority = GIC_IDLE_PRIORITY;
    for (unsigned w = 0; left > 0 && w < LPIS / 32; w++) {
        for (uint32_t rest = c->pending[w]; rest; rest &= rest - 1, left--) {
            consider(g, cpu, w * 32 + __builtin_ctz(rest), &id, priority);
        }
    }
    return id;
}

static void lpi_taken(Gic *gic, unsigned cpu, unsigned id)
{
    lpi_set((GicV3 *)gic, cpu, id, false);
}

const GicMessages gic_v3_messages = { .highest = lpi_highest, .taken = lpi_taken };

/* ---- what is pending ---- */

bool lpi_is_pending(const GicV3 *g, unsigned cpu, uint32_t id)
{
    uint32_t index = id - LPI_FIRST;

    return index < LPIS && (g->lpi[cpu].pending[index / 32] >> index % 32 & 1);
}

void lpi_set(GicV3 *g, unsigned cpu, uint32_t id, bool pending)
{
    LpiCpu *c = &g->lpi[cpu];
    uint32_t index = id - LPI_FIRST;

    if (index < LPIS && lpi_is_pending(g, cpu, id) != pending) {
        c->pending[index / 32] ^= UINT32_C(1) << index % 32;
        c->pending_count += pending ? 1 : -1;
    }
}

void lpi_move_all(GicV3 *g, unsigned from, unsigned to)
{
    for (uint32_t id = LPI_FIRST; g->lpi[from].pending_count > 0 && id < 1 << LPI_ID_BITS; id++) {
        if (from != to && lpi_is_pending(g, from, id)) {
            lpi_set(g, from, id, false);
            lpi_set(g, to, id, true);
        }
    }
}

/* A bit for each number, from 0 on (5.1.2). */
static void load_table(GicV3 *g, unsigned cpu)
{
    uint8_t bits[LPIS / 8] = { 0 };
    GuestAddr at = (g->lpi[cpu].table & PENDBASER_ADDRESS) + LPI_FIRST / 8;

    if ((g->lpi[cpu].table & PENDBASER_ZERO) ||
        device_dma_read(&g->gic.dev, at, bits, sizeof(bits)) != MEM_OK) {
        return;
    }
    for (unsigned i = 0; i < LPIS; i++) {
        if (bits[i / 8] >> i % 8 & 1) {
            lpi_set(g, cpu, LPI_FIRST + i, true);
        }
    }
}

/* ---- registers ---- */

bool lpi_read(const GicV3 *g, unsigned cpu, uint32_t offset, uint64_t *value)
{
    const LpiCpu *c = &g->lpi[cpu];

    if (!lpi_exist(g)) {
        return false;
    }
    switch (offset & ~7u) {
    case GICR_CTLR: *value = c->enabled; return offset == GICR_CTLR;
    case GICR_PROPBASER: *value = c->properties >> (offset & 4) * 8; break;
    case GICR_PENDBASER: *value = (c->table & ~PENDBASER_ZERO) >> (offset & 4) * 8; break;
    case GICR_SYNCR: *value = 0; break; /* never busy */
    default: return false;
    }
    return true;
}

void gic_v3_write_half(uint64_t *word, uint32_t offset, unsigned size, uint64_t value)
{
    *word = size == 8 ? value
        : offset & 4  ? (*word & 0xffffffff) | value << 32
                      : (*word & ~UINT64_C(0xffffffff)) | (uint32_t)value;
}

/* Once enabled, messages stay so until reset, and their tables where they are (12.11.2). */
bool lpi_write(GicV3 *g, unsigned cpu, uint32_t offset, unsigned size, uint64_t value)
{
    LpiCpu *c = &g->lpi[cpu];

    if (!lpi_exist(g) || c->enabled) {
        return false;
    }
    switch (offset & ~7u) {
    case GICR_CTLR:
        if (offset == GICR_CTLR && (value & 1)) {
            load_table(g, cpu);
            c->enabled = true;
            gic_update_cpu(&g->gic, cpu);
        }
        return offset == GICR_CTLR;
    case GICR_PROPBASER: gic_v3_write_half(&c->properties, offset, size, value); break;
    case GICR_PENDBASER: gic_v3_write_half(&c->table, offset, size, value); break;
    default: return false;
    }
    return true;
}

void lpi_reset(GicV3 *g)
{
    memset(g->lpi, 0, sizeof(g->lpi));
}
