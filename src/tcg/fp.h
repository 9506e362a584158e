/*
 * Floating-point state of a guest CPU: the part of it in CpuEnv (soft float) and the part in the
 * host's MXCSR (generated code on x86-64), seen as one. And the exact meaning of every
 * floating-point operation of ops.h.
 */
#ifndef TCG_FP_H
#define TCG_FP_H

#include "tcg/env.h"
#include "tcg/ir.h"

/* Sticky flags, in RISC-V's order. */
typedef enum FpFlags {
    FP_INEXACT = 1 << 0,
    FP_UNDERFLOW = 1 << 1,
    FP_OVERFLOW = 1 << 2,
    FP_DIVIDE = 1 << 3, /* by zero */
    FP_INVALID = 1 << 4,
    FP_FLUSHED = 1 << 5, /* an operand was flushed to zero: FP_FLUSH */
    FP_ALL_FLAGS = 63,
} FpFlags;

/* The three below are for helpers and the CPU loop: no generated code runs, the MXCSR is in env. */
/* The flags that an MXCSR shows. */
unsigned fp_flags_of_mxcsr(uint32_t mxcsr);
unsigned fp_flags_get(const CpuEnv *env);
void fp_flags_set(CpuEnv *env, unsigned flags);
void fp_round_set(CpuEnv *env, unsigned round); /* FP_RNE ... FP_RMM */

/* Which operation fp_eval does: IrInsn's op, type, aux and imm, and the type of operand a. */
static inline uint32_t fp_key(IrOp op, IrType type, unsigned aux, int32_t imm, IrType operand)
{
    return (uint32_t)op | (uint32_t)type << 8 | (uint32_t)operand << 12 | aux << 16 |
        (uint32_t)imm << 24;
}

/* A scalar operation on floats or integers of any size. */
typedef struct FpAsk {
    IrOp op;
    uint8_t to, from; /* IrLane sizes of the result and of operand a */
    uint8_t aux;      /* FpAux, FpCond */
    uint8_t more;     /* IrInsn.imm */
} FpAsk;

/*
 * Any operation of ops.h on floats that are no vectors, by integer arithmetic alone: flags go to env->fp_flags,
 * FP_DYN rounds by env->fp_round. Uses general registers only, so generated code may call it with
 * vector registers live.
 */
uint64_t fp_eval(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c, uint32_t key);
uint64_t fp_eval_as(CpuEnv *env, const FpAsk *ask, uint64_t a, uint64_t b, uint64_t c);

#endif
