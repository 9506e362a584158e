#include "block/nbd/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "block/nbd/tls.h"

struct Stream {
    IoLoop *loop;
    int fd;
    Tls *tls; /* NULL: not encrypted */
};

Stream *stream_new(IoLoop *loop, int fd)
{
    Stream *s = g_new0(Stream, 1);

    s->loop = loop;
    s->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); /* GnuTLS knows no other way */
    return s;
}

void stream_free(Stream *stream)
{
    if (stream) {
        tls_free(stream->tls);
        close(stream->fd);
        g_free(stream);
    }
}

void stream_shut(Stream *stream)
{
    shutdown(stream->fd, SHUT_RDWR);
}

bool stream_is_encrypted(const Stream *stream)
{
    return stream->tls != NULL;
}

static ssize_t receive(Stream *s, void *out, size_t length)
{
    ssize_t got = s->tls ? tls_receive(s->tls, out, length) : recv(s->fd, out, length, 0);

    return got >= 0 || s->tls ? got : -errno;
}

int stream_read(Stream *stream, void *out, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = receive(stream, (char *)out + done, length - done);

        if (got == 0) {
            return -EPIPE;
        }
        if (got == -EAGAIN) {
            io_loop_wait_fd(stream->loop, stream->fd, POLLIN);
        } else if (got < 0 && got != -EINTR) {
            return got;
        }
        done += MAX(got, 0);
    }
    return 0;
}

static ssize_t send_some(Stream *s, struct iovec *pieces, unsigned count)
{
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = count };
    ssize_t sent;

    if (s->tls) {
        return tls_send(s->tls, pieces[0].iov_base, pieces[0].iov_len);
    }
    sent = sendmsg(s->fd, &message, MSG_NOSIGNAL);
    return sent >= 0 ? sent : -errno;
}

int stream_write(Stream *stream, struct iovec *pieces, unsigned count)
{
    while (count > 0) {
        ssize_t sent = pieces->iov_len > 0 ? send_some(stream, pieces, count) : 0;

        if (sent == -EAGAIN) {
            io_loop_wait_fd(stream->loop, stream->fd, POLLOUT);
            continue;
        }
        if (sent < 0 && sent != -EINTR) {
            return sent;
        }
        sent = MAX(sent, 0);
        while (count > 0 && (size_t)sent >= pieces->iov_len) {
            sent -= pieces->iov_len;
            pieces++;
            count--;
        }
        if (count > 0) {
            pieces->iov_base = (char *)pieces->iov_base + sent;
            pieces->iov_len -= sent;
        }
    }
    return 0;
}

int stream_start_tls(Stream *stream, StreamKeys *keys)
{
    Tls *tls = tls_new(keys, stream->fd);
    int result = tls ? -EAGAIN : -ENOMEM;

    while (result == -EAGAIN) {
        short events = POLLIN;

        result = tls_handshake(tls, &events);
        if (result == -EAGAIN) {
            io_loop_wait_fd(stream->loop, stream->fd, events);
        }
    }
    if (result == 0) {
        stream->tls = tls;
    } else {
        tls_free(tls);
    }
    return result;
}
