/* Device-tree parts of schemas and boards: YAML values → properties. */
#include <string.h>

#include "config/resolve-impl.h"

static unsigned entries_in(const Node *node)
{
    return node && node->kind == NODE_MAP ? node->map.count : 0;
}

static void add_number(GArray *items, uint64_t number)
{
    FdtItem high = { .kind = FDT_CELL, .cell = number >> 32 },
            low = { .kind = FDT_CELL, .cell = number };

    if (number > G_MAXUINT32) {
        g_array_append_val(items, high);
    }
    g_array_append_val(items, low);
}

/* { property: reg-shift } is the device's property, { clock: baud } the rate of its clock. */
static void add_looked_up(GArray *items, const Node *node, const DeviceSpec *device)
{
    const char *property = node_text(node_get(node, "property")),
               *clock = node_text(node_get(node, "clock"));
    const PropSpec *prop = property && device ? device_spec_prop(device, property) : NULL;

    if (prop) {
        add_number(items, prop->number);
    }
    for (unsigned i = 0; clock && device && i < device->clock_count; i++) {
        if (strcmp(device->clocks[i].name, clock) == 0) {
            add_number(items, device->clocks[i].rate_hz);
        }
    }
}

static void add_items(GArray *items, const Node *value, const DeviceSpec *device)
{
    const char *text = node_text(value);

    if (text) {
        FdtItem item = { .kind = *text == '&' ? FDT_REFERENCE : FDT_STRING,
            .text = text + (*text == '&') };

        g_array_append_val(items, item);
    } else if (value->kind == NODE_INT) {
        add_number(items, value->negative ? (uint32_t)-node_uint(value) : node_uint(value));
    } else if (value->kind == NODE_MAP) {
        add_looked_up(items, value, device);
    } else if (value->kind == NODE_LIST) {
        for (unsigned i = 0; i < value->list.count; i++) {
            add_items(items, value->list.items[i], device);
        }
    }
}

/* What cannot be looked up is not there; `true` is a property without a value, `false` is none. */
static bool make_prop(Resolver *r, const Entry *entry, const DeviceSpec *device, FdtPropSpec *out)
{
    g_autoptr(GArray) items = g_array_new(false, true, sizeof(FdtItem));

    add_items(items, entry->value, device);
    *out = (FdtPropSpec){ .name = entry->key, .item_count = items->len };
    out->items = items->len ? memcpy(arena_alloc(r->arena, items->len * sizeof(FdtItem)),
                                  items->data, items->len * sizeof(FdtItem))
                            : NULL;
    return items->len || node_is_true(entry->value);
}

static bool is_looked_up(const Node *value)
{
    return node_text(node_get(value, "property")) || node_text(node_get(value, "clock"));
}

void resolve_fdt_node(Resolver *r, const Node *map, const DeviceSpec *device, FdtNodeSpec *out)
{
    unsigned count = entries_in(map);
    FdtPropSpec *props = arena_alloc(r->arena, count * sizeof(*props));
    FdtNodeSpec *nodes = arena_alloc(r->arena, count * sizeof(*nodes));

    out->props = props;
    out->nodes = nodes;
    for (unsigned i = 0; i < count; i++) {
        const Entry *entry = &map->map.entries[i];

        if (entry->value->kind == NODE_MAP && !(device && is_looked_up(entry->value))) {
            FdtNodeSpec *node = &nodes[out->node_count++];

            node->name = entry->key;
            node->mark = entry->mark;
            resolve_fdt_node(r, entry->value, device, node);
        } else if (make_prop(r, entry, device, &props[out->prop_count])) {
            out->prop_count++;
        }
    }
}

/* ---- the board's part ---- */

static void fill_aliases(Resolver *r, FdtSpec *fdt, const Node *aliases)
{
    const Node *devices = node_get(r->in->board, "devices");
    NamePair *pairs = arena_alloc(r->arena, entries_in(aliases) * sizeof(*pairs));

    fdt->aliases = pairs;
    for (unsigned i = 0; i < entries_in(aliases); i++) {
        const Entry *entry = &aliases->map.entries[i];
        const char *device = node_text(entry->value);

        if (!device || entry->value->bad) {
            continue;
        }
        if (!node_get(devices, device)) {
            diag_error(r->diag, DIAG_UNKNOWN_REFERENCE, entry->value->mark,
                "there is no device `%s`", device);
            resolve_suggest(r, device, devices);
            continue;
        }
        pairs[fdt->alias_count++] = (NamePair){ entry->key, device };
    }
}

static void fill_stdout(Resolver *r, FdtSpec *fdt, const Node *path, const Node *aliases)
{
    const Node *devices = node_get(r->in->board, "devices");
    const char *name = node_text(path);

    if (!name || path->bad) {
        return;
    }
    if (!node_get(aliases, name) && !node_get(devices, name)) {
        diag_error(r->diag, DIAG_UNKNOWN_REFERENCE, path->mark,
            "`%s` is neither an alias nor a device", name);
        resolve_suggest(r, name, aliases ? aliases : devices);
        return;
    }
    fdt->stdout_path = name;
}

static void fill_compatible(Resolver *r, FdtSpec *fdt, const Node *list)
{
    unsigned count = list && list->kind == NODE_LIST ? list->list.count : 0;
    const char **words = arena_alloc(r->arena, count * sizeof(*words));

    for (unsigned i = 0; i < count; i++) {
        const char *word = node_text(list->list.items[i]);

        words[i] = word ? word : "";
    }
    fdt->compatible = words;
    fdt->compatible_count = count;
}

void resolve_board_fdt(Resolver *r)
{
    const Node *node = node_good(r->in->board, "fdt"), *aliases = node_good(node, "aliases");
    FdtSpec *fdt = &r->spec->fdt;

    fill_compatible(r, fdt, node_good(node, "compatible"));
    fdt->model = node_text(node_good(node, "model"));
    fill_aliases(r, fdt, aliases);
    fill_stdout(r, fdt, node_good(node_good(node, "chosen"), "stdout-path"), aliases);
    resolve_fdt_node(r, node_good(node, "extra"), NULL, &fdt->extra);
}
