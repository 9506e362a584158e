/*
 * Devices: one C file and one schema file each.
 *
 * The schema (schemas/devices/<type>.v1.yaml) says what a board may write, with types, limits,
 * defaults and help. The class says where those values land in the C state, and what the device
 * does. `make check` fails when a name is in one and not in the other.
 *
 * Life: made zeroed, properties set, start, reset; then callbacks until stop. Everything here and
 * every callback runs with the machine lock, on the loop's thread or a CPU's.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stddef.h>

#include "core/clock.h"
#include "core/mark.h"
#include "core/region.h"

typedef struct Device Device;
typedef struct Machine Machine;
typedef struct AddressSpace AddressSpace;
typedef struct FdtNode FdtNode;
typedef struct Diag Diag;
typedef struct DeviceSpec DeviceSpec;

/* The C type of the field is in brackets. */
typedef enum PropKind {
    PROP_END,
    PROP_BOOL,   /* bool */
    PROP_U32,    /* uint32_t */
    PROP_U64,    /* uint64_t */
    PROP_I64,    /* int64_t */
    PROP_SIZE,   /* uint64_t, bytes */
    PROP_STRING, /* const char *, lives as long as the machine; NULL when not given */
    PROP_ENUM,   /* unsigned: index into words */
    PROP_LINK,   /* Device *; NULL when not given */
    PROP_BLOCK,  /* Drive *, of the drive named */
    PROP_CHAR,   /* Channel *, of the host channel named; NULL when not given or not there */
} PropKind;

/*
 * Binds a schema property to a field; the value has passed the schema by then. A field spells the
 * hyphens of its key as underscores. Without a value in the spec (the schema has no default) the
 * field stays zero.
 */
typedef struct Prop {
    const char *name;
    PropKind kind;
    size_t offset;
    const char *const *words; /* PROP_ENUM: the schema's enum in the order of the C enum, NULL */
} Prop;
#define PROP(kind, State, field)                                                                   \
    {                                                                                              \
#field, PROP_##kind, offsetof(State, field), NULL                                          \
    }
#define PROP_WORDS(State, field, list)                                                             \
    {                                                                                              \
#field, PROP_ENUM, offsetof(State, field), list                                            \
    }

/* Names a field to save; the same table drives snapshots, `info device` and the tests. */
typedef struct Saved {
    const char *name;
    size_t offset, size;
} Saved;
#define SAVED(State, field)                                                                        \
    {                                                                                              \
#field, offsetof(State, field), sizeof(((State *)0)->field)                                \
    }

typedef struct DeviceClass {
    const char *name;  /* the word after `type:` and the schema's file name */
    size_t state_size; /* the state starts with a Device and comes zeroed */
    const Prop *props;
    const Saved *saved;

    bool (*start)(Device *dev, Diag *diag); /* properties are set: add regions, inputs */
    void (*reset)(Device *dev);             /* to the power-on state; called after start */
    void (*stop)(Device *dev);              /* optional; accepts a half-started device */
    void (*loaded)(Device *dev);            /* optional: saved fields are back; set timers */
    void (*describe)(const Device *dev, FdtNode *node); /* optional; beyond the schema's fdt */
    void (*set_input)(Device *dev, unsigned index, bool level); /* of device_add_inputs() */
    /* A bus, whose schema offers one: child, in its slot, has started, as the bus itself has. */
    bool (*plug)(Device *bus, Device *child, Diag *diag);
    /* A person pushes a button of the machine; false: it has none of that name. */
    bool (*press)(Device *dev, const char *button);
} DeviceClass;

/* Declares a class. build/gen/tables.c lists every line that starts with this macro. */
#define DEVICE_CLASS(id)                                                                           \
    extern const DeviceClass id##_device_class;                                                    \
    const DeviceClass id##_device_class

extern const DeviceClass *const device_classes[];       /* ends with NULL */
const DeviceClass *device_class_find(const char *name); /* NULL when there is none */

struct Device {
    const DeviceClass *class;
    const char *id; /* the key in the board file, such as "uart0" or "virtio.3" */
    Mark mark;      /* where the board declares it */
    Machine *machine;
    const DeviceSpec *spec;    /* what the board says of it */
    Device *parent;            /* the bus it is plugged into, or NULL */
    struct DeviceParts *parts; /* the core's: regions, lines, inputs (device-impl.h) */
};

/*
 * Adds a region; takes it. Its name is the schema's under x-lathe.regions, by which the board
 * gives its address; index is for device_region() and the order of `reg` in the FDT.
 */
void device_add_region(Device *dev, unsigned index, Region *region);
Region *device_region(const Device *dev, unsigned index);
/* What the CPUs' secure state finds in the place of that region, of the same name; takes it. */
void device_add_secure_region(Device *dev, unsigned index, Region *region);
Region *device_secure_region(const Device *dev, unsigned index); /* NULL: the same */
/* Has the machine two security states? */
bool device_has_secure_state(const Device *dev);

/*
 * Adds input lines group.first ... group.(first + count - 1), as a board spells them (`spi.1`; a
 * controller with one kind of input calls it "line"). set_input gets base, base + 1, ...
 */
void device_add_inputs(
    Device *dev, const char *group, unsigned first, unsigned count, unsigned base);

/* Drives an output: the index is the schema's order. One that is not connected goes nowhere. */
void device_set_irq(Device *dev, unsigned index, bool level);
/* Drives one of the outputs that the schema gives for each CPU; there may be fewer CPUs. */
void device_set_cpu_irq(Device *dev, unsigned cpu, unsigned which, bool level);
unsigned device_cpu_count(const Device *dev);

/* Memory as a bus master sees it: bounded by what the machine has, whatever the guest says. */
MemResult device_dma_read(Device *dev, GuestAddr at, void *out, uint64_t length);
MemResult device_dma_write(Device *dev, GuestAddr at, const void *data, uint64_t length);
/* address_space_map_ram(); call device_dma_wrote() after writing. */
void *device_dma_map(Device *dev, GuestAddr at, uint64_t *length, bool for_write);
void device_dma_wrote(Device *dev, GuestAddr at, uint64_t length);
AddressSpace *device_dma(const Device *dev);

Clock *device_clock(const Device *dev); /* the machine's time */
int64_t device_now(const Device *dev);
/* The time of day, in ns since 1970: from `clock.start`, or from the host's at power-on. */
int64_t device_time_of_day(const Device *dev);
uint64_t device_clock_hz(const Device *dev, const char *name); /* a `clock:` of it; 0: none */

/* Points at the property's own line in the board file. Always returns false. */
bool device_error(Device *dev, Diag *diag, const char *prop, const char *fmt, ...)
    G_GNUC_PRINTF(4, 5);

/* The guest did something wrong: traced (point `guest`) once per device and format; never stops. */
void device_guest_error(Device *dev, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif
