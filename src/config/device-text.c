/* A device alone, from one line of YAML: what the bench of the tests is made of. */
#include <string.h>

#include "config/events.h"
#include "config/loader.h"

static const char bench_board[] =
    "lathe: board/v1\n"
    "name: bench\n"
    "version: 1.0.0\n"
    "arch: bench\n"
    "cpus: { models: [bench], default: bench, max: 8, timebase: fast }\n"
    "clocks: { slow: { rate: 1MHz }, fast: { rate: 10MHz } }\n"
    "memory: { ram: { at: 0x80000000, size: 64MiB, kind: ram } }\n"
    "devices: {}\n"
    "slots: { bus: { bus: none } }\n"; /* put_on_bench() says which */

static const char bench_machine[] = "lathe: machine/v1\n"
                                    "name: bench\n"
                                    "board: ./bench.yaml\n"
                                    "cpus: { count: 2 }\n";

/* Values of required keys that a line of a test leaves out: the second for schemas that count. */
static const struct {
    const char *key, *plain, *counted;
} bench_places[] = {
    { "at", "0x10000000", "{ first: 0x10000000, stride: 0x1000000 }" },
    { "irq", "line.1", "{ first: line.1 }" },
};

static Node *parse_text(Loader *l, const char *name, const char *text)
{
    g_autoptr(Source) source = source_from_text(name, text, -1, l->diag);

    return events_parse(source, l->arena, l->diag);
}

static const Schema *schema_of(Loader *l, const Node *device)
{
    const char *type = node_text(node_get(device, "type"));
    g_autofree char *file = g_strdup_printf("schemas/devices/%s.v1.yaml", type ? type : "");

    return type && !strchr(type, '/') ? schema_load(l->schemas, file) : NULL;
}

/* Regions by name when there are several, 16MiB apart. */
static Node *bench_at(Loader *l, const Schema *schema)
{
    const Node *regions = node_get(node_get(schema->node, "x-lathe"), "regions");
    Node *map = node_new(l->arena, NODE_MAP, NO_MARK);

    for (unsigned i = 0; i < regions->map.count; i++) {
        g_autofree char *at = g_strdup_printf("0x%x", 0x10000000 + i * 0x1000000);

        node_map_set(
            l->arena, map, regions->map.entries[i].key, NO_MARK, parse_text(l, "bench-at", at));
    }
    return map;
}

static bool is_required(const Schema *schema, const char *key)
{
    const Node *required = schema->required;

    for (unsigned i = 0; required && i < required->list.count; i++) {
        if (strcmp(node_text(required->list.items[i]), key) == 0) {
            return true;
        }
    }
    return false;
}

/* What a device may do without stays unsaid. */
static void place_on_bench(Loader *l, Node *device, const Schema *schema)
{
    const Node *regions = node_get(node_get(schema->node, "x-lathe"), "regions");

    for (unsigned i = 0; i < G_N_ELEMENTS(bench_places); i++) {
        const char *key = bench_places[i].key;
        const Schema *wanted = schema_property(schema, key);
        bool counted = schema_property(wanted, "first") != NULL;
        Node *value;

        if (!wanted || !is_required(schema, key) || node_entry(device, key)) {
            continue;
        }
        if (i == 0 && regions && regions->map.count > 1) {
            value = bench_at(l, schema);
        } else {
            value = parse_text(
                l, "bench-place", counted ? bench_places[i].counted : bench_places[i].plain);
        }
        node_map_set(l->arena, device, key, NO_MARK, value);
    }
}

/* The first type that offers the bus, which every plug-in needs in front of it. */
static Node *bench_bus(Loader *l, const char *bus)
{
    g_autoptr(GPtrArray) types = library_list(l->library, "schemas/devices", ".v1.yaml");

    for (unsigned i = 0; i < types->len; i++) {
        Node *device = node_new(l->arena, NODE_MAP, NO_MARK);
        const Schema *schema;

        node_map_set(l->arena, device, "type", NO_MARK,
            node_new_string(l->arena, g_ptr_array_index(types, i), NO_MARK));
        schema = schema_of(l, device);
        if (schema &&
            g_strcmp0(node_text(node_get(node_get(schema->node, "x-lathe"), "bus")), bus) == 0) {
            place_on_bench(l, device, schema);
            return device;
        }
    }
    return NULL;
}

/* A part of the board, or of the machine with the bus on the board. */
static void put_on_bench(Loader *l, Node *device, const Schema *schema)
{
    const char *bus = schema ? node_text(node_get(node_get(schema->node, "x-lathe"), "plugs-into"))
                             : NULL;
    Node *devices = node_get(l->board, "devices"), *bus_device = bus ? bench_bus(l, bus) : NULL;

    if (bus_device) {
        node_map_set(l->arena, devices, "bus", NO_MARK, bus_device);
        node_map_set(l->arena, node_get(node_get(l->board, "slots"), "bus"), "bus", NO_MARK,
            node_new_string(l->arena, bus, NO_MARK));
        devices = node_new(l->arena, NODE_MAP, device->mark);
        node_map_set(l->arena, l->machine, "devices", device->mark, devices);
    } else if (schema && device->kind == NODE_MAP) {
        place_on_bench(l, device, schema);
    }
    node_map_set(l->arena, devices, "device", device->mark, device);
}

MachineSpec *config_load_device_text(const char *text, Diag *diag)
{
    g_auto(Loader) l;
    Node *device;

    loader_init(&l, NULL, diag);
    l.bench = true;
    l.machine = parse_text(&l, "bench-machine", bench_machine);
    l.board = parse_text(&l, "bench-board", bench_board);
    device = parse_text(&l, "device", text);
    if (!device) {
        return NULL;
    }
    put_on_bench(&l, device, schema_of(&l, device));
    if (!loader_validate(&l, l.machine, "schemas/machine.v1.yaml") ||
        !loader_validate(&l, l.board, "schemas/board.v1.yaml")) {
        return NULL;
    }
    return loader_finish(&l, "device");
}
