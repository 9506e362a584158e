#include <glib.h>
#include <string.h>

#include "tcg/eval.h"
#include "tcg/fp.h"
#include "tcg/ir-impl.h"
#include "tcg/text.h"
#include "tests/tcg/random-block.h"

enum { POOL = 24 };             /* temporaries of each type to choose from: the latest */

typedef struct Generator {
    IrBlock  *b;
    Random   *r;
    uint16_t  pool[IR_TYPE_COUNT][POOL];
    unsigned  made[IR_TYPE_COUNT];
    uint16_t  last_address;     /* accesses like to share one: hosts check it once */
    unsigned  open_label;       /* number + 1 of a label that is branched to, not placed yet */
} Generator;

static unsigned below(Generator *g, unsigned limit)
{
    return random_below(g->r, limit);
}

static uint16_t append(Generator *g, IrInsn i)
{
    IrBlock *b = g->b;

    if (ir_result_letter((IrOp)i.op) && !(i.op == IR_call && i.aux)) {
        IrType type = ir_is_comparison(i.op) ? I32 : (IrType)i.type;

        i.dst = (uint16_t)++b->temp_count;
        b->types[i.dst] = type;
        b->defined_by[i.dst] = (uint16_t)b->op_count;
        g->pool[type][g->made[type]++ % POOL] = i.dst;
    }
    i.aux = i.op == IR_call ? 0 : i.aux;
    b->ops[b->op_count++] = i;
    return i.dst;
}

/* ---- operands ------------------------------------------------------------------------------ */

static const struct { uint8_t first, count; } registers[IR_TYPE_COUNT] = {
    [I32] = { TOY_W0, TOY_W },
    [I64] = { TOY_X0, TOY_X },
    [F32] = { TOY_S0, TOY_S },
    [F64] = { TOY_F0, TOY_F },
    [V128] = { TOY_V0, TOY_V },
};

static int32_t any_register(Generator *g, IrType type)
{
    return registers[type].first + (int32_t)below(g, registers[type].count);
}

static uint16_t define_const(Generator *g, IrType type, uint64_t low, uint64_t high)
{
    unsigned dst = ++g->b->temp_count;

    ir_define_const(g->b, type, dst, low, high);
    g->pool[type][g->made[type]++ % POOL] = (uint16_t)dst;
    return (uint16_t)dst;
}

static uint64_t half_of_vector(Generator *g)
{
    return below(g, 4) ? random_value(g->r, I64) : below(g, 2) ? 0 : UINT64_MAX;
}

static uint16_t make_const(Generator *g, IrType type)
{
    uint64_t low = type == V128 ? half_of_vector(g) : random_value(g->r, type);

    return define_const(g, type, low, type == V128 ? half_of_vector(g) : 0);
}

static uint16_t value_of(Generator *g, IrType type)
{
    unsigned what = below(g, 10);

    if (g->made[type] && what < 6) {
        return g->pool[type][below(g, MIN(g->made[type], POOL))];
    }
    if (what == 9) {
        return make_const(g, type);
    }
    return append(g, (IrInsn){ .op = IR_get, .type = type, .imm = any_register(g, type) });
}

static IrType any_integer(Generator *g)
{
    return below(g, 3) ? I64 : I32;
}

static IrType any_float(Generator *g)
{
    return below(g, 2) ? F64 : F32;
}

/* An address that lies in toy memory, most often. */
static uint16_t new_address(Generator *g)
{
    uint16_t x = value_of(g, I64);
    unsigned bits = below(g, 8) ? 12 + below(g, 3) : 15;
    uint16_t offset = append(
        g, (IrInsn){ .op = IR_ext, .type = I64, .a = x, .imm = (int32_t)(bits << 8) });

    if (below(g, 3)) {
        uint16_t mask = define_const(g, I64, (uint64_t)-8, 0);

        offset = append(g, (IrInsn){ .op = IR_and, .type = I64, .a = offset, .b = mask });
    }
    return append(
        g, (IrInsn){ .op = IR_add, .type = I64, .a = offset, .b = define_const(g, I64, TOY_BASE, 0) });
}

static uint16_t address(Generator *g)
{
    if (!g->last_address || below(g, 5) == 0) {
        g->last_address = new_address(g);
    }
    return g->last_address;
}

/* Guests' code is aligned: an odd pc marks an empty entry of the jump cache. */
static uint16_t code_address(Generator *g)
{
    uint16_t x = value_of(g, I64), mask = define_const(g, I64, (uint64_t)-2, 0);

    return append(g, (IrInsn){ .op = IR_and, .type = I64, .a = x, .b = mask });
}

static uint16_t operand(Generator *g, const IrInsn *i, unsigned n)
{
    if (i->op == IR_gotoval) {
        return code_address(g);
    }
    switch (ir_operand_letter((IrOp)i->op, n)) {
    case 'a': return address(g);
    case 'v': return value_of(g, V128);
    case 'j': return value_of(g, i->op == IR_zext32 ? I32 : i->op == IR_trunc32 ? I64 :
        i->op == IR_bitsf ? (i->type == F32 ? I32 : I64) : any_integer(g));
    case 'g':
        return value_of(g,
            i->op == IR_fcvt         ? (i->type == F32 ? F64 : F32)
                : i->op == IR_fbox   ? F32
                : i->op == IR_funbox ? F64
                : i->op == IR_fbits  ? (i->type == I32 ? F32 : F64)
                                     : any_float(g));
    case '*': return value_of(g, i->op == IR_call ? I64 : (IrType)i->type);
    default:  return value_of(g, (IrType)i->type);
    }
}

/* ---- fields -------------------------------------------------------------------------------- */

static IrType type_for(Generator *g, IrOp op)
{
    char result = ir_result_letter(op), first = ir_operand_count(op) ? ir_operand_letter(op, 0) : 0;

    switch (op) {
    case IR_zext32: case IR_call: case IR_gotoval: return I64;
    case IR_trunc32: case IR_getflags: case IR_setflags: return I32;
    case IR_fbox:                     return F64;
    case IR_funbox:                   return F32;
    case IR_bitsf:                    return any_float(g);
    case IR_fcmp: case IR_forder: case IR_fstore:     return any_float(g);
    case IR_vload: case IR_vstore:    return V128;
    case IR_vtof:                     return any_float(g);
    case IR_htof:                     return any_float(g);
    case IR_ftoh:                     return I32;
    case IR_get: case IR_put:         return (IrType)below(g, IR_TYPE_COUNT);
    default: return result == 'v' ? V128 : result == 'f' || first == 'f' ? any_float(g) : any_integer(g);
    }
}

static int32_t field(Generator *g, const IrInsn *i)
{
    unsigned width = ir_type_bits((IrType)i->type), length = 1 + below(g, width);
    unsigned lsb = below(g, width - length + 1);

    if (below(g, 2)) {
        length = 8u << below(g, width == 64 ? 3 : 2);
        lsb = below(g, 4) ? 0 : below(g, width - length + 1);
    }
    return (int32_t)(lsb | length << 8);
}

static uint8_t memop(Generator *g, const IrInsn *i)
{
    bool real = i->op == IR_fload || i->op == IR_fstore,
         atomic = i->op == IR_rmw || i->op == IR_cas;
    unsigned sizes = i->type == I32 || i->type == F32 ? 3 : 4;
    unsigned op = i->type == V128 ? MEM_128
        : real                    ? sizes - 1
        : atomic                  ? sizes - 1 - below(g, 2)
                                  : below(g, sizes);

    op |= below(g, 2) && !real && i->type != V128 ? MEM_SIGNED : 0;
    op |= below(g, 8) == 0 && i->type != V128 && !real ? MEM_BIG : 0;
    op |= below(g, 4) == 0 || atomic ? MEM_ALIGNED : 0;
    op |= below(g, 6) == 0 ? MEM_ACQUIRE : 0;
    op |= below(g, 6) == 0 ? MEM_RELEASE : 0;
    return (uint8_t)op;
}

static uint8_t rounding(Generator *g)
{
    static const uint8_t modes[] = { FP_DYN, FP_DYN, FP_DYN, FP_RNE, FP_RTZ, FP_RDN, FP_RUP,
        FP_RMM };
    uint8_t rules = below(g, 2) ? 0 : FP_NAN_FIRST | FP_TINY_BEFORE | FP_NAN_TO_ZERO; /* as ARM's */

    if (below(g, 4) == 0) {
        rules = 0;
        rules |= below(g, 2) ? FP_NAN_FIRST : 0;
        rules |= below(g, 2) ? FP_TINY_BEFORE : 0;
        rules |= below(g, 2) ? FP_NAN_TO_ZERO : 0;
        rules |= below(g, 4) ? 0 : FP_FLUSH;
    }
    return modes[below(g, G_N_ELEMENTS(modes))] | rules;
}

static uint8_t lane_aux(Generator *g, const IrInsn *i)
{
    unsigned lane = below(g, 4), flags = below(g, 32) << 3;

    switch (i->op) {
    case IR_vtof:     return i->type == F64 ? LANE_64 : LANE_32;
    case IR_vnarrow:  return (uint8_t)(1 + below(g, 3) + flags);
    case IR_vclmul:   return (uint8_t)((below(g, 2) ? LANE_8 : LANE_64) | (flags & LANE_HIGH));
    case IR_vwiden: case IR_vmulwide: return (uint8_t)(below(g, 3) | flags);
    default:          return (uint8_t)(lane | (below(g, 2) ? flags : flags & LANE_SIGNED));
    }
}

static int32_t lane_imm(Generator *g, const IrInsn *i)
{
    static const uint8_t finer[] = { LANE_8, LANE_16, LANE_32 };
    unsigned size = i->aux & LANE_SIZE, lanes = 16u >> size, bits = 8u << size;

    switch (i->op) {
    case IR_vtof: case IR_vget: case IR_vset: case IR_vduplane:
        return (int32_t)below(g, lanes);
    case IR_vins:     return (int32_t)(below(g, lanes) | below(g, lanes) << 4);
    case IR_vlow:     return 1 << below(g, 5);
    case IR_vshl: case IR_vshr: return (int32_t)below(g, bits + 1);
    case IR_vcmp:     return (int32_t)below(g, IR_COND_COUNT);
    case IR_vrev:     return (int32_t)((2u << size) << below(g, size < LANE_32 ? 3 - size : 1));
    case IR_vext:     return (int32_t)below(g, 16);
    case IR_vtable:   return (int32_t)below(g, 4) * 16;
    case IR_vsum: case IR_vminall: case IR_vmaxall: return below(g, 2) ? 8 : 16;
    case IR_vfmin: case IR_vfmax:
        return (int32_t)(1 + below(g, 3) + (below(g, 3) << VF_MORE) + below(g, 2) * VF_SCALAR);
    case IR_vfcmp:
        return (int32_t)(1 + below(g, 3) + (below(g, 7) << VF_MORE) + below(g, 2) * VF_SCALAR);
    case IR_vfwiden:  return (int32_t)(1 + below(g, 2) + (below(g, 2) << VF_MORE));
    case IR_vfnarrow: return (int32_t)(2 + below(g, 2));
    default:
        if ((ir_op_effects[i->op] & (FP | VEC)) == (FP | VEC)) {
            return (int32_t)(finer[1 + below(g, 2)] + below(g, 2) + below(g, 2) * VF_SCALAR +
                (below(g, 2) << VF_MORE));
        }
        return 0;
    }
}

static uint8_t aux_for(Generator *g, const IrInsn *i)
{
    switch (ir_aux_kind((IrOp)i->op)) {
    case AUX_COND:   return (uint8_t)below(g, IR_COND_COUNT);
    case AUX_MEMOP:  return memop(g, i);
    case AUX_FP:     return rounding(g);
    case AUX_LANE:   return lane_aux(g, i);
    case AUX_NUMBER:
        return (uint8_t)below(g,
            i->op == IR_fcmp          ? 7
                : i->op == IR_forder  ? 7
                : i->op == IR_fsgnj   ? 3
                : i->op == IR_gotoval ? 3
                                      : 2);
    default:         return 0;
    }
}

static int32_t env_offset(Generator *g, const IrInsn *i)
{
    unsigned size = 1u << (i->aux & MEM_SIZE);

    return (int32_t)(offsetof(ToyEnv, scratch) + (below(g, 32) & ~(size - 1)));
}

static int32_t new_exit(Generator *g)
{
    uint64_t pc = below(g, 3) ? TOY_PC + below(g, 0x1000) * 2
                              : TOY_PC - GUEST_PAGE_SIZE + below(g, 0x1000) * 2;

    g->b->exits[g->b->exit_count].pc = pc;
    return (int32_t)g->b->exit_count++;
}

static int32_t imm_for(Generator *g, const IrInsn *i)
{
    static const int32_t groups[] = { 2, 4, 8 };

    switch (i->op) {
    case IR_get: case IR_put:            return any_register(g, (IrType)i->type);
    case IR_ldenv: case IR_stenv:        return env_offset(g, i);
    case IR_ext: case IR_sext: case IR_dep: return field(g, i);
    case IR_bswap:                       return groups[below(g, i->type == I64 ? 3 : 2)];
    case IR_rmw:                         return (int32_t)below(g, RMW_KIND_COUNT);
    case IR_call:                        return (int32_t)below(g, 3);
    case IR_exit:                        return below(g, 2) ? EXIT_LOOKUP : EXIT_HALT;
    case IR_fence:                       return FENCE_ALL;
    case IR_ftoi: case IR_itof:          return (int32_t)below(g, 2);
    case IR_goto: case IR_gotocond:      return new_exit(g);
    case IR_load: case IR_store: case IR_fload: case IR_fstore: case IR_vload: case IR_vstore:
    case IR_loadas: case IR_storeas:
        return below(g, 3) ? 0 : (int32_t)below(g, 256) - 128;
    case IR_fmin: case IR_fmax:          return (int32_t)below(g, 3);
    case IR_fround:                      return (int32_t)below(g, 2);
    default:                             return lane_imm(g, i);
    }
}

/* ---- operations ---------------------------------------------------------------------------- */

static void append_any(Generator *g, IrOp op)
{
    IrInsn i = { .op = op, .type = type_for(g, op) };
    unsigned count = ir_operand_count(op);

    if (op == IR_const || op == IR_fconst || op == IR_vconst) {
        make_const(g, op == IR_vconst ? V128 : (IrType)i.type);
        return;
    }
    i.aux = aux_for(g, &i);
    i.imm = imm_for(g, &i);
    if ((op == IR_gotocond || op == IR_goto) &&
        g->b->exits[i.imm].pc <= TOY_PC + (g->b->guest_insns - 1) * 4) {
        i.aux |= GOTO_CHECK;            /* as the builder sees it */
    }
    if (op == IR_call) {
        count = i.imm == 1 ? 3 : below(g, 4);
        i.aux = below(g, 2);            /* without a result: see append */
    }
    i.a = count > 0 ? operand(g, &i, 0) : 0;
    i.b = count > 1 ? operand(g, &i, 1) : 0;
    i.c = count > 2 ? operand(g, &i, 2) : 0;
    append(g, i);
}

static void put_something(Generator *g)
{
    IrType type = below(g, 4) ? I64 : (IrType)below(g, IR_TYPE_COUNT);

    if (g->made[type]) {
        unsigned latest = (g->made[type] - 1) % POOL;

        append(g, (IrInsn){ .op = IR_put, .type = type, .imm = any_register(g, type),
            .a = g->pool[type][below(g, 3) ? latest : below(g, MIN(g->made[type], POOL))] });
    }
}

static void place_label(Generator *g)
{
    append(g, (IrInsn){ .op = IR_label, .imm = (int32_t)g->open_label - 1 });
    g->last_address = 0;
    g->open_label = 0;
    memset(g->made, 0, sizeof(g->made));
}

/* `else`: the open label is here, and whoever comes from above goes on to a new one. */
static void branch_around(Generator *g)
{
    unsigned after = g->b->label_count++;

    append(g, (IrInsn){ .op = IR_br, .imm = (int32_t)after });
    place_label(g);
    g->open_label = after + 1;
}

static void branch_somewhere(Generator *g)
{
    IrInsn i = { .op = IR_brcond, .type = any_integer(g), .imm = (int32_t)g->b->label_count };

    i.aux = (uint8_t)below(g, IR_COND_COUNT);
    i.a = value_of(g, (IrType)i.type);
    i.b = value_of(g, (IrType)i.type);
    append(g, i);
    g->open_label = ++g->b->label_count;
}

static bool is_control(IrOp op)
{
    return ir_op_effects[op] & (ENDS | BARRIER);
}

/* Most often what programs are made of; else anything. */
static IrOp any_operation(Generator *g)
{
    static const uint8_t common[] = { IR_add, IR_sub, IR_and, IR_or, IR_xor, IR_shl, IR_shr, IR_sar,
        IR_vadd, IR_vand, IR_vfadd, IR_vfmul, IR_vfmadd, IR_vload, IR_vstore, IR_vtof, IR_vfromf,
        IR_load, IR_store, IR_setcond, IR_sext, IR_ext, IR_fadd, IR_fmul, IR_fmadd, IR_fload,
        IR_fstore };
    IrOp op;

    if (below(g, 2)) {
        return common[below(g, G_N_ELEMENTS(common))];
    }
    do {
        op = (IrOp)below(g, IR_OP_COUNT);
    } while (is_control(op) || op == IR_const || op == IR_fconst || op == IR_vconst);
    return op;
}

static void start_insn(Generator *g)
{
    ir_insn(g->b, g->b->pc + g->b->guest_insns * 4, 4);
}

static void end_block(Generator *g)
{
    static const uint8_t ends[] = { IR_goto, IR_goto, IR_gotoval, IR_exit };

    if (g->open_label) {
        place_label(g);
    }
    append_any(g, ends[below(g, G_N_ELEMENTS(ends))]);
}

static bool has_room(const Generator *g)
{
    return g->b->op_count + g->b->const_count + IR_ROOM < IR_MAX_OPS && g->b->exit_count + 8 < IR_MAX_EXITS;
}

void random_block(IrBlock *b, Random *r, unsigned insns)
{
    Generator g = { .b = b, .r = r };

    toy_begin(b);
    for (unsigned n = 0; n < insns && has_room(&g); n++) {
        start_insn(&g);
        for (unsigned ops = 1 + below(&g, 3); ops > 0; ops--) {
            append_any(&g, any_operation(&g));
        }
        put_something(&g);
        if (below(&g, 12) == 0) {
            append_any(&g, IR_gotocond);
        } else if (g.open_label && b->label_count < 8 && below(&g, 4) == 0) {
            branch_around(&g);
        } else if (g.open_label && below(&g, 2)) {
            place_label(&g);
        } else if (!g.open_label && b->label_count < 8 && below(&g, 16) == 0) {
            branch_somewhere(&g);
        }
    }
    end_block(&g);
}

void random_block_of(IrBlock *b, Random *r, IrOp op)
{
    Generator g = { .b = b, .r = r };

    toy_begin(b);
    for (unsigned n = 0; n < 8; n++) {
        start_insn(&g);
        if (op == IR_brcond || op == IR_br) {
            branch_somewhere(&g);
            append_any(&g, IR_add);
            put_something(&g);
            if (op == IR_br) {
                branch_around(&g);
                append_any(&g, IR_sub);
                put_something(&g);
            }
            place_label(&g);
        } else if (!is_control(op)) {
            append_any(&g, op);
        }
        put_something(&g);
    }
    if (ir_op_effects[op] & ENDS) {
        append_any(&g, op);
    } else {
        end_block(&g);
    }
}

/* ---- state --------------------------------------------------------------------------------- */

static uint64_t random_double(Random *r)
{
    /* Now and then a boxed single. */
    return random_below(r, 4) ? random_value(r, F64)
                              : UINT64_C(0xffffffff00000000) | random_value(r, F32);
}

/* Lanes of one kind, with corners of it. */
static void random_vector(Random *r, uint64_t v[2])
{
    unsigned kind = random_below(r, 4);

    for (unsigned half = 0; half < 2; half++) {
        uint64_t low = random_value(r, F32), high = random_value(r, F32);

        v[half] = kind == 0 ? random_next(r)
            : kind == 1     ? random_value(r, F64)
            : kind == 2     ? random_value(r, I64)
                            : low | high << 32;
    }
}

void random_state(Toy *toy, Random *r)
{
    static const uint8_t modes[] = { FP_RNE, FP_RNE, FP_RTZ, FP_RDN, FP_RUP };
    ToyEnv *cpu = toy->cpu;

    for (unsigned n = 0; n < TOY_X; n++) {
        cpu->x[n] = random_value(r, I64);
    }
    for (unsigned n = 0; n < TOY_W; n++) {
        cpu->w[n] = (uint32_t)random_value(r, I32);
    }
    for (unsigned n = 0; n < TOY_F; n++) {
        cpu->f[n] = random_double(r);
    }
    for (unsigned n = 0; n < TOY_S; n++) {
        cpu->s[n] = (uint32_t)random_value(r, F32);
    }
    for (unsigned n = 0; n < TOY_V; n++) {
        random_vector(r, cpu->v[n]);
    }
    for (unsigned n = 0; n < G_N_ELEMENTS(cpu->scratch); n++) {
        cpu->scratch[n] = random_next(r);
    }
    for (unsigned n = 0; n < TOY_PAGES * GUEST_PAGE_SIZE / 8; n++) {
        ((uint64_t *)toy->memory)[n] = random_next(r);
    }
    fp_round_set(&cpu->env, modes[random_below(r, G_N_ELEMENTS(modes))]);
    fp_flags_set(&cpu->env, random_below(r, 4) ? 0 : random_below(r, 32));
}
