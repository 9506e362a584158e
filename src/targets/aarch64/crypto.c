/* SHA-512, SM3 and SM4 a step at a time (FIPS 180-4, GB/T 32905 and 32907; C7.2). */
#include "targets/aarch64/simd.h"

static uint32_t rol(uint32_t x, unsigned count)
{
    return x << count | x >> (32 - count);
}

static uint64_t ror64(uint64_t x, unsigned count)
{
    return x >> count | x << (64 - count);
}

static uint64_t choose(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & (y ^ z)) ^ z;
}

static uint64_t majority(uint64_t x, uint64_t y, uint64_t z)
{
    return (x & y) | ((x | y) & z);
}

static uint64_t parity(uint64_t x, uint64_t y, uint64_t z)
{
    return x ^ y ^ z;
}

/* Words down by one, the last one new. */
static void push_high(IrVec *v, uint32_t last)
{
    *v = (IrVec){ .w = { v->w[1], v->w[2], v->w[3], last } };
}

/* ---- SHA-512 ---------------------------------------------------------------------------------- */

static uint64_t sigma512(uint64_t x, unsigned a, unsigned b, unsigned c)
{
    return ror64(x, a) ^ ror64(x, b) ^ ror64(x, c);
}

void a64_sha512h(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    uint64_t y = m->d[1], next;

    d->d[1] += sigma512(y, 14, 18, 41) + choose(y, n->d[0], n->d[1]);
    next = d->d[1] + m->d[0];
    d->d[0] += sigma512(next, 14, 18, 41) + choose(next, y, n->d[0]);
}

void a64_sha512h2(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    d->d[1] += sigma512(m->d[0], 28, 34, 39) + majority(n->d[0], m->d[1], m->d[0]);
    d->d[0] += sigma512(d->d[1], 28, 34, 39) + majority(d->d[1], m->d[0], m->d[1]);
}

static uint64_t schedule0(uint64_t x)
{
    return ror64(x, 1) ^ ror64(x, 8) ^ x >> 7;
}

static uint64_t schedule1(uint64_t x)
{
    return ror64(x, 19) ^ ror64(x, 61) ^ x >> 6;
}

void a64_sha512su0(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    d->d[0] += schedule0(d->d[1]);
    d->d[1] += schedule0(n->d[0]);
}

void a64_sha512su1(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    d->d[0] += schedule1(n->d[0]) + m->d[0];
    d->d[1] += schedule1(n->d[1]) + m->d[1];
}

/* ---- SM3 -------------------------------------------------------------------------------------- */

typedef uint64_t Mix(uint64_t x, uint64_t y, uint64_t z);

static uint32_t permute0(uint32_t x)
{
    return x ^ rol(x, 9) ^ rol(x, 17);
}

static uint32_t permute1(uint32_t x)
{
    return x ^ rol(x, 15) ^ rol(x, 23);
}

void a64_sm3partw1(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = i < 3 ? m->w[i + 1] : d->w[0];

        d->w[i] = permute1(d->w[i] ^ n->w[i] ^ rol(x, 15));
    }
}

void a64_sm3partw2(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    uint32_t first = n->w[0] ^ rol(m->w[0], 7);

    for (unsigned i = 0; i < 4; i++) {
        d->w[i] ^= n->w[i] ^ rol(m->w[i], 7);
    }
    d->w[3] ^= permute1(rol(first, 15));
}

/* imm: register ra. */
void a64_sm3ss1(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    uint32_t sum = rol(n->w[3], 12) + m->w[3] + a64_simd_register(w, a64_simd_imm(w))->w[3];

    *d = (IrVec){ .w = { 0, 0, 0, rol(sum, 7) } };
}

/* imm: the lane of m with the word of the schedule. */
static void sm3_round1(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m, Mix *mix)
{
    uint32_t mixed = (uint32_t)mix(d->w[3], d->w[1], d->w[2]);
    uint32_t sum = mixed + d->w[0] + (n->w[3] ^ rol(d->w[3], 12)) + m->w[a64_simd_imm(w)];

    d->w[2] = rol(d->w[2], 9);
    push_high(d, sum);
}

static void sm3_round2(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m, Mix *mix)
{
    uint32_t mixed = (uint32_t)mix(d->w[3], d->w[2], d->w[1]);
    uint32_t sum = mixed + d->w[0] + n->w[3] + m->w[a64_simd_imm(w)];

    d->w[2] = rol(d->w[2], 19);
    push_high(d, permute0(sum));
}

void a64_sm3tt1a(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    sm3_round1(w, d, n, m, parity);
}

void a64_sm3tt1b(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    sm3_round1(w, d, n, m, majority);
}

void a64_sm3tt2a(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    sm3_round2(w, d, n, m, parity);
}

void a64_sm3tt2b(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    sm3_round2(w, d, n, m, choose);
}

/* ---- SM4 -------------------------------------------------------------------------------------- */

/* clang-format off */
static const uint8_t sm4_box[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};
/* clang-format on */

static uint32_t sm4_substitute(uint32_t x)
{
    return sm4_box[x & 0xff] | (uint32_t)sm4_box[x >> 8 & 0xff] << 8 |
        (uint32_t)sm4_box[x >> 16 & 0xff] << 16 | (uint32_t)sm4_box[x >> 24] << 24;
}

void a64_sm4e(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    for (unsigned round = 0; round < 4; round++) {
        uint32_t x = sm4_substitute(d->w[1] ^ d->w[2] ^ d->w[3] ^ n->w[round]);

        push_high(d, d->w[0] ^ x ^ rol(x, 2) ^ rol(x, 10) ^ rol(x, 18) ^ rol(x, 24));
    }
}

void a64_sm4ekey(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    *d = *n;
    for (unsigned round = 0; round < 4; round++) {
        uint32_t x = sm4_substitute(d->w[1] ^ d->w[2] ^ d->w[3] ^ m->w[round]);

        push_high(d, d->w[0] ^ x ^ rol(x, 13) ^ rol(x, 23));
    }
}
