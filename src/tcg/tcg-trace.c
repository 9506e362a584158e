/* What the trace points of the translator print: see tcg-trace.h. */
#include "tcg/tcg-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/boot.h"
#include "core/trace.h"
#include "tcg/tcg-impl.h"

#define PC "0x%" G_GINT64_MODIFIER "x"

static void trace_guest_code(TcgCpu *cpu)
{
    const IrBlock *ir = &cpu->ir;
    const CodeReader *reader = &cpu->reader;
    char text[128];

    for (unsigned at = 0; at < ir->guest_size;) {
        unsigned length = cpu->isa->disassemble(
            ir->pc + at, reader->copy + at, ir->guest_size - at, text, sizeof(text));
        trace_write(TRACE_in, "cpu%u " PC ": %s", cpu->env->index, ir->pc + at, text);
        at += MAX(length, 1);
    }
}

static void trace_ir(TcgCpu *cpu)
{
    g_autofree char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ir_print(&cpu->ir, out);
    fclose(out);
    trace_write(TRACE_ir, "cpu%u " PC "\n%s", cpu->env->index, cpu->ir.pc, text);
}

void trace_translation(TcgCpu *cpu)
{
    if (TRACE_IS_ON(in)) {
        trace_guest_code(cpu);
    }
    if (TRACE_IS_ON(ir)) {
        trace_ir(cpu);
    }
}

/* Where perf(1) looks for the names of code that is in no file. NULL: it cannot be made. */
static FILE *open_perf_map(void)
{
    g_autofree char *path = g_strdup_printf("/tmp/perf-%d.map", getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd < 0 ? NULL : fdopen(fd, "w");
}

static void write_perf_map(Tcg *tcg, const Block *block)
{
    g_autofree char *symbol = tcg->machine ? machine_symbol(tcg->machine, block->pc) : NULL;
    g_autofree char *name = g_strdup_printf(
        "guest:%" G_GINT64_MODIFIER "x%s%s", block->pc, symbol ? " " : "", symbol ? symbol : "");

    pthread_mutex_lock(&tcg->lock);
    if (!tcg->perf_map) {
        tcg->perf_map = open_perf_map();
    }
    if (tcg->perf_map) {
        fprintf(tcg->perf_map, "%" G_GINTPTR_MODIFIER "x %x %s\n", (uintptr_t)block->code,
            block->code_size, name);
        fflush(tcg->perf_map);
    }
    pthread_mutex_unlock(&tcg->lock);
}

void trace_block(TcgCpu *cpu, const Block *block)
{
    if (G_UNLIKELY(cpu->tcg->options.perf_map)) {
        write_perf_map(cpu->tcg, block);
    }
    TRACE(host, "cpu%u " PC " size %u: %p size %u", cpu->env->index, block->pc, block->guest_size,
        block->code, block->code_size);
}

void trace_entry(TcgCpu *cpu, const Block *block)
{
    TRACE(exec, "cpu%u " PC " mode %x", cpu->env->index, block->pc, block->mode);
}

void trace_exception(TcgCpu *cpu)
{
    TRACE(int, "cpu%u exception 0x%x value " PC " at " PC, cpu->env->index, cpu->env->raised_cause,
        cpu->env->raised_value, cpu->env->pc);
}

void trace_interrupt(TcgCpu *cpu)
{
    TRACE(int, "cpu%u interrupt, on to " PC, cpu->env->index, cpu->env->pc);
}
