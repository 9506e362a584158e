/* Disassembly, near to the notation of binutils without aliases. */
#include <inttypes.h>
#include <stdio.h>

#include "targets/aarch64/state.h"

static void print_sysreg(char *out, size_t room, unsigned number)
{
    const char *name = a64_sysreg_name(number);

    if (name) {
        snprintf(out, room, "%s", name);
    } else {
        snprintf(out, room, "s%u_%u_c%u_c%u_%u", number >> 14, number >> 11 & 7, number >> 7 & 15,
            number >> 3 & 15, number & 7);
    }
}

static void print_x(char *out, size_t room, unsigned n, const char *name_of_31)
{
    if (n == 31) {
        snprintf(out, room, "%s", name_of_31);
    } else {
        snprintf(out, room, "x%u", n);
    }
}

static void print_operand(char *out, size_t room, char kind, int64_t value, uint64_t pc)
{
    static const char *const conds[] = { "eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls",
        "ge", "lt", "gt", "le", "al", "nv" };
    static const char *const extends[] = { "uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw",
        "sxtx" };
    static const char *const shifts[] = { "lsl", "lsr", "asr", "ror" };
    static const char *const sizes[] = { ".b", ".h", ".s", ".d", ".q" };

    switch (kind) {
    case 'x':
    case 'r': print_x(out, room, value & 31, "xzr"); break;
    case 'b': print_x(out, room, value & 31, "sp"); break;
    case 'v': snprintf(out, room, "v%u", (unsigned)value & 31); break;
    case 'z': snprintf(out, room, "%s", sizes[(uint64_t)value % 5]); break;
    case 'i': snprintf(out, room, "#0x%" PRIx64, (uint64_t)value); break;
    case 'n': snprintf(out, room, "#%" PRId64, value); break;
    case 'p': snprintf(out, room, "0x%" PRIx64, pc + (uint64_t)value); break;
    case 'a': snprintf(out, room, ".%+" PRId64, value); break;
    case 'c': snprintf(out, room, "%s", conds[value & 15]); break;
    case 'e': snprintf(out, room, "%s", extends[value & 7]); break;
    case 't': snprintf(out, room, "%s", shifts[value & 3]); break;
    case 's': print_sysreg(out, room, (unsigned)value); break;
    default: snprintf(out, room, "?");
    }
}

unsigned a64_disassemble(
    uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size)
{
    uint32_t insn;
    int row;

    if (room < 4) {
        snprintf(text, text_size, "...");
        return room;
    }
    insn = code[0] | code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
    row = a64_find(insn, ~UINT64_C(0));
    if (row < 0) {
        snprintf(text, text_size, ".4byte\t0x%x", insn);
    } else {
        decode_print(&a64_decode_table.rows[row], insn, pc, print_operand, text, text_size);
    }
    return 4;
}
