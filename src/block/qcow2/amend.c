/* Changes of what an image is: the image it is based on, its version, how it counts references. */
#include <errno.h>
#include <string.h>

#include "block/bytes.h"
#include "block/qcow2/header.h"
#include "block/qcow2/qcow2.h"

enum { SECTOR = 512 };

/* ---- a new header ---- */

static void put_extension(GByteArray *out, uint32_t type, const void *data, uint32_t length)
{
    static const uint8_t padding[8];
    uint8_t head[8];

    store_be(head, 4, type);
    store_be(head + 4, 4, length);
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, data, length);
    g_byte_array_append(out, padding, -length & 7);
}

/* The extensions that the image has, but for those that are made anew. */
static void keep_extensions(const Qcow2 *q, const uint8_t *cluster, GByteArray *out)
{
    uint64_t name = q->header.backing_file_offset;
    uint64_t end = name ? MIN(name, q->cluster_size) : q->cluster_size;

    for (uint64_t at = q->header.header_length; at + 8 <= end;) {
        uint32_t type = load_be(cluster + at, 4), length = load_be(cluster + at + 4, 4);

        if (type == 0 || length > end - at - 8) {
            break;
        }
        if (type != QCOW2_EXT_BACKING_FORMAT && type != QCOW2_EXT_BITMAPS) {
            put_extension(out, type, cluster + at + 8, length);
        }
        at += 8 + (((uint64_t)length + 7) & ~UINT64_C(7));
    }
}

/* Near the start: what is within the first sector changes at once. */
static void put_bitmaps(const Qcow2 *q, GByteArray *out)
{
    uint8_t data[24] = { 0 };

    if (q->bitmap_count > 0) {
        store_be(data, 4, q->bitmap_count);
        store_be(data + 8, 8, q->bitmap_directory_size);
        store_be(data + 16, 8, q->bitmap_directory);
        put_extension(out, QCOW2_EXT_BITMAPS, data, sizeof(data));
    }
}

/* A place for a name that is not where the old one is, if there is room for both. */
static uint64_t place_name(const Qcow2 *q, uint64_t at, uint64_t length)
{
    uint64_t old = q->header.backing_file_offset, old_end = old + q->header.backing_file_size;
    bool overlap = at < old_end && old < at + length;

    return overlap && old_end + length <= q->cluster_size ? old_end : at;
}

static GByteArray *build(
    const Qcow2 *q, Qcow2Header *h, const uint8_t *cluster, const char *backing, const char *format)
{
    GByteArray *out = g_byte_array_new();
    uint32_t known = MIN(h->header_length, sizeof(*h));

    g_byte_array_append(out, (const uint8_t *)h, known);
    g_byte_array_append(out, cluster + known, h->header_length - known); /* of a later version */
    if (backing && format) {
        put_extension(out, QCOW2_EXT_BACKING_FORMAT, format, strlen(format));
    }
    put_bitmaps(q, out);
    keep_extensions(q, cluster, out);
    put_extension(out, 0, "", 0);
    h->backing_file_size = backing ? strlen(backing) : 0;
    h->backing_file_offset = backing ? place_name(q, out->len, h->backing_file_size) : 0;
    return out;
}

/* What lies behind the first sector is written first, and the sector last. */
static int write_parts(Qcow2 *q, const uint8_t *cluster)
{
    int result = block_write(q->file, SECTOR, cluster + SECTOR, q->cluster_size - SECTOR, 0);

    if (result == 0) {
        result = block_flush(q->file);
    }
    if (result == 0) {
        result = block_write(q->file, 0, cluster, SECTOR, 0);
    }
    return result == 0 ? block_flush(q->file) : result;
}

int qcow2_rewrite_header(
    Qcow2 *q, const Qcow2Header *wanted, const char *backing, const char *backing_format)
{
    g_autofree uint8_t *cluster = g_malloc0(q->cluster_size);
    g_autoptr(GByteArray) bytes = NULL;
    Qcow2Header header = *wanted, swapped;
    int result = block_read(q->file, 0, cluster, MIN(q->cluster_size, q->file->length));

    if (result < 0) {
        return result;
    }
    bytes = build(q, &header, cluster, backing, backing_format);
    if (header.backing_file_offset + header.backing_file_size > q->cluster_size ||
        bytes->len > q->cluster_size || header.backing_file_size > 1023) {
        return -ENAMETOOLONG;
    }
    swapped = header;
    qcow2_header_swap(&swapped);
    memset(cluster, 0, SECTOR); /* behind it the old name may be, which is valid until the end */
    memcpy(cluster, bytes->data, bytes->len);
    memcpy(cluster, &swapped, MIN(header.header_length, sizeof(swapped)));
    if (backing) {
        memcpy(cluster + header.backing_file_offset, backing, header.backing_file_size);
    }
    result = write_parts(q, cluster);
    if (result == 0) {
        q->header = header;
    }
    return result;
}

/* ---- the driver's part ---- */

int qcow2_set_backing(BlockNode *node, const char *path, const char *format)
{
    Qcow2 *q = qcow2_of(node);
    int result = qcow2_commit(q);

    if (result == 0) {
        result = qcow2_rewrite_header(q, &q->header, path, format);
    }
    if (result == 0) {
        g_free(node->backing_path);
        g_free(node->backing_format);
        node->backing_path = g_strdup(path);
        node->backing_format = g_strdup(format);
    }
    return result;
}

const char *const qcow2_amend_options[] = { "compat", "lazy_refcounts", NULL };

/* Version 2 has no features, 16-bit refcounts and no clusters of zeroes. */
static bool can_be_version_2(const Qcow2 *q)
{
    return q->header.version == 2;
}

bool qcow2_amend(BlockNode *node, const BlockCreate *options, GError **error)
{
    Qcow2 *q = qcow2_of(node);
    Qcow2Header header = q->header;
    const char *compat = block_create_option(
        options, "compat", q->header.version == 2 ? "0.10" : "1.1");
    bool lazy, had_lazy = header.compatible_features & QCOW2_COMPAT_LAZY;
    bool old = strcmp(compat, "0.10") == 0 || strcmp(compat, "v2") == 0;
    int result;

    if (!block_create_switch(options, "lazy_refcounts", had_lazy, &lazy, error)) {
        return false;
    }
    if ((!old && strcmp(compat, "1.1") != 0 && strcmp(compat, "v3") != 0) ||
        (old && (lazy || !can_be_version_2(q)))) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "`%s` becomes compat 1.1 (v3), which alone has lazy_refcounts; there is no way back",
            node->name);
        return false;
    }
    if (!old && header.version == 2) {
        header.version = 3;
        header.refcount_order = 4;
        header.header_length = QCOW2_V3_HEADER;
    }
    header.compatible_features &= ~(uint64_t)QCOW2_COMPAT_LAZY;
    header.compatible_features |= lazy ? QCOW2_COMPAT_LAZY : 0;
    result = qcow2_commit(q);
    if (result == 0) {
        result = qcow2_rewrite_header(q, &header, node->backing_path, node->backing_format);
    }
    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be written: %s", node->name,
            g_strerror(-result));
    }
    return result == 0;
}
