#include "bare.h"

volatile Exception last;
volatile uint64_t resume_at;

enum { UART_DATA = 0x09000000, UART_FLAGS = 0x09000018, UART_FULL = 1 << 5 };

static void put(char c)
{
    while (*(volatile uint32_t *)UART_FLAGS & UART_FULL) {
    }
    *(volatile uint32_t *)UART_DATA = c;
}

void print(const char *text)
{
    for (; *text; text++) {
        put(*text);
    }
}

void print_hex(const char *name, uint64_t value)
{
    char digits[17];
    unsigned first = 16;

    digits[16] = 0;
    do {
        digits[--first] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    print(" ");
    print(name);
    print("=0x");
    print(digits + first);
}

static uint64_t count_before;

void expect_begin(const char *what)
{
    print(what);
    print(":");
    count_before = last.count;
    __asm__ volatile("" ::: "memory");
}

/* FAR is defined for aborts, watchpoints and misaligned PCs (DDI 0487, FAR_EL1). */
static bool has_address(uint64_t esr)
{
    unsigned class = esr >> 26;

    return class == 0x20 || class == 0x21 || class == 0x22 || class == 0x24 || class == 0x25 ||
        class == 0x34 || class == 0x35;
}

void expect_end(void)
{
    if (last.count == count_before) {
        print(" none\n");
        return;
    }
    print_hex("vector", last.vector);
    print_hex("esr", last.esr);
    if (has_address(last.esr)) {
        print_hex("far", last.far);
    }
    print("\n");
}

__attribute__((weak)) void interrupt(void)
{
    print("an interrupt that nobody wanted\n");
    for (;;) {
    }
}
