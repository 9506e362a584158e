/*
 * The builder: appends operations to a block, shares equal ones and knows what the gvars hold.
 * What it appends is simplified on the way (fold.c), so that tier 1 needs no optimiser pass. It
 * looks back through definitions only, never forward, and moves nothing: an operation that may
 * fault, a put and a call stay where the frontend asked for them.
 */
#include <glib.h>
#include <string.h>

#include "tcg/eval.h"
#include "tcg/ir-impl.h"

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

/* ---- the buffer ---------------------------------------------------------------------------- */

void ir_begin(IrBlock *b, const GVar *gvars, unsigned gvar_count, uint64_t pc, uint32_t mode)
{
    g_assert(gvar_count <= G_N_ELEMENTS(b->gvar_state));
    b->gvars = gvars;
    b->gvar_count = gvar_count;
    b->pc = b->insn_pc = pc;
    b->mode = mode;
    b->guest_size = 0;
    b->guest_insns = 0;
    b->counted = false;
    b->op_count = b->temp_count = b->exit_count = 0;
    b->const_count = b->helper_count = b->label_count = 0;
    b->observed = b->observer_count = 0;
    memset(b->gvar_state, 0, gvar_count * sizeof(b->gvar_state[0]));
}

Val ir_append(IrBlock *b, IrInsn i)
{
    unsigned at = b->op_count++;

    g_assert(at < IR_MAX_OPS);
    b->ops[at] = i;
    return none;
}

Val ir_append_result(IrBlock *b, IrInsn i, IrType type)
{
    unsigned at = b->op_count++, dst = ++b->temp_count;
    IrWords words = words_of(&i);

    g_assert(at < IR_MAX_OPS && dst <= IR_MAX_OPS);
    b->types[dst] = (uint8_t)type;
    b->defined_by[dst] = (uint16_t)at;
    b->was_put[dst] = 0;
    words.low |= (uint64_t)dst << WORD_DST;
    b->ops[at] = insn_of(words);
    return (Val){ (uint16_t)dst };
}

/* The next operation is one. */
static inline void add_observer(IrBlock *b)
{
    unsigned insn = b->guest_insns ? b->guest_insns - 1 : 0;

    b->observers[b->observer_count++] = (IrObserver){ (uint16_t)b->op_count, (uint8_t)insn };
}

/* Appends what can leave the block here, so that the gvars are seen as they are. */
static Val append_observer(IrBlock *b, IrInsn i)
{
    b->observed = b->op_count;
    add_observer(b);
    return ir_append(b, i);
}

static Val append_observer_result(IrBlock *b, IrInsn i, IrType type)
{
    b->observed = b->op_count;
    add_observer(b);
    return ir_append_result(b, i, type);
}

/* ---- sharing equal operations -------------------------------------------------------------- */

static unsigned cse_slot(IrWords w)
{
    return (w.low * UINT64_C(0x9e3779b97f4a7c15) + w.high * UINT64_C(0xd6e8feb86659fd93)) >> 58;
}

/* dst of i is 0. A slot may be of a block before this one, or 0: what it names must be here, and be the same. */
Val ir_append_shared(IrBlock *b, IrInsn i, IrType type)
{
    IrWords words = words_of(&i), other;
    uint16_t *slot = &b->cse[cse_slot(words)];
    Val v;

    if (*slot <= b->temp_count) {
        other = words_of(&b->ops[b->defined_by[*slot]]);
        if ((words.low | (uint64_t)*slot << WORD_DST) == other.low && words.high == other.high) {
            return (Val){ *slot };
        }
    }
    v = ir_append_result(b, i, type);
    *slot = v.id;
    return v;
}

/* ---- constants ----------------------------------------------------------------------------- */

static IrOp const_op(IrType type)
{
    return type == V128 ? IR_vconst : type == F32 || type == F64 ? IR_fconst : IR_const;
}

void ir_define_const(IrBlock *b, IrType type, unsigned dst, uint64_t low, uint64_t high)
{
    unsigned n = b->const_count, places = type == V128 ? 2 : 1;

    g_assert(n + places <= IR_MAX_OPS && dst <= IR_MAX_OPS);
    b->const_count += places;
    b->consts[n] = low;
    b->ops[IR_CONSTS + n] = make(const_op(type), type, 0, (int32_t)n, none, none, none);
    b->ops[IR_CONSTS + n].dst = (uint16_t)dst;
    if (type == V128) {
        b->consts[n + 1] = high;
        b->ops[IR_CONSTS + n + 1] = make(IR_OP_COUNT, type, 0, 0, none, none, none);
    }
    b->types[dst] = (uint8_t)type;
    b->defined_by[dst] = (uint16_t)(IR_CONSTS + n);
    b->was_put[dst] = 0;
}

static Val new_const(IrBlock *b, IrType type, uint64_t low, uint64_t high)
{
    ir_define_const(b, type, ++b->temp_count, low, high);
    return (Val){ (uint16_t)b->temp_count };
}

static bool is_equal_const(const IrBlock *b, unsigned n, IrType type, uint64_t value)
{
    return n < b->const_count && b->consts[n] == value && b->ops[IR_CONSTS + n].type == type;
}

Val ir_const(IrBlock *b, IrType type, uint64_t value)
{
    uint64_t all = value & low_mask(ir_type_bits(type));
    uint16_t *slot = &b->const_slot[(all + type) * UINT64_C(0x9e3779b97f4a7c15) >> 58];

    if (is_equal_const(b, *slot, type, all)) {
        return (Val){ b->ops[IR_CONSTS + *slot].dst };
    }
    *slot = (uint16_t)b->const_count;
    return new_const(b, type, all, 0);
}

Val ir_vconst(IrBlock *b, uint64_t low, uint64_t high)
{
    for (unsigned n = 0; n + 1 < b->const_count; n++) {
        if (is_equal_const(b, n, V128, low) && b->ops[IR_CONSTS + n].dst &&
            b->consts[n + 1] == high) {
            return (Val){ b->ops[IR_CONSTS + n].dst };
        }
    }
    return new_const(b, V128, low, high);
}

/* ---- the CPU's state ----------------------------------------------------------------------- */

void ir_insn(IrBlock *b, uint64_t pc, unsigned length)
{
    uint32_t start = (uint32_t)(pc - b->pc), end = start + length;

    g_assert(b->guest_insns < IR_MAX_INSNS);
    b->insns[b->guest_insns++] = (IrMark){ (uint16_t)b->op_count, (uint16_t)start,
        (uint8_t)length };
    b->insn_pc = pc;
    b->guest_size = MAX(b->guest_size, end);
}

/* Of which nothing is known. */
Val ir_get_first(IrBlock *b, unsigned gvar)
{
    IrType type = (IrType)b->gvars[gvar].type;
    Val v = ir_append_result(b, make(IR_get, type, 0, (int32_t)gvar, none, none, none), type);

    b->gvar_state[gvar].value = v.id;
    b->was_put[v.id] = 1;
    return v;
}

/* What was put before is dropped where nobody can have seen it. */
void ir_put(IrBlock *b, unsigned gvar, Val value)
{
    IrType type = (IrType)b->gvars[gvar].type;
    IrGvarState *state = &b->gvar_state[gvar];

    if (state->value == value.id) {
        return;
    }
    if (state->put > b->observed) {
        b->ops[state->put - 1].op = IR_OP_COUNT;
    }
    b->was_put[value.id] = 1;
    ir_append(b, make(IR_put, type, 0, (int32_t)gvar, value, none, none));
    *state = (IrGvarState){ value.id, (uint16_t)b->op_count };
}

Val ir_ldenv(IrBlock *b, IrType type, MemOp width, size_t offset)
{
    return ir_append_result(
        b, make(IR_ldenv, type, width, (int32_t)offset, none, none, none), type);
}

void ir_stenv(IrBlock *b, MemOp width, size_t offset, Val value)
{
    IrType type = type_of(b, value);

    ir_append(b, make(IR_stenv, type, width, (int32_t)offset, value, none, none));
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
    return append_observer_result(b, make(load, type, op, offset, address, none, none), type);
}

void ir_store(IrBlock *b, MemOp op, Val address, int32_t offset, Val value)
{
    IrType type = type_of(b, value);
    IrOp store = by_type(type, IR_store, IR_fstore, IR_vstore);

    fold_address(b, &address, &offset);
    append_observer(b, make(store, type, op, offset, address, value, none));
}

Val ir_load_as(IrBlock *b, IrType type, MemOp op, Val address, int32_t offset)
{
    fold_address(b, &address, &offset);
    return append_observer_result(b, make(IR_loadas, type, op, offset, address, none, none), type);
}

void ir_store_as(IrBlock *b, MemOp op, Val address, int32_t offset, Val value)
{
    fold_address(b, &address, &offset);
    append_observer(b, make(IR_storeas, type_of(b, value), op, offset, address, value, none));
}

Val ir_rmw(IrBlock *b, RmwKind kind, IrType type, MemOp op, Val address, Val operand)
{
    return append_observer_result(
        b, make(IR_rmw, type, op, (int32_t)kind, address, operand, none), type);
}

Val ir_cas(IrBlock *b, IrType type, MemOp op, Val address, Val expected, Val desired)
{
    return append_observer_result(b, make(IR_cas, type, op, 0, address, expected, desired), type);
}

void ir_fence(IrBlock *b, FenceKind kind)
{
    ir_append(b, make(IR_fence, I32, 0, (int32_t)kind, none, none, none));
}

Val ir_fp_flags(IrBlock *b)
{
    return ir_append_result(b, make(IR_getflags, I32, 0, 0, none, none, none), I32);
}

void ir_set_fp_flags(IrBlock *b, Val flags)
{
    ir_append(b, make(IR_setflags, I32, 0, 0, flags, none, none));
}

/* ---- calls and control --------------------------------------------------------------------- */

static void forget_gvars(IrBlock *b)
{
    memset(b->gvar_state, 0, b->gvar_count * sizeof(b->gvar_state[0]));
}

/* A call of it comes next; gives its number. */
static int32_t begin_call(IrBlock *b, const Helper *helper)
{
    add_observer(b);
    if (!(helper->flags & HELPER_LEAF)) {
        b->observed = b->op_count;
        forget_gvars(b);
    }
    b->helpers[b->helper_count] = helper;
    return (int32_t)b->helper_count++;
}

Val ir_call(IrBlock *b, IrType type, const Helper *helper, Val x, Val y, Val z)
{
    return ir_append_result(b, make(IR_call, type, 0, begin_call(b, helper), x, y, z), type);
}

void ir_call_void(IrBlock *b, const Helper *helper, Val x, Val y, Val z)
{
    ir_append(b, make(IR_call, I64, 0, begin_call(b, helper), x, y, z));
}

unsigned ir_label_new(IrBlock *b)
{
    g_assert(b->label_count < IR_MAX_LABELS);
    return b->label_count++;
}

void ir_label(IrBlock *b, unsigned label)
{
    append_observer(b, make(IR_label, I32, 0, (int32_t)label, none, none, none));
    forget_gvars(b);
    memset(b->cse, 0, sizeof(b->cse));
}

void ir_br(IrBlock *b, unsigned label)
{
    append_observer(b, make(IR_br, I32, 0, (int32_t)label, none, none, none));
}

void ir_brcond(IrBlock *b, unsigned label, IrCond cond, Val x, Val y)
{
    IrCompare c = ir_compare(b, cond, x, y);

    if (c.truth == 1) {
        ir_br(b, label);
    } else if (c.truth < 0) {
        append_observer(
            b, make(IR_brcond, type_of(b, c.x), c.cond, (int32_t)label, c.x, c.y, none));
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
    append_observer(b, with_exit(b, make(IR_goto, I32, 0, 0, none, none, none), pc));
}

void ir_goto_if(IrBlock *b, IrCond cond, Val x, Val y, uint64_t pc)
{
    IrCompare c = ir_compare(b, cond, x, y);
    IrInsn i = make(IR_gotocond, type_of(b, c.x), c.cond, 0, c.x, c.y, none);

    /* One that is always taken stays conditional: the frontend does not expect the block to end. */
    if (c.truth != 0) {
        append_observer(b, with_exit(b, i, pc));
    }
}

void ir_goto_val(IrBlock *b, JumpKind kind, Val pc)
{
    append_observer(b, make(IR_gotoval, type_of(b, pc), kind, 0, pc, none, none));
}

void ir_exit(IrBlock *b, ExitReason reason, Val pc)
{
    append_observer(b, make(IR_exit, type_of(b, pc), 0, (int32_t)reason, pc, none, none));
}
