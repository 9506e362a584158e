/* The two security states' address spaces side by side, as EL3 can have them: NS in the descriptor. DDI 0487, D8.3. */
#ifndef STATES_H
#define STATES_H

#include "bare-el.h"

#define BIT(n) (UINT64_C(1) << (n))
#define NS_VIEW BIT(31) /* added to an address below 1 GiB: as the non-secure state sees it */

enum { SECURE_FLASH = 0, SECURE_RAM = 0x0e000000, SECURE_UART = 0x09040000 };
enum { SCR_NS = 1, SCR_IRQ = 2, SCR_FIQ = 4, SCR_EA = 8, SCR_SIF = 1 << 9, SCR_PLAIN = 1 << 10 | 1 << 8 | 0x30 };

static inline void set_scr(uint64_t bits)
{
    write_sysreg(scr_el3, SCR_PLAIN | bits);
}

/* Turns EL3's MMU on: devices and RAM where they are, and devices at NS_VIEW. */
static inline void see_both_states(void)
{
    static uint64_t table[512] __attribute__((aligned(4096)));
    enum { BLOCK = 1, AF = 1 << 10, SHARED = 3 << 8, NORMAL = 1 << 2, NS = 1 << 5, READ_WRITE = 1 << 6 };
    enum { TCR = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1 << 31 | 1 << 23 };

    table[0] = BLOCK | AF | SHARED | READ_WRITE;
    table[1] = 0x40000000 | BLOCK | AF | SHARED | READ_WRITE | NORMAL;
    table[2] = BLOCK | AF | SHARED | READ_WRITE | NS;
    write_sysreg(mair_el3, 0xff00);
    write_sysreg(tcr_el3, (uint32_t)TCR);
    write_sysreg(ttbr0_el3, (uint64_t)table);
    __asm__ volatile("dsb ish\n tlbi alle3\n dsb ish\n isb" ::: "memory");
    write_sysreg(sctlr_el3, read_sysreg(sctlr_el3) | 1);
}

static inline volatile uint32_t *word(uint64_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

static inline volatile uint8_t *byte(uint64_t address)
{
    return (volatile uint8_t *)(uintptr_t)address;
}

#endif
