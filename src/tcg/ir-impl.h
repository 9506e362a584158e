/*
 * What the builder's two halves share: ir.c, which appends, and fold.c, which simplifies before.
 */
#ifndef TCG_IR_IMPL_H
#define TCG_IR_IMPL_H

#include "tcg/ir.h"

static const Val none = { 0 };

static inline IrInsn make(IrOp op, IrType type, unsigned aux, int32_t imm, Val x, Val y, Val z)
{
    return (IrInsn){
        .op = op, .type = type, .aux = (uint8_t)aux, .a = x.id, .b = y.id, .c = z.id, .imm = imm
    };
}

static inline const IrInsn *definition(const IrBlock *b, Val v)
{
    return &b->ops[b->defined_by[v.id]];
}

static inline IrType type_of(const IrBlock *b, Val v)
{
    return (IrType)b->types[v.id];
}

/* Appends as is. The result exists when has_result. */
Val ir_append(IrBlock *b, IrInsn i, bool has_result);

/* Appends a pure operation, or gives the result of an equal one. */
Val ir_append_shared(IrBlock *b, IrInsn i);

/* What is compared. truth: -1 unknown, else the answer. */
typedef struct IrCompare {
    IrCond cond;
    Val x, y;
    int truth;
} IrCompare;

/* The simplest comparison with the same answer. */
IrCompare ir_compare(IrBlock *b, IrCond cond, Val x, Val y);

#endif
