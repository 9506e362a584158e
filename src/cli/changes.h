/*
 * What differs between two machines, in terms of the guest: a line each on standard output.
 */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include "cli/facts.h"

enum { CHANGES_PATH_WIDTH = 24 };

/*
 * Prints what the guest sees differently, and adds to `things` what that was shown for. False: it sees
 * no difference.
 */
bool changes_print(const Facts *old, const Facts *new, GHashTable *things);

/*
 * What a person thinks of as one thing of a path: "drives.root", and "memory" as a whole, which a
 * machine knows as one size. Free it.
 */
char *changes_thing(const char *path);

#endif
