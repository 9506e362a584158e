/*
 * Encryption of disks, sector by sector (libgcrypt). Keys and what is derived from them are wiped
 * when they are not needed any more.
 */
#ifndef BLOCK_CRYPT_CIPHER_H
#define BLOCK_CRYPT_CIPHER_H

#include "block/block.h"

enum { CIPHER_SECTOR = 512, CIPHER_KEY_MOST = 64 };

typedef enum CipherKind {
    CIPHER_XTS_PLAIN64,
    CIPHER_CBC_ESSIV_SHA256,
    CIPHER_CBC_PLAIN64
} CipherKind;

typedef struct Cipher Cipher;

/* As headers name them: "aes", "xts-plain64". False with an error about `node`. */
bool cipher_kind_find(const BlockNode *node, const char *name, const char *mode, size_t key_length,
    CipherKind *out, GError **error);
const char *cipher_kind_mode(CipherKind kind);

Cipher *cipher_new(CipherKind kind, const uint8_t *key, size_t length);
void cipher_free(Cipher *cipher); /* NULL is fine */

/* Whole sectors, where they are; `sector` is the number of the first one. */
void cipher_encrypt(Cipher *cipher, uint64_t sector, void *data, size_t length);
void cipher_decrypt(Cipher *cipher, uint64_t sector, void *data, size_t length);

/* False with an error when lathe was built without libgcrypt. */
bool cipher_is_there(const BlockNode *node, GError **error);

/* Is it left locked? Then there is no cipher, and reading its data is -EACCES. */
bool crypt_stays_locked(const BlockKey *key);

/* The key as its owner gave it, exactly; NULL with an error. */
GBytes *crypt_read_key(const BlockNode *node, const BlockKey *key, GError **error);

/* ---- a node that encrypts what goes to its child (crypt-node.c) ---- */

typedef struct CryptNode {
    Cipher *cipher;
    uint64_t payload;   /* where the first sector is in the child */
    bool flushed_above; /* who uses the node flushes the child by itself */
} CryptNode;

/* [co] Takes the cipher; sectors are counted from the start of `child`, of which it takes a reference. */
BlockNode *crypt_node_new(BlockNode *child, Cipher *cipher, bool flushed_above);

/* A driver's callbacks, whose state begins with a CryptNode. */
int crypt_transfer(BlockNode *node, const BlockIo *io);
void crypt_close(BlockNode *node);

#endif
