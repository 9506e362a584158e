#include "paging.h"

static uint64_t low[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t pages[512] __attribute__((aligned(4096)));

static void flush(void)
{
    __asm__ volatile("dsb ish\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
}

void page_map(unsigned page, uint64_t entry)
{
    pages[page] = entry;
    flush();
}

void paging_begin(void)
{
    enum { BLOCK = 1, TABLE = 3, ATTRIBUTES = 0x700, NORMAL = 1 << 2, TCR = 25 | 1 << 8 | 1 << 10 | 3 << 12 };

    low[0] = BLOCK | ATTRIBUTES | UINT64_C(3) << 53;
    low[1] = UINT64_C(0x40000000) | BLOCK | ATTRIBUTES | NORMAL;
    low[2] = (uint64_t)middle | TABLE;
    middle[0] = (uint64_t)pages | TABLE;
    write_sysreg(mair_el1, 0x440cff00);
    write_sysreg(tcr_el1, TCR | UINT64_C(2) << 32 | 1 << 23);
    write_sysreg(ttbr0_el1, (uint64_t)low);
    flush();
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1 | 1 << 2 | 1 << 12);
}
