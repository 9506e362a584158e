/* A hypervisor without E2H: where exceptions go, every trap of HCR_EL2 and its like, registers of EL2. DDI 0487, D1.3. */
#include "bare-el.h"

#define HCR_RW (UINT64_C(1) << 31)
#define BIT(n) (UINT64_C(1) << (n))

CODE(nothing, "")
CODE(svc, "svc #1")
CODE(hvc, "hvc #2")
CODE(smc, "mov x0, #0x9f000000\n smc #3")
CODE(brk, "brk #4")
CODE(undefined, "udf #0")
CODE(wfi, "wfi")
CODE(wfe, "wfe")
CODE(fp, "fmov d0, xzr")
CODE(eret, "msr elr_el1, x0\n msr spsr_el1, x0\n eret")
CODE(read_hcr, "mrs x1, hcr_el2")
CODE(read_sctlr, "mrs x1, sctlr_el1")
CODE(write_sctlr, "mrs x1, sctlr_el1\n msr sctlr_el1, x1")
CODE(write_ttbr0, "msr ttbr0_el1, xzr")
CODE(write_ttbr1, "msr ttbr1_el1, xzr")
CODE(write_tcr, "msr tcr_el1, xzr")
CODE(write_esr, "msr esr_el1, xzr")
CODE(write_far, "msr far_el1, xzr")
CODE(write_afsr0, "msr afsr0_el1, xzr")
CODE(write_mair, "msr mair_el1, x3")
CODE(write_amair, "msr amair_el1, xzr")
CODE(write_contextidr, "msr contextidr_el1, xzr")
CODE(write_vbar, "mrs x1, vbar_el1\n msr vbar_el1, x1")
CODE(read_mair, "mrs x1, mair_el1")
CODE(read_cpacr, "mrs x1, cpacr_el1")
CODE(read_actlr, "mrs x1, actlr_el1")
CODE(read_pfr0, "mrs x1, id_aa64pfr0_el1")
CODE(read_revidr, "mrs x1, revidr_el1")
CODE(read_aidr, "mrs x1, aidr_el1")
CODE(read_midr, "mrs x1, midr_el1")
CODE(read_ctr, "mrs x1, ctr_el0")
CODE(read_ccsidr, "mrs x1, ccsidr_el1")
CODE(read_clidr, "mrs x1, clidr_el1")
CODE(write_csselr, "msr csselr_el1, xzr")
CODE(dc_isw, "dc isw, xzr")
CODE(dc_cisw, "dc cisw, xzr")
CODE(dc_ivac, "dc ivac, x0")
CODE(dc_civac, "dc civac, x0")
CODE(dc_cvau, "dc cvau, x0")
CODE(dc_zva, "dc zva, x0")
CODE(ic_ivau, "ic ivau, x0")
CODE(ic_iallu, "ic iallu")
CODE(tlbi_vmalle1, "tlbi vmalle1")
CODE(tlbi_vae1is, "tlbi vae1is, xzr")
CODE(read_mdscr, "mrs x1, mdscr_el1")
CODE(read_dbgbvr, "mrs x1, dbgbvr0_el1")
CODE(read_oslsr, "mrs x1, oslsr_el1")
CODE(read_mdrar, "mrs x1, mdrar_el1")
CODE(read_pmcr, "mrs x1, pmcr_el0")
CODE(read_pmccntr, "mrs x1, pmccntr_el0")
CODE(read_implementation, "mrs x1, s3_0_c15_c2_7")
CODE(read_cntpct, "mrs x1, cntpct_el0")
CODE(read_cntp, "mrs x1, cntp_ctl_el0")
CODE(read_cntv, "mrs x1, cntv_ctl_el0")

static uint64_t block[16] __attribute__((aligned(128)));

/* ---- routing ---- */

/* The level stays and PSTATE.IL says so; the next instruction raises it (D1.3.4). */
static void illegal_return(const char *what, uint64_t spsr)
{
    uint64_t before = last.count;

    resume_at = (uint64_t)&&back;
    __asm__ volatile("msr elr_el2, %0\n msr spsr_el2, %1\n eret" ::"r"(&&target), "r"(spsr) : "memory");
target:
    __asm__ volatile("nop");
back:
    __asm__ volatile("" ::: "memory", "x0", "x1", "x2", "x3");
    resume_at = 0;
    show(what, before);
}

static void routing(void)
{
    print("routing\n");
    write_sysreg(hcr_el2, HCR_RW);
    RUN("EL1 hvc", EL1, hvc, 0);
    RUN("EL1 svc", EL1, svc, 0);
    RUN("EL0 svc", EL0, svc, 0);
    RUN("EL0 hvc", EL0, hvc, 0);
    RUN("EL1 brk", EL1, brk, 0);
    RUN("EL1 udf", EL1, undefined, 0);
    RUN("EL1 mrs hcr_el2", EL1, read_hcr, 0);
    RUN("EL1 wfe", EL1, wfe, 0);
    write_sysreg(hcr_el2, HCR_RW | BIT(29) | BIT(19));
    leave_by_smc = 1;
    RUN("EL1 hvc, HCD", EL1, hvc, 0);
    leave_by_smc = 0;
    write_sysreg(hcr_el2, HCR_RW | BIT(27));
    RUN("EL0 svc, TGE", EL0, svc, 0);
    RUN("EL0 udf, TGE", EL0, undefined, 0);
    RUN("EL0 brk, TGE", EL0, brk, 0);
    illegal_return("a return to EL1, TGE", EL1);
    write_sysreg(hcr_el2, HCR_RW);
    illegal_return("a return to EL3", 0x3cd);
    write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | BIT(8));
    RUN("EL1 brk, TDE", EL1, brk, 0);
    RUN("EL0 brk, TDE", EL0, brk, 0);
    write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) & ~BIT(8));
    write_sysreg(cptr_el2, 0x37ff);
    RUN("EL1 fp, TFP", EL1, fp, 0);
    RUN("EL0 fp, TFP", EL0, fp, 0);
    SHOW_ASM("EL2 fp, TFP", "fmov d0, xzr");
    write_sysreg(cpacr_el1, 0);
    RUN("EL1 fp, TFP and FPEN 0", EL1, fp, 0);
    write_sysreg(hcr_el2, HCR_RW | BIT(27));
    write_sysreg(cptr_el2, 0x33ff);
    RUN("EL0 fp, TGE and FPEN 0", EL0, fp, 0);
    write_sysreg(cpacr_el1, 3 << 20);
    write_sysreg(hcr_el2, HCR_RW);
    RUN("EL1 fp", EL1, fp, 0);
    SHOW_ASM("EL2 svc", "svc #5");
    SHOW_ASM("EL2 hvc", "hvc #6");
    SHOW_ASM("EL2 scr_el3", "mrs x0, scr_el3");
    SHOW_ASM("EL2 sctlr_el12", ".inst 0xd53d1000");
    SHOW("EL2 an unaligned exclusive", __asm__ volatile("ldxr x0, [%0]" ::"r"(0x48000004l) : "x0"));
}

/* ---- traps ---- */

static const struct Case {
    const char *name;
    uint64_t bit;
    void (*code)(uint64_t);
} hcr_cases[] = {
    { "TWI", BIT(13), wfi },
    { "TID1 revidr", BIT(16), read_revidr }, { "TID1 aidr", BIT(16), read_aidr },
    { "TID2 ctr", BIT(17), read_ctr }, { "TID2 ccsidr", BIT(17), read_ccsidr },
    { "TID2 clidr", BIT(17), read_clidr }, { "TID2 csselr", BIT(17), write_csselr },
    { "TID3 pfr0", BIT(18), read_pfr0 }, { "TID3 midr", BIT(18), read_midr },
    { "TSC", BIT(19), smc }, { "TIDCP", BIT(20), read_implementation }, { "TACR", BIT(21), read_actlr },
    { "TSW isw", BIT(22), dc_isw }, { "TSW cisw", BIT(22), dc_cisw },
    { "TPC ivac", BIT(23), dc_ivac }, { "TPC civac", BIT(23), dc_civac },
    { "TPU cvau", BIT(24), dc_cvau }, { "TPU ivau", BIT(24), ic_ivau }, { "TPU iallu", BIT(24), ic_iallu },
    { "TTLB", BIT(25), tlbi_vmalle1 }, { "TTLB is", BIT(25), tlbi_vae1is },
    { "TVM sctlr", BIT(26), write_sctlr }, { "TVM ttbr0", BIT(26), write_ttbr0 },
    { "TVM ttbr1", BIT(26), write_ttbr1 }, { "TVM tcr", BIT(26), write_tcr }, { "TVM esr", BIT(26), write_esr },
    { "TVM far", BIT(26), write_far }, { "TVM afsr0", BIT(26), write_afsr0 }, { "TVM mair", BIT(26), write_mair },
    { "TVM amair", BIT(26), write_amair }, { "TVM contextidr", BIT(26), write_contextidr },
    { "TVM, vbar", BIT(26), write_vbar }, { "TVM, a read", BIT(26), read_mair },
    { "TDZ", BIT(28), dc_zva },
    { "TRVM sctlr", BIT(30), read_sctlr }, { "TRVM mair", BIT(30), read_mair }, { "TRVM, a write", BIT(30), write_tcr },
}, mdcr_cases[] = {
    { "TPMCR", BIT(5), read_pmcr }, { "TPMCR, another", BIT(5), read_pmccntr },
    { "TPM", BIT(6), read_pmcr }, { "TPM pmccntr", BIT(6), read_pmccntr },
    { "TDA mdscr", BIT(9), read_mdscr }, { "TDA dbgbvr", BIT(9), read_dbgbvr },
    { "TDOSA", BIT(10), read_oslsr }, { "TDRA", BIT(11), read_mdrar },
};

static void traps(void)
{
    print("traps of HCR_EL2\n");
    for (unsigned i = 0; i < sizeof(hcr_cases) / sizeof(*hcr_cases); i++) {
        write_sysreg(hcr_el2, HCR_RW | hcr_cases[i].bit);
        RUN(hcr_cases[i].name, EL1, hcr_cases[i].code, (uint64_t)block);
        write_sysreg(hcr_el2, HCR_RW);
        if (hcr_cases[i].code != wfi && hcr_cases[i].code != read_implementation && hcr_cases[i].code != smc &&
            hcr_cases[i].code != dc_zva) { /* without, to what is no Normal memory: an alignment fault */
            uint64_t before = last.count;

            run_at(EL1, hcr_cases[i].code, (uint64_t)block);
            if (last.count != before) {
                show("and without it", before);
            }
        }
    }
    print("traps of MDCR_EL2\n");
    for (unsigned i = 0; i < sizeof(mdcr_cases) / sizeof(*mdcr_cases); i++) {
        uint64_t rest = read_sysreg(mdcr_el2);

        write_sysreg(mdcr_el2, rest | mdcr_cases[i].bit);
        RUN(mdcr_cases[i].name, EL1, mdcr_cases[i].code, 0);
        write_sysreg(mdcr_el2, rest);
    }
    print("others\n");
    write_sysreg(cptr_el2, 0x33ff | BIT(31));
    RUN("TCPAC", EL1, read_cpacr, 0);
    write_sysreg(cptr_el2, 0x33ff);
    RUN("no TCPAC", EL1, read_cpacr, 0);
    write_sysreg(cntkctl_el1, 0x303);
    for (uint64_t bits = 0; bits < 4; bits++) {
        write_sysreg(cnthctl_el2, bits);
        print_hex("CNTHCTL_EL2", bits);
        print("\n");
        RUN("EL1 cntpct", EL1, read_cntpct, 0);
        RUN("EL0 cntpct", EL0, read_cntpct, 0);
        RUN("EL1 cntp", EL1, read_cntp, 0);
        RUN("EL0 cntp", EL0, read_cntp, 0);
        RUN("EL1 cntv", EL1, read_cntv, 0);
    }
    write_sysreg(cntkctl_el1, 0);
    RUN("EL0 cntp, CNTKCTL 0", EL0, read_cntp, 0);
    write_sysreg(hcr_el2, HCR_RW | BIT(28));
    RUN("EL0 dc zva, TDZ", EL0, dc_zva, (uint64_t)block);
    write_sysreg(hcr_el2, HCR_RW | BIT(13));
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(BIT(16) | BIT(15)));
    RUN("EL0 wfi, TWI, no nTWI", EL0, wfi, 0);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT(16));
    RUN("EL0 wfi, TWI, nTWI", EL0, wfi, 0);
    write_sysreg(hcr_el2, HCR_RW | BIT(17));
    RUN("EL0 ctr, TID2, no UCT", EL0, read_ctr, 0);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT(15));
    RUN("EL0 ctr, TID2, UCT", EL0, read_ctr, 0);
    write_sysreg(hcr_el2, HCR_RW);
}

/* ---- registers ---- */

static uint64_t seen[4];

static void identify(uint64_t argument)
{
    seen[0] = read_sysreg(midr_el1);
    seen[1] = read_sysreg(mpidr_el1);
    seen[2] = read_sysreg(pmcr_el0) >> 11 & 31;
    seen[3] = read_sysreg(cntpct_el0) - read_sysreg(cntvct_el0);
}

static void registers(void)
{
    uint64_t pfr0 = read_sysreg(id_aa64pfr0_el1);

    print("registers\n");
    print_hex("EL2", (pfr0 >> 8 & 15) != 0);
    print_hex("EL3", (pfr0 >> 12 & 15) != 0);
    print_hex("VH", read_sysreg(id_aa64mmfr1_el1) >> 8 & 15);
    print("\n");
    write_sysreg(vpidr_el2, 0x410fd034);
    write_sysreg(vmpidr_el2, 0x80000203);
    write_sysreg(mdcr_el2, 2);
    write_sysreg(cnthctl_el2, 3);
    write_sysreg(cntvoff_el2, UINT64_C(1) << 40);
    run_at(EL1, identify, 0);
    print_hex("midr", seen[0]);
    print_hex("mpidr", seen[1]);
    print_hex("counters", seen[2]);
    print_hex("offset", seen[3] >> 32);
    print_hex("own mpidr", read_sysreg(mpidr_el1));
    print("\n");
    write_sysreg(cntvoff_el2, 0);
    write_sysreg(tpidr_el2, 0x123456789abcdef0);
    write_sysreg(far_el2, 0x8765432100000000);
    write_sysreg(hpfar_el2, 0x1234567890);
    print_hex("tpidr_el2", read_sysreg(tpidr_el2));
    print_hex("far_el2", read_sysreg(far_el2));
    write_sysreg(vtcr_el2, 0x80023558);
    print_hex("vtcr_el2", read_sysreg(vtcr_el2));
    print_hex("hcr_el2", read_sysreg(hcr_el2));
    print_hex("sp_el1 differs", read_sysreg(sp_el1) != 0);
    print_hex("currentel", read_sysreg(currentel));
    print("\n");
    RUN("EL1 goes on", EL1, nothing, 0);
    (void)eret;
}

int main(void)
{
    routing();
    traps();
    registers();
    return 0;
}
