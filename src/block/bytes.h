/* Numbers in files: little and big endian, at any address. */
#ifndef BLOCK_BYTES_H
#define BLOCK_BYTES_H

#include <stdint.h>

static inline uint64_t load_le(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i > 0; i--) {
        value = value << 8 | at[i - 1];
    }
    return value;
}

static inline uint64_t load_be(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static inline void store_le(uint8_t *at, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++, value >>= 8) {
        at[i] = value;
    }
}

static inline void store_be(uint8_t *at, unsigned bytes, uint64_t value)
{
    for (unsigned i = bytes; i > 0; i--, value >>= 8) {
        at[i - 1] = value;
    }
}

#endif
