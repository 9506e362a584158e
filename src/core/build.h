/*
 * A live machine, built from a MachineSpec.
 *
 *     Machine *m = machine_new(spec);
 *     machine_set_drive(m, "root", node);          what the core can't make itself
 *     machine_build(m, create_cpu, diag)           devices, map, lines, CPUs
 *     machine_load_boot(m, diag)                   kernel, firmware, FDT (boot.h)
 *     machine_start(m); code = loop_run(); machine_free(m);
 *
 * Errors of the description go to diag and point at the YAML. The loop's thread only, with the
 * machine lock where a line does not say otherwise.
 */
#ifndef CORE_BUILD_H
#define CORE_BUILD_H

#include "core/address-space.h"
#include "core/cpu.h"

typedef struct MachineSpec MachineSpec;

/* The spec is borrowed and outlives the machine. */
Machine *machine_new(const MachineSpec *spec);
void machine_free(Machine *machine); /* stops it first; accepts one half-built */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)

/*
 * Host ends of PROP_BLOCK and PROP_CHAR, by the names the spec uses. Set before building; borrowed
 * and opaque here (Drive, Channel).
 */
void machine_set_drive(Machine *machine, const char *name, void *node);
void machine_set_channel(Machine *machine, const char *name, void *channel);
void *machine_drive(const Machine *machine, const char *name);
void *machine_channel(const Machine *machine, const char *name);

/* For a machine that is only looked at: what is plugged into slots is left out. Before building. */
void machine_leave_slots_empty(Machine *machine);

/* Time of a machine that is moved by clock_step(), for tests. Before building. */
void machine_use_stepped_clock(Machine *machine);

/* Creates, sets properties, connects, starts, resets. create may be NULL: no CPUs (map, tests). */
bool machine_build(Machine *machine, CpuCreate create, Diag *diag);

/* Its time shall pass 2^log2 times as slowly as the host's; before it starts. */
void machine_slow_down(Machine *machine, unsigned log2);

/* These take the lock or none; pausing lets go of it while it waits. Starting resumes. */
bool machine_start(Machine *machine, GError **error);
void machine_pause(Machine *machine); /* comes back when no CPU runs and time stands still */
void machine_resume(Machine *machine);

/* Every device and CPU back to power-on, the loaded images included; paused meanwhile. */
void machine_reset(Machine *machine);

const MachineSpec *machine_spec(const Machine *machine);
AddressSpace *machine_memory(const Machine *machine);     /* the system bus */
AddressSpace *machine_cpu_memory(const Machine *machine); /* the same; and see CPU_SECURE_BASE */
AddressSpace *machine_all_memory(
    const Machine *machine); /* with what only the secure state reaches */
bool machine_has_secure_memory(const Machine *machine);
Clock *machine_clock(const Machine *machine);
int64_t machine_power_on_time(const Machine *machine); /* ns since 1970 at its time 0 */
unsigned machine_cpu_count(const Machine *machine);
Cpu *machine_cpu(const Machine *machine, unsigned index);
unsigned machine_device_count(const Machine *machine);
Device *machine_device(const Machine *machine, unsigned index); /* in the order of starting */
Device *machine_find_device(const Machine *machine, const char *id);

/* Pushes a button, such as "power", of the first device that has it. False: none has. */
bool machine_press(Machine *machine, const char *button);

/* What the guest, or a device for it, asks of whoever runs the machine. */
typedef enum MachineRequest {
    MACHINE_POWEROFF, /* code: what the guest says about itself; 0 is well */
    MACHINE_RESET,
    MACHINE_FAIL, /* the guest gave up: a test failed, a panic. code: its own */
} MachineRequest;

typedef void (*MachineRequested)(void *data, MachineRequest what, int code);

/* Called on the loop's thread. Without a handler: resets itself, and quits the loop otherwise. */
void machine_on_request(Machine *machine, MachineRequested handler, void *data);
/* Any thread, with or without the lock; the CPUs are kicked and stop soon after. */
void machine_request(Machine *machine, MachineRequest what, int code);

#endif
