#include "tests/test.h"

#include <string.h>

#include "config/config.h"
#include "config/validate.h"

#define HEAD "lathe: machine/v1\nname: test\nboard: riscv-virt@1\nmemory: 64MiB\n"

static MachineSpec *load(const char *text, Diag *diag)
{
    MachineSpec *spec = config_load_text("test.yaml", text, -1, NULL, diag);
    g_autofree char *said = diag_to_string(diag, DIAG_PLAIN);

    if (!spec) {
        fail_msg("%s", said);
    }
    return spec;
}

static void a_machine_gets_its_boards_devices_and_memory(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = load(HEAD "cpus: { count: 4 }\n", diag);
    const DeviceSpec *uart = machine_spec_device(spec, "uart0");

    assert_int_equal(machine_spec_cpu_count(spec), 4);
    assert_int_equal(spec->clusters[0].timebase_hz, 10000000);
    assert_int_equal(spec->memory[0].at, 0x80000000);
    assert_int_equal(spec->memory[0].size, 64 << 20);
    assert_int_equal(uart->regions[0].at, 0x10000000);
    assert_string_equal(uart->irqs[0].controller, "plic");
    assert_int_equal(uart->irqs[0].line, 10);
    assert_string_equal(uart->mark.file, "machines/riscv-virt.yaml");
}

static void a_count_is_spelt_out(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = load(HEAD, diag);
    const DeviceSpec *last = machine_spec_device(spec, "virtio.7");

    assert_int_equal(last->regions[0].at, 0x10008000);
    assert_int_equal(last->irqs[0].line, 8);
    assert_null(machine_spec_device(spec, "virtio.8"));
    assert_null(machine_spec_device(spec, "virtio"));
}

static void a_drive_becomes_a_device_in_the_next_free_slot(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = load(HEAD "drives:\n"
                                            "  a: { size: 1MiB }\n"
                                            "  b: { size: 1MiB, slot: virtio.0 }\n"
                                            "  c: { size: 1MiB }\n",
        diag);

    assert_string_equal(machine_spec_device(spec, "drives.a")->slot, "virtio.1");
    assert_string_equal(machine_spec_device(spec, "drives.b")->slot, "virtio.0");
    assert_string_equal(machine_spec_device(spec, "drives.c")->slot, "virtio.2");
    assert_string_equal(
        device_spec_prop(machine_spec_device(spec, "drives.a"), "drive")->text, "a");
}

static void the_words_of_cache_are_presets(void **state)
{
    static const struct {
        const char *cache;
        bool writeback, direct, no_flush;
        const char *word;
    } cases[] = {
        { "writeback", true, false, false, "writeback" },
        { "none", true, true, false, "none" },
        { "writethrough", false, false, false, "writethrough" },
        { "directsync", false, true, false, "directsync" },
        { "unsafe", true, false, true, "unsafe" },
        { "{ direct: true }", true, true, false, "none" },
        { "{ writeback: false, direct: true }", false, true, false, "directsync" },
        { "{ no-flush: true, direct: true }", true, true, true, "a mode of its own" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Diag) diag = diag_new();
        g_autofree char *text = g_strdup_printf(
            HEAD "drives: { a: { size: 1MiB, cache: %s } }\n", cases[i].cache);
        g_autoptr(MachineSpec) spec = load(text, diag);
        const DriveCache *cache = &machine_spec_drive(spec, "a")->cache;

        assert_int_equal(cache->writeback, cases[i].writeback);
        assert_int_equal(cache->direct, cases[i].direct);
        assert_int_equal(cache->no_flush, cases[i].no_flush);
        assert_string_equal(cache->word, cases[i].word);
    }
}

static void what_run_cannot_honour_is_named(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = load(HEAD "net: { eth0: { type: user } }\n", diag);

    assert_int_equal(spec->not_yet_count, 1);
    assert_string_equal(spec->not_yet[0].path, "net");
    assert_int_equal(spec->not_yet[0].mark.line, 5);
}

static void features_of_the_model_can_be_switched(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec)
        spec = load(HEAD "cpus: { model: rv64, features: { zba: false } }\n", diag);
    const CpuClusterSpec *cluster = &spec->clusters[0];
    unsigned met = 0;

    for (unsigned i = 0; i < cluster->feature_count; i++) {
        if (strcmp(cluster->features[i].name, "zba") == 0) {
            assert_false(cluster->features[i].on);
            assert_true(cluster->features[i].asked);
            met++;
        } else if (strcmp(cluster->features[i].name, "zbb") == 0) {
            assert_true(cluster->features[i].on);
            met++;
        }
    }
    assert_int_equal(met, 2);
}

static void a_device_alone_is_placed_for_the_bench(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) part = config_load_device_text("{type: ns16550a}", diag);
    g_autoptr(MachineSpec) plugged = config_load_device_text("{type: virtio-rng}", diag);

    assert_int_equal(machine_spec_device(part, "device")->region_count, 1);
    assert_int_equal(machine_spec_device(part, "device")->irq_count, 0);
    assert_string_equal(machine_spec_device(plugged, "device")->slot, "bus");
    assert_int_equal(diag_errors(diag), 0);
}

static void every_device_schema_in_the_program_can_be_read(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(GPtrArray) types = config_list("devices", NULL, diag);

    assert_true(types->len > 0);
    for (unsigned i = 0; i < types->len; i++) {
        g_autofree char *title = config_summary("devices", g_ptr_array_index(types, i), NULL, diag);

        assert_true(*title);
    }
    assert_int_equal(diag_errors(diag), 0);
}

static void every_device_schema_says_of_its_device_what_can_be_understood(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Library) library = library_create(NULL, arena, diag);
    g_autoptr(SchemaSet) set = schema_set_create(library, arena, diag);
    g_autoptr(GPtrArray) types = library_list(library, "schemas/devices", ".v1.yaml");
    const Schema *words = schema_load(set, "schemas/x-lathe.v1.yaml");

    assert_non_null(words);
    for (unsigned i = 0; i < types->len; i++) {
        g_autofree char *file = g_strdup_printf(
            "schemas/devices/%s.v1.yaml", (char *)types->pdata[i]);
        const Schema *schema = schema_load(set, file);
        Node *facts = schema ? node_get(schema->node, "x-lathe") : NULL;

        if (!facts || !validate(words, facts, "x-lathe", facts->mark, diag)) {
            g_autofree char *said = diag_to_string(diag, DIAG_PLAIN);

            fail_msg("%s: %s", file, said);
        }
    }
}

static void every_board_in_the_program_is_right(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(GPtrArray) boards = config_list("boards", NULL, diag);

    for (unsigned i = 0; i < boards->len; i++) {
        g_autoptr(MachineSpec) spec = config_load_board(g_ptr_array_index(boards, i), NULL, diag);

        assert_non_null(spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_gets_its_boards_devices_and_memory),
        cmocka_unit_test(a_count_is_spelt_out),
        cmocka_unit_test(a_drive_becomes_a_device_in_the_next_free_slot),
        cmocka_unit_test(the_words_of_cache_are_presets),
        cmocka_unit_test(what_run_cannot_honour_is_named),
        cmocka_unit_test(features_of_the_model_can_be_switched),
        cmocka_unit_test(a_device_alone_is_placed_for_the_bench),
        cmocka_unit_test(every_device_schema_in_the_program_can_be_read),
        cmocka_unit_test(every_device_schema_says_of_its_device_what_can_be_understood),
        cmocka_unit_test(every_board_in_the_program_is_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
