/* Zba, Zbb, Zbs and Zicond, as far as they are more than one operation. */
#include "targets/riscv/translate.h"

static bool shift_add(RvTranslator *t, const RvR *i, unsigned shift, bool word)
{
    Val x = word ? ir_zext32(t->b, gpr32(t, i->rs1)) : gpr(t, i->rs1);

    x = ir_op2_const(t->b, IR_shl, t->xt, x, shift);
    set_gpr(t, i->rd, ir_op2(t->b, IR_add, t->xt, x, gpr(t, i->rs2)));
    return true;
}

/* clang-format off */
#define SHIFT_ADD(name, shift, word) \
    bool rv_##name(RvTranslator *t, const RvR *i) { return shift_add(t, i, shift, word); }

SHIFT_ADD(sh1add, 1, false)
SHIFT_ADD(sh2add, 2, false)
SHIFT_ADD(sh3add, 3, false)
SHIFT_ADD(add_uw, 0, true)
SHIFT_ADD(sh1add_uw, 1, true)
SHIFT_ADD(sh2add_uw, 2, true)
SHIFT_ADD(sh3add_uw, 3, true)
/* clang-format on */

bool rv_slli_uw(RvTranslator *t, const RvI *i)
{
    Val x = ir_zext32(t->b, gpr32(t, i->rs1));

    set_gpr(t, i->rd, ir_op2_const(t->b, IR_shl, t->xt, x, i->imm));
    return true;
}

static bool count(RvTranslator *t, IrOp op, const RvR *i)
{
    set_gpr(t, i->rd, ir_op1(t->b, op, t->xt, gpr(t, i->rs1)));
    return true;
}

/* The count of 32 bits is never negative. */
static bool count32(RvTranslator *t, IrOp op, const RvR *i)
{
    set_gpr_bool(t, i->rd, ir_op1(t->b, op, I32, gpr32(t, i->rs1)));
    return true;
}

/* clang-format off */
#define COUNT(name, op)   bool rv_##name(RvTranslator *t, const RvR *i) { return count(t, IR_##op, i); }
#define COUNT32(name, op) bool rv_##name(RvTranslator *t, const RvR *i) { return count32(t, IR_##op, i); }

COUNT(clz, clz)
COUNT(ctz, ctz)
COUNT(cpop, popcnt)
COUNT(orc_b, orcb)
COUNT32(clzw, clz)
COUNT32(ctzw, ctz)
COUNT32(cpopw, popcnt)
/* clang-format on */

bool rv_rev8(RvTranslator *t, const RvR *i)
{
    unsigned bytes = t->xt == I64 ? 8 : 4;

    set_gpr(t, i->rd, ir_aux(t->b, IR_bswap, t->xt, 0, bytes, gpr(t, i->rs1), NO_VAL, NO_VAL));
    return true;
}

bool rv_xnor(RvTranslator *t, const RvR *i)
{
    Val x = ir_op2(t->b, IR_xor, t->xt, gpr(t, i->rs1), gpr(t, i->rs2));

    set_gpr(t, i->rd, ir_op1(t->b, IR_not, t->xt, x));
    return true;
}

bool rv_sext_b(RvTranslator *t, const RvR *i)
{
    set_gpr(t, i->rd, ir_sext(t->b, t->xt, gpr(t, i->rs1), 0, 8));
    return true;
}

bool rv_sext_h(RvTranslator *t, const RvR *i)
{
    set_gpr(t, i->rd, ir_sext(t->b, t->xt, gpr(t, i->rs1), 0, 16));
    return true;
}

bool rv_zext_h(RvTranslator *t, const RvR *i)
{
    set_gpr(t, i->rd, ir_ext(t->b, t->xt, gpr(t, i->rs1), 0, 16));
    return true;
}

/* Zbs: the bit's number is taken modulo XLEN, as that of any shift. */
static bool single_bit(RvTranslator *t, IrOp op, unsigned rd, unsigned rs1, Val number)
{
    Val bit = ir_op2(t->b, IR_shl, t->xt, constant(t, 1), number);

    set_gpr(t, rd, ir_op2(t->b, op, t->xt, gpr(t, rs1), bit));
    return true;
}

static bool extract_bit(RvTranslator *t, unsigned rd, unsigned rs1, Val number)
{
    Val x = ir_op2(t->b, IR_shr, t->xt, gpr(t, rs1), number);

    set_gpr(t, rd, ir_op2_const(t->b, IR_and, t->xt, x, 1));
    return true;
}

/* clang-format off */
#define SINGLE_BIT(name, op)                                                                       \
    bool rv_##name(RvTranslator *t, const RvR *i)                                                  \
    {                                                                                              \
        return single_bit(t, IR_##op, i->rd, i->rs1, gpr(t, i->rs2));                              \
    }                                                                                              \
    bool rv_##name##i(RvTranslator *t, const RvI *i)                                               \
    {                                                                                              \
        return single_bit(t, IR_##op, i->rd, i->rs1, constant(t, i->imm));                         \
    }

SINGLE_BIT(bclr, andn)
SINGLE_BIT(binv, xor)
SINGLE_BIT(bset, or)
/* clang-format on */

bool rv_bext(RvTranslator *t, const RvR *i)
{
    return extract_bit(t, i->rd, i->rs1, gpr(t, i->rs2));
}

bool rv_bexti(RvTranslator *t, const RvI *i)
{
    return extract_bit(t, i->rd, i->rs1, constant(t, i->imm));
}

bool rv_czero_eqz(RvTranslator *t, const RvR *i)
{
    set_gpr(t, i->rd, ir_select(t->b, gpr(t, i->rs2), gpr(t, i->rs1), constant(t, 0)));
    return true;
}

bool rv_czero_nez(RvTranslator *t, const RvR *i)
{
    set_gpr(t, i->rd, ir_select(t->b, gpr(t, i->rs2), constant(t, 0), gpr(t, i->rs1)));
    return true;
}
