/* Option strings, words of scripts, and what a translation says. The judgement is in corpus.c. */
#include <string.h>

#include "config/legacy/json.h"
#include "config/legacy/yaml.h"
#include "tests/test.h"

/* ---- option strings ---- */

static Word word_of(Arena *arena, const char *text)
{
    unsigned length = strlen(text), *at = arena_alloc(arena, (length + 1) * sizeof(*at));

    for (unsigned i = 0; i <= length; i++) {
        at[i] = i;
    }
    return (Word){ text, length, at };
}

/* "key=value;key=value": what the string was taken for. Free it. */
static char *parsed(const char *text, const char *implied)
{
    g_autoptr(Arena) arena = arena_create();
    Word word = word_of(arena, text);
    const Opts *opts = opts_parse("-x", &word, implied, arena);
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < opts->count; i++) {
        g_string_append_printf(
            out, "%s%s=%s", i ? ";" : "", opts->items[i].key, opts->items[i].value);
    }
    return g_string_free(out, false);
}

static void assert_parsed(const char *text, const char *implied, const char *expected)
{
    g_autofree char *said = parsed(text, implied);

    assert_string_equal(said, expected);
}

static void a_doubled_comma_is_one_comma_of_a_value(void **state)
{
    assert_parsed("file=a,,b.img,format=raw", NULL, "file=a,b.img;format=raw");
    assert_parsed("file=a,,", NULL, "file=a,");
}

static void a_flag_is_on_and_without_its_no_it_is_off(void **state)
{
    assert_parsed("snapshot,noreadonly,node", NULL, "snapshot=on;readonly=off;de=off");
}

static void the_first_equals_sign_splits(void **state)
{
    assert_parsed("a=b=c,=x", NULL, "a=b=c;=x");
}

static void the_first_element_may_be_the_value_of_an_implied_key(void **state)
{
    assert_parsed("e1000,id=n", "driver", "driver=e1000;id=n");
    assert_parsed("id=n,e1000", "driver", "id=n;e1000=on");
}

static void a_key_keeps_its_place(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    Word word = word_of(arena, "file=a,if=foo");
    Opts *opts = opts_parse("-drive", &word, NULL, arena);

    assert_int_equal(opts_get(opts, "if")->value_at.from, 10);
    assert_int_equal(opts_get(opts, "if")->value_at.to, 13);
}

static void the_last_of_a_key_counts(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    Word word = word_of(arena, "a=1,a=2");

    assert_string_equal(opts_text(opts_parse("-x", &word, NULL, arena), "a"), "2");
}

static void numbers_are_those_of_c(void **state)
{
    uint64_t value;

    assert_true(opt_number("0x10", &value) && value == 16);
    assert_true(opt_number("010", &value) && value == 8);
    assert_true(opt_number(" +1", &value) && value == 1);
    assert_false(opt_number("1k", &value));
    assert_false(opt_number("", &value));
    assert_false(opt_number("18446744073709551616", &value));
}

static void sizes_have_suffixes_and_fractions(void **state)
{
    uint64_t value;

    assert_true(opt_size("1.5k", &value) && value == 1536);
    assert_true(opt_size("2G", &value) && value == (uint64_t)2 << 30);
    assert_true(opt_size("18446744073709551615", &value) && value == G_MAXUINT64);
    assert_true(opt_size("0x1M", &value) && value == 1 << 20);
    assert_true(opt_size("0x1E", &value) && value == 0x1e);
    assert_false(opt_size("0x", &value));
    assert_false(opt_size("1Q", &value));
    assert_false(opt_size("-1", &value));
    assert_false(opt_size("16E", &value));
}

static void json_becomes_dotted_keys(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    Word word = word_of(arena, "{\"a\": {\"b\": [1, true]}, \"c\": \"\\u00e4\"}");
    Opts *opts = opts_new("-x", (Span){ 0 }, arena);
    Span at;

    assert_null(json_flatten(opts, &word, 0, &at));
    assert_string_equal(opts_text(opts, "a.b.0"), "1");
    assert_string_equal(opts_text(opts, "a.b.1"), "on");
    assert_string_equal(opts_text(opts, "c"), "ä");
}

static void json_says_where_it_ends_to_be_json(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    Word word = word_of(arena, "{\"a\" 1}");
    Span at;

    assert_non_null(json_flatten(opts_new("-x", (Span){ 0 }, arena), &word, 0, &at));
    assert_int_equal(at.from, 5);
}

/* ---- words ---- */

/* The words of the only command, between bars; or what was reported. Free it. */
static char *words_of(const char *text, ScriptKind kind)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("script", text, -1, diag);
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) commands = words_commands(source, kind, variables, arena, diag);
    GString *out = g_string_new(NULL);

    if (diag_errors(diag)) {
        g_string_free(out, true);
        return diag_to_string(diag, DIAG_SHORT);
    }
    assert_int_equal(commands->len, 1);
    for (unsigned i = 0; i < ((GArray *)commands->pdata[0])->len; i++) {
        const Word *word = &g_array_index((GArray *)commands->pdata[0], Word, i);

        g_string_append_printf(out, "%s%s", i ? "|" : "", word->text);
    }
    return g_string_free(out, false);
}

static void assert_words(const char *text, ScriptKind kind, const char *expected)
{
    g_autofree char *said = words_of(text, kind);

    assert_string_equal(said, expected);
}

static void quotes_and_backslashes_are_the_shells(void **state)
{
    assert_words("qemu 'a b' \"c \\\"d\\\" \\$x\" e\\ f", SCRIPT_SHELL, "qemu|a b|c \"d\" $x|e f");
}

static void lines_go_on_and_comments_end(void **state)
{
    assert_words("#!/bin/sh\n# qemu -x\nqemu -a \\\n  -b # end\n", SCRIPT_SHELL, "qemu|-a|-b");
}

static void a_variable_of_several_words_is_cut(void **state)
{
    assert_words("O='-m 1G'\nqemu $O \"$O\"", SCRIPT_SHELL, "qemu|-m|1G|-m 1G");
}

static void a_default_stands_in_for_a_variable(void **state)
{
    assert_words("qemu ${M:-virt}", SCRIPT_SHELL, "qemu|virt");
}

static void a_missing_variable_is_named(void **state)
{
    assert_words("qemu $IMG", SCRIPT_SHELL, "1:6: error[E121]: `$IMG` is not known here\n");
}

static void redirections_are_no_words(void **state)
{
    assert_words("qemu -a > log 2>&1 -b <in", SCRIPT_SHELL, "qemu|-a|-b");
    assert_words("qemu -a <<<", SCRIPT_SHELL, "qemu|-a");
}

static void arrays_of_bash_keep_their_words(void **state)
{
    assert_words("A=(-hda 'a b' # one\n)\nA+=(-m 1G)\nqemu \"${A[@]}\" \"$@\"", SCRIPT_SHELL,
        "qemu|-hda|a b|-m|1G");
    assert_words("A=()\nqemu \"${A[@]}\" x", SCRIPT_SHELL, "qemu|x");
}

static void the_latest_value_of_a_variable_counts(void **state)
{
    assert_words("D=/x\nD=/y\nD+=/z\nqemu $D", SCRIPT_SHELL, "qemu|/y/z");
}

static void what_is_not_qemus_need_not_be_known(void **state)
{
    assert_words("cd $NOWHERE\necho $WHO\nqemu x", SCRIPT_SHELL, "qemu|x");
}

static void what_is_no_text_is_refused(void **state)
{
    assert_words("qemu a\xf0\xf0", SCRIPT_SHELL,
        "0:0: error[E702]: this is not UTF-8, or has control characters\n");
}

static void make_has_variables_of_its_own(void **state)
{
    assert_words("Q := qemu\nO ?= -m 1G\nrun:\n\t@$(Q) $(O)\n", SCRIPT_MAKE, "qemu|-m|1G");
}

/* ---- translating ---- */

typedef struct Translation {
    Diag *diag;
    Source *source;
    Arena *arena;
    GPtrArray *commands;
    Legacy *legacy;
    char *yaml; /* NULL: refused */
} Translation;

static void translate(Translation *t, const char *line, LegacyAs as)
{
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    t->diag = diag_new();
    t->source = source_from_text("line", line, -1, t->diag);
    t->arena = arena_create();
    t->commands = words_commands(t->source, SCRIPT_SHELL, variables, t->arena, t->diag);
    t->legacy = legacy_new(t->source, as, NULL, t->diag);
    t->yaml = legacy_read(t->legacy, t->commands->pdata[0]) ? legacy_to_yaml(t->legacy, "m", NULL)
                                                            : NULL;
}

static void translation_clear(Translation *t)
{
    g_free(t->yaml);
    legacy_free(t->legacy);
    g_ptr_array_unref(t->commands);
    arena_free(t->arena);
    source_free(t->source);
    diag_free(t->diag);
}

static void assert_translated(const char *line, LegacyAs as, const char *expected)
{
    Translation t;

    translate(&t, line, as);
    assert_non_null(t.yaml);
    if (!strstr(t.yaml, expected)) {
        fail_msg("no `%s` in:\n%s", expected, t.yaml);
    }
    translation_clear(&t);
}

static void a_refused_value_is_underlined(void **state)
{
    Translation t;
    g_autofree char *said = NULL;

    translate(&t, "qemu-system-x86_64 -drive file=a.img,if=foo", AS_7_2);
    said = diag_to_string(t.diag, DIAG_PLAIN);
    assert_null(t.yaml);
    assert_non_null(strstr(said, "1:41: error[E703]"));
    assert_non_null(strstr(said, "^^^"));
    translation_clear(&t);
}

static void a_transport_keeps_its_number(void **state)
{
    assert_translated("qemu-system-riscv64 -M virt -drive file=a.img,format=raw,if=none,id=d "
                      "-device virtio-blk-device,drive=d",
        AS_7_2, "slot: virtio.7");
}

#define ARM "qemu-system-aarch64 -kernel k -M virt"

static void levels_and_gic_are_options_of_the_board(void **state)
{
    assert_translated(ARM, AS_7_2, "options: { gic: v2 }");
    assert_translated(ARM ",gic-version=3", AS_7_2, "options: { gic: v3 }");
    assert_translated(ARM ",gic-version=3,its=off", AS_7_2, "options: { gic: v3-no-its }");
    assert_translated(ARM ",virtualization=on", AS_7_2, "options: { levels: el2, gic: v2 }");
    assert_translated(ARM ",secure=on -bios f", AS_7_2, "options: { levels: el3, gic: v2 }");
    assert_translated(ARM ",secure=on,virtualization=true -bios f", AS_7_2,
        "options: { levels: el2-el3, gic: v2 }");
    assert_translated(
        ARM ",virtualization=on -machine virtualization=off", AS_7_2, "options: { gic: v2 }");
    assert_translated(ARM ",virtualization=on,gic-version=max", AS_7_2,
        "# close: gic-version: a GICv3 in place of the GICv4");
}

static void without_firmware_secure_says_nothing_to_a_kernel(void **state)
{
    assert_translated(ARM ",secure=on", AS_7_2, "# close: secure: without firmware");
    assert_translated(ARM ",secure=on", AS_7_2, "options: { gic: v2 }");
}

static void without_cache_it_was_writethrough_in_2011(void **state)
{
    assert_translated("qemu-system-x86_64 -hda a.qcow2", AS_2011, "cache: writethrough");
}

static void serial_was_a_key_in_2011(void **state)
{
    assert_translated("qemu -drive file=a.img,if=virtio,serial=S1", AS_2011, "serial: S1");
}

static void a_start_of_the_clock_is_written_in_full(void **state)
{
    assert_translated("qemu-system-riscv64 -M virt -rtc base=2006-6-7", AS_7_2,
        "start: \"2006-06-07T00:00:00Z\"");
    assert_translated("qemu-system-riscv64 -M virt -rtc base=2006-13-1", AS_7_2,
        "# lost: -rtc base=2006-13-1: there is no such day or time");
}

static void a_missing_board_is_one_lost_line(void **state)
{
    assert_translated("qemu-system-x86_64 -hda a.qcow2", AS_7_2,
        "# lost: qemu-system-x86_64: there is no board like QEMU's `pc-i440fx-7.2` yet");
}

static void a_line_break_in_a_name_does_not_break_a_comment(void **state)
{
    assert_translated("qemu-system-x86_64 'a\nb\xe2\x80\xa9.img'", AS_7_2, "QEMU would look what");
}

static void a_drive_called_on_is_no_truth_value(void **state)
{
    assert_translated("qemu-system-x86_64 -drive file=a.img,format=raw,id", AS_7_2, "  d-on:\n");
}

static void a_dollar_of_the_kernels_is_no_parameter(void **state)
{
    assert_translated("qemu-system-riscv64 -M virt -kernel k -append 'a=${b}'", AS_7_2, "$${b}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubled_comma_is_one_comma_of_a_value),
        cmocka_unit_test(a_flag_is_on_and_without_its_no_it_is_off),
        cmocka_unit_test(the_first_equals_sign_splits),
        cmocka_unit_test(the_first_element_may_be_the_value_of_an_implied_key),
        cmocka_unit_test(a_key_keeps_its_place),
        cmocka_unit_test(the_last_of_a_key_counts),
        cmocka_unit_test(numbers_are_those_of_c),
        cmocka_unit_test(sizes_have_suffixes_and_fractions),
        cmocka_unit_test(json_becomes_dotted_keys),
        cmocka_unit_test(json_says_where_it_ends_to_be_json),
        cmocka_unit_test(quotes_and_backslashes_are_the_shells),
        cmocka_unit_test(lines_go_on_and_comments_end),
        cmocka_unit_test(a_variable_of_several_words_is_cut),
        cmocka_unit_test(a_default_stands_in_for_a_variable),
        cmocka_unit_test(a_missing_variable_is_named),
        cmocka_unit_test(redirections_are_no_words),
        cmocka_unit_test(arrays_of_bash_keep_their_words),
        cmocka_unit_test(the_latest_value_of_a_variable_counts),
        cmocka_unit_test(what_is_not_qemus_need_not_be_known),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(make_has_variables_of_its_own),
        cmocka_unit_test(a_refused_value_is_underlined),
        cmocka_unit_test(a_transport_keeps_its_number),
        cmocka_unit_test(levels_and_gic_are_options_of_the_board),
        cmocka_unit_test(without_firmware_secure_says_nothing_to_a_kernel),
        cmocka_unit_test(without_cache_it_was_writethrough_in_2011),
        cmocka_unit_test(serial_was_a_key_in_2011),
        cmocka_unit_test(a_start_of_the_clock_is_written_in_full),
        cmocka_unit_test(a_missing_board_is_one_lost_line),
        cmocka_unit_test(a_line_break_in_a_name_does_not_break_a_comment),
        cmocka_unit_test(a_drive_called_on_is_no_truth_value),
        cmocka_unit_test(a_dollar_of_the_kernels_is_no_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
