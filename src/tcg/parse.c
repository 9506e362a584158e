/* Reads the text form of IR (text.h), as it is: nothing is folded. For tests. */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tcg/eval.h"
#include "tcg/ir-impl.h"
#include "tcg/text.h"

typedef struct Parser {
    IrBlock *b;
    const char *at; /* in the text */
    unsigned line;
    char word[64];
    uint64_t value[2]; /* of the constant that is being read */
    char *error;       /* the first */
} Parser;

static bool G_GNUC_PRINTF(2, 3) fail(Parser *p, const char *format, ...)
{
    va_list args;
    g_autofree char *said = NULL;

    if (!p->error) {
        va_start(args, format);
        said = g_strdup_vprintf(format, args);
        va_end(args);
        p->error = g_strdup_printf("line %u: %s", p->line, said);
    }
    return false;
}

/* ---- words --------------------------------------------------------------------------------- */

/* The next word of the line into p->word; false at its end. */
static bool next_word(Parser *p)
{
    size_t length;

    p->at += strspn(p->at, " \t");
    length = strcspn(p->at, " \t\n#");
    if (length == 0 || length >= sizeof(p->word)) {
        p->word[0] = 0;
        return false;
    }
    memcpy(p->word, p->at, length);
    p->word[length] = 0;
    p->at += length;
    return true;
}

static void next_line(Parser *p)
{
    p->at += strcspn(p->at, "\n");
    p->at += *p->at == '\n';
    p->line++;
}

/* Index of word in names; names may have holes. */
static bool find_name(Parser *p, const char *what, const char *const *names, unsigned count,
    const char *word, unsigned *index)
{
    *index = 0;
    for (unsigned n = 0; n < count; n++) {
        if (names[n] && strcmp(names[n], word) == 0) {
            *index = n;
            return true;
        }
    }
    return fail(p, "'%s' is no %s", word, what);
}

static bool parse_number(Parser *p, const char *word, int base, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = word[0] == '-' ? (uint64_t)strtoll(word, &end, base) : strtoull(word, &end, base);
    return (end != word && *end == 0 && errno == 0) || fail(p, "'%s' is no number", word);
}

/* t3 */
static bool parse_temporary(Parser *p, const char *word, uint16_t *id)
{
    uint64_t n;

    if (word[0] != 't') {
        return fail(p, "'%s' is no temporary", word);
    }
    if (!parse_number(p, word + 1, 10, &n)) {
        return false;
    }
    *id = (uint16_t)n;
    return (n >= 1 && n <= IR_MAX_OPS) || fail(p, "temporary '%s' is out of range", word);
}

/* Takes "+suffix" off the end of p->word. */
static bool take_suffix(Parser *p, const char *suffix)
{
    size_t length = strlen(p->word), tail = strlen(suffix);

    if (length <= tail || strcmp(p->word + length - tail, suffix) != 0) {
        return false;
    }
    p->word[length - tail] = 0;
    return true;
}

/* ---- fields -------------------------------------------------------------------------------- */

typedef struct Suffix {
    const char *text;
    uint8_t bit;
} Suffix;

/* From the last to the first, as they are written. */
static void take_suffixes(Parser *p, const Suffix *suffixes, unsigned count, uint8_t *aux)
{
    for (unsigned n = 0; n < count; n++) {
        *aux |= take_suffix(p, suffixes[n].text) ? suffixes[n].bit : 0;
    }
}

static bool parse_memop(Parser *p, uint8_t *aux)
{
    static const Suffix suffixes[] = {
        { "+release", MEM_RELEASE },
        { "+acquire", MEM_ACQUIRE },
        { "+aligned", MEM_ALIGNED },
        { "be", MEM_BIG },
    };
    static const char *const sizes[] = { "8", "16", "32", "64", "128" };
    unsigned size;

    take_suffixes(p, suffixes, G_N_ELEMENTS(suffixes), aux);
    if (p->word[0] != 's' && p->word[0] != 'u') {
        return fail(p, "'%s' is no memory access", p->word);
    }
    if (!find_name(p, "size of a memory access", sizes, G_N_ELEMENTS(sizes), p->word + 1, &size)) {
        return false;
    }
    *aux |= size | (p->word[0] == 's' ? MEM_SIGNED : 0);
    return true;
}

static bool parse_fp(Parser *p, uint8_t *aux)
{
    static const Suffix suffixes[] = {
        { "+flush", FP_FLUSH },
        { "+tiny", FP_TINY_BEFORE },
        { "+zero", FP_NAN_TO_ZERO },
        { "+first", FP_NAN_FIRST },
    };
    unsigned round;

    take_suffixes(p, suffixes, G_N_ELEMENTS(suffixes), aux);
    if (!find_name(p, "rounding mode", ir_round_names, FP_ROUND + 1, p->word, &round)) {
        return false;
    }
    *aux |= round;
    return true;
}

static bool parse_lane(Parser *p, uint8_t *aux)
{
    static const Suffix suffixes[] = {
        { "+unsign", LANE_UNSIGN },
        { "+sat", LANE_SAT },
        { "+round", LANE_ROUND },
        { "+high", LANE_HIGH },
        { "+signed", LANE_SIGNED },
    };
    static const char *const sizes[] = { "8", "16", "32", "64" };
    unsigned size;

    take_suffixes(p, suffixes, G_N_ELEMENTS(suffixes), aux);
    if (!find_name(p, "lane", sizes, G_N_ELEMENTS(sizes), p->word, &size)) {
        return false;
    }
    *aux |= size;
    return true;
}

static bool parse_cond(Parser *p, uint8_t *aux)
{
    unsigned cond;

    *aux |= take_suffix(p, "+check") ? GOTO_CHECK : 0;
    if (!find_name(p, "condition", ir_cond_names, IR_COND_COUNT, p->word, &cond)) {
        return false;
    }
    *aux |= cond;
    return true;
}

static bool parse_check(Parser *p, uint8_t *aux)
{
    const char *before = p->at;

    if (next_word(p) && strcmp(p->word, "check") == 0) {
        *aux = GOTO_CHECK;
    } else {
        p->at = before;
    }
    return true;
}

static bool parse_aux(Parser *p, IrInsn *i)
{
    AuxKind kind = ir_aux_kind((IrOp)i->op);
    uint64_t number;

    if (kind == AUX_NONE) {
        return true;
    }
    if (kind == AUX_CHECK) {
        return parse_check(p, &i->aux);
    }
    if (!next_word(p)) {
        return fail(p, "'%s' needs another field", ir_op_names[i->op]);
    }
    switch (kind) {
    case AUX_COND: return parse_cond(p, &i->aux);
    case AUX_MEMOP: return parse_memop(p, &i->aux);
    case AUX_FP: return parse_fp(p, &i->aux);
    case AUX_LANE: return parse_lane(p, &i->aux);
    default:
        if (!parse_number(p, p->word, 0, &number)) {
            return false;
        }
        i->aux = (uint8_t)number;
        return true;
    }
}

/* What a constant is, goes to Parser.value. */
static bool parse_value(Parser *p, IrInsn *i)
{
    if (!parse_number(p, p->word, 0, &p->value[0])) {
        return false;
    }
    p->value[0] &= low_mask(ir_type_bits((IrType)i->type));
    return true;
}

/* lower:upper */
static bool parse_value2(Parser *p)
{
    char *colon = strchr(p->word, ':');

    if (!colon) {
        return fail(p, "'%s' is no pair of numbers", p->word);
    }
    *colon = 0;
    return parse_number(p, p->word, 0, &p->value[0]) && parse_number(p, colon + 1, 0, &p->value[1]);
}

static bool parse_gvar(Parser *p, IrInsn *i)
{
    for (unsigned n = 0; n < p->b->gvar_count; n++) {
        if (strcmp(p->b->gvars[n].name, p->word) == 0) {
            i->imm = (int32_t)n;
            return true;
        }
    }
    return fail(p, "'%s' is no guest register", p->word);
}

static bool parse_field(Parser *p, IrInsn *i)
{
    unsigned lsb, length;

    if (sscanf(p->word, "%u:%u", &lsb, &length) != 2 || lsb > 63 || length > 64) {
        return fail(p, "'%s' is no bit field (lsb:length)", p->word);
    }
    i->imm = (int32_t)(lsb | length << 8);
    return true;
}

static bool parse_label(Parser *p, IrInsn *i)
{
    uint64_t label;

    if (p->word[0] != 'L' || !parse_number(p, p->word + 1, 10, &label) || label >= IR_MAX_LABELS) {
        return fail(p, "'%s' is no label", p->word);
    }
    i->imm = (int32_t)label;
    p->b->label_count = MAX(p->b->label_count, (unsigned)label + 1);
    return true;
}

static bool parse_exit_pc(Parser *p, IrInsn *i)
{
    uint64_t pc;

    if (p->b->exit_count == IR_MAX_EXITS) {
        return fail(p, "too many exits");
    }
    if (!parse_number(p, p->word, 0, &pc)) {
        return false;
    }
    i->imm = (int32_t)p->b->exit_count;
    p->b->exits[p->b->exit_count++].pc = pc;
    return true;
}

/* Helpers are those that the caller has put in b->helpers. */
static bool parse_helper(Parser *p, IrInsn *i)
{
    for (unsigned n = 0; n < p->b->helper_count; n++) {
        if (strcmp(p->b->helpers[n]->name, p->word) == 0) {
            i->imm = (int32_t)n;
            return true;
        }
    }
    return fail(p, "'%s' is no helper", p->word);
}

static bool parse_plain(Parser *p, IrInsn *i)
{
    uint64_t number;

    if (!parse_number(p, p->word, 0, &number)) {
        return false;
    }
    i->imm = (int32_t)number;
    return true;
}

static bool parse_name(
    Parser *p, IrInsn *i, const char *what, const char *const *names, unsigned count)
{
    unsigned index = 0;

    if (!find_name(p, what, names, count, p->word, &index)) {
        return false;
    }
    i->imm = (int32_t)index;
    return true;
}

static bool parse_imm(Parser *p, IrInsn *i)
{
    ImmKind kind = ir_imm_kind((IrOp)i->op);

    if (kind == IMM_NONE) {
        return true;
    }
    if (!next_word(p)) {
        return fail(p, "'%s' needs another field", ir_op_names[i->op]);
    }
    switch (kind) {
    case IMM_NUMBER: return parse_plain(p, i);
    case IMM_VALUE: return parse_value(p, i);
    case IMM_VALUE2: return parse_value2(p);
    case IMM_GVAR: return parse_gvar(p, i);
    case IMM_FIELD: return parse_field(p, i);
    case IMM_LABEL: return parse_label(p, i);
    case IMM_PC: return parse_exit_pc(p, i);
    case IMM_HELPER: return parse_helper(p, i);
    case IMM_REASON: return parse_name(p, i, "exit reason", ir_reason_names, EXIT_BUDGET + 1);
    case IMM_RMW: return parse_name(p, i, "kind of rmw", ir_rmw_names, RMW_KIND_COUNT);
    case IMM_NONE: break;
    }
    g_assert_not_reached();
}

/* ---- lines --------------------------------------------------------------------------------- */

/* name or name.type */
static bool parse_operation(Parser *p, IrInsn *i)
{
    char *dot = strchr(p->word, '.');
    unsigned index;

    if (dot) {
        *dot = 0;
        if (!find_name(p, "type", ir_type_names, IR_TYPE_COUNT, dot + 1, &index)) {
            return false;
        }
        i->type = (uint8_t)index;
    }
    if (!find_name(p, "operation", ir_op_names, IR_OP_COUNT, p->word, &index)) {
        return false;
    }
    i->op = (uint16_t)index;
    return true;
}

/* All that a signature asks for; a call takes as many as there are. */
static bool parse_operands(Parser *p, IrInsn *i)
{
    uint16_t *const operands[] = { &i->a, &i->b, &i->c };
    unsigned count = ir_operand_count((IrOp)i->op);

    for (unsigned n = 0; n < count; n++) {
        const char *before = p->at;
        bool is_there = next_word(p);

        if (i->op == IR_call && p->word[0] != 't') {
            p->at = before;
            return true;
        }
        if (!is_there) {
            return fail(p, "'%s' needs %u operands", ir_op_names[i->op], count);
        }
        if (!parse_temporary(p, p->word, operands[n])) {
            return false;
        }
    }
    return true;
}

static void append(Parser *p, const IrInsn *i)
{
    IrBlock *b = p->b;
    ImmKind kind = ir_imm_kind((IrOp)i->op);

    b->temp_count = MAX(b->temp_count, i->dst);
    if (kind == IMM_VALUE || kind == IMM_VALUE2) {
        ir_define_const(b, (IrType)i->type, i->dst, p->value[0], p->value[1]);
        return;
    }
    if (i->dst) {
        b->types[i->dst] = ir_is_comparison(i->op) ? I32 : i->type;
        b->defined_by[i->dst] = (uint16_t)b->op_count;
    }
    b->ops[b->op_count++] = *i;
}

/* insn LENGTH OFFSET: a guest instruction begins. */
static bool parse_insn(Parser *p)
{
    uint64_t length, offset;

    if (p->b->guest_insns == IR_MAX_INSNS) {
        return fail(p, "too many instructions");
    }
    if (!next_word(p) || !parse_number(p, p->word, 0, &length) || !next_word(p) ||
        !parse_number(p, p->word, 0, &offset)) {
        return fail(p, "'insn' needs its length and its offset");
    }
    ir_insn(p->b, p->b->pc + offset, (unsigned)length);
    return true;
}

static bool parse_line(Parser *p)
{
    IrInsn i = { 0 };

    if (!next_word(p)) {
        return true;
    }
    if (!strcmp(p->word, "insn")) {
        return parse_insn(p) && (!next_word(p) || fail(p, "'%s' is too much", p->word));
    }
    if (p->b->op_count + p->b->const_count + 2 > IR_MAX_OPS) {
        return fail(p, "too many operations");
    }
    if (p->word[0] == 't' && g_ascii_isdigit(p->word[1])) {
        if (!parse_temporary(p, p->word, &i.dst)) {
            return false;
        }
        if (!next_word(p) || strcmp(p->word, "=") != 0 || !next_word(p)) {
            return fail(p, "'= operation' is missing");
        }
    }
    if (!parse_operation(p, &i) || !parse_operands(p, &i) || !parse_aux(p, &i) ||
        !parse_imm(p, &i)) {
        return false;
    }
    append(p, &i);
    return !next_word(p) || fail(p, "'%s' is too much", p->word);
}

char *ir_parse(IrBlock *b, const char *text)
{
    Parser p = { .b = b, .at = text, .line = 1 };

    while (*p.at && parse_line(&p)) {
        next_line(&p);
    }
    return p.error;
}
