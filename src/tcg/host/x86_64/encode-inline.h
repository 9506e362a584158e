/*
 * What encode.c builds instructions from, for sequences that are emitted so often that they are written as a whole.
 *
 * These functions take the place of an instruction (a part of it) and give the place behind it. Whoever calls them
 * keeps it in a local variable: a byte written may, for all the compiler knows, be part of Code.p, and each step
 * would wait for the one before to come back from memory.
 */
#ifndef TCG_HOST_X86_64_ENCODE_INLINE_H
#define TCG_HOST_X86_64_ENCODE_INLINE_H

#include "tcg/host/x86_64/encode.h"

/* Of NO_REG too: 0. */
static inline unsigned high(unsigned reg)
{
    return reg >> 3 & 1;
}

_Static_assert((NO_REG & 0xf) == 0, "no register needs no bit of a prefix");

static inline uint8_t *put_word32(uint8_t *p, uint32_t value)
{
    put32(p, value);
    return p + 4;
}

static inline unsigned rex_bits(bool wide, unsigned reg, Rm rm)
{
    return (unsigned)wide << 3 | high(reg) << 2 | high(rm.index) << 1 | high(rm.base);
}

/* A short displacement is written as a long one: there is room, and what follows overwrites it. */
static inline uint8_t *put_modrm_memory(uint8_t *p, unsigned reg, Rm rm, bool disp8)
{
    unsigned field = (reg & 7) << 3;
    unsigned low = rm.base & 7;
    bool sib = rm.index != NO_REG || low == RSP;
    unsigned mod = rm.disp == 0 && low != RBP ? 0 : disp8 && rm.disp == (int8_t)rm.disp ? 1 : 2;

    *p++ = mod << 6 | field | (sib ? 4 : low);
    if (sib) {
        unsigned index = rm.index == NO_REG ? 4 : rm.index & 7;

        *p++ = rm.scale << 6 | index << 3 | low;
    }
    put32(p, (uint32_t)rm.disp);
    return p + (mod == 2 ? 4 : mod);
}

/* EVEX scales an 8-bit displacement by the operand's size: there it is not used. */
static inline uint8_t *put_modrm(const Code *c, uint8_t *p, unsigned reg, Rm rm, bool disp8)
{
    if (rm.kind == RM_REG) {
        *p++ = 0xc0 | (reg & 7) << 3 | (rm.base & 7);
        return p;
    }
    if (rm.kind == RM_MEM) {
        return put_modrm_memory(p, reg, rm, disp8);
    }
    *p++ = (reg & 7) << 3 | 5;
    return put_word32(p, (uint32_t)(c->area + rm.disp - (p + c->to_exec + 4)));
}

/* Most opcodes are one byte with nothing special. */
static inline uint8_t *put_plain_opcode(uint8_t *p, unsigned opcode, unsigned rex)
{
    *p = 0x40 | rex;
    p += rex != 0;
    *p = opcode;
    return p + 1;
}

/* Any opcode. */
uint8_t *put_any(const Code *c, uint8_t *p, unsigned opcode, bool wide, unsigned reg, Rm rm);

static inline uint8_t *put_reg(
    const Code *c, uint8_t *p, unsigned opcode, bool wide, unsigned reg, unsigned rm)
{
    if (opcode >> 8) {
        return put_any(c, p, opcode, wide, reg, rm_reg(rm));
    }
    p = put_plain_opcode(p, opcode, (unsigned)wide << 3 | high(reg) << 2 | high(rm));
    *p = 0xc0 | (reg & 7) << 3 | (rm & 7);
    return p + 1;
}

static inline uint8_t *put_mem(
    const Code *c, uint8_t *p, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    if (opcode >> 8 || rm.kind == RM_AREA) {
        return put_any(c, p, opcode, wide, reg, rm);
    }
    return put_modrm_memory(put_plain_opcode(p, opcode, rex_bits(wide, reg, rm)), reg, rm, true);
}

static inline uint8_t *put_op(
    const Code *c, uint8_t *p, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    return rm.kind == RM_REG ? put_reg(c, p, opcode, wide, reg, rm.base)
                             : put_mem(c, p, opcode, wide, reg, rm);
}

static inline uint8_t *put_vex(
    const Code *c, uint8_t *p, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm)
{
    unsigned map = opcode >> 8 & 3, prefix = opcode >> 10 & 3;
    unsigned vvvv = second == NO_REG ? 15 : ~second & 15;
    bool x = high(rm.index), b = high(rm.base);

    if (map == 1 && !wide && !x && !b) {
        *p++ = 0xc5;
        *p++ = !high(reg) << 7 | vvvv << 3 | prefix;
    } else {
        *p++ = 0xc4;
        *p++ = !high(reg) << 7 | !x << 6 | !b << 5 | map;
        *p++ = (unsigned)wide << 7 | vvvv << 3 | prefix;
    }
    *p++ = opcode;
    return put_modrm(c, p, reg, rm, true);
}

static inline uint8_t *put_rorx(
    const Code *c, uint8_t *p, bool wide, unsigned reg, unsigned from, unsigned count)
{
    p = put_vex(c, p, VOP_RORX, wide, reg, NO_REG, rm_reg(from));
    *p = (uint8_t)count;
    return p + 1;
}

/* The last part of an instruction: 4 bytes; target is executable, NULL: 0. */
static inline uint8_t *put_displacement(const Code *c, uint8_t *p, const uint8_t *target)
{
    return put_word32(p, target ? (uint32_t)(target - (p + c->to_exec + 4)) : 0);
}

static inline uint8_t *put_jump(const Code *c, uint8_t *p, const uint8_t *target)
{
    *p++ = 0xe9;
    return put_displacement(c, p, target);
}

static inline uint8_t *put_call(const Code *c, uint8_t *p, const uint8_t *target)
{
    *p++ = 0xe8;
    return put_displacement(c, p, target);
}

#endif
