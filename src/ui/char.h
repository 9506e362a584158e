/*
 * Channels: byte streams between a device and something on the host.
 *
 * A channel has a back end (stdio, a socket, memory: char-impl.h) and a front, the one device
 * connected to it. Neither side ever blocks or drops: each says how many bytes it takes now, keeps
 * what was not taken, and is told when the other side has room again. That is what makes it
 * impossible to lose a key that was typed before the guest was ready for it.
 *
 * All functions and callbacks run with the machine lock held.
 */
#ifndef UI_CHAR_H
#define UI_CHAR_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Channel Channel;

/* What the device does for the channel. */
typedef struct ChannelFront {
    size_t (*room)(void *owner); /* how many bytes `receive` would take now */
    void (*receive)(void *owner, const uint8_t *bytes, size_t length); /* at most `room` */
    void (*drained)(void *owner); /* optional: after a short channel_write(), try again */
} ChannelFront;

/* Owner is passed to every callback. A NULL front disconnects. Channel NULL: does nothing. */
void channel_connect(Channel *channel, const ChannelFront *front, void *owner);

/* Gives how many bytes were taken; all of them when the channel is NULL (nobody listens). */
size_t channel_write(Channel *channel, const void *bytes, size_t length);

/* The device has room again: what waits at the back end may come. */
void channel_accept_input(Channel *channel);

void channel_free(Channel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Channel, channel_free)

/*
 * A channel to memory, for tests and for output that is only collected. It takes at most `limit`
 * bytes until they are fetched; 0 means no limit.
 */
Channel *channel_new_memory(size_t limit);

/* Types at the device; what it has no room for waits. */
void channel_memory_type(Channel *channel, const char *text);

/* What the device wrote since the last call, NUL-terminated. Free with g_free(). */
char *channel_memory_fetch(Channel *channel);

#endif
