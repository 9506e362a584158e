/* What tools do with persistent bitmaps. */
#include <errno.h>
#include <string.h>

#include "block/qcow2/bitmap.h"

enum { DEFAULT_LEAST = 4096, DEFAULT_MOST = 65536 };
#define DATA_MOST (UINT64_C(512) << 20) /* bytes of bits, as other implementations have it */

static bool fine(const Qcow2 *q, int result, GError **error)
{
    return result == 0 ||
        block_refuse(q->node, error, "cannot keep its bitmaps: %s", g_strerror(-result));
}

static bool read_all(Qcow2 *q, GError **error)
{
    return qcow2_read_bitmaps(q) == 0 ||
        block_refuse(q->node, error, "has a directory of bitmaps that is damaged");
}

static bool is_broken(const Qcow2Bitmap *b)
{
    return b->flags & QCOW2_BITMAP_IN_USE && !b->ours;
}

static Qcow2Bitmap *find_any(Qcow2 *q, const char *name, GError **error)
{
    if (!read_all(q, error)) {
        return NULL;
    }
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        if (strcmp(b->name, name) == 0) {
            return b;
        }
    }
    block_refuse(q->node, error, "has no bitmap `%s`", name);
    return NULL;
}

static Qcow2Bitmap *find(Qcow2 *q, const char *name, GError **error)
{
    Qcow2Bitmap *b = find_any(q, name, error);

    if (b && is_broken(b)) {
        block_refuse(q->node, error,
            "has the bitmap `%s` that its last writer did not store; it can only be removed", name);
        return NULL;
    }
    if (b && qcow2_bitmap_table(q, b) < 0) {
        block_refuse(q->node, error, "has the bitmap `%s`, which cannot be read", name);
        return NULL;
    }
    return b;
}

static bool list(BlockNode *node, GArray *out, GError **error)
{
    Qcow2 *q = qcow2_of(node);

    if (!read_all(q, error)) {
        return false;
    }
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        const Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);
        BlockBitmap bitmap = {
            .name = b->name,
            .granularity = b->granularity_bits < 64 ? UINT64_C(1) << b->granularity_bits : 0,
            .enabled = b->flags & QCOW2_BITMAP_AUTO,
            .broken = is_broken(b),
        };

        g_array_append_val(out, bitmap);
    }
    return true;
}

/* ---- one more, one less ---- */

static bool check_new(Qcow2 *q, const char *name, uint64_t granularity, GError **error)
{
    if (q->header.version < 3) {
        return block_refuse(
            q->node, error, "is of version 2, which has no bitmaps; amend it to compat=1.1");
    }
    if (q->node->length == 0) {
        return block_refuse(q->node, error, "is an empty disk, of which nothing can be recorded");
    }
    if (name[0] == '\0' || strlen(name) > QCOW2_BITMAP_NAME_MOST) {
        return block_refuse(
            q->node, error, "needs a name of 1 to %d bytes for a bitmap", QCOW2_BITMAP_NAME_MOST);
    }
    if (granularity & (granularity - 1) || granularity < 1u << QCOW2_BITMAP_BITS_LEAST ||
        granularity > UINT64_C(1) << QCOW2_BITMAP_BITS_MOST ||
        (q->node->length / granularity) / 8 > DATA_MOST) {
        return block_refuse(q->node, error,
            "cannot have a granularity of %" G_GUINT64_FORMAT
            ": a power of two from 512B to 2GiB, so large that its bits take at most 512MiB",
            granularity);
    }
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        if (strcmp(((Qcow2Bitmap *)g_ptr_array_index(q->bitmaps, i))->name, name) == 0) {
            return block_refuse(q->node, error, "has a bitmap `%s` already", name);
        }
    }
    return q->bitmaps->len < QCOW2_BITMAPS_MOST ||
        block_refuse(q->node, error, "has too many bitmaps");
}

/* It is empty, and stored at once: its directory has to move, as it becomes longer. */
static bool add(BlockNode *node, const char *name, uint64_t granularity, GError **error)
{
    Qcow2 *q = qcow2_of(node);
    Qcow2Bitmap *b;

    granularity = granularity ? granularity : CLAMP(q->cluster_size, DEFAULT_LEAST, DEFAULT_MOST);
    if (!read_all(q, error) || !check_new(q, name, granularity, error)) {
        return false;
    }
    b = g_new0(Qcow2Bitmap, 1);
    b->name = g_strdup(name);
    b->type = QCOW2_BITMAP_DIRTY_TYPE;
    b->granularity_bits = __builtin_ctzll(granularity);
    b->flags = QCOW2_BITMAP_AUTO | QCOW2_BITMAP_IN_USE;
    b->ours = true;
    b->table_size = qcow2_bitmap_table_size(q, b->granularity_bits, node->length);
    b->table = g_new0(uint64_t, MAX(b->table_size, 1));
    g_ptr_array_add(q->bitmaps, b);
    node->tells = true;
    return fine(q, qcow2_store_bitmaps(q), error);
}

/* Let go of once nothing on stable storage refers to it. */
static void release(Qcow2 *q, const Qcow2Bitmap *b)
{
    uint64_t bytes = b->table_size * sizeof(uint64_t);

    if (!b->table) {
        return; /* it cannot be read: a check finds what it leaves */
    }
    for (uint32_t i = 0; i < b->table_size; i++) {
        qcow2_free_bitmap_place(q, b->table[i], 1);
    }
    qcow2_free_bitmap_place(q, b->table_offset, qcow2_align_up(q, bytes) >> q->cluster_bits);
}

static bool remove_one(BlockNode *node, const char *name, GError **error)
{
    Qcow2 *q = qcow2_of(node);
    Qcow2Bitmap *b = find_any(q, name, error);
    unsigned index;
    int result;

    if (!b) {
        return false;
    }
    qcow2_bitmap_table(q, b);
    g_ptr_array_find(q->bitmaps, b, &index);
    g_ptr_array_steal_index(q->bitmaps, index);
    result = qcow2_move_bitmap_directory(q);
    if (result == 0) {
        release(q, b);
        qcow2_apply_bitmap_frees(q);
        result = qcow2_commit(q);
    }
    qcow2_bitmap_free(b);
    return fine(q, result, error);
}

/* ---- what they say ---- */

static bool clear(BlockNode *node, const char *name, GError **error)
{
    Qcow2 *q = qcow2_of(node);
    Qcow2Bitmap *b = find(q, name, error);

    if (!b || !fine(q, qcow2_begin_bitmaps(q, true), error)) {
        return false;
    }
    for (uint32_t i = 0; i < b->table_size; i++) {
        qcow2_free_bitmap_place(q, b->table[i], 1);
        b->table[i] = 0;
        if (b->bits) {
            g_clear_pointer(&b->bits[i], g_free);
        }
    }
    return true;
}

static bool enable(BlockNode *node, const char *name, bool on, GError **error)
{
    Qcow2 *q = qcow2_of(node);
    Qcow2Bitmap *b = find(q, name, error);

    if (!b) {
        return false;
    }
    b->flags &= ~(uint32_t)QCOW2_BITMAP_AUTO;
    b->flags |= on ? QCOW2_BITMAP_AUTO : 0;
    return fine(q, qcow2_write_bitmap_flags(q), error);
}

/* From bit `bit` on: what it says, and the first bit that says something else. */
static int run_of_bits(Qcow2 *q, Qcow2Bitmap *b, uint64_t bit, uint64_t *end, bool *set)
{
    uint64_t per_cluster = (uint64_t)q->cluster_size * 8, index = bit / per_cluster;
    uint64_t limit = (index + 1) * per_cluster;
    uint8_t *bits;
    int result;

    if ((!b->bits || !b->bits[index]) && !(b->table[index] & QCOW2_OFFSET_MASK)) {
        *set = b->table[index] & 1;
        *end = limit;
        return 0;
    }
    result = qcow2_bitmap_bits(q, b, index, &bits);
    if (result < 0) {
        return result;
    }
    *set = bits[bit % per_cluster / 8] >> bit % 8 & 1;
    do {
        bit++;
    } while (bit < limit && (bits[bit % per_cluster / 8] >> bit % 8 & 1) == *set);
    *end = bit;
    return 0;
}

static int look_at(Qcow2 *q, Qcow2Bitmap *b, uint64_t at, uint64_t *end, bool *dirty)
{
    uint64_t bit = at >> b->granularity_bits, next = 0;
    int result = run_of_bits(q, b, bit, &next, dirty);

    if (result == 0) {
        *end = next > q->node->length >> b->granularity_bits ? q->node->length
                                                             : next << b->granularity_bits;
    }
    return result;
}

static bool look(
    BlockNode *node, const char *name, uint64_t at, uint64_t *end, bool *dirty, GError **error)
{
    Qcow2 *q = qcow2_of(node);
    Qcow2Bitmap *b = find(q, name, error);

    if (!b) {
        return false;
    }
    if (at >= node->length) {
        return block_refuse(q->node, error, "has no byte %" G_GUINT64_FORMAT, at);
    }
    return fine(q, look_at(q, b, at, end, dirty), error);
}

static bool merge(
    BlockNode *node, const char *name, BlockNode *other, const char *from, GError **error)
{
    Qcow2 *q = qcow2_of(node), *source = qcow2_of(other);
    Qcow2Bitmap *to = find(q, name, error);
    Qcow2Bitmap *b = to ? find(source, from, error) : NULL;
    int result = 0;
    bool dirty;

    if (!b) {
        return false;
    }
    if (other->length != node->length) {
        return block_refuse(q->node, error, "and `%s` are disks of different sizes", other->name);
    }
    if (!fine(q, qcow2_begin_bitmaps(q, true), error)) {
        return false;
    }
    for (uint64_t at = 0, end = 0; at < node->length && result == 0; at = end) {
        result = look_at(source, b, at, &end, &dirty);
        if (result == 0 && dirty) {
            result = qcow2_set_bitmap(q, to, at, end - at);
        }
    }
    return fine(q, result, error);
}

const BlockBitmaps qcow2_bitmaps = {
    .list = list,
    .add = add,
    .remove = remove_one,
    .clear = clear,
    .enable = enable,
    .merge = merge,
    .look = look,
};
