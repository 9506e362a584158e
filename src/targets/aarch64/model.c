/*
 * What a CPU says of itself. The identification registers are made from the features that it has, so that they can
 * not promise more; a model adds names, caches and the size of physical addresses.
 */
#include <glib.h>
#include <string.h>

#include "core/cpu.h"
#include "targets/aarch64/model.h"
#include "targets/aarch64/sysreg.h"
#include "tcg/exec.h"

/* Sizes of caches as CCSIDR_EL1 encodes them: sets, ways, 64-byte lines. */
#define CACHE(sets, ways) (((uint64_t)(sets)-1) << 13 | ((ways)-1) << 3 | 2)

/* Whose registers beyond the architecture's a model has. */
enum { NOBODYS, CORTEX, NEOVERSE };

/* clang-format off */
static const A64Model models[] = {
    { "cortex-a53",  "arm,cortex-a53",  0x410fd034, .pa_range = 2, .l1 = { CACHE(128, 4), CACHE(256, 2) }, .l2 = CACHE(512, 16), .own = CORTEX },
    { "cortex-a57",  "arm,cortex-a57",  0x411fd070, .pa_range = 4, .l1 = { CACHE(256, 2), CACHE(256, 3) }, .l2 = CACHE(2048, 16), .own = CORTEX },
    { "cortex-a72",  "arm,cortex-a72",  0x410fd083, .pa_range = 4, .l1 = { CACHE(256, 2), CACHE(256, 3) }, .l2 = CACHE(1024, 16), .own = CORTEX },
    { "neoverse-n1", "arm,neoverse-n1", 0x414fd0c1, .pa_range = 5, .l1 = { CACHE(256, 4), CACHE(256, 4) }, .l2 = CACHE(2048, 8), .granule16 = true, .no_meltdown = true, .own = NEOVERSE },
    { "max",         "arm,armv8",       0x000f0510, .pa_range = 5, .l1 = { CACHE(256, 2), CACHE(256, 2) }, .l2 = CACHE(1024, 16), .granule16 = true, .no_meltdown = true },
};

/* Number of an identification register: CRm and op2 of S3_0_C0_Cm_n. */
#define ID(crm, op2) ((crm) << 3 | (op2))
enum {
    PFR0 = ID(4, 0), PFR1 = ID(4, 1), DFR0 = ID(5, 0), ISAR0 = ID(6, 0), ISAR1 = ID(6, 1),
    MMFR0 = ID(7, 0), MMFR1 = ID(7, 1), MMFR2 = ID(7, 2),
};

enum { ALWAYS = 64 };

/* A field's value when the feature is there; a later row of the same field replaces an earlier one (D17.2). */
static const struct { uint8_t id, shift, value, feature; } fields[] = {
    { PFR0, 0, 1, ALWAYS },      /* EL0 and EL1: AArch64 only */
    { PFR0, 4, 1, ALWAYS },
    { PFR0, 8, 1, A64_EL2 },
    { PFR0, 12, 1, A64_EL3 },
    { PFR0, 16, 1, A64_FP16 },
    { PFR0, 20, 1, A64_FP16 },
    { PFR0, 28, 1, A64_RAS },
    { PFR0, 36, 1, A64_SEL2 },
    { PFR0, 48, 1, A64_DIT },
    { PFR0, 56, 3, A64_CSV2 },   /* CSV2_3, whose promise beyond CSV2_2 has no registers */
    { PFR1, 0, 1, A64_BTI },
    { PFR1, 4, 2, A64_SSBS },
    { DFR0, 0, 6, ALWAYS },      /* debug: ARMv8.0, 6 breakpoints, 4 watchpoints, 2 with contexts */
    { DFR0, 8, 1, A64_PMU },
    { DFR0, 12, 5, ALWAYS },
    { DFR0, 20, 3, ALWAYS },
    { DFR0, 28, 1, ALWAYS },
    { ISAR0, 4, 1, A64_AES },
    { ISAR0, 4, 2, A64_PMULL },
    { ISAR0, 8, 1, A64_SHA1 },
    { ISAR0, 12, 1, A64_SHA256 },
    { ISAR0, 12, 2, A64_SHA512 },
    { ISAR0, 16, 1, A64_CRC32 },
    { ISAR0, 20, 2, A64_LSE },
    { ISAR0, 28, 1, A64_RDM },
    { ISAR0, 32, 1, A64_SHA3 },
    { ISAR0, 36, 1, A64_SM3 },
    { ISAR0, 40, 1, A64_SM4 },
    { ISAR0, 44, 1, A64_DOTPROD },
    { ISAR0, 48, 1, A64_FHM },
    { ISAR0, 52, 1, A64_FLAGM },
    { ISAR0, 52, 2, A64_FLAGM2 },
    { ISAR0, 56, 1, A64_TLBIOS },
    { ISAR0, 56, 2, A64_TLBIRANGE },
    { ISAR0, 60, 1, A64_RNG },
    { ISAR1, 0, 1, A64_DPB },
    { ISAR1, 0, 2, A64_DPB2 },
    { ISAR1, 4, 1, A64_PAUTH },  /* QARMA5 for addresses and for data */
    { ISAR1, 24, 1, A64_PAUTH },
    { ISAR1, 12, 1, A64_JSCVT },
    { ISAR1, 16, 1, A64_FCMA },
    { ISAR1, 20, 1, A64_RCPC },
    { ISAR1, 20, 2, A64_RCPC2 },
    { ISAR1, 32, 1, A64_FRINTTS },
    { ISAR1, 36, 1, A64_SB },
    { ISAR1, 40, 1, A64_SPECRES },
    { ISAR1, 44, 1, A64_BF16 },
    { ISAR1, 48, 1, A64_DGH },
    { ISAR1, 52, 1, A64_I8MM },
    { MMFR0, 4, 2, ALWAYS },     /* ASIDs of 16 bits; granules of 4 and 64 KiB */
    { MMFR0, 12, 1, A64_EL3 },   /* secure and non-secure memory */
    { MMFR1, 0, 2, A64_HAFDBS },
    { MMFR1, 4, 2, A64_VMID16 },
    { MMFR1, 8, 1, A64_VHE },
    { MMFR1, 12, 1, A64_HPDS },
    { MMFR1, 16, 1, A64_LOR },
    { MMFR1, 20, 1, A64_PAN },
    { MMFR1, 20, 2, A64_PAN2 },
    { MMFR1, 28, 1, A64_XNX },
    { MMFR1, 36, 1, A64_ETS },
    { MMFR1, 40, 1, A64_HCX },
    { MMFR2, 0, 1, A64_CNP },
    { MMFR2, 4, 1, A64_UAO },
    { MMFR2, 12, 1, A64_RAS },   /* barriers at exceptions are without effect */
    { MMFR2, 28, 1, A64_TTST },
    { MMFR2, 36, 1, A64_IDST },
    { MMFR2, 40, 1, A64_S2FWB },
    { MMFR2, 48, 1, A64_TTL },
    { MMFR2, 52, 2, A64_BBM },
    { MMFR2, 60, 1, A64_E0PD },
};
/* clang-format on */

const A64Model *a64_model_find(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        if (!strcmp(models[i].name, name)) {
            return &models[i];
        }
    }
    return NULL;
}

/* ---- identification registers ----------------------------------------------------------------- */

static uint64_t of_model(const A64Cpu *cpu, unsigned id)
{
    enum { GIC_SYSTEM_REGISTERS = 1 << 24 };
    bool has_fp = a64_has(cpu, A64_FP);

    switch (id) {
    case PFR0:
        return (a64_has_gic(cpu) ? GIC_SYSTEM_REGISTERS : 0) | (has_fp ? 0 : 0xff << 16) |
            (cpu->model->no_meltdown ? UINT64_C(0x11) << 56 : 0);
    case MMFR0: return cpu->model->pa_range | (cpu->model->granule16 ? 1 << 20 : 0);
    default: return 0;
    }
}

uint64_t a64_id_read(A64Cpu *cpu, unsigned number)
{
    unsigned id = number & 0x7f;
    uint64_t value = of_model(cpu, id);

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].id == id &&
            (fields[i].feature == ALWAYS || a64_has(cpu, (A64Feature)fields[i].feature))) {
            value &= ~(UINT64_C(15) << fields[i].shift);
            value |= (uint64_t)fields[i].value << fields[i].shift;
        }
    }
    return value;
}

/* ---- what makers have added ------------------------------------------------------------------- */

/*
 * Switches for errata, power and caches that firmware writes: there is nothing behind them, so they stay as they are.
 * Cortex-A53 (DDI 0500), A57 (DDI 0488) and A72 (100095), 4.3; Neoverse N1 (100616), B2.
 */
/* clang-format off */
static const struct { uint16_t number; uint8_t own; uint64_t value; } own_registers[] = {
    { SYSREG(3, 1, 11, 0, 2), CORTEX, 0 },                /* L2CTLR_EL1 */
    { SYSREG(3, 1, 11, 0, 3), CORTEX, 0 },                /* L2ECTLR_EL1 */
    { SYSREG(3, 1, 15, 0, 0), CORTEX, 0 },                /* L2ACTLR_EL1 */
    { SYSREG(3, 1, 15, 2, 0), CORTEX, 0 },                /* CPUACTLR_EL1 */
    { SYSREG(3, 1, 15, 2, 1), CORTEX, 0 },                /* CPUECTLR_EL1 */
    { SYSREG(3, 1, 15, 2, 2), CORTEX, 0 },                /* CPUMERRSR_EL1 */
    { SYSREG(3, 1, 15, 2, 3), CORTEX, 0 },                /* L2MERRSR_EL1 */
    { SYSREG(3, 0, 15, 0, 0), NEOVERSE, 4 },              /* CPUCFR_EL1: no SCU */
    { SYSREG(3, 0, 15, 1, 0), NEOVERSE, 0 },              /* CPUACTLR_EL1, 2 and 3 */
    { SYSREG(3, 0, 15, 1, 1), NEOVERSE, 0 },
    { SYSREG(3, 0, 15, 1, 2), NEOVERSE, 0 },
    { SYSREG(3, 0, 15, 1, 4), NEOVERSE, UINT64_C(0x961563010) }, /* CPUECTLR_EL1 */
    { SYSREG(3, 0, 15, 2, 0), NEOVERSE, 0 },              /* ERXPFGF_EL1, ERXPFGCTL_EL1, ERXPFGCDN_EL1 */
    { SYSREG(3, 0, 15, 2, 1), NEOVERSE, 0 },
    { SYSREG(3, 0, 15, 2, 2), NEOVERSE, 0 },
    { SYSREG(3, 0, 15, 2, 7), NEOVERSE, 0 },              /* CPUPWRCTLR_EL1 */
    { SYSREG(3, 0, 15, 7, 0), NEOVERSE, 0 },              /* ATCR_EL1, EL2, EL3; AVTCR_EL2 */
    { SYSREG(3, 4, 15, 7, 0), NEOVERSE, 0 },
    { SYSREG(3, 4, 15, 7, 1), NEOVERSE, 0 },
    { SYSREG(3, 6, 15, 7, 0), NEOVERSE, 0 },
    { SYSREG(3, 6, 15, 8, 0), NEOVERSE, 0 },              /* CPUPSELR_EL3, CPUPCR, CPUPOR, CPUPMR */
    { SYSREG(3, 6, 15, 8, 1), NEOVERSE, 0 },
    { SYSREG(3, 6, 15, 8, 2), NEOVERSE, 0 },
    { SYSREG(3, 6, 15, 8, 3), NEOVERSE, 0 },
};
/* clang-format on */

static bool find_own(const A64Cpu *cpu, unsigned number, uint64_t *value)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(own_registers); i++) {
        if (own_registers[i].number == number && own_registers[i].own == cpu->model->own) {
            *value = own_registers[i].value;
            return true;
        }
    }
    return false;
}

uint8_t a64_own_trap(const A64Cpu *cpu, unsigned number, bool write)
{
    uint64_t ignored;

    return find_own(cpu, number, &ignored) ? SYSREG_GOES_ON : EC_UNKNOWN;
}

/* L2CTLR_EL1 counts the CPUs of the cluster from bit 24 on. */
uint64_t a64_own_read(A64Cpu *cpu, unsigned number)
{
    enum { L2CTLR = SYSREG(3, 1, 11, 0, 2), CPUS_SHIFT = 24, CPUS_MASK = 3 };
    uint64_t value = 0;

    find_own(cpu, number, &value);
    if (number == L2CTLR) {
        value |= (uint64_t)((device_cpu_count(&cpu_device(&cpu->env)->dev) - 1) & CPUS_MASK)
            << CPUS_SHIFT;
    }
    return value;
}

/* A hypervisor says to EL1 who it is (VPIDR_EL2, VMPIDR_EL2). */
static bool is_guest(const A64Cpu *cpu)
{
    return a64_el(cpu) == 1 && a64_el2_enabled(cpu);
}

uint64_t a64_midr_read(A64Cpu *cpu, unsigned number)
{
    return is_guest(cpu) ? cpu->vpidr : cpu->model->midr;
}

/* Affinity 0 counts to 16, as the GIC's target lists do. */
uint64_t a64_mpidr(const A64Cpu *cpu)
{
    return A64_BIT(31) | (cpu->env.index & 15) | (uint64_t)(cpu->env.index >> 4) << 8;
}

uint64_t a64_mpidr_read(A64Cpu *cpu, unsigned number)
{
    return is_guest(cpu) ? cpu->vmpidr : a64_mpidr(cpu);
}

/* Lines of 64 bytes; data and instruction caches need no maintenance (IDC, DIC). */
uint64_t a64_ctr_read(A64Cpu *cpu, unsigned number)
{
    return 0xb444c004;
}

uint64_t a64_dczid_read(A64Cpu *cpu, unsigned number)
{
    bool prohibited = (a64_el(cpu) == 0 && !(a64_kernel_sctlr(cpu) & SCTLR_DZE)) ||
        (a64_el(cpu) < 2 && cpu->hcr_now & HCR_TDZ);

    return 4 | prohibited << 4; /* blocks of 64 bytes */
}

/* Separate caches, then a common one. */
uint64_t a64_clidr_read(A64Cpu *cpu, unsigned number)
{
    return 0x0a200023;
}

uint64_t a64_ccsidr_read(A64Cpu *cpu, unsigned number)
{
    static const uint64_t none = 0;
    const uint64_t *caches[] = { &cpu->model->l1[0], &cpu->model->l1[1], &cpu->model->l2, &none };

    return *caches[MIN(cpu->csselr & 15, 3)];
}
