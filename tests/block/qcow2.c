/* qcow2 against qemu-img, which makes the images and judges what became of them. */
#include "tests/test.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "tests/block/disk.h"
#include "tests/block/judge.h"

enum { KIB = 1024, MIB = 1024 * KIB, DISK = JUDGE_DISK };

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

    if (!judge_is_there()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        char *folder = judge_folder();

        print_message("%s\n", options[i]);
        judge_base(folder, true);
        judge_run(folder, "qemu-img create -f qcow2 -o %s disk.qcow2 %d", options[i], DISK);
        judge_work(folder, "qcow2", "writeback", i);
        judge_remove(folder);
    }
}

static void a_backing_file_shows_through(void **state)
{
    static const char *const options[] = { "cluster_size=64k", "compat=0.10,cluster_size=4k",
        "extended_l2=on", "cluster_size=512" };

    if (!judge_is_there()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        char *folder = judge_folder();

        judge_base(folder, false);
        judge_run(folder, "qemu-img convert -O qcow2 base.raw middle.qcow2");
        judge_run(folder, "qemu-img create -f qcow2 -b middle.qcow2 -F qcow2 -o %s disk.qcow2",
            options[i]);
        judge_work(folder, "qcow2", "none", i);
        judge_remove(folder);
    }
}

static void compressed_clusters_are_read_and_replaced(void **state)
{
    static const char *const options[] = { "compat=1.1", "cluster_size=4k", "compat=0.10" };

    if (!judge_is_there()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        char *folder = judge_folder();

        judge_base(folder, false);
        judge_run(folder, "qemu-img convert -c -O qcow2 -o %s base.raw disk.qcow2", options[i]);
        judge_work(folder, "qcow2", "writeback", i);
        judge_remove(folder);
    }
}

static void clusters_of_a_snapshot_are_not_overwritten(void **state)
{
    char *folder;

    if (!judge_is_there()) {
        skip();
    }
    folder = judge_folder();
    judge_base(folder, false);
    judge_run(folder, "qemu-img convert -O qcow2 base.raw disk.qcow2");
    judge_run(folder, "qemu-img snapshot -c before disk.qcow2");
    judge_work(folder, "qcow2", "directsync", 3);
    judge_run(
        folder, "qemu-img convert -l before -O raw disk.qcow2 old.raw && cmp old.raw base.raw");
    judge_remove(folder);
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
        { 35, "\\7", "is encrypted by method 7" },
        { 72, "\\200", "not known here: without a name (incompatible bit 63)" },
        { 79, "\\2", "marked as corrupt" },
        { 99, "\\7", "refcounts of 2^7 bits" },
        { 41, "\\1", "is cut off" },
        { 46, "\\1", "out of place" },
        { 24, "\\377", "too small for its disk" },
    };

    if (!judge_is_there()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *folder = judge_folder();

        judge_run(folder, "qemu-img create -f qcow2 disk.qcow2 64M");
        judge_run(folder, "printf \"%s\" | dd of=disk.qcow2 bs=1 seek=%u conv=notrunc",
            cases[i].octal, cases[i].offset);
        refuse(folder, cases[i].said);
        judge_remove(folder);
    }
}

/* The fifth entry of qemu-img's table of names is taken for the feature's own. */
static void an_unknown_feature_is_called_by_its_name(void **state)
{
    enum { FEATURES = 79, ENTRY = 112 + 8 + 4 * 48 };
    char *folder;

    if (!judge_is_there()) {
        skip();
    }
    folder = judge_folder();
    judge_run(folder,
        "qemu-img create -f qcow2 disk.qcow2 64M && "
        "printf \"\\040\" | dd of=disk.qcow2 bs=1 seek=%d conv=notrunc && "
        "printf \"\\005time travel\\000\" | dd of=disk.qcow2 bs=1 seek=%d conv=notrunc",
        FEATURES, ENTRY + 1);
    refuse(folder, "not known here: time travel (incompatible bit 5)");
    judge_remove(folder);
}

/* Lazy refcounts: the writer died with none of them written. */
static void an_image_that_was_not_closed_is_counted_again(void **state)
{
    char *folder;
    g_autofree char *image = NULL;
    Drive *drive;
    uint8_t sector[512];

    if (!judge_is_there()) {
        skip();
    }
    folder = judge_folder();
    image = g_build_filename(folder, "disk.qcow2", NULL);
    judge_run(folder, "qemu-img create -f qcow2 -o lazy_refcounts=on disk.qcow2 64M");
    judge_run(folder, "qemu-io -c \"write -P 9 0 1M\" -c \"abort\" disk.qcow2; true");
    drive = judge_open(image, "qcow2", "writeback");
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, sector, 512), 0);
    assert_int_equal(sector[0], 9);
    disk_close(drive);
    judge_run(folder, "qemu-img check disk.qcow2");
    judge_remove(folder);
}

/* Writes one number of 8 bytes into an image of qemu-img's, then a sector of the guest's. */
static int write_after_damage(uint64_t offset, uint64_t number)
{
    char *folder = judge_folder();
    g_autofree char *image = g_build_filename(folder, "disk.qcow2", NULL);
    uint8_t sector[512] = { 1 };
    g_autofree char *bytes = NULL;
    Drive *drive;
    gsize size;
    int result;

    judge_run(folder, "qemu-img create -f qcow2 disk.qcow2 64M && truncate -s 1M disk.qcow2");
    assert_true(g_file_get_contents(image, &bytes, &size, NULL));
    number = GUINT64_TO_BE(number);
    memcpy(bytes + offset, &number, sizeof(number));
    assert_true(g_file_set_contents(image, bytes, size, NULL));
    drive = judge_open(image, "qcow2", "writeback");
    result = disk_do(drive, BLOCK_WRITE, 0, sector, 512);
    disk_close(drive);
    judge_remove(folder);
    return result;
}

static void damaged_tables_give_errors_not_loops(void **state)
{
    enum { REFTABLE = 0x10000, L1 = 0x30000 };

    if (!judge_is_there()) {
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

    if (!judge_is_there()) {
        skip();
    }
    folder = judge_folder();
    image = g_build_filename(folder, "disk.qcow2", NULL);
    judge_base(folder, false);
    judge_run(folder, "qemu-img convert -O qcow2 base.raw disk.qcow2 && truncate -s 2M disk.qcow2");
    drive = judge_open(image, "qcow2", "writeback");
    assert_int_equal(disk_do(drive, BLOCK_READ, 8 * MIB + 400 * KIB, sector, 512), -EIO);
    disk_close(drive);
    judge_run(folder, "truncate -s 100 disk.qcow2");
    refuse(folder, "cut off");
    judge_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_of_every_kind_stay_right),
        cmocka_unit_test(a_backing_file_shows_through),
        cmocka_unit_test(compressed_clusters_are_read_and_replaced),
        cmocka_unit_test(clusters_of_a_snapshot_are_not_overwritten),
        cmocka_unit_test(damaged_headers_are_refused_by_name),
        cmocka_unit_test(an_unknown_feature_is_called_by_its_name),
        cmocka_unit_test(an_image_that_was_not_closed_is_counted_again),
        cmocka_unit_test(damaged_tables_give_errors_not_loops),
        cmocka_unit_test(a_truncated_image_is_refused_or_fails_to_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
