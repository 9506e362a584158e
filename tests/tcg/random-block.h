/*
 * Random blocks of IR over the registers and the memory of toy.h: every operation of ops.h may
 * come.
 */
#ifndef TESTS_TCG_RANDOM_BLOCK_H
#define TESTS_TCG_RANDOM_BLOCK_H

#include "tests/tcg/toy.h"
#include "tests/tcg/vectors.h"

/*
 * Of about `insns` guest instructions. The block is as the frontend would have asked for it: not
 * folded.
 */
void random_block(IrBlock *b, Random *r, unsigned insns);

/*
 * Of one kind of operation above all: of `op`, with operands and results in registers, many times.
 */
void random_block_of(IrBlock *b, Random *r, IrOp op);

/* Registers, memory, rounding mode and flags to begin with. */
void random_state(Toy *toy, Random *r);

#endif
