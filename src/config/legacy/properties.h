/*
 * What -device takes behind the name: properties of the devices that carry drives, and of their
 * controllers.
 */
#ifndef CONFIG_LEGACY_PROPERTIES_H
#define CONFIG_LEGACY_PROPERTIES_H

#include "config/legacy/devices.h"
#include "config/legacy/legacy.h"

/* Whether the device has every one of the options, with such a value. Of others, nothing is known. */
bool properties_check(Legacy *legacy, const QemuDevice *device, const Opts *opts);

#endif
