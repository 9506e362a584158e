/*
 * Values of options that a machine file has no word for: QEMU refuses a wrong one all the same.
 */
#ifndef CONFIG_LEGACY_VALUES_H
#define CONFIG_LEGACY_VALUES_H

#include "config/legacy/legacy.h"

/* Judges the argument of `option` as QEMU 7.2 does. False after reporting. */
bool values_check(Legacy *legacy, const char *option, const Word *argument);

#endif
