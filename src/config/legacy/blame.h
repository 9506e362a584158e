/*
 * Whose fault it is: what is wrong with a translation is told of the command line that it came from.
 */
#ifndef CONFIG_LEGACY_BLAME_H
#define CONFIG_LEGACY_BLAME_H

#include "config/legacy/legacy.h"

/* The option (or its value) that made what stands at `at` in the machine file. */
Span legacy_blame(const Legacy *legacy, const char *yaml, Mark at);

/*
 * Reports all of `found` to `told`; what was said of the machine file, `file`, is said of the
 * command line.
 */
void legacy_blame_all(
    const Legacy *legacy, const char *yaml, const char *file, const Diag *found, Diag *told);

#endif
