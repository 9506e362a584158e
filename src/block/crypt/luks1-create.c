/* Making a LUKS1 header. */
#include <string.h>

#include "block/bytes.h"
#include "block/crypt/luks1.h"
#include "core/have.h"

enum { ALIGN = 4096, DEFAULT_MS = 2000, FIRST_SLOT = ALIGN };

static uint64_t slot_bytes(const Luks1Wanted *wanted)
{
    return (wanted->key_length * LUKS1_STRIPES + ALIGN - 1) / ALIGN * ALIGN;
}

uint64_t luks1_room(const Luks1Wanted *wanted)
{
    return FIRST_SLOT + LUKS1_SLOTS * slot_bytes(wanted);
}

#ifdef HAVE_LIBGCRYPT

#include "block/crypt/gcrypt.h"

static const char *option(
    const BlockCreate *create, const char *prefix, const char *name, const char *otherwise)
{
    g_autofree char *whole = g_strconcat(prefix, name, NULL);

    return block_create_option(create, whole, otherwise);
}

/* The names that other tools give to the parts of a cipher. */
static bool read_cipher(const BlockNode *file, const BlockCreate *create, const char *prefix,
    Luks1Wanted *out, GError **error)
{
    static const struct {
        const char *name;
        size_t length;
    } algorithms[] = { { "aes-256", 32 }, { "aes-128", 16 }, { "aes-192", 24 } };
    const char *algorithm = option(create, prefix, "cipher-alg", "aes-256");
    const char *mode = option(create, prefix, "cipher-mode", "xts");
    const char *iv = option(create, prefix, "ivgen-alg", "plain64");
    g_autofree char *whole = g_strconcat(mode, "-", iv, strcmp(iv, "essiv") == 0 ? ":" : NULL,
        option(create, prefix, "ivgen-hash-alg", "sha256"), NULL);

    out->key_length = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        if (strcmp(algorithms[i].name, algorithm) == 0) {
            out->key_length = algorithms[i].length << (strcmp(mode, "xts") == 0);
        }
    }
    if (out->key_length == 0) {
        return block_refuse(file, error,
            "cannot be encrypted by `%s`, but by aes-128, aes-192, aes-256", algorithm);
    }
    return cipher_kind_find(file, "aes", whole, out->key_length, &out->kind, error);
}

bool luks1_read_wanted(const BlockNode *file, const BlockCreate *create, const char *prefix,
    Luks1Wanted *out, GError **error)
{
    const char *time = option(create, prefix, "iter-time", "2000");

    if (!cipher_is_there(file, error) || !read_cipher(file, create, prefix, out, error)) {
        return false;
    }
    out->hash_name = option(create, prefix, "hash-alg", "sha256");
    out->hash = luks1_hash(out->hash_name);
    if (!out->hash) {
        return block_refuse(file, error, "cannot derive keys by the hash `%s`", out->hash_name);
    }
    out->milliseconds = g_ascii_strtoull(time, NULL, 10);
    return (out->milliseconds > 0 && out->milliseconds <= 60000) ||
        block_refuse(file, error, "has an iter-time of 1 to 60000 milliseconds, not `%s`", time);
}

/* So many take about the wanted time on this host. */
static uint32_t count_iterations(const Luks1Wanted *wanted, uint64_t milliseconds)
{
    enum { SAMPLE = 1 << 16 };
    uint8_t out[CIPHER_KEY_MOST], salt[LUKS1_SALT] = { 1 };
    int64_t start = g_get_monotonic_time(), took;
    uint64_t wished;

    gcrypt()->gcry_kdf_derive("sample", 6, GCRY_KDF_PBKDF2, wanted->hash, salt, sizeof(salt),
        SAMPLE, wanted->key_length, out);
    took = MAX(g_get_monotonic_time() - start, 1);
    wished = milliseconds * 1000 * SAMPLE / took;
    return CLAMP(wished, LUKS1_ITERATIONS_LEAST, LUKS1_ITERATIONS_MOST);
}

/* Section 2.4: random stripes, and a last one that gives the key together with them. */
static GByteArray *split(const Luks1 *luks, const uint8_t *master)
{
    size_t length = luks->key_length;
    GByteArray *out = g_byte_array_new();
    uint8_t sum[CIPHER_KEY_MOST] = { 0 };
    uint8_t *last;

    g_byte_array_set_size(out, length * LUKS1_STRIPES);
    gcrypt()->gcry_randomize(out->data, out->len - length, GCRY_STRONG_RANDOM);
    for (unsigned stripe = 0; stripe + 1 < LUKS1_STRIPES; stripe++) {
        for (size_t i = 0; i < length; i++) {
            sum[i] ^= out->data[stripe * length + i];
        }
        luks1_diffuse(luks, sum);
    }
    last = out->data + out->len - length;
    for (size_t i = 0; i < length; i++) {
        last[i] = sum[i] ^ master[i];
    }
    return out;
}

static void put_slot(uint8_t *at, const Luks1Slot *slot)
{
    store_be(at, 4, slot->active ? 0x00ac71f3 : 0x0000dead);
    store_be(at + 4, 4, slot->iterations);
    memcpy(at + 8, slot->salt, LUKS1_SALT);
    store_be(at + 40, 4, slot->material / CIPHER_SECTOR);
    store_be(at + 44, 4, slot->stripes);
}

static void put_header(uint8_t *head, const Luks1 *luks)
{
    memcpy(head, "LUKS\xba\xbe\0\1", 8);
    strcpy((char *)head + 8, "aes");
    strcpy((char *)head + 40, cipher_kind_mode(luks->kind));
    strcpy((char *)head + 72, luks->hash_name);
    store_be(head + 104, 4, luks->payload / CIPHER_SECTOR);
    store_be(head + 108, 4, luks->key_length);
    memcpy(head + 112, luks->digest, LUKS1_DIGEST);
    memcpy(head + 132, luks->digest_salt, LUKS1_SALT);
    store_be(head + 164, 4, luks->digest_iterations);
    strcpy((char *)head + 168, luks->uuid);
    for (unsigned i = 0; i < LUKS1_SLOTS; i++) {
        put_slot(head + 208 + i * 48, &luks->slots[i]);
    }
}

static void fill(Luks1 *luks, const Luks1Wanted *wanted, const uint8_t *master)
{
    g_autofree char *uuid = g_uuid_string_random();
    uint32_t iterations = count_iterations(wanted, wanted->milliseconds);

    *luks = (Luks1){
        .kind = wanted->kind,
        .hash = wanted->hash,
        .key_length = wanted->key_length,
        .payload = luks1_room(wanted),
        .digest_iterations = MAX(iterations / 8, LUKS1_ITERATIONS_LEAST),
    };
    g_strlcpy(luks->hash_name, wanted->hash_name, sizeof(luks->hash_name));
    g_strlcpy(luks->uuid, uuid, sizeof(luks->uuid));
    gcrypt()->gcry_randomize(luks->digest_salt, LUKS1_SALT, GCRY_STRONG_RANDOM);
    luks1_master_digest(luks, master, luks->digest);
    for (unsigned i = 0; i < LUKS1_SLOTS; i++) {
        luks->slots[i].stripes = LUKS1_STRIPES;
        luks->slots[i].material = FIRST_SLOT + i * slot_bytes(wanted);
    }
    luks->slots[0].active = true;
    luks->slots[0].iterations = iterations;
    gcrypt()->gcry_randomize(luks->slots[0].salt, LUKS1_SALT, GCRY_STRONG_RANDOM);
}

static GByteArray *build(const Luks1Wanted *wanted, GBytes *passphrase)
{
    GByteArray *out = g_byte_array_new();
    g_autoptr(GByteArray) material = NULL;
    uint8_t master[CIPHER_KEY_MOST], key[CIPHER_KEY_MOST];
    Cipher *cipher;
    Luks1 luks;

    g_byte_array_set_size(out, luks1_room(wanted));
    memset(out->data, 0, out->len);
    gcrypt()->gcry_randomize(master, wanted->key_length, GCRY_VERY_STRONG_RANDOM);
    fill(&luks, wanted, master);
    put_header(out->data, &luks);
    material = split(&luks, master);
    g_assert(luks1_derive(&luks, passphrase, &luks.slots[0], key));
    cipher = cipher_new(luks.kind, key, luks.key_length);
    cipher_encrypt(cipher, 0, material->data, material->len);
    cipher_free(cipher);
    memcpy(out->data + luks.slots[0].material, material->data, material->len);
    explicit_bzero(master, sizeof(master));
    explicit_bzero(key, sizeof(key));
    return out;
}

GByteArray *luks1_build(
    const BlockNode *file, const Luks1Wanted *wanted, const BlockKey *key, GError **error)
{
    g_autoptr(GBytes) passphrase = crypt_read_key(file, key, error);

    return passphrase ? build(wanted, passphrase) : NULL;
}

#else

bool luks1_read_wanted(const BlockNode *file, const BlockCreate *create, const char *prefix,
    Luks1Wanted *out, GError **error)
{
    return cipher_is_there(file, error);
}

GByteArray *luks1_build(
    const BlockNode *file, const Luks1Wanted *wanted, const BlockKey *key, GError **error)
{
    return NULL;
}

#endif
