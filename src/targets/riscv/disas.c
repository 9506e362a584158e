/* Disassembly, in the notation of binutils without aliases. */
#include "targets/riscv/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
const char *const rv_x_names[32] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
const char *const rv_f_names[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3",
    "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11",
    "ft8", "ft9", "ft10", "ft11",
};
/* clang-format on */

static void print_fence_set(char *out, size_t room, unsigned set)
{
    snprintf(out, room, "%s%s%s%s%s", set & 8 ? "i" : "", set & 4 ? "o" : "", set & 2 ? "r" : "",
        set & 1 ? "w" : "", set & 15 ? "" : "unknown");
}

/* The last operand, if it is not the dynamic one. */
static void print_rounding(char *out, size_t room, unsigned rm)
{
    static const char *const names[8] = { ",rne", ",rtz", ",rdn", ",rup", ",rmm", ",unknown",
        ",unknown", "" };

    snprintf(out, room, "%s", names[rm & 7]);
}

static void print_order(char *out, size_t room, unsigned order)
{
    static const char *const names[4] = { "", ".rl", ".aq", ".aqrl" };

    snprintf(out, room, "%s", names[order & 3]);
}

static void print_csr(char *out, size_t room, unsigned number)
{
    const char *name = rv_csr_name(number);

    if (name) {
        snprintf(out, room, "%s", name);
    } else {
        snprintf(out, room, "0x%x", number);
    }
}

static void print_operand(char *out, size_t room, char kind, int64_t value, uint64_t pc)
{
    switch (kind) {
    case 'x': snprintf(out, room, "%s", rv_x_names[value & 31]); break;
    case 'f': snprintf(out, room, "%s", rv_f_names[value & 31]); break;
    case 'd': snprintf(out, room, "%" PRId64, value); break;
    case 'h': snprintf(out, room, "0x%" PRIx64, value); break;
    case 'u': snprintf(out, room, "0x%" PRIx64, (uint64_t)value >> 12 & 0xfffff); break;
    case 'p': snprintf(out, room, "0x%" PRIx64, pc + value); break;
    case 'c': print_csr(out, room, value); break;
    case 'o': print_fence_set(out, room, value); break;
    case 'q': print_order(out, room, value); break;
    case 'r': print_rounding(out, room, value); break;
    default: snprintf(out, room, "?");
    }
}

/* The features decide between encodings of RV32 and RV64 only; all others are shown. */
static unsigned disassemble(
    uint64_t features, uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size)
{
    uint32_t insn = room >= 2 ? code[0] | code[1] << 8 : 0;
    bool wide = (insn & 3) == 3;
    int row;

    if (room < (wide ? 4 : 2)) {
        snprintf(text, text_size, "...");
        return room;
    }
    insn |= wide ? (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24 : 0;
    row = rv_find(insn, features);
    if (row < 0) {
        snprintf(text, text_size, wide ? ".4byte\t0x%x" : ".2byte\t0x%x", insn);
    } else {
        decode_print(&rv_decode_table.rows[row], insn, pc, print_operand, text, text_size);
    }
    return wide ? 4 : 2;
}

unsigned rv64_disassemble(
    uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size)
{
    return disassemble(~UINT64_C(0), pc, code, room, text, text_size);
}

unsigned rv32_disassemble(
    uint64_t pc, const uint8_t *code, size_t room, char *text, size_t text_size)
{
    return disassemble(~(UINT64_C(1) << RV_RV64), (uint32_t)pc, code, room, text, text_size);
}
