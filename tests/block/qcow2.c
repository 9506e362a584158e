/* qcow2 against qemu-img, which makes the images and judges what became of them. */
#include "tests/test.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "tests/block/disk.h"

enum { KIB = 1024, MIB = 1024 * KIB, DISK = 9 * MIB + 512 };

static bool have_qemu_img(void)
{
    g_autofree char *found = g_find_program_in_path("qemu-img");

    return found != NULL;
}

/* Runs a command in the folder of the test's images; it must succeed. */
static void run(const char *folder, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static void run(const char *folder, const char *fmt, ...)
{
    g_autofree char *command = NULL, *line = NULL, *said = NULL;
    va_list args;
    int status = -1;

    va_start(args, fmt);
    command = g_strdup_vprintf(fmt, args);
    va_end(args);
    line = g_strdup_printf("sh -c 'cd %s && %s 2>&1'", folder, command);
    assert_true(g_spawn_command_line_sync(line, &said, NULL, &status, NULL));
    if (status != 0) {
        fail_msg("%s: %s", command, said);
    }
}

static char *new_folder(void)
{
    char *folder = g_dir_make_tmp("lathe-qcow2-XXXXXX", NULL);

    assert_non_null(folder);
    return folder;
}

static void remove_folder(char *folder)
{
    run("/", "rm -rf %s", folder);
    g_free(folder);
}

static void random_requests(Drive *drive, uint8_t *model, unsigned count, unsigned seed)
{
    g_autofree uint8_t *buffer = g_malloc(1 * MIB);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    for (unsigned i = 0; i < count; i++) {
        uint32_t most = 1u << g_rand_int_range(rand, 9, 20);
        uint32_t length = g_rand_int_range(rand, 1, most / 512 + 1) * 512;
        uint32_t at = g_rand_int_range(rand, 0, (DISK - length) / 512 + 1) * 512;

        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
        case 1:
            for (uint32_t b = 0; b < length; b++) {
                buffer[b] = model[at + b] = i + b / 512;
            }
            assert_int_equal(disk_do(drive, BLOCK_WRITE, at, buffer, length), 0);
            break;
        case 2:
            memset(model + at, 0, length);
            assert_int_equal(disk_do(drive, BLOCK_ZERO, at, NULL, length), 0);
            break;
        case 3: assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0); break;
        default:
            assert_int_equal(disk_do(drive, BLOCK_READ, at, buffer, length), 0);
            assert_memory_equal(buffer, model + at, length);
        }
    }
}

static Drive *open_qcow2(const char *path, const char *cache)
{
    DriveSpec spec = disk_spec(path, cache, AIO_THREADS);

    spec.format.text = "qcow2";
    return disk_open(&spec);
}

/* Works on disk.qcow2, whose contents are those of base.raw; then qemu-img must agree. */
static void work_and_compare(const char *folder, const char *cache, unsigned seed)
{
    g_autofree char *image = g_build_filename(folder, "disk.qcow2", NULL);
    g_autofree char *base = g_build_filename(folder, "base.raw", NULL);
    g_autofree char *result = g_build_filename(folder, "result.raw", NULL);
    g_autofree char *model = NULL;
    Drive *drive;
    gsize size;

    assert_true(g_file_get_contents(base, &model, &size, NULL));
    assert_int_equal(size, DISK);
    drive = open_qcow2(image, cache);
    assert_int_equal(drive_length(drive), DISK);
    random_requests(drive, (uint8_t *)model, 300, seed);
    disk_close(drive);

    assert_true(g_file_set_contents(result, model, size, NULL));
    run(folder, "qemu-img check disk.qcow2");
    run(folder, "qemu-img compare disk.qcow2 -F raw result.raw");
}

static void make_base(const char *folder, bool empty)
{
    g_autofree char *base = g_build_filename(folder, "base.raw", NULL);
    g_autofree uint8_t *bytes = g_malloc0(DISK);

    for (uint32_t at = 0; at < DISK && !empty; at++) {
        bytes[at] = at / (300 * KIB) % 3 ? disk_pattern(at) : 0;
    }
    assert_true(g_file_set_contents(base, (char *)bytes, DISK, NULL));
}

static void images_of_every_kind_stay_right(void **state)
{
    static const char *const options[] = {
        "cluster_size=64k",
        "cluster_size=512",
        "cluster_size=4k,refcount_bits=1",
        "cluster_size=2M",
        "compat=0.10",
        "refcount_bits=64",
        "refcount_bits=8,lazy_refcounts=on",
        "preallocation=metadata",
        "preallocation=full,cluster_size=32k",
        "extended_l2=on,cluster_size=128k",
        "extended_l2=on,cluster_size=16k",
        "data_file=disk.data",
        "data_file=disk.data,data_file_raw=on",
    };

    if (!have_qemu_img()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        char *folder = new_folder();

        print_message("%s\n", options[i]);
        make_base(folder, true);
        run(folder, "qemu-img create -f qcow2 -o %s disk.qcow2 %d", options[i], DISK);
        work_and_compare(folder, "writeback", i);
        remove_folder(folder);
    }
}

static void a_backing_file_shows_through(void **state)
{
    static const char *const options[] = { "cluster_size=64k", "compat=0.10,cluster_size=4k",
        "extended_l2=on", "cluster_size=512" };

    if (!have_qemu_img()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        char *folder = new_folder();

        make_base(folder, false);
        run(folder, "qemu-img convert -O qcow2 base.raw middle.qcow2");
        run(folder, "qemu-img create -f qcow2 -b middle.qcow2 -F qcow2 -o %s disk.qcow2",
            options[i]);
        work_and_compare(folder, "none", i);
        remove_folder(folder);
    }
}

static void compressed_clusters_are_read_and_replaced(void **state)
{
    static const char *const options[] = { "compat=1.1", "cluster_size=4k", "compat=0.10" };

    if (!have_qemu_img()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        char *folder = new_folder();

        make_base(folder, false);
        run(folder, "qemu-img convert -c -O qcow2 -o %s base.raw disk.qcow2", options[i]);
        work_and_compare(folder, "writeback", i);
        remove_folder(folder);
    }
}

static void clusters_of_a_snapshot_are_not_overwritten(void **state)
{
    char *folder;

    if (!have_qemu_img()) {
        skip();
    }
    folder = new_folder();
    make_base(folder, false);
    run(folder, "qemu-img convert -O qcow2 base.raw disk.qcow2");
    run(folder, "qemu-img snapshot -c before disk.qcow2");
    work_and_compare(folder, "directsync", 3);
    run(folder, "qemu-img convert -l before -O raw disk.qcow2 old.raw && cmp old.raw base.raw");
    remove_folder(folder);
}

static void refuse(const char *folder, const char *what)
{
    g_autofree char *image = g_build_filename(folder, "disk.qcow2", NULL);
    DriveSpec spec = disk_spec(image, "writeback", AIO_THREADS);
    g_autofree char *said = NULL;

    spec.format.text = "qcow2";
    said = disk_refusal(&spec);
    if (!strstr(said, what)) {
        fail_msg("wanted: %s; said: %s", what, said);
    }
}

/* Puts bytes into the header of an image and expects a refusal that says why. */
static void damaged_headers_are_refused_by_name(void **state)
{
    static const struct {
        unsigned offset;
        const char *octal, *said;
    } cases[] = {
        { 0, "\\0", "is not a qcow2 image" },
        { 7, "\\011", "has qcow2 version 9" },
        { 23, "\\050", "has clusters of 2^40 bytes" },
        { 36, "\\377", "an L1 table that is too large" },
        { 35, "\\1", "is encrypted" },
        { 72, "\\200", "not known here: incompatible bit 63" },
        { 79, "\\2", "marked as corrupt" },
        { 99, "\\7", "refcounts of 2^7 bits" },
        { 41, "\\1", "is cut off" },
        { 46, "\\1", "out of place" },
        { 24, "\\377", "too small for its disk" },
    };

    if (!have_qemu_img()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *folder = new_folder();

        run(folder, "qemu-img create -f qcow2 disk.qcow2 64M");
        run(folder, "printf \"%s\" | dd of=disk.qcow2 bs=1 seek=%u conv=notrunc", cases[i].octal,
            cases[i].offset);
        refuse(folder, cases[i].said);
        remove_folder(folder);
    }
}

/* Lazy refcounts: the writer died with none of them written. */
static void an_image_that_was_not_closed_is_counted_again(void **state)
{
    char *folder;
    g_autofree char *image = NULL;
    Drive *drive;
    uint8_t sector[512];

    if (!have_qemu_img()) {
        skip();
    }
    folder = new_folder();
    image = g_build_filename(folder, "disk.qcow2", NULL);
    run(folder, "qemu-img create -f qcow2 -o lazy_refcounts=on disk.qcow2 64M");
    run(folder, "qemu-io -c \"write -P 9 0 1M\" -c \"abort\" disk.qcow2; true");
    drive = open_qcow2(image, "writeback");
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, sector, 512), 0);
    assert_int_equal(sector[0], 9);
    disk_close(drive);
    run(folder, "qemu-img check disk.qcow2");
    remove_folder(folder);
}

/* Writes one number of 8 bytes into an image of qemu-img's, then a sector of the guest's. */
static int write_after_damage(uint64_t offset, uint64_t number)
{
    char *folder = new_folder();
    g_autofree char *image = g_build_filename(folder, "disk.qcow2", NULL);
    uint8_t sector[512] = { 1 };
    g_autofree char *bytes = NULL;
    Drive *drive;
    gsize size;
    int result;

    run(folder, "qemu-img create -f qcow2 disk.qcow2 64M && truncate -s 1M disk.qcow2");
    assert_true(g_file_get_contents(image, &bytes, &size, NULL));
    number = GUINT64_TO_BE(number);
    memcpy(bytes + offset, &number, sizeof(number));
    assert_true(g_file_set_contents(image, bytes, size, NULL));
    drive = open_qcow2(image, "writeback");
    result = disk_do(drive, BLOCK_WRITE, 0, sector, 512);
    disk_close(drive);
    remove_folder(folder);
    return result;
}

static void damaged_tables_give_errors_not_loops(void **state)
{
    enum { REFTABLE = 0x10000, L1 = 0x30000 };

    if (!have_qemu_img()) {
        skip();
    }
    assert_int_equal(write_after_damage(REFTABLE, 0), 0); /* takes what lies behind the end */
    assert_int_equal(write_after_damage(REFTABLE, 0x200), -EIO);
    assert_int_equal(write_after_damage(REFTABLE, UINT64_C(1) << 55), -EIO);
    assert_int_equal(write_after_damage(L1, UINT64_C(1) << 63), 0);
    assert_int_equal(write_after_damage(L1, UINT64_C(1) << 63 | 0x200), -EIO);
    assert_int_equal(write_after_damage(L1, UINT64_C(1) << 63 | UINT64_C(1) << 50), -EIO);
}

static void a_truncated_image_is_refused_or_fails_to_read(void **state)
{
    char *folder;
    Drive *drive;
    g_autofree char *image = NULL;
    uint8_t sector[512];

    if (!have_qemu_img()) {
        skip();
    }
    folder = new_folder();
    image = g_build_filename(folder, "disk.qcow2", NULL);
    make_base(folder, false);
    run(folder, "qemu-img convert -O qcow2 base.raw disk.qcow2 && truncate -s 2M disk.qcow2");
    drive = open_qcow2(image, "writeback");
    assert_int_equal(disk_do(drive, BLOCK_READ, 8 * MIB + 400 * KIB, sector, 512), -EIO);
    disk_close(drive);
    run(folder, "truncate -s 100 disk.qcow2");
    refuse(folder, "cut off");
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_of_every_kind_stay_right),
        cmocka_unit_test(a_backing_file_shows_through),
        cmocka_unit_test(compressed_clusters_are_read_and_replaced),
        cmocka_unit_test(clusters_of_a_snapshot_are_not_overwritten),
        cmocka_unit_test(damaged_headers_are_refused_by_name),
        cmocka_unit_test(an_image_that_was_not_closed_is_counted_again),
        cmocka_unit_test(damaged_tables_give_errors_not_loops),
        cmocka_unit_test(a_truncated_image_is_refused_or_fails_to_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
