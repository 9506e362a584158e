/* `lathe nbd`: serves disk images to other programs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "block/cache.h"
#include "block/nbd/server.h"
#include "cli/cli.h"
#include "core/socket.h"

enum { PORT = 10809 };

typedef struct Nbd {
    /* What was asked for. */
    char *format, *cache, *aio, *key_file, *listen, *socket, *tls;
    gboolean read_only, once, resizable;
    char **images; /* NAME=FILE or FILE */

    IoLoop *loop;
    NbdExport *exports;
    unsigned count;
    StreamKeys *keys;
    NbdServer *server;
    int listener, signals;
    Coroutine *waiter;
    int exit_code;
} Nbd;

static bool complain(Nbd *n, int exit_code, GError *error)
{
    fprintf(stderr, "lathe nbd: %s\n", error->message);
    g_error_free(error);
    n->exit_code = exit_code;
    return false;
}

static bool complain_with(Nbd *n, int exit_code, const char *what, const char *about)
{
    fprintf(stderr, "lathe nbd: %s `%s`\n", what, about);
    n->exit_code = exit_code;
    return false;
}

/* ---- images ---- */

/* "NAME=FILE"; the first image without a name is the one of clients that ask for none. */
static bool open_export(Nbd *n, const char *image, const BlockOptions *common)
{
    const char *equals = strchr(image, '=');
    bool named = equals && memchr(image, '/', equals - image) == NULL;
    BlockOptions options = *common;
    NbdExport *export = &n->exports[n->count];
    GError *error = NULL;

    options.path = named ? equals + 1 : image;
    export->name = named ? g_strndup(image, equals - image)
        : n->count > 0   ? g_path_get_basename(image)
                         : g_strdup("");
    for (unsigned i = 0; i < n->count; i++) {
        if (strcmp(n->exports[i].name, export->name) == 0) {
            g_free((char *)export->name);
            return complain_with(
                n, EXIT_DESCRIPTION, "there are two images of one name; say NAME=FILE:", image);
        }
    }
    export->description = options.path;
    export->resizable = n->resizable;
    export->node = block_open_image(n->loop, n->format, &options, &error);
    if (!export->node) {
        g_free((char *)export->name);
        return complain(n, EXIT_HOST, error);
    }
    n->count++;
    return true;
}

static bool open_exports(Nbd *n)
{
    BlockOptions options = { .read_only = n->read_only };
    int aio = word_find(drive_aio_words, n->aio ? n->aio : "threads");

    if (!cache_from_word(n->cache ? n->cache : "writeback", &options.cache)) {
        return complain_with(n, EXIT_DESCRIPTION, "there is no cache mode", n->cache);
    }
    if (aio < 0) {
        return complain_with(n, EXIT_DESCRIPTION, "there is no engine", n->aio);
    }
    options.aio = aio;
    options.key.file = n->key_file;
    n->exports = g_new0(NbdExport, g_strv_length(n->images));
    for (unsigned i = 0; n->images[i]; i++) {
        if (!open_export(n, n->images[i], &options)) {
            return false;
        }
    }
    return true;
}

static void close_exports(Nbd *n)
{
    for (unsigned i = 0; i < n->count; i++) {
        if (!n->exports[i].node->read_only && block_flush(n->exports[i].node) < 0) {
            complain_with(n, EXIT_HOST, "cannot flush", n->exports[i].description);
        }
        block_unref(n->exports[i].node);
        g_free((char *)n->exports[i].name);
    }
    g_free(n->exports);
}

/* ---- listening ---- */

static bool listen_on(Nbd *n)
{
    GError *error = NULL;

    n->listener = n->socket ? socket_listen_unix(n->socket, &error)
                            : socket_listen(n->listen ? n->listen : "127.0.0.1", PORT, &error);
    return n->listener >= 0 || complain(n, EXIT_HOST, error);
}

/* ---- serving ---- */

static void client_gone(void *data)
{
    Nbd *n = data;

    if (n->once && nbd_server_connections(n->server) == 0) {
        nbd_server_shut(n->server);
    }
}

/* Clients that come from now on see the new length; those that are here may use it. */
static void look_again(Nbd *n)
{
    for (unsigned i = 0; i < n->count; i++) {
        block_look_again(n->exports[i].node);
    }
}

static void signals_main(void *data)
{
    Nbd *n = data;
    struct signalfd_siginfo got = { 0 };

    do {
        io_loop_wait_fd(n->loop, n->signals, POLLIN);
        if (read(n->signals, &got, sizeof(got)) == sizeof(got) && got.ssi_signo == SIGHUP) {
            look_again(n);
        }
    } while (got.ssi_signo == SIGHUP || got.ssi_signo == 0);
    nbd_server_shut(n->server);
    n->signals = -1;
    if (n->waiter) {
        coroutine_enter(n->waiter);
    }
}

/* SIGINT and SIGTERM end the server in order, SIGHUP looks at the images again; the coroutine that waits for them ends with it. */
static void watch_signals(Nbd *n)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    n->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    coroutine_enter(coroutine_new(signals_main, n));
}

static void await_signals(Nbd *n)
{
    if (n->signals >= 0) {
        raise(SIGTERM); /* blocked: it only wakes the coroutine */
        n->waiter = coroutine_self();
        coroutine_yield();
    }
}

static void nbd_main(void *data)
{
    Nbd *n = data;
    GError *error = NULL;

    if (n->tls && !(n->keys = stream_keys_load(n->tls, &error))) {
        complain(n, EXIT_HOST, error);
        return;
    }
    if (open_exports(n) && listen_on(n)) {
        n->server = nbd_server_new(n->loop, n->exports, n->count, n->keys);
        watch_signals(n);
        printf("listening on %s\n", n->socket ? n->socket : n->listen ? n->listen : "127.0.0.1");
        fflush(stdout);
        nbd_server_accept(n->server, n->listener, client_gone, n);
        nbd_server_stop(n->server);
        await_signals(n);
        nbd_server_free(n->server);
        close(n->listener);
        if (n->socket) {
            unlink(n->socket);
        }
    }
    close_exports(n);
    stream_keys_free(n->keys);
}

/* ---- the verb ---- */

static bool parse(Nbd *n, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        { "format", 'f', 0, G_OPTION_ARG_STRING, &n->format, "format of the images", "FORMAT" },
        { "cache", 't', 0, G_OPTION_ARG_STRING, &n->cache, "cache mode", "MODE" },
        { "aio", 'i', 0, G_OPTION_ARG_STRING, &n->aio, "threads, native or io_uring", "ENGINE" },
        { "key-file", 0, 0, G_OPTION_ARG_FILENAME, &n->key_file,
            "file with the key of encrypted images", "FILE" },
        { "listen", 'l', 0, G_OPTION_ARG_STRING, &n->listen, "address (127.0.0.1:10809)",
            "HOST:PORT" },
        { "socket", 'k', 0, G_OPTION_ARG_FILENAME, &n->socket, "a Unix socket instead", "PATH" },
        { "tls", 'x', 0, G_OPTION_ARG_FILENAME, &n->tls, "only with TLS, with keys of", "FOLDER" },
        { "read-only", 'r', 0, G_OPTION_ARG_NONE, &n->read_only, "clients cannot write", NULL },
        { "resize", 0, 0, G_OPTION_ARG_NONE, &n->resizable, "clients may change the sizes", NULL },
        { "once", '1', 0, G_OPTION_ARG_NONE, &n->once, "end when the last client has gone", NULL },
        { 0 },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("[NAME=]FILE...");
    GError *error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        return complain(n, EXIT_DESCRIPTION, error);
    }
    n->images = *argv + 1;
    return *argc > 1 || complain_with(n, EXIT_DESCRIPTION, "usage:", "lathe nbd [NAME=]FILE...");
}

static int nbd_run(int argc, char **argv)
{
    Nbd n = { .listener = -1, .signals = -1 };
    GError *error = NULL;

    n.loop = io_loop_new(&error);
    if (!n.loop) {
        complain(&n, EXIT_HOST, error);
    } else if (parse(&n, &argc, &argv)) {
        io_loop_run(n.loop, nbd_main, &n);
    }
    io_loop_free(n.loop);
    g_free(n.format);
    g_free(n.cache);
    g_free(n.aio);
    g_free(n.key_file);
    g_free(n.listen);
    g_free(n.socket);
    g_free(n.tls);
    return n.exit_code;
}

/* clang-format off */
VERB(nbd) = {
    .name = "nbd",
    .arguments = "[OPTION]... [NAME=]FILE...",
    .summary = "serve disk images to other programs, by NBD",
    .help = "The first image without a name is what clients get who ask for none. Ends by SIGINT or SIGTERM, after\n"
            "all that was written is on stable storage.\n\n"
            "  -f, --format FORMAT                  format of the images\n"
            "  -t, --cache MODE                     cache mode\n"
            "  -i, --aio threads|native|io_uring    how requests reach the host\n"
            "  --key-file FILE                      file with the key of encrypted images\n"
            "  -l, --listen HOST:PORT               address; unsaid, 127.0.0.1:10809\n"
            "  -k, --socket FILE                    a Unix socket instead\n"
            "  -x, --tls DIR                        only with TLS, with keys of this folder\n"
            "  -r, --read-only                      clients cannot write\n"
            "  --resize                             clients may change the sizes\n"
            "  -1, --once                           end when the last client has gone\n\n"
            "Exit status: 0 it was ended, 2 the command line is wrong, 3 the host cannot do it.\n",
    .run = nbd_run,
};
/* clang-format on */
