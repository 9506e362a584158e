/* A lock has a key on each line, so a line is the span that an edit replaces. */
#include <string.h>

#include "config/lock.h"

typedef struct Line {
    const char *text;
    size_t content; /* without the comment behind it */
    size_t length;  /* with its end */
    char *path;     /* of its key: "images/disk/size"; NULL: a comment, or nothing */
} Line;

static void clear_line(void *data)
{
    g_free(((Line *)data)->path);
}

/* Up to a comment, and without the blanks before that. */
static size_t content_of(const char *text, size_t length)
{
    char quote = '\0';
    size_t end = 0;

    for (size_t i = 0; i < length && !strchr("\r\n", text[i]); i++) {
        if (quote) {
            quote = text[i] == quote ? '\0' : quote;
        } else if (text[i] == '#' && (i == 0 || g_ascii_isspace(text[i - 1]))) {
            break;
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        }
        end = g_ascii_isspace(text[i]) ? end : i + 1;
    }
    return end;
}

/* `above`: the keys that the line may be below, by their indentation. */
static char *path_of(const Line *line, GPtrArray *above)
{
    size_t indent = strspn(line->text, " ");
    const char *key = line->text + indent;
    const char *colon = g_strstr_len(key, line->content - indent, ": ");
    size_t length = colon ? (size_t)(colon - key) : line->content - indent;
    char *path;

    g_ptr_array_set_size(above, (int)MIN(above->len, indent / 2));
    g_ptr_array_add(above, g_strndup(key, length));
    g_ptr_array_add(above, NULL);
    path = g_strjoinv("/", (char **)above->pdata);
    g_ptr_array_set_size(above, (int)above->len - 1);
    return path;
}

static GArray *lines_of(const char *text)
{
    GArray *lines = g_array_new(false, false, sizeof(Line));
    g_autoptr(GPtrArray) above = g_ptr_array_new_with_free_func(g_free);

    g_array_set_clear_func(lines, clear_line);
    while (*text) {
        size_t end = strcspn(text, "\n");
        Line line = { .text = text, .length = end + (text[end] == '\n') };

        line.content = content_of(text, line.length);
        line.path = line.content ? path_of(&line, above) : NULL;
        g_array_append_val(lines, line);
        text += line.length;
    }
    return lines;
}

/* The old line as it is, or with the new content in the place of its own. */
static void append_line(GString *out, const Line *old, const Line *new)
{
    if (old->content == new->content && strncmp(old->text, new->text, old->content) == 0) {
        g_string_append_len(out, old->text, (gssize)old->length);
    } else {
        g_string_append_len(out, new->text, (gssize) new->content);
        g_string_append_len(out, old->text + old->content, (gssize)(old->length - old->content));
    }
}

/* What stands between the key above and line `at`. */
static void append_comments(GString *out, const GArray *lines, unsigned at)
{
    unsigned from = at;

    while (from > 0 && !g_array_index(lines, Line, from - 1).path) {
        from--;
    }
    for (; from < at; from++) {
        const Line *line = &g_array_index(lines, Line, from);

        g_string_append_len(out, line->text, (gssize)line->length);
    }
}

/* Path -> number of the line, counted from 1. */
static GHashTable *index_of(const GArray *lines)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < lines->len; i++) {
        const Line *line = &g_array_index(lines, Line, i);

        if (line->path) {
            g_hash_table_insert(index, line->path, GUINT_TO_POINTER(i + 1));
        }
    }
    return index;
}

char *lock_patch(const char *old, const char *new)
{
    static const char bom[] = "\xef\xbb\xbf";
    bool marked = g_str_has_prefix(old, bom), crlf = strstr(old, "\r\n");
    g_autoptr(GArray) before = lines_of(old + (marked ? strlen(bom) : 0)), after = lines_of(new);
    g_autoptr(GHashTable) index = index_of(before);
    GString *out = g_string_new(marked ? bom : NULL);

    for (unsigned i = 0; i < after->len; i++) {
        const Line *line = &g_array_index(after, Line, i);
        unsigned at = line->path ? GPOINTER_TO_UINT(g_hash_table_lookup(index, line->path)) : 0;

        if (at) {
            append_comments(out, before, at - 1);
            append_line(out, &g_array_index(before, Line, at - 1), line);
        } else if (line->path) {
            g_string_append_len(out, line->text, (gssize)strcspn(line->text, "\n"));
            g_string_append(out, crlf ? "\r\n" : "\n");
        }
    }
    append_comments(out, before, before->len);
    return g_string_free(out, false);
}
