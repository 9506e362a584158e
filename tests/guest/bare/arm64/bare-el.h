/* What programs that begin at EL2 or EL3 share beyond bare.h: start-el.S. */
#ifndef BARE_EL_H
#define BARE_EL_H

#include "bare.h"

extern volatile uint64_t own_level, last_level, last_hpfar, leave_by_smc;

enum { EL0 = 0x3c0, EL1 = 0x3c5, EL2 = 0x3c9, UNMASKED = 0x1c0 /* to take away: A, I and F */ };

void run_at(uint64_t spsr, void (*code)(uint64_t), uint64_t argument);

/* Runs code and prints where it was left to, if it was by another exception than its end. */
#define RUN(what, spsr, code, argument)                                                            \
    do {                                                                                           \
        uint64_t before_ = last.count;                                                             \
        run_at(spsr, code, argument);                                                              \
        show(what, before_);                                                                       \
    } while (0)

static inline bool is_stage_2(void)
{
    unsigned class = last.esr >> 26;

    return last_level == 2 && (class == 0x20 || class == 0x24);
}

static inline void show(const char *what, uint64_t count_before)
{
    print(what);
    print(":");
    if (last.count == count_before) {
        print(" none\n");
        return;
    }
    print_hex("to EL", last_level);
    print_hex("vector", last.vector);
    if ((last.vector & 3) == 0) {
        unsigned class = last.esr >> 26;

        print_hex("esr", last.esr);
        if ((class >= 0x20 && class <= 0x25) || class == 0x34 || class == 0x35) {
            print_hex("far", last.far);
        }
        if (is_stage_2() && last_hpfar) {
            print_hex("hpfar", last_hpfar);
        }
    }
    print("\n");
}

/* Code for a lower level, one instruction or a few. */
#define CODE(name, text)                                                                           \
    static void name(uint64_t argument)                                                            \
    {                                                                                              \
        __asm__ volatile(text ::"r"(argument) : "memory", "x1", "x2");                             \
    }

#endif
