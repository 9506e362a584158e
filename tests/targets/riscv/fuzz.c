/*
 * Random instructions, made from the decode table, against qemu-riscv64-static and qemu-riscv32-static: see
 * tests/targets/differential.h.
 *
 *   build/tests/targets/riscv/fuzz [SEED [PROGRAMS [SEQUENCES]]]
 */
#include <elf.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/riscv/state.h"
#include "tests/targets/differential.h"
#include "tests/targets/riscv/asm.h"
#include "tests/test.h"

enum {
    INSNS = 40,          /* of a sequence, about */
    FIRST_RESERVED = 29, /* x29: the record, x30: memory, x31: link; not written by sequences */
    ELF_FLAGS = 5,       /* compressed, double float ABI */
};

static unsigned first_seed = 1, programs = 2, sequences = 300;

typedef struct Record {
    uint64_t x[32], f[32], fcsr;
} Record;

static const DiffPart parts[] = { { "x", 32 }, { "f", 32 }, { "fcsr", 1 }, {} };

/* What the two widths differ in, but for the harness. */
static unsigned xlen_of(const DiffProgram *p)
{
    return p->isa->bits;
}

/* Loads and stores of a register. */
static const char *load_of(const DiffProgram *p)
{
    return xlen_of(p) == 64 ? "ld" : "lw";
}

static const char *store_of(const DiffProgram *p)
{
    return xlen_of(p) == 64 ? "sd" : "sw";
}

/* ---- code ---------------------------------------------------------------------------------- */

static uint64_t put_text(DiffProgram *p, const char *text)
{
    uint64_t at = DIFF_CODE + p->size;

    p->size += (uint32_t)rv_assemble(
        at, xlen_of(p), text, p->code + p->size, DIFF_CODE_ROOM - p->size);
    return at;
}

static uint64_t G_GNUC_PRINTF(2, 3) put_format(DiffProgram *p, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return put_text(p, text);
}

static const char *const names[32] = {
    "zero",
    "ra",
    "sp",
    "gp",
    "tp",
    "t0",
    "t1",
    "t2",
    "s0",
    "s1",
    "a0",
    "a1",
    "a2",
    "a3",
    "a4",
    "a5",
    "a6",
    "a7",
    "s2",
    "s3",
    "s4",
    "s5",
    "s6",
    "s7",
    "s8",
    "s9",
    "s10",
    "s11",
    "t3",
    "t4",
    "t5",
    "t6",
};
static const char *const float_names[32] = {
    "ft0",
    "ft1",
    "ft2",
    "ft3",
    "ft4",
    "ft5",
    "ft6",
    "ft7",
    "fs0",
    "fs1",
    "fa0",
    "fa1",
    "fa2",
    "fa3",
    "fa4",
    "fa5",
    "fa6",
    "fa7",
    "fs2",
    "fs3",
    "fs4",
    "fs5",
    "fs6",
    "fs7",
    "fs8",
    "fs9",
    "fs10",
    "fs11",
    "ft8",
    "ft9",
    "ft10",
    "ft11",
};

/* Registers from and to the record at x29 (t4), by x31 (t6). */
static void put_routines(DiffProgram *p, uint64_t *restore, uint64_t *save)
{
    const char *load = load_of(p), *store = store_of(p);

    *restore = put_format(p, "%s ra,%zu(t4)\ncsrrw zero,3,ra", load, offsetof(Record, fcsr));
    for (unsigned n = 0; n < 32; n++) {
        put_format(p, "fld %s,%zu(t4)", float_names[n], offsetof(Record, f[n]));
    }
    for (unsigned n = 1; n < FIRST_RESERVED; n++) {
        put_format(p, "%s %s,%zu(t4)", load, names[n], offsetof(Record, x[n]));
    }
    put_text(p, "jalr zero,0(t6)");
    *save = put_format(p, "%s ra,%zu(t4)", store, offsetof(Record, x[1]));
    for (unsigned n = 2; n < FIRST_RESERVED; n++) {
        put_format(p, "%s %s,%zu(t4)", store, names[n], offsetof(Record, x[n]));
    }
    for (unsigned n = 0; n < 32; n++) {
        put_format(p, "fsd %s,%zu(t4)", float_names[n], offsetof(Record, f[n]));
    }
    put_format(p, "csrrs ra,3,zero\n%s ra,%zu(t4)\naddi t4,t4,%zu\njalr zero,0(t6)", store,
        offsetof(Record, fcsr), sizeof(Record));
}

/* ---- random instructions ------------------------------------------------------------------- */

/* Not for user mode, or the reference does not have it. */
static bool is_left_out(const DiffProgram *p, const DecodeRow *row)
{
    static const char *const left_out[] = {
        "ecall", "ebreak", "sret", "mret", "wfi", "sfence", "wrs", "cbo", "czero", "fence",
        "c.ebreak",
        "ctzw", /* wrong in 7.2 when the word is zero: it counts on into the upper half */
    };

    for (unsigned n = 0; n < G_N_ELEMENTS(left_out); n++) {
        if (g_str_has_prefix(row->name, left_out[n])) {
            return true;
        }
    }
    return (xlen_of(p) == 64 ? row->deny : row->need) & UINT64_C(1) << RV_RV64;
}

static int64_t get(const DecodeRow *row, const char *name, uint32_t insn)
{
    const DecodeField *field = decode_row_field(row, name);

    return field ? decode_field(field, insn) : 0;
}

static void set(const DecodeRow *row, const char *name, int64_t value, uint32_t *insn)
{
    const DecodeField *field = decode_row_field(row, name);

    if (field && field->count) {
        decode_set_field(field, value, insn);
    }
}

static bool prints(const DecodeRow *row, const char *what)
{
    return row->print && strstr(row->print, what);
}

static bool is_reserved(int64_t reg)
{
    return reg >= FIRST_RESERVED;
}

typedef enum Kind { KIND_PLAIN, KIND_MEMORY, KIND_BRANCH, KIND_JUMP } Kind;

static Kind kind_of(const DecodeRow *row)
{
    return prints(row, "p.imm") ? KIND_BRANCH
        : g_str_has_prefix(row->name, "jalr") || g_str_has_prefix(row->name, "c.jr") ||
            g_str_has_prefix(row->name, "c.jalr")
        ? KIND_JUMP
        : prints(row, "(x.rs1)") ? KIND_MEMORY
                                 : KIND_PLAIN;
}

/* A csr instruction: of fflags, or a legal mode into frm. */
static bool fix_csr(DiffProgram *p, const DecodeRow *row, uint32_t *insn)
{
    bool writes_frm = strcmp(row->name, "csrrwi") == 0 && random_below(&p->random, 2);

    set(row, "csr", writes_frm ? 2 : 1, insn);
    if (writes_frm) {
        set(row, "rs1", random_below(&p->random, 5), insn);
    }
    return true;
}

static void fix_rounding(DiffProgram *p, const DecodeRow *row, uint32_t *insn)
{
    static const uint8_t modes[] = { 0, 1, 2, 3, 4, 7, 7, 7, 7 };

    if (decode_row_field(row, "rm") && !(row->match.mask >> 12 & 7)) {
        set(row, "rm", modes[random_below(&p->random, G_N_ELEMENTS(modes))], insn);
    }
}

/* False: this one can not be used. */
static bool random_insn(DiffProgram *p, const DecodeRow *row, uint32_t *insn)
{
    if (!decode_random(row, &p->rows, insn)) {
        return false;
    }
    fix_rounding(p, row, insn);
    if (decode_row_field(row, "csr")) {
        fix_csr(p, row, insn);
    }
    if ((prints(row, "x.rd") || g_str_has_prefix(row->name, "c.jalr")) &&
        is_reserved(get(row, "rd", *insn))) {
        return false;
    }
    return kind_of(row) == KIND_PLAIN || kind_of(row) == KIND_BRANCH ||
        (get(row, "rs1", *insn) != 0 && !is_reserved(get(row, "rs1", *insn)));
}

enum { MAX_ROWS = 1024 };
static bool row_was_run[MAX_ROWS], reference_ran;

static const DecodeRow *random_row(DiffProgram *p, uint32_t *insn)
{
    const DecodeRow *row;

    do {
        row = &rv_decode_table.rows[random_below(&p->random, rv_decode_table.row_count)];
    } while (is_left_out(p, row) || !random_insn(p, row, insn));
    row_was_run[row - rv_decode_table.rows] = true;
    return row;
}

/*
 * A reservation of the same width goes before each sc, now and then of another place: what an sc
 * does with a reservation of another width is left to the implementation (Unprivileged ISA 8.2).
 */
static void put_reservation(DiffProgram *p, const DecodeRow *row, int base, int offset)
{
    const char *spare = base == 5 ? "t1" : "t0";

    if (random_below(&p->random, 3) == 0) {
        offset ^= 64;
    }
    put_format(p, "addi %s,t5,%d\nlr%s %s,(%s)", names[base], offset, row->name + strlen("sc"),
        spare, names[base]);
}

/* The base register points into memory first. */
static void put_memory(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    int base = (int)get(row, "rs1", insn), offset = ((int)random_below(&p->random, 128) - 64) * 8;

    if (row->bits == 32) {
        set(row, "imm", (int)random_below(&p->random, 1024) - 512, &insn);
    }
    if (g_str_has_prefix(row->name, "sc.")) {
        put_reservation(p, row, base, offset);
    }
    put_format(p, "addi %s,t5,%d", names[base], offset);
    diff_put(p, insn, row->bits / 8);
}

static void put_jump(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    int base = (int)get(row, "rs1", insn);

    put_format(p, "auipc %s,0", names[base]);
    if (row->bits == 16) {
        put_format(p, "addi %s,%s,10", names[base], names[base]);
    }
    set(row, "imm", 8, &insn);
    diff_put(p, insn, row->bits / 8);
}

/* Over one plain instruction. */
static void put_branch(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    const DecodeRow *next;
    uint32_t over;

    do {
        next = random_row(p, &over);
    } while (kind_of(next) != KIND_PLAIN);
    set(row, "imm", (row->bits + next->bits) / 8, &insn);
    diff_put(p, insn, row->bits / 8);
    diff_put(p, over, next->bits / 8);
}

static void put_random(DiffProgram *p)
{
    uint32_t insn;
    const DecodeRow *row = random_row(p, &insn);

    switch (kind_of(row)) {
    case KIND_PLAIN: diff_put(p, insn, row->bits / 8); break;
    case KIND_MEMORY: put_memory(p, row, insn); break;
    case KIND_BRANCH: put_branch(p, row, insn); break;
    case KIND_JUMP: put_jump(p, row, insn); break;
    }
}

/* ---- programs ------------------------------------------------------------------------------ */

static uint64_t random_float_register(Random *r)
{
    switch (random_below(r, 4)) {
    case 0: return UINT64_C(0xffffffff00000000) | random_value(r, F32);
    case 1: return UINT64_C(0xffffffffffff0000) | (random_value(r, F64) >> 48);
    default: return random_value(r, F64);
    }
}

static void random_record(Random *r, IrType type, Record *record)
{
    for (unsigned n = 1; n < FIRST_RESERVED; n++) {
        record->x[n] = random_value(r, type);
    }
    for (unsigned n = 0; n < 32; n++) {
        record->f[n] = random_float_register(r);
    }
    record->fcsr = random_below(r, 5) << 5 | random_below(r, 32);
}

static void make(DiffProgram *p)
{
    uint64_t trap, restore, save;

    put_routines(p, &restore, &save);
    /* Our start: floating point on, traps to where they are noted and the CPU waits for ever. */
    trap = put_format(p,
        "lui t3,0x%x\ncsrrs s11,0x342,zero\nsw s11,0(t3)\ncsrrs s11,0x341,zero\nsw s11,8(t3)\n"
        "wait:\nwfi\njal zero,wait",
        (unsigned)(DIFF_PRIVATE >> 12));
    p->own_entry = put_format(p,
        "lui ra,0x2\ncsrrs zero,0x300,ra\nlui ra,0x%x\naddi ra,ra,%u\ncsrrw zero,0x305,ra",
        (unsigned)(DIFF_CODE >> 12), (unsigned)(trap - DIFF_CODE));
    p->entry = put_format(
        p, "lui t4,0x%x\naddi t5,t4,-2048", (unsigned)((DIFF_DATA + DIFF_SCRATCH) >> 12));
    for (unsigned n = 0; n < p->sequences; n++) {
        random_record(&p->random, xlen_of(p) == 64 ? I64 : I32, (Record *)diff_record(p, n));
        put_format(p, "jal t6,0x%" PRIx64, restore);
        p->start[n] = p->size;
        for (unsigned i = 0; i < INSNS; i++) {
            put_random(p);
        }
        p->end[n] = p->size;
        put_format(p, "jal t6,0x%" PRIx64, save);
    }
    /* write(1, DIFF_DATA, ...), exit(0) */
    put_format(p,
        "addi a7,zero,64\naddi a0,zero,1\nlui a1,0x%x\nlui a2,0x%x\necall\naddi a7,zero,93\n"
        "addi a0,zero,0\necall",
        (unsigned)(DIFF_DATA >> 12), (unsigned)(diff_data_size(p) >> 12));
}

static bool ended_with_a_system_call(const DiffEnd *end)
{
    return end->cause == CAUSE_ECALL_M;
}

#define RISCV(width)                                                                               \
    {                                                                                              \
        .isa = "riscv" #width, .reference = "qemu-riscv" #width "-static",                         \
        .cpu = "rv" #width ",zba=true,zbb=true,zbc=false,zbs=true,Zfh=true", .bits = width,        \
        .machine = EM_RISCV, .elf_flags = ELF_FLAGS, .record = parts, .make = make,                \
        .ended_well = ended_with_a_system_call,                                                    \
    }

static void rv64_does_what_the_reference_does(void **state)
{
    static const DiffIsa rv64 = RISCV(64);

    diff_run(&rv64, first_seed, programs, sequences);
    reference_ran = true;
}

static void rv32_does_what_the_reference_does(void **state)
{
    static const DiffIsa rv32 = RISCV(32);

    diff_run(&rv32, first_seed, programs, sequences);
}

/* The rows that are not for sequences: does a test of its own name the instruction? */
static bool is_named_in_tests(const char *name)
{
    static const char *const files[] = { "integer", "mmu", "privileged" };

    for (unsigned n = 0; n < G_N_ELEMENTS(files); n++) {
        g_autofree char *path = g_strdup_printf("tests/targets/riscv/%s.c", files[n]);
        g_autofree char *text = NULL;
        g_autofree char *pattern = g_strdup_printf("(\"|\\\\n| )%s\\b", name);
        if (g_file_get_contents(path, &text, NULL, NULL) &&
            g_regex_match_simple(pattern, text, 0, 0)) {
            return true;
        }
    }
    return false;
}

static void every_row_is_run_here_or_by_a_test_of_its_own(void **state)
{
    unsigned missing = 0;

    if (!reference_ran || !g_file_test("tests/targets/riscv", G_FILE_TEST_IS_DIR)) {
        skip();
    }
    g_assert(rv_decode_table.row_count <= MAX_ROWS);
    for (unsigned n = 0; n < rv_decode_table.row_count; n++) {
        const char *name = rv_decode_table.rows[n].name;
        if (!row_was_run[n] && !is_named_in_tests(name)) {
            fprintf(stderr, "no test runs %s\n", name);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rv64_does_what_the_reference_does),
        cmocka_unit_test(rv32_does_what_the_reference_does),
        cmocka_unit_test(every_row_is_run_here_or_by_a_test_of_its_own),
    };

    first_seed = argc > 1 ? (unsigned)atoi(argv[1]) : first_seed;
    programs = argc > 2 ? (unsigned)atoi(argv[2]) : programs;
    sequences = argc > 3 ? (unsigned)atoi(argv[3]) : sequences;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
