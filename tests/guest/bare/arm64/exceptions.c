/* Which exception an instruction raises, and its syndrome: DDI 0487, D1.3 and ESR_EL1. */
#include "bare.h"

#define EL0(name, text)                                                                            \
    static void name(uint64_t argument)                                                            \
    {                                                                                              \
        __asm__ volatile(text "\n svc #0x77" ::"r"(argument) : "memory", "x1", "x2");              \
    }

EL0(el0_svc, "")
EL0(el0_undefined, "udf #1")
EL0(el0_brk, "brk #5")
EL0(el0_wfi, "wfi")
EL0(el0_daif, "msr daifset, #2")
EL0(el0_system_register, "mrs x1, sctlr_el1")
EL0(el0_id_register, "mrs x1, id_aa64pfr0_el1")
EL0(el0_ctr, "mrs x1, ctr_el0")
EL0(el0_tlbi, "tlbi vmalle1")
EL0(el0_counter, "mrs x1, cntvct_el0")
EL0(el0_ic, "ic ivau, x0")
EL0(el0_eret, "eret")
EL0(el0_hvc, "hvc #3")
EL0(el0_smc, "smc #3")
EL0(el0_float, "fmov d0, xzr")
EL0(el0_branch, "br x0")
EL0(el0_pmu, "mrs x1, pmccntr_el0")

static uint64_t words[32] __attribute__((aligned(4096)));

static void at_el1(void)
{
    SHOW_ASM("svc", "svc #0x123");
    SHOW_ASM("brk", "brk #0xabc");
    SHOW_ASM("udf", "udf #0");
    SHOW_ASM("an unallocated encoding", ".inst 0xffffffff");
    SHOW_ASM("smc", "smc #1");
    SHOW_ASM("EL2's register", "mrs x0, hcr_el2");
    SHOW_ASM("EL3's register", "mrs x0, scr_el3");
    SHOW_ASM("write of a read-only register", "msr s3_0_c0_c0_0, x0");
    SHOW_ASM("an unallocated register", "mrs x0, s3_7_c15_c15_7");
    SHOW_ASM("hlt", "hlt #1");
    SHOW_ASM("dcps1", "dcps1 #0");
}

static void misaligned(void)
{
    SHOW("an unaligned exclusive", __asm__ volatile("ldxr x0, [%0]" ::"r"((char *)words + 4) : "x0"));
    SHOW("an unaligned acquire", __asm__ volatile("ldar x0, [%0]" ::"r"((char *)words + 2) : "x0"));
    resume_at = (uint64_t)&&back;
    SHOW("a misaligned branch", {
        __asm__ volatile("mov x3, %0\n br x3" ::"r"((char *)words + 2) : "x3", "memory");
    back:;
    });
}

static void from_el0(void)
{
    uint64_t sctlr = read_sysreg(sctlr_el1);

    SHOW("EL0 svc", run_el0(el0_svc, 0));
    print_hex("spsr", last.spsr);
    print("\n");
    SHOW("EL0 undefined", run_el0(el0_undefined, 0));
    SHOW("EL0 brk", run_el0(el0_brk, 0));
    SHOW("EL0 msr daifset", run_el0(el0_daif, 0));
    SHOW("EL0 mrs sctlr_el1", run_el0(el0_system_register, 0));
    SHOW("EL0 mrs id_aa64pfr0_el1", run_el0(el0_id_register, 0));
    SHOW("EL0 tlbi", run_el0(el0_tlbi, 0));
    SHOW("EL0 eret", run_el0(el0_eret, 0));
    SHOW("EL0 hvc", run_el0(el0_hvc, 0));
    SHOW("EL0 smc", run_el0(el0_smc, 0));
    SHOW("EL0 branch to an odd address", run_el0(el0_branch, (uint64_t)words + 2));
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        /* nTWE, nTWI, UCT, DZE, UMA, UCI */
        uint64_t bits = 1 << 18 | 1 << 16 | 1 << 15 | 1 << 14 | 1 << 9 | 1 << 26;

        print(allowed ? "with SCTLR's permissions\n" : "without SCTLR's permissions\n");
        write_sysreg(sctlr_el1, allowed ? sctlr | bits : sctlr & ~bits);
        if (!allowed) {
            SHOW("EL0 wfi", run_el0(el0_wfi, 0));
        }
        SHOW("EL0 mrs ctr_el0", run_el0(el0_ctr, 0));
        SHOW("EL0 ic ivau", run_el0(el0_ic, (uint64_t)words));
        SHOW("EL0 msr daifset", run_el0(el0_daif, 0));
    }
    write_sysreg(sctlr_el1, sctlr);
    for (unsigned allowed = 0; allowed < 4; allowed += 2) {
        write_sysreg(cntkctl_el1, allowed);
        SHOW(allowed ? "EL0 counter, allowed" : "EL0 counter", run_el0(el0_counter, 0));
    }
    for (uint64_t fpen = 0; fpen < 4; fpen++) {
        write_sysreg(cpacr_el1, fpen << 20);
        print_hex("FPEN", fpen);
        print("\n");
        SHOW("EL0 float", run_el0(el0_float, 0));
        SHOW_ASM("EL1 float", "fmov d0, xzr");
        SHOW_ASM("EL1, EL3's register", "mrs x0, scr_el3");
    }
    SHOW("EL0 cycle counter", run_el0(el0_pmu, 0));
}

/* An illegal return to a state that does not exist sets PSTATE.IL; the next instruction raises it (D1.3.4). */
static void illegal_return(void)
{
    resume_at = (uint64_t)&&back;
    SHOW("an illegal exception return", {
        __asm__ volatile("msr elr_el1, %0\n mov x0, #0x3c9\n msr spsr_el1, x0\n eret" ::"r"(&&target)
                         : "x0", "memory");
    target:
        __asm__ volatile("nop");
    back:;
    });
}

int main(void)
{
    at_el1();
    misaligned();
    from_el0();
    illegal_return();
    return 0;
}
