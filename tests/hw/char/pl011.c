#include "tests/bench.h"

enum {
    DR = 0x00,
    FR = 0x18,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44
};
enum { RX_EMPTY = 0x10, TX_EMPTY = 0x80 };
enum { INT_RX = 0x010, INT_TX = 0x020, INT_TIMEOUT = 0x040, INT_OVERRUN = 0x400 };

static const char uart[] = "{type: pl011, console: serial0}";

static Bench *with_fifos(void)
{
    Bench *bench = bench_new(uart);

    bench_write(bench, 0, LCR_H, 4, 0x70);
    bench_write(bench, 0, CR, 4, 0x301);
    return bench;
}

static void what_is_written_comes_out_even_before_it_is_enabled(void **state)
{
    g_autoptr(Bench) bench = bench_new(uart);
    g_autofree char *output = NULL;

    bench_write(bench, 0, DR, 4, 'h');
    bench_write(bench, 0, DR, 1, 'i');
    output = bench_output(bench);
    assert_string_equal(output, "hi");
    assert_int_equal(bench_read(bench, 0, FR, 4) & TX_EMPTY, TX_EMPTY);
}

static void no_key_is_lost_however_fast_one_types(void **state)
{
    g_autoptr(Bench) bench = bench_new(uart);
    char text[200] = { 0 };

    for (unsigned i = 0; i < sizeof(text) - 1; i++) {
        text[i] = 'A' + i % 26;
    }
    bench_type(bench, text); /* before anybody listens */
    bench_write(bench, 0, LCR_H, 4, 0x70);
    bench_write(bench, 0, CR, 4, 0x301);
    for (unsigned i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(bench_read(bench, 0, FR, 4) & RX_EMPTY, 0);
        assert_int_equal(bench_read(bench, 0, DR, 4), text[i]);
    }
    assert_int_equal(bench_read(bench, 0, FR, 4) & RX_EMPTY, RX_EMPTY);
}

static void received_bytes_interrupt_at_the_level_and_after_a_timeout_below_it(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    bench_write(bench, 0, IFLS, 4, 1 << 3); /* a quarter: 4 */
    bench_write(bench, 0, IMSC, 4, INT_RX | INT_TIMEOUT);
    bench_type(bench, "abc");
    assert_true(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, MIS, 4), INT_TIMEOUT);
    bench_type(bench, "d");
    assert_int_equal(bench_read(bench, 0, MIS, 4) & INT_RX, INT_RX);
    for (unsigned i = 0; i < 4; i++) {
        bench_read(bench, 0, DR, 4);
    }
    assert_false(bench_irq(bench, 0));
}

static void sending_raises_the_transmit_interrupt_until_it_is_cleared(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    bench_write(bench, 0, IMSC, 4, INT_TX);
    assert_false(bench_irq(bench, 0));
    bench_write(bench, 0, DR, 4, 'x');
    assert_true(bench_irq(bench, 0));
    bench_write(bench, 0, ICR, 4, INT_TX);
    assert_false(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, RIS, 4), 0);
}

static void loopback_returns_bytes_and_tells_of_an_overrun(void **state)
{
    g_autoptr(Bench) bench = with_fifos();
    g_autofree char *output = NULL;

    bench_write(bench, 0, CR, 4, 0x381);
    for (unsigned i = 0; i < 17; i++) {
        bench_write(bench, 0, DR, 4, i);
    }
    assert_int_equal(bench_read(bench, 0, RIS, 4) & INT_OVERRUN, INT_OVERRUN);
    assert_int_equal(bench_read(bench, 0, DR, 4), 0x800);
    assert_int_equal(bench_read(bench, 0, DR, 4), 1);
    output = bench_output(bench);
    assert_string_equal(output, "");
}

static void it_is_a_primecell_by_arm(void **state)
{
    static const uint8_t id[8] = { 0x11, 0x10, 0x24, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    g_autoptr(Bench) bench = bench_new(uart);

    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(bench_read(bench, 0, 0xfe0 + i * 4, 4), id[i]);
    }
}

static void received_bytes_survive_save_and_load(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    bench_write(bench, 0, IMSC, 4, INT_TIMEOUT);
    bench_type(bench, "a");
    bench_save_and_load(bench);
    assert_true(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, DR, 4), 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_out_even_before_it_is_enabled),
        cmocka_unit_test(no_key_is_lost_however_fast_one_types),
        cmocka_unit_test(received_bytes_interrupt_at_the_level_and_after_a_timeout_below_it),
        cmocka_unit_test(sending_raises_the_transmit_interrupt_until_it_is_cleared),
        cmocka_unit_test(loopback_returns_bytes_and_tells_of_an_overrun),
        cmocka_unit_test(it_is_a_primecell_by_arm),
        cmocka_unit_test(received_bytes_survive_save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
