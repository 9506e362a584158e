/*
 * Virtqueues: split rings in guest memory (virtio 1.2, 2.7).
 *
 * virtqueue_pop() gives the next chain of buffers as host memory; virtqueue_push() returns it to
 * the driver, at any later time and in any order. A chain popped before a reset may be pushed
 * after it: it is then only freed.
 */
#ifndef HW_VIRTIO_QUEUE_H
#define HW_VIRTIO_QUEUE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/region.h"

enum {
    VIRTIO_QUEUES_MAX = 32,
    VIRTIO_QUEUE_SIZE_MAX = 1024,
    VIRTIO_CHAIN_MAX = 1024, /* buffers in one chain, and pieces that they fall into */
};

typedef struct Virtio Virtio;

typedef struct VirtioQueue {
    /* Set by the driver, through the transport. */
    uint32_t size_max, size;
    uint32_t ready;
    uint64_t desc_at, driver_at, device_at; /* guest addresses of the three parts */

    uint16_t next_available; /* index of the next entry of the available ring to take */
    uint16_t next_used;      /* index of the next entry of the used ring to fill */
    uint32_t in_flight;      /* popped, not yet pushed */
} VirtioQueue;

typedef struct VirtioChain {
    Virtio *virtio;
    uint32_t epoch;
    uint16_t queue, head;
    unsigned out_count, in_count;
    uint64_t out_size, in_size; /* bytes */
    struct iovec *out;          /* the device reads these */
    struct iovec *in;           /* the device writes these */
    GuestAddr *in_at;           /* guest address of each piece of `in` */
} VirtioChain;

/* NULL when there is nothing to take, and when the guest broke the ring. */
VirtioChain *virtqueue_pop(Virtio *virtio, unsigned queue);

/* Takes the chain; `written` bytes of its `in` are valid. Interrupts the driver if it asked. */
void virtqueue_push(VirtioChain *chain, uint32_t written);

/* Gives the chain back unused: the next pop returns it again. Only for the latest one popped. */
void virtqueue_unpop(VirtioChain *chain);

/* Copy to and from a chain at an offset; give the number of bytes copied, short at its end. */
size_t virtio_chain_read(const VirtioChain *chain, uint64_t offset, void *out, size_t length);
size_t virtio_chain_write(VirtioChain *chain, uint64_t offset, const void *bytes, size_t length);

/* After bytes were put into chain->in by other means than virtio_chain_write (disk I/O). */
void virtio_chain_wrote(VirtioChain *chain, uint64_t offset, uint64_t length);

/* ---- for virtio.c and transports ---- */

/* The driver set ready: checks the addresses, or breaks the device. */
void virtqueue_enable(Virtio *virtio, unsigned queue);
void virtqueue_reset(Virtio *virtio, unsigned queue);

#endif
