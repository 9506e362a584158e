#include "tests/test.h"

#include <glib.h>

#include "block/ranges.h"

/* A coroutine that holds a range until it is entered again, and notes both in a log. */
typedef struct Holder {
    Ranges *ranges;
    GString *log;
    uint64_t from, to;
    bool shared;
    char name;
    Coroutine *co;
} Holder;

static void hold(void *data)
{
    Holder *h = data;
    Range range;

    if (h->shared) {
        ranges_lock_shared(h->ranges, &range, h->from, h->to);
    } else {
        ranges_lock(h->ranges, &range, h->from, h->to);
    }
    g_string_append_c(h->log, h->name);
    coroutine_yield();
    ranges_unlock(h->ranges, &range);
}

static void start(Holder *h)
{
    h->co = coroutine_new(hold, h);
    coroutine_enter(h->co);
}

static void overlapping_ranges_take_turns_in_order(void **state)
{
    Ranges ranges = { 0 };
    g_autoptr(GString) log = g_string_new(NULL);
    Holder a = { &ranges, log, 0, 10, false, 'a', NULL };
    Holder b = { &ranges, log, 5, 15, false, 'b', NULL };
    Holder c = { &ranges, log, 8, 9, false, 'c', NULL };

    start(&a);
    start(&b);
    start(&c);
    assert_string_equal(log->str, "a");
    coroutine_enter(a.co);
    assert_string_equal(log->str, "ab");
    coroutine_enter(b.co);
    assert_string_equal(log->str, "abc");
    coroutine_enter(c.co);
    assert_null(ranges.newest);
}

static void ranges_side_by_side_do_not_wait(void **state)
{
    Ranges ranges = { 0 };
    g_autoptr(GString) log = g_string_new(NULL);
    Holder a = { &ranges, log, 0, 10, false, 'a', NULL };
    Holder b = { &ranges, log, 10, 20, false, 'b', NULL };

    start(&a);
    start(&b);
    assert_string_equal(log->str, "ab");
    coroutine_enter(b.co);
    coroutine_enter(a.co);
    assert_null(ranges.newest);
}

static void those_that_share_wait_only_for_one_that_does_not(void **state)
{
    Ranges ranges = { 0 };
    g_autoptr(GString) log = g_string_new(NULL);
    Holder a = { &ranges, log, 0, 10, true, 'a', NULL };
    Holder b = { &ranges, log, 0, 10, true, 'b', NULL };
    Holder alone = { &ranges, log, 0, 10, false, 'X', NULL };
    Holder c = { &ranges, log, 0, 10, true, 'c', NULL };

    start(&a);
    start(&b);
    start(&alone);
    start(&c);
    assert_string_equal(log->str, "ab");
    coroutine_enter(a.co);
    coroutine_enter(b.co);
    assert_string_equal(log->str, "abX");
    coroutine_enter(alone.co);
    assert_string_equal(log->str, "abXc");
    coroutine_enter(c.co);
    assert_null(ranges.newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlapping_ranges_take_turns_in_order),
        cmocka_unit_test(ranges_side_by_side_do_not_wait),
        cmocka_unit_test(those_that_share_wait_only_for_one_that_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
