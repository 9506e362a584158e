/*
 * The C side of memory accesses that miss the fast path. THUNK_SLOW comes here with env->call filled:
 * [0] address, [1] and [2] operands (store: value; cas: expected, new; vstore: both halves), [3] the key.
 * The result replaces [0] (vload: [0] and [1]).
 */
#ifndef TCG_HOST_X86_64_SLOW_H
#define TCG_HOST_X86_64_SLOW_H

#include "tcg/host.h"

_Static_assert(RMW_KIND_COUNT <= 16, "four bits of a key");

typedef enum SlowKind { SLOW_LOAD, SLOW_STORE, SLOW_RMW, SLOW_CAS } SlowKind;

/* In a key: the block cannot try again; a load or store is in the other data context. */
enum { SLOW_FINAL = 1 << 14, SLOW_OTHER = 1 << 15 };

/* The key: MemOp, RmwKind << 8, SlowKind << 12, perhaps SLOW_FINAL and SLOW_OTHER. */
static inline uint32_t slow_key(SlowKind kind, unsigned memop, unsigned rmw)
{
    return memop | rmw << 8 | (uint32_t)kind << 12;
}

static inline SlowKind slow_kind(uint32_t key)
{
    return (SlowKind)(key >> 12 & 3);
}

typedef enum SlowAnswer { SLOW_FULL, SLOW_DONE, SLOW_RETRY } SlowAnswer;

/* What the first level and the second can do alone. SLOW_RETRY: the fast path will do now. General registers only. */
SlowAnswer slow_quick(CpuEnv *env);
/* The access itself; all guest registers are at home. */
void slow_access(CpuEnv *env);
/* vec_eval of env->vec, key in env->call[3]; the result in env->vec[0]. General registers only. */
void slow_vector(CpuEnv *env);
/* fp_eval of env->call. General registers only. */
void slow_float(CpuEnv *env);

#endif
