/* Calls of the environment, traps' returns, fences of translation, cache blocks. */
#include "targets/riscv/translate.h"

bool rv_ecall(RvTranslator *t, const RvNone *i)
{
    Val vector = ir_call(t->b, I64, &rv_help_ecall, ir_const(t->b, I64, t->pc), NO_VAL, NO_VAL);

    leave_to(t, JUMP_OTHER, from_helper(t, vector));
    return true;
}

bool rv_ebreak(RvTranslator *t, const RvNone *i)
{
    Val to = ir_call(t->b, I64, &rv_help_ebreak, ir_const(t->b, I64, t->pc), NO_VAL, NO_VAL);

    ir_exit(t->b, EXIT_LOOKUP, from_helper(t, to));
    t->ended = true;
    return true;
}

static bool trap_return(RvTranslator *t, const Helper *helper, RvPrivilege least)
{
    if (t->privilege < least) {
        return false;
    }
    leave_to(
        t, JUMP_OTHER, from_helper(t, ir_call(t->b, I64, helper, insn_bits(t), NO_VAL, NO_VAL)));
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
