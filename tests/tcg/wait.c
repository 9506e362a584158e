/* CPUs that wait, and who runs them then: src/tcg/wait.c. */
#include <glib.h>

#include "tests/tcg/mini.h"
#include "tests/test.h"

#include "tcg/exec.h"
#include "tcg/tcg-impl.h"

enum { MAIL = 0x3000 }; /* of CPU 0 to 1; the answer is 8 behind */

typedef struct Fixture {
    Clock *clock;
    MiniMachine *m;
    GThread *threads[4];
    _Atomic unsigned ended;
} Fixture;

static Fixture *fixture_new(const char *host, unsigned cpus)
{
    Fixture *f = g_new0(Fixture, 1);

    f->clock = clock_new();
    clock_resume(f->clock);
    f->m = mini_machine_new(&(MiniOptions){ .tcg.host = host, .cpus = cpus, .clock = f->clock });
    for (unsigned i = 0; i < cpus; i++) {
        f->m->mini[i]->r[4] = MAIL;
        f->m->mini[i]->stop_on_exception = true;
        atomic_store(&f->m->cpu[i]->rests, RESTS_BEFORE_LENT);
    }
    return f;
}

typedef struct Start {
    Fixture *f;
    TcgCpu *cpu;
} Start;

static gpointer run_cpu(gpointer data)
{
    g_autofree Start *start = data;

    cpu_run(start->cpu, 0);
    atomic_fetch_add(&start->f->ended, 1);
    return NULL;
}

static void start(Fixture *f, unsigned index, uint64_t pc)
{
    Start *data = g_new(Start, 1);

    *data = (Start){ f, f->m->cpu[index] };
    f->m->mini[index]->env.pc = pc;
    atomic_store(&f->m->cpu[index]->wanted, CPU_RUNNING);
    f->threads[index] = g_thread_new("cpu", run_cpu, data);
}

static void wait_until_it_halts(Fixture *f, unsigned index)
{
    const TcgCpu *cpu = f->m->cpu[index];

    while (!atomic_load(&cpu->waiting) || atomic_load(&cpu->hold) != HOLD_FREE) {
        g_thread_yield();
    }
}

/* CPU 0 ends by itself; the loop's thread is there for timers when `timers`. */
static void run_cpu_0_to_its_end(Fixture *f, bool timers)
{
    start(f, 0, 0x1800);
    while (!atomic_load(&f->ended)) {
        if (!timers || !loop_poll()) {
            g_thread_yield();
        }
    }
}

static void fixture_free(Fixture *f)
{
    for (unsigned i = 0; i < f->m->cpu_count; i++) {
        tcg_cpu_leave(f->m->cpu[i]);
        g_thread_join(f->threads[i]);
    }
    mini_machine_free(f->m);
    clock_free(f->clock);
    g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* What is asked while CPU 1 is about to halt goes unseen, as nothing handles the interrupt; so it is asked again. */
static void ask_for_answers(Fixture *f, unsigned times)
{
    MiniMachine *m = f->m;
    MINI_PUT(m, 0x1000, mini(MINI_HALT, 0, 0, 0), mini(MINI_LD, 0, 4, 0), mini(MINI_ST, 0, 4, 8),
        mini(MINI_J, 0, 0, -12));
    MINI_PUT(m, 0x1800, mini(MINI_ADDI, 0, 0, 1), mini(MINI_ST, 0, 4, 0), mini(MINI_IPI, 0, 0, 1),
        mini(MINI_LD, 2, 4, 8), mini(MINI_BNE, 2, 0, -8), mini(MINI_BNE, 0, 1, -20), mini(MINI_BAD, 0, 0, 0));
    m->mini[0]->r[1] = times;
    start(f, 1, 0x1000);
    wait_until_it_halts(f, 1);

    run_cpu_0_to_its_end(f, false);

    assert_int_equal(m->mini[0]->r[2], times);
}

static void an_ipi_is_answered_in_the_thread_of_its_sender(void **state)
{
    enum { TIMES = 100 };
    g_autoptr(Fixture) f = fixture_new(*state, 2);

    ask_for_answers(f, TIMES);
    assert_in_range(f->m->cpu[1]->lent, TIMES / 2, UINT_MAX);
}

static void a_cpu_that_was_reset_is_left_to_its_own_thread(void **state)
{
    enum { TIMES = RESTS_BEFORE_LENT / 4 };
    g_autoptr(Fixture) f = fixture_new(*state, 2);

    atomic_store(&f->m->cpu[1]->rests, 0);
    ask_for_answers(f, TIMES);
    assert_int_equal(f->m->cpu[1]->lent, 0);
}

/* CPU 1 does not halt again until CPU 0 has gone on for a while and says so. */
static void run_one_that_looks_for_the_other(Fixture *f, MiniOp between, bool timers)
{
    MiniMachine *m = f->m;
    MINI_PUT(m, 0x1000, mini(MINI_HALT, 0, 0, 0), mini(MINI_LD, 0, 4, 0), mini(between, 2, 2, 1),
        mini(MINI_BNE, 0, 1, -8), mini(MINI_ST, 0, 4, 8), mini(MINI_J, 0, 0, -20));
    MINI_PUT(m, 0x1800, mini(MINI_IPI, 0, 0, 1), mini(MINI_ADDI, 0, 0, 1), mini(MINI_BNE, 0, 1, -4),
        mini(MINI_ST, 0, 4, 0), mini(MINI_LD, 2, 4, 8), mini(MINI_BNE, 2, 1, -4), mini(MINI_BAD, 0, 0, 0));
    m->mini[0]->r[1] = 1000;
    m->mini[1]->r[1] = 1000;
    start(f, 1, 0x1000);
    wait_until_it_halts(f, 1);

    run_cpu_0_to_its_end(f, timers);

    assert_int_equal(m->mini[0]->r[2], 1000);
    assert_in_range(m->cpu[1]->lent, 1, 10);
}

static void a_borrowed_cpu_that_goes_on_and_on_is_given_back(void **state)
{
    g_autoptr(Fixture) f = fixture_new(*state, 2);

    run_one_that_looks_for_the_other(f, MINI_ADDI, true);
}

/* No timer fires here. */
static void a_borrowed_cpu_that_pauses_is_given_back(void **state)
{
    g_autoptr(Fixture) f = fixture_new(*state, 2);

    run_one_that_looks_for_the_other(f, MINI_PAUSE, false);
}

/*
 * CPU 0 halts with an interrupt that it does not take, so it goes on at once. It does not run CPU 1 meanwhile, which
 * it gave back before and whose thread does not come: CPU 1 looks for what it does then, so many times.
 */
static void a_cpu_that_has_no_reason_to_wait_runs_no_other(void **state)
{
    enum { TURNS = 100000 };
    const uint64_t none = 7, looks = strcmp(*state, "interp") == 0 ? 1000000 : 100000000; /* far more than a slice */
    g_autoptr(Fixture) f = fixture_new(*state, 2);
    MiniMachine *m = f->m;
    TcgCpu *other = m->cpu[1];
    uint64_t answer;
    MINI_PUT(m, 0x1000, mini(MINI_ADDI, 0, 0, 1), mini(MINI_LD, 3, 4, 0), mini(MINI_BNE, 3, 5, 8),
        mini(MINI_J, 0, 0, 8), mini(MINI_BNE, 0, 1, -16), mini(MINI_ST, 3, 4, 8), mini(MINI_HALT, 0, 0, 0));
    MINI_PUT(m, 0x1800, mini(MINI_IPI, 0, 0, 1), mini(MINI_ADDI, 0, 0, 1), mini(MINI_BNE, 0, 1, -4),
        mini(MINI_HALT, 0, 0, 0), mini(MINI_ST, 5, 4, 0), mini(MINI_BAD, 0, 0, 0));
    address_space_write(m->memory, MAIL + 8, &none, sizeof(none));
    m->mini[0]->r[1] = TURNS;
    m->mini[1]->r[1] = looks;
    m->mini[0]->r[5] = m->mini[1]->r[5] = 1;
    m->mini[0]->masks_interrupts = true;
    m->tcg->isa->set_input(&m->mini[0]->env, 0, true);
    m->mini[1]->env.pc = 0x1000;
    atomic_store(&other->wanted, CPU_RUNNING);
    atomic_store(&other->hold, HOLD_FREE);
    atomic_store(&other->waiting, 1);

    run_cpu_0_to_its_end(f, true);

    address_space_read(m->memory, MAIL + 8, &answer, sizeof(answer));
    assert_int_equal(answer, none);
    assert_int_equal(other->lent, 1);

    atomic_store(&other->hold, HOLD_THREAD);
    start(f, 1, 0x1000);
    wait_until_it_halts(f, 1);
    address_space_read(m->memory, MAIL + 8, &answer, sizeof(answer));
    assert_int_equal(answer, 1);
}

/* Each kicks the next one and halts; this thread kicks all, and they end while others may have them. */
static void cpus_that_kick_each_other_all_come_to_their_end(void **state)
{
    enum { CPUS = 4, TIMES = 2000 };
    g_autoptr(Fixture) f = fixture_new(*state, CPUS);
    MiniMachine *m = f->m;

    for (unsigned i = 0; i < CPUS; i++) {
        uint64_t at = 0x1000 + i * 0x100;
        MINI_PUT(m, at, mini(MINI_ADDI, 0, 0, 1), mini(MINI_IPI, 0, 0, (int)(i + 1) % CPUS), mini(MINI_AMO, 5, 4, 1),
            mini(MINI_HALT, 0, 0, 0), mini(MINI_BNE, 0, 1, -16), mini(MINI_BAD, 0, 0, 0));
        m->mini[i]->r[1] = TIMES;
        start(f, i, at);
    }
    while (atomic_load(&f->ended) < CPUS) {
        for (unsigned i = 0; i < CPUS; i++) {
            m->tcg->isa->set_input(&m->mini[i]->env, 0, true);
        }
        loop_poll();
    }

    uint64_t sum;
    address_space_read(m->memory, MAIL, &sum, sizeof(sum));
    assert_int_equal(sum, CPUS * TIMES);
    for (unsigned i = 0; i < CPUS; i++) {
        assert_int_equal(m->mini[i]->cause, MINI_ILLEGAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_ipi_is_answered_in_the_thread_of_its_sender),
        BOTH(a_cpu_that_was_reset_is_left_to_its_own_thread),
        BOTH(a_borrowed_cpu_that_goes_on_and_on_is_given_back),
        BOTH(a_borrowed_cpu_that_pauses_is_given_back),
        BOTH(a_cpu_that_has_no_reason_to_wait_runs_no_other),
        BOTH(cpus_that_kick_each_other_all_come_to_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
