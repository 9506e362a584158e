#include "tests/test.h"

#include "core/device-impl.h"
#include "core/machine.h"
#include "core/build.h"
#include "core/registers.h"

typedef struct Toy {
    Device dev;
    uint32_t control, status;
    uint8_t data;
    uint32_t table[4];
    unsigned written_index, read_calls;
    uint64_t written_value;
} Toy;

static uint64_t read_magic(Device *dev, unsigned index)
{
    ((Toy *)dev)->read_calls++;
    return 0x1234;
}

static void write_command(Device *dev, unsigned index, uint64_t value)
{
    ((Toy *)dev)->written_value = value;
}

static void table_written(Device *dev, unsigned index)
{
    ((Toy *)dev)->written_index = index;
}

static const Register rows[] = {
    { .name = "CONTROL", .offset = 0x0, FIELD(Toy, control), .reset = 0xa0, .writable = 0x0f },
    { .name = "STATUS", .offset = 0x4, FIELD(Toy, status), .reset = 0x7, .write_1_clears = 0x3 },
    { .name = "DATA", .offset = 0x8, FIELD(Toy, data), .writable = 0xff, .read_clears = true },
    { .name = "MAGIC", .offset = 0xc, .read = read_magic },
    { .name = "COMMAND", .offset = 0x10, .write = write_command },
    { .name = "TABLE",
        .offset = 0x20,
        FIELD_ARRAY(Toy, table),
        .stride = 8,
        .writable = UINT32_MAX,
        .written = table_written },
};
static const RegisterBank bank = REGISTER_BANK(rows);

static const DeviceClass toy_class = { .name = "toy", .state_size = sizeof(Toy) };

typedef struct Stage {
    Toy toy;
    MachineSpec spec;
    Machine *machine;
    Region *region;
} Stage;

static int set_up(void **state)
{
    Stage *s = g_new0(Stage, 1);

    s->machine = machine_new(&s->spec);
    s->toy.dev.class = &toy_class;
    device_init(&s->toy.dev, s->machine, "toy0", NO_MARK, 0);
    s->region = registers_region("regs", 0x100, &bank, &s->toy.dev);
    registers_reset(&bank, &s->toy.dev);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    Stage *s = *state;

    region_unref(s->region);
    device_clear(&s->toy.dev);
    machine_free(s->machine);
    g_free(s);
    return 0;
}

static uint64_t get(Stage *s, uint64_t offset)
{
    uint64_t value;

    assert_int_equal(region_read(s->region, offset, 4, &value), MEM_OK);
    return value;
}

static void put(Stage *s, uint64_t offset, uint64_t value)
{
    assert_int_equal(region_write(s->region, offset, 4, value), MEM_OK);
}

static void reset_values_come_from_the_table(void **state)
{
    assert_int_equal(get(*state, 0x0), 0xa0);
    assert_int_equal(get(*state, 0x4), 0x7);
}

static void only_writable_bits_change(void **state)
{
    put(*state, 0x0, 0xffffffff);
    assert_int_equal(get(*state, 0x0), 0xaf);
}

static void writing_one_clears_where_the_table_says(void **state)
{
    put(*state, 0x4, 0x5);
    assert_int_equal(get(*state, 0x4), 0x6);
}

static void reading_clears_where_the_table_says(void **state)
{
    put(*state, 0x8, 0x55);
    assert_int_equal(get(*state, 0x8), 0x55);
    assert_int_equal(get(*state, 0x8), 0);
}

static void hooks_stand_in_for_the_field(void **state)
{
    Stage *s = *state;

    assert_int_equal(get(s, 0xc), 0x1234);
    put(s, 0x10, 0xdeadbeef);
    assert_int_equal(s->toy.written_value, 0xdeadbeef);
    assert_int_equal(get(s, 0x10), 0);
}

static void an_array_tells_which_one(void **state)
{
    Stage *s = *state;

    put(s, 0x20 + 3 * 8, 77);
    assert_int_equal(s->toy.table[3], 77);
    assert_int_equal(s->toy.written_index, 3);
    assert_int_equal(get(s, 0x20 + 2 * 8), 0);
}

static void where_nothing_is_reads_zero(void **state)
{
    put(*state, 0x20 + 4, 1);
    put(*state, 0x20 + 4 * 8, 1);
    put(*state, 0xc, 1);
    assert_int_equal(get(*state, 0x20 + 4), 0);
    assert_int_equal(get(*state, 0xfc), 0);
}

#define toy_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        toy_test(reset_values_come_from_the_table),
        toy_test(only_writable_bits_change),
        toy_test(writing_one_clears_where_the_table_says),
        toy_test(reading_clears_where_the_table_says),
        toy_test(hooks_stand_in_for_the_field),
        toy_test(an_array_tells_which_one),
        toy_test(where_nothing_is_reads_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
