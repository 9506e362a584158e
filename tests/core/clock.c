#include "tests/test.h"

#include "core/clock.h"
#include "core/loop.h"

typedef struct Note {
    Clock *clock;
    Timer *timer;
    unsigned count;
    int64_t last;
    int64_t again_after; /* sets itself again */
} Note;

static void note(void *data)
{
    Note *n = data;

    n->count++;
    n->last = clock_now(n->clock);
    if (n->again_after) {
        timer_set(n->timer, n->last + n->again_after);
    }
}

static void note_and_quit(void *data)
{
    note(data);
    loop_quit(0);
}

static void a_stepped_clock_calls_each_timer_at_its_time(void **state)
{
    g_autoptr(Clock) clock = clock_new_stepped();
    Note late = { .clock = clock }, early = { .clock = clock };
    g_autoptr(Timer) one = timer_new(clock, note, &late);
    g_autoptr(Timer) two = timer_new(clock, note, &early);

    timer_set(one, 300);
    timer_set(two, 100);
    clock_step(clock, 99);
    assert_int_equal(early.count, 0);
    clock_step(clock, 1);
    assert_int_equal(early.count, 1);
    clock_step(clock, 1000);
    assert_int_equal(late.last, 300);
    assert_int_equal(clock_now(clock), 1100);
}

static void a_periodic_timer_fires_once_for_each_period(void **state)
{
    g_autoptr(Clock) clock = clock_new_stepped();
    Note n = { .clock = clock, .again_after = 10 };
    g_autoptr(Timer) timer = timer_new(clock, note, &n);

    n.timer = timer;
    timer_set(timer, 10);
    clock_step(clock, 105);
    assert_int_equal(n.count, 10);
    assert_int_equal(timer_deadline(timer), 110);
}

static void a_timer_that_sets_itself_in_the_past_does_not_hang(void **state)
{
    g_autoptr(Clock) clock = clock_new_stepped();
    Note n = { .clock = clock, .again_after = -50 };
    g_autoptr(Timer) timer = timer_new(clock, note, &n);

    n.timer = timer;
    timer_set(timer, 0);
    clock_step(clock, 100);
    assert_in_range(n.count, 1, 101);
}

static void a_cancelled_timer_is_silent(void **state)
{
    g_autoptr(Clock) clock = clock_new_stepped();
    Note n = { .clock = clock };
    g_autoptr(Timer) timer = timer_new(clock, note, &n);

    timer_set(timer, 10);
    assert_true(timer_pending(timer));
    timer_cancel(timer);
    clock_step(clock, 100);
    assert_int_equal(n.count, 0);
    assert_false(timer_pending(timer));
}

static void a_paused_clock_stands_still(void **state)
{
    g_autoptr(Clock) clock = clock_new();
    int64_t now = clock_now(clock);

    assert_int_equal(now, 0);
    clock_resume(clock);
    while (clock_now(clock) == now) {}
    clock_pause(clock);
    now = clock_now(clock);
    for (int64_t until = clock_host_ns() + 100000; clock_host_ns() < until;) {}
    assert_int_equal(clock_now(clock), now);
}

static void timers_of_a_running_clock_are_never_early(void **state)
{
    g_autoptr(Clock) clock = clock_new();
    Note n = { .clock = clock };
    g_autoptr(Timer) timer = timer_new(clock, note_and_quit, &n);
    int64_t at = 2000000;

    timer_set(timer, at);
    clock_resume(clock);
    assert_int_equal(loop_run(), 0);
    assert_true(n.last >= at);
    assert_int_equal(n.count, 1);
}

static void a_timer_moved_forward_fires_at_the_earlier_time(void **state)
{
    g_autoptr(Clock) clock = clock_new();
    Note n = { .clock = clock };
    g_autoptr(Timer) timer = timer_new(clock, note_and_quit, &n);

    clock_resume(clock);
    timer_set(timer, INT64_MAX - 1);
    timer_set(timer, clock_now(clock) + 1000000);
    loop_run();
    assert_true(n.last < 3600 * NS_PER_SECOND);
}

static void ticks_and_nanoseconds_convert_both_ways(void **state)
{
    assert_int_equal(clock_ns_to_ticks(NS_PER_SECOND * 1000000 + 150, 10000000),
        INT64_C(10000000) * 1000000 + 1);
    assert_int_equal(clock_ticks_to_ns(1, 3), 333333334);
    assert_int_equal(
        clock_ns_to_ticks(clock_ticks_to_ns(12345678901, 24000000), 24000000), 12345678901);
    assert_true(clock_ticks_to_ns(UINT64_MAX, 10000000) == INT64_MAX);
    assert_true(clock_ticks_to_ns(1, 0) == INT64_MAX);
}

static void a_slow_clock_passes_less_time_than_the_host(void **state)
{
    g_autoptr(Clock) clock = clock_new();
    Note n = { .clock = clock };
    g_autoptr(Timer) timer = timer_new(clock, note_and_quit, &n);
    int64_t began = clock_host_ns();

    clock_slow_down(clock, 6);
    clock_resume(clock);
    timer_set(timer, 1000000); /* 64 ms of the host's */
    loop_run();
    clock_pause(clock);

    assert_int_equal(n.count, 1);
    assert_in_range(n.last, 1000000, (clock_host_ns() - began) / 64 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_clock_passes_less_time_than_the_host),
        cmocka_unit_test(a_stepped_clock_calls_each_timer_at_its_time),
        cmocka_unit_test(a_periodic_timer_fires_once_for_each_period),
        cmocka_unit_test(a_timer_that_sets_itself_in_the_past_does_not_hang),
        cmocka_unit_test(a_cancelled_timer_is_silent),
        cmocka_unit_test(a_paused_clock_stands_still),
        cmocka_unit_test(timers_of_a_running_clock_are_never_early),
        cmocka_unit_test(a_timer_moved_forward_fires_at_the_earlier_time),
        cmocka_unit_test(ticks_and_nanoseconds_convert_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
