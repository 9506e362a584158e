/*
 * Throttling: how long a request has to wait so that limits are kept.
 *
 * Each limit is a bucket that leaks at its rate; a request pours in what it weighs and may begin
 * when what was there before fits. It books its place at once and waits for it, so requests begin
 * in the order of asking, those of other drives in the group too.
 */
#ifndef BLOCK_THROTTLE_H
#define BLOCK_THROTTLE_H

#include <glib.h>
#include <stdint.h>

#include "block/io.h"
#include "core/drive-spec.h"

typedef struct Throttle Throttle;

/*
 * With a group's name: the one that exists, if it has the same limits or none are given. Any
 * thread, as for all functions here.
 */
Throttle *throttle_get(const DriveThrottle *limits, GError **error);
void throttle_unref(Throttle *throttle);

/* Books a request that comes at `now_ns` (never earlier than the last): how long it must wait. */
int64_t throttle_book(Throttle *throttle, const BlockIo *io, int64_t now_ns);

#endif
