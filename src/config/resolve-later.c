/*
 * What is well formed and comes later: `run` refuses it by name. What a guest will see of it is a part
 * of the machine's hardware already, so that a lock written today stays right.
 */
#include <string.h>

#include "config/resolve-impl.h"

static const char *const later_keys[] = {
    "net",
    "shares",
    "seed",
    "gdb",
    "tests",
    "artifacts",
    "matrix",
    NULL,
};

void resolve_not_yet(Resolver *r, const char *path, const Node *node)
{
    NotYet part = { .path = path, .mark = node ? node->mark : NO_MARK };

    g_array_append_val(r->not_yet, part);
}

/* ---- what a guest will see ---- */

static void add_seen(Resolver *r, const char *path, const char *value)
{
    NamePair pair = { .name = path, .value = value ? value : "" };

    g_array_append_val(r->seen, pair);
}

/* The schema of a key: of its own, by a pattern, or of any. */
static const Schema *schema_of_key(const Schema *schema, const char *key)
{
    const Schema *own = schema_property(schema, key);

    for (; schema && !own; schema = schema_target(schema)) {
        for (unsigned i = 0; i < schema->pattern_count && !own; i++) {
            own = g_regex_match(schema->patterns[i].regex, key, 0, NULL)
                ? schema->patterns[i].schema
                : NULL;
        }
        own = own ? own : schema->additional;
    }
    return own;
}

/* A device says by its type which schema it follows. */
static const Schema *schema_of_value(Resolver *r, const Schema *schema, const Node *node)
{
    const TypeInfo *info = schema && schema->family ? resolve_type(r, node_good(node, "type"))
                                                    : NULL;

    return info ? info->schema : schema;
}

/* All scalars below that are not hidden; without a schema, all. */
static void see(Resolver *r, const Schema *schema, const char *path, const Node *node)
{
    schema = schema_of_value(r, schema, node);
    if (node->bad || (schema && schema_is_hidden(schema))) {
        return;
    }
    if (node->kind != NODE_MAP && node->kind != NODE_LIST) {
        add_seen(r, path, node->scalar.text);
    }
    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];

        see(r, schema ? schema_of_key(schema, entry->key) : NULL,
            arena_printf(r->arena, "%s.%s", path, entry->key), entry->value);
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        see(r, NULL, arena_printf(r->arena, "%s[%u]", path, i), node->list.items[i]);
    }
}

/* The type of card that the board makes of a network. */
static const char *preferred_card(Resolver *r)
{
    const Node *slots = node_good(r->in->board, "slots");

    for (unsigned i = 0; slots && slots->kind == NODE_MAP && i < slots->map.count; i++) {
        const char *type = node_text(node_good(slots->map.entries[i].value, "net"));

        if (type) {
            return type;
        }
    }
    return NULL;
}

static void see_networks(Resolver *r, const Node *networks)
{
    for (unsigned i = 0; networks && i < networks->map.count; i++) {
        const Entry *entry = &networks->map.entries[i];
        const char *path = arena_printf(r->arena, "net.%s", entry->key);

        if (!node_get(entry->value, "device")) {
            add_seen(r, path, preferred_card(r));
        }
    }
}

/* ---- all together ---- */

void resolve_later(Resolver *r)
{
    const Node *machine = r->in->machine, *clock = node_good(machine, "clock");
    const Schema *schema = machine ? schema_load(r->in->schemas, "schemas/machine.v1.yaml") : NULL;

    for (unsigned i = 0; later_keys[i]; i++) {
        const Entry *entry = node_entry(machine, later_keys[i]);

        if (entry) {
            Node place = { .mark = entry->mark };

            resolve_not_yet(r, later_keys[i], &place);
            see(r, schema_property(schema, later_keys[i]), later_keys[i], entry->value);
        }
    }
    if (node_good(machine, "net")) {
        see_networks(r, node_good(machine, "net"));
    }
    r->spec->virtual_clock = g_strcmp0(node_text(node_good(clock, "mode")), "virtual") == 0;
    if (r->spec->virtual_clock) {
        resolve_not_yet(r, "clock.mode", node_get(clock, "mode"));
    }
}
