/* What can be asked of a machine that runs, at its monitor. */
#ifndef CLI_RUN_COMMANDS_H
#define CLI_RUN_COMMANDS_H

#include <glib.h>
#include <stdbool.h>

#include "core/build.h"

/* What `lathe run` lets others do with its machine; the loop's thread, machine lock held. */
typedef struct RunControl {
    Machine *machine;
    GPtrArray *drives; /* Drive */
    char *stopped;     /* why it stands still: a drive's policy on errors; NULL: it does not */
    bool paused;       /* by the user */
} RunControl;

/* Goes on after a pause, or after a drive has stopped the machine, whose requests are repeated. */
void run_control_continue(RunControl *control);

/* A MonitorCommand; data is a RunControl. */
bool run_command(void *data, char **words, GString *out);

/* "drive NAME stats" ...: a line for each command. */
void run_commands_help(GString *out);

#endif
