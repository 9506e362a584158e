/* The cipher of pointer authentication against the vector of its paper (R. Avanzi, ToSC 2017, appendix). */
#include "targets/aarch64/qarma.h"
#include "tests/test.h"

static void qarma64_gives_the_published_text(void **state)
{
    uint64_t text;

    qarma64_prepare();
    text = qarma64(UINT64_C(0xfb623599da6e8127), UINT64_C(0x477d469dec0b8762),
        UINT64_C(0x84be85ce9804e94b), UINT64_C(0xec2802d4e0a488e9));

    assert_int_equal(text, UINT64_C(0xc003b93999b33765));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qarma64_gives_the_published_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
