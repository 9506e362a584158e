/*
 * EBREAK, which is a call of semihosting between two instructions that do nothing ("RISC-V Semihosting", 2.1): its
 * operation in a0, its parameter in a1.
 */
#include "targets/semihosting.h"

#include "targets/riscv/state.h"
#include "tcg/tlb.h"

enum { BEFORE = 0x01f01013, EBREAK = 0x00100073, BEHIND = 0x40705013 };

static bool is_there(CpuEnv *env, uint64_t at, uint32_t insn)
{
    uint64_t value;

    if (!cpu_load(env, at, MEM_32, &value)) {
        env->raised = 0;
        return false;
    }
    return value == insn;
}

/* All three lie on one page. */
static bool is_call(RvCpu *cpu, uint64_t pc)
{
    CpuEnv *env = &cpu->env;

    return semihosting_is_on(env) && rv_privilege(cpu) != PRIV_U &&
        (pc - 4) / GUEST_PAGE_SIZE == (pc + 4) / GUEST_PAGE_SIZE && is_there(env, pc - 4, BEFORE) &&
        is_there(env, pc, EBREAK) && is_there(env, pc + 4, BEHIND);
}

static uint64_t help_ebreak(CpuEnv *env, uint64_t pc, uint64_t b, uint64_t c)
{
    enum { A0 = 10, A1 = 11 };
    RvCpu *cpu = rv_cpu(env);
    const SemihostingCall call = { cpu->x[A0], cpu->x[A1], rv_xlen(cpu) / 8 };
    uint64_t result;

    if (!is_call(cpu, pc)) {
        cpu_raise(env, CAUSE_BREAKPOINT, pc);
        return pc;
    }
    if (!semihosting_call(env, &call, &result)) {
        return pc;
    }
    cpu->x[A0] = call.word == 4 ? (uint32_t)result : result;
    return pc + 4;
}

const Helper rv_help_ebreak = { "rv_ebreak", help_ebreak, HELPER_MAY_RAISE };
