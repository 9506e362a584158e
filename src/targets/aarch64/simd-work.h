/*
 * What the parts of Advanced SIMD and floating point out of line share: simd.c has the table of operations,
 * simd-convert.c those that round and convert.
 */
#ifndef TARGETS_AARCH64_SIMD_WORK_H
#define TARGETS_AARCH64_SIMD_WORK_H

#include "targets/aarch64/simd.h"

#include "tcg/eval.h"
#include "tcg/fp.h"
#include "tcg/softfloat.h"

struct A64SimdWork {
    A64Cpu *cpu;
    A64Operands o;
    unsigned bits;  /* of a lane of the operands */
    bool saturated; /* FPSR.QC is to be set */
    FpMode mode;
    const FpFormat *format; /* of lanes, if they are floats */
};

typedef A64SimdWork Work;

/* An operation on a lane of rn, of rm, of rd. */
typedef uint64_t LaneFunction(Work *w, uint64_t a, uint64_t b, uint64_t d);

LaneFunction convert_frint32z, convert_frint64z, convert_frint32x, convert_frint64x, convert_fcvts,
    convert_fcvtu, convert_scvtf, convert_ucvtf;
A64SimdWhole convert_fcvts_x, convert_fcvtu_x, convert_scvtf_x, convert_ucvtf_x, convert_fcvt,
    convert_fcvtn, convert_fcvtxn, convert_bfcvtn, convert_fcvtl, convert_fjcvtzs;

static inline unsigned fp_rules(const A64Cpu *cpu, unsigned size)
{
    uint64_t flush = size == LANE_16 ? FPCR_FZ16 : FPCR_FZ;

    return cpu->env.fp_round | FP_TINY_BEFORE | FP_NAN_TO_ZERO |
        (cpu->fpcr & FPCR_DN ? FP_NAN_DEFAULT : FP_NAN_FIRST) | (cpu->fpcr & flush ? FP_FLUSH : 0);
}

/* ---- pieces of floats ------------------------------------------------------------------------- */

static inline uint64_t sign_bit(const FpFormat *f)
{
    return UINT64_C(1) << (f->exponent_bits + f->fraction_bits);
}

static inline uint64_t infinity(const FpFormat *f)
{
    return ((UINT64_C(1) << f->exponent_bits) - 1) << f->fraction_bits;
}

static inline uint64_t magnitude(const FpFormat *f, uint64_t a)
{
    return a & (sign_bit(f) - 1);
}

static inline bool is_nan(const FpFormat *f, uint64_t a)
{
    return magnitude(f, a) > infinity(f);
}

static inline bool is_infinite(const FpFormat *f, uint64_t a)
{
    return magnitude(f, a) == infinity(f);
}

static inline uint64_t default_nan(const FpFormat *f)
{
    return infinity(f) | UINT64_C(1) << (f->fraction_bits - 1);
}

static inline int bias(const FpFormat *f)
{
    return (1 << (f->exponent_bits - 1)) - 1;
}

static inline unsigned exponent_field(const FpFormat *f, uint64_t a)
{
    return (unsigned)(magnitude(f, a) >> f->fraction_bits);
}

/* 2^exponent. */
static inline uint64_t power_of_two(const FpFormat *f, int exponent)
{
    return (uint64_t)(bias(f) + exponent) << f->fraction_bits;
}

/* FPProcessNaN(): a is one. */
static inline uint64_t process_nan(Work *w, uint64_t a)
{
    return sf_add(&w->mode, w->format, a, a);
}

static inline uint64_t flushed(Work *w, uint64_t a)
{
    return sf_flush_operand(&w->mode, w->format, a);
}

static inline const FpFormat *format_of(unsigned size)
{
    return size == LANE_16 ? &fp_half : size == LANE_32 ? &fp_single : &fp_double;
}

/* The bits of a double's fraction. */
#define ONES52 ((UINT64_C(1) << 52) - 1)

#endif
