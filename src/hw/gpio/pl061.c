/*
 * PL061 GPIO: eight pins, each with an interrupt on levels or edges.
 *
 * ARM DDI 0190B, chapter 3. Pins that are inputs follow the lines `line.0` to `line.7`; pins that
 * are outputs read back what was written, and one may turn the machine off, one start it anew.
 */
#include "core/build.h"
#include "core/registers.h"
#include "hw/primecell.h"

enum { GPIO_SIZE = 0x1000, PINS = 8 };

typedef struct Gpio {
    Device dev;

    uint8_t level; /* what drives the pins from outside */
    uint8_t data;  /* what was written to those that are outputs */
    uint8_t direction, sense, both_edges, event, mask, alternate;
    uint8_t edges; /* seen, and not cleared */
    uint32_t poweroff,
        restart; /* properties: pins by which the guest ends the machine; PINS: none */
} Gpio;

static uint8_t pins(const Gpio *g)
{
    return (g->data & g->direction) | (g->level & ~g->direction);
}

/* A level source is active while its pin has the level asked for; an edge is kept (3.3.9). */
static uint8_t raw_interrupts(const Gpio *g)
{
    return (g->sense & ~(pins(g) ^ g->event)) | (~g->sense & g->edges);
}

static void update_irq(Gpio *g)
{
    device_set_irq(&g->dev, 0, raw_interrupts(g) & g->mask);
}

static void note_edges(Gpio *g, uint8_t before)
{
    uint8_t changed = before ^ pins(g);

    g->edges |= changed & ~g->sense & (g->both_edges | ~(pins(g) ^ g->event));
    update_irq(g);
}

static void gpio_set_input(Device *dev, unsigned index, bool level)
{
    Gpio *g = (Gpio *)dev;
    uint8_t before = pins(g), pin = 1 << index;

    g->level = level ? g->level | pin : g->level & ~pin;
    note_edges(g, before);
}

/* ---- registers ---- */

/* Where a pin rises that the board's power control watches. */
static void tell_power(Gpio *g, uint8_t before)
{
    uint8_t risen = ~before & pins(g) & g->direction;

    if (g->poweroff < PINS && risen >> g->poweroff & 1) {
        machine_request(g->dev.machine, MACHINE_POWEROFF, 0);
    } else if (g->restart < PINS && risen >> g->restart & 1) {
        machine_request(g->dev.machine, MACHINE_RESET, 0);
    }
}

/* Bits 9 to 2 of the address say which pins are meant (3.3.1). */
static uint64_t data_read(Device *dev, unsigned which)
{
    return pins((Gpio *)dev) & which;
}

static void data_write(Device *dev, unsigned which, uint64_t value)
{
    Gpio *g = (Gpio *)dev;
    uint8_t before = pins(g);

    which &= g->direction;
    g->data = (g->data & ~which) | (value & which);
    note_edges(g, before);
    tell_power(g, before);
}

static void direction_write(Device *dev, unsigned index, uint64_t value)
{
    Gpio *g = (Gpio *)dev;
    uint8_t before = pins(g);

    g->direction = value;
    note_edges(g, before);
    tell_power(g, before);
}

static void interrupts_written(Device *dev, unsigned index)
{
    update_irq((Gpio *)dev);
}

static uint64_t raw_read(Device *dev, unsigned index)
{
    return raw_interrupts((Gpio *)dev);
}

static uint64_t masked_read(Device *dev, unsigned index)
{
    const Gpio *g = (Gpio *)dev;

    return raw_interrupts(g) & g->mask;
}

static void clear_write(Device *dev, unsigned index, uint64_t value)
{
    Gpio *g = (Gpio *)dev;

    g->edges &= ~value;
    update_irq(g);
}

static uint64_t id_read(Device *dev, unsigned index)
{
    static const uint8_t id[PRIMECELL_ID_BYTES] = PRIMECELL_ID(0x61, 0);

    return id[index];
}

/* clang-format off */
static const Register gpio_registers[] = {
    { .name = "GPIODATA", .offset = 0x000, .count = 256, .read = data_read,
      .write = data_write },
    { .name = "GPIODIR", .offset = 0x400, FIELD(Gpio, direction), .write = direction_write },
    { .name = "GPIOIS", .offset = 0x404, FIELD(Gpio, sense), .writable = 0xff,
      .written = interrupts_written },
    { .name = "GPIOIBE", .offset = 0x408, FIELD(Gpio, both_edges), .writable = 0xff,
      .written = interrupts_written },
    { .name = "GPIOIEV", .offset = 0x40c, FIELD(Gpio, event), .writable = 0xff,
      .written = interrupts_written },
    { .name = "GPIOIE", .offset = 0x410, FIELD(Gpio, mask), .writable = 0xff,
      .written = interrupts_written },
    { .name = "GPIORIS", .offset = 0x414, .read = raw_read },
    { .name = "GPIOMIS", .offset = 0x418, .read = masked_read },
    { .name = "GPIOIC", .offset = 0x41c, .write = clear_write },
    { .name = "GPIOAFSEL", .offset = 0x420, FIELD(Gpio, alternate), .writable = 0xff },
    { .name = "GPIOPeriphID, GPIOPCellID", .offset = 0xfe0, .count = 8, .read = id_read },
};
/* clang-format on */

static const RegisterBank gpio_bank = REGISTER_BANK(gpio_registers, .guest = { 1, 4 });

/* ---- life ---- */

static void gpio_loaded(Device *dev)
{
    update_irq((Gpio *)dev);
}

static void gpio_reset(Device *dev)
{
    Gpio *g = (Gpio *)dev;

    registers_reset(&gpio_bank, dev);
    g->data = g->edges = 0;
    update_irq(g);
}

static bool gpio_start(Device *dev, Diag *diag)
{
    device_add_inputs(dev, "line", 0, PINS, 0);
    device_add_region(dev, 0, registers_region("regs", GPIO_SIZE, &gpio_bank, dev));
    return true;
}

static const Prop gpio_props[] = {
    PROP(U32, Gpio, poweroff),
    PROP(U32, Gpio, restart),
    {},
};

static const Saved gpio_saved[] = {
    SAVED(Gpio, level),
    SAVED(Gpio, data),
    SAVED(Gpio, direction),
    SAVED(Gpio, sense),
    SAVED(Gpio, both_edges),
    SAVED(Gpio, event),
    SAVED(Gpio, mask),
    SAVED(Gpio, alternate),
    SAVED(Gpio, edges),
    {},
};

DEVICE_CLASS(pl061) = {
    .name = "pl061",
    .state_size = sizeof(Gpio),
    .props = gpio_props,
    .saved = gpio_saved,
    .start = gpio_start,
    .reset = gpio_reset,
    .loaded = gpio_loaded,
    .set_input = gpio_set_input,
};
