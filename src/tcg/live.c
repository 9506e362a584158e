/*
 * Liveness: the backward pass of tier 1. Drops operations whose result nobody uses, and puts that
 * another put overwrites before anybody could see them.
 */
#include <string.h>

#include "tcg/ir.h"

/* What this pass has to know of an operation. */
typedef enum Role {
    DROPPABLE = 1 << 0, /* it only gives its result */
    OBSERVES = 1 << 1,  /* the gvars can be seen in the middle of it, or after it left the block */
} Role;

#define GIVES_ONLY(effects) !((effects) & ~(PURE | COMMUTES | READS_GVAR | READS_ENV | VEC))
#define LEAVES(op, effects) ((op) == IR_gotocond || ((effects) & (MAY_FAULT | BARRIER | ENDS)))
#define OP(name, signature, effects)                                                               \
    [IR_##name] = (GIVES_ONLY(effects) ? DROPPABLE : 0) |                                          \
        (LEAVES(IR_##name, effects) ? OBSERVES : 0),
static const uint8_t roles[IR_OP_COUNT + 1] = {
#include "tcg/ops.h"
};
#undef OP

static unsigned role_of_call(const Helper *helper)
{
    return (helper->flags & HELPER_PURE ? DROPPABLE : 0) |
        (helper->flags & HELPER_LEAF ? 0 : OBSERVES);
}

/* 1 when it is the last. Without a branch, which nobody could foresee; so one that is not there (0) is used too. */
static inline unsigned use(IrLive *live, unsigned temporary, unsigned at)
{
    IrUse *u = &live->use[temporary];
    unsigned last = u->count == 0;

    u->last |= (uint16_t)(at & -last);
    u->count++;
    return last;
}

static inline unsigned use_operands(IrLive *live, const IrInsn *i, unsigned at)
{
    unsigned ends = use(live, i->a, at) * ENDS_A;

    ends |= use(live, i->b, at) * ENDS_B;
    return i->c ? ends | use(live, i->c, at) * ENDS_C : ends;
}

/* At the front. */
static inline void add(IrList *list, unsigned at)
{
    list->at[--list->first] = (uint16_t)at;
}

static void begin(const IrBlock *b, IrLive *live)
{
    memset(live->use, 0, (b->temp_count + 1) * sizeof(live->use[0]));
    memset(live->ends, 0, b->op_count);
    live->use[0].count = 1; /* a result that is not there is used */
    live->work.first = live->consts.first = IR_MAX_OPS;
}

void ir_live(IrBlock *b, IrLive *live)
{
    uint16_t put_at
        [256]; /* of each gvar: the time at which it is put again before anything can see it */
    unsigned time = 1; /* grows, backwards, when something can see them */

    memset(put_at, 0, b->gvar_count * sizeof(put_at[0]));
    begin(b, live);
    for (unsigned at = b->op_count; at-- > 0;) {
        IrInsn *i = &b->ops[at];
        bool unused = live->use[i->dst].count == 0;
        unsigned role = roles[i->op];

        if (unused && (role & DROPPABLE)) {
            i->op = IR_OP_COUNT;
            continue;
        }
        switch (i->op) {
        case IR_OP_COUNT: continue; /* dropped before */
        case IR_const:
        case IR_fconst:
        case IR_vconst: add(&live->consts, at); continue;
        case IR_get:
            put_at[i->imm] = 0;
            add(&live->work, at);
            continue;
        case IR_put:
            if (put_at[i->imm] == time) {
                i->op = IR_OP_COUNT;
                continue;
            }
            put_at[i->imm] = (uint16_t)time;
            break;
        case IR_call:
            role = role_of_call(b->helpers[i->imm]);
            if (unused && (role & DROPPABLE)) {
                i->op = IR_OP_COUNT;
                continue;
            }
            break;
        default: break;
        }
        add(&live->work, at);
        time += role & OBSERVES ? 1 : 0;
        live->ends[at] = (uint8_t)(use_operands(live, i, at) | (unused ? ENDS_DST : 0));
    }
}
