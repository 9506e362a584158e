/*
 * The format `vpc` (vhd) of Virtual PC and Hyper-V ("Virtual Hard Disk Image Format Specification",
 * 1.0): fixed, and dynamic with one table. Numbers are big endian. A footer ends the file; a
 * dynamic image has a copy of it at its start. Each block has a bitmap of its sectors in front.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "block/formats/sparse.h"

/* Offsets in the footer, and in the header of a dynamic disk. */
enum {
    FEATURES = 8,
    FILE_VERSION = 12,
    NEXT_HEADER = 16,
    TIME = 24,
    CREATOR = 28,
    CREATOR_VERSION = 32,
    CREATOR_HOST = 36,
    ORIGINAL_SIZE = 40,
    CURRENT_SIZE = 48,
    GEOMETRY = 56,
    DISK_TYPE = 60,
    CHECKSUM = 64,
    UUID = 68,
    FOOTER = 512,

    DYNAMIC_DATA = 8,
    DYNAMIC_TABLE = 16,
    DYNAMIC_VERSION = 24,
    DYNAMIC_ENTRIES = 28,
    DYNAMIC_BLOCK = 32,
    DYNAMIC_CHECKSUM = 36,
    DYNAMIC_HEADER = 1024,
};

enum { TYPE_FIXED = 2, TYPE_DYNAMIC = 3, TYPE_DIFFERENCING = 4 };
enum { SECTOR = 512, MIB = 1 << 20, DEFAULT_BLOCK = 2 * MIB, BLOCK_MOST = 256 * MIB };
enum { EPOCH = 946684800 }; /* 2000-01-01 */
#define NONE UINT32_C(0xffffffff)
#define SIZE_MOST (UINT64_C(2040) << 30) /* what other programs take */

typedef struct Vpc {
    Sparse sparse;
    bool fixed;
    uint8_t footer[FOOTER];
} Vpc;

static unsigned vpc_probe(const uint8_t *head, size_t length)
{
    return length >= FOOTER && memcmp(head, "conectix", 8) == 0 ? 100 : 0;
}

/* The complement of the sum of all bytes but its own. */
static uint32_t checksum(const uint8_t *bytes, unsigned length, unsigned at)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < length; i++) {
        sum += i - at < 4 ? 0 : bytes[i];
    }
    return ~sum;
}

/* ---- the table ---- */

static void vpc_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    const Vpc *v = node->state;

    if (entry != NONE) {
        out->kind = EXTENT_DATA;
        out->offset = entry * SECTOR + v->sparse.lead;
    }
}

static uint64_t vpc_encode(const BlockNode *node, uint64_t offset)
{
    const Vpc *v = node->state;

    return (offset - v->sparse.lead) / SECTOR;
}

/* All sectors of a new block are there; and the footer moves behind it. */
static int vpc_added(BlockNode *node, uint64_t offset)
{
    Vpc *v = node->state;
    g_autofree uint8_t *bitmap = g_malloc(v->sparse.lead);
    int result;

    memset(bitmap, 0xff, v->sparse.lead);
    result = block_write(node->children[0], offset - v->sparse.lead, bitmap, v->sparse.lead, 0);
    return result < 0
        ? result
        : block_write(node->children[0], v->sparse.end, v->footer, sizeof(v->footer), 0);
}

static const SparseKind vpc_kind = {
    .entry_size = 4,
    .big_endian = true,
    .decode = vpc_decode,
    .encode = vpc_encode,
    .added = vpc_added,
};

/* ---- opening ---- */

/* The footer, or at the start of a dynamic image its copy. */
static bool read_footer(BlockNode *node, GError **error)
{
    Vpc *v = node->state;
    uint64_t length = node->children[0]->length;

    if (length < FOOTER || block_read(node->children[0], 0, v->footer, FOOTER) < 0) {
        return block_refuse(node, error, "is too short for a vhd image");
    }
    if (memcmp(v->footer, "conectix", 8) != 0 &&
        (block_read(node->children[0], length - FOOTER, v->footer, FOOTER) < 0 ||
            memcmp(v->footer, "conectix", 8) != 0)) {
        return block_refuse(node, error, "is not a vhd image");
    }
    if (load_be(v->footer + CHECKSUM, 4) != checksum(v->footer, FOOTER, CHECKSUM)) {
        return block_refuse(node, error, "has a vhd footer with a wrong checksum");
    }
    return true;
}

static bool open_dynamic(BlockNode *node, GError **error)
{
    Vpc *v = node->state;
    uint64_t at = load_be(v->footer + NEXT_HEADER, 8);
    uint8_t head[DYNAMIC_HEADER];
    uint64_t block;

    if (!format_read(node, at, head, sizeof(head), error)) {
        return false;
    }
    block = load_be(head + DYNAMIC_BLOCK, 4);
    if (memcmp(head, "cxsparse", 8) != 0 ||
        load_be(head + DYNAMIC_CHECKSUM, 4) != checksum(head, sizeof(head), DYNAMIC_CHECKSUM)) {
        return block_refuse(node, error, "has a damaged header of a dynamic vhd");
    }
    if (block < SECTOR || block > BLOCK_MOST || (block & (block - 1)) != 0) {
        return block_refuse(node, error, "has blocks of %" G_GUINT64_FORMAT " bytes", block);
    }
    v->sparse = (Sparse){
        .kind = &vpc_kind,
        .block = block,
        .entries = load_be(head + DYNAMIC_ENTRIES, 4),
        .table = load_be(head + DYNAMIC_TABLE, 8),
        .align = SECTOR,
        .lead = (block / SECTOR / 8 + SECTOR - 1) / SECTOR * SECTOR,
    };
    if (v->sparse.table > INT64_MAX) {
        return block_refuse(node, error, "has a table out of place");
    }
    return sparse_open(node, error);
}

/* New blocks take the place of the footer, whose copy at the start is valid meanwhile. */
static void find_end(BlockNode *node)
{
    Vpc *v = node->state;
    uint64_t length = node->children[0]->length;
    uint8_t last[8] = { 0 };

    v->sparse.trail = FOOTER;
    if (length >= FOOTER && block_read(node->children[0], length - FOOTER, last, 8) == 0 &&
        memcmp(last, "conectix", 8) == 0) {
        v->sparse.end = length - FOOTER;
    }
}

static bool vpc_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vpc *v = node->state;
    uint32_t type;

    if (!read_footer(node, error)) {
        return false;
    }
    type = load_be(v->footer + DISK_TYPE, 4);
    node->length = load_be(v->footer + CURRENT_SIZE, 8);
    if (node->length > SIZE_MOST * 32 || type < TYPE_FIXED || type > TYPE_DIFFERENCING) {
        return block_refuse(node, error, "has a vhd footer that cannot be right");
    }
    if (type == TYPE_DIFFERENCING) {
        return block_refuse(node, error, "is a differencing vhd, which is not supported");
    }
    v->fixed = type == TYPE_FIXED;
    if (!v->fixed) {
        bool fine = open_dynamic(node, error);

        find_end(node);
        return fine;
    }
    return node->length <= node->children[0]->length - FOOTER ||
        block_refuse(node, error, "is cut off");
}

/* ---- requests: a fixed disk is a plain one ---- */

static int vpc_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Vpc *v = node->state;

    if (!v->fixed) {
        return sparse_map(node, at, length, out);
    }
    *out = (Extent){ .kind = EXTENT_DATA, .offset = at, .length = length, .writable = true };
    return 0;
}

static int vpc_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Vpc *v = node->state;

    return v->fixed ? vpc_map(node, at, length, out) : sparse_allocate(node, at, length, out);
}

static int vpc_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags)
{
    const Vpc *v = node->state;

    return v->fixed ? block_zero(node->children[0], at, length, flags)
                    : sparse_zero(node, at, length, flags);
}

static int vpc_discard(BlockNode *node, uint64_t at, uint64_t length)
{
    const Vpc *v = node->state;

    return v->fixed
        ? block_io(node->children[0], &(BlockIo){ .op = BLOCK_DISCARD, .at = at, .length = length })
        : sparse_discard(node, at, length);
}

static int vpc_flush(BlockNode *node)
{
    const Vpc *v = node->state;

    return v->fixed ? 0 : sparse_flush(node);
}

static void vpc_close(BlockNode *node)
{
    const Vpc *v = node->state;

    if (!v->fixed) {
        sparse_close(node);
    }
}

static int vpc_check(BlockNode *node, BlockCheck *out, BlockRepair repair)
{
    const Vpc *v = node->state;

    return v->fixed ? 0 : sparse_check(node, out, repair);
}

/* ---- creation ---- */

/* Cylinders, heads and sectors for a size ("CHS Calculation"). */
static uint32_t geometry(uint64_t sectors)
{
    uint64_t total = MIN(sectors, 65535 * 16 * 255), heads, per_track = 17, cylinder_heads;

    if (total >= 65535 * 16 * 63) {
        return (uint32_t)(total / (16 * 255)) << 16 | 16 << 8 | 255;
    }
    cylinder_heads = total / per_track;
    heads = MAX((cylinder_heads + 1023) / 1024, 4);
    if (cylinder_heads >= heads * 1024 || heads > 16) {
        per_track = 31;
        heads = 16;
        cylinder_heads = total / per_track;
    }
    if (cylinder_heads >= heads * 1024) {
        per_track = 63;
        cylinder_heads = total / per_track;
    }
    return (uint32_t)(cylinder_heads / heads) << 16 | heads << 8 | per_track;
}

static void make_footer(uint8_t *footer, uint64_t size, unsigned type)
{
    const struct {
        uint16_t offset, width;
        uint64_t value;
    } fields[] = {
        { FEATURES, 4, 2 },
        { FILE_VERSION, 4, 0x00010000 },
        { NEXT_HEADER, 8, type == TYPE_FIXED ? UINT64_MAX : FOOTER },
        { TIME, 4, time(NULL) - EPOCH },
        /* "win ": readers take the current size, not the geometry, as the size of the disk. */
        { CREATOR, 4, 0x77696e20 },
        { CREATOR_VERSION, 4, 0x00060001 },
        { CREATOR_HOST, 4, 0x5769326b },
        { ORIGINAL_SIZE, 8, size },
        { CURRENT_SIZE, 8, size },
        { GEOMETRY, 4, geometry(size / SECTOR) },
        { DISK_TYPE, 4, type },
    };

    memset(footer, 0, FOOTER);
    memcpy(footer, "conectix", 8);
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        store_be(footer + fields[i].offset, fields[i].width, fields[i].value);
    }
    for (unsigned i = 0; i < 16; i += 4) {
        store_be(footer + UUID + i, 4, g_random_int());
    }
    store_be(footer + CHECKSUM, 4, checksum(footer, FOOTER, CHECKSUM));
}

/* Footer, header, table, footer. */
static bool create_dynamic(BlockNode *file, uint64_t size, GError **error)
{
    uint64_t entries = (size + DEFAULT_BLOCK - 1) / DEFAULT_BLOCK;
    uint64_t table = FOOTER + DYNAMIC_HEADER;
    uint64_t end = table + (entries * 4 + SECTOR - 1) / SECTOR * SECTOR;
    g_autofree uint8_t *bytes = g_malloc0(end + FOOTER);
    uint8_t *head = bytes + FOOTER;

    make_footer(bytes, size, TYPE_DYNAMIC);
    memcpy(bytes + end, bytes, FOOTER);
    memcpy(head, "cxsparse", 8);
    store_be(head + DYNAMIC_DATA, 8, UINT64_MAX);
    store_be(head + DYNAMIC_TABLE, 8, table);
    store_be(head + DYNAMIC_VERSION, 4, 0x00010000);
    store_be(head + DYNAMIC_ENTRIES, 4, entries);
    store_be(head + DYNAMIC_BLOCK, 4, DEFAULT_BLOCK);
    store_be(head + DYNAMIC_CHECKSUM, 4, checksum(head, DYNAMIC_HEADER, DYNAMIC_CHECKSUM));
    memset(bytes + table, 0xff, end - table);
    return format_write(file, 0, bytes, end + FOOTER, error);
}

static bool create_fixed(BlockNode *file, uint64_t size, GError **error)
{
    uint8_t footer[FOOTER];

    make_footer(footer, size, TYPE_FIXED);
    return format_extend(file, size, error) && format_write(file, size, footer, FOOTER, error);
}

static bool vpc_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    const char *subformat = block_create_option(create, "subformat", "dynamic");
    uint64_t size = (create->size + SECTOR - 1) / SECTOR * SECTOR;

    if (size > SIZE_MOST) {
        return block_refuse(file, error, "is too large for a vhd: 2040GiB at most");
    }
    if (strcmp(subformat, "fixed") == 0) {
        return create_fixed(file, size, error);
    }
    return strcmp(subformat, "dynamic") == 0
        ? create_dynamic(file, size, error)
        : block_refuse(file, error, "gets subformat dynamic or fixed, not `%s`", subformat);
}

static void vpc_describe(BlockNode *node, BlockFact *add, GString *out)
{
    const Vpc *v = node->state;

    add(out, "subformat", v->fixed ? "fixed" : "dynamic");
}

/* force_size: the size is never rounded to a geometry here, so it says nothing new. */
static const char *const create_options[] = { "force_size", "subformat", NULL };

BLOCK_DRIVER(vpc) = {
    .name = "vpc",
    .state_size = sizeof(Vpc),
    .probe = vpc_probe,
    .open = vpc_open,
    .close = vpc_close,
    .map = vpc_map,
    .allocate = vpc_allocate,
    .link = sparse_link,
    .zero = vpc_zero,
    .discard = vpc_discard,
    .flush = vpc_flush,
    .check = vpc_check,
    .describe = vpc_describe,
    .create = vpc_create,
    .create_options = create_options,
};
