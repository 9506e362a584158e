/*
 * Leaving a block. Direct exits are jumps whose displacement is patched when they are linked; it is
 * aligned, so that it changes at once for a CPU that is running it.
 */
#include "tcg/host/x86_64/encode-inline.h"
#include "tcg/host/x86_64/regs.h"

enum { GOTO_COND = GOTO_CHECK - 1 };

/* ---- code out of line ------------------------------------------------------------------------------ */

Late *gen_late(Gen *g, void (*emit)(Gen *g, const Late *late))
{
    Late *late = gen_late_empty(g);

    late->emit = emit;
    late->insn = (uint8_t)gen_insn(g);
    late->retry = NULL;
    late->result = NO_REG;
    late->windows = 0;
    for (unsigned n = 0; n < G_N_ELEMENTS(late->operand); n++) {
        late->operand[n].kind = VALUE_NONE;
    }
    return late;
}

void gen_side(Gen *g, unsigned insn, const uint8_t *at)
{
    const IrMark *mark = &g->b->insns[insn];

    g->out->sides[g->out->side_count++] = (SideEntry){
        .host = (uint32_t)(at - g->start),
        .guest = mark->guest,
        .insns = (uint8_t)insn,
        .length = mark->length,
    };
}

static void argument_vector(Gen *g, const Value *value, Rm slot)
{
    static const unsigned opcodes[] = {
        [F32] = VOP_MOVSS_STORE,
        [F64] = VOP_MOVSD_STORE,
        [V128] = VOP_MOVUPS_STORE,
    };

    v_op(&g->code, g->level, opcodes[value->type], false, value->rm.base, NO_REG, slot);
}

void late_argument(Gen *g, const Value *value, unsigned slot, unsigned temporary)
{
    Code *c = &g->code;
    Rm to = env_rm(offsetof(CpuEnv, call) + 8 * slot);
    Rm upper = env_rm(offsetof(CpuEnv, call) + 8 * slot + 4);
    unsigned reg;

    if (value->kind == VALUE_NONE) {
        return;
    }
    if (value->kind == VALUE_CONST) {
        x_mov_imm(c, temporary, value->constant);
        x_op(c, OP_STORE, true, temporary, to);
        return;
    }
    if (value->type == I32 || value->type == F32) {
        x_store_imm(c, 2, upper, 0);
    }
    if (class_of(value->type) == VECTOR) {
        argument_vector(g, value, to);
        return;
    }
    reg = value->rm.base;
    if (value->rm.kind != RM_REG) {
        reg = temporary;
        x_op(c, OP_MOV, value->type == I64, reg, value->rm);
    }
    x_op(c, OP_STORE, value->type == I64, reg, to);
}

/* ---- direct exits ---------------------------------------------------------------------------------- */

/* From the guarded number to the displacement of the jump that is taken when it was another one. */
enum { GUARD_FAILS = 6 };

/* The tables are mostly near enough to the code. */
static void record_and_jump(Gen *g, const BlockExit *exit, Thunk thunk)
{
    Code *c = &g->code;
    const uint8_t *address = (const uint8_t *)exit;
    intptr_t away = address - code_here(c);
    uint8_t *p = c->p;

    if (away - UNLINKED_BYTES == (int32_t)(away - UNLINKED_BYTES)) {
        memcpy(p, "\x48\x8d\x05", 3); /* lea rax, [rip + ...] */
        p = put_displacement(c, p + 3, address);
    } else {
        x_mov_imm(c, RAX, (uintptr_t)exit);
        p = c->p;
    }
    c->p = put_jump(c, p, g->area->thunk[thunk]);
}

static void late_request(Gen *g, const Late *l)
{
    record_and_jump(g, &g->out->exits[l->exit], THUNK_REQUEST);
}

/* Its code out of line is made by gen_unlinked(). */
static void record_exit(Gen *g, unsigned n, uint8_t *jump, uint8_t *guard)
{
    g->room_end -= UNLINKED_BYTES;
    g->out->exits[n] = (BlockExit){
        .pc = g->b->exits[n].pc,
        .jump = (uint32_t)(jump - g->start),
        .guard = guard ? (uint32_t)(guard - g->start) : 0,
    };
}

static void unlinked(Gen *g, BlockExit *exit)
{
    uint8_t *jump = g->start + exit->jump;

    x_here32(&g->code, jump);
    memcpy(&exit->unlinked, jump, sizeof(exit->unlinked));
    if (exit->guard) {
        x_here32(&g->code, g->start + exit->guard + GUARD_FAILS);
    }
    record_and_jump(g, exit, THUNK_CHAIN);
}

bool gen_unlinked(Gen *g)
{
    for (unsigned n = 0; n < g->b->exit_count; n++) {
        if (g->write_end - g->code.p < UNLINKED_BYTES) {
            return false;
        }
        if (g->out->exits[n].jump) {
            unlinked(g, &g->out->exits[n]);
        }
    }
    return true;
}

static bool crosses_page(const Gen *g, unsigned n)
{
    return (g->b->exits[n].pc ^ g->b->pc) >> GUEST_PAGE_BITS != 0;
}

/* The patched jump; flags are those of what was emitted since start, which moves for alignment. */
static void linkable_jump_if(Gen *g, unsigned n, Cond cond, uint8_t *start)
{
    x_align_next(&g->code, start, 2);
    record_exit(g, n, x_jump_if(&g->code, cond, NULL), NULL);
}

static void request_later(Gen *g, unsigned n, uint8_t *from)
{
    Late *late = gen_late(g, late_request);

    late->from = from;
    late->exit = n;
}

/* Gives back the instructions that the block counted but does not reach. */
static void give_back(Gen *g, unsigned insns)
{
    if (g->b->counted && insns) {
        x_alu_imm(&g->code, ALU_ADD, true, ENV(budget), (int32_t)insns);
    }
}

/* Is the page of the target still where it was? Then the link holds. */
static void guarded_jump(Gen *g, unsigned n)
{
    Code *c = &g->code;
    unsigned slot = g->b->exits[n].pc >> GUEST_PAGE_BITS & (ITLB_SIZE - 1);
    uint8_t *start, *guard;

    x_op(c, OP_MOV, true, RCX, ENV(fetch));
    start = c->p;
    x_align_next(c, start, 6); /* opcode, ModRM, displacement; then the number */
    x_bytes(c, "\x81", 1);
    *c->p++ = 0xb8 | RCX;
    put32(c->p, offsetof(FetchContext, itlb) + 4 * slot);
    c->p += 4;
    guard = c->p;
    put32(c->p, UINT32_MAX); /* no id; 0 is what an empty slot has */
    c->p += 4;
    x_jump_if(c, COND_NE, NULL); /* GUARD_FAILS */
    x_align_next(c, c->p, 1);
    record_exit(g, n, x_jump(c, NULL), guard);
}

static void plain_jump(Gen *g, unsigned n)
{
    x_align_next(&g->code, g->code.p, 1);
    record_exit(g, n, x_jump(&g->code, NULL), NULL);
}

static void test_request(Gen *g)
{
    x_alu_imm(&g->code, ALU_CMP, false, ENV(exit_request), 0);
}

/* Leaves by exit n. */
static void leave_by(Gen *g, unsigned n, bool check)
{
    uint8_t *start = g->code.p;

    if (check && !crosses_page(g, n)) {
        test_request(g);
        linkable_jump_if(g, n, COND_E, start);
        request_later(g, n, x_jump(&g->code, NULL));
        return;
    }
    if (check) {
        test_request(g);
        request_later(g, n, x_jump_if(&g->code, COND_NE, NULL));
    }
    if (crosses_page(g, n)) {
        guarded_jump(g, n);
    } else {
        plain_jump(g, n);
    }
}

void emit_goto(Gen *g, const IrInsn *op, unsigned detail)
{
    leave_by(g, op->imm, op->aux & GOTO_CHECK);
}

static void late_goto(Gen *g, const Late *l)
{
    give_back(g, g->b->guest_insns - (l->insn + 1u));
    leave_by(g, l->exit, l->key);
}

void emit_gotocond(Gen *g, const IrInsn *op, unsigned detail)
{
    bool check = op->aux & GOTO_CHECK;
    unsigned n = op->imm;
    uint8_t *start, *skip;
    Late *late;
    Compared compared = gen_compared(g, op->type, op->a, op->b);
    Cond cond;

    start = g->code.p;
    cond = gen_compare(g, &compared, op->aux & GOTO_COND);
    if (crosses_page(g, n) || g->b->counted) {
        late = gen_late(g, late_goto);
        late->from = x_jump_if(&g->code, cond, NULL);
        late->exit = n;
        late->key = check;
    } else if (check) {
        skip = x_jump_if8(&g->code, cond ^ 1);
        leave_by(g, n, true);
        x_here8(&g->code, skip);
    } else {
        linkable_jump_if(g, n, cond, start);
    }
}

/* ---- indirect exits -------------------------------------------------------------------------------- */

static void late_leave(Gen *g, const Late *l)
{
    if (l->temporary != RAX) {
        x_op(&g->code, OP_MOV, true, RAX, rm_reg(l->temporary));
    }
    if (l->key == EXIT_LOOKUP) {
        x_jump(&g->code, g->area->thunk[THUNK_LOOKUP]);
    } else {
        x_op(&g->code, OP_STORE, true, RAX, ENV(pc));
        x_mov_imm(&g->code, RAX, l->key);
        x_jump(&g->code, g->area->thunk[THUNK_LEAVE]);
    }
}

static void leave_later(Gen *g, ExitReason reason, unsigned pc, uint8_t *from)
{
    Late *late = gen_late(g, late_leave);

    late->key = reason;
    late->temporary = pc;
    late->from = from;
}

static unsigned clean_pc(Gen *g, unsigned t)
{
    unsigned reg;

    if (gen_type(g, t) == I64 || !g->temps[t].dirty) {
        return reg_use(g, t);
    }
    reg = reg_scratch(g, GENERAL);
    reg_load(g, reg, t);
    return reg;
}

/* index = (pc ^ pc >> JUMP_BITS) >> 1, masked; 8 * (2 * index) is the entry's offset. */
void emit_gotoval(Gen *g, const IrInsn *op, unsigned detail)
{
    Code *c = &g->code;
    unsigned pc = clean_pc(g, op->a), index = reg_scratch(g, GENERAL),
             fetch = reg_scratch(g, GENERAL);

    test_request(g);
    leave_later(g, EXIT_REQUEST, pc, x_jump_if(c, COND_NE, NULL));
    x_op(c, OP_MOV, true, fetch, ENV(fetch));
    if (g->area->features.bmi2) {
        x_rorx(c, false, index, pc, JUMP_BITS);
    } else {
        x_op(c, OP_MOV, false, index, rm_reg(pc));
        x_shift_imm(c, SHIFT_SHR, false, rm_reg(index), JUMP_BITS);
    }
    x_alu(c, ALU_XOR, false, index, rm_reg(pc));
    x_alu_imm(c, ALU_AND, false, rm_reg(index), (JUMP_SIZE - 1) << 1);
    x_alu(c, ALU_CMP, true, pc, rm_index(fetch, index, 3, offsetof(JumpEntry, pc)));
    leave_later(g, EXIT_LOOKUP, pc, x_jump_if(c, COND_NE, NULL));
    x_jump_rm(c, rm_index(fetch, index, 3, offsetof(JumpEntry, code)));
}

_Static_assert(sizeof(JumpEntry) == 16 && offsetof(FetchContext, jump) == 0, "see emit_gotoval");

void emit_exit(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned pc = clean_pc(g, op->a);

    x_op(&g->code, OP_STORE, true, pc, ENV(pc));
    x_mov_imm(&g->code, RAX, op->imm);
    x_jump(&g->code, g->area->thunk[THUNK_LEAVE]);
}

/* ---- inside the block ------------------------------------------------------------------------------ */

/* Until a label is placed, the jumps to it are chained through their displacements. */
static void jump_to_label(Gen *g, unsigned label, uint8_t *at)
{
    uint8_t *before = g->label_jumps[label];

    put32(at, before ? at - before : 0);
    g->label_jumps[label] = at;
}

void emit_label(Gen *g, const IrInsn *op, unsigned detail)
{
    uint8_t *at = g->label_jumps[op->imm];
    uint32_t distance;

    while (at) {
        memcpy(&distance, at, 4);
        x_here32(&g->code, at);
        at = distance ? at - distance : NULL;
    }
    reg_forget(g);
}

void emit_brcond(Gen *g, const IrInsn *op, unsigned detail)
{
    Compared compared = gen_compared(g, op->type, op->a, op->b);
    Cond cond = gen_compare(g, &compared, op->aux);

    jump_to_label(g, op->imm, x_jump_if(&g->code, cond, NULL));
}

void emit_br(Gen *g, const IrInsn *op, unsigned detail)
{
    jump_to_label(g, op->imm, x_jump(&g->code, NULL));
}

/* ---- calls ----------------------------------------------------------------------------------------- */

static void pass_arguments(Gen *g, const IrInsn *op)
{
    const uint16_t operands[] = { op->a, op->b, op->c };
    unsigned temporary = reg_scratch(g, GENERAL);

    for (unsigned n = 0; n < 3; n++) {
        if (!operands[n]) {
            x_store_imm(&g->code, 3, env_rm(offsetof(CpuEnv, call) + 8 * n), 0);
        } else {
            Value value = reg_value(g, operands[n]);

            if (class_of(gen_type(g, operands[n])) == VECTOR) {
                value = (Value){ .kind = VALUE_AT,
                    .type = gen_type(g, operands[n]),
                    .rm = rm_reg(reg_use(g, operands[n])) };
            }
            late_argument(g, &value, n, temporary);
        }
    }
    g->locked[GENERAL] = g->locked[VECTOR] = 0;
}

static void call_result(Gen *g, const IrInsn *op)
{
    unsigned d;

    if (class_of(op->type) == VECTOR) {
        d = reg_define(g, op->dst);
        v_op(&g->code, g->level, VOP_MOVD, op->type == F64, d, NO_REG, rm_reg(RAX));
    } else if (op->type == I32) {
        d = reg_define_over(g, op->dst, 0);
        x_op(&g->code, OP_MOV, false, d, rm_reg(RAX));
    } else {
        reg_define_in(g, op->dst, RAX);
    }
}

void emit_call(Gen *g, const IrInsn *op, unsigned detail)
{
    const Helper *helper = g->b->helpers[op->imm];
    bool leaf = helper->flags & HELPER_LEAF;

    reg_close_windows(g);
    pass_arguments(g, op);
    reg_evict(g, GENERAL);
    if (!leaf) {
        reg_evict(g, VECTOR);
        reg_evict_gvars(g);
    }
    reg_take(g, GENERAL, RAX);
    x_mov_imm(&g->code, RAX, (uintptr_t)helper->fn);
    x_call(&g->code, g->area->thunk[leaf ? THUNK_LEAF : THUNK_CALL]);
    gen_side(g, gen_insn(g), g->code.p);
    if (op->dst) {
        call_result(g, op);
    }
}
