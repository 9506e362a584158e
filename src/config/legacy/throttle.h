/*
 * Limits of drives: throttling.* and the older bps, iops ... (DRIVE.md, 5.6).
 */
#ifndef CONFIG_LEGACY_THROTTLE_H
#define CONFIG_LEGACY_THROTTLE_H

#include "config/legacy/legacy.h"

bool throttle_read(Legacy *legacy, Opts *opts, LegacyDrive *drive);

/* Members of a group share the limits that the last of them gave. */
void throttle_settle_groups(Legacy *legacy);

bool throttle_is_on(const LegacyThrottle *throttle);

#endif
