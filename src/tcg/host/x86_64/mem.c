/*
 * Guest memory. The fast path finds the page in the first-level TLB of env.h:
 *
 *   lea   tag, [address + size - 1]       the last byte's page (with MEM_ALIGNED: the address, low bits kept)
 *   rorx  page, address, 8                16-byte entry number, times 16
 *   and   page, mask
 *   and   tag, -4096
 *   or    tag, [context]
 *   cmp   tag, [rbp + page + array]
 *   jne   slow
 *   mov   page, [rbp + page + array + 8]
 *   mov   result, [page + address]
 *
 * An access that crosses into the next page does not match, as the entry is that of the first byte.
 */
#include "tcg/host/x86_64/gen.h"
#include "tcg/host/x86_64/slow.h"

enum { INDEX_SHIFT = GUEST_PAGE_BITS - 4, INDEX_MASK = (TLB_SIZE - 1) << 4 };

_Static_assert(sizeof(TlbEntry) == 16, "an entry's number times 16 is its offset");

typedef struct Access {
    Rm       at;                /* where the data is, after the check */
    unsigned base;              /* guest address: register and displacement */
    int32_t  disp;
    unsigned page, tag;         /* scratch registers; tag is free after the check */
    Late    *late;
} Access;

/* ---- the slow path -------------------------------------------------------------------------------- */

static void load_result(Gen *g, IrType type, unsigned reg)
{
    Rm from = ENV(call[0]);

    switch (type) {
    case F32:  v_op(&g->code, g->level, VOP_MOVSS, false, reg, NO_REG, from); break;
    case F64:  v_op(&g->code, g->level, VOP_MOVSD, false, reg, NO_REG, from); break;
    case V128: v_op(&g->code, g->level, VOP_MOVUPS, false, reg, NO_REG, from); break;
    default:   x_op(&g->code, OP_MOV, type == I64, reg, from); break;
    }
}

static void late_access(Gen *g, const Late *l)
{
    Code *c = &g->code;

    late_argument(g, &l->operand[1], 1, l->temporary);
    late_argument(g, &l->operand[2], 2, l->temporary);
    x_op(c, OP_LEA, true, l->temporary, l->operand[0].rm);
    x_op(c, OP_STORE, true, l->temporary, ENV(call[0]));
    x_store_imm(c, 2, ENV(call[3]), (int32_t)l->key);
    x_call(c, g->area->thunk[THUNK_SLOW]);
    gen_side(g, &l->side);
    x_jump_if(c, COND_B, l->retry + c->to_exec);
    if (l->result != NO_REG) {
        load_result(g, l->type, l->result);
    }
    x_jump(c, l->back + c->to_exec);
}

/* ---- the check ------------------------------------------------------------------------------------ */

static bool is_clean_address(const Gen *g, unsigned t)
{
    return gen_type(g, t) == I64 || !g->temps[t].dirty;
}

/* The guest address as register and displacement; 32-bit ones wrap, so they are added up before. */
static void find_address(Gen *g, Access *x, unsigned t, int32_t disp)
{
    bool wide = gen_type(g, t) == I64;

    x->base = reg_use(g, t);
    x->disp = disp;
    if ((!wide && (disp || !is_clean_address(g, t))) || disp > INT32_MAX - 16) {
        unsigned sum = reg_scratch(g, GENERAL);

        x_op(&g->code, OP_LEA, wide, sum, rm_mem(x->base, disp));
        reg_unlock(g, GENERAL, x->base);
        x->base = sum;
        x->disp = 0;
    }
}

static void index_of(Gen *g, unsigned page, unsigned address)
{
    if (g->area->features.bmi2) {
        x_rorx(&g->code, false, page, address, INDEX_SHIFT);
    } else {
        if (page != address) {
            x_op(&g->code, OP_MOV, false, page, rm_reg(address));
        }
        x_shift_imm(&g->code, SHIFT_SHR, false, rm_reg(page), INDEX_SHIFT);
    }
    x_alu_imm(&g->code, ALU_AND, false, rm_reg(page), INDEX_MASK);
}

static void check(Gen *g, Access *x, unsigned size, bool aligned, int array)
{
    Code *c = &g->code;
    bool exact = aligned || size == 1;

    x->late->retry = c->p;
    x_op(c, OP_LEA, true, x->tag, rm_mem(x->base, x->disp + (exact ? 0 : (int32_t)size - 1)));
    if (x->disp == 0) {
        index_of(g, x->page, x->base);
    } else if (exact) {
        index_of(g, x->page, x->tag);
    } else {
        x_op(c, OP_LEA, false, x->page, rm_mem(x->base, x->disp));
        index_of(g, x->page, x->page);
    }
    x_alu_imm(c, ALU_AND, true, rm_reg(x->tag), -GUEST_PAGE_SIZE | (aligned ? (int32_t)size - 1 : 0));
    x_alu(c, ALU_OR, true, x->tag, ENV(data_context));
    x_alu(c, ALU_CMP, true, x->tag, rm_index(RBP, x->page, 0, array));
    x->late->from = x_jump_if(c, COND_NE, NULL);
    x_op(c, OP_MOV, true, x->page, rm_index(RBP, x->page, 0, array + 8));
    x->at = rm_index(x->page, x->base, 0, x->disp);
}

static int array_of(bool write)
{
    return (write ? FAR_OFFSET(write) : FAR_OFFSET(read)) - ENV_BIAS;
}

static Access begin(Gen *g, const IrInsn *op, SlowKind kind, int32_t disp)
{
    Access x;

    find_address(g, &x, op->a, disp);
    x.page = reg_scratch(g, GENERAL);
    x.tag = reg_scratch(g, GENERAL);
    x.late = gen_late(g, late_access);
    x.late->operand[0].rm = rm_mem(x.base, x.disp);
    x.late->key = slow_key(kind, op->aux, 0);
    x.late->temporary = x.tag;
    x.late->result = NO_REG;
    x.late->type = op->type;
    return x;
}

static Access access_memory(Gen *g, const IrInsn *op, SlowKind kind)
{
    Access x = begin(g, op, kind, op->imm);

    if (op->b) {
        x.late->operand[1] = reg_value(g, op->b);
    }
    check(g, &x, 1u << (op->aux & MEM_SIZE), op->aux & MEM_ALIGNED, array_of(kind != SLOW_LOAD));
    return x;
}

/* ---- load ----------------------------------------------------------------------------------------- */

static void load_int(Gen *g, unsigned memop, bool wide, unsigned d, Rm from)
{
    static const uint16_t opcodes[4][2] = {
        { OP_MOVZX8, OP_MOVSX8 }, { OP_MOVZX16, OP_MOVSX16 }, { OP_MOV, OP_MOVSXD }, { OP_MOV, OP_MOV },
    };
    unsigned size = memop & MEM_SIZE;
    bool is_signed = (memop & MEM_SIGNED) && (wide || size < MEM_32);

    x_op(&g->code, opcodes[size][is_signed], wide && (is_signed || size == MEM_64), d, from);
}

/* d was loaded zero-extended. */
static void swap_loaded(Gen *g, unsigned memop, bool wide, unsigned d)
{
    unsigned size = memop & MEM_SIZE;
    bool is_signed = memop & MEM_SIGNED;

    if (size == MEM_8) {
        return;
    }
    x_bswap(&g->code, size == MEM_64, d);
    if (size == MEM_16) {
        x_shift_imm(&g->code, is_signed ? SHIFT_SAR : SHIFT_SHR, false, rm_reg(d), 16);
    }
    if (size <= MEM_32 && is_signed && wide) {
        x_op(&g->code, OP_MOVSXD, true, d, rm_reg(d));
    }
}

static void load_vector(Gen *g, IrType type, unsigned d, Rm from)
{
    v_op(&g->code, g->level, type == F32 ? VOP_MOVSS : type == F64 ? VOP_MOVSD : VOP_MOVUPS, false, d,
        NO_REG, from);
}

void emit_load(Gen *g, const IrInsn *op, unsigned detail)
{
    bool wide = op->type == I64, swap = op->aux & MEM_BIG && (op->aux & MEM_SIZE) != MEM_8;
    unsigned d;
    Access x;

    reg_reserve(g, class_of(op->type));     /* no spill may hide between check and access */
    x = access_memory(g, op, SLOW_LOAD);
    g->locked[GENERAL] = 0;         /* the last instruction reads its operands before it writes */
    d = reg_define_over(g, op->dst, op->a);
    if (class_of(op->type) == VECTOR) {
        load_vector(g, op->type, d, x.at);
    } else {
        load_int(g, swap ? op->aux & ~MEM_SIGNED : op->aux, wide, d, x.at);
        if (swap) {
            swap_loaded(g, op->aux, wide, d);
        }
    }
    x.late->result = d;
    x.late->back = g->code.p;
}

/* ---- store ---------------------------------------------------------------------------------------- */

static void store_int(Gen *g, unsigned size, unsigned reg, Rm to)
{
    if (size == MEM_16) {
        x_op16(&g->code, OP_STORE, reg, to);
    } else {
        x_op(&g->code, size == MEM_8 ? OP_STORE8 : OP_STORE, size == MEM_64, reg, to);
    }
}

static void store_swapped(Gen *g, unsigned size, unsigned reg, Rm to)
{
    x_bswap(&g->code, size == MEM_64, reg);
    if (size == MEM_16) {
        x_shift_imm(&g->code, SHIFT_SHR, false, rm_reg(reg), 16);
    }
    store_int(g, size, reg, to);
}

static void full_fence(Gen *g)
{
    /* Cheaper than mfence, and enough for ordinary memory (Intel manual volume 3, 8.2.2). */
    x_lock(&g->code);
    x_alu_imm(&g->code, ALU_OR, false, rm_mem(RSP, 0), 0);
}

static void store_general(Gen *g, const IrInsn *op, const Access *x)
{
    unsigned size = op->aux & MEM_SIZE, reg;
    Operand value = reg_immediate(g, op->b);

    if (op->aux & MEM_BIG && size != MEM_8) {
        reg_load(g, x->tag, op->b);
        store_swapped(g, size, x->tag, x->at);
        return;
    }
    if (value.is_imm) {
        x_store_imm(&g->code, size, x->at, value.imm);
        return;
    }
    reg = reg_find(g, op->b);
    if (reg == NO_REG) {
        reg = x->tag;
        reg_load(g, reg, op->b);
    }
    store_int(g, size, reg, x->at);
}

void emit_store(Gen *g, const IrInsn *op, unsigned detail)
{
    bool is_vector = class_of(op->type) == VECTOR;
    unsigned value = is_vector ? reg_use(g, op->b) : 0;
    Access x = access_memory(g, op, SLOW_STORE);

    if (is_vector) {
        unsigned opcode = op->type == F32 ? VOP_MOVSS_STORE : op->type == F64 ? VOP_MOVSD_STORE
                                                                             : VOP_MOVUPS_STORE;

        v_op(&g->code, g->level, opcode, false, value, NO_REG, x.at);
    } else {
        store_general(g, op, &x);
    }
    x.late->back = g->code.p;
    if ((op->aux & (MEM_ACQUIRE | MEM_RELEASE)) == (MEM_ACQUIRE | MEM_RELEASE)) {
        full_fence(g);
    }
}

void emit_fence(Gen *g, const IrInsn *op, unsigned detail)
{
    if (op->imm & FENCE_WR) {       /* all other orders are what x86 does anyway */
        full_fence(g);
    }
}

/* ---- atomics: the address ends in RCX, new values in RDX, old ones in RAX or RDX ------------------- */

static Access access_atomic(Gen *g, const IrInsn *op, SlowKind kind, unsigned rmw)
{
    Access x = { .page = RCX, .tag = RDX };

    reg_take(g, GENERAL, RAX);
    reg_take(g, GENERAL, RCX);
    reg_take(g, GENERAL, RDX);
    x.base = is_clean_address(g, op->a) ? reg_find(g, op->a) : NO_REG;
    if (x.base == NO_REG) {
        x.base = RAX;
        reg_load(g, RAX, op->a);
    }
    x.late = gen_late(g, late_access);
    x.late->operand[0].rm = rm_mem(x.base, 0);
    x.late->operand[1] = reg_value(g, op->b);
    x.late->operand[2] = reg_value(g, op->c);
    x.late->key = slow_key(kind, op->aux, rmw);
    x.late->temporary = RDX;
    x.late->type = op->type;
    if (op->aux & MEM_BIG) {
        x.late->retry = g->code.p;      /* the other byte order is left to C */
        x.late->from = x_jump(&g->code, NULL);
        x.at = rm_mem(x.base, 0);
    } else {
        check(g, &x, 1u << (op->aux & MEM_SIZE), true, array_of(true));
    }
    x_op(&g->code, OP_LEA, true, RCX, x.at);
    return x;
}

/* The old value, in `from` or at the end of the slow path in the result. */
static void finish_atomic(Gen *g, const IrInsn *op, Access *x, unsigned from)
{
    unsigned d;

    g->locked[GENERAL] = 0;
    d = reg_define_over(g, op->dst, 0);
    load_int(g, op->aux, op->type == I64, d, rm_reg(from));
    x->late->result = d;
    x->late->back = g->code.p;
}

static unsigned sized(unsigned memop, unsigned byte_opcode, unsigned opcode)
{
    return (memop & MEM_SIZE) == MEM_8 ? byte_opcode : opcode;
}

/* [RCX], RDX. */
static void atomic_op(Gen *g, unsigned memop, unsigned opcode)
{
    Rm at = rm_mem(RCX, 0);

    if ((memop & MEM_SIZE) == MEM_16) {
        x_bytes(&g->code, "\xf0", 1);
        x_op16(&g->code, opcode, RDX, at);
    } else {
        x_lock(&g->code);
        x_op(&g->code, opcode, (memop & MEM_SIZE) == MEM_64, RDX, at);
    }
}

static void extend_small(Gen *g, unsigned memop, bool is_signed, unsigned reg)
{
    if ((memop & MEM_SIZE) < MEM_32) {
        load_int(g, is_signed ? memop | MEM_SIGNED : memop & ~MEM_SIGNED, false, reg, rm_reg(reg));
    }
}

/* RDX = what to write, from the old value in RAX and the operand in RDX. */
static void combine(Gen *g, unsigned memop, RmwKind kind)
{
    static const uint8_t alus[RMW_KIND_COUNT] = {
        [RMW_AND] = ALU_AND, [RMW_OR] = ALU_OR, [RMW_XOR] = ALU_XOR, [RMW_ANDN] = ALU_AND,
    };
    static const uint8_t conds[RMW_KIND_COUNT] = {      /* old is the answer */
        [RMW_SMIN] = COND_L, [RMW_SMAX] = COND_G, [RMW_UMIN] = COND_B, [RMW_UMAX] = COND_A,
    };
    Code *c = &g->code;
    bool wide = (memop & MEM_SIZE) == MEM_64, is_signed = kind == RMW_SMIN || kind == RMW_SMAX;

    if (alus[kind]) {
        if (kind == RMW_ANDN) {
            x_group3(c, G3_NOT, wide, rm_reg(RDX));
        }
        x_alu(c, alus[kind], wide, RDX, rm_reg(RAX));
        return;
    }
    extend_small(g, memop, is_signed, RAX);
    extend_small(g, memop, is_signed, RDX);
    x_alu(c, ALU_CMP, wide, RAX, rm_reg(RDX));
    x_cmov(c, conds[kind], wide, RDX, rm_reg(RAX));
}

static void rmw_loop(Gen *g, const IrInsn *op)
{
    unsigned memop = op->aux & ~MEM_SIGNED;
    uint8_t *again;

    load_int(g, memop, true, RAX, rm_mem(RCX, 0));
    again = g->code.p;
    reg_load(g, RDX, op->b);
    combine(g, memop, op->imm);
    atomic_op(g, memop, sized(memop, OP_CMPXCHG8, OP_CMPXCHG));
    x_jump_if(&g->code, COND_NE, again + g->code.to_exec);
}

void emit_rmw(Gen *g, const IrInsn *op, unsigned detail)
{
    Access x = access_atomic(g, op, SLOW_RMW, op->imm);

    if (op->imm == RMW_ADD || op->imm == RMW_SWAP) {
        reg_load(g, RDX, op->b);
        atomic_op(g, op->aux, op->imm == RMW_ADD ? sized(op->aux, OP_XADD8, OP_XADD)
                                                 : sized(op->aux, OP_XCHG8, OP_XCHG));
        finish_atomic(g, op, &x, RDX);
    } else {
        rmw_loop(g, op);
        finish_atomic(g, op, &x, RAX);
    }
}

void emit_cas(Gen *g, const IrInsn *op, unsigned detail)
{
    Access x = access_atomic(g, op, SLOW_CAS, 0);

    reg_load(g, RAX, op->b);
    reg_load(g, RDX, op->c);
    atomic_op(g, op->aux, sized(op->aux, OP_CMPXCHG8, OP_CMPXCHG));
    finish_atomic(g, op, &x, RAX);
}
