/*
 * The bench: a machine of one device, from a line of YAML.
 *
 * It has 64 MiB of RAM at BENCH_RAM, two CPUs that only note their inputs, a stepped clock, a
 * controller for the device's outputs that only notes them, and a memory channel for every name.
 * A device that plugs into a bus gets a transport, whose regions are those read and written.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "tests/test.h"

#include "core/build.h"
#include "ui/char.h"

#define BENCH_RAM UINT64_C(0x80000000)
enum { BENCH_RAM_SIZE = 64 << 20, BENCH_CPUS = 2 };

typedef struct Bench Bench;

/* Fails the test, with what was said, when it cannot be built. */
Bench *bench_new(const char *yaml);
void bench_free(Bench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)

/* What building it says, as "line:column: error[E601]: ..." lines; it must not succeed. */
char *bench_diag(const char *yaml);

/* Before bench_new(): what PROP_BLOCK of this name gets; until the next bench_new() is over. */
void bench_give_drive(const char *name, void *drive);

Device *bench_device(Bench *bench);
Machine *bench_machine(Bench *bench);

/* Accesses by a CPU to region index; these must succeed, the try ones tell. */
uint64_t bench_read(Bench *bench, unsigned region, uint64_t offset, unsigned size);
void bench_write(Bench *bench, unsigned region, uint64_t offset, unsigned size, uint64_t value);
MemResult bench_try_read(
    Bench *bench, unsigned region, uint64_t offset, unsigned size, uint64_t *value);
MemResult bench_try_write(
    Bench *bench, unsigned region, uint64_t offset, unsigned size, uint64_t value);

/* RAM as the host sees it: offset 0 is at BENCH_RAM. */
uint8_t *bench_ram(Bench *bench);

bool bench_irq(Bench *bench, unsigned output); /* level of an output */
bool bench_cpu_input(Bench *bench, unsigned cpu, unsigned input);
void bench_set_input(Bench *bench, const char *group, unsigned number, bool level);

void bench_advance(Bench *bench, int64_t ns); /* and runs the loop */
void bench_reset(Bench *bench);
/* Saves the device, resets it and everything it set, loads it: nothing may look different. */
void bench_save_and_load(Bench *bench);

/* What the device wrote to its channel since the last call; caller frees. And typing at it. */
char *bench_output(Bench *bench);
void bench_type(Bench *bench, const char *text);

/* The last request the machine got, with its code; -1 when there was none since. */
int bench_request(Bench *bench, int *code);

#endif
