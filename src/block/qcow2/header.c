#include "block/qcow2/header.h"

#include <errno.h>
#include <string.h>

#include "block/bytes.h"

enum { EXTENSIONS_MOST = 64, EXTENSION_BYTES = 64 * 1024, NAME_MOST = 1023 };

/* Where the numbers of the header are, and how wide. */
static const struct {
    uint8_t offset, width;
} fields[] = {
#define FIELD(name)                                                                                \
    {                                                                                              \
        offsetof(Qcow2Header, name), sizeof(((Qcow2Header *)0)->name)                              \
    }
    FIELD(magic),
    FIELD(version),
    FIELD(backing_file_offset),
    FIELD(backing_file_size),
    FIELD(cluster_bits),
    FIELD(size),
    FIELD(crypt_method),
    FIELD(l1_size),
    FIELD(l1_table_offset),
    FIELD(refcount_table_offset),
    FIELD(refcount_table_clusters),
    FIELD(nb_snapshots),
    FIELD(snapshots_offset),
    FIELD(incompatible_features),
    FIELD(compatible_features),
    FIELD(autoclear_features),
    FIELD(refcount_order),
    FIELD(header_length),
#undef FIELD
};

void qcow2_header_swap(Qcow2Header *header)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        uint8_t *at = (uint8_t *)header + fields[i].offset;

        if (fields[i].width == 8) {
            *(uint64_t *)at = GUINT64_FROM_BE(*(uint64_t *)at);
        } else {
            *(uint32_t *)at = GUINT32_FROM_BE(*(uint32_t *)at);
        }
    }
}

/*
 * What the parts of a header are read from: nearly always they are all in its first bytes, which
 * are read at once, so that a long chain of images is opened quickly.
 */
typedef struct Head {
    Qcow2 *q;
    uint32_t length;
    uint8_t bytes[4096];
} Head;

static int read_head(const Head *head, uint64_t at, void *out, uint64_t length)
{
    if (at > head->length || length > head->length - at) {
        return block_read(head->q->file, at, out, length);
    }
    memcpy(out, head->bytes + at, length);
    return 0;
}

/* ---- checks ---- */

static bool check_version(Qcow2 *q, GError **error)
{
    Qcow2Header *h = &q->header;

    if (h->magic != QCOW2_MAGIC) {
        return block_refuse(q->node, error, "is not a qcow2 image");
    }
    if (h->version != 2 && h->version != 3) {
        return block_refuse(q->node, error, "has qcow2 version %u; known are 2 and 3", h->version);
    }
    if (h->version == 3 && q->file->length < QCOW2_V3_HEADER) {
        return block_refuse(q->node, error, "is cut off within its header");
    }
    if (h->version == 2) {
        h->incompatible_features = h->compatible_features = h->autoclear_features = 0;
        h->refcount_order = 4;
        h->header_length = QCOW2_V2_HEADER;
        h->compression_type = QCOW2_DEFLATE;
    }
    return true;
}

/* What the image itself calls an incompatible feature ("Feature name table"); NULL: nothing. */
static char *feature_name(const Head *head, unsigned bit)
{
    enum { ENTRY = 48, NAME = 46 };
    const Qcow2Header *h = &head->q->header;
    uint64_t at = h->header_length, end = head->length;

    while (at + 8 <= end) {
        uint32_t type = load_be(head->bytes + at, 4), length = load_be(head->bytes + at + 4, 4);

        at += 8;
        if (type == 0 || length > end - at) {
            break;
        }
        for (uint32_t i = 0; type == QCOW2_EXT_FEATURE_NAMES && i + ENTRY <= length; i += ENTRY) {
            const uint8_t *entry = head->bytes + at + i;

            if (entry[0] == 0 && entry[1] == bit) {
                return g_strndup((const char *)entry + 2, NAME);
            }
        }
        at += ((uint64_t)length + 7) & ~UINT64_C(7);
    }
    return NULL;
}

static bool refuse_feature(const Head *head, unsigned bit, GError **error)
{
    g_autofree char *name = feature_name(head, bit);
    g_autofree char *clean = name ? g_strescape(name, NULL) : NULL;

    return block_refuse(head->q->node, error,
        "uses a feature that is not known here: %s (incompatible bit %u)",
        clean ? clean : "without a name", bit);
}

static bool check_features(Qcow2 *q, const Head *head, bool accept_corrupt, GError **error)
{
    uint64_t unknown = q->header.incompatible_features & ~(uint64_t)QCOW2_INCOMPAT_KNOWN;

    if (unknown) {
        return refuse_feature(head, __builtin_ctzll(unknown), error);
    }
    if (q->header.crypt_method > QCOW2_LUKS) {
        return block_refuse(q->node, error,
            "is encrypted by method %u; known are 1 (AES) and 2 (LUKS)", q->header.crypt_method);
    }
    if (q->header.incompatible_features & QCOW2_INCOMPAT_CORRUPT && !q->node->read_only &&
        !accept_corrupt) {
        return block_refuse(
            q->node, error, "is marked as corrupt; `lathe img check --repair` it first");
    }
    if (q->header.incompatible_features & QCOW2_INCOMPAT_COMPRESSION &&
        q->header.compression_type > QCOW2_ZSTD) {
        return block_refuse(q->node, error,
            "is compressed by method %u; known are 0 (deflate) and 1 (zstd)",
            q->header.compression_type);
    }
    return true;
}

static bool is_table(const Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    return offset % q->cluster_size == 0 && offset >= q->cluster_size &&
        offset < UINT64_C(1) << 56 && bytes <= (UINT64_C(1) << 56) - offset;
}

static bool check_geometry(Qcow2 *q, GError **error)
{
    const Qcow2Header *h = &q->header;
    bool extended = h->incompatible_features & QCOW2_INCOMPAT_EXTENDED_L2;

    if (h->cluster_bits < QCOW2_MIN_CLUSTER_BITS || h->cluster_bits > QCOW2_MAX_CLUSTER_BITS ||
        (extended && h->cluster_bits < 14)) {
        return block_refuse(q->node, error, "has clusters of 2^%u bytes", h->cluster_bits);
    }
    if (h->refcount_order > 6) {
        return block_refuse(q->node, error, "has refcounts of 2^%u bits", h->refcount_order);
    }
    if (h->header_length < (h->version == 2 ? QCOW2_V2_HEADER : QCOW2_V3_HEADER) ||
        h->header_length > 1u << h->cluster_bits) {
        return block_refuse(q->node, error, "has a header of %u bytes", h->header_length);
    }
    q->cluster_bits = h->cluster_bits;
    q->cluster_size = 1u << h->cluster_bits;
    q->entry_size = extended ? 16 : 8;
    q->l2_bits = h->cluster_bits - (extended ? 4 : 3);
    q->sub_bits = h->cluster_bits - (extended ? 5 : 0);
    q->refcount_bits = 1u << h->refcount_order;
    q->refblock_bits = h->cluster_bits + 3 - h->refcount_order;
    return true;
}

static bool check_tables(Qcow2 *q, GError **error)
{
    const Qcow2Header *h = &q->header;
    unsigned span = q->cluster_bits + q->l2_bits;
    uint64_t l1_needed = h->size / (UINT64_C(1) << span) + (h->size % (UINT64_C(1) << span) > 0);
    uint64_t l1_bytes = h->l1_size * sizeof(uint64_t);
    uint64_t reftable_bytes = (uint64_t)h->refcount_table_clusters * q->cluster_size;

    if (h->size > INT64_MAX || l1_needed > h->l1_size) {
        return block_refuse(q->node, error, "has an L1 table that is too small for its disk");
    }
    if (l1_bytes > QCOW2_MAX_L1_BYTES ||
        !(h->l1_size == 0 || is_table(q, h->l1_table_offset, l1_bytes))) {
        return block_refuse(q->node, error, "has an L1 table that is too large or out of place");
    }
    if (reftable_bytes == 0 || reftable_bytes > QCOW2_MAX_REFTABLE_BYTES ||
        !is_table(q, h->refcount_table_offset, reftable_bytes)) {
        return block_refuse(
            q->node, error, "has a refcount table that is too large or out of place");
    }
    if (h->nb_snapshots > QCOW2_MAX_SNAPSHOTS ||
        (h->nb_snapshots > 0 && !is_table(q, h->snapshots_offset, 0))) {
        return block_refuse(
            q->node, error, "has a snapshot table that is too large or out of place");
    }
    if (h->l1_table_offset + l1_bytes > q->file->length ||
        h->refcount_table_offset + reftable_bytes > qcow2_align_up(q, q->file->length)) {
        return block_refuse(
            q->node, error, "is cut off: its tables lie beyond the end of the file");
    }
    return true;
}

/* ---- names and extensions ---- */

static bool read_backing_name(Qcow2 *q, const Head *head, GError **error)
{
    const Qcow2Header *h = &q->header;
    g_autofree char *name = NULL;

    if (h->backing_file_offset == 0 || h->backing_file_size == 0) {
        return true;
    }
    if (h->backing_file_size > NAME_MOST || h->backing_file_offset > q->cluster_size ||
        h->backing_file_size > q->cluster_size - h->backing_file_offset) {
        return block_refuse(q->node, error, "has the name of a backing file that is out of place");
    }
    name = g_malloc0(h->backing_file_size + 1);
    if (read_head(head, h->backing_file_offset, name, h->backing_file_size) < 0) {
        return block_refuse(q->node, error, "cannot be read");
    }
    q->node->backing_path = g_steal_pointer(&name);
    return true;
}

static bool take_extension(
    Qcow2 *q, uint32_t type, const uint8_t *data, uint32_t length, GError **error)
{
    switch (type) {
    case QCOW2_EXT_BACKING_FORMAT:
        q->node->backing_format = g_strndup((const char *)data, length);
        return true;
    case QCOW2_EXT_DATA_FILE: q->data_file = g_strndup((const char *)data, length); return true;
    case QCOW2_EXT_ENCRYPTION:
        if (length >= 16) {
            q->crypt.header = load_be(data, 8);
            q->crypt.header_length = load_be(data + 8, 8);
        }
        return true;
    case QCOW2_EXT_BITMAPS:
        /* Without the flag whoever wrote last knew nothing of them: they are not right any more. */
        if (length >= 24 && q->header.autoclear_features & QCOW2_AUTOCLEAR_BITMAPS) {
            q->bitmap_count = load_be(data, 4);
            q->bitmap_directory_size = load_be(data + 8, 8);
            q->bitmap_directory = load_be(data + 16, 8);
        }
        return true;
    default: return true; /* others may be ignored (specification, "Header extensions") */
    }
}

/* One of them; *at moves behind it. False with no error: there are no more. */
static bool read_extension(Qcow2 *q, const Head *head, uint32_t *at, uint32_t size, GError **error)
{
    uint8_t start[8];
    g_autofree uint8_t *data = NULL;
    uint32_t type, length;

    if (*at + 8 > size) {
        return false;
    }
    if (read_head(head, *at, start, sizeof(start)) < 0) {
        return block_refuse(q->node, error, "cannot be read");
    }
    type = load_be(start, 4);
    length = load_be(start + 4, 4);
    *at += 8;
    if (type == 0) {
        return false;
    }
    if (length > size - *at) {
        return block_refuse(q->node, error, "has a header extension that is too long");
    }
    data = g_malloc0(length + 1);
    if (read_head(head, *at, data, length) < 0) {
        return block_refuse(q->node, error, "cannot be read");
    }
    *at += (length + 7) & ~7u;
    return take_extension(q, type, data, length, error);
}

static bool read_extensions(Qcow2 *q, const Head *head, GError **error)
{
    uint64_t limit = q->header.backing_file_offset ? q->header.backing_file_offset
                                                   : q->cluster_size;
    uint32_t size = MIN(MIN(limit, q->cluster_size), EXTENSION_BYTES);
    uint32_t at = q->header.header_length;
    unsigned count = 0;
    GError *problem = NULL;

    while (count < EXTENSIONS_MOST && read_extension(q, head, &at, size, &problem)) {
        count++;
    }
    if (problem) {
        g_propagate_error(error, problem);
    }
    return !problem;
}

bool qcow2_read_header(Qcow2 *q, bool accept_corrupt, GError **error)
{
    Head head = { .q = q, .length = MIN(q->file->length, sizeof(head.bytes)) };

    if (q->file->length < QCOW2_V2_HEADER) {
        return block_refuse(q->node, error, "is too short for a qcow2 image");
    }
    if (block_read(q->file, 0, head.bytes, head.length) < 0) {
        return block_refuse(q->node, error, "cannot be read");
    }
    memcpy(&q->header, head.bytes, QCOW2_HEADER_READ);
    qcow2_header_swap(&q->header);
    return check_version(q, error) && check_features(q, &head, accept_corrupt, error) &&
        check_geometry(q, error) && check_tables(q, error) && read_backing_name(q, &head, error) &&
        read_extensions(q, &head, error);
}

int qcow2_write_header(Qcow2 *q)
{
    Qcow2Header header = q->header;

    qcow2_header_swap(&header);
    return block_write(
        q->file, 0, &header, q->header.version == 2 ? QCOW2_V2_HEADER : QCOW2_V3_HEADER, 0);
}
