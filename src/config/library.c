/* Folders first, then what is part of the program. */
#include "config/library.h"

#include <string.h>

#include "config/embedded.h"
#include "config/events.h"
#include "config/layers.h"
#include "config/packed.h"

struct Library {
    GPtrArray *folders; /* of char *, in the order of looking */
    GHashTable *loaded; /* name -> Node; NULL values too */
    Arena *arena;
    Diag *diag;
};

Library *library_create(const char *const *path, Arena *arena, Diag *diag)
{
    Library *library = g_new0(Library, 1);
    const char *variable = g_getenv("LATHE_PATH");
    g_auto(GStrv) more = g_strsplit(variable ? variable : "", G_SEARCHPATH_SEPARATOR_S, -1);

    library->folders = g_ptr_array_new_with_free_func(g_free);
    library->loaded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    library->arena = arena;
    library->diag = diag;
    for (unsigned i = 0; path && path[i]; i++) {
        g_ptr_array_add(library->folders, g_strdup(path[i]));
    }
    for (unsigned i = 0; more[i]; i++) {
        if (*more[i]) {
            g_ptr_array_add(library->folders, g_strdup(more[i]));
        }
    }
    return library;
}

void library_free(Library *library)
{
    if (library) {
        g_ptr_array_unref(library->folders);
        g_hash_table_unref(library->loaded);
        g_free(library);
    }
}

/* The file of this name in the first folder that has it; NULL if none does. */
static char *find_file(const Library *library, const char *name)
{
    for (unsigned i = 0; i < library->folders->len; i++) {
        char *file = g_build_filename(g_ptr_array_index(library->folders, i), name, NULL);

        if (g_file_test(file, G_FILE_TEST_IS_REGULAR)) {
            return file;
        }
        g_free(file);
    }
    return NULL;
}

bool library_has(const Library *library, const char *name)
{
    g_autofree char *file = find_file(library, name);

    return file || embedded_find(name);
}

/* A file may extend others, which are found from its folder; what is embedded stands alone. */
static Node *load_file(Library *library, const char *file)
{
    g_autoptr(Source) source = source_read(file, library->diag, NO_MARK);

    return source ? layers_load_source(source, library->arena, library->diag) : NULL;
}

/* The text only shows the lines of errors; what it says was packed by the build. */
static Node *load_embedded(Library *library, const char *name)
{
    const Embedded *found = embedded_find(name);
    g_autoptr(GBytes) text = found ? g_bytes_new_static(found->text, found->size) : NULL;
    g_autoptr(Source) source = text ? source_from_bytes(name, text, library->diag) : NULL;

    return source ? packed_read(found->packed, source->name, library->arena) : NULL;
}

Node *library_load(Library *library, const char *name)
{
    gpointer known;

    if (!g_hash_table_lookup_extended(library->loaded, name, NULL, &known)) {
        g_autofree char *file = find_file(library, name);

        known = file ? load_file(library, file) : load_embedded(library, name);
        g_hash_table_insert(library->loaded, g_strdup(name), known);
    }
    return known;
}

/* ---- listing ---- */

static void add_name(GPtrArray *names, const char *file, const char *suffix)
{
    if (g_str_has_suffix(file, suffix)) {
        char *name = g_strndup(file, strlen(file) - strlen(suffix));

        if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL)) {
            g_free(name);
        } else {
            g_ptr_array_add(names, name);
        }
    }
}

static void add_from_folder(GPtrArray *names, const char *folder, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        add_name(names, file, suffix);
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

GPtrArray *library_list(const Library *library, const char *folder, const char *suffix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    size_t length = strlen(folder);

    for (unsigned i = 0; i < library->folders->len; i++) {
        g_autofree char *path = g_build_filename(
            g_ptr_array_index(library->folders, i), folder, NULL);

        add_from_folder(names, path, suffix);
    }
    for (const Embedded *one = embedded; one->name; one++) {
        const char *rest = strncmp(one->name, folder, length) == 0 ? one->name + length : "";

        if (*rest == '/' && !strchr(rest + 1, '/')) {
            add_name(names, rest + 1, suffix);
        }
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}
