/*
 * Compressed clusters. They lie side by side, wherever a byte is free, and each of them counts as
 * a reference to every cluster of the file that it touches.
 */
#include <errno.h>
#include <string.h>

#include "block/pack.h"
#include "block/qcow2/crypt.h"

static PackMethod method_of(const Qcow2 *q)
{
    return q->header.compression_type == QCOW2_ZSTD ? PACK_ZSTD : PACK_DEFLATE;
}

/* ---- entries (specification, "Compressed Clusters Descriptor") ---- */

static unsigned split_of(const Qcow2 *q)
{
    return 62 - (q->cluster_bits - 8);
}

void qcow2_packed_place(const Qcow2 *q, uint64_t entry, uint64_t *offset, uint64_t *length)
{
    unsigned split = split_of(q);
    uint64_t sectors = (entry & ~(QCOW2_COPIED | QCOW2_COMPRESSED)) >> split;

    *offset = entry & ((UINT64_C(1) << split) - 1);
    *length = (sectors + 1) * 512 - (*offset & 511);
}

static uint64_t packed_entry(const Qcow2 *q, uint64_t offset, uint64_t length)
{
    uint64_t sectors = ((offset + length - 1) >> 9) - (offset >> 9);

    return QCOW2_COMPRESSED | sectors << split_of(q) | offset;
}

/* ---- reading ---- */

static int unpack_cluster(Qcow2 *q, uint64_t entry, uint8_t *to)
{
    uint64_t offset, length;
    g_autofree uint8_t *packed = NULL;
    int64_t size;
    int result;

    qcow2_packed_place(q, entry, &offset, &length);
    if (offset >= q->file->length) {
        return -EIO;
    }
    length = MIN(length, q->file->length - offset);
    packed = g_malloc(length);
    result = block_read(q->file, offset, packed, length);
    if (result < 0) {
        return result;
    }
    size = unpack(&(Packing){ method_of(q), packed, length, to, q->cluster_size });
    return size < 0 ? size : size == q->cluster_size ? 0 : -EIO;
}

/* The last cluster stays unpacked: guests read it piece by piece. */
int qcow2_unpack(BlockNode *node, const Extent *from, void *out)
{
    Qcow2 *q = qcow2_of(node);
    g_autofree uint8_t *cluster = NULL;
    int result;

    if (!(from->cookie & QCOW2_COMPRESSED)) {
        return qcow2_unpack_legacy(q, from, out);
    }
    if (q->unpacked_entry != from->cookie) {
        cluster = g_malloc(q->cluster_size);
        result = unpack_cluster(q, from->cookie, cluster);
        if (result < 0) {
            return result;
        }
        g_free(q->unpacked);
        q->unpacked = g_steal_pointer(&cluster);
        q->unpacked_entry = from->cookie;
    }
    memcpy(out, q->unpacked + from->skip, from->length);
    return 0;
}

/* ---- writing ---- */

/* Room behind the last compressed cluster: in its cluster, or also in the one behind it. */
static int allocate_locked(Qcow2 *q, uint64_t length, uint64_t *offset)
{
    uint64_t left = -q->packed_end & (q->cluster_size - 1);
    uint64_t last = q->packed_end >> q->cluster_bits;
    bool shared = left > 0 && refcount_add(q, last, 1, NULL) == 0;
    uint64_t cluster;
    int result;

    if (shared && length <= left) {
        *offset = q->packed_end;
        q->packed_end += length;
        return 0;
    }
    result = refcount_allocate(q, 1, &cluster);
    if (result == 0 && shared && cluster == q->packed_end + left) {
        *offset = q->packed_end;
    } else {
        *offset = cluster;
        if (shared) {
            refcount_add(q, last, -1, NULL);
        }
    }
    q->packed_end = result == 0 ? *offset + length : q->packed_end;
    return result;
}

static int allocate(Qcow2 *q, uint64_t length, uint64_t *offset)
{
    int result = qcow2_lock_with_room(q);

    if (result == 0) {
        result = allocate_locked(q, length, offset);
        co_mutex_unlock(&q->lock);
    }
    return result;
}

/* With the lock; `entry` belongs to the L2 table from now on, or is given back. */
static int link_packed(Qcow2 *q, uint64_t at, uint64_t entry)
{
    uint64_t bitmap, old;
    MetaPage *page;
    int result = qcow2_own_table(q, at);

    if (result == 0) {
        result = l2_find(q, at, &page);
    }
    if (result < 0) {
        qcow2_free_entry(q, entry, 0);
        return result;
    }
    old = l2_entry_load(q, page, at, &bitmap);
    l2_entry_store(q, page, at, entry, 0);
    qcow2_free_entry(q, old, 0);
    q->fresh_data = true;
    if (q->unpacked_entry == entry) {
        q->unpacked_entry = 0; /* the place was used before, for something else */
    }
    return 0;
}

static int store(Qcow2 *q, uint64_t at, const void *packed, uint64_t length)
{
    uint64_t offset = 0, entry;
    int result = allocate(q, length, &offset);

    if (result < 0) {
        return result;
    }
    entry = packed_entry(q, offset, length);
    result = block_write(q->file, offset, packed, length, 0);
    if (result == 0) {
        result = qcow2_lock_with_room(q);
    }
    if (result < 0) {
        co_mutex_lock(&q->lock);
        qcow2_free_entry(q, entry, 0);
    } else {
        result = link_packed(q, at, entry);
    }
    co_mutex_unlock(&q->lock);
    return result;
}

/* The last cluster is packed as a whole, with zeroes behind the end of the disk. */
int qcow2_pack(BlockNode *node, uint64_t at, const void *data, uint64_t length)
{
    Qcow2 *q = qcow2_of(node);
    g_autofree uint8_t *whole = length < q->cluster_size ? g_malloc0(q->cluster_size) : NULL;
    g_autofree uint8_t *packed = g_malloc(q->cluster_size);
    Packing packing = { method_of(q), data, q->cluster_size, packed, q->cluster_size - 1 };
    int64_t size;

    if (q->data_child != 0) {
        return -ENOTSUP; /* neither in an external data file, nor encrypted */
    }
    if (whole) {
        packing.from = memcpy(whole, data, length);
    }
    size = pack_on_thread(node->loop, &packing);
    return size < 0 ? size : store(q, at, packed, size);
}
