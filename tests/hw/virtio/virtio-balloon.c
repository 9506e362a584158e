#include <string.h>

#include "tests/hw/virtio/driver.h"

enum { INFLATE, DEFLATE, REPORT, QUEUES, SIZE = 4 };
enum { PAGE = 4096 };
#define VICTIM (BENCH_RAM + 0x200000)

static Bench *start(void)
{
    Bench *bench = bench_new("{type: virtio-balloon, target: 8MiB}");

    driver_start(bench, FEATURE(5), QUEUES, SIZE);
    memset(driver_at(bench, VICTIM), 0xaa, 4 * PAGE);
    return bench;
}

static void send_pages(Bench *bench, unsigned queue, const uint32_t *pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t page = GUINT32_TO_LE(pages[i]);

        memcpy(driver_at(bench, DRIVER_BUFFERS + i * 4), &page, 4);
    }
    driver_set_desc(bench, queue, 0, DRIVER_BUFFERS, count * 4, 0, 0);
    driver_offer(bench, queue, SIZE, 0);
    driver_kick(bench, queue);
}

static void the_target_is_in_pages(void **state)
{
    g_autoptr(Bench) bench = start();

    assert_int_equal(bench_read(bench, 0, MMIO_CONFIG, 4), 8 * 256);
    bench_write(bench, 0, MMIO_CONFIG + 4, 4, 77);
    assert_int_equal(bench_read(bench, 0, MMIO_CONFIG + 4, 4), 77);
}

static void pages_in_the_balloon_are_given_back_and_others_kept(void **state)
{
    g_autoptr(Bench) bench = start();
    const uint32_t pages[] = { VICTIM / PAGE, VICTIM / PAGE + 2 };

    send_pages(bench, INFLATE, pages, G_N_ELEMENTS(pages));
    assert_int_equal(driver_used_count(bench, INFLATE), 1);
    assert_int_equal(*driver_at(bench, VICTIM), 0);
    assert_int_equal(*driver_at(bench, VICTIM + PAGE), 0xaa);
    assert_int_equal(*driver_at(bench, VICTIM + 2 * PAGE), 0);
    assert_int_equal(*driver_at(bench, VICTIM + 3 * PAGE), 0xaa);
}

static void deflating_changes_nothing(void **state)
{
    g_autoptr(Bench) bench = start();
    const uint32_t pages[] = { VICTIM / PAGE };

    send_pages(bench, DEFLATE, pages, 1);
    assert_int_equal(driver_used_count(bench, DEFLATE), 1);
    assert_int_equal(*driver_at(bench, VICTIM), 0xaa);
}

static void pages_that_are_not_ram_are_ignored(void **state)
{
    g_autoptr(Bench) bench = start();
    const uint32_t pages[] = { 0, UINT32_MAX, BENCH_RAM / PAGE - 1, VICTIM / PAGE };

    send_pages(bench, INFLATE, pages, G_N_ELEMENTS(pages));
    assert_int_equal(driver_used_count(bench, INFLATE), 1);
    assert_int_equal(*driver_at(bench, VICTIM), 0);
}

static void only_whole_reported_pages_are_given_back(void **state)
{
    g_autoptr(Bench) bench = start();

    driver_set_desc(bench, REPORT, 0, VICTIM + 1, 2 * PAGE, DESC_WRITE, 0);
    driver_offer(bench, REPORT, SIZE, 0);
    driver_kick(bench, REPORT);
    assert_int_equal(driver_used_count(bench, REPORT), 1);
    assert_int_equal(*driver_at(bench, VICTIM), 0xaa);
    assert_int_equal(*driver_at(bench, VICTIM + PAGE), 0);
    assert_int_equal(*driver_at(bench, VICTIM + 2 * PAGE), 0xaa);
}

static void a_list_of_too_many_pages_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start();

    driver_set_desc(bench, INFLATE, 0, BENCH_RAM, BENCH_RAM_SIZE, 0, 0);
    driver_offer(bench, INFLATE, SIZE, 0);
    driver_kick(bench, INFLATE);
    assert_true(driver_is_broken(bench));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_is_in_pages),
        cmocka_unit_test(pages_in_the_balloon_are_given_back_and_others_kept),
        cmocka_unit_test(deflating_changes_nothing),
        cmocka_unit_test(pages_that_are_not_ram_are_ignored),
        cmocka_unit_test(only_whole_reported_pages_are_given_back),
        cmocka_unit_test(a_list_of_too_many_pages_breaks_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
