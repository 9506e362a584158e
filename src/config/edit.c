/* Edits are applied from the last to the first, so that the places of the others stay right. */
#include "config/edit.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct Edit {
    Mark at;
    char *text;
} Edit;

struct Edits {
    GArray *list; /* of Edit */
};

static void clear_edit(gpointer data)
{
    g_free(((Edit *)data)->text);
}

Edits *edits_new(void)
{
    Edits *edits = g_new0(Edits, 1);

    edits->list = g_array_new(false, false, sizeof(Edit));
    g_array_set_clear_func(edits->list, clear_edit);
    return edits;
}

void edits_free(Edits *edits)
{
    if (edits) {
        g_array_unref(edits->list);
        g_free(edits);
    }
}

void edits_add(Edits *edits, Mark at, const char *text)
{
    Edit edit = { .at = at, .text = g_strdup(text) };

    g_array_append_val(edits->list, edit);
}

/* Which fixes are wanted. */
typedef struct Taking {
    Edits *edits;
    bool all;
    DiagCode code;
} Taking;

static void take_fix(void *data, const DiagReport *report)
{
    const Taking *taking = data;

    if (report->fix && (taking->all || report->code == taking->code)) {
        edits_add(taking->edits, report->at, report->fix);
    }
}

/* What is in a file that is no YAML is not known: it is left alone. */
static void drop_fixes_of_broken_file(void *data, const DiagReport *report)
{
    Edits *edits = data;

    for (unsigned i = edits->list->len; report->code == DIAG_YAML && i > 0; i--) {
        if (g_strcmp0(g_array_index(edits->list, Edit, i - 1).at.file, report->at.file) == 0) {
            g_array_remove_index(edits->list, i - 1);
        }
    }
}

static void add_all(Taking *taking, const Diag *diag)
{
    diag_each(diag, take_fix, taking);
    diag_each(diag, drop_fixes_of_broken_file, taking->edits);
}

void edits_add_fixes(Edits *edits, const Diag *diag)
{
    add_all(&(Taking){ .edits = edits, .all = true }, diag);
}

void edits_add_fixes_of(Edits *edits, const Diag *diag, DiagCode code)
{
    add_all(&(Taking){ .edits = edits, .code = code }, diag);
}

static int last_first(const void *left, const void *right)
{
    const Edit *a = *(const Edit *const *)left, *b = *(const Edit *const *)right;

    if (a->at.line != b->at.line) {
        return a->at.line < b->at.line ? 1 : -1;
    }
    return a->at.column < b->at.column ? 1 : a->at.column > b->at.column ? -1 : 0;
}

/* Those of one file, the last one first. */
static GPtrArray *of_file(const Edits *edits, const char *file)
{
    GPtrArray *found = g_ptr_array_new();

    for (unsigned i = 0; i < edits->list->len; i++) {
        Edit *edit = &g_array_index(edits->list, Edit, i);

        if (g_strcmp0(edit->at.file, file) == 0 && edit->at.line) {
            g_ptr_array_add(found, edit);
        }
    }
    g_ptr_array_sort(found, last_first);
    return found;
}

char *edits_apply(
    const Edits *edits, const char *file, const char *text, size_t size, unsigned *made)
{
    g_autoptr(GPtrArray) list = of_file(edits, file);
    GString *out = g_string_new_len(text, size);
    size_t behind = size;

    *made = 0;
    for (unsigned i = 0; i < list->len; i++) {
        const Edit *edit = g_ptr_array_index(list, i);
        size_t from = mark_offset(text, size, edit->at.line, edit->at.column);
        size_t to = mark_offset(text, size, edit->at.line, edit->at.column + edit->at.width);

        if (to <= behind && from < to) {
            g_string_erase(out, from, to - from);
            g_string_insert(out, from, edit->text);
            behind = from;
            ++*made;
        }
    }
    return g_string_free(out, false);
}

bool edit_write_file(const char *file, const char *text, GError **error)
{
    GStatBuf info;
    int mode = g_stat(file, &info) == 0 ? info.st_mode & 07777 : 0666;

    return g_file_set_contents_full(file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, error);
}

static bool write_file(const Edits *edits, const char *file, int *sum, GError **error)
{
    g_autofree char *text = NULL, *better = NULL;
    unsigned made;
    gsize size;

    if (!g_file_test(file, G_FILE_TEST_IS_REGULAR)) {
        return true; /* a --set, a variable, a part of the program */
    }
    if (!g_file_get_contents(file, &text, &size, error)) {
        return false;
    }
    better = edits_apply(edits, file, text, size, &made);
    *sum += made;
    return made == 0 || edit_write_file(file, better, error);
}

int edits_write(const Edits *edits, GError **error)
{
    g_autoptr(GHashTable) files = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer file;
    int sum = 0;

    for (unsigned i = 0; i < edits->list->len; i++) {
        const char *name = g_array_index(edits->list, Edit, i).at.file;

        if (name) {
            g_hash_table_add(files, (gpointer)name);
        }
    }
    g_hash_table_iter_init(&iter, files);
    while (g_hash_table_iter_next(&iter, &file, NULL)) {
        if (!write_file(edits, file, &sum, error)) {
            return -1;
        }
    }
    return sum;
}
