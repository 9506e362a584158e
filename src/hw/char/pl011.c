/*
 * PL011 UART: a serial port with 16-byte FIFOs.
 *
 * ARM DDI 0183G, chapter 3. Bytes move as fast as guest and host take them; what the host cannot
 * take yet stays in the transmit FIFO, and what the guest has no room for waits in the channel.
 */
#include "core/registers.h"
#include "hw/primecell.h"
#include "hw/char/fifo.h"
#include "ui/char.h"

enum { UART_SIZE = 0x1000 };

enum {
    FR_BUSY = 0x08,
    FR_RX_EMPTY = 0x10,
    FR_TX_FULL = 0x20,
    FR_RX_FULL = 0x40,
    FR_TX_EMPTY = 0x80
};
enum { FR_CTS = 1, FR_DSR = 2, FR_DCD = 4 };
enum { LCR_FIFOS = 0x10 };
enum { CR_ENABLE = 0x001, CR_LOOP = 0x080, CR_TX = 0x100, CR_RX = 0x200 };
enum { INT_RX = 0x010, INT_TX = 0x020, INT_TIMEOUT = 0x040, INT_OVERRUN = 0x400, INT_ALL = 0x7ff };
enum { DATA_OVERRUN = 0x800 };

typedef struct Uart {
    Device dev;

    Channel *console;

    Fifo rx, tx;
    uint8_t overrun; /* the next byte read tells */
    uint32_t receive_status, low_power, divisor, fraction, line, control, levels, mask, raw, dma;
} Uart;

static unsigned fifo_limit(const Uart *u)
{
    return u->line & LCR_FIFOS ? FIFO_SIZE : 1;
}

/* UARTIFLS: the receive FIFO is 1/8, 1/4, 1/2, 3/4 or 7/8 full (3.3.9). */
static unsigned rx_trigger(const Uart *u)
{
    static const uint8_t levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

    return u->line & LCR_FIFOS ? levels[u->levels >> 3 & 7] : 1;
}

static void update_irq(Uart *u)
{
    device_set_irq(&u->dev, 0, u->raw & u->mask);
}

/* ---- the line ---- */

/* A line that is idle times out at once: bytes below the trigger level are reported right away. */
static void update_rx(Uart *u)
{
    u->raw &= ~(u->rx.count < rx_trigger(u) ? INT_RX : 0);
    u->raw &= ~(u->rx.count == 0 ? INT_TIMEOUT : 0);
}

static void receive_byte(Uart *u, uint8_t byte)
{
    if (u->rx.count >= fifo_limit(u)) {
        u->overrun = true;
        u->raw |= INT_OVERRUN;
        return;
    }
    fifo_put(&u->rx, byte);
    u->raw |= u->rx.count >= rx_trigger(u) ? INT_RX : INT_TIMEOUT;
}

static void transmit(Uart *u)
{
    for (uint8_t byte; u->tx.count > 0; fifo_get(&u->tx)) {
        byte = fifo_first(&u->tx);
        if (channel_write(u->console, &byte, 1) == 0) {
            return;
        }
    }
    u->raw |= INT_TX;
}

static size_t uart_room(void *owner)
{
    Uart *u = owner;
    unsigned limit = fifo_limit(u);
    bool listens = (u->control & (CR_ENABLE | CR_RX | CR_LOOP)) == (CR_ENABLE | CR_RX);

    return listens ? limit - MIN(u->rx.count, limit) : 0;
}

static void uart_receive(void *owner, const uint8_t *bytes, size_t length)
{
    Uart *u = owner;

    for (size_t i = 0; i < length; i++) {
        receive_byte(u, bytes[i]);
    }
    update_irq(u);
}

static void uart_drained(void *owner)
{
    Uart *u = owner;

    if (u->tx.count > 0) {
        transmit(u);
        update_irq(u);
    }
}

static const ChannelFront uart_front = {
    .room = uart_room,
    .receive = uart_receive,
    .drained = uart_drained,
};

/* ---- registers ---- */

static uint64_t data_read(Device *dev, unsigned index)
{
    Uart *u = (Uart *)dev;
    uint32_t value = u->overrun ? DATA_OVERRUN : 0;

    u->overrun = false;
    if (u->rx.count > 0) {
        value |= fifo_get(&u->rx);
    }
    update_rx(u);
    channel_accept_input(u->console);
    update_irq(u);
    return value;
}

/* Boot loaders write without enabling anything, and expect to see it: it is sent all the same. */
static void data_write(Device *dev, unsigned index, uint64_t value)
{
    Uart *u = (Uart *)dev;

    u->raw &= ~INT_TX;
    if (u->control & CR_LOOP) {
        receive_byte(u, value);
        u->raw |= INT_TX;
    } else {
        if (u->tx.count < fifo_limit(u)) {
            fifo_put(&u->tx, value);
        }
        transmit(u);
    }
    update_irq(u);
}

static void status_clear(Device *dev, unsigned index, uint64_t value)
{
    ((Uart *)dev)->receive_status = 0;
}

static uint64_t flags_read(Device *dev, unsigned index)
{
    const Uart *u = (Uart *)dev;
    unsigned limit = fifo_limit(u);

    return FR_CTS | FR_DSR | FR_DCD | (u->rx.count == 0 ? FR_RX_EMPTY : 0) |
        (u->rx.count >= limit ? FR_RX_FULL : 0) | (u->tx.count >= limit ? FR_TX_FULL : 0) |
        (u->tx.count == 0 ? FR_TX_EMPTY : FR_BUSY);
}

/* Disabling the FIFOs flushes them (3.3.7). */
static void line_written(Device *dev, unsigned index)
{
    Uart *u = (Uart *)dev;

    if (!(u->line & LCR_FIFOS)) {
        u->rx = u->tx = (Fifo){ .count = 0 };
    }
    update_rx(u);
    channel_accept_input(u->console);
    update_irq(u);
}

static void control_written(Device *dev, unsigned index)
{
    Uart *u = (Uart *)dev;

    channel_accept_input(u->console);
    update_irq(u);
}

static void interrupts_written(Device *dev, unsigned index)
{
    update_irq((Uart *)dev);
}

static uint64_t masked_read(Device *dev, unsigned index)
{
    const Uart *u = (Uart *)dev;

    return u->raw & u->mask;
}

static void clear_write(Device *dev, unsigned index, uint64_t value)
{
    Uart *u = (Uart *)dev;

    u->raw &= ~value;
    update_irq(u);
}

/* Revision r1p4: its FIFOs have 16 bytes. */
static uint64_t id_read(Device *dev, unsigned index)
{
    static const uint8_t id[PRIMECELL_ID_BYTES] = PRIMECELL_ID(0x11, 2);

    return id[index];
}

/* clang-format off */
static const Register uart_registers[] = {
    { .name = "UARTDR", .offset = 0x00, .read = data_read, .write = data_write },
    { .name = "UARTRSR", .offset = 0x04, FIELD(Uart, receive_status), .write = status_clear },
    { .name = "UARTFR", .offset = 0x18, .read = flags_read },
    { .name = "UARTILPR", .offset = 0x20, FIELD(Uart, low_power), .writable = 0xff },
    { .name = "UARTIBRD", .offset = 0x24, FIELD(Uart, divisor), .writable = 0xffff },
    { .name = "UARTFBRD", .offset = 0x28, FIELD(Uart, fraction), .writable = 0x3f },
    { .name = "UARTLCR_H", .offset = 0x2c, FIELD(Uart, line), .writable = 0xff,
      .written = line_written },
    { .name = "UARTCR", .offset = 0x30, FIELD(Uart, control), .reset = CR_TX | CR_RX,
      .writable = 0xff87, .written = control_written },
    { .name = "UARTIFLS", .offset = 0x34, FIELD(Uart, levels), .reset = 0x12, .writable = 0x3f },
    { .name = "UARTIMSC", .offset = 0x38, FIELD(Uart, mask), .writable = INT_ALL,
      .written = interrupts_written },
    { .name = "UARTRIS", .offset = 0x3c, FIELD(Uart, raw) },
    { .name = "UARTMIS", .offset = 0x40, .read = masked_read },
    { .name = "UARTICR", .offset = 0x44, .write = clear_write },
    { .name = "UARTDMACR", .offset = 0x48, FIELD(Uart, dma), .writable = 0x7 },
    { .name = "UARTPeriphID, UARTPCellID", .offset = 0xfe0, .count = 8, .read = id_read },
};
/* clang-format on */

/* Drivers use 8, 16 and 32 bits. */
static const RegisterBank uart_bank = REGISTER_BANK(uart_registers, .guest = { 1, 4 });

/* ---- life ---- */

static void uart_reset(Device *dev)
{
    Uart *u = (Uart *)dev;

    registers_reset(&uart_bank, dev);
    u->rx = u->tx = (Fifo){ .count = 0 };
    u->overrun = false;
    update_irq(u);
}

static void uart_loaded(Device *dev)
{
    Uart *u = (Uart *)dev;

    fifo_check(&u->rx);
    fifo_check(&u->tx);
    uart_drained(u);
    channel_accept_input(u->console);
    update_irq(u);
}

static bool uart_start(Device *dev, Diag *diag)
{
    Uart *u = (Uart *)dev;

    device_add_region(dev, 0, registers_region("regs", UART_SIZE, &uart_bank, dev));
    channel_connect(u->console, &uart_front, u);
    return true;
}

static void uart_stop(Device *dev)
{
    channel_connect(((Uart *)dev)->console, NULL, NULL);
}

static const Prop uart_props[] = { PROP(CHAR, Uart, console), {} };
static const Saved uart_saved[] = {
    SAVED(Uart, rx),
    SAVED(Uart, tx),
    SAVED(Uart, overrun),
    SAVED(Uart, receive_status),
    SAVED(Uart, low_power),
    SAVED(Uart, divisor),
    SAVED(Uart, fraction),
    SAVED(Uart, line),
    SAVED(Uart, control),
    SAVED(Uart, levels),
    SAVED(Uart, mask),
    SAVED(Uart, raw),
    SAVED(Uart, dma),
    {},
};

DEVICE_CLASS(pl011) = {
    .name = "pl011",
    .state_size = sizeof(Uart),
    .props = uart_props,
    .saved = uart_saved,
    .start = uart_start,
    .reset = uart_reset,
    .stop = uart_stop,
    .loaded = uart_loaded,
};
