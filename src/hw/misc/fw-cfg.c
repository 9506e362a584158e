/*
 * Firmware configuration: numbered items that firmware reads.
 *
 * QEMU's documentation, docs/specs/fw_cfg: a selector, a data register that gives the next bytes
 * of the selected item, and a DMA register that copies them to memory. Items are only read: the
 * kernel, its initial RAM disk and command line, and how many CPUs there are.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/build.h"
#include "core/machine.h"

enum { SELECTOR = 8, DMA = 16, FW_CFG_SIZE = 24 }; /* the data register is before them */

enum {
    KEY_SIGNATURE = 0x00,
    KEY_ID = 0x01,
    KEY_CPUS = 0x05,
    KEY_KERNEL_SIZE = 0x08,
    KEY_INITRD_SIZE = 0x0b,
    KEY_CPUS_MAX = 0x0f,
    KEY_KERNEL_DATA = 0x11,
    KEY_INITRD_DATA = 0x12,
    KEY_CMDLINE_SIZE = 0x14,
    KEY_CMDLINE_DATA = 0x15,
    KEY_FILES = 0x19,
};
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static const char dma_signature[] = "QEMU CFG";

enum { ITEMS_MAX = 11 };

/* Bytes in memory, or in a file of the host, which may shrink meanwhile. */
typedef struct Item {
    uint16_t key;
    uint32_t size;
    GBytes *bytes;
    int fd;
} Item;

/* In guest memory, big endian. */
typedef struct DmaRequest {
    uint32_t control, length;
    uint64_t address;
} DmaRequest;

typedef struct FwCfg {
    Device dev;

    Item items[ITEMS_MAX];
    unsigned item_count;

    uint16_t selected;
    uint32_t position; /* in the selected item; zeroes are read beyond its end */
    uint32_t dma_high; /* upper half of the next request's address */
} FwCfg;

/* ---- items ---- */

static void add_item(FwCfg *f, Item item)
{
    g_assert(f->item_count < ITEMS_MAX);
    f->items[f->item_count++] = item;
}

static void add_bytes(FwCfg *f, uint16_t key, const void *bytes, size_t size)
{
    add_item(f, (Item){ .key = key, .size = size, .bytes = g_bytes_new(bytes, size), .fd = -1 });
}

static void add_number(FwCfg *f, uint16_t key, uint32_t value, size_t size)
{
    uint32_t bytes = GUINT32_TO_LE(value);

    add_bytes(f, key, &bytes, size);
}

/* A file for firmware that starts it itself. What is missing is the loader's to complain about. */
static void add_file(FwCfg *f, uint16_t size_key, uint16_t data_key, const char *path)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat info;

    if (fd < 0) {
        return;
    }
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > UINT32_MAX) {
        close(fd);
        return;
    }
    add_number(f, size_key, info.st_size, sizeof(uint32_t));
    add_item(f, (Item){ .key = data_key, .size = info.st_size, .fd = fd });
}

static void add_cmdline(FwCfg *f, const char *text)
{
    if (text) {
        add_number(f, KEY_CMDLINE_SIZE, strlen(text) + 1, sizeof(uint32_t));
        add_bytes(f, KEY_CMDLINE_DATA, text, strlen(text) + 1);
    }
}

static void make_items(FwCfg *f)
{
    const BootSpec *boot = &machine_spec(f->dev.machine)->boot;
    unsigned cpus = device_cpu_count(&f->dev);

    add_bytes(f, KEY_SIGNATURE, "QEMU", 4);
    add_number(f, KEY_ID, ID_TRADITIONAL | ID_DMA, sizeof(uint32_t));
    add_number(f, KEY_CPUS, cpus, sizeof(uint16_t));
    add_number(f, KEY_CPUS_MAX, cpus, sizeof(uint16_t));
    add_number(f, KEY_FILES, 0, sizeof(uint32_t)); /* a directory without entries */
    add_file(f, KEY_KERNEL_SIZE, KEY_KERNEL_DATA, boot->kernel.text);
    add_file(f, KEY_INITRD_SIZE, KEY_INITRD_DATA, boot->initrd.text);
    add_cmdline(f, boot->cmdline.text);
}

static void select_item(FwCfg *f, uint16_t key)
{
    f->selected = key;
    f->position = 0;
}

static void skip_bytes(FwCfg *f, uint64_t length)
{
    f->position = MIN(f->position + length, UINT32_MAX);
}

/* Within the item. What a file has no more of stays as it is: zero. */
static void copy_part(const Item *item, uint32_t at, uint8_t *out, size_t length)
{
    ssize_t got = 0;

    if (item->bytes) {
        memcpy(out, (const uint8_t *)g_bytes_get_data(item->bytes, NULL) + at, length);
        return;
    }
    for (size_t done = 0; done < length; done += got) {
        got = pread(item->fd, out + done, length - done, (off_t)at + done);
        if (got <= 0) {
            return;
        }
    }
}

static void read_item(FwCfg *f, uint8_t *out, size_t length)
{
    memset(out, 0, length);
    for (unsigned i = 0; i < f->item_count; i++) {
        const Item *item = &f->items[i];

        if (item->key == f->selected && f->position < item->size) {
            copy_part(item, f->position, out, MIN(length, item->size - f->position));
        }
    }
    skip_bytes(f, length);
}

/* ---- DMA ---- */

static bool copy_item(FwCfg *f, GuestAddr at, uint32_t length)
{
    uint8_t bytes[4096];

    for (uint64_t done = 0, part; done < length; done += part) {
        part = MIN(length - done, sizeof(bytes));
        read_item(f, bytes, part);
        if (device_dma_write(&f->dev, at + done, bytes, part) != MEM_OK) {
            return false;
        }
    }
    return true;
}

static bool do_request(FwCfg *f, const DmaRequest *request)
{
    uint32_t control = GUINT32_FROM_BE(request->control);
    uint32_t length = GUINT32_FROM_BE(request->length);

    if (control & DMA_SELECT) {
        select_item(f, control >> 16);
    }
    if (control & DMA_READ) {
        return copy_item(f, GUINT64_FROM_BE(request->address), length);
    }
    if (control & DMA_WRITE) {
        device_guest_error(&f->dev, "write to item 0x%x, which is only read", f->selected);
        return false;
    }
    if (control & DMA_SKIP) {
        skip_bytes(f, length);
    }
    return true;
}

static void dma(FwCfg *f, GuestAddr at)
{
    DmaRequest request;
    uint32_t result;

    if (device_dma_read(&f->dev, at, &request, sizeof(request)) != MEM_OK) {
        device_guest_error(&f->dev, "DMA request outside of memory");
        return;
    }
    result = do_request(f, &request) ? 0 : GUINT32_TO_BE(DMA_ERROR);
    device_dma_write(&f->dev, at, &result, sizeof(result));
}

/* ---- registers; all big endian ---- */

static uint64_t read_data(FwCfg *f, unsigned size)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    read_item(f, bytes, size);
    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static uint64_t fw_cfg_read(void *owner, GuestAddr offset, unsigned size)
{
    uint64_t value = 0;

    if (offset < SELECTOR) {
        return read_data(owner, size);
    }
    for (unsigned i = 0; i < size && offset >= DMA; i++) {
        value = value << 8 | (uint8_t)dma_signature[offset - DMA + i];
    }
    return value;
}

static void fw_cfg_write(void *owner, GuestAddr offset, uint64_t value, unsigned size)
{
    FwCfg *f = owner;

    if (offset == SELECTOR && size == 2) {
        select_item(f, value);
    } else if (offset == DMA && size == 8) {
        dma(f, value);
    } else if (offset == DMA && size == 4) {
        f->dma_high = value;
    } else if (offset == DMA + 4 && size == 4) {
        dma(f, (uint64_t)f->dma_high << 32 | value);
        f->dma_high = 0;
    } else {
        device_guest_error(&f->dev, "write of %u bytes at 0x%x", size, (unsigned)offset);
    }
}

static const RegionOps fw_cfg_ops = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .guest = { 1, 8 },
    .endian = ENDIAN_BIG,
};

/* ---- life ---- */

static void fw_cfg_reset(Device *dev)
{
    FwCfg *f = (FwCfg *)dev;

    select_item(f, KEY_SIGNATURE);
    f->dma_high = 0;
}

static bool fw_cfg_start(Device *dev, Diag *diag)
{
    FwCfg *f = (FwCfg *)dev;

    make_items(f);
    device_add_region(dev, 0, region_new_mmio("regs", FW_CFG_SIZE, &fw_cfg_ops, f));
    return true;
}

static void fw_cfg_stop(Device *dev)
{
    FwCfg *f = (FwCfg *)dev;

    while (f->item_count > 0) {
        Item *item = &f->items[--f->item_count];

        g_clear_pointer(&item->bytes, g_bytes_unref);
        if (item->fd >= 0) {
            close(item->fd);
        }
    }
}

static const Saved fw_cfg_saved[] = {
    SAVED(FwCfg, selected),
    SAVED(FwCfg, position),
    SAVED(FwCfg, dma_high),
    {},
};

DEVICE_CLASS(fw_cfg) = {
    .name = "fw-cfg",
    .state_size = sizeof(FwCfg),
    .saved = fw_cfg_saved,
    .start = fw_cfg_start,
    .reset = fw_cfg_reset,
    .stop = fw_cfg_stop,
};
