/* Instructions that helpers do (simd.c), and the cryptography. */
#include "targets/aarch64/simd.h"
#include "targets/aarch64/translate-simd.h"

#include <string.h>

/* ---- calls ------------------------------------------------------------------------------------ */

static Val call(A64Translator *t, A64SimdOp op, A64Operands o, Val x)
{
    uint64_t operands;

    memcpy(&operands, &o, sizeof(operands));
    return ir_call(
        t->b, I64, &a64_help_simd, ir_const(t->b, I64, operands), ir_const(t->b, I64, op), x);
}

static Val no_x(A64Translator *t)
{
    return ir_const(t->b, I64, 0);
}

bool simd_help(A64Translator *t, A64SimdOp op, A64Operands o)
{
    call(t, op, o, no_x(t));
    return true;
}

bool simd_help_to_x(A64Translator *t, A64SimdOp op, unsigned sf, A64Operands o)
{
    unsigned x = o.rd;

    o.form = FORM_SCALAR;
    o.lane = LANE_OF_EACH;
    o.rd = NO_REGISTER;
    o.imm |= sf ? IMM_64 : 0;
    set_reg(t, 1, x, call(t, op, o, no_x(t)));
    return true;
}

bool simd_help_from_x(A64Translator *t, A64SimdOp op, unsigned sf, A64Operands o)
{
    Val x = xreg(t, o.rn);

    o.form = FORM_SCALAR;
    o.lane = LANE_OF_EACH;
    o.rn = NO_REGISTER;
    o.imm = sf ? IMM_64 : 0;
    call(t, op, o, x);
    return true;
}

static A64Operands operands3(const A64V3 *i)
{
    return (A64Operands){ .rd = (uint8_t)i->rd,
        .rn = (uint8_t)i->rn,
        .rm = (uint8_t)i->rm,
        .form = (uint8_t)i->form,
        .size = (uint8_t)i->size,
        .lane = LANE_OF_EACH };
}

static A64Operands operands2(const A64V2 *i)
{
    return (A64Operands){ .rd = (uint8_t)i->rd,
        .rn = (uint8_t)i->rn,
        .rm = NO_REGISTER,
        .form = (uint8_t)i->form,
        .size = (uint8_t)i->size,
        .lane = LANE_OF_EACH };
}

static A64Operands operands_x(const A64Vx *i)
{
    return (A64Operands){ .rd = (uint8_t)i->rd,
        .rn = (uint8_t)i->rn,
        .rm = (uint8_t)i->rm,
        .form = (uint8_t)i->form,
        .size = (uint8_t)i->size,
        .lane = (uint8_t)i->idx };
}

static bool help3(A64Translator *t, A64SimdOp op, const A64V3 *i)
{
    return is_vector(i->form, i->size) && simd_help(t, op, operands3(i));
}

static bool help2(A64Translator *t, A64SimdOp op, const A64V2 *i)
{
    return is_vector(i->form, i->size) && simd_help(t, op, operands2(i));
}

/* Sizes of 16 and 32 bits. */
static bool help3_of_16_and_32(A64Translator *t, A64SimdOp op, const A64V3 *i)
{
    return (i->size == LANE_16 || i->size == LANE_32) && simd_help(t, op, operands3(i));
}

/* clang-format off */
#define HELP3(name, how) bool a64_v_##name(A64Translator *t, const A64V3 *i) { return how(t, SIMD_##name, i); }
#define HELP2(name) bool a64_v_##name(A64Translator *t, const A64V2 *i) { return help2(t, SIMD_##name, i); }
#define HELP_X(name) \
    bool a64_v_##name##_x(A64Translator *t, const A64Vx *i) \
    { return is_vector(i->form, i->size) && simd_help(t, SIMD_##name, operands_x(i)); }

HELP3(sqshl, help3)
HELP3(uqshl, help3)
HELP3(sqrshl, help3)
HELP3(uqrshl, help3)
HELP3(sqrdmlah, help3_of_16_and_32)
HELP3(sqrdmlsh, help3_of_16_and_32)
HELP3(fmulx, help3)
HELP3(frecps, help3)
HELP3(frsqrts, help3)
HELP3(bfdot, help3)
HELP3(bfmmla, help3)
HELP3(smmla, help3)
HELP3(ummla, help3)
HELP3(usmmla, help3)
HELP2(suqadd)
HELP2(usqadd)
HELP2(urecpe)
HELP2(ursqrte)
HELP2(frecpe)
HELP2(frsqrte)
HELP2(frecpx)
HELP2(frint32z)
HELP2(frint64z)
HELP2(frint32x)
HELP2(frint64x)
HELP2(fcvtxn)
HELP2(bfcvtn)
HELP_X(sqrdmlah)
HELP_X(sqrdmlsh)
HELP_X(fmulx)
HELP_X(bfdot)
/* clang-format on */

/* ---- shifts by a number ----------------------------------------------------------------------- */

static bool shift_saturated(A64Translator *t, A64SimdOp op, const A64Vs *i)
{
    unsigned size = 31 - (unsigned)__builtin_clz((unsigned)i->immh);
    int32_t count = (i->immh << 3 | i->immb) - (8 << size);
    const A64Operands o = { .rd = (uint8_t)i->rd,
        .rn = (uint8_t)i->rn,
        .rm = NO_REGISTER,
        .form = (uint8_t)i->form,
        .size = (uint8_t)size,
        .lane = 0 };

    if (!is_vector(i->form, size)) {
        return false;
    }
    call(t, op, o, ir_const(t->b, I64, (uint64_t)count));
    return true;
}

bool a64_v_sqshl_n(A64Translator *t, const A64Vs *i)
{
    return shift_saturated(t, SIMD_sqshl, i);
}

bool a64_v_uqshl_n(A64Translator *t, const A64Vs *i)
{
    return shift_saturated(t, SIMD_uqshl, i);
}

bool a64_v_sqshlu(A64Translator *t, const A64Vs *i)
{
    return shift_saturated(t, SIMD_sqshlu, i);
}

/* To and from fixed point. */
static bool fixed_point(A64Translator *t, A64SimdOp op, const A64Vs *i)
{
    unsigned size = 31 - (unsigned)__builtin_clz((unsigned)i->immh);
    int32_t fraction_bits = (16 << size) - (i->immh << 3 | i->immb);
    const A64Operands o = { .rd = (uint8_t)i->rd,
        .rn = (uint8_t)i->rn,
        .rm = NO_REGISTER,
        .form = (uint8_t)i->form,
        .size = (uint8_t)size,
        .lane = LANE_OF_EACH,
        .shift = (uint8_t)fraction_bits,
        .imm = FP_RTZ };

    if (size == LANE_8 || (size == LANE_16 && !a64_has(t->cpu, A64_FP16)) ||
        !is_vector(i->form, size)) {
        return false;
    }
    return simd_help(t, op, o);
}

bool a64_v_scvtf_fix(A64Translator *t, const A64Vs *i)
{
    return fixed_point(t, SIMD_scvtf, i);
}

bool a64_v_ucvtf_fix(A64Translator *t, const A64Vs *i)
{
    return fixed_point(t, SIMD_ucvtf, i);
}

bool a64_v_fcvtzs_fix(A64Translator *t, const A64Vs *i)
{
    return fixed_point(t, SIMD_fcvts, i);
}

bool a64_v_fcvtzu_fix(A64Translator *t, const A64Vs *i)
{
    return fixed_point(t, SIMD_fcvtu, i);
}

/* ---- conversions ------------------------------------------------------------------------------ */

bool simd_help_narrow(A64Translator *t, const A64V2 *i)
{
    return simd_help(t, SIMD_fcvtn, operands2(i));
}

bool simd_help_widen(A64Translator *t, const A64V2 *i)
{
    return simd_help(t, SIMD_fcvtl, operands2(i));
}

/* Of a single in lane 0. */
bool a64_f_bfcvt(A64Translator *t, const A64V2 *i)
{
    A64Operands o = operands2(i);

    o.size = LANE_16;
    return simd_help(t, SIMD_bfcvtn, o);
}

/* Bit 32 of the helper's result becomes Z. */
bool a64_f_fjcvtzs(A64Translator *t, const A64V2 *i)
{
    enum { Z_BIT = NZCV_SHIFT + 2 };
    A64Operands o = operands2(i);
    Val value;

    o.rd = NO_REGISTER;
    value = call(t, SIMD_fjcvtzs, o, no_x(t));
    set_reg(t, 0, i->rd, ir_trunc32(t->b, value));
    set_nzcv(t, ir_op2_const(t->b, IR_shl, I64, ir_ext(t->b, I64, value, 32, 1), Z_BIT));
    return true;
}

/* ---- products --------------------------------------------------------------------------------- */

static bool multiply_halves(A64Translator *t, A64SimdOp op, A64Operands o, bool high)
{
    o.size = LANE_32; /* of the result */
    o.imm = high;
    return simd_help(t, op, o);
}

/* clang-format off */
#define HALVES(name, op, high)                                                                     \
    bool a64_v_##name(A64Translator *t, const A64V3 *i)                                            \
    { return multiply_halves(t, SIMD_##op, operands3(i), high); }                                  \
    bool a64_v_##name##_x(A64Translator *t, const A64Vx *i)                                        \
    { return multiply_halves(t, SIMD_##op, operands_x(i), high); }

HALVES(fmlal, fmlal, false)
HALVES(fmlsl, fmlsl, false)
HALVES(fmlal2, fmlal, true)
HALVES(fmlsl2, fmlsl, true)
HALVES(bfmlalb, bfmlal, false)
HALVES(bfmlalt, bfmlal, true)
/* clang-format on */

static bool complex_numbers(A64Translator *t, A64SimdOp op, const A64Vx *i)
{
    A64Operands o = operands_x(i);

    o.lane = LANE_OF_EACH;
    o.imm = (uint8_t)i->idx;
    return is_vector(i->form, i->size) && simd_help(t, op, o);
}

bool a64_v_fcadd(A64Translator *t, const A64Vx *i)
{
    return complex_numbers(t, SIMD_fcadd, i);
}

bool a64_v_fcmla(A64Translator *t, const A64Vx *i)
{
    return complex_numbers(t, SIMD_fcmla, i);
}

bool a64_v_fcmla_x(A64Translator *t, const A64Vxr *i)
{
    const A64Operands o = { .rd = (uint8_t)i->rd,
        .rn = (uint8_t)i->rn,
        .rm = (uint8_t)i->rm,
        .form = (uint8_t)i->form,
        .size = (uint8_t)i->size,
        .lane = (uint8_t)i->idx,
        .imm = (uint8_t)i->rot };

    /* A low form has two pairs of halves. */
    return (i->form == FORM_FULL || i->idx < 2) && simd_help(t, SIMD_fcmla, o);
}

/* Sums of four products of bytes. */
static bool dot(A64Translator *t, unsigned form, unsigned rd, unsigned rn, Val m, unsigned signs)
{
    set_vreg(
        t, rd, form_bytes(form, 0), vop3(t, IR_vdot, LANE_32 | signs, vreg(t, rd), vreg(t, rn), m));
    return true;
}

/* clang-format off */
#define DOT(name, signs)                                                                           \
    bool a64_v_##name(A64Translator *t, const A64V3 *i)                                            \
    { return dot(t, i->form, i->rd, i->rn, vreg(t, i->rm), signs); }
#define DOT_X(name, signs)                                                                         \
    bool a64_v_##name##_x(A64Translator *t, const A64Vx *i)                                        \
    { return dot(t, i->form, i->rd, i->rn, vop1(t, IR_vduplane, LANE_32, i->idx, vreg(t, i->rm)), signs); }

DOT(sdot, LANE_SIGNED)
DOT(udot, LANE_UNSIGN)
DOT(usdot, 0)
DOT_X(sdot, LANE_SIGNED)
DOT_X(udot, LANE_UNSIGN)
DOT_X(usdot, 0)
DOT_X(sudot, LANE_SIGNED | LANE_UNSIGN)
/* clang-format on */

/* ---- AES, and what is bits only --------------------------------------------------------------- */

static bool aes_round(A64Translator *t, const A64V2 *i, unsigned inverse)
{
    Val state = vop2(t, IR_vxor, 0, vreg(t, i->rd), vreg(t, i->rn));

    ir_put(t->b, GVAR_V + i->rd, vop1(t, IR_vaesbox, inverse, 0, state));
    return true;
}

bool a64_v_aese(A64Translator *t, const A64V2 *i)
{
    return aes_round(t, i, 0);
}

bool a64_v_aesd(A64Translator *t, const A64V2 *i)
{
    return aes_round(t, i, 1);
}

bool a64_v_aesmc(A64Translator *t, const A64V2 *i)
{
    ir_put(t->b, GVAR_V + i->rd, vop1(t, IR_vaesmix, 0, 0, vreg(t, i->rn)));
    return true;
}

bool a64_v_aesimc(A64Translator *t, const A64V2 *i)
{
    ir_put(t->b, GVAR_V + i->rd, vop1(t, IR_vaesmix, 1, 0, vreg(t, i->rn)));
    return true;
}

static Val rotate_left_64(A64Translator *t, Val x, unsigned count)
{
    if (count == 0) {
        return x;
    }
    return vop2(t, IR_vor, 0, vop1(t, IR_vshl, LANE_64, (int32_t)count, x),
        vop1(t, IR_vshr, LANE_64, (int32_t)(64 - count), x));
}

bool a64_v_eor3(A64Translator *t, const A64C4 *i)
{
    Val x = vop2(t, IR_vxor, 0, vreg(t, i->rn), vreg(t, i->rm));

    ir_put(t->b, GVAR_V + i->rd, vop2(t, IR_vxor, 0, x, vreg(t, i->ra)));
    return true;
}

bool a64_v_bcax(A64Translator *t, const A64C4 *i)
{
    Val x = vop2(t, IR_vandn, 0, vreg(t, i->rm), vreg(t, i->ra));

    ir_put(t->b, GVAR_V + i->rd, vop2(t, IR_vxor, 0, vreg(t, i->rn), x));
    return true;
}

bool a64_v_rax1(A64Translator *t, const A64V3 *i)
{
    ir_put(t->b, GVAR_V + i->rd,
        vop2(t, IR_vxor, 0, vreg(t, i->rn), rotate_left_64(t, vreg(t, i->rm), 1)));
    return true;
}

bool a64_v_xar(A64Translator *t, const A64Vx *i)
{
    Val x = vop2(t, IR_vxor, 0, vreg(t, i->rn), vreg(t, i->rm));

    ir_put(t->b, GVAR_V + i->rd, rotate_left_64(t, x, (64 - (unsigned)i->idx) % 64));
    return true;
}

/* clang-format off */
HELP3(sha512h, help3)
HELP3(sha512h2, help3)
HELP3(sha512su1, help3)
HELP3(sm3partw1, help3)
HELP3(sm3partw2, help3)
HELP3(sm4ekey, help3)
HELP2(sha512su0)
HELP2(sm4e)
/* clang-format on */

bool a64_v_sm3ss1(A64Translator *t, const A64C4 *i)
{
    return simd_help(t, SIMD_sm3ss1,
        (A64Operands){ .rd = (uint8_t)i->rd,
            .rn = (uint8_t)i->rn,
            .rm = (uint8_t)i->rm,
            .form = FORM_FULL,
            .size = LANE_32,
            .imm = (uint8_t)i->ra });
}

static bool sm3_round(A64Translator *t, A64SimdOp op, const A64Vx *i)
{
    A64Operands o = operands_x(i);

    o.imm = (uint8_t)i->idx;
    return simd_help(t, op, o);
}

bool a64_v_sm3tt1a(A64Translator *t, const A64Vx *i)
{
    return sm3_round(t, SIMD_sm3tt1a, i);
}

bool a64_v_sm3tt1b(A64Translator *t, const A64Vx *i)
{
    return sm3_round(t, SIMD_sm3tt1b, i);
}

bool a64_v_sm3tt2a(A64Translator *t, const A64Vx *i)
{
    return sm3_round(t, SIMD_sm3tt2a, i);
}

bool a64_v_sm3tt2b(A64Translator *t, const A64Vx *i)
{
    return sm3_round(t, SIMD_sm3tt2b, i);
}
