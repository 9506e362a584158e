/*
 * Semihosting: calls of a guest to whoever debugs it. Arm 100863, "Semihosting for AArch32 and AArch64"; "RISC-V
 * Semihosting" has the same calls. There is a console, a clock and an end; of the host's files none.
 */
#ifndef TARGETS_SEMIHOSTING_H
#define TARGETS_SEMIHOSTING_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/env.h"

/* Does the machine ask for it on this CPU? */
bool semihosting_is_on(const CpuEnv *env);

typedef struct SemihostingCall {
    uint64_t operation, parameter;
    unsigned word; /* bytes of a field of a parameter block: 4 or 8 */
} SemihostingCall;

/*
 * Does a call, in the current data context. False: it raised, or it waits and is to be made again. The CPU's thread,
 * without the machine lock.
 */
bool semihosting_call(CpuEnv *env, const SemihostingCall *call, uint64_t *result);

#endif
