/*
 * The cipher of pointer authentication against the vector of its paper (R. Avanzi, ToSC 2017, appendix), and its form
 * for this host against the one for every host.
 */
#include "targets/aarch64/qarma.h"

#include <string.h>

#include "tests/tcg/vectors.h"
#include "tests/test.h"

static const uint64_t paper_key[2] = { UINT64_C(0xec2802d4e0a488e9), UINT64_C(0x84be85ce9804e94b) };
static const uint64_t paper_tweak = UINT64_C(0x477d469dec0b8762);
static const uint64_t paper_text = UINT64_C(0xfb623599da6e8127);
static const uint64_t paper_code = UINT64_C(0xc003b93999b33765);

static void qarma64_gives_the_published_text(void **state)
{
    qarma64_prepare();

    assert_int_equal(qarma64(paper_text, paper_tweak, paper_key), paper_code);
    assert_int_equal(qarma64_plain(paper_text, paper_tweak, paper_key), paper_code);
}

static void the_form_for_this_host_is_the_same_cipher(void **state)
{
    Random random = { 1 };

    qarma64_prepare();
    for (unsigned n = 0; n < 10000; n++) {
        uint64_t key[2] = { random_next(&random), random_next(&random) };
        uint64_t text = random_next(&random), tweak = random_next(&random);

        assert_int_equal(qarma64(text, tweak, key), qarma64_plain(text, tweak, key));
    }
}

#ifdef __x86_64__
#define EACH_VECTOR(DO)                                                                            \
    DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) \
    DO(15)
#define CLOBBERED(n) , "xmm" #n
#define LOAD(n) "movups 16*" #n "(%0), %%xmm" #n "\n"
#define STORE(n) "movups %%xmm" #n ", 16*" #n "(%0)\n"

/* Generated code has guest registers there. */
static void vector_registers_stay_as_they_are(void **state)
{
    uint8_t before[16][16], after[16][16];
    uint64_t (*volatile call)(uint64_t, uint64_t, const uint64_t *) = qarma64;
    const uint64_t *key = paper_key;
    uint64_t code;

    qarma64_prepare();
    for (unsigned n = 0; n < sizeof(before); n++) {
        before[n / 16][n % 16] = (uint8_t)(n * 7 + 1);
    }
    __asm__ volatile(EACH_VECTOR(LOAD)::"r"(before) : "memory" EACH_VECTOR(CLOBBERED));
    code = call(paper_text, paper_tweak, key);
    __asm__ volatile(EACH_VECTOR(STORE)::"r"(after) : "memory");

    assert_int_equal(code, paper_code);
    assert_memory_equal(after, before, sizeof(before));
}
#else
static void vector_registers_stay_as_they_are(void **state)
{
    print_message("skipped: generated code keeps guest registers in vector registers on x86-64 only\n");
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qarma64_gives_the_published_text),
        cmocka_unit_test(the_form_for_this_host_is_the_same_cipher),
        cmocka_unit_test(vector_registers_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
