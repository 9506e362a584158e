/* Loads and stores of general registers. Every access comes before the registers it changes. */
#include "targets/aarch64/translate.h"

MemOp data_memop(const A64Translator *t, unsigned size)
{
    return (MemOp)(size | (t->mode & MODE_ALIGNED ? MEM_ALIGNED : 0));
}

void check_alignment(A64Translator *t, unsigned rn, unsigned size, bool is_store)
{
    Val low = constant(t, I64, (UINT64_C(1) << size) - 1);
    unsigned aligned;

    if (size == MEM_8) {
        return;
    }
    aligned = ir_label_new(t->b);
    ir_brcond(
        t->b, aligned, EQ, ir_op2(t->b, IR_and, I64, xreg_sp(t, rn), low), constant(t, I64, 0));
    ir_call_void(t->b, &a64_help_misaligned, xreg_sp(t, rn), constant(t, I64, is_store), NO_VAL);
    ir_label(t->b, aligned);
}

/* opc: 1 load, 2 load signed into 64 bits, 3 into 32: only that is of type I32. */
static Val load(A64Translator *t, unsigned size, unsigned opc, Val base, int32_t offset)
{
    MemOp op = data_memop(t, size) | (opc & 2 ? MEM_SIGNED : 0);

    return ir_load(t->b, opc == 3 ? I32 : I64, op, base, offset);
}

static void set_loaded(A64Translator *t, unsigned n, Val value)
{
    set_reg(t, is_wide_value(t, value), n, value);
}

/* A store of less than 64 bits takes the low ones. */
static void store(A64Translator *t, unsigned size, Val base, int32_t offset, unsigned rt)
{
    ir_store(t->b, data_memop(t, size), base, offset, xreg(t, rt));
}

enum { OFFSET, POST_INDEX, UNPRIVILEGED, PRE_INDEX };

int32_t access_offset(unsigned mode, int32_t imm)
{
    return mode == POST_INDEX ? 0 : imm;
}

void write_back(A64Translator *t, unsigned mode, unsigned rn, int32_t imm)
{
    if (mode == POST_INDEX || mode == PRE_INDEX) {
        Val sum = ir_op2_const(t->b, IR_add, I64, xreg_sp(t, rn), (int64_t)imm);

        set_reg_sp(t, 1, rn, sum);
    }
}

/* LDTR and its like where they are not the plain ones: EL1's use of user memory. */
static void access_as_user(A64Translator *t, const A64Ldst *i)
{
    Val base = xreg_sp(t, i->rn);

    if (i->opc == 0) {
        ir_store_as(t->b, data_memop(t, i->size), base, i->imm, xreg(t, i->rt));
    } else {
        MemOp op = data_memop(t, i->size) | (i->opc & 2 ? MEM_SIGNED : 0);

        set_loaded(t, i->rt, ir_load_as(t->b, i->opc == 3 ? I32 : I64, op, base, i->imm));
    }
}

bool a64_ldst(A64Translator *t, const A64Ldst *i)
{
    Val base = xreg_sp(t, i->rn);
    int32_t offset = access_offset(i->mode, i->imm);

    if (i->mode == UNPRIVILEGED && t->mode & MODE_UNPRIVILEGED) {
        access_as_user(t, i);
    } else if (i->opc == 0) {
        store(t, i->size, base, offset, i->rt);
        write_back(t, i->mode, i->rn, i->imm);
    } else {
        Val value = load(t, i->size, i->opc, base, offset);

        write_back(t, i->mode, i->rn, i->imm);
        set_loaded(t, i->rt, value);
    }
    return true;
}

Val register_address(A64Translator *t, unsigned rn, unsigned rm, unsigned option, unsigned shift)
{
    return ir_op2(t->b, IR_add, I64, xreg_sp(t, rn), extended_reg(t, rm, option, shift));
}

bool a64_ldst_reg(A64Translator *t, const A64LdstReg *i)
{
    Val address = register_address(t, i->rn, i->rm, i->option, i->scaled ? i->size : 0);

    if (i->opc == 0) {
        store(t, i->size, address, 0, i->rt);
    } else {
        set_loaded(t, i->rt, load(t, i->size, i->opc, address, 0));
    }
    return true;
}

bool a64_ldr_lit(A64Translator *t, const A64Lit *i)
{
    Val address = constant(t, I64, t->pc + (int64_t)i->imm);

    set_loaded(t, i->rt, load(t, i->size, i->opc, address, 0));
    return true;
}

/* opc: 0 stores, 1 loads, 2 loads signed words */
bool a64_pair(A64Translator *t, const A64PairW *i)
{
    Val base = xreg_sp(t, i->rn);
    int32_t offset = access_offset(i->mode, i->imm), second = offset + (1 << i->size);

    if (i->opc == 0) {
        store(t, i->size, base, offset, i->rt);
        store(t, i->size, base, second, i->rt2);
        write_back(t, i->mode, i->rn, i->imm);
    } else {
        Val x = load(t, i->size, i->opc, base, offset);
        Val y = load(t, i->size, i->opc, base, second);

        write_back(t, i->mode, i->rn, i->imm);
        set_loaded(t, i->rt, x);
        set_loaded(t, i->rt2, y);
    }
    return true;
}

/* ---- prefetches: hints ------------------------------------------------------------------------ */

bool a64_prfm(A64Translator *t, const A64Ldst *i)
{
    return true;
}

bool a64_prfm_reg(A64Translator *t, const A64LdstReg *i)
{
    return true;
}

bool a64_prfm_lit(A64Translator *t, const A64Lit *i)
{
    return true;
}
