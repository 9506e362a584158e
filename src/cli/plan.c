/* `lathe plan FILE [REV|FILE]`: what will the guest see of this change? */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "cli/changes.h"
#include "cli/cli.h"
#include "cli/loading.h"
#include "cli/revision.h"
#include "core/machine.h"

enum { SHORT_DIGEST = 6 };

/* A machine on one side of the comparison. */
typedef struct Side {
    const char *name; /* "HEAD~1", "b.yaml" */
    Bare bare;
    Facts *facts;
    char *values;      /* what is in force, a line each: path, value */
    GPtrArray *matrix; /* facts_of_matrix() */
} Side;

static void side_clear(Side *side)
{
    facts_free(side->facts);
    bare_clear(&side->bare);
    g_free(side->values);
    g_clear_pointer(&side->matrix, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static bool load_side(Side *side, const char *file, const MachineOptions *options, Diag *diag)
{
    ConfigOptions config = config_options(options);

    if (!bare_build(&side->bare, file, options, diag)) {
        return false;
    }
    side->facts = facts_of(side->bare.machine);
    side->matrix = facts_of_matrix(file, options, diag);
    side->values = config_print(file, &config, CONFIG_VALUES, diag);
    return side->values != NULL;
}

/* ---- drives ---- */

/* Drives that keep their place though others come or go: the answer to the first fear. */
static void show_kept_drives(const Side *old, const Side *new)
{
    const MachineSpec *spec = new->bare.spec;

    for (unsigned i = 0; i < spec->drive_count; i++) {
        g_autofree char *path = g_strconcat("drives.", spec->drives[i].id, NULL);
        g_autofree char *disk = g_strconcat(path, ".disk", NULL);
        const char *before = facts_value(old->facts, path), *now = facts_value(new->facts, path);
        const char *name = facts_value(new->facts, disk);
        bool kept = g_strcmp0(facts_value(old->facts, disk), name) == 0 && name;

        if (g_strcmp0(before, now) == 0 && now) {
            printf("= %-*s  stays %s%s%s\n", CHANGES_PATH_WIDTH, path, now, kept ? ", " : "",
                kept ? name : "");
        }
    }
}

/* ---- what the guest does not see ---- */

/* "drives.root.cache\tnone" lines as a table. */
static GHashTable *table_of(const char *values)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(values, "\n", -1);

    for (unsigned i = 0; lines[i]; i++) {
        char *tab = strchr(lines[i], '\t');

        if (tab) {
            g_hash_table_insert(table, g_strndup(lines[i], tab - lines[i]), g_strdup(tab + 1));
        }
    }
    return table;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool show_value(GHashTable *things, const char *path, const char *before, const char *now)
{
    g_autofree char *thing = changes_thing(path);
    bool start = g_str_has_prefix(path, "boot.");

    if (g_strcmp0(before, now) == 0 || g_hash_table_contains(things, thing)) {
        return false;
    }
    printf("%c %-*s  %s%s%s    guest: %s\n",
        !before    ? '+'
            : !now ? '-'
                   : '~',
        CHANGES_PATH_WIDTH, path, before ? before : "", before && now ? " -> " : "", now ? now : "",
        start ? "starts with it" : "nothing");
    return true;
}

/* True if there was anything. */
static bool show_values(GHashTable *things, const Side *old, const Side *new)
{
    g_autoptr(GHashTable) before = table_of(old->values), now = table_of(new->values);
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    GHashTableIter iter;
    gpointer path;
    bool any = false;

    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &path, NULL)) {
        g_ptr_array_add(paths, path);
    }
    g_hash_table_iter_init(&iter, now);
    while (g_hash_table_iter_next(&iter, &path, NULL)) {
        if (!g_hash_table_contains(before, path)) {
            g_ptr_array_add(paths, path);
        }
    }
    g_ptr_array_sort(paths, compare_texts);
    for (unsigned i = 0; i < paths->len; i++) {
        path = paths->pdata[i];
        any |= show_value(
            things, path, g_hash_table_lookup(before, path), g_hash_table_lookup(now, path));
    }
    return any;
}

/* ---- the verb ---- */

/* `of` says which of the machines that the file can be, "" the file as it is. */
static void show_hardware(const char *of, const char *before, const char *now, const char *where)
{
    const char *left = strchr(before, ':') + 1, *right = strchr(now, ':') + 1;

    if (strcmp(before, now) == 0) {
        printf("hardware%s %.*s: the same, snapshots of %s load\n", of, SHORT_DIGEST, right, where);
    } else {
        printf("hardware%s %.*s -> %.*s: snapshots of %s will not load\n", of, SHORT_DIGEST, left,
            SHORT_DIGEST, right, where);
    }
}

static void show_all_hardware(const Side *old, const Side *new)
{
    g_autofree char *before = facts_digest(old->facts), *now = facts_digest(new->facts);

    show_hardware("", before, now, old->name);
    for (unsigned i = 0; i + 1 < new->matrix->len; i += 2) {
        const char *name = new->matrix->pdata[i];
        g_autofree char *of = g_strdup_printf(" (%s)", name);

        for (unsigned j = 0; j + 1 < old->matrix->len; j += 2) {
            if (strcmp(old->matrix->pdata[j], name) == 0) {
                show_hardware(of, old->matrix->pdata[j + 1], new->matrix->pdata[i + 1], old->name);
            }
        }
    }
}

static int compare(const Side *old, const Side *new)
{
    g_autoptr(GHashTable) things = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bool seen = changes_print(old->facts, new->facts, things);
    bool hidden = show_values(things, old, new);

    if (seen) {
        show_kept_drives(old, new);
    }
    show_all_hardware(old, new);
    return seen || hidden ? EXIT_DIFFERENT : EXIT_FINE;
}

/* `before` is a file, or a revision of git. */
static int plan(const char *file, const char *before, const MachineOptions *options, Diag *diag)
{
    bool revision = !g_file_test(before, G_FILE_TEST_IS_REGULAR);
    char *folder = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *old_file = revision ? revision_take(file, before, &folder, &error)
                                         : g_strdup(before);
    g_auto(Side) old = { .name = before }, new = { .name = file };
    int code;

    if (!old_file) {
        fprintf(stderr, "lathe plan: %s\n", error->message);
        code = EXIT_DESCRIPTION;
    } else if (load_side(&old, old_file, options, diag) && load_side(&new, file, options, diag)) {
        code = compare(&old, &new);
    } else {
        code = finish_with(diag);
    }
    revision_remove(folder);
    return code;
}

static int plan_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autoptr(Diag) diag = diag_new();

    if (!options_parse(&argc, &argv, NULL, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc != 2 && argc != 3) {
        fputs("lathe plan: wants a machine, and a revision or another machine\n", stderr);
        return EXIT_DESCRIPTION;
    }
    return plan(argv[1], argc == 3 ? argv[2] : "HEAD", &options, diag);
}

VERB(plan) = {
    .name = "plan",
    .arguments = "FILE [REV|FILE] [--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "what a guest will see of a change",
    .help =
        "Compares a machine with what it was at a revision of git (HEAD when none is named), or\n"
        "with another machine, in terms of the guest:\n"
        "\n"
        "    + there now     - gone     ~ another value     = in its old place\n"
        "\n"
        "The last line says whether snapshots of the old one can still be loaded.\n"
        "\n"
        "  --set PATH=VALUE   changes a value, on both sides\n"
        "  --profile NAME     merges what the file has under profiles.NAME, on both sides\n"
        "  --path DIR         another folder with machines/ and schemas/\n"
        "\n"
        "Exit status: 0 nothing has changed, 1 something has, 2 a description is wrong.\n",
    .run = plan_run,
};
