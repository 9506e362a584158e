/*
 * The C side of memory accesses that miss the fast path. A block calls THUNK_SLOW and says by a SlowSite behind the
 * call what it wants; what does not come out of a register is in env->call: [1] and [2] are the operands (store:
 * value; cas: expected, new; vstore: both halves). The result is in [0] (vload: [0] and [1]).
 */
#ifndef TCG_HOST_X86_64_SLOW_H
#define TCG_HOST_X86_64_SLOW_H

#include "tcg/host.h"
#include "tcg/host/x86_64/encode.h"

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

/* Lies SLOW_SITE bytes behind the return address: there is a jump to where the block goes on. */
typedef struct __attribute__((packed)) SlowSite {
    int32_t disp;  /* the address is base + disp */
    int32_t retry; /* from the return address to where the access is tried again */
    uint16_t key;
    uint8_t base, value; /* general registers; value: NO_REG: in env->call[1] */
    bool is_wide;        /* all 64 bits of value */
} SlowSite;

enum { SLOW_SITE = 5 };

/* The block's registers by number, without RSP and RBP, and where it goes on. */
typedef struct SlowFrame {
    uint64_t reg[16];
    uintptr_t back;
} SlowFrame;

/* What the first level and the second can do alone; 0: use slow_access(). General registers only. */
uint32_t slow_quick(CpuEnv *env, SlowFrame *frame);
/* The access itself; all guest registers are at home as well. After slow_quick(). */
void slow_access(CpuEnv *env, const SlowFrame *frame);
/* vec_eval of env->vec, key in env->call[3]; the result in env->vec[0]. General registers only. */
void slow_vector(CpuEnv *env);
/* fp_eval of env->call. General registers only. */
void slow_float(CpuEnv *env);

#endif
