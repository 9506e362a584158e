#include "core/clock.h"
#include "tests/bench.h"

enum {
    DR = 0x00,
    MR = 0x04,
    LR = 0x08,
    CR = 0x0c,
    IMSC = 0x10,
    RIS = 0x14,
    MIS = 0x18,
    ICR = 0x1c
};

static const char rtc[] = "{type: pl031}";

static void it_starts_at_the_hosts_time_and_follows_the_machines(void **state)
{
    uint64_t before = g_get_real_time() / G_USEC_PER_SEC, first;
    g_autoptr(Bench) bench = bench_new(rtc);

    first = bench_read(bench, 0, DR, 4);
    assert_true(first >= before && first <= (uint64_t)g_get_real_time() / G_USEC_PER_SEC);
    bench_advance(bench, 100 * NS_PER_SECOND);
    assert_int_equal(bench_read(bench, 0, DR, 4), first + 100);
    assert_int_equal(bench_read(bench, 0, CR, 4), 1);
}

static void time_can_be_set(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, LR, 4, 1000);
    bench_advance(bench, 2 * NS_PER_SECOND);
    assert_int_equal(bench_read(bench, 0, DR, 4), 1002);
    assert_int_equal(bench_read(bench, 0, LR, 4), 1000);
}

static void a_match_interrupts_once(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IMSC, 4, 1);
    bench_write(bench, 0, LR, 4, 1000);
    bench_write(bench, 0, MR, 4, 1010);
    bench_advance(bench, 9 * NS_PER_SECOND);
    assert_false(bench_irq(bench, 0));
    bench_advance(bench, 1 * NS_PER_SECOND);
    assert_true(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, MIS, 4), 1);
    bench_write(bench, 0, ICR, 4, 1);
    assert_false(bench_irq(bench, 0));
    bench_save_and_load(bench);
    assert_false(bench_irq(bench, 0));
}

static void a_match_survives_save_and_load(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IMSC, 4, 1);
    bench_write(bench, 0, MR, 4, bench_read(bench, 0, DR, 4) + 5);
    bench_save_and_load(bench);
    bench_advance(bench, 5 * NS_PER_SECOND);
    assert_true(bench_irq(bench, 0));
}

static void a_match_in_the_past_is_a_century_away(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IMSC, 4, 1);
    bench_write(bench, 0, MR, 4, bench_read(bench, 0, DR, 4) - 1);
    bench_advance(bench, INT64_C(100000000) * NS_PER_SECOND);
    assert_false(bench_irq(bench, 0));
}

static void identification_is_read_by_bytes_too(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    assert_int_equal(bench_read(bench, 0, 0xff0, 1), 0x0d);
    assert_int_equal(bench_read(bench, 0, 0xff4, 1), 0xf0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identification_is_read_by_bytes_too),
        cmocka_unit_test(it_starts_at_the_hosts_time_and_follows_the_machines),
        cmocka_unit_test(time_can_be_set),
        cmocka_unit_test(a_match_interrupts_once),
        cmocka_unit_test(a_match_survives_save_and_load),
        cmocka_unit_test(a_match_in_the_past_is_a_century_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
