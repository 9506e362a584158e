/*
 * The C side of memory accesses that miss the fast path. A block calls THUNK_SLOW and says by a SlowSite in front of
 * the call what it wants; what does not come out of a register is in env->call: [1] and [2] are the operands (store:
 * value; cas: expected, new; vstore: both halves). The result is in [0] (vload: [0] and [1]).
 */
#ifndef TCG_HOST_X86_64_SLOW_H
#define TCG_HOST_X86_64_SLOW_H

#include "tcg/host.h"
#include "tcg/host/x86_64/encode.h"

_Static_assert(RMW_KIND_COUNT <= 16, "four bits of a key");

typedef enum SlowKind { SLOW_LOAD, SLOW_STORE, SLOW_RMW, SLOW_CAS } SlowKind;

/* In a key: the block can try again; a load or store is in the other data context. */
enum { SLOW_RETRY = 1 << 14, SLOW_OTHER = 1 << 15 };

/* The key: MemOp, RmwKind << 8, SlowKind << 12, perhaps SLOW_RETRY and SLOW_OTHER. */
static inline uint32_t slow_key(SlowKind kind, unsigned memop, unsigned rmw)
{
    return memop | rmw << 8 | (uint32_t)kind << 12;
}

static inline SlowKind slow_kind(uint32_t key)
{
    return (SlowKind)(key >> 12 & 3);
}

/*
 * Ends where the call begins, and is never run. With SLOW_RETRY there is an int32_t in front of it: from the return
 * address to where the access is tried again.
 */
typedef struct __attribute__((packed)) SlowSite {
    int32_t disp; /* the address is base + disp */
    uint16_t key;
    uint8_t registers; /* base, value << 4: of that only what the access stores */
} SlowSite;

/* A SlowSite as a word, with a byte too many. */
static inline uint64_t slow_site(uint32_t key, unsigned base, unsigned value, int32_t disp)
{
    return (uint32_t)disp | (uint64_t)(uint16_t)key << 32 | (uint64_t)(base | value << 4) << 48;
}

enum {
    SLOW_CALL = 5,      /* bytes of the call */
    SLOW_IN_CALL = RSP, /* no register of values: it is in env->call[1] */
};

/* The block's registers by number, without RSP and RBP, and where it goes on: the return address. */
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
