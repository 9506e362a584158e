/* Rows of the table of system registers; see sysreg.c. */
#ifndef TARGETS_AARCH64_SYSREG_H
#define TARGETS_AARCH64_SYSREG_H

#include "targets/aarch64/state.h"

/* As bits 20 to 5 of MRS and MSR have it. */
#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

typedef uint64_t SysregRead(A64Cpu *cpu, unsigned number);
typedef void SysregWrite(A64Cpu *cpu, unsigned number, uint64_t value);
/* The class of the trap that this access takes, EC_UNKNOWN: it is undefined; or: */
typedef uint8_t SysregTrap(const A64Cpu *cpu, unsigned number, bool write);

enum { SYSREG_GOES_ON = 0xff, SYSREG_TO_EL2 = 0xfe, SYSREG_TO_EL3 = 0xfd };

typedef enum SysregFlags {
    LEAVES = 1 << 0, /* a write changes what is translated, or what may interrupt it */
    READ_ONLY = 1 << 1,
    WRITE_ONLY = 1 << 2,
    EL0_READS = 1 << 3,     /* EL0 only reads it */
    UNLESS_IN_USE = 1 << 4, /* has no name while it is the current stack pointer */
} SysregFlags;

enum { NONE = 64 }; /* of features */

struct A64Sysreg {
    uint16_t number, last; /* last 0: one register; else a range */
    uint16_t offset;       /* in A64Cpu: its home. No functions: it is plain memory */
    uint8_t feature;       /* NONE: always there */
    uint8_t flags;
    const char *name;
    uint64_t mask; /* of bits that can be written, for those with a home */
    SysregRead *read;
    SysregWrite *write; /* NULL and no offset: writes are ignored */
    SysregTrap *trap;
};

#define HOME(field) .offset = offsetof(A64Cpu, field)
#define ALL .mask = ~UINT64_C(0)
#define LOW32 .mask = UINT32_MAX
#define RO .flags = READ_ONLY
#define R(op0, op1, crn, crm, op2) SYSREG(op0, op1, crn, crm, op2), 0
#define RANGE(op0, op1, crn, crm, op2, crm_last, op2_last)                                         \
    SYSREG(op0, op1, crn, crm, op2), SYSREG(op0, op1, crn, crm_last, op2_last)

/* ---- sysreg.c ---- */
SysregRead a64_sctlr_read, a64_tcr_read, a64_ttbr0_read, a64_ttbr1_read, a64_zero_read;
SysregWrite a64_sctlr_write, a64_tcr_write, a64_ttbr0_write, a64_ttbr1_write;

/* ---- gic.c ---- */
SysregRead a64_gic_read;
SysregWrite a64_gic_write;
SysregTrap a64_gic_trap;

/* ---- el-sysreg.c: the second part of the table, from EL2's on ---- */
enum { EL_SYSREGS_FIRST = SYSREG(3, 4, 0, 0, 0) };
extern const A64Sysreg a64_el_sysregs[];
extern const unsigned a64_el_sysreg_count;

/* ---- model.c ---- */
uint64_t a64_id_read(A64Cpu *cpu, unsigned number);
uint64_t a64_ctr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_dczid_read(A64Cpu *cpu, unsigned number);
uint64_t a64_midr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_mpidr_read(A64Cpu *cpu, unsigned number);
SysregRead a64_own_read;
SysregTrap a64_own_trap;
uint64_t a64_clidr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_ccsidr_read(A64Cpu *cpu, unsigned number);

/* ---- timer.c ---- */
SysregRead a64_timer_read, a64_count_read;
SysregWrite a64_timer_write, a64_frequency_write;
SysregTrap a64_timer_trap, a64_frequency_trap, a64_secure_timer_trap, a64_count_trap;

/* ---- pmu.c ---- */
SysregRead a64_pmu_read;
SysregWrite a64_pmu_write;
SysregTrap a64_pmu_trap;

#endif
