/* Looking into the loader from outside: trees as text, and lists of what there is. */
#include <string.h>

#include "config/loader.h"
#include "config/print.h"

char *config_dump_doc(const char *file, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_read(file, diag, NO_MARK);
    g_auto(Loader) l;

    loader_init(&l, options, diag);
    return source && loader_read_machine(&l, source) ? node_to_string(l.machine) : NULL;
}

/* What has done its work by the time that everything is in force. */
static const char *const done_keys[] = { "extends", "params", "profiles", "options", NULL };

char *config_print(const char *file, const ConfigOptions *options, ConfigForm form, Diag *diag)
{
    static char *(*const printers[])(const Node *, const char *const *) = {
        [CONFIG_YAML] = print_yaml,
        [CONFIG_JSON] = print_json,
        [CONFIG_ORIGINS] = print_origins,
        [CONFIG_VALUES] = print_values,
    };
    g_autoptr(Source) source = NULL;
    g_auto(Loader) l;
    bool read;

    loader_init(&l, options, diag);
    if (g_str_has_suffix(file, ".yaml")) {
        source = source_read(file, diag, NO_MARK);
        read = source && loader_read_machine(&l, source) &&
            loader_validate(&l, l.machine, "schemas/machine.v1.yaml");
    } else {
        read = loader_read_board(&l, file);
    }
    if (!read || diag_errors(diag) != l.errors_before) {
        return NULL;
    }
    return printers[form](l.machine ? l.machine : l.board, done_keys);
}

/* Where each kind of thing is found, and how its file names end. */
static const struct {
    const char *what, *folder, *suffix;
} kinds[] = {
    { "boards", "machines", ".yaml" },
    { "devices", "schemas/devices", ".v1.yaml" },
    { "cpus", "schemas/cpus", ".yaml" },
    { "formats", "schemas/formats", ".yaml" },
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
    return first_line(node_get(root, "title") ? node_get(root, "title") : node_get(root, "doc"));
}

GBytes *config_board_text(const char *name, const ConfigOptions *options, Diag *diag)
{
    g_auto(Loader) l;

    loader_init(&l, options, diag);
    return loader_read_board(&l, name) ? diag_source(diag, l.board->mark.file) : NULL;
}

uint64_t config_board_cpus(const char *name, const ConfigOptions *options, Diag *diag)
{
    g_auto(Loader) l;

    loader_init(&l, options, diag);
    return loader_read_board(&l, name) ? node_uint(node_at(l.board, "cpus.max")) : 0;
}
