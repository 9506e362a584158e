/*
 * VMSAv8-64 translation: each kind of fault with its syndrome and address, rights at both levels, tagged
 * addresses, address translation instructions, ASIDs and TLB maintenance. DDI 0487, D8.
 */
#include "bare.h"

enum {
    VALID = 1, TABLE = 3, PAGE = 3, BLOCK = 1,
    DEVICE = 0 << 2, NORMAL = 1 << 2,   /* MAIR: 0 Device-nGnRnE, 1 Normal write-back */
    EL0_TOO = 1 << 6, READ_ONLY = 1 << 7, INNER = 3 << 8, ACCESSED = 1 << 10, NOT_GLOBAL = 1 << 11,
};
#define PXN (UINT64_C(1) << 53)
#define UXN (UINT64_C(1) << 54)

static uint64_t low[512] __attribute__((aligned(4096)));    /* level 1: 1 GiB each, TTBR0 */
static uint64_t high[512] __attribute__((aligned(4096)));   /* the same for TTBR1 */
static uint64_t middle[512] __attribute__((aligned(4096))); /* level 2 of the GiB at 2 GiB */
static uint64_t other[512] __attribute__((aligned(4096)));
static uint64_t pages[512] __attribute__((aligned(4096)));  /* level 3 of its first 2 MiB */
static uint64_t data[2][512] __attribute__((aligned(4096)));

#define AT (UINT64_C(2) << 30)      /* where pages[] begins */

enum { TCR = 25 << 0 | 1 << 8 | 1 << 10 | 3 << 12 | 25 << 16 | 1 << 24 | 1 << 26 | 3 << 28 };  /* 39 bits each */
#define TG1_4K (UINT64_C(2) << 30)
#define TCR_BITS (TCR | TG1_4K | UINT64_C(2) << 32 | UINT64_C(1) << 36)     /* 40 bits of PA, 16-bit ASIDs */

static void flush(void)
{
    __asm__ volatile("dsb ish\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
}

static void map(unsigned page, uint64_t entry)
{
    pages[page] = entry;
    flush();
}

static void set_up(void)
{
    uint64_t plain = INNER | ACCESSED;

    low[0] = BLOCK | DEVICE | plain | UXN | PXN;                        /* the board's devices */
    low[1] = UINT64_C(0x40000000) | BLOCK | NORMAL | plain | UXN;        /* this program */
    low[2] = (uint64_t)middle | TABLE;
    high[0] = UINT64_C(0x40000000) | BLOCK | NORMAL | plain | UXN;
    middle[0] = (uint64_t)pages | TABLE;
    middle[1] = 0;                                                      /* level 2 fault */
    middle[2] = UINT64_C(0x40000000) | BLOCK | NORMAL | plain;          /* a 2 MiB block */
    middle[3] = UINT64_C(0x40000000) | BLOCK | NORMAL | INNER;          /* not accessed */
    middle[4] = UINT64_C(0x40000000) | BLOCK | NORMAL | plain | READ_ONLY;
    middle[5] = UINT64_C(1) << 44 | BLOCK | NORMAL | plain;             /* beyond 40 bits */
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, TCR_BITS);
    write_sysreg(ttbr0_el1, (uint64_t)low);
    write_sysreg(ttbr1_el1, (uint64_t)high);
    flush();
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1 | 1 << 2 | 1 << 12);
}

static uint64_t load(uint64_t at)
{
    uint64_t value;

    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return value;
}

static void store(uint64_t at)
{
    __asm__ volatile("str xzr, [%0]" ::"r"(at) : "memory");
}

static void jump(uint64_t at)
{
    resume_at = (uint64_t)&&back;
    __asm__ volatile("mov x3, x30\n blr %0\n mov x30, x3" ::"r"(at) : "x3", "x30", "memory");
back:
    resume_at = 0;
}

/* Level 1 to 3, and what is beyond both halves. */
static void faults(void)
{
    SHOW("load at level 1", load(UINT64_C(5) << 30));
    SHOW("store at level 1", store((UINT64_C(5) << 30) + 0x123));
    SHOW("load at level 2", load(AT + (1 << 21) + 8));
    SHOW("load at level 3", load(AT + 0x3008));
    SHOW("store at level 3", store(AT + 0x3010));
    SHOW("load between the halves", load(UINT64_C(1) << 40));
    SHOW("load high at level 1", load(UINT64_C(0xffffff80c0000000)));
    SHOW("load above the low half", load(UINT64_C(0x7fffffffff) + 1));
    SHOW("block not accessed", load(AT + (3 << 21) + 0x40));
    SHOW("store to a read-only block", store(AT + (4 << 21) + 0x40));
    SHOW("output address too big", load(AT + (5 << 21)));
    SHOW("load pair at level 3", __asm__ volatile("ldp x0, x1, [%0]" ::"r"(AT + 0x3ff8) : "x0", "x1", "memory"));
    SHOW("atomic at level 3", __asm__ volatile("ldxr x0, [%0]" ::"r"(AT + 0x3018) : "x0", "memory"));
    SHOW("byte with sign", __asm__ volatile("ldrsb w0, [%0, #1]!" ::"r"(AT + 0x3000) : "x0", "memory"));
    SHOW("dc zva", __asm__ volatile("dc zva, %0" ::"r"(AT + 0x3000) : "memory"));
    SHOW("fetch at level 3", jump(AT + 0x3000));
    SHOW("fetch at level 1", jump(UINT64_C(5) << 30));
    SHOW("fetch between the halves", jump(UINT64_C(1) << 40));
}

static void rights(void)
{
    static const uint64_t kinds[] = { 0, EL0_TOO, READ_ONLY, READ_ONLY | EL0_TOO };
    static const char *const names[] = { "EL1 rw", "both rw", "EL1 ro", "both ro" };
    uint64_t page = (uint64_t)data[0] | PAGE | NORMAL | INNER | ACCESSED;

    data[0][0] = UINT64_C(0xd65f03c0); /* ret */
    __asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" ::"r"(data[0]) : "memory");
    for (unsigned i = 0; i < 4; i++) {
        print(names[i]);
        print("\n");
        map(1, page | kinds[i] | UXN | PXN);
        SHOW(" load", load(AT + 0x1000));
        SHOW(" store", store(AT + 0x1008));
        SHOW(" fetch, PXN", jump(AT + 0x1000));
        SHOW(" unprivileged load", __asm__ volatile("ldtr x0, [%0]" ::"r"(AT + 0x1000) : "x0", "memory"));
        SHOW(" unprivileged store", __asm__ volatile("sttr xzr, [%0]" ::"r"(AT + 0x1008) : "memory"));
        SHOW(" both in turn",
            __asm__ volatile("ldr x1, [%0]\n str x1, [%0]\n sttr x1, [%0, #8]\n ldr x1, [%0]\n ldtr x0, [%0]" ::"r"(
                AT + 0x1000)
                : "x0", "x1", "memory"));
        map(1, page | kinds[i] | UXN);
        SHOW(" fetch", jump(AT + 0x1000));
    }
    map(1, page | EL0_TOO | UXN | PXN);
    for (unsigned bits = 1; bits < 4; bits++) { /* APTable, of the level 2 table */
        print_hex("APTable", bits);
        print("\n");
        low[2] = (uint64_t)middle | TABLE | (uint64_t)bits << 61;
        flush();
        SHOW(" load", load(AT + 0x1000));
        SHOW(" store", store(AT + 0x1008));
        SHOW(" unprivileged load", __asm__ volatile("ldtr x0, [%0]" ::"r"(AT + 0x1000) : "x0", "memory"));
    }
    low[2] = (uint64_t)middle | TABLE;
    map(1, page & ~(uint64_t)ACCESSED);
    SHOW("page not accessed", load(AT + 0x1000));
}

/* A write of a 4 KiB page's neighbour, by an access that crosses. */
static void crossing(void)
{
    uint64_t page = (uint64_t)data[0] | PAGE | NORMAL | INNER | ACCESSED;

    map(1, page);
    map(2, 0);
    data[0][511] = 0x1111;
    SHOW("load across the end", load(AT + 0x1ffc));
    SHOW("store across the end", store(AT + 0x1ffc));
    print_hex("data", data[0][511]);
    print("\n");
    map(2, ((uint64_t)data[1]) | PAGE | NORMAL | INNER | ACCESSED);
    data[1][0] = UINT64_C(0x2222222222222222);
    print_hex("crossing", load(AT + 0x1ffc));
    print("\n");
}

static uint64_t translate(uint64_t at, bool write, bool el0)
{
    if (el0) {
        __asm__ volatile("at s1e0r, %0\n isb" ::"r"(at) : "memory");
    } else if (write) {
        __asm__ volatile("at s1e1w, %0\n isb" ::"r"(at) : "memory");
    } else {
        __asm__ volatile("at s1e1r, %0\n isb" ::"r"(at) : "memory");
    }
    /* The address, or the fault; memory attributes depend on the implementation. */
    return read_sysreg(par_el1) & 1 ? read_sysreg(par_el1) & 0xfff : read_sysreg(par_el1) & UINT64_C(0xfffffffff000);
}

static void address_translation(void)
{
    map(1, (uint64_t)0x40001000 | PAGE | NORMAL | INNER | ACCESSED | READ_ONLY);
    print_hex("at read", translate(AT + 0x1234, false, false));
    print_hex("at write", translate(AT + 0x1234, true, false));
    print_hex("at el0", translate(AT + 0x1234, false, true));
    print_hex("at level 3", translate(AT + 0x3234, false, false));
    print_hex("at level 1", translate(UINT64_C(5) << 30, false, false));
    print("\n");
}

/* What the TLB has of a tagged address goes when its page does, or the block that the page is of. */
static void flush_tagged(void)
{
    const uint64_t tag = UINT64_C(0xab) << 56, block = AT + (2 << 21), kind = BLOCK | NORMAL | INNER | ACCESSED;
    uint64_t base = (uint64_t)data[0] & -(UINT64_C(1) << 21), offset = (uint64_t)data[0] - base;

    pages[1] = (uint64_t)data[1] | PAGE | NORMAL | INNER | ACCESSED;
    data[1][0] = 0x88;
    __asm__ volatile("dsb ish\n tlbi vaae1is, %0\n dsb ish\n isb" ::"r"((AT + 0x1000) >> 12) : "memory");
    print_hex("other page", load(AT + 0x1000 + tag));
    middle[2] = base | kind;
    flush();
    load(block + tag);
    print_hex("block", load(block + offset + tag));
    middle[2] = (base + (1 << 21)) | kind;
    *(uint64_t *)(base + (1 << 21) + offset) = 0x99;
    __asm__ volatile("dsb ish\n tlbi vaae1is, %0\n dsb ish\n isb" ::"r"(block >> 12) : "memory");
    print_hex("other block", load(block + offset + tag));
    print("\n");
    middle[2] = UINT64_C(0x40000000) | kind;
}

/* The top byte is ignored when TBI says so; the fault's address keeps it (D8.8). */
static void tagged(void)
{
    uint64_t page = (uint64_t)data[0] | PAGE | NORMAL | INNER | ACCESSED;

    map(1, page);
    data[0][0] = 0x77;
    SHOW("a tagged address without TBI", load(AT + 0x1000 + (UINT64_C(0xab) << 56)));
    write_sysreg(tcr_el1, TCR_BITS | UINT64_C(1) << 37);
    flush();
    print_hex("tagged", load(AT + 0x1000 + (UINT64_C(0xab) << 56)));
    print("\n");
    SHOW("a tagged address that faults", load(AT + 0x3000 + (UINT64_C(0xab) << 56)));
    flush_tagged();
    write_sysreg(tcr_el1, TCR_BITS);
    flush();
}

/* The same address in two address spaces; what is not global follows the ASID. */
static void address_spaces(void)
{
    uint64_t page = PAGE | NORMAL | INNER | ACCESSED | NOT_GLOBAL;

    for (unsigned i = 0; i < 512; i++) {
        other[i] = low[i];
    }
    data[0][0] = 0xaaaa;
    data[1][0] = 0xbbbb;
    map(1, (uint64_t)data[0] | page);
    write_sysreg(ttbr0_el1, (uint64_t)low | UINT64_C(1) << 48);
    print_hex("asid 1", load(AT + 0x1000));
    write_sysreg(ttbr0_el1, (uint64_t)low | UINT64_C(2) << 48);
    pages[1] = (uint64_t)data[1] | page;
    __asm__ volatile("dsb ish\n tlbi aside1, %0\n dsb ish\n isb" ::"r"(UINT64_C(2) << 48) : "memory");
    print_hex("asid 2", load(AT + 0x1000));
    __asm__ volatile("tlbi vae1, %0\n dsb ish\n isb" ::"r"((AT + 0x1000) >> 12 | UINT64_C(1) << 48) : "memory");
    write_sysreg(ttbr0_el1, (uint64_t)other | UINT64_C(1) << 48);
    print_hex("asid 1 after tlbi", load(AT + 0x1000));
    print("\n");
    write_sysreg(ttbr0_el1, (uint64_t)low);
    pages[1] = (uint64_t)data[0] | PAGE | NORMAL | INNER | ACCESSED;
    __asm__ volatile("dsb ish\n tlbi vaae1is, %0\n dsb ish\n isb" ::"r"((AT + 0x1000) >> 12) : "memory");
    print_hex("after tlbi vaa", load(AT + 0x1000));
    print("\n");
}

int main(void)
{
    set_up();
    faults();
    rights();
    crossing();
    address_translation();
    tagged();
    address_spaces();
    return 0;
}
