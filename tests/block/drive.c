#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block/cache.h"
#include "core/have.h"
#include "core/loop.h"
#include "tests/block/disk.h"

enum { KIB = 1024, MIB = 1024 * KIB, DISK = 1 * MIB };

static const struct {
    const char *cache;
    DriveAio aio;
} modes[] = {
    { "writeback", AIO_THREADS },
    { "none", AIO_THREADS },
    { "none", AIO_NATIVE },
    { "writethrough", AIO_THREADS },
    { "directsync", AIO_THREADS },
    { "directsync", AIO_NATIVE },
    { "unsafe", AIO_THREADS },
#ifdef HAVE_LIBURING
    { "writeback", AIO_IO_URING },
    { "none", AIO_IO_URING },
    { "writethrough", AIO_IO_URING },
    { "directsync", AIO_IO_URING },
    { "unsafe", AIO_IO_URING },
#endif
};

/* Random requests of any alignment beside the same ones done to memory. */
static void compare_with_memory(Drive *drive, uint8_t *model, unsigned count)
{
    g_autofree uint8_t *buffer = g_malloc(128 * KIB);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (unsigned i = 0; i < count; i++) {
        uint32_t length = g_rand_int_range(rand, 1, 100 * KIB);
        uint32_t at = g_rand_int_range(rand, 0, DISK - length);
        unsigned skew = g_rand_int_range(rand, 0, 64);

        if (g_rand_boolean(rand)) {
            memset(buffer + skew, i, length);
            memset(model + at, i, length);
            assert_int_equal(disk_do(drive, BLOCK_WRITE, at, buffer + skew, length), 0);
        } else if (i % 8 == 0) {
            memset(model + at, 0, length);
            assert_int_equal(disk_do(drive, BLOCK_ZERO, at, NULL, length), 0);
        } else {
            assert_int_equal(disk_do(drive, BLOCK_READ, at, buffer + skew, length), 0);
            assert_memory_equal(buffer + skew, model + at, length);
        }
    }
    assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0);
}

static void each_mode_and_engine_keeps_every_byte(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        char *path = disk_image("bytes", DISK);
        DriveSpec spec = disk_spec(path, modes[i].cache, modes[i].aio);
        Drive *drive = disk_open(&spec);
        g_autofree char *model = NULL;
        g_autofree char *after = NULL;
        size_t size;

        assert_true(g_file_get_contents(path, &model, NULL, NULL));
        compare_with_memory(drive, (uint8_t *)model, 100);
        disk_close(drive);

        assert_true(g_file_get_contents(path, &after, &size, NULL));
        assert_int_equal(size, DISK);
        assert_memory_equal(after, model, DISK);
        disk_remove(path);
    }
}

static void an_ephemeral_overlay_leaves_the_image_alone(void **state)
{
    char *path = disk_image("overlay", DISK);
    DriveSpec spec = disk_spec(path, "none", AIO_NATIVE);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    Drive *drive;

    assert_true(g_file_get_contents(path, &before, NULL, NULL));
    after = g_memdup2(before, DISK);
    spec.overlay = OVERLAY_EPHEMERAL;
    drive = disk_open(&spec);
    compare_with_memory(drive, (uint8_t *)after, 100);
    disk_close(drive);

    g_free(after);
    assert_true(g_file_get_contents(path, &after, NULL, NULL));
    assert_memory_equal(after, before, DISK);
    disk_remove(path);
}

static void a_drive_of_a_size_starts_empty(void **state)
{
    DriveSpec spec = disk_spec(NULL, "writeback", AIO_THREADS);
    uint8_t sector[512];
    Drive *drive;

    spec.size = (SpecNumber){ .value = DISK, .set = true };
    drive = disk_open(&spec);
    memset(sector, 1, sizeof(sector));
    assert_int_equal(drive_length(drive), DISK);
    assert_int_equal(disk_do(drive, BLOCK_READ, DISK - 512, sector, 512), 0);
    assert_int_equal(sector[0] | sector[511], 0);
    disk_close(drive);
}

static void requests_beyond_the_end_fail(void **state)
{
    char *path = disk_image("end", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    uint8_t sector[512] = { 0 };

    assert_int_equal(disk_do(drive, BLOCK_READ, DISK, sector, 512), -EIO);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, DISK - 256, sector, 512), -EIO);
    assert_int_equal(disk_do(drive, BLOCK_READ, UINT64_MAX - 256, sector, 512), -EINVAL);
    disk_close(drive);
    disk_remove(path);
}

static void note_end(DriveRequest *request, int result)
{
    request->done = NULL;
}

/* Whoever has the machine lock keeps nobody else's request from reaching the host. */
static void requests_run_while_somebody_has_the_machine_lock(void **state)
{
    char *path = disk_image("lock", DISK);
    DriveSpec spec = disk_spec(path, "none", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    g_autofree uint8_t *page = g_malloc(4096);
    struct iovec piece = { page, 4096 };
    DriveRequest request = { .io = { BLOCK_READ, 0, 0, 4096, { &piece, 1, 0 } }, .done = note_end };
    BlockStats stats;

    machine_lock();
    drive_submit(drive, &request);
    do {
        g_thread_yield();
        drive_read_stats(drive, &stats);
    } while (stats.ops[BLOCK_READ].done == 0);
    assert_non_null(request.done);
    drive_drain(drive);
    assert_null(request.done);
    machine_unlock();
    disk_close(drive);
    disk_remove(path);
}

static void a_read_only_drive_refuses_writes(void **state)
{
    char *path = disk_image("ro", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    uint8_t sector[512];
    Drive *drive;

    spec.read_only = true;
    drive = disk_open(&spec);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, 0, sector, 512), -EROFS);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, sector, 512), 0);
    disk_close(drive);
    disk_remove(path);
}

static void an_image_cut_off_while_in_use_gives_errors_not_zeroes(void **state)
{
    char *path = disk_image("cut", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    uint8_t sector[512];

    assert_int_equal(truncate(path, DISK / 2), 0);

    assert_int_equal(disk_do(drive, BLOCK_READ, DISK / 2, sector, 512), -EIO);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, sector, 512), 0);
    disk_close(drive);
    disk_remove(path);
}

static void a_missing_image_is_named(void **state)
{
    DriveSpec spec = disk_spec("/nowhere/disk.img", "writeback", AIO_THREADS);
    g_autofree char *said = disk_refusal(&spec);

    assert_non_null(strstr(said, "E220"));
    assert_non_null(strstr(said, "drive `disk`: `/nowhere/disk.img` does not exist"));
}

static void a_size_that_is_not_whole_sectors_is_refused_with_the_remedy(void **state)
{
    char *path = disk_image("odd", 1000);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    g_autofree char *said = disk_refusal(&spec);

    assert_non_null(strstr(said, "has 1000 bytes"));
    assert_non_null(strstr(said, "truncate -s 1024"));
    disk_remove(path);
}

/* ---- another cache mode, while it runs ---- */

static const char *const all_modes[] = { "writeback", "none", "writethrough", "directsync",
    "unsafe" };

static bool set_mode(Drive *drive, const char *word, GError **error)
{
    DriveCache cache;
    bool done;

    assert_true(cache_from_word(word, &cache));
    machine_lock();
    done = drive_set_cache(drive, &cache, error);
    machine_unlock();
    return done;
}

/* Is the descriptor of this file open with O_DIRECT? */
static bool is_direct(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    const char *fd;

    while ((fd = g_dir_read_name(dir))) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%s", fd);
        g_autofree char *target = g_file_read_link(link, NULL);
        g_autofree char *file = g_path_get_basename(path);

        if (target && g_str_has_suffix(target, file)) {
            return fcntl(atoi(fd), F_GETFL) & O_DIRECT;
        }
    }
    fail();
    return false;
}

/* What a write and a flush become, beside what the mode says. */
static void check_mode(Drive *drive, const char *path, const char *word, bool told_of_a_cache)
{
    g_autofree uint8_t *page = g_malloc0(4096);
    BlockStats before, after;
    DriveCache cache;

    assert_true(cache_from_word(word, &cache));
    drive_read_stats(drive, &before);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, 512, page, 4096), 0);
    assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0);
    drive_read_stats(drive, &after);
    assert_string_equal(drive_cache(drive)->word, word);
    assert_int_equal(is_direct(path), cache.direct);
    assert_int_equal(after.durable_writes - before.durable_writes,
        !cache.no_flush && (!cache.writeback || !told_of_a_cache));
    assert_int_equal(after.flushes_dropped - before.flushes_dropped, cache.no_flush);
    assert_int_equal(drive_offers_write_cache(drive), told_of_a_cache);
}

static void each_mode_becomes_each_other_one_and_keeps_its_promise(void **state)
{
    for (unsigned from = 0; from < G_N_ELEMENTS(all_modes); from++) {
        for (unsigned to = 0; to < G_N_ELEMENTS(all_modes); to++) {
            char *path = disk_image("change", DISK);
            DriveSpec spec = disk_spec(path, all_modes[from], AIO_THREADS);
            bool told = spec.cache.writeback;
            Drive *drive = disk_open(&spec);

            check_mode(drive, path, all_modes[from], told);
            assert_true(set_mode(drive, all_modes[to], NULL));
            check_mode(drive, path, all_modes[to], told);
            assert_true(set_mode(drive, all_modes[from], NULL));
            check_mode(drive, path, all_modes[from], told);
            disk_close(drive);
            disk_remove(path);
        }
    }
}

static void a_mode_that_the_engine_cannot_have_leaves_the_old_one(void **state)
{
    char *path = disk_image("keep", DISK);
    DriveSpec spec = disk_spec(path, "none", AIO_NATIVE);
    Drive *drive = disk_open(&spec);
    g_autoptr(GError) error = NULL;

    assert_false(set_mode(drive, "writeback", &error));
    assert_non_null(strstr(error->message, "aio native"));
    check_mode(drive, path, "none", true);
    assert_true(set_mode(drive, "directsync", NULL));
    check_mode(drive, path, "directsync", true);
    disk_close(drive);
    disk_remove(path);
}

static void a_file_that_is_no_multiple_of_blocks_cannot_become_direct(void **state)
{
    char *path = disk_image("odd", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    g_autoptr(GError) error = NULL;

    disk_close(drive);
    assert_int_equal(truncate(path, DISK - 512), 0);
    drive = disk_open(&spec);
    if (!set_mode(drive, "none", &error)) {
        assert_non_null(strstr(error->message, "multiple"));
        check_mode(drive, path, "writeback", true);
    }
    disk_close(drive);
    disk_remove(path);
}

static void requests_under_way_end_before_the_mode_changes(void **state)
{
    char *path = disk_image("busy", DISK);
    DriveSpec spec = disk_spec(path, "none", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    g_autofree uint8_t *bytes = g_malloc0(DISK);
    struct iovec piece = { bytes, DISK };
    DriveRequest requests[8];

    for (unsigned i = 0; i < 50; i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(requests); j++) {
            requests[j] = (DriveRequest){ .io = { BLOCK_WRITE, 0, 0, DISK, { &piece, 1, 0 } },
                .done = note_end };
            drive_submit(drive, &requests[j]);
        }
        assert_true(set_mode(drive, i % 2 ? "none" : "writeback", NULL));
        machine_lock();
        drive_drain(drive);
        machine_unlock();
        for (unsigned j = 0; j < G_N_ELEMENTS(requests); j++) {
            assert_int_equal(requests[j].result, 0);
        }
    }
    disk_close(drive);
    disk_remove(path);
}

static void native_without_a_direct_mode_is_refused(void **state)
{
    char *path = disk_image("aio", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_NATIVE);
    g_autofree char *said = disk_refusal(&spec);

    assert_non_null(strstr(said, "aio native"));
    disk_remove(path);
}

static void a_file_system_without_direct_io_is_refused_by_name(void **state)
{
    DriveSpec spec = disk_spec("/sys/kernel/btf/vmlinux", "directsync", AIO_NATIVE);
    g_autofree char *said = NULL;

    if (access(spec.path.text, R_OK) != 0) {
        skip();
    }
    spec.read_only = true;
    said = disk_refusal(&spec);
    assert_non_null(strstr(said, "E401"));
    assert_non_null(strstr(said, "(sysfs) that cannot do O_DIRECT"));
}

static void an_image_in_use_names_the_drive_that_has_it(void **state)
{
    char *path = disk_image("twice", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    g_autofree char *said = disk_refusal(&spec);

    assert_non_null(strstr(said, "E403"));
    assert_non_null(strstr(said, "in use by another drive of this machine"));
    disk_close(drive);
    disk_remove(path);
}

/* A process that holds the lock until the descriptor `release` is closed. */
static pid_t lock_elsewhere(const char *path, int *release)
{
    int ready[2], go[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    child = fork();
    if (child == 0) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path, O_RDWR);

        close(go[1]);
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1) {
            while (read(go[0], &byte, 1) > 0) {}
        }
        _exit(0);
    }
    close(go[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *release = go[1];
    return child;
}

static void an_image_in_use_names_the_process_that_has_it(void **state)
{
    char *path = disk_image("locked", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    int release;
    pid_t child = lock_elsewhere(path, &release);
    g_autofree char *said = disk_refusal(&spec);
    g_autofree char *process = g_strdup_printf("in use by process %d (", child);

    assert_non_null(strstr(said, process));
    close(release);
    waitpid(child, NULL, 0);
    disk_close(disk_open(&spec));
    disk_remove(path);
}

static void two_readers_may_share_an_image(void **state)
{
    char *path = disk_image("shared", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    Drive *one, *two;

    spec.read_only = true;
    one = disk_open(&spec);
    two = disk_open(&spec);
    disk_close(one);
    disk_close(two);
    disk_remove(path);
}

static void count_down(DriveRequest *request, int result)
{
    unsigned *left = request->io.memory.iov->iov_base;

    assert_true(machine_lock_held());
    assert_int_equal(result, 0);
    --*left;
}

static void a_drain_waits_for_all_and_calls_each_done(void **state)
{
    enum { COUNT = 500 };
    char *path = disk_image("drain", DISK);
    DriveSpec spec = disk_spec(path, "directsync", AIO_NATIVE);
    Drive *drive = disk_open(&spec);
    g_autofree DriveRequest *requests = g_new0(DriveRequest, COUNT);
    unsigned left = COUNT;
    struct iovec piece = { &left, sizeof(left) };

    machine_lock();
    for (unsigned i = 0; i < COUNT; i++) {
        requests[i].io = (BlockIo){ BLOCK_ZERO, 0, i * 512, 512, { &piece, 1, 0 } };
        requests[i].done = count_down;
        drive_submit(drive, &requests[i]);
    }
    drive_drain(drive);
    assert_int_equal(left, 0);
    machine_unlock();
    disk_close(drive);
    disk_remove(path);
}

static void statistics_say_what_happened(void **state)
{
    char *path = disk_image("stats", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    Drive *drive = disk_open(&spec);
    BlockStats stats;
    uint8_t sector[512] = { 0 };

    disk_do(drive, BLOCK_READ, 0, sector, 512);
    disk_do(drive, BLOCK_WRITE, 512, sector, 512);
    drive_read_stats(drive, &stats);
    assert_int_equal(stats.ops[BLOCK_READ].bytes, 512);
    assert_int_equal(stats.ops[BLOCK_WRITE].done, 1);
    assert_int_equal(stats.at_risk, 512);

    disk_do(drive, BLOCK_FLUSH, 0, NULL, 0);
    disk_do(drive, BLOCK_READ, DISK, sector, 512);
    drive_set_write_cache(drive, false);
    disk_do(drive, BLOCK_WRITE, 512, sector, 512);
    drive_read_stats(drive, &stats);
    assert_int_equal(stats.at_risk, 0);
    assert_int_equal(stats.ops[BLOCK_READ].failed, 1);
    assert_int_equal(stats.durable_writes, 1);
    disk_close(drive);
    disk_remove(path);
}

static void only_modes_with_a_cache_offer_one(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        char *path = disk_image("offer", DISK);
        DriveSpec spec = disk_spec(path, modes[i].cache, modes[i].aio);
        Drive *drive = disk_open(&spec);
        bool durable = strcmp(modes[i].cache, "writethrough") == 0 ||
            strcmp(modes[i].cache, "directsync") == 0;

        assert_int_equal(drive_offers_write_cache(drive), !durable);
        drive_set_write_cache(drive, true);
        assert_int_equal(drive_has_write_cache(drive), !durable);
        disk_close(drive);
        disk_remove(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_and_engine_keeps_every_byte),
        cmocka_unit_test(an_ephemeral_overlay_leaves_the_image_alone),
        cmocka_unit_test(a_drive_of_a_size_starts_empty),
        cmocka_unit_test(requests_beyond_the_end_fail),
        cmocka_unit_test(requests_run_while_somebody_has_the_machine_lock),
        cmocka_unit_test(a_read_only_drive_refuses_writes),
        cmocka_unit_test(an_image_cut_off_while_in_use_gives_errors_not_zeroes),
        cmocka_unit_test(a_missing_image_is_named),
        cmocka_unit_test(a_size_that_is_not_whole_sectors_is_refused_with_the_remedy),
        cmocka_unit_test(each_mode_becomes_each_other_one_and_keeps_its_promise),
        cmocka_unit_test(a_mode_that_the_engine_cannot_have_leaves_the_old_one),
        cmocka_unit_test(a_file_that_is_no_multiple_of_blocks_cannot_become_direct),
        cmocka_unit_test(requests_under_way_end_before_the_mode_changes),
        cmocka_unit_test(native_without_a_direct_mode_is_refused),
        cmocka_unit_test(a_file_system_without_direct_io_is_refused_by_name),
        cmocka_unit_test(an_image_in_use_names_the_drive_that_has_it),
        cmocka_unit_test(an_image_in_use_names_the_process_that_has_it),
        cmocka_unit_test(two_readers_may_share_an_image),
        cmocka_unit_test(a_drain_waits_for_all_and_calls_each_done),
        cmocka_unit_test(statistics_say_what_happened),
        cmocka_unit_test(only_modes_with_a_cache_offer_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
