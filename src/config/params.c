/* Values first, each once; then one walk over the tree. */
#include "config/params.h"

#include <string.h>

#include "config/scalar.h"
#include "config/source.h"
#include "config/suggest.h"
#include "config/units.h"

typedef struct Param {
    const char *name;
    const Node *value; /* NULL: it has none */
    bool bad;          /* reported: its uses are not reported again */
    Mark mark;
} Param;

typedef struct Params {
    GHashTable *table; /* name -> Param */
    const Node *declared;
    Arena *arena;
    Diag *diag;
} Params;

/* ---- values ---- */

static bool is_size(const Node *value, const Node *declaration)
{
    uint64_t number;

    return node_text(value) && units_parse(UNIT_BYTES, node_text(value), &number);
}

static bool is_duration(const Node *value, const Node *declaration)
{
    uint64_t number;

    return node_text(value) && units_parse(UNIT_TIME, node_text(value), &number);
}

static bool is_text(const Node *value, const Node *declaration)
{
    return value->kind == NODE_STRING;
}

static bool is_integer(const Node *value, const Node *declaration)
{
    return value->kind == NODE_INT;
}

static bool is_bool(const Node *value, const Node *declaration)
{
    return value->kind == NODE_BOOL;
}

static bool is_of_values(const Node *value, const Node *declaration)
{
    const Node *values = node_get(declaration, "values");

    bool text = node_text(value) != NULL;

    for (unsigned i = 0; text && values && values->kind == NODE_LIST && i < values->list.count;
         i++) {
        if (node_equal(values->list.items[i], value)) {
            return true;
        }
    }
    return false;
}

static const struct ParamType {
    const char *name, *spoken;
    bool (*fits)(const Node *value, const Node *declaration);
    bool plain; /* a variable's text is read as YAML reads a plain scalar */
} types[] = {
    { "string", "a text", is_text, false },
    { "path", "a path", is_text, false },
    { "integer", "a number", is_integer, true },
    { "bool", "true or false", is_bool, true },
    { "size", "a size, such as 64MiB", is_size, false },
    { "duration", "a time, such as 30s", is_duration, false },
    { "enum", "one of its values", is_of_values, false },
};

static const struct ParamType *find_type(const Node *declaration)
{
    const char *name = node_text(node_good(declaration, "type"));

    for (unsigned i = 0; name && i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

/* The variable as a file of one line, named `$KERNEL` in messages. NULL when it is not set. */
static const Node *from_environment(
    Params *p, const Node *declaration, const struct ParamType *type)
{
    const char *variable = node_text(node_good(declaration, "env"));
    const char *text = variable ? g_getenv(variable) : NULL;
    g_autofree char *name = NULL;
    g_autoptr(Source) source = NULL;
    Node *node;

    if (!text || !g_utf8_validate(text, -1, NULL)) {
        return NULL;
    }
    name = g_strdup_printf("$%s", variable);
    source = source_from_text(name, text, -1, p->diag);
    node = node_new_string(
        p->arena, text, (Mark){ source->name, 1, 1, MAX(1, g_utf8_strlen(text, -1)) });
    if (type->plain) {
        scalar_read(node);
    }
    return node;
}

static void add_param(Params *p, const Entry *entry)
{
    const struct ParamType *type = entry->value->bad ? NULL : find_type(entry->value);
    Param *param = ARENA_NEW(p->arena, Param);
    const Node *value = type ? from_environment(p, entry->value, type) : NULL;

    param->name = entry->key;
    param->mark = entry->mark;
    param->value = value ? value : node_get(entry->value, "default");
    param->bad = !type || (param->value && param->value->bad); /* the schema says so */
    if (!param->bad && param->value && !type->fits(param->value, entry->value)) {
        diag_error(p->diag, DIAG_PARAM_VALUE, param->value->mark, "the parameter `%s` must be %s",
            entry->key, type->spoken);
        param->bad = true;
    }
    g_hash_table_insert(p->table, (gpointer)entry->key, param);
}

/* ---- uses ---- */

static void report_unknown(Params *p, Mark at, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (unsigned i = 0; p->declared && i < p->declared->map.count; i++) {
        g_ptr_array_add(names, (gpointer)p->declared->map.entries[i].key);
    }
    near = suggest(name, names);
    diag_error(p->diag, DIAG_UNKNOWN_PARAM, at, "there is no parameter `%.60s`", name);
    if (near) {
        diag_hint(p->diag, "did you mean `${%s}`?", near);
    } else {
        diag_hint(p->diag, "write $${%.60s} if the guest's shell is meant", name);
    }
}

/* NULL after reporting. */
static const Node *value_of(Params *p, Mark at, const char *name)
{
    const Param *param = g_hash_table_lookup(p->table, name);

    if (!param) {
        report_unknown(p, at, name);
        return NULL;
    }
    if (!param->bad && !param->value) {
        diag_error(p->diag, DIAG_UNSET_PARAM, at, "the parameter `%s` has no value", name);
        diag_note(p->diag, param->mark, "it has no default, and %s",
            node_get(node_get(p->declared, name), "env") ? "its variable is not set"
                                                         : "no variable");
    }
    return param->bad ? NULL : param->value;
}

/* Appends up to and including the next use; false after reporting. */
static bool expand_next(Params *p, const Node *node, const char **text, GString *out)
{
    const char *end = strchr(*text, '}');
    g_autofree char *name = end ? g_strndup(*text + 2, end - *text - 2) : NULL;
    const Node *value;

    if (!name) {
        diag_error(p->diag, DIAG_UNKNOWN_PARAM, node->mark, "`${` without `}`");
        diag_hint(p->diag, "write $${ if no parameter is meant");
        return false;
    }
    if (g_str_has_prefix(name, "run.")) {
        g_string_append_len(out, *text, end + 1 - *text);
    } else {
        value = value_of(p, node->mark, name);
        if (!value) {
            return false;
        }
        g_string_append(out, value->scalar.text);
    }
    *text = end + 1;
    return true;
}

/* The text with its uses written out; NULL after reporting. Free it. */
static char *expand(Params *p, const Node *node)
{
    GString *out = g_string_new(NULL);
    const char *text = node->scalar.text;

    while (*text) {
        if (g_str_has_prefix(text, "$${")) {
            g_string_append(out, "${");
            text += 3;
        } else if (g_str_has_prefix(text, "${")) {
            if (!expand_next(p, node, &text, out)) {
                g_string_free(out, true);
                return NULL;
            }
        } else {
            g_string_append_c(out, *text++);
        }
    }
    return g_string_free(out, false);
}

/* The name in a text that is one use and nothing more; NULL otherwise. Free it. */
static char *only_use(const char *text)
{
    size_t length = strlen(text);

    if (!g_str_has_prefix(text, "${") || strchr(text, '}') != text + length - 1 ||
        g_str_has_prefix(text, "${run.")) {
        return NULL;
    }
    return g_strndup(text + 2, length - 3);
}

/* What the text becomes: it stands where the value was written, which is where it can be mended. */
static Node *replace(Params *p, Node *node)
{
    g_autofree char *name = only_use(node->scalar.text), *text = NULL;
    const Node *value = name ? value_of(p, node->mark, name) : NULL;
    Node *result;

    if (value) {
        result = node_copy(p->arena, value);
        result->layer = arena_printf(p->arena, "parameter %s", name);
        result->under = node;
        return result;
    }
    text = name ? NULL : expand(p, node);
    if (!text) {
        node->bad = true;
        return node;
    }
    result = node_copy(p->arena, node);
    result->scalar.text = arena_text(p->arena, text, strlen(text));
    result->under = node;
    return result;
}

static Node *walk(Params *p, Node *node)
{
    if (node->kind == NODE_MAP) {
        for (unsigned i = 0; i < node->map.count; i++) {
            node->map.entries[i].value = walk(p, node->map.entries[i].value);
        }
    } else if (node->kind == NODE_LIST) {
        for (unsigned i = 0; i < node->list.count; i++) {
            node->list.items[i] = walk(p, node->list.items[i]);
        }
    } else if (node->kind == NODE_STRING && !node->bad && strstr(node->scalar.text, "${")) {
        return replace(p, node);
    }
    return node;
}

void params_apply(Node *root, Arena *arena, Diag *diag)
{
    static const char *const left_alone[] = { "params", "profiles", "matrix", NULL };
    const Node *declared = node_good(root, "params");
    Params params = { .arena = arena, .diag = diag };

    params.declared = declared && declared->kind == NODE_MAP ? declared : NULL;
    params.table = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; params.declared && i < declared->map.count; i++) {
        add_param(&params, &declared->map.entries[i]);
    }
    for (unsigned i = 0; root->kind == NODE_MAP && i < root->map.count; i++) {
        Entry *entry = &root->map.entries[i];

        if (!g_strv_contains(left_alone, entry->key)) {
            entry->value = walk(&params, entry->value);
        }
    }
    g_hash_table_unref(params.table);
}
