/* Logs of writes: what the filter puts into one, and what a reader makes of it. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "block/cache.h"
#include "block/power-log.h"
#include "core/block-spec.h"

enum { KIB = 1024, DISK = 64 * KIB, PAGE = 4 * KIB, SECTOR = 512, MS = 1000 * 1000 };

typedef struct Scene {
    IoLoop *loop;
    const char *log_path;
    BlockNode *top;
    bool flushed;
} Scene;

static const DriveCache writeback = { .word = "writeback", .writeback = true };

static char *new_path(void)
{
    const char *build = g_getenv("BUILD");

    return g_strdup_printf("%s/power-log-%d", build ? build : "/var/tmp", getpid());
}

/* ---- writing ---- */

/* A disk in memory whose flushes take a while, under the filter. */
static BlockNode *open_logged(const Scene *s)
{
    static const BlockRule slow = { .op = "flush", .delay_ns = 20 * MS };
    static const BlockSpec rules = { .rules = &slow, .rule_count = 1 };
    g_autoptr(GByteArray) bytes = g_byte_array_set_size(g_byte_array_new(), DISK);
    BlockOptions options = { .memory = bytes, .cache = writeback };
    BlockOptions of_debug = { .spec = &rules, .cache = writeback };
    BlockOptions of_log = { .path = s->log_path, .create = true, .cache = writeback };
    BlockNode *disk = block_open(s->loop, block_driver_find("memory"), &options, NULL, NULL, NULL);
    BlockNode *debug = block_open(
        s->loop, block_driver_find("blkdebug"), &of_debug, disk, NULL, NULL);
    BlockNode *log = block_open(s->loop, block_driver_find("file"), &of_log, NULL, NULL, NULL);
    BlockOptions of_filter = { .others = (BlockNode *[]){ log, NULL }, .cache = writeback };

    assert_non_null(log);
    return block_open(s->loop, block_driver_find("log-writes"), &of_filter, debug, NULL, NULL);
}

static void flush_main(void *data)
{
    Scene *s = data;

    assert_int_equal(block_flush(s->top), 0);
    s->flushed = true;
}

static void write_byte(BlockNode *node, uint64_t at, size_t length, unsigned flags)
{
    g_autofree uint8_t *data = g_malloc(length);

    memset(data, 0x5a, length);
    assert_int_equal(block_write(node, at, data, length, flags), 0);
}

/* One write, a flush, a write and a discard that end before it does, and a part of a sector. */
static void write_main(void *data)
{
    Scene *s = data;

    s->top = open_logged(s);
    write_byte(s->top, 0, PAGE, 0);
    coroutine_enter(coroutine_new(flush_main, s));
    write_byte(s->top, PAGE, PAGE, BLOCK_DURABLE);
    assert_int_equal(
        block_io(s->top, &(BlockIo){ .op = BLOCK_DISCARD, .at = 2 * PAGE, .length = PAGE }), 0);
    write_byte(s->top, 3 * PAGE + 100, 10, 0);
    while (!s->flushed) {
        io_loop_sleep(s->loop, MS);
    }
    block_unref(s->top);
}

static PowerLog *record(const char *path, const char *mode)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);
    Scene s = { .loop = loop, .log_path = path };
    DriveCache cache;
    PowerLog *log;

    unlink(path);
    assert_true(cache_from_word(mode, &cache));
    io_loop_run(loop, write_main, &s);
    log = power_log_open(path, &cache, NULL);
    assert_non_null(log);
    return log;
}

static const PowerChange *change_of(const PowerLog *log, unsigned index)
{
    assert_in_range(index, 0, log->changes->len - 1);
    return &g_array_index(log->changes, PowerChange, index);
}

static void a_change_that_ends_during_a_flush_stands_behind_it(void **state)
{
    g_autofree char *path = new_path();
    g_autoptr(PowerLog) log = record(path, "writeback");

    assert_int_equal(log->points, 5); /* write, flush, write, discard, write */
    assert_int_equal(log->changes->len, 4);
    assert_int_equal(change_of(log, 0)->stable, 2);
    assert_int_equal(change_of(log, 1)->at, PAGE);
    assert_int_equal(change_of(log, 1)->began, 1); /* while the flush was not logged yet */
    assert_int_equal(change_of(log, 1)->stable, 3);
    assert_true(change_of(log, 2)->zeroes);
    assert_int_equal(change_of(log, 2)->stable, UINT64_MAX);
    unlink(path);
}

static void a_part_of_a_sector_is_logged_as_all_of_it(void **state)
{
    g_autofree char *path = new_path();
    g_autoptr(PowerLog) log = record(path, "writeback");

    assert_int_equal(change_of(log, 3)->at, 3 * PAGE);
    assert_int_equal(change_of(log, 3)->length, SECTOR);
    unlink(path);
}

static void a_cache_mode_says_what_is_stable(void **state)
{
    g_autofree char *path = new_path();
    g_autoptr(PowerLog) durable = record(path, "directsync");
    g_autoptr(PowerLog) unsafe = record(path, "unsafe");

    assert_int_equal(power_log_stable(durable, 0, durable->points), 4);
    assert_int_equal(power_log_stable(durable, 0, 3), 2);
    assert_int_equal(power_log_stable(unsafe, 0, unsafe->points), 0);
    unlink(path);
}

/* ---- reading what is not one ---- */

static char *refusal(const char *path, const void *bytes, size_t length)
{
    g_autoptr(GError) error = NULL;

    assert_true(g_file_set_contents(path, bytes, length, NULL));
    assert_null(power_log_open(path, &writeback, &error));
    return g_strdup(error->message);
}

static void damaged_logs_are_refused(void **state)
{
    g_autofree char *path = new_path();
    uint8_t bytes[3 * SECTOR] = { 0 };
    PowerLogHead head = { POWER_LOG_MAGIC, POWER_LOG_VERSION, 1, SECTOR };
    static const struct {
        PowerLogEntry entry;
        uint64_t entries;
        uint32_t sector;
        const char *said;
    } cases[] = {
        { { 0, 8, 0, PAGE }, 1, SECTOR, "entry 0 of the log is cut off" },
        { { 0, 1, 0, 100 }, 1, SECTOR, "entry 0 of the log has not as much data as it says" },
        { { UINT64_MAX / 2, 1, 0, SECTOR }, 1, SECTOR, "about a place that no disk has" },
        { { 0, UINT64_MAX, POWER_LOG_DISCARD }, 1, SECTOR, "about a place that no disk has" },
        { { 0, 1, 0, SECTOR }, UINT64_MAX, SECTOR, "cannot be in a file of its size" },
        { { 0, 1, 0, SECTOR }, 3, SECTOR, "entry 1 of the log" },
        { { 0, 1, 0, SECTOR }, 1, 0, "cannot be in a file of its size" },
        { { 0, 1, 0, SECTOR }, 1, 513, "cannot be in a file of its size" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *said = NULL;

        head.entries = cases[i].entries;
        head.sector_size = cases[i].sector;
        memset(bytes, 0xff, sizeof(bytes));
        memcpy(bytes, &head, sizeof(head));
        memcpy(bytes + SECTOR, &cases[i].entry, sizeof(cases[i].entry));
        said = refusal(path, bytes, sizeof(bytes));
        if (!strstr(said, cases[i].said)) {
            fail_msg("case %u: %s", i, said);
        }
    }
    g_free(refusal(path, "", 0));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_that_ends_during_a_flush_stands_behind_it),
        cmocka_unit_test(a_part_of_a_sector_is_logged_as_all_of_it),
        cmocka_unit_test(a_cache_mode_says_what_is_stable),
        cmocka_unit_test(damaged_logs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
