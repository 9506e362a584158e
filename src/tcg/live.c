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

static bool is_dead(const IrBlock *b, const IrLive *live, const Overwritten *o, const IrInsn *i)
{
    if (i->op == IR_put) {
        return is_overwritten(o, i->imm);
    }
    return i->dst && live->use_count[i->dst] == 0 && is_droppable(b, i);
}

static void use(IrLive *live, uint16_t temporary, unsigned at)
{
    if (temporary && live->use_count[temporary]++ == 0) {
        live->last_use[temporary] = (uint16_t)at;
    }
}

void ir_live(IrBlock *b, IrLive *live)
{
    Overwritten overwritten = { { 0 } };

    memset(live->last_use, 0, (b->temp_count + 1) * sizeof(live->last_use[0]));
    memset(live->use_count, 0, (b->temp_count + 1) * sizeof(live->use_count[0]));
    for (unsigned at = b->op_count; at-- > 0;) {
        IrInsn *i = &b->ops[at];

        if (i->op == IR_OP_COUNT) {
            continue;
        }
        if (is_dead(b, live, &overwritten, i)) {
            i->op = IR_OP_COUNT;
            continue;
        }
        if (i->op == IR_put || i->op == IR_get) {
            set_overwritten(&overwritten, i->imm, i->op == IR_put);
        } else if (observes(b, i)) {
            overwritten = (Overwritten){ { 0 } };
        }
        use(live, i->a, at);
        use(live, i->b, at);
        use(live, i->c, at);
    }
}
