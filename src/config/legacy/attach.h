/*
 * Attaching: which drives the board takes, what -device takes, and what is left over (DRIVE.md, 2
 * and 7).
 */
#ifndef CONFIG_LEGACY_ATTACH_H
#define CONFIG_LEGACY_ATTACH_H

#include "config/legacy/legacy.h"

/* The board's drives, those of -device, those of if=virtio. False after reporting. */
bool attach_all(Legacy *legacy);

#endif
