/* The loader's table of contents: each stage is a line of load_machine(). */
#include "config/config.h"

#include <string.h>

#include "config/checks.h"
#include "config/events.h"
#include "config/layers.h"
#include "config/library.h"
#include "config/params.h"
#include "config/resolve.h"
#include "config/schema.h"
#include "config/suggest.h"
#include "config/validate.h"

/* What one run of the loader holds. The arena outlives it, inside the spec. */
typedef struct Loader {
    const ConfigOptions *options;
    Diag *diag;
    Arena *arena;
    Library *library;
    SchemaSet *schemas;
    Node *machine, *board;
    unsigned errors_before; /* of others, in the same Diag */
    bool bench;
} Loader;

static void loader_init(Loader *l, const ConfigOptions *options, Diag *diag)
{
    static const ConfigOptions none = { 0 };

    *l = (Loader){ .options = options ? options : &none, .diag = diag };
    l->errors_before = diag_errors(diag);
    l->arena = arena_create();
    l->library = library_create((const char *const *)l->options->paths, l->arena, diag);
    l->schemas = schema_set_create(l->library, l->arena, diag);
}

static void loader_clear(Loader *l)
{
    schema_set_free(l->schemas);
    library_free(l->library);
    arena_free(l->arena);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Loader, loader_clear)

/* ---- trees ---- */

/* The first key says what a file is; without the right one, nothing else in it makes sense. */
static bool check_kind(Loader *l, const Node *root, const char *kind)
{
    const Node *lathe = node_get(root, "lathe");
    Mark at = lathe ? lathe->mark : root->mark;

    if (lathe && lathe->bad) {
        return false;
    }
    if (!lathe) {
        diag_error(l->diag, DIAG_KIND, at, "the file does not say what it is");
        diag_hint(l->diag, "begin it with `lathe: %s`", kind);
        return false;
    }
    if (g_strcmp0(node_text(lathe), kind) != 0) {
        diag_error(l->diag, DIAG_KIND, at, "`lathe` must be `%s` here", kind);
        return false;
    }
    return true;
}

static void apply_options(Loader *l)
{
    for (unsigned i = 0; l->options->profiles && l->options->profiles[i]; i++) {
        layers_apply_profile(l->machine, l->options->profiles[i], l->arena, l->diag);
    }
    for (unsigned i = 0; l->options->sets && l->options->sets[i]; i++) {
        layers_apply_set(l->machine, l->options->sets[i], i + 1, l->arena, l->diag);
    }
    params_apply(l->machine, l->arena, l->diag);
}

/* False only when the schema itself is wrong: then nobody knows what the tree holds. */
static bool validate_file(Loader *l, Node *root, const char *schema_name)
{
    const Schema *schema = schema_load(l->schemas, schema_name);

    if (!schema) {
        return false;
    }
    validate(schema, root, "", root->mark, l->diag);
    validate_fill_defaults(schema, root, l->arena);
    return true;
}

/* ---- the board ---- */

static void report_unknown_board(Loader *l, const Node *asked, const char *name)
{
    g_autoptr(GPtrArray) boards = library_list(l->library, "machines", ".yaml");
    const char *near = suggest(name, boards);

    diag_error(l->diag, DIAG_UNKNOWN_BOARD, asked ? asked->mark : NO_MARK,
        "there is no board `%.60s`", name);
    if (near) {
        diag_hint(l->diag, "did you mean `%s`?", near);
    }
    diag_note(l->diag, NO_MARK, "`lathe list boards` shows all");
}

/* "1" allows 1.x.y, "1.2" allows 1.2 and later 1.x, a full version itself. */
static bool version_fits(const char *there, const char *asked)
{
    unsigned have[3] = { 0 }, want[3] = { 0 };
    int parts = sscanf(asked, "%u.%u.%u", &want[0], &want[1], &want[2]);

    sscanf(there, "%u.%u.%u", &have[0], &have[1], &have[2]);
    if (parts == 3) {
        return memcmp(have, want, sizeof(have)) == 0;
    }
    return have[0] == want[0] && have[1] >= want[1];
}

static void check_version(Loader *l, const Node *asked, const char *version)
{
    const Node *there = node_good(l->board, "version");

    if (node_text(there) && !version_fits(node_text(there), version)) {
        diag_error(l->diag, DIAG_UNKNOWN_BOARD, asked->mark, "the board is version %s, not %s",
            node_text(there), version);
        diag_note(l->diag, there->mark, "its version");
    }
}

/* "riscv-virt@1", or a path when there is a slash in it. `asked` is NULL on the command line. */
static bool load_board(Loader *l, const char *text, const Node *asked)
{
    const char *at = strchr(text, '@');
    g_autofree char *name = at ? g_strndup(text, at - text) : g_strdup(text);
    g_autofree char *file = g_strdup_printf("machines/%s.yaml", name);
    unsigned errors = diag_errors(l->diag);

    if (strchr(text, '/') || g_str_has_suffix(text, ".yaml")) {
        const char *path = asked ? layers_path_beside(asked, l->arena) : text;
        g_autoptr(Source) source = source_read(path, l->diag, asked ? asked->mark : NO_MARK);

        l->board = source ? layers_load_source(source, l->arena, l->diag) : NULL;
        return l->board && check_kind(l, l->board, "board/v1");
    }
    l->board = library_load(l->library, file);
    if (!l->board && diag_errors(l->diag) == errors) {
        report_unknown_board(l, asked, name);
    }
    if (!l->board || !check_kind(l, l->board, "board/v1")) {
        return false;
    }
    if (at && asked) {
        check_version(l, asked, at + 1);
    }
    return true;
}

static bool finish_board(Loader *l, const Node *choices)
{
    layers_apply_options(l->board, choices, l->arena, l->diag);
    return validate_file(l, l->board, "schemas/board.v1.yaml");
}

/* `board: name@1`, or `board: { use: name@1, options: ... }`. */
static bool load_machine_board(Loader *l)
{
    const Node *board = node_good(l->machine, "board");
    const Node *use = board && board->kind == NODE_MAP ? node_good(board, "use") : board;

    return node_text(use) && load_board(l, node_text(use), use) &&
        finish_board(l, node_good(board, "options"));
}

/* ---- the whole ---- */

static MachineSpec *finish(Loader *l, const char *file)
{
    ResolveInput input = {
        .machine = l->machine,
        .board = l->board,
        .bench = l->bench,
        .library = l->library,
        .schemas = l->schemas,
        .arena = l->arena,
        .diag = l->diag,
    };
    g_autoptr(MachineSpec) spec = machine_spec_create();

    spec->file = g_intern_string(file);
    resolve(&input, spec);
    checks_run(spec, l->diag);
    if (diag_errors(l->diag) != l->errors_before) {
        return NULL;
    }
    spec->arena = g_steal_pointer(&l->arena);
    spec->arena_free = (GDestroyNotify)arena_free;
    return g_steal_pointer(&spec);
}

static MachineSpec *load_machine(Loader *l, const Source *source)
{
    l->machine = layers_load_source(source, l->arena, l->diag);
    if (!l->machine || !check_kind(l, l->machine, "machine/v1")) {
        return NULL;
    }
    apply_options(l);
    if (!validate_file(l, l->machine, "schemas/machine.v1.yaml") || !load_machine_board(l)) {
        return NULL;
    }
    return finish(l, source->name);
}

MachineSpec *config_load(const char *file, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_read(file, diag, NO_MARK);
    g_auto(Loader) loader;

    loader_init(&loader, options, diag);
    return source ? load_machine(&loader, source) : NULL;
}

MachineSpec *config_load_text(
    const char *name, const char *text, gssize length, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_from_text(name, text, length, diag);
    g_auto(Loader) loader;

    loader_init(&loader, options, diag);
    return load_machine(&loader, source);
}

MachineSpec *config_load_board(const char *name, const ConfigOptions *options, Diag *diag)
{
    g_auto(Loader) loader;

    loader_init(&loader, options, diag);
    return load_board(&loader, name, NULL) && finish_board(&loader, NULL) ? finish(&loader, name)
                                                                          : NULL;
}

/* ---- a device alone ---- */

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

/* Values of the keys that a line of a test leaves out: the second for schemas that count. */
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

static void place_on_bench(Loader *l, Node *device, const Schema *schema)
{
    const Node *regions = node_get(node_get(schema->node, "x-lathe"), "regions");

    for (unsigned i = 0; i < G_N_ELEMENTS(bench_places); i++) {
        const char *key = bench_places[i].key;
        const Schema *wanted = schema_property(schema, key);
        bool counted = schema_property(wanted, "first") != NULL;
        Node *value;

        if (!wanted || node_entry(device, key)) {
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
    if (!validate_file(&l, l.machine, "schemas/machine.v1.yaml") ||
        !validate_file(&l, l.board, "schemas/board.v1.yaml")) {
        return NULL;
    }
    return finish(&l, "device");
}

/* ---- looking in from outside ---- */

char *config_dump_doc(const char *file, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_read(file, diag, NO_MARK);
    g_auto(Loader) l;

    loader_init(&l, options, diag);
    l.machine = source ? layers_load_source(source, l.arena, diag) : NULL;
    if (!l.machine) {
        return NULL;
    }
    apply_options(&l);
    return node_to_string(l.machine);
}

/* Where each kind of thing is found, and how its file names end. */
static const struct {
    const char *what, *folder, *suffix;
} kinds[] = {
    { "boards", "machines", ".yaml" },
    { "devices", "schemas/devices", ".v1.yaml" },
    { "cpus", "schemas/cpus", ".yaml" },
    { "formats", "schemas/formats", ".v1.yaml" },
};

/* The names of CPU models of all instruction sets, as "riscv64/rv64". */
static GPtrArray *list_models(Loader *l, const GPtrArray *isas)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < isas->len; i++) {
        const char *isa = g_ptr_array_index(isas, i);
        g_autofree char *file = g_strdup_printf("schemas/cpus/%s.yaml", isa);
        const Node *models = node_get(library_load(l->library, file), "models");

        for (unsigned j = 0; models && models->kind == NODE_MAP && j < models->map.count; j++) {
            g_ptr_array_add(names, g_strdup_printf("%s/%s", isa, models->map.entries[j].key));
        }
    }
    return names;
}

GPtrArray *config_list(const char *what, const ConfigOptions *options, Diag *diag)
{
    GPtrArray *names = NULL;
    g_auto(Loader) l;

    loader_init(&l, options, diag);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds) && !names; i++) {
        if (strcmp(kinds[i].what, what) == 0) {
            names = library_list(l.library, kinds[i].folder, kinds[i].suffix);
        }
    }
    if (names && strcmp(what, "cpus") == 0) {
        g_autoptr(GPtrArray) isas = names;

        names = list_models(&l, isas);
    }
    return names ? names : g_ptr_array_new_with_free_func(g_free);
}

/* The first line that says something. */
static char *first_line(const Node *text)
{
    const char *start = node_text(text);

    return start ? g_strndup(start, strcspn(start, "\n")) : g_strdup("");
}

char *config_summary(const char *what, const char *name, const ConfigOptions *options, Diag *diag)
{
    g_auto(Loader) l;
    const char *slash = strchr(name, '/');
    g_autofree char *file = NULL;
    const Node *root;

    loader_init(&l, options, diag);
    if (strcmp(what, "cpus") == 0 && slash) {
        file = g_strdup_printf("schemas/cpus/%.*s.yaml", (int)(slash - name), name);
        root = node_get(node_get(library_load(l.library, file), "models"), slash + 1);
        return first_line(node_get(root, "doc"));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds) && !file; i++) {
        file = strcmp(kinds[i].what, what)
            ? NULL
            : g_strdup_printf("%s/%s%s", kinds[i].folder, name, kinds[i].suffix);
    }
    root = file ? library_load(l.library, file) : NULL;
    return first_line(node_get(root, "doc") ? node_get(root, "doc") : node_get(root, "title"));
}
