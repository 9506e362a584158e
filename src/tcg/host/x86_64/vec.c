/* Vector operations. What the host has no short way for, vec_eval() does: see soft(). */
#include "tcg/vec.h"

#include "tcg/host/x86_64/regs.h"

static void vector(Gen *g, unsigned opcode, unsigned d, unsigned second, Rm rm)
{
    v_op(&g->code, g->level, opcode, false, d, second, rm);
}

/* ---- in C ----------------------------------------------------------------------------------------- */

static Rm vec_rm(unsigned n)
{
    return env_rm((int)(offsetof(CpuEnv, vec) + n * sizeof(IrVec)));
}

static void store_operand(Gen *g, unsigned t, unsigned n)
{
    unsigned reg = reg_use(g, t);

    if (class_of(gen_type(g, t)) == VECTOR) {
        vector(g, VOP_MOVUPS_STORE, reg, NO_REG, vec_rm(n));
    } else {
        x_op(&g->code, OP_STORE, true, reg, vec_rm(n));
    }
}

static void call_soft(Gen *g, uint32_t key)
{
    x_store_imm(&g->code, 2, ENV(call[3]), (int32_t)key);
    x_call(&g->code, g->area->thunk[THUNK_VECTOR]);
}

static void soft(Gen *g, const IrInsn *op)
{
    const uint16_t operands[] = { op->a, op->b, op->c };
    unsigned d;

    for (unsigned n = 0; n < 3; n++) {
        if (operands[n]) {
            store_operand(g, operands[n], n);
        }
        g->locked[VECTOR] = g->locked[GENERAL] = 0;
    }
    call_soft(g, vec_key(op->op, op->aux, op->imm));
    d = reg_define_over(g, op->dst, 0);
    if (class_of(op->type) == VECTOR) { /* a float is alone in it */
        vector(g, VOP_MOVUPS, d, NO_REG, vec_rm(0));
    } else {
        x_op(&g->code, OP_MOV, op->type == I64, d, vec_rm(0));
    }
}

void emit_vector(Gen *g, const IrInsn *op, unsigned detail)
{
    soft(g, op);
}

/* ---- between floats and vectors -------------------------------------------------------------------- */

enum { INSERT_ONLY_LOW = 0x0e }; /* insertps: lane 0, zeroes in the others */

/* Is the rest of a register that holds the value zero? */
static bool is_alone(const Gen *g, unsigned t)
{
    const IrInsn *from = &g->b->ops[g->b->defined_by[t]];

    return from->op == IR_fload || from->op == IR_bitsf;
}

void emit_vfromf(Gen *g, const IrInsn *op, unsigned detail)
{
    bool is_double = gen_type(g, op->a) == F64;
    unsigned d;
    Rm a;

    if (is_alone(g, op->a) && reg_find(g, op->a) != NO_REG) {
        reg_define_alias(g, op->dst, op->a);
        return;
    }
    a = reg_rm(g, op->a);
    d = reg_define_over(g, op->dst, op->a);
    if (is_double) {
        vector(g, VOP_MOVQ, d, NO_REG, a);
    } else if (a.kind == RM_REG) {
        vector(g, VOP_INSERTPS, d, g->level == VECTOR_SSE ? NO_REG : a.base, a);
        *g->code.p++ = INSERT_ONLY_LOW;
    } else {
        vector(g, VOP_MOVSS, d, NO_REG, a);
    }
}

void emit_vtof(Gen *g, const IrInsn *op, unsigned detail)
{
    if (op->imm == 0) {
        reg_define_alias(g, op->dst, op->a);
    } else {
        soft(g, op);
    }
}
