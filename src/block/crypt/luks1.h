/*
 * The header of LUKS1 ("LUKS On-Disk Format Specification", version 1.2.3): a random key encrypts
 * the disk, and up to eight key slots each hold that key, spread over many stripes and encrypted by
 * what is derived from a passphrase. Numbers are big endian.
 */
#ifndef BLOCK_CRYPT_LUKS1_H
#define BLOCK_CRYPT_LUKS1_H

#include "block/crypt/cipher.h"

enum {
    LUKS1_SLOTS = 8,
    LUKS1_HEADER = 592,
    LUKS1_DIGEST = 20,
    LUKS1_SALT = 32,
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    /* What makes trying a passphrase slow only makes a fuzzer slow. */
    LUKS1_STRIPES = 4,
    LUKS1_ITERATIONS_LEAST = 1,
    LUKS1_ITERATIONS_MOST = 100,
#else
    LUKS1_STRIPES = 4000,
    LUKS1_ITERATIONS_LEAST = 1000,
    LUKS1_ITERATIONS_MOST = 20 * 1000 * 1000, /* of 2^32 that it may ask for: ten seconds */
#endif
};

typedef struct Luks1Slot {
    bool active;
    uint32_t iterations, stripes;
    uint64_t material; /* bytes from the header's start */
    uint8_t salt[LUKS1_SALT];
} Luks1Slot;

typedef struct Luks1 {
    CipherKind kind;
    int hash; /* libgcrypt's number */
    char hash_name[33];
    size_t key_length;
    uint64_t payload; /* bytes from the header's start */
    uint32_t digest_iterations;
    uint8_t digest[LUKS1_DIGEST], digest_salt[LUKS1_SALT];
    char uuid[41];
    Luks1Slot slots[LUKS1_SLOTS];
} Luks1;

unsigned luks1_probe(const uint8_t *head, size_t length);

/* [co] Reads the header at `at` of `node`'s child 0, whose key slots end within `room` bytes. */
bool luks1_read(BlockNode *node, uint64_t at, uint64_t room, Luks1 *out, GError **error);

/* [co] The cipher, by the first slot that the key opens; NULL with an error. */
Cipher *luks1_unlock(
    BlockNode *node, uint64_t at, const Luks1 *luks, const BlockKey *key, GError **error);

/* What is wanted of a new one; the names of options begin with `prefix`. */
typedef struct Luks1Wanted {
    CipherKind kind;
    size_t key_length;
    int hash;
    const char *hash_name;
    uint64_t milliseconds; /* that a passphrase takes to be tried */
} Luks1Wanted;

bool luks1_read_wanted(const BlockNode *file, const BlockCreate *create, const char *prefix,
    Luks1Wanted *out, GError **error);

/* Bytes of a header with all its slots. */
uint64_t luks1_room(const Luks1Wanted *wanted);

/* A whole header with one slot that the key opens, for a disk of which it is in front. */
GByteArray *luks1_build(
    const BlockNode *file, const Luks1Wanted *wanted, const BlockKey *key, GError **error);

/* ---- between luks1.c and luks1-create.c ---- */

/* Hash by its name in a header; 0: not known. */
int luks1_hash(const char *name);
bool luks1_derive(const Luks1 *luks, GBytes *passphrase, const Luks1Slot *slot, uint8_t *out);
void luks1_master_digest(const Luks1 *luks, const uint8_t *master, uint8_t *out);
/* One step of the splitter ("AFsplitter"): spreads a stripe over itself. */
void luks1_diffuse(const Luks1 *luks, uint8_t *stripe);

#endif
