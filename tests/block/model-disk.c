#include "tests/block/model-disk.h"

#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "block/cache.h"

static void step_free(void *data)
{
    ModelStep *step = data;

    g_free(step->stamps);
    g_free(step);
}

static uint64_t bytes_of(unsigned sectors)
{
    return (uint64_t)sectors * MODEL_SECTOR;
}

/* ---- opening ---- */

static BlockNode *open_file(const Model *m, GByteArray *bytes)
{
    BlockOptions options = { .memory = bytes, .path = m->path };

    assert_true(cache_from_word("writeback", &options.cache));
    return block_open(m->loop, block_driver_find("memory"), &options, NULL, NULL, NULL);
}

/* A disk below: each sector has a stamp of its own, far from those that are written. */
static BlockNode *open_backing(const Model *m)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    BlockOptions options = { .read_only = true };

    g_byte_array_set_size(bytes, bytes_of(MODEL_SECTORS));
    for (unsigned i = 0; i < MODEL_SECTORS * (MODEL_SECTOR / 4); i++) {
        ((uint32_t *)bytes->data)[i] = UINT32_MAX - i / (MODEL_SECTOR / 4);
    }
    return block_open(m->loop, block_driver_find("raw"), &options, open_file(m, bytes), NULL, NULL);
}

static BlockNode *open_disk(const Model *m, BlockNode *file, bool read_only, bool repair)
{
    BlockOptions options = {
        .path = m->path, .cache = file->cache, .read_only = read_only, .repair = repair
    };
    BlockNode *backing = m->flavour->backing ? open_backing(m) : NULL;
    g_autoptr(GError) error = NULL;
    BlockNode *disk = block_open(
        m->loop, block_driver_find(m->flavour->format), &options, file, backing, &error);

    if (!disk) {
        fail_msg("%s", error->message);
    }
    return disk;
}

static void create(Model *m)
{
    g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate create = { .size = bytes_of(MODEL_SECTORS), .path = m->path, .options = options };
    BlockNode *file = open_file(m, m->bytes);

    if (m->flavour->backing) {
        create.backing = "below";
        create.backing_format = "raw";
    }
    assert_true(block_parse_options(m->flavour->options, options, NULL));
    if (m->flavour->data_file) {
        g_hash_table_insert(
            options, g_strdup("data_file"), g_strdup_printf("model-%d.data", getpid()));
    }
    assert_true(block_driver_find(m->flavour->format)->create(file, &create, NULL));
    block_unref(file);
}

void model_begin(Model *m, IoLoop *loop, const ModelFlavour *flavour, unsigned seed)
{
    const char *build = g_getenv("BUILD");

    *m = (Model){ .flavour = flavour,
        .loop = loop,
        .rand = g_rand_new_with_seed(seed),
        .path = g_strdup_printf("%s/model-%d", build ? build : "/var/tmp", getpid()),
        .bytes = g_byte_array_new(),
        .before = g_byte_array_new(),
        .sectors = MODEL_SECTORS,
        .leaky = flavour->leaks_after,
        .steps = g_ptr_array_new_with_free_func(step_free),
        .flushes = g_array_new(false, false, sizeof(uint64_t)),
        .snapshots = g_ptr_array_new_with_free_func(g_free) };
    for (unsigned i = 0; flavour->backing && i < MODEL_SECTORS; i++) {
        m->now[i] = UINT32_MAX - i;
    }
    create(m);
}

void model_end(Model *m)
{
    g_autofree char *data = g_strdup_printf("%s.data", m->path);

    unlink(data);
    g_free(m->path);
    g_rand_free(m->rand);
    g_byte_array_unref(m->bytes);
    g_byte_array_unref(m->before);
    g_ptr_array_unref(m->steps);
    g_array_unref(m->flushes);
    g_ptr_array_unref(m->snapshots);
}

/* ---- phases ---- */

void model_open(Model *m)
{
    g_clear_pointer(&m->power, block_unref);
    g_byte_array_set_size(m->before, 0);
    g_byte_array_append(m->before, m->bytes->data, m->bytes->len);
    memcpy(m->floor, m->now, sizeof(m->floor));
    g_ptr_array_set_size(m->steps, 0);
    g_array_set_size(m->flushes, 0);
    m->power = block_ref(power_record(open_file(m, m->bytes), NULL));
    m->disk = open_disk(m, m->power, false, false);
    assert_int_equal(m->disk->length, bytes_of(m->sectors));
}

static void check(Model *m, BlockNode *disk, bool may_leak, const char *when)
{
    BlockCheck found = { 0 };

    if (!disk->driver->check) {
        return;
    }
    assert_int_equal(disk->driver->check(disk, &found, false), 0);
    if (found.corruptions || found.errors || (found.leaks && !may_leak)) {
        fail_msg("%s: %u corruptions, %u errors, %u leaks", when, (unsigned)found.corruptions,
            (unsigned)found.errors, (unsigned)found.leaks);
    }
}

void model_close(Model *m)
{
    BlockNode *disk;

    assert_int_equal(block_flush(m->disk), 0);
    g_clear_pointer(&m->disk, block_unref);
    disk = open_disk(m, open_file(m, m->bytes), true, false);
    check(m, disk, m->leaky, "after a phase");
    block_unref(disk);
}

ModelStep *model_step(Model *m, unsigned first, unsigned count, uint32_t stamp)
{
    ModelStep *step = g_new0(ModelStep, 1);

    *step = (ModelStep){
        .first = first, .count = count, .stamp = stamp, .began = power_now(m->power)
    };
    g_ptr_array_add(m->steps, step);
    return step;
}

static uint32_t stamp_of(const ModelStep *step, unsigned sector)
{
    return step->stamps ? step->stamps[sector] : step->stamp;
}

void model_step_done(Model *m, ModelStep *step)
{
    step->ended = power_now(m->power);
    for (unsigned i = step->first; i < step->first + step->count && !step->discard; i++) {
        m->now[i] = stamp_of(step, i);
    }
}

/* ---- judging ---- */

/* The stamps of a disk; each sector must be one and the same all through. */
static uint32_t *read_stamps(BlockNode *disk, unsigned sectors)
{
    g_autofree uint32_t *words = g_malloc(bytes_of(sectors));
    uint32_t *stamps = g_new0(uint32_t, MODEL_MOST);
    enum { WORDS = MODEL_SECTOR / 4 };

    assert_int_equal(block_read(disk, 0, words, bytes_of(sectors)), 0);
    for (unsigned i = 0; i < sectors; i++) {
        const uint32_t *sector = words + i * WORDS;

        stamps[i] = sector[0];
        if (memcmp(sector, sector + 1, MODEL_SECTOR - 4) != 0) {
            fail_msg("sector %u is a mixture", i);
        }
    }
    return stamps;
}

/* For a failure: all that happened to a sector. */
static void tell(const Model *m, unsigned sector)
{
    print_message("it held %x; then:\n", m->floor[sector]);
    for (unsigned i = 0; i < m->steps->len; i++) {
        const ModelStep *step = g_ptr_array_index(m->steps, i);

        if (sector - step->first < step->count) {
            print_message("  %x%s%s%s at %u to %u, sectors %u and %u more\n",
                stamp_of(step, sector), step->discard ? " discard" : "",
                step->durable ? " durable" : "", step->packed ? " packed" : "",
                (unsigned)step->began, (unsigned)step->ended, step->first, step->count - 1);
        }
    }
    for (unsigned i = 0; i < m->flushes->len; i += 2) {
        print_message("  flush at %u to %u\n", (unsigned)g_array_index(m->flushes, uint64_t, i),
            (unsigned)g_array_index(m->flushes, uint64_t, i + 1));
    }
}

void model_verify(Model *m)
{
    g_autofree uint32_t *found = read_stamps(m->disk, m->sectors);

    for (unsigned i = 0; i < m->sectors; i++) {
        if (found[i] != m->now[i]) {
            tell(m, i);
            fail_msg("sector %u holds %x, not %x", i, found[i], m->now[i]);
        }
    }
}

static bool must_be_there(const Model *m, const ModelStep *step, uint64_t moment)
{
    if (step->ended == 0 || step->ended > moment || step->discard) {
        return false;
    }
    for (unsigned i = 0; i < m->flushes->len && !step->durable; i += 2) {
        if (g_array_index(m->flushes, uint64_t, i) >= step->ended &&
            g_array_index(m->flushes, uint64_t, i + 1) <= moment) {
            return true;
        }
    }
    return step->durable;
}

/* A sector holds the latest step that must be there, or one that did not end before that began. */
static bool is_legal(const Model *m, unsigned sector, uint32_t found, uint64_t moment)
{
    uint64_t least = 0;
    bool legal = found == m->floor[sector];

    for (unsigned i = 0; i < m->steps->len; i++) {
        const ModelStep *step = g_ptr_array_index(m->steps, i);

        if (sector - step->first < step->count && step->began >= least &&
            must_be_there(m, step, moment)) {
            least = step->began;
            legal = false;
        }
    }
    for (unsigned i = 0; i < m->steps->len && !legal; i++) {
        const ModelStep *step = g_ptr_array_index(m->steps, i);

        legal = sector - step->first < step->count && stamp_of(step, sector) == found &&
            step->began <= moment && (step->ended == 0 || step->ended >= least);
    }
    return legal;
}

/* Snapshots that the image still has, and no others: one may be under way. */
static void find_snapshots(Model *m, BlockNode *disk)
{
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(BlockSnapshot));

    if (!disk->driver->snapshots || m->flavour->data_file) {
        return;
    }
    assert_int_equal(disk->driver->snapshots->list(disk, found), 0);
    for (unsigned i = m->snapshots->len; i-- > 0;) {
        const ModelSnapshot *s = g_ptr_array_index(m->snapshots, i);
        bool there = false;

        for (unsigned k = 0; k < found->len && !there; k++) {
            there = strcmp(g_array_index(found, BlockSnapshot, k).name, s->name) == 0;
        }
        if (!there) {
            g_ptr_array_remove_index(m->snapshots, i);
        }
    }
}

static void go_on_from(Model *m, GByteArray *image, BlockNode *disk, const uint32_t *stamps)
{
    g_byte_array_set_size(m->bytes, 0);
    g_byte_array_append(m->bytes, image->data, image->len);
    memcpy(m->now, stamps, sizeof(m->now));
    m->sectors = disk->length / MODEL_SECTOR;
    m->leaky = true;
    find_snapshots(m, disk);
}

/* All leaks go, and the image is the same. */
static void repair(Model *m)
{
    BlockCheck found = { 0 };
    BlockNode *disk = open_disk(m, open_file(m, m->bytes), false, true);

    assert_int_equal(disk->driver->check(disk, &found, true), 0);
    block_unref(disk);
    disk = open_disk(m, open_file(m, m->bytes), true, false);
    m->leaky = m->flavour->leaks_after;
    check(m, disk, m->leaky, "after repair");
    block_unref(disk);
}

void model_crash(Model *m, bool stay)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    uint64_t moment = g_rand_double(m->rand) * (power_now(m->power) + 1);
    g_autofree uint32_t *stamps = NULL;
    BlockNode *disk;

    g_byte_array_append(image, m->before->data, m->before->len);
    power_crash(m->power, moment, m->rand, image);
    disk = open_disk(m, open_file(m, image), true, false);
    check(m, disk, true, "after a crash");
    stamps = read_stamps(disk, disk->length / MODEL_SECTOR);
    for (unsigned i = 0; i < disk->length / MODEL_SECTOR; i++) {
        if (!is_legal(m, i, stamps[i], moment)) {
            tell(m, i);
            fail_msg("after a crash at moment %u of %u, sector %u holds %x", (unsigned)moment,
                (unsigned)power_now(m->power), i, stamps[i]);
        }
    }
    if (stay) {
        go_on_from(m, image, disk, stamps);
    }
    block_unref(disk);
    if (stay && m->disk == NULL && block_driver_find(m->flavour->format)->check &&
        g_rand_boolean(m->rand)) {
        repair(m);
    }
}
