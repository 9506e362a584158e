/*
 * Virtio memory balloon: virtio 1.2, 5.5, with free page reporting.
 *
 * Pages that the guest gives up are punched out of the host's memory; they read as zero after.
 */
#include <sys/mman.h>

#include "hw/virtio/virtio.h"

/* The statistics and hint queues are not offered, so reporting is the third (5.5.2). */
enum { INFLATE, DEFLATE, REPORT, QUEUES, QUEUE_SIZE = 128 };
enum { F_DEFLATE_ON_OOM = 2, F_PAGE_REPORTING = 5 };
enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT }; /* whatever the guest's page size is */
enum { CONFIG_ACTUAL = 4 };

typedef struct BalloonConfig {
    uint32_t pages;  /* what we ask for */
    uint32_t actual; /* what the guest has given up */
} BalloonConfig;

typedef struct VirtioBalloon {
    Virtio virtio;

    uint64_t target; /* bytes */
    BalloonConfig config;
} VirtioBalloon;

/* Best effort: a page that the host cannot take back keeps its content. */
static void give_back(Virtio *virtio, GuestAddr at, uint8_t *host, uint64_t length)
{
    uint64_t skip = -at & (PAGE_SIZE - 1);
    uint64_t whole = length > skip ? (length - skip) & ~(uint64_t)(PAGE_SIZE - 1) : 0;

    if (whole > 0 && madvise(host + skip, whole, MADV_REMOVE) == 0) {
        device_dma_wrote(&virtio->dev, at + skip, whole);
    }
}

/* Buffers hold 32-bit page numbers (5.5.6). */
static void inflate(Virtio *virtio, const VirtioChain *chain)
{
    uint32_t pages[256];
    size_t size;

    for (uint64_t done = 0; (size = virtio_chain_read(chain, done, pages, sizeof(pages))) > 0;
         done += size) {
        for (unsigned i = 0; i < size / sizeof(pages[0]); i++) {
            GuestAddr at = (GuestAddr)GUINT32_FROM_LE(pages[i]) << PAGE_SHIFT;
            uint64_t length = PAGE_SIZE;
            void *host = device_dma_map(&virtio->dev, at, &length, true);

            if (host) {
                give_back(virtio, at, host, length);
            } else {
                device_guest_error(&virtio->dev, "page that is not RAM in the balloon");
            }
        }
    }
}

static void report(Virtio *virtio, const VirtioChain *chain)
{
    for (unsigned i = 0; i < chain->in_count; i++) {
        give_back(virtio, chain->in_at[i], chain->in[i].iov_base, chain->in[i].iov_len);
    }
}

static void balloon_kick(Virtio *virtio, unsigned queue)
{
    VirtioChain *chain;

    while ((chain = virtqueue_pop(virtio, queue))) {
        if (queue == INFLATE) {
            inflate(virtio, chain);
        } else if (queue == REPORT) {
            report(virtio, chain);
        }
        virtqueue_push(chain, 0);
    }
}

static void balloon_write_config(Virtio *virtio, unsigned offset, unsigned size, uint64_t value)
{
    if (offset == CONFIG_ACTUAL && size == sizeof(uint32_t)) {
        ((VirtioBalloon *)virtio)->config.actual = GUINT32_TO_LE(value);
    }
}

static void balloon_reset(Virtio *virtio)
{
    ((VirtioBalloon *)virtio)->config.actual = 0;
}

static const VirtioOps balloon_ops = {
    .id = 5,
    .kick = balloon_kick,
    .write_config = balloon_write_config,
    .reset = balloon_reset,
};

static bool balloon_start(Device *dev, Diag *diag)
{
    VirtioBalloon *b = (VirtioBalloon *)dev;
    VirtioSetup setup = {
        .features = 1 << F_DEFLATE_ON_OOM | 1 << F_PAGE_REPORTING,
        .config = &b->config,
        .config_size = sizeof(b->config),
        .queues = QUEUES,
        .queue_size = QUEUE_SIZE,
        .out_max = 64 * 1024, /* Linux sends 256 page numbers */
    };

    if (b->target >> PAGE_SHIFT > UINT32_MAX) {
        return device_error(dev, diag, "target", "is larger than a balloon can be, 16TiB");
    }
    b->config.pages = GUINT32_TO_LE(b->target >> PAGE_SHIFT);
    virtio_setup(&b->virtio, &balloon_ops, &setup);
    return true;
}

static const Prop balloon_props[] = { PROP(SIZE, VirtioBalloon, target), {} };
static const Saved balloon_saved[] = {
    VIRTIO_SAVED(VirtioBalloon),
    SAVED(VirtioBalloon, config),
    {},
};

DEVICE_CLASS(virtio_balloon) = {
    .name = "virtio-balloon",
    .state_size = sizeof(VirtioBalloon),
    .props = balloon_props,
    .saved = balloon_saved,
    .start = balloon_start,
    .reset = virtio_device_reset,
    .loaded = virtio_device_loaded,
    .stop = virtio_device_stop,
};
