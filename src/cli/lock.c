/* `lathe lock FILE`: what is it, exactly, and will it be the same tomorrow? */
#include "config/lock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/fetching.h"
#include "cli/loading.h"
#include "config/edit.h"

/* ---- the text ---- */

/* NULL after reporting. */
static char *make_text(
    const char *file, const MachineOptions *options, LockImages *images, Diag *diag)
{
    const ConfigOptions config = config_options(options);
    g_auto(Bare) bare = { 0 };
    g_autoptr(Facts) facts = NULL;
    g_autoptr(GPtrArray) matrix = NULL;
    g_autofree char *hardware = NULL, *fdt = NULL;
    LockDigests digests = { 0 };

    if (!bare_build(&bare, file, options, diag)) {
        return NULL;
    }
    facts = facts_of(bare.machine);
    matrix = facts_of_matrix(file, options, diag);
    digests.hardware = hardware = facts_digest(facts);
    digests.fdt = fdt = facts_fdt_digest(bare.machine);
    digests.combinations = (const char *const *)matrix->pdata;
    return lock_text(file, &config, bare.spec, images, &digests, diag);
}

/* ---- comparing ---- */

/* The lines that one text has and the other has not, in two columns of signs. */
static void print_difference(const char *old, const char *new)
{
    g_auto(GStrv) before = g_strsplit(old, "\n", -1), after = g_strsplit(new, "\n", -1);

    for (unsigned i = 0; before[i]; i++) {
        if (!g_strv_contains((const char *const *)after, before[i])) {
            printf("- %s\n", before[i]);
        }
    }
    for (unsigned i = 0; after[i]; i++) {
        if (!g_strv_contains((const char *const *)before, after[i])) {
            printf("+ %s\n", after[i]);
        }
    }
}

static int compare(const char *path, const char *old, const char *new)
{
    if (!old) {
        printf("there is no %s\n", path);
        return EXIT_DIFFERENT;
    }
    if (strcmp(old, new) != 0) {
        printf("%s is not up to date:\n", path);
        print_difference(old, new);
        return EXIT_DIFFERENT;
    }
    return EXIT_FINE;
}

static int write_lock(const char *path, const char *old, const char *new)
{
    g_autoptr(GError) error = NULL;

    if (g_strcmp0(old, new) == 0) {
        printf("%s is up to date\n", path);
        return EXIT_FINE;
    }
    if (!edit_write_file(path, new, &error)) {
        fprintf(stderr, "lathe lock: %s\n", error->message);
        return EXIT_HOST;
    }
    printf("wrote %s\n", path);
    return EXIT_FINE;
}

/* ---- the verb ---- */

typedef struct Wish {
    gboolean check;
    char **updates; /* names of images that are looked up again */
} Wish;

static bool check_updates(const Wish *wish, LockImages *images)
{
    for (unsigned i = 0; wish->updates && wish->updates[i]; i++) {
        unsigned j = 0;

        while (j < lock_images_count(images) &&
            strcmp(lock_images_get(images, j)->name, wish->updates[i]) != 0) {
            j++;
        }
        if (j == lock_images_count(images)) {
            fprintf(stderr, "lathe lock: there is no image `%s`\n", wish->updates[i]);
            return false;
        }
    }
    return true;
}

static int lock_one(const char *file, const Wish *wish, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);
    g_autoptr(LockImages) images = lock_images(file, &config, diag);
    g_autofree char *path = lock_path(file), *old = NULL, *new = NULL;

    if (!images) {
        return finish_with(diag);
    }
    if (!check_updates(wish, images)) {
        return EXIT_DESCRIPTION;
    }
    if (!pin_images(images, wish->updates, wish->check, diag)) {
        return finish_with(diag);
    }
    new = make_text(file, options, images, diag);
    if (!new || diag_errors(diag)) {
        return finish_with(diag);
    }
    if (g_file_get_contents(path, &old, NULL, NULL)) {
        char *patched = lock_patch(old, new);

        g_free(new);
        new = patched;
    }
    return wish->check ? compare(path, old, new) : write_lock(path, old, new);
}

static int lock_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_auto(GStrv) updates = NULL;
    Wish wish = { 0 };
    const GOptionEntry own[] = {
        { "check", 0, 0, G_OPTION_ARG_NONE, &wish.check, NULL, NULL },
        { "update", 0, 0, G_OPTION_ARG_STRING_ARRAY, &updates, NULL, NULL },
        { 0 },
    };
    int worst = EXIT_FINE;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2) {
        fputs("lathe lock: no file; see `lathe help lock`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    wish.updates = updates;
    for (int i = 1; i < argc; i++) {
        g_autoptr(Diag) diag = diag_new();
        int code = lock_one(argv[i], &wish, &options, diag);

        worst = MAX(worst, code);
    }
    return worst;
}

VERB(lock) = {
    .name = "lock",
    .arguments = "FILE... [--check] [--update NAME]... [--path DIR]...",
    .summary = "pin what a machine is made from, and what its guest sees",
    .help =
        "Writes lathe.lock beside the machine: digests of its images (they are downloaded when "
        "they\n"
        "are not pinned yet), the slots of its drives, the defaults that were left unsaid, and "
        "one\n"
        "digest of all hardware. Commit it: then everybody has the same machine.\n"
        "\n"
        "  --check         writes nothing; says what would change\n"
        "  --update NAME   asks again what is behind the URL of an image\n"
        "  --path DIR      another folder with machines/ and schemas/\n"
        "\n"
        "Exit status: 0 it is up to date now, 1 (--check) it is not, 2 the description is wrong,\n"
        "3 an image cannot be fetched.\n",
    .run = lock_run,
};
