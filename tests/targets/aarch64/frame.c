#include "tests/targets/aarch64/frame.h"

#include <glib.h>

enum {
    ISB = 0xd5033fdf,
    ERET = 0xd69f03e0,
    SVC = 0xd4000001,
    BTI_C = 0xd503245f,
};

/* Where our own tables and stacks are. */
enum { TABLE_SIZE = 4096, TABLES = 0x1000, OWN_STACK = 0x8000 };

/* Of PSTATE, where branches leave their type (FEAT_BTI). */
enum { BTYPE_LSB = 10 };

/* ---- the few instructions that the frame is made of ------------------------------------------- */

void put(DiffProgram *p, uint32_t insn)
{
    diff_put(p, insn, 4);
}

uint64_t here(const DiffProgram *p)
{
    return DIFF_CODE + p->size;
}

void put_constant(DiffProgram *p, unsigned rd, uint64_t value)
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

void put_bl(DiffProgram *p, uint64_t target)
{
    put(p, 0x94000000u | ((uint32_t)((int64_t)(target - here(p)) >> 2) & 0x3ffffff));
}

/* ---- registers -------------------------------------------------------------------------------- */

static const struct {
    uint32_t msr, mrs;
    unsigned word;
} special[] = {
    { A64_MSR_NZCV, A64_MRS_NZCV, WORD_FLAGS },
    { A64_MSR_FPCR, A64_MRS_FPCR, WORD_FPCR },
    { A64_MSR_FPSR, A64_MRS_FPSR, WORD_FPSR },
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
    put(p, A64_RET);
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
    put(p, A64_RET);
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

/* What was jumped to in vain leaves no type of a branch to the next instruction: x3 is PSTATE. */
static void put_clear_btype(DiffProgram *p)
{
    put(p, 0xb3760400u | 31 << 5 | 3); /* bfi x3, xzr, #10, #2 */
}

/* The reference's handler of SIGILL and SIGBUS: pc is at 440 in the context (x2), PSTATE behind it, x28 is what it was. */
static uint64_t put_signal_handler(DiffProgram *p)
{
    enum { CONTEXT_PC = 440 / 8, CONTEXT_PSTATE };
    uint64_t at = here(p);

    put(p, BTI_C);
    put_ldr(p, 3, 2, CONTEXT_PC);
    put_step_over(p);
    put_str(p, 3, 2, CONTEXT_PC);
    put_ldr(p, 3, 2, CONTEXT_PSTATE);
    put_clear_btype(p);
    put_str(p, 3, 2, CONTEXT_PSTATE);
    put(p, A64_RET);
    return at;
}

static void put_system_call(DiffProgram *p, unsigned number)
{
    put_constant(p, 8, number);
    put(p, SVC);
}

/* rt_sigaction(): the structure is built in the first record's place of x0 to x3, before it is used. */
static void put_install_handler(DiffProgram *p, unsigned signal, uint64_t handler)
{
    enum { RT_SIGACTION = 134, SIGINFO = 4, NODEFER = 0x40000000 };

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
    put_constant(p, 0, signal);
    put(p, 0xaa0903e1u); /* mov x1, x9 */
    put_constant(p, 2, 0);
    put_constant(p, 3, 8);
    put_system_call(p, RT_SIGACTION);
    put_str(p, 10, 9, 0);
    put_str(p, 11, 9, 1);
    put_str(p, 12, 9, 2);
    put_str(p, 13, 9, 3);
}

/* A constant of 32 bits, which is set when it is known. */
static void set_later(DiffProgram *p, uint32_t at, uint32_t value)
{
    uint32_t *code = (uint32_t *)(void *)(p->code + at);

    code[0] |= (value & 0xffff) << 5;
    code[1] |= (value >> 16) << 5;
}

/* mprotect(): landing pads are asked for on the pages of code. Gives the place of their size. */
static uint32_t put_guard_code(DiffProgram *p)
{
    enum { MPROTECT = 226, READ = 1, EXECUTE = 4, BTI = 16 };
    uint32_t at;

    put_constant(p, 0, DIFF_CODE);
    at = p->size;
    put(p, 0xd2800001u); /* movz x1, #... */
    put(p, 0xf2a00001u); /* movk x1, #..., lsl #16 */
    put_constant(p, 2, READ | EXECUTE | BTI);
    put_system_call(p, MPROTECT);
    return at;
}

/* ---- ours, at EL1 ----------------------------------------------------------------------------- */

/*
 * Our vectors: synchronous exceptions of EL0 come to 0x400. Undefined instructions (EC 0), branches to where there
 * is no landing pad (0xd), system registers that are not EL0's (0x18) and accesses that are not aligned (0x24) are
 * stepped over, others end it.
 */
static uint64_t put_vectors(DiffProgram *p)
{
    uint64_t at;

    while (p->size % 2048) {
        put(p, A64_NOP);
    }
    at = here(p);
    while (here(p) < at + 0x400) {
        put(p, A64_NOP);
    }
    put(p, 0xa9bf13e3u);               /* stp x3, x4, [sp, #-16]! */
    put(p, 0xd5385203u);               /* mrs x3, esr_el1 */
    put(p, 0xd35afc63u);               /* lsr x3, x3, #26 */
    put(p, 0xb4000000u | 11 << 5 | 3); /* cbz x3, step over */
    put(p, 0xd1003464u);               /* sub x4, x3, #0xd */
    put(p, 0xb4000000u | 9 << 5 | 4);  /* cbz x4, step over */
    put(p, 0xd1006064u);               /* sub x4, x3, #0x18 */
    put(p, 0xb4000000u | 7 << 5 | 4);  /* cbz x4, step over */
    put(p, 0xd1009064u);               /* sub x4, x3, #0x24 */
    put(p, 0xb5000000u | 16 << 5 | 4); /* cbnz x4, end */
    put(p, 0xd5385204u);               /* mrs x4, esr_el1 */
    put(p, 0x92401484u);               /* and x4, x4, #0x3f */
    put(p, 0xd1008484u);               /* sub x4, x4, #0x21 */
    put(p, 0xb5000000u | 12 << 5 | 4); /* cbnz x4, end */
    put(p, 0xd5384023u);               /* step over: mrs x3, elr_el1 */
    put_step_over(p);                  /* (4) */
    put(p, 0xd5184023u);               /* msr elr_el1, x3 */
    put(p, 0xd5384003u);               /* mrs x3, spsr_el1 */
    put_clear_btype(p);
    put(p, 0xd5184003u); /* msr spsr_el1, x3 */
    put(p, 0xa8c113e3u); /* ldp x3, x4, [sp], #16 */
    put(p, ERET);
    put_constant(p, 0, DIFF_PRIVATE); /* end: */
    put_str(p, 3, 0, 0);
    put(p, 0xd5384023u); /* mrs x3, elr_el1 */
    put_str(p, 3, 0, 1);
    put(p, 0xd50343dfu); /* msr daifset, #3 */
    put(p, 0xd503207fu); /* wfi */
    put(p, 0x17ffffffu); /* b . - 4 */
    return at;
}

/* Sets a word of the table that x0 points to. */
static void put_entry(DiffProgram *p, unsigned index, uint64_t entry)
{
    put_constant(p, 1, entry);
    put_str(p, 1, 0, index);
}

/* Three levels down to blocks of 2 MiB: code, what is ours alone, data. */
static void put_tables(DiffProgram *p)
{
    enum { TABLE = 3, FIRST_BLOCK = DIFF_CODE >> 21 };
    /* A block, attribute 0, inner shareable, accessed. */
    const uint64_t block = 1 | 3 << 8 | 1 << 10, user = 1 << 6, read_only = 1 << 7;
    const uint64_t guarded = UINT64_C(1) << 50, never_user = UINT64_C(1) << 54;
    const uint64_t rights[] = { user | read_only | guarded, never_user, user, user };
    const uint64_t level[] = { DIFF_PRIVATE + TABLES, DIFF_PRIVATE + TABLES + TABLE_SIZE,
        DIFF_PRIVATE + TABLES + 2 * TABLE_SIZE };

    put_constant(p, 0, level[0]);
    put(p, 0xd5182000u); /* msr ttbr0_el1, x0 */
    put_entry(p, 0, level[1] | TABLE);
    put_constant(p, 0, level[1]);
    put_entry(p, 0, level[2] | TABLE);
    put_constant(p, 0, level[2]);
    for (unsigned n = 0; n < G_N_ELEMENTS(rights); n++) {
        put_entry(p, FIRST_BLOCK + n, (DIFF_CODE + ((uint64_t)n << 21)) | block | rights[n]);
    }
}

/*
 * The reference's keys. With a seed its random numbers are glib's: 16 bytes for the program (AT_RANDOM), then the
 * keys IA, IB, DA, DB and GA, the low half of each first.
 */
static void put_keys(DiffProgram *p)
{
    static const uint32_t registers[] = { 0xd5182100, 0xd5182140, 0xd5182200, 0xd5182240,
        0xd5182300 };
    const guint32 seed[2] = { DIFF_SEED, 0 };
    GRand *random = g_rand_new_with_seed_array(seed, G_N_ELEMENTS(seed));

    for (unsigned n = 0; n < 4; n++) {
        g_rand_int(random);
    }
    for (unsigned n = 0; n < 2 * G_N_ELEMENTS(registers); n++) {
        uint64_t low = g_rand_int(random), high = g_rand_int(random);

        put_constant(p, 0, low | high << 32);
        put(p, registers[n / 2] | (n % 2) << 5); /* msr ap..key.._el1, x0 */
    }
    g_rand_free(random);
}

/* SCTLR_EL1 as Linux has it for programs. */
static uint64_t sctlr(void)
{
    enum {
        M = 0,
        ENDB = 13,
        DZE = 14,
        UCT = 15,
        SPAN = 23,
        UCI = 26,
        ENDA = 27,
        ENIB = 30,
        ENIA = 31,
        BT0 = 35
    };
    static const uint8_t bits[] = { M, ENDB, DZE, UCT, 16, 18, SPAN, UCI, ENDA, ENIB, ENIA, BT0 };
    uint64_t value = 0;

    for (unsigned n = 0; n < G_N_ELEMENTS(bits); n++) {
        value |= UINT64_C(1) << bits[n];
    }
    return value;
}

/* To x0 at EL0. */
static void put_own_start(DiffProgram *p, uint64_t vectors)
{
    /* T0SZ, SH0, EPD1, IPS of 40 bits, TBI0 */
    const uint64_t tcr = 16 | 3 << 12 | 1 << 23 | UINT64_C(2) << 32 | UINT64_C(1) << 37;

    p->own_entry = here(p);
    put_tables(p);
    put_keys(p);
    put_constant(p, 1, 0xff);
    put(p, 0xd518a201u); /* msr mair_el1, x1 */
    put_constant(p, 1, tcr);
    put(p, 0xd5182041u); /* msr tcr_el1, x1 */
    put_constant(p, 1, vectors);
    put(p, 0xd518c001u); /* msr vbar_el1, x1 */
    put_constant(p, 1, 3 << 20);
    put(p, 0xd5181041u); /* msr cpacr_el1, x1 */
    put_constant(p, 1, DIFF_PRIVATE + OWN_STACK);
    put(p, 0x9100003fu); /* mov sp, x1 */
    put_constant(p, 1, sctlr());
    put(p, 0xd5181001u); /* msr sctlr_el1, x1 */
    put(p, ISB);
    put(p, 0xd518401fu);          /* msr spsr_el1, xzr */
    put(p, 0x10000000u | 3 << 5); /* adr x0, . + 12 */
    put(p, 0xd5184020u);          /* msr elr_el1, x0 */
    put(p, ERET);
}

/* ---- all of it -------------------------------------------------------------------------------- */

Frame frame_put_start(DiffProgram *p)
{
    Frame frame = { .restore = put_restore(p), .save = put_save(p) };
    enum { SIGNAL_ILL = 4, SIGNAL_BUS = 7 };
    uint64_t handler = put_signal_handler(p), vectors = put_vectors(p);
    uint32_t jump;

    put_own_start(p, vectors);
    jump = p->size;
    put(p, A64_NOP);
    p->entry = here(p);
    put_install_handler(p, SIGNAL_ILL, handler);
    put_install_handler(p, SIGNAL_BUS, handler);
    frame.code_size = put_guard_code(p);
    /* Both sides go on here. */
    *(uint32_t *)(void *)(p->code + jump) = 0x14000000u | (p->size - jump) / 4;
    put_constant(p, RECORD, DIFF_DATA + diff_data_size(p) + DIFF_STACK);
    put(p, 0x91000000u | RECORD << 5 | STACK_POINTER); /* mov sp, x28 */
    put_constant(p, RECORD, DIFF_DATA + DIFF_SCRATCH);
    put_constant(p, MEMORY, DIFF_DATA + DIFF_SCRATCH / 2);
    return frame;
}

void frame_put_repeat(DiffProgram *p, uint64_t target, unsigned end)
{
    put_constant(p, 0, DIFF_DATA + DIFF_SCRATCH + (uint64_t)end * p->record_words * 8);
    put(p, 0xeb1c0000u); /* subs x0, x0, x28 */
    put(p, 0x54000001u | ((uint32_t)((int64_t)(target - here(p)) >> 2) & 0x7ffff) << 5); /* b.ne */
}

void frame_put_end(DiffProgram *p, const Frame *frame)
{
    enum { SYSCALL_WRITE = 64, SYSCALL_EXIT = 93 };

    put_constant(p, 0, 1);
    put_constant(p, 1, DIFF_DATA);
    put_constant(p, 2, diff_data_size(p));
    put_system_call(p, SYSCALL_WRITE);
    put_constant(p, 0, 0);
    put_system_call(p, SYSCALL_EXIT);
    for (unsigned n = 0; n < 32; n++) { /* for loads relative to the pc near the end */
        put(p, A64_NOP);
    }
    set_later(p, frame->code_size, p->size);
}
