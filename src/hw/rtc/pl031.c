/*
 * PL031 real-time clock: seconds, with a match interrupt.
 *
 * ARM DDI 0224C, chapter 3. Time of day is the host's when the machine starts, and follows the
 * machine's clock from there. The counter has 32 bits and wraps in 2106.
 */
#include "core/registers.h"
#include "hw/primecell.h"

enum { RTC_SIZE = 0x1000 };

typedef struct Rtc {
    Device dev;

    Timer *timer;

    int64_t power_on; /* wall-clock ns at 0 of the machine's clock, without what LR added */
    uint32_t offset;  /* seconds */
    uint32_t match, load, mask, raw;
} Rtc;

static int64_t wall_clock(const Rtc *r)
{
    return r->power_on + device_now(&r->dev);
}

static uint32_t rtc_now(const Rtc *r)
{
    return wall_clock(r) / NS_PER_SECOND + r->offset;
}

static void update_irq(Rtc *r)
{
    device_set_irq(&r->dev, 0, r->raw & r->mask);
}

/* The counter turns to the match value up to 136 years from now. */
static void wait_for_match(Rtc *r)
{
    uint32_t seconds = r->match - rtc_now(r);
    int64_t second_ends = NS_PER_SECOND - wall_clock(r) % NS_PER_SECOND;

    if (seconds == 0) {
        timer_cancel(r->timer);
    } else {
        timer_set(r->timer, device_now(&r->dev) + second_ends + (seconds - 1) * NS_PER_SECOND);
    }
    update_irq(r);
}

static void update_match(Rtc *r)
{
    r->raw |= r->match == rtc_now(r);
    wait_for_match(r);
}

static void match_due(void *data)
{
    update_match(data);
}

/* ---- registers ---- */

static uint64_t data_read(Device *dev, unsigned index)
{
    return rtc_now((Rtc *)dev);
}

static void match_written(Device *dev, unsigned index)
{
    update_match((Rtc *)dev);
}

static void load_written(Device *dev, unsigned index)
{
    Rtc *r = (Rtc *)dev;

    r->offset += r->load - rtc_now(r);
    update_match(r);
}

/* Once started, the clock cannot be stopped; it is started already (3.3.4). */
static uint64_t control_read(Device *dev, unsigned index)
{
    return 1;
}

static void control_write(Device *dev, unsigned index, uint64_t value)
{
}

static void mask_written(Device *dev, unsigned index)
{
    update_irq((Rtc *)dev);
}

static uint64_t masked_read(Device *dev, unsigned index)
{
    const Rtc *r = (Rtc *)dev;

    return r->raw & r->mask;
}

static void clear_write(Device *dev, unsigned index, uint64_t value)
{
    Rtc *r = (Rtc *)dev;

    r->raw &= ~value;
    update_irq(r);
}

static uint64_t id_read(Device *dev, unsigned index)
{
    static const uint8_t id[PRIMECELL_ID_BYTES] = PRIMECELL_ID(0x31, 0);

    return id[index];
}

/* clang-format off */
static const Register rtc_registers[] = {
    { .name = "RTCDR", .offset = 0x00, .read = data_read },
    { .name = "RTCMR", .offset = 0x04, FIELD(Rtc, match), .writable = 0xffffffff,
      .written = match_written },
    { .name = "RTCLR", .offset = 0x08, FIELD(Rtc, load), .writable = 0xffffffff,
      .written = load_written },
    { .name = "RTCCR", .offset = 0x0c, .read = control_read, .write = control_write },
    { .name = "RTCIMSC", .offset = 0x10, FIELD(Rtc, mask), .writable = 1,
      .written = mask_written },
    { .name = "RTCRIS", .offset = 0x14, FIELD(Rtc, raw) },
    { .name = "RTCMIS", .offset = 0x18, .read = masked_read },
    { .name = "RTCICR", .offset = 0x1c, .write = clear_write },
    { .name = "RTCPeriphID, RTCPCellID", .offset = 0xfe0, .count = 8, .read = id_read },
};
/* clang-format on */

/* EDK2 reads the identification by bytes. */
static const RegisterBank rtc_bank = REGISTER_BANK(rtc_registers, .guest = { 1, 4 });

/* ---- life ---- */

static void rtc_loaded(Device *dev)
{
    wait_for_match((Rtc *)dev);
}

static void rtc_reset(Device *dev)
{
    Rtc *r = (Rtc *)dev;

    r->power_on = device_time_of_day(dev) - device_now(dev);
    r->offset = 0;
    registers_reset(&rtc_bank, dev);
    rtc_loaded(dev);
}

static bool rtc_start(Device *dev, Diag *diag)
{
    Rtc *r = (Rtc *)dev;

    r->timer = timer_new(device_clock(dev), match_due, r);
    device_add_region(dev, 0, registers_region("regs", RTC_SIZE, &rtc_bank, dev));
    return true;
}

static void rtc_stop(Device *dev)
{
    timer_free(((Rtc *)dev)->timer);
}

static const Saved rtc_saved[] = {
    SAVED(Rtc, power_on),
    SAVED(Rtc, offset),
    SAVED(Rtc, match),
    SAVED(Rtc, load),
    SAVED(Rtc, mask),
    SAVED(Rtc, raw),
    {},
};

DEVICE_CLASS(pl031) = {
    .name = "pl031",
    .state_size = sizeof(Rtc),
    .saved = rtc_saved,
    .start = rtc_start,
    .reset = rtc_reset,
    .stop = rtc_stop,
    .loaded = rtc_loaded,
};
