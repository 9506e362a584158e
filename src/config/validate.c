/* One function for each group of keywords; messages name the whole path. */
#include "config/validate.h"

#include <math.h>
#include <string.h>

#include "config/print.h"
#include "config/scalar.h"
#include "config/suggest.h"

enum { LISTED_KEYS = 24, LONGEST_REF_CHAIN = 16, DEEPEST_CHECK = 512 };

/* A node's place: a list, on the stack, from the node to the root. */
typedef struct Place Place;
struct Place {
    const Place *up;
    const char *key; /* NULL: an item of a list */
    unsigned index;
    Mark mark; /* of the key */
    const Schema *schema;
    Node *node;
};

typedef struct Validator {
    Diag *diag;
    const char *base; /* path of the root */
    unsigned depth;
} Validator;

static bool check(Validator *v, const Schema *schema, Place *at);

static void append_path(const Validator *v, GString *path, const Place *at)
{
    if (!at->up) {
        g_string_append(path, v->base);
    } else {
        append_path(v, path, at->up);
        if (!at->key) {
            g_string_append_printf(path, "[%u]", at->index);
        } else {
            g_string_append_printf(path, path->len ? ".%s" : "%s", at->key);
        }
    }
}

/* "drives.root"; "the file" at the root of one. Valid until the next call. Free it. */
static char *path_of(const Validator *v, const Place *at)
{
    GString *path = g_string_new(NULL);

    append_path(v, path, at);
    if (path->len == 0) {
        g_string_append(path, "the file");
    }
    return g_string_free(path, false);
}

static bool fail(Place *at)
{
    at->node->bad = true;
    return false;
}

static bool is_scalar(const Node *node)
{
    return node->kind != NODE_MAP && node->kind != NODE_LIST && node->kind != NODE_NULL;
}

/* A scalar for a message: as written, between backquotes. */
static char *shown(const Node *node)
{
    return is_scalar(node) ? g_strdup_printf("`%.60s`", node->scalar.text)
                           : g_strdup(node_kind_name(node->kind));
}

/* What to write for a word that people know from elsewhere; NULL: nothing is known of it. */
static const char *instead_of(const Schema *schema, const char *word)
{
    return schema->instead && word ? node_text(node_get(schema->instead, word)) : NULL;
}

/* ---- names of keys ---- */

static void add_property_names(const Schema *schema, GPtrArray *names)
{
    for (unsigned hops = 0; schema && hops < LONGEST_REF_CHAIN; hops++) {
        for (unsigned i = 0; schema->properties && i < schema->properties->map.count; i++) {
            g_ptr_array_add(names, (gpointer)schema->properties->map.entries[i].key);
        }
        schema = schema_target(schema);
    }
}

/* Those that are not there yet, in the order of the schema. */
static char *keys_left(const GPtrArray *names, const Node *map)
{
    GString *list = g_string_new(NULL);
    unsigned listed = 0;

    for (unsigned i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        if (!node_entry(map, name) && ++listed <= LISTED_KEYS) {
            g_string_append_printf(list, " %s", name);
        }
    }
    g_string_append(list, listed > LISTED_KEYS ? " ..." : "");
    return g_string_free(list, false);
}

/* ---- type, const, enum ---- */

static bool has_type(unsigned types, const Node *node)
{
    bool whole = node->kind == NODE_FLOAT && node->scalar.real == floor(node->scalar.real);

    return !types || types & 1 << node->kind || (whole && types & 1 << NODE_INT);
}

/* "a text or a map" */
static char *wanted_types(unsigned types)
{
    GString *out = g_string_new(NULL);

    for (NodeKind kind = NODE_NULL; kind <= NODE_MAP; kind++) {
        bool implied = kind == NODE_FLOAT && types & 1 << NODE_INT;

        if (types & 1 << kind && !implied) {
            g_string_append_printf(out, "%s%s", out->len ? " or " : "", node_kind_name(kind));
        }
    }
    return g_string_free(out, false);
}

static bool fail_unit(Validator *v, Place *at, UnitKind unit)
{
    const Node *node = at->node;
    g_autofree char *value = shown(node);
    g_autofree char *better = node->kind == NODE_STRING || node->kind == NODE_INT
        ? units_suggest(unit, node->scalar.text)
        : NULL;
    uint64_t number;

    diag_error(v->diag, DIAG_UNIT, node->mark, "%s is not %s", value, unit_kind_name(unit));
    if (better && strcmp(better, node->scalar.text) == 0) {
        diag_hint(v->diag, "it is more than 64 bits hold");
    } else if (better) {
        bool bytes = unit == UNIT_BYTES && units_parse(unit, better, &number);
        g_autofree char *exact = bytes ? g_strdup_printf(" (%" G_GUINT64_FORMAT " bytes)", number)
                                       : NULL;

        diag_hint(v->diag, "write %s%s", better, exact ? exact : "");
        if (node->kind == NODE_STRING) {
            diag_fix(v->diag, better); /* a number alone may have meant anything */
        }
    } else {
        diag_hint(v->diag, "write a number and a unit: %s", units_list(unit));
    }
    return fail(at);
}

/* What was written, in the form that is wanted; NULL: it has none. Free it. */
static char *in_wanted_form(const Schema *schema, const Node *node)
{
    Node alone = { 0 };

    if (schema->types == 1 << NODE_LIST && is_scalar(node)) {
        g_autofree char *item = print_scalar_yaml(node);

        return g_strdup_printf("[%s]", item);
    }
    if (node->kind == NODE_LIST && node->list.count == 1 && is_scalar(node->list.items[0]) &&
        schema->types & 1 << node->list.items[0]->kind) {
        return g_strdup(node->list.items[0]->scalar.text);
    }
    alone.scalar.text = node_text(node);
    if (alone.scalar.text && scalar_read(&alone).verdict == SCALAR_CLEAR &&
        has_type(schema->types, &alone)) {
        return g_strdup(alone.scalar.text);
    }
    return NULL;
}

static void hint_type(Validator *v, const Schema *schema, const Place *at)
{
    const Node *node = at->node;
    g_autofree char *better = in_wanted_form(schema, node);
    bool named = at->key && node->kind != NODE_LIST && schema_property(schema, at->key);

    if (schema->types == 1 << NODE_MAP && named) {
        diag_hint(v->diag, "`%s` is a key inside: indent it further", at->key);
    } else if (instead_of(schema, "*") && node->kind &&
        !(schema->types & 1 << NODE_STRING && is_scalar(node))) {
        diag_hint(v->diag, "%s", instead_of(schema, "*"));
    } else if (better) {
        diag_hint(v->diag, "write %s", better);
        diag_fix(v->diag, better);
    } else if (schema->error_message && schema->pattern && node->kind < NODE_STRING && node->kind) {
        diag_hint(v->diag, "%s", schema->error_message);
    } else if (node->kind == NODE_NULL) {
        diag_hint(v->diag, "nothing is written here; remove the key, or give it a value");
    } else if (schema->types & 1 << NODE_STRING && node->kind < NODE_STRING) {
        g_autofree char *quoted = g_strdup_printf("\"%s\"", node->scalar.text);

        diag_hint(v->diag, "write %s", quoted);
        diag_fix(v->diag, quoted);
    } else if (schema->types == 1 << NODE_MAP && node->kind == NODE_LIST) {
        diag_hint(v->diag, "write `name: ...` instead of `- ...`");
    } else if (schema->types == 1 << NODE_MAP && schema->properties) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        g_autofree char *keys = NULL;

        add_property_names(schema, names);
        keys = keys_left(names, node);
        diag_note(v->diag, NO_MARK, "it has the keys:%s", keys);
    }
}

static bool check_type(Validator *v, const Schema *schema, Place *at)
{
    if (has_type(schema->types, at->node)) {
        return true;
    }
    if (schema_unit(schema) && (at->node->kind == NODE_INT || at->node->kind == NODE_FLOAT)) {
        return fail_unit(v, at, schema_unit(schema));
    }
    g_autofree char *path = path_of(v, at);
    g_autofree char *wanted = wanted_types(schema->types);

    diag_error(v->diag, DIAG_TYPE, at->node->mark, "%s must be %s, found %s", path, wanted,
        node_kind_name(at->node->kind));
    hint_type(v, schema, at);
    return fail(at);
}

static bool check_constant(Validator *v, const Schema *schema, Place *at)
{
    if (!schema->constant || node_equal(schema->constant, at->node)) {
        return true;
    }
    g_autofree char *path = path_of(v, at);
    g_autofree char *wanted = shown(schema->constant);
    g_autofree char *value = shown(at->node);

    diag_error(
        v->diag, DIAG_NOT_ALLOWED, at->node->mark, "%s must be %s, found %s", path, wanted, value);
    return fail(at);
}

/* " raw qcow2": free it. */
static char *words_of(const Node *enumeration)
{
    GString *list = g_string_new(NULL);

    for (unsigned i = 0; i < enumeration->list.count; i++) {
        const Node *item = enumeration->list.items[i];

        if (is_scalar(item)) {
            g_string_append_printf(list, " %s", item->scalar.text);
        }
    }
    return g_string_free(list, false);
}

static void hint_enumeration(Validator *v, const Schema *schema, const Node *node)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *list = words_of(schema->enumeration);
    const char *near;

    for (unsigned i = 0; i < schema->enumeration->list.count; i++) {
        const Node *item = schema->enumeration->list.items[i];

        if (node_text(item)) {
            g_ptr_array_add(words, (gpointer)node_text(item));
        }
    }
    near = node_text(node) ? suggest(node_text(node), words) : NULL;
    if (instead_of(schema, node_text(node))) {
        diag_hint(v->diag, "%s", instead_of(schema, node_text(node)));
    } else if (near) {
        diag_hint(v->diag, "did you mean `%s`?", near);
    }
    diag_note(v->diag, NO_MARK, "allowed here:%s", list);
}

static bool check_enumeration(Validator *v, const Schema *schema, Place *at)
{
    const Node *allowed = schema->enumeration;

    for (unsigned i = 0; allowed && i < allowed->list.count; i++) {
        if (node_equal(allowed->list.items[i], at->node)) {
            return true;
        }
    }
    if (!allowed) {
        return true;
    }
    g_autofree char *path = path_of(v, at);
    g_autofree char *value = shown(at->node);

    diag_error(v->diag, DIAG_NOT_ALLOWED, at->node->mark, "%s cannot be %s", path, value);
    hint_enumeration(v, schema, at->node);
    return fail(at);
}

/* ---- numbers and texts ---- */

static bool fail_range(Validator *v, Place *at, const char *what, const Node *limit)
{
    g_autofree char *path = path_of(v, at);

    diag_error(v->diag, DIAG_RANGE, at->node->mark, "%s is %s, must be %s %s", path,
        at->node->scalar.text, what, limit->scalar.text);
    return fail(at);
}

static bool check_number(Validator *v, const Schema *schema, Place *at)
{
    if (at->node->kind != NODE_INT && at->node->kind != NODE_FLOAT) {
        return true;
    }
    if (schema->minimum && node_compare(at->node, schema->minimum) < 0) {
        return fail_range(v, at, "at least", schema->minimum);
    }
    if (schema->maximum && node_compare(at->node, schema->maximum) > 0) {
        return fail_range(v, at, "at most", schema->maximum);
    }
    return true;
}

static bool matches(const Schema *schema, const char *pattern, const char *text)
{
    const Node *node = node_get(schema->node, "pattern");
    GRegex *regex = schema_regex(schema->set, pattern, node ? node->mark : schema->node->mark);

    return !regex || g_regex_match(regex, text, 0, NULL);
}

static bool check_pattern(Validator *v, const Schema *schema, Place *at)
{
    uint64_t value;

    if (schema->unit && !units_parse(schema->unit, at->node->scalar.text, &value)) {
        return fail_unit(v, at, schema->unit);
    }
    if (!schema->pattern || matches(schema, schema->pattern, at->node->scalar.text)) {
        return true;
    }
    g_autofree char *path = path_of(v, at);

    if (schema->unit) {
        return fail_unit(v, at, schema->unit);
    }
    diag_error(
        v->diag, DIAG_FORM, at->node->mark, "%s cannot be `%.60s`", path, at->node->scalar.text);
    if (instead_of(schema, node_text(at->node))) {
        diag_hint(v->diag, "%s", instead_of(schema, node_text(at->node)));
    } else if (schema->error_message) {
        diag_hint(v->diag, "%s", schema->error_message);
    } else {
        diag_hint(v->diag, "it must match %s", schema->pattern);
    }
    return fail(at);
}

/* `what` is "at least" or "at most". */
static bool fail_count(Validator *v, Place *at, const char *what, uint64_t limit, const char *of)
{
    g_autofree char *path = path_of(v, at);

    diag_error(v->diag, DIAG_RANGE, at->node->mark, "%s must have %s %" G_GUINT64_FORMAT " %s%s",
        path, what, limit, of, limit == 1 ? "" : "s");
    return fail(at);
}

static bool check_count(
    Validator *v, Place *at, uint64_t count, uint64_t min, uint64_t max, const char *of)
{
    if (count < min) {
        return fail_count(v, at, "at least", min, of);
    }
    return count <= max || fail_count(v, at, "at most", max, of);
}

static bool check_text(Validator *v, const Schema *schema, Place *at)
{
    const char *text = node_text(at->node);

    return !text ||
        (check_count(
             v, at, g_utf8_strlen(text, -1), schema->min_length, schema->max_length, "letter") &&
            check_pattern(v, schema, at));
}

/* ---- lists ---- */

static bool check_list(Validator *v, const Schema *schema, Place *at)
{
    Node *list = at->node;
    bool good = true;

    if (list->kind != NODE_LIST) {
        return true;
    }
    good = check_count(v, at, list->list.count, schema->min_items, schema->max_items, "item");
    for (unsigned i = 0; schema->items && i < list->list.count; i++) {
        Node *item = list->list.items[i];
        Place below = { .up = at, .index = i, .mark = item->mark, .node = item };

        good &= check(v, schema->items, &below);
    }
    return good;
}

/* ---- maps ---- */

/* Where the key would be right, one level up or down; NULL if nowhere. Free it. */
static char *other_level(Validator *v, const Schema *schema, const Place *at, const char *key)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (at->up && at->up->schema && schema_property(at->up->schema, key)) {
        g_autofree char *path = path_of(v, at->up);

        return g_strdup_printf("`%s` belongs to %s, one level up: indent it less", key, path);
    }
    add_property_names(schema, names);
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        if (schema_property(schema_property(schema, name), key)) {
            return g_strdup_printf("`%s` belongs into `%s`, one level down", key, name);
        }
    }
    return NULL;
}

/* Gives the key that was probably meant, so that it is not reported as missing too. */
static const char *report_unknown_key(
    Validator *v, const Schema *schema, Place *at, const Entry *entry)
{
    g_autofree char *path = path_of(v, at);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near, *instead;

    if (!schema->properties && schema->pattern_count) {
        diag_error(
            v->diag, DIAG_FORM, entry->mark, "%s cannot have the name `%.60s`", path, entry->key);
        diag_hint(v->diag, "%s",
            schema->error_message ? schema->error_message : "names must match the pattern");
        return NULL;
    }
    add_property_names(schema, names);
    instead = instead_of(schema, entry->key);
    near = instead ? NULL : suggest(entry->key, names);
    diag_error(
        v->diag, DIAG_UNKNOWN_KEY, entry->mark, "unknown key `%.60s` in %s", entry->key, path);
    g_autofree char *elsewhere = near || instead ? NULL : other_level(v, schema, at, entry->key);
    g_autofree char *left = keys_left(names, at->node);

    if (instead) {
        diag_hint(v->diag, "%s", instead);
    } else if (near && !node_entry(at->node, near)) {
        diag_hint(v->diag, "did you mean `%s`?", near);
    } else if (elsewhere) {
        diag_hint(v->diag, "%s", elsewhere);
    }
    if (*left && !instead) {
        diag_note(v->diag, NO_MARK, "also allowed here:%s", left);
    }
    return near;
}

/* Against the schemas for this key; `met` tells whether there was one. */
static bool check_entry(Validator *v, const Schema *schema, Place *at, Entry *entry, bool *met)
{
    const Entry *property = schema->properties ? node_entry(schema->properties, entry->key) : NULL;
    Place below = { .up = at, .key = entry->key, .mark = entry->mark, .node = entry->value };
    bool good = true;

    *met = property != NULL;
    if (property) {
        good = check(
            v, schema->property_schemas[property - schema->properties->map.entries], &below);
    }
    for (unsigned i = 0; i < schema->pattern_count; i++) {
        const SchemaPattern *pattern = &schema->patterns[i];

        if (pattern->regex && g_regex_match(pattern->regex, entry->key, 0, NULL)) {
            good &= check(v, pattern->schema, &below);
            *met = true;
        }
    }
    return good;
}

/* A key of the map that no schema knows and that is spelt like the missing one. */
static const Entry *misspelt(const Schema *schema, const Node *map, const char *key)
{
    g_autoptr(GPtrArray) only = g_ptr_array_new();

    g_ptr_array_add(only, (gpointer)key);
    for (unsigned i = 0; i < map->map.count; i++) {
        const Entry *entry = &map->map.entries[i];

        if (!schema_property(schema, entry->key) && suggest(entry->key, only)) {
            return entry;
        }
    }
    return NULL;
}

static void report_missing(Validator *v, const Schema *schema, const Place *at, const char *key)
{
    g_autofree char *path = path_of(v, at);
    const Entry *near = misspelt(schema, at->node, key);
    const Schema *missing = schema_property(schema, key);

    diag_error(v->diag, DIAG_MISSING_KEY, near ? near->mark : at->mark, "%s needs the key `%s`",
        path, key);
    if (near) {
        diag_hint(v->diag, "did you mean `%s`?", key);
    } else if (missing && missing->enumeration) {
        g_autofree char *words = words_of(missing->enumeration);

        diag_hint(v->diag, "add `%s:` with one of:%s", key, words);
    } else if (missing && missing->description) {
        diag_hint(v->diag, "%.*s", (int)strcspn(missing->description, ".\n"), missing->description);
    }
}

static bool check_required(Validator *v, const Schema *schema, Place *at, const GPtrArray *meant)
{
    const Node *required = schema->required;
    bool good = true;

    for (unsigned i = 0; required && i < required->list.count; i++) {
        const char *key = node_text(required->list.items[i]);

        if (node_entry(at->node, key)) {
            continue;
        }
        good = fail(at);
        if (!g_ptr_array_find_with_equal_func((GPtrArray *)meant, key, g_str_equal, NULL)) {
            report_missing(v, schema, at, key);
        }
    }
    return good;
}

/* Keys with a new name are read as if they had it. */
static void rename_old_keys(Validator *v, const Schema *schema, Node *map)
{
    for (unsigned i = map->map.count; schema->properties && i > 0; i--) {
        const Entry entry = map->map.entries[i - 1];
        const Schema *property = schema_property(schema, entry.key);

        if (!property || !property->successor) {
            continue;
        }
        diag_warning(v->diag, DIAG_OLD_NAME, entry.mark, "`%s` is called `%s` now", entry.key,
            property->successor);
        diag_fix(v->diag, property->successor);
        if (node_entry(map, property->successor)) {
            diag_note(
                v->diag, node_entry(map, property->successor)->mark, "which is there, and counts");
        } else {
            node_map_set(schema_arena(schema), map, property->successor, entry.mark, entry.value);
        }
        node_map_remove(map, entry.key);
    }
}

/* Beside known keys only maps have free names: whatever else has one is a misspelt key. */
static bool is_stray(const Schema *schema, const Entry *entry)
{
    const Schema *free = schema->additional;

    while (free->ref && !free->types) {
        const Schema *target = schema_target(free);

        if (!target) {
            return false;
        }
        free = target;
    }
    return schema->properties && free->types == 1 << NODE_MAP && entry->value->kind != NODE_MAP;
}

static bool check_map(Validator *v, const Schema *schema, Place *at)
{
    g_autoptr(GPtrArray) meant = NULL;
    const NodeMap *map = &at->node->map;
    bool good = true, met;

    if (at->node->kind != NODE_MAP) {
        return true;
    }
    meant = g_ptr_array_new();
    rename_old_keys(v, schema, at->node);
    good = check_count(v, at, map->count, schema->min_properties, schema->max_properties, "key");
    for (unsigned i = 0; i < map->count; i++) {
        Entry *entry = &map->entries[i];

        good &= check_entry(v, schema, at, entry, &met);
        if (met || !schema->additional) {
            continue;
        }
        if (schema->additional->never || is_stray(schema, entry)) {
            const char *near = report_unknown_key(v, schema, at, entry);

            entry->value->bad = true;
            good = false;
            if (near) {
                g_ptr_array_add(meant, (gpointer)near);
            }
        } else {
            Place below = {
                .up = at, .key = entry->key, .mark = entry->mark, .node = entry->value
            };

            good &= check(v, schema->additional, &below);
        }
    }
    return check_required(v, schema, at, meant) && good;
}

/* ---- all together ---- */

static bool check_target(Validator *v, const Schema *schema, Place *at)
{
    const Schema *target = schema_target(schema);

    return !target || check(v, target, at);
}

static bool check_all(Validator *v, const Schema *schema, Place *at)
{
    if (schema->never) {
        g_autofree char *path = path_of(v, at);

        diag_error(v->diag, DIAG_NOT_ALLOWED, at->mark, "%s must not be here", path);
        return fail(at);
    }
    at->schema = schema;
    return check_type(v, schema, at) && check_constant(v, schema, at) &&
        check_enumeration(v, schema, at) && check_number(v, schema, at) &&
        check_text(v, schema, at) && check_list(v, schema, at) && check_map(v, schema, at) &&
        check_target(v, schema, at);
}

/* What is bad was reported already. A schema may refer to itself, so the depth is bounded. */
static bool check(Validator *v, const Schema *schema, Place *at)
{
    bool good;

    if (at->node->bad || v->depth == DEEPEST_CHECK) {
        return false;
    }
    v->depth++;
    good = check_all(v, schema, at);
    v->depth--;
    return good;
}

bool validate(const Schema *schema, Node *node, const char *path, Mark at, Diag *diag)
{
    Validator validator = { .diag = diag, .base = path };
    Place root = { .mark = at, .node = node };

    return check(&validator, schema, &root);
}

/* ---- defaults ---- */

static void fill_map(const Schema *schema, Node *node, Arena *arena)
{
    for (unsigned i = 0; schema->properties && i < schema->properties->map.count; i++) {
        const Entry *property = &schema->properties->map.entries[i];
        const Node *value = schema_default(schema->property_schemas[i]);

        if (value && !node_entry(node, property->key)) {
            Node *copy = node_copy(arena, value);

            copy->layer = "default";
            node_map_set(arena, node, property->key, property->mark, copy);
        }
    }
    for (unsigned i = 0; i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];
        const Schema *below = schema_property(schema, entry->key);

        for (unsigned p = 0; !below && p < schema->pattern_count; p++) {
            GRegex *regex = schema->patterns[p].regex;

            below = regex && g_regex_match(regex, entry->key, 0, NULL) ? schema->patterns[p].schema
                                                                       : NULL;
        }
        below = below ? below : schema->additional;
        if (below) {
            validate_fill_defaults(below, entry->value, arena);
        }
    }
}

void validate_fill_defaults(const Schema *schema, Node *node, Arena *arena)
{
    for (unsigned hops = 0; schema && hops < LONGEST_REF_CHAIN; hops++) {
        if (node->kind == NODE_MAP) {
            fill_map(schema, node, arena);
        } else if (node->kind == NODE_LIST && schema->items) {
            for (unsigned i = 0; i < node->list.count; i++) {
                validate_fill_defaults(schema->items, node->list.items[i], arena);
            }
        }
        schema = schema_target(schema);
    }
}
