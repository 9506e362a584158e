/*
 * A tiny assembler for tests: it reads insn.decode's tables backwards.
 *
 * Text is a line each: `label:`, or a mnemonic and operands as the disassembler writes them. Where an address or
 * a number is wanted, a label may stand; rounding modes may be left out. `.quad N` and `.align N` place data.
 */
#ifndef TESTS_TARGETS_RISCV_ASM_H
#define TESTS_TARGETS_RISCV_ASM_H

#include <stddef.h>
#include <stdint.h>

/* Assembles to pc; fails the test on nonsense. Gives the bytes. */
size_t rv_assemble(uint64_t pc, unsigned xlen, const char *text, uint8_t *out, size_t room);

#endif
