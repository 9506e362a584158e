#include "tests/test.h"

#include "core/address-space.h"
#include "core/loop.h"

/* A device that keeps a byte for each offset and remembers its last access. */
typedef struct Probe {
    uint8_t bytes[64];
    unsigned calls, last_size;
    uint64_t last_offset, last_value;
    bool refuse;
    AddressSpace *dma_to; /* reads itself through this at each read */
} Probe;

static uint64_t probe_read(void *owner, GuestAddr offset, unsigned size)
{
    Probe *p = owner;
    uint64_t value = 0;

    assert_true(machine_lock_held());
    p->calls++;
    p->last_offset = offset;
    p->last_size = size;
    if (p->refuse) {
        region_refuse();
    }
    if (p->dma_to) {
        uint32_t word;

        address_space_read(p->dma_to, 0, &word, 4);
    }
    memcpy(&value, p->bytes + offset, size);
    return value;
}

static void probe_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    Probe *p = owner;

    p->calls++;
    p->last_offset = offset;
    p->last_size = size;
    p->last_value = value;
    if (p->refuse) {
        region_refuse();
        return;
    }
    memcpy(p->bytes + offset, &value, size);
}

#define PROBE_OPS .read = probe_read, .write = probe_write
static const RegionOps any_ops = { PROBE_OPS };
static const RegionOps word_ops = { PROBE_OPS, .guest = { 1, 8 }, .device = { 4, 4 } };
static const RegionOps strict_ops = { PROBE_OPS, .guest = { 4, 4 } };
static const RegionOps loose_ops = { PROBE_OPS, .guest = { 1, 8 }, .device = { 1, 4 },
    .guest_unaligned = true };
static const RegionOps big_ops = { PROBE_OPS, .guest = { 1, 8 }, .device = { 2, 4 },
    .endian = ENDIAN_BIG };

static Region *probe_region(Probe *probe, const RegionOps *ops)
{
    for (unsigned i = 0; i < sizeof(probe->bytes); i++) {
        probe->bytes[i] = i;
    }
    return region_new_mmio("probe", sizeof(probe->bytes), ops, probe);
}

static uint64_t read_ok(Region *region, uint64_t offset, unsigned size)
{
    uint64_t value;

    assert_int_equal(region_read(region, offset, size, &value), MEM_OK);
    return value;
}

static void wide_reads_are_joined_from_narrow_ones(void **state)
{
    Probe probe = { 0 };
    g_autoptr(Region) region = probe_region(&probe, &word_ops);

    assert_true(read_ok(region, 8, 8) == 0x0f0e0d0c0b0a0908);
    assert_int_equal(probe.calls, 2);
    assert_int_equal(probe.last_offset, 12);
    assert_int_equal(probe.last_size, 4);
}

static void narrow_accesses_use_the_lanes_of_a_wide_register(void **state)
{
    Probe probe = { 0 };
    g_autoptr(Region) region = probe_region(&probe, &word_ops);

    assert_int_equal(read_ok(region, 6, 2), 0x0706);
    assert_int_equal(probe.last_offset, 4);
    assert_int_equal(region_write(region, 9, 1, 0xab), MEM_OK);
    assert_int_equal(probe.last_offset, 8);
    assert_int_equal(probe.last_value, 0xab00);
}

static void an_access_of_a_forbidden_size_is_a_decode_error(void **state)
{
    Probe probe = { 0 };
    g_autoptr(Region) region = probe_region(&probe, &strict_ops);
    uint64_t value = 1;

    assert_int_equal(region_read(region, 0, 2, &value), MEM_DECODE_ERROR);
    assert_int_equal(region_read(region, 0, 8, &value), MEM_DECODE_ERROR);
    assert_int_equal(region_read(region, 2, 4, &value), MEM_DECODE_ERROR);
    assert_int_equal(region_read(region, 64, 4, &value), MEM_DECODE_ERROR);
    assert_int_equal(region_read(region, UINT64_MAX - 3, 4, &value), MEM_DECODE_ERROR);
    assert_int_equal(probe.calls, 0);
    assert_int_equal(value, 0);
}

static void unaligned_accesses_are_split_where_a_device_allows_them(void **state)
{
    Probe probe = { 0 };
    g_autoptr(Region) region = probe_region(&probe, &loose_ops);

    assert_true(read_ok(region, 3, 8) == 0x0a09080706050403);
    assert_int_equal(region_write(region, 1, 4, 0x44332211), MEM_OK);
    assert_memory_equal(probe.bytes + 1, "\x11\x22\x33\x44", 4);
}

static void big_endian_registers_show_their_first_byte_highest(void **state)
{
    Probe probe = { 0 };
    g_autoptr(Region) region = probe_region(&probe, &big_ops);

    /* The callback gives 0x03020100 for the register; its bytes in memory are 03 02 01 00. */
    assert_int_equal(read_ok(region, 0, 4), 0x00010203);
    assert_int_equal(read_ok(region, 0, 1), 0x01);
    assert_int_equal(region_write(region, 4, 4, 0x11223344), MEM_OK);
    assert_int_equal(probe.last_value, 0x44332211);
}

static void a_refused_access_is_a_device_error_and_reads_zero(void **state)
{
    Probe probe = { .refuse = true };
    g_autoptr(Region) region = probe_region(&probe, &any_ops);
    uint64_t value;

    assert_int_equal(region_read(region, 4, 4, &value), MEM_DEVICE_ERROR);
    assert_int_equal(value, 0);
    assert_int_equal(region_write(region, 4, 4, 1), MEM_DEVICE_ERROR);
    probe.refuse = false;
    assert_int_equal(read_ok(region, 4, 1), 4);
}

static void a_device_that_reads_itself_does_not_overflow_the_stack(void **state)
{
    Probe probe = { 0 };
    g_autoptr(Region) region = probe_region(&probe, &any_ops);
    g_autoptr(AddressSpace) as = address_space_new("bus", region);

    probe.dma_to = as;
    assert_int_equal(read_ok(region, 1, 1), 1);
    assert_in_range(probe.calls, 2, 100);
}

static void memory_is_zero_and_takes_nothing_until_touched(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Region) ram = region_new_ram("ram", UINT64_C(64) << 30, &error);

    assert_non_null(ram);
    assert_int_equal(region_host(ram)[UINT64_C(63) << 30], 0);
    assert_true(region_fd(ram) >= 0);
}

static void memory_that_no_host_has_is_an_error(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_null(region_new_ram("ram", UINT64_C(1) << 62, &error));
    assert_non_null(strstr(error->message, "'ram'"));
}

static Region *written_region;
static uint64_t written_offset;

static void note_written(Region *ram, uint64_t offset, uint64_t length)
{
    written_region = ram;
    written_offset = offset;
}

static void only_writes_to_pages_with_code_reach_the_translator(void **state)
{
    g_autoptr(Region) ram = region_new_ram("ram", 0x10000, NULL);
    g_autoptr(AddressSpace) as = address_space_new("bus", ram);

    region_on_code_written(note_written);
    region_page_flags(ram)[2] = PAGE_CODE;
    address_space_write(as, 0x1000, "four", 4);
    assert_null(written_region);
    address_space_write(as, 0x1ffe, "four", 4);
    assert_ptr_equal(written_region, ram);
    assert_int_equal(written_offset, 0x1ffe);
    written_region = NULL;
    address_space_wrote(as, 0x2000, 1);
    assert_ptr_equal(written_region, ram);
    region_on_code_written(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_reads_are_joined_from_narrow_ones),
        cmocka_unit_test(narrow_accesses_use_the_lanes_of_a_wide_register),
        cmocka_unit_test(an_access_of_a_forbidden_size_is_a_decode_error),
        cmocka_unit_test(unaligned_accesses_are_split_where_a_device_allows_them),
        cmocka_unit_test(big_endian_registers_show_their_first_byte_highest),
        cmocka_unit_test(a_refused_access_is_a_device_error_and_reads_zero),
        cmocka_unit_test(a_device_that_reads_itself_does_not_overflow_the_stack),
        cmocka_unit_test(memory_is_zero_and_takes_nothing_until_touched),
        cmocka_unit_test(memory_that_no_host_has_is_an_error),
        cmocka_unit_test(only_writes_to_pages_with_code_reach_the_translator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
