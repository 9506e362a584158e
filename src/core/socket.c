#include "core/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

/* Gives -1. */
static int fail(GError **error, const char *what, const char *where, int code)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "cannot %s `%s`: %s", what,
        where, g_strerror(code));
    return -1;
}

/* NULL with error. */
static struct addrinfo *look_up(const char *host, const char *port, GError **error)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *found = NULL;
    int result = getaddrinfo(host, port, &hints, &found);

    if (result != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot find `%s` at port %s: %s",
            host, port, gai_strerror(result));
        return NULL;
    }
    return found;
}

/* ---- listening ---- */

/* Closes the socket when it fails. */
static int listen_on(
    int fd, const struct sockaddr *address, socklen_t length, const char *where, GError **error)
{
    const int yes = 1;

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    }
    if (fd < 0 || bind(fd, address, length) < 0 || listen(fd, SOMAXCONN) < 0) {
        int code = errno;

        if (fd >= 0) {
            close(fd);
        }
        return fail(error, "listen on", where, code);
    }
    return fd;
}

/* Splits HOST:PORT; an IPv6 address has colons of its own, and so stands in brackets then. */
static void split(const char *where, char **host, char **port)
{
    const char *end = *where == '[' ? strchr(where, ']') : NULL;
    const char *colon = strchr(end ? end : where, ':');
    bool bare = !end && colon && strchr(colon + 1, ':');

    if (bare) {
        colon = NULL;
    }
    *host = end ? g_strndup(where + 1, end - where - 1)
        : colon ? g_strndup(where, colon - where)
                : g_strdup(where);
    *port = colon ? g_strdup(colon + 1) : NULL;
}

/* A name of /etc/services, or 1 to 65535: getaddrinfo(3) takes larger ones, and cuts them off. */
static bool is_port(const char *port)
{
    bool number = *port && strspn(port, "0123456789") == strlen(port);
    uint64_t value = g_ascii_strtoull(port, NULL, 10);

    return !number || (value > 0 && value <= UINT16_MAX);
}

int socket_listen(const char *where, unsigned port, GError **error)
{
    g_autofree char *host = NULL, *said = NULL;
    g_autofree char *usual = g_strdup_printf("%u", port);
    struct addrinfo *address;
    int fd;

    split(where, &host, &said);
    if (said && !is_port(said)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "cannot listen on `%s`: a port is from 1 to 65535", where);
        return -1;
    }
    address = look_up(host, said ? said : usual, error);
    if (!address) {
        return -1;
    }
    fd = listen_on(
        socket(address->ai_family, FLAGS, 0), address->ai_addr, address->ai_addrlen, where, error);
    freeaddrinfo(address);
    return fd;
}

int socket_listen_unix(const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path)) {
        return fail(error, "listen on", path, ENAMETOOLONG);
    }
    strcpy(address.sun_path, path);
    return listen_on(
        socket(AF_UNIX, FLAGS, 0), (const struct sockaddr *)&address, sizeof(address), path, error);
}

/* ---- connecting ---- */

/* 0 or an errno. */
static int await(int fd, unsigned seconds)
{
    struct pollfd event = { .fd = fd, .events = POLLOUT };
    int result = poll(&event, 1, (int)seconds * 1000), code = 0;
    socklen_t size = sizeof(code);

    if (result <= 0) {
        return result < 0 ? errno : ETIMEDOUT;
    }
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    return code;
}

/* -errno, or a socket that blocks. */
static int connect_to(const struct addrinfo *address, unsigned seconds)
{
    int fd = socket(address->ai_family, FLAGS, 0), code = 0;

    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        code = errno == EINPROGRESS ? await(fd, seconds) : errno;
    }
    if (code) {
        close(fd);
        return -code;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

int socket_connect(const char *host, unsigned port, unsigned seconds, GError **error)
{
    g_autofree char *service = g_strdup_printf("%u", port);
    struct addrinfo *all = look_up(host, service, error);
    int fd = -ENOENT;

    for (const struct addrinfo *one = all; one && fd < 0; one = one->ai_next) {
        fd = connect_to(one, seconds);
    }
    if (all) {
        freeaddrinfo(all);
    }
    return all && fd < 0 ? fail(error, "connect to", host, -fd) : fd < 0 ? -1 : fd;
}
