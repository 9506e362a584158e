/*
 * Look-ups in the second level and the memory map. Apart from tlb-impl.h because tlb-refill.c compiles them for
 * general registers only.
 */
#ifndef TCG_TLB_INLINE_H
#define TCG_TLB_INLINE_H

#include "core/region.h"
#include "tcg/tlb-impl.h"

static inline const RamView *tlb_ram_at(const Tlb *tlb, uint64_t physical)
{
    for (unsigned i = 0; i < tlb->ram_count; i++) {
        if (physical - tlb->ram[i].start < tlb->ram[i].size) {
            return &tlb->ram[i];
        }
    }
    return NULL;
}

static inline const RamView *tlb_ram_of_host(const Tlb *tlb, const uint8_t *host)
{
    for (unsigned i = 0; i < tlb->ram_count; i++) {
        if ((uintptr_t)host - (uintptr_t)tlb->ram[i].host < tlb->ram[i].size) {
            return &tlb->ram[i];
        }
    }
    return NULL;
}

static inline L2Entry *l2_set(const Tlb *tlb, uint64_t address, unsigned size_bits, uint64_t serial)
{
    uint64_t key = (address >> size_bits) + serial * 0x13c6ef37;
    uint64_t hash = (key ^ key >> TLB_SETS_MAX_BITS) & ((1u << tlb->set_bits) - 1);

    return &tlb->entries[hash * TLB_WAYS];
}

static inline L2Entry *l2_find_size(
    const Tlb *tlb, uint64_t address, unsigned size_bits, uint64_t serial)
{
    uint64_t page = (address >> size_bits << size_bits) | size_bits;
    L2Entry *set = l2_set(tlb, address, size_bits, serial);

    for (unsigned way = 0; way < TLB_WAYS; way++) {
        if (set[way].page == page && (set[way].owner ^ serial) < L2_FLAGS) {
            return &set[way];
        }
    }
    return NULL;
}

/* The entry for an address in a space or among its global pages, or NULL. */
static inline L2Entry *l2_find(const Tlb *tlb, const TlbSpace *space, uint64_t address)
{
    uint64_t global = tlb->spaces[space->twin].serial;

    for (uint64_t sizes = tlb->sizes; sizes; sizes &= sizes - 1) {
        unsigned size_bits = (unsigned)__builtin_ctzll(sizes);
        L2Entry *entry = l2_find_size(tlb, address, size_bits, space->serial);
        if (!entry) {
            entry = l2_find_size(tlb, address, size_bits, global);
        }
        if (entry) {
            return entry;
        }
    }
    return NULL;
}

#endif
