/*
 * Translations for other verbs.
 */
#ifndef CLI_TRANSLATE_H
#define CLI_TRANSLATE_H

#include "core/diag.h"

/*
 * The machine file of a command line of QEMU: the arguments begin with the program. What is not
 * exact is said on stderr. NULL after reporting why QEMU would refuse it. Free it.
 */
char *translate_from_qemu(char *const *arguments, unsigned count, Diag *diag);

#endif
