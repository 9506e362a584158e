/* Compression: there and back, and what damaged or boastful data does. */
#include "tests/test.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "block/pack.h"
#include "core/have.h"

enum { SIZE = 65536 };

static const PackMethod methods[] = {
    PACK_DEFLATE,
    PACK_ZLIB,
#ifdef HAVE_LIBZSTD
    PACK_ZSTD,
#endif
};

static void fill(uint8_t *bytes)
{
    for (unsigned i = 0; i < SIZE; i++) {
        bytes[i] = i / 100 * 7;
    }
}

static void what_was_packed_is_unpacked(void **state)
{
    g_autofree uint8_t *data = g_malloc(SIZE), *packed = g_malloc(SIZE), *back = g_malloc(SIZE);

    fill(data);
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        int64_t size = pack(&(Packing){ methods[i], data, SIZE, packed, SIZE - 1 });

        assert_in_range(size, 1, SIZE / 4);
        assert_int_equal(unpack(&(Packing){ methods[i], packed, SIZE, back, SIZE }), SIZE);
        assert_memory_equal(back, data, SIZE);
    }
}

static void what_does_not_get_smaller_is_said_to(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree uint8_t *data = g_malloc(SIZE), *packed = g_malloc(SIZE);

    for (unsigned i = 0; i < SIZE; i++) {
        data[i] = g_rand_int(rand);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        assert_int_equal(pack(&(Packing){ methods[i], data, SIZE, packed, SIZE - 1 }), -EMSGSIZE);
    }
}

static void data_that_is_too_much_or_damaged_stays_in_its_bounds(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    g_autofree uint8_t *data = g_malloc(SIZE), *packed = g_malloc(SIZE);

    fill(data);
    for (unsigned i = 0; i < 400; i++) {
        PackMethod method = methods[i % G_N_ELEMENTS(methods)];
        g_autofree uint8_t *small = g_malloc(100); /* the sanitizer watches its end */
        int64_t size = pack(&(Packing){ method, data, SIZE, packed, SIZE - 1 });

        for (unsigned hit = 0; hit < i / 100; hit++) {
            packed[g_rand_int_range(rand, 0, size)] ^= 1u << g_rand_int_range(rand, 0, 8);
        }
        assert_true(unpack(&(Packing){ method, packed, size, small, 100 }) <= 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_unpacked),
        cmocka_unit_test(what_does_not_get_smaller_is_said_to),
        cmocka_unit_test(data_that_is_too_much_or_damaged_stays_in_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
