/*
 * The cipher for every host, and which one is used. Generated code comes here with guest registers in the host's vector
 * registers.
 */
#include "targets/aarch64/qarma.h"

#include <glib.h>

#include "tcg/general-regs.h"

/* clang-format off */
const QarmaParts qarma_parts = {
    .shuffle = { 0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2 },
    .unshuffle = { 0, 5, 15, 10, 13, 8, 2, 7, 11, 14, 4, 1, 6, 3, 9, 12 },
    .tweak_shuffle = { 6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11 },
    .sigma = { 11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10 },
    .unsigma = { 5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3 },
    .stepped = UINT64_C(0xff0ff000f00f0f00), /* 0, 1, 3, 4, 8, 11 and 13 */
    .constants = {
        0, UINT64_C(0x13198a2e03707344), UINT64_C(0xa4093822299f31d0), UINT64_C(0x082efa98ec4e6c89),
        UINT64_C(0x452821e638d01377),
    },
    .alpha = UINT64_C(0xc0ac29b7c97c50dd),
};
/* clang-format on */

static bool has_vector;

static uint64_t rotate(uint64_t x, unsigned count)
{
    return x << count | x >> (64 - count);
}

QUIET static uint64_t move_cells(uint64_t x, const QarmaCells from)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < QARMA_CELLS; i++) {
        result = result << 4 | (x >> (60 - 4 * from[i]) & 15);
    }
    return result;
}

QUIET static uint64_t substitute(uint64_t x, const QarmaCells box)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < QARMA_CELLS; i++) {
        result |= (uint64_t)box[x >> 4 * i & 15] << 4 * i;
    }
    return result;
}

/* Each cell rotated to the left by 1, by 2. */
static uint64_t rotate_cells1(uint64_t x)
{
    return (x << 1 & UINT64_C(0xeeeeeeeeeeeeeeee)) | (x >> 3 & UINT64_C(0x1111111111111111));
}

static uint64_t rotate_cells2(uint64_t x)
{
    return (x << 2 & UINT64_C(0xcccccccccccccccc)) | (x >> 2 & UINT64_C(0x3333333333333333));
}

/* Columns times circ(0, rho, rho^2, rho); rows are 16 bits. It is its own inverse. */
QUIET static uint64_t mix_columns(uint64_t x)
{
    return rotate_cells1(rotate(x, 16) ^ rotate(x, 48)) ^ rotate_cells2(rotate(x, 32));
}

/* The shift register of a cell: bits 3 2 1 0 become 0^1 3 2 1. */
QUIET static uint64_t next_tweak(uint64_t tweak)
{
    uint64_t x = move_cells(tweak, qarma_parts.tweak_shuffle);
    uint64_t low = UINT64_C(0x1111111111111111);
    uint64_t next = (x >> 1 & UINT64_C(0x7777777777777777)) | ((x ^ x >> 1) & low) << 3;

    return (x & ~qarma_parts.stepped) | (next & qarma_parts.stepped);
}

QUIET static uint64_t forward(uint64_t x, uint64_t added)
{
    x = substitute(x, qarma_parts.sigma) ^ added;
    return mix_columns(move_cells(x, qarma_parts.shuffle));
}

QUIET static uint64_t backward(uint64_t x, uint64_t added)
{
    x = mix_columns(substitute(x, qarma_parts.unsigma));
    return move_cells(x, qarma_parts.unshuffle) ^ added;
}

QUIET uint64_t qarma64_plain(uint64_t text, uint64_t tweak, const uint64_t key[2])
{
    uint64_t k0 = key[0], w0 = key[1], w1 = rotate(w0, 63) ^ w0 >> 63;
    uint64_t x = text ^ w0 ^ k0 ^ tweak, tweaks[QARMA_ROUNDS + 1] = { tweak };

    for (unsigned i = 1; i <= QARMA_ROUNDS; i++) {
        tweaks[i] = next_tweak(tweaks[i - 1]);
        x = forward(x, tweaks[i] ^ (i < QARMA_ROUNDS ? k0 ^ qarma_parts.constants[i] : w1));
    }
    x = move_cells(forward(x, 0) ^ k0, qarma_parts.unshuffle);
    x = backward(x, w0 ^ tweaks[QARMA_ROUNDS]);
    for (unsigned i = QARMA_ROUNDS; --i > 0;) {
        x = backward(x, k0 ^ tweaks[i] ^ qarma_parts.constants[i] ^ qarma_parts.alpha);
    }
    return substitute(x, qarma_parts.unsigma) ^ k0 ^ tweak ^ qarma_parts.alpha ^ w1;
}

QUIET uint64_t qarma64(uint64_t text, uint64_t tweak, const uint64_t key[2])
{
    return has_vector ? qarma64_vector(text, tweak, key) : qarma64_plain(text, tweak, key);
}

#include "tcg/general-regs-end.h"

void qarma64_prepare(void)
{
    static gsize once;

    if (g_once_init_enter(&once)) {
        has_vector = qarma64_vector_prepare();
        g_once_init_leave(&once, 1);
    }
}
