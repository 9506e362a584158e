/* A JSON reader (RFC 8259) that also takes QEMU's single-quoted strings. */
#include "config/legacy/json.h"

#include <string.h>

enum { DEEPEST_JSON = 32 };

typedef struct Json {
    Opts *opts;
    const Word *word;
    unsigned at, depth;
    const char *error;
} Json;

static char peek(Json *j)
{
    while (j->at < j->word->length && strchr(" \t\r\n", j->word->text[j->at])) {
        j->at++;
    }
    return j->at < j->word->length ? j->word->text[j->at] : '\0';
}

static bool fail(Json *j, const char *error)
{
    if (!j->error) {
        j->error = error;
    }
    return false;
}

static bool expect(Json *j, char c)
{
    if (peek(j) != c) {
        return fail(j, "is not JSON here");
    }
    j->at++;
    return true;
}

static bool take_unicode(Json *j, GString *text)
{
    gunichar code = 0;

    for (unsigned i = 1; i <= 4; i++) {
        int digit = j->at + i < j->word->length ? g_ascii_xdigit_value(j->word->text[j->at + i])
                                                : -1;

        if (digit < 0) {
            return fail(j, "has a \\u without four digits");
        }
        code = code * 16 + digit;
    }
    if (!words_is_character(code)) {
        return fail(j, "has a \\u that is no character");
    }
    g_string_append_unichar(text, code);
    j->at += 5;
    return true;
}

static bool take_escape(Json *j, GString *text)
{
    static const char from[] = "bfnrt\"'\\/", to[] = "\b\f\n\r\t\"'\\/";
    const char *found;

    j->at++;
    if (j->at >= j->word->length) {
        return fail(j, "ends in a string");
    }
    if (j->word->text[j->at] == 'u') {
        return take_unicode(j, text);
    }
    found = strchr(from, j->word->text[j->at]);
    if (!found) {
        return fail(j, "has an escape that JSON does not know");
    }
    g_string_append_c(text, to[found - from]);
    j->at++;
    return true;
}

static const char *take_string(Json *j)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char quote = peek(j);

    if (quote != '"' && quote != '\'') {
        fail(j, "needs a string here");
        return NULL;
    }
    j->at++;
    while (j->at < j->word->length && j->word->text[j->at] != quote) {
        if (j->word->text[j->at] == '\\') {
            if (!take_escape(j, text)) {
                return NULL;
            }
        } else {
            g_string_append_c(text, j->word->text[j->at++]);
        }
    }
    if (j->at >= j->word->length) {
        fail(j, "ends in a string");
        return NULL;
    }
    j->at++;
    return arena_text(j->opts->arena, text->str, text->len);
}

static bool take_value(Json *j, const char *key);

static const char *join(Json *j, const char *key, const char *part)
{
    return *key ? arena_printf(j->opts->arena, "%s.%s", key, part) : part;
}

static bool take_object(Json *j, const char *key)
{
    j->at++;
    if (peek(j) == '}') {
        j->at++;
        return true;
    }
    do {
        const char *name = take_string(j);

        if (!name || !expect(j, ':') || !take_value(j, join(j, key, name))) {
            return false;
        }
    } while (peek(j) == ',' && j->at++ < j->word->length);
    return expect(j, '}');
}

static bool take_list(Json *j, const char *key)
{
    unsigned number = 0;

    j->at++;
    if (peek(j) == ']') {
        j->at++;
        return true;
    }
    do {
        const char *part = arena_printf(j->opts->arena, "%u", number++);

        if (!take_value(j, join(j, key, part))) {
            return false;
        }
    } while (peek(j) == ',' && j->at++ < j->word->length);
    return expect(j, ']');
}

/* true, false, null, or a number. */
static bool take_bare(Json *j, const char *key)
{
    static const struct {
        const char *word, *value;
        OptType type;
    } words[] = { { "true", "on", OPT_BOOL }, { "false", "off", OPT_BOOL },
        { "null", "", OPT_NULL } };
    unsigned from = j->at;
    size_t length = strspn(j->word->text + from, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
    const char *text = arena_text(j->opts->arena, j->word->text + from, length);
    Opt *opt;

    j->at += length;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            opt = opts_add(j->opts, key, words[i].value, word_span(j->word, from, length));
            opt->type = words[i].type;
            return true;
        }
    }
    if (!g_ascii_isdigit(text[*text == '-'])) {
        return fail(j, "is not JSON here");
    }
    opt = opts_add(j->opts, key, text, word_span(j->word, from, length));
    opt->type = OPT_NUMBER;
    return true;
}

static bool take_value(Json *j, const char *key)
{
    char c = peek(j);
    bool good;

    if (j->depth >= DEEPEST_JSON) {
        return fail(j, "is nested too deep");
    }
    j->depth++;
    if (c == '{') {
        good = take_object(j, key);
    } else if (c == '[') {
        good = take_list(j, key);
    } else if (c == '"' || c == '\'') {
        unsigned from = j->at;
        const char *value = take_string(j);

        if (value) {
            opts_add(j->opts, key, value, word_span(j->word, from, j->at - from));
        }
        good = value != NULL;
    } else {
        good = take_bare(j, key);
    }
    j->depth--;
    return good;
}

const char *json_flatten(Opts *opts, const Word *word, unsigned first, Span *at)
{
    Json j = { .opts = opts, .word = word, .at = first };

    if (peek(&j) != '{') {
        fail(&j, "is not a JSON object");
    } else if (take_object(&j, "") && peek(&j) != '\0') {
        fail(&j, "goes on behind the object");
    }
    *at = word_span(word, j.at, 1);
    return j.error;
}
