/* Cache-block operations, Zicbom and Zicboz. There is no cache to see; rights and traps are as the manual has. */
#include <string.h>

#include "targets/riscv/state.h"

#include "tcg/tlb.h"

/* The envcfg bits that this instruction needs in every mode above the current one (Zicbom 2.5.2). */
static bool is_enabled(const RvCpu *cpu, uint64_t bits)
{
    RvPrivilege privilege = rv_privilege(cpu);

    return privilege == PRIV_M ||
        (cpu->menvcfg & bits && (privilege == PRIV_S || !rv_has(cpu, RV_S) || cpu->senvcfg & bits));
}

/* The second operand's place says which: 0 inval, 1 clean, 2 flush. */
static uint64_t help_cbo(CpuEnv *env, uint64_t address, uint64_t insn, uint64_t c)
{
    RvCpu *cpu = rv_cpu(env);
    bool invalidates = (insn >> 20 & 31) == 0;
    uint64_t ignored;

    if (!is_enabled(cpu, invalidates ? ENVCFG_CBIE : ENVCFG_CBCFE)) {
        cpu_raise(env, CAUSE_ILLEGAL, insn);
        return 0;
    }
    cpu_load(env, address, MEM_8, &ignored);
    /* What may be read or written may be cleaned; the fault, if any, is a store's. */
    if (env->raised) {
        env->raised_cause = env->raised_cause == CAUSE_LOAD_PAGE ? CAUSE_STORE_PAGE
                                                                 : CAUSE_STORE_ACCESS;
    }
    return 0;
}

static uint64_t help_cbo_zero(CpuEnv *env, uint64_t address, uint64_t insn, uint64_t c)
{
    if (!is_enabled(rv_cpu(env), ENVCFG_CBZE)) {
        cpu_raise(env, CAUSE_ILLEGAL, insn);
        return 0;
    }
    address &= ~(uint64_t)(RV_CBO_SIZE - 1);
    void *host = cpu_host_memory(env, address, true);
    if (host) {
        memset(host, 0, RV_CBO_SIZE);
        return 0;
    }
    for (unsigned at = 0; at < RV_CBO_SIZE; at += 8) {
        if (!cpu_store(env, address + at, MEM_64, 0)) {
            break;
        }
    }
    return 0;
}

const Helper rv_help_cbo = { "rv_cbo", help_cbo, HELPER_MAY_RAISE };
const Helper rv_help_cbo_zero = { "rv_cbo_zero", help_cbo_zero, HELPER_MAY_RAISE };
