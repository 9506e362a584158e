#include "block/formats/vmdk.h"

#include <errno.h>
#include <string.h>

#include "block/pack.h"

enum { MARKER = 12 }; /* before a compressed grain: its sector and its length */

static unsigned vmdk_probe(const uint8_t *head, size_t length)
{
    static const char text[] = "# Disk DescriptorFile";

    return length >= VMDK_HEADER &&
            (memcmp(head, "KDMV", 4) == 0 || memcmp(head, text, sizeof(text) - 1) == 0)
        ? 100
        : 0;
}

/* ---- the tables of a sparse file ---- */

static void vmdk_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    const Vmdk *v = node->state;

    if (entry == 1 && v->flags & VMDK_FLAG_ZERO) {
        out->kind = EXTENT_ZERO;
    } else if (entry != 0) {
        out->kind = v->flags & VMDK_FLAG_COMPRESSED ? EXTENT_PACKED : EXTENT_DATA;
        out->offset = out->cookie = entry * VMDK_SECTOR;
    }
}

static uint64_t vmdk_encode(const BlockNode *node, uint64_t offset)
{
    return offset / VMDK_SECTOR;
}

static const SparseKind plain_kind = {
    .entry_size = 4,
    .decode = vmdk_decode,
    .encode = vmdk_encode,
    .begin = vmdk_new_content_id,
};

static const SparseKind zero_kind = {
    .entry_size = 4,
    .decode = vmdk_decode,
    .encode = vmdk_encode,
    .has_zero = true,
    .zero = 1,
    .begin = vmdk_new_content_id,
};

/* ---- opening a sparse file ---- */

/* The directory may not have been known when the header was written: a footer says it. */
static bool read_header(BlockNode *node, uint8_t *head, GError **error)
{
    uint64_t length = node->children[0]->length;

    if (!format_read(node, 0, head, VMDK_HEADER, error)) {
        return false;
    }
    if (load_le(head + VMDK_DIRECTORY, 8) != VMDK_AT_END) {
        return true;
    }
    if (!node->read_only) {
        return block_refuse(node, error,
            "was written as a stream with its tables at the end, and can only be read");
    }
    return length >= 3 * VMDK_HEADER &&
        format_read(node, length - 2 * VMDK_HEADER, head, VMDK_HEADER, error) &&
        (memcmp(head, "KDMV", 4) == 0 || block_refuse(node, error, "has a damaged footer"));
}

static bool check_header(BlockNode *node, const uint8_t *head, GError **error)
{
    uint32_t version = load_le(head + VMDK_VERSION, 4);
    uint64_t grain = load_le(head + VMDK_GRAIN, 8);
    uint64_t per_table = load_le(head + VMDK_PER_TABLE, 4);

    if (version < 1 || version > 3) {
        return block_refuse(node, error, "has vmdk version %u; known are 1 to 3", version);
    }
    if (grain < 1 || grain > 32768 || (grain & (grain - 1)) != 0 || per_table == 0 ||
        per_table > VMDK_TABLE_ENTRIES) {
        return block_refuse(node, error, "has grains or tables of an unusual size");
    }
    if (load_le(head + VMDK_CAPACITY, 8) > INT64_MAX / VMDK_SECTOR / 2 ||
        load_le(head + VMDK_DIRECTORY, 8) > INT64_MAX / VMDK_SECTOR / 2 ||
        load_le(head + VMDK_MIRROR, 8) > INT64_MAX / VMDK_SECTOR / 2) {
        return block_refuse(node, error, "has a vmdk header that cannot be right");
    }
    if (load_le(head + VMDK_FLAGS, 4) & VMDK_FLAG_COMPRESSED &&
        load_le(head + VMDK_COMPRESSION, 2) != VMDK_DEFLATE) {
        return block_refuse(node, error, "is compressed by an unknown method");
    }
    return true;
}

static bool read_descriptor(BlockNode *node, uint64_t at, uint64_t length, GError **error)
{
    Vmdk *v = node->state;

    if (at == 0 || length == 0) {
        return true; /* one of several files: the descriptor is elsewhere */
    }
    length = MIN(length, VMDK_DESCRIPTOR_MOST);
    v->descriptor = g_malloc0(length + 1);
    v->descriptor_at = at;
    return format_read(node, at, v->descriptor, length, error);
}

static void find_backing(BlockNode *node)
{
    Vmdk *v = node->state;
    const char *text = v->descriptor ? v->descriptor : "";
    g_autofree char *parent = vmdk_descriptor_value(text, "parentCID");

    if (parent && g_ascii_strcasecmp(parent, "ffffffff") != 0) {
        node->backing_path = vmdk_descriptor_value(text, "parentFileNameHint");
    }
}

static bool open_sparse(BlockNode *node, GError **error)
{
    Vmdk *v = node->state;
    uint8_t head[VMDK_HEADER];
    uint64_t span;

    if (!read_header(node, head, error) || !check_header(node, head, error) ||
        !read_descriptor(node, load_le(head + VMDK_DESCRIPTOR, 8) % (1 << 30) * VMDK_SECTOR,
            load_le(head + VMDK_DESCRIPTOR_SIZE, 8) % (1 << 30) * VMDK_SECTOR, error)) {
        return false;
    }
    find_backing(node);
    v->flags = load_le(head + VMDK_FLAGS, 4);
    node->length = load_le(head + VMDK_CAPACITY, 8) * VMDK_SECTOR;
    node->packs_only = v->flags & VMDK_FLAG_COMPRESSED;
    v->sparse = (Sparse){
        .kind = v->flags & VMDK_FLAG_ZERO ? &zero_kind : &plain_kind,
        .block = load_le(head + VMDK_GRAIN, 8) * VMDK_SECTOR,
        .table = load_le(head + VMDK_DIRECTORY, 8) * VMDK_SECTOR,
        .per_table = load_le(head + VMDK_PER_TABLE, 4),
        .table_unit = VMDK_SECTOR,
        .mirror = v->flags & VMDK_FLAG_MIRROR && !node->read_only
            ? load_le(head + VMDK_MIRROR, 8) * VMDK_SECTOR
            : 0,
        .align = node->packs_only ? VMDK_SECTOR : load_le(head + VMDK_GRAIN, 8) * VMDK_SECTOR,
        .first_data = VMDK_HEADER,
    };
    span = v->sparse.block * v->sparse.per_table;
    v->sparse.entries = (node->length + span - 1) / span * v->sparse.per_table;
    return sparse_open(node, error);
}

/* ---- compressed grains ---- */

static int vmdk_unpack(BlockNode *node, const Extent *from, void *out)
{
    const Vmdk *v = node->state;
    BlockNode *file = node->children[0];
    uint64_t grain = v->sparse.block, size = grain * 2, at = from->cookie;
    g_autofree uint8_t *plain = g_malloc(grain);
    g_autofree uint8_t *packed = g_malloc(size);
    uint8_t marker[MARKER];
    int result = 0;

    if (v->flags & VMDK_FLAG_MARKERS) {
        result = block_read(file, at, marker, MARKER);
        size = result == 0 ? load_le(marker + 8, 4) : 0;
        at += MARKER;
    }
    if (result == 0) {
        result = size > grain * 2 ? -EIO : block_read(file, at, packed, size);
    }
    if (result < 0) {
        return result;
    }
    if (unpack(&(Packing){ PACK_ZLIB, packed, size, plain, grain }) <
        (int64_t)(from->skip + from->length)) {
        return -EIO;
    }
    memcpy(out, plain + from->skip, from->length);
    return 0;
}

/* A grain behind all others; the format has no way to say "not compressed", so it may grow. */
static int vmdk_pack(BlockNode *node, uint64_t at, const void *data, uint64_t length)
{
    const Vmdk *v = node->state;
    uint64_t room = v->sparse.block * 2;
    g_autofree uint8_t *plain = g_malloc0(v->sparse.block);
    g_autofree uint8_t *packed = g_malloc0(MARKER + room + VMDK_SECTOR);
    Packing packing = { PACK_ZLIB, plain, v->sparse.block, packed + MARKER, room };
    int64_t size;

    if (!node->packs_only) {
        return -ENOTSUP;
    }
    memcpy(plain, data, length);
    size = pack_on_thread(node->loop, &packing);
    if (size < 0) {
        return size;
    }
    store_le(packed, 8, at / VMDK_SECTOR);
    store_le(packed + 8, 4, size);
    size = (MARKER + size + VMDK_SECTOR - 1) / VMDK_SECTOR * VMDK_SECTOR;
    return sparse_append(node, at, packed, size);
}

/* ---- the driver: one sparse file, or a list ---- */

static bool vmdk_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Vmdk *v = node->state;
    uint8_t magic[4];

    if (!format_read(node, 0, magic, sizeof(magic), error)) {
        return false;
    }
    if (memcmp(magic, "KDMV", 4) == 0) {
        return open_sparse(node, error);
    }
    v->is_list = true;
    v->descriptor = g_malloc0(VMDK_DESCRIPTOR_MOST + 1);
    return format_read(node, 0, v->descriptor, MIN(node->children[0]->length, VMDK_DESCRIPTOR_MOST),
               error) &&
        vmdk_open_list(node, options, error);
}

static void vmdk_close(BlockNode *node)
{
    Vmdk *v = node->state;

    if (!v->is_list) {
        sparse_close(node);
    }
    g_clear_pointer(&v->extents, g_array_unref);
    g_free(v->descriptor);
}

static int vmdk_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    return ((Vmdk *)node->state)->is_list ? vmdk_list_map(node, at, length, out)
                                          : sparse_map(node, at, length, out);
}

static int vmdk_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    if (((Vmdk *)node->state)->is_list) {
        return vmdk_list_allocate(node, at, length, out);
    }
    return node->packs_only ? -ENOTSUP : sparse_allocate(node, at, length, out);
}

static int vmdk_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags)
{
    return ((Vmdk *)node->state)->is_list ? -ENOTSUP : sparse_zero(node, at, length, flags);
}

static int vmdk_discard(BlockNode *node, uint64_t at, uint64_t length)
{
    return ((Vmdk *)node->state)->is_list ? 0 : sparse_discard(node, at, length);
}

static int vmdk_flush(BlockNode *node)
{
    return ((Vmdk *)node->state)->is_list ? 0 : sparse_flush(node);
}

/* A list has nothing of its own to check; its files have. */
static int vmdk_check(BlockNode *node, BlockCheck *out, BlockRepair repair)
{
    const Vmdk *v = node->state;
    int result = v->is_list ? 0 : sparse_check(node, out, repair);

    for (unsigned i = 1; v->is_list && i <= v->extents->len && result == 0; i++) {
        BlockNode *child = i < node->children_most ? node->children[i] : NULL;

        result = child && child->driver->check ? child->driver->check(child, out, repair) : 0;
    }
    return result;
}

static void vmdk_describe(BlockNode *node, BlockFact *add, GString *out)
{
    const Vmdk *v = node->state;
    g_autofree char *type = vmdk_descriptor_value(v->descriptor ? v->descriptor : "", "createType");

    add(out, "subformat", type ? type : "not said");
}

BLOCK_DRIVER(vmdk) = {
    .name = "vmdk",
    .state_size = sizeof(Vmdk),
    .probe = vmdk_probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .map = vmdk_map,
    .allocate = vmdk_allocate,
    .link = sparse_link,
    .zero = vmdk_zero,
    .discard = vmdk_discard,
    .flush = vmdk_flush,
    .unpack = vmdk_unpack,
    .pack = vmdk_pack,
    .check = vmdk_check,
    .describe = vmdk_describe,
    .create = vmdk_create,
    .create_options = vmdk_create_options,
    .has_backing = true,
};
