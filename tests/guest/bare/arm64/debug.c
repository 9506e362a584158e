/* Self-hosted debug: breakpoints, watchpoints, software step. DDI 0487, chapter D2. */
#include "bare.h"

enum { MDSCR_SS = 1 << 0, MDSCR_KDE = 1 << 13, MDSCR_MDE = 1 << 15 };
enum { ENABLE = 1, FOR_EL1 = 1 << 1, FOR_EL0 = 2 << 1, LOADS = 1 << 3, STORES = 2 << 3 };
enum { ALL_BYTES = 0xff << 5, BYTE_4 = 0x10 << 5, INSTRUCTION = 0xf << 5 };
enum { SPSR_EL0 = 0x3c0, SPSR_SS = 1 << 21 };

void some_code(uint64_t argument);
__asm__(".text\n some_code: nop\n nop\n nop\n svc #0x77\n");

static uint64_t words[4] __attribute__((aligned(64)));

static void show_place(void)
{
    print(" ");
    print_hex("behind", last.elr - (uint64_t)some_code);
    print("\n");
}

static void breakpoints(void)
{
    write_sysreg(dbgbvr0_el1, (uint64_t)some_code + 4);
    write_sysreg(dbgbcr0_el1, ENABLE | FOR_EL0 | INSTRUCTION);
    SHOW("MDE off", run_el0(some_code, 0));
    write_sysreg(mdscr_el1, MDSCR_MDE);
    SHOW("a breakpoint", run_el0(some_code, 0));
    show_place();
    write_sysreg(dbgbcr0_el1, ENABLE | FOR_EL1 | INSTRUCTION);
    SHOW("a breakpoint of EL1", run_el0(some_code, 0));
    write_sysreg(dbgbcr0_el1, 0);
    SHOW("no breakpoint", run_el0(some_code, 0));
}

static void store_double(uint64_t argument)
{
    __asm__ volatile("str xzr, [%0]\n svc #0x77" ::"r"(argument) : "memory");
}

static void store_word(uint64_t argument)
{
    __asm__ volatile("str wzr, [%0]\n svc #0x77" ::"r"(argument) : "memory");
}

static void load_word(uint64_t argument)
{
    __asm__ volatile("ldr w1, [%0]\n svc #0x77" ::"r"(argument) : "memory", "x1");
}

static void watchpoints(void)
{
    write_sysreg(dbgwvr0_el1, words + 1);
    write_sysreg(dbgwcr0_el1, ENABLE | FOR_EL0 | STORES | ALL_BYTES);
    SHOW("a watched store", run_el0(store_word, (uint64_t)(words + 1)));
    SHOW("a load", run_el0(load_word, (uint64_t)(words + 1)));
    SHOW("a store behind", run_el0(store_word, (uint64_t)(words + 2)));
    SHOW("a store by EL1", store_word((uint64_t)(words + 1)));
    write_sysreg(dbgwcr0_el1, ENABLE | FOR_EL0 | LOADS | ALL_BYTES);
    SHOW("a watched load", run_el0(load_word, (uint64_t)(words + 1)));
    write_sysreg(dbgwcr0_el1, ENABLE | FOR_EL0 | STORES | LOADS | BYTE_4);
    SHOW("one byte of it", run_el0(store_word, (uint64_t)(words + 1) + 4));
    SHOW("all bytes before it", run_el0(store_word, (uint64_t)(words + 1)));
    SHOW("all bytes and it", run_el0(store_double, (uint64_t)(words + 1)));
    write_sysreg(dbgwcr0_el1, ENABLE | FOR_EL0 | STORES | ALL_BYTES);
    write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) & ~(uint64_t)MDSCR_MDE);
    SHOW("without MDE", run_el0(store_word, (uint64_t)(words + 1)));
    write_sysreg(mdscr_el1, read_sysreg(mdscr_el1) | MDSCR_MDE);
    SHOW("with it", run_el0(store_word, (uint64_t)(words + 1)));
    write_sysreg(oslar_el1, 1);
    SHOW("with the OS lock", run_el0(store_word, (uint64_t)(words + 1)));
    write_sysreg(oslar_el1, 0);
    SHOW("without it", run_el0(store_word, (uint64_t)(words + 1)));
    write_sysreg(dbgwvr0_el1, words + 2);
    SHOW("another address", run_el0(store_word, (uint64_t)(words + 2)));
    write_sysreg(dbgwcr0_el1, 0);
    SHOW("no watchpoint", run_el0(store_word, (uint64_t)(words + 1)));
}

/* Returns to EL0 with PSTATE.SS set. */
static void run_step(void)
{
    __asm__ volatile(
        "adr x0, 1f\n str x0, [%0]\n msr elr_el1, %1\n msr spsr_el1, %2\n eret\n 1:" ::"r"(
            &resume_at),
        "r"(some_code), "r"((uint64_t)(SPSR_EL0 | SPSR_SS))
        : "x0", "memory");
}

static void steps(void)
{
    write_sysreg(mdscr_el1, MDSCR_SS);
    SHOW("a step", run_step());
    show_place();
    print_hex("PSTATE.SS", last.spsr >> 21 & 1);
    print("\n");
    SHOW("a step that is due", run_el0(some_code, 0));
    show_place();
    write_sysreg(mdscr_el1, 0);
    SHOW("no step", run_el0(some_code, 0));
}

int main(void)
{
    write_sysreg(oslar_el1, 0);
    breakpoints();
    watchpoints();
    steps();
    return 0;
}
