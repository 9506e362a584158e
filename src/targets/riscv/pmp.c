/* Physical memory protection: privileged ISA 3.7. */
#include "targets/riscv/state.h"

#include "tcg/tlb.h"

/* A byte of pmpcfg. */
enum {
    PMP_MODE = 3 << 3,
    PMP_TOR = 1 << 3,
    PMP_NA4 = 2 << 3,
    PMP_NAPOT = 3 << 3,
    PMP_LOCK = 1 << 7
};
enum { PMP_WRITABLE = PMP_R | PMP_W | PMP_X | PMP_MODE | PMP_LOCK };
enum { PMP_SHIFT = 2, PMP_CFG0 = 0x3a0, PMP_ADDR0 = 0x3b0 };

/* Makes cpu->pmp[n] of the registers. */
static void match_entry(RvCpu *cpu, unsigned n)
{
    uint64_t at = cpu->pmp_address[n];
    RvPmp *entry = &cpu->pmp[n];

    entry->config = cpu->pmp_config[n];
    entry->active = entry->config & PMP_MODE;
    switch (entry->config & PMP_MODE) {
    case PMP_TOR:
        entry->start = n ? cpu->pmp_address[n - 1] << PMP_SHIFT : 0;
        entry->last = (at << PMP_SHIFT) - 1;
        entry->active = at << PMP_SHIFT > entry->start;
        break;
    case PMP_NA4:
        entry->start = at << PMP_SHIFT;
        entry->last = entry->start + 3;
        break;
    case PMP_NAPOT: {
        /* Trailing ones and the zero above them: twice as many words. */
        uint64_t span = ((at ^ (at + 1)) << PMP_SHIFT) | 3;

        entry->start = at << PMP_SHIFT & ~span;
        entry->last = entry->start | span;
        break;
    }
    }
}

static void match_all(RvCpu *cpu)
{
    for (unsigned n = 0; n < RV_PMP_COUNT; n++) {
        match_entry(cpu, n);
    }
    tlb_flush_all(&cpu->env);
}

void rv_pmp_reset(RvCpu *cpu)
{
    for (unsigned n = 0; n < RV_PMP_COUNT; n++) {
        cpu->pmp_config[n] = 0;
        cpu->pmp_address[n] = 0;
        match_entry(cpu, n);
    }
}

/* The first entry that touches [start, last]; NULL: none. */
static const RvPmp *first_match(const RvCpu *cpu, uint64_t start, uint64_t last)
{
    for (unsigned n = 0; n < RV_PMP_COUNT; n++) {
        const RvPmp *entry = &cpu->pmp[n];

        if (entry->active && entry->start <= last && entry->last >= start) {
            return entry;
        }
    }
    return NULL;
}

unsigned rv_pmp_rights(const RvCpu *cpu, uint64_t physical, RvPrivilege privilege, uint64_t *size)
{
    const RvPmp *entry;

    for (;; *size >>= 1) {
        uint64_t start = physical & ~(*size - 1), last = start + *size - 1;

        entry = first_match(cpu, start, last);
        if (!entry) {
            return privilege == PRIV_M ? PMP_R | PMP_W | PMP_X : 0;
        }
        if ((entry->start <= start && entry->last >= last) || *size == 1 << PMP_SHIFT) {
            break;
        }
    }
    if (privilege == PRIV_M && !(entry->config & PMP_LOCK)) {
        return PMP_R | PMP_W | PMP_X;
    }
    return entry->config & (PMP_R | PMP_W | PMP_X);
}

/* ---- the CSRs --------------------------------------------------------------------------------- */

/* A locked entry keeps its address, and as a top of range also the address below it. */
static bool address_is_locked(const RvCpu *cpu, unsigned n)
{
    return cpu->pmp_config[n] & PMP_LOCK ||
        (n + 1 < RV_PMP_COUNT && cpu->pmp_config[n + 1] & PMP_LOCK &&
            (cpu->pmp_config[n + 1] & PMP_MODE) == PMP_TOR);
}

uint64_t rv_pmp_read(RvCpu *cpu, unsigned number)
{
    unsigned first = (number - PMP_CFG0) * 4;
    uint64_t value = 0;

    if (number >= PMP_ADDR0) {
        return number - PMP_ADDR0 < RV_PMP_COUNT ? cpu->pmp_address[number - PMP_ADDR0] : 0;
    }
    for (unsigned i = 0; i < rv_xlen(cpu) / 8 && first + i < RV_PMP_COUNT; i++) {
        value |= (uint64_t)cpu->pmp_config[first + i] << 8 * i;
    }
    return value;
}

static void write_config(RvCpu *cpu, unsigned n, uint8_t config)
{
    config &= PMP_WRITABLE;
    if (cpu->pmp_config[n] & PMP_LOCK || (config & (PMP_R | PMP_W)) == PMP_W) {
        return; /* W without R is reserved: the old value stays */
    }
    cpu->pmp_config[n] = config;
}

void rv_pmp_write(RvCpu *cpu, unsigned number, uint64_t value)
{
    /* RV64 has 54 bits of address, RV32 has 32. */
    uint64_t address_mask = rv_has(cpu, RV_RV64) ? (UINT64_C(1) << 54) - 1 : UINT32_MAX;
    unsigned first = (number - PMP_CFG0) * 4, n = number - PMP_ADDR0;

    if (number < PMP_ADDR0) {
        for (unsigned i = 0; i < rv_xlen(cpu) / 8 && first + i < RV_PMP_COUNT; i++) {
            write_config(cpu, first + i, value >> 8 * i);
        }
    } else if (n < RV_PMP_COUNT && !address_is_locked(cpu, n)) {
        cpu->pmp_address[n] = value & address_mask;
    }
    match_all(cpu);
}
