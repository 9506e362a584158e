/*
 * A machine of QEMU told in lathe's language, with a comment wherever it is not the same.
 */
#ifndef CONFIG_LEGACY_YAML_H
#define CONFIG_LEGACY_YAML_H

#include "config/legacy/legacy.h"

/*
 * The text of a machine file. What could not be told exactly is noted in `legacy` too. Free it.
 * `name` is the machine's when the command line has none. Relative paths are looked for from
 * `folder`; NULL: from where the file will be.
 */
char *legacy_to_yaml(Legacy *legacy, const char *name, const char *folder);

/*
 * Choices of arm-virt's option `levels`: bit 0 of the place is QEMU's virtualization=on, bit 1 its
 * secure=on. Ends with NULL.
 */
extern const char *const legacy_level_words[];

/* The lathe board in place of QEMU's; NULL: there is none yet. */
const char *legacy_lathe_board(const Legacy *legacy);

#endif
