/*
 * Export: our schemas as JSON Schema that any validator and editor understands: one file, nothing
 * but standard keywords, in draft 2020-12 or draft 7.
 */
#ifndef CONFIG_EXPORT_H
#define CONFIG_EXPORT_H

#include "config/config.h"

/* `kind` is "machine", "board" or a device type. NULL after reporting. Free it. */
char *config_export_schema(
    const char *kind, unsigned draft, const ConfigOptions *options, Diag *diag);

#endif
