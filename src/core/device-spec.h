/*
 * Devices as plain data: what config knows about each device of a machine, and about its type.
 *
 * A list is a pointer and a count; the pointer is NULL when the list is empty. Memory, strings
 * too, belongs to the MachineSpec (core/machine.h).
 */
#ifndef CORE_DEVICE_SPEC_H
#define CORE_DEVICE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mark.h"

/* ---- device tree: what schemas and boards add by hand ---- */

typedef enum FdtItemKind { FDT_CELL, FDT_STRING, FDT_REFERENCE } FdtItemKind;

typedef struct FdtItem {
    FdtItemKind kind;
    uint32_t cell;
    const char *text; /* FDT_STRING; FDT_REFERENCE: a device or clock id, or "self" */
} FdtItem;

typedef struct FdtPropSpec {
    const char *name;
    const FdtItem *items; /* none: an empty property, such as dma-coherent */
    unsigned item_count;
} FdtPropSpec;

typedef struct FdtNodeSpec FdtNodeSpec;
struct FdtNodeSpec {
    const char *name; /* as in the tree: "poweroff", "reserved@80000000" */
    Mark mark;
    const FdtPropSpec *props;
    const FdtNodeSpec *nodes;
    unsigned prop_count, node_count;
};

/* ---- device types: x-lathe of schemas/devices/<type>.v1.yaml, once for each type in use ---- */

typedef enum Trigger {
    TRIGGER_LEVEL_HIGH,
    TRIGGER_LEVEL_LOW,
    TRIGGER_EDGE_RISING,
    TRIGGER_EDGE_FALLING
} Trigger;

typedef struct OutputType {
    const char *name; /* the order is that of device_set_irq's index */
    Trigger trigger;
} OutputType;

/* An output that each CPU gets its own copy of, such as a PLIC's external interrupts. */
typedef struct CpuOutputType {
    const char *name;
    unsigned input; /* number of the CPU's input; RISC-V: bit in mip */
} CpuOutputType;

typedef struct DeviceType {
    const char *name;
    const char *offers_bus; /* others plug into it: virtio-mmio offers "virtio" */
    const char *plugs_into; /* the bus it needs: "virtio" for virtio-blk */
    bool interrupt_controller;

    const OutputType *outputs;
    const CpuOutputType *cpu_outputs; /* behind outputs, all of CPU 0, then of CPU 1 ... */
    unsigned output_count, cpu_output_count;

    const char *fdt_node; /* NULL: no node made from the schema */
    const char *const *fdt_compatible;
    unsigned fdt_compatible_count;
    unsigned fdt_interrupt_cells; /* of an interrupt controller */
    bool fdt_clocks;              /* its node has `clocks` and `clock-names` */
    const FdtNodeSpec *fdt_roots; /* nodes it adds at the root; &self is the device */
    unsigned fdt_root_count;
} DeviceType;

/* ---- devices ---- */

typedef enum PropValueKind {
    VALUE_BOOL,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_NUMBERS,
    VALUE_STRINGS
} PropValueKind;

/* A property as the schema knows it: quantities are in bytes, Hz or ns; references are names. */
typedef struct PropSpec {
    const char *name;
    Mark mark; /* of the value; of the device when it is a default */
    PropValueKind kind;
    bool is_default;
    bool hidden;     /* the guest cannot tell what it is */
    uint64_t number; /* VALUE_BOOL: 0 or 1; negative numbers as two's complement */
    const char *text;
    const uint64_t *numbers;
    const char *const *strings;
    unsigned count;
} PropSpec;

typedef struct RegionSpec {
    const char *name;  /* from the schema: "regs"; in its order */
    uint64_t at, size; /* size 0: the device decides (property `size`, count of CPUs) */
    Mark mark;
} RegionSpec;

typedef struct IrqSpec {
    unsigned output;        /* index into type->outputs */
    const char *controller; /* device id */
    const char *group;      /* "spi", "ppi", "line" */
    unsigned line;          /* within the group */
    Trigger trigger;
    Mark mark;
} IrqSpec;

/* A clock the device runs on, in the order of the schema (which is that of clock-names). */
typedef struct ClockUse {
    const char *name;  /* as the device knows it: "uartclk" */
    const char *clock; /* id under clocks */
    uint64_t rate_hz;
    Mark mark;
} ClockUse;

typedef struct DeviceSpec {
    const char *id; /* "uart0", "virtio.3", "drives.root" */
    const DeviceType *type;
    Mark mark;
    const char *slot; /* id of the device it plugs into; NULL: on the board itself */
    bool secure;      /* only the CPUs' secure state reaches it */
    FdtNodeSpec fdt;  /* further properties of its node (name unused) */

    const PropSpec *props;
    const RegionSpec *regions;
    const IrqSpec *irqs;
    const ClockUse *clocks;
    unsigned prop_count, region_count, irq_count, clock_count;
} DeviceSpec;

/* NULL when neither board nor schema gives it a value. */
const PropSpec *device_spec_prop(const DeviceSpec *device, const char *name);

#endif
