#include "tests/bench.h"

enum { BLOCK = 256 * 1024 }; /* of the bank: 128 KiB of each chip */

static const char flash[] = "{type: cfi-flash, size: 1MiB}";

/* Both chips get the same. */
static void command(Bench *bench, uint64_t at, unsigned code)
{
    bench_write(bench, 0, at, 4, code << 16 | code);
}

static uint64_t get(Bench *bench, uint64_t at)
{
    return bench_read(bench, 0, at, 4);
}

static void program(Bench *bench, uint64_t at, uint32_t value)
{
    command(bench, at, 0x40);
    bench_write(bench, 0, at, 4, value);
    command(bench, 0, 0xff);
}

static void a_blank_flash_reads_as_ones_in_every_size(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    assert_int_equal(bench_read(bench, 0, 0, 8), UINT64_MAX);
    assert_int_equal(bench_read(bench, 0, 0xffffc, 4), 0xffffffff);
    assert_int_equal(bench_read(bench, 0, 3, 1), 0xff);
}

static void the_query_says_qry_and_the_geometry(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0x55 * 4, 0x98);
    assert_int_equal(get(bench, 0x10 * 4), 'Q' << 16 | 'Q');
    assert_int_equal(get(bench, 0x11 * 4), 'R' << 16 | 'R');
    assert_int_equal(get(bench, 0x12 * 4), 'Y' << 16 | 'Y');
    assert_int_equal(get(bench, 0x13 * 4), 0x00010001); /* Intel command set */
    assert_int_equal(get(bench, 0x27 * 4) & 0xff, 19);  /* a chip has 512 KiB */
    assert_int_equal(get(bench, 0x2d * 4) & 0xff, 3);   /* four blocks */
    assert_int_equal(get(bench, 0x30 * 4) & 0xff, 2);   /* of 0x200 * 256 bytes */
    assert_int_equal(get(bench, 0x31 * 4) & 0xff, 'P');
    command(bench, 0, 0xff);
    assert_int_equal(get(bench, 0x10 * 4), 0xffffffff);
}

static void the_maker_is_intel(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0, 0x90);
    assert_int_equal(get(bench, 0), 0x00890089);
    assert_int_equal(get(bench, 4), 0x88188818);
}

static void programming_clears_bits_and_never_sets_them(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    program(bench, 0x100, 0x12345678);
    assert_int_equal(get(bench, 0x100), 0x12345678);
    assert_int_equal(get(bench, 0x104), 0xffffffff);
    program(bench, 0x100, 0xffff0000);
    assert_int_equal(get(bench, 0x100), 0x12340000);
}

static void the_status_is_ready_after_programming(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0, 0x40);
    command(bench, 0, 0);
    assert_int_equal(get(bench, 0), 0x00800080);
}

static void erasing_sets_one_block_to_ones(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    program(bench, BLOCK - 4, 1);
    program(bench, BLOCK, 2);
    program(bench, 2 * BLOCK - 4, 3);
    program(bench, 2 * BLOCK, 4);
    command(bench, BLOCK + 0x40, 0x20);
    command(bench, BLOCK + 0x40, 0xd0);
    command(bench, 0, 0xff);
    assert_int_equal(get(bench, BLOCK - 4), 1);
    assert_int_equal(get(bench, BLOCK), 0xffffffff);
    assert_int_equal(get(bench, 2 * BLOCK - 4), 0xffffffff);
    assert_int_equal(get(bench, 2 * BLOCK), 4);
}

static void a_buffer_is_programmed_when_confirmed(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0x200, 0xe8);
    command(bench, 0x200, 2 - 1);
    bench_write(bench, 0, 0x200, 4, 0x11111111);
    bench_write(bench, 0, 0x204, 4, 0x22222222);
    command(bench, 0x200, 0xd0);
    command(bench, 0, 0xff);
    assert_int_equal(bench_read(bench, 0, 0x200, 8), UINT64_C(0x2222222211111111));
}

static void a_broken_sequence_sets_both_error_bits_until_they_are_cleared(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0, 0x20);
    command(bench, 0, 0x12);
    assert_int_equal(get(bench, 0), 0x00b000b0);
    command(bench, 0, 0x50);
    command(bench, 0, 0x70);
    assert_int_equal(get(bench, 0), 0x00800080);
}

static void a_buffer_that_is_too_long_or_leaves_its_block_is_refused(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0, 0xe8);
    command(bench, 0, 0xffff);
    assert_int_equal(get(bench, 0), 0x00b000b0);
    command(bench, 0, 0x50);
    command(bench, BLOCK - 4, 0xe8);
    command(bench, BLOCK - 4, 1);
    command(bench, BLOCK - 4, 0);
    command(bench, BLOCK, 0);
    assert_int_equal(get(bench, 0), 0x00b000b0);
}

static void the_chips_have_their_own_state(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    bench_write(bench, 0, 2, 2, 0x70); /* the upper chip alone */
    assert_int_equal(get(bench, 0), 0x0080ffff);
}

static void reset_keeps_the_array_and_leaves_commands(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    program(bench, 0, 0xcafef00d);
    command(bench, 0, 0x70);
    bench_reset(bench);
    assert_int_equal(get(bench, 0), 0xcafef00d);
}

static void a_half_filled_buffer_survives_save_and_load(void **state)
{
    g_autoptr(Bench) bench = bench_new(flash);

    command(bench, 0, 0xe8);
    command(bench, 0, 1);
    bench_write(bench, 0, 0, 4, 0x11111111);
    bench_save_and_load(bench);
    bench_write(bench, 0, 4, 4, 0x22222222);
    command(bench, 0, 0xd0);
    command(bench, 0, 0xff);
    assert_int_equal(bench_read(bench, 0, 0, 8), UINT64_C(0x2222222211111111));
}

static void the_size_must_be_one_that_chips_have(void **state)
{
    g_autofree char *said = bench_diag("{type: cfi-flash, size: 3MiB}");

    assert_non_null(strstr(said, "must be a power of two from 512KiB to 128MiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_flash_reads_as_ones_in_every_size),
        cmocka_unit_test(the_query_says_qry_and_the_geometry),
        cmocka_unit_test(the_maker_is_intel),
        cmocka_unit_test(programming_clears_bits_and_never_sets_them),
        cmocka_unit_test(the_status_is_ready_after_programming),
        cmocka_unit_test(erasing_sets_one_block_to_ones),
        cmocka_unit_test(a_buffer_is_programmed_when_confirmed),
        cmocka_unit_test(a_broken_sequence_sets_both_error_bits_until_they_are_cleared),
        cmocka_unit_test(a_buffer_that_is_too_long_or_leaves_its_block_is_refused),
        cmocka_unit_test(the_chips_have_their_own_state),
        cmocka_unit_test(reset_keeps_the_array_and_leaves_commands),
        cmocka_unit_test(a_half_filled_buffer_survives_save_and_load),
        cmocka_unit_test(the_size_must_be_one_that_chips_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
