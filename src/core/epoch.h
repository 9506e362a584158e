/*
 * Epochs: readers that never wait, and garbage that is freed when none can still see it.
 *
 * A reader is between epoch_enter() and epoch_leave(); these nest and cost two stores and a fence.
 * A writer unlinks an object, then retires it; it is freed later, by a writer, once every reader
 * of that time has left.
 */
#ifndef CORE_EPOCH_H
#define CORE_EPOCH_H

#include <glib.h>

/* Any thread. */
void epoch_enter(void);
void epoch_leave(void);

/* With the machine lock. Takes object; calls free_func(object) when it is safe, perhaps at once. */
void epoch_retire(void *object, GDestroyNotify free_func);

#endif
