/*
 * Virtio 1.2: what a device type (blk, rng, console ...) is written against.
 *
 * A virtio device is a Device whose state starts with a Virtio. It plugs into a transport (such as
 * virtio-mmio), which carries registers and the interrupt; neither knows the other's type. Rings
 * live in queue.h's functions. Whatever the guest puts into rings is checked here: a chain that
 * reaches a device type is inside RAM, finite, and in the order the standard asks for.
 *
 * All functions run with the machine lock held.
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include "core/device.h"
#include "hw/virtio/queue.h"

/* Feature bits that every device has (virtio 1.2, 6); the core offers them. */
enum {
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32,
};

/* Device status (virtio 1.2, 2.1). */
enum {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

/* Why the transport should interrupt; the bits of InterruptStatus (virtio 1.2, 4.2.2). */
enum { VIRTIO_INT_QUEUE = 1, VIRTIO_INT_CONFIG = 2 };

typedef struct VirtioOps {
    uint16_t id; /* virtio 1.2, 5: 1 net, 2 block, 3 console, 4 rng, 5 balloon */

    /* All but `kick` may be absent. */
    void (*kick)(Virtio *virtio, unsigned queue); /* the driver made buffers available */
    bool (*accept)(Virtio *virtio);      /* at FEATURES_OK: false refuses virtio->features */
    void (*driver_ok)(Virtio *virtio);   /* the driver is ready; queues may be used from here on */
    void (*read_config)(Virtio *virtio); /* brings virtio->config up to date */
    /* The driver writes configuration; inside of it. What is not stored is not changed. */
    void (*write_config)(Virtio *virtio, unsigned offset, unsigned size, uint64_t value);
    void (*reset)(Virtio *virtio); /* must end all requests: the rings are gone afterwards */
} VirtioOps;

/* The transport's half: `owner` is the transport. Sets a cause and raises the interrupt. */
typedef void (*VirtioInterrupt)(void *owner, unsigned cause);

struct Virtio {
    Device dev; /* must be first */

    const VirtioOps *ops;
    uint64_t offered; /* feature bits of the device and of the core */
    void *config;     /* device configuration space, little endian, in the device's state */
    unsigned config_size;
    unsigned queue_count;
    uint64_t out_max;
    VirtioInterrupt interrupt; /* NULL while nothing is connected */
    void *transport;

    /* One kick takes no more chains than the ring has; the rest waits for the timer. */
    unsigned budget;
    uint32_t postponed; /* a bit for each queue */
    Timer *again;
    /* Resets of each queue: chains of an older one are not returned. */
    uint32_t epochs[VIRTIO_QUEUES_MAX];

    /* Guest-visible and saved. */
    uint64_t features;   /* those that the driver accepted */
    uint32_t generation; /* of the configuration space */
    uint32_t status;
    VirtioQueue queues[VIRTIO_QUEUES_MAX];
};

/* Rows for a device's Saved table; its state must be called State with a field `virtio`. */
#define VIRTIO_SAVED(State)                                                                        \
    SAVED(State, virtio.features), SAVED(State, virtio.generation), SAVED(State, virtio.status),   \
        SAVED(State, virtio.queues)

/* What a device type says about itself once, in its `start`. */
typedef struct VirtioSetup {
    uint64_t features;
    void *config; /* stays with the device */
    unsigned config_size;
    unsigned queues;
    unsigned queue_size; /* the largest; a power of two up to VIRTIO_QUEUE_SIZE_MAX */
    uint64_t out_max;    /* bytes that a driver may send in one chain; 0: 4 GiB, the standard's */
} VirtioSetup;

void virtio_setup(Virtio *virtio, const VirtioOps *ops, const VirtioSetup *setup);

/* The same for every type: DeviceClass.reset, .loaded and, unless it has more to do, .stop. */
void virtio_device_reset(Device *dev);
void virtio_device_loaded(Device *dev);
void virtio_device_stop(Device *dev);

static inline bool virtio_has(const Virtio *virtio, unsigned feature)
{
    return virtio->features >> feature & 1;
}

/* The device changed its configuration space: tells the driver. */
void virtio_config_changed(Virtio *virtio);

void virtio_interrupt(Virtio *virtio, unsigned cause);

/* The guest broke the protocol: logs, sets NEEDS_RESET, and no queue works until it resets. */
void virtio_break(Virtio *virtio, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
bool virtio_is_broken(const Virtio *virtio);

/* ---- for transports ---- */

void virtio_connect(Virtio *virtio, VirtioInterrupt interrupt, void *transport);
void virtio_set_status(Virtio *virtio, uint32_t status); /* 0 resets */
void virtio_kick(Virtio *virtio, unsigned queue);
uint64_t virtio_config_read(Virtio *virtio, unsigned offset, unsigned size);
void virtio_config_write(Virtio *virtio, unsigned offset, uint64_t value, unsigned size);

#endif
