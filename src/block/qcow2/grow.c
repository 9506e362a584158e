/*
 * Another size: of the disk, and larger tables. A new table is written beside the old one and the
 * header, which says where it is, changes in one sector; so at any moment one of them is whole and
 * in use. No commit may run meanwhile, because it would write to the old one.
 */
#include <errno.h>
#include <string.h>

#include "block/qcow2/bitmap.h"
#include "block/qcow2/header.h"
#include "block/qcow2/qcow2.h"

static int write_copy(Qcow2 *q, const Qcow2Table *table, uint64_t at, uint64_t bytes)
{
    g_autofree uint64_t *entries = g_try_malloc0(bytes);

    if (!entries) {
        return -ENOMEM;
    }
    co_mutex_lock(&q->lock);
    for (uint32_t i = 0; i < table->size; i++) {
        entries[i] = GUINT64_TO_BE(table->entries[i]);
    }
    co_mutex_unlock(&q->lock);
    return block_write(q->file, at, entries, bytes, 0);
}

int qcow2_switch_header(Qcow2 *q, const Qcow2Header *wanted)
{
    Qcow2Header old = q->header;
    int result = block_flush(q->file);

    q->header = *wanted;
    if (result == 0) {
        result = qcow2_write_header(q);
    }
    if (result == 0) {
        result = block_flush(q->file);
    }
    if (result < 0) {
        q->header = old;
    }
    return result;
}

/* The entries in memory, which may have changed since the copy was written, move over. */
static void adopt(Qcow2 *q, Qcow2Table *table, uint64_t at, uint32_t size)
{
    uint64_t old_bytes = (uint64_t)table->size * sizeof(uint64_t);

    co_mutex_lock(&q->lock);
    refcount_free_later(q, table->offset, qcow2_align_up(q, old_bytes) >> q->cluster_bits);
    table->entries = g_renew(uint64_t, table->entries, MAX(size, 1));
    memset(table->entries + table->size, 0, (size - table->size) * sizeof(uint64_t));
    table->size = size;
    table->offset = at;
    co_mutex_unlock(&q->lock);
}

/* `header` gets the new place by `place`, an address inside of it. */
static int move_table(
    Qcow2 *q, Qcow2Table *table, uint32_t size, Qcow2Header *header, uint64_t *place)
{
    uint64_t bytes = qcow2_align_up(q, (uint64_t)size * sizeof(uint64_t));
    unsigned clusters = bytes >> q->cluster_bits;
    int result;

    co_mutex_lock(&q->lock);
    result = refcount_allocate(q, clusters, place);
    co_mutex_unlock(&q->lock);
    if (result < 0) {
        return result;
    }
    result = qcow2_commit(q);
    co_mutex_lock(&q->committing);
    if (result == 0) {
        result = write_copy(q, table, *place, bytes);
    }
    if (result == 0) {
        result = qcow2_switch_header(q, header);
    }
    if (result == 0) {
        adopt(q, table, *place, size);
    } else {
        refcount_free_later(q, *place, clusters);
    }
    co_mutex_unlock(&q->committing);
    return result;
}

int qcow2_grow_reftable(Qcow2 *q)
{
    Qcow2Header header = q->header;
    uint64_t per_cluster = q->cluster_size / sizeof(uint64_t);
    uint64_t size = q->reftable.size * UINT64_C(2);

    header.refcount_table_clusters = size / per_cluster;
    return move_table(q, &q->reftable, size, &header, &header.refcount_table_offset);
}

/* The tables keep their size: they may be larger than the disk needs. */
static int shrink(Qcow2 *q, uint64_t length)
{
    uint64_t from = qcow2_align_up(q, length), old = q->node->length;
    Qcow2Header header = q->header;
    int result = from < old ? qcow2_discard(q->node, from, old - from) : 0;

    if (result == 0) {
        result = qcow2_commit(q);
    }
    header.size = length;
    return result == 0 ? qcow2_switch_header(q, &header) : result;
}

/*
 * What a longer image below has behind the old end must not be seen. It is hidden before the header says the new
 * length, or a loss of power between would show it.
 */
static int hide_backing(Qcow2 *q, uint64_t length)
{
    BlockNode *node = q->node;
    uint64_t old = node->length, end = node->backing ? MIN(length, node->backing->length) : 0;
    int result;

    if (end <= old) {
        return 0;
    }
    node->length = end;
    result = block_zero(node, old, end - old, BLOCK_MAY_UNMAP);
    node->length = old;
    return result == 0 ? qcow2_commit(q) : result;
}

static int grow(Qcow2 *q, uint64_t length)
{
    unsigned span = q->cluster_bits + q->l2_bits;
    uint64_t entries = (length + (UINT64_C(1) << span) - 1) >> span;
    Qcow2Header header = q->header;
    int result = 0;

    if (length > INT64_MAX / 2 || entries * sizeof(uint64_t) > QCOW2_MAX_L1_BYTES) {
        return -EFBIG;
    }
    if (entries > q->l1.size) {
        header.l1_size = entries;
        result = move_table(q, &q->l1, entries, &header, &header.l1_table_offset);
    }
    if (result == 0) {
        result = hide_backing(q, length);
    }
    header = q->header;
    header.size = length;
    return result == 0 ? qcow2_switch_header(q, &header) : result;
}

int qcow2_resize(BlockNode *node, uint64_t length)
{
    Qcow2 *q = qcow2_of(node);
    int result;

    result = qcow2_resize_bitmaps(q, length);
    if (result == -ENOTSUP) {
        return result;
    }
    if (result == 0 && q->external) {
        result = block_resize(q->data, length);
    }
    if (result == 0) {
        result = length < node->length ? shrink(q, length) : grow(q, length);
    }
    if (result < 0) {
        qcow2_unresize_bitmaps(q, length);
        return result;
    }
    node->length = length;
    return qcow2_store_bitmaps(q);
}
