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
        cmocka_unit_test(sums_saturate_at_both_ends),
        cmocka_unit_test(a_shift_rounds_half_up),
        cmocka_unit_test(a_count_below_zero_shifts_right),
        cmocka_unit_test(narrowing_saturates_to_the_result),
        cmocka_unit_test(carryless_products_have_no_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
