/* lathe: builds whole computers from text. Finds the verb and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Anywhere among the verb's own arguments, which end with `--`. */
static bool asks_for_help(const Verb *verb, int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "-h") == 0) {
        return true;
    }
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return i == 2 || !verb->explains_itself;
        }
    }
    return false;
}

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
    if (asks_for_help(verb, argc, argv)) {
        verb_print_help(verb);
        return EXIT_FINE;
    }
    return verb->run(argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
}
