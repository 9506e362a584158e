/*
 * What a translation kept, and what it did not: for people and for programs.
 */
#ifndef CONFIG_LEGACY_REPORT_H
#define CONFIG_LEGACY_REPORT_H

#include <stdio.h>

#include "config/legacy/legacy.h"

/* Exact options together, a line for each of the others. */
void legacy_report(const Legacy *legacy, FILE *out);

/*
 * One JSON object: the verdict, the machine, every drive with its image, cache bits, device, bus
 * and unit as QEMU's own queries name them, the notes, what `diag` has, and the YAML text (NULL:
 * none). `accepted`: QEMU would start. On one line if `line`. Free it.
 */
char *legacy_report_json(const Legacy *legacy, bool accepted, const char *yaml, bool line);

#endif
