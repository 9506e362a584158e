/* libgcrypt, which is loaded when a disk is encrypted. Only where HAVE_LIBGCRYPT is defined. */
#ifndef BLOCK_CRYPT_GCRYPT_H
#define BLOCK_CRYPT_GCRYPT_H

#include <gcrypt.h>

#include "core/dynamic.h"

/* clang-format off */
#define GCRYPT_CALLS(C) \
    C(gcry_check_version) C(gcry_control) C(gcry_cipher_open) C(gcry_cipher_close) C(gcry_cipher_setkey) \
    C(gcry_cipher_setiv) C(gcry_cipher_encrypt) C(gcry_cipher_decrypt) C(gcry_md_map_name) \
    C(gcry_md_get_algo_dlen) C(gcry_md_hash_buffer) C(gcry_kdf_derive) C(gcry_randomize)
/* clang-format on */

typedef struct Gcrypt {
    GCRYPT_CALLS(DYNAMIC_POINTER)
} Gcrypt;

/* After cipher_is_there() has said so (cipher.c). */
const Gcrypt *gcrypt(void);

#endif
