/*
 * Random instructions, made from the decode table, against qemu-aarch64-static: see tests/targets/differential.h.
 *
 * What is not allocated is compared too: both sides step over an undefined instruction and count it.
 *
 *   build/tests/targets/aarch64/fuzz [SEED [PROGRAMS [SEQUENCES [INSNS [RECORDS [WORD]]]]]]
 *
 * INSNS: instructions in a sequence, about; RECORDS: how many it runs on, one after the other; WORD: only rows whose
 * names begin so.
 */
#include <elf.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/aarch64/state.h"
#include "tests/targets/aarch64/frame.h"
#include "tests/test.h"

static unsigned first_seed = 1, programs = 2, sequences = 300, insns = 30, records = 4;
static const char *only = "";

static bool reference_ran;

static const DiffPart parts[] = { { "x", 28 }, { "nzcv", 1 }, { "fpcr", 1 }, { "fpsr", 1 },
    { "undefined", 1 }, { "v.d", 64 }, {} };

/* ---- rows ------------------------------------------------------------------------------------- */

/* What makes an instruction of a row one that can be run and compared. */
typedef enum Kind {
    KIND_LEFT_OUT,
    KIND_PLAIN,
    KIND_BRANCH,    /* direct: over one plain instruction */
    KIND_LITERAL,   /* relative to the pc, reads the code around it */
    KIND_MEMORY,    /* a register points into memory */
    KIND_ORDERED,   /* the same, and the address is aligned */
    KIND_EXCLUSIVE, /* a load and a store */
    KIND_SIGNED,    /* the base is signed first */
    KIND_SIGN,      /* of a pointer */
    KIND_CHECK,     /* of a pointer, which may be signed first */
    KIND_INDIRECT,  /* a jump over one instruction to what may be a landing pad */
    KIND_HINT,
    KIND_SYSTEM, /* a system register of EL0's */
} Kind;

static const struct {
    const char *prefix;
    Kind kind;
} kinds[] = {
    /* Not for user mode, or no part of a sequence: calls, what a debugger answers to, system instructions. */
    { "svc", KIND_LEFT_OUT },
    { "brk", KIND_LEFT_OUT },
    { "hlt", KIND_LEFT_OUT },
    { "sys", KIND_LEFT_OUT },
    { "blr", KIND_INDIRECT },
    { "br", KIND_INDIRECT },
    { "ret", KIND_INDIRECT },
    { "stx", KIND_EXCLUSIVE },
    { "ldx", KIND_EXCLUSIVE },
    { "stlur", KIND_ORDERED },
    { "ldapur", KIND_ORDERED },
    { "ldra", KIND_SIGNED },
    { "pacga", KIND_PLAIN },
    { "pac", KIND_SIGN },
    { "aut", KIND_CHECK },
    { "hint", KIND_HINT },
    { "msr.", KIND_PLAIN },
    { "mrs", KIND_SYSTEM },
    { "msr", KIND_SYSTEM },
};

enum { MAX_ROWS = 2048, MAX_WRITTEN = 6 };

/* What is asked of a row for each of its instructions. */
typedef struct Facts {
    Kind kind;
    const DecodeField *written[MAX_WRITTEN]; /* general registers */
    bool may_be_31[MAX_WRITTEN];
    bool was_run;
} Facts;
static Facts facts[MAX_ROWS];

static const DecodeRow *row_at(unsigned n)
{
    return &a64_decode_table.rows[n];
}

static Facts *facts_of(const DecodeRow *row)
{
    return &facts[row - a64_decode_table.rows];
}

static bool prints(const DecodeRow *row, const char *what)
{
    return row->print && strstr(row->print, what);
}

static Kind kind_of(const DecodeRow *row)
{
    bool is_literal = (row->match.value & 0x3b000000) == 0x18000000 &&
        (row->match.mask & 0x3b000000) == 0x3b000000;

    if (is_literal) {
        return KIND_LITERAL;
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(kinds); n++) {
        if (g_str_has_prefix(row->name, kinds[n].prefix)) {
            return kinds[n].kind;
        }
    }
    return prints(row, "p.imm") ? KIND_BRANCH : prints(row, "[") ? KIND_MEMORY : KIND_PLAIN;
}

/* General registers that it may write: those reserved must stay, and so must the stack pointer. */
static void find_written(const DecodeRow *row, Facts *f)
{
    static const char *const written[] = { "r.rd", "x.rd", "b.rd", "x.rt", "x.rt2", "x.rs" };
    bool zero_is_fine = prints(row, "r.rd") || prints(row, "x.rd,x.rn,x.rm");

    for (unsigned n = 0; n < G_N_ELEMENTS(written); n++) {
        f->written[n] = prints(row, written[n]) ? decode_row_field(row, written[n] + 2) : NULL;
        f->may_be_31[n] = zero_is_fine || !strstr(written[n], ".rd");
    }
}

static void learn_rows(void)
{
    g_assert(a64_decode_table.row_count <= MAX_ROWS);
    for (unsigned n = 0; n < a64_decode_table.row_count; n++) {
        facts[n].kind = g_str_has_prefix(row_at(n)->name, only) ? kind_of(row_at(n))
                                                                : KIND_LEFT_OUT;
        find_written(row_at(n), &facts[n]);
    }
}

/* ---- random instructions ---------------------------------------------------------------------- */

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

static bool writes_reserved(const DecodeRow *row, uint32_t insn)
{
    const Facts *f = facts_of(row);

    for (unsigned n = 0; n < MAX_WRITTEN; n++) {
        int64_t number = f->written[n] ? decode_field(f->written[n], insn) : 0;

        if (number >= FIRST_RESERVED && !(number == 31 && f->may_be_31[n])) {
            return true;
        }
    }
    return false;
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

static bool one_of(DiffProgram *p, unsigned count)
{
    return random_below(&p->random, count) == 0;
}

/* An operand that is not shifted, and one whose register gets the result, are cases of their own, and rare else. */
static void make_special(DiffProgram *p, const DecodeRow *row, uint32_t *insn)
{
    const char *operand = one_of(p, 2) ? "rm" : "rn";

    if (one_of(p, 2)) {
        set(row, "amount", 0, insn);
    }
    if (decode_row_field(row, operand) && one_of(p, 3)) {
        set(row, "rd", get(row, operand, *insn), insn);
    }
}

static bool random_insn(DiffProgram *p, const DecodeRow *row, uint32_t *insn)
{
    if (!decode_random(row, &p->rows, insn)) {
        return false;
    }
    make_special(p, row, insn);
    return !writes_reserved(row, *insn) && !is_wrong(*insn);
}

static const DecodeRow *random_row(DiffProgram *p, uint32_t *insn)
{
    const DecodeRow *row;

    do {
        row = row_at(random_below(&p->random, a64_decode_table.row_count));
    } while (facts_of(row)->kind == KIND_LEFT_OUT || !random_insn(p, row, insn));
    facts_of(row)->was_run = true;
    return row;
}

/* One that goes on at the next, and may be jumped over. */
static uint32_t random_plain(DiffProgram *p)
{
    const DecodeRow *row;
    uint32_t insn;

    do {
        row = random_row(p, &insn);
    } while (facts_of(row)->kind != KIND_PLAIN);
    return insn;
}

static unsigned random_register(DiffProgram *p)
{
    return random_below(&p->random, FIRST_RESERVED);
}

/* Some addresses have a tag. */
static void put_tag(DiffProgram *p, unsigned rd)
{
    if (one_of(p, 4)) {
        put(p, 0xf2e00000u | random_below(&p->random, 256) << 13 | rd); /* movk rd, #..., lsl #48 */
    }
}

/* rd = x29 + a multiple of 16 */
static void put_address(DiffProgram *p, unsigned rd)
{
    int offset = ((int)random_below(&p->random, 64) - 32) * 16;
    uint32_t op = offset < 0 ? 0xd1000000u : 0x91000000u;

    put(p, op | (uint32_t)abs(offset) << 10 | MEMORY << 5 | rd);
    put_tag(p, rd);
}

/* Registers point into memory first; the offset is made to fit. */
static void put_memory(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    unsigned base = random_register(p), index;
    int scale = 1 << get(row, "size", insn);

    do {
        index = random_register(p);
    } while (index == base);
    set(row, "rn", base, &insn);
    if (is_unpredictable(row, insn)) {
        return;
    }
    put_address(p, base);
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

/* The reference, 7.2, does not see that they are not aligned. */
static void put_ordered(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    int scale = 1 << get(row, "size", insn);

    set(row, "imm", get(row, "imm", insn) / scale * scale, &insn);
    put_memory(p, row, insn);
}

/* Over one plain instruction. */
static void put_branch(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    uint32_t over = random_plain(p);

    set(row, "imm", 8, &insn);
    put(p, insn);
    put(p, over);
}

static void put_literal(DiffProgram *p, uint32_t insn)
{
    int words = (int)random_below(&p->random, 32) - 16;

    put(p, (insn & ~0xffffe0u) | ((uint32_t)words & 0x7ffff) << 5);
}

/* ---- the exclusive monitor -------------------------------------------------------------------- */

static bool may_be_loaded(unsigned rt)
{
    return rt < FIRST_RESERVED || rt == 31;
}

/* A load and a store of the same size, with or without something between them. */
static void put_exclusive(DiffProgram *p, uint32_t insn)
{
    enum {
        LOAD = 1 << 22,
        STATUS_LSB = 16,
        SECOND_LSB = 10,
        PAIR = 1 << 21,
        ONES = 31,
        CLREX = 0xd5033f5f
    };
    unsigned base = random_register(p), rt = insn & ONES, second = insn >> SECOND_LSB & ONES,
             status;
    uint32_t fixed = (insn & ~(uint32_t)(LOAD | ONES << STATUS_LSB | ONES << 5)) | base << 5;

    do {
        status = random_register(p);
    } while (status == base || status == rt || status == second);
    if (base == rt || base == second || !may_be_loaded(rt) ||
        (insn & PAIR && (rt == second || !may_be_loaded(second)))) {
        return;
    }
    put_address(p, base);
    if (one_of(p, 16)) { /* the reference, 7.2, lets stores fail without a fault */
        put(p, 0x91000000u | (1 + random_below(&p->random, 15)) << 10 | base << 5 | base); /* add */
        put(p, fixed | LOAD | ONES << STATUS_LSB);
        return;
    }
    if (!one_of(p, 8)) {
        put(p, fixed | LOAD | ONES << STATUS_LSB);
    }
    if (one_of(p, 8)) {
        put(p, CLREX);
    }
    put(p, fixed | status << STATUS_LSB);
}

/* ---- pointers with codes ---------------------------------------------------------------------- */

enum {
    AUTHENTICATES = 1 << 12, /* AUTIA and its like; without that bit they sign */
    NO_MODIFIER = 32,        /* zero */
};

/*
 * Where one half has tags and the other has none, bit 55 says which half a pointer belongs to (AddPAC() in J1: "the
 * awkward case"). The reference, 7.2, goes by bit 63 for the half without: both are to be the same there.
 */
static void put_one_half(DiffProgram *p, unsigned rd)
{
    put(p, 0xb2410000u | rd << 5 | rd); /* orr rd, rd, #1 << 63 */
}

static void put_sign(DiffProgram *p, uint32_t insn)
{
    unsigned rd = insn & 31;

    if (one_of(p, 4)) {
        put_address(p, rd);
    }
    put_one_half(p, rd);
    put(p, insn & ~(uint32_t)AUTHENTICATES);
}

/* Makes its pointer one that is in order, most times. */
static void put_check(DiffProgram *p, uint32_t insn)
{
    if (!one_of(p, 4)) {
        put_sign(p, insn);
    }
    put(p, insn);
}

/* PACIA, PACIB, PACDA, PACDB (key 0 to 3) of rd, or PACIZA ... */
static void put_sign_with(DiffProgram *p, unsigned rd, unsigned key, unsigned modifier)
{
    uint32_t with = modifier == NO_MODIFIER ? 1u << 13 | 31 << 5 : modifier << 5;

    put(p, 0xdac10000u | with | key << 10 | rd);
}

static void put_load_signed(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    unsigned base = random_register(p);

    set(row, "rn", base, &insn);
    set(row, "imm", ((int)random_below(&p->random, 32) - 16) * 8, &insn);
    if (is_unpredictable(row, insn)) {
        return;
    }
    put_address(p, base);
    put_sign_with(p, base, (unsigned)get(row, "key", insn), NO_MODIFIER);
    put(p, insn);
}

/* BTI with all it may name, PACIASP and PACIBSP, and what is none. */
static void put_landing(DiffProgram *p)
{
    static const uint8_t pads[] = { 32, 34, 36, 38, 25, 27 };
    unsigned which = random_below(&p->random, G_N_ELEMENTS(pads) + 1);

    put(p, which < G_N_ELEMENTS(pads) ? A64_NOP | (uint32_t)pads[which] << 5 : random_plain(p));
}

/* Over one instruction to another, which may be a landing pad. */
static void put_indirect(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    bool returns = g_str_has_prefix(row->name, "ret"), checks = decode_row_field(row, "key");
    unsigned to = returns && checks ? LINK : one_of(p, 2) ? 16 : random_register(p);
    unsigned modifier = get(row, "zero", insn) ? NO_MODIFIER
        : returns                              ? STACK_POINTER
                                               : (unsigned)get(row, "rm", insn);
    uint32_t at = p->size;

    if (checks && modifier == to) {
        return;
    }
    put(p, 0x10000000u | to); /* adr to, where it lands */
    put_tag(p, to);
    if (checks) {
        put_sign_with(p, to, (unsigned)get(row, "key", insn), modifier);
    }
    set(row, "rn", to, &insn);
    put(p, insn);
    put(p, random_plain(p));
    *(uint32_t *)(void *)(p->code + at) |= (p->size - at) / 4 << 5;
    put_landing(p);
}

/* ---- hints and system registers --------------------------------------------------------------- */

enum { HINT_WFE = 2, HINT_WFI, HINT_SEV, HINT_FIRST_PAUTH = 7, HINT_LAST_PAUTH = 31 };

/* Those that check (12, 14, 28 to 31) come behind the ones that sign, 4 less, most times. There is no CPU to wait for. */
static void put_hint(DiffProgram *p, const DecodeRow *row, uint32_t insn)
{
    unsigned op = (unsigned)get(row, "op", insn);

    if (one_of(p, 2)) {
        op = HINT_FIRST_PAUTH + random_below(&p->random, HINT_LAST_PAUTH - HINT_FIRST_PAUTH + 1);
    }
    if (op >= HINT_WFE && op <= HINT_SEV) {
        return;
    }
    put_one_half(p, 17);
    if ((op == 12 || op == 14 || (op >= 28 && op <= HINT_LAST_PAUTH)) && !one_of(p, 4)) {
        put(p, A64_NOP | (op - 4) << 5);
    }
    put(p, A64_NOP | op << 5);
    put(p, 0xaa0003e0u | LINK << 16 | random_register(p)); /* mov rd, x30 */
}

/* Mostly what Linux runs with, else anything. */
static uint64_t random_fpcr(Random *r)
{
    static const uint64_t fpcr[] = { 0, 0, 0, FPCR_DN, FPCR_FZ, FPCR_FZ16, FPCR_AHP,
        FPCR_FZ | FPCR_DN };
    uint64_t round = (uint64_t)random_below(r, 4) << FPCR_RMODE_SHIFT;

    return fpcr[random_below(r, G_N_ELEMENTS(fpcr))] | round;
}

/* MRS and MSR of what EL0 has and is the same everywhere. FPCR and FPSR have fields that only AArch32 knows. */
static void put_system(DiffProgram *p, uint32_t insn)
{
    enum {
        READ = 1 << 21,
        FPSR_QC_LSB = 27,
        TPIDR = 0xd51bd040,
        DIT = 0xd51b42a0,
        SSBS = 0xd51b42c0
    };
    static const uint32_t registers[] = { A64_MSR_NZCV, A64_MSR_FPCR, A64_MSR_FPSR, TPIDR, DIT,
        SSBS };
    uint32_t which = registers[random_below(&p->random, G_N_ELEMENTS(registers))];

    unsigned rt = insn & 31;

    if ((which == A64_MSR_FPCR || which == A64_MSR_FPSR) && !(insn & READ)) {
        rt = random_register(p);
        put_constant(p, rt,
            which == A64_MSR_FPCR
                ? random_fpcr(&p->random)
                : random_below(&p->random, 32) | random_below(&p->random, 2) << FPSR_QC_LSB);
    }
    put(p, which | (insn & READ) | rt);
}

/* ---- sequences -------------------------------------------------------------------------------- */

static void put_random(DiffProgram *p)
{
    uint32_t insn;
    const DecodeRow *row = random_row(p, &insn);

    switch (facts_of(row)->kind) {
    case KIND_LEFT_OUT: break;
    case KIND_PLAIN: put(p, insn); break;
    case KIND_BRANCH: put_branch(p, row, insn); break;
    case KIND_LITERAL: put_literal(p, insn); break;
    case KIND_MEMORY: put_memory(p, row, insn); break;
    case KIND_ORDERED: put_ordered(p, row, insn); break;
    case KIND_EXCLUSIVE: put_exclusive(p, insn); break;
    case KIND_SIGNED: put_load_signed(p, row, insn); break;
    case KIND_SIGN: put_sign(p, insn); break;
    case KIND_CHECK: put_check(p, insn); break;
    case KIND_INDIRECT: put_indirect(p, row, insn); break;
    case KIND_HINT: put_hint(p, row, insn); break;
    case KIND_SYSTEM: put_system(p, insn); break;
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
    for (unsigned n = 0; n < FIRST_RESERVED; n++) {
        record[WORD_X + n] = random_value(r, I64);
    }
    record[WORD_FLAGS] = (uint64_t)random_below(r, 16) << NZCV_SHIFT;
    record[WORD_FPCR] = random_fpcr(r);
    for (unsigned n = 0; n < 32; n++) {
        random_vector(r, &record[WORD_V + 2 * n]);
    }
}

/*
 * An undefined instruction has both sides translate what follows it anew: a branch to the next instruction now and
 * then ends what that is.
 */
static void put_sequence(DiffProgram *p)
{
    for (unsigned i = 0; i < insns; i++) {
        put_random(p);
        if (one_of(p, 16)) {
            put(p, 0xb5000020u | MEMORY); /* cbnz x29, . + 4 */
        }
    }
}

static void make(DiffProgram *p)
{
    Frame frame = frame_put_start(p);

    for (unsigned n = 0; n < p->sequences; n++) {
        unsigned first = n * p->records_of_each;
        uint64_t again = here(p);

        for (unsigned i = 0; i < p->records_of_each; i++) {
            random_record(&p->random, diff_record(p, first + i));
        }
        put_bl(p, frame.restore);
        p->start[n] = p->size;
        put_sequence(p);
        p->end[n] = p->size;
        put_bl(p, frame.save);
        frame_put_repeat(p, again, first + p->records_of_each);
    }
    frame_put_end(p, &frame);
}

static bool ended_with_a_system_call(const DiffEnd *end)
{
    return end->cause == EC_SVC;
}

static DiffIsa aarch64 = {
    .isa = "aarch64",
    .model = "max",
    .reference = "qemu-aarch64-static",
    .cpu = "max,pauth-impdef=off",
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
    for (unsigned n = 0; n < a64_decode_table.row_count; n++) {
        const DecodeRow *row = row_at(n);
        const Facts *f = &facts[n];

        /* fjcvtzs: simd.c */
        if (!f->was_run && f->kind != KIND_LEFT_OUT && !g_str_equal(row->name, "fjcvtzs")) {
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
    records = argc > 5 ? (unsigned)atoi(argv[5]) : records;
    only = argc > 6 ? argv[6] : only;
    aarch64.records_of_each = records;
    learn_rows();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
