#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "core/coroutine.h"

static void append_twice(void *data)
{
    GString *log = data;

    g_string_append(log, "a");
    coroutine_yield();
    g_string_append(log, "b");
}

static void a_coroutine_goes_on_where_it_yielded(void **state)
{
    GString *log = g_string_new(NULL);
    Coroutine *co = coroutine_new(append_twice, log);

    g_string_append(log, "0");
    coroutine_enter(co);
    g_string_append(log, "1");
    coroutine_enter(co);
    g_string_append(log, "2");

    assert_string_equal(log->str, "0a1b2");
    g_string_free(log, true);
}

typedef struct Nest {
    Coroutine *inner;
    Coroutine *seen[3];
} Nest;

static void inner_main(void *data)
{
    Nest *nest = data;

    nest->seen[1] = coroutine_self();
}

static void outer_main(void *data)
{
    Nest *nest = data;

    nest->seen[0] = coroutine_self();
    nest->inner = coroutine_new(inner_main, nest);
    coroutine_enter(nest->inner);
    nest->seen[2] = coroutine_self();
}

static void one_coroutine_can_enter_another(void **state)
{
    Nest nest = { 0 };
    Coroutine *outer = coroutine_new(outer_main, &nest);

    assert_null(coroutine_self());
    coroutine_enter(outer);

    assert_null(coroutine_self());
    assert_ptr_equal(nest.seen[0], outer);
    assert_ptr_equal(nest.seen[1], nest.inner);
    assert_ptr_equal(nest.seen[2], outer);
}

static void count_down(void *data)
{
    unsigned *left = data;

    while (*left > 0) {
        --*left;
        coroutine_yield();
    }
}

static void many_can_wait_at_once(void **state)
{
    enum { COUNT = 300, ROUNDS = 5 };
    Coroutine *co[COUNT];
    unsigned left[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        left[i] = ROUNDS;
        co[i] = coroutine_new(count_down, &left[i]);
    }
    for (unsigned round = 0; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            coroutine_enter(co[i]);
        }
    }

    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(left[i], 0);
    }
}

static void use_stack(void *data)
{
    volatile char deep[COROUTINE_STACK / 2];
    double *result = data;

    memset((void *)deep, 1, sizeof(deep));
    coroutine_yield();
    *result = deep[sizeof(deep) - 1] * 1.5;
}

static void the_stack_is_as_large_as_promised(void **state)
{
    double result = 0;
    Coroutine *co = coroutine_new(use_stack, &result);

    coroutine_enter(co);
    coroutine_enter(co);

    assert_true(result == 1.5);
}

static void *run_on_a_thread(void *data)
{
    many_can_wait_at_once(NULL);
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    GThread *threads[4];

    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("co", run_on_a_thread, NULL);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        assert_null(g_thread_join(threads[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coroutine_goes_on_where_it_yielded),
        cmocka_unit_test(one_coroutine_can_enter_another),
        cmocka_unit_test(many_can_wait_at_once),
        cmocka_unit_test(the_stack_is_as_large_as_promised),
        cmocka_unit_test(each_thread_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
