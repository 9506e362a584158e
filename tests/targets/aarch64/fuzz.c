/*
 * Random instructions, made from the decode table, against qemu-aarch64-static: see tests/targets/differential.h.
 *
 * What is not allocated is compared too: both sides step over an undefined instruction and count it.
 *
 *   build/tests/targets/aarch64/fuzz [SEED [PROGRAMS [SEQUENCES [INSNS [WORD]]]]]
 *
 * INSNS: instructions in a sequence; WORD: only rows whose names begin so.
 */
#include <elf.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/aarch64/state.h"
#include "tests/targets/differential.h"
#include "tests/test.h"

static unsigned first_seed = 1, programs = 2, sequences = 300, insns = 30;
static const char *only = "";

enum { MAX_ROWS = 2048 };
static bool row_was_run[MAX_ROWS], reference_ran;

enum {
    RECORD =
        28, /* x28: the record, x29: the middle of memory, x30: link; not written by sequences */
    MEMORY = 29,
    LINK = 30,
    FIRST_RESERVED = RECORD,
};

/* Words of a record. */
enum { WORD_X = 0, WORD_FLAGS = 28, WORD_FPCR, WORD_FPSR, WORD_UNDEFINED, WORD_V };

static const DiffPart parts[] = { { "x", 28 }, { "nzcv", 1 }, { "fpcr", 1 }, { "fpsr", 1 },
    { "undefined", 1 }, { "v.d", 64 }, {} };

/* ---- the few instructions that the frame is made of ------------------------------------------- */

static void put(DiffProgram *p, uint32_t insn)
{
    diff_put(p, insn, 4);
}

static uint64_t here(const DiffProgram *p)
{
    return DIFF_CODE + p->size;
}

static void put_constant(DiffProgram *p, unsigned rd, uint64_t value)
{
    put(p, 0xd2800000u | (uint32_t)(value & 0xffff) << 5 | rd); /* movz */
    for (unsigned n = 1; n < 4; n++) {
        if (value >> (16 * n) & 0xffff) {
            put(p, 0xf2800000u | n << 21 | (uint32_t)(value >> (16 * n) & 0xffff) << 5 | rd);
        }
    }
}

/* Of a word of the record, or of another base. */
static void put_ldr(DiffProgram *p, unsigned rt, unsigned rn, unsigned word)
{
    put(p, 0xf9400000u | word << 10 | rn << 5 | rt);
}

static void put_str(DiffProgram *p, unsigned rt, unsigned rn, unsigned word)
{
    put(p, 0xf9000000u | word << 10 | rn << 5 | rt);
}

static void put_bl(DiffProgram *p, uint64_t target)
{
    put(p, 0x94000000u | ((uint32_t)((int64_t)(target - here(p)) >> 2) & 0x3ffffff));
}

enum {
    MSR_NZCV = 0xd51b4200,
    MRS_NZCV = 0xd53b4200,
    MSR_FPCR = 0xd51b4400,
    MRS_FPCR = 0xd53b4400,
    MSR_FPSR = 0xd51b4420,
    MRS_FPSR = 0xd53b4420,
    RET_LINK = 0xd65f03c0,
    ISB = 0xd5033fdf,
    SVC = 0xd4000001,
    NOP = 0xd503201f,
};

static const struct {
    uint32_t msr, mrs;
    unsigned word;
} special[] = {
    { MSR_NZCV, MRS_NZCV, WORD_FLAGS },
    { MSR_FPCR, MRS_FPCR, WORD_FPCR },
    { MSR_FPSR, MRS_FPSR, WORD_FPSR },
};

static uint64_t put_restore(DiffProgram *p)
{
    uint64_t at = here(p);

    for (unsigned n = 0; n < G_N_ELEMENTS(special); n++) {
        put_ldr(p, 0, RECORD, special[n].word);
        put(p, special[n].msr);
    }
    for (unsigned n = 0; n < 32; n++) {
        put(p, 0x3dc00000u | (WORD_V / 2 + n) << 10 | RECORD << 5 | n); /* ldr qN */
    }
    for (unsigned n = 0; n < FIRST_RESERVED; n++) {
        put_ldr(p, n, RECORD, WORD_X + n);
    }
    put(p, RET_LINK);
    return at;
}

static uint64_t put_save(DiffProgram *p)
{
    uint64_t at = here(p);

    for (unsigned n = 0; n < FIRST_RESERVED; n++) {
        put_str(p, n, RECORD, WORD_X + n);
    }
    for (unsigned n = 0; n < 32; n++) {
        put(p, 0x3d800000u | (WORD_V / 2 + n) << 10 | RECORD << 5 | n); /* str qN */
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(special); n++) {
        put(p, special[n].mrs);
        put_str(p, 0, RECORD, special[n].word);
    }
    put(p, 0x91000000u | (WORD_V + 64) * 8 << 10 | RECORD << 5 | RECORD); /* add: the next record */
    put(p, RET_LINK);
    return at;
}

/* ---- undefined instructions ------------------------------------------------------------------- */

/* x3 += 4, and the record's counter + 1. */
static void put_step_over(DiffProgram *p)
{
    put(p, 0x91000000u | 4 << 10 | 3 << 5 | 3);
    put_ldr(p, 4, RECORD, WORD_UNDEFINED);
    put(p, 0x91000000u | 1 << 10 | 4 << 5 | 4);
    put_str(p, 4, RECORD, WORD_UNDEFINED);
}

/* The reference's handler of SIGILL: pc is at 440 in the context (x2), x28 is what it was. */
static uint64_t put_signal_handler(DiffProgram *p)
{
    enum { CONTEXT_PC = 440 / 8 };
    uint64_t at = here(p);

    put_ldr(p, 3, 2, CONTEXT_PC);
    put_step_over(p);
    put_str(p, 3, 2, CONTEXT_PC);
    put(p, RET_LINK);
    return at;
}

/* rt_sigaction(SIGILL, ...): the structure is built in the first record's place of x0 to x3, before it is used. */
static void put_install_handler(DiffProgram *p, uint64_t handler)
{
    enum { RT_SIGACTION = 134, SIGNAL_ILL = 4, SIGINFO = 4, NODEFER = 0x40000000 };

    put_constant(p, 9, DIFF_DATA);
    put_ldr(p, 10, 9, 0);
    put_ldr(p, 11, 9, 1);
    put_ldr(p, 12, 9, 2);
    put_ldr(p, 13, 9, 3);
    put_constant(p, 14, handler);
    put_str(p, 14, 9, 0);
    put_constant(p, 14, SIGINFO | NODEFER);
    put_str(p, 14, 9, 1);
    put_str(p, 31, 9, 2);
    put_str(p, 31, 9, 3);
    put_constant(p, 0, SIGNAL_ILL);
    put(p, 0xaa0903e1u); /* mov x1, x9 */
    put_constant(p, 2, 0);
    put_constant(p, 3, 8);
    put_constant(p, 8, RT_SIGACTION);
    put(p, SVC);
    put_str(p, 10, 9, 0);
    put_str(p, 11, 9, 1);
    put_str(p, 12, 9, 2);
    put_str(p, 13, 9, 3);
}

/* Our vectors: synchronous exceptions of EL1 come to 0x200. Undefined ones are stepped over, others end it. */
static uint64_t put_vectors(DiffProgram *p)
{
    uint64_t at;

    while (p->size % 2048) {
        put(p, NOP);
    }
    at = here(p);
    while (here(p) < at + 0x200) {
        put(p, NOP);
    }
    put(p, 0xa9bf13e3u);               /* stp x3, x4, [sp, #-16]! */
    put(p, 0xd5385203u);               /* mrs x3, esr_el1 */
    put(p, 0xd35afc63u);               /* lsr x3, x3, #26 */
    put(p, 0xb5000000u | 11 << 5 | 3); /* cbnz x3, end: EC 0 is undefined */
    put(p, 0xd5384023u);               /* mrs x3, elr_el1 */
    put_step_over(p);
    put(p, 0xd5184023u); /* msr elr_el1, x3 */
    put(p, 0xa8c113e3u); /* ldp x3, x4, [sp], #16 */
    put(p, 0xd69f03e0u); /* eret */
    put(p, NOP);
    put(p, NOP);
    put_constant(p, 0, DIFF_PRIVATE);
    put_str(p, 3, 0, 0);
    put(p, 0xd5384023u); /* mrs x3, elr_el1 */
    put_str(p, 3, 0, 1);
    put(p, 0xd50342dfu + 0x100); /* msr daifset, #3 */
    put(p, 0xd503207fu);         /* wfi */
    put(p, 0x17ffffffu);         /* b . - 4 */
    return at;
}

/* Our start at EL1: memory is one normal block of 1 GiB, floating point does not trap. */
static void put_own_start(DiffProgram *p, uint64_t vectors)
{
    enum { TABLE = 0x1000, STACK = 0x2000 };
    /* AP 0, inner shareable, AF, attribute 0, a block */
    const uint64_t block = 3 << 8 | 1 << 10 | 1;

    p->own_entry = here(p);
    put_constant(p, 0, DIFF_PRIVATE + TABLE);
    put_constant(p, 1, block);
    put_str(p, 1, 0, 0);
    put(p, 0xd5182000u); /* msr ttbr0_el1, x0 */
    put_constant(p, 1, 0xff);
    put(p, 0xd518a201u);                                  /* msr mair_el1, x1 */
    put_constant(p, 1, 25 | 3 << 12 | UINT64_C(1) << 23); /* T0SZ 25, SH0, EPD1 */
    put(p, 0xd5182041u);                                  /* msr tcr_el1, x1 */
    put_constant(p, 1, vectors);
    put(p, 0xd518c001u); /* msr vbar_el1, x1 */
    put_constant(p, 1, 3 << 20);
    put(p, 0xd5181041u); /* msr cpacr_el1, x1 */
    put_constant(p, 1, DIFF_PRIVATE + STACK);
    put(p, 0x9100003fu); /* mov sp, x1 */
    put(p, 0xd5381001u); /* mrs x1, sctlr_el1 */
    put(p, 0xb2400021u); /* orr x1, x1, #1: M */
    put(p, 0xd5181001u); /* msr sctlr_el1, x1 */
    put(p, ISB);
}

/* ---- random instructions ---------------------------------------------------------------------- */

static bool prints(const DecodeRow *row, const char *what)
{
    return row->print && strstr(row->print, what);
}

static bool is_memory(const DecodeRow *row)
{
    return prints(row, "[");
}

/* Where the reference, 7.2, is wrong. */
static const DecodeMatch wrong[] = {
    /* fjcvtzs: with FPCR.FZ it sets Z for a subnormal number that was flushed; FPToFixedJS() does not ("elsif sign ==
     * '0' && value == 0.0 && !IsZero(op<51:0>) then z = '0'"). */
    { 0xfffffc00, 0x1e7e0000 },
    /* fcvtzs Hd, Hn, #fbits: the result is extended with its sign; a scalar's register is zero above it. */
    { 0xfff0fc00, 0x5f10fc00 },
};

static bool is_wrong(uint32_t insn)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(wrong); n++) {
        if ((insn & wrong[n].mask) == wrong[n].value) {
            return true;
        }
    }
    return false;
}

/*
 * Not for user mode, or the two sides may differ by right: calls and returns, exceptions, system registers, unaligned accesses in order, accesses
 * as EL0, what another width did to the exclusive monitor.
 */
static bool is_left_out(const DecodeRow *row)
{
    static const char *const left_out[] = { "bl", "br", "ret", "eret", "svc", "hvc", "smc", "brk",
        "hlt", "hint", "sys", "msr", "mrs", "ldtr", "sttr", "stx", "ldx", "stlur", "ldapur", "pac",
        "aut", "xpac", "ldra" };

    for (unsigned n = 0; n < G_N_ELEMENTS(left_out); n++) {
        if (g_str_has_prefix(row->name, left_out[n])) {
            return true;
        }
    }
    return !g_str_has_prefix(row->name, only);
}

static int64_t get(const DecodeRow *row, const char *name, uint32_t insn)
{
    const DecodeField *field = decode_row_field(row, name);

    return field ? decode_field(field, insn) : 0;
}

static bool set(const DecodeRow *row, const char *name, int64_t value, uint32_t *insn)
{
    const DecodeField *field = decode_row_field(row, name);

    return field && field->count && decode_set_field(field, value, insn);
}

/* Does it write a general register that must stay, or one that may be the stack pointer? */
static bool writes_reserved(const DecodeRow *row, uint32_t insn)
{
    static const char *const written[] = { "r.rd", "x.rd", "b.rd", "x.rt", "x.rt2", "x.rs" };
    bool zero_is_fine = prints(row, "r.rd") || prints(row, "x.rd,x.rn,x.rm");

    for (unsigned n = 0; n < G_N_ELEMENTS(written); n++) {
        int64_t number = get(row, written[n] + 2, insn);

        bool may_be_31 = zero_is_fine || !strstr(written[n], ".rd");

        if (prints(row, written[n]) && number >= FIRST_RESERVED && !(number == 31 && may_be_31)) {
            return true;
        }
    }
    return prints(row, "b.rn") && !is_memory(row) && get(row, "rn", insn) == 31;
}

/* Pairs of one register, and write-back to one that is transferred: the outcome is not defined (K1.2). */
static bool is_unpredictable(const DecodeRow *row, uint32_t insn)
{
    int64_t rt = get(row, "rt", insn), base = get(row, "rn", insn);
    bool pair = prints(row, "x.rt2"), writes_back = get(row, "mode", insn) & 1;

    return (pair && get(row, "rt2", insn) == rt) ||
        (writes_back && prints(row, "x.rt") &&
            (base == rt || (pair && base == get(row, "rt2", insn))));
}

/* Loads and prefetches relative to the pc. */
static bool is_literal(const DecodeRow *row)
{
    return (row->match.value & 0x3b000000) == 0x18000000 &&
        (row->match.mask & 0x3b000000) == 0x3b000000;
}

static void set_literal(const DecodeRow *row, int words, uint32_t *insn)
{
    *insn = (*insn & ~0xffffe0u) | ((uint32_t)words & 0x7ffff) << 5;
}

static bool is_branch(const DecodeRow *row)
{
    return prints(row, "p.imm") && !is_literal(row);
}

/* What is relative to the pc reads the code around it. */
static bool random_insn(DiffProgram *p, const DecodeRow *row, uint32_t *insn)
{
    if (!decode_random(row, &p->rows, insn) || writes_reserved(row, *insn) || is_wrong(*insn)) {
        return false;
    }
    if (is_literal(row)) {
        set_literal(row, (int)random_below(&p->random, 32) - 16, insn);
    }
    return true;
}

static const DecodeRow *random_row(DiffProgram *p, uint32_t *insn)
{
    const DecodeRow *row;

    do {
        row = &a64_decode_table.rows[random_below(&p->random, a64_decode_table.row_count)];
    } while (is_left_out(row) || !random_insn(p, row, insn));
    row_was_run[row - a64_decode_table.rows] = true;
    return row;
}

/* rd = x29 + offset */
static void put_address(DiffProgram *p, unsigned rd, int offset)
{
    uint32_t op = offset < 0 ? 0xd1000000u : 0x91000000u;

    put(p, op | (uint32_t)abs(offset) << 10 | MEMORY << 5 | rd);
}

/* Registers point into memory first; the offset is made to fit. */
static void put_memory(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    unsigned base = random_below(&p->random, FIRST_RESERVED), index;
    int scale = 1 << get(row, "size", insn);

    do {
        index = random_below(&p->random, FIRST_RESERVED);
    } while (index == base);
    set(row, "rn", base, &insn);
    if (is_unpredictable(row, insn)) {
        return;
    }
    put_address(p, base, ((int)random_below(&p->random, 64) - 32) * 16);
    if (prints(row, "x.rm")) {
        set(row, "rm", index, &insn);
        put_constant(p, index, random_below(&p->random, 40));
        if (random_below(&p->random, 2)) {
            put(p, 0xcb0003e0u | index << 16 | index); /* neg, for the sign-extending ones */
            set(row, "option", random_below(&p->random, 2) ? 6 : 7, &insn);
        }
    }
    if (row->print && !prints(row, "x.rm") && decode_row_field(row, "imm") &&
        decode_row_field(row, "imm")->pieces[0].length == 12) {
        set(row, "imm", (int)random_below(&p->random, 32) * scale, &insn);
    }
    put(p, insn);
}

/* Over one plain instruction. */
static void put_branch(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    const DecodeRow *next;
    uint32_t over;

    do {
        next = random_row(p, &over);
    } while (is_memory(next) || is_branch(next));
    set(row, "imm", 8, &insn);
    put(p, insn);
    put(p, over);
}

static void put_random(DiffProgram *p)
{
    uint32_t insn;
    const DecodeRow *row = random_row(p, &insn);

    if (is_branch(row)) {
        put_branch(p, row, insn);
    } else if (is_memory(row)) {
        put_memory(p, row, insn);
    } else {
        put(p, insn);
    }
}

/* ---- programs --------------------------------------------------------------------------------- */

/* Lanes of one kind: floats of a size, or integers. */
static void random_vector(Random *r, uint64_t *vector)
{
    unsigned kind = random_below(r, 4);

    for (unsigned half = 0; half < 2; half++) {
        uint64_t a = random_value(r, F64), b = random_value(r, F64);

        switch (kind) {
        case 0: vector[half] = a; break;
        case 1: vector[half] = random_value(r, F32) | random_value(r, F32) << 32; break;
        case 2:
            vector[half] = a >> 48 | (b >> 48) << 16 | (a >> 32 & 0xffff) << 32 |
                random_next(r) << 48;
            break;
        default: vector[half] = random_value(r, I64); break;
        }
    }
}

static void random_record(Random *r, uint64_t *record)
{
    /* Mostly what Linux runs with, else anything. */
    static const uint64_t fpcr[] = { 0, 0, 0, FPCR_DN, FPCR_FZ, FPCR_FZ16, FPCR_AHP,
        FPCR_FZ | FPCR_DN };

    for (unsigned n = 0; n < FIRST_RESERVED; n++) {
        record[WORD_X + n] = random_value(r, I64);
    }
    record[WORD_FLAGS] = (uint64_t)random_below(r, 16) << NZCV_SHIFT;
    record[WORD_FPCR] = fpcr[random_below(r, G_N_ELEMENTS(fpcr))] |
        (uint64_t)random_below(r, 4) << FPCR_RMODE_SHIFT;
    for (unsigned n = 0; n < 32; n++) {
        random_vector(r, &record[WORD_V + 2 * n]);
    }
}

static void put_end(DiffProgram *p)
{
    enum { SYSCALL_WRITE = 64, SYSCALL_EXIT = 93 };

    put_constant(p, 8, SYSCALL_WRITE);
    put_constant(p, 0, 1);
    put_constant(p, 1, DIFF_DATA);
    put_constant(p, 2, diff_data_size(p));
    put(p, SVC);
    put_constant(p, 8, SYSCALL_EXIT);
    put_constant(p, 0, 0);
    put(p, SVC);
    for (unsigned n = 0; n < 32; n++) { /* for loads relative to the pc near the end */
        put(p, NOP);
    }
}

static void make(DiffProgram *p)
{
    uint64_t restore = put_restore(p), save = put_save(p), handler = put_signal_handler(p);
    uint64_t vectors = put_vectors(p);
    uint32_t jump;

    put_own_start(p, vectors);
    jump = p->size;
    put(p, NOP);
    p->entry = here(p);
    put_install_handler(p, handler);
    /* Both sides go on here. */
    *(uint32_t *)(void *)(p->code + jump) = 0x14000000u | (p->size - jump) / 4;
    put_constant(p, RECORD, DIFF_DATA + DIFF_SCRATCH);
    put_constant(p, MEMORY, DIFF_DATA + DIFF_SCRATCH / 2);
    for (unsigned n = 0; n < p->sequences; n++) {
        random_record(&p->random, diff_record(p, n));
        put_bl(p, restore);
        p->start[n] = p->size;
        for (unsigned i = 0; i < insns; i++) {
            put_random(p);
        }
        p->end[n] = p->size;
        put_bl(p, save);
    }
    put_end(p);
}

static bool ended_with_a_system_call(const DiffEnd *end)
{
    return end->cause == EC_SVC;
}

static const DiffIsa aarch64 = {
    .isa = "aarch64",
    .model = "max",
    .reference = "qemu-aarch64-static",
    .cpu = "max",
    .bits = 64,
    .machine = EM_AARCH64,
    .record = parts,
    .make = make,
    .ended_well = ended_with_a_system_call,
};

static void a64_does_what_the_reference_does(void **state)
{
    diff_run(&aarch64, first_seed, programs, sequences);
    reference_ran = true;
}

static void every_row_that_is_not_left_out_was_run(void **state)
{
    unsigned missing = 0;

    if (!reference_ran) {
        skip();
    }
    g_assert(a64_decode_table.row_count <= MAX_ROWS);
    for (unsigned n = 0; n < a64_decode_table.row_count; n++) {
        const DecodeRow *row = &a64_decode_table.rows[n];

        /* fjcvtzs: simd.c */
        if (!row_was_run[n] && !is_left_out(row) && !g_str_equal(row->name, "fjcvtzs")) {
            fprintf(stderr, "no test runs %s, 0x%08x\n", row->name, row->match.value);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a64_does_what_the_reference_does),
        cmocka_unit_test(every_row_that_is_not_left_out_was_run),
    };

    first_seed = argc > 1 ? (unsigned)atoi(argv[1]) : first_seed;
    programs = argc > 2 ? (unsigned)atoi(argv[2]) : programs;
    sequences = argc > 3 ? (unsigned)atoi(argv[3]) : sequences;
    insns = argc > 4 ? (unsigned)atoi(argv[4]) : insns;
    only = argc > 5 ? argv[5] : only;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
