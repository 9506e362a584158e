/* mkdecode: the text of an insn.decode, a line each. */
#include <stdlib.h>
#include <string.h>

#include "tcg/mkdecode.h"

#define error(d, ...) error_at(d, (d)->at, __VA_ARGS__)

/* A number in any base of C; the whole word has to be one. */
static bool parse_number(const char *word, int64_t *value)
{
    char *end;

    *value = strtoll(word, &end, 0);
    return end != word && !*end;
}

static Field *find_field(Decoder *d, const char *name)
{
    for (unsigned i = 0; i < d->fields->len; i++) {
        Field *field = d->fields->pdata[i];

        if (!strcmp(field->decode.name, name)) {
            return field;
        }
    }
    return NULL;
}

static Format *find_format(Decoder *d, const char *name)
{
    for (unsigned i = 0; i < d->formats->len; i++) {
        Format *format = d->formats->pdata[i];

        if (!strcmp(format->name, name)) {
            return format;
        }
    }
    return NULL;
}

static bool parse_piece(Field *field, const char *word)
{
    DecodeField *f = &field->decode;
    unsigned lsb, length;
    char sign[2] = "";
    int end = 0;

    if (sscanf(word, "%u:%1[s]%u%n", &lsb, sign, &length, &end) != 3 &&
        sscanf(word, "%u:%u%n", &lsb, &length, &end) != 2) {
        return false;
    }
    if (word[end] || !length || lsb + length > 32 || f->count == DECODE_MAX_PIECES ||
        (*sign && f->count)) {
        return false;
    }
    f->is_signed |= *sign == 's';
    f->pieces[f->count++] = (DecodePiece){ lsb, length };
    field->bits += length;
    return field->bits <= 32;
}

static void read_field(Decoder *d, char **words)
{
    Field *field = g_new0(Field, 1);
    int64_t number;

    field->at = d->at;
    field->decode.name = g_strdup(words[0] + 1);
    if (find_field(d, field->decode.name)) {
        error(d, "field '%%%s' is defined twice", field->decode.name);
    }
    for (char **word = words + 1; *word; word++) {
        if (g_str_has_prefix(*word, "<<") && parse_number(*word + 2, &number) && number < 32) {
            field->decode.shift = number;
        } else if (**word == '+' && parse_number(*word + 1, &number)) {
            field->decode.add = number;
        } else if (!parse_piece(field, *word)) {
            error(d, "'%s' is not a piece of a field", *word);
        }
    }
    if (!field->decode.count && !words[1]) {
        error(d, "field '%%%s' has no pieces", field->decode.name);
    }
    g_ptr_array_add(d->fields, field);
}

/* `name=%field` or `name=number`; replaces an operand of that name. */
static void read_operand(Decoder *d, DecodeField *operands, unsigned *count, const char *word)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = g_strndup(word, equals - word);
    DecodeField operand = {};
    unsigned at = 0;
    int64_t number;

    if (equals[1] == '%') {
        Field *field = find_field(d, equals + 2);

        if (!field) {
            error(d, "there is no field '%s'", equals + 1);
            return;
        }
        field->used = true;
        operand = field->decode;
    } else if (parse_number(equals + 1, &number)) {
        operand.add = number;
    } else {
        error(d, "'%s' is neither a field nor a number", equals + 1);
        return;
    }
    while (at < *count && strcmp(operands[at].name, name)) {
        at++;
    }
    if (at == MAX_OPERANDS) {
        error(d, "more than %d operands", MAX_OPERANDS);
        return;
    }
    operand.name = g_steal_pointer(&name);
    operands[at] = operand;
    *count = MAX(*count, at + 1);
}

static bool same_names(const Format *a, const Format *b)
{
    bool same = a->count == b->count;

    for (unsigned i = 0; same && i < a->count; i++) {
        same = !strcmp(a->operands[i].name, b->operands[i].name);
    }
    return same;
}

static void read_format(Decoder *d, char **words, const char *print)
{
    Format *format = g_new0(Format, 1);
    g_auto(GStrv) names = g_strsplit(words[0] + 1, ":", 2);

    format->at = d->at;
    format->name = g_strdup(names[0]);
    format->print = g_strdup(print);
    if (find_format(d, format->name)) {
        error(d, "format '@%s' is defined twice", format->name);
    }
    for (char **word = words + 1; *word; word++) {
        if (!strchr(*word, '=')) {
            error(d, "'%s' is not name=%%field or name=number", *word);
        } else {
            read_operand(d, format->operands, &format->count, *word);
        }
    }
    format->shape = names[1] ? find_format(d, names[1]) : format;
    if (!format->shape) {
        error(d, "there is no format '@%s'", names[1]);
        format->shape = format;
    } else if (!same_names(format, format->shape)) {
        error(d, "format '@%s' has not the operands of '@%s', in its order", format->name,
            format->shape->name);
    }
    g_ptr_array_add(d->formats, format);
}

static bool is_bits(const char *word)
{
    return strspn(word, "01.") == strlen(word);
}

/* Adds bits below those that are there. */
static void read_bits(Decoder *d, DecodeMatch *match, uint8_t *bits, const char *word)
{
    for (; *word; word++, ++*bits) {
        if (*bits == 32) {
            error(d, "more than 32 bits");
            return;
        }
        match->mask = match->mask << 1 | (*word != '.');
        match->value = match->value << 1 | (*word == '1');
    }
}

/* `index [BITS] PIECE...` */
static void read_index(Decoder *d, char **words)
{
    Root root = { .index.at = d->at };
    unsigned errors = d->errors;
    uint8_t bits = 0;

    for (char **word = words + 1; *word; word++) {
        if (is_bits(*word)) {
            read_bits(d, &root.when, &bits, *word);
        } else if (!parse_piece(&root.index, *word) || root.index.decode.is_signed) {
            error(d, "'%s' is not a piece of an index", *word);
        }
    }
    if (!root.index.bits || root.index.bits > MAX_ROOT_BITS) {
        error(d, "an index has 1 to %d bits, this one has %u", MAX_ROOT_BITS, root.index.bits);
    }
    if (d->root_count == MAX_ROOTS || (d->root_count && !d->roots[d->root_count - 1].when.mask)) {
        error(d, "no words are left for this 'index'");
    }
    if (d->errors == errors) {
        d->roots[d->root_count++] = root;
    }
}

DecodeMatch field_match(const DecodeField *field, int64_t value)
{
    DecodeMatch match = {};

    for (unsigned i = field->count; i--;) {
        const DecodePiece *piece = &field->pieces[i];
        uint32_t ones = (UINT64_C(1) << piece->length) - 1;

        match.mask |= ones << piece->lsb;
        match.value |= (value & ones) << piece->lsb;
        value >>= piece->length;
    }
    return match;
}

/* `name!=N,N` */
static void read_exclude(Decoder *d, Row *row, const char *word)
{
    const char *bang = strchr(word, '!');
    g_autofree char *name = g_strndup(word, bang - word);
    g_auto(GStrv) numbers = g_strsplit(bang + 2, ",", -1);
    const DecodeField *field = NULL;
    int64_t value;

    for (unsigned i = 0; i < row->count; i++) {
        field = strcmp(row->operands[i].name, name) ? field : &row->operands[i];
    }
    if (!field || !field->count) {
        error(d, "'%s' is not a field of this row", name);
        return;
    }
    for (char **number = numbers; *number; number++) {
        if (!parse_number(*number, &value)) {
            error(d, "'%s' is not a number", *number);
        } else if (row->decode.exclude_count == DECODE_MAX_EXCLUDES) {
            error(d, "more than %d values are excluded", DECODE_MAX_EXCLUDES);
        } else {
            row->decode.excludes[row->decode.exclude_count++] = field_match(
                field, (value - field->add) >> field->shift);
        }
    }
}

/* `if=a+!b` */
static void read_condition(Decoder *d, Row *row, const char *text)
{
    g_auto(GStrv) names = g_strsplit(text, "+", -1);

    for (char **name = names; *name; name++) {
        bool deny = **name == '!';
        unsigned bit;

        if (!g_ptr_array_find_with_equal_func(d->features, *name + deny, g_str_equal, &bit)) {
            error(d, "there is no feature '%s'", *name + deny);
        } else {
            *(deny ? &row->decode.deny : &row->decode.need) |= UINT64_C(1) << bit;
        }
    }
}

static void read_row_word(Decoder *d, Row *row, const char *word)
{
    if (*word == '@') {
        Format *format = find_format(d, word + 1);

        if (!format || row->format) {
            error(d, format ? "two formats" : "there is no format '%s'", word);
            return;
        }
        format->used = true;
        row->format = format;
        row->count = format->count;
        memcpy(row->operands, format->operands, sizeof(row->operands));
    } else if (is_bits(word)) {
        read_bits(d, &row->decode.match, &row->decode.bits, word);
    } else if (g_str_has_prefix(word, "if=")) {
        read_condition(d, row, word + 3);
    } else if (strstr(word, "!=")) {
        read_exclude(d, row, word);
    } else if (strchr(word, '=') && row->format) {
        read_operand(d, row->operands, &row->count, word);
    } else {
        error(d, "'%s' means nothing here", word);
    }
}

static char *identifier(const char *name)
{
    return g_strdelimit(g_strdup(name), ".-", '_');
}

static void read_row(Decoder *d, char **words)
{
    Row *row = g_new0(Row, 1);
    g_auto(GStrv) names = g_strsplit(words[0], "=", 2);
    unsigned errors = d->errors;

    row->at = d->at;
    row->index = d->rows->len;
    row->decode.name = g_strdup(names[0]);
    row->function = identifier(names[1] ? names[1] : names[0]);
    for (char **word = words + 1; *word; word++) {
        read_row_word(d, row, *word);
    }
    if (d->condition) {
        read_condition(d, row, d->condition);
    }
    if (d->errors != errors) {
        return;
    }
    if (!row->format) {
        error(d, "row '%s' has no format", row->decode.name);
        return;
    }
    if (row->count != row->format->count) {
        error(d, "row '%s' has an operand that '@%s' has not", row->decode.name, row->format->name);
    }
    if (row->decode.bits != 16 && row->decode.bits != 32) {
        error(d, "row '%s' has %u bits, must be 16 or 32", row->decode.name, row->decode.bits);
    }
    row->decode.print = row->format->print;
    g_ptr_array_add(d->rows, row);
}

static void read_features(Decoder *d, char **words)
{
    for (char **word = words + 1; *word; word++) {
        g_ptr_array_add(d->features, g_strdup(*word));
    }
    if (d->features->len > 64) {
        error(d, "more than 64 features");
    }
}

/* The file is beside the one that names it. */
static void read_include(Decoder *d, char **words)
{
    Place at = d->at;
    g_autofree char *folder = g_path_get_dirname(at.file);

    if (!words[1] || (words[2] && !g_str_has_prefix(words[2], "if="))) {
        error(d, "must be: include FILE [if=FEATURE]");
        return;
    }
    d->condition = words[2] ? words[2] + 3 : NULL;
    if (!decoder_read(d,
            g_build_filename(folder, words[1], NULL))) { /* the name is kept: places point to it */
        d->errors++;
    }
    d->condition = NULL;
    d->at = at;
}

static void read_line(Decoder *d, char *text)
{
    g_autofree char *print = g_strdup("");
    g_auto(GStrv) words = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    char *quote = strchr(text, '"');

    if (quote) {
        g_free(print);
        print = g_strndup(quote + 1, strcspn(quote + 1, "\""));
        *quote = '\0';
    }
    *strchrnul(text, '#') = '\0';
    words = g_strsplit_set(text, " \t\n", -1);
    for (char **word = words; *word; word++) {
        if (**word) {
            g_ptr_array_add(list, *word);
        }
    }
    g_ptr_array_add(list, NULL);

    char **w = (char **)list->pdata;
    if (!w[0]) {
        return;
    }
    if (*w[0] == '%') {
        read_field(d, w);
    } else if (*w[0] == '@') {
        read_format(d, w, print);
    } else if (!strcmp(w[0], "features")) {
        read_features(d, w);
    } else if (!strcmp(w[0], "index")) {
        read_index(d, w);
    } else if (!strcmp(w[0], "include") && !d->condition) {
        read_include(d, w);
    } else if (!strcmp(w[0], "isa") && list->len == 4) {
        d->prefix = g_strdup(w[1]);
        d->camel = g_strdup(w[2]);
    } else {
        read_row(d, w);
    }
}

bool decoder_read(Decoder *d, const char *file)
{
    FILE *in = fopen(file, "r");
    char *text = NULL;
    size_t room = 0;

    if (!in) {
        perror(file);
        return false;
    }
    d->at = (Place){ file, 0 };
    while (getline(&text, &room, in) > 0) {
        d->at.line++;
        read_line(d, text);
    }
    free(text);
    fclose(in);
    return true;
}
