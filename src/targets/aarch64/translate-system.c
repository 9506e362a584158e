/* Exceptions, hints, barriers, system registers and instructions. */
#include "targets/aarch64/translate.h"

#include "tcg/exec.h"

/* ---- exceptions ------------------------------------------------------------------------------- */

static bool call(A64Translator *t, const Helper *helper, uint32_t syndrome)
{
    Val vector = ir_call(t->b, I64, helper, constant(t, I64, syndrome), constant(t, I64, t->next),
        constant(t, I64, t->pc));

    leave_to(t, JUMP_OTHER, vector);
    return true;
}

bool a64_svc(A64Translator *t, const A64Exc *i)
{
    return call(t, &a64_help_call, a64_syndrome(EC_SVC, i->imm));
}

/* A call may turn the CPU off: back to the CPU loop. */
static bool call_firmware(A64Translator *t, const Helper *helper, uint32_t syndrome)
{
    Val to;

    if (!t->el) {
        return false;
    }
    to = ir_call(t->b, I64, helper, constant(t, I64, syndrome), constant(t, I64, t->next),
        constant(t, I64, t->pc));
    ir_exit(t->b, EXIT_LOOKUP, to);
    t->ended = true;
    return true;
}

bool a64_hvc(A64Translator *t, const A64Exc *i)
{
    return call_firmware(t, &a64_help_hvc, a64_syndrome(EC_HVC, i->imm));
}

bool a64_smc(A64Translator *t, const A64Exc *i)
{
    return call_firmware(t, &a64_help_smc, a64_syndrome(EC_SMC, i->imm));
}

bool a64_brk(A64Translator *t, const A64Exc *i)
{
    raise_exception(t, a64_syndrome(EC_BRK, i->imm), constant(t, I64, 0));
    return true;
}

/* Halting debug is not there; a program's call to its debugger may be. */
bool a64_hlt(A64Translator *t, const A64Exc *i)
{
    enum { SEMIHOSTING = 0xf000 };

    return i->imm == SEMIHOSTING && call_firmware(t, &a64_help_semihosting, 0);
}

bool a64_eret(A64Translator *t, const A64None *i)
{
    if (!t->el) {
        return false;
    }
    leave_to(
        t, JUMP_OTHER, ir_call(t->b, I64, &a64_help_eret, constant(t, I64, t->pc), NO_VAL, NO_VAL));
    return true;
}

/* ---- hints ------------------------------------------------------------------------------------ */

enum { HINT_YIELD = 1, HINT_WFE, HINT_WFI, HINT_SEV, HINT_SEVL, HINT_ESB = 16 };

static void wait(A64Translator *t, const Helper *helper, ExitReason reason)
{
    ir_call_void(t->b, helper, NO_VAL, NO_VAL, NO_VAL);
    ir_exit(t->b, reason, constant(t, I64, t->next));
    t->ended = true;
}

/* Only a virtual error can wait to be deferred, and it is among the lines. */
static void defer_errors(A64Translator *t)
{
    unsigned none;
    Val lines;

    if (!(t->features >> A64_RAS & 1)) {
        return;
    }
    none = ir_label_new(t->b);
    lines = ir_ldenv(t->b, I32, MEM_32, offsetof(A64Cpu, lines));
    ir_brcond(t->b, none, EQ, lines, constant(t, I32, 0));
    ir_call_void(t->b, &a64_help_esb, NO_VAL, NO_VAL, NO_VAL);
    ir_label(t->b, none);
}

bool a64_hint(A64Translator *t, const A64Hint *i)
{
    switch (i->op) {
    case HINT_YIELD: wait(t, &cpu_help_spin, EXIT_LOOKUP); break;
    case HINT_WFE: wait(t, &a64_help_wfe, EXIT_LOOKUP); break;
    case HINT_WFI: wait(t, &a64_help_wfi, EXIT_HALT); break;
    case HINT_SEV: ir_call_void(t->b, &a64_help_sev, NO_VAL, NO_VAL, NO_VAL); break;
    case HINT_SEVL: ir_stenv(t->b, MEM_32, offsetof(A64Cpu, event), constant(t, I32, 1)); break;
    case HINT_ESB: defer_errors(t); break;
    default: pac_hint(t, i->op); break;
    }
    return true;
}

/* ---- barriers --------------------------------------------------------------------------------- */

/* CRm<1:0>: 1 loads before all, 2 stores before stores, 3 all. */
static void fence(A64Translator *t, unsigned crm)
{
    static const uint8_t kinds[] = { FENCE_ALL, FENCE_RR | FENCE_RW, FENCE_WW, FENCE_ALL };

    ir_fence(t->b, kinds[crm & 3]);
}

bool a64_dmb(A64Translator *t, const A64Crm *i)
{
    fence(t, i->crm);
    return true;
}

bool a64_dsb(A64Translator *t, const A64Crm *i)
{
    ir_fence(t->b, FENCE_ALL);
    ir_call_void(t->b, &a64_help_dsb, NO_VAL, NO_VAL, NO_VAL);
    return true;
}

bool a64_isb(A64Translator *t, const A64Crm *i)
{
    ir_call_void(t->b, &a64_help_isb, NO_VAL, NO_VAL, NO_VAL);
    t->leave = true;
    return true;
}

bool a64_sb(A64Translator *t, const A64None *i)
{
    return true;
}

/* ---- flags ------------------------------------------------------------------------------------ */

bool a64_cfinv(A64Translator *t, const A64None *i)
{
    Val c = constant(t, I64, (uint64_t)NZCV_C << NZCV_SHIFT);

    set_nzcv(t, ir_op2(t->b, IR_xor, I64, get_nzcv(t), c));
    return true;
}

static Val flag(A64Translator *t, Val nzcv, unsigned bit)
{
    return ir_ext(t->b, I64, nzcv, NZCV_SHIFT + bit, 1);
}

static Val flag_not(A64Translator *t, Val x)
{
    return ir_op2_const(t->b, IR_xor, I64, x, 1);
}

static void set_four(A64Translator *t, const Val bits[4])
{
    Val nzcv = constant(t, I64, 0);

    for (unsigned i = 0; i < 4; i++) {
        Val bit = ir_op2_const(t->b, IR_shl, I64, bits[i], NZCV_SHIFT + i);
        nzcv = ir_op2(t->b, IR_or, I64, nzcv, bit);
    }
    set_nzcv(t, nzcv);
}

/* Flags of another comparison of floats into Arm's (C6.2.392). */
bool a64_xaflag(A64Translator *t, const A64None *i)
{
    Val nzcv = get_nzcv(t), z = flag(t, nzcv, 2), c = flag(t, nzcv, 1);
    Val not_z = flag_not(t, z), not_c = flag_not(t, c);

    set_four(t,
        (const Val[4]){
            ir_op2(t->b, IR_and, I64, not_c, z),
            ir_op2(t->b, IR_or, I64, c, z),
            ir_op2(t->b, IR_and, I64, z, c),
            ir_op2(t->b, IR_and, I64, not_c, not_z),
        });
    return true;
}

/* And back (C6.2.24). */
bool a64_axflag(A64Translator *t, const A64None *i)
{
    Val nzcv = get_nzcv(t), z = flag(t, nzcv, 2), c = flag(t, nzcv, 1), v = flag(t, nzcv, 0);
    Val zero = constant(t, I64, 0);

    set_four(t,
        (const Val[4]){
            zero,
            ir_op2(t->b, IR_and, I64, c, flag_not(t, v)),
            ir_op2(t->b, IR_or, I64, z, v),
            zero,
        });
    return true;
}

/* ---- PSTATE ----------------------------------------------------------------------------------- */

static Val state(A64Translator *t, size_t offset)
{
    return ir_ldenv(t->b, I64, MEM_64, offset);
}

static void set_state(A64Translator *t, size_t offset, Val value)
{
    ir_stenv(t->b, MEM_64, offset, value);
}

/* A field that translations do not depend on: one bit of CRm. */
static bool set_bit(A64Translator *t, size_t offset, unsigned crm, unsigned least_el)
{
    if (t->el < least_el) {
        return false;
    }
    set_state(t, offset, constant(t, I64, crm & 1));
    return true;
}

bool a64_msr_ssbs(A64Translator *t, const A64Crm *i)
{
    return set_bit(t, offsetof(A64Cpu, ssbs), i->crm, 0);
}

bool a64_msr_dit(A64Translator *t, const A64Crm *i)
{
    return set_bit(t, offsetof(A64Cpu, dit), i->crm, 0);
}

static bool set_mode_bit(A64Translator *t, size_t offset, unsigned crm)
{
    if (!set_bit(t, offset, crm, 1)) {
        return false;
    }
    ir_call_void(t->b, &a64_help_mode_changed, NO_VAL, NO_VAL, NO_VAL);
    t->leave = true;
    return true;
}

bool a64_msr_uao(A64Translator *t, const A64Crm *i)
{
    return set_mode_bit(t, offsetof(A64Cpu, uao), i->crm);
}

bool a64_msr_pan(A64Translator *t, const A64Crm *i)
{
    return set_mode_bit(t, offsetof(A64Cpu, pan), i->crm);
}

bool a64_msr_spsel(A64Translator *t, const A64Crm *i)
{
    if (!t->el) {
        return false;
    }
    ir_call_void(t->b, &a64_help_spsel, constant(t, I64, i->crm & 1), NO_VAL, NO_VAL);
    t->leave = true;
    return true;
}

/* EL0 may only when SCTLR_EL1.UMA lets it; that is the long way. */
static bool change_daif(A64Translator *t, IrOp op, unsigned crm)
{
    Val bits = constant(t, I64, (uint64_t)crm << 6);

    if (!t->el) {
        ir_call_void(
            t->b, &a64_help_daif, bits, constant(t, I64, op == IR_or), constant(t, I64, t->insn));
        t->leave = true;
        return true;
    }
    set_state(
        t, offsetof(A64Cpu, daif), ir_op2(t->b, op, I64, state(t, offsetof(A64Cpu, daif)), bits));
    t->before |= op == IR_andn ? BEFORE_ENABLED : 0;
    return true;
}

bool a64_msr_daifset(A64Translator *t, const A64Crm *i)
{
    return change_daif(t, IR_or, i->crm);
}

bool a64_msr_daifclr(A64Translator *t, const A64Crm *i)
{
    return change_daif(t, IR_andn, i->crm);
}

void take_enabled(A64Translator *t)
{
    unsigned none = ir_label_new(t->b);
    Val lines = ir_ldenv(t->b, I32, MEM_32, offsetof(A64Cpu, lines));

    ir_brcond(t->b, none, EQ, lines, constant(t, I32, 0));
    ir_call_void(t->b, &a64_help_interrupt, NO_VAL, NO_VAL, NO_VAL);
    ir_label(t->b, none);
}

/* ---- system registers ------------------------------------------------------------------------- */

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
enum {
    REG_NZCV = SYSREG(3, 3, 4, 2, 0),
    REG_DAIF = SYSREG(3, 3, 4, 2, 1),
    REG_CURRENTEL = SYSREG(3, 0, 4, 2, 2),
};

static uint64_t sysreg_operand(const A64Sys *i, unsigned number)
{
    return (uint64_t)number | (uint64_t)i->rt << 16;
}

static bool read_inline(A64Translator *t, const A64Sys *i)
{
    switch (i->reg) {
    case REG_NZCV: set_reg(t, 1, i->rt, get_nzcv(t)); return true;
    case REG_CURRENTEL: set_reg(t, 1, i->rt, constant(t, I64, t->el << 2)); return t->el;
    case REG_DAIF:
        if (t->el) {
            set_reg(t, 1, i->rt, state(t, offsetof(A64Cpu, daif)));
        }
        return t->el;
    default: return false;
    }
}

/* Where nothing takes a name, a level above may still hear of it. */
static bool no_register(A64Translator *t, const A64Sys *i, bool read)
{
    if (!(t->mode & MODE_TRAPS) && !(read && a64_is_id_space(t->cpu, i->reg))) {
        return false;
    }
    ir_call_void(t->b, &a64_help_sysreg_none, constant(t, I64, sysreg_operand(i, i->reg)),
        constant(t, I64, read), NO_VAL);
    leave_to(t, JUMP_OTHER, constant(t, I64, t->next));
    return true;
}

/* The offset of a register that needs no call here. */
static unsigned plain_offset(
    A64Translator *t, const A64Sysreg *row, unsigned number, uint64_t *mask)
{
    bool asks = t->mode & MODE_TRAPS && a64_may_trap(number);

    return asks ? 0 : a64_sysreg_plain(row, mask);
}

bool a64_mrs(A64Translator *t, const A64Sys *i)
{
    unsigned number = a64_sysreg_meant(i->reg, t->mode), offset;
    const A64Sysreg *row = a64_sysreg_find(t->cpu, number);
    uint64_t mask;

    if (!row || !a64_sysreg_reachable(row, t->mode, false)) {
        return no_register(t, i, true);
    }
    offset = plain_offset(t, row, number, &mask);
    if (offset) {
        set_reg(t, 1, i->rt, state(t, offset));
    } else if (!read_inline(t, i)) {
        set_reg(t, 1, i->rt,
            ir_call(t->b, I64, &a64_help_mrs, constant(t, I64, sysreg_operand(i, number)), NO_VAL,
                NO_VAL));
        t->flags.op = FLAGS_UNKNOWN; /* RNDR sets them */
    }
    return true;
}

static bool write_inline(A64Translator *t, const A64Sys *i)
{
    Val value = xreg(t, i->rt);

    if (i->reg == REG_NZCV) {
        set_nzcv(t, ir_op2_const(t->b, IR_and, I64, value, PSTATE_NZCV));
        return true;
    }
    if (i->reg == REG_DAIF && t->el) {
        set_state(t, offsetof(A64Cpu, daif), ir_op2_const(t->b, IR_and, I64, value, PSTATE_DAIF));
        t->before |= BEFORE_ENABLED;
        return true;
    }
    return false;
}

bool a64_msr(A64Translator *t, const A64Sys *i)
{
    unsigned number = a64_sysreg_meant(i->reg, t->mode), offset;
    const A64Sysreg *row = a64_sysreg_find(t->cpu, number);
    uint64_t mask;

    if (!row || !a64_sysreg_reachable(row, t->mode, true)) {
        return no_register(t, i, false);
    }
    offset = plain_offset(t, row, number, &mask);
    if (offset) {
        set_state(t, offset, ir_op2_const(t->b, IR_and, I64, xreg(t, i->rt), mask));
    } else if (!write_inline(t, i)) {
        ir_call_void(t->b, &a64_help_msr, constant(t, I64, sysreg_operand(i, number)),
            xreg(t, i->rt), NO_VAL);
        t->leave |= a64_sysreg_leaves(row);
    }
    return true;
}

bool a64_sys(A64Translator *t, const A64Sys *i)
{
    if (!a64_sys_exists(t->cpu, i->reg, t->el)) {
        return no_register(t, i, false);
    }
    ir_call_void(
        t->b, &a64_help_sys, constant(t, I64, sysreg_operand(i, i->reg)), xreg(t, i->rt), NO_VAL);
    t->leave |= a64_sys_leaves(i->reg);
    return true;
}

/* None that gives a value is there. */
bool a64_sysl(A64Translator *t, const A64Sys *i)
{
    return false;
}
