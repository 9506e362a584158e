/* Data processing on registers, in the order of insn.decode. */
#include "targets/aarch64/translate.h"

#include "tcg/general-regs.h"

/* CRC-32 of C6.2.80: bits reflected, no inversion at either end. */
static uint64_t help_crc32(CpuEnv *env, uint64_t crc, uint64_t data, uint64_t what)
{
    uint32_t polynomial = what & 4 ? 0x82f63b78 : 0xedb88320, value = (uint32_t)crc;

    for (unsigned byte = 0; byte < 1u << (what & 3); byte++) {
        value ^= (uint8_t)(data >> 8 * byte);
        for (unsigned bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ (value & 1 ? polynomial : 0);
        }
    }
    return value;
}

static uint64_t help_rbit(CpuEnv *env, uint64_t x, uint64_t b, uint64_t c)
{
    x = (x >> 1 & UINT64_C(0x5555555555555555)) | (x & UINT64_C(0x5555555555555555)) << 1;
    x = (x >> 2 & UINT64_C(0x3333333333333333)) | (x & UINT64_C(0x3333333333333333)) << 2;
    x = (x >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (x & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    return __builtin_bswap64(x);
}

static const Helper crc32_helper = { "a64_crc32", help_crc32, HELPER_PURE | HELPER_LEAF };
static const Helper rbit_helper = { "a64_rbit", help_rbit, HELPER_PURE | HELPER_LEAF };

#include "tcg/general-regs-end.h"

/* ---- operands --------------------------------------------------------------------------------- */

static const IrOp shifts[] = { IR_shl, IR_shr, IR_sar, IR_rotr };

/* False: an amount that the type has not. */
static bool shifted_operand(A64Translator *t, const A64Shifted *i, Val *out)
{
    IrType type = type_of_sf(i->sf);

    *out = reg(t, i->sf, i->rm);
    if (!i->sf && i->amount >= 32) {
        return false;
    }
    if (i->amount) {
        *out = ir_op2_const(t->b, shifts[i->shift], type, *out, i->amount);
    }
    return true;
}

Val extended_reg(A64Translator *t, unsigned n, unsigned option, unsigned amount)
{
    unsigned bits = 8u << (option & 3);
    Val x = xreg(t, n);

    if (bits < 64) {
        x = option & 4 ? ir_sext(t->b, I64, x, 0, bits) : ir_ext(t->b, I64, x, 0, bits);
    }
    return amount ? ir_op2_const(t->b, IR_shl, I64, x, amount) : x;
}

/* ---- logic ------------------------------------------------------------------------------------ */

typedef enum Inverted { AS_IS, INVERTED } Inverted;

static bool logic_value(A64Translator *t, IrOp op, Inverted inverted, const A64Shifted *i, Val *out)
{
    IrType type = type_of_sf(i->sf);
    Val y;

    if (!shifted_operand(t, i, &y)) {
        return false;
    }
    if (inverted == INVERTED) {
        y = ir_op1(t->b, IR_not, type, y);
    }
    *out = ir_op2(t->b, op, type, reg(t, i->sf, i->rn), y);
    return true;
}

static bool logic(A64Translator *t, IrOp op, Inverted inverted, const A64Shifted *i)
{
    Val result;

    if (!logic_value(t, op, inverted, i, &result)) {
        return false;
    }
    set_reg(t, i->sf, i->rd, result);
    return true;
}

static bool logic_flags(A64Translator *t, Inverted inverted, const A64Shifted *i)
{
    Val result;

    if (!logic_value(t, IR_and, inverted, i, &result)) {
        return false;
    }
    set_reg(t, i->sf, i->rd, result);
    set_flags(t, i->sf ? FLAGS_LOGIC64 : FLAGS_LOGIC32, result, NO_VAL);
    return true;
}

/* clang-format off */
#define LOGIC(name, op, inverted) \
    bool a64_##name(A64Translator *t, const A64Shifted *i) { return logic(t, IR_##op, inverted, i); }

LOGIC(and, and, AS_IS)
LOGIC(eor, xor, AS_IS)
LOGIC(orn, or, INVERTED)
LOGIC(eon, xor, INVERTED)
/* clang-format on */

/* mov is the most common instruction of all. */
bool a64_orr(A64Translator *t, const A64Shifted *i)
{
    if (i->rn != 31 || i->amount) {
        return logic(t, IR_or, AS_IS, i);
    }
    Val x = xreg(t, i->rm);

    set_reg(t, 1, i->rd, i->sf ? x : ir_ext(t->b, I64, x, 0, 32));
    return true;
}

bool a64_bic(A64Translator *t, const A64Shifted *i)
{
    Val y;

    if (!shifted_operand(t, i, &y)) {
        return false;
    }
    set_reg(t, i->sf, i->rd, ir_op2(t->b, IR_andn, type_of_sf(i->sf), reg(t, i->sf, i->rn), y));
    return true;
}

bool a64_ands(A64Translator *t, const A64Shifted *i)
{
    return logic_flags(t, AS_IS, i);
}

bool a64_bics(A64Translator *t, const A64Shifted *i)
{
    return logic_flags(t, INVERTED, i);
}

/* ---- sums ------------------------------------------------------------------------------------- */

static A64FlagsOp sum_flags(IrOp op, unsigned sf)
{
    return op == IR_add ? (sf ? FLAGS_ADD64 : FLAGS_ADD32) : (sf ? FLAGS_SUB64 : FLAGS_SUB32);
}

/* Flags of 32 bits are kept as whole registers are. cmp and cmn have no result. */
static bool sum_shifted(A64Translator *t, IrOp op, bool flags, const A64Shifted *i)
{
    Val x = xreg(t, i->rn), y, kept;

    if (!shifted_operand(t, i, &y)) {
        return false;
    }
    kept = i->amount ? y : xreg(t, i->rm);
    if (!flags || i->rd != 31) {
        set_reg(t, i->sf, i->rd, ir_op2(t->b, op, type_of_sf(i->sf), narrowed(t, i->sf, x), y));
    }
    if (flags) {
        set_flags(t, sum_flags(op, i->sf), x, kept);
    }
    return true;
}

static bool sum_extended(A64Translator *t, IrOp op, bool flags, const A64Extended *i)
{
    Val x = xreg_sp(t, i->rn), y = extended_reg(t, i->rm, i->option, i->amount);

    if (!flags) {
        set_reg_sp(t, i->sf, i->rd,
            ir_op2(t->b, op, type_of_sf(i->sf), narrowed(t, i->sf, x), narrowed(t, i->sf, y)));
        return true;
    }
    if (i->rd != 31) {
        set_reg(t, i->sf, i->rd,
            ir_op2(t->b, op, type_of_sf(i->sf), narrowed(t, i->sf, x), narrowed(t, i->sf, y)));
    }
    set_flags(t, sum_flags(op, i->sf), x, y);
    return true;
}

/* clang-format off */
#define SUM(name, op, flags)                                                                        \
    bool a64_##name(A64Translator *t, const A64Shifted *i) { return sum_shifted(t, op, flags, i); } \
    bool a64_##name##_ext(A64Translator *t, const A64Extended *i) { return sum_extended(t, op, flags, i); }

SUM(add, IR_add, false)
SUM(adds, IR_add, true)
SUM(sub, IR_sub, false)
SUM(subs, IR_sub, true)
/* clang-format on */

/* Bits of NZCV in place, from a sign bit or a truth. */
static Val sign_at(A64Translator *t, unsigned sf, Val x, unsigned bit)
{
    Val sign = ir_ext(t->b, I64, widened(t, sf, x), sf ? 63 : 31, 1);

    return ir_op2_const(t->b, IR_shl, I64, sign, NZCV_SHIFT + bit);
}

static Val truth_at(A64Translator *t, Val test, unsigned bit)
{
    return ir_op2_const(t->b, IR_shl, I64, ir_zext32(t->b, test), NZCV_SHIFT + bit);
}

/* The flags of x + y + C, where y of a subtraction is inverted already. */
static void set_flags_of_carry(A64Translator *t, unsigned sf, Val x, Val y, Val sum, Val c)
{
    IrType type = type_of_sf(sf);
    Val zero = constant(t, type, 0);
    Val less = ir_setcond(t->b, LTU, sum, x);
    Val same = ir_op2(t->b, IR_and, I32, ir_setcond(t->b, EQ, sum, x), c);
    /* With C in, a sum equal to x has wrapped: y is all ones. */
    Val carry_out = ir_op2(t->b, IR_or, I32, less, same);
    Val v = ir_op2(
        t->b, IR_and, type, ir_op2(t->b, IR_xor, type, x, sum), ir_op2(t->b, IR_xor, type, y, sum));
    Val nz = ir_op2(
        t->b, IR_or, I64, sign_at(t, sf, sum, 3), truth_at(t, ir_setcond(t->b, EQ, sum, zero), 2));
    Val cv = ir_op2(t->b, IR_or, I64, truth_at(t, carry_out, 1), sign_at(t, sf, v, 0));

    set_nzcv(t, ir_op2(t->b, IR_or, I64, nz, cv));
}

static bool sum_with_carry(A64Translator *t, bool is_sub, bool flags, const A64R *i)
{
    IrType type = type_of_sf(i->sf);
    Val c = carry(t), x = reg(t, i->sf, i->rn), y = reg(t, i->sf, i->rm), sum;

    if (is_sub) {
        y = ir_op1(t->b, IR_not, type, y);
    }
    sum = ir_op2(t->b, IR_add, type, ir_op2(t->b, IR_add, type, x, y), widened(t, !i->sf, c));
    set_reg(t, i->sf, i->rd, sum);
    if (flags) {
        set_flags_of_carry(t, i->sf, x, y, sum, c);
    }
    return true;
}

/* clang-format off */
#define CARRY(name, is_sub, flags) \
    bool a64_##name(A64Translator *t, const A64R *i) { return sum_with_carry(t, is_sub, flags, i); }

CARRY(adc, false, false)
CARRY(adcs, false, true)
CARRY(sbc, true, false)
CARRY(sbcs, true, true)
/* clang-format on */

/* ---- flags ------------------------------------------------------------------------------------ */

bool a64_rmif(A64Translator *t, const A64Rmif *i)
{
    uint64_t mask = (uint64_t)i->mask << NZCV_SHIFT;
    Val old = get_nzcv(t);
    /* Bits 3 to 0 of the rotated register go to bits 31 to 28. */
    Val x = ir_op2_const(t->b, IR_rotr, I64, xreg(t, i->rn), (i->amount - NZCV_SHIFT) & 63);

    x = ir_op2_const(t->b, IR_and, I64, x, mask);
    old = ir_op2_const(t->b, IR_and, I64, old, PSTATE_NZCV & ~mask);
    set_nzcv(t, ir_op2(t->b, IR_or, I64, old, x));
    return true;
}

/* V is bit `bits` exclusive-or the one below; C stays (C6.2.244). */
bool a64_setf(A64Translator *t, const A64Setf *i)
{
    Val c = ir_op2_const(t->b, IR_and, I64, get_nzcv(t), (uint64_t)NZCV_C << NZCV_SHIFT);
    Val x = xreg(t, i->rn), low = ir_ext(t->b, I64, x, 0, i->bits);
    Val n = ir_ext(t->b, I64, x, i->bits - 1, 1);
    Val v = ir_op2(t->b, IR_xor, I64, ir_ext(t->b, I64, x, i->bits, 1), n);
    Val z = ir_setcond(t->b, EQ, low, constant(t, I64, 0));

    n = ir_op2_const(t->b, IR_shl, I64, n, NZCV_SHIFT + 3);
    v = ir_op2_const(t->b, IR_shl, I64, v, NZCV_SHIFT);
    x = ir_op2(t->b, IR_or, I64, ir_op2(t->b, IR_or, I64, n, v), truth_at(t, z, 2));
    set_nzcv(t, ir_op2(t->b, IR_or, I64, x, c));
    return true;
}

static bool conditional_compare(A64Translator *t, IrOp op, const A64Ccmp *i)
{
    Val x = xreg(t, i->rn);
    Val y = i->imm ? constant(t, type_of_sf(i->sf), i->rm) : xreg(t, i->rm);
    Val test = condition(t, i->cond);
    uint64_t known;

    if (!ir_is_const(t->b, test, &known)) {
        set_flags_if(t, test, sum_flags(op, i->sf), x, y, i->nzcv);
    } else if (known) {
        set_flags(t, sum_flags(op, i->sf), x, y);
    } else {
        set_nzcv(t, constant(t, I64, (uint64_t)i->nzcv << NZCV_SHIFT));
    }
    return true;
}

bool a64_ccmn(A64Translator *t, const A64Ccmp *i)
{
    return conditional_compare(t, IR_add, i);
}

bool a64_ccmp(A64Translator *t, const A64Ccmp *i)
{
    return conditional_compare(t, IR_sub, i);
}

/* ---- selections ------------------------------------------------------------------------------- */

static bool choose(A64Translator *t, const A64Csel *i, Val other)
{
    Val x = reg(t, i->sf, i->rn), test = condition(t, i->cond);

    set_reg(t, i->sf, i->rd, ir_select(t->b, test, x, other));
    return true;
}

bool a64_csel(A64Translator *t, const A64Csel *i)
{
    return choose(t, i, reg(t, i->sf, i->rm));
}

/* cset is the most common use of all: csinc of zero and zero. */
bool a64_csinc(A64Translator *t, const A64Csel *i)
{
    IrType type = type_of_sf(i->sf);

    if (i->rn == 31 && i->rm == 31 && i->cond < 14) {
        set_reg(t, 0, i->rd, condition(t, i->cond ^ 1));
        return true;
    }
    return choose(t, i, ir_op2_const(t->b, IR_add, type, reg(t, i->sf, i->rm), 1));
}

bool a64_csinv(A64Translator *t, const A64Csel *i)
{
    return choose(t, i, ir_op1(t->b, IR_not, type_of_sf(i->sf), reg(t, i->sf, i->rm)));
}

bool a64_csneg(A64Translator *t, const A64Csel *i)
{
    return choose(t, i, ir_op1(t->b, IR_neg, type_of_sf(i->sf), reg(t, i->sf, i->rm)));
}

/* ---- two sources ------------------------------------------------------------------------------ */

static bool divide(A64Translator *t, IrOp op, const A64R *i)
{
    Val x = reg(t, i->sf, i->rn), y = reg(t, i->sf, i->rm);

    set_reg(t, i->sf, i->rd, ir_aux(t->b, op, type_of_sf(i->sf), DIV_ZERO, 0, x, y, NO_VAL));
    return true;
}

static bool shift(A64Translator *t, IrOp op, const A64R *i)
{
    Val x = reg(t, i->sf, i->rn), y = reg(t, i->sf, i->rm);

    set_reg(t, i->sf, i->rd, ir_op2(t->b, op, type_of_sf(i->sf), x, y));
    return true;
}

/* clang-format off */
#define TWO(name, function, op) \
    bool a64_##name(A64Translator *t, const A64R *i) { return function(t, IR_##op, i); }

TWO(udiv, divide, divu)
TWO(sdiv, divide, divs)
TWO(lslv, shift, shl)
TWO(lsrv, shift, shr)
TWO(asrv, shift, sar)
TWO(rorv, shift, rotr)
/* clang-format on */

bool a64_crc32(A64Translator *t, const A64Crc *i)
{
    Val what = constant(t, I64, i->size | i->castagnoli << 2);

    set_reg(t, 1, i->rd, ir_call(t->b, I64, &crc32_helper, xreg(t, i->rn), xreg(t, i->rm), what));
    return true;
}

/* ---- one source ------------------------------------------------------------------------------- */

bool a64_rbit(A64Translator *t, const A64R *i)
{
    Val x = ir_call(t->b, I64, &rbit_helper, xreg(t, i->rn), NO_VAL, NO_VAL);

    if (!i->sf) {
        x = ir_op2_const(t->b, IR_shr, I64, x, 32);
    }
    set_reg(t, 1, i->rd, x);
    return true;
}

static bool reverse(A64Translator *t, const A64R *i, unsigned bytes)
{
    Val x = reg(t, i->sf, i->rn);

    set_reg(
        t, i->sf, i->rd, ir_aux(t->b, IR_bswap, type_of_sf(i->sf), 0, bytes, x, NO_VAL, NO_VAL));
    return true;
}

bool a64_rev16(A64Translator *t, const A64R *i)
{
    return reverse(t, i, 2);
}

bool a64_rev32(A64Translator *t, const A64R *i)
{
    return reverse(t, i, 4);
}

bool a64_rev64(A64Translator *t, const A64R *i)
{
    return reverse(t, i, 8);
}

bool a64_clz(A64Translator *t, const A64R *i)
{
    set_reg(t, i->sf, i->rd, ir_op1(t->b, IR_clz, type_of_sf(i->sf), reg(t, i->sf, i->rn)));
    return true;
}

/* Bits equal to the sign behind it: the zeros in front of x ^ (x >> 1), with the sign itself not counted. */
bool a64_cls(A64Translator *t, const A64R *i)
{
    IrType type = type_of_sf(i->sf);
    Val x = reg(t, i->sf, i->rn), one = constant(t, type, 1);

    x = ir_op2(t->b, IR_xor, type, x, ir_op2(t->b, IR_sar, type, x, one));
    set_reg(t, i->sf, i->rd, ir_op2(t->b, IR_sub, type, ir_op1(t->b, IR_clz, type, x), one));
    return true;
}

/* ---- three sources ---------------------------------------------------------------------------- */

static bool multiply_add(A64Translator *t, IrOp op, const A64Ra *i)
{
    IrType type = type_of_sf(i->sf);
    Val product = ir_op2(t->b, IR_mul, type, reg(t, i->sf, i->rn), reg(t, i->sf, i->rm));

    set_reg(t, i->sf, i->rd, ir_op2(t->b, op, type, reg(t, i->sf, i->ra), product));
    return true;
}

static bool multiply_add_long(A64Translator *t, IrOp op, bool is_signed, const A64Ra *i)
{
    Val x = reg(t, 0, i->rn), y = reg(t, 0, i->rm), product;

    x = is_signed ? ir_sext32(t->b, x) : ir_zext32(t->b, x);
    y = is_signed ? ir_sext32(t->b, y) : ir_zext32(t->b, y);
    product = ir_op2(t->b, IR_mul, I64, x, y);
    set_reg(t, 1, i->rd, ir_op2(t->b, op, I64, xreg(t, i->ra), product));
    return true;
}

static bool multiply_high(A64Translator *t, IrOp op, const A64Ra *i)
{
    set_reg(t, 1, i->rd, ir_op2(t->b, op, I64, xreg(t, i->rn), xreg(t, i->rm)));
    return true;
}

/* clang-format off */
bool a64_madd(A64Translator *t, const A64Ra *i) { return multiply_add(t, IR_add, i); }
bool a64_msub(A64Translator *t, const A64Ra *i) { return multiply_add(t, IR_sub, i); }
bool a64_smaddl(A64Translator *t, const A64Ra *i) { return multiply_add_long(t, IR_add, true, i); }
bool a64_smsubl(A64Translator *t, const A64Ra *i) { return multiply_add_long(t, IR_sub, true, i); }
bool a64_umaddl(A64Translator *t, const A64Ra *i) { return multiply_add_long(t, IR_add, false, i); }
bool a64_umsubl(A64Translator *t, const A64Ra *i) { return multiply_add_long(t, IR_sub, false, i); }
bool a64_smulh(A64Translator *t, const A64Ra *i) { return multiply_high(t, IR_mulhs, i); }
bool a64_umulh(A64Translator *t, const A64Ra *i) { return multiply_high(t, IR_mulhu, i); }
/* clang-format on */
