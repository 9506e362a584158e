/*
 * The identification registers by name, for who compares two CPUs: their values are model.c's. Names of
 * fields as in Arm's ARM, D17.2.
 */
#include <glib.h>

#include "core/cpu.h"
#include "targets/aarch64/model.h"
#include "targets/aarch64/sysreg.h"

enum { NIBBLE = 4, NIBBLES = 16 };

/* clang-format off */
static const struct {
    const char *name;
    unsigned number;
    const char *fields[NIBBLES]; /* of four bits each, the lowest first */
} rows[] = {
    { "ID_AA64PFR0_EL1", SYSREG(3, 0, 0, 4, 0),
      { "EL0", "EL1", "EL2", "EL3", "FP", "AdvSIMD", "GIC", "RAS", "SVE", "SEL2", "MPAM", "AMU", "DIT", "RME", "CSV2", "CSV3" } },
    { "ID_AA64PFR1_EL1", SYSREG(3, 0, 0, 4, 1),
      { "BT", "SSBS", "MTE", "RAS_frac", "MPAM_frac", NULL, "SME", "RNDR_trap", "CSV2_frac", "NMI" } },
    { "ID_AA64DFR0_EL1", SYSREG(3, 0, 0, 5, 0),
      { "DebugVer", "TraceVer", "PMUVer", "BRPs", "PMSS", "WRPs", "SEBEP", "CTX_CMPs", "PMSVer", "DoubleLock", "TraceFilt", "TraceBuffer", "MTPMU", "BRBE" } },
    { "ID_AA64ISAR0_EL1", SYSREG(3, 0, 0, 6, 0),
      { NULL, "AES", "SHA1", "SHA2", "CRC32", "Atomic", "TME", "RDM", "SHA3", "SM3", "SM4", "DP", "FHM", "TS", "TLB", "RNDR" } },
    { "ID_AA64ISAR1_EL1", SYSREG(3, 0, 0, 6, 1),
      { "DPB", "APA", "API", "JSCVT", "FCMA", "LRCPC", "GPA", "GPI", "FRINTTS", "SB", "SPECRES", "BF16", "DGH", "I8MM", "XS", "LS64" } },
    { "ID_AA64MMFR0_EL1", SYSREG(3, 0, 0, 7, 0),
      { "PARange", "ASIDBits", "BigEnd", "SNSMem", "BigEndEL0", "TGran16", "TGran64", "TGran4", "TGran16_2", "TGran64_2", "TGran4_2", "ExS", NULL, NULL, "FGT", "ECV" } },
    { "ID_AA64MMFR1_EL1", SYSREG(3, 0, 0, 7, 1),
      { "HAFDBS", "VMIDBits", "VH", "HPDS", "LO", "PAN", "SpecSEI", "XNX", "TWED", "ETS", "HCX", "AFP", "nTLBPA", "TIDCP1", "CMOW" } },
    { "ID_AA64MMFR2_EL1", SYSREG(3, 0, 0, 7, 2),
      { "CnP", "UAO", "LSM", "IESB", "VARange", "CCIDX", "NV", "ST", "AT", "IDS", "FWB", NULL, "TTL", "BBM", "EVT", "E0PD" } },
};
/* clang-format on */

void a64_identify(const CpuEnv *env, CpuIdVisit *visit, void *data)
{
    A64Cpu *cpu = a64_cpu((CpuEnv *)env);
    const A64Model *model = cpu->model;

    visit(data, &(CpuIdRegister){ "MIDR_EL1", model->midr });
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t value = a64_id_read(cpu, rows[i].number);

        visit(data, &(CpuIdRegister){ rows[i].name, value, NIBBLE, rows[i].fields });
    }
    visit(data, &(CpuIdRegister){ "CTR_EL0", a64_ctr_read(cpu, 0) });
    visit(data, &(CpuIdRegister){ "CLIDR_EL1", a64_clidr_read(cpu, 0) });
    visit(data, &(CpuIdRegister){ "CCSIDR_EL1[L1D]", model->l1[0] });
    visit(data, &(CpuIdRegister){ "CCSIDR_EL1[L1I]", model->l1[1] });
    visit(data, &(CpuIdRegister){ "CCSIDR_EL1[L2]", model->l2 });
}
