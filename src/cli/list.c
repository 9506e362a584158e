/* `lathe list boards|devices|cpus|formats`: what a file can name. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/loading.h"

static void print_list(const char *what, const ConfigOptions *config, Diag *diag)
{
    g_autoptr(GPtrArray) names = config_list(what, config, diag);

    for (unsigned i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *summary = config_summary(what, name, config, diag);

        printf("%-20s %s\n", name, summary ? summary : "");
    }
}

static int list_run(int argc, char **argv)
{
    static const char *const kinds[] = { "boards", "devices", "cpus", "formats", NULL };
    g_auto(MachineOptions) options = { 0 };
    g_autoptr(Diag) diag = diag_new();

    if (!options_parse(&argc, &argv, NULL, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc != 2 || !g_strv_contains(kinds, argv[1])) {
        fputs("lathe list: wants boards, devices, cpus or formats\n", stderr);
        return EXIT_DESCRIPTION;
    }
    print_list(argv[1], &(ConfigOptions){ .paths = options.paths }, diag);
    return finish_with(diag);
}

VERB(list) = {
    .name = "list",
    .arguments = "boards|devices|cpus|formats [--path DIR]...",
    .summary = "the boards, device types, CPU models or image formats there are",
    .help = "Prints a line for each: its name, as a file spells it, and what it is.\n"
            "\n"
            "  --path DIR          another folder with machines/ and schemas/\n",
    .run = list_run,
};
