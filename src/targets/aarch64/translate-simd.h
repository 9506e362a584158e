/*
 * What the translate functions of floating point and Advanced SIMD share.
 *
 * `form` of a row is FORM_LOW ...; `size` the log2 of a lane's bytes. A write to a vector register clears what is
 * above the bytes written.
 */
#ifndef TARGETS_AARCH64_TRANSLATE_SIMD_H
#define TARGETS_AARCH64_TRANSLATE_SIMD_H

#include "targets/aarch64/translate.h"

enum { FORM_LOW, FORM_FULL, FORM_SCALAR };

static inline unsigned form_bytes(unsigned form, unsigned size)
{
    return form == FORM_FULL ? 16 : form == FORM_LOW ? 8 : 1u << size;
}

/* Are there lanes of this size in this form? A vector of one lane is not allocated. */
static inline bool is_vector(unsigned form, unsigned size)
{
    return form != FORM_LOW || size < LANE_64;
}

static inline Val vreg(A64Translator *t, unsigned n)
{
    return ir_get(t->b, GVAR_V + n);
}

/* Vector operations: aux and imm as ops.h says. */
static inline Val vop1(A64Translator *t, IrOp op, unsigned aux, int32_t imm, Val x)
{
    return ir_aux(t->b, op, V128, (uint8_t)aux, imm, x, NO_VAL, NO_VAL);
}

static inline Val vop2(A64Translator *t, IrOp op, unsigned aux, Val x, Val y)
{
    return ir_aux(t->b, op, V128, (uint8_t)aux, 0, x, y, NO_VAL);
}

static inline Val vop3(A64Translator *t, IrOp op, unsigned aux, Val x, Val y, Val z)
{
    return ir_aux(t->b, op, V128, (uint8_t)aux, 0, x, y, z);
}

static inline Val vzero(A64Translator *t)
{
    return ir_vconst(t->b, 0, 0);
}

/* The same number in every lane. */
static inline Val vsplat(A64Translator *t, unsigned size, uint64_t value)
{
    uint64_t ones = UINT64_MAX >> (64 - (8u << size)), all = (value & ones) * (UINT64_MAX / ones);

    return ir_vconst(t->b, all, all);
}

static inline Val vlow(A64Translator *t, unsigned bytes, Val v)
{
    return bytes == 16 ? v : vop1(t, IR_vlow, 0, (int32_t)bytes, v);
}

/* Sets a register to the low bytes of a value. */
static inline void set_vreg(A64Translator *t, unsigned n, unsigned bytes, Val v)
{
    ir_put(t->b, GVAR_V + n, vlow(t, bytes, v));
}

/* Sets the half that the second form of a narrowing instruction (FORM_FULL) writes: the low or the upper one. */
static inline void set_half(A64Translator *t, unsigned n, unsigned form, Val low)
{
    if (form == FORM_FULL) {
        ir_put(t->b, GVAR_V + n, vop2(t, IR_vziplo, LANE_64, vreg(t, n), low));
    } else {
        set_vreg(t, n, 8, low);
    }
}

/* Lane `lane` as an integer, zero-extended. */
static inline Val vget(A64Translator *t, unsigned size, unsigned lane, Val v)
{
    return ir_aux(t->b, IR_vget, size == LANE_64 ? I64 : I32, (uint8_t)size, (int32_t)lane, v,
        NO_VAL, NO_VAL);
}

static inline Val vset(A64Translator *t, unsigned size, unsigned lane, Val v, Val integer)
{
    return ir_aux(t->b, IR_vset, V128, (uint8_t)size, (int32_t)lane, v, integer, NO_VAL);
}

/* ---- translate-simd.c: lanes made narrow and wide ---- */

/* LANE_HIGH for the second form of an instruction that widens (SADDL2). */
unsigned upper_half(unsigned form);
Val widen(A64Translator *t, unsigned size, unsigned aux, Val x);
/* The low halves of wide lanes, in the low half of the result. */
Val narrow(A64Translator *t, unsigned size, Val x);
/* Narrowed with saturation; aux: of LANE_SIGNED, to LANE_UNSIGN. Scalars are their lane 0. */
Val narrow_saturated(A64Translator *t, unsigned form, unsigned size, unsigned aux, Val x);
/* Sets rd to narrow lanes: a scalar, the low half, or the upper one. */
void set_narrow(A64Translator *t, unsigned rd, unsigned form, unsigned size, Val low);

/* Lane idx of rm in every lane. */
static inline Val element(A64Translator *t, const A64Vx *i)
{
    return vop1(t, IR_vduplane, (unsigned)i->size, i->idx, vreg(t, (unsigned)i->rm));
}

#endif
