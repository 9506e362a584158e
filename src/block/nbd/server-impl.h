/* What the parts of the NBD server share. */
#ifndef BLOCK_NBD_SERVER_IMPL_H
#define BLOCK_NBD_SERVER_IMPL_H

#include "block/co-mutex.h"
#include "block/nbd/proto.h"
#include "block/nbd/server.h"

typedef struct NbdClient NbdClient;
struct NbdClient {
    NbdServer *server;
    Stream *stream;
    NbdClient *next;
    const NbdExport *export; /* NULL until it has chosen one */
    bool no_zeroes;          /* it wants no padding after NBD_EXPORT_NAME */
    bool structured;
    bool status; /* it has asked for base:allocation */
    CoMutex writing;
    unsigned running;  /* requests */
    uint64_t bytes;    /* of their data */
    Coroutine *waiter; /* for one of them to end */
};

struct NbdServer {
    IoLoop *loop;
    const NbdExport *exports;
    unsigned export_count;
    Ranges *users; /* of each export: requests share it, a resize has it alone */
    Range *pauses; /* of each export, while nobody is served */
    StreamKeys *keys;
    NbdClient *clients;
    unsigned count;
    int listener; /* -1: none */
    bool stopping;
    Coroutine *stopper;
};

bool nbd_export_is_read_only(const NbdExport *export);
uint16_t nbd_export_flags(const NbdExport *export);

Ranges *nbd_export_users(const NbdServer *server, const NbdExport *export);

/* [co] handshake.c: until an export is chosen; false when the connection is to end. */
bool nbd_handshake(NbdClient *client);

/* [co] transmit.c: until the client goes. */
void nbd_transmit(NbdClient *client);

#endif
