#include "core/cpu.h"
#include "core/loop.h"
#include "tests/bench.h"

enum { DIST, CPU };
enum { IN_IRQ, IN_FIQ };

enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ISPENDR = 0x200,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
};
enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_AIAR = 0x20,
    GICC_DIR = 0x1000,
};

/* The CPU that the accesses after this come from. */
static void be_cpu(Bench *bench, unsigned cpu)
{
    cpu_set_current(machine_cpu(bench_machine(bench), cpu));
}

/* As Linux does: all in group 0, no mask. */
static Bench *start(void)
{
    Bench *bench = bench_new("{type: arm-gic-v2}");

    be_cpu(bench, 0);
    bench_write(bench, DIST, GICD_CTLR, 4, 1);
    for (unsigned cpu = BENCH_CPUS; cpu-- > 0;) {
        be_cpu(bench, cpu);
        bench_write(bench, DIST, GICD_ISENABLER, 4, 0xffffffff);
        bench_write(bench, CPU, GICC_PMR, 4, 0xf0);
        bench_write(bench, CPU, GICC_CTLR, 4, 1);
    }
    return bench;
}

static void enable_spi(Bench *bench, unsigned spi, unsigned priority, unsigned targets)
{
    unsigned id = spi + 32;

    bench_write(bench, DIST, GICD_IPRIORITYR + id, 1, priority);
    bench_write(bench, DIST, GICD_ITARGETSR + id, 1, targets);
    bench_write(bench, DIST, GICD_ISENABLER + id / 32 * 4, 4, 1u << id % 32);
}

static uint32_t take(Bench *bench)
{
    return bench_read(bench, CPU, GICC_IAR, 4);
}

static void a_shared_interrupt_goes_to_its_targets(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 5, 0x80, 1 << 1);
    bench_set_input(bench, "spi", 5, true);
    assert_true(bench_cpu_input(bench, 1, IN_IRQ));
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    bench_write(bench, DIST, GICD_ITARGETSR + 37, 1, 3);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(take(bench), 37);
    assert_false(bench_cpu_input(bench, 1, IN_IRQ));
}

static void a_level_interrupts_again_after_its_end_while_it_lasts(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 5, 0x80, 1);
    bench_set_input(bench, "spi", 5, true);
    assert_int_equal(bench_read(bench, CPU, GICC_HPPIR, 4), 37);
    assert_int_equal(take(bench), 37);
    assert_int_equal(bench_read(bench, CPU, GICC_RPR, 4), 0x80);
    assert_int_equal(take(bench), 1023);
    bench_write(bench, CPU, GICC_EOIR, 4, 37);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    bench_set_input(bench, "spi", 5, false);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
}

static void an_sgi_says_who_sent_it_and_waits_for_each_sender(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, DIST, GICD_SGIR, 4, 1 << 16 | 3); /* from 0 to 0 */
    be_cpu(bench, 1);
    bench_write(bench, DIST, GICD_SGIR, 4, 1 << 24 | 3); /* from 1 to all others */
    assert_false(bench_cpu_input(bench, 1, IN_IRQ));
    be_cpu(bench, 0);
    assert_int_equal(bench_read(bench, DIST, GICD_CPENDSGIR, 4), 0x03000000);
    assert_int_equal(take(bench), 3);
    bench_write(bench, CPU, GICC_EOIR, 4, 3);
    assert_int_equal(take(bench), 3 | 1 << 10);
    bench_write(bench, CPU, GICC_EOIR, 4, 3 | 1 << 10);
    assert_int_equal(take(bench), 1023);
}

static void a_pending_sgi_can_be_withdrawn(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, DIST, GICD_SGIR, 4, 2 << 24 | 5); /* to oneself */
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    bench_write(bench, DIST, GICD_CPENDSGIR + 5, 1, 1);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
}

static void a_private_line_interrupts_its_own_cpu(void **state)
{
    g_autoptr(Bench) bench = start();
    Cpu *cpu = machine_cpu(bench_machine(bench), 1);

    machine_lock();
    cpu->intc->set_private(cpu->intc_owner, 1, 14, true);
    machine_unlock();
    assert_true(bench_cpu_input(bench, 1, IN_IRQ));
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    be_cpu(bench, 1);
    assert_int_equal(take(bench), 30);
}

static void group_0_is_fiq_when_asked_for_and_group_1_is_only_hinted_at(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, DIST, GICD_CTLR, 4, 3);
    bench_write(bench, CPU, GICC_CTLR, 4, 0xb);
    bench_write(bench, DIST, GICD_IGROUPR + 4, 4, 1 << 2);
    enable_spi(bench, 1, 0x40, 1);
    enable_spi(bench, 2, 0x80, 1);
    bench_set_input(bench, "spi", 2, true);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(take(bench), 1022);
    bench_set_input(bench, "spi", 1, true);
    assert_true(bench_cpu_input(bench, 0, IN_FIQ));
    assert_int_equal(take(bench), 33);
    bench_write(bench, CPU, GICC_EOIR, 4, 33);
    bench_set_input(bench, "spi", 1, false);
    assert_int_equal(bench_read(bench, CPU, GICC_AIAR, 4), 34);
}

static void ending_and_deactivating_are_two_steps_in_eoi_mode_1(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, CPU, GICC_CTLR, 4, 0x201);
    enable_spi(bench, 5, 0x80, 1);
    bench_set_input(bench, "spi", 5, true);
    take(bench);
    bench_write(bench, CPU, GICC_EOIR, 4, 37);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    bench_write(bench, CPU, GICC_DIR, 4, 37);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
}

static void it_says_how_many_cpus_and_lines_there_are(void **state)
{
    g_autoptr(Bench) bench = start();

    assert_int_equal(bench_read(bench, DIST, GICD_TYPER, 4), 8 | (BENCH_CPUS - 1) << 5);
    assert_int_equal(bench_read(bench, DIST, GICD_ITARGETSR, 4), 0x01010101);
    bench_write(bench, DIST, GICD_ITARGETSR, 4, 0);
    be_cpu(bench, 1);
    assert_int_equal(bench_read(bench, DIST, GICD_ITARGETSR, 4), 0x02020202);
}

static void senders_survive_save_and_load(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, DIST, GICD_SGIR, 4, 1 << 16 | 3);
    bench_save_and_load(bench);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(take(bench), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_interrupt_goes_to_its_targets),
        cmocka_unit_test(a_level_interrupts_again_after_its_end_while_it_lasts),
        cmocka_unit_test(an_sgi_says_who_sent_it_and_waits_for_each_sender),
        cmocka_unit_test(a_pending_sgi_can_be_withdrawn),
        cmocka_unit_test(a_private_line_interrupts_its_own_cpu),
        cmocka_unit_test(group_0_is_fiq_when_asked_for_and_group_1_is_only_hinted_at),
        cmocka_unit_test(ending_and_deactivating_are_two_steps_in_eoi_mode_1),
        cmocka_unit_test(it_says_how_many_cpus_and_lines_there_are),
        cmocka_unit_test(senders_survive_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
