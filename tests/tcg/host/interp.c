#include <glib.h>
#include <string.h>

#include "tcg/host/interp.h"
#include "tests/tcg/toy.h"
#include "tests/test.h"

static Toy toy;
static IrBlock block;
static IrLive live;
static Emitted out;
static BlockExit exits[4][IR_MAX_EXITS];
static _Alignas(64) uint8_t code[4][4096];
static const CodeView view = { code[0], code[0] };

/* Emits text as block number n. */
static const void *emit(unsigned n, const char *text, bool counted)
{
    toy_parse(&block, text);
    block.counted = counted;
    ir_live(&block, &live);
    out.exits = exits[n];
    assert_true(interp_host.emit(&block, &live, NULL, code[n], code[n], sizeof(code[n]), &out));
    return code[n];
}

static ExitReason enter(const void *at)
{
    return interp_host.enter(&toy.cpu->env, NULL, at);
}

/* x0 -= 1; back while it is not 0; then on */
static const char loop[] =
    "insn 4 0\n"
    "t1 = get.i64 x0\n"
    "t2 = const.i64 0xffffffffffffffff\n"
    "t3 = add.i64 t1 t2\n"
    "put.i64 t3 x0\n"
    "insn 4 4\n"
    "t4 = const.i64 0\n"
    "gotocond.i64 t3 t4 ne+check 0x80000000\n"
    "insn 4 8\n"
    "goto 0x8000000c\n";

static void an_unlinked_exit_says_which_it_is(void **state)
{
    const void *at = emit(0, loop, false);

    toy.cpu->x[0] = 5;
    assert_int_equal(enter(at), EXIT_CHAIN);
    assert_int_equal(toy.cpu->x[0], 4);
    assert_int_equal(toy.cpu->env.pc, 0x80000000);
    assert_ptr_equal(toy.cpu->env.exit_site, &exits[0][0]);
}

static void linked_blocks_run_on_without_the_cpu_loop(void **state)
{
    const void *at = emit(0, loop, false);

    toy.cpu->x[0] = 1000;
    interp_host.link(&exits[0][0], view, at, 0);
    assert_int_equal(enter(at), EXIT_CHAIN);
    assert_int_equal(toy.cpu->x[0], 0);
    assert_int_equal(toy.cpu->env.pc, 0x8000000c);
    interp_host.unlink(&exits[0][0], view);
    toy.cpu->x[0] = 5;
    assert_int_equal(enter(at), EXIT_CHAIN);
    assert_int_equal(toy.cpu->x[0], 4);
}

static void a_request_ends_a_loop(void **state)
{
    const void *at = emit(0, loop, false);

    toy.cpu->x[0] = 1000;
    interp_host.link(&exits[0][0], view, at, 0);
    atomic_store(&toy.cpu->env.exit_request, 1);
    assert_int_equal(enter(at), EXIT_REQUEST);
    atomic_store(&toy.cpu->env.exit_request, 0);
    assert_int_equal(toy.cpu->x[0], 999);
    assert_int_equal(toy.cpu->env.pc, 0x80000000);
}

static void a_budget_counts_what_was_executed(void **state)
{
    const void *at = emit(0, loop, true);

    toy.cpu->x[0] = 1000;
    toy.cpu->env.budget = 100;
    interp_host.link(&exits[0][0], view, at, 0);
    assert_int_equal(enter(at), EXIT_BUDGET);
    /* Two instructions each round; the third of the block is paid in advance and given back. */
    assert_int_equal(toy.cpu->x[0], 1000 - 49);
    assert_int_equal(toy.cpu->env.budget, 2);
    assert_int_equal(toy.cpu->env.pc, 0x80000000);
}

static void a_guarded_exit_wants_its_page(void **state)
{
    const void *at = emit(0, "insn 4 0\ngoto 0x80001000\n", false);
    const void *next = emit(1, "insn 4 0\nt1 = const.i64 7\nput.i64 t1 x1\ngoto 0x80000000\n", false);
    unsigned slot = 0x80001 & (ITLB_SIZE - 1);

    toy.cpu->x[1] = 0;
    interp_host.link(&exits[0][0], view, next, 42);
    toy.cpu->env.fetch->itlb[slot] = 41;
    assert_int_equal(enter(at), EXIT_CHAIN);
    assert_int_equal(toy.cpu->x[1], 0);
    toy.cpu->env.fetch->itlb[slot] = 42;
    assert_int_equal(enter(at), EXIT_CHAIN);
    assert_int_equal(toy.cpu->x[1], 7);
}

static void a_jump_goes_by_the_cache(void **state)
{
    const void *at = emit(0, "insn 4 0\nt1 = get.i64 x2\ngotoval.i64 t1 0\n", false);
    const void *next = emit(1, "insn 4 0\nt1 = get.i64 x2\nexit.i64 t1 halt\n", false);
    JumpEntry *entry = &toy.cpu->env.fetch->jump[jump_index(0x80000100)];

    toy.cpu->x[2] = 0x80000100;
    assert_int_equal(enter(at), EXIT_LOOKUP);
    assert_int_equal(toy.cpu->env.pc, 0x80000100);
    *entry = (JumpEntry){ 0x80000100, next };
    assert_int_equal(enter(at), EXIT_HALT);
    *entry = (JumpEntry){ 1, NULL };
}

static void a_block_on_trial_is_taken_back(void **state)
{
    StoreLog log;
    ExitReason reason;
    const void *at = emit(0,
        "insn 4 0\n"
        "t1 = const.i64 0x40010\n"
        "t2 = const.i64 0x1122334455667788\n"
        "store.i64 t1 t2 u64 0\n"
        "store.i64 t1 t2 u16 4\n"
        "t3 = rmw.i64 t1 t2 u64+aligned add\n"
        "goto 0x80000004\n", false);

    memset(toy.memory + 0x10, 0xee, 8);
    assert_true(interp_try(&toy.cpu->env, at, &log, &reason));
    assert_int_equal(reason, EXIT_CHAIN);
    assert_int_equal(log.count, 3);
    assert_int_not_equal(toy.memory[0x10], 0xee);
    store_log_undo(&log);
    for (unsigned n = 0x10; n < 0x18; n++) {
        assert_int_equal(toy.memory[n], 0xee);
    }
}

static void a_trial_stops_in_front_of_slow_paths_and_calls(void **state)
{
    StoreLog log;
    ExitReason reason;
    const void *slow = emit(0, "insn 4 0\nt1 = const.i64 0x42000\nt2 = load.i64 t1 u64 0\ngoto 0x80000004\n", false);
    const void *calls = emit(1, "insn 4 0\nt1 = get.i64 x1\ncall.i64 t1 note\ngoto 0x80000004\n", false);
    const void *leaf = emit(2, "insn 4 0\nt1 = get.i64 x1\nt2 = call.i64 t1 mix\nput.i64 t2 x1\ngoto 0x80000004\n",
        false);

    assert_false(interp_try(&toy.cpu->env, slow, &log, &reason));
    assert_false(interp_try(&toy.cpu->env, calls, &log, &reason));
    assert_true(interp_try(&toy.cpu->env, leaf, &log, &reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unlinked_exit_says_which_it_is),
        cmocka_unit_test(linked_blocks_run_on_without_the_cpu_loop),
        cmocka_unit_test(a_request_ends_a_loop),
        cmocka_unit_test(a_budget_counts_what_was_executed),
        cmocka_unit_test(a_guarded_exit_wants_its_page),
        cmocka_unit_test(a_jump_goes_by_the_cache),
        cmocka_unit_test(a_block_on_trial_is_taken_back),
        cmocka_unit_test(a_trial_stops_in_front_of_slow_paths_and_calls),
    };
    int status;

    toy_init(&toy);
    status = cmocka_run_group_tests(tests, NULL, NULL);
    toy_clear(&toy);
    return status;
}
