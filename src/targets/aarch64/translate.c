/* The translation of a block; immediate operands and branches, in the order of insn.decode. */
#include "targets/aarch64/translate.h"

#include <string.h>

#include "tcg/exec.h"

void raise_exception(A64Translator *t, uint32_t syndrome, Val far)
{
    ir_call_void(t->b, &a64_help_raise, constant(t, I64, syndrome), far, NO_VAL);
    ir_exit(t->b, EXIT_LOOKUP, constant(t, I64, t->pc));
    t->ended = true;
}

/* ---- addresses, constants, bit fields --------------------------------------------------------- */

bool a64_adr(A64Translator *t, const A64Adr *i)
{
    set_reg(t, 1, i->rd, constant(t, I64, t->pc + (int64_t)i->imm));
    return true;
}

bool a64_adrp(A64Translator *t, const A64Adr *i)
{
    uint64_t page = t->pc & ~UINT64_C(0xfff);

    set_reg(t, 1, i->rd, constant(t, I64, page + ((uint64_t)i->imm << 12)));
    return true;
}

static uint64_t add_immediate(const A64Addi *i)
{
    return (uint64_t)i->imm << (i->high ? 12 : 0);
}

static Val plus(A64Translator *t, unsigned sf, Val x, uint64_t y)
{
    return y ? ir_op2_const(t->b, IR_add, type_of_sf(sf), x, y) : x;
}

/* Behind adrp, of a known number. */
static bool add_imm(A64Translator *t, const A64Addi *i, uint64_t y)
{
    Val x = xreg_sp(t, i->rn);
    uint64_t known;

    if (i->rd != GVAR_SP && is_constant(t, x) && ir_is_const(t->b, x, &known)) {
        set_reg_to(t, i->sf, i->rd, known + y);
    } else {
        set_reg_sp(t, i->sf, i->rd, plus(t, i->sf, narrowed(t, i->sf, x), y));
    }
    return true;
}

/* y is added; flags are those of the immediate. cmp has no result. */
static bool add_imm_flags(A64Translator *t, A64FlagsOp flags, const A64Addi *i, uint64_t y)
{
    Val x = xreg_sp(t, i->rn);

    if (i->rd != 31) {
        set_reg(t, i->sf, i->rd, plus(t, i->sf, narrowed(t, i->sf, x), y));
    }
    set_flags(t, flags, x, constant(t, type_of_sf(i->sf), add_immediate(i)));
    return true;
}

bool a64_add_imm(A64Translator *t, const A64Addi *i)
{
    return add_imm(t, i, add_immediate(i));
}

bool a64_sub_imm(A64Translator *t, const A64Addi *i)
{
    return add_imm(t, i, -add_immediate(i));
}

bool a64_adds_imm(A64Translator *t, const A64Addi *i)
{
    return add_imm_flags(t, i->sf ? FLAGS_ADD64 : FLAGS_ADD32, i, add_immediate(i));
}

bool a64_subs_imm(A64Translator *t, const A64Addi *i)
{
    return add_imm_flags(t, i->sf ? FLAGS_SUB64 : FLAGS_SUB32, i, -add_immediate(i));
}

/* DecodeBitMasks of the pseudocode (J1): an element of 2 to 64 bits, rotated, repeated. False: reserved. */
bool decode_bit_mask(unsigned sf, unsigned n, unsigned imms, unsigned immr, uint64_t *mask)
{
    unsigned key = n << 6 | (~imms & 63), ones, rotate;
    unsigned size = key ? 1u << (31 - __builtin_clz(key)) : 0;
    uint64_t element;

    ones = imms & (size - 1);
    rotate = immr & (size - 1);
    if (size < 2 || ones == size - 1 || (!sf && n)) {
        return false;
    }
    element = (UINT64_C(2) << ones) - 1;
    if (rotate) {
        element = element >> rotate | element << (size - rotate);
    }
    for (; size < 64; size *= 2) {
        element &= (UINT64_C(1) << size) - 1;
        element |= element << size;
    }
    *mask = sf ? element : (uint32_t)element;
    return true;
}

static bool logic_imm(A64Translator *t, IrOp op, const A64Logi *i)
{
    IrType type = type_of_sf(i->sf);
    uint64_t mask;

    if (!decode_bit_mask(i->sf, i->n, i->imms, i->immr, &mask)) {
        return false;
    }
    if (i->rn == 31 && op == IR_or) { /* mov */
        set_reg_sp(t, 1, i->rd, constant(t, I64, mask));
    } else {
        Val x = reg(t, i->sf, i->rn);

        set_reg_sp(t, i->sf, i->rd, ir_op2_const(t->b, op, type, x, mask));
    }
    return true;
}

/* x & mask, of either type: what of 32 bits leaves out the highest is the same of 64. */
static bool and_imm_value(A64Translator *t, const A64Logi *i, Val *out)
{
    uint64_t mask;

    if (!decode_bit_mask(i->sf, i->n, i->imms, i->immr, &mask)) {
        return false;
    }
    unsigned wide = i->sf || mask <= INT32_MAX;
    IrType type = type_of_sf(wide);
    *out = ir_op2_const(t->b, IR_and, type, reg(t, wide, i->rn), mask);
    return true;
}

bool a64_and_imm(A64Translator *t, const A64Logi *i)
{
    Val result;

    if (!and_imm_value(t, i, &result)) {
        return false;
    }
    set_reg_sp(t, is_wide_value(t, result), i->rd, result);
    return true;
}

bool a64_orr_imm(A64Translator *t, const A64Logi *i)
{
    return logic_imm(t, IR_or, i);
}

bool a64_eor_imm(A64Translator *t, const A64Logi *i)
{
    return logic_imm(t, IR_xor, i);
}

bool a64_ands_imm(A64Translator *t, const A64Logi *i)
{
    Val result;

    if (!and_imm_value(t, i, &result)) {
        return false;
    }
    unsigned wide = is_wide_value(t, result);
    set_reg(t, wide, i->rd, result);
    set_flags(t, wide ? FLAGS_LOGIC64 : FLAGS_LOGIC32, result, NO_VAL);
    return true;
}

static bool is_wide_move(const A64Movi *i)
{
    return i->sf || i->hw < 2;
}

bool a64_movn(A64Translator *t, const A64Movi *i)
{
    if (!is_wide_move(i)) {
        return false;
    }
    set_reg_to(t, i->sf, i->rd, ~((uint64_t)i->imm << 16 * i->hw));
    return true;
}

bool a64_movz(A64Translator *t, const A64Movi *i)
{
    if (!is_wide_move(i)) {
        return false;
    }
    set_reg_to(t, i->sf, i->rd, (uint64_t)i->imm << 16 * i->hw);
    return true;
}

bool a64_movk(A64Translator *t, const A64Movi *i)
{
    IrType type = type_of_sf(i->sf);
    uint64_t others = ~(UINT64_C(0xffff) << 16 * i->hw), bits = (uint64_t)i->imm << 16 * i->hw;
    Val x = xreg(t, i->rd);
    uint64_t known;

    if (!is_wide_move(i)) {
        return false;
    }
    if (is_constant(t, x) && ir_is_const(t->b, x, &known)) {
        set_reg_to(t, i->sf, i->rd, (known & others) | bits);
        return true;
    }
    x = ir_op2_const(t->b, IR_and, type, narrowed(t, i->sf, x), others);
    set_reg(t, i->sf, i->rd, ir_op2_const(t->b, IR_or, type, x, bits));
    return true;
}

/* immr and imms: bits imms..immr moved down, or, when imms is less, bits imms..0 moved up (C6.2.369). */
static bool is_bit_field(const A64Bits *i)
{
    return i->n == i->sf && (i->sf || !((i->immr | i->imms) & 32));
}

static unsigned width_of(unsigned sf)
{
    return sf ? 64 : 32;
}

/* To the left: lsl and the like. */
static Val insert_in_zero(A64Translator *t, const A64Bits *i, bool is_signed)
{
    IrType type = type_of_sf(i->sf);
    unsigned width = width_of(i->sf), up = width - i->immr, length = i->imms + 1;
    Val x = reg(t, i->sf, i->rn);

    if (is_signed || length + up < width) {
        x = (is_signed ? ir_sext : ir_ext)(t->b, type, x, 0, length);
    }
    return ir_op2_const(t->b, IR_shl, type, x, up);
}

static bool extract_field(A64Translator *t, const A64Bits *i, bool is_signed)
{
    unsigned length = i->imms - i->immr + 1;

    if (!is_bit_field(i)) {
        return false;
    }
    if (i->imms < i->immr) {
        set_reg(t, i->sf, i->rd, insert_in_zero(t, i, is_signed));
    } else if (is_signed) {
        Val x = reg(t, i->sf, i->rn);

        set_reg(t, i->sf, i->rd, ir_sext(t->b, type_of_sf(i->sf), x, i->immr, length));
    } else {
        set_reg(t, 1, i->rd, ir_ext(t->b, I64, xreg(t, i->rn), i->immr, length));
    }
    return true;
}

bool a64_sbfm(A64Translator *t, const A64Bits *i)
{
    return extract_field(t, i, true);
}

bool a64_ubfm(A64Translator *t, const A64Bits *i)
{
    return extract_field(t, i, false);
}

static Val deposit(A64Translator *t, unsigned sf, Val into, Val x, unsigned lsb, unsigned length)
{
    return ir_aux(t->b, IR_dep, type_of_sf(sf), 0, (int32_t)(lsb | length << 8), into, x, NO_VAL);
}

bool a64_bfm(A64Translator *t, const A64Bits *i)
{
    IrType type = type_of_sf(i->sf);
    Val x = reg(t, i->sf, i->rn), into = reg(t, i->sf, i->rd);

    if (!is_bit_field(i)) {
        return false;
    }
    if (i->imms >= i->immr) {
        unsigned length = i->imms - i->immr + 1;
        Val moved = ir_op2_const(t->b, IR_shr, type, x, i->immr);

        x = length == width_of(i->sf) ? x : deposit(t, i->sf, into, moved, 0, length);
    } else {
        x = deposit(t, i->sf, into, x, width_of(i->sf) - i->immr, i->imms + 1);
    }
    set_reg(t, i->sf, i->rd, x);
    return true;
}

bool a64_extr(A64Translator *t, const A64Extr *i)
{
    IrType type = type_of_sf(i->sf);
    Val high = reg(t, i->sf, i->rn), low = reg(t, i->sf, i->rm), count;

    if (i->n != i->sf || (!i->sf && i->imms & 32)) {
        return false;
    }
    count = constant(t, type, i->imms);
    if (i->rn == i->rm) {
        set_reg(t, i->sf, i->rd, ir_op2(t->b, IR_rotr, type, low, count));
        return true;
    }
    if (i->imms) {
        Val up = constant(t, type, width_of(i->sf) - i->imms);

        low = ir_op2(t->b, IR_shr, type, low, count);
        low = ir_op2(t->b, IR_or, type, low, ir_op2(t->b, IR_shl, type, high, up));
    }
    set_reg(t, i->sf, i->rd, low);
    return true;
}

/* ---- branches --------------------------------------------------------------------------------- */

/*
 * A jump forward inside the page costs nothing: the block goes on there, as long as it does not
 * span too much (isa_fetch_run keeps all that lies between).
 */
static bool can_follow(const A64Translator *t, uint64_t target)
{
    enum { SPAN_BYTES = 512 };

    return target >= t->next && target - t->b->pc < SPAN_BYTES &&
        target / GUEST_PAGE_SIZE == t->b->pc / GUEST_PAGE_SIZE;
}

bool a64_b(A64Translator *t, const A64B *i)
{
    uint64_t target = t->pc + (int64_t)i->imm;

    if (can_follow(t, target)) {
        t->next = target;
    } else {
        ir_goto(t->b, target);
        t->ended = true;
    }
    return true;
}

bool a64_bl(A64Translator *t, const A64B *i)
{
    set_reg(t, 1, 30, constant(t, I64, t->next));
    ir_goto(t->b, t->pc + (int64_t)i->imm);
    t->ended = true;
    return true;
}

bool a64_b_cond(A64Translator *t, const A64Bcond *i)
{
    uint64_t target = t->pc + (int64_t)i->imm;

    if (i->cond >= 14) {
        return a64_b(t, &(A64B){ i->imm });
    }
    goto_if(t, i->cond, target);
    return true;
}

static bool branch_if(A64Translator *t, const A64Cb *i, IrCond cond)
{
    ir_goto_if(t->b, cond, reg(t, i->sf, i->rt), constant(t, type_of_sf(i->sf), 0),
        t->pc + (int64_t)i->imm);
    return true;
}

bool a64_cbz(A64Translator *t, const A64Cb *i)
{
    return branch_if(t, i, EQ);
}

bool a64_cbnz(A64Translator *t, const A64Cb *i)
{
    return branch_if(t, i, NE);
}

/* Is a bit as asked for, as a comparison. */
typedef struct BitTest {
    IrCond cond;
    Val x, zero;
} BitTest;

/* A sign is looked at in place: such masks are no immediates of a host. */
static BitTest test_of_bit(A64Translator *t, const A64Tb *i, bool set)
{
    bool is_sign = i->bit == 31 || i->bit == 63;
    IrType type = i->bit == 31 ? I32 : I64;
    Val x = reg(t, type == I64, i->rt), zero = constant(t, type, 0);

    if (is_sign) {
        return (BitTest){ set ? LT : GE, x, zero };
    }
    x = ir_op2_const(t->b, IR_and, I64, x, UINT64_C(1) << i->bit);
    return (BitTest){ set ? NE : EQ, x, zero };
}

/* Where the branch is taken it is begun again in the mode that the stack pointer asks for. */
static void close_sp(A64Translator *t, const A64Tb *i, bool set)
{
    unsigned stays = ir_label_new(t->b);
    BitTest test = test_of_bit(t, i, !set);

    ir_brcond(t->b, stays, test.cond, test.x, test.zero);
    ir_call_void(t->b, &a64_help_close_sp, NO_VAL, NO_VAL, NO_VAL);
    ir_label(t->b, stays);
}

static bool branch_if_bit(A64Translator *t, const A64Tb *i, bool set)
{
    BitTest test;

    if (t->sp_open) {
        close_sp(t, i, set);
    }
    test = test_of_bit(t, i, set);
    ir_goto_if(t->b, test.cond, test.x, test.zero, t->pc + (int64_t)i->imm);
    return true;
}

bool a64_tbz(A64Translator *t, const A64Tb *i)
{
    return branch_if_bit(t, i, false);
}

bool a64_tbnz(A64Translator *t, const A64Tb *i)
{
    return branch_if_bit(t, i, true);
}

void jump_to(A64Translator *t, JumpKind kind, Val target)
{
    uint64_t known;

    if (kind == JUMP_CALL) {
        set_reg(t, 1, 30, constant(t, I64, t->next));
    }
    if (ir_is_const(t->b, target, &known)) {
        ir_goto(t->b, known);
        t->ended = true;
    } else {
        leave_to(t, kind, target);
    }
}

bool a64_br(A64Translator *t, const A64Br *i)
{
    branch_indirectly(t, JUMP_OTHER, i->rn, xreg(t, i->rn));
    return true;
}

bool a64_blr(A64Translator *t, const A64Br *i)
{
    branch_indirectly(t, JUMP_CALL, i->rn, xreg(t, i->rn));
    return true;
}

bool a64_ret(A64Translator *t, const A64Br *i)
{
    jump_to(t, JUMP_RETURN, xreg(t, i->rn));
    return true;
}

/* ---- blocks ----------------------------------------------------------------------------------- */

/* False: the block ends in front of t->pc, for the page does, or nothing can be fetched there. */
static bool fetch_more(A64Translator *t)
{
    CpuFault fault;

    if (t->pc / GUEST_PAGE_SIZE != t->b->pc / GUEST_PAGE_SIZE) {
        return false;
    }
    t->code = isa_fetch_run(&t->cpu->env, t->pc, &t->code_end, &fault);
    t->code_pc = t->pc;
    if (!t->code && !t->b->guest_insns) {
        cpu_raise(&t->cpu->env, fault.cause, fault.value);
    }
    return t->code;
}

/* Reads the instruction at t->pc. */
static bool fetch(A64Translator *t)
{
    if (t->pc >= t->code_end && !fetch_more(t)) {
        return false;
    }
    memcpy(&t->insn, t->code + (t->pc - t->code_pc), sizeof(t->insn));
    t->next = t->pc + 4;
    return true;
}

/* Nothing takes the instruction: it is undefined, or no row does and one would if its registers were not trapped. */
static void refuse(A64Translator *t, bool has_row)
{
    bool trapped = !has_row && t->mode & MODE_FP_TRAPPED &&
        a64_find(t->insn, t->features | UINT64_C(1) << A64_FP) >= 0;

    /* D17.2.37: the condition field of a trap from A64 is valid, and "always". */
    raise_exception(t,
        trapped ? a64_syndrome(EC_FP, 1 << 24 | 0xe << 20) : a64_syndrome(EC_UNKNOWN, 0),
        constant(t, I64, 0));
}

/* Loads and stores whose base is the stack pointer; prefetches only hint (C6.2.248). */
static bool has_sp_as_base(uint32_t insn)
{
    bool is_memory = (insn & 0x0a000000) == 0x08000000;
    bool is_literal = (insn & 0x3b000000) == 0x18000000;
    bool is_prefetch = (insn & 0xfec00000) == 0xf8800000;

    return is_memory && !is_literal && !is_prefetch && (insn >> 5 & 31) == 31;
}

/* Is a value, of which the stack pointer was an aligned part, aligned? */
static bool is_surely_aligned(const IrBlock *b, Val v)
{
    const IrInsn *def = &b->ops[b->defined_by[v.id]];
    uint64_t known;

    if (ir_is_const(b, v, &known)) {
        return !(known & 15);
    }
    switch (def->op) {
    case IR_get: return def->imm == GVAR_SP;
    case IR_add:
    case IR_sub:
        return is_surely_aligned(b, (Val){ def->a }) && is_surely_aligned(b, (Val){ def->b });
    case IR_and:
        return is_surely_aligned(b, (Val){ def->a }) || is_surely_aligned(b, (Val){ def->b });
    default: return false;
    }
}

/* ADD and SUB of an immediate or an extended register that give the stack pointer. */
static bool computes_sp(uint32_t insn)
{
    bool is_immediate = (insn & 0xbf800000) == 0x91000000;
    bool is_extended = (insn & 0xbfe00000) == 0x8b200000;

    return (is_immediate || is_extended) && (insn & 31) == 31;
}

/*
 * Is the stack pointer set again before it is a base, in instructions of which none but TBZ and TBNZ can leave? So
 * Linux finds out, at each exception, whether its stack has overflowed: "add sp, sp, x0; sub x0, sp, x0; tbnz x0, #14,
 * 0f; sub x0, sp, x0; sub sp, sp, x0".
 */
static bool is_set_again(A64Translator *t)
{
    enum { FAR = 4 };

    for (unsigned n = 0; n < FAR; n++) {
        uint64_t pc = t->next + 4 * n, end;
        uint32_t insn;
        CpuFault ignored;
        const uint8_t *code = pc / GUEST_PAGE_SIZE == t->b->pc / GUEST_PAGE_SIZE
            ? isa_fetch_run(&t->cpu->env, pc, &end, &ignored)
            : NULL;

        if (!code) {
            return false;
        }
        memcpy(&insn, code, sizeof(insn));
        if (computes_sp(insn)) {
            return true;
        }
        if ((insn & 0x1f000000) != 0x0b000000 && (insn & 0x7e000000) != 0x36000000) {
            return false; /* neither ADD and SUB of registers, nor TBZ and TBNZ */
        }
    }
    return false;
}

/*
 * SP alignment (D1.3.8.2) costs nothing while the stack pointer is aligned, for then the mode says so: only what it
 * is changed to is looked at, where that is not plain, and not at all where it stays so for a moment that nobody sees.
 */
static void check_sp(A64Translator *t)
{
    Val sp = ir_get(t->b, GVAR_SP), low;
    unsigned aligned;

    t->sp_open = false;
    if (!(t->mode & MODE_SP_CHECKED) || t->ended) {
        return;
    }
    if (t->mode & MODE_SP_MISALIGNED) {
        ir_call_void(t->b, &a64_help_mode_changed, NO_VAL, NO_VAL, NO_VAL);
        t->leave = true;
    } else if (is_surely_aligned(t->b, sp)) {
        return;
    } else if (is_set_again(t)) {
        t->sp_open = true;
    } else {
        aligned = ir_label_new(t->b);
        low = ir_op2_const(t->b, IR_and, I64, sp, 15);
        ir_brcond(t->b, aligned, EQ, low, constant(t, I64, 0));
        ir_call_void(t->b, &a64_help_misaligned_sp, NO_VAL, NO_VAL, NO_VAL);
        ir_label(t->b, aligned);
    }
}

/* False: an exception comes first. */
static bool begin_insn(A64Translator *t, bool has_row)
{
    unsigned before = t->before;

    t->before &= BEFORE_MODE;
    if (t->mode & MODE_STEP) {
        ir_call_void(t->b, &a64_help_step, NO_VAL, NO_VAL, NO_VAL);
    }
    if (t->mode & MODE_BREAKPOINTS) {
        ir_call_void(t->b, &a64_help_breakpoint, constant(t, I64, t->pc), NO_VAL, NO_VAL);
    }
    if (before & BEFORE_ENABLED) {
        take_enabled(t);
    }
    if (before & BEFORE_FIRST) {
        land(t);
    }
    if (has_row && t->mode & MODE_SP_MISALIGNED && has_sp_as_base(t->insn)) {
        raise_exception(t, a64_syndrome(EC_SP_ALIGN, 0), constant(t, I64, 0));
        return false;
    }
    return true;
}

static void end_insn(A64Translator *t)
{
    if (t->after & AFTER_LANDING) {
        landed(t);
    }
    if (t->after & AFTER_SP_SET) {
        check_sp(t);
    }
    t->after = 0;
}

static void translate_insn(A64Translator *t)
{
    int row = a64_find(t->insn, t->features);

    ir_insn(t->b, t->pc, 4);
    if (t->before && !begin_insn(t, row >= 0)) {
        return;
    }
    if (row < 0 || !a64_translate_row(t, row, t->insn)) {
        refuse(t, row >= 0);
        return;
    }
    if (t->after) {
        end_insn(t);
    }
    t->pc = t->next;
}

/* Is no instruction to be had here, whatever it may be? */
static bool refuse_all(A64Translator *t)
{
    uint32_t syndrome = t->pc & 3 ? a64_syndrome(EC_PC_ALIGN, 0) : a64_syndrome(EC_ILLEGAL, 0);

    if (!(t->pc & 3) && !(t->mode & MODE_ILLEGAL)) {
        return false;
    }
    ir_insn(t->b, t->pc, 1);
    raise_exception(t, syndrome, constant(t, I64, t->pc));
    return true;
}

void a64_translate(IrBlock *b, CpuEnv *env)
{
    A64Cpu *cpu = a64_cpu(env);
    uint64_t fp = b->mode & MODE_FP_TRAPPED ? UINT64_C(1) << A64_FP : 0;
    const uint32_t before_each = MODE_STEP | MODE_BREAKPOINTS | MODE_SP_MISALIGNED;
    A64Translator t = {
        .b = b,
        .cpu = cpu,
        .pc = b->pc,
        .features = cpu->features & ~fp,
        .el = b->mode & MODE_EL,
        .mode = b->mode,
        .before = BEFORE_FIRST | (b->mode & before_each ? BEFORE_MODE : 0),
        .flags.op = FLAGS_UNKNOWN,
    };

    if (refuse_all(&t)) {
        return;
    }
    while (fetch(&t)) {
        translate_insn(&t);
        if (t.ended || t.leave || b->mode & MODE_STEP || !ir_has_room(b)) {
            break;
        }
    }
    if (t.ended || !b->guest_insns) {
        return;
    }
    if (t.leave) {
        leave_to(&t, JUMP_OTHER, constant(&t, I64, t.pc));
    } else if (t.sp_open) {
        ir_call_void(b, &a64_help_mode_changed, NO_VAL, NO_VAL, NO_VAL);
        leave_to(&t, JUMP_OTHER, constant(&t, I64, t.pc));
    } else if (t.before & BEFORE_ENABLED) {
        ir_call_void(b, &a64_help_check_interrupts, NO_VAL, NO_VAL, NO_VAL);
        leave_to(&t, JUMP_OTHER, constant(&t, I64, t.pc));
    } else {
        ir_goto(b, t.pc);
    }
}
