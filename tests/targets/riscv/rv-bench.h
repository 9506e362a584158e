/* A RISC-V CPU with RAM at RV_RAM, in M mode, for tests of the frontend: text in, registers out. */
#ifndef TESTS_TARGETS_RISCV_RV_BENCH_H
#define TESTS_TARGETS_RISCV_RV_BENCH_H

#include "core/address-space.h"
#include "targets/riscv/state.h"
#include "tcg/tcg.h"

#define RV_RAM UINT64_C(0x80000000)
#define RV_RAM_SIZE (UINT64_C(4) << 20)

enum {
    RA = 1,
    SP,
    GP,
    TP,
    T0,
    T1,
    T2,
    S0,
    S1,
    A0,
    A1,
    A2,
    A3,
    A4,
    A5,
    A6,
    A7,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7
};

typedef struct RvBench {
    Region *ram, *root;
    AddressSpace *memory;
    Tcg *tcg;
    TcgCpu *cpu;
    RvCpu *rv;
} RvBench;

/* host: "interp" ... ; xlen 32 or 64; features: NULL for all. */
RvBench *rv_bench_new(const char *host, unsigned xlen, const char *const *features);
void rv_bench_free(RvBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RvBench, rv_bench_free)

/* Assembles text (asm.h) into RAM at RV_RAM + offset. */
void rv_bench_put(RvBench *bench, uint64_t offset, const char *text);
void rv_bench_write(RvBench *bench, uint64_t address, const void *data, size_t length);
uint64_t rv_bench_read(RvBench *bench, uint64_t address, unsigned size);

/* Runs from RV_RAM until a wfi with nothing to wait for. */
void rv_bench_run(RvBench *bench);

/* Assembles, adds a wfi, runs; what a0 is then. */
uint64_t rv_bench_a0(RvBench *bench, const char *text);

#endif
