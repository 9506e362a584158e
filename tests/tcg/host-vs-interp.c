/*
 * Random blocks through the interpreter as the frontend would ask for them, and folded, with dead
 * operations dropped, through every host: registers, memory, flags, and how and where the block
 * was left must be equal.
 *
 *   build/tests/tcg/host-vs-interp [SEED [BLOCKS]]      prints the block when they differ
 */
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tcg/eval.h"
#include "tcg/fp.h"
#include "tests/tcg/random-block.h"
#include "tests/test.h"

static uint64_t first_seed = 1;
static unsigned block_count = 4000;

/* ---- slow paths over the toy's memory ------------------------------------------------------ */

static Toy *current;

enum { RAISED_ABSENT = 1, RAISED_ALIGN, RAISED_READ_ONLY };

/* Where it is; NULL when the access raised. */
static uint8_t *slow_address(CpuEnv *env, uint64_t address, uint32_t op, bool write)
{
    uint64_t offset = address - TOY_BASE, size = UINT64_C(1) << (op & MEM_SIZE);

    if ((op & MEM_ALIGNED) && (address & (size - 1))) {
        cpu_raise(env, RAISED_ALIGN, address);
        return NULL;
    }
    if (offset >= TOY_PAGES * GUEST_PAGE_SIZE || offset + size > TOY_PAGES * GUEST_PAGE_SIZE) {
        cpu_raise(env, RAISED_ABSENT, address);
        return NULL;
    }
    if (write && offset + size > 3 * GUEST_PAGE_SIZE) {
        cpu_raise(env, RAISED_READ_ONLY, address);
        return NULL;
    }
    return current->memory + offset;
}

static uint64_t order(uint32_t op, uint64_t value)
{
    return op & MEM_BIG ? __builtin_bswap64(value) >> (64 - (8u << (op & MEM_SIZE))) : value;
}

/* No jump cache: every jump leaves. */
const void *jump_refill(CpuEnv *env, uint64_t pc)
{
    return NULL;
}

/* The third page gets into the first level when it is read. */
bool mem_refill(CpuEnv *env, uint64_t address, bool write)
{
    uint64_t page = address & ~(uint64_t)(GUEST_PAGE_SIZE - 1);

    if (write || page != TOY_BASE + 2 * GUEST_PAGE_SIZE) {
        return false;
    }
    env_far(env)->read[page >> GUEST_PAGE_BITS & (TLB_SIZE - 1)] = (TlbEntry){ page,
        (uintptr_t)current->memory - (uintptr_t)TOY_BASE };
    return true;
}

uint64_t mem_load(CpuEnv *env, uint64_t address, uint32_t op)
{
    const uint8_t *at = slow_address(env, address, op, false);
    uint64_t value = 0;

    if (at) {
        memcpy(&value, at, (size_t)1 << (op & MEM_SIZE));
    }
    return ir_eval_load(op, order(op, value));
}

void mem_store(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op)
{
    uint8_t *at = slow_address(env, address, op, true);

    value = order(op, value);
    if (at) {
        memcpy(at, &value, (size_t)1 << (op & MEM_SIZE));
    }
}

/* In the other context the first page gets into the first level, for stores too. */
bool mem_refill_as(CpuEnv *env, uint64_t address, bool write)
{
    uint64_t page = address & ~(uint64_t)(GUEST_PAGE_SIZE - 1);
    TlbEntry *entries = write ? env_far(env)->write : env_far(env)->read;

    if (page != TOY_BASE) {
        return false;
    }
    entries[page >> GUEST_PAGE_BITS & (TLB_SIZE - 1)] = (TlbEntry){ page | env->other_context,
        (uintptr_t)current->memory - (uintptr_t)TOY_BASE };
    return true;
}

uint64_t mem_load_as(CpuEnv *env, uint64_t address, uint32_t op)
{
    return mem_load(env, address, op);
}

void mem_store_as(CpuEnv *env, uint64_t address, uint64_t value, uint32_t op)
{
    mem_store(env, address, value, op);
}

uint64_t mem_rmw(CpuEnv *env, uint64_t address, uint64_t operand, uint32_t op_and_kind)
{
    uint8_t *at = slow_address(env, address, op_and_kind, true);
    uint64_t old;

    if (!at) {
        return 0;
    }
    old = mem_load(env, address, op_and_kind);
    mem_store(env, address, ir_eval_rmw((RmwKind)(op_and_kind >> 8), op_and_kind, old, operand),
        op_and_kind);
    return old;
}

uint64_t mem_cas(CpuEnv *env, uint64_t address, uint64_t expected, uint64_t desired, uint32_t op)
{
    uint8_t *at = slow_address(env, address, op, true);
    uint64_t old;

    if (!at) {
        return 0;
    }
    old = mem_load(env, address, op);
    if (ir_eval_load(op, expected) == old) {
        mem_store(env, address, desired, op);
    }
    return old;
}

void mem_load128(CpuEnv *env, uint64_t address, uint32_t op, void *value)
{
    const uint8_t *at = slow_address(env, address, op, false);

    if (at) {
        memcpy(value, at, 16);
    }
}

void mem_store128(CpuEnv *env, uint64_t address, uint32_t op, const void *value)
{
    uint8_t *at = slow_address(env, address, op, true);

    if (at) {
        memcpy(at, value, 16);
    }
}

/* ---- running a block ----------------------------------------------------------------------- */

enum { CODE_SIZE = 1 << 20 };

typedef struct Runner {
    const Host *host;
    uint8_t *write, *execute; /* two mappings of the same memory */
    size_t thunks;
    Toy toy;
} Runner;

/* How a block was left. */
typedef struct Outcome {
    ExitReason reason;
    uint64_t pc;    /* of the exit, or of the instruction that raised */
    unsigned insns; /* raised: completed before */
    uint32_t cause;
    uint64_t value;
    unsigned flags;
} Outcome;

static bool runner_open(Runner *r, const Host *host)
{
    int fd = memfd_create("code", MFD_CLOEXEC);

    assert_int_equal(ftruncate(fd, CODE_SIZE), 0);
    r->host = host;
    r->write = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    r->execute = mmap(NULL, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    toy_init(&r->toy);
    r->thunks = host->init(r->write, r->execute, CODE_SIZE, toy_gvars, TOY_GVARS);
    if (!r->thunks) {
        print_message("host %s generates no code here\n", host->name);
    }
    return r->thunks != 0;
}

static void runner_close(Runner *r)
{
    munmap(r->write, CODE_SIZE);
    munmap(r->execute, CODE_SIZE);
    toy_clear(&r->toy);
}

static void find_side(const Emitted *out, const uint8_t *code, const CpuEnv *env, Outcome *outcome)
{
    uint32_t host = (uint32_t)((const uint8_t *)env->exit_site - code);

    for (unsigned n = 0; n < out->side_count; n++) {
        if (out->sides[n].host == host) {
            outcome->pc = TOY_PC + out->sides[n].guest;
            outcome->insns = out->sides[n].insns;
            return;
        }
    }
    fail_msg("no side entry for host offset %u", host);
}

static Outcome run(Runner *r, const IrBlock *b, const IrLive *live)
{
    static Emitted out;
    static BlockExit exits[IR_MAX_EXITS];
    size_t at = (r->thunks + 63) & ~(size_t)63;
    CpuEnv *env = &r->toy.cpu->env;
    Outcome outcome = { 0 };

    out.exits = exits;
    out.side_count = 0;
    assert_true(
        r->host->emit(b, live, r->execute, r->write + at, r->execute + at, CODE_SIZE - at, &out));
    current = &r->toy;
    env->raised = 0;
    env->pc = 0;
    toy_flush(&r->toy);
    outcome.reason = r->host->enter(env, r->execute, r->execute + at);
    outcome.pc = env->pc;
    outcome.flags = fp_flags_get(env);
    if (outcome.reason == EXIT_RAISED) {
        find_side(&out, r->execute + at, env, &outcome);
        outcome.cause = env->raised_cause;
        outcome.value = env->raised_value;
    }
    if (outcome.reason == EXIT_CHAIN) {
        assert_ptr_equal(((const BlockExit *)env->exit_site)->block, NULL);
        assert_int_equal(((const BlockExit *)env->exit_site)->pc, env->pc);
    }
    return outcome;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void copy_state(Toy *to, const Toy *from)
{
    const CpuEnv *env = &from->cpu->env;

    memcpy(to->cpu->x, from->cpu->x, sizeof(ToyEnv) - offsetof(ToyEnv, x));
    memcpy(to->memory, from->memory, TOY_PAGES * GUEST_PAGE_SIZE);
    to->cpu->env.fp_round = env->fp_round;
    to->cpu->env.fp_flags = env->fp_flags;
    to->cpu->env.mxcsr = env->mxcsr;
    to->cpu->env.budget = env->budget;
    atomic_store(&to->cpu->env.exit_request, atomic_load(&env->exit_request));
}

static bool same_number(const char *what, uint64_t expected, uint64_t found)
{
    if (expected != found) {
        fprintf(
            stderr, "%s: interpreter 0x%" PRIx64 ", host 0x%" PRIx64 "\n", what, expected, found);
    }
    return expected == found;
}

static bool same_register(const GVar *g, const Toy *expected, const Toy *found)
{
    const uint8_t *e = (const uint8_t *)expected->cpu + g->offset,
                  *f = (const uint8_t *)found->cpu + g->offset;
    size_t size = g->type == V128 ? 16 : ir_type_bits(g->type) / 8;
    uint64_t e_bits = 0, f_bits = 0;

    if (memcmp(e, f, size) == 0) {
        return true;
    }
    memcpy(&e_bits, e, MIN(size, 8));
    memcpy(&f_bits, f, MIN(size, 8));
    if (e_bits == f_bits) {
        memcpy(&e_bits, e + 8, 8);
        memcpy(&f_bits, f + 8, 8);
    }
    fprintf(stderr, "%s: interpreter 0x%" PRIx64 ", host 0x%" PRIx64 "\n", g->name, e_bits, f_bits);
    return false;
}

static bool same_memory(const Toy *expected, const Toy *found)
{
    for (unsigned n = 0; n < TOY_PAGES * GUEST_PAGE_SIZE; n++) {
        if (expected->memory[n] != found->memory[n]) {
            fprintf(stderr, "memory 0x%" PRIx64 ": interpreter %02x, host %02x\n", TOY_BASE + n,
                expected->memory[n], found->memory[n]);
            return false;
        }
    }
    return true;
}

static bool same_result(const Outcome *expected, const Toy *e, const Outcome *found, const Toy *f)
{
    bool same = same_number("reason", expected->reason, found->reason);

    same &= same_number("pc", expected->pc, found->pc);
    same &= same_number("instructions", expected->insns, found->insns);
    same &= same_number("cause", expected->cause, found->cause);
    same &= same_number("value", expected->value, found->value);
    same &= same_number("fp flags", expected->flags, found->flags);
    same &= same_number("budget", (uint64_t)e->cpu->env.budget, (uint64_t)f->cpu->env.budget);
    for (unsigned n = 0; n < TOY_GVARS; n++) {
        same &= same_register(&toy_gvars[n], e, f);
    }
    same &= same_number(
        "scratch", 0, (uint64_t)(memcmp(e->cpu->scratch, f->cpu->scratch, 32) != 0));
    return same_memory(e, f) && same;
}

/* How many blocks ran an operation: to their end, or to an exit behind it. */
static unsigned executed[IR_OP_COUNT + 1];

static void count_executed(const IrBlock *b, const Outcome *outcome)
{
    for (unsigned at = 0; at < b->op_count && outcome->reason != EXIT_RAISED; at++) {
        executed[b->ops[at].op]++;
    }
    for (unsigned n = 0; n < b->const_count; n++) {
        executed[b->ops[IR_CONSTS + n].op]++;
    }
}

static IrBlock raw, built;
static IrLive live;
static Runner oracle, host;
static Toy start;

/* The state to begin with is in `start`. */
static void check_block(const char *what, uint64_t seed)
{
    Outcome expected, found;
    g_autofree char *error = ir_verify(&raw);

    if (error) {
        fail_msg("%s: %s, seed %" PRIu64 ": %s", host.host->name, what, seed, error);
    }
    toy_build(&built, &raw);
    error = ir_verify(&built);
    if (!error) {
        ir_live(&built, &live);
        error = ir_verify(&built);
    }
    copy_state(&oracle.toy, &start);
    copy_state(&host.toy, &start);
    expected = run(&oracle, &raw, &live);
    found = run(&host, &built, &live);
    count_executed(&raw, &expected);
    if (error || !same_result(&expected, &oracle.toy, &found, &host.toy)) {
        fprintf(stderr, "%s\n---- as asked for:\n", error ? error : "");
        ir_print(&raw, stderr);
        fprintf(stderr, "---- folded:\n");
        ir_print(&built, stderr);
        fail_msg("%s: %s, seed %" PRIu64, host.host->name, what, seed);
    }
}

static void random_start(Random *r)
{
    CpuEnv *env = &start.cpu->env;

    random_state(&start, r);
    atomic_store(&env->exit_request, random_below(r, 8) == 0);
    raw.counted = random_below(r, 8) == 0;
    env->budget = random_below(r, 4) ? 1000 : random_below(r, 20);
}

static void check_random_blocks(const Host *h)
{
    if (!runner_open(&host, h)) {
        runner_close(&host);
        skip();
    }
    for (uint64_t seed = first_seed; seed < first_seed + block_count; seed++) {
        Random r = { seed << 32 };

        random_block(&raw, &r, 1 + random_below(&r, 24));
        random_start(&r);
        check_block("random block", seed);
    }
    runner_close(&host);
}

/* Every operation by itself, as often as not with corners. */
static void check_each_operation(const Host *h)
{
    if (!runner_open(&host, h)) {
        runner_close(&host);
        skip();
    }
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        for (unsigned n = 0; n < block_count / 20; n++) {
            Random r = { first_seed << 40 | (uint64_t)op << 20 | n };

            random_block_of(&raw, &r, (IrOp)op);
            random_start(&r);
            check_block(ir_op_names[op], r.state);
        }
    }
    runner_close(&host);
}

/* (1 + e) (1 - e) times the least normal number: rounded up to it, and not tiny any more. */
static const char *const tiny_products[] = {
    "insn 4 0\n t1 = get.f64 f0\n t2 = get.f64 f1\n"
    "t3 = fmul.f64 t1 t2 dyn+first+tiny\n put.f64 t3 f2\n goto 0x80000010\n",
    "insn 4 0\n t1 = get.f32 s0\n t2 = get.f32 s1\n"
    "t3 = fmul.f32 t1 t2 dyn+first+tiny\n put.f32 t3 s0\n goto 0x80000010\n",
    "insn 4 0\n t1 = get.v128 v0\n t2 = get.v128 v1\n"
    "t3 = vfmul.v128 t1 t2 dyn+first+tiny 3\n put.v128 t3 v2\n goto 0x80000010\n",
};

static void check_tiny_before_rounding(const Host *h)
{
    Random r = { 3 };

    if (!runner_open(&host, h)) {
        runner_close(&host);
        skip();
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(tiny_products); n++) {
        random_state(&start, &r);
        fp_round_set(&start.cpu->env, FP_RNE);
        fp_flags_set(&start.cpu->env, 0);
        start.cpu->f[0] = start.cpu->v[0][1] = UINT64_C(0x3ff0000000000001);
        start.cpu->f[1] = start.cpu->v[1][1] = UINT64_C(0x000fffffffffffff);
        start.cpu->v[0][0] = start.cpu->v[1][0] = 0;
        start.cpu->s[0] = 0x3f800001;
        start.cpu->s[1] = 0x007fffff;
        toy_parse(&raw, tiny_products[n]);
        check_block("tininess", n);
        assert_int_equal(fp_flags_get(&host.toy.cpu->env), FP_UNDERFLOW | FP_INEXACT);
    }
    runner_close(&host);
}

/* ---- several accesses to the same base, where pages end -------------------------------------- */

/* An address: in a register of the host or in memory, of 32 bits, computed. */
static void append_bases(GString *text)
{
    g_string_append(text,
        "insn 4 0\n t1 = get.i64 x1\n t2 = get.i64 x9\n t3 = get.i32 w0\n t4 = const.i64 16\n"
        "t5 = get.i64 x2\n t6 = add.i64 t5 t4\n"
        /* values: registers, memory, computed, constants, and of other types */
        "t7 = get.i64 x3\n t8 = get.i64 x10\n t9 = add.i64 t7 t8\n t10 = const.i64 0\n"
        "t11 = const.i64 0x123456789abcdef0\n t12 = get.i32 w1\n t13 = get.i32 w2\n"
        "t14 = trunc32.i32 t7\n t15 = const.i32 0xfffffffe\n"
        "t16 = get.f64 f0\n t17 = get.f64 f3\n t18 = get.v128 v0\n t19 = get.v128 v1\n");
}

/* t is the number of its result, if it has one. */
static void append_access(GString *text, Random *r, unsigned t)
{
    static const char *const stores[] = {
        "store.i64 %s t7 u%u",
        "store.i64 %s t8 u%u",
        "store.i64 %s t9 u%u",
        "store.i64 %s t10 u%u",
        "store.i64 %s t11 u%u",
        "store.i32 %s t12 u%u",
        "store.i32 %s t13 u%u",
        "store.i32 %s t14 u%u",
        "store.i32 %s t15 u%u",
    };
    static const char *const vectors[] = {
        "fstore.f64 %s t16 u64",
        "fstore.f64 %s t17 u64",
        "vstore.v128 %s t18 u128",
        "vstore.v128 %s t19 u128",
    };
    static const char *const bases[] = { "t1", "t1", "t2", "t3", "t6" };
    const char *base = bases[random_below(r, G_N_ELEMENTS(bases))];
    unsigned kind = random_below(r, 8), bits = 8u << random_below(r, 4);
    unsigned which = random_below(r, G_N_ELEMENTS(stores));
    g_autofree char *format = NULL;

    if (kind == 0) {
        format = g_strdup(vectors[random_below(r, G_N_ELEMENTS(vectors))]);
        g_string_append_printf(text, format, base);
    } else if (kind == 1) {
        g_string_append_printf(text,
            random_below(r, 2) ? "t%u = fload.f64 %s u64" : "t%u = vload.v128 %s u128", t, base);
    } else if (kind < 5) {
        bool wide = bits == 64 || random_below(r, 2);

        g_string_append_printf(text, "t%u = load.%s %s %c%u", t, wide ? "i64" : "i32", base,
            random_below(r, 2) ? 's' : 'u', bits);
    } else {
        format = g_strdup(stores[which]);
        g_string_append_printf(text, format, base, which < 5 ? bits : MIN(bits, 32));
    }
    if (kind > 1) {
        g_string_append_printf(
            text, "%s%s", random_below(r, 12) ? "" : "be", random_below(r, 12) ? "" : "+aligned");
    }
    g_string_append_printf(text, " %d\n",
        (int)random_below(r, 48) - (random_below(r, 8) ? 8 : 40000 * (int)random_below(r, 2)));
}

/* Results stay in scratch registers or not: some are put, some are added up. */
static void append_accesses(GString *text, Random *r)
{
    unsigned count = 2 + random_below(r, 10);

    for (unsigned n = 0; n < count; n++) {
        unsigned t = 20 + 2 * n;
        gsize from = text->len;

        g_string_append_printf(text, "insn 4 %u\n ", 4 * (n + 1));
        append_access(text, r, t);
        if (strstr(text->str + from, "= load.i64")) {
            if (random_below(r, 2)) {
                g_string_append_printf(text, "t%u = add.i64 t%u t9\n", t + 1, t);
            }
            g_string_append_printf(text, "put.i64 t%u x%u\n",
                strstr(text->str + from, "add") ? t + 1 : t, 4 + random_below(r, 8));
        } else if (strstr(text->str + from, "= load.i32")) {
            g_string_append_printf(text, "put.i32 t%u w%u\n", t, random_below(r, 4));
        } else if (strstr(text->str + from, "= fload")) {
            g_string_append_printf(text, "put.f64 t%u f%u\n", t, random_below(r, 6));
        } else if (strstr(text->str + from, "= vload")) {
            g_string_append_printf(text, "put.v128 t%u v%u\n", t, random_below(r, 6));
        }
    }
    g_string_append(text, "goto 0x80000100\n");
}

static uint64_t place_near_end(Random *r)
{
    return TOY_BASE + random_below(r, TOY_PAGES) * GUEST_PAGE_SIZE + random_below(r, 96) -
        (random_below(r, 4) ? 0 : 64);
}

static void check_accesses(const Host *h)
{
    if (!runner_open(&host, h)) {
        runner_close(&host);
        skip();
    }
    for (unsigned n = 0; n < block_count; n++) {
        Random r = { first_seed << 32 | n };
        g_autoptr(GString) text = g_string_new("");

        append_bases(text);
        append_accesses(text, &r);
        toy_parse(&raw, text->str);
        random_start(&r);
        start.cpu->x[1] = place_near_end(&r);
        start.cpu->x[9] = place_near_end(&r);
        start.cpu->x[2] = place_near_end(&r);
        start.cpu->w[0] = (uint32_t)place_near_end(&r);
        check_block("accesses", n);
    }
    runner_close(&host);
}

static void every_operation_was_executed(void **state)
{
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        if (executed[op] < 10) {
            fail_msg("'%s' ran in %u blocks", ir_op_names[op], executed[op]);
        }
    }
}

#define EACH_HOST(X)                                                                               \
    X(interp)                                                                                      \
    X(x86_64)

#define TESTS(id)                                                                                  \
    extern const Host id##_host;                                                                   \
    static void every_operation_is_the_same_on_##id(void **state)                                  \
    {                                                                                              \
        check_each_operation(&id##_host);                                                          \
    }                                                                                              \
    static void tininess_is_found_before_rounding_on_##id(void **state)                            \
    {                                                                                              \
        check_tiny_before_rounding(&id##_host);                                                    \
    }                                                                                              \
    static void accesses_near_the_end_of_a_page_are_the_same_on_##id(void **state)                 \
    {                                                                                              \
        check_accesses(&id##_host);                                                                \
    }                                                                                              \
    static void random_blocks_are_the_same_on_##id(void **state)                                   \
    {                                                                                              \
        check_random_blocks(&id##_host);                                                           \
    }
EACH_HOST(TESTS)

extern const Host interp_host;

int main(int argc, char **argv)
{
#define ROWS(id)                                                                                   \
    cmocka_unit_test(every_operation_is_the_same_on_##id),                                         \
        cmocka_unit_test(tininess_is_found_before_rounding_on_##id),                               \
        cmocka_unit_test(accesses_near_the_end_of_a_page_are_the_same_on_##id),                    \
        cmocka_unit_test(random_blocks_are_the_same_on_##id),
    const struct CMUnitTest tests[] = {
        EACH_HOST(ROWS) cmocka_unit_test(every_operation_was_executed),
    };
    int status;

    first_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : first_seed;
    block_count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : block_count;
    runner_open(&oracle, &interp_host);
    toy_init(&start);
    status = cmocka_run_group_tests(tests, NULL, NULL);
    toy_clear(&start);
    runner_close(&oracle);
    return status;
}
