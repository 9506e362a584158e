#include "cli/run-folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder_path(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");

    return runtime && *runtime ? g_build_filename(runtime, "lathe", NULL)
                               : g_strdup_printf("/tmp/lathe-%u", (unsigned)getuid());
}

/* /tmp is everybody's: somebody else may have made it first. */
static bool is_ours(const char *folder)
{
    struct stat about;

    return lstat(folder, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == getuid() &&
        (about.st_mode & 077) == 0;
}

char *run_folder_socket(const char *machine, GError **error)
{
    g_autofree char *folder = folder_path();

    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "`%s`: %s", folder,
            g_strerror(errno));
        return NULL;
    }
    if (!is_ours(folder)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PERM,
            "`%s` belongs to somebody else, or others can look into it", folder);
        return NULL;
    }
    return g_strdup_printf("%s/%s.%d", folder, machine, (int)getpid());
}

static int compare_names(gconstpointer one, gconstpointer other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

GPtrArray *run_folder_list(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = folder_path();
    g_autoptr(GDir) dir = is_ours(folder) ? g_dir_open(folder, 0, NULL) : NULL;
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(list, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(list, compare_names);
    return list;
}

/* "ci.123" is the machine "ci", or itself. */
static bool is_named(const char *path, const char *machine)
{
    g_autofree char *name = g_path_get_basename(path);
    const char *dot = strrchr(name, '.');

    return strcmp(name, machine) == 0 ||
        (dot && strlen(machine) == (size_t)(dot - name) && strncmp(name, machine, dot - name) == 0);
}

char *run_folder_find(const char *machine, GError **error)
{
    g_autoptr(GPtrArray) all = run_folder_list();
    const char *found = NULL;

    if (strchr(machine, '/')) {
        return g_strdup(machine);
    }
    for (unsigned i = 0; i < all->len; i++) {
        if (is_named(all->pdata[i], machine) && access(all->pdata[i], W_OK) == 0) {
            if (found) {
                g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                    "several machines `%s` run: say which one, by a name of `lathe ps`", machine);
                return NULL;
            }
            found = all->pdata[i];
        }
    }
    if (!found) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
            "no machine `%s` runs; `lathe ps` lists those that do", machine);
    }
    return g_strdup(found);
}
