/*
 * A copy of the tree: references into other files become references into $defs, x-schema becomes
 * a choice by `type`, and our own words are left out.
 */
#include "config/export.h"

#include <string.h>

#include "config/loader.h"
#include "config/print.h"
#include "config/suggest.h"

typedef struct Exporter {
    Loader *loader;
    Arena *arena;
    Node *definitions; /* of the result */
    bool draft7;
} Exporter;

static Node *convert(Exporter *e, const Node *node);

static Node *text_node(Exporter *e, const char *text)
{
    return node_new_string(e->arena, text, NO_MARK);
}

static void put(Exporter *e, Node *map, const char *key, Node *value)
{
    node_map_set(e->arena, map, key, NO_MARK, value);
}

/* { key: value } */
static Node *pair(Exporter *e, const char *key, Node *value)
{
    Node *map = node_new(e->arena, NODE_MAP, NO_MARK);

    put(e, map, key, value);
    return map;
}

static Node *list_of(Exporter *e, Node *item)
{
    Node *list = node_new(e->arena, NODE_LIST, NO_MARK);

    node_list_add(e->arena, list, item);
    return list;
}

static const char *definitions_key(const Exporter *e)
{
    return e->draft7 ? "definitions" : "$defs";
}

static Node *reference(Exporter *e, const char *name)
{
    char *target = arena_printf(e->arena, "#/%s/%s", definitions_key(e), name);

    return pair(e, "$ref", text_node(e, target));
}

/* Adds a definition once; it may refer to itself. */
static void define(Exporter *e, const char *name, const Node *schema)
{
    if (!node_entry(e->definitions, name)) {
        put(e, e->definitions, name, node_new(e->arena, NODE_NULL, NO_MARK));
        put(e, e->definitions, name, convert(e, schema));
    }
}

/* "urn:lathe:schema:common:1#/$defs/size" and "#/$defs/drive" end in the same place. */
static Node *convert_ref(Exporter *e, const char *ref)
{
    const char *name = strrchr(ref, '/') ? strrchr(ref, '/') + 1 : ref;

    if (g_str_has_prefix(ref, "urn:lathe:schema:common:")) {
        const Node *common = library_load(e->loader->library, "schemas/common.v1.yaml");
        const Node *schema = node_get(node_get(common, "$defs"), name);

        if (schema) {
            define(e, name, schema);
        }
    }
    return text_node(e, arena_printf(e->arena, "#/%s/%s", definitions_key(e), name));
}

/* ---- x-schema: which device it is, its `type` says ---- */

/* The loader adds `drive` itself. */
static Node *without_drive(Exporter *e, const Node *required)
{
    Node *list = node_new(e->arena, NODE_LIST, NO_MARK);

    for (unsigned i = 0; required && i < required->list.count; i++) {
        if (g_strcmp0(node_text(required->list.items[i]), "drive") != 0) {
            node_list_add(e->arena, list, node_copy(e->arena, required->list.items[i]));
        }
    }
    return list;
}

static void define_device(Exporter *e, const char *type, const char *name)
{
    g_autofree char *file = g_strdup_printf("schemas/devices/%s.v1.yaml", type);
    const Node *schema = library_load(e->loader->library, file);
    Node *converted;

    if (schema && !node_entry(e->definitions, name)) {
        converted = convert(e, schema);
        put(e, converted, "required", without_drive(e, node_get(schema, "required")));
        put(e, e->definitions, name, converted);
    }
}

/* if { type: pl011 } then { $ref: device-pl011 }, for each type there is. */
static Node *choice_of_devices(Exporter *e)
{
    g_autoptr(GPtrArray) types = library_list(e->loader->library, "schemas/devices", ".v1.yaml");
    Node *choices = node_new(e->arena, NODE_LIST, NO_MARK);
    Node *names = node_new(e->arena, NODE_LIST, NO_MARK);

    for (unsigned i = 0; i < types->len; i++) {
        const char *type = g_ptr_array_index(types, i);
        const char *name = arena_printf(e->arena, "device-%s", type);
        Node *choice = pair(
            e, "if", pair(e, "properties", pair(e, "type", pair(e, "const", text_node(e, type)))));

        define_device(e, type, name);
        put(e, choice, "then", reference(e, name));
        node_list_add(e->arena, choices, choice);
        node_list_add(e->arena, names, text_node(e, type));
    }
    node_list_add(
        e->arena, choices, pair(e, "properties", pair(e, "type", pair(e, "enum", names))));
    return choices;
}

/* ---- schemas ---- */

/* A map of schemas: its keys are names of properties, not keywords. */
static Node *convert_each(Exporter *e, const Node *map)
{
    Node *out = node_new(e->arena, NODE_MAP, NO_MARK);

    for (unsigned i = 0; map->kind == NODE_MAP && i < map->map.count; i++) {
        put(e, out, map->map.entries[i].key, convert(e, map->map.entries[i].value));
    }
    return out;
}

static void convert_keyword(Exporter *e, Node *out, const char *key, const Node *value)
{
    static const char *const maps[] = { "properties", "patternProperties", NULL };
    static const char *const schemas[] = { "items", "additionalProperties", NULL };
    static const char *const elsewhere[] = { "$schema", "$id", "$defs", "x-unit", "x-ref",
        "x-guest", "x-successor", "x-instead", "x-lathe", NULL };

    if (g_strv_contains(elsewhere, key)) {
        return;
    }
    if (strcmp(key, "x-schema") == 0) {
        put(e, out, "allOf", choice_of_devices(e));
    } else if (strcmp(key, "$ref") == 0) {
        Node *target = convert_ref(e, node_text(value));

        /* Draft 7 reads nothing beside $ref. */
        put(e, out, e->draft7 ? "allOf" : "$ref",
            e->draft7 ? list_of(e, pair(e, "$ref", target)) : target);
    } else if (g_strv_contains(maps, key)) {
        put(e, out, key, convert_each(e, value));
    } else if (g_strv_contains(schemas, key)) {
        put(e, out, key, convert(e, value));
    } else {
        put(e, out, key, node_copy(e->arena, value));
    }
}

static Node *convert(Exporter *e, const Node *node)
{
    Node *out;

    if (node->kind != NODE_MAP) {
        return node_copy(e->arena, node);
    }
    out = node_new(e->arena, NODE_MAP, NO_MARK);
    for (unsigned i = 0; i < node->map.count; i++) {
        convert_keyword(e, out, node->map.entries[i].key, node->map.entries[i].value);
    }
    return out;
}

static char *export_root(Exporter *e, const Node *root)
{
    const Node *own = node_get(root, "$defs");
    Node *out = node_new(e->arena, NODE_MAP, NO_MARK), *body;

    e->definitions = node_new(e->arena, NODE_MAP, NO_MARK);
    put(e, out, "$schema",
        text_node(e,
            e->draft7 ? "http://json-schema.org/draft-07/schema#"
                      : "https://json-schema.org/draft/2020-12/schema"));
    for (unsigned i = 0; own && i < own->map.count; i++) {
        define(e, own->map.entries[i].key, own->map.entries[i].value);
    }
    body = convert(e, root);
    for (unsigned i = 0; i < body->map.count; i++) {
        put(e, out, body->map.entries[i].key, body->map.entries[i].value);
    }
    put(e, out, definitions_key(e), e->definitions);
    return print_json(out, NULL);
}

/* ---- by name ---- */

static const Node *find_schema(Loader *l, const char *kind)
{
    g_autofree char *file = g_strdup_printf("schemas/%s.v1.yaml", kind);
    g_autofree char *device = g_strdup_printf("schemas/devices/%s.v1.yaml", kind);
    const Node *root = strchr(kind, '/') ? NULL : library_load(l->library, file);

    return root || strchr(kind, '/') ? root : library_load(l->library, device);
}

char *config_export_schema(
    const char *kind, unsigned draft, const ConfigOptions *options, Diag *diag)
{
    g_auto(Loader) l;
    Exporter exporter = { .loader = &l, .draft7 = draft == 7 };
    const Node *root;

    loader_init(&l, options, diag);
    exporter.arena = l.arena;
    root = find_schema(&l, kind);
    if (!root) {
        diag_error(diag, DIAG_UNKNOWN_REFERENCE, NO_MARK, "there is no schema `%s`", kind);
        diag_note(
            diag, NO_MARK, "there are: machine, board, and the types of `lathe list devices`");
        return NULL;
    }
    return export_root(&exporter, root);
}
