/* The bench itself: that what it shows is what a device does. */
#include "tests/bench.h"

static void output_of_a_device_is_seen(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: ns16550a, console: serial0}");
    g_autofree char *output = NULL;

    bench_write(bench, 0, 0, 1, 'x');
    output = bench_output(bench);
    assert_string_equal(output, "x");
}

static void inputs_of_cpus_survive_saving_and_loading(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: riscv-clint, clock: {mtime: fast}}");

    bench_write(bench, 0, 4, 4, 1);
    assert_true(bench_cpu_input(bench, 1, 3));
    assert_false(bench_cpu_input(bench, 0, 3));
    bench_save_and_load(bench);
    assert_true(bench_cpu_input(bench, 1, 3));
}

static void what_plugs_in_is_reached_through_its_transport(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: virtio-rng}");

    assert_int_equal(bench_read(bench, 0, 0, 4), 0x74726976);
}

static void requests_of_a_device_are_noted(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: syscon}");
    int code = -1;

    assert_int_equal(bench_request(bench, NULL), -1);
    bench_write(bench, 0, 0, 4, 0x33333);
    assert_int_equal(bench_request(bench, &code), MACHINE_FAIL);
    assert_int_equal(code, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_of_a_device_is_seen),
        cmocka_unit_test(inputs_of_cpus_survive_saving_and_loading),
        cmocka_unit_test(what_plugs_in_is_reached_through_its_transport),
        cmocka_unit_test(requests_of_a_device_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
