/* What the trace points of the translator print: see tcg-trace.h. */
#include "tcg/tcg-trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/boot.h"
#include "core/spin.h"
#include "core/trace.h"
#include "tcg/tcg-impl.h"

#define PC "0x%" G_GINT64_MODIFIER "x"

/* The address, and what it is in the ELF file that the guest is, where it is one: "0x80200000 <main+0x10>". */
static char *name_of(const TcgCpu *cpu, uint64_t pc)
{
    const Machine *machine = cpu->tcg->machine;
    g_autofree char *symbol = machine ? machine_symbol(machine, pc) : NULL;

    return symbol ? g_strdup_printf(PC " <%s>", pc, symbol) : g_strdup_printf(PC, pc);
}

static void trace_guest_code(TcgCpu *cpu)
{
    const IrBlock *ir = &cpu->ir;
    const CodeReader *reader = &cpu->reader;
    g_autofree char *name = name_of(cpu, ir->pc);
    char text[128];

    trace_write(TRACE_in, "cpu%u %s:", cpu->env->index, name);
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
    g_autofree char *name = name_of(cpu, cpu->ir.pc);
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ir_print(&cpu->ir, out);
    fclose(out);
    trace_write(TRACE_ir, "cpu%u %s\n%s", cpu->env->index, name, text);
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

    spin_mutex_lock(&tcg->lock);
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
    if (TRACE_IS_ON(host)) {
        g_autofree char *name = name_of(cpu, block->pc);
        trace_write(TRACE_host, "cpu%u %s size %u: %p size %u", cpu->env->index, name,
            block->guest_size, block->code, block->code_size);
    }
}

void trace_entry(TcgCpu *cpu, const Block *block)
{
    if (TRACE_IS_ON(exec)) {
        g_autofree char *name = name_of(cpu, block->pc);
        trace_write(TRACE_exec, "cpu%u %s mode %x", cpu->env->index, name, block->mode);
    }
}

void trace_exception(TcgCpu *cpu)
{
    if (TRACE_IS_ON(int)) {
        g_autofree char *name = name_of(cpu, cpu->env->pc);
        trace_write(TRACE_int, "cpu%u exception 0x%x value " PC " at %s", cpu->env->index,
            cpu->env->raised_cause, cpu->env->raised_value, name);
    }
}

void trace_interrupt(TcgCpu *cpu)
{
    if (TRACE_IS_ON(int)) {
        g_autofree char *name = name_of(cpu, cpu->env->pc);
        trace_write(TRACE_int, "cpu%u interrupt, on to %s", cpu->env->index, name);
    }
}
