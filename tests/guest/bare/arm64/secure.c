/*
 * Two security states: what memory each sees, GICv3's groups, its banked registers and views, who hears of which
 * interrupt. IHI 0069, 4.6, 4.8.6, 12; DDI 0487, D17.2.117.
 */
#include "states.h"

#define GICD UINT64_C(0x08000000)
#define GICR UINT64_C(0x080a0000)
#define SGIS (GICR + 0x10000)
enum { CTLR = 0, TYPER = 4, IGROUPR = 0x80, ISENABLER = 0x100, ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280,
    ISACTIVER = 0x300, ICACTIVER = 0x380, IPRIORITYR = 0x400, ICFGR = 0xc00, IGRPMODR = 0xd00, NSACR = 0xe00,
    IROUTER = 0x6000, WAKER = 0x14 };

#define ICC_PMR s3_0_c4_c6_0
#define ICC_IAR0 s3_0_c12_c8_0
#define ICC_EOIR0 s3_0_c12_c8_1
#define ICC_HPPIR0 s3_0_c12_c8_2
#define ICC_BPR0 s3_0_c12_c8_3
#define ICC_AP0R0 s3_0_c12_c8_4
#define ICC_AP1R0 s3_0_c12_c9_0
#define ICC_RPR s3_0_c12_c11_3
#define ICC_SGI1R s3_0_c12_c11_5
#define ICC_ASGI1R s3_0_c12_c11_6
#define ICC_SGI0R s3_0_c12_c11_7
#define ICC_IAR1 s3_0_c12_c12_0
#define ICC_EOIR1 s3_0_c12_c12_1
#define ICC_HPPIR1 s3_0_c12_c12_2
#define ICC_BPR1 s3_0_c12_c12_3
#define ICC_CTLR s3_0_c12_c12_4
#define ICC_SRE s3_0_c12_c12_5
#define ICC_IGRPEN0 s3_0_c12_c12_6
#define ICC_IGRPEN1 s3_0_c12_c12_7
#define ICC_SRE_EL2 s3_4_c12_c9_5
#define ICC_CTLR_EL3 s3_6_c12_c12_4
#define ICC_SRE_EL3 s3_6_c12_c12_5
#define ICC_IGRPEN1_EL3 s3_6_c12_c12_7
#define get_(name) read_sysreg(name)
#define get(name) get_(name)
#define set_(name, value) write_sysreg(name, value)
#define set(name, value) set_(name, value)

enum { SGI_0 = 1, SGI_SECURE_1 = 2, SGI_1 = 3, SPI_0 = 40, SPI_SECURE_1 = 41, SPI_1 = 42 };

CODE(nothing, "isb\n nop\n nop")
CODE(load, "ldr w1, [x0]")
CODE(store, "str wzr, [x0]")

/* ---- memory ---- */

static void memory_of(const char *what, uint64_t at)
{
    print(what);
    print("\n");
    SHOW(" EL3", (void)*word(at));
    SHOW(" EL3, non-secure", (void)*word(at | NS_VIEW));
    set_scr(SCR_NS);
    RUN(" EL1", EL1, load, at);
    RUN(" EL1 writes", EL1, store, at);
    RUN(" EL2", EL2, load, at);
    set_scr(SCR_NS | SCR_EA);
    RUN(" EL1, EA", EL1, load, at);
    set_scr(0);
    RUN(" secure EL1", EL1, load, at);
}

static void memory(void)
{
    memory_of("flash", SECURE_FLASH);
    memory_of("ram", SECURE_RAM);
    memory_of("uart", SECURE_UART + 0x18);
    *word(SECURE_RAM + 0x1000) = 0x12345678;
    print_hex("kept", *word(SECURE_RAM + 0x1000));
    print("\n");
}

/* ---- the distributor ---- */

static void both(const char *name, uint64_t at)
{
    print_hex(name, *word(at));
    print_hex("non-secure", *word(at | NS_VIEW));
    print("\n");
}

/* Group 0, secure group 1, group 1. */
static void make_groups(uint64_t base, uint64_t at, unsigned first)
{
    *word(base + IGROUPR + at) = 4u << first;
    *word(base + IGRPMODR + at) = 2u << first;
}

static void registers_of(const char *what, uint64_t base, unsigned id)
{
    uint64_t bits = id / 32 * 4;
    unsigned bit = id % 32;

    print(what);
    print("\n");
    both("groups", base + IGROUPR + bits);
    both("modifiers", base + IGRPMODR + bits);
    *word((base | NS_VIEW) + IGROUPR + bits) = ~0u;
    both("groups, written", base + IGROUPR + bits);
    *word((base | NS_VIEW) + ISENABLER + bits) = 7u << bit;
    both("enabled by the other", base + ISENABLER + bits);
    *word(base + ISENABLER + bits) = 7u << bit;
    both("enabled", base + ISENABLER + bits);
    *word((base | NS_VIEW) + ICENABLER + bits) = 7u << bit;
    both("disabled by the other", base + ISENABLER + bits);
    *word(base + ISENABLER + bits) = 7u << bit;
    for (unsigned i = 0; i < 3; i++) {
        *byte(base + IPRIORITYR + id + i) = 0x48 + 0x50 * i;
        print_hex("priority", *byte(base + IPRIORITYR + id + i));
        print_hex("seen", *byte((base | NS_VIEW) + IPRIORITYR + id + i));
        *byte((base | NS_VIEW) + IPRIORITYR + id + i) = 0x50;
        print_hex("written", *byte(base + IPRIORITYR + id + i));
        print_hex("seen", *byte((base | NS_VIEW) + IPRIORITYR + id + i));
        print("\n");
    }
    for (unsigned permission = 0; permission < 4; permission++) {
        *word(base + NSACR + id / 16 * 4) = permission * 0x15u << id % 16 * 2;
        print_hex("nsacr", *word(base + NSACR + id / 16 * 4));
        both("non-secure", base + NSACR + id / 16 * 4);
        *word((base | NS_VIEW) + ISPENDR + bits) = 7u << bit;
        both("pending by the other", base + ISPENDR + bits);
        *word(base + ISPENDR + bits) = 7u << bit;
        *word((base | NS_VIEW) + ICPENDR + bits) = 7u << bit;
        both("cleared by the other", base + ISPENDR + bits);
        *word(base + ICPENDR + bits) = 7u << bit;
        *word((base | NS_VIEW) + ISACTIVER + bits) = 7u << bit;
        both("active by the other", base + ISACTIVER + bits);
        *word(base + ICACTIVER + bits) = 7u << bit;
    }
    *word(base + NSACR + id / 16 * 4) = 0;
}

static void distributor(void)
{
    both("control", GICD + CTLR);
    *word(GICD + CTLR) = 0x37;
    both("control", GICD + CTLR);
    *word((GICD | NS_VIEW) + CTLR) = 0;
    both("control, written", GICD + CTLR);
    *word((GICD | NS_VIEW) + CTLR) = 0xff;
    both("control, written", GICD + CTLR);
    print_hex("states", *word(GICD + TYPER) >> 10 & 1);
    print_hex("non-secure", *word((GICD | NS_VIEW) + TYPER) >> 10 & 1);
    print("\n");
    both("asleep", GICR + WAKER);
    *word((GICR | NS_VIEW) + WAKER) = 0;
    both("not woken", GICR + WAKER);
    *word(GICR + WAKER) = 0;
    both("woken", GICR + WAKER);
    make_groups(GICD, 4, SPI_0 % 32);
    make_groups(SGIS, 0, SGI_0);
    registers_of("shared", GICD, SPI_0);
    registers_of("private", SGIS, SGI_0);
    for (unsigned i = 0; i < 3; i++) {
        *word((GICD | NS_VIEW) + IROUTER + 8 * (SPI_0 + i)) = 1;
        both("route", GICD + IROUTER + 8 * (SPI_0 + i));
        *word(GICD + IROUTER + 8 * (SPI_0 + i)) = 0;
        *word((GICD | NS_VIEW) + ICFGR + 8) = 2u << (SPI_0 + i) % 16 * 2;
        both("trigger", GICD + ICFGR + 8);
        *word(GICD + ICFGR + 8) = 0;
    }
}

/* ---- the CPU interface ---- */

static uint64_t got[16];

static void read_banked(uint64_t unused)
{
    got[0] = get(ICC_IGRPEN1);
    got[1] = get(ICC_BPR1);
    got[2] = get(ICC_CTLR) & 0x43;
    got[3] = get(ICC_SRE);
    got[4] = get(ICC_PMR);
    got[5] = get(ICC_RPR);
}

static void write_banked(uint64_t value)
{
    set(ICC_IGRPEN1, value & 1);
    set(ICC_BPR1, value >> 4 & 7);
    set(ICC_CTLR, value >> 8 & 3);
}

static void write_mask(uint64_t value)
{
    set(ICC_PMR, value);
}

static void show_banked(const char *what, uint64_t scr, uint64_t level)
{
    static const char *const names[] = { "igrpen1", "bpr1", "ctlr", "sre", "pmr", "rpr" };

    set_scr(scr);
    for (unsigned i = 0; i < 6; i++) {
        got[i] = ~UINT64_C(0);
    }
    if (level) {
        run_at(level, read_banked, 0);
    } else {
        read_banked(0);
    }
    print(what);
    for (unsigned i = 0; i < 6; i++) {
        print_hex(names[i], got[i]);
    }
    print("\n");
}

static void show_all_banked(const char *what)
{
    print(what);
    print_hex("ctlr_el3", get(ICC_CTLR_EL3) & 0x1f);
    print_hex("igrpen1_el3", get(ICC_IGRPEN1_EL3));
    print("\n");
    show_banked(" EL3, NS 0", 0, 0);
    show_banked(" EL3, NS 1", SCR_NS, 0);
    show_banked(" secure EL1", 0, EL1);
    show_banked(" EL1", SCR_NS, EL1);
    show_banked(" EL1, FIQ", SCR_NS | SCR_FIQ, EL1);
    show_banked(" EL2, FIQ", SCR_NS | SCR_FIQ, EL2);
}

static void interface(void)
{
    set(ICC_SRE_EL3, 0xf);
    set_scr(SCR_NS);
    set(ICC_SRE_EL2, 0xf);
    set(ICC_SRE, 7);
    set_scr(0);
    set(ICC_SRE, 7);
    set(ICC_PMR, 0xf8);
    set(ICC_IGRPEN0, 1);
    show_all_banked("at first");
    set_scr(0);
    run_at(EL1, write_banked, 1 | 4 << 4);
    show_all_banked("written by secure EL1");
    set_scr(SCR_NS);
    run_at(EL1, write_banked, 1 | 5 << 4 | 2 << 8);
    show_all_banked("written by EL1");
    set(ICC_IGRPEN1_EL3, 2);
    set(ICC_CTLR_EL3, 0xb);
    show_all_banked("written by EL3");
    set_scr(SCR_NS);
    run_at(EL1, write_banked, 1 | 7 << 4 | 1 << 8);
    set_scr(0);
    run_at(EL1, write_banked, 1 | 3 << 4 | 1 << 8);
    print_hex("bpr0", get(ICC_BPR0));
    print("\n");
    show_all_banked("common points");
    set_scr(0);
    run_at(EL1, write_banked, 1 | 2 << 4);
    set_scr(SCR_NS);
    run_at(EL1, write_banked, 1 | 3 << 4);
    set(ICC_BPR0, 2);
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t masks[] = { 0x40, 0xa0, 0xf0, 0x80 };

        set(ICC_PMR, masks[i]);
        set_scr(SCR_NS | SCR_FIQ);
        run_at(EL1, write_mask, 0x60);
        show_banked("mask", SCR_NS | SCR_FIQ, EL1);
        print_hex("is", get(ICC_PMR));
        print("\n");
    }
    set(ICC_PMR, 0xf8);
    set(ICC_CTLR_EL3, 0);
    set(ICC_IGRPEN1_EL3, 3);
}

/* ---- interrupts ---- */

static void read_pending(uint64_t unused)
{
    got[0] = get(ICC_HPPIR0);
    got[1] = get(ICC_HPPIR1);
}

static void acknowledge(uint64_t end)
{
    got[0] = get(ICC_IAR0);
    got[1] = get(ICC_IAR1);
    got[2] = get(ICC_RPR);
    set(ICC_EOIR1, end);
    got[3] = get(ICC_RPR);
    set(ICC_EOIR0, end);
    got[4] = get(ICC_RPR);
}

static void show_pending(const char *what, uint64_t scr, uint64_t level)
{
    set_scr(scr);
    if (level) {
        run_at(level, read_pending, 0);
    } else {
        read_pending(0);
    }
    print(what);
    print_hex("hppir0", got[0]);
    print_hex("hppir1", got[1]);
    print("\n");
}

static void ends(const char *what, uint64_t scr, uint64_t level, unsigned id)
{
    *word(SGIS + ISPENDR) = 1u << id;
    set_scr(scr);
    if (level) {
        run_at(level, acknowledge, id);
    } else {
        acknowledge(id);
    }
    print(what);
    print_hex("iar0", got[0]);
    print_hex("iar1", got[1]);
    print_hex("rpr", got[2]);
    print_hex("after eoir1", got[3]);
    print_hex("after eoir0", got[4]);
    print_hex("pending", *word(SGIS + ISPENDR));
    print_hex("active", *word(SGIS + ISACTIVER));
    set_scr(0);
    print_hex("ap0", get(ICC_AP0R0));
    print_hex("ap1 secure", get(ICC_AP1R0));
    set_scr(SCR_NS);
    print_hex("ap1", get(ICC_AP1R0));
    print("\n");
    *word(SGIS + ICPENDR) = 0xffff;
    *word(SGIS + ICACTIVER) = 0xffff;
    set(ICC_AP0R0, 0);
    set(ICC_AP1R0, 0);
    set_scr(0);
    set(ICC_AP1R0, 0);
}

static void one(const char *what, unsigned id)
{
    print(what);
    print("\n");
    *word(SGIS + ISPENDR) = 1u << id;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t to = i == 0 ? 0 : i == 1 ? SCR_FIQ : SCR_IRQ | SCR_FIQ;

        print(i == 0 ? " to EL1\n" : i == 1 ? " FIQ to EL3\n" : " both to EL3\n");
        set_scr(SCR_NS | to);
        RUN("  EL1", EL1 & ~0xc0, nothing, 0);
        RUN("  EL2", EL2 & ~0xc0, nothing, 0);
        set_scr(to);
        RUN("  secure EL1", EL1 & ~0xc0, nothing, 0);
        SHOW("  EL3", __asm__ volatile("msr daifclr, #3\n isb\n nop\n msr daifset, #3" ::: "memory"));
        print_hex("  isr", read_sysreg(isr_el1));
        print("\n");
    }
    show_pending(" EL3, NS 0", 0, 0);
    show_pending(" EL3, NS 1", SCR_NS, 0);
    show_pending(" secure EL1", 0, EL1);
    show_pending(" EL1", SCR_NS, EL1);
    show_pending(" EL2", SCR_NS, EL2);
    ends(" EL3, NS 0", 0, 0, id);
    ends(" EL3, NS 1", SCR_NS, 0, id);
    ends(" secure EL1", 0, EL1, id);
    ends(" EL1", SCR_NS, EL1, id);
    ends(" EL1, FIQ", SCR_NS | SCR_FIQ, EL1, id);
}

/* ---- who may send ---- */

static void send_0(uint64_t value)
{
    set(ICC_SGI0R, value);
}

static void send_1(uint64_t value)
{
    set(ICC_SGI1R, value);
}

static void send_other(uint64_t value)
{
    set(ICC_ASGI1R, value);
}

static void sent(const char *what, uint64_t scr, uint64_t level)
{
    static void (*const senders[])(uint64_t) = { send_0, send_1, send_other };

    print(what);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned id = SGI_0; id <= SGI_1; id++) {
            uint64_t value = (uint64_t)id << 24 | 1;

            set_scr(scr);
            if (level) {
                run_at(level, senders[i], value);
            } else {
                senders[i](value);
            }
        }
        print_hex(i == 0 ? "sgi0" : i == 1 ? "sgi1" : "asgi1", *word(SGIS + ISPENDR) & 0xff);
        *word(SGIS + ICPENDR) = 0xffff;
    }
    print("\n");
}

static void sending(void)
{
    *word(SGIS + ICENABLER) = 0xffff;
    for (unsigned permission = 0; permission < 3; permission++) {
        print_hex("permission", permission);
        print("\n");
        *word(SGIS + NSACR) = permission * 0x55555555u;
        sent(" EL3, NS 0", 0, 0);
        sent(" EL3, NS 1", SCR_NS, 0);
        sent(" secure EL1", 0, EL1);
        sent(" EL1", SCR_NS, EL1);
    }
}

/* ---- one state for good ---- */

static void one_state(void)
{
    *word(GICD + CTLR) = 0x77;
    both("one state", GICD + CTLR);
    print_hex("states", *word(GICD + TYPER) >> 10 & 1);
    both("groups", SGIS + IGROUPR);
    *word(GICD + CTLR) = 0;
    both("stays", GICD + CTLR);
}

int main(void)
{
    write_sysreg(hcr_el2, BIT(31));
    see_both_states();
    memory();
    distributor();
    interface();
    one("group 0", SGI_0);
    one("secure group 1", SGI_SECURE_1);
    one("group 1", SGI_1);
    sending();
    one_state();
    print("@end\n");
    return 0;
}
