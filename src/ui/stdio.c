#include "ui/stdio.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/loop.h"
#include "ui/char-impl.h"
#include "ui/terminal.h"

enum {
    ESCAPE_KEY = 0x01,        /* Ctrl-A */
    OUTPUT_LIMIT = 64 * 1024, /* the device waits when the reader is this far behind */
    READ_SIZE = 4096,
    WRITE_PERIOD_NS = 2000000, /* what comes sooner after a write goes out with what follows it */
};

typedef struct StdioChannel {
    Channel channel;
    LoopWatch *in, *out;
    GByteArray *output; /* not yet written */
    LoopAlarm *next;    /* when it will be */
    int64_t written_at; /* clock_host_ns() of the last write */
    bool is_terminal;
    bool escaped; /* the last key was Ctrl-A */
    bool lost;    /* output could not be written, which was said */
    StdioEscape escape;
    StdioSpy spy;
    void *data;
} StdioChannel;

/* What a guest writes is no reason to end it; but who started it should know what is missing. */
static void say_lost(StdioChannel *s, int error)
{
    if (!s->lost) {
        s->lost = true;
        fprintf(stderr, "lathe: what the guest writes is lost: %s\n", g_strerror(error));
    }
}

/*
 * Writes what can be written without blocking. The descriptor is not made non-blocking: it is shared
 * with whoever started us. A pipe that polls writable takes PIPE_BUF bytes.
 */
static void write_some(StdioChannel *s)
{
    while (s->output->len > 0) {
        struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };
        ssize_t written;

        if (poll(&ready, 1, 0) != 1 || !(ready.revents & (POLLOUT | POLLERR | POLLHUP))) {
            break;
        }
        written = write(STDOUT_FILENO, s->output->data, MIN(s->output->len, 4096));
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            say_lost(s, errno);
            written = s->output->len; /* the guest need not know */
        }
        if (written > 0) {
            g_byte_array_remove_range(s->output, 0, written);
        }
        s->written_at = clock_host_ns();
    }
    loop_watch_set(s->out, s->output->len > 0 ? G_IO_OUT : 0);
}

static void write_now(void *data)
{
    StdioChannel *s = data;

    write_some(s);
    channel_drained(&s->channel);
}

static void stdout_ready(void *data, int fd, GIOCondition ready)
{
    write_now(data);
}

/* Guests write byte after byte; the loop is not woken for each. */
static void write_soon(StdioChannel *s)
{
    int64_t next = s->written_at + WRITE_PERIOD_NS;

    if (clock_host_ns() >= next) {
        loop_watch_set(s->out, G_IO_OUT);
    } else {
        loop_alarm_set(s->next, next);
    }
}

static size_t stdio_write(Channel *channel, const uint8_t *bytes, size_t length)
{
    StdioChannel *s = (StdioChannel *)channel;
    bool was_empty = s->output->len == 0;

    length = MIN(length, OUTPUT_LIMIT - s->output->len);
    if (s->spy) {
        s->spy(s->data, bytes, length);
    }
    g_byte_array_append(s->output, bytes, length);
    if (was_empty && length > 0) {
        write_soon(s);
    }
    return length;
}

/* Takes out the escapes; gives how many bytes are left in keys. */
static size_t take_escapes(StdioChannel *s, uint8_t *keys, size_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        if (!s->escaped && keys[i] == ESCAPE_KEY) {
            s->escaped = true;
        } else if (s->escaped && keys[i] != ESCAPE_KEY) {
            s->escaped = false;
            s->escape(s->data, keys[i]);
        } else {
            s->escaped = false;
            keys[kept++] = keys[i];
        }
    }
    return kept;
}

static void stdin_ready(void *data, int fd, GIOCondition ready)
{
    StdioChannel *s = data;
    uint8_t keys[READ_SIZE];
    ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        g_clear_pointer(&s->in, loop_unwatch);
        return;
    }
    if (s->is_terminal && s->escape) {
        got = take_escapes(s, keys, got);
    }
    channel_feed(&s->channel, keys, got);
    /* A terminal is always read, so that the escape works with a guest that reads nothing. */
    if (!s->is_terminal && channel_waiting(&s->channel) > 0) {
        loop_watch_set(s->in, 0);
    }
}

static void stdio_resume(Channel *channel)
{
    StdioChannel *s = (StdioChannel *)channel;

    if (s->in) {
        loop_watch_set(s->in, G_IO_IN | G_IO_HUP);
    }
}

void stdio_flush(Channel *channel)
{
    StdioChannel *s = (StdioChannel *)channel;
    size_t done = 0;

    while (done < s->output->len) {
        ssize_t written = write(STDOUT_FILENO, s->output->data + done, s->output->len - done);

        if (written < 0 && errno != EINTR) {
            say_lost(s, errno);
            break;
        }
        done += MAX(written, 0);
    }
    g_byte_array_set_size(s->output, 0);
}

static void stdio_close(Channel *channel)
{
    StdioChannel *s = (StdioChannel *)channel;

    stdio_flush(channel);
    g_clear_pointer(&s->in, loop_unwatch);
    g_clear_pointer(&s->out, loop_unwatch);
    g_clear_pointer(&s->next, loop_alarm_free);
    g_byte_array_unref(s->output);
    terminal_restore();
}

static const ChannelOps stdio_ops = {
    .write = stdio_write,
    .resume = stdio_resume,
    .close = stdio_close,
};

Channel *channel_new_stdio(StdioEscape escape, StdioSpy spy, void *data)
{
    StdioChannel *s = g_new0(StdioChannel, 1);

    channel_init(&s->channel, &stdio_ops);
    s->output = g_byte_array_new();
    s->escape = escape;
    s->spy = spy;
    s->data = data;
    s->is_terminal = terminal_make_raw();
    s->in = loop_watch(STDIN_FILENO, G_IO_IN | G_IO_HUP, stdin_ready, s);
    s->out = loop_watch(STDOUT_FILENO, 0, stdout_ready, s);
    s->next = loop_alarm_new(write_now, s);
    return &s->channel;
}
