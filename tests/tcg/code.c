/* The memory of generated code: src/tcg/code.h. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#include "tcg/code.h"

enum { SIZE = 4 << 20 };

#define CHUNK_PAGES (unsigned)(cache.chunk_size / cache.page_size)

static CodeCache cache;

static int begin(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(code_init(&cache, SIZE, &error));
    assert_int_equal(cache.chunks[0].state, CHUNK_THUNKS);
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
    code_prepare(chunk);
    assert_true(chunk->populated);
    return chunk;
}

static unsigned count(ChunkState state)
{
    unsigned found = 0;

    for (unsigned i = 0; i < cache.chunk_count; i++) {
        found += cache.chunks[i].state == state;
    }
    return found;
}

/* What is counted and where it is looked for is what a walk through all chunks finds. */
static void check_free(void)
{
    assert_int_equal(cache.free_count, count(CHUNK_FREE) + count(CHUNK_RETIRED));
    assert_int_equal(cache.ahead_count, count(CHUNK_CHOSEN));
    for (unsigned i = 0; i < cache.free_from; i++) {
        assert_int_not_equal(cache.chunks[i].state, CHUNK_FREE);
        assert_int_not_equal(cache.chunks[i].state, CHUNK_RETIRED);
    }
    for (unsigned i = cache.begun_count; i < cache.chunk_count; i++) {
        assert_int_equal(cache.chunks[i].state, CHUNK_FREE);
    }
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
    unsigned taken = 0, free = cache.free_count;

    assert_int_equal(free, cache.chunk_count - 1);
    while (code_take(&cache, 0)) {
        taken++;
        check_free();
    }
    assert_int_equal(taken, free);
    assert_int_equal(cache.free_count, 0);
    assert_null(code_oldest(&cache));
}

/* The supplier is asked once for so many. */
static void a_few_chunks_are_chosen_ahead(void **state)
{
    Chunk *before = take(0);

    assert_int_equal(count(CHUNK_CHOSEN), CODE_AHEAD);
    for (unsigned left = CODE_AHEAD; left-- > 0;) {
        Chunk *chunk = take(0);
        assert_ptr_equal(chunk, before + 1);
        assert_int_equal(count(CHUNK_CHOSEN), left ? left : CODE_AHEAD);
        before = chunk;
    }
}

static void the_supplier_populates_what_is_chosen(void **state)
{
    take(0);
    for (unsigned i = 0; i < cache.ahead_count; i++) {
        while (!atomic_load(&cache.ahead[i]->populated)) {
            g_thread_yield();
        }
    }
}

static void take_until_others_are_chosen(uint64_t epoch)
{
    do {
        code_close(&cache, take(epoch));
    } while (cache.ahead_count < CODE_AHEAD);
}

static void memory_that_was_used_is_used_again_first(void **state)
{
    Chunk *chunk[6];

    for (unsigned i = 0; i < G_N_ELEMENTS(chunk); i++) {
        chunk[i] = take(0);
        code_close(&cache, chunk[i]);
    }
    code_retire(&cache, chunk[1], 2); /* later than ... */
    code_retire(&cache, chunk[4], 1);
    take_until_others_are_chosen(1);
    assert_int_equal(chunk[1]->state, CHUNK_RETIRED);
    assert_int_equal(chunk[4]->state, CHUNK_CHOSEN);
    take_until_others_are_chosen(2);
    assert_int_equal(chunk[1]->state, CHUNK_CHOSEN);
    check_free();
}

/* As CPUs do it, when the cache is too small for them. */
static void nothing_is_lost_when_chunks_come_and_go(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    Chunk *filling[4] = { NULL };
    uint64_t epoch = 0;
    unsigned taken = 0;

    for (unsigned i = 0; i < 2000; i++) {
        Chunk **mine = &filling[g_rand_int_range(random, 0, G_N_ELEMENTS(filling))];
        if (*mine) {
            code_close(&cache, *mine);
        }
        while (cache.free_count <= 2) {
            code_retire(&cache, code_oldest(&cache), ++epoch);
        }
        *mine = code_take(&cache, epoch - g_rand_int_range(random, 0, 2));
        if (*mine) {
            assert_int_equal((*mine)->state, CHUNK_FILLING);
            assert_int_equal((*mine)->used, 0);
            code_prepare(*mine);
            (*mine)->used = 1;
            (*mine)->write[0] = 1;
            taken++;
        }
        check_free();
    }
    assert_true(taken > 1000);
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
    code_retire(&cache, chunk, 1);
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

static unsigned resident_in_all(Chunk *const *chunks, unsigned chunk_count)
{
    unsigned pages = 0;

    for (unsigned i = 0; i < chunk_count; i++) {
        pages += resident(chunks[i]);
    }
    return pages;
}

/* All chunks there are, filled and closed. */
static Chunk **close_all(unsigned *chunk_count)
{
    *chunk_count = cache.free_count;
    Chunk **all = g_new(Chunk *, *chunk_count);

    for (unsigned i = 0; i < *chunk_count; i++) {
        all[i] = take(0);
        memset(all[i]->write, 1, all[i]->size);
        code_close(&cache, all[i]);
    }
    return all;
}

/* The supplier does it, but for a few that wait until it is asked for something else. */
static void closed_chunks_give_back_their_writable_view(void **state)
{
    unsigned chunks, most = G_N_ELEMENTS(cache.work.close) * CHUNK_PAGES;
    g_autofree Chunk **all = close_all(&chunks);

    assert_true(most < chunks * CHUNK_PAGES / 2); /* or it shows nothing */
    while (resident_in_all(all, chunks) > most) {
        g_thread_yield();
    }
    for (unsigned i = 0; i < chunks; i++) {
        assert_int_equal(all[i]->execute[all[i]->size - 1], 1);
    }
}

static void pages_that_links_bring_back_are_bounded(void **state)
{
    unsigned chunks, most;
    g_autofree Chunk **all = close_all(&chunks);

    for (unsigned i = 0; i < chunks; i++) {
        for (size_t at = 0; at < all[i]->size; at += 64) {
            code_patched(&cache, all[i], all[i]->execute + at);
            all[i]->write[at] = 2;
        }
    }
    most = resident_in_all(all, chunks);
    for (unsigned i = 0; i < chunks; i++) {
        assert_int_equal(all[i]->execute[64], 2);
        assert_int_equal(all[i]->execute[65], 1);
    }
    assert_true(most > 0);
    assert_true(most <= CODE_PATCHED_PAGES);
    assert_true(chunks * CHUNK_PAGES > CODE_PATCHED_PAGES); /* or it shows nothing */
}

static void a_page_is_brought_back_when_several_links_wish_for_it(void **state)
{
    Chunk *chunk = take(0);
    const uint8_t *at = chunk->execute + 2 * cache.page_size;

    for (unsigned i = 0; i < 2 * CODE_WISHES; i++) {
        assert_true(code_may_patch(&cache, chunk, at)); /* it is being filled */
    }
    code_close(&cache, chunk);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i < CODE_WISHES; i++) {
            assert_false(code_may_patch(&cache, chunk, at + i));
        }
        assert_false(code_may_patch(&cache, chunk, at - 1)); /* of another page */
        assert_true(code_may_patch(&cache, chunk, at));
        code_patched(&cache, chunk, at);
        assert_true(code_may_patch(&cache, chunk, at));
        chunk->patched = 0; /* as when all are given back */
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_what_runs),
        TEST(every_chunk_is_taken_once),
        TEST(a_few_chunks_are_chosen_ahead),
        TEST(the_supplier_populates_what_is_chosen),
        TEST(memory_that_was_used_is_used_again_first),
        TEST(nothing_is_lost_when_chunks_come_and_go),
        TEST(tables_are_zeroed_when_a_chunk_comes_back),
        TEST(closed_chunks_give_back_their_writable_view),
        TEST(a_page_is_brought_back_when_several_links_wish_for_it),
        TEST(pages_that_links_bring_back_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
