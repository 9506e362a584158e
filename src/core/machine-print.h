/*
 * A MachineSpec as text: `lathe dump --stage=spec`, and tests of the loader.
 */
#ifndef CORE_MACHINE_PRINT_H
#define CORE_MACHINE_PRINT_H

#include <stdio.h>

#include "core/machine.h"

/* A line for each fact, in the order of the spec; the same spec gives the same text. */
void machine_spec_print(const MachineSpec *spec, FILE *out);

#endif
