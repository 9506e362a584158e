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

enum { PART_NONE, PART_LOAD, PART_STORE, PART_END }; /* of window_parts */

/* ---- the check ------------------------------------------------------------------------------------ */

bool mem_is_clean_address(const Gen *g, unsigned t)
{
    return gen_type(g, t) == I64 || !g->temps[t].dirty;
}

/* Not in a register, or 32 bits: those wrap, so they are added up before. */
static APART void compute_address(Gen *g, Late *l, unsigned t)
{
    bool wide = gen_type(g, t) == I64;

    l->base = reg_use(g, t);
    if ((!wide && (l->disp || !mem_is_clean_address(g, t))) || l->disp > INT32_MAX - 16) {
        unsigned sum = reg_scratch(g, GENERAL);

        x_op(&g->code, OP_LEA, wide, sum, rm_mem(l->base, l->disp));
        reg_unlock(g, GENERAL, l->base);
        l->base = sum;
        l->disp = 0;
    }
}

/* The guest address as register and displacement. */
static inline void find_address(Gen *g, Late *l, const IrInsn *op)
{
    unsigned reg = reg_find(g, op->a);

    l->disp = op->imm;
    l->base = reg;
    if (reg == NO_REG || gen_type(g, op->a) != I64 || op->imm > INT32_MAX - 16) {
        compute_address(g, l, op->a);
    } else {
        g->locked[GENERAL] |= 1u << reg;
    }
}

/* How long a displacement has to be: 0, 1 or 4 bytes; as the mod field says it. */
static inline unsigned mod_of(int32_t disp)
{
    return disp == 0 ? 0 : disp == (int8_t)disp ? 1 : 2;
}

static inline uint8_t *put_disp(uint8_t *p, unsigned mod, int32_t disp)
{
    put32(p, (uint32_t)disp);
    return p + (mod == 2 ? 4 : mod);
}

/* ModRM and what follows it, of [base + index + disp]; base is one of the scratch registers. */
static inline uint8_t *put_indexed(
    uint8_t *p, unsigned reg, unsigned base, unsigned index, int32_t disp)
{
    unsigned mod = mod_of(disp);

    p[0] = mod << 6 | (reg & 7) << 3 | 4;
    p[1] = (index & 7) << 3 | base;
    return put_disp(p + 2, mod, disp);
}

/* A scratch register = base + disp. */
static inline uint8_t *put_lea(uint8_t *p, bool wide, unsigned reg, unsigned base, int32_t disp)
{
    unsigned low = base & 7, rex = (unsigned)wide << 3 | base >> 3;
    unsigned mod = low == RBP ? MAX(mod_of(disp), 1) : mod_of(disp);

    p[0] = 0x40 | rex;
    p += rex != 0;
    p[0] = OP_LEA;
    p[1] = mod << 6 | reg << 3 | low;
    p[2] = 0x24; /* SIB, if it has to be: no index */
    return put_disp(p + 2 + (low == RSP), mod, disp);
}

/* page = the entry's number, times 16, with more bits above; page is a scratch register. */
static inline uint8_t *put_index(const Gen *g, uint8_t *p, unsigned page, unsigned address)
{
    if (g->area->features.bmi2) {
        /* rorx page, address, INDEX_SHIFT: volume 2, 2.3.5 */
        uint64_t code = UINT64_C(0xc0f07be3c4) | (uint64_t)INDEX_SHIFT << 40;

        code ^= (address >> 3) << 13 | (uint64_t)(page << 3 | (address & 7)) << 32;
        memcpy(p, &code, sizeof(code));
        return p + 6;
    }
    if (page != address) {
        p = put_reg(&g->code, p, OP_MOV, false, page, address);
    }
    p = put_reg(&g->code, p, OP_SHIFT_IMM, false, SHIFT_SHR, page);
    *p = INDEX_SHIFT;
    return p + 1;
}

/*
 * page = the addend, after a jump out of line that the check failed. All but the addresses is a few bytes in a pattern.
 */
static APART void put_check(Gen *g, Late *l, const Access *x, Span span)
{
    unsigned base = l->base, page = x->page, tag = x->tag, address = page;
    uint8_t *p = put_lea(g->code.p, true, tag, base, span.high - 1);

    if (span.low == 0) {
        address = base;
    } else if (span.low == span.high - 1) {
        address = tag;
    } else {
        p = put_lea(p, false, page, base, span.low);
    }
    p = put_index(g, p, page, address);
    memcpy(p, g->area->check[x->kind][page][tag], CHECK_ROOM);
    l->from = p + CHECK_JUMP;
    g->code.p = p + CHECK_SIZE;
}

static Span span_of(const IrInsn *op)
{
    return (Span){ op->imm, op->imm + (1 << (op->aux & MEM_SIZE)) };
}

/* Aligned accesses need only be looked at by their first byte, low bits kept. */
static void check_aligned(Gen *g, Late *l, const Access *x, unsigned memop)
{
    put_check(g, l, x, (Span){ l->disp, l->disp + 1 });
    put32(l->from - CHECK_JUMP + CHECK_MASK,
        (uint32_t)-GUEST_PAGE_SIZE | ((1u << (memop & MEM_SIZE)) - 1));
}

Rm mem_check_aligned(Gen *g, Late *l, const Access *x, unsigned memop)
{
    l->retry = g->code.p;
    check_aligned(g, l, x, memop);
    return rm_index(x->page, l->base, 0, l->disp);
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

static const uint16_t vector_loads[] = {
    [F32] = VOP_MOVSS,
    [F64] = VOP_MOVSD,
    [V128] = VOP_MOVUPS,
};
static const uint16_t vector_stores[] = {
    [F32] = VOP_MOVSS_STORE,
    [F64] = VOP_MOVSD_STORE,
    [V128] = VOP_MOVUPS_STORE,
};

/*
 * An instruction that moves between a general register and memory, as bytes: maybe the prefix of 16 bits, a REX that
 * the registers may add to, the opcode.
 */
typedef struct Move {
    uint8_t opcode[2];
    uint8_t length; /* of the opcode */
    uint8_t rex;
    uint8_t is_16;
    uint8_t is_byte; /* 4: registers that have this bit need a REX */
} Move;

enum { REX_W = 8 };

/* Of integers by size, sign and the result's type. */
static const Move loads[][MEM_SIGNED + MEM_64 + 1] = {
    [I32] = {
        [MEM_8] = { { 0x0f, 0xb6 }, 2 },
        [MEM_16] = { { 0x0f, 0xb7 }, 2 },
        [MEM_32] = { { 0x8b }, 1 },
        [MEM_64] = { { 0x8b }, 1 },
        [MEM_SIGNED | MEM_8] = { { 0x0f, 0xbe }, 2 },
        [MEM_SIGNED | MEM_16] = { { 0x0f, 0xbf }, 2 },
        [MEM_SIGNED | MEM_32] = { { 0x8b }, 1 },
        [MEM_SIGNED | MEM_64] = { { 0x8b }, 1 },
    },
    [I64] = {
        [MEM_8] = { { 0x0f, 0xb6 }, 2 },
        [MEM_16] = { { 0x0f, 0xb7 }, 2 },
        [MEM_32] = { { 0x8b }, 1 },
        [MEM_64] = { { 0x8b }, 1, REX_W },
        [MEM_SIGNED | MEM_8] = { { 0x0f, 0xbe }, 2, REX_W },
        [MEM_SIGNED | MEM_16] = { { 0x0f, 0xbf }, 2, REX_W },
        [MEM_SIGNED | MEM_32] = { { 0x63 }, 1, REX_W },
        [MEM_SIGNED | MEM_64] = { { 0x8b }, 1, REX_W },
    },
};
static const Move stores[] = {
    [MEM_8] = { { 0x88 }, 1, .is_byte = 4 },
    [MEM_16] = { { 0x89 }, 1, .is_16 = 1 },
    [MEM_32] = { { 0x89 }, 1 },
    [MEM_64] = { { 0x89 }, 1, REX_W },
};

/* Between reg and the access, whose host address is page + base + disp. */
static inline uint8_t *put_move(
    uint8_t *p, const Move *move, unsigned reg, unsigned page, const Late *l)
{
    unsigned rex = move->rex | high(reg) << 2 | high(l->base) << 1;

    *p = 0x66;
    p += move->is_16;
    *p = 0x40 | rex;
    p += (rex | (move->is_byte & reg)) != 0;
    memcpy(p, move->opcode, sizeof(move->opcode));
    return put_indexed(p + move->length, reg, page, l->base, l->disp);
}

/* In a register that is free, the page's at last. */
static RARE void move_swapped(Gen *g, const IrInsn *op, const Late *l, const Access *x, Rm at)
{
    unsigned size = op->aux & MEM_SIZE;

    if (slow_kind(l->key) == SLOW_LOAD) {
        mem_load_int(g, op->aux & ~MEM_SIGNED, op->type == I64, l->result, at);
        swap_loaded(g, op->aux, op->type == I64, l->result);
        return;
    }
    reg_load(g, x->tag, op->b);
    x_bswap(&g->code, size == MEM_64, x->tag);
    if (size == MEM_16) {
        x_shift_imm(&g->code, SHIFT_SHR, false, rm_reg(x->tag), 16);
    }
    g->code.p = put_move(g->code.p, &stores[size], x->tag, x->page, l);
}

/* What is not between memory and a general register. */
static RARE void move_other(Gen *g, const IrInsn *op, const Late *l, const Access *x)
{
    Rm at = rm_index(x->page, l->base, 0, l->disp);
    Rm value;

    if (is_swapped(op->aux)) {
        move_swapped(g, op, l, x, at);
    } else if (slow_kind(l->key) == SLOW_LOAD) {
        v_op(&g->code, g->level, vector_loads[op->type], false, l->result, NO_REG, at);
    } else if (class_of(op->type) == VECTOR) {
        v_op(&g->code, g->level, vector_stores[op->type], false, reg_find(g, op->b), NO_REG, at);
    } else {
        value = reg_immediate(g, op->b);
        if (rm_is_imm(value)) {
            x_store_imm(&g->code, op->aux & MEM_SIZE, at, value.disp);
        } else {
            reg_load(g, x->tag, op->b);
            g->code.p = put_move(g->code.p, &stores[op->aux & MEM_SIZE], x->tag, x->page, l);
        }
    }
}

/* The access itself, after the check. */
static APART void move_data(Gen *g, const IrInsn *op, Late *l, const Access *x)
{
    uint8_t *p = g->code.p;

    if (l->value == SLOW_IN_CALL || class_of(op->type) == VECTOR || is_swapped(op->aux)) {
        move_other(g, op, l, x);
        p = g->code.p;
    } else if (slow_kind(l->key) == SLOW_LOAD) {
        p = put_move(p, &loads[op->type][op->aux & (MEM_SIZE | MEM_SIGNED)], l->result, x->page, l);
    } else {
        p = put_move(p, &stores[op->aux & MEM_SIZE], l->value, x->page, l);
    }
    g->code.p = p;
    l->back = p;
}

/* ---- the slow path -------------------------------------------------------------------------------- */

/* Brings to env->call what C does not get from a register; gives the place of a short jump over the SlowSite. */
static RARE uint8_t *put_arguments(Gen *g, const Late *l)
{
    if (l->value == SLOW_IN_CALL) {
        late_argument(g, &l->operand[1], 1, l->temporary);
    }
    if (slow_kind(l->key) == SLOW_CAS) {
        late_argument(g, &l->operand[2], 2, l->temporary);
    }
    x_bytes(&g->code, "\xeb", 2);
    return g->code.p - 1;
}

/* What C did may have changed the memory map: windows look again. xor of a register is two bytes. */
static inline uint8_t *forget_windows(uint8_t *p, unsigned windows)
{
#define ZERO(reg) (UINT64_C(0xc033) | (reg) << 11 | (reg) << 8)
    static const uint64_t zero[] = {
        [1 << RAX] = ZERO(RAX),
        [1 << RCX] = ZERO(RCX),
        [1 << RDX] = ZERO(RDX),
        [1 << RAX | 1 << RCX] = ZERO(RAX) | ZERO(RCX) << 16,
        [1 << RAX | 1 << RDX] = ZERO(RAX) | ZERO(RDX) << 16,
        [1 << RCX | 1 << RDX] = ZERO(RCX) | ZERO(RDX) << 16,
    };
    _Static_assert(WINDOWS == 2, "no more are open");
#undef ZERO

    memcpy(p, &zero[windows], sizeof(zero[0]));
    return p + (windows ? windows & (windows - 1) ? 4 : 2 : 0);
}

/*
 * The result comes from memory, not from C by way of the register's place in the frame: processors take what is
 * popped for what was pushed, and begin again when it is not.
 */
static inline uint8_t *load_result(Gen *g, uint8_t *p, const Late *l)
{
    enum { DISP = (int)offsetof(CpuEnv, call) - ENV_BIAS };
    _Static_assert(DISP == (int8_t)DISP, "one byte");

    if (class_of(l->type) == VECTOR) {
        g->code.p = p;
        v_op(&g->code, g->level, vector_loads[l->type], false, l->result, NO_REG, ENV(call[0]));
        return g->code.p;
    }
    p[0] = 0x40 | (l->type == I64) << 3 | high(l->result) << 2;
    p += p[0] != 0x40;
    p[0] = OP_MOV;
    p[1] = 1 << 6 | (l->result & 7) << 3 | RBP;
    p[2] = (uint8_t)DISP;
    return p + 3;
}

/* Comes by way of emit_late(), which has let the jump lead to the SlowSite. */
void mem_late_slow(Gen *g, const Late *l)
{
    uint64_t site = slow_site(l->key, l->base, l->value, l->disp);
    uint8_t *over = NULL, *p;

    if (l->value == SLOW_IN_CALL || slow_kind(l->key) == SLOW_CAS) {
        over = put_arguments(g, l);
    }
    p = g->code.p;
    if (l->retry) {
        site |= (uint64_t)SLOW_RETRY << 32;
        p = put_word32(p, (uint32_t)(l->retry - (p + 4 + sizeof(SlowSite) + SLOW_CALL)));
    }
    memcpy(p, &site, sizeof(site));
    p += sizeof(SlowSite);
    if (over) {
        *over = p - (over + 1);
    } else {
        put32(l->from, p - (l->from + 4));
    }
    p = put_call(&g->code, p, g->area->thunk[THUNK_SLOW]);
    gen_side(g, l->insn, p);
    p = forget_windows(p, l->windows);
    if (l->result != NO_REG) {
        p = load_result(g, p, l);
    }
    *p = 0xe9; /* back: no address of execution takes part */
    put32(p + 1, l->back - (p + 5));
    g->code.p = p + 5;
}

/* ---- windows -------------------------------------------------------------------------------------- */

/* Accesses whose check can be shared. */
static inline bool is_sharable(const Gen *g, const IrInsn *op)
{
    return gen_type(g, op->a) == I64 && !is_swapped(op->aux) && !(op->aux & MEM_ALIGNED) &&
        op->imm == (int16_t)op->imm;
}

/* What an operation after it is to a window. */
static const uint8_t window_parts[IR_OP_COUNT + 1] = {
    [IR_load] = PART_LOAD,
    [IR_fload] = PART_LOAD,
    [IR_vload] = PART_LOAD,
    [IR_store] = PART_STORE,
    [IR_fstore] = PART_STORE,
    [IR_vstore] = PART_STORE,
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
static unsigned plan_window(const Gen *g, const IrInsn *op, bool write, Span *span)
{
    const IrBlock *b = g->b;
    unsigned end = MIN(ir_last_use(g->live, op->a), g->at + WINDOW_REACH), last = 0;

    for (unsigned n = g->observer + 1; n < b->observer_count && b->observers[n].op <= end; n++) {
        const IrInsn *next = &b->ops[b->observers[n].op];
        unsigned part = window_parts[next->op];

        if (part == PART_END) {
            break;
        }
        if (next->a == op->a && part != PART_NONE && (write || part == PART_LOAD) &&
            is_sharable(g, next) && extend_span(span, span_of(next))) {
            last = b->observers[n].op;
        }
    }
    return last;
}

static inline const Window *find_window(const Gen *g, const IrInsn *op, bool write)
{
    for (const Window *w = g->windows; w < g->windows + WINDOWS; w++) {
        if (w->address == op->a && w->write >= write) {
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

/* ---- loads and stores ----------------------------------------------------------------------------- */

/* The guest instruction. Blocks that were not built have no observers. */
static inline unsigned insn_of_access(Gen *g)
{
    const IrBlock *b = g->b;
    unsigned n = g->observer;

    while (n < b->observer_count && b->observers[n].op < g->at) {
        n++;
    }
    g->observer = n;
    return n < b->observer_count && b->observers[n].op == g->at ? b->observers[n].insn
                                                                : gen_insn(g);
}

static inline Late *begin_access(Gen *g, const IrInsn *op, SlowKind kind)
{
    Late *l = gen_late_empty(g);

    l->emit = mem_late_slow;
    l->insn = (uint8_t)insn_of_access(g);
    l->key = slow_key(kind, op->aux, 0);
    l->type = op->type;
    l->result = NO_REG;
    l->value = 0;
    l->retry = NULL;
    return l;
}

static bool is_store(const Late *l)
{
    return slow_kind(l->key) == SLOW_STORE;
}

/* The result's register; whatever has to make room for it does so before the check. */
static inline void define_result(Gen *g, const IrInsn *op, Late *l)
{
    if (op->dst) {
        reg_unlock(g, GENERAL, l->base);
        l->result = reg_define_over(g, op->dst, op->a);
    }
}

/* Not just in a general register. */
static APART void settle_other(Gen *g, const IrInsn *op, Late *l)
{
    bool is_imm = rm_is_imm(reg_immediate(g, op->b));

    if (is_imm || class_of(op->type) == VECTOR) {
        l->value = SLOW_IN_CALL;
        l->operand[1] = is_imm ? reg_value(g, op->b)
                               : (Value){ VALUE_AT, op->type, .rm = rm_reg(reg_use(g, op->b)) };
    } else {
        l->value = reg_use(g, op->b);
    }
}

/* A store's value where code out of line finds it: in a register, or a small constant. */
static inline void settle_value(Gen *g, const IrInsn *op, Late *l)
{
    unsigned reg = reg_find(g, op->b);

    l->value = reg;
    if (reg == NO_REG || class_of(op->type) == VECTOR || g->temps[op->b].places & IN_CONST) {
        settle_other(g, op, l);
    } else {
        g->locked[GENERAL] |= 1u << reg;
    }
}

/* The window's check passed: it did so for this access, too. */
static void access_in_window(Gen *g, const IrInsn *op, Late *l, const Window *w)
{
    Access x = { .page = w->reg };
    uint8_t *p;

    g->locked[GENERAL] |= 1u << x.page;
    if (is_store(l)) {
        settle_value(g, op, l);
    }
    find_address(g, l, op);
    l->windows = g->window_regs;
    if (l->value == SLOW_IN_CALL) {
        l->temporary = x.page;
    } else {
        l->windows &= ~(1u << x.page); /* shut, else it would not come there */
    }
    define_result(g, op, l);
    p = put_reg(&g->code, g->code.p, OP_TEST, true, x.page, x.page);
    p[0] = 0x0f;
    p[1] = 0x80 | COND_E;
    l->from = p + 2;
    g->code.p = p + 6;
    move_data(g, op, l, &x);
}

/* The first access of a window: one check for the whole span. */
static void access_opening(Gen *g, const IrInsn *op, Late *l, Span span, unsigned last)
{
    Window *w = free_window(g);
    Access x = { .kind = is_store(l) ? CHECK_WRITE : 0 };

    if (is_store(l)) {
        settle_value(g, op, l);
    }
    find_address(g, l, op);
    x.page = reg_scratch(g, GENERAL);
    x.tag = reg_scratch(g, GENERAL);
    l->temporary = x.page;
    l->windows = g->window_regs | 1u << x.page;
    reg_unlock(g, GENERAL, x.tag);
    define_result(g, op, l);
    l->retry = g->code.p;
    put_check(g, l, &x, span);
    move_data(g, op, l, &x);
    *w = (Window){ op->a, last, x.page, is_store(l), span.low, span.high };
    g->windows_end = MIN(g->windows_end, last);
    reg_keep_window(g, x.page);
}

/* A store's value that may come from memory between check and access. */
static inline void find_value(Gen *g, const IrInsn *op, Late *l)
{
    unsigned reg = reg_find(g, op->b);

    l->value = reg;
    if (reg == NO_REG || class_of(op->type) == VECTOR || is_swapped(op->aux)) {
        l->value = SLOW_IN_CALL;
        l->operand[1] = reg_value(g, op->b);
    }
}

static void access_alone(Gen *g, const IrInsn *op, Late *l)
{
    Access x = { .kind = is_store(l) ? CHECK_WRITE : 0 };

    if (op->op == IR_loadas || op->op == IR_storeas) {
        x.kind |= CHECK_OTHER;
        l->key |= SLOW_OTHER;
    }
    if (op->b && class_of(op->type) == VECTOR) {
        reg_use(g, op->b);
    }
    find_address(g, l, op);
    x.page = reg_scratch(g, GENERAL);
    x.tag = reg_scratch(g, GENERAL);
    if (is_store(l)) {
        find_value(g, op, l);
    }
    l->temporary = x.tag;
    l->windows = g->window_regs;
    reg_unlock(g, GENERAL, x.page);
    reg_unlock(g, GENERAL, x.tag);
    define_result(g, op, l);
    if (is_swapped(op->aux)) { /* C can do all others as well: one jump less */
        l->retry = g->code.p;
    }
    if (op->aux & MEM_ALIGNED) {
        check_aligned(g, l, &x, op->aux);
    } else {
        put_check(g, l, &x, (Span){ l->disp, l->disp + (1 << (op->aux & MEM_SIZE)) });
    }
    move_data(g, op, l, &x);
}

static bool is_in_pin(const Gen *g, unsigned t)
{
    unsigned reg = reg_find(g, t);

    return reg != NO_REG && reg > RDX;
}

/* Needs the value a scratch register? */
static bool value_is_cheap(const Gen *g, unsigned t)
{
    return class_of(gen_type(g, t)) == VECTOR || is_in_pin(g, t) || rm_is_imm(reg_immediate(g, t));
}

static void access_memory(Gen *g, const IrInsn *op, SlowKind kind)
{
    Late *l = begin_access(g, op, kind);
    bool write = kind == SLOW_STORE;

    if (is_sharable(g, op)) {
        const Window *w = find_window(g, op, write);
        Span span = span_of(op);
        unsigned last = 0;

        if (w) {
            access_in_window(g, op, l, w);
            return;
        }
        /* Opening takes two scratch registers while the value has to be in one. */
        if (ir_use_count(g->live, op->a) >= 2 && gen_lives(g, op->a) &&
            (!write || value_is_cheap(g, op->b) || is_in_pin(g, op->a))) {
            last = plan_window(g, op, write, &span);
        }
        if (last) {
            access_opening(g, op, l, span, last);
            return;
        }
    }
    access_alone(g, op, l);
}

void emit_load(Gen *g, const IrInsn *op, unsigned detail)
{
    access_memory(g, op, SLOW_LOAD);
}

/* No windows: what one context may do is not what the other may. */
void emit_load_as(Gen *g, const IrInsn *op, unsigned detail)
{
    access_alone(g, op, begin_access(g, op, SLOW_LOAD));
}

void emit_store_as(Gen *g, const IrInsn *op, unsigned detail)
{
    access_alone(g, op, begin_access(g, op, SLOW_STORE));
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
