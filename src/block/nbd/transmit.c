/* Requests of a client that has an export: a coroutine each, answered as they end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/cache.h"
#include "block/nbd/server-impl.h"

enum {
    /* Of one connection; the next one is not read before. */
    REQUESTS_MOST = 64,
    BYTES_MOST = 2 * NBD_PAYLOAD_MOST,
    EXTENTS_MOST = 256, /* of one reply */
    SECTOR = 512,       /* that all sizes are multiples of */
    STATUS_ID = 1,      /* of base:allocation, as the handshake said */
};

typedef struct Request {
    NbdClient *client;
    uint16_t flags, type;
    uint64_t cookie, at; /* the cookie as it came */
    uint32_t length;
    void *data; /* of a read or write */
} Request;

/* ---- replies ---- */

static uint32_t wire_error(int result)
{
    switch (-result) {
    case 0: return 0;
    case EPERM:
    case EROFS:
    case EACCES: return NBD_EPERM;
    case EIO: return NBD_EIO;
    case ENOMEM: return NBD_ENOMEM;
    case ENOSPC:
    case EDQUOT: return NBD_ENOSPC;
    default: return NBD_EINVAL;
    }
}

/* A whole reply at a time; a connection that fails is ended by its reader. */
static void send_pieces(NbdClient *client, struct iovec *pieces, unsigned count)
{
    co_mutex_lock(&client->writing);
    if (stream_write(client->stream, pieces, count) < 0) {
        stream_shut(client->stream);
    }
    co_mutex_unlock(&client->writing);
}

static void reply_simply(const Request *r, int result)
{
    NbdSimple head = { GUINT32_TO_BE(NBD_SIMPLE_MAGIC), GUINT32_TO_BE(wire_error(result)),
        r->cookie };
    size_t length = result == 0 && r->type == NBD_READ ? r->length : 0;
    struct iovec pieces[] = { { &head, sizeof(head) }, { r->data, length } };

    send_pieces(r->client, pieces, 2);
}

/* One chunk that is the whole reply: a fixed part, and data. */
static void reply_chunk(const Request *r, uint16_t type, const void *fixed, size_t fixed_length,
    const void *data, size_t length)
{
    NbdChunk head = { GUINT32_TO_BE(NBD_CHUNK_MAGIC), GUINT16_TO_BE(NBD_CHUNK_DONE),
        GUINT16_TO_BE(type), r->cookie, GUINT32_TO_BE(fixed_length + length) };
    struct iovec pieces[] = { { &head, sizeof(head) }, { (void *)fixed, fixed_length },
        { (void *)data, length } };

    send_pieces(r->client, pieces, 3);
}

static void reply(const Request *r, int result)
{
    uint64_t at = GUINT64_TO_BE(r->at);
    struct __attribute__((packed)) {
        uint32_t error;
        uint16_t length; /* of a text, which we leave out */
    } error = { GUINT32_TO_BE(wire_error(result)), 0 };

    if (!r->client->structured) {
        reply_simply(r, result);
    } else if (result < 0) {
        reply_chunk(r, NBD_CHUNK_ERROR, &error, sizeof(error), NULL, 0);
    } else if (r->type == NBD_READ) {
        reply_chunk(r, NBD_CHUNK_DATA, &at, sizeof(at), r->data, r->length);
    } else {
        reply_chunk(r, NBD_CHUNK_NONE, NULL, 0, NULL, 0);
    }
}

/* ---- block status ---- */

typedef struct __attribute__((packed)) WireExtent {
    uint32_t length, flags;
} WireExtent;

typedef struct Extents {
    WireExtent extents[EXTENTS_MOST];
    unsigned count, most;
} Extents;

/* Joins neighbours of one kind; false: no room. */
static bool add_extent(Extents *out, uint32_t length, uint32_t flags)
{
    WireExtent *last = out->count > 0 ? &out->extents[out->count - 1] : NULL;

    if (last && last->flags == GUINT32_TO_BE(flags)) {
        length += GUINT32_FROM_BE(last->length);
        last->length = GUINT32_TO_BE(length);
        return true;
    }
    if (out->count == out->most) {
        return false;
    }
    out->extents[out->count++] = (WireExtent){ GUINT32_TO_BE(length), GUINT32_TO_BE(flags) };
    return true;
}

/* Fills r->data. */
static int do_status(Request *r)
{
    Extents *out = calloc(1, sizeof(*out));
    int result = !out ? -ENOMEM : r->length > 0 ? 0 : -EINVAL;
    bool room = true;

    r->data = out;
    for (uint64_t done = 0; done < r->length && result == 0 && room;) {
        BlockNode *node = r->client->export->node;
        Extent extent = { 0 };

        out->most = r->flags & NBD_ONE_EXTENT ? 1 : EXTENTS_MOST;
        result = block_locate(&node, r->at + done, r->length - done, &extent);
        if (result == 0) {
            room = add_extent(out, extent.length,
                extent.kind == EXTENT_ZERO ? NBD_EXTENT_HOLE | NBD_EXTENT_ZERO : 0);
            done += extent.length;
        }
    }
    return result;
}

static void reply_status(const Request *r)
{
    const Extents *out = r->data;
    uint32_t id = GUINT32_TO_BE(STATUS_ID);

    reply_chunk(
        r, NBD_CHUNK_STATUS, &id, sizeof(id), out->extents, out->count * sizeof(WireExtent));
}

/* ---- requests ---- */

static const struct {
    uint16_t type, flags; /* those it may have */
    BlockOp op;
} kinds[] = {
    { NBD_READ, NBD_DF | NBD_FUA, BLOCK_READ },
    { NBD_WRITE, NBD_FUA, BLOCK_WRITE },
    { NBD_FLUSH, NBD_FUA, BLOCK_FLUSH },
    { NBD_TRIM, NBD_FUA, BLOCK_DISCARD },
    { NBD_ZEROES, NBD_FUA | NBD_NO_HOLE, BLOCK_ZERO },
};

/* A change is durable where its client asks for that, or the image's cache mode promises it. */
static unsigned flags_of(const Request *r)
{
    const DriveCache *cache = &r->client->export->node->cache;
    bool changes = r->type == NBD_WRITE || r->type == NBD_TRIM || r->type == NBD_ZEROES;
    bool durable = changes && (r->flags & NBD_FUA || cache_writes_durably(cache));

    return (durable && !cache_ignores_flush(cache) ? BLOCK_DURABLE : 0) |
        (r->type == NBD_ZEROES && !(r->flags & NBD_NO_HOLE) ? BLOCK_MAY_UNMAP : 0);
}

/* -EINVAL also for what lies beyond the end, but for writes -ENOSPC (proto.md, "Error values"). */
static int check(const Request *r)
{
    const BlockNode *node = r->client->export->node;
    bool outside = r->length > node->length || r->at > node->length - r->length;

    if (outside && r->type != NBD_FLUSH && r->type != NBD_RESIZE) {
        return r->type == NBD_WRITE || r->type == NBD_ZEROES ? -ENOSPC : -EINVAL;
    }
    return (r->type == NBD_READ || r->type == NBD_WRITE) && r->length > NBD_PAYLOAD_MOST ? -EINVAL
                                                                                         : 0;
}

static int do_io(Request *r)
{
    struct iovec piece = { r->data, r->length };

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type == r->type) {
            BlockIo io = { kinds[i].op, flags_of(r), r->at, r->length, { &piece, 1, 0 } };
            bool changes = io.op != BLOCK_READ && io.op != BLOCK_FLUSH;
            int result = r->flags & ~kinds[i].flags                     ? -EINVAL
                : changes && nbd_export_is_read_only(r->client->export) ? -EPERM
                                                                        : 0;

            if (result == 0 && r->type == NBD_FLUSH) {
                io.at = io.length = 0;
            }
            return result < 0 ? result : block_io(r->client->export->node, &io);
        }
    }
    return -EINVAL;
}

/*
 * A new size is where other requests have their place; there is no room for it in the length, which
 * stays zero (the RESIZE extension of proto.md, command 8). What is cut off is gone, and reads as
 * zeroes when the disk grows again.
 */
static int do_resize(const Request *r)
{
    BlockNode *node = r->client->export->node;
    int result;

    if (!(nbd_export_flags(r->client->export) & NBD_SEND_RESIZE)) {
        return nbd_export_is_read_only(r->client->export) ? -EPERM : -EINVAL;
    }
    if (r->length != 0 || r->flags & ~NBD_FUA || r->at == 0 || r->at > INT64_MAX ||
        r->at % MAX(node->align, SECTOR) != 0) {
        return -EINVAL;
    }
    result = block_resize(node, r->at);
    return result == 0 && r->flags & NBD_FUA ? block_flush(node) : result;
}

static int do_request(Request *r)
{
    int result = check(r);

    if (result < 0) {
        return result;
    }
    if (r->type == NBD_READ && posix_memalign(&r->data, 4096, r->length + 1) != 0) {
        r->data = NULL;
        return -ENOMEM;
    }
    if (r->type == NBD_RESIZE) {
        return do_resize(r);
    }
    return r->type == NBD_STATUS && r->client->status ? do_status(r) : do_io(r);
}

/* The size of a disk does not change under a request. A client that takes no reply stops nobody. */
static int do_in_turn(Request *r)
{
    Ranges *users = nbd_export_users(r->client->server, r->client->export);
    Range range;
    int result;

    if (r->type == NBD_RESIZE) {
        ranges_lock(users, &range, 0, UINT64_MAX);
    } else {
        ranges_lock_shared(users, &range, 0, UINT64_MAX);
    }
    result = do_request(r);
    ranges_unlock(users, &range);
    return result;
}

/* That a request holds: the data of a read or write, if there may be so much. */
static uint64_t bytes_of(const Request *r)
{
    return r->type == NBD_READ || r->type == NBD_WRITE ? MIN(r->length, NBD_PAYLOAD_MOST) : 0;
}

static void request_main(void *data)
{
    Request *r = data;
    NbdClient *client = r->client;
    int result = do_in_turn(r);

    if (result == 0 && r->type == NBD_STATUS) {
        reply_status(r);
    } else {
        reply(r, result);
    }
    client->bytes -= bytes_of(r);
    free(r->data);
    g_free(r);
    client->running--;
    if (client->waiter) {
        coroutine_enter(client->waiter);
    }
}

/* Waits until fewer than so many requests run, and so many bytes more may be held. */
static void wait_for_room(NbdClient *client, unsigned most, uint64_t bytes)
{
    while (client->running >= most || (client->running > 0 && client->bytes + bytes > BYTES_MOST)) {
        client->waiter = coroutine_self();
        coroutine_yield();
        client->waiter = NULL;
    }
}

/* The data of a write follows its head; too much of it ends the connection. */
static bool read_payload(NbdClient *client, Request *r)
{
    if (r->type != NBD_WRITE) {
        return true;
    }
    if (r->length > NBD_PAYLOAD_MOST || posix_memalign(&r->data, 4096, r->length + 1) != 0) {
        r->data = NULL;
        return false;
    }
    return stream_read(client->stream, r->data, r->length) == 0;
}

static Request *read_request(NbdClient *client)
{
    NbdRequest head;
    Request *r;

    if (stream_read(client->stream, &head, sizeof(head)) < 0 ||
        GUINT32_FROM_BE(head.magic) != NBD_REQUEST_MAGIC) {
        return NULL;
    }
    r = g_new0(Request, 1);
    *r = (Request){ .client = client,
        .flags = GUINT16_FROM_BE(head.flags),
        .type = GUINT16_FROM_BE(head.type),
        .cookie = head.cookie,
        .at = GUINT64_FROM_BE(head.at),
        .length = GUINT32_FROM_BE(head.length) };
    wait_for_room(client, REQUESTS_MOST, bytes_of(r));
    client->bytes += bytes_of(r);
    if (r->type == NBD_DISCONNECT || !read_payload(client, r)) {
        client->bytes -= bytes_of(r);
        free(r->data);
        g_free(r);
        return NULL;
    }
    return r;
}

void nbd_transmit(NbdClient *client)
{
    Request *r;

    while ((r = read_request(client))) {
        client->running++;
        coroutine_enter(coroutine_new(request_main, r));
    }
    wait_for_room(client, 1, 0);
}
