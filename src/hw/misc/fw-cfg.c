/*
 * Firmware configuration: numbered items that firmware reads.
 *
 * QEMU's documentation, docs/specs/fw_cfg: a selector, a data register that gives the next bytes
 * of the selected item, and a DMA register that copies them to memory. Items are only read.
 */
#include <string.h>

#include "core/registers.h"

enum { SELECTOR = 8, DMA = 16, FW_CFG_SIZE = 24 }; /* the data register is before them */

enum {
    KEY_SIGNATURE = 0x00,
    KEY_ID = 0x01,
    KEY_CPUS = 0x05,
    KEY_CPUS_MAX = 0x0f,
    KEY_FILES = 0x19
};
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static const char dma_signature[] = "QEMU CFG";

typedef struct Item {
    uint16_t key, size;
    uint8_t bytes[4];
} Item;

/* In guest memory, big endian. */
typedef struct DmaRequest {
    uint32_t control, length;
    uint64_t address;
} DmaRequest;

typedef struct FwCfg {
    Device dev;

    Item items[5];

    uint16_t selected;
    uint32_t position; /* in the selected item; zeroes are read beyond its end */
    uint32_t dma_high; /* upper half of the next request's address */
} FwCfg;

/* ---- items ---- */

static void set_item(Item *item, uint16_t key, const void *bytes, size_t size)
{
    item->key = key;
    item->size = size;
    memcpy(item->bytes, bytes, size);
}

static void make_items(FwCfg *f)
{
    uint32_t id = GUINT32_TO_LE(ID_TRADITIONAL | ID_DMA), no_files = 0;
    uint16_t cpus = GUINT16_TO_LE(device_cpu_count(&f->dev));

    set_item(&f->items[0], KEY_SIGNATURE, "QEMU", 4);
    set_item(&f->items[1], KEY_ID, &id, sizeof(id));
    set_item(&f->items[2], KEY_CPUS, &cpus, sizeof(cpus));
    set_item(&f->items[3], KEY_CPUS_MAX, &cpus, sizeof(cpus));
    set_item(&f->items[4], KEY_FILES, &no_files, sizeof(no_files));
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

static void read_item(FwCfg *f, uint8_t *out, size_t length)
{
    memset(out, 0, length);
    for (unsigned i = 0; i < G_N_ELEMENTS(f->items); i++) {
        const Item *item = &f->items[i];

        if (item->key == f->selected && f->position < item->size) {
            memcpy(out, item->bytes + f->position, MIN(length, (size_t)item->size - f->position));
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
};
