/*
 * What the builder does to pure operations before it appends them: constants are folded, laws of
 * algebra applied, extensions and comparisons that say nothing new left out.
 */
#include <glib.h>

#include "tcg/eval.h"
#include "tcg/ir-impl.h"

static Val build_field(IrBlock *b, IrOp op, IrType type, Val x, unsigned lsb, unsigned length);

/* A constant equal to value? */
static bool is_value(const IrBlock *b, Val v, uint64_t value)
{
    uint64_t known;

    return ir_is_const(b, v, &known) && known == value;
}

/* ---- laws of binary operations ------------------------------------------------------------- */

typedef enum Law { NONE, X, ZERO, ONES, NOT_X, NEG_X, NOT_Y, NEG_Y } Law;

typedef struct Laws {
    uint8_t zero, one, ones; /* y is 0, 1, all ones */
    uint8_t same;            /* y is x */
    uint8_t zero_left;       /* x is 0 */
    bool chains;             /* (x op c1) op c2 = x op (c1 op c2) */
} Laws;

/* clang-format off */
static const Laws laws[IR_OP_COUNT] = {
    /*               y=0   y=1   y=-1   x=y   x=0   chains */
    [IR_add]    = { X,    NONE, NONE,  NONE, NONE, true },
    [IR_sub]    = { X,    NONE, NONE,  ZERO, NEG_Y, false },
    [IR_and]    = { ZERO, NONE, X,     X,    NONE, true },
    [IR_or]     = { X,    NONE, ONES,  X,    NONE, true },
    [IR_xor]    = { X,    NONE, NOT_X, ZERO, NONE, true },
    [IR_andn]   = { X,    NONE, ZERO,  ZERO, ZERO, false },
    [IR_orn]    = { ONES, NONE, X,     ONES, NOT_Y, false },
    [IR_mul]    = { ZERO, X,    NEG_X, NONE, NONE, true },
    [IR_mulhs]  = { ZERO, NONE, NONE,  NONE, NONE, false },
    [IR_mulhu]  = { ZERO, ZERO, NONE,  NONE, NONE, false },
    [IR_mulhsu] = { ZERO, NONE, NONE,  NONE, ZERO, false },
    [IR_divs]   = { NONE, X,    NEG_X, NONE, NONE, false },
    [IR_divu]   = { NONE, X,    NONE,  NONE, NONE, false },
    [IR_rems]   = { X,    ZERO, ZERO,  ZERO, ZERO, false },
    [IR_remu]   = { X,    ZERO, NONE,  ZERO, ZERO, false },
    [IR_shl]    = { X,    NONE, NONE,  NONE, ZERO, false },
    [IR_shr]    = { X,    NONE, NONE,  NONE, ZERO, false },
    [IR_sar]    = { X,    NONE, NONE,  NONE, ZERO, false },
    [IR_rotl]   = { X,    NONE, NONE,  NONE, ZERO, false },
    [IR_rotr]   = { X,    NONE, NONE,  NONE, ZERO, false },
    [IR_smin]   = { NONE, NONE, NONE,  X,    NONE, true },
    [IR_smax]   = { NONE, NONE, NONE,  X,    NONE, true },
    [IR_umin]   = { ZERO, NONE, X,     X,    NONE, true },
    [IR_umax]   = { X,    NONE, ONES,  X,    NONE, true },
};
/* clang-format on */

static Val apply(IrBlock *b, Law law, IrType type, Val x, Val y)
{
    switch (law) {
    case NONE: return none;
    case X: return x;
    case ZERO: return ir_const(b, type, 0);
    case ONES: return ir_const(b, type, low_mask(ir_type_bits(type)));
    case NOT_X: return ir_op1(b, IR_not, type, x);
    case NEG_X: return ir_op1(b, IR_neg, type, x);
    case NOT_Y: return ir_op1(b, IR_not, type, y);
    case NEG_Y: return ir_op1(b, IR_neg, type, y);
    }
    g_assert_not_reached();
}

/*
 * May v's operands be used in place of v? Not when v is in a gvar and somebody has seen it there:
 * then v is at hand and its operands may be gone.
 */
static bool looks_through(const IrBlock *b, Val v)
{
    return !b->was_put[v.id] || b->defined_by[v.id] >= b->observed;
}

/* v is `op` of something and a constant. */
static const IrInsn *is_op_const(const IrBlock *b, Val v, IrOp op, IrType type, uint64_t *value)
{
    const IrInsn *i = definition(b, v);
    bool is_one = i->op == op && i->type == type && ir_is_const(b, (Val){ i->b }, value);

    return is_one && looks_through(b, v) ? i : NULL;
}

static bool is_shift(unsigned op)
{
    return op == IR_shl || op == IR_shr || op == IR_sar || op == IR_rotl || op == IR_rotr;
}

/* (x << c) >> d with d >= c is a bit field of x. */
static Val fold_shift_pair(IrBlock *b, const IrInsn *i, uint64_t right)
{
    unsigned width = ir_type_bits((IrType)i->type);
    uint64_t left;
    const IrInsn *inner = is_op_const(b, (Val){ i->a }, IR_shl, (IrType)i->type, &left);

    if (!inner || left > right) {
        return none;
    }
    return (i->op == IR_shr ? ir_ext : ir_sext)(
        b, (IrType)i->type, (Val){ inner->a }, (unsigned)(right - left), (unsigned)(width - right));
}

static Val fold_shift(IrBlock *b, const IrInsn *i, uint64_t count)
{
    unsigned width = ir_type_bits((IrType)i->type);
    Val x = { i->a };
    uint64_t before;

    if (count >= width) {
        Val less = ir_const(b, (IrType)b->types[i->b], count & (width - 1));

        return ir_op2(b, (IrOp)i->op, (IrType)i->type, x, less);
    }
    if (i->op == IR_shr || i->op == IR_sar) {
        return fold_shift_pair(b, i, count);
    }
    if (i->op == IR_shl) {
        const IrInsn *inner = is_op_const(b, x, IR_shl, (IrType)i->type, &before);

        if (inner && before + count < width) {
            return ir_op2_const(b, IR_shl, (IrType)i->type, (Val){ inner->a }, before + count);
        }
    }
    return none;
}

static bool is_power_of_two(uint64_t value)
{
    return value && (value & (value - 1)) == 0;
}

/* y is the constant c and no law of the table applies. */
static Val fold_right_const(IrBlock *b, const IrInsn *i, uint64_t c)
{
    IrType type = (IrType)i->type;
    Val x = { i->a };
    uint64_t before;
    const IrInsn *inner;

    if (is_shift(i->op)) {
        return fold_shift(b, i, c);
    }
    if (i->op == IR_sub) {
        return ir_op2_const(b, IR_add, type, x, -c & low_mask(ir_type_bits(type)));
    }
    if (is_power_of_two(c) && i->op == IR_mul) {
        return ir_op2_const(b, IR_shl, type, x, (unsigned)__builtin_ctzll(c));
    }
    if (is_power_of_two(c) && i->op == IR_divu) {
        return ir_op2_const(b, IR_shr, type, x, (unsigned)__builtin_ctzll(c));
    }
    if (is_power_of_two(c) && i->op == IR_remu) {
        return ir_op2_const(b, IR_and, type, x, c - 1);
    }
    if (laws[i->op].chains && (inner = is_op_const(b, x, (IrOp)i->op, type, &before))) {
        return ir_op2_const(b, (IrOp)i->op, type, (Val){ inner->a },
            ir_eval((IrOp)i->op, type, 0, 0, before, c, 0));
    }
    return none;
}

/* x & ~y and x | ~y have operations of their own. */
static Val fold_not(IrBlock *b, const IrInsn *i, Val x, Val y)
{
    const IrInsn *inner = definition(b, y);

    if ((i->op != IR_and && i->op != IR_or) || inner->op != IR_not || !looks_through(b, y)) {
        return none;
    }
    return ir_op2(b, i->op == IR_and ? IR_andn : IR_orn, (IrType)i->type, x, (Val){ inner->a });
}

/*
 * Both operands are there and not both constant; constants of commutative operations are on the
 * right.
 */
static Val fold_binary(IrBlock *b, const IrInsn *i)
{
    const Laws *law = &laws[i->op];
    IrType type = (IrType)i->type;
    Val x = { i->a }, y = { i->b }, v;
    uint64_t c;

    if (ir_is_const(b, y, &c)) {
        unsigned which = c == 0                 ? law->zero
            : c == 1                            ? law->one
            : c == low_mask(ir_type_bits(type)) ? law->ones
                                                : NONE;

        return which ? apply(b, (Law)which, type, x, y) : fold_right_const(b, i, c);
    }
    if (x.id == y.id) {
        return apply(b, (Law)law->same, type, x, y);
    }
    if (law->zero_left && is_value(b, x, 0)) {
        return apply(b, (Law)law->zero_left, type, x, y);
    }
    v = fold_not(b, i, x, y);
    return v.id ? v : fold_not(b, i, y, x);
}

/* ---- extensions ---------------------------------------------------------------------------- */

/* How many low bits of v can differ from 0, as far as its definition says. */
static unsigned unsigned_bits(const IrBlock *b, Val v)
{
    const IrInsn *i = definition(b, v);
    unsigned width = ir_type_bits(type_of(b, v));
    uint64_t c;

    switch (i->op) {
    case IR_setcond:
    case IR_fcmp: return 1;
    case IR_ext: return (unsigned)i->imm >> 8;
    case IR_zext32: return 32;
    case IR_load:
    case IR_loadas: return i->aux & MEM_SIGNED ? width : MIN(width, 8u << (i->aux & MEM_SIZE));
    case IR_const: c = ir_const_value(b, i); return c ? 64 - (unsigned)__builtin_clzll(c) : 1;
    case IR_and:
        return ir_is_const(b, (Val){ i->b }, &c) && c ? 64 - (unsigned)__builtin_clzll(c) : width;
    case IR_shr: return ir_is_const(b, (Val){ i->b }, &c) ? width - (unsigned)c : width;
    default: return width;
    }
}

/* From how many low bits v is sign-extended, by its definition alone. */
static unsigned signed_bits_defined(const IrBlock *b, Val v)
{
    const IrInsn *i = definition(b, v);
    unsigned width = ir_type_bits(type_of(b, v)), bits;

    if (i->op == IR_const && width == 64) {
        return 64 - (unsigned)__builtin_clrsbll((long long)ir_const_value(b, i));
    }
    if (i->op == IR_sext) {
        return (unsigned)i->imm >> 8;
    }
    if ((i->op == IR_load || i->op == IR_loadas) && (i->aux & MEM_SIGNED)) {
        return MIN(width, 8u << (i->aux & MEM_SIZE));
    }
    bits = unsigned_bits(b, v);
    return bits < width ? bits + 1 : width;
}

/* The same, through an operation that works on each bit alone. */
static unsigned signed_bits(const IrBlock *b, Val v)
{
    const IrInsn *i = definition(b, v);

    if (i->op == IR_and || i->op == IR_or || i->op == IR_xor) {
        return MAX(signed_bits_defined(b, (Val){ i->a }), signed_bits_defined(b, (Val){ i->b }));
    }
    return signed_bits_defined(b, v);
}

static bool is_field(const IrInsn *i)
{
    return i->op == IR_ext || i->op == IR_sext;
}

static Val fold_ext(IrBlock *b, const IrInsn *i)
{
    unsigned lsb = i->imm & 0xff, length = (unsigned)i->imm >> 8;
    IrType type = (IrType)i->type;
    Val x = { i->a };
    const IrInsn *inner = definition(b, x);
    unsigned inner_lsb = inner->imm & 0xff, inner_length = (unsigned)inner->imm >> 8;

    if (lsb == 0 && length >= (i->op == IR_ext ? unsigned_bits(b, x) : signed_bits(b, x))) {
        return x;
    }
    if (is_field(inner) && lsb + length <= inner_length && looks_through(b, x)) {
        return build_field(b, (IrOp)i->op, type, (Val){ inner->a }, lsb + inner_lsb, length);
    }
    if (i->op == IR_ext && lsb + length == ir_type_bits(type)) {
        return ir_op2_const(b, IR_shr, type, x, lsb);
    }
    if (i->op == IR_sext && lsb + length == ir_type_bits(type)) {
        return ir_op2_const(b, IR_sar, type, x, lsb);
    }
    return none;
}

/* op1(op2(x)) = x. */
static Val fold_inverse(const IrBlock *b, const IrInsn *i)
{
    const IrInsn *inner = definition(b, (Val){ i->a });

    return inner->op == i->op && looks_through(b, (Val){ i->a }) ? (Val){ inner->a } : none;
}

Val ir_trunc32(IrBlock *b, Val x)
{
    const IrInsn *inner = definition(b, x);
    uint64_t value;

    if (ir_is_const(b, x, &value)) {
        return ir_const(b, I32, value);
    }
    if (inner->op == IR_zext32) {
        return (Val){ inner->a };
    }
    if (is_field(inner) && inner->imm == 32 << 8 && looks_through(b, x)) {
        return ir_trunc32(b, (Val){ inner->a });
    }
    return ir_append_shared(b, make(IR_trunc32, I32, 0, 0, x, none, none), I32);
}

Val ir_zext32(IrBlock *b, Val x)
{
    const IrInsn *inner = definition(b, x);
    uint64_t value;

    if (ir_is_const(b, x, &value)) {
        return ir_const(b, I64, value);
    }
    if (inner->op == IR_trunc32) {
        return ir_ext(b, I64, (Val){ inner->a }, 0, 32);
    }
    return ir_append_shared(b, make(IR_zext32, I64, 0, 0, x, none, none), I64);
}

/* ---- comparisons --------------------------------------------------------------------------- */

static const uint8_t swapped[IR_COND_COUNT] = {
    [EQ] = EQ,
    [NE] = NE,
    [LT] = GT,
    [GE] = LE,
    [LTU] = GTU,
    [GEU] = LEU,
    [LE] = GE,
    [GT] = LT,
    [LEU] = GEU,
    [GTU] = LTU,
};
static const uint8_t inverted[IR_COND_COUNT] = {
    [EQ] = NE,
    [NE] = EQ,
    [LT] = GE,
    [GE] = LT,
    [LTU] = GEU,
    [GEU] = LTU,
    [LE] = GT,
    [GT] = LE,
    [LEU] = GTU,
    [GTU] = LEU,
};

/* The setcond behind v, through zext32; NULL when v is anything else. */
static const IrInsn *is_setcond(const IrBlock *b, Val v)
{
    const IrInsn *i = definition(b, v);

    if (i->op == IR_zext32 && looks_through(b, v)) {
        v.id = i->a;
        i = definition(b, v);
    }
    return i->op == IR_setcond && looks_through(b, v) ? i : NULL;
}

/*
 * x cond 0, once: unsigned comparisons with 0 and 1 are equalities, and a setcond is what it
 * compared.
 */
static bool simplify_with_const(IrBlock *b, IrCompare *c, uint64_t value)
{
    IrType type = type_of(b, c->x);
    const IrInsn *inner;

    if (value == 0 && (c->cond == LTU || c->cond == GEU)) {
        c->truth = c->cond == GEU;
        return false;
    }
    if (value == 0 && (c->cond == GTU || c->cond == LEU)) {
        c->cond = c->cond == GTU ? NE : EQ;
    }
    if (value == 1 && (c->cond == LTU || c->cond == GEU)) {
        c->cond = c->cond == GEU ? NE : EQ;
        c->y = ir_const(b, type, value = 0);
    }
    if (value != 0 || (c->cond != EQ && c->cond != NE)) {
        return false;
    }
    inner = definition(b, c->x);
    if ((inner->op == IR_xor || inner->op == IR_sub) && looks_through(b, c->x)) {
        *c = (IrCompare){ c->cond, { inner->a }, { inner->b }, -1 };
        return true;
    }
    inner = is_setcond(b, c->x);
    if (inner) {
        IrCond cond = (IrCond)(c->cond == NE ? inner->aux : inverted[inner->aux]);

        *c = (IrCompare){ cond, { inner->a }, { inner->b }, -1 };
        return true;
    }
    return false;
}

IrCompare ir_compare(IrBlock *b, IrCond cond, Val x, Val y)
{
    IrCompare c = { cond, x, y, -1 };
    uint64_t left, right;
    bool again = true;

    while (again && c.truth < 0) {
        bool left_const = ir_is_const(b, c.x, &left), right_const = ir_is_const(b, c.y, &right);

        again = false;
        if (left_const && right_const) {
            c.truth = ir_eval_cond(c.cond, type_of(b, c.x), left, right);
        } else if (left_const) {
            c = (IrCompare){ (IrCond)swapped[c.cond], c.y, c.x, -1 };
            again = true;
        } else if (right_const) {
            again = simplify_with_const(b, &c, right);
        } else if (c.x.id == c.y.id) {
            c.truth = ir_eval_cond(c.cond, I64, 0, 0);
        }
    }
    return c;
}

Val ir_setcond(IrBlock *b, IrCond cond, Val x, Val y)
{
    IrCompare c = ir_compare(b, cond, x, y);

    if (c.truth >= 0) {
        return ir_const(b, I32, (unsigned)c.truth);
    }
    return ir_append_shared(b, make(IR_setcond, type_of(b, c.x), c.cond, 0, c.x, c.y, none), I32);
}

Val ir_select(IrBlock *b, Val test, Val yes, Val no)
{
    uint64_t value;

    if (yes.id == no.id) {
        return yes;
    }
    if (ir_is_const(b, test, &value)) {
        return value ? yes : no;
    }
    return ir_append_shared(
        b, make(IR_select, type_of(b, yes), 0, 0, test, yes, no), type_of(b, yes));
}

/* ---- pure operations ----------------------------------------------------------------------- */

/* The operand of `inverse` when that made i's operand. */
static Val undo(const IrBlock *b, const IrInsn *i, IrOp inverse)
{
    const IrInsn *inner = definition(b, (Val){ i->a });

    return inner->op == inverse ? (Val){ inner->a } : none;
}

static Val fold_unary(IrBlock *b, const IrInsn *i)
{
    switch (i->op) {
    case IR_neg:
    case IR_not:
    case IR_fneg: return fold_inverse(b, i);
    case IR_bswap: return i->imm == definition(b, (Val){ i->a })->imm ? fold_inverse(b, i) : none;
    case IR_ext:
    case IR_sext: return fold_ext(b, i);
    case IR_trunc32: return ir_trunc32(b, (Val){ i->a });
    case IR_zext32: return ir_zext32(b, (Val){ i->a });
    case IR_funbox: return undo(b, i, IR_fbox);
    case IR_fbits: return undo(b, i, IR_bitsf);
    case IR_bitsf: return undo(b, i, IR_fbits);
    default: return none;
    }
}

static __attribute__((noinline)) Val fold_consts(IrBlock *b, IrInsn i, uint64_t x, uint64_t y)
{
    IrType type = (IrType)i.type;

    return ir_const(b, type, ir_eval((IrOp)i.op, type, i.aux, i.imm, x, y, 0));
}

/* Of one or two operands. */
static __attribute__((noinline)) Val build_pure(IrBlock *b, IrInsn i)
{
    uint64_t x = 0, y = 0;
    bool x_const = ir_is_const(b, (Val){ i.a }, &x);
    bool y_const = !i.b || ir_is_const(b, (Val){ i.b }, &y);
    IrType type = (IrType)i.type;
    Val v;

    if (x_const && y_const) {
        return fold_consts(b, i, x, y);
    }
    if ((ir_op_effects[i.op] & COMMUTES) && (x_const || (!y_const && i.b < i.a))) {
        i = make((IrOp)i.op, type, i.aux, i.imm, (Val){ i.b }, (Val){ i.a }, none);
    }
    v = i.b ? fold_binary(b, &i) : fold_unary(b, &i);
    return v.id ? v : ir_append_shared(b, i, type);
}

Val ir_aux(IrBlock *b, IrOp op, IrType type, uint8_t aux, int32_t imm, Val x, Val y, Val z)
{
    IrInsn i = make(op, type, aux, imm, x, y, z);
    unsigned effects = ir_op_effects[op];

    if (op == IR_setcond) {
        return ir_setcond(b, (IrCond)aux, x, y);
    }
    if (op == IR_select) {
        return ir_select(b, x, y, z);
    }
    g_assert(!(effects & (MAY_FAULT | CALLS | READS_GVAR)));
    if (effects & FP) {
        return ir_append_result(b, i, ir_is_comparison(op) ? I32 : type);
    }
    if (op == IR_vtof && imm == 0) {
        const IrInsn *inner = definition(b, x);

        if (inner->op == IR_vfromf && b->types[inner->a] == type && looks_through(b, x)) {
            return (Val){ inner->a };
        }
    }
    return effects & VEC ? ir_append_shared(b, i, type) : build_pure(b, i);
}

Val ir_vec(IrBlock *b, IrOp op, uint8_t aux, int32_t imm, Val x, Val y, Val z)
{
    return ir_aux(b, op, V128, aux, imm, x, y, z);
}

Val ir_op1(IrBlock *b, IrOp op, IrType type, Val x)
{
    return build_pure(b, make(op, type, 0, 0, x, none, none));
}

/* Neither a constant nor the inverse of something: what an operation with two of them could fold by. */
static bool is_opaque(const IrBlock *b, Val v)
{
    return b->defined_by[v.id] < IR_CONSTS && definition(b, v)->op != IR_not;
}

Val ir_op2(IrBlock *b, IrOp op, IrType type, Val x, Val y)
{
    if (x.id == y.id || !is_opaque(b, x) || !is_opaque(b, y)) {
        return build_pure(b, make(op, type, 0, 0, x, y, none));
    }
    bool swap = ir_op_effects[op] & COMMUTES && y.id < x.id;
    return ir_append_shared(b, make(op, type, 0, 0, swap ? y : x, swap ? x : y, none), type);
}

/*
 * With a constant other than 0 and -1 on the right, these fold with one kind of operand only, x being of operation
 * folds_with[op]; 0: there is more to know.
 */
static const uint8_t folds_with[IR_OP_COUNT] = {
    [IR_add] = IR_add,
    [IR_and] = IR_and,
    [IR_or] = IR_or,
    [IR_xor] = IR_xor,
    [IR_shl] = IR_shl,
    [IR_shr] = IR_shl,
    [IR_sar] = IR_shl,
};

Val ir_op2_const(IrBlock *b, IrOp op, IrType type, Val x, uint64_t y)
{
    unsigned width = ir_type_bits(type), other = folds_with[op];
    IrInsn i = make(op, type, 0, 0, x, none, none);
    uint64_t known;
    bool is_plain;

    y &= low_mask(width);
    if (ir_is_const(b, x, &known)) {
        return fold_consts(b, i, known, y);
    }
    is_plain = other && definition(b, x)->op != other &&
        y - 1 < (other == IR_shl ? width : low_mask(width)) - 1;
    i.b = ir_const(b, type, y).id;
    return is_plain ? ir_append_shared(b, i, type) : build_pure(b, i);
}

static Val build_field(IrBlock *b, IrOp op, IrType type, Val x, unsigned lsb, unsigned length)
{
    IrInsn i = make(op, type, 0, (int32_t)(lsb | length << 8), x, none, none);
    uint64_t value;

    if (ir_is_const(b, x, &value)) {
        return fold_consts(b, i, value, 0);
    }
    Val v = fold_ext(b, &i);
    return v.id ? v : ir_append_shared(b, i, type);
}

Val ir_ext(IrBlock *b, IrType type, Val x, unsigned lsb, unsigned length)
{
    return build_field(b, IR_ext, type, x, lsb, length);
}

Val ir_sext(IrBlock *b, IrType type, Val x, unsigned lsb, unsigned length)
{
    return build_field(b, IR_sext, type, x, lsb, length);
}

Val ir_sext32(IrBlock *b, Val x)
{
    const IrInsn *i = definition(b, x);

    /* The upper half does not matter: extend the value that was cut. */
    return ir_sext(b, I64, i->op == IR_trunc32 ? (Val){ i->a } : ir_zext32(b, x), 0, 32);
}
