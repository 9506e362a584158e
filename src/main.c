/* lathe: builds whole computers from text. Finds the verb and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* Anywhere among the verb's own arguments, which end with `--`. */
static bool asks_for_help(const Verb *verb, int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "-h") == 0) {
        return true;
    }
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return i == 2 || !verb->explains_itself;
        }
    }
    return false;
}

/* A standard file that is closed is one that says nothing, and no disk image that is opened later. */
static void keep_standard_files(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* What could not be written is no success; who reads only a part of it has closed the pipe. */
static int check_output(const char *name, int code)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE) {
        return code;
    }
    fprintf(stderr, "lathe %s: the output cannot be written: %s\n", name, strerror(errno));
    return code == EXIT_FINE ? EXIT_HOST : code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const Verb *verb;

    keep_standard_files();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    verb = verb_find(name);
    if (!verb) {
        verb_report_unknown(name);
        return EXIT_DESCRIPTION;
    }
    if (asks_for_help(verb, argc, argv)) {
        verb_print_help(verb);
        return check_output(name, EXIT_FINE);
    }
    return check_output(name, verb->run(argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv));
}
