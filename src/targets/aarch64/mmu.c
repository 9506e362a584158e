/* Address translation: VMSAv8-64. Arm ARM D8. */
#include <glib.h>

#include "targets/aarch64/model.h"
#include "targets/aarch64/state.h"
#include "tcg/tlb.h"

/* Bits of a descriptor (D8.3). */
#define DESC_VALID A64_BIT(0)
#define DESC_TABLE A64_BIT(1)     /* at level 3: a page */
#define DESC_USER A64_BIT(6)      /* AP[1] */
#define DESC_READ_ONLY A64_BIT(7) /* AP[2] */
#define DESC_AF A64_BIT(10)
#define DESC_NG A64_BIT(11)
#define DESC_GP A64_BIT(50)
#define DESC_DBM A64_BIT(51)
#define DESC_PXN A64_BIT(53)
#define DESC_UXN A64_BIT(54)
#define TABLE_PXN A64_BIT(59)
#define TABLE_UXN A64_BIT(60)
#define TABLE_NO_USER A64_BIT(61)
#define TABLE_READ_ONLY A64_BIT(62)
#define DESC_ADDRESS UINT64_C(0x0000fffffffff000)

/* How one half of an address space is translated: the fields of TCR_ELx that concern it. */
typedef struct Half {
    uint64_t table;
    uint8_t size;    /* TxSZ */
    uint8_t granule; /* log2 of its bytes */
    uint8_t out_bits;
    bool top_byte_ignored, disabled, no_hierarchy;
    bool sets_af, sets_dirty;
} Half;

/* ---- configuration ---------------------------------------------------------------------------- */

/* The level whose registers translate for EL0 and EL1, or for the one above. */
static unsigned regime_of(unsigned el)
{
    return el ? el : 1;
}

static uint8_t granule0(uint64_t tg)
{
    static const uint8_t bits[4] = { 12, 16, 14, 12 };

    return bits[tg & 3];
}

static uint8_t granule1(uint64_t tg)
{
    static const uint8_t bits[4] = { 12, 14, 12, 16 };

    return bits[tg & 3];
}

static uint8_t physical_bits(unsigned range)
{
    static const uint8_t bits[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };

    return bits[range & 7];
}

static uint8_t out_bits(const A64Cpu *cpu, unsigned range)
{
    return physical_bits(MIN(range, cpu->model->pa_range));
}

static Half half_of_two(const A64Cpu *cpu, bool upper)
{
    uint64_t tcr = cpu->tcr[1], shifted = upper ? tcr >> 16 : tcr;

    return (Half){
        .table = upper ? cpu->ttbr1[1] : cpu->ttbr0[1],
        .size = shifted & 63,
        .granule = upper ? granule1(tcr >> 30) : granule0(tcr >> 14),
        .out_bits = out_bits(cpu, tcr >> 32 & 7),
        .top_byte_ignored = tcr >> (upper ? 38 : 37) & 1,
        .disabled = shifted >> 7 & 1,
        .no_hierarchy = a64_has(cpu, A64_HPDS) && tcr >> (upper ? 42 : 41) & 1,
        .sets_af = a64_has(cpu, A64_HAFDBS) && tcr >> 39 & 1,
        .sets_dirty = a64_has(cpu, A64_HAFDBS) && (tcr >> 39 & 3) == 3,
    };
}

/* EL2 and EL3 have one half (D17.2.132). */
static Half half_of_one(const A64Cpu *cpu, unsigned el)
{
    uint64_t tcr = cpu->tcr[el];

    return (Half){
        .table = cpu->ttbr0[el],
        .size = tcr & 63,
        .granule = granule0(tcr >> 14),
        .out_bits = out_bits(cpu, tcr >> 16 & 7),
        .top_byte_ignored = tcr >> 20 & 1,
        .no_hierarchy = a64_has(cpu, A64_HPDS) && tcr >> 24 & 1,
        .sets_af = a64_has(cpu, A64_HAFDBS) && tcr >> 21 & 1,
        .sets_dirty = a64_has(cpu, A64_HAFDBS) && (tcr >> 21 & 3) == 3,
    };
}

static Half half_for(const A64Cpu *cpu, unsigned regime, uint64_t address)
{
    return regime == 1 ? half_of_two(cpu, address >> 55 & 1) : half_of_one(cpu, regime);
}

static bool is_translated(const A64Cpu *cpu, unsigned regime)
{
    return cpu->sctlr[regime] & SCTLR_M;
}

/* TCR_EL1: A1 says whose ASID counts, AS that it has 16 bits. */
static uint64_t asid(const A64Cpu *cpu)
{
    uint64_t ttbr = cpu->tcr[1] >> 22 & 1 ? cpu->ttbr1[1] : cpu->ttbr0[1];

    return ttbr >> 48 & (cpu->tcr[1] >> 36 & 1 ? 0xffff : 0xff);
}

/* ---- contexts --------------------------------------------------------------------------------- */

static unsigned data_el(const A64Cpu *cpu)
{
    return cpu->as_user ? 0 : a64_el(cpu);
}

static uint64_t space_of(const A64Cpu *cpu, unsigned el)
{
    unsigned regime = regime_of(el);

    if (!is_translated(cpu, regime)) {
        return 0;
    }
    return regime == 1 ? a64_space(asid(cpu)) : regime;
}

void a64_contexts(const CpuEnv *env, IsaContext *out)
{
    const A64Cpu *cpu = a64_cpu_const(env);
    unsigned data = data_el(cpu), fetch = a64_el(cpu);

    out->data_space = space_of(cpu, data);
    out->data_rights = data | (data == 1 ? cpu->pan << 2 : 0);
    out->fetch_space = space_of(cpu, fetch);
    out->fetch_rights = fetch;
}

/* ---- faults ----------------------------------------------------------------------------------- */

static uint32_t fault(Access access, unsigned code)
{
    return access == ACCESS_FETCH
        ? a64_syndrome(EC_FETCH_LOWER, code)
        : a64_syndrome(EC_DATA_LOWER, code | (access == ACCESS_WRITE ? ISS_WNR : 0));
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

typedef struct Leaf {
    uint64_t desc, at; /* the descriptor and where it is */
    uint64_t limits;   /* TABLE_* of the tables above */
    unsigned level, shift;
} Leaf;

enum { LAST_LEVEL = 3 };
enum { FAULT = 1 << 8 }; /* beside a status code, of which one is 0 */

static unsigned level_shift(const Half *half, unsigned level)
{
    return half->granule + (LAST_LEVEL - level) * (half->granule - 3);
}

/* Where the walk begins: the lowest level whose table covers the address (D8.2.4). */
static unsigned first_level(const Half *half)
{
    unsigned bits = 64 - half->size - half->granule, stride = half->granule - 3;

    return LAST_LEVEL + 1 - (bits + stride - 1) / stride;
}

static bool is_size_valid(const A64Cpu *cpu, const Half *half)
{
    unsigned most = a64_has(cpu, A64_TTST) ? (half->granule == 16 ? 47 : 48) : 39;

    return half->size >= 16 && half->size <= most;
}

/* All bits above the half's are alike, but for a tag. */
static bool is_in_half(const Half *half, uint64_t address)
{
    unsigned bits = 64 - half->size, top = half->top_byte_ignored ? 56 : 64;
    uint64_t above = (address >> bits) & ((UINT64_C(1) << (top - bits)) - 1);

    return bits == top || above == 0 || above == (UINT64_C(1) << (top - bits)) - 1;
}

/* Blocks are at levels 1 and 2 of 4 KiB granules, 2 of the others (D8.3.1). */
static bool is_leaf(const Half *half, unsigned level, uint64_t desc, bool *wrong)
{
    bool table = desc & DESC_TABLE;

    if (level == LAST_LEVEL) {
        *wrong = !table;
        return true;
    }
    *wrong = !table && (level == 0 || (level == 1 && half->granule != 12));
    return !table;
}

static bool is_out_of_range(const Half *half, uint64_t physical)
{
    return physical >> half->out_bits;
}

/* The descriptor that maps the address; else the fault status code with FAULT, 0: found. */
static unsigned find_leaf(A64Cpu *cpu, const Half *half, uint64_t address, Leaf *leaf)
{
    unsigned level = first_level(half), top = 64 - half->size;
    /* The first table may be smaller than a granule, and then is aligned to its own size. */
    uint64_t table = (half->table & UINT64_C(0x0000fffffffffffe)) &
        ~((UINT64_C(8) << (top - level_shift(half, level))) - 1);
    bool wrong;

    if (is_out_of_range(half, table)) {
        return FAULT | FAULT_ADDRESS_SIZE;
    }
    for (leaf->limits = 0;; level++, top = leaf->shift) {
        leaf->level = level;
        leaf->shift = level_shift(half, level);
        leaf->at = table +
            (address >> leaf->shift & ((UINT64_C(1) << (top - leaf->shift)) - 1)) * 8;
        if (!phys_load(&cpu->env, leaf->at, 8, &leaf->desc)) {
            return FAULT | FAULT_EXTERNAL_WALK | level;
        }
        if (!(leaf->desc & DESC_VALID)) {
            return FAULT | FAULT_TRANSLATION | level;
        }
        if (is_out_of_range(half, leaf->desc & DESC_ADDRESS)) {
            return FAULT | FAULT_ADDRESS_SIZE | level;
        }
        if (is_leaf(half, level, leaf->desc, &wrong)) {
            return wrong ? FAULT | FAULT_TRANSLATION | level : 0;
        }
        leaf->limits |= half->no_hierarchy ? 0 : leaf->desc;
        table = leaf->desc & DESC_ADDRESS & ~((UINT64_C(1) << half->granule) - 1);
    }
}

/* ---- rights ----------------------------------------------------------------------------------- */

/* What tables took away, as if the descriptor itself did. */
static uint64_t limited(const Leaf *leaf)
{
    uint64_t desc = leaf->desc;

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

    if (regime != 1) {
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

static bool allows(const Translation *t, Access access)
{
    return access == ACCESS_READ ? t->read : access == ACCESS_WRITE ? t->write : t->execute;
}

/* Sets AF, and for a write makes a page with DBM writable. False: the descriptor has changed meanwhile. */
static bool mark_used(
    A64Cpu *cpu, const Half *half, const Leaf *leaf, Access access, unsigned *code)
{
    uint64_t wanted = leaf->desc | DESC_AF, found = leaf->desc;
    bool done;

    *code = 0;
    if (!(leaf->desc & DESC_AF) && !half->sets_af) {
        *code = FAULT | FAULT_ACCESS_FLAG | leaf->level;
        return false;
    }
    if (half->sets_dirty && access == ACCESS_WRITE && leaf->desc & DESC_DBM) {
        wanted &= ~DESC_READ_ONLY;
    }
    if (wanted == leaf->desc) {
        return true;
    }
    if (!phys_cas(&cpu->env, leaf->at, 8, &found, wanted, &done)) {
        *code = FAULT | FAULT_EXTERNAL_WALK | leaf->level;
        return false;
    }
    return done;
}

/* A page that the hardware would make writable may be written, by another walk. */
static uint64_t as_writable(const Half *half, Access access, uint64_t desc)
{
    bool hardware = half->sets_dirty && desc & DESC_DBM && access == ACCESS_WRITE;

    return hardware ? desc & ~DESC_READ_ONLY : desc;
}

/* An attribute of MAIR_ELx: 0000xxxx is Device memory. */
static bool is_device(uint64_t attribute)
{
    return !(attribute & 0xf0);
}

static unsigned translate(
    A64Cpu *cpu, unsigned regime, unsigned el, uint64_t address, Access access, Translation *out)
{
    Half half = half_for(cpu, regime, address);
    unsigned code;
    Leaf leaf;

    if (half.disabled || !is_size_valid(cpu, &half) || !is_in_half(&half, address)) {
        return FAULT | FAULT_TRANSLATION;
    }
    do {
        uint64_t desc;

        code = find_leaf(cpu, &half, address, &leaf);
        if (code) {
            return code;
        }
        if (!(leaf.desc & DESC_AF) && !half.sets_af) {
            return FAULT | FAULT_ACCESS_FLAG | leaf.level;
        }
        desc = leaf.desc;
        leaf.desc = as_writable(&half, access, desc);
        set_rights(cpu, regime, el, limited(&leaf), out);
        leaf.desc = desc;
        if (!allows(out, access)) {
            return FAULT | FAULT_PERMISSION | leaf.level;
        }
    } while (!mark_used(cpu, &half, &leaf, access, &code) && !code);

    out->page_size = UINT64_C(1) << leaf.shift;
    out->physical = (leaf.desc & DESC_ADDRESS & -out->page_size) | (address & (out->page_size - 1));
    out->global = regime == 1 && !(leaf.desc & DESC_NG);
    out->strict = is_device(cpu->mair[regime] >> 8 * (leaf.desc >> 2 & 7));
    out->marked = a64_has(cpu, A64_BTI) && leaf.desc & DESC_GP;
    /* A tag in the top byte: not remembered, or TLBI would have to look for all of them. */
    if (half.top_byte_ignored && (int64_t)(address << 8) >> 8 != (int64_t)address) {
        out->page_size = 1;
    }
    return code;
}

static unsigned translate_off(const A64Cpu *cpu, uint64_t address, Translation *out)
{
    *out = (Translation){
        .physical = address,
        .page_size = UINT64_C(1) << 30,
        .read = true,
        .write = true,
        .execute = true,
    };
    return address >> physical_bits(cpu->model->pa_range) ? FAULT | FAULT_ADDRESS_SIZE : 0;
}

unsigned a64_translate_address(
    A64Cpu *cpu, unsigned el, uint64_t address, Access access, Translation *out)
{
    unsigned regime = regime_of(el);

    *out = (Translation){ 0 };
    return is_translated(cpu, regime) ? translate(cpu, regime, el, address, access, out)
                                      : translate_off(cpu, address, out);
}

/* A page with a watchpoint is not remembered. True: the access hits it. */
static bool watch(const A64Cpu *cpu, unsigned el, uint64_t address, Access access, Translation *out)
{
    if (!a64_is_watched(cpu, address, MAX(out->page_size, GUEST_PAGE_SIZE))) {
        return false;
    }
    out->page_size = 1;
    out->cause = a64_watchpoint_syndrome(access);
    return a64_watchpoint_hits(cpu, el, address, access);
}

bool a64_walk(CpuEnv *env, uint64_t address, Access access, Translation *out)
{
    A64Cpu *cpu = a64_cpu(env);
    unsigned el = access == ACCESS_FETCH ? a64_el(cpu) : data_el(cpu), code;

    if (access == ACCESS_FETCH && address & 3) {
        *out = (Translation){ .cause = a64_syndrome(EC_PC_ALIGN, 0) };
        return false;
    }
    code = a64_translate_address(cpu, el, address, access, out);
    if (code) {
        out->cause = fault(access, code & 63);
        return false;
    }
    return access == ACCESS_FETCH || !watch(cpu, el, address, access, out);
}
