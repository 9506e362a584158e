/* A guest that writes nonsense into registers and rings: nothing may crash, hang or leave RAM. */
#include <string.h>

#include "tests/hw/virtio/driver.h"

enum { SIZE = 8, QUEUES = 3, ROUNDS = 2000, STEPS = 40 };

static uint64_t pick(GRand *rand, const uint64_t *from, unsigned count)
{
    return from[g_rand_int_range(rand, 0, count)];
}

/* Mostly in RAM, else at its edges and far outside. */
static uint64_t random_address(GRand *rand)
{
    static const uint64_t edges[] = { 0, UINT64_MAX, BENCH_RAM, BENCH_RAM + BENCH_RAM_SIZE,
        DRIVER_DESC_AT(0), DRIVER_USED_AT(0), DRIVER_AVAILABLE_AT(1), UINT64_C(0xc000000) };

    if (g_rand_int_range(rand, 0, 4) == 0) {
        return pick(rand, edges, G_N_ELEMENTS(edges)) + g_rand_int_range(rand, -16, 17);
    }
    return BENCH_RAM + (uint32_t)g_rand_int_range(rand, 0, 0x200000);
}

static uint32_t random_length(GRand *rand)
{
    static const uint64_t odd[] = { 0, 1, 16, 4096, 65536, BENCH_RAM_SIZE, UINT32_MAX };

    return g_rand_boolean(rand) ? pick(rand, odd, G_N_ELEMENTS(odd))
                                : (uint32_t)g_rand_int_range(rand, 1, 600);
}

static void scribble_rings(Bench *bench, GRand *rand)
{
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        for (unsigned i = 0; i < SIZE; i++) {
            driver_set_desc(bench, queue, i, random_address(rand), random_length(rand),
                g_rand_int_range(rand, 0, 8), g_rand_int_range(rand, 0, SIZE + 1));
        }
        for (unsigned i = g_rand_int_range(rand, 0, SIZE); i > 0; i--) {
            driver_offer(bench, queue, SIZE, g_rand_int_range(rand, 0, SIZE));
        }
    }
}

static void write_a_register(Bench *bench, GRand *rand)
{
    static const uint64_t registers[] = { MMIO_STATUS, MMIO_QUEUE_SEL, MMIO_QUEUE_NUM,
        MMIO_QUEUE_READY, MMIO_QUEUE_NOTIFY, MMIO_QUEUE_DESC, MMIO_QUEUE_DESC + 4,
        MMIO_QUEUE_DRIVER, MMIO_QUEUE_DEVICE, MMIO_CONFIG, MMIO_CONFIG + 4, MMIO_CONFIG + 8 };
    uint32_t value = g_rand_boolean(rand) ? random_address(rand)
                                          : (uint32_t)g_rand_int_range(rand, 0, 16);

    bench_write(bench, 0, pick(rand, registers, G_N_ELEMENTS(registers)), 4, value);
}

/* From a seed, so that a failure can be seen again. */
static void harass(const char *yaml, uint32_t seed)
{
    g_autoptr(Bench) bench = bench_new(yaml);
    GRand *rand = g_rand_new_with_seed(seed);

    for (unsigned round = 0; round < ROUNDS; round++) {
        driver_begin(bench, g_rand_boolean(rand) ? FEATURE_INDIRECT : FEATURE_EVENT_INDEX);
        for (unsigned queue = 0; queue < QUEUES; queue++) {
            driver_add_queue(bench, queue, SIZE);
        }
        scribble_rings(bench, rand);
        driver_ready(bench);
        for (unsigned step = 0; step < STEPS; step++) {
            driver_kick(bench, g_rand_int_range(rand, 0, QUEUES + 1));
            bench_type(bench, "x");
            if (g_rand_int_range(rand, 0, 8) == 0) {
                write_a_register(bench, rand);
            }
        }
        bench_advance(bench, 1000);
        g_free(bench_output(bench));
    }
    g_rand_free(rand);
}

static void rng_survives_a_hostile_guest(void **state)
{
    harass("{type: virtio-rng, seed: 1}", 1);
}

static void console_survives_a_hostile_guest(void **state)
{
    harass("{type: virtio-console, console: serial0}", 2);
}

static void balloon_survives_a_hostile_guest(void **state)
{
    harass("{type: virtio-balloon, target: 1MiB}", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_survives_a_hostile_guest),
        cmocka_unit_test(console_survives_a_hostile_guest),
        cmocka_unit_test(balloon_survives_a_hostile_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
