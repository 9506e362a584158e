/*
 * Memory types by both stages, without HCR_EL2.FWB and with it (FEAT_S2FWB): what is a device's memory takes no unaligned
 * access. DDI 0487, D8.5.5.
 */
#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
#define HCR_RW BIT(31)
#define FWB BIT(46)
enum { BLOCK = 1, AF = 1 << 10, SHARED = 3 << 8, S2_RW = 3 << 6 };

CODE(unaligned, "ldr w1, [x0, #1]")

static uint64_t first[512] __attribute__((aligned(4096)));
static uint64_t second[512] __attribute__((aligned(4096)));

static void flush(void)
{
    __asm__ volatile("dsb ish\n tlbi alle1\n dsb ish\n isb" ::: "memory");
}

int main(void)
{
    write_sysreg(hcr_el2, HCR_RW | FWB);
    print_hex("fwb", read_sysreg(hcr_el2) >> 46 & 1);
    print_hex("id", read_sysreg(s3_0_c0_c7_2) >> 40 & 15);
    print("\n--\n");
    first[1] = 0x40000000 | BLOCK | AF | SHARED | 1 << 2;                    /* the program: normal */
    first[2] = 0x80000000 | BLOCK | AF | SHARED | 1 << 2 | UINT64_C(3) << 53; /* normal */
    first[3] = 0x80000000 | BLOCK | AF | SHARED | UINT64_C(3) << 53;          /* a device's */
    second[1] = 0x40000000 | BLOCK | AF | SHARED | S2_RW | 15 << 2;
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | UINT64_C(2) << 32);
    write_sysreg(ttbr0_el1, (uint64_t)first);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1);
    write_sysreg(vtcr_el2, 25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16);
    write_sysreg(vttbr_el2, (uint64_t)second);
    for (unsigned fwb = 0; fwb < 2; fwb++) {
        write_sysreg(hcr_el2, HCR_RW | 1 | (fwb ? FWB : 0));
        second[1] = 0x40000000 | BLOCK | AF | SHARED | S2_RW | (fwb ? 6 : 15) << 2;
        for (unsigned type = 0; type < 16; type++) {
            second[2] = 0x40000000 | BLOCK | AF | SHARED | S2_RW | type << 2;
            flush();
            print_hex("fwb", fwb);
            print_hex("type", type);
            print("\n");
            RUN(" normal", EL1, unaligned, 0x80100000);
            RUN(" device", EL1, unaligned, 0xc0100000);
        }
    }
    print("@end\n");
    return 0;
}
