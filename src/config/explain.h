/*
 * Explain: what a key, a device type, a format or an error code means, from the schemas and diag-codes.h.
 */
#ifndef CONFIG_EXPLAIN_H
#define CONFIG_EXPLAIN_H

#include "config/config.h"

/*
 * `what` is an error code ("E231"), a path in a machine ("drives.cache", "drives.root.cache") or a
 * board ("interrupt-parent"), a device type with a property ("ns16550a.console"), or a format, protocol
 * or filter of drives ("qcow2"). NULL after reporting that there is no such thing. Free it.
 */
char *config_explain(const char *what, const ConfigOptions *options, Diag *diag);

typedef struct Schema Schema;

typedef struct Node Node;

/* "dynamic | fixed; default dynamic", of an option that a format of images has. Free it. */
char *explain_option_values(const Node *option);

/* "threads | native", "a size (B KiB ...)", "map": what may stand there. Free it. */
char *explain_values(const Schema *schema);

#endif
