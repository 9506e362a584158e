#include "block/crypt/cipher.h"

#include <errno.h>
#include <string.h>

#include "core/have.h"

enum { KEY_FILE_MOST = 8 << 20 }; /* as cryptsetup has it */

static const struct {
    const char *mode;
    size_t key_lengths[4]; /* ends with 0 */
} kinds[] = {
    [CIPHER_XTS_PLAIN64] = { "xts-plain64", { 32, 64 } },
    [CIPHER_CBC_ESSIV_SHA256] = { "cbc-essiv:sha256", { 16, 24, 32 } },
    [CIPHER_CBC_PLAIN64] = { "cbc-plain64", { 16, 24, 32 } },
};

const char *cipher_kind_mode(CipherKind kind)
{
    return kinds[kind].mode;
}

bool cipher_kind_find(const BlockNode *node, const char *name, const char *mode, size_t key_length,
    CipherKind *out, GError **error)
{
    for (unsigned i = 0; strcmp(name, "aes") == 0 && i < G_N_ELEMENTS(kinds); i++) {
        const size_t *length = kinds[i].key_lengths;

        while (*length && *length != key_length) {
            length++;
        }
        if (strcmp(kinds[i].mode, mode) == 0 && *length) {
            *out = i;
            return true;
        }
    }
    return block_refuse(node, error,
        "is encrypted by %.32s-%.32s with a key of %zu bits; known are aes-xts-plain64, "
        "aes-cbc-essiv:sha256 and aes-cbc-plain64",
        name, mode, key_length * 8);
}

bool crypt_stays_locked(const BlockKey *key)
{
    return key->may_miss && !key->file && !key->text;
}

GBytes *crypt_read_key(const BlockNode *node, const BlockKey *key, GError **error)
{
    g_autoptr(GError) why = NULL;
    char *bytes = NULL;
    gsize length = 0;

    if (key->text) {
        return g_bytes_new(key->text, strlen(key->text));
    }
    if (!key->file) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_KEY,
            "`%s` is encrypted: give its key by `--key-file`, or `encryption: { key-file: ... }` "
            "of "
            "the drive",
            node->name);
        return NULL;
    }
    if (!g_file_get_contents(key->file, &bytes, &length, &why)) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_KEY, "the key file `%s` cannot be read: %s",
            key->file, strrchr(why->message, ':') ? strrchr(why->message, ':') + 2 : why->message);
        return NULL;
    }
    if (length > KEY_FILE_MOST) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_KEY, "`%s` has more than 8 MiB: is it a key?",
            key->file);
        g_free(bytes);
        return NULL;
    }
    return g_bytes_new_take(bytes, length);
}

#ifdef HAVE_LIBGCRYPT

#include "block/crypt/gcrypt.h"

enum { IV = 16, DIGEST = 32 };

struct Cipher {
    CipherKind kind;
    gcry_cipher_hd_t data, essiv; /* essiv: encrypts the sector's number */
};

static Gcrypt library;

const Gcrypt *gcrypt(void)
{
    return &library;
}

bool cipher_is_there(const BlockNode *node, GError **error)
{
    static const DynamicCall calls[] = { GCRYPT_CALLS(DYNAMIC_CALL){} };
    static DynamicLibrary loaded = { "libgcrypt.so.20", "libgcrypt20", calls, &library };
    static gsize once;

    if (!dynamic_ready(&loaded)) {
        return block_refuse(node, error, "is encrypted: install %s", loaded.package);
    }
    if (g_once_init_enter(&once)) {
        library.gcry_check_version(NULL);
        library.gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        library.gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        g_once_init_leave(&once, 1);
    }
    return true;
}

static int algorithm_for(size_t key_length)
{
    return key_length == 16 ? GCRY_CIPHER_AES128
        : key_length == 24  ? GCRY_CIPHER_AES192
                            : GCRY_CIPHER_AES256;
}

/* IVs are the number of the sector, encrypted by a key that is the hash of the key. */
static void open_essiv(Cipher *cipher, const uint8_t *key, size_t length)
{
    uint8_t digest[DIGEST];

    gcrypt()->gcry_md_hash_buffer(GCRY_MD_SHA256, digest, key, length);
    g_assert(gcrypt()->gcry_cipher_open(
                 &cipher->essiv, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_ECB, 0) == 0);
    g_assert(gcrypt()->gcry_cipher_setkey(cipher->essiv, digest, sizeof(digest)) == 0);
    explicit_bzero(digest, sizeof(digest));
}

Cipher *cipher_new(CipherKind kind, const uint8_t *key, size_t length)
{
    Cipher *cipher = g_new0(Cipher, 1);
    bool xts = kind == CIPHER_XTS_PLAIN64;

    cipher->kind = kind;
    g_assert(gcrypt()->gcry_cipher_open(&cipher->data, algorithm_for(xts ? length / 2 : length),
                 xts ? GCRY_CIPHER_MODE_XTS : GCRY_CIPHER_MODE_CBC, 0) == 0);
    /* A key whose halves are the same is weak, and is what the image has all the same. */
    gcrypt()->gcry_cipher_setkey(cipher->data, key, length);
    if (kind == CIPHER_CBC_ESSIV_SHA256) {
        open_essiv(cipher, key, length);
    }
    return cipher;
}

void cipher_free(Cipher *cipher)
{
    if (cipher) {
        gcrypt()->gcry_cipher_close(cipher->data);
        gcrypt()->gcry_cipher_close(cipher->essiv);
        g_free(cipher);
    }
}

static void set_iv(Cipher *cipher, uint64_t sector)
{
    uint64_t iv[IV / 8] = { GUINT64_TO_LE(sector) };

    if (cipher->essiv) {
        gcrypt()->gcry_cipher_encrypt(cipher->essiv, iv, sizeof(iv), NULL, 0);
    }
    gcrypt()->gcry_cipher_setiv(cipher->data, iv, sizeof(iv));
}

void cipher_encrypt(Cipher *cipher, uint64_t sector, void *data, size_t length)
{
    for (size_t at = 0; at < length; at += CIPHER_SECTOR) {
        set_iv(cipher, sector++);
        gcrypt()->gcry_cipher_encrypt(cipher->data, (uint8_t *)data + at, CIPHER_SECTOR, NULL, 0);
    }
}

void cipher_decrypt(Cipher *cipher, uint64_t sector, void *data, size_t length)
{
    for (size_t at = 0; at < length; at += CIPHER_SECTOR) {
        set_iv(cipher, sector++);
        gcrypt()->gcry_cipher_decrypt(cipher->data, (uint8_t *)data + at, CIPHER_SECTOR, NULL, 0);
    }
}

#else

bool cipher_is_there(const BlockNode *node, GError **error)
{
    return block_refuse(node, error,
        "is encrypted, for which lathe was built without libgcrypt: install libgcrypt20-dev and "
        "build it again");
}

Cipher *cipher_new(CipherKind kind, const uint8_t *key, size_t length)
{
    g_assert_not_reached();
}

void cipher_free(Cipher *cipher)
{
}

void cipher_encrypt(Cipher *cipher, uint64_t sector, void *data, size_t length)
{
}

void cipher_decrypt(Cipher *cipher, uint64_t sector, void *data, size_t length)
{
}

#endif
