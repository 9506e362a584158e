#include "tests/bench.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };
enum { NONE = 0xc1, MODEM = 0xc0, EMPTY = 0xc2, RECEIVED = 0xc4, LINE = 0xc6, TIMEOUT = 0xcc };

static const char uart[] = "{type: ns16550a, console: serial0}";

static Bench *with_fifos(void)
{
    Bench *bench = bench_new(uart);

    bench_write(bench, 0, FCR, 1, 0x01);
    return bench;
}

static void what_is_written_comes_out(void **state)
{
    g_autoptr(Bench) bench = bench_new(uart);
    g_autofree char *output = NULL;

    for (const char *c = "hello"; *c; c++) {
        bench_write(bench, 0, DATA, 1, *c);
    }
    output = bench_output(bench);
    assert_string_equal(output, "hello");
    assert_int_equal(bench_read(bench, 0, LSR, 1), 0x60);
}

static void what_is_typed_can_be_read(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    bench_type(bench, "ab");
    assert_int_equal(bench_read(bench, 0, LSR, 1) & 1, 1);
    assert_int_equal(bench_read(bench, 0, DATA, 1), 'a');
    assert_int_equal(bench_read(bench, 0, DATA, 1), 'b');
    assert_int_equal(bench_read(bench, 0, LSR, 1) & 1, 0);
}

static void no_key_is_lost_however_fast_one_types(void **state)
{
    g_autoptr(Bench) bench = with_fifos();
    char text[200] = { 0 };

    for (unsigned i = 0; i < sizeof(text) - 1; i++) {
        text[i] = 'A' + i % 26;
    }
    bench_type(bench, text);
    for (unsigned i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(bench_read(bench, 0, LSR, 1) & 3, 1);
        assert_int_equal(bench_read(bench, 0, DATA, 1), text[i]);
    }
}

static void reading_an_empty_fifo_gives_zero(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    assert_int_equal(bench_read(bench, 0, DATA, 1), 0);
    assert_int_equal(bench_read(bench, 0, LSR, 1), 0x60);
}

static void received_data_interrupts_at_the_trigger_and_after_a_timeout_below_it(void **state)
{
    g_autoptr(Bench) bench = bench_new(uart);

    bench_write(bench, 0, FCR, 1, 0x41); /* trigger at 4 */
    bench_write(bench, 0, IER, 1, 0x01);
    assert_int_equal(bench_read(bench, 0, IIR, 1), NONE);
    bench_type(bench, "abc");
    assert_true(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, IIR, 1), TIMEOUT);
    bench_type(bench, "d");
    assert_int_equal(bench_read(bench, 0, IIR, 1), RECEIVED);
    for (unsigned i = 0; i < 4; i++) {
        bench_read(bench, 0, DATA, 1);
    }
    assert_false(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, IIR, 1), NONE);
}

static void enabling_the_transmit_interrupt_raises_it_and_reading_iir_clears_it(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    bench_write(bench, 0, IER, 1, 0x02);
    assert_true(bench_irq(bench, 0));
    assert_int_equal(bench_read(bench, 0, IIR, 1), EMPTY);
    assert_false(bench_irq(bench, 0));
    bench_write(bench, 0, DATA, 1, 'x');
    assert_int_equal(bench_read(bench, 0, IIR, 1), EMPTY);
    bench_write(bench, 0, IER, 1, 0x00);
    bench_write(bench, 0, IER, 1, 0x02);
    assert_int_equal(bench_read(bench, 0, IIR, 1), EMPTY);
}

static void loopback_returns_bytes_and_modem_lines(void **state)
{
    g_autoptr(Bench) bench = with_fifos();
    g_autofree char *output = NULL;

    bench_write(bench, 0, MCR, 1, 0x1a); /* loop, OUT2, RTS */
    assert_int_equal(bench_read(bench, 0, MSR, 1) & 0xf0, 0x90);
    bench_write(bench, 0, DATA, 1, 'z');
    assert_int_equal(bench_read(bench, 0, DATA, 1), 'z');
    output = bench_output(bench);
    assert_string_equal(output, "");
}

static void an_overrun_in_loopback_is_told_once(void **state)
{
    g_autoptr(Bench) bench = with_fifos();

    bench_write(bench, 0, MCR, 1, 0x10);
    bench_write(bench, 0, IER, 1, 0x04);
    for (unsigned i = 0; i < 17; i++) {
        bench_write(bench, 0, DATA, 1, i);
    }
    assert_int_equal(bench_read(bench, 0, IIR, 1), LINE);
    assert_int_equal(bench_read(bench, 0, LSR, 1) & 2, 2);
    assert_int_equal(bench_read(bench, 0, LSR, 1) & 2, 0);
    assert_int_equal(bench_read(bench, 0, IIR, 1), NONE);
}

static void the_divisor_is_behind_dlab(void **state)
{
    g_autoptr(Bench) bench = bench_new(uart);
    g_autofree char *output = NULL;

    bench_write(bench, 0, LCR, 1, 0x83);
    bench_write(bench, 0, DATA, 1, 0x34);
    bench_write(bench, 0, IER, 1, 0x12);
    assert_int_equal(bench_read(bench, 0, DATA, 1), 0x34);
    assert_int_equal(bench_read(bench, 0, IER, 1), 0x12);
    bench_write(bench, 0, LCR, 1, 0x03);
    assert_int_equal(bench_read(bench, 0, IER, 1), 0);
    output = bench_output(bench);
    assert_string_equal(output, "");
}

static void scratch_keeps_its_value_and_reset_clears_it(void **state)
{
    g_autoptr(Bench) bench = bench_new(uart);

    bench_write(bench, 0, SCR, 1, 0xa5);
    bench_save_and_load(bench);
    assert_int_equal(bench_read(bench, 0, SCR, 1), 0xa5);
    bench_reset(bench);
    assert_int_equal(bench_read(bench, 0, SCR, 1), 0);
}

static void a_port_without_a_channel_swallows_output(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: ns16550a}");

    bench_write(bench, 0, DATA, 1, 'x');
    assert_int_equal(bench_read(bench, 0, LSR, 1), 0x60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_out),
        cmocka_unit_test(what_is_typed_can_be_read),
        cmocka_unit_test(no_key_is_lost_however_fast_one_types),
        cmocka_unit_test(reading_an_empty_fifo_gives_zero),
        cmocka_unit_test(received_data_interrupts_at_the_trigger_and_after_a_timeout_below_it),
        cmocka_unit_test(enabling_the_transmit_interrupt_raises_it_and_reading_iir_clears_it),
        cmocka_unit_test(loopback_returns_bytes_and_modem_lines),
        cmocka_unit_test(an_overrun_in_loopback_is_told_once),
        cmocka_unit_test(the_divisor_is_behind_dlab),
        cmocka_unit_test(scratch_keeps_its_value_and_reset_clears_it),
        cmocka_unit_test(a_port_without_a_channel_swallows_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
