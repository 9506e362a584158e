#include "block/nbd/server.h"

#include "block/nbd/server-impl.h"

NbdServer *nbd_server_new(IoLoop *loop, const NbdExport *exports, unsigned count, StreamKeys *keys)
{
    NbdServer *server = g_new0(NbdServer, 1);

    server->loop = loop;
    server->exports = exports;
    server->export_count = count;
    server->users = g_new0(Ranges, count);
    server->keys = keys;
    return server;
}

void nbd_server_free(NbdServer *server)
{
    if (server) {
        g_free(server->users);
        g_free(server);
    }
}

unsigned nbd_server_connections(const NbdServer *server)
{
    return server->count;
}

uint16_t nbd_export_flags(const NbdExport *export)
{
    const BlockNode *node = export->node;

    return NBD_HAS_FLAGS | NBD_SEND_FLUSH | NBD_SEND_FUA | NBD_SEND_DF | NBD_MULTI_CONN |
        (node->read_only ? NBD_READ_ONLY : NBD_SEND_TRIM | NBD_SEND_ZEROES) |
        (export->resizable && !node->read_only && node->driver->resize ? NBD_SEND_RESIZE : 0);
}

Ranges *nbd_export_users(const NbdServer *server, const NbdExport *export)
{
    return &server->users[export - server->exports];
}

static void client_remove(NbdClient *client)
{
    NbdServer *server = client->server;
    NbdClient **at = &server->clients;

    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    if (--server->count == 0 && server->stopper) {
        coroutine_enter(server->stopper);
    }
}

void nbd_server_serve(NbdServer *server, int fd)
{
    NbdClient client = {
        .server = server, .stream = stream_new(server->loop, fd), .next = server->clients
    };

    server->clients = &client;
    server->count++;
    if (nbd_handshake(&client)) {
        nbd_transmit(&client);
    }
    stream_free(client.stream);
    client_remove(&client);
}

void nbd_server_stop(NbdServer *server)
{
    for (NbdClient *client = server->clients; client; client = client->next) {
        stream_shut(client->stream);
    }
    if (server->count > 0) {
        server->stopper = coroutine_self();
        coroutine_yield();
        server->stopper = NULL;
    }
}
