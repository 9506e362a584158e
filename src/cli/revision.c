/* git and tar do it: archive, then unpack. */
#include "cli/revision.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Runs a program; its output without the last line break, or NULL. argv ends with NULL. */
static char *output_of(const char *const *argv, GError **error)
{
    g_autofree char *out = NULL, *said = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &said,
            &status, error)) {
        return NULL;
    }
    if (!g_spawn_check_wait_status(status, NULL)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", argv[0], g_strchomp(said));
        return NULL;
    }
    return g_strchomp(g_steal_pointer(&out));
}

static bool unpack(const char *top, const char *name, const char *folder, GError **error)
{
    g_autofree char *archive = g_build_filename(folder, "archive.tar", NULL);
    const char *const git[] = { "git", "-C", top, "archive", "-o", archive, name, "--",
        ":(glob)**/*.yaml", ":(glob)**/*.lock", NULL };
    const char *const tar[] = { "tar", "-xf", archive, "-C", folder, NULL };
    const char *const without_locks[] = { "git", "-C", top, "archive", "-o", archive, name, "--",
        ":(glob)**/*.yaml", NULL };
    g_autofree char *packed = output_of(git, NULL), *unpacked = NULL;

    /* git wants each pattern to match something. */
    if (!packed) {
        packed = output_of(without_locks, error);
    }
    unpacked = packed ? output_of(tar, error) : NULL;
    return unpacked != NULL;
}

char *revision_take(const char *file, const char *name, char **folder, GError **error)
{
    g_autofree char *beside = g_path_get_dirname(file), *base = g_path_get_basename(file);
    const char *const ask_top[] = { "git", "-C", beside, "rev-parse", "--show-toplevel", NULL };
    const char *const ask_prefix[] = { "git", "-C", beside, "rev-parse", "--show-prefix", NULL };
    g_autofree char *top = output_of(ask_top, error);
    g_autofree char *prefix = top ? output_of(ask_prefix, error) : NULL;

    if (!prefix) {
        return NULL;
    }
    if (*name == '-') {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "`%s` is no revision", name);
        return NULL;
    }
    *folder = g_dir_make_tmp("lathe-XXXXXX", error);
    if (!*folder || !unpack(top, name, *folder, error)) {
        return NULL;
    }
    return g_build_filename(*folder, prefix, base, NULL);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    return remove(path);
}

void revision_remove(char *folder)
{
    if (folder) {
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        g_free(folder);
    }
}
