#include "block/nbd/server.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "block/nbd/server-impl.h"

enum { CONNECTIONS_MOST = 100 };
#define PAUSE_NS (100 * INT64_C(1000000))

NbdServer *nbd_server_new(IoLoop *loop, const NbdExport *exports, unsigned count, StreamKeys *keys)
{
    NbdServer *server = g_new0(NbdServer, 1);

    server->loop = loop;
    server->exports = exports;
    server->export_count = count;
    server->users = g_new0(Ranges, count);
    server->pauses = g_new0(Range, count);
    server->listener = -1;
    server->keys = keys;
    return server;
}

void nbd_server_free(NbdServer *server)
{
    if (server) {
        g_free(server->users);
        g_free(server->pauses);
        g_free(server);
    }
}

unsigned nbd_server_connections(const NbdServer *server)
{
    return server->count;
}

bool nbd_export_is_read_only(const NbdExport *export)
{
    return export->read_only || export->node->read_only;
}

uint16_t nbd_export_flags(const NbdExport *export)
{
    bool read_only = nbd_export_is_read_only(export);
    bool resizable = export->resizable && !read_only && export->node->driver->resize;

    return NBD_HAS_FLAGS | NBD_SEND_FLUSH | NBD_SEND_FUA | NBD_SEND_DF | NBD_MULTI_CONN |
        (read_only ? NBD_READ_ONLY : NBD_SEND_TRIM | NBD_SEND_ZEROES) |
        (resizable ? NBD_SEND_RESIZE : 0);
}

Ranges *nbd_export_users(const NbdServer *server, const NbdExport *export)
{
    return &server->users[export - server->exports];
}

/* ---- connections ---- */

/* Who stops it waits until the last one has gone, and the door is shut. */
static void wake_stopper(NbdServer *server)
{
    if (server->stopper && server->count == 0 && server->listener < 0) {
        coroutine_enter(server->stopper);
    }
}

static void client_remove(NbdClient *client)
{
    NbdServer *server = client->server;
    NbdClient **at = &server->clients;

    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    server->count--;
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

typedef struct Guest {
    NbdServer *server;
    int fd;
    void (*gone)(void *);
    void *data;
} Guest;

static void guest_main(void *data)
{
    Guest *guest = data;

    nbd_server_serve(guest->server, guest->fd);
    if (guest->gone) {
        guest->gone(guest->data);
    }
    wake_stopper(guest->server);
    g_free(guest);
}

void nbd_server_accept(NbdServer *server, int listener, void (*gone)(void *), void *data)
{
    server->listener = listener;
    while (!server->stopping) {
        Guest *guest;
        int fd;

        io_loop_wait_fd(server->loop, listener, POLLIN);
        fd = server->stopping ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && server->count < CONNECTIONS_MOST) {
            guest = g_new(Guest, 1);
            *guest = (Guest){ server, fd, gone, data };
            coroutine_enter(coroutine_new(guest_main, guest));
        } else if (fd >= 0) {
            close(fd);
        } else if (!server->stopping && errno != EAGAIN && errno != EINTR) {
            io_loop_sleep(server->loop, PAUSE_NS); /* no descriptor left, perhaps */
        }
    }
    server->listener = -1;
    wake_stopper(server);
}

void nbd_server_pause(NbdServer *server)
{
    for (unsigned i = 0; i < server->export_count; i++) {
        ranges_lock(&server->users[i], &server->pauses[i], 0, UINT64_MAX);
    }
}

void nbd_server_resume(NbdServer *server)
{
    for (unsigned i = 0; i < server->export_count; i++) {
        ranges_unlock(&server->users[i], &server->pauses[i]);
    }
}

void nbd_server_shut(NbdServer *server)
{
    server->stopping = true;
    if (server->listener >= 0) {
        shutdown(server->listener, SHUT_RDWR);
    }
    for (NbdClient *client = server->clients; client; client = client->next) {
        stream_shut(client->stream);
    }
}

void nbd_server_stop(NbdServer *server)
{
    nbd_server_shut(server);
    if (server->count > 0 || server->listener >= 0) {
        server->stopper = coroutine_self();
        coroutine_yield();
        server->stopper = NULL;
    }
}
