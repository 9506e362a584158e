#include "tests/hw/virtio/driver.h"

#include <string.h>

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

static uint32_t get(Bench *bench, unsigned reg)
{
    return bench_read(bench, 0, reg, 4);
}

static void set(Bench *bench, unsigned reg, uint32_t value)
{
    bench_write(bench, 0, reg, 4, value);
}

static void set_pair(Bench *bench, unsigned reg, uint64_t value)
{
    set(bench, reg, value);
    set(bench, reg + 4, value >> 32);
}

uint8_t *driver_at(Bench *bench, uint64_t at)
{
    assert_true(at >= BENCH_RAM && at < BENCH_RAM + BENCH_RAM_SIZE);
    return bench_ram(bench) + (at - BENCH_RAM);
}

static uint16_t get_u16(Bench *bench, uint64_t at)
{
    uint16_t value;

    memcpy(&value, driver_at(bench, at), sizeof(value));
    return GUINT16_FROM_LE(value);
}

static void set_u16(Bench *bench, uint64_t at, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    memcpy(driver_at(bench, at), &value, sizeof(value));
}

unsigned driver_begin(Bench *bench, uint64_t features)
{
    features |= FEATURE_VERSION_1;
    set(bench, MMIO_STATUS, 0);
    set(bench, MMIO_STATUS, ACKNOWLEDGE | DRIVER);
    for (unsigned half = 0; half < 2; half++) {
        set(bench, MMIO_DRIVER_FEATURES_SEL, half);
        set(bench, MMIO_DRIVER_FEATURES, features >> half * 32);
    }
    set(bench, MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    return driver_status(bench);
}

void driver_add_queue(Bench *bench, unsigned queue, unsigned size)
{
    set(bench, MMIO_QUEUE_SEL, queue);
    set(bench, MMIO_QUEUE_NUM, size);
    set_pair(bench, MMIO_QUEUE_DESC, DRIVER_DESC_AT(queue));
    set_pair(bench, MMIO_QUEUE_DRIVER, DRIVER_AVAILABLE_AT(queue));
    set_pair(bench, MMIO_QUEUE_DEVICE, DRIVER_USED_AT(queue));
    memset(driver_at(bench, DRIVER_DESC_AT(queue)), 0, 0x10000);
    set(bench, MMIO_QUEUE_READY, 1);
}

void driver_ready(Bench *bench)
{
    set(bench, MMIO_STATUS, driver_status(bench) | DRIVER_OK);
}

void driver_start(Bench *bench, uint64_t features, unsigned count, unsigned size)
{
    assert_int_equal(driver_begin(bench, features) & FEATURES_OK, FEATURES_OK);
    for (unsigned i = 0; i < count; i++) {
        driver_add_queue(bench, i, size);
    }
    driver_ready(bench);
}

void driver_write_desc(Bench *bench, uint64_t table, unsigned index, uint64_t at, uint32_t length,
    unsigned flags, unsigned next)
{
    uint64_t place = table + index * 16;
    uint64_t at_le = GUINT64_TO_LE(at);
    uint32_t length_le = GUINT32_TO_LE(length);

    memcpy(driver_at(bench, place), &at_le, 8);
    memcpy(driver_at(bench, place + 8), &length_le, 4);
    set_u16(bench, place + 12, flags);
    set_u16(bench, place + 14, next);
}

void driver_set_desc(Bench *bench, unsigned queue, unsigned index, uint64_t at, uint32_t length,
    unsigned flags, unsigned next)
{
    driver_write_desc(bench, DRIVER_DESC_AT(queue), index, at, length, flags, next);
}

void driver_offer(Bench *bench, unsigned queue, unsigned size, unsigned head)
{
    uint64_t ring = DRIVER_AVAILABLE_AT(queue);
    uint16_t index = get_u16(bench, ring + 2);

    set_u16(bench, ring + 4 + index % size * 2, head);
    set_u16(bench, ring + 2, index + 1);
}

void driver_kick(Bench *bench, unsigned queue)
{
    set(bench, MMIO_QUEUE_NOTIFY, queue);
}

unsigned driver_used_count(Bench *bench, unsigned queue)
{
    return get_u16(bench, DRIVER_USED_AT(queue) + 2);
}

Used driver_used(Bench *bench, unsigned queue, unsigned size, unsigned entry)
{
    Used used;

    memcpy(&used, driver_at(bench, DRIVER_USED_AT(queue) + 4 + entry % size * 8), sizeof(used));
    return (Used){ GUINT32_FROM_LE(used.head), GUINT32_FROM_LE(used.written) };
}

unsigned driver_status(Bench *bench)
{
    return get(bench, MMIO_STATUS);
}

bool driver_is_broken(Bench *bench)
{
    return driver_status(bench) & STATUS_NEEDS_RESET;
}

unsigned driver_interrupts(Bench *bench)
{
    unsigned causes = get(bench, MMIO_INTERRUPT_STATUS);

    set(bench, MMIO_INTERRUPT_ACK, causes);
    return causes;
}
