/*
 * CFI parallel flash: a bank of two 16-bit NOR chips with the Intel command set, side by side on a
 * 32-bit bus.
 *
 * Intel StrataFlash P30 data sheet (306666), chapters 9 to 13, and JESD68.01 for the query table.
 * The chips see the same address and one half of the data each, so each has its own state. While
 * both read their array, the bank is memory to the CPU; a write, which starts a command, ends that.
 *
 * A blank bank does not take the host's memory: it becomes real when it is first programmed.
 */
#include <string.h>

#include "core/device.h"
#include "hw/storage/flash-bus.h"

enum {
    CHIPS = 2,
    BANK_WIDTH = 4,               /* bytes; a chip has the 16 bits at 2 * chip */
    BLOCK_WORDS = 128 * 1024 / 2, /* erase block of one chip */
    BUFFER_BITS = 10,             /* log2 of the write buffer of one chip, in bytes */
    BUFFER_WORDS = 1 << (BUFFER_BITS - 1),
    FLASH_SIZE_MIN = 512 * 1024,
    FLASH_SIZE_MAX = 128 * 1024 * 1024,
};

/* Commands (table 25 of the data sheet). */
enum {
    CMD_READ_ARRAY = 0xff,
    CMD_READ_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_READ_STATUS = 0x70,
    CMD_CLEAR_STATUS = 0x50,
    CMD_PROGRAM = 0x40,
    CMD_PROGRAM_ALTERNATE = 0x10,
    CMD_BUFFERED = 0xe8,
    CMD_ERASE = 0x20,
    CMD_LOCK = 0x60,
    CMD_SUSPEND = 0xb0,
    CMD_CONFIRM = 0xd0,
};

enum {
    STATUS_READY = 0x80,
    STATUS_ERASE_ERROR = 0x20,
    STATUS_PROGRAM_ERROR = 0x10,
    STATUS_LOCKED = 0x02,
};
enum { ID_MAKER = 0x89, ID_DEVICE = 0x8818 };

typedef enum ReadMode { READ_ARRAY, READ_STATUS, READ_ID, READ_QUERY } ReadMode;

/* Which write a chip waits for. */
typedef enum WriteMode {
    WAIT_COMMAND,
    WAIT_WORD,  /* of a single program */
    WAIT_COUNT, /* of a buffered program: words, then the words, then CONFIRM */
    WAIT_BUFFER,
    WAIT_PROGRAM_CONFIRM,
    WAIT_ERASE_CONFIRM,
    WAIT_LOCK, /* what to do with the lock */
} WriteMode;

typedef struct Chip {
    uint8_t read_mode, write_mode, status;
    uint16_t count, filled; /* words of the buffer */
    uint32_t start;         /* word address of the first one */
    uint16_t buffer[BUFFER_WORDS];
} Chip;

typedef struct Flash {
    Device dev;

    uint64_t size; /* of the bank */
    Region *array;
    FlashImage *image;   /* what keeps the contents; NULL: nothing does */
    uint8_t query[0x40]; /* the low byte of each word of the query table */

    Chip chips[CHIPS];
    uint8_t written; /* the host's memory holds the array; else it is all ones */
} Flash;

/* ---- the array ---- */

static uint16_t *array_word(const Flash *f, unsigned chip, uint32_t word)
{
    return (uint16_t *)(region_host(f->array) + (uint64_t)word * BANK_WIDTH + chip * 2);
}

static void array_wrote(Flash *f, uint32_t word, uint32_t words)
{
    region_wrote(f->array, (uint64_t)word * BANK_WIDTH, (uint64_t)words * BANK_WIDTH);
    if (f->image) {
        flash_image_changed(f->image, (uint64_t)word * BANK_WIDTH, (uint64_t)words * BANK_WIDTH);
    }
}

/* A flash whose image cannot be written is one whose blocks are all locked. */
static bool is_writable(Flash *f, unsigned chip)
{
    if (f->image && flash_image_is_read_only(f->image)) {
        f->chips[chip].status |= STATUS_PROGRAM_ERROR | STATUS_ERASE_ERROR | STATUS_LOCKED;
        return false;
    }
    return true;
}

/* Programming only clears bits. */
static void program_word(Flash *f, unsigned chip, uint32_t word, uint16_t value)
{
    if (!is_writable(f, chip)) {
        return;
    }
    if (!f->written) {
        memset(region_host(f->array), 0xff, f->size);
        f->written = true;
    }
    *array_word(f, chip, word) &= GUINT16_TO_LE(value);
    array_wrote(f, word, 1);
}

static void program_buffer(Flash *f, unsigned chip)
{
    const Chip *c = &f->chips[chip];

    for (unsigned i = 0; i < c->filled; i++) {
        program_word(f, chip, c->start + i, c->buffer[i]);
    }
}

static void erase_block(Flash *f, unsigned chip, uint32_t word)
{
    uint32_t first = word - word % BLOCK_WORDS;

    if (!is_writable(f, chip) || !f->written) {
        return;
    }
    for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
        *array_word(f, chip, first + i) = 0xffff;
    }
    array_wrote(f, first, BLOCK_WORDS);
}

/* ---- reads ---- */

static uint8_t read_status(const Flash *f, const Chip *c)
{
    bool busy = f->image && flash_image_is_busy(f->image);
    bool failed = f->image && flash_image_has_failed(f->image);

    return (c->status & ~(busy ? STATUS_READY : 0)) | (failed ? STATUS_PROGRAM_ERROR : 0);
}

static uint16_t read_id(uint32_t word)
{
    switch (word % BLOCK_WORDS) {
    case 0: return ID_MAKER;
    case 1: return ID_DEVICE;
    }
    return 0; /* the block is not locked, nothing is in the one-time register */
}

static uint64_t flash_read(void *owner, GuestAddr offset, unsigned size)
{
    Flash *f = owner;
    unsigned chip = offset / 2 % CHIPS;
    uint32_t word = offset / BANK_WIDTH;

    switch (f->chips[chip].read_mode) {
    case READ_STATUS: return read_status(f, &f->chips[chip]);
    case READ_ID: return read_id(word);
    case READ_QUERY: return word % 256 < sizeof(f->query) ? f->query[word % 256] : 0;
    }
    return f->written ? GUINT16_FROM_LE(*array_word(f, chip, word)) : 0xffff;
}

/* ---- writes ---- */

/* What is no sequence sets both error bits and is forgotten (table 26). */
static void bad_sequence(Flash *f, Chip *c)
{
    device_guest_error(&f->dev, "command sequence that the chip does not know");
    c->status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
    c->write_mode = WAIT_COMMAND;
    c->read_mode = READ_STATUS;
}

typedef struct Command {
    uint8_t code;
    ReadMode read;
    WriteMode next;
} Command;

static const Command commands[] = {
    { CMD_READ_ARRAY, READ_ARRAY, WAIT_COMMAND }, { CMD_READ_ID, READ_ID, WAIT_COMMAND },
    { CMD_QUERY, READ_QUERY, WAIT_COMMAND }, { CMD_READ_STATUS, READ_STATUS, WAIT_COMMAND },
    { CMD_PROGRAM, READ_STATUS, WAIT_WORD }, { CMD_PROGRAM_ALTERNATE, READ_STATUS, WAIT_WORD },
    { CMD_BUFFERED, READ_STATUS, WAIT_COUNT }, { CMD_ERASE, READ_STATUS, WAIT_ERASE_CONFIRM },
    { CMD_LOCK, READ_STATUS, WAIT_LOCK },
    { CMD_SUSPEND, READ_STATUS, WAIT_COMMAND }, /* all is done at once: nothing to suspend */
    { CMD_CONFIRM, READ_STATUS, WAIT_COMMAND }, /* nor to resume */
};

static void start_command(Chip *c, uint8_t code)
{
    if (code == CMD_CLEAR_STATUS) {
        c->status = STATUS_READY;
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].code == code) {
            c->read_mode = commands[i].read;
            c->write_mode = commands[i].next;
            return;
        }
    }
    /* Drivers probe with the reset commands of other vendors. */
    c->read_mode = READ_ARRAY;
}

static void set_count(Flash *f, Chip *c, uint16_t value)
{
    if (value >= BUFFER_WORDS) {
        bad_sequence(f, c);
        return;
    }
    c->count = value + 1;
    c->filled = 0;
    c->write_mode = WAIT_BUFFER;
}

/* Words come in the order of their addresses, within one block. */
static void fill_buffer(Flash *f, Chip *c, uint32_t word, uint16_t value)
{
    if (c->filled == 0) {
        c->start = word;
    }
    if (word != c->start + c->filled || word / BLOCK_WORDS != c->start / BLOCK_WORDS) {
        bad_sequence(f, c);
        return;
    }
    c->buffer[c->filled++] = value;
    c->write_mode = c->filled == c->count ? WAIT_PROGRAM_CONFIRM : WAIT_BUFFER;
}

static void chip_write(Flash *f, unsigned chip, uint32_t word, uint16_t value)
{
    Chip *c = &f->chips[chip];
    WriteMode mode = c->write_mode;

    c->write_mode = WAIT_COMMAND;
    switch (mode) {
    case WAIT_COMMAND: start_command(c, value); break;
    case WAIT_WORD: program_word(f, chip, word, value); break;
    case WAIT_COUNT: set_count(f, c, value); break;
    case WAIT_BUFFER: fill_buffer(f, c, word, value); break;
    case WAIT_PROGRAM_CONFIRM:
        value == CMD_CONFIRM ? program_buffer(f, chip) : bad_sequence(f, c);
        break;
    case WAIT_ERASE_CONFIRM:
        value == CMD_CONFIRM ? erase_block(f, chip, word) : bad_sequence(f, c);
        break;
    case WAIT_LOCK: /* blocks are never locked */ break;
    }
}

/* Only while both chips read the array, and there is one, can the CPU read it as memory. */
static void update_rom_mode(Flash *f)
{
    bool reads_array = f->written;

    for (unsigned i = 0; i < CHIPS; i++) {
        reads_array &= f->chips[i].read_mode == READ_ARRAY;
    }
    region_set_rom_mode(f->array, reads_array);
}

static void flash_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    Flash *f = owner;

    chip_write(f, offset / 2 % CHIPS, offset / BANK_WIDTH, value);
    update_rom_mode(f);
}

/* Firmware was put into it. What it leaves is zero, not erased: that would touch all of the host's memory. */
static void flash_filled(void *owner)
{
    Flash *f = owner;

    f->written = true;
    update_rom_mode(f);
}

static const RegionOps flash_ops = {
    .read = flash_read,
    .write = flash_write,
    .filled = flash_filled,
    .guest = { 1, 8 },
    .device = { 2, 2 },
    .endian = ENDIAN_LITTLE,
};

/* ---- the query table (JESD68.01, 2.4): what one chip says of itself ---- */

static void make_query(Flash *f)
{
    /* From 0x10: "QRY", the Intel command set, its table at 0x31, no other; from 0x1b: voltages
     * and times. At 0x31: "PRI" 1.3, without optional features. */
    static const uint8_t identity[] = { 'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x17, 0x20, 0x85, 0x95, 0x08, 0x09, 0x0a, 0x00, 0x01, 0x01, 0x02, 0x00 };
    static const uint8_t extended[] = { 'P', 'R', 'I', '1', '3' };
    uint64_t chip_size = f->size / CHIPS, blocks = chip_size / (BLOCK_WORDS * 2);

    memcpy(f->query + 0x10, identity, sizeof(identity));
    f->query[0x27] = __builtin_ctzll(chip_size);
    f->query[0x28] = 0x01; /* 16 bits wide */
    f->query[0x2a] = BUFFER_BITS;
    f->query[0x2c] = 1; /* one region of equal blocks: how many less one, their size by 256 */
    f->query[0x2d] = (blocks - 1) & 0xff;
    f->query[0x2e] = (blocks - 1) >> 8;
    f->query[0x2f] = (BLOCK_WORDS * 2 / 256) & 0xff;
    f->query[0x30] = (BLOCK_WORDS * 2 / 256) >> 8;
    memcpy(f->query + 0x31, extended, sizeof(extended));
}

/* ---- life ---- */

/* The array stays: that is what a flash is for. */
static void flash_reset(Device *dev)
{
    Flash *f = (Flash *)dev;

    for (unsigned i = 0; i < CHIPS; i++) {
        f->chips[i] = (Chip){ .status = STATUS_READY, .count = 1 };
    }
    update_rom_mode(f);
}

static void flash_loaded(Device *dev)
{
    Flash *f = (Flash *)dev;

    for (unsigned i = 0; i < CHIPS; i++) {
        Chip *c = &f->chips[i];

        c->count = CLAMP(c->count, 1, BUFFER_WORDS);
        c->filled = MIN(c->filled, c->write_mode == WAIT_BUFFER ? c->count - 1 : c->count);
    }
    update_rom_mode(f);
}

static bool flash_start(Device *dev, Diag *diag)
{
    Flash *f = (Flash *)dev;
    g_autoptr(GError) error = NULL;

    if (f->size < FLASH_SIZE_MIN || f->size > FLASH_SIZE_MAX || (f->size & (f->size - 1))) {
        return device_error(dev, diag, "size", "must be a power of two from 512KiB to 128MiB");
    }
    f->array = region_new_rom_device("array", f->size, &flash_ops, f, &error);
    if (!f->array) {
        return device_error(dev, diag, "size", "cannot be had from the host: %s", error->message);
    }
    make_query(f);
    device_add_region(dev, 0, f->array);
    return true;
}

static bool flash_plug(Device *dev, Device *child, Diag *diag)
{
    Flash *f = (Flash *)dev;
    FlashImage *image = (FlashImage *)child;

    if (flash_image_size(image) != f->size) {
        return device_error(child, diag, "drive",
            "has %" G_GUINT64_FORMAT " bytes, the flash %" G_GUINT64_FORMAT
            ": make them equal, as with `truncate -s %" G_GUINT64_FORMAT "`",
            flash_image_size(image), f->size, f->size);
    }
    if (!flash_image_load(image, region_host(f->array), diag)) {
        return false;
    }
    f->image = image;
    f->written = true;
    return true;
}

static const Prop flash_props[] = { PROP(SIZE, Flash, size), {} };
static const Saved flash_saved[] = { SAVED(Flash, chips), SAVED(Flash, written), {} };

DEVICE_CLASS(cfi_flash) = {
    .name = "cfi-flash",
    .state_size = sizeof(Flash),
    .props = flash_props,
    .saved = flash_saved,
    .start = flash_start,
    .reset = flash_reset,
    .loaded = flash_loaded,
    .plug = flash_plug,
};
