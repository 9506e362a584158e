/* Checks that a block keeps the rules of ir.h and ops.h; runs between passes in debug builds. */
#include <glib.h>

#include "tcg/eval.h"
#include "tcg/text.h"

typedef struct Verifier {
    const IrBlock *b;
    unsigned at;
    unsigned observer;                /* number of the next one */
    unsigned after_label;             /* values are alive that were defined from here on */
    uint16_t defined[IR_MAX_OPS + 1]; /* op index + 1; 0: not yet */
    bool targeted[IR_MAX_LABELS], placed[IR_MAX_LABELS];
    char *error;
} Verifier;

static bool G_GNUC_PRINTF(2, 3) fail(Verifier *v, const char *format, ...)
{
    va_list args;
    g_autofree char *said = NULL;
    unsigned op = v->b->ops[v->at].op;

    va_start(args, format);
    said = g_strdup_vprintf(format, args);
    va_end(args);
    v->error = g_strdup_printf(
        "operation %u (%s): %s", v->at, op < IR_OP_COUNT ? ir_op_names[op] : "dropped", said);
    return false;
}

static bool is_integer(IrType type)
{
    return type == I32 || type == I64;
}

static bool is_float(IrType type)
{
    return type == F32 || type == F64;
}

/* Does a value of this type fit the signature's letter, in an operation of type `own`? */
static bool fits(char letter, IrType type, IrType own)
{
    switch (letter) {
    case 'i': return is_integer(type) && type == own;
    case 'f': return is_float(type) && type == own;
    case 'v': return type == V128;
    case 'j':
    case 'a': return is_integer(type);
    case 'g': return is_float(type);
    default: return true;
    }
}

static bool check_operand(Verifier *v, const IrInsn *i, unsigned n, uint16_t temporary)
{
    char letter = ir_operand_letter((IrOp)i->op, n);
    unsigned defined;

    if (!temporary) {
        return i->op == IR_call || fail(v, "operand %u is missing", n + 1);
    }
    if (temporary > v->b->temp_count || !v->defined[temporary]) {
        return fail(v, "t%u is used before it is defined", temporary);
    }
    defined = v->defined[temporary] - 1u;
    if (v->b->ops[defined].op == IR_OP_COUNT) {
        return fail(v, "the definition of t%u was dropped", temporary);
    }
    if (defined < v->after_label) {
        return fail(v, "t%u does not live across the label", temporary);
    }
    if (!fits(letter, (IrType)v->b->types[temporary], (IrType)i->type)) {
        return fail(v, "t%u is %s", temporary, ir_type_names[v->b->types[temporary]]);
    }
    return true;
}

static bool check_operands(Verifier *v, const IrInsn *i)
{
    const uint16_t operands[] = { i->a, i->b, i->c };
    unsigned count = ir_operand_count((IrOp)i->op);

    for (unsigned n = 0; n < 3; n++) {
        if (n >= count) {
            if (operands[n]) {
                return fail(v, "operand %u is too much", n + 1);
            }
        } else if (!check_operand(v, i, n, operands[n])) {
            return false;
        }
    }
    return true;
}

static bool check_result(Verifier *v, const IrInsn *i)
{
    char letter = ir_result_letter((IrOp)i->op);
    IrType type = ir_is_comparison(i->op) ? I32 : (IrType)i->type;

    if (!i->dst) {
        return !letter || i->op == IR_call || fail(v, "the result is missing");
    }
    if (!letter) {
        return fail(v, "there is no result");
    }
    if (i->dst > v->b->temp_count || v->defined[i->dst]) {
        return fail(v, "t%u is defined twice or out of range", i->dst);
    }
    if (v->b->types[i->dst] != type || !fits(letter, type, type)) {
        return fail(v, "t%u can not be %s", i->dst, ir_type_names[v->b->types[i->dst]]);
    }
    v->defined[i->dst] = (uint16_t)(v->at + 1);
    return true;
}

static bool check_field(Verifier *v, const IrInsn *i)
{
    unsigned lsb = i->imm & 0xff, length = (unsigned)i->imm >> 8;

    return (length >= 1 && lsb + length <= ir_type_bits((IrType)i->type)) ||
        fail(v, "the bit field does not fit");
}

static bool check_gvar(Verifier *v, const IrInsn *i)
{
    if (i->imm < 0 || (unsigned)i->imm >= v->b->gvar_count) {
        return fail(v, "no such guest register");
    }
    if (v->b->gvars[i->imm].type != i->type || (i->op == IR_put && v->b->types[i->a] != i->type)) {
        return fail(
            v, "'%s' is %s", v->b->gvars[i->imm].name, ir_type_names[v->b->gvars[i->imm].type]);
    }
    return true;
}

static bool check_label(Verifier *v, const IrInsn *i)
{
    if (i->imm < 0 || (unsigned)i->imm >= MIN(v->b->label_count, IR_MAX_LABELS)) {
        return fail(v, "no such label");
    }
    if (v->placed[i->imm]) {
        return fail(v, i->op == IR_label ? "L%d is placed twice" : "L%d is behind", i->imm);
    }
    if (i->op == IR_label) {
        v->placed[i->imm] = true;
        v->after_label = v->at;
    } else {
        v->targeted[i->imm] = true;
    }
    return true;
}

static bool is_below(Verifier *v, int32_t imm, unsigned count, const char *what)
{
    return (imm >= 0 && (unsigned)imm < count) || fail(v, "no such %s", what);
}

static bool check_imm(Verifier *v, const IrInsn *i)
{
    switch (ir_imm_kind((IrOp)i->op)) {
    case IMM_VALUE: return is_below(v, i->imm, v->b->const_count, "constant");
    case IMM_VALUE2: return is_below(v, i->imm, MAX(v->b->const_count, 1) - 1, "constant");
    case IMM_GVAR: return check_gvar(v, i);
    case IMM_FIELD: return check_field(v, i);
    case IMM_LABEL: return check_label(v, i);
    case IMM_PC: return is_below(v, i->imm, v->b->exit_count, "exit");
    case IMM_HELPER: return is_below(v, i->imm, v->b->helper_count, "helper");
    case IMM_REASON: return is_below(v, i->imm, EXIT_BUDGET + 1, "exit reason");
    case IMM_RMW: return is_below(v, i->imm, RMW_KIND_COUNT, "kind of rmw");
    case IMM_NUMBER:
    case IMM_NONE: break;
    }
    return true;
}

/* Memory accesses are as wide as a float, and never wider than an integer. */
static bool check_memop(Verifier *v, const IrInsn *i)
{
    unsigned bits = 8u << (i->aux & MEM_SIZE);

    if (i->op == IR_vload || i->op == IR_vstore) {
        return bits == 128 || fail(v, "a vector is 128 bits");
    }
    if (i->op == IR_fload || i->op == IR_fstore) {
        return bits == ir_type_bits((IrType)i->type) ||
            fail(v, "the access is not as wide as the float");
    }
    return bits <= ir_type_bits((IrType)i->type) || fail(v, "the access is wider than its type");
}

static bool check_lane(Verifier *v, const IrInsn *i)
{
    unsigned lanes = 16u >> (i->aux & 3), last = (unsigned)i->imm;

    if ((i->aux & LANE_SIZE) > LANE_64) {
        return fail(v, "no such lane");
    }
    switch (i->op) {
    case IR_vins: last = MAX(last & 15, last >> 4); break;
    case IR_vtof:
    case IR_vget:
    case IR_vset:
    case IR_vduplane: break;
    default: return true;
    }
    return last < lanes || fail(v, "the vector has %u lanes", lanes);
}

static bool check_aux(Verifier *v, const IrInsn *i)
{
    switch (ir_aux_kind((IrOp)i->op)) {
    case AUX_COND: return (i->aux & ~GOTO_CHECK) < IR_COND_COUNT || fail(v, "no such condition");
    case AUX_MEMOP: return check_memop(v, i);
    case AUX_LANE: return check_lane(v, i);
    case AUX_FP: return ir_round_names[i->aux & FP_ROUND] || fail(v, "no such rounding mode");
    default: return true;
    }
}

/* What ends a block is its last operation, or a label follows. */
static bool check_end(Verifier *v, const IrInsn *i)
{
    bool ends = ir_op_effects[i->op] & ENDS;
    bool last = v->at + 1 == v->b->op_count;

    if (last && !ends) {
        return fail(v, "the block does not end");
    }
    if (ends && !last && i[1].op != IR_label) {
        return fail(v, "the block goes on after its end");
    }
    return true;
}

/* The builder lists what can leave the block, labels and calls. */
static bool check_observer(Verifier *v, const IrInsn *i)
{
    const IrBlock *b = v->b;
    const IrObserver *o;

    if (b->observer_count == 0 ||
        !(ir_op_effects[i->op] & (MAY_FAULT | CALLS) || i->op == IR_label)) {
        return true;
    }
    while (v->observer < b->observer_count && b->observers[v->observer].op < v->at) {
        v->observer++;
    }
    o = &b->observers[v->observer];
    if (v->observer == b->observer_count || o->op != v->at) {
        return fail(v, "not among the observers");
    }
    if ((o->insn && b->insns[o->insn].op > v->at) ||
        (o->insn + 1u < b->guest_insns && b->insns[o->insn + 1].op <= v->at)) {
        return fail(v, "an observer of another instruction");
    }
    return true;
}

static bool is_const_op(unsigned op)
{
    return op == IR_const || op == IR_fconst || op == IR_vconst;
}

static bool check_insn(Verifier *v, const IrInsn *i)
{
    if (i->op == IR_OP_COUNT) {
        return true;
    }
    if (i->op > IR_OP_COUNT || i->type >= IR_TYPE_COUNT) {
        return fail(v, "no such operation or type");
    }
    if (is_const_op(i->op) != (v->at >= IR_CONSTS)) {
        return fail(v, "constants are apart");
    }
    return check_operands(v, i) && check_imm(v, i) && check_aux(v, i) && check_result(v, i) &&
        check_observer(v, i) && check_end(v, i);
}

static void check_insns(Verifier *v, unsigned first, unsigned end)
{
    for (v->at = first; v->at < end && !v->error; v->at++) {
        check_insn(v, &v->b->ops[v->at]);
    }
}

char *ir_verify(const IrBlock *b)
{
    Verifier v = { .b = b };

    if (b->op_count == 0) {
        return g_strdup("the block is empty");
    }
    check_insns(&v, IR_CONSTS, IR_CONSTS + b->const_count);
    check_insns(&v, 0, b->op_count);
    for (unsigned label = 0; label < b->label_count && !v.error; label++) {
        if (v.targeted[label] && !v.placed[label]) {
            return g_strdup_printf("L%u is branched to, but nowhere", label);
        }
    }
    return v.error;
}
