#include "tests/test.h"

#include <glib.h>
#include <string.h>

#include "block/memory.h"

static char one[4], two[8], three[4];
static const struct iovec pieces[] = { { one, 4 }, { two, 8 }, { NULL, 0 }, { three, 4 } };
static const BlockMemory whole = { pieces, G_N_ELEMENTS(pieces), 0 };

static void a_window_starts_in_the_middle_of_a_piece(void **state)
{
    struct iovec out[4];
    unsigned count;

    assert_int_equal(block_memory_pieces(block_memory_after(whole, 6), 7, out, 4, &count), 7);
    assert_int_equal(count, 2);
    assert_ptr_equal(out[0].iov_base, two + 2);
    assert_int_equal(out[0].iov_len, 6);
    assert_ptr_equal(out[1].iov_base, three);
    assert_int_equal(out[1].iov_len, 1);
}

static void what_was_stored_is_loaded_again(void **state)
{
    char out[9] = { 0 };

    block_memory_fill(whole, 'x', 16);
    block_memory_store(block_memory_after(whole, 3), "abcdefgh", 8);
    block_memory_load(block_memory_after(whole, 3), out, 8);

    assert_string_equal(out, "abcdefgh");
    assert_memory_equal(one, "xxxa", 4);
    assert_memory_equal(two, "bcdefghx", 8);
    assert_memory_equal(three, "xxxx", 4);
}

static void alignment_is_that_of_the_worst_piece(void **state)
{
    static _Alignas(512) char page[1024];
    const struct iovec even[] = { { page, 512 }, { page + 512, 512 } };
    const struct iovec odd[] = { { page, 512 }, { page + 520, 504 } };

    assert_true(block_memory_aligned((BlockMemory){ even, 2, 0 }, 1024, 512));
    assert_false(block_memory_aligned((BlockMemory){ odd, 2, 0 }, 1016, 512));
    assert_true(block_memory_aligned((BlockMemory){ odd, 2, 0 }, 1016, 8));
    assert_true(block_memory_aligned((BlockMemory){ odd, 2, 0 }, 512, 512));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_starts_in_the_middle_of_a_piece),
        cmocka_unit_test(what_was_stored_is_loaded_again),
        cmocka_unit_test(alignment_is_that_of_the_worst_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
