#include <string.h>

#include "core/loop.h"
#include "tests/block/disk.h"
#include "tests/hw/virtio/driver.h"

enum { DISK = 1 << 20, QUEUE = 16 };
enum { T_IN, T_OUT, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP, S_NONE = 0xff };
#define F_RO FEATURE(5)
#define F_FLUSH FEATURE(9)
#define F_CONFIG_WCE FEATURE(11)
#define F_DISCARD FEATURE(13)
#define F_WRITE_ZEROES FEATURE(14)
enum { CONFIG_CAPACITY = 0, CONFIG_WRITEBACK = 32, CONFIG_QUEUES = 34 };

/* Where a request's parts lie in guest memory. */
#define HEADER_AT (DRIVER_BUFFERS)
#define STATUS_AT (DRIVER_BUFFERS + 0x100)
#define DATA_AT (DRIVER_BUFFERS + 0x1000)

typedef struct Rig {
    Bench *bench;
    Drive *drive;
    char *path;
} Rig;

static Rig rig_with(const char *yaml, DriveSpec spec, uint64_t features)
{
    Rig rig = { .path = disk_image("blk", DISK) };

    spec.path.text = rig.path;
    rig.drive = disk_open(&spec);
    bench_give_drive("disk", rig.drive);
    rig.bench = bench_new(yaml);
    driver_start(rig.bench, features, 1, QUEUE);
    return rig;
}

static Rig rig_new(const char *cache, uint64_t features)
{
    return rig_with(
        "{type: virtio-blk, drive: disk}", disk_spec(NULL, cache, AIO_THREADS), features);
}

static void rig_free(Rig *rig)
{
    bench_free(rig->bench);
    disk_close(rig->drive);
    disk_remove(rig->path);
}

static void wait_for_requests(Rig *rig)
{
    bool taken = machine_lock_ensure();

    drive_drain(rig->drive);
    machine_lock_restore(taken);
}

static void put_header(Rig *rig, uint32_t type, uint64_t sector)
{
    uint8_t *header = driver_at(rig->bench, HEADER_AT);
    uint32_t words[2] = { type, 0 };

    memcpy(header, words, 8);
    memcpy(header + 8, &sector, 8);
    *driver_at(rig->bench, STATUS_AT) = S_NONE;
}

static void start_request(Rig *rig, uint32_t type, uint64_t sector, uint32_t length, bool reads)
{
    put_header(rig, type, sector);
    driver_set_desc(rig->bench, 0, 0, HEADER_AT, 16, DESC_NEXT, length ? 1 : 2);
    driver_set_desc(rig->bench, 0, 1, DATA_AT, length, DESC_NEXT | (reads ? DESC_WRITE : 0), 2);
    driver_set_desc(rig->bench, 0, 2, STATUS_AT, 1, DESC_WRITE, 0);
    driver_offer(rig->bench, 0, QUEUE, 0);
    driver_kick(rig->bench, 0);
}

/* Gives the status. */
static unsigned request(Rig *rig, uint32_t type, uint64_t sector, uint32_t length, bool reads)
{
    start_request(rig, type, sector, length, reads);
    wait_for_requests(rig);
    return *driver_at(rig->bench, STATUS_AT);
}

static unsigned request_range(
    Rig *rig, uint32_t type, uint64_t sector, uint32_t count, uint32_t flags)
{
    uint32_t words[2] = { count, flags };

    memcpy(driver_at(rig->bench, DATA_AT), &sector, 8);
    memcpy(driver_at(rig->bench, DATA_AT) + 8, words, 8);
    return request(rig, type, 0, 16, false);
}

static void a_read_brings_the_sectors_asked_for(void **state)
{
    Rig rig = rig_new("writeback", 0);
    const uint8_t *data = driver_at(rig.bench, DATA_AT);

    assert_int_equal(request(&rig, T_IN, 5, 1024, true), S_OK);
    assert_int_equal(data[0], disk_pattern(5 * 512));
    assert_int_equal(data[1023], disk_pattern(5 * 512 + 1023));
    assert_int_equal(driver_used_count(rig.bench, 0), 1);
    assert_int_equal(driver_used(rig.bench, 0, QUEUE, 0).written, 1025);
    assert_int_not_equal(driver_interrupts(rig.bench), 0);
    rig_free(&rig);
}

static void what_is_written_is_read_again(void **state)
{
    Rig rig = rig_new("directsync", 0);
    uint8_t *data = driver_at(rig.bench, DATA_AT);

    memset(data, 0x5a, 4096);
    assert_int_equal(request(&rig, T_OUT, 16, 4096, false), S_OK);
    assert_int_equal(driver_used(rig.bench, 0, QUEUE, 0).written, 1);
    memset(data, 0, 4096);
    assert_int_equal(request(&rig, T_IN, 16, 4096, true), S_OK);
    assert_int_equal(data[0], 0x5a);
    assert_int_equal(data[4095], 0x5a);
    rig_free(&rig);
}

static void requests_off_the_disk_or_of_broken_length_are_errors(void **state)
{
    Rig rig = rig_new("writeback", 0);

    assert_int_equal(request(&rig, T_IN, DISK / 512, 512, true), S_IOERR);
    assert_int_equal(request(&rig, T_OUT, DISK / 512 - 1, 1024, false), S_IOERR);
    assert_int_equal(request(&rig, T_IN, UINT64_MAX, 512, true), S_IOERR);
    assert_int_equal(request(&rig, T_IN, UINT64_MAX / 512, 512, true), S_IOERR);
    assert_int_equal(request(&rig, T_IN, 0, 100, true), S_IOERR);
    assert_false(driver_is_broken(rig.bench));
    rig_free(&rig);
}

static void unknown_types_are_unsupported(void **state)
{
    Rig rig = rig_new("writeback", 0);

    assert_int_equal(request(&rig, 77, 0, 512, true), S_UNSUPP);
    assert_int_equal(request_range(&rig, T_DISCARD, 0, 8, 0), S_UNSUPP); /* not negotiated */
    rig_free(&rig);
}

static void a_request_without_room_for_its_status_breaks_the_device(void **state)
{
    Rig rig = rig_new("writeback", 0);

    put_header(&rig, T_OUT, 0);
    driver_set_desc(rig.bench, 0, 0, HEADER_AT, 16, 0, 0);
    driver_offer(rig.bench, 0, QUEUE, 0);
    driver_kick(rig.bench, 0);
    assert_true(driver_is_broken(rig.bench));
    rig_free(&rig);
}

static void the_serial_number_is_padded_with_zeroes(void **state)
{
    DriveSpec spec = disk_spec(NULL, "writeback", AIO_THREADS);
    Rig rig;

    spec.serial = "results";
    rig = rig_with("{type: virtio-blk, drive: disk}", spec, 0);
    memset(driver_at(rig.bench, DATA_AT), 'x', 20);
    assert_int_equal(request(&rig, T_GET_ID, 0, 20, true), S_OK);
    assert_memory_equal(driver_at(rig.bench, DATA_AT), "results\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    rig_free(&rig);
}

static void zeroes_and_discards_reach_the_disk(void **state)
{
    Rig rig = rig_new("none", F_DISCARD | F_WRITE_ZEROES);

    assert_int_equal(request_range(&rig, T_WRITE_ZEROES, 8, 8, 1), S_OK);
    assert_int_equal(request_range(&rig, T_DISCARD, 64, 8, 0), S_OK);
    assert_int_equal(request_range(&rig, T_DISCARD, 64, 8, 1), S_UNSUPP);
    assert_int_equal(request_range(&rig, T_DISCARD, DISK / 512 - 1, 2, 0), S_IOERR);
    assert_int_equal(request_range(&rig, T_WRITE_ZEROES, UINT64_MAX, 2, 0), S_IOERR);
    assert_int_equal(request(&rig, T_IN, 8, 4096, true), S_OK);
    assert_int_equal(*driver_at(rig.bench, DATA_AT), 0);
    rig_free(&rig);
}

static uint64_t offered(Rig *rig)
{
    bench_write(rig->bench, 0, MMIO_DEVICE_FEATURES_SEL, 4, 0);
    return bench_read(rig->bench, 0, MMIO_DEVICE_FEATURES, 4);
}

static void a_mode_without_a_cache_offers_none(void **state)
{
    static const char *const modes[] = { "writethrough", "directsync" };

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        Rig rig = rig_new(modes[i], 0);

        assert_int_equal(offered(&rig) & (F_FLUSH | F_CONFIG_WCE), 0);
        bench_write(rig.bench, 0, MMIO_CONFIG + CONFIG_WRITEBACK, 1, 1);
        assert_int_equal(bench_read(rig.bench, 0, MMIO_CONFIG + CONFIG_WRITEBACK, 1), 0);
        assert_false(drive_has_write_cache(rig.drive));
        rig_free(&rig);
    }
}

static uint64_t durable_writes(Rig *rig)
{
    BlockStats stats;

    drive_read_stats(rig->drive, &stats);
    return stats.durable_writes;
}

static void the_guest_may_switch_its_cache_off(void **state)
{
    Rig rig = rig_new("none", F_FLUSH | F_CONFIG_WCE);

    assert_int_equal(offered(&rig) & (F_FLUSH | F_CONFIG_WCE), F_FLUSH | F_CONFIG_WCE);
    assert_int_equal(bench_read(rig.bench, 0, MMIO_CONFIG + CONFIG_WRITEBACK, 1), 1);
    request(&rig, T_OUT, 0, 512, false);
    assert_int_equal(durable_writes(&rig), 0);
    bench_write(rig.bench, 0, MMIO_CONFIG + CONFIG_WRITEBACK, 1, 0);
    request(&rig, T_OUT, 0, 512, false);
    assert_int_equal(durable_writes(&rig), 1);
    rig_free(&rig);
}

static void a_driver_that_cannot_flush_gets_durable_writes(void **state)
{
    Rig rig = rig_new("writeback", 0);

    request(&rig, T_OUT, 0, 512, false);
    assert_int_equal(durable_writes(&rig), 1);
    rig_free(&rig);
}

static void a_read_only_drive_says_so_and_refuses(void **state)
{
    DriveSpec spec = disk_spec(NULL, "writeback", AIO_THREADS);
    Rig rig;

    spec.read_only = true;
    rig = rig_with("{type: virtio-blk, drive: disk}", spec, 0);
    assert_int_equal(offered(&rig) & (F_RO | F_DISCARD | F_WRITE_ZEROES), F_RO);
    assert_int_equal(request(&rig, T_OUT, 0, 512, false), S_IOERR);
    assert_int_equal(request(&rig, T_IN, 0, 512, true), S_OK);
    rig_free(&rig);
}

static void a_reset_waits_for_requests_and_returns_none(void **state)
{
    Rig rig = rig_new("directsync", 0);

    for (unsigned i = 0; i < 50; i++) {
        start_request(&rig, T_OUT, i * 8, 4096, false);
        bench_write(rig.bench, 0, MMIO_STATUS, 4, 0);
        *driver_at(rig.bench, STATUS_AT) = S_NONE;
        wait_for_requests(&rig);
        assert_int_equal(*driver_at(rig.bench, STATUS_AT), S_NONE);
        driver_start(rig.bench, 0, 1, QUEUE);
    }
    assert_int_equal(request(&rig, T_IN, 0, 512, true), S_OK);
    rig_free(&rig);
}

static void requests_on_several_queues_are_all_done(void **state)
{
    Rig rig = rig_with(
        "{type: virtio-blk, drive: disk, queues: 4}", disk_spec(NULL, "none", AIO_NATIVE), 0);

    assert_int_equal(bench_read(rig.bench, 0, MMIO_CONFIG + CONFIG_QUEUES, 2), 4);
    bench_write(rig.bench, 0, MMIO_STATUS, 4, 0);
    driver_start(rig.bench, FEATURE(12), 4, QUEUE);
    put_header(&rig, T_IN, 0);
    for (unsigned queue = 0; queue < 4; queue++) {
        driver_set_desc(rig.bench, queue, 0, HEADER_AT, 16, DESC_NEXT, 1);
        driver_set_desc(
            rig.bench, queue, 1, DATA_AT + queue * 4096, 512, DESC_NEXT | DESC_WRITE, 2);
        driver_set_desc(rig.bench, queue, 2, STATUS_AT + queue, 1, DESC_WRITE, 0);
        driver_offer(rig.bench, queue, QUEUE, 0);
        driver_kick(rig.bench, queue);
    }
    wait_for_requests(&rig);
    for (unsigned queue = 0; queue < 4; queue++) {
        assert_int_equal(driver_used_count(rig.bench, queue), 1);
    }
    rig_free(&rig);
}

/* Requests of one page each, all made available before the kick. */
static void offer_page(Rig *rig, uint32_t type, unsigned number, uint64_t sector)
{
    uint64_t at = DATA_AT + number * 0x2000;
    uint8_t *header = driver_at(rig->bench, at);
    unsigned desc = number * 3;

    memset(header, 0, 16);
    memcpy(header, &type, 4);
    memcpy(header + 8, &sector, 8);
    header[16] = S_NONE;
    driver_set_desc(rig->bench, 0, desc, at, 16, DESC_NEXT, desc + 1);
    driver_set_desc(rig->bench, 0, desc + 1, at + 0x1000, 4096,
        DESC_NEXT | (type == T_IN ? DESC_WRITE : 0), desc + 2);
    driver_set_desc(rig->bench, 0, desc + 2, at + 16, 1, DESC_WRITE, 0);
    driver_offer(rig->bench, 0, QUEUE, desc);
}

static const uint8_t *page_of(Rig *rig, unsigned number)
{
    return driver_at(rig->bench, DATA_AT + number * 0x2000 + 0x1000);
}

static BlockStats stats_of(Rig *rig)
{
    BlockStats stats;

    drive_read_stats(rig->drive, &stats);
    return stats;
}

static void requests_that_lie_beside_each_other_become_one_for_the_host(void **state)
{
    static const unsigned order[] = { 2, 0, 3, 1 }; /* any; and one that lies alone */
    Rig rig = rig_new("none", 0);

    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        offer_page(&rig, T_IN, i, order[i] * 8);
    }
    offer_page(&rig, T_IN, 4, 100);
    driver_kick(rig.bench, 0);
    wait_for_requests(&rig);

    assert_int_equal(driver_used_count(rig.bench, 0), 5);
    assert_int_equal(stats_of(&rig).ops[BLOCK_READ].done, 2);
    assert_int_equal(stats_of(&rig).merged, 3);
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        assert_int_equal(page_of(&rig, i)[9], disk_pattern(order[i] * 4096 + 9));
        assert_int_equal(page_of(&rig, i)[-0x1000 + 16], S_OK);
    }
    rig_free(&rig);
}

static void what_the_host_has_in_memory_is_read_before_the_kick_returns(void **state)
{
    Rig rig = rig_new("writeback", 0);

    for (unsigned i = 0; i < 5; i++) {
        offer_page(&rig, T_IN, i, i * 16);
    }
    driver_kick(rig.bench, 0);
    assert_int_equal(driver_used_count(rig.bench, 0), 5);
    assert_int_equal(stats_of(&rig).at_once, 5);
    assert_int_equal(page_of(&rig, 4)[9], disk_pattern(4 * 8192 + 9));
    rig_free(&rig);
}

static void the_cache_setting_survives_save_and_load(void **state)
{
    Rig rig = rig_new("none", F_FLUSH | F_CONFIG_WCE);

    bench_write(rig.bench, 0, MMIO_CONFIG + CONFIG_WRITEBACK, 1, 0);
    bench_save_and_load(rig.bench);
    assert_int_equal(bench_read(rig.bench, 0, MMIO_CONFIG + CONFIG_WRITEBACK, 1), 0);
    assert_false(drive_has_write_cache(rig.drive));
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_brings_the_sectors_asked_for),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(requests_off_the_disk_or_of_broken_length_are_errors),
        cmocka_unit_test(unknown_types_are_unsupported),
        cmocka_unit_test(a_request_without_room_for_its_status_breaks_the_device),
        cmocka_unit_test(the_serial_number_is_padded_with_zeroes),
        cmocka_unit_test(zeroes_and_discards_reach_the_disk),
        cmocka_unit_test(a_mode_without_a_cache_offers_none),
        cmocka_unit_test(the_guest_may_switch_its_cache_off),
        cmocka_unit_test(a_driver_that_cannot_flush_gets_durable_writes),
        cmocka_unit_test(a_read_only_drive_says_so_and_refuses),
        cmocka_unit_test(a_reset_waits_for_requests_and_returns_none),
        cmocka_unit_test(requests_on_several_queues_are_all_done),
        cmocka_unit_test(requests_that_lie_beside_each_other_become_one_for_the_host),
        cmocka_unit_test(what_the_host_has_in_memory_is_read_before_the_kick_returns),
        cmocka_unit_test(the_cache_setting_survives_save_and_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
