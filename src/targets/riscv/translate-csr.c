/*
 * Instructions on CSRs. What is plain memory, and what kernels and compilers do all the time with sstatus and
 * fflags, is done in place; the rest is a call.
 */
#include "targets/riscv/translate.h"

enum { CSR_IMMEDIATE = 4 }; /* bit of funct3 */

static Val csr_updated(RvTranslator *t, RvCsrOp op, Val old, Val operand)
{
    switch (op) {
    case CSR_SET: return ir_op2(t->b, IR_or, t->xt, old, operand);
    case CSR_CLEAR: return ir_op2(t->b, IR_andn, t->xt, old, operand);
    default: return operand;
    }
}

static MemOp csr_width(const RvTranslator *t)
{
    return t->xt == I64 ? MEM_64 : MEM_32;
}

static Val csr_operand(RvTranslator *t, const RvCsrInsn *i)
{
    return i->op & CSR_IMMEDIATE ? constant(t, i->rs1) : gpr(t, i->rs1);
}

/* A CSR that is memory and nothing else: no call. */
static void csr_inline(
    RvTranslator *t, const RvCsrInsn *i, RvCsrOp op, unsigned offset, uint64_t mask)
{
    MemOp width = csr_width(t);
    Val operand = csr_operand(t, i);
    Val old = ir_ldenv(t->b, t->xt, width, offset);

    if (op != CSR_READ) {
        Val value = csr_updated(t, op, old, operand);

        ir_stenv(t->b, width, offset, ir_op2_const(t->b, IR_and, t->xt, value, mask));
    }
    set_gpr(t, i->rd, old);
}

static void csr_call(RvTranslator *t, const RvCsrInsn *i, const RvCsr *csr, RvCsrOp op)
{
    Val argument = ir_const(t->b, I64, rv_csr_argument(csr, i->csr, op));
    Val old = ir_call(t->b, I64, &rv_help_csr, argument, csr_operand(t, i), insn_bits(t));

    set_gpr(t, i->rd, from_helper(t, old));
    t->leave |= op != CSR_READ;
}

enum { CSR_FFLAGS = 1, FFLAGS_MASK = 31 };

/* Compilers save and restore the flags around comparisons; only with FS dirty is nothing else to be done. */
static bool fflags_inline(RvTranslator *t, const RvCsrInsn *i, RvCsrOp op)
{
    Val old, operand;

    if (i->csr != CSR_FFLAGS || t->fs != FS_DIRTY) {
        return false;
    }
    operand = csr_operand(t, i);
    old = ir_fp_flags(t->b);
    if (t->xt == I64) {
        old = ir_zext32(t->b, old);
    }
    if (op != CSR_READ) {
        Val value = csr_updated(t, op, old, operand);

        value = t->xt == I64 ? ir_trunc32(t->b, value) : value;
        ir_set_fp_flags(t->b, ir_op2_const(t->b, IR_and, I32, value, FFLAGS_MASK));
    }
    set_gpr(t, i->rd, old);
    return true;
}

/* ---- sstatus: kernels mask interrupts with it, and open user memory ----------------------------- */

static Val mstatus(RvTranslator *t)
{
    return ir_ldenv(t->b, t->xt, csr_width(t), offsetof(RvCpu, mstatus));
}

/* Its value as a csr instruction reads it; that FS is dirty is in the mode. */
static Val sstatus_value(RvTranslator *t)
{
    uint64_t sd = t->fs == FS_DIRTY ? UINT64_C(1) << (rv_xlen(t->cpu) - 1) : 0;
    uint64_t lengths = t->xt == I64 ? MSTATUS_UXL : 0;
    Val bits = ir_op2_const(t->b, IR_and, t->xt, mstatus(t), SSTATUS_BITS);

    return ir_op2_const(t->b, IR_or, t->xt, bits, sd | lengths);
}

static void change_sie(RvTranslator *t, RvCsrOp op, Val bits)
{
    ir_stenv(t->b, csr_width(t), offsetof(RvCpu, mstatus), csr_updated(t, op, mstatus(t), bits));
    t->enabled |= op == CSR_SET;
}

/* Restoring SIE from a register: if there is more in it, or in vain, the long way. */
static void set_sie_by_register(RvTranslator *t, const RvCsrInsn *i, const RvCsr *csr)
{
    unsigned more = ir_label_new(t->b), done = ir_label_new(t->b);
    Val others = ir_op2_const(t->b, IR_and, t->xt, gpr(t, i->rs1), SSTATUS_BITS & ~MSTATUS_SIE);

    ir_brcond(t->b, more, NE, others, constant(t, 0));
    change_sie(t, CSR_SET, ir_op2_const(t->b, IR_and, t->xt, gpr(t, i->rs1), MSTATUS_SIE));
    ir_br(t->b, done);
    ir_label(t->b, more);
    ir_call_void(t->b, &rv_help_csr_leave,
        ir_const(t->b, I64, rv_csr_argument(csr, i->csr, CSR_SET)), gpr(t, i->rs1), insn_bits(t));
    ir_label(t->b, done);
}

/* Known bits are set or cleared: no call for SIE alone, and only FS is a reason to leave the block. */
static bool change_known_bits(
    RvTranslator *t, const RvCsrInsn *i, const RvCsr *csr, RvCsrOp op, uint64_t bits)
{
    Val old;

    if (bits & MSTATUS_FS) {
        return false;
    }
    if (bits & ~MSTATUS_SIE) {
        csr_call(t, i, csr, op);
        t->leave = false;
        t->enabled |= op == CSR_SET && bits & MSTATUS_SIE;
        return true;
    }
    old = sstatus_value(t);
    change_sie(t, op, constant(t, bits));
    set_gpr(t, i->rd, old);
    return true;
}

/* The common uses of sstatus without a call, or without leaving the block. False: it is another one. */
static bool sstatus_inline(RvTranslator *t, const RvCsrInsn *i, const RvCsr *csr, RvCsrOp op)
{
    uint64_t bits;

    if (i->csr != CSR_NUMBER_SSTATUS || op == CSR_WRITE) {
        return false;
    }
    if (op == CSR_READ) {
        set_gpr(t, i->rd, sstatus_value(t));
        return true;
    }
    if (ir_is_const(t->b, csr_operand(t, i), &bits)) {
        return change_known_bits(t, i, csr, op, bits & SSTATUS_BITS);
    }
    if (op == CSR_SET && !i->rd) {
        set_sie_by_register(t, i, csr);
        return true;
    }
    return false;
}

void rv_take_enabled(RvTranslator *t)
{
    unsigned none = ir_label_new(t->b);
    Val lines = ir_ldenv(t->b, I64, MEM_64, offsetof(RvCpu, lines));
    Val mip = ir_ldenv(t->b, I64, MEM_64, offsetof(RvCpu, mip));
    Val mie = ir_ldenv(t->b, I64, MEM_64, offsetof(RvCpu, mie));
    Val pending = ir_op2(t->b, IR_and, I64, ir_op2(t->b, IR_or, I64, lines, mip), mie);

    ir_brcond(t->b, none, EQ, pending, ir_const(t->b, I64, 0));
    ir_call_void(t->b, &rv_help_interrupt, NO_VAL, NO_VAL, NO_VAL);
    ir_label(t->b, none);
}

bool rv_csr(RvTranslator *t, const RvCsrInsn *i)
{
    static const RvCsrOp ops[4] = { CSR_READ, CSR_WRITE, CSR_SET, CSR_CLEAR };
    RvCsrOp op = ops[i->op & 3];
    const RvCsr *csr = rv_csr_find(t->cpu, i->csr);
    uint64_t mask;
    unsigned offset;

    if (op != CSR_WRITE && !i->rs1) {
        op = CSR_READ;
    }
    if (!csr || !rv_csr_reachable(i->csr, t->privilege, op != CSR_READ)) {
        return false;
    }
    offset = rv_csr_plain(t->cpu, csr, &mask);
    if (offset) {
        csr_inline(t, i, op, offset, mask);
    } else if (!fflags_inline(t, i, op) && !sstatus_inline(t, i, csr, op)) {
        csr_call(t, i, csr, op);
    }
    return true;
}
