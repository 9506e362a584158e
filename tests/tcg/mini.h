/*
 * A guest of ten instructions, so that the runtime is tested without a real one.
 *
 * An instruction is two 16-bit units: op | a << 8 | b << 12, then imm. Registers r0 to r7 are 64 bits. Without
 * a table virtual is physical; with one each address space maps MINI_PAGES pages as the test says.
 */
#ifndef TESTS_TCG_MINI_H
#define TESTS_TCG_MINI_H

#include "core/address-space.h"
#include "core/loop.h"
#include "tcg/tcg.h"

typedef enum MiniOp {
    MINI_BAD,  /* raises MINI_ILLEGAL, as every other encoding */
    MINI_LI,   /* a = imm (signed) */
    MINI_ADDI, /* a = b + imm */
    MINI_ADD,  /* a = a + b */
    MINI_LD,   /* a = 64 bits at b + imm */
    MINI_ST,   /* 64 bits at b + imm = a */
    MINI_ST32, /* 32 bits at b + imm = a */
    MINI_BNE,  /* when a != b: pc += imm */
    MINI_J,    /* pc += imm */
    MINI_JR,   /* pc = a */
    MINI_HALT,
    MINI_AMO,     /* a = 64 bits at b; they += imm */
    MINI_BARRIER, /* what is written as code is seen after it */
    MINI_SPACE,   /* the address space is a */
    MINI_OFF,     /* the CPU turns itself off */
    MINI_IPI,     /* line 0 of CPU imm rises */
    MINI_PAUSE,   /* it looks for something again and again */
    MINI_OPS,
} MiniOp;

enum {
    MINI_REGS = 8,
    MINI_PAGES = 64,
    /* causes */
    MINI_ILLEGAL = 1,
    MINI_PAGE_FAULT = 2,
    MINI_BUS = 3,
    MINI_MISALIGNED = 4,
};
#define MINI_VECTOR UINT64_C(0x100) /* where exceptions go: r7 = pc, r6 = cause */

typedef struct MiniPage {
    uint64_t physical;
    uint64_t size; /* 0: not mapped; a power of two, at least 4 KiB */
    bool write, execute, global;
} MiniPage;

typedef struct MiniCpu {
    CpuEnv env;
    uint64_t r[MINI_REGS];
    uint64_t space;
    MiniPage (*table)[MINI_PAGES]; /* of each space; NULL: virtual is physical */
    uint32_t cause;                /* of the last exception; 0: none since reset */
    uint64_t cause_value, cause_pc;
    bool stop_on_exception; /* leaves the CPU loop */
    bool masks_interrupts;  /* they end a halt, and are not taken */
    unsigned walks;
    _Atomic unsigned irq; /* input lines that are high */
    _Atomic unsigned irqs_taken;
} MiniCpu;

extern const Isa mini_isa, mini_coherent_isa; /* the second needs no barrier */

static inline uint32_t mini(MiniOp op, unsigned a, unsigned b, int imm)
{
    return (uint32_t)op | a << 8 | b << 12 | (uint32_t)imm << 16;
}

/* A machine of RAM at 0 (64 pages more than `pages`: 256 KiB at least) and as many CPUs. */
typedef struct MiniMachine {
    Region *ram, *root;
    AddressSpace *memory;
    Tcg *tcg;
    TcgCpu *cpu[8];
    MiniCpu *mini[8];
    unsigned cpu_count;
} MiniMachine;

typedef struct MiniOptions {
    const Isa *isa; /* NULL: mini_isa */
    TcgOptions tcg;
    unsigned cpus;     /* 0: one */
    uint64_t ram_size; /* 0: 256 KiB */
    Clock *clock;      /* NULL: time stands still, and a CPU that halts ends its run */
} MiniOptions;

MiniMachine *mini_machine_new(const MiniOptions *options);
void mini_machine_free(MiniMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MiniMachine, mini_machine_free)

/* Puts instructions at a physical address, as a loader would. */
void mini_put(MiniMachine *machine, uint64_t at, const uint32_t *insns, unsigned count);
#define MINI_PUT(machine, at, ...)                                                                 \
    mini_put(machine, at, (const uint32_t[]){ __VA_ARGS__ },                                       \
        sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Runs CPU 0 from pc until it halts. */
void mini_run(MiniMachine *machine, uint64_t pc);

/* A test as rows of cmocka's, one for each host, whose name is its initial state. */
#define ON(host, test)                                                                             \
    {                                                                                              \
        .name = #test " on " host, .test_func = test, .initial_state = (void *)host                \
    }
#define BOTH(test) ON("interp", test), ON("x86_64", test)

#endif
