/* Prints a block in the text form of text.h. */
#include <inttypes.h>
#include <string.h>

#include "tcg/eval.h"
#include "tcg/text.h"

const char *const ir_type_names[IR_TYPE_COUNT] = { "i32", "i64", "f32", "f64", "v128" };
const char *const ir_cond_names[IR_COND_COUNT] = {
    "eq",
    "ne",
    "lt",
    "ge",
    "ltu",
    "geu",
    "le",
    "gt",
    "leu",
    "gtu",
};
const char *const ir_rmw_names[RMW_KIND_COUNT] = {
    "add",
    "and",
    "or",
    "xor",
    "swap",
    "smin",
    "smax",
    "umin",
    "umax",
    "andn",
};
const char *const ir_reason_names[EXIT_BUDGET + 1] = {
    "lookup",
    "chain",
    "request",
    "raised",
    "halt",
    "budget",
};
const char *const ir_round_names[FP_ROUND + 1] = {
    [FP_RNE] = "rne",
    [FP_RTZ] = "rtz",
    [FP_RDN] = "rdn",
    [FP_RUP] = "rup",
    [FP_RMM] = "rmm",
    [FP_DYN] = "dyn",
};

/* Operations whose imm is not a plain number. */
static const uint8_t imm_kinds[IR_OP_COUNT] = {
    [IR_const] = IMM_VALUE,
    [IR_fconst] = IMM_VALUE,
    [IR_vconst] = IMM_VALUE2,
    [IR_get] = IMM_GVAR,
    [IR_put] = IMM_GVAR,
    [IR_ext] = IMM_FIELD,
    [IR_sext] = IMM_FIELD,
    [IR_dep] = IMM_FIELD,
    [IR_label] = IMM_LABEL,
    [IR_br] = IMM_LABEL,
    [IR_brcond] = IMM_LABEL,
    [IR_goto] = IMM_PC,
    [IR_gotocond] = IMM_PC,
    [IR_exit] = IMM_REASON,
    [IR_call] = IMM_HELPER,
    [IR_rmw] = IMM_RMW,
};

char ir_result_letter(IrOp op)
{
    const char *signature = ir_op_signatures[op];

    return signature[0] == '=' ? 0 : signature[0];
}

static const char *operands(IrOp op)
{
    return strchr(ir_op_signatures[op], '=') + 1;
}

unsigned ir_operand_count(IrOp op)
{
    return (unsigned)strcspn(operands(op), " ");
}

char ir_operand_letter(IrOp op, unsigned index)
{
    return operands(op)[index];
}

static bool has_field(IrOp op, char letter)
{
    const char *fields = strchr(ir_op_signatures[op], ' ');

    return fields && strchr(fields, letter);
}

ImmKind ir_imm_kind(IrOp op)
{
    if (imm_kinds[op]) {
        return (ImmKind)imm_kinds[op];
    }
    return has_field(op, '#') || op == IR_ftoi || op == IR_itof ? IMM_NUMBER : IMM_NONE;
}

AuxKind ir_aux_kind(IrOp op)
{
    if (op == IR_const || op == IR_fconst) {
        return AUX_NONE; /* says where the value is */
    }
    if (op == IR_goto) {
        return AUX_CHECK;
    }
    return has_field(op, 'c') ? AUX_COND
        : has_field(op, 'm')  ? AUX_MEMOP
        : has_field(op, 'r')  ? AUX_FP
        : has_field(op, 'l')  ? AUX_LANE
        : has_field(op, 'x')  ? AUX_NUMBER
                              : AUX_NONE;
}

static void print_memop(unsigned op, FILE *out)
{
    fprintf(out, " %s%u%s%s%s%s", op & MEM_SIGNED ? "s" : "u", 8u << (op & MEM_SIZE),
        op & MEM_BIG ? "be" : "", op & MEM_ALIGNED ? "+aligned" : "",
        op & MEM_ACQUIRE ? "+acquire" : "", op & MEM_RELEASE ? "+release" : "");
}

static void print_lane(unsigned aux, FILE *out)
{
    fprintf(out, " %u%s%s%s%s%s", 8u << (aux & LANE_SIZE), aux & LANE_SIGNED ? "+signed" : "",
        aux & LANE_HIGH ? "+high" : "", aux & LANE_ROUND ? "+round" : "",
        aux & LANE_SAT ? "+sat" : "", aux & LANE_UNSIGN ? "+unsign" : "");
}

static void print_aux(const IrInsn *i, FILE *out)
{
    switch (ir_aux_kind((IrOp)i->op)) {
    case AUX_NONE: break;
    case AUX_COND:
        fprintf(
            out, " %s%s", ir_cond_names[i->aux & ~GOTO_CHECK], i->aux & GOTO_CHECK ? "+check" : "");
        break;
    case AUX_MEMOP: print_memop(i->aux, out); break;
    case AUX_FP:
        fprintf(out, " %s%s%s%s%s", ir_round_names[i->aux & FP_ROUND],
            (i->aux & FP_NAN_RULE) == FP_NAN_FIRST ? "+first" : "",
            i->aux & FP_NAN_TO_ZERO ? "+zero" : "", i->aux & FP_TINY_BEFORE ? "+tiny" : "",
            i->aux & FP_FLUSH ? "+flush" : "");
        break;
    case AUX_LANE: print_lane(i->aux, out); break;
    case AUX_NUMBER: fprintf(out, " %u", i->aux); break;
    case AUX_CHECK: fprintf(out, "%s", i->aux & GOTO_CHECK ? " check" : ""); break;
    }
}

static void print_imm(const IrBlock *b, const IrInsn *i, FILE *out)
{
    switch (ir_imm_kind((IrOp)i->op)) {
    case IMM_NUMBER: fprintf(out, " %" PRId32, i->imm); break;
    case IMM_VALUE: fprintf(out, " 0x%" PRIx64, ir_const_value(b, i)); break;
    case IMM_VALUE2:
        fprintf(out, " 0x%" PRIx64 ":0x%" PRIx64, b->consts[i->imm], b->consts[i->imm + 1]);
        break;
    case IMM_GVAR: fprintf(out, " %s", b->gvars[i->imm].name); break;
    case IMM_FIELD: fprintf(out, " %d:%d", i->imm & 0xff, i->imm >> 8); break;
    case IMM_LABEL: fprintf(out, " L%" PRId32, i->imm); break;
    case IMM_PC: fprintf(out, " 0x%" PRIx64, b->exits[i->imm].pc); break;
    case IMM_HELPER: fprintf(out, " %s", b->helpers[i->imm]->name); break;
    case IMM_REASON: fprintf(out, " %s", ir_reason_names[i->imm]); break;
    case IMM_RMW: fprintf(out, " %s", ir_rmw_names[i->imm]); break;
    case IMM_NONE: break;
    }
}

static bool has_type(IrOp op)
{
    return ir_result_letter(op) || ir_operand_count(op);
}

static void print_insn(const IrBlock *b, const IrInsn *i, FILE *out)
{
    const uint16_t arguments[] = { i->a, i->b, i->c };

    if (i->dst) {
        fprintf(out, "t%u = ", i->dst);
    }
    fputs(ir_op_names[i->op], out);
    if (has_type((IrOp)i->op)) {
        fprintf(out, ".%s", ir_type_names[i->type]);
    }
    for (unsigned n = 0; n < 3 && arguments[n]; n++) {
        fprintf(out, " t%u", arguments[n]);
    }
    print_aux(i, out);
    print_imm(b, i, out);
    fputc('\n', out);
}

/* Constants come in front of the first operation that names them. */
static void print_consts(const IrBlock *b, const IrInsn *i, bool *printed, FILE *out)
{
    const uint16_t arguments[] = { i->a, i->b, i->c };

    for (unsigned n = 0; n < 3; n++) {
        unsigned t = arguments[n], at = b->defined_by[t];

        if (t && at >= IR_CONSTS && !printed[t]) {
            print_insn(b, &b->ops[at], out);
            printed[t] = true;
        }
    }
}

void ir_print(const IrBlock *b, FILE *out)
{
    bool printed[IR_MAX_OPS + 1] = { false };
    unsigned insns = 0;

    for (unsigned at = 0; at < b->op_count; at++) {
        for (; insns < b->guest_insns && b->insns[insns].op <= at; insns++) {
            fprintf(out, "insn %u %u\n", b->insns[insns].length, b->insns[insns].guest);
        }
        if (b->ops[at].op != IR_OP_COUNT) {
            print_consts(b, &b->ops[at], printed, out);
            print_insn(b, &b->ops[at], out);
        }
    }
}
