/*
 * Names in one option of what another one made: -device virtio-rng-pci,rng=NAME.
 */
#ifndef CONFIG_LEGACY_LINKS_H
#define CONFIG_LEGACY_LINKS_H

#include "config/legacy/legacy.h"

/* Whether there is what -device, -machine, -serial ... name. False after reporting. */
bool links_check(Legacy *legacy);

#endif
