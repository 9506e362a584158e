/* The format `qcow2`, versions 2 and 3. */
#include "block/qcow2/qcow2.h"

#include <errno.h>
#include <string.h>

#include "block/qcow2/bitmap.h"
#include "block/qcow2/crypt.h"
#include "block/qcow2/header.h"

/* Of tables in memory: where nothing is said, and as little as a commit can do with. */
enum { CACHE_BYTES = 4 << 20, CACHE_LEAST = 64 << 10 };

static unsigned qcow2_probe(const uint8_t *head, size_t length)
{
    return length >= 8 && memcmp(head, "QFI\xfb", 4) == 0 && head[7] != 1 ? 100 : 0;
}

static int read_table(Qcow2 *q, Qcow2Table *table, uint64_t offset, uint64_t size)
{
    int result;

    table->offset = offset;
    table->size = size;
    table->entries = g_try_new0(uint64_t, MAX(size, 1));
    result = table->entries ? block_read(q->file, offset, table->entries, size * sizeof(uint64_t))
                            : -ENOMEM;
    for (uint64_t i = 0; i < size && result == 0; i++) {
        table->entries[i] = GUINT64_FROM_BE(table->entries[i]);
    }
    return result;
}

/* Who only reads the disk does not need it: the many images of a chain open faster. */
int qcow2_need_reftable(Qcow2 *q)
{
    uint64_t bytes = (uint64_t)q->header.refcount_table_clusters * q->cluster_size;

    if (q->reftable.entries) {
        return 0;
    }
    return read_table(q, &q->reftable, q->header.refcount_table_offset, bytes / sizeof(uint64_t));
}

static bool read_tables(Qcow2 *q, GError **error)
{
    int result = read_table(q, &q->l1, q->header.l1_table_offset, q->header.l1_size);

    if (result == 0 && !q->node->read_only) {
        result = qcow2_need_reftable(q);
    }
    if (result < 0) {
        g_set_error(
            error, BLOCK_ERROR, BLOCK_ERROR_HOST, "a table of `%s` cannot be read", q->node->name);
    }
    return result == 0;
}

static bool open_data_file(Qcow2 *q, const BlockOptions *options, GError **error)
{
    g_autofree char *path = NULL;
    BlockOptions data = *options;

    if (!(q->header.incompatible_features & QCOW2_INCOMPAT_DATA_FILE)) {
        return true;
    }
    if (!q->data_file) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
            "`%s` keeps its data in another file, but does not say in which", q->node->name);
        return false;
    }
    path = block_path_beside(q->node->name, q->data_file);
    data.path = path;
    q->external = true;
    q->data_child = 1;
    q->data = q->node->children[1] = block_open(
        q->node->loop, block_driver_find("file"), &data, NULL, NULL, error);
    return q->data != NULL;
}

/*
 * Whoever writes and does not keep these up to date has to clear them ("autoclear_features").
 * Bitmaps that cannot be read are not kept.
 */
static int clear_autoclear(Qcow2 *q)
{
    uint64_t kept = q->header.autoclear_features & QCOW2_AUTOCLEAR_RAW_DATA;

    if (q->bitmap_count > 0 && qcow2_read_bitmaps(q) == 0) {
        kept |= q->header.autoclear_features & QCOW2_AUTOCLEAR_BITMAPS;
        q->node->tells = true;
    } else {
        q->bitmap_count = q->bitmap_directory_size = q->bitmap_directory = 0;
    }
    if (kept == q->header.autoclear_features) {
        return 0;
    }
    q->header.autoclear_features = kept;
    return qcow2_write_header(q);
}

/* The last writer put off counting references, and did not come to it: that is made good here. */
static bool count_again(Qcow2 *q, GError **error)
{
    BlockCheck found = { 0 };

    if (qcow2_check(q->node, &found, true) == 0 && found.errors == 0) {
        return true;
    }
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT,
        "`%s` was not closed by its last writer, and cannot be repaired", q->node->name);
    return false;
}

static bool prepare_to_write(Qcow2 *q, const BlockOptions *options, GError **error)
{
    if (q->header.incompatible_features & QCOW2_INCOMPAT_DIRTY && !options->repair &&
        !count_again(q, error)) {
        return false;
    }
    if (clear_autoclear(q) < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_HOST, "`%s` cannot be written", q->node->name);
        return false;
    }
    return true;
}

static bool show_snapshot(Qcow2 *q, const BlockOptions *options, GError **error)
{
    int result = options->snapshot ? qcow2_snapshots.show(q->node, options->snapshot) : 0;

    if (result < 0) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_FORMAT, "`%s` has no snapshot `%s`%s",
            q->node->name, options->snapshot, result == -ENOENT ? "" : " that can be read");
    }
    return result == 0;
}

static unsigned cache_pages(const BlockOptions *options)
{
    uint64_t bytes = options->metadata_cache ? options->metadata_cache : CACHE_BYTES;

    return MIN(MAX(bytes, CACHE_LEAST) / META_PAGE, UINT32_MAX);
}

static bool qcow2_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Qcow2 *q = qcow2_of(node);

    q->node = node;
    q->file = q->data = node->children[0];
    q->to_free = g_array_new(false, false, sizeof(uint64_t));
    q->bitmap_frees = g_array_new(false, false, sizeof(uint64_t));
    if (!qcow2_read_header(q, options->repair, error)) {
        return false;
    }
    meta_init(&q->meta, MIN(META_PAGE, q->cluster_size), cache_pages(options));
    node->length = q->header.size;
    node->cluster = q->cluster_size;
    q->known_end = q->file->length;
    q->top_cluster = q->known_end >> q->cluster_bits;
    return read_tables(q, error) && open_data_file(q, options, error) &&
        qcow2_open_crypt(q, options, error) && show_snapshot(q, options, error) &&
        (node->read_only || prepare_to_write(q, options, error));
}

/* Whoever wants to be sure flushes before, and then only leaks and bitmaps are left to lose. */
static void commit_at_end(Qcow2 *q)
{
    int result = qcow2_store_bitmaps(q);
    int committed = qcow2_commit(q);

    result = result < 0 ? result : committed;
    committed = qcow2_commit(q); /* the refcounts that the first one could bring down */
    result = result < 0 ? result : committed;
    if (result < 0) {
        block_lose(q->node,
            "could not be closed as it should be, look at it with `lathe img check`: %s",
            g_strerror(-result));
    }
}

static void qcow2_close(BlockNode *node)
{
    Qcow2 *q = qcow2_of(node);

    if (q->meta.pages && !node->read_only) {
        commit_at_end(q);
    }
    meta_clear(&q->meta);
    g_clear_pointer(&q->to_free, g_array_unref);
    g_clear_pointer(&q->bitmap_frees, g_array_unref);
    g_clear_pointer(&q->bitmaps, g_ptr_array_unref);
    g_free(q->l1.entries);
    g_free(q->reftable.entries);
    qcow2_close_crypt(q);
    g_free(q->data_file);
    g_free(q->unpacked);
    g_clear_pointer(&q->snapshots, g_ptr_array_unref);
}

static int qcow2_flush(BlockNode *node)
{
    return qcow2_commit(qcow2_of(node));
}

static void qcow2_describe(BlockNode *node, BlockFact *add, GString *out)
{
    const Qcow2 *q = qcow2_of(node);
    g_autofree char *cluster = g_strdup_printf("%u", q->cluster_size);
    g_autofree char *width = g_strdup_printf("%u", q->refcount_bits);
    g_autofree char *snapshots = g_strdup_printf("%u", q->header.nb_snapshots);

    add(out, "compat", q->header.version == 2 ? "0.10" : "1.1");
    add(out, "cluster_size", cluster);
    add(out, "refcount_bits", width);
    add(out, "extended_l2", qcow2_has_subclusters(q) ? "on" : "off");
    add(out, "compression_type", q->header.compression_type == QCOW2_ZSTD ? "zstd" : "zlib");
    add(out, "lazy_refcounts", q->header.compatible_features & QCOW2_COMPAT_LAZY ? "on" : "off");
    add(out, "snapshots", snapshots);
    if (q->header.crypt_method != QCOW2_PLAIN) {
        add(out, "encrypt.format", q->header.crypt_method == QCOW2_AES ? "aes" : "luks");
    }
    if (q->data_file) {
        add(out, "data_file", q->data_file);
    }
    if (q->header.incompatible_features & QCOW2_INCOMPAT_CORRUPT) {
        add(out, "corrupt", "yes");
    }
}

static const char *const create_options[] = { "cluster_size", "compat", "compression_type",
    "data_file", "data_file_raw", "encrypt.cipher-alg", "encrypt.cipher-mode", "encrypt.format",
    "encrypt.hash-alg", "encrypt.iter-time", "encrypt.ivgen-alg", "encrypt.ivgen-hash-alg",
    "extended_l2", "lazy_refcounts", "preallocation", "refcount_bits", NULL };

BLOCK_DRIVER(qcow2) = {
    .name = "qcow2",
    .state_size = sizeof(Qcow2),
    .probe = qcow2_probe,
    .open = qcow2_open,
    .close = qcow2_close,
    .map = qcow2_map,
    .unpack = qcow2_unpack,
    .pack = qcow2_pack,
    .allocate = qcow2_allocate,
    .link = qcow2_link,
    .abandon = qcow2_abandon,
    .zero = qcow2_zero,
    .discard = qcow2_discard,
    .flush = qcow2_flush,
    .touch = qcow2_touch,
    .check = qcow2_check,
    .resize = qcow2_resize,
    .empty = qcow2_empty,
    .set_backing = qcow2_set_backing,
    .amend = qcow2_amend,
    .amend_options = qcow2_amend_options,
    .snapshots = &qcow2_snapshots,
    .bitmaps = &qcow2_bitmaps,
    .describe = qcow2_describe,
    .create = qcow2_create,
    .measure = qcow2_measure,
    .create_options = create_options,
    .has_backing = true,
};
