#include "core/dynamic.h"

#include <dlfcn.h>

bool dynamic_load(
    const char *library, const char *package, const DynamicCall *calls, void *table, GError **error)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void **pointers = table;

    if (!handle) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s is missing: install %s", library, package);
        return false;
    }
    for (unsigned i = 0; calls[i].name; i++) {
        pointers[i] = dlsym(handle, calls[i].name);
        if (!pointers[i]) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s has no %s: install a newer %s",
                library, calls[i].name, package);
            return false;
        }
    }
    return true;
}

bool dynamic_ready(DynamicLibrary *library)
{
    if (g_once_init_enter(&library->tried)) {
        bool there = dynamic_load(
            library->library, library->package, library->calls, library->table, NULL);

        g_once_init_leave(&library->tried, there ? 2 : 1);
    }
    return library->tried == 2;
}
