/* `lathe monitor MACHINE [COMMAND...]`: asks a machine that runs, or changes it. */
#include "ui/monitor.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run-folder.h"

static int complain(const GError *error)
{
    fprintf(stderr, "lathe monitor: %s\n", error->message);
    return EXIT_HOST;
}

static int ask(const char *path, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    bool fine;

    text = monitor_ask(path, line, &fine, &error);
    if (!text) {
        return complain(error);
    }
    fputs(text, fine ? stdout : stderr);
    return fine ? EXIT_FINE : EXIT_DIFFERENT;
}

/* The last command's exit status. */
static int ask_each_line(const char *path)
{
    char line[4096];
    int code = EXIT_FINE;

    if (isatty(STDIN_FILENO)) {
        ask(path, "help");
    }
    while (fgets(line, sizeof(line), stdin)) {
        g_strstrip(line);
        if (*line) {
            code = ask(path, line);
            fflush(stdout);
        }
    }
    return code;
}

static char *quote_words(char **words, unsigned count)
{
    GString *line = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *word = g_shell_quote(words[i]);

        g_string_append_printf(line, "%s%s", i > 0 ? " " : "", word);
    }
    return g_string_free(line, false);
}

static int monitor_run(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL, *line = NULL;

    if (argc < 2) {
        fprintf(stderr, "lathe monitor: wants a MACHINE; `lathe ps` lists them\n");
        return EXIT_DESCRIPTION;
    }
    path = run_folder_find(argv[1], &error);
    if (!path) {
        return complain(error);
    }
    if (argc == 2) {
        return ask_each_line(path);
    }
    line = quote_words(argv + 2, argc - 2);
    return ask(path, line);
}

/* clang-format off */
VERB(monitor) = {
    .name = "monitor",
    .arguments = "MACHINE [COMMAND...]",
    .summary = "ask a machine that runs, or change it",
    .help = "MACHINE is a name that `lathe ps` lists, with or without its number, or the path of a socket. Without a\n"
            "command, commands are read from standard input, a line each; `help` lists them.\n\n"
            "Exit status: 0 done, 1 the machine says what is wrong, 2 the command line is wrong, 3 no such machine.\n",
    .run = monitor_run,
};
/* clang-format on */
