/* mkdecode: the decision tree as tables, and the function that walks it. */
#include "tcg/mkdecode.h"

static const char *row_name(const Decoder *d, unsigned index)
{
    return ((const Row *)d->rows->pdata[index])->decode.name;
}

/* An entry as C. */
static char *entry_text(unsigned entry)
{
    return entry < TREE_STEP ? g_strdup_printf("%u", entry)
        : entry < TREE_LIST  ? g_strdup_printf("STEP(%u)", entry - TREE_STEP)
        : entry == TREE_LIST ? g_strdup("NONE")
                             : g_strdup_printf("LIST(%u)", entry - TREE_LIST);
}

/* The names of rows, also of those in lists, but not of what further steps come to: a comment. */
static void add_names(GString *out, const Decoder *d, const Tree *tree, unsigned entry)
{
    if (entry < TREE_STEP) {
        g_string_append_printf(out, " %s", row_name(d, entry));
    } else if (entry < TREE_LIST) {
        g_string_append_printf(out, " step %u", entry - TREE_STEP);
    }
    for (unsigned i = entry - TREE_LIST; entry >= TREE_LIST; i++) {
        unsigned row = g_array_index(tree->lists, unsigned, i);

        if (row == DECODE_LIST_END) {
            return;
        }
        g_string_append_printf(out, " %s", row_name(d, row));
    }
}

/* What a step comes to: "csel csinc". */
static char *step_names(const Decoder *d, const Tree *tree, const DecodeStep *step)
{
    GString *out = g_string_new(NULL);
    const unsigned *entries = &g_array_index(tree->entries, unsigned, step->base);

    for (unsigned i = 0; i <= step->mask; i++) {
        unsigned before = 0;

        while (entries[before] != entries[i]) {
            before++;
        }
        if (before == i) {
            add_names(out, d, tree, entries[i]);
        }
    }
    return g_string_free(out, FALSE);
}

static bool is_same_step(const DecodeStep *a, const DecodeStep *b)
{
    return a->base == b->base && a->lsb == b->lsb && a->mask == b->mask;
}

static void write_begins(FILE *out, const Tree *tree)
{
    fprintf(out, "static const uint16_t begins[] = {");
    for (unsigned i = 0; i < tree->begins->len; i++) {
        fprintf(out, "%s%u,", i % 16 ? " " : "\n    ", g_array_index(tree->begins, unsigned, i));
    }
    fprintf(out, "\n};\n\n");
}

/* Equal neighbours stand in one line. */
static void write_steps(
    FILE *out, const Decoder *d, const Tree *tree, const char *name, const GArray *array)
{
    const DecodeStep *steps = (const DecodeStep *)array->data;

    fprintf(out, "static const _Alignas(64) DecodeStep %s[] = {\n", name);
    for (unsigned i = 0, next; i < array->len; i = next) {
        g_autofree char *names = step_names(d, tree, &steps[i]);

        for (next = i + 1; next < array->len && is_same_step(&steps[next], &steps[i]); next++) {}
        if (next == i + 1) {
            fprintf(out, "    [0x%x] = ", i);
        } else {
            fprintf(out, "    [0x%x ... 0x%x] = ", i, next - 1);
        }
        fprintf(out, "{ %u, %u, 0x%x }, /*%s */\n", steps[i].base, steps[i].lsb, steps[i].mask,
            *names ? names : " none");
    }
    if (!array->len) {
        fprintf(out, "    { 0 }, /* none is needed */\n");
    }
    fprintf(out, "};\n\n");
}

static bool step_begins_at(const Tree *tree, unsigned at)
{
    const GArray *steps[] = { tree->first, tree->steps };

    for (unsigned k = 0; k < G_N_ELEMENTS(steps); k++) {
        for (unsigned i = 0; i < steps[k]->len; i++) {
            if (g_array_index(steps[k], DecodeStep, i).base == at) {
                return true;
            }
        }
    }
    return false;
}

static void write_entries(FILE *out, const Tree *tree)
{
    fprintf(out, "static const uint16_t entries[] = {");
    for (unsigned i = 0, column = 0; i < tree->entries->len; i++) {
        g_autofree char *text = entry_text(g_array_index(tree->entries, unsigned, i));
        bool begins = i >= tree->alone && step_begins_at(tree, i);

        if (!i || begins) {
            fprintf(out, "\n    /* %u */", i);
        }
        column = begins ? 0 : column;
        fprintf(out, "%s%s,", column % 16 || !column ? " " : "\n    ", text);
        column++;
    }
    fprintf(out, "\n};\n\n");
}

static void write_lists(FILE *out, const Decoder *d, const Tree *tree)
{
    GString *names = g_string_new(NULL);

    fprintf(out, "static const uint16_t lists[] = {\n   ");
    for (unsigned i = 0; i < tree->lists->len; i++) {
        unsigned row = g_array_index(tree->lists, unsigned, i);

        if (row == DECODE_LIST_END) {
            fprintf(out, " DECODE_LIST_END, /*%s */\n%s", names->len ? names->str : " none",
                i + 1 < tree->lists->len ? "   " : "");
            g_string_truncate(names, 0);
        } else {
            fprintf(out, " %u,", row);
            g_string_append_printf(names, " %s", row_name(d, row));
        }
    }
    fprintf(out, "};\n\n");
}

/* needs, and which of them is each row's. */
static void write_needs(FILE *out, const Decoder *d)
{
    g_autoptr(GArray) needs = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    fprintf(out, "static const uint8_t needs_of[] = {");
    for (unsigned i = 0; i < d->rows->len; i++) {
        uint64_t need = ((const Row *)d->rows->pdata[i])->decode.need;
        unsigned at = 0;

        while (at < needs->len && g_array_index(needs, uint64_t, at) != need) {
            at++;
        }
        if (at == needs->len) {
            g_assert(at <= UINT8_MAX);
            g_array_append_val(needs, need);
        }
        fprintf(out, "%s%u,", i % 16 ? " " : "\n    ", at);
    }
    fprintf(out, "\n};\n\nstatic const uint64_t needs[] = {\n");
    for (unsigned i = 0; i < needs->len; i++) {
        fprintf(out, "    0x%" G_GINT64_MODIFIER "x,", g_array_index(needs, uint64_t, i));
        for (unsigned k = 0; k < d->features->len; k++) {
            if (g_array_index(needs, uint64_t, i) >> k & 1) {
                fprintf(out, " /* %s */", (const char *)d->features->pdata[k]);
            }
        }
        fprintf(out, "\n");
    }
    fprintf(out, "};\n\n");
}

void write_find(FILE *out, const Decoder *d, const Tree *tree)
{
    g_autoptr(GString) top = g_string_new(NULL);
    unsigned bits = tree->low_bits;

    add_pieces(top, &tree->top);
    fprintf(out,
        "/* The row that takes insn, -1 when none does. */\n"
        "static inline int %s_find(uint32_t insn, uint64_t features)\n{\n"
        "    const DecodeTree *tree = &%s_decode_tree;\n    uint32_t top = %s;\n",
        d->prefix, d->prefix, tree->top.count ? top->str : "0");
    if (tree->begins->len == 1) {
        fprintf(out, "\n    return decode_walk(tree, &tree->first[top], insn, features);\n}\n\n");
        return;
    }
    fprintf(out, "    uint64_t low = insn & 0x%x;\n\n", (1u << bits) - 1);
    for (unsigned bit = 0; bit < 64; bit++) {
        if (tree->split >> bit & 1) {
            fprintf(out, "    low |= (features >> %u & 1) << %u; /* %s */\n", bit, bits++,
                (const char *)d->features->pdata[bit]);
        }
    }
    fprintf(out,
        "    return decode_walk(tree, &tree->first[tree->begins[low] + top], insn, features);\n"
        "}\n\n");
}

void write_tree(FILE *out, const Decoder *d, const Tree *tree)
{
    fprintf(out,
        "enum { ROWS = %u, STEPS = %u };\n\n#define STEP(n) (ROWS + (n))\n"
        "#define LIST(n) (ROWS + STEPS + (n))\n#define NONE    LIST(0)\n\n"
        "/* base, lsb, mask: goes on at entries[base + (insn >> lsb & mask)] */\n",
        d->rows->len, tree->steps->len);
    write_begins(out, tree);
    write_steps(out, d, tree, "first", tree->first);
    write_entries(out, tree);
    write_steps(out, d, tree, "steps", tree->steps);
    write_lists(out, d, tree);
    write_needs(out, d);
    fprintf(out,
        "const DecodeTree %s_decode_tree = {\n    .begins = begins,\n    .first = first,\n"
        "    .entries = entries,\n    .steps = steps,\n    .lists = lists,\n"
        "    .needs_of = needs_of,\n    .needs = needs,\n    .rows = rows,\n"
        "    .row_count = ROWS,\n    .step_count = STEPS,\n};\n\n",
        d->prefix);
}
