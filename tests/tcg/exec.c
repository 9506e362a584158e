/* The CPU loop, links, the jump cache, exceptions, interrupts and code that changes, on both hosts. */
#include "tests/tcg/mini.h"
#include "tests/test.h"

#include "tcg/exec.h"
#include "tcg/tlb.h"

static MiniMachine *new_machine(void **state)
{
    return mini_machine_new(&(MiniOptions){ .tcg.host = *state });
}

static void a_loop_counts(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_LI, 0, 0, 0), mini(MINI_LI, 1, 0, 1000), mini(MINI_ADDI, 0, 0, 1),
        mini(MINI_BNE, 0, 1, -4), mini(MINI_HALT, 0, 0, 0));

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 1000);
    assert_int_equal(m->mini[0]->env.pc, 0x1014);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_counts),
    };
    for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        tests[i].initial_state = "interp";
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
