/* What the emitters of vector operations share. */
#ifndef TCG_HOST_X86_64_VEC_H
#define TCG_HOST_X86_64_VEC_H

#include "tcg/host/x86_64/regs.h"
#include "tcg/vec.h"

/* Opcodes with prefix 66, by map: 0F, 0F38, 0F3A. */
#define P1(byte) OPCODE(1, PREFIX_66, byte)
#define P2(byte) OPCODE(2, PREFIX_66, byte)
#define P3(byte) OPCODE(3, PREFIX_66, byte)

enum {
    VOP_PAND = P1(0xdb),
    VOP_PANDN = P1(0xdf),
    VOP_POR = P1(0xeb),
    VOP_PXOR = P1(0xef),
    VOP_PCMPEQD = P1(0x76),
    VOP_PSHUFD = P1(0x70),
    VOP_SHUFPS = OPCODE(1, 0, 0xc6),
    VOP_PSHUFB = P2(0x00),
    VOP_PTEST = P2(0x17),
    VOP_TERNARY = P3(0x25) | ONLY_EVEX, /* vpternlogd */
    MASK_REG = 1,                       /* k1, the only one that is used */
};

static inline unsigned vec_lane(const IrInsn *op)
{
    return op->aux & 3;
}

static inline bool vec_is_sse(const Gen *g)
{
    return g->level == VECTOR_SSE;
}

static inline bool vec_is_512(const Gen *g)
{
    return g->level == VECTOR_AVX512;
}

/* d = a op b. With SSE d must not be b, unless it is a, too. */
void vec3(Gen *g, unsigned opcode, unsigned d, unsigned a, unsigned b);
void vec3_imm(Gen *g, unsigned opcode, unsigned d, unsigned a, unsigned b, unsigned imm);
/* d = a op a constant of the area. */
void vec3_area(Gen *g, unsigned opcode, unsigned d, unsigned a, int offset);
/* d = op a. */
void vec2(Gen *g, unsigned opcode, unsigned d, unsigned a);
void vec2_imm(Gen *g, unsigned opcode, unsigned d, unsigned a, unsigned imm);
void vec_move(Gen *g, unsigned d, unsigned a);
void vec_zero(Gen *g, unsigned d);
/* All ones; d is one of xmm0-15. */
void vec_ones(Gen *g, unsigned d);

/* Lane 0 of 4 or 8 bytes, the rest zero. */
void vec_keep_low(Gen *g, bool is_f64, unsigned d, unsigned a);

/* d = the mask register as lanes of all ones or zero; with AVX-512. */
void vec_from_mask(Gen *g, unsigned lane, unsigned d);

/* Shifts of every lane: group is the opcode 71, 72, 73 with its digit. */
typedef enum VecShift {
    VEC_SHR = 2,
    VEC_SAR = 4,
    VEC_SHL = 6,
    VEC_SHR_BYTES = 3,
    VEC_SHL_BYTES = 7
} VecShift;
void vec_shift(Gen *g, VecShift shift, unsigned lane, unsigned d, unsigned a, unsigned count);

/* Operands and results in registers that instructions without EVEX can name. */
unsigned vec_low_use(Gen *g, unsigned t);
unsigned vec_low_copy(Gen *g, unsigned reg);
/* A register for a result that ends in d: d itself, or a scratch register; vec_move(d, it) afterwards. */
unsigned vec_low_for(Gen *g, unsigned d);

/* Are so many scratch registers left? */
bool vec_has_scratch(const Gen *g, unsigned count);
unsigned vec_scratch(Gen *g);

/* In place of the operation: vec_eval(). */
void vec_soft(Gen *g, const IrInsn *op);
/* The same out of line, of operands in these registers (NO_REG: there is none); result and from are to be set. */
Late *vec_soft_later(Gen *g, const IrInsn *op, unsigned a, unsigned b, unsigned c);

#endif
