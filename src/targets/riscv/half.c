/*
 * Half precision, Zfh and Zfhmin: not common enough for code of its own. One helper decodes the instruction
 * again and works on the f registers in the state, by soft float.
 */
#include "targets/riscv/state.h"
#include "tcg/softfloat.h"

/* Fields of the instruction (11.6 to 11.9). */
typedef struct Fields {
    unsigned opcode, funct5, fmt, rs1, rs2, rs3, rd, rm;
} Fields;

enum { FORMAT_S, FORMAT_D, FORMAT_H };
enum { OPCODE_FMADD = 0x43, OPCODE_FMSUB = 0x47, OPCODE_FNMSUB = 0x4b, OPCODE_FNMADD = 0x4f };
enum {
    FUNCT_ADD = 0,
    FUNCT_SUB,
    FUNCT_MUL,
    FUNCT_DIV,
    FUNCT_SGNJ,
    FUNCT_MINMAX,
    FUNCT_CVT = 8,
    FUNCT_SQRT = 11,
    FUNCT_CMP = 20,
    FUNCT_TO_INT = 24,
    FUNCT_FROM_INT = 26,
    FUNCT_CLASS = 28,
};
enum { HALF_SIGN = 0x8000, HALF_NAN = 0x7e00 };

static Fields fields_of(uint32_t insn)
{
    return (Fields){
        .opcode = insn & 0x7f,
        .funct5 = insn >> 27,
        .fmt = insn >> 25 & 3,
        .rs1 = insn >> 15 & 31,
        .rs2 = insn >> 20 & 31,
        .rs3 = insn >> 27,
        .rd = insn >> 7 & 31,
        .rm = insn >> 12 & 7,
    };
}

static const FpFormat *format_of(unsigned fmt)
{
    return fmt == FORMAT_H ? &fp_half : fmt == FORMAT_S ? &fp_single : &fp_double;
}

/* The ones above a narrow value. */
static uint64_t box_of(unsigned fmt)
{
    return fmt == FORMAT_H ? ~UINT64_C(0xffff) : fmt == FORMAT_S ? ~(uint64_t)UINT32_MAX : 0;
}

/* A register's value; the default NaN if it is not boxed. */
static uint64_t value_of(const RvCpu *cpu, unsigned n, unsigned fmt)
{
    static const uint32_t nan[] = { [FORMAT_S] = 0x7fc00000, [FORMAT_H] = HALF_NAN };
    uint64_t box = box_of(fmt), bits = cpu->f[n];

    return (bits & box) == box ? bits & ~box : nan[fmt];
}

static uint64_t fused(const RvCpu *cpu, FpMode *mode, const Fields *i)
{
    uint64_t a = value_of(cpu, i->rs1, FORMAT_H), b = value_of(cpu, i->rs2, FORMAT_H);
    uint64_t c = value_of(cpu, i->rs3, FORMAT_H);
    bool negate_product = i->opcode == OPCODE_FNMADD || i->opcode == OPCODE_FNMSUB;
    bool negate_addend = i->opcode == OPCODE_FMSUB || i->opcode == OPCODE_FNMADD;

    return sf_muladd(
        mode, &fp_half, negate_product ? a ^ HALF_SIGN : a, b, negate_addend ? c ^ HALF_SIGN : c);
}

static uint64_t inject_sign(uint64_t a, uint64_t b, unsigned rm)
{
    uint64_t sign = rm == 0 ? b : rm == 1 ? ~b : a ^ b;

    return (a & ~(uint64_t)HALF_SIGN) | (sign & HALF_SIGN);
}

static uint64_t arithmetic(const RvCpu *cpu, FpMode *mode, const Fields *i)
{
    uint64_t a = value_of(cpu, i->rs1, FORMAT_H), b = value_of(cpu, i->rs2, FORMAT_H);

    switch (i->funct5) {
    case FUNCT_ADD: return sf_add(mode, &fp_half, a, b);
    case FUNCT_SUB: return sf_sub(mode, &fp_half, a, b);
    case FUNCT_MUL: return sf_mul(mode, &fp_half, a, b);
    case FUNCT_DIV: return sf_div(mode, &fp_half, a, b);
    case FUNCT_SQRT: return sf_sqrt(mode, &fp_half, a);
    case FUNCT_SGNJ: return inject_sign(a, b, i->rm);
    default:
        return i->rm ? sf_max(mode, &fp_half, FP_MIN_NUMBER, a, b)
                     : sf_min(mode, &fp_half, FP_MIN_NUMBER, a, b);
    }
}

/* Kinds of integers as rs2 has them: w, wu, l, lu. */
static uint64_t to_int(const RvCpu *cpu, FpMode *mode, const Fields *i)
{
    unsigned bits = i->rs2 & 2 ? 64 : 32;
    uint64_t value = sf_to_int(
        mode, &fp_half, value_of(cpu, i->rs1, FORMAT_H), bits, !(i->rs2 & 1));

    return bits == 32 ? (uint64_t)(int64_t)(int32_t)value : value;
}

static uint64_t from_int(FpMode *mode, const Fields *i, uint64_t x)
{
    if (!(i->rs2 & 2)) {
        x = i->rs2 & 1 ? (uint32_t)x : (uint64_t)(int64_t)(int32_t)x;
    }
    return sf_from_int(mode, &fp_half, x, !(i->rs2 & 1));
}

static bool compare(const RvCpu *cpu, FpMode *mode, const Fields *i)
{
    static const uint8_t conds[3] = { FP_LE | FP_SIGNALLING, FP_LT | FP_SIGNALLING, FP_EQ };

    return sf_compare(mode, &fp_half, conds[i->rm % 3], value_of(cpu, i->rs1, FORMAT_H),
        value_of(cpu, i->rs2, FORMAT_H));
}

static uint64_t convert(const RvCpu *cpu, FpMode *mode, const Fields *i)
{
    return sf_convert(mode, format_of(i->rs2), format_of(i->fmt), value_of(cpu, i->rs1, i->rs2));
}

/* Gives the x register's value, or sets the f register. */
static uint64_t execute(RvCpu *cpu, FpMode *mode, const Fields *i, uint64_t x)
{
    unsigned fmt = FORMAT_H;
    uint64_t value;

    if (i->opcode <= OPCODE_FNMADD) {
        value = fused(cpu, mode, i);
    } else {
        switch (i->funct5) {
        case FUNCT_CMP: return compare(cpu, mode, i);
        case FUNCT_TO_INT: return to_int(cpu, mode, i);
        case FUNCT_CLASS:
            return rv_classify(
                value_of(cpu, i->rs1, FORMAT_H), fp_half.fraction_bits, fp_half.exponent_bits);
        case FUNCT_FROM_INT: value = from_int(mode, i, x); break;
        case FUNCT_CVT:
            value = convert(cpu, mode, i);
            fmt = i->fmt;
            break;
        default: value = arithmetic(cpu, mode, i);
        }
    }
    cpu->f[i->rd] = value | box_of(fmt);
    return 0;
}

static uint64_t help_half(CpuEnv *env, uint64_t insn, uint64_t rounding, uint64_t x)
{
    Fields i = fields_of(insn);
    FpMode mode = { .aux = rounding == FP_DYN ? env->fp_round : rounding };
    uint64_t result = execute(rv_cpu(env), &mode, &i, x);

    env->fp_flags |= mode.flags;
    return result;
}

const Helper rv_help_half = { "rv_half", help_half, 0 };
