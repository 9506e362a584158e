#include "tests/bench.h"

enum {
    DATA = 0x000,
    DIRECTION = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    IC = 0x41c
};
enum { ALL = 0x3fc };

static const char gpio[] = "{type: pl061}";

static void inputs_follow_their_lines_and_outputs_what_is_written(void **state)
{
    g_autoptr(Bench) bench = bench_new(gpio);

    bench_write(bench, 0, DIRECTION, 4, 0xf0);
    bench_set_input(bench, "line", 1, true);
    bench_set_input(bench, "line", 7, true);
    bench_write(bench, 0, ALL, 4, 0x5f);
    assert_int_equal(bench_read(bench, 0, ALL, 4), 0x52);
}

static void the_address_masks_the_pins(void **state)
{
    g_autoptr(Bench) bench = bench_new(gpio);

    bench_write(bench, 0, DIRECTION, 4, 0xff);
    bench_write(bench, 0, ALL, 4, 0xff);
    bench_write(bench, 0, DATA + (0x0f << 2), 4, 0x00);
    assert_int_equal(bench_read(bench, 0, ALL, 4), 0xf0);
    assert_int_equal(bench_read(bench, 0, DATA + (0x30 << 2), 4), 0x30);
}

static void an_edge_is_kept_until_it_is_cleared(void **state)
{
    g_autoptr(Bench) bench = bench_new(gpio);

    bench_write(bench, 0, IEV, 4, 0x08); /* rising */
    bench_write(bench, 0, IE, 4, 0x08);
    bench_set_input(bench, "line", 3, true);
    bench_set_input(bench, "line", 3, false);
    assert_true(bench_irq(bench, 0));
    bench_save_and_load(bench);
    assert_true(bench_irq(bench, 0));
    bench_write(bench, 0, IC, 4, 0x08);
    assert_false(bench_irq(bench, 0));
    bench_write(bench, 0, IBE, 4, 0x08);
    bench_set_input(bench, "line", 3, true);
    bench_write(bench, 0, IC, 4, 0x08);
    bench_set_input(bench, "line", 3, false);
    assert_true(bench_irq(bench, 0));
}

static void a_level_lasts_as_long_as_the_level(void **state)
{
    g_autoptr(Bench) bench = bench_new(gpio);

    bench_write(bench, 0, IS, 4, 0x01);
    bench_write(bench, 0, IEV, 4, 0x01);
    bench_write(bench, 0, IE, 4, 0x01);
    bench_set_input(bench, "line", 0, true);
    assert_true(bench_irq(bench, 0));
    bench_write(bench, 0, IC, 4, 0xff);
    assert_true(bench_irq(bench, 0));
    bench_set_input(bench, "line", 0, false);
    assert_false(bench_irq(bench, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_follow_their_lines_and_outputs_what_is_written),
        cmocka_unit_test(the_address_masks_the_pins),
        cmocka_unit_test(an_edge_is_kept_until_it_is_cleared),
        cmocka_unit_test(a_level_lasts_as_long_as_the_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
