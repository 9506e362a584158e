#include "tcg/host/x86_64/slow.h"

#include "tcg/fp.h"
#include "tcg/vec.h"
#include "tcg/general-regs.h"

/* Only an access inside one page, and aligned where it has to be, can be done by the fast path. */
QUIET static bool is_fast(uint64_t address, uint32_t key)
{
    unsigned size = 1u << (key & MEM_SIZE), kind = slow_kind(key);
    bool atomic = kind == SLOW_RMW || kind == SLOW_CAS;

    if (atomic && key & MEM_BIG) {
        return false;
    }
    return atomic || key & MEM_ALIGNED
        ? (address & (size - 1)) == 0
        : (address & (GUEST_PAGE_SIZE - 1)) + size <= GUEST_PAGE_SIZE;
}

/* The compiler may not make calls of these. */
typedef uint16_t Unaligned16 __attribute__((aligned(1), may_alias));
typedef uint32_t Unaligned32 __attribute__((aligned(1), may_alias));
typedef uint64_t Unaligned64 __attribute__((aligned(1), may_alias));

QUIET static void load_now(uint64_t *call, const uint8_t *at, uint32_t key)
{
    bool is_signed = key & MEM_SIGNED;

    switch (key & MEM_SIZE) {
    case MEM_8: call[0] = is_signed ? (uint64_t)(int8_t)*at : *at; break;
    case MEM_16: {
        uint16_t value = *(const Unaligned16 *)at;
        call[0] = is_signed ? (uint64_t)(int16_t)value : value;
        break;
    }
    case MEM_32: {
        uint32_t value = *(const Unaligned32 *)at;
        call[0] = is_signed ? (uint64_t)(int32_t)value : value;
        break;
    }
    case MEM_64: call[0] = *(const Unaligned64 *)at; break;
    case MEM_128:
        call[0] = *(const Unaligned64 *)at;
        call[1] = *(const Unaligned64 *)(at + 8);
        break;
    }
}

QUIET static void store_now(const uint64_t *call, uint8_t *at, uint32_t key)
{
    switch (key & MEM_SIZE) {
    case MEM_8: *at = (uint8_t)call[1]; break;
    case MEM_16: *(Unaligned16 *)at = (uint16_t)call[1]; break;
    case MEM_32: *(Unaligned32 *)at = (uint32_t)call[1]; break;
    case MEM_64: *(Unaligned64 *)at = call[1]; break;
    case MEM_128:
        *(Unaligned64 *)at = call[1];
        *(Unaligned64 *)(at + 8) = call[2];
        break;
    }
}

QUIET static bool access_now(CpuEnv *env, uint32_t key, bool write)
{
    uint64_t address = env->call[0], page = address & -(uint64_t)GUEST_PAGE_SIZE;
    unsigned index = (unsigned)(page >> GUEST_PAGE_BITS) & (TLB_SIZE - 1);
    const CpuFar *far = (const CpuFar *)env - 1;
    const TlbEntry *entry = write ? &far->write[index] : &far->read[index];
    uint64_t context = key & SLOW_OTHER ? env->other_context : env->data_context;

    if (entry->tag != (page | context) || (key & MEM_BIG && (key & MEM_SIZE) != MEM_8)) {
        return false;
    }
    if (write) {
        store_now(env->call, (uint8_t *)(entry->addend + address), key);
    } else {
        load_now(env->call, (const uint8_t *)(entry->addend + address), key);
    }
    return true;
}

QUIET SlowAnswer slow_quick(CpuEnv *env)
{
    uint32_t key = (uint32_t)env->call[3];
    SlowKind kind = slow_kind(key);
    bool write = kind != SLOW_LOAD, atomic = kind == SLOW_RMW || kind == SLOW_CAS;

    if (!is_fast(env->call[0], key)) {
        return SLOW_FULL;
    }
    if (!atomic && access_now(env, key, write)) {
        return SLOW_DONE;
    }
    if (!(key & SLOW_OTHER ? mem_refill_as : mem_refill)(env, env->call[0], write)) {
        return SLOW_FULL;
    }
    return key & SLOW_FINAL ? (access_now(env, key, write) ? SLOW_DONE : SLOW_FULL) : SLOW_RETRY;
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

    switch (slow_kind(key)) {
    case SLOW_LOAD:
        if (wide) {
            mem_load128(env, call[0], op, &call[0]);
        } else {
            call[0] = (key & SLOW_OTHER ? mem_load_as : mem_load)(env, call[0], op);
        }
        break;
    case SLOW_STORE:
        if (wide) {
            mem_store128(env, call[0], op, &call[1]);
        } else {
            (key & SLOW_OTHER ? mem_store_as : mem_store)(env, call[0], call[1], op);
        }
        break;
    case SLOW_RMW: call[0] = mem_rmw(env, call[0], call[1], key & 0xfff); break;
    case SLOW_CAS: call[0] = mem_cas(env, call[0], call[1], call[2], op); break;
    }
}

#include "tcg/general-regs-end.h"
