/*
 * Explain: what a key, a device type, a format or an error code means, from the schemas and diag-codes.h.
 */
#ifndef CONFIG_EXPLAIN_H
#define CONFIG_EXPLAIN_H

#include "config/config.h"

/*
 * `what` is an error code ("E231"), a path in a machine ("drives.cache", "drives.root.cache") or a
 * board ("interrupt-parent"), a device type with a property ("ns16550a.console"), a format, protocol
 * or filter of drives ("qcow2"), a board ("arm-virt") or an option of boards ("levels"), a CPU model
 * ("cortex-a57") or feature ("lse"). NULL after reporting that there is no such thing. Free it.
 */
char *config_explain(const char *what, const ConfigOptions *options, Diag *diag);

typedef struct Schema Schema;

typedef struct Node Node;
typedef struct Loader Loader;

/* Of a board, an option of boards, a CPU model or a feature of CPUs. Free it; NULL: there is none. */
char *explain_name(Loader *l, const char *what);

/* The lines of a text, each indented. */
void explain_append(GString *out, const char *text, unsigned indent);

/* "dynamic | fixed; default dynamic", of an option that a format of images has. Free it. */
char *explain_option_values(const Node *option);

/* "threads | native", "a size (B KiB ...)", "map": what may stand there. Free it. */
char *explain_values(const Schema *schema);

#endif
