/* lathe: builds whole computers from text. Finds the verb and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const Verb *verb;

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    verb = verb_find(name);
    if (!verb) {
        verb_report_unknown(name);
        return EXIT_DESCRIPTION;
    }
    if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        verb_print_help(verb);
        return EXIT_FINE;
    }
    return verb->run(argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
}
