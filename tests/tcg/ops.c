/*
 * Every pure operation against a plain definition of it, bit by bit where that is plainer: in the
 * interpreter and in the folding builder, for corner and random operands of both widths.
 */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "tcg/eval.h"
#include "tcg/text.h"
#include "tests/tcg/toy.h"
#include "tests/tcg/vectors.h"
#include "tests/test.h"

enum { ROUNDS = 400 };

/* What an operation is asked for. */
typedef struct Asked {
    IrOp     op;
    IrType   type;                  /* of the operation: see ops.h */
    unsigned width;                 /* its bits */
    unsigned aux, lsb, length;      /* length: of a bit field, or the group of a bswap */
    uint64_t a, b, c;
} Asked;

/* ---- definitions --------------------------------------------------------------------------- */

static unsigned bit(uint64_t value, unsigned n)
{
    return value >> n & 1;
}

static bool is_negative(const Asked *q, uint64_t value)
{
    return bit(value, q->width - 1);
}

/* The signed value in arithmetic that can not overflow. */
static __int128 number(const Asked *q, uint64_t value)
{
    return is_negative(q, value) ? (__int128)value - ((__int128)1 << q->width) : (__int128)value;
}

static uint64_t upper(const Asked *q, __int128 product)
{
    return (uint64_t)(product >> q->width);
}

static uint64_t def_mulhs(const Asked *q)
{
    return upper(q, number(q, q->a) * number(q, q->b));
}

/* By the school's method on 32-bit digits, to have no 128-bit product of unsigned values. */
static uint64_t def_mulhu(const Asked *q)
{
    uint64_t a_low = (uint32_t)q->a, a_high = q->a >> 32, b_low = (uint32_t)q->b, b_high = q->b >> 32;
    uint64_t middle = a_high * b_low + (a_low * b_low >> 32), other = a_low * b_high + (uint32_t)middle;

    return q->width == 32 ? q->a * q->b >> 32 : a_high * b_high + (middle >> 32) + (other >> 32);
}

static uint64_t def_mulhsu(const Asked *q)
{
    return def_mulhu(q) - (is_negative(q, q->a) ? q->b : 0);
}

static uint64_t def_divs(const Asked *q)
{
    return q->b ? (uint64_t)(number(q, q->a) / number(q, q->b)) : q->aux == DIV_RISCV ? UINT64_MAX : 0;
}

static uint64_t def_rems(const Asked *q)
{
    return q->b ? (uint64_t)(number(q, q->a) % number(q, q->b)) : q->a;
}

static uint64_t def_divu(const Asked *q)
{
    return q->b ? q->a / q->b : q->aux == DIV_RISCV ? UINT64_MAX : 0;
}

static uint64_t def_remu(const Asked *q)
{
    return q->b ? q->a - q->a / q->b * q->b : q->a;
}

/* Each bit n of the result is bit from(n) of a, or `other`. */
static uint64_t shifted(const Asked *q, int by, bool rotates, bool fill)
{
    uint64_t result = 0;

    for (int n = 0; n < (int)q->width; n++) {
        int from = n - by;
        bool inside = from >= 0 && from < (int)q->width;
        bool value = inside || rotates ? bit(q->a, (unsigned)(from + 2 * (int)q->width) % q->width) : fill && from > 0;

        result |= (uint64_t)value << n;
    }
    return result;
}

static int count_of(const Asked *q)
{
    return (int)(q->b % q->width);
}

static uint64_t def_shl(const Asked *q) { return shifted(q, count_of(q), false, false); }
static uint64_t def_shr(const Asked *q) { return shifted(q, -count_of(q), false, false); }
static uint64_t def_sar(const Asked *q) { return shifted(q, -count_of(q), false, is_negative(q, q->a)); }
static uint64_t def_rotl(const Asked *q) { return shifted(q, count_of(q), true, false); }
static uint64_t def_rotr(const Asked *q) { return shifted(q, -count_of(q), true, false); }

static uint64_t def_ext(const Asked *q)
{
    uint64_t result = 0;

    for (unsigned n = 0; n < q->length; n++) {
        result |= (uint64_t)bit(q->a, q->lsb + n) << n;
    }
    return result;
}

static uint64_t def_sext(const Asked *q)
{
    uint64_t result = 0;

    for (unsigned n = 0; n < q->width; n++) {
        result |= (uint64_t)bit(q->a, q->lsb + MIN(n, q->length - 1)) << n;
    }
    return result;
}

static uint64_t def_dep(const Asked *q)
{
    uint64_t result = 0;

    for (unsigned n = 0; n < q->width; n++) {
        bool inside = n >= q->lsb && n < q->lsb + q->length;

        result |= (uint64_t)(inside ? bit(q->b, n - q->lsb) : bit(q->a, n)) << n;
    }
    return result;
}

static uint64_t def_bswap(const Asked *q)
{
    uint64_t result = 0;

    for (unsigned byte = 0; byte < q->width / 8; byte++) {
        unsigned group = byte / q->length * q->length, to = group + (q->length - 1 - byte % q->length);

        result |= (q->a >> (8 * byte) & 0xff) << (8 * to);
    }
    return result;
}

static uint64_t def_clz(const Asked *q)
{
    unsigned n = 0;

    while (n < q->width && !bit(q->a, q->width - 1 - n)) {
        n++;
    }
    return n;
}

static uint64_t def_ctz(const Asked *q)
{
    unsigned n = 0;

    while (n < q->width && !bit(q->a, n)) {
        n++;
    }
    return n;
}

static uint64_t def_popcnt(const Asked *q)
{
    unsigned count = 0;

    for (unsigned n = 0; n < q->width; n++) {
        count += bit(q->a, n);
    }
    return count;
}

static uint64_t def_orcb(const Asked *q)
{
    uint64_t result = 0;

    for (unsigned byte = 0; byte < 8; byte++) {
        result |= q->a >> (8 * byte) & 0xff ? UINT64_C(0xff) << (8 * byte) : 0;
    }
    return result;
}

static uint64_t def_setcond(const Asked *q)
{
    __int128 a = number(q, q->a), b = number(q, q->b);
    const bool answers[IR_COND_COUNT] = {
        [EQ] = a == b, [NE] = a != b, [LT] = a < b, [GE] = a >= b, [LE] = a <= b, [GT] = a > b,
        [LTU] = q->a < q->b, [GEU] = q->a >= q->b, [LEU] = q->a <= q->b, [GTU] = q->a > q->b,
    };

    return answers[q->aux];
}

static uint64_t sign_of(const Asked *q)
{
    return UINT64_C(1) << (q->width - 1);
}

static uint64_t def_fsgnj(const Asked *q)
{
    bool a = is_negative(q, q->a), b = is_negative(q, q->b), sign = q->aux == 0 ? b : q->aux == 1 ? !b : a != b;

    return (q->a & ~sign_of(q)) + (sign ? sign_of(q) : 0);
}

static uint64_t def_add(const Asked *q) { return (uint64_t)(number(q, q->a) + number(q, q->b)); }
static uint64_t def_sub(const Asked *q) { return (uint64_t)(number(q, q->a) - number(q, q->b)); }
static uint64_t def_neg(const Asked *q) { return (uint64_t)-number(q, q->a); }
static uint64_t def_and(const Asked *q) { return q->a & q->b; }
static uint64_t def_or(const Asked *q) { return q->a | q->b; }
static uint64_t def_xor(const Asked *q) { return (q->a | q->b) & ~(q->a & q->b); }
static uint64_t def_not(const Asked *q) { return ~q->a; }
static uint64_t def_andn(const Asked *q) { return q->a & ~q->b; }
static uint64_t def_orn(const Asked *q) { return q->a | ~q->b; }
static uint64_t def_mul(const Asked *q) { return (uint64_t)(number(q, q->a) * number(q, q->b)); }
static uint64_t def_zext32(const Asked *q) { return (uint32_t)q->a; }
static uint64_t def_trunc32(const Asked *q) { return (uint32_t)q->a; }
static uint64_t def_smin(const Asked *q) { return number(q, q->a) < number(q, q->b) ? q->a : q->b; }
static uint64_t def_smax(const Asked *q) { return number(q, q->a) < number(q, q->b) ? q->b : q->a; }
static uint64_t def_umin(const Asked *q) { return MIN(q->a, q->b); }
static uint64_t def_umax(const Asked *q) { return MAX(q->a, q->b); }
static uint64_t def_select(const Asked *q) { return q->a != 0 ? q->b : q->c; }
static uint64_t def_fneg(const Asked *q) { return q->a ^ sign_of(q); }
static uint64_t def_fabs(const Asked *q) { return q->a & ~sign_of(q); }
static uint64_t def_fbits(const Asked *q) { return q->a; }
static uint64_t def_bitsf(const Asked *q) { return q->a; }
static uint64_t def_fbox(const Asked *q) { return UINT64_C(0xffffffff) << 32 | q->a; }

static uint64_t def_funbox(const Asked *q)
{
    return q->a >= UINT64_C(0xffffffff00000000) ? (uint32_t)q->a : UINT32_C(0x7fc00000);
}

typedef uint64_t (*Definition)(const Asked *q);

#define D(name) [IR_##name] = def_##name
static const Definition definitions[IR_OP_COUNT] = {
    D(add), D(sub), D(neg), D(and), D(or), D(xor), D(not), D(andn), D(orn), D(mul), D(mulhs), D(mulhu), D(mulhsu),
    D(divs), D(divu), D(rems), D(remu), D(shl), D(shr), D(sar), D(rotl), D(rotr), D(ext), D(sext), D(dep),
    D(zext32), D(trunc32), D(bswap), D(clz), D(ctz), D(popcnt), D(orcb), D(smin), D(smax), D(umin), D(umax),
    D(setcond), D(select), D(fneg), D(fabs), D(fsgnj), D(fbits), D(bitsf), D(fbox), D(funbox),
};

static bool is_tested(unsigned op)
{
    return (ir_op_effects[op] & PURE) && !(ir_op_effects[op] & VEC) && op != IR_const &&
        op != IR_fconst && op != IR_vconst;
}

static void every_pure_operation_has_a_definition(void **state)
{
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        if (is_tested(op) != !!definitions[op]) {
            fail_msg("%s", ir_op_names[op]);
        }
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

/* Types of the operands and the result, where they are not the operation's. */
static IrType operand_type(const Asked *q, unsigned n)
{
    switch (q->op) {
    case IR_zext32:  return I32;
    case IR_trunc32: return I64;
    case IR_select:  return n == 0 ? I64 : q->type;
    case IR_fbits:   return q->type == I64 ? F64 : F32;
    case IR_bitsf:   return q->type == F64 ? I64 : I32;
    case IR_fbox:    return F32;
    case IR_funbox:  return F64;
    default:         return q->type;
    }
}

/* The types an operation can have: 32 and 64 bits of the class its result is of. */
static bool has_type(IrOp op, IrType type)
{
    switch (op) {
    case IR_zext32:  return type == I64;
    case IR_trunc32: return type == I32;
    case IR_fbox:    return type == F64;
    case IR_funbox:  return type == F32;
    case IR_fneg: case IR_fabs: case IR_fsgnj: case IR_bitsf:
        return type == F32 || type == F64;
    default:         return type == I32 || type == I64;
    }
}

static int32_t imm_of(const Asked *q)
{
    return q->op == IR_bswap ? (int32_t)q->length : (int32_t)(q->lsb | q->length << 8);
}

static bool takes_field(IrOp op)
{
    return op == IR_ext || op == IR_sext || op == IR_dep || op == IR_bswap;
}

static void ask(Asked *q, Random *r)
{
    unsigned groups = q->width == 64 ? 3 : 2;

    q->length = 1 + random_below(r, q->width);
    q->lsb = random_below(r, q->width - q->length + 1);
    if (q->op == IR_bswap) {
        q->length = 2u << random_below(r, groups);
    }
    q->aux = q->op == IR_setcond ? random_below(r, IR_COND_COUNT) : q->op == IR_fsgnj ? random_below(r, 3)
                                                                                    : random_below(r, 2);
    q->a = random_value(r, operand_type(q, 0));
    q->b = random_below(r, 8) ? random_value(r, operand_type(q, 1)) : q->a & low_mask(q->width);
    q->c = random_value(r, operand_type(q, 2));
}

/* As the builder folds it when all operands are constants. */
static uint64_t folded(const Asked *q)
{
    static IrBlock b;
    unsigned count = ir_operand_count(q->op);
    uint64_t value = 0;
    Val operands[3] = { { 0 } }, v;
    const uint64_t values[] = { q->a, q->b, q->c };

    toy_begin(&b);
    for (unsigned n = 0; n < count; n++) {
        operands[n] = ir_const(&b, operand_type(q, n), values[n]);
    }
    v = ir_aux(&b, q->op, q->type, (uint8_t)q->aux, takes_field(q->op) ? imm_of(q) : 0, operands[0], operands[1],
        operands[2]);
    assert_true(ir_is_const(&b, v, &value));
    return value;
}

static void check(const Asked *q)
{
    uint64_t mask = low_mask(q->width), expected = definitions[q->op](q) & mask;
    uint64_t found = ir_eval(q->op, q->type, q->aux, imm_of(q), q->a, q->b, q->c), constant = folded(q);

    if (found != expected || constant != expected) {
        fail_msg("%s.%u aux %u field %u:%u of %" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64 ", evaluated %" PRIx64
            ", folded %" PRIx64, ir_op_names[q->op], q->width, q->aux, q->lsb, q->length, q->a, q->b, q->c, expected,
            found, constant);
    }
}

static void every_pure_operation_is_as_defined(void **state)
{
    static const IrType types[] = { I32, I64, F32, F64 };
    Random r = { 5 };

    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        for (unsigned t = 0; t < G_N_ELEMENTS(types) && is_tested(op); t++) {
            Asked q = { .op = (IrOp)op, .type = types[t], .width = ir_type_bits(types[t]) };

            for (unsigned n = 0; n < ROUNDS && has_type(q.op, q.type); n++) {
                ask(&q, &r);
                check(&q);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pure_operation_has_a_definition),
        cmocka_unit_test(every_pure_operation_is_as_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
