/* mkdecode: the header, the calls of the translate functions, and the tables of tcg/decode.h. */
#include <stdlib.h>
#include <string.h>

#include "tcg/mkdecode.h"

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

void add_pieces(GString *out, const DecodeField *f)
{
    unsigned left = 0;

    for (unsigned i = 0; i < f->count; i++) {
        left += f->pieces[i].length;
    }
    for (unsigned i = 0; i < f->count; i++) {
        const DecodePiece *p = &f->pieces[i];

        left -= p->length;
        g_string_append(out, i ? " | " : "");
        if (f->is_signed && !i) {
            g_string_append_printf(out, "sbits(insn, %u, %u)", p->lsb, p->length);
        } else {
            g_string_append_printf(out, "(insn >> %u & 0x%" G_GINT64_MODIFIER "x)", p->lsb,
                (UINT64_C(1) << p->length) - 1);
        }
        if (left) {
            g_string_append_printf(out, " << %u", left);
        }
    }
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

/* The operands are in the caller's frame, so that a row's call can jump to the row's function. */
static void write_translate_row(FILE *out, const Decoder *d)
{
    const char *p = d->prefix, *c = d->camel;

    fprintf(out, "/* The operands of any row. */\ntypedef union %sFields {\n", c);
    for (unsigned i = 0; i < d->formats->len; i++) {
        const Format *format = d->formats->pdata[i];
        g_autofree char *shape = camel_case(format->name);

        if (format->shape == format) {
            fprintf(out, "    %s%s %s;\n", c, shape, format->name);
        }
    }
    fprintf(out,
        "} %sFields;\n\n"
        "typedef bool %sCall(%sTranslator *t, uint32_t insn, %sFields *to);\n"
        "extern %sCall *const %s_calls[]; /* of each row */\n\n"
        "/* Calls the row's function; false: illegal. */\n"
        "static inline bool %s_translate_row(%sTranslator *t, int row, uint32_t insn)\n{\n"
        "    %sFields fields;\n\n"
        "    COVERAGE_REACH(\"%s\", (unsigned)row, %s_decode_table.row_count,\n"
        "        %s_decode_table.rows, sizeof(DecodeRow));\n"
        "    return %s_calls[row](t, insn, &fields);\n}\n\n",
        c, c, c, c, c, p, p, c, c, p, p, p, p);
}

void decoder_write_header(FILE *out, const Decoder *d, const Tree *tree)
{
    g_autofree char *upper = g_ascii_strup(d->prefix, -1);

    fprintf(out,
        "/* Made by mkdecode from insn.decode; do not edit. */\n"
        "#ifndef %s_INSN_GEN_H\n#define %s_INSN_GEN_H\n\n#include \"tcg/coverage.h\"\n"
        "#include \"tcg/decode.h\"\n\n",
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
        "\nextern const DecodeTable %s_decode_table;\nextern const DecodeTree %s_decode_tree;\n\n",
        d->prefix, d->prefix);
    write_find(out, d, tree);
    write_translate_row(out, d);
    fprintf(out, "#endif\n");
}

/* The operand's value as a C expression. */
static void add_value(GString *out, const DecodeField *f)
{
    if (!f->count) {
        g_string_append_printf(out, "%d", f->add);
        return;
    }
    g_string_append(out, f->shift ? "(int32_t)((" : "(int32_t)(");
    add_pieces(out, f);
    g_string_append(out, ")");
    if (f->shift) {
        g_string_append_printf(out, " << %u)", f->shift);
    }
    if (f->add) {
        g_string_append_printf(out, " + %d", f->add);
    }
}

/* "to->r = (RvR){ .rd = ..., .rs1 = ... }; return rv_add(t, &to->r);" */
static char *call_of_row(const Decoder *d, const Row *row)
{
    const char *shape = row->format->shape->name;
    g_autofree char *type = camel_case(shape);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "    to->%s = (%s%s){", shape, d->camel, type);
    for (unsigned k = 0; k < row->count; k++) {
        g_string_append_printf(out, "%s .%s = ", k ? "," : "", row->operands[k].name);
        add_value(out, &row->operands[k]);
    }
    g_string_append_printf(
        out, " };\n    return %s_%s(t, &to->%s);\n", d->prefix, row->function, shape);
    return g_string_free(out, FALSE);
}

/* call_N for row N; when another row makes the same call, its number stands for both. */
static unsigned write_call(FILE *out, const Decoder *d, const Row *row, GHashTable *written)
{
    char *call = call_of_row(d, row);
    const Row *same = g_hash_table_lookup(written, call);

    if (same) {
        return same->index;
    }
    g_hash_table_insert(written, call, (void *)row);
    fprintf(out, "static bool call_%u(%sTranslator *t, uint32_t insn, %sFields *to)\n{\n%s}\n\n",
        row->index, d->camel, d->camel, call);
    return row->index;
}

static void write_calls(FILE *out, const Decoder *d)
{
    g_autoptr(GHashTable) written = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree unsigned *calls = g_new0(unsigned, d->rows->len + 1);

    for (unsigned i = 0; i < d->rows->len; i++) {
        calls[i] = write_call(out, d, d->rows->pdata[i], written);
    }
    fprintf(out, "%sCall *const %s_calls[] = {\n", d->camel, d->prefix);
    for (unsigned i = 0; i < d->rows->len; i++) {
        fprintf(out, "    call_%u, /* %s */\n", calls[i],
            ((const Row *)d->rows->pdata[i])->decode.name);
    }
    fprintf(out, "};\n");
}

/* The elements of a row's DecodeField[]. */
static char *fields_of_row(const Row *row)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < row->count; i++) {
        const DecodeField *f = &row->operands[i];

        g_string_append_printf(out,
            "    { .name = \"%s\", .count = %u, .shift = %u, .is_signed = %d, .add = %d, .pieces = "
            "{",
            f->name, f->count, f->shift, f->is_signed, f->add);
        for (unsigned k = 0; k < f->count; k++) {
            g_string_append_printf(out, " {%u, %u},", f->pieces[k].lsb, f->pieces[k].length);
        }
        g_string_append(out, " } },\n");
    }
    return g_string_free(out, FALSE);
}

/* Writes fields_N for row N; when another row has the same, its number stands for both. */
static unsigned write_fields(FILE *out, const Row *row, GHashTable *written)
{
    char *text = fields_of_row(row);
    const Row *same = g_hash_table_lookup(written, text);

    if (same) {
        return same->index;
    }
    g_hash_table_insert(written, text, (void *)row);
    fprintf(out, "static const DecodeField fields_%u[] = {\n%s};\n", row->index, text);
    return row->index;
}

static void write_row(FILE *out, const Row *row, unsigned fields)
{
    const DecodeRow *r = &row->decode;

    fprintf(out,
        "    { .name = \"%s\", .match = { 0x%x, 0x%x }, .bits = %u, .print = \"%s\",\n"
        "      .need = 0x%" G_GINT64_MODIFIER "x, .deny = 0x%" G_GINT64_MODIFIER "x,",
        r->name, r->match.mask, r->match.value, r->bits, r->print, r->need, r->deny);
    if (row->count) {
        fprintf(out, " .fields = fields_%u, .field_count = %u,", fields, row->count);
    }
    fprintf(out, " .exclude_count = %u, .excludes = {", r->exclude_count);
    for (unsigned i = 0; i < r->exclude_count; i++) {
        fprintf(out, " { 0x%x, 0x%x },", r->excludes[i].mask, r->excludes[i].value);
    }
    fprintf(out, " } },\n");
}

static void write_tables(FILE *out, const Decoder *d)
{
    g_autoptr(GHashTable) written = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree unsigned *fields = g_new0(unsigned, d->rows->len + 1);

    for (unsigned i = 0; i < d->rows->len; i++) {
        if (((const Row *)d->rows->pdata[i])->count) {
            fields[i] = write_fields(out, d->rows->pdata[i], written);
        }
    }
    fprintf(out, "\nstatic const DecodeRow rows[] = {\n");
    for (unsigned i = 0; i < d->rows->len; i++) {
        write_row(out, d->rows->pdata[i], fields[i]);
    }
    fprintf(out, "};\n\nstatic const char *const feature_names[] = {\n");
    for (unsigned i = 0; i < d->features->len; i++) {
        fprintf(out, "    \"%s\",\n", (const char *)d->features->pdata[i]);
    }
    fprintf(out,
        "    NULL,\n};\n\nconst DecodeTable %s_decode_table = {\n"
        "    .rows = rows, .row_count = %u,\n"
        "    .features = feature_names, .feature_count = %u,\n"
        "    .find = %s_find,\n};\n",
        d->prefix, d->rows->len, d->features->len, d->prefix);
}

void decoder_write_code(FILE *out, const Decoder *d, const Tree *tree, const char *header)
{
    fprintf(out,
        "/* Made by mkdecode from insn.decode; do not edit. */\n#include \"%s\"\n\n"
        "static inline __attribute__((unused)) uint32_t sbits(uint32_t insn, unsigned lsb, "
        "unsigned length)\n"
        "{\n    return (int32_t)(insn << (32 - lsb - length)) >> (32 - length);\n}\n\n",
        header);
    write_tables(out, d);
    write_tree(out, d, tree);
    write_calls(out, d);
}
