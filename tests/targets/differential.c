#include "tests/targets/differential.h"

#include <elf.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/address-space.h"
#include "core/loop.h"
#include "targets/isa.h"
#include "tcg/tcg.h"
#include "tests/test.h"

uint64_t *diff_record(DiffProgram *p, unsigned n)
{
    return &p->records[n * p->record_words];
}

static unsigned diff_records(const DiffProgram *p)
{
    return p->sequences * p->records_of_each;
}

uint64_t diff_data_size(const DiffProgram *p)
{
    uint64_t bytes = DIFF_SCRATCH + (uint64_t)diff_records(p) * p->record_words * 8;

    return (bytes + 4095) & ~UINT64_C(4095);
}

void diff_put(DiffProgram *p, uint32_t insn, unsigned bytes)
{
    g_assert(p->size + bytes <= DIFF_CODE_ROOM);
    memcpy(p->code + p->size, &insn, bytes);
    p->size += bytes;
}

/* ---- the reference ------------------------------------------------------------------------- */

/* A file of two segments, at DIFF_CODE and at DIFF_DATA. */
#define ELF_FILE(width)                                                                              \
    typedef struct ElfFile##width {                                                                  \
        Elf##width##_Ehdr header;                                                                    \
        Elf##width##_Phdr segments[2];                                                               \
    } ElfFile##width;                                                                                \
    static void append_head##width(                                                                  \
        GByteArray *file, const DiffProgram *p, uint32_t code, uint32_t data)                        \
    {                                                                                                \
        const uint32_t bytes = (uint32_t)diff_data_size(p);                                          \
        const ElfFile##width head = {                                                              \
            .header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS##width,          \
                            ELFDATA2LSB, EV_CURRENT },                                             \
                .e_type = ET_EXEC, .e_machine = (uint16_t)p->isa->machine, .e_version = EV_CURRENT, \
                .e_entry = (uint32_t)p->entry, .e_phoff = offsetof(ElfFile##width, segments),      \
                .e_flags = p->isa->elf_flags,                                                      \
                .e_ehsize = sizeof(head.header), .e_phentsize = sizeof(head.segments[0]),          \
                .e_phnum = 2 },                                                                    \
            .segments = {                                                                          \
                { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = code,                     \
                    .p_vaddr = DIFF_CODE, .p_filesz = p->size, .p_memsz = p->size,                 \
                    .p_align = 4096 },                                                             \
                { .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = data,                     \
                    .p_vaddr = DIFF_DATA, .p_filesz = bytes, .p_memsz = bytes + DIFF_STACK,        \
                    .p_align = 4096 },                                                             \
            },                                                                                     \
        }; \
        g_byte_array_append(file, (const uint8_t *)&head, sizeof(head));                             \
    }
ELF_FILE(32)
ELF_FILE(64)

static void write_elf(const DiffProgram *p, const char *path)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    uint32_t code = 4096, data = code + ((p->size + 4095u) & ~4095u);

    (p->isa->bits == 64 ? append_head64 : append_head32)(file, p, code, data);
    g_byte_array_set_size(file, code);
    g_byte_array_append(file, p->code, p->size);
    g_byte_array_set_size(file, data);
    g_byte_array_append(file, (const uint8_t *)p->scratch, sizeof(p->scratch));
    g_byte_array_append(
        file, (const uint8_t *)p->records, (guint)(diff_data_size(p) - sizeof(p->scratch)));
    assert_true(g_file_set_contents_full(
        path, (const char *)file->data, file->len, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
}

/* What is at DIFF_DATA in the end. */
typedef struct Outcome {
    uint64_t scratch[DIFF_SCRATCH / 8];
    uint64_t records[DIFF_MAX_RECORDS * DIFF_MAX_RECORD];
} Outcome;

/* As many bytes as fit, and whether the process ended well. */
static bool run_process(const char *const *args, void *out, size_t size, size_t *length)
{
    g_autoptr(GError) error = NULL;
    GPid pid;
    int fd, status;
    ssize_t got = 1;

    assert_true(g_spawn_async_with_pipes(NULL, (char **)args, NULL,
        G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL, &fd, NULL,
        &error));
    for (*length = 0; *length < size && got > 0; *length += MAX(got, 0)) {
        got = read(fd, (char *)out + *length, size - *length);
    }
    close(fd);
    return waitpid(pid, &status, 0) == pid && g_spawn_check_wait_status(status, NULL);
}

static void run_reference(const DiffProgram *p, Outcome *result)
{
    g_autofree char *path = g_strdup_printf("%s/lathe-fuzz-%u", g_get_tmp_dir(), g_random_int());
    g_autofree char *seed = g_strdup_printf("%d", DIFF_SEED);
    const char *const args[] = { p->isa->reference, "-seed", seed, "-cpu", p->isa->cpu, path,
        NULL };
    size_t length;

    write_elf(p, path);
    if (!run_process(args, result, diff_data_size(p), &length) || length != diff_data_size(p)) {
        fail_msg("the reference failed; the program is %s", path);
    }
    remove(path);
}

/* ---- us ------------------------------------------------------------------------------------ */

typedef struct Ours {
    Region *ram, *root;
    AddressSpace *memory;
    Tcg *tcg;
    TcgCpu *cpu;
} Ours;

static bool ours_open(Ours *o, const DiffIsa *isa, const char *host)
{
    const TcgOptions options = { .host = host };
    g_autoptr(GError) error = NULL;
    TcgCpuOptions cpu = { .model = isa->model };

    o->ram = region_new_ram("ram", DIFF_RAM, &error);
    o->root = region_new_container("root", UINT64_C(1) << 40);
    machine_lock();
    region_map(o->root, DIFF_CODE, o->ram, 0);
    o->memory = address_space_new("bus", o->root);
    machine_unlock();
    cpu.memory = o->memory;
    o->tcg = tcg_new(tcg_isa_find(isa->isa), &options, &error);
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

/* False: the host is not there. */
static bool run_ours(const DiffProgram *p, const char *host, Outcome *result)
{
    static const uint64_t args[4];
    Ours o;
    DiffEnd end;

    if (!ours_open(&o, p->isa, host)) {
        ours_close(&o);
        return false;
    }
    address_space_write(o.memory, DIFF_CODE, p->code, p->size);
    address_space_write(o.memory, DIFF_DATA, p->scratch, sizeof(p->scratch));
    address_space_write(o.memory, DIFF_DATA + sizeof(p->scratch), p->records,
        diff_data_size(p) - sizeof(p->scratch));
    tcg_isa_find(p->isa->isa)->set_entry(tcg_cpu_env(o.cpu), p->own_entry, args);
    tcg_cpu_run(o.cpu, 0);
    address_space_read(o.memory, DIFF_DATA, result, diff_data_size(p));
    address_space_read(o.memory, DIFF_PRIVATE, &end, sizeof(end));
    ours_close(&o);
    if (!p->isa->ended_well(&end)) {
        fail_msg("%s: it ended with 0x%" PRIx64 " at 0x%" PRIx64, host, end.cause, end.pc);
    }
    return true;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void list_sequence(const DiffProgram *p, unsigned n)
{
    const Isa *isa = tcg_isa_find(p->isa->isa);

    for (uint32_t at = p->start[n]; at < p->end[n];) {
        char text[80];
        uint32_t insn;
        unsigned length = isa->disassemble(
            DIFF_CODE + at, p->code + at, p->size - at, text, sizeof(text));

        memcpy(&insn, p->code + at, sizeof(insn));
        fprintf(stderr, "  %08" PRIx64 "  %0*" PRIx32 "  %s\n", DIFF_CODE + at, (int)length * 2,
            length == 2 ? insn & 0xffff : insn, text);
        at += length;
    }
}

static bool same_words(const char *kind, const uint64_t *before, const uint64_t *expected,
    const uint64_t *found, unsigned count)
{
    bool same = true;

    for (unsigned n = 0; n < count; n++) {
        if (expected[n] != found[n]) {
            fprintf(stderr,
                "%s%u: was 0x%016" PRIx64 ", expected 0x%016" PRIx64 ", found 0x%016" PRIx64 "\n",
                kind, n, before[n], expected[n], found[n]);
            same = false;
        }
    }
    return same;
}

static bool same_record(
    const DiffProgram *p, const uint64_t *before, const uint64_t *expected, const uint64_t *found)
{
    bool same = true;
    unsigned at = 0;

    for (const DiffPart *part = p->isa->record; part->name; part++) {
        same &= same_words(part->name, before + at, expected + at, found + at, part->words);
        at += part->words;
    }
    return same;
}

enum { MAX_LISTED = 20 };

static void compare(const DiffProgram *p, const char *host, const Outcome *expected,
    const Outcome *found, unsigned seed)
{
    unsigned different = 0;

    for (unsigned n = 0; n < diff_records(p) && different < MAX_LISTED; n++) {
        unsigned at = n * p->record_words, sequence = n / p->records_of_each;

        if (!same_record(p, p->records + at, expected->records + at, found->records + at)) {
            list_sequence(p, sequence);
            fprintf(stderr, "%s: seed %u, sequence %u of %u, its record %u\n", host, seed, sequence,
                p->sequences, n % p->records_of_each);
            different++;
        }
    }
    if (different) {
        fail_msg("%s: seed %u", host, seed);
    }
    if (!same_words("memory ", p->scratch, expected->scratch, found->scratch, DIFF_SCRATCH / 8)) {
        fail_msg("%s: seed %u", host, seed);
    }
}

/* ---- programs ------------------------------------------------------------------------------ */

static void make_program(DiffProgram *p, unsigned seed)
{
    memset(p->records, 0, sizeof(p->records));
    p->random.state = (uint64_t)seed << 32;
    p->rows = (uint64_t)seed << 32 | 1;
    p->size = 0;
    p->isa->make(p);
    for (unsigned n = 0; n < DIFF_SCRATCH / 8; n++) {
        p->scratch[n] = random_value(&p->random, n % 4 ? I64 : F64);
    }
}

/*
 * What an encoding of "should be one" bits does, and which features `max` has, differs between releases; the rows'
 * exceptions are those of Debian 12's.
 */
static bool is_the_known_release(const char *reference)
{
    g_autofree char *command = g_strdup_printf("%s --version", reference), *text = NULL;

    return g_spawn_command_line_sync(command, &text, NULL, NULL, NULL) &&
        strstr(text, " version 7.") != NULL;
}

/* What was run and compared; instructions of 16 bits are counted as halves. */
static double instructions(const DiffProgram *p)
{
    uint64_t size = 0;

    for (unsigned n = 0; n < p->sequences; n++) {
        size += p->end[n] - p->start[n];
    }
    return (double)size / 4 * p->records_of_each;
}

/* Of a long run the interpreter, which shares all but the host, does a part. */
static bool runs_on(const char *host, unsigned program, unsigned programs)
{
    enum { LONG_RUN = 100, PART = 8 };

    return programs < LONG_RUN || strcmp(host, "interp") != 0 || program % PART == 0;
}

void diff_run(const DiffIsa *isa, unsigned first, unsigned programs, unsigned sequences)
{
    enum { PROGRAMS_OF_A_REPORT = 20 };
    double compared = 0;
    static DiffProgram p;
    static Outcome expected, found;
    static const char *const all[] = { "interp", "x86_64" };
    g_autofree char *there = g_find_program_in_path(isa->reference);

    if (!there || !is_the_known_release(there)) {
        print_message("the reference is %s of QEMU 7\n", isa->reference);
        skip();
    }
    p.isa = isa;
    p.records_of_each = MAX(isa->records_of_each, 1);
    p.sequences = MIN(sequences, DIFF_MAX_RECORDS / p.records_of_each);
    p.record_words = 0;
    for (const DiffPart *part = isa->record; part->name; part++) {
        p.record_words += part->words;
    }
    g_assert(p.record_words <= DIFF_MAX_RECORD);
    for (unsigned seed = first; seed < first + programs; seed++) {
        make_program(&p, seed);
        run_reference(&p, &expected);
        for (unsigned h = 0; h < G_N_ELEMENTS(all); h++) {
            if (runs_on(all[h], seed - first, programs) && run_ours(&p, all[h], &found)) {
                compare(&p, all[h], &expected, &found, seed);
            }
        }
        compared += instructions(&p);
        if ((seed + 1 - first) % PROGRAMS_OF_A_REPORT == 0) {
            print_message("seeds %u to %u: %.2f million instructions are equal\n", first, seed,
                compared / 1e6);
        }
    }
}
