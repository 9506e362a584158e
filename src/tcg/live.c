/*
 * Liveness: the backward pass of tier 1. Drops operations whose result nobody uses, and puts that
 * another put overwrites before anybody could see them.
 */
#include <string.h>

#include "tcg/ir.h"

enum { GVAR_WORDS = 256 / 64 };

/* The gvars that are put again before anything can see them. */
typedef struct Overwritten {
    uint64_t bits[GVAR_WORDS];
} Overwritten;

static bool is_overwritten(const Overwritten *o, int32_t gvar)
{
    return o->bits[gvar / 64] >> (gvar % 64) & 1;
}

static void set_overwritten(Overwritten *o, int32_t gvar, bool value)
{
    uint64_t bit = UINT64_C(1) << (gvar % 64);

    o->bits[gvar / 64] = value ? o->bits[gvar / 64] | bit : o->bits[gvar / 64] & ~bit;
}

/* Does it only give its result? */
static bool is_droppable(const IrBlock *b, const IrInsn *i)
{
    if (i->op == IR_call) {
        return b->helpers[i->imm]->flags & HELPER_PURE;
    }
    return (ir_op_effects[i->op] & ~(PURE | COMMUTES | READS_GVAR | READS_ENV)) == 0;
}

/* Can the gvars be seen in the middle of it, or after it left the block? */
static bool observes(const IrBlock *b, const IrInsn *i)
{
    if (i->op == IR_call) {
        return !(b->helpers[i->imm]->flags & HELPER_LEAF);
    }
    return i->op == IR_gotocond || (ir_op_effects[i->op] & (MAY_FAULT | BARRIER | ENDS));
}

/* A value that nobody uses, of an operation that does nothing else. */
static bool is_unused(const IrBlock *b, const IrLive *live, const IrInsn *i)
{
    return i->dst && live->use[i->dst].count == 0 && is_droppable(b, i);
}

/* Gives `end` when it is the last. */
static inline unsigned use(IrLive *live, uint16_t temporary, unsigned at, unsigned end)
{
    IrUse *u = &live->use[temporary];

    if (!temporary || u->count++) {
        return 0;
    }
    u->last = (uint16_t)at;
    return end;
}

/* The operands of an operation that stays. */
static void use_operands(IrLive *live, const IrInsn *i, unsigned at)
{
    unsigned ends = i->dst && !live->use[i->dst].count ? ENDS_DST : 0;

    ends |= use(live, i->a, at, ENDS_A);
    ends |= use(live, i->b, at, ENDS_B);
    ends |= use(live, i->c, at, ENDS_C);
    live->ends[at] = (uint8_t)ends;
}

void ir_live(IrBlock *b, IrLive *live)
{
    Overwritten overwritten = { { 0 } };

    memset(live->use, 0, (b->temp_count + 1) * sizeof(live->use[0]));
    for (unsigned at = b->op_count; at-- > 0;) {
        IrInsn *i = &b->ops[at];

        live->ends[at] = 0;
        if (i->op == IR_insn || i->op == IR_OP_COUNT) {
            continue; /* the mark of an instruction, dropped before */
        }
        if (i->op == IR_put) {
            if (is_overwritten(&overwritten, i->imm)) {
                i->op = IR_OP_COUNT;
                continue;
            }
            set_overwritten(&overwritten, i->imm, true);
            live->ends[at] = (uint8_t)use(live, i->a, at, ENDS_A);
            continue;
        }
        if (is_unused(b, live, i)) {
            i->op = IR_OP_COUNT;
            continue;
        }
        if (i->op == IR_get) {
            set_overwritten(&overwritten, i->imm, false);
        } else if (i->op != IR_const) {
            if (observes(b, i)) {
                overwritten = (Overwritten){ { 0 } };
            }
            use_operands(live, i, at);
        }
    }
}
