#include "tests/hw/virtio/driver.h"

enum { SIZE = 8, FEATURES_OK = 8 };

static const char rng[] = "{type: virtio-rng, seed: 1}";

static uint64_t get(Bench *bench, unsigned reg)
{
    return bench_read(bench, 0, reg, 4);
}

static void set(Bench *bench, unsigned reg, uint64_t value)
{
    bench_write(bench, 0, reg, 4, value);
}

static void a_window_says_what_is_in_it(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    assert_int_equal(get(bench, MMIO_MAGIC), 0x74726976);
    assert_int_equal(get(bench, MMIO_VERSION), 2);
    assert_int_equal(get(bench, MMIO_DEVICE_ID), 4);
    set(bench, MMIO_DEVICE_FEATURES_SEL, 1);
    assert_int_equal(get(bench, MMIO_DEVICE_FEATURES), 1); /* VERSION_1 */
    set(bench, MMIO_DEVICE_FEATURES_SEL, 2);
    assert_int_equal(get(bench, MMIO_DEVICE_FEATURES), 0);
}

static void an_empty_window_has_device_0_and_no_queues(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: virtio-mmio}");

    assert_int_equal(get(bench, MMIO_MAGIC), 0x74726976);
    assert_int_equal(get(bench, MMIO_DEVICE_ID), 0);
    assert_int_equal(get(bench, MMIO_QUEUE_NUM_MAX), 0);
    set(bench, MMIO_STATUS, 15);
    set(bench, MMIO_QUEUE_NOTIFY, 0);
    set(bench, MMIO_QUEUE_READY, 1);
    assert_int_equal(get(bench, MMIO_STATUS), 0);
    assert_int_equal(bench_read(bench, 0, MMIO_CONFIG, 1), 0);
}

static void features_that_were_not_offered_are_refused(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    assert_int_equal(driver_begin(bench, FEATURE(5)) & FEATURES_OK, 0);
    assert_int_equal(driver_begin(bench, FEATURE(63)) & FEATURES_OK, 0);
    assert_int_equal(driver_begin(bench, 0) & FEATURES_OK, FEATURES_OK);
}

static void a_driver_without_version_1_is_refused(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    set(bench, MMIO_STATUS, 3);
    set(bench, MMIO_STATUS, 3 | FEATURES_OK);
    assert_int_equal(get(bench, MMIO_STATUS), 3);
}

static void accepted_features_cannot_be_changed(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    driver_begin(bench, 0);
    set(bench, MMIO_DRIVER_FEATURES_SEL, 0);
    set(bench, MMIO_DRIVER_FEATURES, (uint32_t)FEATURE_INDIRECT);
    driver_add_queue(bench, 0, SIZE);
    driver_ready(bench);
    driver_set_desc(bench, 0, 0, DRIVER_BUFFERS, 16, DESC_INDIRECT, 0);
    driver_offer(bench, 0, SIZE, 0);
    driver_kick(bench, 0);
    assert_true(driver_is_broken(bench)); /* an indirect table is still not allowed */
}

static void queues_that_are_not_there_are_not_available(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    driver_begin(bench, 0);
    for (uint64_t queue = 1; queue <= UINT32_MAX; queue = queue * 4 + 3) {
        set(bench, MMIO_QUEUE_SEL, queue);
        assert_int_equal(get(bench, MMIO_QUEUE_NUM_MAX), 0);
        set(bench, MMIO_QUEUE_NUM, SIZE);
        set(bench, MMIO_QUEUE_DESC, 0);
        set(bench, MMIO_QUEUE_READY, 1);
        assert_int_equal(get(bench, MMIO_QUEUE_READY), 0);
        set(bench, MMIO_QUEUE_NOTIFY, queue);
    }
    assert_false(driver_is_broken(bench));
}

static void a_queue_of_a_broken_size_breaks_the_device(void **state)
{
    static const uint32_t sizes[] = { 0, 3, 1024, 0x10000, UINT32_MAX };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(Bench) bench = bench_new(rng);

        driver_begin(bench, 0);
        driver_add_queue(bench, 0, sizes[i]);
        assert_true(driver_is_broken(bench));
    }
}

static void a_ring_outside_of_ram_or_not_aligned_breaks_the_device(void **state)
{
    static const struct {
        unsigned reg;
        uint32_t low, high;
    } bad[] = {
        { MMIO_QUEUE_DESC, 0, 0 },
        { MMIO_QUEUE_DRIVER, 0, 0x80000000 },
        { MMIO_QUEUE_DEVICE, 0xfffffffc, 0xffffffff },
        { MMIO_QUEUE_DEVICE, 0x83fffffc, 0 }, /* begins in RAM, and leaves it */
        { MMIO_QUEUE_DESC, 0x80000008, 0 },
        { MMIO_QUEUE_DRIVER, 0x80008001, 0 },
        { MMIO_QUEUE_DEVICE, 0x8000a002, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Bench) bench = bench_new(rng);

        driver_begin(bench, 0);
        driver_add_queue(bench, 0, SIZE);
        set(bench, MMIO_QUEUE_READY, 0);
        set(bench, MMIO_QUEUE_NUM, SIZE);
        set(bench, MMIO_QUEUE_DESC, (uint32_t)DRIVER_DESC_AT(0));
        set(bench, MMIO_QUEUE_DRIVER, (uint32_t)DRIVER_AVAILABLE_AT(0));
        set(bench, MMIO_QUEUE_DEVICE, (uint32_t)DRIVER_USED_AT(0));
        set(bench, bad[i].reg, bad[i].low);
        set(bench, bad[i].reg + 4, bad[i].high);
        set(bench, MMIO_QUEUE_READY, 1);
        assert_true(driver_is_broken(bench));
    }
}

static void a_queue_in_use_keeps_its_addresses(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    driver_start(bench, 0, 1, SIZE);
    set(bench, MMIO_QUEUE_DESC, 0x1000);
    set(bench, MMIO_QUEUE_NUM, 4);
    driver_set_desc(bench, 0, 0, DRIVER_BUFFERS, 16, DESC_WRITE, 0);
    driver_offer(bench, 0, SIZE, 0);
    driver_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), 1);
}

static void reset_forgets_queues_features_and_interrupts(void **state)
{
    g_autoptr(Bench) bench = bench_new(rng);

    driver_start(bench, 0, 1, SIZE);
    driver_set_desc(bench, 0, 0, DRIVER_BUFFERS, 16, DESC_WRITE, 0);
    driver_offer(bench, 0, SIZE, 0);
    driver_kick(bench, 0);
    assert_true(bench_irq(bench, 0));
    set(bench, MMIO_STATUS, 0);
    assert_false(bench_irq(bench, 0));
    assert_int_equal(get(bench, MMIO_QUEUE_READY), 0);
    assert_int_equal(driver_status(bench), 0);
    driver_offer(bench, 0, SIZE, 0);
    driver_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), 1);
}

static void configuration_beyond_its_end_reads_as_zero(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: virtio-balloon, target: 16MiB}");

    assert_int_equal(bench_read(bench, 0, MMIO_CONFIG, 8), 4096);
    assert_int_equal(bench_read(bench, 0, MMIO_CONFIG + 8, 8), 0);
    assert_int_equal(bench_read(bench, 0, MMIO_CONFIG + 0xff, 1), 0);
    bench_write(bench, 0, MMIO_CONFIG + 0xf8, 8, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_says_what_is_in_it),
        cmocka_unit_test(an_empty_window_has_device_0_and_no_queues),
        cmocka_unit_test(features_that_were_not_offered_are_refused),
        cmocka_unit_test(a_driver_without_version_1_is_refused),
        cmocka_unit_test(accepted_features_cannot_be_changed),
        cmocka_unit_test(queues_that_are_not_there_are_not_available),
        cmocka_unit_test(a_queue_of_a_broken_size_breaks_the_device),
        cmocka_unit_test(a_ring_outside_of_ram_or_not_aligned_breaks_the_device),
        cmocka_unit_test(a_queue_in_use_keeps_its_addresses),
        cmocka_unit_test(reset_forgets_queues_features_and_interrupts),
        cmocka_unit_test(configuration_beyond_its_end_reads_as_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
