/* A hypervisor that is a kernel too: HCR_EL2.E2H and TGE, names of registers, EL2&0's translation. DDI 0487, D5.6. */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
#define HOST (BIT(31) | BIT(34) | BIT(27) | BIT(40) | BIT(41))
#define GUEST (BIT(31) | BIT(34) | BIT(40) | BIT(41))
enum { VALID = 1, TABLE = 3, PAGE = 3, BLOCK = 1, AF = 1 << 10, SHARED = 3 << 8, NORMAL = 1 << 2 };
enum { USER = 1 << 6, READ_ONLY = 1 << 7, NOT_GLOBAL = 1 << 11 };
enum { TCR = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 25 << 16 | 1 << 24 | 1 << 26 | 3 << 28 };

#define sctlr_el12 s3_5_c1_c0_0
#define cpacr_el12 s3_5_c1_c0_2
#define ttbr0_el12 s3_5_c2_c0_0
#define tcr_el12 s3_5_c2_c0_2
#define spsr_el12 s3_5_c4_c0_0
#define elr_el12 s3_5_c4_c0_1
#define esr_el12 s3_5_c5_c2_0
#define far_el12 s3_5_c6_c0_0
#define mair_el12 s3_5_c10_c2_0
#define vbar_el12 s3_5_c12_c0_0
#define contextidr_el12 s3_5_c13_c0_1
#define cntkctl_el12 s3_5_c14_c1_0
#define cntp_cval_el02 s3_5_c14_c2_2
#define cntv_cval_el02 s3_5_c14_c3_2
#define cnthv_cval_el2 s3_4_c14_c3_2
#define cnthv_ctl_el2 s3_4_c14_c3_1
#define ttbr1_el2 s3_4_c2_c0_1
#define contextidr_el2 s3_4_c13_c0_1
#define get_(name) read_sysreg(name)
#define get(name) get_(name)
#define set_(name, value) write_sysreg(name, value)
#define set(name, value) set_(name, value)

CODE(svc, "svc #1")
CODE(hvc, "hvc #1")
CODE(brk, "brk #1")
CODE(undefined, "udf #0")
CODE(fp, "fmov d0, xzr")
CODE(wfi, "wfi")
CODE(read_ctr, "mrs x1, ctr_el0")
CODE(read_cntpct, "mrs x1, cntpct_el0")
CODE(read_cntp, "mrs x1, cntp_cval_el0\n str x1, [x0]")
CODE(read_cntv, "mrs x1, cntv_cval_el0\n str x1, [x0]")
CODE(read_cntvct, "mrs x1, cntvct_el0\n str x1, [x0]")
CODE(dc_zva, "dc zva, x0")
CODE(load, "ldr x1, [x0]")
CODE(store, "str x0, [x0]")
CODE(mask, "msr daifset, #2")

static uint64_t low[512] __attribute__((aligned(4096)));
static uint64_t high[512] __attribute__((aligned(4096)));
static uint64_t other[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t other_middle[512] __attribute__((aligned(4096)));
static uint64_t data[2][262144] __attribute__((aligned(0x200000)));

/* Writes by one name, and prints what both names, and EL1's register by its alias, have then. */
#define NAMES(one, two, alias, a, b)                                                               \
    do {                                                                                           \
        set(alias, b);                                                                             \
        set(one, a);                                                                               \
        print(#one);                                                                               \
        print_hex("", get(one));                                                                   \
        print_hex(#two, get(two));                                                                 \
        print_hex("EL1's", get(alias));                                                            \
        print("\n");                                                                               \
    } while (0)

static void names(void)
{
    uint64_t vectors;

    print("names\n");
    SHOW_ASM("sctlr_el12 without E2H", ".inst 0xd53d1000");
    set(hcr_el2, GUEST);
    NAMES(ttbr0_el1, ttbr0_el2, ttbr0_el12, 0x1000, 0x2000);
    NAMES(tcr_el1, tcr_el2, tcr_el12, 0x10019, 0x1a);
    NAMES(spsr_el1, spsr_el2, spsr_el12, 0x3c9, 0x3c5);
    NAMES(elr_el1, elr_el2, elr_el12, 0x123, 0x456);
    NAMES(esr_el1, esr_el2, esr_el12, 0x77, 0x88);
    NAMES(far_el1, far_el2, far_el12, 0x5555, 0x6666);
    NAMES(mair_el1, mair_el2, mair_el12, 0xff00, 0x4400);
    NAMES(contextidr_el1, contextidr_el2, contextidr_el12, 1, 2);
    NAMES(cpacr_el1, cptr_el2, cpacr_el12, 3 << 20, 1 << 20);
    NAMES(cntkctl_el1, cnthctl_el2, cntkctl_el12, 0xc03, 0x3);
    NAMES(cntp_cval_el0, cnthp_cval_el2, cntp_cval_el02, 0x111, 0x222);
    NAMES(cntv_cval_el0, cnthv_cval_el2, cntv_cval_el02, 0x333, 0x444);
    vectors = get(vbar_el12);
    set(vbar_el12, 0x800);
    print_hex("vbar_el1 is EL2's", get(vbar_el1) == get(vbar_el2));
    print_hex("vbar_el12", get(vbar_el12));
    set(vbar_el12, vectors);
    print_hex("sctlr_el1 is EL2's", get(sctlr_el1) == get(sctlr_el2));
    print("\n");
    set(hcr_el2, HOST);
    SHOW_ASM("sctlr_el12 with TGE", ".inst 0xd53d1000");
    set(cpacr_el12, 3 << 20);
}

static void from_el0(void)
{
    uint64_t value = 0;

    print("EL0 of a host\n");
    RUN("svc", EL0, svc, 0);
    RUN("hvc", EL0, hvc, 0);
    RUN("brk", EL0, brk, 0);
    RUN("udf", EL0, undefined, 0);
    for (unsigned fpen = 0; fpen < 4; fpen++) {
        set(cptr_el2, (uint64_t)fpen << 20);
        print_hex("FPEN", fpen);
        print("\n");
        RUN("EL0", EL0, fp, 0);
        SHOW_ASM("EL2", "fmov d0, xzr");
        set(hcr_el2, GUEST);
        RUN("EL0 of a guest", EL0, fp, 0);
        RUN("EL1 of a guest", EL1, fp, 0);
        set(hcr_el2, HOST);
    }
    set(cptr_el2, 3 << 20);
    set(hcr_el2, GUEST);
    set(sctlr_el12, get(sctlr_el12) & ~BIT(16)); /* QEMU 7.2 looks there, and would wait */
    set(hcr_el2, HOST);
    set(sctlr_el2, get(sctlr_el2) & ~(BIT(16) | BIT(15) | BIT(14) | BIT(9)));
    RUN("wfi", EL0, wfi, 0);
    RUN("ctr", EL0, read_ctr, 0);
    RUN("dc zva", EL0, dc_zva, (uint64_t)data);
    RUN("daifset", EL0, mask, 0);
    set(sctlr_el2, get(sctlr_el2) | BIT(16) | BIT(15) | BIT(14) | BIT(9));
    RUN("ctr, UCT", EL0, read_ctr, 0);
    set(cnthctl_el2, 0);
    RUN("cntpct", EL0, read_cntpct, 0);
    RUN("cntp", EL0, read_cntp, (uint64_t)&value);
    set(cnthctl_el2, 0x303);
    RUN("cntpct, shown", EL0, read_cntpct, 0);
    run_at(EL0, read_cntp, (uint64_t)&value);
    print_hex("cntp", value);
    run_at(EL0, read_cntv, (uint64_t)&value);
    print_hex("cntv", value);
    set(cntvoff_el2, UINT64_C(1) << 50);
    run_at(EL0, read_cntvct, (uint64_t)&value);
    print_hex("cntvct has an offset", value >> 50 != 0);
    set(hcr_el2, GUEST);
    set(cntkctl_el12, 3);
    run_at(EL0, read_cntvct, (uint64_t)&value);
    print_hex("a guest's", value >> 50 != 0);
    print_hex("at EL2", read_sysreg(cntvct_el0) >> 50 != 0);
    set(hcr_el2, HOST);
    set(cntvoff_el2, 0);
    print("\n");
}

/* ---- EL2&0 ---- */

static void flush(void)
{
    __asm__ volatile("dsb ish\n tlbi alle2\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
}

static uint64_t at(uint64_t address)
{
    return *(volatile uint64_t *)address;
}

static void translation(void)
{
    uint64_t plain = AF | SHARED | NORMAL, old = read_sysreg(sctlr_el2);

    print("translation\n");
    low[0] = BLOCK | AF | BIT(54) | BIT(53);
    low[1] = 0x40000000 | BLOCK | plain;
    low[2] = (uint64_t)middle | TABLE;
    other[0] = low[0];
    other[1] = low[1];
    other[2] = (uint64_t)other_middle | TABLE;
    high[0] = 0x40000000 | BLOCK | plain;
    middle[0] = (uint64_t)data[0] | BLOCK | plain | NOT_GLOBAL;
    other_middle[0] = (uint64_t)data[1] | BLOCK | plain | NOT_GLOBAL;
    middle[1] = (uint64_t)data[0] | BLOCK | plain | USER | BIT(53);
    middle[2] = (uint64_t)data[0] | BLOCK | plain | READ_ONLY;
    middle[3] = (uint64_t)data[0] | BLOCK | plain | USER | READ_ONLY;
    middle[5] = 0x40000000 | BLOCK | plain | USER | READ_ONLY;
    data[0][0] = 0xaaaa;
    data[1][0] = 0xbbbb;
    set(mair_el2, 0xff00);
    set(tcr_el2, TCR | UINT64_C(2) << 30 | UINT64_C(2) << 32 | BIT(36));
    set(ttbr0_el2, (uint64_t)low | UINT64_C(1) << 48);
    set(ttbr1_el2, (uint64_t)high);
    flush();
    set(sctlr_el2, old | 1);
    print_hex("lower half", at(0x80000000));
    print_hex("upper half", at((uint64_t)&data[1][0] + UINT64_C(0xffffff8000000000) - 0x40000000));
    set(ttbr0_el2, (uint64_t)other | UINT64_C(2) << 48);
    print_hex("another ASID", at(0x80000000));
    set(ttbr0_el2, (uint64_t)low | UINT64_C(1) << 48);
    print_hex("the first one", at(0x80000000));
    middle[0] = (uint64_t)data[1] | BLOCK | plain | NOT_GLOBAL;
    __asm__ volatile("dsb ish\n tlbi aside1, %0\n dsb ish\n isb" ::"r"(UINT64_C(1) << 48) : "memory");
    print_hex("after tlbi aside1", at(0x80000000));
    middle[0] = (uint64_t)data[0] | BLOCK | plain | NOT_GLOBAL;
    __asm__ volatile("dsb ish\n tlbi vae1, %0\n dsb ish\n isb" ::"r"(UINT64_C(0x80000) | UINT64_C(1) << 48) : "memory");
    print_hex("after tlbi vae1", at(0x80000000));
    print("\n");
    SHOW("read only", *(volatile uint64_t *)0x80400000 = 1);
    SHOW("EL0's", at(0x80200000));
    __asm__ volatile("msr s0_0_c4_c1_4, xzr"); /* PAN set */
    SHOW("EL0's, PAN", at(0x80200000));
    SHOW("EL0's, PAN, as EL0", __asm__ volatile("ldtr x0, [%0]" ::"r"(0x80200000l) : "x0", "memory"));
    __asm__ volatile("msr s0_0_c4_c0_4, xzr");
    SHOW("as EL0", __asm__ volatile("ldtr x0, [%0]" ::"r"(0x80000000l) : "x0", "memory"));
    SHOW("none", at(0x80800000));
    __asm__ volatile("at s1e1r, %0\n isb" ::"r"(0x80400000l) : "memory");
    print_hex("at s1e1r", read_sysreg(par_el1) & 1);
    __asm__ volatile("at s1e1w, %0\n isb" ::"r"(0x80400000l) : "memory");
    print_hex("at s1e1w", read_sysreg(par_el1) & 0x7f);
    __asm__ volatile("at s1e0r, %0\n isb" ::"r"(0x80000000l) : "memory");
    print_hex("at s1e0r", read_sysreg(par_el1) & 0x7f);
    __asm__ volatile("at s1e2r, %0\n isb" ::"r"(0x80000000l) : "memory");
    print_hex("at s1e2r", read_sysreg(par_el1) & 0x7f);
    print("\n");
    set(sctlr_el2, old);
    (void)load;
    (void)store;
}

int main(void)
{
    names();
    from_el0();
    translation();
    print_hex("VH", read_sysreg(id_aa64mmfr1_el1) >> 8 & 15);
    print("\n");
    set(hcr_el2, BIT(31));
    return 0;
}
