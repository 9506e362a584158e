/*
 * Guest ISAs: one folder each, with insn.decode, translate*.c and this table.
 */
#ifndef TARGETS_ISA_H
#define TARGETS_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cpu.h"
#include "tcg/env.h"
#include "tcg/ir.h"

struct FdtNode;

/* In IrBlock.mode, never in CpuEnv.mode: Translation.marked of the page that the code is on. */
#define ISA_MODE_MARKED (UINT32_C(1) << 31)

typedef enum Access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH } Access;

/* The answer of a page walk. The rights are those of the mode that was asked for. */
typedef struct Translation {
    unsigned bytes;            /* in the question: how many are accessed there; 0: not known */
    uint64_t physical;         /* of the address asked for */
    uint64_t page_size;        /* power of two; the rights hold for all of it */
    bool read, write, execute; /* write only when no dirty bit has to be set first */
    bool global;               /* the same in every address space */
    bool strict;               /* data there is accessed aligned, or it is align_fault */
    bool marked;               /* code there is translated with ISA_MODE_MARKED */
    bool is_alias;             /* flushes name the same page by another address: */
    uint64_t plain;            /* that one, which differs above bit 31 only */
    uint32_t cause;            /* when the walk says false: for cpu_raise() */
} Translation;

/* A named piece of the CPU state beyond the gvars: for traces, gdb, snapshots and tests alike. */
typedef struct IsaField {
    const char *name;
    size_t offset; /* from CpuEnv */
    unsigned bits;
} IsaField;

/*
 * The contexts a CPU is in. Whatever changes one of these calls cpu_context_changed(env) (tcg/tlb.h), which
 * costs a look-up and never a flush. Equal keys mean equal translations, until a flush says otherwise.
 */
typedef struct IsaContext {
    uint64_t data_space;  /* address space of loads and stores: root, ASID, "off" ... */
    uint64_t data_rights; /* privilege, SUM, MXR ...: whatever the walk's rights depend on */
    uint64_t fetch_space, fetch_rights;
    uint64_t other_space, other_rights; /* of loadas and storeas, if the ISA has a use for them */
} IsaContext;

typedef struct CpuFault {
    uint32_t cause;
    uint64_t value;
} CpuFault;

typedef struct Isa {
    const char *name; /* "riscv64": the word after `isa:` */
    size_t env_size;  /* the state starts with a CpuEnv and comes zeroed */
    const GVar *gvars;
    unsigned gvar_count;
    const IsaField *fields; /* ends with a NULL name */
    unsigned address_bits;  /* of a guest virtual address: 32 or 64 */
    bool
        coherent_code; /* a store is seen by the next instruction fetched, without a barrier (x86) */

    bool change_reads; /* what changes memory faults as a read where that would fault too */

    /* model and features are checked against schemas/cpus before; false with a message when they cannot be. */
    bool (*init)(CpuEnv *env, const char *model, const char *const *features, char **error);
    void (*reset)(CpuEnv *env);
    /* After reset: where to begin, and the boot protocol's arguments (a0..a3, x0..x3). */
    void (*set_entry)(CpuEnv *env, uint64_t pc, const uint64_t args[4]);

    /* Translates from b->pc on, at most to the end of that page (one instruction may straddle), reading code with isa_fetch. */
    void (*translate)(IrBlock *b, CpuEnv *env);

    /* False: translation->cause is the fault. Any CPU thread, without the machine lock. */
    bool (*walk)(CpuEnv *env, uint64_t address, Access access, Translation *translation);
    void (*contexts)(const CpuEnv *env, IsaContext *out);

    /* Cause for cpu_raise() of an access to nothing, or one that is not aligned. */
    uint32_t (*bus_fault)(const CpuEnv *env, Access access);
    uint32_t (*align_fault)(const CpuEnv *env, Access access);

    /* Takes the exception raised_cause/raised_value at env->pc: changes mode and pc. */
    void (*deliver)(CpuEnv *env);

    /* An input line changed; machine lock held, any thread. Records it and calls cpu_kick when it may matter. */
    void (*set_input)(CpuEnv *env, unsigned line, bool level);
    /* CPU thread, no generated code running: takes a pending interrupt if it is enabled; true when taken. */
    bool (*take_interrupt)(CpuEnv *env);
    /* Is there a reason to leave a wait-for-interrupt? Any thread. */
    bool (*wakes)(const CpuEnv *env);

    /* The CPU's own keys of its FDT node, and the node its interrupts come to; optional. */
    void (*describe)(const CpuEnv *env, struct FdtNode *node);
    struct FdtNode *(*interrupt_controller)(const CpuEnv *env, struct FdtNode *node);
    /* CpuOps.identify; optional */
    void (*identify)(const CpuEnv *env, CpuIdVisit *visit, void *data);

    /* Disassembles one instruction into text; gives its length in bytes. */
    unsigned (*disassemble)(
        uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size);
} Isa;

/* Declares an ISA. build/gen/tables.c lists every line that starts with this macro. */
#define ISA(id)                                                                                    \
    extern const Isa id##_isa;                                                                     \
    const Isa id##_isa

extern const Isa *const isas[]; /* ends with NULL */

/*
 * For translate: the 16-bit unit of guest code at pc (virtual, 2-aligned; host byte order is little), at or after
 * the block's pc and less than 1 KiB beyond it. False when it can not be fetched: *fault says why; the frontend
 * raises it only if the instruction is the block's first, else ends the block before it. (src/tcg/translate.c)
 */
bool isa_fetch16(CpuEnv *env, uint64_t pc, uint16_t *unit, CpuFault *fault);
/*
 * The same for 32 bits at a multiple of 4, and for what comes behind them: code to look at up to the pc *end, in the
 * page of this one. NULL: they can not be fetched.
 */
const uint8_t *isa_fetch_run(CpuEnv *env, uint64_t pc, uint64_t *end, CpuFault *fault);
/*
 * At least 32 bits at any such pc, up to *end, all on the block's first page: for a while nobody need be asked. NULL:
 * isa_fetch16() has to see.
 */
const uint8_t *isa_fetched_run(CpuEnv *env, uint64_t pc, uint64_t *end);

#endif
