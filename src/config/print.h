/*
 * Trees as text for people and programs: YAML, JSON, and a table of where each value comes from.
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include "config/doc.h"

/* Free them. `skip`: keys of the root that are left out; ends with NULL, or is NULL. */
char *print_yaml(const Node *root, const char *const *skip);
char *print_json(const Node *root, const char *const *skip);
char *print_origins(const Node *root, const char *const *skip);
char *print_values(const Node *root, const char *const *skip);

/* A plain scalar when every reader takes it for that text, else one in double quotes. Free it. */
char *print_scalar_yaml(const Node *node);

#endif
