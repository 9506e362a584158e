/*
 * Instructions as EL1 runs them, which random programs have at EL0 only: exclusive pairs, accesses with EL0's rights, release and acquire with an
 * offset, branches with pointer authentication (its keys are off after reset: they are plain branches then), the
 * choice of stack pointer, SYSL.
 */
#include "bare.h"

static uint64_t data[4] __attribute__((aligned(16))) = { 0x8182838485868788, 2, 3, 4 };

static void exclusive_pairs(void)
{
    uint64_t a, b;
    uint32_t low, high, failed;

    __asm__ volatile("ldxp %0, %1, [%3]\n stxp %w2, %1, %0, [%3]"
                     : "=&r"(a), "=&r"(b), "=&r"(failed)
                     : "r"(data + 2)
                     : "memory");
    print_hex("failed", failed);
    print_hex("first", data[2]);
    print_hex("second", data[3]);
    __asm__ volatile("ldaxp %w0, %w1, [%3]\n stlxp %w2, %w1, %w0, [%3]"
                     : "=&r"(low), "=&r"(high), "=&r"(failed)
                     : "r"(data + 2)
                     : "memory");
    print_hex("failed", failed);
    print_hex("swapped", data[2]);
    print("\n");
}

#define LOAD(name, width)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile(name " %" width "0, [%1, #0]" : "=r"(value_) : "r"(data) : "memory");     \
        print_hex(name, value_);                                                                   \
    })
#define STORE(name, width, value)                                                                  \
    ({                                                                                             \
        __asm__ volatile(name " %" width "0, [%1, #8]" ::"r"(value), "r"(data) : "memory");        \
        print_hex(name, data[1]);                                                                  \
    })

static void unprivileged(void)
{
    LOAD("ldtr", "x");
    LOAD("ldtr", "w");
    LOAD("ldtrb", "w");
    LOAD("ldtrh", "w");
    LOAD("ldtrsb", "x");
    LOAD("ldtrsh", "w");
    LOAD("ldtrsw", "x");
    STORE("sttr", "x", UINT64_C(0x1112131415161718));
    STORE("sttr", "w", UINT64_C(0x71727374));
    STORE("sttrh", "w", UINT64_C(0x2122));
    STORE("sttrb", "w", UINT64_C(0x31));
    print("\n");
}

static void ordered(void)
{
    LOAD("ldapur", "x");
    LOAD("ldapurb", "w");
    LOAD("ldapursb", "x");
    LOAD("ldapursh", "w");
    LOAD("ldapursw", "x");
    STORE("stlur", "x", UINT64_C(0x4142434445464748));
    STORE("stlurh", "w", UINT64_C(0x5152));
    STORE("stlurb", "w", UINT64_C(0x61));
    print("\n");
}

/* Each leaves a bit. */
static void branches(void)
{
    uint64_t came = 0, scratch;

    __asm__ volatile("adr %1, 1f\n braaz %1\n b 2f\n1: orr %0, %0, #1\n2:" : "+r"(came), "=&r"(scratch));
    __asm__ volatile("adr %1, 1f\n brab %1, %0\n b 2f\n1: orr %0, %0, #2\n2:" : "+r"(came), "=&r"(scratch));
    __asm__ volatile("adr %1, 1f\n blrabz %1\n b 2f\n1: orr %0, %0, #4\n2:"
                     : "+r"(came), "=&r"(scratch)::"x30");
    __asm__ volatile("adr %1, 1f\n msr elr_el1, %1\n mov %1, #0x3c5\n msr spsr_el1, %1\n eretaa\n b 2f\n"
                     "1: orr %0, %0, #8\n2:"
                     : "+r"(came), "=&r"(scratch));
    __asm__ volatile("adr %1, 1f\n msr elr_el1, %1\n mov %1, #0x3c5\n msr spsr_el1, %1\n eretab\n b 2f\n"
                     "1: orr %0, %0, #16\n2:"
                     : "+r"(came), "=&r"(scratch));
    print_hex("came", came);
    __asm__ volatile("ldrab %0, [%1, #0]" : "=r"(scratch) : "r"(data) : "memory");
    print_hex("ldrab", scratch);
    scratch = (uint64_t)data;
    __asm__ volatile("ldrab %0, [%1, #8]!" : "=&r"(came), "+r"(scratch)::"memory");
    print_hex("before", came);
    print_hex("moved", scratch - (uint64_t)data);
    print("\n");
}

static void stack_pointers(void)
{
    uint64_t with_sp0, with_sp1;

    __asm__ volatile("msr spsel, #0\n mrs %0, spsel\n msr spsel, #1\n mrs %1, spsel"
                     : "=r"(with_sp0), "=r"(with_sp1));
    print_hex("sp0", with_sp0);
    print_hex("sp1", with_sp1);
    print("\n");
}

void interrupt(void)
{
}

int main(void)
{
    print("exclusive pairs:");
    exclusive_pairs();
    print("unprivileged:");
    unprivileged();
    print("ordered:");
    ordered();
    print("branches:");
    branches();
    print("stack pointers:");
    stack_pointers();
    SHOW_ASM("sysl of nothing", "sysl x0, #3, c11, c3, #2");
    print("@done\n");
    return 0;
}
