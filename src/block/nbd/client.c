/*
 * The protocol `nbd`: a disk that an NBD server has, by libnbd. When the server vanishes, requests
 * wait for it to come back, for a while, and are sent again: each of them may be done twice. A
 * request after that waits as long again. What a server that comes back may have forgotten, as no
 * flush has covered it, it is told again first (kept.h).
 */
#include "block/block.h"
#include "core/block-spec.h"
#include "core/dynamic.h"
#include "core/have.h"

static const char *const schemes[] = { "nbd", "nbd+unix", "nbds", "nbds+unix", NULL };

#ifdef HAVE_LIBNBD
#include <errno.h>
#include <libnbd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "block/cache.h"
#include "block/kept.h"

enum { PART_MOST = 32 << 20 };
#define MILLISECOND INT64_C(1000000)
#define PATIENCE (10000 * MILLISECOND)
#define PAUSE (50 * MILLISECOND)

#define CALLS(C)                                                                                   \
    C(nbd_aio_command_completed)                                                                   \
    C(nbd_aio_connect_uri)                                                                         \
    C(nbd_aio_flush)                                                                               \
    C(nbd_aio_get_direction)                                                                       \
    C(nbd_aio_get_fd)                                                                              \
    C(nbd_aio_is_closed)                                                                           \
    C(nbd_aio_is_connecting)                                                                       \
    C(nbd_aio_is_dead)                                                                             \
    C(nbd_aio_is_ready)                                                                            \
    C(nbd_aio_notify_read)                                                                         \
    C(nbd_aio_notify_write)                                                                        \
    C(nbd_aio_pread)                                                                               \
    C(nbd_aio_pwrite)                                                                              \
    C(nbd_aio_trim)                                                                                \
    C(nbd_aio_zero)                                                                                \
    C(nbd_can_flush)                                                                               \
    C(nbd_can_fua)                                                                                 \
    C(nbd_can_trim)                                                                                \
    C(nbd_can_zero)                                                                                \
    C(nbd_close)                                                                                   \
    C(nbd_create)                                                                                  \
    C(nbd_get_error)                                                                               \
    C(nbd_get_size)                                                                                \
    C(nbd_is_read_only)                                                                            \
    C(nbd_set_uri_allow_local_file)

static struct {
    CALLS(DYNAMIC_POINTER)
} lib;
static const DynamicCall calls[] = { CALLS(DYNAMIC_CALL){} };

/* A command under way. */
typedef struct Command {
    struct Command *next;
    int64_t cookie;
    int result;
    Coroutine *co;
} Command;

typedef struct Nbd {
    struct nbd_handle *handle;
    bool pumping, connecting;
    Command *commands;
    bool fua, zero, trim, flushes;
    int64_t patience; /* ns */
    Kept kept;
    bool lost; /* something that was kept cannot be sent again: the next flush says so */
} Nbd;

/* ---- the connection ---- */

/* [co] Waits for the socket, at most so long, and lets the library do what it can. */
static void step(BlockNode *node, struct nbd_handle *handle, int64_t limit)
{
    unsigned direction = lib.nbd_aio_get_direction(handle);
    struct pollfd fd = { .fd = lib.nbd_aio_get_fd(handle) };

    fd.events = (direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
        (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0);
    if (!io_loop_wait_fd_for(node->loop, fd.fd, fd.events, limit)) {
        return;
    }
    if (poll(&fd, 1, 0) <= 0) {
        return;
    }
    if (direction & LIBNBD_AIO_DIRECTION_READ && fd.revents & (POLLIN | POLLHUP | POLLERR)) {
        lib.nbd_aio_notify_read(handle);
    } else if (direction & LIBNBD_AIO_DIRECTION_WRITE && fd.revents) {
        lib.nbd_aio_notify_write(handle);
    }
}

static bool is_alive(struct nbd_handle *handle)
{
    return handle && !lib.nbd_aio_is_dead(handle) && !lib.nbd_aio_is_closed(handle);
}

/*
 * A server that takes its time is waited for; one whose host is gone, or can no longer be reached,
 * says nothing either: so the kernel asks it (tcp(7)). A Unix socket has none of this.
 */
static void watch_connection(int fd, int64_t patience)
{
    enum { PROBES = 4 };
    int seconds = MAX(patience / (1000 * MILLISECOND) / (PROBES + 1), 1);
    const struct {
        int level, name, value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, seconds },
        { IPPROTO_TCP, TCP_KEEPINTVL, seconds },
        { IPPROTO_TCP, TCP_KEEPCNT, PROBES },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, CLAMP(patience / MILLISECOND, 1, INT32_MAX) },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int)) < 0) {
            return;
        }
    }
}

/* [co] A new connection; NULL when there is nobody, or somebody who says nothing until then. */
static struct nbd_handle *connect_once(BlockNode *node, int64_t until)
{
    const Nbd *n = node->state;
    struct nbd_handle *handle = lib.nbd_create();

    if (handle && lib.nbd_set_uri_allow_local_file(handle, true) == 0 &&
        lib.nbd_aio_connect_uri(handle, node->name) == 0) {
        while (lib.nbd_aio_is_connecting(handle) && io_loop_now() < until) {
            step(node, handle, until - io_loop_now());
        }
        if (lib.nbd_aio_is_ready(handle)) {
            watch_connection(lib.nbd_aio_get_fd(handle), n->patience);
            return handle;
        }
    }
    if (handle) {
        lib.nbd_close(handle);
    }
    return NULL;
}

/* ---- commands ---- */

/* Takes what has ended out of the list, before any of it goes on. */
static Command *take_ended(Nbd *n)
{
    Command *ended = NULL;
    bool alive = is_alive(n->handle);

    for (Command **at = &n->commands; *at;) {
        Command *command = *at;
        int done = alive ? lib.nbd_aio_command_completed(n->handle, command->cookie) : -1;

        if (done == 0) {
            at = &command->next;
            continue;
        }
        command->result = done > 0 ? 0 : alive ? -EIO : -ENOTCONN;
        *at = command->next;
        command->next = ended;
        ended = command;
    }
    return ended;
}

/* The last command's end may be the end of the node, but for the reference. */
static void pump_main(void *data)
{
    BlockNode *node = block_ref(data);
    Nbd *n = node->state;

    while (n->commands && is_alive(n->handle)) {
        Command *ended;

        step(node, n->handle, INT64_MAX);
        ended = is_alive(n->handle) ? take_ended(n) : NULL;
        for (Command *next; ended; ended = next) {
            next = ended->next;
            coroutine_enter(ended->co);
        }
    }
    n->pumping = false;
    for (Command *ended = take_ended(n), *next; ended; ended = next) {
        next = ended->next;
        coroutine_enter(ended->co);
    }
    block_unref(node);
}

/* [co] Waits for a command that the library has taken. */
static int await(BlockNode *node, int64_t cookie)
{
    Nbd *n = node->state;
    Command command = { .next = n->commands, .cookie = cookie, .co = coroutine_self() };

    if (cookie < 0 || !is_alive(n->handle)) {
        return is_alive(n->handle) ? -EIO : -ENOTCONN;
    }
    n->commands = &command;
    if (!n->pumping) {
        n->pumping = true;
        coroutine_enter(coroutine_new(pump_main, node)); /* as far as its first wait */
    }
    coroutine_yield();
    return command.result;
}

static int64_t begin(Nbd *n, const BlockIo *io, void *data)
{
    unsigned flags = io->flags & BLOCK_DURABLE && n->fua ? LIBNBD_CMD_FLAG_FUA : 0;

    switch (io->op) {
    case BLOCK_READ:
        return lib.nbd_aio_pread(n->handle, data, io->length, io->at, NBD_NULL_COMPLETION, 0);
    case BLOCK_WRITE:
        return lib.nbd_aio_pwrite(n->handle, data, io->length, io->at, NBD_NULL_COMPLETION, flags);
    case BLOCK_ZERO:
        flags |= io->flags & BLOCK_MAY_UNMAP ? 0 : LIBNBD_CMD_FLAG_NO_HOLE;
        return lib.nbd_aio_zero(n->handle, io->length, io->at, NBD_NULL_COMPLETION, flags);
    case BLOCK_DISCARD:
        return lib.nbd_aio_trim(n->handle, io->length, io->at, NBD_NULL_COMPLETION, flags);
    default: return lib.nbd_aio_flush(n->handle, NBD_NULL_COMPLETION, 0);
    }
}

/* ---- a new connection ---- */

/* [co] Tells a server what it may have forgotten; false: it is gone again. */
static bool send_again(BlockNode *node)
{
    Nbd *n = node->state;
    int result = 0;

    for (const KeptWrite *write = n->kept.first; write && result == 0; write = write->next) {
        BlockIo io = {
            .op = write->op, .flags = write->flags, .at = write->at, .length = write->length
        };

        result = await(node, begin(n, &io, write->data));
    }
    if (result < 0 && result != -ENOTCONN) {
        n->lost = true;
        kept_drop(&n->kept, kept_mark(&n->kept));
    }
    return result != -ENOTCONN;
}

/* [co] One try; false when what is there now is another disk. */
static bool replace_connection(BlockNode *node, int64_t until)
{
    Nbd *n = node->state;
    struct nbd_handle *old = n->handle;
    bool same = true;

    n->connecting = true;
    n->handle = connect_once(node, until);
    if (old) {
        lib.nbd_close(old);
    }
    if (n->handle && lib.nbd_get_size(n->handle) != (int64_t)node->length) {
        g_clear_pointer(&n->handle, lib.nbd_close);
        same = false;
    }
    if (n->handle) {
        send_again(node);
    }
    n->connecting = false;
    return same;
}

static bool is_ready(const Nbd *n)
{
    return is_alive(n->handle) && !n->connecting;
}

/* [co] Until it is there again, or patience ends. One coroutine does it, the others look on. */
static bool reconnect(BlockNode *node)
{
    Nbd *n = node->state;
    int64_t until = io_loop_now() + n->patience;

    while (!is_ready(n)) {
        if (io_loop_now() >= until) {
            return false;
        }
        if (!n->connecting && !n->pumping && !replace_connection(node, until)) {
            return false;
        }
        if (!is_ready(n)) {
            io_loop_sleep(node->loop, MIN(PAUSE, n->patience));
        }
    }
    return true;
}

/* ---- requests ---- */

/*
 * [co] Again after each reconnection. A server may be there each time, and go at this very request:
 * so patience counts from when it was lost first.
 */
static int run(BlockNode *node, const BlockIo *io, void *data)
{
    Nbd *n = node->state;
    int64_t until = INT64_MAX;
    int result = -ENOTCONN;

    for (unsigned losses = 0; result == -ENOTCONN; losses++) {
        if (losses == 1) {
            until = io_loop_now() + n->patience;
        } else if (losses > 1) {
            io_loop_sleep(node->loop, MIN(PAUSE, n->patience));
        }
        if (io_loop_now() >= until || (!is_ready(n) && !reconnect(node))) {
            return -EIO;
        }
        result = await(node, begin(n, io, data));
    }
    return result;
}

static int flush(BlockNode *node)
{
    Nbd *n = node->state;
    uint64_t mark = kept_mark(&n->kept);
    int result = run(node, &(BlockIo){ .op = BLOCK_FLUSH }, NULL);

    if (result == 0 && n->lost) {
        n->lost = false;
        return -EIO;
    }
    if (result == 0) {
        kept_drop(&n->kept, mark);
    }
    return result;
}

/* [co] A write or zeroes; takes the data, NULL for zeroes. */
static int change(BlockNode *node, const BlockIo *io, void *data)
{
    Nbd *n = node->state;
    bool durable = io->flags & BLOCK_DURABLE;
    int result = run(node, io, data);

    if (result < 0 || (durable && n->fua) || !n->flushes || cache_ignores_flush(&node->cache)) {
        g_free(data);
        return result;
    }
    kept_add(&n->kept, io, data);
    if (durable) {
        return flush(node);
    }
    if (n->kept.bytes > KEPT_MOST) {
        flush(node); /* to make room; a failure is the next flush's again */
    }
    return 0;
}

static int write_part(BlockNode *node, const BlockIo *part)
{
    void *data = g_try_malloc(part->length);

    if (!data) {
        return -ENOMEM;
    }
    block_memory_load(part->memory, data, part->length);
    return change(node, part, data);
}

static int read_part(BlockNode *node, const BlockIo *part)
{
    g_autofree void *data = g_try_malloc(part->length);
    int result = data ? run(node, part, data) : -ENOMEM;

    if (result == 0) {
        block_memory_store(part->memory, data, part->length);
    }
    return result;
}

static int move(BlockNode *node, const BlockIo *io)
{
    int result = 0;

    for (uint64_t done = 0; done < io->length && result == 0; done += PART_MOST) {
        BlockIo part = { io->op, io->flags, io->at + done, MIN(io->length - done, PART_MOST),
            block_memory_after(io->memory, done) };

        result = io->op == BLOCK_READ ? read_part(node, &part) : write_part(node, &part);
    }
    return result;
}

static int nbd_transfer(BlockNode *node, const BlockIo *io)
{
    const Nbd *n = node->state;

    switch (io->op) {
    case BLOCK_READ:
    case BLOCK_WRITE: return move(node, io);
    case BLOCK_ZERO: return n->zero && io->length <= UINT32_MAX ? change(node, io, NULL) : -ENOTSUP;
    case BLOCK_DISCARD:
        if (!n->trim || io->length > UINT32_MAX) {
            return 0;
        }
        return run(node, io, NULL);
    default: return flush(node);
    }
}

/* ---- opening ---- */

static bool nbd_set_cache(BlockNode *node, const DriveCache *cache, GError **error)
{
    const Nbd *n = node->state;

    if (node->read_only || n->flushes || !cache_needs_flush(cache)) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "the server of `%s` cannot flush, so it cannot keep what cache mode %s promises",
        node->name, cache->word);
    return false;
}

static bool check_promises(BlockNode *node, GError **error)
{
    const Nbd *n = node->state;

    if (!node->read_only && lib.nbd_is_read_only(n->handle) > 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_PERMISSION, "`%s` is read-only", node->name);
        return false;
    }
    return nbd_set_cache(node, &node->cache, error);
}

static bool nbd_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Nbd *n = node->state;

    kept_init(&n->kept);
    if (!dynamic_load("libnbd.so.0", "libnbd0", calls, &lib, error)) {
        return false;
    }
    n->patience = options->spec && options->spec->reconnect_ns ? options->spec->reconnect_ns
                                                               : (uint64_t)PATIENCE;
    n->handle = connect_once(node, io_loop_now() + n->patience);
    if (!n->handle) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_MISSING, "`%s` cannot be reached: %s",
            node->name, lib.nbd_get_error() ? lib.nbd_get_error() : "no server");
        return false;
    }
    node->length = lib.nbd_get_size(n->handle);
    n->fua = lib.nbd_can_fua(n->handle) > 0;
    n->flushes = lib.nbd_can_flush(n->handle) > 0;
    n->zero = lib.nbd_can_zero(n->handle) > 0;
    n->trim = lib.nbd_can_trim(n->handle) > 0;
    return check_promises(node, error);
}

static void nbd_close_node(BlockNode *node)
{
    Nbd *n = node->state;

    kept_drop(&n->kept, kept_mark(&n->kept));

    if (n->handle) {
        lib.nbd_close(n->handle);
    }
}

#else

static bool nbd_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST,
        "`%s`: lathe was built without NBD: install libnbd-dev and build it again", node->name);
    return false;
}

#define nbd_close_node NULL
#define nbd_transfer NULL
#define nbd_set_cache NULL
typedef char Nbd;

#endif

BLOCK_DRIVER(nbd) = {
    .name = "nbd",
    .protocol = true,
    .schemes = schemes,
    .state_size = sizeof(Nbd),
    .open = nbd_open,
    .close = nbd_close_node,
    .transfer = nbd_transfer,
    .set_cache = nbd_set_cache,
};
