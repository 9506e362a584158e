/*
 * The descriptions of an earlier revision: git's, in a folder of their own.
 */
#ifndef CLI_REVISION_H
#define CLI_REVISION_H

#include <glib.h>

/*
 * All YAML files and locks of the repository around `file`, as they were at `name` ("HEAD~1"). Gives
 * the file's path among them; `folder` is to be given to revision_remove.
 */
char *revision_take(const char *file, const char *name, char **folder, GError **error);

/* Removes the folder with all in it, and frees its name. NULL is fine. */
void revision_remove(char *folder);

#endif
