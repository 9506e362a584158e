/* SYS: address translation (AT), caches (DC, IC), TLBs (TLBI). Arm ARM C5.3 to C5.5. */
#include "targets/aarch64/sysreg.h"
#include "targets/aarch64/tables.h"

#include "tcg/exec.h"
#include "tcg/tlb.h"

#define SYS(op1, crn, crm, op2) SYSREG(1, op1, crn, crm, op2)

typedef void SysCall(A64Cpu *cpu, unsigned number, uint64_t value);

/* ---- caches: there are none to see, but rights are checked ------------------------------------- */

static void nothing(A64Cpu *cpu, unsigned number, uint64_t value)
{
}

static void code_barrier(A64Cpu *cpu, unsigned number, uint64_t value)
{
    cpu_code_barrier(&cpu->env);
}

/* A fault of maintenance by address is a data abort of a write (D17.2.37, CM and WnR). */
static void probe(A64Cpu *cpu, unsigned number, uint64_t address)
{
    uint64_t ignored;

    cpu_load(&cpu->env, address, MEM_8, &ignored);
    if (cpu->env.raised) {
        cpu->env.raised_cause |= ISS_CM | ISS_WNR;
    }
}

/* Not of Device memory, which all is without translation (C5.3.24). */
static void zero(A64Cpu *cpu, unsigned number, uint64_t address)
{
    if (a64_is_device(cpu, address)) {
        a64_raise(&cpu->env, a64_align_fault(&cpu->env, ACCESS_WRITE), address);
    } else {
        a64_zero_block(cpu, address);
    }
}

/* ---- address translation ---------------------------------------------------------------------- */

#define PAR_NS A64_BIT(9)
#define PAR_FAULT (UINT64_C(1) | A64_BIT(11))

/* Normal memory, inner shareable: what an attribute is matters to nobody here, but software looks. */
static uint64_t par_of(const A64Cpu *cpu, const Translation *t)
{
    uint64_t nonsecure = a64_view(cpu, true) & ~t->physical ? PAR_NS : 0;

    return nonsecure | (t->physical & UINT64_C(0x000ffffffffff000)) | UINT64_C(0xff) << 56 | 0xb80;
}

/* The level whose address it is: op1 says 2 and 3, op2 tells 0 from 1, which is a host's at EL2. */
static unsigned at_level(const A64Cpu *cpu, unsigned number)
{
    unsigned op2 = number & 7, op1 = number >> 11 & 7;

    if (op1 == 6) {
        return 3;
    }
    if (op1 == 4 && op2 < 4) {
        return 2;
    }
    return op2 & 2 ? 0 : op1 == 0 && a64_is_host(cpu) ? 2 : 1;
}

static uint64_t par_of_fault(unsigned code)
{
    return PAR_FAULT | (uint64_t)(code & 63) << 1 | (code & FAULT_IN_WALK ? 1 << 8 : 0) |
        (code & FAULT_STAGE_2 ? 1 << 9 : 0);
}

/* What EL1 asks for and stage 2 denies its tables is EL2's affair (D8.12.2, AT). */
static void translate_at(A64Cpu *cpu, unsigned number, uint64_t address)
{
    bool both = (number >> 11 & 7) == 4 && number & 4;
    Access access = number & 1 ? ACCESS_WRITE : ACCESS_READ;
    uint64_t pan = cpu->pan;
    Translation t;
    unsigned code;

    cpu->pan &= number >> 3 & 1; /* only S1E1RP and S1E1WP heed PSTATE.PAN */
    code = a64_translate_address(
        cpu, at_level(cpu, number), address, access, both ? STAGES_1_AND_2 : STAGE_1, &t);
    cpu->pan = pan;
    if (code & FAULT_STAGE_2 && a64_el(cpu) == 1) {
        a64_raise(&cpu->env,
            a64_syndrome(EC_DATA_STAGE2, (code & 63) | ISS_S1PTW | ISS_CM | ISS_WNR), address);
        return;
    }
    cpu->par_el1 = code ? par_of_fault(code) : par_of(cpu, &t);
}

/* ---- TLBI ------------------------------------------------------------------------------------- */

/*
 * Outer and inner shareable reach the other CPUs, too: CRm 1 to 3 and 5; by IPA all of CRm 0 and some of 4. So do
 * all of a guest's with HCR_EL2.FB.
 */
static bool is_broadcast(const A64Cpu *cpu, unsigned number)
{
    unsigned crm = number >> 3 & 15, op2 = number & 7;

    if (a64_el(cpu) == 1 && cpu->hcr_now & HCR_FB) {
        return true;
    }
    return crm < 4 || crm == 5 || (crm == 4 && (op2 == 0 || op2 == 3 || op2 == 4 || op2 == 7));
}

static void flush_spaces(A64Cpu *cpu, unsigned number, TlbSpaceTest test, uint64_t wanted)
{
    if (is_broadcast(cpu, number)) {
        tlb_flush_world_cpus(&cpu->env, test, wanted);
    } else {
        tlb_flush_world(&cpu->env, test, wanted);
    }
}

/* ALLE1, ALLE2, ALLE3: a regime, of all VMIDs. */
static void flush_regime(A64Cpu *cpu, unsigned number, uint64_t value)
{
    unsigned op1 = number >> 11 & 7, op2 = number & 7;
    unsigned regime = op1 == 6 ? 3 : op2 == 4 ? 1 : 2;

    flush_spaces(cpu, number, a64_is_regime_space, a64_regime_space(cpu, regime));
}

/*
 * All of the current VMID. So are those by intermediate address: no entry remembers one, as all are of both stages. A
 * hypervisor's VMALLE1 is about its own EL0 while that has no guest.
 */
static void flush_vmid(A64Cpu *cpu, unsigned number, uint64_t value)
{
    unsigned regime = number >> 11 & 7 ? 1 : a64_regime(cpu, 0);

    flush_spaces(cpu, number, a64_is_vmid_space, a64_regime_space(cpu, regime));
}

static void flush_asid(A64Cpu *cpu, unsigned number, uint64_t value)
{
    uint64_t space = a64_asid_space(cpu, value >> 48);

    if (is_broadcast(cpu, number)) {
        tlb_flush_space_cpus(&cpu->env, a64_is_asid_space, space);
    } else {
        tlb_flush_space(&cpu->env, a64_is_asid_space, space);
    }
}

/* Bits 43 to 0 of the operand are the page's number, in units of 4 KiB; the rest is like its topmost bit. */
static uint64_t page_of(uint64_t value)
{
    return (uint64_t)((int64_t)(value << 20) >> 8);
}

static void flush_page(A64Cpu *cpu, uint64_t page, bool broadcast)
{
    if (broadcast) {
        tlb_flush_page_cpus(&cpu->env, page, NULL, 0);
    } else {
        tlb_flush_page(&cpu->env, page, NULL, 0);
    }
}

/* By address, with an ASID or without: a global page is meant by either, so the ASID is not looked at. */
static void flush_address(A64Cpu *cpu, unsigned number, uint64_t value)
{
    flush_page(cpu, page_of(value), is_broadcast(cpu, number));
}

/* TG, SCALE and NUM say how many pages (C5.5.66). */
static void flush_range(A64Cpu *cpu, unsigned number, uint64_t value)
{
    enum { MANY = 64 };
    static const uint8_t granules[4] = { 12, 12, 14, 16 };
    unsigned scale = value >> 44 & 3, granule = granules[value >> 46 & 3];
    uint64_t count = ((value >> 39 & 31) + 1) << (5 * scale + 1);
    uint64_t base = (uint64_t)((int64_t)(value << 27) >> 27) << granule;

    if (count > MANY) {
        SysCall *const all = number >> 11 & 7 ? flush_regime : flush_vmid;

        all(cpu, number, value);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        flush_page(cpu, base + (i << granule), is_broadcast(cpu, number));
    }
}

/* ---- the table -------------------------------------------------------------------------------- */

typedef enum SysFlags { /* beside LEAVES */
    BY_UCI = 1 << 1,    /* EL0 may only with SCTLR_EL1.UCI */
    BY_DZE = 1 << 2,
    BY_RCTX = 1 << 3, /* EL0 may only with SCTLR_EL1.EnRCTX */
} SysFlags;

/* clang-format off */
static const struct SysInsn { uint16_t number; uint8_t feature, flags; SysCall *call; } insns[] = {
    { SYS(0, 7, 1, 0), NONE, LEAVES, code_barrier },   /* ic ialluis */
    { SYS(0, 7, 5, 0), NONE, LEAVES, code_barrier },   /* ic iallu */
    { SYS(3, 7, 5, 1), NONE, LEAVES | BY_UCI, code_barrier }, /* ic ivau */
    { SYS(0, 7, 6, 1), NONE, 0, probe },               /* dc ivac */
    { SYS(0, 7, 6, 2), NONE, 0, nothing },             /* dc isw */
    { SYS(0, 7, 10, 2), NONE, 0, nothing },            /* dc csw */
    { SYS(0, 7, 14, 2), NONE, 0, nothing },            /* dc cisw */
    { SYS(3, 7, 3, 4), A64_SPECRES, BY_RCTX, nothing }, /* cfp rctx: there is no speculation */
    { SYS(3, 7, 3, 5), A64_SPECRES, BY_RCTX, nothing }, /* dvp rctx */
    { SYS(3, 7, 3, 7), A64_SPECRES, BY_RCTX, nothing }, /* cpp rctx */
    { SYS(3, 7, 4, 1), NONE, BY_DZE, zero },           /* dc zva */
    { SYS(3, 7, 10, 1), NONE, BY_UCI, probe },         /* dc cvac */
    { SYS(3, 7, 11, 1), NONE, BY_UCI, probe },         /* dc cvau */
    { SYS(3, 7, 12, 1), A64_DPB, BY_UCI, probe },      /* dc cvap */
    { SYS(3, 7, 13, 1), A64_DPB2, BY_UCI, probe },     /* dc cvadp */
    { SYS(3, 7, 14, 1), NONE, BY_UCI, probe },         /* dc civac */
    { SYS(0, 7, 8, 0), NONE, 0, translate_at },        /* at s1e1r */
    { SYS(0, 7, 8, 1), NONE, 0, translate_at },        /* at s1e1w */
    { SYS(0, 7, 8, 2), NONE, 0, translate_at },        /* at s1e0r */
    { SYS(0, 7, 8, 3), NONE, 0, translate_at },        /* at s1e0w */
    { SYS(0, 7, 9, 0), A64_PAN2, 0, translate_at },    /* at s1e1rp */
    { SYS(0, 7, 9, 1), A64_PAN2, 0, translate_at },    /* at s1e1wp */
    { SYS(4, 7, 8, 0), A64_EL2, 0, translate_at },     /* at s1e2r */
    { SYS(4, 7, 8, 1), A64_EL2, 0, translate_at },     /* at s1e2w */
    { SYS(4, 7, 8, 4), A64_EL2, 0, translate_at },     /* at s12e1r */
    { SYS(4, 7, 8, 5), A64_EL2, 0, translate_at },     /* at s12e1w */
    { SYS(4, 7, 8, 6), A64_EL2, 0, translate_at },     /* at s12e0r */
    { SYS(4, 7, 8, 7), A64_EL2, 0, translate_at },     /* at s12e0w */
    { SYS(6, 7, 8, 0), A64_EL3, 0, translate_at },     /* at s1e3r */
    { SYS(6, 7, 8, 1), A64_EL3, 0, translate_at },     /* at s1e3w */
};

/* TLBI by op1 and op2; those with a last-level hint do the same. */
static SysCall *const of_el1[8] = {
    flush_vmid, flush_address, flush_asid, flush_address, NULL, flush_address, NULL, flush_address,
};
static SysCall *const of_el2[8] = { /* ALLE2, VAE2, ALLE1, VALE2, VMALLS12E1 */
    flush_regime, flush_address, NULL, NULL, flush_regime, flush_address, flush_vmid, NULL,
};
static SysCall *const of_el3[8] = { flush_regime, flush_address, NULL, NULL, NULL, flush_address, NULL, NULL };
/* clang-format on */

static const struct SysInsn *find_insn(unsigned number)
{
    for (unsigned i = 0; i < sizeof(insns) / sizeof(*insns); i++) {
        if (insns[i].number == number) {
            return &insns[i];
        }
    }
    return NULL;
}

/* By intermediate address: CRm 0 for the domain, 4 for this CPU and the outer domain (C5.5). */
static SysCall *find_by_ipa(const A64Cpu *cpu, unsigned number)
{
    enum {
        PLAIN = 1 << 1 | 1 << 5,
        RANGES = 1 << 2 | 1 << 6,
        OUTER = 1 << 0 | 1 << 4,
        OUTER_RANGES = 1 << 3 | 1 << 7
    };
    unsigned crm = number >> 3 & 15, bit = 1u << (number & 7);
    bool outer = crm == 4 && a64_has(cpu, A64_TLBIOS), ranges = a64_has(cpu, A64_TLBIRANGE);
    unsigned there = PLAIN | (ranges ? RANGES : 0) | (outer ? OUTER : 0) |
        (outer && ranges ? OUTER_RANGES : 0);

    return bit & there ? flush_vmid : NULL;
}

/* CRm: 1 outer, 3 inner shareable, 7 this CPU; 5, 2 and 6 the same for ranges. */
static SysCall *find_tlbi(const A64Cpu *cpu, unsigned number)
{
    unsigned op1 = number >> 11 & 7, crm = number >> 3 & 15, op2 = number & 7;
    bool is_range = crm == 2 || crm == 5 || crm == 6, is_outer = crm == 1 || crm == 5;
    SysCall *const *table = op1 == 4 ? of_el2 : op1 == 6 ? of_el3 : of_el1;

    if ((number & ~0x387fu) != SYS(0, 8, 0, 0) || !(op1 == 0 || op1 == 4 || op1 == 6)) {
        return NULL;
    }
    if (op1 == 4 && (crm == 0 || crm == 4)) {
        return find_by_ipa(cpu, number);
    }
    if ((is_outer && !a64_has(cpu, A64_TLBIOS)) ||
        (is_range && (!a64_has(cpu, A64_TLBIRANGE) || !(op2 & 1) || !table[op2]))) {
        return NULL;
    }
    return is_range ? flush_range : crm == 1 || crm == 3 || crm == 7 ? table[op2] : NULL;
}

/* Whose it is, by op1: 3 everybody's, 4 EL2's, 6 EL3's. */
static unsigned least_level(unsigned number)
{
    static const uint8_t least[8] = { 1, 1, 1, 0, 2, 2, 3, 1 };

    return least[number >> 11 & 7];
}

bool a64_sys_exists(const A64Cpu *cpu, unsigned number, unsigned el)
{
    const struct SysInsn *insn = find_insn(number);
    unsigned least = least_level(number);

    if (el < least || (least == 2 && !a64_has(cpu, A64_EL2))) {
        return false;
    }
    return insn ? insn->feature == NONE || a64_has(cpu, insn->feature)
                : find_tlbi(cpu, number) != NULL;
}

bool a64_sys_leaves(unsigned number)
{
    const struct SysInsn *insn = find_insn(number);

    return !insn || insn->flags & LEAVES;
}

/* What EL0 may do is for EL1 to say. */
static bool is_trapped(const A64Cpu *cpu, const struct SysInsn *insn)
{
    uint64_t needed = (insn->flags & BY_UCI ? SCTLR_UCI : 0) |
        (insn->flags & BY_DZE ? SCTLR_DZE : 0) | (insn->flags & BY_RCTX ? SCTLR_ENRCTX : 0);

    return a64_el(cpu) == 0 && ~a64_kernel_sctlr(cpu) & needed;
}

static uint64_t help_sys(CpuEnv *env, uint64_t operand, uint64_t value, uint64_t c)
{
    A64Cpu *cpu = a64_cpu(env);
    unsigned number = operand & 0xffff;
    const struct SysInsn *insn = find_insn(number);
    unsigned level = env->mode & MODE_TRAPS ? a64_trap_level(cpu, number, true) : 0;

    if (level && !(insn && is_trapped(cpu, insn))) {
        a64_sysreg_trap_to(cpu, level, number, operand >> 16 & 31, false);
    } else if (!insn) {
        find_tlbi(cpu, number)(cpu, number, value);
    } else if (is_trapped(cpu, insn)) {
        a64_sysreg_trap(cpu, EC_SYSTEM, number, operand >> 16 & 31, false);
    } else {
        insn->call(cpu, number, value);
    }
    return 0;
}

/* A broadcast TLBI is complete when this is (D8.13.5). */
static uint64_t help_dsb(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    tlb_sync(env);
    return 0;
}

static uint64_t help_isb(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    cpu_code_barrier(env);
    return 0;
}

const Helper a64_help_sys = { "a64_sys", help_sys, HELPER_MAY_RAISE };
const Helper a64_help_dsb = { "a64_dsb", help_dsb, 0 };
const Helper a64_help_isb = { "a64_isb", help_isb, 0 };
