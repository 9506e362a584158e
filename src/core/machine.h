/*
 * MachineSpec: a whole machine as plain data. What config makes, what build.c builds.
 *
 * No YAML from here on: defaults are filled in, names are checked, quantities are numbers, and
 * `count` has been spelt out (virtio.0, virtio.1 ...). Marks stay, on everything that can still
 * turn out wrong. All memory, strings too, belongs to the spec and lives as long as it does.
 */
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/device-spec.h"
#include "core/drive-spec.h"
#include "core/mark.h"

/* ---- CPUs ---- */

typedef struct CpuFeature {
    const char *name;
    bool on;
    bool asked; /* by the machine; otherwise it comes with the model */
    Mark mark;
} CpuFeature;

/* CPUs of one kind. A board with one kind has one cluster, named "cpus". */
typedef struct CpuClusterSpec {
    const char *name;
    const char *isa; /* "riscv64": an Isa's name */
    SpecText model;
    SpecNumber count;
    unsigned first;             /* number of its first CPU in the machine (RISC-V: hart id) */
    uint64_t timebase_hz;       /* of the counter that the CPUs read; 0: the ISA decides */
    const char *psci_conduit;   /* "hvc", "smc"; NULL: no PSCI (Arm) */
    const char *psci_version;   /* "1.0" */
    bool semihosting;           /* its calls are answered */
    const CpuFeature *features; /* of the model, with what the machine changes */
    unsigned feature_count;
    Mark mark;
} CpuClusterSpec;

/* ---- memory, clocks ---- */

typedef enum MemoryKind { MEMORY_RAM, MEMORY_ROM, MEMORY_FLASH } MemoryKind;

typedef struct MemorySpec {
    const char *name;
    MemoryKind kind;
    uint64_t at, size;
    Mark mark;   /* of the size: that is what can turn out wrong */
    bool secure; /* only the CPUs' secure state reaches it */
} MemorySpec;

typedef struct ClockSpec {
    const char *id;
    uint64_t rate_hz;
    Mark mark;
} ClockSpec;

/* ---- the whole ---- */

typedef struct BootSpec {
    SpecText kernel, initrd, firmware, cmdline, fdt, fdt_overlay; /* paths are ready to open */
    SpecNumber kernel_at, initrd_at, fdt_at, firmware_at;
} BootSpec;

typedef struct NamePair {
    const char *name, *value;
} NamePair;

typedef struct FdtSpec {
    const char *const *compatible;
    unsigned compatible_count;
    const char *model;
    const NamePair *aliases; /* serial0 -> device id */
    unsigned alias_count;
    const char *stdout_path; /* an alias or a device id */
    FdtNodeSpec extra;       /* merged into the root */
} FdtSpec;

/* A part of the file that is well formed, and that `run` has to refuse for now. */
typedef struct NotYet {
    const char *path; /* "net.eth0" */
    Mark mark;
} NotYet;

typedef struct MachineSpec {
    const char *file; /* of the machine; relative paths have been resolved already */
    SpecText name;
    const char *board, *board_version;
    const char *arch; /* "riscv64" */
    Mark board_mark;
    bool has_secure; /* the CPUs' secure state has a view of its own */

    const CpuClusterSpec *clusters;
    const MemorySpec *memory;
    const ClockSpec *clocks;
    const DeviceSpec *devices; /* a device comes after what it plugs into */
    const DriveSpec *drives;
    unsigned cluster_count, memory_count, clock_count, device_count, drive_count;

    BootSpec boot;
    FdtSpec fdt;

    SpecNumber entropy_seed; /* unset: from the host */
    bool virtual_clock;      /* guest time follows executed instructions */
    SpecNumber start_time;   /* seconds since 1970; unset: the host's time */

    bool has_variants; /* profiles or a matrix: config/variants.h */

    const NotYet *not_yet;
    unsigned not_yet_count;
    const NamePair *seen; /* what a guest will see of them: "net.eth0.mac" and its value */
    unsigned seen_count;

    void *arena; /* of the loader, in which all of it lives; freed with the spec */
    GDestroyNotify arena_free;
} MachineSpec;

MachineSpec *machine_spec_create(void);
void machine_spec_free(MachineSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineSpec, machine_spec_free)

/* NULL when there is none of that id. */
const DeviceSpec *machine_spec_device(const MachineSpec *spec, const char *id);
const DriveSpec *machine_spec_drive(const MachineSpec *spec, const char *id);
unsigned machine_spec_cpu_count(const MachineSpec *spec);

#endif
