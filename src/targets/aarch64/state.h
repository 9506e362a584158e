/*
 * The state of an AArch64 CPU. Arm ARM DDI 0487, whose sections the comments of this folder cite.
 *
 * What exists once for each exception level is an array indexed by the level.
 */
#ifndef TARGETS_AARCH64_STATE_H
#define TARGETS_AARCH64_STATE_H

#include "targets/aarch64/insn.gen.h"
#include "targets/aarch64/privileged.h"
#include "targets/isa.h"

/*
 * Indices in Isa.gvars. GVAR_X + 31 is the current stack pointer. The flags are kept as the operation that set
 * them (A64FlagsOp) and its operands; see flags.h.
 */
enum {
    GVAR_X = 0,
    GVAR_SP = 31,
    GVAR_V = 32,
    GVAR_FLAGS_OP = 64,
    GVAR_FLAGS_A,
    GVAR_FLAGS_B,
    GVAR_EXCLUSIVE_ADDRESS,
    GVAR_EXCLUSIVE_VALUE,
    GVAR_EXCLUSIVE_HIGH,
    GVAR_QC,
    GVAR_SCRATCH,
    GVAR_COUNT
};

/* CpuEnv.mode: all that a translation depends on. */
enum {
    MODE_EL = 3,                /* the exception level */
    MODE_FP_TRAPPED = 1 << 2,   /* Advanced SIMD and floating point trap (CPACR_EL1, CPTR_EL2/3) */
    MODE_SP_EL0 = 1 << 3,       /* PSTATE.SPSel is 0 */
    MODE_ALIGNED = 1 << 4,      /* SCTLR.A: data accesses must be aligned */
    MODE_UNPRIVILEGED = 1 << 5, /* LDTR and its like work as EL0's: EL1, or EL2 with E2H and TGE */
    MODE_FP_DEFAULT_NAN = 1 << 6, /* FPCR.DN */
    MODE_FP_FLUSH = 1 << 7,       /* FPCR.FZ */
    MODE_FP_FLUSH16 = 1 << 8,     /* FPCR.FZ16 */
    MODE_ILLEGAL = 1 << 9,        /* PSTATE.IL: no instruction is legal */
    MODE_STEP = 1 << 10,          /* software step is active (D2.12) */
    MODE_BREAKPOINTS = 1 << 11,   /* any instruction may have one */
    MODE_SP_CHECKED =
        1 << 12, /* SCTLR.SA, SA0: the stack pointer must be aligned where it is a base */
    MODE_SP_MISALIGNED = 1 << 13, /* and it is not */
    MODE_TRAPS = 1 << 16,         /* a level above traps some registers or instructions: traps.c */
    MODE_PAC_TRAPS = 1 << 18,     /* and pointer authentication */
    MODE_HOST = 1 << 17,          /* names of EL1's registers mean EL2's (D5.6.3) */
    MODE_MODEL_SHIFT = 20, /* number of the set of features: CPUs of two models share no block */
};

/* A timer of the generic timer (D11.2): its compare value and control; its line is a PPI. */
typedef struct A64Timer {
    uint64_t compare, control;
    bool line; /* as the interrupt controller was told */
} A64Timer;

typedef enum A64TimerId {
    TIMER_PHYSICAL,
    TIMER_VIRTUAL,
    TIMER_HYP,
    TIMER_SECURE,
    TIMER_HYP_VIRTUAL,
    TIMER_SECURE_HYP,
    TIMER_SECURE_HYP_VIRTUAL,
    TIMER_COUNT
} A64TimerId;

/* The performance monitors: pmu.c. */
enum { A64_PMU_EVENTS = 4 };

typedef struct A64Counter {
    uint64_t value, source; /* what it was when its source was that */
    uint64_t type;
} A64Counter;

typedef struct A64Pmu {
    uint64_t control, enabled, overflow, interrupts, selected, user;
    A64Counter counter[A64_PMU_EVENTS + 1]; /* the last one counts cycles */
    bool line;
} A64Pmu;

/*
 * What is remembered of pointer authentication: pauth.c. A key and a setting, which says where a pointer has its code,
 * have a number, and that a table of pointers without and with their codes.
 */
enum { A64_PAC_BITS = 12, A64_PAC_KEYS = 16, A64_PAC_UNKNOWN = 1 };

typedef struct A64PacSetting {
    uint64_t tcr, sctlr;
    unsigned regime;
    bool halves;
} A64PacSetting;

typedef struct A64PacKey {
    uint64_t key[2], number; /* A64_PAC_UNKNOWN: none; others are above it */
} A64PacKey;

typedef struct A64PacKnown {
    A64PacKey key;
    uint64_t tcr;
    bool halves, data;
} A64PacKnown;

typedef struct A64PacCode {
    _Alignas(32) uint64_t plain; /* so that none is in two lines of the host's cache */
    uint64_t coded, modifier, number;
} A64PacCode;

typedef struct A64PacMemory {
    A64PacSetting setting; /* the current one */
    A64PacKey last[4];     /* A64Cpu.keys when each was last used */
    A64PacKnown known[A64_PAC_KEYS];
    uint64_t known_count; /* ever; the oldest are forgotten */
    A64PacCode codes[1 << A64_PAC_BITS];
} A64PacMemory;

typedef struct A64Model A64Model;

enum { A64_SETTINGS = 8 };

typedef struct A64Cpu {
    CpuEnv env;
    uint64_t x[32]; /* x[31]: the current SP */
    IrVec v[32];
    IrVec qc; /* FPSR.QC: not 0 */
    uint64_t flags_op, flags_a, flags_b;
    /* Of a load-exclusive; A64_NOT_EXCLUSIVE: none. The store succeeds while memory has the value. */
    uint64_t exclusive_address, exclusive_value, exclusive_high;

    uint64_t features; /* bits of A64Feature */
    const A64Model *model;
    uint64_t frequency;     /* of the generic timer, Hz */
    _Atomic uint32_t lines; /* inputs: 1 << A64_INPUT_IRQ ... */
    _Atomic uint32_t event; /* the event register: WFE does not wait, and takes it away */

    uint64_t daif;                               /* PSTATE.DAIF, as in SPSR bits 9 to 6 */
    uint64_t pan, uao, dit, ssbs, btype, il, ss; /* PSTATE bits, 0 or 1 (btype 0 to 3) */
    uint64_t fpcr;                               /* FPSR: see simd-fp.c */
    uint64_t scratch;                            /* a value across a label */
    uint64_t sp[4];                              /* banked; that of the current level is in x[31] */
    uint64_t elr[4], spsr[4], esr[4], far[4], vbar[4];
    uint64_t sctlr[4], actlr[4], tcr[4], ttbr0[4], ttbr1[4], mair[4], amair[4];
    uint64_t scxtnum[4], tpidr[4], afsr0[4], afsr1[4], contextidr[4], cpacr, tpidrro_el0, par_el1;
    uint64_t csselr, mdscr, oslock, osdlr, mdccint, rndr;
    uint64_t rvbar;
    uint64_t cntkctl, cntvoff, cnthctl, cntfrq;
    A64Timer timer[TIMER_COUNT];
    int64_t alarm;       /* when cpu_timer_set() was told to kick */
    bool stepped;        /* the one instruction of a software step was begun */
    uint64_t keys[5][2]; /* pointer authentication: IA IB DA DB GA, low and high half */
    uint64_t dbgbvr[16], dbgbcr[16], dbgwvr[16], dbgwcr[16];
    A64Pmu pmu;

    /* EL2 and EL3. Without EL3 the CPU is not secure, as if SCR_EL3 said so. */
    uint64_t hcr, scr;
    uint64_t hcr_now; /* HCR_EL2 as it acts on what runs below EL2 now: 0 when EL2 is not there */
    uint64_t disr, vdisr, vsesr; /* errors, deferred and virtual (FEAT_RAS) */
    uint64_t cptr[4], mdcr[4], hcrx, hstr, hacr, sder;
    uint64_t vttbr, vtcr, vsttbr, vstcr, vpidr, vmpidr, hpfar;
    uint64_t fault_ipa;    /* of the last fault of stage 2, in its view */
    unsigned raised_level; /* where the exception that was raised goes; 0: where its class does */
    /* What a walk at EL1 depends on beyond its tables; its number is part of the contexts' keys. */
    struct {
        uint64_t tcr, sctlr;
    } settings[A64_SETTINGS];
    unsigned settings_count, setting;
    /* Beyond what system registers' rows reach. */
    A64PacMemory pac;
} A64Cpu;

#define A64_NOT_EXCLUSIVE UINT64_MAX

/* Those of the interrupt controller, then HCR_EL2.VI, VF and VSE. */
enum {
    A64_INPUT_IRQ,
    A64_INPUT_FIQ,
    A64_INPUT_VIRQ,
    A64_INPUT_VFIQ,
    A64_INPUT_NONSECURE_1, /* IRQ or FIQ, as a64_physical_lines() says */
    A64_INPUT_SECURE_1,
    A64_INPUT_VI,
    A64_INPUT_VF,
    A64_INPUT_VSE
};

static inline A64Cpu *a64_cpu(CpuEnv *env)
{
    return (A64Cpu *)env;
}

static inline const A64Cpu *a64_cpu_const(const CpuEnv *env)
{
    return (const A64Cpu *)env;
}

static inline bool a64_has(const A64Cpu *cpu, A64Feature feature)
{
    return cpu->features >> feature & 1;
}

static inline unsigned a64_highest_level(const A64Cpu *cpu)
{
    return a64_has(cpu, A64_EL3) ? 3 : a64_has(cpu, A64_EL2) ? 2 : 1;
}

static inline unsigned a64_el(const A64Cpu *cpu)
{
    return cpu->env.mode & MODE_EL;
}

/* ---- flags.c ---- */

/* NZCV in bits 31 to 28, as in SPSR. */
uint64_t a64_nzcv(const A64Cpu *cpu);
void a64_set_nzcv(A64Cpu *cpu, uint64_t nzcv);
/* The operation, a, b: the NZCV they stand for. */
extern const Helper a64_help_nzcv;

/* ---- exception.c: levels, exceptions, returns, interrupts ---- */

/* To be called after any change of PSTATE.EL, SPSel, or of a register that env->mode or the contexts depend on. */
void a64_mode_changed(A64Cpu *cpu);

/* Changes the level and the stack pointer in use. */
void a64_enter(A64Cpu *cpu, unsigned el, bool own_sp);

uint64_t a64_pstate(const A64Cpu *cpu); /* as SPSR has it */
void a64_check_interrupts(A64Cpu *cpu);

void a64_deliver(CpuEnv *env);
void a64_set_input(CpuEnv *env, unsigned line, bool level);
bool a64_take_interrupt(CpuEnv *env);
bool a64_wakes(const CpuEnv *env);

/* Raises the exception with this syndrome (class, IL and ISS); FAR is written for those that have one. */
void a64_raise(CpuEnv *env, uint32_t syndrome, uint64_t far);

/* Syndrome, FAR. */
extern const Helper a64_help_raise;
/* An exception to take behind the instruction (SVC): its syndrome, where to return; gives where to go. */
extern const Helper a64_help_call;
/* HVC, SMC: syndrome, next pc; gives where to go. */
/* HLT of semihosting: nothing, next pc, pc; gives where to go. */
extern const Helper a64_help_semihosting;
extern const Helper a64_help_hvc, a64_help_smc;
extern const Helper a64_help_eret, a64_help_interrupt, a64_help_check_interrupts, a64_help_wfi,
    a64_help_wfe, a64_help_sev, a64_help_esb, a64_help_mode_changed, a64_help_spsel;
/* Behind an indirect branch: which PSTATE.BTYPE may be here (1 << BTYPE; BTI_PAC: that of PACIASP). */
extern const Helper a64_help_landing;
enum { BTI_PAC = 1 << 4 };
/* The stack pointer was changed to what is not aligned: the mode is another behind this instruction. */
extern const Helper a64_help_misaligned_sp;
/* It may be so already, which the mode does not know: the instruction is begun again if it is. */
extern const Helper a64_help_close_sp;
/* Raises an alignment fault: address, is it a store. */
extern const Helper a64_help_misaligned;
/* DAIFSet and DAIFClr at EL0: bits, set or clear, the instruction. */
extern const Helper a64_help_daif;

/* ---- el.c: what EL2 and EL3 have to say about the levels below ---- */

bool a64_is_secure(const A64Cpu *cpu); /* below EL3 */
bool a64_el2_enabled(const A64Cpu *cpu);
/* HCR_EL2 or SCR_EL3 has changed. */
void a64_levels_changed(A64Cpu *cpu);
/* Where an exception of this syndrome goes. *syndrome is changed where the level makes another one of it. */
unsigned a64_route(const A64Cpu *cpu, uint32_t *syndrome);
/* The lines, those of the GIC's groups made physical interrupts of the state that the CPU is in. */
uint32_t a64_physical_lines(const A64Cpu *cpu);
/* Where a physical interrupt goes. */
unsigned a64_interrupt_level(const A64Cpu *cpu, bool fiq);
/* The level to which floating point traps; 0: it does not. */
unsigned a64_fp_trap_level(const A64Cpu *cpu, unsigned el);
bool a64_may_return_to(const A64Cpu *cpu, unsigned el);
/* The register that a name (bits 20 to 5 of MRS) means in this mode; none: one that nobody has. */
unsigned a64_sysreg_meant(unsigned number, uint32_t mode);
/* Raises the exception to that level. */
void a64_raise_to(A64Cpu *cpu, unsigned level, uint32_t syndrome, uint64_t far);

/* EL0 and the kernel above it are EL2's: HCR_EL2.E2H and TGE (D5.6). */
static inline bool a64_is_host(const A64Cpu *cpu)
{
    return (cpu->hcr_now & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
}

/* The level whose registers translate for a level: its own, or that of the kernel above EL0. */
static inline unsigned a64_regime(const A64Cpu *cpu, unsigned el)
{
    return el ? el : a64_is_host(cpu) ? 2 : 1;
}

/* SCTLR of the kernel above EL0. */
static inline uint64_t a64_kernel_sctlr(const A64Cpu *cpu)
{
    return cpu->sctlr[a64_regime(cpu, 0)];
}

/* ---- traps.c ---- */

/* Is there anything that traps at this level? */
bool a64_traps(const A64Cpu *cpu, unsigned el);
/* May an access to a register, or SYS, trap to EL2 or EL3? */
bool a64_may_trap(unsigned number);
/* The level to which an access traps now; 0: it does not. */
unsigned a64_trap_level(const A64Cpu *cpu, unsigned number, bool write);
/* Does pointer authentication trap at this level? */
bool a64_traps_pac(const A64Cpu *cpu, unsigned el);
/* In front of it in MODE_PAC_TRAPS: the key. */
extern const Helper a64_help_pac_trap;

/* ---- pauth.c ---- */

/* The level, or a register that says where pointers have codes, has changed. */
void a64_pac_changed(A64Cpu *cpu);

/* ---- access.c ---- */

/* Address, MemOp, and what to store: EL1 as EL0. */
/* Pairs of 64 bits: address; registers: first | second << 8 | status << 16. */
extern const Helper a64_help_load_pair, a64_help_store_pair, a64_help_swap_pair;
/* DC ZVA. */
void a64_zero_block(A64Cpu *cpu, uint64_t address);

/* ---- sysreg.c ---- */

typedef struct A64Sysreg A64Sysreg;

/* The row of a register (bits 20 to 5 of MRS) that this CPU has; NULL: none. */
const A64Sysreg *a64_sysreg_find(const A64Cpu *cpu, unsigned number);
/* May code of this mode get at it? Traps are seen to when it does. */
bool a64_sysreg_reachable(const A64Sysreg *row, uint32_t mode, bool write);
/* The offset of a register that is plain memory, 0: it is not. *mask: what can be written, 0: nothing. */
unsigned a64_sysreg_plain(const A64Sysreg *row, uint64_t *mask);
/* Does a write change how the next instruction is translated or what interrupts it? */
bool a64_sysreg_leaves(const A64Sysreg *row);
const char *a64_sysreg_name(unsigned number);
/* Raises the exception of an access that traps. */
void a64_sysreg_trap_to(A64Cpu *cpu, unsigned level, unsigned number, unsigned rt, bool read);
void a64_sysreg_trap(A64Cpu *cpu, unsigned class, unsigned number, unsigned rt, bool read);
/* Is it told with a syndrome that EL0 has read such a register? */
bool a64_is_id_space(const A64Cpu *cpu, unsigned number);
/* number | rt << 16 for the syndrome; value. */
extern const Helper a64_help_mrs, a64_help_msr;
/* The same operand, is it read: one that nobody has, in MODE_TRAPS. */
extern const Helper a64_help_sysreg_none;
/* Does it reach its GIC by system registers? */
bool a64_has_gic(const A64Cpu *cpu);

/* ---- sysinsn.c: SYS, that is AT, DC, IC, TLBI ---- */

bool a64_sys_exists(const A64Cpu *cpu, unsigned number, unsigned el);
bool a64_sys_leaves(unsigned number);
/* number | rt << 16; value. */
extern const Helper a64_help_sys;
extern const Helper a64_help_dsb, a64_help_isb;

/* ---- simd-fp.c ---- */

uint64_t a64_fpcr_read(const A64Cpu *cpu);
void a64_fpcr_write(A64Cpu *cpu, uint64_t value);
uint64_t a64_fpsr_read(const A64Cpu *cpu);
void a64_fpsr_write(A64Cpu *cpu, uint64_t value);

/* ---- mmu.c ---- */

bool a64_walk(CpuEnv *env, uint64_t address, Access access, Translation *out);
/* An address without the tag that instructions' addresses lose where they are branched to. */
uint64_t a64_branch_address(const A64Cpu *cpu, uint64_t address);
void a64_contexts(const CpuEnv *env, IsaContext *out);
/* As a level would; else a fault: its status code in bits 5 to 0, not 0 in all. */
typedef enum A64Stages { STAGE_1, STAGES_1_AND_2 } A64Stages;
unsigned a64_translate_address(
    A64Cpu *cpu, unsigned el, uint64_t address, Access access, A64Stages stages, Translation *out);

/* Is this the key of a space with the ASID that `wanted` has (a64_asid_space)? */
bool a64_is_asid_space(uint64_t space, uint64_t wanted);
uint64_t a64_asid_space(const A64Cpu *cpu, uint64_t asid);
/* Of that regime, and of the VMID if it has one, or of any (a64_regime_space). */
bool a64_is_vmid_space(uint64_t space, uint64_t wanted);
bool a64_is_regime_space(uint64_t space, uint64_t wanted);
uint64_t a64_regime_space(const A64Cpu *cpu, unsigned regime);
/* TCR_EL1 or SCTLR_EL1 was written. */
void a64_settings_changed(A64Cpu *cpu);

/* ---- stage2.c ---- */

/* What EL2 is told of a fault of stage 2, and HPFAR_EL2; other syndromes stay what they are. */
uint32_t a64_stage2_syndrome(A64Cpu *cpu, uint32_t syndrome);

/* Is what the current level stores at this address stored to Device memory? */
bool a64_is_device(A64Cpu *cpu, uint64_t address);

uint32_t a64_bus_fault(const CpuEnv *env, Access access);
uint32_t a64_align_fault(const CpuEnv *env, Access access);

/* ---- timer.c ---- */

uint64_t a64_count(const A64Cpu *cpu, A64TimerId id);
/* The timers have changed, or time went by: drives their lines and sets the next alarm. */
void a64_timers_update(A64Cpu *cpu);
void a64_timers_check(A64Cpu *cpu); /* the same, when it is time to */

/* ---- debug.c ---- */

enum { A64_BREAKPOINTS = 6, A64_WATCHPOINTS = 4 };

/* The level that debug exceptions from below go to: EL2 or EL1. */
unsigned a64_debug_level(const A64Cpu *cpu);
bool a64_is_stepping(const A64Cpu *cpu, unsigned el);
bool a64_has_breakpoints(const A64Cpu *cpu, unsigned el);
bool a64_is_watching(const A64Cpu *cpu); /* anything at all */
/* Is a watchpoint in the page (of that size) of an address? */
bool a64_is_watched(const A64Cpu *cpu, uint64_t address, uint64_t size);
/* Does one that is hit by so many bytes (0: not known)? */
bool a64_watchpoint_hits(
    const A64Cpu *cpu, unsigned el, uint64_t address, unsigned bytes, Access access);
uint32_t a64_watchpoint_syndrome(Access access);
/* In front of each instruction, while they are in the mode: nothing; the pc. */
extern const Helper a64_help_step, a64_help_breakpoint;

/* ---- pmu.c ---- */

/* Brings the counters up to now; gives when the next one overflows that may interrupt. */
int64_t a64_pmu_update(A64Cpu *cpu);

/* ---- psci.c ---- */

/* A call with its number in x0. False: PSCI is not what answers there. */
bool a64_psci_call(A64Cpu *cpu, bool by_smc);

/* ---- model.c ---- */

/* NULL: there is no such model. */
const A64Model *a64_model_find(const char *name);
uint64_t a64_mpidr(const A64Cpu *cpu); /* whatever a hypervisor says */

/* ---- translate.c, disas.c, describe.c ---- */

void a64_describe(const CpuEnv *env, struct FdtNode *node);
void a64_identify(const CpuEnv *env, CpuIdVisit *visit, void *data);
void a64_translate(IrBlock *b, CpuEnv *env);
unsigned a64_disassemble(
    uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size);

#endif
