/*
 * The official test suites of YAML and of JSON Schema, against tables of what we make of each input.
 * LATHE_SHARED says where they are (../shared); without them the tests are skipped. BLESS=1
 * rewrites the tables.
 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "config/events.h"
#include "config/format.h"
#include "config/schema.h"
#include "config/validate.h"

static char *suite_folder(const char *name)
{
    const char *shared = g_getenv("LATHE_SHARED");
    char *folder = g_build_filename(shared ? shared : "../shared", "suites", name, NULL);

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        print_message("%s is not there: skipped\n", folder);
        g_free(folder);
        return NULL;
    }
    return folder;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The names of what is in the folder, sorted. */
static GPtrArray *names_in(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

static void assert_table(const char *file, const char *said)
{
    g_autofree char *expected = NULL;

    if (g_getenv("BLESS")) {
        assert_true(g_file_set_contents(file, said, -1, NULL));
        return;
    }
    assert_true(g_file_get_contents(file, &expected, NULL, NULL));
    assert_string_equal(said, expected);
}

/* ---- YAML ---- */

static Node *parse(const char *text, gssize length, Arena *arena, Diag *diag)
{
    g_autoptr(Source) source = source_from_text("in.yaml", text, length, diag);

    return events_parse(source, arena, diag);
}

/* The first thing we say, after the place: "E106 tags are not part of the language: `!!str`". */
static char *first_error(const Diag *diag)
{
    g_autofree char *all = diag_to_string(diag, DIAG_SHORT);
    const char *code = strchr(all, '[');
    g_autofree char *line = g_strndup(code + 1, strcspn(code + 1, "\n"));
    g_auto(GStrv) parts = g_strsplit(line, "]: ", 2);

    return g_strdup_printf("%s %s", parts[0], parts[1]);
}

/* What is laid out anew says the same (format_yaml checks that itself), and stays as it is then. */
static void assert_format_is_stable(const char *text, gsize length)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("in.yaml", text, length, diag);
    g_autofree char *once = format_yaml(source, diag), *twice = format_text(once);

    assert_string_equal(once, twice);
}

/* What we make of one input of the suite. */
static char *yaml_outcome(const char *folder)
{
    g_autofree char *in = g_build_filename(folder, "in.yaml", NULL), *text = NULL;
    g_autofree char *json = g_build_filename(folder, "in.json", NULL), *wanted = NULL;
    g_autofree char *error = g_build_filename(folder, "error", NULL);
    bool invalid = g_file_test(error, G_FILE_TEST_EXISTS);
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new(), unused = diag_new();
    gsize length, json_length;
    Node *root, *model;

    assert_true(g_file_get_contents(in, &text, &length, NULL));
    root = parse(text, length, arena, diag);
    if (diag_errors(diag)) {
        g_autofree char *why = first_error(diag);

        return g_strdup_printf("%s refused   %s", invalid ? "invalid" : "valid  ", why);
    }
    assert_non_null(root);
    assert_format_is_stable(text, length);
    if (invalid || !g_file_get_contents(json, &wanted, &json_length, NULL)) {
        return g_strdup_printf(
            "%s accepted  %s", invalid ? "invalid" : "valid  ", node_kind_name(root->kind));
    }
    model = parse(wanted, json_length, arena, unused);
    return g_strdup_printf("valid   accepted  %s",
        !model                        ? "model unreadable"
            : node_equal(root, model) ? "as the model"
                                      : "unlike the model");
}

static void add_yaml_outcome(GString *table, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *in = g_build_filename(path, "in.yaml", NULL);
    g_autoptr(GPtrArray) below = NULL;

    if (g_file_test(in, G_FILE_TEST_EXISTS)) {
        g_autofree char *outcome = yaml_outcome(path);

        g_string_append_printf(table, "%-9s%s\n", name, outcome);
        return;
    }
    below = names_in(path);
    for (unsigned i = 0; i < below->len; i++) {
        g_autofree char *deeper = g_build_filename(name, g_ptr_array_index(below, i), NULL);

        add_yaml_outcome(table, folder, deeper);
    }
}

static void each_input_of_the_yaml_suite_is_taken_or_refused_as_the_table_says(void **state)
{
    g_autofree char *folder = suite_folder("yaml");
    g_autoptr(GPtrArray) names = folder ? names_in(folder) : NULL;
    g_autoptr(GString) table = g_string_new("# What lathe makes of the YAML test suite. Valid and "
                                            "refused: beyond the language, by code.\n"
                                            "# Invalid and accepted, or unlike the model: libyaml "
                                            "is more lenient than YAML 1.2 there.\n");

    if (!folder) {
        skip();
    }
    for (unsigned i = 0; i < names->len; i++) {
        if (strlen(g_ptr_array_index(names, i)) == 4) {
            add_yaml_outcome(table, folder, g_ptr_array_index(names, i));
        }
    }
    assert_table("tests/config/yaml-suite.txt", table->str);
}

/* ---- JSON Schema ---- */

/* Sums over one file of the suite. */
typedef struct Tally {
    unsigned passed, refused;
    GString *wrong;      /* "group / test", a line each */
    GHashTable *reasons; /* why groups were refused */
} Tally;

/* YAML has no surrogate pairs: "\ud83d\udca9" becomes "\U0001f4a9". */
static char *without_surrogates(const char *json)
{
    GString *out = g_string_new(NULL);
    unsigned high, low;

    for (; *json; json++) {
        if (g_ascii_strncasecmp(json, "\\ud", 3) == 0 &&
            sscanf(json, "\\u%4x\\u%4x", &high, &low) == 2) {
            g_string_append_printf(
                out, "\\U%08x", 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            json += 11;
        } else {
            g_string_append_c(out, *json);
        }
    }
    return g_string_free(out, false);
}

/* A schema with a value that the reader refused, such as a text with a zero byte. */
static bool has_bad(const Node *node)
{
    bool bad = node->bad;

    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        bad |= has_bad(node->map.entries[i].value);
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        bad |= has_bad(node->list.items[i]);
    }
    return bad;
}

static void refuse(Tally *tally, const Diag *diag)
{
    g_autofree char *all = diag_to_string(diag, DIAG_SHORT);
    const char *from = strchr(all, '`');
    char *word = from ? g_strndup(from + 1, strcspn(from + 1, "`")) : g_strdup("?");

    tally->refused++;
    g_hash_table_add(tally->reasons, word);
}

static void run_group(Tally *tally, const Node *group, Arena *arena)
{
    const Node *tests = node_get(group, "tests");
    const char *name = node_text(node_get(group, "description"));

    if (has_bad(node_get(group, "schema"))) {
        tally->refused++;
        g_hash_table_add(tally->reasons, g_strdup("(unreadable)"));
        return;
    }
    for (unsigned i = 0; i < tests->list.count; i++) {
        g_autoptr(Diag) diag = diag_new();
        g_autoptr(Library) library = library_create(NULL, arena, diag);
        g_autoptr(SchemaSet) set = schema_set_create(library, arena, diag);
        const Node *test = tests->list.items[i];
        Node *data = node_get(test, "data");
        const Schema *schema = schema_compile(set, node_get(group, "schema"));
        bool valid = schema && validate(schema, data, "", data->mark, diag);
        g_autofree char *said = diag_to_string(diag, DIAG_SHORT);

        if (strstr(said, "[E117]")) {
            refuse(tally, diag);
            return;
        }
        if (valid == node_is_true(node_get(test, "valid"))) {
            tally->passed++;
        } else {
            g_string_append_printf(
                tally->wrong, "  WRONG: %s / %s\n", name, node_text(node_get(test, "description")));
        }
    }
}

static void add_json_outcome(GString *table, const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL, *clean = NULL;
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    Tally tally = { .wrong = g_string_new(NULL) };
    g_autoptr(GList) reasons = NULL;
    Node *groups;

    tally.reasons = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    clean = without_surrogates(text);
    groups = parse(clean, -1, arena, diag);
    assert_non_null(groups);
    for (unsigned i = 0; i < groups->list.count; i++) {
        run_group(&tally, groups->list.items[i], arena);
    }
    g_string_append_printf(
        table, "%s: %u passed, %u groups refused", name, tally.passed, tally.refused);
    reasons = g_list_sort(g_hash_table_get_keys(tally.reasons), (GCompareFunc)strcmp);
    for (GList *reason = reasons; reason; reason = reason->next) {
        g_string_append_printf(table, " %s", (char *)reason->data);
    }
    g_string_append_printf(table, "\n%s", tally.wrong->str);
    g_string_free(tally.wrong, true);
    g_hash_table_unref(tally.reasons);
}

static void schemas_are_obeyed_or_refused_as_the_table_says(void **state)
{
    g_autofree char *folder = suite_folder("json-schema/draft2020-12");
    g_autoptr(GPtrArray) names = folder ? names_in(folder) : NULL;
    g_autoptr(GString) table = g_string_new(NULL);

    if (!folder) {
        skip();
    }
    for (unsigned i = 0; i < names->len; i++) {
        if (g_str_has_suffix(g_ptr_array_index(names, i), ".json")) {
            add_json_outcome(table, folder, g_ptr_array_index(names, i));
        }
    }
    assert_table("tests/config/json-schema-suite.txt", table->str);
    assert_null(strstr(table->str, "WRONG"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_input_of_the_yaml_suite_is_taken_or_refused_as_the_table_says),
        cmocka_unit_test(schemas_are_obeyed_or_refused_as_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
