/*
 * Virtio over MMIO: the register window of one virtio device.
 *
 * Virtio 1.2, 4.2, version 2 of the layout. A window into which nothing is plugged says so with
 * device number 0, and a driver leaves it alone (4.2.2.1).
 */
#include "core/registers.h"
#include "hw/virtio/virtio.h"

enum {
    MMIO_SIZE = 0x200,
    CONFIG = 0x100,
    MAGIC = 0x74726976, /* "virt" */
    VERSION = 2,
    VENDOR = 0x4854414c, /* "LATH" */
};

typedef struct VirtioMmio {
    Device dev;

    Virtio *virtio; /* what is plugged in; NULL: nothing */

    uint32_t device_features_half, driver_features_half; /* which 32 bits are meant */
    uint32_t queue_selected;
    uint32_t interrupts; /* VIRTIO_INT_* not yet acknowledged */
} VirtioMmio;

static void update_irq(VirtioMmio *m)
{
    device_set_irq(&m->dev, 0, m->interrupts != 0);
}

static void mmio_interrupt(void *owner, unsigned cause)
{
    VirtioMmio *m = owner;

    m->interrupts |= cause;
    update_irq(m);
}

/* The selected queue; NULL when there is none of that number. */
static VirtioQueue *selected_queue(const VirtioMmio *m)
{
    return m->virtio && m->queue_selected < m->virtio->queue_count
        ? &m->virtio->queues[m->queue_selected]
        : NULL;
}

/* A queue in use keeps its size and addresses: it must be reset first (4.2.3.2). */
static VirtioQueue *configurable_queue(VirtioMmio *m)
{
    VirtioQueue *q = selected_queue(m);

    if (!q || q->ready) {
        device_guest_error(&m->dev, "set-up of queue %u, which is %s", m->queue_selected,
            q ? "in use" : "not there");
        return NULL;
    }
    return q;
}

/* ---- identity and features ---- */

static uint64_t magic_read(Device *dev, unsigned index)
{
    return MAGIC;
}

static uint64_t version_read(Device *dev, unsigned index)
{
    return VERSION;
}

static uint64_t device_id_read(Device *dev, unsigned index)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    return m->virtio ? m->virtio->ops->id : 0;
}

static uint64_t vendor_read(Device *dev, unsigned index)
{
    return VENDOR;
}

static uint64_t device_features_read(Device *dev, unsigned index)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    if (!m->virtio || m->device_features_half > 1) {
        return 0;
    }
    return (uint32_t)(m->virtio->offered >> m->device_features_half * 32);
}

static void driver_features_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioMmio *m = (VirtioMmio *)dev;
    unsigned shift = m->driver_features_half * 32;

    if (!m->virtio || shift > 32) {
        return;
    }
    if (m->virtio->status & VIRTIO_FEATURES_OK) {
        device_guest_error(dev, "features change after they were accepted");
        return;
    }
    m->virtio->features &= ~(UINT64_C(0xffffffff) << shift);
    m->virtio->features |= value << shift;
}

/* ---- queues ---- */

static uint64_t queue_size_max_read(Device *dev, unsigned index)
{
    const VirtioQueue *q = selected_queue((VirtioMmio *)dev);

    return q ? q->size_max : 0;
}

static void queue_size_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioQueue *q = configurable_queue((VirtioMmio *)dev);

    if (q) {
        q->size = value;
    }
}

static uint64_t queue_ready_read(Device *dev, unsigned index)
{
    const VirtioQueue *q = selected_queue((VirtioMmio *)dev);

    return q ? q->ready : 0;
}

static void queue_ready_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioMmio *m = (VirtioMmio *)dev;
    VirtioQueue *q = selected_queue(m);

    if (!q) {
        device_guest_error(dev, "queue %u is not there", m->queue_selected);
    } else if ((value & 1) && !q->ready) {
        virtqueue_enable(m->virtio, m->queue_selected);
    } else if (!(value & 1) && q->ready) {
        virtqueue_reset(m->virtio, m->queue_selected);
    }
}

static void queue_notify_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    if (m->virtio) {
        virtio_kick(m->virtio, value & 0xffff);
    }
}

/* Rows 0 and 1 of each pair are the low and the high half. */
static void set_half(uint64_t *address, unsigned half, uint64_t value)
{
    unsigned shift = half * 32;

    *address = (*address & ~(UINT64_C(0xffffffff) << shift)) | value << shift;
}

static void queue_desc_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioQueue *q = configurable_queue((VirtioMmio *)dev);

    if (q) {
        set_half(&q->desc_at, index, value);
    }
}

static void queue_driver_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioQueue *q = configurable_queue((VirtioMmio *)dev);

    if (q) {
        set_half(&q->driver_at, index, value);
    }
}

static void queue_device_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioQueue *q = configurable_queue((VirtioMmio *)dev);

    if (q) {
        set_half(&q->device_at, index, value);
    }
}

/* ---- status and interrupts ---- */

static void interrupt_ack_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    m->interrupts &= ~value;
    update_irq(m);
}

static uint64_t status_read(Device *dev, unsigned index)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    return m->virtio ? m->virtio->status : 0;
}

static void status_write(Device *dev, unsigned index, uint64_t value)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    if (m->virtio) {
        virtio_set_status(m->virtio, value);
    }
    if (value == 0) {
        m->interrupts = 0;
        update_irq(m);
    }
}

/* A shared memory region that does not exist has length and base of all ones (4.2.2). */
static uint64_t shared_memory_read(Device *dev, unsigned index)
{
    return UINT32_MAX;
}

static uint64_t generation_read(Device *dev, unsigned index)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    return m->virtio ? m->virtio->generation : 0;
}

/* clang-format off */
#define SELECTOR(field_name) FIELD(VirtioMmio, field_name), .writable = 0xffffffff

static const Register mmio_registers[] = {
    { .name = "MagicValue", .offset = 0x00, .read = magic_read },
    { .name = "Version", .offset = 0x04, .read = version_read },
    { .name = "DeviceID", .offset = 0x08, .read = device_id_read },
    { .name = "VendorID", .offset = 0x0c, .read = vendor_read },
    { .name = "DeviceFeatures", .offset = 0x10, .read = device_features_read },
    { .name = "DeviceFeaturesSel", .offset = 0x14, SELECTOR(device_features_half) },
    { .name = "DriverFeatures", .offset = 0x20, .write = driver_features_write },
    { .name = "DriverFeaturesSel", .offset = 0x24, SELECTOR(driver_features_half) },
    { .name = "QueueSel", .offset = 0x30, SELECTOR(queue_selected) },
    { .name = "QueueNumMax", .offset = 0x34, .read = queue_size_max_read },
    { .name = "QueueNum", .offset = 0x38, .write = queue_size_write },
    { .name = "QueueReady", .offset = 0x44, .read = queue_ready_read,
      .write = queue_ready_write },
    { .name = "QueueNotify", .offset = 0x50, .write = queue_notify_write },
    { .name = "InterruptStatus", .offset = 0x60, FIELD(VirtioMmio, interrupts) },
    { .name = "InterruptACK", .offset = 0x64, .write = interrupt_ack_write },
    { .name = "Status", .offset = 0x70, .read = status_read, .write = status_write },
    { .name = "QueueDesc", .offset = 0x80, .count = 2, .write = queue_desc_write },
    { .name = "QueueDriver", .offset = 0x90, .count = 2, .write = queue_driver_write },
    { .name = "QueueDevice", .offset = 0xa0, .count = 2, .write = queue_device_write },
    { .name = "SHMSel", .offset = 0xac },
    { .name = "SHMLen, SHMBase", .offset = 0xb0, .count = 4, .read = shared_memory_read },
    { .name = "ConfigGeneration", .offset = 0xfc, .read = generation_read },
};
/* clang-format on */

static const RegisterBank mmio_bank = REGISTER_BANK(mmio_registers);

/* ---- configuration space: as wide as its fields, so any size goes ---- */

static uint64_t config_read(void *owner, GuestAddr offset, unsigned size)
{
    VirtioMmio *m = owner;

    return m->virtio ? virtio_config_read(m->virtio, offset, size) : 0;
}

static void config_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    VirtioMmio *m = owner;

    if (m->virtio) {
        virtio_config_write(m->virtio, offset, value, size);
    }
}

static const RegionOps config_ops = {
    .read = config_read,
    .write = config_write,
    .guest = { 1, 8 },
    .endian = ENDIAN_LITTLE,
};

/* ---- life ---- */

static bool mmio_start(Device *dev, Diag *diag)
{
    VirtioMmio *m = (VirtioMmio *)dev;
    Region *window = region_new_container("regs", MMIO_SIZE);
    g_autoptr(Region) registers = registers_region("registers", CONFIG, &mmio_bank, dev);
    g_autoptr(Region) config = region_new_mmio("config", MMIO_SIZE - CONFIG, &config_ops, m);

    region_map(window, 0, registers, 0);
    region_map(window, CONFIG, config, 0);
    device_add_region(dev, 0, window);
    return true;
}

static bool mmio_plug(Device *dev, Device *child, Diag *diag)
{
    VirtioMmio *m = (VirtioMmio *)dev;

    m->virtio = (Virtio *)child;
    virtio_connect(m->virtio, mmio_interrupt, m);
    return true;
}

static void mmio_reset(Device *dev)
{
    registers_reset(&mmio_bank, dev);
    update_irq((VirtioMmio *)dev);
}

static void mmio_loaded(Device *dev)
{
    update_irq((VirtioMmio *)dev);
}

static const Saved mmio_saved[] = {
    SAVED(VirtioMmio, device_features_half),
    SAVED(VirtioMmio, driver_features_half),
    SAVED(VirtioMmio, queue_selected),
    SAVED(VirtioMmio, interrupts),
    {},
};

DEVICE_CLASS(virtio_mmio) = {
    .name = "virtio-mmio",
    .state_size = sizeof(VirtioMmio),
    .saved = mmio_saved,
    .start = mmio_start,
    .reset = mmio_reset,
    .loaded = mmio_loaded,
    .plug = mmio_plug,
};
