/* `lathe ps`: the machines of this user that run. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run-folder.h"
#include "ui/monitor.h"

static int ps_run(int argc, char **argv)
{
    g_autoptr(GPtrArray) all = run_folder_list();

    if (argc > 1) {
        fprintf(stderr, "lathe ps: takes no arguments, `%s` was given\n", argv[1]);
        return EXIT_DESCRIPTION;
    }
    for (unsigned i = 0; i < all->len; i++) {
        g_autofree char *name = g_path_get_basename(all->pdata[i]);
        g_autoptr(GError) error = NULL;
        g_autofree char *status = NULL;
        bool fine;

        status = monitor_ask(all->pdata[i], "status", &fine, &error);
        if (status) {
            printf("%-24s %s", name, status);
        } else if (g_error_matches(error, G_FILE_ERROR, g_file_error_from_errno(ECONNREFUSED))) {
            unlink(all->pdata[i]); /* nobody listens: of one that was killed */
        }
    }
    return EXIT_FINE;
}

VERB(ps) = {
    .name = "ps",
    .arguments = "",
    .summary = "list the machines that run",
    .help = "A line for each machine of this user: its name with the number of its process, and "
            "what it does.\n",
    .run = ps_run,
};
