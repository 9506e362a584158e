/* Calls of the environment, CSRs, traps' returns, fences of translation, cache blocks. */
#include "targets/riscv/translate.h"

static Val insn_bits(RvTranslator *t)
{
    return ir_const(t->b, I64, t->insn);
}

/* A 64-bit result of a helper as a register's value. */
static Val from_helper(RvTranslator *t, Val value)
{
    return t->xt == I32 ? ir_trunc32(t->b, value) : value;
}

bool rv_ecall(RvTranslator *t, const RvNone *i)
{
    Val vector = ir_call(t->b, I64, &rv_help_ecall, ir_const(t->b, I64, t->pc), NO_VAL, NO_VAL);

    leave_to(t, JUMP_OTHER, from_helper(t, vector));
    return true;
}

bool rv_ebreak(RvTranslator *t, const RvNone *i)
{
    rv_raise(t, CAUSE_BREAKPOINT, constant(t, t->pc));
    return true;
}

static bool trap_return(RvTranslator *t, const Helper *helper, RvPrivilege least)
{
    if (t->privilege < least) {
        return false;
    }
    leave_to(t, JUMP_OTHER,
        from_helper(t, ir_call(t->b, I64, helper, insn_bits(t), NO_VAL, NO_VAL)));
    return true;
}

bool rv_mret(RvTranslator *t, const RvNone *i)
{
    return trap_return(t, &rv_help_mret, PRIV_M);
}

bool rv_sret(RvTranslator *t, const RvNone *i)
{
    return trap_return(t, &rv_help_sret, PRIV_S);
}

bool rv_wfi(RvTranslator *t, const RvNone *i)
{
    ir_call_void(t->b, &rv_help_wfi, insn_bits(t), NO_VAL, NO_VAL);
    ir_exit(t->b, EXIT_HALT, constant(t, t->next));
    t->ended = true;
    return true;
}

bool rv_sfence_vma(RvTranslator *t, const RvSfence *i)
{
    if (t->privilege < PRIV_S) {
        return false;
    }
    ir_call_void(t->b, &rv_help_sfence, gpr(t, i->rs1), gpr(t, i->rs2), insn_bits(t));
    t->leave = true;
    return true;
}

bool rv_fence_i(RvTranslator *t, const RvNone *i)
{
    ir_call_void(t->b, &rv_help_fence_i, NO_VAL, NO_VAL, NO_VAL);
    t->leave = true;
    return true;
}

/* ---- CSRs ------------------------------------------------------------------------------------- */

enum { CSR_IMMEDIATE = 4 };     /* bit of funct3 */

static Val csr_updated(RvTranslator *t, RvCsrOp op, Val old, Val operand)
{
    switch (op) {
    case CSR_SET:
        return ir_op2(t->b, IR_or, t->xt, old, operand);
    case CSR_CLEAR:
        return ir_op2(t->b, IR_andn, t->xt, old, operand);
    default:
        return operand;
    }
}

/* A CSR that is memory and nothing else: no call. */
static void csr_inline(RvTranslator *t, const RvCsrInsn *i, RvCsrOp op, unsigned offset, uint64_t mask)
{
    MemOp width = t->xt == I64 ? MEM_64 : MEM_32;
    Val operand = i->op & CSR_IMMEDIATE ? constant(t, i->rs1) : gpr(t, i->rs1);
    Val old = ir_ldenv(t->b, t->xt, width, offset);

    if (op != CSR_READ) {
        Val value = csr_updated(t, op, old, operand);

        ir_stenv(t->b, width, offset, ir_op2(t->b, IR_and, t->xt, value, constant(t, mask)));
    }
    set_gpr(t, i->rd, old);
}

static void csr_call(RvTranslator *t, const RvCsrInsn *i, RvCsrOp op)
{
    Val operand = i->op & CSR_IMMEDIATE ? constant(t, i->rs1) : gpr(t, i->rs1);
    Val old = ir_call(t->b, I64, &rv_help_csr, ir_const(t->b, I64, i->csr | op << 12), operand,
        insn_bits(t));

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
    operand = i->op & CSR_IMMEDIATE ? constant(t, i->rs1) : gpr(t, i->rs1);
    old = ir_fp_flags(t->b);
    if (t->xt == I64) {
        old = ir_zext32(t->b, old);
    }
    if (op != CSR_READ) {
        Val value = csr_updated(t, op, old, operand);

        value = t->xt == I64 ? ir_trunc32(t->b, value) : value;
        ir_set_fp_flags(t->b, ir_op2(t->b, IR_and, I32, value, ir_const(t->b, I32, FFLAGS_MASK)));
    }
    set_gpr(t, i->rd, old);
    return true;
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
    if (fflags_inline(t, i, op)) {
        return true;
    }
    offset = rv_csr_plain(t->cpu, csr, &mask);
    if (offset) {
        csr_inline(t, i, op, offset, mask);
    } else {
        csr_call(t, i, op);
    }
    return true;
}

/* ---- cache blocks: there are no caches to see, but rights are checked -------------------------- */

static bool cache_block(RvTranslator *t, const RvCbo *i, const Helper *helper)
{
    ir_call_void(t->b, helper, gpr(t, i->rs1), insn_bits(t), NO_VAL);
    return true;
}

bool rv_cbo_inval(RvTranslator *t, const RvCbo *i)
{
    return cache_block(t, i, &rv_help_cbo);
}

bool rv_cbo_clean(RvTranslator *t, const RvCbo *i)
{
    return cache_block(t, i, &rv_help_cbo);
}

bool rv_cbo_zero(RvTranslator *t, const RvCbo *i)
{
    return cache_block(t, i, &rv_help_cbo_zero);
}
