/*
 * EL2 in the secure state (FEAT_SEL2): who may have it, where its exceptions go, stage 2 of secure and non-secure
 * intermediate addresses. DDI 0487, D1.3, D8.4, D17.2.117, VSTCR_EL2, VSTTBR_EL2.
 */
#include "states.h"

enum { EEL2 = 1 << 18, SW = 1 << 29, SA = 1 << 30 };
#define HCR_RW BIT(31)
#define VSTTBR s3_4_c2_c6_0
#define VSTCR s3_4_c2_c6_2
#define get_(name) read_sysreg(name)
#define get(name) get_(name)
#define set_(name, value) write_sysreg(name, value)
#define set(name, value) set_(name, value)

CODE(hvc, "hvc #2")
CODE(smc, "smc #3")
CODE(read_hcr, "mrs x1, hcr_el2")
CODE(read_vsttbr, "mrs x1, s3_4_c2_c6_0")
CODE(read_vstcr, "mrs x1, s3_4_c2_c6_2")
CODE(read_timer, "mrs x1, s3_4_c14_c5_1")
CODE(nothing, "isb\n nop")

static volatile uint64_t seen;

static void keep(uint64_t at)
{
    seen = *(volatile uint32_t *)at;
}

static void keep_level(uint64_t unused)
{
    seen = read_sysreg(currentel) | (read_sysreg(id_aa64pfr0_el1) >> 36 & 15) << 8;
}

/* ---- levels ---- */

static void levels(void)
{
    set_scr(EEL2);
    RUN("EL2, secure", EL2, keep_level, 0);
    print_hex("currentel and SEL2", seen);
    print_hex("scr", read_sysreg(scr_el3) & EEL2);
    print("\n");
    RUN("hcr_el2", EL2, read_hcr, 0);
    RUN("hvc at EL1", EL1, hvc, 0);
    RUN("hvc at EL2", EL2, hvc, 0);
    RUN("smc at EL1", EL1, smc, 0);
    write_sysreg(hcr_el2, HCR_RW | BIT(19));
    RUN("smc at EL1, TSC", EL1, smc, 0);
    write_sysreg(hcr_el2, HCR_RW | BIT(27));
    RUN("hvc at EL0, TGE", EL0, nothing, 0);
    write_sysreg(hcr_el2, HCR_RW);
    set_scr(0);
    RUN("hvc at EL1, no EEL2", EL1, read_hcr, 0);
    RUN("EL1, no EEL2", EL1, nothing, 0);
}

static void registers(void)
{
    set_scr(EEL2);
    RUN("vsttbr_el2", EL2, read_vsttbr, 0);
    RUN("vstcr_el2", EL2, read_vstcr, 0);
    SHOW("at EL3", (void)get(VSTTBR));
    RUN("at EL1", EL1, read_vsttbr, 0);
    set_scr(SCR_NS | EEL2);
    RUN("non-secure", EL2, read_vsttbr, 0);
    RUN("non-secure", EL2, read_vstcr, 0);
    set_scr(0);
    SHOW("at EL3, no EEL2", (void)get(VSTTBR));
}

/* ---- stage 2 ---- */

static uint64_t secure_tables[512] __attribute__((aligned(4096)));
static uint64_t other_tables[512] __attribute__((aligned(4096)));
static uint64_t middle[2][512] __attribute__((aligned(4096)));
static uint64_t own_tables[512] __attribute__((aligned(4096)));
static uint64_t data[2][262144] __attribute__((aligned(0x200000)));

enum { BLOCK = 1, TABLE = 3, AF = 1 << 10, SHARED = 3 << 8, S2_RW = 3 << 6, S2_NORMAL = 15 << 2, NS = 1 << 5 };
enum { SIZE = 25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 }; /* 39 bits, from level 1 */

static void make_tables(uint64_t *first, uint64_t *second, const uint64_t *at)
{
    first[0] = BLOCK | AF | SHARED | S2_RW;
    first[1] = 0x40000000 | BLOCK | AF | SHARED | S2_RW | S2_NORMAL;
    first[2] = (uint64_t)second | TABLE;
    second[0] = (uint64_t)at | BLOCK | AF | SHARED | S2_RW | S2_NORMAL;
}

static void look(const char *what, uint64_t at)
{
    seen = 0;
    RUN(what, EL1, keep, at);
    print_hex("seen", seen);
    print_hex("hpfar", last_hpfar);
    print("\n");
}

static void look_with(const char *what, uint64_t vstcr, uint64_t vtcr)
{
    print(what);
    print("\n");
    set_scr(EEL2);
    set(VSTCR, SIZE | vstcr);
    set(vtcr_el2, SIZE | 2 << 16 | vtcr);
    __asm__ volatile("dsb ish\n tlbi alle1\n dsb ish\n isb" ::: "memory");
    last_hpfar = 0;
    look(" secure", 0x80000000);
    look(" non-secure", 0xc0000000);
    look(" secure ram", SECURE_RAM);
    look(" non-secure, secure ram", 0x100000000 + SECURE_RAM);
    look(" nothing there", 0x80200000);
    look(" non-secure, nothing there", 0xc0200000);
}

/* EL1's own: 0 to 3 GiB are secure, 3 GiB is 2 GiB and 4 GiB is 0, non-secure. */
static void stage2(void)
{
    make_tables(secure_tables, middle[0], data[0]);
    make_tables(other_tables, middle[1], data[1]);
    data[0][0] = 0x5ec;
    data[1][0] = 0x0e4;
    *word(SECURE_RAM) = 0x5a5a;
    own_tables[0] = BLOCK | AF | SHARED;
    own_tables[1] = 0x40000000 | BLOCK | AF | SHARED | 1 << 2;
    own_tables[2] = 0x80000000 | BLOCK | AF | SHARED | 1 << 2;
    own_tables[3] = 0x80000000 | BLOCK | AF | SHARED | 1 << 2 | NS;
    own_tables[4] = 0 | BLOCK | AF | SHARED | NS;
    set_scr(EEL2);
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | UINT64_C(2) << 32);
    write_sysreg(ttbr0_el1, (uint64_t)own_tables);
    set(VSTTBR, (uint64_t)secure_tables);
    write_sysreg(vttbr_el2, (uint64_t)other_tables);
    write_sysreg(hcr_el2, HCR_RW | 1);
    set(VSTCR, SIZE);
    write_sysreg(vtcr_el2, SIZE | 2 << 16);
    look("stage 1 off", 0x80000000);
    look("stage 1 off, secure ram", SECURE_RAM);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1);
    look_with("plain", 0, 0);
    look_with("VSTCR.SA", SA, 0);
    look_with("VTCR.NSA", 0, SA);
    look_with("VSTCR.SW", SW, 0);
    look_with("VTCR.NSW", 0, SW);
    write_sysreg(hcr_el2, HCR_RW);
}

int main(void)
{
    write_sysreg(hcr_el2, HCR_RW);
    see_both_states();
    levels();
    registers();
    stage2();
    set_scr(EEL2);
    RUN("cnthps_ctl_el2", EL2, read_timer, 0);
    RUN("at EL1", EL1, read_timer, 0);
    set_scr(SCR_NS | EEL2);
    RUN("non-secure", EL2, read_timer, 0);
    print("@end\n");
    return 0;
}
