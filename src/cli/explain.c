/* `lathe explain WHAT`: a key, a device type or an error code, offline. */
#include "config/explain.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "config/manual.h"

static int print_manual(const char *part, Diag *diag)
{
    g_autofree char *text = config_manual(part, diag);

    if (!text) {
        fputs("lathe explain: --man wants machine, board, devices, cpus, formats,\n"
              "               protocols, filters or codes\n",
            stderr);
        return EXIT_DESCRIPTION;
    }
    fputs(text, stdout);
    return finish_with(diag);
}

static int explain_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autoptr(Diag) diag = diag_new();
    g_autofree char *manual = NULL;
    const GOptionEntry own[] = {
        { "man", 0, 0, G_OPTION_ARG_STRING, &manual, NULL, NULL },
        { 0 },
    };

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (manual) {
        return print_manual(manual, diag);
    }
    if (argc < 2) {
        fputs("lathe explain: what? see `lathe help explain`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    for (int i = 1; i < argc; i++) {
        const ConfigOptions config = { .paths = options.paths };
        g_autofree char *text = config_explain(argv[i], &config, diag);

        printf("%s%s", text && i > 1 ? "\n" : "", text ? text : "");
    }
    return finish_with(diag);
}

VERB(explain) = {
    .name = "explain",
    .arguments = "PATH|DEVICE|FORMAT|BOARD|CPU|CODE... [--path DIR]...",
    .summary = "what a key, a device type, a format, a board or an error code means",
    .help = "Says what the schemas know, without a network.\n"
            "\n"
            "  lathe explain drives.cache       a key of a machine, or of a board\n"
            "  lathe explain ns16550a.console   a device type, or one of its properties\n"
            "  lathe explain qcow2              a format, protocol or filter of drives\n"
            "  lathe explain arm-virt           a board with its options; levels: one of them\n"
            "  lathe explain cortex-a57         a CPU model; lse: a feature\n"
            "  lathe explain E231               an error code\n"
            "\n"
            "  --man PART   all of it for a manual page: machine, board, devices, cpus, formats,\n"
            "               protocols, filters or codes\n",
    .run = explain_run,
};
