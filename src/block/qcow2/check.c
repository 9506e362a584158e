/*
 * The check: counts the references to each cluster by following all of them, and compares with
 * the refcounts. Too high is a leak; too low means that a cluster in use may be given away.
 */
#include <errno.h>
#include <string.h>

#include "block/qcow2/bitmap.h"
#include "block/qcow2/header.h"
#include "block/qcow2/qcow2.h"

#define CLUSTERS_MOST (UINT64_C(1) << 30) /* 4 GiB of counters */

typedef struct Check {
    Qcow2 *q;
    BlockCheck *out;
    uint32_t *references;
    uint64_t clusters;
    BlockRepair mend;
    bool repair; /* all of it */
} Check;

/* ---- counting ---- */

/* False when the range cannot be: out of the file, or not at the start of a cluster. */
static bool count(Check *c, uint64_t offset, uint64_t length)
{
    const Qcow2 *q = c->q;
    uint64_t first = offset >> q->cluster_bits;
    uint64_t last = (offset + length - 1) >> q->cluster_bits;

    if (length == 0) {
        return true;
    }
    if (offset > UINT64_MAX - length || last >= c->clusters) {
        c->out->corruptions++;
        return false;
    }
    for (uint64_t i = first; i <= last; i++) {
        c->references[i] += c->references[i] < UINT32_MAX;
    }
    c->out->end = MAX(c->out->end, (last + 1) << q->cluster_bits);
    return true;
}

static bool count_aligned(Check *c, uint64_t offset, uint64_t length)
{
    if (offset & (c->q->cluster_size - 1)) {
        c->out->corruptions++;
        return false;
    }
    return count(c, offset, length);
}

static void count_entry(Check *c, uint64_t entry, uint64_t bitmap, bool active)
{
    uint64_t offset = entry & QCOW2_OFFSET_MASK, length;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_packed_place(c->q, entry, &offset, &length);
        /* The last sector may be beyond the end: the field counts whole sectors. */
        count(c, offset,
            MIN(length,
                (c->clusters << c->q->cluster_bits) -
                    MIN(offset, c->clusters << c->q->cluster_bits)));
        c->out->packed += active;
        c->out->allocated += active;
        return;
    }
    if (offset != 0 && !c->q->external) {
        count_aligned(c, offset, c->q->cluster_size);
    }
    c->out->allocated += active &&
        (qcow2_has_subclusters(c->q) ? (uint32_t)bitmap != 0 : offset && !(entry & QCOW2_ZERO));
}

static void count_l2(Check *c, uint64_t table, bool active)
{
    Qcow2 *q = c->q;

    for (uint64_t at = 0; at < q->cluster_size; at += q->meta.page_size) {
        MetaPage *page;

        if (meta_get(q, META_L2, table + at, &page) < 0) {
            c->out->errors++;
            return;
        }
        for (unsigned i = 0; i < q->meta.page_size / q->entry_size; i++) {
            uint64_t bitmap,
                entry = l2_entry_load(q, page, (uint64_t)i << q->cluster_bits, &bitmap);

            count_entry(c, entry, bitmap, active);
        }
    }
}

static void count_l1(Check *c, const uint64_t *entries, uint64_t offset, uint32_t size, bool active)
{
    if (!count_aligned(c, offset, size * sizeof(uint64_t))) {
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint64_t table = entries[i] & QCOW2_OFFSET_MASK;

        if (table != 0 && count_aligned(c, table, c->q->cluster_size)) {
            count_l2(c, table, active);
        }
    }
}

static void count_snapshot(Check *c, const Qcow2Snapshot *s)
{
    g_autofree uint64_t *entries = g_try_new(uint64_t, MAX(s->l1_size, 1));

    if (!entries ||
        block_read(c->q->file, s->l1_offset, entries, s->l1_size * sizeof(uint64_t)) < 0) {
        c->out->errors++;
        return;
    }
    for (uint32_t i = 0; i < s->l1_size; i++) {
        entries[i] = GUINT64_FROM_BE(entries[i]);
    }
    count_l1(c, entries, s->l1_offset, s->l1_size, false);
}

static void count_snapshots(Check *c)
{
    Qcow2 *q = c->q;

    if (qcow2_read_snapshots(q) < 0) {
        c->out->errors++;
        return;
    }
    if (q->snapshots->len > 0) {
        count_aligned(c, q->header.snapshots_offset, q->snapshots_bytes);
    }
    for (unsigned i = 0; i < q->snapshots->len; i++) {
        count_snapshot(c, g_ptr_array_index(q->snapshots, i));
    }
}

static void count_refcounts(Check *c)
{
    Qcow2 *q = c->q;

    count_aligned(c, q->reftable.offset, q->reftable.size * sizeof(uint64_t));
    for (uint32_t i = 0; i < q->reftable.size; i++) {
        uint64_t block = q->reftable.entries[i] & QCOW2_REFTABLE_MASK;

        if (block != 0 && !count_aligned(c, block, q->cluster_size)) {
            c->out->corruptions_fixed += c->repair; /* another one takes its place */
        }
    }
}

/* Counts that lie in a cluster which is something else, too, would be overwritten with it. */
static void check_blocks(Check *c)
{
    Qcow2 *q = c->q;

    for (uint32_t i = 0; i < q->reftable.size; i++) {
        uint64_t cluster = (q->reftable.entries[i] & QCOW2_REFTABLE_MASK) >> q->cluster_bits;

        if (cluster == 0 || cluster >= c->clusters || c->references[cluster] < 2) {
            continue;
        }
        c->out->corruptions++;
        if (c->repair) {
            c->references[cluster]--;
            c->out->corruptions_fixed++;
            refcount_forget_block(q, i);
        }
    }
}

/* ---- persistent bitmaps ---- */

static void count_bitmap(Check *c, Qcow2Bitmap *b)
{
    if (!count_aligned(c, b->table_offset, b->table_size * sizeof(uint64_t))) {
        return;
    }
    if (qcow2_bitmap_table(c->q, b) < 0) {
        c->out->errors++;
        return;
    }
    for (uint32_t i = 0; i < b->table_size; i++) {
        if (b->table[i] & QCOW2_OFFSET_MASK) {
            count_aligned(c, b->table[i] & QCOW2_OFFSET_MASK, c->q->cluster_size);
        }
    }
}

static void count_bitmaps(Check *c)
{
    if (c->q->bitmap_count == 0) {
        return;
    }
    if (!count_aligned(c, c->q->bitmap_directory, c->q->bitmap_directory_size) ||
        qcow2_read_bitmaps(c->q) < 0) {
        c->out->errors++;
        return;
    }
    for (unsigned i = 0; i < c->q->bitmaps->len; i++) {
        count_bitmap(c, g_ptr_array_index(c->q->bitmaps, i));
    }
}

/* ---- comparing ---- */

static void compare_cluster(Check *c, uint64_t cluster)
{
    uint64_t references = cluster < c->clusters ? c->references[cluster] : 0, stored;
    bool fixed = false;

    if (c->repair && references > 0) {
        refcount_provide(c->q, cluster);
    }
    if (refcount_get(c->q, cluster, &stored) < 0) {
        c->out->errors++;
        return;
    }
    if (stored == references) {
        return;
    }
    /* What a table that could not be read refers to only looks like a leak. */
    if (stored > references ? c->mend != REPAIR_NOTHING && c->out->errors == 0 : c->repair) {
        fixed = refcount_set(c->q, cluster, references) == 0;
    }
    if (stored > references) {
        c->out->leaks++;
        c->out->leaks_fixed += fixed;
    } else {
        c->out->corruptions++;
        c->out->corruptions_fixed += fixed;
    }
}

/*
 * What was counted when the power failed may not have been written, so that the file ends before it. The block of
 * counts that the last cluster is in is looked at to its end: a later one would make the file longer by itself.
 * That comes first, since a repair puts new blocks there.
 */
static void compare_all(Check *c)
{
    uint64_t in_block = UINT64_C(1) << c->q->refblock_bits;
    uint64_t end = (c->clusters + in_block - 1) & -in_block, stored;

    for (uint64_t i = c->clusters; i < end && refcount_get(c->q, i, &stored) == 0; i++) {
        compare_cluster(c, i);
    }
    for (uint64_t i = 0; i < c->clusters; i++) {
        compare_cluster(c, i);
    }
}

/* The flag says "exactly one reference", and a writer that trusts it overwrites in place. */
static uint64_t right_flag(Check *c, uint64_t entry)
{
    uint64_t cluster = (entry & QCOW2_OFFSET_MASK) >> c->q->cluster_bits;
    bool alone = cluster < c->clusters && c->references[cluster] == 1;

    return alone || c->q->external ? entry | QCOW2_COPIED : entry & ~QCOW2_COPIED;
}

static void check_flags_of_page(Check *c, MetaPage *page)
{
    Qcow2 *q = c->q;

    for (unsigned i = 0; i < q->meta.page_size / q->entry_size; i++) {
        uint64_t at = (uint64_t)i << q->cluster_bits, bitmap;
        uint64_t entry = l2_entry_load(q, page, at, &bitmap);
        bool has_cluster = entry & QCOW2_OFFSET_MASK && !(entry & QCOW2_COMPRESSED);

        if (has_cluster && entry & QCOW2_COPIED && right_flag(c, entry) != entry) {
            c->out->corruptions++;
            if (c->repair) {
                l2_entry_store(q, page, at, right_flag(c, entry), bitmap);
                c->out->corruptions_fixed++;
            }
        }
    }
}

static void check_flags(Check *c)
{
    Qcow2 *q = c->q;

    for (uint32_t i = 0; i < q->l1.size; i++) {
        uint64_t table = q->l1.entries[i] & QCOW2_OFFSET_MASK;
        MetaPage *page;

        for (uint64_t at = 0; table != 0 && at < q->cluster_size; at += q->meta.page_size) {
            if (meta_get(q, META_L2, table + at, &page) == 0) {
                check_flags_of_page(c, page);
            }
        }
    }
}

/* ---- the whole ---- */

static void check_all(Check *c)
{
    Qcow2 *q = c->q;

    count(c, 0, q->cluster_size);
    count_l1(c, q->l1.entries, q->l1.offset, q->l1.size, true);
    count_snapshots(c);
    count_refcounts(c);
    count_bitmaps(c);
    if (q->crypt.header_length > 0) {
        count_aligned(c, q->crypt.header, q->crypt.header_length);
    }
    check_blocks(c);
    compare_all(c);
    check_flags(c);
}

static int clear_marks(Qcow2 *q)
{
    uint64_t marks = QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT;

    if (!(q->header.incompatible_features & marks)) {
        return 0;
    }
    q->header.incompatible_features &= ~marks;
    return qcow2_write_header(q);
}

/* What was mended is written in the order of any other change, the marks only after it. */
static int finish_repair(Check *c)
{
    Qcow2 *q = c->q;
    int result = qcow2_commit(q);

    q->free_hint = 0;
    if (result == 0) {
        result = block_flush(q->file);
    }
    if (result == 0 && c->out->errors == 0 && c->out->corruptions == c->out->corruptions_fixed) {
        result = clear_marks(q);
    }
    return result;
}

int qcow2_check(BlockNode *node, BlockCheck *out, BlockRepair repair)
{
    Qcow2 *q = qcow2_of(node);
    Check c = { .q = q, .out = out, .mend = repair, .repair = repair == REPAIR_ALL };
    int result = qcow2_need_reftable(q);

    if (result == 0) {
        result = qcow2_commit(q);
    }
    if (result < 0) {
        return result;
    }
    c.clusters = qcow2_align_up(q, q->file->length) >> q->cluster_bits;
    c.references = c.clusters > CLUSTERS_MOST ? NULL : g_try_new0(uint32_t, c.clusters);
    if (!c.references) {
        return -EFBIG;
    }
    out->clusters = qcow2_align_up(q, node->length) >> q->cluster_bits;
    co_mutex_lock(&q->lock);
    check_all(&c);
    co_mutex_unlock(&q->lock);
    g_free(c.references);
    return repair != REPAIR_NOTHING ? finish_repair(&c) : 0;
}
