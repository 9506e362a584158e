/* What the bare programs share: the console, exceptions, system registers. */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last exception: which of the 16 vectors, its syndrome, and how many there were. start.S fills it. */
typedef struct Exception {
    uint64_t vector, esr, far, elr, spsr, count;
} Exception;

extern volatile Exception last;
extern volatile uint64_t resume_at; /* where to go on after the next exception; 0: behind the instruction */

#define read_sysreg(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                               \
        value_;                                                                                    \
    })
#define write_sysreg(name, value)                                                                  \
    __asm__ volatile("msr " #name ", %0\n isb" ::"r"((uint64_t)(value)) : "memory")

void print(const char *text);
void print_hex(const char *name, uint64_t value); /* " name=0x..." */
void run_el0(void (*code)(uint64_t), uint64_t argument);
void interrupt(void); /* a program that unmasks interrupts has its own */

/*
 * Runs an expression and prints the exception it raised, or "none": vector, syndrome, fault address (when it is
 * one of an access) and the return address's distance from the label, if there is one.
 */
void expect_begin(const char *what);
void expect_end(void);
#define SHOW(what, ...)                                                                            \
    do {                                                                                           \
        expect_begin(what);                                                                        \
        __VA_ARGS__;                                                                               \
        expect_end();                                                                              \
    } while (0)
#define SHOW_ASM(what, text) SHOW(what, __asm__ volatile(text ::: "memory", "cc", "x0", "x1", "x2", "x3"))

#endif
