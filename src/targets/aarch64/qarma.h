/*
 * QARMA-64 with the S-box sigma2 and five rounds: the block cipher of pointer authentication. R. Avanzi, "The QARMA
 * Block Cipher Family", IACR ToSC 2017; Arm ARM, ComputePAC() in J1.
 */
#ifndef TARGETS_AARCH64_QARMA_H
#define TARGETS_AARCH64_QARMA_H

#include <stdbool.h>
#include <stdint.h>

enum { QARMA_CELLS = 16, QARMA_ROUNDS = 5 };

/* By cell, the uppermost four bits being the first; or by the value of one. */
typedef uint8_t QarmaCells[QARMA_CELLS];

/* What the cipher is made of: qarma.c. */
typedef struct QarmaParts {
    QarmaCells shuffle, unshuffle, tweak_shuffle; /* the cell that comes here */
    QarmaCells sigma, unsigma;                    /* of a value */
    uint64_t stepped; /* the cells of the tweak that its shift register steps */
    uint64_t constants[QARMA_ROUNDS], alpha;
} QarmaParts;

extern const QarmaParts qarma_parts;

/* Once, before the first qarma64(). Any thread, any registers. */
void qarma64_prepare(void);

/* The key's core half k0 first, then its whitening half w0, as Arm has them. Changes no vector register. */
uint64_t qarma64(uint64_t text, uint64_t tweak, const uint64_t key[2]);

/* The same for every host. */
uint64_t qarma64_plain(uint64_t text, uint64_t tweak, const uint64_t key[2]);

/* The same for x86 hosts with SSSE3: qarma-x86.c. The tables are made once; false: not such a host. */
bool qarma64_vector_prepare(void);
uint64_t qarma64_vector(uint64_t text, uint64_t tweak, const uint64_t key[2]);

#endif
