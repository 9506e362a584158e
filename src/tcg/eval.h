/*
 * What every pure operation of ops.h means, exactly. The builder folds constants with it and the
 * interpreter runs on it; with a constant op it compiles to the operation alone.
 *
 * Operands and results are bits: those of 32-bit types are zero in the upper half.
 */
#ifndef TCG_EVAL_H
#define TCG_EVAL_H

#include "tcg/ir.h"

#define EVAL_INLINE static inline __attribute__((always_inline))

EVAL_INLINE bool ir_type_is_wide(IrType type)
{
    return type == I64 || type == F64;
}

EVAL_INLINE unsigned ir_type_bits(IrType type)
{
    return ir_type_is_wide(type) ? 64 : 32;
}

/* The low `length` bits, 1 to 64. */
EVAL_INLINE uint64_t low_mask(unsigned length)
{
    return UINT64_MAX >> (64 - length);
}

EVAL_INLINE int64_t sign_extend(uint64_t value, unsigned length)
{
    return (int64_t)(value << (64 - length)) >> (64 - length);
}

EVAL_INLINE bool ir_eval_cond(IrCond cond, IrType type, uint64_t a, uint64_t b)
{
    int64_t sa = sign_extend(a, ir_type_bits(type)), sb = sign_extend(b, ir_type_bits(type));

    switch (cond) {
    case EQ: return a == b;
    case NE: return a != b;
    case LT: return sa < sb;
    case GE: return sa >= sb;
    case LTU: return a < b;
    case GEU: return a >= b;
    case LE: return sa <= sb;
    case GT: return sa > sb;
    case LEU: return a <= b;
    case GTU: return a > b;
    case IR_COND_COUNT: break;
    }
    __builtin_unreachable();
}

/* sa and sb are sign-extended from the operation's width, where INT_MIN / -1 wraps to INT_MIN. */
EVAL_INLINE uint64_t eval_divs(DivRule rule, int64_t sa, int64_t sb)
{
    if (sb == 0) {
        return rule == DIV_RISCV ? UINT64_MAX : 0;
    }
    return sb == -1 ? -(uint64_t)sa : (uint64_t)(sa / sb);
}

EVAL_INLINE uint64_t eval_rems(int64_t sa, int64_t sb)
{
    return sb == 0 ? (uint64_t)sa : sb == -1 ? 0 : (uint64_t)(sa % sb);
}

EVAL_INLINE uint64_t eval_divu(DivRule rule, uint64_t a, uint64_t b)
{
    return b ? a / b : rule == DIV_RISCV ? UINT64_MAX : 0;
}

EVAL_INLINE uint64_t eval_mulhs(unsigned width, int64_t sa, int64_t sb)
{
    return (uint64_t)(((__int128)sa * sb) >> width);
}

EVAL_INLINE uint64_t eval_mulhu(unsigned width, uint64_t a, uint64_t b)
{
    return (uint64_t)(((unsigned __int128)a * b) >> width);
}

EVAL_INLINE uint64_t eval_mulhsu(unsigned width, int64_t sa, uint64_t b)
{
    return (uint64_t)(((__int128)sa * (__int128)b) >> width);
}

EVAL_INLINE uint64_t eval_rotl(unsigned width, uint64_t a, unsigned count)
{
    count &= width - 1;
    return count ? a << count | a >> (width - count) : a;
}

EVAL_INLINE uint64_t eval_bswap(uint64_t a, unsigned group)
{
    switch (group) {
    case 2: return (a & UINT64_C(0xff00ff00ff00ff)) << 8 | (a >> 8 & UINT64_C(0xff00ff00ff00ff));
    case 4:
        return (uint64_t)__builtin_bswap32((uint32_t)(a >> 32)) << 32 |
            __builtin_bswap32((uint32_t)a);
    default: return __builtin_bswap64(a);
    }
}

/* Each byte that has any bit set becomes 0xff. */
EVAL_INLINE uint64_t eval_orcb(uint64_t a)
{
    uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t top = (((a & low7) + low7) | a) & ~low7;

    return (top >> 7) * 0xff;
}

/* b's low bits into a; field is lsb | length << 8. */
EVAL_INLINE uint64_t eval_dep(uint64_t a, uint64_t b, int32_t field)
{
    uint64_t mask = low_mask(field >> 8) << (field & 0xff);

    return (a & ~mask) | (b << (field & 0xff) & mask);
}

/* aux 0: b's sign, 1: its opposite, 2: exclusive or with a's. */
EVAL_INLINE uint64_t eval_fsgnj(unsigned width, unsigned aux, uint64_t a, uint64_t b)
{
    uint64_t sign = UINT64_C(1) << (width - 1);
    uint64_t from = aux == 0 ? b : aux == 1 ? ~b : a ^ b;

    return (a & ~sign) | (from & sign);
}

/*
 * An f32 in an f64 register is valid when the upper half is all ones; else it reads as the default
 * NaN.
 */
EVAL_INLINE uint64_t eval_funbox(uint64_t a)
{
    return a >> 32 == UINT32_MAX ? (uint32_t)a : 0x7fc00000;
}

/* The result of a pure operation, before it is cut to the width of its type. */
EVAL_INLINE uint64_t eval_wide(
    IrOp op, IrType type, unsigned aux, int32_t imm, uint64_t a, uint64_t b, uint64_t c)
{
    const unsigned width = ir_type_bits(type);
    const int64_t sa = sign_extend(a, width), sb = sign_extend(b, width);
    const uint64_t sign = UINT64_C(1) << (width - 1);

    switch (op) {
    case IR_add: return a + b;
    case IR_sub: return a - b;
    case IR_neg: return -a;
    case IR_and: return a & b;
    case IR_or: return a | b;
    case IR_xor: return a ^ b;
    case IR_not: return ~a;
    case IR_andn: return a & ~b;
    case IR_orn: return a | ~b;
    case IR_mul: return a * b;
    case IR_mulhs: return eval_mulhs(width, sa, sb);
    case IR_mulhu: return eval_mulhu(width, a, b);
    case IR_mulhsu: return eval_mulhsu(width, sa, b);
    case IR_divs: return eval_divs((DivRule)aux, sa, sb);
    case IR_divu: return eval_divu((DivRule)aux, a, b);
    case IR_rems: return eval_rems(sa, sb);
    case IR_remu: return b ? a % b : a;
    case IR_shl: return a << (b & (width - 1));
    case IR_shr: return a >> (b & (width - 1));
    case IR_sar: return (uint64_t)(sa >> (b & (width - 1)));
    case IR_rotl: return eval_rotl(width, a, (unsigned)b);
    case IR_rotr: return eval_rotl(width, a, -(unsigned)b);
    case IR_ext: return a >> (imm & 0xff) & low_mask(imm >> 8);
    case IR_sext: return (uint64_t)sign_extend(a >> (imm & 0xff), imm >> 8);
    case IR_dep: return eval_dep(a, b, imm);
    case IR_zext32: return a;
    case IR_trunc32: return a;
    case IR_bswap: return eval_bswap(a, (unsigned)imm);
    case IR_clz: return a ? (unsigned)__builtin_clzll(a) - (64 - width) : width;
    case IR_ctz: return a ? (unsigned)__builtin_ctzll(a) : width;
    case IR_popcnt: return (unsigned)__builtin_popcountll(a);
    case IR_orcb: return eval_orcb(a);
    case IR_smin: return sa < sb ? a : b;
    case IR_smax: return sa > sb ? a : b;
    case IR_umin: return a < b ? a : b;
    case IR_umax: return a > b ? a : b;
    case IR_setcond: return ir_eval_cond((IrCond)aux, type, a, b);
    case IR_select: return a ? b : c;
    case IR_fneg: return a ^ sign;
    case IR_fabs: return a & ~sign;
    case IR_fsgnj: return eval_fsgnj(width, aux, a, b);
    case IR_fbits: return a;
    case IR_bitsf: return a;
    case IR_fbox: return a | UINT64_C(0xffffffff00000000);
    case IR_funbox: return eval_funbox(a);
    default: __builtin_unreachable(); /* not pure; const and fconst have no operands */
    }
}

EVAL_INLINE uint64_t ir_eval(
    IrOp op, IrType type, unsigned aux, int32_t imm, uint64_t a, uint64_t b, uint64_t c)
{
    return eval_wide(op, type, aux, imm, a, b, c) & low_mask(ir_type_bits(type));
}

/*
 * A value as memory holds it, of the MemOp's size, as the register value that a load of it gives.
 */
EVAL_INLINE uint64_t ir_eval_load(unsigned memop, uint64_t value)
{
    unsigned bits = 8u << (memop & MEM_SIZE);

    return memop & MEM_SIGNED ? (uint64_t)sign_extend(value, bits) : value & low_mask(bits);
}

/* What an rmw writes; old and operand are cut to the MemOp's size. */
EVAL_INLINE uint64_t ir_eval_rmw(RmwKind kind, unsigned memop, uint64_t old, uint64_t operand)
{
    unsigned bits = 8u << (memop & MEM_SIZE);
    int64_t s_old = sign_extend(old, bits), s_operand = sign_extend(operand, bits);

    old &= low_mask(bits);
    operand &= low_mask(bits);
    switch (kind) {
    case RMW_ADD: return (old + operand) & low_mask(bits);
    case RMW_AND: return old & operand;
    case RMW_OR: return old | operand;
    case RMW_XOR: return old ^ operand;
    case RMW_SWAP: return operand;
    case RMW_SMIN: return s_old < s_operand ? old : operand;
    case RMW_SMAX: return s_old > s_operand ? old : operand;
    case RMW_UMIN: return old < operand ? old : operand;
    case RMW_UMAX: return old > operand ? old : operand;
    case RMW_ANDN: return old & ~operand;
    case RMW_KIND_COUNT: break;
    }
    __builtin_unreachable();
}

/* The value of a const or fconst. */
EVAL_INLINE uint64_t ir_const_value(const IrBlock *b, const IrInsn *i)
{
    return b->consts[i->imm];
}

/* Lane n of a vector whose lanes have the size LANE_8 to LANE_64. */
static inline uint64_t lane(const IrVec *v, unsigned size, unsigned n)
{
    switch (size) {
    case LANE_8: return v->b[n];
    case LANE_16: return v->h[n];
    case LANE_32: return v->w[n];
    default: return v->d[n];
    }
}

static inline void set_lane(IrVec *v, unsigned size, unsigned n, uint64_t value)
{
    switch (size) {
    case LANE_8: v->b[n] = (uint8_t)value; break;
    case LANE_16: v->h[n] = (uint16_t)value; break;
    case LANE_32: v->w[n] = (uint32_t)value; break;
    default: v->d[n] = value; break;
    }
}

#endif
