/*
 * GICv2's virtual interface: GICH's list registers, what a guest finds in GICV, the end of a physical interrupt with
 * a virtual one, maintenance. IHI 0048B, 5.
 */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
#define HCR_RW BIT(31)
enum { FMO = 1 << 3, IMO = 1 << 4 };
enum { IRQS = EL1 & ~0x80, FIQS = EL1 & ~0x40 };

#define AT(base, offset) (*(volatile uint32_t *)(uintptr_t)((base) + (offset)))
#define GICD(offset) AT(0x08000000, offset)
#define GICC(offset) AT(0x08010000, offset)
#define GICH(offset) AT(0x08030000, offset)
#define GICV(offset) AT(0x08040000, offset)
#define PRIORITY(id) (*(volatile uint8_t *)(uintptr_t)(0x08000400 + (id)))

enum { HCR = 0, VTR = 4, VMCR = 8, MISR = 0x10, EISR = 0x20, ELRSR = 0x30, APR = 0xf0, LR = 0x100 };
enum { CTLR = 0, PMR = 4, BPR = 8, IAR = 12, EOIR = 16, RPR = 20, HPPIR = 24, ABPR = 28, AIAR = 32, AEOIR = 36,
    AHPPIR = 40, DIR = 0x1000 };
#define PENDING (1u << 28)
#define HW (1u << 31)
#define GROUP_1 (1u << 30)
#define WANTS_EOI (1u << 19)
#define PRI(n) ((uint32_t)(n) >> 3 << 23)
#define PHYSICAL(id) ((uint32_t)(id) << 10)

enum { MAINTENANCE = 25, TIMER = 30 };

CODE(nothing, "isb\n nop\n nop")

static uint32_t got[6];

static void acknowledge(uint64_t unused)
{
    got[0] = GICV(HPPIR);
    got[1] = GICV(IAR);
    got[2] = GICV(RPR);
    GICV(EOIR) = got[1];
    got[3] = GICV(RPR);
}

static void acknowledge_aliased(uint64_t unused)
{
    got[0] = GICV(AHPPIR);
    got[1] = GICV(AIAR);
    got[2] = GICV(RPR);
    GICV(AEOIR) = got[1];
    got[3] = GICV(RPR);
}

static void show_state(const char *what)
{
    print(what);
    print_hex("lr0", GICH(LR));
    print_hex("lr1", GICH(LR + 4));
    print_hex("hcr", GICH(HCR));
    print_hex("misr", GICH(MISR));
    print_hex("eisr", GICH(EISR));
    print_hex("elrsr", GICH(ELRSR) & 15);
    print_hex("apr", GICH(APR));
    print("\n");
}

static void take(const char *what, void (*code)(uint64_t))
{
    run_at(EL1, code, 0);
    print(what);
    print_hex("hppir", got[0]);
    print_hex("iar", got[1]);
    print_hex("rpr", got[2]);
    print_hex("after", got[3]);
    print("\n");
    show_state(" ");
}

static void registers(void)
{
    print_hex("vtr, priorities", GICH(VTR) >> 26);
    print_hex("list registers", (GICH(VTR) & 63) + 1);
    print("\n");
    GICH(VMCR) = ~0u;
    print_hex("vmcr", GICH(VMCR));
    print_hex("ctlr", GICV(CTLR));
    print_hex("pmr", GICV(PMR));
    print_hex("bpr", GICV(BPR));
    print_hex("abpr", GICV(ABPR));
    print("\n");
    GICH(VMCR) = 0;
    print_hex("vmcr", GICH(VMCR));
    print_hex("ctlr", GICV(CTLR));
    print_hex("pmr", GICV(PMR));
    print_hex("bpr", GICV(BPR));
    print_hex("abpr", GICV(ABPR));
    print("\n");
    GICV(CTLR) = 0x207;
    GICV(PMR) = 0xff;
    GICV(BPR) = 4;
    GICV(ABPR) = 5;
    print_hex("vmcr", GICH(VMCR));
    print("\n");
    GICV(CTLR) = 3;
    GICV(BPR) = 0;
    GICV(ABPR) = 0;
    GICH(LR) = ~0u & ~(3u << 20);
    print_hex("lr0", GICH(LR));
    GICH(LR) = 0;
    print("\n");
}

static void entries(void)
{
    GICH(HCR) = 1;
    GICH(LR) = PENDING | PRI(0x40) | 3 << 10 | 5; /* SGI 5 of CPU 3 */
    show_state("an SGI");
    RUN("taken", IRQS, nothing, 0);
    write_sysreg(hcr_el2, HCR_RW | IMO | FMO);
    RUN("taken, IMO", IRQS, nothing, 0);
    RUN("masked", EL1, nothing, 0);
    take("end", acknowledge);
    GICV(CTLR) = 3 | 8;
    GICH(LR) = PENDING | PRI(0x40) | 40;
    RUN("FIQEn", FIQS, nothing, 0);
    GICH(LR + 4) = PENDING | GROUP_1 | PRI(0x80) | WANTS_EOI | 41;
    take("the first", acknowledge);
    RUN("group 1", IRQS, nothing, 0);
    take("not by this name", acknowledge);
    take("by its alias", acknowledge_aliased);
    GICH(LR + 4) = 0;
    GICV(CTLR) = 3 | 4;
    GICH(LR + 4) = PENDING | GROUP_1 | PRI(0x80) | 41;
    take("AckCtl", acknowledge);
    GICV(CTLR) = 3;
    GICH(LR) = PENDING | PRI(0xf8) | 42;
    take("below the mask", acknowledge);
    GICV(PMR) = 0xf8;
    take("at the mask", acknowledge);
    GICH(LR) = 0;
}

/* The timer's interrupt is the guest's: its end ends the physical one. */
static void physical(void)
{
    uint32_t id;

    GICD(CTLR) = 1;
    GICC(CTLR) = 1 | 0x200; /* the hypervisor drops, the guest deactivates */
    GICC(PMR) = 0xf8;
    PRIORITY(TIMER) = 0x80;
    GICD(0x100) = 1u << TIMER;
    write_sysreg(cntp_cval_el0, 0);
    write_sysreg(cntp_ctl_el0, 1);
    id = GICC(IAR);
    GICC(EOIR) = id;
    print_hex("timer", id);
    print_hex("active", GICD(0x300) >> TIMER & 1);
    write_sysreg(cntp_ctl_el0, 0);
    GICH(LR) = PENDING | HW | PRI(0x80) | PHYSICAL(TIMER) | 27;
    print("\n");
    take("hardware", acknowledge);
    print_hex("active", GICD(0x300) >> TIMER & 1);
    print("\n");
}

static void maintenance_of(const char *what, uint32_t control)
{
    GICH(HCR) = control;
    print(what);
    print_hex("misr", GICH(MISR));
    print_hex("pending", GICD(0x200) >> MAINTENANCE & 1);
    print("\n");
}

static void maintenance(void)
{
    GICH(LR) = GICH(LR + 4) = 0;
    maintenance_of("nothing", 1);
    maintenance_of("underflow", 1 | 2);
    maintenance_of("none pending", 1 | 8);
    maintenance_of("off", 2 | 8);
    GICV(CTLR) = 1;
    maintenance_of("groups", 1 | 0xf0);
    GICV(CTLR) = 3;
    GICH(LR) = PENDING | PRI(0x40) | WANTS_EOI | 50;
    take("end with EOI", acknowledge);
    maintenance_of("end", 1);
    GICH(LR) = 0;
    GICH(APR) = 1u << 8;
    GICV(EOIR) = 60;
    show_state("of no list register");
    maintenance_of("count", 1 | 4 | 1u << 27);
    RUN("the hypervisor hears of it", EL1, nothing, 0);
    GICH(HCR) = 0;
}

int main(void)
{
    write_sysreg(hcr_el2, HCR_RW);
    registers();
    entries();
    physical();
    maintenance();
    print("@end\n");
    return 0;
}
