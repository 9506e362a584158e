/*
 * Lockstep: blocks run in the interpreter and in the host back end from the same state, and must agree on every
 * guest register, on floating-point flags, on where they go and on the memory they wrote.
 */
#ifndef TCG_LOCKSTEP_H
#define TCG_LOCKSTEP_H

#include "tcg/blocks.h"

typedef struct Lockstep Lockstep;

/* NULL when the translator is not to be checked, or its host is the interpreter itself. */
Lockstep *lockstep_new(TcgCpu *cpu);
void lockstep_free(Lockstep *lockstep);

/*
 * Runs the block at env->pc both ways if it is its turn (the first time, then one of N) and can be taken back. True: it ran, to *reason, which is
 * never EXIT_CHAIN. A difference ends the program, with the block and what differs on stderr.
 */
bool lockstep_run(TcgCpu *cpu, Block *block, ExitReason *reason);

#endif
