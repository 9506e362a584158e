/* PSCI by HVC, and the secondary CPUs it starts: DEN 0022, chapter 5. Run with three CPUs. */
#include "bare.h"

enum {
    VERSION = 0x84000000, CPU_OFF = 0x84000002, MIGRATE_INFO_TYPE = 0x84000006, FEATURES = 0x8400000a,
    SMCCC_VERSION = 0x80000000,
};
#define CPU_ON        0xc4000003
#define AFFINITY_INFO 0xc4000004

static uint64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;

    __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    return x0;
}

static volatile uint64_t started[4], counter __attribute__((aligned(64)));
extern char secondary[];

/* x0 is the context that CPU_ON was given: it counts by exclusives, says that it is done and turns itself off. */
__asm__(".text\n"
        ".global secondary\n"
        "secondary:\n"
        "    ldr x1, =started\n"
        "    ldr x2, =counter\n"
        "    mov w5, #1000\n"
        "1:  ldaxr x3, [x2]\n"
        "    add x3, x3, #1\n"
        "    stlxr w4, x3, [x2]\n"
        "    cbnz w4, 1b\n"
        "    subs w5, w5, #1\n"
        "    b.ne 1b\n"
        "    mrs x3, mpidr_el1\n"
        "    and x3, x3, #0xff\n"
        "    mrs x4, currentel\n"
        "    add x4, x4, x0\n"
        "    add x1, x1, x3, lsl #3\n"
        "    stlr x4, [x1]\n"
        "    sev\n"
        "    ldr w0, =0x84000002\n"
        "    hvc #0\n"
        "    b .\n");

static void facts(void)
{
    print_hex("version is 1", psci(VERSION, 0, 0, 0) >> 16 == 1);
    print_hex("migrate", psci(MIGRATE_INFO_TYPE, 0, 0, 0));
    print_hex("knows cpu_on", psci(FEATURES, CPU_ON, 0, 0));
    print_hex("does not know", (uint32_t)psci(FEATURES, 0x84001234, 0, 0));
    print_hex("unknown function", (uint32_t)psci(0x84001234, 0, 0, 0));
    print("\n");
}

static void turn_on(unsigned cpu)
{
    print_hex("cpu", cpu);
    print_hex("before", psci(AFFINITY_INFO, cpu, 0, 0));
    print_hex("on", psci(CPU_ON, cpu, (uint64_t)secondary, 0x100 * cpu));
    while (!started[cpu]) {
        __asm__ volatile("wfe" ::: "memory");
    }
    while (psci(AFFINITY_INFO, cpu, 0, 0) != 1) {
    }
    print_hex("said", started[cpu]);
    print("\n");
    started[cpu] = 0;
}

int main(void)
{
    facts();
    print_hex("itself", (uint32_t)psci(CPU_ON, 0, (uint64_t)secondary, 0));
    print_hex("no such", (uint32_t)psci(CPU_ON, 7, (uint64_t)secondary, 0));
    print_hex("no such affinity", (uint32_t)psci(AFFINITY_INFO, 7, 0, 0));
    print("\n");
    turn_on(1);
    turn_on(2);
    turn_on(1);
    print_hex("counter", counter);
    print("\n");
    return 0;
}
