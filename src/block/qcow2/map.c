/* From guest offsets to places in the file. */
#include <errno.h>
#include <string.h>

#include "block/qcow2/qcow2.h"

/* ---- entries ---- */

static uint64_t index_in_table(const Qcow2 *q, uint64_t at)
{
    return at >> q->cluster_bits & ((UINT64_C(1) << q->l2_bits) - 1);
}

static uint8_t *entry_of(const Qcow2 *q, const MetaPage *page, uint64_t at)
{
    return page->data + (index_in_table(q, at) * q->entry_size) % q->meta.page_size;
}

uint64_t l2_entry_load(const Qcow2 *q, const MetaPage *page, uint64_t at, uint64_t *bitmap)
{
    uint64_t words[2];

    memcpy(words, entry_of(q, page, at), q->entry_size);
    *bitmap = qcow2_has_subclusters(q) ? GUINT64_FROM_BE(words[1]) : 0;
    return GUINT64_FROM_BE(words[0]);
}

void l2_entry_store(Qcow2 *q, MetaPage *page, uint64_t at, uint64_t entry, uint64_t bitmap)
{
    uint64_t words[2] = { GUINT64_TO_BE(entry), GUINT64_TO_BE(bitmap) };

    memcpy(entry_of(q, page, at), words, q->entry_size);
    meta_dirty(q, page);
}

int l2_find(Qcow2 *q, uint64_t at, MetaPage **page)
{
    uint64_t l1_index = at >> (q->cluster_bits + q->l2_bits);
    uint64_t table;

    *page = NULL;
    if (l1_index >= q->l1.size) {
        return -EIO;
    }
    table = q->l1.entries[l1_index] & QCOW2_OFFSET_MASK;
    if (table == 0) {
        return 0;
    }
    if (table & (q->cluster_size - 1)) {
        return -EIO;
    }
    return meta_get(q, META_L2, table + index_in_table(q, at) * q->entry_size, page);
}

/* ---- what a subcluster is ---- */

static ExtentKind kind_of(const Qcow2 *q, uint64_t entry, uint64_t bitmap, unsigned sub)
{
    if (entry & QCOW2_COMPRESSED) {
        return EXTENT_PACKED;
    }
    if (qcow2_has_subclusters(q)) {
        return bitmap >> (32 + sub) & 1 ? EXTENT_ZERO
            : bitmap >> sub & 1         ? EXTENT_DATA
                                        : EXTENT_BACKING;
    }
    if (q->header.version >= 3 && entry & QCOW2_ZERO) {
        return EXTENT_ZERO;
    }
    return qcow2_is_plain(q, entry) ? EXTENT_DATA : EXTENT_BACKING;
}

/* The extent of one subcluster, from `at` to its end. */
static int describe(const Qcow2 *q, const MetaPage *page, uint64_t at, Extent *out)
{
    uint64_t in_cluster = at & (q->cluster_size - 1);
    uint64_t sub_size = UINT64_C(1) << q->sub_bits;
    uint64_t bitmap, entry = l2_entry_load(q, page, at, &bitmap);
    uint64_t host = entry & QCOW2_OFFSET_MASK;

    *out = (Extent){ .kind = kind_of(q, entry, bitmap, in_cluster >> q->sub_bits),
        .child = q->data_child,
        .length = sub_size - (at & (sub_size - 1)) };
    if (out->kind == EXTENT_PACKED) {
        out->cookie = entry;
        out->skip = in_cluster;
        out->length = q->cluster_size - in_cluster;
        return 0;
    }
    if (out->kind == EXTENT_DATA) {
        if (host & (q->cluster_size - 1) || (host == 0 && !q->external) ||
            host >= q->data->length) {
            return -EIO; /* damaged, or cut off */
        }
        out->offset = host + in_cluster;
        out->writable = entry & QCOW2_COPIED;
        if (q->crypt.legacy) {
            out->kind = EXTENT_PACKED;
            out->encrypted = true;
            out->cookie = at;
        }
    }
    return 0;
}

static bool continues(const Extent *one, const Extent *next)
{
    return one->kind == next->kind && one->kind != EXTENT_PACKED &&
        one->writable == next->writable &&
        (one->kind != EXTENT_DATA || one->offset + one->length == next->offset);
}

/* Bytes from `at` to the end of what one page of the L2 table describes. */
static uint64_t page_span(const Qcow2 *q, uint64_t at)
{
    uint64_t entries = q->meta.page_size / q->entry_size;
    uint64_t span = entries << q->cluster_bits;

    return span - (at & (span - 1));
}

static int map_locked(Qcow2 *q, uint64_t at, uint64_t length, Extent *out)
{
    MetaPage *page;
    int result = l2_find(q, at, &page);

    length = MIN(length, page_span(q, at));
    if (result < 0) {
        return result;
    }
    if (!page) {
        *out = (Extent){ .kind = EXTENT_BACKING, .length = length };
        return 0;
    }
    result = describe(q, page, at, out);
    while (result == 0 && out->length < length) {
        Extent next;

        result = describe(q, page, at + out->length, &next);
        if (result < 0 || !continues(out, &next)) {
            result = 0;
            break;
        }
        out->length += next.length;
    }
    out->length = MIN(out->length, length);
    return result;
}

int qcow2_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    Qcow2 *q = qcow2_of(node);
    int result;

    co_mutex_lock(&q->lock);
    result = map_locked(q, at, length, out);
    co_mutex_unlock(&q->lock);
    return result;
}
