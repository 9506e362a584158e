/* The translation of a block, and RV32I and RV64I in the order of insn.decode. */
#include "targets/riscv/translate.h"

void rv_raise(RvTranslator *t, RvCause cause, Val value)
{
    ir_call_void(t->b, &rv_help_raise, ir_const(t->b, I64, cause), value, NO_VAL);
    ir_exit(t->b, EXIT_LOOKUP, constant(t, t->pc));
    t->ended = true;
}

/* ---- constants and jumps ---------------------------------------------------------------------- */

bool rv_lui(RvTranslator *t, const RvU *i)
{
    set_gpr(t, i->rd, constant(t, (int64_t)i->imm));
    return true;
}

bool rv_auipc(RvTranslator *t, const RvU *i)
{
    set_gpr(t, i->rd, constant(t, t->pc + (int64_t)i->imm));
    return true;
}

/* Without C a target that is not a multiple of 4 faults at the jump (2.5). */
static bool target_is_misaligned(const RvTranslator *t, uint64_t target)
{
    return target & 2 && !rv_has(t->cpu, RV_C);
}

/*
 * A jump forward inside the page costs nothing: the block goes on there, as long as it does not
 * span too much (isa_fetch16 keeps all that lies between).
 */
static bool can_follow(const RvTranslator *t, uint64_t target)
{
    enum { SPAN_BYTES = 512 };

    return target >= t->next && target - t->b->pc < SPAN_BYTES &&
        target / GUEST_PAGE_SIZE == t->b->pc / GUEST_PAGE_SIZE;
}

bool rv_jal(RvTranslator *t, const RvJ *i)
{
    uint64_t target = wrap(t, t->pc + (int64_t)i->imm);

    if (target_is_misaligned(t, target)) {
        rv_raise(t, CAUSE_FETCH_MISALIGNED, constant(t, target));
        return true;
    }
    set_gpr(t, i->rd, constant(t, t->next));
    if (!i->rd && can_follow(t, target)) {
        t->next = target;
        return true;
    }
    ir_goto(t->b, target);
    t->ended = true;
    return true;
}

/* The registers that calls and returns go by (2.5.1). */
static bool is_link(unsigned n)
{
    return n == 1 || n == 5;
}

static JumpKind jump_kind(const RvI *i)
{
    return is_link(i->rd) ? JUMP_CALL : is_link(i->rs1) ? JUMP_RETURN : JUMP_OTHER;
}

static void raise_if_misaligned(RvTranslator *t, Val target)
{
    unsigned aligned = ir_label_new(t->b);

    ir_brcond(t->b, aligned, EQ, ir_op2_const(t->b, IR_and, t->xt, target, 2), constant(t, 0));
    ir_call_void(t->b, &rv_help_raise, ir_const(t->b, I64, CAUSE_FETCH_MISALIGNED), target, NO_VAL);
    ir_label(t->b, aligned);
}

/* No value lives across a label: computed again where it is needed again. */
static Val jump_target(RvTranslator *t, const RvI *i)
{
    uint64_t offset = (uint64_t)(int64_t)i->imm;
    Val sum = ir_op2_const(t->b, IR_add, t->xt, gpr(t, i->rs1), offset);

    return ir_op2_const(t->b, IR_and, t->xt, sum, ~UINT64_C(1));
}

bool rv_jalr(RvTranslator *t, const RvI *i)
{
    Val target = jump_target(t, i);
    uint64_t known;

    if (!rv_has(t->cpu, RV_C)) {
        raise_if_misaligned(t, target);
        target = jump_target(t, i);
    }
    set_gpr(t, i->rd, constant(t, t->next));
    if (ir_is_const(t->b, target, &known)) {
        ir_goto(t->b, known);
        t->ended = true;
        return true;
    }
    leave_to(t, jump_kind(i), target);
    return true;
}

bool rv_branch(RvTranslator *t, const RvB *i)
{
    static const IrCond conds[8] = { EQ, NE, EQ, EQ, LT, GE, LTU, GEU };
    uint64_t target = wrap(t, t->pc + (int64_t)i->imm);
    IrCond cond = conds[i->op];

    if (target_is_misaligned(t, target)) {
        unsigned not_taken = ir_label_new(t->b);

        ir_brcond(t->b, not_taken, cond ^ 1, gpr(t, i->rs1), gpr(t, i->rs2));
        ir_call_void(t->b, &rv_help_raise, ir_const(t->b, I64, CAUSE_FETCH_MISALIGNED),
            constant(t, target), NO_VAL);
        ir_label(t->b, not_taken);
        return true;
    }
    ir_goto_if(t->b, cond, gpr(t, i->rs1), gpr(t, i->rs2), target);
    return true;
}

_Static_assert((EQ ^ 1) == NE && (LT ^ 1) == GE && (LTU ^ 1) == GEU, "conditions come in pairs");

/* ---- memory ----------------------------------------------------------------------------------- */

bool rv_load(RvTranslator *t, const RvLoad *i)
{
    MemOp op = (i->op & 3) | (i->op & 4 ? 0 : MEM_SIGNED);

    set_gpr(t, i->rd, ir_load(t->b, t->xt, op, gpr(t, i->rs1), i->imm));
    return true;
}

bool rv_store(RvTranslator *t, const RvStore *i)
{
    ir_store(t->b, (MemOp)i->op, gpr(t, i->rs1), i->imm, gpr(t, i->rs2));
    return true;
}

/* ---- arithmetic ------------------------------------------------------------------------------- */

static bool op_imm(RvTranslator *t, IrOp op, const RvI *i)
{
    set_gpr(t, i->rd, ir_op2_const(t->b, op, t->xt, gpr(t, i->rs1), (uint64_t)(int64_t)i->imm));
    return true;
}

static bool op_reg(RvTranslator *t, IrOp op, const RvR *i)
{
    set_gpr(t, i->rd, ir_op2(t->b, op, t->xt, gpr(t, i->rs1), gpr(t, i->rs2)));
    return true;
}

static bool op_imm32(RvTranslator *t, IrOp op, const RvI *i)
{
    set_gpr32(t, i->rd, ir_op2_const(t->b, op, I32, gpr32(t, i->rs1), (uint32_t)i->imm));
    return true;
}

static bool op_reg32(RvTranslator *t, IrOp op, const RvR *i)
{
    set_gpr32(t, i->rd, ir_op2(t->b, op, I32, gpr32(t, i->rs1), gpr32(t, i->rs2)));
    return true;
}

static bool less(RvTranslator *t, IrCond cond, unsigned rd, Val x, Val y)
{
    set_gpr_bool(t, rd, ir_setcond(t->b, cond, x, y));
    return true;
}

/* clang-format off */
#define OP_IMM(name, op)   bool rv_##name(RvTranslator *t, const RvI *i) { return op_imm(t, IR_##op, i); }
#define OP_REG(name, op)   bool rv_##name(RvTranslator *t, const RvR *i) { return op_reg(t, IR_##op, i); }
#define OP_IMM32(name, op) bool rv_##name(RvTranslator *t, const RvI *i) { return op_imm32(t, IR_##op, i); }
#define OP_REG32(name, op) bool rv_##name(RvTranslator *t, const RvR *i) { return op_reg32(t, IR_##op, i); }

OP_IMM(addi, add)
OP_IMM(xori, xor)
OP_IMM(ori, or)
OP_IMM(andi, and)
OP_IMM(slli, shl)
OP_IMM(srli, shr)
OP_IMM(srai, sar)
OP_REG(add, add)
OP_REG(sub, sub)
OP_REG(sll, shl)
OP_REG(xor, xor)
OP_REG(srl, shr)
OP_REG(sra, sar)
OP_REG(or, or)
OP_REG(and, and)
OP_IMM32(addiw, add)
OP_IMM32(slliw, shl)
OP_IMM32(srliw, shr)
OP_IMM32(sraiw, sar)
OP_REG32(addw, add)
OP_REG32(subw, sub)
OP_REG32(sllw, shl)
OP_REG32(srlw, shr)
OP_REG32(sraw, sar)

/* M */
OP_REG(mul, mul)
OP_REG(mulh, mulhs)
OP_REG(mulhu, mulhu)
OP_REG(mulhsu, mulhsu)
OP_REG32(mulw, mul)

/* Zbb, as far as it is one operation */
OP_REG(andn, andn)
OP_REG(orn, orn)
OP_REG(max, smax)
OP_REG(maxu, umax)
OP_REG(min, smin)
OP_REG(minu, umin)
OP_REG(rol, rotl)
OP_REG(ror, rotr)
OP_IMM(rori, rotr)
OP_REG32(rolw, rotl)
OP_REG32(rorw, rotr)
OP_IMM32(roriw, rotr)
/* clang-format on */

bool rv_slti(RvTranslator *t, const RvI *i)
{
    return less(t, LT, i->rd, gpr(t, i->rs1), constant(t, (int64_t)i->imm));
}

bool rv_sltiu(RvTranslator *t, const RvI *i)
{
    return less(t, LTU, i->rd, gpr(t, i->rs1), constant(t, (int64_t)i->imm));
}

bool rv_slt(RvTranslator *t, const RvR *i)
{
    return less(t, LT, i->rd, gpr(t, i->rs1), gpr(t, i->rs2));
}

bool rv_sltu(RvTranslator *t, const RvR *i)
{
    return less(t, LTU, i->rd, gpr(t, i->rs1), gpr(t, i->rs2));
}

static bool divide(RvTranslator *t, IrOp op, const RvR *i)
{
    set_gpr(
        t, i->rd, ir_aux(t->b, op, t->xt, DIV_RISCV, 0, gpr(t, i->rs1), gpr(t, i->rs2), NO_VAL));
    return true;
}

static bool divide32(RvTranslator *t, IrOp op, const RvR *i)
{
    set_gpr32(
        t, i->rd, ir_aux(t->b, op, I32, DIV_RISCV, 0, gpr32(t, i->rs1), gpr32(t, i->rs2), NO_VAL));
    return true;
}

/* clang-format off */
#define DIVIDE(name, op)   bool rv_##name(RvTranslator *t, const RvR *i) { return divide(t, IR_##op, i); }
#define DIVIDE32(name, op) bool rv_##name(RvTranslator *t, const RvR *i) { return divide32(t, IR_##op, i); }

DIVIDE(div, divs)
DIVIDE(divu, divu)
DIVIDE(rem, rems)
DIVIDE(remu, remu)
DIVIDE32(divw, divs)
DIVIDE32(divuw, divu)
DIVIDE32(remw, rems)
DIVIDE32(remuw, remu)
/* clang-format on */

/* ---- blocks ----------------------------------------------------------------------------------- */

/* Of 16 bits only the lower half counts. Half of all are short, in no order that a branch could be predicted by. */
static uint32_t cut(uint32_t bits)
{
    return bits & (0xffff | -(uint32_t)((bits & 3) == 3));
}

static bool set_insn(RvTranslator *t, uint32_t insn, int row)
{
    t->insn = insn;
    t->row = row;
    t->next = wrap(t, t->pc + ((insn & 3) == 3 ? 4 : 2));
    return true;
}

/* Reads it unit by unit. False: it cannot be fetched, or belongs to the next block. */
static __attribute__((noinline)) bool fetch_units(RvTranslator *t)
{
    uint64_t second = wrap(t, t->pc + 2);
    uint16_t low, high = 0;
    CpuFault fault;
    bool first = t->pc == t->b->pc && !t->b->guest_insns;
    bool fits = isa_fetch16(&t->cpu->env, t->pc, &low, &fault);

    if (fits && (low & 3) == 3) {
        /* An instruction on two pages has a block of its own, so that others need one page only. */
        if (!first && second % GUEST_PAGE_SIZE == 0) {
            return false;
        }
        fits = isa_fetch16(&t->cpu->env, second, &high, &fault);
    }
    if (!fits) {
        if (first) {
            cpu_raise(&t->cpu->env, fault.cause, fault.value);
        }
        return false;
    }
    uint32_t insn = low | (uint32_t)high << 16;
    return set_insn(t, insn, rv_find(insn, t->features));
}

/* False: not in the block's first page, or somebody has to be asked. */
static __attribute__((noinline)) bool fetch_run(RvTranslator *t, uint64_t pc)
{
    uint64_t end;

    t->code = isa_fetched_run(&t->cpu->env, pc, &end);
    t->code_pc = pc;
    t->code_room = t->code ? end - pc - 3 : 0;
    return t->code;
}

/* Reads and finds the instruction at pc, if that is easy. */
static inline void look_at(RvTranslator *t, uint64_t pc)
{
    uint32_t bits;

    t->ahead_pc = 1;
    if (pc - t->code_pc < t->code_room || fetch_run(t, pc)) {
        memcpy(&bits, t->code + (pc - t->code_pc), sizeof(bits));
        t->ahead_pc = pc;
        t->ahead = cut(bits);
        t->ahead_row = rv_find(t->ahead, t->features);
    }
}

/* At the start and behind a jump; and what is not easy. */
static __attribute__((noinline)) bool fetch_anew(RvTranslator *t)
{
    look_at(t, t->pc);
    return t->ahead_pc == t->pc ? set_insn(t, t->ahead, t->ahead_row) : fetch_units(t);
}

static bool fetch(RvTranslator *t)
{
    return t->ahead_pc == t->pc ? set_insn(t, t->ahead, t->ahead_row) : fetch_anew(t);
}

/*
 * Which instruction comes next nobody can predict, so the jump to what translates it waits for a chain of look-ups. It
 * is done one instruction early, while there is other work.
 */
static void translate_insn(RvTranslator *t)
{
    look_at(t, t->next);
    ir_insn(t->b, t->pc, (t->next - t->pc) & 7);
    if (t->enabled) {
        t->enabled = false;
        rv_take_enabled(t);
    }
    if (t->row < 0 || !rv_translate_row(t, t->row, t->insn)) {
        rv_raise(t, CAUSE_ILLEGAL, ir_const(t->b, I64, t->insn));
        return;
    }
    t->pc = t->next;
    if (t->leave && !t->ended) {
        leave_to(t, JUMP_OTHER, constant(t, t->pc));
    }
}

static uint64_t translated_features(const RvCpu *cpu)
{
    uint64_t fp = UINT64_C(1) << RV_F | UINT64_C(1) << RV_D | UINT64_C(1) << RV_ZFH |
        UINT64_C(1) << RV_ZFHMIN;
    bool off = (cpu->env.mode & MODE_FS) >> MODE_FS_SHIFT == FS_OFF;

    return cpu->features & ~(off ? fp : 0);
}

void rv_translate(IrBlock *b, CpuEnv *env)
{
    RvCpu *cpu = rv_cpu(env);
    RvTranslator t = {
        .b = b,
        .cpu = cpu,
        .pc = b->pc,
        .ahead_pc = 1,
        .features = translated_features(cpu),
        .xt = rv_has(cpu, RV_RV64) ? I64 : I32,
        .privilege = b->mode & MODE_PRIV,
        .fs = (b->mode & MODE_FS) >> MODE_FS_SHIFT,
        .frm = (b->mode & MODE_FRM) >> MODE_FRM_SHIFT,
    };

    do {
        if (!fetch(&t)) {
            break;
        }
        translate_insn(&t);
    } while (!t.ended && ir_has_room(b) && t.pc / GUEST_PAGE_SIZE == b->pc / GUEST_PAGE_SIZE);
    if (t.ended || !b->guest_insns) {
        return;
    }
    if (t.enabled) {
        ir_call_void(b, &rv_help_check_interrupts, NO_VAL, NO_VAL, NO_VAL);
        leave_to(&t, JUMP_OTHER, constant(&t, t.pc));
    } else {
        ir_goto(b, t.pc);
    }
}
