#include "block/qcow2/crypt.h"

#include <errno.h>
#include <string.h>

#include "block/crypt/luks1.h"

/* ---- the old scheme ---- */

Cipher *qcow_legacy_cipher(const BlockNode *node, const BlockKey *key, GError **error)
{
    enum { LENGTH = 16 };
    uint8_t padded[LENGTH] = { 0 };
    g_autoptr(GBytes) passphrase = NULL;
    const void *text;
    gsize length;

    if (!node->read_only) {
        block_refuse(node, error,
            "is encrypted by the old AES of qcow, which is only read: convert it to one with "
            "encrypt.format=luks");
        return NULL;
    }
    if (!cipher_is_there(node, error) || !(passphrase = crypt_read_key(node, key, error))) {
        return NULL;
    }
    text = g_bytes_get_data(passphrase, &length);
    memcpy(padded, text ? text : "", MIN(length, LENGTH));
    return cipher_new(CIPHER_CBC_PLAIN64, padded, LENGTH);
}

int qcow_legacy_read(
    Cipher *cipher, BlockNode *file, uint64_t at, uint64_t offset, uint64_t length, void *out)
{
    uint64_t skip = at % CIPHER_SECTOR;
    uint64_t whole = (skip + length + CIPHER_SECTOR - 1) & ~(uint64_t)(CIPHER_SECTOR - 1);
    g_autofree uint8_t *data = g_malloc(whole);
    int result = cipher ? block_read(file, offset - skip, data, whole) : -EACCES;

    if (result == 0) {
        cipher_decrypt(cipher, at / CIPHER_SECTOR, data, whole);
        memcpy(out, data + skip, length);
    }
    return result;
}

int qcow2_unpack_legacy(Qcow2 *q, const Extent *from, void *out)
{
    return qcow_legacy_read(
        q->crypt.legacy, q->data, from->cookie, from->offset, from->length, out);
}

/* ---- LUKS ---- */

static bool open_luks(Qcow2 *q, const BlockKey *key, GError **error)
{
    const QcowCrypt *c = &q->crypt;
    BlockNode *file = q->data;
    Cipher *cipher = NULL;
    Luks1 luks;

    if (c->header_length == 0 || c->header % q->cluster_size != 0 || c->header > q->file->length ||
        c->header_length > q->file->length - c->header) {
        return block_refuse(q->node, error, "is encrypted, but has no LUKS header in its place");
    }
    if (!luks1_read(q->node, c->header, c->header_length, &luks, error)) {
        return false;
    }
    if (!crypt_stays_locked(key) &&
        !(cipher = luks1_unlock(q->node, c->header, &luks, key, error))) {
        return false;
    }
    q->data_child = 1;
    q->node->children[1] = crypt_node_new(file, cipher, !q->external);
    if (q->external) {
        block_unref(file); /* the other node has it now */
    }
    return true;
}

bool qcow2_open_crypt(Qcow2 *q, const BlockOptions *options, GError **error)
{
    switch (q->header.crypt_method) {
    case QCOW2_PLAIN: return true;
    case QCOW2_AES:
        if (crypt_stays_locked(&options->key)) {
            return true;
        }
        q->crypt.legacy = qcow_legacy_cipher(q->node, &options->key, error);
        return q->crypt.legacy != NULL;
    default: return open_luks(q, &options->key, error);
    }
}

void qcow2_close_crypt(Qcow2 *q)
{
    cipher_free(q->crypt.legacy);
}
