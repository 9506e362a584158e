#include "tests/bench.h"

static const char syscon[] = "{type: syscon}";

static void finishing_asks_for_what_the_code_says(void **state)
{
    static const struct {
        uint32_t value;
        MachineRequest what;
        int code;
    } cases[] = {
        { 0x5555, MACHINE_POWEROFF, 0 },
        { 0x00073333, MACHINE_FAIL, 7 },
        { 0x7777, MACHINE_RESET, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Bench) bench = bench_new(syscon);
        int code = -1;

        bench_write(bench, 0, 0, 4, cases[i].value);
        assert_int_equal(bench_request(bench, &code), cases[i].what);
        assert_int_equal(code, cases[i].code);
    }
}

static void it_takes_16_bits_too(void **state)
{
    g_autoptr(Bench) bench = bench_new(syscon);
    int code;

    bench_write(bench, 0, 0, 2, 0x5555);
    assert_int_equal(bench_request(bench, &code), MACHINE_POWEROFF);
}

static void other_values_and_places_do_nothing(void **state)
{
    g_autoptr(Bench) bench = bench_new(syscon);
    int code;

    bench_write(bench, 0, 0, 4, 0x1234);
    bench_write(bench, 0, 4, 4, 0x5555);
    assert_int_equal(bench_request(bench, &code), -1);
    assert_int_equal(bench_read(bench, 0, 0, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finishing_asks_for_what_the_code_says),
        cmocka_unit_test(it_takes_16_bits_too),
        cmocka_unit_test(other_values_and_places_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
