/*
 * Random instructions, made from the decode table, against qemu-riscv64-static and
 * qemu-riscv32-static: integer and float registers, fcsr and memory must be equal after each
 * sequence.
 *
 * One program serves both: an ELF file for the reference, the same bytes in RAM at the same
 * addresses for us. It restores the registers from a record, runs a sequence, saves them back into
 * the record, and so on.
 *
 *   build/tests/targets/riscv/fuzz [SEED [PROGRAMS [SEQUENCES]]]
 */
#include <elf.h>
#include <gio/gio.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/address-space.h"
#include "core/loop.h"
#include "targets/riscv/state.h"
#include "tcg/tcg.h"
#include "tests/targets/riscv/asm.h"
#include "tests/tcg/vectors.h"
#include "tests/test.h"

#define BASE    UINT64_C(0x10000000)
#define TRAPPED UINT64_C(0x10300000)    /* mcause and mepc of the end, on our side */
#define DATA    UINT64_C(0x10400000)
enum {
    SCRATCH_SIZE = 4096,            /* what loads and stores reach: x30 points into its middle */
    CODE_ROOM = 1 << 20,
    MAX_SEQUENCES = 2000,
    INSNS = 40,                     /* of a sequence, about */
    RAM_SIZE = 8 << 20,
    FIRST_RESERVED = 29,            /* x29: the record, x30: memory, x31: link; not written by sequences */
};

static unsigned first_seed = 1, programs = 2, sequences = 300;

/* What the two widths differ in. */
typedef struct Width {
    unsigned    xlen;
    const char *isa, *reference, *cpu;
    const char *load, *store;       /* of a register */
} Width;

static const Width width64 = {
    64, "riscv64", "qemu-riscv64-static", "rv64,zba=true,zbb=true,zbc=false,zbs=true,Zfh=true", "ld", "sd",
};
static const Width width32 = {
    32, "riscv32", "qemu-riscv32-static", "rv32,zba=true,zbb=true,zbc=false,zbs=true,Zfh=true", "lw", "sw",
};

typedef struct Record {
    uint64_t x[32], f[32], fcsr, unused;
} Record;

typedef struct Image {
    uint8_t  scratch[SCRATCH_SIZE];
    Record   records[MAX_SEQUENCES];
} Image;

#define DATA_SIZE ((sizeof(Image) + 4095) & ~UINT64_C(4095))

typedef struct Program {
    const Width *width;
    Random   random;
    uint64_t rows;                  /* state of decode_random */
    uint8_t  code[CODE_ROOM];
    uint32_t size;
    uint32_t start[MAX_SEQUENCES + 1];      /* offset of each sequence */
    uint64_t entry, own_entry, restore, save;
    Image    data;
} Program;

/* ---- code ---------------------------------------------------------------------------------- */

static void put(Program *p, uint32_t insn, unsigned bytes)
{
    g_assert(p->size + bytes <= CODE_ROOM);
    memcpy(p->code + p->size, &insn, bytes);
    p->size += bytes;
}

static uint64_t put_text(Program *p, const char *text)
{
    uint64_t at = BASE + p->size;

    p->size += (uint32_t)rv_assemble(at, p->width->xlen, text, p->code + p->size, CODE_ROOM - p->size);
    return at;
}

static uint64_t G_GNUC_PRINTF(2, 3) put_format(Program *p, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return put_text(p, text);
}

static const char *const names[32] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
    "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
static const char *const float_names[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10",
    "ft11",
};

/* Registers from and to the record at x29 (t4), by x31 (t6). */
static void put_routines(Program *p)
{
    const char *load = p->width->load, *store = p->width->store;

    p->restore = put_format(p, "%s ra,%zu(t4)\ncsrrw zero,3,ra", load, offsetof(Record, fcsr));
    for (unsigned n = 0; n < 32; n++) {
        put_format(p, "fld %s,%zu(t4)", float_names[n], offsetof(Record, f[n]));
    }
    for (unsigned n = 1; n < FIRST_RESERVED; n++) {
        put_format(p, "%s %s,%zu(t4)", load, names[n], offsetof(Record, x[n]));
    }
    put_text(p, "jalr zero,0(t6)");
    p->save = put_format(p, "%s ra,%zu(t4)", store, offsetof(Record, x[1]));
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
static bool is_left_out(const Program *p, const DecodeRow *row)
{
    static const char *const left_out[] = {
        "ecall", "ebreak", "sret", "mret", "wfi", "sfence", "wrs", "cbo", "czero", "fence", "c.ebreak",
        "ctzw",     /* wrong in 7.2 when the word is zero: it counts on into the upper half */
    };

    for (unsigned n = 0; n < G_N_ELEMENTS(left_out); n++) {
        if (g_str_has_prefix(row->name, left_out[n])) {
            return true;
        }
    }
    return (p->width->xlen == 64 ? row->deny : row->need) & UINT64_C(1) << RV_RV64;
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
    return prints(row, "p.imm") ? KIND_BRANCH : g_str_has_prefix(row->name, "jalr") ||
        g_str_has_prefix(row->name, "c.jr") || g_str_has_prefix(row->name, "c.jalr") ? KIND_JUMP :
        prints(row, "(x.rs1)") ? KIND_MEMORY : KIND_PLAIN;
}

/* A csr instruction: of fflags, or a legal mode into frm. */
static bool fix_csr(Program *p, const DecodeRow *row, uint32_t *insn)
{
    bool writes_frm = strcmp(row->name, "csrrwi") == 0 && random_below(&p->random, 2);

    set(row, "csr", writes_frm ? 2 : 1, insn);
    if (writes_frm) {
        set(row, "rs1", random_below(&p->random, 5), insn);
    }
    return true;
}

static void fix_rounding(Program *p, const DecodeRow *row, uint32_t *insn)
{
    static const uint8_t modes[] = { 0, 1, 2, 3, 4, 7, 7, 7, 7 };

    if (decode_row_field(row, "rm") && !(row->match.mask >> 12 & 7)) {
        set(row, "rm", modes[random_below(&p->random, G_N_ELEMENTS(modes))], insn);
    }
}

/* False: this one can not be used. */
static bool random_insn(Program *p, const DecodeRow *row, uint32_t *insn)
{
    if (!decode_random(row, &p->rows, insn)) {
        return false;
    }
    fix_rounding(p, row, insn);
    if (decode_row_field(row, "csr")) {
        fix_csr(p, row, insn);
    }
    if ((prints(row, "x.rd") || g_str_has_prefix(row->name, "c.jalr")) && is_reserved(get(row, "rd", *insn))) {
        return false;
    }
    return kind_of(row) == KIND_PLAIN || kind_of(row) == KIND_BRANCH || (get(row, "rs1", *insn) != 0 &&
        !is_reserved(get(row, "rs1", *insn)));
}

enum { MAX_ROWS = 1024 };
static bool row_was_run[MAX_ROWS], reference_ran;

static const DecodeRow *random_row(Program *p, uint32_t *insn)
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
static void put_reservation(Program *p, const DecodeRow *row, int base, int offset)
{
    const char *spare = base == 5 ? "t1" : "t0";

    if (random_below(&p->random, 3) == 0) {
        offset ^= 64;
    }
    put_format(p, "addi %s,t5,%d\nlr%s %s,(%s)", names[base], offset, row->name + strlen("sc"), spare, names[base]);
}

/* The base register points into memory first. */
static void put_memory(Program *p, const DecodeRow *row, uint32_t insn)
{
    int base = (int)get(row, "rs1", insn), offset = ((int)random_below(&p->random, 128) - 64) * 8;

    if (row->bits == 32) {
        set(row, "imm", (int)random_below(&p->random, 1024) - 512, &insn);
    }
    if (g_str_has_prefix(row->name, "sc.")) {
        put_reservation(p, row, base, offset);
    }
    put_format(p, "addi %s,t5,%d", names[base], offset);
    put(p, insn, row->bits / 8);
}

static void put_jump(Program *p, const DecodeRow *row, uint32_t insn)
{
    int base = (int)get(row, "rs1", insn);

    put_format(p, "auipc %s,0", names[base]);
    if (row->bits == 16) {
        put_format(p, "addi %s,%s,10", names[base], names[base]);
    }
    set(row, "imm", 8, &insn);
    put(p, insn, row->bits / 8);
}

/* Over one plain instruction. */
static void put_branch(Program *p, const DecodeRow *row, uint32_t insn)
{
    const DecodeRow *next;
    uint32_t over;

    do {
        next = random_row(p, &over);
    } while (kind_of(next) != KIND_PLAIN);
    set(row, "imm", (row->bits + next->bits) / 8, &insn);
    put(p, insn, row->bits / 8);
    put(p, over, next->bits / 8);
}

static void put_random(Program *p)
{
    uint32_t insn;
    const DecodeRow *row = random_row(p, &insn);

    switch (kind_of(row)) {
    case KIND_PLAIN:  put(p, insn, row->bits / 8); break;
    case KIND_MEMORY: put_memory(p, row, insn); break;
    case KIND_BRANCH: put_branch(p, row, insn); break;
    case KIND_JUMP:   put_jump(p, row, insn); break;
    }
}

/* ---- programs ------------------------------------------------------------------------------ */

static uint64_t random_float_register(Random *r)
{
    switch (random_below(r, 4)) {
    case 0:  return UINT64_C(0xffffffff00000000) | random_value(r, F32);
    case 1:  return UINT64_C(0xffffffffffff0000) | (random_value(r, F64) >> 48);
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

static void make_program(Program *p, unsigned seed)
{
    uint64_t trap;

    memset(&p->data, 0, sizeof(p->data));
    p->random.state = (uint64_t)seed << 32;
    p->rows = (uint64_t)seed << 32 | 1;
    p->size = 0;
    put_routines(p);
    /* Our start: floating point on, traps to where they are noted and the CPU waits for ever. */
    trap = put_format(p, "lui t3,0x%x\ncsrrs s11,0x342,zero\nsw s11,0(t3)\ncsrrs s11,0x341,zero\nsw s11,4(t3)\n"
        "wait:\nwfi\njal zero,wait", (unsigned)(TRAPPED >> 12));
    p->own_entry = put_format(p, "lui ra,0x2\ncsrrs zero,0x300,ra\nlui ra,0x%x\naddi ra,ra,%u\n"
        "csrrw zero,0x305,ra", (unsigned)(BASE >> 12), (unsigned)(trap - BASE));
    p->entry = put_format(p, "lui t4,0x%x\naddi t5,t4,-2048", (unsigned)((DATA + SCRATCH_SIZE) >> 12));
    for (unsigned n = 0; n < sequences; n++) {
        random_record(&p->random, p->width->xlen == 64 ? I64 : I32, &p->data.records[n]);
        put_format(p, "jal t6,0x%" PRIx64, p->restore);
        p->start[n] = p->size;
        for (unsigned i = 0; i < INSNS; i++) {
            put_random(p);
        }
        p->start[n + 1] = p->size;
        put_format(p, "jal t6,0x%" PRIx64, p->save);
    }
    /* write(1, DATA, ...), exit(0) */
    put_format(p, "addi a7,zero,64\naddi a0,zero,1\nlui a1,0x%x\nlui a2,0x%x\necall\naddi a7,zero,93\n"
        "addi a0,zero,0\necall", (unsigned)(DATA >> 12), (unsigned)(DATA_SIZE >> 12));
    for (unsigned n = 0; n < SCRATCH_SIZE / 8; n++) {
        ((uint64_t *)p->data.scratch)[n] = random_value(&p->random, n % 4 ? I64 : F64);
    }
}

/* ---- the reference ------------------------------------------------------------------------- */

/* A file of two segments, at BASE and at DATA. */
#define ELF_FILE(bits)                                                                             \
    typedef struct ElfFile##bits {                                                                 \
        Elf##bits##_Ehdr header;                                                                   \
        Elf##bits##_Phdr segments[2];                                                              \
    } ElfFile##bits;                                                                               \
    static void append_head##bits(GByteArray *file, const Program *p, uint32_t code, uint32_t data) \
    {                                                                                              \
        const ElfFile##bits head = {                                                               \
            .header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS##bits,           \
                            ELFDATA2LSB, EV_CURRENT },                                             \
                .e_type = ET_EXEC, .e_machine = EM_RISCV, .e_version = EV_CURRENT,                 \
                .e_entry = (uint32_t)p->entry, .e_phoff = offsetof(ElfFile##bits, segments),       \
                .e_flags = 5 /* compressed, double float ABI */,                                   \
                .e_ehsize = sizeof(head.header), .e_phentsize = sizeof(head.segments[0]),          \
                .e_phnum = 2 },                                                                    \
            .segments = {                                                                          \
                { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = code, .p_vaddr = BASE,    \
                    .p_filesz = p->size, .p_memsz = p->size, .p_align = 4096 },                    \
                { .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = data, .p_vaddr = DATA,    \
                    .p_filesz = DATA_SIZE, .p_memsz = DATA_SIZE, .p_align = 4096 },                \
            },                                                                                     \
        };                                                                                         \
        g_byte_array_append(file, (const uint8_t *)&head, sizeof(head));                           \
    }
ELF_FILE(32)
ELF_FILE(64)

static void write_elf(const Program *p, const char *path)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    uint32_t code = 4096, data = code + ((p->size + 4095u) & ~4095u);

    (p->width->xlen == 64 ? append_head64 : append_head32)(file, p, code, data);
    g_byte_array_set_size(file, code);
    g_byte_array_append(file, p->code, p->size);
    g_byte_array_set_size(file, data);
    g_byte_array_append(file, (const uint8_t *)&p->data, sizeof(p->data));
    g_byte_array_set_size(file, (guint)(data + DATA_SIZE));
    assert_true(g_file_set_contents_full(path, (const char *)file->data, file->len, G_FILE_SET_CONTENTS_NONE, 0700,
        NULL));
}

static void run_reference(const Program *p, Image *result)
{
    g_autofree char *path = g_strdup_printf("%s/lathe-fuzz-%u", g_get_tmp_dir(), g_random_int());
    const char *const args[] = { p->width->reference, "-cpu", p->width->cpu, path, NULL };
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GBytes) out = NULL;
    g_autoptr(GError) error = NULL;

    write_elf(p, path);
    process = g_subprocess_newv(args, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    assert_non_null(process);
    assert_true(g_subprocess_communicate(process, NULL, NULL, &out, NULL, &error));
    remove(path);
    if (!g_subprocess_get_successful(process) || g_bytes_get_size(out) < sizeof(*result)) {
        fail_msg("the reference failed; the program is %s", path);
    }
    memcpy(result, g_bytes_get_data(out, NULL), sizeof(*result));
}

/* ---- us ------------------------------------------------------------------------------------ */

typedef struct Ours {
    Region       *ram, *root;
    AddressSpace *memory;
    Tcg          *tcg;
    TcgCpu       *cpu;
} Ours;

static bool ours_open(Ours *o, const Width *width, const char *host)
{
    const TcgOptions options = { .host = host };
    g_autoptr(GError) error = NULL;
    TcgCpuOptions cpu = { 0 };

    o->ram = region_new_ram("ram", RAM_SIZE, &error);
    o->root = region_new_container("root", UINT64_C(1) << 40);
    machine_lock();
    region_map(o->root, BASE, o->ram, 0);
    o->memory = address_space_new("bus", o->root);
    machine_unlock();
    cpu.memory = o->memory;
    o->tcg = tcg_new(tcg_isa_find(width->isa), &options, &error);
    o->cpu = o->tcg ? tcg_cpu_new(o->tcg, &cpu, &error) : NULL;
    return o->cpu != NULL;
}

static void ours_close(Ours *o)
{
    tcg_cpu_free(o->cpu);
    tcg_free(o->tcg);
    machine_lock();
    address_space_free(o->memory);
    region_unref(o->root);
    region_unref(o->ram);
    machine_unlock();
}

static void run_ours(const Program *p, const char *host, Image *result)
{
    static const uint64_t args[4];
    Ours o;
    uint32_t trapped[2];

    assert_true(ours_open(&o, p->width, host));
    address_space_write(o.memory, BASE, p->code, p->size);
    address_space_write(o.memory, DATA, &p->data, sizeof(p->data));
    tcg_isa_find(p->width->isa)->set_entry(tcg_cpu_env(o.cpu), p->own_entry, args);
    tcg_cpu_run(o.cpu, 0);
    address_space_read(o.memory, DATA, result, sizeof(*result));
    address_space_read(o.memory, TRAPPED, trapped, sizeof(trapped));
    ours_close(&o);
    if (trapped[0] != CAUSE_ECALL_M) {
        fail_msg("trap %" PRIu32 " at 0x%" PRIx32, trapped[0], trapped[1]);
    }
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void list_sequence(const Program *p, unsigned n)
{
    const Isa *isa = tcg_isa_find(p->width->isa);

    for (uint32_t at = p->start[n]; at < p->start[n + 1];) {
        char text[80];
        unsigned length = isa->disassemble(BASE + at, p->code + at, p->size - at, text, sizeof(text));

        fprintf(stderr, "  %08" PRIx64 "  %s\n", BASE + at, text);
        at += length;
    }
}

static bool same_words(const char *kind, const uint64_t *before, const uint64_t *expected, const uint64_t *found,
    unsigned count)
{
    bool same = true;

    for (unsigned n = 0; n < count; n++) {
        if (expected[n] != found[n]) {
            fprintf(stderr, "%s%u: was 0x%016" PRIx64 ", expected 0x%016" PRIx64 ", found 0x%016" PRIx64 "\n", kind, n,
                before[n], expected[n], found[n]);
            same = false;
        }
    }
    return same;
}

static bool same_record(const Record *before, const Record *expected, const Record *found)
{
    bool same = same_words("x", before->x, expected->x, found->x, 32);

    same &= same_words("f", before->f, expected->f, found->f, 32);
    same &= same_words("fcsr", &before->fcsr, &expected->fcsr, &found->fcsr, 1);
    return same;
}

static void compare(const Program *p, const char *host, const Image *expected, const Image *found, unsigned seed)
{
    for (unsigned n = 0; n < sequences; n++) {
        if (!same_record(&p->data.records[n], &expected->records[n], &found->records[n])) {
            list_sequence(p, n);
            fail_msg("%s: seed %u, sequence %u of %u", host, seed, n, sequences);
        }
    }
    if (!same_words("memory ", (const uint64_t *)p->data.scratch, (const uint64_t *)expected->scratch,
            (const uint64_t *)found->scratch, SCRATCH_SIZE / 8)) {
        fail_msg("%s: seed %u", host, seed);
    }
}

static void compare_programs(const Width *width)
{
    static Program p;
    static Image expected, found;
    static const char *const all[] = { "interp", "x86_64" };
    g_autofree char *there = g_find_program_in_path(width->reference);

    if (!there) {
        skip();
    }
    p.width = width;
    for (unsigned seed = first_seed; seed < first_seed + programs; seed++) {
        make_program(&p, seed);
        run_reference(&p, &expected);
        reference_ran = true;
        for (unsigned h = 0; h < G_N_ELEMENTS(all); h++) {
            Ours o;
            bool runs = ours_open(&o, width, all[h]);

            ours_close(&o);
            if (runs) {
                run_ours(&p, all[h], &found);
                compare(&p, all[h], &expected, &found, seed);
            }
        }
    }
}

static void rv64_does_what_the_reference_does(void **state)
{
    compare_programs(&width64);
}

static void rv32_does_what_the_reference_does(void **state)
{
    compare_programs(&width32);
}

/* The rows that are not for sequences: does a test of its own name the instruction? */
static bool is_named_in_tests(const char *name)
{
    static const char *const files[] = { "integer", "mmu", "privileged" };

    for (unsigned n = 0; n < G_N_ELEMENTS(files); n++) {
        g_autofree char *path = g_strdup_printf("tests/targets/riscv/%s.c", files[n]);
        g_autofree char *text = NULL;
        g_autofree char *pattern = g_strdup_printf("(\"|\\\\n| )%s\\b", name);
        if (g_file_get_contents(path, &text, NULL, NULL) && g_regex_match_simple(pattern, text, 0, 0)) {
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
    sequences = argc > 3 ? MIN((unsigned)atoi(argv[3]), MAX_SEQUENCES) : sequences;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
