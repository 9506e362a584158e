/* What the translator makes of one block, as text: `lathe dump --stage=in|ir|host`. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "tcg/tcg-impl.h"

static void dump_guest(const TcgCpu *cpu, FILE *out)
{
    const IrBlock *ir = &cpu->ir;
    char text[128];

    for (unsigned at = 0; at < ir->guest_size;) {
        unsigned length = cpu->isa->disassemble(
            ir->pc + at, cpu->reader.copy + at, ir->guest_size - at, text, sizeof(text));

        fprintf(out, "0x%" G_GINT64_MODIFIER "x  %s\n", ir->pc + at, text);
        at += MAX(length, 1);
    }
}

static void dump_bytes(const Block *block, FILE *out)
{
    const uint8_t *code = block->code;

    for (unsigned at = 0; at < block->code_size; at++) {
        fprintf(out, "%s%02x", at % 16 ? " " : at ? "\n" : "", code[at]);
    }
    fputc('\n', out);
}

/* objdump's rows of the code; NULL when there is no objdump, or it fails. */
static char *disassemble(const Block *block)
{
    g_autofree char *address = g_strdup_printf("--adjust-vma=%p", (const void *)block->code);
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    int fd = g_file_open_tmp("lathe-XXXXXX", &path, NULL);
    const char *const command[] = { "objdump", "-D", "-b", "binary", "-m", "i386:x86-64", address,
        path, NULL };
    int status = -1;
    const char *rows;

    if (fd < 0) {
        return NULL;
    }
    if (write(fd, block->code, block->code_size) == (ssize_t)block->code_size) {
        g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
            NULL, NULL, &text, NULL, &status, NULL);
    }
    close(fd);
    g_unlink(path);
    rows = status == 0 && text ? strstr(text, "<.data>:\n") : NULL;
    return rows ? g_strdup(rows + strlen("<.data>:\n")) : NULL;
}

static void dump_host(const TcgCpu *cpu, const Block *block, FILE *out)
{
    g_autofree char *rows = strcmp(cpu->tcg->host->name, "x86_64") == 0 ? disassemble(block) : NULL;

    if (rows) {
        fputs(rows, out);
    } else {
        dump_bytes(block, out);
    }
}

bool tcg_dump(Cpu *core, const uint64_t *at, TcgStage stage, FILE *out)
{
    TcgCpu *cpu = (TcgCpu *)core;
    uint64_t pc = at ? *at : cpu->env->pc;
    const Block *block;

    cpu_come_inside(cpu);
    block = cpu_block_at(cpu, pc);
    if (block && stage == TCG_STAGE_IN) {
        dump_guest(cpu, out);
    } else if (block && stage == TCG_STAGE_IR) {
        ir_print(&cpu->ir, out);
    } else if (block) {
        dump_host(cpu, block, out);
    }
    cpu_go_outside(cpu);
    return block != NULL;
}
