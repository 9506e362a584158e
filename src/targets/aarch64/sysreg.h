/* Rows of the table of system registers; see sysreg.c. */
#ifndef TARGETS_AARCH64_SYSREG_H
#define TARGETS_AARCH64_SYSREG_H

#include "targets/aarch64/state.h"

/* As bits 20 to 5 of MRS and MSR have it. */
#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

typedef uint64_t SysregRead(A64Cpu *cpu, unsigned number);
typedef void SysregWrite(A64Cpu *cpu, unsigned number, uint64_t value);
/* The class of the trap that this access takes, EC_UNKNOWN: it is undefined, 0xff: go on. */
typedef uint8_t SysregTrap(const A64Cpu *cpu, unsigned number, bool write);

enum { SYSREG_GOES_ON = 0xff };

/* ---- model.c ---- */
uint64_t a64_id_read(A64Cpu *cpu, unsigned number);
uint64_t a64_ctr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_dczid_read(A64Cpu *cpu, unsigned number);
uint64_t a64_midr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_mpidr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_clidr_read(A64Cpu *cpu, unsigned number);
uint64_t a64_ccsidr_read(A64Cpu *cpu, unsigned number);

/* ---- timer.c ---- */
SysregRead a64_timer_read, a64_count_read;
SysregWrite a64_timer_write;
SysregTrap a64_timer_trap, a64_count_trap;

/* ---- pmu.c ---- */
SysregRead a64_pmu_read;
SysregWrite a64_pmu_write;
SysregTrap a64_pmu_trap;

#endif
