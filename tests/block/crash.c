/* What image formats and snapshots leave when the power fails: an image that is whole. */
#include "tests/test.h"

#include <string.h>

#include "block/block.h"
#include "block/cache.h"
#include "block/power.h"

enum { KIB = 1024, MIB = 1024 * KIB, DISK = 8 * MIB, CHUNK = 48 * KIB, CRASHES = 60 };

typedef struct Scene {
    IoLoop *loop;
    const char *format, *options;
    GRand *rand;
    BlockNode *power, *disk;
    GByteArray *before;
} Scene;

static BlockNode *open_bytes(IoLoop *loop, GByteArray *bytes)
{
    BlockOptions options = { .memory = bytes };

    assert_true(cache_from_word("writeback", &options.cache));
    return block_open(loop, block_driver_find("memory"), &options, NULL, NULL, NULL);
}

static BlockNode *open_over(const Scene *s, BlockNode *file, bool read_only)
{
    BlockOptions options = { .cache = file->cache, .read_only = read_only };

    return block_open(s->loop, block_driver_find(s->format), &options, file, NULL, NULL);
}

/* A new image over a file that records. */
static void begin(Scene *s)
{
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate create = { .size = DISK, .path = "disk", .options = options };
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    BlockNode *file = open_bytes(s->loop, bytes);

    assert_true(block_parse_options(s->options, options, NULL));
    assert_true(block_driver_find(s->format)->create(file, &create, NULL));
    s->before = g_byte_array_append(g_byte_array_new(), bytes->data, bytes->len);
    s->power = block_ref(power_record(file, NULL));
    s->disk = open_over(s, s->power, false);
    assert_non_null(s->disk);
}

static void end(Scene *s)
{
    block_unref(s->disk);
    block_unref(s->power);
    g_byte_array_unref(s->before);
}

static void write_some(Scene *s, unsigned count, uint8_t value)
{
    g_autofree uint8_t *data = g_malloc(CHUNK);

    memset(data, value, CHUNK);
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = (uint64_t)g_rand_int_range(s->rand, 0, (DISK - CHUNK) / 512) * 512;

        assert_int_equal(block_write(s->disk, at, data, CHUNK, 0), 0);
    }
}

/* The image as it may be after a loss of power at `moment`; it must be whole. */
static BlockNode *crashed(Scene *s, uint64_t moment)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    BlockCheck found = { 0 };
    BlockNode *disk;

    g_byte_array_append(image, s->before->data, s->before->len);
    power_crash(s->power, moment, s->rand, image);
    disk = open_over(s, open_bytes(s->loop, image), true);
    assert_non_null(disk);
    assert_int_equal(disk->driver->check(disk, &found, false), 0);
    if (found.corruptions || found.errors) {
        fail_msg("%s, moment %u: %u corruptions, %u errors", s->format, (unsigned)moment,
            (unsigned)found.corruptions, (unsigned)found.errors);
    }
    return disk;
}

static uint8_t *contents(BlockNode *disk)
{
    uint8_t *bytes = g_malloc(DISK);

    assert_int_equal(block_read(disk, 0, bytes, DISK), 0);
    return bytes;
}

static void run_scene(Scene *s, CoroutineEntry *entry)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);

    s->loop = loop;
    s->rand = g_rand_new_with_seed(5);
    io_loop_run(loop, entry, s);
    g_rand_free(s->rand);
}

/* ---- formats ---- */

static void formats_main(void *data)
{
    Scene *s = data;
    g_autofree uint8_t *flushed = NULL;
    uint64_t from, to;

    begin(s);
    write_some(s, 20, 1);
    assert_int_equal(block_flush(s->disk), 0);
    flushed = contents(s->disk);
    from = power_now(s->power);
    for (unsigned i = 0; i < 6; i++) {
        write_some(s, 8, 2);
        assert_int_equal(block_flush(s->disk), 0);
    }
    to = power_now(s->power);
    for (unsigned i = 0; i < CRASHES; i++) {
        BlockNode *disk = crashed(s, g_rand_int_range(s->rand, from, to + 1));
        g_autofree uint8_t *found = contents(disk);

        for (unsigned at = 0; at < DISK; at += 512) {
            assert_true(found[at] == flushed[at] || found[at] == 2);
        }
        block_unref(disk);
    }
    end(s);
}

static void no_format_loses_what_was_flushed(void **state)
{
    static const struct {
        const char *format, *options;
    } cases[] = {
        { "vdi", "static=off" },
        { "vpc", "subformat=dynamic" },
        { "vmdk", "subformat=monolithicSparse" },
        { "vhdx", "block_size=1M" },
        { "qed", "cluster_size=4k,table_size=2" },
        { "parallels", "cluster_size=64k" },
        { "qcow2", "cluster_size=4k" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Scene s = { .format = cases[i].format, .options = cases[i].options };

        print_message("%s\n", s.format);
        run_scene(&s, formats_main);
    }
}

/* ---- snapshots ---- */

/* While an operation on snapshots runs, the disk is what it was before or what it is after. */
static void crash_between(Scene *s, uint64_t from, const uint8_t *was, const uint8_t *is)
{
    uint64_t to = power_now(s->power);

    for (unsigned i = 0; i < CRASHES; i++) {
        BlockNode *disk = crashed(s, g_rand_int_range(s->rand, from, to + 1));
        g_autofree uint8_t *found = contents(disk);

        assert_true(memcmp(found, was, DISK) == 0 || memcmp(found, is, DISK) == 0);
        block_unref(disk);
    }
}

static void operate(Scene *s, int (*operation)(BlockNode *node, const char *name), const char *name)
{
    g_autofree uint8_t *was = NULL, *is = NULL;
    uint64_t from;

    assert_int_equal(block_flush(s->disk), 0);
    was = contents(s->disk);
    from = power_now(s->power);
    assert_int_equal(operation(s->disk, name), 0);
    assert_int_equal(block_flush(s->disk), 0);
    is = contents(s->disk);
    crash_between(s, from, was, is);
}

static void snapshots_main(void *data)
{
    Scene *s = data;
    const BlockSnapshots *can;
    g_autofree uint8_t *first = NULL, *again = NULL;

    begin(s);
    can = s->disk->driver->snapshots;
    write_some(s, 20, 1);
    first = contents(s->disk);
    operate(s, can->create, "first");
    write_some(s, 20, 2);
    operate(s, can->create, "second");
    write_some(s, 5, 3);
    operate(s, can->apply, "first");
    again = contents(s->disk);
    assert_memory_equal(again, first, DISK);
    write_some(s, 10, 4);
    operate(s, can->remove, "first");
    operate(s, can->remove, "second");
    end(s);
}

static void snapshots_are_taken_or_not_and_nothing_between(void **state)
{
    static const char *const options[] = { "cluster_size=64k", "cluster_size=4k",
        "cluster_size=16k,extended_l2=on" };

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        Scene s = { .format = "qcow2", .options = options[i] };

        print_message("%s\n", options[i]);
        run_scene(&s, snapshots_main);
    }
}

/* ---- bitmaps ---- */

static void reopen(Scene *s)
{
    block_unref(s->disk);
    s->disk = open_over(s, block_ref(s->power), false);
    assert_non_null(s->disk);
}

/* What is not zero any more is recorded, unless the bitmap says of itself that it is not right. */
static bool assert_recorded(BlockNode *disk, const uint8_t *found)
{
    const BlockBitmaps *can = disk->driver->bitmaps;
    g_autoptr(GArray) bitmaps = g_array_new(false, false, sizeof(BlockBitmap));
    uint64_t end = 0;
    bool dirty = false;

    assert_true(can->list(disk, bitmaps, NULL));
    if (bitmaps->len == 0 || g_array_index(bitmaps, BlockBitmap, 0).broken) {
        return false;
    }
    for (uint64_t at = 0; at < DISK; at++) {
        if (at >= end) {
            assert_true(can->look(disk, "b", at, &end, &dirty, NULL));
        }
        assert_true(found[at] == 0 || dirty);
    }
    return true;
}

static void bitmaps_main(void *data)
{
    Scene *s = data;
    const BlockBitmaps *can = block_driver_find("qcow2")->bitmaps;
    unsigned right = 0;
    uint64_t from;

    begin(s);
    from = power_now(s->power);
    assert_true(can->add(s->disk, "b", 4096, NULL));
    for (unsigned i = 0; i < 4; i++) {
        write_some(s, 5, 1);
        reopen(s);
        assert_true(can->add(s->disk, "other", 512, NULL));
        assert_true(can->remove(s->disk, "other", NULL));
        reopen(s);
    }
    for (unsigned i = 0; i < 4 * CRASHES; i++) {
        uint64_t to = power_now(s->power);
        BlockNode *disk = crashed(s, g_rand_int_range(s->rand, from, to + 1));
        g_autofree uint8_t *found = contents(disk);

        right += assert_recorded(disk, found);
        block_unref(disk);
    }
    assert_in_range(right, 1, 4 * CRASHES - 1);
    end(s);
}

static void a_bitmap_is_right_or_says_that_it_is_not(void **state)
{
    static const char *const options[] = { "cluster_size=4k", "cluster_size=64k" };

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        Scene s = { .format = "qcow2", .options = options[i] };

        run_scene(&s, bitmaps_main);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_format_loses_what_was_flushed),
        cmocka_unit_test(a_bitmap_is_right_or_says_that_it_is_not),
        cmocka_unit_test(snapshots_are_taken_or_not_and_nothing_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
