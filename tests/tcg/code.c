/* The memory of generated code: src/tcg/code.h. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#include "tcg/code.h"

enum { SIZE = 4 << 20 };

static CodeCache cache;

static int begin(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(code_init(&cache, SIZE, &error));
    cache.chunks[0].state = CHUNK_THUNKS;
    return 0;
}

static int end(void **state)
{
    code_clear(&cache);
    return 0;
}

static Chunk *take(uint64_t epoch)
{
    Chunk *chunk = code_take(&cache, epoch);

    assert_non_null(chunk);
    assert_int_equal(chunk->state, CHUNK_FILLING);
    assert_true(chunk->populated);
    return chunk;
}

static void what_is_written_is_what_runs(void **state)
{
    Chunk *chunk = take(0);

    memset(chunk->write, 0x90, chunk->size);
    assert_memory_equal(chunk->execute, chunk->write, chunk->size);
    code_close(&cache, chunk);
    assert_memory_equal(chunk->execute, chunk->write, chunk->size);
    assert_ptr_equal(code_find(&cache, chunk->execute + chunk->size - 1), chunk);
    assert_null(code_find(&cache, chunk->write));
}

static void every_chunk_is_taken_once(void **state)
{
    unsigned count = 0, free = code_free_count(&cache);

    while (code_take(&cache, 0)) {
        count++;
    }
    assert_int_equal(count, free);
    assert_int_equal(code_free_count(&cache), 0);
    assert_null(code_oldest(&cache));
}

static void is_zero(const uint8_t *memory, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(memory[i], 0);
    }
}

static void tables_are_zeroed_when_a_chunk_comes_back(void **state)
{
    Chunk *chunk = take(0);
    size_t size = 1000, all = 0, code, tables;

    /* More than lies beside the code. */
    for (; all < 2 * chunk->size; all += size) {
        uint8_t *memory = chunk_alloc(chunk, size);
        is_zero(memory, size);
        memset(memory, 0xff, size);
    }
    code_sizes(&cache, &code, &tables);
    assert_int_equal(tables, all);
    code_close(&cache, chunk);
    assert_ptr_equal(code_oldest(&cache), chunk);
    code_retire(chunk, 1);
    while (code_take(&cache, 0)) {
        assert_int_equal(chunk->state, CHUNK_RETIRED); /* a CPU may still be in it */
    }
    assert_ptr_equal(take(1), chunk);
    code_sizes(&cache, &code, &tables);
    assert_int_equal(tables, 0);
    is_zero(chunk_alloc(chunk, chunk->size), chunk->size);
}

/* The pages of a part of the writable view that are there. */
static unsigned resident(const Chunk *chunk)
{
    FILE *maps = fopen("/proc/self/pagemap", "r");
    unsigned count = 0;

    assert_non_null(maps);
    for (size_t at = 0; at < chunk->size; at += cache.page_size) {
        uint64_t entry = 0;
        off_t number = (off_t)((uintptr_t)(chunk->write + at) / cache.page_size);
        assert_int_equal(fseeko(maps, number * (off_t)sizeof(entry), SEEK_SET), 0);
        assert_int_equal(fread(&entry, sizeof(entry), 1, maps), 1);
        count += entry >> 63; /* present */
    }
    fclose(maps);
    return count;
}

static void pages_that_links_bring_back_are_bounded(void **state)
{
    unsigned chunks = code_free_count(&cache), most = 0;
    g_autofree Chunk **all = g_new(Chunk *, chunks);

    for (unsigned i = 0; i < chunks; i++) {
        all[i] = take(0);
        memset(all[i]->write, 1, all[i]->size);
        code_close(&cache, all[i]);
        assert_int_equal(resident(all[i]), 0);
    }
    for (unsigned i = 0; i < chunks; i++) {
        for (size_t at = 0; at < all[i]->size; at += 64) {
            code_patched(&cache, all[i], all[i]->execute + at);
            all[i]->write[at] = 2;
        }
    }
    for (unsigned i = 0; i < chunks; i++) {
        most += resident(all[i]);
        assert_int_equal(all[i]->execute[64], 2);
        assert_int_equal(all[i]->execute[65], 1);
    }
    assert_true(most > 0);
    assert_true(most <= CODE_PATCHED_PAGES);
    assert_true(
        chunks * all[0]->size / cache.page_size > CODE_PATCHED_PAGES); /* or it shows nothing */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_what_runs),
        TEST(every_chunk_is_taken_once),
        TEST(tables_are_zeroed_when_a_chunk_comes_back),
        TEST(pages_that_links_bring_back_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
