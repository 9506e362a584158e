/*
 * The state of a RISC-V CPU (a hart), 32 or 64 bits.
 *
 * Registers of RV32 are kept zero-extended in the same 64-bit homes, and so are its CSRs.
 */
#ifndef TARGETS_RISCV_STATE_H
#define TARGETS_RISCV_STATE_H

#include "targets/isa.h"
#include "targets/riscv/insn.gen.h"
#include "targets/riscv/privileged.h"

/* Indices in Isa.gvars. x0 is in the table, but never read or written by code. */
enum { GVAR_X = 0, GVAR_F = 32, GVAR_RESERVED_ADDRESS = 64, GVAR_RESERVED_VALUE, GVAR_COUNT };

/* CpuEnv.mode: all that a translation depends on. */
enum {
    MODE_PRIV = 3,     /* RvPrivilege */
    MODE_FS_SHIFT = 2, /* RvFs */
    MODE_FS = 3 << MODE_FS_SHIFT,
    MODE_FRM_SHIFT = 4, /* RvFrm */
    MODE_FRM = 3 << MODE_FRM_SHIFT,
    MODE_MODEL_SHIFT = 8, /* number of the set of features: CPUs of two models share no block */
};

typedef enum RvFs { FS_OFF, FS_CLEAN, FS_DIRTY } RvFs;        /* mstatus.FS 1 and 2 are one here */
typedef enum RvFrm { FRM_HOST, FRM_RMM, FRM_RESERVED } RvFrm; /* what a dynamic rounding mode is */

enum {
    RV_PMP_COUNT = 16,
    RV_TIME_HZ = 10000000,
    RV_CBO_SIZE = 64,
};

/* An entry of the physical memory protection as it is matched: [start, last]. */
typedef struct RvPmp {
    uint64_t start, last;
    uint8_t config;
    bool active;
} RvPmp;

/* A counter that runs with a source, or stands still (mcountinhibit). */
typedef struct RvCounter {
    uint64_t value; /* inhibited: itself; else: what is added to the source */
} RvCounter;

typedef struct RvCpu {
    CpuEnv env;
    uint64_t x[32], f[32];
    /* Of lr; RV_NOT_RESERVED: none. sc succeeds while memory has the value. */
    uint64_t reserved_address, reserved_value;

    uint64_t features; /* bits of RvFeature */
    uint64_t mhartid;
    uint64_t mstatus, mtvec, medeleg, mideleg, mie, mscratch, mepc, mcause, mtval;
    uint64_t mcounteren, mcountinhibit, menvcfg;
    uint64_t stvec, sscratch, sepc, scause, stval, scounteren, senvcfg, satp, stimecmp;
    uint64_t mip; /* bits that software has set; STI too once stimecmp was seen to be due */
    _Atomic uint64_t lines; /* bits that devices hold */
    uint32_t frm;
    RvCounter mcycle, minstret;

    uint8_t pmp_config[RV_PMP_COUNT];
    uint64_t pmp_address[RV_PMP_COUNT];
    RvPmp pmp[RV_PMP_COUNT]; /* made of the two above */
} RvCpu;

#define RV_NOT_RESERVED UINT64_MAX

static inline RvCpu *rv_cpu(CpuEnv *env)
{
    return (RvCpu *)env;
}

static inline const RvCpu *rv_cpu_const(const CpuEnv *env)
{
    return (const RvCpu *)env;
}

static inline bool rv_has(const RvCpu *cpu, RvFeature feature)
{
    return cpu->features >> feature & 1;
}

static inline unsigned rv_xlen(const RvCpu *cpu)
{
    return rv_has(cpu, RV_RV64) ? 64 : 32;
}

static inline RvPrivilege rv_privilege(const RvCpu *cpu)
{
    return cpu->env.mode & MODE_PRIV;
}

/* The privilege of loads and stores (3.1.6.3). */
static inline RvPrivilege rv_data_privilege(const RvCpu *cpu)
{
    return cpu->mstatus & MSTATUS_MPRV ? (cpu->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT
                                       : rv_privilege(cpu);
}

/* ---- trap.c ---- */

/* To be called after any change of privilege, mstatus, frm or an address space. */
void rv_mode_changed(RvCpu *cpu, RvPrivilege privilege);

/* Asks for a look at interrupts if one is pending and enabled; after a change of what enables them. */
void rv_check_interrupts(RvCpu *cpu);

/* After a change of stimecmp, or of whether there is one: is it due now? */
void rv_timer_changed(RvCpu *cpu);
bool rv_has_stimecmp(const RvCpu *cpu);

/* mip as software sees it. Any thread. */
uint64_t rv_pending(const RvCpu *cpu);

void rv_take_trap(RvCpu *cpu, uint32_t cause, uint64_t value);
void rv_deliver(CpuEnv *env);
void rv_set_input(CpuEnv *env, unsigned line, bool level);
bool rv_take_interrupt(CpuEnv *env);
bool rv_wakes(const CpuEnv *env);

/* Takes an interrupt in front of the current instruction, if one is enabled. */
extern const Helper rv_help_interrupt;
/* The pc; gives where to go. */
extern const Helper rv_help_ebreak;
extern const Helper rv_help_check_interrupts, rv_help_raise, rv_help_ecall, rv_help_mret,
    rv_help_sret, rv_help_wfi, rv_help_sfence, rv_help_fence_i;

/* ---- csr.c ---- */

typedef struct RvCsr RvCsr;

/* The row of a CSR that this CPU has; NULL: none. */
const RvCsr *rv_csr_find(const RvCpu *cpu, unsigned number);

/* The offset of a CSR that is plain memory for this privilege, 0: it is not. *mask: what can be written. */
unsigned rv_csr_plain(const RvCpu *cpu, const RvCsr *csr, uint64_t *mask);

/* For the disassembler; NULL when it has none of its own. */
const char *rv_csr_name(unsigned number);

/* Can code of this privilege get at it at all? */
bool rv_csr_reachable(unsigned number, RvPrivilege privilege, bool write);

/*
 * rv_csr_argument(), operand, the instruction. Gives the old value. The second one leaves the block behind the
 * instruction.
 */
extern const Helper rv_help_csr, rv_help_csr_leave;
typedef enum RvCsrOp { CSR_WRITE, CSR_SET, CSR_CLEAR, CSR_READ } RvCsrOp;
uint32_t rv_csr_argument(const RvCsr *csr, unsigned number, RvCsrOp op);
enum { CSR_NUMBER_SSTATUS = 0x100 };

/* ---- mmu.c, pmp.c ---- */

bool rv_walk(CpuEnv *env, uint64_t address, Access access, Translation *out);
void rv_contexts(const CpuEnv *env, IsaContext *out);

enum { PMP_R = 1, PMP_W = 2, PMP_X = 4 };
/* The rights at a physical address; *size shrinks until they hold for all of that power of two around it. */
unsigned rv_pmp_rights(const RvCpu *cpu, uint64_t physical, RvPrivilege privilege, uint64_t *size);
uint64_t rv_pmp_read(RvCpu *cpu, unsigned number);
void rv_pmp_write(RvCpu *cpu, unsigned number, uint64_t value);
void rv_pmp_reset(RvCpu *cpu);

/* ---- fp.c, half.c, cbo.c ---- */

/* fclass of a value with that many bits of fraction and exponent. */
uint64_t rv_classify(uint64_t bits, unsigned fraction_bits, unsigned exponent_bits);

extern const Helper rv_help_fs_dirty, rv_help_fclass_s, rv_help_fclass_d;

/* An instruction of half precision (a), rounding b, x register c: works on the f registers. */
extern const Helper rv_help_half;
extern const Helper rv_help_cbo, rv_help_cbo_zero;

/* ---- translate.c, disas.c, describe.c ---- */

void rv_describe(const CpuEnv *env, struct FdtNode *node);
void rv_identify(const CpuEnv *env, CpuIdVisit *visit, void *data);
struct FdtNode *rv_interrupt_controller(const CpuEnv *env, struct FdtNode *node);

void rv_translate(IrBlock *b, CpuEnv *env);
unsigned rv64_disassemble(
    uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size);
unsigned rv32_disassemble(
    uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size);
extern const char *const rv_x_names[32], *const rv_f_names[32];

#endif
