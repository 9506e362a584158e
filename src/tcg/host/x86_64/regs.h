/*
 * Where the values of a block are, for the emitters of operations: an emitter uses its operands first, then
 * defines its result; the registers it got stay its own until the operation is done.
 */
#ifndef TCG_HOST_X86_64_REGS_H
#define TCG_HOST_X86_64_REGS_H

#include "tcg/host/x86_64/gen.h"

/* The temporary in a register, until the operation is done. */
unsigned reg_use(Gen *g, unsigned t);
/* In a register or in memory; or as an immediate. */
Rm reg_rm(Gen *g, unsigned t);
Rm reg_operand(Gen *g, unsigned t);
/* Only a constant that fits, without code: see rm_is_imm(). */
Rm reg_immediate(const Gen *g, unsigned t);
/* For reads of the low 32 bits: what is above does not matter. */
Rm reg_rm_low(Gen *g, unsigned t);

/* A register for the result: the pin it is put into next, or a scratch one. After the operands are used. */
unsigned reg_define(Gen *g, unsigned t);
/* The same, maybe a register of an operand: for one instruction that reads before it writes. */
unsigned reg_define_over(Gen *g, unsigned t, unsigned a);
/* One that holds a's value now, and is none of `avoid` (a bit each). */
unsigned reg_define_from(Gen *g, unsigned t, unsigned a, uint32_t avoid);
/* The result is in this scratch register (taken before). */
void reg_define_in(Gen *g, unsigned t, unsigned reg);
/* The result is a's value, or the low half of it; no code unless it has to be. */
void reg_define_alias(Gen *g, unsigned t, unsigned a);

/* Is a float's register zero but for the float? Emitters set g->alone before they define such a result. */
bool reg_is_alone(const Gen *g, unsigned t);

/* Which operand of a commutative operation to start from. */
void reg_order(const Gen *g, const IrInsn *op, unsigned *a, unsigned *b);

bool reg_is_scratch(RegClass class, unsigned reg);
unsigned reg_scratch(Gen *g, RegClass class);
/* Empties this scratch register and keeps it for the operation. */
void reg_take(Gen *g, RegClass class, unsigned reg);
/* Gives a scratch register (locked before) to a window; it is taken back when nothing else is left. */
void reg_keep_window(Gen *g, unsigned reg);
void reg_close_window(Gen *g, Window *window);
void reg_close_windows(Gen *g);
/* Sees to it that the next scratch register of the class costs no code. */
void reg_reserve(Gen *g, RegClass class);
/* Brings the temporary's value to a register that the caller has. */
void reg_load(Gen *g, unsigned reg, unsigned t);
static inline void reg_unlock(Gen *g, RegClass class, unsigned reg)
{
    g->locked[class] &= ~(1u << reg);
}

/* The register that holds the whole value already, or NO_REG. */
static inline unsigned reg_find(const Gen *g, unsigned t)
{
    const Temp *x = &g->temps[t];

    if (!(x->places & (IN_REG | IN_GVAR)) || (x->dirty && gen_type(g, t) == I64)) {
        return NO_REG;
    }
    return x->places & IN_REG ? x->reg : g->area->pin[x->gvar];
}

/* Where it is now: nothing moves. A v128 must not be a constant that was not used yet. */
Value reg_value(const Gen *g, unsigned t);

void reg_release_ends(Gen *g, const IrInsn *op);
void reg_close_old_windows(Gen *g);

/* After an operation: its last uses give up their places. Mostly no temporary has one of its own. */
static inline void reg_release(Gen *g, const IrInsn *op)
{
    if (g->used[GENERAL] | g->used[VECTOR] | (g->spill_count - g->free_spill_count)) {
        reg_release_ends(g, op);
    }
    if (g->windows_end <= g->at) {
        reg_close_old_windows(g);
    }
    g->locked[GENERAL] = g->locked[VECTOR] = 0;
    g->alone = false;
}

/* Everything that lives after the operation goes to memory; with gvars, also what is the value of one. */
void reg_evict(Gen *g, RegClass class);
void reg_evict_gvars(Gen *g);
/* At the start and at a label: no value lives but the constants. */
void reg_forget(Gen *g);

uint64_t gen_const(const Gen *g, unsigned t);

#endif
