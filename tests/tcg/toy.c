#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/tcg/toy.h"

#define HOME(field) (uint32_t)offsetof(ToyEnv, field)
#define X(n, p) { "x" #n, HOME(x[n]), I64, p }
#define W(n, p) { "w" #n, HOME(w[n]), I32, p }
#define F(n, p) { "f" #n, HOME(f[n]), F64, p }
#define S(n, p) { "s" #n, HOME(s[n]), F32, p }
#define V(n, p) { "v" #n, HOME(v[n]), V128, p }

/* More than fit in host registers, and some that stay in memory. */
const GVar toy_gvars[TOY_GVARS] = {
    X(0, 1), X(1, 2), X(2, 3), X(3, 4), X(4, 5), X(5, 6), X(6, 7), X(7, 8), X(8, 0), X(9, 0), X(10, 0), X(11, 30),
    W(0, 9), W(1, 10), W(2, 0), W(3, 31),
    F(0, 1), F(1, 2), F(2, 3), F(3, 0), F(4, 0), F(5, 4),
    S(0, 5), S(1, 0),
    V(0, 6), V(1, 0), V(2, 7), V(3, 8), V(4, 30), V(5, 31),
    V(6, 32), V(7, 33), V(8, 34), V(9, 35), V(10, 36), V(11, 37),
};

static uint64_t note(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    ToyEnv *cpu = (ToyEnv *)env;

    cpu->x[0] += a;
    cpu->scratch[0] = cpu->scratch[0] * 31 + (a ^ b << 1 ^ c << 2) + cpu->x[1];
    return cpu->scratch[0];
}

static uint64_t mix(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    return (a ^ b) * 7 + c;
}

static uint64_t trap(CpuEnv *env, uint64_t a, uint64_t b, uint64_t c)
{
    if (a & 1) {
        cpu_raise(env, 77, a);
    }
    return b + 1;
}

const Helper toy_note = { "note", note, 0 };
const Helper toy_mix = { "mix", mix, HELPER_PURE | HELPER_LEAF };
const Helper toy_trap = { "trap", trap, HELPER_MAY_RAISE };

static void map_page(TlbEntry *entries, uint64_t address, const uint8_t *host)
{
    entries[address >> GUEST_PAGE_BITS & (TLB_SIZE - 1)] =
        (TlbEntry){ address, (uintptr_t)host - (uintptr_t)address };
}

void toy_init(Toy *toy)
{
    size_t size = sizeof(CpuFar) + sizeof(ToyEnv);
    CpuFar *far = aligned_alloc(64, (size + 63) & ~(size_t)63);

    memset(far, 0, size);
    toy->cpu = (ToyEnv *)(far + 1);
    toy->memory = aligned_alloc(GUEST_PAGE_SIZE, TOY_PAGES * GUEST_PAGE_SIZE);
    memset(toy->memory, 0, TOY_PAGES * GUEST_PAGE_SIZE);
    toy_flush(toy);
    toy->cpu->env.fetch = g_new0(FetchContext, 1);
    for (unsigned n = 0; n < JUMP_SIZE; n++) {
        toy->cpu->env.fetch->jump[n].pc = 1;
    }
    toy->cpu->env.mxcsr = 0x1f80;
    toy->cpu->env.other_context = 1 << CONTEXT_SHIFT;
}

void toy_flush(Toy *toy)
{
    CpuFar *far = env_far(&toy->cpu->env);

    for (unsigned n = 0; n < TLB_SIZE; n++) {
        far->read[n].tag = far->write[n].tag = TLB_INVALID;
    }
    for (unsigned page = 0; page < TOY_PAGES; page++) {
        uint64_t address = TOY_BASE + page * GUEST_PAGE_SIZE;
        const uint8_t *host = toy->memory + page * GUEST_PAGE_SIZE;

        if (page != 2) {
            map_page(far->read, address, host);
        }
        if (page < 2) {
            map_page(far->write, address, host);
        }
    }
}

void toy_clear(Toy *toy)
{
    g_free(toy->cpu->env.fetch);
    free(env_far(&toy->cpu->env));
    free(toy->memory);
}

/* ---- blocks -------------------------------------------------------------------------------- */

void toy_begin(IrBlock *b)
{
    ir_begin(b, toy_gvars, TOY_GVARS, TOY_PC, 0);
    b->helpers[b->helper_count++] = &toy_note;
    b->helpers[b->helper_count++] = &toy_mix;
    b->helpers[b->helper_count++] = &toy_trap;
}

void toy_parse(IrBlock *b, const char *text)
{
    g_autofree char *error = NULL;

    toy_begin(b);
    error = ir_parse(b, text);
    if (!error) {
        error = ir_verify(b);
    }
    if (error) {
        g_error("%s in:\n%s", error, text);
    }
}

/* One operation, with operands already of the new block. */
static Val build(IrBlock *b, const IrBlock *from, const IrInsn *i, Val x, Val y, Val z)
{
    IrType type = (IrType)i->type;
    const Helper *helper = i->op == IR_call ? from->helpers[i->imm] : NULL;

    switch (i->op) {
    case IR_const: case IR_fconst:
        return ir_const(b, type, from->consts[i->imm]);
    case IR_vconst: return ir_vconst(b, from->consts[i->imm], from->consts[i->imm + 1]);
    case IR_get:    return ir_get(b, (unsigned)i->imm);
    case IR_put:    ir_put(b, (unsigned)i->imm, x); break;
    case IR_ldenv:  return ir_ldenv(b, type, i->aux, (size_t)i->imm);
    case IR_stenv:  ir_stenv(b, i->aux, (size_t)i->imm, x); break;
    case IR_load: case IR_fload: case IR_vload:
        return ir_load(b, type, i->aux, x, i->imm);
    case IR_store: case IR_fstore: case IR_vstore:
        ir_store(b, i->aux, x, i->imm, y);
        break;
    case IR_loadas: return ir_load_as(b, type, i->aux, x, i->imm);
    case IR_storeas: ir_store_as(b, i->aux, x, i->imm, y); break;
    case IR_rmw:    return ir_rmw(b, (RmwKind)i->imm, type, i->aux, x, y);
    case IR_cas:    return ir_cas(b, type, i->aux, x, y, z);
    case IR_fence:  ir_fence(b, (FenceKind)i->imm); break;
    case IR_getflags: return ir_fp_flags(b);
    case IR_setflags: ir_set_fp_flags(b, x); break;
    case IR_label:  ir_label(b, (unsigned)i->imm); break;
    case IR_br:     ir_br(b, (unsigned)i->imm); break;
    case IR_brcond: ir_brcond(b, (unsigned)i->imm, i->aux, x, y); break;
    case IR_goto:   ir_goto(b, from->exits[i->imm].pc); break;
    case IR_gotocond:
        ir_goto_if(b, i->aux & ~GOTO_CHECK, x, y, from->exits[i->imm].pc);
        break;
    case IR_gotoval: ir_goto_val(b, i->aux, x); break;
    case IR_exit:   ir_exit(b, (ExitReason)i->imm, x); break;
    case IR_call:
        if (i->dst) {
            return ir_call(b, type, helper, x, y, z);
        }
        ir_call_void(b, helper, x, y, z);
        break;
    default:        return ir_aux(b, i->op, type, i->aux, i->imm, x, y, z);
    }
    return (Val){ 0 };
}

/* An operand's new temporary. Constants are built when they are met first. */
static Val operand(IrBlock *b, const IrBlock *from, uint16_t *map, unsigned t)
{
    unsigned at = from->defined_by[t];

    if (t && !map[t] && at >= IR_CONSTS) {
        map[t] = build(b, from, &from->ops[at], (Val){ 0 }, (Val){ 0 }, (Val){ 0 }).id;
    }
    return (Val){ map[t] };
}

void toy_build(IrBlock *b, const IrBlock *from)
{
    uint16_t map[IR_MAX_OPS + 1] = { 0 };
    unsigned insns = 0;

    toy_begin(b);
    b->counted = from->counted;
    for (unsigned label = 0; label < from->label_count; label++) {
        ir_label_new(b);
    }
    for (unsigned at = 0; at < from->op_count; at++) {
        for (; insns < from->guest_insns && from->insns[insns].op <= at; insns++) {
            ir_insn(b, b->pc + from->insns[insns].guest, from->insns[insns].length);
        }
        const IrInsn *i = &from->ops[at];
        Val x = operand(b, from, map, i->a), y = operand(b, from, map, i->b);
        Val z = operand(b, from, map, i->c);

        map[i->dst] = build(b, from, i, x, y, z).id;
    }
}
