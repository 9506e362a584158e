/*
 * Images on their way into the cache, with a line for each on standard error.
 */
#ifndef CLI_FETCHING_H
#define CLI_FETCHING_H

#include "config/lock.h"

/*
 * Gives each image a digest: the one that is pinned for its URL, or by downloading it. Those named
 * by `updates` are downloaded anyhow; with `offline`, what is not pinned stays so. False: said.
 */
bool pin_images(LockImages *images, char **updates, bool offline, Diag *diag);

/* Downloads what is pinned and not there. False: said. */
bool fetch_images(LockImages *images, Diag *diag);

#endif
