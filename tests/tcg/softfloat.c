/*
 * Soft float against the host's FPU: every operation the FPU has, in its four rounding modes,
 * results and flags. What it does not have (ties to away, half precision arithmetic) against exact
 * arithmetic in a wider format.
 */
#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tcg/softfloat.h"
#include "tests/tcg/vectors.h"
#include "tests/test.h"

enum { ROUNDS = 40000 };        /* operands for each operation, type and rounding mode */

#ifdef __x86_64__

#include <immintrin.h>

static const uint8_t modes[] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };    /* in the order of MXCSR.RC */

/* ---- the host's FPU ------------------------------------------------------------------------ */

static void host_begin(unsigned rc)
{
    _mm_setcsr(0x1f80 | rc << 13);
}

static unsigned host_end(void)
{
    unsigned csr = _mm_getcsr();

    _mm_setcsr(0x1f80);
    return (csr & 1 ? FP_INVALID : 0) | (csr & 4 ? FP_DIVIDE : 0) | (csr & 8 ? FP_OVERFLOW : 0) |
        (csr & 16 ? FP_UNDERFLOW : 0) | (csr & 32 ? FP_INEXACT : 0);
}

/* One instruction on bits: in assembly, because the compiler believes in round to nearest. */
#define BINARY(name, instruction)                                                                  \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c)                                       \
    {                                                                                              \
        __m128i x = _mm_cvtsi64_si128((int64_t)a), y = _mm_cvtsi64_si128((int64_t)b);              \
        __asm__ volatile(instruction " %1, %0" : "+x"(x) : "x"(y));                                \
        return (uint64_t)_mm_cvtsi128_si64(x);                                                     \
    }
#define UNARY(name, instruction)                                                                   \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c)                                       \
    {                                                                                              \
        __m128i x = _mm_cvtsi64_si128((int64_t)a), y = _mm_setzero_si128();                        \
        __asm__ volatile(instruction " %1, %0" : "+x"(y) : "x"(x));                                \
        return (uint64_t)_mm_cvtsi128_si64(y);                                                     \
    }
#define FUSED(name, instruction)                                                                   \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c)                                       \
    {                                                                                              \
        __m128i x = _mm_cvtsi64_si128((int64_t)a), y = _mm_cvtsi64_si128((int64_t)b);              \
        __m128i z = _mm_cvtsi64_si128((int64_t)c);                                                 \
        __asm__ volatile(instruction " %2, %1, %0" : "+x"(x) : "x"(y), "x"(z));                    \
        return (uint64_t)_mm_cvtsi128_si64(x);                                                     \
    }
#define TO_INT(name, instruction)                                                                  \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c)                                       \
    {                                                                                              \
        __m128i x = _mm_cvtsi64_si128((int64_t)a);                                                 \
        uint64_t result;                                                                           \
        __asm__ volatile(instruction " %1, %0" : "=r"(result) : "x"(x));                           \
        return result;                                                                             \
    }
#define FROM_INT(name, instruction, type)                                                          \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c)                                       \
    {                                                                                              \
        __m128i y = _mm_setzero_si128();                                                           \
        __asm__ volatile(instruction " %1, %0" : "+x"(y) : "r"((type)a));                          \
        return (uint64_t)_mm_cvtsi128_si64(y);                                                     \
    }

BINARY(addsd, "addsd")
BINARY(subsd, "subsd")
BINARY(mulsd, "mulsd")
BINARY(divsd, "divsd")
BINARY(addss, "addss")
BINARY(subss, "subss")
BINARY(mulss, "mulss")
BINARY(divss, "divss")
UNARY(sqrtsd, "sqrtsd")
UNARY(sqrtss, "sqrtss")
UNARY(cvtsd2ss, "cvtsd2ss")
UNARY(cvtss2sd, "cvtss2sd")
FUSED(fmaddsd, "vfmadd213sd")
FUSED(fmaddss, "vfmadd213ss")
FUSED(fmsubsd, "vfmsub213sd")
FUSED(fmsubss, "vfmsub213ss")
FUSED(fnmaddsd, "vfnmadd213sd")         /* -(a * b) + c: our fnmsub */
FUSED(fnmaddss, "vfnmadd213ss")
FUSED(fnmsubsd, "vfnmsub213sd")         /* -(a * b) - c: our fnmadd */
FUSED(fnmsubss, "vfnmsub213ss")
TO_INT(sd_to_i64, "cvtsd2siq")
TO_INT(ss_to_i64, "cvtss2siq")
FROM_INT(i64_to_sd, "cvtsi2sdq", uint64_t)
FROM_INT(i64_to_ss, "cvtsi2ssq", uint64_t)
FROM_INT(i32_to_sd, "cvtsi2sdl", uint32_t)
FROM_INT(i32_to_ss, "cvtsi2ssl", uint32_t)

/* ---- operation by operation ---------------------------------------------------------------- */

typedef struct HostOp {
    IrOp     op;
    IrType   type, operand;
    bool     fused;                 /* needs FMA */
    uint64_t (*run)(uint64_t a, uint64_t b, uint64_t c);
} HostOp;

static const HostOp host_ops[] = {
    { IR_fadd, F64, F64, false, addsd },      { IR_fadd, F32, F32, false, addss },
    { IR_fsub, F64, F64, false, subsd },      { IR_fsub, F32, F32, false, subss },
    { IR_fmul, F64, F64, false, mulsd },      { IR_fmul, F32, F32, false, mulss },
    { IR_fdiv, F64, F64, false, divsd },      { IR_fdiv, F32, F32, false, divss },
    { IR_fsqrt, F64, F64, false, sqrtsd },    { IR_fsqrt, F32, F32, false, sqrtss },
    { IR_fmadd, F64, F64, true, fmaddsd },    { IR_fmadd, F32, F32, true, fmaddss },
    { IR_fmsub, F64, F64, true, fmsubsd },    { IR_fmsub, F32, F32, true, fmsubss },
    { IR_fnmsub, F64, F64, true, fnmaddsd },  { IR_fnmsub, F32, F32, true, fnmaddss },
    { IR_fnmadd, F64, F64, true, fnmsubsd },  { IR_fnmadd, F32, F32, true, fnmsubss },
    { IR_fcvt, F32, F64, false, cvtsd2ss },   { IR_fcvt, F64, F32, false, cvtss2sd },
    { IR_ftoi, I64, F64, false, sd_to_i64 },  { IR_ftoi, I64, F32, false, ss_to_i64 },
    { IR_itof, F64, I64, false, i64_to_sd },  { IR_itof, F32, I64, false, i64_to_ss },
    { IR_itof, F64, I32, false, i32_to_sd },  { IR_itof, F32, I32, false, i32_to_ss },
};

static bool is_nan_bits(IrType type, uint64_t a)
{
    return type == F32 ? (a & 0x7fffffff) > 0x7f800000
                       : (a & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

/* What we ask for where the host gives its own NaN, or the "integer indefinite" of a conversion. */
static uint64_t expected_of(const HostOp *o, uint64_t a, uint64_t host)
{
    if (o->type == F32) {
        return is_nan_bits(F32, host) ? 0x7fc00000 : (uint32_t)host;
    }
    if (o->type == F64) {
        return is_nan_bits(F64, host) ? UINT64_C(0x7ff8000000000000) : host;
    }
    if (host == UINT64_C(1) << 63) {
        bool negative = o->operand == F32 ? a >> 31 & 1 : a >> 63;

        return is_nan_bits(o->operand, a) || !negative ? INT64_MAX : host;
    }
    return host;
}

static void compare_with_host(const HostOp *o, unsigned rc, Random *r)
{
    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t a = random_value(r, o->operand), b = random_value(r, o->operand),
                 c = random_value(r, o->operand);
        CpuEnv env = { .fp_round = modes[rc] };
        uint64_t host, soft;
        unsigned flags;

        host_begin(rc);
        host = o->run(a, b, c);
        flags = host_end();
        host = expected_of(o, a, host);
        soft = fp_eval(&env, a, b, c, fp_key(o->op, o->type, FP_DYN, 0, o->operand));
        /* 0 * infinity + NaN is invalid for our guests, not for x86 */
        if (o->fused && is_nan_bits(o->operand, c)) {
            flags |= env.fp_flags & FP_INVALID;
        }
        if (host != soft || flags != env.fp_flags) {
            fail_msg("%s.%u rc %u of %" PRIx64 " %" PRIx64 " %" PRIx64 ": host %" PRIx64
                     " flags %x, soft %" PRIx64 " flags %x",
                ir_op_names[o->op], o->type, rc, a, b, c, host, flags, soft, env.fp_flags);
        }
    }
}

static void results_and_flags_are_those_of_the_host(void **state)
{
    Random r = { 1 };

    for (unsigned n = 0; n < G_N_ELEMENTS(host_ops); n++) {
        if (host_ops[n].fused && !__builtin_cpu_supports("fma")) {
            continue;
        }
        for (unsigned rc = 0; rc < 4; rc++) {
            compare_with_host(&host_ops[n], rc, &r);
        }
    }
}

__attribute__((target("sse4.1"))) static uint64_t host_round(IrType type, uint64_t a)
{
    __m128i x = _mm_cvtsi64_si128((int64_t)a), y = _mm_setzero_si128();

    if (type == F32) {
        __asm__ volatile("roundss $4, %1, %0" : "+x"(y) : "x"(x));     /* by MXCSR */
    } else {
        __asm__ volatile("roundsd $4, %1, %0" : "+x"(y) : "x"(x));
    }
    return (uint64_t)_mm_cvtsi128_si64(y);
}

static void rounding_to_an_integer_is_that_of_the_host(void **state)
{
    static const HostOp ops[] = { { .type = F64, .operand = F64 }, { .type = F32, .operand = F32 } };
    Random r = { 6 };

    if (!__builtin_cpu_supports("sse4.1")) {
        skip();
    }
    for (unsigned n = 0; n < 16 * ROUNDS; n++) {
        const HostOp *o = &ops[n & 1];
        uint64_t a = random_value(&r, o->type), host;
        FpMode mode = { .aux = modes[n >> 1 & 3] }, quiet = mode;
        unsigned flags;

        host_begin(n >> 1 & 3);
        host = host_round(o->type, a);
        flags = host_end();
        assert_int_equal(sf_round(&mode, o->type == F32 ? &fp_single : &fp_double, a, true),
            expected_of(o, a, host));
        assert_int_equal(mode.flags, flags);
        sf_round(&quiet, o->type == F32 ? &fp_single : &fp_double, a, false);
        assert_int_equal(quiet.flags, flags & ~(unsigned)FP_INEXACT);
    }
}

/* ---- comparisons --------------------------------------------------------------------------- */

static bool host_compare(unsigned cond, double a, double b)
{
    switch (cond & FP_COND) {
    case FP_EQ: return cond & FP_SIGNALLING ? a <= b && a >= b : a == b;
    case FP_LT: return cond & FP_SIGNALLING ? a < b : isless(a, b);
    case FP_LE: return cond & FP_SIGNALLING ? a <= b : islessequal(a, b);
    default:    return isunordered(a, b);
    }
}

static bool is_signalling(uint64_t a)
{
    return is_nan_bits(F64, a) && !(a >> 51 & 1);
}

static void comparisons_order_numbers_and_flag_nan(void **state)
{
    Random r = { 2 };

    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t a = random_value(&r, F64), b = random_below(&r, 4) ? random_value(&r, F64) : a;
        unsigned cond = random_below(&r, 8);
        bool nan = is_nan_bits(F64, a) || is_nan_bits(F64, b);
        bool invalid = is_signalling(a) || is_signalling(b) || (nan && (cond & FP_SIGNALLING));
        CpuEnv env = { .fp_round = FP_RNE };
        double x, y;

        memcpy(&x, &a, 8);
        memcpy(&y, &b, 8);
        assert_int_equal(
            fp_eval(&env, a, b, 0, fp_key(IR_fcmp, F64, cond, 0, F64)), host_compare(cond, x, y));
        assert_int_equal(env.fp_flags, invalid ? FP_INVALID : 0);
    }
}

/* ---- half precision ------------------------------------------------------------------------ */

__attribute__((target("f16c"))) static uint32_t host_from_half(uint16_t half)
{
    return (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(_mm_cvtph_ps(_mm_cvtsi32_si128(half))));
}

__attribute__((target("f16c"))) static uint16_t host_to_half(uint32_t single)
{
    __m128i x = _mm_cvtsi32_si128((int)single);

    __asm__ volatile("vcvtps2ph $4, %0, %0" : "+x"(x));     /* rounds by MXCSR */
    return (uint16_t)_mm_cvtsi128_si32(x);
}

/* Clang has no word for it; AVX2 came later. */
static bool has_f16c(void)
{
    return __builtin_cpu_supports("avx2");
}

static void every_half_converts_as_on_the_host(void **state)
{
    if (!has_f16c()) {
        skip();
    }
    for (unsigned half = 0; half < 65536; half++) {
        FpMode mode = { .aux = FP_NAN_FIRST };
        FpMode back = { .aux = FP_NAN_FIRST };
        uint32_t single = host_from_half((uint16_t)half);
        uint64_t wide = sf_convert(&mode, &fp_half, &fp_double, half);

        assert_int_equal(sf_convert(&mode, &fp_half, &fp_single, half), single);
        assert_int_equal(sf_convert(&back, &fp_double, &fp_half, wide), host_to_half(single));
        assert_int_equal(back.flags, 0);
    }
}

static void singles_round_to_half_as_on_the_host(void **state)
{
    static const uint32_t tails[] = { 0, 1, 0x7ff };

    if (!has_f16c()) {
        skip();
    }
    /*
     * Sign, exponent and 12 bits of the fraction exhaustively; what is beyond only matters as a
     * mark.
     */
    for (uint32_t head = 0; head < 1u << 21; head++) {
        for (unsigned n = 0; n < 12; n++) {
            uint32_t single = head << 11 | tails[n / 4];
            FpMode mode = { .aux = modes[n % 4] | FP_NAN_FIRST };
            unsigned flags;
            uint16_t host;

            host_begin(n % 4);
            host = host_to_half(single);
            flags = host_end();
            if (sf_convert(&mode, &fp_single, &fp_half, single) != host || mode.flags != flags) {
                fail_msg("%x rc %u: host %x flags %x, soft flags %x", single, n % 4, host, flags,
                    mode.flags);
            }
        }
    }
}

/* Sums and products of halves are exact in double precision. */
static void half_arithmetic_rounds_the_exact_result(void **state)
{
    Random r = { 3 };

    for (unsigned n = 0; n < 4 * ROUNDS; n++) {
        uint64_t a = random_next(&r) & 0xffff, b = random_next(&r) & 0xffff;
        uint8_t aux = modes[random_below(&r, 4)];
        FpMode half = { .aux = aux }, wide = { .aux = aux };
        uint64_t x = sf_convert(&wide, &fp_half, &fp_double, a),
                 y = sf_convert(&wide, &fp_half, &fp_double, b);
        uint64_t sum, product;

        sum = sf_convert(&wide, &fp_double, &fp_half, sf_add(&wide, &fp_double, x, y));
        assert_int_equal(sf_add(&half, &fp_half, a, b), sum);
        product = sf_convert(&wide, &fp_double, &fp_half, sf_mul(&wide, &fp_double, x, y));
        assert_int_equal(sf_mul(&half, &fp_half, a, b), product);
        assert_int_equal(half.flags, wide.flags);
    }
}
#endif

/* ---- ties to away -------------------------------------------------------------------------- */

/*
 * A product of singles is exact in double; the nearer of its two neighbours, or the one away from
 * zero.
 */
static float round_away(double exact)
{
    float near = (float)exact;
    float other = nextafterf(near, (double)near < exact ? INFINITY : -INFINITY);
    double error = fabs(exact - (double)near), other_error = fabs(exact - (double)other);

    return error == other_error && fabsf(other) > fabsf(near) ? other : near;
}

static void ties_round_away_from_zero(void **state)
{
    Random r = { 4 };

    for (unsigned n = 0; n < 4 * ROUNDS; n++) {
        /* 13 bits times 13 bits: ties are common */
        float a = (float)(int)(random_next(&r) & 0x1fff),
              b = -(float)(int)(random_next(&r) & 0x1fff);
        float expected = round_away((double)a * (double)b);
        FpMode mode = { .aux = FP_RMM };
        uint32_t x, y, z;

        memcpy(&x, &a, 4);
        memcpy(&y, &b, 4);
        memcpy(&z, &expected, 4);
        assert_int_equal(sf_mul(&mode, &fp_single, x, y), z);
    }
}

static void integers_round_in_every_mode(void **state)
{
    static const struct { double value; int64_t rne, rtz, rdn, rup, rmm;
    } rows[] = {
        { 0.5, 0, 0, 0, 1, 1 },
        { -0.5, 0, 0, -1, 0, -1 },
        { 1.5, 2, 1, 1, 2, 2 },
        { 2.5, 2, 2, 2, 3, 3 },
        { -2.5, -2, -2, -3, -2, -3 },
        { 0.49999999999999994, 0, 0, 0, 1, 0 },
        { 4503599627370495.5, 4503599627370496, 4503599627370495, 4503599627370495,
            4503599627370496, 4503599627370496 },
        { 1e-300, 0, 0, 0, 1, 0 },
        { -7.25, -7, -7, -8, -7, -7 },
        { 3.0, 3, 3, 3, 3, 3 },
    };

    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
        const int64_t expected[] = { rows[n].rne, rows[n].rtz, rows[n].rdn, rows[n].rup,
            rows[n].rmm };
        uint64_t bits;

        memcpy(&bits, &rows[n].value, 8);
        for (unsigned round = FP_RNE; round <= FP_RMM; round++) {
            FpMode mode = { .aux = (uint8_t)round };

            assert_int_equal(sf_to_int(&mode, &fp_double, bits, 64, true), expected[round]);
            assert_int_equal(mode.flags, rows[n].value == 3.0 ? 0 : FP_INEXACT);
        }
    }
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, 8);
    return bits;
}

static void conversions_to_integers_saturate(void **state)
{
    static const struct {
        double value;
        unsigned bits;
        bool is_signed;
        uint64_t result;
        unsigned flags;
    } rows[] = {
        { 2147483647.0, 32, true, 0x7fffffff, 0 },
        { 2147483647.5, 32, true, 0x7fffffff, FP_INVALID },
        { 2147483648.0, 32, true, 0x7fffffff, FP_INVALID },
        { -2147483648.0, 32, true, 0x80000000, 0 },
        { -2147483649.0, 32, true, 0x80000000, FP_INVALID },
        { -2147483648.25, 32, true, 0x80000000, FP_INEXACT },
        { 4294967295.0, 32, false, 0xffffffff, 0 },
        { 4294967296.0, 32, false, 0xffffffff, FP_INVALID },
        { -1.0, 32, false, 0, FP_INVALID },
        { -0.25, 32, false, 0, FP_INEXACT },
        { -0.0, 32, false, 0, 0 },
        { 18446744073709549568.0, 64, false, UINT64_C(0xfffffffffffff800), 0 },
        { 18446744073709551616.0, 64, false, UINT64_MAX, FP_INVALID },
        { 9223372036854775808.0, 64, true, INT64_MAX, FP_INVALID },
        { -9223372036854775808.0, 64, true, UINT64_C(1) << 63, 0 },
        { INFINITY, 64, true, INT64_MAX, FP_INVALID },
        { -INFINITY, 64, false, 0, FP_INVALID },
        { NAN, 32, true, 0x7fffffff, FP_INVALID },
        { NAN, 64, false, UINT64_MAX, FP_INVALID },
    };

    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
        FpMode mode = { .aux = FP_RNE };

        assert_int_equal(
            sf_to_int(&mode, &fp_double, bits_of(rows[n].value), rows[n].bits, rows[n].is_signed),
            rows[n].result);
        assert_int_equal(mode.flags, rows[n].flags);
    }
}

/* ---- rules of guests ----------------------------------------------------------------------- */

#define QUIET1 UINT64_C(0x7ff8000000000001)
#define QUIET2 UINT64_C(0xfff8000000000002)
#define SIGNALLING UINT64_C(0x7ff0000000000003)
#define DEFAULT UINT64_C(0x7ff8000000000000)
#define ONE UINT64_C(0x3ff0000000000000)

static void nan_results_follow_the_rule(void **state)
{
    FpMode plain = { .aux = FP_NAN_DEFAULT }, first = { .aux = FP_NAN_FIRST };

    assert_int_equal(sf_add(&plain, &fp_double, QUIET1, ONE), DEFAULT);
    assert_int_equal(plain.flags, 0);
    assert_int_equal(sf_add(&first, &fp_double, ONE, QUIET2), QUIET2);
    assert_int_equal(sf_mul(&first, &fp_double, QUIET1, QUIET2), QUIET1);
    assert_int_equal(first.flags, 0);
    assert_int_equal(
        sf_div(&first, &fp_double, QUIET1, SIGNALLING), SIGNALLING | UINT64_C(1) << 51);
    assert_int_equal(first.flags, FP_INVALID);
    assert_int_equal(sf_convert(&first, &fp_double, &fp_single, QUIET2), 0xffc00000);
}

static void min_and_max_prefer_numbers_and_order_zeros(void **state)
{
    const uint64_t minus_zero = UINT64_C(1) << 63;
    FpMode mode = { .aux = FP_RNE };

    assert_int_equal(sf_min(&mode, &fp_double, FP_MIN_NUMBER, 0, minus_zero), minus_zero);
    assert_int_equal(sf_min(&mode, &fp_double, FP_MIN_NUMBER, minus_zero, 0), minus_zero);
    assert_int_equal(sf_max(&mode, &fp_double, FP_MIN_NUMBER, 0, minus_zero), 0);
    assert_int_equal(sf_max(&mode, &fp_double, FP_MIN_NUMBER, minus_zero, 0), 0);
    assert_int_equal(sf_min(&mode, &fp_double, FP_MIN_NUMBER, QUIET1, ONE), ONE);
    assert_int_equal(sf_max(&mode, &fp_double, FP_MIN_NUMBER, ONE, QUIET1), ONE);
    assert_int_equal(mode.flags, 0);
    assert_int_equal(sf_max(&mode, &fp_double, FP_MIN_NUMBER, SIGNALLING, ONE), ONE);
    assert_int_equal(mode.flags, FP_INVALID);
    assert_int_equal(sf_max(&mode, &fp_double, FP_MIN_NUMBER, QUIET1, QUIET2), DEFAULT);
}

static void zero_times_infinity_is_invalid_beside_a_nan(void **state)
{
    FpMode mode = { .aux = FP_RNE };

    assert_int_equal(sf_muladd(&mode, &fp_double, 0, bits_of(INFINITY), QUIET1), DEFAULT);
    assert_int_equal(mode.flags, FP_INVALID);
}

/* The largest number below the smallest normal one, times 1 + epsilon, rounds to it. */
static void tininess_is_found_before_or_after_rounding(void **state)
{
    const uint64_t below = UINT64_C(0x000fffffffffffff), more = UINT64_C(0x3ff0000000000001);
    FpMode after = { .aux = FP_RUP }, before = { .aux = FP_RUP | FP_TINY_BEFORE };

    assert_int_equal(
        sf_mul(&after, &fp_double, UINT64_C(0x0010000000000000), UINT64_C(0x3fefffffffffffff)),
        UINT64_C(0x0010000000000000));
    assert_int_equal(
        after.flags, FP_INEXACT | FP_UNDERFLOW); /* 53 bits below the normal: tiny either way */
    after.flags = 0;
    assert_int_equal(sf_mul(&after, &fp_double, below, more), UINT64_C(0x0010000000000000));
    assert_int_equal(sf_mul(&before, &fp_double, below, more), UINT64_C(0x0010000000000000));
    assert_true(before.flags & FP_UNDERFLOW);
}

static void flags_of_the_host_and_of_soft_float_are_one(void **state)
{
    CpuEnv env = { .mxcsr = 0 };

    fp_round_set(&env, FP_RDN);
    assert_int_equal(env.mxcsr, 0x1f80 | 1 << 13);
    env.mxcsr |= 1 << 5 | 1 << 2;
    env.fp_flags = FP_INVALID;
    assert_int_equal(fp_flags_get(&env), FP_INEXACT | FP_DIVIDE | FP_INVALID);
    fp_round_set(&env, FP_RTZ);
    assert_int_equal(fp_flags_get(&env), FP_INEXACT | FP_DIVIDE | FP_INVALID);
    fp_flags_set(&env, FP_OVERFLOW);
    assert_int_equal(fp_flags_get(&env), FP_OVERFLOW);
    assert_int_equal(env.mxcsr, 0x1f80 | 3 << 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef __x86_64__
        cmocka_unit_test(results_and_flags_are_those_of_the_host),
        cmocka_unit_test(rounding_to_an_integer_is_that_of_the_host),
        cmocka_unit_test(comparisons_order_numbers_and_flag_nan),
        cmocka_unit_test(every_half_converts_as_on_the_host),
        cmocka_unit_test(singles_round_to_half_as_on_the_host),
        cmocka_unit_test(half_arithmetic_rounds_the_exact_result),
#endif
        cmocka_unit_test(ties_round_away_from_zero),
        cmocka_unit_test(integers_round_in_every_mode),
        cmocka_unit_test(conversions_to_integers_saturate),
        cmocka_unit_test(nan_results_follow_the_rule),
        cmocka_unit_test(min_and_max_prefer_numbers_and_order_zeros),
        cmocka_unit_test(zero_times_infinity_is_invalid_beside_a_nan),
        cmocka_unit_test(tininess_is_found_before_or_after_rounding),
        cmocka_unit_test(flags_of_the_host_and_of_soft_float_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
