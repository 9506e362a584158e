#include "tcg/host/x86_64/slow.h"

#include <glib.h>

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
typedef int32_t UnalignedS32 __attribute__((aligned(1), may_alias));
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
    case MEM_128: call[1] = *(const Unaligned64 *)(at + 8); G_GNUC_FALLTHROUGH;
    default: call[0] = *(const Unaligned64 *)at; break;
    }
}

QUIET static void store_now(const uint64_t *call, uint8_t *at, uint32_t key, uint64_t value)
{
    switch (key & MEM_SIZE) {
    case MEM_8: *at = (uint8_t)value; break;
    case MEM_16: *(Unaligned16 *)at = (uint16_t)value; break;
    case MEM_32: *(Unaligned32 *)at = (uint32_t)value; break;
    case MEM_128: *(Unaligned64 *)(at + 8) = call[2]; G_GNUC_FALLTHROUGH;
    default: *(Unaligned64 *)at = value; break;
    }
}

QUIET static const SlowSite *site_of(const SlowFrame *frame)
{
    return (const SlowSite *)(frame->back - SLOW_CALL) - 1;
}

QUIET static int32_t retry_of(const SlowSite *site)
{
    return ((const UnalignedS32 *)site)[-1];
}

QUIET static uint64_t address_of(const SlowFrame *frame, const SlowSite *site)
{
    return frame->reg[site->registers & 15] + (uint64_t)(int64_t)site->disp;
}

QUIET static uint64_t operand_of(const CpuEnv *env, const SlowFrame *frame, const SlowSite *site)
{
    unsigned value = site->registers >> 4;

    if (value == SLOW_IN_CALL) {
        return env->call[1];
    }
    return (site->key & MEM_SIZE) == MEM_64 ? frame->reg[value] : (uint32_t)frame->reg[value];
}

QUIET static bool access_now(
    CpuEnv *env, const SlowFrame *frame, const SlowSite *site, uint64_t address, bool write)
{
    uint64_t page = address & -(uint64_t)GUEST_PAGE_SIZE;
    unsigned index = (unsigned)(page >> GUEST_PAGE_BITS) & (TLB_SIZE - 1), key = site->key;
    const CpuFar *far = (const CpuFar *)env - 1;
    const TlbEntry *entry = write ? &far->write[index] : &far->read[index];
    uint64_t context = key & SLOW_OTHER ? env->other_context : env->data_context;

    if (entry->tag != (page | context) || (key & MEM_BIG && (key & MEM_SIZE) != MEM_8)) {
        return false;
    }
    if (write) {
        store_now(
            env->call, (uint8_t *)(entry->addend + address), key, operand_of(env, frame, site));
    } else {
        load_now(env->call, (const uint8_t *)(entry->addend + address), key);
    }
    return true;
}

QUIET uint32_t slow_quick(CpuEnv *env, SlowFrame *frame)
{
    const SlowSite *site = site_of(frame);
    uint64_t address = address_of(frame, site);
    uint32_t key = site->key;
    SlowKind kind = slow_kind(key);
    bool write = kind != SLOW_LOAD, atomic = kind == SLOW_RMW || kind == SLOW_CAS;

    if (!is_fast(address, key)) {
        return false;
    }
    if (!atomic && access_now(env, frame, site, address, write)) {
        return true;
    }
    if (!(key & SLOW_OTHER ? mem_refill_as : mem_refill)(env, address, write)) {
        return false;
    }
    if (!(key & SLOW_RETRY)) {
        return access_now(env, frame, site, address, write);
    }
    frame->back += (uintptr_t)(intptr_t)retry_of(site);
    return true;
}

void slow_float(CpuEnv *env)
{
    env->call[0] = fp_eval(env, env->call[0], env->call[1], env->call[2], (uint32_t)env->call[3]);
}

void slow_vector(CpuEnv *env)
{
    vec_eval(env, &env->vec[0], &env->vec[0], &env->vec[1], &env->vec[2], (uint32_t)env->call[3]);
}

void slow_access(CpuEnv *env, const SlowFrame *frame)
{
    const SlowSite *site = site_of(frame);
    uint64_t *call = env->call, address = address_of(frame, site);
    uint32_t key = site->key, op = key & 0xff;
    bool wide = (op & MEM_SIZE) == MEM_128;

    call[1] = operand_of(env, frame, site);
    switch (slow_kind(key)) {
    case SLOW_LOAD:
        if (wide) {
            mem_load128(env, address, op, &call[0]);
        } else {
            call[0] = (key & SLOW_OTHER ? mem_load_as : mem_load)(env, address, op);
        }
        break;
    case SLOW_STORE:
        if (wide) {
            mem_store128(env, address, op, &call[1]);
        } else {
            (key & SLOW_OTHER ? mem_store_as : mem_store)(env, address, call[1], op);
        }
        break;
    case SLOW_RMW: call[0] = mem_rmw(env, address, call[1], key & 0xfff); break;
    case SLOW_CAS: call[0] = mem_cas(env, address, call[1], call[2], op); break;
    }
}

#include "tcg/general-regs-end.h"
