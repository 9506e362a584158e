/*
 * QARMA-64 with the S-box sigma2 and five rounds: the block cipher of pointer authentication. R. Avanzi, "The QARMA
 * Block Cipher Family", IACR ToSC 2017; Arm ARM, ComputePAC() in J1.
 */
#ifndef TARGETS_AARCH64_QARMA_H
#define TARGETS_AARCH64_QARMA_H

#include <stdint.h>

/* Makes its tables, once; before the first qarma64(). Any thread, any registers. */
void qarma64_prepare(void);

/* The key is its whitening half w0 (the upper one, as Arm has it) and its core half k0. General registers only. */
uint64_t qarma64(uint64_t text, uint64_t tweak, uint64_t w0, uint64_t k0);

#endif
