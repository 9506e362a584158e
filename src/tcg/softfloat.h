/*
 * IEEE 754 binary arithmetic by integers alone: the exact answer where the host's FPU would differ
 * or may not be used, and the oracle of tests. Values are bit patterns in uint64_t, of any format
 * up to 64 bits.
 *
 * Uses general registers only, so code that keeps guest registers in vector registers may call it.
 */
#ifndef TCG_SOFTFLOAT_H
#define TCG_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/fp.h"
#include "tcg/ir.h"

typedef struct FpFormat {
    uint8_t exponent_bits, fraction_bits; /* one more for the sign */
} FpFormat;

extern const FpFormat fp_half, fp_single, fp_double;

/* How to round and what NaN gives; and what happened. */
typedef struct FpMode {
    uint8_t aux;   /* FpAux; FP_DYN must have been replaced by a rounding mode */
    uint8_t flags; /* FpFlags, only ever added to */
    bool converts; /* between formats */
} FpMode;

/* With FP_FLUSH: 0 of the same sign for a subnormal operand. The others below expect that it was done. */
uint64_t sf_flush_operand(FpMode *mode, const FpFormat *format, uint64_t a);

uint64_t sf_add(FpMode *mode, const FpFormat *format, uint64_t a, uint64_t b);
uint64_t sf_sub(FpMode *mode, const FpFormat *format, uint64_t a, uint64_t b);
uint64_t sf_mul(FpMode *mode, const FpFormat *format, uint64_t a, uint64_t b);
uint64_t sf_div(FpMode *mode, const FpFormat *format, uint64_t a, uint64_t b);
uint64_t sf_sqrt(FpMode *mode, const FpFormat *format, uint64_t a);

/* a * b + c, rounded once. Signs are changed by the caller: sf_negate. */
uint64_t sf_muladd(FpMode *mode, const FpFormat *format, uint64_t a, uint64_t b, uint64_t c);
uint64_t sf_negate(const FpFormat *format, uint64_t a);

/* minimumNumber and its like. */
uint64_t sf_min(FpMode *mode, const FpFormat *format, FpMin kind, uint64_t a, uint64_t b);
uint64_t sf_max(FpMode *mode, const FpFormat *format, FpMin kind, uint64_t a, uint64_t b);

bool sf_compare(
    FpMode *mode, const FpFormat *format, unsigned cond /* FpCond */, uint64_t a, uint64_t b);
FpOrder sf_order(FpMode *mode, const FpFormat *format, unsigned signalling, uint64_t a, uint64_t b);
/*
 * To an integer in the same format; inexact is flagged when asked for (ARM FRINTX, RISC-V
 * froundnx).
 */
uint64_t sf_round(FpMode *mode, const FpFormat *format, uint64_t a, bool flags_inexact);
uint64_t sf_convert(FpMode *mode, const FpFormat *from, const FpFormat *to, uint64_t a);

/* bits: 32 or 64; saturates. From: the value is extended to 64 bits as is_signed says. */
uint64_t sf_to_int(FpMode *mode, const FpFormat *format, uint64_t a, unsigned bits, bool is_signed);
uint64_t sf_from_int(FpMode *mode, const FpFormat *format, uint64_t value, bool is_signed);

#endif
