/*
 * Vector operations: the instructions they are made of, and moves between lanes and registers. What the host
 * has no short way for, vec_eval() does: see vec_soft(). It also does what would need more scratch registers
 * than there are, so emitters ask before they begin.
 */
#include "tcg/host/x86_64/vec.h"

static void vector(Gen *g, unsigned opcode, unsigned d, unsigned second, Rm rm)
{
    v_op(&g->code, g->level, opcode, false, d, second, rm);
}

/* ---- instructions --------------------------------------------------------------------------------- */

void vec_move(Gen *g, unsigned d, unsigned a)
{
    if (d != a) {
        vector(g, VOP_MOVAPS, d, NO_REG, rm_reg(a));
    }
}

static void vec3_rm(Gen *g, unsigned opcode, unsigned d, unsigned a, Rm b)
{
    if (vec_is_sse(g)) {
        g_assert(d == a || !rm_is(b, d));
        vec_move(g, d, a);
        a = NO_REG;
    }
    vector(g, opcode, d, a, b);
}

void vec3(Gen *g, unsigned opcode, unsigned d, unsigned a, unsigned b)
{
    vec3_rm(g, opcode, d, a, rm_reg(b));
}

void vec3_imm(Gen *g, unsigned opcode, unsigned d, unsigned a, unsigned b, unsigned imm)
{
    vec3(g, opcode, d, a, b);
    *g->code.p++ = (uint8_t)imm;
}

void vec3_area(Gen *g, unsigned opcode, unsigned d, unsigned a, int offset)
{
    vec3_rm(g, opcode, d, a, rm_area(offset));
}

void vec2(Gen *g, unsigned opcode, unsigned d, unsigned a)
{
    vector(g, opcode, d, NO_REG, rm_reg(a));
}

void vec2_imm(Gen *g, unsigned opcode, unsigned d, unsigned a, unsigned imm)
{
    vec2(g, opcode, d, a);
    *g->code.p++ = (uint8_t)imm;
}

void vec_zero(Gen *g, unsigned d)
{
    vector(g, VOP_PXOR, d, d, rm_reg(d));
}

void vec_ones(Gen *g, unsigned d)
{
    vector(g, VOP_PCMPEQD, d, d, rm_reg(d));
}

void vec_shift(Gen *g, VecShift shift, unsigned lane, unsigned d, unsigned a, unsigned count)
{
    static const unsigned opcodes[] = { 0, P1(0x71), P1(0x72), P1(0x73) | EVEX_W };
    bool sar64 = shift == VEC_SAR && lane == LANE_64;
    unsigned opcode = sar64 ? P1(0x72) | EVEX_W | ONLY_EVEX : opcodes[lane];

    if (vec_is_sse(g)) {
        vec_move(g, d, a);
        vector(g, opcode, shift, NO_REG, rm_reg(d));
    } else {
        vector(g, opcode, shift, d, rm_reg(a));
    }
    *g->code.p++ = (uint8_t)count;
}

/* ---- registers ------------------------------------------------------------------------------------ */

enum { LOW_REGS = 16 };

unsigned vec_scratch(Gen *g)
{
    return reg_scratch(g, VECTOR);
}

unsigned vec_low_copy(Gen *g, unsigned reg)
{
    unsigned copy = reg;

    if (reg >= LOW_REGS) {
        copy = vec_scratch(g);
        vec_move(g, copy, reg);
    }
    return copy;
}

unsigned vec_low_use(Gen *g, unsigned t)
{
    return vec_low_copy(g, reg_use(g, t));
}

unsigned vec_low_for(Gen *g, unsigned d)
{
    return d < LOW_REGS ? d : vec_scratch(g);
}

bool vec_has_scratch(const Gen *g, unsigned count)
{
    unsigned left = 0;

    for (unsigned reg = 0; reg < LOW_REGS; reg++) {
        left += reg_is_scratch(VECTOR, reg) && !(g->locked[VECTOR] >> reg & 1);
    }
    return left >= count;
}

/* ---- in C ----------------------------------------------------------------------------------------- */

static Rm slot_rm(unsigned n)
{
    return env_rm((int)(offsetof(CpuEnv, vec) + n * sizeof(IrVec)));
}

static void store_operand(Gen *g, unsigned t, unsigned n)
{
    unsigned reg = reg_use(g, t);

    if (class_of(gen_type(g, t)) == VECTOR) {
        vector(g, VOP_MOVUPS_STORE, reg, NO_REG, slot_rm(n));
    } else {
        x_op(&g->code, OP_STORE, true, reg, slot_rm(n));
    }
}

static void call_soft(Gen *g, uint32_t key)
{
    x_store_imm(&g->code, 2, ENV(call[3]), (int32_t)key);
    x_call(&g->code, g->area->thunk[THUNK_VECTOR]);
}

void vec_soft(Gen *g, const IrInsn *op)
{
    const uint16_t operands[] = { op->a, op->b, op->c };
    unsigned d;

    for (unsigned n = 0; n < 3; n++) {
        g->locked[VECTOR] = g->locked[GENERAL] = 0;
        if (operands[n]) {
            store_operand(g, operands[n], n);
        }
    }
    g->locked[VECTOR] = g->locked[GENERAL] = 0;
    call_soft(g, vec_key(op->op, op->aux, op->imm));
    d = reg_define_over(g, op->dst, 0);
    if (class_of(op->type) == VECTOR) { /* a float is alone in it */
        vector(g, VOP_MOVUPS, d, NO_REG, slot_rm(0));
    } else {
        x_op(&g->code, OP_MOV, op->type == I64, d, slot_rm(0));
    }
}

static void late_soft(Gen *g, const Late *l)
{
    for (unsigned n = 0; n < 3; n++) {
        if (l->operand[n].kind != VALUE_NONE) {
            vector(g, VOP_MOVUPS_STORE, l->operand[n].rm.base, NO_REG, slot_rm(n));
        }
    }
    call_soft(g, l->key);
    vector(g, VOP_MOVUPS, l->result, NO_REG, slot_rm(0));
    x_jump(&g->code, l->back + g->code.to_exec);
}

Late *vec_soft_later(Gen *g, const IrInsn *op, unsigned a, unsigned b, unsigned c)
{
    const unsigned regs[] = { a, b, c };
    Late *late = gen_late(g, late_soft);

    for (unsigned n = 0; n < 3; n++) {
        if (regs[n] != NO_REG) {
            late->operand[n] = (Value){ .kind = VALUE_AT, .type = V128, .rm = rm_reg(regs[n]) };
        }
    }
    late->key = vec_key(op->op, op->aux, op->imm);
    return late;
}

void emit_vector(Gen *g, const IrInsn *op, unsigned detail)
{
    vec_soft(g, op);
}

/* ---- floats --------------------------------------------------------------------------------------- */

enum { INSERT_ONLY_LOW = 0x0e }; /* insertps: lane 0, zeroes in the others */

/* Lane 0 of 4 or 8 bytes, the rest zero. */
void vec_keep_low(Gen *g, bool is_double, unsigned d, unsigned a)
{
    if (is_double) {
        vec2(g, VOP_MOVQ, d, a);
    } else {
        vector(g, VOP_INSERTPS, d, vec_is_sse(g) ? NO_REG : a, rm_reg(a));
        *g->code.p++ = INSERT_ONLY_LOW;
    }
}

void emit_vfromf(Gen *g, const IrInsn *op, unsigned detail)
{
    bool is_double = gen_type(g, op->a) == F64;
    unsigned d;
    Rm a;

    if (reg_is_alone(g, op->a) && reg_find(g, op->a) != NO_REG) {
        if (reg_is_scratch(VECTOR, reg_find(g, op->a))) {
            reg_define_from(g, op->dst, op->a, 0);
        } else {
            reg_define_alias(g, op->dst, op->a);
        }
        return;
    }
    a = reg_rm(g, op->a);
    d = reg_define_over(g, op->dst, op->a);
    if (a.kind == RM_REG) {
        vec_keep_low(g, is_double, d, a.base);
    } else {
        vector(g, is_double ? VOP_MOVSD : VOP_MOVSS, d, NO_REG, a);
    }
}

/* The lane in the lowest place; what is above does not matter. */
void emit_vtof(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d;

    if (op->imm == 0) {
        reg_define_alias(g, op->dst, op->a);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define_over(g, op->dst, op->a);
    vec2_imm(g, VOP_PSHUFD, d, a, op->type == F64 ? 0xee : (unsigned)op->imm * 0x55);
}

void emit_vlow(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, d;

    if (op->imm >= 16) {
        reg_define_alias(g, op->dst, op->a);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define_over(g, op->dst, op->a);
    if (op->imm == 4 || op->imm == 8) {
        vec_keep_low(g, op->imm == 8, d, a);
    } else {
        vec_shift(g, VEC_SHL_BYTES, LANE_64, d, a, 16 - (unsigned)op->imm);
        vec_shift(g, VEC_SHR_BYTES, LANE_64, d, d, 16 - (unsigned)op->imm);
    }
}

/* ---- lanes and general registers ------------------------------------------------------------------ */

enum {
    VOP_PSHUFLW = OPCODE(1, PREFIX_F2, 0x70),
    VOP_PSHUFHW = OPCODE(1, PREFIX_F3, 0x70),
    VOP_UNPCKLBW = P1(0x60),
    VOP_UNPCKHBW = P1(0x68),
    VOP_UNPCKLQDQ = P1(0x6c) | EVEX_W,
    VOP_UNPCKHQDQ = P1(0x6d) | EVEX_W,
    VOP_PEXTRB = P3(0x14),
    VOP_PEXTRW = P1(0xc5),
    VOP_PEXTR = P3(0x16),
    VOP_PINSRB = P3(0x20),
    VOP_PINSRW = P1(0xc4),
    VOP_PINSR = P3(0x22),
};

/* The lowest lane in all. */
static void spread(Gen *g, unsigned lane, unsigned d)
{
    if (lane == LANE_8) {
        vec3(g, VOP_UNPCKLBW, d, d, d);
    }
    if (lane <= LANE_16) {
        vec2_imm(g, VOP_PSHUFLW, d, d, 0);
    }
    if (lane == LANE_32) {
        vec2_imm(g, VOP_PSHUFD, d, d, 0);
    } else {
        vec3(g, VOP_UNPCKLQDQ, d, d, d);
    }
}

void emit_vdup(Gen *g, const IrInsn *op, unsigned detail)
{
    static const unsigned broadcasts[] = { P2(0x7a), P2(0x7b), P2(0x7c), P2(0x7c) | EVEX_W };
    unsigned lane = vec_lane(op), a = reg_use(g, op->a), d = reg_define(g, op->dst);

    if (vec_is_512(g)) {
        vec2(g, broadcasts[lane] | ONLY_EVEX, d, a);
        return;
    }
    v_op(&g->code, g->level, VOP_MOVD, lane == LANE_64, d, NO_REG, rm_reg(a));
    spread(g, lane, d);
}

void emit_vduplane(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), n = (unsigned)op->imm, a = reg_use(g, op->a);
    unsigned d = reg_define(g, op->dst);

    if (lane == LANE_8) {
        vec3(g, n < 8 ? VOP_UNPCKLBW : VOP_UNPCKHBW, d, a, a);
        a = d;
        n %= 8;
    }
    if (lane == LANE_32) {
        vec2_imm(g, VOP_PSHUFD, d, a, n * 0x55);
    } else if (lane == LANE_64) {
        vec2_imm(g, VOP_PSHUFD, d, a, n ? 0xee : 0x44);
    } else if (n < 4) {
        vec2_imm(g, VOP_PSHUFLW, d, a, n * 0x55);
        vec3(g, VOP_UNPCKLQDQ, d, d, d);
    } else {
        vec2_imm(g, VOP_PSHUFHW, d, a, (n - 4) * 0x55);
        vec3(g, VOP_UNPCKHQDQ, d, d, d);
    }
}

/* A lane, zero-extended, in a general register. */
static void extract(Gen *g, unsigned lane, unsigned n, unsigned d, unsigned a)
{
    bool wide = lane == LANE_64;

    if (lane == LANE_16) {
        vec2_imm(g, VOP_PEXTRW, d, a, n);
    } else if (lane >= LANE_32 && n == 0) {
        v_op(&g->code, g->level, VOP_MOVD_STORE, wide, a, NO_REG, rm_reg(d));
    } else {
        v_op(&g->code, g->level, lane == LANE_8 ? VOP_PEXTRB : VOP_PEXTR, wide, a, NO_REG,
            rm_reg(d));
        *g->code.p++ = (uint8_t)n;
    }
}

static void insert(Gen *g, unsigned lane, unsigned n, unsigned d, unsigned a, unsigned from)
{
    static const unsigned opcodes[] = { VOP_PINSRB, VOP_PINSRW, VOP_PINSR, VOP_PINSR };

    if (vec_is_sse(g)) {
        vec_move(g, d, a);
        a = NO_REG;
    }
    v_op(&g->code, g->level, opcodes[lane], lane == LANE_64, d, a, rm_reg(from));
    *g->code.p++ = (uint8_t)n;
}

void emit_vget(Gen *g, const IrInsn *op, unsigned detail)
{
    static const unsigned extensions[] = { OP_MOVSX8, OP_MOVSX16, OP_MOVSXD };
    unsigned lane = vec_lane(op), a = reg_use(g, op->a), d = reg_define(g, op->dst);
    bool wide = op->type == I64;

    extract(g, lane == LANE_64 && !wide ? LANE_32 : lane,
        lane == LANE_64 && !wide ? 2 * (unsigned)op->imm : (unsigned)op->imm, d, a);
    if (op->aux & LANE_SIGNED && (lane < LANE_32 || (lane == LANE_32 && wide))) {
        x_op(&g->code, extensions[lane], wide, d, rm_reg(d));
    }
}

void emit_vset(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned from = reg_use(g, op->b), a = reg_use(g, op->a), d;

    d = reg_define_over(g, op->dst, op->a);
    insert(g, vec_lane(op), (unsigned)op->imm, d, a, from);
}

enum { VOP_SHUFPD = P1(0xc6) | EVEX_W };

void emit_vins(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), to = op->imm & 15, from = (unsigned)op->imm >> 4;
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), d = reg_define(g, op->dst), r;

    if (lane == LANE_32) {
        vec3_imm(g, VOP_INSERTPS, d, a, b, from << 6 | to << 4);
    } else if (lane == LANE_64 && to == 0) {
        vec3_imm(g, VOP_SHUFPD, d, b, a, from | 2);
    } else if (lane == LANE_64) {
        vec3_imm(g, VOP_SHUFPD, d, a, b, from << 1);
    } else {
        r = reg_scratch(g, GENERAL);
        extract(g, lane, from, r, b);
        insert(g, lane, to, d, a, r);
    }
}

/* ---- other orders --------------------------------------------------------------------------------- */

/* d = a op b by one instruction; b may be in memory where that need not be aligned. */
void emit_vbinary(Gen *g, const IrInsn *op, unsigned opcode)
{
    unsigned a, d;
    Rm b;

    if (vec_is_sse(g)) {
        b = rm_reg(reg_use(g, op->b));
        d = a = reg_define_from(g, op->dst, op->a, op->a == op->b ? 0 : rm_bit(b));
    } else {
        b = reg_rm(g, op->b);
        a = reg_use(g, op->a);
        d = reg_define_over(g, op->dst, op->a);
    }
    vector(g, opcode, d, a, b);
}

/* detail: 0 the low halves, 1 the high ones. */
void emit_vzip(Gen *g, const IrInsn *op, unsigned detail)
{
    static const unsigned opcodes[2][4] = {
        { VOP_UNPCKLBW, P1(0x61), P1(0x62), VOP_UNPCKLQDQ },
        { VOP_UNPCKHBW, P1(0x69), P1(0x6a), VOP_UNPCKHQDQ },
    };

    emit_vbinary(g, op, opcodes[detail][vec_lane(op)]);
}

static void masked(Gen *g, unsigned lane, unsigned d, unsigned a)
{
    vec3_area(
        g, VOP_PAND, d, a, (int)(offsetof(Area, low_half) + (lane - LANE_16) * sizeof(IrVec)));
}

/* detail: 0 even lanes, 1 odd ones. Halves of lanes twice as wide, packed. */
void emit_vunzip(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), a, b, d, t;

    if (lane == LANE_64) {
        emit_vbinary(g, op, detail ? VOP_UNPCKHQDQ : VOP_UNPCKLQDQ);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    if (!vec_has_scratch(g, 2)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    if (lane == LANE_32) {
        vec3_imm(g, VOP_SHUFPS, d, a, b, detail ? 0xdd : 0x88);
        return;
    }
    t = vec_scratch(g);
    if (detail) {
        vec_shift(g, VEC_SHR, lane + 1, d, a, 8u << lane);
        vec_shift(g, VEC_SHR, lane + 1, t, b, 8u << lane);
    } else {
        masked(g, lane + 1, d, a);
        masked(g, lane + 1, t, b);
    }
    vec3(g, lane == LANE_8 ? P1(0x67) : P2(0x2b), d, d, t);
}

/* detail: as above. */
void emit_vtranspose(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), a, b, d, t;

    if (lane == LANE_64) {
        emit_vbinary(g, op, detail ? VOP_UNPCKHQDQ : VOP_UNPCKLQDQ);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    if (!vec_has_scratch(g, 2)) {
        vec_soft(g, op);
        return;
    }
    d = reg_define(g, op->dst);
    t = vec_scratch(g);
    if (detail) {
        vec_shift(g, VEC_SHR, lane + 1, d, a, 8u << lane);
        vec_shift(g, VEC_SHR, lane + 1, t, b, 8u << lane);
        vec_shift(g, VEC_SHL, lane + 1, t, t, 8u << lane);
    } else {
        masked(g, lane + 1, d, a);
        vec_shift(g, VEC_SHL, lane + 1, t, b, 8u << lane);
    }
    vec3(g, VOP_POR, d, d, t);
}

enum { VOP_PALIGNR = P3(0x0f) };

void emit_vext(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned a, b, d;

    if (op->imm == 0) {
        reg_define_alias(g, op->dst, op->a);
        return;
    }
    a = reg_use(g, op->a);
    b = reg_use(g, op->b);
    d = reg_define(g, op->dst);
    vec3_imm(g, VOP_PALIGNR, d, b, a, (unsigned)op->imm);
}

void emit_vrev(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned lane = vec_lane(op), group = (unsigned)op->imm, order = group == 8 ? 0x1b : 0xb1;
    unsigned a, d;

    if (group > 8) {
        vec_soft(g, op);
        return;
    }
    a = reg_use(g, op->a);
    d = reg_define(g, op->dst);
    if (lane == LANE_8) {
        vec3_area(g, VOP_PSHUFB, d, a,
            (int)(offsetof(Area, reversed) + (unsigned)__builtin_ctz(group / 2) * sizeof(IrVec)));
    } else if (lane == LANE_16) {
        vec2_imm(g, VOP_PSHUFLW, d, a, order);
        vec2_imm(g, VOP_PSHUFHW, d, d, order);
    } else {
        vec2_imm(g, VOP_PSHUFD, d, a, 0xb1);
    }
}

static bool is_zero_const(const Gen *g, unsigned t)
{
    const IrInsn *from = &g->b->ops[g->b->defined_by[t]];

    return from->op == IR_vconst && !g->b->consts[from->imm] && !g->b->consts[from->imm + 1];
}

enum { VOP_PADDUSB = P1(0xdc), VOP_PSUBB = P1(0xf8), VOP_PCMPGTB = P1(0x64) };

/* pshufb gives 0 for an index with its highest bit set: those above 15 get it by a saturating sum. */
void emit_vtable(Gen *g, const IrInsn *op, unsigned detail)
{
    bool keeps = !is_zero_const(g, op->c);
    unsigned a = reg_use(g, op->a), b = reg_use(g, op->b), c, d, index, outside;

    c = keeps ? reg_use(g, op->c) : NO_REG;
    if (op->imm % 16 || op->imm > 48 || !vec_has_scratch(g, keeps ? 3 : 2)) {
        vec_soft(g, op);
        return;
    }
    index = vec_scratch(g);
    if (op->imm) {
        vec3_area(g, VOP_PSUBB, index, b,
            (int)(offsetof(Area, sixteens) + (unsigned)(op->imm / 16) * sizeof(IrVec)));
        b = index;
    }
    vec3_area(g, VOP_PADDUSB, index, b, offsetof(Area, outside));
    d = reg_define(g, op->dst);
    vec3(g, VOP_PSHUFB, d, a, index);
    if (keeps) {
        outside = vec_scratch(g);
        vec_zero(g, outside);
        vec3(g, VOP_PCMPGTB, outside, outside, index);
        vec3(g, VOP_PAND, outside, outside, c);
        vec3(g, VOP_POR, d, d, outside);
    }
}
