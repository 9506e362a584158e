/* Stands in for the slow paths of tlb.c where that is not linked; whoever adds tlb.c removes this file. */
#include "tcg/host.h"

#define ABSENT __attribute__((weak))

ABSENT uint64_t mem_load(CpuEnv *env, uint64_t address, uint32_t op)
{
    cpu_raise(env, 0, address);
    return 0;
}

ABSENT void mem_store(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op)
{
    cpu_raise(env, 0, address);
}

ABSENT uint64_t mem_rmw(CpuEnv *env, uint64_t address, uint64_t operand, uint32_t op_and_kind)
{
    cpu_raise(env, 0, address);
    return 0;
}

ABSENT uint64_t mem_cas(CpuEnv *env, uint64_t address, uint64_t expected, uint64_t desired, uint32_t op)
{
    cpu_raise(env, 0, address);
    return 0;
}

ABSENT void mem_load128(CpuEnv *env, uint64_t address, uint32_t op, void *value)
{
    cpu_raise(env, 0, address);
}

ABSENT void mem_store128(CpuEnv *env, uint64_t address, uint32_t op, const void *value)
{
    cpu_raise(env, 0, address);
}
