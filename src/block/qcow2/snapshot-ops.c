/*
 * Taking, restoring and deleting internal snapshots. A snapshot is a copy of the L1 table; all that
 * can be reached from it is counted once more. The header, which says how many snapshots there are
 * and where the tables lie, changes in one sector, after refcounts went up and before they go down:
 * so a loss of power leaves an image with the snapshot or without it, and leaks at worst.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/qcow2/bitmap.h"
#include "block/qcow2/header.h"
#include "block/qcow2/qcow2.h"

/* ---- all clusters that an L1 table leads to ---- */

typedef struct Walk {
    int (*visit)(Qcow2 *q, uint64_t cluster);
    uint64_t done; /* visits, until now */
    uint64_t most; /* after so many it ends; 0: never */
} Walk;

enum { WALK_ENDS = 1 };

static int visit_has_room(Qcow2 *q, uint64_t cluster)
{
    uint64_t count;
    int result = refcount_get(q, cluster, &count);

    return result < 0 ? result : count < refcount_most(q) ? 0 : -EOVERFLOW;
}

static int visit_add(Qcow2 *q, uint64_t cluster)
{
    return refcount_add(q, cluster, 1, NULL);
}

static int visit_take_back(Qcow2 *q, uint64_t cluster)
{
    return refcount_add(q, cluster, -1, NULL);
}

static int visit_free(Qcow2 *q, uint64_t cluster)
{
    refcount_free_later(q, cluster << q->cluster_bits, 1);
    return 0;
}

static int visit(Qcow2 *q, uint64_t cluster, Walk *walk)
{
    int result = walk->most && walk->done == walk->most ? WALK_ENDS : walk->visit(q, cluster);

    walk->done += result == 0;
    return result;
}

static int visit_entry(Qcow2 *q, uint64_t entry, Walk *walk)
{
    uint64_t offset = entry & QCOW2_OFFSET_MASK, length = 1;
    int result = 0;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_packed_place(q, entry, &offset, &length);
    } else if (offset == 0) {
        return 0;
    }
    for (uint64_t i = offset >> q->cluster_bits;
         i <= (offset + length - 1) >> q->cluster_bits && result == 0; i++) {
        result = visit(q, i, walk);
    }
    return result;
}

static int visit_page(Qcow2 *q, uint64_t at, Walk *walk)
{
    unsigned count = q->meta.page_size / q->entry_size;
    g_autofree uint64_t *entries = g_new(uint64_t, count);
    MetaPage *page;
    int result = meta_get(q, META_L2, at, &page);

    if (result < 0) {
        return result;
    }
    /* Copied first: visiting needs other pages, which may take this one's place. */
    for (unsigned i = 0; i < count; i++) {
        uint64_t bitmap;

        entries[i] = l2_entry_load(q, page, (uint64_t)i << q->cluster_bits, &bitmap);
    }
    for (unsigned i = 0; i < count && result == 0; i++) {
        result = visit_entry(q, entries[i], walk);
    }
    return result;
}

static int visit_table(Qcow2 *q, uint64_t table, Walk *walk)
{
    int result = table & (q->cluster_size - 1) ? -EIO : visit(q, table >> q->cluster_bits, walk);

    for (uint64_t at = 0; at < q->cluster_size && result == 0; at += q->meta.page_size) {
        result = visit_page(q, table + at, walk);
    }
    return result;
}

static int visit_all(Qcow2 *q, const uint64_t *l1, uint32_t size, Walk *walk)
{
    int result = 0;

    for (uint32_t i = 0; i < size && result == 0; i++) {
        uint64_t table = l1[i] & QCOW2_OFFSET_MASK;

        result = qcow2_lock_with_room(q);
        if (result == 0) {
            result = table ? visit_table(q, table, walk) : 0;
            co_mutex_unlock(&q->lock);
        }
    }
    return result;
}

/*
 * One reference more to all of it. Before that, is there a refcount that cannot be higher? Compressed
 * data shares clusters, so that one may have to rise by more than one: then what was added is taken
 * back.
 */
static int add_references(Qcow2 *q, const uint64_t *l1, uint32_t size)
{
    Walk look = { .visit = visit_has_room }, add = { .visit = visit_add };
    int result = visit_all(q, l1, size, &look);

    if (result == 0) {
        result = visit_all(q, l1, size, &add);
        if (result < 0 && add.done > 0) {
            visit_all(q, l1, size, &(Walk){ .visit = visit_take_back, .most = add.done });
        }
    }
    return result;
}

/* ---- the flags of the active tables, which say what may be overwritten in place ---- */

static int right_flag(Qcow2 *q, uint64_t entry, uint64_t *out)
{
    uint64_t count = 0;
    int result = 0;

    *out = entry;
    if (entry & QCOW2_OFFSET_MASK && !(entry & QCOW2_COMPRESSED)) {
        result = refcount_get(q, (entry & QCOW2_OFFSET_MASK) >> q->cluster_bits, &count);
        *out = count == 1 ? entry | QCOW2_COPIED : entry & ~QCOW2_COPIED;
    }
    return result;
}

static int update_entry(Qcow2 *q, uint64_t table, uint64_t at)
{
    uint64_t entry, wanted, bitmap;
    MetaPage *page;
    int result = meta_get(q, META_L2, table, &page);

    if (result < 0) {
        return result;
    }
    entry = l2_entry_load(q, page, at, &bitmap);
    result = right_flag(q, entry, &wanted);
    if (result == 0 && wanted != entry) {
        result = meta_get(q, META_L2, table, &page);
        if (result == 0) {
            l2_entry_store(q, page, at, wanted, bitmap);
        }
    }
    return result;
}

static int update_table(Qcow2 *q, uint32_t index)
{
    uint64_t entry = q->l1.entries[index], wanted;
    uint64_t table = entry & QCOW2_OFFSET_MASK;
    int result = right_flag(q, entry, &wanted);

    if (result == 0 && wanted != entry) {
        qcow2_set_l1(q, index, wanted);
    }
    for (uint64_t i = 0; table && i < q->cluster_size / q->entry_size && result == 0; i++) {
        result = update_entry(q, table + i * q->entry_size, i << q->cluster_bits);
    }
    return result;
}

static int update_flags(Qcow2 *q)
{
    int result = 0;

    for (uint32_t i = 0; i < q->l1.size && result == 0; i++) {
        result = qcow2_lock_with_room(q);
        if (result == 0) {
            result = update_table(q, i);
            co_mutex_unlock(&q->lock);
        }
    }
    return result < 0 ? result : qcow2_commit(q);
}

/* Refcounts go down when nothing on stable storage refers to them; then flags may say so. */
static int settle(Qcow2 *q)
{
    int result = qcow2_commit(q);

    if (result == 0) {
        result = qcow2_commit(q);
    }
    return result < 0 ? result : update_flags(q);
}

/* ---- tables on disk ---- */

static int allocate(Qcow2 *q, uint64_t bytes, uint64_t *offset)
{
    uint64_t clusters = qcow2_align_up(q, MAX(bytes, 1)) >> q->cluster_bits;
    int result = qcow2_lock_with_room(q);

    if (result == 0) {
        result = refcount_allocate(q, clusters, offset);
        co_mutex_unlock(&q->lock);
    }
    return result;
}

static void give_back(Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    co_mutex_lock(&q->lock);
    refcount_free_later(q, offset, qcow2_align_up(q, MAX(bytes, 1)) >> q->cluster_bits);
    co_mutex_unlock(&q->lock);
}

/* A copy of an L1 table in a new place. */
static int write_l1(Qcow2 *q, const uint64_t *l1, uint32_t size, uint64_t *offset)
{
    g_autofree uint64_t *entries = g_new(uint64_t, MAX(size, 1));
    int result = allocate(q, size * sizeof(uint64_t), offset);

    for (uint32_t i = 0; i < size; i++) {
        entries[i] = GUINT64_TO_BE(l1[i] & ~QCOW2_COPIED);
    }
    return result < 0 ? result : block_write(q->file, *offset, entries, size * 8, 0);
}

/* What the commit writes becomes durable by the flush that comes before the header changes. */
static int write_snapshots(Qcow2 *q)
{
    g_autoptr(GByteArray) bytes = qcow2_snapshot_bytes(q);
    Qcow2Header header = q->header;
    uint64_t old_offset = header.snapshots_offset, old_bytes = q->snapshots_bytes;
    bool had_any = header.nb_snapshots > 0;
    int result = 0;

    header.nb_snapshots = q->snapshots->len;
    header.snapshots_offset = 0;
    if (bytes->len > 0) {
        result = allocate(q, bytes->len, &header.snapshots_offset);
        if (result == 0) {
            result = block_write(q->file, header.snapshots_offset, bytes->data, bytes->len, 0);
        }
    }
    if (result == 0) {
        result = qcow2_commit(q);
    }
    if (result == 0) {
        result = qcow2_switch_header(q, &header);
    }
    if (result == 0) {
        q->snapshots_bytes = bytes->len;
        if (had_any) {
            give_back(q, old_offset, old_bytes);
        }
    }
    return result;
}

/* ---- the operations ---- */

static int prepare(Qcow2 *q)
{
    int result = q->external ? -ENOTSUP : qcow2_commit(q);

    return result < 0 ? result : qcow2_read_snapshots(q);
}

static Qcow2Snapshot *find(Qcow2 *q, const char *name)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < q->snapshots->len; i++) {
            Qcow2Snapshot *s = g_ptr_array_index(q->snapshots, i);

            if (strcmp(pass == 0 ? s->id : s->name, name) == 0) {
                return s;
            }
        }
    }
    return NULL;
}

static Qcow2Snapshot *new_snapshot(Qcow2 *q, const char *name)
{
    Qcow2Snapshot *s = g_new0(Qcow2Snapshot, 1);
    int64_t now = g_get_real_time();
    uint64_t id = 0;

    for (unsigned i = 0; i < q->snapshots->len; i++) {
        Qcow2Snapshot *other = g_ptr_array_index(q->snapshots, i);

        id = MAX(id, g_ascii_strtoull(other->id, NULL, 10));
    }
    s->id = g_strdup_printf("%" G_GUINT64_FORMAT, id + 1);
    s->name = g_strdup(name);
    s->date_sec = now / G_USEC_PER_SEC;
    s->date_nsec = now % G_USEC_PER_SEC * 1000;
    s->disk_size = q->node->length;
    s->icount = UINT64_MAX; /* not known */
    s->l1_size = q->l1.size;
    return s;
}

static int snapshot_create(BlockNode *node, const char *name)
{
    Qcow2 *q = qcow2_of(node);
    int result = prepare(q);
    Qcow2Snapshot *s;

    if (result < 0 || find(q, name) || q->snapshots->len == QCOW2_MAX_SNAPSHOTS) {
        return result < 0 ? result : -EEXIST;
    }
    result = add_references(q, q->l1.entries, q->l1.size);
    if (result < 0) {
        return result;
    }
    s = new_snapshot(q, name);
    g_ptr_array_add(q->snapshots, s);
    result = update_flags(q);
    if (result == 0) {
        result = write_l1(q, q->l1.entries, q->l1.size, &s->l1_offset);
    }
    return result < 0 ? result : write_snapshots(q);
}

static int read_l1(Qcow2 *q, const Qcow2Snapshot *s, uint64_t *entries)
{
    int result = block_read(q->file, s->l1_offset, entries, s->l1_size * sizeof(uint64_t));

    for (uint32_t i = 0; i < s->l1_size; i++) {
        entries[i] = GUINT64_FROM_BE(entries[i]);
    }
    return result;
}

static int snapshot_delete(BlockNode *node, const char *name)
{
    Qcow2 *q = qcow2_of(node);
    int result = prepare(q);
    Qcow2Snapshot *s = result == 0 ? find(q, name) : NULL;
    g_autofree uint64_t *l1 = NULL;
    uint64_t offset;
    uint32_t size;

    if (!s) {
        return result < 0 ? result : -ENOENT;
    }
    offset = s->l1_offset;
    size = s->l1_size;
    l1 = g_try_new(uint64_t, MAX(size, 1));
    result = l1 ? read_l1(q, s, l1) : -ENOMEM;
    if (result == 0) {
        g_ptr_array_remove(q->snapshots, s);
        result = write_snapshots(q);
    }
    if (result == 0) {
        result = visit_all(q, l1, size, &(Walk){ .visit = visit_free });
    }
    if (result == 0) {
        give_back(q, offset, size * sizeof(uint64_t));
        result = settle(q);
    }
    return result;
}

/* Other tables become the active ones, which takes `l1`; what the old ones led to is let go. */
static int switch_tables(Qcow2 *q, uint64_t *l1, uint32_t l1_size, uint64_t disk_size)
{
    Qcow2Header header = q->header;
    Qcow2Table old = q->l1;
    int result = write_l1(q, l1, l1_size, &header.l1_table_offset);

    header.l1_size = l1_size;
    header.size = disk_size;
    if (result == 0) {
        result = qcow2_commit(q);
    }
    if (result == 0) {
        result = qcow2_switch_header(q, &header);
    }
    if (result < 0) {
        g_free(l1);
        return result;
    }
    q->l1 = (Qcow2Table){ .entries = l1, .size = l1_size, .offset = header.l1_table_offset };
    q->node->length = header.size;
    result = visit_all(q, old.entries, old.size, &(Walk){ .visit = visit_free });
    give_back(q, old.offset, old.size * sizeof(uint64_t));
    g_free(old.entries);
    return result < 0 ? result : settle(q);
}

static bool is_large_enough(const Qcow2 *q, const Qcow2Snapshot *s)
{
    unsigned span = q->cluster_bits + q->l2_bits;
    uint64_t size = s->disk_size ? s->disk_size : q->node->length;

    return size <= INT64_MAX && (size + (UINT64_C(1) << span) - 1) >> span <= s->l1_size;
}

/* All of the disk changes, and perhaps its length. */
static int note_in_bitmaps(Qcow2 *q, uint64_t length)
{
    int result = 0;

    if (q->node->tells && length != q->node->length) {
        result = qcow2_resize_bitmaps(q, length);
    }
    return result == 0 && q->node->tells ? qcow2_touch(q->node, 0, length) : result;
}

static int snapshot_apply(BlockNode *node, const char *name)
{
    Qcow2 *q = qcow2_of(node);
    int result = prepare(q);
    Qcow2Snapshot *s = result == 0 ? find(q, name) : NULL;
    uint64_t *l1, size;

    if (!s) {
        return result < 0 ? result : -ENOENT;
    }
    size = s->disk_size ? s->disk_size : q->node->length;
    l1 = is_large_enough(q, s) ? g_try_new(uint64_t, MAX(s->l1_size, 1)) : NULL;
    result = l1 ? read_l1(q, s, l1) : -EIO;
    if (result == 0) {
        result = note_in_bitmaps(q, size);
    }
    if (result == 0) {
        result = add_references(q, l1, s->l1_size);
    }
    if (result == 0) {
        result = switch_tables(q, g_steal_pointer(&l1), s->l1_size, size);
    }
    if (result < 0 && q->node->tells) {
        qcow2_unresize_bitmaps(q, size);
    }
    g_free(l1);
    return result;
}

int qcow2_empty(BlockNode *node)
{
    Qcow2 *q = qcow2_of(node);
    int result = q->external ? -ENOTSUP : qcow2_commit(q);

    return result < 0
        ? result
        : switch_tables(q, g_new0(uint64_t, MAX(q->l1.size, 1)), q->l1.size, node->length);
}

/* The disk as it was, to be read: the active table is never looked at. */
static int snapshot_show(BlockNode *node, const char *name)
{
    Qcow2 *q = qcow2_of(node);
    int result = qcow2_read_snapshots(q);
    Qcow2Snapshot *s = result == 0 ? find(q, name) : NULL;

    if (!s || !is_large_enough(q, s)) {
        return result < 0 ? result : !s ? -ENOENT : -EIO;
    }
    g_free(q->l1.entries);
    q->l1 = (Qcow2Table){ .entries = g_new(uint64_t, MAX(s->l1_size, 1)), .size = s->l1_size };
    q->node->length = s->disk_size ? s->disk_size : q->node->length;
    return read_l1(q, s, q->l1.entries);
}

static int snapshot_list(BlockNode *node, GArray *out)
{
    Qcow2 *q = qcow2_of(node);
    int result = qcow2_read_snapshots(q);

    for (unsigned i = 0; i < q->snapshots->len && result == 0; i++) {
        const Qcow2Snapshot *s = g_ptr_array_index(q->snapshots, i);
        BlockSnapshot about = { .id = s->id,
            .name = s->name,
            .disk_size = s->disk_size,
            .vm_state_size = s->vm_state_size,
            .vm_clock_ns = s->vm_clock_nsec,
            .date_us = s->date_sec * G_USEC_PER_SEC + s->date_nsec / 1000 };

        g_array_append_val(out, about);
    }
    return result;
}

const BlockSnapshots qcow2_snapshots = {
    .list = snapshot_list,
    .create = snapshot_create,
    .apply = snapshot_apply,
    .remove = snapshot_delete,
    .show = snapshot_show,
};
