/*
 * Diagnostics: what is wrong with a machine, and where it was written.
 *
 * Anything a user can cause by writing YAML is reported here and nowhere else. Checks keep going
 * after an error, so that one run shows every mistake. Messages are lower case, without a full
 * stop; what stands in the file goes between backquotes.
 *
 *   m.yaml:3:9: error[E110]: `1G` is not a size
 *     |
 *   3 | memory: 1G
 *     |         ^^ write 1GiB (1073741824 bytes)
 *     = a note without a place
 */
#ifndef CORE_DIAG_H
#define CORE_DIAG_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/mark.h"

typedef enum DiagSeverity { DIAG_WARNING_LEVEL, DIAG_ERROR_LEVEL } DiagSeverity;

typedef enum DiagCode {
#define E(id, number, slug, help) DIAG_##id,
#include "core/diag-codes.h"
#undef E
    DIAG_CODE_COUNT
} DiagCode;

/* The row of diag-codes.h. */
typedef struct DiagKind {
    unsigned number; /* 102, printed as E102 */
    const char *slug, *help;
} DiagKind;

const DiagKind *diag_kind(DiagCode code);

typedef struct Diag Diag;

Diag *diag_new(void);
void diag_free(Diag *diag);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diag, diag_free)

/* Records an error and returns false, so that a check can end in `return diag_error(...)`. */
bool diag_error(Diag *diag, DiagCode code, Mark at, const char *format, ...) G_GNUC_PRINTF(4, 5);
void diag_warning(Diag *diag, DiagCode code, Mark at, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* These belong to the latest report; without one, they do nothing. */

/* What to do about it: printed beside the caret. */
void diag_hint(Diag *diag, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Another place, or (with NO_MARK) something worth knowing. */
void diag_note(Diag *diag, Mark at, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The text that, put in the place of the mark's span, mends it. */
void diag_fix(Diag *diag, const char *replacement);

/* One report as others may look at it; hint and fix are NULL when there are none. */
typedef struct DiagReport {
    DiagSeverity severity;
    DiagCode code;
    Mark at;
    const char *text, *hint, *fix;
} DiagReport;

/* In source order. */
void diag_each(const Diag *diag, void (*take)(void *data, const DiagReport *report), void *data);

unsigned diag_errors(const Diag *diag);

/* The exit code that says what was wrong: 0 nothing, 2 the description, 3 only the host. */
int diag_exit_code(const Diag *diag);

/* Keeps the text of a file for the carets; without it the file is read when printing. */
void diag_add_source(Diag *diag, const char *file, GBytes *text);

/* What was kept; NULL: nothing. The caller unrefs. */
GBytes *diag_source(const Diag *diag, const char *file);

typedef enum DiagStyle {
    DIAG_PLAIN,
    DIAG_COLOUR,
    DIAG_SHORT, /* one line each, without file and source: for tests */
} DiagStyle;

/* Every report in source order, each with its line and a caret; at most 20 errors, then a sum. */
void diag_print(const Diag *diag, FILE *out, DiagStyle style);

/* The same as a text. */
char *diag_to_string(const Diag *diag, DiagStyle style);

/* DIAG_COLOUR if out is a terminal and NO_COLOR is unset. */
DiagStyle diag_style_for(FILE *out);

#endif
