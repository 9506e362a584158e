/*
 * What the vector operations of ops.h mean, lane by lane, by integer arithmetic alone. The interpreter runs on
 * it, and generated code calls it for what its host has no instruction for; guest registers may be in the
 * host's vector registers meanwhile.
 */
#ifndef TCG_VEC_H
#define TCG_VEC_H

#include "tcg/env.h"
#include "tcg/ir.h"

/* Which operation vec_eval does: IrInsn's op, aux and imm (16 bits of it). */
static inline uint32_t vec_key(IrOp op, unsigned aux, int32_t imm)
{
    return (uint32_t)op | aux << 8 | (uint32_t)imm << 16;
}

/*
 * An operation with effect VEC. Operands and results that are not vectors are in d[0], with the rest of the
 * vector zero. Flags go to env->fp_flags. result may be an operand.
 */
void vec_eval(
    CpuEnv *env, IrVec *result, const IrVec *a, const IrVec *b, const IrVec *c, uint32_t key);

#endif
