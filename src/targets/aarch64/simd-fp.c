/* FPCR and FPSR as MRS and MSR see them. */
#include "targets/aarch64/state.h"

#include "tcg/fp.h"

uint64_t a64_fpcr_read(const A64Cpu *cpu)
{
    return cpu->fpcr;
}

void a64_fpcr_write(A64Cpu *cpu, uint64_t value)
{
    static const uint8_t rounds[4] = { FP_RNE, FP_RUP, FP_RDN, FP_RTZ };

    cpu->fpcr = value & (FPCR_RMODE | FPCR_FZ | FPCR_DN | FPCR_AHP | FPCR_FZ16);
    fp_round_set(&cpu->env, rounds[(value & FPCR_RMODE) >> FPCR_RMODE_SHIFT]);
}

uint64_t a64_fpsr_read(const A64Cpu *cpu)
{
    return 0;
}

void a64_fpsr_write(A64Cpu *cpu, uint64_t value)
{
}
