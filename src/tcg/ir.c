/*
 * The folding builder: appends operations to a block and simplifies them on the way, so that tier
 * 1 needs no optimiser pass. It looks back through definitions only, never forward, and moves
 * nothing: an operation that may fault, a put and a call stay where the frontend asked for them.
 */
#include <glib.h>
#include <string.h>

#include "tcg/eval.h"
#include "tcg/ir.h"

#define OP(name, signature, effects) #name,
const char *const ir_op_names[IR_OP_COUNT] = {
#include "tcg/ops.h"
};
#undef OP

#define OP(name, signature, effects) signature,
const char *const ir_op_signatures[IR_OP_COUNT] = {
#include "tcg/ops.h"
};
#undef OP

#define OP(name, signature, effects) (effects),
const uint16_t ir_op_effects[IR_OP_COUNT] = {
#include "tcg/ops.h"
};
#undef OP

static const Val none = { 0 };

static Val build_field(IrBlock *b, IrOp op, IrType type, Val x, unsigned lsb, unsigned length);

/* ---- the buffer ---------------------------------------------------------------------------- */

void ir_begin(IrBlock *b, const GVar *gvars, unsigned gvar_count, uint64_t pc, uint32_t mode)
{
    g_assert(gvar_count <= G_N_ELEMENTS(b->gvar_value));
    b->gvars = gvars;
    b->gvar_count = gvar_count;
    b->pc = b->insn_pc = pc;
    b->mode = mode;
    b->guest_size = 0;
    b->guest_insns = 0;
    b->counted = false;
    b->op_count = b->temp_count = b->exit_count = 0;
    b->const_count = b->helper_count = b->label_count = 0;
    b->observed = 0;
    memset(b->gvar_value, 0, gvar_count * sizeof(b->gvar_value[0]));
    memset(b->cse, 0, sizeof(b->cse));
}

bool ir_has_room(const IrBlock *b)
{
    return b->guest_insns < IR_MAX_INSNS && b->op_count + IR_ROOM <= IR_MAX_OPS &&
        b->exit_count + 8 <= IR_MAX_EXITS && b->label_count + 8 <= IR_MAX_LABELS;
}

static IrInsn make(IrOp op, IrType type, unsigned aux, int32_t imm, Val x, Val y, Val z)
{
    return (IrInsn){ .op = op, .type = type, .aux = (uint8_t)aux, .a = x.id, .b = y.id, .c = z.id,
        .imm = imm };
}

static IrType result_type(const IrInsn *i)
{
    return i->op == IR_setcond || i->op == IR_fcmp ? I32 : (IrType)i->type;
}

/* Appends as is. The result exists when has_result. */
static Val append(IrBlock *b, IrInsn i, bool has_result)
{
    unsigned at = b->op_count++;

    g_assert(at < IR_MAX_OPS);
    if (has_result) {
        i.dst = (uint16_t)++b->temp_count;
        b->types[i.dst] = result_type(&i);
        b->defined_by[i.dst] = (uint16_t)at;
        b->was_put[i.dst] = 0;
    }
    b->ops[at] = i;
    return (Val){ i.dst };
}

/* Appends what can leave the block here, so that the gvars are seen as they are. */
static Val append_observer(IrBlock *b, IrInsn i, bool has_result)
{
    b->observed = b->op_count;
    return append(b, i, has_result);
}

static const IrInsn *definition(const IrBlock *b, Val v)
{
    return &b->ops[b->defined_by[v.id]];
}

static IrType type_of(const IrBlock *b, Val v)
{
    return (IrType)b->types[v.id];
}

/* ---- sharing equal operations -------------------------------------------------------------- */

/*
 * Equal but for dst. Field by field: wider loads would wait for the narrow stores that just made
 * y.
 */
static bool same_operation(const IrInsn *x, const IrInsn *y)
{
    return x->op == y->op && x->a == y->a && x->b == y->b && x->imm == y->imm &&
        x->type == y->type && x->aux == y->aux && x->c == y->c;
}

static unsigned cse_slot(const IrInsn *i)
{
    uint32_t hash = i->op * 37u + i->type * 17u + i->a * 5u + i->b * 11u;

    hash += (uint32_t)i->imm * 0x9e3779b1u;
    return (hash ^ hash >> 16 ^ hash >> 26) & 63;
}

static Val append_shared(IrBlock *b, IrInsn i)
{
    uint16_t *slot = &b->cse[cse_slot(&i)];
    Val v;

    if (*slot && same_operation(&b->ops[b->defined_by[*slot]], &i)) {
        return (Val){ *slot };
    }
    v = append(b, i, true);
    *slot = v.id;
    return v;
}

/* ---- constants ----------------------------------------------------------------------------- */

/* Index in consts. */
static int32_t wide_const(IrBlock *b, uint64_t value)
{
    for (unsigned c = 0; c < b->const_count; c++) {
        if (b->consts[c] == value) {
            return (int32_t)c;
        }
    }
    b->consts[b->const_count] = value;
    return (int32_t)b->const_count++;
}

Val ir_const(IrBlock *b, IrType type, uint64_t value)
{
    IrInsn i = { .op = type == F32 || type == F64 ? IR_fconst : IR_const, .type = type };
    int64_t extended = sign_extend(value, ir_type_bits(type));

    if (extended == (int32_t)extended) {
        i.imm = (int32_t)extended;
        return append_shared(b, i);
    }
    i.aux = 1;
    i.imm = wide_const(b, value);
    return append_shared(b, i);
}

bool ir_is_const(const IrBlock *b, Val v, uint64_t *value)
{
    const IrInsn *i = definition(b, v);

    if (i->op != IR_const && i->op != IR_fconst) {
        return false;
    }
    *value = ir_const_value(b, i);
    return true;
}

/* A constant equal to value? */
static bool is_value(const IrBlock *b, Val v, uint64_t value)
{
    uint64_t known;

    return ir_is_const(b, v, &known) && known == value;
}

/* ---- laws of binary operations ------------------------------------------------------------- */

typedef enum Law { NONE, X, ZERO, ONES, NOT_X, NEG_X, NOT_Y, NEG_Y } Law;

typedef struct Laws {
    uint8_t zero, one, ones;        /* y is 0, 1, all ones */
    uint8_t same;                   /* y is x */
    uint8_t zero_left;              /* x is 0 */
    bool    chains;                 /* (x op c1) op c2 = x op (c1 op c2) */
} Laws;

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

static Val apply(IrBlock *b, Law law, IrType type, Val x, Val y)
{
    switch (law) {
    case NONE:  return none;
    case X:     return x;
    case ZERO:  return ir_const(b, type, 0);
    case ONES:  return ir_const(b, type, low_mask(ir_type_bits(type)));
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
            return ir_op2(b, IR_shl, (IrType)i->type, (Val){ inner->a },
                ir_const(b, (IrType)i->type, before + count));
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
        return ir_op2(b, IR_add, type, x, ir_const(b, type, -c & low_mask(ir_type_bits(type))));
    }
    if (is_power_of_two(c) && i->op == IR_mul) {
        return ir_op2(b, IR_shl, type, x, ir_const(b, type, (unsigned)__builtin_ctzll(c)));
    }
    if (is_power_of_two(c) && i->op == IR_divu) {
        return ir_op2(b, IR_shr, type, x, ir_const(b, type, (unsigned)__builtin_ctzll(c)));
    }
    if (is_power_of_two(c) && i->op == IR_remu) {
        return ir_op2(b, IR_and, type, x, ir_const(b, type, c - 1));
    }
    if (laws[i->op].chains && (inner = is_op_const(b, x, (IrOp)i->op, type, &before))) {
        return ir_op2(b, (IrOp)i->op, type, (Val){ inner->a },
            ir_const(b, type, ir_eval((IrOp)i->op, type, 0, 0, before, c, 0)));
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
        unsigned which = c == 0 ? law->zero : c == 1 ? law->one :
            c == low_mask(ir_type_bits(type)) ? law->ones : NONE;

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
    case IR_setcond: case IR_fcmp:
        return 1;
    case IR_ext:
        return (unsigned)i->imm >> 8;
    case IR_zext32:
        return 32;
    case IR_load:
        return i->aux & MEM_SIGNED ? width : MIN(width, 8u << (i->aux & MEM_SIZE));
    case IR_const:
        c = ir_const_value(b, i);
        return c ? 64 - (unsigned)__builtin_clzll(c) : 1;
    case IR_and:
        return ir_is_const(b, (Val){ i->b }, &c) && c ? 64 - (unsigned)__builtin_clzll(c) : width;
    case IR_shr:
        return ir_is_const(b, (Val){ i->b }, &c) ? width - (unsigned)c : width;
    default:
        return width;
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
    if (i->op == IR_load && (i->aux & MEM_SIGNED)) {
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
        return ir_op2(b, IR_shr, type, x, ir_const(b, type, lsb));
    }
    if (i->op == IR_sext && lsb + length == ir_type_bits(type)) {
        return ir_op2(b, IR_sar, type, x, ir_const(b, type, lsb));
    }
    return none;
}

/* op1(op2(x)) = x. */
static Val fold_inverse(const IrBlock *b, const IrInsn *i)
{
    const IrInsn *inner = definition(b, (Val){ i->a });

    return inner->op == i->op && looks_through(b, (Val){ i->a }) ? (Val){ inner->a } : none;
}

static Val fold_trunc32(IrBlock *b, const IrInsn *i)
{
    const IrInsn *inner = definition(b, (Val){ i->a });

    if (inner->op == IR_zext32) {
        return (Val){ inner->a };
    }
    if (is_field(inner) && inner->imm == 32 << 8 && looks_through(b, (Val){ i->a })) {
        return ir_trunc32(b, (Val){ inner->a });
    }
    return none;
}

static Val fold_zext32(IrBlock *b, const IrInsn *i)
{
    const IrInsn *inner = definition(b, (Val){ i->a });

    return inner->op == IR_trunc32 ? ir_ext(b, I64, (Val){ inner->a }, 0, 32) : none;
}

/* ---- comparisons --------------------------------------------------------------------------- */

static const uint8_t swapped[IR_COND_COUNT] = {
    [EQ] = EQ, [NE] = NE, [LT] = GT, [GE] = LE, [LTU] = GTU, [GEU] = LEU, [LE] = GE, [GT] = LT,
    [LEU] = GEU, [GTU] = LTU,
};
static const uint8_t inverted[IR_COND_COUNT] = {
    [EQ] = NE, [NE] = EQ, [LT] = GE, [GE] = LT, [LTU] = GEU, [GEU] = LTU, [LE] = GT, [GT] = LE,
    [LEU] = GTU, [GTU] = LEU,
};

/* What is compared. truth: -1 unknown, else the answer. */
typedef struct Compare {
    IrCond cond;
    Val    x, y;
    int    truth;
} Compare;

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
static bool simplify_with_const(IrBlock *b, Compare *c, uint64_t value)
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
        *c = (Compare){ c->cond, { inner->a }, { inner->b }, -1 };
        return true;
    }
    inner = is_setcond(b, c->x);
    if (inner) {
        IrCond cond = (IrCond)(c->cond == NE ? inner->aux : inverted[inner->aux]);

        *c = (Compare){ cond, { inner->a }, { inner->b }, -1 };
        return true;
    }
    return false;
}

static Compare simplify_compare(IrBlock *b, IrCond cond, Val x, Val y)
{
    Compare c = { cond, x, y, -1 };
    uint64_t left, right;
    bool again = true;

    while (again && c.truth < 0) {
        bool left_const = ir_is_const(b, c.x, &left), right_const = ir_is_const(b, c.y, &right);

        again = false;
        if (left_const && right_const) {
            c.truth = ir_eval_cond(c.cond, type_of(b, c.x), left, right);
        } else if (left_const) {
            c = (Compare){ (IrCond)swapped[c.cond], c.y, c.x, -1 };
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
    Compare c = simplify_compare(b, cond, x, y);

    if (c.truth >= 0) {
        return ir_const(b, I32, (unsigned)c.truth);
    }
    return append_shared(b, make(IR_setcond, type_of(b, c.x), c.cond, 0, c.x, c.y, none));
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
    return append_shared(b, make(IR_select, type_of(b, yes), 0, 0, test, yes, no));
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
    case IR_neg: case IR_not: case IR_fneg:
        return fold_inverse(b, i);
    case IR_bswap:
        return i->imm == definition(b, (Val){ i->a })->imm ? fold_inverse(b, i) : none;
    case IR_ext: case IR_sext:
        return fold_ext(b, i);
    case IR_trunc32:
        return fold_trunc32(b, i);
    case IR_zext32:
        return fold_zext32(b, i);
    case IR_funbox:
        return undo(b, i, IR_fbox);
    case IR_fbits:
        return undo(b, i, IR_bitsf);
    case IR_bitsf:
        return undo(b, i, IR_fbits);
    default:
        return none;
    }
}

/* Of one or two operands. */
static Val build_pure(IrBlock *b, IrInsn i)
{
    uint64_t x = 0, y = 0;
    bool x_const = ir_is_const(b, (Val){ i.a }, &x);
    bool y_const = !i.b || ir_is_const(b, (Val){ i.b }, &y);
    IrType type = (IrType)i.type;
    Val v;

    if (x_const && y_const) {
        return ir_const(b, type, ir_eval((IrOp)i.op, type, i.aux, i.imm, x, y, 0));
    }
    if ((ir_op_effects[i.op] & COMMUTES) && (x_const || (!y_const && i.b < i.a))) {
        uint16_t a = i.a;

        i.a = i.b;
        i.b = a;
    }
    v = i.b ? fold_binary(b, &i) : fold_unary(b, &i);
    return v.id ? v : append_shared(b, i);
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
    return effects & PURE ? build_pure(b, i) : append(b, i, true);
}

Val ir_op1(IrBlock *b, IrOp op, IrType type, Val x)
{
    return build_pure(b, make(op, type, 0, 0, x, none, none));
}

Val ir_op2(IrBlock *b, IrOp op, IrType type, Val x, Val y)
{
    return build_pure(b, make(op, type, 0, 0, x, y, none));
}

static Val build_field(IrBlock *b, IrOp op, IrType type, Val x, unsigned lsb, unsigned length)
{
    return build_pure(b, make(op, type, 0, (int32_t)(lsb | length << 8), x, none, none));
}

Val ir_ext(IrBlock *b, IrType type, Val x, unsigned lsb, unsigned length)
{
    return build_field(b, IR_ext, type, x, lsb, length);
}

Val ir_sext(IrBlock *b, IrType type, Val x, unsigned lsb, unsigned length)
{
    return build_field(b, IR_sext, type, x, lsb, length);
}

Val ir_zext32(IrBlock *b, Val x)
{
    return ir_op1(b, IR_zext32, I64, x);
}

Val ir_sext32(IrBlock *b, Val x)
{
    const IrInsn *i = definition(b, x);

    /* The upper half does not matter: extend the value that was cut. */
    return ir_sext(b, I64, i->op == IR_trunc32 ? (Val){ i->a } : ir_zext32(b, x), 0, 32);
}

Val ir_trunc32(IrBlock *b, Val x)
{
    return ir_op1(b, IR_trunc32, I32, x);
}

/* ---- the CPU's state ----------------------------------------------------------------------- */

void ir_insn(IrBlock *b, uint64_t pc, unsigned length)
{
    uint32_t end = (uint32_t)(pc + length - b->pc);

    b->insn_pc = pc;
    b->guest_insns++;
    b->guest_size = MAX(b->guest_size, end);
    append(b, make(IR_insn, I32, length, (int32_t)(pc - b->pc), none, none, none), false);
}

Val ir_get(IrBlock *b, unsigned gvar)
{
    IrType type = (IrType)b->gvars[gvar].type;
    Val v = { b->gvar_value[gvar] };

    if (!v.id) {
        v = append(b, make(IR_get, type, 0, (int32_t)gvar, none, none, none), true);
        b->gvar_value[gvar] = v.id;
        b->was_put[v.id] = 1;
    }
    return v;
}

void ir_put(IrBlock *b, unsigned gvar, Val value)
{
    IrType type = (IrType)b->gvars[gvar].type;

    if (b->gvar_value[gvar] == value.id) {
        return;
    }
    b->gvar_value[gvar] = value.id;
    b->was_put[value.id] = 1;
    append(b, make(IR_put, type, 0, (int32_t)gvar, value, none, none), false);
}

Val ir_ldenv(IrBlock *b, IrType type, MemOp width, size_t offset)
{
    return append(b, make(IR_ldenv, type, width, (int32_t)offset, none, none, none), true);
}

void ir_stenv(IrBlock *b, MemOp width, size_t offset, Val value)
{
    append(b, make(IR_stenv, type_of(b, value), width, (int32_t)offset, value, none, none), false);
}

/* ---- guest memory -------------------------------------------------------------------------- */

/* Takes a constant term of the address into the offset, unless the address is at hand in a gvar. */
static void fold_address(const IrBlock *b, Val *address, int32_t *offset)
{
    const IrInsn *i = definition(b, *address);
    uint64_t term;
    int64_t sum;

    if (i->op != IR_add || b->was_put[address->id] || !ir_is_const(b, (Val){ i->b }, &term)) {
        return;
    }
    sum = sign_extend(term, ir_type_bits((IrType)i->type)) + (int64_t)*offset;
    if (sum == (int32_t)sum) {
        *offset = (int32_t)sum;
        address->id = i->a;
    }
}

static IrOp by_type(IrType type, IrOp integer, IrOp real, IrOp vector)
{
    return type == V128 ? vector : type == F32 || type == F64 ? real : integer;
}

Val ir_load(IrBlock *b, IrType type, MemOp op, Val address, int32_t offset)
{
    IrOp load = by_type(type, IR_load, IR_fload, IR_vload);

    fold_address(b, &address, &offset);
    return append_observer(b, make(load, type, op, offset, address, none, none), true);
}

void ir_store(IrBlock *b, MemOp op, Val address, int32_t offset, Val value)
{
    IrType type = type_of(b, value);
    IrOp store = by_type(type, IR_store, IR_fstore, IR_vstore);

    fold_address(b, &address, &offset);
    append_observer(b, make(store, type, op, offset, address, value, none), false);
}

Val ir_rmw(IrBlock *b, RmwKind kind, IrType type, MemOp op, Val address, Val operand)
{
    return append_observer(b, make(IR_rmw, type, op, (int32_t)kind, address, operand, none), true);
}

Val ir_cas(IrBlock *b, IrType type, MemOp op, Val address, Val expected, Val desired)
{
    return append_observer(b, make(IR_cas, type, op, 0, address, expected, desired), true);
}

void ir_fence(IrBlock *b, FenceKind kind)
{
    append(b, make(IR_fence, I32, 0, (int32_t)kind, none, none, none), false);
}

Val ir_fp_flags(IrBlock *b)
{
    return append(b, (IrInsn){ .op = IR_getflags, .type = I32 }, true);
}

void ir_set_fp_flags(IrBlock *b, Val flags)
{
    append(b, (IrInsn){ .op = IR_setflags, .type = I32, .a = flags.id }, false);
}

/* ---- calls and control --------------------------------------------------------------------- */

static void forget_gvars(IrBlock *b)
{
    memset(b->gvar_value, 0, b->gvar_count * sizeof(b->gvar_value[0]));
}

static Val build_call(IrBlock *b, IrInsn i, const Helper *helper, bool has_result)
{
    i.imm = (int32_t)b->helper_count;
    b->helpers[b->helper_count++] = helper;
    if (helper->flags & HELPER_LEAF) {
        return append(b, i, has_result);
    }
    forget_gvars(b);
    return append_observer(b, i, has_result);
}

Val ir_call(IrBlock *b, IrType type, const Helper *helper, Val x, Val y, Val z)
{
    return build_call(b, make(IR_call, type, 0, 0, x, y, z), helper, true);
}

void ir_call_void(IrBlock *b, const Helper *helper, Val x, Val y, Val z)
{
    build_call(b, make(IR_call, I64, 0, 0, x, y, z), helper, false);
}

unsigned ir_label_new(IrBlock *b)
{
    g_assert(b->label_count < IR_MAX_LABELS);
    return b->label_count++;
}

void ir_label(IrBlock *b, unsigned label)
{
    append_observer(b, make(IR_label, I32, 0, (int32_t)label, none, none, none), false);
    forget_gvars(b);
    memset(b->cse, 0, sizeof(b->cse));
}

void ir_br(IrBlock *b, unsigned label)
{
    append_observer(b, make(IR_br, I32, 0, (int32_t)label, none, none, none), false);
}

void ir_brcond(IrBlock *b, unsigned label, IrCond cond, Val x, Val y)
{
    Compare c = simplify_compare(b, cond, x, y);

    if (c.truth == 1) {
        ir_br(b, label);
    } else if (c.truth < 0) {
        append_observer(b,
            make(IR_brcond, type_of(b, c.x), c.cond, (int32_t)label, c.x, c.y, none), false);
    }
}

/* imm: a new exit to pc; aux gets GOTO_CHECK when that goes backward. */
static IrInsn with_exit(IrBlock *b, IrInsn i, uint64_t pc)
{
    g_assert(b->exit_count < IR_MAX_EXITS);
    i.imm = (int32_t)b->exit_count;
    i.aux |= pc <= b->insn_pc ? GOTO_CHECK : 0;
    b->exits[b->exit_count++].pc = pc;
    return i;
}

void ir_goto(IrBlock *b, uint64_t pc)
{
    append_observer(b, with_exit(b, make(IR_goto, I32, 0, 0, none, none, none), pc), false);
}

void ir_goto_if(IrBlock *b, IrCond cond, Val x, Val y, uint64_t pc)
{
    Compare c = simplify_compare(b, cond, x, y);
    IrInsn i = make(IR_gotocond, type_of(b, c.x), c.cond, 0, c.x, c.y, none);

    /* One that is always taken stays conditional: the frontend does not expect the block to end. */
    if (c.truth != 0) {
        append_observer(b, with_exit(b, i, pc), false);
    }
}

void ir_goto_val(IrBlock *b, JumpKind kind, Val pc)
{
    append_observer(b, make(IR_gotoval, type_of(b, pc), kind, 0, pc, none, none), false);
}

void ir_exit(IrBlock *b, ExitReason reason, Val pc)
{
    append_observer(b, make(IR_exit, type_of(b, pc), 0, (int32_t)reason, pc, none, none), false);
}
