/* What Trusted Firmware-A starts in the non-secure state, at EL2: its PSCI, another CPU, and what it keeps to itself. */
#include "bare-el.h"

enum { PSCI_VERSION = 0x84000000, PSCI_CPU_OFF = 0x84000002, PSCI_SYSTEM_OFF = 0x84000008, PSCI_FEATURES = 0x8400000a };
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define SMCCC_VERSION 0x80000000u

static uint64_t call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;

    __asm__ volatile("smc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "memory", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                     "x17");
    return x0;
}

/* Where the other CPU begins: x0 is what CPU_ON was given. */
volatile uint64_t other[3];

__asm__(".text\n"
        "second:\n"
        "    ldr x1, =other\n"
        "    mrs x2, mpidr_el1\n"
        "    str x2, [x1, #8]\n"
        "    mrs x2, currentel\n"
        "    str x2, [x1, #16]\n"
        "    dmb ish\n"
        "    str x0, [x1]\n"
        "    mov w0, #2\n" /* CPU_OFF */
        "    movk w0, #0x8400, lsl #16\n"
        "    smc #0\n"
        "1:  b 1b\n");
extern char second[];

int main(void)
{
    print("BL33\n");
    print_hex("currentel", read_sysreg(currentel));
    print_hex("psci", call(PSCI_VERSION, 0, 0, 0));
    print_hex("smccc", call(SMCCC_VERSION, 0, 0, 0));
    print_hex("no such call", call(0x8400ffff, 0, 0, 0));
    print_hex("cpu_on", call(PSCI_CPU_ON, 1, (uint64_t)second, 0x1234));
    while (!other[0]) {
        __asm__ volatile("yield" ::: "memory");
    }
    print_hex("argument", other[0]);
    print_hex("mpidr", other[1] & 0xffffff);
    print_hex("its level", other[2]);
    while (call(PSCI_AFFINITY_INFO, 1, 0, 0) != 1) {
    }
    print_hex("off again", call(PSCI_AFFINITY_INFO, 1, 0, 0));
    print_hex("itself", call(PSCI_CPU_ON, 0, (uint64_t)second, 0));
    print_hex("cntfrq", read_sysreg(cntfrq_el0));
    print("\n");
    SHOW("secure ram", (void)*(volatile uint32_t *)0x0e000000);
    SHOW("secure uart", (void)*(volatile uint32_t *)0x09040018);
    SHOW("secure flash", (void)*(volatile uint32_t *)0);
    call(PSCI_SYSTEM_OFF, 0, 0, 0);
    return 0;
}
