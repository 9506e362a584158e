/*
 * The format `bochs`: growing images of Bochs ("Redolog"), to be read. A catalog says where each
 * extent is; an extent begins with a bitmap of the sectors it holds. Numbers are little endian.
 */
#include <errno.h>
#include <string.h>

#include "block/formats/sparse.h"

/* Offsets in the header. */
enum {
    TYPE = 32,
    SUBTYPE = 48,
    VERSION = 64,
    HEADER_BYTES = 68,
    CATALOG = 72, /* entries */
    BITMAP = 76,  /* bytes */
    EXTENT = 80,  /* bytes */
    SIZE_V1 = 84,
    SIZE_V2 = 88,
    HEADER = 512,
};

enum { VERSION_1 = 0x00010000, VERSION_2 = 0x00020000, SECTOR = 512, CATALOG_MOST = 1 << 20 };
#define NONE UINT32_C(0xffffffff)

static const char magic[] = "Bochs Virtual HD Image";

typedef struct Bochs {
    uint8_t *catalog;
    uint64_t entries, extent; /* bytes of the disk in an extent */
    uint64_t data;            /* where extents start in the file */
    uint64_t bitmap;          /* bytes, in whole sectors, before the data of each */
} Bochs;

static unsigned bochs_probe(const uint8_t *head, size_t length)
{
    return length >= HEADER && memcmp(head, magic, sizeof(magic)) == 0 &&
            memcmp(head + TYPE, "Redolog", 8) == 0
        ? 100
        : 0;
}

static bool check_header(BlockNode *node, const uint8_t *head, GError **error)
{
    uint32_t version = load_le(head + VERSION, 4);
    uint64_t extent = load_le(head + EXTENT, 4);

    if (bochs_probe(head, HEADER) == 0 || memcmp(head + SUBTYPE, "Growing", 8) != 0 ||
        (version != VERSION_1 && version != VERSION_2)) {
        return block_refuse(node, error, "is not a growing image of Bochs");
    }
    if (!node->read_only) {
        return block_refuse(node, error, "is a Bochs image, which can only be read");
    }
    if (extent < SECTOR || extent % SECTOR != 0 || extent > 8 << 20 ||
        load_le(head + BITMAP, 4) < extent / SECTOR / 8 || load_le(head + BITMAP, 4) > extent ||
        load_le(head + CATALOG, 4) > CATALOG_MOST) {
        return block_refuse(node, error, "has a Bochs header that cannot be right");
    }
    return true;
}

static bool bochs_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Bochs *b = node->state;
    uint8_t head[HEADER];
    uint64_t at;

    if (!format_read(node, 0, head, sizeof(head), error) || !check_header(node, head, error)) {
        return false;
    }
    node->length = load_le(head + (load_le(head + VERSION, 4) == VERSION_1 ? SIZE_V1 : SIZE_V2), 8);
    at = load_le(head + HEADER_BYTES, 4);
    b->entries = load_le(head + CATALOG, 4);
    b->extent = load_le(head + EXTENT, 4);
    b->data = at + b->entries * 4;
    b->bitmap = (load_le(head + BITMAP, 4) + SECTOR - 1) / SECTOR * SECTOR;
    if (node->length / b->extent > b->entries) {
        return block_refuse(node, error, "has a catalog that is too small for its disk");
    }
    b->catalog = g_malloc(b->entries * 4 + 1);
    return format_read(node, at, b->catalog, b->entries * 4, error);
}

static void bochs_close(BlockNode *node)
{
    Bochs *b = node->state;

    g_free(b->catalog);
}

/* A sector at a time: the bitmap is asked about each. */
static int bochs_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Bochs *b = node->state;
    uint64_t index = at / b->extent, sector = at % b->extent / SECTOR;
    uint32_t entry = index < b->entries ? load_le(b->catalog + index * 4, 4) : NONE;
    uint64_t place = b->data + (uint64_t)entry * (b->extent + b->bitmap);
    uint8_t bits;
    int result;

    *out = (Extent){ .kind = EXTENT_ZERO, .length = MIN(length, b->extent - at % b->extent) };
    if (entry == NONE) {
        return 0;
    }
    result = block_read(node->children[0], place + sector / 8, &bits, 1);
    out->length = MIN(length, SECTOR - at % SECTOR);
    if (result == 0 && bits >> sector % 8 & 1) {
        out->kind = EXTENT_DATA;
        out->offset = place + b->bitmap + at % b->extent;
    }
    return result;
}

BLOCK_DRIVER(bochs) = {
    .name = "bochs",
    .state_size = sizeof(Bochs),
    .probe = bochs_probe,
    .open = bochs_open,
    .close = bochs_close,
    .map = bochs_map,
};
