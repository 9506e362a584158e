/*
 * Random operations on images of all writable formats, beside a model: several writes, zeroings and
 * discards at once, snapshots, other sizes; after each phase the image is checked and compared, and
 * the power fails at some moments of it. What a crash left is often what the next phase works on.
 *
 * A few hundred operations for each; with LONG=1 a million in all. MODEL_SEED=N: others than usual;
 * MODEL_ONLY=TEXT: flavours with that in their name; MODEL_FROM=N: from the Nth on.
 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/block/model-disk.h"

enum { WORKERS = 4, BURST = 60, RUN_MOST = 300, SNAPSHOTS_MOST = 4 };
enum { OPERATIONS = 400, OPERATIONS_LONG = 1000 * 1000, TELL_EVERY = 5000 };

static const ModelFlavour flavours[] = {
    { "qcow2", "cluster_size=64k" },
    { "qcow2", "cluster_size=4k" },
    { "qcow2", "cluster_size=512" },
    { "qcow2", "cluster_size=2M" },
    { "qcow2", "cluster_size=16k,compat=0.10" },
    { "qcow2", "cluster_size=4k,compat=0.10", .backing = true },
    { "qcow2", "cluster_size=64k", .backing = true },
    { "qcow2", "cluster_size=4k", .backing = true },
    { "qcow2", "cluster_size=4k,refcount_bits=1" },
    { "qcow2", "cluster_size=4k,refcount_bits=2" },
    { "qcow2", "cluster_size=4k,refcount_bits=8" },
    { "qcow2", "cluster_size=4k,refcount_bits=64" },
    { "qcow2", "cluster_size=16k,extended_l2=on" },
    { "qcow2", "cluster_size=128k,extended_l2=on", .backing = true },
    { "qcow2", "cluster_size=16k,lazy_refcounts=on" },
    { "qcow2", "cluster_size=16k,preallocation=metadata" },
    { "qcow2", "cluster_size=16k,compression_type=zstd" },
    { "qcow2", "cluster_size=16k", .data_file = true },
    { "qcow2", "cluster_size=16k,data_file_raw=on", .data_file = true },
    { "qed", "cluster_size=4k,table_size=2" },
    { "qed", "cluster_size=64k,table_size=4", .backing = true },
    { "vdi", "static=off", .leaks_after = true },
    { "vpc", "subformat=dynamic", .leaks_after = true },
    { "vmdk", "subformat=monolithicSparse", .leaks_after = true },
    { "vhdx", "block_size=1M", .leaks_after = true },
    { "parallels", "cluster_size=64k", .leaks_after = true },
    { "raw", "", .leaks_after = true },
};

typedef struct Burst {
    Model *model;
    unsigned left, workers;
    Coroutine *waiter;
} Burst;

/* ---- operations, several at once ---- */

static void set_busy(Model *m, unsigned first, unsigned count, bool busy)
{
    memset(m->busy + first, busy, count);
}

/* Sectors that nobody else is busy with. */
static bool choose_range(Model *m, unsigned unit, unsigned *first, unsigned *count)
{
    unsigned most = 1u << g_rand_int_range(m->rand, 0, 9);

    *count = MIN((unsigned)g_rand_int_range(m->rand, 1, MIN(most, RUN_MOST) + 1), m->sectors);
    *first = g_rand_int_range(m->rand, 0, m->sectors - *count + 1);
    if (unit > 1) { /* whole clusters, or up to the end of the disk */
        *first -= *first % unit;
        *count = MIN((*count + unit - 1) / unit * unit, m->sectors - *first);
    }
    return !memchr(m->busy + *first, true, *count);
}

/* After a discard a sector is what it was, or zero. */
static void take_discarded(Model *m, const ModelStep *step)
{
    g_autofree uint8_t *bytes = g_malloc(step->count * MODEL_SECTOR);

    assert_int_equal(block_read(m->disk, (uint64_t)step->first * MODEL_SECTOR, bytes,
                         step->count * MODEL_SECTOR),
        0);
    for (unsigned i = 0; i < step->count; i++) {
        uint32_t *now = &m->now[step->first + i], found;

        memcpy(&found, bytes + i * MODEL_SECTOR, sizeof(found));
        if (found != *now && found != 0) {
            fail_msg("sector %u holds %x after a discard", step->first + i, found);
        }
        *now = found;
    }
}

static int request(Model *m, ModelStep *step, BlockOp op, unsigned flags)
{
    unsigned words = step->count * (MODEL_SECTOR / 4);
    g_autofree uint32_t *data = g_new(uint32_t, words);
    struct iovec piece = { data, step->count * MODEL_SECTOR };

    for (unsigned i = 0; i < words; i++) {
        data[i] = step->stamp;
    }
    return block_io(m->disk,
        &(BlockIo){ op, flags, (uint64_t)step->first * MODEL_SECTOR, step->count * MODEL_SECTOR,
            { &piece, 1, 0 } });
}

/* Only data that was flushed, or written durably, is surely there after a crash. */
static void change(Model *m)
{
    static const BlockOp ops[] = { BLOCK_WRITE, BLOCK_WRITE, BLOCK_WRITE, BLOCK_WRITE, BLOCK_ZERO,
        BLOCK_ZERO, BLOCK_DISCARD };
    BlockOp op = ops[g_rand_int_range(m->rand, 0, G_N_ELEMENTS(ops))];
    bool packs = op == BLOCK_WRITE && m->disk->driver->pack && !m->flavour->data_file &&
        strcmp(m->flavour->format, "qcow2") == 0 && g_rand_int_range(m->rand, 0, 6) == 0;
    unsigned flags = packs                            ? BLOCK_PACK
        : op == BLOCK_ZERO && g_rand_boolean(m->rand) ? BLOCK_MAY_UNMAP
                                                      : 0;
    unsigned first, count;
    ModelStep *step;

    if (!choose_range(m, packs ? MAX(m->disk->cluster / MODEL_SECTOR, 1) : 1, &first, &count)) {
        return;
    }
    if (op != BLOCK_DISCARD && g_rand_int_range(m->rand, 0, 10) == 0) {
        flags |= BLOCK_DURABLE;
    }
    set_busy(m, first, count, true);
    step = model_step(m, first, count, op == BLOCK_WRITE ? ++m->last_stamp : 0);
    step->discard = op == BLOCK_DISCARD;
    step->packed = packs;
    step->durable = flags & BLOCK_DURABLE;
    assert_int_equal(request(m, step, op, flags), 0);
    model_step_done(m, step);
    if (step->discard) {
        take_discarded(m, step);
    }
    set_busy(m, first, count, false);
}

static void flush(Model *m)
{
    uint64_t span[2] = { power_now(m->power) };

    assert_int_equal(block_flush(m->disk), 0);
    span[1] = power_now(m->power);
    g_array_append_vals(m->flushes, span, 2);
}

static void worker_main(void *data)
{
    Burst *b = data;

    while (b->left > 0) {
        b->left--;
        if (g_rand_int_range(b->model->rand, 0, 15) == 0) {
            flush(b->model);
        } else {
            change(b->model);
        }
        io_loop_sleep(b->model->loop, 0); /* lets the others come in between */
    }
    if (--b->workers == 0 && b->waiter) {
        coroutine_enter(b->waiter);
    }
}

static void burst(Model *m, unsigned count)
{
    Burst b = { .model = m, .left = count, .workers = WORKERS };

    for (unsigned i = 0; i < WORKERS; i++) {
        coroutine_enter(coroutine_new(worker_main, &b));
    }
    if (b.workers > 0) {
        b.waiter = coroutine_self();
        coroutine_yield();
    }
}

/* ---- operations on the whole image ---- */

static void take_snapshot(Model *m)
{
    ModelSnapshot *s = g_new0(ModelSnapshot, 1);
    int result;

    g_snprintf(s->name, sizeof(s->name), "s%u", ++m->last_stamp);
    s->sectors = m->sectors;
    memcpy(s->stamps, m->now, sizeof(s->stamps));
    result = m->disk->driver->snapshots->create(m->disk, s->name);
    if (result == 0) {
        g_ptr_array_add(m->snapshots, s);
    } else {
        assert_int_equal(result, -EOVERFLOW); /* narrow refcounts */
        g_free(s);
    }
}

static void apply_snapshot(Model *m, const ModelSnapshot *s)
{
    ModelStep *step = model_step(m, 0, MODEL_MOST, 0);

    step->stamps = g_memdup2(s->stamps, sizeof(s->stamps));
    assert_int_equal(m->disk->driver->snapshots->apply(m->disk, s->name), 0);
    m->sectors = s->sectors;
    model_step_done(m, step);
    assert_int_equal(m->disk->length, (uint64_t)m->sectors * MODEL_SECTOR);
}

static void work_on_snapshots(Model *m)
{
    unsigned chosen = g_rand_int_range(m->rand, 0, SNAPSHOTS_MOST);

    if (!m->disk->driver->snapshots || m->flavour->data_file) {
        return;
    }
    if (chosen >= m->snapshots->len) {
        take_snapshot(m);
    } else if (g_rand_boolean(m->rand)) {
        apply_snapshot(m, g_ptr_array_index(m->snapshots, chosen));
    } else {
        const ModelSnapshot *s = g_ptr_array_index(m->snapshots, chosen);

        assert_int_equal(m->disk->driver->snapshots->remove(m->disk, s->name), 0);
        g_ptr_array_remove_index(m->snapshots, chosen);
    }
}

/* What is cut off is zeroes when the disk grows again. */
static void resize(Model *m)
{
    unsigned old = m->sectors, wanted = g_rand_int_range(m->rand, MODEL_SECTORS / 2, MODEL_MOST);
    unsigned from = MIN(old, wanted);
    ModelStep *step;

    if (!m->disk->driver->resize) {
        return;
    }
    step = model_step(m, from, MAX(old, wanted) - from, 0);
    assert_int_equal(block_resize(m->disk, (uint64_t)wanted * MODEL_SECTOR), 0);
    m->sectors = wanted;
    model_step_done(m, step);
}

/* ---- all of it ---- */

static void phase(Model *m)
{
    model_open(m);
    burst(m, BURST);
    if (g_rand_boolean(m->rand)) {
        work_on_snapshots(m);
    }
    if (g_rand_int_range(m->rand, 0, 4) == 0) {
        resize(m);
    }
    model_verify(m);
    burst(m, g_rand_int_range(m->rand, 1, BURST));
    model_verify(m);
    model_close(m);
    if (!m->flavour->data_file) {
        model_crash(m, false);
        model_crash(m, g_rand_int_range(m->rand, 0, 3) == 0);
    }
}

typedef struct Run {
    const ModelFlavour *flavour;
    IoLoop *loop;
    unsigned operations, seed;
} Run;

static void run_main(void *data)
{
    const Run *run = data;
    g_autofree Model *m = g_new0(Model, 1);

    model_begin(m, run->loop, run->flavour, run->seed);
    for (unsigned done = 0, told = TELL_EVERY; done < run->operations; done += BURST * 3 / 2) {
        phase(m);
        if (done >= told) {
            print_message("  %u operations\n", done);
            told += TELL_EVERY;
        }
    }
    g_clear_pointer(&m->power, block_unref);
    model_end(m);
}

static unsigned number_from(const char *name, unsigned otherwise)
{
    const char *text = g_getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

static void images_hold_what_the_model_says(void **state)
{
    const char *only = g_getenv("MODEL_ONLY");
    bool is_long = g_strcmp0(g_getenv("LONG"), "1") == 0;
    unsigned operations = is_long ? OPERATIONS_LONG / G_N_ELEMENTS(flavours) : OPERATIONS;

    for (unsigned i = number_from("MODEL_FROM", 0); i < G_N_ELEMENTS(flavours); i++) {
        g_autofree char *name = g_strdup_printf("%s %s%s%s", flavours[i].format,
            flavours[i].options, flavours[i].backing ? " backing" : "",
            flavours[i].data_file ? " data-file" : "");
        g_autoptr(IoLoop) loop = io_loop_new(NULL);
        Run run = { &flavours[i], loop, number_from("MODEL_OPERATIONS", operations),
            number_from("MODEL_SEED", 1) };

        if (!only || strstr(name, only)) {
            print_message("%s\n", name);
            io_loop_run(loop, run_main, &run);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_hold_what_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
