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
    uint64_t writable = FPCR_RMODE | FPCR_FZ | FPCR_DN | FPCR_AHP |
        (a64_has(cpu, A64_FP16) ? FPCR_FZ16 : 0);

    cpu->fpcr = value & writable;
    fp_round_set(&cpu->env, rounds[(cpu->fpcr & FPCR_RMODE) >> FPCR_RMODE_SHIFT]);
}

/* Bits of FPSR (D17.2.40) and what they are in tcg/fp.h. */
static const struct {
    uint8_t bit, flag;
} flags[] = {
    { 0, FP_INVALID },
    { 1, FP_DIVIDE },
    { 2, FP_OVERFLOW },
    { 3, FP_UNDERFLOW },
    { 4, FP_INEXACT },
    { 7, FP_FLUSHED },
};
enum { FPSR_QC = 27, FLAG_COUNT = sizeof(flags) / sizeof(*flags) };

uint64_t a64_fpsr_read(const A64Cpu *cpu)
{
    unsigned raised = fp_flags_get(&cpu->env);
    uint64_t value = (uint64_t)(cpu->qc.d[0] || cpu->qc.d[1]) << FPSR_QC;

    for (unsigned n = 0; n < FLAG_COUNT; n++) {
        value |= raised & flags[n].flag ? A64_BIT(flags[n].bit) : 0;
    }
    return value;
}

void a64_fpsr_write(A64Cpu *cpu, uint64_t value)
{
    unsigned raised = 0;

    for (unsigned n = 0; n < FLAG_COUNT; n++) {
        raised |= value & A64_BIT(flags[n].bit) ? flags[n].flag : 0u;
    }
    fp_flags_set(&cpu->env, raised);
    cpu->qc = (IrVec){ .d = { value >> FPSR_QC & 1, 0 } };
}
