/* Follows a path through the schemas, and prints what is found there. */
#include "config/explain.h"

#include <string.h>

#include "config/loader.h"
#include "config/suggest.h"

/* A path as the schemas know it: names that people choose are shown as NAME. */
typedef struct Found {
    const Schema *schema;
    GString *path;
    SchemaGuest guest; /* of the schema, or what is above it */
} Found;

/* ---- codes ---- */

static char *explain_code(const char *what)
{
    guint64 number;

    if ((*what != 'E' && *what != 'W' && *what != 'e') ||
        !g_ascii_string_to_unsigned(what + 1, 10, 0, G_MAXUINT, &number, NULL)) {
        return NULL;
    }
    for (unsigned i = 0; i < DIAG_CODE_COUNT; i++) {
        const DiagKind *kind = diag_kind(i);

        if (kind->number == number) {
            return g_strdup_printf("E%u  %s\n  %s\n", kind->number, kind->slug, kind->help);
        }
    }
    return NULL;
}

/* ---- paths ---- */

/* The schema of any entry whose name people choose; NULL if there is none. */
static const Schema *any_entry(const Schema *schema)
{
    for (; schema; schema = schema_target(schema)) {
        if (schema->pattern_count) {
            return schema->patterns[0].schema;
        }
        if (schema->additional && !schema->additional->never) {
            return schema->additional;
        }
        if (schema->items) {
            return schema->items;
        }
    }
    return NULL;
}

/* How any entry is written behind the path: "[]" of a list. */
static const char *any_name(const Schema *schema, bool first)
{
    for (; schema; schema = schema_target(schema)) {
        if (schema->items) {
            return "[]";
        }
    }
    return first ? "NAME" : ".NAME";
}

/* One step, and through a NAME that was left out: drives.cache is drives.NAME.cache. */
static bool step(Found *found, const char *key)
{
    const char *entry = any_name(found->schema, found->path->len == 0);
    const Schema *next = schema_property(found->schema, key), *any = any_entry(found->schema);
    const Schema *through = any ? schema_property(any, key) : NULL;
    const char *dot = found->path->len ? "." : "";

    if (next) {
        g_string_append_printf(found->path, "%s%s", dot, key);
    } else if (through) {
        g_string_append_printf(found->path, "%s.%s", entry, key);
        next = through;
    } else if (any) {
        g_string_append(found->path, entry);
        next = any;
    }
    found->schema = next;
    if (next && found->guest != GUEST_SEES_NOTHING && schema_guest(next)) {
        found->guest = schema_guest(next);
    }
    return next != NULL;
}

static bool walk(Found *found, char **keys)
{
    for (; *keys; keys++) {
        (*keys)[strcspn(*keys, "[")] = '\0'; /* steps[], steps[2] */
        if (!step(found, *keys)) {
            return false;
        }
    }
    return true;
}

/* The machine's keys before the board's; what is spelt out before what any name fits. */
static bool find_path(Loader *l, const char *what, bool any_name, Found *found)
{
    static const char *const files[] = { "schemas/machine.v1.yaml", "schemas/board.v1.yaml" };
    g_auto(GStrv) keys = g_strsplit(what, ".", -1);

    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        found->schema = schema_load(l->schemas, files[i]);
        found->guest = GUEST_UNSAID;
        g_string_truncate(found->path, 0);
        if (found->schema && schema_property(found->schema, keys[0]) && walk(found, keys) &&
            (any_name || !strstr(found->path->str, "NAME"))) {
            return true;
        }
    }
    return false;
}

/* "ns16550a", "ns16550a.console". */
static bool find_device(Loader *l, const char *what, Found *found)
{
    g_auto(GStrv) keys = g_strsplit(what, ".", -1);
    g_autofree char *file = g_strdup_printf("schemas/devices/%s.v1.yaml", keys[0]);

    if (strchr(keys[0], '/') || !library_has(l->library, file)) {
        return false;
    }
    found->schema = schema_load(l->schemas, file);
    g_string_assign(found->path, keys[0]);
    return found->schema && walk(found, keys + 1);
}

/* ---- printing ---- */

/* "text or map" */
static void append_types(GString *out, const Schema *schema)
{
    static const struct {
        NodeKind kind;
        const char *word;
    } words[] = {
        { NODE_STRING, "text" },
        { NODE_INT, "number" },
        { NODE_BOOL, "true | false" },
        { NODE_LIST, "list" },
        { NODE_MAP, "map" },
    };
    const char *separator = "";

    while (schema && !schema->types) {
        schema = schema_target(schema);
    }
    for (unsigned i = 0; schema && i < G_N_ELEMENTS(words); i++) {
        if (schema->types & 1u << words[i].kind) {
            g_string_append_printf(out, "%s%s", separator, words[i].word);
            separator = " or ";
        }
    }
    g_string_append(out, schema ? "" : "anything");
}

static const Node *enumeration_of(const Schema *schema)
{
    while (schema && !schema->enumeration) {
        schema = schema_target(schema);
    }
    return schema ? schema->enumeration : NULL;
}

static const char *pattern_of(const Schema *schema)
{
    while (schema && !schema->pattern) {
        schema = schema_target(schema);
    }
    return schema ? schema->pattern : NULL;
}

/* '^(writeback|none)$' is a list of words; any other pattern is not. Free it; NULL: not one. */
static char *words_of_pattern(const char *pattern)
{
    size_t length = pattern ? strlen(pattern) : 0;
    g_autofree char *inner = NULL;
    g_auto(GStrv) words = NULL;

    if (length < 4 || strncmp(pattern, "^(", 2) != 0 || strcmp(pattern + length - 2, ")$") != 0) {
        return NULL;
    }
    inner = g_strndup(pattern + 2, length - 4);
    if (inner[strspn(inner, "abcdefghijklmnopqrstuvwxyz-|")] != '\0') {
        return NULL;
    }
    words = g_strsplit(inner, "|", -1);
    return g_strjoinv(" | ", words);
}

char *explain_values(const Schema *schema)
{
    const Node *values = enumeration_of(schema);
    UnitKind unit = schema_unit(schema);
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; values && i < values->list.count; i++) {
        const Node *value = values->list.items[i];

        g_string_append_printf(
            out, "%s%s", i ? " | " : "", node_text(value) ? node_text(value) : "");
    }
    if (schema->constant && node_text(schema->constant)) {
        g_string_append(out, node_text(schema->constant));
    } else if (!values && unit) {
        g_string_append_printf(out, "%s (%s)", unit_kind_name(unit), units_list(unit));
    } else if (!values) {
        g_autofree char *words = words_of_pattern(pattern_of(schema));

        if (words) {
            g_string_append(out, words);
        } else {
            append_types(out, schema);
        }
    }
    return g_string_free(out, false);
}

static const char *description_of(const Schema *schema)
{
    while (schema && !schema->description) {
        schema = schema_target(schema);
    }
    return schema ? schema->description : NULL;
}

void explain_append(GString *out, const char *text, unsigned indent)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i] && (*lines[i] || lines[i + 1]); i++) {
        g_string_append_printf(out, "%*s%s\n", *lines[i] ? (int)indent : 0, "", lines[i]);
    }
}

/* Each key below, with the first line of what it means. */
static void append_keys(GString *out, const Schema *schema)
{
    while (schema && !schema->properties) {
        schema = schema_target(schema);
    }
    for (unsigned i = 0; schema && i < schema->properties->map.count; i++) {
        const char *text = description_of(schema->property_schemas[i]);
        int length = text ? (int)strcspn(text, "\n") : 0;

        g_string_append_printf(out, "    %-18s %.*s\n", schema->properties->map.entries[i].key,
            length, text ? text : "");
    }
}

static char *print_found(const Found *found)
{
    GString *out = g_string_new(found->path->str);
    const Node *value = schema_default(found->schema),
               *title = node_get(found->schema->node, "title");
    const char *text = description_of(found->schema);
    const Schema *below = any_entry(found->schema);
    g_autofree char *values = explain_values(found->schema);

    g_string_append(out, "    ");
    g_string_append(out, values);
    if (value && value->kind != NODE_MAP && value->kind != NODE_LIST) {
        g_string_append_printf(out, "    default %s", value->scalar.text);
    }
    g_string_append_c(out, '\n');
    if (node_text(title)) {
        explain_append(out, node_text(title), 2);
    }
    if (text) {
        explain_append(out, text, 2);
    }
    if (found->guest == GUEST_SEES_NOTHING) {
        explain_append(
            out, "The guest cannot tell what it is; the lock's hardware is the same.", 2);
    } else if (found->guest == GUEST_SEES_SOME) {
        explain_append(out, "The guest can tell some of its values from others.", 2);
    } else if (found->guest == GUEST_SEES_ONE) {
        explain_append(out, "Something else says the same; no other value is right.", 2);
    }
    append_keys(out, found->schema);
    if (below && schema_property(below, "type") == NULL && below->properties == NULL) {
        below = schema_target(below);
    }
    if (below && below->properties) {
        g_string_append(out, "  Each has\n");
        append_keys(out, below);
    }
    return g_string_free(out, false);
}

/* ---- formats ---- */

char *explain_option_values(const Node *option)
{
    const Node *values = node_get(option, "values");
    const char *otherwise = node_text(node_get(option, "default"));
    GString *out = g_string_new(values ? NULL : "text");

    for (unsigned i = 0; values && i < values->list.count; i++) {
        g_string_append_printf(out, "%s%s", i ? " | " : "", node_text(values->list.items[i]));
    }
    if (otherwise) {
        g_string_append_printf(out, "; default %s", otherwise);
    }
    return g_string_free(out, false);
}

static const char *text_at(const Node *node, const char *key)
{
    const char *text = node_text(node_get(node, key));

    return text ? text : "";
}

/* "qcow2", "nbd", "throttle". Free it; NULL: there is none. */
static char *explain_format(Loader *l, const char *what)
{
    g_autofree char *file = g_strdup_printf("schemas/formats/%s.yaml", what);
    const Node *format = strchr(what, '/') || !library_has(l->library, file)
        ? NULL
        : library_load(l->library, file);
    const Node *options = node_get(format, "create");
    GString *out;

    if (!format) {
        return NULL;
    }
    out = g_string_new(NULL);
    g_string_append_printf(
        out, "%s    %s\n  %s\n", what, text_at(format, "kind"), text_at(format, "title"));
    explain_append(out, text_at(format, "doc"), 2);
    g_string_append(out, options ? "  Options of a new image\n" : "");
    for (unsigned i = 0; options && i < options->map.count; i++) {
        const Entry *option = &options->map.entries[i];
        g_autofree char *values = explain_option_values(option->value);

        g_string_append_printf(
            out, "    %-18s %s (%s)\n", option->key, text_at(option->value, "doc"), values);
    }
    return g_string_free(out, false);
}

/* ---- all together ---- */

static void report_unknown(Loader *l, const char *what)
{
    const Schema *machine = schema_load(l->schemas, "schemas/machine.v1.yaml");
    g_autoptr(GPtrArray) names = library_list(l->library, "schemas/devices", ".v1.yaml"),
                         formats = library_list(l->library, "schemas/formats", ".yaml");
    const char *near;

    for (unsigned i = 0; machine && i < machine->properties->map.count; i++) {
        g_ptr_array_add(names, g_strdup(machine->properties->map.entries[i].key));
    }
    g_ptr_array_extend_and_steal(names, g_steal_pointer(&formats));
    g_ptr_array_extend_and_steal(names, library_list(l->library, "machines", ".yaml"));
    near = suggest(what, names);
    diag_error(l->diag, DIAG_UNKNOWN_REFERENCE, NO_MARK,
        "`%s` is no key, device, format, board, CPU or code", what);
    if (near) {
        diag_hint(l->diag, "did you mean `%s`?", near);
    }
}

char *config_explain(const char *what, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Found found = { .path = path };
    char *text = explain_code(what);
    g_auto(Loader) l;

    loader_init(&l, options, diag);
    if (!text &&
        (find_path(&l, what, false, &found) || find_path(&l, what, true, &found) ||
            find_device(&l, what, &found))) {
        text = print_found(&found);
    }
    if (!text) {
        text = explain_format(&l, what);
    }
    if (!text) {
        text = explain_name(&l, what);
    }
    if (!text) {
        report_unknown(&l, what);
    }
    return text;
}
