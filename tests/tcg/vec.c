/* What vector operations mean, where a published example or a plain sentence says it. */
#include <glib.h>
#include <string.h>

#include "tcg/vec.h"
#include "tests/test.h"

static IrVec eval(IrOp op, unsigned aux, int32_t imm, IrVec a, IrVec b)
{
    const IrVec none = { .d = { 0, 0 } };
    CpuEnv env = { 0 };
    IrVec result;

    vec_eval(&env, &result, &a, &b, &none, vec_key(op, aux, imm));
    return result;
}

static IrVec of(uint64_t low, uint64_t high)
{
    return (IrVec){ .d = { low, high } };
}

static void assert_vec(IrVec found, uint64_t low, uint64_t high)
{
    assert_int_equal(found.d[0], low);
    assert_int_equal(found.d[1], high);
}

/* FIPS 197, appendix B, round 1. */
static const IrVec round_start = { .b = { 0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b, 0x9a,
                                       0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08 } };
static const IrVec rows_shifted = { .b = { 0xd4, 0xbf, 0x5d, 0x30, 0xe0, 0xb4, 0x52, 0xae, 0xb8,
                                        0x41, 0x11, 0xf1, 0x1e, 0x27, 0x98, 0xe5 } };
static const IrVec columns_mixed = { .b = { 0x04, 0x66, 0x81, 0xe5, 0xe0, 0xcb, 0x19, 0x9a, 0x48,
                                         0xf8, 0xd3, 0x7a, 0x28, 0x06, 0x26, 0x4c } };

static void aes_is_as_in_the_standards_example(void **state)
{
    assert_vec(
        eval(IR_vaesbox, 0, 0, round_start, round_start), rows_shifted.d[0], rows_shifted.d[1]);
    assert_vec(
        eval(IR_vaesmix, 0, 0, rows_shifted, rows_shifted), columns_mixed.d[0], columns_mixed.d[1]);
}

static void aes_goes_back(void **state)
{
    assert_vec(
        eval(IR_vaesbox, 1, 0, rows_shifted, rows_shifted), round_start.d[0], round_start.d[1]);
    assert_vec(
        eval(IR_vaesmix, 1, 0, columns_mixed, columns_mixed), rows_shifted.d[0], rows_shifted.d[1]);
}

static IrVec eval3(IrOp op, unsigned aux, IrVec a, IrVec b, IrVec c)
{
    CpuEnv env = {};
    IrVec result;

    vec_eval(&env, &result, &a, &b, &c, vec_key(op, aux, 0));
    return result;
}

static uint32_t rotated(uint32_t x, unsigned count)
{
    return x << count | x >> (32 - count);
}

/* FIPS 180-1, appendix A: of "abc". */
static void sha1_is_as_in_the_standards_example(void **state)
{
    static const uint32_t constants[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    static const uint8_t functions[4] = { 0, 1, 2, 1 };
    const IrVec start = { .w = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
    uint32_t w[80] = { [0] = 0x61626380, [15] = 24 };
    IrVec x = start, e = { .w = { 0xc3d2e1f0 } };

    for (unsigned n = 16; n < 80; n++) {
        w[n] = rotated(w[n - 3] ^ w[n - 8] ^ w[n - 14] ^ w[n - 16], 1);
    }
    for (unsigned n = 0; n < 80; n += 4) {
        IrVec words, next = { .w = { rotated(x.w[0], 30) } };

        for (unsigned i = 0; i < 4; i++) {
            words.w[i] = w[n + i] + constants[n / 20];
        }
        x = eval3(IR_vsha1, functions[n / 20], x, e, words);
        e = next;
    }
    assert_int_equal(x.w[0] + start.w[0], 0xa9993e36);
    assert_int_equal(x.w[3] + start.w[3], 0x7850c26c);
    assert_int_equal(e.w[0] + 0xc3d2e1f0, 0x9cd0d89d);
}

/* The first four rounds of "abc" (FIPS 180-2, appendix B.1). */
static void sha256_is_as_in_the_standards_example(void **state)
{
    const IrVec x = { .w = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a } };
    const IrVec y = { .w = { 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
    const IrVec words = { .w = { 0x61626380u + 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5 } };

    assert_vec(eval3(IR_vsha256, 0, x, y, words), 0xc8c347a7d550f666, 0x5d6aebcd5a6ad9ad);
    assert_vec(eval3(IR_vsha256, 1, x, y, words), 0xf92939eb24e00850, 0xfa2a462278ce7989);
}

static void sums_saturate_at_both_ends(void **state)
{
    const IrVec a = of(0x7fff800001020304, 0), b = of(0x0001ffff01020304, 0);

    assert_vec(eval(IR_vaddsat, LANE_16 | LANE_SIGNED, 0, a, b), 0x7fff800002040608, 0);
    assert_vec(eval(IR_vaddsat, LANE_16, 0, a, b), 0x8000ffff02040608, 0);
}

static void a_shift_rounds_half_up(void **state)
{
    assert_vec(eval(IR_vshr, LANE_16 | LANE_ROUND, 4, of(0x00080007ffffffff, 0), of(0, 0)),
        0x0001000010001000, 0);
    assert_vec(eval(IR_vshr, LANE_16 | LANE_ROUND | LANE_SIGNED, 4, of(0xfff8fff7, 0), of(0, 0)),
        0x0000ffff, 0);
}

static void a_count_below_zero_shifts_right(void **state)
{
    assert_vec(eval(IR_vshift, LANE_32 | LANE_SIGNED, 0, of(0xfffffff000000001, 0),
                   of(0x000000ff00000004, 0)),
        0xfffffff800000010, 0);
}

static void narrowing_saturates_to_the_result(void **state)
{
    const IrVec a = of(0x01ff00ffff000080, 0);

    assert_vec(eval(IR_vnarrow, LANE_16, 0, a, of(0, 0)), 0xffff0080, 0);
    assert_vec(eval(IR_vnarrow, LANE_16 | LANE_SAT | LANE_SIGNED, 0, a, of(0, 0)), 0x7f7f807f, 0);
    assert_vec(eval(IR_vnarrow, LANE_16 | LANE_SAT | LANE_SIGNED | LANE_UNSIGN, 0, a, of(0, 0)),
        0xffff0080, 0);
}

static void carryless_products_have_no_carry(void **state)
{
    assert_vec(eval(IR_vclmul, LANE_8, 0, of(0xff03, 0), of(0xff03, 0)), 0x55550005, 0);
    assert_vec(eval(IR_vclmul, LANE_64 | LANE_HIGH, 0, of(0, UINT64_C(1) << 63), of(0, 6)), 0, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_is_as_in_the_standards_example),
        cmocka_unit_test(aes_goes_back),
        cmocka_unit_test(sha1_is_as_in_the_standards_example),
        cmocka_unit_test(sha256_is_as_in_the_standards_example),
        cmocka_unit_test(sums_saturate_at_both_ends),
        cmocka_unit_test(a_shift_rounds_half_up),
        cmocka_unit_test(a_count_below_zero_shifts_right),
        cmocka_unit_test(narrowing_saturates_to_the_result),
        cmocka_unit_test(carryless_products_have_no_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
