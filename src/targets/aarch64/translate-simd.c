/*
 * Advanced SIMD on integers, in the order of simd.rows.
 *
 * All lanes are computed, whatever the form: what is above the form's bytes is dropped when the register is set.
 */
#include "targets/aarch64/translate-simd.h"

/* What an instruction computes of two registers, at a lane size. */
typedef Val Compute2(A64Translator *t, unsigned size, Val x, Val y);
typedef Val Compute1(A64Translator *t, unsigned size, Val x);

/* ---- saturation ------------------------------------------------------------------------------- */

/* FPSR.QC becomes set if any bit of the low bytes of v is. */
static void saturated_where(A64Translator *t, unsigned bytes, Val v)
{
    ir_put(t->b, GVAR_QC, vop2(t, IR_vor, 0, ir_get(t->b, GVAR_QC), vlow(t, bytes, v)));
}

/* ---- three registers of the same type --------------------------------------------------------- */

static bool same(A64Translator *t, const A64V3 *i, unsigned max_size, Compute2 *compute)
{
    if (!is_vector(i->form, i->size) || (unsigned)i->size > max_size) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size),
        compute(t, i->size, vreg(t, i->rn), vreg(t, i->rm)));
    return true;
}

/* Scalars of most are 64 bits wide (C7.2, "if size != '11' then UNDEFINED"). */
static bool scalar_is_64(const A64V3 *i)
{
    return i->form != FORM_SCALAR || i->size == LANE_64;
}

/* clang-format off */
/* One operation with that aux, beside the lane's size. */
#define OP2(name, op, aux) \
    static Val name(A64Translator *t, unsigned size, Val x, Val y) { return vop2(t, IR_##op, size | (aux), x, y); }
#define OP1(name, op, aux) \
    static Val name(A64Translator *t, unsigned size, Val x) { return vop1(t, IR_##op, size | (aux), 0, x); }
#define COMPARE(name, cond) \
    static Val name(A64Translator *t, unsigned size, Val x, Val y) { return ir_aux(t->b, IR_vcmp, V128, (uint8_t)size, cond, x, y, NO_VAL); }

OP2(add, vadd, 0)
OP2(sub, vsub, 0)
OP2(mul, vmul, 0)
OP2(shadd, vhadd, LANE_SIGNED)
OP2(uhadd, vhadd, 0)
OP2(srhadd, vhadd, LANE_SIGNED | LANE_ROUND)
OP2(urhadd, vhadd, LANE_ROUND)
OP2(shsub, vhsub, LANE_SIGNED)
OP2(uhsub, vhsub, 0)
OP2(smax, vsmax, 0)
OP2(umax, vumax, 0)
OP2(smin, vsmin, 0)
OP2(umin, vumin, 0)
OP2(sshl, vshift, LANE_SIGNED)
OP2(ushl, vshift, 0)
OP2(srshl, vshift, LANE_SIGNED | LANE_ROUND)
OP2(urshl, vshift, LANE_ROUND)
OP2(cmtst, vtest, 0)
COMPARE(cmeq, EQ)
COMPARE(cmgt, GT)
COMPARE(cmge, GE)
COMPARE(cmhi, GTU)
COMPARE(cmhs, GEU)
OP1(negate, vneg, 0)
OP1(absolute, vabs, 0)
/* clang-format on */

static Val sabd(A64Translator *t, unsigned size, Val x, Val y)
{
    return sub(t, size, smax(t, size, x, y), smin(t, size, x, y));
}

static Val uabd(A64Translator *t, unsigned size, Val x, Val y)
{
    return sub(t, size, umax(t, size, x, y), umin(t, size, x, y));
}

/* clang-format off */
/* Sizes up to `max`; of scalars 64 bits only. */
#define SAME(name, max, compute) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return scalar_is_64(i) && same(t, i, max, compute); }

SAME(shadd, LANE_32, shadd)
SAME(uhadd, LANE_32, uhadd)
SAME(srhadd, LANE_32, srhadd)
SAME(urhadd, LANE_32, urhadd)
SAME(shsub, LANE_32, shsub)
SAME(uhsub, LANE_32, uhsub)
SAME(cmgt, LANE_64, cmgt)
SAME(cmge, LANE_64, cmge)
SAME(cmhi, LANE_64, cmhi)
SAME(cmhs, LANE_64, cmhs)
SAME(cmtst, LANE_64, cmtst)
SAME(cmeq, LANE_64, cmeq)
SAME(sshl, LANE_64, sshl)
SAME(ushl, LANE_64, ushl)
SAME(srshl, LANE_64, srshl)
SAME(urshl, LANE_64, urshl)
SAME(smax, LANE_32, smax)
SAME(umax, LANE_32, umax)
SAME(smin, LANE_32, smin)
SAME(umin, LANE_32, umin)
SAME(sabd, LANE_32, sabd)
SAME(uabd, LANE_32, uabd)
SAME(add, LANE_64, add)
SAME(sub, LANE_64, sub)
SAME(mul, LANE_32, mul)
/* clang-format on */

/* rd and what two registers give, combined. */
static bool accumulate(
    A64Translator *t, const A64V3 *i, Compute2 *compute, IrOp op, unsigned max_size)
{
    Val value;

    if (!is_vector(i->form, i->size) || (unsigned)i->size > max_size) {
        return false;
    }
    value = compute(t, i->size, vreg(t, i->rn), vreg(t, i->rm));
    set_vreg(t, i->rd, form_bytes(i->form, i->size), vop2(t, op, i->size, vreg(t, i->rd), value));
    return true;
}

/* clang-format off */
#define ACCUMULATE(name, compute, op) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return accumulate(t, i, compute, IR_##op, LANE_32); }

ACCUMULATE(saba, sabd, vadd)
ACCUMULATE(uaba, uabd, vadd)
ACCUMULATE(mla, mul, vadd)
ACCUMULATE(mls, mul, vsub)
/* clang-format on */

static bool saturating(A64Translator *t, const A64V3 *i, IrOp saturated, IrOp plain, unsigned aux)
{
    unsigned bytes = form_bytes(i->form, i->size);
    Val x = vreg(t, i->rn), y = vreg(t, i->rm), value;

    if (!is_vector(i->form, i->size)) {
        return false;
    }
    value = vop2(t, saturated, i->size | aux, x, y);
    saturated_where(t, bytes, vop2(t, IR_vxor, 0, value, vop2(t, plain, i->size, x, y)));
    set_vreg(t, i->rd, bytes, value);
    return true;
}

/* clang-format off */
#define SATURATING(name, op, plain, aux) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return saturating(t, i, IR_##op, IR_##plain, aux); }

SATURATING(sqadd, vaddsat, vadd, LANE_SIGNED)
SATURATING(uqadd, vaddsat, vadd, 0)
SATURATING(sqsub, vsubsat, vsub, LANE_SIGNED)
SATURATING(uqsub, vsubsat, vsub, 0)
/* clang-format on */

/* Upper halves of doubled products: only the least value times itself saturates. */
static Val doubling_high(
    A64Translator *t, unsigned bytes, unsigned size, unsigned aux, Val x, Val y)
{
    Val least = vsplat(t, size, UINT64_C(1) << ((8 << size) - 1));

    saturated_where(
        t, bytes, vop2(t, IR_vand, 0, cmeq(t, size, x, least), cmeq(t, size, y, least)));
    return vop2(t, IR_vmulhsat, size | aux, x, y);
}

static bool multiply_high(A64Translator *t, const A64V3 *i, unsigned aux)
{
    unsigned bytes = form_bytes(i->form, i->size);

    if (i->size != LANE_16 && i->size != LANE_32) {
        return false;
    }
    set_vreg(
        t, i->rd, bytes, doubling_high(t, bytes, i->size, aux, vreg(t, i->rn), vreg(t, i->rm)));
    return true;
}

bool a64_v_sqdmulh(A64Translator *t, const A64V3 *i)
{
    return multiply_high(t, i, 0);
}

bool a64_v_sqrdmulh(A64Translator *t, const A64V3 *i)
{
    return multiply_high(t, i, LANE_ROUND);
}

/* Lanes that are neighbours in rn, then in rm. */
static bool pairwise(A64Translator *t, const A64V3 *i, unsigned max_size, Compute2 *compute)
{
    Val x = vreg(t, i->rn), y = vreg(t, i->rm);

    if (!is_vector(i->form, i->size) || (unsigned)i->size > max_size) {
        return false;
    }
    if (i->form == FORM_LOW) {
        x = vop2(t, IR_vziplo, LANE_64, x, y);
        y = x;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size),
        compute(t, i->size, vop2(t, IR_veven, i->size, x, y), vop2(t, IR_vodd, i->size, x, y)));
    return true;
}

/* clang-format off */
#define PAIRWISE(name, max, compute) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return pairwise(t, i, max, compute); }

PAIRWISE(addp, LANE_64, add)
PAIRWISE(smaxp, LANE_32, smax)
PAIRWISE(umaxp, LANE_32, umax)
PAIRWISE(sminp, LANE_32, smin)
PAIRWISE(uminp, LANE_32, umin)
/* clang-format on */

bool a64_v_addp_pair(A64Translator *t, const A64V2 *i)
{
    Val x = vreg(t, i->rn);

    set_vreg(t, i->rd, 8, add(t, LANE_64, x, vop1(t, IR_vduplane, LANE_64, 1, x)));
    return true;
}

/* ---- bits ------------------------------------------------------------------------------------- */

static bool bitwise(A64Translator *t, const A64V3 *i, IrOp op)
{
    set_vreg(t, i->rd, form_bytes(i->form, 0), vop2(t, op, 0, vreg(t, i->rn), vreg(t, i->rm)));
    return true;
}

/* clang-format off */
#define BITWISE(name, op) bool a64_v_##name(A64Translator *t, const A64V3 *i) { return bitwise(t, i, IR_##op); }

BITWISE(and, vand)
BITWISE(bic, vandn)
BITWISE(orr, vor)
BITWISE(orn, vorn)
BITWISE(eor, vxor)
/* clang-format on */

static bool choose(A64Translator *t, const A64V3 *i, unsigned mask, unsigned yes, unsigned no)
{
    set_vreg(t, i->rd, form_bytes(i->form, 0),
        vop3(t, IR_vselect, 0, vreg(t, mask), vreg(t, yes), vreg(t, no)));
    return true;
}

bool a64_v_bsl(A64Translator *t, const A64V3 *i)
{
    return choose(t, i, i->rd, i->rn, i->rm);
}

bool a64_v_bit(A64Translator *t, const A64V3 *i)
{
    return choose(t, i, i->rm, i->rn, i->rd);
}

bool a64_v_bif(A64Translator *t, const A64V3 *i)
{
    return choose(t, i, i->rm, i->rd, i->rn);
}

/* ---- two registers ---------------------------------------------------------------------------- */

static bool unary(A64Translator *t, const A64V2 *i, unsigned max_size, Compute1 *compute)
{
    if (!is_vector(i->form, i->size) || (unsigned)i->size > max_size ||
        (i->form == FORM_SCALAR && i->size != LANE_64)) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size), compute(t, i->size, vreg(t, i->rn)));
    return true;
}

/* clang-format off */
OP1(leading_zeros, vclz, 0)
OP1(leading_signs, vcls, 0)
OP1(ones, vpopcnt, 0)
OP1(reversed_bits, vbitrev, 0)

#define AGAINST_ZERO(name, compute, first, second) \
    static Val name(A64Translator *t, unsigned size, Val x) { Val zero = vzero(t); return compute(t, size, first, second); }
#define REVERSED(name, bytes) \
    static Val name(A64Translator *t, unsigned size, Val x) { return vop1(t, IR_vrev, size, bytes, x); }

AGAINST_ZERO(cmgt0, cmgt, x, zero)
AGAINST_ZERO(cmge0, cmge, x, zero)
AGAINST_ZERO(cmeq0, cmeq, x, zero)
AGAINST_ZERO(cmle0, cmge, zero, x)
AGAINST_ZERO(cmlt0, cmgt, zero, x)
REVERSED(rev64, 8)
REVERSED(rev32, 4)
REVERSED(rev16, 2)

#define UNARY(name, max, compute) \
    bool a64_v_##name(A64Translator *t, const A64V2 *i) { return unary(t, i, max, compute); }

UNARY(cmgt0, LANE_64, cmgt0)
UNARY(cmge0, LANE_64, cmge0)
UNARY(cmeq0, LANE_64, cmeq0)
UNARY(cmle0, LANE_64, cmle0)
UNARY(cmlt0, LANE_64, cmlt0)
UNARY(abs, LANE_64, absolute)
UNARY(neg, LANE_64, negate)
UNARY(rev64, LANE_32, rev64)
UNARY(rev32, LANE_16, rev32)
UNARY(rev16, LANE_8, rev16)
UNARY(cls, LANE_32, leading_signs)
UNARY(clz, LANE_32, leading_zeros)
UNARY(cnt, LANE_8, ones)
UNARY(rbit, LANE_8, reversed_bits)
/* clang-format on */

bool a64_v_not(A64Translator *t, const A64V2 *i)
{
    set_vreg(t, i->rd, form_bytes(i->form, 0), vop1(t, IR_vnot, 0, 0, vreg(t, i->rn)));
    return true;
}

/* The least value has no negative: it saturates, to one less than what the operation gives. */
static bool unary_saturated(A64Translator *t, const A64V2 *i, Compute1 *compute)
{
    unsigned bytes = form_bytes(i->form, i->size);
    Val x = vreg(t, i->rn), least = vsplat(t, i->size, UINT64_C(1) << ((8 << i->size) - 1)), where;

    if (!is_vector(i->form, i->size)) {
        return false;
    }
    where = cmeq(t, i->size, x, least);
    saturated_where(t, bytes, where);
    set_vreg(t, i->rd, bytes, add(t, i->size, compute(t, i->size, x), where));
    return true;
}

bool a64_v_sqabs(A64Translator *t, const A64V2 *i)
{
    return unary_saturated(t, i, absolute);
}

bool a64_v_sqneg(A64Translator *t, const A64V2 *i)
{
    return unary_saturated(t, i, negate);
}

/* Sums of neighbours, twice as wide. */
static Val add_long_pairs(A64Translator *t, unsigned size, unsigned sign, Val x)
{
    unsigned wide = size + 1;
    int32_t bits = 8 << size;
    Val even = vop1(t, IR_vshr, wide | sign, bits, vop1(t, IR_vshl, wide, bits, x));

    return add(t, wide, even, vop1(t, IR_vshr, wide | sign, bits, x));
}

static bool pair_sums(A64Translator *t, const A64V2 *i, unsigned sign, bool accumulates)
{
    unsigned bytes = form_bytes(i->form, i->size);
    Val sums;

    if (i->size == LANE_64) {
        return false;
    }
    sums = add_long_pairs(t, i->size, sign, vreg(t, i->rn));
    if (accumulates) {
        sums = add(t, i->size + 1, vreg(t, i->rd), sums);
    }
    set_vreg(t, i->rd, bytes, sums);
    return true;
}

bool a64_v_saddlp(A64Translator *t, const A64V2 *i)
{
    return pair_sums(t, i, LANE_SIGNED, false);
}

bool a64_v_uaddlp(A64Translator *t, const A64V2 *i)
{
    return pair_sums(t, i, 0, false);
}

bool a64_v_sadalp(A64Translator *t, const A64V2 *i)
{
    return pair_sums(t, i, LANE_SIGNED, true);
}

bool a64_v_uadalp(A64Translator *t, const A64V2 *i)
{
    return pair_sums(t, i, 0, true);
}

/* ---- narrow and wide -------------------------------------------------------------------------- */

unsigned upper_half(unsigned form)
{
    return form == FORM_FULL ? LANE_HIGH : 0;
}

Val widen(A64Translator *t, unsigned size, unsigned aux, Val x)
{
    return vop1(t, IR_vwiden, size | aux, 0, x);
}

Val narrow(A64Translator *t, unsigned size, Val x)
{
    return vop2(t, IR_vnarrow, size + 1, x, vzero(t));
}

Val narrow_saturated(A64Translator *t, unsigned form, unsigned size, unsigned aux, Val x)
{
    bool result_signed = (aux & LANE_SIGNED) && !(aux & LANE_UNSIGN);
    Val value, back;

    if (form == FORM_SCALAR) {
        x = vlow(t, 2u << size, x);
    }
    value = vop2(t, IR_vnarrow, (size + 1) | LANE_SAT | aux, x, vzero(t));
    back = widen(t, size, result_signed ? LANE_SIGNED : 0, value);
    saturated_where(t, 16, vop2(t, IR_vxor, 0, back, x));
    return value;
}

void set_narrow(A64Translator *t, unsigned rd, unsigned form, unsigned size, Val low)
{
    if (form == FORM_SCALAR) {
        set_vreg(t, rd, 1u << size, low);
    } else {
        set_half(t, rd, form, low);
    }
}

bool a64_v_xtn(A64Translator *t, const A64V2 *i)
{
    if (i->size == LANE_64) {
        return false;
    }
    set_narrow(t, i->rd, i->form, i->size, narrow(t, i->size, vreg(t, i->rn)));
    return true;
}

static bool extract_saturated(A64Translator *t, const A64V2 *i, unsigned aux)
{
    if (i->size == LANE_64) {
        return false;
    }
    set_narrow(
        t, i->rd, i->form, i->size, narrow_saturated(t, i->form, i->size, aux, vreg(t, i->rn)));
    return true;
}

bool a64_v_sqxtn(A64Translator *t, const A64V2 *i)
{
    return extract_saturated(t, i, LANE_SIGNED);
}

bool a64_v_uqxtn(A64Translator *t, const A64V2 *i)
{
    return extract_saturated(t, i, 0);
}

bool a64_v_sqxtun(A64Translator *t, const A64V2 *i)
{
    return extract_saturated(t, i, LANE_SIGNED | LANE_UNSIGN);
}

bool a64_v_shll(A64Translator *t, const A64V2 *i)
{
    Val wide;

    if (i->size == LANE_64) {
        return false;
    }
    wide = widen(t, i->size, upper_half(i->form), vreg(t, i->rn));
    ir_put(t->b, GVAR_V + i->rd, vop1(t, IR_vshl, i->size + 1, 8 << i->size, wide));
    return true;
}

/* ---- across the lanes ------------------------------------------------------------------------- */

/* The lanes there must be: 4 at least. */
static bool has_many_lanes(const A64V2 *i)
{
    return form_bytes(i->form, i->size) >> i->size >= 4;
}

static bool across(A64Translator *t, const A64V2 *i, IrOp op, unsigned aux)
{
    if (!has_many_lanes(i)) {
        return false;
    }
    set_vreg(t, i->rd, 1u << i->size,
        vop1(t, op, i->size | aux, (int32_t)form_bytes(i->form, i->size), vreg(t, i->rn)));
    return true;
}

/* clang-format off */
#define ACROSS(name, op, aux) \
    bool a64_v_##name(A64Translator *t, const A64V2 *i) { return across(t, i, IR_##op, aux); }

ACROSS(addv, vsum, 0)
ACROSS(smaxv, vmaxall, LANE_SIGNED)
ACROSS(umaxv, vmaxall, 0)
ACROSS(sminv, vminall, LANE_SIGNED)
ACROSS(uminv, vminall, 0)
/* clang-format on */

static bool long_sum(A64Translator *t, const A64V2 *i, unsigned sign)
{
    if (!has_many_lanes(i)) {
        return false;
    }
    set_vreg(t, i->rd, 2u << i->size,
        vop1(t, IR_vsum, i->size + 1, (int32_t)form_bytes(i->form, i->size),
            add_long_pairs(t, i->size, sign, vreg(t, i->rn))));
    return true;
}

bool a64_v_saddlv(A64Translator *t, const A64V2 *i)
{
    return long_sum(t, i, LANE_SIGNED);
}

bool a64_v_uaddlv(A64Translator *t, const A64V2 *i)
{
    return long_sum(t, i, 0);
}

/* ---- three registers of different types ------------------------------------------------------- */

/* Both operands are halves, widened. */
static bool long_op(A64Translator *t, const A64V3 *i, unsigned sign, Compute2 *compute)
{
    unsigned aux = sign | upper_half(i->form);

    if (i->size == LANE_64) {
        return false;
    }
    ir_put(t->b, GVAR_V + i->rd,
        compute(t, i->size + 1, widen(t, i->size, aux, vreg(t, i->rn)),
            widen(t, i->size, aux, vreg(t, i->rm))));
    return true;
}

/* Only the second one is. */
static bool wide_op(A64Translator *t, const A64V3 *i, unsigned sign, Compute2 *compute)
{
    if (i->size == LANE_64) {
        return false;
    }
    ir_put(t->b, GVAR_V + i->rd,
        compute(t, i->size + 1, vreg(t, i->rn),
            widen(t, i->size, sign | upper_half(i->form), vreg(t, i->rm))));
    return true;
}

/* What two halves give, added to wide lanes. */
static bool long_accumulate(A64Translator *t, const A64V3 *i, unsigned sign, Compute2 *compute)
{
    unsigned aux = sign | upper_half(i->form);
    Val value;

    if (i->size == LANE_64) {
        return false;
    }
    value = compute(t, i->size + 1, widen(t, i->size, aux, vreg(t, i->rn)),
        widen(t, i->size, aux, vreg(t, i->rm)));
    ir_put(t->b, GVAR_V + i->rd, add(t, i->size + 1, vreg(t, i->rd), value));
    return true;
}

/* The upper halves of wide lanes. */
static bool narrow_high(A64Translator *t, const A64V3 *i, Compute2 *compute, bool rounds)
{
    unsigned wide = i->size + 1;
    int32_t bits = 8 << i->size;
    Val value;

    if (i->size == LANE_64) {
        return false;
    }
    value = compute(t, wide, vreg(t, i->rn), vreg(t, i->rm));
    if (rounds) {
        value = add(t, wide, value, vsplat(t, wide, UINT64_C(1) << (bits - 1)));
    }
    set_half(t, i->rd, i->form, narrow(t, i->size, vop1(t, IR_vshr, wide, bits, value)));
    return true;
}

/* clang-format off */
#define LONG(name, how, sign, compute) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return how(t, i, sign, compute); }
#define NARROW_HIGH(name, compute, rounds) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return narrow_high(t, i, compute, rounds); }

LONG(saddl, long_op, LANE_SIGNED, add)
LONG(uaddl, long_op, 0, add)
LONG(ssubl, long_op, LANE_SIGNED, sub)
LONG(usubl, long_op, 0, sub)
LONG(saddw, wide_op, LANE_SIGNED, add)
LONG(uaddw, wide_op, 0, add)
LONG(ssubw, wide_op, LANE_SIGNED, sub)
LONG(usubw, wide_op, 0, sub)
LONG(sabdl, long_op, LANE_SIGNED, sabd)
LONG(uabdl, long_op, 0, uabd)
LONG(sabal, long_accumulate, LANE_SIGNED, sabd)
LONG(uabal, long_accumulate, 0, uabd)
NARROW_HIGH(addhn, add, false)
NARROW_HIGH(raddhn, add, true)
NARROW_HIGH(subhn, sub, false)
NARROW_HIGH(rsubhn, sub, true)
/* clang-format on */

/* ---- long products ---------------------------------------------------------------------------- */

typedef enum Sum { SUM_NONE, SUM_ADD, SUM_SUBTRACT } Sum;

static Val summed(A64Translator *t, Sum sum, unsigned size, unsigned rd, Val value)
{
    switch (sum) {
    case SUM_ADD: return add(t, size, vreg(t, rd), value);
    case SUM_SUBTRACT: return sub(t, size, vreg(t, rd), value);
    default: return value;
    }
}

static bool long_product(A64Translator *t, Sum sum, unsigned sign, unsigned form, unsigned size,
    unsigned rd, Val x, Val y)
{
    Val product = vop2(t, IR_vmulwide, size | sign | upper_half(form), x, y);

    ir_put(t->b, GVAR_V + rd, summed(t, sum, size + 1, rd, product));
    return true;
}

static bool long_product3(A64Translator *t, const A64V3 *i, Sum sum, unsigned sign)
{
    return i->size != LANE_64 &&
        long_product(t, sum, sign, i->form, i->size, i->rd, vreg(t, i->rn), vreg(t, i->rm));
}

static bool long_product_x(A64Translator *t, const A64Vx *i, Sum sum, unsigned sign)
{
    return long_product(t, sum, sign, i->form, i->size, i->rd, vreg(t, i->rn), element(t, i));
}

/* clang-format off */
#define LONG_PRODUCT(name, sum, sign)                                                              \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return long_product3(t, i, sum, sign); } \
    bool a64_v_##name##_x(A64Translator *t, const A64Vx *i) { return long_product_x(t, i, sum, sign); }

LONG_PRODUCT(smull, SUM_NONE, LANE_SIGNED)
LONG_PRODUCT(umull, SUM_NONE, 0)
LONG_PRODUCT(smlal, SUM_ADD, LANE_SIGNED)
LONG_PRODUCT(umlal, SUM_ADD, 0)
LONG_PRODUCT(smlsl, SUM_SUBTRACT, LANE_SIGNED)
LONG_PRODUCT(umlsl, SUM_SUBTRACT, 0)
/* clang-format on */

/*
 * Doubled products, added with saturation: 2xy is xy + xy with saturation, for only the least value times itself
 * does not fit.
 */
static bool doubling(
    A64Translator *t, Sum sum, unsigned form, unsigned size, unsigned rd, Val x, Val y)
{
    unsigned wide = size + 1, bytes = form == FORM_SCALAR ? 2u << size : 16;
    Val product, twice, value;

    if (size != LANE_16 && size != LANE_32) {
        return false;
    }
    product = vlow(t, bytes, vop2(t, IR_vmulwide, size | LANE_SIGNED | upper_half(form), x, y));
    twice = vop2(t, IR_vaddsat, wide | LANE_SIGNED, product, product);
    saturated_where(t, bytes, vop2(t, IR_vxor, 0, twice, add(t, wide, product, product)));
    value = twice;
    if (sum != SUM_NONE) {
        IrOp op = sum == SUM_ADD ? IR_vaddsat : IR_vsubsat;

        value = vop2(t, op, wide | LANE_SIGNED, vreg(t, rd), twice);
        saturated_where(t, bytes, vop2(t, IR_vxor, 0, value, summed(t, sum, wide, rd, twice)));
    }
    set_vreg(t, rd, bytes, value);
    return true;
}

/* clang-format off */
#define DOUBLING(name, sum)                                                                        \
    bool a64_v_##name(A64Translator *t, const A64V3 *i)                                            \
    { return doubling(t, sum, i->form, i->size, i->rd, vreg(t, i->rn), vreg(t, i->rm)); }          \
    bool a64_v_##name##_x(A64Translator *t, const A64Vx *i)                                        \
    { return doubling(t, sum, i->form, i->size, i->rd, vreg(t, i->rn), element(t, i)); }

DOUBLING(sqdmull, SUM_NONE)
DOUBLING(sqdmlal, SUM_ADD)
DOUBLING(sqdmlsl, SUM_SUBTRACT)
/* clang-format on */

/* Carry-less products of bytes, cut to bytes. */
bool a64_v_pmul(A64Translator *t, const A64V3 *i)
{
    Val x = vreg(t, i->rn), y = vreg(t, i->rm), low, high;

    if (i->size != LANE_8) {
        return false;
    }
    low = vop2(t, IR_vclmul, LANE_8, x, y);
    high = vop2(t, IR_vclmul, LANE_8 | LANE_HIGH, x, y);
    set_vreg(t, i->rd, form_bytes(i->form, 0), vop2(t, IR_vnarrow, LANE_16, low, high));
    return true;
}

bool a64_v_pmull(A64Translator *t, const A64V3 *i)
{
    ir_put(t->b, GVAR_V + i->rd,
        vop2(t, IR_vclmul, i->size | upper_half(i->form), vreg(t, i->rn), vreg(t, i->rm)));
    return true;
}

/* ---- by element ------------------------------------------------------------------------------- */

static bool product_x(A64Translator *t, const A64Vx *i, Sum sum)
{
    Val product = mul(t, i->size, vreg(t, i->rn), element(t, i));

    set_vreg(t, i->rd, form_bytes(i->form, i->size), summed(t, sum, i->size, i->rd, product));
    return true;
}

bool a64_v_mul_x(A64Translator *t, const A64Vx *i)
{
    return product_x(t, i, SUM_NONE);
}

bool a64_v_mla_x(A64Translator *t, const A64Vx *i)
{
    return product_x(t, i, SUM_ADD);
}

bool a64_v_mls_x(A64Translator *t, const A64Vx *i)
{
    return product_x(t, i, SUM_SUBTRACT);
}

static bool multiply_high_x(A64Translator *t, const A64Vx *i, unsigned aux)
{
    unsigned bytes = form_bytes(i->form, i->size);

    set_vreg(t, i->rd, bytes, doubling_high(t, bytes, i->size, aux, vreg(t, i->rn), element(t, i)));
    return true;
}

bool a64_v_sqdmulh_x(A64Translator *t, const A64Vx *i)
{
    return multiply_high_x(t, i, 0);
}

bool a64_v_sqrdmulh_x(A64Translator *t, const A64Vx *i)
{
    return multiply_high_x(t, i, LANE_ROUND);
}
