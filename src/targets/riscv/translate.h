/*
 * What the translate functions share: operands, results, and ways to end a block.
 *
 * A translate function (rv_NAME, one for each row of insn.decode) appends the IR of one instruction. It
 * returns false when the encoding is illegal here; it has appended nothing then.
 */
#ifndef TARGETS_RISCV_TRANSLATE_H
#define TARGETS_RISCV_TRANSLATE_H

#include "targets/riscv/state.h"

struct RvTranslator {
    IrBlock *b;
    RvCpu *cpu;
    uint64_t pc, next; /* of this instruction, of the one behind it */
    uint32_t insn;
    int row;           /* that takes it; -1: none */
    uint64_t ahead_pc; /* most likely the instruction that comes next; 1: none */
    uint32_t ahead;
    int ahead_row;
    const uint8_t *code;         /* what has been fetched, from code_pc on */
    uint64_t code_pc, code_room; /* 32 bits are there at less than code_room bytes behind code_pc */
    uint64_t features;           /* without F and D while mstatus.FS is off */
    IrType xt;                   /* of an x register */
    RvPrivilege privilege;
    uint8_t fs, frm; /* RvFs, RvFrm */
    bool ended;      /* the last operation leaves the block */
    bool leave;      /* what follows must be looked up anew: end after this instruction */
    bool enabled;    /* interrupts may have become enabled: see in front of the next instruction */
};

#define NO_VAL ((Val){ 0 })

static inline Val constant(RvTranslator *t, uint64_t value)
{
    return ir_const(t->b, t->xt, value);
}

static inline Val gpr(RvTranslator *t, unsigned n)
{
    return n ? ir_get(t->b, GVAR_X + n) : constant(t, 0);
}

static inline void set_gpr(RvTranslator *t, unsigned n, Val value)
{
    if (n) {
        ir_put(t->b, GVAR_X + n, value);
    }
}

/* The low 32 bits of a register. */
static inline Val gpr32(RvTranslator *t, unsigned n)
{
    return t->xt == I32 ? gpr(t, n) : ir_trunc32(t->b, gpr(t, n));
}

/* Sets a register to an I32, sign-extended. */
static inline void set_gpr32(RvTranslator *t, unsigned n, Val value)
{
    set_gpr(t, n, t->xt == I32 ? value : ir_sext32(t->b, value));
}

/* Sets a register to an I32 that is not negative, such as 0 or 1. */
static inline void set_gpr_bool(RvTranslator *t, unsigned n, Val value)
{
    set_gpr(t, n, t->xt == I32 ? value : ir_zext32(t->b, value));
}

static inline uint64_t wrap(const RvTranslator *t, uint64_t address)
{
    return t->xt == I32 ? (uint32_t)address : address;
}

static inline Val insn_bits(RvTranslator *t)
{
    return ir_const(t->b, I64, t->insn);
}

/* A 64-bit result of a helper as a register's value. */
static inline Val from_helper(RvTranslator *t, Val value)
{
    return t->xt == I32 ? ir_trunc32(t->b, value) : value;
}

/* Raises an exception of this instruction, and ends the block. */
void rv_raise(RvTranslator *t, RvCause cause, Val value);

/* Takes a pending interrupt, in front of the instruction that has just begun. */
void rv_take_enabled(RvTranslator *t);

/* Goes on at a pc that was computed. */
static inline void leave_to(RvTranslator *t, JumpKind kind, Val pc)
{
    ir_goto_val(t->b, kind, pc);
    t->ended = true;
}

#endif
