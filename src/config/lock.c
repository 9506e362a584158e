/* Reading locks, and writing them anew as a whole. */
#include "config/lock.h"

#include <string.h>

#include "config/layers.h"
#include "config/loader.h"
#include "config/print.h"
#include "config/validate.h"
#include "core/version.h"

/* ---- where it is ---- */

static bool is_for(const char *lock, const char *machine)
{
    g_autofree char *text = NULL, *name = g_path_get_basename(machine);
    g_autofree char *quoted = g_regex_escape_string(name, -1);
    g_autofree char *line = g_strdup_printf("^for: \"?%s\"?\\s*$", quoted);

    return g_file_get_contents(lock, &text, NULL, NULL) &&
        g_regex_match_simple(line, text, G_REGEX_MULTILINE, 0);
}

char *lock_path(const char *machine)
{
    g_autofree char *folder = g_path_get_dirname(machine), *name = g_path_get_basename(machine);
    size_t stem = g_str_has_suffix(name, ".yaml") ? strlen(name) - strlen(".yaml") : strlen(name);
    g_autofree char *own = g_strdup_printf("%s/%.*s.lock", folder, (int)stem, name);
    g_autofree char *common = g_build_filename(folder, "lathe.lock", NULL);
    bool use_own = g_file_test(own, G_FILE_TEST_EXISTS) ||
        (g_file_test(common, G_FILE_TEST_EXISTS) && !is_for(common, machine));
    const char *path = use_own ? own : common;

    return g_strdup(
        g_str_has_prefix(path, "./") && !g_str_has_prefix(machine, "./") ? path + 2 : path);
}

void loader_read_lock(Loader *l, const char *machine)
{
    g_autofree char *path = lock_path(machine), *name = g_path_get_basename(machine);
    g_autoptr(Source) source = NULL;
    Node *lock;
    const Node *owner;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return;
    }
    source = source_read(path, l->diag, NO_MARK);
    lock = source ? layers_load_source(source, l->arena, l->diag) : NULL;
    if (!lock || !loader_validate(l, lock, "schemas/lock.v1.yaml")) {
        return;
    }
    owner = node_good(lock, "for");
    if (node_text(owner) && strcmp(node_text(owner), name) != 0) {
        diag_error(l->diag, DIAG_LOCK, owner->mark, "the lock is for `%s`, not for `%s`",
            node_text(owner), name);
        diag_hint(l->diag, "rename it, or remove it");
    }
    l->lock = lock;
}

/* ---- images ---- */

struct LockImages {
    Loader loader; /* whose arena the texts are in */
    GArray *list;  /* of LockImage */
};

static void add_image(LockImages *images, const Entry *entry)
{
    const Node *url = node_good(entry->value, "url"), *file = node_good(entry->value, "file");
    const Node *locked = node_get(node_get(images->loader.lock, "images"), entry->key);
    LockImage image = {
        .name = entry->key,
        .url = node_text(url),
        .file = node_text(file) ? layers_path_beside(file, images->loader.arena) : NULL,
        .digest = node_text(node_good(entry->value, "digest")),
        .asked = node_text(node_get(locked, "asked")),
        .got = node_text(node_get(locked, "got")),
        .locked = node_text(node_get(locked, "digest")),
        .locked_size = node_uint(node_get(locked, "size")),
        .mark = url ? url->mark
            : file  ? file->mark
                    : entry->mark,
    };

    g_array_append_val(images->list, image);
}

LockImages *lock_images(const char *machine, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_read(machine, diag, NO_MARK);
    g_autoptr(LockImages) images = g_new0(LockImages, 1);
    Loader *l = &images->loader;
    const Node *all;

    loader_init(l, options, diag);
    images->list = g_array_new(false, false, sizeof(LockImage));
    if (!source || !loader_read_machine(l, source) ||
        !loader_validate(l, l->machine, "schemas/machine.v1.yaml")) {
        return NULL;
    }
    loader_read_lock(l, machine);
    all = node_good(l->machine, "images");
    for (unsigned i = 0; all && all->kind == NODE_MAP && i < all->map.count; i++) {
        if (!all->map.entries[i].value->bad) {
            add_image(images, &all->map.entries[i]);
        }
    }
    return diag_errors(diag) == l->errors_before ? g_steal_pointer(&images) : NULL;
}

void lock_images_free(LockImages *images)
{
    if (images) {
        loader_clear(&images->loader);
        g_array_unref(images->list);
        g_free(images);
    }
}

unsigned lock_images_count(const LockImages *images)
{
    return images->list->len;
}

LockImage *lock_images_get(LockImages *images, unsigned index)
{
    return &g_array_index(images->list, LockImage, index);
}

/* ---- writing ---- */

static char *digest_of_tree(const Node *tree)
{
    static const char *const done[] = { "options", "history", NULL };
    g_autofree char *text = print_json(tree, done);
    g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    return g_strconcat("sha256:", hex, NULL);
}

/* A line, with quotes where YAML wants them. */
static void put(GString *out, unsigned depth, const char *key, const char *value)
{
    Node node = { .kind = NODE_STRING, .scalar.text = value };
    g_autofree char *text = value ? print_scalar_yaml(&node) : NULL;

    if (text) {
        g_string_append_printf(out, "%*s%s: %s\n", (int)depth * 2, "", key, text);
    }
}

static void put_board(GString *out, const Loader *l, const MachineSpec *spec)
{
    g_autofree char *digest = digest_of_tree(l->board);

    g_string_append(out, "board:\n");
    put(out, 1, "name", spec->board);
    put(out, 1, "version", spec->board_version);
    put(out, 1, "from", l->board->mark.file);
    put(out, 1, "digest", digest);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The schemas of the device types in use, sorted by name. */
static void put_schemas(GString *out, const Loader *l, const MachineSpec *spec)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GString) all = g_string_new(NULL);
    g_autofree char *hex = NULL;

    for (unsigned i = 0; i < spec->device_count; i++) {
        const char *name = spec->devices[i].type->name;

        if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL)) {
            g_ptr_array_add(names, (gpointer)name);
        }
    }
    g_ptr_array_sort(names, compare_texts);
    for (unsigned i = 0; i < names->len; i++) {
        g_autofree char *file = g_strdup_printf(
            "schemas/devices/%s.v1.yaml", (const char *)g_ptr_array_index(names, i));
        g_autofree char *digest = digest_of_tree(library_load(l->library, file));

        g_string_append_printf(all, "%s %s\n", file, digest);
    }
    hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, all->len);
    g_string_append_printf(out, "schemas:\n  count: %u\n  digest: sha256:%s\n", names->len, hex);
}

static void put_cpu(GString *out, const Loader *l, const CpuClusterSpec *cluster)
{
    g_autofree char *file = g_strdup_printf("schemas/cpus/%s.yaml", cluster->isa);
    const Node *isa = library_load(l->library, file);
    const Node *model = node_get(node_get(isa, "models"), cluster->model.text);
    g_autofree char *digest = model ? digest_of_tree(model) : NULL;

    g_string_append(out, "cpu:\n");
    put(out, 1, "model", cluster->model.text);
    put(out, 1, "digest", digest);
}

static void put_images(GString *out, LockImages *images)
{
    for (unsigned i = 0; i < lock_images_count(images); i++) {
        const LockImage *image = lock_images_get(images, i);

        g_string_append_printf(out, "%s  %s:\n", i ? "" : "images:\n", image->name);
        put(out, 2, "asked", image->url);
        put(out, 2, "got", image->url ? image->got : NULL);
        put(out, 2, "file", image->url ? NULL : image->file);
        put(out, 2, "digest", image->locked);
        g_string_append_printf(out, "    size: %" G_GUINT64_FORMAT "\n", image->locked_size);
    }
}

static void put_slots(GString *out, const MachineSpec *spec)
{
    const char *head = "slots: # adding a drive never moves an old one\n";

    for (unsigned i = 0; i < spec->device_count; i++) {
        if (spec->devices[i].slot) {
            g_string_append(out, head);
            put(out, 1, spec->devices[i].id, spec->devices[i].slot);
            head = "";
        }
    }
}

static void collect_defaults(GString *out, const char *path, const Node *node)
{
    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        const Entry *entry = &node->map.entries[i];
        g_autofree char *below = g_strdup_printf("%s%s%s", path, *path ? "." : "", entry->key);

        if (*path || (strcmp(entry->key, "params") != 0 && strcmp(entry->key, "profiles") != 0)) {
            collect_defaults(out, below, entry->value);
        }
    }
    if (node->kind != NODE_MAP && g_strcmp0(node->layer, "default") == 0) {
        g_autofree char *text = print_scalar_yaml(node);

        g_string_append_printf(out, "  %s: %s\n", path, text);
    }
}

static void put_defaults(GString *out, const Node *machine)
{
    g_autoptr(GString) list = g_string_new(NULL);

    collect_defaults(list, "", machine);
    if (list->len) {
        g_string_append_printf(
            out, "defaults: # what the file left unsaid, at the time of locking\n%s", list->str);
    }
}

static void put_digests(GString *out, const LockDigests *digests)
{
    const char *const *each = digests->combinations;

    g_string_append(out, "guest-visible:\n");
    put(out, 1, "fdt", digests->fdt);
    put(out, 1, "hardware", digests->hardware);
    g_string_append(out, each && *each ? "matrix:\n" : "");
    for (; each && *each; each += 2) {
        g_string_append_printf(out, "  %s: { hardware: %s }\n", each[0], each[1]);
    }
}

char *lock_text(const char *machine, const ConfigOptions *options, const MachineSpec *spec,
    LockImages *images, const LockDigests *digests, Diag *diag)
{
    Loader *l = &images->loader;
    g_autofree char *name = g_path_get_basename(machine);
    GString *out;

    if (!loader_read_machine_board(l)) {
        return NULL;
    }
    out = g_string_new("# Written by `lathe lock`. Commit it; do not edit it.\n"
                       "# Everything the guest can see, and everything read from outside.\n"
                       "lathe: lock/v1\n");
    put(out, 0, "for", name);
    put(out, 0, "by", "lathe " LATHE_VERSION);
    g_string_append_c(out, '\n');
    put_board(out, l, spec);
    put_schemas(out, l, spec);
    for (unsigned i = 0; i < MIN(spec->cluster_count, 1); i++) {
        put_cpu(out, l, &spec->clusters[i]);
    }
    put_images(out, images);
    put_slots(out, spec);
    put_defaults(out, l->machine);
    put_digests(out, digests);
    return g_string_free(out, false);
}
