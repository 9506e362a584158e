/* What generated code and the interpreter call when the first-level TLB does not serve an access: host.h. */
#include "tcg/access.h"
#include "tcg/host.h"
#include "tcg/tlb.h"

uint64_t mem_load(CpuEnv *env, uint64_t address, uint32_t op)
{
    uint64_t value;

    cpu_load(env, address, op, &value);
    return value;
}

void mem_store(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op)
{
    cpu_store(env, address, op, value);
}

uint64_t mem_load_as(CpuEnv *env, uint64_t address, uint32_t op)
{
    uint64_t value;

    cpu_enter_other(env);
    value = mem_load(env, address, op);
    cpu_leave_other(env);
    return value;
}

void mem_store_as(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op)
{
    cpu_enter_other(env);
    mem_store(env, address, value, op);
    cpu_leave_other(env);
}

void mem_load128(CpuEnv *env, uint64_t address, uint32_t op, void *value)
{
    cpu_load128(env, address, op, value);
}

void mem_store128(CpuEnv *env, uint64_t address, uint32_t op, const void *value)
{
    cpu_store128(env, address, op, value);
}

uint64_t mem_rmw(CpuEnv *env, uint64_t address, uint64_t operand, uint32_t op_and_kind)
{
    return cpu_change(env, address, op_and_kind & 0xff,
        &(Change){
            .kind = (RmwKind)(op_and_kind >> 8),
            .operand = operand,
            .swapped = op_and_kind & MEM_BIG,
        });
}

uint64_t mem_cas(CpuEnv *env, uint64_t address, uint64_t expected, uint64_t desired, uint32_t op)
{
    return cpu_change(env, address, op & 0xff,
        &(Change){
            .compare = true,
            .expected = expected,
            .operand = desired,
            .swapped = op & MEM_BIG,
        });
}
