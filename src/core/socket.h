/*
 * Sockets of the host: listening, and connecting with patience. Descriptors are closed on exec.
 */
#ifndef CORE_SOCKET_H
#define CORE_SOCKET_H

#include <glib.h>

/* HOST[:PORT] or [ADDRESS][:PORT], the port unsaid is `port`. Does not block. -1 with error. */
int socket_listen(const char *where, unsigned port, GError **error);
int socket_listen_unix(const char *path, GError **error);

/* Tries all addresses of the host, each for so long. Blocks, also in reading and writing. */
int socket_connect(const char *host, unsigned port, unsigned seconds, GError **error);

#endif
