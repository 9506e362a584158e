/*
 * The core's half of a device: for build.c, fdt.c, state.c and tests.
 */
#ifndef CORE_DEVICE_IMPL_H
#define CORE_DEVICE_IMPL_H

#include "core/device-spec.h"
#include "core/device.h"
#include "core/line.h"

typedef struct InputGroup {
    const char *name;
    unsigned first, count, base;
} InputGroup;

typedef struct DeviceParts {
    GPtrArray *regions; /* by index; NULL where there is none */
    GPtrArray *secure;  /* the same */
    GArray *groups;     /* InputGroup */
    GPtrArray *inputs;  /* Line *, by set_input's index; made when something connects */
    Line **outputs;     /* borrowed from receivers; the type's, then each CPU's copy */
    unsigned output_count;
    bool started;
    GHashTable *reported; /* formats of guest errors that were traced */
} DeviceParts;

/* Gives a zeroed device (a CPU's is made elsewhere) its parts. */
void device_init(Device *dev, Machine *machine, const char *id, Mark mark, unsigned output_count);
/* Stops it if it was started, and frees the parts. */
void device_clear(Device *dev);

/* A device of a class from the lists, with properties not set; freed by device_free(). */
Device *device_new(const DeviceClass *class, Machine *machine, const DeviceSpec *spec);
void device_free(Device *dev);

bool device_set_props(Device *dev, Diag *diag);

/* Input lines, made when they are first asked for; NULL when the device has no such one. */
Line *device_input(Device *dev, unsigned index);
Line *device_named_input(Device *dev, const char *group, unsigned number);

/* Output index as device_set_irq's; CPU outputs follow the type's. */
void device_connect(Device *dev, unsigned output, Line *line);

#endif
