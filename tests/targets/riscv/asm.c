#include "tests/targets/riscv/asm.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "targets/riscv/state.h"
#include "tests/test.h"

typedef struct Asm {
    uint64_t base, pc;
    uint64_t features;
    GHashTable *labels; /* name -> pc */
    bool last;          /* the second time: every label is known */
    uint8_t *out;
    size_t room;
    const char *line;
} Asm;

static void emit(Asm *a, uint64_t value, unsigned bytes)
{
    size_t at = a->pc - a->base;

    assert_true(at + bytes <= a->room);
    memcpy(a->out + at, &value, bytes);
    a->pc += bytes;
}

static int find_name(const char *const *names, const char *word, size_t length)
{
    for (int i = 0; i < 32; i++) {
        if (strlen(names[i]) == length && !memcmp(names[i], word, length)) {
            return i;
        }
    }
    return -1;
}

static int64_t label_or_number(Asm *a, const char *word, size_t length)
{
    g_autofree char *name = g_strndup(word, length);
    gpointer value;
    char *end;
    int64_t number = strtoull(name, &end, 0);

    if (*name && !*end) {
        return number;
    }
    if (g_hash_table_lookup_extended(a->labels, name, NULL, &value)) {
        return (int64_t)(intptr_t)value;
    }
    if (a->last) {
        fail_msg("no label '%s' in '%s'", name, a->line);
    }
    return a->pc;
}

static int64_t fence_set(const char *word, size_t length)
{
    int64_t set = 0;

    for (size_t i = 0; i < length; i++) {
        const char *at = strchr("wroi", word[i]);

        set |= at ? 1 << (at - "wroi") : 0;
    }
    return set;
}

static int64_t parse_operand(Asm *a, char kind, const char *word, size_t length)
{
    static const char *const rounding[] = { "rne", "rtz", "rdn", "rup", "rmm" };
    int64_t value;

    switch (kind) {
    case 'x':
        value = find_name(rv_x_names, word, length);
        assert_true(value >= 0);
        return value;
    case 'f':
        value = find_name(rv_f_names, word, length);
        assert_true(value >= 0);
        return value;
    case 'p': return label_or_number(a, word, length) - (int64_t)a->pc;
    case 'o': return fence_set(word, length);
    case 'r':
        for (unsigned i = 0; *word == ',' && i < G_N_ELEMENTS(rounding); i++) {
            if (!memcmp(word + 1, rounding[i], 3)) {
                return i;
            }
        }
        return 7;
    case 'q': return (strstr(word, ".aq") ? 2 : 0) | (strstr(word, "rl") ? 1 : 0);
    case 'u': return (int32_t)(label_or_number(a, word, length) << 12);
    default: return label_or_number(a, word, length);
    }
}

/* Where an operand ends in the text. */
static size_t operand_length(char kind, const char *text)
{
    if (kind == 'q' || kind == 'r') {
        return strcspn(text + (*text == ','), "\t") + (*text == ',');
    }
    return strcspn(text, ",()\t ");
}

/* Follows the row's print template through the text; false: the text is another row's. */
static bool parse_operands(Asm *a, const DecodeRow *row, const char *text, uint32_t *insn)
{
    const char *print = row->print;

    while (*print) {
        char name[32];
        int used = 0;
        const DecodeField *field = NULL;

        if (print[1] == '.' && sscanf(print, "%*[a-z].%31[a-z0-9_]%n", name, &used) == 1) {
            field = decode_row_field(row, name);
        }
        if (field) {
            size_t length = operand_length(*print, text);
            int64_t value = parse_operand(a, *print, text, length);

            if (!decode_set_field(field, value, insn) && a->last) {
                fail_msg("operand %s of '%s' does not fit", name, a->line);
            }
            text += length;
            print += used;
        } else if (*print == DECODE_JOIN) {
            print++;
        } else if (*print++ != *text++) {
            return false;
        }
    }
    return !*text;
}

static const DecodeRow *find_row(const Asm *a, const char *name, size_t length)
{
    for (unsigned i = 0; i < rv_decode_table.row_count; i++) {
        const DecodeRow *row = &rv_decode_table.rows[i];

        if (strlen(row->name) == length && !memcmp(row->name, name, length) &&
            (a->features & row->need) == row->need && !(a->features & row->deny)) {
            return row;
        }
    }
    return NULL;
}

/* `li rd,N` in two instructions at most: any 32 bits. */
static void emit_li(Asm *a, const char *operands)
{
    g_auto(GStrv) words = g_strsplit(operands, ",", 2);
    int rd = find_name(rv_x_names, words[0], strlen(words[0]));
    int64_t value = label_or_number(a, words[1], strlen(words[1]));
    int32_t low = (int32_t)((uint32_t)value << 20) >> 20;
    uint32_t high = (uint32_t)(value - low) & 0xfffff000;

    assert_true(rd >= 0);
    emit(a, high | rd << 7 | 0x37, 4);
    emit(a, (uint32_t)low << 20 | rd << 15 | rd << 7 | (a->features & 1 << RV_RV64 ? 0x1b : 0x13),
        4);
}

static void assemble_insn(Asm *a, const char *text)
{
    size_t length = strcspn(text, " \t");
    const DecodeRow *row = find_row(a, text, length);
    uint32_t insn;

    if (!row) {
        /* amoadd.w.aq: the order is an operand. */
        while (length && text[--length] != '.') {}
        row = find_row(a, text, length);
    }
    if (!row) {
        fail_msg("no instruction '%s'", text);
        return;
    }
    insn = row->match.value;
    text += length;
    text += *text == ' ' || (*text && *row->print != DECODE_JOIN);
    if (!parse_operands(a, row, text, &insn)) {
        fail_msg("operands of '%s' are not '%s'", a->line, row->print);
    }
    emit(a, insn, row->bits / 8);
}

static void assemble_line(Asm *a, char *line)
{
    char *blank;

    line = g_strstrip(line);
    a->line = line;
    blank = strchr(line, ' ');
    if (!*line) {
        return;
    }
    if (g_str_has_suffix(line, ":")) {
        line[strlen(line) - 1] = '\0';
        g_hash_table_insert(a->labels, g_strdup(line), (gpointer)(intptr_t)a->pc);
    } else if (g_str_has_prefix(line, ".quad ")) {
        emit(a, label_or_number(a, line + 6, strlen(line + 6)), 8);
    } else if (g_str_has_prefix(line, ".align ")) {
        uint64_t mask = strtoull(line + 7, NULL, 0) - 1;

        while (a->pc & mask) {
            emit(a, 0, 1);
        }
    } else if (g_str_has_prefix(line, "li ")) {
        emit_li(a, line + 3);
    } else {
        if (blank) {
            *blank = '\t';
        }
        assemble_insn(a, line);
    }
}

size_t rv_assemble(uint64_t pc, unsigned xlen, const char *text, uint8_t *out, size_t room)
{
    Asm a = {
        .base = pc,
        .out = out,
        .room = room,
        .features = xlen == 64 ? ~UINT64_C(0) : ~(UINT64_C(1) << RV_RV64),
        .labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };

    for (unsigned pass = 0; pass < 2; pass++) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        a.pc = pc;
        a.last = pass == 1;
        for (char **line = lines; *line; line++) {
            assemble_line(&a, *line);
        }
    }
    g_hash_table_unref(a.labels);
    return a.pc - pc;
}
