/*
 * What EL1 closes to EL0: a half of the address space (FEAT_E0PD), prediction restriction (FEAT_SPECRES), SCXTNUM_EL0
 * (FEAT_CSV2_2); and how it hears of the identification registers that EL0 reads (FEAT_IDST). A table that is said to be
 * common to all CPUs (FEAT_TTCNP), an operand of TLBI with a level (FEAT_TTL), a block split without a break (FEAT_BBM).
 */
#include "paging.h"

#define EL0(name, text)                                                                            \
    static void name(uint64_t argument)                                                            \
    {                                                                                              \
        __asm__ volatile(text "\n svc #0x77" ::"r"(argument) : "memory", "x1", "x2");              \
    }

EL0(read_pfr0, "mrs x1, id_aa64pfr0_el1")
EL0(read_unallocated, "mrs x1, s3_0_c0_c7_7")
EL0(read_aarch32, "mrs x1, s3_0_c0_c1_0")
EL0(read_midr, "mrs x1, midr_el1")
EL0(read_mpidr, "mrs x1, mpidr_el1")
EL0(write_pfr0, "msr s3_0_c0_c4_0, x1")
EL0(read_sctlr, "mrs x1, sctlr_el1")
EL0(cfp, ".inst 0xd50b7380")
EL0(dvp, ".inst 0xd50b73a0")
EL0(cpp, ".inst 0xd50b73e0")
EL0(read_context, "mrs x1, s3_3_c13_c0_7")
EL0(write_context, "msr s3_3_c13_c0_7, x0")

static uint64_t words[1024] __attribute__((aligned(4096)));

static void identification(void)
{
    SHOW("EL0, a feature register", run_el0(read_pfr0, 0));
    SHOW("EL0, one that is reserved", run_el0(read_unallocated, 0));
    SHOW("EL0, one of AArch32", run_el0(read_aarch32, 0));
    SHOW("EL0, midr", run_el0(read_midr, 0));
    SHOW("EL0, mpidr", run_el0(read_mpidr, 0));
    SHOW("EL0, a write", run_el0(write_pfr0, 0));
    SHOW("EL0, another register", run_el0(read_sctlr, 0));
}

static void by_sctlr(void)
{
    enum { TSCXT = 1 << 20, ENRCTX = 1 << 10 };
    uint64_t sctlr = read_sysreg(sctlr_el1) & ~(uint64_t)(TSCXT | ENRCTX);

    for (unsigned i = 0; i < 4; i++) {
        write_sysreg(sctlr_el1, sctlr | (i & 1 ? TSCXT : 0) | (i & 2 ? ENRCTX : 0));
        print_hex("SCTLR_EL1", read_sysreg(sctlr_el1) & (TSCXT | ENRCTX));
        print("\n");
        SHOW("EL0, cfp rctx", run_el0(cfp, 0));
        SHOW("EL0, dvp rctx", run_el0(dvp, 0));
        SHOW("EL0, cpp rctx", run_el0(cpp, 0));
        SHOW("EL0, scxtnum_el0 written", run_el0(write_context, 0x1234 + i));
        SHOW("EL0, scxtnum_el0 read", run_el0(read_context, 0));
        print_hex("scxtnum_el0", read_sysreg(s3_3_c13_c0_7));
        print("\n");
    }
    write_sysreg(s3_0_c13_c0_7, 0x77);
    print_hex("scxtnum_el1", read_sysreg(s3_0_c13_c0_7));
    print("\n");
}

#define LOAD(what, insn, at) SHOW(what, __asm__ volatile(insn " x0, [%0]" ::"r"(at) : "x0"))

static void halves(void)
{
    enum { E0PD0 = 55, E0PD1 = 56, EPD1 = 23 };
    uint64_t tcr = read_sysreg(tcr_el1) & ~(UINT64_C(1) << EPD1), upper = UINT64_C(0xffffff8000000000) + PAGES_AT;

    tcr |= 25 << 16 | UINT64_C(2) << 30 | 1 << 24 | 1 << 26 | 3 << 28; /* T1SZ, TG1, cached and shareable */
    page_map(0, (uint64_t)words | PAGE_PLAIN | PAGE_NORMAL | PAGE_EL0);
    write_sysreg(ttbr1_el1, read_sysreg(ttbr0_el1) | 1); /* CnP */
    for (unsigned i = 0; i < 4; i++) {
        write_sysreg(tcr_el1, tcr | (i & 1 ? UINT64_C(1) << E0PD0 : 0) | (i & 2 ? UINT64_C(1) << E0PD1 : 0));
        print_hex("E0PD", i);
        print("\n");
        LOAD("the lower half, as EL0", "ldtr", PAGES_AT);
        LOAD("the lower half, as EL1", "ldr", PAGES_AT);
        LOAD("the upper half, as EL0", "ldtr", upper);
        LOAD("the upper half, as EL1", "ldr", upper);
        LOAD("the lower half, nothing there", "ldtr", PAGES_AT + 0x1000);
        __asm__ volatile("at s1e0r, %0\n isb" ::"r"(PAGES_AT) : "memory");
        print_hex("at s1e0r: F", read_sysreg(par_el1) & 1);
        print("\n");
    }
    write_sysreg(tcr_el1, tcr);
}

/* 2 MiB in one block, then as pages, one of them elsewhere; and a TLBI that says that it is about the last level. */
static void split(void)
{
    static uint64_t middle[512] __attribute__((aligned(4096))), pages[512] __attribute__((aligned(4096)));
    uint64_t *low = (uint64_t *)(read_sysreg(ttbr0_el1) & ~UINT64_C(1));
    uint64_t at = UINT64_C(3) << 30, block = (uint64_t)words & -(UINT64_C(2) << 20), offset = (uint64_t)words - block;
    uint64_t last_level = UINT64_C(7) << 44; /* TTL: granules of 4 KiB, level 3 */

    words[0] = 0x1111;
    words[512] = 0x2222;
    middle[0] = block | 0x701 | PAGE_NORMAL;
    low[3] = (uint64_t)middle | 3;
    __asm__ volatile("dsb ish\n isb" ::: "memory");
    print_hex("a block", *(volatile uint64_t *)(at + offset));
    for (unsigned i = 0; i < 512; i++) {
        pages[i] = (block + 4096 * i) | PAGE_PLAIN | PAGE_NORMAL;
    }
    middle[0] = (uint64_t)pages | 3;
    __asm__ volatile("dsb ish\n isb" ::: "memory");
    print_hex("split", *(volatile uint64_t *)(at + offset));
    __asm__ volatile("tlbi vae1, %0\n dsb ish\n isb" ::"r"((at + offset) >> 12) : "memory");
    pages[offset >> 12] = (uint64_t)(words + 512) | PAGE_PLAIN | PAGE_NORMAL;
    __asm__ volatile("dsb ish\n tlbi vale1, %0\n dsb ish\n isb" ::"r"((at + offset) >> 12 | last_level) : "memory");
    print_hex("a page elsewhere", *(volatile uint64_t *)(at + offset));
    print("\n");
}

int main(void)
{
    identification();
    by_sctlr();
    paging_begin();
    halves();
    split();
    return 0;
}
