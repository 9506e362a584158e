#include "tests/test.h"

#include <string.h>

#include "config/scalar.h"

static ScalarReading read_text(const char *text, Node *node)
{
    *node = (Node){ .scalar.text = text };
    return scalar_read(node);
}

static void numbers_have_their_values(void **state)
{
    static const struct {
        const char *text;
        uint64_t magnitude;
        bool negative;
    } cases[] = {
        { "0", 0, false },
        { "12", 12, false },
        { "-3", 3, true },
        { "+7", 7, false },
        { "0x1F", 31, false },
        { "18446744073709551615", UINT64_MAX, false },
    };
    Node node;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(read_text(cases[i].text, &node).verdict, SCALAR_CLEAR);
        assert_int_equal(node.kind, NODE_INT);
        assert_int_equal(node.scalar.magnitude, cases[i].magnitude);
        assert_int_equal(node.negative, cases[i].negative);
    }
}

static void what_both_versions_of_yaml_call_a_text_is_one(void **state)
{
    static const char *const texts[] = {
        "none",
        "1.0.0",
        "52:54:0a:12:34:56",
        "1GiB",
        "0x",
        "--",
        "~x",
        "truey",
        "-",
        ".",
        "2026-01",
        "10.0.0.1",
        "1.5GHz",
        "*",
        "nothing",
        "offset",
    };
    Node node;

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        ScalarReading reading = read_text(texts[i], &node);

        if (reading.verdict != SCALAR_CLEAR || node.kind != NODE_STRING) {
            fail_msg("`%s` is no text", texts[i]);
        }
    }
}

static void what_the_versions_read_differently_is_ambiguous(void **state)
{
    static const char *const texts[] = {
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "N",
        "0777",
        "08",
        "00",
        "0o17",
        "0b1",
        "1_000",
        "0x_ff",
        "-0x10",
        "22:22",
        "1:2:3.5",
        "1e3",
        "1.5e3",
        "2026-01-01",
        "2026-1-1 10:00:00",
        "1_0.5",
        "=",
    };
    Node node;

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (read_text(texts[i], &node).verdict != SCALAR_AMBIGUOUS) {
            fail_msg("`%s` is not ambiguous", texts[i]);
        }
    }
}

static void what_both_versions_call_nothing_or_a_truth_value_is_that(void **state)
{
    Node node;

    read_text("", &node);
    assert_int_equal(node.kind, NODE_NULL);
    read_text("~", &node);
    assert_int_equal(node.kind, NODE_NULL);
    read_text("True", &node);
    assert_int_equal(node.kind, NODE_BOOL);
    assert_true(node_is_true(&node));
    read_text("FALSE", &node);
    assert_int_equal(node.kind, NODE_BOOL);
    assert_false(node_is_true(&node));
}

static void fractions_have_their_values(void **state)
{
    Node node;

    assert_int_equal(read_text("-1.5", &node).verdict, SCALAR_CLEAR);
    assert_int_equal(node.kind, NODE_FLOAT);
    assert_float_equal(node.scalar.real, -1.5, 0);
    assert_int_equal(read_text("1.5e+3", &node).verdict, SCALAR_CLEAR);
    assert_float_equal(node.scalar.real, 1500, 0);
}

static void a_number_of_more_than_64_bits_is_too_large(void **state)
{
    Node node;

    assert_int_equal(read_text("18446744073709551616", &node).verdict, SCALAR_TOO_LARGE);
    assert_int_equal(read_text("0x10000000000000000", &node).verdict, SCALAR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_their_values),
        cmocka_unit_test(what_both_versions_of_yaml_call_a_text_is_one),
        cmocka_unit_test(what_the_versions_read_differently_is_ambiguous),
        cmocka_unit_test(what_both_versions_call_nothing_or_a_truth_value_is_that),
        cmocka_unit_test(fractions_have_their_values),
        cmocka_unit_test(a_number_of_more_than_64_bits_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
