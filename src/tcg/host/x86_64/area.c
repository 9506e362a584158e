/*
 * The thunks: what blocks share. RSP is 16-byte aligned while a block runs, with the host's MXCSR at
 * [rsp + HOST_MXCSR]; nothing in a block pushes.
 */
#include "tcg/host/x86_64/area.h"

#include <glib.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "tcg/fp.h"
#include "tcg/host/x86_64/slow.h"

/* ---- what this machine has ------------------------------------------------------------------------ */

#ifdef __x86_64__
static uint32_t leaf_bits(unsigned leaf, unsigned reg)
{
    uint32_t r[4] = { 0 };

    if (!__get_cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3])) {
        return 0;
    }
    return r[reg];
}

/* The vector state that the operating system saves: XCR0. */
static uint32_t saved_state(void)
{
    uint32_t low, high;

    if (!(leaf_bits(1, 2) & bit_OSXSAVE)) {
        return 0;
    }
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

enum { BIT_LZCNT = 1 << 5 }; /* leaf 0x80000001, ECX */

Features x86_features(void)
{
    uint32_t one = leaf_bits(1, 2), seven = leaf_bits(7, 1), state = saved_state();
    const uint32_t avx512 = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    const char *limit = g_getenv("LATHE_X86_BASELINE");
    uint32_t seven_c = leaf_bits(7, 2);
    bool avx = (one & bit_AVX) && (state & 6) == 6, has512;

    if (limit) {
        return (Features){ .level = strcmp(limit, "avx") == 0 && avx ? VECTOR_AVX : VECTOR_SSE };
    }
    has512 = avx && (seven & avx512) == avx512 && (state & 0xe6) == 0xe6;
    return (Features){
        .level = has512 ? VECTOR_AVX512
            : avx       ? VECTOR_AVX
                        : VECTOR_SSE,
        .bmi1 = avx && seven & bit_BMI,
        .bmi2 = avx && seven & bit_BMI2,
        .fma = avx && one & bit_FMA,
        .lzcnt = leaf_bits(0x80000001, 2) & BIT_LZCNT,
        .movbe = one & bit_MOVBE,
        .aes = one & bit_AES,
        .pclmul = one & bit_PCLMUL,
        .sha = seven & bit_SHA,
        .gfni = has512 && seven_c & bit_GFNI,
        .bitalg = has512 && seven_c & bit_AVX512BITALG,
    };
}

/* x86-64-v2: SSE4.2 and POPCNT. */
static bool is_supported(void)
{
    uint32_t one = leaf_bits(1, 2);

    return (one & bit_SSE4_2) && (one & bit_POPCNT);
}
#else
Features x86_features(void)
{
    return (Features){ 0 };
}

static bool is_supported(void)
{
    return false;
}
#endif

/* ---- pins ------------------------------------------------------------------------------------------- */

static const uint8_t general_pins[] = { RBX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
/* xmm12-15 are scratch; those above 15 need AVX-512. */
static const uint8_t vector_pins[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    31,
};
enum { VECTOR_PINS_SSE = 12 };

typedef struct Maker {
    Code code;
    Area *area;
    const GVar *gvars;
    unsigned gvar_count;
} Maker;

static bool is_vector(const GVar *v)
{
    return v->type >= F32;
}

/* The gvar of the class with the lowest pin above `after`; NULL: no more. */
static const GVar *next_pinned(const Maker *m, bool vector, unsigned after)
{
    const GVar *best = NULL;

    for (const GVar *v = m->gvars; v < m->gvars + m->gvar_count; v++) {
        if (is_vector(v) == vector && v->pin > after && (!best || v->pin < best->pin)) {
            best = v;
        }
    }
    return best;
}

static void assign(Maker *m, bool vector, const uint8_t *pins, unsigned count)
{
    const GVar *v = next_pinned(m, vector, 0);

    for (unsigned n = 0; n < count && v; n++) {
        m->area->pin[v - m->gvars] = pins[n];
        v = next_pinned(m, vector, v->pin);
    }
}

static void assign_pins(Maker *m)
{
    memset(m->area->pin, NO_REG, sizeof(m->area->pin));
    assign(m, false, general_pins, sizeof(general_pins));
    assign(m, true, vector_pins,
        m->area->features.level == VECTOR_AVX512 ? sizeof(vector_pins) : VECTOR_PINS_SSE);
}

/* Loads or stores all pins of the guest. */
static void move_pins(Maker *m, bool store)
{
    static const unsigned opcodes[][2] = {
        [I32] = { OP_MOV, OP_STORE },
        [I64] = { OP_MOV, OP_STORE },
        [F32] = { VOP_MOVSS, VOP_MOVSS_STORE },
        [F64] = { VOP_MOVSD, VOP_MOVSD_STORE },
        [V128] = { VOP_MOVUPS, VOP_MOVUPS_STORE },
    };

    for (unsigned n = 0; n < m->gvar_count; n++) {
        const GVar *v = &m->gvars[n];
        unsigned opcode = opcodes[v->type][store], pin = m->area->pin[n];
        Rm home = rm_mem(RBP, (int)v->offset - ENV_BIAS);

        if (pin == NO_REG) {
            continue;
        }
        if (is_vector(v)) {
            v_op(&m->code, m->area->features.level, opcode, false, pin, NO_REG, home);
        } else {
            x_op(&m->code, opcode, v->type == I64, pin, home);
        }
    }
}

/* ---- thunks ----------------------------------------------------------------------------------------- */

enum {
    HOST_MXCSR = 8,
    FRAME = 24,
};

#define ENV_RM(field) rm_mem(RBP, (int)offsetof(CpuEnv, field) - ENV_BIAS)

static void ldmxcsr(Code *c, Rm rm)
{
    x_op(c, OP_MXCSR, false, MXCSR_LOAD, rm);
}

static void stmxcsr(Code *c, Rm rm)
{
    x_op(c, OP_MXCSR, false, MXCSR_STORE, rm);
}

/* depth: bytes pushed since the block. */
static void to_host_float(Code *c, unsigned depth)
{
    stmxcsr(c, ENV_RM(mxcsr));
    ldmxcsr(c, rm_mem(RSP, HOST_MXCSR + depth));
}

static const uint8_t callee_saved[] = { RBX, RBP, R12, R13, R14, R15 };

static void push_all(Code *c, const uint8_t *regs, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        x_push(c, regs[n]);
    }
}

static void pop_all(Code *c, const uint8_t *regs, unsigned count)
{
    while (count-- > 0) {
        x_pop(c, regs[count]);
    }
}

static void move_rsp(Code *c, int by)
{
    x_op(c, OP_LEA, true, RSP, rm_mem(RSP, by)); /* keeps the flags */
}

static void make_enter(Maker *m)
{
    Code *c = &m->code;

    push_all(c, callee_saved, sizeof(callee_saved));
    move_rsp(c, -FRAME);
    x_op(c, OP_MOV, true, RAX, rm_reg(RSI));
    x_op(c, OP_LEA, true, RBP, rm_mem(RDI, ENV_BIAS));
    stmxcsr(c, rm_mem(RSP, HOST_MXCSR));
    ldmxcsr(c, ENV_RM(mxcsr));
    move_pins(m, false);
    x_jump_rm(c, rm_reg(RAX));
}

/* The guest registers are at home and the MXCSR is the host's. */
static void return_to_host(Code *c)
{
    move_rsp(c, FRAME);
    pop_all(c, callee_saved, sizeof(callee_saved));
    x_bytes(c, "\xc3", 1);
}

static void make_leave(Maker *m)
{
    move_pins(m, true);
    to_host_float(&m->code, 0);
    return_to_host(&m->code);
}

static void leave_with(Maker *m, ExitReason reason)
{
    x_mov_imm(&m->code, RAX, reason);
    x_jump(&m->code, m->area->thunk[THUNK_LEAVE]);
}

static void make_chain(Maker *m)
{
    Code *c = &m->code;

    x_op(c, OP_STORE, true, RAX, ENV_RM(exit_site));
    x_op(c, OP_MOV, true, RAX, rm_mem(RAX, offsetof(BlockExit, pc)));
    x_op(c, OP_STORE, true, RAX, ENV_RM(pc));
    leave_with(m, EXIT_CHAIN);
}

static void make_request(Maker *m)
{
    Code *c = &m->code;

    x_op(c, OP_MOV, true, RAX, rm_mem(RAX, offsetof(BlockExit, pc)));
    x_op(c, OP_STORE, true, RAX, ENV_RM(pc));
    leave_with(m, EXIT_REQUEST);
}

/* Registers that C does not keep. */
static const uint8_t scratch[] = { RAX, RCX, RDX };
static const uint8_t caller_pins[] = { RSI, RDI, R8, R9, R10, R11 };

static void call_c(Code *c, uintptr_t function)
{
    x_op(c, OP_LEA, true, RDI, rm_mem(RBP, -ENV_BIAS));
    x_mov_imm(c, RAX, function);
    x_call_rm(c, rm_reg(RAX));
}

/* In passing, if jump_refill() can. */
static void make_lookup(Maker *m)
{
    Code *c = &m->code;
    uint8_t *found;

    x_op(c, OP_STORE, true, RAX, ENV_RM(pc));
    push_all(c, caller_pins, sizeof(caller_pins));
    x_op(c, OP_MOV, true, RSI, rm_reg(RAX));
    call_c(c, (uintptr_t)jump_refill);
    pop_all(c, caller_pins, sizeof(caller_pins));
    x_op(c, OP_TEST, true, RAX, rm_reg(RAX));
    found = x_jump_if8(c, COND_NE);
    leave_with(m, EXIT_LOOKUP);
    x_here8(c, found);
    x_jump_rm(c, rm_reg(RAX));
}

/* Leaves with EXIT_RAISED if C raised. depth: bytes pushed since the block, its return address first. */
static void leave_if_raised(Maker *m, unsigned depth)
{
    Code *c = &m->code;
    uint8_t *fine;

    x_alu_imm8(c, ALU_CMP, ENV_RM(raised), 0);
    fine = x_jump_if8(c, COND_E);
    x_op(c, OP_MOV, true, RAX, rm_mem(RSP, (int)depth - 8));
    x_op(c, OP_STORE, true, RAX, ENV_RM(exit_site));
    move_rsp(c, (int)depth);
    x_mov_imm(c, RAX, EXIT_RAISED);
    return_to_host(c);
    x_here8(c, fine);
}

/* A register's place in the SlowFrame, which lies 8 bytes above RSP. */
static Rm framed(unsigned reg)
{
    return rm_mem(RSP, (int)(8 + offsetof(SlowFrame, reg[0]) + 8 * reg));
}

static void push_frame(Code *c)
{
    for (unsigned reg = R15; reg > RBP; reg--) {
        x_push(c, reg);
    }
    move_rsp(c, -16); /* RBP, RSP */
    for (unsigned reg = RBX + 1; reg-- > RAX;) {
        x_push(c, reg);
    }
    move_rsp(c, -8);
}

static void load_framed(Code *c, const uint8_t *regs, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        x_op(c, OP_MOV, true, regs[n], framed(regs[n]));
    }
}

static void call_slow(Code *c, uintptr_t function)
{
    x_op(c, OP_LEA, true, RSI, framed(0));
    call_c(c, function);
}

/*
 * See slow.h. Everything is kept but the flags. First the quick way, which touches general registers only; then the
 * full one, with the guest registers at home.
 */
static void make_slow(Maker *m)
{
    enum { PUSHED = 8 + sizeof(SlowFrame) };
    Code *c = &m->code;
    uint8_t *full;
    const uint8_t *done;

    push_frame(c);
    call_slow(c, (uintptr_t)slow_quick);
    x_op(c, OP_TEST, false, RAX, rm_reg(RAX));
    full = x_jump_if8(c, COND_E);
    load_framed(c, caller_pins, sizeof(caller_pins));
    done = code_here(c);
    load_framed(c, scratch, sizeof(scratch));
    move_rsp(c, PUSHED - 8);
    x_bytes(c, "\xc3", 1);
    x_here8(c, full);
    load_framed(c, caller_pins, sizeof(caller_pins));
    move_pins(m, true);
    to_host_float(c, PUSHED);
    call_slow(c, (uintptr_t)slow_access);
    leave_if_raised(m, PUSHED);
    ldmxcsr(c, ENV_RM(mxcsr));
    move_pins(m, false);
    x_jump(c, done);
}

/* Everything is kept but the flags. */
static void make_soft_call(Maker *m, void (*function)(CpuEnv *env))
{
    Code *c = &m->code;

    push_all(c, scratch, sizeof(scratch));
    push_all(c, caller_pins, sizeof(caller_pins));
    call_c(c, (uintptr_t)function);
    pop_all(c, caller_pins, sizeof(caller_pins));
    pop_all(c, scratch, sizeof(scratch));
    x_bytes(c, "\xc3", 1);
}

static void make_soft(Maker *m)
{
    make_soft_call(m, slow_float);
}

static void make_vector(Maker *m)
{
    make_soft_call(m, slow_vector);
}

static void load_arguments(Code *c)
{
    x_op(c, OP_LEA, true, RDI, rm_mem(RBP, -ENV_BIAS));
    x_op(c, OP_MOV, true, RSI, ENV_RM(call[0]));
    x_op(c, OP_MOV, true, RDX, ENV_RM(call[1]));
    x_op(c, OP_MOV, true, RCX, ENV_RM(call[2]));
    x_call_rm(c, rm_reg(RAX));
}

static void make_leaf(Maker *m)
{
    Code *c = &m->code;

    push_all(c, caller_pins, sizeof(caller_pins));
    move_rsp(c, -8);
    load_arguments(c);
    move_rsp(c, 8);
    pop_all(c, caller_pins, sizeof(caller_pins));
    x_bytes(c, "\xc3", 1);
}

static void make_call(Maker *m)
{
    Code *c = &m->code;

    move_rsp(c, -8);
    move_pins(m, true);
    to_host_float(c, 16);
    load_arguments(c);
    x_op(c, OP_STORE, true, RAX, ENV_RM(call[0]));
    leave_if_raised(m, 16);
    ldmxcsr(c, ENV_RM(mxcsr));
    move_pins(m, false);
    x_op(c, OP_MOV, true, RAX, ENV_RM(call[0]));
    move_rsp(c, 8);
    x_bytes(c, "\xc3", 1);
}

/* Makers of the thunks; those that jump to others come after them. */
static void (*const makers[THUNK_COUNT])(Maker *m) = {
    [THUNK_ENTER] = make_enter,
    [THUNK_LEAVE] = make_leave,
    [THUNK_CHAIN] = make_chain,
    [THUNK_REQUEST] = make_request,
    [THUNK_LOOKUP] = make_lookup,
    [THUNK_SLOW] = make_slow,
    [THUNK_SOFT] = make_soft,
    [THUNK_VECTOR] = make_vector,
    [THUNK_LEAF] = make_leaf,
    [THUNK_CALL] = make_call,
};

static void fill_vectors(Area *area)
{
    for (unsigned n = 0; n < 3; n++) {
        for (unsigned at = 0; at < 16; at++) {
            area->low_half[n].b[at] = at >> n & 1 ? 0 : 0xff;
            area->reversed[n].b[at] = (uint8_t)(at ^ ((2u << n) - 1));
        }
    }
    for (unsigned n = 0; n < 2; n++) {
        area->normals32.d[n] = UINT64_C(0x0080000000800000);
        area->normals64.d[n] = UINT64_C(0x0010000000000000);
    }
    for (unsigned n = 0; n < 4; n++) {
        memset(area->sixteens[n].b, (int)n * 16, 16);
    }
    for (unsigned n = 0; n < 4; n++) {
        area->sha1_constants[0].w[n] = 0x5a827999;
        area->sha1_constants[1].w[n] = 0x6ed9eba1;
        area->sha1_constants[2].w[n] = 0x8f1bbcdc;
    }
    memset(area->outside.b, 0x70, 16);
    memset(area->low_nibble.b, 0x0f, 16);
    for (unsigned n = 0; n < 16; n++) {
        area->bits_of_nibble.b[n] = (uint8_t)__builtin_popcount(n);
        area->bit_mirror.b[n] = (uint8_t)(0x01 << n % 8);
    }
}

static void fill_constants(Area *area)
{
    for (unsigned n = 0; n < 2; n++) {
        area->sign64[n] = UINT64_C(1) << 63;
        area->sign32[n] = UINT64_C(0x8000000080000000);
        area->magnitude64[n] = ~area->sign64[n];
        area->magnitude32[n] = ~area->sign32[n];
        area->box[n] = UINT64_C(0xffffffff00000000);
    }
    fill_vectors(area);
    for (unsigned n = 0; n < sizeof(area->flags_of_mxcsr); n++) {
        area->flags_of_mxcsr[n] = fp_flags_of_mxcsr(n);
    }
    area->nan32 = 0x7fc00000;
    area->normal32 = 0x00800000;
    area->normal64 = UINT64_C(0x0010000000000000);
    area->nan64 = UINT64_C(0x7ff8000000000000);
}

static void make_check(Maker *m, unsigned kind, unsigned page, unsigned tag)
{
    Rm context = kind & CHECK_OTHER ? ENV_RM(other_context) : ENV_RM(data_context);
    uint8_t *start = m->area->check[kind][page][tag];
    Code c = { .p = start };

    x_alu_imm(&c, ALU_AND, false, rm_reg(page), CHECK_INDEX_MASK);
    x_alu_imm(&c, ALU_AND, true, rm_reg(tag), -GUEST_PAGE_SIZE);
    g_assert(c.p - 4 - start == CHECK_MASK);
    x_alu(&c, ALU_OR, true, tag, context);
    x_alu(&c, ALU_CMP, true, tag, rm_index(RBP, page, 0, area_tlb_array(kind & CHECK_WRITE)));
    g_assert(x_jump_if(&c, COND_NE, NULL) - start == CHECK_JUMP);
    x_op(&c, OP_MOV, true, page, rm_index(RBP, page, 0, area_tlb_array(kind & CHECK_WRITE) + 8));
    g_assert(c.p - start == CHECK_SIZE);
}

static void make_checks(Maker *m)
{
    for (unsigned page = RAX; page <= RDX; page++) {
        for (unsigned tag = RAX; tag <= RDX; tag++) {
            for (unsigned kind = 0; kind < CHECK_KINDS; kind++) {
                make_check(m, kind, page, tag);
            }
        }
    }
}

size_t area_init(
    uint8_t *write, const uint8_t *execute, size_t room, const GVar *gvars, unsigned gvar_count)
{
    Area *area = (Area *)write;
    Maker m = {
        .code = { .p = write + sizeof(Area), .to_exec = execute - write, .area = execute },
        .area = area,
        .gvars = gvars,
        .gvar_count = gvar_count,
    };

    if (room < AREA_SIZE || !is_supported()) {
        return 0;
    }
    area->features = x86_features();
    fill_constants(area);
    assign_pins(&m);
    make_checks(&m);
    for (unsigned n = 0; n < THUNK_COUNT; n++) {
        area->thunk[n] = code_here(&m.code);
        makers[n](&m);
    }
    g_assert((size_t)(m.code.p - write) <= AREA_SIZE);
    return AREA_SIZE;
}
