/* `lathe validate FILE...`: is it right, and can this host keep its promises? */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "cli/report.h"
#include "config/edit.h"

/* How reports are written. */
typedef void (*Writer)(const Diag *diag, FILE *out);

static void write_for_people(const Diag *diag, FILE *out)
{
    diag_print(diag, stderr, diag_style_for(stderr));
}

static int validate_one(const char *name, bool board, const MachineOptions *options, Writer write)
{
    const ConfigOptions config = config_options(options);
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = board ? config_load_board(name, &config, diag)
                                        : load_named(name, options, diag);

    if (spec && images_are_there(spec, diag)) {
        try_drives(spec, diag);
    }
    write(diag, stdout);
    return diag_exit_code(diag);
}

/* Writes what can be mended without asking. Again, while that uncovers more. */
static int fix_one(const char *name, const MachineOptions *options)
{
    int made = 1;

    for (unsigned round = 0; round < 8 && made > 0; round++) {
        g_autoptr(Diag) diag = diag_new();
        g_autoptr(Edits) edits = edits_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(MachineSpec) spec = load_named(name, options, diag);

        edits_add_fixes(edits, diag);
        made = spec ? 0 : edits_write(edits, &error);
        if (made < 0) {
            fprintf(stderr, "lathe validate: %s\n", error->message);
            return EXIT_HOST;
        }
        if (made) {
            fprintf(stderr, "%s: %d fixed\n", name, made);
        }
    }
    return EXIT_FINE;
}

static int worse(int left, int right)
{
    return left == EXIT_DESCRIPTION || right == EXIT_FINE ? left : right;
}

static int validate_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_auto(GStrv) boards = NULL;
    gboolean fix = false, json = false, github = false;
    const GOptionEntry own[] = {
        { "board", 0, 0, G_OPTION_ARG_STRING_ARRAY, &boards, NULL, NULL },
        { "fix", 0, 0, G_OPTION_ARG_NONE, &fix, NULL, NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
        { "github", 0, 0, G_OPTION_ARG_NONE, &github, NULL, NULL },
        { 0 },
    };
    int result = EXIT_FINE;
    Writer write;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2 && !boards) {
        fputs("lathe validate: no file; see `lathe help validate`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    write = json ? report_json : github ? report_github : write_for_people;
    for (unsigned i = 0; boards && boards[i]; i++) {
        result = worse(result, validate_one(boards[i], true, &options, write));
    }
    for (int i = 1; i < argc; i++) {
        if (fix) {
            result = worse(result, fix_one(argv[i], &options));
        }
        result = worse(result, validate_one(argv[i], false, &options, write));
    }
    return result;
}

VERB(validate) = {
    .name = "validate",
    .arguments = "FILE... [--fix] [--json|--github] [--board BOARD|FILE]... [--set PATH=VALUE]... "
                 "[--profile NAME]... "
                 "[--path DIR]...",
    .summary = "is a machine or a board right?",
    .help =
        "Reads machine files and all they need, opens their drives, and says everything that is\n"
        "wrong with them.\n"
        "\n"
        "  --fix               writes what can be mended without asking; comments are kept\n"
        "  --board BOARD|FILE  a board alone\n"
        "  --set PATH=VALUE    changes a value, as in --set drives.root.cache=none\n"
        "  --profile NAME      merges what the file has under profiles.NAME\n"
        "  --path DIR          another folder with machines/ and schemas/\n"
        "\n"
        "Exit status: 0 all is well, 2 a description is wrong, 3 this host cannot.\n",
    .run = validate_run,
};
