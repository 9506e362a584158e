/*
 * Every property of every schema says whether a guest can tell what it is (x-guest, at the property or above
 * it), and the lock's fingerprint agrees: of what a guest sees, another value is another machine, and of what
 * it does not see, none is.
 *
 * Values come from the schema: `examples`, `default`, `enum`, and names of what is there. They are put into
 * machines on every board: those in tests/config/visible, with each device that no board has plugged in or
 * put onto the board. A property for which no two values can be tried fails; give it `examples`.
 */
#include "tests/test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "cli/facts.h"
#include "cli/loading.h"
#include "config/events.h"
#include "config/loader.h"
#include "config/print.h"

#define FOLDER "tests/config/visible"

enum { DEEPEST = 5 }; /* block nodes contain block nodes */

/* A machine and its board, which are changed in one place at a time. */
typedef struct Carrier {
    const char *name;
    Node *machine, *board;
} Carrier;

/* What is known of a property by now. */
typedef struct Property {
    char *path; /* where it was met first */
    SchemaGuest guest;
    bool tried;       /* with two values that were accepted */
    char *failure;    /* NULL: none */
} Property;

typedef struct World {
    Loader loader;
    char *folder;          /* where changed files are written */
    GHashTable *properties; /* const Schema * -> Property */
    GHashTable *digests;   /* text of machine and board -> digest; "" when they are refused */
    Carrier carrier;
    GPtrArray *path;       /* of char *, from the root; "#3" is the fourth item of a list */
    bool on_board;         /* the path is in the board */
} World;

/* ---- the fingerprint of a machine ---- */

static char *path_in(const World *world, const char *name)
{
    return g_build_filename(world->folder, name, NULL);
}

static char *digest_of_files(const World *world)
{
    g_autofree char *file = path_in(world, "m.yaml");
    const MachineOptions options = { 0 };
    g_autoptr(Diag) diag = diag_new();
    g_auto(Bare) bare = { 0 };
    g_autoptr(Facts) facts = NULL;

    if (!bare_build(&bare, file, &options, diag) || diag_errors(diag)) {
        g_autofree char *said = diag_to_string(diag, DIAG_PLAIN);

        if (g_getenv("VISIBLE_DEBUG")) {
            print_error("%s", said);
        }
        return g_strdup("");
    }
    facts = facts_of(bare.machine);
    return facts_digest(facts);
}

/* "" when they are no machine. */
static const char *digest(World *world, const Node *machine, const Node *board)
{
    g_autofree char *of_machine = print_yaml(machine, NULL), *of_board = print_yaml(board, NULL);
    g_autofree char *machine_file = path_in(world, "m.yaml"),
                    *board_file = path_in(world, "b.yaml");
    char *both = g_strconcat(of_machine, "\n---\n", of_board, NULL);
    char *known = g_hash_table_lookup(world->digests, both);

    if (known) {
        g_free(both);
        return known;
    }
    assert_true(g_file_set_contents(machine_file, of_machine, -1, NULL));
    assert_true(g_file_set_contents(board_file, of_board, -1, NULL));
    known = digest_of_files(world);
    g_hash_table_insert(world->digests, both, known);
    return known;
}

/* ---- one property ---- */

static Node *step_into(Node *node, const char *step)
{
    return *step == '#' ? node->list.items[atoi(step + 1)] : node_get(node, step);
}

/* The digest with the property at the path as it is in `value`, or without it (NULL). */
static const char *digest_with(World *world, const char *key, const Node *value)
{
    Arena *arena = world->loader.arena;
    Node *machine = node_copy(arena, world->carrier.machine);
    Node *board = node_copy(arena, world->carrier.board);
    Node *at = world->on_board ? board : machine;

    for (unsigned i = 0; i < world->path->len; i++) {
        at = step_into(at, g_ptr_array_index(world->path, i));
    }
    if (value) {
        node_map_set(arena, at, key, NO_MARK, node_copy(arena, value));
    } else {
        node_map_remove(at, key);
    }
    return digest(world, machine, board);
}

static void add_value(GPtrArray *values, const Node *value)
{
    for (unsigned i = 0; i < values->len; i++) {
        if (node_equal(g_ptr_array_index(values, i), value)) {
            return;
        }
    }
    g_ptr_array_add(values, (gpointer)value);
}

static void add_list(GPtrArray *values, const Node *list)
{
    for (unsigned i = 0; list && list->kind == NODE_LIST && i < list->list.count; i++) {
        add_value(values, list->list.items[i]);
    }
}

/* Names of the things that an x-ref can mean. */
static void add_names(World *world, GPtrArray *values, const char *kind)
{
    const struct {
        const char *kind;
        const Node *map;
    } maps[] = {
        { "clock", node_get(world->carrier.board, "clocks") },
        { "device", node_get(world->carrier.board, "devices") },
        { "image", node_get(world->carrier.machine, "images") },
        { "drive", node_get(world->carrier.machine, "drives") },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(maps); i++) {
        if (strcmp(maps[i].kind, kind) != 0 || !maps[i].map) {
            continue;
        }
        for (unsigned j = 0; j < maps[i].map->map.count; j++) {
            const char *name = maps[i].map->map.entries[j].key;

            add_value(values, node_new_string(world->loader.arena, name, NO_MARK));
        }
    }
}

static Node *truth(World *world, bool value)
{
    Node *node = node_new(world->loader.arena, NODE_BOOL, NO_MARK);

    node->scalar.text = value ? "true" : "false";
    node->scalar.magnitude = value;
    return node;
}

static GPtrArray *values_of(World *world, const Schema *schema, const Node *there)
{
    GPtrArray *values = g_ptr_array_new();

    if (there) {
        add_value(values, there);
    }
    for (; schema; schema = schema_target(schema)) {
        add_list(values, node_get(schema->node, "examples"));
        add_list(values, schema->enumeration);
        if (schema->default_value) {
            add_value(values, schema->default_value);
        }
        if (schema->types & 1 << NODE_BOOL) {
            add_value(values, truth(world, true));
            add_value(values, truth(world, false));
        }
        if (schema->names) {
            add_names(world, values, schema->names);
        }
    }
    return values;
}

static char *path_text(const World *world, const char *key)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < world->path->len; i++) {
        g_string_append_printf(text, "%s.", (char *)g_ptr_array_index(world->path, i));
    }
    g_string_append_printf(
        text, "%s (%s, %s)", key, world->carrier.name, world->on_board ? "board" : "machine");
    return g_string_free(text, false);
}

/* How many values were accepted, and how many machines they are; with and without "not there". */
typedef struct Count {
    unsigned said, said_machines, all, all_machines;
} Count;

static Count count_machines(World *world, const char *key, const GPtrArray *values)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const char *without = digest_with(world, key, NULL);
    Count count = { 0 };

    for (unsigned i = 0; i < values->len; i++) {
        const char *with = digest_with(world, key, g_ptr_array_index(values, i));

        if (*with) {
            count.said++;
            g_hash_table_add(seen, (gpointer)with);
        }
    }
    count.said_machines = g_hash_table_size(seen);
    if (*without) {
        g_hash_table_add(seen, (gpointer)without);
    }
    count.all = count.said + (*without != '\0');
    count.all_machines = g_hash_table_size(seen);
    return count;
}

/* Another value is another machine; only where there is no other, that it is not there. */
static bool all_differ(const Count *count)
{
    return count->said > 1 ? count->said_machines == count->said : count->all_machines == 2;
}

static void judge(Property *property, const Count *count)
{
    bool right = property->guest == GUEST_SEES ? all_differ(count)
        : property->guest == GUEST_SEES_SOME   ? count->all_machines > 1
                                               : count->all_machines == 1;

    /* One machine in which a guest sees nothing does not say that it never does. */
    property->tried = right || property->guest == GUEST_SEES_NOTHING;
    g_clear_pointer(&property->failure, g_free);
    if (!right) {
        property->failure = g_strdup_printf("a guest %s, and %u values are %u machines",
            property->guest == GUEST_SEES_NOTHING ? "does not see it" : "sees it", count->all,
            count->all_machines);
    }
}

/* Of several values, one is taken. */
static void judge_only(Property *property, const Count *count, unsigned values)
{
    property->tried = values > 1;
    g_clear_pointer(&property->failure, g_free);
    if (values > 1 && count->said != 1) {
        property->failure = g_strdup_printf("only one value is right, and %u are taken", count->said);
    }
}

/* Maps with keys of their own are tried by these. */
static bool has_keys(const Schema *schema)
{
    for (; schema; schema = schema_target(schema)) {
        if (schema->properties || schema->pattern_count || schema->family ||
            (schema->additional && !schema->additional->never)) {
            return true;
        }
    }
    return false;
}

static bool is_constant(const Schema *schema)
{
    for (; schema; schema = schema_target(schema)) {
        if (schema->constant) {
            return true;
        }
    }
    return false;
}

static SchemaGuest guest_below(SchemaGuest above, const Schema *schema)
{
    SchemaGuest own = schema_guest(schema);

    return above == GUEST_SEES_NOTHING || own == GUEST_UNSAID ? above : own;
}

static Property *property_of(World *world, const Schema *schema, const char *key)
{
    Property *property = g_hash_table_lookup(world->properties, schema);

    if (!property) {
        property = g_new0(Property, 1);
        property->path = path_text(world, key);
        g_hash_table_insert(world->properties, (gpointer)schema, property);
    }
    return property;
}

static void try_property(
    World *world, const Schema *schema, const char *key, const Node *there, SchemaGuest guest)
{
    Property *property = property_of(world, schema, key);
    g_autoptr(GPtrArray) values = NULL;
    Count count;

    if (property->tried) {
        return;
    }
    property->guest = guest;
    if (guest == GUEST_UNSAID) {
        property->failure = g_strdup("nothing says whether a guest sees it: give it `x-guest`");
        property->tried = true;
        return;
    }
    if (is_constant(schema) || (has_keys(schema) && !(schema->types & 1 << NODE_STRING))) {
        property->tried = true;
        return;
    }
    values = values_of(world, schema, there);
    count = count_machines(world, key, values);
    if (guest == GUEST_SEES_ONE) {
        judge_only(property, &count, values->len);
    } else if (count.all > 1) {
        judge(property, &count);
    }
}

/* ---- all properties ---- */

static void walk(World *world, const Schema *schema, Node *node, SchemaGuest above);

static void walk_below(
    World *world, const Schema *schema, Node *node, char *step, SchemaGuest above)
{
    if (schema && node) {
        g_ptr_array_add(world->path, step);
        walk(world, schema, node, guest_below(above, schema));
        g_ptr_array_remove_index(world->path, world->path->len - 1);
    } else {
        g_free(step);
    }
}

/* The schema that a free name has. */
static const Schema *schema_of_name(const Schema *schema, const char *key)
{
    for (unsigned i = 0; i < schema->pattern_count; i++) {
        if (g_regex_match(schema->patterns[i].regex, key, 0, NULL)) {
            return schema->patterns[i].schema;
        }
    }
    return schema->additional;
}

static const Schema *device_schema(World *world, const Node *node)
{
    const char *type = node_text(node_get(node, "type"));
    g_autofree char *file = g_strdup_printf("schemas/devices/%s.v1.yaml", type ? type : "");

    return type ? schema_load(world->loader.schemas, file) : NULL;
}

/* A map that this machine does not have: with each of its examples, and empty. */
static void walk_absent(World *world, const Schema *schema, Node *node, const char *key, SchemaGuest above)
{
    Arena *arena = world->loader.arena;
    g_autoptr(GPtrArray) values = g_ptr_array_new();

    for (const Schema *at = schema; at; at = schema_target(at)) {
        add_list(values, node_get(at->node, "examples"));
    }
    g_ptr_array_add(values, node_new(arena, NODE_MAP, NO_MARK));
    for (unsigned i = 0; i < values->len; i++) {
        Node *value = node_copy(arena, g_ptr_array_index(values, i));

        node_map_set(arena, node, key, NO_MARK, value);
        if (value->kind == NODE_MAP && *digest(world, world->carrier.machine, world->carrier.board)) {
            walk_below(world, schema, value, g_strdup(key), above);
        }
        node_map_remove(node, key);
    }
}

static bool is_map_with_keys(const Schema *schema)
{
    bool map = false, keys = false;

    for (unsigned hops = 0; schema && hops < 8; schema = schema_target(schema), hops++) {
        map = map || schema->types & 1 << NODE_MAP;
        keys = keys || schema->properties;
    }
    return map && keys;
}

static void walk_map(World *world, const Schema *schema, Node *node, SchemaGuest above)
{
    const Node *properties = schema->properties;

    for (unsigned i = 0; properties && i < properties->map.count; i++) {
        const Schema *below = schema->property_schemas[i];
        const char *key = properties->map.entries[i].key;
        Node *there = node_get(node, key);

        try_property(world, below, key, there, guest_below(above, below));
        walk_below(world, below, there, g_strdup(key), above);
        if (!there && is_map_with_keys(below) && world->path->len < DEEPEST) {
            walk_absent(world, below, node, key, above);
        }
    }
    for (unsigned i = 0; i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];

        if (!properties || !node_entry(properties, entry->key)) {
            walk_below(world, schema_of_name(schema, entry->key), entry->value,
                g_strdup(entry->key), above);
        }
    }
}

static void walk(World *world, const Schema *schema, Node *node, SchemaGuest above)
{
    for (; schema; schema = schema_target(schema)) {
        if (node->kind == NODE_MAP) {
            walk_map(world, schema, node, above);
        }
        for (unsigned i = 0; schema->items && node->kind == NODE_LIST && i < node->list.count; i++) {
            walk_below(world, schema->items, node->list.items[i], g_strdup_printf("#%u", i), above);
        }
        if (schema->family && node->kind == NODE_MAP) {
            const Schema *device = device_schema(world, node);

            assert_non_null(device);
            walk(world, device, node, guest_below(above, device));
        }
    }
}

static void walk_carrier(World *world, bool board_too)
{
    SchemaSet *set = world->loader.schemas;

    if (!*digest(world, world->carrier.machine, world->carrier.board)) {
        g_setenv("VISIBLE_DEBUG", "1", true);
        g_hash_table_remove_all(world->digests);
        digest(world, world->carrier.machine, world->carrier.board);
        fail_msg("the machine on %s is not valid", world->carrier.name);
    }
    world->on_board = false;
    walk(world, schema_load(set, "schemas/machine.v1.yaml"), world->carrier.machine, GUEST_UNSAID);
    if (board_too) {
        world->on_board = true;
        walk(world, schema_load(set, "schemas/board.v1.yaml"), world->carrier.board, GUEST_UNSAID);
    }
}

/* ---- what there is ---- */

static Node *read_file(World *world, const char *file)
{
    g_autoptr(Source) source = source_read(file, world->loader.diag, NO_MARK);
    Node *root = source ? events_parse(source, world->loader.arena, world->loader.diag) : NULL;

    assert_non_null(root);
    return root;
}

static void write_small_file(const World *world, const char *name, const char *text)
{
    g_autofree char *file = path_in(world, name), *folder = g_path_get_dirname(file);

    g_mkdir_with_parents(folder, 0700);
    assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void load_carrier(World *world, const char *file)
{
    Node *both = read_file(world, file);

    world->carrier.name = file;
    world->carrier.machine = node_get(both, "machine");
    world->carrier.board = node_get(both, "board");
    if (world->carrier.board->kind == NODE_STRING) {
        g_autofree char *name = g_strdup_printf(
            "machines/%s.yaml", node_text(world->carrier.board));

        world->carrier.board = read_file(world, name);
    }
}

static void walk_file(World *world, const char *file)
{
    load_carrier(world, file);
    walk_carrier(world, true);
}

/* How many properties were not tried, or are not what they say. */
static unsigned report(World *world)
{
    GHashTableIter iter;
    gpointer value;
    unsigned wrong = 0;

    g_hash_table_iter_init(&iter, world->properties);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Property *property = value;

        if (!property->tried || property->failure) {
            print_error("%s: %s\n", property->path,
                property->failure ? property->failure : "no two of its `examples` are accepted");
            wrong++;
        }
    }
    return wrong;
}

static void check_all_met(World *world, const Schema *schema, const char *path, GHashTable *done)
{
    for (; schema && g_hash_table_add(done, (gpointer)schema); schema = schema_target(schema)) {
        for (unsigned i = 0; schema->properties && i < schema->properties->map.count; i++) {
            const char *key = schema->properties->map.entries[i].key;
            g_autofree char *below = g_strdup_printf("%s.%s", path, key);

            if (!g_hash_table_contains(world->properties, schema->property_schemas[i])) {
                Property *property = g_new0(Property, 1);

                property->path = g_strdup(below);
                property->failure = g_strdup("no machine in " FOLDER " has what it belongs to");
                g_hash_table_insert(
                    world->properties, (gpointer)schema->property_schemas[i], property);
            }
            check_all_met(world, schema->property_schemas[i], below, done);
        }
        for (unsigned i = 0; i < schema->pattern_count; i++) {
            check_all_met(world, schema->patterns[i].schema, path, done);
        }
        if (schema->additional) {
            check_all_met(world, schema->additional, path, done);
        }
        if (schema->items) {
            check_all_met(world, schema->items, path, done);
        }
    }
}

/* ---- devices that no board has ---- */

static Node *example_of(World *world, const Schema *schema, const char *type)
{
    const Node *examples = node_get(schema->node, "examples");
    Node *device;

    if (examples) {
        return node_copy(world->loader.arena, examples->list.items[0]);
    }
    device = node_new(world->loader.arena, NODE_MAP, NO_MARK);
    node_map_set(world->loader.arena, device, "type", NO_MARK,
        node_new_string(world->loader.arena, type, NO_MARK));
    return device;
}

/* The same machine with one device more, plugged in or on the board. */
static void walk_with_device(World *world, const Schema *schema, const char *type)
{
    Arena *arena = world->loader.arena;
    const Carrier plain = world->carrier;
    bool plugs = node_get(node_get(schema->node, "x-lathe"), "plugs-into") != NULL;
    Node *device = example_of(world, schema, type), *place, *devices;

    world->carrier.machine = node_copy(arena, plain.machine);
    world->carrier.board = node_copy(arena, plain.board);
    place = plugs ? world->carrier.machine : world->carrier.board;
    devices = node_get(place, "devices");
    if (!devices) {
        devices = node_new(arena, NODE_MAP, NO_MARK);
        node_map_set(arena, place, "devices", NO_MARK, devices);
    }
    node_map_set(arena, devices, "extra", NO_MARK, device);
    if (*digest(world, world->carrier.machine, world->carrier.board)) {
        world->on_board = !plugs;
        g_ptr_array_add(world->path, g_strdup("devices"));
        g_ptr_array_add(world->path, g_strdup("extra"));
        walk(world, schema, device, guest_below(GUEST_UNSAID, schema));
        g_ptr_array_set_size(world->path, 0);
    }
    world->carrier = plain;
}

static void walk_with_devices(World *world, const char *file)
{
    g_autoptr(GPtrArray) types = library_list(world->loader.library, "schemas/devices", ".v1.yaml");

    load_carrier(world, file);
    for (unsigned i = 0; i < types->len; i++) {
        const char *type = g_ptr_array_index(types, i);
        g_autofree char *name = g_strdup_printf("schemas/devices/%s.v1.yaml", type);
        const Schema *schema = schema_load(world->loader.schemas, name);
        const Property *first;

        assert_non_null(schema);
        first = g_hash_table_lookup(world->properties, schema->property_schemas[0]);
        if (!first) {
            walk_with_device(world, schema, type);
        }
    }
}

/* ---- the tests ---- */

static int compare_names(gconstpointer left, gconstpointer right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static GPtrArray *carrier_files(void)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(FOLDER, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(files, g_build_filename(FOLDER, name, NULL));
    }
    g_ptr_array_sort(files, compare_names);
    return files;
}

static void property_free(gpointer data)
{
    Property *property = data;

    g_free(property->path);
    g_free(property->failure);
    g_free(property);
}

static void world_init(World *world, Diag *diag)
{
    loader_init(&world->loader, NULL, diag);
    world->folder = g_dir_make_tmp("lathe-visible-XXXXXX", NULL);
    world->properties = g_hash_table_new_full(NULL, NULL, NULL, property_free);
    world->digests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    world->path = g_ptr_array_new_with_free_func(g_free);
    write_small_file(world, "base.yaml", "x-nothing: true\n");
    write_small_file(world, "parts/virtio.yaml", "x-nothing: true\n");
}

static void world_clear(World *world)
{
    static const char *const files[] = {
        "m.yaml", "b.yaml", "base.yaml", "parts/virtio.yaml", "parts", ""
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = path_in(world, files[i]);

        assert_int_equal(g_remove(file), 0);
    }
    g_free(world->folder);
    g_hash_table_unref(world->properties);
    g_hash_table_unref(world->digests);
    g_ptr_array_unref(world->path);
    loader_clear(&world->loader);
}

static void the_fingerprint_is_of_what_a_guest_sees(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(GPtrArray) files = carrier_files(), types = NULL;
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    World world = { 0 };

    world_init(&world, diag);
    for (unsigned i = 0; i < files->len; i++) {
        walk_file(&world, g_ptr_array_index(files, i));
    }
    for (unsigned i = 0; i < files->len; i++) {
        walk_with_devices(&world, g_ptr_array_index(files, i));
    }
    types = library_list(world.loader.library, "schemas/devices", ".v1.yaml");
    for (unsigned i = 0; i < types->len; i++) {
        const char *type = g_ptr_array_index(types, i);
        g_autofree char *name = g_strdup_printf("schemas/devices/%s.v1.yaml", type);

        check_all_met(&world, schema_load(world.loader.schemas, name), type, done);
    }
    check_all_met(&world, schema_load(world.loader.schemas, "schemas/machine.v1.yaml"), "machine", done);
    check_all_met(&world, schema_load(world.loader.schemas, "schemas/board.v1.yaml"), "board", done);
    assert_int_equal(report(&world), 0);
    assert_true(g_hash_table_size(world.properties) > 200);
    world_clear(&world);
}

/* ---- CPUs ---- */

/* The machine with the model `max` of an ISA and, unless NULL, one feature the other way. */
static const char *digest_of_cpu(World *world, const Node *isa, const char *feature, bool on)
{
    Arena *arena = world->loader.arena;
    Node *both = read_file(world, FOLDER "/plain.yaml"), *machine = node_get(both, "machine");
    Node *cpus = node_new(arena, NODE_MAP, NO_MARK), *features = node_new(arena, NODE_MAP, NO_MARK);

    node_map_set(arena, node_get(both, "board"), "arch", NO_MARK, node_get(isa, "isa"));
    node_map_set(arena, machine, "cpus", NO_MARK, cpus);
    node_map_set(arena, cpus, "features", NO_MARK, features);
    if (feature) {
        node_map_set(arena, features, feature, NO_MARK, truth(world, on));
    }
    return digest(world, machine, node_get(both, "board"));
}

static bool has_feature(const Node *isa, const char *feature)
{
    const Node *list = node_at(isa, "models.max.features");

    for (unsigned i = 0; i < list->list.count; i++) {
        if (strcmp(node_text(list->list.items[i]), feature) == 0) {
            return true;
        }
    }
    return false;
}

/* A model may refuse to be without what its other features need. */
static void a_cpu_with_another_feature_is_another_machine(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(GPtrArray) isas = NULL;
    World world = { 0 };

    world_init(&world, diag);
    isas = library_list(world.loader.library, "schemas/cpus", ".yaml");
    for (unsigned i = 0; i < isas->len; i++) {
        g_autofree char *file = g_strdup_printf(
            "schemas/cpus/%s.yaml", (char *)g_ptr_array_index(isas, i));
        const Node *isa = library_load(world.loader.library, file);
        const NodeMap *features = &node_get(isa, "features")->map;
        const char *plain = digest_of_cpu(&world, isa, NULL, false);
        unsigned accepted = 0;

        assert_true(*plain);
        for (unsigned f = 0; f < features->count; f++) {
            const char *name = features->entries[f].key;
            bool on = has_feature(isa, name);

            assert_string_equal(digest_of_cpu(&world, isa, name, on), plain);
            if (*digest_of_cpu(&world, isa, name, !on)) {
                assert_string_not_equal(digest_of_cpu(&world, isa, name, !on), plain);
                accepted++;
            }
        }
        assert_true(accepted * 2 > features->count);
    }
    world_clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fingerprint_is_of_what_a_guest_sees),
        cmocka_unit_test(a_cpu_with_another_feature_is_another_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
