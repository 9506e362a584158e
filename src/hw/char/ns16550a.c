/*
 * NS16550A UART: a serial port with 16-byte FIFOs.
 *
 * National Semiconductor PC16550D data sheet, section 8. Bytes move as fast as guest and host
 * take them; what the host cannot take yet stays in the transmit FIFO, and what the guest has no
 * room for waits in the channel, so nothing is lost in either direction.
 */
#include "core/device.h"
#include "hw/char/fifo.h"
#include "ui/char.h"

enum { UART_SIZE = 0x100 };

/* Register offsets; the first two are the divisor while LCR.DLAB is set. */
enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

enum { IER_RECEIVED = 1, IER_EMPTY = 2, IER_LINE = 4, IER_MODEM = 8, IER_ALL = 15 };
enum {
    IIR_NONE = 1,
    IIR_MODEM = 0,
    IIR_EMPTY = 2,
    IIR_RECEIVED = 4,
    IIR_LINE = 6,
    IIR_TIMEOUT = 12
};
enum { IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_TRIGGER = 0xc0 };
enum { LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16, MCR_ALL = 31 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

typedef struct Uart {
    Device dev;

    Channel *console;

    Fifo rx, tx;
    uint8_t divisor_low, divisor_high;
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t overrun;       /* LSR_OVERRUN until LSR is read */
    uint8_t empty_pending; /* "THR empty" was not yet reported */
    uint8_t modem_changes; /* the low half of MSR, until it is read */
    uint8_t modem;         /* the high half */
} Uart;

/* Without FIFOs each direction holds one byte. */
static unsigned fifo_limit(const Uart *u)
{
    return u->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

/* ---- interrupts: the one of the highest priority shows in IIR (table 5) ---- */

static unsigned rx_trigger(const Uart *u)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return u->fcr & FCR_ENABLE ? levels[(u->fcr & FCR_TRIGGER) >> 6] : 1;
}

/* A line that is idle times out at once: bytes below the trigger level are reported right away. */
static uint8_t iir(const Uart *u)
{
    if ((u->ier & IER_LINE) && u->overrun) {
        return IIR_LINE;
    }
    if ((u->ier & IER_RECEIVED) && u->rx.count > 0) {
        return u->rx.count >= rx_trigger(u) ? IIR_RECEIVED : IIR_TIMEOUT;
    }
    if ((u->ier & IER_EMPTY) && u->empty_pending) {
        return IIR_EMPTY;
    }
    if ((u->ier & IER_MODEM) && u->modem_changes) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

static void update_irq(Uart *u)
{
    device_set_irq(&u->dev, 0, iir(u) != IIR_NONE);
}

/* ---- the line ---- */

static void transmit(Uart *u)
{
    bool had = u->tx.count > 0;

    for (uint8_t byte; u->tx.count > 0; fifo_get(&u->tx)) {
        byte = fifo_first(&u->tx);
        if (channel_write(u->console, &byte, 1) == 0) {
            break;
        }
    }
    if (had && u->tx.count == 0) {
        u->empty_pending = true;
    }
}

static size_t uart_room(void *owner)
{
    Uart *u = owner;

    return u->mcr & MCR_LOOP ? 0 : fifo_limit(u) - MIN(u->rx.count, fifo_limit(u));
}

static void receive_byte(Uart *u, uint8_t byte)
{
    if (u->rx.count >= fifo_limit(u)) {
        u->overrun = LSR_OVERRUN;
        return;
    }
    fifo_put(&u->rx, byte);
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

    transmit(u);
    update_irq(u);
}

static const ChannelFront uart_front = {
    .room = uart_room,
    .receive = uart_receive,
    .drained = uart_drained,
};

/* ---- modem lines: a connected cable, or MCR's outputs in loopback (8.8) ---- */

static void update_modem(Uart *u)
{
    uint8_t now = MSR_CTS | MSR_DSR | MSR_DCD, changed;

    if (u->mcr & MCR_LOOP) {
        now = (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
            (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    changed = now ^ u->modem;
    changed &= ~MSR_RI | (u->modem & MSR_RI); /* of RI only the trailing edge counts */
    u->modem_changes |= changed >> 4;
    u->modem = now;
}

/* ---- registers ---- */

static uint8_t read_data(Uart *u)
{
    uint8_t byte = u->rx.count > 0 ? fifo_get(&u->rx) : 0;

    channel_accept_input(u->console);
    return byte;
}

static uint8_t read_lsr(Uart *u)
{
    uint8_t value = (u->rx.count > 0 ? LSR_READY : 0) | u->overrun |
        (u->tx.count == 0 ? LSR_THR_EMPTY | LSR_IDLE : 0);

    u->overrun = 0;
    return value;
}

static uint8_t read_iir(Uart *u)
{
    uint8_t value = iir(u);

    if (value == IIR_EMPTY) {
        u->empty_pending = false;
    }
    return value | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_msr(Uart *u)
{
    uint8_t value = u->modem | u->modem_changes;

    u->modem_changes = 0;
    return value;
}

static uint8_t read_register(Uart *u, unsigned offset)
{
    bool divisor = u->lcr & LCR_DLAB;

    switch (offset) {
    case DATA: return divisor ? u->divisor_low : read_data(u);
    case IER: return divisor ? u->divisor_high : u->ier;
    case IIR_FCR: return read_iir(u);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR: return read_lsr(u);
    case MSR: return read_msr(u);
    case SCR: return u->scr;
    }
    device_guest_error(&u->dev, "read of register 0x%x, which does not exist", offset);
    return 0;
}

static void write_data(Uart *u, uint8_t byte)
{
    u->empty_pending = false;
    if (u->mcr & MCR_LOOP) {
        receive_byte(u, byte);
        u->empty_pending = true;
        return;
    }
    if (u->tx.count < fifo_limit(u)) {
        fifo_put(&u->tx, byte);
    }
    transmit(u);
}

/* Enabling the interrupt of an empty transmitter raises it anew, which drivers test for. */
static void write_ier(Uart *u, uint8_t value)
{
    if ((value & ~u->ier & IER_EMPTY) && u->tx.count == 0) {
        u->empty_pending = true;
    }
    u->ier = value & IER_ALL;
}

static void write_fcr(Uart *u, uint8_t value)
{
    bool toggled = (value ^ u->fcr) & FCR_ENABLE;

    if (toggled || (value & FCR_CLEAR_RX)) {
        u->rx = (Fifo){ .count = 0 };
    }
    if (toggled || (value & FCR_CLEAR_TX)) {
        u->tx = (Fifo){ .count = 0 };
        u->empty_pending = true;
    }
    u->fcr = value & (FCR_ENABLE | FCR_TRIGGER);
    channel_accept_input(u->console);
}

static void write_mcr(Uart *u, uint8_t value)
{
    u->mcr = value & MCR_ALL;
    update_modem(u);
    channel_accept_input(u->console);
}

static void write_register(Uart *u, unsigned offset, uint8_t value)
{
    bool divisor = u->lcr & LCR_DLAB;

    switch (offset) {
    case DATA: divisor ? (void)(u->divisor_low = value) : write_data(u, value); break;
    case IER: divisor ? (void)(u->divisor_high = value) : write_ier(u, value); break;
    case IIR_FCR: write_fcr(u, value); break;
    case LCR: u->lcr = value; break;
    case MCR: write_mcr(u, value); break;
    case LSR: /* a factory test, which the data sheet asks not to use */
    case MSR: break;
    case SCR: u->scr = value; break;
    default: device_guest_error(&u->dev, "write of register 0x%x, which does not exist", offset);
    }
}

static uint64_t uart_read(void *owner, GuestAddr offset, unsigned size)
{
    uint8_t value = read_register(owner, offset);

    update_irq(owner);
    return value;
}

static void uart_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    write_register(owner, offset, value);
    update_irq(owner);
}

static const RegionOps uart_ops = {
    .read = uart_read,
    .write = uart_write,
    .guest = { 1, 8 },
    .device = { 1, 1 },
    .endian = ENDIAN_LITTLE,
};

/* ---- life ---- */

static void uart_reset(Device *dev)
{
    Uart *u = (Uart *)dev;

    *u = (Uart){ .dev = u->dev, .console = u->console };
    update_modem(u);
    u->modem_changes = 0;
    update_irq(u);
    channel_accept_input(u->console);
}

static void uart_loaded(Device *dev)
{
    Uart *u = (Uart *)dev;

    fifo_check(&u->rx);
    fifo_check(&u->tx);
    uart_drained(u);
    channel_accept_input(u->console);
}

static bool uart_start(Device *dev, Diag *diag)
{
    Uart *u = (Uart *)dev;

    device_add_region(dev, 0, region_new_mmio("regs", UART_SIZE, &uart_ops, u));
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
    SAVED(Uart, divisor_low),
    SAVED(Uart, divisor_high),
    SAVED(Uart, ier),
    SAVED(Uart, fcr),
    SAVED(Uart, lcr),
    SAVED(Uart, mcr),
    SAVED(Uart, scr),
    SAVED(Uart, overrun),
    SAVED(Uart, empty_pending),
    SAVED(Uart, modem_changes),
    SAVED(Uart, modem),
    {},
};

DEVICE_CLASS(ns16550a) = {
    .name = "ns16550a",
    .state_size = sizeof(Uart),
    .props = uart_props,
    .saved = uart_saved,
    .start = uart_start,
    .reset = uart_reset,
    .stop = uart_stop,
    .loaded = uart_loaded,
};
