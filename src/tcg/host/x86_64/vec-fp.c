/*
 * Vector operations on floats of 32 and 64 bits: the host's instruction, and one look at all lanes of the
 * result. Where one of them is a NaN or may have been tiny (see fp.c), vec_eval() does the operation again out
 * of line, so operands stay where they are. 16-bit lanes go there at once, and scalars in vectors too but for
 * conversions to and from integers, and comparisons.
 */
#include "tcg/fp.h"
#include "tcg/host/x86_64/vec.h"

typedef enum Predicate { CMP_EQ, CMP_LT, CMP_LE, CMP_UNORD, CMP_EQ_OR_UNORD = 8 } Predicate;

enum {
    VOP_CMP = OPCODE(1, 0, 0xc2),
    QUIETLY = 0x10,    /* CMP_LT, CMP_LE; AVX */
    SIGNALLING = 0x10, /* CMP_EQ, CMP_UNORD; AVX */
    MODE_OF_MXCSR = 4, /* roundps */
    NO_INEXACT = 8,
};

/* For f64: prefix 66. */
static unsigned packed(unsigned opcode, bool is_f64)
{
    return opcode | (is_f64 ? PREFIX_66 << 10 | EVEX_W : 0);
}

static bool is_f64(const IrInsn *op)
{
    return (op->imm & 7) == VF_64;
}

static unsigned more(const IrInsn *op)
{
    return (unsigned)op->imm >> VF_MORE;
}

/* Lanes that the host has. */
static bool has_lanes(const IrInsn *op)
{
    return !(op->aux & FP_FLUSH) && (op->imm & 7) >= VF_32;
}

static bool is_scalar(const IrInsn *op)
{
    return op->imm & VF_SCALAR;
}

static bool is_native(const IrInsn *op)
{
    return has_lanes(op) && !is_scalar(op);
}

/* Can the host do it, rounding as the MXCSR says? */

static bool rounds_natively(const IrInsn *op)
{
    return is_native(op) && (op->aux & FP_ROUND) == FP_DYN;
}

/* ---- looking at the result ------------------------------------------------------------------------ */

/* The flags say whether any lane of x compares so (not equal: yes). t: a scratch register. */
static void test_lanes(Gen *g, bool f64, unsigned t, unsigned x, unsigned y, unsigned predicate)
{
    if (vec_is_512(g)) {
        vec3_imm(g, packed(VOP_CMP, f64) | ONLY_EVEX, MASK_REG, x, y, predicate);
        x_bytes(&g->code, "\xc5\xf8\x98\xc9", 4); /* kortestw k1, k1 */
    } else {
        vec3_imm(g, packed(VOP_CMP, f64), t, x, y, predicate);
        vec2(g, VOP_PTEST, t, t);
    }
}

/* SSE does not have the predicate for both. */
static void test_equal_or_unordered(Gen *g, bool f64, unsigned t, unsigned x, unsigned normal)
{
    if (!vec_is_sse(g)) {
        test_lanes(g, f64, t, x, normal, CMP_EQ_OR_UNORD);
        return;
    }
    vec3_imm(g, packed(VOP_CMP, f64), normal, normal, x, CMP_EQ);
    vec3_imm(g, packed(VOP_CMP, f64), x, x, x, CMP_UNORD);
    vec3(g, VOP_POR, x, x, normal);
    vec2(g, VOP_PTEST, x, x);
}

static bool may_underflow(const IrInsn *op)
{
    return op->aux & FP_TINY_BEFORE && op->op != IR_vfadd && op->op != IR_vfsub &&
        op->op != IR_vfsqrt;
}

/* Needs one scratch register, two when the result may underflow. f64: the lanes of d. */
static void check_lanes(Gen *g, const IrInsn *op, bool f64, unsigned d, Late *late)
{
    unsigned t = vec_scratch(g), normal;

    if (may_underflow(op)) {
        normal = vec_scratch(g);
        vec3_area(
            g, VOP_PAND, t, d, f64 ? offsetof(Area, magnitude64) : offsetof(Area, magnitude32));
        v_op(&g->code, g->level, VOP_MOVUPS, false, normal, NO_REG,
            f64 ? AREA(normals64) : AREA(normals32));
        test_equal_or_unordered(g, f64, t, t, normal);
    } else {
        test_lanes(g, f64, t, d, d, CMP_UNORD);
    }
    late->from = x_jump_if(&g->code, COND_NE, NULL);
    late->back = g->code.p;
    late->result = d;
}

/* d, t and maybe one more. */
static bool has_room(const Gen *g, const IrInsn *op)
{
    return vec_has_scratch(g, may_underflow(op) ? 3 : 2);
}

/* ---- arithmetic ------------------------------------------------------------------------------------ */

/* detail: the opcode of the scalar operation without prefix. */
void emit_vfbinary(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;

    if (!rounds_natively(op)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    if (!has_room(g, op)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    vec3(g, packed(detail, is_f64(op)), d, a, b);
    check_lanes(g, op, is_f64(op), d, vec_soft_later(g, op, a, b, NO_REG));
}

void emit_vfsqrt(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d;

    if (!rounds_natively(op)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    vec2(g, packed(VOP_SQRT, is_f64(op)), d, a);
    check_lanes(g, op, is_f64(op), d, vec_soft_later(g, op, a, NO_REG, NO_REG));
}

/* detail: Opcode for f32. */
void emit_vfma(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, c, d;

    if (!rounds_natively(op) || !g->area->features.fma) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    c = reg_use(g, op->c);
    if (!has_room(g, op)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    vec_move(g, d, c);
    v_op(&g->code, g->level, detail, is_f64(op), d, a, rm_reg(b));
    check_lanes(g, op, is_f64(op), d, vec_soft_later(g, op, a, b, c));
}

/*
 * detail: Opcode without prefix. The host gives b for zeroes of either sign and for NaNs, and calls quiet NaNs
 * invalid: those are looked for before. Both ways round differ for zeroes only: or, and finds the sign.
 */
void emit_vfminmax(Gen *g, const IrInsn *op, unsigned detail)
{
    bool f64 = is_f64(op);
    unsigned a, b, d, t;
    Late *late;

    if (!is_native(op)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    if (!vec_has_scratch(g, 2)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    late = vec_soft_later(g, op, a, b, NO_REG);
    test_lanes(g, f64, t, a, b, CMP_UNORD);
    late->from = x_jump_if(&g->code, COND_NE, NULL);
    vec3(g, packed(detail, f64), d, a, b);
    vec3(g, packed(detail, f64), t, b, a);
    vec3(g, detail == VOP_MIN ? VOP_POR : VOP_PAND, d, d, t);
    late->back = g->code.p;
    late->result = d;
}

/* ---- comparisons ---------------------------------------------------------------------------------- */

/* AVX has all of them quiet and signalling; -1: SSE does not have it. */
static int predicate_of(const Gen *g, unsigned cond)
{
    static const uint8_t predicates[] = {
        [FP_EQ] = CMP_EQ,
        [FP_LT] = CMP_LT,
        [FP_LE] = CMP_LE,
        [FP_UNORDERED] = CMP_UNORD,
    };
    unsigned plain = predicates[cond & FP_COND];
    bool less = plain == CMP_LT || plain == CMP_LE, signalling = cond & FP_SIGNALLING;

    if (less == signalling) {
        return (int)plain;
    }
    return vec_is_sse(g) ? -1 : (int)(plain | (less ? QUIETLY : SIGNALLING));
}

/* Lane 0 only: nothing is raised for the others, and they become zero. */
static void compare_scalar(Gen *g, bool f64, unsigned d, unsigned a, unsigned b, unsigned predicate)
{
    unsigned opcode = VOP_CMP | (f64 ? PREFIX_F2 << 10 | EVEX_W : PREFIX_F3 << 10);

    if (vec_is_512(g)) {
        vec3_imm(g, opcode | ONLY_EVEX, MASK_REG, a, b, predicate);
        vec_from_mask(g, f64 ? LANE_64 : LANE_32, d);
    } else {
        vec3_imm(g, opcode, d, a, b, predicate);
    }
    vec_keep_low(g, f64, d, d);
}

void emit_vfcmp(Gen *g, const IrInsn *op, unsigned detail)
{
    bool f64 = is_f64(op);
    int predicate = predicate_of(g, more(op));
    unsigned a, b, d;

    if (!has_lanes(op) || predicate < 0) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    d = reg_define(g, op->dst);
    if (is_scalar(op)) {
        compare_scalar(g, f64, d, a, b, (unsigned)predicate);
    } else if (vec_is_512(g)) {
        vec3_imm(g, packed(VOP_CMP, f64) | ONLY_EVEX, MASK_REG, a, b, (unsigned)predicate);
        vec_from_mask(g, f64 ? LANE_64 : LANE_32, d);
    } else {
        vec3_imm(g, packed(VOP_CMP, f64), d, a, b, (unsigned)predicate);
    }
}

/* ---- conversions ---------------------------------------------------------------------------------- */

enum { VOP_ROUNDPS = P3(0x08), VOP_ROUNDPD = P3(0x09) | EVEX_W };

/* Mode of roundps; -1: the host does not have it. */
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
        [FP_DYN] = MODE_OF_MXCSR,
    };

    return has_lanes(op) ? modes[op->aux & FP_ROUND] : -1;
}

void emit_vfround(Gen *g, const IrInsn *op, unsigned detail)
{
    int mode = host_rounding(op);
    unsigned a, d;

    if (mode < 0 || is_scalar(op)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    vec2_imm(g, is_f64(op) ? VOP_ROUNDPD : VOP_ROUNDPS, d, a,
        (unsigned)mode | (more(op) & 1 ? 0 : NO_INEXACT));
    if ((op->aux & FP_NAN_RULE) != FP_NAN_FIRST) {
        IrInsn exact = *op;

        exact.aux &= (uint8_t)~FP_TINY_BEFORE;
        check_lanes(g, &exact, is_f64(op), d, vec_soft_later(g, op, a, NO_REG, NO_REG));
    }
}

/* The operand, of a scalar operation in a register with nothing else. */
static unsigned first_lane(Gen *g, const IrInsn *op, unsigned t)
{
    unsigned a = reg_use(g, t), d;

    if (!is_scalar(op)) {
        return a;
    }
    d = vec_scratch(g);
    vec_keep_low(g, is_f64(op), d, a);
    return d;
}

/* By is unsigned, 64 bits; 0: not on this machine. */
static unsigned from_int_opcode(const Gen *g, bool is_unsigned, bool f64)
{
    static const unsigned opcodes[2][2] = {
        { OPCODE(1, 0, 0x5b), OPCODE(1, PREFIX_F3, 0xe6) | EVEX_W | ONLY_EVEX },
        { OPCODE(1, PREFIX_F2, 0x7a) | ONLY_EVEX, OPCODE(1, PREFIX_F3, 0x7a) | EVEX_W | ONLY_EVEX },
    };
    unsigned opcode = opcodes[is_unsigned][f64];

    return opcode & ONLY_EVEX && !vec_is_512(g) ? 0 : opcode;
}

void emit_vitof(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned opcode = from_int_opcode(g, more(op) & 1, is_f64(op)), a;

    if (!has_lanes(op) || (op->aux & FP_ROUND) != FP_DYN || !opcode) {
        vec_soft(g, op);
        return;
    }
    a = first_lane(g, op, op->a);
    vec2(g, opcode, reg_define_over(g, op->dst, op->a), a);
}

/* Signed; the host's answer where there is none is the least integer. */
void emit_vftoi(Gen *g, const IrInsn *op, unsigned detail)
{
    static const unsigned opcodes[2][2] = {
        /* by the MXCSR, cutting off; f64 */
        { P1(0x5b), OPCODE(1, PREFIX_F3, 0x5b) },
        { P1(0x7b) | EVEX_W | ONLY_EVEX, P1(0x7a) | EVEX_W | ONLY_EVEX },
    };
    bool f64 = is_f64(op), cuts = (op->aux & FP_ROUND) == FP_RTZ;
    int mode = host_rounding(op);
    unsigned a, d, t;
    Late *late;

    if (more(op) & 1 || (mode != MODE_OF_MXCSR && !cuts) || mode < 0 || (f64 && !vec_is_512(g))) {
        vec_soft(g, op);
        return;
    }
    a = first_lane(g, op, op->a);
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    late = vec_soft_later(g, op, a, NO_REG, NO_REG);
    late->result = d;
    vec2(g, opcodes[f64][cuts], d, a);
    v_op(&g->code, g->level, VOP_MOVUPS, false, t, NO_REG, f64 ? AREA(sign64) : AREA(sign32));
    if (vec_is_512(g)) {
        /* vpcmpeqd, q */
        vec3(g, (f64 ? P2(0x29) | EVEX_W : VOP_PCMPEQD) | ONLY_EVEX, MASK_REG, d, t);
        x_bytes(&g->code, "\xc5\xf8\x98\xc9", 4); /* kortestw k1, k1 */
    } else {
        vec3(g, VOP_PCMPEQD, t, t, d);
        vec2(g, VOP_PTEST, t, t);
    }
    late->from = x_jump_if(&g->code, COND_NE, NULL);
    late->back = g->code.p;
}

enum { VOP_CVTPS_PD = OPCODE(1, 0, 0x5a), VOP_CVTPD_PS = P1(0x5a) | EVEX_W };

void emit_vfwiden(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d, from;

    if (!is_native(op) || (op->aux & FP_NAN_RULE) != FP_NAN_FIRST) {
        vec_soft(g, op);
        return;
    }
    a = from = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    if (more(op) & 1) {
        vec2_imm(g, VOP_PSHUFD, d, a, 0xee);
        from = d;
    }
    vec2(g, VOP_CVTPS_PD, d, from);
}

void emit_vfnarrow(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d, t;

    if (!rounds_natively(op) || !is_f64(op)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    if (!vec_has_scratch(g, 3)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    vec2(g, VOP_CVTPD_PS, d, a);
    vec2(g, VOP_CVTPD_PS, t, b);
    vec3(g, P1(0x6c) | EVEX_W, d, d, t);
    reg_unlock(g, VECTOR, t);
    check_lanes(g, op, false, d, vec_soft_later(g, op, a, b, NO_REG));
}
