/*
 * What a change of address space costs: TTBR0 with another table and ASID, then a load from each of N pages, as in
 * tests/bench. One line each, as lbench has them: B NAME ns ns operations sum.
 */
#include "bare.h"

enum {
    BLOCK = 1, DEVICE = 0 << 2, NORMAL = 1 << 2, INNER = 3 << 8, ACCESSED = 1 << 10, NOT_GLOBAL = 1 << 11,
    PAGE = 4096, LEAST_NS = 100000000,
};
/* 39 bits of address by TTBR0, cached, 16-bit ASIDs in TTBR0; nothing by TTBR1. */
#define TCR (UINT64_C(25) | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | UINT64_C(2) << 32 | UINT64_C(1) << 36)

static uint64_t tables[2][512] __attribute__((aligned(4096)));

static void set_up(void)
{
    for (unsigned n = 0; n < 2; n++) {
        tables[n][0] = BLOCK | DEVICE | INNER | ACCESSED;
        tables[n][1] = UINT64_C(0x40000000) | BLOCK | NORMAL | INNER | ACCESSED | NOT_GLOBAL;
    }
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, TCR);
    write_sysreg(ttbr0_el1, (uint64_t)tables[0]);
    __asm__ volatile("dsb ish\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1 | 1 << 2 | 1 << 12);
}

static uint64_t touch(unsigned pages)
{
    const volatile uint8_t *at = (const volatile uint8_t *)0x42000000;
    uint64_t sum = 0;

    for (unsigned n = 0; n < pages; n++) {
        sum += at[n * PAGE];
    }
    return sum;
}

static uint64_t switch_and_touch(uint64_t times, unsigned pages)
{
    uint64_t sum = 0;

    for (uint64_t n = 0; n < times; n++) {
        write_sysreg(ttbr0_el1, (uint64_t)tables[n & 1] | (1 + (n & 1)) << 48);
        sum += touch(pages) + 1;
    }
    return sum;
}

static uint64_t now_ns(void)
{
    __asm__ volatile("isb");
    return read_sysreg(cntvct_el0) * 1000 / (read_sysreg(cntfrq_el0) / 1000000);
}

static void print_decimal(uint64_t value)
{
    char digits[21] = { 0 };
    unsigned first = 20;

    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    print(" ");
    print(digits + first);
}

static void measure(const char *name, unsigned pages)
{
    uint64_t times = 1000, took = 0;

    while (took < LEAST_NS) {
        uint64_t began = now_ns();

        times *= 2;
        switch_and_touch(times, pages);
        took = now_ns() - began;
    }
    print("B ");
    print(name);
    print_decimal(took / times);
    print_decimal(took / times);
    print_decimal(times);
    print_decimal(switch_and_touch(4, pages));
    print("\n");
}

void interrupt(void)
{
}

int main(void)
{
    set_up();
    measure("switch", 0);
    measure("switch32", 32);
    print("@done\n");
    return 0;
}
