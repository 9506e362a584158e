/*
 * What holds for every device class, whatever it does: nothing here names one.
 *
 * A device is made from `{type: NAME}`, or from the first of its schema's `examples` where it
 * needs more.
 */
#include "tests/bench.h"

#include <unistd.h>

#include "config/library.h"
#include "core/device-impl.h"
#include "core/loop.h"
#include "core/state.h"
#include "tests/block/disk.h"

/* ---- schemas ---- */

typedef struct Schemas {
    Diag *diag;
    Arena *arena;
    Library *library;
} Schemas;

static Schemas schemas;

static const Node *schema_of(const DeviceClass *class)
{
    g_autofree char *name = g_strdup_printf("schemas/devices/%s.v1.yaml", class->name);
    const Node *schema = library_load(schemas.library, name);

    if (!schema) {
        fail_msg("%s: there is no %s", class->name, name);
    }
    return schema;
}

static void write_flow(GString *out, const Node *node)
{
    switch (node->kind) {
    case NODE_MAP:
        for (unsigned i = 0; i < node->map.count; i++) {
            g_string_append_printf(out, "%s%s: ", i ? ", " : "{", node->map.entries[i].key);
            write_flow(out, node->map.entries[i].value);
        }
        g_string_append_c(out, '}');
        break;
    case NODE_LIST:
        for (unsigned i = 0; i < node->list.count; i++) {
            g_string_append(out, i ? ", " : "[");
            write_flow(out, node->list.items[i]);
        }
        g_string_append_c(out, ']');
        break;
    default: g_string_append(out, node->scalar.text);
    }
}

static char *example_of(const DeviceClass *class)
{
    const Node *examples = node_get(schema_of(class), "examples");
    GString *text = g_string_new(NULL);

    if (examples) {
        write_flow(text, examples->list.items[0]);
    } else {
        g_string_printf(text, "{type: %s}", class->name);
    }
    return g_string_free(text, false);
}

/* ---- one bench after the other ---- */

static Drive *disk;

static Bench *bench_of(const DeviceClass *class)
{
    g_autofree char *yaml = example_of(class);

    if (!disk) {
        DriveSpec spec = disk_spec(NULL, "unsafe", AIO_THREADS);

        /* As large as the flash of the bench, for what keeps its contents. */
        spec.size = (SpecNumber){ .value = 32 << 20, .set = true };
        disk = disk_open(&spec);
    }
    bench_give_drive("disk", disk);
    return bench_new(yaml);
}

static int set_up(void **state)
{
    schemas.diag = diag_new();
    schemas.arena = arena_create();
    schemas.library = library_create(NULL, schemas.arena, schemas.diag);
    return 0;
}

static int tear_down(void **state)
{
    disk_close(disk);
    library_free(schemas.library);
    arena_free(schemas.arena);
    diag_free(schemas.diag);
    return 0;
}

/* ---- names ---- */

/* Keys of a schema that say where a device is, which the class has nothing to do with. */
static bool is_placing(const char *key)
{
    static const char *const keys[] = { "type", "at", "irq", "clock", "count", "slot", NULL };

    return g_strv_contains(keys, key);
}

static bool class_has(const DeviceClass *class, const char *key)
{
    g_autofree char *field = g_strdelimit(g_strdup(key), "-", '_');

    for (const Prop *prop = class->props; prop && prop->name; prop++) {
        if (g_str_equal(prop->name, field)) {
            return true;
        }
    }
    return false;
}

static void properties_have_the_same_names_in_schema_and_class(void **state)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        const DeviceClass *class = device_classes[i];
        const Node *keys = node_get(schema_of(class), "properties");

        for (unsigned k = 0; k < keys->map.count; k++) {
            const char *key = keys->map.entries[k].key;

            if (!is_placing(key) && !class_has(class, key)) {
                fail_msg("%s: the class has no property '%s'", class->name, key);
            }
        }
        for (const Prop *prop = class->props; prop && prop->name; prop++) {
            g_autofree char *key = g_strdelimit(g_strdup(prop->name), "_", '-');

            if (!node_get(keys, key)) {
                fail_msg("%s: the schema has no property '%s'", class->name, key);
            }
        }
    }
}

static void saved_fields_have_names_of_their_own(void **state)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        const Saved *saved = device_classes[i]->saved;

        for (; saved && saved->name; saved++) {
            assert_true(saved->offset >= sizeof(Device));
            assert_true(saved->offset + saved->size <= device_classes[i]->state_size);
            for (const Saved *other = saved + 1; other->name; other++) {
                assert_string_not_equal(saved->name, other->name);
            }
        }
    }
}

/* ---- a guest that does anything at all ---- */

static void stir_ram(Bench *bench, GRand *rand)
{
    uint32_t *ram = (uint32_t *)bench_ram(bench);

    for (unsigned i = 0; i < 1024; i++) {
        /* Half of it looks like addresses of RAM. */
        ram[i] = g_rand_boolean(rand) ? BENCH_RAM + g_rand_int_range(rand, 0, 8192)
                                      : g_rand_int(rand);
    }
}

static uint64_t any_value(GRand *rand)
{
    uint64_t value = g_rand_int(rand);

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: return g_rand_int_range(rand, 0, 16);
    case 1: return BENCH_RAM + (value & 0xfff);
    case 2: return value << 32 | g_rand_int(rand);
    default: return value;
    }
}

static void access_anything(Bench *bench, GRand *rand, const Device *front)
{
    unsigned count = MAX(front->spec->region_count, 1);
    unsigned index = g_rand_int_range(rand, 0, count), size = 1u << g_rand_int_range(rand, 0, 4);
    const Region *region = device_region(front, index);
    uint64_t offset, value;

    if (!region) {
        return;
    }
    /* Registers are mostly at the beginning. */
    offset = g_rand_int(rand) %
        (g_rand_boolean(rand) ? MIN(region_size(region), 0x200) : region_size(region));
    offset &= g_rand_int_range(rand, 0, 8) ? -(uint64_t)size : UINT64_MAX;
    if (offset > region_size(region) - MIN(size, region_size(region))) {
        return;
    }
    if (g_rand_boolean(rand)) {
        bench_try_read(bench, index, offset, size, &value);
    } else {
        bench_try_write(bench, index, offset, size, any_value(rand));
    }
}

static void do_anything(Bench *bench, GRand *rand, unsigned steps)
{
    const Device *dev = bench_device(bench);
    const Device *front = dev->parent ? dev->parent : dev;

    for (unsigned i = 0; i < steps; i++) {
        if (i % 256 == 0) {
            stir_ram(bench, rand);
            bench_type(bench, "x\n");
            bench_advance(bench, g_rand_int_range(rand, 0, 1000000));
            g_free(bench_output(bench));
        }
        access_anything(bench, rand, front);
    }
    while (loop_poll()) {}
}

static void any_access_leaves_a_device_alive(void **state)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        g_autoptr(Bench) bench = bench_of(device_classes[i]);
        g_autoptr(GRand) rand = g_rand_new_with_seed(i + 1);

        do_anything(bench, rand, 20000);
        bench_reset(bench);
        do_anything(bench, rand, 5000);
    }
}

/* ---- snapshots and resets ---- */

/* A device's state is its fields by name, then its lines. */
static void assert_same_state(const DeviceClass *class, GBytes *left, GBytes *right)
{
    const GVariantType *type = G_VARIANT_TYPE("(a{say}ab)");
    g_autoptr(GVariant) a = g_variant_ref_sink(g_variant_new_from_bytes(type, left, false));
    g_autoptr(GVariant) b = g_variant_ref_sink(g_variant_new_from_bytes(type, right, false));
    g_autoptr(GVariant) a_fields = g_variant_get_child_value(a, 0);
    g_autoptr(GVariant) b_fields = g_variant_get_child_value(b, 0);

    for (const Saved *saved = class->saved; saved && saved->name; saved++) {
        g_autoptr(GVariant) x = g_variant_lookup_value(a_fields, saved->name, NULL);
        g_autoptr(GVariant) y = g_variant_lookup_value(b_fields, saved->name, NULL);

        if (!g_variant_equal(x, y)) {
            fail_msg("%s: '%s' differs", class->name, saved->name);
        }
    }
    if (!g_variant_equal(a, b)) {
        fail_msg("%s: the levels of its lines differ", class->name);
    }
}

static void a_loaded_device_is_the_one_that_was_saved(void **state)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        g_autoptr(Bench) one = bench_of(device_classes[i]);
        g_autoptr(GRand) rand = g_rand_new_with_seed(i + 1);
        g_autoptr(GBytes) saved = NULL;
        g_autoptr(GBytes) again = NULL;

        do_anything(one, rand, 2000);
        saved = state_save_device(bench_device(one));
        bench_save_and_load(one);
        again = state_save_device(bench_device(one));
        assert_same_state(device_classes[i], saved, again);
    }
}

static void a_snapshot_of_another_size_is_refused(void **state)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        g_autoptr(Bench) bench = bench_of(device_classes[i]);
        g_autoptr(GBytes) saved = state_save_device(bench_device(bench));
        g_autoptr(GBytes) half = g_bytes_new_from_bytes(saved, 0, g_bytes_get_size(saved) / 2);
        g_autoptr(GError) error = NULL;

        /* What has no state has nothing to lose. */
        if (device_classes[i]->saved && device_classes[i]->saved->name) {
            assert_false(state_load_device(bench_device(bench), half, &error));
        }
    }
}

static void every_reset_gives_the_same_state(void **state)
{
    for (unsigned i = 0; device_classes[i]; i++) {
        g_autoptr(Bench) bench = bench_of(device_classes[i]);
        g_autoptr(GRand) rand = g_rand_new_with_seed(i + 1);
        g_autoptr(GBytes) first = NULL;
        g_autoptr(GBytes) second = NULL;

        /* Something may stay for good, such as what a flash holds: so from the second one on. */
        do_anything(bench, rand, 2000);
        bench_reset(bench);
        first = state_save_device(bench_device(bench));
        do_anything(bench, rand, 2000);
        bench_reset(bench);
        second = state_save_device(bench_device(bench));
        assert_same_state(device_classes[i], first, second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_have_the_same_names_in_schema_and_class),
        cmocka_unit_test(saved_fields_have_names_of_their_own),
        cmocka_unit_test(any_access_leaves_a_device_alive),
        cmocka_unit_test(a_loaded_device_is_the_one_that_was_saved),
        cmocka_unit_test(a_snapshot_of_another_size_is_refused),
        cmocka_unit_test(every_reset_gives_the_same_state),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
