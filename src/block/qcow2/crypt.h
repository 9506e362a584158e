/* Encryption inside of a qcow2 image (specification, "Data encryption"). */
#ifndef BLOCK_QCOW2_CRYPT_H
#define BLOCK_QCOW2_CRYPT_H

#include "block/qcow2/qcow2.h"

/* [co] For the end of open: the node that encrypts, or the old cipher. */
bool qcow2_open_crypt(Qcow2 *q, const BlockOptions *options, GError **error);
void qcow2_close_crypt(Qcow2 *q);

/* [co] Reads data of the old scheme. */
int qcow2_unpack_legacy(Qcow2 *q, const Extent *from, void *out);

/*
 * The old scheme of qcow and qcow2: AES-128 by the passphrase itself, each sector by its number on
 * the disk. There is no way to know whether a passphrase is right.
 */
Cipher *qcow_legacy_cipher(const BlockNode *node, const BlockKey *key, GError **error);
/* [co] `at` is a byte of the disk, `offset` its place in `file`. */
int qcow_legacy_read(
    Cipher *cipher, BlockNode *file, uint64_t at, uint64_t offset, uint64_t length, void *out);

#endif
