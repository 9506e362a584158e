/* Rings as they should be, and every way in which a guest can break them; over virtio-rng. */
#include <string.h>

#include "tests/hw/virtio/driver.h"

enum { SIZE = 8, LENGTH = 64 };

static const char rng[] = "{type: virtio-rng, seed: 1}";

static Bench *start_rng(uint64_t features)
{
    Bench *bench = bench_new(rng);

    driver_start(bench, features, 1, SIZE);
    return bench;
}

/* One buffer for the device to write, at its own place. */
static void set_buffer(Bench *bench, unsigned index, unsigned flags, unsigned next)
{
    driver_set_desc(
        bench, 0, index, DRIVER_BUFFERS + index * 0x1000, LENGTH, DESC_WRITE | flags, next);
}

static void offer_and_kick(Bench *bench, unsigned head)
{
    driver_offer(bench, 0, SIZE, head);
    driver_kick(bench, 0);
}

static bool is_random(Bench *bench, uint64_t at, size_t length)
{
    static const uint8_t zeroes[0x1000];

    return memcmp(driver_at(bench, at), zeroes, length) != 0;
}

/* After a break nothing moves until the reset, and everything does after it. */
static void assert_broken_until_reset(Bench *bench)
{
    assert_true(driver_is_broken(bench));
    assert_int_equal(driver_used_count(bench, 0), 0);
    assert_int_equal(driver_interrupts(bench) & 2, 2);
    offer_and_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), 0);

    driver_start(bench, 0, 1, SIZE);
    set_buffer(bench, 0, 0, 0);
    offer_and_kick(bench, 0);
    assert_false(driver_is_broken(bench));
    assert_int_equal(driver_used_count(bench, 0), 1);
}

/* ---- as it should be ---- */

static void a_buffer_is_filled_and_returned(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    set_buffer(bench, 3, 0, 0);
    offer_and_kick(bench, 3);
    assert_int_equal(driver_used_count(bench, 0), 1);
    assert_int_equal(driver_used(bench, 0, SIZE, 0).head, 3);
    assert_int_equal(driver_used(bench, 0, SIZE, 0).written, LENGTH);
    assert_true(is_random(bench, DRIVER_BUFFERS + 0x3000, LENGTH));
    assert_true(bench_irq(bench, 0));
    assert_int_equal(driver_interrupts(bench), 1);
    assert_false(bench_irq(bench, 0));
}

static void a_chain_is_one_buffer_in_pieces(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    set_buffer(bench, 0, DESC_NEXT, 5);
    set_buffer(bench, 5, DESC_NEXT, 2);
    set_buffer(bench, 2, 0, 0);
    offer_and_kick(bench, 0);
    assert_int_equal(driver_used(bench, 0, SIZE, 0).written, 3 * LENGTH);
    assert_true(is_random(bench, DRIVER_BUFFERS + 0x5000, LENGTH));
    assert_true(is_random(bench, DRIVER_BUFFERS + 0x2000, LENGTH));
}

static void rings_wrap_around(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    for (unsigned i = 0; i < 3 * SIZE + 1; i++) {
        set_buffer(bench, i % SIZE, 0, 0);
        offer_and_kick(bench, i % SIZE);
        assert_int_equal(driver_used_count(bench, 0), i + 1);
        assert_int_equal(driver_used(bench, 0, SIZE, i).head, i % SIZE);
    }
}

static void an_indirect_table_is_followed(void **state)
{
    g_autoptr(Bench) bench = start_rng(FEATURE_INDIRECT);
    uint64_t table = DRIVER_BUFFERS + 0x10000;

    driver_write_desc(bench, table, 0, DRIVER_BUFFERS, LENGTH, DESC_WRITE | DESC_NEXT, 2);
    driver_write_desc(bench, table, 2, DRIVER_BUFFERS + 0x1000, LENGTH, DESC_WRITE, 0);
    driver_set_desc(bench, 0, 0, table, 3 * 16, DESC_INDIRECT, 0);
    offer_and_kick(bench, 0);
    assert_int_equal(driver_used(bench, 0, SIZE, 0).written, 2 * LENGTH);
}

static void no_interrupt_comes_when_the_driver_wants_none(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    *driver_at(bench, DRIVER_AVAILABLE_AT(0)) = 1;
    set_buffer(bench, 0, 0, 0);
    offer_and_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), 1);
    assert_false(bench_irq(bench, 0));
}

/* virtio 1.2, 2.7.7.2: an interrupt when the used index passes the one in used_event. */
static void the_event_index_says_when_to_interrupt_and_when_to_kick(void **state)
{
    g_autoptr(Bench) bench = start_rng(FEATURE_EVENT_INDEX);
    uint8_t *used_event = driver_at(bench, DRIVER_AVAILABLE_AT(0) + 4 + SIZE * 2);
    uint8_t *available_event = driver_at(bench, DRIVER_USED_AT(0) + 4 + SIZE * 8);

    *used_event = 2;
    for (unsigned i = 0; i < 4; i++) {
        set_buffer(bench, i, 0, 0);
    }
    offer_and_kick(bench, 0);
    assert_int_equal(driver_interrupts(bench), 0);
    assert_int_equal(*available_event, 1);
    offer_and_kick(bench, 1);
    assert_int_equal(driver_interrupts(bench), 0);
    offer_and_kick(bench, 2);
    assert_int_equal(driver_interrupts(bench), 1);
    offer_and_kick(bench, 3);
    assert_int_equal(driver_interrupts(bench), 0);
    assert_int_equal(*available_event, 4);
}

static void buffers_wait_for_driver_ok(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    driver_begin(bench, 0);
    driver_add_queue(bench, 0, SIZE);
    set_buffer(bench, 0, 0, 0);
    offer_and_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), 0);
    driver_ready(bench);
    assert_int_equal(driver_used_count(bench, 0), 1);
}

static void a_queue_goes_on_after_save_and_load(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    set_buffer(bench, 0, 0, 0);
    set_buffer(bench, 1, 0, 0);
    offer_and_kick(bench, 0);
    bench_save_and_load(bench);
    offer_and_kick(bench, 1);
    assert_int_equal(driver_used_count(bench, 0), 2);
    assert_int_equal(driver_used(bench, 0, SIZE, 1).head, 1);
}

/* ---- as a hostile guest does it ---- */

static void a_buffer_outside_of_ram_breaks_the_device(void **state)
{
    static const struct {
        uint64_t at;
        uint32_t length;
    } bad[] = {
        { 0, LENGTH },
        { BENCH_RAM - 1, LENGTH },
        { BENCH_RAM + BENCH_RAM_SIZE - LENGTH + 1, LENGTH },
        { UINT64_MAX - 8, LENGTH },
        { BENCH_RAM, UINT32_MAX },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Bench) bench = start_rng(0);

        driver_set_desc(bench, 0, 0, bad[i].at, bad[i].length, DESC_WRITE, 0);
        offer_and_kick(bench, 0);
        assert_broken_until_reset(bench);
    }
}

static void a_loop_of_descriptors_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    set_buffer(bench, 0, DESC_NEXT, 1);
    set_buffer(bench, 1, DESC_NEXT, 0);
    offer_and_kick(bench, 0);
    assert_broken_until_reset(bench);
}

static void a_descriptor_outside_of_the_table_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    set_buffer(bench, 0, DESC_NEXT, SIZE);
    offer_and_kick(bench, 0);
    assert_broken_until_reset(bench);
}

static void a_head_outside_of_the_table_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    offer_and_kick(bench, 0xffff);
    assert_broken_until_reset(bench);
}

static void more_buffers_than_the_ring_holds_break_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    *driver_at(bench, DRIVER_AVAILABLE_AT(0) + 2) = SIZE + 1;
    driver_kick(bench, 0);
    assert_broken_until_reset(bench);
}

static void a_readable_buffer_after_a_writable_one_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    set_buffer(bench, 0, DESC_NEXT, 1);
    driver_set_desc(bench, 0, 1, DRIVER_BUFFERS, LENGTH, 0, 0);
    offer_and_kick(bench, 0);
    assert_broken_until_reset(bench);
}

static void a_chain_of_too_many_bytes_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(FEATURE_INDIRECT);
    uint64_t table = DRIVER_BUFFERS;
    unsigned count = 100;

    for (unsigned i = 0; i < count; i++) {
        driver_write_desc(bench, table, i, BENCH_RAM, BENCH_RAM_SIZE,
            DESC_WRITE | (i + 1 < count ? DESC_NEXT : 0), i + 1);
    }
    driver_set_desc(bench, 0, 0, table, count * 16, DESC_INDIRECT, 0);
    offer_and_kick(bench, 0);
    assert_broken_until_reset(bench);
}

typedef struct BadTable {
    uint64_t features;
    uint32_t length;
    unsigned flags;       /* of the descriptor that names the table */
    unsigned inner_flags; /* of the one in it */
    uint64_t at;
} BadTable;

static void a_broken_indirect_table_breaks_the_device(void **state)
{
    static const uint64_t table = DRIVER_BUFFERS;
    const BadTable bad[] = {
        { 0, 16, 0, DESC_WRITE, table },                            /* not negotiated */
        { FEATURE_INDIRECT, 0, 0, DESC_WRITE, table },              /* empty */
        { FEATURE_INDIRECT, 24, 0, DESC_WRITE, table },             /* a half descriptor */
        { FEATURE_INDIRECT, 0xfffffff0, 0, DESC_WRITE, table },     /* larger than RAM */
        { FEATURE_INDIRECT, 16, 0, DESC_WRITE, 0x1000 },            /* outside of RAM */
        { FEATURE_INDIRECT, 16, DESC_NEXT, DESC_WRITE, table },     /* with a successor */
        { FEATURE_INDIRECT, 16, 0, DESC_INDIRECT, table },          /* one inside the other */
        { FEATURE_INDIRECT, 16, 0, DESC_WRITE | DESC_NEXT, table }, /* next is outside */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Bench) bench = start_rng(bad[i].features);

        driver_write_desc(bench, table, 0, table, LENGTH, bad[i].inner_flags, 1);
        driver_set_desc(bench, 0, 0, bad[i].at, bad[i].length, DESC_INDIRECT | bad[i].flags, 1);
        offer_and_kick(bench, 0);
        assert_broken_until_reset(bench);
    }
}

static void a_chain_of_too_many_buffers_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start_rng(FEATURE_INDIRECT);
    uint64_t table = DRIVER_BUFFERS;
    unsigned count = 1025;

    for (unsigned i = 0; i < count; i++) {
        driver_write_desc(
            bench, table, i, BENCH_RAM, 1, DESC_WRITE | (i + 1 < count ? DESC_NEXT : 0), i + 1);
    }
    driver_set_desc(bench, 0, 0, table, count * 16, DESC_INDIRECT, 0);
    offer_and_kick(bench, 0);
    assert_broken_until_reset(bench);
}

static void empty_buffers_are_returned_unwritten(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    driver_set_desc(bench, 0, 0, 0, 0, DESC_WRITE, 0);
    offer_and_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), 1);
    assert_int_equal(driver_used(bench, 0, SIZE, 0).written, 0);
}

static void rings_that_overlap_do_no_harm(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    driver_begin(bench, 0);
    driver_add_queue(bench, 0, SIZE);
    bench_write(bench, 0, MMIO_QUEUE_READY, 4, 0);
    for (unsigned i = 0; i < 3; i++) {
        bench_write(bench, 0, MMIO_QUEUE_NUM, 4, SIZE);
        bench_write(bench, 0, MMIO_QUEUE_DESC + 0x10 * i, 4, (uint32_t)DRIVER_DESC_AT(0));
        bench_write(bench, 0, MMIO_QUEUE_DESC + 0x10 * i + 4, 4, 0);
    }
    bench_write(bench, 0, MMIO_QUEUE_READY, 4, 1);
    driver_ready(bench);
    driver_set_desc(bench, 0, 0, DRIVER_DESC_AT(0), 0x1000, DESC_WRITE, 0);
    driver_kick(bench, 0);
    bench_advance(bench, 1000);
    bench_write(bench, 0, MMIO_STATUS, 4, 0);
    assert_int_equal(driver_status(bench), 0);
}

/* A device that writes its own available ring makes work for itself without end. */
static void a_kick_ends_though_buffers_keep_coming(void **state)
{
    g_autoptr(Bench) bench = start_rng(0);

    driver_set_desc(bench, 0, 0, DRIVER_BUFFERS, 1, DESC_WRITE, 0);
    for (unsigned i = 0; i < SIZE; i++) {
        driver_offer(bench, 0, SIZE, 0);
    }
    driver_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), SIZE);
    driver_offer(bench, 0, SIZE, 0);
    bench_advance(bench, 1000); /* the rest of a full ring comes later, without a kick */
    assert_int_equal(driver_used_count(bench, 0), SIZE + 1);
    assert_false(driver_is_broken(bench));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_is_filled_and_returned),
        cmocka_unit_test(a_chain_is_one_buffer_in_pieces),
        cmocka_unit_test(rings_wrap_around),
        cmocka_unit_test(an_indirect_table_is_followed),
        cmocka_unit_test(no_interrupt_comes_when_the_driver_wants_none),
        cmocka_unit_test(the_event_index_says_when_to_interrupt_and_when_to_kick),
        cmocka_unit_test(buffers_wait_for_driver_ok),
        cmocka_unit_test(a_queue_goes_on_after_save_and_load),
        cmocka_unit_test(a_buffer_outside_of_ram_breaks_the_device),
        cmocka_unit_test(a_loop_of_descriptors_breaks_the_device),
        cmocka_unit_test(a_descriptor_outside_of_the_table_breaks_the_device),
        cmocka_unit_test(a_head_outside_of_the_table_breaks_the_device),
        cmocka_unit_test(more_buffers_than_the_ring_holds_break_the_device),
        cmocka_unit_test(a_readable_buffer_after_a_writable_one_breaks_the_device),
        cmocka_unit_test(a_chain_of_too_many_bytes_breaks_the_device),
        cmocka_unit_test(a_broken_indirect_table_breaks_the_device),
        cmocka_unit_test(a_chain_of_too_many_buffers_breaks_the_device),
        cmocka_unit_test(empty_buffers_are_returned_unwritten),
        cmocka_unit_test(rings_that_overlap_do_no_harm),
        cmocka_unit_test(a_kick_ends_though_buffers_keep_coming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
