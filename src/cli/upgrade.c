/* `lathe upgrade FILE...`: is it current? */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "config/edit.h"

/* New names for old keys, in all files that the machine is made of. */
static int upgrade_one(const char *file, MachineOptions *options, Diag *diag)
{
    g_autoptr(MachineSpec) spec = load_named(file, options, diag);
    g_autoptr(Edits) edits = edits_new();
    g_autoptr(GError) error = NULL;
    int made;

    if (!spec) {
        return finish_with(diag); /* first it has to be right */
    }
    edits_add_fixes_of(edits, diag, DIAG_OLD_NAME);
    made = edits_write(edits, &error);
    if (made < 0) {
        fprintf(stderr, "lathe upgrade: %s\n", error->message);
        return EXIT_HOST;
    }
    if (made) {
        printf("%s: %d keys have their new names\n", file, made);
    } else {
        printf("%s is current\n", file);
    }
    return EXIT_FINE;
}

static int upgrade_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { .files_may_miss = true };
    int worst = EXIT_FINE;

    if (!options_parse(&argc, &argv, NULL, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2) {
        fputs("lathe upgrade: no file; see `lathe help upgrade`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    for (int i = 1; i < argc; i++) {
        g_autoptr(Diag) diag = diag_new();
        int code = upgrade_one(argv[i], &options, diag);

        worst = MAX(worst, code);
    }
    return worst;
}

VERB(upgrade) = {
    .name = "upgrade",
    .arguments = "FILE... [--path DIR]...",
    .summary = "write a file in the current language",
    .help =
        "Within machine/v1 no key changes its meaning, but one may get a better name; the old one "
        "is\n"
        "read as well, with a warning. This writes the new names into the file and those that it\n"
        "extends. Everything else, comments too, stays byte for byte.\n"
        "\n"
        "  --path DIR   another folder with machines/ and schemas/\n"
        "\n"
        "Exit status: 0 it is current now, 2 it is not right yet, 3 it cannot be written.\n",
    .run = upgrade_run,
};
