/*
 * QARMA-64 with the S-box sigma2 and five rounds: the block cipher of pointer authentication. R. Avanzi, "The QARMA
 * Block Cipher Family", IACR ToSC 2017; Arm ARM, ComputePAC() in J1.
 */
#ifndef TARGETS_AARCH64_QARMA_H
#define TARGETS_AARCH64_QARMA_H

#include <stdint.h>

/* Makes its tables, once; before the first qarma64(). Any thread, any registers. */
void qarma64_prepare(void);

enum { QARMA_ROUNDS = 5 };

/* What every round adds that depends on the tweak alone; all zero is that of tweak 0. */
typedef struct QarmaTweak {
    uint64_t of[QARMA_ROUNDS + 1]; /* the first is the tweak */
    uint64_t spread[QARMA_ROUNDS + 1];
} QarmaTweak;

/* The same of a key: its whitening half w0 (the upper one, as Arm has it) and its core half k0. */
typedef struct QarmaKey {
    uint64_t w0, k0, w1;
    uint64_t spread[QARMA_ROUNDS + 1];
} QarmaKey;

/* General registers only, all three. */
void qarma64_tweak(QarmaTweak *tweak, uint64_t value);
void qarma64_key(QarmaKey *key, uint64_t w0, uint64_t k0);
uint64_t qarma64(uint64_t text, const QarmaTweak *tweak, const QarmaKey *key);

#endif
