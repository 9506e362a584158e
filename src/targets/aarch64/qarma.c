#include "targets/aarch64/qarma.h"

#include <glib.h>

#include "tcg/general-regs.h"

enum { CELLS = 16, ROUNDS = QARMA_ROUNDS };

/* By cell, the uppermost four bits being the first. */
typedef uint8_t CellMap[CELLS];

static const CellMap shuffle = { 0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2 };
static const CellMap unshuffle = { 0, 5, 15, 10, 13, 8, 2, 7, 11, 14, 4, 1, 6, 3, 9, 12 };
static const CellMap tweak_shuffle = { 6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11 };

static const uint8_t sigma2[16] = { 11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10 };
static const uint8_t unsigma2[16] = { 5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3 };

static const uint64_t round_constants[ROUNDS] = {
    0,
    UINT64_C(0x13198a2e03707344),
    UINT64_C(0xa4093822299f31d0),
    UINT64_C(0x082efa98ec4e6c89),
    UINT64_C(0x452821e638d01377),
};
static const uint64_t alpha = UINT64_C(0xc0ac29b7c97c50dd);

/* Cells of the tweak that its shift register steps: 0, 1, 3, 4, 8, 11 and 13. */
static const uint64_t stepped = UINT64_C(0xff0ff000f00f0f00);

static uint64_t rotate(uint64_t x, unsigned count)
{
    return x << count | x >> (64 - count);
}

QUIET static uint64_t move_cells(uint64_t x, const CellMap from)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < CELLS; i++) {
        result = result << 4 | (x >> (60 - 4 * from[i]) & 15);
    }
    return result;
}

QUIET static uint64_t substitute(uint64_t x, const uint8_t box[16])
{
    uint64_t result = 0;

    for (unsigned i = 0; i < CELLS; i++) {
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
    uint64_t x = move_cells(tweak, tweak_shuffle);
    uint64_t low = UINT64_C(0x1111111111111111);
    uint64_t next = (x >> 1 & UINT64_C(0x7777777777777777)) | ((x ^ x >> 1) & low) << 3;

    return (x & ~stepped) | (next & stepped);
}

/*
 * ---- maps of bytes ----
 *
 * Everything between two additions of a key is a substitution of cells and a map that is linear over
 * bits, so what it makes of a word is the sum of what it makes of the word's bytes.
 */

typedef struct ByteMap {
    uint64_t of[8][256];
} ByteMap;

static ByteMap tweak_step; /* next_tweak */
static ByteMap spread;     /* of what is added: the cells moved, the columns mixed */
static ByteMap round_map;  /* sigma2, then that */
static ByteMap unround;    /* the inverse of sigma2, the columns mixed, the cells moved back */

QUIET static uint64_t apply(const ByteMap *map, uint64_t x)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < 8; i++) {
        result ^= map->of[i][x >> 8 * i & 255];
    }
    return result;
}

static uint64_t spread_cells(uint64_t x)
{
    return mix_columns(move_cells(x, shuffle));
}

static uint64_t gather_cells(uint64_t x)
{
    return move_cells(mix_columns(x), unshuffle);
}

/* `box` NULL: nothing is substituted. */
static void make_map(ByteMap *map, const uint8_t *box, uint64_t (*linear)(uint64_t x))
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t column[8];

        for (unsigned bit = 0; bit < 8; bit++) {
            column[bit] = linear(UINT64_C(1) << (8 * i + bit));
        }
        for (unsigned byte = 0; byte < 256; byte++) {
            unsigned value = byte;

            if (box) {
                value = (unsigned)box[byte >> 4] << 4 | box[byte & 15];
            }
            map->of[i][byte] = 0;
            for (unsigned bit = 0; bit < 8; bit++) {
                map->of[i][byte] ^= value >> bit & 1 ? column[bit] : 0;
            }
        }
    }
}

void qarma64_prepare(void)
{
    static gsize once;

    if (g_once_init_enter(&once)) {
        make_map(&tweak_step, NULL, next_tweak);
        make_map(&spread, NULL, spread_cells);
        make_map(&round_map, sigma2, spread_cells);
        make_map(&unround, unsigma2, gather_cells);
        g_once_init_leave(&once, 1);
    }
}

QUIET void qarma64_tweak(QarmaTweak *tweak, uint64_t value)
{
    tweak->of[0] = value;
    tweak->spread[0] = 0; /* not used */
    for (unsigned i = 1; i <= ROUNDS; i++) {
        tweak->of[i] = apply(&tweak_step, tweak->of[i - 1]);
        tweak->spread[i] = apply(&spread, tweak->of[i]);
    }
}

QUIET void qarma64_key(QarmaKey *key, uint64_t w0, uint64_t k0)
{
    key->w0 = w0;
    key->k0 = k0;
    key->w1 = rotate(w0, 63) ^ w0 >> 63;
    for (unsigned i = 1; i <= ROUNDS; i++) {
        key->spread[i] = apply(&spread, i < ROUNDS ? k0 ^ round_constants[i] : key->w1);
    }
}

/* The last substitution of a round is done with the next round's map; what is added behind it is spread as it is. */
QUIET uint64_t qarma64(uint64_t text, const QarmaTweak *tweak, const QarmaKey *key)
{
    uint64_t x = text ^ key->w0 ^ key->k0 ^ tweak->of[0];

    for (unsigned i = 1; i <= ROUNDS; i++) {
        x = apply(&round_map, x) ^ tweak->spread[i] ^ key->spread[i];
    }
    x = move_cells(apply(&round_map, x) ^ key->k0, unshuffle);
    x = apply(&unround, x) ^ key->w0 ^ tweak->of[ROUNDS];
    for (unsigned i = ROUNDS; --i > 0;) {
        x = apply(&unround, x) ^ key->k0 ^ tweak->of[i] ^ round_constants[i] ^ alpha;
    }
    return substitute(x, unsigma2) ^ key->k0 ^ tweak->of[0] ^ alpha ^ key->w1;
}

#include "tcg/general-regs-end.h"
