/* Refcounts: how many references each cluster of the file has; 0 is free. */
#include <errno.h>
#include <string.h>

#include "block/qcow2/qcow2.h"

/* ---- one refcount, of 1 to 64 bits ---- */

/* Widths below a byte are packed from the least significant bits on ("Refcount blocks"). */
static uint64_t load(const Qcow2 *q, const uint8_t *block, uint64_t index)
{
    uint64_t value = 0;

    if (q->refcount_bits < 8) {
        unsigned bit = index * q->refcount_bits % 8;

        return block[index * q->refcount_bits / 8] >> bit & ((1u << q->refcount_bits) - 1);
    }
    for (unsigned i = 0; i < q->refcount_bits / 8; i++) {
        value = value << 8 | block[index * (q->refcount_bits / 8) + i];
    }
    return value;
}

static void store(const Qcow2 *q, uint8_t *block, uint64_t index, uint64_t value)
{
    if (q->refcount_bits < 8) {
        unsigned bit = index * q->refcount_bits % 8;
        uint8_t *byte = &block[index * q->refcount_bits / 8];
        uint8_t mask = ((1u << q->refcount_bits) - 1) << bit;

        *byte = (*byte & ~mask) | value << bit;
        return;
    }
    for (unsigned i = q->refcount_bits / 8; i > 0; i--, value >>= 8) {
        block[index * (q->refcount_bits / 8) + i - 1] = value;
    }
}

uint64_t refcount_most(const Qcow2 *q)
{
    return q->refcount_bits == 64 ? UINT64_MAX : (UINT64_C(1) << q->refcount_bits) - 1;
}

/* ---- blocks ---- */

/* Index of a cluster's refcount within its page, and the page; NULL when there is no block. */
static int find(Qcow2 *q, uint64_t cluster, MetaPage **page, uint64_t *index)
{
    uint64_t number = cluster >> q->refblock_bits;
    uint64_t in_block = cluster & ((UINT64_C(1) << q->refblock_bits) - 1);
    uint64_t per_page = (uint64_t)q->meta.page_size * 8 / q->refcount_bits;
    uint64_t block;

    *page = NULL;
    if (number >= q->reftable.size || !(q->reftable.entries[number] & QCOW2_REFTABLE_MASK)) {
        return 0;
    }
    block = q->reftable.entries[number] & QCOW2_REFTABLE_MASK;
    if (block & (q->cluster_size - 1)) {
        return -EIO;
    }
    *index = in_block % per_page;
    return meta_get(q, META_REFCOUNT, block + in_block / per_page * q->meta.page_size, page);
}

static void mark_dirty(Qcow2Table *table, uint32_t from, uint32_t to)
{
    if (table->dirty_from == table->dirty_to) {
        table->dirty_from = from;
    }
    table->dirty_from = MIN(table->dirty_from, from);
    table->dirty_to = MAX(table->dirty_to, to);
}

/*
 * A refcount block, in a cluster that is free, for a part of the file where nothing is in use yet.
 * Nobody refers to it until the table is written, so a power failure before that leaves the cluster
 * free, or leaked.
 */
static int create_block(Qcow2 *q, uint64_t number, uint64_t cluster)
{
    uint64_t offset = cluster << q->cluster_bits;

    if (number >= q->reftable.size) {
        return -EFBIG;
    }
    for (uint64_t at = 0; at < q->cluster_size; at += q->meta.page_size) {
        meta_new(q, META_REFCOUNT, offset + at);
    }
    q->top_cluster = MAX(q->top_cluster, cluster);
    q->reftable.entries[number] = offset;
    mark_dirty(&q->reftable, number, number + 1);
    return refcount_add(q, cluster, 1, NULL);
}

static bool has_block(const Qcow2 *q, uint64_t number)
{
    uint64_t place = q->reftable.entries[number] & QCOW2_REFTABLE_MASK;

    return place != 0 && (place & (q->cluster_size - 1)) == 0 &&
        (place < q->known_end || place >> q->cluster_bits <= q->top_cluster);
}

void refcount_forget_block(Qcow2 *q, uint64_t number)
{
    meta_drop(q, q->reftable.entries[number] & QCOW2_REFTABLE_MASK, q->cluster_size);
    q->reftable.entries[number] = 0;
    mark_dirty(&q->reftable, number, number + 1);
}

int refcount_provide(Qcow2 *q, uint64_t cluster)
{
    uint64_t number = cluster >> q->refblock_bits;
    uint64_t place = q->top_cluster + 1;

    if (number >= q->reftable.size) {
        return -EFBIG;
    }
    if (has_block(q, number)) {
        return 0;
    }
    while (place >> q->refblock_bits != number) { /* the new block is counted by another one */
        int result = refcount_provide(q, place);

        if (result < 0) {
            return result;
        }
        if (place == q->top_cluster + 1) {
            break; /* nothing had to be made for it */
        }
        place = q->top_cluster + 1;
    }
    return create_block(q, number, place);
}

int refcount_get(Qcow2 *q, uint64_t cluster, uint64_t *out)
{
    MetaPage *page;
    uint64_t index;
    int result = find(q, cluster, &page, &index);

    *out = result == 0 && page ? load(q, page->data, index) : 0;
    return result;
}

int refcount_add(Qcow2 *q, uint64_t cluster, int delta, uint64_t *now)
{
    MetaPage *page;
    uint64_t index, value;
    int result = find(q, cluster, &page, &index);

    if (result < 0 || !page) {
        return result < 0 ? result : -EIO; /* damaged: what is in use has no refcount */
    }
    value = load(q, page->data, index);
    if (delta < 0 ? value == 0 : value == refcount_most(q)) {
        return delta < 0 ? -EIO : -EOVERFLOW; /* wrong already, or no room for another snapshot */
    }
    store(q, page->data, index, value + delta);
    meta_dirty(q, page);
    if (now) {
        *now = value + delta;
    }
    return 0;
}

int refcount_set(Qcow2 *q, uint64_t cluster, uint64_t value)
{
    MetaPage *page;
    uint64_t index;
    int result = find(q, cluster, &page, &index);

    if (result < 0 || !page || value > refcount_most(q)) {
        return result < 0 ? result : -EIO;
    }
    store(q, page->data, index, value);
    meta_dirty(q, page);
    return 0;
}

/* ---- allocation ---- */

/*
 * A part of the file without refcounts. One that was there when the image was opened is left
 * alone, since it is not known what is in it; beyond, a block begins. It takes the first cluster of
 * the part, or of the free ones found before it, which may have to reach into the part.
 */
static int skip_or_create(Qcow2 *q, uint64_t *cluster, unsigned *run)
{
    uint64_t number = *cluster >> q->refblock_bits;

    if (number << (q->refblock_bits + q->cluster_bits) < q->known_end) {
        *cluster = (number + 1) << q->refblock_bits;
        *run = 0;
        return 0;
    }
    if (*run > 0) {
        return create_block(q, number, *cluster - (*run)--);
    }
    *cluster = number << q->refblock_bits;
    return create_block(q, number, *cluster);
}

static int find_free(Qcow2 *q, unsigned count, uint64_t *first)
{
    uint64_t cluster = q->free_hint = MAX(q->free_hint, 1); /* never the header, whatever is said */
    unsigned run = 0;
    bool hint_moves = true;

    while (run < count) {
        MetaPage *page;
        uint64_t index;
        int result = find(q, cluster, &page, &index);

        if (result == 0 && !page) {
            result = skip_or_create(q, &cluster, &run);
        } else if (result == 0) {
            bool in_use = load(q, page->data, index) > 0;

            hint_moves = hint_moves && in_use;
            run = in_use ? 0 : run + 1;
            cluster++;
            q->free_hint += hint_moves;
        }
        if (result < 0) {
            return result;
        }
    }
    *first = cluster - count;
    return 0;
}

int refcount_allocate(Qcow2 *q, unsigned count, uint64_t *offset)
{
    uint64_t first;
    int result = find_free(q, count, &first);

    for (unsigned i = 0; i < count && result == 0; i++) {
        result = refcount_add(q, first + i, 1, NULL);
    }
    if (result < 0) {
        return result;
    }
    q->top_cluster = MAX(q->top_cluster, first + count - 1);
    if (first == q->free_hint) {
        q->free_hint += count;
    }
    *offset = first << q->cluster_bits;
    return 0;
}

void refcount_free_later(Qcow2 *q, uint64_t offset, uint64_t clusters)
{
    for (uint64_t i = 0; i < clusters; i++) {
        uint64_t cluster = (offset >> q->cluster_bits) + i;

        g_array_append_val(q->to_free, cluster);
    }
}

int refcount_apply_frees(Qcow2 *q, GArray *clusters)
{
    int result = 0;

    for (unsigned i = 0; i < clusters->len && result == 0; i++) {
        uint64_t cluster = g_array_index(clusters, uint64_t, i);
        uint64_t now;

        result = refcount_add(q, cluster, -1, &now);
        if (result == 0 && now == 0) {
            meta_drop(q, cluster << q->cluster_bits, q->cluster_size);
            q->free_hint = MIN(q->free_hint, cluster);
            if (q->packed_end >> q->cluster_bits == cluster) {
                q->packed_end = 0;
            }
        }
    }
    return result;
}
