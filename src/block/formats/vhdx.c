#include "block/formats/vhdx.h"

#include <errno.h>
#include <string.h>

enum { REGIONS_MOST = 2047, ITEMS_MOST = 2047, ENTRY = 32, ITEM_MOST = 1 << 20 };

/* clang-format off */
const uint8_t vhdx_guid_table[16] = { 0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                      0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08 };
const uint8_t vhdx_guid_metadata[16] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                         0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
const uint8_t vhdx_guid_parameters[16] = { 0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                           0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b };
const uint8_t vhdx_guid_size[16] = { 0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48,
                                     0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8 };
const uint8_t vhdx_guid_page83[16] = { 0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
                                       0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46 };
const uint8_t vhdx_guid_sector[16] = { 0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47,
                                       0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f };
const uint8_t vhdx_guid_physical[16] = { 0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44,
                                         0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56 };
const uint8_t vhdx_guid_parent[16] = { 0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45,
                                       0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c };
/* clang-format on */

void vhdx_random_guid(uint8_t *out)
{
    for (unsigned i = 0; i < 16; i += 4) {
        store_le(out + i, 4, g_random_int());
    }
}

uint32_t vhdx_checksum(const uint8_t *bytes, size_t length, size_t skip)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < length; i++) {
        sum ^= i - skip < 4 ? 0 : bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return ~sum;
}

static unsigned vhdx_probe(const uint8_t *head, size_t length)
{
    return length >= 8 && memcmp(head, "vhdxfile", 8) == 0 ? 100 : 0;
}

/* ---- the table ---- */

static void vhdx_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    switch (entry & 7) {
    case VHDX_PRESENT:
        out->kind = EXTENT_DATA;
        out->offset = entry & ~(uint64_t)(VHDX_MIB - 1);
        break;
    case VHDX_PARTIAL: /* there is no parent that could have the rest */
        out->kind = EXTENT_DATA;
        out->offset = 0;
        break;
    default: out->kind = EXTENT_ZERO;
    }
}

static uint64_t vhdx_encode(const BlockNode *node, uint64_t offset)
{
    return offset | VHDX_PRESENT;
}

static uint64_t vhdx_index_of(const BlockNode *node, uint64_t block)
{
    const Vhdx *v = node->state;

    return block + block / v->chunk;
}

int vhdx_write_header(BlockNode *node)
{
    Vhdx *v = node->state;
    int result;

    store_le(v->header + VHDX_SEQUENCE, 8, load_le(v->header + VHDX_SEQUENCE, 8) + 1);
    store_le(v->header + VHDX_CHECKSUM, 4, vhdx_checksum(v->header, VHDX_SECTOR, VHDX_CHECKSUM));
    v->second = !v->second;
    result = block_write(
        node->children[0], v->second ? VHDX_HEADER_2 : VHDX_HEADER_1, v->header, VHDX_SECTOR, 0);
    return result < 0 ? result : block_flush(node->children[0]);
}

/* Whoever compares the ids sees that the contents have changed. */
static int vhdx_begin(BlockNode *node)
{
    Vhdx *v = node->state;

    vhdx_random_guid(v->header + VHDX_FILE_GUID);
    vhdx_random_guid(v->header + VHDX_DATA_GUID);
    return vhdx_write_header(node);
}

/*
 * Entries are written where they belong and not to the log first: none crosses a sector, and each
 * stands for itself, so that a loss of power cannot tear what the log would protect.
 */
static const SparseKind vhdx_kind = {
    .entry_size = 8,
    .decode = vhdx_decode,
    .encode = vhdx_encode,
    .has_zero = true,
    .zero = VHDX_ZERO,
    .index_of = vhdx_index_of,
    .begin = vhdx_begin,
};

/* ---- opening ---- */

static bool is_header(const uint8_t *header)
{
    return memcmp(header, "head", 4) == 0 &&
        load_le(header + VHDX_CHECKSUM, 4) == vhdx_checksum(header, VHDX_SECTOR, VHDX_CHECKSUM);
}

static bool read_headers(BlockNode *node, GError **error)
{
    Vhdx *v = node->state;
    uint8_t second[VHDX_SECTOR];
    bool first_fine, second_fine;

    if (!format_read(node, VHDX_HEADER_1, v->header, VHDX_SECTOR, error) ||
        !format_read(node, VHDX_HEADER_2, second, VHDX_SECTOR, error)) {
        return false;
    }
    first_fine = is_header(v->header);
    second_fine = is_header(second);
    v->second = second_fine &&
        (!first_fine || load_le(second + VHDX_SEQUENCE, 8) > load_le(v->header + VHDX_SEQUENCE, 8));
    if (v->second) {
        memcpy(v->header, second, VHDX_SECTOR);
    }
    if (!first_fine && !second_fine) {
        return block_refuse(node, error, "has two damaged vhdx headers");
    }
    return load_le(v->header + VHDX_VERSION, 2) == 1 ||
        block_refuse(node, error, "has vhdx version %u; known is 1",
            (unsigned)load_le(v->header + VHDX_VERSION, 2));
}

static bool take_region(BlockNode *node, const uint8_t *entry, GError **error)
{
    Vhdx *v = node->state;
    uint64_t offset = load_le(entry + 16, 8);
    uint32_t length = load_le(entry + 24, 4);

    if (offset % VHDX_MIB != 0 || offset < VHDX_MIB || offset > INT64_MAX) {
        return block_refuse(node, error, "has a region out of place");
    }
    if (memcmp(entry, vhdx_guid_table, 16) == 0) {
        v->table = offset;
        v->table_bytes = length;
    } else if (memcmp(entry, vhdx_guid_metadata, 16) == 0) {
        v->metadata = offset;
        v->metadata_bytes = length;
    } else if (load_le(entry + 28, 4) & 1) {
        return block_refuse(node, error, "has a required region that is not known here");
    }
    return true;
}

static bool read_regions(BlockNode *node, GError **error)
{
    Vhdx *v = node->state;
    g_autofree uint8_t *regions = g_malloc(VHDX_REGION_BYTES);
    uint32_t count;

    for (unsigned copy = 0;; copy++) {
        uint64_t at = copy == 0 ? VHDX_REGIONS_1 : VHDX_REGIONS_2;

        if (!format_read(node, at, regions, VHDX_REGION_BYTES, error)) {
            return false;
        }
        if (memcmp(regions, "regi", 4) == 0 &&
            load_le(regions + 4, 4) == vhdx_checksum(regions, VHDX_REGION_BYTES, 4)) {
            break;
        }
        if (copy == 1) {
            return block_refuse(node, error, "has two damaged lists of regions");
        }
    }
    count = load_le(regions + 8, 4);
    for (uint32_t i = 0; i < MIN(count, REGIONS_MOST); i++) {
        if (16 + (i + 1) * ENTRY <= VHDX_REGION_BYTES &&
            !take_region(node, regions + 16 + i * ENTRY, error)) {
            return false;
        }
    }
    return (v->table && v->metadata) || block_refuse(node, error, "has no table or no metadata");
}

/* An item of the metadata; gives 0 when there is none. */
static uint64_t find_item(
    BlockNode *node, const uint8_t *items, const uint8_t *guid, unsigned width)
{
    const Vhdx *v = node->state;
    uint32_t count = MIN(load_le(items + 10, 2), ITEMS_MOST);

    for (uint32_t i = 0; i < count && 32 + (i + 1) * ENTRY <= VHDX_REGION_BYTES; i++) {
        const uint8_t *entry = items + 32 + i * ENTRY;
        uint8_t value[8] = { 0 };
        uint32_t offset = load_le(entry + 16, 4);

        if (memcmp(entry, guid, 16) == 0 && load_le(entry + 20, 4) >= width &&
            offset <= v->metadata_bytes && width <= v->metadata_bytes - offset &&
            block_read(node->children[0], v->metadata + offset, value, width) == 0) {
            return load_le(value, 8);
        }
    }
    return 0;
}

static bool read_metadata(BlockNode *node, GError **error)
{
    Vhdx *v = node->state;
    g_autofree uint8_t *items = g_malloc(VHDX_REGION_BYTES);
    uint64_t parameters, sector, block;

    if (!format_read(node, v->metadata, items, VHDX_REGION_BYTES, error)) {
        return false;
    }
    if (memcmp(items, "metadata", 8) != 0) {
        return block_refuse(node, error, "has damaged metadata");
    }
    parameters = find_item(node, items, vhdx_guid_parameters, 8);
    sector = find_item(node, items, vhdx_guid_sector, 4);
    node->length = find_item(node, items, vhdx_guid_size, 8);
    block = (uint32_t)parameters;
    if (parameters >> 33 & 1) {
        return block_refuse(node, error, "is based on another vhdx image, which is not supported");
    }
    if ((sector != 512 && sector != 4096) || block < VHDX_MIB || block > 256 * VHDX_MIB ||
        (block & (block - 1)) != 0 || node->length > INT64_C(64) << 40) {
        return block_refuse(node, error, "has a block, sector or disk of an unusual size");
    }
    v->chunk = (sector << 23) / block;
    v->sparse = (Sparse){
        .kind = &vhdx_kind,
        .block = block,
        .table = v->table,
        .entries = v->table_bytes / 8,
        .align = VHDX_MIB,
        .first_data = VHDX_MIB,
    };
    if (vhdx_index_of(node, node->length / block) > v->sparse.entries) {
        return block_refuse(node, error, "has a table that is too small for its disk");
    }
    return true;
}

static bool vhdx_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vhdx *v = node->state;
    static const uint8_t none[16];
    uint8_t magic[8];

    if (!format_read(node, 0, magic, sizeof(magic), error)) {
        return false;
    }
    if (memcmp(magic, "vhdxfile", 8) != 0) {
        return block_refuse(node, error, "is not a vhdx image");
    }
    if (!read_headers(node, error)) {
        return false;
    }
    if (memcmp(v->header + VHDX_LOG_GUID, none, 16) != 0 && !vhdx_replay(node, error)) {
        return false;
    }
    return read_regions(node, error) && read_metadata(node, error) && sparse_open(node, error);
}

BLOCK_DRIVER(vhdx) = {
    .name = "vhdx",
    .state_size = sizeof(Vhdx),
    .probe = vhdx_probe,
    .open = vhdx_open,
    SPARSE_WRITE,
    .create = vhdx_create,
    .create_options = vhdx_create_options,
};
