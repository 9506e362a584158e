/* The machine as a whole: CPUs, memory, clocks, boot, and what cannot be honoured yet. */
#include "config/resolve.h"

#include <string.h>

#include "config/layers.h"
#include "config/resolve-impl.h"
#include "config/suggest.h"

/* ---- for all parts ---- */

static unsigned entries_in(const Node *node)
{
    return node && node->kind == NODE_MAP ? node->map.count : 0;
}

void resolve_suggest(Resolver *r, const char *word, const Node *map)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new(NULL);
    const char *near;

    for (unsigned i = 0; i < entries_in(map); i++) {
        g_ptr_array_add(names, (gpointer)map->map.entries[i].key);
        g_string_append_printf(list, " %s", map->map.entries[i].key);
    }
    near = suggest(word, names);
    if (near) {
        diag_hint(r->diag, "did you mean `%s`?", near);
    }
    if (list->len) {
        diag_note(r->diag, NO_MARK, "there are:%s", list->str);
    }
}

SpecText resolve_text(const Node *node)
{
    return node ? (SpecText){ node_text(node), node->mark } : (SpecText){ 0 };
}

uint64_t resolve_quantity(const Node *node, UnitKind unit)
{
    uint64_t value;

    return node_text(node) && units_parse(unit, node_text(node), &value) ? value : 0;
}

void *resolve_take(Resolver *r, GArray *array)
{
    size_t bytes = (size_t)array->len * g_array_get_element_size(array);

    return array->len ? memcpy(arena_alloc(r->arena, bytes), array->data, bytes) : NULL;
}

/* ---- clocks, memory ---- */

static void resolve_clocks(Resolver *r)
{
    const Node *clocks = node_good(r->in->board, "clocks");
    ClockSpec *out = arena_alloc(r->arena, entries_in(clocks) * sizeof(*out));

    r->spec->clocks = out;
    for (unsigned i = 0; i < entries_in(clocks); i++) {
        const Entry *entry = &clocks->map.entries[i];

        out[r->spec->clock_count++] = (ClockSpec){
            .id = entry->key,
            .rate_hz = resolve_quantity(node_good(entry->value, "rate"), UNIT_RATE),
            .mark = entry->mark,
        };
    }
}

/* Not when a key was refused that may have been meant. */
static void report_no_memory(Resolver *r)
{
    const NodeMap *map = &r->in->machine->map;

    for (unsigned i = 0; i < map->count; i++) {
        if (map->entries[i].value->bad && suggest_distance(map->entries[i].key, "memory") <= 2) {
            return;
        }
    }
    diag_error(r->diag, DIAG_MISSING_KEY, r->spec->board_mark,
        "the machine needs the key `memory`: the board leaves the size open");
    diag_hint(r->diag, "add `memory: 512MiB`");
}

/* What the machine asks for, within the board's limits; 0 after reporting. */
static uint64_t machine_memory(Resolver *r, const Entry *region, Mark *mark)
{
    const Node *asked = node_get(r->in->machine, "memory"), *max = node_good(region->value, "max");
    uint64_t bytes = resolve_quantity(asked, UNIT_BYTES), most = resolve_quantity(max, UNIT_BYTES);

    if (!r->in->machine) {
        return MIN(1ull << 30, most ? most : 1ull << 30);
    }
    if (!asked) {
        report_no_memory(r);
        return 0;
    }
    if (asked->bad) {
        return 0;
    }
    *mark = asked->mark;
    if (bytes == 0 || bytes % 4096) {
        diag_error(r->diag, DIAG_MEMORY_SIZE, asked->mark,
            "memory must be a multiple of 4KiB, and not nothing");
        return 0;
    }
    if (max && bytes > most) {
        diag_error(r->diag, DIAG_MEMORY_SIZE, asked->mark, "the board has room for %s of memory",
            node_text(max));
        diag_note(r->diag, max->mark, "the limit");
        return 0;
    }
    return bytes;
}

static MemoryKind memory_kind(const char *word)
{
    return g_strcmp0(word, "rom") == 0  ? MEMORY_ROM
        : g_strcmp0(word, "flash") == 0 ? MEMORY_FLASH
                                        : MEMORY_RAM;
}

static void resolve_memory(Resolver *r)
{
    const Node *memory = node_good(r->in->board, "memory");
    MemorySpec *out = arena_alloc(r->arena, entries_in(memory) * sizeof(*out));

    r->spec->memory = out;
    for (unsigned i = 0; i < entries_in(memory); i++) {
        const Entry *entry = &memory->map.entries[i];
        const Node *size = node_good(entry->value, "size");
        MemorySpec region = { .name = entry->key, .mark = entry->mark };

        if (entry->value->bad || !size) {
            continue;
        }
        region.kind = memory_kind(node_text(node_good(entry->value, "kind")));
        region.at = node_uint(node_good(entry->value, "at"));
        region.size = strcmp(node_text(size), "machine.memory") == 0
            ? machine_memory(r, entry, &region.mark)
            : resolve_quantity(size, UNIT_BYTES);
        if (region.size) {
            out[r->spec->memory_count++] = region;
        }
    }
}

/* ---- the secure state's own ---- */

static bool mark_secure(Resolver *r, const char *name)
{
    MemorySpec *memory = (MemorySpec *)r->spec->memory; /* ours until resolve() is done */

    for (unsigned i = 0; i < r->spec->memory_count; i++) {
        if (strcmp(memory[i].name, name) == 0) {
            return memory[i].secure = true;
        }
    }
    for (unsigned i = 0; i < r->devices->len; i++) {
        DeviceSpec *device = &g_array_index(r->devices, DeviceSpec, i);

        if (strcmp(device->id, name) == 0) {
            return device->secure = true;
        }
    }
    return false;
}

static void resolve_secure(Resolver *r)
{
    const Node *list = node_good(r->in->board, "secure");

    r->spec->has_secure = list != NULL;
    for (unsigned i = 0; list && i < list->list.count; i++) {
        const Node *item = list->list.items[i];

        if (!item->bad && !mark_secure(r, node_text(item))) {
            diag_error(r->diag, DIAG_UNKNOWN_REFERENCE, item->mark,
                "'secure' has `%s`, but there is no memory or device of this name",
                node_text(item));
        }
    }
}

/* ---- CPUs ---- */

static bool is_in_list(const Node *list, const char *word)
{
    for (unsigned i = 0; list && list->kind == NODE_LIST && i < list->list.count; i++) {
        if (g_strcmp0(node_text(list->list.items[i]), word) == 0) {
            return true;
        }
    }
    return false;
}

/* Names that are none of the ISA's. */
static void check_features(
    Resolver *r, const CpuClusterSpec *cluster, const Node *known, const Node *named)
{
    for (unsigned i = 0; i < entries_in(named); i++) {
        const Entry *entry = &named->map.entries[i];

        if (!node_get(known, entry->key)) {
            diag_error(r->diag, DIAG_UNKNOWN_MODEL, entry->mark, "%s has no feature `%s`",
                cluster->isa, entry->key);
            resolve_suggest(r, entry->key, known);
        }
    }
}

/* All features of the ISA: those of the model are on, unless the board or the machine says otherwise. */
static void fill_features(
    Resolver *r, CpuClusterSpec *cluster, const Node *isa, const Node *of_board, const Node *asked)
{
    const Node *known = node_get(isa, "features");
    const Node *of_model = node_get(
        node_get(node_get(isa, "models"), cluster->model.text), "features");
    CpuFeature *features = arena_alloc(r->arena, entries_in(known) * sizeof(*features));

    for (unsigned i = 0; i < entries_in(known); i++) {
        const char *name = known->map.entries[i].key;
        const Node *wish = node_good(asked, name), *board = node_good(of_board, name);

        features[i] = (CpuFeature){
            .name = name,
            .on = wish  ? node_is_true(wish)
                : board ? node_is_true(board)
                        : is_in_list(of_model, name),
            .asked = wish != NULL,
            .mark = wish ? wish->mark : cluster->model.mark,
        };
    }
    cluster->features = features;
    cluster->feature_count = entries_in(known);
    check_features(r, cluster, known, of_board);
    check_features(r, cluster, known, asked);
}

static void check_model(Resolver *r, const CpuClusterSpec *cluster, const Node *models)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new(NULL);
    const char *near;

    if (!models || models->bad || is_in_list(models, cluster->model.text)) {
        return;
    }
    for (unsigned i = 0; i < models->list.count; i++) {
        const char *name = node_text(models->list.items[i]);

        g_ptr_array_add(names, (gpointer)(name ? name : ""));
        g_string_append_printf(list, " %s", name ? name : "");
    }
    near = suggest(cluster->model.text, names);
    diag_error(r->diag, DIAG_UNKNOWN_MODEL, cluster->model.mark,
        "the board takes no CPU model `%s`", cluster->model.text);
    if (near) {
        diag_hint(r->diag, "did you mean `%s`?", near);
    } else if (g_str_equal(cluster->model.text, "host")) {
        diag_hint(r->diag, "the host's CPU runs no guest code here: `max` has the most");
    }
    diag_note(r->diag, NO_MARK, "it takes:%s", list->str);
}

static bool check_count(Resolver *r, const SpecNumber *count, const Node *max)
{
    uint64_t most = node_uint(max);

    if (count->value == 0) {
        diag_error(r->diag, DIAG_CPU_COUNT, count->mark, "a machine needs at least one CPU");
        return false;
    }
    if (max && count->value > most) {
        diag_error(r->diag, DIAG_CPU_COUNT, count->mark,
            "the board has room for %" G_GUINT64_FORMAT " CPUs", most);
        diag_note(r->diag, max->mark, "the limit");
        return false;
    }
    return true;
}

/* The CPU file of the board's arch; NULL after reporting. */
static const Node *load_isa(Resolver *r, const Node *arch)
{
    g_autofree char *file = node_text(arch)
        ? g_strdup_printf("schemas/cpus/%s.yaml", node_text(arch))
        : NULL;
    const Node *isa = file ? library_load(r->in->library, file) : NULL;

    if (file && !isa) {
        diag_error(r->diag, DIAG_UNKNOWN_REFERENCE, arch->mark, "there is no instruction set `%s`",
            node_text(arch));
    }
    return isa;
}

static uint64_t timebase(Resolver *r, const Node *cpus)
{
    const Node *name = node_good(cpus, "timebase"), *clocks = node_get(r->in->board, "clocks");
    const Node *clock = node_text(name) ? node_get(clocks, node_text(name)) : NULL;

    if (node_text(name) && !clock) {
        diag_error(
            r->diag, DIAG_UNKNOWN_CLOCK, name->mark, "there is no clock `%s`", node_text(name));
        resolve_suggest(r, node_text(name), clocks);
    }
    return resolve_quantity(node_good(clock, "rate"), UNIT_RATE);
}

/* The keys of a cluster on the board; false after reporting that one of them is missing. */
static bool has_cluster_keys(Resolver *r, const char *path, const Node *of_board)
{
    static const char *const keys[] = { "models", "default", "max" };
    bool all = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!node_get(of_board, keys[i])) {
            all = diag_error(
                r->diag, DIAG_MISSING_KEY, of_board->mark, "%s needs the key `%s`", path, keys[i]);
        }
    }
    return all;
}

/* Appends CPUs of one kind. `asked` is what the machine says about them, or NULL. */
static void add_cluster(
    Resolver *r, GArray *clusters, const char *name, const Node *of_board, const Node *asked)
{
    const Node *model = node_good(asked, "model"), *count = node_good(asked, "count");
    const Node *own_isa = node_good(of_board, "isa");
    const Node *arch = own_isa ? own_isa : node_good(r->in->board, "arch");
    const Node *isa = r->in->bench ? NULL : load_isa(r, arch);
    CpuClusterSpec cluster = {
        .name = name,
        .isa = own_isa ? node_text(own_isa) : r->spec->arch,
        .model = resolve_text(model ? model : node_good(of_board, "default")),
        .count = { count ? node_uint(count) : 1, count ? count->mark : r->spec->board_mark, true },
        .mark = asked ? asked->mark : r->spec->board_mark,
        .timebase_hz = timebase(r, of_board),
        .psci_conduit = node_text(node_good(node_good(of_board, "psci"), "conduit")),
        .psci_version = node_text(node_good(node_good(of_board, "psci"), "version")),
        .semihosting = node_is_true(node_good(asked, "semihosting")),
        .first = r->cpu_count,
    };

    if (cluster.model.text) {
        check_model(r, &cluster, node_good(of_board, "models"));
    }
    if (isa && cluster.model.text) {
        fill_features(
            r, &cluster, isa, node_good(of_board, "features"), node_good(asked, "features"));
    }
    if (check_count(r, &cluster.count, node_good(of_board, "max"))) {
        r->cpu_count += cluster.count.value;
        g_array_append_val(clusters, cluster);
    }
}

/* The short form has the keys of its one cluster in the place of names. */
static bool is_named(const Node *of_board)
{
    for (unsigned i = 0; i < entries_in(of_board); i++) {
        const char *key = of_board->map.entries[i].key;

        if (of_board->map.entries[i].value->kind == NODE_MAP && strcmp(key, "psci") != 0 &&
            strcmp(key, "features") != 0) {
            return true;
        }
    }
    return false;
}

/* What a machine says about clusters that the board does not have. */
static void check_cluster_names(Resolver *r, const Node *of_board, const Node *asked, bool named)
{
    for (unsigned i = 0; i < entries_in(asked); i++) {
        const Entry *entry = &asked->map.entries[i];
        bool is_cluster = entry->value->kind == NODE_MAP && strcmp(entry->key, "features") != 0;

        if (entry->value->bad || g_strcmp0(entry->value->layer, "default") == 0) {
            continue;
        }
        if (is_cluster && !node_get(of_board, entry->key)) {
            diag_error(r->diag, DIAG_UNKNOWN_KEY, entry->mark, "the board has no CPU cluster `%s`",
                entry->key);
            if (named) {
                resolve_suggest(r, entry->key, of_board);
            }
        } else if (!is_cluster && named) {
            diag_error(r->diag, DIAG_UNKNOWN_KEY, entry->mark,
                "the board has several kinds of CPU: which one has this `%s`?", entry->key);
            resolve_suggest(r, entry->key, of_board);
        }
    }
}

static void resolve_cpus(Resolver *r)
{
    const Node *of_board = node_good(r->in->board, "cpus"),
               *asked = node_good(r->in->machine, "cpus");
    g_autoptr(GArray) clusters = g_array_new(false, true, sizeof(CpuClusterSpec));
    bool named = is_named(of_board);

    check_cluster_names(r, of_board, asked, named);
    if (of_board && !named && has_cluster_keys(r, "cpus", of_board)) {
        add_cluster(r, clusters, "cpus", of_board, asked);
    }
    for (unsigned i = 0; named && i < entries_in(of_board); i++) {
        const Entry *entry = &of_board->map.entries[i];
        const char *path = arena_printf(r->arena, "cpus.%s", entry->key);

        if (!entry->value->bad && has_cluster_keys(r, path, entry->value)) {
            add_cluster(r, clusters, entry->key, entry->value, node_good(asked, entry->key));
        }
    }
    r->cpu_count = MAX(r->cpu_count, 1);
    r->spec->clusters = resolve_take(r, clusters);
    r->spec->cluster_count = clusters->len;
}

/* ---- boot ---- */

/* How a file is called from a folder: "../kernel". Free it. */
static char *path_from(const char *folder, const char *file)
{
    g_autofree char *from = g_canonicalize_filename(folder, NULL);
    g_autofree char *to = g_canonicalize_filename(file, NULL);
    g_auto(GStrv) above = g_strsplit(from, "/", -1), below = g_strsplit(to, "/", -1);
    GString *out = g_string_new(NULL);
    unsigned same = 0;

    while (above[same] && below[same] && strcmp(above[same], below[same]) == 0) {
        same++;
    }
    for (unsigned i = same; above[i]; i++) {
        g_string_append(out, "../");
    }
    for (unsigned i = same; below[i]; i++) {
        g_string_append_printf(out, "%s%s", below[i], below[i + 1] ? "/" : "");
    }
    return g_string_free(out, false);
}

/* Where Debian's packages put firmware. */
static const struct {
    const char *folder, *package;
} packaged[] = {
    { "/usr/lib/riscv64-linux-gnu/opensbi/", "opensbi" },
    { "/usr/lib/u-boot/", "u-boot-qemu" },
    { "/usr/share/AAVMF/", "qemu-efi-aarch64" },
    { "/usr/share/qemu-efi-aarch64/", "qemu-efi-aarch64" },
};

static void hint_absolute_path(Resolver *r, const char *path)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(packaged); i++) {
        if (g_str_has_prefix(path, packaged[i].folder)) {
            diag_hint(r->diag, "install Debian's package %s", packaged[i].package);
            return;
        }
    }
    diag_hint(r->diag, "is it on this host, and spelt so?");
}

/* Often the path was meant from where the person stood, not from the file that names it. */
static void hint_path(Resolver *r, const Node *node)
{
    g_autofree char *folder = node->mark.file ? g_path_get_dirname(node->mark.file) : NULL;
    g_autofree char *better = NULL;

    if (folder && g_file_test(node_text(node), G_FILE_TEST_EXISTS)) {
        better = path_from(folder, node_text(node));
        diag_hint(r->diag, "write %s, as seen from the file that names it", better);
        diag_fix(r->diag, better);
    } else if (g_path_is_absolute(node_text(node))) {
        hint_absolute_path(r, node_text(node));
    } else if (*node_text(node) == '$') {
        diag_hint(r->diag,
            "variables enter by parameters: `params: { x: { type: path, env: %s } }`",
            node_text(node) + 1);
    } else if (g_str_has_prefix(node_text(node), "~")) {
        diag_hint(r->diag, "`~` is the shell's: write the path from / or from this file's folder");
    } else {
        diag_hint(r->diag, "a path is relative to the file that names it");
    }
}

/* A path beside the file that names it. Whether it can be read is asked when it is. */
static void fill_path(Resolver *r, SpecText *out, const Node *boot, const char *key)
{
    const Node *node = node_good(boot, key);

    if (node_text(node)) {
        *out = (SpecText){ layers_path_beside(node, r->arena), node->mark };
        if (!r->in->files_may_miss && !g_file_test(out->text, G_FILE_TEST_EXISTS)) {
            diag_error(r->diag, DIAG_FILE_MISSING, node->mark, "there is no file `%s`", out->text);
            hint_path(r, node);
        }
    }
}

static SpecNumber load_address(const Node *board_boot, const char *key)
{
    const Node *at = node_good(node_good(board_boot, key), "at");

    return at ? (SpecNumber){ node_uint(at), at->mark, true } : (SpecNumber){ 0 };
}

static void resolve_boot(Resolver *r)
{
    const Node *boot = node_good(r->in->machine, "boot"), *places = node_good(r->in->board, "boot");
    BootSpec *out = &r->spec->boot;

    fill_path(r, &out->kernel, boot, "kernel");
    fill_path(r, &out->initrd, boot, "initrd");
    fill_path(r, &out->firmware, boot, "firmware");
    fill_path(r, &out->fdt, boot, "fdt");
    fill_path(r, &out->fdt_overlay, boot, "fdt-overlay");
    out->cmdline = resolve_text(node_good(boot, "cmdline"));
    out->kernel_at = load_address(places, "kernel");
    out->initrd_at = load_address(places, "initrd");
    out->fdt_at = load_address(places, "fdt");
    out->firmware_at = load_address(places, "firmware");
}

/* ---- time ---- */

static void resolve_time(Resolver *r)
{
    const Node *start = node_good(node_good(r->in->machine, "clock"), "start");
    const Node *seed = node_good(node_good(r->in->machine, "entropy"), "seed");
    g_autoptr(GDateTime)
        time = node_text(start) ? g_date_time_new_from_iso8601(node_text(start), NULL) : NULL;

    if (time) {
        r->spec->start_time = (SpecNumber){ g_date_time_to_unix(time), start->mark, true };
    } else if (node_text(start)) {
        diag_error(r->diag, DIAG_FORM, start->mark, "there is no such date");
    }
    if (seed) {
        r->spec->entropy_seed = (SpecNumber){ node_uint(seed), seed->mark, true };
    }
}

/* ---- networks ---- */

/* A port of the host can be forwarded to one guest port only, whichever the network. */
static void check_forward(Resolver *r, GHashTable *taken, const Node *forward)
{
    for (unsigned i = 0; i < entries_in(forward); i++) {
        const Node *host = node_good(forward->map.entries[i].value, "host");
        gpointer port = GUINT_TO_POINTER((unsigned)node_uint(host));
        const Node *first = host ? g_hash_table_lookup(taken, port) : NULL;

        if (first) {
            diag_error(r->diag, DIAG_PORT_TAKEN, host->mark,
                "port %s of the host is forwarded twice", host->scalar.text);
            diag_hint(r->diag, "take another port, or leave `host` out");
            diag_note(r->diag, first->mark, "the other one");
        } else if (host) {
            g_hash_table_insert(taken, port, (gpointer)host);
        }
    }
}

static void resolve_networks(Resolver *r)
{
    const Node *networks = node_good(r->in->machine, "net");
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < entries_in(networks); i++) {
        check_forward(r, taken, node_good(networks->map.entries[i].value, "forward"));
    }
}

/* ---- the machine's own devices ---- */

/* Who has a drive is part of it: then the drive is opened once, and has one place to look. */
static bool carries_no_drive(Resolver *r, const Entry *entry)
{
    const Node *drive = r->in->bench ? NULL : node_get(entry->value, "drive"),
               *type = node_get(entry->value, "type");

    if (!drive) {
        return true;
    }
    diag_error(r->diag, DIAG_NOT_ALLOWED, drive->mark,
        "the device in front of a drive belongs to the drive");
    diag_hint(r->diag, "write drives: { %s: { ..., device: { type: %s } } }",
        node_text(drive) ? node_text(drive) : "NAME", node_text(type) ? node_text(type) : "...");
    return false;
}

static void resolve_machine_devices(Resolver *r)
{
    const Node *devices = node_good(r->in->machine, "devices");

    for (unsigned i = 0; i < entries_in(devices); i++) {
        const Entry *entry = &devices->map.entries[i];
        Node *slot = node_get(entry->value, "slot");

        if (node_get(node_get(r->in->board, "devices"), entry->key)) {
            diag_error(r->diag, DIAG_DUPLICATE_KEY, entry->mark,
                "`%s` is a device of the board already", entry->key);
        } else if (!entry->value->bad && carries_no_drive(r, entry)) {
            const char *id = r->in->bench ? entry->key
                                          : arena_printf(r->arena, "devices.%s", entry->key);

            node_map_remove(entry->value, "slot");
            resolve_plugged_device(r, id, entry->value, slot, entry->mark);
        }
    }
}

/* ---- all together ---- */

static void resolve_head(Resolver *r)
{
    const Node *name = node_good(r->in->machine, "name"),
               *board = node_get(r->in->machine, "board");

    r->spec->name = resolve_text(name ? name : node_good(r->in->board, "name"));
    r->spec->has_variants = node_get(r->in->machine, "profiles") ||
        node_get(r->in->machine, "matrix");
    r->spec->board = node_text(node_good(r->in->board, "name"));
    r->spec->board_version = node_text(node_good(r->in->board, "version"));
    r->spec->arch = node_text(node_good(r->in->board, "arch"));
    r->spec->board_mark = board ? board->mark : r->in->board->mark;
}

void resolve(const ResolveInput *input, MachineSpec *spec)
{
    Resolver r = { .in = input, .arena = input->arena, .diag = input->diag, .spec = spec };

    r.types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    r.blocks = g_hash_table_new(g_str_hash, g_str_equal);
    r.devices = g_array_new(false, true, sizeof(DeviceSpec));
    r.drives = g_array_new(false, true, sizeof(DriveSpec));
    r.not_yet = g_array_new(false, true, sizeof(NotYet));
    r.seen = g_array_new(false, true, sizeof(NamePair));

    resolve_head(&r);
    resolve_clocks(&r);
    resolve_memory(&r);
    resolve_cpus(&r);
    resolve_board_devices(&r);
    resolve_secure(&r);
    resolve_drives(&r);
    resolve_machine_devices(&r);
    resolve_slots(&r);
    resolve_boot(&r);
    resolve_time(&r);
    resolve_networks(&r);
    resolve_later(&r);
    resolve_board_fdt(&r);

    spec->devices = resolve_take(&r, r.devices);
    spec->device_count = r.devices->len;
    spec->drives = resolve_take(&r, r.drives);
    spec->drive_count = r.drives->len;
    spec->not_yet = resolve_take(&r, r.not_yet);
    spec->not_yet_count = r.not_yet->len;
    spec->seen = resolve_take(&r, r.seen);
    spec->seen_count = r.seen->len;
    g_array_unref(r.devices);
    g_array_unref(r.drives);
    g_array_unref(r.not_yet);
    g_array_unref(r.seen);
    g_hash_table_unref(r.types);
    g_hash_table_unref(r.blocks);
}
