/*
 * Atomic read-modify-write and compare-and-swap on guest memory. The host address ends in RCX, new values in
 * RDX, old ones in RAX or RDX.
 */
#include "tcg/host/x86_64/mem.h"

/* The operand where code out of line finds it. */
static void find_operand(Gen *g, const IrInsn *op, Late *l)
{
    l->value = reg_find(g, op->b);
    if (l->value == NO_REG) {
        l->value = SLOW_IN_CALL;
        l->operand[1] = reg_value(g, op->b);
    }
    l->operand[2] = reg_value(g, op->c);
}

static Late *access_atomic(Gen *g, const IrInsn *op, SlowKind kind, unsigned rmw)
{
    static const Access x = { .kind = CHECK_WRITE, .page = RCX, .tag = RDX };
    Rm at;
    Late *l;

    reg_take(g, GENERAL, RAX);
    reg_take(g, GENERAL, RCX);
    reg_take(g, GENERAL, RDX);
    l = gen_late(g, mem_late_slow);
    l->base = mem_is_clean_address(g, op->a) ? reg_find(g, op->a) : NO_REG;
    if (l->base == NO_REG) {
        l->base = RAX;
        reg_load(g, RAX, op->a);
    }
    l->disp = 0;
    find_operand(g, op, l);
    l->key = slow_key(kind, op->aux, rmw);
    l->temporary = RDX;
    l->type = op->type;
    if (op->aux & MEM_BIG) {
        l->retry = g->code.p; /* the other byte order is left to C */
        l->from = x_jump(&g->code, NULL);
        at = rm_mem(l->base, 0);
    } else {
        at = mem_check_aligned(g, l, &x, op->aux);
    }
    x_op(&g->code, OP_LEA, true, RCX, at);
    return l;
}

/* The old value, in `from` or at the end of the slow path in the result. */
static void finish_atomic(Gen *g, const IrInsn *op, Late *l, unsigned from)
{
    unsigned d;

    g->locked[GENERAL] = 0;
    d = reg_define_over(g, op->dst, 0);
    mem_load_int(g, op->aux, op->type == I64, d, rm_reg(from));
    l->result = d;
    l->back = g->code.p;
}

static unsigned sized(unsigned memop, unsigned byte_opcode, unsigned opcode)
{
    return (memop & MEM_SIZE) == MEM_8 ? byte_opcode : opcode;
}

/* [RCX], RDX. */
static void atomic_op(Gen *g, unsigned memop, unsigned opcode)
{
    Rm at = rm_mem(RCX, 0);

    if ((memop & MEM_SIZE) == MEM_16) {
        x_bytes(&g->code, "\xf0", 1);
        x_op16(&g->code, opcode, RDX, at);
    } else {
        x_lock(&g->code);
        x_op(&g->code, opcode, (memop & MEM_SIZE) == MEM_64, RDX, at);
    }
}

static void extend_small(Gen *g, unsigned memop, bool is_signed, unsigned reg)
{
    if ((memop & MEM_SIZE) < MEM_32) {
        mem_load_int(
            g, is_signed ? memop | MEM_SIGNED : memop & ~MEM_SIGNED, false, reg, rm_reg(reg));
    }
}

/* RDX = what to write, from the old value in RAX and the operand in RDX. */
static void combine(Gen *g, unsigned memop, RmwKind kind)
{
    static const uint8_t alus[RMW_KIND_COUNT] = {
        [RMW_AND] = ALU_AND,
        [RMW_OR] = ALU_OR,
        [RMW_XOR] = ALU_XOR,
        [RMW_ANDN] = ALU_AND,
    };
    static const uint8_t conds[RMW_KIND_COUNT] = {
        /* old is the answer */
        [RMW_SMIN] = COND_L,
        [RMW_SMAX] = COND_G,
        [RMW_UMIN] = COND_B,
        [RMW_UMAX] = COND_A,
    };
    Code *c = &g->code;
    bool wide = (memop & MEM_SIZE) == MEM_64, is_signed = kind == RMW_SMIN || kind == RMW_SMAX;

    if (alus[kind]) {
        if (kind == RMW_ANDN) {
            x_group3(c, G3_NOT, wide, rm_reg(RDX));
        }
        x_alu(c, alus[kind], wide, RDX, rm_reg(RAX));
        return;
    }
    extend_small(g, memop, is_signed, RAX);
    extend_small(g, memop, is_signed, RDX);
    x_alu(c, ALU_CMP, wide, RAX, rm_reg(RDX));
    x_cmov(c, conds[kind], wide, RDX, rm_reg(RAX));
}

static void rmw_loop(Gen *g, const IrInsn *op)
{
    unsigned memop = op->aux & ~MEM_SIGNED;
    uint8_t *again;

    mem_load_int(g, memop, true, RAX, rm_mem(RCX, 0));
    again = g->code.p;
    reg_load(g, RDX, op->b);
    combine(g, memop, op->imm);
    atomic_op(g, memop, sized(memop, OP_CMPXCHG8, OP_CMPXCHG));
    x_jump_if(&g->code, COND_NE, again + g->code.to_exec);
}

void emit_rmw(Gen *g, const IrInsn *op, unsigned detail)
{
    Late *l = access_atomic(g, op, SLOW_RMW, op->imm);

    if (op->imm == RMW_ADD || op->imm == RMW_SWAP) {
        reg_load(g, RDX, op->b);
        atomic_op(g, op->aux,
            op->imm == RMW_ADD ? sized(op->aux, OP_XADD8, OP_XADD)
                               : sized(op->aux, OP_XCHG8, OP_XCHG));
        finish_atomic(g, op, l, RDX);
    } else {
        rmw_loop(g, op);
        finish_atomic(g, op, l, RAX);
    }
}

void emit_cas(Gen *g, const IrInsn *op, unsigned detail)
{
    Late *l = access_atomic(g, op, SLOW_CAS, 0);

    reg_load(g, RAX, op->b);
    reg_load(g, RDX, op->c);
    atomic_op(g, op->aux, sized(op->aux, OP_CMPXCHG8, OP_CMPXCHG));
    finish_atomic(g, op, l, RAX);
}
