/* Integer operations. */
#include "tcg/host/x86_64/regs.h"

static bool is_wide(const IrInsn *op)
{
    return op->type == I64;
}

static unsigned width_of(const IrInsn *op)
{
    return op->type == I64 ? 64 : 32;
}

static void alu_operand(Gen *g, Alu alu, bool wide, unsigned d, Rm y)
{
    if (rm_is_imm(y)) {
        x_alu_imm(&g->code, alu, wide, rm_reg(d), y.disp);
    } else {
        x_alu(&g->code, alu, wide, d, y);
    }
}

/* A byte, a word or the low half, extended by one instruction; 0: there is none. */
static unsigned extend_opcode(unsigned length, bool is_signed)
{
    switch (length) {
    case 8: return is_signed ? OP_MOVSX8 : OP_MOVZX8;
    case 16: return is_signed ? OP_MOVSX16 : OP_MOVZX16;
    case 32: return is_signed ? OP_MOVSXD : OP_MOV;
    default: return 0;
    }
}

static bool extend_low(Gen *g, const IrInsn *op, unsigned length, bool is_signed)
{
    unsigned opcode = extend_opcode(length, is_signed);
    Rm a;

    if (!opcode) {
        return false;
    }
    a = reg_rm_low(g, op->a);
    x_op(&g->code, opcode, is_signed && is_wide(op), reg_define_over(g, op->dst, op->a), a);
    return true;
}

/* A mask of a byte or a word: shorter, and needs no copy first. */
static bool and_is_extension(Gen *g, const IrInsn *op)
{
    Rm mask = reg_immediate(g, op->b);

    return rm_is_imm(mask) && (mask.disp == 0xff || mask.disp == 0xffff) &&
        extend_low(g, op, mask.disp == 0xff ? 8 : 16, false);
}

/* detail: Alu, of a commutative operation. */
void emit_alu(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;
    Rm y;

    if (detail == ALU_AND && and_is_extension(g, op)) {
        return;
    }
    reg_order(g, op, &a, &b);
    y = reg_operand(g, b);
    d = reg_define_from(g, op->dst, a, a == b ? 0 : rm_bit(y));
    alu_operand(g, detail, is_wide(op), d, y);
}

/* lea adds two registers, or a register and a constant, into a third. */
void emit_add(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;
    Rm x, y;

    reg_order(g, op, &a, &b);
    x = reg_rm(g, a);
    y = reg_operand(g, b);
    if (x.kind != RM_REG || y.kind == RM_MEM) {
        d = reg_define_from(g, op->dst, a, rm_bit(y));
        alu_operand(g, ALU_ADD, is_wide(op), d, y);
        return;
    }
    d = reg_define_over(g, op->dst, a);
    if (rm_is(x, d)) {
        alu_operand(g, ALU_ADD, is_wide(op), d, y);
    } else if (rm_is(y, d)) {
        x_alu(&g->code, ALU_ADD, is_wide(op), d, x);
    } else {
        x_op(&g->code, OP_LEA, is_wide(op), d,
            rm_is_imm(y) ? rm_mem(x.base, y.disp) : rm_index(x.base, y.base, 0, 0));
    }
}

void emit_sub(Gen *g, const IrInsn *op, unsigned detail)
{
    Rm y = reg_operand(g, op->b);
    unsigned d = reg_define_from(g, op->dst, op->a, rm_bit(y));

    alu_operand(g, ALU_SUB, is_wide(op), d, y);
}

/* detail: Group3. */
void emit_unary(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned d = reg_define_from(g, op->dst, op->a, 0);

    x_group3(&g->code, detail, is_wide(op), rm_reg(d));
}

/* ~b, then detail (and, or) with a. */
static void invert_and(Gen *g, const IrInsn *op, Alu alu)
{
    Rm x = reg_operand(g, op->a);
    unsigned d = reg_define_from(g, op->dst, op->b, rm_bit(x));

    x_group3(&g->code, G3_NOT, is_wide(op), rm_reg(d));
    alu_operand(g, alu, is_wide(op), d, x);
}

void emit_andn(Gen *g, const IrInsn *op, unsigned detail)
{
    if (g->area->features.bmi1) {
        unsigned b = reg_use(g, op->b);
        Rm a = reg_rm(g, op->a);

        x_vex(&g->code, VOP_ANDN, is_wide(op), reg_define_over(g, op->dst, op->a), b, a);
    } else {
        invert_and(g, op, ALU_AND);
    }
}

void emit_orn(Gen *g, const IrInsn *op, unsigned detail)
{
    invert_and(g, op, ALU_OR);
}

void emit_mul(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;
    Rm y;

    reg_order(g, op, &a, &b);
    y = reg_operand(g, b);
    if (rm_is_imm(y)) {
        Rm x = reg_rm(g, a);

        x_op(&g->code, OP_IMUL_IMM, is_wide(op), reg_define_over(g, op->dst, a), x);
        put32(g->code.p, y.disp);
        g->code.p += 4;
        return;
    }
    d = reg_define_from(g, op->dst, a, a == b ? 0 : rm_bit(y));
    x_op(&g->code, OP_IMUL, is_wide(op), d, y);
}

/* detail: Group3. RDX:RAX = RAX * operand. */
void emit_mul_high(Gen *g, const IrInsn *op, unsigned detail)
{
    Rm b;

    reg_take(g, GENERAL, RAX);
    reg_take(g, GENERAL, RDX);
    b = reg_rm(g, op->b);
    reg_load(g, RAX, op->a);
    x_group3(&g->code, detail, is_wide(op), b);
    reg_define_in(g, op->dst, RDX);
}

/* The unsigned product, less b where a is negative. */
void emit_mulhsu(Gen *g, const IrInsn *op, unsigned detail)
{
    bool wide = is_wide(op);
    Rm b;

    reg_take(g, GENERAL, RAX);
    reg_take(g, GENERAL, RDX);
    b = reg_rm(g, op->b);
    reg_load(g, RAX, op->a);
    x_group3(&g->code, G3_MUL, wide, b);
    reg_load(g, RAX, op->a);
    x_shift_imm(&g->code, SHIFT_SAR, wide, rm_reg(RAX), width_of(op) - 1);
    x_alu(&g->code, ALU_AND, wide, RAX, b);
    x_alu(&g->code, ALU_SUB, wide, RDX, rm_reg(RAX));
    reg_define_in(g, op->dst, RDX);
}

/* ---- division ------------------------------------------------------------------------------------ */

/* The divisor is 0, or -1 of a signed division: where x86 has exceptions, guests have answers. */
static void late_divide(Gen *g, const Late *l)
{
    Code *c = &g->code;
    bool wide = l->type == I64;
    unsigned divisor = l->operand[0].rm.base;
    uint8_t *zero = NULL;

    if (l->key & DIVIDE_SIGNED) {
        x_op(c, OP_TEST, wide, divisor, rm_reg(divisor));
        zero = x_jump_if8(c, COND_E);
        x_group3(c, G3_NEG, wide, rm_reg(RAX));
        x_alu(c, ALU_XOR, false, RDX, rm_reg(RDX));
        x_jump(c, l->back + c->to_exec);
        x_here8(c, zero);
    }
    x_op(c, OP_MOV, wide, RDX, rm_reg(RAX));
    if (l->result == DIV_RISCV) {
        x_mov_imm(c, RAX, wide ? UINT64_MAX : UINT32_MAX);
    } else {
        x_alu(c, ALU_XOR, false, RAX, rm_reg(RAX));
    }
    x_jump(c, l->back + c->to_exec);
}

/* detail: DIVIDE_SIGNED, DIVIDE_REMAINDER. */
void emit_divide(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    bool wide = is_wide(op), is_signed = detail & DIVIDE_SIGNED;
    unsigned divisor;
    Late *late;

    reg_take(g, GENERAL, RAX);
    reg_take(g, GENERAL, RDX);
    divisor = reg_use(g, op->b);
    reg_load(g, RAX, op->a);
    late = gen_late(g, late_divide);
    late->operand[0].rm = rm_reg(divisor);
    late->key = detail;
    late->result = op->aux;
    late->type = op->type;
    if (is_signed) {
        x_op(c, OP_LEA, wide, RDX, rm_mem(divisor, 1));
        x_alu_imm(c, ALU_CMP, wide, rm_reg(RDX), 1);
        late->from = x_jump_if(c, COND_BE, NULL);
        x_sign_extend_rax(c, wide);
    } else {
        x_op(c, OP_TEST, wide, divisor, rm_reg(divisor));
        late->from = x_jump_if(c, COND_E, NULL);
        x_alu(c, ALU_XOR, false, RDX, rm_reg(RDX));
    }
    x_group3(c, is_signed ? G3_IDIV : G3_DIV, wide, rm_reg(divisor));
    late->back = c->p;
    reg_define_in(g, op->dst, detail & DIVIDE_REMAINDER ? RDX : RAX);
}

/* ---- shifts and fields ---------------------------------------------------------------------------- */

static unsigned shift_vop(Shift shift)
{
    return shift == SHIFT_SHL ? VOP_SHLX : shift == SHIFT_SHR ? VOP_SHRX : VOP_SARX;
}

static void shift_by_cl(Gen *g, const IrInsn *op, Shift shift)
{
    unsigned d;

    reg_take(g, GENERAL, RCX);
    reg_load(g, RCX, op->b);
    d = reg_define_from(g, op->dst, op->a, 1u << RCX);
    x_shift_cl(&g->code, shift, is_wide(op), rm_reg(d));
}

/* A small shift to the left whose only use is the addition after it: an index, scaled. */
static bool fuse_shift_add(Gen *g, const IrInsn *op, int32_t count)
{
    unsigned step = g->step, other, base, index;
    const IrInsn *next = gen_next(g, &step);

    if (count < 1 || count > 3 || !next || next->op != IR_add || next->a == next->b ||
        (next->a != op->dst && next->b != op->dst) || ir_use_count(g->live, op->dst) != 1) {
        return false;
    }
    other = next->a == op->dst ? next->b : next->a;
    if (rm_is_imm(reg_immediate(g, other))) {
        return false;
    }
    g->temps[op->dst] = (Temp){ 0 };
    gen_advance(g, step);
    index = reg_use(g, op->a);
    base = reg_use(g, other);
    g->locked[GENERAL] = 0; /* one instruction: it reads before it writes */
    x_op(&g->code, OP_LEA, is_wide(next), reg_define_over(g, next->dst, other),
        rm_index(base, index, (unsigned)count, 0));
    reg_release(g, next);
    return true;
}

/* detail: Shift. */
void emit_shift(Gen *g, const IrInsn *op, unsigned detail)
{
    Rm count = reg_operand(g, op->b);

    if (rm_is_imm(count) && detail == SHIFT_SHL && fuse_shift_add(g, op, count.disp)) {
        return;
    }
    if (rm_is_imm(count)) {
        unsigned d = reg_define_from(g, op->dst, op->a, 0);

        x_shift_imm(&g->code, detail, is_wide(op), rm_reg(d), count.disp & (width_of(op) - 1));
    } else if (detail >= SHIFT_SHL && g->area->features.bmi2) {
        unsigned by = reg_use(g, op->b);
        Rm a = reg_rm(g, op->a);

        x_vex(&g->code, shift_vop(detail), is_wide(op), reg_define_over(g, op->dst, op->a), by, a);
    } else {
        shift_by_cl(g, op, detail);
    }
}

/* By shifting left and right. */
static void extend_field(Gen *g, const IrInsn *op, unsigned lsb, unsigned length, Shift right)
{
    unsigned d = reg_define_from(g, op->dst, op->a, 0), width = width_of(op);

    if (width - length - lsb) {
        x_shift_imm(&g->code, SHIFT_SHL, is_wide(op), rm_reg(d), width - length - lsb);
    }
    if (width - length) {
        x_shift_imm(&g->code, right, is_wide(op), rm_reg(d), width - length);
    }
}

void emit_ext(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lsb = op->imm & 0xff, length = op->imm >> 8;

    if (lsb == 0 && extend_low(g, op, length, false)) {
        return;
    }
    if (length < 32) {
        unsigned d = reg_define_from(g, op->dst, op->a, 0);

        if (lsb) {
            x_shift_imm(&g->code, SHIFT_SHR, is_wide(op), rm_reg(d), lsb);
        }
        x_alu_imm(&g->code, ALU_AND, false, rm_reg(d), (int32_t)low_mask(length));
        return;
    }
    extend_field(g, op, lsb, length, SHIFT_SHR);
}

void emit_sext(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lsb = op->imm & 0xff, length = op->imm >> 8;

    if (lsb || !extend_low(g, op, length, true)) {
        extend_field(g, op, lsb, length, SHIFT_SAR);
    }
}

/* Room is made by rotating the field down, out and back. */
void emit_dep(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    unsigned lsb = op->imm & 0xff, length = op->imm >> 8, width = width_of(op);
    bool wide = is_wide(op);
    unsigned field, d;

    if (length == width) {
        reg_define_from(g, op->dst, op->b, 0);
        return;
    }
    field = reg_scratch(g, GENERAL);
    reg_load(g, field, op->b);
    x_shift_imm(c, SHIFT_SHL, wide, rm_reg(field), width - length);
    if (width - length - lsb) {
        x_shift_imm(c, SHIFT_SHR, wide, rm_reg(field), width - length - lsb);
    }
    d = reg_define_from(g, op->dst, op->a, 1u << field);
    if (lsb) {
        x_shift_imm(c, SHIFT_ROR, wide, rm_reg(d), lsb);
    }
    x_shift_imm(c, SHIFT_SHR, wide, rm_reg(d), length);
    x_shift_imm(c, SHIFT_SHL, wide, rm_reg(d), length);
    if (lsb) {
        x_shift_imm(c, SHIFT_ROL, wide, rm_reg(d), lsb);
    }
    x_alu(c, ALU_OR, wide, d, rm_reg(field));
}

/* zext32, trunc32. */
void emit_alias(Gen *g, const IrInsn *op, unsigned detail)
{
    reg_define_alias(g, op->dst, op->a);
}

/* d = (d & mask) << 8 | d >> 8 & mask. */
static void swap_bytes_of_words(Gen *g, unsigned d)
{
    Code *c = &g->code;
    unsigned mask = reg_scratch(g, GENERAL), other = reg_scratch(g, GENERAL);

    x_mov_imm(c, mask, UINT64_C(0xff00ff00ff00ff));
    x_op(c, OP_MOV, true, other, rm_reg(d));
    x_shift_imm(c, SHIFT_SHR, true, rm_reg(other), 8);
    x_alu(c, ALU_AND, true, other, rm_reg(mask));
    x_alu(c, ALU_AND, true, d, rm_reg(mask));
    x_shift_imm(c, SHIFT_SHL, true, rm_reg(d), 8);
    x_alu(c, ALU_OR, true, d, rm_reg(other));
}

void emit_bswap(Gen *g, const IrInsn *op, unsigned detail)
{
    bool wide = is_wide(op);
    unsigned d = reg_define_from(g, op->dst, op->a, 0);

    if (wide && op->imm == 2) {
        swap_bytes_of_words(g, d);
        return;
    }
    x_bswap(&g->code, wide, d);
    if (op->imm * 8 < (int)width_of(op)) { /* two groups: they changed places */
        x_shift_imm(&g->code, SHIFT_ROL, wide, rm_reg(d), width_of(op) / 2);
    }
}

/* ---- counting ------------------------------------------------------------------------------------- */

/* bsr and bsf say nothing about zero: there the width comes by cmov. */
static void count_by_scan(Gen *g, const IrInsn *op, bool leading)
{
    Rm a = reg_rm(g, op->a);
    unsigned zero = reg_scratch(g, GENERAL), d;
    bool wide = is_wide(op);

    d = reg_scratch(g, GENERAL);
    x_mov_imm(&g->code, zero, leading ? 2 * width_of(op) - 1 : width_of(op));
    x_op(&g->code, leading ? OP_BSR : OP_BSF, wide, d, a);
    x_cmov(&g->code, COND_E, wide, d, rm_reg(zero));
    if (leading) {
        x_alu_imm(&g->code, ALU_XOR, wide, rm_reg(d), width_of(op) - 1);
    }
    reg_define_in(g, op->dst, d);
}

void emit_count(Gen *g, const IrInsn *op, unsigned detail)
{
    const Features *f = &g->area->features;

    if (detail == COUNT_LEADING ? f->lzcnt : f->bmi1) {
        Rm a = reg_rm(g, op->a);

        x_op(&g->code, detail == COUNT_LEADING ? OP_LZCNT : OP_TZCNT, is_wide(op),
            reg_define_over(g, op->dst, op->a), a);
    } else {
        count_by_scan(g, op, detail == COUNT_LEADING);
    }
}

void emit_popcnt(Gen *g, const IrInsn *op, unsigned detail)
{
    Rm a = reg_rm(g, op->a);

    x_op(&g->code, OP_POPCNT, is_wide(op), reg_define_over(g, op->dst, op->a), a);
}

/* With t = 0x80 in each byte that is not 0: t * 2 - t / 128. */
void emit_orcb(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    bool wide = is_wide(op);
    Rm a = reg_rm(g, op->a);
    unsigned d = reg_define_from(g, op->dst, op->a, rm_bit(a)), other = reg_scratch(g, GENERAL);

    x_mov_imm(c, other, wide ? UINT64_C(0x7f7f7f7f7f7f7f7f) : 0x7f7f7f7f);
    x_alu(c, ALU_AND, wide, d, rm_reg(other));
    x_alu(c, ALU_ADD, wide, d, rm_reg(other));
    x_alu(c, ALU_OR, wide, d, a);
    x_group3(c, G3_NOT, wide, rm_reg(other));
    x_alu(c, ALU_AND, wide, d, rm_reg(other));
    x_op(c, OP_MOV, wide, other, rm_reg(d));
    x_shift_imm(c, SHIFT_SHR, wide, rm_reg(other), 7);
    x_alu(c, ALU_ADD, wide, d, rm_reg(d));
    x_alu(c, ALU_SUB, wide, d, rm_reg(other));
}

/* ---- comparisons ---------------------------------------------------------------------------------- */

Compared gen_compared(Gen *g, IrType type, unsigned a, unsigned b)
{
    Compared c = { .y = reg_operand(g, b), .x = reg_rm(g, a), .wide = type == I64 };

    if (c.x.kind != RM_REG && c.y.kind == RM_MEM) {
        c.y = rm_reg(reg_use(g, b));
    }
    return c;
}

Cond gen_compare(Gen *g, const Compared *c, IrCond cond)
{
    static const uint8_t conds[IR_COND_COUNT] = {
        [EQ] = COND_E,
        [NE] = COND_NE,
        [LT] = COND_L,
        [GE] = COND_GE,
        [LTU] = COND_B,
        [GEU] = COND_AE,
        [LE] = COND_LE,
        [GT] = COND_G,
        [LEU] = COND_BE,
        [GTU] = COND_A,
    };

    if (c->x.kind == RM_REG && rm_is_imm(c->y) && c->y.disp == 0) {
        x_op_reg(&g->code, OP_TEST, c->wide, c->x.base, c->x.base);
    } else if (rm_is_imm(c->y)) {
        x_alu_imm(&g->code, ALU_CMP, c->wide, c->x, c->y.disp);
    } else if (c->x.kind == RM_REG) {
        x_alu(&g->code, ALU_CMP, c->wide, c->x.base, c->y);
    } else {
        x_alu_mem(&g->code, ALU_CMP, c->wide, c->x, c->y.base);
    }
    return conds[cond];
}

/* detail: Cond that makes b the answer. */
void emit_minmax(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;
    Rm y;

    reg_order(g, op, &a, &b);
    y = reg_rm(g, b);
    d = reg_define_from(g, op->dst, a, rm_bit(y));
    x_alu(&g->code, ALU_CMP, is_wide(op), d, y);
    x_cmov(&g->code, detail, is_wide(op), d, y);
}

void emit_setcond(Gen *g, const IrInsn *op, unsigned detail)
{
    Compared compared;
    unsigned d;

    if (gen_fuse_setcond(g, op)) {
        return;
    }
    compared = gen_compared(g, op->type, op->a, op->b);
    d = reg_define(g, op->dst);
    x_alu(&g->code, ALU_XOR, false, d, rm_reg(d));
    x_set_cond(&g->code, gen_compare(g, &compared, op->aux), d);
}

/* The flags and the compared registers are kept by loading all before comparing. */
static void select_by(Gen *g, const IrInsn *op, const IrInsn *compare)
{
    bool wide = is_wide(op);
    Rm yes = reg_rm(g, op->b);
    Compared compared = compare ? gen_compared(g, compare->type, compare->a, compare->b)
                                : (Compared){ .x = rm_reg(reg_use(g, op->a)),
                                      .y = rm_imm(0),
                                      .wide = gen_type(g, op->a) == I64 };
    unsigned d = reg_define_from(g, op->dst, op->c, g->locked[GENERAL]);

    x_cmov(&g->code, gen_compare(g, &compared, compare ? compare->aux : NE), wide, d, yes);
}

void emit_select(Gen *g, const IrInsn *op, unsigned detail)
{
    select_by(g, op, NULL);
}

static bool is_clean(const Gen *g, unsigned t)
{
    return !(g->temps[t].dirty && gen_type(g, t) == I64);
}

/* Does it surely stay out of the scratch registers? */
static bool is_in_pin(const Gen *g, unsigned t)
{
    unsigned reg = reg_find(g, t);

    return reg != NO_REG && !reg_is_scratch(GENERAL, reg);
}

/* A comparison and its selection hold all operands at once, and the result: one scratch register is for that. */
static bool leaves_a_scratch(const Gen *g, const IrInsn *compare, const IrInsn *select)
{
    unsigned in_scratch = !is_in_pin(g, compare->a) + !is_in_pin(g, select->b) +
        !(is_in_pin(g, compare->b) || rm_is_imm(reg_immediate(g, compare->b)));

    return in_scratch <= 2;
}

bool gen_fuse_setcond(Gen *g, const IrInsn *op)
{
    unsigned step = g->step;
    const IrInsn *next = gen_next(g, &step);

    if (!next || next->op != IR_select || next->a != op->dst ||
        ir_use_count(g->live, op->dst) != 1 || !is_clean(g, op->a) || !is_clean(g, op->b) ||
        !leaves_a_scratch(g, op, next)) {
        return false;
    }
    g->temps[op->dst] = (Temp){ 0 };
    gen_advance(g, step);
    select_by(g, next, op);
    reg_release(g, next);
    return true;
}

/* ---- the state beside the gvars ------------------------------------------------------------------- */

void emit_ldenv(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned d = reg_define(g, op->dst), size = op->aux & MEM_SIZE;
    bool is_signed = op->aux & MEM_SIGNED;
    unsigned opcode = size == MEM_64 ? OP_MOV : extend_opcode(8u << size, is_signed);
    bool wide = is_wide(op) && (is_signed || size == MEM_64);

    x_op(&g->code, opcode == OP_MOVSXD && !wide ? OP_MOV : opcode, wide, d, env_rm(op->imm));
}

void emit_stenv(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned size = op->aux & MEM_SIZE;
    Rm value = reg_operand(g, op->a);
    unsigned reg;

    if (rm_is_imm(value)) {
        x_store_imm(&g->code, size, env_rm(op->imm), value.disp);
        return;
    }
    reg = reg_use(g, op->a);
    if (size == MEM_16) {
        x_op16(&g->code, OP_STORE, reg, env_rm(op->imm));
    } else {
        x_op(&g->code, size == MEM_8 ? OP_STORE8 : OP_STORE, size == MEM_64, reg, env_rm(op->imm));
    }
}
