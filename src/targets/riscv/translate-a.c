/*
 * A: load-reserved, store-conditional and the atomic operations; and the fences.
 *
 * A reservation is the address and the value read: sc succeeds if memory still has the value, by one
 * compare-and-swap. A word that another hart changed from A to B and back goes unnoticed, where the manual (8.2)
 * wants sc to fail. To see it every store of every hart would have to look for reservations, or the page would have
 * to leave the write arrays of all others at each lr; counting the successes of sc alone would cost the swap a lock
 * and still miss plain stores and AMOs. One hart cannot tell: whatever takes a trap gives up the reservation.
 */
#include "targets/riscv/translate.h"
#include "tcg/exec.h"

/* Bits of aq and rl as they stand in the instruction. */
enum { ORDER_RL = 1, ORDER_AQ = 2 };

static MemOp atomic_op(const RvAmo *i)
{
    return i->size | MEM_SIGNED | MEM_ALIGNED | (i->order & ORDER_AQ ? MEM_ACQUIRE : 0) |
        (i->order & ORDER_RL ? MEM_RELEASE : 0);
}

static bool is_word(const RvAmo *i)
{
    return i->size == MEM_32;
}

bool rv_lr(RvTranslator *t, const RvAmo *i)
{
    Val address = gpr(t, i->rs1);
    Val value = ir_load(t->b, t->xt, atomic_op(i), address, 0);

    ir_put(t->b, GVAR_RESERVED_ADDRESS, address);
    ir_put(t->b, GVAR_RESERVED_VALUE, value);
    set_gpr(t, i->rd, value);
    return true;
}

static Val narrow(RvTranslator *t, const RvAmo *i, Val value)
{
    return is_word(i) && t->xt == I64 ? ir_trunc32(t->b, value) : value;
}

bool rv_sc(RvTranslator *t, const RvAmo *i)
{
    IrType type = is_word(i) ? I32 : I64;
    unsigned fail = ir_label_new(t->b), done = ir_label_new(t->b);
    Val expected, old;

    ir_brcond(t->b, fail, NE, gpr(t, i->rs1), ir_get(t->b, GVAR_RESERVED_ADDRESS));
    expected = narrow(t, i, ir_get(t->b, GVAR_RESERVED_VALUE));
    old = ir_cas(t->b, type, atomic_op(i) & ~MEM_SIGNED, gpr(t, i->rs1), expected,
        narrow(t, i, gpr(t, i->rs2)));
    set_gpr_bool(t, i->rd, ir_setcond(t->b, NE, old, expected));
    ir_br(t->b, done);
    ir_label(t->b, fail);
    set_gpr(t, i->rd, constant(t, 1));
    ir_label(t->b, done);
    ir_put(t->b, GVAR_RESERVED_ADDRESS, constant(t, RV_NOT_RESERVED));
    return true;
}

/* By funct5 / 4: bits 31..29 of the instruction; swap alone has another bit set. */
static RmwKind rmw_kind(unsigned funct5)
{
    static const RmwKind kinds[8] = {
        RMW_ADD,
        RMW_XOR,
        RMW_OR,
        RMW_AND,
        RMW_SMIN,
        RMW_SMAX,
        RMW_UMIN,
        RMW_UMAX,
    };

    return funct5 & 1 ? RMW_SWAP : kinds[funct5 >> 2];
}

bool rv_amo(RvTranslator *t, const RvAmo *i)
{
    IrType type = is_word(i) ? I32 : I64;
    Val old = ir_rmw(t->b, rmw_kind(i->op), type, atomic_op(i) & ~MEM_SIGNED, gpr(t, i->rs1),
        narrow(t, i, gpr(t, i->rs2)));

    if (is_word(i)) {
        set_gpr32(t, i->rd, old);
    } else {
        set_gpr(t, i->rd, old);
    }
    return true;
}

/* Bits of fence's sets: device input counts as a read, output as a write. */
enum { FENCE_SET_R = 2 | 8, FENCE_SET_W = 1 | 4, FENCE_TSO = 8 };
enum { PAUSE_PRED = 1 }; /* Zihintpause: fence w,0 */

bool rv_fence(RvTranslator *t, const RvFence *i)
{
    unsigned kinds = (i->pred & FENCE_SET_R && i->succ & FENCE_SET_R ? FENCE_RR : 0) |
        (i->pred & FENCE_SET_R && i->succ & FENCE_SET_W ? FENCE_RW : 0) |
        (i->pred & FENCE_SET_W && i->succ & FENCE_SET_R ? FENCE_WR : 0) |
        (i->pred & FENCE_SET_W && i->succ & FENCE_SET_W ? FENCE_WW : 0);

    if (i->fm == FENCE_TSO) {
        kinds &= ~FENCE_WR;
    }
    if (kinds) {
        ir_fence(t->b, kinds);
    } else if (i->pred == PAUSE_PRED && i->succ == 0) {
        ir_call_void(t->b, &cpu_help_spin, NO_VAL, NO_VAL, NO_VAL);
    }
    return true;
}

/* Zawrs: to come back at once is always allowed; whoever is to write had better run. */
bool rv_wrs(RvTranslator *t, const RvNone *i)
{
    ir_call_void(t->b, &cpu_help_spin, NO_VAL, NO_VAL, NO_VAL);
    return true;
}
