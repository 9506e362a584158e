/*
 * TcgCpu: a CPU that runs on the translator, one thread each.
 */
#ifndef TCG_EXEC_H
#define TCG_EXEC_H

#include "tcg/env.h"

/* Makes the CPU leave generated code soon, and wakes it when it waits. Any thread. */
void cpu_kick(CpuEnv *env);

/* Virtual time in ns: what the guest's counters count. Any thread, no lock. */
int64_t cpu_time_ns(const CpuEnv *env);

/* Guest instructions completed, when counted (budget on); else derived from virtual time. CPU thread. */
uint64_t cpu_instructions(const CpuEnv *env);

/* For a guest's instruction-cache barrier (fence.i, ic ivau, isb): writes were seen already; ends the block. */
void cpu_code_barrier(CpuEnv *env);

#endif
