/* Pointer authentication, and landing pads of indirect branches (FEAT_PAuth, FEAT_BTI). */
#include "targets/aarch64/pauth.h"
#include "targets/aarch64/translate.h"

/* ---- codes ------------------------------------------------------------------------------------ */

/* A level above may want to hear of the use of a key. */
static void ask_for(A64Translator *t, unsigned key)
{
    if (t->mode & MODE_PAC_TRAPS) {
        ir_call_void(t->b, &a64_help_pac_trap, constant(t, I64, key), NO_VAL, NO_VAL);
    }
}

static Val with_key(A64Translator *t, const Helper *helper, Val pointer, Val modifier, unsigned key)
{
    ask_for(t, key);
    return ir_call(t->b, I64, helper, pointer, modifier, constant(t, I64, key));
}

static Val modifier_of(A64Translator *t, unsigned n, unsigned zero)
{
    return zero ? constant(t, I64, 0) : xreg_sp(t, n);
}

bool a64_pac(A64Translator *t, const A64Pac *i)
{
    Val modifier = modifier_of(t, i->rn, i->zero);

    set_reg(t, 1, i->rd, with_key(t, &a64_help_pac, xreg(t, i->rd), modifier, i->key));
    return true;
}

bool a64_aut(A64Translator *t, const A64Pac *i)
{
    Val modifier = modifier_of(t, i->rn, i->zero);

    set_reg(t, 1, i->rd, with_key(t, &a64_help_aut, xreg(t, i->rd), modifier, i->key));
    return true;
}

static Val stripped(A64Translator *t, Val pointer, bool data)
{
    return ir_call(t->b, I64, &a64_help_strip, pointer, constant(t, I64, data), NO_VAL);
}

bool a64_xpac(A64Translator *t, const A64Pac *i)
{
    set_reg(t, 1, i->rd, stripped(t, xreg(t, i->rd), i->key == A64_KEY_DA));
    return true;
}

bool a64_pacga(A64Translator *t, const A64R *i)
{
    ask_for(t, A64_KEY_GA);
    set_reg(t, 1, i->rd,
        ir_call(t->b, I64, &a64_help_pacga, xreg(t, i->rn), xreg_sp(t, i->rm), NO_VAL));
    return true;
}

/* ---- hints: no operations where there is no authentication -------------------------------------- */

enum {
    HINT_XPACLRI = 7,
    HINT_PACIASP = 25,
    HINT_PACIBSP = 27,
    HINT_BTI = 32, /* and 34, 36, 38 */
};

/* Of the register with a pointer: its modifier is that one, 31 the stack pointer, NO_MODIFIER 0. */
enum { NO_MODIFIER = 32 };
typedef struct PacHint {
    uint8_t op, rd, modifier, key;
    bool checks;
} PacHint;

static const PacHint pac_hints[] = {
    { 8, 17, 16, A64_KEY_IA, false },
    { 10, 17, 16, A64_KEY_IB, false },
    { 12, 17, 16, A64_KEY_IA, true },
    { 14, 17, 16, A64_KEY_IB, true },
    { 24, 30, NO_MODIFIER, A64_KEY_IA, false },
    { HINT_PACIASP, 30, 31, A64_KEY_IA, false },
    { 26, 30, NO_MODIFIER, A64_KEY_IB, false },
    { HINT_PACIBSP, 30, 31, A64_KEY_IB, false },
    { 28, 30, NO_MODIFIER, A64_KEY_IA, true },
    { 29, 30, 31, A64_KEY_IA, true },
    { 30, 30, NO_MODIFIER, A64_KEY_IB, true },
    { 31, 30, 31, A64_KEY_IB, true },
};

void pac_hint(A64Translator *t, unsigned op)
{
    if (!(t->features >> A64_PAUTH & 1)) {
        return;
    }
    if (op == HINT_XPACLRI) {
        set_reg(t, 1, 30, stripped(t, xreg(t, 30), false));
    }
    for (unsigned n = 0; n < sizeof(pac_hints) / sizeof(*pac_hints); n++) {
        const PacHint *h = &pac_hints[n];

        if (h->op == op) {
            Val modifier = modifier_of(t, h->modifier & 31, h->modifier == NO_MODIFIER);
            const Helper *helper = h->checks ? &a64_help_aut : &a64_help_pac;

            set_reg(t, 1, h->rd, with_key(t, helper, xreg(t, h->rd), modifier, h->key));
        }
    }
}

/* ---- branches --------------------------------------------------------------------------------- */

static Val checked_target(A64Translator *t, const A64Bra *i, unsigned n)
{
    return with_key(t, &a64_help_aut, xreg(t, n), modifier_of(t, i->rm, i->zero), i->key);
}

bool a64_bra(A64Translator *t, const A64Bra *i)
{
    branch_indirectly(t, JUMP_OTHER, i->rn, checked_target(t, i, i->rn));
    return true;
}

bool a64_blra(A64Translator *t, const A64Bra *i)
{
    branch_indirectly(t, JUMP_CALL, i->rn, checked_target(t, i, i->rn));
    return true;
}

bool a64_reta(A64Translator *t, const A64Bra *i)
{
    branch_indirectly(t, JUMP_RETURN, 30, checked_target(t, i, 30));
    return true;
}

bool a64_ereta(A64Translator *t, const A64Bra *i)
{
    Val pc;

    if (!t->el) {
        return false;
    }
    pc = ir_ldenv(t->b, I64, MEM_64, offsetof(A64Cpu, elr) + t->el * sizeof(uint64_t));
    pc = with_key(t, &a64_help_aut, pc, xreg_sp(t, 31), i->key);
    /* What the exception return itself gives is ELR as it stands. */
    ir_put(t->b, GVAR_SCRATCH, pc);
    ir_call(t->b, I64, &a64_help_eret, constant(t, I64, t->pc), NO_VAL, NO_VAL);
    leave_to(t, JUMP_OTHER, ir_get(t->b, GVAR_SCRATCH));
    return true;
}

bool a64_ldra(A64Translator *t, const A64Ldra *i)
{
    Val base = with_key(t, &a64_help_aut, xreg_sp(t, i->rn), constant(t, I64, 0), i->key);
    Val offset = constant(t, I64, (int64_t)i->imm);
    Val address = ir_op2(t->b, IR_add, I64, base, offset);
    Val value = ir_load(t->b, I64, data_memop(t, MEM_64), address, 0);

    if (i->mode) {
        set_reg_sp(t, 1, i->rn, address);
    }
    set_reg(t, 1, i->rt, value);
    return true;
}

/* ---- BTYPE ------------------------------------------------------------------------------------ */

enum { BTYPE_PAD = 1, BTYPE_CALL, BTYPE_JUMP };

static void set_btype(A64Translator *t, unsigned btype)
{
    ir_stenv(t->b, MEM_64, offsetof(A64Cpu, btype), constant(t, I64, btype));
}

static bool has_bti(const A64Translator *t)
{
    return t->features >> A64_BTI & 1;
}

/* BTypeNext of BR and BLR (C6.2): BR in a guarded page is free to go to "bti c" only through X16 and X17. */
static unsigned btype_of(const A64Translator *t, JumpKind kind, unsigned rn)
{
    bool is_guarded = t->b->mode & ISA_MODE_MARKED;

    switch (kind) {
    case JUMP_CALL: return BTYPE_CALL;
    case JUMP_RETURN: return 0;
    default: return is_guarded && rn != 16 && rn != 17 ? BTYPE_JUMP : BTYPE_PAD;
    }
}

void branch_indirectly(A64Translator *t, JumpKind kind, unsigned rn, Val target)
{
    unsigned btype = btype_of(t, kind, rn);

    if (has_bti(t) && btype) {
        set_btype(t, btype);
    }
    jump_to(t, kind, target);
}

/* Which BTYPEs an instruction may be reached with (BTypeCompatible of BTI, PACIASP, BRK, HLT in C6.2). */
static unsigned landing_types(uint32_t insn)
{
    enum { NONE = 1 << 0, ANY = 15 };
    unsigned op = insn >> 5 & 127;

    if ((insn & 0xffe0001f) == 0xd4200000 || (insn & 0xffe0001f) == 0xd4400000) {
        return ANY; /* brk, hlt */
    }
    if ((insn & 0xfffff01f) != 0xd503201f) {
        return NONE;
    }
    switch (op) {
    case HINT_PACIASP:
    case HINT_PACIBSP: return NONE | 1 << BTYPE_PAD | 1 << BTYPE_CALL | BTI_PAC;
    case HINT_BTI | 2: return NONE | 1 << BTYPE_PAD | 1 << BTYPE_CALL;
    case HINT_BTI | 4: return NONE | 1 << BTYPE_PAD | 1 << BTYPE_JUMP;
    case HINT_BTI | 6: return ANY;
    default: return NONE;
    }
}

/* Branches, exceptions and system instructions: those that may leave the block. */
static bool is_of_branches(uint32_t insn)
{
    return (insn >> 26 & 7) == 5;
}

void land(A64Translator *t)
{
    unsigned fine;

    if (!has_bti(t)) {
        return;
    }
    if (!(t->b->mode & ISA_MODE_MARKED)) {
        if (is_of_branches(t->insn)) {
            set_btype(t, 0);
        } else {
            t->after |= AFTER_LANDING;
        }
        return;
    }
    fine = ir_label_new(t->b);
    ir_brcond(
        t->b, fine, EQ, ir_ldenv(t->b, I64, MEM_64, offsetof(A64Cpu, btype)), constant(t, I64, 0));
    ir_call_void(t->b, &a64_help_landing, constant(t, I64, landing_types(t->insn)), NO_VAL, NO_VAL);
    ir_label(t->b, fine);
}

void landed(A64Translator *t)
{
    set_btype(t, 0);
}
