/*
 * What the builder's two halves share: ir.c, which appends, and fold.c, which simplifies before.
 */
#ifndef TCG_IR_IMPL_H
#define TCG_IR_IMPL_H

#include <string.h>

#include "tcg/ir.h"

static const Val none = { 0 };

/*
 * An operation as two words: so it is built, passed and compared in registers. Field by field the compiler takes
 * it apart and puts it together again at every step.
 */
typedef struct IrWords {
    uint64_t low, high;
} IrWords;

enum {
    WORD_TYPE = 16,
    WORD_AUX = 24,
    WORD_DST = 32,
    WORD_A = 48,
    WORD_B = 0,
    WORD_C = 16,
    WORD_IMM = 32
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(IrWords) == sizeof(IrInsn) &&
        offsetof(IrInsn, dst) * 8 == WORD_DST && offsetof(IrInsn, a) * 8 == WORD_A &&
        offsetof(IrInsn, c) * 8 == 64 + WORD_C && offsetof(IrInsn, imm) * 8 == 64 + WORD_IMM,
    "IrWords is IrInsn");

static inline IrWords words_of(const IrInsn *i)
{
    IrWords words;

    memcpy(&words, i, sizeof(words));
    return words;
}

static inline IrInsn insn_of(IrWords words)
{
    IrInsn i;

    memcpy(&i, &words, sizeof(i));
    return i;
}

static inline IrInsn make(IrOp op, IrType type, unsigned aux, int32_t imm, Val x, Val y, Val z)
{
    return insn_of((IrWords){
        op | (uint64_t)type << WORD_TYPE | (uint64_t)(uint8_t)aux << WORD_AUX |
            (uint64_t)x.id << WORD_A,
        y.id | (uint64_t)z.id << WORD_C | (uint64_t)(uint32_t)imm << WORD_IMM,
    });
}

static inline const IrInsn *definition(const IrBlock *b, Val v)
{
    return &b->ops[b->defined_by[v.id]];
}

static inline IrType type_of(const IrBlock *b, Val v)
{
    return (IrType)b->types[v.id];
}

/* Appends as is, without a result; gives none. */
Val ir_append(IrBlock *b, IrInsn i);
/* With a result of this type. */
Val ir_append_result(IrBlock *b, IrInsn i, IrType type);

/* Defines temporary dst as a constant; `high` counts for a vconst. */
void ir_define_const(IrBlock *b, IrType type, unsigned dst, uint64_t low, uint64_t high);

/* Appends a pure operation, or gives the result of an equal one. */
Val ir_append_shared(IrBlock *b, IrInsn i, IrType type);

/* What is compared. truth: -1 unknown, else the answer. */
typedef struct IrCompare {
    IrCond cond;
    Val x, y;
    int truth;
} IrCompare;

/* The simplest comparison with the same answer. */
IrCompare ir_compare(IrBlock *b, IrCond cond, Val x, Val y);

#endif
