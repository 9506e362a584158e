/*
 * What the trace points in, ir, host, exec and int print, and the map file for perf(1).
 */
#ifndef TCG_TCG_TRACE_H
#define TCG_TCG_TRACE_H

#include "core/trace.h"
#include "tcg/tcg-impl.h"

/* Points `in` and `ir`: cpu->ir was just made. */
void trace_translation(TcgCpu *cpu);
/* Point `host`, and a line of the perf map. */
void trace_block(TcgCpu *cpu, const Block *block);
/* Point `exec`: the block is about to run. */
void trace_entry(TcgCpu *cpu, const Block *block);
/* Point `int`: what was raised is about to be delivered, or an interrupt was taken. */
void trace_exception(TcgCpu *cpu);
void trace_interrupt(TcgCpu *cpu);

/* Traced or checked, every block passes through the loop. */
static inline bool cpu_is_watched(const TcgCpu *cpu)
{
    return TRACE_IS_ON(exec) || cpu->lockstep;
}

#endif
