#include "tests/bench.h"

enum { POWER, RESTART };

static const char keys[] = "{type: gpio-keys, irq: {power: line.1, restart: line.2}}";

static void a_push_lasts_a_tenth_of_a_second(void **state)
{
    g_autoptr(Bench) bench = bench_new(keys);

    assert_false(bench_irq(bench, POWER));
    assert_true(machine_press(bench_machine(bench), "power"));
    assert_true(bench_irq(bench, POWER));
    assert_false(bench_irq(bench, RESTART));
    bench_advance(bench, NS_PER_SECOND / 10 - 1);
    assert_true(bench_irq(bench, POWER));
    bench_advance(bench, 1);
    assert_false(bench_irq(bench, POWER));
}

static void a_push_survives_a_snapshot(void **state)
{
    g_autoptr(Bench) bench = bench_new(keys);

    assert_true(machine_press(bench_machine(bench), "restart"));
    bench_save_and_load(bench);
    assert_true(bench_irq(bench, RESTART));
    bench_advance(bench, NS_PER_SECOND / 10);
    assert_false(bench_irq(bench, RESTART));
}

static void a_button_that_is_not_there_is_not_pushed(void **state)
{
    g_autoptr(Bench) bench = bench_new(keys), other = bench_new("{type: pl061}");

    assert_false(machine_press(bench_machine(bench), "eject"));
    assert_false(machine_press(bench_machine(other), "power"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_lasts_a_tenth_of_a_second),
        cmocka_unit_test(a_push_survives_a_snapshot),
        cmocka_unit_test(a_button_that_is_not_there_is_not_pushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
