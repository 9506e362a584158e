/*
 * The command line of a verb: its own options, and those that every verb on a machine takes.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <glib.h>
#include <stdbool.h>

/* What `--set`, `--profile` and `--path` said; NULL-terminated arrays, or NULL when never said. */
typedef struct MachineOptions {
    char **sets; /* PATH=VALUE, in the order given */
    char **profiles;
    char **paths;        /* more folders with boards, schemas and parts */
    bool files_may_miss; /* set by verbs that only look: kernels need not be there */
} MachineOptions;

void machine_options_clear(MachineOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MachineOptions, machine_options_clear)

/*
 * Takes the options out of argv, in any order with the operands. `own` (NULL or ending with an empty
 * entry) are the verb's, `machine` (NULL: the verb has none) receives the common ones. False: said to
 * stderr, the verb ends with EXIT_DESCRIPTION. What follows `--` is left alone.
 */
bool options_parse(int *argc, char ***argv, const GOptionEntry *own, MachineOptions *machine);

#endif
