#include "tests/test.h"

#include <string.h>

#include "config/format.h"

static void assert_format(const char *text, const char *expected)
{
    g_autofree char *once = format_text(text), *twice = format_text(once);

    assert_string_equal(once, expected);
    assert_string_equal(twice, expected);
}

static void blanks_follow_the_one_layout(void **state)
{
    assert_format(
        "a:   1   \nb: {c:  2,d: [ 3,4 ]}\ne : {}\n", "a: 1\nb: { c: 2, d: [3, 4] }\ne: {}\n");
}

static void maps_and_lists_are_indented_by_two(void **state)
{
    assert_format("a:\n    b:\n         c: 1\nd:\n- 1\n-   e: 2\n    f: 3\n",
        "a:\n  b:\n    c: 1\nd:\n  - 1\n  - e: 2\n    f: 3\n");
    assert_format("-  - 1\n   - 2\n-\n    a: 1\n", "- - 1\n  - 2\n-\n  a: 1\n");
}

static void empty_lines_stay_single(void **state)
{
    assert_format("\n\na: 1\n\n\n  \nb: 2\n\n", "a: 1\n\nb: 2\n");
    assert_format("a: 1", "a: 1\n");
}

static void comments_move_with_what_they_stand_beside(void **state)
{
    assert_format(
        "# head\na:\n    # of b\n    b: 1 # beside  \n    # end of a\n# of c\nc: 2\n# end\n",
        "# head\na:\n  # of b\n  b: 1 # beside\n  # end of a\n# of c\nc: 2\n# end\n");
    assert_format(
        "a:   1   # one\n\n\n# between\n\nb: 2\n", "a: 1     # one\n\n# between\n\nb: 2\n");
}

static void values_in_a_column_stay_there(void **state)
{
    assert_format("a:     1\nlong:  2\nb: 3\nx:    4\n", "a:     1\nlong:  2\nb: 3\nx: 4\n");
}

static void texts_of_many_lines_keep_what_they_say(void **state)
{
    assert_format(
        "a:\n    b: |\n            one\n              two\n\n            three\n    c: 1\n",
        "a:\n  b: |\n    one\n      two\n\n    three\n  c: 1\n");
    assert_format("a:\n    b: |2\n        one\n    c: 'x\n         y'\n",
        "a:\n  b: |2\n      one\n  c: 'x\n       y'\n");
    assert_format("a: |+\n  one\n\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n");
}

static void line_ends_and_a_byte_order_mark_stay(void **state)
{
    assert_format("\xef\xbb\xbf"
                  "a:  1\r\nb:\r\n    c: 2\r\n",
        "\xef\xbb\xbf"
        "a: 1\r\nb:\r\n  c: 2\r\n");
    assert_format("a:  1\r\nb: 2", "a: 1\r\nb: 2\r\n");
}

static void what_is_not_yaml_is_left_alone(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("m.yaml", "a: [1\n", -1, diag);

    assert_null(format_yaml(source, diag));
    assert_int_equal(diag_errors(diag), 1);
}

/* A text of tokens that may or may not be YAML; what is, has one layout after the first time. */
static char *random_text(GRand *random)
{
    static const char *const tokens[] = { "a", "b: ", "c:\n", "\n", "\n  ", "\n    ", "- ", "\n- ",
        "{", "}", "[", "]", ", ", ": ", "# note\n", "'q'", "\"d\\n\"", "|\n  text\n",
        ">-\n    fold\n\n", "&x ", "*x", "? ", "\t", "\r\n", "   ", "\xc3\xa9", "1", "|2+\n",
        "---\n", "~" };
    GString *text = g_string_new(NULL);

    for (unsigned i = g_rand_int_range(random, 1, 24); i > 0; i--) {
        g_string_append(text, tokens[g_rand_int_range(random, 0, G_N_ELEMENTS(tokens))]);
    }
    return g_string_free(text, false);
}

static void random_texts_have_one_layout(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(2026);
    unsigned accepted = 0;

    for (unsigned i = 0; i < 20000; i++) {
        g_autoptr(Diag) diag = diag_new();
        g_autofree char *text = random_text(random);
        g_autoptr(Source) source = source_from_text("random", text, -1, diag);
        g_autofree char *once = format_yaml(source, diag), *twice = once ? format_text(once) : NULL;

        if (once && strcmp(once, twice) != 0) {
            fail_msg("<<<%s>>> becomes <<<%s>>>, then <<<%s>>>", text, once, twice);
        }
        accepted += once != NULL;
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_follow_the_one_layout),
        cmocka_unit_test(maps_and_lists_are_indented_by_two),
        cmocka_unit_test(empty_lines_stay_single),
        cmocka_unit_test(comments_move_with_what_they_stand_beside),
        cmocka_unit_test(values_in_a_column_stay_there),
        cmocka_unit_test(texts_of_many_lines_keep_what_they_say),
        cmocka_unit_test(line_ends_and_a_byte_order_mark_stay),
        cmocka_unit_test(what_is_not_yaml_is_left_alone),
        cmocka_unit_test(random_texts_have_one_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
