#include "core/loop.h"
#include "tests/bench.h"

enum { DIST, REDIST };
enum { IN_IRQ, IN_FIQ };

enum {
    CTLR = 0x0,
    TYPER = 0x4,
    IGROUPR = 0x80,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ISACTIVER = 0x300,
    IPRIORITYR = 0x400,
    ICFGR = 0xc00,
    IROUTER = 0x6000,
    PIDR2 = 0xffe8,
};
enum { GICR_TYPER = 0x8, GICR_WAKER = 0x14, SGI_FRAME = 0x10000, REDIST_STRIDE = 0x20000 };

#define ICC(op1, crn, crm, op2) (3 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)
enum {
    PMR = ICC(0, 4, 6, 0),
    IAR0 = ICC(0, 12, 8, 0),
    EOIR0 = ICC(0, 12, 8, 1),
    BPR1 = ICC(0, 12, 12, 3),
    DEACTIVATE = ICC(0, 12, 11, 1),
    RPR = ICC(0, 12, 11, 3),
    SGI1R = ICC(0, 12, 11, 5),
    IAR1 = ICC(0, 12, 12, 0),
    EOIR1 = ICC(0, 12, 12, 1),
    HPPIR1 = ICC(0, 12, 12, 2),
    ICC_CTLR = ICC(0, 12, 12, 4),
    SRE = ICC(0, 12, 12, 5),
    IGRPEN0 = ICC(0, 12, 12, 6),
    IGRPEN1 = ICC(0, 12, 12, 7),
};

static const char gic[] = "{type: arm-gic-v3}";

static uint64_t icc_read(Bench *bench, unsigned cpu, uint32_t reg)
{
    Cpu *c = machine_cpu(bench_machine(bench), cpu);
    uint64_t value;

    machine_lock();
    assert_true(c->intc->read(c->intc_owner, cpu, reg, &value));
    machine_unlock();
    return value;
}

static void icc_write(Bench *bench, unsigned cpu, uint32_t reg, uint64_t value)
{
    Cpu *c = machine_cpu(bench_machine(bench), cpu);

    machine_lock();
    assert_true(c->intc->write(c->intc_owner, cpu, reg, value));
    machine_unlock();
}

/* As Linux does: all in group 1, no mask. */
static Bench *start(void)
{
    Bench *bench = bench_new(gic);

    bench_write(bench, DIST, CTLR, 4, 3);
    for (unsigned bank = 1; bank <= 8; bank++) {
        bench_write(bench, DIST, IGROUPR + bank * 4, 4, 0xffffffff);
    }
    for (unsigned cpu = 0; cpu < BENCH_CPUS; cpu++) {
        bench_write(bench, REDIST, cpu * REDIST_STRIDE + SGI_FRAME + IGROUPR, 4, 0xffffffff);
        icc_write(bench, cpu, PMR, 0xf0);
        icc_write(bench, cpu, IGRPEN1, 1);
        icc_write(bench, cpu, IGRPEN0, 1);
    }
    return bench;
}

static void enable_spi(Bench *bench, unsigned spi, unsigned priority, unsigned cpu)
{
    unsigned id = spi + 32;

    bench_write(bench, DIST, IPRIORITYR + id, 1, priority);
    bench_write(bench, DIST, IROUTER + id * 8, 8, cpu);
    bench_write(bench, DIST, ISENABLER + id / 32 * 4, 4, 1u << id % 32);
}

static void a_shared_interrupt_goes_where_it_is_routed(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 5, 0x80, 1);
    bench_set_input(bench, "spi", 5, true);
    assert_true(bench_cpu_input(bench, 1, IN_IRQ));
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    bench_write(bench, DIST, IROUTER + 37 * 8, 4, 0);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_false(bench_cpu_input(bench, 1, IN_IRQ));
    bench_write(bench, DIST, IROUTER + 37 * 8 + 4, 4, 1); /* affinity 3: nobody */
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
}

static void a_level_interrupts_again_after_its_end_while_it_lasts(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 5, 0x80, 0);
    bench_set_input(bench, "spi", 5, true);
    assert_int_equal(icc_read(bench, 0, HPPIR1), 37);
    assert_int_equal(icc_read(bench, 0, IAR1), 37);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 0, RPR), 0x80);
    assert_int_equal(icc_read(bench, 0, IAR1), 1023);
    icc_write(bench, 0, EOIR1, 37);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    bench_set_input(bench, "spi", 5, false);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 0, RPR), 0xff);
}

static void an_edge_is_taken_once(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, DIST, ICFGR + 8, 4, 2 << 10);
    enable_spi(bench, 5, 0x80, 0);
    bench_set_input(bench, "spi", 5, true);
    bench_set_input(bench, "spi", 5, false);
    assert_int_equal(icc_read(bench, 0, IAR1), 37);
    icc_write(bench, 0, EOIR1, 37);
    assert_int_equal(icc_read(bench, 0, IAR1), 1023);
}

static void a_higher_priority_preempts_and_a_lower_one_waits(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 1, 0x80, 0);
    enable_spi(bench, 2, 0x40, 0);
    enable_spi(bench, 3, 0xa0, 0);
    bench_set_input(bench, "spi", 1, true);
    assert_int_equal(icc_read(bench, 0, IAR1), 33);
    bench_set_input(bench, "spi", 3, true);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    bench_set_input(bench, "spi", 2, true);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 0, IAR1), 34);
    assert_int_equal(icc_read(bench, 0, RPR), 0x40);
    icc_write(bench, 0, EOIR1, 34);
    assert_int_equal(icc_read(bench, 0, RPR), 0x80);
}

static void the_mask_holds_back_what_is_not_below_it(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 1, 0x80, 0);
    bench_set_input(bench, "spi", 1, true);
    icc_write(bench, 0, PMR, 0x80);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    icc_write(bench, 0, PMR, 0x88);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
}

static void group_0_arrives_as_fiq(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_write(bench, DIST, IGROUPR + 4, 4, 0);
    enable_spi(bench, 1, 0x80, 0);
    bench_set_input(bench, "spi", 1, true);
    assert_true(bench_cpu_input(bench, 0, IN_FIQ));
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 0, IAR1), 1023);
    assert_int_equal(icc_read(bench, 0, IAR0), 33);
}

static void a_private_line_interrupts_its_own_cpu(void **state)
{
    g_autoptr(Bench) bench = start();
    Cpu *cpu = machine_cpu(bench_machine(bench), 1);

    bench_write(bench, REDIST, REDIST_STRIDE + SGI_FRAME + ISENABLER, 4, 1 << 27);
    machine_lock();
    cpu->intc->set_private(cpu->intc_owner, 1, 11, true);
    machine_unlock();
    assert_true(bench_cpu_input(bench, 1, IN_IRQ));
    assert_int_equal(icc_read(bench, 1, IAR1), 27);
    assert_int_equal(bench_read(bench, REDIST, REDIST_STRIDE + SGI_FRAME + ISACTIVER, 4), 1 << 27);
    assert_int_equal(bench_read(bench, REDIST, SGI_FRAME + ISACTIVER, 4), 0);
}

static void a_cpu_interrupts_those_in_its_list_or_all_others(void **state)
{
    g_autoptr(Bench) bench = start();

    for (unsigned cpu = 0; cpu < BENCH_CPUS; cpu++) {
        bench_write(bench, REDIST, cpu * REDIST_STRIDE + SGI_FRAME + ISENABLER, 4, 0xffff);
    }
    icc_write(bench, 0, SGI1R, UINT64_C(3) << 24 | 1 << 1);
    assert_int_equal(icc_read(bench, 1, IAR1), 3);
    icc_write(bench, 1, EOIR1, 3);
    icc_write(bench, 1, SGI1R, UINT64_C(1) << 40 | UINT64_C(4) << 24);
    assert_int_equal(icc_read(bench, 0, IAR1), 4);
    assert_int_equal(icc_read(bench, 1, IAR1), 1023);
    icc_write(bench, 0, SGI1R, UINT64_C(1) << 16 | 3); /* another cluster: nobody is there */
    assert_int_equal(icc_read(bench, 1, IAR1), 1023);
}

static void ending_and_deactivating_are_two_steps_in_eoi_mode_1(void **state)
{
    g_autoptr(Bench) bench = start();

    icc_write(bench, 0, ICC_CTLR, 2);
    enable_spi(bench, 5, 0x80, 0);
    bench_set_input(bench, "spi", 5, true);
    icc_read(bench, 0, IAR1);
    icc_write(bench, 0, EOIR1, 37);
    assert_int_equal(icc_read(bench, 0, RPR), 0xff);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    icc_write(bench, 0, DEACTIVATE, 37);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
}

static void software_can_make_an_interrupt_pending(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 255, 0x80, 0);
    bench_write(bench, DIST, ISPENDR + 8 * 4, 4, 1u << 31);
    assert_int_equal(bench_read(bench, DIST, ISPENDR + 8 * 4, 4), 1u << 31);
    assert_int_equal(icc_read(bench, 0, IAR1), 287);
    assert_int_equal(bench_read(bench, DIST, ISPENDR + 8 * 4, 4), 0);
}

static void it_says_what_it_is(void **state)
{
    g_autoptr(Bench) bench = start();

    assert_int_equal(bench_read(bench, DIST, CTLR, 4), 0x53);
    assert_int_equal(bench_read(bench, DIST, TYPER, 4) & 31, 8);
    assert_int_equal(bench_read(bench, DIST, PIDR2, 4) >> 4, 3);
    assert_int_equal(bench_read(bench, REDIST, GICR_TYPER, 8), 1);
    assert_int_equal(
        bench_read(bench, REDIST, REDIST_STRIDE + GICR_TYPER, 8), UINT64_C(0x100000111));
    assert_int_equal(icc_read(bench, 0, SRE), 7);
    assert_int_equal(bench_read(bench, REDIST, GICR_WAKER, 4), 6);
    bench_write(bench, REDIST, GICR_WAKER, 4, 0);
    assert_int_equal(bench_read(bench, REDIST, GICR_WAKER, 4), 0);
}

static void what_is_not_there_reads_as_zero_in_every_size(void **state)
{
    g_autoptr(Bench) bench = start();

    for (unsigned size = 1; size <= 8; size *= 2) {
        for (uint64_t at = 0; at < 0x10000; at += 0x80) {
            bench_write(bench, REDIST, 7 * REDIST_STRIDE + at, size, UINT64_MAX);
            assert_int_equal(bench_read(bench, REDIST, 7 * REDIST_STRIDE + at, size), 0);
        }
        assert_int_equal(bench_read(bench, DIST, ISENABLER, size), 0);
        assert_int_equal(bench_read(bench, DIST, 0xd00, size), 0);
    }
}

static void active_and_pending_interrupts_survive_save_and_load(void **state)
{
    g_autoptr(Bench) bench = start();

    enable_spi(bench, 1, 0x80, 0);
    enable_spi(bench, 2, 0x40, 0);
    bench_set_input(bench, "spi", 1, true);
    icc_read(bench, 0, IAR1);
    bench_set_input(bench, "spi", 2, true);
    bench_save_and_load(bench);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 0, RPR), 0x80);
    assert_int_equal(icc_read(bench, 0, IAR1), 34);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_interrupt_goes_where_it_is_routed),
        cmocka_unit_test(a_level_interrupts_again_after_its_end_while_it_lasts),
        cmocka_unit_test(an_edge_is_taken_once),
        cmocka_unit_test(a_higher_priority_preempts_and_a_lower_one_waits),
        cmocka_unit_test(the_mask_holds_back_what_is_not_below_it),
        cmocka_unit_test(group_0_arrives_as_fiq),
        cmocka_unit_test(a_private_line_interrupts_its_own_cpu),
        cmocka_unit_test(a_cpu_interrupts_those_in_its_list_or_all_others),
        cmocka_unit_test(ending_and_deactivating_are_two_steps_in_eoi_mode_1),
        cmocka_unit_test(software_can_make_an_interrupt_pending),
        cmocka_unit_test(it_says_what_it_is),
        cmocka_unit_test(what_is_not_there_reads_as_zero_in_every_size),
        cmocka_unit_test(active_and_pending_interrupts_survive_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
