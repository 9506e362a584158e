/* `lathe help [VERB]`: what there is. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "config/suggest.h"

const Verb *verb_find(const char *name)
{
    for (unsigned i = 0; verbs[i]; i++) {
        if (strcmp(verbs[i]->name, name) == 0) {
            return verbs[i];
        }
    }
    return NULL;
}

/* What other programs call it. */
static const struct {
    const char *name, *here;
} elsewhere[] = {
    { "up", "run" },
    { "start", "run" },
    { "boot", "run" },
    { "exec", "run" },
    { "create", "new" },
    { "init", "new" },
    { "ls", "list" },
    { "check", "validate" },
    { "lint", "validate" },
    { "verify", "validate" },
    { "format", "fmt" },
    { "diff", "plan" },
    { "pull", "fetch" },
    { "download", "fetch" },
    { "inspect", "config" },
    { "stop", "monitor" },
    { "kill", "monitor" },
    { "down", "monitor" },
    { "attach", "monitor" },
    { "man", "help" },
    { "import", "translate" },
};

static const char *name_here(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(elsewhere); i++) {
        if (strcmp(elsewhere[i].name, name) == 0) {
            return elsewhere[i].here;
        }
    }
    return NULL;
}

void verb_report_unknown(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (unsigned i = 0; verbs[i]; i++) {
        g_ptr_array_add(names, (gpointer)verbs[i]->name);
    }
    near = name_here(name) ? name_here(name) : suggest(name, names);
    fprintf(stderr, "lathe: unknown verb '%s'; ", name);
    if (near) {
        fprintf(stderr, "did you mean `lathe %s`? ", near);
    }
    fputs("`lathe help` lists them\n", stderr);
}

void verb_print_help(const Verb *verb)
{
    printf("usage: lathe %s %s\n\n%s", verb->name, verb->arguments, verb->help);
}

static int help_run(int argc, char **argv)
{
    if (argc > 1) {
        const Verb *verb = verb_find(argv[1]);

        if (!verb) {
            verb_report_unknown(argv[1]);
            return EXIT_DESCRIPTION;
        }
        verb_print_help(verb);
        return EXIT_FINE;
    }
    puts("usage: lathe VERB ...\n\nlathe builds whole computers from text.\n");
    for (unsigned i = 0; verbs[i]; i++) {
        printf("  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    }
    puts("\nBegin with `lathe new`, go on with `lathe validate` and `lathe run`. `lathe help VERB` "
         "says\n"
         "more, `lathe explain drives` explains a key, `man lathe-machine` describes the file.");
    return EXIT_FINE;
}

VERB(help) = {
    .name = "help",
    .arguments = "[VERB]",
    .summary = "what there is, and how to use it",
    .help = "Lists the verbs, or explains one.\n",
    .run = help_run,
};
