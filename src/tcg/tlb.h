/*
 * Guest memory as a CPU sees it: the first-level arrays that generated code reads (CpuEnv), a second level
 * behind them, and contexts, which make a change of address space one store and a full flush a new number.
 *
 * All functions run on the CPU's own thread unless they say otherwise.
 */
#ifndef TCG_TLB_H
#define TCG_TLB_H

#include "tcg/env.h"
#include "targets/isa.h"

/*
 * The CPU is in another address space, privilege or mode (env->mode): looks up, or makes, the context ids of
 * Isa.contexts and sets data_context and fetch. Does not flush anything.
 */
void cpu_context_changed(CpuEnv *env);

/* Forgets every translation of this CPU. O(1): new context ids. */
void tlb_flush_all(CpuEnv *env);

/* Forgets all that is not global in the spaces for which the test is true. */
typedef bool (*TlbSpaceTest)(uint64_t space, uint64_t wanted);
void tlb_flush_space(CpuEnv *env, TlbSpaceTest test, uint64_t wanted);

/* Forgets those spaces altogether, with the global pages that they share. */
void tlb_flush_world(CpuEnv *env, TlbSpaceTest test, uint64_t wanted);

/* Forgets one page (of any size) in the spaces for which the test is true; test NULL: in every space. */
void tlb_flush_page(CpuEnv *env, uint64_t address, TlbSpaceTest test, uint64_t wanted);

/*
 * The same on all CPUs of the translator: here at once, on the others soon. tlb_sync() comes back when none of
 * them can use what this CPU had flushed before it.
 */
void tlb_flush_all_cpus(CpuEnv *env);
void tlb_flush_space_cpus(CpuEnv *env, TlbSpaceTest test, uint64_t wanted);
void tlb_flush_world_cpus(CpuEnv *env, TlbSpaceTest test, uint64_t wanted);
void tlb_flush_page_cpus(CpuEnv *env, uint64_t address, TlbSpaceTest test, uint64_t wanted);
void tlb_sync(CpuEnv *env);

/*
 * Guest-virtual access by a helper, in the current data context (or, for reads of page tables and such, see
 * phys_*): false when it raised.
 */
bool cpu_load(CpuEnv *env, uint64_t address, unsigned memop, uint64_t *value);
bool cpu_store(CpuEnv *env, uint64_t address, unsigned memop, uint64_t value);

/* Between these two, cpu_load() and cpu_store() are in the other data context (IsaContext.other_space). */
void cpu_enter_other(CpuEnv *env);
void cpu_leave_other(CpuEnv *env);

/*
 * Where the byte at an address is in host memory, good to the end of its page; NULL when an access needs more than
 * memory (a fault, a device, code that is written, nothing known yet): then use the two above. Nothing is raised.
 */
void *cpu_host_memory(CpuEnv *env, uint64_t address, bool write);

/*
 * Guest-physical access for page walkers: size 4 or 8 bytes, little-endian, naturally aligned. False: nothing
 * there. phys_cas gives the old value in *expected and whether it was replaced in the result.
 */
bool phys_load(CpuEnv *env, uint64_t physical, unsigned size, uint64_t *value);
bool phys_cas(CpuEnv *env, uint64_t physical, unsigned size, uint64_t *expected, uint64_t desired,
    bool *done);

#endif
