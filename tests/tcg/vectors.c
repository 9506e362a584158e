#include <glib.h>

#include "tests/tcg/vectors.h"

/* splitmix64 */
uint64_t random_next(Random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned random_below(Random *r, unsigned limit)
{
    return (unsigned)((random_next(r) >> 32) * limit >> 32);
}

/* Zeros, ones, powers of two and what is beside them, small numbers. */
static uint64_t random_integer(Random *r, unsigned bits)
{
    uint64_t power = UINT64_C(1) << random_below(r, bits);

    switch (random_below(r, 8)) {
    case 0:  return 0;
    case 1:  return UINT64_MAX;
    case 2:  return power;
    case 3:  return power - 1;
    case 4:  return -power;
    case 5:  return random_below(r, 256) - UINT64_C(128);
    default: return random_next(r);
    }
}

/* A fraction of few ones, few zeros, or anything; an exponent at the ends, in the middle, or anything. */
static uint64_t random_float(Random *r, unsigned exponent_bits, unsigned fraction_bits)
{
    uint64_t fraction_mask = (UINT64_C(1) << fraction_bits) - 1,
             exponent_mask = (UINT64_C(1) << exponent_bits) - 1;
    uint64_t fraction = 0, exponent, sign = random_next(r) & 1;

    switch (random_below(r, 5)) {
    case 0:  fraction = 0; break;
    case 1:  fraction = UINT64_C(1) << random_below(r, fraction_bits); break;
    case 2:  fraction = ~(UINT64_C(1) << random_below(r, fraction_bits)); break;
    case 3:  fraction = -(UINT64_C(1) << random_below(r, fraction_bits)); break;
    default: fraction = random_next(r); break;
    }
    switch (random_below(r, 8)) {
    case 0:  exponent = 0; break;
    case 1:  exponent = exponent_mask; break;
    case 2:  exponent = exponent_mask - 1 - random_below(r, 3); break;
    case 3:  exponent = 1 + random_below(r, 3); break;
    case 4:  exponent = random_next(r) & exponent_mask; break;
    default:
        exponent = exponent_mask / 2 + random_below(r, 2 * fraction_bits) - fraction_bits;
        break;
    }
    return (sign << exponent_bits | (exponent & exponent_mask)) << fraction_bits |
        (fraction & fraction_mask);
}

uint64_t random_value(Random *r, IrType type)
{
    switch (type) {
    case F32: return random_float(r, 8, 23);
    case F64: return random_float(r, 11, 52);
    case I32: return (uint32_t)random_integer(r, 32);
    default:  return random_integer(r, 64);
    }
}
