/* `lathe fmt FILE...`: is it tidy? */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "config/edit.h"
#include "config/format.h"

/* Standard input to standard output, for editors. */
static int format_input(Diag *diag)
{
    g_autoptr(Source) source = source_read("/dev/stdin", diag, NO_MARK);
    g_autofree char *text = source ? format_yaml(source, diag) : NULL;

    if (text) {
        fputs(text, stdout);
    }
    return diag_exit_code(diag);
}

static int format_file(const char *name, bool check, Diag *diag)
{
    g_autoptr(Source) source = source_read(name, diag, NO_MARK);
    g_autofree char *text = source ? format_yaml(source, diag) : NULL;
    g_autoptr(GError) error = NULL;
    gsize size;

    if (!text) {
        return diag_exit_code(diag);
    }
    if (strlen(text) == g_bytes_get_size(source->text) &&
        memcmp(text, g_bytes_get_data(source->text, &size), strlen(text)) == 0) {
        return EXIT_FINE;
    }
    puts(name);
    if (check) {
        return EXIT_DIFFERENT;
    }
    if (!edit_write_file(name, text, &error)) {
        fprintf(stderr, "lathe fmt: %s\n", error->message);
        return EXIT_HOST;
    }
    return EXIT_FINE;
}

static int fmt_run(int argc, char **argv)
{
    gboolean check = false;
    const GOptionEntry own[] = {
        { "check", 0, 0, G_OPTION_ARG_NONE, &check, NULL, NULL },
        { 0 },
    };
    int worst = EXIT_FINE;

    if (!options_parse(&argc, &argv, own, NULL)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2) {
        fputs("lathe fmt: no file; see `lathe help fmt`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    for (int i = 1; i < argc; i++) {
        g_autoptr(Diag) diag = diag_new();
        int code = strcmp(argv[i], "-") == 0 ? format_input(diag)
                                             : format_file(argv[i], check, diag);

        diag_print(diag, stderr, diag_style_for(stderr));
        worst = MAX(worst, code);
    }
    return worst;
}

VERB(fmt) = {
    .name = "fmt",
    .arguments = "FILE|-... [--check]",
    .summary = "lay a file out as all others are",
    .help =
        "Rewrites blanks and empty lines: two blanks a level, `{ a: 1, b: [2, 3] }`, no blanks at\n"
        "the end of a line. Words, comments, order and line ends stay as they are. Prints the\n"
        "names of the files that it changes; `-` is from standard input to standard output.\n"
        "\n"
        "  --check   only prints the names\n"
        "\n"
        "Exit status: 0 all are tidy now, 1 (--check) some are not, 2 a file is not YAML,\n"
        "3 a file cannot be written.\n",
    .run = fmt_run,
};
