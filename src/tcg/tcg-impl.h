/*
 * The translator's own view of itself: one Tcg for all CPUs of an ISA in a machine, one TcgCpu for each CPU.
 */
#ifndef TCG_TCG_IMPL_H
#define TCG_TCG_IMPL_H

#include <pthread.h>
#include <stdio.h>

#include "core/address-space.h"
#include "core/clock.h"
#include "core/cpu.h"
#include "targets/isa.h"
#include "tcg/blocks.h"
#include "tcg/chain.h"
#include "tcg/code.h"
#include "tcg/exec.h"
#include "tcg/lockstep.h"
#include "tcg/tcg.h"
#include "tcg/tlb-impl.h"

enum {
    TCG_MAX_CPUS = 64,
    DROP_LIST = 8,
    READER_REACH = IR_MAX_INSNS * 16, /* bytes from a block's pc that it may cover */
    READER_AHEAD = 64,
};

#define EPOCH_OUTSIDE UINT64_MAX

struct Tcg {
    const Isa *isa;
    const Host *host;
    const uint8_t *thunks; /* of the host, in chunk 0 */
    TcgOptions options;
    pthread_mutex_t lock; /* blocks, links, pages, chunks, ids */
    CodeCache code;
    BlockTable blocks;
    PageIds page_ids;
    FlushLog flushes;
    _Atomic uint64_t epoch; /* grows when a chunk retires or an exit is closed */
    unsigned cpu_count;
    TcgCpu *cpus[TCG_MAX_CPUS];
    const Machine *machine; /* NULL in tests */
    FILE *perf_map;         /* NULL until the first block, when there shall be one */
    unsigned evictions;     /* CodePage.swept tells by it what this one has done */
    _Atomic uint64_t translated_insns, translated_blocks, dropped_blocks, revived_blocks;
    _Atomic uint64_t evicted_chunks;
    _Atomic uint64_t checked_insns;         /* in lockstep, without a difference */
    _Atomic uint64_t timed_insns, timed_ns; /* of the blocks whose translation was timed */
};

/* What other threads ask of a CPU; bits of TcgCpu.requests. */
enum {
    REQUEST_FLUSH = 1 << 0,       /* the memory map changed */
    REQUEST_DROP_WRITES = 1 << 1, /* drop write entries of pages that became code */
};

typedef enum RunState { CPU_PAUSED, CPU_RUNNING, CPU_STOPPED } RunState;

/* Who may run a CPU: wait.c. */
typedef enum CpuHold {
    HOLD_THREAD,   /* its own thread */
    HOLD_FREE,     /* it is halted: whoever takes it first */
    HOLD_BORROWED, /* the thread of another CPU */
} CpuHold;

enum { RESTS_BEFORE_LENT = 16 };

/* Guest code as the frontend reads it: the copy that publishing compares with memory. */
typedef struct CodeReader {
    uint64_t pc;
    unsigned length;        /* bytes copied so far */
    const uint8_t *page[2]; /* host address of the page of pc, and of the next; NULL: not asked */
    uint32_t second_id;     /* page id of page[1], when the block checks it */
    bool narrow;            /* rights hold for less than a page: nothing is kept */
    _Alignas(8) uint8_t copy[READER_REACH + 2 * READER_AHEAD];
} CodeReader;

struct TcgCpu {
    Cpu cpu;
    Tcg *tcg;
    unsigned slot; /* in Tcg.cpus */
    const Isa *isa;
    CpuEnv *env;
    void *memory; /* mapping with CpuFar and env */
    size_t memory_size;
    AddressSpace *address_space;
    const Clock *clock;
    Timer *timer;
    Timer *slice; /* until another CPU's thread looks whether it is to go on with its own CPU */
    uint64_t instructions; /* completed, without those of the current budget */
    int64_t budget_given;
    /* What wait.c knows of the CPUs that this one's thread may run; sets are of slots, a bit each. */
    uint64_t woken;       /* halted ones that it kicked, to be run by cpu_run_woken() */
    uint64_t given_back;  /* those that had too little time when it ran them last */
    unsigned patience;    /* times that it comes between two blocks before it runs them */
    bool spins;           /* borrowed, it looks for what somebody else is to do */
    unsigned spun;        /* how often it stopped for that */
    unsigned looks;       /* in a row, for what another CPU is to do ... */
    int64_t looked_at;    /* ... and when the last one was */
    unsigned borrows;     /* how many the thread runs in each other's stead, this one the last */
    bool in_loop;         /* cpu_run_woken() will be called */
    unsigned empty_waits; /* waits since an interrupt was taken that had nothing to wait for */
    uint64_t left[EXIT_BUDGET + 1]; /* how often generated code came back, by reason ... */
    uint64_t jump_refills;          /* ... and how often it need not, for jump_refill() */
    uint64_t lent;                  /* how often another one's thread ran it */
    uint64_t flush_posted;          /* its last order since it synchronised; 0: none */

    Tlb tlb;
    FetchView *views[FETCH_VIEWS];
    uint64_t view_clock;
    FetchKey given_up[FETCH_VIEWS]; /* the last ones whose views became those of others */
    unsigned given_up_count;
    bool may_adopt;            /* fetch_adopt() is to be called */
    uint64_t adopt_credit;     /* pages of orphaned views that may be looked up again now ... */
    uint64_t refills_credited; /* ... for so many refills of the TLB */
    FetchView *view;           /* env->fetch is its first member */
    FetchedPages fetched;

    /* Shared with other threads. */
    _Atomic uint32_t requests;
    _Atomic uint32_t doorbell; /* its thread sleeps on it; rung by a change */
    _Atomic uint32_t waiting;  /* its thread sleeps, or is about to */
    _Atomic CpuHold hold;
    _Atomic unsigned rests; /* times that it has halted with nothing to do since it was reset */
    _Atomic bool slice_set;
    struct TcgCpu *_Atomic borrowed; /* that its thread runs in its stead; NULL: none */
    _Atomic uint64_t seen;           /* the epoch in which it was last outside generated code */
    const CodePage *drop_pages[DROP_LIST]; /* with Tcg.lock; more than that: all of them */
    unsigned drop_count;
    _Atomic uint64_t flush_served; /* orders of the log that it need not look at any more */
    _Atomic bool flush_syncs;      /* in tlb_sync(), after which it serves */

    GThread *thread;
    pthread_mutex_t state_lock;
    pthread_cond_t state_changed;
    _Atomic RunState wanted;
    RunState state; /* with state_lock */
    _Atomic CpuPower power;
    CpuEntry start; /* with state_lock; where it begins when POWER_STARTING */

    Chunk *chunk;        /* being filled */
    CodePage *code_page; /* of the last block published; NULL: none yet */
    Lockstep *lockstep;  /* NULL: no checks */
    CodeReader reader;
    IrBlock ir;
    IrLive live;
    Emitted emitted;
};

static inline TcgCpu *env_cpu(const CpuEnv *env)
{
    return env->cpu;
}

/* Generated code shall be left soon: at its next jump backward or indirect one. */
static inline void cpu_come_back_for_woken(TcgCpu *cpu)
{
    if (G_UNLIKELY(cpu->woken)) {
        atomic_store(&cpu->env->exit_request, 1);
    }
}

/* ---- tcg.c ---- */

/* As after power-on, to begin as entry says. The CPU's thread, or it is paused. */
void cpu_reset(TcgCpu *cpu, const CpuEntry *entry);

/* ---- exec.c ---- */

/* Runs until the wanted state is another than CPU_RUNNING, or as tcg_cpu_run() says. The CPU's thread. */
void cpu_run(TcgCpu *cpu, uint64_t insns);

/* One block, and what follows from it. The thread that holds the CPU. */
typedef enum CpuTurn {
    TURN_GOES_ON,
    TURN_HALTS,         /* WFI and its like */
    TURN_WITHOUT_POWER, /* nothing was run */
    TURN_ENDS,          /* the CPU's thread shall do something else */
} CpuTurn;
CpuTurn cpu_turn(TcgCpu *cpu);

/*
 * Asks something of a CPU; any thread. False: it is outside generated code, and is left alone: it looks before it
 * comes inside.
 */
bool cpu_request(TcgCpu *cpu, uint32_t request);

/* The newest epoch that every other CPU has passed: since it began they have been outside generated code. */
uint64_t cpu_passed_epoch(const TcgCpu *cpu);

/*
 * The page becomes code: the CPU shall drop its write entries. True when it runs and will answer with
 * code_confirm(). Lock held.
 */
bool cpu_ask_to_drop(TcgCpu *cpu, const CodePage *page);

/* The CPU does not run generated code for a while, and holds no block. */
void cpu_go_outside(TcgCpu *cpu);
void cpu_come_inside(TcgCpu *cpu);

/* ---- wait.c ---- */

/* WFI and its like: waits for a reason to go on; any kick is one. False: nothing can end it. The CPU's thread. */
bool cpu_halt(TcgCpu *cpu);

/* Waits for a kick, and lets nobody else run the CPU. The CPU's thread. */
void cpu_wait_for_kick(TcgCpu *cpu);

/* Between two blocks: the halted CPUs that this one kicked have their turn. */
void cpu_run_woken(TcgCpu *cpu);

/* The CPU's thread will not call cpu_run_woken() any more: their threads shall run them. */
void cpu_leave_woken(TcgCpu *cpu);

/* A borrowed CPU had its time. TimerFired. */
void cpu_slice_over(void *cpu);

/* ---- translate.c ---- */

/* The block at a pc of the current context, translated when there is none. NULL: an exception was raised. */
Block *cpu_block_at(TcgCpu *cpu, uint64_t pc);

/* A helper: page-guard.c. */
uint64_t cpu_page_is_there(CpuEnv *env, uint64_t page, uint64_t id, uint64_t c);

/* Makes cpu->ir and cpu->live anew from the code at pc, which was translated before; false when it is gone. */
bool cpu_make_ir(TcgCpu *cpu, uint64_t pc);

/* The id of the page with this pc, 0 when it has none. After cpu_block_at(). */
uint32_t cpu_page_id(const TcgCpu *cpu, uint64_t pc);

#endif
