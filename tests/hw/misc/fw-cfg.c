#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "core/diag.h"
#include "tests/bench.h"

enum { DATA = 0, SELECTOR = 8, DMA = 16 };
enum { KEY_SIGNATURE = 0, KEY_ID = 1, KEY_CPUS = 5, KEY_FILES = 0x19 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SELECT = 8, DMA_WRITE = 16 };

static const char fw_cfg[] = "{type: fw-cfg}";

/* The registers are big endian, the bench's CPU is not. */
static void select_item(Bench *bench, uint16_t key)
{
    bench_write(bench, 0, SELECTOR, 2, GUINT16_TO_BE(key));
}

static void ask(Bench *bench, uint32_t control, uint32_t length, uint64_t address)
{
    uint32_t request[] = { GUINT32_TO_BE(control), GUINT32_TO_BE(length),
        GUINT32_TO_BE(address >> 32), GUINT32_TO_BE((uint32_t)address) };

    memcpy(bench_ram(bench), request, sizeof(request));
    bench_write(bench, 0, DMA, 4, 0);
    bench_write(bench, 0, DMA + 4, 4, GUINT32_TO_BE((uint32_t)BENCH_RAM));
}

static uint32_t outcome(Bench *bench)
{
    uint32_t control;

    memcpy(&control, bench_ram(bench), sizeof(control));
    return GUINT32_FROM_BE(control);
}

static void the_signature_is_read_byte_by_byte_or_at_once(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);
    char text[5] = { 0 };
    uint32_t word;

    select_item(bench, KEY_SIGNATURE);
    for (unsigned i = 0; i < 4; i++) {
        text[i] = bench_read(bench, 0, DATA, 1);
    }
    assert_string_equal(text, "QEMU");
    select_item(bench, KEY_SIGNATURE);
    word = bench_read(bench, 0, DATA, 4);
    assert_memory_equal(&word, "QEMU", 4);
}

static void beyond_its_end_an_item_reads_as_zero(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);

    select_item(bench, KEY_CPUS);
    assert_int_equal(bench_read(bench, 0, DATA, 2), BENCH_CPUS);
    assert_int_equal(bench_read(bench, 0, DATA, 8), 0);
}

static void an_item_that_is_not_there_reads_as_zero(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);

    select_item(bench, 0x7fff);
    assert_int_equal(bench_read(bench, 0, DATA, 8), 0);
}

static void the_id_offers_dma_and_its_register_says_so(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);
    uint64_t signature = bench_read(bench, 0, DMA, 8);

    assert_memory_equal(&signature, "QEMU CFG", 8);
    select_item(bench, KEY_ID);
    assert_int_equal(bench_read(bench, 0, DATA, 4), 3);
}

static void dma_copies_an_item_to_memory(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);

    memset(bench_ram(bench) + 0x100, 0xee, 7);
    ask(bench, (uint32_t)KEY_SIGNATURE << 16 | DMA_SELECT | DMA_READ, 6, BENCH_RAM + 0x100);
    assert_int_equal(outcome(bench), 0);
    assert_memory_equal(bench_ram(bench) + 0x100, "QEMU\0\0\xee", 7);
}

static void dma_that_cannot_be_done_ends_with_an_error(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);

    ask(bench, DMA_WRITE, 4, BENCH_RAM + 0x100);
    assert_int_equal(outcome(bench), DMA_ERROR);
    ask(bench, DMA_READ, 0xffffffff, UINT64_C(0xfffffffffffffff0));
    assert_int_equal(outcome(bench), DMA_ERROR);
}

static void a_request_outside_of_memory_is_ignored(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);

    bench_write(bench, 0, DMA, 8, UINT64_MAX);
    select_item(bench, KEY_SIGNATURE);
    assert_int_equal(bench_read(bench, 0, DATA, 1), 'Q');
}

static void the_position_survives_save_and_load(void **state)
{
    g_autoptr(Bench) bench = bench_new(fw_cfg);

    select_item(bench, KEY_SIGNATURE);
    bench_read(bench, 0, DATA, 1);
    bench_save_and_load(bench);
    assert_int_equal(bench_read(bench, 0, DATA, 1), 'E');
}

/* Of a whole machine, as the bench has no kernel. */
static char *item_text(Machine *machine, uint16_t key, size_t length)
{
    Region *regs = device_region(machine_find_device(machine, "fw-cfg"), 0);
    GString *text = g_string_new(NULL);
    uint64_t byte;

    region_write(regs, SELECTOR, 2, GUINT16_TO_BE(key));
    while (text->len < length) {
        region_read(regs, DATA, 1, &byte);
        g_string_append_c(text, byte);
    }
    return g_string_free(text, false);
}

static void the_kernel_and_its_command_line_can_be_read(void **state)
{
    g_autofree char *path = g_strdup_printf("/tmp/fw-cfg-%d", getpid());
    g_autofree char *yaml = g_strdup_printf(
        "{lathe: machine/v1, name: t, board: riscv-virt@1, memory: 64MiB,\n"
        " boot: {kernel: %s, cmdline: quiet}}\n",
        path);
    g_autofree char *kernel = NULL, *size = NULL, *cmdline = NULL;
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = NULL;
    g_autoptr(Machine) machine = NULL;

    assert_true(g_file_set_contents(path, "a kernel", -1, NULL));
    spec = config_load_text("t.yaml", yaml, -1, NULL, diag);
    assert_non_null(spec);
    machine = machine_new(spec);
    assert_true(machine_build(machine, NULL, diag));
    size = item_text(machine, 0x08, 4);
    kernel = item_text(machine, 0x11, 10);
    cmdline = item_text(machine, 0x15, 6);
    assert_memory_equal(size, "\x08\0\0\0", 4);
    assert_memory_equal(kernel, "a kernel\0\0", 10);
    assert_memory_equal(cmdline, "quiet", 6);

    assert_int_equal(truncate(path, 2), 0);
    g_free(g_steal_pointer(&kernel));
    kernel = item_text(machine, 0x11, 4);
    assert_memory_equal(kernel, "a \0\0", 4);
    g_unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_read_byte_by_byte_or_at_once),
        cmocka_unit_test(beyond_its_end_an_item_reads_as_zero),
        cmocka_unit_test(an_item_that_is_not_there_reads_as_zero),
        cmocka_unit_test(the_id_offers_dma_and_its_register_says_so),
        cmocka_unit_test(dma_copies_an_item_to_memory),
        cmocka_unit_test(dma_that_cannot_be_done_ends_with_an_error),
        cmocka_unit_test(a_request_outside_of_memory_is_ignored),
        cmocka_unit_test(the_position_survives_save_and_load),
        cmocka_unit_test(the_kernel_and_its_command_line_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
