/*
 * Advanced SIMD and floating point out of line: rounding to integers, conversions between floats and to and from
 * integers. Names of the manual's pseudocode (J1.1) are in the comments.
 */
#include "targets/aarch64/simd-work.h"

/* Of a conversion between sizes: FPCR.FZ16 is not asked. */
static void rules_of_conversion(Work *w)
{
    w->mode.aux = (uint8_t)fp_rules(w->cpu, LANE_32);
    w->mode.converts = true;
}

/* ---- rounding and conversions ----------------------------------------------------------------- */

/* FPRoundIntN(): to an integer of so many bits; all others give the least one. */
static uint64_t round_to(Work *w, uint64_t a, int bits, unsigned round)
{
    const FpFormat *f = w->format;
    uint64_t limit = power_of_two(f, bits - 1), result;
    FpMode mode = w->mode;

    a = sf_flush_operand(&mode, f, a);
    mode.aux = (uint8_t)((mode.aux & ~(unsigned)FP_ROUND) | round);
    result = is_nan(f, a) ? a : sf_round(&mode, f, a, true);
    if (is_nan(f, a) || magnitude(f, result) > limit || result == limit) {
        w->mode.flags |= FP_INVALID;
        return sign_bit(f) | limit;
    }
    w->mode.flags |= mode.flags;
    return result;
}

uint64_t convert_frint32z(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return round_to(w, a, 32, FP_RTZ);
}

uint64_t convert_frint64z(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return round_to(w, a, 64, FP_RTZ);
}

uint64_t convert_frint32x(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return round_to(w, a, 32, w->mode.aux & FP_ROUND);
}

uint64_t convert_frint64x(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return round_to(w, a, 64, w->mode.aux & FP_ROUND);
}

/* FPToFixed(): to an integer of `bits`, of a times 2^shift, rounding as imm says. */
static uint64_t to_fixed(Work *w, uint64_t a, unsigned bits, bool is_signed)
{
    FpMode exact = { .aux = FP_NAN_FIRST };
    uint64_t wide = sf_convert(&exact, w->format, &fp_double, flushed(w, a));
    FpMode mode = { .aux = (uint8_t)((w->o.imm & IMM_ROUND) | FP_NAN_TO_ZERO) };
    uint64_t result;

    if (!is_nan(&fp_double, wide) && exponent_field(&fp_double, wide) > 0) {
        unsigned exponent = exponent_field(&fp_double, wide) + w->o.shift;

        wide = exponent < 0x7ff ? wide + ((uint64_t)w->o.shift << 52)
                                : (wide & sign_bit(&fp_double)) | infinity(&fp_double);
    }
    result = sf_to_int(&mode, &fp_double, wide, bits, is_signed);
    w->mode.flags |= mode.flags;
    return result;
}

uint64_t convert_fcvts(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return to_fixed(w, a, w->bits, true);
}

uint64_t convert_fcvtu(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return to_fixed(w, a, w->bits, false);
}

/* The size of the general register that a conversion goes to or comes from. */
static unsigned register_bits(const Work *w)
{
    return w->o.imm & IMM_64 ? 64 : 32;
}

void convert_fcvts_x(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    d->d[0] = to_fixed(w, lane(n, w->o.size, 0), register_bits(w), true);
}

void convert_fcvtu_x(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    d->d[0] = to_fixed(w, lane(n, w->o.size, 0), register_bits(w), false);
}

/* Rounds to odd: the lowest bit says that something was cut off. */
static uint64_t convert_to_odd(FpMode *mode, const FpFormat *from, const FpFormat *to, uint64_t a)
{
    FpMode cut = { .aux = (uint8_t)((mode->aux & ~(unsigned)FP_ROUND) | FP_RTZ), .converts = true };
    uint64_t result = sf_convert(&cut, from, to, a);

    mode->flags |= cut.flags;
    return cut.flags & FP_INEXACT ? result | 1 : result;
}

/* FixedToFP(): value / 2^shift, rounded once. */
static uint64_t from_fixed(Work *w, uint64_t value, bool is_signed)
{
    FpMode cut = { .aux = FP_RTZ };
    uint64_t scale = (uint64_t)w->o.shift << 52, wide;

    if (w->format == &fp_double) {
        wide = sf_from_int(&w->mode, &fp_double, value, is_signed);
        return wide ? wide - scale : 0;
    }
    wide = sf_from_int(&cut, &fp_double, value, is_signed);
    wide |= cut.flags & FP_INEXACT ? 1 : 0; /* to odd: as good as all its bits */
    return sf_convert(&w->mode, &fp_double, w->format, wide ? wide - scale : 0);
}

uint64_t convert_scvtf(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return from_fixed(w, (uint64_t)sign_extend(a, w->bits), true);
}

uint64_t convert_ucvtf(Work *w, uint64_t a, uint64_t b, uint64_t d)
{
    return from_fixed(w, a, false);
}

void convert_scvtf_x(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    uint64_t value = (uint64_t)sign_extend(n->d[0], register_bits(w));

    *d = (IrVec){ .d = { from_fixed(w, value, true) } };
}

void convert_ucvtf_x(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    uint64_t value = n->d[0] & low_mask(register_bits(w));

    *d = (IrVec){ .d = { from_fixed(w, value, false) } };
}

static const FpFormat fp_bfloat = { 8, 7 };

/* The alternative half precision has no infinities and no NaN: its greatest exponent is one more of numbers. */
static uint64_t from_alternative(Work *w, const FpFormat *to, uint64_t a)
{
    if (exponent_field(&fp_half, a) < 31) {
        return sf_convert(&w->mode, &fp_half, to, a);
    }
    return (a & 0x8000 ? sign_bit(to) : 0) | power_of_two(to, 16) |
        (a & 0x3ff) << (to->fraction_bits - 10);
}

static uint64_t to_alternative(Work *w, const FpFormat *from, uint64_t a)
{
    uint64_t sign = a & sign_bit(from) ? 0x8000 : 0, result;
    bool is_large = magnitude(from, a) >= power_of_two(from, 15);

    if (is_nan(from, a)) {
        w->mode.flags |= FP_INVALID;
        return sign;
    }
    if (!is_large) {
        return sf_convert(&w->mode, from, &fp_half, a);
    }
    if (magnitude(from, a) < power_of_two(from, 17)) { /* halved, it fits both formats */
        FpMode mode = w->mode;

        result = sf_convert(&mode, from, &fp_half, a - (UINT64_C(1) << from->fraction_bits)) +
            0x400;
        if ((result & 0x8000) == sign) {
            w->mode.flags = mode.flags;
            return result;
        }
    }
    w->mode.flags |= FP_INVALID;
    return sign | 0x7fff;
}

/* FPConvert() between floats of any two sizes. */
static uint64_t convert(Work *w, unsigned from_size, unsigned to_size, uint64_t a)
{
    const FpFormat *from = format_of(from_size), *to = format_of(to_size);
    bool alternative = w->cpu->fpcr & FPCR_AHP;

    rules_of_conversion(w);
    a = sf_flush_operand(&w->mode, from, a);
    if (alternative && from_size == LANE_16) {
        return from_alternative(w, to, a);
    }
    if (alternative && to_size == LANE_16) {
        return to_alternative(w, from, a);
    }
    return sf_convert(&w->mode, from, to, a);
}

/* imm: the size of the result. */
void convert_fcvt(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    *d = (IrVec){ .d = { convert(w, w->o.size, w->o.imm, lane(n, w->o.size, 0)) } };
}

typedef uint64_t Narrow(Work *w, uint64_t a);

/* To narrow lanes in the low half, or above it with the low half kept; a scalar is one. */
static void narrow_lanes(Work *w, IrVec *d, const IrVec *n, Narrow *function)
{
    unsigned size = w->o.size, count = w->o.form == 2 ? 1 : 8u >> size;
    IrVec result = {};

    for (unsigned i = 0; i < count; i++) {
        set_lane(&result, size, i, function(w, lane(n, size + 1, i)));
    }
    *d = w->o.form == 1 ? (IrVec){ .d = { d->d[0], result.d[0] } } : result;
}

static uint64_t narrow_fcvtn(Work *w, uint64_t a)
{
    return convert(w, w->o.size + 1, w->o.size, a);
}

static uint64_t narrow_fcvtxn(Work *w, uint64_t a)
{
    rules_of_conversion(w);
    return convert_to_odd(
        &w->mode, &fp_double, &fp_single, sf_flush_operand(&w->mode, &fp_double, a));
}

static uint64_t narrow_bfcvtn(Work *w, uint64_t a)
{
    rules_of_conversion(w);
    return sf_convert(&w->mode, &fp_single, &fp_bfloat, sf_flush_operand(&w->mode, &fp_single, a));
}

void convert_fcvtn(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    narrow_lanes(w, d, n, narrow_fcvtn);
}

void convert_fcvtxn(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    narrow_lanes(w, d, n, narrow_fcvtxn);
}

void convert_bfcvtn(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    narrow_lanes(w, d, n, narrow_bfcvtn);
}

/* From the low half, or with form 1 the upper one. */
void convert_fcvtl(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    unsigned size = w->o.size, count = 8u >> size, first = w->o.form == 1 ? count : 0;

    for (unsigned i = 0; i < count; i++) {
        set_lane(d, size + 1, i, convert(w, size, size + 1, lane(n, size, first + i)));
    }
}

/* FPToFixedJS(): modulo 2^32; bit 32 tells whether that is the number itself, and not -0. */
void convert_fjcvtzs(Work *w, IrVec *d, const IrVec *n, const IrVec *m)
{
    uint64_t a = sf_flush_operand(&w->mode, &fp_double, n->d[0]), whole;
    FpMode mode = { .aux = FP_RTZ | FP_NAN_TO_ZERO };
    bool is_exact;
    int exponent = (int)exponent_field(&fp_double, a) - 1023;
    uint32_t result = 0;

    sf_to_int(&mode, &fp_double, a, 32, true);
    w->mode.flags |= mode.flags;
    whole = UINT64_C(1) << 52 | (a & ONES52);
    if (exponent >= 0 && exponent < 52 + 32) {
        result = (uint32_t)(exponent <= 52 ? whole >> (52 - exponent) : whole << (exponent - 52));
    }
    result = a >> 63 ? -result : result;
    is_exact = !w->mode.flags && n->d[0] != sign_bit(&fp_double);
    *d = (IrVec){ .w = { result, is_exact } };
}
