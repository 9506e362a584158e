/*
 * Goldfish RTC: wall-clock nanoseconds, with an alarm.
 *
 * Android's "goldfish virtual hardware" document, section IX. Reading the low half latches the
 * high half; writing the low half of time or alarm takes both halves at once. Time of day is the
 * host's when the machine starts, and follows the machine's clock from there.
 */
#include "core/registers.h"

enum { RTC_SIZE = 0x1000 };

typedef struct Rtc {
    Device dev;

    Timer *timer;

    uint64_t power_on;  /* wall-clock time at 0 of the machine's clock */
    uint32_t time_high; /* latched, or waiting for its low half */
    uint32_t alarm_high;
    uint64_t alarm;
    uint8_t alarm_set, enabled, pending;
} Rtc;

static uint64_t rtc_now(const Rtc *r)
{
    return r->power_on + device_now(&r->dev);
}

static void update_irq(Rtc *r)
{
    device_set_irq(&r->dev, 0, r->pending && r->enabled);
}

/* Differences of wall-clock times may be anything: a guest may set its clock to any value. */
static void update_alarm(Rtc *r)
{
    int64_t wait = r->alarm - rtc_now(r);

    if (r->alarm_set && wait <= 0) {
        r->alarm_set = false;
        r->pending = true;
    }
    if (!r->alarm_set) {
        timer_cancel(r->timer);
    } else {
        timer_set(r->timer,
            wait > INT64_MAX - device_now(&r->dev) ? INT64_MAX : device_now(&r->dev) + wait);
    }
    update_irq(r);
}

static void alarm_due(void *data)
{
    update_alarm(data);
}

/* ---- registers ---- */

static uint64_t time_low_read(Device *dev, unsigned index)
{
    Rtc *r = (Rtc *)dev;
    uint64_t now = rtc_now(r);

    r->time_high = now >> 32;
    return (uint32_t)now;
}

static void time_low_write(Device *dev, unsigned index, uint64_t value)
{
    Rtc *r = (Rtc *)dev;

    r->power_on = ((uint64_t)r->time_high << 32 | value) - device_now(dev);
    update_alarm(r);
}

static uint64_t alarm_low_read(Device *dev, unsigned index)
{
    return (uint32_t)((Rtc *)dev)->alarm;
}

static void alarm_low_write(Device *dev, unsigned index, uint64_t value)
{
    Rtc *r = (Rtc *)dev;

    r->alarm = (uint64_t)r->alarm_high << 32 | value;
    r->alarm_set = true;
    update_alarm(r);
}

static void enabled_written(Device *dev, unsigned index)
{
    update_irq((Rtc *)dev);
}

static void clear_alarm_write(Device *dev, unsigned index, uint64_t value)
{
    Rtc *r = (Rtc *)dev;

    r->alarm_set = false;
    timer_cancel(r->timer);
}

static void clear_interrupt_write(Device *dev, unsigned index, uint64_t value)
{
    Rtc *r = (Rtc *)dev;

    r->pending = false;
    update_irq(r);
}

/* clang-format off */
static const Register rtc_registers[] = {
    { .name = "TIME_LOW", .offset = 0x00, .read = time_low_read, .write = time_low_write },
    { .name = "TIME_HIGH", .offset = 0x04, FIELD(Rtc, time_high), .writable = 0xffffffff },
    { .name = "ALARM_LOW", .offset = 0x08, .read = alarm_low_read, .write = alarm_low_write },
    { .name = "ALARM_HIGH", .offset = 0x0c, FIELD(Rtc, alarm_high), .writable = 0xffffffff },
    { .name = "IRQ_ENABLED", .offset = 0x10, FIELD(Rtc, enabled), .writable = 1,
      .written = enabled_written },
    { .name = "CLEAR_ALARM", .offset = 0x14, .write = clear_alarm_write },
    { .name = "ALARM_STATUS", .offset = 0x18, FIELD(Rtc, alarm_set) },
    { .name = "CLEAR_INTERRUPT", .offset = 0x1c, .write = clear_interrupt_write },
};
/* clang-format on */

static const RegisterBank rtc_bank = REGISTER_BANK(rtc_registers);

/* ---- life ---- */

static void rtc_reset(Device *dev)
{
    Rtc *r = (Rtc *)dev;

    registers_reset(&rtc_bank, dev);
    r->power_on = device_time_of_day(dev) - device_now(dev);
    r->alarm = 0;
    r->pending = false;
    update_alarm(r);
}

static void rtc_loaded(Device *dev)
{
    update_alarm((Rtc *)dev);
}

static bool rtc_start(Device *dev, Diag *diag)
{
    Rtc *r = (Rtc *)dev;

    r->timer = timer_new(device_clock(dev), alarm_due, r);
    device_add_region(dev, 0, registers_region("regs", RTC_SIZE, &rtc_bank, dev));
    return true;
}

static void rtc_stop(Device *dev)
{
    timer_free(((Rtc *)dev)->timer);
}

static const Saved rtc_saved[] = {
    SAVED(Rtc, power_on),
    SAVED(Rtc, time_high),
    SAVED(Rtc, alarm_high),
    SAVED(Rtc, alarm),
    SAVED(Rtc, alarm_set),
    SAVED(Rtc, enabled),
    SAVED(Rtc, pending),
    {},
};

DEVICE_CLASS(goldfish_rtc) = {
    .name = "goldfish-rtc",
    .state_size = sizeof(Rtc),
    .saved = rtc_saved,
    .start = rtc_start,
    .reset = rtc_reset,
    .stop = rtc_stop,
    .loaded = rtc_loaded,
};
