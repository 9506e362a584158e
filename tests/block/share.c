/* One node that several drives use. */
#include "tests/test.h"

#include <string.h>

#include "block/cache.h"
#include "block/share.h"
#include "core/block-spec.h"
#include "core/loop.h"
#include "tests/block/disk.h"

enum { DISK = 1 << 20, PAGE = 4096, ROUNDS = 50, PARTS = 16 };

static BlockSpec shared_file(const char *path, const char *cache)
{
    DriveSpec like = disk_spec(path, cache, AIO_THREADS);

    return (BlockSpec){ .name = "disk",
        .driver.text = "file",
        .path.text = path,
        .cache = like.cache,
        .aio = like.aio,
        .shared = true };
}

static DriveSpec drive_on(const BlockSpec *graph, const char *cache)
{
    DriveSpec spec = disk_spec(NULL, cache, AIO_THREADS);

    spec.graph = graph;
    return spec;
}

static void what_one_drive_writes_the_other_reads(void **state)
{
    char *path = disk_image("share", DISK);
    BlockSpec node = shared_file(path, "none");
    DriveSpec spec = drive_on(&node, "none");
    g_autofree uint8_t *page = g_malloc(PAGE);
    Drive *one = disk_open(&spec), *two = disk_open(&spec); /* though the file is locked */

    memset(page, 0x77, PAGE);
    assert_int_equal(disk_do(one, BLOCK_WRITE, 512, page, PAGE), 0);
    memset(page, 0, PAGE);
    assert_int_equal(disk_do(two, BLOCK_READ, 512, page, PAGE), 0);
    assert_int_equal(page[0] & page[PAGE - 1], 0x77);
    disk_close(one);
    assert_int_equal(disk_do(two, BLOCK_ZERO, 512, NULL, PAGE), 0);
    assert_int_equal(disk_do(two, BLOCK_READ, 512, page, PAGE), 0);
    assert_int_equal(page[0] | page[PAGE - 1], 0);
    disk_close(two);

    one = disk_open(&spec); /* the lock is gone with the last one */
    disk_close(one);
    disk_remove(path);
}

/* ---- writes that overlap ---- */

typedef struct Write {
    DriveRequest request;
    struct iovec pieces[PARTS];
    uint8_t *bytes;
    bool over; /* atomic */
} Write;

static void write_over(DriveRequest *request, int result)
{
    Write *w = (Write *)request;

    assert_int_equal(result, 0);
    __atomic_store_n(&w->over, true, __ATOMIC_RELEASE);
}

static void wait_for(Write *w)
{
    while (!__atomic_load_n(&w->over, __ATOMIC_ACQUIRE)) {
        loop_poll();
    }
}

/* The whole disk, in pieces that the host may write one by one. */
static void write_begin(Drive *drive, Write *w, uint8_t value)
{
    memset(w->bytes, value, DISK);
    __atomic_store_n(&w->over, false, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < PARTS; i++) {
        w->pieces[i] = (struct iovec){ w->bytes + i * (DISK / PARTS), DISK / PARTS };
    }
    w->request = (DriveRequest){ .io = { BLOCK_WRITE, 0, 0, DISK, { w->pieces, PARTS, 0 } },
        .done = write_over };
    drive_submit(drive, &w->request);
}

static void writes_that_overlap_take_turns_whoever_they_come_from(void **state)
{
    char *path = disk_image("turns", DISK);
    BlockSpec node = shared_file(path, "none");
    DriveSpec spec = drive_on(&node, "none");
    Drive *drives[] = { disk_open(&spec), disk_open(&spec) };
    Write writes[2] = { { .bytes = g_malloc(DISK) }, { .bytes = g_malloc(DISK) } };
    g_autofree uint8_t *seen = g_malloc(DISK);

    for (unsigned i = 0; i < ROUNDS; i++) {
        write_begin(drives[0], &writes[0], 1);
        write_begin(drives[1], &writes[1], 2);
        wait_for(&writes[0]);
        wait_for(&writes[1]);
        assert_int_equal(disk_do(drives[0], BLOCK_READ, 0, seen, DISK), 0);
        assert_memory_equal(seen, seen[0] == 1 ? writes[0].bytes : writes[1].bytes, DISK);
    }
    for (unsigned i = 0; i < 2; i++) {
        disk_close(drives[i]);
        g_free(writes[i].bytes);
    }
    disk_remove(path);
}

static void a_format_lies_on_a_shared_file(void **state)
{
    char *path = disk_image("below", DISK);
    BlockSpec file = shared_file(path, "writeback");
    BlockSpec raw = { .name = "raw",
        .driver.text = "raw",
        .cache = file.cache,
        .children = { &file },
        .child_count = 1 };
    DriveSpec spec = drive_on(&raw, "writeback"), whole = drive_on(&file, "writeback");
    Drive *one = disk_open(&spec), *two = disk_open(&whole);
    uint8_t page[PAGE];

    assert_int_equal(disk_do(one, BLOCK_READ, PAGE, page, PAGE), 0);
    assert_int_equal(page[5], disk_pattern(PAGE + 5));
    assert_int_equal(disk_do(two, BLOCK_FLUSH, 0, NULL, 0), 0);
    disk_close(two);
    disk_close(one);
    disk_remove(path);
}

static void a_shared_node_that_cannot_be_opened_is_reported(void **state)
{
    BlockSpec node = shared_file("/nowhere/disk.img", "writeback");
    DriveSpec spec = drive_on(&node, "writeback");
    g_autofree char *said = disk_refusal(&spec);

    assert_non_null(strstr(said, "does not exist"));
}

/* Nothing is under way while the mode changes, whoever it comes from, and it is kept or refused. */
static void a_shared_node_changes_its_mode_between_requests(void **state)
{
    static const char *const words[] = { "none", "writeback", "unsafe", "directsync" };
    char *path = disk_image("mode", DISK);
    BlockSpec node = shared_file(path, "none");
    DriveSpec spec = drive_on(&node, "none");
    Drive *drives[] = { disk_open(&spec), disk_open(&spec) };
    Write writes[2] = { { .bytes = g_malloc(DISK) }, { .bytes = g_malloc(DISK) } };
    DriveCache cache, now;

    for (unsigned i = 0; i < ROUNDS; i++) {
        write_begin(drives[0], &writes[0], 1);
        write_begin(drives[1], &writes[1], 2);
        assert_true(cache_from_word(words[i % G_N_ELEMENTS(words)], &cache));
        machine_lock();
        assert_true(share_change_cache("disk", &cache, NULL));
        machine_unlock();
        assert_true(share_cache("disk", &now) && cache_is_same(&now, &cache));
        wait_for(&writes[0]);
        wait_for(&writes[1]);
    }
    machine_lock();
    assert_true(cache_from_word("none", &cache) && share_change_cache("disk", &cache, NULL));
    assert_true(cache_from_word("writethrough", &cache)); /* the node is direct */
    assert_false(drive_set_cache(drives[0], &cache, NULL));
    assert_true(share_change_cache("disk", &cache, NULL));
    assert_true(drive_set_cache(drives[0], &cache, NULL));
    assert_false(share_change_cache("other", &cache, NULL));
    machine_unlock();
    for (unsigned i = 0; i < 2; i++) {
        disk_close(drives[i]);
        g_free(writes[i].bytes);
    }
    disk_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_drive_writes_the_other_reads),
        cmocka_unit_test(writes_that_overlap_take_turns_whoever_they_come_from),
        cmocka_unit_test(a_shared_node_changes_its_mode_between_requests),
        cmocka_unit_test(a_format_lies_on_a_shared_file),
        cmocka_unit_test(a_shared_node_that_cannot_be_opened_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
