/* Address translation: Sv32, Sv39, Sv48, Sv57. Privileged ISA 4.3 to 4.6. */
#include "targets/riscv/state.h"

#include "tcg/tlb.h"

enum {
    PTE_V = 1,
    PTE_R = 2,
    PTE_W = 4,
    PTE_X = 8,
    PTE_U = 16,
    PTE_G = 32,
    PTE_A = 64,
    PTE_D = 128
};
enum { PTE_PPN_SHIFT = 10 };

typedef struct Scheme {
    uint8_t levels, index_bits, pte_size, address_bits;
    uint8_t physical_page_bits;
} Scheme;

/* By satp.MODE. */
static const Scheme schemes64[16] = {
    [8] = { 3, 9, 8, 39, 44 },
    [9] = { 4, 9, 8, 48, 44 },
    [10] = { 5, 9, 8, 57, 44 },
};
static const Scheme scheme32 = { 2, 10, 4, 32, 22 };

/* NULL: bare. */
static const Scheme *scheme(const RvCpu *cpu)
{
    const Scheme *s;

    if (!rv_has(cpu, RV_RV64)) {
        return cpu->satp >> 31 ? &scheme32 : NULL;
    }
    s = &schemes64[cpu->satp >> 60];
    return s->levels ? s : NULL;
}

static uint64_t root_table(const RvCpu *cpu, const Scheme *s)
{
    return (cpu->satp & ((UINT64_C(1) << s->physical_page_bits) - 1)) << GUEST_PAGE_BITS;
}

static RvPrivilege privilege_of(const RvCpu *cpu, Access access)
{
    return access == ACCESS_FETCH ? rv_privilege(cpu) : rv_data_privilege(cpu);
}

static bool is_translated(const RvCpu *cpu, RvPrivilege privilege)
{
    return privilege != PRIV_M && scheme(cpu);
}

void rv_contexts(const CpuEnv *env, IsaContext *out)
{
    const RvCpu *cpu = rv_cpu_const(env);
    RvPrivilege data = rv_data_privilege(cpu), fetch = rv_privilege(cpu);

    out->data_space = is_translated(cpu, data) ? cpu->satp : 0;
    out->data_rights = data | (cpu->mstatus & (MSTATUS_SUM | MSTATUS_MXR));
    out->fetch_space = is_translated(cpu, fetch) ? cpu->satp : 0;
    out->fetch_rights = fetch;
}

static uint32_t access_fault(Access access)
{
    static const uint8_t causes[] = {
        [ACCESS_READ] = CAUSE_LOAD_ACCESS,
        [ACCESS_WRITE] = CAUSE_STORE_ACCESS,
        [ACCESS_FETCH] = CAUSE_FETCH_ACCESS,
    };

    return causes[access];
}

static uint32_t page_fault(Access access)
{
    static const uint8_t causes[] = {
        [ACCESS_READ] = CAUSE_LOAD_PAGE,
        [ACCESS_WRITE] = CAUSE_STORE_PAGE,
        [ACCESS_FETCH] = CAUSE_FETCH_PAGE,
    };

    return causes[access];
}

/* The topmost bit that is translated is repeated in all above it. */
static bool is_canonical(const Scheme *s, uint64_t address)
{
    int64_t above = (int64_t)address >> (s->address_bits - 1);

    return s->address_bits == 32 || above == 0 || above == -1;
}

/* Reserved bits set, or W without R: the entry is not one (4.3.2, step 3). */
static bool is_malformed(const Scheme *s, uint64_t pte)
{
    uint64_t reserved = s->pte_size == 8 ? ~UINT64_C(0) << 54 : 0;

    return !(pte & PTE_V) || pte & reserved || (pte & (PTE_R | PTE_W)) == PTE_W;
}

typedef struct Leaf {
    uint64_t pte, at; /* the entry and where it is */
    unsigned shift;   /* log2 of the page's size */
    bool global;
} Leaf;

/* The entry that maps the address; else the cause of the fault, 0: found. */
static uint32_t find_leaf(RvCpu *cpu, const Scheme *s, uint64_t address, Access access, Leaf *leaf)
{
    uint64_t table = root_table(cpu, s);

    leaf->global = false;
    for (unsigned level = s->levels; level--;) {
        uint64_t index, size = s->pte_size;

        leaf->shift = GUEST_PAGE_BITS + level * s->index_bits;
        index = address >> leaf->shift & ((1u << s->index_bits) - 1);
        leaf->at = table + index * s->pte_size;
        if (!(rv_pmp_rights(cpu, leaf->at, PRIV_S, &size) & PMP_R) ||
            !phys_load(&cpu->env, leaf->at, s->pte_size, &leaf->pte)) {
            return access_fault(access);
        }
        if (is_malformed(s, leaf->pte)) {
            return page_fault(access);
        }
        leaf->global |= !!(leaf->pte & PTE_G);
        if (leaf->pte & (PTE_R | PTE_X)) {
            return 0;
        }
        /* D, A and U of a pointer are reserved. */
        if (leaf->pte & (PTE_D | PTE_A | PTE_U)) {
            return page_fault(access);
        }
        table = leaf->pte >> PTE_PPN_SHIFT << GUEST_PAGE_BITS;
    }
    return page_fault(access);
}

static void set_rights(const RvCpu *cpu, uint64_t pte, Access access, Translation *out)
{
    RvPrivilege privilege = privilege_of(cpu, access);
    bool user = pte & PTE_U;
    bool data = privilege == PRIV_U ? user : !user || cpu->mstatus & MSTATUS_SUM;
    bool mxr = cpu->mstatus & MSTATUS_MXR;

    out->read = data && pte & (mxr ? PTE_R | PTE_X : PTE_R);
    out->write = data && pte & PTE_W;
    out->execute = pte & PTE_X && user == (privilege == PRIV_U);
}

static bool allows(const Translation *t, Access access)
{
    return access == ACCESS_READ ? t->read : access == ACCESS_WRITE ? t->write : t->execute;
}

/* Without the Svadu extension it is ours to choose whether A and D are set or fault; they are set. */
static bool sets_accessed(const RvCpu *cpu)
{
    return !rv_has(cpu, RV_SVADU) || cpu->menvcfg & ENVCFG_ADUE;
}

/* Makes A, and D for a write, be set in memory. False: they are not, or the entry has changed meanwhile. */
static bool mark_used(RvCpu *cpu, const Scheme *s, Leaf *leaf, Access access, uint32_t *cause)
{
    uint64_t wanted = leaf->pte | PTE_A | (access == ACCESS_WRITE ? PTE_D : 0);
    uint64_t found = leaf->pte, size = s->pte_size;
    bool done;

    *cause = 0;
    if (wanted == leaf->pte) {
        return true;
    }
    if (!sets_accessed(cpu)) {
        *cause = page_fault(access);
        return false;
    }
    if (!(rv_pmp_rights(cpu, leaf->at, PRIV_S, &size) & PMP_W) ||
        !phys_cas(&cpu->env, leaf->at, s->pte_size, &found, wanted, &done)) {
        *cause = access_fault(access);
        return false;
    }
    leaf->pte = wanted;
    return done;
}

/* Fills all but the PMP's part of a translation; gives the cause of a fault, or 0. */
static uint32_t translate(
    RvCpu *cpu, const Scheme *s, uint64_t address, Access access, Translation *out)
{
    uint32_t cause;
    Leaf leaf;

    if (!is_canonical(s, address)) {
        return page_fault(access);
    }
    do {
        cause = find_leaf(cpu, s, address, access, &leaf);
        if (cause) {
            return cause;
        }
        out->page_size = UINT64_C(1) << leaf.shift;
        out->physical = (leaf.pte & ((UINT64_C(1) << 54) - 1)) >> PTE_PPN_SHIFT << GUEST_PAGE_BITS;
        set_rights(cpu, leaf.pte, access, out);
        if (out->physical & (out->page_size - 1) || !allows(out, access)) {
            return page_fault(access);
        }
    } while (!mark_used(cpu, s, &leaf, access, &cause) && !cause);

    out->physical |= address & (out->page_size - 1);
    out->global = leaf.global;
    out->write &= !!(leaf.pte & PTE_D);
    return cause;
}

static void translate_bare(const RvCpu *cpu, uint64_t address, Translation *out)
{
    *out = (Translation){
        .physical = rv_has(cpu, RV_RV64) ? address : (uint32_t)address,
        .page_size = UINT64_C(1) << 30,
        .read = true,
        .write = true,
        .execute = true,
    };
}

bool rv_walk(CpuEnv *env, uint64_t address, Access access, Translation *out)
{
    RvCpu *cpu = rv_cpu(env);
    RvPrivilege privilege = privilege_of(cpu, access);
    unsigned rights;

    *out = (Translation){};
    if (is_translated(cpu, privilege)) {
        out->cause = translate(cpu, scheme(cpu), address, access, out);
        if (out->cause) {
            return false;
        }
    } else {
        translate_bare(cpu, address, out);
    }
    rights = rv_pmp_rights(cpu, out->physical, privilege, &out->page_size);
    out->read &= !!(rights & PMP_R);
    out->write &= !!(rights & PMP_W);
    out->execute &= !!(rights & PMP_X);
    if (!allows(out, access)) {
        out->cause = access_fault(access);
        return false;
    }
    return true;
}
