/*
 * What generated code calls with guest registers in vector registers: the quick half of a first-level miss. So
 * nothing here may touch those: no floating point, no sanitizer, no other module.
 */
#include "tcg/tcg-impl.h"

#include "tcg/general-regs.h"
#include "tcg/tlb-inline.h"

QUIET static bool refill(
    CpuEnv *env, const TlbSpace *space, uint64_t context, uint64_t address, bool write)
{
    Tlb *tlb = &env->cpu->tlb;
    const L2Entry *entry = l2_find(tlb, space, address);

    if (!entry || !entry->host || entry->owner & L2_STRICT ||
        !(entry->owner & (write ? L2_WRITE : L2_READ))) {
        return false;
    }
    uint64_t page = address & -(uint64_t)GUEST_PAGE_SIZE;
    uint64_t size_bits = entry->page & (GUEST_PAGE_SIZE - 1);
    uint8_t *host = entry->host + (page - (entry->page >> size_bits << size_bits));
    if (write) {
        const RamView *ram = tlb_ram_of_host(tlb, host);
        if (!ram || ram->readonly ||
            __atomic_load_n(&ram->flags[(host - ram->host) >> PAGE_BITS], __ATOMIC_RELAXED)) {
            return false;
        }
    }
    unsigned index = (unsigned)(page >> GUEST_PAGE_BITS) & (TLB_SIZE - 1);
    CpuFar *far = (CpuFar *)env - 1;
    TlbEntry *slot = write ? &far->write[index] : &far->read[index];
    slot->tag = page | context;
    slot->addend = (uintptr_t)host - page;
    tlb->refills++;
    return true;
}

QUIET bool mem_refill(CpuEnv *env, uint64_t address, bool write)
{
    return refill(env, env->cpu->tlb.data, env->data_context, address, write);
}

QUIET bool mem_refill_as(CpuEnv *env, uint64_t address, bool write)
{
    return env->other_context != OTHER_UNKNOWN &&
        refill(env, env->cpu->tlb.other, env->other_context, address, write);
}

#include "tcg/general-regs-end.h"
