/*
 * Floating point, scalar and vector alike: an instruction is one operation on lanes, and the same one on a scalar.
 *
 * Scalars of 32 and 64 bits are lane 0 taken out and put back, which costs nothing on a host whose float and vector
 * registers are the same. Halves, and all rare things, are vector operations or helpers.
 */
#include "targets/aarch64/simd.h"
#include "targets/aarch64/translate-simd.h"

/* ---- operands --------------------------------------------------------------------------------- */

/* FPCR for an operation on lanes of this size. */
static unsigned fp_rules(const A64Translator *t, unsigned size)
{
    unsigned flush = size == LANE_16 ? MODE_FP_FLUSH16 : MODE_FP_FLUSH;

    return (t->mode & MODE_FP_DEFAULT_NAN ? FP_NAN_DEFAULT : FP_NAN_FIRST) | FP_TINY_BEFORE |
        FP_NAN_TO_ZERO | (t->mode & flush ? FP_FLUSH : 0);
}

static unsigned fp_dynamic(const A64Translator *t, unsigned size)
{
    return fp_rules(t, size) | FP_DYN;
}

static IrType float_type(unsigned size)
{
    return size == LANE_32 ? F32 : F64;
}

static Val freg(A64Translator *t, unsigned size, unsigned n)
{
    return ir_aux(t->b, IR_vtof, float_type(size), (uint8_t)size, 0, vreg(t, n), NO_VAL, NO_VAL);
}

static void set_freg(A64Translator *t, unsigned n, Val value)
{
    ir_put(t->b, GVAR_V + n, vop1(t, IR_vfromf, 0, 0, value));
}

/* Is this a scalar that the host has a type for? */
static bool is_float(unsigned form, unsigned size)
{
    return form == FORM_SCALAR && size != LANE_16;
}

/* imm of a vector operation on floats. */
static int32_t lanes(unsigned form, unsigned size, unsigned more)
{
    return (int32_t)(size | (form == FORM_SCALAR ? VF_SCALAR : 0) | more << VF_MORE);
}

/* In a low form the lanes are computed twice: what is in the upper half must not raise flags. */
static Val operand(A64Translator *t, unsigned form, unsigned n)
{
    return form == FORM_LOW ? vop1(t, IR_vduplane, LANE_64, 0, vreg(t, n)) : vreg(t, n);
}

/* ---- one operation ---------------------------------------------------------------------------- */

/* An operation on a float, and on lanes. */
typedef struct FpOp {
    IrOp scalar, vector;
    uint8_t more; /* imm; in imm of the vector operation above VF_MORE */
} FpOp;

static const FpOp op_add = { IR_fadd, IR_vfadd, 0 }, op_sub = { IR_fsub, IR_vfsub, 0 },
                  op_mul = { IR_fmul, IR_vfmul, 0 }, op_div = { IR_fdiv, IR_vfdiv, 0 },
                  op_max = { IR_fmax, IR_vfmax, FP_MIN_MINIMUM },
                  op_min = { IR_fmin, IR_vfmin, FP_MIN_MINIMUM },
                  op_maxnm = { IR_fmax, IR_vfmax, FP_MIN_2008 },
                  op_minnm = { IR_fmin, IR_vfmin, FP_MIN_2008 },
                  op_sqrt = { IR_fsqrt, IR_vfsqrt, 0 }, op_round = { IR_fround, IR_vfround, 0 },
                  op_round_exact = { IR_fround, IR_vfround, 1 },
                  op_madd = { IR_fmadd, IR_vfmadd, 0 }, op_nmsub = { IR_fnmsub, IR_vfnmsub, 0 };

static Val fp_lanes(
    A64Translator *t, const FpOp *op, unsigned form, unsigned size, Val x, Val y, Val z)
{
    return ir_aux(
        t->b, op->vector, V128, (uint8_t)fp_dynamic(t, size), lanes(form, size, op->more), x, y, z);
}

static bool fp2(A64Translator *t, const A64V3 *i, const FpOp *op)
{
    if (!is_vector(i->form, i->size)) {
        return false;
    }
    if (is_float(i->form, i->size)) {
        set_freg(t, i->rd,
            ir_aux(t->b, op->scalar, float_type(i->size), (uint8_t)fp_dynamic(t, i->size), op->more,
                freg(t, i->size, i->rn), freg(t, i->size, i->rm), NO_VAL));
    } else {
        set_vreg(t, i->rd, form_bytes(i->form, i->size),
            fp_lanes(t, op, i->form, i->size, operand(t, i->form, i->rn),
                operand(t, i->form, i->rm), NO_VAL));
    }
    return true;
}

static bool fp1(A64Translator *t, const A64V2 *i, const FpOp *op, unsigned round)
{
    uint8_t aux = (uint8_t)(fp_rules(t, i->size) | round);

    if (!is_vector(i->form, i->size)) {
        return false;
    }
    if (is_float(i->form, i->size)) {
        set_freg(t, i->rd,
            ir_aux(t->b, op->scalar, float_type(i->size), aux, op->more, freg(t, i->size, i->rn),
                NO_VAL, NO_VAL));
    } else {
        set_vreg(t, i->rd, form_bytes(i->form, i->size),
            ir_aux(t->b, op->vector, V128, aux, lanes(i->form, i->size, op->more),
                operand(t, i->form, i->rn), NO_VAL, NO_VAL));
    }
    return true;
}

/* clang-format off */
#define FP2(name, op) bool a64_v_##name(A64Translator *t, const A64V3 *i) { return fp2(t, i, &op); }
#define FP1(name, op, round) bool a64_v_##name(A64Translator *t, const A64V2 *i) { return fp1(t, i, &op, round); }

FP2(fadd, op_add)
FP2(fsub, op_sub)
FP2(fmul, op_mul)
FP2(fdiv, op_div)
FP2(fmax, op_max)
FP2(fmin, op_min)
FP2(fmaxnm, op_maxnm)
FP2(fminnm, op_minnm)
FP1(fsqrt, op_sqrt, FP_DYN)
FP1(frintn, op_round, FP_RNE)
FP1(frintp, op_round, FP_RUP)
FP1(frintm, op_round, FP_RDN)
FP1(frintz, op_round, FP_RTZ)
FP1(frinta, op_round, FP_RMM)
FP1(frinti, op_round, FP_DYN)
FP1(frintx, op_round_exact, FP_DYN)
/* clang-format on */

/* ---- signs ------------------------------------------------------------------------------------ */

static Val sign_bits(A64Translator *t, unsigned size)
{
    return vsplat(t, size, UINT64_C(1) << ((8 << size) - 1));
}

static Val vabs(A64Translator *t, unsigned size, Val x)
{
    return vop2(t, IR_vandn, 0, x, sign_bits(t, size));
}

static bool sign_op(A64Translator *t, const A64V2 *i, IrOp scalar, IrOp vector)
{
    if (!is_vector(i->form, i->size)) {
        return false;
    }
    if (is_float(i->form, i->size)) {
        set_freg(t, i->rd, ir_op1(t->b, scalar, float_type(i->size), freg(t, i->size, i->rn)));
    } else {
        set_vreg(t, i->rd, form_bytes(i->form, i->size),
            vop2(t, vector, 0, vreg(t, i->rn), sign_bits(t, i->size)));
    }
    return true;
}

bool a64_v_fabs(A64Translator *t, const A64V2 *i)
{
    return sign_op(t, i, IR_fabs, IR_vandn);
}

bool a64_v_fneg(A64Translator *t, const A64V2 *i)
{
    return sign_op(t, i, IR_fneg, IR_vxor);
}

bool a64_v_fnmul(A64Translator *t, const A64V3 *i)
{
    const A64V2 negated = { .form = i->form, .size = i->size, .rn = i->rd, .rd = i->rd };

    return fp2(t, i, &op_mul) && a64_v_fneg(t, &negated);
}

bool a64_v_fabd(A64Translator *t, const A64V3 *i)
{
    const A64V2 absolute = { .form = i->form, .size = i->size, .rn = i->rd, .rd = i->rd };

    return fp2(t, i, &op_sub) && a64_v_fabs(t, &absolute);
}

/* ---- fused ------------------------------------------------------------------------------------ */

static bool fused_lanes(
    A64Translator *t, const FpOp *op, unsigned form, unsigned size, unsigned rd, Val x, Val y)
{
    set_vreg(
        t, rd, form_bytes(form, size), fp_lanes(t, op, form, size, x, y, operand(t, form, rd)));
    return true;
}

static bool fused(A64Translator *t, const A64V3 *i, const FpOp *op)
{
    return is_vector(i->form, i->size) &&
        fused_lanes(
            t, op, i->form, i->size, i->rd, operand(t, i->form, i->rn), operand(t, i->form, i->rm));
}

bool a64_v_fmla(A64Translator *t, const A64V3 *i)
{
    return fused(t, i, &op_madd);
}

bool a64_v_fmls(A64Translator *t, const A64V3 *i)
{
    return fused(t, i, &op_nmsub);
}

/* FMADD and its like, rd = ra + rn * rm with signs. */
static bool fused4(A64Translator *t, const A64F4 *i, IrOp op)
{
    static const FpOp vector[] = { { 0, IR_vfmadd, 0 }, { 0, IR_vfnmsub, 0 } };
    bool negates_product = op == IR_fnmadd || op == IR_fnmsub;
    Val z;

    if (i->size != LANE_16) {
        set_freg(t, i->rd,
            ir_aux(t->b, op, float_type(i->size), (uint8_t)fp_dynamic(t, i->size), 0,
                freg(t, i->size, i->rn), freg(t, i->size, i->rm), freg(t, i->size, i->ra)));
        return true;
    }
    z = vreg(t, i->ra);
    if (op == IR_fnmadd || op == IR_fmsub) {
        z = vop2(t, IR_vxor, 0, z, sign_bits(t, LANE_16));
    }
    ir_put(t->b, GVAR_V + i->rd,
        fp_lanes(
            t, &vector[negates_product], FORM_SCALAR, LANE_16, vreg(t, i->rn), vreg(t, i->rm), z));
    return true;
}

/* The IR's names are of RISC-V: ARM's FMSUB negates the product, which is fnmsub there, and so on. */
bool a64_f_fmadd(A64Translator *t, const A64F4 *i)
{
    return fused4(t, i, IR_fmadd);
}

bool a64_f_fmsub(A64Translator *t, const A64F4 *i)
{
    return fused4(t, i, IR_fnmsub);
}

bool a64_f_fnmadd(A64Translator *t, const A64F4 *i)
{
    return fused4(t, i, IR_fnmadd);
}

bool a64_f_fnmsub(A64Translator *t, const A64F4 *i)
{
    return fused4(t, i, IR_fmsub);
}

/* ---- by element ------------------------------------------------------------------------------- */

static bool is_vector_x(const A64Vx *i)
{
    return is_vector(i->form, i->size);
}

bool a64_v_fmul_x(A64Translator *t, const A64Vx *i)
{
    if (!is_vector_x(i)) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size),
        fp_lanes(t, &op_mul, i->form, i->size, operand(t, i->form, i->rn), element(t, i), NO_VAL));
    return true;
}

bool a64_v_fmla_x(A64Translator *t, const A64Vx *i)
{
    return is_vector_x(i) &&
        fused_lanes(
            t, &op_madd, i->form, i->size, i->rd, operand(t, i->form, i->rn), element(t, i));
}

bool a64_v_fmls_x(A64Translator *t, const A64Vx *i)
{
    return is_vector_x(i) &&
        fused_lanes(
            t, &op_nmsub, i->form, i->size, i->rd, operand(t, i->form, i->rn), element(t, i));
}

/* ---- pairs, and across the lanes -------------------------------------------------------------- */

static bool fp_pairs(A64Translator *t, const A64V3 *i, const FpOp *op)
{
    Val x = vreg(t, i->rn), y = vreg(t, i->rm);

    if (!is_vector(i->form, i->size)) {
        return false;
    }
    if (i->form == FORM_LOW) {
        x = vop2(t, IR_vziplo, LANE_64, x, y);
        y = x;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size),
        fp_lanes(t, op, i->form, i->size, vop2(t, IR_veven, i->size, x, y),
            vop2(t, IR_vodd, i->size, x, y), NO_VAL));
    return true;
}

/* Lanes 0 and 1 of rn. */
static bool fp_pair(A64Translator *t, const A64V2 *i, const FpOp *op)
{
    Val x = vreg(t, i->rn);

    ir_put(t->b, GVAR_V + i->rd,
        fp_lanes(t, op, FORM_SCALAR, i->size, x, vop1(t, IR_vduplane, i->size, 1, x), NO_VAL));
    return true;
}

/* Pairs of neighbours until one is left: the order of the manual's Reduce(). */
static bool fp_across(A64Translator *t, const A64V2 *i, const FpOp *op)
{
    Val x = operand(t, i->form, i->rn);

    for (unsigned left = form_bytes(i->form, i->size) >> i->size; left > 1; left /= 2) {
        x = fp_lanes(t, op, left > 2 ? FORM_FULL : FORM_SCALAR, i->size,
            vop2(t, IR_veven, i->size, x, x), vop2(t, IR_vodd, i->size, x, x), NO_VAL);
    }
    ir_put(t->b, GVAR_V + i->rd, x);
    return true;
}

/* clang-format off */
#define FP_PAIRS(name, op) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return fp_pairs(t, i, &op); } \
    bool a64_v_##name##_pair(A64Translator *t, const A64V2 *i) { return fp_pair(t, i, &op); }
#define FP_ACROSS(name, op) \
    bool a64_v_##name(A64Translator *t, const A64V2 *i) { return fp_across(t, i, &op); }

FP_PAIRS(faddp, op_add)
FP_PAIRS(fmaxp, op_max)
FP_PAIRS(fminp, op_min)
FP_PAIRS(fmaxnmp, op_maxnm)
FP_PAIRS(fminnmp, op_minnm)
FP_ACROSS(fmaxv, op_max)
FP_ACROSS(fminv, op_min)
FP_ACROSS(fmaxnmv, op_maxnm)
FP_ACROSS(fminnmv, op_minnm)
/* clang-format on */

/* ---- comparisons to masks --------------------------------------------------------------------- */

static bool compare_lanes(
    A64Translator *t, unsigned cond, unsigned form, unsigned size, unsigned rd, Val x, Val y)
{
    uint8_t aux = (uint8_t)(fp_rules(t, size) & ~(unsigned)FP_ROUND);

    if (!is_vector(form, size)) {
        return false;
    }
    set_vreg(t, rd, form_bytes(form, size),
        ir_aux(t->b, IR_vfcmp, V128, aux, lanes(form, size, cond), x, y, NO_VAL));
    return true;
}

enum {
    CMP_EQUAL = FP_EQ,
    CMP_LESS = FP_LT | FP_SIGNALLING,
    CMP_LESS_EQUAL = FP_LE | FP_SIGNALLING,
};

/* y cond x, for ARM says "greater". */
static bool compare(A64Translator *t, const A64V3 *i, unsigned cond, bool of_absolutes)
{
    Val x = operand(t, i->form, i->rn), y = operand(t, i->form, i->rm);

    if (of_absolutes) {
        x = vabs(t, i->size, x);
        y = vabs(t, i->size, y);
    }
    return compare_lanes(t, cond, i->form, i->size, i->rd, y, x);
}

static bool compare_zero(A64Translator *t, const A64V2 *i, unsigned cond, bool zero_first)
{
    Val x = operand(t, i->form, i->rn), zero = vzero(t);

    return compare_lanes(
        t, cond, i->form, i->size, i->rd, zero_first ? zero : x, zero_first ? x : zero);
}

/* clang-format off */
#define FP_COMPARE(name, cond, absolutes) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) { return compare(t, i, cond, absolutes); }
#define FP_COMPARE0(name, cond, zero_first) \
    bool a64_v_##name(A64Translator *t, const A64V2 *i) { return compare_zero(t, i, cond, zero_first); }

FP_COMPARE(fcmeq, CMP_EQUAL, false)
FP_COMPARE(fcmge, CMP_LESS_EQUAL, false)
FP_COMPARE(fcmgt, CMP_LESS, false)
FP_COMPARE(facge, CMP_LESS_EQUAL, true)
FP_COMPARE(facgt, CMP_LESS, true)
FP_COMPARE0(fcmeq0, CMP_EQUAL, false)
FP_COMPARE0(fcmge0, CMP_LESS_EQUAL, true)
FP_COMPARE0(fcmgt0, CMP_LESS, true)
FP_COMPARE0(fcmle0, CMP_LESS_EQUAL, false)
FP_COMPARE0(fcmlt0, CMP_LESS, false)
/* clang-format on */

/* ---- comparisons to flags --------------------------------------------------------------------- */

/*
 * A scalar of any size as a float. A half is converted, which changes nothing that a comparison sees; if it may have to
 * be flushed, the maximum of it and itself does that.
 */
static Val compared(A64Translator *t, unsigned size, unsigned n)
{
    Val v = vreg(t, n);

    if (size != LANE_16) {
        return freg(t, size, n);
    }
    if (t->mode & MODE_FP_FLUSH16) {
        v = fp_lanes(t, &op_max, FORM_SCALAR, LANE_16, v, v, NO_VAL);
    }
    return ir_aux(
        t->b, IR_htof, F32, FP_RNE | FP_NAN_FIRST, 0, vget(t, LANE_16, 0, v), NO_VAL, NO_VAL);
}

static Val fp_zero(A64Translator *t, unsigned size)
{
    IrType type = size == LANE_64 ? F64 : F32;

    return ir_const(t->b, type, 0);
}

/* NZCV of a comparison in bits 31 to 28: FPCompare() of the manual. One digit of a table for each order. */
static Val compare_flags(A64Translator *t, unsigned size, unsigned signalling, Val x, Val y)
{
    static const uint64_t digits = (uint64_t)(NZCV_Z | NZCV_C) << 4 * FP_ORDER_EQUAL |
        (uint64_t)NZCV_N << 4 * FP_ORDER_LESS | (uint64_t)NZCV_C << 4 * FP_ORDER_GREATER |
        (uint64_t)(NZCV_C | NZCV_V) << 4 * FP_ORDER_NONE;
    IrType type = size == LANE_64 ? F64 : F32;
    uint8_t flush = t->mode & MODE_FP_FLUSH && size != LANE_16 ? (uint8_t)FP_FLUSH : 0;
    Val order = ir_aux(t->b, IR_forder, type, (uint8_t)(signalling | flush), 0, x, y, NO_VAL);
    Val count = ir_op2_const(t->b, IR_shl, I64, ir_zext32(t->b, order), 2);
    Val digit = ir_op2(t->b, IR_shr, I64, ir_const(t->b, I64, digits << NZCV_SHIFT), count);

    return ir_op2_const(t->b, IR_and, I64, digit, UINT64_C(15) << NZCV_SHIFT);
}

/* Operands that may be flushed are not kept: the flags are computed at once. */
static bool fcmp(A64Translator *t, const A64Fcmp *i, bool with_zero, unsigned signalling)
{
    IrType type = i->size == LANE_64 ? F64 : F32;
    Val x = compared(t, i->size, i->rn);
    Val y = with_zero ? fp_zero(t, i->size) : compared(t, i->size, i->rm);

    if (t->mode & MODE_FP_FLUSH) {
        set_nzcv(t, compare_flags(t, i->size, signalling, x, y));
        return true;
    }
    ir_aux(t->b, IR_fcmp, type, (uint8_t)(FP_LT | signalling), 0, x, y, NO_VAL); /* may raise */
    set_float_flags(t, type, x, y);
    return true;
}

bool a64_f_fcmp(A64Translator *t, const A64Fcmp *i)
{
    return fcmp(t, i, false, 0);
}

bool a64_f_fcmp0(A64Translator *t, const A64Fcmp *i)
{
    return fcmp(t, i, true, 0);
}

bool a64_f_fcmpe(A64Translator *t, const A64Fcmp *i)
{
    return fcmp(t, i, false, FP_SIGNALLING);
}

bool a64_f_fcmpe0(A64Translator *t, const A64Fcmp *i)
{
    return fcmp(t, i, true, FP_SIGNALLING);
}

/* The comparison raises flags only when the condition is true, so it is jumped over when not. */
static bool fccmp(A64Translator *t, const A64Fccmp *i, unsigned signalling)
{
    unsigned skip = ir_label_new(t->b);
    Val holds = condition(t, i->cond);
    Val nzcv;

    ir_put(t->b, GVAR_SCRATCH, ir_const(t->b, I64, (uint64_t)(uint32_t)i->nzcv << NZCV_SHIFT));
    ir_brcond(t->b, skip, EQ, holds, ir_const(t->b, I32, 0));
    nzcv = compare_flags(
        t, i->size, signalling, compared(t, i->size, i->rn), compared(t, i->size, i->rm));
    ir_put(t->b, GVAR_SCRATCH, nzcv);
    ir_label(t->b, skip);
    set_nzcv(t, ir_get(t->b, GVAR_SCRATCH));
    return true;
}

bool a64_f_fccmp(A64Translator *t, const A64Fccmp *i)
{
    return fccmp(t, i, 0);
}

bool a64_f_fccmpe(A64Translator *t, const A64Fccmp *i)
{
    return fccmp(t, i, FP_SIGNALLING);
}

bool a64_f_fcsel(A64Translator *t, const A64Fcsel *i)
{
    IrType type = i->size == LANE_64 ? I64 : I32;
    Val yes = vget(t, i->size, 0, vreg(t, i->rn)), no = vget(t, i->size, 0, vreg(t, i->rm));
    Val chosen = ir_select(t->b, condition(t, i->cond), yes, no);

    ir_put(t->b, GVAR_V + i->rd, vset(t, type == I64 ? LANE_64 : LANE_32, 0, vzero(t), chosen));
    return true;
}

/* ---- moves ------------------------------------------------------------------------------------ */

bool a64_f_fmov(A64Translator *t, const A64V2 *i)
{
    set_vreg(t, i->rd, 1u << i->size, vreg(t, i->rn));
    return true;
}

bool a64_f_fmov_to_w(A64Translator *t, const A64V2 *i)
{
    set_reg(t, 0, i->rd, vget(t, i->size, 0, vreg(t, i->rn)));
    return true;
}

bool a64_f_fmov_to_x(A64Translator *t, const A64V2 *i)
{
    Val value = vget(t, i->size, 0, vreg(t, i->rn));

    set_reg(t, 1, i->rd, i->size == LANE_64 ? value : ir_zext32(t->b, value));
    return true;
}

bool a64_f_fmov_from(A64Translator *t, const A64V2 *i)
{
    ir_put(t->b, GVAR_V + i->rd, vset(t, i->size, 0, vzero(t), xreg(t, i->rn)));
    return true;
}

bool a64_f_fmov_to_top(A64Translator *t, const A64V2 *i)
{
    ir_put(t->b, GVAR_V + i->rd, vset(t, LANE_64, 1, vreg(t, i->rd), xreg(t, i->rn)));
    return true;
}

bool a64_f_fmov_from_top(A64Translator *t, const A64V2 *i)
{
    set_reg(t, 1, i->rd, vget(t, LANE_64, 1, vreg(t, i->rn)));
    return true;
}

/* VFPExpandImm() of the manual. */
uint64_t a64_fp_constant(unsigned size, unsigned imm8)
{
    static const uint8_t exponent_bits[] = { [LANE_16] = 5, [LANE_32] = 8, [LANE_64] = 11 };
    unsigned e = exponent_bits[size], fraction_bits = (8u << size) - 1 - e;
    uint64_t sign = imm8 >> 7, high = imm8 >> 6 & 1, ones = (UINT64_C(1) << (e - 3)) - 1;
    uint64_t exponent = (high ^ 1) << (e - 1) | (high ? ones << 2 : 0) | (imm8 >> 4 & 3);

    return sign << ((8u << size) - 1) | exponent << fraction_bits |
        (uint64_t)(imm8 & 15) << (fraction_bits - 4);
}

bool a64_f_fmov_imm(A64Translator *t, const A64Fimm *i)
{
    ir_put(t->b, GVAR_V + i->rd, ir_vconst(t->b, a64_fp_constant(i->size, i->imm8), 0));
    return true;
}

/* ---- conversions ------------------------------------------------------------------------------ */

bool a64_f_fcvt(A64Translator *t, const A64Fc *i)
{
    uint8_t aux = (uint8_t)fp_dynamic(t, LANE_32);
    Val value;

    if (i->from == LANE_16 || i->to == LANE_16) {
        return simd_help(t, SIMD_fcvt,
            (A64Operands){
                .rd = i->rd, .rn = i->rn, .size = i->from, .form = FORM_SCALAR, .imm = i->to });
    }
    value = ir_aux(
        t->b, IR_fcvt, float_type(i->to), aux, 0, freg(t, i->from, i->rn), NO_VAL, NO_VAL);
    set_freg(t, i->rd, value);
    return true;
}

/* To an integer register. Halves go by the helper. */
static bool to_integer(A64Translator *t, const A64Fi *i, unsigned round, unsigned is_unsigned)
{
    uint8_t aux = (uint8_t)(fp_rules(t, i->size) | round);

    if (i->size == LANE_16) {
        return simd_help_to_x(t, is_unsigned ? SIMD_fcvtu_x : SIMD_fcvts_x, i->sf,
            (A64Operands){ .rd = i->rd, .rn = i->rn, .size = i->size, .imm = (int32_t)round });
    }
    set_reg(t, i->sf, i->rd,
        ir_aux(t->b, IR_ftoi, type_of_sf(i->sf), aux, (int32_t)is_unsigned, freg(t, i->size, i->rn),
            NO_VAL, NO_VAL));
    return true;
}

static bool from_integer(A64Translator *t, const A64Fi *i, unsigned is_unsigned)
{
    if (i->size == LANE_16) {
        return simd_help_from_x(t, is_unsigned ? SIMD_ucvtf_x : SIMD_scvtf_x, i->sf,
            (A64Operands){ .rd = i->rd, .rn = i->rn, .size = i->size });
    }
    set_freg(t, i->rd,
        ir_aux(t->b, IR_itof, float_type(i->size), (uint8_t)fp_dynamic(t, i->size),
            (int32_t)is_unsigned, reg(t, i->sf, i->rn), NO_VAL, NO_VAL));
    return true;
}

/* Lanes to integers of their size. */
static bool lanes_to_integer(A64Translator *t, const A64V2 *i, unsigned round, unsigned is_unsigned)
{
    uint8_t aux = (uint8_t)(fp_rules(t, i->size) | round);

    if (!is_vector(i->form, i->size)) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size),
        ir_aux(t->b, IR_vftoi, V128, aux, lanes(i->form, i->size, is_unsigned),
            operand(t, i->form, i->rn), NO_VAL, NO_VAL));
    return true;
}

static bool lanes_from_integer(A64Translator *t, const A64V2 *i, unsigned is_unsigned)
{
    if (!is_vector(i->form, i->size)) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size),
        ir_aux(t->b, IR_vitof, V128, (uint8_t)fp_dynamic(t, i->size),
            lanes(i->form, i->size, is_unsigned), operand(t, i->form, i->rn), NO_VAL, NO_VAL));
    return true;
}

/* clang-format off */
#define TO_INTEGER(name, round, is_unsigned) \
    bool a64_f_##name(A64Translator *t, const A64Fi *i) { return to_integer(t, i, round, is_unsigned); } \
    bool a64_v_##name(A64Translator *t, const A64V2 *i) { return lanes_to_integer(t, i, round, is_unsigned); }
#define FROM_INTEGER(name, is_unsigned) \
    bool a64_f_##name(A64Translator *t, const A64Fi *i) { return from_integer(t, i, is_unsigned); } \
    bool a64_v_##name(A64Translator *t, const A64V2 *i) { return lanes_from_integer(t, i, is_unsigned); }

TO_INTEGER(fcvtns, FP_RNE, 0)
TO_INTEGER(fcvtnu, FP_RNE, 1)
TO_INTEGER(fcvtps, FP_RUP, 0)
TO_INTEGER(fcvtpu, FP_RUP, 1)
TO_INTEGER(fcvtms, FP_RDN, 0)
TO_INTEGER(fcvtmu, FP_RDN, 1)
TO_INTEGER(fcvtzs, FP_RTZ, 0)
TO_INTEGER(fcvtzu, FP_RTZ, 1)
TO_INTEGER(fcvtas, FP_RMM, 0)
TO_INTEGER(fcvtau, FP_RMM, 1)
FROM_INTEGER(scvtf, 0)
FROM_INTEGER(ucvtf, 1)
/* clang-format on */

/* With bits behind the point: 64 - scale of them. */
static bool fixed_point(A64Translator *t, A64SimdOp op, const A64Ff *i, bool to_x)
{
    const A64Operands o = {
        .rd = i->rd, .rn = i->rn, .size = i->size, .shift = 64 - i->scale, .imm = FP_RTZ
    };

    if (!i->sf && i->scale < 32) {
        return false;
    }
    return to_x ? simd_help_to_x(t, op, i->sf, o) : simd_help_from_x(t, op, i->sf, o);
}

bool a64_f_fcvtzs_fix(A64Translator *t, const A64Ff *i)
{
    return fixed_point(t, SIMD_fcvts_x, i, true);
}

bool a64_f_fcvtzu_fix(A64Translator *t, const A64Ff *i)
{
    return fixed_point(t, SIMD_fcvtu_x, i, true);
}

bool a64_f_scvtf_fix(A64Translator *t, const A64Ff *i)
{
    return fixed_point(t, SIMD_scvtf_x, i, false);
}

bool a64_f_ucvtf_fix(A64Translator *t, const A64Ff *i)
{
    return fixed_point(t, SIMD_ucvtf_x, i, false);
}

/* To lanes of half the size; FORM_FULL: into the upper half. size is that of the narrow lanes. */
bool a64_v_fcvtn(A64Translator *t, const A64V2 *i)
{
    Val x = vreg(t, i->rn);

    if (i->size == LANE_16) {
        return simd_help_narrow(t, i);
    }
    set_half(t, i->rd, i->form,
        ir_aux(
            t->b, IR_vfnarrow, V128, (uint8_t)fp_dynamic(t, LANE_32), i->size + 1, x, x, NO_VAL));
    return true;
}

bool a64_v_fcvtl(A64Translator *t, const A64V2 *i)
{
    if (i->size == LANE_16) {
        return simd_help_widen(t, i);
    }
    ir_put(t->b, GVAR_V + i->rd,
        ir_aux(t->b, IR_vfwiden, V128, (uint8_t)fp_dynamic(t, LANE_32),
            lanes(FORM_FULL, i->size, i->form == FORM_FULL), vreg(t, i->rn), NO_VAL, NO_VAL));
    return true;
}
