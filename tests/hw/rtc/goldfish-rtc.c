#include "core/clock.h"
#include "tests/bench.h"

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

static const char rtc[] = "{type: goldfish-rtc}";

static uint64_t get_time(Bench *bench)
{
    uint64_t low = bench_read(bench, 0, TIME_LOW, 4);

    return bench_read(bench, 0, TIME_HIGH, 4) << 32 | low;
}

static void set_pair(Bench *bench, unsigned low, uint64_t value)
{
    bench_write(bench, 0, low + 4, 4, value >> 32);
    bench_write(bench, 0, low, 4, (uint32_t)value);
}

static void it_starts_at_the_hosts_time_and_follows_the_machines(void **state)
{
    uint64_t before = g_get_real_time() * UINT64_C(1000), first;
    g_autoptr(Bench) bench = bench_new(rtc);

    first = get_time(bench);
    assert_true(first >= before && first <= g_get_real_time() * UINT64_C(1000));
    bench_advance(bench, 5 * NS_PER_SECOND);
    assert_int_equal(get_time(bench), first + 5 * NS_PER_SECOND);
}

static void time_can_be_set(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    set_pair(bench, TIME_LOW, UINT64_C(0x0123456789abcdef));
    bench_advance(bench, 1);
    assert_int_equal(get_time(bench), UINT64_C(0x0123456789abcdf0));
}

static void the_alarm_interrupts_when_it_is_due(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IRQ_ENABLED, 4, 1);
    set_pair(bench, ALARM_LOW, get_time(bench) + 1000);
    assert_int_equal(bench_read(bench, 0, ALARM_STATUS, 4), 1);
    bench_advance(bench, 999);
    assert_false(bench_irq(bench, 0));
    bench_advance(bench, 1);
    assert_true(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, ALARM_STATUS, 4), 0);
    bench_write(bench, 0, CLEAR_INTERRUPT, 4, 1);
    assert_false(bench_irq(bench, 0));
}

static void an_alarm_in_the_past_is_due_at_once(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IRQ_ENABLED, 4, 1);
    set_pair(bench, ALARM_LOW, get_time(bench) - 1);
    assert_true(bench_irq(bench, 0));
}

static void a_cleared_alarm_does_not_ring(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IRQ_ENABLED, 4, 1);
    set_pair(bench, ALARM_LOW, get_time(bench) + 1000);
    bench_write(bench, 0, CLEAR_ALARM, 4, 1);
    bench_advance(bench, 2000);
    assert_false(bench_irq(bench, 0));
}

static void the_furthest_alarm_is_harmless(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IRQ_ENABLED, 4, 1);
    set_pair(bench, TIME_LOW, 0);
    bench_advance(bench, 10);
    set_pair(bench, ALARM_LOW, INT64_MAX);
    assert_false(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, ALARM_STATUS, 4), 1);
}

static void an_alarm_survives_save_and_load(void **state)
{
    g_autoptr(Bench) bench = bench_new(rtc);

    bench_write(bench, 0, IRQ_ENABLED, 4, 1);
    set_pair(bench, ALARM_LOW, get_time(bench) + 1000);
    bench_save_and_load(bench);
    bench_advance(bench, 1000);
    assert_true(bench_irq(bench, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_at_the_hosts_time_and_follows_the_machines),
        cmocka_unit_test(time_can_be_set),
        cmocka_unit_test(the_alarm_interrupts_when_it_is_due),
        cmocka_unit_test(an_alarm_in_the_past_is_due_at_once),
        cmocka_unit_test(a_cleared_alarm_does_not_ring),
        cmocka_unit_test(the_furthest_alarm_is_harmless),
        cmocka_unit_test(an_alarm_survives_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
