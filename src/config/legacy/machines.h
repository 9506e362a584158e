/*
 * What a machine of QEMU 7.2 takes beside drives: properties of -machine and a number of CPUs.
 */
#ifndef CONFIG_LEGACY_MACHINES_H
#define CONFIG_LEGACY_MACHINES_H

#include "config/legacy/legacy.h"

/* Judges them for the machine that was chosen. False after reporting. */
bool machines_check(Legacy *legacy);

#endif
