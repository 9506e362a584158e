/*
 * GICv2 with the Security Extensions: banked control, views of priorities, groups, who may acknowledge what.
 * IHI 0048B, 3.8, 4.3, 4.4.
 */
#include "states.h"

#define GICD UINT64_C(0x08000000)
#define GICC UINT64_C(0x08010000)
enum { CTLR = 0, TYPER = 4, IGROUPR = 0x80, ISENABLER = 0x100, ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280,
    ISACTIVER = 0x300, ICACTIVER = 0x380, IPRIORITYR = 0x400, SGIR = 0xf00, CPENDSGIR = 0xf10,
    SPENDSGIR = 0xf20 };
enum { PMR = 4, BPR = 8, IAR = 12, EOIR = 16, RPR = 20, HPPIR = 24, ABPR = 28, AIAR = 32, AEOIR = 36, AHPPIR = 40 };
enum { SGI_0 = 1, SGI_1 = 2, SPI_0 = 40, SPI_1 = 41 };
enum { ENABLE_0 = 1, ENABLE_1 = 2, ACK_CTL = 4, FIQ_EN = 8, CBPR = 16 };

CODE(nothing, "isb\n nop\n nop")

static uint64_t view(bool secure)
{
    return secure ? 0 : NS_VIEW;
}

static void both(const char *name, uint64_t at)
{
    print_hex(name, *word(at));
    print_hex("non-secure", *word(at | NS_VIEW));
    print("\n");
}

static void distributor(void)
{
    print_hex("states", *word(GICD + TYPER) >> 10 & 1);
    print("\n");
    *word(GICD + CTLR) = 3;
    both("control", GICD + CTLR);
    *word((GICD | NS_VIEW) + CTLR) = 0;
    both("control, written", GICD + CTLR);
    *word((GICD | NS_VIEW) + CTLR) = 3;
    both("control, written", GICD + CTLR);
    *word(GICD + IGROUPR + 4) = 1u << SPI_1 % 32;
    *word((GICD | NS_VIEW) + IGROUPR + 4) = ~0u;
    both("groups", GICD + IGROUPR + 4);
    *word((GICD | NS_VIEW) + ISENABLER + 4) = 3u << SPI_0 % 32;
    both("enabled by the other", GICD + ISENABLER + 4);
    *word(GICD + ISENABLER + 4) = 3u << SPI_0 % 32;
    *word((GICD | NS_VIEW) + ICENABLER + 4) = 3u << SPI_0 % 32;
    both("disabled by the other", GICD + ISENABLER + 4);
    *word((GICD | NS_VIEW) + ISPENDR + 4) = 3u << SPI_0 % 32;
    both("pending by the other", GICD + ISPENDR + 4);
    *word(GICD + ISPENDR + 4) = 3u << SPI_0 % 32;
    both("pending", GICD + ISPENDR + 4);
    *word(GICD + ICPENDR + 4) = 3u << SPI_0 % 32;
    for (unsigned id = SPI_0; id <= SPI_1; id++) {
        *byte(GICD + IPRIORITYR + id) = 0x98;
        print_hex("priority", *byte(GICD + IPRIORITYR + id));
        print_hex("seen", *byte((GICD | NS_VIEW) + IPRIORITYR + id));
        *byte((GICD | NS_VIEW) + IPRIORITYR + id) = 0x60;
        print_hex("written", *byte(GICD + IPRIORITYR + id));
        print("\n");
    }
}

static void show_interface(const char *what)
{
    static const struct { const char *name; unsigned at; } registers[] = {
        { "ctlr", 0 }, { "pmr", PMR }, { "bpr", BPR }, { "abpr", ABPR }, { "rpr", RPR },
    };

    print(what);
    print("\n");
    for (unsigned i = 0; i < 5; i++) {
        both(registers[i].name, GICC + registers[i].at);
    }
}

static void interface(void)
{
    *word(GICC + BPR) = 3;
    *word(GICC + ABPR) = 4;
    *word(GICC + CTLR) = 0x7ff & ~0x1e0;
    show_interface("written");
    *word((GICC | NS_VIEW) + CTLR) = 0x200;
    show_interface("written by the other");
    *word((GICC | NS_VIEW) + CTLR) = 1;
    *word(GICC + CTLR) = ENABLE_0 | ENABLE_1;
    *word(GICC + BPR) = 3;
    *word(GICC + ABPR) = 5;
    *word((GICC | NS_VIEW) + BPR) = 4;
    show_interface("points");
    *word(GICC + CTLR) = ENABLE_0 | ENABLE_1 | CBPR;
    show_interface("a common point");
    *word(GICC + CTLR) = ENABLE_0 | ENABLE_1;
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t masks[] = { 0x40, 0xa0, 0xf0, 0x80 };

        *word(GICC + PMR) = masks[i];
        *word((GICC | NS_VIEW) + PMR) = 0x60;
        both("mask", GICC + PMR);
    }
    *word(GICC + PMR) = 0xf8;
    *word(GICC + BPR) = 2;
    *word(GICC + ABPR) = 3;
}

static void ends(const char *what, unsigned id, uint64_t control, bool secure)
{
    uint64_t from = GICC | view(secure);
    uint32_t taken;

    *word(GICC + CTLR) = control;
    *byte(GICD + SPENDSGIR + id) = 1;
    print(what);
    print_hex("hppir", *word(from + HPPIR));
    taken = *word(from + IAR);
    print_hex("iar", taken);
    print_hex("rpr", *word(from + RPR));
    if (secure && taken == 1022) {
        print_hex("ahppir", *word(from + AHPPIR));
        taken = *word(from + AIAR);
        print_hex("aiar", taken);
        *word(from + AEOIR) = taken;
    } else {
        *word(from + EOIR) = taken;
    }
    print_hex("after", *word(GICC + RPR));
    print_hex("active", *word(GICD + ISACTIVER));
    print("\n");
    *word(GICD + CPENDSGIR) = ~0u;
    *word(GICD + ICACTIVER) = 0xffff;
}

static void arrives(const char *what, uint64_t control)
{
    print(what);
    print("\n");
    *word(GICC + CTLR) = control;
    set_scr(SCR_NS);
    RUN("  EL1", EL1 & ~0xc0, nothing, 0);
    set_scr(0);
    RUN("  secure EL1", EL1 & ~0xc0, nothing, 0);
    set_scr(SCR_NS | SCR_FIQ);
    RUN("  EL1, FIQ", EL1 & ~0xc0, nothing, 0);
    RUN("  EL2, FIQ", EL2 & ~0xc0, nothing, 0);
}

static void one(const char *what, unsigned id)
{
    print(what);
    print("\n");
    *byte(GICD + SPENDSGIR + id) = 1;
    arrives(" both IRQ", ENABLE_0 | ENABLE_1);
    arrives(" FIQEn", ENABLE_0 | ENABLE_1 | FIQ_EN);
    *word(GICD + CPENDSGIR) = ~0u;
    ends(" secure", id, ENABLE_0 | ENABLE_1, true);
    ends(" secure, AckCtl", id, ENABLE_0 | ENABLE_1 | ACK_CTL, true);
    ends(" non-secure", id, ENABLE_0 | ENABLE_1, false);
}

static void sending(void)
{
    *word(GICD + ICENABLER) = 0xffff;
    for (unsigned secure = 0; secure < 2; secure++) {
        for (unsigned group = 0; group < 2; group++) {
            *word((GICD | view(secure)) + SGIR) = 2u << 24 | group << 15 | SGI_0;
            *word((GICD | view(secure)) + SGIR) = 2u << 24 | group << 15 | SGI_1;
            print_hex("secure", secure);
            print_hex("group", group);
            print_hex("sent", *word(GICD + ISPENDR) & 0xff);
            print_hex("senders", *word(GICD + SPENDSGIR));
            print_hex("seen", *word((GICD | NS_VIEW) + SPENDSGIR));
            *word((GICD | NS_VIEW) + CPENDSGIR) = ~0u;
            print_hex("left", *word(GICD + SPENDSGIR));
            print("\n");
            *word(GICD + CPENDSGIR) = ~0u;
        }
    }
}

int main(void)
{
    write_sysreg(hcr_el2, BIT(31));
    see_both_states();
    distributor();
    interface();
    *word(GICD + IGROUPR) = 1u << SGI_1;
    *word(GICD + ISENABLER) = 0xffff;
    *byte(GICD + IPRIORITYR + SGI_0) = 0x40;
    *byte(GICD + IPRIORITYR + SGI_1) = 0xa0;
    one("group 0", SGI_0);
    one("group 1", SGI_1);
    sending();
    print("@end\n");
    return 0;
}
