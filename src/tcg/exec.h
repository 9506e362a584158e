/*
 * TcgCpu: a CPU that runs on the translator, one thread each.
 */
#ifndef TCG_EXEC_H
#define TCG_EXEC_H

#include "tcg/env.h"

/*
 * Makes the CPU leave generated code soon, and wakes it when it waits. Any thread. First change what is to be
 * seen, then kick: the CPU loop clears exit_request, then asks Isa.take_interrupt or Isa.wakes. A helper that
 * enables a pending interrupt kicks its own CPU.
 */
void cpu_kick(CpuEnv *env);

/* Kicks the CPU when virtual time reaches at_ns (INT64_MAX: never). Replaces the time set before. CPU thread. */
void cpu_timer_set(CpuEnv *env, int64_t at_ns);

/* Virtual time in ns: what the guest's counters count. Any thread, no lock. */
int64_t cpu_time_ns(const CpuEnv *env);

/* Guest instructions completed, when counted (budget on); else derived from virtual time. CPU thread. */
uint64_t cpu_instructions(const CpuEnv *env);

/* For a guest's instruction-cache barrier (fence.i, ic ivau, isb): writes were seen already; ends the block. */
void cpu_code_barrier(CpuEnv *env);

#endif
