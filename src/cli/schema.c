/* `lathe schema [KIND]`: the schemas, for editors and other validators. */
#include "config/export.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/loading.h"

static int schema_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autoptr(Diag) diag = diag_new();
    g_autofree char *text = NULL;
    int draft = 2020;
    const GOptionEntry own[] = {
        { "draft", 0, 0, G_OPTION_ARG_INT, &draft, NULL, NULL },
        { 0 },
    };

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc > 2 || (draft != 7 && draft != 2020)) {
        fputs(
            "lathe schema: wants one kind, and draft 7 or 2020; see `lathe help schema`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    const ConfigOptions config = { .paths = options.paths };

    text = config_export_schema(argc == 2 ? argv[1] : "machine", draft, &config, diag);
    if (text) {
        fputs(text, stdout);
    }
    return finish_with(diag);
}

VERB(schema) = {
    .name = "schema",
    .arguments = "[machine|board|DEVICE] [--draft 7] [--path DIR]...",
    .summary = "the schema of a file, as JSON, for editors",
    .help = "Prints one JSON Schema with all that it refers to, for editors and other validators.\n"
            "\n"
            "  --draft 7   draft 7 instead of 2020-12\n"
            "\n"
            "An editor finds it by a first line such as\n"
            "  # yaml-language-server: $schema=machine.schema.json\n",
    .run = schema_run,
};
