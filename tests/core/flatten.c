#include "tests/test.h"

#include <pthread.h>

#include "core/address-space.h"
#include "core/loop.h"

static const RegionOps no_ops = { 0 };

static Region *device(const char *name, uint64_t size)
{
    return region_new_mmio(name, size, &no_ops, NULL);
}

/* Maps a region and gives the reference away. */
static Region *put(Region *container, GuestAddr at, Region *child, int layer)
{
    region_map(container, at, child, layer);
    region_unref(child);
    return child;
}

static char *describe(Region *root)
{
    g_autoptr(FlatMap) map = flat_map_new(root);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < map->count; i++) {
        const FlatRange *r = &map->ranges[i];

        g_string_append_printf(text, "%s%x+%x=%s.%x", i ? " " : "", (unsigned)r->start,
            (unsigned)r->size, region_name(r->region), (unsigned)r->offset);
    }
    return g_string_free(text, false);
}

#define assert_map(root, expected)                                                                 \
    do {                                                                                           \
        g_autofree char *map_text = describe(root);                                                \
        assert_string_equal(map_text, expected);                                                   \
    } while (0)

static void regions_come_in_the_order_of_their_addresses(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);

    put(root, 0x2000, device("b", 0x100), 0);
    put(root, 0x1000, device("a", 0x100), 0);
    assert_map(root, "1000+100=a.0 2000+100=b.0");
}

static void a_higher_layer_hides_the_middle_of_a_lower_one(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);

    put(root, 0x1000, device("low", 0x1000), 0);
    put(root, 0x1400, device("high", 0x200), 1);
    assert_map(root, "1000+400=low.0 1400+200=high.0 1600+a00=low.600");
}

static void on_one_layer_the_first_one_wins(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);

    put(root, 0x1000, device("first", 0x100), 0);
    put(root, 0x1080, device("second", 0x100), 0);
    assert_map(root, "1000+100=first.0 1100+80=second.80");
}

static void one_low_region_is_seen_through_every_gap(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);

    put(root, 0x100, device("a", 0x100), 1);
    put(root, 0x300, device("b", 0x100), 1);
    put(root, 0, device("low", 0x500), 0);
    assert_map(root, "0+100=low.0 100+100=a.0 200+100=low.200 300+100=b.0 400+100=low.400");
}

static void a_container_lets_lower_layers_show_through_its_holes(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    Region *box = put(root, 0x1000, region_new_container("box", 0x1000), 1);

    put(box, 0x100, device("in", 0x100), 0);
    put(root, 0x1000, device("under", 0x400), 0);
    assert_map(root, "1000+100=under.0 1100+100=in.0 1200+200=under.200");
}

static void what_exceeds_a_container_is_cut_off(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    Region *box = put(root, 0x1000, region_new_container("box", 0x100), 0);

    put(box, 0x80, device("long", 0x1000), 0);
    put(box, 0x200, device("outside", 0x10), 0);
    put(root, 0xfff0, device("end", 0x1000), 0);
    assert_map(root, "1080+80=long.0 fff0+10=end.0");
}

static void an_alias_is_a_window_onto_its_target(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    g_autoptr(Region) target = device("target", 0x1000);

    put(root, 0x4000, region_new_alias("window", target, 0x800, 0x2000), 0);
    region_map(root, 0, target, 0);
    assert_map(root, "0+1000=target.0 4000+800=target.800");
}

static void the_last_address_can_be_mapped(void **state)
{
    g_autoptr(Region) root = region_new_container("root", UINT64_MAX);
    g_autoptr(FlatMap) map = NULL;

    put(root, UINT64_MAX - 0x10, device("top", 0x1000), 0);
    map = flat_map_new(root);
    assert_int_equal(map->count, 1);
    assert_non_null(flat_map_find(map, UINT64_MAX - 1));
    assert_null(flat_map_find(map, UINT64_MAX));
}

static void every_address_is_found_and_no_other(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    g_autoptr(FlatMap) map = NULL;

    for (unsigned i = 0; i < 16; i++) {
        put(root, 0x100 * i, device("x", 0x80), 0);
    }
    map = flat_map_new(root);
    for (unsigned at = 0; at < 0x1100; at += 0x40) {
        const FlatRange *range = flat_map_find(map, at);

        assert_int_equal(range != NULL, at < 0x1000 && (at & 0x80) == 0);
        assert_true(!range || range->start == (at & ~0xffu));
    }
}

static void count_call(void *data)
{
    (*(unsigned *)data)++;
}

static void a_batch_publishes_one_new_map(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    g_autoptr(AddressSpace) as = address_space_new("bus", root);
    unsigned changes = 0;

    address_space_listen(as, count_call, &changes);
    region_batch_begin();
    put(root, 0x1000, device("a", 0x100), 0);
    put(root, 0x2000, device("b", 0x100), 0);
    assert_int_equal(changes, 0);
    region_batch_end();
    assert_int_equal(changes, 1);
    put(root, 0x20000, device("outside", 0x100), 0);
    assert_int_equal(changes, 1);
}

static void a_rom_device_is_memory_only_in_rom_mode(void **state)
{
    g_autoptr(Region) flash = region_new_rom_device("flash", 0x1000, &no_ops, NULL, NULL);
    g_autoptr(AddressSpace) as = address_space_new("bus", flash);
    uint64_t length = 0x2000;

    assert_ptr_equal(address_space_map_ram(as, 0x10, &length, false), region_host(flash) + 0x10);
    assert_int_equal(length, 0xff0);
    assert_null(address_space_map_ram(as, 0x10, &length, true));
    region_set_rom_mode(flash, false);
    assert_null(address_space_map_ram(as, 0x10, &length, false));
}

static void a_transfer_crosses_ranges_and_stops_where_nothing_is(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    g_autoptr(AddressSpace) as = address_space_new("bus", root);
    char out[16] = "################";

    put(root, 0x1000, region_new_ram("one", 0x1000, NULL), 0);
    put(root, 0x2000, region_new_ram("two", 0x1000, NULL), 0);
    assert_int_equal(address_space_write(as, 0x1ffc, "abcdefgh", 8), MEM_OK);
    assert_int_equal(address_space_read(as, 0x1ffc, out, 8), MEM_OK);
    assert_memory_equal(out, "abcdefgh", 8);
    assert_int_equal(address_space_read(as, 0x2ffc, out, 8), MEM_DECODE_ERROR);
    assert_memory_equal(out, "\0\0\0\0\0\0\0\0########", 16);
}

/* ---- maps that change under the eyes of readers ---- */

static bool stop_reading;

static void *read_all_the_time(void *data)
{
    AddressSpace *as = data;

    while (!__atomic_load_n(&stop_reading, __ATOMIC_RELAXED)) {
        const FlatMap *map = address_space_enter(as);
        const FlatRange *range = flat_map_find(map, 0x8000);

        assert_non_null(range);
        assert_int_equal(range->start, 0x8000);
        address_space_leave(as);
    }
    return NULL;
}

static void readers_never_see_a_map_that_was_freed(void **state)
{
    g_autoptr(Region) root = region_new_container("root", 0x10000);
    g_autoptr(AddressSpace) as = address_space_new("bus", root);
    g_autoptr(Region) moving = device("moving", 0x100);
    pthread_t thread;

    put(root, 0x8000, device("fixed", 0x100), 0);
    pthread_create(&thread, NULL, read_all_the_time, as);
    for (unsigned i = 0; i < 20000; i++) {
        machine_lock();
        region_map(root, (i % 64) * 0x100, moving, 0);
        region_unmap(moving);
        machine_unlock();
    }
    __atomic_store_n(&stop_reading, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_come_in_the_order_of_their_addresses),
        cmocka_unit_test(a_higher_layer_hides_the_middle_of_a_lower_one),
        cmocka_unit_test(on_one_layer_the_first_one_wins),
        cmocka_unit_test(one_low_region_is_seen_through_every_gap),
        cmocka_unit_test(a_container_lets_lower_layers_show_through_its_holes),
        cmocka_unit_test(what_exceeds_a_container_is_cut_off),
        cmocka_unit_test(an_alias_is_a_window_onto_its_target),
        cmocka_unit_test(the_last_address_can_be_mapped),
        cmocka_unit_test(every_address_is_found_and_no_other),
        cmocka_unit_test(a_batch_publishes_one_new_map),
        cmocka_unit_test(a_rom_device_is_memory_only_in_rom_mode),
        cmocka_unit_test(a_transfer_crosses_ranges_and_stops_where_nothing_is),
        cmocka_unit_test(readers_never_see_a_map_that_was_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
