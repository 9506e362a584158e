/* `lathe validate FILE...`: is it right, and can this host keep its promises? */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "cli/report.h"
#include "config/edit.h"
#include "config/variants.h"

/* What has been found out about one machine, or one of the machines that a file can be. */
typedef struct Finding {
    char *variant; /* "profile debug"; NULL: the file as it is */
    const char *file;
    Diag *diag;
} Finding;

static void clear_finding(gpointer data)
{
    Finding *finding = data;

    g_free(finding->variant);
    diag_free(finding->diag);
}

/* ---- writing ---- */

static void write_for_people(const GArray *findings)
{
    for (unsigned i = 0; i < findings->len; i++) {
        const Finding *finding = &g_array_index(findings, Finding, i);

        if (finding->variant) {
            fprintf(stderr, "%s, with %s:\n", finding->file, finding->variant);
        }
        diag_print(finding->diag, stderr, diag_style_for(stderr));
    }
}

static void write_each(const GArray *findings, void (*write)(const Diag *diag, FILE *out))
{
    for (unsigned i = 0; i < findings->len; i++) {
        write(g_array_index(findings, Finding, i).diag, stdout);
    }
}

static void write_json(const GArray *findings)
{
    write_each(findings, report_json);
}

static void write_github(const GArray *findings)
{
    write_each(findings, report_github);
}

static void write_sarif(const GArray *findings)
{
    g_autoptr(GPtrArray) diags = g_ptr_array_new();

    for (unsigned i = 0; i < findings->len; i++) {
        g_ptr_array_add(diags, g_array_index(findings, Finding, i).diag);
    }
    report_sarif((const Diag *const *)diags->pdata, diags->len, stdout);
}

/* ---- looking ---- */

static void add(GArray *findings, const char *file, char *variant, Diag *diag)
{
    Finding finding = { .file = file, .variant = variant, .diag = diag };

    g_array_append_val(findings, finding);
}

/* A variant is worth a word only when something is wrong with it; its warnings are the file's. */
static void look_at_variant(GArray *findings, const char *file, const MachineOptions *options,
    const char *kind, const char *name)
{
    Diag *diag = diag_new();

    machine_spec_free(load_named(file, options, diag));
    if (diag_errors(diag)) {
        add(findings, file, g_strdup_printf("%s %s", kind, name), diag);
    } else {
        diag_free(diag);
    }
}

/* What nobody has chosen yet is to be right as well. */
static void look_at_variants(GArray *findings, const char *file, const MachineOptions *options)
{
    const ConfigOptions config = config_options(options);
    g_autoptr(Diag) unused = diag_new();
    g_autoptr(GPtrArray) profiles = config_profiles(file, &config, unused);
    g_autoptr(GPtrArray) matrix = config_matrix(file, &config, unused);

    for (unsigned i = 0; profiles && !options->profiles && i < profiles->len; i++) {
        char *names[] = { g_ptr_array_index(profiles, i), NULL };
        MachineOptions chosen = *options;

        chosen.profiles = names;
        look_at_variant(findings, file, &chosen, "the profile", names[0]);
    }
    for (unsigned i = 0; matrix && !options->sets && i < matrix->len; i++) {
        char **sets = g_ptr_array_index(matrix, i);
        g_autofree char *name = g_strjoinv(" ", sets);
        MachineOptions chosen = *options;

        chosen.sets = sets;
        look_at_variant(findings, file, &chosen, "the matrix at", name);
    }
}

static void look_at(GArray *findings, const char *file, bool board, const MachineOptions *options)
{
    const ConfigOptions config = config_options(options);
    Diag *diag = diag_new();
    bool variants;
    g_autoptr(MachineSpec) spec = board ? config_load_board(file, &config, diag)
                                        : load_named(file, options, diag);

    if (spec) {
        try_files(spec, diag);
    }
    add(findings, file, NULL, diag);
    variants = spec && spec->has_variants;
    g_clear_pointer(&spec, machine_spec_free);
    if (variants) {
        look_at_variants(findings, file, options);
    }
}

/* Writes what can be mended without asking. Again, while that uncovers more. */
static int fix_one(const char *name, const MachineOptions *options)
{
    int made = 1;

    for (unsigned round = 0; round < 8 && made > 0; round++) {
        g_autoptr(Diag) diag = diag_new();
        g_autoptr(Edits) edits = edits_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(MachineSpec) spec = load_named(name, options, diag);

        edits_add_fixes(edits, diag);
        made = spec ? 0 : edits_write(edits, &error);
        if (made < 0) {
            fprintf(stderr, "lathe validate: %s\n", error->message);
            return EXIT_HOST;
        }
        if (made) {
            fprintf(stderr, "%s: %d fixed\n", name, made);
        }
    }
    return EXIT_FINE;
}

static int worse(int left, int right)
{
    return left == EXIT_DESCRIPTION || right == EXIT_FINE ? left : right;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Whether the file says that it is a machine or a board. */
static bool is_description(const char *file)
{
    g_autofree char *text = NULL;

    return g_file_test(file, G_FILE_TEST_IS_REGULAR) &&
        g_file_get_contents(file, &text, NULL, NULL) &&
        g_regex_match_simple("^lathe:\\s*(machine|board)/", text, G_REGEX_MULTILINE, 0);
}

static void add_descriptions(GPtrArray *files, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char *file = g_build_filename(folder, name, NULL);

        if (g_str_has_suffix(name, ".yaml") && is_description(file)) {
            g_ptr_array_add(found, file);
        } else {
            g_free(file);
        }
    }
    g_ptr_array_sort(found, compare_texts);
    g_ptr_array_extend_and_steal(files, g_steal_pointer(&found));
}

/* A folder stands for the machines and boards in it. */
static GPtrArray *files_of(int count, char **operands)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < count; i++) {
        if (g_file_test(operands[i], G_FILE_TEST_IS_DIR)) {
            add_descriptions(files, operands[i]);
        } else {
            g_ptr_array_add(files, g_strdup(operands[i]));
        }
    }
    return files;
}

static int result_of(const GArray *findings)
{
    int result = EXIT_FINE;

    for (unsigned i = 0; i < findings->len; i++) {
        result = worse(result, diag_exit_code(g_array_index(findings, Finding, i).diag));
    }
    return result;
}

static int validate_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_auto(GStrv) boards = NULL;
    gboolean fix = false, json = false, github = false, sarif = false;
    const GOptionEntry own[] = {
        { "board", 0, 0, G_OPTION_ARG_STRING_ARRAY, &boards, NULL, NULL },
        { "fix", 0, 0, G_OPTION_ARG_NONE, &fix, NULL, NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
        { "github", 0, 0, G_OPTION_ARG_NONE, &github, NULL, NULL },
        { "sarif", 0, 0, G_OPTION_ARG_NONE, &sarif, NULL, NULL },
        { 0 },
    };
    g_autoptr(GArray) findings = g_array_new(false, false, sizeof(Finding));
    g_autoptr(GPtrArray) files = NULL;
    int result = EXIT_FINE;

    g_array_set_clear_func(findings, clear_finding);
    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (argc < 2 && !boards) {
        fputs("lathe validate: no file; see `lathe help validate`\n", stderr);
        return EXIT_DESCRIPTION;
    }
    files = files_of(argc - 1, argv + 1);
    for (unsigned i = 0; boards && boards[i]; i++) {
        look_at(findings, boards[i], true, &options);
    }
    for (unsigned i = 0; i < files->len; i++) {
        if (fix) {
            result = worse(result, fix_one(files->pdata[i], &options));
        }
        look_at(findings, files->pdata[i], false, &options);
    }
    (json ? write_json : github ? write_github : sarif ? write_sarif : write_for_people)(findings);
    return worse(result, result_of(findings));
}

VERB(validate) = {
    .name = "validate",
    .arguments = "FILE|DIR... [--fix] [--json|--github|--sarif] [--board BOARD|FILE]... "
                 "[--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "is a machine or a board right?",
    .help =
        "Reads machine files and all they need, opens their drives, and says everything that is\n"
        "wrong with them; also with each of their profiles and combinations of the matrix. A "
        "folder\n"
        "stands for the machines and boards in it.\n"
        "\n"
        "  --fix               writes what can be mended without asking; comments are kept\n"
        "  --json              an object on each line\n"
        "  --github            workflow commands, shown beside the lines by GitHub Actions\n"
        "  --sarif             a SARIF 2.1.0 log, for code scanning\n"
        "  --board BOARD|FILE  a board alone\n"
        "  --set PATH=VALUE    changes a value, as in --set drives.root.cache=none\n"
        "  --profile NAME      merges what the file has under profiles.NAME\n"
        "  --path DIR          another folder with machines/ and schemas/\n"
        "\n"
        "Exit status: 0 all is well, 2 a description is wrong, 3 this host cannot.\n",
    .run = validate_run,
};
