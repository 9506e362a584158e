/*
 * Channels, the back end's half: embed a Channel at the start of your own struct.
 */
#ifndef UI_CHAR_IMPL_H
#define UI_CHAR_IMPL_H

#include "ui/char.h"

typedef struct ChannelOps {
    size_t (*write)(Channel *channel, const uint8_t *bytes, size_t length); /* gives those taken */
    void (*resume)(Channel *channel); /* optional: the front has room; offer what waits */
    void (*close)(Channel *channel);  /* optional: before the struct is freed with g_free() */
} ChannelOps;

struct Channel {
    const ChannelOps *ops;
    const ChannelFront *front; /* NULL while no device is connected */
    void *owner;
    GByteArray *waiting; /* came from the host, not yet taken by the front */
};

/* For a zeroed struct. */
void channel_init(Channel *channel, const ChannelOps *ops);

/* Bytes from the host: the front gets what it has room for, the rest waits in order. */
void channel_feed(Channel *channel, const uint8_t *bytes, size_t length);

/* How many bytes wait: a back end that reads a stream stops reading while this is not 0. */
size_t channel_waiting(const Channel *channel);

/* The back end takes output again. */
void channel_drained(Channel *channel);

#endif
