/* The format `qcow`, version 1 of qcow2, to be read: two levels, numbers big endian. */
#include <errno.h>
#include <string.h>

#include "block/crypt/cipher.h"
#include "block/formats/sparse.h"
#include "block/pack.h"
#include "block/qcow2/crypt.h"

/* Offsets in the header. */
enum {
    VERSION = 4,
    BACKING_OFFSET = 8,
    BACKING_SIZE = 16,
    SIZE = 24,
    CLUSTER_BITS = 32,
    L2_BITS = 33,
    CRYPT_METHOD = 36,
    L1_OFFSET = 40,
    HEADER = 48,
};

#define COMPRESSED (UINT64_C(1) << 63)

typedef struct Qcow {
    Sparse sparse;
    unsigned cluster_bits;
    Cipher *cipher; /* NULL: not encrypted */
} Qcow;

static unsigned qcow_probe(const uint8_t *head, size_t length)
{
    return length >= HEADER && memcmp(head, "QFI\xfb\0\0\0\1", 8) == 0 ? 100 : 0;
}

static void qcow_decode(const BlockNode *node, uint64_t entry, Extent *out)
{
    out->kind = entry & COMPRESSED ? EXTENT_PACKED : entry ? EXTENT_DATA : EXTENT_BACKING;
    out->offset = entry;
    out->cookie = entry;
}

static const SparseKind qcow_kind = {
    .entry_size = 8,
    .big_endian = true,
    .decode = qcow_decode,
};

/* With encrypted data the cookie is the byte of the disk, which has no top bit. */
static int qcow_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    const Qcow *q = node->state;
    int result = sparse_map(node, at, length, out);

    if (result == 0 && q->cipher && out->kind == EXTENT_DATA) {
        out->kind = EXTENT_PACKED;
        out->encrypted = true;
        out->cookie = at;
        out->length = MIN(out->length, q->sparse.block);
    }
    return result;
}

/* Raw deflate; the entry says how many bytes, and where. */
static int qcow_unpack(BlockNode *node, const Extent *from, void *out)
{
    const Qcow *q = node->state;
    unsigned split = 63 - q->cluster_bits;
    uint64_t size = from->cookie >> split & (q->sparse.block - 1);
    uint64_t offset = from->cookie & ((UINT64_C(1) << split) - 1);
    g_autofree uint8_t *packed = NULL, *cluster = NULL;
    int result;

    if (!(from->cookie & COMPRESSED)) {
        return qcow_legacy_read(
            q->cipher, node->children[0], from->cookie, from->offset, from->length, out);
    }
    packed = g_malloc(size + 1);
    cluster = g_malloc(q->sparse.block);
    result = block_read(node->children[0], offset, packed, size);

    if (result < 0) {
        return result;
    }
    if (unpack(&(Packing){ PACK_DEFLATE, packed, size, cluster, q->sparse.block }) !=
        (int64_t)q->sparse.block) {
        return -EIO;
    }
    memcpy(out, cluster + from->skip, from->length);
    return 0;
}

/* ---- opening ---- */

static bool check_header(BlockNode *node, const uint8_t *head, GError **error)
{
    if (qcow_probe(head, HEADER) == 0) {
        return block_refuse(node, error, "is not a qcow image of version 1");
    }
    if (!node->read_only) {
        return block_refuse(node, error, "is a qcow image of version 1, which can only be read");
    }
    if (load_be(head + CRYPT_METHOD, 4) > QCOW2_AES) {
        return block_refuse(
            node, error, "is encrypted by a method that is not known; known is 1 (AES)");
    }
    if (head[CLUSTER_BITS] < 9 || head[CLUSTER_BITS] > 16 || head[L2_BITS] < 6 ||
        head[L2_BITS] > 13 || load_be(head + SIZE, 8) > INT64_MAX / 2 ||
        load_be(head + L1_OFFSET, 8) > INT64_MAX / 2) {
        return block_refuse(node, error, "has a qcow header that cannot be right");
    }
    return true;
}

static bool qcow_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Qcow *q = node->state;
    uint8_t head[HEADER];
    unsigned span_bits;

    if (!format_read(node, 0, head, sizeof(head), error) || !check_header(node, head, error) ||
        !format_read_backing(
            node, load_be(head + BACKING_OFFSET, 8), load_be(head + BACKING_SIZE, 4), error)) {
        return false;
    }
    node->length = load_be(head + SIZE, 8);
    q->cluster_bits = head[CLUSTER_BITS];
    span_bits = head[CLUSTER_BITS] + head[L2_BITS];
    q->sparse = (Sparse){
        .kind = &qcow_kind,
        .block = UINT64_C(1) << head[CLUSTER_BITS],
        .per_table = UINT64_C(1) << head[L2_BITS],
        .table = load_be(head + L1_OFFSET, 8),
        .table_unit = 1,
        .first_data = HEADER,
    };
    q->sparse.entries = ((node->length + (UINT64_C(1) << span_bits) - 1) >> span_bits)
        << head[L2_BITS];
    if (load_be(head + CRYPT_METHOD, 4) == QCOW2_AES && !crypt_stays_locked(&options->key) &&
        !(q->cipher = qcow_legacy_cipher(node, &options->key, error))) {
        return false;
    }
    return sparse_open(node, error);
}

static void qcow_close(BlockNode *node)
{
    Qcow *q = node->state;

    cipher_free(q->cipher);
    sparse_close(node);
}

BLOCK_DRIVER(qcow) = {
    .name = "qcow",
    .state_size = sizeof(Qcow),
    .probe = qcow_probe,
    .open = qcow_open,
    .close = qcow_close,
    .map = qcow_map,
    .check = sparse_check,
    .unpack = qcow_unpack,
};
