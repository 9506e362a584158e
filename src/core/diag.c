/* Collects reports, and prints them with their source lines. */
#include "core/diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRINTED_ERRORS = 20, WIDEST_LINE = 160 };

typedef struct Note {
    Mark at;
    char *text;
} Note;

typedef struct Report {
    DiagSeverity severity;
    DiagCode code;
    Mark at;
    unsigned order; /* of being found: reports at one place stay in it */
    char *text, *hint, *fix;
    GArray *notes; /* of Note; NULL until the first */
} Report;

struct Diag {
    GPtrArray *reports;
    GHashTable *sources; /* file -> GBytes */
    unsigned errors;
};

static const DiagKind kinds[] = {
#define E(id, number, slug, help) [DIAG_##id] = { number, slug, help },
#include "core/diag-codes.h"
#undef E
};

const DiagKind *diag_kind(DiagCode code)
{
    return &kinds[code];
}

static void clear_note(gpointer data)
{
    g_free(((Note *)data)->text);
}

static void free_report(gpointer data)
{
    Report *report = data;

    if (report->notes) {
        g_array_unref(report->notes);
    }
    g_free(report->text);
    g_free(report->hint);
    g_free(report->fix);
    g_free(report);
}

Diag *diag_new(void)
{
    Diag *diag = g_new0(Diag, 1);

    diag->reports = g_ptr_array_new_with_free_func(free_report);
    diag->sources = g_hash_table_new_full(
        g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
    return diag;
}

void diag_free(Diag *diag)
{
    if (diag) {
        g_ptr_array_unref(diag->reports);
        g_hash_table_unref(diag->sources);
        g_free(diag);
    }
}

/* ---- collecting ---- */

static Report *latest(Diag *diag)
{
    return diag->reports->len ? g_ptr_array_index(diag->reports, diag->reports->len - 1) : NULL;
}

static void add_report(Diag *diag, const Report *from)
{
    Report *report = g_new(Report, 1);

    *report = *from;
    report->order = diag->reports->len;
    g_ptr_array_add(diag->reports, report);
    diag->errors += report->severity == DIAG_ERROR_LEVEL;
}

#define FORMAT_LAST(result)                                                                        \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        (result) = g_strdup_vprintf(format, arguments);                                            \
        va_end(arguments);                                                                         \
    } while (0)

bool diag_error(Diag *diag, DiagCode code, Mark at, const char *format, ...)
{
    Report report = { .severity = DIAG_ERROR_LEVEL, .code = code, .at = at };

    FORMAT_LAST(report.text);
    add_report(diag, &report);
    return false;
}

void diag_warning(Diag *diag, DiagCode code, Mark at, const char *format, ...)
{
    Report report = { .severity = DIAG_WARNING_LEVEL, .code = code, .at = at };

    FORMAT_LAST(report.text);
    add_report(diag, &report);
}

void diag_hint(Diag *diag, const char *format, ...)
{
    Report *report = latest(diag);

    if (report) {
        g_free(report->hint);
        FORMAT_LAST(report->hint);
    }
}

void diag_note(Diag *diag, Mark at, const char *format, ...)
{
    Report *report = latest(diag);
    Note note = { .at = at };

    if (report) {
        if (!report->notes) {
            report->notes = g_array_new(false, false, sizeof(Note));
            g_array_set_clear_func(report->notes, clear_note);
        }
        FORMAT_LAST(note.text);
        g_array_append_val(report->notes, note);
    }
}

void diag_fix(Diag *diag, const char *replacement)
{
    Report *report = latest(diag);

    if (report) {
        g_free(report->fix);
        report->fix = g_strdup(replacement);
    }
}

unsigned diag_errors(const Diag *diag)
{
    return diag->errors;
}

int diag_exit_code(const Diag *diag)
{
    int code = 0;

    for (unsigned i = 0; i < diag->reports->len; i++) {
        const Report *report = g_ptr_array_index(diag->reports, i);

        if (report->severity == DIAG_ERROR_LEVEL) {
            bool host = kinds[report->code].number / 100 == 4;

            code = host && code != 2 ? 3 : 2;
        }
    }
    return code;
}

GBytes *diag_source(const Diag *diag, const char *file)
{
    GBytes *text = g_hash_table_lookup(diag->sources, g_intern_string(file));

    return text ? g_bytes_ref(text) : NULL;
}

void diag_add_source(Diag *diag, const char *file, GBytes *text)
{
    g_hash_table_insert(diag->sources, (gpointer)g_intern_string(file), g_bytes_ref(text));
}

/* ---- printing ---- */

typedef struct Printer {
    const Diag *diag;
    GString *out;
    DiagStyle style;
} Printer;

static const char *colour(const Printer *p, const char *code)
{
    return p->style == DIAG_COLOUR ? code : "";
}

#define BOLD(p) colour(p, "\033[1m")
#define RED(p) colour(p, "\033[1;31m")
#define AMBER(p) colour(p, "\033[1;33m")
#define BLUE(p) colour(p, "\033[1;34m")
#define PLAIN(p) colour(p, "\033[0m")

static GBytes *source_of(const Printer *p, const char *file)
{
    GBytes *known = g_hash_table_lookup(p->diag->sources, file);
    char *text;
    size_t length;

    if (known) {
        return g_bytes_ref(known);
    }
    return g_file_get_contents(file, &text, &length, NULL) ? g_bytes_new_take(text, length) : NULL;
}

/* The line as valid UTF-8 without control characters; NULL if the source has no such line. */
static char *source_line(const Printer *p, Mark at)
{
    g_autoptr(GBytes) source = source_of(p, at.file);
    size_t size = 0, length = 0;
    const char *text = source ? g_bytes_get_data(source, &size) : NULL;
    const char *start = text ? mark_line(text, size, at.line, &length) : NULL;
    char *line;

    if (!start || start == text + size) {
        return NULL;
    }
    line = g_utf8_make_valid(start, length);
    for (char *c = line; *c; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
    }
    return g_strchomp(line);
}

/* Cuts what is too wide for a terminal, on both sides of the caret. */
static char *window(const char *line, Mark at, unsigned *column)
{
    unsigned length = g_utf8_strlen(line, -1);
    unsigned from = at.column > WIDEST_LINE / 2 ? at.column - WIDEST_LINE / 2 : 0;

    if (length <= WIDEST_LINE) {
        from = 0;
    }
    from = MIN(from, length);
    *column = at.column - from;
    return g_utf8_substring(line, from, MIN(length, from + WIDEST_LINE));
}

static void print_caret(Printer *p, const Report *report)
{
    g_autofree char *line = report->at.line ? source_line(p, report->at) : NULL;
    g_autofree char *number = g_strdup_printf("%u", report->at.line);
    int margin = strlen(number);
    unsigned column;

    if (!line) {
        if (report->hint) {
            g_string_append_printf(p->out, "   = %s\n", report->hint);
        }
        return;
    }
    g_autofree char *shown = window(line, report->at, &column);
    unsigned width = CLAMP(
        report->at.width, 1, MAX(1, (unsigned)g_utf8_strlen(shown, -1) - column + 1));

    g_string_append_printf(p->out, "%s%*s |\n%s |%s %s\n%s%*s |%s %*s%s", BLUE(p), margin, "",
        number, PLAIN(p), shown, BLUE(p), margin, "", PLAIN(p), (int)column - 1, "", RED(p));
    for (unsigned i = 0; i < width; i++) {
        g_string_append_c(p->out, '^');
    }
    if (report->hint) {
        g_string_append_printf(p->out, " %s", report->hint);
    }
    g_string_append_printf(p->out, "%s%s\n", PLAIN(p), report->fix ? "  (fixable)" : "");
}

static void print_place(Printer *p, Mark at)
{
    if (p->style == DIAG_SHORT) {
        g_string_append_printf(p->out, "%u:%u: ", at.line, at.column);
    } else if (at.file && at.line) {
        g_string_append_printf(p->out, "%s:%u:%u: ", at.file, at.line, at.column);
    } else if (at.file) {
        g_string_append_printf(p->out, "%s: ", at.file);
    } else {
        g_string_append(p->out, "lathe: ");
    }
}

static void print_notes(Printer *p, const Report *report)
{
    for (unsigned i = 0; report->notes && i < report->notes->len; i++) {
        const Note *note = &g_array_index(report->notes, Note, i);

        g_string_append(p->out, "   = ");
        if (note->at.file) {
            print_place(p, note->at);
        }
        g_string_append_printf(p->out, "%s\n", note->text);
    }
}

static void print_report(Printer *p, const Report *report)
{
    bool error = report->severity == DIAG_ERROR_LEVEL;

    g_string_append(p->out, BOLD(p));
    print_place(p, report->at);
    g_string_append_printf(p->out, "%s%s[%c%u]%s: %s%s\n", error ? RED(p) : AMBER(p),
        error ? "error" : "warning", error ? 'E' : 'W', kinds[report->code].number, PLAIN(p),
        report->text, PLAIN(p));
    if (p->style != DIAG_SHORT) {
        print_caret(p, report);
        print_notes(p, report);
    }
}

static int by_place(const void *left, const void *right)
{
    const Report *a = *(Report *const *)left, *b = *(Report *const *)right;
    int files = g_strcmp0(a->at.file, b->at.file);

    if (files) {
        return files;
    }
    if (a->at.line != b->at.line) {
        return a->at.line < b->at.line ? -1 : 1;
    }
    if (a->at.column != b->at.column) {
        return a->at.column < b->at.column ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1;
}

static void print_sum(Printer *p, unsigned printed, unsigned fixable)
{
    if (p->style == DIAG_SHORT || p->diag->errors == 0) {
        return;
    }
    g_string_append_printf(p->out, "%u error%s", p->diag->errors, p->diag->errors == 1 ? "" : "s");
    if (printed < p->diag->errors) {
        g_string_append_printf(p->out, ", the first %u shown", printed);
    }
    if (fixable) {
        g_string_append_printf(p->out, ", %u fixable with --fix", fixable);
    }
    g_string_append_c(p->out, '\n');
}

/* Free the array alone. */
static Report **sorted_reports(const Diag *diag)
{
    Report **sorted = g_new(Report *, diag->reports->len + 1);

    for (unsigned i = 0; i < diag->reports->len; i++) {
        sorted[i] = g_ptr_array_index(diag->reports, i);
    }
    qsort(sorted, diag->reports->len, sizeof(*sorted), by_place);
    return sorted;
}

void diag_each(const Diag *diag, void (*take)(void *data, const DiagReport *report), void *data)
{
    g_autofree Report **sorted = sorted_reports(diag);

    for (unsigned i = 0; i < diag->reports->len; i++) {
        const Report *r = sorted[i];

        take(data, &(DiagReport){ r->severity, r->code, r->at, r->text, r->hint, r->fix });
    }
}

char *diag_to_string(const Diag *diag, DiagStyle style)
{
    Printer printer = { .diag = diag, .out = g_string_new(NULL), .style = style };
    g_autofree Report **sorted = sorted_reports(diag);
    unsigned printed = 0, fixable = 0;

    for (unsigned i = 0; i < diag->reports->len; i++) {
        bool error = sorted[i]->severity == DIAG_ERROR_LEVEL;

        fixable += error && sorted[i]->fix;
        if (!error || printed < PRINTED_ERRORS) {
            print_report(&printer, sorted[i]);
            printed += error;
        }
    }
    print_sum(&printer, printed, fixable);
    return g_string_free(printer.out, false);
}

void diag_print(const Diag *diag, FILE *out, DiagStyle style)
{
    g_autofree char *text = diag_to_string(diag, style);

    fputs(text, out);
}

DiagStyle diag_style_for(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(fileno(out)) && !(no_color && *no_color) ? DIAG_COLOUR : DIAG_PLAIN;
}
