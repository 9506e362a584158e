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

static const FpFormat *format_of(unsigned lane)
{
    return lane == LANE_16 ? &fp_half : lane == LANE_32 ? &fp_single : &fp_double;
}

_Static_assert(IR_OP_COUNT <= 256, "fp_key has 8 bits for the operation");

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

static uint64_t from_int(FpMode *mode, const FpAsk *ask, uint64_t a)
{
    bool is_signed = !(ask->more & 1);
    unsigned above = 64 - (8u << ask->from);

    if (is_signed) {
        a = (uint64_t)((int64_t)(a << above) >> above);
    }
    return sf_from_int(mode, format_of(ask->to), a, is_signed);
}

static uint64_t evaluate(FpMode *mode, const FpAsk *ask, uint64_t a, uint64_t b, uint64_t c)
{
    const FpFormat *f = format_of(ask->to), *from = format_of(ask->from);

    switch (ask->op) {
    case IR_fadd: return sf_add(mode, f, a, b);
    case IR_fsub: return sf_sub(mode, f, a, b);
    case IR_fmul: return sf_mul(mode, f, a, b);
    case IR_fdiv: return sf_div(mode, f, a, b);
    case IR_fsqrt: return sf_sqrt(mode, f, a);
    case IR_fmadd:
    case IR_fmsub:
    case IR_fnmadd:
    case IR_fnmsub: return muladd(mode, f, ask->op, a, b, c);
    case IR_fmin: return sf_min(mode, f, (FpMin)ask->more, a, b);
    case IR_fmax: return sf_max(mode, f, (FpMin)ask->more, a, b);
    case IR_fround: return sf_round(mode, f, a, ask->more & 1);
    case IR_fcmp: return sf_compare(mode, from, ask->aux, a, b);
    case IR_forder: return sf_order(mode, from, ask->aux, a, b);
    case IR_fcvt:
    case IR_htof:
    case IR_ftoh: return sf_convert(mode, from, f, a);
    case IR_ftoi: return sf_to_int(mode, from, a, 8u << ask->to, !(ask->more & 1));
    case IR_itof: return from_int(mode, ask, a);
    default: __builtin_unreachable(); /* not FP */
    }
}

static unsigned operand_count(IrOp op)
{
    switch (op) {
    case IR_fmadd:
    case IR_fmsub:
    case IR_fnmadd:
    case IR_fnmsub: return 3;
    case IR_fadd:
    case IR_fsub:
    case IR_fmul:
    case IR_fdiv:
    case IR_fmin:
    case IR_fmax:
    case IR_forder:
    case IR_fcmp: return 2;
    default: return 1;
    }
}

uint64_t fp_eval_as(CpuEnv *env, const FpAsk *ask, uint64_t a, uint64_t b, uint64_t c)
{
    FpMode mode = {
        .aux = ask->aux,
        .converts = ask->op == IR_fcvt || ask->op == IR_htof || ask->op == IR_ftoh,
    };
    uint64_t result;

    if ((ask->aux & FP_ROUND) == FP_DYN) {
        mode.aux = (uint8_t)((ask->aux & ~(unsigned)FP_ROUND) | env->fp_round);
    }
    if (ask->aux & FP_FLUSH && ask->op != IR_itof) {
        const FpFormat *from = format_of(ask->from);
        unsigned count = operand_count(ask->op);

        a = sf_flush_operand(&mode, from, a);
        b = count > 1 ? sf_flush_operand(&mode, from, b) : 0;
        c = count > 2 ? sf_flush_operand(&mode, from, c) : 0;
    }
    result = evaluate(&mode, ask, a, b, c);
    env->fp_flags |= mode.flags;
    return result;
}

static uint8_t lane_of(IrType type)
{
    return type == I64 || type == F64 ? LANE_64 : LANE_32;
}

uint64_t fp_eval(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c, uint32_t key)
{
    FpAsk ask = {
        .op = (IrOp)(key & 0xff),
        .to = lane_of((IrType)(key >> 8 & 15)),
        .from = lane_of((IrType)(key >> 12 & 15)),
        .aux = (uint8_t)(key >> 16),
        .more = (uint8_t)(key >> 24),
    };

    if (ask.op == IR_htof) {
        ask.from = LANE_16;
    } else if (ask.op == IR_ftoh) {
        ask.to = LANE_16;
    }
    return fp_eval_as(env, &ask, a, b, c);
}

#include "tcg/general-regs-end.h"
