#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "ui/panic.h"

static void feed(PanicWatch *watch, const char *text)
{
    panic_watch_feed(watch, (const uint8_t *)text, strlen(text));
}

static void a_panic_is_noticed_across_pieces_and_after_a_time_stamp(void **state)
{
    g_autoptr(PanicWatch) watch = panic_watch_new();

    feed(watch, "[    1.0] Run /init\r\n[    1.008844] Kernel panic - not");
    assert_null(panic_watch_message(watch));
    feed(watch, " syncing: No working init found.\r\n[ 1.1] CPU: 0\n");

    assert_string_equal(panic_watch_message(watch), "Kernel panic - not syncing: No working init found.");
}

static void a_line_that_only_speaks_of_a_panic_is_not_one(void **state)
{
    g_autoptr(PanicWatch) watch = panic_watch_new();

    feed(watch, "echo Kernel panic - not syncing\nCommand line: panic=-1\n---[ end Kernel panic - not syncing: x ]---\n");

    assert_null(panic_watch_message(watch));
}

static void an_endless_line_takes_no_memory(void **state)
{
    g_autoptr(PanicWatch) watch = panic_watch_new();

    for (unsigned i = 0; i < 100000; i++) {
        feed(watch, "aaaaaaaaaaaaaaaa");
    }
    feed(watch, "\npanic: here\n");

    assert_string_equal(panic_watch_message(watch), "panic: here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_panic_is_noticed_across_pieces_and_after_a_time_stamp),
        cmocka_unit_test(a_line_that_only_speaks_of_a_panic_is_not_one),
        cmocka_unit_test(an_endless_line_takes_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
