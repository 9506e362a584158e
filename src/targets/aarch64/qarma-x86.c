/*
 * QARMA-64 with a cell in each byte of a vector register: moving cells is one PSHUFB, and so is what depends on the
 * value of each alone.
 */
#include "targets/aarch64/qarma.h"

#ifdef __x86_64__
#include <tmmintrin.h>

/* Generated code calls this with guest registers in vector registers: no sanitizer's run time may be called. */
#define QUIET __attribute__((no_sanitize("thread", "address", "undefined")))
#define SSSE3 QUIET __attribute__((target("ssse3")))
#define SSSE3_INLINE SSSE3 static inline __attribute__((always_inline))

typedef union Cells {
    QarmaCells of;
    __m128i v;
} Cells;

/* A round moves cells, adds those of a column times rho, rho^2 and rho, and substitutes. */
typedef struct Columns {
    Cells from[3];    /* the row below, two below, three below: where their cells come from */
    Cells rho1, rho2; /* of a value */
} Columns;

static struct {
    Columns forward, backward; /* the substitution is first in `backward`, and part of its rho */
    Cells sigma, unsigma, unshuffle, tweak_shuffle;
    Cells step, stepped; /* a value and its next one, added; where */
    Cells constants[QARMA_ROUNDS], alpha, low_half;
} parts;

/* ---- tables ----------------------------------------------------------------------------------- */

static void set_cells(Cells *cells, uint64_t word)
{
    for (unsigned i = 0; i < QARMA_CELLS; i++) {
        cells->of[i] = word >> (60 - 4 * i) & 15;
    }
}

static uint8_t rotated(unsigned value, unsigned count)
{
    return (value << count | value >> (4 - count)) & 15;
}

static void make_round(unsigned i)
{
    const QarmaParts *p = &qarma_parts;
    const unsigned row = 4;

    for (unsigned n = 0; n < 3; n++) {
        parts.forward.from[n].of[i] = p->shuffle[(i + row * (n + 1)) % QARMA_CELLS];
        parts.backward.from[n].of[i] = (p->unshuffle[i] + row * (n + 1)) % QARMA_CELLS;
    }
    parts.forward.rho1.of[i] = rotated(i, 1);
    parts.forward.rho2.of[i] = rotated(i, 2);
    parts.backward.rho1.of[i] = rotated(p->unsigma[i], 1);
    parts.backward.rho2.of[i] = rotated(p->unsigma[i], 2);
}

bool qarma64_vector_prepare(void)
{
    const QarmaParts *p = &qarma_parts;

    for (unsigned i = 0; i < QARMA_CELLS; i++) {
        make_round(i);
        parts.sigma.of[i] = p->sigma[i];
        parts.unsigma.of[i] = p->unsigma[i];
        parts.unshuffle.of[i] = p->unshuffle[i];
        parts.tweak_shuffle.of[i] = p->tweak_shuffle[i];
        parts.step.of[i] = (uint8_t)(i ^ (i >> 1 | ((i ^ i >> 1) & 1) << 3));
        parts.stepped.of[i] = p->stepped >> (60 - 4 * i) & 1 ? 15 : 0;
        parts.low_half.of[i] = 15;
    }
    for (unsigned i = 0; i < QARMA_ROUNDS; i++) {
        set_cells(&parts.constants[i], p->constants[i]);
    }
    set_cells(&parts.alpha, p->alpha);
    return __builtin_cpu_supports("ssse3");
}

/* ---- the cipher ------------------------------------------------------------------------------- */

SSSE3_INLINE __m128i spread(uint64_t word)
{
    __m128i bytes = _mm_cvtsi64_si128((int64_t)__builtin_bswap64(word));

    return _mm_and_si128(_mm_unpacklo_epi8(_mm_srli_epi16(bytes, 4), bytes), parts.low_half.v);
}

SSSE3_INLINE uint64_t gather(__m128i cells)
{
    __m128i words = _mm_maddubs_epi16(cells, _mm_set1_epi16(0x0110));

    return __builtin_bswap64((uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words)));
}

SSSE3_INLINE __m128i move(__m128i cells, const Cells *from)
{
    return _mm_shuffle_epi8(cells, from->v);
}

SSSE3_INLINE __m128i map(__m128i cells, const Cells *table)
{
    return _mm_shuffle_epi8(table->v, cells);
}

SSSE3_INLINE __m128i add(__m128i a, __m128i b)
{
    return _mm_xor_si128(a, b);
}

SSSE3_INLINE __m128i next_tweak(__m128i tweak)
{
    __m128i moved = move(tweak, &parts.tweak_shuffle);

    return add(moved, _mm_and_si128(map(moved, &parts.step), parts.stepped.v));
}

SSSE3_INLINE __m128i forward(__m128i x, __m128i added)
{
    const Columns *c = &parts.forward;

    x = add(map(x, &parts.sigma), added);
    return add(map(add(move(x, &c->from[0]), move(x, &c->from[2])), &c->rho1),
        map(move(x, &c->from[1]), &c->rho2));
}

SSSE3_INLINE __m128i backward(__m128i x, __m128i added)
{
    const Columns *c = &parts.backward;
    __m128i x1 = map(x, &c->rho1), x2 = map(x, &c->rho2);

    return add(
        add(move(x1, &c->from[0]), move(x1, &c->from[2])), add(move(x2, &c->from[1]), added));
}

/* By the convention of ms_abi it keeps all vector registers but the first six. */
SSSE3 __attribute__((ms_abi, noinline)) static uint64_t encrypt(
    uint64_t text, uint64_t tweak, uint64_t k0, uint64_t w0)
{
    uint64_t w1 = (w0 << 63 | w0 >> 1) ^ w0 >> 63;
    __m128i key = spread(k0), alpha = parts.alpha.v, t = spread(tweak), x, added[QARMA_ROUNDS];

    x = spread(text ^ w0 ^ k0 ^ tweak);
    for (unsigned i = 1; i < QARMA_ROUNDS; i++) {
        t = next_tweak(t);
        added[i] = add(t, add(key, parts.constants[i].v));
        x = forward(x, added[i]);
    }
    t = next_tweak(t);
    x = forward(x, add(t, spread(w1)));
    x = move(add(forward(x, _mm_setzero_si128()), key), &parts.unshuffle);
    x = backward(x, add(t, spread(w0)));
    for (unsigned i = QARMA_ROUNDS; --i > 0;) {
        x = backward(x, add(added[i], alpha));
    }
    return gather(map(x, &parts.unsigma)) ^ k0 ^ tweak ^ qarma_parts.alpha ^ w1;
}

__attribute__((target("general-regs-only"))) QUIET uint64_t qarma64_vector(
    uint64_t text, uint64_t tweak, const uint64_t key[2])
{
    uint8_t kept[6][16];
    uint64_t code;

    __asm__ volatile("movups %%xmm0, (%0)\n movups %%xmm1, 16(%0)\n movups %%xmm2, 32(%0)\n"
                     "movups %%xmm3, 48(%0)\n movups %%xmm4, 64(%0)\n movups %%xmm5, 80(%0)"
                     :
                     : "r"(kept)
                     : "memory");
    code = encrypt(text, tweak, key[0], key[1]);
    __asm__ volatile("movups (%0), %%xmm0\n movups 16(%0), %%xmm1\n movups 32(%0), %%xmm2\n"
                     "movups 48(%0), %%xmm3\n movups 64(%0), %%xmm4\n movups 80(%0), %%xmm5"
                     :
                     : "r"(kept)
                     : "memory");
    return code;
}
#else
uint64_t qarma64_vector(uint64_t text, uint64_t tweak, const uint64_t key[2])
{
    return qarma64_plain(text, tweak, key);
}

bool qarma64_vector_prepare(void)
{
    return false;
}
#endif
