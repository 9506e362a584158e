/*
 * Reads a guest's console along and notices when a kernel panics, so that the run can say so.
 */
#ifndef UI_PANIC_H
#define UI_PANIC_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PanicWatch PanicWatch;

PanicWatch *panic_watch_new(void);
void panic_watch_free(PanicWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PanicWatch, panic_watch_free)

/* Bytes as the console got them, in pieces of any size. */
void panic_watch_feed(PanicWatch *watch, const uint8_t *bytes, size_t length);

/* The line of the first panic; NULL while there was none. Belongs to the watch. */
const char *panic_watch_message(const PanicWatch *watch);

#endif
