/* Cutting a text into commands and words (POSIX.1-2017, Shell Command Language, 2.2 and 2.3). */
#include "config/legacy/words.h"

#include <string.h>

enum { LONGEST_WORD = 1 << 20, DEEPEST_EXPANSION = 16 };

Span word_span(const Word *word, unsigned first, unsigned count)
{
    unsigned last = MIN(first + count, word->length);

    first = MIN(first, last);
    return (Span){ word->at[first], last > first ? word->at[last - 1] + 1 : word->at[first] };
}

Mark span_mark(const Source *source, Span span)
{
    size_t size;
    const char *text = g_bytes_get_data(source->text, &size);
    const char *ending;
    Mark mark = { .file = source->name };

    span.from = MIN(span.from, size);
    span.to = CLAMP(span.to, span.from, size);
    ending = memchr(text + span.from, '\n', span.to - span.from);
    if (ending) {
        span.to = ending - text;
    }
    mark_place(text, span.from, &mark.line, &mark.column);
    mark.width = MAX(g_utf8_strlen(text + span.from, span.to - span.from), 1);
    return mark;
}

/* ---- collecting ---- */

/* A variable that is not known, where it stands. */
typedef struct Missing {
    Span span;
    const char *name;
} Missing;

/* `NAME=(word ...)`, and what was not known when it was set. */
typedef struct Array {
    GArray *words, *missing;
} Array;

typedef struct Reader {
    const Source *source;
    const char *text;
    unsigned size, at;
    ScriptKind kind;
    Variables *variables;
    Arena *arena;
    Diag *diag;

    GPtrArray *commands; /* of GArray of Word */
    GArray *words;       /* of the command that is read */
    GString *word;
    GArray *places; /* of unsigned: one for each byte of `word` */
    bool open;      /* a word has begun, be it empty ('') */
    unsigned depth; /* of variables within variables */

    GHashTable *given;   /* names that the caller set: nothing in the text changes them */
    GHashTable *unknown; /* name -> Missing of the variable that its value was made from */
    GHashTable *arrays;  /* name -> Array */
    GArray *missing;     /* of Missing: in the command that is read */
    char *array;         /* name of the array whose words are read; NULL: none */
    unsigned array_from; /* number of its first word */
} Reader;

static void array_free(gpointer data)
{
    Array *array = data;

    g_array_unref(array->words);
    g_array_unref(array->missing);
    g_free(array);
}

static void put(Reader *r, char c, unsigned at)
{
    if (r->word->len < LONGEST_WORD) {
        g_string_append_c(r->word, c);
        g_array_append_val(r->places, at);
    }
    r->open = true;
}

static void end_word(Reader *r)
{
    Word word = { .length = r->word->len };
    unsigned *at;

    if (!r->open) {
        return;
    }
    word.text = arena_text(r->arena, r->word->str, r->word->len);
    g_array_append_val(r->places, r->at);
    at = arena_alloc(r->arena, r->places->len * sizeof(*at));
    memcpy(at, r->places->data, r->places->len * sizeof(*at));
    word.at = at;
    g_array_append_val(r->words, word);
    g_string_truncate(r->word, 0);
    g_array_set_size(r->places, 0);
    r->open = false;
}

static bool is_name(const char *text, size_t length)
{
    if (length == 0 || g_ascii_isdigit(*text)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '_') {
            return false;
        }
    }
    return true;
}

/* Whether the word begins with `NAME=` or `NAME+=`: then, the name's length and the value. */
static bool is_assignment(const char *text, size_t *length, bool *more, const char **value)
{
    const char *equals = strchr(text, '=');

    *more = equals && equals > text && equals[-1] == '+';
    *length = equals ? equals - text - *more : 0;
    *value = equals ? equals + 1 : NULL;
    return equals && is_name(text, *length);
}

/* `X=value` and `X+=value` in front of a command; what the user gave with --var stays. */
static bool take_assignment(Reader *r, const Word *word)
{
    const char *value;
    size_t length;
    bool more;
    g_autofree char *name = NULL;
    const char *before;

    if (!is_assignment(word->text, &length, &more, &value)) {
        return false;
    }
    name = g_strndup(word->text, length);
    if (g_hash_table_contains(r->given, name)) {
        return true;
    }
    if (r->missing->len) {
        g_hash_table_insert(r->unknown, g_strdup(name),
            g_memdup2(&g_array_index(r->missing, Missing, 0), sizeof(Missing)));
    } else if (!more) {
        g_hash_table_remove(r->unknown, name);
    }
    before = more ? g_hash_table_lookup(r->variables, name) : NULL;
    g_hash_table_insert(
        r->variables, g_steal_pointer(&name), g_strconcat(before ? before : "", value, NULL));
    return true;
}

bool words_is_program(const char *text)
{
    static const char *const names[] = { "qemu", "kvm", "qemu-kvm" };
    g_autofree char *base = g_path_get_basename(text);

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(base, names[i]) == 0) {
            return true;
        }
    }
    return g_str_has_prefix(base, "qemu-system-");
}

/* Words that only run what follows them. */
static bool is_prefix(const char *text)
{
    static const char *const words[] = { "sudo", "exec", "nice", "env", "time", "nohup", "then",
        "do", "else", "if", "while", "!", "{", "(", "export", "declare", "local", "readonly", "@",
        "-", "setsid", "-E" };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const Word *word_at(const GArray *words, unsigned i)
{
    return &g_array_index(words, Word, i);
}

/* `X = value`, `X := value`, `X ?= value`: make's way, on a line of its own. */
static bool take_make_assignment(Reader *r)
{
    const char *operator= r->words->len >= 2 ? word_at(r->words, 1)->text : "";
    const Word *name = r->words->len ? word_at(r->words, 0) : NULL;
    GString *value;

    if (r->kind != SCRIPT_MAKE || !is_name(name ? name->text : "", name ? name->length : 0) ||
        (strcmp(operator, "=") != 0 && strcmp(operator, ":=") != 0 && strcmp(operator, "?=") != 0 &&
            strcmp(operator, "+=") != 0)) {
        return false;
    }
    value = g_string_new(*operator== '+' ? g_hash_table_lookup(r->variables, name->text) : NULL);
    for (unsigned i = 2; i < r->words->len; i++) {
        g_string_append_printf(value, "%s%s", value->len ? " " : "", word_at(r->words, i)->text);
    }
    g_hash_table_insert(r->variables, g_strdup(name->text), g_string_free(value, false));
    return true;
}

/* Only a command of QEMU has to be known in full. */
static void report_missing(Reader *r)
{
    for (unsigned i = 0; i < r->missing->len; i++) {
        const Missing *missing = &g_array_index(r->missing, Missing, i);

        diag_error(r->diag, DIAG_UNSET_PARAM, span_mark(r->source, missing->span),
            "`%.*s` is not known here", (int)(missing->span.to - missing->span.from),
            r->text + missing->span.from);
        if (is_name(missing->name, strlen(missing->name))) {
            diag_hint(r->diag, "give it with --var %s=...", missing->name);
        }
    }
}

/* The words from number `first` on, if they call QEMU. make's @, - and + in front are passed over. */
static void add_command(Reader *r, unsigned first)
{
    Word *program = &g_array_index(r->words, Word, first);
    size_t marks = strspn(program->text, r->kind == SCRIPT_MAKE ? "@-+" : "");
    GArray *command;

    program->text += marks;
    program->at += marks;
    program->length -= marks;
    if (words_is_program(program->text)) {
        report_missing(r);
        command = g_array_new(false, false, sizeof(Word));
        g_array_append_vals(command, program, r->words->len - first);
        g_ptr_array_add(r->commands, command);
    }
}

static void end_command(Reader *r)
{
    unsigned first = 0;

    end_word(r);
    if (!take_make_assignment(r)) {
        while (first < r->words->len &&
            (is_prefix(word_at(r->words, first)->text) ||
                take_assignment(r, word_at(r->words, first)))) {
            first++;
        }
        if (first < r->words->len) {
            add_command(r, first);
        }
    }
    g_array_set_size(r->words, 0);
    g_array_set_size(r->missing, 0);
}

/* ---- arrays ---- */

/* At a `(`: whether `NAME=` or `NAME+=` stands right before it. */
static bool begin_array(Reader *r)
{
    size_t length;
    bool more;
    const char *value;

    if (r->array || r->kind != SCRIPT_SHELL || !r->open ||
        !is_assignment(r->word->str, &length, &more, &value) || *value) {
        return false;
    }
    r->array = g_strndup(r->word->str, length);
    if (!more) {
        g_hash_table_remove(r->arrays, r->array);
    }
    g_string_truncate(r->word, 0);
    g_array_set_size(r->places, 0);
    r->open = false;
    r->array_from = r->words->len;
    r->at++;
    return true;
}

static void end_array(Reader *r)
{
    Array *array = g_hash_table_lookup(r->arrays, r->array);

    end_word(r);
    if (!array) {
        array = g_new0(Array, 1);
        array->words = g_array_new(false, false, sizeof(Word));
        array->missing = g_array_new(false, false, sizeof(Missing));
        g_hash_table_insert(r->arrays, g_strdup(r->array), array);
    }
    g_array_append_vals(
        array->words, &g_array_index(r->words, Word, r->array_from), r->words->len - r->array_from);
    g_array_append_vals(array->missing, r->missing->data, r->missing->len);
    g_array_set_size(r->words, r->array_from);
    g_array_set_size(r->missing, 0);
    g_clear_pointer(&r->array, g_free);
    r->at++;
}

/* `${NAME[@]}`: each word stays one, quoted or not. */
static bool expand_array(Reader *r, const char *name)
{
    const Array *array = g_hash_table_lookup(r->arrays, name);

    for (unsigned i = 0; array && i < array->words->len; i++) {
        const Word *word = &g_array_index(array->words, Word, i);

        if (i > 0) {
            end_word(r);
        }
        for (unsigned j = 0; j < word->length; j++) {
            put(r, word->text[j], word->at[j]);
        }
        r->open = true;
    }
    if (array) {
        g_array_append_vals(r->missing, array->missing->data, array->missing->len);
    }
    return array != NULL;
}

/* ---- variables ---- */

static void put_expansion(Reader *r, const char *value, bool quoted, unsigned at)
{
    for (; *value; value++) {
        if (!quoted && strchr(" \t\n", *value)) {
            end_word(r);
        } else {
            put(r, *value, at);
        }
    }
    if (quoted) {
        r->open = true;
    }
}

static void miss(Reader *r, Span span, const char *name)
{
    Missing missing = { span, arena_text(r->arena, name, strlen(name)) };

    g_array_append_val(r->missing, missing);
    r->open = true;
}

/* `inside` is what stands between the braces: a name, perhaps with `:-default`. */
static void expand(Reader *r, const char *inside, size_t length, bool quoted, Span span)
{
    size_t end = 0;
    g_autofree char *name = NULL, *otherwise = NULL;
    const char *value;

    while (end < length && (g_ascii_isalnum(inside[end]) || inside[end] == '_')) {
        end++;
    }
    name = g_strndup(inside, end);
    if (end + 3 == length &&
        (g_str_has_prefix(inside + end, "[@]") || g_str_has_prefix(inside + end, "[*]"))) {
        if (++r->depth >= DEEPEST_EXPANSION * 1024 || !expand_array(r, name)) {
            miss(r, span, name);
        }
        return;
    }
    if (end < length && inside[end] == ':' && end + 1 < length && strchr("-=", inside[end + 1])) {
        otherwise = g_strndup(inside + end + 2, length - end - 2);
    } else if (end < length && inside[end] == '-') {
        otherwise = g_strndup(inside + end + 1, length - end - 1);
    }
    value = g_hash_table_lookup(r->variables, name);
    value = value ? value : otherwise;
    if (value && ++r->depth < DEEPEST_EXPANSION * 1024) {
        const Missing *missing = g_hash_table_lookup(r->unknown, name);

        if (missing) {
            g_array_append_val(r->missing, *missing);
        }
        put_expansion(r, value, quoted, span.from);
    } else {
        miss(r, span, name);
    }
}

/* At a `$`. */
static void take_dollar(Reader *r, bool quoted)
{
    unsigned from = r->at, end = r->at + 1;
    char opening = end < r->size ? r->text[end] : '\0';

    if (opening == '{' || opening == '(') {
        unsigned depth = 0;
        char closing = opening == '{' ? '}' : ')';

        do {
            depth += r->text[end] == opening;
            depth -= r->text[end] == closing;
            end++;
        } while (end < r->size && depth > 0);
        r->at = end;
        expand(r, r->text + from + 2, end - from - 2 - (depth == 0), quoted, (Span){ from, end });
        return;
    }
    if (opening == '$' && r->kind == SCRIPT_MAKE) {
        r->at += 1;
        take_dollar(r, quoted);
        return;
    }
    while (end < r->size && (g_ascii_isalnum(r->text[end]) || r->text[end] == '_')) {
        end++;
    }
    if (end == from + 1 && end < r->size && strchr("@*#?!", r->text[end])) {
        r->at = end + 1; /* the script's own arguments: none of ours */
        return;
    }
    if (end == from + 1) {
        put(r, '$', from);
        r->at = end;
        return;
    }
    r->at = end;
    expand(r, r->text + from + 1, end - from - 1, quoted, (Span){ from, end });
}

/* ---- quotes ---- */

static void unclosed(Reader *r, unsigned from)
{
    diag_error(r->diag, DIAG_FORM, span_mark(r->source, (Span){ from, from + 1 }),
        "a quote is not closed");
}

static void take_single_quoted(Reader *r)
{
    unsigned from = r->at++;

    r->open = true;
    while (r->at < r->size && r->text[r->at] != '\'') {
        put(r, r->text[r->at], r->at);
        r->at++;
    }
    if (r->at++ >= r->size) {
        unclosed(r, from);
    }
}

/* `"${NAME[@]}"`: of an empty array, nothing is left. */
static bool is_array_alone(const Reader *r, unsigned from)
{
    const char *text = r->text + from, *end = memchr(text, ']', r->size - from);

    return end && r->text + r->size - end > 2 && strncmp(text, "\"${", 3) == 0 &&
        strncmp(end - 2, "[@]}\"", 5) == 0 && is_name(text + 3, end - 2 - text - 3);
}

static void take_double_quoted(Reader *r)
{
    unsigned from = r->at++;

    if (r->size - from >= 4 &&
        (strncmp(r->text + from, "\"$@\"", 4) == 0 || strncmp(r->text + from, "\"$*\"", 4) == 0)) {
        r->at = from + 4; /* the script's own arguments: there are none */
        return;
    }
    if (is_array_alone(r, from)) {
        take_dollar(r, true);
        r->at++;
        return;
    }
    r->open = true;
    while (r->at < r->size && r->text[r->at] != '"') {
        char c = r->text[r->at], next = r->at + 1 < r->size ? r->text[r->at + 1] : '\0';

        if (c == '$') {
            take_dollar(r, true);
        } else if (c == '\\' && next && strchr("$`\"\\\n", next)) {
            if (next != '\n') {
                put(r, next, r->at + 1);
            }
            r->at += 2;
        } else {
            put(r, c, r->at);
            r->at++;
        }
    }
    if (r->at++ >= r->size) {
        unclosed(r, from);
    }
}

static void take_backslash(Reader *r)
{
    if (r->at + 1 < r->size && r->text[r->at + 1] != '\n') {
        put(r, r->text[r->at + 1], r->at + 1);
    }
    r->at += 2;
}

static void skip_comment(Reader *r)
{
    while (r->at < r->size && r->text[r->at] != '\n') {
        r->at++;
    }
}

/* `2>&1`: a number right before it belongs to it. */
static void drop_descriptor(Reader *r)
{
    if (r->open && r->word->len && r->word->str[strspn(r->word->str, "0123456789")] == '\0') {
        g_string_truncate(r->word, 0);
        g_array_set_size(r->places, 0);
        r->open = false;
    }
}

static void skip_redirection(Reader *r)
{
    drop_descriptor(r);
    end_word(r);
    while (r->at < r->size && strchr("<>&| \t", r->text[r->at])) {
        r->at++;
    }
    while (r->at < r->size && !strchr(" \t\n;|&", r->text[r->at])) {
        r->at++;
    }
}

static void take_plain(Reader *r, char c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
        end_word(r);
        r->at++;
        break;
    case '\n':
        if (r->array) {
            end_word(r);
        } else {
            end_command(r);
        }
        r->at++;
        break;
    case '(':
        if (!begin_array(r)) {
            put(r, c, r->at);
            r->at++;
        }
        break;
    case ')':
        if (r->array) {
            end_array(r);
        } else {
            put(r, c, r->at);
            r->at++;
        }
        break;
    case ';':
    case '|':
    case '&':
        end_command(r);
        r->at++;
        break;
    case '<':
    case '>': skip_redirection(r); break;
    default: put(r, c, r->at); r->at++;
    }
}

static void take_next(Reader *r)
{
    char c = r->text[r->at];

    if (c == '\'') {
        take_single_quoted(r);
    } else if (c == '"') {
        take_double_quoted(r);
    } else if (c == '\\') {
        take_backslash(r);
    } else if (c == '$') {
        take_dollar(r, false);
    } else if (c == '#' && !r->open) {
        skip_comment(r);
    } else {
        take_plain(r, c);
    }
}

/* YAML 1.2, 5.1: c-printable; without the byte order mark. */
bool words_is_character(gunichar c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
        (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd && c != 0xfeff) || c >= 0x10000;
}

bool words_are_text(const char *text, size_t size)
{
    if (!g_utf8_validate_len(text, size, NULL)) {
        return false;
    }
    for (const char *at = text; at < text + size; at = g_utf8_next_char(at)) {
        if (!words_is_character(g_utf8_get_char(at))) {
            return false;
        }
    }
    return true;
}

static void free_command(gpointer command)
{
    g_array_unref(command);
}

static GHashTable *keys_of(GHashTable *table)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_hash_table_add(keys, g_strdup(key));
    }
    return keys;
}

GPtrArray *words_commands(
    const Source *source, ScriptKind kind, Variables *variables, Arena *arena, Diag *diag)
{
    size_t size;
    Reader r = { .source = source,
        .text = g_bytes_get_data(source->text, &size),
        .kind = kind,
        .variables = variables,
        .arena = arena,
        .diag = diag,
        .commands = g_ptr_array_new_with_free_func(free_command),
        .words = g_array_new(false, false, sizeof(Word)),
        .word = g_string_new(NULL),
        .places = g_array_new(false, false, sizeof(unsigned)),
        .given = keys_of(variables),
        .unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .arrays = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, array_free),
        .missing = g_array_new(false, false, sizeof(Missing)) };

    r.size = MIN(size, G_MAXINT);
    if (!words_are_text(r.text, r.size)) {
        diag_error(diag, DIAG_LEGACY_FORM, source_mark(source),
            "this is not UTF-8, or has control characters");
        r.size = 0;
    }
    while (r.at < r.size) {
        take_next(&r);
    }
    if (r.array) {
        end_array(&r);
    }
    end_command(&r);
    g_hash_table_unref(r.given);
    g_hash_table_unref(r.unknown);
    g_hash_table_unref(r.arrays);
    g_array_unref(r.missing);
    g_array_unref(r.words);
    g_array_unref(r.places);
    g_string_free(r.word, true);
    return r.commands;
}

ScriptKind words_guess_kind(const char *text)
{
    return g_str_has_prefix(text, "#!")                                        ? SCRIPT_SHELL
        : strstr(text, " := ") || strstr(text, " ?= ") || strstr(text, "\n\t") ? SCRIPT_MAKE
                                                                               : SCRIPT_SHELL;
}

char *words_quote(char *const *arguments, unsigned count)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++) {
        const char *argument = arguments[i];
        bool plain = *argument && !argument[strcspn(argument, " \t\n\r'\"\\$`;|&<>#(){}*?!~")];
        g_autofree char *quoted = plain ? g_strdup(argument) : g_shell_quote(argument);

        g_string_append_printf(text, "%s%s", i ? " " : "", quoted);
    }
    return g_string_free(text, false);
}
