#include "tcg/host/x86_64/slow.h"

#include "tcg/fp.h"
#include "tcg/vec.h"
#include "tcg/general-regs.h"

/* Only an access inside one page, and aligned where it has to be, can be done by the fast path. */
static bool is_fast(uint64_t address, uint32_t key)
{
    unsigned size = 1u << (key & MEM_SIZE), kind = key >> 16;
    bool atomic = kind == SLOW_RMW || kind == SLOW_CAS;

    if (atomic && key & MEM_BIG) {
        return false;
    }
    return atomic || key & MEM_ALIGNED
        ? (address & (size - 1)) == 0
        : (address & (GUEST_PAGE_SIZE - 1)) + size <= GUEST_PAGE_SIZE;
}

bool slow_refill(CpuEnv *env)
{
    uint32_t key = (uint32_t)env->call[3];

    return is_fast(env->call[0], key) && mem_refill(env, env->call[0], key >> 16 != SLOW_LOAD);
}

void slow_float(CpuEnv *env)
{
    env->call[0] = fp_eval(env, env->call[0], env->call[1], env->call[2], (uint32_t)env->call[3]);
}

void slow_vector(CpuEnv *env)
{
    vec_eval(env, &env->vec[0], &env->vec[0], &env->vec[1], &env->vec[2], (uint32_t)env->call[3]);
}

void slow_access(CpuEnv *env)
{
    uint64_t *call = env->call;
    uint32_t key = (uint32_t)call[3], op = key & 0xff;
    bool wide = (op & MEM_SIZE) == MEM_128;

    switch ((SlowKind)(key >> 16)) {
    case SLOW_LOAD:
        if (wide) {
            mem_load128(env, call[0], op, &call[0]);
        } else {
            call[0] = mem_load(env, call[0], op);
        }
        break;
    case SLOW_STORE:
        if (wide) {
            mem_store128(env, call[0], op, &call[1]);
        } else {
            mem_store(env, call[0], call[1], op);
        }
        break;
    case SLOW_RMW: call[0] = mem_rmw(env, call[0], call[1], key & 0xffff); break;
    case SLOW_CAS: call[0] = mem_cas(env, call[0], call[1], call[2], op); break;
    }
}

#include "tcg/general-regs-end.h"
