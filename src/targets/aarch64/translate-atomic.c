/*
 * Exclusive, ordered and atomic accesses.
 *
 * An exclusive load leaves the address and the value read: the store succeeds if memory still has the value, by
 * one compare-and-swap. A word that went from A to B and back goes unnoticed.
 */
#include "targets/aarch64/translate.h"

enum { ORDER_RELEASE = 1, ORDER_ACQUIRE = 2 };

static MemOp ordered(unsigned size, unsigned order)
{
    return (MemOp)(size | MEM_ALIGNED | (order & ORDER_ACQUIRE ? MEM_ACQUIRE : 0) |
        (order & ORDER_RELEASE ? MEM_RELEASE : 0));
}

/* ---- exclusive -------------------------------------------------------------------------------- */

static void remember(A64Translator *t, Val address, Val value)
{
    ir_put(t->b, GVAR_EXCLUSIVE_ADDRESS, address);
    ir_put(t->b, GVAR_EXCLUSIVE_VALUE, value);
}

bool a64_ldxr(A64Translator *t, const A64Excl *i)
{
    bool wide = i->size == MEM_64;
    Val address = xreg_sp(t, i->rn);
    Val value = ir_load(
        t->b, type_of_sf(wide), ordered(i->size, i->order ? ORDER_ACQUIRE : 0), address, 0);

    remember(t, address, widened(t, wide, value));
    set_reg(t, wide, i->rt, value);
    return true;
}

/* Puts 0 into rs when memory had what was remembered, and has `value` now; else 1. */
static void store_if_unchanged(A64Translator *t, const A64Excl *i, unsigned size, Val value)
{
    bool wide = size == MEM_64;
    unsigned fail = ir_label_new(t->b), done = ir_label_new(t->b);
    Val expected, old;

    ir_brcond(t->b, fail, NE, xreg_sp(t, i->rn), ir_get(t->b, GVAR_EXCLUSIVE_ADDRESS));
    expected = narrowed(t, wide, ir_get(t->b, GVAR_EXCLUSIVE_VALUE));
    old = ir_cas(t->b, type_of_sf(wide), ordered(size, i->order ? ORDER_RELEASE : 0),
        xreg_sp(t, i->rn), expected, value);
    set_reg(t, 0, i->rs, ir_setcond(t->b, NE, old, expected));
    ir_br(t->b, done);
    ir_label(t->b, fail);
    /* A store that does not come to pass faults all the same (AArch64.ExclusiveMonitorsPass() in J1). */
    check_alignment(t, i->rn, size, true);
    set_reg(t, 0, i->rs, constant(t, I32, 1));
    ir_label(t->b, done);
    ir_put(t->b, GVAR_EXCLUSIVE_ADDRESS, constant(t, I64, A64_NOT_EXCLUSIVE));
}

bool a64_stxr(A64Translator *t, const A64Excl *i)
{
    store_if_unchanged(t, i, i->size, reg(t, i->size == MEM_64, i->rt));
    return true;
}

/* Two words are one access of twice the size. */
static Val joined(A64Translator *t, unsigned low, unsigned high)
{
    Val up = ir_op2_const(t->b, IR_shl, I64, xreg(t, high), 32);

    return ir_op2(t->b, IR_or, I64, up, ir_zext32(t->b, reg(t, 0, low)));
}

static void set_joined(A64Translator *t, unsigned low, unsigned high, Val value)
{
    set_reg(t, 0, low, ir_trunc32(t->b, value));
    set_reg(t, 1, high, ir_op2_const(t->b, IR_shr, I64, value, 32));
}

/* Two registers in a constant, for a helper that reads or writes them. */
static Val pair_operand(A64Translator *t, unsigned first, unsigned second, unsigned status)
{
    return constant(t, I64, first | second << 8 | status << 16);
}

bool a64_ldxp(A64Translator *t, const A64Excl *i)
{
    Val address = xreg_sp(t, i->rn), value;

    if (i->size == MEM_64) {
        ir_call_void(t->b, &a64_help_load_pair, address, pair_operand(t, i->rt, i->rt2, 0), NO_VAL);
        return true;
    }
    value = ir_load(t->b, I64, ordered(MEM_64, i->order ? ORDER_ACQUIRE : 0), address, 0);
    remember(t, address, value);
    set_joined(t, i->rt, i->rt2, value);
    return true;
}

bool a64_stxp(A64Translator *t, const A64Excl *i)
{
    if (i->size == MEM_64) {
        ir_call_void(t->b, &a64_help_store_pair, xreg_sp(t, i->rn),
            pair_operand(t, i->rt, i->rt2, i->rs), NO_VAL);
    } else {
        store_if_unchanged(t, i, MEM_64, joined(t, i->rt, i->rt2));
    }
    return true;
}

bool a64_clrex(A64Translator *t, const A64Crm *i)
{
    ir_put(t->b, GVAR_EXCLUSIVE_ADDRESS, constant(t, I64, A64_NOT_EXCLUSIVE));
    return true;
}

/* ---- ordered ---------------------------------------------------------------------------------- */

bool a64_ldar(A64Translator *t, const A64Excl *i)
{
    bool wide = i->size == MEM_64;

    set_reg(t, wide, i->rt,
        ir_load(t->b, type_of_sf(wide), ordered(i->size, ORDER_ACQUIRE), xreg_sp(t, i->rn), 0));
    return true;
}

/* A load-acquire behind a store-release stays behind it (B2.3.11): sequentially consistent. */
bool a64_stlr(A64Translator *t, const A64Excl *i)
{
    ir_store(t->b, ordered(i->size, ORDER_RELEASE), xreg_sp(t, i->rn), 0,
        reg(t, i->size == MEM_64, i->rt));
    ir_fence(t->b, FENCE_WR);
    return true;
}

bool a64_ldapr(A64Translator *t, const A64Amo *i)
{
    bool wide = i->size == MEM_64;

    set_reg(t, wide, i->rt,
        ir_load(t->b, type_of_sf(wide), ordered(i->size, ORDER_ACQUIRE), xreg_sp(t, i->rn), 0));
    return true;
}

/* STLUR, LDAPUR and its signed forms: opc as for plain loads. */
bool a64_stlur(A64Translator *t, const A64Ldst *i)
{
    bool wide = i->opc == 2 || i->size == MEM_64;

    if (i->opc == 0) {
        ir_store(t->b, ordered(i->size, ORDER_RELEASE), xreg_sp(t, i->rn), i->imm,
            reg(t, i->size == MEM_64, i->rt));
    } else {
        MemOp op = ordered(i->size, ORDER_ACQUIRE) | (i->opc & 2 ? MEM_SIGNED : 0);

        set_reg(t, wide, i->rt, ir_load(t->b, type_of_sf(wide), op, xreg_sp(t, i->rn), i->imm));
    }
    return true;
}

/* ---- atomic operations ------------------------------------------------------------------------ */

bool a64_amo(A64Translator *t, const A64Amo *i)
{
    static const RmwKind kinds[] = {
        RMW_ADD,
        RMW_ANDN,
        RMW_XOR,
        RMW_OR,
        RMW_SMAX,
        RMW_SMIN,
        RMW_UMAX,
        RMW_UMIN,
        RMW_SWAP,
    };
    bool wide = i->size == MEM_64;
    Val old = ir_rmw(t->b, kinds[i->op], type_of_sf(wide), ordered(i->size, i->order),
        xreg_sp(t, i->rn), reg(t, wide, i->rs));

    set_reg(t, wide, i->rt, old);
    return true;
}

/* Compared are as many bits as the access has. */
static Val low_bits(A64Translator *t, unsigned size, Val x)
{
    return size < MEM_32 ? ir_ext(t->b, I32, x, 0, 8u << size) : x;
}

bool a64_cas(A64Translator *t, const A64Amo *i)
{
    bool wide = i->size == MEM_64;
    Val expected = low_bits(t, i->size, reg(t, wide, i->rs));
    Val old = ir_cas(t->b, type_of_sf(wide), ordered(i->size, i->order), xreg_sp(t, i->rn),
        expected, reg(t, wide, i->rt));

    set_reg(t, wide, i->rs, old);
    return true;
}

/* size: 0 two words, 1 two doublewords */
bool a64_casp(A64Translator *t, const A64Amo *i)
{
    if (i->rs & 1 || i->rt & 1) {
        return false;
    }
    if (i->size == 1) {
        ir_call_void(
            t->b, &a64_help_swap_pair, xreg_sp(t, i->rn), pair_operand(t, i->rs, i->rt, 0), NO_VAL);
        return true;
    }
    Val expected = joined(t, i->rs, i->rs + 1);
    Val old = ir_cas(t->b, I64, ordered(MEM_64, i->order), xreg_sp(t, i->rn), expected,
        joined(t, i->rt, i->rt + 1));
    set_joined(t, i->rs, i->rs + 1, old);
    return true;
}
