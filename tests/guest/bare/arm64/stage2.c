/*
 * Stage 2 of translation: each kind of fault with its syndrome, FAR and HPFAR, of accesses and of walks of stage 1;
 * rights of both stages; VMIDs; AT; concatenated tables. DDI 0487, D8.
 */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
#define HCR (BIT(31) | BIT(0))
enum { VALID = 1, TABLE = 3, PAGE = 3, BLOCK = 1, AF = 1 << 10, SHARED = 3 << 8 };
enum { S2_NORMAL = 0xf << 2, S2_DEVICE = 0, S2_READ = 1 << 6, S2_WRITE = 2 << 6, S2_ALL = S2_READ | S2_WRITE };
enum { S1_NORMAL = 1 << 2, S1_READ_ONLY = 1 << 7, S1_USER = 1 << 6, NOT_GLOBAL = 1 << 11 };
#define S2_XN BIT(54)

/* Stage 2: 32 bits from level 1 on (4 entries), twice for two VMIDs; 4 KiB granules. */
static uint64_t first[2][512] __attribute__((aligned(4096)));
static uint64_t second[512] __attribute__((aligned(4096)));     /* the GiB at 2 GiB */
static uint64_t third[2][512] __attribute__((aligned(4096)));   /* its first and second 2 MiB */
/* Stage 1: 39 bits from level 1 on. */
static uint64_t low[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t pages[512] __attribute__((aligned(4096)));
static uint64_t data[4][512] __attribute__((aligned(4096)));

#define AT UINT64_C(0x80000000) /* where second[] begins, as an IPA */
enum { VTCR = (64 - 32) | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 };
enum { TCR = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 };

static volatile uint64_t value;

CODE(load8, "ldrb w1, [x0]")
CODE(load16s, "ldrsh x1, [x0]")
CODE(load32, "ldr w2, [x0]")
CODE(load64, "ldr x1, [x0]")
CODE(load_zero, "ldr xzr, [x0]")
CODE(load_acquire, "ldar w1, [x0]")
CODE(load_exclusive, "ldxr x1, [x0]")
CODE(load_pair, "ldp x1, x2, [x0]")
CODE(load_post, "mov x2, x0\n ldr x1, [x2], #8")
CODE(load_user, "ldtr x1, [x0]")
CODE(load_register, "mov x2, #0\n ldr w1, [x0, x2]")
CODE(load_unscaled, "ldur x1, [x0]")
CODE(store8, "strb wzr, [x0]")
CODE(store64, "str x0, [x0]")
CODE(store_release, "stlr x0, [x0]")
CODE(swap, "ldxr x1, [x0]\n stxr w2, x1, [x0]")
CODE(clean, "dc civac, x0")
CODE(zero, "dc zva, x0")
CODE(translate, "at s1e1r, x0\n isb\n mrs x1, par_el1")
CODE(jump, "mov x1, x30\n blr x0\n mov x30, x1")

CODE(flush_own, "dsb ish\n tlbi vmalle1\n dsb ish\n isb")

static void keep(uint64_t at)
{
    value = *(volatile uint64_t *)at;
}

static void flush(void)
{
    __asm__ volatile("dsb ish\n tlbi alle1\n dsb ish\n isb" ::: "memory");
}

static void map(unsigned page, uint64_t entry)
{
    third[0][page] = entry;
    flush();
}

static void tables(void)
{
    for (unsigned i = 0; i < 2; i++) {
        first[i][0] = BLOCK | AF | S2_DEVICE | S2_ALL | S2_XN;
        first[i][1] = 0x40000000 | BLOCK | AF | S2_NORMAL | SHARED | S2_ALL;
        first[i][2] = (uint64_t)second | TABLE;
    }
    second[0] = (uint64_t)third[0] | TABLE;
    second[2] = 0x40000000 | BLOCK | S2_NORMAL | S2_ALL;                /* not accessed */
    second[3] = 0x40000000 | BLOCK | AF | S2_NORMAL | S2_READ;
    second[4] = BIT(45) | BLOCK | AF | S2_NORMAL | S2_ALL;              /* beyond 40 bits */
    for (unsigned i = 0; i < 4; i++) {
        third[0][i] = (uint64_t)data[i] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
        data[i][0] = 0x1000 + i;
    }
    third[0][8] = (uint64_t)data[0] | PAGE | AF | S2_NORMAL | S2_WRITE;
    third[0][9] = (uint64_t)data[0] | PAGE | AF | S2_NORMAL | S2_ALL | S2_XN;
    data[1][8] = 0xd65f03c0; /* ret */
    write_sysreg(vtcr_el2, VTCR | BIT(31));
    write_sysreg(vttbr_el2, (uint64_t)first[0] | BIT(48));
    write_sysreg(hcr_el2, HCR);
    flush();
}

static void without_stage_1(void)
{
    print("stage 1 is off\n");
    RUN("a page", EL1, keep, AT);
    print_hex("value", value);
    print("\n");
    RUN("no level 1", EL1, load64, AT + 0x40000000);
    RUN("no level 2", EL1, load64, AT + 0x200008);
    RUN("no level 3", EL1, load64, AT + 0x7008);
    RUN("beyond 32 bits", EL1, load64, UINT64_C(0x123456789000));
    RUN("not accessed", EL1, load64, AT + 0x400008);
    RUN("read only, a load", EL1, load64, AT + 0x600000);
    RUN("read only, a store", EL1, store64, AT + 0x600000);
    RUN("write only, a load", EL1, load64, AT + 0x8000);
    RUN("write only, a store", EL1, store64, AT + 0x8000);
    RUN("out of range", EL1, load64, AT + 0x800000);
    RUN("code", EL1, jump, AT + 0x1040);
    RUN("code, not executable", EL1, jump, AT + 0x9040);
    RUN("code, nothing", EL1, jump, AT + 0x7040);
    RUN("EL0", EL0, load64, AT + 0x7008);
    print("what the syndrome says of the access\n");
    RUN("ldrb", EL1, load8, AT + 0x7001);
    RUN("ldrsh", EL1, load16s, AT + 0x7002);
    RUN("ldr w2", EL1, load32, AT + 0x7004);
    RUN("ldr xzr", EL1, load_zero, AT + 0x7008);
    RUN("ldar", EL1, load_acquire, AT + 0x7008);
    RUN("ldxr", EL1, load_exclusive, AT + 0x7008);
    RUN("ldp", EL1, load_pair, AT + 0x7010);
    RUN("ldr, post-indexed", EL1, load_post, AT + 0x7010);
    RUN("ldtr", EL1, load_user, AT + 0x7010);
    RUN("ldr by register", EL1, load_register, AT + 0x7010);
    RUN("ldur", EL1, load_unscaled, AT + 0x7010);
    RUN("strb", EL1, store8, AT + 0x7011);
    RUN("str", EL1, store64, AT + 0x7018);
    RUN("stlr", EL1, store_release, AT + 0x7018);
    RUN("stxr", EL1, swap, AT + 0x600000);
}

static void ask(const char *what, uint64_t par)
{
    print(what);
    print_hex("F", par & 1);
    print_hex(par & 1 ? "FST" : "PA", par & 1 ? par >> 1 & 0x3ff : par & UINT64_C(0xfffffffff000));
    print("\n");
}

#define ASK(what, insn, at)                                                                        \
    do {                                                                                           \
        __asm__ volatile(insn ", %0\n isb" ::"r"(at) : "memory");                                   \
        ask(what, read_sysreg(par_el1));                                                           \
    } while (0)

/* Is the data where it is, or only called so? */
static uint64_t relative(uint64_t at)
{
    return at - (uint64_t)data;
}

static void with_stage_1(void)
{
    uint64_t plain = AF | SHARED | S1_NORMAL;

    print("both stages\n");
    low[0] = BLOCK | AF | BIT(54) | BIT(53);
    low[1] = 0x40000000 | BLOCK | plain;
    low[2] = (uint64_t)middle | TABLE;
    low[3] = (AT + 0x7000) | TABLE;                                     /* a table that is not there */
    low[4] = (AT + 0x2000) | TABLE;                                     /* one that is: data[2] */
    middle[0] = (uint64_t)pages | TABLE;
    data[2][0] = AT | BLOCK | plain;
    for (unsigned i = 0; i < 16; i++) {
        pages[i] = (AT + 0x1000 * i) | PAGE | plain;
    }
    pages[2] = (AT + 0x2000) | PAGE | plain | S1_READ_ONLY;
    pages[4] = 0;
    pages[5] = (AT + 0x600000) | PAGE | plain;
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, TCR | UINT64_C(2) << 32);
    write_sysreg(ttbr0_el1, (uint64_t)low);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1);
    flush();
    RUN("a page", EL1, keep, AT);
    print_hex("value", value);
    print("\n");
    RUN("stage 1: none", EL1, load64, AT + 0x4008);
    RUN("stage 1: read only", EL1, store64, AT + 0x2008);
    RUN("stage 2: none", EL1, load64, AT + 0x7008);
    RUN("stage 2: read only", EL1, store64, AT + 0x5010);
    RUN("stage 2: read only, a load", EL1, load64, AT + 0x5010);
    RUN("a table of stage 1: none", EL1, load64, UINT64_C(0xc0000010));
    RUN("a table of stage 1: none, a store", EL1, store64, UINT64_C(0xc0000010));
    RUN("a table of stage 1: none, code", EL1, jump, UINT64_C(0xc0000010));
    RUN("a table of stage 1", EL1, keep, UINT64_C(0x100003000));
    print_hex("value", value);
    print("\n");
    map(2, (uint64_t)data[2] | PAGE | AF | S2_NORMAL | SHARED | S2_WRITE);
    RUN("a table of stage 1: not readable", EL1, load64, UINT64_C(0x100003000));
    map(2, (uint64_t)data[2] | PAGE | AF | S2_DEVICE | S2_ALL);
    RUN("a table of stage 1: a device", EL1, keep, UINT64_C(0x100003000));
    write_sysreg(hcr_el2, HCR | BIT(2));
    flush();
    RUN("a table of stage 1: a device, PTW", EL1, load64, UINT64_C(0x100003000));
    write_sysreg(hcr_el2, HCR);
    map(2, (uint64_t)data[2] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL);
    ASK("at s1e1r", "at s1e1r", AT + 0x1000);
    ASK("at s1e1w, read only", "at s1e1w", AT + 0x2000);
    ASK("at s1e1r, none", "at s1e1r", AT + 0x4000);
    ASK("at s1e1r, no table", "at s1e1r", UINT64_C(0xc0000000));
    ASK("at s12e1r, stage 1 has none", "at s12e1r", AT + 0x4000);
    ASK("at s12e1r, stage 2 has none", "at s12e1r", AT + 0x7000);
    ASK("at s12e1w, stage 2 read only", "at s12e1w", AT + 0x5000);
    ASK("at s12e0r", "at s12e0r", AT + 0x1000);
    __asm__ volatile("at s12e1r, %0\n isb" ::"r"(AT + 0x3000) : "memory");
    print_hex("at s12e1r: data", relative(read_sysreg(par_el1) & UINT64_C(0xfffffffff000)));
    print("\n");
    RUN("at s1e1r at EL1", EL1, translate, AT + 0x1000);
    RUN("at s1e1r at EL1, no table", EL1, translate, UINT64_C(0xc0000000));
    RUN("dc civac, stage 2 has none", EL1, clean, AT + 0x7040);
    RUN("dc zva, stage 2 has none", EL1, zero, AT + 0x7040);
}

/* The same address in two guests; a change seen only after TLBI of the right VMID. */
static void vmids(void)
{
    uint64_t one = (uint64_t)first[0] | BIT(48), two = (uint64_t)first[1] | UINT64_C(2) << 48;
    static uint64_t other[512] __attribute__((aligned(4096)));

    print("VMIDs\n");
    other[0] = (uint64_t)third[1] | TABLE;
    third[1][0] = (uint64_t)data[3] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
    first[1][2] = (uint64_t)other | TABLE;
    flush();
    for (unsigned i = 0; i < 4; i++) {
        write_sysreg(vttbr_el2, i & 1 ? two : one);
        run_at(EL1, keep, AT);
        print_hex("value", value);
    }
    print("\n");
    third[1][0] = (uint64_t)data[1] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
    write_sysreg(vttbr_el2, two);
    __asm__ volatile("dsb ish\n tlbi ipas2e1is, %0\n dsb ish\n tlbi vmalle1is\n dsb ish\n isb" ::"r"(AT >> 12) : "memory");
    run_at(EL1, keep, AT);
    print_hex("after ipas2e1is", value);
    third[1][0] = (uint64_t)data[2] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
    __asm__ volatile("dsb ish\n tlbi vmalls12e1is\n dsb ish\n isb" ::: "memory");
    run_at(EL1, keep, AT);
    print_hex("after vmalls12e1is", value & 0xfff);
    write_sysreg(vttbr_el2, one);
    run_at(EL1, keep, AT);
    print_hex("the other", value);
    pages[0] = (AT + 0x3000) | PAGE | AF | SHARED | S1_NORMAL;
    run_at(EL1, flush_own, 0);
    run_at(EL1, keep, AT);
    print_hex("after its own vmalle1", value);
    pages[0] = AT | PAGE | AF | SHARED | S1_NORMAL;
    third[0][0] = (uint64_t)data[1] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
    third[1][0] = (uint64_t)data[3] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
    flush();
    run_at(EL1, keep, AT);
    print_hex("after alle1", value);
    write_sysreg(vttbr_el2, two);
    run_at(EL1, keep, AT);
    print_hex("the other", value);
    write_sysreg(vttbr_el2, one);
    third[0][0] = (uint64_t)data[0] | PAGE | AF | S2_NORMAL | SHARED | S2_ALL;
    flush();
    write_sysreg(hcr_el2, BIT(31));
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~UINT64_C(1));
    value = 0;
    run_at(EL1, keep, (uint64_t)data[3]);
    print_hex("without stages", value);
    print("\n");
}

/* HCR_EL2.DC: stage 1 is off whatever SCTLR_EL1 says, stage 2 is on. Level 0 and concatenated tables. */
static void others(void)
{
    static uint64_t wide[2][512] __attribute__((aligned(8192))); /* 40 bits from level 1: two tables */

    print("others\n");
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1);
    write_sysreg(hcr_el2, BIT(31) | BIT(12));
    flush();
    RUN("DC: a page", EL1, keep, AT + 0x3000);
    print_hex("value", value);
    print("\n");
    RUN("DC: none", EL1, load64, AT + 0x7000);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~UINT64_C(1));
    for (unsigned i = 0; i < 4; i++) {
        wide[0][i] = first[0][i];
    }
    wide[1][0] = (uint64_t)second | TABLE;
    write_sysreg(vtcr_el2, (VTCR & ~63) | (64 - 40) | BIT(31));
    write_sysreg(vttbr_el2, (uint64_t)wide | UINT64_C(3) << 48);
    write_sysreg(hcr_el2, HCR);
    flush();
    RUN("two tables side by side", EL1, keep, UINT64_C(0x8000001000));
    print_hex("value", value);
    print("\n");
    RUN("the second one: none", EL1, load64, UINT64_C(0x8040001000));
    RUN("beyond 40 bits", EL1, load64, UINT64_C(0x10000000000));
    write_sysreg(hcr_el2, BIT(31));
}

int main(void)
{
    tables();
    without_stage_1();
    with_stage_1();
    vmids();
    others();
    return 0;
}
