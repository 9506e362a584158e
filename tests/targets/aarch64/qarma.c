/* The cipher of pointer authentication against the vector of its paper (R. Avanzi, ToSC 2017, appendix). */
#include "targets/aarch64/qarma.h"
#include "tests/test.h"

static void qarma64_gives_the_published_text(void **state)
{
    QarmaTweak tweak;
    QarmaKey key;
    uint64_t text;

    qarma64_prepare();
    qarma64_tweak(&tweak, UINT64_C(0x477d469dec0b8762));
    qarma64_key(&key, UINT64_C(0x84be85ce9804e94b), UINT64_C(0xec2802d4e0a488e9));
    text = qarma64(UINT64_C(0xfb623599da6e8127), &tweak, &key);

    assert_int_equal(text, UINT64_C(0xc003b93999b33765));
}

static void nothing_is_added_for_tweak_0(void **state)
{
    const QarmaTweak zero = { 0 };
    QarmaTweak tweak;

    qarma64_prepare();
    qarma64_tweak(&tweak, 0);

    assert_memory_equal(&tweak, &zero, sizeof(tweak));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qarma64_gives_the_published_text),
        cmocka_unit_test(nothing_is_added_for_tweak_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
