/*
 * Verbs of the command line: one C file each, src/cli/<verb>.c, with a VERB line.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

/* Exit codes of every verb. */
typedef enum ExitCode {
    EXIT_FINE = 0,
    EXIT_DIFFERENT = 1,   /* a test failed, or a difference was found */
    EXIT_DESCRIPTION = 2, /* the description (or the command line) is wrong */
    EXIT_HOST = 3,        /* the host cannot do what was asked */
    EXIT_SPENT = 4,       /* time or budget spent */
} ExitCode;

typedef struct Verb {
    const char *name;
    const char *arguments; /* "FILE [--set PATH=VALUE]...", for the usage line */
    const char *summary;   /* one line, lower case, for `lathe help` */
    const char *help;      /* what `lathe help VERB` and `--help` print after the usage line */

    /* argv[0] is the verb's name. Prints its own errors; gives the exit code. */
    int (*run)(int argc, char **argv);
    bool explains_itself; /* `lathe VERB COMMAND --help` is its own affair */
} Verb;

/* Declares a verb. build/gen/tables.c lists every line that starts with this macro. */
#define VERB(id)                                                                                   \
    extern const Verb id##_verb;                                                                   \
    const Verb id##_verb

extern const Verb *const verbs[]; /* ends with NULL */

/* NULL when there is none of that name. */
const Verb *verb_find(const char *name);

/* To stderr: there is no verb of this name, and which one may have been meant. */
void verb_report_unknown(const char *name);

/* Prints "usage: lathe NAME ARGUMENTS" and the help text to stdout. */
void verb_print_help(const Verb *verb);

#endif
