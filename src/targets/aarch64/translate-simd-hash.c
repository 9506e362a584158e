/* SHA-1 and SHA-256 (FIPS 180-4; C7.2, "SHA1C" to "SHA256SU1"). */
#include "targets/aarch64/translate-simd.h"

static Val rotate_left(A64Translator *t, Val x, int32_t count)
{
    return vop2(t, IR_vor, 0, vop1(t, IR_vshl, LANE_32, count, x),
        vop1(t, IR_vshr, LANE_32, 32 - count, x));
}

static Val exclusive(A64Translator *t, Val x, Val y)
{
    return vop2(t, IR_vxor, 0, x, y);
}

/* 16 bytes from byte `from` on of x, then y. */
static Val extract(A64Translator *t, Val x, Val y, int32_t from)
{
    return ir_aux(t->b, IR_vext, V128, 0, from, x, y, NO_VAL);
}

/* Two rotations to the right and a shift, exclusive-ored: the small sigmas of SHA-256. */
static Val sigma(A64Translator *t, Val x, int32_t first, int32_t second, int32_t shift)
{
    return exclusive(t, exclusive(t, rotate_left(t, x, 32 - first), rotate_left(t, x, 32 - second)),
        vop1(t, IR_vshr, LANE_32, shift, x));
}

static bool four_rounds(A64Translator *t, IrOp op, unsigned aux, Val x, Val y, const A64V3 *i)
{
    ir_put(t->b, GVAR_V + i->rd, vop3(t, op, aux, x, y, vreg(t, i->rm)));
    return true;
}

/* clang-format off */
#define SHA1_ROUNDS(name, function) \
    bool a64_v_##name(A64Translator *t, const A64V3 *i) \
    { return four_rounds(t, IR_vsha1, function, vreg(t, i->rd), vreg(t, i->rn), i); }

SHA1_ROUNDS(sha1c, 0)
SHA1_ROUNDS(sha1p, 1)
SHA1_ROUNDS(sha1m, 2)
/* clang-format on */

bool a64_v_sha1h(A64Translator *t, const A64V2 *i)
{
    set_vreg(t, i->rd, 4, rotate_left(t, vreg(t, i->rn), 30));
    return true;
}

bool a64_v_sha1su0(A64Translator *t, const A64V3 *i)
{
    Val d = vreg(t, i->rd);

    ir_put(t->b, GVAR_V + i->rd,
        exclusive(t, exclusive(t, extract(t, d, vreg(t, i->rn), 8), d), vreg(t, i->rm)));
    return true;
}

/* The last word needs the first one of the result. */
bool a64_v_sha1su1(A64Translator *t, const A64V2 *i)
{
    Val x = exclusive(t, vreg(t, i->rd), extract(t, vreg(t, i->rn), vzero(t), 4));

    ir_put(t->b, GVAR_V + i->rd,
        exclusive(t, rotate_left(t, x, 1), extract(t, vzero(t), rotate_left(t, x, 2), 4)));
    return true;
}

bool a64_v_sha256h(A64Translator *t, const A64V3 *i)
{
    return four_rounds(t, IR_vsha256, 0, vreg(t, i->rd), vreg(t, i->rn), i);
}

bool a64_v_sha256h2(A64Translator *t, const A64V3 *i)
{
    return four_rounds(t, IR_vsha256, 1, vreg(t, i->rn), vreg(t, i->rd), i);
}

bool a64_v_sha256su0(A64Translator *t, const A64V2 *i)
{
    Val d = vreg(t, i->rd), x = sigma(t, extract(t, d, vreg(t, i->rn), 4), 7, 18, 3);

    ir_put(t->b, GVAR_V + i->rd, vop2(t, IR_vadd, LANE_32, d, x));
    return true;
}

/* The upper half needs the lower one of the result. */
bool a64_v_sha256su1(A64Translator *t, const A64V3 *i)
{
    Val m = vreg(t, i->rm), zero = vzero(t);
    Val sum = vop2(t, IR_vadd, LANE_32, vreg(t, i->rd), extract(t, vreg(t, i->rn), m, 4));

    sum = vop2(t, IR_vadd, LANE_32, sum, sigma(t, extract(t, m, zero, 8), 17, 19, 10));
    ir_put(t->b, GVAR_V + i->rd,
        vop2(t, IR_vadd, LANE_32, sum, extract(t, zero, sigma(t, sum, 17, 19, 10), 8)));
    return true;
}
