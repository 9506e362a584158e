/* The spec's memory, and looking things up in it. */
#include "core/machine.h"

#include <string.h>

MachineSpec *machine_spec_create(void)
{
    return g_new0(MachineSpec, 1);
}

void machine_spec_free(MachineSpec *spec)
{
    if (spec) {
        if (spec->arena_free) {
            spec->arena_free(spec->arena);
        }
        g_free(spec);
    }
}

const PropSpec *device_spec_prop(const DeviceSpec *device, const char *name)
{
    for (unsigned i = 0; i < device->prop_count; i++) {
        if (strcmp(device->props[i].name, name) == 0) {
            return &device->props[i];
        }
    }
    return NULL;
}

const DeviceSpec *machine_spec_device(const MachineSpec *spec, const char *id)
{
    for (unsigned i = 0; i < spec->device_count; i++) {
        if (strcmp(spec->devices[i].id, id) == 0) {
            return &spec->devices[i];
        }
    }
    return NULL;
}

const DriveSpec *machine_spec_drive(const MachineSpec *spec, const char *id)
{
    for (unsigned i = 0; i < spec->drive_count; i++) {
        if (strcmp(spec->drives[i].id, id) == 0) {
            return &spec->drives[i];
        }
    }
    return NULL;
}

unsigned machine_spec_cpu_count(const MachineSpec *spec)
{
    unsigned count = 0;

    for (unsigned i = 0; i < spec->cluster_count; i++) {
        count += spec->clusters[i].count.value;
    }
    return count;
}
