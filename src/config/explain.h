/*
 * Explain: what a key, a device type or an error code means, from the schemas and diag-codes.h.
 */
#ifndef CONFIG_EXPLAIN_H
#define CONFIG_EXPLAIN_H

#include "config/config.h"

/*
 * `what` is an error code ("E231"), a path in a machine ("drives.cache", "drives.root.cache") or a
 * board ("interrupt-parent"), or a device type with a property ("ns16550a.console"). NULL after
 * reporting that there is no such thing. Free it.
 */
char *config_explain(const char *what, const ConfigOptions *options, Diag *diag);

typedef struct Schema Schema;

/* "threads | native", "a size (B KiB ...)", "map": what may stand there. Free it. */
char *explain_values(const Schema *schema);

#endif
