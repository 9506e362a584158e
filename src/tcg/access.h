/*
 * The full paths of guest memory, beyond those of tlb.h: wide and atomic accesses.
 */
#ifndef TCG_ACCESS_H
#define TCG_ACCESS_H

#include "tcg/env.h"

/* Two halves, each atomic; nothing is stored when either page faults. */
void cpu_load128(CpuEnv *env, uint64_t address, uint32_t op, void *value);
void cpu_store128(CpuEnv *env, uint64_t address, uint32_t op, const void *value);

/* What an atomic operation does with the old value. */
typedef struct Change {
    bool compare; /* compare and swap; else an RmwKind */
    RmwKind kind;
    bool swapped; /* big-endian */
    uint64_t operand, expected;
} Change;

/* Changes guest memory atomically; gives the old value, extended as op says. It may have raised. */
uint64_t cpu_change(CpuEnv *env, uint64_t address, uint32_t op, const Change *change);

#endif
