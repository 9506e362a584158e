/* The CPU loop: links, the jump cache, exceptions, interrupts and code that changes, on every host. */
#include <glib.h>

#include "tests/tcg/mini.h"
#include "tests/test.h"

#include "tcg/exec.h"
#include "tcg/tcg-impl.h"

static MiniMachine *new_machine(void **state)
{
    return mini_machine_new(&(MiniOptions){ .tcg.host = *state });
}

/* ---- running --------------------------------------------------------------------------------- */

static void a_loop_counts(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_LI, 0, 0, 0), mini(MINI_LI, 1, 0, 1000), mini(MINI_ADDI, 0, 0, 1),
        mini(MINI_BNE, 0, 1, -4), mini(MINI_HALT, 0, 0, 0));

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 1000);
    assert_int_equal(m->mini[0]->env.pc, 0x1014);
}

static void a_loop_over_two_pages_is_translated_once(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1ff8, mini(MINI_ADDI, 0, 0, 1), mini(MINI_J, 0, 0, 0x104));
    MINI_PUT(m, 0x2100, mini(MINI_BNE, 0, 1, -0x108), mini(MINI_HALT, 0, 0, 0));
    m->mini[0]->r[1] = 5000;

    mini_run(m, 0x1ff8);

    assert_int_equal(m->mini[0]->r[0], 5000);
    assert_in_range(m->tcg->translated_blocks, 2, 3);
}

/* It would only displace what is jumped to indirectly. */
static void what_links_lead_to_is_not_in_the_jump_cache(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    const JumpEntry *jumps = m->mini[0]->env.fetch->jump;
    MINI_PUT(m, 0x1000, mini(MINI_LI, 1, 0, 100), mini(MINI_J, 0, 0, 0x1000));
    MINI_PUT(m, 0x2004, mini(MINI_ADDI, 0, 0, 1), mini(MINI_BNE, 0, 1, -4), mini(MINI_HALT, 0, 0, 0));

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 100);
    assert_int_equal(jumps[jump_index(0x1000)].pc, 0x1000);
    assert_int_not_equal(jumps[jump_index(0x2004)].pc, 0x2004);
}

static void indirect_jumps_find_their_blocks(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_JR, 2, 0, 0));
    MINI_PUT(m, 0x3000, mini(MINI_BNE, 0, 1, 8), mini(MINI_HALT, 0, 0, 0), mini(MINI_JR, 3, 0, 0));
    m->mini[0]->r[1] = 1000;
    m->mini[0]->r[2] = 0x3000;
    m->mini[0]->r[3] = 0x1000;

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 1000);
    assert_in_range(m->tcg->translated_blocks, 3, 4);
}

/* Another place that has the same entry of the jump cache. */
static uint64_t same_entry(uint64_t pc)
{
    uint64_t other = pc ^ (UINT64_C(2) << JUMP_BITS | 2);

    assert_int_equal(jump_index(other), jump_index(pc));
    return other;
}

static void jumps_that_displace_each_other_are_found_in_passing(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_JR, 2, 0, 0));
    uint64_t other = same_entry(0x1000);
    MINI_PUT(m, other, mini(MINI_BNE, 0, 1, 8), mini(MINI_HALT, 0, 0, 0), mini(MINI_JR, 3, 0, 0));
    m->mini[0]->r[1] = 1000;
    m->mini[0]->r[2] = other;
    m->mini[0]->r[3] = 0x1000;

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 1000);
    assert_in_range(m->tcg->translated_blocks, 3, 4);
    assert_in_range(m->cpu[0]->jump_refills, 1900, 2000);
    assert_in_range(m->cpu[0]->left[EXIT_LOOKUP], 1, 4);

    /* Code that is another meanwhile is not. */
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 2));
    m->mini[0]->r[1] = 3000;
    mini_run(m, other + 8);
    assert_int_equal(m->mini[0]->r[0], 3000);
    assert_in_range(m->cpu[0]->jump_refills, 3800, 4000);
}

static void an_instruction_on_two_pages_runs(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1ffa, mini(MINI_LI, 0, 0, 1), mini(MINI_ADDI, 0, 0, 6), mini(MINI_HALT, 0, 0, 0));

    mini_run(m, 0x1ffa);

    assert_int_equal(m->mini[0]->r[0], 7);
}

static void a_limit_of_instructions_is_kept(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg = { .host = *state, .counted = true } });
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_J, 0, 0, -4));
    m->mini[0]->env.pc = 0x1000;

    tcg_cpu_run(m->cpu[0], 1001);

    assert_int_equal(m->mini[0]->r[0], 500);
    assert_int_equal(cpu_instructions(&m->mini[0]->env), 1000);
    tcg_cpu_run(m->cpu[0], 1000);
    assert_int_equal(cpu_instructions(&m->mini[0]->env), 2000);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

static void a_fault_gives_the_pc_and_the_registers_of_its_instruction(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_LI, 0, 0, 11), mini(MINI_ADDI, 0, 0, 1), mini(MINI_LD, 0, 4, 8),
        mini(MINI_ADDI, 0, 0, 100));
    m->mini[0]->r[4] = UINT64_C(1) << 38;
    m->mini[0]->stop_on_exception = true;

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->cause, MINI_BUS);
    assert_int_equal(m->mini[0]->cause_pc, 0x1008);
    assert_int_equal(m->mini[0]->cause_value, (UINT64_C(1) << 38) + 8);
    assert_int_equal(m->mini[0]->r[0], 12);
}

static void code_that_is_not_there_raises(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    m->mini[0]->stop_on_exception = true;

    mini_run(m, UINT64_C(1) << 38);

    assert_int_equal(m->mini[0]->cause, MINI_BUS);
    assert_int_equal(m->mini[0]->cause_pc, UINT64_C(1) << 38);
}

static void a_handler_returns_and_the_loop_goes_on(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_BAD, 0, 0, 0), mini(MINI_BNE, 0, 1, -4), mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, MINI_VECTOR, mini(MINI_ADDI, 0, 0, 1), mini(MINI_ADDI, 7, 7, 4), mini(MINI_JR, 7, 0, 0));
    m->mini[0]->r[1] = 100;

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 100);
}

static void a_page_that_is_half_gone_faults_before_anything_is_stored(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[1][MINI_PAGES] = { { [1] = { 0x1000, 0x1000, false, true, false },
        [5] = { 0x5000, 0x1000, true, false, false } } };
    MINI_PUT(m, 0x1000, mini(MINI_ST, 0, 4, 0), mini(MINI_HALT, 0, 0, 0));
    m->mini[0]->table = table;
    m->mini[0]->r[0] = UINT64_MAX;
    m->mini[0]->r[4] = 0x5ffc;
    m->mini[0]->stop_on_exception = true;
    uint32_t tail;

    mini_run(m, 0x1000);

    address_space_read(m->memory, 0x5ffc, &tail, sizeof(tail));
    assert_int_equal(m->mini[0]->cause, MINI_PAGE_FAULT);
    assert_int_equal(m->mini[0]->cause_value, 0x6000);
    assert_int_equal(tail, 0);
}

/* ---- other threads --------------------------------------------------------------------------- */

static gpointer run_forever(gpointer data)
{
    tcg_cpu_run(data, 0);
    return NULL;
}

static void a_kick_leaves_an_endless_loop(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_J, 0, 0, 0));
    m->mini[0]->env.pc = 0x1000;
    atomic_store(&m->cpu[0]->wanted, CPU_RUNNING);
    GThread *thread = g_thread_new("cpu", run_forever, m->cpu[0]);
    while (!m->tcg->translated_blocks) {
        g_thread_yield();
    }

    tcg_cpu_leave(m->cpu[0]);
    g_thread_join(thread);

    assert_int_equal(m->mini[0]->env.pc, 0x1000);
}

static void every_interrupt_wakes_a_halted_cpu(void **state)
{
    enum { TIMES = 200 };
    g_autoptr(MiniMachine) m = new_machine(state);
    g_autoptr(Clock) clock = clock_new_stepped();
    MINI_PUT(m, 0x1000, mini(MINI_HALT, 0, 0, 0), mini(MINI_ADDI, 0, 0, 1), mini(MINI_J, 0, 0, -8));
    m->cpu[0]->clock = clock;
    m->mini[0]->env.pc = 0x1000;
    GThread *thread = g_thread_new("cpu", run_forever, m->cpu[0]);

    for (unsigned i = 0; i < TIMES; i++) {
        m->tcg->isa->set_input(&m->mini[0]->env, 0, true);
        while (m->mini[0]->irqs_taken <= i) {
            g_thread_yield();
        }
    }
    tcg_cpu_leave(m->cpu[0]);
    g_thread_join(thread);

    assert_int_equal(m->mini[0]->irqs_taken, TIMES);
    m->cpu[0]->clock = NULL;
}

static void a_held_cpu_runs_from_its_start_until_it_turns_itself_off(void **state)
{
    enum { TIMES = 50 };
    g_autoptr(MiniMachine) m = new_machine(state);
    g_autoptr(Clock) clock = clock_new_stepped();
    CpuEnv *env = &m->mini[0]->env;
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_OFF, 0, 0, 0), mini(MINI_LI, 0, 0, -1),
        mini(MINI_HALT, 0, 0, 0));
    m->cpu[0]->clock = clock;
    m->cpu[0]->cpu.entry = (CpuEntry){ .pc = 0x1008, .held = true };
    cpu_reset(m->cpu[0], &m->cpu[0]->cpu.entry);
    GThread *thread = g_thread_new("cpu", run_forever, m->cpu[0]);
    m->tcg->isa->set_input(env, 0, true);

    for (unsigned i = 0; i < TIMES; i++) {
        assert_int_equal(cpu_start(env, &(CpuEntry){ .pc = 0x1000, .args = { i } }), POWER_OFF);
        while (cpu_power(env) != POWER_OFF) {
            g_thread_yield();
        }
        assert_int_equal(m->mini[0]->r[0], i + 1);
    }
    tcg_cpu_leave(m->cpu[0]);
    g_thread_join(thread);

    assert_int_equal(env->pc, 0x1008);
    assert_ptr_equal(cpu_by_index(env, 0), env);
    assert_null(cpu_by_index(env, 1));
    m->cpu[0]->clock = NULL;
}

/* ---- code that changes ----------------------------------------------------------------------- */

/* r0 += r2, where the instruction that sets r2 is patched at each turn: it becomes 0, 1 ... turns - 1. */
static void run_patched_code(MiniMachine *m, int turns)
{
    MINI_PUT(m, 0x1000, mini(MINI_ST32, 3, 4, 0), mini(MINI_BARRIER, 0, 0, 0), mini(MINI_LI, 2, 0, 0),
        mini(MINI_ADD, 0, 2, 0), mini(MINI_ADD, 3, 5, 0), mini(MINI_BNE, 3, 1, -0x14),
        mini(MINI_HALT, 0, 0, 0));
    MiniCpu *cpu = m->mini[0];
    cpu->r[3] = mini(MINI_LI, 2, 0, 0);
    cpu->r[1] = mini(MINI_LI, 2, 0, turns);
    cpu->r[4] = 0x1008;
    cpu->r[5] = 0x10000;

    mini_run(m, 0x1000);

    assert_int_equal(cpu->r[0], (turns - 1) * turns / 2);
}

static void patched_code_is_seen_after_a_barrier(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);

    run_patched_code(m, 100);
}

static void code_that_was_dropped_gives_back_its_memory(void **state)
{
    g_autoptr(MiniMachine) m =
        mini_machine_new(&(MiniOptions){ .tcg = { .host = *state, .code_size = 1 << 20 } });
    unsigned used = 0;

    run_patched_code(m, 20000);

    for (unsigned i = 0; i < m->tcg->code.chunk_count; i++) {
        used += m->tcg->code.chunks[i].state != CHUNK_FREE;
    }
    assert_in_range(used, 2, 5);
    assert_int_equal(m->tcg->evicted_chunks, 0);
}

static void a_store_changes_the_very_next_instruction_of_a_coherent_guest(void **state)
{
    g_autoptr(MiniMachine) m =
        mini_machine_new(&(MiniOptions){ .isa = &mini_coherent_isa, .tcg.host = *state });
    MINI_PUT(m, 0x1000, mini(MINI_ST32, 3, 4, 0), mini(MINI_LI, 2, 0, 1), mini(MINI_HALT, 0, 0, 0));
    m->mini[0]->r[3] = mini(MINI_LI, 2, 0, 42);
    m->mini[0]->r[4] = 0x1004;

    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[2], 42);
}

static void data_beside_code_costs_no_translation(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_ST, 0, 4, 0), mini(MINI_BNE, 0, 1, -8),
        mini(MINI_HALT, 0, 0, 0));
    m->mini[0]->r[1] = 1000;
    m->mini[0]->r[4] = 0x1800;
    uint64_t last;

    mini_run(m, 0x1000);

    address_space_read(m->memory, 0x1800, &last, sizeof(last));
    assert_int_equal(last, 1000);
    assert_in_range(m->tcg->translated_blocks, 1, 3);
    assert_int_equal(m->tcg->dropped_blocks, 0);
}

static void code_written_by_a_device_is_translated_again(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_LI, 0, 0, 1), mini(MINI_HALT, 0, 0, 0));
    mini_run(m, 0x1000);

    MINI_PUT(m, 0x1000, mini(MINI_LI, 0, 0, 2));
    mini_run(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], 2);
}

static void a_page_filled_again_and_again_becomes_plain_data(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MINI_PUT(m, 0x1000, mini(MINI_ST, 0, 4, 0), mini(MINI_ADDI, 4, 4, 8), mini(MINI_BNE, 4, 1, -8),
        mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x2000, mini(MINI_HALT, 0, 0, 0));
    mini_run(m, 0x2000);
    m->mini[0]->r[4] = 0x2000;
    m->mini[0]->r[1] = 0x3000;

    assert_true(region_page_flags(m->ram)[2] & PAGE_CODE);
    mini_run(m, 0x1000);

    assert_false(region_page_flags(m->ram)[2] & PAGE_CODE);
}

/* A function of four instructions that adds to r0. */
static void put_adder(MiniMachine *m, uint64_t at, int addend)
{
    MINI_PUT(m, at, mini(MINI_ADDI, 0, 0, addend), mini(MINI_ADDI, 1, 1, 1), mini(MINI_ADDI, 2, 2, addend),
        mini(MINI_HALT, 0, 0, 0));
}

static void code_that_comes_back_is_not_translated_again(void **state)
{
    enum { VARIANTS = 5, TURNS = 20 };
    g_autoptr(MiniMachine) m = new_machine(state);
    int sum = 0;

    for (int turn = 0; turn < TURNS; turn++) {
        for (int variant = 1; variant <= VARIANTS; variant++) {
            put_adder(m, 0x1000, variant);
            mini_run(m, 0x1000);
            sum += variant;
            assert_int_equal(m->mini[0]->r[0], sum);
        }
    }

    assert_in_range(m->tcg->translated_blocks, VARIANTS, 3 * VARIANTS);
    assert_in_range(m->tcg->revived_blocks, (TURNS - 3) * VARIANTS, TURNS * VARIANTS);
}

/* The first bytes are those of a block that was, the last ones are not. */
static void code_that_comes_back_in_part_is_translated(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);

    for (int turn = 0; turn < 8; turn++) {
        put_adder(m, 0x1000, 1);
        MINI_PUT(m, 0x100c, mini(MINI_ADDI, 3, 3, turn), mini(MINI_HALT, 0, 0, 0));
        mini_run(m, 0x1000);
    }

    assert_int_equal(m->mini[0]->r[0], 8);
    assert_int_equal(m->mini[0]->r[3], 0 + 1 + 2 + 3 + 4 + 5 + 6 + 7);
}

/* More variants than the table of dormant blocks and a small cache hold: chunks go while their blocks sleep. */
static void code_that_comes_back_too_late_is_translated(void **state)
{
    enum { VARIANTS = 6000, TURNS = 3 };
    g_autoptr(MiniMachine) m =
        mini_machine_new(&(MiniOptions){ .tcg = { .host = *state, .code_size = 1 << 20 } });
    uint64_t sum = 0;

    for (int turn = 0; turn < TURNS; turn++) {
        for (int variant = 1; variant <= VARIANTS; variant++) {
            put_adder(m, 0x1000, variant);
            mini_run(m, 0x1000);
            sum += (uint64_t)variant;
            put_adder(m, 0x2000, variant % 7 + 1);
            mini_run(m, 0x2000);
            sum += (uint64_t)(variant % 7 + 1);
        }
    }

    assert_int_equal(m->mini[0]->r[0], sum);
    assert_in_range(m->tcg->revived_blocks, VARIANTS, 2 * TURNS * VARIANTS);
}

/* Functions of a few instructions, in more pages than the cache holds, are made, run and forgotten. */
static void a_small_cache_evicts_and_goes_on(void **state)
{
    enum { FUNCTIONS = 20000, SIZE = 12, BASE = 0x10000 };
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){
        .tcg = { .host = *state, .code_size = 1 << 20 }, .ram_size = 1 << 20 });
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x1000, mini(MINI_JR, 4, 0, 0), mini(MINI_ADDI, 4, 4, SIZE), mini(MINI_BNE, 4, 5, -8),
        mini(MINI_HALT, 0, 0, 0));
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        MINI_PUT(m, BASE + SIZE * i, mini(MINI_ADDI, 0, 0, 1), mini(MINI_ADDI, 1, 1, 2), mini(MINI_JR, 3, 0, 0));
    }
    cpu->r[3] = 0x1004;
    cpu->r[5] = BASE + SIZE * FUNCTIONS;

    for (unsigned turn = 1; turn <= 3; turn++) {
        cpu->r[4] = BASE;
        mini_run(m, 0x1000);
        assert_int_equal(cpu->r[0], FUNCTIONS * turn);
    }

    assert_int_equal(cpu->r[1], FUNCTIONS * 2 * 3);
    assert_in_range(m->tcg->evicted_chunks, 1, UINT64_MAX);
}

/* ---- address spaces -------------------------------------------------------------------------- */

/* Two spaces run different code at the same address, and switch at every turn; nothing is translated twice. */
static void spaces_switch_without_new_translations(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[2][MINI_PAGES] = {
        { [0] = { 0, 0x1000, false, true, false }, [1] = { 0x4000, 0x1000, true, true, false } },
        { [0] = { 0, 0x1000, false, true, false }, [1] = { 0x5000, 0x1000, true, true, false } },
    };
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x200, mini(MINI_SPACE, 3, 0, 0), mini(MINI_J, 0, 0, 0x1000 - 0x204));
    MINI_PUT(m, 0x4000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_LI, 3, 0, 1), mini(MINI_J, 0, 0, 0x200 - 0x1008));
    MINI_PUT(m, 0x5000, mini(MINI_ADDI, 1, 1, 1), mini(MINI_LI, 3, 0, 0), mini(MINI_BNE, 0, 2, 0x200 - 0x1008),
        mini(MINI_HALT, 0, 0, 0));
    cpu->table = table;
    cpu->r[2] = 1000;
    cpu_context_changed(&cpu->env);

    mini_run(m, 0x200);

    assert_int_equal(cpu->r[0], 1000);
    assert_int_equal(cpu->r[1], 1000);
    assert_in_range(m->tcg->translated_blocks, 4, 8);
    assert_in_range(cpu->walks, 4, 12);
}

/*
 * Page 0 is the same everywhere, page 1 each space's own. As long as only page 0 was run there is one view, of all
 * spaces; who then goes to page 1 must not take the others along.
 */
static void spaces_share_what_they_know_of_global_pages(void **state)
{
    enum { SPACES = 3 };
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[SPACES][MINI_PAGES] = { 0 };
    MiniCpu *cpu = m->mini[0];
    unsigned views = 0;
    MINI_PUT(m, 0x200, mini(MINI_SPACE, 3, 0, 0), mini(MINI_JR, 4, 0, 0));
    MINI_PUT(m, 0x240, mini(MINI_HALT, 0, 0, 0));
    for (unsigned i = 0; i < SPACES; i++) {
        MINI_PUT(m, 0x4000 + i * 0x1000, mini(MINI_LI, 0, 0, (int)i), mini(MINI_HALT, 0, 0, 0));
        table[i][0] = (MiniPage){ 0, 0x1000, false, true, true };
        table[i][1] = (MiniPage){ 0x4000 + i * 0x1000, 0x1000, true, true, false };
    }
    cpu->table = table;
    cpu->r[4] = 0x240;
    tlb_flush_all(&cpu->env);

    for (cpu->r[3] = 0; cpu->r[3] < SPACES; cpu->r[3]++) {
        mini_run(m, 0x200);
    }
    for (unsigned i = 0; i < FETCH_VIEWS && m->cpu[0]->views[i]; i++) {
        views += m->cpu[0]->views[i]->twin == m->cpu[0]->view->twin;
    }
    assert_int_equal(views, 1);
    cpu->r[4] = 0x1000;
    for (unsigned turn = 0; turn < 2 * SPACES; turn++) {
        cpu->r[3] = turn % SPACES;
        cpu->r[0] = SPACES;
        mini_run(m, 0x200);
        assert_int_equal(cpu->r[0], turn % SPACES);
    }
}

static void a_flushed_page_runs_the_code_that_is_there_now(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[1][MINI_PAGES] = { { [1] = { 0x4000, 0x1000, true, true, false } } };
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x4000, mini(MINI_LI, 0, 0, 4), mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x5000, mini(MINI_LI, 0, 0, 5), mini(MINI_HALT, 0, 0, 0));
    cpu->table = table;
    tlb_flush_all(&cpu->env);
    mini_run(m, 0x1000);
    assert_int_equal(cpu->r[0], 4);

    table[0][1].physical = 0x5000;
    tlb_flush_page(&cpu->env, 0x1000, NULL, 0);
    mini_run(m, 0x1000);

    assert_int_equal(cpu->r[0], 5);
}

/*
 * After a flush of everything a CPU looks its kernel's pages up again, rather than find all of its code again. Each page
 * leads to the next over the jump cache.
 */
static void a_flush_of_everything_leaves_code_found_that_is_where_it_was(void **state)
{
    enum { PAGES = 20 };
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[1][MINI_PAGES] = { 0 };
    MiniCpu *cpu = m->mini[0];
    uint64_t before;
    for (unsigned i = 0; i < PAGES; i++) {
        MINI_PUT(m, i * 0x1000 + 0x200, mini(MINI_ADDI, 0, 0, 1), mini(MINI_ADDI, 1, 1, 0x1000), mini(MINI_JR, 1, 0, 0));
        table[0][i] = (MiniPage){ i * 0x1000, 0x1000, false, true, true };
    }
    MINI_PUT(m, PAGES * 0x1000 + 0x200, mini(MINI_ADDI, 0, 0, 50), mini(MINI_HALT, 0, 0, 0));
    table[0][PAGES] = (MiniPage){ PAGES * 0x1000, 0x1000, false, true, true };
    cpu->table = table;
    tlb_flush_all(&cpu->env);

    for (unsigned turn = 0; turn < 4; turn++) {
        cpu->r[0] = 0;
        cpu->r[1] = 0x200;
        before = m->cpu[0]->jump_refills + m->cpu[0]->left[EXIT_LOOKUP];
        mini_run(m, 0x200);
        assert_int_equal(cpu->r[0], PAGES + 50);
        if (turn > 0) {
            assert_in_range(m->cpu[0]->jump_refills + m->cpu[0]->left[EXIT_LOOKUP] - before, 0, 2);
        }
        tlb_flush_all(&cpu->env);
    }

    table[0][PAGES / 2].physical = PAGES * 0x1000; /* which ends it there */
    tlb_flush_all(&cpu->env);
    cpu->r[0] = 0;
    cpu->r[1] = 0x200;
    mini_run(m, 0x200);
    assert_int_equal(cpu->r[0], PAGES / 2 + 50);
}

/*
 * Pages of 8 to 128 KiB, each at its own size, share a set of the second level, which has room for four: the first is
 * replaced. A flush of one address of it must still take its other half along.
 */
static void a_flush_takes_all_of_a_large_page_that_the_second_level_lost(void **state)
{
    enum { SMALLEST = 0x2000, LARGEST = 0x20000 };
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[1][MINI_PAGES] = { 0 };
    MiniCpu *cpu = m->mini[0];
    cpu->table = table;
    for (uint64_t size = SMALLEST; size <= LARGEST; size *= 2) {
        for (uint64_t at = size; at < 2 * size; at += 0x1000) {
            table[0][at >> GUEST_PAGE_BITS] = (MiniPage){ size, size, false, true, false };
            MINI_PUT(m, at, mini(MINI_LI, 0, 0, (int)(at >> GUEST_PAGE_BITS)), mini(MINI_HALT, 0, 0, 0));
        }
    }
    tlb_flush_all(&cpu->env);
    for (uint64_t at = SMALLEST; at < 2 * LARGEST; at += 0x1000) {
        mini_run(m, at);
        assert_int_equal(cpu->r[0], at >> GUEST_PAGE_BITS);
    }

    for (uint64_t at = SMALLEST; at < 2 * SMALLEST; at += 0x1000) {
        table[0][at >> GUEST_PAGE_BITS].physical = LARGEST;
    }
    tlb_flush_page(&cpu->env, SMALLEST, NULL, 0);
    for (uint64_t at = SMALLEST; at < 2 * SMALLEST; at += 0x1000) {
        mini_run(m, at);
        assert_int_equal(cpu->r[0], (LARGEST + at - SMALLEST) >> GUEST_PAGE_BITS);
    }
}

static bool any_space(uint64_t space, uint64_t wanted)
{
    return true;
}

/* The second level fills with large pages of a space that is flushed again and again; what goes then is long forgotten. */
static void large_pages_that_were_flushed_take_no_code_along(void **state)
{
    enum { ROUNDS = 2000, LARGEST = 0x10000 };
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[1][MINI_PAGES] = { { { 0, 0x1000, false, true, true } } };
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x200, mini(MINI_JR, 4, 0, 0));
    MINI_PUT(m, 0x240, mini(MINI_HALT, 0, 0, 0));
    for (uint64_t size = 0x2000; size <= LARGEST; size *= 2) {
        for (uint64_t at = size; at < 2 * size; at += 0x1000) {
            table[0][at >> GUEST_PAGE_BITS] = (MiniPage){ size, size, false, true, false };
        }
        MINI_PUT(m, size, mini(MINI_HALT, 0, 0, 0));
    }
    cpu->table = table;
    cpu->r[4] = 0x240;
    tlb_flush_all(&cpu->env);

    uint64_t before = m->cpu[0]->jump_refills + m->cpu[0]->left[EXIT_LOOKUP];
    for (unsigned round = 0; round < ROUNDS; round++) {
        mini_run(m, 0x200);
        for (uint64_t size = 0x2000; size <= LARGEST; size *= 2) {
            mini_run(m, size);
        }
        tlb_flush_space(&cpu->env, any_space, 0);
    }
    assert_in_range(m->cpu[0]->jump_refills + m->cpu[0]->left[EXIT_LOOKUP] - before, 0, ROUNDS / 10);
}

static unsigned views_of(const TcgCpu *cpu)
{
    unsigned count = 0;

    while (count < FETCH_VIEWS && cpu->views[count]) {
        count++;
    }
    return count;
}

/* Spaces that do not come again get the view of an older one; those that do have one each in the end. */
static void views_are_as_many_as_spaces_come_again(void **state)
{
    enum { SPACES = 30, AGAIN = 8 };
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[SPACES][MINI_PAGES] = { 0 };
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x200, mini(MINI_SPACE, 3, 0, 0), mini(MINI_J, 0, 0, 0x1000 - 0x204));
    MINI_PUT(m, 0x4000, mini(MINI_ADDI, 0, 3, 100), mini(MINI_HALT, 0, 0, 0));
    for (unsigned i = 0; i < SPACES; i++) {
        table[i][0] = (MiniPage){ 0, 0x1000, false, true, false };
        table[i][1] = (MiniPage){ 0x4000, 0x1000, false, true, false };
    }
    cpu->table = table;
    cpu_context_changed(&cpu->env);

    for (cpu->r[3] = 0; cpu->r[3] < SPACES; cpu->r[3]++) {
        mini_run(m, 0x200);
        assert_int_equal(cpu->r[0], cpu->r[3] + 100);
    }
    assert_in_range(views_of(m->cpu[0]), 2, AGAIN - 2);

    for (unsigned turn = 0; turn < 4 * AGAIN; turn++) {
        cpu->r[3] = turn % AGAIN;
        mini_run(m, 0x200);
        assert_int_equal(cpu->r[0], turn % AGAIN + 100);
    }
    assert_in_range(views_of(m->cpu[0]), AGAIN, FETCH_VIEWS);
}

static void run_to(MiniMachine *m, uint64_t pc, uint64_t count)
{
    m->mini[0]->r[0] = 0;
    m->mini[0]->r[1] = count;
    mini_run(m, pc);
    assert_int_equal(m->mini[0]->r[0], count);
}

/* An exit to a page that was replaced is linked again, but not while another CPU may be about to jump there. */
static void a_link_follows_its_page(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = *state, .cpus = 2 });
    MiniPage table[1][MINI_PAGES] = { { [1] = { 0x1000, 0x1000, false, true, false },
        [2] = { 0x4000, 0x1000, false, true, false } } };
    const uint64_t *links = &m->cpu[0]->left[EXIT_CHAIN];
    MINI_PUT(m, 0x1000, mini(MINI_J, 0, 0, 0x1000));
    for (unsigned at = 0x4000; at <= 0x5000; at += 0x1000) {
        MINI_PUT(m, at, mini(MINI_ADDI, 0, 0, 1), mini(MINI_BNE, 0, 1, -0x1004), mini(MINI_HALT, 0, 0, 0));
    }
    m->mini[0]->table = table;
    tlb_flush_all(&m->mini[0]->env);
    run_to(m, 0x1000, 100);
    assert_in_range(*links, 1, 20);

    table[0][2].physical = 0x5000;
    tlb_flush_page(&m->mini[0]->env, 0x2000, NULL, 0);
    atomic_store(&m->cpu[1]->seen, atomic_load(&m->tcg->epoch)); /* as if it were inside */
    uint64_t before = *links;
    run_to(m, 0x1000, 100);
    assert_in_range(*links - before, 100, 300);

    atomic_store(&m->cpu[1]->seen, EPOCH_OUTSIDE);
    before = *links;
    run_to(m, 0x1000, 100);
    assert_in_range(*links - before, 1, 20);
}

/* Also those that are not current, and when all pages are forgotten because so many were fetched. */
static void a_page_flushed_everywhere_is_forgotten_by_every_view(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[2][MINI_PAGES] = {
        { [0] = { 0, 0x1000, false, true, false }, [1] = { 0x4000, 0x1000, true, true, false } },
        { [0] = { 0, 0x1000, false, true, false }, [1] = { 0x5000, 0x1000, true, true, false } },
    };
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x200, mini(MINI_SPACE, 3, 0, 0), mini(MINI_J, 0, 0, 0x1000 - 0x204));
    for (unsigned i = 4; i < 8; i++) {
        MINI_PUT(m, i * 0x1000, mini(MINI_LI, 0, 0, (int)i), mini(MINI_HALT, 0, 0, 0));
    }
    cpu->table = table;
    cpu_context_changed(&cpu->env);

    for (unsigned turn = 0; turn < 4; turn++) {
        for (cpu->r[3] = 0; cpu->r[3] < 2; cpu->r[3]++) {
            mini_run(m, 0x200);
            assert_int_equal(cpu->r[0] * 0x1000, table[cpu->r[3]][1].physical);
        }
        table[0][1].physical = 0x4000 + (turn + 2) % 4 * 0x1000;
        m->cpu[0]->fetched.count = turn == 2 ? PRESENT_BITS : m->cpu[0]->fetched.count;
        tlb_flush_page(&cpu->env, 0x1000, NULL, 0);
    }
}

static void an_instruction_on_two_pages_follows_its_second_page(void **state)
{
    g_autoptr(MiniMachine) m = new_machine(state);
    MiniPage table[1][MINI_PAGES] = { { [1] = { 0x1000, 0x1000, true, true, false },
        [2] = { 0x4000, 0x1000, true, true, false } } };
    MiniCpu *cpu = m->mini[0];
    MINI_PUT(m, 0x1ffe, mini(MINI_LI, 0, 0, 0));
    MINI_PUT(m, 0x3ffe, mini(MINI_LI, 0, 0, 4), mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x4ffe, mini(MINI_LI, 0, 0, 5), mini(MINI_HALT, 0, 0, 0));
    cpu->table = table;
    tlb_flush_all(&cpu->env);
    mini_run(m, 0x1ffe);
    assert_int_equal(cpu->r[0], 4);

    table[0][2].physical = 0x5000;
    tlb_flush_page(&cpu->env, 0x2000, NULL, 0);
    mini_run(m, 0x1ffe);

    assert_int_equal(cpu->r[0], 5);
}

/* ---- several CPUs ---------------------------------------------------------------------------- */

static void run_all(MiniMachine *m, uint64_t pc)
{
    GThread *threads[8];

    for (unsigned i = 0; i < m->cpu_count; i++) {
        m->mini[i]->env.pc = pc;
        atomic_store(&m->cpu[i]->wanted, CPU_RUNNING);
        threads[i] = g_thread_new("cpu", run_forever, m->cpu[i]);
    }
    for (unsigned i = 0; i < m->cpu_count; i++) {
        g_thread_join(threads[i]);
    }
}

static void atomic_adds_of_four_cpus_sum_up(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = *state, .cpus = 4 });
    MINI_PUT(m, 0x1000, mini(MINI_LI, 2, 0, 1), mini(MINI_LI, 4, 0, 0x3000), mini(MINI_AMO, 5, 4, 1),
        mini(MINI_ADDI, 0, 0, 1), mini(MINI_BNE, 0, 1, -8), mini(MINI_HALT, 0, 0, 0));
    for (unsigned i = 0; i < 4; i++) {
        m->mini[i]->r[1] = 5000;
    }
    uint64_t sum;

    run_all(m, 0x1000);

    address_space_read(m->memory, 0x3000, &sum, sizeof(sum));
    assert_int_equal(sum, 20000);
}

/*
 * CPU 0 patches a function and says so in memory; CPU 1 waits for that, has a barrier, and must run the patched
 * function: no block from before may be left. Meanwhile the cache is small enough to evict. The function jumps `back`.
 */
static void patch_for_another_cpu(void **state, int back)
{
    enum { TURNS = 300 };
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){
        .tcg = { .host = *state, .code_size = 1 << 20 }, .cpus = 2 });
    MINI_PUT(m, 0x1000, mini(MINI_BNE, 5, 6, 0x800),
        /* CPU 0 (r5 == r6): patch, publish r0, wait for the answer */
        mini(MINI_ADDI, 0, 0, 1), mini(MINI_ADD, 3, 2, 0), mini(MINI_ST32, 3, 4, 0), mini(MINI_LI, 7, 0, 0x3000),
        mini(MINI_ST, 0, 7, 0), mini(MINI_LD, 6, 7, 8), mini(MINI_BNE, 6, 0, -4), mini(MINI_BNE, 0, 1, -0x1c),
        mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x1800, mini(MINI_LI, 7, 0, 0x3000),
        mini(MINI_ADDI, 0, 0, 1), mini(MINI_LD, 6, 7, 0), mini(MINI_BNE, 6, 0, -4), mini(MINI_BARRIER, 0, 0, 0),
        mini(MINI_JR, 4, 0, 0));
    MINI_PUT(m, 0x4000, mini(MINI_LI, 3, 0, 0), mini(MINI_BNE, 3, 0, 0x1000), mini(MINI_JR, 2, 0, 0));
    MINI_PUT(m, back, mini(MINI_ST, 0, 7, 8), mini(MINI_BNE, 0, 1, 0x1804 - (back + 4)), mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x5004, mini(MINI_HALT, 0, 0, 0));
    for (unsigned i = 0; i < 2; i++) {
        m->mini[i]->r[1] = TURNS;
        m->mini[i]->r[4] = 0x4000;
        m->mini[i]->r[5] = i;
    }
    m->mini[0]->r[3] = mini(MINI_LI, 3, 0, 0);
    m->mini[0]->r[2] = 0x10000;
    m->mini[1]->r[2] = (uint64_t)back;

    run_all(m, 0x1000);

    assert_int_equal(m->mini[0]->r[0], TURNS);
    assert_int_equal(m->mini[1]->r[0], TURNS);
    assert_int_equal(m->mini[1]->r[3], TURNS);
}

static void code_patched_by_another_cpu_is_seen_after_its_barrier(void **state)
{
    patch_for_another_cpu(state, 0x1900);
}

static void code_patched_by_another_cpu_is_not_found_in_passing(void **state)
{
    patch_for_another_cpu(state, (int)same_entry(0x4000));
}

static void confirm(MiniMachine *m)
{
    pthread_mutex_lock(&m->tcg->lock);
    code_confirm(m->tcg, m->cpu[1]->slot);
    pthread_mutex_unlock(&m->tcg->lock);
}

/* CPU 1 is as one that runs and has not yet heard that the page has code: what it wrote until then may be unseen. */
static void code_that_may_have_been_written_unseen_is_compared(void **state)
{
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = *state, .cpus = 2 });
    MINI_PUT(m, 0x1000, mini(MINI_LI, 0, 0, 1), mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x2000, mini(MINI_LI, 0, 0, 2), mini(MINI_HALT, 0, 0, 0));
    atomic_store(&m->cpu[1]->seen, 0);

    mini_run(m, 0x1000);
    assert_int_equal(m->tcg->blocks.provisional_count, 1);
    confirm(m);
    assert_int_equal(m->tcg->blocks.provisional_count, 0);
    assert_int_equal(m->tcg->dropped_blocks, 0);

    mini_run(m, 0x2000);
    *(uint32_t *)(void *)(region_host(m->ram) + 0x2000) = mini(MINI_LI, 0, 0, 3);
    confirm(m);
    assert_int_equal(m->tcg->dropped_blocks, 1);
    mini_run(m, 0x2000);
    assert_int_equal(m->mini[0]->r[0], 3);
    atomic_store(&m->cpu[1]->seen, EPOCH_OUTSIDE);
}

/* A doubleword of guest memory, which a CPU may be using. */
static _Atomic uint64_t *word_at(MiniMachine *m, uint64_t at)
{
    return (_Atomic uint64_t *)(region_host(m->ram) + at);
}

/*
 * CPU 1 reads a page until something is there. Each turn the page moves elsewhere; after the flush is known to be
 * done, what is put where it was must not be seen.
 */
static void after_a_sync_no_cpu_uses_what_was_flushed(void **state)
{
    enum { TURNS = 200 };
    g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = *state, .cpus = 2 });
    MiniPage table[1][MINI_PAGES] = { { [1] = { 0x1000, 0x1000, false, true, false },
        [3] = { 0x3000, 0x1000, true, false, false }, [5] = { 0x5000, 0x1000, false, false, false } } };
    MINI_PUT(m, 0x1000, mini(MINI_LD, 2, 4, 0), mini(MINI_ST, 5, 1, 0), mini(MINI_BNE, 2, 3, 8),
        mini(MINI_J, 0, 0, -12), mini(MINI_HALT, 0, 0, 0));
    m->mini[1]->table = table;
    m->mini[1]->r[1] = 0x3000;
    m->mini[1]->r[4] = 0x5000;

    for (unsigned i = 1; i <= TURNS; i++) {
        uint64_t old = table[0][5].physical, new = old ^ 0x3000;
        enum { NONE_YET, WRONG, RIGHT };
        *word_at(m, old) = NONE_YET;
        *word_at(m, new) = NONE_YET;
        m->mini[1]->env.pc = 0x1000;
        m->mini[1]->r[5] = i;
        atomic_store(&m->cpu[1]->wanted, CPU_RUNNING);
        GThread *thread = g_thread_new("cpu", run_forever, m->cpu[1]);
        while (*word_at(m, 0x3000) != i) {
            g_thread_yield();
        }

        __atomic_store_n(&table[0][5].physical, new, __ATOMIC_RELAXED);
        tlb_flush_page_cpus(&m->mini[0]->env, 0x5000, NULL, 0);
        tlb_sync(&m->mini[0]->env);
        *word_at(m, old) = WRONG;
        *word_at(m, new) = RIGHT;

        g_thread_join(thread);
        assert_int_equal(m->mini[1]->r[2], RIGHT);
    }
}

/*
 * CPU 0 has pages flushed everywhere while CPU 1 is outside: few, more than are served at a time, more than the log
 * holds. What it has itself it loses only with those pages, or it would walk again.
 */
static void what_was_flushed_while_a_cpu_was_outside_it_does_not_use(void **state)
{
    static const unsigned orders[] = { 1, 20, 1000 };

    for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++) {
        g_autoptr(MiniMachine) m = mini_machine_new(&(MiniOptions){ .tcg.host = *state, .cpus = 2 });
        MiniPage table[1][MINI_PAGES] = { { [3] = { 0x3000, 0x1000, true, false, false },
            [5] = { 0x5000, 0x1000, true, false, false } } };
        uint64_t value;
        *word_at(m, 0x5000) = 5;
        *word_at(m, 0x6000) = 6;
        for (unsigned cpu = 0; cpu < 2; cpu++) {
            m->mini[cpu]->table = table;
            tlb_flush_all(&m->mini[cpu]->env);
            assert_true(cpu_load(&m->mini[cpu]->env, 0x5000, MEM_64, &value));
            assert_int_equal(value, 5);
        }
        assert_true(cpu_load(&m->mini[0]->env, 0x3000, MEM_64, &value));
        unsigned walks = m->mini[0]->walks;

        table[0][5].physical = 0x6000;
        for (unsigned n = 0; n < orders[i]; n++) {
            tlb_flush_page_cpus(&m->mini[0]->env, 0x5000 + n % 2 * 0x1000, NULL, 0);
        }
        tlb_sync(&m->mini[0]->env);

        assert_true(cpu_load(&m->mini[0]->env, 0x3000, MEM_64, &value));
        assert_int_equal(m->mini[0]->walks, walks);
        assert_true(flush_orders_wait(m->cpu[1]));
        flush_orders_serve(m->cpu[1]);
        for (unsigned cpu = 0; cpu < 2; cpu++) {
            assert_true(cpu_load(&m->mini[cpu]->env, 0x5000, MEM_64, &value));
            assert_int_equal(value, 6);
            assert_false(flush_orders_wait(m->cpu[cpu]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_loop_counts),
        BOTH(a_loop_over_two_pages_is_translated_once),
        BOTH(what_links_lead_to_is_not_in_the_jump_cache),
        BOTH(indirect_jumps_find_their_blocks),
        ON("x86_64", jumps_that_displace_each_other_are_found_in_passing),
        BOTH(an_instruction_on_two_pages_runs),
        BOTH(a_limit_of_instructions_is_kept),
        BOTH(a_fault_gives_the_pc_and_the_registers_of_its_instruction),
        BOTH(code_that_is_not_there_raises),
        BOTH(a_handler_returns_and_the_loop_goes_on),
        BOTH(a_page_that_is_half_gone_faults_before_anything_is_stored),
        BOTH(a_kick_leaves_an_endless_loop),
        BOTH(every_interrupt_wakes_a_halted_cpu),
        BOTH(a_held_cpu_runs_from_its_start_until_it_turns_itself_off),
        BOTH(patched_code_is_seen_after_a_barrier),
        BOTH(code_that_was_dropped_gives_back_its_memory),
        BOTH(a_store_changes_the_very_next_instruction_of_a_coherent_guest),
        BOTH(data_beside_code_costs_no_translation),
        BOTH(code_written_by_a_device_is_translated_again),
        BOTH(code_that_comes_back_is_not_translated_again),
        BOTH(code_that_comes_back_in_part_is_translated),
        BOTH(code_that_comes_back_too_late_is_translated),
        BOTH(a_page_filled_again_and_again_becomes_plain_data),
        BOTH(a_small_cache_evicts_and_goes_on),
        BOTH(spaces_switch_without_new_translations),
        BOTH(spaces_share_what_they_know_of_global_pages),
        BOTH(a_flushed_page_runs_the_code_that_is_there_now),
        BOTH(a_flush_of_everything_leaves_code_found_that_is_where_it_was),
        BOTH(a_flush_takes_all_of_a_large_page_that_the_second_level_lost),
        BOTH(large_pages_that_were_flushed_take_no_code_along),
        BOTH(views_are_as_many_as_spaces_come_again),
        BOTH(a_link_follows_its_page),
        BOTH(a_page_flushed_everywhere_is_forgotten_by_every_view),
        BOTH(an_instruction_on_two_pages_follows_its_second_page),
        BOTH(atomic_adds_of_four_cpus_sum_up),
        BOTH(code_that_may_have_been_written_unseen_is_compared),
        BOTH(code_patched_by_another_cpu_is_seen_after_its_barrier),
        BOTH(code_patched_by_another_cpu_is_not_found_in_passing),
        BOTH(after_a_sync_no_cpu_uses_what_was_flushed),
        BOTH(what_was_flushed_while_a_cpu_was_outside_it_does_not_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
