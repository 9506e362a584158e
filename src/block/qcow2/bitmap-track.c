/* Bitmaps while the disk changes: marked as in use, kept in memory, stored at the end. */
#include <errno.h>
#include <string.h>

#include "block/qcow2/bitmap.h"

static bool is_right(const Qcow2Bitmap *b)
{
    return b->ours || !(b->flags & QCOW2_BITMAP_IN_USE);
}

int qcow2_begin_bitmaps(Qcow2 *q, bool all)
{
    bool any = false;

    for (unsigned i = 0; q->bitmaps && i < q->bitmaps->len; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        if (is_right(b) && !b->ours && (all || b->flags & QCOW2_BITMAP_AUTO)) {
            b->flags |= QCOW2_BITMAP_IN_USE;
            b->ours = any = true;
        }
    }
    return any ? qcow2_write_bitmap_flags(q) : 0;
}

/* Bits from `from` to `to` of a cluster. */
static void set_bits(uint8_t *bits, uint64_t from, uint64_t to)
{
    for (; from < to && from % 8 != 0; from++) {
        bits[from / 8] |= 1u << from % 8;
    }
    if (to - from >= 8) {
        memset(bits + from / 8, 0xff, (to - from) / 8);
        from += (to - from) & ~UINT64_C(7);
    }
    for (; from < to; from++) {
        bits[from / 8] |= 1u << from % 8;
    }
}

int qcow2_set_bitmap(Qcow2 *q, Qcow2Bitmap *b, uint64_t at, uint64_t length)
{
    uint64_t per_cluster = (uint64_t)q->cluster_size * 8;
    uint64_t from = at >> b->granularity_bits;
    uint64_t end = ((at + length - 1) >> b->granularity_bits) + 1;
    int result = 0;

    for (uint64_t next; from < end && result == 0; from = next) {
        uint8_t *bits;

        next = MIN(end, (from / per_cluster + 1) * per_cluster);
        result = qcow2_bitmap_bits(q, b, from / per_cluster, &bits);
        if (result == 0) {
            set_bits(bits, from % per_cluster, (next - 1) % per_cluster + 1);
        }
    }
    return result;
}

int qcow2_touch(BlockNode *node, uint64_t at, uint64_t length)
{
    Qcow2 *q = qcow2_of(node);
    int result;

    co_mutex_lock(&q->bitmaps_lock);
    result = length ? qcow2_begin_bitmaps(q, false) : 0;
    for (unsigned i = 0; i < q->bitmaps->len && length && result == 0; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        if (b->ours && b->flags & QCOW2_BITMAP_AUTO) {
            result = qcow2_set_bitmap(q, b, at, length);
        }
    }
    co_mutex_unlock(&q->bitmaps_lock);
    return result;
}

/* ---- another length of the disk ---- */

/* What is behind the new end is forgotten, and what is new was not changed. */
static void clear_behind(const Qcow2 *q, Qcow2Bitmap *b, uint64_t length)
{
    uint64_t bits = (length + (UINT64_C(1) << b->granularity_bits) - 1) >> b->granularity_bits;
    uint64_t index = bits / ((uint64_t)q->cluster_size * 8);
    uint64_t last = bits % ((uint64_t)q->cluster_size * 8);
    uint8_t *in_last = index < b->table_size ? b->bits[index] : NULL;

    if (last != 0 && in_last) {
        in_last[last / 8] &= (1u << last % 8) - 1;
        memset(in_last + last / 8 + 1, 0, q->cluster_size - last / 8 - 1);
    }
}

static int resize_table(Qcow2 *q, Qcow2Bitmap *b, uint64_t length)
{
    uint32_t size = qcow2_bitmap_table_size(q, b->granularity_bits, length);
    uint32_t kept = MIN(size, b->table_size); /* with the last one in memory */
    uint64_t old_bytes = b->table_size * sizeof(uint64_t);
    uint8_t *bits;
    int result = kept ? qcow2_bitmap_bits(q, b, kept - 1, &bits) : qcow2_bitmap_table(q, b);

    if (result < 0) {
        return result;
    }
    b->bits = b->bits ? b->bits : g_new0(uint8_t *, b->table_size);
    for (uint32_t i = size; i < b->table_size; i++) {
        g_free(b->bits[i]);
        qcow2_free_bitmap_place(q, b->table[i], 1);
    }
    if (size != b->table_size) {
        b->table = g_renew(uint64_t, b->table, MAX(size, 1));
        b->bits = g_renew(uint8_t *, b->bits, MAX(size, 1));
        memset(b->table + kept, 0, (size - kept) * sizeof(uint64_t));
        memset(b->bits + kept, 0, (size - kept) * sizeof(uint8_t *));
        qcow2_free_bitmap_place(
            q, b->table_offset, qcow2_align_up(q, old_bytes) >> q->cluster_bits);
        b->table_offset = 0; /* a new one is made when it is stored */
        b->table_size = size;
    }
    clear_behind(q, b, MIN(length, q->node->length));
    return 0;
}

int qcow2_resize_bitmaps(Qcow2 *q, uint64_t length)
{
    int result = q->bitmaps && q->bitmaps->len > 0 && length == 0
        ? -ENOTSUP /* no table could be of that size */
        : qcow2_begin_bitmaps(q, true);

    for (unsigned i = 0; q->bitmaps && i < q->bitmaps->len && result == 0; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        result = b->ours ? resize_table(q, b, length) : 0;
    }
    return result;
}

void qcow2_unresize_bitmaps(Qcow2 *q, uint64_t length)
{
    uint64_t end = q->node->length;
    bool any = q->bitmaps && q->bitmaps->len > 0;
    int result = any ? qcow2_resize_bitmaps(q, end) : 0;

    if (any && result == 0 && length < end) {
        result = qcow2_touch(q->node, length, end - length); /* what was forgotten */
    }
    for (unsigned i = 0; q->bitmaps && i < q->bitmaps->len && result < 0; i++) {
        ((Qcow2Bitmap *)g_ptr_array_index(q->bitmaps, i))->ours = false; /* it stays in use */
    }
}

/* ---- storing ---- */

void qcow2_free_bitmap_place(Qcow2 *q, uint64_t entry, uint64_t clusters)
{
    uint64_t first = (entry & QCOW2_OFFSET_MASK) >> q->cluster_bits;

    for (uint64_t i = 0; first != 0 && i < clusters; i++) {
        uint64_t cluster = first + i;

        g_array_append_val(q->bitmap_frees, cluster);
    }
}

void qcow2_apply_bitmap_frees(Qcow2 *q)
{
    g_array_append_vals(q->to_free, q->bitmap_frees->data, q->bitmap_frees->len);
    g_array_set_size(q->bitmap_frees, 0);
}

static bool is_filled(const uint8_t *bits, size_t length, uint8_t with)
{
    return bits[0] == with && memcmp(bits, bits + 1, length - 1) == 0;
}

/* An entry for bits that are in memory; those of one kind need no place. */
static int place_bits(Qcow2 *q, Qcow2Bitmap *b, uint32_t index)
{
    uint64_t old = b->table[index] & QCOW2_OFFSET_MASK, offset = old;
    int result = 0;

    if (is_filled(b->bits[index], q->cluster_size, 0)) {
        b->table[index] = 0;
        qcow2_free_bitmap_place(q, old, 1);
        return 0;
    }
    if (!old) {
        result = refcount_allocate(q, 1, &offset);
    }
    b->table[index] = result == 0 ? offset : b->table[index];
    return result;
}

static int place(Qcow2 *q, Qcow2Bitmap *b, bool *moved)
{
    uint64_t bytes = b->table_size * sizeof(uint64_t);
    int result = 0;

    for (uint32_t i = 0; b->bits && i < b->table_size && result == 0; i++) {
        result = b->bits[i] ? place_bits(q, b, i) : 0;
    }
    if (result == 0 && b->table && b->table_offset == 0 && bytes > 0) {
        *moved = true;
        result = refcount_allocate(
            q, qcow2_align_up(q, bytes) >> q->cluster_bits, &b->table_offset);
    }
    return result;
}

static int write_bits(Qcow2 *q, const Qcow2Bitmap *b)
{
    int result = 0;

    for (uint32_t i = 0; b->bits && i < b->table_size && result == 0; i++) {
        if (b->bits[i] && b->table[i] & QCOW2_OFFSET_MASK) {
            result = block_write(q->file, b->table[i], b->bits[i], q->cluster_size, 0);
        }
    }
    return result;
}

static int write_table(Qcow2 *q, const Qcow2Bitmap *b)
{
    g_autofree uint64_t *table = g_new(uint64_t, MAX(b->table_size, 1));

    for (uint32_t i = 0; b->table && i < b->table_size; i++) {
        table[i] = GUINT64_TO_BE(b->table[i]);
    }
    return b->table
        ? block_write(q->file, b->table_offset, table, b->table_size * sizeof(uint64_t), 0)
        : 0;
}

static int write_each(Qcow2 *q, int (*write)(Qcow2 *q, const Qcow2Bitmap *b))
{
    int result = 0;

    for (unsigned i = 0; i < q->bitmaps->len && result == 0; i++) {
        const Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        result = b->ours ? write(q, b) : 0;
    }
    return result;
}

static int store_all(Qcow2 *q, bool *moved)
{
    int result = 0;

    co_mutex_lock(&q->lock);
    for (unsigned i = 0; i < q->bitmaps->len && result == 0; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        result = b->ours ? place(q, b, moved) : 0;
    }
    co_mutex_unlock(&q->lock);
    if (result == 0) {
        result = qcow2_commit(q);
    }
    if (result == 0) {
        result = write_each(q, write_bits);
    }
    /* A table may be where it was: it refers to nothing that is not there, and counted. */
    if (result == 0) {
        result = block_flush(q->file);
    }
    return result == 0 ? write_each(q, write_table) : result;
}

int qcow2_store_bitmaps(Qcow2 *q)
{
    bool any = false, moved = false;
    int result;

    for (unsigned i = 0; q->bitmaps && i < q->bitmaps->len; i++) {
        any |= ((Qcow2Bitmap *)g_ptr_array_index(q->bitmaps, i))->ours;
    }
    if (!any) {
        return 0;
    }
    result = store_all(q, &moved);
    if (result < 0) {
        return result;
    }
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        b->flags &= b->ours ? ~(uint32_t)QCOW2_BITMAP_IN_USE : UINT32_MAX;
        b->ours = false;
    }
    result = moved ? qcow2_move_bitmap_directory(q) : qcow2_write_bitmap_flags(q);
    if (result == 0) {
        qcow2_apply_bitmap_frees(q);
    }
    return result;
}
