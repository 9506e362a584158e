#include "tests/test.h"

#include "block/epochs.h"

static void a_write_is_covered_by_a_flush_that_began_after_it_ended(void **state)
{
    FlushEpochs epochs = { 0 };
    uint64_t write = epochs_write_done(&epochs, 512);
    Flush flush = epochs_flush_begin(&epochs);

    assert_false(epochs_covered(&epochs, write));
    epochs_flush_done(&epochs, flush, true);
    assert_true(epochs_covered(&epochs, write));
    assert_int_equal(epochs.covered, 512);
}

static void a_write_that_ends_during_a_flush_is_not_covered_by_it(void **state)
{
    FlushEpochs epochs = { 0 };
    Flush flush = epochs_flush_begin(&epochs);
    uint64_t write = epochs_write_done(&epochs, 512);

    epochs_flush_done(&epochs, flush, true);
    assert_false(epochs_covered(&epochs, write));
    assert_int_equal(epochs.written - epochs.covered, 512);
}

static void flushes_may_end_in_any_order(void **state)
{
    FlushEpochs epochs = { 0 };
    uint64_t early = epochs_write_done(&epochs, 1);
    Flush first = epochs_flush_begin(&epochs);
    uint64_t late = epochs_write_done(&epochs, 1);
    Flush second = epochs_flush_begin(&epochs);

    epochs_flush_done(&epochs, second, true);
    assert_true(epochs_covered(&epochs, early));
    assert_true(epochs_covered(&epochs, late));
    epochs_flush_done(&epochs, first, true);
    assert_true(epochs_covered(&epochs, late));
    assert_int_equal(epochs.covered, 2);
}

static void what_a_failed_flush_should_have_covered_stays_in_doubt(void **state)
{
    FlushEpochs epochs = { 0 };
    uint64_t lost = epochs_write_done(&epochs, 1);
    uint64_t kept;

    epochs_flush_done(&epochs, epochs_flush_begin(&epochs), false);
    kept = epochs_write_done(&epochs, 1);
    epochs_flush_done(&epochs, epochs_flush_begin(&epochs), true);

    assert_false(epochs_covered(&epochs, lost));
    assert_true(epochs_covered(&epochs, kept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_is_covered_by_a_flush_that_began_after_it_ended),
        cmocka_unit_test(a_write_that_ends_during_a_flush_is_not_covered_by_it),
        cmocka_unit_test(flushes_may_end_in_any_order),
        cmocka_unit_test(what_a_failed_flush_should_have_covered_stays_in_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
