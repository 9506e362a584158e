/*
 * The devices of QEMU 7.2 that -device takes: on what bus, and what buses they bring.
 */
#ifndef CONFIG_LEGACY_DEVICES_H
#define CONFIG_LEGACY_DEVICES_H

#include <glib.h>
#include <stdbool.h>

typedef enum QemuDeviceFlags {
    DEVICE_DRIVE = 1 << 0,     /* has a property `drive` */
    DEVICE_REMOVABLE = 1 << 1, /* works without a medium */
    DEVICE_WRITES = 1 << 2,    /* cannot be read-only */
    DEVICE_DRIVE_OPTIONAL = 1 << 3,
    DEVICE_BRIDGE = 1 << 4, /* the bus that it brings is not used unless named */
} QemuDeviceFlags;

typedef struct QemuDevice {
    const char *name; /* aliases resolved: "virtio-blk" is "virtio-blk-pci" */
    unsigned flags;
    const char *brings; /* type of the buses that it has */
    unsigned bus_count;
    const char *inner;      /* the device that has the drive, if it is not itself */
    const char *plugs_into; /* type of its bus; "": none */
} QemuDevice;

/* False: the program has no such device. */
bool qemu_device_find(const char *arch, const char *name, QemuDevice *device);

/* Adds all names, for "did you mean". */
void qemu_device_names(const char *arch, GPtrArray *names);

#endif
