/* Virtio entropy device: virtio 1.2, 5.4. */
#include <string.h>
#include <sys/random.h>

#include "core/build.h"
#include "core/machine.h"
#include "hw/virtio/virtio.h"

/* Fewer bytes than asked for are allowed, and keep a guest from asking for gigabytes. */
enum { CHUNK = 256, BYTES_MAX = 4096 };

typedef struct VirtioRng {
    Virtio virtio;

    uint64_t seed;      /* of its own, or from the machine's; 0: the bytes are the host's */
    uint64_t generator; /* SplitMix64's state */
} VirtioRng;

/* SplitMix64 (Steele, Lea, Flood 2014): repeatable, which is all that a seed promises. */
static uint64_t next_random(VirtioRng *r)
{
    uint64_t z = r->generator += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Gives the number of bytes; a host that has just started may have none yet. */
static size_t fill_random(VirtioRng *r, uint8_t *out, size_t length)
{
    if (r->seed == 0) {
        return MAX(getrandom(out, length, GRND_NONBLOCK), 0);
    }
    for (size_t done = 0; done < length; done += sizeof(uint64_t)) {
        uint64_t word = GUINT64_TO_LE(next_random(r));

        memcpy(out + done, &word, MIN(sizeof(word), length - done));
    }
    return length;
}

static void rng_kick(Virtio *virtio, unsigned queue)
{
    VirtioRng *r = (VirtioRng *)virtio;
    VirtioChain *chain;

    while ((chain = virtqueue_pop(virtio, queue))) {
        uint64_t wanted = MIN(chain->in_size, BYTES_MAX), done = 0;
        uint8_t bytes[CHUNK];
        size_t got;

        do {
            got = fill_random(r, bytes, MIN(wanted - done, CHUNK));
            done += virtio_chain_write(chain, done, bytes, got);
        } while (got > 0 && done < wanted);
        virtqueue_push(chain, done);
    }
}

static const VirtioOps rng_ops = { .id = 4, .kick = rng_kick };

/* Two devices of one machine give different bytes, those of one name the same in every run. */
static uint64_t seed_of_machine(const Device *dev)
{
    const SpecNumber *seed = &machine_spec(dev->machine)->entropy_seed;
    uint64_t mixed = seed->value ^ (uint64_t)g_str_hash(dev->id) << 32;

    return seed->set ? MAX(mixed, 1) : 0;
}

static bool rng_start(Device *dev, Diag *diag)
{
    VirtioRng *r = (VirtioRng *)dev;
    VirtioSetup setup = { .queues = 1, .queue_size = 8 };

    if (r->seed == 0) {
        r->seed = seed_of_machine(dev);
    }
    r->generator = r->seed;
    virtio_setup(&r->virtio, &rng_ops, &setup);
    return true;
}

static const Prop rng_props[] = { PROP(U64, VirtioRng, seed), {} };
static const Saved rng_saved[] = { VIRTIO_SAVED(VirtioRng), SAVED(VirtioRng, generator), {} };

DEVICE_CLASS(virtio_rng) = {
    .name = "virtio-rng",
    .state_size = sizeof(VirtioRng),
    .props = rng_props,
    .saved = rng_saved,
    .start = rng_start,
    .reset = virtio_device_reset,
    .loaded = virtio_device_loaded,
    .stop = virtio_device_stop,
};
