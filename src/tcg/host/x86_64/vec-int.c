/* Vector operations on integers and bits. */
#include "tcg/host/x86_64/vec.h"

/* ---- one instruction ------------------------------------------------------------------------------ */

#define NEW(opcode) ((opcode) | ONLY_EVEX)
#define BOTH(...)                                                                                  \
    {                                                                                              \
        { __VA_ARGS__ },                                                                           \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* By operation, LANE_SIGNED, lane; 0: there is none. */
static const uint32_t lane_opcodes[IR_OP_COUNT][2][4] = {
    [IR_vadd] = BOTH(P1(0xfc), P1(0xfd), P1(0xfe), P1(0xd4) | EVEX_W),
    [IR_vsub] = BOTH(P1(0xf8), P1(0xf9), P1(0xfa), P1(0xfb) | EVEX_W),
    [IR_vmul] = BOTH(0, P1(0xd5), P2(0x40), NEW(P2(0x40)) | EVEX_W),
    [IR_vsmin] = BOTH(P2(0x38), P1(0xea), P2(0x39), NEW(P2(0x39)) | EVEX_W),
    [IR_vsmax] = BOTH(P2(0x3c), P1(0xee), P2(0x3d), NEW(P2(0x3d)) | EVEX_W),
    [IR_vumin] = BOTH(P1(0xda), P2(0x3a), P2(0x3b), NEW(P2(0x3b)) | EVEX_W),
    [IR_vumax] = BOTH(P1(0xde), P2(0x3e), P2(0x3f), NEW(P2(0x3f)) | EVEX_W),
    [IR_vaddsat] = { { P1(0xdc), P1(0xdd) }, { P1(0xec), P1(0xed) } },
    [IR_vsubsat] = { { P1(0xd8), P1(0xd9) }, { P1(0xe8), P1(0xe9) } },
    [IR_vhadd] = { { P1(0xe0), P1(0xe3) } }, /* rounding up */
    [IR_vabs] = BOTH(P2(0x1c), P2(0x1d), P2(0x1e), NEW(P2(0x1f)) | EVEX_W),
    [IR_vclz] = BOTH(0, 0, NEW(P2(0x44)), NEW(P2(0x44)) | EVEX_W),
};

/* 0: not on this machine. */
static unsigned opcode_of(const Gen *g, IrOp op, unsigned aux)
{
    unsigned opcode = lane_opcodes[op][aux & LANE_SIGNED ? 1 : 0][aux & 3];

    return opcode & ONLY_EVEX && !vec_is_512(g) ? 0 : opcode;
}

void emit_vlanes(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned opcode = opcode_of(g, op->op, op->aux);

    if (!opcode || (op->op == IR_vhadd && !(op->aux & LANE_ROUND))) {
        vec_soft(g, op);
    } else {
        emit_vbinary(g, op, opcode);
    }
}

/* vabs, vclz. */
void emit_vunary(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned opcode = opcode_of(g, op->op, op->aux), a;

    if (!opcode) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    vec2(g, opcode, reg_define_over(g, op->dst, op->a), a);
}

void emit_vneg(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a = reg_use(g, op->a), d = reg_define(g, op->dst);

    vec_zero(g, d);
    vec3(g, opcode_of(g, IR_vsub, op->aux), d, d, a);
}

/* 64 bits without AVX-512, and bytes. */
void emit_vmul(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d, t, word = opcode_of(g, IR_vmul, LANE_16);

    if (vec_lane(op) != LANE_8) {
        emit_vlanes(g, op, 0);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    if (!vec_has_scratch(g, 2)) {
        vec_soft(g, op);
        return;
    }
    /* Odd bytes by themselves in the upper half, then even ones. */
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    vec_shift(g, VEC_SHR, LANE_16, t, a, 8);
    vec_shift(g, VEC_SHR, LANE_16, d, b, 8);
    vec3(g, word, t, t, d);
    vec_shift(g, VEC_SHL, LANE_16, t, t, 8);
    vec3(g, word, d, a, b);
    vec3_area(g, VOP_PAND, d, d, offsetof(Area, low_half));
    vec3(g, VOP_POR, d, d, t);
}

/* ---- logic ---------------------------------------------------------------------------------------- */

/* a & ~b: the host inverts the first. */
void emit_vandn(Gen *g, const IrInsn *op, unsigned detail)
{
    IrInsn swapped = *op;

    swapped.a = op->b;
    swapped.b = op->a;
    emit_vbinary(g, &swapped, VOP_PANDN);
}

void emit_vnot(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a = reg_use(g, op->a), ones = vec_scratch(g);

    vec_ones(g, ones);
    vec3(g, VOP_PXOR, reg_define(g, op->dst), a, ones);
}

void emit_vorn(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), ones = vec_scratch(g);

    vec_ones(g, ones);
    vec3(g, VOP_PXOR, ones, ones, b);
    vec3(g, VOP_POR, reg_define(g, op->dst), a, ones);
}

enum { TERNARY_SELECT = 0xca }; /* the first ? the second : the third */

void emit_vselect(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned b = reg_use(g, op->b), c = reg_use(g, op->c), a, t;

    if (vec_is_512(g)) {
        unsigned d = reg_define_from(g, op->dst, op->a, 1u << b | 1u << c);

        v_op(&g->code, g->level, VOP_TERNARY, false, d, b, rm_reg(c));
        *g->code.p++ = TERNARY_SELECT;
        return;
    }
    a = reg_use(g, op->a);
    t = vec_scratch(g);
    vec3(g, VOP_PXOR, t, b, c);
    vec3(g, VOP_PAND, t, t, a);
    vec3(g, VOP_PXOR, t, t, c);
    reg_define_in(g, op->dst, t); /* there may be no other register left */
}

/* ---- shifts --------------------------------------------------------------------------------------- */

static bool is_signed(const IrInsn *op)
{
    return op->aux & LANE_SIGNED;
}

/* Bytes: the words, and what came in from the neighbour masked off. */
static void shift_bytes(Gen *g, const IrInsn *op, VecShift shift, unsigned d, unsigned a)
{
    unsigned count = (unsigned)op->imm;
    uint64_t mask = shift == VEC_SHL ? 0xffu << count & 0xff : 0xffu >> count;
    unsigned bits = reg_scratch(g, GENERAL), t = vec_scratch(g);

    x_mov_imm(&g->code, bits, mask * UINT64_C(0x0101010101010101));
    v_op(&g->code, g->level, VOP_MOVD, true, t, NO_REG, rm_reg(bits));
    vec2_imm(g, VOP_PSHUFD, t, t, 0x44);
    vec_shift(g, shift, LANE_16, d, a, count);
    vec3(g, VOP_PAND, d, d, t);
}

/* Signed bytes, by way of the upper halves of words. */
static void shift_signed_bytes(Gen *g, unsigned d, unsigned a, unsigned count)
{
    unsigned t = vec_scratch(g);

    vec3(g, P1(0x60), t, a, a);
    vec3(g, P1(0x68), d, a, a);
    vec_shift(g, VEC_SAR, LANE_16, t, t, 8 + count);
    vec_shift(g, VEC_SAR, LANE_16, d, d, 8 + count);
    vec3(g, P1(0x63), t, t, d);
    vec_move(g, d, t);
}

/* Does the host have all the shifts that this one takes? */
static bool has_shift(const Gen *g, const IrInsn *op, unsigned lane)
{
    return lane != LANE_64 || !is_signed(op) || vec_is_512(g);
}

/* One place less, then half of that rounded up: the lowest bit added to what is above it. */
static void shift_rounding(Gen *g, const IrInsn *op, unsigned lane, unsigned d, unsigned a)
{
    VecShift shift = is_signed(op) ? VEC_SAR : VEC_SHR;
    unsigned bits = 8u << lane, t = vec_scratch(g);

    vec_shift(g, shift, lane, d, a, (unsigned)op->imm - 1);
    vec_shift(g, VEC_SHL, lane, t, d, bits - 1);
    vec_shift(g, VEC_SHR, lane, t, t, bits - 1);
    vec_shift(g, shift, lane, d, d, 1);
    vec3(g, opcode_of(g, IR_vadd, lane), d, d, t);
}

void emit_vshl(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a = reg_use(g, op->a), d = reg_define(g, op->dst), lane = vec_lane(op);

    if (lane == LANE_8) {
        shift_bytes(g, op, VEC_SHL, d, a);
    } else {
        vec_shift(g, VEC_SHL, lane, d, a, (unsigned)op->imm);
    }
}

void emit_vshr(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), a, d;
    bool rounds = op->aux & LANE_ROUND && op->imm;

    if ((rounds && lane == LANE_8) || !has_shift(g, op, lane)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    if (rounds) {
        shift_rounding(g, op, lane, d, a);
    } else if (lane != LANE_8) {
        vec_shift(g, is_signed(op) ? VEC_SAR : VEC_SHR, lane, d, a, (unsigned)op->imm);
    } else if (is_signed(op)) {
        shift_signed_bytes(g, d, a, (unsigned)op->imm);
    } else {
        shift_bytes(g, op, VEC_SHR, d, a);
    }
}

/* ---- comparisons ---------------------------------------------------------------------------------- */

/* A comparison as a test for equality or greater, and what is to be done about it. */
typedef struct VecCompare {
    bool greater, swaps, inverts;
    IrOp limit; /* equal to the minimum or maximum with b: unsigned comparisons */
} VecCompare;

static const VecCompare compares[IR_COND_COUNT] = {
    [EQ] = { 0 },
    [NE] = { .inverts = true },
    [GT] = { .greater = true },
    [LT] = { .greater = true, .swaps = true },
    [LE] = { .greater = true, .inverts = true },
    [GE] = { .greater = true, .swaps = true, .inverts = true },
    [GEU] = { .limit = IR_vumax },
    [LTU] = { .limit = IR_vumax, .inverts = true },
    [LEU] = { .limit = IR_vumin },
    [GTU] = { .limit = IR_vumin, .inverts = true },
};

static unsigned compare_opcode(bool greater, unsigned lane)
{
    static const unsigned opcodes[2][4] = {
        { P1(0x74), P1(0x75), VOP_PCMPEQD, P2(0x29) },
        { P1(0x64), P1(0x65), P1(0x66), P2(0x37) },
    };

    return opcodes[greater][lane];
}

static void invert(Gen *g, unsigned d)
{
    unsigned ones = vec_scratch(g);

    vec_ones(g, ones);
    vec3(g, VOP_PXOR, d, d, ones);
}

void vec_from_mask(Gen *g, unsigned lane, unsigned d)
{
    static const unsigned opcodes[] = {
        OPCODE(2, PREFIX_F3, 0x28),
        OPCODE(2, PREFIX_F3, 0x28) | EVEX_W,
        OPCODE(2, PREFIX_F3, 0x38),
        OPCODE(2, PREFIX_F3, 0x38) | EVEX_W,
    };

    vec2(g, opcodes[lane] | ONLY_EVEX, d, MASK_REG);
}

static void compare_by_mask(Gen *g, const IrInsn *op)
{
    /* The predicates of vpcmp; unsigned ones by another opcode. */
    static const uint8_t predicates[IR_COND_COUNT] = {
        [EQ] = 0,
        [NE] = 4,
        [LT] = 1,
        [GE] = 5,
        [LE] = 2,
        [GT] = 6,
        [LTU] = 1,
        [GEU] = 5,
        [LEU] = 2,
        [GTU] = 6,
    };
    IrCond cond = (IrCond)op->imm;
    bool is_unsigned = cond == LTU || cond == GEU || cond == LEU || cond == GTU;
    unsigned lane = vec_lane(op), byte = (lane <= LANE_16 ? 0x3f : 0x1f) - is_unsigned;
    unsigned opcode = NEW(P3(byte)) | (lane & 1 ? EVEX_W : 0);
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b);

    vec3_imm(g, opcode, MASK_REG, a, b, predicates[cond]);
    vec_from_mask(g, lane, reg_define_over(g, op->dst, 0));
}

void emit_vcmp(Gen *g, const IrInsn *op, unsigned detail)
{
    const VecCompare *how = &compares[op->imm];
    unsigned lane = vec_lane(op), a, b, d;

    if (vec_is_512(g)) {
        compare_by_mask(g, op);
        return;
    }
    if (how->limit && !opcode_of(g, how->limit, lane)) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, how->swaps ? op->b : op->a);
    b = reg_use(g, how->swaps ? op->a : op->b);
    d = reg_define(g, op->dst);
    if (how->limit) {
        vec3(g, opcode_of(g, how->limit, lane), d, a, b);
        vec3(g, compare_opcode(false, lane), d, d, a);
    } else {
        vec3(g, compare_opcode(how->greater, lane), d, a, b);
    }
    if (how->inverts) {
        invert(g, d);
    }
}

void emit_vtest(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), a = reg_use(g, op->a), b = reg_use(g, op->b), d, zero;

    if (vec_is_512(g)) {
        unsigned opcode = NEW(P2(lane <= LANE_16 ? 0x26 : 0x27)) | (lane & 1 ? EVEX_W : 0);

        vec3(g, opcode, MASK_REG, a, b);
        vec_from_mask(g, lane, reg_define_over(g, op->dst, 0));
        return;
    }
    d = reg_define(g, op->dst);
    vec3(g, VOP_PAND, d, a, b);
    zero = vec_scratch(g);
    vec_zero(g, zero);
    vec3(g, compare_opcode(false, lane), d, d, zero);
    vec_ones(g, zero);
    vec3(g, VOP_PXOR, d, d, zero);
}

/* ---- bits ----------------------------------------------------------------------------------------- */

/* Bytes: each half looked up. */
void emit_vpopcnt(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d, nibble, table;

    if (vec_lane(op) != LANE_8) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    if (g->area->features.bitalg) {
        vec2(g, NEW(P2(0x54)), reg_define_over(g, op->dst, op->a), a);
        return;
    }
    d = reg_define(g, op->dst);
    nibble = vec_scratch(g);
    table = vec_scratch(g);
    vec3_area(g, VOP_PAND, nibble, a, offsetof(Area, low_nibble));
    v_op(&g->code, g->level, VOP_MOVUPS, false, table, NO_REG, AREA(bits_of_nibble));
    vec3(g, VOP_PSHUFB, table, table, nibble);
    vec_shift(g, VEC_SHR, LANE_16, nibble, a, 4);
    vec3_area(g, VOP_PAND, nibble, nibble, offsetof(Area, low_nibble));
    v_op(&g->code, g->level, VOP_MOVUPS, false, d, NO_REG, AREA(bits_of_nibble));
    vec3(g, VOP_PSHUFB, d, d, nibble);
    vec3(g, opcode_of(g, IR_vadd, LANE_8), d, d, table);
}

enum { VOP_GF2_AFFINE = P3(0xce) | EVEX_W };

void emit_vbitrev(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d;

    if (vec_lane(op) != LANE_8 || !g->area->features.gfni) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    /* rip-relative: the immediate counts as well */
    v_op(&g->code, g->level, VOP_GF2_AFFINE | ONLY_EVEX, true, d, a,
        rm_area((int)offsetof(Area, bit_mirror) - 1));
    *g->code.p++ = 0;
}

/* ---- other widths --------------------------------------------------------------------------------- */

/* The lanes of a's low or upper half, twice as wide. */
static void widen(Gen *g, unsigned aux, unsigned d, unsigned a)
{
    unsigned opcode = P2((aux & LANE_SIGNED ? 0x20 : 0x30) + "\0\3\5"[aux & 3]);

    if (aux & LANE_HIGH) {
        vec2_imm(g, VOP_PSHUFD, d, a, 0xee);
        a = d;
    }
    vec2(g, opcode, d, a);
}

void emit_vwiden(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a = reg_use(g, op->a);

    widen(g, op->aux, reg_define_over(g, op->dst, op->a), a);
}

static void multiply_words(Gen *g, const IrInsn *op, unsigned d, unsigned a, unsigned b)
{
    unsigned upper = vec_scratch(g);

    vec3(g, is_signed(op) ? P1(0xe5) : P1(0xe4), upper, a, b);
    vec3(g, P1(0xd5), d, a, b);
    vec3(g, op->aux & LANE_HIGH ? P1(0x69) : P1(0x61), d, d, upper);
}

/* The host multiplies the even lanes. */
static void multiply_doublewords(Gen *g, const IrInsn *op, unsigned d, unsigned a, unsigned b)
{
    unsigned order = op->aux & LANE_HIGH ? 0xfa : 0x50, t = vec_scratch(g);

    vec2_imm(g, VOP_PSHUFD, t, a, order);
    vec2_imm(g, VOP_PSHUFD, d, b, order);
    vec3(g, (is_signed(op) ? P2(0x28) : P1(0xf4)) | EVEX_W, d, d, t);
}

void emit_vmulwide(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), a = reg_use(g, op->a), b = reg_use(g, op->b), d, t;

    if (!vec_has_scratch(g, 2) || lane == LANE_64) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    if (lane == LANE_16) {
        multiply_words(g, op, d, a, b);
    } else if (lane == LANE_32) {
        multiply_doublewords(g, op, d, a, b);
    } else {
        t = vec_scratch(g);
        widen(g, op->aux, t, a);
        widen(g, op->aux, d, b);
        vec3(g, P1(0xd5), d, d, t);
    }
}

/* Unsigned: what is above the limit first becomes the limit, as the host takes lanes for signed. */
static void narrow_unsigned(Gen *g, const IrInsn *op, unsigned pack)
{
    unsigned lane = vec_lane(op), a = reg_use(g, op->a), b = reg_use(g, op->b), d, t;
    int limit = (int)(offsetof(Area, low_half) + (lane - LANE_16) * sizeof(IrVec));
    unsigned min = opcode_of(g, IR_vumin, lane);

    if (!vec_has_scratch(g, 2)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    vec3_area(g, min, t, b, limit);
    vec3_area(g, min, d, a, limit);
    vec3(g, pack, d, d, t);
}

void emit_vnarrow(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op);
    bool to_unsigned = !is_signed(op) || op->aux & LANE_UNSIGN;
    unsigned pack = lane == LANE_16 ? (to_unsigned ? P1(0x67) : P1(0x63))
                                    : (to_unsigned ? P2(0x2b) : P1(0x6b));

    if (!(op->aux & LANE_SAT)) {
        IrInsn even = *op; /* the lower halves are the even lanes */

        even.aux = (uint8_t)(lane - 1);
        even.op = IR_veven;
        emit_vunzip(g, &even, 0);
    } else if (lane == LANE_64) {
        vec_soft(g, op);
    } else if (is_signed(op)) {
        emit_vbinary(g, op, pack);
    } else {
        narrow_unsigned(g, op, pack);
    }
}

/* ---- across lanes --------------------------------------------------------------------------------- */

static unsigned reduce_opcode(const Gen *g, const IrInsn *op)
{
    IrOp step = op->op == IR_vsum ? IR_vadd
        : op->op == IR_vminall    ? (is_signed(op) ? IR_vsmin : IR_vumin)
                                  : (is_signed(op) ? IR_vsmax : IR_vumax);

    return opcode_of(g, step, vec_lane(op));
}

/* Halves, then quarters, ... upon each other; the lowest lane has it all. */
void emit_vreduce(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), opcode = reduce_opcode(g, op), a, d, t, r;

    if (!opcode) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    vec_move(g, d, a);
    for (unsigned bytes = (unsigned)op->imm / 2; bytes >= 1u << lane; bytes /= 2) {
        vec_shift(g, VEC_SHR_BYTES, LANE_64, t, d, bytes);
        vec3(g, opcode, d, d, t);
    }
    if (lane == LANE_64) {
        vec2(g, VOP_MOVQ, d, d);
        return;
    }
    r = reg_scratch(g, GENERAL);
    v_op(&g->code, g->level, VOP_MOVD_STORE, false, d, NO_REG, rm_reg(r));
    if (lane < LANE_32) {
        x_op(&g->code, lane == LANE_8 ? OP_MOVZX8 : OP_MOVZX16, false, r, rm_reg(r));
    }
    v_op(&g->code, g->level, VOP_MOVD, false, d, NO_REG, rm_reg(r));
}

/* ---- cryptography --------------------------------------------------------------------------------- */

enum {
    VOP_PCLMULQDQ = P3(0x44),
    VOP_AESENC = P2(0xdc),
    VOP_AESENCLAST,
    VOP_AESDEC,
    VOP_AESDECLAST,
    VOP_AESIMC = P2(0xdb)
};

void emit_vclmul(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d, x;

    if (vec_lane(op) != LANE_64 || !g->area->features.pclmul) {
        vec_soft(g, op);
        return;
    }
    a = vec_low_use(g, op->a);
    b = vec_low_use(g, op->b);
    d = reg_define(g, op->dst);
    x = vec_low_for(g, d);
    vec3_imm(g, VOP_PCLMULQDQ, x, a, b, op->aux & LANE_HIGH ? 0x11 : 0);
    vec_move(g, d, x);
}

/* The last round of the cipher, or of its inverse, with a key of zero. */
void emit_vaesbox(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d, x, zero;

    if (!g->area->features.aes) {
        vec_soft(g, op);
        return;
    }
    a = vec_low_use(g, op->a);
    zero = vec_scratch(g);
    vec_zero(g, zero);
    d = reg_define(g, op->dst);
    x = vec_low_for(g, d);
    vec3(g, op->aux & 1 ? VOP_AESDECLAST : VOP_AESENCLAST, x, a, zero);
    vec_move(g, d, x);
}

/* Forward: a whole round, behind the inverse of all but its columns. */
void emit_vaesmix(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d, x, zero;

    if (!g->area->features.aes) {
        vec_soft(g, op);
        return;
    }
    a = vec_low_use(g, op->a);
    d = reg_define(g, op->dst);
    x = vec_low_for(g, d);
    if (op->aux & 1) {
        vec2(g, VOP_AESIMC, x, a);
    } else {
        zero = vec_scratch(g);
        vec_zero(g, zero);
        vec3(g, VOP_AESDECLAST, x, a, zero);
        vec3(g, VOP_AESENC, x, x, zero);
    }
    vec_move(g, d, x);
}
