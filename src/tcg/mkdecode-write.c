/* mkdecode: the decision tree, the calls of the translate functions, and the tables of tcg/decode.h. */
#include <stdlib.h>
#include <string.h>

#include "tcg/mkdecode.h"

/*
 * Rows that one function of the decision tree tells apart: what a compiler takes for a function grows with the square of
 * its size.
 */
enum { WHOLE_ROWS = 100 };

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

void decoder_write_header(FILE *out, const Decoder *d)
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

static void add_leaf(GString *out, const Row *row, uint32_t tested, int indent)
{
    const DecodeRow *r = &row->decode;
    uint32_t mask = r->match.mask & ~tested;
    const char *and = "";

    g_string_append_printf(out, "%*s", indent, "");
    if (mask || r->exclude_count || r->need || r->deny) {
        g_string_append_printf(out, "if (");
        if (mask) {
            g_string_append_printf(out, "(insn & 0x%x) == 0x%x", mask, r->match.value & mask);
            and = " && ";
        }
        for (unsigned i = 0; i < r->exclude_count; i++, and = " && ") {
            g_string_append_printf(
                out, "%s(insn & 0x%x) != 0x%x", and, r->excludes[i].mask, r->excludes[i].value);
        }
        if (r->need || r->deny) {
            g_string_append_printf(out,
                "%s(features & 0x%" G_GINT64_MODIFIER "x) == 0x%" G_GINT64_MODIFIER "x", and,
                r->need | r->deny, r->need);
        }
        g_string_append_printf(out, ") ");
    }
    g_string_append_printf(out, "return %u;   /* %s */\n", row->index, r->name);
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static char *write_subtree(FILE *out, GPtrArray *rows, uint32_t tested);

/* Adds the tests that tell rows apart to a function's body; large parts become functions of their own in file. */
static void add_tree(FILE *file, GString *out, GPtrArray *rows, uint32_t tested, int indent)
{
    uint32_t run = choose_run(rows, tested);
    unsigned lsb = run ? __builtin_ctz(run) : 0;
    g_autofree uint32_t *keys = g_new(uint32_t, rows->len);
    unsigned used = 0;

    if (!run) {
        for (unsigned i = 0; i < rows->len; i++) {
            add_leaf(out, rows->pdata[i], tested, indent);
        }
        g_string_append_printf(out, "%*sreturn -1;\n", indent, "");
        return;
    }
    for (unsigned i = 0; i < rows->len; i++) {
        keys[used++] = ((const Row *)rows->pdata[i])->decode.match.value & run;
    }
    qsort(keys, used, sizeof(*keys), compare_keys);
    g_string_append_printf(out, "%*sswitch (insn >> %u & 0x%x) {\n", indent, "", lsb, run >> lsb);
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
        g_string_append_printf(out, "%*scase 0x%x:\n", indent, "", keys[k] >> lsb);
        if (group->len > WHOLE_ROWS) {
            g_autofree char *name = write_subtree(file, group, tested | run);

            g_string_append_printf(out, "%*sreturn %s(insn, features);\n", indent + 4, "", name);
        } else {
            add_tree(file, out, group, tested | run, indent + 4);
        }
    }
    g_string_append_printf(out, "%*s}\n%*sreturn -1;\n", indent, "", indent, "");
}

/* A function for rows that agree in the tested bits; its name. */
static char *write_subtree(FILE *out, GPtrArray *rows, uint32_t tested)
{
    g_autoptr(GString) body = g_string_new(NULL);
    char *name = g_strdup_printf("find_%u_%x", ((const Row *)rows->pdata[0])->index, tested);

    add_tree(out, body, rows, tested, 4);
    fprintf(out,
        "static __attribute__((noinline)) int %s(uint32_t insn, uint64_t features)\n{\n%s}\n\n",
        name, body->str);
    return name;
}

static void write_find(FILE *out, const Decoder *d)
{
    g_autoptr(GString) body = g_string_new(NULL);

    add_tree(out, body, d->rows, 0, 4);
    fprintf(out, "int %s_find(uint32_t insn, uint64_t features)\n{\n%s}\n\n", d->prefix, body->str);
}

/* The operand's value as a C expression. */
static void add_value(GString *out, const DecodeField *f)
{
    unsigned bits = 0;

    if (!f->count) {
        g_string_append_printf(out, "%d", f->add);
        return;
    }
    for (unsigned i = 0; i < f->count; i++) {
        bits += f->pieces[i].length;
    }
    g_string_append(out, "(int32_t)((");
    for (unsigned i = 0, left = bits; i < f->count; i++) {
        const DecodePiece *p = &f->pieces[i];

        left -= p->length;
        g_string_append_printf(out, "%s%s(insn, %u, %u) << %u", i ? " | " : "",
            f->is_signed && !i ? "sbits" : "bits", p->lsb, p->length, left);
    }
    g_string_append_printf(out, ") << %u) + %d", f->shift, f->add);
}

/* "rv_add(t, &(const RvR){ .rd = ..., .rs1 = ... })" */
static char *call_of_row(const Decoder *d, const Row *row)
{
    g_autofree char *shape = camel_case(row->format->shape->name);
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        out, "%s_%s(t, &(const %s%s){ ", d->prefix, row->function, d->camel, shape);
    for (unsigned k = 0; k < row->count; k++) {
        g_string_append_printf(out, "%s.%s = ", k ? ", " : "", row->operands[k].name);
        add_value(out, &row->operands[k]);
    }
    g_string_append(out, " })");
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
    fprintf(out, "static bool call_%u(%sTranslator *t, uint32_t insn)\n{\n    return %s;\n}\n\n",
        row->index, d->camel, call);
    return row->index;
}

/* A function for each, as compilers take long over one that has hundreds of calls. */
static void write_calls(FILE *out, const Decoder *d)
{
    g_autoptr(GHashTable) written = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree unsigned *calls = g_new0(unsigned, d->rows->len + 1);

    for (unsigned i = 0; i < d->rows->len; i++) {
        calls[i] = write_call(out, d, d->rows->pdata[i], written);
    }
    fprintf(out, "static bool (*const calls[])(%sTranslator *t, uint32_t insn) = {\n", d->camel);
    for (unsigned i = 0; i < d->rows->len; i++) {
        fprintf(out, "    call_%u,\n", calls[i]);
    }
    fprintf(out,
        "};\n\nbool %s_translate_row(%sTranslator *t, int row, uint32_t insn)\n{\n"
        "    COVERAGE_REACH(\"%s\", (unsigned)row, %s_decode_table.row_count,\n"
        "        %s_decode_table.rows, sizeof(DecodeRow));\n"
        "    return calls[row](t, insn);\n}\n\n",
        d->prefix, d->camel, d->prefix, d->prefix, d->prefix);
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

void decoder_write_code(FILE *out, const Decoder *d, const char *header)
{
    fprintf(out,
        "/* Made by mkdecode from insn.decode; do not edit. */\n#include \"%s\"\n\n"
        "#include \"tcg/coverage.h\"\n\n"
        "static inline uint32_t bits(uint32_t insn, unsigned lsb, unsigned length)\n{\n"
        "    return insn << (32 - lsb - length) >> (32 - length);\n}\n\n"
        "static inline __attribute__((unused)) uint32_t sbits(uint32_t insn, unsigned lsb, "
        "unsigned length)\n"
        "{\n    return (int32_t)(insn << (32 - lsb - length)) >> (32 - length);\n}\n\n",
        header);
    write_find(out, d);
    write_calls(out, d);
    write_tables(out, d);
}
