/*
 * RISC-V CLINT: software interrupts and the machine timer of each hart.
 *
 * "SiFive Interrupt Cookbook" 1.2, chapter 2, and the RISC-V ACLINT specification, chapters 2 and
 * 3: mtime counts at the rate of the clock `mtime`, and shows what rdtime shows until firmware sets
 * it; rdtime is the machine's time and stays.
 */
#include "core/device.h"

enum {
    MSIP = 0x0000,
    MTIMECMP = 0x4000,
    MTIME = 0xbff8,
    CLINT_SIZE = 0x10000,
    HARTS_MAX = 64,
};
enum { OUT_MSIP, OUT_MTIP }; /* in the schema's order of lines for each CPU */

typedef struct Clint Clint;

typedef struct ClintTimer {
    Clint *clint;
    unsigned hart;
    Timer *timer;
} ClintTimer;

struct Clint {
    Device dev;

    uint64_t hz; /* of mtime */
    unsigned harts;
    ClintTimer timers[HARTS_MAX];

    uint32_t msip[HARTS_MAX];
    uint64_t mtimecmp[HARTS_MAX];
    uint64_t ahead; /* what mtime is ahead of the machine's time, modulo 2^64 */
};

static uint64_t ticks_now(const Clint *c)
{
    return clock_ns_to_ticks(device_now(&c->dev), c->hz);
}

static uint64_t mtime(const Clint *c)
{
    return ticks_now(c) + c->ahead;
}

/* Sets the hart's line as of now, and comes again when the comparison would turn true. */
static void update_timer(Clint *c, unsigned hart)
{
    uint64_t now = ticks_now(c), left = c->mtimecmp[hart] - (now + c->ahead);
    bool due = now + c->ahead >= c->mtimecmp[hart];
    uint64_t end = left > UINT64_MAX - now ? UINT64_MAX : now + left;
    int64_t deadline = clock_ticks_to_ns(end, c->hz);

    device_set_cpu_irq(&c->dev, hart, OUT_MTIP, due);
    if (due || deadline == INT64_MAX) {
        timer_cancel(c->timers[hart].timer);
    } else {
        timer_set(c->timers[hart].timer, deadline);
    }
}

static void timer_fired(void *data)
{
    ClintTimer *t = data;

    update_timer(t->clint, t->hart);
}

/* The part of a 64-bit register that an access of 4 or 8 bytes names. */
static uint64_t get_part(uint64_t value, GuestAddr offset, unsigned size)
{
    return size == 8 ? value : (uint32_t)(value >> (offset & 4) * 8);
}

static uint64_t set_part(uint64_t old, GuestAddr offset, unsigned size, uint64_t part)
{
    unsigned shift = (offset & 4) * 8;

    return size == 8 ? part
                     : (old & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)(uint32_t)part << shift;
}

static uint64_t clint_read(void *owner, GuestAddr offset, unsigned size)
{
    Clint *c = owner;

    if (size == 4 && offset < MSIP + c->harts * 4) {
        return c->msip[offset / 4];
    }
    if (offset >= MTIMECMP && offset < MTIMECMP + c->harts * 8) {
        return get_part(c->mtimecmp[(offset - MTIMECMP) / 8], offset, size);
    }
    if (offset >= MTIME && offset < MTIME + 8) {
        return get_part(mtime(c), offset, size);
    }
    device_guest_error(&c->dev, "read of %u bytes at 0x%x", size, (unsigned)offset);
    return 0;
}

static void set_mtime(Clint *c, uint64_t value)
{
    c->ahead = value - ticks_now(c);
    for (unsigned hart = 0; hart < c->harts; hart++) {
        update_timer(c, hart);
    }
}

static void clint_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    Clint *c = owner;

    if (size == 4 && offset < MSIP + c->harts * 4) {
        c->msip[offset / 4] = value & 1;
        device_set_cpu_irq(&c->dev, offset / 4, OUT_MSIP, value & 1);
    } else if (offset >= MTIMECMP && offset < MTIMECMP + c->harts * 8) {
        unsigned hart = (offset - MTIMECMP) / 8;

        c->mtimecmp[hart] = set_part(c->mtimecmp[hart], offset, size, value);
        update_timer(c, hart);
    } else if (offset >= MTIME && offset < MTIME + 8) {
        set_mtime(c, set_part(mtime(c), offset, size, value));
    } else {
        device_guest_error(&c->dev, "write of %u bytes at 0x%x", size, (unsigned)offset);
    }
}

static const RegionOps clint_ops = {
    .read = clint_read,
    .write = clint_write,
    .guest = { 4, 8 },
    .endian = ENDIAN_LITTLE,
};

static void clint_loaded(Device *dev)
{
    Clint *c = (Clint *)dev;

    for (unsigned hart = 0; hart < c->harts; hart++) {
        device_set_cpu_irq(dev, hart, OUT_MSIP, c->msip[hart]);
        update_timer(c, hart);
    }
}

/* mtimecmp is undefined after reset; the highest value is the one that fires no interrupt. */
static void clint_reset(Device *dev)
{
    Clint *c = (Clint *)dev;

    c->ahead = 0;
    for (unsigned hart = 0; hart < c->harts; hart++) {
        c->msip[hart] = 0;
        c->mtimecmp[hart] = UINT64_MAX;
    }
    clint_loaded(dev);
}

static bool clint_start(Device *dev, Diag *diag)
{
    Clint *c = (Clint *)dev;

    c->hz = device_clock_hz(dev, "mtime");
    c->harts = device_cpu_count(dev);
    if (c->harts > HARTS_MAX) {
        return device_error(
            dev, diag, "type", "serves up to %u CPUs, the machine has %u", HARTS_MAX, c->harts);
    }
    for (unsigned hart = 0; hart < c->harts; hart++) {
        c->timers[hart] = (ClintTimer){ c, hart, NULL };
        c->timers[hart].timer = timer_new(device_clock(dev), timer_fired, &c->timers[hart]);
    }
    device_add_region(dev, 0, region_new_mmio("regs", CLINT_SIZE, &clint_ops, c));
    return true;
}

static void clint_stop(Device *dev)
{
    Clint *c = (Clint *)dev;

    for (unsigned hart = 0; hart < c->harts; hart++) {
        timer_free(c->timers[hart].timer);
    }
}

static const Saved clint_saved[] = { SAVED(Clint, msip), SAVED(Clint, mtimecmp),
    SAVED(Clint, ahead), {} };

DEVICE_CLASS(riscv_clint) = {
    .name = "riscv-clint",
    .state_size = sizeof(Clint),
    .saved = clint_saved,
    .start = clint_start,
    .reset = clint_reset,
    .stop = clint_stop,
    .loaded = clint_loaded,
};
