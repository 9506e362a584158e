/*
 * TcgCpu: a CPU that runs on the translator, one thread each.
 */
#ifndef TCG_EXEC_H
#define TCG_EXEC_H

#include "core/cpu.h"
#include "tcg/env.h"

/*
 * Makes the CPU leave generated code soon, and wakes it when it waits. Any thread. First change what is to be
 * seen, then kick: the CPU loop clears exit_request, then asks Isa.take_interrupt or Isa.wakes. A helper that
 * enables a pending interrupt kicks its own CPU.
 */
void cpu_kick(CpuEnv *env);

/*
 * For a guest's hints that it looks for something again and again (pause, WFE): another CPU's turn, if there is one
 * that has work, when the block ends; else a moment's wait, which becomes a sleep of microseconds when it goes on so.
 * The CPU's thread, in a helper; or that helper itself.
 */
void cpu_spin(CpuEnv *env);
extern const Helper cpu_help_spin;

typedef enum CpuPower { POWER_ON, POWER_OFF, POWER_STARTING } CpuPower;

/*
 * For PSCI and SBI. A CPU is off from reset when CpuEntry.held says so, or when it turned itself off; then it runs
 * nothing and takes no interrupt. cpu_start() resets it and lets it begin at entry, when it is off; it gives what
 * the CPU was. Any thread.
 */
CpuPower cpu_power(const CpuEnv *env);
CpuPower cpu_start(CpuEnv *env, const CpuEntry *entry);
/* Turns the CPU off at the end of the block, which the frontend ends by an exit. The CPU's thread, in a helper. */
void cpu_power_off(CpuEnv *env);

/* Another CPU of the same ISA and machine by CpuEnv.index, NULL when there is none. Any thread. */
CpuEnv *cpu_by_index(const CpuEnv *env, unsigned index);

/* The CPU as the core knows it: its interrupt controller, its place in the machine. Any thread. */
Cpu *cpu_device(const CpuEnv *env);

/* Kicks the CPU when virtual time reaches at_ns (INT64_MAX: never). Replaces the time set before. CPU thread. */
void cpu_timer_set(CpuEnv *env, int64_t at_ns);

/* Virtual time in ns: what the guest's counters count. Any thread, no lock. */
int64_t cpu_time_ns(const CpuEnv *env);

/* Guest instructions completed, when counted (budget on); else derived from virtual time. CPU thread. */
uint64_t cpu_instructions(const CpuEnv *env);

/* For a guest's instruction-cache barrier (fence.i, ic ivau, isb): writes were seen already; ends the block. */
void cpu_code_barrier(CpuEnv *env);

#endif
