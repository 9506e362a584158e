/*
 * Checks: rules across nodes, each declared with those that must have passed before it makes sense.
 */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

#include "core/diag.h"
#include "core/machine.h"

void checks_run(const MachineSpec *spec, Diag *diag);

#endif
