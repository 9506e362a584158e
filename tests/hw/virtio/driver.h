/*
 * A virtio driver for tests: works a device behind virtio-mmio, and can be told to do it wrong.
 *
 * Queue q has its descriptors, available ring and used ring at fixed places of the bench's RAM
 * (DRIVER_*_AT); buffers may be anywhere from DRIVER_BUFFERS on.
 */
#ifndef TESTS_HW_VIRTIO_DRIVER_H
#define TESTS_HW_VIRTIO_DRIVER_H

#include "tests/bench.h"

/* Registers of virtio-mmio (virtio 1.2, 4.2.2). */
enum {
    MMIO_MAGIC = 0x00,
    MMIO_VERSION = 0x04,
    MMIO_DEVICE_ID = 0x08,
    MMIO_DEVICE_FEATURES = 0x10,
    MMIO_DEVICE_FEATURES_SEL = 0x14,
    MMIO_DRIVER_FEATURES = 0x20,
    MMIO_DRIVER_FEATURES_SEL = 0x24,
    MMIO_QUEUE_SEL = 0x30,
    MMIO_QUEUE_NUM_MAX = 0x34,
    MMIO_QUEUE_NUM = 0x38,
    MMIO_QUEUE_READY = 0x44,
    MMIO_QUEUE_NOTIFY = 0x50,
    MMIO_INTERRUPT_STATUS = 0x60,
    MMIO_INTERRUPT_ACK = 0x64,
    MMIO_STATUS = 0x70,
    MMIO_QUEUE_DESC = 0x80,
    MMIO_QUEUE_DRIVER = 0x90,
    MMIO_QUEUE_DEVICE = 0xa0,
    MMIO_GENERATION = 0xfc,
    MMIO_CONFIG = 0x100,
};

enum { STATUS_NEEDS_RESET = 64 };
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

#define FEATURE(n) (UINT64_C(1) << (n))
#define FEATURE_INDIRECT FEATURE(28)
#define FEATURE_EVENT_INDEX FEATURE(29)
#define FEATURE_VERSION_1 FEATURE(32)

#define DRIVER_DESC_AT(q) (BENCH_RAM + (q)*0x10000)
#define DRIVER_AVAILABLE_AT(q) (DRIVER_DESC_AT(q) + 0x8000)
#define DRIVER_USED_AT(q) (DRIVER_DESC_AT(q) + 0xa000)
#define DRIVER_BUFFERS (BENCH_RAM + 0x100000)

typedef struct Used {
    uint32_t head, written;
} Used;

/* Through FEATURES_OK, with these features and VERSION_1; gives the status then. */
unsigned driver_begin(Bench *bench, uint64_t features);
void driver_add_queue(Bench *bench, unsigned queue, unsigned size);
void driver_ready(Bench *bench);
/* All of it: queues 0 to count - 1 of that size. */
void driver_start(Bench *bench, uint64_t features, unsigned count, unsigned size);

void driver_set_desc(Bench *bench, unsigned queue, unsigned index, uint64_t at, uint32_t length,
    unsigned flags, unsigned next);
/* A descriptor in any table, such as an indirect one. */
void driver_write_desc(Bench *bench, uint64_t table, unsigned index, uint64_t at, uint32_t length,
    unsigned flags, unsigned next);

/* Makes a chain available; `size` is the queue's. */
void driver_offer(Bench *bench, unsigned queue, unsigned size, unsigned head);
void driver_kick(Bench *bench, unsigned queue);

unsigned driver_used_count(Bench *bench, unsigned queue);
Used driver_used(Bench *bench, unsigned queue, unsigned size, unsigned entry);

unsigned driver_status(Bench *bench);
bool driver_is_broken(Bench *bench);
/* The causes since the last call, acknowledged. */
unsigned driver_interrupts(Bench *bench);

/* RAM by guest address. */
uint8_t *driver_at(Bench *bench, uint64_t at);

#endif
