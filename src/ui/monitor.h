/*
 * A monitor: a Unix socket at which other programs of the same user ask about a machine that runs,
 * and change it. A connection is one command, a line of words; the answer is a line "ok" or
 * "error", then a text up to the end of the connection.
 */
#ifndef UI_MONITOR_H
#define UI_MONITOR_H

#include <glib.h>
#include <stdbool.h>

typedef struct Monitor Monitor;

/* Does what the words say; the answer goes to `out`. False: it says what is wrong. Loop's thread. */
typedef bool (*MonitorCommand)(void *data, char **words, GString *out);

/* Machine lock held. What is at the path must not be in use by a monitor that answers. */
Monitor *monitor_new(const char *path, MonitorCommand command, void *data, GError **error);
void monitor_free(Monitor *monitor); /* the socket goes, too; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Monitor, monitor_free)

/* The other side: gives the answer, or NULL when there is nobody. *fine: it was "ok". Waits. */
char *monitor_ask(const char *path, const char *line, bool *fine, GError **error);

#endif
