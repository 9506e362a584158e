/*
 * The format `parallels` (QEMU's docs/interop/parallels.txt): one table, numbers little endian. In
 * images of the extended kind entries count blocks, in others sectors.
 */
#include <string.h>

#include "block/formats/sparse.h"

/* Offsets in the header. */
enum {
    VERSION = 16,
    HEADS = 20,
    CYLINDERS = 24,
    BLOCK_SECTORS = 28,
    ENTRIES = 32,
    SECTORS = 36,
    DATA_SECTOR = 48,
    EXTENSION = 56,
    HEADER = 64,
};

enum { SECTOR = 512, MIB = 1 << 20, BLOCK_MOST = 256 * MIB, IMAGE_VERSION = 2 };

static const char plain_magic[] = "WithoutFreeSpace", extended_magic[] = "WithouFreSpacExt";

typedef struct Parallels {
    Sparse sparse;
    uint64_t unit; /* bytes that an entry counts in */
} Parallels;

static bool has_magic(const uint8_t *head, const char *magic)
{
    return memcmp(head, magic, VERSION) == 0;
}

static unsigned parallels_probe(const uint8_t *head, size_t length)
{
    return length >= HEADER && (has_magic(head, plain_magic) || has_magic(head, extended_magic))
        ? 100
        : 0;
}

static void parallels_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    const Parallels *p = node->state;

    if (entry != 0) {
        out->kind = EXTENT_DATA;
        out->offset = entry * p->unit;
    }
}

static uint64_t parallels_encode(const BlockNode *node, uint64_t offset)
{
    const Parallels *p = node->state;

    return offset / p->unit;
}

static const SparseKind parallels_kind = {
    .entry_size = 4,
    .decode = parallels_decode,
    .encode = parallels_encode,
};

static bool parallels_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Parallels *p = node->state;
    uint8_t head[HEADER];
    uint64_t block, sectors;
    bool extended;

    if (!format_read(node, 0, head, sizeof(head), error)) {
        return false;
    }
    extended = has_magic(head, extended_magic);
    if ((!extended && !has_magic(head, plain_magic)) ||
        load_le(head + VERSION, 4) != IMAGE_VERSION) {
        return block_refuse(node, error, "is not a parallels image of version 2");
    }
    if (load_le(head + EXTENSION, 8) != 0 && !node->read_only) {
        return block_refuse(node, error, "has a parallels format extension, and can only be read");
    }
    block = load_le(head + BLOCK_SECTORS, 4) * SECTOR;
    if (block == 0 || block > BLOCK_MOST || (block & (block - 1)) != 0) {
        return block_refuse(node, error, "has blocks of %" G_GUINT64_FORMAT " bytes", block);
    }
    /* The upper half of the size is only there in extended images. */
    sectors = load_le(head + SECTORS, extended ? 8 : 4);
    if (sectors > INT64_MAX / SECTOR) {
        return block_refuse(node, error, "has %" G_GUINT64_FORMAT " sectors", sectors);
    }
    node->length = sectors * SECTOR;
    p->unit = extended ? block : SECTOR;
    p->sparse = (Sparse){
        .kind = &parallels_kind,
        .block = block,
        .entries = load_le(head + ENTRIES, 4),
        .table = HEADER,
        .align = block,
        .first_data = HEADER,
    };
    return sparse_open(node, error);
}

static bool parallels_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    uint64_t block, entries, data, cylinders;
    g_autofree uint8_t *bytes = NULL;

    if (!block_create_number(create, "cluster_size", MIB, &block, error)) {
        return false;
    }
    if (block < SECTOR || block > BLOCK_MOST || (block & (block - 1)) != 0) {
        return block_refuse(file, error, "gets a cluster_size of 512B to 256MiB");
    }
    entries = (create->size + block - 1) / block;
    if (entries > MIB * 16) {
        return block_refuse(file, error, "of this size needs a larger cluster_size");
    }
    data = (HEADER + entries * 4 + block - 1) / block * block;
    cylinders = MIN(create->size / SECTOR / 16 / 32, UINT32_MAX);
    bytes = g_malloc0(data);
    memcpy(bytes, extended_magic, VERSION);
    store_le(bytes + VERSION, 4, IMAGE_VERSION);
    store_le(bytes + HEADS, 4, 16);
    store_le(bytes + CYLINDERS, 4, cylinders);
    store_le(bytes + BLOCK_SECTORS, 4, block / SECTOR);
    store_le(bytes + ENTRIES, 4, entries);
    store_le(bytes + SECTORS, 8, (create->size + SECTOR - 1) / SECTOR);
    store_le(bytes + DATA_SECTOR, 4, data / SECTOR);
    return format_write(file, 0, bytes, data, error);
}

static const char *const create_options[] = { "cluster_size", NULL };

BLOCK_DRIVER(parallels) = {
    .name = "parallels",
    .state_size = sizeof(Parallels),
    .probe = parallels_probe,
    .open = parallels_open,
    SPARSE_WRITE,
    .create = parallels_create,
    .create_options = create_options,
};
