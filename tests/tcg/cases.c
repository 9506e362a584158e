/*
 * Passes over IR text: tests/tcg/cases/NAME.ir. Each case is
 *
 *   --- what it shows
 *   pass: build live
 *   IR ...
 *   expect:
 *   IR, or the message of an error ...
 *
 * Passes: build (through the folding builder), live, and verify or parse, which expect an error.
 */
#include <glib.h>
#include <string.h>

#include "tests/tcg/toy.h"
#include "tests/test.h"

static char *print(const IrBlock *b)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ir_print(b, out);
    fclose(out);
    return text;
}

static char *run_passes(char **passes, const char *text)
{
    static IrBlock parsed, built;
    static IrLive live;
    IrBlock *b = &parsed;
    char *error;

    toy_begin(b);
    error = ir_parse(b, text);
    for (unsigned n = 0; passes[n] && !error; n++) {
        if (strcmp(passes[n], "verify") == 0) {
            error = ir_verify(b);
        } else if (strcmp(passes[n], "build") == 0) {
            toy_build(&built, b);
            b = &built;
        } else if (strcmp(passes[n], "live") == 0) {
            ir_live(b, &live);
        }
    }
    if (!error && strcmp(passes[0], "verify") != 0) {
        error = ir_verify(b);
    }
    return error ? error : print(b);
}

/* The text between a line `from` and the next line `to`, without either. */
static void check_case(const char *file, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "expect:\n", 2);
    g_auto(GStrv) head = g_strsplit(parts[0], "\n", 3);
    g_auto(GStrv) passes = g_strsplit(head[1] + strlen("pass: "), " ", 0);
    g_autofree char *found = run_passes(passes, head[2]);

    g_strchomp(found);
    g_strchomp(parts[1]);
    if (strcmp(found, parts[1]) != 0) {
        fail_msg("%s: %s\nexpected:\n%s\nfound:\n%s", file, head[0], parts[1], found);
    }
}

static void check_file(const char *file)
{
    g_autofree char *path = g_build_filename("tests/tcg/cases", file, NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) cases = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    cases = g_strsplit(text, "--- ", 0);
    assert_non_null(cases[1]);
    for (unsigned n = 1; cases[n]; n++) {
        check_case(file, cases[n]);
    }
}

static void builder_folds_by_the_laws(void **state) { check_file("fold.ir"); }
static void builder_forwards_and_shares(void **state) { check_file("forward.ir"); }
static void liveness_drops_what_nobody_sees(void **state) { check_file("live.ir"); }
static void verifier_says_what_is_wrong(void **state) { check_file("verify.ir"); }
static void parser_says_what_is_wrong(void **state) { check_file("parse.ir"); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_folds_by_the_laws),
        cmocka_unit_test(builder_forwards_and_shares),
        cmocka_unit_test(liveness_drops_what_nobody_sees),
        cmocka_unit_test(verifier_says_what_is_wrong),
        cmocka_unit_test(parser_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
