#include "tests/test.h"

#include "config/suggest.h"

static const char *nearest(const char *word, const char *const *words)
{
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();

    for (; *words; words++) {
        g_ptr_array_add(candidates, (gpointer)*words);
    }
    return suggest(word, candidates);
}

static void distance_counts_adding_dropping_changing_and_swapping(void **state)
{
    assert_int_equal(suggest_distance("cache", "cache"), 0);
    assert_int_equal(suggest_distance("chache", "cache"), 1);
    assert_int_equal(suggest_distance("cahce", "cache"), 1);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static void the_nearest_word_is_suggested(void **state)
{
    static const char *const words[] = { "memory", "model", "cache", "count", NULL };

    assert_string_equal(nearest("memroy", words), "memory");
    assert_string_equal(nearest("cout", words), "count");
}

static void a_word_far_from_all_is_not_explained(void **state)
{
    static const char *const words[] = { "at", "irq", "memory", NULL };

    assert_null(nearest("colour", words));
    assert_null(nearest("xy", words));
    assert_null(
        nearest("interrupts-of-a-length-that-no-key-ever-has-in-any-schema-of-lathe-x", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_adding_dropping_changing_and_swapping),
        cmocka_unit_test(the_nearest_word_is_suggested),
        cmocka_unit_test(a_word_far_from_all_is_not_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
