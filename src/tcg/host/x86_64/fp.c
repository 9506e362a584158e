/*
 * Floating point. The MXCSR holds the guest's rounding mode and collects its flags; all exceptions are
 * masked. The host's results and flags are those of IEEE 754 with tininess after rounding, as RISC-V wants
 * them; what differs is
 *  - the NaN: every NaN result is replaced by the default NaN, out of line; or where the rule is another, soft
 *    float does the operation again;
 *  - tininess before rounding: what was tiny and is not after rounding has become the least normal number, so
 *    soft float looks at all of those. Sums are never tiny and inexact at once;
 *  - 0 * inf + NaN, minimum, maximum and conversions out of range: soft float looks at them, out of line;
 *  - roundings that the MXCSR does not hold now: soft float in place of the operation.
 */
#include "tcg/fp.h"
#include "tcg/host/x86_64/regs.h"

static bool is_double(IrType type)
{
    return type == F64;
}

/* The prefix that makes an opcode scalar, of this type. */
static unsigned scalar(unsigned opcode, IrType type)
{
    return opcode | (is_double(type) ? PREFIX_F2 << 10 | EVEX_W : PREFIX_F3 << 10);
}

/* ucomis and packed logic: 66 for f64. */
static unsigned packed(unsigned opcode, IrType type)
{
    return opcode | (is_double(type) ? PREFIX_66 << 10 | EVEX_W : 0);
}

static Rm sign_mask(IrType type)
{
    return is_double(type) ? AREA(sign64) : AREA(sign32);
}

static Rm magnitude_mask(IrType type)
{
    return is_double(type) ? AREA(magnitude64) : AREA(magnitude32);
}

static void vector(Gen *g, unsigned opcode, unsigned d, unsigned second, Rm rm)
{
    v_op(&g->code, g->level, opcode, false, d, second, rm);
}

static void ucomis(Gen *g, unsigned opcode, IrType type, unsigned a, Rm b)
{
    vector(g, packed(opcode, type), a, NO_REG, b);
}

/* Can the host do it: rounding as the MXCSR has it, or without any. */
static bool rounds_natively(const IrInsn *op, bool exact)
{
    return !(op->aux & FP_FLUSH) && (exact || (op->aux & FP_ROUND) == FP_DYN);
}

/* ---- soft float ----------------------------------------------------------------------------------- */

static uint32_t key_of(const Gen *g, const IrInsn *op)
{
    return fp_key(op->op, op->type, op->aux, op->imm, gen_type(g, op->a));
}

static void call_soft(Gen *g, uint32_t key, IrType type, unsigned result)
{
    Code *c = &g->code;

    x_store_imm(c, 2, ENV(call[3]), (int32_t)key);
    x_call(c, g->area->thunk[THUNK_SOFT]);
    if (class_of(type) == GENERAL) {
        x_op(c, OP_MOV, type == I64, result, ENV(call[0]));
    } else {
        vector(g, scalar(OPCODE(1, 0, 0x10), type), result, NO_REG, ENV(call[0]));
    }
}

static void late_soft(Gen *g, const Late *l)
{
    for (unsigned n = 0; n < 3; n++) {
        late_argument(g, &l->operand[n], n, NO_REG);
    }
    call_soft(g, l->key, l->type, l->result);
    x_jump(&g->code, l->back + g->code.to_exec);
}

static IrType result_type(const IrInsn *op)
{
    return ir_is_comparison(op->op) ? I32 : op->type;
}

static Value in_reg(IrType type, unsigned reg)
{
    return (Value){ .kind = VALUE_AT, .type = type, .rm = rm_reg(reg) };
}

/* For a soft operation out of line, of operands in these registers (NO_REG: there is none). */
static Late *soft_later(Gen *g, const IrInsn *op, unsigned a, unsigned b, unsigned c)
{
    Late *late = gen_late(g, late_soft);
    const unsigned regs[] = { a, b, c };

    for (unsigned n = 0; n < 3; n++) {
        if (regs[n] != NO_REG) {
            late->operand[n] = in_reg(gen_type(g, op->a), regs[n]);
        }
    }
    late->key = key_of(g, op);
    late->type = result_type(op);
    return late;
}

/* In place of an operation. */
static void soft(Gen *g, const IrInsn *op)
{
    const uint16_t operands[] = { op->a, op->b, op->c };
    Value value;

    for (unsigned n = 0; n < 3; n++) {
        if (operands[n]) {
            value = in_reg(gen_type(g, operands[n]), reg_use(g, operands[n]));
            late_argument(g, &value, n, NO_REG);
        }
    }
    g->locked[VECTOR] = g->locked[GENERAL] = 0;
    call_soft(g, key_of(g, op), result_type(op), reg_define_over(g, op->dst, 0));
}

void emit_fsoft(Gen *g, const IrInsn *op, unsigned detail)
{
    soft(g, op);
}

/* ---- the default NaN ------------------------------------------------------------------------------- */

static void load_nan(Gen *g, IrType type, unsigned d)
{
    if (is_double(type)) {
        vector(g, VOP_MOVSD, d, NO_REG, AREA(nan64));
    } else {
        vector(g, VOP_MOVSS, d, NO_REG, AREA(nan32));
    }
}

/* Is a NaN result what the host makes of a single NaN operand? */
static bool keeps_nan(const IrInsn *op)
{
    return (op->aux & FP_NAN_RULE) == FP_NAN_FIRST;
}

static void late_nan(Gen *g, const Late *l)
{
    load_nan(g, l->type, l->result);
    x_jump(&g->code, l->back + g->code.to_exec);
}

/* A NaN in d becomes the default NaN. Comparing a quiet NaN raises nothing. */
static void check_nan(Gen *g, IrType type, unsigned d)
{
    Late *late = gen_late(g, late_nan);

    ucomis(g, VOP_UCOMIS, type, d, rm_reg(d));
    late->from = x_jump_if(&g->code, COND_P, NULL);
    late->back = g->code.p;
    late->result = d;
    late->type = type;
}

/* ---- other NaNs, and tininess before rounding ------------------------------------------------------ */

/* Is it more than a default NaN that can differ? */
static bool needs_care(const IrInsn *op)
{
    return op->aux & (FP_NAN_RULE | FP_TINY_BEFORE);
}

/* Can a tiny result be inexact? */
static bool may_underflow(const IrInsn *op)
{
    return op->op != IR_fadd && op->op != IR_fsub && op->op != IR_fsqrt;
}

/*
 * Goes to `late` for a NaN in d, and for a least normal number where it may have been tiny: both compare as
 * equal or unordered with that, which is one flag.
 */
static void check_with_care(Gen *g, const IrInsn *op, unsigned d, Late *late)
{
    bool is_f64 = is_double(op->type);
    unsigned magnitude;

    if (!(op->aux & FP_TINY_BEFORE) || !may_underflow(op)) {
        ucomis(g, VOP_UCOMIS, op->type, d, rm_reg(d));
        late->from = x_jump_if(&g->code, COND_P, NULL);
    } else {
        magnitude = reg_scratch(g, VECTOR);
        if (g->level == VECTOR_SSE) {
            vector(g, VOP_MOVAPS, magnitude, NO_REG, rm_reg(d));
        }
        vector(g, VOP_AND, magnitude, d, magnitude_mask(op->type));
        ucomis(g, VOP_UCOMIS, op->type, magnitude, is_f64 ? AREA(normal64) : AREA(normal32));
        late->from = x_jump_if(&g->code, COND_E, NULL);
    }
    late->back = g->code.p;
    late->result = d;
}

/* Of one operand: with SSE the result's old neighbours stay. */
static bool keeps_alone(const Gen *g, const IrInsn *op)
{
    return g->level != VECTOR_SSE && reg_is_alone(g, op->a);
}

/*
 * The operands stay where they are, for soft float. What is above the result is what was above the first, so one
 * that is alone is better.
 */
static void careful2(Gen *g, const IrInsn *op, unsigned opcode)
{
    bool swaps = ir_op_effects[op->op] & COMMUTES && !reg_is_alone(g, op->a);
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), d;

    g->alone = reg_is_alone(g, swaps ? op->b : op->a);
    d = reg_define(g, op->dst);
    if (g->level == VECTOR_SSE) {
        vector(g, VOP_MOVAPS, d, NO_REG, rm_reg(swaps ? b : a));
    }
    vector(g, opcode, d, swaps ? b : a, rm_reg(swaps ? a : b));
    check_with_care(g, op, d, soft_later(g, op, a, b, NO_REG));
}

/* ---- arithmetic ------------------------------------------------------------------------------------ */

/* d = a op b. Gives d. With SSE d starts as a, so it must not be b. */
static unsigned three(Gen *g, const IrInsn *op, unsigned opcode)
{
    Rm b = reg_rm(g, op->b);
    unsigned a, d;

    if (g->level == VECTOR_SSE) {
        d = reg_define_from(g, op->dst, op->a, op->a == op->b ? 0 : rm_bit(b));
        a = d;
    } else {
        a = reg_use(g, op->a);
        d = reg_define_over(g, op->dst, op->a);
    }
    vector(g, opcode, d, a, b);
    return d;
}

/* detail: Opcode. */
void emit_fp2(Gen *g, const IrInsn *op, unsigned detail)
{
    if (!rounds_natively(op, false)) {
        soft(g, op);
        return;
    }
    if (needs_care(op)) {
        careful2(g, op, scalar(detail, op->type));
    } else {
        check_nan(g, op->type, three(g, op, scalar(detail, op->type)));
    }
}

void emit_fsqrt(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d;

    if (!rounds_natively(op, false)) {
        soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    g->alone = keeps_alone(g, op);
    d = needs_care(op) ? reg_define(g, op->dst) : reg_define_over(g, op->dst, op->a);
    vector(g, scalar(VOP_SQRT, op->type), d, a, rm_reg(a));
    if (needs_care(op)) {
        check_with_care(g, op, d, soft_later(g, op, a, NO_REG, NO_REG));
    } else {
        check_nan(g, op->type, d);
    }
}

/* The addend is the NaN of choice: soft float must have it, but there may be no register left to keep it in. */
static void careful_fma(Gen *g, const IrInsn *op, unsigned opcode)
{
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), c = reg_find(g, op->c), d;
    Late *late;
    Value addend;

    g->alone = reg_is_alone(g, op->c);
    if (c != NO_REG && !reg_is_scratch(VECTOR, c)) {
        reg_use(g, op->c);
        d = reg_define(g, op->dst);
        vector(g, VOP_MOVAPS, d, NO_REG, rm_reg(c));
    } else {
        c = NO_REG;
        d = reg_define_from(g, op->dst, op->c, 1u << a | 1u << b);
        addend = in_reg(op->type, d);
        late_argument(g, &addend, 2, NO_REG);
    }
    v_op(&g->code, g->level, opcode, is_double(op->type), d, a, rm_reg(b));
    late = soft_later(g, op, a, b, c);
    check_with_care(g, op, d, late);
}

/*
 * detail: Opcode. The sum is made in c's place. The host does not raise invalid for 0 * inf + quiet NaN,
 * so soft float looks at every NaN; it needs a and b, and of c only that it was a NaN.
 */
void emit_fma(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;
    Late *late;

    if (!rounds_natively(op, false) || !g->area->features.fma) {
        soft(g, op);
        return;
    }
    if (needs_care(op)) {
        careful_fma(g, op, detail);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    d = reg_define_from(g, op->dst, op->c, 1u << a | 1u << b);
    v_op(&g->code, g->level, detail, is_double(op->type), d, a, rm_reg(b));
    ucomis(g, VOP_UCOMIS, op->type, d, rm_reg(d));
    late = soft_later(g, op, a, b, d);
    late->from = x_jump_if(&g->code, COND_P, NULL);
    late->back = g->code.p;
    late->result = d;
}

/* Equal operands: equal bits, or zeroes of either sign. */
static void late_equal(Gen *g, const Late *l)
{
    vector(g, l->key, l->result, l->operand[0].rm.base, l->operand[1].rm);
    x_jump(&g->code, l->back + g->code.to_exec);
}

/* detail: VOP_MIN or VOP_MAX; the host's give b for NaNs and for zeroes. */
void emit_fminmax(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned b = reg_use(g, op->b), a = reg_use(g, op->a), d;
    Late *nan, *equal;

    if (op->aux & FP_FLUSH) {
        soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    if (g->level == VECTOR_SSE) {
        vector(g, VOP_MOVAPS, d, NO_REG, rm_reg(a));
    }
    ucomis(g, VOP_UCOMIS, op->type, a, rm_reg(b));
    nan = soft_later(g, op, a, b, NO_REG);
    nan->from = x_jump_if(&g->code, COND_P, NULL);
    equal = gen_late(g, late_equal);
    equal->operand[0].rm = rm_reg(a);
    equal->operand[1].rm = rm_reg(b);
    equal->key = packed(detail == VOP_MIN ? VOP_OR : VOP_AND, op->type);
    equal->from = x_jump_if(&g->code, COND_E, NULL);
    vector(g, scalar(detail, op->type), d, a, rm_reg(b));
    nan->back = equal->back = g->code.p;
    nan->result = equal->result = d;
}

/* ---- comparisons ---------------------------------------------------------------------------------- */

/* Equal and not unordered: two flags. */
static void compare_equal(Gen *g, const IrInsn *op, unsigned opcode)
{
    unsigned a = reg_use(g, op->a), d, zero;
    Rm b = reg_rm(g, op->b);

    d = reg_define(g, op->dst);
    zero = reg_scratch(g, GENERAL);
    x_alu(&g->code, ALU_XOR, false, d, rm_reg(d));
    x_alu(&g->code, ALU_XOR, false, zero, rm_reg(zero));
    ucomis(g, opcode, op->type, a, b);
    x_set_cond(&g->code, COND_NP, d);
    x_cmov(&g->code, COND_NE, false, d, rm_reg(zero));
}

/* Carry: less or not ordered; parity: not ordered. */
void emit_forder(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    unsigned a, d, more;
    Rm b;

    if (op->aux & FP_FLUSH) {
        soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_rm(g, op->b);
    d = reg_define(g, op->dst);
    more = reg_scratch(g, GENERAL);
    x_alu(c, ALU_XOR, false, d, rm_reg(d));
    x_alu(c, ALU_XOR, false, more, rm_reg(more));
    ucomis(g, op->aux & FP_SIGNALLING ? VOP_COMIS : VOP_UCOMIS, op->type, a, b);
    x_set_cond(c, COND_B, d);
    x_set_cond(c, COND_A, more);
    x_op(c, OP_LEA, false, d, rm_index(d, more, 1, 0)); /* keeps the flags */
    x_set_cond(c, COND_P, more);
    x_op(c, OP_LEA, false, d, rm_index(d, more, 1, 0));
}

void emit_fcmp(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned opcode = op->aux & FP_SIGNALLING ? VOP_COMIS : VOP_UCOMIS;
    FpCond cond = op->aux & FP_COND;
    bool swap = cond == FP_LT || cond == FP_LE; /* above and not below are false for NaNs */
    unsigned x, d;
    Rm y;

    if (op->aux & FP_FLUSH) {
        soft(g, op);
        return;
    }
    if (cond == FP_EQ) {
        compare_equal(g, op, opcode);
        return;
    }
    x = reg_use(g, swap ? op->b : op->a);
    y = reg_rm(g, swap ? op->a : op->b);
    d = reg_define(g, op->dst);
    x_alu(&g->code, ALU_XOR, false, d, rm_reg(d));
    ucomis(g, opcode, op->type, x, y);
    x_set_cond(&g->code, cond == FP_LT ? COND_A : cond == FP_LE ? COND_AE : COND_P, d);
}

/* ---- conversions ---------------------------------------------------------------------------------- */

/* EVEX.W is the width of the general register here. */
static unsigned converting(unsigned opcode, IrType type)
{
    return scalar(opcode, type) & ~EVEX_W;
}

void emit_fcvt(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d;

    if (!rounds_natively(op, op->type == F64)) {
        soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    g->alone = op->type == F64 && keeps_alone(g, op);
    d = needs_care(op) ? reg_define(g, op->dst) : reg_define_over(g, op->dst, op->a);
    vector(g, scalar(VOP_CVTSS_SD, gen_type(g, op->a)), d, a, rm_reg(a));
    if (!needs_care(op)) {
        check_nan(g, op->type, d);
    } else if (op->type == F32 || !keeps_nan(op)) {
        check_with_care(g, op, d, soft_later(g, op, a, NO_REG, NO_REG));
    }
}

/* roundss and roundsd: the mode, or 4 for the MXCSR's; 8: inexact is not raised. */
enum { ROUND_BY_MXCSR = 4, ROUND_QUIETLY = 8 };

/* -1: the host does not have it. */
static int host_rounding(const IrInsn *op)
{
    static const int8_t modes[] = {
        [FP_RNE] = 0,
        [FP_RDN] = 1,
        [FP_RUP] = 2,
        [FP_RTZ] = 3,
        [FP_RMM] = -1,
        [5] = -1,
        [6] = -1,
        [FP_DYN] = ROUND_BY_MXCSR,
    };

    return op->aux & FP_FLUSH ? -1 : modes[op->aux & FP_ROUND];
}

static void round_to(Gen *g, IrType type, unsigned d, unsigned a, int mode)
{
    unsigned opcode = is_double(type) ? VOP_ROUNDSD : VOP_ROUNDSS;

    vector(g, opcode, d, g->level == VECTOR_SSE ? NO_REG : a, rm_reg(a));
    *g->code.p++ = (uint8_t)mode;
}

void emit_fround(Gen *g, const IrInsn *op, unsigned detail)
{
    int mode = host_rounding(op);
    unsigned a, d;

    if (mode < 0) {
        soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    g->alone = keeps_alone(g, op);
    d = reg_define_over(g, op->dst, op->a);
    round_to(g, op->type, d, a, mode | (op->imm & 1 ? 0 : ROUND_QUIETLY));
    if (!keeps_nan(op)) {
        check_nan(g, op->type, d);
    }
}

/*
 * Signed: INT_MIN is the host's answer when there is none. Unsigned: by the signed conversion of 64 bits,
 * after a look at the bits, as negative numbers and NaNs are larger than the largest.
 */
static void check_signed(Gen *g, bool wide, unsigned d, Late *late)
{
    x_alu_imm(&g->code, ALU_CMP, wide, rm_reg(d), 1);
    late->from = x_jump_if(&g->code, COND_O, NULL);
}

static void check_unsigned(Gen *g, IrType from, bool wide, unsigned a, Late *late)
{
    static const uint64_t limits[2][2] = {
        /* f32, f64; 32 and 64 bits */
        { 0x4f800000, 0x5f000000 },
        { UINT64_C(0x41efffffffe00000), UINT64_C(0x43e0000000000000) },
    };
    unsigned bits = reg_scratch(g, GENERAL), limit = reg_scratch(g, GENERAL);

    v_op(&g->code, g->level, VOP_MOVD_STORE, is_double(from), a, NO_REG, rm_reg(bits));
    x_mov_imm(&g->code, limit, limits[is_double(from)][wide]);
    x_alu(&g->code, ALU_CMP, is_double(from), bits, rm_reg(limit));
    late->from = x_jump_if(&g->code, COND_AE, NULL);
}

/*
 * By the MXCSR's rounding or by cutting off; in any other mode what was rounded before, quietly, as there is
 * inexact only for what is in range.
 */
void emit_ftoi(Gen *g, const IrInsn *op, unsigned detail)
{
    IrType from = gen_type(g, op->a);
    bool wide = op->type == I64, is_unsigned = op->imm & 1;
    int mode = host_rounding(op);
    bool before = mode >= 0 && (op->aux & FP_ROUND) != FP_RTZ && mode != ROUND_BY_MXCSR;
    unsigned opcode = converting(mode == ROUND_BY_MXCSR ? VOP_CVTSI_OUT : VOP_CVTTSI, from), a, d;
    unsigned x;
    Late *late;

    if (mode < 0) {
        soft(g, op);
        return;
    }
    a = x = reg_use(g, op->a);
    if (before) {
        x = reg_scratch(g, VECTOR);
        round_to(g, from, x, a, mode | ROUND_QUIETLY);
    }
    d = reg_define(g, op->dst);
    late = soft_later(g, op, a, NO_REG, NO_REG);
    late->result = d;
    if (is_unsigned) {
        check_unsigned(g, from, wide, x, late);
    }
    v_op(&g->code, g->level, opcode, wide || is_unsigned, d, NO_REG, rm_reg(x));
    if (!is_unsigned) {
        check_signed(g, wide, d, late);
    }
    if (before) {
        round_to(g, from, x, a, mode);
    }
    late->back = g->code.p;
}

/* The source zero-extended to 64 bits when it is unsigned. */
static unsigned itof_source(Gen *g, const IrInsn *op, bool wide, bool is_unsigned)
{
    unsigned a = reg_use(g, op->a), copy;

    if (wide || !is_unsigned) {
        return a;
    }
    copy = reg_scratch(g, GENERAL);
    x_op(&g->code, OP_MOV, false, copy, rm_reg(a));
    return copy;
}

void emit_itof(Gen *g, const IrInsn *op, unsigned detail)
{
    bool wide = gen_type(g, op->a) == I64, is_unsigned = op->imm & 1;
    bool native = g->level == VECTOR_AVX512;
    unsigned a, d, opcode = VOP_CVTSI;
    Late *late = NULL;

    if (!rounds_natively(op, !wide && op->type == F64)) {
        soft(g, op);
        return;
    }
    a = itof_source(g, op, wide, is_unsigned);
    d = reg_define(g, op->dst);
    if (wide && is_unsigned && native) {
        opcode = VOP_CVTUSI;
    } else if (wide && is_unsigned) {
        late = soft_later(g, op, a, NO_REG, NO_REG);
        late->result = d;
        x_op(&g->code, OP_TEST, true, a, rm_reg(a));
        late->from = x_jump_if(&g->code, COND_S, NULL);
    }
    vector(g, VOP_XOR, d, d, rm_reg(d)); /* else it would wait for d's old value */
    v_op(&g->code, g->level, converting(opcode, op->type), wide || is_unsigned, d, d, rm_reg(a));
    if (late) {
        late->back = g->code.p;
    }
}

/* ---- bits ----------------------------------------------------------------------------------------- */

/* d = a op mask. */
static unsigned with_mask(Gen *g, const IrInsn *op, unsigned opcode, Rm mask)
{
    unsigned a, d;

    if (g->level == VECTOR_SSE) {
        a = d = reg_define_from(g, op->dst, op->a, 0);
    } else {
        a = reg_use(g, op->a);
        d = reg_define_over(g, op->dst, op->a);
    }
    vector(g, opcode, d, a, mask);
    return d;
}

/* fneg, fabs; detail: VOP_XOR, VOP_AND. */
void emit_fsign(Gen *g, const IrInsn *op, unsigned detail)
{
    with_mask(g, op, detail, detail == VOP_XOR ? sign_mask(op->type) : magnitude_mask(op->type));
}

enum { SIGN_OF_B, SIGN_OF_NOT_B, SIGN_XOR };

void emit_fsgnj(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned sign = reg_scratch(g, VECTOR), b = reg_use(g, op->b), d;

    vector(g, VOP_MOVAPS, sign, NO_REG, rm_reg(b));
    vector(g, op->aux == SIGN_OF_NOT_B ? VOP_ANDN_PS : VOP_AND, sign, sign, sign_mask(op->type));
    d = reg_define_from(g, op->dst, op->a, 1u << sign);
    if (op->aux != SIGN_XOR) {
        vector(g, VOP_AND, d, d, magnitude_mask(op->type));
    }
    vector(g, VOP_XOR, d, d, rm_reg(sign));
}

void emit_fbits(Gen *g, const IrInsn *op, unsigned detail)
{
    bool wide = is_double(gen_type(g, op->a));
    Rm a = reg_rm(g, op->a);
    unsigned d = reg_define(g, op->dst);

    if (a.kind == RM_REG) {
        v_op(&g->code, g->level, VOP_MOVD_STORE, wide, a.base, NO_REG, rm_reg(d));
    } else {
        x_op(&g->code, OP_MOV, wide, d, a);
    }
}

void emit_bitsf(Gen *g, const IrInsn *op, unsigned detail)
{
    Rm a = reg_rm(g, op->a);

    v_op(&g->code, g->level, VOP_MOVD, is_double(op->type), reg_define(g, op->dst), NO_REG, a);
}

/* f32 in an f64 register: ones above. */
void emit_fbox(Gen *g, const IrInsn *op, unsigned detail)
{
    with_mask(g, op, VOP_OR, AREA(box));
}

void emit_funbox(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    unsigned a = reg_use(g, op->a), upper = reg_scratch(g, GENERAL), d;
    Late *late;

    d = reg_define(g, op->dst);
    vector(g, VOP_MOVAPS, d, NO_REG, rm_reg(a));
    v_op(c, g->level, VOP_MOVD_STORE, true, a, NO_REG, rm_reg(upper));
    x_shift_imm(c, SHIFT_SHR, true, rm_reg(upper), 32);
    x_alu_imm(c, ALU_CMP, false, rm_reg(upper), -1);
    late = gen_late(g, late_nan);
    late->from = x_jump_if(c, COND_NE, NULL);
    late->back = c->p;
    late->result = d;
    late->type = F32;
}

/* ---- the sticky flags: those of the MXCSR and those that soft float raised --------------------------- */

enum { MXCSR_FLAGS = 0x3f };

void emit_getflags(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    unsigned d = reg_define(g, op->dst), table = reg_scratch(g, GENERAL);

    x_op(c, OP_MXCSR, false, MXCSR_STORE, ENV(call[0]));
    x_op(c, OP_MOV, false, d, ENV(call[0]));
    x_alu_imm(c, ALU_AND, false, rm_reg(d), MXCSR_FLAGS);
    x_op(c, OP_LEA, true, table, AREA(flags_of_mxcsr));
    x_op(c, OP_MOVZX8, false, d, rm_index(table, d, 0, 0));
    x_op(c, OP_MOVZX8, false, table, ENV(fp_flags));
    x_alu(c, ALU_OR, false, d, rm_reg(table));
}

/* All go to fp_flags; loading the MXCSR is slow, so it is done only if there was something. */
void emit_setflags(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    unsigned value = reg_scratch(g, GENERAL);
    uint8_t *clear;

    reg_load(g, value, op->a);
    x_alu_imm(c, ALU_AND, false, rm_reg(value), FP_ALL_FLAGS);
    x_op(c, OP_STORE8, false, value, ENV(fp_flags));
    x_op(c, OP_MXCSR, false, MXCSR_STORE, ENV(call[0]));
    x_op(c, OP_MOV, false, value, ENV(call[0]));
    x_op(c, OPCODE(0, 0, 0xf6) | BYTE_RM, false, 0, rm_reg(value)); /* test value, imm8 */
    *c->p++ = MXCSR_FLAGS;
    clear = x_jump_if8(c, COND_E);
    x_alu_imm(c, ALU_AND, false, rm_reg(value), ~MXCSR_FLAGS);
    x_op(c, OP_STORE, false, value, ENV(call[0]));
    x_op(c, OP_MXCSR, false, MXCSR_LOAD, ENV(call[0]));
    x_here8(c, clear);
}
