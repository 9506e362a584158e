#include "tests/bench.h"

enum { PRIORITY = 0x0, PENDING = 0x1000, ENABLE = 0x2000, ENABLE_STRIDE = 0x80 };
enum { THRESHOLD = 0x200000, CLAIM = 0x200004, CONTEXT_STRIDE = 0x1000 };
enum { IN_SEIP = 9, IN_MEIP = 11 };
enum { HART0_M, HART0_S, HART1_M, HART1_S };

static const char plic[] = "{type: riscv-plic}";

static void set_up(Bench *bench, unsigned context, unsigned source, unsigned priority)
{
    uint64_t enable = ENABLE + context * ENABLE_STRIDE + source / 32 * 4;

    bench_write(bench, 0, PRIORITY + source * 4, 4, priority);
    bench_write(bench, 0, enable, 4, bench_read(bench, 0, enable, 4) | UINT64_C(1) << source % 32);
}

static uint64_t claim(Bench *bench, unsigned context)
{
    return bench_read(bench, 0, CLAIM + context * CONTEXT_STRIDE, 4);
}

static void complete(Bench *bench, unsigned context, unsigned source)
{
    bench_write(bench, 0, CLAIM + context * CONTEXT_STRIDE, 4, source);
}

static void a_source_reaches_the_context_that_enabled_it(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART1_S, 10, 1);
    bench_set_input(bench, "line", 10, true);
    assert_true(bench_cpu_input(bench, 1, IN_SEIP));
    assert_false(bench_cpu_input(bench, 1, IN_MEIP));
    assert_false(bench_cpu_input(bench, 0, IN_SEIP));
    assert_int_equal(bench_read(bench, 0, PENDING, 4), 1 << 10);
}

static void a_claim_gives_the_highest_priority_then_the_lowest_source(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_S, 40, 3);
    set_up(bench, HART0_S, 95, 7);
    set_up(bench, HART0_S, 7, 3);
    bench_set_input(bench, "line", 40, true);
    bench_set_input(bench, "line", 95, true);
    bench_set_input(bench, "line", 7, true);
    assert_int_equal(claim(bench, HART0_S), 95);
    assert_int_equal(claim(bench, HART0_S), 7);
    assert_int_equal(claim(bench, HART0_S), 40);
    assert_int_equal(claim(bench, HART0_S), 0);
    assert_false(bench_cpu_input(bench, 0, IN_SEIP));
}

static void a_level_that_stays_high_is_pending_again_after_completion(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_M, 1, 1);
    bench_set_input(bench, "line", 1, true);
    assert_int_equal(claim(bench, HART0_M), 1);
    assert_false(bench_cpu_input(bench, 0, IN_MEIP));
    complete(bench, HART0_M, 1);
    assert_true(bench_cpu_input(bench, 0, IN_MEIP));

    assert_int_equal(claim(bench, HART0_M), 1);
    bench_set_input(bench, "line", 1, false);
    complete(bench, HART0_M, 1);
    assert_false(bench_cpu_input(bench, 0, IN_MEIP));
}

static void threshold_masks_the_interrupt_but_not_the_claim(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_S, 5, 3);
    bench_write(bench, 0, THRESHOLD + HART0_S * CONTEXT_STRIDE, 4, 3);
    bench_set_input(bench, "line", 5, true);
    assert_false(bench_cpu_input(bench, 0, IN_SEIP));
    assert_int_equal(claim(bench, HART0_S), 5);
}

static void priority_0_never_interrupts(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_S, 5, 0);
    bench_set_input(bench, "line", 5, true);
    assert_false(bench_cpu_input(bench, 0, IN_SEIP));
    assert_int_equal(claim(bench, HART0_S), 0);
}

static void completing_what_is_not_enabled_is_ignored(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_S, 5, 1);
    bench_set_input(bench, "line", 5, true);
    claim(bench, HART0_S);
    complete(bench, HART0_M, 5);
    complete(bench, HART0_S, 4000000);
    assert_false(bench_cpu_input(bench, 0, IN_SEIP));
    complete(bench, HART0_S, 5);
    assert_true(bench_cpu_input(bench, 0, IN_SEIP));
}

static void contexts_and_sources_that_are_not_there_read_as_zero(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    bench_write(bench, 0, PRIORITY, 4, 7);
    bench_write(bench, 0, PRIORITY + 96 * 4, 4, 7);
    bench_write(bench, 0, ENABLE, 4, 0xffffffff);
    bench_write(bench, 0, ENABLE + 3 * 4, 4, 0xffffffff);
    bench_write(bench, 0, ENABLE + 2 * BENCH_CPUS * ENABLE_STRIDE, 4, 0xffffffff);
    bench_write(bench, 0, THRESHOLD + 2 * BENCH_CPUS * CONTEXT_STRIDE, 4, 1);
    assert_int_equal(bench_read(bench, 0, PRIORITY, 4), 0);
    assert_int_equal(bench_read(bench, 0, PRIORITY + 96 * 4, 4), 0);
    assert_int_equal(bench_read(bench, 0, ENABLE, 4), 0xfffffffe);
    assert_int_equal(bench_read(bench, 0, ENABLE + 3 * 4, 4), 0);
    assert_int_equal(bench_read(bench, 0, ENABLE + 2 * BENCH_CPUS * ENABLE_STRIDE, 4), 0);
    assert_int_equal(claim(bench, 2 * BENCH_CPUS), 0);
}

static void a_line_that_stayed_high_is_pending_after_reset(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_S, 9, 1);
    bench_set_input(bench, "line", 9, true);
    bench_reset(bench);
    assert_false(bench_cpu_input(bench, 0, IN_SEIP));
    assert_int_equal(bench_read(bench, 0, PENDING, 4), 1 << 9);
}

static void claims_survive_save_and_load(void **state)
{
    g_autoptr(Bench) bench = bench_new(plic);

    set_up(bench, HART0_S, 5, 1);
    set_up(bench, HART0_S, 6, 1);
    bench_set_input(bench, "line", 5, true);
    claim(bench, HART0_S);
    bench_set_input(bench, "line", 6, true);
    bench_save_and_load(bench);
    assert_true(bench_cpu_input(bench, 0, IN_SEIP));
    assert_int_equal(claim(bench, HART0_S), 6);
    complete(bench, HART0_S, 5);
    assert_int_equal(claim(bench, HART0_S), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_reaches_the_context_that_enabled_it),
        cmocka_unit_test(a_claim_gives_the_highest_priority_then_the_lowest_source),
        cmocka_unit_test(a_level_that_stays_high_is_pending_again_after_completion),
        cmocka_unit_test(threshold_masks_the_interrupt_but_not_the_claim),
        cmocka_unit_test(priority_0_never_interrupts),
        cmocka_unit_test(completing_what_is_not_enabled_is_ignored),
        cmocka_unit_test(contexts_and_sources_that_are_not_there_read_as_zero),
        cmocka_unit_test(a_line_that_stayed_high_is_pending_after_reset),
        cmocka_unit_test(claims_survive_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
