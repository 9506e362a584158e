/* TLS of a stream, by GnuTLS; for stream.c. All results are 0, lengths or -errno. */
#ifndef BLOCK_NBD_TLS_H
#define BLOCK_NBD_TLS_H

#include "block/nbd/stream.h"

typedef struct Tls Tls;

Tls *tls_new(StreamKeys *keys, int fd);
void tls_free(Tls *tls);
int tls_handshake(Tls *tls, short *events); /* -EAGAIN: when one of the events comes */
ssize_t tls_receive(Tls *tls, void *out, size_t length);
ssize_t tls_send(Tls *tls, const void *data, size_t length);

#endif
