/*
 * mkdecode: makes a decoder from insn.decode.
 *
 *   mkdecode src/targets/riscv/insn.decode build/gen/targets/riscv/insn.gen
 *
 * writes insn.gen.h (a struct for each shape of operands, the features, the prototypes of the translate
 * functions) and insn.gen.c (the decision tree, the call of each row, the tables of tcg/decode.h).
 *
 * The text, a line each; `#` starts a comment:
 *
 *   isa PREFIX Prefix                     of the names made: rv Rv -> rv_find, RvR, RvTranslator
 *   features NAME...                      in the order of their bits
 *   include FILE [if=FEATURE]             rows and more of a file beside this one; all its rows have the condition
 *   %name  PIECE... [<<N] [+N]            a field; pieces LSB:LENGTH, topmost first, the first :sLENGTH if signed
 *   @name[:SHAPE] name=%field name=N... "print"      a format; SHAPE: it fills the struct of that format
 *   NAME[=FUNCTION] BITS @format [name=... ] [name!=N[,N]] [if=[!]feature[+...]]
 *
 * "print" is DecodeRow.print of tcg/decode.h: what the disassembler writes behind the mnemonic.
 *
 * BITS are 16 or 32 of `0`, `1`, `.` in as many groups as one likes. FUNCTION is NAME when left out. Two rows
 * may not take the same instruction: an overlap, and a row that nothing can reach, are errors.
 */
#include <ctype.h>
#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcg/decode.h"

enum { MAX_OPERANDS = 8 };

typedef struct Place {
    const char *file;
    unsigned line;
} Place;

typedef struct Field {
    DecodeField decode; /* decode.name is the field's own name */
    unsigned bits;
    Place at;
    bool used;
} Field;

typedef struct Format {
    const char *name, *print;
    const struct Format *shape; /* itself, or whose struct it fills */
    DecodeField operands[MAX_OPERANDS];
    unsigned count;
    Place at;
    bool used;
} Format;

typedef struct Row {
    DecodeRow decode;
    char *function;
    const Format *format;
    DecodeField operands[MAX_OPERANDS];
    unsigned count;
    Place at;
    unsigned index;
} Row;

typedef struct Decoder {
    Place at;              /* what is being read */
    const char *condition; /* "if=..." of every row of this file; NULL: none */
    unsigned errors;
    char *prefix, *camel;
    GPtrArray *features; /* of char * */
    GPtrArray *fields, *formats, *rows;
} Decoder;

static void error_at(Decoder *d, Place at, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

static void error_at(Decoder *d, Place at, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s:%u: error: ", at.file, at.line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    d->errors++;
}

#define error(d, ...) error_at(d, (d)->at, __VA_ARGS__)

/* A number in any base of C; the whole word has to be one. */
static bool parse_number(const char *word, int64_t *value)
{
    char *end;

    *value = strtoll(word, &end, 0);
    return end != word && !*end;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static Field *find_field(Decoder *d, const char *name)
{
    for (unsigned i = 0; i < d->fields->len; i++) {
        Field *field = d->fields->pdata[i];

        if (!strcmp(field->decode.name, name)) {
            return field;
        }
    }
    return NULL;
}

static Format *find_format(Decoder *d, const char *name)
{
    for (unsigned i = 0; i < d->formats->len; i++) {
        Format *format = d->formats->pdata[i];

        if (!strcmp(format->name, name)) {
            return format;
        }
    }
    return NULL;
}

static bool parse_piece(Field *field, const char *word)
{
    DecodeField *f = &field->decode;
    unsigned lsb, length;
    char sign[2] = "";
    int end = 0;

    if (sscanf(word, "%u:%1[s]%u%n", &lsb, sign, &length, &end) != 3 &&
        sscanf(word, "%u:%u%n", &lsb, &length, &end) != 2) {
        return false;
    }
    if (word[end] || !length || lsb + length > 32 || f->count == DECODE_MAX_PIECES ||
        (*sign && f->count)) {
        return false;
    }
    f->is_signed |= *sign == 's';
    f->pieces[f->count++] = (DecodePiece){ lsb, length };
    field->bits += length;
    return field->bits <= 32;
}

static void read_field(Decoder *d, char **words)
{
    Field *field = g_new0(Field, 1);
    int64_t number;

    field->at = d->at;
    field->decode.name = g_strdup(words[0] + 1);
    if (find_field(d, field->decode.name)) {
        error(d, "field '%%%s' is defined twice", field->decode.name);
    }
    for (char **word = words + 1; *word; word++) {
        if (g_str_has_prefix(*word, "<<") && parse_number(*word + 2, &number) && number < 32) {
            field->decode.shift = number;
        } else if (**word == '+' && parse_number(*word + 1, &number)) {
            field->decode.add = number;
        } else if (!parse_piece(field, *word)) {
            error(d, "'%s' is not a piece of a field", *word);
        }
    }
    if (!field->decode.count && !words[1]) {
        error(d, "field '%%%s' has no pieces", field->decode.name);
    }
    g_ptr_array_add(d->fields, field);
}

/* `name=%field` or `name=number`; replaces an operand of that name. */
static void read_operand(Decoder *d, DecodeField *operands, unsigned *count, const char *word)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = g_strndup(word, equals - word);
    DecodeField operand = {};
    unsigned at = 0;
    int64_t number;

    if (equals[1] == '%') {
        Field *field = find_field(d, equals + 2);

        if (!field) {
            error(d, "there is no field '%s'", equals + 1);
            return;
        }
        field->used = true;
        operand = field->decode;
    } else if (parse_number(equals + 1, &number)) {
        operand.add = number;
    } else {
        error(d, "'%s' is neither a field nor a number", equals + 1);
        return;
    }
    while (at < *count && strcmp(operands[at].name, name)) {
        at++;
    }
    if (at == MAX_OPERANDS) {
        error(d, "more than %d operands", MAX_OPERANDS);
        return;
    }
    operand.name = g_steal_pointer(&name);
    operands[at] = operand;
    *count = MAX(*count, at + 1);
}

static bool same_names(const Format *a, const Format *b)
{
    bool same = a->count == b->count;

    for (unsigned i = 0; same && i < a->count; i++) {
        same = !strcmp(a->operands[i].name, b->operands[i].name);
    }
    return same;
}

static void read_format(Decoder *d, char **words, const char *print)
{
    Format *format = g_new0(Format, 1);
    g_auto(GStrv) names = g_strsplit(words[0] + 1, ":", 2);

    format->at = d->at;
    format->name = g_strdup(names[0]);
    format->print = g_strdup(print);
    if (find_format(d, format->name)) {
        error(d, "format '@%s' is defined twice", format->name);
    }
    for (char **word = words + 1; *word; word++) {
        if (!strchr(*word, '=')) {
            error(d, "'%s' is not name=%%field or name=number", *word);
        } else {
            read_operand(d, format->operands, &format->count, *word);
        }
    }
    format->shape = names[1] ? find_format(d, names[1]) : format;
    if (!format->shape) {
        error(d, "there is no format '@%s'", names[1]);
        format->shape = format;
    } else if (!same_names(format, format->shape)) {
        error(d, "format '@%s' has not the operands of '@%s', in its order", format->name,
            format->shape->name);
    }
    g_ptr_array_add(d->formats, format);
}

static bool is_bits(const char *word)
{
    return strspn(word, "01.") == strlen(word);
}

static void read_bits(Decoder *d, Row *row, const char *word)
{
    for (; *word; word++, row->decode.bits++) {
        DecodeMatch *m = &row->decode.match;

        if (row->decode.bits == 32) {
            error(d, "more than 32 bits");
            return;
        }
        m->mask = m->mask << 1 | (*word != '.');
        m->value = m->value << 1 | (*word == '1');
    }
}

/* The bits of an instruction in which a field has this value (before shift and add). */
static DecodeMatch match_of_field(const DecodeField *field, int64_t value)
{
    DecodeMatch match = {};

    for (unsigned i = field->count; i--;) {
        const DecodePiece *piece = &field->pieces[i];
        uint32_t ones = (UINT64_C(1) << piece->length) - 1;

        match.mask |= ones << piece->lsb;
        match.value |= (value & ones) << piece->lsb;
        value >>= piece->length;
    }
    return match;
}

/* `name!=N,N` */
static void read_exclude(Decoder *d, Row *row, const char *word)
{
    const char *bang = strchr(word, '!');
    g_autofree char *name = g_strndup(word, bang - word);
    g_auto(GStrv) numbers = g_strsplit(bang + 2, ",", -1);
    const DecodeField *field = NULL;
    int64_t value;

    for (unsigned i = 0; i < row->count; i++) {
        field = strcmp(row->operands[i].name, name) ? field : &row->operands[i];
    }
    if (!field || !field->count) {
        error(d, "'%s' is not a field of this row", name);
        return;
    }
    for (char **number = numbers; *number; number++) {
        if (!parse_number(*number, &value)) {
            error(d, "'%s' is not a number", *number);
        } else if (row->decode.exclude_count == DECODE_MAX_EXCLUDES) {
            error(d, "more than %d values are excluded", DECODE_MAX_EXCLUDES);
        } else {
            row->decode.excludes[row->decode.exclude_count++] = match_of_field(
                field, (value - field->add) >> field->shift);
        }
    }
}

/* `if=a+!b` */
static void read_condition(Decoder *d, Row *row, const char *text)
{
    g_auto(GStrv) names = g_strsplit(text, "+", -1);

    for (char **name = names; *name; name++) {
        bool deny = **name == '!';
        unsigned bit;

        if (!g_ptr_array_find_with_equal_func(d->features, *name + deny, g_str_equal, &bit)) {
            error(d, "there is no feature '%s'", *name + deny);
        } else {
            *(deny ? &row->decode.deny : &row->decode.need) |= UINT64_C(1) << bit;
        }
    }
}

static void read_row_word(Decoder *d, Row *row, const char *word)
{
    if (*word == '@') {
        Format *format = find_format(d, word + 1);

        if (!format || row->format) {
            error(d, format ? "two formats" : "there is no format '%s'", word);
            return;
        }
        format->used = true;
        row->format = format;
        row->count = format->count;
        memcpy(row->operands, format->operands, sizeof(row->operands));
    } else if (is_bits(word)) {
        read_bits(d, row, word);
    } else if (g_str_has_prefix(word, "if=")) {
        read_condition(d, row, word + 3);
    } else if (strstr(word, "!=")) {
        read_exclude(d, row, word);
    } else if (strchr(word, '=') && row->format) {
        read_operand(d, row->operands, &row->count, word);
    } else {
        error(d, "'%s' means nothing here", word);
    }
}

static char *identifier(const char *name)
{
    return g_strdelimit(g_strdup(name), ".-", '_');
}

static void read_row(Decoder *d, char **words)
{
    Row *row = g_new0(Row, 1);
    g_auto(GStrv) names = g_strsplit(words[0], "=", 2);
    unsigned errors = d->errors;

    row->at = d->at;
    row->index = d->rows->len;
    row->decode.name = g_strdup(names[0]);
    row->function = identifier(names[1] ? names[1] : names[0]);
    for (char **word = words + 1; *word; word++) {
        read_row_word(d, row, *word);
    }
    if (d->condition) {
        read_condition(d, row, d->condition);
    }
    if (d->errors != errors) {
        return;
    }
    if (!row->format) {
        error(d, "row '%s' has no format", row->decode.name);
        return;
    }
    if (row->count != row->format->count) {
        error(d, "row '%s' has an operand that '@%s' has not", row->decode.name, row->format->name);
    }
    if (row->decode.bits != 16 && row->decode.bits != 32) {
        error(d, "row '%s' has %u bits, must be 16 or 32", row->decode.name, row->decode.bits);
    }
    row->decode.print = row->format->print;
    g_ptr_array_add(d->rows, row);
}

static void read_features(Decoder *d, char **words)
{
    for (char **word = words + 1; *word; word++) {
        g_ptr_array_add(d->features, g_strdup(*word));
    }
    if (d->features->len > 64) {
        error(d, "more than 64 features");
    }
}

static bool read_file(Decoder *d, const char *file);

/* The file is beside the one that names it. */
static void read_include(Decoder *d, char **words)
{
    Place at = d->at;
    g_autofree char *folder = g_path_get_dirname(at.file);

    if (!words[1] || (words[2] && !g_str_has_prefix(words[2], "if="))) {
        error(d, "must be: include FILE [if=FEATURE]");
        return;
    }
    d->condition = words[2] ? words[2] + 3 : NULL;
    if (!read_file(d,
            g_build_filename(folder, words[1], NULL))) { /* the name is kept: places point to it */
        d->errors++;
    }
    d->condition = NULL;
    d->at = at;
}

static void read_line(Decoder *d, char *text)
{
    g_autofree char *print = g_strdup("");
    g_auto(GStrv) words = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    char *quote = strchr(text, '"');

    if (quote) {
        g_free(print);
        print = g_strndup(quote + 1, strcspn(quote + 1, "\""));
        *quote = '\0';
    }
    *strchrnul(text, '#') = '\0';
    words = g_strsplit_set(text, " \t\n", -1);
    for (char **word = words; *word; word++) {
        if (**word) {
            g_ptr_array_add(list, *word);
        }
    }
    g_ptr_array_add(list, NULL);

    char **w = (char **)list->pdata;
    if (!w[0]) {
        return;
    }
    if (*w[0] == '%') {
        read_field(d, w);
    } else if (*w[0] == '@') {
        read_format(d, w, print);
    } else if (!strcmp(w[0], "features")) {
        read_features(d, w);
    } else if (!strcmp(w[0], "include") && !d->condition) {
        read_include(d, w);
    } else if (!strcmp(w[0], "isa") && list->len == 4) {
        d->prefix = g_strdup(w[1]);
        d->camel = g_strdup(w[2]);
    } else {
        read_row(d, w);
    }
}

/* ---- checking --------------------------------------------------------------------------------- */

/* Is everything that has these bits excluded from the row? */
static bool excludes_all(const Row *row, DecodeMatch match)
{
    for (unsigned i = 0; i < row->decode.exclude_count; i++) {
        DecodeMatch e = row->decode.excludes[i];

        if ((match.mask & e.mask) == e.mask && (match.value & e.mask) == e.value) {
            return true;
        }
    }
    return false;
}

static bool rows_overlap(const Row *a, const Row *b)
{
    DecodeMatch x = a->decode.match, y = b->decode.match;
    DecodeMatch both = { x.mask | y.mask, x.value | y.value };

    return a->decode.bits == b->decode.bits && !((x.value ^ y.value) & x.mask & y.mask) &&
        !(a->decode.need & b->decode.deny) && !(a->decode.deny & b->decode.need) &&
        !excludes_all(a, both) && !excludes_all(b, both);
}

static void check_row(Decoder *d, const Row *row)
{
    if ((row->decode.need & row->decode.deny) || excludes_all(row, row->decode.match)) {
        error_at(d, row->at, "row '%s' can never be reached", row->decode.name);
    }
    for (unsigned i = 0; i < row->index; i++) {
        const Row *other = d->rows->pdata[i];

        if (rows_overlap(row, other)) {
            error_at(d, row->at, "row '%s' overlaps '%s' of line %u", row->decode.name,
                other->decode.name, other->at.line);
        }
        if (!strcmp(row->function, other->function) && row->format->shape != other->format->shape) {
            error_at(d, row->at, "function '%s' takes '@%s' here, '@%s' in line %u", row->function,
                row->format->shape->name, other->format->shape->name, other->at.line);
        }
    }
}

static void check(Decoder *d)
{
    if (!d->prefix) {
        error_at(d, (Place){ d->at.file, 1 }, "there is no line 'isa PREFIX Prefix'");
    }
    for (unsigned i = 0; i < d->rows->len; i++) {
        check_row(d, d->rows->pdata[i]);
    }
    for (unsigned i = 0; i < d->fields->len; i++) {
        const Field *field = d->fields->pdata[i];

        if (!field->used) {
            error_at(d, field->at, "field '%%%s' is not used", field->decode.name);
        }
    }
    for (unsigned i = 0; i < d->formats->len; i++) {
        const Format *format = d->formats->pdata[i];

        if (!format->used && format->shape == format) {
            error_at(d, format->at, "format '@%s' is not used", format->name);
        }
    }
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* "fp_r" -> "FpR" */
static char *camel_case(const char *name)
{
    GString *out = g_string_new(NULL);
    bool upper = true;

    for (; *name; name++) {
        if (*name != '_') {
            g_string_append_c(out, upper ? g_ascii_toupper(*name) : *name);
        }
        upper = *name == '_';
    }
    return g_string_free(out, FALSE);
}

static void write_struct(FILE *out, const Decoder *d, const Format *format)
{
    g_autofree char *name = camel_case(format->name);

    fprintf(out, "typedef struct %s%s {\n", d->camel, name);
    for (unsigned i = 0; i < format->count; i++) {
        fprintf(out, "    int32_t %s;\n", format->operands[i].name);
    }
    fprintf(out, "%s} %s%s;\n\n", format->count ? "" : "    char none;\n", d->camel, name);
}

static bool function_is_new(const Decoder *d, const Row *row)
{
    for (unsigned i = 0; i < row->index; i++) {
        const Row *other = d->rows->pdata[i];

        if (!strcmp(other->function, row->function)) {
            return false;
        }
    }
    return true;
}

static void write_header(FILE *out, const Decoder *d)
{
    g_autofree char *upper = g_ascii_strup(d->prefix, -1);

    fprintf(out,
        "/* Made by mkdecode from insn.decode; do not edit. */\n"
        "#ifndef %s_INSN_GEN_H\n#define %s_INSN_GEN_H\n\n#include \"tcg/decode.h\"\n\n",
        upper, upper);
    fprintf(out, "typedef enum %sFeature {\n", d->camel);
    for (unsigned i = 0; i < d->features->len; i++) {
        g_autofree char *name = g_ascii_strup(d->features->pdata[i], -1);

        fprintf(out, "    %s_%s,\n", upper, name);
    }
    fprintf(out, "} %sFeature;\n\n", d->camel);
    for (unsigned i = 0; i < d->formats->len; i++) {
        const Format *format = d->formats->pdata[i];

        if (format->shape == format) {
            write_struct(out, d, format);
        }
    }
    fprintf(out, "typedef struct %sTranslator %sTranslator;\n\n", d->camel, d->camel);
    for (unsigned i = 0; i < d->rows->len; i++) {
        const Row *row = d->rows->pdata[i];
        g_autofree char *shape = camel_case(row->format->shape->name);

        if (function_is_new(d, row)) {
            fprintf(out, "bool %s_%s(%sTranslator *t, const %s%s *i);\n", d->prefix, row->function,
                d->camel, d->camel, shape);
        }
    }
    fprintf(out,
        "\n/* The row that takes insn, -1 when none does. */\n"
        "int %s_find(uint32_t insn, uint64_t features);\n\n"
        "/* Calls the row's function; false: illegal. */\n"
        "bool %s_translate_row(%sTranslator *t, int row, uint32_t insn);\n\n"
        "extern const DecodeTable %s_decode_table;\n\n#endif\n",
        d->prefix, d->prefix, d->camel, d->prefix);
}

/* The longest run of at most 8 bits of mask that starts at lsb. */
static uint32_t run_at(uint32_t mask, unsigned lsb)
{
    uint32_t run = 0;

    for (unsigned bit = lsb; bit < MIN(32, lsb + 8) && mask >> bit & 1; bit++) {
        run |= UINT32_C(1) << bit;
    }
    return run;
}

static unsigned count_values(GPtrArray *rows, uint32_t mask)
{
    g_autoptr(GHashTable) values = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < rows->len; i++) {
        const Row *row = rows->pdata[i];

        g_hash_table_add(values, GUINT_TO_POINTER(row->decode.match.value & mask));
    }
    return g_hash_table_size(values);
}

/* The run of bits, fixed in all rows and not tested yet, that tells most of them apart; 0: none does. */
static uint32_t choose_run(GPtrArray *rows, uint32_t tested)
{
    uint32_t common = ~tested, best = 0;
    unsigned most = 1;

    for (unsigned i = 0; i < rows->len; i++) {
        common &= ((const Row *)rows->pdata[i])->decode.match.mask;
    }
    for (unsigned lsb = 0; lsb < 32; lsb++) {
        uint32_t run = run_at(common, lsb);
        unsigned values = run ? count_values(rows, run) : 0;

        if (values > most) {
            most = values;
            best = run;
        }
    }
    return best;
}

static void write_leaf(FILE *out, const Row *row, uint32_t tested, int indent)
{
    const DecodeRow *r = &row->decode;
    uint32_t mask = r->match.mask & ~tested;
    const char *and = "";

    fprintf(out, "%*s", indent, "");
    if (mask || r->exclude_count || r->need || r->deny) {
        fprintf(out, "if (");
        if (mask) {
            fprintf(out, "(insn & 0x%x) == 0x%x", mask, r->match.value & mask);
            and = " && ";
        }
        for (unsigned i = 0; i < r->exclude_count; i++, and = " && ") {
            fprintf(out, "%s(insn & 0x%x) != 0x%x", and, r->excludes[i].mask, r->excludes[i].value);
        }
        if (r->need || r->deny) {
            fprintf(out, "%s(features & 0x%" G_GINT64_MODIFIER "x) == 0x%" G_GINT64_MODIFIER "x",
                and, r->need | r->deny, r->need);
        }
        fprintf(out, ") ");
    }
    fprintf(out, "return %u;   /* %s */\n", row->index, r->name);
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void write_tree(FILE *out, GPtrArray *rows, uint32_t tested, int indent)
{
    uint32_t run = choose_run(rows, tested);
    unsigned lsb = run ? __builtin_ctz(run) : 0;
    g_autofree uint32_t *keys = g_new(uint32_t, rows->len);
    unsigned used = 0;

    if (!run) {
        for (unsigned i = 0; i < rows->len; i++) {
            write_leaf(out, rows->pdata[i], tested, indent);
        }
        fprintf(out, "%*sreturn -1;\n", indent, "");
        return;
    }
    for (unsigned i = 0; i < rows->len; i++) {
        keys[used++] = ((const Row *)rows->pdata[i])->decode.match.value & run;
    }
    qsort(keys, used, sizeof(*keys), compare_keys);
    fprintf(out, "%*sswitch (insn >> %u & 0x%x) {\n", indent, "", lsb, run >> lsb);
    for (unsigned k = 0; k < used; k++) {
        g_autoptr(GPtrArray) group = g_ptr_array_new();

        if (k && keys[k] == keys[k - 1]) {
            continue;
        }
        for (unsigned i = 0; i < rows->len; i++) {
            const Row *row = rows->pdata[i];

            if ((row->decode.match.value & run) == keys[k]) {
                g_ptr_array_add(group, rows->pdata[i]);
            }
        }
        fprintf(out, "%*scase 0x%x:\n", indent, "", keys[k] >> lsb);
        write_tree(out, group, tested | run, indent + 4);
    }
    fprintf(out, "%*s}\n%*sreturn -1;\n", indent, "", indent, "");
}

/* The operand's value as a C expression. */
static void write_value(FILE *out, const DecodeField *f)
{
    unsigned bits = 0;

    if (!f->count) {
        fprintf(out, "%d", f->add);
        return;
    }
    for (unsigned i = 0; i < f->count; i++) {
        bits += f->pieces[i].length;
    }
    fprintf(out, "(int32_t)((");
    for (unsigned i = 0, left = bits; i < f->count; i++) {
        const DecodePiece *p = &f->pieces[i];

        left -= p->length;
        fprintf(out, "%s%s(insn, %u, %u) << %u", i ? " | " : "",
            f->is_signed && !i ? "sbits" : "bits", p->lsb, p->length, left);
    }
    fprintf(out, ") << %u) + %d", f->shift, f->add);
}

static void write_calls(FILE *out, const Decoder *d)
{
    fprintf(out,
        "bool %s_translate_row(%sTranslator *t, int row, uint32_t insn)\n{\n"
        "    COVERAGE_REACH(\"%s\", (unsigned)row, %s_decode_table.row_count,\n"
        "        %s_decode_table.rows, sizeof(DecodeRow));\n    switch (row) {\n",
        d->prefix, d->camel, d->prefix, d->prefix, d->prefix);
    for (unsigned i = 0; i < d->rows->len; i++) {
        const Row *row = d->rows->pdata[i];
        g_autofree char *shape = camel_case(row->format->shape->name);

        fprintf(out, "    case %u: return %s_%s(t, &(const %s%s){ ", i, d->prefix, row->function,
            d->camel, shape);
        for (unsigned k = 0; k < row->count; k++) {
            fprintf(out, "%s.%s = ", k ? ", " : "", row->operands[k].name);
            write_value(out, &row->operands[k]);
        }
        fprintf(out, " });\n");
    }
    fprintf(out, "    }\n    return false;\n}\n\n");
}

static void write_operands(FILE *out, const Row *row)
{
    fprintf(out, "static const DecodeField fields_%u[] = {\n", row->index);
    for (unsigned i = 0; i < row->count; i++) {
        const DecodeField *f = &row->operands[i];

        fprintf(out,
            "    { .name = \"%s\", .count = %u, .shift = %u, .is_signed = %d, .add = %d, .pieces = "
            "{",
            f->name, f->count, f->shift, f->is_signed, f->add);
        for (unsigned k = 0; k < f->count; k++) {
            fprintf(out, " {%u, %u},", f->pieces[k].lsb, f->pieces[k].length);
        }
        fprintf(out, " } },\n");
    }
    fprintf(out, "};\n");
}

static void write_row(FILE *out, const Row *row)
{
    const DecodeRow *r = &row->decode;

    fprintf(out,
        "    { .name = \"%s\", .match = { 0x%x, 0x%x }, .bits = %u, .print = \"%s\",\n"
        "      .need = 0x%" G_GINT64_MODIFIER "x, .deny = 0x%" G_GINT64_MODIFIER "x,",
        r->name, r->match.mask, r->match.value, r->bits, r->print, r->need, r->deny);
    if (row->count) {
        fprintf(out, " .fields = fields_%u, .field_count = %u,", row->index, row->count);
    }
    fprintf(out, " .exclude_count = %u, .excludes = {", r->exclude_count);
    for (unsigned i = 0; i < r->exclude_count; i++) {
        fprintf(out, " { 0x%x, 0x%x },", r->excludes[i].mask, r->excludes[i].value);
    }
    fprintf(out, " } },\n");
}

static void write_tables(FILE *out, const Decoder *d)
{
    for (unsigned i = 0; i < d->rows->len; i++) {
        if (((const Row *)d->rows->pdata[i])->count) {
            write_operands(out, d->rows->pdata[i]);
        }
    }
    fprintf(out, "\nstatic const DecodeRow rows[] = {\n");
    for (unsigned i = 0; i < d->rows->len; i++) {
        write_row(out, d->rows->pdata[i]);
    }
    fprintf(out, "};\n\nstatic const char *const features[] = {\n");
    for (unsigned i = 0; i < d->features->len; i++) {
        fprintf(out, "    \"%s\",\n", (const char *)d->features->pdata[i]);
    }
    fprintf(out,
        "    NULL,\n};\n\nconst DecodeTable %s_decode_table = {\n"
        "    .rows = rows, .row_count = %u,\n"
        "    .features = features, .feature_count = %u,\n    .find = %s_find,\n};\n",
        d->prefix, d->rows->len, d->features->len, d->prefix);
}

static void write_code(FILE *out, const Decoder *d, const char *header)
{
    fprintf(out,
        "/* Made by mkdecode from insn.decode; do not edit. */\n#include \"%s\"\n\n"
        "#include \"tcg/coverage.h\"\n\n"
        "static inline uint32_t bits(uint32_t insn, unsigned lsb, unsigned length)\n{\n"
        "    return insn << (32 - lsb - length) >> (32 - length);\n}\n\n"
        "static inline __attribute__((unused)) uint32_t sbits(uint32_t insn, unsigned lsb, "
        "unsigned length)\n"
        "{\n    return (int32_t)(insn << (32 - lsb - length)) >> (32 - length);\n}\n\n"
        "int %s_find(uint32_t insn, uint64_t features)\n{\n",
        header, d->prefix);
    write_tree(out, d->rows, 0, 4);
    fprintf(out, "}\n\n");
    write_calls(out, d);
    write_tables(out, d);
}

/* ---- the program ------------------------------------------------------------------------------ */

static bool read_file(Decoder *d, const char *file)
{
    FILE *in = fopen(file, "r");
    char *text = NULL;
    size_t room = 0;

    if (!in) {
        perror(file);
        return false;
    }
    d->at = (Place){ file, 0 };
    while (getline(&text, &room, in) > 0) {
        d->at.line++;
        read_line(d, text);
    }
    free(text);
    fclose(in);
    return true;
}

static FILE *create(const char *base, const char *suffix)
{
    g_autofree char *name = g_strconcat(base, suffix, NULL);
    FILE *out = fopen(name, "w");

    if (!out) {
        perror(name);
        exit(1);
    }
    return out;
}

static bool finish(FILE *out)
{
    bool bad = ferror(out);

    return !fclose(out) && !bad;
}

int main(int argc, char **argv)
{
    Decoder d = {
        .features = g_ptr_array_new(),
        .fields = g_ptr_array_new(),
        .formats = g_ptr_array_new(),
        .rows = g_ptr_array_new(),
    };

    if (argc != 3) {
        fprintf(stderr, "usage: mkdecode INSN.DECODE OUTPUT\n");
        return 2;
    }
    if (!read_file(&d, argv[1])) {
        return 1;
    }
    if (!d.errors) {
        check(&d);
    }
    if (d.errors) {
        return 1;
    }

    g_autofree char *base = g_path_get_basename(argv[2]);
    g_autofree char *header = g_strconcat(base, ".h", NULL);
    FILE *h = create(argv[2], ".h"), *c = create(argv[2], ".c");

    write_header(h, &d);
    write_code(c, &d, header);
    return finish(h) && finish(c) ? 0 : 1;
}
