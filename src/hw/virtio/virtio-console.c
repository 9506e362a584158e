/*
 * Virtio console with one port: virtio 1.2, 5.3.
 *
 * No chain is held between calls: output that the channel does not take now is popped again when
 * it has room, and `sent` says how much of that chain is out already.
 */
#include "hw/virtio/virtio.h"
#include "ui/char.h"

enum { RECEIVE, TRANSMIT, QUEUES, QUEUE_SIZE = 64 };
enum { F_EMERGENCY_WRITE = 2 };
enum { CONFIG_EMERGENCY_WRITE = 8, CONFIG_SIZE = 12 };

typedef struct VirtioConsole {
    Virtio virtio;

    Channel *console;
    uint8_t config[CONFIG_SIZE]; /* size and ports, which were not offered: all zero */

    uint64_t sent; /* bytes of the next chain to transmit */
} VirtioConsole;

/* ---- guest to host ---- */

/* False when the channel is full before the end of the chain. */
static bool send_chain(VirtioConsole *c, const VirtioChain *chain)
{
    uint8_t bytes[512];
    size_t length;

    while ((length = virtio_chain_read(chain, c->sent, bytes, sizeof(bytes))) > 0) {
        size_t taken = channel_write(c->console, bytes, length);

        c->sent += taken;
        if (taken < length) {
            return false;
        }
    }
    return true;
}

static void transmit(VirtioConsole *c)
{
    VirtioChain *chain;

    while ((chain = virtqueue_pop(&c->virtio, TRANSMIT))) {
        if (!send_chain(c, chain)) {
            virtqueue_unpop(chain);
            return;
        }
        c->sent = 0;
        virtqueue_push(chain, 0);
    }
}

/* ---- host to guest ---- */

static size_t console_room(void *owner)
{
    VirtioConsole *c = owner;
    VirtioChain *chain;
    size_t room;

    if (!(c->virtio.status & VIRTIO_DRIVER_OK)) {
        return 0;
    }
    chain = virtqueue_pop(&c->virtio, RECEIVE);
    if (!chain) {
        return 0;
    }
    room = chain->in_size;
    if (room == 0) {
        virtio_break(&c->virtio, "a receive buffer of no bytes");
    }
    virtqueue_unpop(chain);
    return room;
}

static void console_receive(void *owner, const uint8_t *bytes, size_t length)
{
    VirtioConsole *c = owner;
    VirtioChain *chain = virtqueue_pop(&c->virtio, RECEIVE);

    if (chain) {
        virtqueue_push(chain, virtio_chain_write(chain, 0, bytes, length));
    }
}

static void console_drained(void *owner)
{
    transmit(owner);
}

static const ChannelFront console_front = {
    .room = console_room,
    .receive = console_receive,
    .drained = console_drained,
};

/* ---- virtio ---- */

static void console_kick(Virtio *virtio, unsigned queue)
{
    VirtioConsole *c = (VirtioConsole *)virtio;

    if (queue == TRANSMIT) {
        transmit(c);
    } else {
        channel_accept_input(c->console);
    }
}

static void console_write_config(Virtio *virtio, unsigned offset, unsigned size, uint64_t value)
{
    uint8_t byte = value;

    if (offset == CONFIG_EMERGENCY_WRITE) {
        channel_write(((VirtioConsole *)virtio)->console, &byte, 1);
    }
}

static void console_reset(Virtio *virtio)
{
    ((VirtioConsole *)virtio)->sent = 0;
}

static const VirtioOps console_ops = {
    .id = 3,
    .kick = console_kick,
    .write_config = console_write_config,
    .reset = console_reset,
};

static bool console_start(Device *dev, Diag *diag)
{
    VirtioConsole *c = (VirtioConsole *)dev;
    VirtioSetup setup = {
        .features = UINT64_C(1) << F_EMERGENCY_WRITE,
        .config = c->config,
        .config_size = CONFIG_SIZE,
        .queues = QUEUES,
        .queue_size = QUEUE_SIZE,
        .out_max = 1024 * 1024,
    };

    virtio_setup(&c->virtio, &console_ops, &setup);
    channel_connect(c->console, &console_front, c);
    return true;
}

static void console_stop(Device *dev)
{
    channel_connect(((VirtioConsole *)dev)->console, NULL, NULL);
    virtio_device_stop(dev);
}

static const Prop console_props[] = { PROP(CHAR, VirtioConsole, console), {} };
static const Saved console_saved[] = {
    VIRTIO_SAVED(VirtioConsole),
    SAVED(VirtioConsole, sent),
    {},
};

DEVICE_CLASS(virtio_console) = {
    .name = "virtio-console",
    .state_size = sizeof(VirtioConsole),
    .props = console_props,
    .saved = console_saved,
    .start = console_start,
    .reset = virtio_device_reset,
    .loaded = virtio_device_loaded,
    .stop = console_stop,
};
