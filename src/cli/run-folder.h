/*
 * The folder where machines that run have their monitors: NAME.PID, in lathe/ of XDG_RUNTIME_DIR,
 * or in /tmp/lathe-UID. Nobody else may look into it.
 */
#ifndef CLI_RUN_FOLDER_H
#define CLI_RUN_FOLDER_H

#include <glib.h>
#include <stdbool.h>

/* The socket of this process for a machine of that name; makes the folder. */
char *run_folder_socket(const char *machine, GError **error);

/* The sockets of all machines, of char *. */
GPtrArray *run_folder_list(void);

/* The one socket that `machine` means: NAME, NAME.PID, or a path. */
char *run_folder_find(const char *machine, GError **error);

#endif
