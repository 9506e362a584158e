/* Floating point that generated code calls: classes and the dirty mark. */
#include "targets/riscv/state.h"

#include "tcg/general-regs.h"

static uint64_t help_fs_dirty(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    RvCpu *cpu = rv_cpu(env);

    cpu->mstatus |= MSTATUS_FS;
    rv_mode_changed(cpu, rv_privilege(cpu));
    return 0;
}

/* Called with vector registers live, so that it may use general ones only. */
#include "tcg/general-regs.h"

/* The ten classes of 11.9, for any format: fraction bits below, exponent bits above. */
uint64_t rv_classify(uint64_t bits, unsigned fraction_bits, unsigned exponent_bits)
{
    uint64_t fraction = bits & ((UINT64_C(1) << fraction_bits) - 1);
    unsigned top = (1u << exponent_bits) - 1;
    unsigned exponent = bits >> fraction_bits & top;
    bool negative = bits >> (fraction_bits + exponent_bits) & 1;

    if (exponent == top && fraction) {
        return fraction >> (fraction_bits - 1) ? 1 << 9 : 1 << 8;
    }
    if (exponent == top) {
        return negative ? 1 << 0 : 1 << 7;
    }
    if (exponent) {
        return negative ? 1 << 1 : 1 << 6;
    }
    if (fraction) {
        return negative ? 1 << 2 : 1 << 5;
    }
    return negative ? 1 << 3 : 1 << 4;
}

static uint64_t help_fclass_s(CpuEnv *env, uint64_t bits, uint64_t b, uint64_t c)
{
    return rv_classify(bits, 23, 8);
}

static uint64_t help_fclass_d(CpuEnv *env, uint64_t bits, uint64_t b, uint64_t c)
{
    return rv_classify(bits, 52, 11);
}

#include "tcg/general-regs-end.h"

const Helper rv_help_fs_dirty = { "rv_fs_dirty", help_fs_dirty, 0 };
const Helper rv_help_fclass_s = { "rv_fclass_s", help_fclass_s, HELPER_PURE | HELPER_LEAF };
const Helper rv_help_fclass_d = { "rv_fclass_d", help_fclass_d, HELPER_PURE | HELPER_LEAF };

#include "tcg/general-regs-end.h"
