#include "ui/char-impl.h"

#include <string.h>

void channel_init(Channel *channel, const ChannelOps *ops)
{
    channel->ops = ops;
    channel->waiting = g_byte_array_new();
}

void channel_connect(Channel *channel, const ChannelFront *front, void *owner)
{
    if (!channel) {
        return;
    }
    channel->front = front;
    channel->owner = owner;
    channel_accept_input(channel);
}

size_t channel_write(Channel *channel, const void *bytes, size_t length)
{
    return channel ? channel->ops->write(channel, bytes, length) : length;
}

/* Gives the front what it has room for. Receiving may make room or connect anew, hence the loop. */
static void deliver(Channel *channel)
{
    while (channel->front && channel->waiting->len > 0) {
        size_t length = MIN(channel->front->room(channel->owner), channel->waiting->len);
        g_autofree uint8_t *bytes = g_memdup2(channel->waiting->data, length);

        if (length == 0) {
            return;
        }
        g_byte_array_remove_range(channel->waiting, 0, length);
        channel->front->receive(channel->owner, bytes, length);
    }
}

void channel_accept_input(Channel *channel)
{
    if (!channel) {
        return;
    }
    deliver(channel);
    if (channel->ops->resume && channel->waiting->len == 0) {
        channel->ops->resume(channel);
    }
}

void channel_feed(Channel *channel, const uint8_t *bytes, size_t length)
{
    g_byte_array_append(channel->waiting, bytes, length);
    deliver(channel);
}

size_t channel_waiting(const Channel *channel)
{
    return channel->waiting->len;
}

void channel_drained(Channel *channel)
{
    if (channel->front && channel->front->drained) {
        channel->front->drained(channel->owner);
    }
}

void channel_free(Channel *channel)
{
    if (!channel) {
        return;
    }
    if (channel->ops->close) {
        channel->ops->close(channel);
    }
    g_byte_array_unref(channel->waiting);
    g_free(channel);
}

/* ---- memory ---- */

typedef struct MemoryChannel {
    Channel channel;
    GString *output;
    size_t limit;
} MemoryChannel;

static size_t memory_write(Channel *channel, const uint8_t *bytes, size_t length)
{
    MemoryChannel *m = (MemoryChannel *)channel;

    if (m->limit) {
        length = MIN(length, m->limit - m->output->len);
    }
    g_string_append_len(m->output, (const char *)bytes, length);
    return length;
}

static void memory_close(Channel *channel)
{
    g_string_free(((MemoryChannel *)channel)->output, TRUE);
}

static const ChannelOps memory_ops = { .write = memory_write, .close = memory_close };

Channel *channel_new_memory(size_t limit)
{
    MemoryChannel *m = g_new0(MemoryChannel, 1);

    channel_init(&m->channel, &memory_ops);
    m->output = g_string_new(NULL);
    m->limit = limit;
    return &m->channel;
}

void channel_memory_type(Channel *channel, const char *text)
{
    channel_feed(channel, (const uint8_t *)text, strlen(text));
}

char *channel_memory_fetch(Channel *channel)
{
    MemoryChannel *m = (MemoryChannel *)channel;
    char *text = g_strndup(m->output->str, m->output->len);

    g_string_truncate(m->output, 0);
    channel_drained(channel);
    return text;
}
