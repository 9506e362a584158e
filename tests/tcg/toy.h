/*
 * A CPU with a few registers of every type and some guest memory, for tests of IR and of hosts
 * without a guest.
 *
 * Guest memory is TOY_PAGES pages from TOY_BASE on. The first two are in the first-level TLB, the
 * third only answers in the slow path, the fourth is there to read only, and in front and behind
 * is nothing.
 */
#ifndef TESTS_TCG_TOY_H
#define TESTS_TCG_TOY_H

#include "tcg/env.h"
#include "tcg/host.h"
#include "tcg/ir.h"

enum {
    TOY_X = 12,
    TOY_W = 4,
    TOY_F = 6,
    TOY_S = 2,
    TOY_V = 12, /* how many registers: i64 i32 f64 f32 v128 */
    TOY_X0 = 0,
    TOY_W0 = TOY_X0 + TOY_X,
    TOY_F0 = TOY_W0 + TOY_W,
    TOY_S0 = TOY_F0 + TOY_F,
    TOY_V0 = TOY_S0 + TOY_S,
    TOY_GVARS = TOY_V0 + TOY_V,
    TOY_PAGES = 4,
};
#define TOY_BASE UINT64_C(0x40000)
#define TOY_PC UINT64_C(0x80000000)

typedef struct ToyEnv {
    CpuEnv env;
    uint64_t x[TOY_X];
    uint32_t w[TOY_W];
    uint64_t f[TOY_F];
    uint32_t s[TOY_S];
    uint64_t v[TOY_V][2];
    uint64_t scratch[4]; /* for ldenv and stenv, and the helpers */
} ToyEnv;

extern const GVar toy_gvars[TOY_GVARS];

/* Helpers: note (full; x0 += a), mix (leaf, pure), trap (full; raises when a is odd). */
extern const Helper toy_note, toy_mix, toy_trap;

typedef struct Toy {
    ToyEnv *cpu;
    uint8_t *memory; /* TOY_PAGES pages */
} Toy;

void toy_init(Toy *toy);
void toy_clear(Toy *toy);

/* The first-level TLB as at the beginning. */
void toy_flush(Toy *toy);

/* An empty block with the gvars and helpers above, so that ir_parse() knows their names. */
void toy_begin(IrBlock *b);

/* Reads text, which must be right. */
void toy_parse(IrBlock *b, const char *text);

/* As toy_parse, then sends every operation through the folding builder into b. */
void toy_build(IrBlock *b, const IrBlock *from);

#endif
