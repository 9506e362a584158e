/* Making empty vhdx images: headers, lists of regions, log, metadata, table. */
#include <string.h>

#include "block/formats/vhdx.h"

enum {
    LOG_AT = VHDX_MIB,
    METADATA_BYTES = VHDX_MIB,
    ITEMS_AT = VHDX_REGION_BYTES, /* in the metadata region */
    SECTOR = 512,
};
#define SIZE_MOST (UINT64_C(64) << 40)

typedef struct Layout {
    uint64_t block, log, metadata, table, table_bytes, entries, data;
} Layout;

/* Larger disks get larger blocks, as elsewhere. */
static uint64_t usual_block(uint64_t size)
{
    unsigned mib = size > UINT64_C(32) << 40 ? 64
        : size > UINT64_C(100) << 30         ? 32
        : size > UINT64_C(1) << 30           ? 16
                                             : 8;

    return (uint64_t)mib * VHDX_MIB;
}

static uint64_t round_mib(uint64_t bytes)
{
    return (bytes + VHDX_MIB - 1) & ~(uint64_t)(VHDX_MIB - 1);
}

static Layout layout_of(uint64_t size, uint64_t block, uint64_t log)
{
    uint64_t blocks = (size + block - 1) / block;
    uint64_t chunk = ((uint64_t)SECTOR << 23) / block;
    Layout l = { .block = block, .log = log, .metadata = LOG_AT + log };

    l.entries = blocks + (blocks ? (blocks - 1) / chunk : 0);
    l.table = l.metadata + METADATA_BYTES;
    l.table_bytes = round_mib(MAX(l.entries * 8, 1));
    l.data = l.table + l.table_bytes;
    return l;
}

static bool write_headers(BlockNode *file, const Layout *l, GError **error)
{
    uint8_t header[VHDX_SECTOR] = "head";
    static const uint8_t identifier[] = "vhdxfilel\0a\0t\0h\0e";

    store_le(header + VHDX_VERSION, 2, 1);
    store_le(header + VHDX_LOG_LENGTH, 4, l->log);
    store_le(header + VHDX_LOG_OFFSET, 8, LOG_AT);
    vhdx_random_guid(header + VHDX_FILE_GUID);
    vhdx_random_guid(header + VHDX_DATA_GUID);
    for (unsigned i = 0; i < 2; i++) {
        store_le(header + VHDX_SEQUENCE, 8, i + 1);
        store_le(header + VHDX_CHECKSUM, 4, vhdx_checksum(header, VHDX_SECTOR, VHDX_CHECKSUM));
        if (!format_write(file, i ? VHDX_HEADER_2 : VHDX_HEADER_1, header, VHDX_SECTOR, error)) {
            return false;
        }
    }
    return format_write(file, 0, identifier, sizeof(identifier), error);
}

static bool write_regions(BlockNode *file, const Layout *l, GError **error)
{
    g_autofree uint8_t *bytes = g_malloc0(VHDX_REGION_BYTES);
    const struct {
        const uint8_t *guid;
        uint64_t offset, length;
    } regions[] = {
        { vhdx_guid_table, l->table, l->table_bytes },
        { vhdx_guid_metadata, l->metadata, METADATA_BYTES },
    };

    memcpy(bytes, "regi", 4);
    store_le(bytes + 8, 4, G_N_ELEMENTS(regions));
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint8_t *entry = bytes + 16 + i * 32;

        memcpy(entry, regions[i].guid, 16);
        store_le(entry + 16, 8, regions[i].offset);
        store_le(entry + 24, 4, regions[i].length);
        store_le(entry + 28, 4, 1);
    }
    store_le(bytes + 4, 4, vhdx_checksum(bytes, VHDX_REGION_BYTES, 4));
    return format_write(file, VHDX_REGIONS_1, bytes, VHDX_REGION_BYTES, error) &&
        format_write(file, VHDX_REGIONS_2, bytes, VHDX_REGION_BYTES, error);
}

static bool write_metadata(BlockNode *file, const Layout *l, uint64_t size, GError **error)
{
    enum { DISK = 2, REQUIRED = 4 };
    g_autofree uint8_t *bytes = g_malloc0(ITEMS_AT + 4096);
    const struct {
        const uint8_t *guid;
        uint32_t width, flags;
        uint64_t value;
    } items[] = {
        { vhdx_guid_parameters, 8, REQUIRED, l->block },
        { vhdx_guid_size, 8, DISK | REQUIRED, size },
        { vhdx_guid_page83, 16, DISK | REQUIRED, 0 },
        { vhdx_guid_sector, 4, DISK | REQUIRED, SECTOR },
        { vhdx_guid_physical, 4, DISK | REQUIRED, SECTOR },
    };

    memcpy(bytes, "metadata", 8);
    store_le(bytes + 10, 2, G_N_ELEMENTS(items));
    for (unsigned i = 0; i < G_N_ELEMENTS(items); i++) {
        uint8_t *entry = bytes + 32 + i * 32;
        uint32_t at = ITEMS_AT + i * 16;

        memcpy(entry, items[i].guid, 16);
        store_le(entry + 16, 4, at);
        store_le(entry + 20, 4, items[i].width);
        store_le(entry + 24, 4, items[i].flags);
        if (items[i].guid == vhdx_guid_page83) {
            vhdx_random_guid(bytes + at);
        } else {
            store_le(bytes + at, items[i].width, items[i].value);
        }
    }
    return format_write(file, l->metadata, bytes, ITEMS_AT + 4096, error);
}

/* Dynamic: nothing is there; fixed: all blocks side by side. */
static bool write_table(BlockNode *file, const Layout *l, bool fixed, GError **error)
{
    uint64_t chunk = ((uint64_t)SECTOR << 23) / l->block;
    g_autofree uint8_t *bytes = g_malloc0(l->table_bytes);
    uint64_t place = l->data;

    for (uint64_t i = 0; i < l->entries; i++) {
        bool is_block = i % (chunk + 1) != chunk;

        store_le(bytes + i * 8, 8, !is_block ? 0 : fixed ? place | VHDX_PRESENT : VHDX_ZERO);
        place += is_block ? l->block : 0;
    }
    return format_extend(file, fixed ? place : l->data, error) &&
        format_write(file, l->table, bytes, l->table_bytes, error);
}

bool vhdx_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    const char *subformat = block_create_option(create, "subformat", "dynamic");
    uint64_t size = (create->size + SECTOR - 1) / SECTOR * SECTOR, block, log;
    bool fixed = strcmp(subformat, "fixed") == 0;
    Layout layout;

    if (!block_create_number(create, "block_size", usual_block(size), &block, error) ||
        !block_create_number(create, "log_size", VHDX_MIB, &log, error)) {
        return false;
    }
    if (!fixed && strcmp(subformat, "dynamic") != 0) {
        return block_refuse(file, error, "gets subformat dynamic or fixed, not `%s`", subformat);
    }
    if (block < VHDX_MIB || block > 256 * VHDX_MIB || (block & (block - 1)) != 0 || log == 0 ||
        log % VHDX_MIB != 0 || log > 256 * VHDX_MIB || size > SIZE_MOST) {
        return block_refuse(file, error,
            "gets a block_size of 1MiB to 256MiB, a log_size in whole MiB, and at most 64TiB");
    }
    layout = layout_of(size, block, log);
    return write_table(file, &layout, fixed, error) && write_metadata(file, &layout, size, error) &&
        write_regions(file, &layout, error) && write_headers(file, &layout, error);
}

const char *const vhdx_create_options[] = { "block_size", "log_size", "subformat", NULL };
