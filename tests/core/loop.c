#include "tests/test.h"

#include <pthread.h>
#include <unistd.h>

#include "core/futex.h"
#include "core/line.h"
#include "core/loop.h"

static GString *order;

static void say(void *data)
{
    assert_true(machine_lock_held());
    g_string_append(order, data);
    if (g_str_equal(data, "end")) {
        loop_quit(7);
    }
}

static void *call_from_elsewhere(void *data)
{
    assert_false(machine_lock_held());
    loop_call(say, "one ");
    loop_call(say, "two ");
    loop_call(say, "end");
    return NULL;
}

static void calls_from_a_thread_come_in_order_and_with_the_lock(void **state)
{
    pthread_t thread;

    order = g_string_new(NULL);
    pthread_create(&thread, NULL, call_from_elsewhere, NULL);
    assert_int_equal(loop_run(), 7);
    pthread_join(thread, NULL);
    assert_string_equal(order->str, "one two end");
    g_string_free(order, true);
}

static void *take_the_lock_and_quit(void *data)
{
    machine_lock();
    loop_quit(3);
    machine_unlock();
    return NULL;
}

static void the_lock_is_free_while_the_loop_waits(void **state)
{
    pthread_t thread;

    pthread_create(&thread, NULL, take_the_lock_and_quit, NULL);
    assert_int_equal(loop_run(), 3);
    pthread_join(thread, NULL);
    assert_false(machine_lock_held());
}

static void take_byte(void *data, int fd, GIOCondition ready)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 1);
    (*(unsigned *)data)++;
}

static void *sleep_until_woken(void *data)
{
    _Atomic uint32_t *word = data;

    while (atomic_load(word) == 0) {
        futex_wait(word, 0, NULL);
    }
    return NULL;
}

/* With the lock and without it; more of them than are kept until it is given back. */
static void who_sleeps_is_woken_when_the_lock_is_given_back(void **state)
{
    enum { SLEEPERS = 20 };

    for (unsigned locked = 0; locked < 2; locked++) {
        _Atomic uint32_t words[SLEEPERS] = { 0 };
        pthread_t threads[SLEEPERS];

        for (unsigned i = 0; i < SLEEPERS; i++) {
            pthread_create(&threads[i], NULL, sleep_until_woken, &words[i]);
        }
        if (locked) {
            machine_lock();
        }
        for (unsigned i = 0; i < SLEEPERS; i++) {
            atomic_store(&words[i], 1);
            machine_wake(&words[i]);
        }
        if (locked) {
            machine_unlock();
        }
        for (unsigned i = 0; i < SLEEPERS; i++) {
            pthread_join(threads[i], NULL);
        }
    }
}

static void a_watch_is_called_only_while_it_asks(void **state)
{
    unsigned count = 0;
    int fds[2];
    LoopWatch *watch;

    assert_int_equal(pipe(fds), 0);
    watch = loop_watch(fds[0], G_IO_IN, take_byte, &count);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    loop_poll();
    assert_int_equal(count, 1);
    loop_watch_set(watch, 0);
    loop_poll();
    assert_int_equal(count, 1);
    loop_watch_set(watch, G_IO_IN);
    loop_poll();
    assert_int_equal(count, 2);
    loop_unwatch(watch);
    close(fds[0]);
    close(fds[1]);
}

/* ---- lines ---- */

static unsigned changes;
static bool last_level;

static void see_level(void *owner, unsigned index, bool level)
{
    assert_int_equal(index, 5);
    changes++;
    last_level = level;
}

static void a_line_tells_changes_only(void **state)
{
    g_autoptr(Line) line = line_new(see_level, NULL, 5);

    changes = 0;
    line_set(line, false);
    line_set(line, true);
    line_set(line, true);
    line_set(NULL, true);
    assert_int_equal(changes, 1);
    assert_true(line_level(line));
}

static void an_or_is_high_until_its_last_input_falls(void **state)
{
    g_autoptr(Line) line = line_new(see_level, NULL, 5);
    g_autoptr(LineOr) gate = line_or_new(line);
    Line *a = line_or_input(gate), *b = line_or_input(gate);

    changes = 0;
    line_set(a, true);
    line_set(b, true);
    line_set(a, false);
    assert_true(last_level);
    line_set(b, false);
    assert_false(last_level);
    assert_int_equal(changes, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_from_a_thread_come_in_order_and_with_the_lock),
        cmocka_unit_test(the_lock_is_free_while_the_loop_waits),
        cmocka_unit_test(who_sleeps_is_woken_when_the_lock_is_given_back),
        cmocka_unit_test(a_watch_is_called_only_while_it_asks),
        cmocka_unit_test(a_line_tells_changes_only),
        cmocka_unit_test(an_or_is_high_until_its_last_input_falls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
