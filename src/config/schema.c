/* Compiles a schema: one row of the keyword table for each word that is allowed. */
#include "config/schema.h"

#include <string.h>

enum { LONGEST_REF_CHAIN = 16 };

struct SchemaSet {
    Library *library;
    Arena *arena;
    Diag *diag;
    GHashTable *files;   /* name -> Schema; NULL values too */
    GHashTable *nodes;   /* const Node * -> Schema: each is compiled once */
    GHashTable *regexes; /* pattern -> GRegex */
};

/* ---- keywords: each handler takes its value, or says what it should have been ---- */

typedef const char *(*Keyword)(Schema *schema, const Node *value);

static const Schema *compile(SchemaSet *set, const Node *node, const Node *root);

static const char *take_types(Schema *schema, const Node *value)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } types[] = {
        { "null", 1 << NODE_NULL },
        { "boolean", 1 << NODE_BOOL },
        { "integer", 1 << NODE_INT },
        { "number", 1 << NODE_INT | 1 << NODE_FLOAT },
        { "string", 1 << NODE_STRING },
        { "array", 1 << NODE_LIST },
        { "object", 1 << NODE_MAP },
    };
    const Node *const *items = &value;
    unsigned count = 1;

    if (value->kind == NODE_LIST) {
        items = (const Node *const *)value->list.items;
        count = value->list.count;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned found = 0;

        for (unsigned t = 0; t < G_N_ELEMENTS(types); t++) {
            found |= g_strcmp0(node_text(items[i]), types[t].name) == 0 ? types[t].kinds : 0;
        }
        schema->types |= found;
        if (!found) {
            return "a type, or a list of types";
        }
    }
    return NULL;
}

static const char *take_constant(Schema *schema, const Node *value)
{
    schema->constant = value;
    return NULL;
}

static const char *take_enumeration(Schema *schema, const Node *value)
{
    schema->enumeration = value;
    return value->kind == NODE_LIST ? NULL : "a list of values";
}

static const char *take_properties(Schema *schema, const Node *value)
{
    if (value->kind != NODE_MAP) {
        return "a map of schemas";
    }
    schema->properties = value;
    schema->property_schemas = arena_alloc(schema->set->arena, value->map.count * sizeof(Schema *));
    for (unsigned i = 0; i < value->map.count; i++) {
        schema->property_schemas[i] = compile(
            schema->set, value->map.entries[i].value, schema->root);
    }
    return NULL;
}

static const char *take_patterns(Schema *schema, const Node *value)
{
    if (value->kind != NODE_MAP) {
        return "a map of patterns";
    }
    schema->pattern_count = value->map.count;
    schema->patterns = arena_alloc(schema->set->arena, value->map.count * sizeof(SchemaPattern));
    for (unsigned i = 0; i < value->map.count; i++) {
        const Entry *entry = &value->map.entries[i];

        schema->patterns[i] = (SchemaPattern){
            .source = entry->key,
            .regex = schema_regex(schema->set, entry->key, entry->mark),
            .schema = compile(schema->set, entry->value, schema->root),
        };
    }
    return NULL;
}

static const char *take_required(Schema *schema, const Node *value)
{
    schema->required = value;
    for (unsigned i = 0; value->kind == NODE_LIST && i < value->list.count; i++) {
        if (!node_text(value->list.items[i])) {
            return "a list of keys";
        }
    }
    return value->kind == NODE_LIST ? NULL : "a list of keys";
}

static const char *take_additional(Schema *schema, const Node *value)
{
    schema->additional = compile(schema->set, value, schema->root);
    return NULL;
}

static const char *take_items(Schema *schema, const Node *value)
{
    schema->items = compile(schema->set, value, schema->root);
    return NULL;
}

static const char *take_definitions(Schema *schema, const Node *value)
{
    for (unsigned i = 0; value->kind == NODE_MAP && i < value->map.count; i++) {
        compile(schema->set, value->map.entries[i].value, schema->root);
    }
    return value->kind == NODE_MAP ? NULL : "a map of schemas";
}

static const char *take_minimum(Schema *schema, const Node *value)
{
    schema->minimum = value;
    return value->kind == NODE_INT || value->kind == NODE_FLOAT ? NULL : "a number";
}

static const char *take_maximum(Schema *schema, const Node *value)
{
    schema->maximum = value;
    return value->kind == NODE_INT || value->kind == NODE_FLOAT ? NULL : "a number";
}

static const char *take_count(uint64_t *count, const Node *value)
{
    bool whole = value->kind == NODE_INT || (value->kind == NODE_FLOAT && node_real(value) >= 0);

    *count = node_uint(value);
    return whole && !value->negative ? NULL : "a whole number";
}

#define TAKE_COUNT(field)                                                                          \
    static const char *take_##field(Schema *schema, const Node *value)                             \
    {                                                                                              \
        return take_count(&schema->field, value);                                                  \
    }
TAKE_COUNT(min_items)
TAKE_COUNT(max_items)
TAKE_COUNT(min_length)
TAKE_COUNT(max_length)
TAKE_COUNT(min_properties)
TAKE_COUNT(max_properties)

#define TAKE_TEXT(field)                                                                           \
    static const char *take_##field(Schema *schema, const Node *value)                             \
    {                                                                                              \
        schema->field = node_text(value);                                                          \
        return schema->field ? NULL : "a text";                                                    \
    }
TAKE_TEXT(pattern)
TAKE_TEXT(ref)
TAKE_TEXT(description)
TAKE_TEXT(error_message)
TAKE_TEXT(names)
TAKE_TEXT(family)

static const char *take_default(Schema *schema, const Node *value)
{
    schema->default_value = value;
    return NULL;
}

static const char *take_unit(Schema *schema, const Node *value)
{
    schema->unit = node_text(value) ? unit_kind_find(node_text(value)) : UNIT_NONE;
    return schema->unit ? NULL : "bytes, time or rate";
}

static const char *take_deprecated(Schema *schema, const Node *value)
{
    schema->deprecated = node_is_true(value);
    return value->kind == NODE_BOOL ? NULL : "true or false";
}

static const char *take_successor(Schema *schema, const Node *value)
{
    schema->successor = node_text(value);
    return schema->successor ? NULL : "the name of another property";
}

static const char *take_instead(Schema *schema, const Node *value)
{
    schema->instead = value;
    return value->kind == NODE_MAP ? NULL : "a map of texts";
}

static const char *take_guest(Schema *schema, const Node *value)
{
    bool some = g_strcmp0(node_text(value), "partly") == 0;
    bool one = g_strcmp0(node_text(value), "only") == 0;

    schema->guest = some      ? GUEST_SEES_SOME
        : one                 ? GUEST_SEES_ONE
        : node_is_true(value) ? GUEST_SEES
                              : GUEST_SEES_NOTHING;
    return some || one || value->kind == NODE_BOOL ? NULL : "true, false, partly or only";
}

static const char *take_dialect(Schema *schema, const Node *value)
{
    static const char dialect[] = "https://json-schema.org/draft/2020-12/schema";

    return g_strcmp0(node_text(value), dialect) == 0 ? NULL : dialect;
}

/* Inside a file, $id would change what `#` means; none of ours needs that. */
static const char *take_id(Schema *schema, const Node *value)
{
    return schema->node != schema->root ? "at the root of its file"
        : node_text(value)              ? NULL
                                        : "a text";
}

static const char *take_words(Schema *schema, const Node *value)
{
    return node_text(value) ? NULL : "a text";
}

static const char *take_anything(Schema *schema, const Node *value)
{
    return NULL;
}

/* The words that most schemas use come first. */
static const struct {
    const char *name;
    Keyword take;
} keywords[] = {
    { "description", take_description },
    { "type", take_types },
    { "$ref", take_ref },
    { "properties", take_properties },
    { "additionalProperties", take_additional },
    { "required", take_required },
    { "enum", take_enumeration },
    { "default", take_default },
    { "pattern", take_pattern },
    { "errorMessage", take_error_message },
    { "$schema", take_dialect },
    { "$id", take_id },
    { "$defs", take_definitions },
    { "title", take_words },
    { "examples", take_anything },
    { "deprecated", take_deprecated },
    { "const", take_constant },
    { "patternProperties", take_patterns },
    { "minProperties", take_min_properties },
    { "maxProperties", take_max_properties },
    { "items", take_items },
    { "minItems", take_min_items },
    { "maxItems", take_max_items },
    { "minimum", take_minimum },
    { "maximum", take_maximum },
    { "minLength", take_min_length },
    { "maxLength", take_max_length },
    { "x-unit", take_unit },
    { "x-ref", take_names },
    { "x-schema", take_family },
    { "x-guest", take_guest },
    { "x-successor", take_successor },
    { "x-instead", take_instead },
    { "x-lathe", take_anything },
};

/* ---- compiling ---- */

static bool take_keyword(Schema *schema, const Entry *entry)
{
    Diag *diag = schema->set->diag;
    const char *wanted;

    for (unsigned i = 0; i < G_N_ELEMENTS(keywords); i++) {
        if (strcmp(keywords[i].name, entry->key) == 0) {
            wanted = keywords[i].take(schema, entry->value);
            return !wanted ||
                diag_error(diag, DIAG_SCHEMA, entry->value->mark, "`%s` of a schema must be %s",
                    entry->key, wanted);
        }
    }
    return diag_error(
        diag, DIAG_SCHEMA, entry->mark, "`%s` is not a keyword of lathe's schemas", entry->key);
}

static void compile_words(Schema *schema, const Node *node)
{
    if (node->kind == NODE_BOOL) {
        schema->never = !node_is_true(node);
    } else if (node->kind == NODE_MAP) {
        for (unsigned i = 0; i < node->map.count; i++) {
            take_keyword(schema, &node->map.entries[i]);
        }
    } else {
        diag_error(
            schema->set->diag, DIAG_SCHEMA, node->mark, "a schema must be a map, true or false");
    }
}

static const Schema *compile(SchemaSet *set, const Node *node, const Node *root)
{
    Schema *schema = g_hash_table_lookup(set->nodes, node);

    if (!schema) {
        schema = ARENA_NEW(set->arena, Schema);
        schema->set = set;
        schema->node = node;
        schema->root = root;
        schema->max_items = schema->max_length = schema->max_properties = G_MAXUINT64;
        g_hash_table_insert(set->nodes, (gpointer)node, schema);
        compile_words(schema, node);
    }
    return schema;
}

const Schema *schema_compile(SchemaSet *set, const Node *root)
{
    unsigned errors = diag_errors(set->diag);
    const Schema *schema = compile(set, root, root);

    return diag_errors(set->diag) == errors ? schema : NULL;
}

const Schema *schema_load(SchemaSet *set, const char *name)
{
    gpointer known;

    if (!g_hash_table_lookup_extended(set->files, name, NULL, &known)) {
        const Node *root = library_load(set->library, name);

        known = root ? (gpointer)schema_compile(set, root) : NULL;
        g_hash_table_insert(set->files, g_strdup(name), known);
    }
    return known;
}

SchemaSet *schema_set_create(Library *library, Arena *arena, Diag *diag)
{
    SchemaSet *set = g_new0(SchemaSet, 1);

    set->library = library;
    set->arena = arena;
    set->diag = diag;
    set->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    set->nodes = g_hash_table_new(NULL, NULL);
    set->regexes = g_hash_table_new_full(
        g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_regex_unref);
    return set;
}

void schema_set_free(SchemaSet *set)
{
    if (set) {
        g_hash_table_unref(set->files);
        g_hash_table_unref(set->nodes);
        g_hash_table_unref(set->regexes);
        g_free(set);
    }
}

GRegex *schema_regex(SchemaSet *set, const char *pattern, Mark at)
{
    GRegex *regex = g_hash_table_lookup(set->regexes, pattern);

    if (!regex) {
        regex = g_regex_new(pattern, G_REGEX_DOLLAR_ENDONLY, 0, NULL);
        if (!regex) {
            diag_error(set->diag, DIAG_SCHEMA, at, "`%s` is not a pattern", pattern);
            return NULL;
        }
        g_hash_table_insert(set->regexes, (gpointer)pattern, regex);
    }
    return regex;
}

/* ---- references ---- */

/* "urn:lathe:schema:device:pl011:1" -> "schemas/devices/pl011.v1.yaml". NULL: no such form. */
static char *file_of_urn(const char *urn, size_t length)
{
    g_autofree char *text = g_strndup(urn, length);
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    unsigned count = g_strv_length(parts);

    if (!g_str_has_prefix(text, "urn:lathe:schema:")) {
        return NULL;
    }
    if (count == 5) {
        return g_strdup_printf("schemas/%s.v%s.yaml", parts[3], parts[4]);
    }
    return count == 6 ? g_strdup_printf("schemas/%ss/%s.v%s.yaml", parts[3], parts[4], parts[5])
                      : NULL;
}

/* One step of a JSON pointer (RFC 6901): ~1 is a slash and ~0 a tilde. */
static const Node *step_down(const Node *node, const char *step)
{
    g_autofree char *percent = g_uri_unescape_string(step, NULL);
    g_auto(GStrv) slashes = g_strsplit(percent ? percent : step, "~1", -1);
    g_autofree char *joined = g_strjoinv("/", slashes);
    g_auto(GStrv) tildes = g_strsplit(joined, "~0", -1);
    g_autofree char *key = g_strjoinv("~", tildes);

    if (node->kind == NODE_LIST) {
        guint64 index;

        return g_ascii_string_to_unsigned(key, 10, 0, G_MAXUINT, &index, NULL) &&
                index < node->list.count
            ? node->list.items[index]
            : NULL;
    }
    return node_get(node, key);
}

static const Node *follow_pointer(const Node *root, const char *pointer)
{
    g_auto(GStrv) steps = g_strsplit(pointer, "/", -1);
    const Node *node = root;

    for (unsigned i = 1; node && steps[0] && steps[i]; i++) {
        node = step_down(node, steps[i]);
    }
    return node;
}

static const Node *root_of_ref(const Schema *schema, size_t length)
{
    const char *own_id = node_text(node_get(schema->root, "$id"));
    g_autofree char *file = NULL;

    if (length == 0 ||
        (own_id && strlen(own_id) == length && strncmp(own_id, schema->ref, length) == 0)) {
        return schema->root;
    }
    file = file_of_urn(schema->ref, length);
    return file ? library_load(schema->set->library, file) : NULL;
}

const Schema *schema_target(const Schema *schema)
{
    const char *hash;
    const Node *root, *node;

    if (!schema->ref || schema->target) {
        return schema->target;
    }
    hash = strchrnul(schema->ref, '#');
    root = root_of_ref(schema, hash - schema->ref);
    node = root && (hash[0] == '\0' || hash[1] == '\0' || hash[1] == '/')
        ? follow_pointer(root, *hash ? hash + 1 : hash)
        : NULL;
    if (!node) {
        diag_error(schema->set->diag, DIAG_SCHEMA, node_get(schema->node, "$ref")->mark,
            "`%s` leads nowhere", schema->ref);
        ((Schema *)schema)->ref = NULL;
        return NULL;
    }
    ((Schema *)schema)->target = compile(schema->set, node, root);
    return schema->target;
}

#define FIRST_THAT_SAYS(schema, field)                                                             \
    for (unsigned hops = 0; (schema) && !(schema)->field && hops < LONGEST_REF_CHAIN; hops++) {    \
        (schema) = schema_target(schema);                                                          \
    }                                                                                              \
    return (schema) ? (schema)->field : 0

Arena *schema_arena(const Schema *schema)
{
    return schema->set->arena;
}

SchemaGuest schema_guest(const Schema *schema)
{
    FIRST_THAT_SAYS(schema, guest);
}

bool schema_is_hidden(const Schema *schema)
{
    return schema_guest(schema) == GUEST_SEES_NOTHING;
}

UnitKind schema_unit(const Schema *schema)
{
    FIRST_THAT_SAYS(schema, unit);
}

const Node *schema_default(const Schema *schema)
{
    FIRST_THAT_SAYS(schema, default_value);
}

const Schema *schema_property(const Schema *schema, const char *name)
{
    for (unsigned hops = 0; schema && hops < LONGEST_REF_CHAIN; hops++) {
        const Entry *entry = schema->properties ? node_entry(schema->properties, name) : NULL;

        if (entry) {
            return schema->property_schemas[entry - schema->properties->map.entries];
        }
        schema = schema_target(schema);
    }
    return NULL;
}
