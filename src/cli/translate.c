/* `lathe translate`: other tools' descriptions of machines, brought here and taken away. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/translate.h"
#include "config/config.h"
#include "config/edit.h"
#include "config/events.h"
#include "config/format.h"
#include "config/legacy/blame.h"
#include "config/legacy/libvirt.h"
#include "config/legacy/qemu.h"
#include "config/legacy/report.h"
#include "config/legacy/yaml.h"
#include "config/print.h"

typedef struct TranslateOptions {
    char *as, *allow, *output;
    char **variables;
    gboolean json, batch, check_files;
    Fidelity worst; /* that makes exit 0 */
    LegacyAs rules;
    const char *more; /* sections for the way back to libvirt; NULL: none */
} TranslateOptions;

static void translate_options_clear(TranslateOptions *options)
{
    g_free(options->as);
    g_free(options->allow);
    g_free(options->output);
    g_strfreev(options->variables);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TranslateOptions, translate_options_clear)

static int usage_error(const char *what)
{
    fprintf(stderr, "lathe translate: %s; see `lathe help translate`\n", what);
    return EXIT_DESCRIPTION;
}

/* ---- options ---- */

static bool take_as(TranslateOptions *options)
{
    if (!options->as || strcmp(options->as, "7.2") == 0) {
        options->rules = AS_7_2;
        return true;
    }
    options->rules = AS_2011;
    return strcmp(options->as, "2011") == 0;
}

static bool take_allow(TranslateOptions *options)
{
    g_auto(GStrv) words = g_strsplit(options->allow ? options->allow : "", ",", -1);

    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], "lost") == 0) {
            options->worst = LOST;
        } else if (strcmp(words[i], "close") == 0) {
            options->worst = MAX(options->worst, CLOSE);
        } else {
            return false;
        }
    }
    return true;
}

static GHashTable *variables_of(const TranslateOptions *options)
{
    GHashTable *variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (unsigned i = 0; options->variables && options->variables[i]; i++) {
        const char *text = options->variables[i], *equals = strchr(text, '=');

        if (equals) {
            g_hash_table_insert(variables, g_strndup(text, equals - text), g_strdup(equals + 1));
        }
    }
    return variables;
}

/* ---- QEMU → lathe ---- */

typedef struct Checked {
    Legacy *legacy;
    const char *yaml;
} Checked;

/* A file that is not there yet is no fault of the translation. */
static void note_fault(void *data, const DiagReport *report)
{
    const Checked *checked = data;
    Legacy *l = checked->legacy;

    if (report->severity == DIAG_ERROR_LEVEL && report->code != DIAG_FILE_MISSING) {
        legacy_note(l, LOST, legacy_blame(l, checked->yaml, report->at), "",
            "lathe validate will say of line %u: %s", report->at.line, report->text);
    }
}

/* What `lathe validate` will say of the result, beforehand. */
static void check_result(Legacy *l, const char *yaml)
{
    g_autoptr(Diag) diag = diag_new();
    Checked checked = { l, yaml };

    machine_spec_free(config_load_text(TRANSLATION_FILE, yaml, -1, NULL, diag));
    diag_each(diag, note_fault, &checked);
}

static int write_result(const TranslateOptions *options, const char *text)
{
    g_autoptr(GError) error = NULL;

    if (!options->output) {
        fputs(text, stdout);
        return EXIT_FINE;
    }
    if (!edit_write_file(options->output, text, &error)) {
        fprintf(stderr, "lathe translate: %s\n", error->message);
        return EXIT_HOST;
    }
    return EXIT_FINE;
}

/* Where the paths of the command line begin, when the result is kept elsewhere. */
static char *folder_of_paths(const TranslateOptions *options)
{
    g_autofree char *folder = options->output ? g_path_get_dirname(options->output) : g_strdup(".");

    return strcmp(folder, ".") == 0 ? NULL : g_get_current_dir();
}

static int translate_command(
    const TranslateOptions *options, const Source *source, const GArray *words, Diag *diag)
{
    const LegacyFiles *files = options->check_files ? &legacy_host_files_strict
                                                    : &legacy_host_files;
    g_autoptr(Legacy) l = legacy_new(source, options->rules, files, diag);
    bool accepted = legacy_read(l, words);
    g_autofree char *folder = folder_of_paths(options);
    g_autofree char *plain = accepted ? legacy_to_yaml(l, "translated", folder) : NULL;
    g_autofree char *yaml = options->more && plain ? g_strconcat(plain, options->more, NULL)
                                                   : g_steal_pointer(&plain);
    g_autofree char *json = NULL;
    int result = EXIT_FINE;

    if (accepted && !options->batch) {
        check_result(l, yaml);
    }
    if (options->json) {
        json = legacy_report_json(l, accepted, yaml, options->batch);
        printf("%s\n", json);
    } else if (accepted) {
        legacy_report(l, stderr);
    }
    if (accepted && (!options->json || options->output)) {
        result = write_result(options, yaml);
    }
    if (!accepted) {
        return EXIT_DESCRIPTION;
    }
    return result ? result : legacy_fidelity(l) > options->worst ? EXIT_DIFFERENT : EXIT_FINE;
}

/* One text with one or more commands. */
static int translate_text(const TranslateOptions *options, const char *name, const char *text)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(GHashTable) variables = variables_of(options);
    g_autoptr(Source) source = source_from_text(name, text, -1, diag);
    g_autoptr(GPtrArray) commands = source
        ? words_commands(source, words_guess_kind(text), variables, arena, diag)
        : NULL;
    int result = EXIT_DESCRIPTION;

    if (commands && commands->len == 0 && !diag_errors(diag)) {
        result = usage_error("there is no command of QEMU in this");
    }
    for (unsigned i = 0; commands && i < commands->len && !diag_errors(diag); i++) {
        int one = translate_command(options, source, g_ptr_array_index(commands, i), diag);

        result = i == 0 ? one : MAX(result, one);
    }
    if (!options->json) {
        diag_print(diag, stderr, diag_style_for(stderr));
    } else if (!commands || commands->len == 0) {
        puts("{ \"ok\": false }");
    }
    return result;
}

static char *read_input(void)
{
    GString *text = g_string_new(NULL);
    char block[65536];
    size_t length;

    while ((length = fread(block, 1, sizeof(block), stdin)) > 0 && text->len < 64 << 20) {
        g_string_append_len(text, block, length);
    }
    return g_string_free(text, false);
}

/* A command on every line, a JSON object for each. */
static int translate_batch(TranslateOptions *options)
{
    g_autofree char *text = read_input();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    int result = EXIT_FINE;

    options->json = true;
    for (unsigned i = 0; lines[i]; i++) {
        if (*lines[i] && *lines[i] != '#') {
            int one = translate_text(options, "line", lines[i]);

            result = MAX(result, one);
        }
    }
    return result;
}

static int from_qemu(TranslateOptions *options, char **arguments, unsigned count)
{
    g_autofree char *text = NULL;

    if (options->batch) {
        return translate_batch(options);
    }
    if (count == 0) {
        text = read_input();
        return translate_text(options, "standard input", text);
    }
    text = words_quote(arguments, count);
    return translate_text(options, "command line", text);
}

/* ---- for `lathe run --qemu` ---- */

struct Translation {
    Source *source;
    Arena *arena; /* of the words */
    Legacy *legacy;
    char *yaml;
};

Translation *translation_new(char *const *arguments, unsigned count, Diag *diag)
{
    g_autoptr(Translation) t = g_new0(Translation, 1);
    g_autofree char *text = words_quote(arguments, count);
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) commands = NULL;

    t->arena = arena_create();
    t->source = source_from_text("command line", text, -1, diag);
    commands = t->source ? words_commands(t->source, SCRIPT_SHELL, variables, t->arena, diag)
                         : NULL;
    if (!commands || commands->len != 1) {
        return NULL;
    }
    t->legacy = legacy_new(t->source, AS_7_2, &legacy_host_files_strict, diag);
    if (!legacy_read(t->legacy, g_ptr_array_index(commands, 0))) {
        return NULL;
    }
    t->yaml = legacy_to_yaml(t->legacy, "translated", NULL);
    legacy_report(t->legacy, stderr);
    return g_steal_pointer(&t);
}

void translation_free(Translation *t)
{
    if (t) {
        g_clear_pointer(&t->legacy, legacy_free);
        g_clear_pointer(&t->source, source_free);
        g_clear_pointer(&t->arena, arena_free);
        g_free(t->yaml);
        g_free(t);
    }
}

const char *translation_text(const Translation *t)
{
    return t->yaml;
}

void translation_print(const Translation *t, const Diag *found, FILE *out)
{
    g_autoptr(Diag) told = diag_new();

    diag_add_source(told, t->source->name, t->source->text);
    legacy_blame_all(t->legacy, t->yaml, TRANSLATION_FILE, found, told);
    diag_print(told, out, diag_style_for(out));
}

/* ---- lathe → QEMU ---- */

typedef struct Remarks {
    Fidelity worst;
} Remarks;

static void print_remark(void *data, const char *fidelity, const char *path, const char *text)
{
    Remarks *remarks = data;

    fprintf(stderr, "%-8s %s: %s\n", fidelity, path, text);
    remarks->worst = MAX(remarks->worst, strcmp(fidelity, "lost") == 0 ? LOST : CLOSE);
}

/* Writes another tool's description of a machine: its command line or its XML. */
typedef char *(*Away)(const Node *machine, QemuRemark remark, void *data);

static int translate_away(const TranslateOptions *options, const char *file, Away away)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Source)
        source = source_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, diag, NO_MARK);
    const Node *machine = source ? events_parse(source, arena, diag) : NULL;
    Remarks remarks = { EXACT };
    int result = EXIT_DESCRIPTION;

    if (machine && !diag_errors(diag)) {
        g_autofree char *raw = away(machine, print_remark, &remarks);
        g_autofree char *text = g_strconcat(g_strchomp(raw), "\n", NULL);

        result = write_result(options, text);
    }
    diag_print(diag, stderr, diag_style_for(stderr));
    return result != EXIT_FINE           ? result
        : remarks.worst > options->worst ? EXIT_DIFFERENT
                                         : EXIT_FINE;
}

/* ---- libvirt → lathe ---- */

/* What libvirt_domain() will find again, as a section of the file. */
static char *section_for_libvirt(Arena *arena, Node *kept)
{
    Node *root = node_new(arena, NODE_MAP, NO_MARK);
    g_autofree char *section = NULL, *text = NULL;

    node_map_set(arena, root, "x-libvirt", NO_MARK, kept);
    section = print_yaml(root, NULL);
    text = g_strconcat(
        "\n# What has no other word here; lathe translate to-libvirt reads it.\n", section, NULL);
    return format_text(text);
}

static int from_libvirt(TranslateOptions *options, const char *file)
{
    g_autoptr(Arena) arena = arena_create();
    Node *kept = node_new(arena, NODE_MAP, NO_MARK);
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(GPtrArray) arguments = NULL;
    Remarks remarks = { EXACT };
    gsize size;
    int result;

    if (g_file_get_contents(file, &xml, &size, &error)) {
        const LibvirtSink sink = { print_remark, &remarks, kept, arena };

        arguments = libvirt_arguments(xml, size, &sink, &error);
    }
    if (!arguments) {
        fprintf(stderr, "lathe translate: %s: %s\n", file, error->message);
        return EXIT_DESCRIPTION;
    }
    {
        g_autofree char *text = words_quote((char *const *)arguments->pdata, arguments->len);
        g_autofree char *more = section_for_libvirt(arena, kept);

        options->more = more;
        result = translate_text(options, file, text);
    }
    return result == EXIT_FINE && remarks.worst > options->worst ? EXIT_DIFFERENT : result;
}

/* ---- the verb ---- */

static int translate_run(int argc, char **argv)
{
    g_auto(TranslateOptions) options = { 0 };
    const GOptionEntry own[] = {
        { "as", 0, 0, G_OPTION_ARG_STRING, &options.as, NULL, NULL },
        { "allow", 0, 0, G_OPTION_ARG_STRING, &options.allow, NULL, NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, NULL, NULL },
        { "var", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.variables, NULL, NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &options.json, NULL, NULL },
        { "batch", 0, 0, G_OPTION_ARG_NONE, &options.batch, NULL, NULL },
        { "check-files", 0, 0, G_OPTION_ARG_NONE, &options.check_files, NULL, NULL },
        { 0 },
    };
    unsigned first = 2;

    if (!options_parse(&argc, &argv, own, NULL)) {
        return EXIT_DESCRIPTION;
    }
    if (!take_as(&options)) {
        return usage_error("--as is 7.2 or 2011");
    }
    if (!take_allow(&options)) {
        return usage_error("--allow takes close and lost");
    }
    if (argc == 3 && strcmp(argv[1], "to-qemu") == 0) {
        return translate_away(&options, argv[2], qemu_command);
    }
    if (argc == 3 && strcmp(argv[1], "to-libvirt") == 0) {
        return translate_away(&options, argv[2], libvirt_domain);
    }
    if (argc == 3 && strcmp(argv[1], "libvirt") == 0) {
        return from_libvirt(&options, argv[2]);
    }
    if (argc < 2 || strcmp(argv[1], "qemu") != 0) {
        return usage_error(
            "what is to be translated: qemu, libvirt FILE, to-qemu FILE or to-libvirt FILE");
    }
    if (argc > 2 && strcmp(argv[2], "--") == 0) {
        first = 3;
    }
    return from_qemu(&options, argv + first, argc - first);
}

VERB(translate) = {
    .name = "translate",
    .arguments = "libvirt FILE|to-libvirt FILE|to-qemu FILE|qemu [--as=7.2|2011] [--allow "
                 "close,lost] [-o FILE] "
                 "[--json] [--var "
                 "X=VALUE]... "
                 "[--check-files] [-- qemu-system-... ...]",
    .summary = "command lines of QEMU as machine files, and back",
    .help =
        "Takes a command line of QEMU apart as QEMU does, refuses what it refuses, and writes a\n"
        "machine file. What is not exactly the same is a comment at its place, and a line on\n"
        "stderr: close (something differs that rarely matters) or lost.\n"
        "\n"
        "Without a command line, standard input is read: a shell script or a part of a makefile,\n"
        "with quotes, continued lines and variables.\n"
        "\n"
        "to-qemu FILE is the way back: the nearest command line of QEMU 7.2. libvirt FILE reads\n"
        "the XML of a domain, to-libvirt FILE writes one.\n"
        "\n"
        "  --as=7.2|2011   whose rules: QEMU 7.2 (unsaid), or 0.15.50 of August 2011\n"
        "  --allow LIST    what makes exit status 0 all the same: close, lost\n"
        "  -o FILE         writes there instead of to standard output\n"
        "  --json          prints a report as JSON, with the file's text and every drive\n"
        "  --var X=VALUE   a variable of the script\n"
        "  --check-files   refuses images that are not there\n"
        "  --batch         a command on each line of standard input, a JSON object for each\n"
        "\n"
        "Exit status: 0 exact (or allowed), 1 not exact, 2 QEMU would refuse it.\n",
    .run = translate_run,
};
