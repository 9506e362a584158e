/*
 * The condition flags. Setting them is common, asking for them less so, and asking for all four of them rare: so
 * the operation that set them is kept, with its operands, and a condition is one comparison of those.
 */
#include "targets/aarch64/translate.h"

#include "tcg/general-regs.h"

/* ---- as NZCV ---------------------------------------------------------------------------------- */

static uint64_t nzcv_of(bool n, bool z, bool c, bool v)
{
    return (uint64_t)(n * NZCV_N + z * NZCV_Z + c * NZCV_C + v * NZCV_V) << NZCV_SHIFT;
}

static uint64_t nzcv_of_sub(uint64_t a, uint64_t b, unsigned sign)
{
    uint64_t result = a - b;

    return nzcv_of(result >> sign & 1, a == b, a >= b, ((a ^ b) & (a ^ result)) >> sign & 1);
}

static uint64_t nzcv_of_add(uint64_t a, uint64_t b, uint64_t result, unsigned sign)
{
    return nzcv_of(
        result >> sign & 1, !result, result < a, ((a ^ result) & (b ^ result)) >> sign & 1);
}

/* The bits of a float as a number of the same order; both zeros are 0. */
static int64_t order_of_float(uint64_t bits, unsigned sign)
{
    int64_t magnitude = (int64_t)(bits & ((UINT64_C(1) << sign) - 1));

    return bits >> sign & 1 ? -magnitude : magnitude;
}

/* FPCompare() */
static uint64_t nzcv_of_float(uint64_t a, uint64_t b, unsigned sign, int64_t infinity)
{
    int64_t x = order_of_float(a, sign), y = order_of_float(b, sign);
    bool unordered = x > infinity || x < -infinity || y > infinity || y < -infinity;

    return unordered ? nzcv_of(false, false, true, true) : nzcv_of(x < y, x == y, x >= y, false);
}

/* The word in GVAR_FLAGS_OP: an A64FlagsOp and, if it says so, operand b: one register less to set. */
enum { WORD_OP = 15, WORD_HAS_B = 1 << 4, WORD_B_SHIFT = 8, WORD_B_BITS = 24 };

static uint64_t nzcv_from(uint64_t word, uint64_t a, uint64_t b)
{
    if (word & WORD_HAS_B) {
        b = (uint64_t)((int64_t)word >> WORD_B_SHIFT);
    }
    switch (word & WORD_OP) {
    case FLAGS_SUB64: return nzcv_of_sub(a, b, 63);
    case FLAGS_SUB32: return nzcv_of_sub((uint32_t)a, (uint32_t)b, 31);
    case FLAGS_ADD64: return nzcv_of_add(a, b, a + b, 63);
    case FLAGS_ADD32: return nzcv_of_add((uint32_t)a, (uint32_t)b, (uint32_t)(a + b), 31);
    case FLAGS_LOGIC64: return nzcv_of(a >> 63, !a, false, false);
    case FLAGS_LOGIC32: return nzcv_of(a >> 31 & 1, !(uint32_t)a, false, false);
    case FLAGS_FLOAT64: return nzcv_of_float(a, b, 63, INT64_C(0x7ff0000000000000));
    case FLAGS_FLOAT32: return nzcv_of_float(a, b, 31, 0x7f800000);
    default: return a & PSTATE_NZCV;
    }
}

static uint64_t help_nzcv(CpuEnv *env, uint64_t word, uint64_t a, uint64_t b)
{
    return nzcv_from(word, a, b);
}

static const Helper nzcv_helper = { "a64_nzcv", help_nzcv, HELPER_PURE | HELPER_LEAF };

#include "tcg/general-regs-end.h"

uint64_t a64_nzcv(const A64Cpu *cpu)
{
    return nzcv_from(cpu->flags_op, cpu->flags_a, cpu->flags_b);
}

void a64_set_nzcv(A64Cpu *cpu, uint64_t nzcv)
{
    cpu->flags_op = FLAGS_NZCV;
    cpu->flags_a = nzcv & PSTATE_NZCV;
}

/* ---- setting ---------------------------------------------------------------------------------- */

static unsigned is_wide(A64FlagsOp op)
{
    return op == FLAGS_SUB64 || op == FLAGS_ADD64 || op == FLAGS_LOGIC64 || op == FLAGS_FLOAT64;
}

static bool has_two_operands(A64FlagsOp op)
{
    return op != FLAGS_LOGIC64 && op != FLAGS_LOGIC32;
}

static bool is_sum(A64FlagsOp op)
{
    return op >= FLAGS_SUB64 && op <= FLAGS_ADD32;
}

/* A number's place is in flags_op. a + n sets the flags of a - (-n), but where n has no negative or is 0 (C differs). */
static A64Flags kept(A64Translator *t, A64FlagsOp op, Val b)
{
    const A64Flags plain = { .op = op };
    uint64_t value;
    int64_t n;

    if (!is_sum(op) || !ir_is_const(t->b, b, &value)) {
        return plain;
    }
    n = is_wide(op) ? (int64_t)value : (int32_t)value;
    if (n >= INT64_C(1) << (WORD_B_BITS - 1) || n <= -(INT64_C(1) << (WORD_B_BITS - 1))) {
        return plain;
    }
    if (op == FLAGS_SUB64 || op == FLAGS_SUB32) {
        return (A64Flags){ .op = op, .is_small = true, .number = (int32_t)n };
    }
    op = op == FLAGS_ADD64 ? FLAGS_SUB64 : FLAGS_SUB32;
    return n ? (A64Flags){ .op = op, .is_small = true, .number = (int32_t)-n } : plain;
}

static uint64_t word_of(A64Flags f)
{
    uint64_t number = (uint64_t)(int64_t)f.number << WORD_B_SHIFT;

    return f.is_small ? number | WORD_HAS_B | f.op : f.op;
}

/* The upper halves of what is kept of 32-bit operations are never looked at. */
static Val as_kept(A64Translator *t, Val v)
{
    return is_wide_value(t, v) ? v : ir_zext32(t->b, v);
}

void set_flags(A64Translator *t, A64FlagsOp op, Val a, Val b)
{
    t->flags = kept(t, op, b);
    ir_put(t->b, GVAR_FLAGS_OP, constant(t, I64, word_of(t->flags)));
    ir_put(t->b, GVAR_FLAGS_A, as_kept(t, a));
    if (has_two_operands(op) && !t->flags.is_small) {
        ir_put(t->b, GVAR_FLAGS_B, as_kept(t, b));
    }
}

void set_float_flags(A64Translator *t, IrType type, Val x, Val y)
{
    IrType bits = type == F64 ? I64 : I32;

    set_flags(t, type == F64 ? FLAGS_FLOAT64 : FLAGS_FLOAT32,
        ir_aux(t->b, IR_fbits, bits, 0, 0, x, NO_VAL, NO_VAL),
        ir_aux(t->b, IR_fbits, bits, 0, 0, y, NO_VAL, NO_VAL));
}

void set_nzcv(A64Translator *t, Val nzcv)
{
    t->flags.op = FLAGS_NZCV;
    ir_put(t->b, GVAR_FLAGS_OP, constant(t, I64, FLAGS_NZCV));
    ir_put(t->b, GVAR_FLAGS_A, nzcv);
}

void set_flags_if(A64Translator *t, Val test, A64FlagsOp op, Val a, Val b, unsigned nzcv)
{
    A64Flags f = kept(t, op, b);
    Val other = constant(t, I64, (uint64_t)nzcv << NZCV_SHIFT);

    t->flags.op = FLAGS_EITHER;
    t->either = (A64Either){
        .flags = f, .nzcv = nzcv, .test = test, .a = a, .b = b, .labels = t->b->label_count
    };
    ir_put(t->b, GVAR_FLAGS_OP,
        ir_select(t->b, test, constant(t, I64, word_of(f)), constant(t, I64, FLAGS_NZCV)));
    ir_put(t->b, GVAR_FLAGS_A, ir_select(t->b, test, as_kept(t, a), other));
    if (!f.is_small) {
        ir_put(t->b, GVAR_FLAGS_B, as_kept(t, b));
    }
}

/* ---- asking ----------------------------------------------------------------------------------- */

/* A condition as a comparison. */
typedef struct Compare {
    IrCond cond;
    Val x, y;
} Compare;

/* Conditions by their upper three bits; the lowest one negates (C1.2.4). */
enum { COND_EQ, COND_CS, COND_MI, COND_VS, COND_HI, COND_GE, COND_GT, COND_AL };

static Val kept_value(A64Translator *t, A64FlagsOp op, unsigned gvar)
{
    return narrowed(t, is_wide(op), ir_get(t->b, gvar));
}

static Val small_number(A64Translator *t, A64Flags f)
{
    return constant(t, type_of_sf(is_wide(f.op)), (uint64_t)(int64_t)f.number);
}

static Val kept_b(A64Translator *t)
{
    A64FlagsOp op = (A64FlagsOp)t->flags.op;

    if (t->flags.is_small) {
        return small_number(t, t->flags);
    }
    return has_two_operands(op) ? kept_value(t, op, GVAR_FLAGS_B) : NO_VAL;
}

static bool either_is_at_hand(const A64Translator *t)
{
    return t->flags.op == FLAGS_EITHER && t->either.labels == t->b->label_count;
}

Val get_nzcv(A64Translator *t)
{
    if (t->flags.op != FLAGS_NZCV) {
        set_nzcv(t,
            ir_call(t->b, I64, &nzcv_helper, ir_get(t->b, GVAR_FLAGS_OP),
                ir_get(t->b, GVAR_FLAGS_A), ir_get(t->b, GVAR_FLAGS_B)));
    }
    return ir_get(t->b, GVAR_FLAGS_A);
}

static Compare never(A64Translator *t)
{
    return (Compare){ NE, constant(t, I32, 0), constant(t, I32, 0) };
}

/* The sign bit of it is V. */
static Val overflow(A64Translator *t, IrType type, bool is_sub, Val a, Val b, Val result)
{
    Val x = ir_op2(t->b, IR_xor, type, a, is_sub ? b : result);
    Val y = ir_op2(t->b, IR_xor, type, is_sub ? a : b, result);

    return ir_op2(t->b, IR_and, type, x, y);
}

static Compare compare_of_sub(A64Translator *t, IrType type, unsigned cond, Val a, Val b)
{
    static const IrCond conds[] = {
        [COND_EQ] = EQ, [COND_CS] = GEU, [COND_HI] = GTU, [COND_GE] = GE, [COND_GT] = GT
    };
    Val result;

    if (cond != COND_MI && cond != COND_VS) {
        return (Compare){ conds[cond], a, b };
    }
    result = ir_op2(t->b, IR_sub, type, a, b);
    if (cond == COND_VS) {
        result = overflow(t, type, true, a, b, result);
    }
    return (Compare){ LT, result, constant(t, type, 0) };
}

static Compare compare_of_logic(A64Translator *t, IrType type, unsigned cond, Val a)
{
    static const IrCond conds[] = {
        [COND_EQ] = EQ, [COND_MI] = LT, [COND_GE] = GE, [COND_GT] = GT
    };

    if (cond == COND_CS || cond == COND_VS || cond == COND_HI) {
        return never(t);
    }
    return (Compare){ conds[cond], a, constant(t, type, 0) };
}

/* Quiet: what the comparison raises, it has raised. */
static Compare compare_of_float(A64Translator *t, IrType type, unsigned cond, Val a, Val b)
{
    static const struct {
        uint8_t cond; /* FpCond */
        bool swapped, negated;
    } tests[] = {
        [COND_EQ] = { FP_EQ, false, false },
        [COND_CS] = { FP_LT, false, true },
        [COND_MI] = { FP_LT, false, false },
        [COND_VS] = { FP_UNORDERED, false, false },
        [COND_HI] = { FP_LE, false, true },
        [COND_GE] = { FP_LE, true, false },
        [COND_GT] = { FP_LT, true, false },
    };
    Val x = ir_aux(t->b, IR_bitsf, type, 0, 0, a, NO_VAL, NO_VAL);
    Val y = ir_aux(t->b, IR_bitsf, type, 0, 0, b, NO_VAL, NO_VAL);
    Val holds = ir_aux(t->b, IR_fcmp, type, tests[cond].cond, 0, tests[cond].swapped ? y : x,
        tests[cond].swapped ? x : y, NO_VAL);

    return (Compare){ tests[cond].negated ? EQ : NE, holds, constant(t, I32, 0) };
}

static Val both(A64Translator *t, Val x, Val y)
{
    return ir_op2(t->b, IR_and, I32, x, y);
}

static Compare compare_of_add(A64Translator *t, IrType type, unsigned cond, Val a, Val b)
{
    Val zero = constant(t, type, 0), sum = ir_op2(t->b, IR_add, type, a, b), v, not_zero;

    switch (cond) {
    case COND_EQ: return (Compare){ EQ, sum, zero };
    case COND_CS: return (Compare){ LTU, sum, a };
    case COND_MI: return (Compare){ LT, sum, zero };
    default: break;
    }
    not_zero = ir_setcond(t->b, NE, sum, zero);
    if (cond == COND_HI) {
        return (
            Compare){ NE, both(t, ir_setcond(t->b, LTU, sum, a), not_zero), constant(t, I32, 0) };
    }
    v = overflow(t, type, false, a, b, sum);
    if (cond == COND_VS) {
        return (Compare){ LT, v, zero };
    }
    v = ir_op2(t->b, IR_xor, type, v, sum);
    if (cond == COND_GE) {
        return (Compare){ GE, v, zero };
    }
    return (Compare){ NE, both(t, ir_setcond(t->b, GE, v, zero), not_zero), constant(t, I32, 0) };
}

static Compare compare_of_nzcv(A64Translator *t, unsigned cond, Val nzcv)
{
    static const uint8_t bits[] = {
        [COND_EQ] = NZCV_Z, [COND_CS] = NZCV_C, [COND_MI] = NZCV_N, [COND_VS] = NZCV_V
    };
    Val zero = constant(t, I64, 0), differ;

    if (cond <= COND_VS) {
        Val bit = constant(t, I64, (uint64_t)bits[cond] << NZCV_SHIFT);
        return (Compare){ NE, ir_op2(t->b, IR_and, I64, nzcv, bit), zero };
    }
    if (cond == COND_HI) {
        Val mask = constant(t, I64, (uint64_t)(NZCV_C | NZCV_Z) << NZCV_SHIFT);
        return (Compare){ EQ, ir_op2(t->b, IR_and, I64, nzcv, mask),
            constant(t, I64, (uint64_t)NZCV_C << NZCV_SHIFT) };
    }
    /* Bit 28: N differs from V. */
    differ = ir_op2(t->b, IR_xor, I64, ir_op2_const(t->b, IR_shr, I64, nzcv, 3), nzcv);
    differ = ir_op2_const(t->b, IR_and, I64, differ, (uint64_t)NZCV_V << NZCV_SHIFT);
    if (cond == COND_GT) {
        Val z = ir_op2_const(t->b, IR_and, I64, nzcv, (uint64_t)NZCV_Z << NZCV_SHIFT);
        differ = ir_op2(t->b, IR_or, I64, differ, z);
    }
    return (Compare){ EQ, differ, zero };
}

static Compare compare_of(A64Translator *t, A64FlagsOp op, unsigned cond, Val a, Val b)
{
    IrType type = type_of_sf(is_wide(op));

    switch (op) {
    case FLAGS_SUB64:
    case FLAGS_SUB32: return compare_of_sub(t, type, cond, a, b);
    case FLAGS_ADD64:
    case FLAGS_ADD32: return compare_of_add(t, type, cond, a, b);
    case FLAGS_FLOAT64: return compare_of_float(t, F64, cond, a, b);
    case FLAGS_FLOAT32: return compare_of_float(t, F32, cond, a, b);
    default: return compare_of_logic(t, type, cond, a);
    }
}

static bool nzcv_meets(unsigned nzcv, unsigned cond)
{
    bool n = nzcv & NZCV_N, z = nzcv & NZCV_Z, c = nzcv & NZCV_C, v = nzcv & NZCV_V;
    const bool meets[] = { z, c, n, v, c && !z, n == v, n == v && !z, true };

    return meets[cond >> 1] != (cond & 1 && cond != 15);
}

static Val truth(A64Translator *t, Compare c)
{
    return ir_setcond(t->b, c.cond, c.x, c.y);
}

/* What a conditional comparison has left: its own condition first, then one of two outcomes. */
static Compare compare_either(A64Translator *t, unsigned cond)
{
    const A64Either *e = &t->either;
    unsigned wide = is_wide(e->flags.op);
    Val y = e->flags.is_small ? small_number(t, e->flags) : of_width(t, wide, e->b);
    Compare then = compare_of(t, e->flags.op, cond >> 1, of_width(t, wide, e->a), y);
    Val one = constant(t, I32, 1), result;

    then.cond ^= cond & 1;
    if (nzcv_meets(e->nzcv, cond)) {
        result = ir_op2(t->b, IR_or, I32, ir_op2(t->b, IR_xor, I32, e->test, one), truth(t, then));
    } else {
        result = both(t, e->test, truth(t, then));
    }
    return (Compare){ NE, result, constant(t, I32, 0) };
}

static Compare comparison(A64Translator *t, unsigned cond)
{
    A64FlagsOp op = (A64FlagsOp)t->flags.op;
    Compare c;

    if (cond >> 1 == COND_AL) {
        c = never(t);
        return (Compare){ EQ, c.x, c.y };
    }
    if (either_is_at_hand(t)) {
        return compare_either(t, cond);
    }
    if (op >= FLAGS_UNKNOWN || op == FLAGS_NZCV) {
        c = compare_of_nzcv(t, cond >> 1, get_nzcv(t));
    } else {
        c = compare_of(t, op, cond >> 1, kept_value(t, op, GVAR_FLAGS_A), kept_b(t));
    }
    c.cond ^= cond & 1;
    return c;
}

_Static_assert(
    (EQ ^ 1) == NE && (LT ^ 1) == GE && (LTU ^ 1) == GEU && (LE ^ 1) == GT && (LEU ^ 1) == GTU,
    "conditions come in pairs");

Val condition(A64Translator *t, unsigned cond)
{
    return truth(t, comparison(t, cond));
}

Val carry(A64Translator *t)
{
    return condition(t, COND_CS << 1);
}

void goto_if(A64Translator *t, unsigned cond, uint64_t pc)
{
    Compare c = comparison(t, cond);

    ir_goto_if(t->b, c.cond, c.x, c.y, pc);
}
