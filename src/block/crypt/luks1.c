#include "block/crypt/luks1.h"

#include <errno.h>
#include <string.h>

#include "block/bytes.h"
#include "core/have.h"

/* Offsets in the header (section 2.2, "PHDR and LUKS_KEY"). */
enum {
    VERSION = 6,
    CIPHER_NAME = 8,
    CIPHER_MODE = 40,
    HASH = 72,
    PAYLOAD = 104,
    KEY_BYTES = 108,
    DIGEST = 112,
    DIGEST_SALT = 132,
    DIGEST_ITERATIONS = 164,
    UUID = 168,
    SLOTS = 208,
    SLOT_SIZE = 48,
    NAME = 32,
    SLOT_ACTIVE = 0x00ac71f3,
    SLOT_FREE = 0x0000dead,
};

unsigned luks1_probe(const uint8_t *head, size_t length)
{
    return length >= LUKS1_HEADER && memcmp(head, "LUKS\xba\xbe", 6) == 0 ? 100 : 0;
}

#ifdef HAVE_LIBGCRYPT

#include "block/crypt/gcrypt.h"

int luks1_hash(const char *name)
{
    static const char *const names[] = { "sha1", "sha256", "sha512", "ripemd160", NULL };

    return g_strv_contains(names, name) ? gcrypt()->gcry_md_map_name(name) : 0;
}

/* ---- reading ---- */

static bool read_slot(const BlockNode *node, const uint8_t *at, uint64_t room, const Luks1 *luks,
    Luks1Slot *out, GError **error)
{
    uint32_t state = load_be(at, 4);

    *out = (Luks1Slot){
        .active = state == SLOT_ACTIVE,
        .iterations = load_be(at + 4, 4),
        .material = load_be(at + 40, 4) * CIPHER_SECTOR,
        .stripes = load_be(at + 44, 4),
    };
    memcpy(out->salt, at + 8, LUKS1_SALT);
    if (!out->active) {
        return state == SLOT_FREE ||
            block_refuse(node, error, "has a LUKS key slot that is neither in use nor free");
    }
    if (out->stripes != LUKS1_STRIPES || out->material < LUKS1_HEADER || out->material > room ||
        luks->key_length * LUKS1_STRIPES > room - out->material) {
        return block_refuse(node, error, "has a LUKS key slot that is out of place");
    }
    if (out->iterations == 0 || out->iterations > LUKS1_ITERATIONS_MOST) {
        return block_refuse(node, error,
            "has a LUKS key slot of %u iterations; from 1 to %d are taken", out->iterations,
            LUKS1_ITERATIONS_MOST);
    }
    return true;
}

static bool read_names(const BlockNode *node, const uint8_t *head, Luks1 *out, GError **error)
{
    g_autofree char *name = g_strndup((const char *)head + CIPHER_NAME, NAME);
    g_autofree char *mode = g_strndup((const char *)head + CIPHER_MODE, NAME);

    g_strlcpy(out->hash_name, (const char *)head + HASH, sizeof(out->hash_name));
    out->hash = luks1_hash(out->hash_name);
    out->key_length = load_be(head + KEY_BYTES, 4);
    if (!cipher_kind_find(node, name, mode, out->key_length, &out->kind, error)) {
        return false;
    }
    return out->hash ||
        block_refuse(node, error,
            "derives its keys by the hash `%s`; known are sha1, sha256, sha512 and ripemd160",
            out->hash_name);
}

static bool parse(
    const BlockNode *node, const uint8_t *head, uint64_t room, Luks1 *out, GError **error)
{
    unsigned version = load_be(head + VERSION, 2);
    bool any = false;

    if (luks1_probe(head, LUKS1_HEADER) == 0) {
        return block_refuse(node, error, "has no LUKS header");
    }
    if (version != 1) {
        return block_refuse(node, error,
            "is LUKS%u; only LUKS1 is known here: `cryptsetup convert --type luks1` may help",
            version);
    }
    if (!read_names(node, head, out, error)) {
        return false;
    }
    out->payload = load_be(head + PAYLOAD, 4) * CIPHER_SECTOR;
    out->digest_iterations = load_be(head + DIGEST_ITERATIONS, 4);
    memcpy(out->digest, head + DIGEST, LUKS1_DIGEST);
    memcpy(out->digest_salt, head + DIGEST_SALT, LUKS1_SALT);
    g_strlcpy(out->uuid, (const char *)head + UUID, sizeof(out->uuid));
    if (out->digest_iterations == 0 || out->digest_iterations > LUKS1_ITERATIONS_MOST) {
        return block_refuse(
            node, error, "has a LUKS key digest of %u iterations", out->digest_iterations);
    }
    for (unsigned i = 0; i < LUKS1_SLOTS; i++) {
        if (!read_slot(node, head + SLOTS + i * SLOT_SIZE, room, out, &out->slots[i], error)) {
            return false;
        }
        any |= out->slots[i].active;
    }
    return any || block_refuse(node, error, "has no LUKS key slot in use: nothing can open it");
}

static bool read_bytes(BlockNode *node, uint64_t at, void *out, size_t length, GError **error)
{
    const BlockNode *file = node->children[0];

    if (at > file->length || length > file->length - at) {
        return block_refuse(node, error, "is cut off within its LUKS header");
    }
    return block_read(node->children[0], at, out, length) == 0 ||
        block_refuse(node, error, "cannot be read");
}

bool luks1_read(BlockNode *node, uint64_t at, uint64_t room, Luks1 *out, GError **error)
{
    uint8_t head[LUKS1_HEADER];

    *out = (Luks1){ 0 };
    return cipher_is_there(node, error) && read_bytes(node, at, head, sizeof(head), error) &&
        parse(node, head, room, out, error);
}

/* ---- unlocking ---- */

bool luks1_derive(const Luks1 *luks, GBytes *passphrase, const Luks1Slot *slot, uint8_t *out)
{
    gsize length;
    const void *text = g_bytes_get_data(passphrase, &length);

    return gcrypt()->gcry_kdf_derive(text ? text : "", length, GCRY_KDF_PBKDF2, luks->hash,
               slot->salt, LUKS1_SALT, slot->iterations, luks->key_length, out) == 0;
}

void luks1_master_digest(const Luks1 *luks, const uint8_t *master, uint8_t *out)
{
    g_assert(gcrypt()->gcry_kdf_derive(master, luks->key_length, GCRY_KDF_PBKDF2, luks->hash,
                 luks->digest_salt, LUKS1_SALT, luks->digest_iterations, LUKS1_DIGEST, out) == 0);
}

/* Section 2.4: each piece as long as a digest becomes the hash of its number and itself. */
void luks1_diffuse(const Luks1 *luks, uint8_t *stripe)
{
    size_t digest = gcrypt()->gcry_md_get_algo_dlen(luks->hash);
    uint8_t from[4 + CIPHER_KEY_MOST], to[CIPHER_KEY_MOST];

    for (size_t at = 0, number = 0; at < luks->key_length; at += digest, number++) {
        size_t length = MIN(digest, luks->key_length - at);

        store_be(from, 4, number);
        memcpy(from + 4, stripe + at, length);
        gcrypt()->gcry_md_hash_buffer(luks->hash, to, from, 4 + length);
        memcpy(stripe + at, to, length);
    }
    explicit_bzero(from, sizeof(from));
    explicit_bzero(to, sizeof(to));
}

static void merge_stripes(const Luks1 *luks, const uint8_t *material, uint8_t *master)
{
    memset(master, 0, luks->key_length);
    for (unsigned stripe = 0; stripe < LUKS1_STRIPES; stripe++) {
        for (size_t i = 0; i < luks->key_length; i++) {
            master[i] ^= material[stripe * luks->key_length + i];
        }
        if (stripe + 1 < LUKS1_STRIPES) {
            luks1_diffuse(luks, master);
        }
    }
}

/* 1: the slot has given the key, 0: it is another passphrase's; or -errno. */
static int try_slot(BlockNode *node, uint64_t at, const Luks1 *luks, const Luks1Slot *slot,
    GBytes *passphrase, uint8_t *master)
{
    size_t length = luks->key_length * LUKS1_STRIPES;
    g_autofree uint8_t *material = g_malloc(length);
    uint8_t key[CIPHER_KEY_MOST], digest[LUKS1_DIGEST];
    Cipher *cipher;
    int result = block_read(node->children[0], at + slot->material, material, length);

    if (result < 0 || !luks1_derive(luks, passphrase, slot, key)) {
        return result < 0 ? result : -EINVAL;
    }
    cipher = cipher_new(luks->kind, key, luks->key_length);
    cipher_decrypt(cipher, 0, material, length);
    merge_stripes(luks, material, master);
    luks1_master_digest(luks, master, digest);
    cipher_free(cipher);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(material, length);
    return memcmp(digest, luks->digest, LUKS1_DIGEST) == 0;
}

Cipher *luks1_unlock(
    BlockNode *node, uint64_t at, const Luks1 *luks, const BlockKey *key, GError **error)
{
    g_autoptr(GBytes) passphrase = crypt_read_key(node, key, error);
    uint8_t master[CIPHER_KEY_MOST];
    Cipher *cipher = NULL;
    int result = 0;

    for (unsigned i = 0; passphrase && i < LUKS1_SLOTS && result == 0; i++) {
        if (luks->slots[i].active) {
            result = try_slot(node, at, luks, &luks->slots[i], passphrase, master);
        }
    }
    if (result > 0) {
        cipher = cipher_new(luks->kind, master, luks->key_length);
    } else if (result < 0) {
        block_refuse(node, error, "cannot be read: %s", g_strerror(-result));
    } else if (passphrase) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_KEY,
            "`%s` is not opened by this key; every byte of a key file counts, a newline at its "
            "end, "
            "too",
            node->name);
    }
    explicit_bzero(master, sizeof(master));
    return cipher;
}

#else

bool luks1_read(BlockNode *node, uint64_t at, uint64_t room, Luks1 *out, GError **error)
{
    return cipher_is_there(node, error);
}

Cipher *luks1_unlock(
    BlockNode *node, uint64_t at, const Luks1 *luks, const BlockKey *key, GError **error)
{
    return NULL;
}

#endif
