/* QEMU's option strings, and the values in them. */
#include "config/legacy/optstr.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTS = 4096 };

Opts *opts_new(const char *option, Span at, Arena *arena)
{
    Opts *opts = ARENA_NEW(arena, Opts);

    *opts = (Opts){ .option = option, .at = at, .arena = arena };
    return opts;
}

Opt *opts_add(Opts *opts, const char *key, const char *value, Span at)
{
    if (opts->count == opts->room) {
        Opt *grown;

        opts->room = MAX(opts->room * 2, 8);
        grown = arena_alloc(opts->arena, opts->room * sizeof(Opt));
        if (opts->count) {
            memcpy(grown, opts->items, opts->count * sizeof(Opt));
        }
        opts->items = grown;
    }
    opts->items[opts->count] = (Opt){ .key = key, .value = value, .key_at = at, .value_at = at };
    return &opts->items[opts->count++];
}

/* Where the value that starts at `at` ends: at a comma that is not doubled. */
static unsigned value_end(const Word *word, unsigned at)
{
    while (at < word->length) {
        if (word->text[at] == ',') {
            if (at + 1 >= word->length || word->text[at + 1] != ',') {
                break;
            }
            at++;
        }
        at++;
    }
    return at;
}

static const char *undoubled(const char *text, unsigned length, Arena *arena)
{
    char *copy = arena_text(arena, text, length), *to = copy;

    for (unsigned i = 0; i < length; i++) {
        *to++ = text[i];
        i += text[i] == ',' && i + 1 < length && text[i + 1] == ',';
    }
    *to = '\0';
    return copy;
}

static void add_flag(Opts *opts, const Word *word, unsigned from, unsigned end)
{
    bool off = end - from >= 2 && strncmp(word->text + from, "no", 2) == 0;
    unsigned skip = off ? 2 : 0;
    const char *key = arena_text(opts->arena, word->text + from + skip, end - from - skip);
    Opt *opt = opts_add(opts, key, off ? "off" : "on", word_span(word, from, end - from));

    opt->flag = true;
}

static void add_pair(Opts *opts, const Word *word, unsigned from, unsigned equals, unsigned end)
{
    const char *key = arena_text(opts->arena, word->text + from, equals - from);
    const char *value = undoubled(word->text + equals + 1, end - equals - 1, opts->arena);
    Opt *opt = opts_add(opts, key, value, word_span(word, from, equals - from));

    opt->value_at = word_span(word, equals + 1, end - equals - 1);
    if (opt->value_at.to <= opt->value_at.from) {
        opt->value_at = opt->key_at;
    }
}

Opts *opts_parse(const char *option, const Word *word, const char *implied, Arena *arena)
{
    Opts *opts = opts_new(option, word_span(word, 0, word->length), arena);
    unsigned at = 0;

    while (at < word->length && opts->count < MOST_OPTS) {
        unsigned stop = at + strcspn(word->text + at, "=,");
        unsigned end;

        if (stop < word->length && word->text[stop] == '=') {
            end = value_end(word, stop + 1);
            add_pair(opts, word, at, stop, end);
        } else if (implied && at == 0) {
            end = value_end(word, 0);
            opts_add(opts, implied, undoubled(word->text, end, arena), word_span(word, 0, end));
        } else {
            end = stop;
            add_flag(opts, word, at, end);
        }
        at = end + 1;
    }
    return opts;
}

Opt *opts_find(const Opts *opts, const char *key)
{
    for (unsigned i = opts->count; i > 0; i--) {
        if (strcmp(opts->items[i - 1].key, key) == 0) {
            return &opts->items[i - 1];
        }
    }
    return NULL;
}

unsigned opts_times(const Opts *opts, const char *key)
{
    unsigned times = 0;

    for (unsigned i = 0; i < opts->count; i++) {
        times += strcmp(opts->items[i].key, key) == 0;
    }
    return times;
}

Opt *opts_get(Opts *opts, const char *key)
{
    Opt *found = NULL;

    for (unsigned i = 0; i < opts->count; i++) {
        if (strcmp(opts->items[i].key, key) == 0) {
            found = &opts->items[i];
            found->used = true;
        }
    }
    return found;
}

void opts_drop(Opts *opts, const char *key)
{
    for (unsigned i = 0; i < opts->count; i++) {
        if (strcmp(opts->items[i].key, key) == 0) {
            opts->items[i].key = "";
            opts->items[i].used = true;
        }
    }
}

const char *opts_text(Opts *opts, const char *key)
{
    const Opt *opt = opts_get(opts, key);

    return opt ? opt->value : NULL;
}

Opt *opts_unused(const Opts *opts, unsigned from)
{
    for (unsigned i = from; i < opts->count; i++) {
        if (!opts->items[i].used) {
            return &opts->items[i];
        }
    }
    return NULL;
}

/* ---- values ---- */

bool opt_bool(const char *text, bool *value)
{
    static const char *const words[2][4] = { { "off", "no", "false", "n" },
        { "on", "yes", "true", "y" } };

    for (unsigned i = 0; i < 8; i++) {
        if (strcmp(text, words[i / 4][i % 4]) == 0) {
            *value = i / 4;
            return true;
        }
    }
    return false;
}

bool opt_number(const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(text, &end, 0);
    return end != text && *end == '\0' && errno == 0;
}

/* B and the powers of 1024, in either case; -1: no suffix. */
static int size_power(char suffix)
{
    static const char suffixes[] = "BKMGTPE";
    const char *found = suffix ? strchr(suffixes, g_ascii_toupper(suffix)) : NULL;

    return found ? (int)(found - suffixes) : -1;
}

/* "0x10000", "0x1M": B and E would be digits. */
static bool hexadecimal_size(const char *text, uint64_t *value)
{
    size_t digits = 2 + strspn(text + 2, "0123456789abcdefABCDEF");
    g_autofree char *plain = g_strndup(text, digits);
    int power = text[digits] ? size_power(text[digits]) : 0;

    if (digits == 2 || power < 0 || (text[digits] && text[digits + 1]) ||
        !opt_number(plain, value) || (power && *value >> (64 - 10 * power))) {
        return false;
    }
    *value <<= 10 * power;
    return true;
}

bool opt_size(const char *text, uint64_t *value)
{
    char *end;
    double number;
    int power = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return hexadecimal_size(text, value);
    }
    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    if (opt_number(text, value) && text[0] != '0') {
        return true; /* exactly, beyond what a double holds */
    }
    number = g_ascii_strtod(text, &end);
    if (*end) {
        power = size_power(*end++);
    }
    if (power < 0 || *end || memchr(text, 'e', end - text - 1)) {
        return false;
    }
    number = ldexp(number, 10 * power);
    if (number >= 0x1p64) {
        return false;
    }
    *value = number;
    return true;
}

bool opt_is_id(const char *text)
{
    if (!g_ascii_isalpha(*text)) {
        return false;
    }
    for (; *text; text++) {
        if (!g_ascii_isalnum(*text) && !strchr("-._", *text)) {
            return false;
        }
    }
    return true;
}

bool opt_is_among(const char *list, const char *word)
{
    size_t length = strlen(word);

    while (*list) {
        size_t here = strcspn(list, " ");

        if (here == length && strncmp(list, word, length) == 0) {
            return true;
        }
        list += here + strspn(list + here, " ");
    }
    return false;
}
