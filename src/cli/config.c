/* `lathe config FILE`: what is in force, and where each value comes from. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/loading.h"

static int config_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autoptr(Diag) diag = diag_new();
    g_autofree char *text = NULL;
    gboolean origin = false, json = false;
    const GOptionEntry own[] = {
        { "origin", 0, 0, G_OPTION_ARG_NONE, &origin, NULL, NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
        { 0 },
    };
    const char *file;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    file = only_operand(argc, argv);
    if (file) {
        const ConfigOptions config = config_options(&options);

        text = config_print(file, &config,
            origin     ? CONFIG_ORIGINS
                : json ? CONFIG_JSON
                       : CONFIG_YAML,
            diag);
    }
    if (text) {
        fputs(text, stdout);
    }
    return file ? finish_with(diag) : EXIT_DESCRIPTION;
}

VERB(config) = {
    .name = "config",
    .arguments =
        "FILE|BOARD [--origin|--json] [--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "what is in force, and where it comes from",
    .help =
        "Prints a machine (or a board, by name) with everything that it extends, its profiles,\n"
        "parameters and defaults put together.\n"
        "\n"
        "  --origin   a line for each value: its path, the value, the place it was written at,\n"
        "             and the layer (a profile, an option, --set, a parameter) it came with\n"
        "  --json     as JSON\n",
    .run = config_run,
};
