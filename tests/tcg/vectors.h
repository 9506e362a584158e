/*
 * Operands for tests: corners of every type, and random values that are likely to be near them.
 * Seeded.
 */
#ifndef TESTS_TCG_VECTORS_H
#define TESTS_TCG_VECTORS_H

#include <stdint.h>

#include "tcg/ir.h"

typedef struct Random {
    uint64_t state;
} Random;

uint64_t random_next(Random *r);
unsigned random_below(Random *r, unsigned limit);

/* Bits of a value of the type, in the low half for 32-bit types. */
uint64_t random_value(Random *r, IrType type);

#endif
