/*
 * The inside of a machine: for build.c, control.c, fdt.c, boot.c and state.c.
 */
#ifndef CORE_BUILD_IMPL_H
#define CORE_BUILD_IMPL_H

#include "core/build.h"
#include "core/machine.h"
#include "core/semihosting.h"

struct Machine {
    const MachineSpec *spec;
    GHashTable *drives, *channels; /* name -> what the caller gave */

    Clock *clock;
    int64_t power_on_time; /* ns since 1970 */
    Region *root;
    AddressSpace *memory;
    /* Where the CPUs' secure state sees more: what only it sees, all that it sees, both views; else NULL. */
    Region *secure_root, *secure_all, *cpu_root;
    AddressSpace *secure_memory, *cpu_memory;
    GPtrArray *memory_regions; /* Region *, in the order of spec->memory */
    GPtrArray *cpus;           /* Cpu * */
    GPtrArray *devices;        /* Device *, in the order of the spec */
    GHashTable *devices_by_id;

    struct Boot *boot; /* boot.c's: images to be put back at a reset */
    bool slots_empty, started, running;

    const SemihostingConsole *semihosting;
    void *semihosting_owner;

    MachineRequested on_request;
    void *on_request_data;
    bool request_pending; /* atomic; the two below are whoever's set it */
    MachineRequest request;
    int request_code;
};

/* boot.c: puts the images back into RAM; and frees what it kept. */
void machine_reload_boot(Machine *machine);
void machine_free_boot(Machine *machine);

/* control.c: every device and CPU to power-on. With the lock, and with no CPU running. */
void machine_reset_devices(Machine *machine);

#endif
