/* The format `vdi` of VirtualBox, version 1.1 ("VDICore.h"): one table, numbers little endian. */
#include <string.h>

#include "block/formats/sparse.h"

/* Offsets in the header. */
enum {
    SIGNATURE = 0x40,
    VERSION = 0x44,
    HEADER_SIZE = 0x48,
    IMAGE_TYPE = 0x4c,
    TABLE_OFFSET = 0x154,
    DATA_OFFSET = 0x158,
    SECTOR_SIZE = 0x168,
    DISK_SIZE = 0x170,
    BLOCK_SIZE = 0x178,
    BLOCK_EXTRA = 0x17c,
    BLOCKS = 0x180,
    BLOCKS_ALLOCATED = 0x184,
    UUID_IMAGE = 0x188,
    UUID_SNAPSHOT = 0x198,
    UUID_PARENT = 0x1b8,
    HEADER = 512,
};

enum { TYPE_DYNAMIC = 1, TYPE_STATIC = 2, MIB = 1 << 20, DEFAULT_BLOCK = MIB, SECTOR = 512 };
enum { MAGIC = 0xbeda107f, VERSION_1_1 = 0x00010001 };

#define NONE UINT32_C(0xffffffff)
#define ZERO UINT32_C(0xfffffffe)

typedef struct Vdi {
    Sparse sparse;
    uint32_t allocated;
} Vdi;

static unsigned vdi_probe(const uint8_t *head, size_t length)
{
    return length >= HEADER && load_le(head + SIGNATURE, 4) == MAGIC ? 100 : 0;
}

/* ---- the table ---- */

static void vdi_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    const Sparse *s = node->state;

    if (entry == NONE) {
        out->kind = EXTENT_BACKING;
    } else if (entry == ZERO) {
        out->kind = EXTENT_ZERO;
    } else {
        out->kind = EXTENT_DATA;
        out->offset = s->first_data + entry * s->block;
    }
}

static uint64_t vdi_encode(const BlockNode *node, uint64_t offset)
{
    const Sparse *s = node->state;

    return (offset - s->first_data) / s->block;
}

/* The header says how many blocks there are. */
static int vdi_committed(BlockNode *node)
{
    Vdi *v = node->state;
    uint8_t count[4];

    store_le(count, 4, v->allocated + v->sparse.blocks_added);
    return block_write(node->children[0], BLOCKS_ALLOCATED, count, sizeof(count), 0);
}

static const SparseKind vdi_kind = {
    .entry_size = 4,
    .decode = vdi_decode,
    .encode = vdi_encode,
    .has_zero = true,
    .zero = ZERO,
    .committed = vdi_committed,
};

/* ---- opening ---- */

static bool check_header(BlockNode *node, const uint8_t *head, GError **error)
{
    static const uint8_t no_uuid[16];
    uint32_t version = load_le(head + VERSION, 4);
    uint32_t type = load_le(head + IMAGE_TYPE, 4);

    if (load_le(head + SIGNATURE, 4) != MAGIC) {
        return block_refuse(node, error, "is not a vdi image");
    }
    if (version != VERSION_1_1) {
        return block_refuse(
            node, error, "has vdi version %u.%u; known is 1.1", version >> 16, version & 0xffff);
    }
    if (type != TYPE_DYNAMIC && type != TYPE_STATIC) {
        return block_refuse(node, error, "has vdi type %u; known are 1 and 2", type);
    }
    if (memcmp(head + UUID_PARENT, no_uuid, sizeof(no_uuid)) != 0) {
        return block_refuse(node, error, "is based on another vdi image, which is not supported");
    }
    if (load_le(head + SECTOR_SIZE, 4) != SECTOR || load_le(head + BLOCK_EXTRA, 4) != 0) {
        return block_refuse(node, error, "has sectors or blocks of an unusual size");
    }
    return true;
}

static bool vdi_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vdi *v = node->state;
    uint8_t head[HEADER];

    if (!format_read(node, 0, head, sizeof(head), error) || !check_header(node, head, error)) {
        return false;
    }
    v->allocated = load_le(head + BLOCKS_ALLOCATED, 4);
    node->length = load_le(head + DISK_SIZE, 8);
    v->sparse = (Sparse){
        .kind = &vdi_kind,
        .block = load_le(head + BLOCK_SIZE, 4),
        .entries = load_le(head + BLOCKS, 4),
        .table = load_le(head + TABLE_OFFSET, 4),
        .first_data = load_le(head + DATA_OFFSET, 4),
    };
    if (v->sparse.block < SECTOR || v->sparse.block > 256 * MIB ||
        (v->sparse.block & (v->sparse.block - 1)) != 0 || node->length > INT64_MAX ||
        v->sparse.table % SECTOR != 0 || v->sparse.first_data % SECTOR != 0 ||
        v->sparse.first_data < v->sparse.table + v->sparse.entries * 4) {
        return block_refuse(node, error, "has a vdi header that cannot be right");
    }
    /* A block's number is its place: the next one begins at a whole number of blocks. */
    v->sparse.end = v->sparse.first_data +
        (MAX(node->children[0]->length, v->sparse.first_data) - v->sparse.first_data +
            v->sparse.block - 1) /
            v->sparse.block * v->sparse.block;
    return sparse_open(node, error);
}

/* ---- creation ---- */

static void fill_uuid(uint8_t *at)
{
    for (unsigned i = 0; i < 4; i++) {
        store_le(at + i * 4, 4, g_random_int());
    }
}

static bool write_head(
    BlockNode *file, uint64_t size, uint64_t block, bool is_static, GError **error)
{
    static const char text[] = "<<< Oracle VM VirtualBox Disk Image >>>\n";
    uint64_t blocks = (size + block - 1) / block;
    uint64_t data = (HEADER + blocks * 4 + SECTOR - 1) / SECTOR * SECTOR;
    uint64_t table_bytes = data - HEADER;
    g_autofree uint8_t *head = g_malloc0(data);
    const struct {
        uint16_t offset, width;
        uint64_t value;
    } fields[] = {
        { SIGNATURE, 4, MAGIC },
        { VERSION, 4, VERSION_1_1 },
        { HEADER_SIZE, 4, 0x180 },
        { IMAGE_TYPE, 4, is_static ? TYPE_STATIC : TYPE_DYNAMIC },
        { TABLE_OFFSET, 4, HEADER },
        { DATA_OFFSET, 4, data },
        { SECTOR_SIZE, 4, SECTOR },
        { DISK_SIZE, 8, size },
        { BLOCK_SIZE, 4, block },
        { BLOCKS, 4, blocks },
        { BLOCKS_ALLOCATED, 4, is_static ? blocks : 0 },
    };

    memcpy(head, text, sizeof(text));
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        store_le(head + fields[i].offset, fields[i].width, fields[i].value);
    }
    fill_uuid(head + UUID_IMAGE);
    fill_uuid(head + UUID_SNAPSHOT);
    memset(head + HEADER, 0xff, table_bytes);
    for (uint64_t i = 0; is_static && i < blocks; i++) {
        store_le(head + HEADER + i * 4, 4, i);
    }
    return (!is_static || format_extend(file, data + blocks * block, error)) &&
        format_write(file, 0, head, data, error);
}

static bool vdi_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    BlockPreallocation preallocation;
    uint64_t block;
    bool is_static;

    if (!block_create_preallocation(create, true, &preallocation, error) ||
        !block_create_number(create, "block_size", DEFAULT_BLOCK, &block, error) ||
        !block_create_switch(
            create, "static", preallocation != PREALLOCATE_OFF, &is_static, error)) {
        return false;
    }
    if (block < MIB || block > 256 * MIB || (block & (block - 1)) != 0) {
        return block_refuse(file, error, "gets a vdi block_size of 1MiB to 256MiB");
    }
    if (create->size / block >= UINT32_MAX / 4 - 1024) {
        return block_refuse(file, error, "of this size needs a larger block_size");
    }
    return write_head(file, create->size, block, is_static, error);
}

static const char *const create_options[] = { "block_size", "preallocation", "static", NULL };

BLOCK_DRIVER(vdi) = {
    .name = "vdi",
    .state_size = sizeof(Vdi),
    .probe = vdi_probe,
    .open = vdi_open,
    SPARSE_WRITE,
    .create = vdi_create,
    .create_options = create_options,
};
