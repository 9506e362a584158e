/* Floating-point state and operations of guest CPUs. */
#include "tcg/softfloat.h"

#include "tcg/general-regs.h"

/* MXCSR: Intel SDM volume 1, 10.2.3. */
enum {
    MXCSR_INVALID = 1 << 0,
    MXCSR_DIVIDE = 1 << 2,
    MXCSR_OVERFLOW = 1 << 3,
    MXCSR_UNDERFLOW = 1 << 4,
    MXCSR_INEXACT = 1 << 5,
    MXCSR_FLAGS = 0x3f,
    MXCSR_ALL_MASKED = 0x1f80,
    MXCSR_ROUND_SHIFT = 13,
};

unsigned fp_flags_of_mxcsr(uint32_t host)
{
    return (host & MXCSR_INVALID ? FP_INVALID : 0) | (host & MXCSR_DIVIDE ? FP_DIVIDE : 0) |
        (host & MXCSR_OVERFLOW ? FP_OVERFLOW : 0) | (host & MXCSR_UNDERFLOW ? FP_UNDERFLOW : 0) |
        (host & MXCSR_INEXACT ? FP_INEXACT : 0);
}

unsigned fp_flags_get(const CpuEnv *env)
{
    return env->fp_flags | fp_flags_of_mxcsr(env->mxcsr);
}

void fp_flags_set(CpuEnv *env, unsigned flags)
{
    env->fp_flags = flags & FP_ALL_FLAGS;
    env->mxcsr &= ~(uint32_t)MXCSR_FLAGS;
}

void fp_round_set(CpuEnv *env, unsigned round)
{
    /* RMM is not a mode of the host: whoever has it set must round by fp_eval(). */
    static const uint8_t host_round[] = {
        [FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3, [FP_RMM] = 0
    };

    env->fp_round = (uint8_t)round;
    env->mxcsr = (env->mxcsr & MXCSR_FLAGS) | MXCSR_ALL_MASKED |
        (uint32_t)host_round[round] << MXCSR_ROUND_SHIFT;
}

static const FpFormat *format_of(IrType type)
{
    return type == F32 ? &fp_single : &fp_double;
}

_Static_assert(IR_OP_COUNT <= 256, "fp_key has 8 bits for the operation");

typedef struct FpKey {
    IrOp op;
    IrType type, operand;
    bool is_unsigned;
} FpKey;

static uint64_t muladd(FpMode *mode, const FpFormat *f, IrOp op, uint64_t a, uint64_t b, uint64_t c)
{
    if (op == IR_fnmadd || op == IR_fnmsub) {
        a = sf_negate(f, a);
    }
    if (op == IR_fmsub || op == IR_fnmadd) {
        c = sf_negate(f, c);
    }
    return sf_muladd(mode, f, a, b, c);
}

static uint64_t from_int(FpMode *mode, const FpKey *key, uint64_t a)
{
    if (key->operand == I32 && !key->is_unsigned) {
        a = (uint64_t)(int64_t)(int32_t)a;
    }
    return sf_from_int(mode, format_of(key->type), a, !key->is_unsigned);
}

static uint64_t evaluate(
    FpMode *mode, unsigned aux, const FpKey *key, uint64_t a, uint64_t b, uint64_t c)
{
    const FpFormat *f = format_of(key->type);

    switch (key->op) {
    case IR_fadd: return sf_add(mode, f, a, b);
    case IR_fsub: return sf_sub(mode, f, a, b);
    case IR_fmul: return sf_mul(mode, f, a, b);
    case IR_fdiv: return sf_div(mode, f, a, b);
    case IR_fsqrt: return sf_sqrt(mode, f, a);
    case IR_fmadd:
    case IR_fmsub:
    case IR_fnmadd:
    case IR_fnmsub: return muladd(mode, f, key->op, a, b, c);
    case IR_fmin: return sf_min(mode, f, a, b);
    case IR_fmax: return sf_max(mode, f, a, b);
    case IR_fcmp: return sf_compare(mode, f, aux, a, b);
    case IR_fcvt: return sf_convert(mode, format_of(key->operand), f, a);
    case IR_ftoi:
        return sf_to_int(
            mode, format_of(key->operand), a, key->type == I64 ? 64 : 32, !key->is_unsigned);
    case IR_itof: return from_int(mode, key, a);
    default: __builtin_unreachable(); /* not FP */
    }
}

uint64_t fp_eval(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c, uint32_t key)
{
    const FpKey k = { (IrOp)(key & 0xff), (IrType)(key >> 8 & 15), (IrType)(key >> 12 & 15),
        key >> 24 & 1 };
    unsigned aux = key >> 16 & 0xff;
    FpMode mode = { .aux = (uint8_t)aux };
    uint64_t result;

    if ((aux & FP_ROUND) == FP_DYN) {
        mode.aux = (uint8_t)((aux & ~(unsigned)FP_ROUND) | env->fp_round);
    }
    result = evaluate(&mode, aux, &k, a, b, c);
    env->fp_flags |= mode.flags;
    return result;
}

#include "tcg/general-regs-end.h"
