/* Prefixes, opcode, ModRM, SIB, displacement: Intel manual volume 2, chapter 2. */
#include "tcg/host/x86_64/encode.h"

static inline void byte(Code *c, unsigned value)
{
    *c->p++ = value;
}

static inline void word32(Code *c, uint32_t value)
{
    put32(c->p, value);
    c->p += 4;
}

/* Of NO_REG too: 0. */
static inline unsigned high(unsigned reg)
{
    return reg >> 3 & 1;
}

_Static_assert((NO_REG & 0xf) == 0, "no register needs no bit of a prefix");

/*
 * What builds an instruction keeps the place in a local variable: a byte written may, for all the compiler knows,
 * be part of Code.p.
 */
static inline uint8_t *put_word32(uint8_t *p, uint32_t value)
{
    put32(p, value);
    return p + 4;
}

static inline uint8_t *modrm_memory(uint8_t *p, unsigned reg, Rm rm, bool disp8)
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
    put32(p, (uint32_t)rm.disp); /* there is room: what is too much is overwritten */
    return p + (mod == 2 ? 4 : mod);
}

/* EVEX scales an 8-bit displacement by the operand's size: there it is not used. */
static inline uint8_t *modrm(const Code *c, uint8_t *p, unsigned reg, Rm rm, bool disp8)
{
    if (rm.kind == RM_REG) {
        *p++ = 0xc0 | (reg & 7) << 3 | (rm.base & 7);
        return p;
    }
    if (rm.kind == RM_MEM) {
        return modrm_memory(p, reg, rm, disp8);
    }
    *p++ = (reg & 7) << 3 | 5;
    return put_word32(p, (uint32_t)(c->area + rm.disp - (p + c->to_exec + 4)));
}

/* Prefixes and the opcode of any map; rex is its four bits. */
static uint8_t *opcode_bytes(uint8_t *p, unsigned opcode, unsigned rex, unsigned reg, Rm rm)
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

static inline unsigned rex_bits(bool wide, unsigned reg, Rm rm)
{
    return (unsigned)wide << 3 | high(reg) << 2 | high(rm.index) << 1 | high(rm.base);
}

static __attribute__((noinline)) void any_op(
    Code *c, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    uint8_t *p = opcode_bytes(c->p, opcode, rex_bits(wide, reg, rm), reg, rm);

    c->p = modrm(c, p, reg, rm, true);
}

/* Most opcodes are one byte with nothing special. */
static inline uint8_t *plain_opcode(uint8_t *p, unsigned opcode, unsigned rex)
{
    *p = 0x40 | rex;
    p += rex != 0;
    *p = opcode;
    return p + 1;
}

void x_op_reg(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned rm)
{
    uint8_t *p;

    if (opcode >> 8) {
        any_op(c, opcode, wide, reg, rm_reg(rm));
        return;
    }
    p = plain_opcode(c->p, opcode, (unsigned)wide << 3 | high(reg) << 2 | high(rm));
    *p = 0xc0 | (reg & 7) << 3 | (rm & 7);
    c->p = p + 1;
}

void x_op_mem(Code *c, unsigned opcode, bool wide, unsigned reg, Rm rm)
{
    uint8_t *p;

    if (opcode >> 8 || rm.kind == RM_AREA) {
        any_op(c, opcode, wide, reg, rm);
        return;
    }
    if (rm.index != NO_REG || rm.disp == 0 || (rm.base & 7) == RSP) {
        c->p = modrm_memory(plain_opcode(c->p, opcode, rex_bits(wide, reg, rm)), reg, rm, true);
        return;
    }
    p = plain_opcode(c->p, opcode, (unsigned)wide << 3 | high(reg) << 2 | high(rm.base));
    *p++ = (rm.disp == (int8_t)rm.disp ? 0x40 : 0x80) | (reg & 7) << 3 | (rm.base & 7);
    put32(p, (uint32_t)rm.disp);
    c->p = p + (rm.disp == (int8_t)rm.disp ? 1 : 4);
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
    if (value <= UINT32_MAX) {
        if (high(reg)) {
            byte(c, 0x41);
        }
        byte(c, 0xb8 | (reg & 7));
        word32(c, value);
    } else if ((int64_t)value == (int32_t)value) {
        x_op(c, 0xc7, true, 0, rm_reg(reg));
        word32(c, value);
    } else {
        byte(c, 0x48 | high(reg));
        byte(c, 0xb8 | (reg & 7));
        word32(c, value);
        word32(c, value >> 32);
    }
}

void x_store_imm(Code *c, unsigned size_log2, Rm rm, int32_t value)
{
    if (size_log2 == 0) {
        x_op(c, 0xc6, false, 0, rm);
        byte(c, value);
    } else if (size_log2 == 1) {
        x_op16(c, 0xc7, 0, rm);
        byte(c, value);
        byte(c, value >> 8);
    } else {
        x_op(c, 0xc7, size_log2 == 3, 0, rm);
        word32(c, value);
    }
}

void x_alu_imm(Code *c, Alu alu, bool wide, Rm rm, int32_t value)
{
    if (value == (int8_t)value) {
        x_op(c, 0x83, wide, alu, rm);
        byte(c, value);
    } else {
        x_op(c, 0x81, wide, alu, rm);
        word32(c, value);
    }
}

void x_alu_imm8(Code *c, Alu alu, Rm rm, int8_t value)
{
    x_op(c, 0x80, false, alu, rm);
    byte(c, (uint8_t)value);
}

void x_test_imm(Code *c, Reg reg, uint32_t value)
{
    x_op(c, 0xf7, false, 0, rm_reg(reg));
    word32(c, value);
}

void x_shift_imm(Code *c, Shift shift, bool wide, Rm rm, unsigned count)
{
    if (count == 1) {
        x_op(c, 0xd1, wide, shift, rm);
    } else {
        x_op(c, 0xc1, wide, shift, rm);
        byte(c, count);
    }
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

void x_word16(Code *c, unsigned value)
{
    put32(c->p, value);
    c->p += 2;
}

void x_set_cond(Code *c, Cond cond, Reg reg)
{
    x_op(c, OP_SETCC + cond, false, 0, rm_reg(reg));
}

void x_cmov(Code *c, Cond cond, bool wide, Reg reg, Rm rm)
{
    x_op(c, OP_CMOV + cond, wide, reg, rm);
}

static uint8_t *displacement(Code *c, const uint8_t *target)
{
    uint8_t *at = c->p;

    word32(c, target ? (uint32_t)(target - (code_here(c) + 4)) : 0);
    return at;
}

uint8_t *x_jump(Code *c, const uint8_t *target)
{
    byte(c, 0xe9);
    return displacement(c, target);
}

uint8_t *x_jump_if(Code *c, Cond cond, const uint8_t *target)
{
    byte(c, 0x0f);
    byte(c, 0x80 | cond);
    return displacement(c, target);
}

void x_call(Code *c, const uint8_t *target)
{
    byte(c, 0xe8);
    displacement(c, target);
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
    byte(c, 0x70 | cond);
    byte(c, 0);
    return c->p - 1;
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

    memmove(start + pad, start, c->p - start);
    memset(start, 0x2e, pad);
    c->p += pad;
}

void x_vex(Code *c, unsigned opcode, bool wide, unsigned reg, unsigned second, Rm rm)
{
    unsigned map = opcode >> 8 & 3, prefix = opcode >> 10 & 3;
    unsigned vvvv = second == NO_REG ? 15 : ~second & 15;
    bool x = high(rm.index), b = high(rm.base);
    uint8_t *p = c->p;

    if (map == 1 && !wide && !x && !b) {
        *p++ = 0xc5;
        *p++ = !high(reg) << 7 | vvvv << 3 | prefix;
    } else {
        *p++ = 0xc4;
        *p++ = !high(reg) << 7 | !x << 6 | !b << 5 | map;
        *p++ = (unsigned)wide << 7 | vvvv << 3 | prefix;
    }
    *p++ = opcode;
    c->p = modrm(c, p, reg, rm, true);
}

void x_rorx(Code *c, bool wide, Reg reg, Reg from, unsigned count)
{
    x_vex(c, VOP_RORX, wide, reg, NO_REG, rm_reg(from));
    byte(c, count);
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
    c->p = modrm(c, p, reg, rm, false);
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
