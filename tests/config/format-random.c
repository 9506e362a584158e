/*
 * Random files, laid out badly in every way that YAML allows: formatting keeps what they mean and every
 * comment, byte for byte, and formatting twice is formatting once.
 */
#include "tests/test.h"

#include <string.h>

#include "config/events.h"
#include "config/format.h"

enum { FILES = 400, DEEPEST = 4 };

typedef struct Writer {
    GRand *random;
    GString *text;
    const char *line_end; /* "\n" or "\r\n" */
    unsigned names;
} Writer;

static unsigned pick(Writer *w, unsigned below)
{
    return g_rand_int_range(w->random, 0, (gint32)below);
}

static void put_blanks(Writer *w, unsigned count)
{
    g_string_append_printf(w->text, "%*s", (int)count, "");
}

static void put_comment(Writer *w)
{
    static const char *const words[] = { "# plain", "#", "#no blank", "# with: a colon",
        "# 'quotes\" and [brackets]", "#\tétendue  und   weit", "# ends in blanks" };

    g_string_append(w->text, words[pick(w, G_N_ELEMENTS(words))]);
}

/* The end of a line, perhaps with a comment, and perhaps lines of nothing else. */
static void end_line(Writer *w, unsigned indent)
{
    if (pick(w, 4) == 0) {
        put_blanks(w, 1 + pick(w, 4));
        put_comment(w);
    }
    g_string_append(w->text, w->line_end);
    while (pick(w, 6) == 0) {
        if (pick(w, 2)) {
            put_blanks(w, indent);
            put_comment(w);
        }
        g_string_append(w->text, w->line_end);
    }
}

static void put_scalar(Writer *w, bool in_flow)
{
    static const char *const words[] = { "plain", "two words", "12", "0x1f", "true", "null", "\"\"",
        "'single ''quoted'' # no comment'", "\"double \\\"quoted\\\" # no comment\"", "64MiB", "a#b",
        "http://x/y#z", "é", "-1", "1.5" };

    g_string_append(w->text, words[pick(w, G_N_ELEMENTS(words) - (in_flow ? 5 : 0))]);
}

static void put_flow(Writer *w, unsigned depth)
{
    bool map = pick(w, 2);
    unsigned count = pick(w, 4);

    g_string_append_c(w->text, map ? '{' : '[');
    for (unsigned i = 0; i < count; i++) {
        put_blanks(w, pick(w, 3));
        if (map) {
            g_string_append_printf(w->text, "k%u:", w->names++);
            put_blanks(w, 1 + pick(w, 2));
        }
        if (depth < DEEPEST && pick(w, 4) == 0) {
            put_flow(w, depth + 1);
        } else {
            put_scalar(w, true);
        }
        put_blanks(w, pick(w, 2));
        g_string_append(w->text, i + 1 < count ? "," : "");
    }
    put_blanks(w, pick(w, 2));
    g_string_append_c(w->text, map ? '}' : ']');
}

static void put_block_scalar(Writer *w, unsigned indent)
{
    g_string_append(w->text, pick(w, 2) ? "|" : ">");
    g_string_append(w->text, w->line_end);
    for (unsigned lines = 1 + pick(w, 3); lines; lines--) {
        put_blanks(w, indent);
        g_string_append(w->text, pick(w, 3) ? "a line # of text" : "more:  text");
        g_string_append(w->text, w->line_end);
    }
}

static void put_collection(Writer *w, unsigned indent, unsigned depth);

/* Behind `key:` or `-`; ends its line. */
static void put_value(Writer *w, unsigned indent, unsigned depth)
{
    unsigned kind = pick(w, depth < DEEPEST ? 6 : 4);

    if (kind == 0) {
        put_blanks(w, 1 + pick(w, 3));
        put_flow(w, depth);
        end_line(w, indent);
    } else if (kind == 1) {
        put_blanks(w, 1);
        put_block_scalar(w, indent + 1 + pick(w, 4));
    } else if (kind < 4) {
        put_blanks(w, 1 + pick(w, 3));
        put_scalar(w, false);
        end_line(w, indent);
    } else {
        unsigned below = indent + 1 + pick(w, 4);

        end_line(w, below);
        put_collection(w, below, depth + 1);
    }
}

static void put_collection(Writer *w, unsigned indent, unsigned depth)
{
    bool map = depth == 0 || pick(w, 3);

    for (unsigned count = 1 + pick(w, 4); count; count--) {
        put_blanks(w, indent);
        if (map) {
            g_string_append_printf(w->text, "k%u%s:", w->names++, pick(w, 8) ? "" : " ");
        } else {
            g_string_append_c(w->text, '-');
        }
        put_value(w, indent, depth);
    }
}

static char *random_file(unsigned seed)
{
    Writer w = { .random = g_rand_new_with_seed(seed), .text = g_string_new(NULL) };

    w.line_end = pick(&w, 3) ? "\n" : "\r\n";
    g_string_append(w.text, pick(&w, 5) ? "" : "\xef\xbb\xbf");
    put_collection(&w, 0, 0);
    if (pick(&w, 5) == 0) {
        g_string_truncate(w.text, strlen(g_strchomp(w.text->str)));
    }
    g_rand_free(w.random);
    return g_string_free(w.text, false);
}

/* What the text says, without places; NULL: it is not YAML that lathe reads. */
static char *meaning_of(const char *text)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Source) source = source_from_text("m.yaml", text, -1, diag);
    const Node *root = events_parse(source, arena, diag);
    g_autofree char *all = root && !diag_errors(diag) ? node_to_string(root) : NULL;
    g_autoptr(GRegex) places = g_regex_new("  m\\.yaml:\\d+:\\d+$", G_REGEX_MULTILINE, 0, NULL);

    return all ? g_regex_replace_literal(places, all, -1, 0, "", 0, NULL) : NULL;
}

/* Every comment of the texts above, in order: their words are in no scalar. */
static char *comments_of(const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new("(?:^|[ \\t])(# plain|#no blank|# with: a colon|# 'quotes\" and "
                                          "\\[brackets\\]|#\\t\\S+  und   weit|# ends in blanks|#(?=\\s*$))",
        G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    GString *out = g_string_new(NULL);

    g_regex_match(regex, text, 0, &match);
    for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *comment = g_match_info_fetch(match, 1);

        g_string_append_printf(out, "%s\n", comment);
    }
    return g_string_free(out, false);
}

static void formatting_keeps_all_but_the_layout(void **state)
{
    unsigned tried = 0;

    for (unsigned seed = 0; seed < FILES; seed++) {
        g_autofree char *text = random_file(seed), *meaning = meaning_of(text);
        g_autofree char *once = meaning ? format_text(text) : NULL;
        g_autofree char *twice = once ? format_text(once) : NULL;
        g_autofree char *after = once ? meaning_of(once) : NULL;
        g_autofree char *before_comments = comments_of(text),
                        *after_comments = once ? comments_of(once) : NULL;

        if (!meaning) {
            continue; /* not YAML after all */
        }
        tried++;
        if (!once || !after || strcmp(after, meaning) != 0 || strcmp(twice, once) != 0 ||
            strcmp(before_comments, after_comments) != 0) {
            print_error("seed %u:\n%s\n---- once:\n%s\n---- twice:\n%s\n", seed, text,
                once ? once : "(none)", twice ? twice : "(none)");
            fail();
        }
        assert_int_equal(g_str_has_prefix(text, "\xef\xbb\xbf"), g_str_has_prefix(once, "\xef\xbb\xbf"));
        assert_int_equal(strstr(text, "\r\n") != NULL, strstr(once, "\r\n") != NULL);
    }
    assert_true(tried > FILES * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formatting_keeps_all_but_the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
