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
 *
 * Several accesses to the same base share the check (Window): it covers all their bytes, and the later ones
 * only test that it did not fail:
 *
 *   test  page, page
 *   je    slow
 *   mov   result, [page + address]
 *
 * Out of line is as little as can be: half of all code would be there. C does accesses of windows that are shut
 * (they cross a page) itself, as long as the first level has their pages.
 */
#include "tcg/host/x86_64/mem.h"

#include "tcg/host/x86_64/encode-inline.h"

enum {
    INDEX_SHIFT = GUEST_PAGE_BITS - 4,
    WINDOW_SPAN = 256, /* bytes: more would cross a page too often */
    WINDOW_REACH = 96, /* operations looked at for more accesses */
};

enum { PART_NONE, PART_ACCESS, PART_END }; /* of window_parts */

/* ---- the check ------------------------------------------------------------------------------------ */

bool mem_is_clean_address(const Gen *g, unsigned t)
{
    return gen_type(g, t) == I64 || !g->temps[t].dirty;
}

/* The guest address as register and displacement; 32-bit ones wrap, so they are added up before. */
static inline void find_address(Gen *g, Access *x, unsigned t, int32_t disp)
{
    bool wide = gen_type(g, t) == I64;

    x->base = reg_use(g, t);
    x->disp = disp;
    if ((!wide && (disp || !mem_is_clean_address(g, t))) || disp > INT32_MAX - 16) {
        unsigned sum = reg_scratch(g, GENERAL);

        x_op(&g->code, OP_LEA, wide, sum, rm_mem(x->base, disp));
        reg_unlock(g, GENERAL, x->base);
        x->base = sum;
        x->disp = 0;
    }
}

/* page = the entry's number, times 16, with more bits above. */
static uint8_t *put_index(const Gen *g, uint8_t *p, unsigned page, unsigned address)
{
    const Code *c = &g->code;

    if (g->area->features.bmi2) {
        return put_rorx(c, p, false, page, address, INDEX_SHIFT);
    }
    if (page != address) {
        p = put_reg(c, p, OP_MOV, false, page, address);
    }
    p = put_reg(c, p, OP_SHIFT_IMM, false, SHIFT_SHR, page);
    *p = INDEX_SHIFT;
    return p + 1;
}

/*
 * page = the addend, after a jump out of line that the check failed; gives that jump's displacement. All but the
 * addresses is a few bytes in a pattern.
 */
static uint8_t *find_page(Gen *g, const Access *x, Span span, uint32_t low_bits, bool write)
{
    Code *c = &g->code;
    unsigned kind = (write ? CHECK_WRITE : 0) | (x->other ? CHECK_OTHER : 0), address = x->page;
    uint8_t *p = put_mem(c, c->p, OP_LEA, true, x->tag, rm_mem(x->base, span.high - 1));

    if (span.low == 0) {
        address = x->base;
    } else if (span.low == span.high - 1) {
        address = x->tag;
    } else {
        p = put_mem(c, p, OP_LEA, false, x->page, rm_mem(x->base, span.low));
    }
    p = put_index(g, p, x->page, address);
    memcpy(p, g->area->check[kind][x->page][x->tag], CHECK_ROOM);
    put32(p + CHECK_MASK, (uint32_t)-GUEST_PAGE_SIZE | low_bits);
    c->p = p + CHECK_SIZE;
    return p + CHECK_JUMP;
}

static Rm data_at(const Access *x)
{
    return rm_index(x->page, x->base, 0, x->disp);
}

/* The span of one access: aligned ones need only be looked at by their first byte, low bits kept. */
static Span single_span(int32_t disp, unsigned size, bool aligned)
{
    return (Span){ disp, disp + (aligned ? 1 : (int32_t)size) };
}

void mem_check(Gen *g, Access *x, unsigned size, bool aligned, bool write)
{
    x->late->retry = g->code.p;
    x->late->from = find_page(
        g, x, single_span(x->disp, size, aligned), aligned ? size - 1 : 0, write);
    x->at = data_at(x);
}

/* ---- moving data ---------------------------------------------------------------------------------- */

void mem_load_int(Gen *g, unsigned memop, bool wide, unsigned d, Rm from)
{
    static const uint16_t opcodes[4][2] = {
        { OP_MOVZX8, OP_MOVSX8 },
        { OP_MOVZX16, OP_MOVSX16 },
        { OP_MOV, OP_MOVSXD },
        { OP_MOV, OP_MOV },
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

    x_bswap(&g->code, size == MEM_64, d);
    if (size == MEM_16) {
        x_shift_imm(&g->code, is_signed ? SHIFT_SAR : SHIFT_SHR, false, rm_reg(d), 16);
    }
    if (size <= MEM_32 && is_signed && wide) {
        x_op(&g->code, OP_MOVSXD, true, d, rm_reg(d));
    }
}

static bool is_swapped(unsigned memop)
{
    return memop & MEM_BIG && (memop & MEM_SIZE) != MEM_8;
}

static void load_from(Gen *g, IrType type, unsigned memop, unsigned d, Rm from)
{
    static const unsigned opcodes[] = { [F32] = VOP_MOVSS, [F64] = VOP_MOVSD, [V128] = VOP_MOVUPS };

    if (class_of(type) == VECTOR) {
        v_op(&g->code, g->level, opcodes[type], false, d, NO_REG, from);
    } else if (is_swapped(memop)) {
        mem_load_int(g, memop & ~MEM_SIGNED, type == I64, d, from);
        swap_loaded(g, memop, type == I64, d);
    } else {
        mem_load_int(g, memop, type == I64, d, from);
    }
}

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

static void store_vector(Gen *g, IrType type, unsigned reg, Rm to)
{
    static const unsigned opcodes[] = {
        [F32] = VOP_MOVSS_STORE,
        [F64] = VOP_MOVSD_STORE,
        [V128] = VOP_MOVUPS_STORE,
    };

    v_op(&g->code, g->level, opcodes[type], false, reg, NO_REG, to);
}

/* ---- the slow path -------------------------------------------------------------------------------- */

static bool is_in_general_reg(const Value *value)
{
    return value->kind == VALUE_AT && value->rm.kind == RM_REG && class_of(value->type) == GENERAL;
}

/* What C did may have changed the memory map: windows look again. */
static void forget_windows(Gen *g, const Late *l)
{
    for (unsigned reg = RAX; reg <= RDX; reg++) {
        if (l->windows >> reg & 1) {
            x_alu(&g->code, ALU_XOR, false, reg, rm_reg(reg));
        }
    }
}

static void load_result(Gen *g, const Late *l)
{
    if (l->result != NO_REG) {
        load_from(g, l->type, l->type == I64 ? MEM_64 : MEM_32, l->result, ENV(call[0]));
    }
}

/*
 * The result comes from memory, not from C by way of the register's place in the frame: processors take what is
 * popped for what was pushed, and begin again when it is not.
 */
void mem_late_slow(Gen *g, const Late *l)
{
    Code *c = &g->code;
    const Value *value = &l->operand[1];
    bool in_reg = is_in_general_reg(value);
    uint8_t *p, *jump;

    if (!in_reg) {
        late_argument(g, value, 1, l->temporary);
    }
    late_argument(g, &l->operand[2], 2, l->temporary);
    p = put_call(c, c->p, g->area->thunk[THUNK_SLOW]);
    gen_side(g, l->insn, p);
    SlowSite site = {
        .disp = l->operand[0].rm.disp,
        .retry = l->retry ? (int32_t)(l->retry - p) : 0,
        .key = (uint16_t)l->key,
        .base = l->operand[0].rm.base,
        .value = in_reg ? value->rm.base : NO_REG,
        .is_wide = in_reg && value->type == I64,
    };
    p = put_jump(c, p, l->back + c->to_exec);
    jump = p - 4;
    memcpy(p, &site, sizeof(site));
    c->p = p + sizeof(site);
    if (l->result != NO_REG || l->windows) {
        x_here32(c, jump);
        forget_windows(g, l);
        load_result(g, l);
        x_jump(c, l->back + c->to_exec);
    }
}

/* ---- windows -------------------------------------------------------------------------------------- */

static bool is_load(unsigned op)
{
    return op == IR_load || op == IR_fload || op == IR_vload;
}

static bool is_store(unsigned op)
{
    return op == IR_store || op == IR_fstore || op == IR_vstore;
}

static Span span_of(const IrInsn *op)
{
    return single_span(op->imm, 1u << (op->aux & MEM_SIZE), false);
}

/* Accesses whose check can be shared. */
static bool is_sharable(const Gen *g, const IrInsn *op)
{
    return (is_load(op->op) || is_store(op->op)) && gen_type(g, op->a) == I64 &&
        !is_swapped(op->aux) && !(op->aux & MEM_ALIGNED) && op->imm == (int16_t)op->imm;
}

/* What an operation after it is to a window. */
static const uint8_t window_parts[IR_OP_COUNT + 1] = {
    [IR_load] = PART_ACCESS,
    [IR_fload] = PART_ACCESS,
    [IR_vload] = PART_ACCESS,
    [IR_store] = PART_ACCESS,
    [IR_fstore] = PART_ACCESS,
    [IR_vstore] = PART_ACCESS,
    [IR_label] = PART_END,
    [IR_call] = PART_END,
    [IR_rmw] = PART_END,
    [IR_cas] = PART_END,
};

static bool extend_span(Span *span, Span more)
{
    Span both = { MIN(span->low, more.low), MAX(span->high, more.high) };

    if (both.high - both.low > WINDOW_SPAN) {
        return false;
    }
    *span = both;
    return true;
}

/* Looks for more accesses to the same address; gives the last one's index, 0 when there is none. */
static unsigned plan_window(const Gen *g, const IrInsn *op, Span *span)
{
    bool write = is_store(op->op);
    unsigned end = MIN(ir_last_use(g->live, op->a), g->at + WINDOW_REACH), last = 0;

    if (ir_use_count(g->live, op->a) < 2 || end == g->at || !is_sharable(g, op)) {
        return 0;
    }
    *span = span_of(op);
    for (unsigned at = g->at + 1; at <= end; at++) {
        const IrInsn *next = &g->b->ops[at];

        unsigned part = window_parts[next->op];

        if (part == PART_NONE) {
            continue;
        }
        if (part == PART_END) {
            break;
        }
        if (next->a == op->a && is_sharable(g, next) && (write || is_load(next->op)) &&
            extend_span(span, span_of(next))) {
            last = at;
        }
    }
    return last;
}

static Window *find_window(Gen *g, const IrInsn *op)
{
    for (Window *w = g->windows; w < g->windows + WINDOWS; w++) {
        if (w->address == op->a && (w->write || is_load(op->op)) && is_sharable(g, op)) {
            Span span = span_of(op);

            if (span.low >= w->low && span.high <= w->high) {
                return w;
            }
        }
    }
    return NULL;
}

static Window *free_window(Gen *g)
{
    Window *oldest = g->windows;

    for (Window *w = g->windows; w < g->windows + WINDOWS; w++) {
        if (!w->address) {
            return w;
        }
        if (w->last < oldest->last) {
            oldest = w;
        }
    }
    reg_close_window(g, oldest);
    return oldest;
}

static uint8_t open_windows(const Gen *g)
{
    uint8_t regs = 0;

    for (unsigned n = 0; n < WINDOWS; n++) {
        regs |= g->windows[n].address ? 1u << g->windows[n].reg : 0;
    }
    return regs;
}

static void move_data(Gen *g, const Late *l, Rm at)
{
    const Value *value = &l->operand[1];
    unsigned memop = l->key & 0xff;

    if (slow_kind(l->key) == SLOW_LOAD) {
        load_from(g, l->type, memop, l->result, at);
    } else if (value->kind == VALUE_CONST) {
        x_store_imm(&g->code, memop & MEM_SIZE, at, (int32_t)value->constant);
    } else if (class_of(l->type) == VECTOR) {
        store_vector(g, l->type, value->rm.base, at);
    } else {
        store_int(g, memop & MEM_SIZE, value->rm.base, at);
    }
}

/* ---- loads and stores ----------------------------------------------------------------------------- */

static void describe(Gen *g, const IrInsn *op, Access *x, SlowKind kind, unsigned temporary)
{
    x->late->operand[0].rm = rm_mem(x->base, x->disp);
    x->late->key = slow_key(kind, op->aux, 0) | (x->other ? SLOW_OTHER : 0);
    x->late->temporary = temporary;
    x->late->type = op->type;
    x->late->windows = open_windows(g);
}

/* The result's register; whatever has to make room for it does so before the check. */
static void define_result(Gen *g, const IrInsn *op, Access *x)
{
    if (op->dst) {
        reg_unlock(g, GENERAL, x->base);
        x->late->result = reg_define_over(g, op->dst, op->a);
    }
}

/* A store's value where code out of line finds it: in a register, or a small constant. */
static Value settled_value(Gen *g, const IrInsn *op)
{
    if (!op->b) {
        return (Value){ .kind = VALUE_NONE };
    }
    if (rm_is_imm(reg_immediate(g, op->b))) {
        return reg_value(g, op->b);
    }
    return (Value){ .kind = VALUE_AT, .type = op->type, .rm = rm_reg(reg_use(g, op->b)) };
}

/* The window's check passed: it did so for this access, too. */
static void access_in_window(Gen *g, const IrInsn *op, SlowKind kind, const Window *w)
{
    Access x = { .page = w->reg };
    Value value;

    g->locked[GENERAL] |= 1u << x.page;
    value = settled_value(g, op);
    find_address(g, &x, op->a, op->imm);
    x.late = gen_late(g, mem_late_slow);
    x.late->operand[1] = value;
    describe(g, op, &x, kind, x.page);
    x.late->key |= SLOW_FINAL;
    define_result(g, op, &x);
    x_op(&g->code, OP_TEST, true, x.page, rm_reg(x.page));
    x.late->from = x_jump_if(&g->code, COND_E, NULL);
    move_data(g, x.late, data_at(&x));
    x.late->back = g->code.p;
}

/* The first access of a window: one check for the whole span. */
static void access_opening(Gen *g, const IrInsn *op, SlowKind kind, Span span, unsigned last)
{
    bool write = kind == SLOW_STORE;
    Window *w = free_window(g);
    Access x = { .other = false };
    Value value;

    value = settled_value(g, op);
    find_address(g, &x, op->a, op->imm);
    x.page = reg_scratch(g, GENERAL);
    x.tag = reg_scratch(g, GENERAL);
    x.late = gen_late(g, mem_late_slow);
    x.late->operand[1] = value;
    describe(g, op, &x, kind, x.page);
    x.late->windows |= 1u << x.page;
    reg_unlock(g, GENERAL, x.tag);
    define_result(g, op, &x);
    x.late->retry = g->code.p;
    x.late->from = find_page(g, &x, span, 0, write);
    move_data(g, x.late, data_at(&x));
    x.late->back = g->code.p;
    *w = (Window){ op->a, last, x.page, kind == SLOW_STORE, span.low, span.high };
    g->windows_end = MIN(g->windows_end, last);
    reg_keep_window(g, x.page);
}

static void store_general(Gen *g, const IrInsn *op, const Access *x)
{
    unsigned size = op->aux & MEM_SIZE, reg;
    Rm value = reg_immediate(g, op->b);

    if (is_swapped(op->aux)) {
        reg_load(g, x->tag, op->b);
        store_swapped(g, size, x->tag, x->at);
        return;
    }
    if (rm_is_imm(value)) {
        x_store_imm(&g->code, size, x->at, value.disp);
        return;
    }
    reg = reg_find(g, op->b);
    if (reg == NO_REG) {
        reg = x->tag;
        reg_load(g, reg, op->b);
    }
    store_int(g, size, reg, x->at);
}

/* A store's value may come from memory between check and access. */
static void access_alone(Gen *g, const IrInsn *op, SlowKind kind)
{
    unsigned size = 1u << (op->aux & MEM_SIZE);
    bool is_vector = class_of(op->type) == VECTOR;
    unsigned value = op->b && is_vector ? reg_use(g, op->b) : 0;
    Access x = { .other = op->op == IR_loadas || op->op == IR_storeas };

    find_address(g, &x, op->a, op->imm);
    x.page = reg_scratch(g, GENERAL);
    x.tag = reg_scratch(g, GENERAL);
    x.late = gen_late(g, mem_late_slow);
    x.late->operand[1] = reg_value(g, op->b);
    describe(g, op, &x, kind, x.tag);
    reg_unlock(g, GENERAL, x.page);
    reg_unlock(g, GENERAL, x.tag);
    define_result(g, op, &x);
    mem_check(g, &x, size, op->aux & MEM_ALIGNED, kind == SLOW_STORE);
    if (!is_swapped(op->aux)) { /* C can do it as well: one jump less */
        x.late->key |= SLOW_FINAL;
        x.late->retry = NULL;
    }
    if (kind == SLOW_LOAD) {
        load_from(g, op->type, op->aux, x.late->result, x.at);
    } else if (is_vector) {
        store_vector(g, op->type, value, x.at);
    } else {
        store_general(g, op, &x);
    }
    x.late->back = g->code.p;
}

static bool is_in_pin(const Gen *g, unsigned t)
{
    unsigned reg = reg_find(g, t);

    return reg != NO_REG && reg > RDX;
}

/* Needs the value a scratch register? */
static bool value_is_cheap(const Gen *g, unsigned t)
{
    return t == 0 || class_of(gen_type(g, t)) == VECTOR || rm_is_imm(reg_immediate(g, t)) ||
        is_in_pin(g, t);
}

static void access_memory(Gen *g, const IrInsn *op, SlowKind kind)
{
    const Window *w = find_window(g, op);
    unsigned last = 0;
    Span span;

    if (w) {
        access_in_window(g, op, kind, w);
        return;
    }
    /* Opening takes two scratch registers while the value has to be in one. */
    if (value_is_cheap(g, op->b) || is_in_pin(g, op->a)) {
        last = plan_window(g, op, &span);
    }
    if (last) {
        access_opening(g, op, kind, span, last);
    } else {
        access_alone(g, op, kind);
    }
}

void emit_load(Gen *g, const IrInsn *op, unsigned detail)
{
    access_memory(g, op, SLOW_LOAD);
}

/* No windows: what one context may do is not what the other may. */
void emit_load_as(Gen *g, const IrInsn *op, unsigned detail)
{
    access_alone(g, op, SLOW_LOAD);
}

void emit_store_as(Gen *g, const IrInsn *op, unsigned detail)
{
    access_alone(g, op, SLOW_STORE);
}

static void full_fence(Gen *g)
{
    /* Cheaper than mfence, and enough for ordinary memory (Intel manual volume 3, 8.2.2). */
    x_lock(&g->code);
    x_alu_imm(&g->code, ALU_OR, false, rm_mem(RSP, 0), 0);
}

void emit_store(Gen *g, const IrInsn *op, unsigned detail)
{
    access_memory(g, op, SLOW_STORE);
    if ((op->aux & (MEM_ACQUIRE | MEM_RELEASE)) == (MEM_ACQUIRE | MEM_RELEASE)) {
        full_fence(g);
    }
}

void emit_fence(Gen *g, const IrInsn *op, unsigned detail)
{
    if (op->imm & FENCE_WR) { /* all other orders are what x86 does anyway */
        full_fence(g);
    }
}
