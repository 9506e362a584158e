#include "tests/test.h"

#include <glib.h>

#include "config/units.h"

static void a_number_and_a_unit_make_a_quantity(void **state)
{
    uint64_t value;

    assert_true(units_parse(UNIT_BYTES, "64KiB", &value));
    assert_int_equal(value, 65536);
    assert_true(units_parse(UNIT_TIME, "250ms", &value));
    assert_int_equal(value, 250000000);
    assert_true(units_parse(UNIT_RATE, "10MHz", &value));
    assert_int_equal(value, 10000000);
}

static void another_kinds_unit_is_refused(void **state)
{
    uint64_t value;

    assert_false(units_parse(UNIT_BYTES, "64MHz", &value));
    assert_false(units_parse(UNIT_TIME, "64KiB", &value));
    assert_false(units_parse(UNIT_BYTES, "64", &value));
    assert_false(units_parse(UNIT_BYTES, "-1KiB", &value));
    assert_false(units_parse(UNIT_BYTES, "1GiB ", &value));
}

static void more_than_64_bits_are_refused(void **state)
{
    uint64_t value;

    assert_true(units_parse(UNIT_BYTES, "16777215TiB", &value));
    assert_false(units_parse(UNIT_BYTES, "16777216TiB", &value));
    assert_false(units_parse(UNIT_BYTES, "18446744073709551615KiB", &value));
}

static void what_people_write_instead_is_understood(void **state)
{
    static const struct {
        UnitKind kind;
        const char *text, *better;
    } cases[] = {
        { UNIT_BYTES, "1G", "1GiB" },
        { UNIT_BYTES, "10 MB", "10MiB" },
        { UNIT_BYTES, "512", "512MiB" },
        { UNIT_TIME, "30", "30s" },
        { UNIT_TIME, "5min", "5m" },
        { UNIT_RATE, "24mhz", "24MHz" },
        { UNIT_BYTES, "1.5GiB", "1536MiB" },
        { UNIT_BYTES, "0.5g", "512MiB" },
        { UNIT_TIME, "1.5m", "90s" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *better = units_suggest(cases[i].kind, cases[i].text);

        assert_string_equal(better, cases[i].better);
    }
    assert_null(units_suggest(UNIT_BYTES, "lots"));
    assert_null(units_suggest(UNIT_BYTES, "1.5"));
    assert_null(units_suggest(UNIT_BYTES, "99999999999.5GiB"));
    assert_null(units_suggest(UNIT_BYTES, "3 parsecs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_and_a_unit_make_a_quantity),
        cmocka_unit_test(another_kinds_unit_is_refused),
        cmocka_unit_test(more_than_64_bits_are_refused),
        cmocka_unit_test(what_people_write_instead_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
