/*
 * GICv3's interrupt translation service: a device's message becomes an interrupt of one CPU.
 *
 * ARM IHI 0069, chapters 5.2, 5.3 and 12.18. The guest gives memory for a table of devices, one of
 * collections, and one of events for each device; what is in them is ours, and read anew each time:
 * a hostile guest may write what it likes there, so every number read is checked before it is used.
 * Commands are done at once when the write pointer moves.
 */
#include "hw/intc/gic-v3.h"

enum {
    GITS_CTLR = 0x0000,
    GITS_IIDR = 0x0004,
    GITS_TYPER = 0x0008,
    GITS_CBASER = 0x0080,
    GITS_CWRITER = 0x0088,
    GITS_CREADR = 0x0090,
    GITS_BASER = 0x0100,
    GITS_PIDR2 = 0xffe8,
    GITS_TRANSLATER = 0x10040,
};

enum { IMPLEMENTER_ARM = 0x43b, ARCHITECTURE_3 = 0x3b };
enum { CTLR_ENABLED = 1 };
#define CTLR_QUIESCENT UINT32_C(0x80000000)
#define VALID (UINT64_C(1) << 63)

/* Physical messages; entries of 8 bytes; 16 bits of event, device and collection. */
#define TYPER (UINT64_C(1) | 7 << 4 | 15 << 8 | 15 << 13)
enum { EVENT_BITS = 16, ENTRY_SIZE = 8 };

enum { DEVICES, COLLECTIONS };
static const uint64_t table_facts[ITS_TABLES] = {
    [DEVICES] = UINT64_C(1) << 56 | (uint64_t)(ENTRY_SIZE - 1) << 48,
    [COLLECTIONS] = UINT64_C(4) << 56 | (uint64_t)(ENTRY_SIZE - 1) << 48,
};
#define TABLE_WRITABLE UINT64_C(0xb8e0ffffffffffff) /* not: indirect, type, size of an entry */
#define TABLE_ADDRESS UINT64_C(0x0000fffffffff000)
#define CBASER_ADDRESS UINT64_C(0x000ffffffffff000)

enum { COMMAND_SIZE = 32, PAGE = 4096, RING_POINTER = 0xfffe0 };

/* ---- tables in the guest's memory ---- */

static bool load64(GicV3 *g, GuestAddr at, uint64_t *value)
{
    uint8_t bytes[8];

    if (device_dma_read(&g->gic.dev, at, bytes, sizeof(bytes)) != MEM_OK) {
        return false;
    }
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        *value |= (uint64_t)bytes[i] << i * 8;
    }
    return true;
}

static bool store64(GicV3 *g, GuestAddr at, uint64_t value)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = value >> i * 8;
    }
    return device_dma_write(&g->gic.dev, at, bytes, sizeof(bytes)) == MEM_OK;
}

/* Where an entry of a flat table is; false: beyond what the guest gave (12.18.1). */
static bool entry_at(const GicV3 *g, unsigned table, uint32_t index, GuestAddr *at)
{
    static const uint32_t page_sizes[4] = { 4096, 16384, 65536, 65536 };
    uint64_t base = g->its.table[table];
    uint64_t size = ((base & 0xff) + 1) * page_sizes[base >> 8 & 3];

    *at = (base & TABLE_ADDRESS) + (uint64_t)index * ENTRY_SIZE;
    return (base & VALID) && (uint64_t)index * ENTRY_SIZE < size;
}

static bool read_entry(GicV3 *g, unsigned table, uint32_t index, uint64_t *entry)
{
    GuestAddr at;

    return entry_at(g, table, index, &at) && load64(g, at, entry) && (*entry & VALID);
}

static bool write_entry(GicV3 *g, unsigned table, uint32_t index, uint64_t entry)
{
    GuestAddr at;

    return entry_at(g, table, index, &at) && store64(g, at, entry);
}

/* A device's entry: bits 51 to 8 where its events are, 4 to 0 how many bits an event has, less 1. */
static bool event_at(GicV3 *g, uint32_t device, uint32_t event, GuestAddr *at)
{
    uint64_t entry;

    if (!read_entry(g, DEVICES, device, &entry) || (event >> ((entry & 31) + 1)) != 0) {
        return false;
    }
    *at = (entry & UINT64_C(0x000fffffffffff00)) + (uint64_t)event * ENTRY_SIZE;
    return true;
}

/* An event's entry: bits 47 to 32 its collection, 31 to 0 its interrupt. */
typedef struct Event {
    GuestAddr at;
    uint32_t interrupt, collection;
    unsigned cpu;
} Event;

static bool find_cpu(GicV3 *g, uint32_t collection, unsigned *cpu)
{
    uint64_t entry;

    if (!read_entry(g, COLLECTIONS, collection, &entry) || (entry & 0xffff) >= g->gic.cpus) {
        return false;
    }
    *cpu = entry & 0xffff;
    return true;
}

static bool find_event(GicV3 *g, uint32_t device, uint32_t number, Event *event)
{
    uint64_t entry;

    if (!event_at(g, device, number, &event->at) || !load64(g, event->at, &entry) ||
        !(entry & VALID)) {
        return false;
    }
    event->interrupt = entry;
    event->collection = entry >> 32 & 0xffff;
    return find_cpu(g, event->collection, &event->cpu);
}

static bool map_event(
    GicV3 *g, uint32_t device, uint32_t number, uint32_t interrupt, uint32_t collection)
{
    GuestAddr at;

    return event_at(g, device, number, &at) &&
        store64(g, at, VALID | (uint64_t)(collection & 0xffff) << 32 | interrupt);
}

/* ---- commands (5.3) ---- */

typedef struct Command {
    uint64_t word[4];
    uint32_t device, event; /* where most have them */
} Command;

static bool do_int(GicV3 *g, const Command *c)
{
    Event event;
    bool found = find_event(g, c->device, c->event, &event);

    if (found) {
        lpi_set(g, event.cpu, event.interrupt, true);
    }
    return found;
}

static bool do_clear(GicV3 *g, const Command *c)
{
    Event event;
    bool found = find_event(g, c->device, c->event, &event);

    if (found) {
        lpi_set(g, event.cpu, event.interrupt, false);
    }
    return found;
}

static bool do_discard(GicV3 *g, const Command *c)
{
    Event event;

    return do_clear(g, c) && find_event(g, c->device, c->event, &event) && store64(g, event.at, 0);
}

static bool do_mapd(GicV3 *g, const Command *c)
{
    uint64_t table = c->word[2] & UINT64_C(0x000fffffffffff00), bits = c->word[1] & 31;

    return bits < EVENT_BITS &&
        write_entry(g, DEVICES, c->device, (c->word[2] & VALID) | table | bits);
}

static bool do_mapc(GicV3 *g, const Command *c)
{
    uint64_t cpu = c->word[2] >> 16 & UINT64_C(0x7ffffffff);

    return cpu < g->gic.cpus &&
        write_entry(g, COLLECTIONS, c->word[2] & 0xffff, (c->word[2] & VALID) | cpu);
}

static bool do_mapti(GicV3 *g, const Command *c)
{
    return map_event(g, c->device, c->event, c->word[1] >> 32, c->word[2]);
}

static bool do_mapi(GicV3 *g, const Command *c)
{
    return map_event(g, c->device, c->event, c->event, c->word[2]);
}

/* What is pending goes along (5.3.9). */
static bool do_movi(GicV3 *g, const Command *c)
{
    Event event;
    unsigned to;

    if (!find_event(g, c->device, c->event, &event) || !find_cpu(g, c->word[2] & 0xffff, &to) ||
        !map_event(g, c->device, c->event, event.interrupt, c->word[2])) {
        return false;
    }
    if (lpi_is_pending(g, event.cpu, event.interrupt)) {
        lpi_set(g, event.cpu, event.interrupt, false);
        lpi_set(g, to, event.interrupt, true);
    }
    return true;
}

static bool do_movall(GicV3 *g, const Command *c)
{
    uint64_t from = c->word[2] >> 16 & UINT64_C(0x7ffffffff),
             to = c->word[3] >> 16 & UINT64_C(0x7ffffffff);

    if (from >= g->gic.cpus || to >= g->gic.cpus) {
        return false;
    }
    lpi_move_all(g, from, to);
    return true;
}

/* Nothing is cached and nothing is under way: INV, INVALL and SYNC. */
static bool do_nothing(GicV3 *g, const Command *c)
{
    return true;
}

/* clang-format off */
static bool (*const commands[256])(GicV3 *g, const Command *c) = {
    [0x01] = do_movi, [0x03] = do_int, [0x04] = do_clear, [0x05] = do_nothing,
    [0x08] = do_mapd, [0x09] = do_mapc, [0x0a] = do_mapti, [0x0b] = do_mapi,
    [0x0c] = do_nothing, [0x0d] = do_nothing, [0x0e] = do_movall, [0x0f] = do_discard,
};
/* clang-format on */

/* A command that cannot be done is left out, as the manual allows (5.3.1). */
static void run_command(GicV3 *g, GuestAddr at)
{
    Command c;
    unsigned number;

    for (unsigned i = 0; i < 4; i++) {
        if (!load64(g, at + i * 8, &c.word[i])) {
            device_guest_error(&g->gic.dev, "a command of the ITS is outside memory");
            return;
        }
    }
    number = c.word[0] & 0xff;
    c.device = c.word[0] >> 32;
    c.event = c.word[1];
    if (!commands[number] || !commands[number](g, &c)) {
        device_guest_error(&g->gic.dev, "command 0x%x of the ITS cannot be done", number);
    }
}

/* From the read pointer to the write pointer; the ring has 1 to 256 pages. */
static void run_commands(GicV3 *g)
{
    Its *its = &g->its;
    uint64_t size = ((its->commands & 0xff) + 1) * PAGE;

    if (!its->enabled || !(its->commands & VALID) || its->write >= size) {
        return;
    }
    while (its->read != its->write) {
        run_command(g, (its->commands & CBASER_ADDRESS) + its->read);
        its->read = (its->read + COMMAND_SIZE) % size;
    }
    gic_update(&g->gic);
}

/* ---- registers ---- */

static const uint64_t *register_of(const Its *its, uint32_t offset)
{
    switch (offset & ~7u) {
    case GITS_CBASER: return &its->commands;
    case GITS_CWRITER: return &its->write;
    case GITS_CREADR: return &its->read;
    case GITS_BASER + 8 * DEVICES: return &its->table[DEVICES];
    case GITS_BASER + 8 * COLLECTIONS: return &its->table[COLLECTIONS];
    }
    return NULL;
}

static uint64_t its_read(void *owner, GuestAddr offset, unsigned size)
{
    const GicV3 *g = owner;
    const uint64_t *word = register_of(&g->its, offset);

    switch (offset) {
    case GITS_CTLR: return g->its.enabled | CTLR_QUIESCENT;
    case GITS_IIDR: return IMPLEMENTER_ARM;
    case GITS_TYPER: return TYPER;
    case GITS_TYPER + 4: return TYPER >> 32;
    case GITS_PIDR2: return ARCHITECTURE_3;
    }
    return word ? *word >> (offset & 4) * 8 : 0;
}

/* A new ring begins at its start; tables keep what they are for. */
static void register_written(GicV3 *g, uint32_t offset)
{
    Its *its = &g->its;

    switch (offset & ~7u) {
    case GITS_CBASER: its->read = 0; break;
    case GITS_CWRITER:
        its->write &= RING_POINTER;
        run_commands(g);
        break;
    case GITS_BASER + 8 * DEVICES:
    case GITS_BASER + 8 * COLLECTIONS: {
        unsigned table = (offset - GITS_BASER) / 8;

        its->table[table] = (its->table[table] & TABLE_WRITABLE) | table_facts[table];
        break;
    }
    }
}

/* Messages that CPUs write come from device 0: no bus names another yet. */
static void translate(GicV3 *g, uint32_t event)
{
    const Command c = { .event = event };

    if (g->its.enabled && !do_int(g, &c)) {
        device_guest_error(&g->gic.dev, "event %u of device 0 is not mapped", (unsigned)event);
    }
    gic_update(&g->gic);
}

static void its_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    GicV3 *g = owner;
    uint64_t *word = (uint64_t *)register_of(&g->its, offset);

    if (offset == GITS_CTLR) {
        g->its.enabled = value & CTLR_ENABLED;
        run_commands(g);
    } else if (offset == GITS_TRANSLATER) {
        translate(g, value);
    } else if (word && (offset & ~7u) != GITS_CREADR) {
        gic_v3_write_half(word, offset, size, value);
        register_written(g, offset);
    } else {
        device_guest_error(&g->gic.dev, "write to 0x%x of the ITS", (unsigned)offset);
    }
}

const RegionOps its_ops = {
    .read = its_read,
    .write = its_write,
    .guest = { 4, 8 },
    .endian = ENDIAN_LITTLE,
};

/* A snapshot may hold anything: the pointers are multiples of a command, in the largest ring. */
void its_loaded(GicV3 *g)
{
    g->its.read &= RING_POINTER;
    g->its.write &= RING_POINTER;
}

void its_reset(GicV3 *g)
{
    g->its = (Its){ .table = { table_facts[DEVICES], table_facts[COLLECTIONS] } };
}
