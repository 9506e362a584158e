#include <string.h>

#include "tests/hw/virtio/driver.h"

enum { SIZE = 8, LENGTH = 100 };

/* Gives the bytes of one request; caller frees. */
static uint8_t *ask(Bench *bench, uint32_t length, uint32_t *written)
{
    unsigned before = driver_used_count(bench, 0);

    driver_set_desc(bench, 0, 0, DRIVER_BUFFERS, length, DESC_WRITE, 0);
    driver_offer(bench, 0, SIZE, 0);
    driver_kick(bench, 0);
    assert_int_equal(driver_used_count(bench, 0), before + 1);
    *written = driver_used(bench, 0, SIZE, before).written;
    return g_memdup2(driver_at(bench, DRIVER_BUFFERS), length);
}

static Bench *start(const char *yaml)
{
    Bench *bench = bench_new(yaml);

    driver_start(bench, 0, 1, SIZE);
    return bench;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    g_autoptr(Bench) first = start("{type: virtio-rng, seed: 7}");
    g_autoptr(Bench) second = start("{type: virtio-rng, seed: 7}");
    g_autoptr(Bench) other = start("{type: virtio-rng, seed: 8}");
    uint32_t written;
    g_autofree uint8_t *a = ask(first, LENGTH, &written);
    g_autofree uint8_t *b = ask(second, LENGTH, &written);
    g_autofree uint8_t *c = ask(other, LENGTH, &written);
    g_autofree uint8_t *later = ask(first, LENGTH, &written);

    assert_memory_equal(a, b, LENGTH);
    assert_memory_not_equal(a, c, LENGTH);
    assert_memory_not_equal(a, later, LENGTH);
}

static void without_a_seed_the_bytes_are_the_hosts(void **state)
{
    g_autoptr(Bench) first = start("{type: virtio-rng}");
    g_autoptr(Bench) second = start("{type: virtio-rng}");
    uint32_t written;
    g_autofree uint8_t *a = ask(first, LENGTH, &written);
    g_autofree uint8_t *b = ask(second, LENGTH, &written);

    assert_int_equal(written, LENGTH);
    assert_memory_not_equal(a, b, LENGTH);
}

static void a_greedy_request_gets_some(void **state)
{
    g_autoptr(Bench) bench = start("{type: virtio-rng, seed: 1}");
    uint32_t written;
    G_GNUC_UNUSED g_autofree uint8_t *bytes = ask(bench, 1 << 20, &written);

    assert_int_equal(written, 4096);
}

static void the_sequence_goes_on_after_save_and_load(void **state)
{
    g_autoptr(Bench) first = start("{type: virtio-rng, seed: 7}");
    g_autoptr(Bench) second = start("{type: virtio-rng, seed: 7}");
    uint32_t written;
    G_GNUC_UNUSED g_autofree uint8_t *a1 = ask(first, LENGTH, &written);
    G_GNUC_UNUSED g_autofree uint8_t *b1 = ask(second, LENGTH, &written);
    g_autofree uint8_t *a2 = NULL, *b2 = NULL;

    bench_save_and_load(first);
    a2 = ask(first, LENGTH, &written);
    b2 = ask(second, LENGTH, &written);
    assert_memory_equal(a2, b2, LENGTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(without_a_seed_the_bytes_are_the_hosts),
        cmocka_unit_test(a_greedy_request_gets_some),
        cmocka_unit_test(the_sequence_goes_on_after_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
