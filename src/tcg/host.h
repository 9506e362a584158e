/*
 * Hosts: what turns IR into something that runs. One C file each; HOST(x) declares it.
 *
 * A host emits one block at a time into code memory, with every guest register of Isa.gvars at the same place
 * in every block (pinned, or at home in CpuEnv), so blocks can be linked in any order.
 */
#ifndef TCG_HOST_H
#define TCG_HOST_H

#include "tcg/env.h"
#include "tcg/ir.h"

/*
 * Where a block leaves by `goto` or `gotocond`. Until linked it goes to the CPU loop with EXIT_CHAIN and
 * exit_site = this record.
 */
typedef struct BlockExit {
    uint64_t pc;          /* guest virtual target */
    struct Block *block;  /* the block this exit belongs to */
    struct Block *target; /* NULL: unlinked */
    union {
        struct BlockExit *next_in; /* linked: the target's list of exits that come to it */
        uint64_t closed_at; /* page_id 0: not to be linked before all CPUs have passed this epoch */
    };
    uint32_t jump;    /* offset from the block's code of what is patched */
    uint32_t guard;   /* the same of the page id that is compared; 0: same page, no guard */
    int32_t unlinked; /* what is at `jump` while unlinked */
    uint32_t page_id; /* that the guard was given last; kept when unlinked, 0: see closed_at */
} BlockExit;

/* A block's code, through both mappings. */
typedef struct CodeView {
    uint8_t *write;
    const uint8_t *execute;
} CodeView;

/* One place in generated code that may fault or call: host return address -> guest instruction. */
typedef struct SideEntry {
    uint32_t host;  /* offset from the block's code */
    uint16_t guest; /* offset from the block's pc */
    uint8_t insns;  /* guest instructions of this block completed before it */
    uint8_t length; /* of the guest instruction, bytes */
} SideEntry;

/*
 * What emit fills. The caller gives `exits`: IrBlock.exit_count records at the place where they stay, because
 * their addresses go into the code (exit_site). exits[i] is IrBlock.exits[i].
 */
typedef struct Emitted {
    BlockExit *exits;
    uint32_t size; /* bytes of code */
    unsigned side_count;
    SideEntry sides[IR_MAX_OPS];
} Emitted;

typedef struct Host {
    const char *name; /* "x86_64", "interp" */

    /*
     * Once for each code cache: generates the thunks (enter, leave, slow paths) into memory that is writable at
     * write and executable at execute; gives their size, 0 when this machine cannot run the host.
     */
    size_t (*init)(uint8_t *write, const uint8_t *execute, size_t room, const GVar *gvars,
        unsigned gvar_count);

    /*
     * Emits the block at write (to be run at execute). False: not enough room, nothing is changed. The exits
     * are unlinked. `live` comes from ir_live(). thunks is init()'s execute: a process may have several code
     * caches, each for other gvars.
     */
    bool (*emit)(const IrBlock *b, const IrLive *live, const uint8_t *thunks, uint8_t *write,
        const uint8_t *execute, size_t room, Emitted *out);

    /* Runs from code on until it leaves; gives why. env->pc is exact unless it is EXIT_RAISED. */
    ExitReason (*enter)(CpuEnv *env, const uint8_t *thunks, const void *code);

    /* Links an exit of a block to code (page_id for a guarded one), or unlinks it. Another CPU may be running it. */
    void (*link)(BlockExit *exit, CodeView block, const void *code, uint32_t page_id);
    void (*unlink)(BlockExit *exit, CodeView block);
} Host;

/* Declares a host. build/gen/tables.c lists every line that starts with this macro. */
#define HOST(id)                                                                                   \
    extern const Host id##_host;                                                                   \
    const Host id##_host

extern const Host *const hosts[]; /* ends with NULL */

/*
 * Slow paths of guest memory, called by generated code and by the interpreter (src/tcg/tlb.c). They raise by
 * cpu_raise(). op is a MemOp.
 *
 * mem_refill: only general registers, guest registers not in CpuEnv: true when the first-level entry for the
 * address is there now (for a write when write is set) and the access can be repeated; an access that misses
 * again (it crosses a page) takes the full path.
 *
 * Results are zero-extended to 64 bits, or sign-extended with MEM_SIGNED, whatever the operation's type is.
 */
bool mem_refill(CpuEnv *env, uint64_t address, bool write);
uint64_t mem_load(CpuEnv *env, uint64_t address, uint32_t op);
void mem_store(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op);
/* In the other data context: for loadas and storeas. */
bool mem_refill_as(CpuEnv *env, uint64_t address, bool write);
uint64_t mem_load_as(CpuEnv *env, uint64_t address, uint32_t op);
void mem_store_as(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op);
uint64_t mem_rmw(
    CpuEnv *env, uint64_t address, uint64_t operand, uint32_t op_and_kind); /* op | RmwKind << 8 */
uint64_t mem_cas(CpuEnv *env, uint64_t address, uint64_t expected, uint64_t desired, uint32_t op);
void mem_load128(CpuEnv *env, uint64_t address, uint32_t op, void *value);
void mem_store128(CpuEnv *env, uint64_t address, uint32_t op, const void *value);

/*
 * The code of the block at a pc, which is in the jump cache from now on; NULL: leave to look it up. Only general
 * registers, guest registers not in CpuEnv.
 */
const void *jump_refill(CpuEnv *env, uint64_t pc);

#endif
