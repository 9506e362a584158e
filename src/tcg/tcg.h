/*
 * The translator, for whoever builds machines: makes CPUs that run on it.
 *
 *     machine_build(machine, tcg_create_cpu, diag)
 */
#ifndef TCG_TCG_H
#define TCG_TCG_H

#include "core/cpu.h"
#include "targets/isa.h"
#include "tcg/env.h"
#include "tcg/host.h"

typedef struct Tcg Tcg;
typedef struct TcgCpu TcgCpu;

typedef struct TcgOptions {
    const char *host; /* name of a Host; NULL: the best that runs here */
    size_t code_size; /* 0: TCG_CODE_SIZE */
    int check;        /* N: about one block of N runs in the interpreter too; 0: none */
    bool counted;     /* counts guest instructions exactly */
    bool perf_map;    /* writes /tmp/perf-PID.map for perf(1) */
} TcgOptions;

enum { TCG_CODE_SIZE = 256 << 20 };

/* What tcg_cpu_create gives to the translators it makes; before machine_build. */
bool tcg_configure(const TcgOptions *options, GError **error);

/* CpuCreate of core/cpu.h. */
Cpu *tcg_cpu_create(Machine *machine, const CpuClusterSpec *spec, unsigned index, Diag *diag);

/* How much was translated, found, missed and thrown away. */
void tcg_print_stats(Machine *machine, FILE *out);

typedef enum TcgStage { TCG_STAGE_IN, TCG_STAGE_IR, TCG_STAGE_HOST } TcgStage;

/*
 * Prints one block as guest instructions, IR or host code: the one at *at, NULL: where the CPU begins. False:
 * no code can be fetched there. The CPU was never started.
 */
bool tcg_dump(Cpu *cpu, const uint64_t *at, TcgStage stage, FILE *out);

/* ---- without a machine (tests) --------------------------------------------------------------- */

/* One for all CPUs of one ISA that share memory. It outlives its CPUs. */
Tcg *tcg_new(const Isa *isa, const TcgOptions *options, GError **error);
void tcg_free(Tcg *tcg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tcg, tcg_free)

typedef struct TcgCpuOptions {
    unsigned index;
    const char *model;
    const char *const *features; /* ends with NULL */
    AddressSpace *memory;
    uint64_t timebase_hz; /* 0: the ISA decides */
    Clock *clock;         /* NULL: time stands still */
} TcgCpuOptions;

/* A CPU, reset. */
TcgCpu *tcg_cpu_new(Tcg *tcg, const TcgCpuOptions *options, GError **error);
void tcg_cpu_free(TcgCpu *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TcgCpu, tcg_cpu_free)

CpuEnv *tcg_cpu_env(TcgCpu *cpu);

/*
 * Runs on this thread until tcg_cpu_leave(), or until the guest waits for an interrupt and there is no clock, or
 * until no further block fits into `insns` instructions (0: no limit; needs options.counted).
 */
void tcg_cpu_run(TcgCpu *cpu, uint64_t insns);
void tcg_cpu_leave(TcgCpu *cpu); /* any thread */

const Isa *tcg_isa_find(const char *name); /* NULL when there is none */

#endif
