/*
 * ARM generic timer: what a board says of it.
 *
 * The timers themselves are in the CPUs, as system registers, and interrupt through PPIs that the
 * architecture's base system fixes. This device tells the guest so in its device tree.
 */
#include "core/device.h"

DEVICE_CLASS(arm_generic_timer) = {
    .name = "arm-generic-timer",
    .state_size = sizeof(Device),
};
