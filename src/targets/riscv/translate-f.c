/*
 * F, D, Zfh and Zfhmin: one function for all formats.
 *
 * An f register is 64 bits wide; narrower values are boxed in ones (NaN boxing). The builder knows which values
 * it has boxed itself, so nothing is checked twice within a block. Arithmetic of half precision is a call.
 */
#include "targets/riscv/translate.h"

typedef enum Format { FMT_S, FMT_D, FMT_H } Format;

static IrType type_of(Format fmt)
{
    return fmt == FMT_D ? F64 : F32;
}

static Val freg(RvTranslator *t, unsigned n)
{
    return ir_get(t->b, GVAR_F + n);
}

/* The value of a register in format S or D. */
static Val fpr(RvTranslator *t, unsigned n, Format fmt)
{
    Val v = freg(t, n);

    return fmt == FMT_D ? v : ir_aux(t->b, IR_funbox, F32, 0, 0, v, NO_VAL, NO_VAL);
}

/*
 * To be called before an instruction that changes f registers or flags. While mstatus.FS is not dirty the
 * first one marks it and ends the block, for mstatus.FS is part of the mode; blocks of dirty mode mark nothing.
 */
static void dirty(RvTranslator *t)
{
    if (t->fs == FS_CLEAN) {
        ir_call_void(t->b, &rv_help_fs_dirty, NO_VAL, NO_VAL, NO_VAL);
        t->fs = FS_DIRTY;
        t->leave = true;
    }
}

static void set_fpr(RvTranslator *t, unsigned n, Format fmt, Val value)
{
    ir_put(t->b, GVAR_F + n,
        fmt == FMT_D ? value : ir_aux(t->b, IR_fbox, F64, 0, 0, value, NO_VAL, NO_VAL));
}

/* The bits of an f register, and back. */
static Val freg_bits(RvTranslator *t, unsigned n)
{
    return ir_aux(t->b, IR_fbits, I64, 0, 0, freg(t, n), NO_VAL, NO_VAL);
}

static void set_freg_bits(RvTranslator *t, unsigned n, Val bits)
{
    ir_put(t->b, GVAR_F + n, ir_aux(t->b, IR_bitsf, F64, 0, 0, bits, NO_VAL, NO_VAL));
}

/* The rounding mode of an instruction as FpAux; false: reserved (11.2). */
static bool rounding(const RvTranslator *t, unsigned rm, uint8_t *aux)
{
    if (rm < FP_RMM || (rm == FP_DYN && t->frm == FRM_HOST)) {
        *aux = rm;
        return true;
    }
    *aux = FP_RMM;
    return rm == FP_RMM || (rm == FP_DYN && t->frm == FRM_RMM);
}

/* ---- half precision --------------------------------------------------------------------------- */

/* The helper decodes the instruction again and works on the registers in CpuEnv. */
static bool half(RvTranslator *t, unsigned rm)
{
    uint8_t aux;

    if (!rounding(t, rm, &aux)) {
        return false;
    }
    dirty(t);
    ir_call_void(t->b, &rv_help_half, insn_bits(t), ir_const(t->b, I64, aux), NO_VAL);
    return true;
}

/* The same with a result in an x register. */
static bool half_to_x(RvTranslator *t, unsigned rd, unsigned rm)
{
    uint8_t aux;
    Val value;

    if (!rounding(t, rm, &aux)) {
        return false;
    }
    dirty(t);
    value = ir_call(t->b, I64, &rv_help_half, insn_bits(t), ir_const(t->b, I64, aux), NO_VAL);
    set_gpr(t, rd, from_helper(t, value));
    return true;
}

/* ---- loads and stores ------------------------------------------------------------------------- */

bool rv_fload(RvTranslator *t, const RvFload *i)
{
    Val address = gpr(t, i->rs1);

    dirty(t);
    if (i->fmt == FMT_H) {
        Val bits = ir_load(t->b, I64, MEM_16, address, i->imm);

        set_freg_bits(t, i->rd, ir_op2_const(t->b, IR_or, I64, bits, ~UINT64_C(0xffff)));
    } else {
        set_fpr(t, i->rd, i->fmt,
            ir_load(t->b, type_of(i->fmt), i->fmt == FMT_D ? MEM_64 : MEM_32, address, i->imm));
    }
    return true;
}

/* What fbox made this register of; none when it is not known. */
static Val boxed(RvTranslator *t, Val reg)
{
    const IrInsn *op = &t->b->ops[t->b->defined_by[reg.id]];

    return op->op == IR_fbox ? (Val){ op->a } : NO_VAL;
}

bool rv_fstore(RvTranslator *t, const RvFstore *i)
{
    Val address = gpr(t, i->rs1), reg = freg(t, i->rs2), single = boxed(t, reg);

    if (i->fmt == FMT_D) {
        ir_store(t->b, MEM_64, address, i->imm, reg);
    } else if (i->fmt == FMT_S && single.id) {
        ir_store(t->b, MEM_32, address, i->imm, single);
    } else {
        ir_store(t->b, i->fmt == FMT_S ? MEM_32 : MEM_16, address, i->imm, freg_bits(t, i->rs2));
    }
    return true;
}

/* ---- arithmetic ------------------------------------------------------------------------------- */

static bool arithmetic(RvTranslator *t, IrOp op, const RvFr *i, bool unary)
{
    uint8_t aux;
    Val x, y;

    if (i->fmt == FMT_H) {
        return half(t, i->rm);
    }
    if (!rounding(t, i->rm, &aux)) {
        return false;
    }
    dirty(t);
    x = fpr(t, i->rs1, i->fmt);
    y = unary ? NO_VAL : fpr(t, i->rs2, i->fmt);
    set_fpr(
        t, i->rd, i->fmt, ir_aux(t->b, op, type_of(i->fmt), aux | FP_NAN_DEFAULT, 0, x, y, NO_VAL));
    return true;
}

bool rv_fadd(RvTranslator *t, const RvFr *i)
{
    return arithmetic(t, IR_fadd, i, false);
}

bool rv_fsub(RvTranslator *t, const RvFr *i)
{
    return arithmetic(t, IR_fsub, i, false);
}

bool rv_fmul(RvTranslator *t, const RvFr *i)
{
    return arithmetic(t, IR_fmul, i, false);
}

bool rv_fdiv(RvTranslator *t, const RvFr *i)
{
    return arithmetic(t, IR_fdiv, i, false);
}

bool rv_fsqrt(RvTranslator *t, const RvFr *i)
{
    return arithmetic(t, IR_fsqrt, i, true);
}

/* The rm field of these is part of the opcode: nothing is rounded. */
static bool min_max(RvTranslator *t, IrOp op, const RvFr *i)
{
    RvFr unrounded = *i;

    unrounded.rm = FP_RNE;
    return arithmetic(t, op, &unrounded, false);
}

bool rv_fmin(RvTranslator *t, const RvFr *i)
{
    return min_max(t, IR_fmin, i);
}

bool rv_fmax(RvTranslator *t, const RvFr *i)
{
    return min_max(t, IR_fmax, i);
}

static bool fused(RvTranslator *t, IrOp op, const RvFr4 *i)
{
    uint8_t aux;
    Val x, y, z;

    if (i->fmt == FMT_H) {
        return half(t, i->rm);
    }
    if (!rounding(t, i->rm, &aux)) {
        return false;
    }
    dirty(t);
    x = fpr(t, i->rs1, i->fmt);
    y = fpr(t, i->rs2, i->fmt);
    z = fpr(t, i->rs3, i->fmt);
    set_fpr(t, i->rd, i->fmt, ir_aux(t->b, op, type_of(i->fmt), aux | FP_NAN_DEFAULT, 0, x, y, z));
    return true;
}

bool rv_fmadd(RvTranslator *t, const RvFr4 *i)
{
    return fused(t, IR_fmadd, i);
}

bool rv_fmsub(RvTranslator *t, const RvFr4 *i)
{
    return fused(t, IR_fmsub, i);
}

bool rv_fnmsub(RvTranslator *t, const RvFr4 *i)
{
    return fused(t, IR_fnmsub, i);
}

bool rv_fnmadd(RvTranslator *t, const RvFr4 *i)
{
    return fused(t, IR_fnmadd, i);
}

/* rm 0, 1, 2: the sign as it is, negated, exclusive or; and so is fsgnj's aux. */
bool rv_fsgnj(RvTranslator *t, const RvFr *i)
{
    if (i->fmt == FMT_H) {
        return half(t, FP_RNE);
    }
    dirty(t);
    set_fpr(t, i->rd, i->fmt,
        ir_aux(t->b, IR_fsgnj, type_of(i->fmt), i->rm, 0, fpr(t, i->rs1, i->fmt),
            fpr(t, i->rs2, i->fmt), NO_VAL));
    return true;
}

/* ---- comparisons, classes, moves -------------------------------------------------------------- */

bool rv_fcmp(RvTranslator *t, const RvFr *i)
{
    /* By funct3: fle, flt, feq; only feq is quiet (11.8). */
    static const uint8_t conds[3] = { FP_LE | FP_SIGNALLING, FP_LT | FP_SIGNALLING, FP_EQ };

    if (i->fmt == FMT_H) {
        return half_to_x(t, i->rd, FP_RNE);
    }
    dirty(t);
    set_gpr_bool(t, i->rd,
        ir_aux(t->b, IR_fcmp, type_of(i->fmt), conds[i->rm], 0, fpr(t, i->rs1, i->fmt),
            fpr(t, i->rs2, i->fmt), NO_VAL));
    return true;
}

bool rv_fclass(RvTranslator *t, const RvFtox *i)
{
    bool is_double = i->fmt == FMT_D;
    Val bits, mask;

    if (i->fmt == FMT_H) {
        return half_to_x(t, i->rd, FP_RNE);
    }
    bits = ir_aux(
        t->b, IR_fbits, is_double ? I64 : I32, 0, 0, fpr(t, i->rs1, i->fmt), NO_VAL, NO_VAL);
    mask = ir_call(
        t->b, t->xt, is_double ? &rv_help_fclass_d : &rv_help_fclass_s, bits, NO_VAL, NO_VAL);
    set_gpr(t, i->rd, mask);
    return true;
}

/* fmv.x.w and the like take the bits, boxed or not. */
bool rv_fmv_x(RvTranslator *t, const RvFtox *i)
{
    Val bits = freg_bits(t, i->rs1);

    switch (i->fmt) {
    case FMT_D: set_gpr(t, i->rd, bits); break;
    case FMT_S: set_gpr32(t, i->rd, ir_trunc32(t->b, bits)); break;
    case FMT_H: set_gpr32(t, i->rd, ir_sext(t->b, I32, ir_trunc32(t->b, bits), 0, 16)); break;
    }
    return true;
}

bool rv_fmv_f(RvTranslator *t, const RvFtox *i)
{
    dirty(t);
    switch (i->fmt) {
    case FMT_D: set_freg_bits(t, i->rd, gpr(t, i->rs1)); break;
    case FMT_S:
        set_fpr(
            t, i->rd, FMT_S, ir_aux(t->b, IR_bitsf, F32, 0, 0, gpr32(t, i->rs1), NO_VAL, NO_VAL));
        break;
    case FMT_H: {
        Val bits = ir_zext32(t->b, ir_ext(t->b, I32, gpr32(t, i->rs1), 0, 16));

        set_freg_bits(t, i->rd, ir_op2_const(t->b, IR_or, I64, bits, ~UINT64_C(0xffff)));
        break;
    }
    }
    return true;
}

/* ---- conversions ------------------------------------------------------------------------------ */

/* Bits of the kind of integer: w, wu, l, lu. */
enum { KIND_UNSIGNED = 1, KIND_LONG = 2 };

bool rv_ftox(RvTranslator *t, const RvFtox *i)
{
    IrType type = i->kind & KIND_LONG ? I64 : I32;
    uint8_t aux;
    Val value;

    if (i->fmt == FMT_H) {
        return half_to_x(t, i->rd, i->rm);
    }
    if (!rounding(t, i->rm, &aux)) {
        return false;
    }
    dirty(t);
    value = ir_aux(t->b, IR_ftoi, type, aux | FP_NAN_TO_MAX, i->kind & KIND_UNSIGNED,
        fpr(t, i->rs1, i->fmt), NO_VAL, NO_VAL);
    if (type == I32) {
        set_gpr32(t, i->rd, value);
    } else {
        set_gpr(t, i->rd, value);
    }
    return true;
}

static bool x_to_half(RvTranslator *t, const RvFtox *i)
{
    uint8_t aux;

    if (!rounding(t, i->rm, &aux)) {
        return false;
    }
    dirty(t);
    ir_call_void(t->b, &rv_help_half, insn_bits(t), ir_const(t->b, I64, aux), gpr(t, i->rs1));
    return true;
}

bool rv_xtof(RvTranslator *t, const RvFtox *i)
{
    Val x = i->kind & KIND_LONG ? gpr(t, i->rs1) : gpr32(t, i->rs1);
    uint8_t aux;

    if (i->fmt == FMT_H) {
        return x_to_half(t, i);
    }
    if (!rounding(t, i->rm, &aux)) {
        return false;
    }
    dirty(t);
    set_fpr(t, i->rd, i->fmt,
        ir_aux(t->b, IR_itof, type_of(i->fmt), aux, i->kind & KIND_UNSIGNED, x, NO_VAL, NO_VAL));
    return true;
}

bool rv_ftof(RvTranslator *t, const RvFtof *i)
{
    uint8_t aux;

    if (i->to == FMT_H || i->from == FMT_H) {
        return half(t, i->rm);
    }
    if (!rounding(t, i->rm, &aux)) {
        return false;
    }
    dirty(t);
    set_fpr(t, i->rd, i->to,
        ir_aux(t->b, IR_fcvt, type_of(i->to), aux | FP_NAN_DEFAULT, 0, fpr(t, i->rs1, i->from),
            NO_VAL, NO_VAL));
    return true;
}
