/* Advanced SIMD: shifts by a number (C4.1.96, "Advanced SIMD shift by immediate", and its scalar form). */
#include "targets/aarch64/translate-simd.h"

/* ---- shifts by a number ----------------------------------------------------------------------- */

/* A shift as immh:immb tell it: the lane is what the highest bit of immh says (C7.2, "SSHR"). */
typedef struct Shift {
    unsigned size, bits;
    int32_t left, right;
} Shift;

static Shift shift_of(const A64Vs *i)
{
    unsigned size = 31 - (unsigned)__builtin_clz((unsigned)i->immh), bits = 8u << size;
    int32_t number = i->immh << 3 | i->immb;

    return (Shift){ size, bits, number - (int32_t)bits, (int32_t)(2 * bits) - number };
}

/* Vectors of more than one lane; scalars of 64 bits. */
static bool shifts_lanes(const A64Vs *i, const Shift *s)
{
    return i->form == FORM_SCALAR ? s->size == LANE_64 : is_vector(i->form, s->size);
}

static bool shift_right(A64Translator *t, const A64Vs *i, unsigned aux, bool accumulates)
{
    Shift s = shift_of(i);
    Val value;

    if (!shifts_lanes(i, &s)) {
        return false;
    }
    value = vop1(t, IR_vshr, s.size | aux, s.right, vreg(t, i->rn));
    if (accumulates) {
        value = vop2(t, IR_vadd, s.size, vreg(t, i->rd), value);
    }
    set_vreg(t, i->rd, form_bytes(i->form, s.size), value);
    return true;
}

/* clang-format off */
#define SHIFT_RIGHT(name, aux, accumulates) \
    bool a64_v_##name(A64Translator *t, const A64Vs *i) { return shift_right(t, i, aux, accumulates); }

SHIFT_RIGHT(sshr, LANE_SIGNED, false)
SHIFT_RIGHT(ushr, 0, false)
SHIFT_RIGHT(ssra, LANE_SIGNED, true)
SHIFT_RIGHT(usra, 0, true)
SHIFT_RIGHT(srshr, LANE_SIGNED | LANE_ROUND, false)
SHIFT_RIGHT(urshr, LANE_ROUND, false)
SHIFT_RIGHT(srsra, LANE_SIGNED | LANE_ROUND, true)
SHIFT_RIGHT(ursra, LANE_ROUND, true)
/* clang-format on */

bool a64_v_shl(A64Translator *t, const A64Vs *i)
{
    Shift s = shift_of(i);

    if (!shifts_lanes(i, &s)) {
        return false;
    }
    set_vreg(
        t, i->rd, form_bytes(i->form, s.size), vop1(t, IR_vshl, s.size, s.left, vreg(t, i->rn)));
    return true;
}

/* rn shifted into rd: the bits of rd that nothing was shifted to stay. */
static bool insert(A64Translator *t, const A64Vs *i, IrOp op, bool left)
{
    Shift s = shift_of(i);
    int32_t count = left ? s.left : s.right;
    uint64_t lane = UINT64_MAX >> (64 - s.bits), moved;
    Val value;

    if (!shifts_lanes(i, &s)) {
        return false;
    }
    moved = count == 64 ? 0 : left ? lane << count : lane >> count;
    value = vop1(t, op, s.size, count, vreg(t, i->rn));
    set_vreg(t, i->rd, form_bytes(i->form, s.size),
        vop3(t, IR_vselect, 0, vsplat(t, s.size, moved), value, vreg(t, i->rd)));
    return true;
}

bool a64_v_sli(A64Translator *t, const A64Vs *i)
{
    return insert(t, i, IR_vshl, true);
}

bool a64_v_sri(A64Translator *t, const A64Vs *i)
{
    return insert(t, i, IR_vshr, false);
}

/* Of wide lanes, narrowed. */
static bool shift_narrow(A64Translator *t, const A64Vs *i, unsigned shift_aux)
{
    Shift s = shift_of(i);

    if (s.size == LANE_64) {
        return false;
    }
    set_narrow(t, i->rd, i->form, s.size,
        narrow(t, s.size, vop1(t, IR_vshr, (s.size + 1) | shift_aux, s.right, vreg(t, i->rn))));
    return true;
}

bool a64_v_shrn(A64Translator *t, const A64Vs *i)
{
    return shift_narrow(t, i, 0);
}

bool a64_v_rshrn(A64Translator *t, const A64Vs *i)
{
    return shift_narrow(t, i, LANE_ROUND);
}

static bool shift_narrow_saturated(A64Translator *t, const A64Vs *i, unsigned aux)
{
    Shift s = shift_of(i);
    Val shifted;

    if (s.size == LANE_64) {
        return false;
    }
    shifted = vop1(
        t, IR_vshr, (s.size + 1) | (aux & (LANE_SIGNED | LANE_ROUND)), s.right, vreg(t, i->rn));
    set_narrow(t, i->rd, i->form, s.size,
        narrow_saturated(t, i->form, s.size, aux & (LANE_SIGNED | LANE_UNSIGN), shifted));
    return true;
}

/* clang-format off */
#define SHIFT_NARROW_SATURATED(name, aux) \
    bool a64_v_##name(A64Translator *t, const A64Vs *i) { return shift_narrow_saturated(t, i, aux); }

SHIFT_NARROW_SATURATED(sqshrn, LANE_SIGNED)
SHIFT_NARROW_SATURATED(uqshrn, 0)
SHIFT_NARROW_SATURATED(sqrshrn, LANE_SIGNED | LANE_ROUND)
SHIFT_NARROW_SATURATED(uqrshrn, LANE_ROUND)
SHIFT_NARROW_SATURATED(sqshrun, LANE_SIGNED | LANE_UNSIGN)
SHIFT_NARROW_SATURATED(sqrshrun, LANE_SIGNED | LANE_UNSIGN | LANE_ROUND)
/* clang-format on */

static bool shift_long(A64Translator *t, const A64Vs *i, unsigned sign)
{
    Shift s = shift_of(i);
    Val wide;

    if (s.size == LANE_64) {
        return false;
    }
    wide = widen(t, s.size, sign | upper_half(i->form), vreg(t, i->rn));
    ir_put(t->b, GVAR_V + i->rd, s.left ? vop1(t, IR_vshl, s.size + 1, s.left, wide) : wide);
    return true;
}

bool a64_v_sshll(A64Translator *t, const A64Vs *i)
{
    return shift_long(t, i, LANE_SIGNED);
}

bool a64_v_ushll(A64Translator *t, const A64Vs *i)
{
    return shift_long(t, i, 0);
}
