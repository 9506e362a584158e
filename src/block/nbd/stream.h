/* A connection: bytes both ways, encrypted when TLS has been begun. */
#ifndef BLOCK_NBD_STREAM_H
#define BLOCK_NBD_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "block/io-loop.h"

typedef struct Stream Stream;
typedef struct StreamKeys StreamKeys; /* a certificate, its key, and who may connect */

/* Takes the socket. */
Stream *stream_new(IoLoop *loop, int fd);
void stream_free(Stream *stream);

/* [co] All of it: 0, or -errno; -EPIPE at the end of the stream. */
int stream_read(Stream *stream, void *out, size_t length);
/* [co] Changes the pieces. Only one coroutine at a time. */
int stream_write(Stream *stream, struct iovec *pieces, unsigned count);

/* Makes all reads and writes fail. */
void stream_shut(Stream *stream);

/*
 * The files ca-cert.pem, server-cert.pem and server-key.pem in a folder; clients must show a
 * certificate that the first one has signed. NULL: error is set.
 */
StreamKeys *stream_keys_load(const char *folder, GError **error);
void stream_keys_free(StreamKeys *keys);

/* [co] The server's half of the handshake; what follows is encrypted. */
int stream_start_tls(Stream *stream, StreamKeys *keys);
bool stream_is_encrypted(const Stream *stream);

#endif
