/*
 * What a verb takes, read from the texts that its users read: the usage line and the help. So
 * there is one list of options, and completion cannot know another one.
 */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <glib.h>
#include <stdbool.h>

#include "cli/cli.h"

typedef struct UsageOption {
    char *name;  /* "--set" */
    char *value; /* "PATH=VALUE", "doc|spec|map"; NULL: it takes none */
    char *text;  /* "changes a value"; may be empty */
} UsageOption;

typedef struct Usage {
    GArray *options;     /* of UsageOption */
    GPtrArray *operands; /* of char *: "FILE", "BOARD", "boards" */
} Usage;

Usage *usage_of(const Verb *verb);
void usage_free(Usage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Usage, usage_free)

#endif
