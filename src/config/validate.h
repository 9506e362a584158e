/*
 * Doc against schema: types, limits, unknown keys, "did you mean".
 */
#ifndef CONFIG_VALIDATE_H
#define CONFIG_VALIDATE_H

#include "config/schema.h"

/*
 * Reports everything that is wrong and marks it as bad, so that later stages pass over it. A map
 * in which a required key is missing is bad as a whole. `path` is where the node stands ("" for a
 * file, "devices.uart0" for a device of a board), `at` the place to show when the node has none.
 */
bool validate(const Schema *schema, Node *node, const char *path, Mark at, Diag *diag);

/* Adds what is left unsaid: nodes of the layer "default". */
void validate_fill_defaults(const Schema *schema, Node *node, Arena *arena);

#endif
