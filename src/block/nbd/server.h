/*
 * The NBD server: disks for other programs, by the fixed newstyle protocol with structured replies,
 * block status and TLS. Many connections may use one export; a flush on any covers all of them.
 */
#ifndef BLOCK_NBD_SERVER_H
#define BLOCK_NBD_SERVER_H

#include "block/block.h"
#include "block/nbd/stream.h"

typedef struct NbdExport {
    const char *name; /* "" is the one that clients get who ask for none */
    const char *description;
    BlockNode *node;
    bool resizable; /* its clients may make it longer or shorter */
    bool read_only; /* they may not write, though the node can */
} NbdExport;

typedef struct NbdServer NbdServer;

/* All stays the caller's. With keys nobody is served without TLS. */
NbdServer *nbd_server_new(IoLoop *loop, const NbdExport *exports, unsigned count, StreamKeys *keys);

/* [co] Takes a connected socket and serves it until its client goes. */
void nbd_server_serve(NbdServer *server, int fd);

/*
 * [co] Takes all who come to a listening socket that does not block, until nbd_server_shut(), and
 * calls `gone` after each of them has left (NULL: nothing). Then the socket takes nobody any more.
 */
void nbd_server_accept(NbdServer *server, int listener, void (*gone)(void *), void *data);

/* [co] Nobody is served until nbd_server_resume(); what is under way has ended. */
void nbd_server_pause(NbdServer *server);
void nbd_server_resume(NbdServer *server);

/* Ends all connections, and nbd_server_accept(). */
void nbd_server_shut(NbdServer *server);
/* [co] That, and waits for them. */
void nbd_server_stop(NbdServer *server);
void nbd_server_free(NbdServer *server);

unsigned nbd_server_connections(const NbdServer *server);

#endif
