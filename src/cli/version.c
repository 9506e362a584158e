/* `lathe version`: which one is it? */
#include "core/version.h"

#include <stdio.h>

#include "cli/cli.h"

static int version_run(int argc, char **argv)
{
    puts("lathe " LATHE_VERSION);
    return EXIT_FINE;
}

VERB(version) = {
    .name = "version",
    .arguments = "",
    .summary = "the version of this program",
    .help = "Prints it, as `lathe --version` does.\n",
    .run = version_run,
};
