/* Places for what is written, and giving them back. */
#include <errno.h>
#include <string.h>

#include "block/qcow2/qcow2.h"

enum { RUN_MOST = 4 * 1024 * 1024 }; /* bytes allocated at once */

/* ---- L2 tables ---- */

void qcow2_set_l1(Qcow2 *q, uint64_t index, uint64_t entry)
{
    q->l1.entries[index] = entry;
    if (q->l1.dirty_from == q->l1.dirty_to) {
        q->l1.dirty_from = index;
    }
    q->l1.dirty_from = MIN(q->l1.dirty_from, index);
    q->l1.dirty_to = MAX(q->l1.dirty_to, index + 1);
}

/* Copies a table that a snapshot shares; without one, makes an empty one. */
static int fill_table(Qcow2 *q, uint64_t from, uint64_t to)
{
    for (uint64_t at = 0; at < q->cluster_size; at += q->meta.page_size) {
        MetaPage *page = NULL;
        int result = from ? meta_get(q, META_L2, from + at, &page) : 0;
        g_autofree uint8_t *copy = page ? g_memdup2(page->data, q->meta.page_size) : NULL;

        if (result < 0) {
            return result;
        }
        page = meta_new(q, META_L2, to + at);
        if (copy) {
            memcpy(page->data, copy, q->meta.page_size);
        }
    }
    return 0;
}

int qcow2_own_table(Qcow2 *q, uint64_t at)
{
    uint64_t index = at >> (q->cluster_bits + q->l2_bits);
    uint64_t old, offset;
    int result;

    if (index >= q->l1.size) {
        return -EIO;
    }
    old = q->l1.entries[index] & QCOW2_OFFSET_MASK;
    if (old != 0 && q->l1.entries[index] & QCOW2_COPIED) {
        return 0;
    }
    result = refcount_allocate(q, 1, &offset);
    if (result == 0) {
        result = fill_table(q, old, offset);
    }
    if (result < 0) {
        return result;
    }
    qcow2_set_l1(q, index, offset | QCOW2_COPIED);
    if (old) {
        refcount_free_later(q, old, 1);
    }
    return 0;
}

/* ---- allocation ---- */

/* Bits of a bitmap for the subclusters of a cluster from byte `from` to byte `to`. */
static uint64_t sub_mask(const Qcow2 *q, uint64_t from, uint64_t to)
{
    unsigned first = from >> q->sub_bits;
    unsigned end = (to + (UINT64_C(1) << q->sub_bits) - 1) >> q->sub_bits;

    return ((UINT64_C(1) << (end - first)) - 1) << first;
}

/* A cluster of the image's own that holds no data here: zeroes, or subclusters not used yet. */
static void reuse(const Qcow2 *q, uint64_t entry, uint64_t bitmap, uint64_t at, Extent *out)
{
    uint64_t sub_size = UINT64_C(1) << q->sub_bits;
    uint64_t in_cluster = at & (q->cluster_size - 1);
    uint64_t end;

    out->length = MIN(out->length, q->cluster_size - in_cluster);
    if (qcow2_has_subclusters(q)) { /* up to the first subcluster with data */
        unsigned sub = in_cluster >> q->sub_bits;
        uint32_t data = (uint32_t)bitmap & ~(uint32_t)(bitmap >> 32);
        uint32_t later = sub < 31 ? data >> (sub + 1) << (sub + 1) : 0;

        if (later) {
            out->length = MIN(out->length, __builtin_ctz(later) * sub_size - in_cluster);
        }
    }
    end = in_cluster + out->length;
    out->offset = (entry & QCOW2_OFFSET_MASK) + in_cluster;
    out->fresh = true;
    out->head = at & (sub_size - 1);
    out->tail = -end & (sub_size - 1);
}

/* Clusters from `at` on that all need a new place. */
static uint64_t count_new(Qcow2 *q, MetaPage *page, uint64_t at, uint64_t length)
{
    uint64_t entries = q->meta.page_size / q->entry_size;
    uint64_t left = entries - ((at >> q->cluster_bits) & (entries - 1));
    uint64_t wanted = ((at & (q->cluster_size - 1)) + length + q->cluster_size - 1) >>
        q->cluster_bits;
    uint64_t most_at_once = MAX(RUN_MOST >> q->cluster_bits, 1);
    uint64_t most = MIN(MIN(left, wanted), most_at_once);
    uint64_t count = 1;

    while (count < most) {
        uint64_t bitmap;
        uint64_t entry = l2_entry_load(q, page, at + (count << q->cluster_bits), &bitmap);

        if ((qcow2_is_plain(q, entry) && entry & QCOW2_COPIED) ||
            (qcow2_has_subclusters(q) && (entry || bitmap))) {
            break;
        }
        count++;
    }
    return count;
}

/* Does the old cluster hold data that a new one has to take over as a whole? */
static bool must_copy_all(const Qcow2 *q, uint64_t entry, uint64_t bitmap)
{
    return !qcow2_has_subclusters(q) || entry & QCOW2_COMPRESSED || bitmap != 0;
}

static int allocate_new(Qcow2 *q, MetaPage *page, uint64_t at, Extent *out)
{
    uint64_t in_cluster = at & (q->cluster_size - 1);
    uint64_t bitmap, entry = l2_entry_load(q, page, at, &bitmap);
    uint64_t sub_size = UINT64_C(1) << q->sub_bits;
    uint64_t count = must_copy_all(q, entry, bitmap) && qcow2_has_subclusters(q)
        ? 1
        : count_new(q, page, at, out->length);
    uint64_t unit = must_copy_all(q, entry, bitmap) ? q->cluster_size : sub_size;
    uint64_t host = at & ~(uint64_t)(q->cluster_size - 1);
    int result = !q->external ? refcount_allocate(q, count, &host) : 0;

    out->length = MIN(out->length, (count << q->cluster_bits) - in_cluster);
    out->offset = host + in_cluster;
    out->fresh = true;
    out->cookie = 1; /* to be freed if it is not linked */
    out->head = at & (unit - 1);
    out->tail = -(in_cluster + out->length) & (unit - 1);
    return result;
}

static int allocate_locked(Qcow2 *q, uint64_t at, Extent *out)
{
    MetaPage *page;
    uint64_t entry, bitmap;
    int result = qcow2_own_table(q, at);

    if (result == 0) {
        result = l2_find(q, at, &page);
    }
    if (result < 0) {
        return result;
    }
    entry = l2_entry_load(q, page, at, &bitmap);
    if (qcow2_is_plain(q, entry) && entry & QCOW2_COPIED) {
        reuse(q, entry, bitmap, at, out);
        return 0;
    }
    return allocate_new(q, page, at, out);
}

/* Could one more run of clusters lie beyond what the refcount table can describe? */
static bool is_reftable_short(const Qcow2 *q)
{
    uint64_t end = q->top_cluster + (RUN_MOST >> q->cluster_bits);

    return (end >> q->refblock_bits) + 3 > q->reftable.size;
}

static bool can_grow_reftable(const Qcow2 *q)
{
    return q->reftable.size * UINT64_C(16) <= QCOW2_MAX_REFTABLE_BYTES;
}

static int grow_if_short(Qcow2 *q)
{
    int result = 0;

    if (is_reftable_short(q)) {
        co_mutex_lock(&q->growing);
        result = is_reftable_short(q) ? qcow2_grow_reftable(q) : 0;
        co_mutex_unlock(&q->growing);
    }
    return result;
}

int qcow2_lock_with_room(Qcow2 *q)
{
    for (;;) {
        bool dirty, is_short;
        int result;

        co_mutex_lock(&q->lock);
        dirty = q->meta.dirty > q->meta.limit / 2;
        is_short = is_reftable_short(q) && can_grow_reftable(q);
        if (!dirty && !is_short) {
            return 0;
        }
        co_mutex_unlock(&q->lock);
        result = is_short ? grow_if_short(q) : qcow2_commit(q);
        if (result < 0) {
            return result;
        }
    }
}

int qcow2_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    Qcow2 *q = qcow2_of(node);
    int result = qcow2_map(node, at, length, out);

    if (result < 0 || (out->kind == EXTENT_DATA && out->writable)) {
        return result;
    }
    *out = (Extent){ .kind = EXTENT_DATA, .child = q->data_child, .length = length };
    result = qcow2_lock_with_room(q);
    if (result == 0) {
        result = allocate_locked(q, at, out);
        co_mutex_unlock(&q->lock);
    }
    return result;
}

/* ---- linking ---- */

void qcow2_free_entry(Qcow2 *q, uint64_t entry, uint64_t except)
{
    uint64_t offset = entry & QCOW2_OFFSET_MASK, length = q->cluster_size;
    uint64_t first, last;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_packed_place(q, entry, &offset, &length);
    } else if (offset == 0 || offset == except || q->external) {
        return;
    }
    first = offset >> q->cluster_bits;
    last = (offset + length - 1) >> q->cluster_bits;
    refcount_free_later(q, first << q->cluster_bits, last - first + 1);
}

static int link_cluster(Qcow2 *q, uint64_t at, uint64_t end, uint64_t host)
{
    uint64_t from = at & (q->cluster_size - 1);
    uint64_t old, bitmap, mask;
    MetaPage *page;
    int result = l2_find(q, at, &page);

    if (result < 0 || !page) {
        return result < 0 ? result : -EIO;
    }
    old = l2_entry_load(q, page, at, &bitmap);
    if (qcow2_has_subclusters(q)) {
        mask = sub_mask(q, from, MIN(end - (at - from), q->cluster_size));
        bitmap = (bitmap | mask) & ~(mask << 32);
    }
    l2_entry_store(q, page, at, host | QCOW2_COPIED, bitmap);
    qcow2_free_entry(q, old, host);
    return 0;
}

/* The bytes from the head to the tail are in place: now the guest may find them. */
int qcow2_link(BlockNode *node, uint64_t at, const Extent *fresh)
{
    Qcow2 *q = qcow2_of(node);
    uint64_t end = at + fresh->length + fresh->tail;
    uint64_t from = at - fresh->head;
    uint64_t host = (fresh->offset - fresh->head) & ~(uint64_t)(q->cluster_size - 1);
    int result = 0;

    co_mutex_lock(&q->lock);
    q->fresh_data = true;
    while (from < end && result == 0) {
        result = link_cluster(q, from, end, host);
        from = (from | (q->cluster_size - 1)) + 1;
        host += q->cluster_size;
    }
    co_mutex_unlock(&q->lock);
    return result;
}

void qcow2_abandon(BlockNode *node, uint64_t at, const Extent *fresh)
{
    Qcow2 *q = qcow2_of(node);
    uint64_t from = (fresh->offset - fresh->head) & ~(uint64_t)(q->cluster_size - 1);
    uint64_t end = fresh->offset + fresh->length + fresh->tail;

    if (!fresh->cookie || q->external) {
        return;
    }
    co_mutex_lock(&q->lock);
    refcount_free_later(q, from, (end - from + q->cluster_size - 1) >> q->cluster_bits);
    co_mutex_unlock(&q->lock);
}

/* ---- zeroes and discards, of whole clusters ---- */

typedef struct Clearing {
    bool keep_place;   /* the cluster stays, to be written again without allocation */
    bool must_be_zero; /* the guest relies on reading zeroes */
} Clearing;

/* Version 2 has no entry for zeroes: the one for nothing is as good where the image below has ended. */
static uint64_t cleared_entry(
    const Qcow2 *q, uint64_t at, uint64_t old, const Clearing *how, bool *possible)
{
    bool has_backing = q->node->backing != NULL;
    bool keep = how->keep_place && qcow2_is_plain(q, old) && old & QCOW2_COPIED;

    *possible = true;
    if (qcow2_has_subclusters(q)) {
        return keep ? old : 0;
    }
    if (q->header.version >= 3 && (has_backing || keep)) {
        return QCOW2_ZERO | (keep ? old : 0);
    }
    *possible = !has_backing || at >= q->node->backing->length;
    return 0;
}

static int clear_cluster(Qcow2 *q, uint64_t at, const Clearing *how)
{
    MetaPage *page;
    uint64_t old, bitmap, entry;
    bool possible;
    int result = qcow2_own_table(q, at);

    if (result == 0) {
        result = l2_find(q, at, &page);
    }
    if (result < 0) {
        return result;
    }
    old = l2_entry_load(q, page, at, &bitmap);
    entry = cleared_entry(q, at, old, how, &possible);
    if (!possible) {
        return how->must_be_zero ? -ENOTSUP : 0;
    }
    l2_entry_store(q, page, at, entry, qcow2_has_subclusters(q) ? UINT64_C(0xffffffff) << 32 : 0);
    qcow2_free_entry(q, old, entry & QCOW2_OFFSET_MASK);
    return 0;
}

static int clear_range(Qcow2 *q, uint64_t at, uint64_t length, const Clearing *how)
{
    int result = 0;

    for (uint64_t done = 0; done < length && result == 0; done += q->cluster_size) {
        MetaPage *page = NULL;

        result = qcow2_lock_with_room(q);
        if (result < 0) {
            return result;
        }
        result = l2_find(q, at + done, &page);
        /* Where there is nothing above nothing, nothing needs to be done. */
        if (result == 0 && (page || q->node->backing)) {
            result = clear_cluster(q, at + done, how);
        }
        co_mutex_unlock(&q->lock);
    }
    return result;
}

int qcow2_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags)
{
    Clearing how = { .keep_place = !(flags & BLOCK_MAY_UNMAP), .must_be_zero = true };

    if (qcow2_of(node)->external) {
        return -ENOTSUP; /* a raw external file must hold the zeroes itself */
    }
    return clear_range(qcow2_of(node), at, length, &how);
}

int qcow2_discard(BlockNode *node, uint64_t at, uint64_t length)
{
    Clearing how = { .keep_place = false, .must_be_zero = false };

    return qcow2_of(node)->external ? 0 : clear_range(qcow2_of(node), at, length, &how);
}
