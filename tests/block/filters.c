#include "tests/test.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/block-spec.h"
#include "core/loop.h"
#include "tests/block/disk.h"

enum { DISK = 1 << 20, PAGE = 4096 };

static const DriveCache writeback = { .word = "writeback", .writeback = true };

static BlockSpec node_of(const char *driver, const BlockSpec *child)
{
    BlockSpec spec = { .name = driver, .driver.text = driver, .cache = writeback };

    if (child) {
        spec.children[spec.child_count++] = child;
    }
    return spec;
}

static BlockSpec file_node(const char *path)
{
    BlockSpec spec = node_of("file", NULL);

    spec.path.text = path;
    return spec;
}

static DriveSpec drive_on(const BlockSpec *graph)
{
    DriveSpec spec = disk_spec(NULL, "writeback", AIO_THREADS);

    spec.graph = graph;
    return spec;
}

/* ---- a part of a file ---- */

static void a_disk_may_be_a_part_of_a_file_and_stays_within_it(void **state)
{
    g_autofree char *path = disk_image("part", DISK), *after = NULL;
    BlockSpec file = file_node(path), raw = node_of("raw", &file), nested = node_of("qcow2", &raw);
    DriveSpec spec = drive_on(&raw);
    g_autofree char *said = NULL;
    uint8_t page[PAGE];
    Drive *drive;

    raw.offset = 3 * 512;
    raw.size = 4 * PAGE;
    drive = disk_open(&spec);
    assert_int_equal(drive_length(drive), 4 * PAGE);
    assert_int_equal(disk_do(drive, BLOCK_READ, 512, page, PAGE), 0);
    for (unsigned i = 0; i < PAGE; i++) {
        assert_int_equal(page[i], disk_pattern(4 * 512 + i));
    }
    memset(page, 0xab, PAGE);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, 3 * PAGE, page, PAGE), 0);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, 4 * PAGE, page, PAGE), -EIO);
    disk_close(drive);
    assert_true(g_file_get_contents(path, &after, NULL, NULL));
    assert_int_equal(
        (uint8_t)after[raw.offset + 3 * PAGE - 1], disk_pattern(raw.offset + 3 * PAGE - 1));
    assert_int_equal((uint8_t)after[raw.offset + 3 * PAGE], 0xab);
    assert_int_equal((uint8_t)after[raw.offset + 4 * PAGE], disk_pattern(raw.offset + 4 * PAGE));

    raw.size = DISK;
    said = disk_refusal(&spec);
    assert_non_null(strstr(said, "a part of it cannot be"));
    raw.offset = raw.size = 0;
    nested.offset = 512;
    spec = drive_on(&nested);
    g_free(said);
    said = disk_refusal(&spec);
    assert_non_null(strstr(said, "has an offset"));
    disk_remove(g_steal_pointer(&path));
}

/* ---- failures, and what a drive does about them ---- */

typedef struct Told {
    unsigned times;
    int error;
} Told;

static void told(void *data, Drive *drive, const DriveFailure *failure)
{
    Told *t = data;

    assert_true(machine_lock_held());
    t->times++;
    t->error = failure->error;
}

static void note_result(DriveRequest *request, int result)
{
    int *out = request->io.memory.iov[1].iov_base;

    *out = result;
}

enum { PENDING = 1 };

/* A write whose result appears in *result; the loop is turned until it does, or `t` was told. */
static void write_and_wait(Drive *drive, DriveRequest *request, int *result, const Told *t)
{
    static uint8_t page[PAGE];
    static struct iovec pieces[2];

    *result = PENDING;
    pieces[0] = (struct iovec){ page, PAGE };
    pieces[1] = (struct iovec){ result, 0 };
    *request = (DriveRequest){ .io = { BLOCK_WRITE, 0, 0, PAGE, { pieces, 2, 0 } },
        .done = note_result };
    drive_submit(drive, request);
    while (*result == PENDING && t->times == 0) {
        loop_poll();
    }
}

static Drive *open_failing(const char *error, uint64_t times, DriveOnError policy, Told *t)
{
    static BlockSpec file, top;
    static BlockRule rule;
    DriveSpec spec;
    Drive *drive;

    file = node_of("memory", NULL);
    file.size = DISK;
    rule = (BlockRule){ .op = "write", .error = error, .times = times };
    top = node_of("blkdebug", &file);
    top.rules = &rule;
    top.rule_count = 1;
    spec = drive_on(&top);
    spec.on_write_error = policy;
    drive = disk_open(&spec);
    drive_on_failure(drive, told, t);
    return drive;
}

static void a_failed_write_is_reported_or_ignored_as_the_drive_says(void **state)
{
    static const struct {
        DriveOnError policy;
        const char *error;
        int result;
    } cases[] = {
        { ON_ERROR_REPORT, "EIO", -EIO },
        { ON_ERROR_REPORT, "ENOSPC", -ENOSPC },
        { ON_ERROR_IGNORE, "EIO", 0 },
        { ON_ERROR_ENOSPC, "EIO", -EIO },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Told t = { 0 };
        Drive *drive = open_failing(cases[i].error, 1, cases[i].policy, &t);
        DriveRequest request;
        int result;

        write_and_wait(drive, &request, &result, &t);
        assert_int_equal(result, cases[i].result);
        assert_int_equal(t.times, 0);
        disk_close(drive);
    }
}

static void a_full_disk_stops_the_machine_and_the_write_is_tried_again(void **state)
{
    Told t = { 0 };
    Drive *drive = open_failing("ENOSPC", 2, ON_ERROR_ENOSPC, &t);
    DriveRequest request;
    int result;

    write_and_wait(drive, &request, &result, &t);
    assert_int_equal(result, PENDING);
    assert_int_equal(t.error, -ENOSPC);

    machine_lock();
    drive_retry(drive); /* still full */
    machine_unlock();
    while (t.times == 1) {
        loop_poll();
    }
    assert_int_equal(result, PENDING);

    machine_lock();
    drive_retry(drive);
    machine_unlock();
    while (result == PENDING) {
        loop_poll();
    }
    assert_int_equal(result, 0);
    assert_int_equal(t.times, 2);
    disk_close(drive);
}

/* ---- requests that go together ---- */

typedef struct Part {
    DriveRequest request;
    struct iovec piece;
    uint8_t page[PAGE];
    int result;
} Part;

static void part_over(DriveRequest *request, int result)
{
    ((Part *)request)->result = result;
}

static void a_failure_is_only_that_of_the_request_it_belongs_to(void **state)
{
    static BlockSpec file, top;
    BlockRule rule = { .op = "write", .error = "EIO", .at = 2 * PAGE, .length = 1 };
    Part parts[4] = { 0 };
    DriveSpec spec;
    Drive *drive;

    file = node_of("memory", NULL);
    file.size = DISK;
    top = node_of("blkdebug", &file);
    top.rules = &rule;
    top.rule_count = 1;
    spec = drive_on(&top);
    drive = disk_open(&spec);

    machine_lock();
    drive_plug(drive);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        Part *part = &parts[i];

        part->piece = (struct iovec){ part->page, PAGE };
        part->request = (DriveRequest){
            .io = { BLOCK_WRITE, 0, i * PAGE, PAGE, { &part->piece, 1, 0 } }, .done = part_over
        };
        drive_submit(drive, &part->request);
    }
    drive_unplug(drive);
    drive_drain(drive);
    machine_unlock();
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        assert_int_equal(parts[i].result, i == 2 ? -EIO : 0);
    }
    disk_close(drive);
}

static void a_drain_ends_what_is_held_with_its_error(void **state)
{
    Told t = { 0 };
    Drive *drive = open_failing("EIO", 0, ON_ERROR_STOP, &t);
    DriveRequest request;
    int result;

    write_and_wait(drive, &request, &result, &t);
    assert_int_equal(result, PENDING);
    machine_lock();
    drive_drain(drive);
    machine_unlock();
    assert_int_equal(result, -EIO);
    disk_close(drive);
}

/* ---- copies ---- */

static void write_page(Drive *drive, uint64_t at, uint8_t value, int wanted)
{
    uint8_t page[PAGE];

    memset(page, value, PAGE);
    assert_int_equal(disk_do(drive, BLOCK_WRITE, at, page, PAGE), wanted);
}

static uint8_t first_byte(const char *path, uint64_t at)
{
    g_autofree char *bytes = NULL;

    assert_true(g_file_get_contents(path, &bytes, NULL, NULL));
    return bytes[at];
}

static void set_byte(const char *path, uint64_t at, uint8_t value)
{
    FILE *file = fopen(path, "r+");

    fseek(file, at, SEEK_SET);
    fputc(value, file);
    fclose(file);
}

static void a_quorum_outvotes_the_copy_that_is_wrong(void **state)
{
    char *paths[] = { disk_image("one", DISK), disk_image("two", DISK), disk_image("three", DISK) };
    BlockSpec files[3], top = node_of("quorum", NULL);
    uint8_t page[PAGE];
    DriveSpec spec;
    Drive *drive;

    for (unsigned i = 0; i < 3; i++) {
        files[i] = file_node(paths[i]);
        top.children[top.child_count++] = &files[i];
    }
    spec = drive_on(&top);
    drive = disk_open(&spec);
    write_page(drive, 0, 0x11, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(first_byte(paths[i], 0), 0x11);
    }
    set_byte(paths[1], 7, 0x22);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), 0);
    assert_int_equal(page[7], 0x11);
    set_byte(paths[2], 7, 0x33);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), -EIO);
    disk_close(drive);
    for (unsigned i = 0; i < 3; i++) {
        disk_remove(paths[i]);
    }
}

static void verify_fails_a_read_that_differs(void **state)
{
    char *path = disk_image("copy", DISK), *other = disk_image("other", DISK);
    BlockSpec one = file_node(path), two = file_node(other), top = node_of("blkverify", &one);
    uint8_t page[PAGE];
    DriveSpec spec;
    Drive *drive;

    top.children[top.child_count++] = &two;
    spec = drive_on(&top);
    drive = disk_open(&spec);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), 0);
    set_byte(other, 100, ~disk_pattern(100));
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), -EIO);
    disk_close(drive);
    disk_remove(path);
    disk_remove(other);
}

static void what_is_read_from_below_is_kept(void **state)
{
    char *path = disk_image("base", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    uint8_t page[PAGE];
    Drive *drive;

    spec.overlay = OVERLAY_EPHEMERAL;
    spec.copy_on_read = true;
    drive = disk_open(&spec);
    assert_int_equal(disk_do(drive, BLOCK_READ, 8192, page, PAGE), 0);
    set_byte(path, 8192, ~page[0]); /* the copy does not change any more */
    assert_int_equal(disk_do(drive, BLOCK_READ, 8192, page, PAGE), 0);
    assert_int_equal(page[0], disk_pattern(8192));
    disk_close(drive);
    disk_remove(path);
}

/* ---- the log ---- */

static uint64_t word_at(const char *bytes, size_t at)
{
    uint64_t word;

    memcpy(&word, bytes + at, sizeof(word));
    return GUINT64_FROM_LE(word);
}

static void a_log_tells_each_change_in_its_order(void **state)
{
    char *path = disk_image("logged", DISK), *log_path = disk_image("log", 0);
    BlockSpec file = file_node(path), log = file_node(log_path), top = node_of("log-writes", &file);
    g_autofree char *bytes = NULL;
    DriveSpec spec;
    Drive *drive;
    size_t size;

    top.children[top.child_count++] = &log;
    spec = drive_on(&top);
    drive = disk_open(&spec);
    write_page(drive, 8192, 0x5a, 0);
    assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0);
    disk_close(drive); /* flushes once more */

    assert_true(g_file_get_contents(log_path, &bytes, &size, NULL));
    assert_int_equal(word_at(bytes, 0), 0x6a736677736872);
    assert_int_equal(word_at(bytes, 16), 3);   /* entries */
    assert_int_equal(word_at(bytes, 512), 16); /* sector 16 */
    assert_int_equal(word_at(bytes, 520), 8);
    assert_int_equal(word_at(bytes, 536), PAGE);
    assert_int_equal(bytes[1024], 0x5a);
    assert_int_equal(word_at(bytes, 1024 + PAGE + 16), 1); /* a flush */
    disk_remove(path);
    disk_remove(log_path);
}

static void zeroes_that_are_found_make_holes(void **state)
{
    char *path = disk_image("zeroes", DISK);
    DriveSpec spec = disk_spec(path, "writeback", AIO_THREADS);
    BlockStats stats;
    Drive *drive;

    spec.zeroes = ZEROES_UNMAP;
    drive = disk_open(&spec);
    write_page(drive, 0, 0, 0);
    write_page(drive, PAGE, 1, 0);
    drive_read_stats(drive, &stats);
    assert_int_equal(stats.ops[BLOCK_ZERO].done, 1);
    assert_int_equal(stats.ops[BLOCK_WRITE].done, 1);
    disk_close(drive);
    assert_int_equal(first_byte(path, 0), 0);
    disk_remove(path);
}

static uint64_t space_of(const char *path)
{
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return (uint64_t)about.st_blocks * 512;
}

static void discards_give_space_back_unless_the_drive_keeps_it(void **state)
{
    static const bool passed[] = { false, true };

    for (unsigned i = 0; i < G_N_ELEMENTS(passed); i++) {
        char *path = disk_image("discard", DISK);
        DriveSpec spec = disk_spec(path, "none", AIO_THREADS);
        uint64_t before = space_of(path);
        Drive *drive;

        spec.discard = passed[i];
        drive = disk_open(&spec);
        assert_int_equal(disk_do(drive, BLOCK_DISCARD, DISK / 2, NULL, DISK / 2), 0);
        disk_close(drive);
        assert_int_equal(before - space_of(path) >= DISK / 4, passed[i]);
        disk_remove(path);
    }
}

static void a_rule_may_delay_requests(void **state)
{
    BlockSpec file = node_of("memory", NULL), top = node_of("blkdebug", &file);
    BlockRule rule = { .op = "read", .delay_ns = 20000000, .times = 1 };
    uint8_t page[PAGE];
    BlockStats stats;
    DriveSpec spec;
    Drive *drive;

    file.size = DISK;
    top.rules = &rule;
    top.rule_count = 1;
    spec = drive_on(&top);
    drive = disk_open(&spec);
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, page, PAGE), 0);
    drive_read_stats(drive, &stats);
    assert_true(stats.ops[BLOCK_READ].took_ns >= rule.delay_ns);
    disk_close(drive);
}

static void a_block_without_a_disk_is_refused(void **state)
{
    BlockSpec lonely = node_of("raw", NULL), unknown = node_of("floppy", NULL);
    DriveSpec one = drive_on(&lonely), other = drive_on(&unknown);
    g_autofree char *said = disk_refusal(&one);
    g_autofree char *also = disk_refusal(&other);

    assert_non_null(strstr(said, "block `raw` lies on nothing"));
    assert_non_null(strstr(also, "there is no block driver `floppy`"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_may_be_a_part_of_a_file_and_stays_within_it),
        cmocka_unit_test(a_failed_write_is_reported_or_ignored_as_the_drive_says),
        cmocka_unit_test(a_full_disk_stops_the_machine_and_the_write_is_tried_again),
        cmocka_unit_test(a_failure_is_only_that_of_the_request_it_belongs_to),
        cmocka_unit_test(a_drain_ends_what_is_held_with_its_error),
        cmocka_unit_test(a_quorum_outvotes_the_copy_that_is_wrong),
        cmocka_unit_test(verify_fails_a_read_that_differs),
        cmocka_unit_test(what_is_read_from_below_is_kept),
        cmocka_unit_test(a_log_tells_each_change_in_its_order),
        cmocka_unit_test(zeroes_that_are_found_make_holes),
        cmocka_unit_test(discards_give_space_back_unless_the_drive_keeps_it),
        cmocka_unit_test(a_rule_may_delay_requests),
        cmocka_unit_test(a_block_without_a_disk_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
