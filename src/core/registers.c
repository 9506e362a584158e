#include "core/registers.h"

#include <string.h>

#include "core/trace.h"

/* The owner of a bank's region, which the region's callbacks get. */
typedef struct BankOwner {
    const RegisterBank *bank;
    Device *dev;
    RegionOps ops;
} BankOwner;

static unsigned bank_width(const RegisterBank *bank)
{
    return bank->width ? bank->width : 4;
}

static uint64_t load_field(const void *field, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, field, size);
    return value;
}

static void *field_of(const Register *row, const Device *dev, unsigned index)
{
    return (char *)dev + row->field + index * row->size;
}

static unsigned row_stride(const RegisterBank *bank, const Register *row)
{
    return row->stride ? row->stride : bank_width(bank);
}

static const Register *find_row(const RegisterBank *bank, GuestAddr offset, unsigned *index)
{
    for (unsigned i = 0; i < bank->count; i++) {
        const Register *row = &bank->rows[i];
        unsigned stride = row_stride(bank, row), count = MAX(row->count, 1);

        if (offset >= row->offset && (offset - row->offset) / stride < count &&
            (offset - row->offset) % stride == 0) {
            *index = (offset - row->offset) / stride;
            return row;
        }
    }
    return NULL;
}

static void trace_access(
    const BankOwner *owner, const Register *row, unsigned index, const char *verb, uint64_t value)
{
    if (row->count > 1) {
        TRACE(registers, "%s: %s %s[%u]: 0x%" G_GINT64_MODIFIER "x", owner->dev->id, verb,
            row->name, index, value);
    } else {
        TRACE(registers, "%s: %s %s: 0x%" G_GINT64_MODIFIER "x", owner->dev->id, verb, row->name,
            value);
    }
}

static uint64_t bank_read(void *data, GuestAddr offset, unsigned size)
{
    BankOwner *owner = data;
    unsigned index;
    const Register *row = find_row(owner->bank, offset, &index);
    uint64_t value = 0;

    if (!row) {
        device_guest_error(owner->dev, "read of 0x%x, where no register is", (unsigned)offset);
        return 0;
    }
    if (row->read) {
        value = row->read(owner->dev, index);
    } else if (row->size) {
        void *field = field_of(row, owner->dev, index);

        value = load_field(field, row->size);
        if (row->read_clears) {
            memset(field, 0, row->size);
        }
    }
    trace_access(owner, row, index, "read", value);
    return value;
}

static void store(const Register *row, void *field, uint64_t written)
{
    uint64_t value = load_field(field, row->size);

    value = (value & ~row->writable) | (written & row->writable);
    value |= written & row->write_1_sets;
    value &= ~(written & row->write_1_clears);
    memcpy(field, &value, row->size);
}

static void bank_write(void *data, GuestAddr offset, uint64_t value, unsigned size)
{
    BankOwner *owner = data;
    unsigned index;
    const Register *row = find_row(owner->bank, offset, &index);

    if (!row) {
        device_guest_error(owner->dev, "write to 0x%x, where no register is", (unsigned)offset);
        return;
    }
    trace_access(owner, row, index, "write", value);
    if (row->write) {
        row->write(owner->dev, index, value);
    } else if (row->writable | row->write_1_sets | row->write_1_clears) {
        store(row, field_of(row, owner->dev, index), value);
    } else if (!row->written) {
        device_guest_error(owner->dev, "write to a register that is only read");
    }
    if (row->written) {
        row->written(owner->dev, index);
    }
}

static void check_row(const RegisterBank *bank, const Register *row, uint64_t size)
{
    unsigned count = MAX(row->count, 1);

    g_assert(row->offset + (uint64_t)(count - 1) * row_stride(bank, row) < size);
    g_assert(
        row->size == 0 || row->size == 1 || row->size == 2 || row->size == 4 || row->size == 8);
    g_assert(row->size > 0 || !(row->writable | row->write_1_sets | row->write_1_clears));
}

Region *registers_region(const char *name, uint64_t size, const RegisterBank *bank, Device *dev)
{
    unsigned width = bank_width(bank);
    BankOwner *owner = g_new(BankOwner, 1);
    Region *region;

    for (unsigned i = 0; i < bank->count; i++) {
        check_row(bank, &bank->rows[i], size);
    }
    *owner = (BankOwner){
        .bank = bank,
        .dev = dev,
        .ops = {
            .read = bank_read, .write = bank_write,
            .guest = bank->guest.max ? bank->guest : (AccessSize){ width, width },
            .device = { width, width },
            .endian = bank->endian,
        },
    };
    region = region_new_mmio(name, size, &owner->ops, owner);
    region_free_owner(region, g_free);
    return region;
}

void registers_reset(const RegisterBank *bank, Device *dev)
{
    for (unsigned i = 0; i < bank->count; i++) {
        const Register *row = &bank->rows[i];

        for (unsigned k = 0; row->size && k < MAX(row->count, 1); k++) {
            memcpy(field_of(row, dev, k), &row->reset, row->size);
        }
    }
}
