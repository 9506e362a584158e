/*
 * GICv3's CPU interface by system registers, and the generic timer: what is acknowledged when, priorities and
 * preemption, both EOI modes, timer registers and their interrupts. IHI 0069 and DDI 0487, D11.
 */
#include "bare.h"

#define GICD(at) (*(volatile uint32_t *)(uintptr_t)(0x08000000 + (at)))
#define GICR(at) (*(volatile uint32_t *)(uintptr_t)(0x080a0000 + (at)))
#define SGI(at)  GICR(0x10000 + (at))
#define SGI_PRIORITY(n) (*(volatile uint8_t *)(uintptr_t)(0x080b0400 + (n)))

#define ICC_PMR   s3_0_c4_c6_0
#define ICC_IAR1  s3_0_c12_c12_0
#define ICC_EOIR1 s3_0_c12_c12_1
#define ICC_HPPIR1 s3_0_c12_c12_2
#define ICC_BPR1  s3_0_c12_c12_3
#define ICC_CTLR  s3_0_c12_c12_4
#define ICC_SRE   s3_0_c12_c12_5
#define ICC_IGRPEN1 s3_0_c12_c12_7
#define ICC_DIR   s3_0_c12_c11_1
#define ICC_RPR   s3_0_c12_c11_3
#define ICC_SGI1R s3_0_c12_c11_5
#define ICC_AP1R0 s3_0_c12_c9_0

/* read_sysreg() makes a string of its argument as it stands. */
#define get(name) read_sysreg_(name)
#define read_sysreg_(name) read_sysreg(name)
#define set(name, value) write_sysreg_(name, value)
#define write_sysreg_(name, value) write_sysreg(name, value)

enum { NOBODY = 1023, VIRTUAL_TIMER = 27, PHYSICAL_TIMER = 30 };

static volatile unsigned taken[1024];
static volatile bool nest;

static void send(unsigned sgi)
{
    set(ICC_SGI1R, (uint64_t)sgi << 24 | 1);
}

void interrupt(void)
{
    uint64_t id = get(ICC_IAR1);

    taken[id]++;
    print_hex(" taken", id);
    print_hex("running priority", get(ICC_RPR));
    if (id == VIRTUAL_TIMER) {
        write_sysreg(cntv_ctl_el0, 2);
    } else if (id == PHYSICAL_TIMER) {
        write_sysreg(cntp_ctl_el0, 2);
    } else if (id == 5 && nest) {
        nest = false;
        send(6); /* of a higher priority: preempts when interrupts are unmasked */
        send(7); /* of a lower one: waits */
        __asm__ volatile("msr daifclr, #2\n isb\n nop\n msr daifset, #2" ::: "memory");
    }
    print(" end\n");
    set(ICC_EOIR1, id);
}

static void set_up(void)
{
    GICD(0) = 0x10 | 2; /* affinity routing, group 1 */
    GICR(0x14) = 0;     /* wake up */
    while (GICR(0x14) & 4) {
    }
    SGI(0x80) = 0xffffffff; /* all in group 1 */
    SGI(0xd00) = 0;
    for (unsigned i = 0; i < 32; i++) {
        SGI_PRIORITY(i) = 0xa0;
    }
    SGI(0x100) = 0xffff;
    set(ICC_SRE, 7);
    set(ICC_PMR, 0xff);
    set(ICC_BPR1, 0);
    set(ICC_IGRPEN1, 1);
}

static void masked(void)
{
    print_hex("nothing pending", get(ICC_IAR1));
    send(3);
    print_hex("highest pending", get(ICC_HPPIR1));
    print_hex("pending bits", SGI(0x200));
    set(ICC_PMR, 0xa0);
    print_hex("at the mask", get(ICC_IAR1));
    set(ICC_PMR, 0xf0);
    print_hex("acknowledged", get(ICC_IAR1));
    print_hex("active bits", SGI(0x300));
    print_hex("running priority", get(ICC_RPR));
    print_hex("active priorities", get(ICC_AP1R0));
    send(4);
    print_hex("same priority", get(ICC_IAR1));
    set(ICC_EOIR1, 3);
    print_hex("after end", get(ICC_IAR1));
    set(ICC_EOIR1, 4);
    print_hex("idle priority", get(ICC_RPR));
    print_hex("all", SGI(0x200) | SGI(0x300));
    print("\n");
}

static void split_end(void)
{
    set(ICC_CTLR, 2); /* EOImode: drop and deactivation apart */
    send(2);
    print_hex("split: acknowledged", get(ICC_IAR1));
    set(ICC_EOIR1, 2);
    print_hex("dropped", get(ICC_RPR));
    print_hex("still active", SGI(0x300));
    send(2);
    print_hex("active and pending", get(ICC_IAR1));
    set(ICC_DIR, 2);
    print_hex("deactivated", get(ICC_IAR1));
    set(ICC_EOIR1, 2);
    set(ICC_DIR, 2);
    set(ICC_CTLR, 0);
    print_hex("all", SGI(0x200) | SGI(0x300));
    print("\n");
}

static void unmasked(void)
{
    SGI_PRIORITY(5) = 0x80;
    SGI_PRIORITY(6) = 0x40;
    SGI_PRIORITY(7) = 0xc0;
    nest = true;
    print("unmasked\n");
    send(5);
    __asm__ volatile("msr daifclr, #2\n isb\n nop\n msr daifset, #2" ::: "memory");
    print_hex("5", taken[5]);
    print_hex("6", taken[6]);
    print_hex("7", taken[7]);
    print("\n");
}

static void disabled(void)
{
    SGI(0x180) = 1 << 8;
    send(8);
    print_hex("disabled", get(ICC_IAR1));
    SGI(0x100) = 1 << 8;
    print_hex("enabled", get(ICC_IAR1));
    set(ICC_EOIR1, 8);
    send(9);
    SGI(0x280) = 1 << 9;
    print_hex("made not pending", get(ICC_IAR1));
    SGI(0x200) = 1 << 9;
    print_hex("made pending", get(ICC_IAR1));
    set(ICC_EOIR1, 9);
    set(ICC_IGRPEN1, 0);
    send(10);
    print_hex("group off", get(ICC_IAR1));
    set(ICC_IGRPEN1, 1);
    print_hex("group on", get(ICC_IAR1));
    set(ICC_EOIR1, 10);
    print("\n");
}

/* TVAL is CVAL less the count, 32 bits signed; ISTATUS follows whether the interrupt is masked or not. */
static void timer(void)
{
    uint64_t now = read_sysreg(cntvct_el0);

    write_sysreg(cntv_cval_el0, now - 1);
    write_sysreg(cntv_ctl_el0, 3);
    print_hex("due, masked", read_sysreg(cntv_ctl_el0));
    write_sysreg(cntv_ctl_el0, 2);
    print_hex("off", read_sysreg(cntv_ctl_el0) & 3);
    write_sysreg(cntv_tval_el0, 0x7fffffff);
    print_hex("tval high", read_sysreg(cntv_tval_el0) >> 28);
    print_hex("cval is ahead", read_sysreg(cntv_cval_el0) - read_sysreg(cntvct_el0) > 0x70000000);
    write_sysreg(cntv_tval_el0, 0xffffffff);
    write_sysreg(cntv_ctl_el0, 3);
    print_hex("negative tval is due", read_sysreg(cntv_ctl_el0));
    SGI(0x100) = UINT32_C(1) << VIRTUAL_TIMER | UINT32_C(1) << PHYSICAL_TIMER;
    print_hex("masked", get(ICC_IAR1));
    write_sysreg(cntv_ctl_el0, 1);
    print_hex("pending", SGI(0x200));
    write_sysreg(cntv_ctl_el0, 3);
    print_hex("level gone", SGI(0x200));
    print("\n");
    write_sysreg(cntv_tval_el0, read_sysreg(cntfrq_el0) / 100);
    write_sysreg(cntv_ctl_el0, 1);
    __asm__ volatile("msr daifclr, #2" ::: "memory");
    while (!taken[VIRTUAL_TIMER]) {
        __asm__ volatile("wfi" ::: "memory");
    }
    write_sysreg(cntp_cval_el0, read_sysreg(cntpct_el0) + read_sysreg(cntfrq_el0) / 100);
    write_sysreg(cntp_ctl_el0, 1);
    while (!taken[PHYSICAL_TIMER]) {
        __asm__ volatile("wfi" ::: "memory");
    }
    __asm__ volatile("msr daifset, #2" ::: "memory");
    print_hex("virtual", taken[VIRTUAL_TIMER]);
    print_hex("physical", taken[PHYSICAL_TIMER]);
    print_hex("pending", SGI(0x200));
    print_hex("spurious", taken[NOBODY]);
    print("\n");
}

int main(void)
{
    set_up();
    masked();
    split_end();
    unmasked();
    disabled();
    timer();
    return 0;
}
