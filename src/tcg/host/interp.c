/*
 * The interpreter: a host for every machine, and the oracle that the others are checked against.
 *
 * "Code" is a compact copy of the block: operations with offsets and indices resolved, dead ones
 * left out. Guest registers stay at home in CpuEnv, temporaries are an array on the stack.
 */
#include <glib.h>
#include <string.h>

#include "tcg/coverage.h"
#include "tcg/eval.h"
#include "tcg/fp.h"
#include "tcg/host/interp.h"
#include "tcg/vec.h"

/* Where an exit goes once it is linked. */
typedef struct Link {
    const void *code; /* NULL: to the CPU loop */
    uint32_t page_id; /* when guarded: FetchContext.itlb must have it */
    bool guarded;
} Link;

typedef struct InterpCode {
    uint64_t pc;
    uint32_t guest_insns;
    bool counted;
    const uint64_t *consts;
    const Helper *const *helpers;
    const Link *links;
    BlockExit *exits;
    IrInsn ops[]; /* op is a Code */
} InterpCode;

/* What `op` becomes: 2 * IrOp for 32-bit types, one more for 64-bit types, and these. */
enum { CODE_VGET = 2 * IR_OP_COUNT, CODE_VPUT };

typedef union Slot {
    uint64_t u;
    uint8_t v[16];
    IrVec vec;
} Slot;

typedef struct Interp {
    CpuEnv *env;
    const InterpCode *code;
    StoreLog *log; /* NULL: runs for good, and on through links */
    Slot t[IR_MAX_OPS + 1];
} Interp;

/*
 * What comes after an operation; above FLOW_LEAVE: the block is left with ExitReason flow -
 * FLOW_LEAVE.
 */
enum { FLOW_NEXT, FLOW_BRANCH, FLOW_BLOCK, FLOW_ABANDON, FLOW_LEAVE };

/* ---- memory -------------------------------------------------------------------------------- */

/* The host address of size bytes, or NULL when the access needs the slow path. */
EVAL_INLINE void *fast_address_in(
    uint64_t context, const TlbEntry *entries, uint64_t address, unsigned op)
{
    const TlbEntry *entry = &entries[address >> GUEST_PAGE_BITS & (TLB_SIZE - 1)];
    uint64_t page = address & ~(uint64_t)(GUEST_PAGE_SIZE - 1);
    unsigned last = (1u << (op & MEM_SIZE)) - 1;

    if (entry->tag != (page | context)) {
        return NULL;
    }
    if ((address & last) &&
        ((op & MEM_ALIGNED) || (address & (GUEST_PAGE_SIZE - 1)) + last >= GUEST_PAGE_SIZE)) {
        return NULL;
    }
    return (void *)(uintptr_t)(address + entry->addend);
}

EVAL_INLINE void *fast_address(
    const CpuEnv *env, const TlbEntry *entries, uint64_t address, unsigned op)
{
    return fast_address_in(env->data_context, entries, address, op);
}

static uint64_t to_guest_order(unsigned op, uint64_t value)
{
    return op & MEM_BIG ? __builtin_bswap64(value) >> (64 - (8u << (op & MEM_SIZE))) : value;
}

/*
 * Aligned accesses are single-copy atomic. Stronger than asked for is right too: all are acquire,
 * release.
 */
static uint64_t read_host(const void *at, unsigned op)
{
    uint64_t value = 0;

    if ((uintptr_t)at & ((1u << (op & MEM_SIZE)) - 1)) {
        memcpy(&value, at, (size_t)1 << (op & MEM_SIZE));
        return to_guest_order(op, value);
    }
    switch (op & MEM_SIZE) {
    case MEM_8: value = __atomic_load_n((const uint8_t *)at, __ATOMIC_ACQUIRE); break;
    case MEM_16: value = __atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE); break;
    case MEM_32: value = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE); break;
    case MEM_64: value = __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE); break;
    }
    return to_guest_order(op, value);
}

static void write_host(void *at, unsigned op, uint64_t value)
{
    value = to_guest_order(op, value);
    if ((uintptr_t)at & ((1u << (op & MEM_SIZE)) - 1)) {
        memcpy(at, &value, (size_t)1 << (op & MEM_SIZE));
        return;
    }
    switch (op & MEM_SIZE) {
    case MEM_8: __atomic_store_n((uint8_t *)at, (uint8_t)value, __ATOMIC_RELEASE); break;
    case MEM_16: __atomic_store_n((uint16_t *)at, (uint16_t)value, __ATOMIC_RELEASE); break;
    case MEM_32: __atomic_store_n((uint32_t *)at, (uint32_t)value, __ATOMIC_RELEASE); break;
    case MEM_64: __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE); break;
    }
    if ((op & MEM_RELEASE) && (op & MEM_ACQUIRE)) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}

/*
 * One compare-and-swap of an aligned place, in host byte order: true when it was `expected`, else
 * what it is.
 */
static bool swap_host(void *at, unsigned op, uint64_t *expected, uint64_t desired)
{
    switch (op & MEM_SIZE) {
#define CASE(size, type)                                                                           \
    case size: {                                                                                   \
        type e = (type)*expected;                                                                  \
        bool done = __atomic_compare_exchange_n(                                                   \
            (type *)at, &e, (type)desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);             \
        *expected = e;                                                                             \
        return done;                                                                               \
    }
        CASE(MEM_8, uint8_t)
        CASE(MEM_16, uint16_t)
        CASE(MEM_32, uint32_t)
        CASE(MEM_64, uint64_t)
#undef CASE
    }
    g_assert_not_reached();
}

static uint64_t rmw_host(void *at, unsigned op, RmwKind kind, uint64_t operand)
{
    uint64_t raw = to_guest_order(op, read_host(at, op)), old;

    do {
        old = to_guest_order(op, raw);
    } while (!swap_host(at, op, &raw, to_guest_order(op, ir_eval_rmw(kind, op, old, operand))));
    return old;
}

static uint64_t cas_host(void *at, unsigned op, uint64_t expected, uint64_t desired)
{
    uint64_t raw = to_guest_order(op, expected & low_mask(8u << (op & MEM_SIZE)));

    swap_host(at, op, &raw, to_guest_order(op, desired & low_mask(8u << (op & MEM_SIZE))));
    return to_guest_order(op, raw);
}

EVAL_INLINE uint64_t address_of(const Interp *m, const IrInsn *i, int32_t offset)
{
    /* i->c of loads and stores: the address is of 32 bits (set by emit). */
    uint64_t sum = m->t[i->a].u + (uint64_t)(int64_t)offset;

    return i->c ? (uint32_t)sum : sum;
}

/* ---- the store log ------------------------------------------------------------------------- */

static bool is_logging(const Interp *m)
{
    return __builtin_expect(m->log != NULL, false);
}

/* Before a write; false when the log is full. */
static bool log_store(StoreLog *log, void *at, unsigned size)
{
    StoreUndo *undo = &log->undo[log->count];

    if (log->count == STORE_LOG_SIZE) {
        return false;
    }
    log->count++;
    undo->at = at;
    undo->size = (uint8_t)size;
    memcpy(undo->old, at, size);
    return true;
}

void store_log_undo(StoreLog *log)
{
    while (log->count > 0) {
        const StoreUndo *undo = &log->undo[--log->count];

        memcpy(undo->at, undo->old, undo->size);
    }
}

/*
 * Can this operation run on trial? Not when it goes to a slow path, which may reach devices, nor
 * when it calls what may do anything.
 */
static bool is_repeatable(Interp *m, const IrInsn *i, IrOp op)
{
    unsigned effects = ir_op_effects[op];
    bool writes = effects & WRITES_MEM, atomic = op == IR_rmw || op == IR_cas;
    bool other = op == IR_loadas || op == IR_storeas;
    uint64_t address;
    void *at;

    if (op == IR_call) {
        return m->code->helpers[i->imm]->flags & HELPER_LEAF;
    }
    if (!(effects & MAY_FAULT)) {
        return true;
    }
    address = atomic ? m->t[i->a].u : address_of(m, i, i->imm);
    at = fast_address_in(other ? m->env->other_context : m->env->data_context,
        writes ? env_far(m->env)->write : env_far(m->env)->read, address,
        atomic ? i->aux | MEM_ALIGNED : i->aux);
    return at && (!writes || log_store(m->log, at, 1u << (i->aux & MEM_SIZE)));
}

static void load(Interp *m, const IrInsn *i, uint64_t mask)
{
    uint64_t address = address_of(m, i, i->imm);
    const void *at = fast_address(m->env, env_far(m->env)->read, address, i->aux);
    uint64_t value = at ? read_host(at, i->aux) : mem_load(m->env, address, i->aux);

    m->t[i->dst].u = ir_eval_load(i->aux, value) & mask;
}

static void store(Interp *m, const IrInsn *i)
{
    uint64_t address = address_of(m, i, i->imm);
    void *at = fast_address(m->env, env_far(m->env)->write, address, i->aux);

    if (at) {
        write_host(at, i->aux, m->t[i->b].u);
    } else {
        mem_store(m->env, address, m->t[i->b].u, i->aux);
    }
}

static void load_as(Interp *m, const IrInsn *i, uint64_t mask)
{
    uint64_t address = address_of(m, i, i->imm);
    const void *at = fast_address_in(m->env->other_context, env_far(m->env)->read, address, i->aux);
    uint64_t value = at ? read_host(at, i->aux) : mem_load_as(m->env, address, i->aux);

    m->t[i->dst].u = ir_eval_load(i->aux, value) & mask;
}

static void store_as(Interp *m, const IrInsn *i)
{
    uint64_t address = address_of(m, i, i->imm);
    void *at = fast_address_in(m->env->other_context, env_far(m->env)->write, address, i->aux);

    if (at) {
        write_host(at, i->aux, m->t[i->b].u);
    } else {
        mem_store_as(m->env, address, m->t[i->b].u, i->aux);
    }
}

static void load128(Interp *m, const IrInsn *i)
{
    uint64_t address = address_of(m, i, i->imm);
    const void *at = fast_address(m->env, env_far(m->env)->read, address, i->aux);

    if (at) {
        memcpy(m->t[i->dst].v, at, 16);
    } else {
        mem_load128(m->env, address, i->aux, m->t[i->dst].v);
    }
}

static void store128(Interp *m, const IrInsn *i)
{
    uint64_t address = address_of(m, i, i->imm);
    void *at = fast_address(m->env, env_far(m->env)->write, address, i->aux);

    if (at) {
        memcpy(at, m->t[i->b].v, 16);
    } else {
        mem_store128(m->env, address, i->aux, m->t[i->b].v);
    }
}

/* An atomic access that is not aligned goes slow even when it may be unaligned. */
static void *atomic_address(const Interp *m, uint64_t address, unsigned op)
{
    return fast_address(m->env, env_far(m->env)->write, address, op | MEM_ALIGNED);
}

static void rmw(Interp *m, const IrInsn *i, uint64_t mask)
{
    RmwKind kind = (RmwKind)i->imm;
    uint64_t address = m->t[i->a].u;
    void *at = atomic_address(m, address, i->aux);
    uint64_t old = at ? rmw_host(at, i->aux, kind, m->t[i->b].u)
                      : mem_rmw(m->env, address, m->t[i->b].u, i->aux | (uint32_t)kind << 8);

    m->t[i->dst].u = ir_eval_load(i->aux, old) & mask;
}

static void cas(Interp *m, const IrInsn *i, uint64_t mask)
{
    uint64_t address = m->t[i->a].u;
    void *at = atomic_address(m, address, i->aux);
    uint64_t old = at ? cas_host(at, i->aux, m->t[i->b].u, m->t[i->c].u)
                      : mem_cas(m->env, address, m->t[i->b].u, m->t[i->c].u, i->aux);

    m->t[i->dst].u = ir_eval_load(i->aux, old) & mask;
}

/* ---- control ------------------------------------------------------------------------------- */

static int leave(Interp *m, ExitReason reason, uint64_t pc)
{
    m->env->pc = pc;
    return FLOW_LEAVE + (int)reason;
}

static int raised(Interp *m, const IrInsn *i)
{
    m->env->exit_site = i + 1;
    return FLOW_LEAVE + EXIT_RAISED;
}

static bool is_requested(const CpuEnv *env)
{
    return atomic_load_explicit(&env->exit_request, memory_order_relaxed) != 0;
}

static int go_to(Interp *m, const IrInsn *i)
{
    BlockExit *exit = &m->code->exits[i->imm];
    const Link *link = &m->code->links[i->imm];
    const void *target;

    if ((i->aux & GOTO_CHECK) && is_requested(m->env)) {
        return leave(m, EXIT_REQUEST, exit->pc);
    }
    target = __atomic_load_n(&link->code, __ATOMIC_ACQUIRE);
    if (target && !is_logging(m) &&
        (!link->guarded ||
            m->env->fetch->itlb[exit->pc >> GUEST_PAGE_BITS & (ITLB_SIZE - 1)] == link->page_id)) {
        m->code = target;
        return FLOW_BLOCK;
    }
    m->env->exit_site = exit;
    return leave(m, EXIT_CHAIN, exit->pc);
}

static int go_to_if(Interp *m, const IrInsn *i, IrType type)
{
    if (!ir_eval_cond(i->aux & ~GOTO_CHECK, type, m->t[i->a].u, m->t[i->b].u)) {
        return FLOW_NEXT;
    }
    if (m->code->counted) {
        m->env->budget += i->dst; /* the instructions that are not reached */
    }
    return go_to(m, i);
}

static int go_to_value(Interp *m, const IrInsn *i)
{
    uint64_t pc = m->t[i->a].u;
    const JumpEntry *entry = &m->env->fetch->jump[jump_index(pc)];

    if (is_requested(m->env)) {
        return leave(m, EXIT_REQUEST, pc);
    }
    if (entry->pc != pc || is_logging(m)) {
        return leave(m, EXIT_LOOKUP, pc);
    }
    m->code = entry->code;
    return FLOW_BLOCK;
}

static int call(Interp *m, const IrInsn *i, uint64_t mask)
{
    const Helper *helper = m->code->helpers[i->imm];
    uint64_t a = i->a ? m->t[i->a].u : 0, b = i->b ? m->t[i->b].u : 0, c = i->c ? m->t[i->c].u : 0;
    uint64_t result = helper->fn(m->env, a, b, c);

    if ((helper->flags & HELPER_MAY_RAISE) && m->env->raised) {
        return raised(m, i);
    }
    m->t[i->dst].u = result & mask;
    return FLOW_NEXT;
}

/* ---- the state beside the gvars ------------------------------------------------------------ */

static uint64_t load_env(const CpuEnv *env, const IrInsn *i)
{
    uint64_t value = 0;

    memcpy(&value, (const char *)env + i->imm, (size_t)1 << (i->aux & MEM_SIZE));
    return ir_eval_load(i->aux, value);
}

static void store_env(CpuEnv *env, const IrInsn *i, uint64_t value)
{
    memcpy((char *)env + i->imm, &value, (size_t)1 << (i->aux & MEM_SIZE));
}

EVAL_INLINE uint64_t read_gvar(const CpuEnv *env, int32_t offset, bool wide)
{
    const char *home = (const char *)env + offset;

    return wide ? *(const uint64_t *)home : *(const uint32_t *)home;
}

EVAL_INLINE void write_gvar(CpuEnv *env, int32_t offset, bool wide, uint64_t value)
{
    char *home = (char *)env + offset;

    if (wide) {
        *(uint64_t *)home = value;
    } else {
        *(uint32_t *)home = (uint32_t)value;
    }
}

/* ---- execution ----------------------------------------------------------------------------- */

/* i->imm is the vec_key (set by emit). */
static void vector(Interp *m, const IrInsn *i, uint64_t mask)
{
    Slot *d = &m->t[i->dst];

    vec_eval(m->env, &d->vec, &m->t[i->a].vec, &m->t[i->b].vec, &m->t[i->c].vec, (uint32_t)i->imm);
    if (mask != UINT64_MAX) {
        d->u &= mask;
    }
}

/* Compiled once for each operation and width, with op, effects and wide constant. */
EVAL_INLINE int execute(Interp *m, const IrInsn *i, IrOp op, unsigned effects, bool wide)
{
    const IrType type = wide ? I64 : I32;
    const uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;
    Slot *t = m->t;

    if ((effects & (MAY_FAULT | CALLS)) && is_logging(m) && !is_repeatable(m, i, op)) {
        return FLOW_ABANDON;
    }
    switch (op) {
    case IR_const:
    case IR_fconst: t[i->dst].u = m->code->consts[i->imm]; return FLOW_NEXT;
    case IR_vconst: memcpy(t[i->dst].v, &m->code->consts[i->imm], 16); return FLOW_NEXT;
    case IR_get: t[i->dst].u = read_gvar(m->env, i->imm, wide); return FLOW_NEXT;
    case IR_put: write_gvar(m->env, i->imm, wide, t[i->a].u); return FLOW_NEXT;
    case IR_ldenv: t[i->dst].u = load_env(m->env, i) & mask; return FLOW_NEXT;
    case IR_stenv: store_env(m->env, i, t[i->a].u); return FLOW_NEXT;
    case IR_load: load(m, i, mask); break;
    case IR_fload: load(m, i, mask); break;
    case IR_store: store(m, i); break;
    case IR_fstore: store(m, i); break;
    case IR_loadas: load_as(m, i, mask); break;
    case IR_storeas: store_as(m, i); break;
    case IR_vload: load128(m, i); break;
    case IR_vstore: store128(m, i); break;
    case IR_rmw: rmw(m, i, mask); break;
    case IR_cas: cas(m, i, mask); break;
    case IR_fence: __atomic_thread_fence(__ATOMIC_SEQ_CST); return FLOW_NEXT;
    case IR_getflags: t[i->dst].u = fp_flags_get(m->env); return FLOW_NEXT;
    case IR_setflags: fp_flags_set(m->env, (unsigned)t[i->a].u); return FLOW_NEXT;
    case IR_label: return FLOW_NEXT;
    case IR_br: return FLOW_BRANCH;
    case IR_brcond:
        return ir_eval_cond(i->aux, type, t[i->a].u, t[i->b].u) ? FLOW_BRANCH : FLOW_NEXT;
    case IR_goto: return go_to(m, i);
    case IR_gotocond: return go_to_if(m, i, type);
    case IR_gotoval: return go_to_value(m, i);
    case IR_exit: return leave(m, (ExitReason)i->imm, t[i->a].u);
    case IR_call: return call(m, i, mask);
    default:
        if (effects & VEC) {
            vector(m, i, mask);
        } else if (effects & FP) {
            /* i->imm is the fp_key (set by emit) */
            t[i->dst].u = fp_eval(m->env, t[i->a].u, t[i->b].u, t[i->c].u, (uint32_t)i->imm);
        } else {
            t[i->dst].u = ir_eval(op, type, i->aux, i->imm, t[i->a].u, t[i->b].u, t[i->c].u);
        }
        return FLOW_NEXT;
    }
    /* A memory access. */
    return m->env->raised ? raised(m, i) : FLOW_NEXT;
}

/* Runs from the start of m->code to where control leaves it. */
static int run_block(Interp *m)
{
    const IrInsn *i = m->code->ops;

    for (;;) {
        int flow;

        COVERAGE_REACH("interp", i->op / 2, IR_OP_COUNT, ir_op_names, sizeof(*ir_op_names));
        switch (i->op) {
#define OP(name, signature, effects)                                                               \
    case 2 * IR_##name: flow = execute(m, i, IR_##name, effects, false); break;                    \
    case 2 * IR_##name + 1:                                                                        \
        flow = execute(m, i, IR_##name, effects, true);                                            \
        break;
#include "tcg/ops.h"
#undef OP
        case CODE_VGET:
            memcpy(m->t[i->dst].v, (const char *)m->env + i->imm, 16);
            flow = FLOW_NEXT;
            break;
        case CODE_VPUT:
            memcpy((char *)m->env + i->imm, m->t[i->a].v, 16);
            flow = FLOW_NEXT;
            break;
        default: g_assert_not_reached();
        }
        if (flow == FLOW_NEXT) {
            i++;
        } else if (flow == FLOW_BRANCH) {
            i = m->code->ops + i->imm;
        } else {
            return flow;
        }
    }
}

static bool spend_budget(Interp *m)
{
    if (!m->code->counted) {
        return true;
    }
    if (m->env->budget < m->code->guest_insns) {
        return false;
    }
    m->env->budget -= m->code->guest_insns;
    return true;
}

static ExitReason interp_enter(CpuEnv *env, const uint8_t *thunks, const void *code)
{
    Interp m; /* not cleared: every temporary is written before it is read */
    int flow;

    m.env = env;
    m.code = code;
    m.log = NULL;
    m.t[0] = (Slot){ .vec = { .d = { 0, 0 } } }; /* operands that are not there */
    do {
        if (!spend_budget(&m)) {
            env->pc = m.code->pc;
            return EXIT_BUDGET;
        }
        flow = run_block(&m);
    } while (flow == FLOW_BLOCK);
    return (ExitReason)(flow - FLOW_LEAVE);
}

bool interp_try(CpuEnv *env, const void *code, StoreLog *log, ExitReason *reason)
{
    Interp m;
    int flow;

    m.env = env;
    m.code = code;
    m.log = log;
    m.t[0] = (Slot){ .vec = { .d = { 0, 0 } } };
    log->count = 0;
    flow = run_block(&m);
    *reason = (ExitReason)(flow - FLOW_LEAVE);
    return flow >= FLOW_LEAVE;
}

/* ---- emission ------------------------------------------------------------------------------ */

static bool is_wide(const IrInsn *i)
{
    return i->type == I64 || i->type == F64 || i->type == V128;
}

/* Resolves one operation; `done` guest instructions were completed before it. */
static IrInsn resolve(const IrBlock *b, const IrInsn *i, const uint16_t *labels, unsigned done)
{
    IrInsn r = *i;

    r.op = (uint16_t)(2 * i->op + is_wide(i));
    switch (i->op) {
    case IR_get:
    case IR_put:
        r.imm = (int32_t)b->gvars[i->imm].offset;
        if (i->type == V128) {
            r.op = i->op == IR_get ? CODE_VGET : CODE_VPUT;
        }
        break;
    case IR_load:
    case IR_fload:
    case IR_vload:
    case IR_loadas:
    case IR_store:
    case IR_fstore:
    case IR_vstore:
    case IR_storeas: r.c = b->types[i->a] == I32; break;
    case IR_br:
    case IR_brcond: r.imm = labels[i->imm]; break;
    case IR_gotocond: r.dst = (uint16_t)(b->guest_insns - done); break;
    default:
        if (ir_op_effects[i->op] & VEC) {
            r.imm = (int32_t)vec_key((IrOp)i->op, i->aux, i->imm);
        } else if (ir_op_effects[i->op] & FP) {
            r.imm = (int32_t)fp_key(
                (IrOp)i->op, (IrType)i->type, i->aux, i->imm, (IrType)b->types[i->a]);
        }
        break;
    }
    return r;
}

static bool is_copied(const IrInsn *i)
{
    return i->op != IR_OP_COUNT && i->op != IR_label;
}

/* In front of all else; gives how many. */
static unsigned emit_consts(const IrBlock *b, IrInsn *to)
{
    unsigned count = 0;

    for (unsigned n = 0; n < b->const_count; n++) {
        const IrInsn *i = &b->ops[IR_CONSTS + n];

        if (is_copied(i)) {
            to[count++] = resolve(b, i, NULL, 0);
        }
    }
    return count;
}

/* `count` operations are in front. */
static void find_labels(const IrBlock *b, unsigned count, uint16_t *labels)
{

    for (unsigned at = 0; at < b->op_count; at++) {
        if (b->ops[at].op == IR_label) {
            labels[b->ops[at].imm] = (uint16_t)count;
        }
        count += is_copied(&b->ops[at]);
    }
}

static bool needs_side_entry(const IrInsn *i)
{
    return ir_op_effects[i->op] & (MAY_FAULT | CALLS);
}

/* Copies the operations and their side entries; gives how many. */
static unsigned emit_ops(const IrBlock *b, IrInsn *to, Emitted *out)
{
    uint16_t labels[IR_MAX_LABELS];
    unsigned count = emit_consts(b, to), insns = 0;
    SideEntry side = { 0 };

    find_labels(b, count, labels);
    out->side_count = 0;
    for (unsigned at = 0; at < b->op_count; at++) {
        const IrInsn *i = &b->ops[at];

        for (; insns < b->guest_insns && b->insns[insns].op <= at; insns++) {
            const IrMark *mark = &b->insns[insns];
            side = (SideEntry){
                .guest = mark->guest, .insns = (uint8_t)insns, .length = mark->length
            };
        }
        if (!is_copied(i)) {
            continue;
        }
        to[count++] = resolve(b, i, labels, insns);
        if (needs_side_entry(i)) {
            side.host = (uint32_t)(sizeof(InterpCode) + count * sizeof(IrInsn));
            out->sides[out->side_count++] = side;
        }
    }
    return count;
}

static void emit_exits(const IrBlock *b, const uint8_t *start, Link *links, Emitted *out)
{
    for (unsigned n = 0; n < b->exit_count; n++) {
        bool same_page = (b->exits[n].pc ^ b->pc) >> GUEST_PAGE_BITS == 0;

        links[n] = (Link){ .guarded = !same_page };
        out->exits[n] = (BlockExit){
            .pc = b->exits[n].pc,
            .jump = (uint32_t)((uint8_t *)&links[n] - start),
            .guard = same_page ? 0 : (uint32_t)((uint8_t *)&links[n].page_id - start),
        };
    }
}

static size_t worst_size(const IrBlock *b)
{
    return sizeof(InterpCode) + (b->op_count + b->const_count) * sizeof(IrInsn) +
        b->const_count * sizeof(uint64_t) + b->helper_count * sizeof(Helper *) +
        b->exit_count * sizeof(Link);
}

static bool interp_emit(const IrBlock *b, const IrLive *live, const uint8_t *thunks, uint8_t *write,
    const uint8_t *execute, size_t room, Emitted *out)
{
    InterpCode *code = (InterpCode *)write;
    uint64_t *consts;
    const Helper **helpers;
    Link *links;

    if (room < worst_size(b)) {
        return false;
    }
    consts = (uint64_t *)(code->ops + emit_ops(b, code->ops, out));
    helpers = (const Helper **)(consts + b->const_count);
    links = (Link *)(helpers + b->helper_count);
    memcpy(consts, b->consts, b->const_count * sizeof(*consts));
    memcpy(helpers, b->helpers, b->helper_count * sizeof(*helpers));
    emit_exits(b, write, links, out);
    code->pc = b->pc;
    code->guest_insns = b->guest_insns;
    code->counted = b->counted;
    code->consts = (const uint64_t *)(execute + ((uint8_t *)consts - write));
    code->helpers = (const Helper *const *)(execute + ((uint8_t *)helpers - write));
    code->links = (const Link *)(execute + ((uint8_t *)links - write));
    code->exits = out->exits;
    out->size = (uint32_t)((uint8_t *)(links + b->exit_count) - write);
    return true;
}

static size_t interp_init(
    uint8_t *write, const uint8_t *execute, size_t room, const GVar *gvars, unsigned gvar_count)
{
    return 64; /* no thunks; not 0, which would say that it can not run here */
}

static void interp_link(BlockExit *exit, CodeView block, const void *code, uint32_t page_id)
{
    Link *link = (Link *)(block.write + exit->jump);

    if (exit->guard) {
        __atomic_store_n(&link->page_id, page_id, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&link->code, code, __ATOMIC_RELEASE);
}

static void interp_unlink(BlockExit *exit, CodeView block)
{
    __atomic_store_n(&((Link *)(block.write + exit->jump))->code, NULL, __ATOMIC_RELEASE);
}

HOST(interp) = {
    .name = "interp",
    .init = interp_init,
    .emit = interp_emit,
    .enter = interp_enter,
    .link = interp_link,
    .unlink = interp_unlink,
};
