/*
 * Goes over libyaml's tokens. What stands in a token is kept, what stands between two is written
 * anew: blanks, line breaks and comments. The result is read again and must say the same.
 */
#include "config/format.h"

#include <string.h>
#include <yaml.h>

#include "config/events.h"

enum { STEP = 2 }; /* blanks a level */
enum { MOST_ROUNDS = 8 };

/* A token; some (the start of a map, the key in front of a colon) have no text of their own. */
typedef struct Piece {
    yaml_token_type_t type;
    yaml_scalar_style_t style;
    size_t start, end;               /* bytes */
    unsigned line, column, end_line; /* from 0 */
} Piece;

/* A map or list that is open, in block style. */
typedef struct Level {
    unsigned old, new; /* columns of its keys or dashes */
    bool list, loose;  /* loose: a list in the column of its key, for which libyaml has no end */
} Level;

typedef struct Formatter {
    const char *text;
    size_t size;
    GArray *lines;  /* of size_t: where each begins */
    GArray *levels; /* of Level */
    unsigned level_count;
    unsigned level_count_before; /* when the last piece was written: comments may belong there */
    unsigned flow;               /* how many brackets are open */
    bool key;                    /* the next piece is a key */
    int shift;                   /* of the line: new column minus old one */
    Piece last;                  /* the last one that was written */
    GString *out;
    unsigned column; /* in the line that is being written */
} Formatter;

/* ---- places ---- */

static void index_lines(Formatter *f)
{
    size_t at = mark_text_start(f->text, f->size);

    f->lines = g_array_new(false, false, sizeof(size_t));
    g_array_append_val(f->lines, at);
    while (at < f->size) {
        size_t ending = mark_break(f->text + at, f->size - at);

        at += ending ? ending : 1;
        if (ending) {
            g_array_append_val(f->lines, at);
        }
    }
}

/* As mark_offset, from 0, by the index. */
static size_t offset_of(const Formatter *f, yaml_mark_t mark)
{
    size_t at = mark.line < f->lines->len ? g_array_index(f->lines, size_t, mark.line) : f->size;

    for (size_t column = 0; column < mark.column && at < f->size; column++) {
        at = g_utf8_next_char(f->text + at) - f->text;
    }
    return MIN(at, f->size);
}

static size_t line_start(const Formatter *f, unsigned line)
{
    return line < f->lines->len ? g_array_index(f->lines, size_t, line) : f->size;
}

/* Behind the line, its break not counted. */
static size_t line_end(const Formatter *f, size_t at)
{
    while (at < f->size && mark_break(f->text + at, f->size - at) == 0) {
        at++;
    }
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t skip_blanks(const Formatter *f, size_t at, size_t end)
{
    while (at < end && is_blank(f->text[at])) {
        at++;
    }
    return at;
}

static size_t trim(const Formatter *f, size_t start, size_t end)
{
    while (end > start && is_blank(f->text[end - 1])) {
        end--;
    }
    return end;
}

/* ---- writing ---- */

static void put(Formatter *f, size_t start, size_t end)
{
    g_string_append_len(f->out, f->text + start, end - start);
    f->column += g_utf8_strlen(f->text + start, end - start);
}

static void put_blanks(Formatter *f, int count)
{
    for (int i = 0; i < count; i++) {
        g_string_append_c(f->out, ' ');
        f->column++;
    }
}

/* The break that stands there; a break as in the first line when the text ends. */
static size_t put_break(Formatter *f, size_t at)
{
    size_t length = mark_break(f->text + at, f->size - at);
    size_t first = line_end(f, line_start(f, 0));

    if (length) {
        g_string_append_len(f->out, f->text + at, length);
    } else if (first < f->size) {
        g_string_append_len(f->out, f->text + first, mark_break(f->text + first, f->size - first));
    } else {
        g_string_append_c(f->out, '\n');
    }
    f->column = 0;
    return at + length;
}

/* ---- multi-line texts ---- */

static const Level *top_level(const Formatter *f)
{
    return f->level_count ? &g_array_index(f->levels, Level, f->level_count - 1) : NULL;
}

/* The number of blanks in front of a block scalar's lines, before and after. */
static void block_indents(const Formatter *f, const Piece *piece, int *old, int *new)
{
    const Level *level = top_level(f);
    size_t header = line_end(f, piece->start);
    const char *digit = memchr(f->text + piece->start, '#', header - piece->start);
    size_t at = header;

    header = digit ? (size_t)(digit - f->text) : header;
    for (size_t i = piece->start; level && i < header; i++) {
        if (g_ascii_isdigit(f->text[i])) {
            *old = level->old + f->text[i] - '0';
            *new = level->new + f->text[i] - '0';
            return;
        }
    }
    *old = *new = 0;
    for (unsigned line = piece->line + 1; line_start(f, line) < piece->end; line++) {
        size_t start = line_start(f, line);

        for (at = start; at < piece->end && f->text[at] == ' '; at++) {}
        if (at < line_end(f, start)) {
            *old = at - start;
            *new = level ? (int)level->new + STEP : *old;
            return;
        }
    }
}

static void put_block_scalar(Formatter *f, const Piece *piece)
{
    size_t at = line_end(f, piece->start);
    int old, new;

    block_indents(f, piece, &old, &new);
    put(f, piece->start, trim(f, piece->start, at));
    while (at < piece->end) {
        size_t start = put_break(f, at), end = MIN(line_end(f, start), piece->end), text = start;

        while (text < end && f->text[text] == ' ' && (int)(text - start) < old) {
            text++;
        }
        if (text < end) {
            put_blanks(f, new - old + (int)(text - start));
            put(f, text, end);
        }
        at = end;
    }
}

/* Lines behind the first one move with it; their blanks in front mean nothing. */
static void put_folded(Formatter *f, const Piece *piece)
{
    size_t at = MIN(line_end(f, piece->start), piece->end);

    put(f, piece->start, at);
    while (at < piece->end) {
        size_t start = put_break(f, at), end = MIN(line_end(f, start), piece->end);
        size_t text = skip_blanks(f, start, end);

        if (text < end) {
            put_blanks(f, MAX((int)(text - start) + f->shift, 1));
            put(f, text, end);
        }
        at = end;
    }
}

static bool is_block_scalar(const Piece *piece)
{
    return piece->type == YAML_SCALAR_TOKEN &&
        (piece->style == YAML_LITERAL_SCALAR_STYLE || piece->style == YAML_FOLDED_SCALAR_STYLE);
}

/* ---- between two pieces ---- */

/* In the line there: do blanks behind a colon end at the offset's column? */
static bool has_value_at(const Formatter *f, unsigned line, size_t column)
{
    size_t start = line_start(f, line), at = start + column;
    size_t end = line < f->lines->len ? line_end(f, start) : start;

    if (at >= end || is_blank(f->text[at]) || at == start || !is_blank(f->text[at - 1])) {
        return false;
    }
    return f->text[trim(f, start, at) - 1] == ':';
}

/* Values that stand in a column, line below line, were put there on purpose. */
static bool is_aligned(const Formatter *f, const Piece *piece)
{
    size_t column = piece->start - line_start(f, piece->line);

    return f->last.type == YAML_VALUE_TOKEN && f->flow == 0 &&
        ((piece->line && has_value_at(f, piece->line - 1, column)) ||
            has_value_at(f, piece->line + 1, column));
}

/* How many blanks there are between the last piece and this one, on one line. */
static unsigned blanks_before(const Formatter *f, const Piece *piece)
{
    yaml_token_type_t left = f->last.type, right = piece->type;

    if (right == YAML_FLOW_ENTRY_TOKEN || right == YAML_FLOW_SEQUENCE_END_TOKEN ||
        left == YAML_FLOW_SEQUENCE_START_TOKEN) {
        return 0;
    }
    if (left == YAML_FLOW_MAPPING_START_TOKEN && right == YAML_FLOW_MAPPING_END_TOKEN) {
        return 0;
    }
    if (right == YAML_VALUE_TOKEN) {
        return left != YAML_SCALAR_TOKEN && left != YAML_FLOW_MAPPING_END_TOKEN &&
            left != YAML_FLOW_SEQUENCE_END_TOKEN;
    }
    return is_aligned(f, piece) ? piece->start - f->last.end : 1;
}

/* Where a comment on a line of its own goes: to the column of what it stood beside. */
static int comment_column(const Formatter *f, unsigned old, const Piece *next, int next_column)
{
    if (old != next->column) {
        for (unsigned i = MAX(f->level_count, f->level_count_before); i > 0; i--) {
            const Level *level = &g_array_index(f->levels, Level, i - 1);

            if (level->old == old) {
                return level->new;
            }
        }
    }
    return MAX(0, next_column + (int)old - (int)next->column);
}

/* Behind the last piece: one or two blanks stay, more of them were meant as a column. */
static void put_trailing_comment(Formatter *f, size_t start, size_t end)
{
    size_t gap = start - f->last.end;
    int column = (int)g_utf8_strlen(f->text + line_start(f, f->last.end_line),
                     start - line_start(f, f->last.end_line)) +
        f->shift;

    put_blanks(f, gap > 2 ? MAX(column - (int)f->column, 1) : (int)gap);
    put(f, start, end);
}

/* Comments, empty lines, and the blanks in front of the piece at its new column. */
static void put_lines_between(Formatter *f, const Piece *next, int next_column)
{
    size_t at = f->last.end, empty = 0;
    bool begun = f->last.type != YAML_NO_TOKEN && !is_block_scalar(&f->last);
    bool top = f->out->len == mark_text_start(f->text, f->size);

    for (;;) {
        size_t end = line_end(f, at), start = skip_blanks(f, at, MIN(end, next->start));

        if (start >= next->start && next->type != YAML_STREAM_END_TOKEN) {
            break;
        }
        if (begun && start < end) {
            put_trailing_comment(f, start, trim(f, start, end));
        } else if (start < end) {
            if (empty) {
                put_break(f, empty);
            }
            put_blanks(f, comment_column(f, start - at, next, next_column));
            put(f, start, trim(f, start, end));
        }
        if (begun || start < end) {
            if (end < f->size || f->column) {
                put_break(f, end);
            }
            empty = 0;
            top = false;
        } else if (!top) {
            empty = end;
        }
        begun = false;
        if (end >= f->size) {
            break;
        }
        at = end + mark_break(f->text + end, f->size - end);
    }
    if (empty && next->type != YAML_STREAM_END_TOKEN) {
        put_break(f, empty);
    }
    put_blanks(f, next_column);
}

/* ---- levels ---- */

static void push_level(Formatter *f, unsigned old, unsigned new, bool list, bool loose)
{
    Level level = { .old = old, .new = new, .list = list, .loose = loose };

    g_array_set_size(f->levels, f->level_count);
    g_array_append_val(f->levels, level);
    f->level_count++;
}

static unsigned below_top(const Formatter *f)
{
    const Level *level = top_level(f);

    return level ? level->new + STEP : 0;
}

static void start_level(Formatter *f, const Piece *piece, bool list)
{
    bool compact = f->last.type != YAML_NO_TOKEN && f->last.end_line == piece->line &&
        !is_block_scalar(&f->last) && f->last.type != YAML_DOCUMENT_START_TOKEN;

    push_level(f, piece->column, compact ? f->column + 1 : below_top(f), list, false);
}

static void end_loose_list(Formatter *f)
{
    const Level *level = top_level(f);

    if (level && level->loose) {
        f->level_count--;
    }
}

/* What a piece says about the levels, before it is written. */
static void follow_structure(Formatter *f, const Piece *piece)
{
    const Level *level;

    switch (piece->type) {
    case YAML_BLOCK_MAPPING_START_TOKEN: start_level(f, piece, false); break;
    case YAML_BLOCK_SEQUENCE_START_TOKEN: start_level(f, piece, true); break;
    case YAML_BLOCK_END_TOKEN:
        end_loose_list(f);
        f->level_count -= f->level_count > 0;
        break;
    case YAML_KEY_TOKEN:
        if (f->flow == 0) {
            end_loose_list(f);
            f->key = true;
        }
        break;
    case YAML_BLOCK_ENTRY_TOKEN:
        level = top_level(f);
        if (level && !level->list) {
            push_level(f, piece->column, below_top(f), true, true);
        }
        f->key = true; /* a dash stands where a key would */
        break;
    case YAML_FLOW_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN: f->flow++; break;
    case YAML_FLOW_MAPPING_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN: f->flow -= f->flow > 0; break;
    default: break;
    }
}

/* Of a piece that is the first one of its line. */
static int new_column(const Formatter *f, const Piece *piece, bool inside_flow)
{
    const Level *level = top_level(f);

    if (piece->type == YAML_STREAM_END_TOKEN || piece->type == YAML_DOCUMENT_START_TOKEN ||
        piece->type == YAML_DOCUMENT_END_TOKEN) {
        return 0;
    }
    if (inside_flow) {
        return MAX(0, (int)piece->column + f->shift);
    }
    if (level && (f->key || piece->type == YAML_VALUE_TOKEN)) {
        return level->new;
    }
    return below_top(f);
}

static void put_piece(Formatter *f, const Piece *piece, bool inside_flow)
{
    bool first = f->last.type == YAML_NO_TOKEN || is_block_scalar(&f->last) ||
        piece->line > f->last.end_line;

    if (first) {
        int column = new_column(f, piece, inside_flow);

        put_lines_between(f, piece, column);
        f->shift = inside_flow ? f->shift : column - (int)piece->column;
    } else {
        put_blanks(f, blanks_before(f, piece));
    }
    if (is_block_scalar(piece)) {
        put_block_scalar(f, piece);
    } else {
        put_folded(f, piece);
    }
    f->last = *piece;
    f->key = false;
    f->level_count_before = f->level_count;
}

/* ---- reading ---- */

/* A block scalar's empty lines at its end belong to it only when `|+` keeps them. */
static size_t block_scalar_end(const Formatter *f, size_t start, size_t end)
{
    size_t header = line_end(f, start), at = end;
    const char *keep = memchr(f->text + start, '+', header - start);

    if (keep && !memchr(f->text + start, '#', keep - (f->text + start))) {
        return end;
    }
    while (at > header && g_ascii_isspace(f->text[at - 1])) {
        at--;
    }
    at = line_end(f, at);
    return MIN(at + mark_break(f->text + at, f->size - at), MAX(end, at));
}

static Piece piece_of(const Formatter *f, const yaml_token_t *token)
{
    Piece piece = {
        .type = token->type,
        .start = offset_of(f, token->start_mark),
        .end = offset_of(f, token->end_mark),
        .line = token->start_mark.line,
        .column = token->start_mark.column,
        .end_line = token->end_mark.line,
    };

    if (token->type == YAML_SCALAR_TOKEN) {
        piece.style = token->data.scalar.style;
    }
    if (is_block_scalar(&piece)) {
        piece.end = block_scalar_end(f, piece.start, piece.end);
    }
    return piece;
}

/* False: the scanner stopped, which it does not for a text that has been read before. */
static bool format_tokens(Formatter *f, yaml_parser_t *yaml)
{
    yaml_token_t token;
    bool more = true;

    while (more && yaml_parser_scan(yaml, &token)) {
        Piece piece = piece_of(f, &token);
        bool inside_flow = f->flow > 0;

        more = token.type != YAML_STREAM_END_TOKEN;
        follow_structure(f, &piece);
        if (piece.end > piece.start || !more) {
            put_piece(f, &piece, inside_flow);
        }
        yaml_token_delete(&token);
    }
    return !more;
}

static char *format_once(const char *text, size_t size)
{
    Formatter f = { .text = text, .size = size, .out = g_string_sized_new(size) };
    size_t skipped = mark_text_start(text, size);
    yaml_parser_t yaml;
    bool whole = false;

    g_string_append_len(f.out, text, skipped);
    f.last.end = skipped;
    index_lines(&f);
    f.levels = g_array_new(false, true, sizeof(Level));
    if (yaml_parser_initialize(&yaml)) {
        yaml_parser_set_encoding(&yaml, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&yaml, (const unsigned char *)text + skipped, size - skipped);
        whole = format_tokens(&f, &yaml);
    }
    yaml_parser_delete(&yaml);
    g_array_unref(f.levels);
    g_array_unref(f.lines);
    return g_string_free(f.out, !whole);
}

/*
 * Until nothing moves any more: what stands in a column beside its neighbours is left there, and a
 * neighbour may have moved away. NULL: a layout that we do not know.
 */
static char *format_until_still(const char *text, size_t size)
{
    char *better = format_once(text, size);

    for (unsigned round = 1; better && round < MOST_ROUNDS; round++) {
        char *next = format_once(better, strlen(better));
        bool still = g_strcmp0(next, better) == 0;

        g_free(better);
        better = next;
        if (still) {
            break;
        }
    }
    return better;
}

/* ---- the same in other words ---- */

static bool says_the_same(const Source *source, const Node *root, const char *text, Arena *arena)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) other = source_from_text(source->name, text, -1, diag);
    const Node *again = events_parse(other, arena, diag);

    return again && diag_errors(diag) == 0 && node_equal(root, again);
}

char *format_yaml(const Source *source, Diag *diag)
{
    g_autoptr(Arena) arena = arena_create();
    unsigned errors = diag_errors(diag);
    const Node *root = events_parse(source, arena, diag);
    gsize size;
    const char *text = g_bytes_get_data(source->text, &size);
    g_autofree char *better = NULL;

    if (!root || diag_errors(diag) != errors) {
        return NULL;
    }
    better = size ? format_until_still(text, size) : NULL;
    if (!better || !says_the_same(source, root, better, arena)) {
        return g_strndup(text ? text : "", size); /* a layout that we do not know: it stays */
    }
    return g_steal_pointer(&better);
}

char *format_text(const char *text)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("text", text, -1, diag);
    char *better = format_yaml(source, diag);

    g_assert(better);
    return better;
}
