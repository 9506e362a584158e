/*
 * Image locks: two writers to one image destroy it, so an image that is open for writing is
 * locked against all others, and one that is open for reading against writers. The locks are
 * advisory open-file-description locks (fcntl(2), F_OFD_SETLK) on the whole file, which other
 * emulators respect, and which end with the process however it ends.
 */
#ifndef BLOCK_FILE_LOCK_H
#define BLOCK_FILE_LOCK_H

#include <glib.h>
#include <stdbool.h>

/* Sets BLOCK_ERROR_IN_USE, naming the process that has it when that can be seen. */
bool file_lock(int fd, const char *path, bool for_write, GError **error);

#endif
