#include "ui/monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/loop.h"

enum { LINE_MOST = 4096, CLIENTS_MOST = 16, BACKLOG = 8 };

typedef struct Client {
    struct Client *next;
    Monitor *monitor;
    int fd;
    LoopWatch *watch;
    GString *in, *out;
    size_t sent;
} Client;

struct Monitor {
    char *path;
    int fd;
    LoopWatch *watch;
    MonitorCommand command;
    void *data;
    Client *clients;
    unsigned client_count;
};

/* ---- clients ---- */

static void client_free(Client *client)
{
    Client **at = &client->monitor->clients;

    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    client->monitor->client_count--;
    loop_unwatch(client->watch);
    close(client->fd);
    g_string_free(client->in, true);
    g_string_free(client->out, true);
    g_free(client);
}

static void answer(Client *client)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = NULL;
    bool fine = false;

    if (g_shell_parse_argv(client->in->str, NULL, &words, &error)) {
        fine = client->monitor->command(client->monitor->data, words, text);
    } else {
        g_string_append_printf(text, "%s\n", error->message);
    }
    g_string_append_printf(client->out, "%s\n%s", fine ? "ok" : "error", text->str);
    loop_watch_set(client->watch, G_IO_OUT);
}

/* False: all is sent, or there is nobody. */
static bool write_some(Client *client)
{
    ssize_t sent = send(
        client->fd, client->out->str + client->sent, client->out->len - client->sent, MSG_NOSIGNAL);

    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    client->sent += sent;
    return client->sent < client->out->len;
}

/* False: it is gone, says too much, or has its answer: a command may be the last one. */
static bool read_some(Client *client)
{
    char bytes[512], *end;
    ssize_t got = read(client->fd, bytes, sizeof(bytes));

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (got <= 0 || client->in->len + got > LINE_MOST) {
        return false;
    }
    g_string_append_len(client->in, bytes, got);
    end = memchr(client->in->str, '\n', client->in->len);
    if (end) {
        g_string_truncate(client->in, end - client->in->str);
        answer(client);
        return write_some(client);
    }
    return true;
}

static void client_ready(void *data, int fd, GIOCondition ready)
{
    Client *client = data;

    if (!(client->out->len > 0 ? write_some(client) : read_some(client))) {
        client_free(client);
    }
}

static void accept_client(void *data, int fd, GIOCondition ready)
{
    Monitor *monitor = data;
    int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    Client *client;

    if (client_fd < 0) {
        return;
    }
    if (monitor->client_count == CLIENTS_MOST) {
        close(client_fd);
        return;
    }
    client = g_new0(Client, 1);
    *client = (Client){ .next = monitor->clients,
        .monitor = monitor,
        .fd = client_fd,
        .in = g_string_new(NULL),
        .out = g_string_new(NULL) };
    client->watch = loop_watch(client_fd, G_IO_IN, client_ready, client);
    monitor->clients = client;
    monitor->client_count++;
}

/* ---- the socket ---- */

static bool set_error(GError **error, const char *path)
{
    g_set_error(
        error, G_FILE_ERROR, g_file_error_from_errno(errno), "`%s`: %s", path, g_strerror(errno));
    return false;
}

static bool fill_address(struct sockaddr_un *address, const char *path, GError **error)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address->sun_path)) {
        errno = ENAMETOOLONG;
        return set_error(error, path);
    }
    strcpy(address->sun_path, path);
    return true;
}

static int connect_to(const char *path, GError **error)
{
    struct sockaddr_un address;
    int fd;

    if (!fill_address(&address, path, error)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        set_error(error, path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* What a monitor that was killed has left behind is in nobody's way. */
static bool make_room(const char *path, GError **error)
{
    int fd = connect_to(path, NULL);

    if (fd >= 0) {
        close(fd);
        errno = EADDRINUSE;
        return set_error(error, path);
    }
    unlink(path);
    return true;
}

static bool listen_at(Monitor *monitor, GError **error)
{
    struct sockaddr_un address;
    mode_t mask;
    int result;

    if (!fill_address(&address, monitor->path, error) || !make_room(monitor->path, error)) {
        return false;
    }
    monitor->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0077);
    result = bind(monitor->fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    return (result == 0 && listen(monitor->fd, BACKLOG) == 0) || set_error(error, monitor->path);
}

Monitor *monitor_new(const char *path, MonitorCommand command, void *data, GError **error)
{
    Monitor *monitor = g_new0(Monitor, 1);

    *monitor = (Monitor){ .path = g_strdup(path), .fd = -1, .command = command, .data = data };
    if (!listen_at(monitor, error)) {
        g_clear_pointer(&monitor->path, g_free); /* it is not ours */
        monitor_free(monitor);
        return NULL;
    }
    monitor->watch = loop_watch(monitor->fd, G_IO_IN, accept_client, monitor);
    return monitor;
}

void monitor_free(Monitor *monitor)
{
    if (!monitor) {
        return;
    }
    while (monitor->clients) {
        client_free(monitor->clients);
    }
    if (monitor->watch) {
        loop_unwatch(monitor->watch);
    }
    if (monitor->fd >= 0) {
        close(monitor->fd);
    }
    if (monitor->path) {
        unlink(monitor->path);
    }
    g_free(monitor->path);
    g_free(monitor);
}

/* ---- the other side ---- */

static bool send_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);

        if (sent < 0) {
            return false;
        }
        text += sent;
        left -= sent;
    }
    return true;
}

char *monitor_ask(const char *path, const char *line, bool *fine, GError **error)
{
    GString *all = g_string_new(NULL);
    int fd = connect_to(path, error);
    char bytes[4096];
    ssize_t got = -1;

    if (fd >= 0 && send_all(fd, line) && send_all(fd, "\n")) {
        while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
            g_string_append_len(all, bytes, got);
        }
    }
    if (fd >= 0 && (got < 0 || all->len == 0)) {
        errno = errno ? errno : EPIPE;
        set_error(error, path);
    }
    if (fd >= 0) {
        close(fd);
    }
    *fine = g_str_has_prefix(all->str, "ok\n");
    if (all->len == 0) {
        g_string_free(all, true);
        return NULL;
    }
    g_string_erase(all, 0, strcspn(all->str, "\n") + 1);
    return g_string_free(all, false);
}
