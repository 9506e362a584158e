/*
 * Rounds of SHA-1 and SHA-256 by the instructions for them (Intel manual volume 2, SHA1RNDS4, SHA256RNDS2), which
 * have no VEX forms. Guests have word A of the state in lane 0, these in lane 3.
 */
#include "tcg/host/x86_64/vec.h"

enum {
    VOP_SHA1RNDS4 = OPCODE(3, 0, 0xcc),
    VOP_SHA256RNDS2 = OPCODE(2, 0, 0xcb), /* the schedule is in xmm0 */
    VOP_PADDD = P1(0xfe),
    VOP_PSUBD = P1(0xfa),
    MIRROR = 0x1b, /* of four lanes */
};

/* d is an operand, too. */
static void hash2(Gen *g, unsigned opcode, unsigned d, unsigned a)
{
    v_op(&g->code, VECTOR_SSE, opcode, false, d, NO_REG, rm_reg(a));
}

static bool has_no_way(const Gen *g)
{
    return !g->area->features.sha || !vec_has_scratch(g, 3);
}

/* The instruction adds constants of its own, which the guest has added already. */
void emit_vsha1(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned function = op->aux < 2 ? op->aux : 2;
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), c = reg_use(g, op->c);
    unsigned state, words, fifth, d;

    if (has_no_way(g)) {
        vec_soft(g, op);
        return;
    }
    state = vec_scratch(g);
    words = vec_scratch(g);
    fifth = vec_scratch(g);
    vec2_imm(g, VOP_PSHUFD, state, a, MIRROR);
    vec2_imm(g, VOP_PSHUFD, words, c, MIRROR);
    vec_shift(g, VEC_SHL_BYTES, LANE_64, fifth, b, 12);
    vec3_area(g, VOP_PSUBD, words, words, offsetof(Area, sha1_constants[function]));
    vec3(g, VOP_PADDD, words, words, fifth);
    hash2(g, VOP_SHA1RNDS4, state, words);
    *g->code.p++ = (uint8_t)function;
    reg_unlock(g, VECTOR, words);
    d = reg_define(g, op->dst);
    vec2_imm(g, VOP_PSHUFD, d, state, MIRROR);
}

/* It wants A, B, E, F and C, D, G, H together, the first of each in lane 3. */
void emit_vsha256(Gen *g, const IrInsn *op, unsigned detail)
{
    enum { FIRST_TWO = 0x11, LAST_TWO = 0xbb, UPPER_HALF = 0x0e };
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), c = reg_use(g, op->c);
    unsigned abef, cdgh, kept, d;

    if (has_no_way(g)) {
        vec_soft(g, op);
        return;
    }
    abef = vec_scratch(g);
    cdgh = vec_scratch(g);
    kept = vec_scratch(g);
    vec3_imm(g, VOP_SHUFPS, abef, b, a, FIRST_TWO);
    vec3_imm(g, VOP_SHUFPS, cdgh, b, a, LAST_TWO);
    vec_move(g, kept, 0);
    vec_move(g, 0, c);
    hash2(g, VOP_SHA256RNDS2, cdgh, abef);
    vec2_imm(g, VOP_PSHUFD, 0, 0, UPPER_HALF);
    hash2(g, VOP_SHA256RNDS2, abef, cdgh);
    vec_move(g, 0, kept);
    reg_unlock(g, VECTOR, kept);
    d = reg_define(g, op->dst);
    vec3_imm(g, VOP_SHUFPS, d, abef, cdgh, op->aux & 1 ? FIRST_TWO : LAST_TWO);
}
