/*
 * Random machine files in which values are written as people write them elsewhere, laid out in every way
 * that YAML allows: --fix puts the right ones there and changes no other byte. Once is enough, and a file
 * that is not YAML stays as it is.
 */
#include "tests/test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "config/config.h"
#include "config/edit.h"

enum { FILES = 150, ROUNDS = 8 };

/* The two texts grow together: what is written, and what it should be in the end. */
typedef struct Writer {
    GRand *random;
    GString *wrong, *right;
    const char *line_end;
    unsigned planted;
} Writer;

static unsigned pick(Writer *w, unsigned below)
{
    return g_rand_int_range(w->random, 0, (gint32)below);
}

static void put(Writer *w, const char *text)
{
    g_string_append(w->wrong, text);
    g_string_append(w->right, text);
}

static void put_blanks(Writer *w, unsigned count)
{
    while (count--) {
        put(w, " ");
    }
}

static void put_comment(Writer *w)
{
    static const char *const comments[] = { "# plain", "#", "#\t1G  und   10 MB: étendue", "# 'quotes\" [and",
        "# ends in blanks  " };

    put(w, comments[pick(w, G_N_ELEMENTS(comments))]);
}

static void end_line(Writer *w)
{
    if (pick(w, 3) == 0) {
        put_blanks(w, 1 + pick(w, 4));
        put_comment(w);
    }
    put(w, w->line_end);
    while (pick(w, 5) == 0) {
        if (pick(w, 2)) {
            put_blanks(w, pick(w, 6));
            put_comment(w);
        }
        put(w, w->line_end);
    }
}

typedef enum Kind { SIZE, TEXT, COUNT, TIME, KINDS } Kind;

/* A value that fits, or one that --fix makes fit. */
static void put_value(Writer *w, Kind kind)
{
    static const struct {
        const char *wrong, *right;
    } values[KINDS][4] = {
        [SIZE] = { { "1G", "1GiB" }, { "10 MB", "10MiB" }, { "1.5g", "1536MiB" }, { "64MiB", "64MiB" } },
        [TEXT] = { { "1234", "\"1234\"" }, { "0x1f", "\"0x1f\"" }, { "é-plain", "é-plain" },
            { "2026-01-01", "\"2026-01-01\"" } },
        [COUNT] = { { "\"2\"", "2" }, { "'3'", "3" }, { "1", "1" }, { "[2]", "2" } },
        [TIME] = { { "5min", "5m" }, { "10sec", "10s" }, { "1.5m", "90s" }, { "1h", "1h" } },
    };
    unsigned which = pick(w, G_N_ELEMENTS(values[0]));

    g_string_append(w->wrong, values[kind][which].wrong);
    g_string_append(w->right, values[kind][which].right);
    w->planted += strcmp(values[kind][which].wrong, values[kind][which].right) != 0;
}

static const struct {
    const char *key;
    Kind kind;
} drive_keys[] = { { "size", SIZE }, { "serial", TEXT } };

static void put_drive(Writer *w, unsigned number)
{
    g_autofree char *name = g_strdup_printf("  d%u:", number);
    bool flow = pick(w, 2), swapped = pick(w, 2);
    unsigned indent = 3 + pick(w, 4);

    put(w, name);
    if (flow) {
        put(w, pick(w, 2) ? " {" : "   { ");
    } else {
        end_line(w);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(drive_keys); i++) {
        unsigned which = swapped ? G_N_ELEMENTS(drive_keys) - 1 - i : i;

        put_blanks(w, flow ? i : indent);
        put(w, drive_keys[which].key);
        put(w, pick(w, 2) ? ": " : ":   ");
        put_value(w, drive_keys[which].kind);
        if (flow) {
            put(w, i == 0 ? "," : pick(w, 2) ? " }" : "}");
        } else {
            end_line(w);
        }
    }
    if (flow) {
        end_line(w);
    }
}

static void put_drives(Writer *w)
{
    put(w, "drives:");
    end_line(w);
    for (unsigned i = 0, count = 1 + pick(w, 4); i < count; i++) {
        put_drive(w, i);
    }
}

static void put_line(Writer *w, const char *key, Kind kind)
{
    put(w, key);
    put_value(w, kind);
    end_line(w);
}

static void put_test(Writer *w)
{
    put(w, "tests:");
    end_line(w);
    put(w, "  boot:");
    end_line(w);
    put_line(w, "      timeout: ", TIME);
    put(w, "      steps: [{ expect: 'login: # no comment' }]");
    end_line(w);
}

static void put_machine(Writer *w)
{
    put(w, pick(w, 4) ? "" : "\xef\xbb\xbf");
    while (pick(w, 3) == 0) {
        put_comment(w);
        put(w, w->line_end);
    }
    put(w, "lathe: machine/v1");
    end_line(w);
    put(w, "name: m");
    end_line(w);
    put(w, "board: riscv-virt@1");
    end_line(w);
    put_line(w, "memory:  ", SIZE);
    put_drives(w);
    put(w, "cpus:");
    end_line(w);
    put_line(w, "  count: ", COUNT);
    put(w, "boot:");
    end_line(w);
    put_line(w, "     cmdline:  ", TEXT);
    put_test(w);
}

static Writer writer_new(unsigned seed)
{
    Writer w = { .random = g_rand_new_with_seed(seed),
        .wrong = g_string_new(NULL),
        .right = g_string_new(NULL) };

    w.line_end = pick(&w, 3) ? "\n" : "\r\n";
    put_machine(&w);
    g_rand_free(w.random);
    return w;
}

static void writer_clear(Writer *w)
{
    g_string_free(w->wrong, true);
    g_string_free(w->right, true);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Writer, writer_clear)

/* As `validate --fix` does it. */
static unsigned fix(const char *file)
{
    const ConfigOptions options = { 0 };
    unsigned all = 0;
    int made = 1;

    for (unsigned round = 0; round < ROUNDS && made > 0; round++) {
        g_autoptr(Diag) diag = diag_new();
        g_autoptr(Edits) edits = edits_new();
        g_autoptr(MachineSpec) spec = config_load(file, &options, diag);

        edits_add_fixes(edits, diag);
        made = spec ? 0 : edits_write(edits, NULL);
        assert_true(made >= 0);
        all += made;
    }
    return all;
}

static void assert_file(const char *file, const char *expected, unsigned seed)
{
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents(file, &text, NULL, NULL));
    if (strcmp(text, expected) != 0) {
        print_error("seed %u:\n%s\n---- expected:\n%s\n", seed, text, expected);
        fail();
    }
}

static void fixes_change_nothing_else(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("lathe-edit-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "m.yaml", NULL);

    for (unsigned seed = 0; seed < FILES; seed++) {
        g_auto(Writer) w = writer_new(seed);

        assert_true(g_file_set_contents(file, w.wrong->str, -1, NULL));
        assert_int_equal(fix(file), w.planted);
        assert_file(file, w.right->str, seed);
        assert_int_equal(fix(file), 0);
    }
    g_unlink(file);
    g_rmdir(folder);
}

static void what_is_not_yaml_is_left_alone(void **state)
{
    static const char *const broken[] = { "drives: { a: ", "\tkey: 1\n", "a: 'open\n", "a: b: c\n", "- x\nb: 1\n" };
    g_autofree char *folder = g_dir_make_tmp("lathe-edit-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "m.yaml", NULL);

    for (unsigned seed = 0; seed < FILES / 5; seed++) {
        g_auto(Writer) w = writer_new(seed);

        g_string_append(w.wrong, broken[seed % G_N_ELEMENTS(broken)]);
        assert_true(g_file_set_contents(file, w.wrong->str, -1, NULL));
        assert_int_equal(fix(file), 0);
        assert_file(file, w.wrong->str, seed);
    }
    g_unlink(file);
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixes_change_nothing_else),
        cmocka_unit_test(what_is_not_yaml_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
