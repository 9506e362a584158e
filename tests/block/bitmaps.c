/* Persistent dirty bitmaps, with qemu-img and nbdinfo as judges of what they say. */
#include "tests/test.h"

#include <string.h>

#include "block/block.h"
#include "block/cache.h"
#include "tests/block/judge.h"

enum { KIB = 1024, MIB = 1024 * KIB };

typedef struct Work {
    IoLoop *loop;
    const char *path;
    void (*todo)(BlockNode *node);
    bool read_only;
} Work;

static BlockNode *open_image(IoLoop *loop, const char *path, bool read_only)
{
    BlockOptions options = { .path = path, .read_only = read_only };
    BlockNode *node;

    assert_true(cache_from_word("writeback", &options.cache));
    node = block_open_image(loop, "qcow2", &options, NULL);
    assert_non_null(node);
    return node;
}

static void work_main(void *data)
{
    Work *work = data;
    BlockNode *node = open_image(work->loop, work->path, work->read_only);

    work->todo(node);
    block_unref(node);
}

static void with_image(const char *path, bool read_only, void (*todo)(BlockNode *node))
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);
    Work work = { loop, path, todo, read_only };

    io_loop_run(loop, work_main, &work);
}

/* What nbdinfo shows of a bitmap: lines of offset, length and 1 where something was changed. */
static void judge_bitmap(const char *folder, const char *name, const char *expected)
{
    judge_run(folder,
        "nbdinfo --map=qemu:dirty-bitmap:%s -- [ qemu-nbd -r -f qcow2 -B %s disk.qcow2 ] "
        "| awk \"\\$3 == 1 { print \\$1, \\$2 }\" >%s.map; echo \"%s\" | "
        "sed \"/^$/d\" >%s.wanted; cmp %s.map %s.wanted",
        name, name, name, expected, name, name, name);
}

static bool has_judges(void)
{
    g_autofree char *info = g_find_program_in_path("nbdinfo");

    return judge_is_there() && info;
}

static void write_here_and_there(BlockNode *node)
{
    uint8_t data[1000];

    memset(data, 1, sizeof(data));
    assert_int_equal(block_write(node, 64 * KIB - 10, data, 20, 0), 0);
    assert_int_equal(block_zero(node, 20 * MIB, MIB, 0), 0);
    assert_int_equal(block_write(node, 64 * MIB - 512, data, 512, 0), 0);
}

static void changes_are_recorded(void **state)
{
    char *folder;
    g_autofree char *path = NULL;

    if (!has_judges()) {
        skip();
    }
    folder = judge_folder();
    path = g_build_filename(folder, "disk.qcow2", NULL);
    judge_run(folder,
        "qemu-img create -f qcow2 -o cluster_size=64k disk.qcow2 64M && "
        "qemu-img bitmap --add disk.qcow2 one && "
        "qemu-img bitmap --add -g 32k disk.qcow2 two && "
        "qemu-img bitmap --add --disable disk.qcow2 off");
    with_image(path, false, write_here_and_there);
    judge_run(folder, "qemu-img check disk.qcow2");
    judge_bitmap(folder, "one", "0 131072\n20971520 1048576\n67043328 65536");
    judge_bitmap(folder, "two", "32768 65536\n20971520 1048576\n67076096 32768");
    judge_bitmap(folder, "off", "");
    judge_run(folder, "qemu-io -f qcow2 -c \"write 32M 64k\" disk.qcow2");
    with_image(path, false, write_here_and_there);
    judge_run(folder, "qemu-img check disk.qcow2");
    judge_bitmap(folder, "one", "0 131072\n20971520 1048576\n33554432 65536\n67043328 65536");
    judge_remove(folder);
}

/* A run of changed bytes, as `look` says. */
static void assert_dirty(BlockNode *node, const char *name, uint64_t from, uint64_t to)
{
    uint64_t end = 0;
    bool dirty = false;

    assert_true(node->driver->bitmaps->look(node, name, from, &end, &dirty, NULL));
    assert_true(dirty);
    assert_int_equal(end, to);
}

static void do_all(BlockNode *node)
{
    const BlockBitmaps *ops = node->driver->bitmaps;

    assert_true(ops->add(node, "a", 0, NULL));
    write_here_and_there(node);
    assert_true(ops->add(node, "b", 4096, NULL));
    assert_true(ops->add(node, "c", 64 * KIB, NULL));
    assert_true(ops->enable(node, "a", false, NULL));
    assert_int_equal(block_zero(node, 40 * MIB, 100, 0), 0);
    assert_true(ops->merge(node, "c", node, "a", NULL));
    assert_dirty(node, "a", 20 * MIB, 21 * MIB);
    assert_dirty(node, "b", 40 * MIB, 40 * MIB + 4096);
    assert_true(ops->add(node, "gone", 0, NULL));
    assert_true(ops->remove(node, "gone", NULL));
}

static void do_the_rest(BlockNode *node)
{
    const BlockBitmaps *ops = node->driver->bitmaps;
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(BlockBitmap));

    assert_true(ops->list(node, found, NULL));
    assert_int_equal(found->len, 3);
    assert_string_equal(g_array_index(found, BlockBitmap, 1).name, "b");
    assert_int_equal(g_array_index(found, BlockBitmap, 1).granularity, 4096);
    assert_false(g_array_index(found, BlockBitmap, 0).enabled);
    assert_true(g_array_index(found, BlockBitmap, 1).enabled);
    assert_dirty(node, "c", 0, 128 * KIB);
    assert_true(ops->clear(node, "c", NULL));
    assert_int_equal(block_resize(node, 65 * MIB), 0);
    assert_int_equal(block_zero(node, 64 * MIB + 4096, 10, 0), 0);
}

static void tools_change_bitmaps(void **state)
{
    char *folder;
    g_autofree char *path = NULL;

    if (!has_judges()) {
        skip();
    }
    folder = judge_folder();
    path = g_build_filename(folder, "disk.qcow2", NULL);
    judge_create(path, "qcow2", "cluster_size=4k", 64 * MIB);
    with_image(path, false, do_all);
    judge_run(folder, "qemu-img check disk.qcow2");
    judge_bitmap(folder, "a", "61440 8192\n20971520 1048576\n67104768 4096");
    judge_bitmap(folder, "b", "41943040 4096");
    judge_bitmap(folder, "c", "0 131072\n20971520 1048576\n41943040 65536\n67043328 65536");
    with_image(path, false, do_the_rest);
    judge_run(folder, "qemu-img check disk.qcow2");
    judge_bitmap(folder, "b", "41943040 4096\n67112960 4096");
    judge_bitmap(folder, "c", "67108864 65536");
    judge_run(folder, "qemu-img bitmap --remove disk.qcow2 a && qemu-img check disk.qcow2");
    judge_remove(folder);
}

static void refuse_what_cannot_be(BlockNode *node)
{
    const BlockBitmaps *ops = node->driver->bitmaps;
    const char *const names[] = { "", "one" };
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_false(ops->add(node, names[i], 0, NULL));
    }
    assert_false(ops->add(node, "two", 3000, NULL));
    assert_false(ops->add(node, "two", 256, NULL));
    assert_false(ops->clear(node, "one", &error)); /* its writer was killed */
    assert_non_null(strstr(error->message, "can only be removed"));
    assert_false(ops->remove(node, "two", NULL));
    assert_true(ops->remove(node, "one", NULL));
}

static void a_bitmap_that_was_not_stored_is_not_used(void **state)
{
    char *folder;
    g_autofree char *path = NULL;

    if (!has_judges()) {
        skip();
    }
    folder = judge_folder();
    path = g_build_filename(folder, "disk.qcow2", NULL);
    judge_run(folder,
        "qemu-img create -f qcow2 disk.qcow2 64M && qemu-img bitmap --add disk.qcow2 one && "
        "{ qemu-io -f qcow2 -c \"write 0 64k\" -c flush -c \"sigraise 9\" disk.qcow2; true; }");
    with_image(path, false, refuse_what_cannot_be);
    judge_run(folder, "qemu-img check -r leaks disk.qcow2 && qemu-img check disk.qcow2");
    judge_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_recorded),
        cmocka_unit_test(tools_change_bitmaps),
        cmocka_unit_test(a_bitmap_that_was_not_stored_is_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
