/*
 * CpuEnv: the head of every guest CPU's state, and all of it that generated code knows.
 *
 * Memory of one CPU is [CpuFar][CpuEnv][the ISA's registers]: env points at the middle, the hot fields are
 * within 128 bytes of it, and the first-level TLB lies at fixed negative offsets.
 */
#ifndef TCG_ENV_H
#define TCG_ENV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcg/ir.h"

enum {
    GUEST_PAGE_BITS = 12,
    GUEST_PAGE_SIZE = 1 << GUEST_PAGE_BITS,
    TLB_BITS = 10, /* entries of each first-level array, log2 */
    TLB_SIZE = 1 << TLB_BITS,
    CONTEXT_BITS = 6, /* data context ids live in bits 11..6 of a TLB tag */
    CONTEXT_SHIFT = 6,
    JUMP_BITS = 13, /* entries of a jump cache, log2 */
    JUMP_SIZE = 1 << JUMP_BITS,
    ITLB_BITS = 12,
    ITLB_SIZE = 1 << ITLB_BITS,
};

/* tag: guest virtual page | context id << 6. addend: host address minus guest virtual address. */
typedef struct TlbEntry {
    uint64_t tag; /* TLB_INVALID matches nothing */
    uintptr_t addend;
} TlbEntry;

#define TLB_INVALID UINT64_C(0x3f)
#define OTHER_UNKNOWN UINT64_C(1) /* matches nothing: to be looked up when it is needed */

typedef struct JumpEntry {
    uint64_t pc; /* guest virtual; in an empty entry one of another index */
    const void *code;
} JumpEntry;

/*
 * What direct and indirect jumps look up. One for each live pair of fetch address space and mode, so a
 * context switch is one store of CpuEnv.fetch and nothing is cleared.
 */
typedef struct FetchContext {
    JumpEntry jump[JUMP_SIZE]; /* index: (pc >> 1) ^ (pc >> (1 + JUMP_BITS)), masked */
    uint32_t itlb
        [ITLB_SIZE]; /* index: page number, masked; value: id of (virtual page, physical page), 0: none */
} FetchContext;

typedef struct CpuFar {
    uint64_t
        spill[IR_MAX_OPS]
             [2]; /* temporaries that found no register: never more than there are operations */
    TlbEntry
        read[TLB_SIZE]; /* index: page number, masked. Only pages that need no slow path are here */
    TlbEntry write[TLB_SIZE];
} CpuFar;

/* CpuEnv.raised. */
typedef enum Raised {
    RAISED_EXCEPTION = 1, /* cpu_raise(): the current instruction did nothing */
    RAISED_CODE_CHANGED,  /* it is complete, but wrote code: what follows may be another */
} Raised;

struct CpuEnv {
    /* Hot: generated code. */
    _Atomic uint32_t
        exit_request;      /* any thread sets it; tested on backward edges and indirect jumps */
    uint32_t mode;         /* facts that change how code is translated; the ISA's bits */
    uint64_t data_context; /* id << CONTEXT_SHIFT */
    FetchContext *fetch;
    int64_t budget;         /* instructions left, when counting; checked at block entry */
    uint64_t pc;            /* valid while no generated code runs */
    uint32_t mxcsr;         /* x86: guest rounding and the sticky flags raised by the host FPU */
    uint8_t fp_flags;       /* FpFlags raised by soft float, and all of them on other hosts */
    uint8_t fp_round;       /* FpAux rounding for FP_DYN; write it with fp_round_set() */
    uint8_t raised;         /* not 0: leave at once. Raised */
    uint8_t in_code;        /* generated code is running (for requests that must wait) */
    const void *exit_site;  /* EXIT_CHAIN: which exit; EXIT_RAISED: host return address */
    uint64_t call[4];       /* arguments on their way from generated code to a thunk */
    uint64_t other_context; /* of loadas and storeas, as data_context; OTHER_UNKNOWN */

    /* Cold. */
    IrVec vec
        [3]; /* operands of vec_eval() on their way from generated code; the result is in the first */
    struct TcgCpu *cpu;
    bool other;     /* such an access is under way: what is asked of the ISA is about it */
    unsigned index; /* of the CPU in the machine; set before Isa.init */
    uint64_t
        timebase_hz; /* of the counter that the guest reads; 0: the ISA decides; set before too */
    uint32_t raised_cause; /* for Isa.deliver */
    uint64_t raised_value;
};

/* Byte offset from env of a field of CpuFar; negative. */
#define FAR_OFFSET(field) ((int)offsetof(CpuFar, field) - (int)sizeof(CpuFar))

static inline CpuFar *env_far(CpuEnv *env)
{
    return (CpuFar *)env - 1;
}

static inline unsigned jump_index(uint64_t pc)
{
    return ((pc >> 1) ^ (pc >> (1 + JUMP_BITS))) & (JUMP_SIZE - 1);
}

/* Records an exception of the current instruction; the caller returns at once, the CPU loop delivers it. */
static inline void cpu_raise(CpuEnv *env, uint32_t cause, uint64_t value)
{
    env->raised = RAISED_EXCEPTION;
    env->raised_cause = cause;
    env->raised_value = value;
}

#endif
