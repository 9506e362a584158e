/*
 * Interrupts and EL2: where physical ones go, virtual ones by HCR_EL2 and by list registers, the guest's CPU
 * interface, maintenance, the hypervisor's timers. DDI 0487, D1.3.5, D11; IHI 0069, 6.
 */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
#define HCR_RW BIT(31)
enum { FMO = 1 << 3, IMO = 1 << 4, AMO = 1 << 5, VF = 1 << 6, VI = 1 << 7, VSE = 1 << 8, TGE = 1 << 27 };
enum { IRQS = EL1 & ~0x80, FIQS = EL1 & ~0x40, SERRORS = EL1 & ~0x100, IRQS_EL0 = EL0 & ~0x80 };

#define GICD(at) (*(volatile uint32_t *)(uintptr_t)(0x08000000 + (at)))
#define SGI(at)  (*(volatile uint32_t *)(uintptr_t)(0x080b0000 + (at)))
#define PRIORITY(n) (*(volatile uint8_t *)(uintptr_t)(0x080b0400 + (n)))

#define ICC_PMR s3_0_c4_c6_0
#define ICC_IAR1 s3_0_c12_c12_0
#define ICC_EOIR1 s3_0_c12_c12_1
#define ICC_HPPIR1 s3_0_c12_c12_2
#define ICC_BPR1 s3_0_c12_c12_3
#define ICC_CTLR s3_0_c12_c12_4
#define ICC_SRE s3_0_c12_c12_5
#define ICC_IGRPEN0 s3_0_c12_c12_6
#define ICC_IGRPEN1 s3_0_c12_c12_7
#define ICC_DIR s3_0_c12_c11_1
#define ICC_RPR s3_0_c12_c11_3
#define ICC_SGI1R s3_0_c12_c11_5
#define ICC_IAR0 s3_0_c12_c8_0
#define ICC_EOIR0 s3_0_c12_c8_1
#define ICC_SRE_EL2 s3_4_c12_c9_5
#define ICH_AP1R0 s3_4_c12_c9_0
#define ICH_HCR s3_4_c12_c11_0
#define ICH_VTR s3_4_c12_c11_1
#define ICH_MISR s3_4_c12_c11_2
#define ICH_EISR s3_4_c12_c11_3
#define ICH_ELRSR s3_4_c12_c11_5
#define ICH_VMCR s3_4_c12_c11_7
#define ICH_LR0 s3_4_c12_c12_0
#define ICH_LR1 s3_4_c12_c12_1
#define ICH_LR2 s3_4_c12_c12_2
#define get_(name) read_sysreg(name)
#define get(name) get_(name)
#define set_(name, value) write_sysreg(name, value)
#define set(name, value) set_(name, value)

#define PENDING BIT(62)
#define ACTIVE BIT(63)
#define HW BIT(61)
#define GROUP_1 BIT(60)
#define WANTS_EOI BIT(41)
#define PRI(n) ((uint64_t)(n) << 48)

static uint64_t got[8];

CODE(nothing, "isb\n nop\n nop")
CODE(read_isr, "mrs x1, isr_el1\n str x1, [x0]")

static void acknowledge(uint64_t argument)
{
    got[0] = get(ICC_HPPIR1);
    got[1] = get(ICC_IAR1);
    got[2] = get(ICC_RPR);
}

static void acknowledge_0(uint64_t argument)
{
    got[1] = get(ICC_IAR0);
    set(ICC_EOIR0, got[1]);
}

static void end(uint64_t id)
{
    set(ICC_EOIR1, id);
}

static void deactivate(uint64_t id)
{
    set(ICC_DIR, id);
}

static void control(uint64_t argument)
{
    got[0] = get(ICC_SRE) & 1;
    got[1] = get(ICC_CTLR) & 0x703;
    got[2] = get(ICC_PMR);
    got[3] = get(ICC_BPR1);
    got[4] = get(ICC_IGRPEN1);
    got[5] = get(ICC_IGRPEN0);
}

static void set_control(uint64_t argument)
{
    set(ICC_PMR, 0xf8);
    set(ICC_BPR1, 4);
    set(ICC_IGRPEN1, 1);
    set(ICC_CTLR, argument);
}

static void send(uint64_t argument)
{
    set(ICC_SGI1R, 5 << 24 | 1);
}

static void guest(const char *what, void (*code)(uint64_t), uint64_t argument, unsigned count)
{
    run_at(EL1, code, argument);
    print(what);
    for (unsigned i = 0; i < count; i++) {
        print_hex("", got[i]);
    }
    print("\n");
}

static void lists(const char *what)
{
    print(what);
    print_hex("lr0", get(ICH_LR0));
    print_hex("lr1", get(ICH_LR1));
    print_hex("misr", get(ICH_MISR));
    print_hex("eisr", get(ICH_EISR));
    print_hex("elrsr", get(ICH_ELRSR));
    print_hex("ap1r0", get(ICH_AP1R0));
    print("\n");
}

static void isr(const char *what, uint64_t spsr)
{
    uint64_t value = 0;

    run_at(spsr, read_isr, (uint64_t)&value);
    print(what);
    print_hex("isr", value);
    print_hex("at EL2", read_sysreg(isr_el1));
    print("\n");
}

/* ---- physical and virtual, by HCR_EL2 ---- */

static void physical(void)
{
    print("a physical IRQ\n");
    set(ICC_SGI1R, 3 << 24 | 1);
    __asm__ volatile("dsb sy\n isb");
    for (unsigned i = 0; i < 4; i++) {
        static const uint64_t hcr[] = { 0, IMO, TGE, FMO };

        write_sysreg(hcr_el2, HCR_RW | hcr[i]);
        print_hex("HCR_EL2", hcr[i]);
        print("\n");
        if (i != 2) {
            RUN("EL1, masked", EL1, nothing, 0);
            RUN("EL1", IRQS, nothing, 0);
        }
        RUN("EL0, masked", EL0, nothing, 0);
        RUN("EL0", IRQS_EL0, nothing, 0);
        if (i != 2) {
            isr("EL1", EL1);
        }
    }
    write_sysreg(hcr_el2, HCR_RW | IMO);
    SHOW("EL2, unmasked", __asm__ volatile("msr daifclr, #2\n isb\n nop\n msr daifset, #2" ::: "memory"));
    write_sysreg(hcr_el2, HCR_RW);
    print_hex("acknowledged", get(ICC_IAR1));
    set(ICC_EOIR1, 3);
    print("\n");
}

static void by_hcr(void)
{
    print("virtual ones by HCR_EL2\n");
    for (unsigned i = 0; i < 6; i++) {
        static const uint64_t hcr[] = { VI | IMO, VI, VF | FMO, VSE | AMO, VI | IMO | TGE, VI | VF | IMO | FMO };

        write_sysreg(hcr_el2, HCR_RW | hcr[i]);
        print_hex("HCR_EL2", hcr[i]);
        print("\n");
        if (hcr[i] & TGE) {
            RUN("EL0", IRQS_EL0, nothing, 0);
            continue;
        }
        RUN("EL1, masked", EL1, nothing, 0);
        isr("EL1", EL1);
        RUN("EL1, no A", SERRORS, nothing, 0);
        print_hex("VSE", read_sysreg(hcr_el2) >> 8 & 1);
        print("\n");
        RUN("EL1, no F", FIQS, nothing, 0);
        RUN("EL1, no I", IRQS, nothing, 0);
        RUN("EL0, no I", IRQS_EL0, nothing, 0);
    }
    write_sysreg(hcr_el2, HCR_RW);
}

/* ---- list registers ---- */

static void by_lists(void)
{
    print("list registers\n");
    print_hex("bits", get(ICH_VTR) >> 26 & 63);
    print_hex("registers", (get(ICH_VTR) & 31) + 1);
    print("\n");
    write_sysreg(hcr_el2, HCR_RW | IMO | FMO);
    guest("control", control, 0, 6);
    guest("set", set_control, 0, 0);
    guest("control", control, 0, 6);
    print_hex("vmcr", get(ICH_VMCR) & ~BIT(3));
    print("\n");
    set(ICH_LR0, PENDING | GROUP_1 | PRI(0x80) | 40);
    RUN("not enabled", IRQS, nothing, 0);
    set(ICH_HCR, 1);
    RUN("enabled", IRQS, nothing, 0);
    RUN("masked", EL1, nothing, 0);
    isr("EL1", EL1);
    guest("acknowledge", acknowledge, 0, 3);
    lists("after it");
    RUN("active", IRQS, nothing, 0);
    set(ICH_LR1, PENDING | GROUP_1 | PRI(0x88) | 41);
    RUN("a lower one", IRQS, nothing, 0);
    set(ICH_LR1, PENDING | GROUP_1 | PRI(0x40) | 42);
    RUN("a higher one", IRQS, nothing, 0);
    guest("acknowledge", acknowledge, 0, 3);
    lists("both active");
    guest("end", end, 42, 0);
    lists("one ended");
    guest("end", end, 40, 0);
    lists("both ended");

    set(ICH_LR0, PENDING | GROUP_1 | PRI(0x80) | WANTS_EOI | 43);
    guest("acknowledge", acknowledge, 0, 3);
    guest("end", end, 43, 0);
    lists("with maintenance");
    set(ICH_LR0, 0);
    guest("end of one that is in no list", acknowledge, 0, 2);
    set(ICH_AP1R0, 1 << 16);
    guest("end", end, 50, 0);
    print_hex("EOIcount", get(ICH_HCR) >> 27);
    print("\n");
    set(ICH_HCR, 1);

    set(ICH_LR0, PENDING | PRI(0x80) | 44);
    RUN("group 0, not enabled", FIQS, nothing, 0);
    set(ICH_VMCR, get(ICH_VMCR) | 1);
    RUN("group 0", FIQS, nothing, 0);
    guest("acknowledge in group 1", acknowledge, 0, 2);
    guest("acknowledge in group 0", acknowledge_0, 0, 2);
    lists("ended");

    guest("EOI mode", set_control, 2, 0);
    set(ICH_LR0, PENDING | GROUP_1 | PRI(0x80) | 45);
    guest("acknowledge", acknowledge, 0, 3);
    guest("end", end, 45, 0);
    lists("ended");
    guest("deactivate", deactivate, 45, 0);
    lists("deactivated");
    guest("no EOI mode", set_control, 0, 0);
}

/* A physical interrupt that ends with the virtual one. */
static void by_hardware(void)
{
    print("a physical interrupt behind it\n");
    write_sysreg(hcr_el2, HCR_RW);
    set(ICC_CTLR, 2); /* the hypervisor only drops its priority */
    set(ICC_SGI1R, 6 << 24 | 1);
    __asm__ volatile("dsb sy\n isb");
    print_hex("acknowledged", get(ICC_IAR1));
    set(ICC_EOIR1, 6);
    print_hex("active", SGI(0x300) >> 6 & 1);
    write_sysreg(hcr_el2, HCR_RW | IMO | FMO);
    set(ICH_LR0, PENDING | HW | GROUP_1 | PRI(0x80) | UINT64_C(6) << 32 | 70);
    print("\n");
    guest("acknowledge", acknowledge, 0, 3);
    print_hex("active", SGI(0x300) >> 6 & 1);
    guest("end", end, 70, 0);
    print_hex("active", SGI(0x300) >> 6 & 1);
    print("\n");
    set(ICC_CTLR, 0);
    lists("ended");
}

static void maintenance(void)
{
    static const struct { const char *name; uint64_t bit; } cases[] = {
        { "U", 2 }, { "NP", 8 }, { "VGrp0E", 16 }, { "VGrp0D", 32 }, { "VGrp1E", 64 }, { "VGrp1D", 128 },
    };

    print("maintenance\n");
    SGI(0x100) = 1 << 25;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        set(ICH_LR0, 0);
        set(ICH_LR1, 0);
        set(ICH_HCR, 1 | cases[i].bit);
        print(cases[i].name);
        print_hex("misr", get(ICH_MISR));
        print_hex("line", SGI(0x200) >> 25 & 1);
        RUN("", IRQS, nothing, 0);
        set(ICH_HCR, 0);
    }
    set(ICH_HCR, 1 | 2);
    write_sysreg(hcr_el2, HCR_RW);
    print_hex("acknowledged", get(ICC_IAR1));
    set(ICH_HCR, 0);
    set(ICC_EOIR1, 25);
    print("\n");
}

static void traps(void)
{
    print("traps\n");
    write_sysreg(hcr_el2, HCR_RW | IMO);
    RUN("an SGI, IMO", EL1, send, 0);
    write_sysreg(hcr_el2, HCR_RW | IMO | FMO);
    for (unsigned bit = 10; bit < 15; bit++) {
        if (bit != 13) {
            set(ICH_HCR, 1 | 1u << bit);
            print_hex("ICH_HCR_EL2 bit", bit);
            print("\n");
            RUN("iar1", EL1, acknowledge, 0);
            RUN("iar0", EL1, acknowledge_0, 0);
            RUN("dir", EL1, deactivate, 0);
            RUN("pmr", EL1, set_control, 0);
        }
    }
    set(ICH_HCR, 0);
    write_sysreg(hcr_el2, HCR_RW);
}

/* ---- timers ---- */

static void timers(void)
{
    print("the hypervisor's timer\n");
    SGI(0x100) = 1 << 26;
    write_sysreg(cnthp_cval_el2, 0);
    write_sysreg(cnthp_ctl_el2, 1);
    print_hex("ctl", read_sysreg(cnthp_ctl_el2));
    print_hex("pending", SGI(0x200) >> 26 & 1);
    write_sysreg(hcr_el2, HCR_RW | IMO);
    RUN("", EL1, nothing, 0);
    write_sysreg(hcr_el2, HCR_RW);
    print_hex("acknowledged", get(ICC_IAR1));
    write_sysreg(cnthp_ctl_el2, 0);
    set(ICC_EOIR1, 26);
    write_sysreg(cnthp_tval_el2, 1 << 30);
    write_sysreg(cnthp_ctl_el2, 1);
    print_hex("ctl", read_sysreg(cnthp_ctl_el2));
    write_sysreg(cnthp_ctl_el2, 0);
    print("\n");
}

int main(void)
{
    set(ICC_SRE_EL2, get(ICC_SRE_EL2) | 9);
    set(ICC_SRE, 7);
    GICD(0) = 0x12;
    *(volatile uint32_t *)0x080a0014 = 0;
    SGI(0x080) = ~0u;
    for (unsigned i = 0; i < 32; i++) {
        PRIORITY(i) = 0x80;
    }
    SGI(0x100) = 0xffff;
    set(ICC_PMR, 0xf8);
    set(ICC_IGRPEN1, 1);
    physical();
    by_hcr();
    by_lists();
    by_hardware();
    maintenance();
    traps();
    timers();
    return 0;
}

void interrupt(void)
{
}
