/* Image formats against qemu-img: its images are read and written here, and ours there. */
#include "tests/test.h"

#include <glib.h>
#include <string.h>

#include "block/formats/vhdx.h"
#include "tests/block/judge.h"

typedef struct Case {
    const char *format, *options;
} Case;

static const Case cases[] = {
    { "vdi", "static=off" },
    { "vdi", "static=on" },
    { "vpc", "subformat=dynamic,force_size=on" },
    { "vpc", "subformat=fixed,force_size=on" },
    { "vmdk", "subformat=monolithicSparse" },
    { "vmdk", "subformat=monolithicSparse,zeroed_grain=on" },
    { "vmdk", "subformat=monolithicFlat" },
    { "vmdk", "subformat=twoGbMaxExtentSparse" },
    { "vmdk", "subformat=twoGbMaxExtentFlat" },
    { "vhdx", "subformat=dynamic,block_size=1M" },
    { "vhdx", "subformat=dynamic" },
    { "vhdx", "subformat=fixed" },
    { "qed", "cluster_size=64k" },
    { "qed", "cluster_size=4k,table_size=2" },
    { "parallels", "cluster_size=1M" },
    { "parallels", "cluster_size=64k" },
};

static void images_made_elsewhere_are_worked_on(void **state)
{
    if (!judge_is_there()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        char *folder = judge_folder();

        print_message("%s %s\n", c->format, c->options);
        judge_base(folder, false);
        judge_run(folder, "qemu-img convert -O %s -o %s base.raw disk.%s", c->format, c->options,
            c->format);
        judge_work(folder, c->format, "writeback", i);
        judge_remove(folder);
    }
}

static void images_made_here_are_worked_on(void **state)
{
    if (!judge_is_there()) {
        skip();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        g_autofree char *name = g_strdup_printf("disk.%s", c->format);
        char *folder = judge_folder();
        g_autofree char *path = g_build_filename(folder, name, NULL);

        print_message("%s %s\n", c->format, c->options);
        judge_base(folder, true);
        judge_create(path, c->format, c->options, JUDGE_DISK);
        judge_work(folder, c->format, "none", 100 + i);
        judge_work_again(folder, c->format, 200 + i);
        judge_remove(folder);
    }
}

/* qemu-img writes its log, then the table: as if the power had failed between the two. */
static void the_log_of_a_vhdx_is_replayed(void **state)
{
    enum { TABLE = 2 << 20, LOG = 1 << 20, ENTRY_GUID = 32 };
    char *folder;
    g_autofree char *image = NULL, *bytes = NULL;
    uint8_t sector[512];
    DriveSpec spec;
    Drive *drive;
    gsize size;

    if (!judge_is_there()) {
        skip();
    }
    folder = judge_folder();
    image = g_build_filename(folder, "disk.vhdx", NULL);
    judge_run(folder, "qemu-img create -f vhdx disk.vhdx 20M");
    judge_run(folder, "qemu-io -f vhdx -c \"write -P 5 0 1M\" -c abort disk.vhdx; true");
    assert_true(g_file_get_contents(image, &bytes, &size, NULL));
    assert_memory_equal(bytes + LOG, "loge", 4);
    memcpy(bytes + VHDX_HEADER_2 + VHDX_LOG_GUID, bytes + LOG + ENTRY_GUID, 16);
    store_le((uint8_t *)bytes + VHDX_HEADER_2 + VHDX_CHECKSUM, 4,
        vhdx_checksum((uint8_t *)bytes + VHDX_HEADER_2, VHDX_SECTOR, VHDX_CHECKSUM));
    memset(bytes + TABLE, 0, 8);
    assert_true(g_file_set_contents(image, bytes, size, NULL));

    spec = disk_spec(image, "writeback", AIO_THREADS);
    spec.format.text = "vhdx";
    spec.read_only = true;
    g_free(disk_refusal(&spec));
    drive = judge_open(image, "vhdx", "writeback");
    assert_int_equal(disk_do(drive, BLOCK_READ, 0, sector, 512), 0);
    assert_int_equal(sector[0], 5);
    disk_close(drive);
    judge_run(folder, "qemu-img check -f vhdx disk.vhdx");
    judge_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_made_elsewhere_are_worked_on),
        cmocka_unit_test(images_made_here_are_worked_on),
        cmocka_unit_test(the_log_of_a_vhdx_is_replayed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
