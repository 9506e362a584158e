/*
 * I/O loops: where the requests of a drive run.
 *
 * All nodes of a drive live on one loop, so they need no locks. A loop runs on a thread of its own
 * (io_loop_start) or, for the tools, on the caller's while something is waited for (io_loop_run).
 * Everything but io_loop_post is for the loop's own thread.
 */
#ifndef BLOCK_IO_LOOP_H
#define BLOCK_IO_LOOP_H

#include <glib.h>
#include <stdbool.h>

#include "core/coroutine.h"

typedef struct IoLoop IoLoop;

/* Something to do once; part of its owner, which stays until it has run. */
typedef struct IoWork {
    struct IoWork *next;
    void (*run)(struct IoWork *work);
} IoWork;

/*
 * Something to do on every turn: an engine submits what was queued and collects what is finished.
 * Returns true when it did anything, so that the loop turns again before it sleeps.
 */
typedef struct IoHook {
    struct IoHook *next;
    bool (*turn)(struct IoHook *hook);
} IoHook;

IoLoop *io_loop_new(GError **error);
void io_loop_free(IoLoop *loop); /* stops the thread first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IoLoop, io_loop_free)

/* Gives the loop a thread; the name is seen in ps and gdb. */
void io_loop_start(IoLoop *loop, const char *name);

/* Runs `work` on the loop. Any thread; never blocks. */
void io_loop_post(IoLoop *loop, IoWork *work);

/* Runs entry in a coroutine on the loop and waits until it has returned. Not from the loop. */
void io_loop_run(IoLoop *loop, CoroutineEntry *entry, void *data);

/* [co] Lets the loop turn for at least this long. */
void io_loop_sleep(IoLoop *loop, int64_t nanoseconds);

/* [co] Waits until a descriptor is ready for some of `events` (POLLIN, POLLOUT), or in error. */
void io_loop_wait_fd(IoLoop *loop, int fd, short events);
/* [co] The same, for at most this long; false when that is over. */
bool io_loop_wait_fd_for(IoLoop *loop, int fd, short events, int64_t nanoseconds);

/*
 * What went wrong where nobody waits for a result, as when a node is closed: "`disk` ...". What is
 * not taken is printed when the loop ends.
 */
void io_loop_report(IoLoop *loop, const char *text);
char *io_loop_take_reports(IoLoop *loop); /* lines, the caller's; NULL: there was nothing */

/* Nanoseconds of the monotonic clock. Any thread. */
int64_t io_loop_now(void);

/* While somebody waits for all requests to end, nothing is put off on purpose. Any thread. */
void io_loop_hurry(IoLoop *loop, bool hurry);
bool io_loop_is_hurried(const IoLoop *loop);

void io_loop_add_hook(IoLoop *loop, IoHook *hook);
void io_loop_remove_hook(IoLoop *loop, IoHook *hook);

/* Places for what users of the loop share: the engines. */
enum { IO_LOOP_SLOTS = 3 };
void **io_loop_slot(IoLoop *loop, unsigned index);

/* An eventfd that wakes the loop, for kernel interfaces that signal one. */
int io_loop_eventfd(const IoLoop *loop);

#endif
