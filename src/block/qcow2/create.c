/* Making an empty qcow2 image. */
#include <errno.h>
#include <string.h>

#include "block/bytes.h"
#include "block/crypt/luks1.h"
#include "block/qcow2/header.h"
#include "block/qcow2/qcow2.h"

/* Where the parts of a new image are, in clusters: header, refcount table, blocks, L1, LUKS. */
typedef struct Layout {
    uint64_t reftable, blocks, l1, luks; /* how many of each */
    uint64_t total;
} Layout;

/* What the options say. */
typedef struct Wanted {
    uint64_t cluster_size, refcount_bits;
    bool version_2, extended, zstd, lazy, raw_data;
    const char *data_file; /* NULL: the data is in the image itself */
    bool encrypted;
    Luks1Wanted luks;
    BlockPreallocation preallocation;
} Wanted;

static bool refuse(GError **error, const char *text)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "a qcow2 image %s", text);
    return false;
}

static bool is_power_of_two(uint64_t value)
{
    return value > 0 && (value & (value - 1)) == 0;
}

/* Which of two words an option has; the first stands for one that is not given. */
static bool read_word(const BlockCreate *create, const char *name, const char *first,
    const char *second, bool *is_second, GError **error)
{
    const char *text = block_create_option(create, name, first);

    *is_second = strcmp(text, second) == 0;
    if (!*is_second && strcmp(text, first) != 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "%s of a qcow2 image is %s or %s", name,
            first, second);
        return false;
    }
    return true;
}

static bool read_version(const BlockCreate *create, Wanted *w, GError **error)
{
    const char *compat = block_create_option(create, "compat", "1.1");

    w->version_2 = strcmp(compat, "0.10") == 0 || strcmp(compat, "v2") == 0;
    return w->version_2 || strcmp(compat, "1.1") == 0 || strcmp(compat, "v3") == 0 ||
        refuse(error, "is `compat` 0.10 (v2) or 1.1 (v3)");
}

/* LUKS is all there is for new images. */
static bool read_encryption(
    const BlockNode *file, const BlockCreate *create, Wanted *w, GError **error)
{
    const char *format = block_create_option(create, "encrypt.format", NULL);

    w->encrypted = format != NULL;
    if (format && strcmp(format, "luks") != 0) {
        return refuse(error, "is encrypted with encrypt.format=luks; the old aes is not written");
    }
    return !format || luks1_read_wanted(file, create, "encrypt.", &w->luks, error);
}

static bool check_options(const Wanted *w, const BlockCreate *create, GError **error)
{
    if (!is_power_of_two(w->cluster_size) || w->cluster_size < 512 ||
        w->cluster_size > 2 * 1024 * 1024 || (w->extended && w->cluster_size < 16 * 1024)) {
        return refuse(
            error, "has a cluster_size of 512B to 2MiB (16KiB at least with extended_l2)");
    }
    if (!is_power_of_two(w->refcount_bits) || w->refcount_bits > 64) {
        return refuse(error, "has refcount_bits of 1, 2, 4, 8, 16, 32 or 64");
    }
    if (w->version_2 &&
        (w->refcount_bits != 16 || w->extended || w->zstd || w->lazy || w->data_file)) {
        return refuse(error,
            "of version 0.10 has 16 refcount_bits and neither extended_l2, zstd, lazy_refcounts "
            "nor a data_file");
    }
    if (w->encrypted && w->preallocation == PREALLOCATE_METADATA) {
        return refuse(
            error, "that is encrypted is not preallocated by metadata, which would read as noise");
    }
    if (w->raw_data && (!w->data_file || create->backing)) {
        return refuse(error, "with data_file_raw has a data_file and is not based on another");
    }
    return true;
}

static bool read_options(
    const BlockNode *file, const BlockCreate *create, Wanted *w, GError **error)
{
    w->data_file = block_create_option(create, "data_file", NULL);
    return block_create_number(create, "cluster_size", 65536, &w->cluster_size, error) &&
        block_create_number(create, "refcount_bits", 16, &w->refcount_bits, error) &&
        block_create_switch(create, "extended_l2", false, &w->extended, error) &&
        block_create_switch(create, "lazy_refcounts", false, &w->lazy, error) &&
        block_create_switch(create, "data_file_raw", false, &w->raw_data, error) &&
        read_word(create, "compression_type", "zlib", "zstd", &w->zstd, error) &&
        block_create_preallocation(create, true, &w->preallocation, error) &&
        read_version(create, w, error) && read_encryption(file, create, w, error) &&
        check_options(w, create, error);
}

static uint64_t divide_up(uint64_t value, uint64_t by)
{
    return value / by + (value % by > 0);
}

/* The refcount table is large enough for all that the image can become. */
static bool plan(const Wanted *w, uint64_t size, Layout *out, GError **error)
{
    uint64_t entry = w->extended ? 16 : 8;
    uint64_t per_block = w->cluster_size * 8 / w->refcount_bits;
    uint64_t data = divide_up(size, w->cluster_size);
    uint64_t l2 = divide_up(data, w->cluster_size / entry);
    uint64_t l1 = divide_up(l2 * 8, w->cluster_size);
    uint64_t most = (data + l2 + l1) + (data + l2 + l1) / 64 + 64;
    uint64_t blocks = divide_up(most, per_block - MIN(per_block / 2, 2)) + 1;

    out->l1 = MAX(l1, 1);
    out->reftable = divide_up(blocks * 8, w->cluster_size);
    out->luks = w->encrypted ? divide_up(luks1_room(&w->luks), w->cluster_size) : 0;
    out->blocks = divide_up(1 + out->reftable + out->l1 + out->luks + 16, per_block - 1);
    out->total = 1 + out->reftable + out->blocks + out->l1 + out->luks;
    if (l2 * 8 > QCOW2_MAX_L1_BYTES || out->reftable * w->cluster_size > QCOW2_MAX_REFTABLE_BYTES) {
        return refuse(error, "of this size needs a larger cluster_size");
    }
    return true;
}

static Qcow2Header header_of(const Wanted *w, const Layout *l, uint64_t size)
{
    uint64_t entry = w->extended ? 16 : 8;
    uint64_t span = w->cluster_size * (w->cluster_size / entry);

    return (Qcow2Header){
        .magic = QCOW2_MAGIC,
        .version = w->version_2 ? 2 : 3,
        .cluster_bits = __builtin_ctzll(w->cluster_size),
        .size = size,
        .crypt_method = w->encrypted ? QCOW2_LUKS : QCOW2_PLAIN,
        .l1_size = divide_up(size, span),
        .l1_table_offset = (1 + l->reftable + l->blocks) * w->cluster_size,
        .refcount_table_offset = w->cluster_size,
        .refcount_table_clusters = l->reftable,
        .incompatible_features = (w->extended ? QCOW2_INCOMPAT_EXTENDED_L2 : 0) |
            (w->zstd ? QCOW2_INCOMPAT_COMPRESSION : 0) |
            (w->data_file ? QCOW2_INCOMPAT_DATA_FILE : 0),
        .compatible_features = w->lazy ? QCOW2_COMPAT_LAZY : 0,
        .autoclear_features = w->raw_data ? QCOW2_AUTOCLEAR_RAW_DATA : 0,
        .refcount_order = __builtin_ctzll(w->refcount_bits),
        .header_length = w->version_2 ? QCOW2_V2_HEADER
            : w->zstd                 ? QCOW2_HEADER_READ
                                      : QCOW2_V3_HEADER,
        .compression_type = w->zstd ? QCOW2_ZSTD : QCOW2_DEFLATE,
    };
}

static void append_u32(GByteArray *bytes, uint32_t value)
{
    value = GUINT32_TO_BE(value);
    g_byte_array_append(bytes, (uint8_t *)&value, sizeof(value));
}

static void append_extension(GByteArray *bytes, uint32_t type, const void *data, size_t length)
{
    static const uint8_t padding[8];

    append_u32(bytes, type);
    append_u32(bytes, length);
    g_byte_array_append(bytes, data, length);
    g_byte_array_append(bytes, padding, -length & 7);
}

static uint64_t luks_offset(const Wanted *w, const Layout *l)
{
    return (l->total - l->luks) * w->cluster_size;
}

/* The header, its extensions, and behind them the name of the backing file. */
static GByteArray *header_bytes(
    Qcow2Header header, const Wanted *w, const Layout *l, const BlockCreate *create)
{
    uint8_t place[16];
    GByteArray *bytes = g_byte_array_new();
    size_t length = header.header_length;

    g_byte_array_append(bytes, (uint8_t *)&header, length);
    if (create->backing && create->backing_format) {
        append_extension(bytes, QCOW2_EXT_BACKING_FORMAT, create->backing_format,
            strlen(create->backing_format));
    }
    if (w->data_file) {
        append_extension(bytes, QCOW2_EXT_DATA_FILE, w->data_file, strlen(w->data_file));
    }
    if (w->encrypted) {
        store_be(place, 8, luks_offset(w, l));
        store_be(place + 8, 8, luks1_room(&w->luks));
        append_extension(bytes, QCOW2_EXT_ENCRYPTION, place, sizeof(place));
    }
    append_u32(bytes, 0);
    append_u32(bytes, 0);
    if (create->backing) {
        header.backing_file_offset = bytes->len;
        header.backing_file_size = strlen(create->backing);
        g_byte_array_append(bytes, (const uint8_t *)create->backing, header.backing_file_size);
    }
    qcow2_header_swap(&header);
    memcpy(bytes->data, &header, length);
    return bytes;
}

static int write_reftable(BlockNode *file, const Wanted *w, const Layout *l)
{
    g_autofree uint64_t *entries = g_new0(uint64_t, l->reftable * w->cluster_size / 8);

    for (uint64_t i = 0; i < l->blocks; i++) {
        entries[i] = GUINT64_TO_BE((1 + l->reftable + i) * w->cluster_size);
    }
    return block_write(file, w->cluster_size, entries, l->reftable * w->cluster_size, 0);
}

/* Refcounts of 1 for all that is there: as whole bytes, and as bits where they are narrower. */
static int write_blocks(BlockNode *file, const Wanted *w, const Layout *l)
{
    g_autofree uint8_t *bytes = g_malloc0(l->blocks * w->cluster_size);

    for (uint64_t i = 0; i < l->total; i++) {
        uint64_t last_bit = (i + 1) * w->refcount_bits - 1;

        if (w->refcount_bits < 8) {
            bytes[i * w->refcount_bits / 8] |= 1u << i * w->refcount_bits % 8;
        } else {
            bytes[last_bit / 8] = 1;
        }
    }
    return block_write(
        file, (1 + l->reftable) * w->cluster_size, bytes, l->blocks * w->cluster_size, 0);
}

static bool write_luks(
    BlockNode *file, const Wanted *w, const Layout *l, const BlockCreate *create, GError **error)
{
    g_autoptr(GByteArray) bytes = NULL;

    if (!w->encrypted) {
        return true;
    }
    bytes = luks1_build(file, &w->luks, &create->key, error);
    if (!bytes) {
        return false;
    }
    g_byte_array_set_size(bytes, l->luks * w->cluster_size);
    memset(bytes->data + luks1_room(&w->luks), 0, bytes->len - luks1_room(&w->luks));
    return block_write(file, luks_offset(w, l), bytes->data, bytes->len, 0) == 0 ||
        block_refuse(file, error, "cannot be written");
}

static bool write_image(
    BlockNode *file, const Wanted *w, const Layout *l, const BlockCreate *create, GError **error)
{
    Qcow2Header header = header_of(w, l, create->size);
    g_autoptr(GByteArray) bytes = header_bytes(header, w, l, create);
    g_autofree uint8_t *cluster = g_malloc0(w->cluster_size);
    int result = write_reftable(file, w, l);

    if (bytes->len > w->cluster_size) {
        return refuse(error, "has no room for so long a name of its backing file");
    }
    memcpy(cluster, bytes->data, bytes->len);
    if (result == 0) {
        result = write_blocks(file, w, l);
    }
    for (uint64_t i = 0; i < l->l1 && result == 0; i++) {
        result = block_zero(file, header.l1_table_offset + i * w->cluster_size, w->cluster_size, 0);
    }
    if (result == 0) {
        result = block_flush(file);
    }
    if (result == 0) { /* last: without it there is no image */
        result = block_write(file, 0, cluster, w->cluster_size, 0);
    }
    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be written: %s", file->name,
            g_strerror(-result));
    }
    return result == 0;
}

/* The file beside the image that will have the guest's data; one that is there is kept. */
static bool create_data_file(
    BlockNode *file, const Wanted *w, const BlockCreate *create, uint64_t size, GError **error)
{
    g_autofree char *path = NULL;
    BlockOptions options = { .cache = file->cache };
    BlockNode *data;
    int result;

    if (!w->data_file) {
        return true;
    }
    path = block_path_beside(file->name, w->data_file);
    options.path = path;
    options.create = !g_file_test(path, G_FILE_TEST_EXISTS);
    data = block_open(file->loop, block_driver_find("file"), &options, NULL, NULL, error);
    if (data && options.create) {
        block_create_made(create, path);
    }
    result = data ? block_resize(data, size) : -EIO;
    if (data && result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_SIZE, "`%s`: %s", path, g_strerror(-result));
    }
    block_unref(data);
    return result == 0;
}

int qcow2_preallocate(Qcow2 *q, BlockPreallocation preallocation)
{
    BlockNode *node = q->node;
    int result = 0;

    for (uint64_t at = 0, length; at < node->length && result == 0; at += length) {
        Extent extent = { 0 };
        BlockNode *data = node->children[q->data_child];

        length = node->length - at;
        result = qcow2_allocate(node, at, length, &extent);
        length = extent.length;
        if (result == 0 && extent.fresh) {
            result = block_preallocate(
                data, extent.offset, extent.length + extent.tail, preallocation);
            if (result == 0) {
                result = qcow2_link(node, at, &extent);
            }
        }
    }
    return result;
}

/* Gives all of the disk a place, in the image that has just been made. */
static bool preallocate(BlockNode *file, const Wanted *w, const BlockCreate *create, GError **error)
{
    BlockOptions options = { .path = file->name, .cache = file->cache, .key = create->key };
    BlockNode *image;
    int result;

    if (w->preallocation == PREALLOCATE_OFF) {
        return true;
    }
    if (create->backing) {
        return refuse(error, "that is based on another is not preallocated");
    }
    image = block_open(
        file->loop, block_driver_find("qcow2"), &options, block_ref(file), NULL, error);
    if (!image) {
        return false;
    }
    result = qcow2_preallocate(qcow2_of(image), w->preallocation);
    if (result == 0) {
        result = block_flush(image);
    }
    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be preallocated: %s",
            file->name, g_strerror(-result));
    }
    block_unref(image);
    return result == 0;
}

bool qcow2_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    BlockCreate whole = *create; /* other programs ignore a part of a sector */
    Wanted wanted = { 0 };
    Layout layout;

    whole.size = (create->size + 511) & ~UINT64_C(511);
    return read_options(file, &whole, &wanted, error) &&
        plan(&wanted, whole.size, &layout, error) &&
        create_data_file(file, &wanted, create, whole.size, error) &&
        write_luks(file, &wanted, &layout, &whole, error) &&
        write_image(file, &wanted, &layout, &whole, error) &&
        preallocate(file, &wanted, &whole, error);
}

/* Tables as if all of the disk were written, and the clusters that hold data. */
bool qcow2_measure(BlockNode *from, const BlockCreate *create, BlockMeasure *out, GError **error)
{
    Wanted w = { 0 };
    Layout layout;
    uint64_t clusters, l2, tables, per_block, blocks;
    int64_t data;

    if (!read_options(from, create, &w, error) || !plan(&w, create->size, &layout, error)) {
        return false;
    }
    data = from ? block_count_data(from, w.cluster_size) : 0;
    if (data < 0) {
        g_set_error(
            error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s`: %s", from->name, g_strerror(-data));
        return false;
    }
    per_block = w.cluster_size * 8 / w.refcount_bits;
    clusters = divide_up(create->size, w.cluster_size);
    l2 = divide_up(clusters, w.cluster_size / (w.extended ? 16 : 8));
    tables = layout.total - layout.blocks + l2;
    blocks = MAX(layout.blocks, divide_up(clusters + tables, per_block - 1));
    tables = (tables + blocks) * w.cluster_size;
    out->full = tables + (w.data_file ? 0 : clusters * w.cluster_size);
    out->required = tables + (w.data_file ? 0 : (uint64_t)data);
    if (w.preallocation != PREALLOCATE_OFF) {
        out->required = out->full;
    }
    return true;
}
