#include "tests/test.h"

#include <string.h>

#include "block/throttle.h"

#define NS INT64_C(1000000000)

static const BlockIo read_page = { .op = BLOCK_READ, .length = 4096 };
static const BlockIo write_page = { .op = BLOCK_WRITE, .length = 4096 };

/* How long the last of `count` requests waits that all come at once. */
static int64_t wait_of_last(Throttle *throttle, const BlockIo *io, unsigned count, int64_t now)
{
    int64_t wait = 0;

    for (unsigned i = 0; i < count; i++) {
        wait = throttle_book(throttle, io, now);
    }
    return wait;
}

static Throttle *new_throttle(DriveThrottle limits)
{
    Throttle *throttle = throttle_get(&limits, NULL);

    assert_non_null(throttle);
    return throttle;
}

static void requests_come_at_the_rate_in_the_long_run(void **state)
{
    Throttle *throttle = new_throttle((DriveThrottle){ .limits[LIMIT_REQUESTS] = { .rate = 100 } });

    assert_int_equal(wait_of_last(throttle, &read_page, 10, NS), 0);
    assert_in_range(wait_of_last(throttle, &read_page, 990, NS), 9.7 * NS, 9.9 * NS);
    throttle_unref(throttle);
}

static void bytes_are_counted_not_requests(void **state)
{
    Throttle *throttle = new_throttle(
        (DriveThrottle){ .limits[LIMIT_BYTES + LIMIT_WRITE] = { .rate = 4096 * 10 } });

    assert_in_range(wait_of_last(throttle, &write_page, 101, NS), 9.8 * NS, 10 * NS);
    assert_int_equal(wait_of_last(throttle, &read_page, 1000, NS), 0);
    throttle_unref(throttle);
}

static void a_burst_may_be_faster_for_a_while(void **state)
{
    Throttle *throttle = new_throttle((DriveThrottle){
        .limits[LIMIT_REQUESTS] = { .rate = 10, .burst = 1000, .burst_ns = 2 * NS } });

    /* 2000 requests at 1000 a second, then 10 a second. */
    assert_in_range(wait_of_last(throttle, &read_page, 2000, NS), 1.8 * NS, 2 * NS);
    assert_in_range(wait_of_last(throttle, &read_page, 100, NS), 9 * NS, 11 * NS);
    throttle_unref(throttle);
}

static void a_large_request_counts_as_several(void **state)
{
    BlockIo large = { .op = BLOCK_WRITE, .length = 10 * 4096 };
    Throttle *throttle = new_throttle(
        (DriveThrottle){ .limits[LIMIT_REQUESTS] = { .rate = 10 }, .request_size = 4096 });

    assert_in_range(wait_of_last(throttle, &large, 11, NS), 9.8 * NS, 10 * NS);
    throttle_unref(throttle);
}

static void a_group_shares_its_limits_and_has_them_once(void **state)
{
    DriveThrottle limits = { .group.text = "slow", .limits[LIMIT_REQUESTS] = { .rate = 10 } };
    DriveThrottle member = { .group.text = "slow" };
    DriveThrottle other = { .group.text = "slow", .limits[LIMIT_REQUESTS] = { .rate = 20 } };
    Throttle *one = new_throttle(limits), *two = new_throttle(member);
    g_autoptr(GError) error = NULL;

    assert_ptr_equal(one, two);
    assert_null(throttle_get(&other, &error));
    assert_non_null(strstr(error->message, "`slow` has other limits"));
    throttle_unref(one);
    throttle_unref(two);

    throttle_unref(new_throttle(other)); /* all have left: a new group */
}

static void time_that_passes_is_credited(void **state)
{
    Throttle *throttle = new_throttle((DriveThrottle){ .limits[LIMIT_REQUESTS] = { .rate = 10 } });

    assert_in_range(wait_of_last(throttle, &read_page, 12, NS), 0.9 * NS, 1.1 * NS);
    assert_int_equal(wait_of_last(throttle, &read_page, 1, 3 * NS), 0);
    throttle_unref(throttle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_come_at_the_rate_in_the_long_run),
        cmocka_unit_test(bytes_are_counted_not_requests),
        cmocka_unit_test(a_burst_may_be_faster_for_a_while),
        cmocka_unit_test(a_large_request_counts_as_several),
        cmocka_unit_test(a_group_shares_its_limits_and_has_them_once),
        cmocka_unit_test(time_that_passes_is_credited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
