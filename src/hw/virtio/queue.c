#include <string.h>

#include "hw/virtio/virtio.h"

/* Parts of a split ring, all little endian (virtio 1.2, 2.7.5 to 2.7.8). */
enum { DESC_SIZE = 16, DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { RING_FLAGS = 0, RING_INDEX = 2, RING_ENTRIES = 4 };
enum { AVAILABLE_ENTRY = 2, USED_ENTRY = 8 };
enum { AVAILABLE_NO_INTERRUPT = 1 };

typedef struct Desc {
    uint64_t at;
    uint32_t length;
    uint16_t flags, next;
} Desc;

/* A chain while it is collected: what the device reads comes first, what it writes after. */
typedef struct Walk {
    Virtio *virtio;
    unsigned count, out_count;
    uint64_t out_size, in_size;
    struct iovec pieces[VIRTIO_CHAIN_MAX];
    GuestAddr at[VIRTIO_CHAIN_MAX];
} Walk;

/* ---- ring memory; looked up each time, so a hole punched into RAM later is noticed ---- */

static uint64_t desc_bytes(const VirtioQueue *q)
{
    return (uint64_t)q->size * DESC_SIZE;
}

/* Flags, index, the entries, and the other side's event index. */
static uint64_t ring_bytes(const VirtioQueue *q, unsigned entry)
{
    return RING_ENTRIES + (uint64_t)q->size * entry + 2;
}

static void *map_whole(Virtio *virtio, GuestAddr at, uint64_t size, bool for_write)
{
    uint64_t length = size;
    void *host = device_dma_map(&virtio->dev, at, &length, for_write);

    return length == size ? host : NULL;
}

static uint8_t *map_available(Virtio *virtio, VirtioQueue *q)
{
    return map_whole(virtio, q->driver_at, ring_bytes(q, AVAILABLE_ENTRY), false);
}

static uint8_t *map_used(Virtio *virtio, VirtioQueue *q)
{
    return map_whole(virtio, q->device_at, ring_bytes(q, USED_ENTRY), true);
}

/* The guest's other CPUs change the rings meanwhile: each field is read once, atomically. */
static uint16_t load_u16(const uint8_t *at)
{
    return GUINT16_FROM_LE(__atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE));
}

static void store_u16(uint8_t *at, uint16_t value)
{
    __atomic_store_n((uint16_t *)at, GUINT16_TO_LE(value), __ATOMIC_RELEASE);
}

static Desc load_desc(const uint8_t *table, unsigned index)
{
    Desc d;

    memcpy(&d, table + (size_t)index * DESC_SIZE, sizeof(d));
    return (Desc){ GUINT64_FROM_LE(d.at), GUINT32_FROM_LE(d.length), GUINT16_FROM_LE(d.flags),
        GUINT16_FROM_LE(d.next) };
}

/* ---- collecting a chain; each step gives NULL, or what is wrong ---- */

/* The arrays are large, and are left as they are. */
static void walk_begin(Walk *w, Virtio *virtio)
{
    w->virtio = virtio;
    w->count = w->out_count = 0;
    w->out_size = w->in_size = 0;
}

static const char *add_piece(Walk *w, GuestAddr at, uint64_t *length, bool for_write)
{
    void *host = device_dma_map(&w->virtio->dev, at, length, for_write);

    if (!host || *length == 0) {
        return "a buffer outside of RAM";
    }
    if (w->count == VIRTIO_CHAIN_MAX) {
        return "a chain of too many buffers";
    }
    w->pieces[w->count] = (struct iovec){ host, *length };
    w->at[w->count++] = at;
    return NULL;
}

static const char *add_buffer(Walk *w, const Desc *d)
{
    bool for_write = d->flags & DESC_WRITE;
    const char *wrong = NULL;

    if (!for_write && w->count > w->out_count) {
        return "a readable buffer after a writable one";
    }
    for (uint64_t done = 0, length; done < d->length && !wrong; done += length) {
        length = d->length - done;
        wrong = add_piece(w, d->at + done, &length, for_write);
    }
    if (wrong) {
        return wrong;
    }
    *(for_write ? &w->in_size : &w->out_size) += d->length;
    if (!for_write) {
        w->out_count = w->count;
    }
    return w->out_size > w->virtio->out_max || w->in_size > UINT32_MAX ? "a chain of too many bytes"
                                                                       : NULL;
}

static const char *walk_table(
    Walk *w, const uint8_t *table, unsigned size, unsigned index, bool indirect);

static const char *walk_indirect(Walk *w, const Desc *d)
{
    const uint8_t *table;

    if (!virtio_has(w->virtio, VIRTIO_F_INDIRECT_DESC)) {
        return "an indirect table that was not negotiated";
    }
    if (d->flags & DESC_NEXT) {
        return "an indirect table with a successor";
    }
    if (d->length == 0 || d->length % DESC_SIZE) {
        return "an indirect table of a broken size";
    }
    table = map_whole(w->virtio, d->at, d->length, false);
    return table ? walk_table(w, table, d->length / DESC_SIZE, 0, true)
                 : "an indirect table outside of RAM";
}

/* A chain has at most as many links as its table has entries: more is a loop. */
static const char *walk_table(
    Walk *w, const uint8_t *table, unsigned size, unsigned index, bool indirect)
{
    for (unsigned links = 0; links < size; links++) {
        const char *wrong;
        Desc d;

        if (index >= size) {
            return "a descriptor outside of its table";
        }
        d = load_desc(table, index);
        if (d.flags & DESC_INDIRECT) {
            return indirect ? "an indirect table inside of another" : walk_indirect(w, &d);
        }
        wrong = add_buffer(w, &d);
        if (wrong || !(d.flags & DESC_NEXT)) {
            return wrong;
        }
        index = d.next;
    }
    return "a loop of descriptors";
}

static VirtioChain *chain_new(const Walk *w, unsigned queue, uint16_t head)
{
    size_t pieces = w->count * sizeof(struct iovec);
    size_t addresses = w->count * sizeof(GuestAddr);
    VirtioChain *chain = g_malloc(sizeof(*chain) + pieces + addresses);

    *chain = (VirtioChain){
        .virtio = w->virtio,
        .epoch = w->virtio->epochs[queue],
        .queue = queue,
        .head = head,
        .out_count = w->out_count,
        .in_count = w->count - w->out_count,
        .out_size = w->out_size,
        .in_size = w->in_size,
    };
    chain->out = (struct iovec *)(chain + 1);
    chain->in = chain->out + w->out_count;
    chain->in_at = (GuestAddr *)(chain->out + w->count) + w->out_count;
    memcpy(chain->out, w->pieces, pieces);
    memcpy(chain->out + w->count, w->at, addresses);
    return chain;
}

/* ---- taking from the available ring ---- */

/*
 * Gives the head of the next chain, or -1 when there is none. The event index is kept at the next
 * entry: we always want to hear of it, and the barrier makes the last look at the ring see what
 * was added before the driver looked at our index.
 */
static int next_head(Virtio *virtio, VirtioQueue *q, const uint8_t *available)
{
    uint16_t waiting = load_u16(available + RING_INDEX) - q->next_available;

    if (waiting == 0) {
        return -1;
    }
    if (waiting > q->size) {
        virtio_break(virtio, "queue: %u buffers available in a ring of %u", waiting, q->size);
        return -1;
    }
    if (q->in_flight >= q->size) {
        virtio_break(virtio, "queue: a buffer was made available twice");
        return -1;
    }
    return load_u16(available + RING_ENTRIES + q->next_available % q->size * AVAILABLE_ENTRY);
}

static void ask_for_kick(Virtio *virtio, VirtioQueue *q)
{
    uint8_t *used = virtio_has(virtio, VIRTIO_F_EVENT_IDX) ? map_used(virtio, q) : NULL;

    if (used) {
        store_u16(used + RING_ENTRIES + q->size * USED_ENTRY, q->next_available);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}

VirtioChain *virtqueue_pop(Virtio *virtio, unsigned queue)
{
    VirtioQueue *q = &virtio->queues[queue];
    const uint8_t *available, *table;
    const char *wrong;
    int head;
    Walk w;

    if (!q->ready || virtio_is_broken(virtio) || virtio->budget == 0) {
        return NULL;
    }
    available = map_available(virtio, q);
    table = map_whole(virtio, q->desc_at, desc_bytes(q), false);
    if (!available || !table) {
        virtio_break(virtio, "queue %u: a ring outside of RAM", queue);
        return NULL;
    }
    head = next_head(virtio, q, available);
    if (head < 0) {
        return NULL;
    }
    walk_begin(&w, virtio);
    wrong = walk_table(&w, table, q->size, head, false);
    if (wrong) {
        virtio_break(virtio, "queue %u: %s", queue, wrong);
        return NULL;
    }
    q->next_available++;
    q->in_flight++;
    virtio->budget--;
    ask_for_kick(virtio, q);
    return chain_new(&w, queue, head);
}

void virtqueue_unpop(VirtioChain *chain)
{
    VirtioQueue *q = &chain->virtio->queues[chain->queue];

    if (chain->epoch == chain->virtio->epochs[chain->queue]) {
        q->next_available--;
        q->in_flight--;
    }
    g_free(chain);
}

/* ---- returning through the used ring ---- */

/* Called for every entry: what the driver waits for is the latest or none (virtio 1.2, 2.7.10). */
static bool driver_wants_interrupt(Virtio *virtio, VirtioQueue *q)
{
    const uint8_t *available = map_available(virtio, q);
    uint16_t event;

    if (!available) {
        return false;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!virtio_has(virtio, VIRTIO_F_EVENT_IDX)) {
        return !(load_u16(available + RING_FLAGS) & AVAILABLE_NO_INTERRUPT);
    }
    event = load_u16(available + RING_ENTRIES + q->size * AVAILABLE_ENTRY);
    return event == (uint16_t)(q->next_used - 1);
}

static bool put_used(Virtio *virtio, VirtioQueue *q, uint16_t head, uint32_t written)
{
    uint32_t entry[2] = { GUINT32_TO_LE(head), GUINT32_TO_LE(written) };
    uint8_t *used = map_used(virtio, q);

    if (!used) {
        virtio_break(virtio, "queue: a ring outside of RAM");
        return false;
    }
    memcpy(used + RING_ENTRIES + q->next_used % q->size * USED_ENTRY, entry, sizeof(entry));
    store_u16(used + RING_INDEX, ++q->next_used);
    device_dma_wrote(&virtio->dev, q->device_at, ring_bytes(q, USED_ENTRY));
    return true;
}

void virtqueue_push(VirtioChain *chain, uint32_t written)
{
    Virtio *virtio = chain->virtio;
    VirtioQueue *q = &virtio->queues[chain->queue];

    if (chain->epoch == chain->virtio->epochs[chain->queue]) {
        q->in_flight--;
        if (!virtio_is_broken(virtio) && put_used(virtio, q, chain->head, written) &&
            driver_wants_interrupt(virtio, q)) {
            virtio_interrupt(virtio, VIRTIO_INT_QUEUE);
        }
    }
    g_free(chain);
}

/* ---- the bytes of a chain ---- */

/* Finds the piece that holds the byte at *offset, which becomes relative to it. */
static unsigned find_piece(const struct iovec *pieces, unsigned count, uint64_t *offset)
{
    unsigned i = 0;

    while (i < count && *offset >= pieces[i].iov_len) {
        *offset -= pieces[i++].iov_len;
    }
    return i;
}

size_t virtio_chain_read(const VirtioChain *chain, uint64_t offset, void *out, size_t length)
{
    unsigned i = find_piece(chain->out, chain->out_count, &offset);
    size_t done = 0;

    for (; i < chain->out_count && done < length; i++, offset = 0) {
        size_t part = MIN(length - done, chain->out[i].iov_len - offset);

        memcpy((uint8_t *)out + done, (uint8_t *)chain->out[i].iov_base + offset, part);
        done += part;
    }
    return done;
}

size_t virtio_chain_write(VirtioChain *chain, uint64_t offset, const void *bytes, size_t length)
{
    unsigned i = find_piece(chain->in, chain->in_count, &offset);
    size_t done = 0;

    for (; i < chain->in_count && done < length; i++, offset = 0) {
        size_t part = MIN(length - done, chain->in[i].iov_len - offset);

        memcpy((uint8_t *)chain->in[i].iov_base + offset, (uint8_t *)bytes + done, part);
        device_dma_wrote(&chain->virtio->dev, chain->in_at[i] + offset, part);
        done += part;
    }
    return done;
}

void virtio_chain_wrote(VirtioChain *chain, uint64_t offset, uint64_t length)
{
    unsigned i = find_piece(chain->in, chain->in_count, &offset);

    for (; i < chain->in_count && length > 0; i++, offset = 0) {
        uint64_t part = MIN(length, chain->in[i].iov_len - offset);

        device_dma_wrote(&chain->virtio->dev, chain->in_at[i] + offset, part);
        length -= part;
    }
}

/* ---- set-up ---- */

void virtqueue_enable(Virtio *virtio, unsigned queue)
{
    VirtioQueue *q = &virtio->queues[queue];

    q->ready = true;
    if (q->size == 0 || q->size > q->size_max || (q->size & (q->size - 1))) {
        virtio_break(virtio, "queue %u: size %u, must be a power of two up to %u", queue, q->size,
            q->size_max);
    } else if (q->desc_at % DESC_SIZE || q->driver_at % 2 || q->device_at % 4) {
        virtio_break(virtio, "queue %u: a ring that is not aligned", queue);
    } else if (!map_whole(virtio, q->desc_at, desc_bytes(q), false) || !map_available(virtio, q) ||
        !map_used(virtio, q)) {
        virtio_break(virtio, "queue %u: a ring outside of RAM", queue);
    }
}

void virtqueue_reset(Virtio *virtio, unsigned queue)
{
    VirtioQueue *q = &virtio->queues[queue];

    *q = (VirtioQueue){ .size_max = q->size_max, .size = q->size_max };
    virtio->epochs[queue]++;
}
