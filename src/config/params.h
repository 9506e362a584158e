/*
 * Parameters: `${name}` in any text stands for a value that is declared, with a type, under params.
 *
 * A text that is nothing but `${name}` takes the parameter's type; inside a longer text the value
 * is written out. `$${` is a plain `${`. `${run.x}` is left for the start of a run. The environment
 * enters through `env` of a parameter and nowhere else.
 */
#ifndef CONFIG_PARAMS_H
#define CONFIG_PARAMS_H

#include "config/doc.h"
#include "core/diag.h"

/* Replaces every use in the tree, but for `params`, `profiles` and `matrix` themselves. */
void params_apply(Node *root, Arena *arena, Diag *diag);

#endif
