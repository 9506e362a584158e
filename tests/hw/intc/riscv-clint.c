#include "tests/bench.h"

enum { MSIP = 0x0, MTIMECMP = 0x4000, MTIME = 0xbff8 };
enum { IN_MSIP = 3, IN_MTIP = 7 };
enum { TICK_NS = 100 }; /* at 10 MHz */

static const char clint[] = "{type: riscv-clint, clock: {mtime: fast}}";

static void mtime_counts_at_the_rate_of_its_clock(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_advance(bench, 25 * TICK_NS);
    assert_int_equal(bench_read(bench, 0, MTIME, 8), 25);
    assert_int_equal(bench_read(bench, 0, MTIME, 4), 25);
    assert_int_equal(bench_read(bench, 0, MTIME + 4, 4), 0);
}

static void timer_rises_when_mtime_reaches_mtimecmp(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MTIMECMP + 8, 8, 10);
    bench_advance(bench, 9 * TICK_NS);
    assert_false(bench_cpu_input(bench, 1, IN_MTIP));
    bench_advance(bench, 1 * TICK_NS);
    assert_true(bench_cpu_input(bench, 1, IN_MTIP));
    assert_false(bench_cpu_input(bench, 0, IN_MTIP));
}

static void a_later_mtimecmp_takes_the_interrupt_back(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MTIMECMP, 8, 0);
    assert_true(bench_cpu_input(bench, 0, IN_MTIP));
    bench_write(bench, 0, MTIMECMP, 8, UINT64_MAX);
    assert_false(bench_cpu_input(bench, 0, IN_MTIP));
}

static void mtimecmp_can_be_written_in_halves(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MTIMECMP + 4, 4, 0x12);
    bench_write(bench, 0, MTIMECMP, 4, 0x3456789a);
    assert_int_equal(bench_read(bench, 0, MTIMECMP, 8), 0x123456789a);
    assert_int_equal(bench_read(bench, 0, MTIMECMP + 4, 4), 0x12);
}

static void msip_drives_the_software_interrupt_of_its_hart(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MSIP + 4, 4, 0xffffffff);
    assert_true(bench_cpu_input(bench, 1, IN_MSIP));
    assert_false(bench_cpu_input(bench, 0, IN_MSIP));
    assert_int_equal(bench_read(bench, 0, MSIP + 4, 4), 1);
    bench_write(bench, 0, MSIP + 4, 4, 0);
    assert_false(bench_cpu_input(bench, 1, IN_MSIP));
}

static void reset_leaves_no_interrupt(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MSIP, 4, 1);
    bench_write(bench, 0, MTIMECMP, 8, 0);
    bench_reset(bench);
    assert_false(bench_cpu_input(bench, 0, IN_MSIP));
    assert_false(bench_cpu_input(bench, 0, IN_MTIP));
}

static void a_waiting_timer_survives_save_and_load(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MTIMECMP, 8, 1000);
    bench_save_and_load(bench);
    bench_advance(bench, 1000 * TICK_NS);
    assert_true(bench_cpu_input(bench, 0, IN_MTIP));
}

static void mtime_goes_on_from_what_it_was_set_to(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MTIMECMP, 8, 1000);
    bench_write(bench, 0, MTIME, 8, 990);
    bench_advance(bench, 9 * TICK_NS);
    assert_int_equal(bench_read(bench, 0, MTIME, 8), 999);
    assert_false(bench_cpu_input(bench, 0, IN_MTIP));
    bench_save_and_load(bench);
    bench_advance(bench, 1 * TICK_NS);
    assert_true(bench_cpu_input(bench, 0, IN_MTIP));
}

static void mtime_can_be_set_back_and_in_halves(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_advance(bench, 50 * TICK_NS);
    bench_write(bench, 0, MTIMECMP, 8, 40);
    assert_true(bench_cpu_input(bench, 0, IN_MTIP));
    bench_write(bench, 0, MTIME, 4, 0);
    assert_false(bench_cpu_input(bench, 0, IN_MTIP));
    bench_advance(bench, 40 * TICK_NS);
    assert_true(bench_cpu_input(bench, 0, IN_MTIP));
    bench_write(bench, 0, MTIME + 4, 4, 0xffffffff);
    assert_int_equal(bench_read(bench, 0, MTIME + 4, 4), 0xffffffff);
}

static void reset_sets_mtime_to_the_machines_time(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MTIME, 8, 1u << 30);
    bench_reset(bench);
    assert_int_equal(bench_read(bench, 0, MTIME, 8), 0);
}

static void harts_that_are_not_there_are_ignored(void **state)
{
    g_autoptr(Bench) bench = bench_new(clint);

    bench_write(bench, 0, MSIP + 4 * BENCH_CPUS, 4, 1);
    bench_write(bench, 0, MTIMECMP + 8 * BENCH_CPUS, 8, 0);
    assert_int_equal(bench_read(bench, 0, MSIP + 4 * BENCH_CPUS, 4), 0);
    assert_int_equal(bench_read(bench, 0, MTIMECMP + 8 * BENCH_CPUS, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mtime_counts_at_the_rate_of_its_clock),
        cmocka_unit_test(timer_rises_when_mtime_reaches_mtimecmp),
        cmocka_unit_test(a_later_mtimecmp_takes_the_interrupt_back),
        cmocka_unit_test(mtimecmp_can_be_written_in_halves),
        cmocka_unit_test(msip_drives_the_software_interrupt_of_its_hart),
        cmocka_unit_test(reset_leaves_no_interrupt),
        cmocka_unit_test(a_waiting_timer_survives_save_and_load),
        cmocka_unit_test(mtime_goes_on_from_what_it_was_set_to),
        cmocka_unit_test(mtime_can_be_set_back_and_in_halves),
        cmocka_unit_test(reset_sets_mtime_to_the_machines_time),
        cmocka_unit_test(harts_that_are_not_there_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
