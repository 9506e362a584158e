/*
 * Registers as tables: access, masks, reset values and hooks, a row each.
 *
 * A bank of rows makes a Region: reads, writes, resets and trace lines come from the table, and a
 * value lives in a field of the device's state, where SAVED() finds it. What has no row reads as
 * zero and is reported as a guest error.
 */
#ifndef CORE_REGISTERS_H
#define CORE_REGISTERS_H

#include "core/device.h"

typedef struct Register {
    const char *name; /* for traces: the manual's */
    uint32_t offset;
    uint32_t count, stride; /* an array: how many (0: one), bytes apart (0: its size) */

    uint32_t field; /* offsetof the value in the state (FIELD); an array has an array */
    uint8_t size;   /* bytes of the field: 1, 2, 4, 8. 0: no field, hooks only */
    bool read_clears;
    uint64_t reset;
    uint64_t writable; /* bits that a write stores */
    uint64_t write_1_clears, write_1_sets;

    /* Optional. Instead of the field's value: */
    uint64_t (*read)(Device *dev, unsigned index);
    /* Instead of storing; gets every bit: */
    void (*write)(Device *dev, unsigned index, uint64_t value);
    /* After a write has stored, whether or not bits changed: */
    void (*written)(Device *dev, unsigned index);
} Register;

/* The field and its size: { .name = "STATUS", .offset = 8, FIELD(Uart, status), .reset = 1 }. */
#define FIELD(State, member) .field = offsetof(State, member), .size = sizeof(((State *)0)->member)
#define FIELD_ARRAY(State, member)                                                                 \
    .field = offsetof(State, member), .size = sizeof(((State *)0)->member[0]),                     \
    .count = G_N_ELEMENTS(((State *)0)->member)

typedef struct RegisterBank {
    const Register *rows;
    unsigned count;
    uint8_t width;    /* bytes of a register on the bus: what the hooks see. 0: 4 */
    AccessSize guest; /* 0: exactly width */
    Endian endian;
} RegisterBank;

#define REGISTER_BANK(table, ...)                                                                  \
    {                                                                                              \
        .rows = table, .count = G_N_ELEMENTS(table), __VA_ARGS__                                   \
    }

/* A region of the bank; bank is static data. */
Region *registers_region(const char *name, uint64_t size, const RegisterBank *bank, Device *dev);

/* Gives every field its reset value; no hook runs. */
void registers_reset(const RegisterBank *bank, Device *dev);

#endif
