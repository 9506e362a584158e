#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/loop.h"
#include "tests/bench.h"
#include "tests/block/disk.h"

enum { SIZE = 32 << 20, BLOCK = 256 * 1024, READY = 0x80 };

static const char flash_image[] = "{type: flash-image, drive: contents}";

typedef struct Setting {
    char *path;
    Drive *drive;
    Bench *bench;
} Setting;

static Setting set_up(uint64_t size, bool read_only)
{
    Setting s = { .path = disk_image("flash", size) };
    DriveSpec spec = disk_spec(s.path, "writeback", AIO_THREADS);

    spec.read_only = read_only;
    s.drive = disk_open(&spec);
    bench_give_drive("contents", s.drive);
    return s;
}

static Setting start(void)
{
    Setting s = set_up(SIZE, false);

    s.bench = bench_new(flash_image);
    return s;
}

static void tear_down(Setting *s)
{
    bench_free(s->bench);
    disk_close(s->drive);
    disk_remove(s->path);
}

static void command(Bench *bench, uint64_t at, unsigned code)
{
    bench_write(bench, 0, at, 4, code << 16 | code);
}

/* As a guest does: until the chip is ready. */
static unsigned wait_until_ready(Bench *bench)
{
    unsigned status;

    command(bench, 0, 0x70);
    do {
        loop_poll();
        status = bench_read(bench, 0, 0, 4) & 0xff;
    } while (!(status & READY));
    return status;
}

static uint32_t word_in_file(const Setting *s, uint64_t at)
{
    int fd = open(s->path, O_RDONLY);
    uint32_t word = 0;

    assert_int_equal(pread(fd, &word, sizeof(word), at), sizeof(word));
    close(fd);
    return GUINT32_FROM_LE(word);
}

static void the_flash_begins_with_what_is_in_the_file(void **state)
{
    Setting s = set_up(SIZE, false);
    int fd = open(s.path, O_WRONLY);

    assert_int_equal(pwrite(fd, "firm", 4, 0x1000), 4);
    close(fd);
    s.bench = bench_new(flash_image);
    assert_int_equal(bench_read(s.bench, 0, 0x1000, 4), GUINT32_FROM_LE(0x6d726966));
    assert_int_equal(bench_read(s.bench, 0, SIZE - 1, 1), disk_pattern(SIZE - 1));
    tear_down(&s);
}

static void what_is_erased_and_programmed_is_in_the_file_once_it_is_ready(void **state)
{
    Setting s = start();

    command(s.bench, BLOCK, 0x20);
    command(s.bench, BLOCK, 0xd0);
    command(s.bench, BLOCK + 8, 0x40);
    bench_write(s.bench, 0, BLOCK + 8, 4, 0x12345678);
    assert_int_equal(wait_until_ready(s.bench), READY);
    assert_int_equal(word_in_file(&s, BLOCK + 8), 0x12345678);
    assert_int_equal(word_in_file(&s, BLOCK), 0xffffffff);
    assert_int_equal(word_in_file(&s, 2 * BLOCK - 4), 0xffffffff);
    assert_int_equal(word_in_file(&s, 2 * BLOCK) & 0xff, disk_pattern(2 * BLOCK));
    tear_down(&s);
}

static void a_read_only_file_is_a_locked_flash(void **state)
{
    Setting s = set_up(SIZE, true);

    s.bench = bench_new(flash_image);
    command(s.bench, 0, 0x20);
    command(s.bench, 0, 0xd0);
    assert_int_equal(wait_until_ready(s.bench), READY | 0x32);
    command(s.bench, 0, 0xff);
    assert_int_equal(bench_read(s.bench, 0, 7, 1), disk_pattern(7));
    tear_down(&s);
}

static void a_file_of_another_size_is_refused_with_the_remedy(void **state)
{
    Setting s = set_up(SIZE / 2, false);
    g_autofree char *said = bench_diag(flash_image);

    assert_non_null(strstr(said, "has 16777216 bytes, the flash 33554432"));
    assert_non_null(strstr(said, "truncate -s 33554432"));
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flash_begins_with_what_is_in_the_file),
        cmocka_unit_test(what_is_erased_and_programmed_is_in_the_file_once_it_is_ready),
        cmocka_unit_test(a_read_only_file_is_a_locked_flash),
        cmocka_unit_test(a_file_of_another_size_is_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
