/*
 * A CPU that runs nothing: it notes its inputs and where it would begin.
 */
#ifndef TESTS_FAKE_CPU_H
#define TESTS_FAKE_CPU_H

#include "core/cpu.h"

typedef struct FakeCpu {
    Cpu cpu;
    uint64_t inputs; /* a bit for each */
    CpuEntry began;  /* entry as of the last reset */
    unsigned resets;
    bool running;
} FakeCpu;

/* A CpuCreate. */
Cpu *fake_cpu_create(Machine *machine, const CpuClusterSpec *spec, unsigned index, Diag *diag);

#endif
