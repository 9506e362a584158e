#include <string.h>

#include "tests/hw/virtio/driver.h"

enum { RECEIVE, TRANSMIT, QUEUES, SIZE = 4 };

static const char console[] = "{type: virtio-console, console: serial0}";

static Bench *start(void)
{
    Bench *bench = bench_new(console);

    driver_start(bench, 0, QUEUES, SIZE);
    return bench;
}

static void offer_room(Bench *bench, unsigned index, uint32_t length)
{
    driver_set_desc(bench, RECEIVE, index, DRIVER_BUFFERS + index * 0x1000, length, DESC_WRITE, 0);
    driver_offer(bench, RECEIVE, SIZE, index);
    driver_kick(bench, RECEIVE);
}

static void send(Bench *bench, const char *text)
{
    memcpy(driver_at(bench, DRIVER_BUFFERS + 0x8000), text, strlen(text));
    driver_set_desc(bench, TRANSMIT, 0, DRIVER_BUFFERS + 0x8000, strlen(text), 0, 0);
    driver_offer(bench, TRANSMIT, SIZE, 0);
    driver_kick(bench, TRANSMIT);
}

static void what_the_guest_sends_comes_out(void **state)
{
    g_autoptr(Bench) bench = start();
    g_autofree char *output = NULL;

    send(bench, "hello, ");
    send(bench, "world");
    output = bench_output(bench);
    assert_string_equal(output, "hello, world");
    assert_int_equal(driver_used_count(bench, TRANSMIT), 2);
}

static void what_is_typed_waits_for_buffers_and_keeps_its_order(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_type(bench, "abcde");
    assert_int_equal(driver_used_count(bench, RECEIVE), 0);
    offer_room(bench, 0, 3);
    offer_room(bench, 1, 16);
    assert_int_equal(driver_used_count(bench, RECEIVE), 2);
    assert_int_equal(driver_used(bench, RECEIVE, SIZE, 0).written, 3);
    assert_int_equal(driver_used(bench, RECEIVE, SIZE, 1).written, 2);
    assert_memory_equal(driver_at(bench, DRIVER_BUFFERS), "abc", 3);
    assert_memory_equal(driver_at(bench, DRIVER_BUFFERS + 0x1000), "de", 2);
}

static void keys_typed_before_the_driver_is_there_arrive(void **state)
{
    g_autoptr(Bench) bench = bench_new(console);

    bench_type(bench, "x");
    driver_start(bench, 0, QUEUES, SIZE);
    offer_room(bench, 0, 16);
    assert_int_equal(driver_used(bench, RECEIVE, SIZE, 0).written, 1);
}

static void a_receive_buffer_of_no_bytes_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start();

    bench_type(bench, "x");
    offer_room(bench, 0, 0);
    assert_true(driver_is_broken(bench));
}

static void a_message_of_gigabytes_breaks_the_device(void **state)
{
    g_autoptr(Bench) bench = start();

    driver_set_desc(bench, TRANSMIT, 0, BENCH_RAM, BENCH_RAM_SIZE, 0, 0);
    driver_offer(bench, TRANSMIT, SIZE, 0);
    driver_kick(bench, TRANSMIT);
    assert_true(driver_is_broken(bench));
}

static void an_emergency_write_needs_no_queue(void **state)
{
    g_autoptr(Bench) bench = bench_new(console);
    g_autofree char *output = NULL;

    bench_write(bench, 0, MMIO_CONFIG + 8, 4, '!');
    output = bench_output(bench);
    assert_string_equal(output, "!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_guest_sends_comes_out),
        cmocka_unit_test(what_is_typed_waits_for_buffers_and_keeps_its_order),
        cmocka_unit_test(keys_typed_before_the_driver_is_there_arrive),
        cmocka_unit_test(a_receive_buffer_of_no_bytes_breaks_the_device),
        cmocka_unit_test(a_message_of_gigabytes_breaks_the_device),
        cmocka_unit_test(an_emergency_write_needs_no_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
