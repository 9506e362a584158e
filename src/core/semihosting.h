/*
 * What the host does for a guest's semihosting calls: a console. Whoever runs the machine gives it; a CPU's ISA
 * makes calls of instructions (targets/semihosting.h). With the machine lock.
 */
#ifndef CORE_SEMIHOSTING_H
#define CORE_SEMIHOSTING_H

#include <stddef.h>

#include "core/build.h"

typedef struct SemihostingConsole {
    /* How many bytes were taken; fewer than there are: try again soon. */
    size_t (*write)(void *owner, const void *bytes, size_t length);
    /* How many bytes there were, at most `room`; 0: none yet. The first call turns the host's input to it. */
    size_t (*read)(void *owner, void *bytes, size_t room);
} SemihostingConsole;

/* NULL: there is none; what is written is lost, and nothing ever comes. */
void machine_set_semihosting(Machine *machine, const SemihostingConsole *console, void *owner);
size_t machine_semihosting_write(Machine *machine, const void *bytes, size_t length);
size_t machine_semihosting_read(Machine *machine, void *bytes, size_t room);

#endif
