/* Pointer authentication: see pauth.c. */
#ifndef TARGETS_AARCH64_PAUTH_H
#define TARGETS_AARCH64_PAUTH_H

#include "targets/aarch64/state.h"

/* In A64Cpu.keys. */
enum { A64_KEY_IA, A64_KEY_IB, A64_KEY_DA, A64_KEY_DB, A64_KEY_GA };

/* A code into a pointer, or checked and taken out: pointer, modifier, key. */
extern const Helper a64_help_pac, a64_help_aut;
/* A code out, unchecked: pointer, is it one of data. */
extern const Helper a64_help_strip;
/* A code of 32 bits in the upper half: value, modifier. */
extern const Helper a64_help_pacga;

#endif
