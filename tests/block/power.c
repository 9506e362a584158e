/* What qcow2 leaves when the power fails: at every moment, an image that is whole. */
#include "tests/test.h"

#include <string.h>

#include "block/cache.h"
#include "block/power.h"

enum { KIB = 1024, DISK = 2048 * KIB, SECTOR = 512, SECTORS = DISK / SECTOR, WRITERS = 4 };

/* A write, discard or zeroing of sectors, with the moments at which it began and ended. */
typedef struct Step {
    unsigned first, count;
    uint32_t stamp; /* what each sector starts with; 0: zeroes */
    bool discard;
    uint64_t began, ended;
} Step;

typedef struct Scene {
    IoLoop *loop;
    BlockNode *power, *disk;
    GByteArray *before; /* the file when recording began */
    GRand *rand;
    GPtrArray *steps; /* of Step */
    GArray *flushes;  /* of uint64_t pairs: moments of guest flushes */
    unsigned left, writers;
    const char *options, *cache;
    unsigned durable;
    Coroutine *waiter;
} Scene;

/* ---- recording ---- */

static BlockNode *open_memory(IoLoop *loop, GByteArray *bytes, const char *cache)
{
    BlockOptions options = { .memory = bytes };

    assert_true(cache_from_word(cache, &options.cache));
    return block_open(loop, block_driver_find("memory"), &options, NULL, NULL, NULL);
}

static BlockNode *open_qcow2(BlockNode *file, bool read_only)
{
    BlockOptions options = { .cache = file->cache, .read_only = read_only };

    return block_open(file->loop, block_driver_find("qcow2"), &options, file, NULL, NULL);
}

static GByteArray *new_image(IoLoop *loop, const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    BlockNode *file = open_memory(loop, bytes, "writeback");
    BlockCreate create = { .size = DISK,
        .options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };

    assert_true(block_parse_options(text, create.options, NULL));
    assert_true(block_driver_find("qcow2")->create(file, &create, NULL));
    block_unref(file);
    g_hash_table_unref(create.options);
    return bytes;
}

static void do_step(Scene *s)
{
    Step *step = g_new0(Step, 1);
    unsigned most = 1u << g_rand_int_range(s->rand, 0, 9);
    g_autofree uint8_t *data = NULL;
    BlockIo io = { .op = BLOCK_WRITE, .flags = s->durable };
    struct iovec piece;

    step->count = g_rand_int_range(s->rand, 1, most + 1);
    step->first = g_rand_int_range(s->rand, 0, SECTORS - step->count);
    step->stamp = s->steps->len + 1;
    data = g_malloc0(step->count * SECTOR);
    for (unsigned i = 0; i < step->count; i++) {
        memcpy(data + i * SECTOR, &step->stamp, sizeof(step->stamp));
    }
    piece = (struct iovec){ data, step->count * SECTOR };
    io.memory = (BlockMemory){ &piece, 1, 0 };
    switch (g_rand_int_range(s->rand, 0, 8)) {
    case 0:
        io.op = BLOCK_ZERO;
        step->stamp = 0;
        break;
    case 1:
        io.op = BLOCK_DISCARD;
        step->stamp = 0;
        step->discard = true;
        break;
    }
    io.at = step->first * SECTOR;
    io.length = step->count * SECTOR;
    g_ptr_array_add(s->steps, step);
    step->began = power_now(s->power);
    assert_int_equal(block_io(s->disk, &io), 0);
    step->ended = power_now(s->power);
}

static void do_flush(Scene *s)
{
    uint64_t span[2] = { power_now(s->power) };

    assert_int_equal(block_flush(s->disk), 0);
    span[1] = power_now(s->power);
    g_array_append_vals(s->flushes, span, 2);
}

static void writer_main(void *data)
{
    Scene *s = data;

    while (s->left > 0) {
        s->left--;
        if (g_rand_int_range(s->rand, 0, 10) == 0) {
            do_flush(s);
        } else {
            do_step(s);
        }
        io_loop_sleep(s->loop, 0); /* lets the others come in between */
    }
    if (--s->writers == 0) {
        coroutine_enter(s->waiter);
    }
}

static void record(Scene *s)
{
    BlockNode *file;
    GByteArray *bytes = new_image(s->loop, s->options);

    s->before = g_byte_array_append(g_byte_array_new(), bytes->data, bytes->len);
    file = open_memory(s->loop, bytes, s->cache);
    s->power = block_ref(power_record(file, NULL));
    s->disk = open_qcow2(s->power, false);
    assert_non_null(s->disk);
    s->writers = WRITERS;
    s->waiter = coroutine_self();
    for (unsigned i = 0; i < WRITERS; i++) {
        coroutine_enter(coroutine_new(writer_main, s));
    }
    coroutine_yield();
    g_byte_array_unref(bytes);
}

/* ---- judging ---- */

/* Was the step finished before a flush began that had ended by then (or durable by itself)? */
static bool must_be_there(const Scene *s, const Step *step, uint64_t moment)
{
    if (step->ended == 0 || step->ended > moment) {
        return false;
    }
    for (unsigned i = 0; i < s->flushes->len && !s->durable; i += 2) {
        if (g_array_index(s->flushes, uint64_t, i) >= step->ended &&
            g_array_index(s->flushes, uint64_t, i + 1) <= moment) {
            return true;
        }
    }
    return s->durable;
}

/* A sector holds the latest step that must be there, or one that did not end before that began. */
static bool is_legal(const Scene *s, unsigned sector, uint32_t found, uint64_t moment)
{
    uint64_t floor = 0;
    bool legal = found == 0;

    for (unsigned i = 0; i < s->steps->len; i++) {
        const Step *step = g_ptr_array_index(s->steps, i);

        if (sector - step->first < step->count && must_be_there(s, step, moment) &&
            !step->discard && step->began >= floor) {
            floor = step->began;
            legal = false;
        }
    }
    for (unsigned i = 0; i < s->steps->len && !legal; i++) {
        const Step *step = g_ptr_array_index(s->steps, i);

        legal = sector - step->first < step->count && step->stamp == found &&
            step->began <= moment && (step->ended == 0 || step->ended >= floor);
    }
    return legal;
}

static void judge(Scene *s, uint64_t moment)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    g_autofree uint8_t *data = g_malloc(DISK);
    BlockCheck found = { 0 };
    BlockNode *disk;

    g_byte_array_append(image, s->before->data, s->before->len);
    power_crash(s->power, moment, s->rand, image);
    disk = open_qcow2(open_memory(s->loop, image, "writeback"), true);
    assert_non_null(disk);
    assert_int_equal(disk->driver->check(disk, &found, false), 0);
    if (found.corruptions || found.errors) {
        fail_msg("moment %u: %u corruptions, %u errors", (unsigned)moment,
            (unsigned)found.corruptions, (unsigned)found.errors);
    }
    assert_int_equal(block_read(disk, 0, data, DISK), 0);
    for (unsigned sector = 0; sector < SECTORS; sector++) {
        uint32_t stamp;

        memcpy(&stamp, data + sector * SECTOR, sizeof(stamp));
        if (!is_legal(s, sector, stamp, moment)) {
            fail_msg("moment %u: sector %u holds %u", (unsigned)moment, sector, stamp);
        }
    }
    block_unref(disk);
}

static void play(void *data)
{
    Scene *s = data;
    uint64_t end;

    record(s);
    end = power_now(s->power);
    for (unsigned i = 0; i < 150; i++) {
        judge(s, g_rand_int_range(s->rand, 0, end + 1));
    }
    block_unref(s->disk);
    block_unref(s->power);
}

static void run_scene(const char *options, const char *cache, unsigned seed)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);
    DriveCache mode;
    Scene s = { .loop = loop,
        .options = options,
        .cache = cache,
        .left = 150,
        .rand = g_rand_new_with_seed(seed),
        .steps = g_ptr_array_new_with_free_func(g_free),
        .flushes = g_array_new(false, false, sizeof(uint64_t)) };

    assert_true(cache_from_word(cache, &mode));
    s.durable = cache_writes_durably(&mode) ? BLOCK_DURABLE : 0;
    io_loop_run(loop, play, &s);
    g_rand_free(s.rand);
    g_ptr_array_unref(s.steps);
    g_array_unref(s.flushes);
    g_byte_array_unref(s.before);
}

static void no_moment_leaves_a_corrupt_image_or_loses_what_was_flushed(void **state)
{
    static const char *const options[] = { "cluster_size=64k", "cluster_size=4k",
        "cluster_size=512", "cluster_size=16k,extended_l2=on" };

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        print_message("%s\n", options[i]);
        run_scene(options[i], "none", i);
    }
}

static void durable_writes_are_always_there(void **state)
{
    run_scene("cluster_size=4k", "directsync", 7);
    run_scene("cluster_size=64k", "writethrough", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_moment_leaves_a_corrupt_image_or_loses_what_was_flushed),
        cmocka_unit_test(durable_writes_are_always_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
