/* Image formats against qemu-img: its images are read and written here, and ours there. */
#include "tests/test.h"

#include <glib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_made_elsewhere_are_worked_on),
        cmocka_unit_test(images_made_here_are_worked_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
