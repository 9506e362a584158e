/*
 * EL3: the secure state and the other one, where exceptions and interrupts go, every trap of SCR_EL3, CPTR_EL3 and
 * MDCR_EL3, a switch of worlds. DDI 0487, D1.3, D17.2.117.
 */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
enum { NS = 1, IRQ = 2, FIQ = 4, EA = 8, SMD = 1 << 7, HCE = 1 << 8, RW = 1 << 10, ST = 1 << 11, TWI = 1 << 12, TWE = 1 << 13 };
enum { PLAIN = RW | HCE | 0x30 };
#define HCR_RW BIT(31)

CODE(nothing, "isb")
CODE(svc, "svc #1")
CODE(hvc, "hvc #2")
CODE(smc, "mov x0, #0x9f000000\n smc #3")
CODE(wfi, "wfi")
CODE(wfe, "wfe\n wfe") /* the return to here was an event for the first one */
CODE(wfe_after_event, "wfe\n sevl\n wfe\n sev\n wfe")
CODE(fp, "fmov d0, xzr")
CODE(udf, "udf #0")
CODE(brk, "brk #1")
CODE(read_cpacr, "mrs x1, cpacr_el1")
CODE(read_cptr2, "mrs x1, cptr_el2")
CODE(read_pmcr, "mrs x1, pmcr_el0")
CODE(read_mdscr, "mrs x1, mdscr_el1")
CODE(read_mdcr2, "mrs x1, mdcr_el2")
CODE(read_oslsr, "mrs x1, oslsr_el1")
CODE(read_cntps, "mrs x1, cntps_ctl_el1")
CODE(read_scr, "mrs x1, scr_el3")
CODE(read_hcr, "mrs x1, hcr_el2")
CODE(read_tpidr, "mrs x1, tpidr_el1\n str x1, [x0]")
CODE(write_tpidr, "msr tpidr_el1, x0")

static bool has_el2;

static void scr(uint64_t bits)
{
    write_sysreg(scr_el3, PLAIN | bits);
}

static void at_all(const char *what, void (*code)(uint64_t), uint64_t argument)
{
    print(what);
    print("\n");
    scr(NS);
    RUN(" EL0", EL0, code, argument);
    RUN(" EL1", EL1, code, argument);
    if (has_el2) {
        RUN(" EL2", EL2, code, argument);
    }
    scr(0);
    RUN(" secure EL0", EL0, code, argument);
    RUN(" secure EL1", EL1, code, argument);
    scr(NS);
}

static void trap_case(const char *what, uint64_t bits, void (*code)(uint64_t))
{
    print(what);
    print("\n");
    scr(NS | bits);
    RUN(" EL0", EL0, code, 0);
    RUN(" EL1", EL1, code, 0);
    if (has_el2) {
        RUN(" EL2", EL2, code, 0);
    }
    scr(bits);
    RUN(" secure EL1", EL1, code, 0);
    scr(NS);
}

static void illegal_return(const char *what, uint64_t spsr)
{
    uint64_t before = last.count;

    resume_at = (uint64_t)&&back;
    __asm__ volatile("msr elr_el3, %0\n msr spsr_el3, %1\n eret" ::"r"(&&target), "r"(spsr) : "memory");
target:
    __asm__ volatile("nop");
back:
    __asm__ volatile("" ::: "memory", "x0", "x1", "x2", "x3");
    resume_at = 0;
    show(what, before);
}

static void routing(void)
{
    at_all("svc", svc, 0);
    at_all("smc", smc, 0);
    at_all("udf", udf, 0);
    at_all("brk", brk, 0);
    if (has_el2) {
        at_all("hvc", hvc, 0);
        at_all("hcr_el2", read_hcr, 0);
        write_sysreg(scr_el3, (PLAIN | NS) & ~HCE);
        RUN("hvc at EL1, no HCE", EL1, hvc, 0);
        RUN("hvc at EL2, no HCE", EL2, hvc, 0);
        SHOW_ASM("hvc at EL3, no HCE", "hvc #1");
        scr(NS);
        write_sysreg(hcr_el2, HCR_RW | BIT(27));
        RUN("svc at EL0, TGE", EL0, svc, 0);
        scr(0);
        RUN("svc at secure EL0, TGE", EL0, svc, 0);
        illegal_return("a return to EL2, secure", EL2);
        scr(NS);
        illegal_return("a return to EL1, TGE", EL1);
        write_sysreg(hcr_el2, HCR_RW | BIT(19));
        RUN("smc at EL1, TSC", EL1, smc, 0);
        RUN("smc at EL2, TSC", EL2, smc, 0);
        scr(0);
        RUN("smc at secure EL1, TSC", EL1, smc, 0);
        scr(NS);
        write_sysreg(hcr_el2, HCR_RW);
    } else {
        illegal_return("a return to EL2", EL2);
    }
    SHOW_ASM("smc at EL3", "smc #7");
    SHOW_ASM("svc at EL3", "svc #7");
    RUN("scr_el3 at EL1", EL1, read_scr, 0);
}

static void traps(void)
{
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT(16) | BIT(18)); /* nTWI, nTWE */
    trap_case("TWI, wfi", TWI, wfi);
    trap_case("TWE, wfe", TWE, wfe);
    trap_case("TWE, wfe, an event", TWE, wfe_after_event);
    trap_case("TWE, wfi", TWE, nothing);
    scr(0);
    RUN("cntps at secure EL1", EL1, read_cntps, 0);
    scr(ST);
    RUN("cntps at secure EL1, ST", EL1, read_cntps, 0);
    scr(NS | ST);
    RUN("cntps at EL1, ST", EL1, read_cntps, 0);
    if (has_el2) {
        RUN("cntps at EL2, ST", EL2, read_cntps, 0);
    }
    SHOW_ASM("cntps at EL3", "mrs x0, cntps_ctl_el1");
    scr(NS);
    write_sysreg(cptr_el3, BIT(10));
    at_all("CPTR_EL3.TFP", fp, 0);
    SHOW_ASM(" EL3", "fmov d0, xzr");
    write_sysreg(cptr_el3, BIT(31));
    trap_case("CPTR_EL3.TCPAC, cpacr", 0, read_cpacr);
    if (has_el2) {
        RUN("CPTR_EL3.TCPAC, cptr_el2", EL2, read_cptr2, 0);
    }
    write_sysreg(cptr_el3, 0);
    at_all("fp", fp, 0);
    write_sysreg(mdcr_el3, BIT(6));
    trap_case("MDCR_EL3.TPM", 0, read_pmcr);
    write_sysreg(mdcr_el3, BIT(9));
    trap_case("MDCR_EL3.TDA", 0, read_mdscr);
    if (has_el2) {
        RUN("MDCR_EL3.TDA, mdcr_el2", EL2, read_mdcr2, 0);
    }
    write_sysreg(mdcr_el3, BIT(10));
    trap_case("MDCR_EL3.TDOSA", 0, read_oslsr);
    write_sysreg(mdcr_el3, 0);
}

/* ---- interrupts: the secure timer ---- */

#define SGI(at)  (*(volatile uint32_t *)(uintptr_t)(0x080b0000 + (at)))

static void interrupt_to(const char *what, uint64_t bits)
{
    print(what);
    print("\n");
    scr(NS | bits);
    RUN(" EL0", EL0, nothing, 0);
    RUN(" EL1, masked", EL1, nothing, 0);
    RUN(" EL1", EL1 & ~0xc0, nothing, 0);
    if (has_el2) {
        RUN(" EL2", EL2 & ~0xc0, nothing, 0);
        write_sysreg(hcr_el2, HCR_RW | 0x38);
        RUN(" EL1, IMO and FMO", EL1, nothing, 0);
        write_sysreg(hcr_el2, HCR_RW);
    }
    scr(bits);
    RUN(" secure EL1", EL1 & ~0xc0, nothing, 0);
}

static void interrupts(void)
{
    write_sysreg(s3_6_c12_c12_5, 0xf); /* ICC_SRE_EL3 */
    write_sysreg(s3_0_c4_c6_0, 0xff);
    write_sysreg(s3_0_c12_c12_6, 1);   /* group 0 */
    *(volatile uint32_t *)0x080a0014 = 0;
    *(volatile uint32_t *)0x08000000 = 0x1; /* group 0 */
    SGI(0x080) = 0;
    SGI(0x100) = 1 << 29;
    *(volatile uint8_t *)0x080b041d = 0x80;
    write_sysreg(cntps_cval_el1, 0);
    write_sysreg(cntps_ctl_el1, 1);
    print_hex("secure timer", read_sysreg(cntps_ctl_el1));
    print_hex("isr", read_sysreg(isr_el1));
    print("\n");
    interrupt_to("an FIQ", 0);
    interrupt_to("an FIQ, SCR_EL3.FIQ", FIQ);
    interrupt_to("an FIQ, SCR_EL3.IRQ", IRQ);
    SHOW("EL3", __asm__ volatile("msr daifclr, #1\n isb\n nop\n msr daifset, #1" ::: "memory"));
    scr(FIQ);
    SHOW("EL3, SCR_EL3.FIQ", __asm__ volatile("msr daifclr, #1\n isb\n nop\n msr daifset, #1" ::: "memory"));
    print_hex("acknowledged", read_sysreg(s3_0_c12_c8_0));
    write_sysreg(cntps_ctl_el1, 0);
    write_sysreg(s3_0_c12_c8_1, 29);
    print("\n");
}

/* ---- two worlds, each with its tables and registers of EL1 ---- */

static uint64_t first[2][512] __attribute__((aligned(4096)));
static uint64_t data[2][262144] __attribute__((aligned(0x200000)));
static uint64_t middle[2][512] __attribute__((aligned(4096)));
static volatile uint64_t seen;

static void keep(uint64_t at)
{
    seen = *(volatile uint64_t *)at;
}

static void worlds(void)
{
    enum { BLOCK = 1, TABLE = 3, AF = 1 << 10, SHARED = 3 << 8 };
    enum { TCR = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 };
    uint64_t value = 0;

    print("worlds\n");
    for (unsigned i = 0; i < 2; i++) {
        first[i][0] = BLOCK | AF | 0 << 2;
        first[i][1] = 0x40000000 | BLOCK | AF | SHARED | 1 << 2;
        first[i][2] = (uint64_t)middle[i] | TABLE;
        middle[i][0] = (uint64_t)data[i] | BLOCK | AF | SHARED | 1 << 2; /* global in each world */
        data[i][0] = 0x100 + i;
    }
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, TCR | UINT64_C(2) << 32);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1);
    __asm__ volatile("dsb ish\n tlbi alle3\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
    for (unsigned i = 0; i < 4; i++) {
        scr(i & 1 ? NS : 0);
        write_sysreg(ttbr0_el1, (uint64_t)first[i & 1]);
        run_at(EL1, keep, 0x80000000);
        print_hex("seen", seen);
    }
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~1);
    run_at(EL1, write_tpidr, 0x77);
    scr(0);
    run_at(EL1, read_tpidr, (uint64_t)&value);
    print_hex("tpidr_el1 is one", value);
    __asm__ volatile("at s1e3r, %0\n isb" ::"r"(&value) : "memory");
    print_hex("at s1e3r", read_sysreg(par_el1) & 1);
    print("\n");
}

int main(void)
{
    uint64_t pfr0 = read_sysreg(id_aa64pfr0_el1);

    has_el2 = pfr0 >> 8 & 15;
    print_hex("EL2", has_el2);
    print_hex("EL3", (pfr0 >> 12 & 15) != 0);
    print_hex("currentel", read_sysreg(currentel));
    if (has_el2) {
        write_sysreg(hcr_el2, HCR_RW);
    } else {
        SHOW_ASM("\nhcr_el2 without EL2", "mrs x0, hcr_el2\n msr hcr_el2, x0");
    }
    print("\n");
    routing();
    traps();
    interrupts();
    worlds();
    print("@end\n");
    return 0;
}
