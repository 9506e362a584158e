/*
 * The text form of IR, for print.c and parse.c. One operation on each line:
 *
 *   t3 = add.i64 t1 t2
 *   put.i64 t3 x10
 *   t4 = load.i32 t3 s8 -4
 *   gotocond.i64 t3 t4 ltu+check 0x80000010
 *
 * A constant is written in front of the first operation that names it, and may be read anywhere before it.
 *
 * [result =] name.type operands aux imm. The signature in ops.h says which operands and fields
 * there are; this says how `imm` and `aux` are written.
 */
#ifndef TCG_TEXT_H
#define TCG_TEXT_H

#include "tcg/ir.h"

typedef enum ImmKind {
    IMM_NUMBER, /* decimal */
    IMM_VALUE,  /* of a const: hexadecimal, 64 bits */
    IMM_VALUE2, /* of a vconst: the same, lower half:upper half */
    IMM_GVAR,
    IMM_FIELD, /* lsb:length */
    IMM_LABEL, /* L3 */
    IMM_PC,    /* target of an exit: hexadecimal */
    IMM_HELPER,
    IMM_REASON, /* ExitReason */
    IMM_RMW,    /* RmwKind */
    IMM_NONE,
} ImmKind;

typedef enum AuxKind {
    AUX_NONE,
    AUX_COND,  /* ltu, and `check` */
    AUX_MEMOP, /* u8 s16 32 64be, then +aligned +acquire +release */
    AUX_FP,    /* rne ... dyn, then +first +zero +tiny */
    AUX_LANE,  /* 8 ... 64, then +signed +high +round +sat +unsign */
    AUX_NUMBER,
    AUX_CHECK, /* `check` or nothing */
} AuxKind;

extern const char *const ir_type_names[IR_TYPE_COUNT];
extern const char *const ir_cond_names[IR_COND_COUNT];
extern const char *const ir_rmw_names[RMW_KIND_COUNT];
extern const char *const ir_reason_names[EXIT_BUDGET + 1];
extern const char *const ir_round_names[FP_ROUND + 1]; /* NULL: no such mode */

/* The letters of the operands, after '=' and before the blank. */
unsigned ir_operand_count(IrOp op);
char ir_operand_letter(IrOp op, unsigned index);
char ir_result_letter(IrOp op); /* 0: none */

ImmKind ir_imm_kind(IrOp op);
AuxKind ir_aux_kind(IrOp op);

#endif
