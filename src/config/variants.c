/* The last path of a matrix counts fastest, as in a loop in a loop. */
#include "config/variants.h"

#include "config/loader.h"
#include "config/print.h"

static bool read_machine(Loader *l, const char *file, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_read(file, diag, NO_MARK);

    loader_init(l, options, diag);
    return source && loader_read_machine(l, source) &&
        loader_validate(l, l->machine, "schemas/machine.v1.yaml") &&
        diag_errors(diag) == l->errors_before;
}

static unsigned count_combinations(const Node *matrix)
{
    unsigned count = 1;

    for (unsigned i = 0; i < matrix->map.count && count <= MOST_COMBINATIONS; i++) {
        count *= MIN(matrix->map.entries[i].value->list.count, MOST_COMBINATIONS + 1);
    }
    return count;
}

static char **combination(const Node *matrix, unsigned number)
{
    char **sets = g_new0(char *, matrix->map.count + 1);

    for (unsigned i = matrix->map.count; i > 0; i--) {
        const Entry *entry = &matrix->map.entries[i - 1];
        const NodeList *values = &entry->value->list;
        g_autofree char *value = print_scalar_yaml(values->items[number % values->count]);

        sets[i - 1] = g_strdup_printf("%s=%s", entry->key, value);
        number /= values->count;
    }
    return sets;
}

GPtrArray *config_matrix(const char *file, const ConfigOptions *options, Diag *diag)
{
    GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_auto(Loader) l;
    bool read = read_machine(&l, file, options, diag);
    const Node *matrix = read ? node_good(l.machine, "matrix") : NULL;
    unsigned count = matrix ? count_combinations(matrix) : 0;

    if (count > MOST_COMBINATIONS) {
        read = diag_error(diag, DIAG_RANGE, matrix->mark,
            "the matrix has more than %d combinations", MOST_COMBINATIONS);
    }
    if (!read) {
        g_ptr_array_unref(out);
        return NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        g_ptr_array_add(out, combination(matrix, i));
    }
    return out;
}

GPtrArray *config_profiles(const char *file, const ConfigOptions *options, Diag *diag)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
    g_auto(Loader) l;
    bool read = read_machine(&l, file, options, diag);
    const Node *profiles = read ? node_good(l.machine, "profiles") : NULL;

    for (unsigned i = 0; profiles && i < profiles->map.count; i++) {
        g_ptr_array_add(out, g_strdup(profiles->map.entries[i].key));
    }
    if (!read) {
        g_clear_pointer(&out, g_ptr_array_unref);
    }
    return out;
}
