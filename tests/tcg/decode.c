/* The decoders that mkdecode made find what the tables say, for any word and any features. */
#include "targets/aarch64/insn.gen.h"
#include "targets/riscv/insn.gen.h"
#include "tests/tcg/decode-rule.h"
#include "tests/test.h"

enum { WORDS = 3000000 };

static void riscv_finds_the_row_of_its_table(void **state)
{
    assert_true(decode_keeps_rule(&rv_decode_table, WORDS));
}

static void aarch64_finds_the_row_of_its_table(void **state)
{
    assert_true(decode_keeps_rule(&a64_decode_table, WORDS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(riscv_finds_the_row_of_its_table),
        cmocka_unit_test(aarch64_finds_the_row_of_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
