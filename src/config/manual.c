/* One entry for each key, with the whole path to it; roff as man(7) has it. */
#include "config/manual.h"

#include <string.h>

#include "config/explain.h"
#include "config/loader.h"

/* A text with what roff would take for its own made harmless. */
static void append_roff(GString *out, const char *text)
{
    bool line_start = true;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\'')) {
            g_string_append(out, "\\&");
        }
        if (*text == '\\' || *text == '-') {
            g_string_append_printf(out, "\\%c", *text == '\\' ? 'e' : '-');
        } else {
            g_string_append_c(out, *text);
        }
        line_start = *text == '\n';
    }
}

/* Lines that begin with a bar are a table, which keeps its shape; the others are paragraphs. */
static void append_description(GString *out, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool table = false;

    for (unsigned i = 0; lines[i]; i++) {
        bool row = *lines[i] == '|';

        if (row != table) {
            g_string_append(out, row ? ".nf\n" : ".fi\n");
            table = row;
        }
        if (*lines[i]) {
            append_roff(out, lines[i]);
            g_string_append_c(out, '\n');
        } else if (lines[i + 1]) {
            g_string_append(out, ".IP\n");
        }
    }
    g_string_append(out, table ? ".fi\n" : "");
}

static const char *description_of(const Schema *schema)
{
    while (schema && !schema->description) {
        schema = schema_target(schema);
    }
    return schema ? schema->description : NULL;
}

static void append_key(GString *out, const Schema *schema, const char *path)
{
    g_autofree char *values = explain_values(schema);
    const Node *value = schema_default(schema);
    bool scalar = value && value->kind != NODE_MAP && value->kind != NODE_LIST;

    g_string_append(out, ".TP\n.BR ");
    append_roff(out, path);
    g_string_append(out, " \" \\  ");
    append_roff(out, values);
    g_string_append(out, scalar ? "; default " : "");
    append_roff(out, scalar ? value->scalar.text : "");
    g_string_append(out, "\"\n");
    append_description(out, description_of(schema) ? description_of(schema) : "");
}

/* A schema that is being written, and those around it. */
typedef struct Above {
    const struct Above *up;
    const Schema *schema;
} Above;

static bool is_inside(const Above *above, const Schema *schema)
{
    while (above && above->schema != schema) {
        above = above->up;
    }
    return above != NULL;
}

static void append_below(GString *out, const Schema *schema, const char *path, const Above *up);

/* Takes the path. */
static void append_under(GString *out, const Schema *schema, char *path, const Above *up)
{
    append_below(out, schema, path, up);
    g_free(path);
}

static void append_keys_of(GString *out, const Schema *schema, const char *path, const Above *up)
{
    const char *dot = *path ? "." : "";

    for (unsigned i = 0; schema->properties && i < schema->properties->map.count; i++) {
        char *below = g_strdup_printf("%s%s%s", path, dot, schema->properties->map.entries[i].key);

        append_key(out, schema->property_schemas[i], below);
        append_under(out, schema->property_schemas[i], below, up);
    }
    for (unsigned i = 0; *path && i < schema->pattern_count; i++) {
        append_under(out, schema->patterns[i].schema, g_strdup_printf("%s%sNAME", path, dot), up);
    }
    if (schema->additional && !schema->additional->never) {
        append_under(out, schema->additional, g_strdup_printf("%s%sNAME", path, dot), up);
    }
    if (schema->items) {
        append_under(out, schema->items, g_strdup_printf("%s[]", path), up);
    }
}

/* What is below the schema: its own keys, and those of NAME. What contains itself is written once. */
static void append_below(GString *out, const Schema *schema, const char *path, const Above *up)
{
    Above here = { .up = up, .schema = schema };

    if (schema && !is_inside(up, schema)) {
        append_keys_of(out, schema, path, &here);
        append_below(out, schema_target(schema), path, &here);
    }
}

/* ---- the parts ---- */

static void write_machine(Loader *l, GString *out)
{
    append_below(out, schema_load(l->schemas, "schemas/machine.v1.yaml"), "", NULL);
}

static void write_board(Loader *l, GString *out)
{
    append_below(out, schema_load(l->schemas, "schemas/board.v1.yaml"), "", NULL);
}

static void write_devices(Loader *l, GString *out)
{
    g_autoptr(GPtrArray) types = library_list(l->library, "schemas/devices", ".v1.yaml");

    for (unsigned i = 0; i < types->len; i++) {
        const char *type = g_ptr_array_index(types, i);
        g_autofree char *file = g_strdup_printf("schemas/devices/%s.v1.yaml", type);
        const Schema *schema = schema_load(l->schemas, file);
        const char *title = schema ? node_text(node_get(schema->node, "title")) : NULL;
        const char *source = schema
            ? node_text(node_get(node_get(schema->node, "x-lathe"), "source"))
            : NULL;

        if (schema) {
            g_string_append_printf(out, ".SS %s \\- %s\n", type, title ? title : "");
            append_description(out, description_of(schema) ? description_of(schema) : "");
            append_below(out, schema, "", NULL);
            g_string_append(out, source ? ".PP\nModelled after: " : "");
            append_roff(out, source ? source : "");
            g_string_append_c(out, '\n');
        }
    }
}

static void append_named(GString *out, const Node *map)
{
    for (unsigned i = 0; map && map->kind == NODE_MAP && i < map->map.count; i++) {
        const char *doc = node_text(node_get(map->map.entries[i].value, "doc"));

        g_string_append(out, ".TP\n.B ");
        append_roff(out, map->map.entries[i].key);
        g_string_append_c(out, '\n');
        append_description(out, doc ? doc : "");
    }
}

static void write_cpus(Loader *l, GString *out)
{
    g_autoptr(GPtrArray) isas = library_list(l->library, "schemas/cpus", ".yaml");

    for (unsigned i = 0; i < isas->len; i++) {
        g_autofree char *file = g_strdup_printf(
            "schemas/cpus/%s.yaml", (char *)g_ptr_array_index(isas, i));
        const Node *isa = library_load(l->library, file);
        const char *doc = node_text(node_get(isa, "doc"));

        g_string_append_printf(out, ".SS %s\n", (char *)g_ptr_array_index(isas, i));
        append_description(out, doc ? doc : "");
        g_string_append(out, ".PP\nModels:\n");
        append_named(out, node_get(isa, "models"));
        g_string_append(out, ".PP\nFeatures:\n");
        append_named(out, node_get(isa, "features"));
    }
}

static void append_create_options(GString *out, const Node *options)
{
    for (unsigned i = 0; i < options->map.count; i++) {
        const Entry *option = &options->map.entries[i];
        g_autofree char *values = explain_option_values(option->value);

        g_string_append(out, ".TP\n.BR ");
        append_roff(out, option->key);
        g_string_append(out, " \" \\  ");
        append_roff(out, values);
        g_string_append(out, "\"\n");
        append_description(out, node_text(node_get(option->value, "doc")));
    }
}

static void append_format(GString *out, const Node *format)
{
    const Node *options = node_get(format, "create"), *urls = node_get(format, "urls");
    const char *source = node_text(node_get(format, "source"));

    g_string_append(out, ".SS ");
    append_roff(out, node_text(node_get(format, "name")));
    g_string_append(out, " \\- ");
    append_roff(out, node_text(node_get(format, "title")));
    g_string_append_c(out, '\n');
    append_description(out, node_text(node_get(format, "doc")));
    for (unsigned i = 0; urls && i < urls->list.count; i++) {
        g_string_append(out, i ? ",\n" : ".PP\nURLs begin with:\n");
        append_roff(out, node_text(urls->list.items[i]));
        g_string_append(out, i + 1 == urls->list.count ? ".\n" : "");
    }
    if (options) {
        g_string_append(out, ".PP\nOptions of a new image:\n");
        append_create_options(out, options);
    }
    if (source) {
        g_string_append(out, ".PP\nFollows: ");
        append_roff(out, source);
        g_string_append_c(out, '\n');
    }
}

static void write_formats_of(Loader *l, GString *out, const char *kind)
{
    g_autoptr(GPtrArray) names = library_list(l->library, "schemas/formats", ".yaml");

    for (unsigned i = 0; i < names->len; i++) {
        g_autofree char *file = g_strdup_printf(
            "schemas/formats/%s.yaml", (char *)g_ptr_array_index(names, i));
        const Node *format = library_load(l->library, file);

        if (g_strcmp0(node_text(node_get(format, "kind")), kind) == 0) {
            append_format(out, format);
        }
    }
}

static void write_formats(Loader *l, GString *out)
{
    write_formats_of(l, out, "format");
}

static void write_protocols(Loader *l, GString *out)
{
    write_formats_of(l, out, "protocol");
}

static void write_filters(Loader *l, GString *out)
{
    write_formats_of(l, out, "filter");
}

static void write_codes(Loader *l, GString *out)
{
    for (unsigned i = 0; i < DIAG_CODE_COUNT; i++) {
        g_string_append_printf(out, ".TP\n.BR E%u \" \\  ", diag_kind(i)->number);
        append_roff(out, diag_kind(i)->slug);
        g_string_append(out, "\"\n");
        append_roff(out, diag_kind(i)->help);
        g_string_append_c(out, '\n');
    }
}

char *config_manual(const char *what, Diag *diag)
{
    static const struct {
        const char *name;
        void (*write)(Loader *l, GString *out);
    } parts[] = {
        { "machine", write_machine },
        { "board", write_board },
        { "devices", write_devices },
        { "cpus", write_cpus },
        { "formats", write_formats },
        { "protocols", write_protocols },
        { "filters", write_filters },
        { "codes", write_codes },
    };
    GString *out = NULL;
    g_auto(Loader) l;

    loader_init(&l, NULL, diag);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts) && !out; i++) {
        if (strcmp(parts[i].name, what) == 0) {
            out = g_string_new(NULL);
            parts[i].write(&l, out);
        }
    }
    return out ? g_string_free(out, false) : NULL;
}
