/* `lathe plan FILE [REV|FILE]`: what will the guest see of this change? */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/loading.h"
#include "cli/revision.h"
#include "core/machine.h"

enum { SHORT_DIGEST = 6, PATH_WIDTH = 24 };

/* A machine on one side of the comparison. */
typedef struct Side {
    const char *name; /* "HEAD~1", "b.yaml" */
    Bare bare;
    Facts *facts;
    char *values; /* what is in force, a line each: path, value */
} Side;

static void side_clear(Side *side)
{
    facts_free(side->facts);
    bare_clear(&side->bare);
    g_free(side->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static bool load_side(Side *side, const char *file, const MachineOptions *options, Diag *diag)
{
    ConfigOptions config = config_options(options);

    if (!bare_build(&side->bare, file, options, diag)) {
        return false;
    }
    side->facts = facts_of(side->bare.machine);
    side->values = config_print(file, &config, CONFIG_VALUES, diag);
    return side->values != NULL;
}

/* ---- differences ---- */

static bool is_of_fdt(const Fact *fact)
{
    return g_str_has_prefix(fact->path, "fdt ");
}

/* Which things ("drives.root", "memory") a change of facts has been shown for. */
typedef struct Shown {
    GHashTable *things;
    const Facts *facts; /* of the new machine */
    unsigned fdt, all;
} Shown;

/*
 * What a person thinks of as one thing: "drives.root", and "memory" as a whole, which a machine
 * knows as one size.
 */
static char *thing_of(const char *path)
{
    const char *dot = strchr(path, '.');
    size_t length;

    if (g_str_has_prefix(path, "memory") || g_str_has_prefix(path, "cpus")) {
        return g_strndup(path, strcspn(path, "."));
    }
    length = dot ? (size_t)(dot + 1 - path) + strcspn(dot + 1, ".") : strlen(path);

    return g_strndup(path, length);
}

/* Of a change of a CPU: the registers in which a guest reads it. */
static const char *registers_of(const Fact *fact, const Facts *facts)
{
    static const struct {
        const char *isa, *registers;
    } rows[] = {
        { "aarch64", "    guest: MIDR_EL1, ID_AA64*_EL1" },
        { "riscv32", "    guest: misa, riscv,isa" },
        { "riscv64", "    guest: misa, riscv,isa" },
    };
    const char *end = strstr(fact->path, ".model");
    g_autofree char *cluster = NULL, *path = NULL;
    const char *isa;

    end = end ? end : strstr(fact->path, ".features.");
    if (!g_str_has_prefix(fact->path, "cpus") || !end) {
        return "";
    }
    cluster = g_strndup(fact->path, end - fact->path);
    path = g_strconcat(cluster, ".isa", NULL);
    isa = facts_value(facts, path);
    for (unsigned i = 0; isa && i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].isa, isa) == 0) {
            return rows[i].registers;
        }
    }
    return "";
}

static void show(Shown *shown, char sign, const Fact *fact, const char *before)
{
    shown->all++;
    if (is_of_fdt(fact)) {
        shown->fdt++;
        return;
    }
    g_hash_table_add(shown->things, thing_of(fact->path));
    printf("%c %-*s  %s%s%s%s\n", sign, PATH_WIDTH, fact->path, before ? before : "",
        before ? " -> " : "", fact->value, registers_of(fact, shown->facts));
}

static void show_facts(Shown *shown, const Facts *old, const Facts *new)
{
    for (unsigned i = 0; i < facts_count(old); i++) {
        const Fact *fact = facts_get(old, i);

        if (!facts_value(new, fact->path)) {
            show(shown, '-', fact, NULL);
        }
    }
    for (unsigned i = 0; i < facts_count(new); i++) {
        const Fact *fact = facts_get(new, i);
        const char *before = facts_value(old, fact->path);

        if (!before || strcmp(before, fact->value) != 0) {
            show(shown, before ? '~' : '+', fact, before);
        }
    }
    if (shown->fdt) {
        printf("~ %-*s  %u properties\n", PATH_WIDTH, "device tree", shown->fdt);
    }
}

/* Drives that keep their place though others come or go: the answer to the first fear. */
static void show_kept_drives(const Shown *shown, const Side *old, const Side *new)
{
    const MachineSpec *spec = new->bare.spec;

    for (unsigned i = 0; shown->all && i < spec->drive_count; i++) {
        g_autofree char *path = g_strconcat("drives.", spec->drives[i].id, NULL);
        const char *before = facts_value(old->facts, path), *now = facts_value(new->facts, path);

        if (g_strcmp0(before, now) == 0 && now) {
            printf("= %-*s  stays %s\n", PATH_WIDTH, path, now);
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

static bool show_value(Shown *shown, const char *path, const char *before, const char *now)
{
    g_autofree char *thing = thing_of(path);
    bool start = g_str_has_prefix(path, "boot.");

    if (g_strcmp0(before, now) == 0 || g_hash_table_contains(shown->things, thing)) {
        return false;
    }
    printf("%c %-*s  %s%s%s    guest: %s\n",
        !before    ? '+'
            : !now ? '-'
                   : '~',
        PATH_WIDTH, path, before ? before : "", before && now ? " -> " : "", now ? now : "",
        start ? "starts with it" : "nothing");
    return true;
}

/* True if there was anything. */
static bool show_values(Shown *shown, const Side *old, const Side *new)
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
            shown, path, g_hash_table_lookup(before, path), g_hash_table_lookup(now, path));
    }
    return any;
}

/* ---- the verb ---- */

static void show_hardware(const Side *old, const Side *new)
{
    g_autofree char *before = facts_digest(old->facts), *now = facts_digest(new->facts);
    const char *left = strchr(before, ':') + 1, *right = strchr(now, ':') + 1;

    if (strcmp(before, now) == 0) {
        printf("hardware %.*s: the same, snapshots of %s load\n", SHORT_DIGEST, right, old->name);
    } else {
        printf("hardware %.*s -> %.*s: snapshots of %s will not load\n", SHORT_DIGEST, left,
            SHORT_DIGEST, right, old->name);
    }
}

static int compare(const Side *old, const Side *new)
{
    g_autoptr(GHashTable) things = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Shown shown = { .things = things, .facts = new->facts };
    bool hidden;

    show_facts(&shown, old->facts, new->facts);
    hidden = show_values(&shown, old, new);
    show_kept_drives(&shown, old, new);
    show_hardware(old, new);
    return shown.all || hidden ? EXIT_DIFFERENT : EXIT_FINE;
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
