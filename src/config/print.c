/* Three writers of one tree. */
#include "config/print.h"

#include <string.h>

#include "config/scalar.h"

/* Whether an entry of the root is left out. */
static bool is_skipped(const char *const *skip, const char *key)
{
    return skip && g_strv_contains(skip, key);
}

static bool is_empty(const Node *node)
{
    return (node->kind == NODE_MAP && node->map.count == 0) ||
        (node->kind == NODE_LIST && node->list.count == 0);
}

/* Between double quotes, escaped as JSON wants it, which YAML reads as well. */
static void append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        unsigned char c = *text;

        if (c == '"' || c == '\\') {
            g_string_append_printf(out, "\\%c", c);
        } else if (c == '\n') {
            g_string_append(out, "\\n");
        } else if (c == '\t') {
            g_string_append(out, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            g_string_append_printf(out, "\\u%04x", c);
        } else {
            g_string_append_c(out, c);
        }
    }
    g_string_append_c(out, '"');
}

/* ---- YAML ---- */

/* Safe without quotes: letters, digits and a few signs, and no number or truth value. */
static bool is_plain(const char *text)
{
    Node node = { .scalar.text = text };
    bool word = g_ascii_isalnum(*text) || strchr("./_$", *text);

    for (const char *c = text; word && *c; c++) {
        bool sign = strchr("./_-+@=$ ", *c) || (*c == ':' && c[1] && c[1] != ' ');

        word = g_ascii_isalnum(*c) || sign;
    }
    return *text && word && text[strlen(text) - 1] != ' ' &&
        scalar_read(&node).verdict == SCALAR_CLEAR && node.kind == NODE_STRING;
}

char *print_scalar_yaml(const Node *node)
{
    GString *out = g_string_new(NULL);

    if (node->kind == NODE_NULL) {
        g_string_append(out, "null");
    } else if (node->kind == NODE_MAP || node->kind == NODE_LIST) {
        g_string_append(out, node->kind == NODE_MAP ? "{}" : "[]");
    } else if (node->kind != NODE_STRING || is_plain(node->scalar.text)) {
        g_string_append(out, node->scalar.text);
    } else {
        append_quoted(out, node->scalar.text);
    }
    return g_string_free(out, false);
}

static void append_yaml(GString *out, const Node *node, unsigned depth, const char *const *skip);

/* Behind a key or a dash: on the same line when it is a scalar; a map's first key beside a dash. */
static void append_yaml_value(GString *out, const Node *node, unsigned depth, char behind)
{
    bool nested = (node->kind == NODE_MAP || node->kind == NODE_LIST) && !is_empty(node);
    size_t start = out->len;

    if (nested) {
        g_string_append_c(out, '\n');
        append_yaml(out, node, depth + 1, NULL);
    } else {
        g_autofree char *text = print_scalar_yaml(node);

        g_string_append_printf(out, " %s\n", text);
    }
    if (nested && behind == '-') {
        g_string_erase(out, start, 2 + depth * 2);
    }
}

static void append_yaml(GString *out, const Node *node, unsigned depth, const char *const *skip)
{
    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];

        if (!is_skipped(skip, entry->key)) {
            g_string_append_printf(out, "%*s", (int)depth * 2, "");
            if (is_plain(entry->key)) {
                g_string_append(out, entry->key);
            } else {
                append_quoted(out, entry->key);
            }
            g_string_append_c(out, ':');
            append_yaml_value(out, entry->value, depth, ':');
        }
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        g_string_append_printf(out, "%*s-", (int)depth * 2, "");
        append_yaml_value(out, node->list.items[i], depth, '-');
    }
}

char *print_yaml(const Node *root, const char *const *skip)
{
    GString *out = g_string_new(NULL);

    append_yaml(out, root, 0, skip);
    return g_string_free(out, false);
}

/* ---- JSON ---- */

static void append_json(GString *out, const Node *node, unsigned depth, const char *const *skip);

static void append_json_map(GString *out, const Node *node, unsigned depth, const char *const *skip)
{
    const char *separator = "{\n";

    for (unsigned i = 0; i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];

        if (!is_skipped(skip, entry->key)) {
            g_string_append_printf(out, "%s%*s", separator, (int)depth * 2 + 2, "");
            append_quoted(out, entry->key);
            g_string_append(out, ": ");
            append_json(out, entry->value, depth + 1, NULL);
            separator = ",\n";
        }
    }
    if (*separator == '{') {
        g_string_append(out, "{}");
    } else {
        g_string_append_printf(out, "\n%*s}", (int)depth * 2, "");
    }
}

static void append_json_list(GString *out, const Node *node, unsigned depth)
{
    for (unsigned i = 0; i < node->list.count; i++) {
        g_string_append_printf(out, "%s%*s", i ? ",\n" : "[\n", (int)depth * 2 + 2, "");
        append_json(out, node->list.items[i], depth + 1, NULL);
    }
    if (node->list.count == 0) {
        g_string_append(out, "[]");
    } else {
        g_string_append_printf(out, "\n%*s]", (int)depth * 2, "");
    }
}

static void append_json(GString *out, const Node *node, unsigned depth, const char *const *skip)
{
    switch ((NodeKind)node->kind) {
    case NODE_MAP: append_json_map(out, node, depth, skip); break;
    case NODE_LIST: append_json_list(out, node, depth); break;
    case NODE_STRING: append_quoted(out, node->scalar.text); break;
    case NODE_BOOL: g_string_append(out, node_is_true(node) ? "true" : "false"); break;
    case NODE_INT:
        g_string_append_printf(
            out, "%s%" G_GUINT64_FORMAT, node->negative ? "-" : "", node->scalar.magnitude);
        break;
    case NODE_FLOAT: g_string_append_printf(out, "%.17g", node->scalar.real); break;
    default: g_string_append(out, "null");
    }
}

char *print_json(const Node *root, const char *const *skip)
{
    GString *out = g_string_new(NULL);

    append_json(out, root, 0, skip);
    g_string_append_c(out, '\n');
    return g_string_free(out, false);
}

/* ---- origins ---- */

typedef struct Row {
    char *path, *value, *place;
    const char *layer;
} Row;

static void clear_row(gpointer data)
{
    Row *row = data;

    g_free(row->path);
    g_free(row->value);
    g_free(row->place);
}

static void add_rows(GArray *rows, const char *path, const Node *node, const char *const *skip)
{
    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];
        g_autofree char *below = g_strdup_printf("%s%s%s", path, *path ? "." : "", entry->key);

        if (!is_skipped(skip, entry->key)) {
            add_rows(rows, below, entry->value, NULL);
        }
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        g_autofree char *below = g_strdup_printf("%s[%u]", path, i);

        add_rows(rows, below, node->list.items[i], NULL);
    }
    if ((node->kind != NODE_MAP && node->kind != NODE_LIST) || (is_empty(node) && *path)) {
        bool is_default = g_strcmp0(node->layer, "default") == 0;
        Row row = {
            .path = g_strdup(path), .value = print_scalar_yaml(node), .layer = node->layer
        };

        row.place = is_default
            ? g_strdup("default")
            : g_strdup_printf("%s:%u", node->mark.file ? node->mark.file : "", node->mark.line);
        row.layer = is_default ? NULL : row.layer;
        g_array_append_val(rows, row);
    }
}

static int clipped(const char *text)
{
    return MIN(g_utf8_strlen(text, -1), 40);
}

char *print_origins(const Node *root, const char *const *skip)
{
    g_autoptr(GArray) rows = g_array_new(false, false, sizeof(Row));
    GString *out = g_string_new(NULL);
    int path = 0, value = 0;

    g_array_set_clear_func(rows, clear_row);
    add_rows(rows, "", root, skip);
    for (unsigned i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);

        path = MAX(path, clipped(row->path));
        value = MAX(value, clipped(row->value));
    }
    for (unsigned i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);

        g_string_append_printf(out, "%-*s  %-*s  %s%s%s\n", path, row->path, value, row->value,
            row->place, row->layer ? "  " : "", row->layer ? row->layer : "");
    }
    return g_string_free(out, false);
}

char *print_values(const Node *root, const char *const *skip)
{
    g_autoptr(GArray) rows = g_array_new(false, false, sizeof(Row));
    GString *out = g_string_new(NULL);

    g_array_set_clear_func(rows, clear_row);
    add_rows(rows, "", root, skip);
    for (unsigned i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);

        g_string_append_printf(out, "%s\t%s\n", row->path, row->value);
    }
    return g_string_free(out, false);
}
