/* Prefixes, opcode, ModRM, SIB, displacement: Intel manual volume 2, chapter 2. */
#include <glib.h>

#include "tcg/host/x86_64/encode-inline.h"

static inline void byte(Code *c, unsigned value)
{
    *c->p++ = value;
}

/* Prefixes and the opcode of any map; rex is its four bits. */
static uint8_t *put_opcode(uint8_t *p, unsigned opcode, unsigned rex, unsigned reg, Rm rm)
{
    static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
    unsigned prefix = opcode >> 10 & 3, map = opcode >> 8 & 3;
    bool force = (opcode & BYTE_REG && reg >= RSP && reg <= RDI) ||
        (opcode & BYTE_RM && rm.kind == RM_REG && rm.base >= RSP && rm.base <= RDI);

    *p = prefixes[prefix];
    p += prefix != 0;
    *p = 0x40 | rex;
    p += rex || force;
    if (map) {
        *p++ = 0x0f;
        *p = map == 2 ? 0x38 : 0x3a;
        p += map > 1;
    }
    *p++ = opcode;
    return p;
}

uint8_t *put_any(const Code *c, uint8_t *p, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    return put_modrm(c, put_opcode(p, opcode, rex_bits(wide, reg, rm), reg, rm), reg, rm, true);
}

void x_op_reg(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned rm)
{
    c->p = put_reg(c, c->p, opcode, wide, reg, rm);
}

void x_op_mem(Code *c, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    c->p = put_mem(c, c->p, opcode, wide, reg, rm);
}

void x_op16(Code *c, unsigned opcode, unsigned reg, Rm rm)
{
    byte(c, 0x66);
    x_op(c, opcode, false, reg, rm);
}

void x_lock(Code *c)
{
    byte(c, 0xf0);
}

void x_mov_imm(Code *c, Reg reg, uint64_t value)
{
    uint8_t *p = c->p;

    if (value > UINT32_MAX && (int64_t)value == (int32_t)value) {
        p = put_reg(c, p, 0xc7, true, 0, reg);
        c->p = put_word32(p, (uint32_t)value);
        return;
    }
    *p = (value > UINT32_MAX ? 0x48 : 0x40) | high(reg);
    p += *p != 0x40;
    *p++ = 0xb8 | (reg & 7);
    memcpy(p, &value, sizeof(value));
    c->p = p + (value > UINT32_MAX ? 8 : 4);
}

void x_store_imm(Code *c, unsigned size_log2, Rm rm, int32_t value)
{
    uint8_t *p;

    *c->p = 0x66;
    c->p += size_log2 == 1;
    p = put_mem(c, c->p, size_log2 == 0 ? 0xc6 : 0xc7, size_log2 == 3, 0, rm);
    put32(p, (uint32_t)value);
    c->p = p + (size_log2 < 2 ? 1 << size_log2 : 4);
}

void x_alu_imm(Code *c, Alu alu, bool wide, Rm rm, int32_t value)
{
    bool is_short = value == (int8_t)value;
    uint8_t *p = put_op(c, c->p, is_short ? 0x83 : 0x81, wide, alu, rm);

    put32(p, (uint32_t)value);
    c->p = p + (is_short ? 1 : 4);
}

void x_alu_imm8(Code *c, Alu alu, Rm rm, int8_t value)
{
    x_op(c, 0x80, false, alu, rm);
    byte(c, (uint8_t)value);
}

void x_test_imm(Code *c, Reg reg, uint32_t value)
{
    c->p = put_word32(put_reg(c, c->p, 0xf7, false, 0, reg), value);
}

void x_shift_imm(Code *c, Shift shift, bool wide, Rm rm, unsigned count)
{
    uint8_t *p = put_op(c, c->p, count == 1 ? 0xd1 : 0xc1, wide, shift, rm);

    *p = (uint8_t)count;
    c->p = p + (count != 1);
}

void x_shift_cl(Code *c, Shift shift, bool wide, Rm rm)
{
    x_op(c, 0xd3, wide, shift, rm);
}

void x_group3(Code *c, Group3 what, bool wide, Rm rm)
{
    x_op(c, 0xf7, wide, what, rm);
}

void x_bswap(Code *c, bool wide, Reg reg)
{
    if (wide || high(reg)) {
        byte(c, 0x40 | (unsigned)wide << 3 | high(reg));
    }
    byte(c, 0x0f);
    byte(c, 0xc8 | (reg & 7));
}

void x_sign_extend_rax(Code *c, bool wide)
{
    if (wide) {
        byte(c, 0x48);
    }
    byte(c, 0x99);
}

void x_push(Code *c, Reg reg)
{
    if (high(reg)) {
        byte(c, 0x41);
    }
    byte(c, 0x50 | (reg & 7));
}

void x_pop(Code *c, Reg reg)
{
    if (high(reg)) {
        byte(c, 0x41);
    }
    byte(c, 0x58 | (reg & 7));
}

void x_bytes(Code *c, const char *bytes, unsigned count)
{
    memcpy(c->p, bytes, count);
    c->p += count;
}

void x_set_cond(Code *c, Cond cond, Reg reg)
{
    x_op(c, OP_SETCC + cond, false, 0, rm_reg(reg));
}

void x_cmov(Code *c, Cond cond, bool wide, Reg reg, Rm rm)
{
    x_op(c, OP_CMOV + cond, wide, reg, rm);
}

uint8_t *x_jump(Code *c, const uint8_t *target)
{
    c->p = put_jump(c, c->p, target);
    return c->p - 4;
}

uint8_t *x_jump_if(Code *c, Cond cond, const uint8_t *target)
{
    uint8_t *p = c->p;

    *p++ = 0x0f;
    *p++ = 0x80 | cond;
    c->p = put_displacement(c, p, target);
    return p;
}

void x_call(Code *c, const uint8_t *target)
{
    c->p = put_call(c, c->p, target);
}

void x_call_rm(Code *c, Rm rm)
{
    x_op(c, 0xff, false, 2, rm);
}

void x_jump_rm(Code *c, Rm rm)
{
    x_op(c, 0xff, false, 4, rm);
}

uint8_t *x_jump_if8(Code *c, Cond cond)
{
    uint8_t *p = c->p;

    p[0] = 0x70 | cond;
    p[1] = 0;
    c->p = p + 2;
    return p + 1;
}

void x_here8(Code *c, uint8_t *at)
{
    *at = c->p - (at + 1);
}

void x_here32(Code *c, uint8_t *at)
{
    put32(at, c->p - (at + 4));
}

/*
 * A CS prefix means nothing in 64-bit mode (volume 2, 2.1.1) but to be a byte, cheaper than a nop:
 * it is no instruction of its own.
 */
void x_align_next(Code *c, uint8_t *start, unsigned ahead)
{
    unsigned pad = -((uintptr_t)c->p + c->to_exec + ahead) & 3;
    uint64_t moved[2];

    g_assert(c->p - start <= (ptrdiff_t)sizeof(moved));
    memcpy(moved, start, sizeof(moved));
    put32(start, 0x2e2e2e2e);
    memcpy(start + pad, moved, sizeof(moved));
    c->p += pad;
}

void x_vex(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm)
{
    c->p = put_vex(c, c->p, opcode, wide, reg, second, rm);
}

void x_rorx(Code *c, bool wide, Reg reg, Reg from, unsigned count)
{
    c->p = put_rorx(c, c->p, wide, reg, from, count);
}

/* Volume 2, 2.7.1: P0 = R X B R' 0 m m m, P1 = W vvvv 1 pp, P2 = z L'L b V' aaa. */
static void evex(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm)
{
    unsigned map = opcode >> 8 & 3, prefix = opcode >> 10 & 3;
    unsigned other = second == NO_REG ? 0 : second;
    bool x = rm.kind == RM_REG ? rm.base >> 4 & 1 : high(rm.index);
    uint8_t *p = c->p;

    *p++ = 0x62;
    *p++ = !(reg & 8) << 7 | !x << 6 | !high(rm.base) << 5 | !(reg & 16) << 4 | map;
    *p++ = (unsigned)(wide || opcode & EVEX_W) << 7 | (~other & 15) << 3 | 4 | prefix;
    *p++ = !(other & 16) << 3;
    *p++ = opcode;
    c->p = put_modrm(c, p, reg, rm, false);
}

void v_op(
    Code *c, VectorLevel level, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm)
{
    bool extended = reg >= 16 || (second >= 16 && second != NO_REG) ||
        (rm.kind == RM_REG && rm.base >= 16) || opcode & ONLY_EVEX;

    if (extended) {
        evex(c, opcode, wide, reg, second, rm);
    } else if (level >= VECTOR_AVX) {
        x_vex(c, opcode, wide, reg, second, rm);
    } else {
        x_op(c, opcode, wide, reg, rm);
    }
}
