#include "hw/virtio/virtio.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

static const uint64_t core_features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_INDIRECT_DESC) |
    BIT(VIRTIO_F_EVENT_IDX);

static void kick_postponed(void *data)
{
    Virtio *virtio = data;
    uint32_t queues = virtio->postponed;

    virtio->postponed = 0;
    virtio->generation = 0;
    for (unsigned i = 0; i < virtio->queue_count; i++) {
        if (queues >> i & 1) {
            virtio_kick(virtio, i);
        }
    }
}

void virtio_setup(Virtio *virtio, const VirtioOps *ops, const VirtioSetup *setup)
{
    g_assert(setup->queues <= VIRTIO_QUEUES_MAX && setup->queue_size <= VIRTIO_QUEUE_SIZE_MAX);
    virtio->ops = ops;
    virtio->offered = core_features | setup->features;
    virtio->config = setup->config;
    virtio->config_size = setup->config_size;
    virtio->queue_count = setup->queues;
    virtio->out_max = setup->out_max ? setup->out_max : UINT32_MAX;
    virtio->budget = UINT_MAX;
    virtio->again = timer_new(device_clock(&virtio->dev), kick_postponed, virtio);
    for (unsigned i = 0; i < setup->queues; i++) {
        virtio->queues[i].size_max = setup->queue_size;
    }
}

void virtio_connect(Virtio *virtio, VirtioInterrupt interrupt, void *transport)
{
    virtio->interrupt = interrupt;
    virtio->transport = transport;
}

void virtio_interrupt(Virtio *virtio, unsigned cause)
{
    if (virtio->interrupt) {
        virtio->interrupt(virtio->transport, cause);
    }
}

void virtio_config_changed(Virtio *virtio)
{
    virtio->generation++;
    if (virtio->status & VIRTIO_DRIVER_OK) {
        virtio_interrupt(virtio, VIRTIO_INT_CONFIG);
    }
}

bool virtio_is_broken(const Virtio *virtio)
{
    return virtio->status & VIRTIO_NEEDS_RESET;
}

void virtio_break(Virtio *virtio, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    device_guest_error(&virtio->dev, "%s", text);
    virtio->status |= VIRTIO_NEEDS_RESET;
    virtio_config_changed(virtio);
}

/* ---- status ---- */

void virtio_device_reset(Device *dev)
{
    Virtio *virtio = (Virtio *)dev;

    /* Chains must not be returned any more while the type ends its requests. */
    for (unsigned i = 0; i < virtio->queue_count; i++) {
        virtqueue_reset(virtio, i);
    }
    virtio->status = 0;
    virtio->features = 0;
    virtio->postponed = 0;
    virtio->generation = 0;
    if (virtio->ops->reset) {
        virtio->ops->reset(virtio);
    }
}

static bool features_acceptable(Virtio *virtio)
{
    if (virtio->features & ~virtio->offered) {
        device_guest_error(&virtio->dev, "features 0x%" PRIx64 " were not offered",
            virtio->features & ~virtio->offered);
        return false;
    }
    if (!virtio_has(virtio, VIRTIO_F_VERSION_1)) {
        device_guest_error(&virtio->dev, "a legacy driver, without VERSION_1");
        return false;
    }
    return !virtio->ops->accept || virtio->ops->accept(virtio);
}

/* Buffers may have been added before the driver was ready, so each queue is looked at once. */
static void driver_ready(Virtio *virtio)
{
    if (virtio->ops->driver_ok) {
        virtio->ops->driver_ok(virtio);
    }
    for (unsigned i = 0; i < virtio->queue_count; i++) {
        virtio_kick(virtio, i);
    }
}

void virtio_set_status(Virtio *virtio, uint32_t status)
{
    uint32_t rising = status & ~virtio->status;

    if (status == 0) {
        virtio_device_reset(&virtio->dev);
        return;
    }
    if ((rising & VIRTIO_FEATURES_OK) && !features_acceptable(virtio)) {
        status &= ~VIRTIO_FEATURES_OK;
    }
    /* Only a reset clears a bit (virtio 1.2, 2.1.1). */
    virtio->status |= status & 0xff & ~VIRTIO_NEEDS_RESET;
    if ((rising & VIRTIO_DRIVER_OK) && !virtio_is_broken(virtio)) {
        driver_ready(virtio);
    }
}

void virtio_kick(Virtio *virtio, unsigned queue)
{
    if (queue >= virtio->queue_count) {
        device_guest_error(
            &virtio->dev, "notification of queue %u, there are %u", queue, virtio->queue_count);
        return;
    }
    if (!(virtio->status & VIRTIO_DRIVER_OK) || virtio_is_broken(virtio) ||
        !virtio->queues[queue].ready) {
        return;
    }
    if (!virtio->ops->kick) {
        return;
    }
    /* A guest that adds buffers as fast as we return them must not keep the machine lock busy. */
    virtio->budget = virtio->queues[queue].size;
    virtio->ops->kick(virtio, queue);
    if (virtio->budget == 0) {
        virtio->postponed |= UINT32_C(1) << queue;
        timer_set(virtio->again, device_now(&virtio->dev));
    }
    virtio->budget = UINT_MAX;
}

void virtio_device_loaded(Device *dev)
{
    Virtio *virtio = (Virtio *)dev;

    for (unsigned i = 0; i < virtio->queue_count; i++) {
        virtio_kick(virtio, i);
    }
}

void virtio_device_stop(Device *dev)
{
    Virtio *virtio = (Virtio *)dev;

    g_clear_pointer(&virtio->again, timer_free);
}

/* ---- configuration space ---- */

static bool config_has(Virtio *virtio, unsigned offset, unsigned size)
{
    if (offset > virtio->config_size || size > virtio->config_size - offset) {
        device_guest_error(
            &virtio->dev, "access to configuration byte 0x%x of 0x%x", offset, virtio->config_size);
        return false;
    }
    return true;
}

uint64_t virtio_config_read(Virtio *virtio, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    if (!config_has(virtio, offset, size)) {
        return 0;
    }
    if (virtio->ops->read_config) {
        virtio->ops->read_config(virtio);
    }
    memcpy(&value, (uint8_t *)virtio->config + offset, size);
    return GUINT64_FROM_LE(value);
}

void virtio_config_write(Virtio *virtio, unsigned offset, uint64_t value, unsigned size)
{
    if (!config_has(virtio, offset, size)) {
        return;
    }
    if (!virtio->ops->write_config) {
        device_guest_error(&virtio->dev, "write to read-only configuration byte 0x%x", offset);
        return;
    }
    virtio->ops->write_config(virtio, offset, size, value);
}
