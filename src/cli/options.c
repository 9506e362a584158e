#include "cli/options.h"

#include <stdio.h>

void machine_options_clear(MachineOptions *options)
{
    g_clear_pointer(&options->sets, g_strfreev);
    g_clear_pointer(&options->profiles, g_strfreev);
    g_clear_pointer(&options->paths, g_strfreev);
}

bool options_parse(int *argc, char ***argv, const GOptionEntry *own, MachineOptions *machine)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    const char *verb = (*argv)[0];

    /* `lathe VERB --help` is answered from the verb's own text before we come here. */
    g_option_context_set_help_enabled(context, FALSE);
    if (own) {
        g_option_context_add_main_entries(context, own, NULL);
    }
    if (machine) {
        const GOptionEntry common[] = {
            { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &machine->sets, NULL, NULL },
            { "profile", 0, 0, G_OPTION_ARG_STRING_ARRAY, &machine->profiles, NULL, NULL },
            { "path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &machine->paths, NULL, NULL },
            { 0 },
        };

        g_option_context_add_main_entries(context, common, NULL);
    }
    if (!g_option_context_parse(context, argc, argv, &error)) {
        fprintf(stderr, "lathe %s: %s; see `lathe help %s`\n", verb, error->message, verb);
        return false;
    }
    return true;
}
