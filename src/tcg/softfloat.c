/*
 * IEEE 754 binary arithmetic by integers alone, written from the standard (IEEE 754-2019, clauses
 * 3.4, 4.3, 5, 6.2 and 7). One set of functions serves every format: operands are unpacked to a
 * common form, results are rounded in one place.
 */
#include "tcg/softfloat.h"

#include "tcg/general-regs.h"

const FpFormat fp_half = { 5, 10 }, fp_single = { 8, 23 }, fp_double = { 11, 52 };

typedef unsigned __int128 Wide;

typedef enum Class {
    CLASS_ZERO,
    CLASS_FINITE,
    CLASS_INFINITY,
    CLASS_QUIET,
    CLASS_SIGNALLING,
} Class;

/* A finite value is significand / 2^63 * 2^exponent with bit 63 of the significand set. */
typedef struct Number {
    Class class;
    bool sign;
    int exponent;
    uint64_t significand;
} Number;

/* ---- formats ------------------------------------------------------------------------------- */

static int bias(const FpFormat *f)
{
    return (1 << (f->exponent_bits - 1)) - 1;
}

static uint64_t sign_bit(const FpFormat *f)
{
    return UINT64_C(1) << (f->exponent_bits + f->fraction_bits);
}

/* The exponent field of infinities and NaNs, which is also positive infinity. */
static uint64_t infinity(const FpFormat *f)
{
    return ((UINT64_C(1) << f->exponent_bits) - 1) << f->fraction_bits;
}

static uint64_t quiet_bit(const FpFormat *f)
{
    return UINT64_C(1) << (f->fraction_bits - 1);
}

static uint64_t default_nan(const FpFormat *f)
{
    return infinity(f) | quiet_bit(f);
}

static uint64_t with_sign(const FpFormat *f, bool sign, uint64_t magnitude)
{
    return sign ? magnitude | sign_bit(f) : magnitude;
}

uint64_t sf_negate(const FpFormat *f, uint64_t a)
{
    return a ^ sign_bit(f);
}

static Number unpack(const FpFormat *f, uint64_t a)
{
    uint64_t fraction = a & ((UINT64_C(1) << f->fraction_bits) - 1);
    int field = (int)((a & infinity(f)) >> f->fraction_bits);
    Number n = { .sign = a & sign_bit(f) };
    int shift;

    if (field == (1 << f->exponent_bits) - 1) {
        n.class = !fraction           ? CLASS_INFINITY
            : fraction & quiet_bit(f) ? CLASS_QUIET
                                      : CLASS_SIGNALLING;
    } else if (field) {
        n.class = CLASS_FINITE;
        n.exponent = field - bias(f);
        n.significand = UINT64_C(1) << 63 | fraction << (63 - f->fraction_bits);
    } else if (fraction) {
        shift = __builtin_clzll(fraction);
        n.class = CLASS_FINITE;
        n.exponent = 1 - bias(f) + (63 - f->fraction_bits) - shift;
        n.significand = fraction << shift;
    }
    return n;
}

static bool is_nan(const Number *n)
{
    return n->class >= CLASS_QUIET;
}

/* ---- flushing to zero ---------------------------------------------------------------------- */

static bool is_half(const FpFormat *f)
{
    return f->exponent_bits == fp_half.exponent_bits;
}

/* Conversions leave halves as they are (ARM ARM, FPCR.FZ16). */
static bool flushes(const FpMode *mode, const FpFormat *f)
{
    return (mode->aux & FP_FLUSH) && !(mode->converts && is_half(f));
}

uint64_t sf_flush_operand(FpMode *mode, const FpFormat *f, uint64_t a)
{
    uint64_t magnitude = a & (sign_bit(f) - 1);

    if (!flushes(mode, f) || magnitude == 0 || magnitude >> f->fraction_bits) {
        return a;
    }
    mode->flags |= is_half(f) ? 0 : FP_FLUSHED;
    return a & sign_bit(f);
}

/* ---- rounding ------------------------------------------------------------------------------ */

/* Shifts right; what falls off leaves a mark in the lowest bit. */
static uint64_t shift_jam(uint64_t value, int count)
{
    if (count >= 64) {
        return value != 0;
    }
    return count == 0 ? value : value >> count | ((value << (64 - count)) != 0);
}

static Wide shift_jam_wide(Wide value, int count)
{
    if (count >= 128) {
        return value != 0;
    }
    return count == 0 ? value : value >> count | ((value << (128 - count)) != 0);
}

/* Whether a magnitude with `rest` (of `bits` bits) left over is rounded away from zero. */
static bool rounds_up(unsigned round, bool sign, bool odd, uint64_t rest, int bits)
{
    uint64_t half = UINT64_C(1) << (bits - 1);

    switch (round) {
    case FP_RNE: return rest > half || (rest == half && odd);
    case FP_RMM: return rest >= half;
    case FP_RDN: return sign && rest;
    case FP_RUP: return !sign && rest;
    default: return false;
    }
}

static unsigned round_of(const FpMode *mode)
{
    return mode->aux & FP_ROUND;
}

static uint64_t overflow(FpMode *mode, const FpFormat *f, bool sign)
{
    unsigned round = round_of(mode);
    bool to_infinity = round == FP_RNE || round == FP_RMM || round == (sign ? FP_RDN : FP_RUP);

    mode->flags |= FP_OVERFLOW | FP_INEXACT;
    return with_sign(f, sign, infinity(f) - !to_infinity);
}

/*
 * Is a result with an exponent below the smallest tiny? Before rounding always; after rounding,
 * not when it would have become the smallest normal number had the exponent been unbounded (clause
 * 7.5).
 */
static bool is_tiny(
    const FpMode *mode, const FpFormat *f, bool sign, int exponent, uint64_t significand)
{
    int drop = 63 - f->fraction_bits;
    uint64_t kept = significand >> drop, rest = significand & ((UINT64_C(1) << drop) - 1);

    if ((mode->aux & FP_TINY_BEFORE) || exponent < -bias(f)) {
        return true;
    }
    return kept != (UINT64_C(2) << f->fraction_bits) - 1 ||
        !rounds_up(round_of(mode), sign, kept & 1, rest, drop);
}

/*
 * The nearest value of the format; bit 63 of the significand is set, bit 0 may be a mark of
 * shift_jam.
 */
static uint64_t round_pack(
    FpMode *mode, const FpFormat *f, bool sign, int exponent, uint64_t significand)
{
    int drop = 63 - f->fraction_bits, field = exponent + bias(f);
    bool tiny = field <= 0 && is_tiny(mode, f, sign, exponent, significand);
    uint64_t rest, packed;

    if (tiny && flushes(mode, f)) {
        mode->flags |= FP_UNDERFLOW;
        return with_sign(f, sign, 0);
    }
    if (field <= 0) {
        significand = shift_jam(significand, 1 - field);
        field = 1; /* the hidden bit below says whether it is 0 */
    }
    rest = significand & ((UINT64_C(1) << drop) - 1);
    packed = (significand >> drop) + ((uint64_t)(field - 1) << f->fraction_bits);
    packed += rounds_up(round_of(mode), sign, packed & 1, rest, drop);
    if (field >= (1 << f->exponent_bits) - 1 || packed >= infinity(f)) {
        return overflow(mode, f, sign);
    }
    if (rest) {
        mode->flags |= tiny ? FP_INEXACT | FP_UNDERFLOW : FP_INEXACT;
    }
    return with_sign(f, sign, packed);
}

/* The same of value / 2^127 * 2^exponent, in twice the width; value is not 0. */
static uint64_t round_pack_wide(
    FpMode *mode, const FpFormat *f, bool sign, int exponent, Wide value)
{
    uint64_t high = (uint64_t)(value >> 64);
    int zeros = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)value);

    value <<= zeros;
    return round_pack(
        mode, f, sign, exponent - zeros, (uint64_t)(value >> 64) | ((uint64_t)value != 0));
}

/* ---- NaN ----------------------------------------------------------------------------------- */

static uint64_t invalid(FpMode *mode, const FpFormat *f)
{
    mode->flags |= FP_INVALID;
    return default_nan(f);
}

/* The NaN result for operands in order of preference, of which one at least is a NaN. */
static uint64_t propagate(FpMode *mode, const FpFormat *f, const uint64_t *operands, unsigned count)
{
    uint64_t quiet = 0, signalling = 0;

    for (unsigned n = count; n-- > 0;) {
        Class class = unpack(f, operands[n]).class;

        quiet = class == CLASS_QUIET ? operands[n] : quiet;
        signalling = class == CLASS_SIGNALLING ? operands[n] : signalling;
    }
    if (signalling) {
        mode->flags |= FP_INVALID;
    }
    if ((mode->aux & FP_NAN_RULE) != FP_NAN_FIRST) {
        return default_nan(f);
    }
    return signalling ? signalling | quiet_bit(f) : quiet;
}

static uint64_t propagate2(FpMode *mode, const FpFormat *f, uint64_t a, uint64_t b)
{
    return propagate(mode, f, (const uint64_t[]){ a, b }, 2);
}

/* ---- addition ------------------------------------------------------------------------------ */

/* An exact zero that is a sum of opposites: negative only when rounding down (clause 6.3). */
static uint64_t zero_sum(const FpMode *mode, const FpFormat *f)
{
    return with_sign(f, round_of(mode) == FP_RDN, 0);
}

/* Sum of two values in twice the width: a is not smaller in exponent. Points are at bit 125. */
static uint64_t add_wide(FpMode *mode, const FpFormat *f, bool sign_a, int exponent_a, Wide a,
    bool sign_b, int exponent_b, Wide b)
{
    b = shift_jam_wide(b, exponent_a - exponent_b);
    if (sign_a == sign_b) {
        return round_pack_wide(mode, f, sign_a, exponent_a + 2, a + b);
    }
    if (a == b) {
        return zero_sum(mode, f);
    }
    return a > b ? round_pack_wide(mode, f, sign_a, exponent_a + 2, a - b)
                 : round_pack_wide(mode, f, sign_b, exponent_a + 2, b - a);
}

/* Finite, not zero. */
static uint64_t add_numbers(FpMode *mode, const FpFormat *f, const Number *x, const Number *y)
{
    if (x->exponent < y->exponent) {
        return add_numbers(mode, f, y, x);
    }
    return add_wide(mode, f, x->sign, x->exponent, (Wide)x->significand << 62, y->sign, y->exponent,
        (Wide)y->significand << 62);
}

static uint64_t add_infinity(FpMode *mode, const FpFormat *f, const Number *x, const Number *y)
{
    if (x->class == CLASS_INFINITY && y->class == CLASS_INFINITY && x->sign != y->sign) {
        return invalid(mode, f);
    }
    return with_sign(f, x->class == CLASS_INFINITY ? x->sign : y->sign, infinity(f));
}

uint64_t sf_add(FpMode *mode, const FpFormat *f, uint64_t a, uint64_t b)
{
    Number x = unpack(f, a), y = unpack(f, b);

    if (is_nan(&x) || is_nan(&y)) {
        return propagate2(mode, f, a, b);
    }
    if (x.class == CLASS_INFINITY || y.class == CLASS_INFINITY) {
        return add_infinity(mode, f, &x, &y);
    }
    if (x.class == CLASS_ZERO) {
        return y.class != CLASS_ZERO || x.sign == y.sign ? b : zero_sum(mode, f);
    }
    return y.class == CLASS_ZERO ? a : add_numbers(mode, f, &x, &y);
}

uint64_t sf_sub(FpMode *mode, const FpFormat *f, uint64_t a, uint64_t b)
{
    Number y = unpack(f, b);

    return sf_add(mode, f, a, is_nan(&y) ? b : sf_negate(f, b));
}

/* ---- multiplication, division, square root ------------------------------------------------- */

uint64_t sf_mul(FpMode *mode, const FpFormat *f, uint64_t a, uint64_t b)
{
    Number x = unpack(f, a), y = unpack(f, b);
    bool sign = x.sign != y.sign;

    if (is_nan(&x) || is_nan(&y)) {
        return propagate2(mode, f, a, b);
    }
    if (x.class == CLASS_INFINITY || y.class == CLASS_INFINITY) {
        return x.class == CLASS_ZERO || y.class == CLASS_ZERO ? invalid(mode, f)
                                                              : with_sign(f, sign, infinity(f));
    }
    if (x.class == CLASS_ZERO || y.class == CLASS_ZERO) {
        return with_sign(f, sign, 0);
    }
    return round_pack_wide(
        mode, f, sign, x.exponent + y.exponent + 1, (Wide)x.significand * y.significand);
}

/*
 * The first 64 bits of x / y for x < 2y, point after the first; bit 0 is marked when there are
 * more.
 */
static uint64_t divide(uint64_t x, uint64_t y)
{
    Wide rest = x;
    uint64_t quotient = 0;

    for (int bit = 63; bit >= 0; bit--) {
        if (rest >= y) {
            rest -= y;
            quotient |= UINT64_C(1) << bit;
        }
        rest <<= 1;
    }
    return quotient | (rest != 0);
}

static uint64_t divide_numbers(FpMode *mode, const FpFormat *f, const Number *x, const Number *y)
{
    uint64_t quotient = divide(x->significand, y->significand);
    int shift = quotient >> 63 ? 0 : 1;

    return round_pack(
        mode, f, x->sign != y->sign, x->exponent - y->exponent - shift, quotient << shift);
}

uint64_t sf_div(FpMode *mode, const FpFormat *f, uint64_t a, uint64_t b)
{
    Number x = unpack(f, a), y = unpack(f, b);
    bool sign = x.sign != y.sign;

    if (is_nan(&x) || is_nan(&y)) {
        return propagate2(mode, f, a, b);
    }
    if (x.class == y.class && x.class != CLASS_FINITE) {
        return invalid(mode, f); /* 0 / 0, infinity / infinity */
    }
    if (x.class == CLASS_INFINITY) {
        return with_sign(f, sign, infinity(f));
    }
    if (x.class == CLASS_ZERO || y.class == CLASS_INFINITY) {
        return with_sign(f, sign, 0);
    }
    if (y.class == CLASS_ZERO) {
        mode->flags |= FP_DIVIDE;
        return with_sign(f, sign, infinity(f));
    }
    return divide_numbers(mode, f, &x, &y);
}

/* floor(sqrt(x)) with bit 0 marked when that is not exact; x is at least 2^126. */
static uint64_t square_root(Wide x)
{
    uint64_t root = 0;
    Wide rest = x;

    for (int bit = 63; bit >= 0; bit--) {
        /* (root + 2^bit)^2 - root^2 is step << bit. */
        Wide step = (Wide)root << 1 | (Wide)1 << bit;

        if (step <= rest >> bit) {
            rest -= step << bit;
            root |= UINT64_C(1) << bit;
        }
    }
    return root | (rest != 0);
}

uint64_t sf_sqrt(FpMode *mode, const FpFormat *f, uint64_t a)
{
    Number x = unpack(f, a);
    int odd = x.exponent & 1;

    if (is_nan(&x)) {
        return propagate(mode, f, &a, 1);
    }
    if (x.class == CLASS_ZERO) {
        return a;
    }
    if (x.sign) {
        return invalid(mode, f);
    }
    if (x.class == CLASS_INFINITY) {
        return a;
    }
    return round_pack(
        mode, f, false, (x.exponent - odd) / 2, square_root((Wide)x.significand << (63 + odd)));
}

/* ---- fused multiply and add ---------------------------------------------------------------- */

/* The product is finite and not zero. */
static uint64_t add_product(
    FpMode *mode, const FpFormat *f, const Number *x, const Number *y, const Number *z)
{
    bool sign = x->sign != y->sign;
    int exponent = x->exponent + y->exponent;
    /* Significands have 53 bits at most: nothing is lost here. */
    Wide product = (Wide)x->significand * y->significand >> 1, addend = (Wide)z->significand << 62;

    if (z->class == CLASS_ZERO) {
        return round_pack_wide(mode, f, sign, exponent + 2, product);
    }
    return exponent >= z->exponent
        ? add_wide(mode, f, sign, exponent, product, z->sign, z->exponent, addend)
        : add_wide(mode, f, z->sign, z->exponent, addend, sign, exponent, product);
}

/* 0 times infinity: invalid even when a quiet NaN is added (RISC-V F 11.6; ARM FPMulAdd). */
static bool is_invalid_product(const Number *x, const Number *y)
{
    return (x->class == CLASS_ZERO && y->class == CLASS_INFINITY) ||
        (x->class == CLASS_INFINITY && y->class == CLASS_ZERO);
}

uint64_t sf_muladd(FpMode *mode, const FpFormat *f, uint64_t a, uint64_t b, uint64_t c)
{
    Number x = unpack(f, a), y = unpack(f, b), z = unpack(f, c);
    bool sign = x.sign != y.sign;
    Number product = { .sign = sign, .class = CLASS_INFINITY };

    if (is_invalid_product(&x, &y) && z.class != CLASS_SIGNALLING) {
        return invalid(mode, f);
    }
    if (is_nan(&x) || is_nan(&y) || is_nan(&z)) {
        /* ARM's order: the addend first. */
        return propagate(mode, f, (const uint64_t[]){ c, a, b }, 3);
    }
    if (x.class == CLASS_INFINITY || y.class == CLASS_INFINITY) {
        return add_infinity(mode, f, &product, &z);
    }
    if (z.class == CLASS_INFINITY) {
        return c;
    }
    if (x.class == CLASS_ZERO || y.class == CLASS_ZERO) {
        return z.class != CLASS_ZERO || z.sign == sign ? c : zero_sum(mode, f);
    }
    return add_product(mode, f, &x, &y, &z);
}

/* ---- comparison ---------------------------------------------------------------------------- */

/* A number that orders as the values do; both zeros are 0. Not for NaN. */
static int64_t order(const FpFormat *f, uint64_t a)
{
    int64_t magnitude = (int64_t)(a & (sign_bit(f) - 1));

    return a & sign_bit(f) ? -magnitude : magnitude;
}

/* One operand at least is a NaN. */
static uint64_t min_max_nan(
    FpMode *mode, const FpFormat *f, FpMin kind, const uint64_t *operands, Class x, Class y)
{
    uint64_t nan = propagate(mode, f, operands, 2);
    bool any_signalling = x == CLASS_SIGNALLING || y == CLASS_SIGNALLING;
    bool both = x >= CLASS_QUIET && y >= CLASS_QUIET;

    if (both || kind == FP_MIN_MINIMUM || (kind == FP_MIN_2008 && any_signalling)) {
        return nan;
    }
    return x >= CLASS_QUIET ? operands[1] : operands[0];
}

static uint64_t min_max(
    FpMode *mode, const FpFormat *f, FpMin kind, const uint64_t *operands, bool want_max)
{
    Number x = unpack(f, operands[0]), y = unpack(f, operands[1]);
    int64_t order_a = order(f, operands[0]), order_b = order(f, operands[1]);
    bool a_first;

    if (is_nan(&x) || is_nan(&y)) {
        return min_max_nan(mode, f, kind, operands, x.class, y.class);
    }
    a_first = order_a != order_b ? order_a < order_b : x.sign; /* -0 before +0 */
    return operands[a_first == want_max];
}

uint64_t sf_min(FpMode *mode, const FpFormat *f, FpMin kind, uint64_t a, uint64_t b)
{
    return min_max(mode, f, kind, (const uint64_t[]){ a, b }, false);
}

uint64_t sf_max(FpMode *mode, const FpFormat *f, FpMin kind, uint64_t a, uint64_t b)
{
    return min_max(mode, f, kind, (const uint64_t[]){ a, b }, true);
}

FpOrder sf_order(FpMode *mode, const FpFormat *f, unsigned signalling, uint64_t a, uint64_t b)
{
    Number x = unpack(f, a), y = unpack(f, b);
    int64_t order_a = order(f, a), order_b = order(f, b);

    if (is_nan(&x) || is_nan(&y)) {
        if ((signalling & FP_SIGNALLING) || x.class == CLASS_SIGNALLING ||
            y.class == CLASS_SIGNALLING) {
            mode->flags |= FP_INVALID;
        }
        return FP_ORDER_NONE;
    }
    return order_a == order_b ? FP_ORDER_EQUAL
        : order_a < order_b   ? FP_ORDER_LESS
                              : FP_ORDER_GREATER;
}

bool sf_compare(FpMode *mode, const FpFormat *f, unsigned cond, uint64_t a, uint64_t b)
{
    FpOrder order = sf_order(mode, f, cond & FP_SIGNALLING, a, b);

    switch (cond & FP_COND) {
    case FP_EQ: return order == FP_ORDER_EQUAL;
    case FP_LT: return order == FP_ORDER_LESS;
    case FP_LE: return order == FP_ORDER_EQUAL || order == FP_ORDER_LESS;
    default: return order == FP_ORDER_NONE;
    }
}

/* ---- conversion ---------------------------------------------------------------------------- */

/* Keeps the sign and as much of the payload as fits. */
static uint64_t convert_nan(FpMode *mode, const FpFormat *from, const FpFormat *to, uint64_t a)
{
    uint64_t nan = propagate(mode, from, &a, 1);
    uint64_t payload = nan & ((UINT64_C(1) << from->fraction_bits) - 1);
    int shift = to->fraction_bits - from->fraction_bits;

    payload = shift >= 0 ? payload << shift : payload >> -shift;
    return with_sign(to, nan & sign_bit(from), infinity(to) | payload);
}

uint64_t sf_convert(FpMode *mode, const FpFormat *from, const FpFormat *to, uint64_t a)
{
    Number x = unpack(from, a);

    switch (x.class) {
    case CLASS_ZERO: return with_sign(to, x.sign, 0);
    case CLASS_FINITE: return round_pack(mode, to, x.sign, x.exponent, x.significand);
    case CLASS_INFINITY: return with_sign(to, x.sign, infinity(to));
    default: return convert_nan(mode, from, to, a);
    }
}

/* 1.0 in the format. */
static uint64_t one(const FpFormat *f)
{
    return (uint64_t)bias(f) << f->fraction_bits;
}

/* A finite number with bits behind the point: cuts them off, and adds 1 where rounding says so. */
static uint64_t round_fraction(
    FpMode *mode, const FpFormat *f, uint64_t a, const Number *x, bool flags_inexact)
{
    bool below_one = x->exponent < 0;
    uint64_t unit = UINT64_C(1) << (f->fraction_bits - (below_one ? 0 : x->exponent));
    uint64_t magnitude = a & (sign_bit(f) - 1), kept = below_one ? 0 : magnitude & -unit;
    /* The rest as 63 bits behind the point, the lowest with a mark. */
    uint64_t rest = below_one ? shift_jam(x->significand, -x->exponent - 1)
                              : x->significand << 1 << x->exponent;
    bool odd = !below_one && (x->exponent == 0 || (kept & unit));

    rest = shift_jam(rest, 1);
    if (rest && flags_inexact) {
        mode->flags |= FP_INEXACT;
    }
    if (rounds_up(round_of(mode), x->sign, odd, rest, 63)) {
        kept = below_one ? one(f) : kept + unit; /* a carry goes into the exponent */
    }
    return with_sign(f, x->sign, kept);
}

uint64_t sf_round(FpMode *mode, const FpFormat *f, uint64_t a, bool flags_inexact)
{
    Number x = unpack(f, a);

    if (is_nan(&x)) {
        return propagate(mode, f, &a, 1);
    }
    if (x.class != CLASS_FINITE || x.exponent >= f->fraction_bits) {
        return a;
    }
    return round_fraction(mode, f, a, &x, flags_inexact);
}

static uint64_t largest(unsigned bits, bool is_signed)
{
    return UINT64_MAX >> (64 - bits + is_signed);
}

/* The integer of the least or greatest value there is. */
static uint64_t saturate(FpMode *mode, bool low, unsigned bits, bool is_signed)
{
    uint64_t max = largest(bits, is_signed);

    mode->flags |= FP_INVALID;
    return low ? is_signed ? max + 1 : 0 : max;
}

/* The magnitude of a finite number below 2^64, rounded; 2^64 comes out as 0. */
static uint64_t integer_of(const FpMode *mode, const Number *x, bool *inexact)
{
    int shift = 63 - x->exponent;
    uint64_t kept = shift < 64 ? x->significand >> shift : 0;
    uint64_t rest = shift == 0 ? 0 : shift_jam(shift <= 64 ? x->significand << (64 - shift) : 1, 1);

    *inexact = rest != 0;
    return kept + rounds_up(round_of(mode), x->sign, kept & 1, rest, 63);
}

uint64_t sf_to_int(FpMode *mode, const FpFormat *f, uint64_t a, unsigned bits, bool is_signed)
{
    Number x = unpack(f, a);
    uint64_t magnitude, limit;
    bool inexact = false, carried;

    if (is_nan(&x)) {
        mode->flags |= FP_INVALID;
        return mode->aux & FP_NAN_TO_ZERO ? 0 : largest(bits, is_signed);
    }
    if (x.class == CLASS_ZERO) {
        return 0;
    }
    if (x.class == CLASS_INFINITY || x.exponent >= 64) {
        return saturate(mode, x.sign, bits, is_signed);
    }
    magnitude = integer_of(mode, &x, &inexact);
    carried = magnitude == 0 && x.exponent == 63; /* rounded up to 2^64 */
    limit = x.sign ? (is_signed ? largest(bits, true) + 1 : 0) : largest(bits, is_signed);
    if (carried || magnitude > limit) {
        return saturate(mode, x.sign, bits, is_signed);
    }
    mode->flags |= inexact ? FP_INEXACT : 0;
    return (x.sign ? -magnitude : magnitude) & (UINT64_MAX >> (64 - bits));
}

uint64_t sf_from_int(FpMode *mode, const FpFormat *f, uint64_t value, bool is_signed)
{
    bool sign = is_signed && value >> 63;
    uint64_t magnitude = sign ? -value : value;
    int zeros;

    if (magnitude == 0) {
        return 0;
    }
    zeros = __builtin_clzll(magnitude);
    return round_pack(mode, f, sign, 63 - zeros, magnitude << zeros);
}

#include "tcg/general-regs-end.h"
