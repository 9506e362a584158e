/* `lathe validate FILE...`: is it right, and can this host keep its promises? */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "config/config.h"

static int validate_one(const char *name, bool board, const MachineOptions *options)
{
    const ConfigOptions config = { options->sets, options->profiles, options->paths };
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = board ? config_load_board(name, &config, diag)
                                        : config_load(name, &config, diag);

    diag_print(diag, stderr, diag_style_for(stderr));
    return diag_exit_code(diag);
}

static int validate_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_auto(GStrv) boards = NULL;
    const GOptionEntry own[] = {
        { "board", 0, 0, G_OPTION_ARG_STRING_ARRAY, &boards, NULL, NULL },
        { 0 },
    };
    int result = EXIT_FINE;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2 && !boards) {
        fputs("lathe validate: no file; see `lathe help validate`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    for (unsigned i = 0; boards && boards[i]; i++) {
        int code = validate_one(boards[i], true, &options);

        result = code == EXIT_DESCRIPTION || result == EXIT_FINE ? code : result;
    }
    for (int i = 1; i < argc; i++) {
        int code = validate_one(argv[i], false, &options);

        result = code == EXIT_DESCRIPTION || result == EXIT_FINE ? code : result;
    }
    return result;
}

VERB(validate) = {
    .name = "validate",
    .arguments =
        "FILE... [--board NAME|FILE]... [--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "is a machine or a board right?",
    .help = "Reads machine files and all they need, and says everything that is wrong with them.\n"
            "\n"
            "  --board NAME|FILE   a board alone\n"
            "  --set PATH=VALUE    changes a value, as in --set drives.root.cache=none\n"
            "  --profile NAME      merges what the file has under profiles.NAME\n"
            "  --path DIR          another folder with machines/ and schemas/\n"
            "\n"
            "Exit status: 0 all is well, 2 a description is wrong, 3 this host cannot.\n",
    .run = validate_run,
};
