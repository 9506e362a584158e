/*
 * Advanced SIMD and floating point out of line: rare operations, most of them a function of a lane. Names of the
 * manual's pseudocode (J1.1) are in the comments.
 */
#include "targets/aarch64/simd-work.h"

#include <string.h>

typedef __int128 Number;

unsigned a64_simd_imm(const Work *w)
{
    return w->o.imm;
}

const IrVec *a64_simd_register(const Work *w, unsigned n)
{
    return &w->cpu->v[n];
}

/* ---- lanes ------------------------------------------------------------------------------------ */

static unsigned bytes_of(const Work *w)
{
    return w->o.form == 1 ? 16 : w->o.form == 0 ? 8 : 1u << w->o.size;
}

static unsigned lane_count(const Work *w)
{
    return bytes_of(w) >> w->o.size;
}

/* Lane n of the second operand, or the one that all take. */
static unsigned second_lane(const Work *w, unsigned n)
{
    return w->o.lane == LANE_OF_EACH ? n : w->o.lane;
}

/* ---- saturation ------------------------------------------------------------------------------- */

static uint64_t saturate(Work *w, Number value, bool is_signed)
{
    Number max = ((Number)1 << (w->bits - is_signed)) - 1, min = is_signed ? -max - 1 : 0;

    w->saturated |= value < min || value > max;
    return (uint64_t)(value < min ? min : value > max ? max : value);
}

static Number number(const Work *w, uint64_t a, bool is_signed)
{
    return is_signed ? (Number)sign_extend(a, w->bits) : (Number)a;
}

/* Left by count, right with rounding when that is negative. */
static Number shifted(Number value, int count, bool rounds)
{
    if (count >= 64) { /* 0 stays; all others are beyond any lane */
        return value == 0 ? 0 : value < 0 ? -((Number)1 << 100) : (Number)1 << 100;
    }
    if (count >= 0) {
        return value * ((Number)1 << count);
    }
    count = -count < 66 ? -count : 66;
    return (value + (rounds ? (Number)1 << (count - 1) : 0)) >> count;
}

static uint64_t shift_saturated(
    Work *w, uint64_t a, int count, bool from_signed, bool to_signed, bool rounds)
{
    return saturate(w, shifted(number(w, a, from_signed), count, rounds), to_signed);
}

static uint64_t lane_sqshl(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return shift_saturated(w, a, (int8_t)b, true, true, false);
}

static uint64_t lane_uqshl(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return shift_saturated(w, a, (int8_t)b, false, false, false);
}

static uint64_t lane_sqrshl(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return shift_saturated(w, a, (int8_t)b, true, true, true);
}

static uint64_t lane_uqrshl(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return shift_saturated(w, a, (int8_t)b, false, false, true);
}

static uint64_t lane_sqshlu(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return shift_saturated(w, a, (int8_t)b, true, false, false);
}

static uint64_t lane_suqadd(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return saturate(w, number(w, d, true) + number(w, a, false), true);
}

static uint64_t lane_usqadd(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return saturate(w, number(w, d, false) + number(w, a, true), false);
}

/* The upper half of d +- 2ab, rounded. */
static uint64_t multiply_high(Work *w, uint64_t a, uint64_t b, uint64_t d, int sign)
{
    Number product = 2 * number(w, a, true) * number(w, b, true);
    Number sum = number(w, d, true) * ((Number)1 << w->bits) + sign * product;

    return saturate(w, (sum + ((Number)1 << (w->bits - 1))) >> w->bits, true);
}

static uint64_t lane_sqrdmlah(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return multiply_high(w, a, b, d, 1);
}

static uint64_t lane_sqrdmlsh(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return multiply_high(w, a, b, d, -1);
}

/* ---- estimates -------------------------------------------------------------------------------- */

/* RecipEstimate(): 256 ... 511 to 256 ... 511. */
static unsigned reciprocal(unsigned a)
{
    return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

/* RecipSqrtEstimate(): 128 ... 511 to 256 ... 511. */
static unsigned reciprocal_root(unsigned a)
{
    unsigned b = 512;

    a = a < 256 ? a * 2 + 1 : (a >> 1 << 1) * 2 + 2;
    while (a * (b + 1) * (b + 1) < 1u << 28) {
        b++;
    }
    return (b + 1) / 2;
}

static uint64_t lane_urecpe(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return a >> 31 ? reciprocal(a >> 23) << 23 : UINT32_MAX;
}

static uint64_t lane_ursqrte(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return a >> 30 ? reciprocal_root(a >> 23) << 23 : UINT32_MAX;
}

/* ---- multiplications with rules of their own -------------------------------------------------- */

static bool is_zero_times_infinity(const FpFormat *f, uint64_t a, uint64_t b)
{
    return (magnitude(f, a) == 0 && is_infinite(f, b)) ||
        (is_infinite(f, a) && magnitude(f, b) == 0);
}

static uint64_t lane_fmulx(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    const FpFormat *f = w->format;

    a = flushed(w, a);
    b = flushed(w, b);
    return is_zero_times_infinity(f, a, b) ? power_of_two(f, 1) | ((a ^ b) & sign_bit(f))
                                           : sf_mul(&w->mode, f, a, b);
}

/* FPRecipStepFused(): 2 - ab. */
static uint64_t lane_frecps(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    const FpFormat *f = w->format;

    a = sf_negate(f, flushed(w, a));
    b = flushed(w, b);
    return is_zero_times_infinity(f, a, b) ? power_of_two(f, 1)
                                           : sf_muladd(&w->mode, f, a, b, power_of_two(f, 1));
}

/*
 * FPRSqrtStepFused(): (3 - ab) / 2, rounded once; as 1.5 - (a / 2) b, where a is the greater one so that halving it is
 * exact. If it is too small for that, the product is too small to matter, but as a mark that the result is inexact.
 */
static uint64_t lane_frsqrts(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    const FpFormat *f = w->format;
    uint64_t half_of_3 = power_of_two(f, 0) | UINT64_C(1) << (f->fraction_bits - 1);

    a = sf_negate(f, flushed(w, a));
    b = flushed(w, b);
    if (is_zero_times_infinity(f, a, b)) {
        return half_of_3;
    }
    if (!is_nan(f, a) && !is_nan(f, b)) {
        uint64_t *greater = magnitude(f, a) > magnitude(f, b) ? &a : &b;

        if (exponent_field(f, *greater) > 1 && !is_infinite(f, *greater)) {
            *greater -= UINT64_C(1) << f->fraction_bits;
        }
    }
    return sf_muladd(&w->mode, f, a, b, half_of_3);
}

/* ---- estimates of floats ---------------------------------------------------------------------- */

/* The fraction's 52 bits, whatever the format. */
static uint64_t fraction52(const FpFormat *f, uint64_t a)
{
    return (a & ((UINT64_C(1) << f->fraction_bits) - 1)) << (52 - f->fraction_bits);
}

static uint64_t pack(const FpFormat *f, bool sign, int exponent, uint64_t fraction)
{
    return (sign ? sign_bit(f) : 0) | (uint64_t)exponent << f->fraction_bits |
        fraction >> (52 - f->fraction_bits);
}

/* 1 / a of an a so small that it overflows. */
static uint64_t reciprocal_overflow(Work *w, bool sign)
{
    unsigned round = w->mode.aux & FP_ROUND;
    bool to_infinity = round == FP_RNE || round == (sign ? FP_RDN : FP_RUP);

    w->mode.flags |= FP_OVERFLOW | FP_INEXACT;
    return (sign ? sign_bit(w->format) : 0) | (infinity(w->format) - !to_infinity);
}

static uint64_t estimate_reciprocal(const FpFormat *f, uint64_t a)
{
    bool sign = a & sign_bit(f);
    int exponent = (int)exponent_field(f, a), result;
    uint64_t fraction = fraction52(f, a);

    if (exponent == 0) {
        bool two = !(fraction >> 51);

        exponent = two ? -1 : 0;
        fraction = fraction << (two ? 2 : 1) & ONES52;
    }
    result = 2 * bias(f) - 1 - exponent;
    fraction = (uint64_t)(reciprocal(256 | (unsigned)(fraction >> 44)) & 255) << 44;
    if (result <= 0) {
        fraction = (UINT64_C(1) << 52 | fraction) >> (1 - result);
        result = 0;
    }
    return pack(f, sign, result, fraction);
}

/* FPRecipEstimate() */
static uint64_t lane_frecpe(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    const FpFormat *f = w->format;
    uint64_t zero;

    a = flushed(w, a);
    zero = a & sign_bit(f);
    if (is_nan(f, a)) {
        return process_nan(w, a);
    }
    if (is_infinite(f, a)) {
        return zero;
    }
    if (magnitude(f, a) == 0) {
        w->mode.flags |= FP_DIVIDE;
        return zero | infinity(f);
    }
    if (magnitude(f, a) < UINT64_C(1) << (f->fraction_bits - 2)) { /* below 2^-(bias + 1) */
        return reciprocal_overflow(w, zero);
    }
    if (w->mode.aux & FP_FLUSH && magnitude(f, a) >= power_of_two(f, bias(f) - 1)) {
        w->mode.flags |= FP_UNDERFLOW;
        return zero;
    }
    return estimate_reciprocal(f, a);
}

static uint64_t estimate_root(const FpFormat *f, uint64_t a)
{
    int exponent = (int)exponent_field(f, a);
    uint64_t fraction = fraction52(f, a);
    unsigned scaled;

    if (exponent == 0) {
        for (; !(fraction >> 51); exponent--) {
            fraction <<= 1;
        }
        fraction = fraction << 1 & ONES52;
    }
    scaled = exponent & 1 ? 128 | (unsigned)(fraction >> 45) : 256 | (unsigned)(fraction >> 44);
    return pack(f, false, (3 * bias(f) - 1 - exponent) >> 1,
        (uint64_t)(reciprocal_root(scaled) & 255) << 44);
}

/* FPRSqrtEstimate() */
static uint64_t lane_frsqrte(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    const FpFormat *f = w->format;

    a = flushed(w, a);
    if (is_nan(f, a)) {
        return process_nan(w, a);
    }
    if (magnitude(f, a) == 0) {
        w->mode.flags |= FP_DIVIDE;
        return a | infinity(f);
    }
    if (a & sign_bit(f)) {
        w->mode.flags |= FP_INVALID;
        return default_nan(f);
    }
    return is_infinite(f, a) ? 0 : estimate_root(f, a);
}

/* FPRecpX() */
static uint64_t lane_frecpx(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    const FpFormat *f = w->format;
    uint64_t exponent;

    a = flushed(w, a);
    if (is_nan(f, a)) {
        return process_nan(w, a);
    }
    exponent = a & infinity(f);
    return (a & sign_bit(f)) |
        (exponent ? exponent ^ infinity(f) : infinity(f) - (UINT64_C(1) << f->fraction_bits));
}

/* ---- complex numbers -------------------------------------------------------------------------- */

/* imm: 1 for a quarter turn of m, 3 for three quarters. */
static void whole_fcadd(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    const FpFormat *f = w->format;
    unsigned size = w->o.size;
    IrVec result = {};

    for (unsigned i = 0; i < lane_count(w); i += 2) {
        uint64_t real = lane(m, size, i), imaginary = lane(m, size, i + 1);

        imaginary = w->o.imm == 1 ? sf_negate(f, imaginary) : imaginary;
        real = w->o.imm == 3 ? sf_negate(f, real) : real;
        set_lane(&result, size, i,
            sf_add(&w->mode, f, flushed(w, lane(n, size, i)), flushed(w, imaginary)));
        set_lane(&result, size, i + 1,
            sf_add(&w->mode, f, flushed(w, lane(n, size, i + 1)), flushed(w, real)));
    }
    *d = result;
}

static uint64_t muladd(Work *w, uint64_t a, uint64_t b, uint64_t c)
{
    return sf_muladd(&w->mode, w->format, flushed(w, a), flushed(w, b), flushed(w, c));
}

/* imm: quarter turns of m, of which half the product is added. o.lane: the pair of m that all take. */
static void whole_fcmla(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    const FpFormat *f = w->format;
    unsigned size = w->o.size, rot = w->o.imm;
    IrVec result = {};

    for (unsigned i = 0; i < lane_count(w); i += 2) {
        unsigned pair = w->o.lane == LANE_OF_EACH ? i : 2u * w->o.lane;
        uint64_t real = lane(m, size, pair + (rot & 1)),
                 imaginary = lane(m, size, pair + !(rot & 1));
        uint64_t factor = lane(n, size, i + (rot & 1));

        real = rot == 1 || rot == 2 ? sf_negate(f, real) : real;
        imaginary = rot >= 2 ? sf_negate(f, imaginary) : imaginary;
        set_lane(&result, size, i, muladd(w, factor, real, lane(d, size, i)));
        set_lane(&result, size, i + 1, muladd(w, factor, imaginary, lane(d, size, i + 1)));
    }
    *d = result;
}

/* ---- products of halves ----------------------------------------------------------------------- */

/* A half as a single, bit for bit: a signalling NaN stays one. */
static uint64_t widened_half(const Work *w, uint64_t a)
{
    FpMode mode = { .aux = FP_NAN_FIRST };
    bool is_flushed = w->cpu->fpcr & FPCR_FZ16 && !(a & 0x7c00);

    if (is_nan(&fp_half, a)) {
        return (a & 0x8000) << 16 | infinity(&fp_single) | (a & 0x3ff) << 13;
    }
    return sf_convert(&mode, &fp_half, &fp_single, is_flushed ? a & 0x8000 : a);
}

/* Singles of d +- halves of n times halves of m, of their low or high halves (imm 1). */
static void multiply_halves(Work *w, IrVec *d, const IrVec *n, const IrVec *m, bool subtracts)
{
    unsigned count = bytes_of(w) / 4, first = w->o.imm ? count : 0;
    IrVec result = {};

    for (unsigned i = 0; i < count; i++) {
        uint64_t x = n->h[first + i] ^ (subtracts ? 0x8000 : 0);

        result.w[i] = (uint32_t)sf_muladd(&w->mode, &fp_single, widened_half(w, x),
            widened_half(w, m->h[second_lane(w, first + i)]),
            sf_flush_operand(&w->mode, &fp_single, d->w[i]));
    }
    *d = result;
}

static void whole_fmlal(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    multiply_halves(w, d, n, m, false);
}

static void whole_fmlsl(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    multiply_halves(w, d, n, m, true);
}

/* ---- bfloat16 --------------------------------------------------------------------------------- */

static uint64_t widened_bfloat(uint64_t a)
{
    return a << 16;
}

/*
 * The dot products have rules of their own (FPCR is not asked, no flags): subnormals are zero, NaNs the default one,
 * rounding to odd, where only overflow gives infinity.
 */
enum { BF_RULES = FP_RTZ | FP_NAN_DEFAULT | FP_TINY_BEFORE | FP_FLUSH };

static uint64_t odd(const FpMode *mode, uint64_t a)
{
    if (mode->flags & FP_OVERFLOW) {
        return (a & sign_bit(&fp_single)) | infinity(&fp_single);
    }
    return mode->flags & FP_INEXACT ? a | 1 : a;
}

static uint64_t bf_multiply(uint64_t a, uint64_t b)
{
    FpMode mode = { .aux = BF_RULES };

    a = sf_flush_operand(&mode, &fp_single, widened_bfloat(a));
    b = sf_flush_operand(&mode, &fp_single, widened_bfloat(b));
    a = sf_mul(&mode, &fp_single, a, b);
    return odd(&mode, a);
}

static uint64_t bf_add(uint64_t a, uint64_t b)
{
    FpMode mode = { .aux = BF_RULES };

    a = sf_flush_operand(&mode, &fp_single, a);
    b = sf_flush_operand(&mode, &fp_single, b);
    a = sf_add(&mode, &fp_single, a, b);
    return odd(&mode, a);
}

/* BFDotAdd(): of two pairs. */
static uint32_t bf_dot(uint32_t sum, const uint16_t *n, const uint16_t *m)
{
    return (uint32_t)bf_add(sum, bf_add(bf_multiply(n[0], m[0]), bf_multiply(n[1], m[1])));
}

static void whole_bfdot(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    IrVec result = {};

    for (unsigned i = 0; i < bytes_of(w) / 4; i++) {
        result.w[i] = bf_dot(d->w[i], &n->h[2 * i], &m->h[2 * second_lane(w, i)]);
    }
    *d = result;
}

static void whole_bfmmla(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    IrVec result;

    for (unsigned i = 0; i < 4; i++) {
        const uint16_t *row = &n->h[4 * (i / 2)], *column = &m->h[4 * (i % 2)];

        result.w[i] = bf_dot(bf_dot(d->w[i], row, column), row + 2, column + 2);
    }
    *d = result;
}

/* imm: 1 for the odd lanes. */
static void whole_bfmlal(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned at = 2 * i + w->o.imm;

        d->w[i] = (uint32_t)muladd(
            w, widened_bfloat(n->h[at]), widened_bfloat(m->h[second_lane(w, at)]), d->w[i]);
    }
}

/* ---- matrices of bytes ------------------------------------------------------------------------ */

static void multiply_matrices(
    IrVec *d, const IrVec *n, const IrVec *m, bool n_signed, bool m_signed)
{
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned k = 0; k < 8; k++) {
            uint8_t x = n->b[8 * (i / 2) + k], y = m->b[8 * (i % 2) + k];

            d->w[i] += (uint32_t)((n_signed ? (int8_t)x : x) * (m_signed ? (int8_t)y : y));
        }
    }
}

static void whole_smmla(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    multiply_matrices(d, n, m, true, true);
}

static void whole_ummla(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    multiply_matrices(d, n, m, false, false);
}

static void whole_usmmla(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    multiply_matrices(d, n, m, false, true);
}

/* ---- the table -------------------------------------------------------------------------------- */

typedef struct SimdOp {
    LaneFunction *lane;  /* of a lane of rn, of rm, of rd; or */
    A64SimdWhole *whole; /* of whole registers */
} SimdOp;

/* clang-format off */
#define LANE(name) [SIMD_##name] = { .lane = lane_##name }
#define WHOLE(name) [SIMD_##name] = { .whole = whole_##name }
#define CONVERT_LANE(name) [SIMD_##name] = { .lane = convert_##name }
#define CONVERT(name) [SIMD_##name] = { .whole = convert_##name }
#define CRYPTO(name) [SIMD_##name] = { .whole = a64_##name }

static const SimdOp simd_ops[SIMD_OP_COUNT] = {
    LANE(sqshl), LANE(uqshl), LANE(sqrshl), LANE(uqrshl), LANE(sqshlu), LANE(suqadd), LANE(usqadd),
    LANE(sqrdmlah), LANE(sqrdmlsh), LANE(urecpe), LANE(ursqrte), LANE(fmulx), LANE(frecps),
    LANE(frsqrts), LANE(frecpe), LANE(frsqrte), LANE(frecpx), CONVERT_LANE(frint32z), CONVERT_LANE(frint64z),
    CONVERT_LANE(frint32x), CONVERT_LANE(frint64x), CONVERT_LANE(fcvts), CONVERT_LANE(fcvtu), CONVERT_LANE(scvtf), CONVERT_LANE(ucvtf),
    CONVERT(fcvts_x), CONVERT(fcvtu_x), CONVERT(scvtf_x), CONVERT(ucvtf_x),
    CONVERT(fcvt), CONVERT(fcvtn), CONVERT(fcvtl), CONVERT(fcvtxn), CONVERT(bfcvtn), WHOLE(fcadd),
    WHOLE(fcmla), WHOLE(fmlal), WHOLE(fmlsl), WHOLE(bfdot), WHOLE(bfmmla), WHOLE(bfmlal),
    WHOLE(smmla), WHOLE(ummla), WHOLE(usmmla), CONVERT(fjcvtzs), CRYPTO(sha512h),
    CRYPTO(sha512h2), CRYPTO(sha512su0), CRYPTO(sha512su1), CRYPTO(sm3partw1), CRYPTO(sm3partw2),
    CRYPTO(sm3ss1), CRYPTO(sm3tt1a), CRYPTO(sm3tt1b), CRYPTO(sm3tt2a), CRYPTO(sm3tt2b),
    CRYPTO(sm4e), CRYPTO(sm4ekey),
};
/* clang-format on */

static IrVec each_lane(
    Work *w, LaneFunction *function, const IrVec *n, const IrVec *m, const IrVec *d)
{
    unsigned size = w->o.size;
    IrVec result = {};

    for (unsigned i = 0; i < lane_count(w); i++) {
        set_lane(&result, size, i,
            function(w, lane(n, size, i), lane(m, size, second_lane(w, i)), lane(d, size, i)));
    }
    return result;
}

static uint64_t help_simd(CpuEnv *env, uint64_t operands, uint64_t op, uint64_t x)
{
    Work w = { .cpu = a64_cpu(env) };
    const SimdOp *row = &simd_ops[op];
    IrVec n = { .d = { x } }, m = n, d = {};

    memcpy(&w.o, &operands, sizeof(w.o));
    w.bits = 8u << w.o.size;
    w.format = format_of(w.o.size);
    w.mode.aux = (uint8_t)fp_rules(w.cpu, w.o.size);
    n = w.o.rn < NO_REGISTER ? w.cpu->v[w.o.rn] : n;
    m = w.o.rm < NO_REGISTER ? w.cpu->v[w.o.rm] : m;
    d = w.o.rd < NO_REGISTER ? w.cpu->v[w.o.rd] : d;
    if (row->lane) {
        d = each_lane(&w, row->lane, &n, &m, &d);
    } else {
        row->whole(&w, &d, &n, &m);
    }
    if (w.o.rd < NO_REGISTER) {
        w.cpu->v[w.o.rd] = d;
    }
    w.cpu->qc.d[0] |= w.saturated;
    env->fp_flags |= w.mode.flags;
    return d.d[0];
}

const Helper a64_help_simd = { "a64_simd", help_simd, 0 };
