/* The format `qed` (QEMU's docs/interop/qed_spec.txt): two levels, numbers little endian. */
#include <string.h>

#include "block/formats/sparse.h"

/* Offsets in the header. */
enum {
    MAGIC = 0,
    CLUSTER_SIZE = 4,
    TABLE_SIZE = 8,   /* in clusters */
    HEADER_SIZE = 12, /* in clusters */
    FEATURES = 16,
    AUTOCLEAR = 32,
    L1_OFFSET = 40,
    IMAGE_SIZE = 48,
    BACKING_OFFSET = 56,
    BACKING_SIZE = 60,
    HEADER = 64,
};

enum {
    QED_MAGIC = 0x00444551,
    FEATURE_BACKING = 1 << 0,
    FEATURE_NEED_CHECK = 1 << 1,
    FEATURE_BACKING_RAW = 1 << 2,
    FEATURES_KNOWN = 7,
    CLUSTER_LEAST = 4096,
    CLUSTER_MOST = 64 << 20,
    TABLE_MOST = 16,
    NAME_MOST = 1023,
    ENTRY_ZERO = 1,
};

typedef struct Qed {
    Sparse sparse;
} Qed;

static unsigned qed_probe(const uint8_t *head, size_t length)
{
    return length >= HEADER && load_le(head + MAGIC, 4) == QED_MAGIC ? 100 : 0;
}

static void qed_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    if (entry == ENTRY_ZERO) {
        out->kind = EXTENT_ZERO;
    } else if (entry != 0) {
        out->kind = EXTENT_DATA;
        out->offset = entry;
    }
}

static uint64_t qed_encode(const BlockNode *node, uint64_t offset)
{
    return offset;
}

static const SparseKind qed_kind = {
    .entry_size = 8,
    .decode = qed_decode,
    .encode = qed_encode,
    .has_zero = true,
    .zero = ENTRY_ZERO,
};

/* ---- opening ---- */

static bool check_header(BlockNode *node, const uint8_t *head, GError **error)
{
    uint64_t unknown = load_le(head + FEATURES, 8) & ~(uint64_t)FEATURES_KNOWN;
    uint64_t cluster = load_le(head + CLUSTER_SIZE, 4), table = load_le(head + TABLE_SIZE, 4);

    if (load_le(head + MAGIC, 4) != QED_MAGIC) {
        return block_refuse(node, error, "is not a qed image");
    }
    if (unknown) {
        return block_refuse(
            node, error, "uses a feature that is not known here: bit %d", __builtin_ctzll(unknown));
    }
    if (cluster < CLUSTER_LEAST || cluster > CLUSTER_MOST || (cluster & (cluster - 1)) != 0 ||
        table < 1 || table > TABLE_MOST || (table & (table - 1)) != 0) {
        return block_refuse(node, error, "has clusters or tables of an unusual size");
    }
    if (load_le(head + L1_OFFSET, 8) % cluster != 0 ||
        load_le(head + L1_OFFSET, 8) > INT64_MAX / 2 ||
        load_le(head + IMAGE_SIZE, 8) > INT64_MAX / 2) {
        return block_refuse(node, error, "has a qed header that cannot be right");
    }
    return true;
}

static bool read_backing(BlockNode *node, const uint8_t *head, GError **error)
{
    uint64_t features = load_le(head + FEATURES, 8);
    uint32_t size = features & FEATURE_BACKING ? load_le(head + BACKING_SIZE, 4) : 0;

    node->backing_format = size && features & FEATURE_BACKING_RAW ? g_strdup("raw") : NULL;
    return format_read_backing(node, load_le(head + BACKING_OFFSET, 4), size, error);
}

/* The last writer did not close it: what its tables refer to may never have been written. */
static bool check_unclosed(BlockNode *node, GError **error)
{
    BlockCheck found = { 0 };

    return (sparse_check(node, &found, false) == 0 && found.corruptions == 0) ||
        block_refuse(node, error, "was not closed by its last writer, and is damaged");
}

static bool qed_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Qed *q = node->state;
    uint8_t head[HEADER];
    uint64_t span;

    if (!format_read(node, 0, head, sizeof(head), error) || !check_header(node, head, error) ||
        !read_backing(node, head, error)) {
        return false;
    }
    node->length = load_le(head + IMAGE_SIZE, 8);
    q->sparse = (Sparse){
        .kind = &qed_kind,
        .block = load_le(head + CLUSTER_SIZE, 4),
        .table = load_le(head + L1_OFFSET, 8),
        .table_unit = 1,
    };
    q->sparse.per_table = load_le(head + TABLE_SIZE, 4) * q->sparse.block / 8;
    span = q->sparse.per_table * q->sparse.block;
    if (node->length / span >= q->sparse.per_table) {
        return block_refuse(node, error, "is larger than its tables can say");
    }
    q->sparse.entries = (node->length + span - 1) / span * q->sparse.per_table;
    q->sparse.align = q->sparse.first_data = q->sparse.block;
    return sparse_open(node, error) &&
        (node->read_only || !(load_le(head + FEATURES, 8) & FEATURE_NEED_CHECK) ||
            check_unclosed(node, error));
}

/* ---- creation ---- */

static bool qed_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    uint64_t cluster, table, per_table;
    size_t name = create->backing ? strlen(create->backing) : 0;
    uint8_t head[HEADER + NAME_MOST] = { 0 };
    bool raw = g_strcmp0(create->backing_format, "raw") == 0;

    if (!block_create_number(create, "cluster_size", 65536, &cluster, error) ||
        !block_create_number(create, "table_size", 4, &table, error)) {
        return false;
    }
    if (cluster < CLUSTER_LEAST || cluster > CLUSTER_MOST || (cluster & (cluster - 1)) != 0 ||
        table < 1 || table > TABLE_MOST || (table & (table - 1)) != 0) {
        return block_refuse(
            file, error, "gets a cluster_size of 4KiB to 64MiB and a table_size of 1 to 16");
    }
    per_table = table * cluster / 8;
    if (create->size / cluster / per_table >= per_table || name > NAME_MOST) {
        return block_refuse(file, error, "of this size needs a larger cluster_size");
    }
    store_le(head + MAGIC, 4, QED_MAGIC);
    store_le(head + CLUSTER_SIZE, 4, cluster);
    store_le(head + TABLE_SIZE, 4, table);
    store_le(head + HEADER_SIZE, 4, 1);
    store_le(head + FEATURES, 8, (name ? FEATURE_BACKING : 0) | (raw ? FEATURE_BACKING_RAW : 0));
    store_le(head + L1_OFFSET, 8, cluster);
    store_le(head + IMAGE_SIZE, 8, (create->size + 511) / 512 * 512);
    store_le(head + BACKING_OFFSET, 4, name ? HEADER : 0);
    store_le(head + BACKING_SIZE, 4, name);
    memcpy(head + HEADER, name ? create->backing : "", name);
    return format_extend(file, cluster + table * cluster, error) &&
        format_write(file, 0, head, HEADER + name, error);
}

static const char *const create_options[] = { "cluster_size", "table_size", NULL };

BLOCK_DRIVER(qed) = {
    .name = "qed",
    .state_size = sizeof(Qed),
    .probe = qed_probe,
    .open = qed_open,
    SPARSE_WRITE,
    .create = qed_create,
    .create_options = create_options,
    .has_backing = true,
};
