/* Stage 2 of translation: a guest's physical addresses into the machine's. Arm ARM D8.2.3, D8.4.8. */
#include <glib.h>

#include "targets/aarch64/tables.h"
#include "tcg/tlb.h"

/* S2AP, and XN[1:0] (D8.4.8). */
#define DESC_S2_READ A64_BIT(6)
#define DESC_S2_WRITE A64_BIT(7)
#define DESC_MEMORY_TYPE (UINT64_C(3) << 4) /* MemAttr[3:2]: 0 is a device's */
#define DESC_FWB_MEMORY A64_BIT(4) /* with HCR_EL2.FWB: 0 is a device's, whatever stage 1 says */
#define DESC_FWB_TYPE (UINT64_C(7) << 2)
#define DESC_FWB_CACHED (UINT64_C(6) << 2) /* and this is memory, whatever stage 1 says */
enum { DESC_XN_SHIFT = 53 };
#define HPFAR_NS A64_BIT(63) /* of a non-secure address, in the secure state */

enum { VTCR_NSW = 1 << 29, VTCR_NSA = 1 << 30 }; /* SW and SA of VSTCR_EL2 */

/* Is this intermediate address the secure state's? */
static bool is_secure_ipa(const A64Cpu *cpu, uint64_t ipa)
{
    return ipa & a64_view(cpu, true);
}

/*
 * Where a translation leads from the secure state (VSTCR_EL2, VTCR_EL2): to its own addresses, unless SA says otherwise;
 * what was non-secure only if all of SW, SA, NSW and NSA let it.
 */
static bool leads_to_secure(const A64Cpu *cpu, uint64_t ipa)
{
    uint64_t others = (cpu->vstcr | cpu->vtcr) & (VTCR_NSW | VTCR_NSA);

    return a64_is_secure(cpu) &&
        (is_secure_ipa(cpu, ipa) ? !(cpu->vstcr & (VTCR_NSW | VTCR_NSA)) : !others);
}

/* The tables themselves: by SW, or NSW for those of non-secure addresses. */
static bool has_secure_tables(const A64Cpu *cpu, uint64_t ipa)
{
    uint64_t control = cpu->vstcr | (is_secure_ipa(cpu, ipa) ? 0 : cpu->vtcr);

    return a64_is_secure(cpu) && !(control & VTCR_NSW);
}

/*
 * VTCR_EL2 (D17.2.152); VSTCR_EL2 has size, start and granule of the tables of secure addresses. SL0 counts from the
 * level below the highest one that a granule has.
 */
static Tables tables_of(const A64Cpu *cpu, uint64_t ipa)
{
    bool secure = is_secure_ipa(cpu, ipa);
    uint64_t vtcr = cpu->vtcr, own = secure ? cpu->vstcr : vtcr;
    unsigned sl0 = own >> 6 & 3;
    uint8_t granule = a64_granule_there(cpu, a64_granule0(own >> 14));

    return (Tables){
        .base = (secure ? cpu->vsttbr : cpu->vttbr) & UINT64_C(0x0000fffffffffffe),
        .view = a64_view(cpu, has_secure_tables(cpu, ipa)),
        .size = own & 63,
        .granule = granule,
        .out_bits = a64_out_bits(cpu, vtcr >> 16 & 7),
        .first = sl0 == 3 ? LAST_LEVEL : (granule == 12 ? 2 : 3) - sl0,
        .is_stage_2 = true,
        .no_hierarchy = true,
        .sets_af = a64_has(cpu, A64_HAFDBS) && vtcr >> 21 & 1,
        .sets_dirty = a64_has(cpu, A64_HAFDBS) && (vtcr >> 21 & 3) == 3,
    };
}

/* The first tables are up to 16 side by side, and at least one entry of one (D8.2.3). */
static bool is_start_valid(const A64Cpu *cpu, const Tables *t)
{
    unsigned bits = 64 - t->size, stride = t->granule - 3;
    unsigned below = t->granule + (LAST_LEVEL - t->first) * stride;
    bool small = t->granule == 12 && t->first == LAST_LEVEL;
    unsigned least = a64_has(cpu, A64_TTST) ? 16 : 25;

    return bits <= a64_out_bits(cpu, 7) && bits >= least && (!small || a64_has(cpu, A64_TTST)) &&
        bits > below && bits <= below + stride + 4;
}

/* XN[1:0]: 0 all may execute, 1 EL0 alone, 2 none, 3 EL1 alone; without FEAT_XNX the low bit is not there. */
static bool may_execute(const A64Cpu *cpu, unsigned el, uint64_t desc)
{
    static const uint8_t by_level[4] = { 3, 1, 0, 2 }; /* bit 0: EL0, bit 1: EL1 */
    unsigned xn = desc >> DESC_XN_SHIFT & (a64_has(cpu, A64_XNX) ? 3 : 2);

    return by_level[xn] >> (el ? 1 : 0) & 1;
}

static unsigned find(
    A64Cpu *cpu, unsigned el, uint64_t viewed, Access access, Translation *out, Leaf *leaf)
{
    Tables tables = tables_of(cpu, viewed);
    uint64_t ipa = viewed & ~a64_view(cpu, true);
    unsigned code;

    if (!is_start_valid(cpu, &tables) || ipa >> (64 - tables.size)) {
        return FAULT | FAULT_TRANSLATION;
    }
    do {
        uint64_t desc;

        code = a64_find_leaf(cpu, &tables, ipa, leaf);
        if (code) {
            return code;
        }
        if (!(leaf->desc & DESC_AF) && !tables.sets_af) {
            return FAULT | FAULT_ACCESS_FLAG | leaf->level;
        }
        desc = leaf->desc | (a64_makes_dirty(&tables, access, leaf->desc) ? DESC_S2_WRITE : 0);
        out->read = desc & DESC_S2_READ;
        out->write = desc & DESC_S2_WRITE;
        out->execute = may_execute(cpu, el, desc);
        if (!a64_allows(out, access)) {
            return FAULT | FAULT_PERMISSION | leaf->level;
        }
        desc |= DESC_AF;
        if (a64_mark_used(cpu, &tables, leaf, desc, &code)) {
            break;
        }
    } while (!code);
    out->page_size = UINT64_C(1) << leaf->shift;
    out->physical = (leaf->desc & DESC_ADDRESS & -out->page_size) | (ipa & (out->page_size - 1));
    out->physical |= a64_view(cpu, leads_to_secure(cpu, viewed));
    return code;
}

/* Is it a device's memory by this descriptor, when stage 1 says `strict`? (D8.5.5; FEAT_S2FWB) */
static bool is_device(const A64Cpu *cpu, uint64_t desc, bool strict)
{
    if (!(cpu->hcr_now & HCR_FWB)) {
        return strict || !(desc & DESC_MEMORY_TYPE);
    }
    return !(desc & DESC_FWB_MEMORY) || (strict && (desc & DESC_FWB_TYPE) != DESC_FWB_CACHED);
}

/* A fault that EL2 hears of, with the address that the guest took for a physical one. */
static unsigned note(A64Cpu *cpu, uint64_t ipa, unsigned code)
{
    if (code) {
        cpu->fault_ipa = ipa;
        code |= FAULT_STAGE_2;
    }
    return code;
}

unsigned a64_stage2(A64Cpu *cpu, unsigned el, Access access, Translation *t)
{
    Translation second = { 0 };
    Leaf leaf;
    unsigned code = find(cpu, el, t->physical, access, &second, &leaf);

    if (code) {
        return note(cpu, t->physical, code);
    }
    t->physical = second.physical;
    t->page_size = MIN(t->page_size, second.page_size);
    t->read &= second.read;
    t->write &= second.write;
    t->execute &= second.execute;
    t->strict = is_device(cpu, leaf.desc, t->strict);
    return 0;
}

/* HCR_EL2.PTW: a table in what is a device's memory is no table. */
unsigned a64_stage2_table(A64Cpu *cpu, uint64_t ipa, Access access, uint64_t *physical)
{
    Translation second = { 0 };
    Leaf leaf;
    unsigned code = find(cpu, 1, ipa, access, &second, &leaf);

    if (!code && cpu->hcr_now & HCR_PTW && is_device(cpu, leaf.desc, false)) {
        code = FAULT | FAULT_PERMISSION | leaf.level;
    }
    *physical = second.physical;
    return note(cpu, ipa, code ? code | FAULT_IN_WALK : 0);
}

/* ---- what EL2 is told ------------------------------------------------------------------------- */

/* ISS of a data abort by stage 2 (D17.2.37): ISV, SAS, SSE, SRT, SF, AR. */
enum {
    ISS_ISV = 1 << 24,
    ISS_SAS_SHIFT = 22,
    ISS_SSE = 1 << 21,
    ISS_SRT_SHIFT = 16,
    ISS_SF = 1 << 15,
    ISS_AR = 1 << 14
};

static uint32_t iss_of(unsigned size, bool is_signed, bool wide, bool ordered, uint32_t insn)
{
    return ISS_ISV | size << ISS_SAS_SHIFT | (is_signed ? ISS_SSE : 0) |
        (insn & 31) << ISS_SRT_SHIFT | (wide ? ISS_SF : 0) | (ordered ? ISS_AR : 0);
}

/*
 * Loads and stores of one general register without write-back (C4.1.4): unsigned offset; unscaled, unprivileged
 * and register offset (bits 11 and 10 are not 1 or 3); load-acquire and store-release, LDAPUR, STLUR, LDAPR.
 */
static uint32_t describe_access(uint32_t insn)
{
    unsigned size = insn >> 30, opc = insn >> 22 & 3;
    bool plain = (insn & 0x3f000000) == 0x39000000 ||
        ((insn & 0x3f200000) == 0x38000000 && !(insn & 1 << 10)) ||
        ((insn & 0x3f200c00) == 0x38200800);
    bool unscaled_ordered = (insn & 0x3f200c00) == 0x19000000;
    bool wide = opc == 2 || (size == 3 && opc < 2);

    if (plain || unscaled_ordered) {
        bool prefetch = size == 3 && opc == 2;

        return prefetch ? 0 : iss_of(size, opc & 2, wide, unscaled_ordered, insn);
    }
    if ((insn & 0x3fa00000) == 0x08800000 || (insn & 0x3ffffc00) == 0x38bfc000) {
        return iss_of(size, false, size == 3, true, insn);
    }
    return 0;
}

/* The instruction that is under way; 0, which is none, when it is not to be had. */
static uint32_t current_insn(A64Cpu *cpu)
{
    Translation t;
    uint64_t insn, ipa = cpu->fault_ipa;
    unsigned code = a64_translate_address(
        cpu, a64_el(cpu), cpu->env.pc, ACCESS_FETCH, STAGES_1_AND_2, &t);

    cpu->fault_ipa = ipa;
    return !code && phys_load(&cpu->env, t.physical, 4, &insn) ? (uint32_t)insn : 0;
}

/* With what KVM needs of it: HPFAR_EL2 and, for a device's registers, what the instruction was. */
uint32_t a64_stage2_syndrome(A64Cpu *cpu, uint32_t syndrome)
{
    unsigned class = syndrome >> ESR_EC_SHIFT;
    uint32_t iss = syndrome & ESR_ISS;

    if (class != EC_DATA_STAGE2 && class != EC_FETCH_STAGE2) {
        return syndrome;
    }
    cpu->hpfar = (cpu->fault_ipa >> 12 & UINT64_C(0xfffffffff)) << 4 |
        (a64_is_secure(cpu) && !is_secure_ipa(cpu, cpu->fault_ipa) ? HPFAR_NS : 0);
    if (class == EC_FETCH_STAGE2) {
        return a64_syndrome(EC_FETCH_LOWER, iss);
    }
    if (!(iss & (ISS_S1PTW | ISS_CM))) {
        iss |= describe_access(current_insn(cpu));
    }
    return a64_syndrome(EC_DATA_LOWER, iss);
}
