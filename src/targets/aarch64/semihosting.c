/* HLT #0xF000: a call of semihosting (Arm 100863, 1.1.1), its operation in W0, its parameter in X1. */
#include "targets/semihosting.h"

#include "targets/aarch64/state.h"

static uint64_t help_semihosting(CpuEnv *env, uint64_t a, uint64_t next, uint64_t pc)
{
    A64Cpu *cpu = a64_cpu(env);
    const SemihostingCall call = { (uint32_t)cpu->x[0], cpu->x[1], .word = 8 };
    uint64_t result;

    if (!semihosting_is_on(env)) {
        cpu_raise(env, a64_syndrome(EC_UNKNOWN, 0), 0);
        return pc;
    }
    if (!semihosting_call(env, &call, &result)) {
        return pc;
    }
    cpu->x[0] = result;
    return next;
}

const Helper a64_help_semihosting = { "a64_semihosting", help_semihosting, HELPER_MAY_RAISE };
