#include "tests/test.h"

#include <glib/gstdio.h>
#include <libfdt.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/boot.h"
#include "core/diag.h"
#include "core/machine.h"
#include "tests/fake-cpu.h"

#define RAM UINT64_C(0x80000000)
#define MIB UINT64_C(0x100000)

/* A machine with RAM, two CPUs and what a test puts under `boot`; files in a folder of its own. */
typedef struct Stage {
    MachineSpec spec;
    MemorySpec memory[2]; /* RAM, and a ROM for the tests that want one */
    CpuClusterSpec cluster;
    Machine *machine;
    Diag *diag;
    char *folder;
    GPtrArray *files;
} Stage;

static int set_up(void **state)
{
    Stage *s = g_new0(Stage, 1);

    s->memory[0] = (MemorySpec){ "ram", MEMORY_RAM, RAM, 64 * MIB, NO_MARK };
    s->memory[1] = (MemorySpec){ "rom", MEMORY_ROM, 0, 4096, NO_MARK };
    s->cluster = (CpuClusterSpec){ .name = "cpus", .count = { .value = 2, .set = true } };
    s->spec.arch = "riscv64";
    s->spec.memory = s->memory;
    s->spec.memory_count = 1;
    s->spec.clusters = &s->cluster;
    s->spec.cluster_count = 1;
    s->diag = diag_new();
    s->folder = g_dir_make_tmp("lathe-boot-XXXXXX", NULL);
    s->files = g_ptr_array_new_with_free_func(g_free);
    *state = s;
    return s->folder ? 0 : -1;
}

static int tear_down(void **state)
{
    Stage *s = *state;

    machine_free(s->machine);
    for (unsigned i = 0; i < s->files->len; i++) {
        unlink(s->files->pdata[i]);
    }
    rmdir(s->folder);
    g_ptr_array_unref(s->files);
    diag_free(s->diag);
    g_free(s->folder);
    g_free(s);
    return 0;
}

static SpecText file_of(Stage *s, const char *name, const void *data, size_t length)
{
    char *path = g_build_filename(s->folder, name, NULL);

    g_ptr_array_add(s->files, path);
    assert_true(g_file_set_contents(path, data, length, NULL));
    return (SpecText){ path, NO_MARK };
}

static SpecNumber at(uint64_t value)
{
    return (SpecNumber){ .value = value, .set = true };
}

static bool boot(Stage *s)
{
    s->machine = machine_new(&s->spec);
    assert_true(machine_build(s->machine, fake_cpu_create, s->diag));
    return machine_load_boot(s->machine, s->diag);
}

static const CpuEntry *entry(Stage *s, unsigned cpu)
{
    return &((FakeCpu *)machine_cpu(s->machine, cpu))->began;
}

static void assert_said(Stage *s, const char *part)
{
    g_autofree char *text = diag_to_string(s->diag, DIAG_SHORT);

    if (!strstr(text, part)) {
        fail_msg("wanted '%s' in: %s", part, text);
    }
}

static void peek(Stage *s, GuestAddr from, void *out, size_t length)
{
    assert_int_equal(address_space_read(machine_memory(s->machine), from, out, length), MEM_OK);
}

/* A RISC-V Image header before 4 KiB of 'k'. */
static void linux_image(uint8_t *out, size_t length, uint64_t text_offset, uint64_t size)
{
    memset(out, 'k', length);
    memset(out, 0, 64);
    memcpy(out + 8, &text_offset, 8);
    memcpy(out + 16, &size, 8);
    memcpy(out + 56, "RSC\x05", 4);
}

static void a_flat_kernel_begins_where_the_board_says(void **state)
{
    Stage *s = *state;
    char bytes[4];

    s->spec.boot.kernel = file_of(s, "kernel", "\1\2\3\4", 4);
    s->spec.boot.kernel_at = at(RAM + 2 * MIB);
    assert_true(boot(s));
    assert_int_equal(entry(s, 1)->pc, RAM + 2 * MIB);
    assert_int_equal(entry(s, 1)->args[0], 1);
    peek(s, RAM + 2 * MIB, bytes, 4);
    assert_memory_equal(bytes, "\1\2\3\4", 4);
}

static void the_tree_is_where_the_second_argument_points(void **state)
{
    Stage *s = *state;
    uint8_t blob[4096];
    int memory;

    s->spec.boot.kernel = file_of(s, "kernel", "\1\2\3\4", 4);
    s->spec.boot.cmdline = (SpecText){ "console=ttyS0", NO_MARK };
    assert_true(boot(s));
    peek(s, entry(s, 0)->args[1], blob, sizeof(blob));
    assert_int_equal(fdt_check_header(blob), 0);
    assert_string_equal(
        fdt_getprop(blob, fdt_path_offset(blob, "/chosen"), "bootargs", NULL), "console=ttyS0");
    memory = fdt_path_offset(blob, "/memory@80000000");
    assert_true(memory > 0);
}

static void a_linux_image_goes_to_its_text_offset(void **state)
{
    Stage *s = *state;
    uint8_t image[4096];

    linux_image(image, sizeof(image), 2 * MIB, 8 * MIB);
    s->spec.boot.kernel = file_of(s, "Image", image, sizeof(image));
    assert_true(boot(s));
    assert_int_equal(entry(s, 0)->pc, RAM + 2 * MIB);
}

static void a_packed_image_is_unpacked(void **state)
{
    Stage *s = *state;
    uint8_t image[4096], packed[4096], byte;
    g_autofree char *path = g_build_filename(s->folder, "Image.gz", NULL);
    gzFile out = gzopen(path, "wb");

    linux_image(image, sizeof(image), 0, sizeof(image));
    gzwrite(out, image, sizeof(image));
    gzclose(out);
    g_ptr_array_add(s->files, g_strdup(path));
    s->spec.boot.kernel = (SpecText){ path, NO_MARK };
    assert_true(boot(s));
    peek(s, RAM + 100, &byte, 1);
    assert_int_equal(byte, 'k');

    /* And again at a reset, when nothing of it is kept. */
    memset(packed, 0, sizeof(packed));
    address_space_write(machine_memory(s->machine), RAM, packed, sizeof(packed));
    machine_reset(s->machine);
    peek(s, RAM + 100, &byte, 1);
    assert_int_equal(byte, 'k');
}

static void firmware_is_told_of_the_kernel(void **state)
{
    Stage *s = *state;
    uint64_t info[6];

    s->spec.boot.firmware = file_of(s, "fw", "\5\6\7\1", 4);
    s->spec.boot.firmware_at = at(RAM);
    s->spec.boot.kernel = file_of(s, "kernel", "\1\2\3\4", 4);
    s->spec.boot.kernel_at = at(RAM + 2 * MIB);
    assert_true(boot(s));
    assert_int_equal(entry(s, 0)->pc, RAM);
    peek(s, entry(s, 0)->args[2], info, sizeof(info));
    assert_int_equal(info[0], 0x4942534f);
    assert_int_equal(info[2], RAM + 2 * MIB);
    assert_int_equal(info[3], 1);
}

static void the_initrd_is_named_in_the_tree_and_clear_of_the_kernel(void **state)
{
    Stage *s = *state;
    uint8_t image[4096], blob[4096];
    const fdt64_t *start;
    char bytes[6];

    linux_image(image, sizeof(image), 0, 48 * MIB);
    s->spec.boot.kernel = file_of(s, "Image", image, sizeof(image));
    s->spec.boot.initrd = file_of(s, "initrd", "070701", 6);
    assert_true(boot(s));
    peek(s, entry(s, 0)->args[1], blob, sizeof(blob));
    start = fdt_getprop(blob, fdt_path_offset(blob, "/chosen"), "linux,initrd-start", NULL);
    assert_int_equal(fdt64_ld(start), RAM + 48 * MIB);
    peek(s, RAM + 48 * MIB, bytes, 6);
    assert_memory_equal(bytes, "070701", 6);
}

static void an_initrd_that_is_gzipped_stays_so(void **state)
{
    Stage *s = *state;

    s->spec.boot.kernel = file_of(s, "kernel", "\1\2\3\4", 4);
    s->spec.boot.initrd = file_of(s, "initrd", "\x1f\x8bnot really", 12);
    assert_true(boot(s));
}

/* ---- what can be wrong ---- */

static void a_missing_kernel_is_named(void **state)
{
    Stage *s = *state;

    s->spec.boot.kernel = (SpecText){ "/nowhere/Image", NO_MARK };
    assert_false(boot(s));
    assert_said(s, "E220");
    assert_said(s, "/nowhere/Image");
}

static void a_kernel_too_big_for_ram_says_how_much_it_wants(void **state)
{
    Stage *s = *state;
    uint8_t image[4096];

    linux_image(image, sizeof(image), 0, 100 * MIB);
    s->spec.boot.kernel = file_of(s, "Image", image, sizeof(image));
    assert_false(boot(s));
    assert_said(s, "E503");
    assert_said(s, "0x83ffffff");
}

static void a_kernel_with_an_impossible_size_is_refused(void **state)
{
    Stage *s = *state;
    uint8_t image[4096];

    linux_image(image, sizeof(image), UINT64_MAX - 5, UINT64_MAX - 5);
    s->spec.boot.kernel = file_of(s, "Image", image, sizeof(image));
    assert_false(boot(s));
    assert_said(s, "E503");
}

static void a_kernel_of_another_machine_is_refused(void **state)
{
    Stage *s = *state;
    uint8_t image[64] = { 0 };

    memcpy(image + 56, "ARM\x64", 4);
    s->spec.boot.kernel = file_of(s, "Image", image, sizeof(image));
    assert_false(boot(s));
    assert_said(s, "E504");
    assert_said(s, "aarch64");
}

static void a_cut_gzip_is_truncated(void **state)
{
    Stage *s = *state;
    g_autofree char *path = g_build_filename(s->folder, "cut.gz", NULL);
    g_autofree char *data = NULL;
    gzFile out = gzopen(path, "wb");
    size_t length;

    for (unsigned i = 0; i < 5000; i++) {
        gzputc(out, (int)(i * i >> 3 & 0xff));
    }
    gzclose(out);
    g_ptr_array_add(s->files, g_strdup(path));
    assert_true(g_file_get_contents(path, &data, &length, NULL));
    assert_true(g_file_set_contents(path, data, length / 2, NULL));
    s->spec.boot.kernel = (SpecText){ path, NO_MARK };
    assert_false(boot(s));
    assert_said(s, "E502");
}

static void a_section_beyond_the_end_of_an_image_is_truncation(void **state)
{
    Stage *s = *state;
    uint8_t image[4096];
    uint32_t pe = 64, raw_size = 4096, raw_at = 4096;

    linux_image(image, sizeof(image), 0, 2 * MIB);
    memcpy(image + 60, &pe, 4);
    memset(image + 64, 0, 256);
    memcpy(image + 64, "PE\0\0", 4);
    image[64 + 6] = 1;
    memcpy(image + 64 + 24 + 16, &raw_size, 4);
    memcpy(image + 64 + 24 + 20, &raw_at, 4);
    s->spec.boot.kernel = file_of(s, "Image", image, sizeof(image));
    assert_false(boot(s));
    assert_said(s, "E502");
}

static void an_elf_that_ends_early_is_truncated(void **state)
{
    Stage *s = *state;

    s->spec.boot.kernel = file_of(s, "vmlinux", "\177ELF\2\1\1", 7);
    assert_false(boot(s));
    assert_said(s, "E502");
}

static void firmware_and_kernel_may_not_overlap(void **state)
{
    Stage *s = *state;

    s->spec.boot.firmware = file_of(s, "fw", "\5\6\7\1ware", 8);
    s->spec.boot.firmware_at = at(RAM);
    s->spec.boot.kernel = file_of(s, "kernel", "\1\2\3\4", 4);
    s->spec.boot.kernel_at = at(RAM + 4);
    assert_false(boot(s));
    assert_said(s, "`kernel` begins at 0x80000004, but `firmware` is from");
}

static void firmware_goes_into_rom(void **state)
{
    Stage *s = *state;
    char bytes[4];

    s->spec.memory_count = 2;
    s->spec.boot.firmware = file_of(s, "fw", "\5\6\7\1", 4);
    s->spec.boot.firmware_at = at(4092);
    assert_true(boot(s));
    assert_int_equal(entry(s, 0)->pc, 4092);
    peek(s, 4092, bytes, 4);
    assert_memory_equal(bytes, "\5\6\7\1", 4);
}

static void firmware_larger_than_its_rom_is_refused(void **state)
{
    Stage *s = *state;

    s->spec.memory_count = 2;
    s->spec.boot.firmware = file_of(s, "fw", "\5\6\7\1ware", 8);
    s->spec.boot.firmware_at = at(4092);
    assert_false(boot(s));
    assert_said(s, "`firmware` has 8 bytes, and at 0xffc there is memory for 4");
}

static void a_machine_with_nothing_to_boot_says_so(void **state)
{
    Stage *s = *state;

    assert_false(boot(s));
    assert_said(s, "E505");
}

#define boot_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        boot_test(a_flat_kernel_begins_where_the_board_says),
        boot_test(the_tree_is_where_the_second_argument_points),
        boot_test(a_linux_image_goes_to_its_text_offset),
        boot_test(a_packed_image_is_unpacked),
        boot_test(firmware_is_told_of_the_kernel),
        boot_test(the_initrd_is_named_in_the_tree_and_clear_of_the_kernel),
        boot_test(an_initrd_that_is_gzipped_stays_so),
        boot_test(a_missing_kernel_is_named),
        boot_test(a_kernel_too_big_for_ram_says_how_much_it_wants),
        boot_test(a_kernel_with_an_impossible_size_is_refused),
        boot_test(a_kernel_of_another_machine_is_refused),
        boot_test(a_cut_gzip_is_truncated),
        boot_test(a_section_beyond_the_end_of_an_image_is_truncation),
        boot_test(an_elf_that_ends_early_is_truncated),
        boot_test(firmware_and_kernel_may_not_overlap),
        boot_test(firmware_goes_into_rom),
        boot_test(firmware_larger_than_its_rom_is_refused),
        boot_test(a_machine_with_nothing_to_boot_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
