#include "ui/semihosting.h"

enum { INPUT_ROOM = 256 };

struct SemihostingChannel {
    Channel *channel;
    GByteArray *input;
    bool reads; /* the channel's input comes here, no more to the device */
};

static size_t input_room(void *owner)
{
    SemihostingChannel *s = owner;

    return INPUT_ROOM - s->input->len;
}

static void receive(void *owner, const uint8_t *bytes, size_t length)
{
    SemihostingChannel *s = owner;

    g_byte_array_append(s->input, bytes, length);
}

static const ChannelFront input_front = { .room = input_room, .receive = receive };

static size_t write_out(void *owner, const void *bytes, size_t length)
{
    SemihostingChannel *s = owner;

    return channel_write(s->channel, bytes, length);
}

static size_t read_in(void *owner, void *bytes, size_t room)
{
    SemihostingChannel *s = owner;
    size_t length;

    if (!s->reads) {
        s->reads = true;
        channel_connect(s->channel, &input_front, s);
    }
    length = MIN(room, s->input->len);
    if (length) { /* an array that never had a byte has no data either */
        memcpy(bytes, s->input->data, length);
        g_byte_array_remove_range(s->input, 0, length);
    }
    channel_accept_input(s->channel);
    return length;
}

const SemihostingConsole semihosting_channel_console = { .write = write_out, .read = read_in };

SemihostingChannel *semihosting_channel_new(Channel *channel)
{
    SemihostingChannel *s = g_new0(SemihostingChannel, 1);

    s->channel = channel;
    s->input = g_byte_array_new();
    return s;
}

void semihosting_channel_free(SemihostingChannel *s)
{
    if (s) {
        g_byte_array_unref(s->input);
        g_free(s);
    }
}
