/* Messages: from an event of a device, by the guest's tables, to an interrupt of a CPU. */
#include <string.h>

#include "core/loop.h"
#include "tests/bench.h"

enum { DIST, REDIST, ITS };
enum { IN_IRQ };
enum {
    GITS_CTLR = 0,
    GITS_CBASER = 0x80,
    GITS_CWRITER = 0x88,
    GITS_CREADR = 0x90,
    GITS_BASER = 0x100
};
enum {
    GITS_TRANSLATER = 0x10040,
    GICR_CTLR = 0,
    PROPBASER = 0x70,
    PENDBASER = 0x78,
    STRIDE = 0x20000
};
enum {
    MOVI = 1,
    INT = 3,
    CLEAR = 4,
    MAPD = 8,
    MAPC = 9,
    MAPTI = 0xa,
    MAPI = 0xb,
    INV = 0xc,
    MOVALL = 0xe,
    DISCARD = 0xf
};

#define ICC(op1, crn, crm, op2) (3 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)
enum {
    PMR = ICC(0, 4, 6, 0),
    IAR1 = ICC(0, 12, 12, 0),
    EOIR1 = ICC(0, 12, 12, 1),
    RPR = ICC(0, 12, 11, 3),
    IGRPEN1 = ICC(0, 12, 12, 7)
};

#define VALID (UINT64_C(1) << 63)
enum {
    RING = 0x10000,
    DEVICES = 0x20000,
    COLLECTIONS = 0x30000,
    EVENTS = 0x40000,
    PROPERTIES = 0x50000,
    PENDING = 0x60000
}; /* in RAM */
enum { NOTHING = 1023 };

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

/* Puts one command into the ring and tells the ITS. */
static void command(Bench *bench, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
    uint64_t at = bench_read(bench, ITS, GITS_CWRITER, 8);
    const uint64_t words[4] = { w0, w1, w2, w3 };

    memcpy(bench_ram(bench) + RING + at, words, sizeof(words));
    bench_write(bench, ITS, GITS_CWRITER, 8, (at + 32) % 4096);
    assert_int_equal(bench_read(bench, ITS, GITS_CREADR, 8), (at + 32) % 4096);
}

/* Tables and ring; device 5 has 16 events, collections 0 and 1 are the CPUs. */
static Bench *start(void)
{
    Bench *bench = bench_new("{type: arm-gic-v3}");

    bench_write(bench, DIST, 0, 4, 3);
    bench_write(bench, ITS, GITS_CBASER, 8, VALID | (BENCH_RAM + RING));
    bench_write(bench, ITS, GITS_BASER, 8, VALID | (BENCH_RAM + DEVICES));
    bench_write(bench, ITS, GITS_BASER + 8, 8, VALID | (BENCH_RAM + COLLECTIONS));
    bench_write(bench, ITS, GITS_CTLR, 4, 1);
    for (unsigned cpu = 0; cpu < BENCH_CPUS; cpu++) {
        icc_write(bench, cpu, PMR, 0xf0);
        icc_write(bench, cpu, IGRPEN1, 1);
        bench_write(bench, REDIST, cpu * STRIDE + PROPBASER, 8, (BENCH_RAM + PROPERTIES) | 15);
        bench_write(
            bench, REDIST, cpu * STRIDE + PENDBASER, 8, BENCH_RAM + PENDING + cpu * 0x10000);
        bench_write(bench, REDIST, cpu * STRIDE + GICR_CTLR, 4, 1);
        command(bench, MAPC, 0, VALID | cpu << 16 | cpu, 0);
    }
    command(bench, MAPD | UINT64_C(5) << 32, 3, VALID | (BENCH_RAM + EVENTS), 0);
    return bench;
}

static void map(Bench *bench, unsigned event, unsigned interrupt, unsigned collection)
{
    bench_ram(bench)[PROPERTIES + interrupt - 8192] = 0xa0 | 1;
    command(bench, MAPTI | UINT64_C(5) << 32, event | (uint64_t)interrupt << 32, collection, 0);
}

static void send(Bench *bench, unsigned event)
{
    command(bench, INT | UINT64_C(5) << 32, event, 0, 0);
}

static void an_event_interrupts_the_cpu_of_its_collection_once(void **state)
{
    g_autoptr(Bench) bench = start();

    map(bench, 2, 8200, 1);
    assert_false(bench_cpu_input(bench, 1, IN_IRQ));
    send(bench, 2);
    assert_true(bench_cpu_input(bench, 1, IN_IRQ));
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 1, IAR1), 8200);
    assert_int_equal(icc_read(bench, 1, RPR), 0xa0);
    assert_int_equal(icc_read(bench, 1, IAR1), NOTHING);
    icc_write(bench, 1, EOIR1, 8200);
    assert_int_equal(icc_read(bench, 1, RPR), 0xff);
    assert_int_equal(icc_read(bench, 1, IAR1), NOTHING);
}

static void a_message_waits_until_its_property_enables_it(void **state)
{
    g_autoptr(Bench) bench = start();

    map(bench, 0, 9000, 0);
    bench_ram(bench)[PROPERTIES + 9000 - 8192] = 0xa0;
    send(bench, 0);
    assert_int_equal(icc_read(bench, 0, IAR1), NOTHING);
    bench_ram(bench)[PROPERTIES + 9000 - 8192] = 0x41;
    command(bench, INV | UINT64_C(5) << 32, 0, 0, 0);
    assert_true(bench_cpu_input(bench, 0, IN_IRQ));
    assert_int_equal(icc_read(bench, 0, IAR1), 9000);
    assert_int_equal(icc_read(bench, 0, RPR), 0x40);
}

static void the_highest_priority_comes_first(void **state)
{
    g_autoptr(Bench) bench = start();

    map(bench, 0, 8192, 0);
    map(bench, 1, 65535, 0);
    bench_ram(bench)[PROPERTIES + 65535 - 8192] = 0x21;
    send(bench, 0);
    send(bench, 1);
    assert_int_equal(icc_read(bench, 0, IAR1), 65535);
    assert_int_equal(icc_read(bench, 0, IAR1), NOTHING);
    icc_write(bench, 0, EOIR1, 65535);
    assert_int_equal(icc_read(bench, 0, IAR1), 8192);
}

static void a_pending_message_moves_with_its_event(void **state)
{
    g_autoptr(Bench) bench = start();

    map(bench, 3, 8300, 0);
    send(bench, 3);
    command(bench, MOVI | UINT64_C(5) << 32, 3, 1, 0);
    assert_int_equal(icc_read(bench, 0, IAR1), NOTHING);
    assert_int_equal(icc_read(bench, 1, IAR1), 8300);
    icc_write(bench, 1, EOIR1, 8300);
    send(bench, 3);
    command(bench, MOVALL, 0, 1 << 16, 0);
    assert_int_equal(icc_read(bench, 1, IAR1), NOTHING);
    assert_int_equal(icc_read(bench, 0, IAR1), 8300);
}

static void clearing_and_discarding_take_it_back(void **state)
{
    g_autoptr(Bench) bench = start();

    map(bench, 1, 8201, 0);
    send(bench, 1);
    command(bench, CLEAR | UINT64_C(5) << 32, 1, 0, 0);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    send(bench, 1);
    command(bench, DISCARD | UINT64_C(5) << 32, 1, 0, 0);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
    send(bench, 1);
    assert_false(bench_cpu_input(bench, 0, IN_IRQ));
}

static void a_write_to_the_doorbell_is_an_event_of_device_0(void **state)
{
    g_autoptr(Bench) bench = start();

    command(bench, MAPD, 3, VALID | (BENCH_RAM + EVENTS + 0x1000), 0);
    bench_ram(bench)[PROPERTIES + 1] = 0xa1;
    command(bench, MAPTI, 7 | UINT64_C(8193) << 32, 0, 0);
    bench_write(bench, ITS, GITS_TRANSLATER, 4, 7);
    assert_int_equal(icc_read(bench, 0, IAR1), 8193);
}

static void commands_about_what_is_not_there_do_nothing(void **state)
{
    g_autoptr(Bench) bench = start();

    send(bench, 2);                                                     /* not mapped */
    command(bench, INT | UINT64_C(6) << 32, 0, 0, 0);                   /* no such device */
    command(bench, INT | UINT64_C(0xffffffff) << 32, 0xffffffff, 0, 0); /* beyond the tables */
    command(bench, MAPC, 0, VALID | UINT64_C(9) << 16 | 3, 0);          /* no such CPU */
    command(
        bench, MAPTI | UINT64_C(5) << 32, 16 | UINT64_C(8192) << 32, 0, 0); /* too big an event */
    command(bench, MAPD | UINT64_C(7) << 32, 3, VALID | UINT64_C(0xfffffffff0000), 0);
    command(bench, INT | UINT64_C(7) << 32, 0, 0, 0); /* events outside RAM */
    command(bench, 0xee, 0, 0, 0);
    map(bench, 4, 100, 0); /* an interrupt that is no message */
    send(bench, 4);
    for (unsigned cpu = 0; cpu < BENCH_CPUS; cpu++) {
        assert_false(bench_cpu_input(bench, cpu, IN_IRQ));
    }
    bench_write(bench, ITS, GITS_CWRITER, 8, UINT64_MAX); /* outside the ring: nothing is run */
    assert_int_not_equal(
        bench_read(bench, ITS, GITS_CREADR, 8), bench_read(bench, ITS, GITS_CWRITER, 8));
}

static void what_was_pending_before_is_in_the_guests_table(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: arm-gic-v3}");

    bench_write(bench, DIST, 0, 4, 3);
    icc_write(bench, 0, PMR, 0xf0);
    icc_write(bench, 0, IGRPEN1, 1);
    bench_ram(bench)[PROPERTIES + 8] = 0xa1;
    bench_ram(bench)[PENDING + 8200 / 8] = 1;
    bench_write(bench, REDIST, PROPBASER, 8, (BENCH_RAM + PROPERTIES) | 15);
    bench_write(bench, REDIST, PENDBASER, 8, BENCH_RAM + PENDING);
    bench_write(bench, REDIST, GICR_CTLR, 4, 1);
    assert_int_equal(icc_read(bench, 0, IAR1), 8200);
}

static void messages_survive_save_and_load(void **state)
{
    g_autoptr(Bench) bench = start();

    map(bench, 2, 8200, 1);
    send(bench, 2);
    bench_save_and_load(bench);
    assert_true(bench_cpu_input(bench, 1, IN_IRQ));
    assert_int_equal(icc_read(bench, 1, IAR1), 8200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_interrupts_the_cpu_of_its_collection_once),
        cmocka_unit_test(a_message_waits_until_its_property_enables_it),
        cmocka_unit_test(the_highest_priority_comes_first),
        cmocka_unit_test(a_pending_message_moves_with_its_event),
        cmocka_unit_test(clearing_and_discarding_take_it_back),
        cmocka_unit_test(a_write_to_the_doorbell_is_an_event_of_device_0),
        cmocka_unit_test(commands_about_what_is_not_there_do_nothing),
        cmocka_unit_test(what_was_pending_before_is_in_the_guests_table),
        cmocka_unit_test(messages_survive_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
