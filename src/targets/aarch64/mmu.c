/* Address translation: VMSAv8-64. Arm ARM D8. */
#include <glib.h>

#include "targets/aarch64/model.h"
#include "targets/aarch64/tables.h"
#include "tcg/tlb.h"

#define DESC_USER A64_BIT(6)      /* AP[1] */
#define DESC_READ_ONLY A64_BIT(7) /* AP[2] */
#define DESC_NG A64_BIT(11)
#define DESC_GP A64_BIT(50)
#define DESC_PXN A64_BIT(53)
#define DESC_UXN A64_BIT(54)
#define TABLE_PXN A64_BIT(59)
#define TABLE_UXN A64_BIT(60)
#define TABLE_NO_USER A64_BIT(61)
#define TABLE_READ_ONLY A64_BIT(62)

/* How one half of an address space is translated: the fields of TCR_ELx that concern it. */
typedef struct Half {
    Tables tables;
    bool top_byte_ignored, disabled;
    bool denies_el0; /* TCR_ELx.E0PD0, E0PD1 */
} Half;

/* ---- configuration ---------------------------------------------------------------------------- */

static uint8_t granule1(uint64_t tg)
{
    static const uint8_t bits[4] = { 12, 14, 12, 16 };

    return bits[tg & 3];
}

/* EL1's regime, and EL2's with E2H, have two halves with ASIDs; EL2 and EL3 else have one. */
static bool has_halves(const A64Cpu *cpu, unsigned regime)
{
    return regime == 1 || (regime == 2 && cpu->hcr & HCR_E2H);
}

/* EL3 is of the secure state always. */
static bool is_secure_regime(const A64Cpu *cpu, unsigned regime)
{
    return a64_has(cpu, A64_EL3) && (regime == 3 || a64_is_secure(cpu));
}

static uint64_t view_of(const A64Cpu *cpu, unsigned regime)
{
    return a64_view(cpu, is_secure_regime(cpu, regime));
}

/* D17.2.131: TCR_EL1, and TCR_EL2 with E2H. */
static Half half_of_two(const A64Cpu *cpu, unsigned regime, bool upper)
{
    uint64_t tcr = cpu->tcr[regime], shifted = upper ? tcr >> 16 : tcr;

    return (Half){
        .tables = {
            .view = view_of(cpu, regime),
            .base = upper ? cpu->ttbr1[regime] : cpu->ttbr0[regime],
            .size = shifted & 63,
            .granule = a64_granule_there(cpu, upper ? granule1(tcr >> 30) : a64_granule0(tcr >> 14)),
            .out_bits = a64_out_bits(cpu, tcr >> 32 & 7),
            .stage_2 = regime == 1 && cpu->hcr_now & HCR_VM,
            .no_hierarchy = a64_has(cpu, A64_HPDS) && tcr >> (upper ? 42 : 41) & 1,
            .sets_af = a64_has(cpu, A64_HAFDBS) && tcr >> 39 & 1,
            .sets_dirty = a64_has(cpu, A64_HAFDBS) && (tcr >> 39 & 3) == 3,
        },
        .top_byte_ignored = tcr >> (upper ? 38 : 37) & 1,
        .disabled = shifted >> 7 & 1,
        .denies_el0 = a64_has(cpu, A64_E0PD) && tcr >> (upper ? 56 : 55) & 1,
    };
}

/* D17.2.132: TCR_EL2, TCR_EL3. */
static Half half_of_one(const A64Cpu *cpu, unsigned regime)
{
    uint64_t tcr = cpu->tcr[regime];

    return (Half){
        .tables = {
            .view = view_of(cpu, regime),
            .base = cpu->ttbr0[regime],
            .size = tcr & 63,
            .granule = a64_granule_there(cpu, a64_granule0(tcr >> 14)),
            .out_bits = a64_out_bits(cpu, tcr >> 16 & 7),
            .no_hierarchy = a64_has(cpu, A64_HPDS) && tcr >> 24 & 1,
            .sets_af = a64_has(cpu, A64_HAFDBS) && tcr >> 21 & 1,
            .sets_dirty = a64_has(cpu, A64_HAFDBS) && (tcr >> 21 & 3) == 3,
        },
        .top_byte_ignored = tcr >> 20 & 1,
    };
}

static Half half_for(const A64Cpu *cpu, unsigned regime, uint64_t address)
{
    Half half = has_halves(cpu, regime) ? half_of_two(cpu, regime, address >> 55 & 1)
                                        : half_of_one(cpu, regime);

    half.tables.first = a64_first_level(&half.tables);
    return half;
}

/* HCR_EL2.DC: EL1 translates nothing, whatever it says. */
static bool is_translated(const A64Cpu *cpu, unsigned regime)
{
    return cpu->sctlr[regime] & SCTLR_M && !(regime == 1 && cpu->hcr_now & HCR_DC);
}

/* TCR_EL1: A1 says whose ASID counts, AS that it has 16 bits. */
static uint64_t asid(const A64Cpu *cpu, unsigned regime)
{
    uint64_t tcr = cpu->tcr[regime];
    uint64_t ttbr = tcr >> 22 & 1 ? cpu->ttbr1[regime] : cpu->ttbr0[regime];

    return ttbr >> 48 & (tcr >> 36 & 1 ? 0xffff : 0xff);
}

/* ---- contexts --------------------------------------------------------------------------------- */

/*
 * A space's key: what translates (its regime, is it on, is stage 2 and with FWB, for which state, how:
 * SPACE_SETTING), the guest's VMID and the ASID. Its rights' key has the same but for the ASID, as global pages are the same for all
 * ASIDs and no more than that.
 */
enum {
    SPACE_ON = 1 << 2, /* bits 1 and 0: the regime */
    SPACE_STAGE_2 = 1 << 3,
    SPACE_SECURE = 1 << 4,
    SPACE_HALVES = 1 << 5,
    SPACE_FWB = 1 << 6, /* says what is a device's memory */
    SPACE_SETTING_SHIFT = 8,
    SPACE_VMID_SHIFT = 16,
    SPACE_ASID_SHIFT = 32,
    RIGHTS_SHIFT = 32
};
#define SPACE_REGIME UINT64_C(3)
#define SPACE_VMID (UINT64_C(0xffff) << SPACE_VMID_SHIFT)
#define SPACE_ASID (UINT64_C(0xffff) << SPACE_ASID_SHIFT)

/* LDTR and its like are EL0's accesses. */
static unsigned data_el(const A64Cpu *cpu)
{
    return cpu->env.other ? 0 : a64_el(cpu);
}

/* VTCR_EL2.VS: VMIDs have 16 bits. */
static uint64_t vmid(const A64Cpu *cpu)
{
    bool wide = a64_has(cpu, A64_VMID16) && cpu->vtcr >> 19 & 1;

    return cpu->vttbr >> 48 & (wide ? 0xffff : 0xff);
}

/* All of a space's key but the ASID. */
static uint64_t world_of(const A64Cpu *cpu, unsigned regime)
{
    uint64_t world = regime | (is_translated(cpu, regime) ? SPACE_ON : 0) |
        (regime < 3 && a64_is_secure(cpu) ? SPACE_SECURE : 0);

    if (regime == 2) {
        return world | (cpu->hcr & HCR_E2H ? SPACE_HALVES : 0);
    }
    if (regime == 1) {
        world |= (uint64_t)cpu->setting << SPACE_SETTING_SHIFT;
        world |= cpu->hcr_now & HCR_VM ? SPACE_STAGE_2 : 0;
        world |= cpu->hcr_now & HCR_FWB ? SPACE_FWB : 0;
        world |= a64_el2_enabled(cpu) ? vmid(cpu) << SPACE_VMID_SHIFT : 0;
    }
    return world;
}

static uint64_t space_of(const A64Cpu *cpu, unsigned regime, uint64_t world)
{
    bool has_asid = world & SPACE_ON && has_halves(cpu, regime);

    return has_asid ? world | asid(cpu, regime) << SPACE_ASID_SHIFT : world;
}

void a64_contexts(const CpuEnv *env, IsaContext *out)
{
    const A64Cpu *cpu = a64_cpu_const(env);
    unsigned el = a64_el(cpu), regime = a64_regime(cpu, el);
    uint64_t world = world_of(cpu, regime);

    out->fetch_space = out->data_space = space_of(cpu, regime, world);
    out->fetch_rights = world | (uint64_t)el << RIGHTS_SHIFT;
    out->data_rights = world | (uint64_t)(el | (el ? cpu->pan << 2 : 0)) << RIGHTS_SHIFT;
    if (a64_regime(cpu, 0) != regime) {
        regime = a64_regime(cpu, 0);
        world = world_of(cpu, regime);
    }
    out->other_space = space_of(cpu, regime, world);
    out->other_rights = world;
}

bool a64_is_asid_space(uint64_t space, uint64_t wanted)
{
    uint64_t differ = SPACE_REGIME | SPACE_ON | SPACE_SECURE | SPACE_VMID | SPACE_ASID;

    return !((space ^ wanted) & differ);
}

bool a64_is_vmid_space(uint64_t space, uint64_t wanted)
{
    return !((space ^ wanted) & (SPACE_REGIME | SPACE_SECURE | SPACE_VMID));
}

bool a64_is_regime_space(uint64_t space, uint64_t wanted)
{
    return !((space ^ wanted) & (SPACE_REGIME | SPACE_SECURE));
}

uint64_t a64_regime_space(const A64Cpu *cpu, unsigned regime)
{
    return world_of(cpu, regime);
}

uint64_t a64_asid_space(const A64Cpu *cpu, uint64_t number)
{
    unsigned regime = a64_regime(cpu, 0);

    return world_of(cpu, regime) | SPACE_ON | number << SPACE_ASID_SHIFT;
}

/* A hypervisor that is no host changes them with each guest: each pair is a number, no flush. */
void a64_settings_changed(A64Cpu *cpu)
{
    uint64_t tcr = cpu->tcr[1], sctlr = cpu->sctlr[1] & SCTLR_WXN;

    for (unsigned i = 0; i < cpu->settings_count; i++) {
        if (cpu->settings[i].tcr == tcr && cpu->settings[i].sctlr == sctlr) {
            cpu->setting = i;
            return;
        }
    }
    if (cpu->settings_count == A64_SETTINGS) {
        tlb_flush_all(&cpu->env);
        cpu->settings_count = 0;
    }
    cpu->setting = cpu->settings_count++;
    cpu->settings[cpu->setting].tcr = tcr;
    cpu->settings[cpu->setting].sctlr = sctlr;
}

/* ---- faults ----------------------------------------------------------------------------------- */

static uint32_t fault(Access access, unsigned code)
{
    bool stage_2 = code & FAULT_STAGE_2;
    uint32_t iss = (code & 63) | (code & FAULT_IN_WALK ? ISS_S1PTW : 0);

    return access == ACCESS_FETCH ? a64_syndrome(stage_2 ? EC_FETCH_STAGE2 : EC_FETCH_LOWER, iss)
                                  : a64_syndrome(stage_2 ? EC_DATA_STAGE2 : EC_DATA_LOWER,
                                        iss | (access == ACCESS_WRITE ? ISS_WNR : 0));
}

uint32_t a64_bus_fault(const CpuEnv *env, Access access)
{
    return fault(access, FAULT_EXTERNAL);
}

uint32_t a64_align_fault(const CpuEnv *env, Access access)
{
    return access == ACCESS_FETCH ? a64_syndrome(EC_PC_ALIGN, 0) : fault(access, FAULT_ALIGNMENT);
}

/* ---- the walk --------------------------------------------------------------------------------- */

static bool is_size_valid(const A64Cpu *cpu, const Tables *t)
{
    unsigned most = a64_has(cpu, A64_TTST) ? (t->granule == 16 ? 47 : 48) : 39;

    return t->size >= 16 && t->size <= most;
}

/* All bits above the half's are alike, but for a tag. */
static bool is_in_half(const Half *half, uint64_t address)
{
    unsigned bits = 64 - half->tables.size, top = half->top_byte_ignored ? 56 : 64;
    uint64_t above = (address >> bits) & ((UINT64_C(1) << (top - bits)) - 1);

    return bits == top || above == 0 || above == (UINT64_C(1) << (top - bits)) - 1;
}

/*
 * AArch64.BranchAddr() in J1. Branches do not come here: a pc with a tag is found when code is looked for there, and
 * is none from then on.
 */
uint64_t a64_branch_address(const A64Cpu *cpu, uint64_t address)
{
    const uint64_t tag = UINT64_C(0xff) << 56;
    unsigned regime = a64_regime(cpu, a64_el(cpu)), half = address >> 55 & 1;
    uint64_t tcr = cpu->tcr[regime];
    bool halves = has_halves(cpu, regime), ignored, only_data;

    ignored = tcr >> (halves ? 37 + half : 20) & 1;
    only_data = a64_has(cpu, A64_PAUTH) && tcr >> (halves ? 51 + half : 29) & 1;
    if (!ignored || only_data) {
        return address;
    }
    return halves && half ? address | tag : address & ~tag;
}

/* ---- rights ----------------------------------------------------------------------------------- */

/* What tables took away, as if the descriptor itself did. */
static uint64_t limited(const Leaf *leaf, uint64_t desc)
{
    desc |= leaf->limits & TABLE_READ_ONLY ? DESC_READ_ONLY : 0;
    desc &= leaf->limits & TABLE_NO_USER ? ~DESC_USER : ~UINT64_C(0);
    desc |= leaf->limits & TABLE_UXN ? DESC_UXN : 0;
    return desc | (leaf->limits & TABLE_PXN ? DESC_PXN : 0);
}

/* D8.4. What a user may write, EL1 may not execute. */
static void set_rights(
    const A64Cpu *cpu, unsigned regime, unsigned el, uint64_t desc, Translation *out)
{
    bool user = desc & DESC_USER, writable = !(desc & DESC_READ_ONLY);
    bool wxn = cpu->sctlr[regime] & SCTLR_WXN;

    if (!has_halves(cpu, regime)) {
        out->read = true;
        out->write = writable;
        out->execute = !(desc & DESC_UXN) && !(writable && wxn);
    } else if (el == 0) {
        out->read = user;
        out->write = user && writable;
        out->execute = !(desc & DESC_UXN) && !(out->write && wxn);
    } else {
        out->read = !(user && cpu->pan);
        out->write = writable && out->read;
        out->execute = !(desc & DESC_PXN) && !(user && writable) && !(writable && wxn);
    }
}

/* An attribute of MAIR_ELx: 0000xxxx is Device memory. */
static bool is_device(uint64_t attribute)
{
    return !(attribute & 0xf0);
}

static bool is_nonsecure(const Leaf *leaf)
{
    return leaf->nonsecure || leaf->desc & DESC_NS;
}

/* SCR_EL3.SIF: the secure state executes nothing that the other one can write. */
static bool is_foreign_code(const A64Cpu *cpu, unsigned regime, const Leaf *leaf)
{
    return cpu->scr & SCR_SIF && is_secure_regime(cpu, regime) && is_nonsecure(leaf);
}

static unsigned translate(
    A64Cpu *cpu, unsigned regime, unsigned el, uint64_t address, Access access, Translation *out)
{
    Half half = half_for(cpu, regime, address);
    const Tables *tables = &half.tables;
    uint64_t used;
    unsigned code;
    Leaf leaf;

    half.top_byte_ignored &= access != ACCESS_FETCH;
    if (half.disabled || (half.denies_el0 && !el) || !is_size_valid(cpu, tables) ||
        !is_in_half(&half, address)) {
        return FAULT | FAULT_TRANSLATION;
    }
    do {
        code = a64_find_leaf(cpu, tables, address, &leaf);
        if (code) {
            return code;
        }
        if (!(leaf.desc & DESC_AF) && !tables->sets_af) {
            return FAULT | FAULT_ACCESS_FLAG | leaf.level;
        }
        used = leaf.desc | DESC_AF;
        used &= a64_makes_dirty(tables, access, used) ? ~DESC_READ_ONLY : ~UINT64_C(0);
        set_rights(cpu, regime, el, limited(&leaf, used), out);
        out->execute &= !is_foreign_code(cpu, regime, &leaf);
        if (!a64_allows(out, access)) {
            return FAULT | FAULT_PERMISSION | leaf.level;
        }
    } while (!a64_mark_used(cpu, tables, &leaf, used, &code) && !code);

    out->page_size = UINT64_C(1) << leaf.shift;
    out->physical = (leaf.desc & DESC_ADDRESS & -out->page_size) | (address & (out->page_size - 1));
    out->physical |= is_nonsecure(&leaf) ? 0 : tables->view;
    out->global = has_halves(cpu, regime) && !(leaf.desc & DESC_NG);
    out->strict = is_device(cpu->mair[regime] >> 8 * (leaf.desc >> 2 & 7));
    out->marked = a64_has(cpu, A64_BTI) && leaf.desc & DESC_GP;
    out->plain = (uint64_t)((int64_t)(address << 8) >> 8);
    out->is_alias = half.top_byte_ignored && out->plain != address; /* a tag in the top byte */
    return code;
}

static unsigned translate_off(
    const A64Cpu *cpu, unsigned regime, uint64_t address, Translation *out)
{
    *out = (Translation){
        .physical = address | view_of(cpu, regime),
        .page_size = UINT64_C(1) << 30,
        .read = true,
        .write = true,
        .execute = true,
    };
    return address >> a64_out_bits(cpu, 7) ? FAULT | FAULT_ADDRESS_SIZE : 0;
}

unsigned a64_translate_address(
    A64Cpu *cpu, unsigned el, uint64_t address, Access access, A64Stages stages, Translation *out)
{
    unsigned regime = a64_regime(cpu, el), code;

    *out = (Translation){ 0 };
    code = is_translated(cpu, regime) ? translate(cpu, regime, el, address, access, out)
                                      : translate_off(cpu, regime, address, out);
    if (!code && regime == 1 && stages == STAGES_1_AND_2 && cpu->hcr_now & HCR_VM) {
        code = a64_stage2(cpu, el, access, out);
    }
    return code;
}

bool a64_is_device(A64Cpu *cpu, uint64_t address)
{
    unsigned el = data_el(cpu);
    Translation t;

    if (!is_translated(cpu, a64_regime(cpu, el))) {
        return cpu->env.mode & MODE_ALIGNED;
    }
    return !cpu_host_memory(&cpu->env, address, true) &&
        !a64_translate_address(cpu, el, address, ACCESS_WRITE, STAGES_1_AND_2, &t) && t.strict;
}

/* A page with a watchpoint is not remembered. True: the access hits it. */
static bool watch(const A64Cpu *cpu, unsigned el, uint64_t address, Access access, Translation *out)
{
    unsigned bytes = out->bytes;

    if (!a64_is_watched(cpu, address, MAX(out->page_size, GUEST_PAGE_SIZE))) {
        return false;
    }
    out->page_size = 1;
    out->cause = a64_watchpoint_syndrome(access);
    return a64_watchpoint_hits(cpu, el, address, bytes, access);
}

bool a64_walk(CpuEnv *env, uint64_t address, Access access, Translation *out)
{
    A64Cpu *cpu = a64_cpu(env);
    unsigned el = access == ACCESS_FETCH ? a64_el(cpu) : data_el(cpu), bytes = out->bytes, code;

    if (access == ACCESS_FETCH && a64_branch_address(cpu, address) != address) {
        *out = (Translation){ .cause = a64_syndrome(EC_AGAIN, 0) };
        return false;
    }
    if (access == ACCESS_FETCH && address & 3) {
        *out = (Translation){ .cause = a64_syndrome(EC_PC_ALIGN, 0) };
        return false;
    }
    code = a64_translate_address(cpu, el, address, access, STAGES_1_AND_2, out);
    if (code) {
        out->cause = fault(access, code);
        return false;
    }
    out->bytes = bytes;
    return access == ACCESS_FETCH || !watch(cpu, el, address, access, out);
}
