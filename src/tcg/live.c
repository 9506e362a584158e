/* Liveness: the backward pass of tier 1. Drops operations whose result nobody uses. */
#include <string.h>

#include "tcg/ir-impl.h"

/* It only gives its result. A call may be such a one as well. */
#define GIVES_ONLY(effects) !((effects) & ~(PURE | COMMUTES | READS_GVAR | READS_ENV | VEC))
#define OP(name, signature, effects) [IR_##name] = GIVES_ONLY(effects),
static const bool gives_only[IR_OP_COUNT] = {
#include "tcg/ops.h"
};
#undef OP

enum { ONE_USE = 1 << IR_USE_COUNT };

static bool is_droppable(const IrBlock *b, const IrInsn *i)
{
    return i->op == IR_call ? b->helpers[i->imm]->flags & HELPER_PURE : gives_only[i->op];
}

/* 1 when it is the last. Without a branch, which nobody could foresee; so one that is not there (0) is used too. */
static inline unsigned use(IrLive *live, unsigned temporary, uint32_t at)
{
    uint32_t *u = &live->use[temporary], before = *u;

    *u = before + ONE_USE + (before ? 0 : at);
    return !before;
}

void ir_live(IrBlock *b, IrLive *live)
{
    unsigned first = IR_MAX_OPS;

    memset(live->use, 0, (b->temp_count + 1) * sizeof(live->use[0]));
    live->use[0] = ONE_USE; /* a result that is not there is used */
    for (unsigned at = b->op_count; at-- > 0;) {
        IrInsn *i = &b->ops[at];
        IrWords words = words_of(i);
        unsigned ends, unused, c = (uint16_t)(words.high >> WORD_C);

        if ((uint16_t)words.low == IR_OP_COUNT) {
            continue; /* dropped before */
        }
        unused = !live->use[(uint16_t)(words.low >> WORD_DST)];
        if (unused && is_droppable(b, i)) {
            i->op = IR_OP_COUNT;
            continue;
        }
        live->work.at[--first] = (uint16_t)at;
        ends = use(live, (uint16_t)(words.low >> WORD_A), at) * ENDS_A + unused * ENDS_DST;
        ends |= use(live, (uint16_t)words.high, at) * ENDS_B;
        if (c) {
            ends |= use(live, c, at) * ENDS_C;
        }
        live->ends[at] = (uint8_t)ends;
    }
    live->work.first = first;
}
