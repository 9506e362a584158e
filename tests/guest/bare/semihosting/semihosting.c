/*
 * Every call of semihosting, from a program that has nothing else: Arm 100863, and for RISC-V the same calls. The
 * calls of files are refused.
 */
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t Word;

#ifdef __aarch64__
#define STACK "adrp x1, stack_top\n add x1, x1, :lo12:stack_top\n mov sp, x1\n bl main\n b .\n"
static Word call(Word operation, volatile const void *parameter)
{
    register Word x0 __asm__("x0") = operation;
    register Word x1 __asm__("x1") = (Word)parameter;

    __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return x0;
}
#else
#define STACK "la sp, stack_top\n call main\n j .\n"
static Word call(Word operation, volatile const void *parameter)
{
    register Word a0 __asm__("a0") = operation;
    register Word a1 __asm__("a1") = (Word)parameter;

    __asm__ volatile(".balign 16\n .option push\n .option norvc\n slli x0, x0, 0x1f\n ebreak\n srai x0, x0, 7\n .option pop"
                     : "+r"(a0) : "r"(a1) : "memory");
    return a0;
}
#endif

__asm__(".section .start, \"ax\"\n .global _start\n_start: " STACK
        ".bss\n .balign 16\n .skip 16384\n .global stack_top\nstack_top:\n .text\n");

static void print(const char *text)
{
    call(4, text);
}

static void print_number(const char *name, Word value)
{
    char digits[20], *at = digits + 19;

    *at = 0;
    do {
        *--at = '0' + value % 10;
        value /= 10;
    } while (value);
    print(name);
    print(at);
    print("\n");
}

static Word length_of(const char *text)
{
    Word n = 0;

    while (text[n]) {
        n++;
    }
    return n;
}

static Word open(const char *name, Word mode)
{
    Word block[3] = { (Word)name, mode, length_of(name) };

    return call(1, block);
}

static Word transfer(Word operation, Word handle, const void *bytes, Word length)
{
    Word block[3] = { handle, (Word)bytes, length };

    return call(operation, block);
}

static Word of_handle(Word operation, Word handle, Word more)
{
    Word block[2] = { handle, more };

    return call(operation, block);
}

static void refused(const char *what, Word result)
{
    print(what);
    print(result == (Word)-1 ? " is refused" : " is not refused");
    print_number(", error ", call(0x13, NULL));
}

static void features(void)
{
    char bytes[8] = { 0 };
    Word file = open(":semihosting-features", 0), rest = transfer(6, file, bytes, 8);

    print_number("features: length ", of_handle(12, file, 0));
    print_number("features: unread ", rest);
    print_number("features: ", bytes[4]);
    bytes[4] = 0;
    print(bytes);
    print_number(" seek ", of_handle(10, file, 4));
    print_number("features: unread behind it ", transfer(6, file, bytes, 8));
    print_number("features: a terminal ", of_handle(9, file, 0));
}

static void input(void)
{
    Word handle = open(":tt", 0), got = 2;
    char bytes[4] = "k";

    print_number("a terminal ", of_handle(9, handle, 0));
    print_number("first key ", call(7, NULL));
    while (bytes[0] == 'k') { /* it is typed again and again */
        bytes[0] = call(7, NULL);
    }
    while (got) {
        got = transfer(6, handle, bytes + 3 - got, got);
    }
    print("then ");
    print(bytes);
    print("\n");
}

int main(void)
{
    Word block[4] = { 0x20026, 0 }, command[2], out = open(":tt", 4);
    uint64_t ticks[2] = { 0 };
    char line[32];

    call(3, "H");
    print("ello\n");
    print_number("unwritten ", transfer(5, out, "written\n", 8));
    print_number("unwritten to errors ", transfer(5, open(":tt", 8), "errors\n", 7));
    print_number("unwritten to input ", transfer(5, 1, "no", 2));
    command[0] = (Word)line;
    command[1] = sizeof(line);
    print_number("command line: ", call(0x15, command));
    print(line);
    print_number(" of length ", command[1]);
    command[1] = 3;
    refused("a command line that does not fit", call(0x15, command));
    features();
    print_number("later than 2020: ", call(0x11, NULL) / 1577836800 > 0);
    print_number("frequency ", call(0x31, NULL));
    call(0x30, &ticks[0]);
    print_number("clock runs: ", call(0x10, NULL) < 100000);
    call(0x30, &ticks[1]);
    print_number("ticks grow: ", ticks[1] > ticks[0]);
    command[0] = (Word)block;
    block[0] = 5;
    print_number("heap information ", call(0x16, command));
    print_number("heap at ", block[0]);
    print_number("an error is one: ", of_handle(8, (Word)-1, 0));
    print_number("none is none: ", of_handle(8, 7, 0));
    print_number("closed ", of_handle(2, out, 0));
    refused("closing what is not open", of_handle(2, 99, 0));
    refused("a file", open("/etc/passwd", 0));
    refused("writing a file", open("x", 4));
    refused("removing", call(0x0e, command));
    refused("a program", call(0x12, command));
    refused("an unknown call", call(0x77, NULL));
    input();
    block[0] = 0x20026;
    block[1] = 42;
    call(0x20, block);
    return 0;
}
