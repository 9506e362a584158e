/*
 * Advanced SIMD and floating point out of line: what is rare, done on the registers in A64Cpu.
 */
#ifndef TARGETS_AARCH64_SIMD_H
#define TARGETS_AARCH64_SIMD_H

#include "targets/aarch64/translate.h"

/* The operations that have no IR, or rarely used ones. The rows of simd.c say what they do. */
/* clang-format off */
#define A64_SIMD_OPS(X) \
    X(sqshl) X(uqshl) X(sqrshl) X(uqrshl) X(sqshlu) X(suqadd) X(usqadd) X(sqrdmlah) X(sqrdmlsh) \
    X(urecpe) X(ursqrte) X(fmulx) X(frecps) X(frsqrts) X(frecpe) X(frsqrte) X(frecpx) \
    X(frint32z) X(frint64z) X(frint32x) X(frint64x) X(fcvts) X(fcvtu) X(scvtf) X(ucvtf) \
    X(fcvts_x) X(fcvtu_x) X(scvtf_x) X(ucvtf_x) X(fcvt) X(fcvtn) X(fcvtl) X(fcvtxn) X(bfcvtn) \
    X(fcadd) X(fcmla) X(fmlal) X(fmlsl) X(bfdot) X(bfmmla) X(bfmlal) X(smmla) X(ummla) X(usmmla) \
    X(fjcvtzs) X(sha512h) X(sha512h2) X(sha512su0) X(sha512su1) X(sm3partw1) X(sm3partw2) X(sm3ss1) \
    X(sm3tt1a) X(sm3tt1b) X(sm3tt2a) X(sm3tt2b) X(sm4e) X(sm4ekey)
/* clang-format on */

typedef enum A64SimdOp {
#define OP(name) SIMD_##name,
    A64_SIMD_OPS(OP)
#undef OP
        SIMD_OP_COUNT
} A64SimdOp;

/* What a helper works on; it travels as the 64 bits of its argument. */
typedef struct A64Operands {
    uint8_t rd, rn, rm;
    uint8_t form, size; /* as in simd.rows */
    uint8_t lane;       /* LANE_OF_EACH, or the lane of rm that all take */
    uint8_t shift;      /* bits behind the point, or to shift by */
    uint8_t imm;        /* rotation, rounding, ra, size of a result ...: as the operation says */
} A64Operands;

_Static_assert(sizeof(A64Operands) == 8, "they are one argument");

enum {
    LANE_OF_EACH = 255,
    NO_REGISTER =
        32, /* as rn or rm: the general register; as rd: only the helper's result is wanted */
    /* imm of conversions to integers: how to round, FpAux; with general registers, their size */
    IMM_ROUND = 7,
    IMM_64 = 1 << 3,
};

/* Does op on vector registers. Always true. */
bool simd_help(A64Translator *t, A64SimdOp op, A64Operands o);
/* The same with lane 0 of a result put into a general register, or a first operand from one. */
bool simd_help_to_x(A64Translator *t, A64SimdOp op, unsigned sf, A64Operands o);
bool simd_help_from_x(A64Translator *t, A64SimdOp op, unsigned sf, A64Operands o);

/* FCVTN and FCVTL with halves, which depend on FPCR.AHP. */
bool simd_help_narrow(A64Translator *t, const A64V2 *i);
bool simd_help_widen(A64Translator *t, const A64V2 *i);

/* VFPExpandImm() of the manual. */
uint64_t a64_fp_constant(unsigned size, unsigned imm8);

/* ---- simd.c, crypto.c ---- */

/* Operands (a), A64SimdOp (b), a general register (c); gives lane 0 of the result. */
extern const Helper a64_help_simd;

/* An operation on whole registers. */
typedef struct A64SimdWork A64SimdWork;
typedef void A64SimdWhole(A64SimdWork *w, IrVec *d, const IrVec *n, const IrVec *m);

/* d is both what rd was and the result. */
A64SimdWhole a64_sha512h, a64_sha512h2, a64_sha512su0, a64_sha512su1, a64_sm3partw1, a64_sm3partw2,
    a64_sm3ss1, a64_sm3tt1a, a64_sm3tt1b, a64_sm3tt2a, a64_sm3tt2b, a64_sm4e, a64_sm4ekey;

/* Its imm: register ra (SM3SS1), or a lane (SM3TT). */
unsigned a64_simd_imm(const A64SimdWork *w);
const IrVec *a64_simd_register(const A64SimdWork *w, unsigned n);

#endif
