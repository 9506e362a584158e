/* Where values are. A forward walk: nothing is planned beyond the operation after the current one. */
#include "tcg/coverage.h"
#include "tcg/host/x86_64/regs.h"

static const uint32_t scratch_regs[] = {
    [GENERAL] = 1u << RAX | 1u << RCX | 1u << RDX,
    [VECTOR] = 0xf000,
};

uint64_t gen_const(const Gen *g, unsigned t)
{
    return g->b->consts[g->b->defined_by[t] - IR_CONSTS];
}

/* Few operations ask. What comes before the first instruction counts as part of it. */
unsigned gen_insn(Gen *g)
{
    const IrBlock *b = g->b;

    if (b->guest_insns && b->insns[b->guest_insns - 1].op <= g->at) {
        return b->guest_insns - 1; /* exits mostly are at the end */
    }
    while (g->insns < b->guest_insns && b->insns[g->insns].op <= g->at) {
        g->insns++;
    }
    return g->insns ? g->insns - 1 : 0;
}

static bool is_wide(const Gen *g, unsigned t)
{
    return gen_type(g, t) == I64;
}

static unsigned pin_of(const Gen *g, unsigned gvar)
{
    return g->area->pin[gvar];
}

/* ---- memory places --------------------------------------------------------------------------------- */

static Rm spill_rm(unsigned slot)
{
    return env_rm(FAR_OFFSET(spill) + (int)slot * 16);
}

static Rm home_rm(const Gen *g, unsigned gvar)
{
    return env_rm((int)g->b->gvars[gvar].offset);
}

static unsigned spill_slot(Gen *g)
{
    return g->free_spill_count ? g->free_spills[--g->free_spill_count] : g->spill_count++;
}

static unsigned move_opcode(IrType type, bool store)
{
    static const uint16_t opcodes[][2] = {
        [I32] = { OP_MOV, OP_STORE },
        [I64] = { OP_MOV, OP_STORE },
        [F32] = { VOP_MOVSS, VOP_MOVSS_STORE },
        [F64] = { VOP_MOVSD, VOP_MOVSD_STORE },
        [V128] = { VOP_MOVUPS, VOP_MOVUPS_STORE },
    };

    return opcodes[type][store];
}

static void move(Gen *g, IrType type, unsigned reg, Rm rm, bool store)
{
    if (class_of(type) == GENERAL) {
        x_op(&g->code, move_opcode(type, store), type == I64, reg, rm);
    } else if (rm.kind == RM_REG) {
        v_op(&g->code, g->level, VOP_MOVAPS, false, reg, NO_REG, rm);
    } else {
        v_op(&g->code, g->level, move_opcode(type, store), false, reg, NO_REG, rm);
    }
}

/* The type by which a spill is stored: upper halves that nobody looks at are kept too. */
static IrType spill_type(IrType type)
{
    return type == I32 ? I64 : type == F32 ? F64 : type;
}

/* ---- gvars ------------------------------------------------------------------------------------------ */

static void link_gvar(Gen *g, unsigned t, unsigned gvar)
{
    Temp *x = &g->temps[t];

    x->places |= IN_GVAR;
    x->gvar = gvar;
    x->next = g->gvar_temp[gvar];
    g->gvar_temp[gvar] = t;
}

static void unlink_gvar(Gen *g, unsigned t)
{
    Temp *x = &g->temps[t];
    uint16_t *at = &g->gvar_temp[x->gvar];

    while (*at != t) {
        at = &g->temps[*at].next;
    }
    *at = x->next;
    x->places &= ~IN_GVAR;
}

/* The register or memory where t is now; it is in one of them. */
static Rm place_rm(const Gen *g, unsigned t)
{
    const Temp *x = &g->temps[t];

    if (x->places & IN_REG) {
        return rm_reg(x->reg);
    }
    if (x->places & IN_GVAR) {
        unsigned pin = pin_of(g, x->gvar);

        return pin == NO_REG ? home_rm(g, x->gvar) : rm_reg(pin);
    }
    g_assert(x->places & IN_SPILL);
    return spill_rm(x->spill);
}

/* ---- scratch registers ------------------------------------------------------------------------------ */

static inline void free_reg(Gen *g, RegClass class, unsigned reg)
{
    g->used[class] &= ~(1u << reg);
}

static void own(Gen *g, unsigned t, unsigned reg)
{
    RegClass class = class_of(gen_type(g, t));

    g->temps[t].places |= IN_REG;
    g->temps[t].reg = reg;
    g->owner[class][reg] = t;
    g->used[class] |= 1u << reg;
    g->locked[class] |= 1u << reg;
}

static RARE void spill(Gen *g, unsigned t, Rm from)
{
    Temp *x = &g->temps[t];
    IrType type = gen_type(g, t);

    x->spill = spill_slot(g);
    x->places |= IN_SPILL;
    move(g, spill_type(type), from.base, spill_rm(x->spill), true);
}

/* ---- windows: scratch registers without an owner --------------------------------------------------- */

void reg_keep_window(Gen *g, unsigned reg)
{
    g->used[GENERAL] |= 1u << reg;
    g->owner[GENERAL][reg] = 0;
    g->window_regs |= 1u << reg;
}

void reg_close_window(Gen *g, Window *window)
{
    if (window->address) {
        window->address = 0;
        g->window_regs &= ~(1u << window->reg);
        free_reg(g, GENERAL, window->reg);
    }
}

void reg_close_windows(Gen *g)
{
    for (unsigned n = 0; n < WINDOWS; n++) {
        reg_close_window(g, &g->windows[n]);
    }
}

static RARE void close_window_in(Gen *g, unsigned reg)
{
    for (unsigned n = 0; n < WINDOWS; n++) {
        if (g->windows[n].address && g->windows[n].reg == reg) {
            reg_close_window(g, &g->windows[n]);
        }
    }
}

/* ---- allocation ------------------------------------------------------------------------------------ */

static RARE void evict(Gen *g, RegClass class, unsigned reg)
{
    unsigned t = g->owner[class][reg];

    if (t == 0) {
        close_window_in(g, reg);
        return;
    }
    if (!(g->temps[t].places & (IN_CONST | IN_GVAR | IN_SPILL))) {
        spill(g, t, rm_reg(reg));
    }
    g->temps[t].places &= ~IN_REG;
    free_reg(g, class, reg);
}

/* The register whose loss costs least: one with a copy elsewhere, else the one used last, else a window. */
static RARE unsigned victim(const Gen *g, RegClass class, uint32_t candidates)
{
    unsigned best = __builtin_ctz(candidates), best_use = 0;

    for (uint32_t left = candidates; left; left &= left - 1) {
        unsigned reg = __builtin_ctz(left);
        unsigned t = g->owner[class][reg];

        if (t && (g->temps[t].places & ~IN_REG)) {
            return reg;
        }
        if (ir_last_use(g->live, t) > best_use) {
            best = reg;
            best_use = ir_last_use(g->live, t);
        }
    }
    return best;
}

static RARE unsigned make_room(Gen *g, RegClass class)
{
    uint32_t candidates = scratch_regs[class] & ~g->locked[class];
    unsigned reg;

    g_assert(candidates);
    reg = victim(g, class, candidates);
    evict(g, class, reg);
    return reg;
}

bool reg_is_scratch(RegClass class, unsigned reg)
{
    return scratch_regs[class] >> reg & 1;
}

unsigned reg_scratch(Gen *g, RegClass class)
{
    uint32_t free = scratch_regs[class] & ~g->locked[class] & ~g->used[class];
    unsigned reg = free ? (unsigned)__builtin_ctz(free) : make_room(g, class);

    g->locked[class] |= 1u << reg;
    return reg;
}

/* To another scratch register, when one is free: memory would be in the way of what waits for the value. */
static RARE bool move_aside(Gen *g, RegClass class, unsigned reg)
{
    unsigned t = g->owner[class][reg], other;
    uint32_t free = scratch_regs[class] & ~g->used[class] & ~g->locked[class];

    if (!t || !free || (g->temps[t].places & (IN_CONST | IN_GVAR | IN_SPILL))) {
        return false;
    }
    other = __builtin_ctz(free);
    move(g, spill_type(gen_type(g, t)), other, rm_reg(reg), false);
    free_reg(g, class, reg);
    own(g, t, other);
    reg_unlock(g, class, other);
    return true;
}

void reg_take(Gen *g, RegClass class, unsigned reg)
{
    g->locked[class] |= 1u << reg;
    if ((g->used[class] >> reg & 1) && !move_aside(g, class, reg)) {
        evict(g, class, reg);
    }
}

void reg_reserve(Gen *g, RegClass class)
{
    reg_unlock(g, class, reg_scratch(g, class));
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* The bytes themselves, behind the code. */
static void late_bytes(Gen *g, const Late *l)
{
    memcpy(g->code.p, &g->b->consts[l->key], 16);
    g->code.p += 16;
}

static RARE void load_vector_const(Gen *g, unsigned reg, unsigned t)
{
    uint32_t at = (uint32_t)g->b->ops[g->b->defined_by[t]].imm;
    uint64_t low = g->b->consts[at], high = g->b->consts[at + 1];
    Late *late;

    if (low == 0 && high == 0) {
        v_op(&g->code, g->level, VOP_XOR, false, reg, reg, rm_reg(reg));
        return;
    }
    late = gen_late(g, late_bytes);
    late->key = at;
    v_op(&g->code, g->level, VOP_MOVUPS, false, reg, NO_REG, rm_area(0));
    late->from = g->code.p - 4; /* the displacement comes last */
}

static APART void load_const(Gen *g, unsigned reg, unsigned t)
{
    IrType type = gen_type(g, t);
    uint64_t value = type == V128 ? 0 : gen_const(g, t);

    if (class_of(type) == GENERAL) {
        if (value == 0) {
            x_alu(&g->code, ALU_XOR, false, reg, rm_reg(reg));
        } else {
            x_mov_imm(&g->code, reg, value);
        }
    } else if (type == V128) {
        load_vector_const(g, reg, t);
    } else if (value == 0) {
        v_op(&g->code, g->level, VOP_XOR, false, reg, reg, rm_reg(reg));
    } else {
        unsigned scratch = reg_scratch(g, GENERAL);

        x_mov_imm(&g->code, scratch, value);
        v_op(&g->code, g->level, VOP_MOVD, type == F64, reg, NO_REG, rm_reg(scratch));
        reg_unlock(g, GENERAL, scratch);
    }
}

void reg_load(Gen *g, unsigned reg, unsigned t)
{
    Temp *x = &g->temps[t];
    IrType type = x->dirty ? I32 : gen_type(g, t);
    Rm from;

    if (!(x->places & (IN_REG | IN_GVAR | IN_SPILL))) {
        load_const(g, reg, t);
        return;
    }
    from = place_rm(g, t);
    if (!rm_is(from, reg) || (x->dirty && is_wide(g, t))) {
        move(g, type, reg, from, false);
    }
}

/* A register of t's own, with a clean upper half, replaces wherever it was. */
static APART unsigned own_copy(Gen *g, unsigned t)
{
    Temp *x = &g->temps[t];
    unsigned reg = x->places & IN_REG ? x->reg : reg_scratch(g, class_of(gen_type(g, t)));

    reg_load(g, reg, t);
    if (x->dirty) {
        if (x->places & IN_GVAR) {
            unlink_gvar(g, t);
        }
        if (x->places & IN_SPILL) {
            g->free_spills[g->free_spill_count++] = x->spill;
        }
        x->places &= IN_CONST;
        x->dirty = false;
    }
    own(g, t, reg);
    return reg;
}

static unsigned lock(Gen *g, RegClass class, unsigned reg)
{
    g->locked[class] |= 1u << reg;
    return reg;
}

unsigned reg_use(Gen *g, unsigned t)
{
    const Temp *x = &g->temps[t];

    if ((x->places & (IN_REG | IN_GVAR)) && !(x->dirty && is_wide(g, t))) {
        Rm rm = place_rm(g, t);

        if (rm.kind == RM_REG) {
            return lock(g, class_of(gen_type(g, t)), rm.base);
        }
    }
    return own_copy(g, t);
}

Rm reg_rm_low(Gen *g, unsigned t)
{
    Rm rm;

    if (!(g->temps[t].places & (IN_REG | IN_GVAR | IN_SPILL))) {
        return rm_reg(own_copy(g, t));
    }
    rm = place_rm(g, t);
    if (rm.kind == RM_REG) {
        lock(g, class_of(gen_type(g, t)), rm.base);
    }
    return rm;
}

Rm reg_rm(Gen *g, unsigned t)
{
    return g->temps[t].dirty && is_wide(g, t) ? rm_reg(own_copy(g, t)) : reg_rm_low(g, t);
}

Rm reg_immediate(const Gen *g, unsigned t)
{
    int64_t value;

    if (!(g->temps[t].places & IN_CONST) || class_of(gen_type(g, t)) == VECTOR) {
        return rm_reg(NO_REG);
    }
    value = (int64_t)gen_const(g, t);
    return is_wide(g, t) && value != (int32_t)value ? rm_reg(NO_REG) : rm_imm((int32_t)value);
}

Rm reg_operand(Gen *g, unsigned t)
{
    Rm constant = reg_immediate(g, t);

    return rm_is_imm(constant) ? constant : reg_rm(g, t);
}

Value reg_value(const Gen *g, unsigned t)
{
    const Temp *x = &g->temps[t];
    IrType type;

    if (t == 0) {
        return (Value){ .kind = VALUE_NONE };
    }
    type = x->dirty ? I32 : gen_type(g, t);
    if (x->places & IN_CONST && type != V128) {
        return (Value){ .kind = VALUE_CONST, .type = type, .constant = gen_const(g, t) };
    }
    return (Value){ .kind = VALUE_AT, .type = type, .rm = place_rm(g, t) };
}

/* ---- writing ---------------------------------------------------------------------------------------- */

/* Loads, and moves from general registers, clear what is above. */
static bool comes_alone(const Gen *g, unsigned t)
{
    unsigned from = g->b->ops[g->b->defined_by[t]].op;

    return from == IR_fload || from == IR_bitsf || from == IR_itof;
}

bool reg_is_alone(const Gen *g, unsigned t)
{
    return g->temps[t].alone || comes_alone(g, t);
}

/*
 * The gvar in a pin that t is put into by the operation after the current one, if by then nobody needs
 * what is there now; -1: none. A zext32 on the way changes nothing: 32-bit results are zero above.
 */
static int put_target(const Gen *g, unsigned t)
{
    unsigned step = g->step;
    const IrInsn *next = gen_next(g, &step);

    if (next && next->op == IR_vfromf && next->a == t && (g->alone || comes_alone(g, t))) {
        t = next->dst;
        next = gen_next(g, &step);
    }
    while (next && next->op == IR_zext32 && next->a == t && ir_use_count(g->live, t) == 1) {
        t = next->dst;
        next = gen_next(g, &step);
    }
    if (!next || next->op != IR_put || next->a != t || pin_of(g, next->imm) == NO_REG) {
        return -1;
    }
    for (unsigned u = g->gvar_temp[next->imm]; u; u = g->temps[u].next) {
        if (gen_lives(g, u)) {
            return -1;
        }
    }
    return next->imm;
}

/* t is defined in the gvar's pin; is the next operation the very put? */
static bool is_put_next(const Gen *g, unsigned t)
{
    unsigned step = g->step;
    const IrInsn *next = gen_next(g, &step);

    return next->op == IR_put && next->a == t;
}

static void clear_gvar(Gen *g, unsigned gvar)
{
    for (unsigned u = g->gvar_temp[gvar]; u; u = g->temps[u].next) {
        g->temps[u].places &= ~IN_GVAR;
    }
    g->gvar_temp[gvar] = 0;
    g->gvar_value[gvar] = 0;
}

static unsigned define_pin(Gen *g, unsigned t, unsigned gvar)
{
    clear_gvar(g, gvar);
    g->temps[t] = (Temp){ .alone = g->alone };
    link_gvar(g, t, gvar);
    if (is_put_next(g, t)) {
        g->gvar_value[gvar] = t;
        g->put_done = true;
    }
    return pin_of(g, gvar);
}

void reg_define_in(Gen *g, unsigned t, unsigned reg)
{
    g->temps[t] = (Temp){ .alone = g->alone };
    own(g, t, reg);
}

unsigned reg_define(Gen *g, unsigned t)
{
    int gvar = put_target(g, t);
    unsigned reg;

    if (gvar >= 0 && !(g->locked[class_of(gen_type(g, t))] >> pin_of(g, gvar) & 1)) {
        return define_pin(g, t, gvar);
    }
    reg = reg_scratch(g, class_of(gen_type(g, t)));
    reg_define_in(g, t, reg);
    return reg;
}

static bool dies_in_own_reg(const Gen *g, unsigned a)
{
    return !gen_lives(g, a) && (g->temps[a].places & IN_REG);
}

/* t takes over the register of a, which dies. */
static unsigned inherit(Gen *g, unsigned t, unsigned a)
{
    unsigned reg = g->temps[a].reg;

    g->temps[a].places &= ~IN_REG;
    reg_define_in(g, t, reg);
    return reg;
}

unsigned reg_define_over(Gen *g, unsigned t, unsigned a)
{
    int gvar = put_target(g, t);
    unsigned reg;

    if (gvar >= 0) {
        return define_pin(g, t, gvar);
    }
    if (a && class_of(gen_type(g, t)) == class_of(gen_type(g, a)) && dies_in_own_reg(g, a)) {
        return inherit(g, t, a);
    }
    reg = reg_scratch(g, class_of(gen_type(g, t)));
    reg_define_in(g, t, reg);
    return reg;
}

unsigned reg_define_from(Gen *g, unsigned t, unsigned a, uint32_t avoid)
{
    int gvar = put_target(g, t);
    bool cleans = g->temps[a].dirty && is_wide(g, a);
    unsigned reg;

    if (gvar >= 0 && !(avoid >> pin_of(g, gvar) & 1)) {
        reg_load(g, pin_of(g, gvar), a);
        return define_pin(g, t, gvar);
    }
    if (dies_in_own_reg(g, a) && !(avoid >> g->temps[a].reg & 1) && !cleans) {
        return inherit(g, t, a);
    }
    reg = reg_scratch(g, class_of(gen_type(g, t)));
    reg_load(g, reg, a);
    reg_define_in(g, t, reg);
    return reg;
}

/* A home of 32 bits: what is above belongs to somebody else. */
static bool is_narrow_home(const Gen *g, const Temp *x)
{
    return (x->places & IN_GVAR) && pin_of(g, x->gvar) == NO_REG &&
        g->b->gvars[x->gvar].type == I32;
}

void reg_define_alias(Gen *g, unsigned t, unsigned a)
{
    const Temp *x = &g->temps[a];
    bool narrow = gen_type(g, t) == I32 || gen_type(g, a) == I32;
    bool dirty = narrow && (x->dirty || is_wide(g, a) || is_narrow_home(g, x));

    if (!(x->places & (IN_REG | IN_GVAR | IN_SPILL))) {
        own_copy(g, a);
    }
    if (x->places & IN_GVAR) {
        g->temps[t] = (Temp){ .dirty = dirty };
        link_gvar(g, t, x->gvar);
    } else if (dies_in_own_reg(g, a)) {
        inherit(g, t, a);
        g->temps[t].dirty = dirty;
    } else {
        IrType type = gen_type(g, t);
        Rm from = reg_rm_low(g, a); /* not to be evicted now */
        unsigned reg = reg_scratch(g, class_of(type));

        move(g, class_of(type) == GENERAL ? I32 : type, reg, from, false);
        reg_define_in(g, t, reg);
    }
}

/* Is it better to start from b than from a? */
static bool starts_better(const Gen *g, unsigned t, unsigned a, unsigned b)
{
    int gvar = put_target(g, t);
    const Temp *x = &g->temps[b];

    if (gvar >= 0) {
        return (x->places & IN_GVAR) && x->gvar == gvar;
    }
    return dies_in_own_reg(g, b) && !dies_in_own_reg(g, a);
}

void reg_order(const Gen *g, const IrInsn *op, unsigned *a, unsigned *b)
{
    bool swap = !(g->temps[op->b].places & IN_CONST) && starts_better(g, op->dst, op->a, op->b);

    *a = swap ? op->b : op->a;
    *b = swap ? op->a : op->b;
}

/* ---- get, put --------------------------------------------------------------------------------------- */

void emit_get(Gen *g, const IrInsn *op, unsigned detail)
{
    g->temps[op->dst] = (Temp){ 0 };
    link_gvar(g, op->dst, op->imm);
}

/* The value may have been put into another gvar since, and be there still: then that is its place. */
static bool moves_to_other(Gen *g, unsigned u, unsigned gvar)
{
    Temp *x = &g->temps[u];
    unsigned other = x->also;

    if (other == gvar || g->gvar_value[other] != u) {
        return false;
    }
    x->dirty = false;
    link_gvar(g, u, other);
    return true;
}

/* It lives: to a place of its own. */
static APART void rescue_one(Gen *g, unsigned u, unsigned gvar)
{
    RegClass class = class_of(gen_type(g, u));
    unsigned reg;

    if (moves_to_other(g, u, gvar)) {
        return;
    }
    reg = reg_scratch(g, class);
    /* As it is: dirty stays dirty. */
    move(g, g->b->gvars[gvar].type, reg, place_rm(g, u), false);
    own(g, u, reg);
    reg_unlock(g, class, reg);
    g->temps[u].places &= ~IN_GVAR; /* at once: a later rescue must not count on it */
}

/* The gvar is about to change: temporaries that are its value and live move to places of their own. */
static void rescue(Gen *g, unsigned gvar, unsigned except)
{
    for (unsigned u = g->gvar_temp[gvar], next; u; u = next) {
        Temp *x = &g->temps[u];

        next = x->next;
        if (u == except || !gen_lives(g, u) || x->places & (IN_CONST | IN_REG | IN_SPILL)) {
            x->places &= ~IN_GVAR;
        } else {
            rescue_one(g, u, gvar);
        }
    }
    g->gvar_temp[gvar] = 0;
}

static APART void store_home(Gen *g, unsigned gvar, unsigned t)
{
    IrType type = g->b->gvars[gvar].type;
    Rm home = home_rm(g, gvar);

    if (class_of(type) == GENERAL) {
        Rm constant = reg_immediate(g, t);

        if (rm_is_imm(constant)) {
            x_store_imm(&g->code, type == I64 ? 3 : 2, home, constant.disp);
            return;
        }
    }
    move(g, type, reg_use(g, t), home, true);
}

/* A value that is put keeps the gvar as its place where that is better than what it has. */
static void adopt_gvar(Gen *g, unsigned t, unsigned gvar)
{
    Temp *x = &g->temps[t];
    bool pinned = pin_of(g, gvar) != NO_REG;

    if (!gen_lives(g, t) || rm_is_imm(reg_immediate(g, t)) || (x->dirty && !pinned)) {
        return;
    }
    if (x->places & IN_GVAR) {
        x->also = gvar;
        if (!pinned || pin_of(g, x->gvar) != NO_REG) {
            return;
        }
        unlink_gvar(g, t);
    }
    if (pinned && (x->places & IN_REG)) {
        free_reg(g, class_of(gen_type(g, t)), x->reg);
        x->places &= ~IN_REG;
    }
    if (x->dirty && (x->places & IN_SPILL)) {
        g->free_spills[g->free_spill_count++] = x->spill;
        x->places &= ~IN_SPILL;
    }
    x->dirty = false;
    link_gvar(g, t, gvar);
}

void emit_put(Gen *g, const IrInsn *op, unsigned detail)
{
    unsigned t = op->a, gvar = op->imm, pin = pin_of(g, gvar);

    if ((g->temps[t].places & IN_GVAR) && g->temps[t].gvar == gvar) {
        if (!g->temps[t].dirty) {
            g->gvar_value[gvar] = t;
            return;
        }
        own_copy(g, t);
    }
    if (g->temps[t].places & (IN_REG | IN_GVAR)) {
        reg_rm_low(g, t); /* keeps its register while others move */
    }
    rescue(g, gvar, t);
    if (pin == NO_REG) {
        store_home(g, gvar, t);
    } else {
        reg_load(g, pin, t);
    }
    adopt_gvar(g, t, gvar);
    g->gvar_value[gvar] = t;
}

/* ---- the end of an operation --------------------------------------------------------------------------- */

static inline void release(Gen *g, unsigned t)
{
    Temp *x = &g->temps[t];
    unsigned places = x->places;

    if (places & IN_REG) {
        free_reg(g, class_of(gen_type(g, t)), x->reg);
        x->places = places & IN_GVAR; /* unlinked when the gvar changes */
    }
    if (places & IN_SPILL) {
        g->free_spills[g->free_spill_count++] = x->spill;
        x->places = places & IN_GVAR;
    }
}

void reg_release_ends(Gen *g, const IrInsn *op)
{
    unsigned ends = g->live->ends[op - g->b->ops];

    if (ends & ENDS_A) {
        release(g, op->a);
    }
    if (ends & ENDS_B) {
        release(g, op->b);
    }
    if (ends & ENDS_C) {
        release(g, op->c);
    }
    if (ends & ENDS_DST) {
        release(g, op->dst);
    }
}

void reg_close_old_windows(Gen *g)
{
    g->windows_end = UINT_MAX;
    for (unsigned n = 0; n < WINDOWS; n++) {
        if (g->windows[n].last <= g->at) {
            reg_close_window(g, &g->windows[n]);
        } else if (g->windows[n].address) {
            g->windows_end = MIN(g->windows_end, g->windows[n].last);
        }
    }
}

void reg_evict(Gen *g, RegClass class)
{
    for (uint32_t left = g->used[class]; left; left &= left - 1) {
        unsigned reg = __builtin_ctz(left);

        if (gen_lives(g, g->owner[class][reg])) {
            evict(g, class, reg);
        }
    }
}

void reg_evict_gvars(Gen *g)
{
    for (unsigned gvar = 0; gvar < g->b->gvar_count; gvar++) {
        for (unsigned u = g->gvar_temp[gvar]; u; u = g->temps[u].next) {
            if (gen_lives(g, u) && !(g->temps[u].places & (IN_CONST | IN_SPILL))) {
                Rm from = place_rm(g, u);

                if (from.kind != RM_REG) {
                    RegClass class = class_of(gen_type(g, u));
                    unsigned reg = reg_scratch(g, class);

                    move(g, g->b->gvars[gvar].type, reg, from, false);
                    reg_unlock(g, class, reg);
                    from = rm_reg(reg);
                }
                spill(g, u, from);
            }
        }
        clear_gvar(g, gvar);
    }
}

/* They cost nothing before they are used. */
static void place_consts(Gen *g)
{
    for (unsigned n = 0; n < g->b->const_count; n++) {
        const IrInsn *op = &g->b->ops[IR_CONSTS + n];

        COVERAGE_REACH("x86_64", op->op, IR_OP_COUNT, ir_op_names, sizeof(*ir_op_names));
        g->temps[op->dst] = (Temp){ .places = IN_CONST };
    }
}

void reg_forget(Gen *g)
{
    place_consts(g);
    memset(g->windows, 0, sizeof(g->windows));
    g->windows_end = UINT_MAX;
    g->window_regs = 0;
    g->used[GENERAL] = g->used[VECTOR] = 0;
    memset(g->gvar_temp, 0, g->b->gvar_count * sizeof(g->gvar_temp[0]));
    memset(g->gvar_value, 0, g->b->gvar_count * sizeof(g->gvar_value[0]));
}
