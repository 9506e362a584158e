/* Advanced SIMD: copies of lanes, constants, permutations and tables, in the order of simd.rows. */
#include "targets/aarch64/simd.h"
#include "targets/aarch64/translate-simd.h"

/* ---- copies ----------------------------------------------------------------------------------- */

/* imm5 of a copy: the lowest bit set is the lane's size, what is above it the lane (C7.2.39). */
static unsigned copy_size(int32_t imm5)
{
    return (unsigned)__builtin_ctz((unsigned)imm5);
}

static unsigned copy_lane(int32_t imm5)
{
    return (unsigned)imm5 >> (copy_size(imm5) + 1);
}

bool a64_v_dup_lane(A64Translator *t, const A64Vd *i)
{
    unsigned size = copy_size(i->imm5);

    if (!is_vector(i->form, size)) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, size),
        vop1(t, IR_vduplane, size, (int32_t)copy_lane(i->imm5), vreg(t, i->rn)));
    return true;
}

bool a64_v_dup(A64Translator *t, const A64Vd *i)
{
    unsigned size = copy_size(i->imm5);

    if (!is_vector(i->form, size)) {
        return false;
    }
    set_vreg(t, i->rd, form_bytes(i->form, size), vop1(t, IR_vdup, size, 0, xreg(t, i->rn)));
    return true;
}

/* Form FORM_FULL has a 64-bit result. */
bool a64_v_umov(A64Translator *t, const A64Vd *i)
{
    unsigned size = copy_size(i->imm5);

    if ((i->form == FORM_FULL) != (size == LANE_64)) {
        return false;
    }
    set_reg(t, size == LANE_64, i->rd, vget(t, size, copy_lane(i->imm5), vreg(t, i->rn)));
    return true;
}

bool a64_v_smov(A64Translator *t, const A64Vd *i)
{
    unsigned size = copy_size(i->imm5);
    bool is_64 = i->form == FORM_FULL;

    if (size == LANE_64 || (size == LANE_32 && !is_64)) {
        return false;
    }
    set_reg(t, is_64, i->rd,
        ir_aux(t->b, IR_vget, is_64 ? I64 : I32, (uint8_t)(size | LANE_SIGNED),
            (int32_t)copy_lane(i->imm5), vreg(t, i->rn), NO_VAL, NO_VAL));
    return true;
}

bool a64_v_ins(A64Translator *t, const A64Vd *i)
{
    ir_put(t->b, GVAR_V + i->rd,
        vset(t, copy_size(i->imm5), copy_lane(i->imm5), vreg(t, i->rd), xreg(t, i->rn)));
    return true;
}

bool a64_v_ins_lane(A64Translator *t, const A64Vi *i)
{
    unsigned size = copy_size(i->imm5), from = (unsigned)i->imm4 >> size;

    ir_put(t->b, GVAR_V + i->rd,
        ir_aux(t->b, IR_vins, V128, (uint8_t)size, (int32_t)(copy_lane(i->imm5) | from << 4),
            vreg(t, i->rd), vreg(t, i->rn), NO_VAL));
    return true;
}

/* ---- constants -------------------------------------------------------------------------------- */

/* Each bit of imm8 eight times. */
static uint64_t spread_bits(unsigned imm8)
{
    uint64_t value = 0;

    for (unsigned n = 0; n < 8; n++) {
        value |= imm8 >> n & 1 ? UINT64_C(0xff) << (8 * n) : 0;
    }
    return value;
}

/* AdvSIMDExpandImm() of the manual: 64 bits of op:cmode:imm8. */
static uint64_t expand_constant(unsigned op, unsigned cmode, unsigned imm8)
{
    static const uint64_t each16 = UINT64_C(0x0001000100010001),
                          each32 = UINT64_C(0x0000000100000001);
    unsigned shift = (cmode >> 1 & 3) * 8;

    if (cmode < 8) {
        return ((uint64_t)imm8 << shift) * each32;
    }
    if (cmode < 12) {
        return ((uint64_t)imm8 << (shift & 8)) * each16;
    }
    if (cmode < 14) {
        return cmode & 1 ? ((uint64_t)imm8 << 16 | 0xffff) * each32
                         : ((uint64_t)imm8 << 8 | 0xff) * each32;
    }
    if (cmode == 14) {
        return op ? spread_bits(imm8) : imm8 * UINT64_C(0x0101010101010101);
    }
    return op ? a64_fp_constant(LANE_64, imm8) : a64_fp_constant(LANE_32, imm8) * each32;
}

/* MOVI, MVNI, ORR, BIC and FMOV of constants are one encoding. */
bool a64_v_movi(A64Translator *t, const A64Vimm *i)
{
    uint64_t imm = expand_constant(i->op, i->cmode, i->imm8);
    bool modifies = i->cmode < 12 && i->cmode & 1, inverts = i->op && i->cmode < 14;
    Val value = ir_vconst(t->b, imm, imm), not_value = ir_vconst(t->b, ~imm, ~imm);

    if (i->cmode == 15 && i->op && i->form == FORM_LOW) {
        return false;
    }
    if (modifies) {
        value = inverts ? vop2(t, IR_vand, 0, vreg(t, i->rd), not_value)
                        : vop2(t, IR_vor, 0, vreg(t, i->rd), value);
    } else if (inverts) {
        value = not_value;
    }
    set_vreg(t, i->rd, form_bytes(i->form, 0), value);
    return true;
}

bool a64_v_fmov_half(A64Translator *t, const A64Vimm *i)
{
    set_vreg(
        t, i->rd, form_bytes(i->form, 0), vsplat(t, LANE_16, a64_fp_constant(LANE_16, i->imm8)));
    return true;
}

/* ---- permutations ----------------------------------------------------------------------------- */

/* In a low form the pair of operands is one vector, for those that take lanes apart. */
static bool permute(A64Translator *t, const A64V3 *i, IrOp op, bool joins)
{
    Val x = vreg(t, i->rn), y = vreg(t, i->rm);

    if (!is_vector(i->form, i->size)) {
        return false;
    }
    if (joins && i->form == FORM_LOW) {
        x = vop2(t, IR_vziplo, LANE_64, x, y);
        y = x;
    }
    set_vreg(t, i->rd, form_bytes(i->form, i->size), vop2(t, op, i->size, x, y));
    return true;
}

bool a64_v_uzp1(A64Translator *t, const A64V3 *i)
{
    return permute(t, i, IR_veven, true);
}

bool a64_v_uzp2(A64Translator *t, const A64V3 *i)
{
    return permute(t, i, IR_vodd, true);
}

bool a64_v_trn1(A64Translator *t, const A64V3 *i)
{
    return permute(t, i, IR_vtrneven, false);
}

bool a64_v_trn2(A64Translator *t, const A64V3 *i)
{
    return permute(t, i, IR_vtrnodd, false);
}

bool a64_v_zip1(A64Translator *t, const A64V3 *i)
{
    return permute(t, i, IR_vziplo, false);
}

/* The upper half of a low form is the upper half of what ZIP1 makes of it. */
bool a64_v_zip2(A64Translator *t, const A64V3 *i)
{
    Val zipped;

    if (i->form == FORM_FULL) {
        return permute(t, i, IR_vziphi, false);
    }
    if (!is_vector(i->form, i->size)) {
        return false;
    }
    zipped = vop2(t, IR_vziplo, i->size, vreg(t, i->rn), vreg(t, i->rm));
    set_vreg(t, i->rd, 8, vop1(t, IR_vduplane, LANE_64, 1, zipped));
    return true;
}

bool a64_v_ext(A64Translator *t, const A64Vx *i)
{
    Val x = vreg(t, i->rn), y = vreg(t, i->rm);

    if (i->form == FORM_LOW && i->idx >= 8) {
        return false;
    }
    if (i->form == FORM_LOW) {
        x = vop2(t, IR_vziplo, LANE_64, x, y);
    }
    set_vreg(t, i->rd, form_bytes(i->form, 0),
        i->idx ? ir_aux(t->b, IR_vext, V128, 0, i->idx, x, y, NO_VAL) : x);
    return true;
}

/* idx + 1 registers from rn on are the table. */
static bool table(A64Translator *t, const A64Vx *i, Val result)
{
    Val indices = vreg(t, i->rm);

    for (int32_t n = 0; n <= i->idx; n++) {
        result = ir_aux(
            t->b, IR_vtable, V128, 0, n * 16, vreg(t, (i->rn + n) % 32), indices, result);
    }
    set_vreg(t, i->rd, form_bytes(i->form, 0), result);
    return true;
}

bool a64_v_tbl(A64Translator *t, const A64Vx *i)
{
    return table(t, i, vzero(t));
}

bool a64_v_tbx(A64Translator *t, const A64Vx *i)
{
    return table(t, i, vreg(t, i->rd));
}
