/*
 * Snapshots: the state of devices as bytes, from their `saved` tables.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "core/device.h"

/* Every saved field by name; loading wants the same class, and names that are the same size. */
GBytes *state_save_device(const Device *dev);
bool state_load_device(Device *dev, GBytes *state, GError **error);

/* The whole machine: devices, CPUs, lines, time and RAM. It is paused. */
GBytes *state_save(Machine *machine);
bool state_load(Machine *machine, GBytes *state, GError **error);

#endif
